import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { AssetError, ConfigError, KernelError, SceneGraphError } from '../../src/errors.js';
import { COVERAGE_COLUMNS, CoverageColumn } from '../../src/render/coverage.js';
import { Engine, type RenderedBatch } from '../../src/render/engine.js';
import { REGION_COLUMNS, RegionColumn } from '../../src/render/regions.js';
import type { SceneBatch, SceneGraph } from '../../src/scene/sceneGraph.js';
import { cameraOf, worldFrames } from '../../src/scene/worldFrames.js';
import { boxLibrary, CAR, CUBE, FIELD, ROAD } from '../helpers/boxMesh.js';
import { CAMERA, entryOf, type MeshNode, meshBatch, meshScene, meshSchema } from '../helpers/meshScenes.js';
import { spriteBatch, spriteLibrary } from '../helpers/sprites.js';

const engine = await Engine.create({ assets: boxLibrary, workers: 0 });
/** Nothing but even light of 1 from everywhere: surfaces have their own colours. */
const EVEN_LIGHT: MeshNode = { kind: 'light', brightness: 0, ambient: 1 };

const batchOf = (...scenes: SceneGraph[]) => meshBatch(scenes, boxLibrary.names);
const sceneOf = (...nodes: MeshNode[]) => meshScene(nodes);

function near(actual: ArrayLike<number>, expected: ArrayLike<number>, tolerance: number, label = ''): void {
  assert.is(actual.length, expected.length);
  for (let i = 0; i < expected.length; i++) {
    assert.ok(Math.abs(actual[i] - expected[i]) <= tolerance, `${label}[${i}] ${actual[i]} against ${expected[i]}`);
  }
}

async function rejection(promise: Promise<unknown>): Promise<Error> {
  try {
    await promise;
  } catch (error) {
    return error as Error;
  }
  throw new Error('Expected a rejection');
}

/** All that is known of one pixel of the first scene. */
function pixel(rendered: RenderedBatch<'f32'>, x: number, y: number) {
  const at = y * rendered.width + x;
  return {
    color: rendered.color.subarray(3 * at, 3 * at + 3),
    instance: rendered.instances![at],
    class: rendered.classes![at],
    depth: rendered.depth![at],
    normal: rendered.normals!.subarray(3 * at, 3 * at + 3),
  };
}

const ALL = { labels: true, depth: true, normals: true } as const;

test('a cube before the camera: colour, depth, normal, instance and class at known pixels', async () => {
  // 2 m wide, its front 10 m away: from 80 − 18 to 80 + 18 px; the top is 0.35 m above the camera's height, 6.3 px.
  const batch = batchOf(sceneOf(EVEN_LIGHT, { asset: CUBE, z: 11 }));
  for (const samples of [1, 4] as const) {
    const rendered = await engine.render(batch, { ...ALL, samples });
    for (const [x, y] of [
      [63, 35],
      [96, 35],
      [80, 50],
      [63, 68],
      [96, 68],
    ]) {
      const seen = pixel(rendered, x, y);
      near(seen.color, [0.8, 0.2, 0.1], 1e-5, `colour at ${x}, ${y} `);
      near([seen.depth], [10], 1e-4);
      near(seen.normal, [0, 0, -1], 1e-5);
      assert.equal([seen.instance, seen.class], [2, 1]);
    }
    for (const [x, y] of [
      [61, 50],
      [98, 50],
      [80, 32],
      [80, 70],
    ]) {
      const seen = pixel(rendered, x, y);
      assert.equal([seen.instance, seen.class, seen.depth, ...seen.normal], [0, 0, 0, 0, 0, 0], `${x}, ${y}`);
    }
    // Sky: at the horizon and below its colour, higher up bluer; without a sun, a third brighter than by default.
    const sky = 1 / (0.45 + 0.5 * 0.65);
    near(pixel(rendered, 5, 79).color, [0.82 * sky, 0.88 * sky, 0.94 * sky], 1e-5);
    assert.ok(pixel(rendered, 5, 0).color[0] < pixel(rendered, 5, 39).color[0]);
  }
});

