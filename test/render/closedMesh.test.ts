/** Closed meshes are told from those with a border, and half of their triangles cast the shadow that all of them cast. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { type Asset, AssetLibrary } from '../../src/assets/assetLibrary.js';
import { proceduralDriving } from '../../src/assets/proceduralDriving.js';
import { RandomStream } from '../../src/random.js';
import { isClosed } from '../../src/render/closedMesh.js';
import { LocalRenderer } from '../../src/render/localRenderer.js';
import { boxMesh } from '../helpers/boxScenes.js';
import { type MeshNode, meshBatch, meshScene } from '../helpers/meshScenes.js';

const driving = proceduralDriving({ cars: 4 });
const assetsUsed = driving.assets.filter(({ name }) => /cars|grounds\/grass/.test(name));
/** Every corner three times: a vertex for each of its faces. */
const box = await boxMesh('box', [-1, 0, -1], [1, 2, 1]).load();

test('closed or not: faces with vertices of their own, without a face, with one turned round, an edge of four', () => {
  assert.ok(isClosed(box));
  assert.not.ok(isClosed({ ...box, indices: box.indices.slice(3) }));
  const turned = box.indices.slice();
  turned.set([turned[1], turned[0]]);
  assert.not.ok(isClosed({ ...box, indices: turned }));
  // −0 is where 0 is.
  assert.ok(isClosed({ ...box, positions: box.positions.map((v, i) => (v === 0 && i % 2 === 1 ? -0 : v)) }));
  // Two boxes that share an edge, which four faces run through, twice each way.
  const beside = box.positions.map((v, i) => (i % 3 === 1 ? v : v + 2));
  const both = { positions: Float32Array.from([...box.positions, ...beside]) };
  assert.ok(isClosed({ ...both, indices: Uint32Array.from([...box.indices, ...box.indices.map((v) => v + 24)]) }));
  assert.not.ok(isClosed({ positions: new Float32Array(0), indices: new Uint32Array(0) }));
});

test('procedural cars are closed, grounds are not', async () => {
  for (const asset of assetsUsed) {
    if (asset.kind !== 'mesh') continue;
    assert.is(isClosed(await asset.load()), asset.name.includes('cars'), asset.name);
  }
});

test('shadows of closed meshes have the same bytes as those of all of their triangles', async () => {
  const meshes = [...driving.match('driving/cars/**'), 'box'];
  const ground = 'driving/grounds/grass';
  const library = new AssetLibrary<Asset>([...assetsUsed, boxMesh('box', [-1, -2, -1], [1, 0, 1])]);
  const assets = [ground, ...meshes];
  const random = new RandomStream({ seed: 3, index: 0 });
  const between = (low: number, high: number) => low + (high - low) * random.uniform();
  const scenes = Array.from({ length: 6 }, (_, index) => {
    const light: MeshNode = { kind: 'light', rotation: between(-180, 180), pitch: between(6, 80) };
    const solids = meshes.flatMap((_, i): MeshNode[] => [
      { asset: i + 1, x: between(-12, 12), z: between(4, 40), rotation: between(0, 360), pitch: between(-20, 20) },
      // Beside the camera, where it or its shadow is cut by the near plane.
      { asset: i + 1, x: between(-3, 3), z: between(-3, 3), rotation: between(0, 360) },
    ]);
    return meshScene([light, { asset: 0 }, ...solids], { width: 320, height: 160, index });
  });
  const renderer = await LocalRenderer.create(library);
  const loaded = renderer.load(meshBatch(scenes, assets));
  const draw = () =>
    scenes.flatMap((_, i) => [1, 4].map((n) => renderer.renderLoaded(loaded, i, 'f32', false, n as 1 | 4).color));
  const expected = clearClosed(renderer, library, draw);
  assert.equal(draw(), expected);
});

/** What `draw` gives while no mesh is flagged as closed. */
function clearClosed<T>(renderer: LocalRenderer, library: AssetLibrary<Asset>, draw: () => T): T {
  const { memory, constants } = renderer.kernels;
  const records = new DataView(memory.buffer);
  const flags = library.assets.map((_, i) => {
    const mesh = records.getUint32(renderer.assetTable + i * constants.ASSET_BYTES + constants.ASSET_TEXELS, true);
    return mesh + constants.MESH_FLAGS;
  });
  const before = flags.map((at) => records.getUint32(at, true));
  assert.ok(before.filter((value) => (value & constants.MESH_CLOSED) !== 0).length >= 5);
  for (const [i, at] of flags.entries()) records.setUint32(at, before[i] & ~constants.MESH_CLOSED, true);
  const drawn = draw();
  for (const [i, at] of flags.entries()) records.setUint32(at, before[i], true);
  return drawn;
}

test.run();
