import { resolve } from 'node:path';
import { type Command, Option } from 'commander';
import { ConfigError } from '../errors.js';
import { MNIST_TARGETS, type MnistTargetName } from '../experiments/mnist/targets.js';
import { dashboardFlag, integerIn, seedFlag, threadsFlag } from './flags.js';
import { define, type Outcome } from './frame.js';

interface Flags {
  readonly data?: string;
  readonly out?: string;
  readonly seed: number;
  readonly quick?: boolean;
  readonly inception?: string;
  readonly warmStart: boolean;
  readonly metaEpochs?: number;
  readonly images?: number;
  readonly threads?: number;
  readonly dashboard?: number | true;
}

/** `metasim experiment`: the paper's tables. */
export function addExperiment(program: Command, outcome: Outcome): void {
  const names = Object.keys(MNIST_TARGETS);
  const command = program
    .command('experiment')
    .description("one of the paper's experiments, from the grammar to its table")
    .argument('<name>', names.join(' | '))
    .option('--data <folder>', 'MNIST IDX files (default: $METASIM_DATA/mnist), or "procedural" for built-in digits')
    .option(
      '--out <folder>',
      'run folder (default: runs/NAME-SEED, or runs/NAME-quick-SEED); an interrupted run goes on from there',
    )
    .addOption(seedFlag())
    .option('--quick', 'a small form that takes a minute or two')
    .option('--inception <folder>', 'Inception weights, or "random" for the stand-in (default: look for them)')
    .addOption(new Option('--no-warm-start', 'start at the grammar, as the paper does'))
    .addOption(new Option('--meta-epochs <n>', 'meta-epochs, instead of the default').argParser(integerIn(1, 1e6)))
    .addOption(
      new Option('--images <n>', 'images of the static datasets, instead of the default').argParser(
        integerIn(100, 1e7),
      ),
    )
    .addOption(threadsFlag())
    .addOption(dashboardFlag());
  const examples = [
    'metasim experiment mnist-rotation',
    'metasim experiment mnist-rotation-translation --data ~/mnist --out runs/table1 --seed 1',
    'metasim experiment mnist-rotation --data procedural --quick --json',
  ];
  define<Flags>(outcome, command, examples, async ([name], flags, context) => {
    const target = Object.hasOwn(MNIST_TARGETS, name) ? MNIST_TARGETS[name as MnistTargetName] : undefined;
    if (!target) throw new ConfigError(`Expected one of ${names.join(', ')} for the experiment but received "${name}"`);
    const [{ runMnistToFolder }, { mnistResultText }, { quickPreset, fullPreset }, { mnistFolder }] = await Promise.all(
      [
        import('./mnistRun.js'),
        import('../report/mnistReport.js'),
        import('../experiments/mnist/presets.js'),
        import('../experiments/mnist/digits.js'),
      ],
    );
    const base = flags.quick ? quickPreset(target.size) : fullPreset(target.size);
    const result = await runMnistToFolder(
      {
        target,
        data: flags.data ?? mnistFolder(),
        out: flags.out ?? `runs/${name}${flags.quick ? '-quick' : ''}-${flags.seed}`,
        config: {
          ...base,
          seed: flags.seed,
          ...(flags.inception === undefined
            ? {}
            : { features: { ...base.features, weights: weightsOf(flags.inception) } }),
          ...(flags.warmStart ? {} : { warmStart: { kind: 'none' as const } }),
          ...(flags.metaEpochs === undefined ? {} : { meta: { ...base.meta, epochs: flags.metaEpochs } }),
          ...(flags.images === undefined ? {} : { evaluation: { ...base.evaluation, images: flags.images } }),
        },
        threads: flags.threads,
        dashboard: flags.dashboard,
      },
      context,
    );
    return { json: result, text: mnistResultText(result) };
  });
}

/** A folder as it is called from anywhere: it is kept in the run's record. */
function weightsOf(inception: string): string {
  return inception === 'random' || inception === 'auto' ? inception : resolve(inception);
}
