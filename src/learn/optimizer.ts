import { ConfigError, TrainingError } from '../errors.js';
import type { tf } from './tf.js';
import { assignValues, type NamedVariable, type StoredTensor } from './variables.js';

export interface AdamOptions {
  /** The variables to train. Any other, e.g. a frozen encoder's, is never touched: no gradient, decay or momentum. */
  readonly variables: readonly NamedVariable[];
  /** Step size; a function receives the number of steps taken before. Default 0.001. */
  readonly learningRate?: number | ((step: number) => number);
  /** λ. Default 0. */
  readonly weightDecay?: number;
  /**
   * `l2` adds λθ to the gradient before the moments, as PyTorch's Adam does (and so the released Meta-Sim code);
   * `decoupled` shrinks θ by learningRate · λ beside the step (AdamW). Default `l2`.
   */
  readonly decay?: 'l2' | 'decoupled';
  /** Decay rates of the two moments. Default 0.9 and 0.999. */
  readonly beta1?: number;
  readonly beta2?: number;
  /** Default 1e-8. */
  readonly epsilon?: number;
  /** Gradients are scaled down together when their common Euclidean norm is above this. Default: no limit. */
  readonly clipNorm?: number;
}

/** State of an optimiser, exact: a resumed run takes the same steps to the bit. */
export interface AdamState {
  readonly step: number;
  /** First and second moment of variable `n`: `n/m` and `n/v`. */
  readonly moments: Record<string, StoredTensor>;
}

/** The rate `base`, halved every `every` steps. */
export function halving(base: number, every: number): (step: number) => number {
  return (step) => base * 0.5 ** Math.floor(step / every);
}

/** The rate `base`, falling along half a cosine to zero at step `steps`. */
export function cosineDecay(base: number, steps: number): (step: number) => number {
  return (step) => 0.5 * base * (1 + Math.cos((Math.PI * Math.min(step, steps)) / steps));
}

interface Slot {
  readonly variable: tf.Variable;
  readonly mean: Float32Array;
  readonly square: Float32Array;
}

/**
 * Adam (Kingma and Ba 2015) over an explicit list of variables. It runs on the host in double precision with float32
 * state: the networks are small, the result does not depend on the tfjs backend, and its state is plain arrays.
 */
export class Adam {
  readonly #slots = new Map<string, Slot>();
  readonly #rate: (step: number) => number;
  readonly #options: Required<Omit<AdamOptions, 'variables' | 'learningRate'>>;
  #step = 0;

  /** @throws ConfigError when two variables share a name or a number is out of range */
  constructor(options: AdamOptions) {
    const { variables, learningRate = 1e-3, ...rest } = options;
    this.#rate = typeof learningRate === 'function' ? learningRate : () => learningRate;
    this.#options = {
      weightDecay: rest.weightDecay ?? 0,
      decay: rest.decay ?? 'l2',
      beta1: rest.beta1 ?? 0.9,
      beta2: rest.beta2 ?? 0.999,
      epsilon: rest.epsilon ?? 1e-8,
      clipNorm: rest.clipNorm ?? Number.POSITIVE_INFINITY,
    };
    if (!(this.#options.weightDecay >= 0) || !(this.#options.clipNorm > 0)) {
      throw new ConfigError(
        `Expected weightDecay ≥ 0 and clipNorm > 0 but received ${this.#options.weightDecay} and ${this.#options.clipNorm}`,
      );
    }
    for (const { name, variable } of variables) {
      if (this.#slots.has(name)) throw new ConfigError(`Expected unique variable names but received "${name}" twice`);
      this.#slots.set(name, {
        variable,
        mean: new Float32Array(variable.size),
        square: new Float32Array(variable.size),
      });
    }
  }

  /** Steps taken. */
  get step(): number {
    return this.#step;
  }

  /** The rate of the next step. */
  get learningRate(): number {
    return this.#rate(this.#step);
  }

  /**
   * One step of descent. Variables without a gradient stay as they are, and so do their moments; gradients of variables
   * that are not trained here are ignored.
   * @param gradients by variable name; tensors are read, not disposed
   * @throws TrainingError when a gradient is not finite or has another size; nothing is changed then
   */
  async applyGradients(gradients: Record<string, tf.Tensor | Float32Array>): Promise<void> {
    const updates: [Slot, Float32Array][] = [];
    let squaredNorm = 0;
    for (const [name, slot] of this.#slots) {
      const given = gradients[name];
      if (!given) continue;
      const gradient = given instanceof Float32Array ? given : await given.data<'float32'>();
      squaredNorm += checkedSquaredNorm(name, gradient, slot.variable.size);
      updates.push([slot, gradient]);
    }
    const norm = Math.sqrt(squaredNorm);
    const scale = norm > this.#options.clipNorm ? this.#options.clipNorm / norm : 1;
    const rate = this.learningRate;
    this.#step++;
    for (const [slot, gradient] of updates) await this.#update(slot, gradient, scale, rate);
  }

  /** Copies of the step count and moments. */
  save(): AdamState {
    const moments: Record<string, StoredTensor> = {};
    for (const [name, { variable, mean, square }] of this.#slots) {
      moments[`${name}/m`] = { shape: [...variable.shape], data: mean.slice() };
      moments[`${name}/v`] = { shape: [...variable.shape], data: square.slice() };
    }
    return { step: this.#step, moments };
  }

  /** @throws TrainingError when the state is of other variables; nothing is changed then */
  load(state: AdamState): void {
    const expected = this.#slots.size * 2;
    if (Object.keys(state.moments).length !== expected) {
      throw new TrainingError(
        `Expected ${expected} moments for the optimiser but received ${Object.keys(state.moments).length}`,
      );
    }
    for (const [name, slot] of this.#slots) {
      for (const suffix of ['m', 'v']) {
        const found = state.moments[`${name}/${suffix}`];
        if (found?.data.length !== slot.variable.size) {
          throw new TrainingError(
            `Expected ${slot.variable.size} values for the moment "${name}/${suffix}" but received ${found?.data.length ?? 'none'}`,
          );
        }
      }
    }
    for (const [name, slot] of this.#slots) {
      slot.mean.set(state.moments[`${name}/m`].data);
      slot.square.set(state.moments[`${name}/v`].data);
    }
    this.#step = state.step;
  }

  async #update({ variable, mean, square }: Slot, gradient: Float32Array, scale: number, rate: number): Promise<void> {
    const { beta1, beta2, epsilon, weightDecay, decay } = this.#options;
    const values = Float32Array.from(await variable.data<'float32'>());
    const meanCorrection = 1 - beta1 ** this.#step;
    const squareCorrection = 1 - beta2 ** this.#step;
    for (let i = 0; i < values.length; i++) {
      let g = gradient[i] * scale;
      if (decay === 'l2') g += weightDecay * values[i];
      else values[i] -= rate * weightDecay * values[i];
      mean[i] = beta1 * mean[i] + (1 - beta1) * g;
      square[i] = beta2 * square[i] + (1 - beta2) * g * g;
      values[i] -= (rate * (mean[i] / meanCorrection)) / (Math.sqrt(square[i] / squareCorrection) + epsilon);
    }
    assignValues(variable, values);
  }
}

function checkedSquaredNorm(name: string, gradient: Float32Array, size: number): number {
  if (gradient.length !== size) {
    throw new TrainingError(`Expected ${size} values for the gradient of "${name}" but received ${gradient.length}`);
  }
  let sum = 0;
  for (const g of gradient) sum += g * g;
  if (!Number.isFinite(sum)) {
    throw new TrainingError(`Expected finite values for the gradient of "${name}" but received ${sum}`);
  }
  return sum;
}
