import { ConfigError, ShapeError, TrainingError } from '../errors.js';
import { RandomStream } from '../random.js';
import type { ImageStack, TaskNetwork, TaskTrainingOptions } from './taskNetwork.js';
import { expectSize, TensorOptimizer, type TensorOptimizerKind } from './tensorOptimizer.js';
import { tf } from './tf.js';
import { type NamedVariable, variableGradients } from './variables.js';

/** What every built-in task network is told. */
export interface NetworkOptions {
  /** Image size in pixels. */
  readonly width: number;
  readonly height: number;
  readonly channels: 1 | 3;
  readonly classes: number;
  /** Images of a training step. */
  readonly batchSize?: number;
  readonly optimizer?: TensorOptimizerKind;
  /** Default 0.01 with `sgd`, 0.001 with `adam`. */
  readonly learningRate?: number;
  /** Factor of the learning rate after each epoch. Default 1. */
  readonly learningRateDecay?: number;
  /** Of `sgd`, in [0, 1). Default 0.5. */
  readonly momentum?: number;
  /** Of the weights, the order of images and dropout. Default 0. */
  readonly seed?: number;
}

/** A trained array of a network; weights are drawn for their fan-in, biases (fan-in 0) begin at 0. */
export interface WeightShape {
  readonly name: string;
  readonly shape: readonly number[];
  readonly fanIn: number;
}

/** After so long the event loop gets its turn, ms. */
const TURN_MS = 25;
/** `attribute` of the random streams: what the numbers are for. */
export const STREAM = { weights: 1, order: 2, dropout: 3 } as const;

/**
 * What the built-in task networks share: weights, the loop over mini-batches, checkpoints. A network adds its layers
 * (`batchLoss`) and what it answers.
 *
 * Everything random comes from counter-based streams: the order of epoch e from (seed, e), the dropout of step s from
 * (seed, s). So a run that stops after a `train` call and goes on from `state()` is the same as one that did not stop.
 */
export abstract class NetworkTrainer<Data extends ImageStack, Prediction> implements TaskNetwork<Data, Prediction> {
  protected readonly variables: readonly NamedVariable[];
  readonly #name: string;
  readonly #options: Required<NetworkOptions>;
  readonly #weights: readonly WeightShape[];
  readonly #optimizer: TensorOptimizer;
  #seed: number;
  /** Epochs trained since the last reset. */
  #epoch = 0;