test('the side of a turned cube, and the ground: depths by hand', async () => {
  // Turned by 45°, an edge is nearest: √2 m before the centre.
  const cube = await engine.render(batchOf(sceneOf(EVEN_LIGHT, { asset: CUBE, z: 10, rotation: 45 })), ALL);
  const edge = pixel(cube, 79, 50);
  assert.ok(edge.depth > 10 - Math.SQRT2 && edge.depth < 10 - Math.SQRT2 + 0.05, `${edge.depth}`);
  near([Math.abs(edge.normal[0]), edge.normal[1], edge.normal[2]], [Math.SQRT1_2, 0, -Math.SQRT1_2], 1e-5);
  // Ground 1.65 m below the camera: z = 1.65 · fy / (row + ½ − cy).
  const field: MeshNode[] = [
    EVEN_LIGHT,
    { kind: 'curve', z: 1 },
    { kind: 'strip', parent: 1, asset: FIELD, scaleX: 200, scaleZ: 150 },
  ];
  const ground = await engine.render(batchOf(meshScene(field)), { ...ALL, samples: 1 });
  for (const row of [45, 55, 79]) {
    const seen = pixel(ground, 80, row);
    near([seen.depth / ((1.65 * 180) / (row + 0.5 - 40))], [1], 1e-4);
    near(seen.normal, [0, -1, 0], 1e-5);
    near(seen.color, [0.3, 0.5, 0.2], 1e-5);
    assert.equal([seen.instance, seen.class], [3, 5]);
  }
});

test('sun, tint and haze change the colour as the formula says', async () => {
  // The sun stands behind the camera, 30° high: n · l of the cube's front is cos 30°.
  const light: MeshNode = { kind: 'light', rotation: 180, pitch: 30, brightness: 0.5, ambient: 0.4, haze: 20 };
  const batch = batchOf(sceneOf(light, { asset: CUBE, z: 11, brightness: 0.5, green: 2 }));
  const { color } = pixel(await engine.render(batch, { ...ALL, samples: 1 }), 80, 50);
  const shade = 0.4 + 0.5 * Math.cos(Math.PI / 6);
  const kept = Math.exp(-0.02 * 10);
  const surface = [0.8 * 0.5, 0.2 * 0.5 * 2, 0.1 * 0.5].map((value) => value * shade * kept);
  const horizon = [0.82, 0.88, 0.94].map((value) => (value * 0.4) / 0.45);
  near(
    color,
    surface.map((value, c) => value + (1 - kept) * horizon[c]),
    0.01,
  );
});

/** A curved road with a lane and cars on it, a cube beside it, camera and light nodes. */
function roadScene(index: number, curvature = 0.01 + 0.002 * index): SceneGraph {
  const nodes: MeshNode[] = [
    { kind: 'light', rotation: 30, pitch: 50, brightness: 0.65, ambient: 0.45, haze: 2 },
    { kind: 'camera', y: -1.65, rotation: 1, pitch: -1, fieldOfView: 48 },
    { kind: 'curve', curvature, curvatureRate: -0.0001, z: -4 },
    { kind: 'strip', parent: 2, asset: FIELD, y: 0.02, scaleX: 80, scaleZ: 200 },
    { kind: 'strip', parent: 2, asset: ROAD, scaleX: 7, scaleZ: 200 },
    { kind: 'strip', parent: 2, x: 1.75 },
    { parent: 5, asset: CAR, z: 16 + index, brightness: 0.8 },
    { parent: 5, asset: CAR, z: 30, rotation: 5 },
    { parent: 5, asset: CAR, x: -3.5, z: 24, rotation: 180, red: 3 },
    { parent: 2, asset: CUBE, x: -8, z: 28, rotation: 30, scaleY: 3 },
  ];
  return meshScene(nodes, { index, width: 160 });
}

/** Where a node's origin is seen, px. */
function originOnImage(scene: SceneGraph, node: number): [number, number] {
  const frame = worldFrames(meshSchema, scene).subarray(12 * node);
  const { fx, fy, cx, cy, toCamera: m } = cameraOf(meshSchema, scene);
  const [x, y, z] = [0, 4, 8].map(
    (row) => m[row] * frame[3] + m[row + 1] * frame[7] + m[row + 2] * frame[11] + m[row + 3],
  );
  return [cx + (fx * x) / z, cy + (fy * y) / z];
}

