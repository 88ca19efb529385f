import { ShapeError } from '../errors.js';
import {
  checkNetworkOptions,
  expectOption,
  filledOptions,
  layerShapes,
  type NetworkOptions,
  NetworkTrainer,
  type WeightShape,
} from './networkTrainer.js';
import type { LabelledImages } from './taskNetwork.js';
import { tf } from './tf.js';

export interface ClassifierOptions extends NetworkOptions {
  /** Channels of the convolutions, each 5×5 with 2×2 max pooling. Default [32, 64]. */
  readonly convolutions?: readonly number[];
  /** Units of the hidden fully connected layers. Default [50, 100]. */
  readonly hidden?: readonly number[];
  /** Probability with which a unit of a hidden fully connected layer is left out in training, in [0, 1). Default 0.25. */
  readonly dropout?: number;
}

const FILTER = 5;
/** Images of a forward pass without gradients. */
const SCORE_BATCH = 100;

/**
 * The digit classifier of Meta-Sim §4.1: two convolutions (5×5, 32 and 64 channels, VALID, ReLU, 2×2 max pooling each),
 * then fully connected layers of 50, 100 and `classes` units, with dropout on the hidden ones; cross-entropy.
 * Bytes enter as value / 255, floats as they are: [0, 1], no mean subtracted. Images are at least 16 px wide and high,
 * more with more convolutions. Defaults: batches of 8, `sgd` with momentum.
 */
export class Classifier extends NetworkTrainer<LabelledImages, Int32Array> {
  readonly #options: Required<ClassifierOptions>;

  /** @throws ConfigError on options out of range */
  constructor(options: ClassifierOptions) {
    const filled = filledOptions(options, {
      batchSize: 8,
      optimizer: 'sgd',
      convolutions: [32, 64],
      hidden: [50, 100],
      dropout: 0.25,
    }) as Required<ClassifierOptions>;
    checkOptions(filled);
    super('classifier', filled, weightShapes(filled));
    this.#options = filled;
  }

  /** Share of images whose most probable class is their label. */
  async score(data: LabelledImages): Promise<number> {
    const predicted = await this.predict(data);
    let right = 0;
    for (let i = 0; i < data.count; i++) if (predicted[i] === data.labels[i]) right++;
    return data.count > 0 ? right / data.count : 0;
  }

