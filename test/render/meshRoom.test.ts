// Scenes of which clipping makes more triangles than scratch memory has room for at first. What they are compared with has
// the room from the start: the same scene with a heap of triangles behind the camera, which count but are not drawn.
import { createHash } from 'node:crypto';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { AssetLibrary } from '../../src/assets/assetLibrary.js';
import type { MeshAsset, MeshData } from '../../src/assets/meshAsset.js';
import { COVERAGE_COLUMNS } from '../../src/render/coverage.js';
import { Engine, type RenderedBatch } from '../../src/render/engine.js';
import { compileKernels, instantiateKernels } from '../../src/render/kernels.js';
import { LocalRenderer } from '../../src/render/localRenderer.js';
import { writeMesh } from '../../src/render/meshMemory.js';
import { REGION_COLUMNS } from '../../src/render/regions.js';
import { MORE_ROOM } from '../../src/render/task.js';
import type { SceneBatch, SceneGraph } from '../../src/scene/sceneGraph.js';
import { boxAsset } from '../helpers/boxMesh.js';
import { entryOf, type MeshNode, meshBatch, meshScene } from '../helpers/meshScenes.js';
import { randomGradients } from './meshVjpScenes.js';

const WIDTH = 64;
const HEIGHT = 48;
const CAMERA = {
  ...{ fx: 40, fy: 40, cx: 32, cy: 24, x: 0, y: 0, z: 0, heading: 0, pitch: 0, roll: 0 },
  ...{ near: 0.1, far: 1e5 },
};
/** What there is room for at first, by the number of triangles in a scene. */
const atFirst = (triangles: number) => 1.25 * triangles + 4096;

/** One triangle a group of nine coordinates, facing up, each a little brighter than the one before. */
function triangles(name: string, corners: readonly (readonly number[])[]): MeshAsset {
  const positions = Float32Array.from(corners.flat());
  const count = corners.length;
  const data: MeshData = {
    positions,
    normals: Float32Array.from(positions, (_, i) => (i % 3 === 1 ? -1 : 0)),
    colors: Float32Array.from(positions, (_, i) => [0.8, 0.5, 0.3][i % 3] * (0.5 + (0.5 * Math.floor(i / 9)) / count)),
    indices: Uint32Array.from({ length: 3 * count }, (_, i) => i),
  };
  const bound = (pick: (...values: number[]) => number, axis: number) =>
    corners.flat().reduce((most, value, i) => (i % 3 === axis ? pick(most, value) : most), pick());
  const corner = (pick: (...values: number[]) => number) =>
    [0, 1, 2].map((axis) => bound(pick, axis)) as [number, number, number];
  return {
    ...{ kind: 'mesh', name, triangles: count, minimum: corner(Math.min), maximum: corner(Math.max) },
    load: () => data,
  };
}

/** Slats beside and over each other 1 m below the camera, from 2 m behind it to 8 m before it, one corner behind: the near plane cuts each into two. */
const SLATS = 7000;
const slats = triangles(
  'slats',
  Array.from({ length: SLATS }, (_, i) => {
    const x = -4 + (8 * i) / SLATS;
    return [x, 1, -2, x + 0.3, 1, 8, x - 0.3, 1, 8];
  }),
);
/** A triangle that the near plane and all four planes of the guard band cut, into six: there are none that are cut into more. */
const SIX = [665, -581, 1.8, 378, -411, -0.6, -696, 702, 1.4];
const SHARDS = 2000;
const shards = triangles(
  'shards',
  Array.from({ length: SHARDS }, () => SIX),
);
const heap = triangles(
  'heap',
  Array.from({ length: 60_000 }, (_, i) => [0, 0, -5 - i / 1e4, 1, 0, -5, 0, 1, -5]),
);
const library = new AssetLibrary([slats, shards, heap, boxAsset('box', [1, 1, 1], [0.2, 0.3, 0.9])]);
const [PLAIN_SLATS, ALL_SHARDS, HEAP, BOX] = library.names.keys();

const box: MeshNode = { asset: BOX, x: 0.3, y: 0.8, z: 4, rotation: 20 };
const sceneOf = (...nodes: MeshNode[]) => meshScene(nodes, { width: WIDTH, height: HEIGHT, camera: CAMERA });
const batchOf = (...scenes: SceneGraph[]): SceneBatch => meshBatch(scenes, library.names);
/** A scene that needs no room, one that needs twice the usual room, one that needs all, and another one that needs none. */
const SCENES: readonly (readonly MeshNode[])[] = [
  [box],
  [{ asset: PLAIN_SLATS }, box],
  [{ asset: ALL_SHARDS }, box],
  [{ ...box, x: -1 }],
];
const batch = batchOf(...SCENES.map((nodes) => sceneOf(...nodes)));
const roomy = (nodes: readonly MeshNode[]) => batchOf(sceneOf(...nodes, { asset: HEAP }));

