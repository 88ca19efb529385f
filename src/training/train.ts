import { join } from 'node:path';
import type { TrainConfig } from '../config.js';
import { ShapeError } from '../errors.js';
import { DistributionTransformer } from '../learn/distributionTransformer.js';
import { Inception, type InceptionInfo } from '../learn/inception/inception.js';
import { tf } from '../learn/tf.js';
import { MmdLoss } from '../loss/mmd.js';
import type { Engine } from '../render/engine.js';
import type { SceneSchema } from '../scene/attributeSchema.js';
import type { FeatureLayout } from '../scene/features.js';
import type { SceneBatch } from '../scene/sceneGraph.js';
import type { SceneSource } from '../scene/sceneSource.js';
import { type Checkpoint, hasCheckpoint, loadCheckpoint, saveCheckpoint } from './checkpoint.js';
import { surveyClasses } from './classSurvey.js';
import { type MetaState, stateFromCheckpoint, stateToCheckpoint } from './metaState.js';
import type { MetaTask } from './metaTask.js';
import { type EpochReport, metaTrain } from './metaTrain.js';
import { type PretrainResult, pretrain } from './pretrain.js';
import { startTarget } from './startTarget.js';
import { surveyOffsets } from './warmStart.js';
import { type WarmStartResult, warmStartUnits } from './warmStartResult.js';

/** The stages' settings; a `TrainConfig` has them all. */
export type StageConfig = Pick<
  TrainConfig,
  'seed' | 'features' | 'mmd' | 'transformer' | 'pretrain' | 'warmStart' | 'meta'
>;

/** Unlabelled target images X_R. */
export interface ImageSet {
  readonly count: number;
  readonly width: number;
  readonly height: number;
  readonly channels: 1 | 3;
  /** [M × H × W × C] bytes 0–255, or floats in [0, 1]. */
  readonly images: Uint8Array | Float32Array;
}

/** The stages in their order; a resumed run starts at `meta`. */
export type TrainStage = 'features' | 'warmStart' | 'pretrain' | 'meta';

/** What a caller may watch. */
export interface TrainObserver {
  /** A stage begins, or has come `fraction` of its way; `detail` is a short text for a person. */
  onProgress?(stage: TrainStage, fraction: number, detail: string): void;
  /** A resumed run tells again what its first part found out. */
  onWarmStart?(result: WarmStartResult): void | Promise<void>;
  /** As `onWarmStart`. */
  onPretrain?(result: PretrainResult): void | Promise<void>;
  /** Called before the epoch's checkpoint is written: what is recorded here is never behind the checkpoint. */
  onEpoch?(report: EpochReport): void | Promise<void>;
}

/** What came before meta-training; kept in the checkpoints, so that a resumed run's records are whole. */
interface TrainStart {
  readonly warmStart?: WarmStartResult;
  readonly pretrain?: PretrainResult;
}

export interface TrainOptions {
  readonly config: StageConfig;
  /** P, with the schema of its scenes. */
  readonly source: SceneSource & { readonly schema: SceneSchema };
  readonly engine: Engine;
  /** X_R, of the canvas's size. */
  readonly realImages: ImageSet;
  /** Left out: distribution matching alone. */
  readonly task?: MetaTask;
  /** Folder for checkpoints; without it nothing is written and nothing can be resumed. */
  readonly checkpoints?: string;
  /** Identity of the run; a checkpoint of another one is refused. */
  readonly identity?: Checkpoint['metadata'];
  readonly observer?: TrainObserver;
  readonly signal?: AbortSignal;
}

export interface TrainedModel {
  /** G_θ; the caller disposes it. */
  readonly transformer: DistributionTransformer;
  readonly features: InceptionInfo;
  /** Undefined when switched off; of the run's first part when it was resumed. */
  readonly warmStart?: WarmStartResult;
  /** Of the run's first part when it was resumed. */
  readonly pretrain?: PretrainResult;
  /** Epochs that were already done when this call began. */
  readonly resumedAt: number;
}

/**
 * Trains a distribution transformer from nothing (§3.2): target features, warm start, autoencoder pre-training,
 * meta-training. With `checkpoints`, every finished meta-epoch is on disk, and a later call with the same options goes
 * on from there to the same weights, bit for bit.
 * @throws ShapeError when the real images are not of the canvas's size; TrainingError, also when the checkpoints are of
 *   another run; the signal's reason when aborted
 */
export async function trainTransformer(options: TrainOptions): Promise<TrainedModel> {
  const { config, source, engine, task, checkpoints, identity = {}, observer, signal } = options;
  const { seed } = config;
  observer?.onProgress?.('features', 0, 'target features');
  const extractor = await createExtractor(config);
  const { hidden, noise } = config.transformer;
  const transformer = new DistributionTransformer({ schema: source.schema, hidden, noise, seed });
  let mmd: MmdLoss | undefined;
  try {
    mmd = await createMmd(options, extractor);
    const weights = extractor.info.weights;
    const saved = await savedRun(options, weights);
    const start = saved?.start ?? (await startTransformer(options, transformer, mmd));
    if (saved) await tellAgain(saved.start, observer);
    const save = async (state: MetaState) => {
      if (!checkpoints) return;
      const name = `epoch-${String(state.epoch).padStart(6, '0')}`;
      const metadata = { ...identity, weights, start: JSON.parse(JSON.stringify(start)) };
      await saveCheckpoint(checkpoints, stateToCheckpoint(state, metadata), { name });
    };
    await metaTrain({
      source,
      engine,
      transformer,
      mmd,
      task,
      config: config.meta,
      freezeEncoder: config.transformer.freezeEncoder,
      seed,
      resume: saved?.state,
      signal,
      onBatch: (epoch, fraction, value) =>
        observer?.onProgress?.(
          'meta',
          (epoch - 1 + fraction) / config.meta.epochs,
          `epoch ${epoch}/${config.meta.epochs}, MMD² ${value.toFixed(4)}`,
        ),
      onEpoch: async (report, state) => {
        await observer?.onEpoch?.(report);
        await save(await state());
      },
    });
    return { transformer, features: extractor.info, ...start, resumedAt: saved?.state.epoch ?? 0 };
  } catch (error) {
    transformer.dispose();
    throw error;
  } finally {
    mmd?.dispose();
    extractor.dispose();
  }
}

