import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { ConfigError, ShapeError } from '../../src/errors.js';
import { initBackend } from '../../src/learn/backend.js';
import type { FeatureExtractor } from '../../src/learn/inception/inception.js';
import { Inception } from '../../src/learn/inception/inception.js';
import { tf } from '../../src/learn/tf.js';
import type { Bandwidth } from '../../src/loss/gaussianKernel.js';
import { MmdLoss } from '../../src/loss/mmd.js';
import { RandomStream } from '../../src/random.js';

await initBackend({ prefer: 'wasm' });

const SIZE = 6;

function randomImages(count: number, seed: number, size = SIZE, offset = 0): Float32Array {
  const stream = new RandomStream({ seed, index: 0 });
  return Float32Array.from({ length: count * size * size }, () => offset + (1 - offset) * stream.uniform());
}

const asTensor = (images: Float32Array, size = SIZE) =>
  tf.tensor4d(images, [images.length / size / size, size, size, 1]);

/** Two maps of different size: the image itself, and the means of its 2 × 2 blocks. */
const smallExtractor: FeatureExtractor = {
  features: (images) => {
    const halves = tf.customGrad((x) => {
      const value = tf.avgPool(x as tf.Tensor4D, 2, 2, 'valid');
      const gradFunc = (dy: tf.Tensor) => {
        const [n, h, w, c] = dy.shape;
        const spread = tf.tile(tf.reshape(dy, [n, h, 1, w, 1, c]), [1, 1, 2, 1, 2, 1]);
        return tf.mul(tf.reshape(spread, [n, 2 * h, 2 * w, c]), 0.25);
      };
      return { value, gradFunc };
    })(images) as tf.Tensor4D;
    const same = tf.customGrad((x) => ({ value: tf.clone(x as tf.Tensor), gradFunc: (dy: tf.Tensor) => dy }))(images);
    return [same as tf.Tensor4D, halves];
  },
};

// ---- the same loss, written as naive double loops in float64 ----

function naiveMaps(images: Float32Array): { map: Float64Array; side: number; count: number }[] {
  const count = images.length / SIZE / SIZE;
  const half = SIZE / 2;
  const halves = new Float64Array(count * half * half);
  for (let n = 0; n < count; n++) {
    for (let y = 0; y < SIZE; y++) {
      for (let x = 0; x < SIZE; x++) {
        halves[(n * half + (y >> 1)) * half + (x >> 1)] += images[(n * SIZE + y) * SIZE + x] / 4;
      }
    }
  }
  return [
    { map: Float64Array.from(images), side: SIZE, count },
    { map: halves, side: half, count },
  ];
}

/** Rows of one feature vector an image: each sample sums the map under a Gaussian cut off at four σ. */
function naiveBlur(
  { map, side, count }: { map: Float64Array; side: number; count: number },
  sigma: number,
): number[][] {
  const samples = sigma === 0 ? side : Math.ceil(side / Math.max(1, sigma));
  const gauss = (d: number) =>
    Math.abs(d) <= 4 * sigma ? Math.exp((-d * d) / (2 * sigma * sigma)) / (sigma * Math.sqrt(2 * Math.PI)) : 0;
  return Array.from({ length: count }, (_, n) => {
    if (sigma === 0) return Array.from(map.subarray(n * side * side, (n + 1) * side * side));
    const row: number[] = [];
    for (let i = 0; i < samples; i++) {
      for (let j = 0; j < samples; j++) {
        let sum = 0;
        for (let y = 0; y < side; y++) {
          for (let x = 0; x < side; x++) {
            const cy = ((i + 0.5) * side) / samples - 0.5;
            const cx = ((j + 0.5) * side) / samples - 0.5;
            sum += gauss(y - cy) * gauss(x - cx) * map[(n * side + y) * side + x];
          }
        }
        row.push(sum);
      }
    }
    return row;
  });
}

const distance2 = (a: number[], b: number[]) => a.reduce((sum, value, i) => sum + (value - b[i]) ** 2, 0);

function naiveMmd2(x: number[][], r: number[][], variances: number[]): number {
  const k = (a: number[], b: number[]) =>
    variances.reduce((sum, v) => sum + Math.exp(-distance2(a, b) / (2 * v)), 0) / variances.length;
  const mean = (p: number[][], q: number[][]) =>
    p.reduce((sum, a) => sum + q.reduce((inner, b) => inner + k(a, b), 0), 0) / (p.length * q.length);
  return mean(x, x) + mean(r, r) - 2 * mean(x, r);
}

