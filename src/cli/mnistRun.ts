import { resolve } from 'node:path';
import { writeFileWhole } from '../dataset/files.js';
import type { MnistResult, MnistSetting } from '../experiments/mnist/experiment.js';
import type { MnistExperimentConfigInput } from '../experiments/mnist/presets.js';
import type { MnistTarget } from '../experiments/mnist/targets.js';
import type { TrainingReporter } from '../report/trainingReporter.js';
import type { CommandContext } from './frame.js';
import { openDashboard } from './liveDashboard.js';
import { stageBars } from './stageBars.js';

/** Scenes of the target whose attributes the report shows. */
const TARGET_SCENES = 512;

export interface MnistRunOptions {
  readonly target: MnistTarget;
  /** Folder of MNIST, or `procedural`. */
  readonly data: string;
  readonly out: string;
  readonly config: MnistExperimentConfigInput;
  readonly threads?: number;
  /** A live page: at this port, or at a free one. */
  readonly dashboard?: number | true;
}

/**
 * Runs an MNIST experiment into a run folder, with progress and records: what `experiment`, `demo` and `evaluate` share.
 * A folder that holds an interrupted run of the same settings goes on from its last epoch.
 */
export async function runMnistToFolder(options: MnistRunOptions, context: CommandContext): Promise<MnistResult> {
  const { target, data, config, threads } = options;
  const out = resolve(options.out);
  const [{ initBackend }, { runMnistExperiment }, reports, histograms, { trainedEpochs }, { renderLabelledScenes }] =
    await Promise.all([
      import('../learn/backend.js'),
      import('../experiments/mnist/experiment.js'),
      import('../report/trainingReporter.js'),
      import('../report/attributeHistograms.js'),
      import('../training/train.js'),
      import('../training/labelledScenes.js'),
    ]);
  await initBackend({ threads: 'all' });
  const resumeAt = await trainedEpochs(out);
  if (resumeAt !== undefined) context.note(`going on after epoch ${resumeAt} of the run in ${options.out}`);
  let reporter: TrainingReporter | undefined;
  let attributes: readonly string[] = [];
  const dashboard = await openDashboard(options.dashboard, target.name, context);
  const bar = stageBars(context, dashboard);
  let ending = 'the run was stopped';
  try {
    const result = await runMnistExperiment({
      target,
      data,
      config,
      out,
      workers: threads,
      signal: context.signal,
      observer: {
        onProgress: bar,
        onStart: async ({ engine, grammar, targetSource, config: resolved }: MnistSetting) => {
          attributes = grammar.schema.attributes.map(({ name }) => name);
          const images = await renderLabelledScenes(engine, targetSource, {
            seed: resolved.seed,
            count: 16,
            label: () => 0,
          });
          reporter = await reports.TrainingReporter.open({ out, engine, target: images, dashboard, resumeAt });
          const scenes = await targetSource.sampleBatch({ seed: resolved.seed, start: 0, count: TARGET_SCENES });
          await histograms.writeAttributeHistograms(out, { target: histograms.attributeHistograms(scenes) });
        },
        onWarmStart: (survey) => reporter?.warmStart(survey, attributes),
        onPretrain: (pretrain) => reporter?.pretrain(pretrain),
        onEpoch: (epoch, learned) => {
          const errors = Object.entries(learned).map(([name, { meanAbsoluteError }]) => [
            `${name} error`,
            meanAbsoluteError,
          ]);
          return reporter?.epoch(epoch, Object.fromEntries(errors));
        },
      },
    });
    bar();
    await writeFileWhole(`${out}/results.json`, `${JSON.stringify(result, null, 2)}\n`);
    const path = await reporter?.finish();
    ending = `finished; the report is ${path}`;
    context.note(`report: ${path}`);
    return result;
  } finally {
    bar();
    reporter?.close();
    await dashboard?.close(ending);
  }
}
