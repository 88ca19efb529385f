import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { errorDistribution } from '../../src/experiments/mnist/learnedPose.js';
import { AttributeRole, type SceneSchema } from '../../src/scene/attributeSchema.js';
import type { SceneBatch } from '../../src/scene/sceneGraph.js';

const schema: SceneSchema = {
  dimension: 2,
  channels: 1,
  classes: ['digit'],
  attributes: [
    { name: 'rotation', role: AttributeRole.Rotation, unit: 'deg', minimum: -180, maximum: 180, periodic: true },
    { name: 'x', role: AttributeRole.X, unit: 'px', minimum: -32, maximum: 32, periodic: false },
  ],
};

/** One node a scene; rotation mutable, x mutable where `xMutable`. */
function batch(rows: readonly [rotation: number, x: number][], xMutable = true): SceneBatch {
  const scenes = rows.map(([rotation, x], index) => ({
    width: 64,
    height: 64,
    index,
    parent: Int32Array.of(-1),
    classId: Uint16Array.of(0),
    asset: Int32Array.of(-1),
    attributes: Float32Array.of(rotation, x),
    mutable: Uint8Array.of(1, xMutable ? 1 : 0),
  }));
  return { schema, assets: [], scenes, provenance: { grammar: 'test', grammarHash: '', seed: 0 } };
}

test('errors of angles are taken the short way round', () => {
  // 217° is −143°. From it: 170° is 47° behind (−47), −150° is 7° behind (−7), −140° is 3° ahead (+3).
  const { target, meanAbsoluteError, percentiles } = errorDistribution(
    batch([
      [170, 0],
      [-150, 0],
      [-140, 0],
    ]),
    'rotation',
    217,
  );
  assert.is(target, -143);
  assert.ok(Math.abs(meanAbsoluteError - (47 + 7 + 3) / 3) < 1e-5);
  assert.ok(Math.abs(percentiles[2] + 7) < 1e-5);
});

test('two modes on either side of the target are reported, although their mean is the target', () => {
  const rows = Array.from({ length: 100 }, (_, i): [number, number] => [i % 2 === 0 ? 65 : 115, 0]);
  const { percentiles, withinFivePercent, modes } = errorDistribution(batch(rows), 'rotation', 90);
  assert.is(percentiles[0], -25);
  assert.is(percentiles[4], 25);
  assert.is(withinFivePercent, 0);
  // Bins are 10° wide: −25 and +25 lie in those centred at −25 and +25.
  assert.equal(
    modes.map((mode) => Math.round(mode)),
    [-25, 25],
  );
});

test('only mutable entries count', () => {
  const { histogram } = errorDistribution(batch([[0, 5]], false), 'x', 0);
  assert.is(
    histogram.reduce((sum, count) => sum + count, 0),
    0,
  );
});

test('a distribution on the target has one mode and nothing outside 5 % of the range', () => {
  const rows = Array.from({ length: 50 }, (_, i): [number, number] => [90, -18 + (i - 25) * 0.02]);
  const { meanAbsoluteError, withinFivePercent, modes } = errorDistribution(batch(rows), 'x', -18);
  assert.ok(meanAbsoluteError < 0.3);
  assert.is(withinFivePercent, 1);
  assert.is(modes.length, 1);
});

test.run();
