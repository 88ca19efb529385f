import type { EvaluationConfig } from '../config.js';
import { ConfigError } from '../errors.js';
import { Classifier } from '../learn/classifier.js';
import type { ImageStack, LabelledImages, SegmentedImages, TaskNetwork, TaskScore } from '../learn/taskNetwork.js';
import { UNet } from '../learn/unet.js';
import type { Engine } from '../render/engine.js';
import type { SceneSchema } from '../scene/attributeSchema.js';
import type { SceneGraph } from '../scene/sceneGraph.js';
import type { SceneSource } from '../scene/sceneSource.js';
import {
  type Checkpoint,
  flatArrays,
  flatArraysUnder,
  hasCheckpoint,
  type Json,
  loadCheckpoint,
  saveCheckpoint,
} from './checkpoint.js';
import { renderLabelledScenes } from './labelledScenes.js';
import { renderSegmentedScenes, sceneSegmenter, segmentationClasses } from './segmentedScenes.js';

/** What every offline evaluation is told. */
export interface OfflineOptions {
  readonly engine: Engine;
  /** What the static training set is generated from. */
  readonly source: SceneSource;
  readonly config: EvaluationConfig;
  readonly seed: number;
  /** Folder in which every finished epoch is kept, so that an interrupted evaluation goes on from there. */
  readonly checkpoints?: string;
  /** What the evaluation is of; a checkpoint of another one is refused. */
  readonly identity?: Checkpoint['metadata'];
  readonly signal?: AbortSignal;
  readonly onProgress?: (fraction: number, detail: string) => void;
}

export interface OfflineEvaluation {
  /** Share of the target's test images that are classified rightly, in [0, 1], after the last epoch. */
  readonly accuracy: number;
  /** The same after each epoch. */
  readonly accuracyPerEpoch: readonly number[];
  /** Of all its parts when it was interrupted. */
  readonly seconds: number;
}

export interface OfflineEvaluationOptions extends OfflineOptions {
  readonly label: (scene: SceneGraph) => number;
  readonly test: LabelledImages;
  /** Number of classes. */
  readonly classes: number;
}

/**
 * The paper's offline evaluation (§4.1): a classifier trained from nothing on a static generated dataset, without
 * augmentation, then tested on the target. Memory: the dataset, `images` · H · W · C bytes.
 * @throws ConfigError when the learning rate would rise; TrainingError when `checkpoints` are of another evaluation; the
 *   signal's reason when aborted
 */
export async function evaluateOffline(options: OfflineEvaluationOptions): Promise<OfflineEvaluation> {
  const { engine, source, label, test, classes, config, seed, signal } = options;
  const { convolutions, hidden, dropout } = config;
  const network = new Classifier({ ...networkOptions(options, test), classes, convolutions, hidden, dropout });
  const { scores, seconds } = await trainAndScore(options, network, () =>
    renderLabelledScenes(engine, source, { seed, count: config.images, label, signal }),
  );
  const accuracyPerEpoch = scores.map(({ score }) => score);
  return { accuracy: accuracyPerEpoch[accuracyPerEpoch.length - 1], accuracyPerEpoch, seconds };
}

export interface OfflineSegmentation {
  /** Mean intersection over union of the labels, in [0, 1], after the last epoch. */
  readonly mean: number;
  /** Of each label; without those that neither are in the test images nor were predicted. */
  readonly iou: Readonly<Record<string, number>>;
  /** `mean` after each epoch. */
  readonly meanPerEpoch: readonly number[];
  /** Of all its parts when it was interrupted. */
  readonly seconds: number;
}

export interface OfflineSegmentationOptions extends OfflineOptions {
  /** Of the source's scenes. */
  readonly schema: SceneSchema;
  /** Classes that are told apart; pixels of all others are background, which is class `labels.length` and not scored. */
  readonly labels: readonly string[];
  /** Masks in the numbers of `labels` (`renderSegmentedScenes` with `sceneSegmenter`). */
  readonly test: SegmentedImages;
}

/**
 * The same evaluation by a segmentation (§4.2, table 2): a U-Net trained from nothing on a static generated dataset,
 * then tested on the target by intersection over union. Memory: the dataset, `images` · H · W · (C + 1) bytes.
 * @throws as `evaluateOffline`; GrammarError when a label is no class of the schema
 */
