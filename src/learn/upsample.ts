import { UPSAMPLE_CONCAT, UPSAMPLE_CONCAT_GRADIENT } from './kernels/unet.js';
import { tf } from './tf.js';

/**
 * The way up in a U-Net: `low` at twice its size (nearest), its channels followed by those of `skip`.
 * @param low [N, H, W, C], skip [N, 2H, 2W, S], float32
 * @returns [N, 2H, 2W, C + S]; the caller disposes it
 */
export function upsampleConcat(low: tf.Tensor4D, skip: tf.Tensor4D): tf.Tensor4D {
  if (!tf.getKernel(UPSAMPLE_CONCAT, tf.getBackend())) return tf.concat([doubled(low), skip], 3);
  const channels = low.shape[3];
  const operation = tf.customGrad((lowIn, skipIn) => {
    const value = tf.engine().runKernel(UPSAMPLE_CONCAT, { low: lowIn as tf.Tensor, skip: skipIn as tf.Tensor });
    const gradFunc = (dy: tf.Tensor) =>
      tf.engine().runKernel(UPSAMPLE_CONCAT_GRADIENT, { dy }, { channels }) as unknown as tf.Tensor[];
    return { value: value as tf.Tensor, gradFunc };
  });
  return operation(low, skip) as tf.Tensor4D;
}

/** Each pixel twice in both directions. */
function doubled(x: tf.Tensor4D): tf.Tensor4D {
  const [n, h, w, c] = x.shape;
  const rows = tf.tile(tf.reshape(x, [n * h, 1, w * c]), [1, 2, 1]);
  return tf.reshape(tf.tile(tf.reshape(rows, [n * 2 * h * w, 1, c]), [1, 2, 1]), [n, 2 * h, 2 * w, c]);
}
