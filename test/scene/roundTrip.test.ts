import * as fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { SceneGraphError } from '../../src/errors.js';
import { decodeScenes } from '../../src/render/verify.js';
import { encodeScenes } from '../../src/scene/encode.js';
import type { SceneBatch, SceneGraph } from '../../src/scene/sceneGraph.js';
import { arbitraryBatch } from '../helpers/batches.js';

/** The same scenes, with indices into the shorter asset table that a file keeps. */
function withUsedAssets(batch: SceneBatch): SceneBatch {
  const used: number[] = [];
  const scenes = batch.scenes.map((scene) => ({
    ...scene,
    asset: scene.asset.map((index) => {
      if (index < 0) return -1;
      if (!used.includes(index)) used.push(index);
      return used.indexOf(index);
    }),
  }));
  return { ...batch, scenes, assets: used.map((index) => batch.assets[index]) };
}

test('a batch comes back as it was: every field of random batches', () => {
  fc.assert(
    fc.property(arbitraryBatch(), (batch) => {
      assert.equal(decodeScenes(encodeScenes(batch)), withUsedAssets(batch));
    }),
    { numRuns: 150, seed: 1 },
  );
});

test('a batch of 3D scenes likewise, with what its classes are', () => {
  fc.assert(
    fc.property(arbitraryBatch({ dimension: 3 }), (batch) => {
      assert.equal(decodeScenes(encodeScenes(batch)), withUsedAssets(batch));
    }),
    { numRuns: 150, seed: 2 },
  );
});

test('bytes at an odd address decode to the same batch', () => {
  const [batch] = fc.sample(arbitraryBatch(), { numRuns: 1, seed: 5 });
  const bytes = encodeScenes(batch);
  const shifted = new Uint8Array(bytes.length + 3).subarray(3);
  shifted.set(bytes);
  assert.equal(decodeScenes(shifted), decodeScenes(bytes));
});

test('encoding is a function of the batch: the same bytes twice', () => {
  const [batch] = fc.sample(arbitraryBatch(), { numRuns: 1, seed: 6 });
  assert.equal(encodeScenes(batch), encodeScenes(batch));
});

test('the camera of a 3D scene survives', () => {
  const camera = {
    fx: 700,
    fy: 701,
    cx: 320,
    cy: 120,
    x: 0,
    y: -1.5,
    z: 2,
    heading: 5,
    pitch: -3,
    roll: 1,
    near: 0.5,
    far: 200,
  };
  const [batch] = fc.sample(arbitraryBatch({ dimension: 3 }), { numRuns: 1, seed: 7 });
  const scenes = batch.scenes.map((scene) => ({ ...scene, camera }));
  const decoded = decodeScenes(encodeScenes({ ...batch, scenes }));
  for (const scene of decoded.scenes) assert.equal(scene.camera, camera);
});

test('the largest index and seed that a double holds survive', () => {
  const [batch] = fc.sample(arbitraryBatch(), { numRuns: 1, seed: 8 });
  const largest = Number.MAX_SAFE_INTEGER;
  const scenes = [{ ...batch.scenes[0], index: largest }];
  const decoded = decodeScenes(encodeScenes({ ...batch, scenes, provenance: { ...batch.provenance, seed: largest } }));
  assert.is(decoded.scenes[0].index, largest);
  assert.is(decoded.provenance.seed, largest);
});

test('a scene that does not fit its batch is refused by name', () => {
  const [batch] = fc.sample(arbitraryBatch({ minNodes: 2 }), { numRuns: 1, seed: 9 });
  const changed = (change: Partial<SceneGraph>) => () =>
    encodeScenes({ ...batch, scenes: [{ ...batch.scenes[0], ...change }] });
  const nodes = batch.scenes[0].parent.length;
  for (const [change, name] of [
    [{ classId: new Uint16Array(nodes + 1) }, 'scenes[0].classId'],
    [{ attributes: new Float32Array(1) }, 'scenes[0].attributes'],
    [{ mutable: new Uint8Array(1) }, 'scenes[0].mutable'],
    [{ asset: new Int32Array(nodes).fill(batch.assets.length) }, 'scenes[0].asset[0]'],
    [{ width: 65600 }, 'scenes[0].width'],
    [{ height: 1.5 }, 'scenes[0].height'],
    [{ index: -1 }, 'scenes[0].index'],
  ] as const) {
    assert.throws(changed(change), (error: unknown) => {
      assert.instance(error, SceneGraphError);
      return (error as Error).message.includes(`for ${name} but received`);
    });
  }
});

test.run();
