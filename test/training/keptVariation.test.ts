import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { FeatureLayout } from '../../src/scene/features.js';
import type { SceneBatch } from '../../src/scene/sceneGraph.js';
import { keptVariation, variationWarning } from '../../src/training/keptVariation.js';
import { RandomSource, randomSchema } from '../helpers/scenes.js';

const ATTRIBUTES = randomSchema.attributes.length;
const layout = new FeatureLayout(randomSchema);

/** Scenes of one node each, of the classes given; what is mutable is the same for all. */
function batchOf(classes: readonly number[], mutable: readonly number[]): SceneBatch {
  const { scenes, ...rest } = new RandomSource(randomSchema, 1).sampleBatch({
    seed: 1,
    start: 0,
    count: classes.length,
  });
  return {
    ...rest,
    scenes: scenes.map((scene, i) => ({
      ...scene,
      classId: Uint16Array.of(classes[i]),
      mutable: Uint8Array.from(mutable),
    })),
  };
}

/** Units [B, 1, A]: x as given, all else 0.5. */
function units(of: readonly (readonly [attribute: number, values: readonly number[]])[], count: number): Float32Array {
  const all = new Float32Array(count * ATTRIBUTES).fill(0.5);
  for (const [a, values] of of) for (const [i, value] of values.entries()) all[i * ATTRIBUTES + a] = value;
  return all;
}

const close = (found: number | undefined, expected: number) =>
  assert.ok(found !== undefined && Math.abs(found - expected) < 1e-5, `${found}, not ${expected}`);

test('the share of the variation within classes that is reproduced, by hand', () => {
  // x of class 1: 0.2 and 0.4, of class 2: 0.8 and 0.9. Deviations² from 0.3 and 0.85: 2 · 0.1² + 2 · 0.05² = 0.025.
  const batch = batchOf([1, 1, 2, 2], [1, 0, 0, 0, 0, 0]);
  const aim = units([[0, [0.2, 0.4, 0.8, 0.9]]], 4);
  const kept = (x: number[]) => keptVariation(layout, batch, units([[0, x]], 4), aim)[0];
  close(kept([0.2, 0.4, 0.8, 0.9]), 1);
  // Each class at its mean: nothing is left, though the classes differ.
  close(kept([0.3, 0.3, 0.85, 0.85]), 0);
  // Half of it: errors² 2 · 0.05² + 2 · 0.025² are a quarter.
  close(kept([0.25, 0.35, 0.825, 0.875]), 0.75);
  assert.equal(keptVariation(layout, batch, aim, aim).slice(1), [
    undefined,
    undefined,
    undefined,
    undefined,
    undefined,
  ]);
});

test('round a seam the short way; aims that are alike, or beyond the range, have nothing to keep', () => {
  // 0.98 and 0.02 of a turn lie 0.02 to either side of 0.
  const turning = batchOf([0, 0], [0, 0, 1, 0, 0, 0]);
  const aim = units([[2, [0.98, 0.02]]], 2);
  close(keptVariation(layout, turning, units([[2, [0, 1]]], 2), aim)[2], 0);
  close(keptVariation(layout, turning, units([[2, [-0.02, 1.02]]], 2), aim)[2], 1);
  const moving = batchOf([0, 0], [1, 1, 0, 0, 0, 0]);
  const outside = units(
    [
      [0, [1.2, 1.4]],
      [1, [0.5, 0.5001]],
    ],
    2,
  );
  assert.equal(keptVariation(layout, moving, outside, outside).slice(0, 2), [undefined, undefined]);
});

test('users are told of what was lost, by name, and only then', () => {
  const attribute = (name: string, kept?: number) => ({
    name,
    unit: 'px',
    physical: 0.1,
    fraction: 0.001,
    ...(kept === undefined ? {} : { kept }),
  });
  const said = variationWarning({
    steps: 300,
    attributes: [attribute('x', 0.214), attribute('y', -0.1), attribute('s')],
  });
  assert.match(said as string, /\(x 21 %, y 0 %\): .* more pretrain\.steps \(300 were taken\)/);
  assert.is(variationWarning({ steps: 300, attributes: [attribute('x', 0.9), attribute('s')] }), undefined);
});

test.run();
