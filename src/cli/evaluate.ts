import { type Command, Option } from 'commander';
import { ConfigError, TrainingError } from '../errors.js';
import type { RunScore } from '../training/evaluateRun.js';
import type { RunRecord } from '../training/run.js';
import { integerIn, threadsFlag } from './flags.js';
import { type CommandContext, define, type Outcome } from './frame.js';

interface Flags {
  readonly test?: string;
  readonly images?: number;
  readonly epochs?: number;
  readonly threads?: number;
}

/** Defaults of --images and --epochs. */
const IMAGES = 10_000;
const EPOCHS = 4;

/** V is no fresh test set: the task term of training was rewarded on it. */
const ON_V = 'scored on V, which training has seen the scores of; --test scores on other images';

/** `metasim evaluate`: what a trained run is worth to a task network. */
export function addEvaluate(program: Command, outcome: Outcome): void {
  const command = program
    .command('evaluate')
    .description('train the task network on static datasets of the grammar and of a run, and score both on real images')
    .argument('<run>', 'run folder of train, experiment or demo')
    .option(
      '--test <folder>',
      'labelled real images: a sub-folder per class, or images/ and masks/ (for runs of `train`; default: V)',
    )
    .addOption(
      new Option('--images <n>', `generated training images (for runs of \`train\`; default: ${IMAGES})`).argParser(
        integerIn(1, 1e8),
      ),
    )
    .addOption(
      new Option('--epochs <n>', `passes over them (for runs of \`train\`; default: ${EPOCHS})`).argParser(
        integerIn(1, 1e8),
      ),
    )
    .addOption(threadsFlag());
  const examples = ['metasim evaluate runs/mnist-rotation-0', 'metasim evaluate runs/cars --test data/cars/test'];
  define<Flags>(outcome, command, examples, async ([run], flags, context) => {
    const { readRunRecord } = await import('../training/run.js');
    const { initBackend } = await import('../learn/backend.js');
    const record = await readRunRecord(run);
    if (record.kind === 'experiment') return evaluateExperiment(run, record, flags, context);
    const { evaluateRun } = await import('../training/evaluateRun.js');
    await initBackend({ threads: 'all' });
    const bar = context.progress('evaluate', 1000);
    const { grammar, metasim } = await evaluateRun(run, {
      ...flags,
      images: flags.images ?? IMAGES,
      epochs: flags.epochs ?? EPOCHS,
      signal: context.signal,
      onProgress: (fraction, detail) => bar.update(Math.round(1000 * fraction), detail),
    });
    bar.stop();
    const { task } = record.config as { task?: { kind?: string } };
    // What a command prints need not be a share.
    const written = (score: number) =>
      task?.kind === 'command' ? score.toPrecision(4) : `${(100 * score).toFixed(2)} %`;
    const line = (name: string, { score, details = {} }: RunScore) => {
      const parts = Object.entries(details).map(([part, value]) => `${part} ${written(value)}`);
      return [`${name.padEnd(9)} ${written(score)}`, ...parts].join('  ');
    };
    return {
      json: { results: { grammar, metasim }, testedOn: flags.test ?? 'V' },
      text: [line('grammar', grammar), line('Meta-Sim', metasim), ...(flags.test ? [] : [ON_V])].join('\n'),
    };
  });
}

/** An experiment is evaluated as its record says: what is missing of its table is made, and the table printed again. */
async function evaluateExperiment(run: string, record: RunRecord, flags: Flags, context: CommandContext) {
  const given = (['test', 'images', 'epochs'] as const).find((name) => flags[name] !== undefined);
  if (given) {
    throw new ConfigError(`Expected no --${given} for ${run}: an experiment is evaluated as its run.json says`);
  }
  const { threads } = flags;
  const { target: name, data, config } = record.config as { target: string; data: string; config: object };
  if (record.name === 'aerial') {
    const [{ runAerialToFolder }, { aerialResultText }] = await Promise.all([
      import('./aerialRun.js'),
      import('../report/aerialReport.js'),
    ]);
    const result = await runAerialToFolder({ out: run, config, threads }, context);
    return { json: result, text: aerialResultText(result) };
  }
  const [{ runMnistToFolder }, { mnistResultText }, { MNIST_TARGETS }] = await Promise.all([
    import('./mnistRun.js'),
    import('../report/mnistReport.js'),
    import('../experiments/mnist/targets.js'),
  ]);
  const target = MNIST_TARGETS[name as keyof typeof MNIST_TARGETS];
  if (!target) throw new TrainingError(`Expected a known experiment in ${run} but received "${name}"`);
  const result = await runMnistToFolder({ target, data, out: run, config, threads }, context);
  return { json: result, text: mnistResultText(result) };
}
