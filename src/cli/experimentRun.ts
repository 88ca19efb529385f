import { resolve } from 'node:path';
import { writeFileWhole } from '../dataset/files.js';
import type { Engine } from '../render/engine.js';
import type { ImageStack } from '../report/picture.js';
import type { TrainingReporter } from '../report/trainingReporter.js';
import type { SceneSource } from '../scene/sceneSource.js';
import type { EpochReport } from '../training/metaTrain.js';
import type { PretrainResult } from '../training/pretrain.js';
import type { WarmStartResult } from '../training/warmStartResult.js';
import type { CommandContext } from './frame.js';
import { openDashboard } from './liveDashboard.js';
import { stageBars } from './stageBars.js';

/** Scenes of the target whose attributes the report shows. */
const TARGET_SCENES = 512;

export interface ExperimentRunOptions {
  /** Of the experiment. */
  readonly name: string;
  /** Run folder. */
  readonly out: string;
  /** A live page: at this port, or at a free one. */
  readonly dashboard?: number | true;
}

/** What an experiment shows to the user and leaves in its run folder: pass its parts on as the experiment's observer. */
export interface ExperimentRecords {
  /** The run folder, absolute. */
  readonly out: string;
  readonly onProgress: ReturnType<typeof stageBars>;
  /** Opens the records. @param images of the target, for the contact sheets */
  start(engine: Engine, target: SceneSource, images: ImageStack, seed: number): Promise<void>;
  onWarmStart(result: WarmStartResult): Promise<void> | undefined;
  onPretrain(result: PretrainResult): Promise<void> | undefined;
  /** @param extra further numbers of the epoch, e.g. errors of learned attributes */
  epoch(report: EpochReport, extra: Readonly<Record<string, number>>): Promise<void> | undefined;
}

/**
 * Runs an experiment into a run folder, with progress, records, `results.json` and `report.html`: what `experiment`, `demo`
 * and `evaluate` share. A folder that holds an interrupted run of the same settings goes on from its last epoch.
 */
export async function runExperimentToFolder<Result>(
  options: ExperimentRunOptions,
  context: CommandContext,
  run: (records: ExperimentRecords) => Promise<Result>,
): Promise<Result> {
  const out = resolve(options.out);
  const [{ initBackend }, reports, histograms, { trainedEpochs }] = await Promise.all([
    import('../learn/backend.js'),
    import('../report/trainingReporter.js'),
    import('../report/attributeHistograms.js'),
    import('../training/train.js'),
  ]);
  await initBackend({ threads: 'all' });
  const resumeAt = await trainedEpochs(out);
  if (resumeAt !== undefined) context.note(`going on after epoch ${resumeAt} of the run in ${options.out}`);
  let reporter: TrainingReporter | undefined;
  let attributes: readonly string[] = [];
  const dashboard = await openDashboard(options.dashboard, options.name, context);
  const bar = stageBars(context, dashboard);
  let ending = 'the run was stopped';
  try {
    const result = await run({
      out,
      onProgress: bar,
      async start(engine, target, images, seed) {
        reporter = await reports.TrainingReporter.open({ out, engine, target: images, dashboard, resumeAt });
        const scenes = await target.sampleBatch({ seed, start: 0, count: TARGET_SCENES });
        attributes = scenes.schema.attributes.map(({ name }) => name);
        await histograms.writeAttributeHistograms(out, { target: histograms.attributeHistograms(scenes) });
      },
      onWarmStart: (survey) => reporter?.warmStart(survey, attributes),
      onPretrain: (pretrain) => reporter?.pretrain(pretrain),
      epoch: (report, extra) => reporter?.epoch(report, extra),
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
