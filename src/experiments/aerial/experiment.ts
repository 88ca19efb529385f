import { openAssetSources } from '../../assets/assetSources.js';
import { assetSourceSchema, parseConfig } from '../../config.js';
import type { Grammar } from '../../grammar/grammar.js';
import type { SegmentedImages } from '../../learn/taskNetwork.js';
import { UNet } from '../../learn/unet.js';
import { type Visibility, visibilityOf } from '../../metrics/visibility.js';
import { Engine } from '../../render/engine.js';
import { FRESH_SCENES, type SceneSource } from '../../scene/sceneSource.js';
import type { MetaTask } from '../../training/metaTask.js';
import type { EpochReport } from '../../training/metaTrain.js';
import { segmentationTask } from '../../training/networkTask.js';
import { evaluateSegmentation, type OfflineSegmentation } from '../../training/offlineEvaluation.js';
import { writeRunRecord } from '../../training/run.js';
import { renderSegmentedScenes, sceneSegmenter, segmentationClasses } from '../../training/segmentedScenes.js';
import { checkpointFolder, expectSameRun, type TrainObserver } from '../../training/train.js';
import { type Comparison, evaluationFolder, trainAndCompare, trainingSettings } from '../comparison.js';
import { type AerialExperimentConfig, type AerialExperimentConfigInput, aerialExperimentSchema } from './presets.js';
import { AERIAL_LABELS, type AerialLabel, aerialAssetSource, carAngle, loadAerialGrammars } from './scenes.js';

/** What a caller may watch, beyond training. */
export interface AerialObserver extends Omit<TrainObserver, 'onProgress' | 'onEpoch'> {
  onProgress?(stage: AerialStage, fraction: number, detail: string): void;
  /** Everything is set up. */
  onStart?(setting: AerialSetting): void | Promise<void>;
  /** An epoch's report, and the angle between cars and road in G_θ's mean, degrees. */
  onEpoch?(report: EpochReport, angle: number): void | Promise<void>;
  /** Training is over; `metasim` may be sampled until this returns. */
  onTrained?(setting: AerialSetting, metasim: SceneSource): void | Promise<void>;
}

export type AerialStage = Parameters<NonNullable<TrainObserver['onProgress']>>[0] | 'evaluate';

/** What pictures are made of. */
export interface AerialSetting {
  readonly engine: Engine;
  readonly grammar: Grammar;
  readonly target: Grammar;
  readonly config: AerialExperimentConfig;
}

export interface AerialExperimentOptions {
  /** Settings that differ from the defaults. */
  readonly config?: AerialExperimentConfigInput;
  /** Run folder: checkpoints go there, and an interrupted run goes on from them. */
  readonly out?: string;
  readonly workers?: number;
  readonly observer?: AerialObserver;
  readonly signal?: AbortSignal;
}

/** A row of the paper's table 2. */
export interface AerialRow {
  /** Intersection over union on the target's test images, percent; `mean` over the four classes. */
  readonly iou: Readonly<Record<AerialLabel | 'mean', number>>;
  readonly evaluation: OfflineSegmentation;
  /** Mean absolute angle between cars and road in the training images, degrees. */
  readonly carAngle: number;
  /** How much of the objects is seen in them. */
  readonly visibility: Visibility;
}

export interface AerialResult extends Comparison<AerialRow> {
  readonly experiment: 'aerial';
  readonly config: AerialExperimentConfig;
  /** Of the target itself, degrees. */
  readonly targetCarAngle: number;
}

const NAME = 'aerial';

/**
 * Table 2 of the paper (§4.2, Aerial2D): trains Meta-Sim from the grammar to the target's images, then trains the U-Net
 * on static datasets of the grammar and of Meta-Sim, and tests both on fresh target images by intersection over union.
 * @throws ConfigError; TrainingError when `out` holds another run; the signal's reason when aborted
 */
