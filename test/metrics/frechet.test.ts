import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { encodeNpy } from '../../src/dataset/npy.js';
import { ConfigError, ShapeError } from '../../src/errors.js';
import type { FeatureRows } from '../../src/metrics/featureRows.js';
import { featureGaussian, frechetDistance, gaussianFrechet } from '../../src/metrics/frechet.js';
import { frechetInterval } from '../../src/metrics/frechetInterval.js';
import { intervalFactor, normalQuantile } from '../../src/metrics/normalQuantile.js';
import { addRowProducts, choleskyRows } from '../../src/metrics/rowProducts.js';
import { symmetricEigenvalues } from '../../src/metrics/symmetricEigenvalues.js';
import { RandomStream } from '../../src/random.js';
import { findPython } from '../helpers/python.js';
import { randomRows, rowAt, rowsOf } from './rows.js';

const folder = mkdtempSync(join(tmpdir(), 'metasim-frechet-'));
test.after(() => rmSync(folder, { recursive: true }));

const near = (a: number, b: number, tolerance: number, what = '') =>
  assert.ok(Math.abs(a - b) <= tolerance * Math.max(1, Math.abs(b)), `${what} ${a} against ${b}`);

function randomMatrix(n: number, m: number, seed: number): Float64Array {
  const stream = new RandomStream({ seed, index: 0 });
  return Float64Array.from({ length: n * m }, () => 2 * stream.uniform() - 1);
}

/** Σ_k a[i, k] b[j, k], by a naive loop. */
function naiveProducts(a: Float64Array, n: number, b: Float64Array, m: number, length: number): Float64Array {
  const out = new Float64Array(n * m);
  for (let i = 0; i < n; i++) {
    for (let j = 0; j < m; j++) {
      for (let k = 0; k < length; k++) out[i * m + j] += a[i * length + k] * b[j * length + k];
    }
  }
  return out;
}

test('eigenvalues worked by hand: 2 × 2, diagonal, and the chain whose values are 2 − 2 cos(jπ/(n + 1))', () => {
  // λ² − 4λ + 3 = 0.
  assert.equal(
    Array.from(symmetricEigenvalues(Float64Array.of(2, 1, 1, 2), 2), (v) => Number(v.toFixed(12))),
    [1, 3],
  );
  assert.equal(Array.from(symmetricEigenvalues(Float64Array.of(5, 0, 0, 0, -7, 0, 0, 0, 0), 3)), [-7, 0, 5]);
  assert.equal(Array.from(symmetricEigenvalues(new Float64Array(4), 2)), [0, 0]);
  assert.equal(Array.from(symmetricEigenvalues(Float64Array.of(-3), 1)), [-3]);
  const n = 30;
  const chain = new Float64Array(n * n);
  for (let i = 0; i < n; i++) {
    chain[i * n + i] = 2;
    if (i > 0) chain[i * n + i - 1] = -1;
  }
  symmetricEigenvalues(chain, n).forEach((value, i) => {
    near(value, 2 - 2 * Math.cos(((i + 1) * Math.PI) / (n + 1)), 1e-13);
  });
});

test('eigenvalues of a full matrix of known spectrum, over sixteen powers of ten and with zeros', () => {
  // H D H with the reflection H = I − 2uuᵀ has the eigenvalues of D.
  const n = 40;
  const u = randomMatrix(1, n, 1);
  const norm = Math.sqrt(u.reduce((sum, v) => sum + v * v, 0));
  const spectrum = Float64Array.from({ length: n }, (_, i) => (i < 8 ? 0 : 10 ** (i / 4 - 6))).sort();
  const matrix = new Float64Array(n * n);
  for (let i = 0; i < n; i++) {
    for (let j = 0; j < n; j++) {
      for (let k = 0; k < n; k++) {
        const h = (r: number) => (r === k ? 1 : 0) - (2 * u[r] * u[k]) / norm ** 2;
        matrix[i * n + j] += spectrum[k] * h(i) * h(j);
      }
    }
  }
  const largest = spectrum[n - 1];
  symmetricEigenvalues(matrix, n).forEach((value, i) => {
    assert.ok(Math.abs(value - spectrum[i]) < 1e-13 * largest, `${value} against ${spectrum[i]}`);
  });
  assert.throws(
    () => symmetricEigenvalues(Float64Array.of(1, Number.NaN, 0, 1), 2),
    (e: Error) => e instanceof ShapeError,
  );
  assert.throws(
    () => symmetricEigenvalues(new Float64Array(5), 2),
    (e: Error) => e instanceof ShapeError,
  );
});

