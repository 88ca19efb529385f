import type { EvaluationConfig } from '../config.js';
import { Classifier } from '../learn/classifier.js';
import type { LabelledImages } from '../learn/taskNetwork.js';
import type { Engine } from '../render/engine.js';
import type { SceneGraph } from '../scene/sceneGraph.js';
import type { SceneSource } from '../scene/sceneSource.js';
import { renderLabelledScenes } from './labelledScenes.js';

export interface OfflineEvaluation {
  /** Share of the target's test images that are classified rightly, in [0, 1], after the last epoch. */
  readonly accuracy: number;
  /** The same after each epoch. */
  readonly accuracyPerEpoch: readonly number[];
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
  readonly signal?: AbortSignal;
  readonly onProgress?: (fraction: number, detail: string) => void;
}

/**
 * The paper's offline evaluation (§4.1): a task network trained from nothing on a static generated dataset, without
 * augmentation, then tested on the target.
 */
export async function evaluateOffline(options: OfflineEvaluationOptions): Promise<OfflineEvaluation> {
  const { engine, source, label, test, classes, config, seed, signal, onProgress } = options;
  const started = performance.now();
  onProgress?.(0, 'rendering the training set');
  const data = await renderLabelledScenes(engine, source, { seed, count: config.images, label, signal });
  const decay = (config.finalLearningRate / config.learningRate) ** (1 / Math.max(1, config.epochs - 1));
  const network = new Classifier({
    width: test.width,
    height: test.height,
    channels: test.channels,
    classes,
    batchSize: config.batchSize,
    optimizer: config.optimizer,
    learningRate: config.learningRate,
    learningRateDecay: decay,
    dropout: config.dropout,
    seed,
  });
  const accuracyPerEpoch: number[] = [];
  try {
    for (let epoch = 0; epoch < config.epochs; epoch++) {
      await network.train(data, {
        epochs: 1,
        signal,
        onStep: (fraction, loss) =>
          onProgress?.(
            (epoch + fraction) / config.epochs,
            `epoch ${epoch + 1}/${config.epochs}, loss ${loss.toFixed(3)}`,
          ),
      });
      accuracyPerEpoch.push(await network.score(test));
    }
  } finally {
    network.dispose();
  }
  const accuracy = accuracyPerEpoch[accuracyPerEpoch.length - 1];
  return { accuracy, accuracyPerEpoch, seconds: (performance.now() - started) / 1000 };
}
