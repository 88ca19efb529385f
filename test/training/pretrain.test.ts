import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { DistributionTransformer } from '../../src/learn/distributionTransformer.js';
import type { SceneBatch } from '../../src/scene/sceneGraph.js';
import { arraysUnder, loadCheckpoint, prefixed, saveCheckpoint } from '../../src/training/checkpoint.js';
import { type PretrainState, pretrain, reconstructionQuality } from '../../src/training/pretrain.js';
import { leakedTensors, useWasm } from '../helpers/backend.js';
import { MnistLikeSource, mnistSchema, RandomSource, randomSchema } from '../helpers/scenes.js';

test.before(useWasm);

test('MNIST-like scenes: every attribute within 0.1 % of its range, every class right', async () => {
  const transformer = new DistributionTransformer({ schema: mnistSchema });
  const result = await pretrain({ source: new MnistLikeSource(), transformer, steps: 250, batchSize: 32 });
  assert.is(result.losses.length, 250);
  assert.is(result.classAccuracy, 1);
  for (const { name, fraction } of result.attributes) assert.ok(fraction < 1e-3, `${name}: ${fraction}`);
  const rotation = result.attributes[2];
  assert.ok(Math.abs(rotation.physical - 360 * rotation.fraction) < 1e-9);
  const mean = (losses: readonly number[]) => losses.reduce((a, b) => a + b, 0) / losses.length;
  assert.ok(mean(result.losses.slice(-10)) < 0.01 * mean(result.losses.slice(0, 3)));
  transformer.dispose();
});

test('scenes of up to 12 nodes with uniform attributes, published sizes: within 1 % of the range on average', async () => {
  const transformer = new DistributionTransformer({ schema: randomSchema });
  const source = new RandomSource(randomSchema, 12);
  const result = await pretrain({ source, transformer, steps: 400, batchSize: 24 });
  assert.is(result.classAccuracy, 1);
  assert.ok(result.meanFraction < 0.01, `${result.meanFraction}`);
  for (const { name, fraction } of result.attributes) assert.ok(fraction < 0.015, `${name}: ${fraction}`);
  // The periodic attributes reach over the seam: their error is measured the short way round.
  assert.equal(
    result.attributes.map(({ name }) => name),
    ['x', 'y', 'rotation', 'scale', 'hue', 'opacity'],
  );
  transformer.dispose();
});

test('a warm start: the transformer learns the grammar plus an offset, and transform applies it', async () => {
  const transformer = new DistributionTransformer({ schema: mnistSchema, seed: 1 });
  const { layout } = transformer;
  const source = new MnistLikeSource();
  // The digit moves by (−0.25, 0.125) of the range (32 px left and 16 down of 128) and turns by 0.6 of a turn.
  const offsets = [-0.25, 0.125, 0.6, 0, 0];
  const targetUnits = (batch: SceneBatch) => layout.units(batch).map((u, i) => (i % 10 >= 5 ? u + offsets[i % 5] : u));
  const result = await pretrain({ source, transformer, steps: 250, batchSize: 32, targetUnits });
  assert.ok(result.meanFraction < 1e-3);
  const fresh = source.sampleBatch({ seed: 9, start: 0, count: 30 });
  const moved = await transformer.transform(fresh);
  for (const { attributes } of moved.scenes) {
    const [x, y, rotation] = attributes.subarray(5);
    assert.ok(Math.abs(x + 32) < 0.5 && Math.abs(y - 16) < 0.5, `${x}, ${y}`);
    // 0.6 of a turn is 216°, stored as −144°.
    assert.ok(Math.abs(rotation + 144) < 1, `${rotation}`);
  }
  transformer.dispose();
});

test('interrupted, checkpointed and resumed, it ends with the same weights and losses to the bit', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'metasim-pretrain-'));
  const options = { source: new RandomSource(randomSchema, 4), steps: 30, batchSize: 8, evaluationScenes: 8, seed: 6 };
  const make = () => new DistributionTransformer({ schema: randomSchema, hidden: [8, 6], seed: 2 });

  const straight = make();
  const whole = await pretrain({ ...options, transformer: straight });

  const first = make();
  const stop = new AbortController();
  let saved: PretrainState | undefined;
  const interrupted = pretrain({
    ...options,
    transformer: first,
    signal: stop.signal,
    onStep: async (progress) => {
      if (progress.step !== 13) return;
      const { step, losses, optimizer } = progress.state();
      saved = { step, losses, optimizer };
      await saveCheckpoint(folder, {
        metadata: { step, losses, optimizerStep: optimizer.step },
        arrays: { ...prefixed('theta', await first.save()), ...prefixed('adam', optimizer.moments) },
      });
      stop.abort(new Error('interrupted'));
    },
  });
  assert.is(await interrupted.catch((error: Error) => error.message), 'interrupted');
  assert.is(saved?.step, 13);

  const resumed = make();
  const checkpoint = await loadCheckpoint(folder);
  const { step, losses, optimizerStep } = checkpoint.metadata as {
    step: number;
    losses: number[];
    optimizerStep: number;
  };
  resumed.load(arraysUnder(checkpoint, 'theta'));
  const state = { step, losses, optimizer: { step: optimizerStep, moments: arraysUnder(checkpoint, 'adam') } };
  const rest = await pretrain({ ...options, transformer: resumed, resume: state });
  assert.equal(rest.losses, whole.losses);
  assert.equal(rest.attributes, whole.attributes);
  assert.equal(await resumed.save(), await straight.save());
  assert.is.not(
    (await first.save())['encoder/0/bias'].data.join(),
    (await straight.save())['encoder/0/bias'].data.join(),
  );
  for (const transformer of [straight, first, resumed]) transformer.dispose();
  await rm(folder, { recursive: true });
});

test('quality by hand: an untrained network is far off, and errors are averaged over nodes', async () => {
  const transformer = new DistributionTransformer({ schema: mnistSchema, seed: 3 });
  const batch = new MnistLikeSource().sampleBatch({ seed: 0, start: 0, count: 10 });
  // Nothing is mutable but node 1's x, y and rotation, so `transform` shows what is reconstructed there.
  const moved = await transformer.transform(batch);
  const target = (of: SceneBatch) => transformer.layout.units(of);
  const quality = await reconstructionQuality(transformer, batch, target);
  assert.ok(quality.meanFraction > 0.02);
  const ownTarget = await reconstructionQuality(transformer, batch, () => transformer.layout.units(moved));
  // Against its own output, node 1's x is exact: only node 0's error is left, and it is averaged over both.
  assert.ok(ownTarget.attributes[0].fraction < quality.attributes[0].fraction);
  transformer.dispose();
});

test('nothing leaks, not even when aborted', async () => {
  const leaked = await leakedTensors(async () => {
    const transformer = new DistributionTransformer({ schema: randomSchema, hidden: [5] });
    const options = { source: new RandomSource(), transformer, steps: 3, batchSize: 2, evaluationScenes: 4 };
    await pretrain(options);
    await pretrain({ ...options, signal: AbortSignal.abort() }).catch(() => undefined);
    transformer.dispose();
  });
  assert.is(leaked, 0);
});

test.run();
