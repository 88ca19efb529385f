import type { SceneBatch } from '../scene/sceneGraph.js';
import type { BatchShape } from './placedBatch.js';

/** Cost of clearing, blending and storing a canvas pixel, ns: only the order of magnitude matters. */
const NS_PER_PIXEL = 0.8;
/** Cost of a perturbed pixel, ns. */
const NS_PER_PERTURBED_PIXEL = 2.5;
/** Pixels that a typical sprite covers; a perturbation re-rasterises no more than the canvas. */
const TYPICAL_SPRITE_PIXELS = 1500;

/** Cost of a pixel of a 3D scene, sky and shading together, and of a node with some 600 triangles, ns. */
const NS_PER_MESH_PIXEL = 3;
const NS_PER_MESH_NODE = 40_000;
/** Cost of an attribute of a mesh of some 1,000 triangles, moved both ways, ns. */
const NS_PER_MOVED_MESH = 250_000;

/** Estimated time of one thread to render the batch, ns. */
export function renderWork(shape: BatchShape): number {
  if (shape.dimension === 3) {
    return shape.count * (shape.width * shape.height * NS_PER_MESH_PIXEL + shape.maxNodes * NS_PER_MESH_NODE);
  }
  return shape.count * shape.width * shape.height * NS_PER_PIXEL;
}

/** Estimated time of one thread for the vjp of the batch, ns. */
export function vjpWork(batch: SceneBatch, shape: BatchShape): number {
  let mutable = 0;
  for (const scene of batch.scenes) for (const flag of scene.mutable) mutable += flag;
  if (shape.dimension === 3) return 2 * renderWork(shape) + mutable * NS_PER_MOVED_MESH;
  const perturbed = mutable * Math.min(shape.width * shape.height, TYPICAL_SPRITE_PIXELS);
  return 2 * renderWork(shape) + perturbed * NS_PER_PERTURBED_PIXEL;
}
