import { IGNORED } from './taskNetwork.js';
import { tf } from './tf.js';

/**
 * Softmax cross-entropy of pixels: Σ wₖ(−ln pₖ) / Σ wₖ, k the class of each pixel, over those that are not ignored; 0
 * where all are. Computed in double precision outside of tfjs: one pass over the logits where tfjs would take ten, on
 * every backend.
 * @param logits [B, H, W, classes] float32
 * @param masks [B × H × W] class of each pixel, or 255 where it does not count
 * @param weights [classes] ≥ 0
 * @returns scalar; the caller disposes it
 */
export function pixelCrossEntropy(logits: tf.Tensor4D, masks: Uint8Array, weights: ArrayLike<number>): tf.Scalar {
  const operation = tf.customGrad((input) => {
    // The array must not come out of a tidy, which would look for tensors in its every entry: half of a training step.
    const { loss, gradient } = lossAndGradient((input as tf.Tensor4D).dataSync<'float32'>(), masks, weights);
    const gradFunc = (dy: tf.Tensor) => tf.mul(dy, tf.tensor4d(gradient, (input as tf.Tensor4D).shape));
    return { value: tf.scalar(loss), gradFunc };
  });
  return operation(logits) as tf.Scalar;
}

/** ∂loss/∂logit = w (p − [k is its class]) / Σ w, p the softmax. */
function lossAndGradient(
  logits: Float32Array,
  masks: Uint8Array,
  weights: ArrayLike<number>,
): { loss: number; gradient: Float32Array } {
  const classes = weights.length;
  let total = 0;
  for (let i = 0; i < masks.length; i++) if (masks[i] !== IGNORED) total += weights[masks[i]];
  const gradient = new Float32Array(logits.length);
  if (total === 0) return { loss: 0, gradient };
  const powers = new Float64Array(classes);
  let loss = 0;
  for (let i = 0, at = 0; i < masks.length; i++, at += classes) {
    const own = masks[i];
    if (own === IGNORED) continue;
    let largest = logits[at];
    for (let k = 1; k < classes; k++) if (logits[at + k] > largest) largest = logits[at + k];
    let sum = 0;
    for (let k = 0; k < classes; k++) {
      const power = Math.exp(logits[at + k] - largest);
      powers[k] = power;
      sum += power;
    }
    const share = weights[own] / total;
    const scale = share / sum;
    for (let k = 0; k < classes; k++) gradient[at + k] = scale * powers[k];
    gradient[at + own] -= share;
    loss += share * (Math.log(sum) + largest - logits[at + own]);
  }
  return { loss, gradient };
}
