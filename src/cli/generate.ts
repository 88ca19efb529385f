import type { Command } from 'commander';
import { expectNewOrEmpty } from '../dataset/files.js';
import { writeDataset } from '../dataset/writeDataset.js';
import { assetsFlag, countFlag, outFlag, seedFlag, setFlag, startFlag, threadsFlag } from './flags.js';
import { type CommandContext, type CommandResult, define, type Outcome } from './frame.js';
import { type OpenedSource, openSource, type SourceFlags } from './sources.js';

interface Flags extends SourceFlags {
  readonly count: number;
  readonly seed: number;
  readonly start: number;
  readonly out: string;
  readonly masks?: boolean;
  readonly threads?: number;
}

/** `metasim generate`: a labelled dataset from a grammar or a trained run. */
export function addGenerate(program: Command, outcome: Outcome): void {
  const command = program
    .command('generate')
    .description('render a labelled dataset: PNG images and JSON lines')
    .argument('<source>', 'grammar (YAML or TypeScript) or folder of a training run')
    .addOption(countFlag('number of images'))
    .addOption(seedFlag())
    .addOption(startFlag())
    .addOption(outFlag('new or empty folder'))
    .option('--masks', 'write instance and class masks too')
    .addOption(threadsFlag())
    .addOption(assetsFlag())
    .addOption(setFlag());
  const examples = [
    'metasim generate examples/grammars/mnist.yaml --set digits=digits --count 1000 --seed 7 --out data/digits',
    'metasim generate examples/grammars/mnist.yaml --assets mnist:mnist --count 60000 --out data/mnist',
    'metasim generate runs/mnist --count 10000 --out data/adapted --masks --threads 8',
    'metasim generate cars.yaml --assets images:textures,glob=cars/*.png --set traffic=3 --out data/cars',
  ];
  define<Flags>(outcome, command, examples, async ([path], flags, context) => {
    await expectNewOrEmpty(flags.out);
    return renderToFolder(await openSource(path, flags), flags, context);
  });
}

/** What `generate` and `render` share: an engine, a dataset, a summary. */
export async function renderToFolder(
  { source, assets, config, dispose }: OpenedSource,
  flags: Pick<Flags, 'count' | 'seed' | 'start' | 'out' | 'masks' | 'threads'>,
  context: CommandContext,
): Promise<CommandResult> {
  const { Engine } = await import('../render/engine.js');
  const { count, seed, start, out, masks = false, threads } = flags;
  const engine = await Engine.create({ assets, workers: threads });
  const progress = context.progress('render', count);
  const started = performance.now();
  try {
    const { width, height, channels } = await writeDataset({
      source,
      engine,
      count,
      seed,
      start,
      out,
      masks,
      assets,
      config,
      signal: context.signal,
      onProgress: (done) => progress.update(done),
    });
    progress.stop();
    const seconds = (performance.now() - started) / 1000;
    const colour = channels === 1 ? 'grey' : 'RGB';
    return {
      json: { out, count, seed, start, source: source.name, width, height, channels, masks, seconds },
      text: `${count} images ${width} × ${height} ${colour} of ${source.name} (seed ${seed}) in ${out}: ${seconds.toFixed(1)} s, ${Math.round(count / seconds)} a second`,
    };
  } finally {
    progress.stop();
    await engine.close();
    dispose();
  }
}
