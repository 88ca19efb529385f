import type { AssetLibrary } from '../assets/assetLibrary.js';
import { ShapeError } from '../errors.js';
import { encodeWithAssets } from '../scene/encode.js';
import type { SceneBatch } from '../scene/sceneGraph.js';
import type { AssetStore } from './assetStore.js';
import type { Kernels } from './kernels.js';
import type { SharedHeap } from './sharedHeap.js';
import { verifyAt } from './verify.js';

/** Canvas and sizes that all scenes of one call share. */
export interface BatchShape {
  /** N. */
  readonly count: number;
  /** 2: sprites. 3: meshes. */
  readonly dimension: 2 | 3;
  readonly width: number;
  readonly height: number;
  readonly channels: 1 | 3;
  /** A. */
  readonly columns: number;
  /** V of the largest scene. */
  readonly maxNodes: number;
  /** 3D: at least the vertices of the largest mesh, and the triangles of the scene that has most; else 0. */
  readonly vertices: number;
  readonly triangles: number;
  /** 3D: triangles of all scenes together; else 0. */
  readonly allTriangles: number;
}

/**
 * A batch in the kernels' memory, verified. One block holds
 * ```
 *  batch  the flatbuffer, at a multiple of 64
 *  remap  i32 [assets of the batch], record in the asset table
 *  delta  f32 [A], half-steps of the central differences; ≤ 0 where the kernel chooses
 * ```
 */
export interface PlacedBatch extends BatchShape {
  readonly batch: number;
  readonly remap: number;
  readonly delta: number;
  /** Its assets, for `AssetStore.release`. */
  readonly assets: Int32Array;
}

/**
 * What all scenes of a batch share.
 * @param library where the batch's assets are from; what it lacks is found out by `placeBatch`
 * @throws ShapeError when there is no scene or canvas sizes differ
 */
export function shapeOf(batch: SceneBatch, library: AssetLibrary): BatchShape {
  const { scenes, schema } = batch;
  if (scenes.length === 0) throw new ShapeError('Expected at least one scene for the batch but received none');
  const { width, height } = scenes[0];
  let maxNodes = 0;
  for (let i = 0; i < scenes.length; i++) {
    const scene = scenes[i];
    if (scene.width !== width || scene.height !== height) {
      throw new ShapeError(
        `Expected a canvas of ${width} × ${height} px, as scenes[0] has, for scenes[${i}] ` +
          `but received ${scene.width} × ${scene.height}`,
      );
    }
    maxNodes = Math.max(maxNodes, scene.parent.length);
  }
  const { dimension, channels, attributes } = schema;
  const load = dimension === 3 ? meshLoad(batch, library) : { vertices: 0, triangles: 0, allTriangles: 0 };
  return { count: scenes.length, dimension, width, height, channels, columns: attributes.length, maxNodes, ...load };
}

/** How much the meshes of a batch are, before they are loaded. */
export function meshLoad(
  batch: SceneBatch,
  library: AssetLibrary,
): Pick<BatchShape, 'vertices' | 'triangles' | 'allTriangles'> {
  const triangles = trianglesOf(batch, library);
  let largest = 0;
  let most = 0;
  let all = 0;
  for (const { asset } of batch.scenes) {
    let sum = 0;
    for (const index of asset) {
      if (!(triangles[index] > 0)) continue;
      sum += triangles[index];
      largest = Math.max(largest, triangles[index]);
    }
    most = Math.max(most, sum);
    all += sum;
  }
  // A mesh has no vertices that no triangle uses (`decodeAsset`).
  return { vertices: 3 * largest, triangles: most, allTriangles: all };
}

/**
 * [assets of the batch] triangles of those that its scenes use; 0 of others, of what is no mesh, or not in the library. A
 * grammar's batches name all assets that it knows, and to count the triangles of a mesh may be to make it.
 */
export function trianglesOf(batch: SceneBatch, library: AssetLibrary): Float64Array {
  const triangles = new Float64Array(batch.assets.length);
  const known = new Uint8Array(batch.assets.length);
  for (const { asset } of batch.scenes) {
    for (const index of asset) {
      if (index < 0 || known[index] !== 0) continue;
      known[index] = 1;
      const used = library.assets[library.indexOf(batch.assets[index])];
      if (used?.kind === 'mesh') triangles[index] = used.triangles;
    }
  }
  return triangles;
}

/**
 * Encodes, verifies and places a batch, and loads the assets it needs. `removeBatch` when no task reads it any more.
 * @param delta f32 [A], or undefined when nothing is differentiated
 * @throws SceneGraphError naming the malformed field; AssetError for an asset that is missing, cannot be used, or is a sprite in
 *   a 3D scene or a mesh in a 2D one
 */
export async function placeBatch(
  batch: SceneBatch,
  shape: BatchShape,
  delta: Float32Array | undefined,
  heap: SharedHeap,
  store: AssetStore,
  kernels: Kernels,
): Promise<PlacedBatch> {
  const { bytes, assets } = encodeWithAssets(batch);
  const resolved = store.resolve(assets, shape.dimension === 2 ? 'sprite' : 'mesh');
  const records = resolved instanceof Int32Array ? resolved : await resolved;
  const remapOffset = Math.ceil(bytes.length / 8) * 8;
  const deltaOffset = remapOffset + records.byteLength;
  let start = 0;
  try {
    start = heap.allocate(deltaOffset + 4 * shape.columns);
    heap.bytes(start, bytes.length).set(bytes);
    verifyAt(kernels, start, bytes.length);
    new Int32Array(heap.memory.buffer, start + remapOffset, records.length).set(records);
    if (delta) new Float32Array(heap.memory.buffer, start + deltaOffset, delta.length).set(delta);
  } catch (error) {
    if (start !== 0) heap.free(start);
    store.release(records);
    throw error;
  }
  return { ...shape, batch: start, remap: start + remapOffset, delta: start + deltaOffset, assets: records };
}

/** Gives back what `placeBatch` took. */
export function removeBatch(placed: PlacedBatch, heap: SharedHeap, store: AssetStore): void {
  heap.free(placed.batch);
  store.release(placed.assets);
}
