import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { ShapeError } from '../../src/errors.js';
import { initBackend } from '../../src/learn/backend.js';
import { tf } from '../../src/learn/tf.js';
import { kernelInceptionDistance, pooledFeatures } from '../../src/metrics/kid.js';
import { RandomStream } from '../../src/random.js';

await initBackend({ prefer: 'wasm' });

function sample(rows: number, columns: number, seed: number, shift = 0): tf.Tensor2D {
  const stream = new RandomStream({ seed, index: 0 });
  return tf.tensor2d(
    Float32Array.from({ length: rows * columns }, () => stream.uniform() + shift),
    [rows, columns],
  );
}

test('two vectors a set: the value worked by hand', () => {
  // D = 1, k(a, b) = (ab + 1)³. x = {0, 1}, y = {1, 2}:
  // within x: k(0, 1) = 1; within y: k(1, 2) = 27; between: k(0,1) + k(0,2) + k(1,1) + k(1,2) = 1 + 1 + 8 + 27 = 37.
  // 1 + 27 − 2 · 37 / 4 = 9.5
  const kid = kernelInceptionDistance(tf.tensor2d([[0], [1]]), tf.tensor2d([[1], [2]]), { subsets: 1 });
  assert.ok(Math.abs(kid.mean - 9.5) < 1e-5);
  assert.is(kid.std, 0);
});

test('unbiased: sets of one distribution scatter around 0, others stand off it', () => {
  const same = kernelInceptionDistance(sample(2000, 8, 1), sample(2000, 8, 2), { subsetSize: 100, subsets: 20 });
  const other = kernelInceptionDistance(sample(2000, 8, 1), sample(2000, 8, 2, 0.2), { subsetSize: 100, subsets: 20 });
  assert.ok(Math.abs(same.mean) < (3 * same.std) / Math.sqrt(20), `${same.mean} ± ${same.std}`);
  assert.ok(other.mean > 10 * same.std, `${other.mean} against ${same.std}`);
});

test('subsets go around the end of a set that is too short for them', () => {
  const [x, y] = [sample(5, 3, 3), sample(7, 3, 4, 0.1)];
  const second = kernelInceptionDistance(x, y, { subsetSize: 4, subsets: 2 });
  const rows = (t: tf.Tensor2D, indices: number[]) => tf.tensor2d(indices.map((i) => (t.arraySync() as number[][])[i]));
  const parts = [
    kernelInceptionDistance(rows(x, [0, 1, 2, 3]), rows(y, [0, 1, 2, 3]), { subsets: 1 }).mean,
    kernelInceptionDistance(rows(x, [4, 0, 1, 2]), rows(y, [4, 5, 6, 0]), { subsets: 1 }).mean,
  ];
  assert.ok(Math.abs(second.mean - (parts[0] + parts[1]) / 2) < 1e-6);
  assert.ok(Math.abs(second.std - Math.abs(parts[0] - parts[1]) / 2) < 1e-6);
});

test('pooledFeatures: the mean over positions', () => {
  const pooled = pooledFeatures(tf.tensor4d([1, 10, 2, 20, 3, 30, 6, 60], [1, 2, 2, 2]));
  assert.equal(pooled.arraySync(), [[3, 30]]);
});

test('other lengths and single images are refused; no tensor is left behind', () => {
  const [x, y, z] = [sample(4, 3, 5), sample(4, 2, 6), sample(1, 3, 7)];
  const before = tf.memory().numTensors;
  const refused = (error: Error) => error instanceof ShapeError;
  assert.throws(() => kernelInceptionDistance(x, y), refused);
  assert.throws(() => kernelInceptionDistance(x, z), refused);
  kernelInceptionDistance(x, x, { subsets: 3 });
  assert.is(tf.memory().numTensors, before);
});

test.run();
