import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { annotateBatch, annotateScene } from '../../src/annotate/annotateScene.js';
import type { ObjectPose, RotatedBox } from '../../src/annotate/objectLabel.js';
import { visibleRegions } from '../../src/annotate/visibleRegions.js';
import { worldPoses } from '../../src/annotate/worldPoses.js';
import { SceneGraphError, ShapeError } from '../../src/errors.js';
import { RandomStream } from '../../src/random.js';
import { COVERAGE_COLUMNS } from '../../src/render/coverage.js';
import { LocalRenderer } from '../../src/render/localRenderer.js';
import { AttributeRole, type SceneSchema } from '../../src/scene/attributeSchema.js';
import type { SceneGraph } from '../../src/scene/sceneGraph.js';
import { shortestFloat32 } from '../../src/scene/shortestFloat32.js';
import { spriteBatch, spriteLibrary } from '../helpers/sprites.js';

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

/** Rows of a coverage table. */
function coverageRows(...rows: number[][]): Float64Array {
  for (const row of rows) assert.is(row.length, COVERAGE_COLUMNS);
  return Float64Array.from(rows.flat());
}

/** A whole canvas, covered by a sprite of its size. */
const whole = (width: number, height: number) => {
  const pixels = width * height;
  return [width / 2, height / 2, width, height, pixels, pixels, 0, 0, width, height];
};
const NOTHING = new Array<number>(COVERAGE_COLUMNS).fill(0);

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
  // The car alone: 10 px in columns −1 … 4 of rows 1 and 2, two of them off the canvas.
  const coverage = coverageRows(whole(6, 4), [1.25, 2, 6.5, 2, 10, 8, -1, 1, 5, 3]);
  const [background, car] = annotateScene(SCHEMA, ['grass', 'red'], scene, instances, coverage);
  assert.equal(background.box, [0, 0, 6, 4]);
  assert.is(background.pixels, 20);
  assert.equal(car.box, [1, 1, 4, 2]);
  assert.is(car.pixels, 4);
  // Columns 1, 2, 1, 4 and rows 1, 1, 2, 2: mean 2 and 1.5, plus half a pixel.
  assert.equal(car.centre, [2.5, 2]);
  assert.is(car.class, 'car');
  assert.is(car.asset, 'red');
  assert.is(car.visible, true);
  // 10 px alone, 8 of them on the canvas, 4 seen.
  assert.equal(car.amodalBox, [-1, 1, 6, 2]);
  assert.equal(car.rotatedBox, { x: 1.25, y: 2, width: 6.5, height: 2, rotation: 0 });
  assert.is(car.visibleFraction, 0.4);
  assert.is(car.truncation, 0.2);
  assert.is(car.occluded, 0.5);
  assert.is(car.occlusion, 1);
  assert.equal([background.occluded, background.occlusion, background.truncation], [0.1667, 1, 0]);
  assert.equal(car.attributes, { x: 2, y: 1, rotation: 0, scale: 1, wear: 0.1 });
});

test('a hidden object is listed as not visible, without a box', () => {
  const scene = sceneOf(2, 1, [
    [-1, 0, 0, [0, 0, 0, 1, 0]],
    [-1, 2, 1, [900, 0, 0, 1, 0]],
  ]);
  const coverage = coverageRows(whole(2, 1), [900, 0, 4, 2, 8, 0, 898, -1, 902, 1]);
  const [, hidden] = annotateScene(SCHEMA, ['grass', 'red'], scene, Uint16Array.from([1, 1]), coverage);
  assert.is(hidden.visible, false);
  assert.is(hidden.box, null);
  assert.is(hidden.centre, null);
  assert.is(hidden.pixels, 0);
  assert.is((hidden.pose as ObjectPose).x, 900);
  assert.equal(hidden.amodalBox, [898, -1, 4, 2]);
  assert.equal(hidden.rotatedBox, { x: 900, y: 0, width: 4, height: 2, rotation: 0 });
  // All of it is off the canvas, so nothing is known about what hides it.
  assert.equal([hidden.visibleFraction, hidden.truncation, hidden.occluded, hidden.occlusion], [0, 1, 0, 3]);
});

