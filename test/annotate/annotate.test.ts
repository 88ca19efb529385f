import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { annotateBatch, annotateScene, shortestFloat32 } from '../../src/annotate/annotateScene.js';
import { visibleRegions } from '../../src/annotate/visibleRegions.js';
import { worldPoses } from '../../src/annotate/worldPoses.js';
import { SceneGraphError, ShapeError } from '../../src/errors.js';
import { RandomStream } from '../../src/random.js';
import { AttributeRole, type SceneSchema } from '../../src/scene/attributeSchema.js';
import type { SceneGraph } from '../../src/scene/sceneGraph.js';

const spec = (name: string, role: AttributeRole, minimum = -1000, maximum = 1000) => ({
  name,
  role,
  unit: '',
  minimum,
  maximum,
  periodic: false,
});

const SCHEMA: SceneSchema = {
  dimension: 2,
  channels: 1,
  attributes: [
    spec('x', AttributeRole.X),
    spec('y', AttributeRole.Y),
    spec('rotation', AttributeRole.Rotation),
    spec('scale', AttributeRole.Scale),
    spec('wear', AttributeRole.None),
  ],
  classes: ['background', 'road', 'car'],
};

/** Rows of attributes [x, y, rotation, scale, wear] with a parent, class and asset each. */
function sceneOf(width: number, height: number, rows: [number, number, number, number[]][]): SceneGraph {
  return {
    width,
    height,
    index: 0,
    parent: Int32Array.from(rows.map((row) => row[0])),
    classId: Uint16Array.from(rows.map((row) => row[1])),
    asset: Int32Array.from(rows.map((row) => row[2])),
    attributes: Float32Array.from(rows.flatMap((row) => row[3])),
    mutable: new Uint8Array(rows.length * 5),
  };
}

test('a box is the extent of the visible pixels, and the centre their mean', () => {
  const scene = sceneOf(6, 4, [
    [-1, 0, 0, [3, 2, 0, 1, 0]],
    [-1, 2, 1, [2, 1, 0, 1, 0.1]],
  ]);
  const instances = Uint16Array.from([
    1,
    1,
    1,
    1,
    1,
    1, //
    1,
    2,
    2,
    1,
    1,
    1, //
    1,
    2,
    1,
    1,
    2,
    1, //
    1,
    1,
    1,
    1,
    1,
    1,
  ]);
  const [background, car] = annotateScene(SCHEMA, ['grass', 'red'], scene, instances);
  assert.equal(background.box, [0, 0, 6, 4]);
  assert.is(background.pixels, 20);
  assert.equal(car.box, [1, 1, 4, 2]);
  assert.is(car.pixels, 4);
  // Columns 1, 2, 1, 4 and rows 1, 1, 2, 2: mean 2 and 1.5, plus half a pixel.
  assert.equal(car.centre, [2.5, 2]);
  assert.is(car.class, 'car');
  assert.is(car.asset, 'red');
  assert.is(car.visible, true);
  assert.equal(car.attributes, { x: 2, y: 1, rotation: 0, scale: 1, wear: 0.1 });
});

test('a hidden object is listed as not visible, without a box', () => {
  const scene = sceneOf(2, 1, [
    [-1, 0, 0, [0, 0, 0, 1, 0]],
    [-1, 2, 1, [900, 0, 0, 1, 0]],
  ]);
  const [, hidden] = annotateScene(SCHEMA, ['grass', 'red'], scene, Uint16Array.from([1, 1]));
  assert.is(hidden.visible, false);
  assert.is(hidden.box, null);
  assert.is(hidden.centre, null);
  assert.is(hidden.pixels, 0);
  assert.is(hidden.pose.x, 900);
});

test('a node without a sprite is a frame, not an object', () => {
  const scene = sceneOf(1, 1, [
    [-1, 1, -1, [0, 0, 0, 1, 0]],
    [0, 2, 0, [0, 0, 0, 1, 0]],
  ]);
  const labels = annotateScene(SCHEMA, ['red'], scene, Uint16Array.from([2]));
  assert.equal(
    labels.map((label) => [label.node, label.parent]),
    [[1, 0]],
  );
});

