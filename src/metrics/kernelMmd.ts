/**
 * Unbiased squared MMD of two sets under any kernel of inner products (Gretton et al., "A Kernel Two-Sample Test", 2012,
 * eq. 3), over all images, with its standard error.
 *
 * By Hoeffding's decomposition the estimate scatters by V₁ + V₂. V₁, from single images, vanishes where both sets are of
 * one distribution; V₂, from pairs, is then all there is, and small against V₁ elsewhere:
 *
 *   V₂ = 2 E k̃(x, x')² / (n(n−1)) + 2 E k̃(y, y')² / (m(m−1)) + 4 E k̃(x, y)² / (nm),  k̃ the kernel centred in both arguments
 *
 * Leaving each image out once (the jackknife) estimates V₁ + 2 V₂ (Efron and Stein 1981), hence
 * standard error² = max(jackknife − V₂, V₂). All of it comes from sums over the kernel's rows and its sum of squares:
 * memory grows with the images, not with their pairs.
 */
import { setImmediate as breathe } from 'node:timers/promises';
import { tf } from '../learn/tf.js';
import { checkFeatureRows, type FeatureRows } from './featureRows.js';

/** k(a, b) from a·b, ‖a‖² and ‖b‖². */
export type ProductKernel = (product: number, squareA: number, squareB: number) => number;

export interface MmdEstimate {
  /** Below 0 as often as above where both sets are of one distribution. */
  readonly value: number;
  readonly standardError: number;
}

export interface MmdRun {
  readonly signal?: AbortSignal;
  readonly onProgress?: (done: number, total: number) => void;
}

/** Rows whose kernel values are held at a time: at most this many numbers. */
const BLOCK_NUMBERS = 2 ** 22;

/** Sums of the kernel's rows: within x (the diagonal left out), within y, and between them by rows of either. */
interface RowSums {
  readonly within: readonly [Float64Array, Float64Array];
  readonly between: readonly [Float64Array, Float64Array];
  /** Sums of squares within x, within y and between them. */
  readonly squares: [number, number, number];
}

/**
 * @throws ShapeError when a set has fewer than four rows, lengths differ or a number is not finite; the signal's reason
 */
export async function kernelMmd(
  x: FeatureRows,
  y: FeatureRows,
  kernel: ProductKernel,
  run: MmdRun = {},
): Promise<MmdEstimate> {
  checkFeatureRows(x, y, 4);
  const sums = await rowSums(x, y, kernel, run);
  const { within, between } = sums;
  const [insideX, insideY, across] = [total(within[0]), total(within[1]), total(between[0])];
  const [n, m] = [x.count, y.count];
  const [meanX, meanY] = [insideX / (n * (n - 1)), insideY / (m * (m - 1))];
  // Without image i: its row and its column leave the sum within the set, its row the sum between the sets.
  const jackknife = (inside: number, rows: Float64Array, crossRows: Float64Array, count: number, others: number) => {
    const values = rows.map(
      (row, i) =>
        (inside - 2 * row) / ((count - 1) * (count - 2)) - (2 * (across - crossRows[i])) / ((count - 1) * others),
    );
    const mean = total(values) / count;
    return ((count - 1) / count) * values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  };
  const leftOut = jackknife(insideX, within[0], between[0], n, m) + jackknife(insideY, within[1], between[1], m, n);
  const pairs = varianceOfPairs(sums, n, m);
  return {
    value: meanX + meanY - (2 * across) / (n * m),
    standardError: Math.sqrt(Math.max(leftOut - pairs, pairs)),
  };
}

const total = (sums: Float64Array): number => sums.reduce((sum, value) => sum + value, 0);
const totalSquare = (sums: Float64Array): number => sums.reduce((sum, value) => sum + value * value, 0);

/**
 * V₂. Sums of squares of the centred kernel follow from those of the kernel and its rows: within a set, without its
 * diagonal, as for U-centred matrices (Székely and Rizzo 2014, "Partial distance correlation", eq. 2.1), else by rows and
 * columns; the denominators make them unbiased.
 */
function varianceOfPairs({ within, between, squares }: RowSums, n: number, m: number): number {
  const inside = (rows: Float64Array, square: number, count: number) =>
    (square - (2 * totalSquare(rows)) / (count - 2) + total(rows) ** 2 / ((count - 1) * (count - 2))) /
    (count * (count - 3));
  const across =
    (squares[2] - totalSquare(between[0]) / m - totalSquare(between[1]) / n + total(between[0]) ** 2 / (n * m)) /
    ((n - 1) * (m - 1));
  const variance =
    (2 * inside(within[0], squares[0], n)) / (n * (n - 1)) +
    (2 * inside(within[1], squares[1], m)) / (m * (m - 1)) +
    (4 * across) / (n * m);
  return Math.max(0, variance);
}

async function rowSums(x: FeatureRows, y: FeatureRows, kernel: ProductKernel, run: MmdRun): Promise<RowSums> {
  const sums: RowSums = {
    within: [new Float64Array(x.count), new Float64Array(y.count)],
    between: [new Float64Array(x.count), new Float64Array(y.count)],
    squares: [0, 0, 0],
  };
  const sets = [x, y];
  const squares = sets.map(squaredNorms);
  const tensors = sets.map(({ values, count, length }) => tf.tensor2d(values, [count, length]));
  const pairs = [
    [0, 0],
    [1, 1],
    [0, 1],
  ] as const;
  const work = pairs.reduce((sum, [a]) => sum + sets[a].count, 0);
  let done = 0;
  try {
    for (const [pair, [a, b]] of pairs.entries()) {
      const columns = sets[b].count;
      const step = Math.max(1, Math.floor(BLOCK_NUMBERS / columns));
      for (let first = 0; first < sets[a].count; first += step) {
        await breathe();
        run.signal?.throwIfAborted();
        const rows = Math.min(step, sets[a].count - first);
        const products = tf.tidy(() =>
          tf.matMul(tf.slice2d(tensors[a], [first, 0], [rows, -1]), tensors[b], false, true).dataSync<'float32'>(),
        );
        for (let r = 0; r < rows; r++) {
          const i = first + r;
          let [sum, square] = [0, 0];
          for (let j = 0; j < columns; j++) {
            if (a === b && i === j) continue;
            const value = kernel(products[r * columns + j], squares[a][i], squares[b][j]);
            sum += value;
            square += value * value;
            if (a !== b) sums.between[1][j] += value;
          }
          (a === b ? sums.within[a] : sums.between[0])[i] = sum;
          sums.squares[pair] += square;
        }
        done += rows;
        run.onProgress?.(done, work);
      }
    }
  } finally {
    tf.dispose(tensors);
  }
  return sums;
}

function squaredNorms({ values, count, length }: FeatureRows): Float64Array {
  return Float64Array.from({ length: count }, (_, i) => {
    let sum = 0;
    for (let k = i * length; k < (i + 1) * length; k++) sum += values[k] ** 2;
    return sum;
  });
}
