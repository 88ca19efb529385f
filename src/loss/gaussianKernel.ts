/**
 * The kernel of eq. (1) and its bandwidth. A mixture is the mean of Gaussian kernels,
 * k(a, b) = 1/S Σ_s exp(−‖a − b‖² / (2 σ_s²)), so that k(a, a) = 1.
 */
import { ConfigError } from '../errors.js';
import { tf } from '../learn/tf.js';

/**
 * How σ is chosen.
 * - `fixed`: σ = value, in feature units.
 * - `median`: σ² = scale · median of the squared distances between different real images (default scale 1).
 * - `mixture`: one kernel for each of `scales`, each as `median`.
 */
export type Bandwidth =
  | { readonly kind: 'fixed'; readonly value: number }
  | { readonly kind: 'median'; readonly scale?: number }
  | { readonly kind: 'mixture'; readonly scales: readonly number[] };

function scalesOf(bandwidth: Bandwidth): readonly number[] {
  if (bandwidth.kind === 'fixed') return [bandwidth.value];
  return bandwidth.kind === 'median' ? [bandwidth.scale ?? 1] : bandwidth.scales;
}

/** @throws ConfigError when a value or scale is not a positive number, or there is none */
export function checkBandwidth(bandwidth: Bandwidth): void {
  const scales = scalesOf(bandwidth);
  if (scales.length === 0 || scales.some((scale) => !(scale > 0 && Number.isFinite(scale)))) {
    throw new ConfigError(
      `Expected positive numbers for the ${bandwidth.kind} bandwidth but received [${scales.join(', ')}]`,
    );
  }
}

/**
 * The variances σ² of the mixture's kernels.
 * @param realDistances squared distances of the real features to each other, [M × M], row by row
 * @param count M
 */
export function bandwidthVariances(bandwidth: Bandwidth, realDistances: Float32Array, count: number): number[] {
  if (bandwidth.kind === 'fixed') return [bandwidth.value ** 2];
  const median = medianOfPairs(realDistances, count);
  return scalesOf(bandwidth).map((scale) => scale * median);
}

/** Median over pairs i < j; 1 when all are equal, so that a set of identical images still has a kernel. */
function medianOfPairs(distances: Float32Array, count: number): number {
  const pairs = new Float32Array((count * (count - 1)) / 2);
  let next = 0;
  for (let i = 0; i < count; i++) {
    for (let j = i + 1; j < count; j++) pairs[next++] = distances[i * count + j];
  }
  pairs.sort();
  const median = pairs.length > 0 ? pairs[Math.floor(pairs.length / 2)] : 0;
  return median > 0 ? median : 1;
}

/**
 * Squared distances ‖a_i − b_j‖² = ‖a_i‖² + ‖b_j‖² − 2 a_i·b_j, without an [N, M, D] array.
 * @param a float32 [N, D]
 * @param b float32 [M, D]
 * @param aNorms ‖a_i‖², [N, 1]
 * @param bNorms ‖b_j‖², [1, M]
 * @returns float32 [N, M], ≥ 0 (rounding below 0 is cut off); the caller disposes it
 */
export function squaredDistances(a: tf.Tensor2D, b: tf.Tensor2D, aNorms: tf.Tensor, bNorms: tf.Tensor): tf.Tensor2D {
  return tf.tidy(() => {
    const products = tf.matMul(a, b, false, true);
    return tf.relu(tf.sub(tf.add(aNorms, bNorms), tf.mul(products, 2))) as tf.Tensor2D;
  });
}

/** ‖a_i‖² of each row, [N, 1]; the caller disposes it. */
export function squaredNorms(a: tf.Tensor2D): tf.Tensor2D {
  return tf.tidy(() => tf.sum(tf.square(a), 1, true) as tf.Tensor2D);
}

/**
 * Kernel values and their derivative by the squared distance.
 * @param distances squared distances, float32 [N, M]
 * @param variances σ² of each kernel of the mixture
 * @returns sum Σ_ij k_ij (scalar) and slope ∂k_ij/∂d²_ij [N, M], ≤ 0; the caller disposes both
 */
export function gaussianKernel(
  distances: tf.Tensor2D,
  variances: readonly number[],
): { readonly sum: tf.Scalar; readonly slope: tf.Tensor2D } {
  return tf.tidy(() => {
    const share = 1 / variances.length;
    const terms = variances.map((variance) => tf.exp(tf.mul(distances, -1 / (2 * variance))));
    const values = terms.map((term) => tf.mul(tf.sum(term), share));
    const slopes = terms.map((term, i) => tf.mul(term, -share / (2 * variances[i])));
    const add = (a: tf.Tensor, b: tf.Tensor) => tf.add(a, b);
    return { sum: values.reduce(add) as tf.Scalar, slope: slopes.reduce(add) as tf.Tensor2D };
  });
}
