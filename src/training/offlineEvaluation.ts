import type { EvaluationConfig } from '../config.js';
import { ConfigError } from '../errors.js';
import { Classifier } from '../learn/classifier.js';
import type { LabelledImages } from '../learn/taskNetwork.js';
import type { Engine } from '../render/engine.js';
import type { SceneGraph } from '../scene/sceneGraph.js';
import type { SceneSource } from '../scene/sceneSource.js';
import {
  type Checkpoint,
  flatArrays,
  flatArraysUnder,
  hasCheckpoint,
  loadCheckpoint,
  saveCheckpoint,
} from './checkpoint.js';
import { renderLabelledScenes } from './labelledScenes.js';

export interface OfflineEvaluation {
  /** Share of the target's test images that are classified rightly, in [0, 1], after the last epoch. */
  readonly accuracy: number;
  /** The same after each epoch. */
  readonly accuracyPerEpoch: readonly number[];
  /** Of all its parts when it was interrupted. */
  readonly seconds: number;
}

export interface OfflineEvaluationOptions {
  readonly engine: Engine;
  /** What the static training set is generated from. */
  readonly source: SceneSource;
  readonly label: (scene: SceneGraph) => number;
  readonly test: LabelledImages;
  /** Number of classes. */
  readonly classes: number;
  readonly config: EvaluationConfig;
  readonly seed: number;
  /** Folder in which every finished epoch is kept, so that an interrupted evaluation goes on from there. */
  readonly checkpoints?: string;
  /** What the evaluation is of; a checkpoint of another one is refused. */
  readonly identity?: Checkpoint['metadata'];
  readonly signal?: AbortSignal;
  readonly onProgress?: (fraction: number, detail: string) => void;
}

/**
 * The paper's offline evaluation (§4.1): a task network trained from nothing on a static generated dataset, without
 * augmentation, then tested on the target. Memory: the dataset, `images` · H · W · C bytes.
 * @throws ConfigError when the learning rate would rise; TrainingError when `checkpoints` are of another evaluation; the
 *   signal's reason when aborted
 */
export async function evaluateOffline(options: OfflineEvaluationOptions): Promise<OfflineEvaluation> {
  const { engine, source, label, test, config, seed, signal, onProgress } = options;
  const network = createNetwork(options);
  try {
    let { accuracyPerEpoch, seconds } = await restore(options, network);
    if (accuracyPerEpoch.length < config.epochs) {
      onProgress?.(accuracyPerEpoch.length / config.epochs, 'rendering the training set');
      const data = await renderLabelledScenes(engine, source, { seed, count: config.images, label, signal });
      while (accuracyPerEpoch.length < config.epochs) {
        const started = performance.now();
        const epoch = accuracyPerEpoch.length;
        await network.train(data, {
          epochs: 1,
          signal,
          onStep: (fraction, loss) =>
            onProgress?.(
              (epoch + fraction) / config.epochs,
              `epoch ${epoch + 1}/${config.epochs}, loss ${loss.toFixed(3)}`,
            ),
        });
        accuracyPerEpoch = [...accuracyPerEpoch, await network.score(test)];
        seconds += (performance.now() - started) / 1000;
        await save(options, network, { accuracyPerEpoch, seconds });
      }
    }
    return { accuracy: accuracyPerEpoch[accuracyPerEpoch.length - 1], accuracyPerEpoch, seconds };
  } finally {
    network.dispose();
  }
}

/** The classifier, its learning rate falling geometrically to `finalLearningRate` in the last epoch. */
function createNetwork({ test, classes, config, seed }: OfflineEvaluationOptions): Classifier {
  const { batchSize, optimizer, learningRate, finalLearningRate, dropout, epochs } = config;
  if (finalLearningRate > learningRate) {
    throw new ConfigError(
      `Expected at most learningRate (${learningRate}) for evaluation.finalLearningRate but received ${finalLearningRate}`,
    );
  }
  const { width, height, channels } = test;
  const learningRateDecay = (finalLearningRate / learningRate) ** (1 / Math.max(1, epochs - 1));
  return new Classifier({
    width,
    height,
    channels,
    classes,
    batchSize,
    optimizer,
    learningRate,
    learningRateDecay,
    dropout,
    seed,
  });
}

type Standing = Pick<OfflineEvaluation, 'accuracyPerEpoch' | 'seconds'>;

async function save(
  { checkpoints, identity, config }: OfflineEvaluationOptions,
  network: Classifier,
  { accuracyPerEpoch, seconds }: Standing,
): Promise<void> {
  if (checkpoints === undefined) return;
  const metadata = { ...identity, evaluation: { ...config }, accuracyPerEpoch, seconds };
  const arrays = flatArrays('network', await network.state());
  await saveCheckpoint(checkpoints, { metadata, arrays }, { keep: 1 });
}

/** Where an earlier call stopped; the network then has its weights. */
async function restore(
  { checkpoints, identity, config }: OfflineEvaluationOptions,
  network: Classifier,
): Promise<Standing> {
  if (checkpoints === undefined || !(await hasCheckpoint(checkpoints))) return { accuracyPerEpoch: [], seconds: 0 };
  const checkpoint = await loadCheckpoint(checkpoints, { ...identity, evaluation: { ...config } });
  network.load(flatArraysUnder(checkpoint, 'network'));
  const { accuracyPerEpoch, seconds } = checkpoint.metadata;
  return { accuracyPerEpoch: accuracyPerEpoch as number[], seconds: seconds as number };
}