test("moving a curve's curvature moves what stands on it, and the road below it", async () => {
  const centres: number[] = [];
  for (const curvature of [-0.02, 0, 0.02]) {
    const scene = roadScene(0, curvature);
    const { instances, classes, regions, width } = await engine.render(batchOf(scene), { labels: true });
    const car = 6;
    const row = regions!.subarray(car * REGION_COLUMNS, (car + 1) * REGION_COLUMNS);
    assert.ok(row[RegionColumn.Pixels] > 20);
    const [x] = originOnImage(scene, car);
    const centre = row[RegionColumn.SumX] / row[RegionColumn.Pixels] + 0.5;
    centres.push(centre);
    assert.ok(Math.abs(centre - x) < 4, `the car is seen at ${centre}, its origin at ${x}`);
    // What is seen just below the car's rear is the road it stands on.
    const below = (row[RegionColumn.Bottom] + 1) * width + Math.round(centre);
    assert.is(instances![below], 5);
    assert.is(classes![below], 5);
  }
  assert.ok(centres[0] < centres[1] - 3 && centres[1] < centres[2] - 3, `${centres}`);
});

test('a camera node and the same camera struct give the same bytes', async () => {
  const nodes: MeshNode[] = [
    { asset: CUBE, z: 12, x: 1, rotation: 20 },
    { asset: CAR, z: 18, x: -2, rotation: -70 },
  ];
  const pose = { x: 0.5, y: -1.25, z: -2, pitch: -3, roll: 2 };
  const focal = 80 / Math.tan(Math.PI / 6);
  const struct = meshScene([...nodes, {}], { camera: { ...CAMERA, ...pose, heading: 5, fx: focal, fy: focal } });
  const camera: MeshNode = { kind: 'camera', ...pose, rotation: 5, fieldOfView: 60 };
  const node = meshScene([...nodes, camera], { camera: { ...CAMERA, x: 99, heading: 120 } });
  const rendered = await engine.render(batchOf(struct, node), { ...ALL, color: 'u8' });
  for (const array of [rendered.color, rendered.instances!, rendered.depth!, rendered.normals!]) {
    const half = array.length / 2;
    assert.ok(array.subarray(0, half).some((value) => value !== 0));
    assert.is(Buffer.compare(new Uint8Array(array.slice(0, half).buffer), new Uint8Array(array.slice(half).buffer)), 0);
  }
});

test('coverage is what an object alone would cover, regions what is seen of it', async () => {
  // The car stands before the cube and hides a part of it; another cube lies half beyond the right edge.
  const nodes = [EVEN_LIGHT, { asset: CUBE, z: 14 }, { asset: CAR, z: 10, x: 0.9 }, { asset: CUBE, z: 11, x: 80 / 18 }];
  const scene = meshScene(nodes as MeshNode[]);
  for (const samples of [1, 4] as const) {
    const { instances, coverage, regions } = await engine.render(batchOf(scene), { labels: true, samples });
    for (const node of [1, 2, 3]) {
      const alone = meshScene((nodes as MeshNode[]).map((spec, v) => (v === node ? spec : { ...spec, asset: -1 })));
      const one = await engine.render(batchOf(alone), { labels: true, samples });
      const seenAlone = one.instances!.reduce((sum, id) => sum + (id === node + 1 ? 1 : 0), 0);
      const row = coverage!.subarray(node * COVERAGE_COLUMNS, (node + 1) * COVERAGE_COLUMNS);
      const region = regions!.subarray(node * REGION_COLUMNS, (node + 1) * REGION_COLUMNS);
      const seen = instances!.reduce((sum, id) => sum + (id === node + 1 ? 1 : 0), 0);
      const label = `node ${node}, ${samples} samples`;
      // A pixel of the edge may have half of its samples, which alone is half against the sky.
      assert.ok(Math.abs(row[CoverageColumn.Inside] - seenAlone) <= 0.05 * seenAlone, `${label}: ${row} ${seenAlone}`);
      assert.is(region[RegionColumn.Pixels], seen, label);
      const box = one.regions!.subarray(node * REGION_COLUMNS + 1, node * REGION_COLUMNS + 5);
      if (node < 3) {
        assert.is(row[CoverageColumn.Pixels], row[CoverageColumn.Inside], label);
        near(row.subarray(CoverageColumn.Left, CoverageColumn.Bottom + 1), box, 1, label);
      } else {
        // The front has 36 × 36 px, from 142 to 178: half of it is beyond 160. To its left the side is seen, 30 px high
        // where it ends, 2 m farther away: to 80 + 180 · (80 / 18 − 1) / 12 = 131.67.
        const side = (142 - 131.67) * 33;
        near([row[CoverageColumn.Pixels] / (36 * 36 + side)], [1], 0.02, label);
        near([row[CoverageColumn.Inside] / (18 * 36 + side)], [1], 0.02, label);
        assert.ok(Math.abs(row[CoverageColumn.Right] - 178) <= 1.5, `${label}: ${row}`);
      }
    }
    const hidden = 1 - regions![REGION_COLUMNS] / coverage![COVERAGE_COLUMNS + CoverageColumn.Inside];
    assert.ok(hidden > 0.3 && hidden < 0.9, `${hidden}`);
    assert.equal([...coverage!.subarray(0, COVERAGE_COLUMNS)], new Array(COVERAGE_COLUMNS).fill(0));
  }
});

