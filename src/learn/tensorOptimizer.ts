import { TrainingError } from '../errors.js';
import { tf } from './tf.js';
import type { NamedVariable } from './variables.js';

export type TensorOptimizerKind = 'sgd' | 'adam';

const BETA1 = 0.9;
const BETA2 = 0.999;
const EPSILON = 1e-8;

/**
 * Gradient descent with momentum, or Adam, whose state lives in tensors of the active backend: for task networks, whose
 * weights are many and whose steps are short. (The distribution transformer uses optimizer.ts, in double precision.)
 *
 *   sgd   v ← μ v + g,  θ ← θ − η v                                        slot `momentum`
 *   adam  Kingma and Ba 2015, β₁ = 0.9, β₂ = 0.999, ε = 1e-8               slots `m`, `v`
 */
export class TensorOptimizer {
  readonly #variables: readonly NamedVariable[];
  readonly #kind: TensorOptimizerKind;
  readonly #momentum: number;
  /** By `variable/slot`. */
  readonly #slots = new Map<string, tf.Variable>();
  #step = 0;

  /** @param momentum μ of `sgd` */
  constructor(kind: TensorOptimizerKind, variables: readonly NamedVariable[], momentum: number) {
    this.#kind = kind;
    this.#variables = variables;
    this.#momentum = momentum;
    const names = kind === 'sgd' ? ['momentum'] : ['m', 'v'];
    for (const { name, variable } of variables) {
      for (const slot of names) {
        this.#slots.set(
          `${name}/${slot}`,
          tf.tidy(() => tf.variable(tf.zerosLike(variable), false)),
        );
      }
    }
  }

  /** Steps taken; Adam's bias correction needs it. */
  get step(): number {
    return this.#step;
  }

  /** One step. @param gradients by variable name; read, not disposed */
  apply(gradients: Readonly<Record<string, tf.Tensor>>, learningRate: number): void {
    this.#step++;
    for (const { name, variable } of this.#variables) {
      const gradient = gradients[name];
      if (!gradient) continue;
      tf.tidy(() => {
        const change = this.#kind === 'sgd' ? this.#momentumChange(name, gradient) : this.#adamChange(name, gradient);
        variable.assign(tf.sub(variable, tf.mul(change, learningRate)));
      });
    }
  }

  /** Forgets everything. */
  reset(): void {
    this.#step = 0;
    for (const slot of this.#slots.values()) tf.tidy(() => slot.assign(tf.zerosLike(slot)));
  }

  /** Copies of the slots, by `variable/slot`. */
  async state(): Promise<Record<string, Float32Array>> {
    const stored: Record<string, Float32Array> = {};
    for (const [name, slot] of this.#slots) stored[name] = Float32Array.from(await slot.data<'float32'>());
    return stored;
  }

  /** @throws TrainingError when a slot is missing or of another size; nothing is changed then */
  load(state: Readonly<Record<string, Float32Array>>, step: number): void {
    for (const [name, slot] of this.#slots) expectSize(name, state[name], slot.size);
    for (const [name, slot] of this.#slots) tf.tidy(() => slot.assign(tf.tensor(state[name], slot.shape)));
    this.#step = step;
  }

  dispose(): void {
    for (const slot of this.#slots.values()) slot.dispose();
    this.#slots.clear();
  }

  #momentumChange(name: string, gradient: tf.Tensor): tf.Tensor {
    const slot = this.#slots.get(`${name}/momentum`) as tf.Variable;
    const next = tf.add(tf.mul(slot, this.#momentum), gradient);
    slot.assign(next);
    return next;
  }

  #adamChange(name: string, gradient: tf.Tensor): tf.Tensor {
    const m = this.#slots.get(`${name}/m`) as tf.Variable;
    const v = this.#slots.get(`${name}/v`) as tf.Variable;
    const mean = tf.add(tf.mul(m, BETA1), tf.mul(gradient, 1 - BETA1));
    const square = tf.add(tf.mul(v, BETA2), tf.mul(tf.square(gradient), 1 - BETA2));
    m.assign(mean);
    v.assign(square);
    const root = tf.sqrt(tf.mul(square, 1 / (1 - BETA2 ** this.#step)));
    return tf.mul(tf.div(mean, tf.add(root, EPSILON)), 1 / (1 - BETA1 ** this.#step));
  }
}

/** @throws TrainingError unless `values` are there and `size` in number */
export function expectSize(name: string, values: Float32Array | undefined, size: number): void {
  if (values?.length !== size) {
    throw new TrainingError(`Expected ${size} values for "${name}" but received ${values?.length ?? 'none'}`);
  }
}
