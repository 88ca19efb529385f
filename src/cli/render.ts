import type { Command } from 'commander';
import { openAssets } from '../batch/openSource.js';
import { batchSource } from '../dataset/sampleScenes.js';
import { readSceneFile } from '../dataset/sceneFile.js';
import { DatasetError } from '../errors.js';
import { assetsFlag, depthFlag, normalsFlag, outFlag, threadsFlag } from './flags.js';
import { define, type Outcome } from './frame.js';
import { generateWithProgress, resultOf, type SourceFlags } from './generate.js';

interface Flags extends SourceFlags {
  readonly out: string;
  readonly masks?: boolean;
  readonly depth?: boolean;
  readonly normals?: boolean;
  readonly threads?: number;
  readonly allowUnlicensed?: boolean;
}

/** `metasim render`: images and labels of scenes in a file. */
export function addRender(program: Command, outcome: Outcome): void {
  const command = program
    .command('render')
    .description('render the scenes of a .msg file as a labelled dataset (imagefolder)')
    .argument('<scenes>', 'file written by `metasim sample` or with encodeScenes()')
    .addOption(outFlag('new or empty folder'))
    .option('--masks', 'write instance and class masks too')
    .addOption(depthFlag())
    .addOption(normalsFlag())
    .option('--allow-unlicensed', 'accept textures that state no licence')
    .addOption(threadsFlag())
    .addOption(assetsFlag());
  const examples = [
    'metasim render scenes.msg --out data/scenes',
    'metasim render scenes.msg --assets mnist:data/mnist --out data/scenes --masks',
  ];
  define<Flags>(outcome, command, examples, async ([path], flags, context) => {
    const batch = await readSceneFile(path);
    if (batch.scenes.length === 0) throw new DatasetError(`Expected at least one scene in ${path} but received none`);
    const { library, sources } = await openAssets(flags.assets);
    const { out, masks = false, depth = false, normals = false, threads, allowUnlicensed = false } = flags;
    const source = { source: batchSource(batch), assets: library, config: { scenes: path, assets: sources } };
    const settings = { count: batch.scenes.length, seed: batch.provenance.seed, masks, depth, normals };
    const threading = threads === undefined ? {} : { threads };
    return resultOf(await generateWithProgress({ source, out, settings, allowUnlicensed, ...threading }, context), out);
  });
}