const engine = await Engine.create({ assets: library, workers: 0 });
const ALL = { labels: true, depth: true, normals: true } as const;

/** Bytes of scene `i` of a rendering, whose nodes are rows `from` … `from + rows − 1`. */
function bytesAt(rendered: RenderedBatch<'f32'>, i: number, rows: number, from: number): readonly string[] {
  const { count, color, instances, classes, coverage, regions, depth, normals } = rendered;
  const hex = (all: ArrayBufferView, start: number, end: number) =>
    createHash('sha256')
      .update(new Uint8Array(all.buffer, all.byteOffset + start, end - start))
      .digest('hex');
  const pixels = [color, instances, classes, depth, normals].map((all) => {
    const bytes = all!.byteLength / count;
    return hex(all!, i * bytes, (i + 1) * bytes);
  });
  const tables = [
    [coverage!, COVERAGE_COLUMNS],
    [regions!, REGION_COLUMNS],
  ] as const;
  return [...pixels, ...tables.map(([all, columns]) => hex(all, 8 * from * columns, 8 * (from + rows) * columns))];
}

function expectReference(rendered: RenderedBatch<'f32'>, references: readonly RenderedBatch<'f32'>[]): void {
  let row = 0;
  for (const [i, { length }] of SCENES.entries()) {
    assert.equal(bytesAt(rendered, i, length, row), bytesAt(references[i], 0, length, 0), `scene ${i}`);
    row += length;
  }
}

const references: RenderedBatch<'f32'>[] = [];
for (const nodes of SCENES) references.push(await engine.render(roomy(nodes), ALL));

test('the scenes need what they are made for: the kernel says so', async () => {
  const memory = new WebAssembly.Memory({ initial: 1024, maximum: 65536, shared: true });
  const kernels = instantiateKernels(compileKernels('simd'), memory);
  assert.ok(2 * SLATS > atFirst(SLATS) && 2 * SLATS < atFirst(MORE_ROOM[0] * SLATS));
  assert.ok(6 * SHARDS > atFirst(MORE_ROOM[0] * SHARDS) && 6 * SHARDS < atFirst(MORE_ROOM[1] * SHARDS));
  const K = kernels.constants;
  for (const [mesh, enough] of [
    [slats, MORE_ROOM[0]],
    [shards, MORE_ROOM[1]],
  ] as const) {
    const address = Math.ceil(kernels.heapBase / 64) * 64;
    const data = await mesh.load();
    writeMesh(data, 'solid', memory.buffer, address, K);
    const view = address + (4 << 20);
    for (const room of [1, ...MORE_ROOM]) {
      stageView(memory.buffer, K, view, address, room * mesh.triangles);
      const status = kernels.drawMeshes(view, view + 4096);
      assert.is(status, room < enough ? K.STATUS_ROOM : K.STATUS_OK, `${mesh.name}, room ${room}`);
    }
  }
});

/** A view of one mesh that stands at the origin, and behind it the instance; nothing is wanted of it. */
function stageView(
  buffer: ArrayBufferLike,
  K: Readonly<Record<string, number>>,
  view: number,
  mesh: number,
  most: number,
): void {
  new Uint8Array(buffer, view, 4096).fill(0);
  const record = new DataView(buffer, view);
  const instance = 2048;
  for (const [field, value] of [
    [K.VIEW_WIDTH, WIDTH],
    [K.VIEW_HEIGHT, HEIGHT],
    [K.VIEW_CHANNELS, 3],
    [K.VIEW_SAMPLES, 4],
    [K.VIEW_COUNT, 1],
    [K.VIEW_INSTANCES, view + instance],
    [K.VIEW_VERTICES, most * 3],
    [K.VIEW_TRIANGLES, most],
    [instance + K.INSTANCE_MESH, mesh],
  ] as const) {
    record.setUint32(field, value, true);
  }
  for (const [field, value] of [
    [K.VIEW_FX, CAMERA.fx],
    [K.VIEW_FY, CAMERA.fy],
    [K.VIEW_CX, CAMERA.cx],
    [K.VIEW_CY, CAMERA.cy],
    [K.VIEW_NEAR, CAMERA.near],
    [instance + K.INSTANCE_MATRIX, 1],
    [instance + K.INSTANCE_MATRIX + 20, 1],
    [instance + K.INSTANCE_MATRIX + 40, 1],
  ] as const) {
    record.setFloat32(field, value, true);
  }
}

