import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { ConfigError, ShapeError, TrainingError } from '../../src/errors.js';
import { disposeBackend, initBackend } from '../../src/learn/backend.js';
import { convolutionLayer } from '../../src/learn/convolutionLayer.js';
import { pixelCrossEntropy } from '../../src/learn/pixelCrossEntropy.js';
import type { SegmentedImages } from '../../src/learn/taskNetwork.js';
import { tf } from '../../src/learn/tf.js';
import { UNet } from '../../src/learn/unet.js';
import { upsampleConcat } from '../../src/learn/upsample.js';
import { RandomStream } from '../../src/random.js';

test.before(async () => void (await initBackend({ prefer: 'wasm' })));
test.after(disposeBackend);

const SMALL = { width: 16, height: 16, channels: 3, classes: 3, filters: [8, 12, 16], batchSize: 4 } as const;

/** A bright square (class 1) and a dark disc (class 2) on noisy grey (class 0); a margin of one pixel is ignored. */
function shapes(count: number, seed: number, width = 16, height = 16): SegmentedImages {
  const images = new Uint8Array(count * width * height * 3);
  const masks = new Uint8Array(count * width * height);
  for (let i = 0; i < count; i++) {
    const stream = new RandomStream({ seed, index: i });
    const [squareX, squareY] = [stream.integer(width - 6), stream.integer(height - 6)];
    const [discX, discY] = [3 + stream.integer(width - 6), 3 + stream.integer(height - 6)];
    for (let y = 0; y < height; y++) {
      for (let x = 0; x < width; x++) {
        const inSquare = x >= squareX && x < squareX + 6 && y >= squareY && y < squareY + 6;
        const inDisc = (x - discX) ** 2 + (y - discY) ** 2 <= 9;
        const kind = inDisc ? 2 : inSquare ? 1 : 0;
        const at = (i * height + y) * width + x;
        const border = x === 0 || y === 0 || x === width - 1 || y === height - 1;
        masks[at] = border ? 255 : kind;
        for (let c = 0; c < 3; c++) images[3 * at + c] = [100, 200, 30][kind] + stream.integer(50);
      }
    }
  }
  return { count, width, height, channels: 3, images, masks };
}

function random(shape: number[], seed: number): tf.Tensor4D {
  const stream = new RandomStream({ seed, index: 0 });
  const values = Float32Array.from({ length: tf.util.sizeFromShape(shape) }, () => 2 * stream.uniform() - 1);
  return tf.tensor4d(values, shape as [number, number, number, number]);
}

function assertClose(actual: tf.Tensor, expected: tf.Tensor, tolerance: number, name: string): void {
  assert.equal(actual.shape, expected.shape, name);
  const [a, b] = [actual, expected].map((tensor) => tensor.dataSync<'float32'>());
  const worst = a.reduce((most, value, i) => Math.max(most, Math.abs(value - b[i])), 0);
  assert.ok(worst <= tolerance, `${name}: off by ${worst}`);
}

test('seven convolutions of 16 to 64 filters by default, as the paper has it', async () => {
  const network = new UNet({ width: 32, height: 32, channels: 3, classes: 5 });
  const sizes = Object.entries(await network.state())
    .filter(([name]) => name.endsWith('/bias'))
    .map(([name, { length }]) => [name.split('/')[0], length]);
  assert.equal(sizes, [
    ...[
      ['down1', 16],
      ['down2', 32],
      ['down3', 64],
      ['bottom', 32],
      ['up2', 16],
      ['up1', 16],
    ],
    ['classify', 5],
  ]);
  network.dispose();
});

