import { type Command, Option } from 'commander';
import { isOurGrammar, openAssets } from '../batch/openSource.js';
import { MAX_SCENE_NUMBER } from '../dataset/plan.js';
import { batchSource } from '../dataset/sampleScenes.js';
import { readSceneFile } from '../dataset/sceneFile.js';
import { ConfigError, DatasetError } from '../errors.js';
import { assetsFlag, depthFlag, integerIn, normalsFlag, outFlag, seedFlag, setFlag, threadsFlag } from './flags.js';
import { define, type Outcome } from './frame.js';
import { generateWithProgress, resultOf } from './generate.js';
import { isPicture, type PictureFlags, renderPicture } from './renderPicture.js';

interface Flags extends PictureFlags {
  readonly masks?: boolean;
  readonly threads?: number;
  readonly allowUnlicensed?: boolean;
}

/** `metasim render`: images and labels of scenes in a file; or a picture of one scene. */
export function addRender(program: Command, outcome: Outcome): void {
  const command = program
    .command('render')
    .description(
      'render the scenes of a .msg file as a labelled dataset (imagefolder); or one scene, of a file or a grammar, as a ' +
        'picture, with --depth and --normals as views to look at',
    )
    .argument(
      '<scenes>',
      'file written by `metasim sample` or with encodeScenes(); for a picture also a grammar or the folder of a run',
    )
    .addOption(outFlag('new or empty folder; or a .png file, for one picture'))
    .option('--masks', 'write instance and class masks too')
    .addOption(depthFlag())
    .addOption(normalsFlag())
    .option('--instances', 'picture: a view of the instances too')
    .addOption(
      new Option('--index <n>', 'picture: position of the scene in the file, or its index in the stream of the seed')
        .argParser(integerIn(0, MAX_SCENE_NUMBER))
        .default(0),
    )
    .addOption(seedFlag())
    .addOption(
      new Option('--samples <n>', 'picture: samples a pixel of a 3D scene, 1 or 4')
        .argParser(integerIn(1, 4))
        .default(4),
    )
    .option('--allow-unlicensed', 'accept textures that state no licence')
    .addOption(threadsFlag())
    .addOption(assetsFlag())
    .addOption(setFlag());
  const examples = [
    'metasim render scenes.msg --out data/scenes',
    'metasim render scenes.msg --assets mnist:data/mnist --out data/scenes --masks',
    'metasim render driving --seed 7 --out street.png --depth --normals --instances',
    'metasim render examples/grammars/mnist.yaml --set digits=digits --seed 7 --index 3 --out digit.png --instances',
  ];
  define<Flags>(outcome, command, examples, async ([path], flags, context) => {
    if (isPicture(flags.out)) {
      if (flags.masks) {
        throw new ConfigError(
          `Expected --instances, a view of them, with the picture ${flags.out} but received --masks`,
        );
      }
      return renderPicture(path, flags, context.signal);
    }
    if (flags.instances) {
      throw new ConfigError(`Expected a .png file for --out with --instances but received ${flags.out}`);
    }
    if (isGrammar(path)) {
      throw new ConfigError(
        `Expected a .png file for --out, to draw a scene of ${path}, but received ${flags.out}; metasim generate makes datasets of it`,
      );
    }
    const batch = await readSceneFile(path);
    if (batch.scenes.length === 0) throw new DatasetError(`Expected at least one scene in ${path} but received none`);
    const { library, sources } = await openAssets(flags.assets, batch.assets);
    const { out, masks = false, depth = false, normals = false, threads, allowUnlicensed = false } = flags;
    const source = { source: batchSource(batch), assets: library, config: { scenes: path, assets: sources } };
    const settings = { count: batch.scenes.length, seed: batch.provenance.seed, masks, depth, normals };
    const threading = threads === undefined ? {} : { threads };
    return resultOf(await generateWithProgress({ source, out, settings, allowUnlicensed, ...threading }, context), out);
  });
}

/** Whether it is a grammar of ours, or a file is called like one: only pictures are drawn of them here. */
function isGrammar(path: string): boolean {
  return isOurGrammar(path) || /\.(ya?ml|json|[cm]?[jt]s)$/i.test(path);
}
