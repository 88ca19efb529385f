import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { turns } from '../../src/learn/angle.js';
import { initBackend } from '../../src/learn/backend.js';
import { DistributionTransformer, type TransformerConfig } from '../../src/learn/distributionTransformer.js';
import { graphTensors } from '../../src/learn/graphTensors.js';
import { attributeNoise, latentNoise } from '../../src/learn/sampling.js';
import { tf } from '../../src/learn/tf.js';
import { TransformedSource } from '../../src/learn/transformedSource.js';
import { assignValues, variableGradients } from '../../src/learn/variables.js';
import { attributeDifference } from '../../src/scene/attributeSchema.js';
import { leakedTensors, useCpu, useWasm } from '../helpers/backend.js';
import { numericGradient, relativeError, scrambled } from '../helpers/numericGradient.js';
import { MnistLikeSource, mnistSchema, RandomSource, randomSchema } from '../helpers/scenes.js';

test.before(useCpu);

const random = new RandomSource(randomSchema, 6);

test('apply: immutable entries are the input to the bit, mutable ones are rewritten', () => {
  const transformer = new DistributionTransformer({ schema: randomSchema });
  const graphs = graphTensors(transformer.layout, random.sampleBatch({ seed: 0, start: 0, count: 8 }));
  const { classLogits, units } = transformer.apply(graphs);
  const [after, before, mutable] = [units, graphs.units, graphs.mutable].map((t) => t.dataSync());
  assert.equal(classLogits.shape, [8, graphs.nodes, 3]);
  assert.equal(units.shape, [8, graphs.nodes, 6]);
  let rewritten = 0;
  for (let i = 0; i < after.length; i++) {
    if (!mutable[i]) assert.ok(Object.is(after[i], before[i]));
    else if (after[i] !== before[i]) rewritten++;
    if (mutable[i] && transformer.layout.periodic[i % 6]) assert.ok(after[i] >= 0 && after[i] < 1);
  }
  assert.ok(rewritten > 50);
  tf.dispose([classLogits, units]);
  graphs.dispose();
  transformer.dispose();
});

test('apply: gradients in θ agree with central differences, through the angle too', () => {
  const transformer = new DistributionTransformer({ schema: randomSchema, hidden: [6, 4], seed: 3 });
  const graphs = graphTensors(transformer.layout, random.sampleBatch({ seed: 2, start: 0, count: 3 }));
  const size = graphs.units.size;
  const weights = tf.tensor3d(scrambled(size), graphs.units.shape);
  // Weights above one output at a time: plain (column 0) and periodic (column 2) attributes.
  for (const column of [0, 2]) {
    const only = tf.tensor1d(Array.from({ length: 6 }, (_, a) => (a === column ? 1 : 0)));
    const loss = () => {
      const { units } = transformer.apply(graphs);
      // sin(2πu) makes the wrap from 1 to 0 invisible to the differences.
      return tf.sum(tf.mul(tf.mul(tf.sin(tf.mul(units, 2 * Math.PI)), weights), only)) as tf.Scalar;
    };
    const { value, gradients } = variableGradients(loss, transformer.variables);
    for (const { name, variable } of transformer.variables) {
      const values = variable.dataSync<'float32'>().slice();
      const numeric = numericGradient(
        values,
        () => {
          assignValues(variable, values);
          return tf.tidy(() => loss().dataSync()[0]);
        },
        4e-3,
      );
      assignValues(variable, values);
      const error = relativeError(gradients[name].dataSync(), numeric);
      assert.ok(error < 1e-2, `column ${column}: ${name} is off by ${error}`);
    }
    tf.dispose([value, gradients, only]);
  }
  weights.dispose();
  graphs.dispose();
  transformer.dispose();
});

test('turns: the angle of all four quadrants, in [0, 1)', () => {
  const x = tf.tensor1d([1, 0, -1, 0, 1, 0.3]);
  const y = tf.tensor1d([0, 1, 0, -1, -1e-12, 0.3]);
  const value = tf.tidy(() => turns(x, y).dataSync());
  for (const [i, expected] of [0, 0.25, 0.5, 0.75, 0, 0.125].entries()) assert.ok(Math.abs(value[i] - expected) < 1e-6);
  tf.dispose([x, y]);
});

