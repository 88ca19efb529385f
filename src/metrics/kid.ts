/**
 * Kernel Inception distance (Bińkowski et al., "Demystifying MMD GANs", 2018): the unbiased squared MMD between two
 * sets of feature vectors with the kernel k(a, b) = (a·b / D + 1)³. For reports only: it has no bandwidth to choose, and
 * being unbiased it scatters around 0 for sets from one distribution.
 *
 * Our vectors are feature maps of a chosen layer with their positions, or pooled over them; the published numbers use
 * the 2048 pooled features of the whole network, so ours compare with each other only.
 */
import { ShapeError } from '../errors.js';
import { tf } from '../learn/tf.js';

export interface KidOptions {
  /** Images in each of the two samples of a subset. Default: 100, or fewer where a set has fewer. */
  readonly subsetSize?: number;
  /** Number of subsets; taken one after the other from the sets, around their ends. Default 10. */
  readonly subsets?: number;
}

export interface Kid {
  /** Mean over the subsets. */
  readonly mean: number;
  /** Standard deviation over the subsets. */
  readonly std: number;
}

/**
 * @param generated float32 [N, D], rows in random order; N ≥ 2
 * @param real float32 [M, D], rows in random order; M ≥ 2
 * @throws ShapeError when D differs or a set or subset has fewer than two rows
 */
export function kernelInceptionDistance(generated: tf.Tensor2D, real: tf.Tensor2D, options: KidOptions = {}): Kid {
  const [n, length] = generated.shape;
  const [m, realLength] = real.shape;
  const size = Math.min(options.subsetSize ?? 100, n, m);
  const subsets = options.subsets ?? 10;
  if (length !== realLength) {
    throw new ShapeError(`Expected ${realLength} features an image for generated but received ${length}`);
  }
  if (!(size >= 2) || !(subsets >= 1)) {
    throw new ShapeError(`Expected at least 2 images and 1 subset for KID but received ${size} and ${subsets}`);
  }
  const values = Array.from({ length: subsets }, (_, i) =>
    tf.tidy(() => unbiasedMmd2(rows(generated, i * size, size), rows(real, i * size, size))),
  );
  const mean = values.reduce((sum, value) => sum + value, 0) / subsets;
  const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / subsets;
  return { mean, std: Math.sqrt(variance) };
}

/** `count` rows from `first` on, around the end. */
function rows(features: tf.Tensor2D, first: number, count: number): tf.Tensor2D {
  const total = features.shape[0];
  const start = first % total;
  const head = Math.min(count, total - start);
  const top = tf.slice2d(features, [start, 0], [head, -1]);
  return head === count ? top : tf.concat([top, tf.slice2d(features, [0, 0], [count - head, -1])], 0);
}

/** Means over different pairs within each set, and over all pairs between them. */
function unbiasedMmd2(x: tf.Tensor2D, y: tf.Tensor2D): number {
  const count = x.shape[0];
  const sums = [
    [x, x],
    [y, y],
    [x, y],
  ].map(([a, b]) => {
    const products = tf.matMul(a, b, false, true).dataSync<'float32'>();
    let sum = 0;
    for (let i = 0; i < count; i++) {
      for (let j = 0; j < count; j++) {
        if (a !== b || i !== j) sum += (products[i * count + j] / x.shape[1] + 1) ** 3;
      }
    }
    return sum;
  });
  return (sums[0] + sums[1]) / (count * (count - 1)) - (2 * sums[2]) / count ** 2;
}

/** Mean over the positions of a map: float32 [B, h, w, C] → [B, C]; the caller disposes it. */
export function pooledFeatures(map: tf.Tensor4D): tf.Tensor2D {
  return tf.mean(map, [1, 2]) as tf.Tensor2D;
}
