import { resolve } from 'node:path';
import { type Command, Option } from 'commander';
import { ConfigError } from '../errors.js';
import { AERIAL_ABLATIONS, type AerialAblationName } from '../experiments/aerial/ablations.js';
import type { MnistExperimentConfigInput } from '../experiments/mnist/presets.js';
import { MNIST_TARGETS, type MnistTarget, type MnistTargetName } from '../experiments/mnist/targets.js';
import { dashboardFlag, integerIn, seedFlag, threadsFlag } from './flags.js';
import { type CommandContext, define, type Outcome } from './frame.js';

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
  readonly ablation?: string;
}

/** `metasim experiment`: the paper's tables. */
export function addExperiment(program: Command, outcome: Outcome): void {
  const names = [...Object.keys(MNIST_TARGETS), 'aerial'];
  const command = program
    .command('experiment')
    .description("one of the paper's experiments, from the grammar to its table")
    .argument('<name>', names.join(' | '))
    .option(
      '--data <folder>',
      'for MNIST: its IDX files (default: $METASIM_DATA/mnist), or "procedural" for built-in digits',
    )
    .option(
      '--out <folder>',
      'run folder (default: runs/NAME-SEED, or runs/NAME-quick-SEED); an interrupted run goes on from there',
    )
    .addOption(seedFlag())
    .option('--quick', 'a small form: a minute or two, aerial some minutes')
    .option('--inception <folder>', 'Inception weights, or "random" for the stand-in (default: look for them)')
    .addOption(new Option('--no-warm-start', 'start at the grammar, as the paper does'))
    .addOption(new Option('--meta-epochs <n>', 'meta-epochs, instead of the default').argParser(integerIn(1, 1e6)))
    .addOption(
      new Option('--images <n>', 'images of the static datasets, instead of the default').argParser(
        integerIn(100, 1e7),
      ),
    )
    .addOption(
      new Option('--ablation <name>', 'aerial with a part taken out or exchanged').choices(
        Object.keys(AERIAL_ABLATIONS),
      ),
    )
    .addOption(threadsFlag())
    .addOption(dashboardFlag());
  const examples = [
    'metasim experiment mnist-rotation',
    'metasim experiment mnist-rotation-translation --data ~/mnist --out runs/table1 --seed 1',
    'metasim experiment mnist-rotation --data procedural --quick --json',
    'metasim experiment aerial --out runs/table2',
    'metasim experiment aerial --ablation mmd-only',
  ];
  define<Flags>(outcome, command, examples, ([name], flags, context) => {
    if (name === 'aerial') return runAerial(flags, context);
    const target = Object.hasOwn(MNIST_TARGETS, name) ? MNIST_TARGETS[name as MnistTargetName] : undefined;
    if (!target) throw new ConfigError(`Expected one of ${names.join(', ')} for the experiment but received "${name}"`);
    return runMnist(target, flags, context);
  });
}

/** Table 1. */
async function runMnist(target: MnistTarget, flags: Flags, context: CommandContext) {
  if (flags.ablation !== undefined) {
    throw new ConfigError(`Expected no --ablation for ${target.name} but received "${flags.ablation}"`);
  }
  const [{ runMnistToFolder }, { mnistResultText }, { quickPreset, fullPreset }, { mnistFolder }] = await Promise.all([
    import('./mnistRun.js'),
    import('../report/mnistReport.js'),
    import('../experiments/mnist/presets.js'),
    import('../experiments/mnist/digits.js'),
  ]);
  const base = flags.quick ? quickPreset(target.size) : fullPreset(target.size);
  const config = { ...base, ...overrides(base, flags) };
  const data = flags.data ?? mnistFolder();
  const result = await runMnistToFolder({ target, data, config, ...runSettings(target.name, flags) }, context);
  return { json: result, text: mnistResultText(result) };
}

/** Table 2. */
async function runAerial(flags: Flags, context: CommandContext) {
  if (flags.data !== undefined) {
    throw new ConfigError(`Expected no --data for aerial, whose textures are built in, but received "${flags.data}"`);
  }
  const [{ runAerialToFolder }, { aerialResultText }, { aerialPreset, quickAerialPreset }] = await Promise.all([
    import('./aerialRun.js'),
    import('../report/aerialReport.js'),
    import('../experiments/aerial/presets.js'),
  ]);
  const base = flags.quick ? quickAerialPreset() : aerialPreset();
  const whole = { ...base, ...overrides(base, flags) };
  const ablation = flags.ablation as AerialAblationName | undefined;
  const config = ablation ? AERIAL_ABLATIONS[ablation].change(whole) : whole;
  const name = ablation ? `aerial-${ablation}` : 'aerial';
  const result = await runAerialToFolder({ config, ...runSettings(name, flags) }, context);
  return { json: result, text: aerialResultText(result) };
}

/** Those settings of a preset that flags replace. */
function overrides<Preset extends Pick<MnistExperimentConfigInput, 'features' | 'meta' | 'evaluation'>>(
  base: Preset,
  { seed, inception, warmStart, metaEpochs, images }: Flags,
) {
  return {
    seed,
    ...(inception === undefined ? {} : { features: { ...base.features, weights: weightsOf(inception) } }),
    ...(warmStart ? {} : { warmStart: { kind: 'none' as const } }),
    ...(metaEpochs === undefined ? {} : { meta: { ...base.meta, epochs: metaEpochs } }),
    ...(images === undefined ? {} : { evaluation: { ...base.evaluation, images } }),
  };
}

function runSettings(name: string, { out, quick, seed, threads, dashboard }: Flags) {
  return { out: out ?? `runs/${name}${quick ? '-quick' : ''}-${seed}`, threads, dashboard };
}

/** A folder as it is called from anywhere: it is kept in the run's record. */
function weightsOf(inception: string): string {
  return inception === 'random' || inception === 'auto' ? inception : resolve(inception);
}