/** All bytes of a result, one after the other. */
function bytesOf(rendered: RenderedBatch): Uint8Array[] {
  const { color, instances, classes, coverage, regions, depth, normals } = rendered;
  return [color!, instances!, classes!, coverage!, regions!, depth!, normals!].map(
    (array) => new Uint8Array(array.buffer, array.byteOffset, array.byteLength),
  );
}

test('the same bytes on 0, 1 and 2 workers, by SIMD and scalar kernels, rendered and generated', async () => {
  const scenes = Array.from({ length: 12 }, (_, i) => roadScene(i));
  const batch = batchOf(...scenes);
  const source = {
    name: 'road',
    sampleBatch: ({ start, count }: { start: number; count: number }): SceneBatch => ({
      ...batch,
      scenes: Array.from({ length: count }, (_, i) => roadScene(start + i)),
    }),
  };
  const wanted = { ...ALL, color: 'u8' } as const;
  const reference = await engine.render(batch, wanted);
  for (const [workers, build] of [
    [0, 'scalar'],
    [1, 'simd'],
    [2, 'simd'],
    [1, 'scalar'],
  ] as const) {
    // A worker of two dies with the first scenes in hand: they are tried again, one by one.
    const fault = new Int32Array(new SharedArrayBuffer(8));
    fault.set([1, workers === 2 ? 1 : 0]);
    const other = await Engine.create({ assets: boxLibrary, workers, build, fault });
    try {
      const rendered = await other.render(batch, wanted);
      for (const [i, bytes] of bytesOf(rendered).entries()) {
        assert.is(Buffer.compare(bytes, bytesOf(reference)[i]), 0, `${workers} workers, ${build}, output ${i}`);
      }
      let at = 0;
      for await (const sample of other.generate(source, { count: 12, seed: 0, depth: true, normals: true })) {
        const pixels = sample.width * sample.height;
        const same = (a: ArrayBufferView, b: ArrayBufferView) => Buffer.compare(viewOf(a), viewOf(b)) === 0;
        assert.ok(same(sample.image, reference.color.subarray(3 * pixels * at, 3 * pixels * (at + 1))));
        assert.ok(same(sample.depth!, reference.depth!.subarray(pixels * at, pixels * (at + 1))));
        assert.ok(same(sample.normals!, reference.normals!.subarray(3 * pixels * at, 3 * pixels * (at + 1))));
        assert.ok(same(sample.instances, reference.instances!.subarray(pixels * at, pixels * (at + 1))));
        at++;
      }
      assert.is(at, 12);
    } finally {
      await other.close();
    }
  }
});

function viewOf(array: ArrayBufferView): Uint8Array {
  return new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
}