test('the layer is the convolution that tfjs composes, gradients too', () => {
  const before = tf.memory().numTensors;
  tf.tidy(() => {
    const [x, filter, bias] = [
      random([2, 7, 6, 3], 1),
      random([3, 3, 3, 5], 2),
      tf.reshape(random([1, 1, 1, 5], 3), [5]),
    ];
    const dy = random([2, 7, 6, 5], 4);
    const ours = (...[a, f, b]: tf.Tensor[]) =>
      convolutionLayer(a as tf.Tensor4D, f, b, { pad: 'same', activation: 'relu', inputGradient: true });
    const theirs = (...[a, f, b]: tf.Tensor[]) =>
      tf.relu(tf.add(tf.conv2d(a as tf.Tensor4D, f as tf.Tensor4D, 1, 'same'), b));
    assertClose(ours(x, filter, bias), theirs(x, filter, bias), 1e-6, 'forward');
    const gradients = [ours, theirs].map((layer) => tf.grads(layer)([x, filter, bias], dy));
    for (const [i, name] of ['x', 'filter', 'bias'].entries()) {
      assertClose(gradients[0][i], gradients[1][i], 2e-5, `gradient of ${name}`);
    }
    const withoutInput = tf.grads((f, b) =>
      convolutionLayer(x, f, b, { pad: 'same', activation: 'relu', inputGradient: false }),
    )([filter, bias], dy);
    for (const i of [0, 1]) assertClose(withoutInput[i], gradients[1][i + 1], 2e-5, `without input ${i}`);
  });
  assert.is(tf.memory().numTensors, before);
});

test('upsampling with joining repeats pixels, and its gradient sums over the copies', () => {
  tf.tidy(() => {
    // Odd channel counts take the kernels' scalar ends.
    for (const [c, s] of [
      [8, 4],
      [5, 3],
    ]) {
      const [low, skip] = [random([2, 3, 2, c], 1), random([2, 6, 4, s], 2)];
      const out = upsampleConcat(low, skip);
      const [a, b, y] = [low, skip, out].map((tensor) => tensor.arraySync() as number[][][][]);
      const [dLow, dSkip] = tf.grads((l, k) => tf.square(upsampleConcat(l as tf.Tensor4D, k as tf.Tensor4D)))([
        low,
        skip,
      ]);
      const [gLow, gSkip] = [dLow, dSkip].map((tensor) => tensor.arraySync() as number[][][][]);
      for (let n = 0; n < 2; n++) {
        for (let h = 0; h < 6; h++) {
          for (let w = 0; w < 4; w++) {
            assert.equal(y[n][h][w], [...a[n][h >> 1][w >> 1], ...b[n][h][w]]);
            // d(v²)/dv of four copies.
            for (let k = 0; k < c; k++) {
              assert.ok(Math.abs(gLow[n][h >> 1][w >> 1][k] - 8 * a[n][h >> 1][w >> 1][k]) < 1e-5);
            }
            for (let k = 0; k < s; k++) assert.ok(Math.abs(gSkip[n][h][w][k] - 2 * b[n][h][w][k]) < 1e-6);
          }
        }
      }
    }
  });
});

test('the loss is the weighted mean of −ln p, worked by hand, and 0 where every pixel is ignored', () => {
  tf.tidy(() => {
    // Two classes. Pixel 0: logits 0, 0 → p = ½, class 0, weight 1. Pixel 1: 0, ln 3 → p₁ = ¾, class 1, weight 3.
    const logits = tf.tensor4d([0, 0, 0, Math.log(3), 5, 5], [1, 1, 3, 2]);
    const masks = Uint8Array.of(0, 1, 255);
    const loss = pixelCrossEntropy(logits, masks, [1, 3]).dataSync()[0];
    assert.ok(Math.abs(loss - (Math.log(2) - 3 * Math.log(0.75)) / 4) < 1e-6);
    const gradient = tf.grad((x) => pixelCrossEntropy(x as tf.Tensor4D, masks, [1, 3]))(logits);
    // w (p − 1ₖ) / 4: (½ − 1) / 4, ½ / 4; 3 · ¼ / 4, 3 · (¾ − 1) / 4; nothing.
    const expected = [-0.125, 0.125, 0.1875, -0.1875, 0, 0];
    assertClose(gradient, tf.tensor4d(expected, [1, 1, 3, 2]), 1e-6, 'gradient');
    assert.is(pixelCrossEntropy(logits, Uint8Array.of(255, 255, 255), [1, 3]).dataSync()[0], 0);
  });
});

