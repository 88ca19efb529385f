import type { SceneSchema } from './attributeSchema.js';

/** Largest canvas of a grammar, and of scenes that an `Engine` renders unless told otherwise, px in all: 16,777,216. */
export const MAX_CANVAS_PIXELS = 2 ** 24;

/** Pinhole camera of a 3D scene: x right, y down, z forward; px, metres and degrees. */
export interface Camera {
  readonly fx: number;
  readonly fy: number;
  readonly cx: number;
  readonly cy: number;
  readonly x: number;
  readonly y: number;
  readonly z: number;
  readonly heading: number;
  readonly pitch: number;
  readonly roll: number;
  readonly near: number;
  readonly far: number;
}

/**
 * One scene graph s = (V, E, A) as a structure of arrays (Meta-Sim §3.1). Parents stand before their children; edges
 * are `parent[v] → v`. Attributes are physical values relative to the parent's frame.
 *
 * 2D frame: a root's frame is the canvas, origin in the top left corner, x right, y down, pixel (i, j) centred at
 * (i + ½, j + ½). A node's frame has its origin at (x, y) of the parent's, turned clockwise by `rotation` and scaled
 * by `scale`; its sprite is centred on that origin. Painter's order is node order.
 *
 * 3D frame: metres, x right, y down, z forward; a root's is the world, whose ground is y = 0. What the attributes of a node
 * mean depends on what its class is (`SceneSchema.kinds`, `NodeKind`); `worldFrames` says where nodes stand.
 */
export interface SceneGraph {
  /** Canvas width, px. */
  readonly width: number;
  /** Canvas height, px. */
  readonly height: number;
  /** Index of the scene in its random stream, ≥ 0. */
  readonly index: number;
  /** [V] index of the parent, −1 for a root. */
  readonly parent: Int32Array;
  /** [V] index into `SceneSchema.classes`. */
  readonly classId: Uint16Array;
  /** [V] index into `SceneBatch.assets`, −1 for a frame without a sprite or mesh. */
  readonly asset: Int32Array;
  /** [V × A] row-major, in the units of the schema. */
  readonly attributes: Float32Array;
  /** [V × A] 1 where G_θ may change the value (s_A,mut), else 0. */
  readonly mutable: Uint8Array;
  /** 3D scenes only. */
  readonly camera?: Camera;
}

/** Where scenes come from; saved with them. */
export interface Provenance {
  /** Name of the grammar or run. */
  readonly grammar: string;
  /** SHA-256 of the resolved grammar, hexadecimal; empty when there is none. */
  readonly grammarHash: string;
  /** Seed of the random stream: an integer in [0, 2^53). */
  readonly seed: number;
}

/** Scenes that share a schema and an asset table. */
export interface SceneBatch {
  readonly schema: SceneSchema;
  /** Names in an asset library; `SceneGraph.asset` indexes them. */
  readonly assets: readonly string[];
  readonly scenes: readonly SceneGraph[];
  readonly provenance: Provenance;
}

/** Total number of nodes ΣV of a batch. */
export function totalNodes(batch: SceneBatch): number {
  return batch.scenes.reduce((sum, scene) => sum + scene.parent.length, 0);
}

/**
 * The same scenes with other attribute values: structure, classes, assets and masks are shared, not copied.
 * @param attributes [ΣV × A] float32, scenes one after the other, physical units. Scenes get views of it.
 */
export function withAttributes(batch: SceneBatch, attributes: Float32Array): SceneBatch {
  const columns = batch.schema.attributes.length;
  let offset = 0;
  const scenes = batch.scenes.map((scene) => {
    const length = scene.parent.length * columns;
    const view = attributes.subarray(offset, offset + length);
    offset += length;
    return { ...scene, attributes: view };
  });
  return { ...batch, scenes };
}