  /** @param name of the network in messages, e.g. `classifier` */
  protected constructor(name: string, options: Required<NetworkOptions>, weights: readonly WeightShape[]) {
    this.#name = name;
    this.#options = options;
    this.#weights = weights;
    this.#seed = options.seed;
    this.variables = weights.map(({ name: variableName, shape }) => ({
      name: variableName,
      variable: tf.tidy(() => tf.variable(tf.zeros([...shape]))),
    }));
    this.#optimizer = new TensorOptimizer(options.optimizer, this.variables, options.momentum);
    this.reset(this.#seed);
  }

  /** Builds what a step needs of the chosen images and returns the loss as a function of the weights. */
  protected abstract batchLoss(data: Data, indices: Int32Array): () => tf.Scalar;

  /** @throws ShapeError when the labels do not fit the images or the classes */
  protected abstract checkLabels(data: Data): void;

  abstract score(data: Data): Promise<number>;

  abstract predict(data: Data): Promise<Prediction>;

  /** Epochs trained since the last `reset`. */
  get epoch(): number {
    return this.#epoch;
  }

  reset(seed: number): void {
    this.#seed = seed;
    this.#epoch = 0;
    this.#optimizer.reset();
    this.#weights.forEach(({ shape, fanIn }, i) => {
      const stream = new RandomStream({ seed, index: 0, node: i, attribute: STREAM.weights });
      const values = new Float32Array(tf.util.sizeFromShape([...shape]));
      // He et al. 2015, uniform: variance 2 / fan-in; biases (fanIn 0) begin at 0.
      const limit = fanIn > 0 ? Math.sqrt(6 / fanIn) : 0;
      if (limit > 0) for (let k = 0; k < values.length; k++) values[k] = (2 * stream.uniform() - 1) * limit;
      tf.tidy(() => this.variables[i].variable.assign(tf.tensor(values, [...shape])));
    });
  }

  /**
   * @param options `epochs` defaults to 2
   * @throws ShapeError when the images do not fit, TrainingError when the loss is not finite, the signal's reason when
   * it aborts (then the weights are those after the last step and the epoch does not count)
   */
  async train(data: Data, options: TaskTrainingOptions = {}): Promise<void> {
    this.checkData(data);
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
            `Expected a finite loss of the ${this.#name} but received ${loss}; lower the learning rate`,
          );
        }
        onStep?.((epoch * stepsPerEpoch + step + 1) / (epochs * stepsPerEpoch), loss);
        await turn();
      }
      this.#epoch++;
    }
  }

  /** Weights by name, optimiser slots by `name/slot`, and `progress`: seed, epoch and step in base 2²⁰ digits. */
  async state(): Promise<Record<string, Float32Array>> {
    const stored: Record<string, Float32Array> = await this.#optimizer.state();
    for (const { name, variable } of this.variables) {
      stored[name] = Float32Array.from(await variable.data<'float32'>());
    }
    stored.progress = Float32Array.from([this.#seed, this.#epoch, this.#optimizer.step].flatMap(digits));
    return stored;
  }

  /** @throws TrainingError when something is missing or of another size; nothing is changed then */
  load(state: Record<string, Float32Array>): void {
    for (const { name, variable } of this.variables) expectSize(name, state[name], variable.size);
    expectSize('progress', state.progress, 9);
    const [seed, epoch, step] = [0, 3, 6].map((at) => fromDigits(state.progress.subarray(at, at + 3)));
    this.#optimizer.load(state, step);
    for (const { name, variable } of this.variables) {
      tf.tidy(() => variable.assign(tf.tensor(state[name], variable.shape)));
    }
    this.#seed = seed;
    this.#epoch = epoch;
  }

  dispose(): void {
    for (const { variable } of this.variables) variable.dispose();
    this.#optimizer.dispose();
  }

  /** The stream of this step's random numbers of layer `node`. */
  protected stepStream(node: number): RandomStream {
    return new RandomStream({ seed: this.#seed, index: this.#optimizer.step, node, attribute: STREAM.dropout });
  }

  /**
   * Forward passes without gradients over all images, `size` at a time.
   * @param forward gives a tensor of the chosen images; its values come back through `take`, with the first image's index
   */
  protected async forEachBatch<T extends Int32Array | Float32Array>(
    count: number,
    size: number,
    forward: (indices: Int32Array) => tf.Tensor,
    take: (values: T, first: number) => void,
  ): Promise<void> {
    const turn = turns();
    for (let first = 0; first < count; first += size) {
      const indices = Int32Array.from({ length: Math.min(size, count - first) }, (_, i) => first + i);
      const result = tf.tidy(() => forward(indices));
      const values = (await result.data()) as T;
      result.dispose();
      take(values, first);
      await turn();
    }
  }

  /** @throws ShapeError */
  protected checkData(data: Data): void {
    const { width: w, height: h, channels: c } = this.#options;
    const { count, width, height, channels, images } = data;
    if (width !== w || height !== h || channels !== c) {
      throw new ShapeError(
        `Expected ${w} × ${h} × ${c} images for the ${this.#name} but received ${width} × ${height} × ${channels}`,
      );
    }
    if (images.length !== count * w * h * c) {
      throw new ShapeError(`Expected ${count} images for the ${this.#name} but received ${images.length} values`);
    }
    this.checkLabels(data);
  }

  async #trainStep(data: Data, indices: Int32Array): Promise<number> {
    const { learningRate, learningRateDecay } = this.#options;
    const { value, gradients } = tf.tidy(() => variableGradients(this.batchLoss(data, indices), this.variables));
    this.#optimizer.apply(gradients, learningRate * learningRateDecay ** this.#epoch);
    const loss = (await value.data())[0];
    tf.dispose([value, ...Object.values(gradients)]);
    return loss;
  }
}

/** Fills in the defaults that the networks share. @param defaults of the network itself */
export function filledOptions<T extends NetworkOptions, D extends Partial<T>>(
  options: T,
  defaults: D & { readonly optimizer: TensorOptimizerKind },
): Required<NetworkOptions> & T & D {
  const optimizer = options.optimizer ?? defaults.optimizer;
  return {
    learningRate: optimizer === 'sgd' ? 0.01 : 0.001,
    learningRateDecay: 1,
    momentum: 0.5,
    seed: 0,
    ...defaults,
    ...definedOnly(options),
    optimizer,
  } as Required<NetworkOptions> & T & D;
}

/** Checks one option. @throws ConfigError */
export function expectOption<T extends object>(options: T, name: keyof T & string, what: string, holds: boolean): void {
  if (!holds) throw new ConfigError(`Expected ${what} for ${name} but received ${String(options[name])}`);
}

/**
 * @param smallest side of an image, px
 * @param because what asks for that much, for errors: '4 convolutions'
 * @throws ConfigError on options out of range
 */
export function checkNetworkOptions(options: Required<NetworkOptions>, smallest: number, because: string): void {
  const expect = (name: keyof NetworkOptions, what: string, holds: boolean) => expectOption(options, name, what, holds);
  const size = (value: number) => Number.isInteger(value) && value >= smallest && value <= 4096;
  const sides = `an integer from ${smallest} (for ${because}) to 4096`;
  expect('width', sides, size(options.width));
  expect('height', sides, size(options.height));
  expect('channels', '1 or 3', options.channels === 1 || options.channels === 3);
  expect('classes', 'an integer of at least 2', Number.isInteger(options.classes) && options.classes >= 2);
  expect('batchSize', 'a positive integer', Number.isInteger(options.batchSize) && options.batchSize > 0);
  expect('optimizer', 'sgd or adam', options.optimizer === 'sgd' || options.optimizer === 'adam');
  expect('learningRate', 'a number above 0', options.learningRate > 0 && Number.isFinite(options.learningRate));
  expect('learningRateDecay', 'a number in (0, 1]', options.learningRateDecay > 0 && options.learningRateDecay <= 1);
  expect('momentum', 'a number in [0, 1)', options.momentum >= 0 && options.momentum < 1);
  expect('seed', 'an integer in [0, 2^53)', Number.isSafeInteger(options.seed) && options.seed >= 0);
}

/** Weights `name/weights` of a shape whose last axis is the output, and `name/bias`. */
export function layerShapes(name: string, shape: readonly number[]): WeightShape[] {
  const fanIn = shape.slice(0, -1).reduce((a, b) => a * b, 1);
  return [
    { name: `${name}/weights`, shape, fanIn },
    { name: `${name}/bias`, shape: shape.slice(-1), fanIn: 0 },
  ];
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