export async function runAerialExperiment(options: AerialExperimentOptions): Promise<AerialResult> {
  const started = performance.now();
  const { observer, signal, out } = options;
  const config = parseConfig(aerialExperimentSchema, options.config ?? {}, NAME);
  const { seed, size, validationImages } = config;
  const sources = [aerialAssetSource(size, seed)];
  const assets = await openAssetSources(sources);
  const { grammar, target } = await loadAerialGrammars(assets, size);
  const engine = await Engine.create({ assets, workers: options.workers });
  const identity = { grammar: grammar.hash, target: target.hash, config: trainingSettings(config) };
  const setting = { engine, grammar, target, config };
  const classes = sceneSegmenter(grammar.schema, AERIAL_LABELS);
  const segmented = (source: SceneSource, start: number, count: number) =>
    renderSegmentedScenes(engine, source, { seed, start, count, classes, signal });
  let task: MetaTask | undefined;
  try {
    if (out !== undefined) {
      await expectSameRun(checkpointFolder(out), identity);
      await writeRunRecord(out, {
        ...{ kind: 'experiment', name: NAME, seed, assets: recordedSources(size, seed) },
        grammar: { ...grammar.toDefinition() },
        hidden: config.transformer.hidden,
        noise: config.transformer.noise,
        config: { target: target.name, config },
      });
    }
    await observer?.onStart?.(setting);
    const { realImages } = config.mmd;
    const real = await segmented(target, 0, realImages);
    // A weight of nought leaves the task out: its network would be trained for nothing.
    if (config.meta.taskWeight > 0) {
      task = openTask(await segmented(target, realImages, validationImages), config, classes);
    }
    const comparison = await trainAndCompare<AerialRow>(
      {
        name: NAME,
        train: {
          ...{ config, source: grammar, engine, realImages: real, task, identity, signal },
          checkpoints: out === undefined ? undefined : checkpointFolder(out),
          observer: { ...observer, onEpoch: (report) => observer?.onEpoch?.(report, carAngle(report.mean)) },
        },
        onTrained: (metasim) => observer?.onTrained?.(setting, metasim),
        onProgress: (...progress) => observer?.onProgress?.(...progress),
        async evaluate(source, row, { weights }, onProgress) {
          const test = await segmented(target, FRESH_SCENES, config.evaluation.testImages);
          const evaluation = await evaluateSegmentation({
            ...{ engine, source, test, seed, signal, onProgress },
            ...{ schema: grammar.schema, labels: AERIAL_LABELS, config: config.evaluation },
            checkpoints: evaluationFolder(out, row, config.evaluation),
            identity: { ...identity, weights },
          });
          return { iou: percentages(evaluation), evaluation, ...(await measure(setting, source)) };
        },
      },
      started,
    );
    const targetScenes = await target.sampleBatch({ seed, start: FRESH_SCENES, count: config.evaluation.poseScenes });
    return { experiment: NAME, config, ...comparison, targetCarAngle: carAngle(targetScenes) };
  } finally {
    task?.dispose();
    await engine.close();
  }
}

/** With their defaults filled in, as `run.json` keeps them. */
function recordedSources(size: number, seed: number) {
  return [assetSourceSchema.parse(aerialAssetSource(size, seed))];
}

/** The U-Net within the loop. */
function openTask(validation: SegmentedImages, { task, seed }: AerialExperimentConfig, classes: Uint8Array): MetaTask {
  const { width, height, channels } = validation;
  const { kind: _kind, epochs, resetEachEpoch, ...network } = task;
  const classNames = segmentationClasses(AERIAL_LABELS);
  const background = AERIAL_LABELS.length;
  return segmentationTask({
    network: new UNet({
      ...network,
      width,
      height,
      channels,
      classes: classNames.length,
      classNames,
      background,
      seed,
    }),
    ...{ config: { epochs, resetEachEpoch }, validation, classes, seed },
  });
}

function percentages({ iou, mean }: OfflineSegmentation): AerialRow['iou'] {
  const of = (label: AerialLabel) => [label, 100 * (iou[label] ?? Number.NaN)] as const;
  return { ...(Object.fromEntries(AERIAL_LABELS.map(of)) as Record<AerialLabel, number>), mean: 100 * mean };
}

/** Of fresh scenes of a source. */
async function measure({ engine, config }: AerialSetting, source: SceneSource) {
  const { seed, evaluation } = config;
  const scenes = await source.sampleBatch({ seed, start: FRESH_SCENES, count: evaluation.poseScenes });
  const rendered = await engine.render(scenes, { color: 'none', labels: true });
  return { carAngle: carAngle(scenes), visibility: visibilityOf(scenes, rendered) };
}
