import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { AttributeRole, attributeDifference, type SceneSchema } from '../../src/scene/attributeSchema.js';
import { featureLayout } from '../../src/scene/features.js';
import { type SceneBatch, totalNodes, withAttributes } from '../../src/scene/sceneGraph.js';
import { type MeshNode, meshBatch, meshScene, meshSchema } from '../helpers/meshScenes.js';
import { attribute, RandomSource, randomSchema, scene } from '../helpers/scenes.js';

const schema: SceneSchema = {
  dimension: 2,
  channels: 1,
  attributes: [attribute('x', AttributeRole.X, 10, 30), attribute('rotation', AttributeRole.Rotation, -180, 180, true)],
  classes: ['road', 'car'],
};

/** A road with a car on it, and a lone car. */
function twoScenes(): SceneBatch {
  return {
    schema,
    assets: [],
    scenes: [
      scene(0, { parent: [-1, 0], classId: [0, 1], attributes: [10, -180, 25, -90], mutable: [0, 0, 1, 1] }),
      scene(1, { parent: [-1], classId: [1], attributes: [20, 90], mutable: [1, 0] }),
    ],
    provenance: { grammar: 'by hand', grammarHash: '', seed: 0 },
  };
}

const close = (actual: ArrayLike<number>, expected: readonly number[], tolerance = 1e-6) => {
  assert.is(actual.length, expected.length);
  expected.forEach((value, i) => {
    assert.ok(Math.abs(actual[i] - value) <= tolerance, `[${i}]: ${actual[i]} is not ${value}`);
  });
};

test('features are class one-hot, then range-normalised columns, an angle as cosine and sine, padded with zeros', () => {
  const layout = featureLayout(schema);
  assert.is(layout.featureCount, 5);
  assert.is(layout.columnCount, 3);
  assert.equal(layout.columns, [
    { start: 2, length: 1 },
    { start: 3, length: 2 },
  ]);
  // −180° is turn 0: cos 1, sin 0. −90° is a quarter: cos 0, sin 1. 90° is three quarters: cos 0, sin −1.
  const rows = [
    [1, 0, 0, 1, 0.5],
    [0, 1, 0.75, 0.5, 1],
    [0, 1, 0.5, 0.5, 0],
    [0, 0, 0, 0, 0],
  ];
  close(layout.encodeFeatures(twoScenes()), rows.flat());
});

test('units, masks and node mask by hand', () => {
  const layout = featureLayout(schema);
  const batch = twoScenes();
  close(layout.units(batch), [0, 0, 0.75, 0.25, 0.5, 0.75, 0, 0]);
  assert.equal([...layout.mutableMask(batch)], [0, 0, 1, 1, 1, 0, 0, 0]);
  assert.equal([...layout.nodeMask(batch)], [1, 1, 1, 0]);
});

test('toPhysical clamps plain attributes, wraps periodic ones and copies what is not mutable to the bit', () => {
  const layout = featureLayout(schema);
  const batch = twoScenes();
  batch.scenes[0].attributes[0] = 10.1; // not a value that survives a round trip through units
  const units = Float32Array.from([0.9, 0.9, 1.5, 1.25, -2, 0.1, 7, 7]);
  // Node 0 is its own; car: 1.5 clamps to 30, 1¼ turns are a quarter: −90°. Lone car: −2 clamps to 10, 90° is its own.
  const physical = layout.toPhysical(units, batch);
  assert.is(physical[0], Math.fround(10.1));
  close(physical, [10.1, -180, 30, -90, 10, 90], 1e-5);
});

test('units and toPhysical are inverse within float32, and the seam of an angle costs nothing', () => {
  const layout = featureLayout(randomSchema);
  const batch = new RandomSource().sampleBatch({ seed: 3, start: 0, count: 50 });
  const back = layout.toPhysical(layout.units(batch), batch);
  const original = batch.scenes.flatMap((s) => [...s.attributes]);
  for (const [i, value] of original.entries()) {
    const spec = randomSchema.attributes[i % 6];
    const error = Math.abs(attributeDifference(spec, back[i], value));
    assert.ok(error <= 1e-6 * (spec.maximum - spec.minimum), `${spec.name} ${value} became ${back[i]}`);
  }
  // 359.9° and 0.1° differ by 0.2°: their columns must be as close as those of 10° and 10.2°.
  const columns = (turn: number) => [
    0.5 + 0.5 * Math.cos(2 * Math.PI * turn),
    0.5 + 0.5 * Math.sin(2 * Math.PI * turn),
  ];
  const distance = (a: number, b: number) => Math.hypot(columns(a)[0] - columns(b)[0], columns(a)[1] - columns(b)[1]);
  assert.ok(Math.abs(distance(359.9 / 360, 0.1 / 360) - distance(10 / 360, 10.2 / 360)) < 1e-12);
});

test('columnsFromUnits of the own units equals the continuous part of the features', () => {
  const layout = featureLayout(randomSchema);
  const batch = new RandomSource().sampleBatch({ seed: 5, start: 0, count: 20 });
  const features = layout.encodeFeatures(batch);
  const columns = layout.columnsFromUnits(layout.units(batch), batch);
  for (let i = 0; i < columns.length; i++) {
    const row = Math.floor(i / layout.columnCount);
    const own = features[row * layout.featureCount + layout.classCount + (i % layout.columnCount)];
    assert.is(columns[i], Math.min(1, own));
  }
});

