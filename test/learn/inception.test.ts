import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { AssetError, ConfigError, ShapeError } from '../../src/errors.js';
import { initBackend } from '../../src/learn/backend.js';
import {
  convolutionsOf,
  INCEPTION_STAGES,
  mapSize,
  minimumImageSize,
  stagesUpTo,
} from '../../src/learn/inception/architecture.js';
import { randomFilter } from '../../src/learn/inception/filters.js';
import { Inception } from '../../src/learn/inception/inception.js';
import { averagePool, convolution, joinChannels, maxPool } from '../../src/learn/inception/operations.js';
import { tf } from '../../src/learn/tf.js';
import { RandomStream } from '../../src/random.js';

await initBackend({ prefer: 'wasm' });

const DATA = process.env.METASIM_DATA ?? fileURLToPath(new URL('../../../shared/data', import.meta.url));
const FOLDER = join(DATA, 'inception_v3');
const withWeights = existsSync(join(FOLDER, 'stem_to_mixed2.bin'));
const testWithWeights = (name: string, body: () => Promise<void>) => {
  if (withWeights) test(name, body);
  else console.log(`# skip ${name}: no ${FOLDER}`);
};

function randomTensor(shape: number[], seed: number, low = 0, high = 1): tf.Tensor4D {
  const stream = new RandomStream({ seed, index: 0 });
  const size = shape.reduce((product, side) => product * side, 1);
  return tf.tensor(
    Float32Array.from({ length: size }, () => low + (high - low) * stream.uniform()),
    shape,
  ) as tf.Tensor as tf.Tensor4D;
}

const allClose = (a: ArrayLike<number>, b: ArrayLike<number>, tolerance: number, what: string) => {
  assert.is(a.length, b.length);
  let scale = 1e-30;
  for (let i = 0; i < b.length; i++) scale = Math.max(scale, Math.abs(b[i]));
  for (let i = 0; i < b.length; i++) {
    assert.ok(Math.abs(a[i] - b[i]) <= tolerance * scale, `${what}: ${a[i]} against ${b[i]} at ${i}`);
  }
};

testWithWeights('ImageNet weights: every recorded reference activation is met within 1e-3', async () => {
  interface Reference {
    shape: number[];
    mean: number;
    std: number;
    channel_means_first8: number[];
    pixel_0_0_first8: number[];
  }
  const { values } = JSON.parse(readFileSync(join(FOLDER, 'reference_activations.json'), 'utf8')) as {
    values: Record<string, Reference>;
  };
  const inception = await Inception.create({ layers: [64, 192, 768], weights: FOLDER });
  assert.is(inception.info.weights, 'imagenet');
  const side = 107;
  const pixels = new Float32Array(side * side * 3);
  for (let h = 0; h < side; h++) {
    for (let w = 0; w < side; w++) {
      // The reference takes its input as it is; ours maps [0, 1] to [−1, 1].
      for (let c = 0; c < 3; c++) pixels[(h * side + w) * 3 + c] = (Math.sin(0.1 * h + 0.23 * w + 0.7 * c) + 1) / 2;
    }
  }
  const names = Object.keys(values);
  assert.is(names.length, 7);
  const maps = inception.maps(tf.tensor4d(pixels, [1, side, side, 3]), names);
  names.forEach((name, i) => {
    const { shape, mean, std, channel_means_first8, pixel_0_0_first8 } = values[name];
    assert.equal(maps[i].shape.slice(1), shape, name);
    const map = maps[i].dataSync<'float32'>();
    const channels = shape[2];
    const average = map.reduce((sum, v) => sum + v, 0) / map.length;
    const deviation = Math.sqrt(map.reduce((sum, v) => sum + (v - average) ** 2, 0) / map.length);
    // Relative to the value, or for values near zero to the map's mean.
    const near = (value: number, expected: number, what: string) =>
      assert.ok(
        Math.abs(value - expected) <= 1e-3 * Math.max(Math.abs(expected), 0.1 * mean),
        `${name} ${what}: ${value} against ${expected}`,
      );
    near(average, mean, 'mean');
    near(deviation, std, 'std');
    pixel_0_0_first8.forEach((expected, c) => {
      near(map[c], expected, `pixel channel ${c}`);
    });
    channel_means_first8.forEach((expected, c) => {
      let sum = 0;
      for (let j = c; j < map.length; j += channels) sum += map[j];
      near(sum / (map.length / channels), expected, `mean of channel ${c}`);
    });
  });
  inception.dispose();
});