test('rendered: the bytes of a scene that has room from the start, for any number of workers and both builds', async () => {
  assert.ok(new Set(references[1].instances).size === 3 && new Set(references[2].instances).has(1));
  for (const options of [
    { workers: 0 },
    { workers: 0, build: 'scalar' as const },
    { workers: 1 },
    { workers: 2 },
  ] as const) {
    const other = await Engine.create({ assets: library, ...options });
    try {
      expectReference(await other.render(batch, ALL), references);
    } finally {
      await other.close();
    }
  }
});

test('generated: all scenes of a stream come, with the bytes of the reference', async () => {
  const source = {
    schema: batch.schema,
    assets: library,
    sampleBatch: ({ start = 0, count = 0 }) => ({
      ...batch,
      scenes: Array.from({ length: count }, (_, i) => ({ ...batch.scenes[(start + i) % 4], index: start + i })),
    }),
  };
  let seen = 0;
  for await (const sample of engine.generate(source as never, { count: 8, seed: 1, depth: true })) {
    const reference = references[sample.index % 4];
    assert.equal(sample.instances, reference.instances, `scene ${sample.index}`);
    assert.equal(sample.depth, reference.depth);
    seen++;
  }
  assert.is(seen, 8);
});

test('derivatives: those of a scene that has room from the start', async () => {
  const expected: number[] = [];
  const gradients = randomGradients(batch, 1)[0];
  const pixels = 3 * WIDTH * HEIGHT;
  const named = ['x', 'z', 'rotation', 'brightness', 'red'];
  const columns = batch.schema.attributes.length;
  const onlySome = (scene: SceneGraph): SceneGraph => {
    const mutable = new Uint8Array(scene.mutable.length);
    for (let node = 0; node < scene.parent.length; node++) for (const name of named) mutable[entryOf(node, name)] = 1;
    return { ...scene, mutable };
  };
  for (const [i, nodes] of SCENES.entries()) {
    const alone = roomy(nodes);
    const mutable = onlySome(batch.scenes[i]).mutable;
    const padded = new Uint8Array(alone.scenes[0].mutable.length);
    padded.set(mutable);
    const scene = { ...alone.scenes[0], mutable: padded };
    const gradient = gradients.subarray(i * pixels, (i + 1) * pixels);
    expected.push(...(await engine.vjp({ ...alone, scenes: [scene] }, gradient)).subarray(0, nodes.length * columns));
  }
  const some = { ...batch, scenes: batch.scenes.map(onlySome) };
  const norm = Math.hypot(...expected);
  for (const options of [{ workers: 0 }, { workers: 2 }]) {
    const other = await Engine.create({ assets: library, ...options });
    try {
      const out = await other.vjp(some, gradients);
      assert.is(out.length, expected.length);
      assert.ok(out.filter((value) => value !== 0).length > 20);
      const error = Math.hypot(...out.map((value, i) => value - expected[i]));
      assert.ok(error <= 1e-6 * norm, `${error} of ${norm}`);
    } finally {
      await other.close();
    }
  }
});

test('the renderer of the calling thread does likewise', async () => {
  const local = await LocalRenderer.create(library);
  for (const [i, image] of local.render(batch).entries()) {
    assert.equal(image.instances, references[i].instances, `scene ${i}`);
    assert.equal(image.color, references[i].color);
  }
  const gradient = randomGradients(batch, 1)[0];
  assert.ok(local.vjp(batchOf(batch.scenes[1]), gradient.subarray(0, 3 * WIDTH * HEIGHT)).some((value) => value !== 0));
});

test('memory for more room is given back: what is in use does not grow from call to call', async () => {
  const other = await Engine.create({ assets: library, workers: 0 });
  // One scene a call: of two tasks in work either both hold more room at once or one after the other, as time will have it.
  const calls = [batchOf(batch.scenes[1]), batchOf(batch.scenes[2]), batchOf(batch.scenes[0])];
  const drawAll = async () => {
    for (const call of calls) await other.render(call);
  };
  // Where results, assets and more room come to lie is settled after a round or two.
  for (let i = 0; i < 3; i++) await drawAll();
  const { memoryBytes, peakBytes } = other.stats();
  for (let i = 0; i < 3; i++) await drawAll();
  assert.is(other.stats().memoryBytes, memoryBytes);
  assert.is(other.stats().peakBytes, peakBytes);
  await other.close();
});

test.after(() => engine.close());
test.run();
