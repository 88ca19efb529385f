import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { ConfigError, ShapeError } from '../../src/errors.js';
import { initBackend } from '../../src/learn/backend.js';
import { tf } from '../../src/learn/tf.js';
import type { FeatureRows } from '../../src/metrics/featureRows.js';
import { drawRows, gaussianMmd, medianBandwidth } from '../../src/metrics/gaussianMmd.js';
import { kidOfAll, kidOverSubsets } from '../../src/metrics/kid.js';
import { RandomStream } from '../../src/random.js';
import { randomRows, rowAt, rowsOf } from './rows.js';

await initBackend({ prefer: 'wasm' });

type Kernel = (a: readonly number[], b: readonly number[]) => number;

const dot: Kernel = (a, b) => a.reduce((sum, value, i) => sum + value * b[i], 0);
const cubic: Kernel = (a, b) => (dot(a, b) / a.length + 1) ** 3;
const gaussian =
  (sigma: number): Kernel =>
  (a, b) =>
    Math.exp(-a.reduce((sum, value, i) => sum + (value - b[i]) ** 2, 0) / (2 * sigma ** 2));

/** Unbiased squared MMD in double precision, by the definition. */
function naiveMmd(x: number[][], y: number[][], kernel: Kernel): number {
  const within = (rows: number[][]) => {
    let sum = 0;
    for (const a of rows) for (const b of rows) sum += a === b ? 0 : kernel(a, b);
    return sum / (rows.length * (rows.length - 1));
  };
  let between = 0;
  for (const a of x) for (const b of y) between += kernel(a, b);
  return within(x) + within(y) - (2 * between) / (x.length * y.length);
}

/** V₂ from centred matrices written out. */
function naivePairs(x: number[][], y: number[][], kernel: Kernel): number {
  const squareSum = (matrix: number[][]) => matrix.flat().reduce((sum, value) => sum + value ** 2, 0);
  const [n, m] = [x.length, y.length];
  const inside = (rows: number[][]) => {
    const count = rows.length;
    const k = rows.map((a) => rows.map((b) => (a === b ? 0 : kernel(a, b))));
    const sums = k.map((row) => row.reduce((sum, value) => sum + value, 0));
    const all = sums.reduce((sum, value) => sum + value, 0);
    const centred = k.map((row, i) =>
      row.map((value, j) =>
        i === j ? 0 : value - (sums[i] + sums[j]) / (count - 2) + all / ((count - 1) * (count - 2)),
      ),
    );
    return squareSum(centred) / (count * (count - 3));
  };
  const cross = x.map((a) => y.map((b) => kernel(a, b)));
  const rowMeans = cross.map((row) => row.reduce((sum, value) => sum + value, 0) / m);
  const columnMeans = y.map((_, j) => cross.reduce((sum, row) => sum + row[j], 0) / n);
  const mean = rowMeans.reduce((sum, value) => sum + value, 0) / n;
  const centred = cross.map((row, i) => row.map((value, j) => value - rowMeans[i] - columnMeans[j] + mean));
  const across = squareSum(centred) / ((n - 1) * (m - 1));
  return (2 * inside(x)) / (n * (n - 1)) + (2 * inside(y)) / (m * (m - 1)) + (4 * across) / (n * m);
}

const nested = (rows: FeatureRows) => Array.from({ length: rows.count }, (_, i) => rowAt(rows, i));
const near = (a: number, b: number, tolerance: number, what = '') =>
  assert.ok(Math.abs(a - b) <= tolerance, `${what} ${a} against ${b}`);

test('both kernels over all images: the definition; the standard error by leaving rows out one by one, and by pairs', async () => {
  const [x, y] = [randomRows(13, 5, 1), randomRows(9, 5, 2, 0.2)];
  const [a, b] = [nested(x), nested(y)];
  const sigma = 0.9;
  for (const [kernel, result] of [
    [cubic, await kidOfAll(x, y)],
    [gaussian(sigma), await gaussianMmd(x, y, { bandwidth: sigma })],
  ] as const) {
    near(result.value, naiveMmd(a, b, kernel), 1e-6);
    const left = (rows: number[][], i: number) => rows.filter((_, j) => j !== i);
    const spread = (values: number[]) => {
      const mean = values.reduce((sum, v) => sum + v, 0) / values.length;
      return ((values.length - 1) / values.length) * values.reduce((sum, v) => sum + (v - mean) ** 2, 0);
    };
    const variance =
      spread(a.map((_, i) => naiveMmd(left(a, i), b, kernel))) +
      spread(b.map((_, i) => naiveMmd(a, left(b, i), kernel)));
    const pairs = naivePairs(a, b, kernel);
    near(result.standardError, Math.sqrt(Math.max(variance - pairs, pairs)), 1e-6);
  }
  // Of one distribution, pairs are what matters.
  const [c, d] = [randomRows(11, 5, 20), randomRows(14, 5, 21)];
  near((await kidOfAll(c, d)).standardError ** 2 / naivePairs(nested(c), nested(d), cubic), 1, 0.5);
});

test('by hand: four zeros and four ones, (ab + 1)³', async () => {
  // Within the zeros k = 1, within the ones k = 8, between k = 1: 1 + 8 − 2.
  const { value, standardError } = await kidOfAll(rowsOf([[0], [0], [0], [0]]), rowsOf([[1], [1], [1], [1]]));
  near(value, 7, 1e-12);
  near(standardError, 0, 1e-6);
});

