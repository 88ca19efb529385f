import type { Command } from 'commander';
import { expectNewOrEmpty } from '../dataset/files.js';
import { batchSource } from '../dataset/sampleScenes.js';
import { readSceneFile } from '../dataset/sceneFile.js';
import { DatasetError } from '../errors.js';
import { assetsFlag, outFlag, threadsFlag } from './flags.js';
import { define, type Outcome } from './frame.js';
import { renderToFolder } from './generate.js';
import { openAssets, type SourceFlags } from './sources.js';

interface Flags extends SourceFlags {
  readonly out: string;
  readonly masks?: boolean;
  readonly threads?: number;
}

/** `metasim render`: images and labels of scenes in a file. */
export function addRender(program: Command, outcome: Outcome): void {
  const command = program
    .command('render')
    .description('render the scenes of a .msg file: PNG images and JSON lines')
    .argument('<scenes>', 'file written by `metasim sample` or with encodeScenes()')
    .addOption(outFlag('new or empty folder'))
    .option('--masks', 'write instance and class masks too')
    .addOption(threadsFlag())
    .addOption(assetsFlag());
  const examples = [
    'metasim render scenes.msg --out data/scenes',
    'metasim render scenes.msg --assets mnist:data/mnist --out data/scenes --masks',
  ];
  define<Flags>(outcome, command, examples, async ([path], flags, context) => {
    await expectNewOrEmpty(flags.out);
    const batch = await readSceneFile(path);
    if (batch.scenes.length === 0) throw new DatasetError(`Expected at least one scene in ${path} but received none`);
    const { library, sources } = await openAssets(flags);
    const config = { scenes: path, assets: sources };
    const opened = { source: batchSource(batch), assets: library, config, dispose() {} };
    const range = { count: batch.scenes.length, seed: batch.provenance.seed, start: 0 };
    return renderToFolder(opened, { ...flags, ...range }, context);
  });
}
