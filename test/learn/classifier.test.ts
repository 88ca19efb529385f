import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { readMnist } from '../../src/assets/mnist.js';
import { ConfigError, ShapeError, TrainingError } from '../../src/errors.js';
import { disposeBackend, initBackend } from '../../src/learn/backend.js';
import { Classifier } from '../../src/learn/classifier.js';
import type { LabelledImages } from '../../src/learn/taskNetwork.js';
import { tf } from '../../src/learn/tf.js';
import { RandomStream } from '../../src/random.js';

test.before(async () => void (await initBackend({ prefer: 'wasm' })));
test.after(disposeBackend);

const SMALL = { width: 16, height: 16, channels: 1, classes: 3 } as const;

/** Horizontal, vertical and diagonal stripes at random phases, with noise. */
function stripes(count: number, seed: number): LabelledImages {
  const images = new Uint8Array(count * 256);
  const labels = new Int32Array(count);
  for (let i = 0; i < count; i++) {
    const stream = new RandomStream({ seed, index: i });
    labels[i] = i % 3;
    const phase = stream.integer(6);
    for (let y = 0; y < 16; y++) {
      for (let x = 0; x < 16; x++) {
        const along = labels[i] === 0 ? y : labels[i] === 1 ? x : x + y;
        images[i * 256 + y * 16 + x] = ((along + phase) % 6 < 3 ? 160 : 40) + stream.integer(60);
      }
    }
  }
  return { count, width: 16, height: 16, channels: 1, images, labels };
}

test('learns stripes that it has not seen, with sgd and with adam; reset forgets', async () => {
  for (const optimizer of ['sgd', 'adam'] as const) {
    const network = new Classifier({ ...SMALL, optimizer, momentum: 0.9, seed: 1 });
    const before = await network.score(stripes(120, 2));
    await network.train(stripes(300, 1), { epochs: 3 });
    const after = await network.score(stripes(120, 2));
    assert.ok(after > 0.95 && after > before, `${optimizer}: ${before} → ${after}`);
    network.reset(5);
    assert.ok((await network.score(stripes(120, 2))) < 0.8);
    network.dispose();
  }
});

test('an interrupted and resumed training ends with the same bytes as an uninterrupted one', async () => {
  for (const optimizer of ['sgd', 'adam'] as const) {
    const options = { ...SMALL, optimizer, learningRateDecay: 0.5, dropout: 0.3, seed: 2 ** 40 + 3 };
    const data = stripes(60, 1);
    const whole = new Classifier(options);
    await whole.train(data, { epochs: 3 });
    const first = new Classifier(options);
    await first.train(data, { epochs: 1 });
    const kept = await first.state();
    first.dispose();
    const second = new Classifier({ ...options, seed: 99 });
    second.load(kept);
    assert.is(second.epoch, 1);
    await second.train(data, { epochs: 2 });
    assert.equal(await second.state(), await whole.state());
    whole.dispose();
    second.dispose();
  }
});

test('another seed gives other weights, the same seed the same', async () => {
  const [a, b, c] = [1, 1, 2].map((seed) => new Classifier({ ...SMALL, seed }));
  const [stateA, stateB, stateC] = await Promise.all([a.state(), b.state(), c.state()]);
  assert.equal(stateA, stateB);
  assert.not.equal(stateA['conv1/weights'], stateC['conv1/weights']);
  // He: the variance of dense1's 1 · 1 · 64 inputs is 2 / 64.
  const weights = stateA['dense1/weights'];
  const variance = weights.reduce((sum, w) => sum + w * w, 0) / weights.length;
  assert.ok(Math.abs(variance * 32 - 1) < 0.05, `variance ${variance}`);
  for (const network of [a, b, c]) network.dispose();
});

