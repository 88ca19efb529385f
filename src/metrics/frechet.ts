/**
 * Fréchet distance of the normal distributions that fit two sets of features (Dowson and Landau 1982; Heusel et al.,
 * "GANs Trained by a Two Time-Scale Update Rule…", 2017, eq. 6, FID where the features are those of its network):
 *
 *   d² = ‖μ_a − μ_b‖² + Tr Σ_a + Tr Σ_b − 2 Tr (Σ_a Σ_b)^½
 *
 * With Σ_a = R_aᵀR_a and Σ_b = R_bᵀR_b for any R, Σ_aΣ_b has the eigenvalues of MMᵀ, M = R_aR_bᵀ, so that its root's trace
 * is the sum of the singular values of M. No root of a matrix is formed, singular covariances need no offset, and with
 * fewer images than features M is only as large as the images are many. Covariances have the denominator N − 1.
 */
import { ShapeError } from '../errors.js';
import { checkFeatureRows, type FeatureRows } from './featureRows.js';
import { addRowProducts, choleskyRows } from './rowProducts.js';
import { symmetricEigenvalues } from './symmetricEigenvalues.js';

/** Images whose centred features are held at a time. */
const BLOCK = 512;

/** The normal distribution that fits a set. */
export interface FeatureGaussian {
  /** float64 [length] */
  readonly mean: Float64Array;
  /** Tr Σ. */
  readonly variance: number;
  /** R float64 [rank, length] with RᵀR = Σ. */
  readonly root: Float64Array;
  readonly rank: number;
}

/**
 * @param counts how often each row counts; default: once
 * @throws ShapeError when fewer than two rows count
 */
export function featureGaussian(rows: FeatureRows, counts?: ArrayLike<number>): FeatureGaussian {
  const { length } = rows;
  const used: number[] = [];
  let total = 0;
  for (let i = 0; i < rows.count; i++) {
    const count = counts?.[i] ?? 1;
    total += count;
    if (count > 0) used.push(i);
  }
  if (total < 2) throw new ShapeError(`Expected at least 2 rows for a covariance but received ${total}`);
  const weight = (i: number) => counts?.[i] ?? 1;
  const mean = new Float64Array(length);
  for (const i of used) {
    for (let k = 0; k < length; k++) mean[k] += (weight(i) * rows.values[i * length + k]) / total;
  }
  const scaleOf = (i: number) => Math.sqrt(weight(i) / (total - 1));
  if (used.length <= length) {
    const root = new Float64Array(used.length * length);
    used.forEach((i, at) => {
      const scale = scaleOf(i);
      for (let k = 0; k < length; k++) root[at * length + k] = scale * (rows.values[i * length + k] - mean[k]);
    });
    return { mean, variance: root.reduce((sum, value) => sum + value * value, 0), root, rank: used.length };
  }
  const covariance = new Float64Array(length * length);
  const block = new Float64Array(length * BLOCK);
  for (let first = 0; first < used.length; first += BLOCK) {
    // Features as rows, so that their products run along memory; the last block is filled up with zeros.
    block.fill(0);
    used.slice(first, first + BLOCK).forEach((i, at) => {
      const scale = scaleOf(i);
      for (let k = 0; k < length; k++) block[k * BLOCK + at] = scale * (rows.values[i * length + k] - mean[k]);
    });
    addRowProducts(block, length, block, length, BLOCK, covariance);
  }
  let variance = 0;
  for (let k = 0; k < length; k++) variance += covariance[k * length + k];
  const { rows: root, rank } = choleskyRows(covariance, length);
  return { mean, variance, root, rank };
}

/** d² of two normal distributions over features of one length; ≥ 0, rounding below it is cut off. */
export function gaussianFrechet(a: FeatureGaussian, b: FeatureGaussian): number {
  const { length } = a.mean;
  let distance = 0;
  for (let k = 0; k < length; k++) distance += (a.mean[k] - b.mean[k]) ** 2;
  const [few, many] = a.rank <= b.rank ? [a, b] : [b, a];
  const product = new Float64Array(few.rank * many.rank);
  addRowProducts(few.root, few.rank, many.root, many.rank, length, product);
  const squares = new Float64Array(few.rank ** 2);
  addRowProducts(product, few.rank, product, few.rank, many.rank, squares);
  const overlap = symmetricEigenvalues(squares, few.rank).reduce(
    (sum, value) => sum + Math.sqrt(Math.max(0, value)),
    0,
  );
  return Math.max(0, distance + a.variance + b.variance - 2 * overlap);
}

/**
 * Squared Fréchet distance of two sets of features. Biased upwards: two sets of one distribution are apart, the more the
 * fewer the images; with fewer images than features the covariances are singular and the value says little.
 * @throws ShapeError when a set has fewer than two rows, lengths differ, or a number is not finite
 */
export function frechetDistance(a: FeatureRows, b: FeatureRows): number {
  checkFeatureRows(a, b, 2);
  return gaussianFrechet(featureGaussian(a), featureGaussian(b));
}