export async function evaluateSegmentation(options: OfflineSegmentationOptions): Promise<OfflineSegmentation> {
  const { engine, source, schema, labels, test, config, seed, signal } = options;
  const classes = sceneSegmenter(schema, labels);
  const classNames = segmentationClasses(labels);
  const { filters, balance } = config;
  const network = new UNet({
    ...{ ...networkOptions(options, test), filters, balance },
    ...{ classes: classNames.length, classNames, background: labels.length },
  });
  const { scores, seconds } = await trainAndScore(options, network, () =>
    renderSegmentedScenes(engine, source, { seed, count: config.images, classes, signal }),
  );
  const { score, details = {} } = scores[scores.length - 1];
  const iou = labels.flatMap((label) => (`iou/${label}` in details ? [[label, details[`iou/${label}`]]] : []));
  return { mean: score, iou: Object.fromEntries(iou), meanPerEpoch: scores.map((s) => s.score), seconds };
}

/** What the networks share; the learning rate falls geometrically to `finalLearningRate` in the last epoch. */
function networkOptions({ config, seed }: OfflineOptions, { width, height, channels }: ImageStack) {
  const { batchSize, optimizer, learningRate, finalLearningRate, epochs } = config;
  if (finalLearningRate > learningRate) {
    throw new ConfigError(
      `Expected at most learningRate (${learningRate}) for evaluation.finalLearningRate but received ${finalLearningRate}`,
    );
  }
  const learningRateDecay = (finalLearningRate / learningRate) ** (1 / Math.max(1, epochs - 1));
  return { width, height, channels, batchSize, optimizer, learningRate, learningRateDecay, seed };
}

/** Scores after each epoch so far, and the seconds they took. */
interface Standing {
  readonly scores: readonly TaskScore[];
  readonly seconds: number;
}

/** Trains epoch by epoch on what `render` makes and scores on the test set after each; disposes the network. */
async function trainAndScore<Data extends ImageStack>(
  options: OfflineOptions & { readonly test: Data },
  network: TaskNetwork<Data, unknown>,
  render: () => Promise<Data>,
): Promise<Standing> {
  const { test, config, signal, onProgress } = options;
  try {
    let { scores, seconds } = await restore(options, network);
    if (scores.length < config.epochs) {
      onProgress?.(scores.length / config.epochs, 'rendering the training set');
      const data = await render();
      while (scores.length < config.epochs) {
        const started = performance.now();
        const epoch = scores.length;
        await network.train(data, {
          epochs: 1,
          signal,
          onStep: (fraction, loss) =>
            onProgress?.(
              (epoch + fraction) / config.epochs,
              `epoch ${epoch + 1}/${config.epochs}, loss ${loss.toFixed(3)}`,
            ),
        });
        scores = [...scores, network.evaluate ? await network.evaluate(test) : { score: await network.score(test) }];
        seconds += (performance.now() - started) / 1000;
        await save(options, network, { scores, seconds });
      }
    }
    return { scores, seconds };
  } finally {
    network.dispose();
  }
}

type Trained = Pick<TaskNetwork, 'state' | 'load'>;

async function save(
  { checkpoints, identity, config }: OfflineOptions,
  network: Trained,
  { scores, seconds }: Standing,
): Promise<void> {
  if (checkpoints === undefined) return;
  const metadata = { ...identity, evaluation: { ...config }, scores: scores as unknown as Json, seconds };
  const arrays = flatArrays('network', await network.state());
  await saveCheckpoint(checkpoints, { metadata, arrays }, { keep: 1 });
}

/** Where an earlier call stopped; the network then has its weights. */
async function restore({ checkpoints, identity, config }: OfflineOptions, network: Trained): Promise<Standing> {
  if (checkpoints === undefined || !(await hasCheckpoint(checkpoints))) return { scores: [], seconds: 0 };
  const checkpoint = await loadCheckpoint(checkpoints, { ...identity, evaluation: { ...config } });
  network.load(flatArraysUnder(checkpoint, 'network'));
  const { scores, seconds } = checkpoint.metadata;
  return { scores: scores as unknown as TaskScore[], seconds: seconds as number };
}