test('products of rows: tiles, edges and long rows as a naive loop has them', () => {
  for (const [n, m, length] of [
    [1, 1, 1],
    [4, 8, 3],
    [7, 5, 9],
    [6, 9, 4100],
  ]) {
    const [a, b] = [randomMatrix(n, length, 2), randomMatrix(m, length, 3)];
    const out = new Float64Array(n * m).fill(1);
    addRowProducts(a, n, b, m, length, out);
    for (const [i, value] of naiveProducts(a, n, b, m, length).entries()) near(out[i], value + 1, 1e-12);
    const own = new Float64Array(n * n);
    addRowProducts(a, n, a, n, length, own);
    const expected = naiveProducts(a, n, a, n, length);
    for (let i = 0; i < n; i++) for (let j = 0; j <= i; j++) near(own[i * n + j], expected[i * n + j], 1e-12);
  }
});

test('Cholesky rows multiply back to the covariance, also to one of rank 3 with a feature that never changes', () => {
  const [n, rank] = [9, 3];
  const factor = randomMatrix(n, rank, 4);
  factor.fill(0, 6, 9);
  const covariance = naiveProducts(factor, n, factor, n, rank);
  const { rows, rank: found } = choleskyRows(Float64Array.from(covariance), n);
  assert.is(found, rank);
  for (let i = 0; i < n; i++) {
    for (let j = 0; j < n; j++) {
      let sum = 0;
      for (let k = 0; k < found; k++) sum += rows[k * n + i] * rows[k * n + j];
      near(sum, covariance[i * n + j], 1e-12);
    }
  }
  assert.is(choleskyRows(new Float64Array(4), 2).rank, 0);
});

test('one feature: (μ_a − μ_b)² + (σ_a − σ_b)², by hand', () => {
  // a: mean 1, variance 1 (denominator 2); b: mean 6, variance 16. 25 + (1 − 4)² = 34.
  const distance = frechetDistance(rowsOf([[0], [1], [2]]), rowsOf([[2], [6], [10]]));
  near(distance, 34, 1e-12);
  assert.is(frechetDistance(rowsOf([[0], [1], [2]]), rowsOf([[0], [1], [2]])) < 1e-12, true);
});

test('independent features: the sum of theirs; turning both sets changes nothing', () => {
  // Corners of rectangles: axes are uncorrelated. a: variances 4/3, 4/3; b: 4/3 · 9 and 4/3 · 25, means 3 and 5.
  const corners = (x: number, y: number, mx: number, my: number) =>
    [
      [-x, -y],
      [-x, y],
      [x, -y],
      [x, y],
    ].map(([p, q]) => [p + mx, q + my]);
  const expected = 9 + 25 + (4 / 3) * ((1 - 3) ** 2 + (1 - 5) ** 2);
  const [a, b] = [corners(1, 1, 0, 0), corners(3, 5, 3, 5)];
  near(frechetDistance(rowsOf(a), rowsOf(b)), expected, 1e-6);
  const [c, s] = [Math.cos(0.7), Math.sin(0.7)];
  const turned = (rows: number[][]) => rowsOf(rows.map(([p, q]) => [c * p - s * q, s * p + c * q]));
  near(frechetDistance(turned(a), turned(b)), expected, 1e-6);
});

test('fewer and more images than features take different roads to one value', () => {
  // Five features padded with constant ones: the same distance, but 30 images are then fewer than 40 features.
  const pad = (rows: FeatureRows) =>
    rowsOf(Array.from({ length: rows.count }, (_, i) => [...rowAt(rows, i), ...Array(35).fill(0.25)]));
  const [a, b] = [randomRows(30, 5, 5), randomRows(36, 5, 6, 0.4)];
  assert.is(featureGaussian(pad(a)).rank, 30);
  assert.is(featureGaussian(a).rank, 5);
  near(frechetDistance(pad(a), pad(b)), frechetDistance(a, b), 1e-7);
  near(frechetDistance(pad(a), pad(b)), frechetDistance(pad(b), pad(a)), 1e-10);
});

test('counts: a row that counts twice is a row that is there twice', () => {
  const a = randomRows(12, 3, 7);
  const counts = [0, 2, 1, 1, 3, 0, 1, 1, 1, 0, 1, 1];
  const repeated = rowsOf(counts.flatMap((count, i) => Array.from({ length: count }, () => rowAt(a, i))));
  const b = featureGaussian(randomRows(20, 3, 8));
  near(gaussianFrechet(featureGaussian(a, counts), b), gaussianFrechet(featureGaussian(repeated), b), 1e-12);
});