testWithWeights('the table of convolutions is the layer graph recorded with the weights', async () => {
  interface Layer {
    name: string;
    op: string;
    inputs: string[];
    strides?: [number, number];
    padding?: string;
    kernel_size?: [number, number];
  }
  const files = ['stem_to_mixed2', 'mixed3_to_mixed7'].map(
    (name) =>
      JSON.parse(readFileSync(join(FOLDER, `${name}.json`), 'utf8')) as {
        graph: Layer[];
        tensors: { name: string; shape: number[] }[];
      },
  );
  const graph = new Map(files.flatMap((file) => file.graph).map((layer) => [layer.name, layer]));
  const shapes = new Map(files.flatMap((file) => file.tensors).map(({ name, shape }) => [name, shape]));
  /** The convolutions and pools between a layer and the stage's input, last first. */
  const chain = (name: string, end: string): string[] => {
    const { op, inputs } = graph.get(name) as Layer;
    const own = op === 'Conv2D' || op.endsWith('Pooling2D') ? [name] : [];
    return inputs[0] === end || op === 'InputLayer' ? own : [...own, ...chain(inputs[0], end)];
  };
  let previous = 'input_1';
  for (const { name, branches } of stagesUpTo('mixed7')) {
    const joined = graph.get(name) as Layer;
    const ends = joined.op === 'Concatenate' ? joined.inputs : [name];
    assert.is(branches.length, ends.length, name);
    branches.forEach((steps, i) => {
      const layers = chain(ends[i], previous).reverse();
      assert.is(layers.length, steps.length, `${name} branch ${i}`);
      steps.forEach((step, j) => {
        const layer = graph.get(layers[j]) as Layer;
        if (step.kind !== 'conv') {
          assert.not.equal(step.kind, 'fork');
          assert.is(layer.op, step.kind === 'maxPool' ? 'MaxPooling2D' : 'AveragePooling2D');
          return;
        }
        assert.is(layer.name, `conv2d_${step.index}`);
        assert.equal(layer.kernel_size, [...step.size]);
        assert.equal(layer.strides, [step.stride, step.stride]);
        assert.is(layer.padding, step.padding);
        assert.equal(shapes.get(`conv2d_${step.index}/kernel`), [...step.size, step.inChannels, step.outChannels]);
      });
    });
    previous = name;
  }
  assert.is(convolutionsOf(stagesUpTo('mixed7')).length, 70);
});

test('the whole network has the parameters that Keras counts for InceptionV3 without its classifier', () => {
  const convolutions = convolutionsOf(INCEPTION_STAGES);
  assert.equal(
    convolutions.map(({ index }) => index),
    Array.from({ length: 94 }, (_, i) => i + 1),
  );
  // Kernel, and beta, mean and variance of each channel; `model.summary()` prints 21,802,784.
  const parameters = convolutions.reduce(
    (sum, { size, inChannels, outChannels }) => sum + size[0] * size[1] * inChannels * outChannels + 3 * outChannels,
    0,
  );
  assert.is(parameters, 21_802_784);
  assert.is(INCEPTION_STAGES.at(-1)?.outChannels, 2048);
  // 299 px: 35 × 35, 17 × 17 and 8 × 8 positions, as the paper on the network has them (Szegedy et al. 2016, table 1).
  assert.equal(
    ['mixed2', 'mixed7', 'mixed10'].map((stage) => mapSize(stage, 299)),
    [35, 17, 8],
  );
  // The 3 × 3 convolutions of 448 channels are the 82nd and the 91st.
  const wide = convolutions.filter(({ inChannels, size }) => inChannels === 448 && size[0] === 3);
  assert.equal(
    wide.map(({ index }) => index),
    [82, 91],
  );
});

test('layer 2048: its last stage is its branches and forks written out with tfjs alone', async () => {
  const inception = await Inception.create({ layers: [2048], weights: 'random', seed: 2 });
  const images = randomTensor([1, 107, 107, 3], 1);
  const before = tf.memory().numTensors;
  const [previous, map] = inception.maps(images, ['mixed9', 'mixed10']);
  assert.equal(map.shape, [1, 2, 2, 2048]);
  const expected = tf.tidy(() => {
    const apply = (x: tf.Tensor4D, index: number) => {
      const step = convolutionsOf(INCEPTION_STAGES)[index - 1];
      const { kernel } = randomFilter(step, 2);
      const filter = tf.tensor4d(kernel, [...step.size, step.inChannels, step.outChannels]);
      return tf.relu(tf.conv2d(x, filter, 1, 'same')) as tf.Tensor4D;
    };
    const short = apply(previous, 87);
    const long = apply(apply(previous, 90), 91);
    const pooled = apply(tf.avgPool(previous, 3, 1, 'same'), 94);
    return tf.concat(
      [apply(previous, 86), apply(short, 88), apply(short, 89), apply(long, 92), apply(long, 93), pooled],
      3,
    );
  });
  allClose(map.dataSync<'float32'>(), expected.dataSync<'float32'>(), 1e-4, 'mixed10');
  tf.dispose([previous, map, expected]);
  assert.is(tf.memory().numTensors, before);
  inception.dispose();
});