test('intervals of 1.96 standard errors hold the true KID as often as they should, and 0 for one distribution', async () => {
  // Features are 1 with probability p, else 0, D = 1: k(1, 1) = 8, else 1, so MMD² = 7 (p − q)².
  const coins = (count: number, p: number, seed: number) => {
    const stream = new RandomStream({ seed, index: 0 });
    return rowsOf(Array.from({ length: count }, () => [stream.uniform() < p ? 1 : 0]));
  };
  for (const [p, q] of [
    [0.5, 0.5],
    [0.3, 0.7],
  ]) {
    const truth = 7 * (p - q) ** 2;
    let held = 0;
    let mean = 0;
    const runs = 300;
    for (let seed = 0; seed < runs; seed++) {
      const { value, standardError } = await kidOfAll(coins(60, p, 2 * seed), coins(60, q, 2 * seed + 1));
      held += Number(Math.abs(value - truth) <= 1.96 * standardError);
      mean += value / runs;
    }
    // 285 of 300 expected; unbiased within four standard errors of the mean.
    assert.ok(held >= 270, `p ${p}, q ${q}: ${held} of ${runs}`);
    near(mean, truth, 0.12, `p ${p}, q ${q}`);
  }
});

test('subsets: each the definition on rows drawn without replacement; all images in a subset give the value of all', async () => {
  const [x, y] = [randomRows(12, 4, 3), randomRows(15, 4, 4, 0.1)];
  const seed = 5;
  const { mean, std } = await kidOverSubsets(x, y, { subsetSize: 6, subsets: 3, seed });
  const values = [0, 1, 2].map((index) => {
    const [a, b] = [x, y].map((rows, node) =>
      drawRows(rows.count, 6, new RandomStream({ seed, index, node })).map((i) => rowAt(rows, i)),
    );
    assert.is(new Set(a.map(String)).size, 6);
    return naiveMmd(a, b, cubic);
  });
  const expected = values.reduce((sum, value) => sum + value, 0) / 3;
  near(mean, expected, 1e-5);
  near(std, Math.sqrt(values.reduce((sum, value) => sum + (value - expected) ** 2, 0) / 3), 1e-5);
  const whole = await kidOverSubsets(x, x, { subsetSize: 12, subsets: 2, seed });
  near(whole.mean, (await kidOfAll(x, x)).value, 1e-5);
  near(whole.std, 0, 1e-5);
  // Many subsets agree with all images.
  const many = await kidOverSubsets(x, y, { subsetSize: 6, subsets: 400, seed });
  near(many.mean, (await kidOfAll(x, y)).value, (4 * many.std) / Math.sqrt(400));
});

test('rows are drawn evenly, without replacement', () => {
  const counts = new Array(5).fill(0);
  for (let index = 0; index < 2000; index++) {
    const drawn = drawRows(5, 2, new RandomStream({ seed: 1, index }));
    assert.is(new Set(drawn).size, 2);
    for (const i of drawn) counts[i] += 1;
  }
  // 800 each, standard deviation 22.
  for (const count of counts) near(count, 800, 100);
  assert.equal(drawRows(3, 9, new RandomStream({ seed: 1, index: 0 })).sort(), [0, 1, 2]);
});

test('the median bandwidth: over pairs of both sets together', async () => {
  // Points 0, 1, 3, 7: distances 1, 2, 3, 4, 6, 7, of which the upper middle is 4.
  assert.is(medianBandwidth(rowsOf([[0], [3]]), rowsOf([[1], [7]])), 4);
  assert.is(medianBandwidth(rowsOf([[2], [2]]), rowsOf([[2], [2]])), 1);
  const result = await gaussianMmd(rowsOf([[0], [3], [0], [0]]), rowsOf([[1], [7], [7], [1]]));
  assert.is(result.bandwidth, medianBandwidth(rowsOf([[0], [3], [0], [0]]), rowsOf([[1], [7], [7], [1]])));
});

test('features far from 0 lose nothing: distances are taken from their mean', async () => {
  const [x, y] = [randomRows(20, 3, 6), randomRows(20, 3, 7, 0.3)];
  // Exact in single precision: multiples of 2⁻¹⁰ below 2¹³.
  const moved = (rows: FeatureRows, by: number) => ({
    ...rows,
    values: rows.values.map((value) => Math.round(value * 1024) / 1024 + by),
  });
  const here = await gaussianMmd(moved(x, 0), moved(y, 0), { bandwidth: 1 });
  const there = await gaussianMmd(moved(x, 4096), moved(y, 4096), { bandwidth: 1 });
  near(there.value, here.value, 1e-5);
});

test('what does not fit is refused; an abort ends it; no tensor is left behind', async () => {
  const before = tf.memory().numTensors;
  const fails = async (run: () => Promise<unknown>, kind: new (...args: never[]) => Error) => {
    try {
      await run();
    } catch (error) {
      assert.instance(error, kind);
      return;
    }
    assert.unreachable();
  };
  const [x, y] = [randomRows(6, 3, 8), randomRows(6, 3, 9)];
  await fails(() => kidOfAll(x, randomRows(6, 2, 1)), ShapeError);
  await fails(() => kidOfAll(x, randomRows(3, 3, 1)), ShapeError);
  await fails(() => kidOverSubsets(x, y, { subsetSize: 7, subsets: 1 }), ShapeError);
  await fails(() => gaussianMmd(x, y, { bandwidth: 0 }), ConfigError);
  class Enough extends Error {}
  const signal = AbortSignal.abort(new Enough());
  await fails(() => kidOfAll(x, y, { signal }), Enough);
  await fails(() => kidOverSubsets(x, y, { subsetSize: 3, subsets: 1, signal }), Enough);
  assert.is(tf.memory().numTensors, before);
});

test.run();
