import type { AssetLibrary } from '../assets/assetLibrary.js';
import { AttributeRole, NodeKind } from '../scene/attributeSchema.js';
import type { SceneBatch, SceneGraph } from '../scene/sceneGraph.js';
import { type BatchShape, trianglesOf } from './placedBatch.js';
import type { RenderOutputs } from './sceneLayout.js';

// Costs were measured on one core of a server, with driving scenes from 310 × 94 to 1242 × 375 px. Estimates of single scenes
// are right within a factor of two or so, which is all that is asked of them: they say what is worth a worker, and how finely
// a call is divided.

/** Cost of clearing, blending and storing a canvas pixel, ns. */
const NS_PER_PIXEL = 0.8;
/** Cost of a perturbed pixel, ns. */
const NS_PER_PERTURBED_PIXEL = 2.5;
/** Pixels that a typical sprite covers; a perturbation re-rasterises no more than the canvas. */
const TYPICAL_SPRITE_PIXELS = 1500;

/** Cost of a pixel of a 3D scene, by samples, and of its depth and normal, ns. */
const NS_PER_MESH_PIXEL = { 1: 30, 4: 50 };
const NS_PER_MESH_NORMAL = 20;
/** Cost of a triangle that is drawn, and of what it would cover alone, ns. */
const NS_PER_TRIANGLE = 190;
const NS_PER_COVERED_TRIANGLE = 300;
/** Cost of a triangle moved both ways, and of the rectangle around it, a part of the canvas: ns for a pixel of the canvas. */
const NS_PER_MOVED_TRIANGLE = 900;
const NS_PER_MOVED_PIXEL = 3;

/** What the image is linear in: of all objects from one more rendering. */
const LINEAR_ROLES: readonly AttributeRole[] = [
  AttributeRole.Brightness,
  AttributeRole.Red,
  AttributeRole.Green,
  AttributeRole.Blue,
];

/** Estimated time of one thread to render the batch, ns. */
export function renderWork(shape: BatchShape, outputs: Pick<RenderOutputs, 'samples' | 'labels' | 'normals'>): number {
  const pixels = shape.count * shape.width * shape.height;
  if (shape.dimension === 2) return pixels * NS_PER_PIXEL;
  const pixel = NS_PER_MESH_PIXEL[outputs.samples === 1 ? 1 : 4] + (outputs.normals ? NS_PER_MESH_NORMAL : 0);
  const triangle = NS_PER_TRIANGLE + (outputs.labels === 'none' ? 0 : NS_PER_COVERED_TRIANGLE);
  return pixels * pixel + shape.allTriangles * triangle;
}

/** Estimated time of one thread for the vjp of the batch, ns. @param library where the batch's assets are from */
export function vjpWork(batch: SceneBatch, shape: BatchShape, library: AssetLibrary): number {
  const rest = renderWork(shape, { samples: 4, labels: 'none', normals: false });
  if (shape.dimension === 3) return rest + movedWork(batch, shape, library, rest / shape.count);
  let mutable = 0;
  for (const scene of batch.scenes) for (const flag of scene.mutable) mutable += flag;
  const perturbed = mutable * Math.min(shape.width * shape.height, TYPICAL_SPRITE_PIXELS);
  return 2 * rest + perturbed * NS_PER_PERTURBED_PIXEL;
}

/** Of all attributes that move something. @param whole cost of rendering a scene */
function movedWork(batch: SceneBatch, shape: BatchShape, library: AssetLibrary, whole: number): number {
  const columns = batch.schema.attributes.flatMap(({ role }, a) => (LINEAR_ROLES.includes(role) ? [] : [a]));
  const triangles = trianglesOf(batch, library);
  const rectangle = shape.width * shape.height * NS_PER_MOVED_PIXEL;
  let sum = 0;
  for (const scene of batch.scenes) {
    const below = subtreeTriangles(scene, triangles);
    for (let v = 0; v < below.length; v++) {
      let moves = 0;
      for (const a of columns) moves += scene.mutable[v * shape.columns + a];
      if (moves === 0) continue;
      // Cameras, lights and what objects stand on change the whole image, at both ends of the step.
      const isObject = batch.schema.kinds === undefined || batch.schema.kinds[scene.classId[v]] === NodeKind.Object;
      const part = below[v] === 0 ? 0 : rectangle + below[v] * NS_PER_MOVED_TRIANGLE;
      sum += moves * (isObject ? Math.min(part, 2 * whole) : 2 * whole);
    }
  }
  return sum;
}

/** [V] triangles of each node and all below it. */
function subtreeTriangles({ parent, asset }: SceneGraph, triangles: Float64Array): Float64Array {
  const sums = Float64Array.from(asset, (index) => triangles[index] ?? 0);
  for (let v = sums.length - 1; v >= 0; v--) if (parent[v] >= 0) sums[parent[v]] += sums[v];
  return sums;
}