test("poses compose the parents' frames: three levels worked by hand", () => {
  // Root at (10, 20), turned by 90° clockwise (x → down, y → left), twice as large. Child at (3, 1) of it: down by 6,
  // left by 2 → (8, 26), rotation 90 + 45, scale 2 · ½. Grandchild at (√2, 0): along 135° → (−1, +1) → (7, 27).
  const scene = sceneOf(1, 1, [
    [-1, 1, 0, [10, 20, 90, 2, 0]],
    [0, 2, 0, [3, 1, 45, 0.5, 0]],
    [1, 2, 0, [Math.SQRT2, 0, 100, 3, 0]],
  ]);
  const poses = Array.from(worldPoses(SCHEMA, scene));
  const expected = [10, 20, 90, 2, 8, 26, 135, 1, 7, 27, -125, 3];
  for (const [i, value] of expected.entries()) assert.ok(Math.abs(poses[i] - value) < 1e-6, `entry ${i}: ${poses[i]}`);
});

test('a schema without pose columns has poses at the origin, and a 3D one is refused', () => {
  const flat: SceneSchema = { ...SCHEMA, attributes: [spec('wear', AttributeRole.None)] };
  const scene = { ...sceneOf(1, 1, [[-1, 0, 0, [5]]]), mutable: new Uint8Array(1) };
  assert.equal(Array.from(worldPoses(flat, scene)), [0, 0, 0, 1]);
  assert.throws(
    () => worldPoses({ ...SCHEMA, dimension: 3 }, scene),
    (error: unknown) => error instanceof SceneGraphError,
  );
});

test('regions agree with a naive search per node on random buffers', () => {
  const stream = new RandomStream({ seed: 5, index: 0 });
  for (let trial = 0; trial < 20; trial++) {
    const width = 1 + stream.integer(17);
    const height = 1 + stream.integer(9);
    const nodes = 4;
    const instances = Uint16Array.from({ length: width * height }, () => stream.integer(nodes + 1));
    const regions = visibleRegions(instances, width, height, nodes);
    for (let v = 0; v < nodes; v++) {
      const at = [...instances.keys()].filter((i) => instances[i] === v + 1);
      const xs = at.map((i) => i % width);
      const ys = at.map((i) => Math.floor(i / width));
      assert.is(regions.pixels[v], at.length);
      if (at.length === 0) continue;
      assert.is(regions.left[v], Math.min(...xs));
      assert.is(regions.right[v], Math.max(...xs));
      assert.is(regions.top[v], Math.min(...ys));
      assert.is(regions.bottom[v], Math.max(...ys));
      assert.is(
        regions.sumX[v],
        xs.reduce((a, b) => a + b, 0),
      );
      assert.is(
        regions.sumY[v],
        ys.reduce((a, b) => a + b, 0),
      );
    }
  }
});

test('a buffer of the wrong size and an id beyond the nodes are refused', () => {
  assert.throws(
    () => visibleRegions(new Uint16Array(5), 2, 3, 1),
    (error: unknown) => error instanceof ShapeError && /Expected 3 × 2 = 6/.test(error.message),
  );
  assert.throws(
    () => visibleRegions(Uint16Array.from([0, 2]), 2, 1, 1),
    (error: unknown) => error instanceof ShapeError && /received 2/.test(error.message),
  );
});

test("a batch's scenes read their own part of the buffer, also when sizes differ", () => {
  const one = sceneOf(2, 1, [[-1, 2, 0, [0, 0, 0, 1, 0]]]);
  const two = sceneOf(1, 3, [[-1, 2, 0, [0, 0, 0, 1, 0]]]);
  const batch = {
    schema: SCHEMA,
    assets: ['red'],
    scenes: [one, two],
    provenance: { grammar: '', grammarHash: '', seed: 0 },
  };
  const labels = annotateBatch(batch, Uint16Array.from([0, 1, 0, 0, 1]));
  assert.equal(
    labels.map((scene) => scene[0].box),
    [
      [1, 0, 1, 1],
      [0, 2, 1, 1],
    ],
  );
});

test('attributes print as the shortest decimal of their float32', () => {
  assert.is(shortestFloat32(Math.fround(0.1)), 0.1);
  assert.is(shortestFloat32(Math.fround(90)), 90);
  const stream = new RandomStream({ seed: 6, index: 0 });
  for (let i = 0; i < 2000; i++) {
    const value = Math.fround((stream.uniform() - 0.5) * 10 ** (stream.integer(12) - 6));
    assert.is(Math.fround(shortestFloat32(value)), value);
  }
});

test.run();