const python = findPython('numpy');
const AGREES = 'numpy: the Fréchet distance by roots of matrices, more images than features and fewer';
if (!python) console.log(`# skip ${AGREES}: no Python with numpy`);
else {
  test(AGREES, () => {
    const script = `
import sys, json, numpy as np
def root(s):
    w, v = np.linalg.eigh(s)
    return (v * np.sqrt(np.maximum(w, 0))) @ v.T
out = []
for pair in range(2):
    a, b = (np.load(f"{sys.argv[1]}/{n}{pair}.npy").astype(np.float64) for n in "ab")
    sa, sb = np.cov(a, rowvar=False), np.cov(b, rowvar=False)
    r = root(sa)
    overlap = np.sqrt(np.maximum(np.linalg.eigvalsh(r @ sb @ r), 0)).sum()
    out.append(((a.mean(0) - b.mean(0)) ** 2).sum() + np.trace(sa) + np.trace(sb) - 2 * overlap)
print(json.dumps(out))`;
    const pairs = [
      [randomRows(400, 40, 9), randomRows(300, 40, 10, 0.1)],
      [randomRows(25, 40, 11), randomRows(60, 40, 12, 0.1)],
    ];
    pairs.forEach((pair, i) => {
      pair.forEach(({ values, count, length }, side) => {
        writeFileSync(join(folder, `${'ab'[side]}${i}.npy`), encodeNpy({ values, rows: count, columns: length }));
      });
    });
    const { stdout, stderr } = spawnSync(python, ['-c', script, folder], { encoding: 'utf8' });
    assert.is(stderr, '');
    (JSON.parse(stdout) as number[]).forEach((expected, i) => {
      near(frechetDistance(pairs[i][0], pairs[i][1]), expected, 1e-6, `pair ${i}`);
    });
  });
}

test('quantiles of the normal distribution, as tables have them', () => {
  for (const [p, z] of [
    [0.5, 0],
    [0.975, 1.959963985],
    [0.995, 2.575829304],
    [0.9, 1.281551566],
    [0.001, -3.090232306],
  ]) {
    near(normalQuantile(p), z, 1e-8);
  }
  near(intervalFactor(0.95), 1.959963985, 1e-8);
  for (const wrong of [0, 1, Number.NaN]) {
    assert.throws(
      () => intervalFactor(wrong),
      (error: Error) => error instanceof ConfigError,
    );
  }
});

test('bootstrap: seeded, and its interval, less the bias, holds the distance of the distributions', async () => {
  // Uniform numbers moved by 0.3 in each of 4 features: covariances are the same, d² = 4 · 0.09 (before mixing: shifts
  // add up along the row, which `randomRows` takes out of the neighbour's part).
  const truth = 4 * 0.3 ** 2;
  let held = 0;
  let above = 0;
  for (let seed = 0; seed < 40; seed++) {
    const [a, b] = [randomRows(60, 4, 100 + seed), randomRows(60, 4, 200 + seed, 0.3)];
    const { interval, value, bias } = await frechetInterval(a, b, { resamples: 40, seed });
    held += Number(interval[0] <= truth && truth <= interval[1]);
    above += (value - bias - truth) / 40;
  }
  // 95 % of 40 are 38; fewer than 33 have a chance of about 1 in 10,000.
  assert.ok(held >= 33, `${held} of 40`);
  assert.ok(Math.abs(above) < 0.03, String(above));
  const [a, b] = [randomRows(30, 4, 1), randomRows(30, 4, 2)];
  const once = await frechetInterval(a, b, { resamples: 5, seed: 3 });
  assert.equal(await frechetInterval(a, b, { resamples: 5, seed: 3 }), once);
  assert.not.equal((await frechetInterval(a, b, { resamples: 5, seed: 4 })).interval, once.interval);
  // Of one distribution the value is off 0 by its bias alone, which the interval takes off.
  assert.ok(once.bias > 0 && once.interval[0] <= 0, JSON.stringify(once));
});

test('other lengths, one image, numbers that are none: refused; an abort ends the bootstrap', async () => {
  const refused = (error: Error) => error instanceof ShapeError;
  assert.throws(() => frechetDistance(randomRows(5, 3, 1), randomRows(5, 4, 1)), refused);
  assert.throws(() => frechetDistance(randomRows(1, 3, 1), randomRows(5, 3, 1)), refused);
  assert.throws(() => frechetDistance(rowsOf([[1], [Number.NaN]]), rowsOf([[1], [2]])), refused);
  const controller = new AbortController();
  const reason = new Error('enough');
  let done = 0;
  try {
    await frechetInterval(randomRows(5, 3, 1), randomRows(5, 3, 2), {
      signal: controller.signal,
      onProgress: (samples) => {
        done = samples;
        controller.abort(reason);
      },
    });
    assert.unreachable();
  } catch (error) {
    assert.is(error, reason);
  }
  assert.is(done, 1);
});

test.run();