test('one step of sgd moves the weights along the numeric gradient', async () => {
  // θ' = θ − η g with v = 0 before, so g = (θ − θ') / η; compared with the loss's central difference in one weight.
  const data = shapes(4, 4, 14, 10);
  const options = {
    ...SMALL,
    ...({ width: 14, height: 10, optimizer: 'sgd', learningRate: 1e-3, balance: true, seed: 3 } as const),
  };
  const lossWith = async (state: Record<string, Float32Array>) => {
    const network = new UNet(options);
    network.load(state);
    let loss = Number.NaN;
    await network.train(data, { epochs: 1, onStep: (_, value) => (loss = value) });
    network.dispose();
    return loss;
  };
  const network = new UNet(options);
  const start = await network.state();
  await network.train(data, { epochs: 1 });
  const end = await network.state();
  network.dispose();
  const chosen = ['down1/weights', 'down3/weights', 'bottom/bias', 'up2/weights', 'up1/weights', 'classify/bias'];
  for (const name of chosen) {
    const taken = start[name].map((value, i) => (value - end[name][i]) / options.learningRate);
    // The entry with the steepest slope stands out of rounding.
    const index = taken.reduce((best, value, i) => (Math.abs(value) > Math.abs(taken[best]) ? i : best), 0);
    const shifted = async (delta: number) => {
      const values = start[name].slice();
      values[index] += delta;
      return lossWith({ ...start, [name]: values });
    };
    const delta = 2e-3;
    const numeric = ((await shifted(delta)) - (await shifted(-delta))) / (2 * delta);
    const error = Math.abs(numeric - taken[index]);
    assert.ok(error < 0.04 * Math.abs(numeric), `${name}[${index}]: ${numeric} against ${taken[index]}`);
  }
});

test('learns to find shapes that it has not seen; reset forgets', async () => {
  const network = new UNet({ ...SMALL, learningRate: 0.005, background: 0, classNames: ['ground', 'square', 'disc'] });
  const test = shapes(30, 2);
  const before = await network.score(test);
  await network.train(shapes(120, 1), { epochs: 4 });
  const { score, details = {} } = await network.evaluate(test);
  console.log(`# mean IoU ${before.toFixed(3)} → ${score.toFixed(3)}`);
  assert.ok(score > 0.9 && before < 0.5, `${before} → ${score}`);
  assert.equal(Object.keys(details), ['iou/ground', 'iou/square', 'iou/disc']);
  assert.ok(Math.abs(score - (details['iou/square'] + details['iou/disc']) / 2) < 1e-12, 'the background is left out');
  assert.is(await network.score(test), score);
  network.reset(5);
  assert.ok((await network.score(test)) < 0.5);
  network.dispose();
});

test('a class that is never there is left out of the details; the score of nothing is 0', async () => {
  const network = new UNet({ ...SMALL, classes: 2, background: 0 });
  const data = { ...shapes(2, 1), masks: new Uint8Array(2 * 256).fill(255) };
  const { score, details } = await network.evaluate(data);
  assert.is(score, 0);
  assert.equal(details, {});
  network.dispose();
});

test('an interrupted and resumed training ends with the same bytes as an uninterrupted one', async () => {
  for (const optimizer of ['sgd', 'adam'] as const) {
    const options = { ...SMALL, optimizer, learningRateDecay: 0.5, balance: true, seed: 2 ** 40 + 3 };
    const data = shapes(10, 1);
    const whole = new UNet(options);
    await whole.train(data, { epochs: 3 });
    const first = new UNet(options);
    await first.train(data, { epochs: 1 });
    const kept = await first.state();
    first.dispose();
    const second = new UNet({ ...options, seed: 99 });
    second.load(kept);
    await second.train(data, { epochs: 2 });
    assert.equal(await second.state(), await whole.state());
    whole.dispose();
    second.dispose();
  }
});

