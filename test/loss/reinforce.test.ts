import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { DistributionTransformer } from '../../src/learn/distributionTransformer.js';
import { graphTensors } from '../../src/learn/graphTensors.js';
import { Adam } from '../../src/learn/optimizer.js';
import { addNoise, attributeNoise } from '../../src/learn/sampling.js';
import { tf } from '../../src/learn/tf.js';
import { variableGradients } from '../../src/learn/variables.js';
import { GradientAccumulator, logProb, RewardBaseline, scoreFunctionGradients } from '../../src/loss/reinforce.js';
import { leakedTensors, useCpu, useWasm } from '../helpers/backend.js';
import { relativeError } from '../helpers/numericGradient.js';
import { MnistLikeSource, mnistSchema, RandomSource, randomSchema } from '../helpers/scenes.js';

const SIGMA = 0.1;
let samples: tf.Tensor3D;
let means: tf.Tensor3D;
let mask: tf.Tensor3D;
/** Which of the three attributes is periodic. */
const PERIODIC = [0, 0, 1];

test.before(async () => {
  await useCpu();
  samples = tf.tensor3d([
    [
      [0.25, 0.5, 0.9],
      [0, 0.7, 0.2],
    ],
  ]);
  means = tf.tensor3d([
    [
      [0.2, 0.5, 0.1],
      [9, 0.65, 0.3],
    ],
  ]);
  mask = tf.tensor3d([
    [
      [1, 1, 1],
      [0, 1, 0],
    ],
  ]);
});

test('eq. 4: sums log N(a; μ, σ²) over mutable attributes only, periodic differences the short way round', () => {
  // Differences 0.05, 0, (0.9 − 0.1 = 0.8, the short way −0.2), 0.05; the entries with mask 0 do not count.
  const constant = -Math.log(SIGMA) - 0.5 * Math.log(2 * Math.PI);
  const expected = 4 * constant - 0.5 * (0.25 + 0 + 4 + 0.25);
  const value = logProb(samples, means, SIGMA, mask, PERIODIC).dataSync()[0];
  assert.ok(Math.abs(value - expected) < 1e-4, `${value} is not ${expected}`);
});

test('∇ log p with respect to the means is (a − μ)/σ² on mutable entries', () => {
  const gradient = tf.grad((m: tf.Tensor) => logProb(samples, m as tf.Tensor3D, SIGMA, mask, PERIODIC))(means);
  const expected = [5, 0, -20, 0, 5, 0];
  gradient.dataSync().forEach((value, i) => {
    assert.ok(Math.abs(value - expected[i]) < 1e-3, `[${i}]: ${value} is not ${expected[i]}`);
  });
});

test('the gradient is not zero when the sample was computed from the means (a = μ + σ ε, undetached)', () => {
  const noise = tf.tensor3d([
    [
      [1, -2, 0.5],
      [1, 1, 1],
    ],
  ]);
  const gradient = tf.grad((m: tf.Tensor) => {
    const reparametrised = tf.add(m, tf.mul(noise, SIGMA)) as tf.Tensor3D;
    return logProb(reparametrised, m as tf.Tensor3D, SIGMA, mask, PERIODIC);
  })(means);
  // ε / σ
  const expected = [10, -20, 5, 0, 10, 0];
  gradient.dataSync().forEach((value, i) => {
    assert.ok(Math.abs(value - expected[i]) < 1e-2, `[${i}]: ${value} is not ${expected[i]}`);
  });
});

test('scoreFunctionGradients is the Jacobian of the means, transposed, times (a − μ)/σ²', () => {
  const transformer = new DistributionTransformer({ schema: randomSchema, hidden: [5, 4], seed: 1 });
  const batch = new RandomSource(randomSchema, 5).sampleBatch({ seed: 1, start: 0, count: 4 });
  const graphs = graphTensors(transformer.layout, batch);
  const units = tf.tidy(() => transformer.apply(graphs).units.dataSync<'float32'>().slice());
  const noise = attributeNoise(batch, 6, 8);
  const drawn = addNoise(units, noise, SIGMA);
  const { logProb: value, gradients } = scoreFunctionGradients(transformer, graphs, drawn, SIGMA);
  // (a − μ)/σ² = ε/σ, held constant.
  const factor = tf.tensor3d(
    noise.map((e) => e / SIGMA),
    graphs.units.shape,
  );
  const expected = variableGradients(
    () => tf.sum(tf.mul(transformer.apply(graphs).units, factor)) as tf.Scalar,
    transformer.variables,
  );
  for (const { name } of transformer.variables) {
    const error = relativeError(gradients[name].dataSync(), expected.gradients[name].dataSync());
    assert.ok(error < 1e-3, `${name} is off by ${error}`);
    assert.ok(Math.max(...expected.gradients[name].dataSync().map(Math.abs)) > 0, `${name} has no gradient`);
  }
  const entries = batch.scenes.reduce((sum, s) => sum + s.mutable.reduce((a, b) => a + b, 0), 0);
  const constant = -Math.log(SIGMA) - 0.5 * Math.log(2 * Math.PI);
  const byHand = entries * constant - 0.5 * noise.reduce((sum, e) => sum + e * e, 0);
  assert.ok(Math.abs(value - byHand) < 1e-3 * Math.abs(byHand));
  tf.dispose([gradients, expected.value, expected.gradients, factor]);
  graphs.dispose();
  transformer.dispose();
});

