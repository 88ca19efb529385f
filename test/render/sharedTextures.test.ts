// Meshes of one kit share a palette: it lies in the kernels' memory once, as long as one of them does.
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { AssetLibrary } from '../../src/assets/assetLibrary.js';
import type { MeshAsset } from '../../src/assets/meshAsset.js';
import { Engine } from '../../src/render/engine.js';
import { LocalRenderer } from '../../src/render/localRenderer.js';
import type { SceneBatch } from '../../src/scene/sceneGraph.js';
import { meshBatch, meshScene } from '../helpers/meshScenes.js';
import { quad } from './meshFixtures.js';

const SIDE = 512;
/** With all its levels, eight bytes a texel. */
const TEXTURE_BYTES = (SIDE * SIDE * 8 * 4) / 3;

/** A texture of stripes, made anew each time: equal in its bytes, not the same array. */
function palette(seed: number) {
  const pixels = Uint8Array.from({ length: 4 * SIDE * SIDE }, (_, i) =>
    (i & 3) === 3 ? 255 : ((i >> 7) * seed * 37) & 255,
  );
  return { width: SIDE, height: SIDE, format: 'rgba8' as const, pixels };
}

/** A wall of its own width with a palette, 2 m high. */
function wall(name: string, width: number, seed: number): MeshAsset {
  return {
    ...{ kind: 'mesh', name, triangles: 2, minimum: [-width / 2, -1, 0], maximum: [width / 2, 1, 0] },
    load: () => ({ ...quad(width, 2), texture: palette(seed) }),
  };
}

const NAMES = ['a', 'b', 'c'];
const library = new AssetLibrary([wall('a', 2, 1), wall('b', 1, 1), wall('c', 2, 2)]);
const batchOf = (asset: number): SceneBatch => meshBatch([meshScene([{ asset, y: -1, z: 4 }])], NAMES);

/** Each wall in an engine that knows no other. */
const alone: Float32Array[] = [];
for (const [i, asset] of library.assets.entries()) {
  const engine = await Engine.create({ assets: new AssetLibrary([asset]), workers: 0 });
  alone.push((await engine.render(meshBatch([meshScene([{ asset: 0, y: -1, z: 4 }])], [NAMES[i]]))).color);
  await engine.close();
}

test('two meshes with equal textures take the memory of one texture; another is another', async () => {
  const engine = await Engine.create({ assets: library, workers: 0 });
  const used = async (asset: number) => {
    const before = engine.stats().peakBytes;
    assert.equal((await engine.render(batchOf(asset))).color, alone[asset], NAMES[asset]);
    return engine.stats().peakBytes - before;
  };
  await used(0);
  assert.ok((await used(1)) < 0.1 * TEXTURE_BYTES);
  assert.ok((await used(2)) > 0.9 * TEXTURE_BYTES);
  await engine.close();
});

test('a texture stays as long as one of its meshes does, and comes back after it made way', async () => {
  // Both palettes do not fit: whatever is not in use makes way at each load.
  const engine = await Engine.create({ assets: library, workers: 0, maxAssetBytes: 1.5 * TEXTURE_BYTES });
  for (const asset of [0, 1, 2, 1, 0, 2, 0]) {
    assert.equal((await engine.render(batchOf(asset))).color, alone[asset], NAMES[asset]);
  }
  const together = await Promise.all([0, 2, 1, 0].map((asset) => engine.render(batchOf(asset))));
  for (const [i, asset] of [0, 2, 1, 0].entries()) assert.equal(together[i].color, alone[asset]);
  const { memoryBytes } = engine.stats();
  for (let i = 0; i < 6; i++) await engine.render(batchOf(i % 3));
  assert.is(engine.stats().memoryBytes, memoryBytes, 'what made way is used again');
  await engine.close();
});

test('the renderer of the calling thread draws them alike', async () => {
  const local = await LocalRenderer.create(library);
  for (const asset of [2, 1, 0]) assert.equal(local.render(batchOf(asset))[0].color, alone[asset]);
});

test.run();