function naiveMedian(rows: number[][]): number {
  const pairs: number[] = [];
  for (let i = 0; i < rows.length; i++)
    for (let j = i + 1; j < rows.length; j++) pairs.push(distance2(rows[i], rows[j]));
  return pairs.sort((a, b) => a - b)[Math.floor(pairs.length / 2)];
}

function naiveLoss(
  generated: Float32Array,
  real: Float32Array,
  bandwidth: Bandwidth,
  blurs: number[],
  weights: number[],
): number {
  let total = 0;
  const [x, r] = [naiveMaps(generated), naiveMaps(real)];
  const weightSum = weights.reduce((a, b) => a + b);
  for (let layer = 0; layer < 2; layer++) {
    for (const sigma of blurs) {
      const rows = naiveBlur(r[layer], sigma);
      const median = naiveMedian(rows);
      const variances =
        bandwidth.kind === 'fixed'
          ? [bandwidth.value ** 2]
          : (bandwidth.kind === 'median' ? [bandwidth.scale ?? 1] : bandwidth.scales).map((s) => s * median);
      total += (weights[layer] / weightSum / blurs.length) * naiveMmd2(naiveBlur(x[layer], sigma), rows, variances);
    }
  }
  return total;
}

const SETTINGS: [string, Bandwidth, number[], number[]][] = [
  ['fixed σ', { kind: 'fixed', value: 1.5 }, [0], [1, 1]],
  ['median heuristic', { kind: 'median' }, [0], [1, 1]],
  ['median heuristic, scaled', { kind: 'median', scale: 4 }, [0, 1.5], [1, 3]],
  ['mixture over blurs', { kind: 'mixture', scales: [0.25, 1, 4] }, [0, 1, 2], [2, 1]],
];

for (const [name, bandwidth, blur, layerWeights] of SETTINGS) {
  test(`eq. 1: ${name}: the value is that of float64 double loops`, async () => {
    const generated = randomImages(5, 1, SIZE, 0.3);
    const real = randomImages(7, 2);
    const target = asTensor(real);
    const loss = await MmdLoss.create({ extractor: smallExtractor, real: target, bandwidth, blur, layerWeights });
    const value = loss.value(asTensor(generated)).dataSync()[0];
    const expected = naiveLoss(generated, real, bandwidth, blur, layerWeights);
    assert.ok(expected > 0.01, 'the sets differ');
    assert.ok(Math.abs(value - expected) < 2e-6, `${value} against ${expected}`);
    const { layers, gradient } = loss.valueAndGradient(asTensor(generated));
    gradient.dispose();
    // With all the weight on one layer the naive sum is that layer's own.
    for (const [layer, only] of [
      [1, 0],
      [0, 1],
    ].entries()) {
      const alone = naiveLoss(generated, real, bandwidth, blur, only);
      assert.ok(Math.abs(layers[layer] - alone) < 2e-6, `layer ${layer}: ${layers[layer]} against ${alone}`);
    }
    loss.dispose();
  });

  test(`eq. 1: ${name}: the gradient is the naive value's central difference, pixel by pixel`, async () => {
    const generated = randomImages(4, 3, SIZE, 0.3);
    const real = randomImages(6, 4);
    const loss = await MmdLoss.create({
      extractor: smallExtractor,
      real: asTensor(real),
      bandwidth,
      blur,
      layerWeights,
    });
    const result = loss.valueAndGradient(asTensor(generated));
    const gradient = result.gradient.dataSync();
    const largest = Math.max(...gradient.map(Math.abs));
    assert.equal(result.gradient.shape, [4, SIZE, SIZE, 1]);
    for (let i = 0; i < gradient.length; i++) {
      const at = (step: number) => {
        const moved = Float32Array.from(generated);
        moved[i] += step;
        // The step that was really taken: float32 rounds.
        return { position: moved[i], value: naiveLoss(moved, real, bandwidth, blur, layerWeights) };
      };
      const [high, low] = [at(1e-3), at(-1e-3)];
      const numeric = (high.value - low.value) / (high.position - low.position);
      assert.ok(Math.abs(gradient[i] - numeric) < 1e-4 * largest, `pixel ${i}: ${gradient[i]} against ${numeric}`);
    }
    loss.dispose();
  });
}

