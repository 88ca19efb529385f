/**
 * Eq. (1) for one feature map and one blur: the real side computed once, the generated side with its gradient in closed
 * form, so that nothing of size N × M × D exists.
 *
 * With d²_ij the squared distance and k' = ∂k/∂d² of a pair, the gradient of the two terms that hold generated features is
 *   ∂/∂x_i 1/N² Σ k(x_i, x_j)  =  4/N²  (x_i Σ_j k'_ij − Σ_j k'_ij x_j)      (each pair counts twice)
 *   ∂/∂x_i −2/(NM) Σ k(x_i, r_j) = −4/(NM) (x_i Σ_j k'_ij − Σ_j k'_ij r_j)
 */
import { tf } from '../learn/tf.js';
import {
  type Bandwidth,
  bandwidthVariances,
  gaussianKernel,
  squaredDistances,
  squaredNorms,
} from './gaussianKernel.js';

/** What of eq. (1) depends on the real images only. */
export interface RealSide {
  /** Mean of the real features, [1, D]: subtracted from both sides, which changes no distance and keeps digits. */
  readonly centre: tf.Tensor2D;
  /** Centred real features, float32 [M, D]. */
  readonly features: tf.Tensor2D;
  /** Squared norms, [1, M]. */
  readonly norms: tf.Tensor2D;
  /** 1/M² ΣΣ k(r_j, r_j'). */
  readonly selfTerm: number;
  /** σ² of each kernel of the mixture; fixed once the real images are known. */
  readonly variances: readonly number[];
}

/**
 * @param features φ(X_R), float32 [M, D]; not disposed
 * @returns tensors that the caller disposes with {@link disposeRealSide}
 */
export function prepareRealSide(features: tf.Tensor2D, bandwidth: Bandwidth): RealSide {
  const count = features.shape[0];
  const [centre, centred, norms] = tf.tidy(() => {
    const mean = tf.mean(features, 0, true) as tf.Tensor2D;
    const shifted = tf.sub(features, mean) as tf.Tensor2D;
    return [mean, shifted, tf.reshape(squaredNorms(shifted), [1, count]) as tf.Tensor2D];
  });
  const { selfTerm, variances } = tf.tidy(() => {
    const distances = squaredDistances(centred, centred, tf.reshape(norms, [count, 1]), norms);
    const sigmas = bandwidthVariances(bandwidth, distances.dataSync<'float32'>(), count);
    return { selfTerm: gaussianKernel(distances, sigmas).sum.dataSync()[0] / count ** 2, variances: sigmas };
  });
  for (const tensor of [centre, centred, norms]) tf.keep(tensor);
  return { centre, features: centred, norms, selfTerm, variances };
}

export function disposeRealSide({ centre, features, norms }: RealSide): void {
  tf.dispose([centre, features, norms]);
}

/** Squared MMD of one map, and what its gradient needs. */
export interface TermForward {
  /** Scalar ≥ 0 up to rounding. */
  readonly value: tf.Scalar;
  /** Centred generated features [N, D]. */
  readonly generated: tf.Tensor2D;
  /** ∂k/∂d² among generated images [N, N] and to real ones [N, M]. */
  readonly ownSlope: tf.Tensor2D;
  readonly crossSlope: tf.Tensor2D;
}

/**
 * Squared MMD, Meta-Sim eq. (1), biased (V-statistic). The cross term is −2/(NM); the paper prints −1/(MN)
 * (docs/DEVIATIONS.md).
 * @param features φ(X_θ), float32 [N, D]
 */
export function termForward(features: tf.Tensor2D, real: RealSide): TermForward {
  const generated = tf.sub(features, real.centre) as tf.Tensor2D;
  const n = generated.shape[0];
  const m = real.features.shape[0];
  const norms = squaredNorms(generated);
  const own = gaussianKernel(squaredDistances(generated, generated, norms, tf.reshape(norms, [1, n])), real.variances);
  const cross = gaussianKernel(squaredDistances(generated, real.features, norms, real.norms), real.variances);
  const value = tf.add(tf.sub(tf.mul(own.sum, 1 / n ** 2), tf.mul(cross.sum, 2 / (n * m))), real.selfTerm) as tf.Scalar;
  return { value, generated, ownSlope: own.slope, crossSlope: cross.slope };
}

/** ∂MMD²/∂φ(X_θ), float32 [N, D], for a result of {@link termForward}. */
export function termGradient(forward: Omit<TermForward, 'value'>, real: RealSide): tf.Tensor2D {
  const { generated, ownSlope, crossSlope } = forward;
  const n = generated.shape[0];
  const m = real.features.shape[0];
  const own = tf.mul(ownSlope, 4 / n ** 2) as tf.Tensor2D;
  const cross = tf.mul(crossSlope, -4 / (n * m)) as tf.Tensor2D;
  const rows = tf.add(tf.sum(own, 1, true), tf.sum(cross, 1, true));
  const attracted = tf.add(tf.matMul(own, generated), tf.matMul(cross, real.features));
  return tf.sub(tf.mul(generated, rows), attracted) as tf.Tensor2D;
}
