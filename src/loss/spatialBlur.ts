/**
 * Gaussian blur of feature maps over their positions, as one matrix. Blurring widens the range over which moving an
 * object changes the features smoothly; blurred maps are then sampled every σ cells, where neighbours differ little.
 */
import { tf } from '../learn/tf.js';

/** Standard deviations left of the Gaussian at which it is cut off. */
const CUT_OFF = 4;

/**
 * Weights of the blur along one axis of `size` cells, [samples × size]. Rows are samples at equal steps of at most
 * `sigma` cells, centred on the axis; outside the map is zero, so every cell counts by how near it is alone.
 */
export function blurRows(size: number, sigma: number): { readonly samples: number; readonly weights: Float32Array } {
  if (sigma === 0) {
    const weights = new Float32Array(size * size);
    for (let i = 0; i < size; i++) weights[i * size + i] = 1;
    return { samples: size, weights };
  }
  const samples = Math.min(size, Math.max(1, Math.ceil(size / Math.max(1, sigma))));
  const weights = new Float32Array(samples * size);
  for (let sample = 0; sample < samples; sample++) {
    const centre = ((sample + 0.5) * size) / samples - 0.5;
    for (let cell = 0; cell < size; cell++) {
      const z = (cell - centre) / sigma;
      if (Math.abs(z) <= CUT_OFF)
        weights[sample * size + cell] = Math.exp((-z * z) / 2) / (sigma * Math.sqrt(2 * Math.PI));
    }
  }
  return { samples, weights };
}

/**
 * The blur of a map of `height` × `width` cells as a matrix over positions.
 * @param sigma standard deviation in cells; 0 leaves the map as it is
 * @returns float32 [samples, height · width]; the caller disposes it
 */
export function blurMatrix(height: number, width: number, sigma: number): tf.Tensor2D {
  const rows = blurRows(height, sigma);
  const columns = blurRows(width, sigma);
  const cells = height * width;
  const matrix = new Float32Array(rows.samples * columns.samples * cells);
  for (let r = 0; r < rows.samples; r++) {
    for (let c = 0; c < columns.samples; c++) {
      const offset = (r * columns.samples + c) * cells;
      for (let y = 0; y < height; y++) {
        for (let x = 0; x < width; x++) {
          matrix[offset + y * width + x] = rows.weights[r * height + y] * columns.weights[c * width + x];
        }
      }
    }
  }
  return tf.tensor2d(matrix, [rows.samples * columns.samples, cells]);
}

/**
 * Blurred maps as feature vectors.
 * @param map float32 [B, h, w, C]
 * @param blur float32 [samples, h · w] of {@link blurMatrix}; undefined for the plain map
 * @returns float32 [B, samples · C]; the caller disposes it
 */
export function blurredFeatures(map: tf.Tensor4D, blur: tf.Tensor2D | undefined): tf.Tensor2D {
  const [batch, height, width, channels] = map.shape;
  if (!blur) return tf.reshape(map, [batch, height * width * channels]);
  return tf.tidy(() => {
    // Positions first, so that one matrix product blurs all images and channels.
    const rows = tf.transpose(tf.reshape(map, [batch, height * width, channels]), [1, 0, 2]);
    const blurred = tf.matMul(blur, tf.reshape(rows, [height * width, batch * channels]) as tf.Tensor2D);
    const images = tf.transpose(tf.reshape(blurred, [blur.shape[0], batch, channels]), [1, 0, 2]);
    return tf.reshape(images, [batch, blur.shape[0] * channels]);
  });
}

/**
 * The transpose of {@link blurredFeatures}: the gradient to the map.
 * @param gradient float32 [B, samples · C]
 * @param shape the map's [B, h, w, C]
 * @returns float32 [B, h, w, C]; the caller disposes it
 */
export function blurredFeaturesGradient(
  gradient: tf.Tensor2D,
  blur: tf.Tensor2D | undefined,
  shape: readonly number[],
): tf.Tensor4D {
  const [batch, height, width, channels] = shape;
  if (!blur) return tf.reshape(gradient, [batch, height, width, channels]);
  return tf.tidy(() => {
    const rows = tf.transpose(tf.reshape(gradient, [batch, blur.shape[0], channels]), [1, 0, 2]);
    const flat = tf.reshape(rows, [blur.shape[0], batch * channels]) as tf.Tensor2D;
    const cells = tf.reshape(tf.matMul(blur, flat, true, false), [height * width, batch, channels]);
    return tf.reshape(tf.transpose(cells, [1, 0, 2]), [batch, height, width, channels]);
  });
}