test('columnsFromUnits clamps shifted plain attributes and turns shifted angles', () => {
  const layout = featureLayout(schema);
  const batch = twoScenes();
  const shifted = layout.units(batch).map((u, i) => u + (i % 2 ? 0.5 : 0.4));
  // x: 0 → 0.4, 0.75 → clamped 1, 0.5 → 0.9. Turns 0 → ½ (cos −1), ¼ → ¾ (sin −1), ¾ → 1¼ (sin 1). Padding stays 0.
  close(layout.columnsFromUnits(shifted, batch), [0.4, 0, 0.5, 1, 0.5, 0, 0.9, 0.5, 1, 0, 0, 0]);
});

test('padGradient scales by the range and drops what is not mutable', () => {
  const layout = featureLayout(schema);
  const batch = twoScenes();
  // Ranges 20 and 360.
  const padded = layout.padGradient(Float32Array.from([9, 9, 0.5, -0.25, 2, 9]), batch);
  close(padded, [0, 0, 10, -90, 40, 0, 0, 0]);
});

test('padGradient drops what would push a clamped value further out, keeps what pulls it back', () => {
  const layout = featureLayout(schema);
  const at = (x: number, gradient: number) => {
    const batch = withAttributes(twoScenes(), Float32Array.from([10, 0, x, 0, 20, 0]));
    return layout.padGradient(Float32Array.from([0, 0, gradient, 0, 0, 0]), batch)[2];
  };
  // Descent moves against the gradient: at the minimum a positive gradient points out of the range.
  assert.is(at(10, 1), 0);
  assert.is(at(10, -1), -20);
  assert.is(at(30, -1), 0);
  assert.is(at(30, 1), 20);
  assert.is(at(29.999, -1), -20);
  // A periodic attribute has no end: −180° is like any other angle.
  const batch = withAttributes(twoScenes(), Float32Array.from([10, 0, 20, -180, 20, 0]));
  assert.is(layout.padGradient(Float32Array.from([0, 0, 0, 1, 0, 0]), batch)[3], 360);
});

test('another schema, a wrong length and an empty range are refused by name', () => {
  const layout = featureLayout(schema);
  const other = { ...twoScenes(), schema: { ...schema, classes: ['road', 'tree'] } };
  assert.throws(() => layout.units(other), /class "car".*received class "tree"/);
  assert.throws(
    () => layout.toPhysical(new Float32Array(7), twoScenes()),
    /Expected 8 entries for units but received 7/,
  );
  assert.throws(() => layout.padGradient(new Float32Array(7), twoScenes()), /Expected 6 entries for gradient/);
  const empty = { ...schema, attributes: [attribute('x', AttributeRole.X, 5, 5)] };
  assert.throws(() => featureLayout(empty), /minimum < maximum for attribute "x"/);
});

test('an equal schema that is another object is accepted, as after a file', () => {
  const copy = JSON.parse(JSON.stringify(schema)) as SceneSchema;
  assert.is(featureLayout(schema).units({ ...twoScenes(), schema: copy }).length, 8);
  assert.is(totalNodes(twoScenes()), 3);
});

test('scenes of 3D nodes become features and come back: all roles, cameras kept', () => {
  const layout = featureLayout(meshSchema);
  const camera: MeshNode = { kind: 'camera', y: -1.65, fieldOfView: 60 };
  const scenes = [
    meshScene([camera, { kind: 'curve', curvature: 0.05 }, { parent: 1, z: 20, rotation: 90 }]),
    meshScene([{ kind: 'light', haze: 50 }]),
  ];
  const batch = meshBatch(scenes);
  // 5 classes, 19 attributes, 3 of them angles with two columns each.
  assert.is(layout.featureCount, 5 + 19 + 3);
  const features = layout.encodeFeatures(batch);
  const column = (row: number, name: string) =>
    features[row * 27 + layout.columns[meshSchema.attributes.findIndex((spec) => spec.name === name)].start];
  assert.equal([...features.subarray(0, 5)], [0, 1, 0, 0, 0]);
  // Field of view 60 of 180, curvature 0.05 of ±0.1, z 20 of ±200, 90° a cosine of −(−90°) from the seam, haze 50 of 100.
  close(
    [column(0, 'fieldOfView'), column(1, 'curvature'), column(2, 'z'), column(2, 'rotation'), column(3, 'haze')],
    [1 / 3, 0.75, 0.55, 0.5, 0.5],
  );
  const units = layout.units(batch);
  const attribute = (node: number, name: string) => node * 19 + meshSchema.attributes.findIndex((s) => s.name === name);
  units[attribute(1, 'curvature')] = 0.25;
  units[attribute(2, 'rotation')] += 1;
  const moved = withAttributes(batch, layout.toPhysical(units, batch));
  close([moved.scenes[0].attributes[attribute(1, 'curvature')]], [-0.05]);
  const rest = [...scenes[0].attributes];
  rest[attribute(1, 'curvature')] = -0.05;
  close(moved.scenes[0].attributes, rest, 1e-4);
  assert.is(moved.scenes[0].camera, scenes[0].camera);
  assert.is(moved.schema.kinds, meshSchema.kinds);
});

test.run();