test('turns: gradient is that of the angle, and finite at every radius', () => {
  // d(turns)/d(x, y) = (−y, x) / (2π r²): at (0.3, 0.4), r² = 0.25.
  const gradient = (x: number, y: number) =>
    tf.tidy(() =>
      tf
        .grads((a: tf.Tensor, b: tf.Tensor) => tf.sum(turns(a, b)))([tf.tensor1d([x]), tf.tensor1d([y])])
        .map((g) => g.dataSync()[0]),
    );
  const [dx, dy] = gradient(0.3, 0.4);
  assert.ok(Math.abs(dx + 0.4 / (2 * Math.PI * 0.25)) < 1e-6);
  assert.ok(Math.abs(dy - 0.3 / (2 * Math.PI * 0.25)) < 1e-6);
  for (const radius of [0, 1e-30, 1e-6, 1e-3, 0.05]) {
    const [gx, gy] = gradient(radius * Math.cos(2), radius * Math.sin(2));
    assert.ok(Math.hypot(gx, gy) <= 1 / (2 * Math.PI * 0.05) + 1e-6);
    // Where it is bounded it still points along the circle, not inwards.
    assert.ok(Math.abs(gx * Math.cos(2) + gy * Math.sin(2)) < 1e-6);
  }
});

test('transform keeps structure and shared arrays, and stays inside the range', async () => {
  const transformer = new DistributionTransformer({ schema: randomSchema, seed: 1 });
  const batch = random.sampleBatch({ seed: 0, start: 0, count: 20 });
  const transformed = await transformer.transform(batch, { sigma: 2, seed: 5 });
  for (const [i, scene] of transformed.scenes.entries()) {
    assert.is(scene.parent, batch.scenes[i].parent);
    assert.is(scene.mutable, batch.scenes[i].mutable);
    for (const [k, value] of scene.attributes.entries()) {
      const spec = randomSchema.attributes[k % 6];
      if (scene.mutable[k]) assert.ok(value >= spec.minimum && value <= spec.maximum);
      else assert.is(value, batch.scenes[i].attributes[k]);
    }
  }
  transformer.dispose();
});

test('a scene is transformed the same alone, in a batch with larger scenes and in any order, with noise', async () => {
  const transformer = new DistributionTransformer({ schema: randomSchema, seed: 1 });
  const batch = random.sampleBatch({ seed: 0, start: 0, count: 300 });
  for (const activate of [useCpu, useWasm, () => initBackend({ prefer: 'wasm' })]) {
    await activate();
    const together = await transformer.transform(batch, { sigma: 0.05 });
    for (const i of [0, 7, 299]) {
      const alone = await transformer.transform({ ...batch, scenes: [batch.scenes[i]] }, { sigma: 0.05 });
      assert.equal([...alone.scenes[0].attributes], [...together.scenes[i].attributes], `scene ${i}`);
    }
  }
  await useCpu();
  transformer.dispose();
});

test('noise is standard normal, zero where nothing is mutable, and addressed by seed, scene, node and attribute', () => {
  const batch = random.sampleBatch({ seed: 0, start: 0, count: 2000 });
  const noise = attributeNoise(batch, 6, 3);
  const drawn: number[] = [];
  for (const [b, { mutable }] of batch.scenes.entries()) {
    for (let k = 0; k < mutable.length; k++) {
      const value = noise[b * 36 + k];
      if (mutable[k]) drawn.push(value);
      else assert.is(value, 0);
    }
  }
  const mean = drawn.reduce((sum, x) => sum + x, 0) / drawn.length;
  const variance = drawn.reduce((sum, x) => sum + (x - mean) ** 2, 0) / drawn.length;
  const kurtosis = drawn.reduce((sum, x) => sum + (x - mean) ** 4, 0) / drawn.length / variance ** 2;
  // About 21,000 draws: standard errors 0.007, 0.01 and 0.034.
  assert.ok(drawn.length > 15000);
  assert.ok(Math.abs(mean) < 0.03 && Math.abs(variance - 1) < 0.05 && Math.abs(kurtosis - 3) < 0.15);
  // All different, but for the few that float32 rounds together.
  assert.ok(new Set(drawn).size > drawn.length - 10);
  const part = attributeNoise({ ...batch, scenes: batch.scenes.slice(50, 51) }, 6, 3);
  assert.equal([...part], [...noise.slice(50 * 36, 50 * 36 + part.length)]);
  assert.is.not(attributeNoise(batch, 6, 4).join(), noise.join());
});