test('one grey channel gives the numbers of its replication to three', async () => {
  const inception = await Inception.create({ layers: [64, 192, 768], ...(withWeights ? { weights: FOLDER } : {}) });
  const grey = randomTensor([2, 45, 47, 1], 1);
  const fromGrey = inception.features(grey);
  const fromThree = inception.features(tf.tile(grey, [1, 1, 1, 3]) as tf.Tensor4D);
  fromGrey.forEach((map, i) => {
    assert.equal(map.shape, fromThree[i].shape);
    allClose(map.dataSync<'float32'>(), fromThree[i].dataSync<'float32'>(), 1e-5, `layer ${inception.info.layers[i]}`);
  });
  inception.dispose();
});

test('maps come in the order asked for, with the sizes of the architecture', async () => {
  const inception = await Inception.create({ layers: [192, 64], weights: 'random' });
  const [deep, shallow] = inception.features(randomTensor([3, 64, 40, 3], 2));
  // 64 → 31 → 29 → 29 → 14 and 40 → 19 → 17 → 17 → 8, then 14 → 12 → 5 and 8 → 6 → 2.
  assert.equal(shallow.shape, [3, 14, 8, 64]);
  assert.equal(deep.shape, [3, 5, 2, 192]);
  assert.is(mapSize('max_pooling2d_1', 64), 14);
  inception.dispose();
});

test("images below a layer's minimum are refused, and the minimum itself is taken", async () => {
  assert.equal(
    [64, 192, 768, 2048].map((layer) => minimumImageSize(layer as 64)),
    [11, 27, 43, 75],
  );
  const inception = await Inception.create({ layers: [64, 192], weights: 'random' });
  assert.equal(inception.features(randomTensor([1, 27, 27, 1], 3))[1].shape, [1, 1, 1, 192]);
  for (const shape of [
    [1, 26, 64, 1],
    [1, 64, 26, 1],
    [1, 64, 64, 2],
  ]) {
    assert.throws(
      () => inception.features(randomTensor(shape, 3)),
      (error: Error) => error instanceof ShapeError,
    );
  }
  inception.dispose();
});

test('the stand-in depends on its seed only, and its activations neither die nor blow up', async () => {
  const images = randomTensor([2, 64, 64, 3], 4);
  const run = async (seed: number, layers: (64 | 192 | 768)[]) => {
    const inception = await Inception.create({ layers, weights: 'random', seed });
    assert.is(inception.info.weights, 'random');
    assert.match(inception.info.source, String(seed));
    const maps = inception.features(images).map((map) => map.dataSync<'float32'>());
    inception.dispose();
    return maps;
  };
  const deep = await run(7, [64, 192, 768]);
  const shallow = await run(7, [64]);
  assert.equal(deep[0], shallow[0]);
  assert.not.equal((await run(8, [64]))[0], shallow[0]);
  for (const map of deep) {
    const rootMeanSquare = Math.sqrt(map.reduce((sum, v) => sum + v * v, 0) / map.length);
    const alive = map.reduce((count, v) => count + (v > 0 ? 1 : 0), 0) / map.length;
    assert.ok(rootMeanSquare > 0.1 && rootMeanSquare < 20, `rms ${rootMeanSquare}`);
    assert.ok(alive > 0.2, `${alive} of the activations are positive`);
  }
});

test('the gradient to the images is the central difference of a random projection of all layers', async () => {
  const inception = await Inception.create({ layers: [64, 192, 768], weights: 'random', seed: 1 });
  const images = randomTensor([1, 43, 43, 1], 5);
  const projections = inception.features(images).map((map, i) => randomTensor(map.shape, 10 + i, -1, 1));
  const loss = (x: tf.Tensor) => {
    const maps = inception.features(x as tf.Tensor4D);
    return tf.customGrad((...args) => ({
      value: maps.map((_, i) => tf.sum(tf.mul(args[i] as tf.Tensor, projections[i]))).reduce((a, b) => tf.add(a, b)),
      gradFunc: (dy: tf.Tensor) => projections.map((projection) => tf.mul(projection, dy)),
    }))(...maps);
  };
  const gradient = tf.grad(loss)(images);
  assert.equal(gradient.shape, images.shape);
  // Along itself, where the slope is its norm: it stands out from the kinks of the ReLUs.
  const norm = Math.sqrt(tf.sum(tf.square(gradient)).dataSync()[0]);
  const at = (t: number) => loss(tf.add(images, tf.mul(gradient, t / norm))).dataSync()[0];
  const numeric = (at(2e-3) - at(-2e-3)) / 4e-3;
  assert.ok(Math.abs(numeric - norm) < 0.01 * norm, `${numeric} against ${norm}`);
  inception.dispose();
});

