import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { Adam, cosineDecay, halving } from '../../src/learn/optimizer.js';
import { tf } from '../../src/learn/tf.js';
import { assignValues, type NamedVariable } from '../../src/learn/variables.js';
import { leakedTensors, useCpu } from '../helpers/backend.js';
import { scrambled } from '../helpers/numericGradient.js';

test.before(useCpu);

const named = (name: string, values: number[]): NamedVariable => ({
  name,
  variable: tf.tidy(() => tf.variable(tf.tensor1d(values))),
});
const read = ({ variable }: NamedVariable) => [...variable.dataSync()];
const dispose = (...variables: NamedVariable[]) => {
  for (const { variable } of variables) variable.dispose();
};
const close = (actual: number[], expected: number[], tolerance = 1e-6) => {
  expected.forEach((value, i) => {
    assert.ok(Math.abs(actual[i] - value) <= tolerance, `[${i}]: ${actual[i]} is not ${value}`);
  });
};

test('two steps of Adam worked by hand', async () => {
  const w = named('w', [1]);
  const adam = new Adam({ variables: [w], learningRate: 0.1, beta1: 0.5, beta2: 0.75, epsilon: 0 });
  // Step 1: both moments are corrected to g and g²: the step is the learning rate.
  await adam.applyGradients({ w: Float32Array.of(2) });
  close(read(w), [0.9]);
  // Step 2, g = 4: m = 0.5·1 + 0.5·4 = 2.5 (after m₁ = 1), corrected by 1 − 0.25: 10/3.
  // v = 0.75·1 + 0.25·16 = 4.75 (after v₁ = 1), corrected by 1 − 0.5625: 76/7.
  await adam.applyGradients({ w: Float32Array.of(4) });
  close(read(w), [0.9 - (0.1 * (10 / 3)) / Math.sqrt(76 / 7)]);
  assert.is(adam.step, 2);
  dispose(w);
});

test('it finds the minimum of a badly scaled quadratic', async () => {
  const w = named('w', [3, -4]);
  const adam = new Adam({ variables: [w], learningRate: cosineDecay(0.3, 400) });
  for (let i = 0; i < 400; i++) {
    const [x, y] = read(w);
    await adam.applyGradients({ w: Float32Array.of(2 * (x - 1), 2000 * (y - 2)) });
  }
  close(read(w), [1, 2], 1e-3);
  dispose(w);
});

test('weight decay: in the gradient as in PyTorch, or beside the step', async () => {
  const l2 = named('w', [2]);
  const decoupled = named('w', [2]);
  // g = 0. L2: the gradient is λθ, so the first step is the learning rate whatever λ. Decoupled: θ (1 − rate · λ).
  const zero = { w: Float32Array.of(0) };
  await new Adam({ variables: [l2], learningRate: 0.1, weightDecay: 0.01, epsilon: 0 }).applyGradients(zero);
  close(read(l2), [1.9]);
  const options = { variables: [decoupled], learningRate: 0.1, weightDecay: 0.01, decay: 'decoupled' as const };
  await new Adam(options).applyGradients(zero);
  close(read(decoupled), [2 * (1 - 0.001)]);
  dispose(l2, decoupled);
});

test('gradients above the norm are scaled together', async () => {
  const [a, b] = [named('a', [0]), named('b', [0])];
  // Norm 5, limit 1: gradients 0.6 and 0.8. With β₂ = 0 and ε = 1 a step is g / (|g| + 1).
  const adam = new Adam({ variables: [a, b], learningRate: 1, beta1: 0, beta2: 0, epsilon: 1, clipNorm: 1 });
  await adam.applyGradients({ a: Float32Array.of(3), b: Float32Array.of(4) });
  close([...read(a), ...read(b)], [-0.6 / 1.6, -0.8 / 1.8]);
  dispose(a, b);
});

test('frozen variables do not move: not by gradient, decay or momentum', async () => {
  const [free, frozen] = [named('free', [1]), named('frozen', [0.1])];
  const both = new Adam({ variables: [free, frozen], weightDecay: 0.1 });
  const gradients = { free: Float32Array.of(1), frozen: Float32Array.of(1) };
  await both.applyGradients(gradients);
  const before = read(frozen);
  const adam = new Adam({ variables: [free], weightDecay: 0.1 });
  for (let i = 0; i < 5; i++) await adam.applyGradients(gradients);
  assert.equal(read(frozen), before);
  assert.ok(read(free)[0] < 1);
  // A variable without a gradient rests too, with momentum left from before.
  await both.applyGradients({ free: Float32Array.of(1) });
  assert.equal(read(frozen), before);
  dispose(free, frozen);
});

test('learning-rate schedules', () => {
  const halve = halving(0.8, 10);
  assert.equal([0, 9, 10, 20].map(halve), [0.8, 0.8, 0.4, 0.2]);
  const cosine = cosineDecay(2, 100);
  close([0, 50, 100, 150].map(cosine), [2, 1, 0, 0]);
});

test('saved and loaded, it goes on to the bit', async () => {
  const gradient = (step: number) => ({ w: scrambled(20, step) });
  const straight = named('w', [...scrambled(20)]);
  const adam = new Adam({ variables: [straight], learningRate: halving(0.1, 3), weightDecay: 0.01 });
  for (let step = 0; step < 5; step++) await adam.applyGradients(gradient(step));
  const weights = Float32Array.from(read(straight));
  const state = adam.save();
  for (let step = 5; step < 9; step++) await adam.applyGradients(gradient(step));

  const resumed = named('w', [...scrambled(20, 2)]);
  assignValues(resumed.variable, weights);
  const again = new Adam({ variables: [resumed], learningRate: halving(0.1, 3), weightDecay: 0.01 });
  again.load(state);
  for (let step = 5; step < 9; step++) await again.applyGradients(gradient(step));
  assert.equal(read(resumed), read(straight));
  dispose(straight, resumed);
});

test('bad gradients and states are refused by name and change nothing', async () => {
  const w = named('w', [1, 2]);
  const adam = new Adam({ variables: [w] });
  for (const bad of [
    Float32Array.of(1),
    Float32Array.of(1, Number.NaN),
    Float32Array.of(Number.POSITIVE_INFINITY, 0),
  ]) {
    try {
      await adam.applyGradients({ w: bad });
      assert.unreachable();
    } catch (error) {
      assert.match((error as Error).message, /gradient of "w"/);
    }
  }
  assert.equal(read(w), [1, 2]);
  assert.is(adam.step, 0);
  assert.throws(() => adam.load({ step: 1, moments: {} }), /Expected 2 moments/);
  const moment = { shape: [1], data: Float32Array.of(0) };
  assert.throws(() => adam.load({ step: 1, moments: { 'w/m': moment, 'w/v': moment } }), /"w\/m"/);
  assert.throws(() => new Adam({ variables: [w, w] }), /"w" twice/);
  dispose(w);
});

test('nothing leaks, and the gradients stay the caller’s', async () => {
  const leaked = await leakedTensors(async () => {
    const w = named('w', [1, 2]);
    const adam = new Adam({ variables: [w] });
    const gradient = tf.tensor1d([1, 1]);
    await adam.applyGradients({ w: gradient });
    assert.not(gradient.isDisposed);
    gradient.dispose();
    dispose(w);
  });
  assert.is(leaked, 0);
});

test.run();
