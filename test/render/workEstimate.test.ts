// What a call is thought to cost decides whether it goes to a worker, and how finely it is divided.
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { AssetLibrary } from '../../src/assets/assetLibrary.js';
import { shapeOf } from '../../src/render/placedBatch.js';
import { renderWork, vjpWork } from '../../src/render/workEstimate.js';
import type { SceneBatch } from '../../src/scene/sceneGraph.js';
import { boxLibrary, CAR, CUBE, FIELD } from '../helpers/boxMesh.js';
import { entryOf, type MeshNode, meshBatch, meshScene } from '../helpers/meshScenes.js';
import { spriteBatch } from '../helpers/sprites.js';

/** A field on a curve, a car, and a node with two cubes below it. */
const NODES: readonly MeshNode[] = [
  { kind: 'camera', y: -1.5 },
  { kind: 'curve' },
  { kind: 'strip', parent: 1, asset: FIELD, scaleX: 10, scaleZ: 50 },
  { asset: CAR, z: 10 },
  { z: 20 },
  { parent: 4, asset: CUBE },
  { parent: 4, asset: CUBE, x: 3 },
];
const PLAIN = { samples: 4, labels: 'none', normals: false } as const;

/** Scenes in which what is named is mutable. */
function batchOf(names: readonly (readonly [node: number, attribute: string])[], count = 1, width = 160): SceneBatch {
  const scene = meshScene(NODES, { width });
  scene.mutable.fill(0);
  for (const [node, attribute] of names) scene.mutable[entryOf(node, attribute)] = 1;
  return meshBatch(Array(count).fill(scene), boxLibrary.names);
}

const render = (batch: SceneBatch, outputs: Parameters<typeof renderWork>[1] = PLAIN) =>
  renderWork(shapeOf(batch, boxLibrary), outputs);
const vjp = (batch: SceneBatch) => vjpWork(batch, shapeOf(batch, boxLibrary), boxLibrary);

test('rendering: pixels and triangles, by samples and by what is wanted', () => {
  // 160 × 80 px, 80 + 3 · 12 triangles.
  const still = batchOf([]);
  assert.equal(shapeOf(still, boxLibrary).allTriangles, 116);
  assert.is(render(still), 12_800 * 50 + 116 * 190);
  assert.is(render(still, { ...PLAIN, samples: 1 }), 12_800 * 30 + 116 * 190);
  assert.is(render(still, { ...PLAIN, labels: 'all', normals: true }), 12_800 * 70 + 116 * 490);
  assert.is(render(batchOf([], 3)), 3 * render(still));
  assert.is(render(batchOf([], 1, 320)), render(still) + 12_800 * 50);
  // All scenes count, not the largest as often as there are scenes.
  const mixed = { ...still, scenes: [...still.scenes, meshScene([{ asset: CAR }])] };
  assert.is(render(mixed), 2 * 12_800 * 50 + 128 * 190);
});

test('derivatives: objects by what moves with them, cameras and ground by whole renderings, colour for nothing', () => {
  const rest = render(batchOf([]));
  assert.is(vjp(batchOf([])), rest);
  const moved = (names: readonly (readonly [number, string])[]) => vjp(batchOf(names)) - rest;
  const rectangle = 12_800 * 3;
  assert.is(moved([[3, 'x']]), rectangle + 12 * 900);
  assert.is(moved([[4, 'z']]), rectangle + 24 * 900, 'both cubes');
  assert.is(moved([[5, 'z']]), rectangle + 12 * 900);
  assert.is(
    moved([
      [3, 'x'],
      [3, 'rotation'],
    ]),
    2 * moved([[3, 'x']]),
  );
  assert.is(moved([[0, 'pitch']]), 2 * rest);
  assert.is(moved([[1, 'curvature']]), 2 * rest);
  assert.is(moved([[3, 'red']]), 0);
  assert.is(vjp(batchOf([[3, 'x']], 4)), 4 * vjp(batchOf([[3, 'x']])));
});

test('an object is never more than two renderings, whatever hangs on it', () => {
  const nodes: MeshNode[] = [{ z: 20 }, ...Array.from({ length: 400 }, () => ({ parent: 0, asset: FIELD }))];
  const scene = meshScene(nodes, { width: 16, height: 8 });
  scene.mutable.fill(0);
  scene.mutable[entryOf(0, 'x')] = 1;
  const batch = meshBatch([scene], boxLibrary.names);
  assert.is(vjp(batch), 3 * render(batch));
});

test('only meshes that a scene uses are asked for their triangles', () => {
  const asked: string[] = [];
  const library = new AssetLibrary(
    boxLibrary.assets.map((asset) => ({
      ...asset,
      get triangles() {
        asked.push(asset.name);
        return asset.triangles;
      },
    })),
  );
  const batch = meshBatch(
    [meshScene([{ asset: CAR }, { asset: CAR }]), meshScene([{ asset: CUBE }])],
    boxLibrary.names,
  );
  assert.is(shapeOf(batch, library).allTriangles, 36);
  assert.equal(asked, ['car', 'cube']);
});

test('sprites: canvas and mutable attributes', () => {
  const batch = spriteBatch(3, 32);
  const shape = shapeOf(batch, boxLibrary);
  const pixels = shape.count * shape.width * shape.height;
  assert.ok(Math.abs(renderWork(shape, { ...PLAIN, samples: 0 }) - 0.8 * pixels) < 1e-6);
  assert.ok(vjpWork(batch, shape, boxLibrary) > 1.6 * pixels);
});

test.run();