// ---- operations against loops ----

/** ⟨gradient of op at x applied to dy⟩ must be the transpose of the naive Jacobian: compare with central differences. */
function checkGradient(op: (x: tf.Tensor4D) => tf.Tensor4D, x: tf.Tensor4D, tolerance: number): void {
  const out = op(x);
  const dy = randomTensor(out.shape, 21, -1, 1);
  const gradient = tf
    .grad((v: tf.Tensor) => op(v as tf.Tensor4D))(x, dy)
    .dataSync<'float32'>();
  const base = x.dataSync<'float32'>();
  const weights = dy.dataSync<'float32'>();
  const value = (v: Float32Array) =>
    op(tf.tensor4d(v, x.shape))
      .dataSync<'float32'>()
      .reduce((sum, y, i) => sum + y * weights[i], 0);
  const numeric = base.map((_, i) => {
    const [high, low] = [Float32Array.from(base), Float32Array.from(base)];
    high[i] += 1e-2;
    low[i] -= 1e-2;
    return (value(high) - value(low)) / (high[i] - low[i]);
  });
  allClose(gradient, numeric, tolerance, 'gradient');
}

test('averagePool leaves the padding out of the mean, and its gradient knows the border', () => {
  const x = randomTensor([2, 4, 3, 5], 11, -1, 1);
  const input = x.arraySync() as number[][][][];
  const out = averagePool(x).arraySync() as number[][][][];
  for (let y = 0; y < 4; y++) {
    for (let column = 0; column < 3; column++) {
      let sum = 0;
      let count = 0;
      for (let r = Math.max(0, y - 1); r <= Math.min(3, y + 1); r++) {
        for (let c = Math.max(0, column - 1); c <= Math.min(2, column + 1); c++) {
          sum += input[1][r][c][4];
          count += 1;
        }
      }
      assert.ok(Math.abs(out[1][y][column][4] - sum / count) < 1e-6);
    }
  }
  checkGradient(averagePool, x, 1e-3);
});

test('maxPool: gradient to the maximum of each window', () => {
  // Distinct values 0.05 apart, so that a step of 0.01 never changes the maximum.
  const order = Float32Array.from({ length: 7 * 7 * 2 }, (_, i) => ((i * 37) % 98) * 0.05);
  checkGradient(maxPool, tf.tensor4d(order, [1, 7, 7, 2]), 1e-3);
});

test('joinChannels: splits the gradient', () => {
  const other = randomTensor([1, 2, 2, 3], 13);
  checkGradient((x) => joinChannels([x, other, x]), randomTensor([1, 2, 2, 2], 14), 1e-3);
});

for (const [strides, pad, size] of [
  [1, 'same', [3, 3]],
  [2, 'valid', [3, 3]],
  [1, 'same', [1, 7]],
  [1, 'valid', [1, 1]],
] as const) {
  test(`convolution ${size.join(' × ')}, stride ${strides}, ${pad}: gradient to the input`, () => {
    const kernel = randomTensor([...size, 2, 4], 15, -1, 1);
    // A positive bias keeps every unit on one side of the kink, where differences are exact.
    const bias = tf.tensor1d([30, 30, -30, 30]);
    checkGradient((x) => convolution(x, kernel, bias, strides, pad), randomTensor([1, 9, 9, 2], 16, -1, 1), 2e-3);
  });
}

test('no tensor is left behind', async () => {
  const before = tf.memory().numTensors;
  const inception = await Inception.create({ layers: [64, 192], weights: 'random' });
  const loaded = tf.memory().numTensors;
  const images = randomTensor([1, 32, 32, 1], 17);
  tf.dispose(inception.features(images));
  const gradient = tf.grad((x: tf.Tensor) => inception.features(x as tf.Tensor4D)[1])(images);
  tf.dispose([gradient, images]);
  assert.is(tf.memory().numTensors, loaded);
  inception.dispose();
  assert.is(tf.memory().numTensors, before);
});

test('unknown layers and folders without weights are refused by name', async () => {
  const failure = async (options: Parameters<typeof Inception.create>[0]): Promise<Error> => {
    try {
      await Inception.create(options);
    } catch (error) {
      return error as Error;
    }
    throw new Error('nothing was thrown');
  };
  assert.instance(await failure({ layers: [] }), ConfigError);
  assert.match((await failure({ layers: [1280 as 768] })).message, /1280/);
  const missing = await failure({ layers: [64], weights: '/nowhere/at/all' });
  assert.instance(missing, AssetError);
  assert.match(missing.message, /nowhere/);
});

test.run();
