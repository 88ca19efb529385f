/**
 * Kernel Inception distance (Bińkowski et al., "Demystifying MMD GANs", 2018): the unbiased squared MMD between two
 * sets of feature vectors with the kernel k(a, b) = (a·b / D + 1)³. For reports only: it has no bandwidth to choose, and
 * being unbiased it scatters around 0 for sets from one distribution.
 *
 * Our vectors are feature maps of a chosen layer with their positions, or pooled over them; published numbers use
 * the 2048 pooled features of the Inception network of 2015, so ours compare with each other only.
 */
import { setImmediate as breathe } from 'node:timers/promises';
import { ShapeError } from '../errors.js';
import { tf } from '../learn/tf.js';
import { RandomStream } from '../random.js';
import { checkFeatureRows, type FeatureRows } from './featureRows.js';
import { drawRows } from './gaussianMmd.js';
import { kernelMmd, type MmdEstimate, type MmdRun } from './kernelMmd.js';

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
  return meanAndStd(values);
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

export interface KidSubsetOptions extends MmdRun {
  /** Images of each set in a subset, 2 or more, at most as many as the smaller set has. */
  readonly subsetSize: number;
  readonly subsets: number;
  readonly seed?: number;
}

/**
 * KID as it is published: mean and standard deviation over subsets, each drawn at random without replacement from both
 * sets. The deviation tells how much subsets of this size scatter, not how exact the mean is: subsets share images.
 * @throws ShapeError for features that do not fit or a subset larger than a set; the signal's reason
 */
export async function kidOverSubsets(a: FeatureRows, b: FeatureRows, options: KidSubsetOptions): Promise<Kid> {
  const { subsetSize, subsets, seed = 0, signal, onProgress } = options;
  checkFeatureRows(a, b, 2);
  if (!(subsetSize >= 2 && subsetSize <= Math.min(a.count, b.count)) || !(subsets >= 1)) {
    throw new ShapeError(
      `Expected a subset of 2 to ${Math.min(a.count, b.count)} images, and at least 1, for KID but received ${subsetSize} and ${subsets}`,
    );
  }
  const values: number[] = [];
  for (let index = 0; index < subsets; index++) {
    await breathe();
    signal?.throwIfAborted();
    const value = tf.tidy(() => {
      const [x, y] = [a, b].map((rows, node) => drawnRows(rows, subsetSize, new RandomStream({ seed, index, node })));
      return unbiasedMmd2(x, y);
    });
    values.push(value);
    onProgress?.(index + 1, subsets);
  }
  return meanAndStd(values);
}

/**
 * KID over all images at once: the same expectation as the mean over subsets and less scatter, with its standard error.
 * @throws ShapeError when a set has fewer than four rows or the features do not fit; the signal's reason
 */
export function kidOfAll(a: FeatureRows, b: FeatureRows, run: MmdRun = {}): Promise<MmdEstimate> {
  const { length } = a;
  return kernelMmd(a, b, (product) => (product / length + 1) ** 3, run);
}

function drawnRows({ values, count, length }: FeatureRows, size: number, stream: RandomStream): tf.Tensor2D {
  const chosen = new Float32Array(size * length);
  drawRows(count, size, stream).forEach((i, at) => {
    chosen.set(values.subarray(i * length, (i + 1) * length), at * length);
  });
  return tf.tensor2d(chosen, [size, length]);
}

function meanAndStd(values: readonly number[]): Kid {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length;
  return { mean, std: Math.sqrt(variance) };
}

/** Mean over the positions of a map: float32 [B, h, w, C] → [B, C]; the caller disposes it. */
export function pooledFeatures(map: tf.Tensor4D): tf.Tensor2D {
  return tf.mean(map, [1, 2]) as tf.Tensor2D;
}
