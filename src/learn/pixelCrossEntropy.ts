import { IGNORED } from './taskNetwork.js';
import { tf } from './tf.js';

/**
 * Softmax cross-entropy of pixels: Σ wₖ(−ln pₖ) / Σ wₖ, k the class of each pixel, over those that are not ignored; 0
 * where all are. Summed in double precision outside of tfjs, which costs a few milliseconds and a copy of the
 * probabilities, and serves every backend.
 * @param logits [B, H, W, classes] float32
 * @param masks [B × H × W] class of each pixel, or 255 where it does not count
 * @param weights [classes] ≥ 0
 * @returns scalar; the caller disposes it
 */
export function pixelCrossEntropy(logits: tf.Tensor4D, masks: Uint8Array, weights: ArrayLike<number>): tf.Scalar {
  const operation = tf.customGrad((input) => {
    const { shape } = input as tf.Tensor4D;
    const probabilities = tf.tidy(() => tf.softmax(input as tf.Tensor4D).dataSync<'float32'>());
    const { loss, gradient } = lossAndGradient(probabilities, masks, weights);
    const gradFunc = (dy: tf.Tensor) => tf.mul(dy, tf.tensor4d(gradient, shape));
    return { value: tf.scalar(loss), gradFunc };
  });
  return operation(logits) as tf.Scalar;
}

/** ∂loss/∂logit = w (p − [k is its class]) / Σ w. */
function lossAndGradient(
  probabilities: Float32Array,
  masks: Uint8Array,
  weights: ArrayLike<number>,
): { loss: number; gradient: Float32Array } {
  const classes = weights.length;
  let total = 0;
  for (let i = 0; i < masks.length; i++) if (masks[i] !== IGNORED) total += weights[masks[i]];
  const gradient = new Float32Array(probabilities.length);
  if (total === 0) return { loss: 0, gradient };
  let loss = 0;
  for (let i = 0, at = 0; i < masks.length; i++, at += classes) {
    const own = masks[i];
    if (own === IGNORED) continue;
    const weight = weights[own];
    const share = weight / total;
    for (let k = 0; k < classes; k++) gradient[at + k] = share * probabilities[at + k];
    gradient[at + own] -= share;
    // A probability that has become 0 in float32 stands for the smallest there is.
    loss -= weight * Math.log(Math.max(probabilities[at + own], 1e-38));
  }
  return { loss: loss / total, gradient };
}