test('eq. 1: 0 for a set compared with itself, in any order, and positive for any other', async () => {
  const real = randomImages(8, 5);
  const target = asTensor(real);
  const loss = await MmdLoss.create({
    extractor: smallExtractor,
    real: target,
    bandwidth: { kind: 'median' },
    blur: [0, 1],
  });
  const reversed = tf.reverse(target, 0);
  assert.ok(Math.abs(loss.value(target).dataSync()[0]) < 1e-6);
  assert.ok(Math.abs(loss.value(reversed).dataSync()[0]) < 1e-6);
  for (let seed = 10; seed < 20; seed++) assert.ok(loss.value(asTensor(randomImages(8, seed))).dataSync()[0] > 1e-3);
  loss.dispose();
});

test("the real images' batch size changes nothing", async () => {
  const real = asTensor(randomImages(11, 6));
  const generated = asTensor(randomImages(5, 7));
  const values: number[] = [];
  for (const realBatch of [1, 4, 50]) {
    const loss = await MmdLoss.create({ extractor: smallExtractor, real, realBatch });
    values.push(loss.value(generated).dataSync()[0]);
    loss.dispose();
  }
  assert.ok(Math.max(...values) - Math.min(...values) < 1e-6, values.join(', '));
});

test('through Inception: the gradient predicts the change of the value along itself', async () => {
  const inception = await Inception.create({ layers: [64, 192], weights: 'random', seed: 3 });
  const size = 29;
  const real = asTensor(randomImages(6, 8, size), size);
  const images = asTensor(randomImages(4, 9, size, 0.4), size);
  const loss = await MmdLoss.create({ extractor: inception, real });
  const { value, gradient } = loss.valueAndGradient(images);
  const square = tf.sum(tf.square(gradient)).dataSync()[0];
  // A step that changes the value by about 1 %.
  const step = (0.01 * value) / square;
  const along = (t: number) => loss.value(tf.add(images, tf.mul(gradient, t)) as tf.Tensor4D).dataSync()[0];
  const numeric = (along(step) - along(-step)) / (2 * step);
  assert.ok(Math.abs(numeric / square - 1) < 0.02, `${numeric} against ${square}`);
  loss.dispose();
  inception.dispose();
});

test('no tensor is left behind by create, value, valueAndGradient and dispose', async () => {
  const real = asTensor(randomImages(5, 1));
  const images = asTensor(randomImages(4, 2));
  const before = tf.memory().numTensors;
  const loss = await MmdLoss.create({ extractor: smallExtractor, real, blur: [0, 1] });
  const held = tf.memory().numTensors;
  loss.value(images).dispose();
  assert.is(tf.memory().numTensors, held);
  loss.valueAndGradient(images).gradient.dispose();
  assert.is(tf.memory().numTensors, held);
  loss.dispose();
  assert.is(tf.memory().numTensors, before);
});

test('options and shapes out of range are refused by name', async () => {
  const real = asTensor(randomImages(4, 1));
  const create = (options: object) => MmdLoss.create({ extractor: smallExtractor, real, ...options });
  const refused = async (options: object, word: RegExp, kind: typeof ConfigError | typeof ShapeError = ConfigError) => {
    try {
      await create(options);
    } catch (error) {
      assert.instance(error, kind);
      assert.match((error as Error).message, word);
      return;
    }
    assert.unreachable(`accepted ${JSON.stringify(options)}`);
  };
  await refused({ bandwidth: { kind: 'fixed', value: 0 } }, /bandwidth/);
  await refused({ bandwidth: { kind: 'mixture', scales: [] } }, /bandwidth/);
  await refused({ blur: [] }, /blur/);
  await refused({ blur: [-1] }, /blur/);
  await refused({ layerWeights: [1] }, /layerWeights/);
  await refused({ layerWeights: [0, 0] }, /layerWeights/);
  await refused({ real: asTensor(randomImages(1, 1)) }, /real images/, ShapeError);
  const loss = await create({});
  assert.throws(
    () => loss.value(asTensor(randomImages(2, 1, 8), 8)),
    (error: Error) => error instanceof ShapeError,
  );
  loss.dispose();
});

test.run();
