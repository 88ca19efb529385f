import { resolve } from 'node:path';
import type { Command } from 'commander';
import { loadConfig } from '../config.js';
import type { TrainingReporter } from '../report/trainingReporter.js';
import type { EpochReport } from '../training/metaTrain.js';
import { define, type Outcome } from './frame.js';
import { stageBars } from './stageBars.js';

interface Flags {
  readonly out?: string;
}

/** `metasim train`: Meta-Sim on the user's own grammar, textures and target images. */
export function addTrain(program: Command, outcome: Outcome): void {
  const command = program
    .command('train')
    .description('train on your own grammar and target images, as a configuration says')
    .argument('<config>', 'YAML file')
    .option('--out <folder>', 'run folder (default: runs/NAME); an interrupted run goes on from there');
  const examples = ['metasim train examples/train/digits.yaml', 'metasim train cars.yaml --out runs/cars'];
  define<Flags>(outcome, command, examples, async ([path], flags, context) => {
    const config = await loadConfig(path);
    const out = resolve(flags.out ?? `runs/${config.name}`);
    const [{ initBackend }, { trainFromConfig }, reports, { trainedEpochs }] = await Promise.all([
      import('../learn/backend.js'),
      import('../training/trainFromConfig.js'),
      import('../report/trainingReporter.js'),
      import('../training/train.js'),
    ]);
    await initBackend({ threads: 'all' });
    const resumeAt = await trainedEpochs(out);
    if (resumeAt !== undefined) context.note(`going on after epoch ${resumeAt} of the run in ${out}`);
    let reporter: TrainingReporter | undefined;
    let attributes: readonly string[] = [];
    let last: EpochReport | undefined;
    const bar = stageBars(context);
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
              title: config.name,
              engine,
              target: realImages,
              resumeAt,
            });
          },
          onWarmStart: (survey) => reporter?.warmStart(survey, attributes),
          onPretrain: (pretrain) => reporter?.pretrain(pretrain),
          onEpoch: (epoch) => {
            last = epoch;
            return reporter?.epoch(epoch);
          },
        },
      });
      bar();
      const report = await reporter?.finish([], config);
      const { mmd = null, score = null } = last ?? {};
      const finalScore = Number.isFinite(score) ? score : null;
      return {
        json: { out, epochs: config.meta.epochs, mmd, score: finalScore, features: model.features, report },
        text: `${config.name}: ${config.meta.epochs} epochs, MMD² ${mmd?.toFixed(4) ?? 'as before'}${finalScore === null ? '' : `, score on V ${finalScore.toFixed(4)}`}\nfeatures: ${model.features.weights} (${model.features.source})\nreport: ${report}`,
      };
    } finally {
      bar();
      reporter?.close();
    }
  });
}