  /** Most probable class of each image, [N]. */
  async predict(data: LabelledImages): Promise<Int32Array> {
    this.checkData(data);
    const predicted = new Int32Array(data.count);
    await this.forEachBatch<Int32Array>(
      data.count,
      SCORE_BATCH,
      (indices) => tf.argMax(this.#logits(this.#images(data, indices)), 1),
      (classes, first) => predicted.set(classes, first),
    );
    return predicted;
  }

  protected batchLoss(data: LabelledImages, indices: Int32Array): () => tf.Scalar {
    const images = this.#images(data, indices);
    const classes = Array.from(indices, (i) => data.labels[i]);
    const labels = tf.oneHot(tf.tensor1d(classes, 'int32'), this.#options.classes);
    const masks = this.#dropoutMasks(indices.length);
    return () => tf.losses.softmaxCrossEntropy(labels, this.#logits(images, masks)) as tf.Scalar;
  }

  protected checkLabels({ count, labels }: LabelledImages): void {
    const { classes } = this.#options;
    if (labels.length !== count) {
      throw new ShapeError(`Expected ${count} labels for the classifier but received ${labels.length}`);
    }
    const wrong = labels.findIndex((label) => label < 0 || label >= classes);
    if (wrong >= 0) {
      throw new ShapeError(`Expected a class below ${classes} for label ${wrong} but received ${labels[wrong]}`);
    }
  }

  /** Logits [B, classes] of images [B, H, W, C]; `masks` [B, units] scale the hidden layers in training. */
  #logits(images: tf.Tensor4D, masks?: readonly tf.Tensor2D[]): tf.Tensor2D {
    const { convolutions, hidden } = this.#options;
    const weights = this.variables.map(({ variable }) => variable);
    let features = images;
    convolutions.forEach((_, i) => {
      const [filter, bias] = weights.slice(2 * i);
      const y = tf.fused.conv2d({ x: features, filter: filter as tf.Tensor4D, strides: 1, pad: 'valid', bias });
      // ReLU after pooling: the same values and gradients, a quarter of the work.
      features = tf.relu(tf.maxPool(y, 2, 2, 'valid'));
    });
    const dense = (x: tf.Tensor2D, layer: number) => {
      const [matrix, bias] = weights.slice(2 * (convolutions.length + layer));
      return tf.add(tf.matMul(x, matrix as tf.Tensor2D), bias) as tf.Tensor2D;
    };
    let flat = tf.reshape(features, [images.shape[0], -1]) as tf.Tensor2D;
    hidden.forEach((_, layer) => {
      flat = tf.relu(dense(flat, layer));
      if (masks) flat = tf.mul(flat, masks[layer]);
    });
    return dense(flat, hidden.length);
  }

  /** Inverted dropout: 0, or 1 / (1 − dropout). Undefined without dropout. */
  #dropoutMasks(count: number): tf.Tensor2D[] | undefined {
    const { dropout, hidden } = this.#options;
    if (dropout === 0) return undefined;
    const threshold = Math.round(dropout * 2 ** 32);
    return hidden.map((units, layer) => {
      const stream = this.stepStream(layer);
      const mask = new Float32Array(count * units);
      for (let i = 0; i < mask.length; i++) mask[i] = stream.uint32() < threshold ? 0 : 1 / (1 - dropout);
      return tf.tensor2d(mask, [count, units]);
    });
  }

  /** The chosen images, [B, H, W, C] in [0, 1]. */
  #images(data: LabelledImages, indices: Int32Array): tf.Tensor4D {
    const { width, height, channels } = this.#options;
    const size = width * height * channels;
    const batch = new Float32Array(indices.length * size);
    const scale = data.images instanceof Uint8Array ? 1 / 255 : 1;
    for (let i = 0; i < indices.length; i++) {
      const from = indices[i] * size;
      for (let k = 0; k < size; k++) batch[i * size + k] = data.images[from + k] * scale;
    }
    return tf.tensor4d(batch, [indices.length, height, width, channels]);
  }
}

/** Names, shapes and fan-in of the weights, in the order of the layers. */
function weightShapes({
  width,
  height,
  channels,
  classes,
  convolutions,
  hidden,
}: Required<ClassifierOptions>): WeightShape[] {
  const shrink = (size: number) => convolutions.reduce((s) => Math.floor((s - FILTER + 1) / 2), size);
  const maps = [channels, ...convolutions];
  const units = [shrink(width) * shrink(height) * maps[convolutions.length], ...hidden, classes];
  return [
    ...convolutions.flatMap((out, i) => layerShapes(`conv${i + 1}`, [FILTER, FILTER, maps[i], out])),
    ...units.slice(1).flatMap((out, i) => layerShapes(`dense${i + 1}`, [units[i], out])),
  ];
}

function checkOptions(options: Required<ClassifierOptions>): void {
  const { convolutions, hidden, dropout } = options;
  const counts = (values: readonly number[]) => values.every((value) => Number.isInteger(value) && value > 0);
  expectOption(options, 'convolutions', 'positive integers', convolutions.length > 0 && counts(convolutions));
  expectOption(options, 'hidden', 'positive integers', counts(hidden));
  expectOption(options, 'dropout', 'a number in [0, 1)', dropout >= 0 && dropout < 1);
  // The side that shrinks to one pixel.
  checkNetworkOptions(
    options,
    convolutions.reduce((side) => 2 * side + FILTER - 1, 1),
    `${convolutions.length} convolutions`,
  );
}
