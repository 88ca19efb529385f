import { ConfigError, ShapeError, TrainingError } from '../errors.js';
import { RandomStream } from '../random.js';
import type { LabelledImages, TaskNetwork, TaskTrainingOptions } from './taskNetwork.js';
import { expectSize, TensorOptimizer, type TensorOptimizerKind } from './tensorOptimizer.js';
import { tf } from './tf.js';
import { type NamedVariable, variableGradients } from './variables.js';

export interface ClassifierOptions {
  /** Image size in pixels, each at least 16. */
  readonly width: number;
  readonly height: number;
  readonly channels: 1 | 3;
  readonly classes: number;
  /** Images of a training step. Default 8. */
  readonly batchSize?: number;
  /** Default `sgd` with momentum. */
  readonly optimizer?: TensorOptimizerKind;
  /** Default 0.01 with `sgd`, 0.001 with `adam`. */
  readonly learningRate?: number;
  /** Factor of the learning rate after each epoch. Default 1. */
  readonly learningRateDecay?: number;
  /** Of `sgd`, in [0, 1). Default 0.5. */
  readonly momentum?: number;
  /** Probability with which a unit of a hidden fully connected layer is left out in training, in [0, 1). Default 0.25. */
  readonly dropout?: number;
  /** Of the weights, the order of images and dropout. Default 0. */
  readonly seed?: number;
}

const FILTER = 5;
const CONV_CHANNELS = [32, 64] as const;
const HIDDEN = [50, 100] as const;
/** Images of a forward pass without gradients. */
const SCORE_BATCH = 100;
/** After so long the event loop gets its turn, ms. */
const TURN_MS = 25;
/** `attribute` of the random streams: what the numbers are for. */
const STREAM = { weights: 1, order: 2, dropout: 3 } as const;

/**
 * The digit classifier of Meta-Sim §4.1: two convolutions (5×5, 32 and 64 channels, VALID, ReLU, 2×2 max pooling each),
 * then fully connected layers of 50, 100 and `classes` units, with dropout on the hidden ones; cross-entropy.
 * Bytes enter as value / 255, floats as they are: [0, 1], no mean subtracted.
 *
 * Everything random comes from counter-based streams: the order of epoch e from (seed, e), the dropout of step s from
 * (seed, s). So a run that stops after a `train` call and goes on from `state()` is the same as one that did not stop.
 */
export class Classifier implements TaskNetwork {
  readonly #options: Required<ClassifierOptions>;
  readonly #variables: readonly NamedVariable[];
  readonly #optimizer: TensorOptimizer;
  #seed: number;
  /** Epochs trained since the last reset. */
  #epoch = 0;

