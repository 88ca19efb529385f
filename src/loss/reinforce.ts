import { ConfigError, TrainingError } from '../errors.js';
import type { DistributionTransformer } from '../learn/distributionTransformer.js';
import type { GraphTensors } from '../learn/graphTensors.js';
import { tf } from '../learn/tf.js';
import { type Gradients, type NamedVariable, variableGradients } from '../learn/variables.js';

const LOG_ROOT_TWO_PI = 0.5 * Math.log(2 * Math.PI);

/** The value of `x` without its history: no gradient flows into it. */
const detach = tf.customGrad((x) => ({
  value: tf.clone(x as tf.Tensor),
  gradFunc: (dy: tf.Tensor) => tf.zerosLike(dy),
})) as <T extends tf.Tensor>(x: T) => T;

/**
 * log p_θ of sampled scenes, Meta-Sim eq. (4): Σ over scenes, nodes and mutable attributes of log N(a; μ_θ, σ²). The
 * samples are constants even when they were computed from the means (a reparametrised sample that is not detached has
 * an identically zero gradient).
 * @param samples  [B, V, A] in units of the range, before any clamping or wrapping to it
 * @param means    [B, V, A] μ_θ
 * @param sigma    σ in the same units, > 0
 * @param mask     [B, V, A] 1 for mutable entries
 * @param periodic [A] 1 for attributes whose difference is taken the short way round; default none
 * @returns scalar; the caller disposes it
 */
export function logProb(
  samples: tf.Tensor3D,
  means: tf.Tensor3D,
  sigma: number,
  mask: tf.Tensor3D,
  periodic?: ArrayLike<number>,
): tf.Scalar {
  if (!(sigma > 0)) throw new ConfigError(`Expected a number above 0 for sigma but received ${sigma}`);
  return tf.tidy(() => {
    let difference: tf.Tensor = tf.sub(detach(samples), means);
    if (periodic) {
      const turns = tf.floor(tf.add(difference, 0.5));
      difference = tf.sub(difference, tf.mul(turns, tf.tensor1d(Float32Array.from(periodic))));
    }
    const perEntry = tf.sub(tf.mul(tf.square(tf.div(difference, sigma)), -0.5), Math.log(sigma) + LOG_ROOT_TWO_PI);
    return tf.sum(tf.mul(perEntry, mask)) as tf.Scalar;
  });
}

/**
 * ∇θ log p_θ(S′) for samples drawn at the current θ: one batch's share of eq. (3).
 * @param samples [B, V, A] in units of the range, as drawn (unclamped)
 * @param sigma   σ of the draw, as a fraction of the range
 * @param variables those to differentiate by; default all
 * @returns log p and its gradients by variable name; the caller disposes the gradients
 */
export function scoreFunctionGradients(
  transformer: DistributionTransformer,
  graphs: GraphTensors,
  samples: Float32Array | tf.Tensor3D,
  sigma: number,
  variables: readonly NamedVariable[] = transformer.variables,
): { logProb: number; gradients: Gradients } {
  const { periodic } = transformer.layout;
  const sampled = samples instanceof tf.Tensor ? samples : tf.tensor3d(samples, graphs.units.shape);
  const { value, gradients } = variableGradients(
    () => logProb(sampled, transformer.apply(graphs).units, sigma, graphs.mutable, periodic),
    variables,
  );
  const total = value.dataSync()[0];
  value.dispose();
  if (sampled !== samples) sampled.dispose();
  return { logProb: total, gradients };
}

/**
 * A weighted sum of gradients over the batches of an epoch, each taken at the θ that sampled it. Kept on the host in
 * double precision: holds no tensors.
 */
export class GradientAccumulator {
  readonly #sums = new Map<string, Float64Array>();

  /**
   * Adds `weight` × gradients.
   * @param gradients by variable name; tensors are read and disposed
   */
  async add(gradients: Gradients, weight = 1): Promise<void> {
    for (const [name, gradient] of Object.entries(gradients)) {
      const values = await gradient.data<'float32'>();
      gradient.dispose();
      const sum = this.#sums.get(name) ?? new Float64Array(values.length);
      if (sum.length !== values.length) {
        throw new TrainingError(`Expected ${sum.length} values for "${name}" but received ${values.length}`);
      }
      for (let i = 0; i < sum.length; i++) sum[i] += weight * values[i];
      this.#sums.set(name, sum);
    }
  }

  /** Adds `weight` × what another one holds. */
  addFrom(other: GradientAccumulator, weight = 1): void {
    for (const [name, values] of other.#sums) {
      const sum = this.#sums.get(name) ?? new Float64Array(values.length);
      for (let i = 0; i < sum.length; i++) sum[i] += weight * values[i];
      this.#sums.set(name, sum);
    }
  }

  /** The sums × `factor`, by variable name: what `Adam.applyGradients` takes. */
  gradients(factor = 1): Record<string, Float32Array> {
    const scaled: Record<string, Float32Array> = {};
    for (const [name, sum] of this.#sums) scaled[name] = Float32Array.from(sum, (value) => factor * value);
    return scaled;
  }

  /** Starts anew. */
  clear(): void {
    this.#sums.clear();
  }
}

/** The baseline's memory, for a checkpoint: the average, and whether it holds a score yet. */
export interface BaselineState {
  readonly value: number;
  readonly count: number;
}

/**
 * The baseline of eq. (3): an exponential moving average of *previous* scores. A score is compared with the average
 * before it enters it; the first score has nothing to be compared with, so its advantage is 0.
 */
export class RewardBaseline {
  readonly #decay: number;
  #value = 0;
  #count = 0;

  /** @param decay share of the old average that is kept, in [0, 1] */
  constructor(decay = 0.8) {
    if (!(decay >= 0 && decay <= 1))
      throw new ConfigError(`Expected a number in [0, 1] for decay but received ${decay}`);
    this.#decay = decay;
  }

  /** The average of the scores so far; undefined before the first. */
  get value(): number | undefined {
    return this.#count > 0 ? this.#value : undefined;
  }

  /** score − baseline, then lets the score into the average. */
  advantage(score: number): number {
    const previous = this.value;
    this.#value = previous === undefined ? score : this.#decay * previous + (1 - this.#decay) * score;
    this.#count++;
    return previous === undefined ? 0 : score - previous;
  }

  save(): BaselineState {
    return { value: this.#value, count: this.#count };
  }

  load({ value, count }: BaselineState): void {
    this.#value = value;
    this.#count = count;
  }
}