test('one and two threads train to the same bytes', async () => {
  // Large enough for the kernels to be split.
  const options = { width: 48, height: 48, channels: 3, classes: 3, batchSize: 4, seed: 1 } as const;
  const data = shapes(4, 1, 48, 48);
  const states: Record<string, Float32Array>[] = [];
  for (const threads of [1, 2]) {
    await initBackend({ prefer: 'wasm', threads });
    const network = new UNet(options);
    await network.train(data, { epochs: 2 });
    states.push(await network.state());
    network.dispose();
  }
  await initBackend({ prefer: 'wasm' });
  assert.equal(states[1], states[0]);
});

test('sizes that halving does not divide: what lies beyond the image changes nothing', async () => {
  const data = shapes(6, 3, 17, 10);
  const network = new UNet({ ...SMALL, width: 17, height: 10, learningRate: 0.005 });
  await network.train(data, { epochs: 30 });
  assert.ok((await network.score(data)) > 0.7);
  assert.is((await network.predict(data)).length, 6 * 17 * 10);
  network.dispose();
});

test('floats in [0, 1] mean the same as bytes', async () => {
  const data = shapes(3, 6);
  const network = new UNet({ ...SMALL, seed: 4 });
  const floats = { ...data, images: Float32Array.from(data.images, (byte) => byte / 255) };
  assert.equal(await network.predict(floats), await network.predict(data));
  network.dispose();
});

test('the plain backend computes the same network without our kernels', async () => {
  const data = shapes(2, 6);
  const predictions: Uint8Array[] = [];
  const losses: number[] = [];
  for (const prefer of ['wasm', 'cpu'] as const) {
    await initBackend({ prefer });
    const network = new UNet({ ...SMALL, filters: [4, 6], batchSize: 2, seed: 4 });
    await network.train(data, { epochs: 3, onStep: (_, loss) => losses.push(loss) });
    predictions.push(await network.predict(data));
    network.dispose();
  }
  await initBackend({ prefer: 'wasm' });
  for (const i of [0, 1, 2]) assert.ok(Math.abs(losses[i] - losses[i + 3]) < 1e-4, `${losses}`);
  const differing = predictions[0].filter((value, i) => value !== predictions[1][i]).length;
  assert.ok(differing <= 2, `${differing} pixels differ`);
});

test('no tensors are left behind', async () => {
  const before = tf.memory().numTensors;
  const network = new UNet(SMALL);
  const own = tf.memory().numTensors;
  const data = shapes(6, 1);
  await network.train(data, { epochs: 1 });
  await network.score(data);
  network.load(await network.state());
  network.reset(2);
  assert.is(tf.memory().numTensors, own);
  network.dispose();
  assert.is(tf.memory().numTensors, before);
});

test('wrong options, images, masks and states are refused', async () => {
  const refused = (options: object, name: RegExp) =>
    assert.throws(
      () => new UNet({ ...SMALL, ...options }),
      (error: Error) => error instanceof ConfigError && name.test(error.message),
    );
  refused({ width: 3 }, /width/);
  refused({ filters: [16] }, /filters/);
  refused({ filters: [16, 0.5] }, /filters/);
  refused({ classes: 256 }, /classes/);
  refused({ background: 3 }, /background/);
  refused({ classNames: ['a'] }, /classNames/);
  const network = new UNet(SMALL);
  const data = shapes(2, 1);
  for (const wrong of [
    { ...data, width: 15 },
    { ...data, count: 3 },
    { ...data, masks: data.masks.subarray(1) },
    { ...data, masks: data.masks.map((value) => (value === 2 ? 3 : value)) },
  ]) {
    try {
      await network.score(wrong);
      assert.unreachable();
    } catch (error) {
      assert.instance(error, ShapeError);
    }
  }
  const state = await network.state();
  assert.throws(
    () => network.load({ ...state, 'down1/weights': new Float32Array(3) }),
    (e: Error) => e instanceof TrainingError && /down1\/weights/.test(e.message),
  );
  network.dispose();
});

test.run();