  /** @throws ConfigError on options out of range */
  constructor(options: ClassifierOptions) {
    const optimizer = options.optimizer ?? 'sgd';
    this.#options = {
      batchSize: 8,
      learningRate: optimizer === 'sgd' ? 0.01 : 0.001,
      learningRateDecay: 1,
      momentum: 0.5,
      dropout: 0.25,
      seed: 0,
      ...definedOnly(options),
      optimizer,
    };
    checkOptions(this.#options);
    this.#seed = this.#options.seed;
    this.#variables = weightShapes(this.#options).map(({ name, shape }) => ({
      name,
      variable: tf.tidy(() => tf.variable(tf.zeros(shape))),
    }));
    this.#optimizer = new TensorOptimizer(optimizer, this.#variables, this.#options.momentum);
    this.reset(this.#seed);
  }

  /** Epochs trained since the last `reset`. */
  get epoch(): number {
    return this.#epoch;
  }

  reset(seed: number): void {
    this.#seed = seed;
    this.#epoch = 0;
    this.#optimizer.reset();
    weightShapes(this.#options).forEach(({ shape, fanIn }, i) => {
      const stream = new RandomStream({ seed, index: 0, node: i, attribute: STREAM.weights });
      const values = new Float32Array(tf.util.sizeFromShape(shape));
      // He et al. 2015, uniform: variance 2 / fan-in; biases (fanIn 0) begin at 0.
      const limit = fanIn > 0 ? Math.sqrt(6 / fanIn) : 0;
      if (limit > 0) for (let k = 0; k < values.length; k++) values[k] = (2 * stream.uniform() - 1) * limit;
      tf.tidy(() => this.#variables[i].variable.assign(tf.tensor(values, shape)));
    });
  }

  /**
   * @param options `epochs` defaults to 2
   * @throws ShapeError when the images do not fit, TrainingError when the loss is not finite, the signal's reason when
   * it aborts (then the weights are those after the last step and the epoch does not count)
   */
  async train(data: LabelledImages, options: TaskTrainingOptions = {}): Promise<void> {
    this.#checkData(data);
    const { epochs = 2, signal, onStep } = options;
    const { batchSize } = this.#options;
    const stepsPerEpoch = Math.ceil(data.count / batchSize);
    const turn = turns();
    for (let epoch = 0; epoch < epochs; epoch++) {
      const order = shuffled(
        data.count,
        new RandomStream({ seed: this.#seed, index: this.#epoch, attribute: STREAM.order }),
      );
      for (let step = 0; step < stepsPerEpoch; step++) {
        signal?.throwIfAborted();
        const loss = await this.#trainStep(data, order.subarray(step * batchSize, (step + 1) * batchSize));
        if (!Number.isFinite(loss)) {
          throw new TrainingError(
            `Expected a finite loss of the classifier but received ${loss}; lower the learning rate`,
          );
        }
        onStep?.((epoch * stepsPerEpoch + step + 1) / (epochs * stepsPerEpoch), loss);
        await turn();
      }
      this.#epoch++;
    }
  }

  /** Share of images whose most probable class is their label. */
  async score(data: LabelledImages): Promise<number> {
    const predicted = await this.predict(data);
    let right = 0;
    for (let i = 0; i < data.count; i++) if (predicted[i] === data.labels[i]) right++;
    return data.count > 0 ? right / data.count : 0;
  }

  async predict(data: LabelledImages): Promise<Int32Array> {
    this.#checkData(data);
    const predicted = new Int32Array(data.count);
    const turn = turns();
    for (let first = 0; first < data.count; first += SCORE_BATCH) {
      const indices = Int32Array.from({ length: Math.min(SCORE_BATCH, data.count - first) }, (_, i) => first + i);
      const classes = tf.tidy(() => tf.argMax(this.#logits(this.#images(data, indices)), 1));
      predicted.set(await classes.data<'int32'>(), first);
      classes.dispose();
      await turn();
    }
    return predicted;
  }

  /** Weights by name, optimiser slots by `name/slot`, and `progress`: seed, epoch and step in base 2²⁰ digits. */
  async state(): Promise<Record<string, Float32Array>> {
    const stored: Record<string, Float32Array> = await this.#optimizer.state();
    for (const { name, variable } of this.#variables) {
      stored[name] = Float32Array.from(await variable.data<'float32'>());
    }
    stored.progress = Float32Array.from([this.#seed, this.#epoch, this.#optimizer.step].flatMap(digits));
    return stored;
  }

  /** @throws TrainingError when something is missing or of another size; nothing is changed then */
  load(state: Record<string, Float32Array>): void {
    for (const { name, variable } of this.#variables) expectSize(name, state[name], variable.size);
    expectSize('progress', state.progress, 9);
    const [seed, epoch, step] = [0, 3, 6].map((at) => fromDigits(state.progress.subarray(at, at + 3)));
    this.#optimizer.load(state, step);
    for (const { name, variable } of this.#variables) {
      tf.tidy(() => variable.assign(tf.tensor(state[name], variable.shape)));
    }
    this.#seed = seed;
    this.#epoch = epoch;
  }

  dispose(): void {
    for (const { variable } of this.#variables) variable.dispose();
    this.#optimizer.dispose();
  }

  async #trainStep(data: LabelledImages, indices: Int32Array): Promise<number> {
    const { learningRate, learningRateDecay, classes } = this.#options;
    const { value, gradients } = tf.tidy(() => {
      const images = this.#images(data, indices);
      const labels = tf.oneHot(
        tf.tensor1d(
          Array.from(indices, (i) => data.labels[i]),
          'int32',
        ),
        classes,
      );
      const masks = this.#dropoutMasks(indices.length);
      return variableGradients(
        () => tf.losses.softmaxCrossEntropy(labels, this.#logits(images, masks)) as tf.Scalar,
        this.#variables,
      );
    });
    this.#optimizer.apply(gradients, learningRate * learningRateDecay ** this.#epoch);
    const loss = (await value.data())[0];
    tf.dispose([value, ...Object.values(gradients)]);
    return loss;
  }

  /** Logits [B, classes] of images [B, H, W, C]; `masks` [B, units] scale the hidden layers in training. */
  #logits(images: tf.Tensor4D, masks?: readonly tf.Tensor2D[]): tf.Tensor2D {
    const [conv1, bias1, conv2, bias2, dense1, b1, dense2, b2, dense3, b3] = this.#variables.map(
      ({ variable }) => variable,
    );
    const block = (x: tf.Tensor4D, filter: tf.Tensor, bias: tf.Tensor) => {
      const y = tf.fused.conv2d({ x, filter: filter as tf.Tensor4D, strides: 1, pad: 'valid', bias });
      // ReLU after pooling: the same values and gradients, a quarter of the work.
      return tf.relu(tf.maxPool(y, 2, 2, 'valid'));
    };
    const dense = (x: tf.Tensor2D, weights: tf.Tensor, bias: tf.Tensor) =>
      tf.add(tf.matMul(x, weights as tf.Tensor2D), bias) as tf.Tensor2D;
    const features = block(block(images, conv1, bias1), conv2, bias2);
    const flat = tf.reshape(features, [images.shape[0], -1]) as tf.Tensor2D;
    let hidden = tf.relu(dense(flat, dense1, b1));
    if (masks) hidden = tf.mul(hidden, masks[0]);
    hidden = tf.relu(dense(hidden, dense2, b2));
    if (masks) hidden = tf.mul(hidden, masks[1]);
    return dense(hidden, dense3, b3);
  }

  /** Inverted dropout: 0, or 1 / (1 − dropout). Undefined without dropout. */
  #dropoutMasks(count: number): tf.Tensor2D[] | undefined {
    const { dropout } = this.#options;
    if (dropout === 0) return undefined;
    const threshold = Math.round(dropout * 2 ** 32);
    return HIDDEN.map((units, layer) => {
      const address = { seed: this.#seed, index: this.#optimizer.step, node: layer, attribute: STREAM.dropout };
      const stream = new RandomStream(address);
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

  #checkData({ count, width, height, channels, images, labels }: LabelledImages): void {
    const { width: w, height: h, channels: c, classes } = this.#options;
    if (width !== w || height !== h || channels !== c) {
      throw new ShapeError(
        `Expected ${w} × ${h} × ${c} images for the classifier but received ${width} × ${height} × ${channels}`,
      );
    }
    if (images.length !== count * w * h * c || labels.length !== count) {
      throw new ShapeError(
        `Expected ${count} images and labels for the classifier but received ${images.length} values and ${labels.length} labels`,
      );
    }
    const wrong = labels.findIndex((label) => label < 0 || label >= classes);
    if (wrong >= 0) {
      throw new ShapeError(`Expected a class below ${classes} for label ${wrong} but received ${labels[wrong]}`);
    }
  }
}

/** Names, shapes and fan-in (0 for biases) of the weights, in the order of the layers. */
function weightShapes(options: Required<ClassifierOptions>): { name: string; shape: number[]; fanIn: number }[] {
  const { width, height, channels, classes } = options;
  const shrink = (size: number) => CONV_CHANNELS.reduce((s) => Math.floor((s - FILTER + 1) / 2), size);
  const weights: { name: string; shape: number[]; fanIn: number }[] = [];
  const layer = (name: string, shape: number[]) => {
    const fanIn = shape.slice(0, -1).reduce((a, b) => a * b, 1);
    weights.push({ name: `${name}/weights`, shape, fanIn }, { name: `${name}/bias`, shape: shape.slice(-1), fanIn: 0 });
  };
  layer('conv1', [FILTER, FILTER, channels, CONV_CHANNELS[0]]);
  layer('conv2', [FILTER, FILTER, CONV_CHANNELS[0], CONV_CHANNELS[1]]);
  layer('dense1', [shrink(width) * shrink(height) * CONV_CHANNELS[1], HIDDEN[0]]);
  layer('dense2', [HIDDEN[0], HIDDEN[1]]);
  layer('dense3', [HIDDEN[1], classes]);
  return weights;
}

/** Fisher–Yates. */
function shuffled(count: number, stream: RandomStream): Int32Array {
  const order = Int32Array.from({ length: count }, (_, i) => i);
  for (let i = count - 1; i > 0; i--) {
    const j = stream.integer(i + 1);
    [order[i], order[j]] = [order[j], order[i]];
  }
  return order;
}

/** A function to await between steps, which lets the event loop turn every TURN_MS. */
function turns(): () => Promise<void> | undefined {
  let last = performance.now();
  return () => {
    if (performance.now() - last < TURN_MS) return undefined;
    return new Promise((resolve) =>
      setImmediate(() => {
        last = performance.now();
        resolve();
      }),
    );
  };
}

/** A number below 2^53 as three floats that hold it exactly. */
function digits(value: number): [number, number, number] {
  const base = 2 ** 20;
  return [value % base, Math.floor(value / base) % base, Math.floor(value / base ** 2)];
}

function fromDigits([low, middle, high]: ArrayLike<number> & Iterable<number>): number {
  return low + middle * 2 ** 20 + high * 2 ** 40;
}

function definedOnly<T extends object>(options: T): T {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as T;
}

function checkOptions(options: Required<ClassifierOptions>): void {
  const expect = (name: keyof ClassifierOptions, what: string, holds: boolean) => {
    if (!holds) throw new ConfigError(`Expected ${what} for ${name} but received ${String(options[name])}`);
  };
  const size = (value: number) => Number.isInteger(value) && value >= 16 && value <= 4096;
  expect('width', 'an integer of at least 16', size(options.width));
  expect('height', 'an integer of at least 16', size(options.height));
  expect('channels', '1 or 3', options.channels === 1 || options.channels === 3);
  expect('classes', 'an integer of at least 2', Number.isInteger(options.classes) && options.classes >= 2);
  expect('batchSize', 'a positive integer', Number.isInteger(options.batchSize) && options.batchSize > 0);
  expect('optimizer', 'sgd or adam', options.optimizer === 'sgd' || options.optimizer === 'adam');
  expect('learningRate', 'a number above 0', options.learningRate > 0 && Number.isFinite(options.learningRate));
  expect('learningRateDecay', 'a number in (0, 1]', options.learningRateDecay > 0 && options.learningRateDecay <= 1);
  expect('momentum', 'a number in [0, 1)', options.momentum >= 0 && options.momentum < 1);
  expect('dropout', 'a number in [0, 1)', options.dropout >= 0 && options.dropout < 1);
  expect('seed', 'an integer in [0, 2^53)', Number.isSafeInteger(options.seed) && options.seed >= 0);
}