test('a node without a sprite is a frame, not an object', () => {
  const scene = sceneOf(1, 1, [
    [-1, 1, -1, [0, 0, 0, 1, 0]],
    [0, 2, 0, [0, 0, 0, 1, 0]],
  ]);
  const labels = annotateScene(SCHEMA, ['red'], scene, Uint16Array.from([2]), coverageRows(NOTHING, whole(1, 1)));
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

test('long runs, read several pixels at a time, end where they end: any length, any place in memory', () => {
  const stream = new RandomStream({ seed: 8, index: 0 });
  for (let trial = 0; trial < 300; trial++) {
    const width = 1 + stream.integer(60);
    const height = 1 + stream.integer(4);
    const shift = stream.integer(2);
    const memory = new Uint16Array(width * height + shift).fill(9);
    const instances = memory.subarray(shift);
    for (let i = 0; i < instances.length; ) {
      const id = stream.integer(4);
      for (let left = stream.integer(40); left >= 0 && i < instances.length; left--) instances[i++] = id;
    }
    const regions = visibleRegions(instances, width, height, 3);
    for (let v = 0; v < 3; v++) {
      const xs = [...instances.keys()].filter((i) => instances[i] === v + 1).map((i) => i % width);
      assert.is(regions.pixels[v], xs.length);
      assert.is(
        regions.sumX[v],
        xs.reduce((a, b) => a + b, 0),
      );
      if (xs.length > 0) assert.equal([regions.left[v], regions.right[v]], [Math.min(...xs), Math.max(...xs)]);
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
  const labels = annotateBatch(batch, Uint16Array.from([0, 1, 0, 0, 1]), coverageRows(whole(2, 1), whole(1, 3)));
  assert.equal(
    labels.map((scene) => scene[0].box),
    [
      [1, 0, 1, 1],
      [0, 2, 1, 1],
    ],
  );
});

test('an object that covers nothing has no box of any kind', () => {
  const scene = sceneOf(1, 1, [[-1, 2, 0, [0, 0, 0, 1, 0]]]);
  const [label] = annotateScene(SCHEMA, ['red'], scene, Uint16Array.from([0]), coverageRows(NOTHING));
  assert.equal([label.box, label.centre, label.amodalBox, label.rotatedBox], [null, null, null, null]);
  assert.equal([label.visibleFraction, label.truncation, label.occluded, label.occlusion], [0, 0, 0, 3]);
});

test('coverage that does not fit the scene or the buffer is refused', () => {
  const scene = sceneOf(2, 1, [[-1, 2, 0, [0, 0, 0, 1, 0]]]);
  const wrong = (coverage: Float64Array) => () =>
    annotateScene(SCHEMA, ['red'], scene, Uint16Array.from([1, 1]), coverage);
  assert.throws(wrong(new Float64Array(3)), /Expected 1 × 10 entries for coverage but received 3/);
  assert.throws(wrong(coverageRows(whole(1, 1))), /Expected at most 1 px, what it covers alone, for node 0/);
});

test('labels of rendered scenes agree with naive counts of the same scenes drawn node by node', async () => {
  const renderer = await LocalRenderer.create(spriteLibrary);
  const batch = spriteBatch(60, 48, 11);
  const rendered = renderer.render(batch);
  const levels = new Set<number>();
  for (const [i, scene] of batch.scenes.entries()) {
    const { instances, coverage } = rendered[i];
    for (const label of annotateScene(batch.schema, batch.assets, scene, instances!, coverage!)) {
      // Alone on a canvas that is three times as large, with the first one in its middle: node 0 is everybody's frame.
      const attributes = scene.attributes.slice();
      attributes[0] += 48;
      attributes[1] += 48;
      const asset = scene.asset.map((index, v) => (v === label.node ? index : -1));
      const alone = { ...scene, width: 144, height: 144, attributes, asset };
      const [{ instances: map }] = renderer.render({ ...batch, scenes: [alone] }, 'none');
      const at = [...map!.keys()].filter((k) => map![k] > 0);
      const xs = at.map((k) => (k % 144) - 48);
      const ys = at.map((k) => Math.floor(k / 144) - 48);
      const onCanvas = xs.filter((x, k) => x >= 0 && x < 48 && ys[k] >= 0 && ys[k] < 48).length;
      const seen = instances!.filter((id) => id === label.node + 1).length;
      const [left, top] = [Math.min(...xs), Math.min(...ys)];
      const amodal = [left, top, Math.max(...xs) - left + 1, Math.max(...ys) - top + 1];
      assert.equal(label.amodalBox, at.length > 0 ? amodal : null);
      const near = (value: number, expected: number) => assert.ok(Math.abs(value - expected) <= 5.1e-5, `${value}`);
      near(label.visibleFraction, seen / Math.max(1, at.length));
      near(label.truncation, (at.length - onCanvas) / Math.max(1, at.length));
      near(label.occluded, (onCanvas - seen) / Math.max(1, onCanvas));
      levels.add(label.occlusion);
      if (label.box && label.amodalBox) {
        const [l, t, w, h] = label.box;
        const [L, T, W, H] = label.amodalBox;
        assert.ok(l >= L && t >= T && l + w <= L + W && t + h <= T + H, 'the modal box lies within');
      }
      if (label.rotatedBox && label.amodalBox) expectQuadAround(label.rotatedBox, label.amodalBox);
    }
  }
  assert.equal([...levels].sort(), [0, 1, 2, 3], 'all levels occurred');
});

/** The amodal box may reach beyond the turned quad's corners by half a pixel and the fade of its edge. */
function expectQuadAround(quad: RotatedBox, [left, top, width, height]: readonly number[]): void {
  const angle = (quad.rotation * Math.PI) / 180;
  const halfX = (Math.abs(quad.width * Math.cos(angle)) + Math.abs(quad.height * Math.sin(angle))) / 2;
  const halfY = (Math.abs(quad.width * Math.sin(angle)) + Math.abs(quad.height * Math.cos(angle))) / 2;
  assert.ok(left >= quad.x - halfX - 1 && left + width <= quad.x + halfX + 1, 'columns');
  assert.ok(top >= quad.y - halfY - 1 && top + height <= quad.y + halfY + 1, 'rows');
}

test('attributes print as the shortest decimal of their float32', () => {
  assert.is(shortestFloat32(Math.fround(0.1)), 0.1);
  assert.is(shortestFloat32(Math.fround(90)), 90);
  const stream = new RandomStream({ seed: 6, index: 0 });
  for (let i = 0; i < 2000; i++) {
    const value = Math.fround((stream.uniform() - 0.5) * 10 ** (stream.integer(12) - 6));
    const short = shortestFloat32(value);
    assert.is(Math.fround(short), value);
    // No decimal of fewer digits does, six at least being allowed.
    const digits = [6, 7, 8, 9].find((count) => Math.fround(Number(value.toPrecision(count))) === value)!;
    assert.ok(String(short).length <= String(Number(value.toPrecision(digits))).length, `${short} for ${value}`);
  }
  for (const value of [1e-30, 3.4e38, 16777216, 123456792, 1e6, 999999.5, -0, 2 ** -20, -0.1, 1 / 3].map(Math.fround)) {
    assert.is(Math.fround(shortestFloat32(value)), value === 0 ? 0 : value);
  }
});

test.run();
