import { resolve } from 'node:path';
import type { Command } from 'commander';
import { loadConfig } from '../config.js';
import type { TrainingReporter } from '../report/trainingReporter.js';
import type { LearnedAttribute } from '../training/learnedAttributes.js';
import type { EpochReport } from '../training/metaTrain.js';
import { dashboardFlag } from './flags.js';
import { define, type Outcome } from './frame.js';
import { openDashboard } from './liveDashboard.js';
import { stageBars } from './stageBars.js';

interface Flags {
  readonly out?: string;
  readonly dashboard?: number | true;
}

/** `metasim train`: Meta-Sim on the user's own grammar, textures and target images. */
export function addTrain(program: Command, outcome: Outcome): void {
  const command = program
    .command('train')
    .description('train on your own grammar and target images, as a configuration says')
    .argument('<config>', 'YAML file')
    .option('--out <folder>', 'run folder (default: runs/NAME); an interrupted run goes on from there')
    .addOption(dashboardFlag());
  const examples = [
    'metasim train examples/train/digits.yaml',
    'metasim train cars.yaml --out runs/cars',
    'metasim train cars.yaml --dashboard',
  ];
  define<Flags>(outcome, command, examples, async ([path], flags, context) => {
    const config = await loadConfig(path);
    const out = resolve(flags.out ?? `runs/${config.name}`);
    const [
      { initBackend },
      { trainFromConfig },
      reports,
      { trainedEpochs },
      { learnedAttributes },
      { variationWarning },
    ] = await Promise.all([
      import('../learn/backend.js'),
      import('../training/trainFromConfig.js'),
      import('../report/trainingReporter.js'),
      import('../training/train.js'),
      import('../training/learnedAttributes.js'),
      import('../training/keptVariation.js'),
    ]);
    await initBackend({ threads: 'all' });
    const resumeAt = await trainedEpochs(out);
    if (resumeAt !== undefined) context.note(`going on after epoch ${resumeAt} of the run in ${out}`);
    let reporter: TrainingReporter | undefined;
    let attributes: readonly string[] = [];
    let last: EpochReport | undefined;
    let warning: string | undefined;
    const dashboard = await openDashboard(flags.dashboard, config.name, context);
    const bar = stageBars(context, dashboard);
    let ending = 'the run was stopped';
    try {
      const model = await trainFromConfig({
        path,
        config,
        out,
        signal: context.signal,
        observer: {
          onProgress: bar,
          onStart: async ({ engine, grammar, realImages }) => {
            attributes = grammar.schema.attributes.map(({ name }) => name);
            reporter = await reports.TrainingReporter.open({
              out,
              engine,
              target: realImages,
              dashboard,
              resumeAt,
            });
          },
          onWarmStart: (survey) => reporter?.warmStart(survey, attributes),
          onPretrain: (pretrain) => {
            warning = variationWarning(pretrain);
            return reporter?.pretrain(pretrain);
          },
          onEpoch: (epoch) => {
            last = epoch;
            return reporter?.epoch(epoch);
          },
        },
      });
      bar();
      const report = await reporter?.finish();
      ending = `finished; the report is ${report}`;
      const { mmd = null, score = null } = last ?? {};
      const finalScore = Number.isFinite(score) ? score : null;
      const learned = last ? learnedAttributes(last.input, last.mean) : [];
      return {
        json: {
          out,
          epochs: config.meta.epochs,
          mmd,
          score: finalScore,
          features: model.features,
          learned,
          report,
          warnings: warning ? [warning] : [],
        },
        text: `${config.name}: ${config.meta.epochs} epoch${config.meta.epochs === 1 ? '' : 's'}, MMD² ${mmd?.toFixed(4) ?? 'as before'}${finalScore === null ? '' : `, score on V ${finalScore.toFixed(4)}`}${learnedText(learned)}\nfeatures: ${model.features.weights} (${model.features.source})\nreport: ${report}${warning ? `\nwarning: ${warning}` : ''}`,
      };
    } finally {
      bar();
      reporter?.close();
      await dashboard?.close(ending);
    }
  });
}

/** What the mutable attributes have become on average, a line each. */
function learnedText(learned: readonly LearnedAttribute[]): string {
  const lines = learned.map(
    ({ class: name, attribute, unit, before, after }) =>
      `  ${name} ${attribute}: ${before.toFixed(2)} → ${after.toFixed(2)}${unit ? ` ${unit}` : ''}`,
  );
  return lines.length > 0 ? `\nlearned, on average (the grammar → now):\n${lines.join('\n')}` : '';
}