test('a saved network is built again from its JSON configuration and weights, to the bit', async () => {
  const original = new DistributionTransformer({ schema: mnistSchema, hidden: [12, 7], seed: 9 });
  for (const { variable } of original.variables) assignValues(variable, scrambled(variable.size, variable.size));
  const weights = await original.save();
  const config = JSON.parse(JSON.stringify(original.config)) as TransformerConfig;
  const copy = new DistributionTransformer(config);
  copy.load(weights);
  const batch = new MnistLikeSource().sampleBatch({ seed: 1, start: 0, count: 5 });
  const [a, b] = [await original.transform(batch), await copy.transform(batch)];
  assert.equal(
    a.scenes.map((s) => [...s.attributes]),
    b.scenes.map((s) => [...s.attributes]),
  );
  assert.is.not(a.scenes[0].attributes[5], batch.scenes[0].attributes[5]);
  original.dispose();
  copy.dispose();
});

test('weights of another network are refused and change nothing', async () => {
  const a = new DistributionTransformer({ schema: mnistSchema, hidden: [4] });
  const b = new DistributionTransformer({ schema: mnistSchema, hidden: [5] });
  const before = await a.save();
  const other = await b.save();
  assert.throws(
    () => a.load(other),
    (e: Error & { code: string }) => e.code === 'TRAINING' && /encoder\/0\/self/.test(e.message),
  );
  const { 'encoder/0/bias': _left, ...rest } = before;
  assert.throws(() => a.load(rest), /weights named "encoder\/0\/bias"/);
  assert.throws(() => a.load({ ...before, extra: before['encoder/0/bias'] }), /"extra"/);
  assert.equal(await a.save(), before);
  assert.throws(() => new DistributionTransformer({ schema: mnistSchema, hidden: [] }), /hidden/);
  assert.throws(() => new DistributionTransformer({ schema: mnistSchema, hidden: [0] }), /hidden/);
  a.dispose();
  b.dispose();
});

test('encoder and decoder variables are θ, in order, with unique names', () => {
  const transformer = new DistributionTransformer({ schema: mnistSchema });
  const names = transformer.variables.map(({ name }) => name);
  assert.equal(
    names,
    [...transformer.encoderVariables, ...transformer.decoderVariables].map(({ name }) => name),
  );
  assert.is(new Set(names).size, names.length);
  assert.ok(transformer.decoderVariables.every(({ name }) => name.startsWith('decoder/')));
  // [17, 30, 18] and back.
  assert.equal(transformer.layout.featureCount, 17);
  assert.equal(transformer.variables.find(({ name }) => name === 'encoder/1/up')?.variable.shape, [30, 18]);
  assert.equal(transformer.variables.find(({ name }) => name === 'decoder/1/up')?.variable.shape, [30, 17]);
  transformer.dispose();
});

test('TransformedSource: a pure function of the request, whatever the batches', async () => {
  const transformer = new DistributionTransformer({ schema: randomSchema, seed: 2 });
  const source = new TransformedSource({ source: random, transformer, sigma: 0.02 });
  const whole = await source.sampleBatch({ seed: 4, start: 10, count: 6 });
  const halves = [
    await source.sampleBatch({ seed: 4, start: 10, count: 3 }),
    await source.sampleBatch({ seed: 4, start: 13, count: 3 }),
  ];
  assert.is(whole.provenance.grammar, 'random+transformer');
  assert.equal(
    whole.scenes.map((s) => [...s.attributes]),
    halves.flatMap((batch) => batch.scenes.map((s) => [...s.attributes])),
  );
  const plain = random.sampleBatch({ seed: 4, start: 10, count: 6 });
  const moved = whole.scenes.some((s, i) =>
    s.attributes.some(
      (x, k) => attributeDifference(randomSchema.attributes[k % 6], x, plain.scenes[i].attributes[k]) !== 0,
    ),
  );
  assert.ok(moved);
  transformer.dispose();
});