test('the baseline is the moving average of previous scores; the first advantage is 0', () => {
  const baseline = new RewardBaseline(0.75);
  assert.is(baseline.value, undefined);
  // Averages after each: 0.4, then 0.75·0.4 + 0.25·0.8 = 0.5, then 0.75·0.5 + 0.25·0.1 = 0.4.
  assert.is(baseline.advantage(0.4), 0);
  assert.ok(Math.abs(baseline.advantage(0.8) - 0.4) < 1e-12);
  assert.ok(Math.abs(baseline.advantage(0.1) + 0.4) < 1e-12);
  assert.ok(Math.abs((baseline.value as number) - 0.4) < 1e-12);
  const resumed = new RewardBaseline(0.75);
  resumed.load(JSON.parse(JSON.stringify(baseline.save())));
  assert.is(resumed.advantage(0.9), baseline.advantage(0.9));
  assert.throws(() => new RewardBaseline(1.5), /decay/);
});

test('a score of 0 is a score: the baseline counts it', () => {
  const baseline = new RewardBaseline(0.5);
  baseline.advantage(0);
  assert.is(baseline.advantage(1), 1);
});

test('GradientAccumulator adds weighted gradients, frees them, and takes another’s', async () => {
  const sum = new GradientAccumulator();
  const gradient = tf.tensor1d([1, 2]);
  await sum.add({ w: gradient }, 0.5);
  assert.ok(gradient.isDisposed);
  await sum.add({ w: tf.tensor1d([10, 20]), v: tf.scalar(3) });
  assert.equal([...sum.gradients().w], [10.5, 21]);
  const other = new GradientAccumulator();
  other.addFrom(sum, -2);
  assert.equal([...other.gradients(0.5).v], [-3]);
  sum.clear();
  assert.equal(sum.gradients(), {});
  assert.equal([...other.gradients().w], [-21, -42]);
});

test('eqs. 2 and 3: on a bandit, REINFORCE moves the means to the optimum, one of them across the seam', async () => {
  await useWasm();
  const transformer = new DistributionTransformer({ schema: mnistSchema, hidden: [8, 6], seed: 4 });
  const { layout } = transformer;
  const source = new MnistLikeSource();
  const aim = { x: 0.7, turn: 0.95 };
  const short = (d: number) => d - Math.floor(d + 0.5);
  const scored = (units: ArrayLike<number>, count: number) => {
    let loss = 0;
    for (let i = 0; i < count; i++) {
      // Node 1 is the digit; columns x, y, rotation, scale, brightness.
      loss += (units[i * 10 + 5] - aim.x) ** 2 + short(units[i * 10 + 7] - aim.turn) ** 2;
    }
    return -loss / count;
  };
  const adam = new Adam({ variables: transformer.variables, learningRate: 0.01 });
  const baseline = new RewardBaseline(0.8);
  const sigma = 0.08;
  const meanUnits = async (start: number, count: number) => {
    const batch = source.sampleBatch({ seed: 0, start, count });
    const graphs = graphTensors(layout, batch);
    return { batch, graphs, means: tf.tidy(() => transformer.apply(graphs).units.dataSync<'float32'>().slice()) };
  };
  const quality = async () => {
    const { graphs, means: units } = await meanUnits(0, 50);
    graphs.dispose();
    return scored(units, 50);
  };
  const before = await quality();
  for (let epoch = 0; epoch < 400; epoch++) {
    const { batch, graphs, means: units } = await meanUnits(epoch * 4, 4);
    const drawn = addNoise(units, attributeNoise(batch, 5, 1), sigma);
    const { gradients } = scoreFunctionGradients(transformer, graphs, drawn, sigma);
    graphs.dispose();
    const total = new GradientAccumulator();
    await total.add(gradients);
    await adam.applyGradients(total.gradients(-baseline.advantage(scored(drawn, 4))));
  }
  const after = await quality();
  assert.ok(before < -0.03, `it starts far from the optimum: ${before}`);
  // Within about 0.05 of the range.
  assert.ok(after > -0.004, `score ${before} became ${after}`);
  transformer.dispose();
  await useCpu();
});

test('nothing leaks', async () => {
  const leaked = await leakedTensors(async () => {
    logProb(samples, means, SIGMA, mask, PERIODIC).dispose();
    const transformer = new DistributionTransformer({ schema: randomSchema });
    const batch = new RandomSource().sampleBatch({ seed: 1, start: 0, count: 2 });
    const graphs = graphTensors(transformer.layout, batch);
    const drawn = transformer.layout.units(batch);
    await new GradientAccumulator().add(scoreFunctionGradients(transformer, graphs, drawn, 0.1).gradients);
    graphs.dispose();
    transformer.dispose();
  });
  assert.is(leaked, 0);
  assert.throws(() => logProb(samples, means, 0, mask), /sigma/);
});

test.run();