test('one step of sgd moves the weights along the numeric gradient', async () => {
  // θ' = θ − η g with v = 0 before, so g = (θ − θ') / η; compared with the loss's central difference in one bias.
  const data = stripes(8, 4);
  const options = { ...SMALL, dropout: 0, batchSize: 8, learningRate: 1e-3, seed: 3 };
  const lossWith = async (state: Record<string, Float32Array>) => {
    const network = new Classifier(options);
    network.load(state);
    let loss = Number.NaN;
    await network.train(data, { epochs: 1, onStep: (_, value) => (loss = value) });
    network.dispose();
    return loss;
  };
  const network = new Classifier(options);
  const start = await network.state();
  await network.train(data, { epochs: 1 });
  const end = await network.state();
  network.dispose();
  for (const [name, index] of [
    ['dense3/bias', 1],
    ['conv2/bias', 0],
    ['conv1/weights', 7],
  ] as const) {
    const shifted = async (delta: number) => {
      const values = start[name].slice();
      values[index] += delta;
      return lossWith({ ...start, [name]: values });
    };
    const delta = 2e-3;
    const numeric = ((await shifted(delta)) - (await shifted(-delta))) / (2 * delta);
    const taken = (start[name][index] - end[name][index]) / options.learningRate;
    assert.ok(
      Math.abs(numeric - taken) < 0.03 * Math.max(0.05, Math.abs(numeric)),
      `${name}: ${numeric} against ${taken}`,
    );
  }
});

test('floats in [0, 1] mean the same as bytes', async () => {
  const data = stripes(24, 6);
  const floats = { ...data, images: Float32Array.from(data.images, (byte) => byte / 255) };
  const network = new Classifier({ ...SMALL, seed: 4 });
  assert.equal(await network.predict(floats), await network.predict(data));
  network.dispose();
});

test('abort stops between steps with the signal’s reason', async () => {
  const network = new Classifier(SMALL);
  const controller = new AbortController();
  let steps = 0;
  try {
    await network.train(stripes(80, 1), {
      signal: controller.signal,
      onStep: () => {
        if (++steps === 3) controller.abort(new Error('enough'));
      },
    });
    assert.unreachable();
  } catch (error) {
    assert.is((error as Error).message, 'enough');
  }
  assert.is(steps, 3);
  assert.is(network.epoch, 0);
  network.dispose();
});

test('the event loop turns during training', async () => {
  const network = new Classifier(SMALL);
  let turns = 0;
  const timer = setInterval(() => turns++, 1);
  await network.train(stripes(400, 1), { epochs: 1 });
  clearInterval(timer);
  assert.ok(turns >= 2);
  network.dispose();
});

test('no tensors are left behind', async () => {
  const before = tf.memory().numTensors;
  const network = new Classifier(SMALL);
  const own = tf.memory().numTensors;
  const data = stripes(20, 1);
  await network.train(data, { epochs: 1 });
  await network.score(data);
  network.load(await network.state());
  network.reset(2);
  assert.is(tf.memory().numTensors, own);
  network.dispose();
  assert.is(tf.memory().numTensors, before);
});

test('wrong options, images, labels and states are refused', async () => {
  assert.throws(
    () => new Classifier({ ...SMALL, width: 8 }),
    (e: Error) => e instanceof ConfigError && /from \d+ \(for \d+ convolutions?\) to 4096 for width/.test(e.message),
  );
  assert.throws(
    () => new Classifier({ ...SMALL, dropout: 1 }),
    (e: Error) => e instanceof ConfigError && /dropout/.test(e.message),
  );
  const network = new Classifier(SMALL);
  const data = stripes(4, 1);
  for (const wrong of [
    { ...data, width: 15 },
    { ...data, count: 5 },
    { ...data, labels: Int32Array.of(0, 1, 2, 3) },
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
    () => network.load({ ...state, 'conv1/weights': new Float32Array(3) }),
    (e: Error) => e instanceof TrainingError && /conv1\/weights/.test(e.message),
  );
  network.dispose();
});

const MNIST = resolve(
  process.env.METASIM_DATA ?? fileURLToPath(new URL('../../../shared/data', import.meta.url)),
  'mnist',
);
const MNIST_TEST = 'MNIST: above 94 % on 1000 test digits after 8000 images';
if (existsSync(MNIST)) {
  test(MNIST_TEST, async () => {
    const digits = (split: 'train' | 'test', to: number): LabelledImages => {
      const { count, images, labels } = readMnist(MNIST, split, { to });
      return { count, width: 28, height: 28, channels: 1, images, labels: Int32Array.from(labels) };
    };
    const network = new Classifier({
      width: 28,
      height: 28,
      channels: 1,
      classes: 10,
      momentum: 0.9,
      dropout: 0.1,
      seed: 1,
    });
    await network.train(digits('train', 8000), { epochs: 1 });
    const accuracy = await network.score(digits('test', 1000));
    assert.ok(accuracy > 0.94, `accuracy ${accuracy}`);
    network.dispose();
  });
} else {
  console.log(`# skip ${MNIST_TEST}: no MNIST in METASIM_DATA`);
}

test.run();