test('an aborted transform throws the reason', async () => {
  const transformer = new DistributionTransformer({ schema: randomSchema });
  const batch = random.sampleBatch({ seed: 0, start: 0, count: 2 });
  try {
    await transformer.transform(batch, { signal: AbortSignal.abort(new Error('enough')) });
    assert.unreachable();
  } catch (error) {
    assert.is((error as Error).message, 'enough');
  }
  transformer.dispose();
});

test('latent noise: one scene has different outputs, a pure function of seed, index and node', async () => {
  const transformer = new DistributionTransformer({ schema: randomSchema, noise: 2, seed: 4 });
  const batch = random.sampleBatch({ seed: 0, start: 0, count: 1 });
  const [scene] = batch.scenes;
  const copies = { ...batch, scenes: [scene, { ...scene, index: 17 }, scene] };
  const { scenes } = await transformer.transform(copies, { seed: 3 });
  assert.equal(scenes[0].attributes, scenes[2].attributes);
  assert.not.equal(scenes[0].attributes, scenes[1].attributes);
  const again = await transformer.transform({ ...batch, scenes: [copies.scenes[1]] }, { seed: 3 });
  assert.equal(again.scenes[0].attributes, scenes[1].attributes);
  const other = await transformer.transform(batch, { seed: 4 });
  assert.not.equal(other.scenes[0].attributes, scenes[0].attributes);
  transformer.dispose();
});

test('latent noise: uniform in [−1, 1), other numbers than those of the attribute noise', () => {
  const batch = random.sampleBatch({ seed: 0, start: 0, count: 300 });
  const noise = latentNoise(batch, 3, 8);
  const nodes = batch.scenes.map(({ parent }) => parent.length);
  const most = Math.max(...nodes);
  const values = [...noise].filter((_, i) => Math.floor(i / 3) % most < nodes[Math.floor(i / 3 / most)]);
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const square = values.reduce((sum, value) => sum + value ** 2, 0) / values.length;
  // A uniform number in [−1, 1) has mean 0 and mean square ⅓; three standard errors.
  assert.ok(Math.abs(mean) < 3 / Math.sqrt(3 * values.length), `mean ${mean}`);
  assert.ok(Math.abs(square - 1 / 3) < (3 * 0.3) / Math.sqrt(values.length), `mean square ${square}`);
  assert.is(new Set(values).size, values.length);
  const attributes = new Set(attributeNoise(batch, 6, 8));
  assert.not(values.some((value) => attributes.has(value)));
});

test('latent noise: gradients reach the decoder only through what the noise says', () => {
  const transformer = new DistributionTransformer({ schema: randomSchema, hidden: [6, 4], noise: 2 });
  const bare = graphTensors(transformer.layout, random.sampleBatch({ seed: 0, start: 0, count: 2 }));
  assert.throws(() => transformer.apply(bare), /2 columns of latent noise but received none/);
  bare.dispose();
  const graphs = transformer.graphs(random.sampleBatch({ seed: 0, start: 0, count: 2 }));
  const { name, variable } = transformer.decoderVariables[0];
  assert.equal([name, variable.shape], ['decoder/0/self', [6, 6]]);
  const loss = () => tf.sum(tf.square(transformer.apply(graphs).units)) as tf.Scalar;
  const { value, gradients } = variableGradients(loss, transformer.variables);
  const ofNoise = gradients[name].dataSync().slice(4 * 6);
  assert.ok(ofNoise.every((slope) => slope !== 0));
  tf.dispose([value, gradients]);
  graphs.dispose();
  transformer.dispose();
  assert.throws(() => new DistributionTransformer({ schema: randomSchema, noise: 0.5 }), /noise/);
});

test('nothing leaks from any public call', async () => {
  const leaked = await leakedTensors(async () => {
    const transformer = new DistributionTransformer({ schema: randomSchema, noise: 1 });
    const batch = random.sampleBatch({ seed: 0, start: 0, count: 3 });
    await transformer.transform(batch, { sigma: 0.1 });
    transformer.load(await transformer.save());
    const graphs = transformer.graphs(batch);
    tf.dispose({ ...transformer.apply(graphs) });
    tf.dispose({ ...transformer.reconstruct(graphs) });
    tf.dispose(transformer.reconstructUnits(graphs));
    graphs.dispose();
    transformer.dispose();
  });
  assert.is(leaked, 0);
});

test.run();