test('colour formats, regions alone, and arrays to be used again', async () => {
  const batch = batchOf(roadScene(0), roadScene(1));
  const all = await engine.render(batch, ALL);
  const bytes = await engine.render(batch, { color: 'u8' });
  assert.ok(bytes.color.every((value, i) => value === Math.floor(Math.min(1, Math.max(0, all.color[i])) * 255 + 0.5)));
  assert.is(bytes.depth, undefined);
  assert.is(bytes.instances, undefined);
  const regions = await engine.render(batch, { color: 'none', labels: 'regions' });
  assert.is(regions.color, undefined);
  assert.is(regions.instances, undefined);
  assert.equal(regions.regions, all.regions);
  assert.equal(regions.coverage, all.coverage);
  const depths = all.depth!.slice();
  all.depth!.fill(-1);
  const again = await engine.render(batch, { ...ALL, into: all });
  assert.is(again.depth, all.depth);
  assert.equal(again.depth, depths);
  const grey = { ...batch, schema: { ...batch.schema, channels: 1 as const } };
  const { color } = await engine.render(grey);
  assert.is(color.length, 2 * 160 * 80);
  assert.ok(color.some((value) => value > 0));
});

test('what does not fit is refused by name', async () => {
  const batch = batchOf(roadScene(0));
  const change = (scene: Partial<SceneGraph>) => rejection(engine.render(batchOf({ ...roadScene(0), ...scene })));
  const { camera: _, ...blind } = roadScene(0);
  const noCamera = await rejection(engine.render(batchOf(blind)));
  assert.instance(noCamera, SceneGraphError);
  assert.match(noCamera.message, 'scenes[0].camera');
  const attributes = roadScene(0).attributes.slice();
  attributes[entryOf(6, 'z')] = Number.NaN;
  assert.match((await change({ attributes })).message, `scenes[0].attributes[${entryOf(6, 'z')}]`);
  const sprites = await Engine.create({ assets: spriteLibrary.concat(boxLibrary), workers: 0, maxScenePixels: 20000 });
  try {
    const mixed = { ...batch, assets: ['ring', ...batch.assets.slice(1)] };
    const sprite = await rejection(sprites.render(mixed));
    assert.instance(sprite, AssetError);
    assert.match(sprite.message, 'Expected a mesh for "ring" but received a sprite');
    const flat = spriteBatch(1, 32);
    const mesh = await rejection(sprites.render({ ...flat, assets: ['cube', 'cube'] }));
    assert.match(mesh.message, 'Expected a sprite for "cube" but received a mesh');
    const large = await rejection(sprites.render(batchOf(meshScene([], { width: 200, height: 101 }))));
    assert.instance(large, KernelError);
    assert.match(large.message, 'at most 20000 px');
    const depth = await rejection(sprites.render(flat, { depth: true }));
    assert.instance(depth, ConfigError);
  } finally {
    await sprites.close();
  }
  const aborted = new AbortController();
  aborted.abort(new Error('enough'));
  assert.is((await rejection(engine.render(batch, { signal: aborted.signal }))).message, 'enough');
  assert.is((await engine.render(batch)).count, 1);
});

test('a mesh that is not what was announced is refused by name, and the engine goes on', async () => {
  const [cube, car] = boxLibrary.assets;
  const broken = async (data: object) => {
    const load = async () => ({ ...(await cube.load()), ...data }) as never;
    const assets = boxLibrary.assets.map((asset) => (asset === cube ? { ...cube, load } : asset));
    const other = await Engine.create({
      assets: new (boxLibrary.constructor as typeof import('../../src/assets/assetLibrary.js').AssetLibrary)(assets),
      workers: 0,
    });
    try {
      const failed = await rejection(other.render(batchOf(sceneOf({ asset: CUBE, z: 10 }))));
      assert.instance(failed, AssetError);
      assert.is((await other.render(batchOf(sceneOf({ asset: CAR, z: 10 })))).count, 1);
      return failed.message;
    } finally {
      await other.close();
    }
  };
  assert.is(car.name, 'car');
  assert.match(
    await broken({ indices: new Uint32Array(33) }),
    'Asset "cube": Expected 12 triangles as announced but received 11',
  );
  assert.match(await broken({ indices: new Uint32Array(36).fill(24) }), 'Asset "cube"');
  assert.match(await broken({ positions: new Float32Array(72).fill(Number.NaN) }), 'Asset "cube"');
});

test.after(() => engine.close());
test.run();