/** Survey, then pre-training towards the grammar's attributes moved as the survey found best. */
async function startTransformer(
  options: TrainOptions,
  transformer: DistributionTransformer,
  mmd: MmdLoss,
): Promise<{ warmStart?: WarmStartResult; pretrain: PretrainResult }> {
  const { config, source, observer, signal } = options;
  const { layout } = transformer;
  const warmStart = await survey(options, layout, mmd);
  if (warmStart) await observer?.onWarmStart?.(warmStart);
  const units = warmStart && ((batch: SceneBatch) => warmStartUnits(layout, batch, warmStart));
  const targetUnits = startTarget(transformer, { units, spread: config.transformer.noiseSpread });
  const result = await pretrain({
    source,
    transformer,
    ...config.pretrain,
    seed: config.seed,
    targetUnits,
    signal,
    onStep: ({ step, steps, loss }) =>
      observer?.onProgress?.('pretrain', step / steps, `autoencoder, loss ${loss.toFixed(4)}`),
  });
  await observer?.onPretrain?.(result);
  return { warmStart, pretrain: result };
}

/** The configured survey; undefined when training is to start at the grammar. */
async function survey(
  { config, source, engine, observer, signal }: TrainOptions,
  layout: FeatureLayout,
  mmd: MmdLoss,
): Promise<WarmStartResult | undefined> {
  const setting = {
    ...{ source, engine, layout, mmd, signal },
    seed: config.seed,
    pixelDelta: config.meta.pixelDelta,
    onProgress: (fraction: number, best: number) =>
      observer?.onProgress?.('warmStart', fraction, `surveying, best MMD² ${best.toFixed(4)}`),
  };
  switch (config.warmStart.kind) {
    case 'survey':
      return surveyOffsets({ ...setting, config: config.warmStart });
    case 'classes':
      return surveyClasses({ ...setting, config: config.warmStart });
    case 'none':
      return undefined;
  }
}

/** Features of the configured layers, from real weights or the stand-in. */
export function createExtractor(config: Pick<StageConfig, 'features' | 'seed'>): Promise<Inception> {
  const { weights, layers } = config.features;
  return Inception.create({
    layers,
    seed: config.seed,
    ...(weights === 'auto' ? {} : { weights }),
  });
}

/** The MMD against the first `realImages` of X_R. */
async function createMmd({ config, realImages, source }: TrainOptions, extractor: Inception): Promise<MmdLoss> {
  const { width, height, channels, images } = realImages;
  if (channels !== source.schema.channels) {
    throw new ShapeError(`Expected ${source.schema.channels} channels for the target images but received ${channels}`);
  }
  const count = Math.min(config.mmd.realImages, realImages.count);
  const pixels = images.subarray(0, count * width * height * channels);
  const floats = pixels instanceof Float32Array ? pixels : Float32Array.from(pixels, (byte) => byte / 255);
  const real = tf.tensor4d(floats, [count, height, width, channels]);
  try {
    return await MmdLoss.create({ extractor, real, bandwidth: config.mmd.bandwidth, blur: config.mmd.blur });
  } finally {
    real.dispose();
  }
}

/**
 * The newest checkpoint of this very run, if there is one.
 * @param weights of the feature extractor: going on with others would change the loss half-way
 */
async function savedRun(
  { checkpoints, identity }: TrainOptions,
  weights: InceptionInfo['weights'],
): Promise<{ state: MetaState; start: TrainStart } | undefined> {
  if (!checkpoints || !(await hasCheckpoint(checkpoints))) return undefined;
  const checkpoint = await loadCheckpoint(checkpoints, { ...identity, weights });
  return { state: stateFromCheckpoint(checkpoint), start: (checkpoint.metadata.start ?? {}) as TrainStart };
}

async function tellAgain({ warmStart, pretrain }: TrainStart, observer: TrainObserver | undefined): Promise<void> {
  if (warmStart) await observer?.onWarmStart?.(warmStart);
  if (pretrain) await observer?.onPretrain?.(pretrain);
}

/**
 * Makes sure that a folder's checkpoints, if it holds any, are of the run called `identity`: before anything of that
 * run is written over.
 * @throws TrainingError naming what differs
 */
export async function expectSameRun(checkpoints: string, identity: Checkpoint['metadata']): Promise<void> {
  if (await hasCheckpoint(checkpoints)) await loadCheckpoint(checkpoints, identity);
}

/** Where a run folder keeps its checkpoints. */
export function checkpointFolder(run: string): string {
  return join(run, 'checkpoints');
}

/** Meta-epochs that a run folder's checkpoint has seen; undefined when there is none. */
export async function trainedEpochs(run: string): Promise<number | undefined> {
  const folder = checkpointFolder(run);
  if (!(await hasCheckpoint(folder))) return undefined;
  return stateFromCheckpoint(await loadCheckpoint(folder)).epoch;
}
