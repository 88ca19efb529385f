import { ShapeError } from '../errors.js';
import { COVERAGE_COLUMNS, CoverageColumn, coverageOf } from '../render/coverage.js';
import { REGION_COLUMNS, RegionColumn } from '../render/regions.js';
import type { SceneSchema } from '../scene/attributeSchema.js';
import type { SceneBatch, SceneGraph } from '../scene/sceneGraph.js';
import { round } from './round.js';
import { shortestFloat32 } from './shortestFloat32.js';
import { regionTable, visibleRegions } from './visibleRegions.js';
import { POSE_STRIDE, worldPoses } from './worldPoses.js';

/** Pose in the canvas frame. */
export interface ObjectPose {
  /** Position of the node's origin, which is the centre of its sprite, px. */
  readonly x: number;
  readonly y: number;
  /** Degrees clockwise on screen, in [−180, 180). */
  readonly rotation: number;
  /** Product of the scales from the root to the node. */
  readonly scale: number;
}

/** A rectangle that is turned. */
export interface RotatedBox {
  /** Its centre, px. */
  readonly x: number;
  readonly y: number;
  /** Its sides before it is turned, px, above 0. */
  readonly width: number;
  readonly height: number;
  /** Degrees clockwise on screen, in [−180, 180). */
  readonly rotation: number;
}

/**
 * KITTI's occlusion level of an object: 0 fully visible, 1 partly occluded, 2 largely occluded, 3 unknown. KITTI gives no
 * numbers; here 0 means `occluded` ≤ 0.1, 1 means ≤ 0.5, 2 means more, and 3 that no pixel of it falls on the canvas.
 */
export type OcclusionLevel = 0 | 1 | 2 | 3;

/** Ground truth of one object of a scene. */
export interface ObjectLabel {
  /** Index of its node; the instance mask holds node + 1. */
  readonly node: number;
  /** Node of its parent, −1 for a root. */
  readonly parent: number;
  readonly class: string;
  /** Name of its texture. */
  readonly asset: string;
  /** Whether at least one pixel of it is seen. */
  readonly visible: boolean;
  /**
   * Modal bounding box [left, top, width, height], px: the smallest that holds every visible pixel, so width and height
   * are at least 1; null for an object that is not visible.
   */
  readonly box: readonly [number, number, number, number] | null;
  /** Visible area, px. */
  readonly pixels: number;
  /** Mean of its visible pixels' centres [x, y], px; null for an object that is not visible. */
  readonly centre: readonly [number, number] | null;
  /**
   * Amodal bounding box [left, top, width, height], px: the smallest that holds every pixel the object would cover if it
   * were alone on a canvas without bounds. It may leave the canvas. Null for an object that covers no pixel even then
   * (transparent, or smaller than a pixel).
   */
  readonly amodalBox: readonly [number, number, number, number] | null;
  /**
   * The quad of the object's sprite on the canvas, turned as `pose.rotation` says, whatever hides or cuts it: the
   * sprite's content, without the empty margin of a sprite that fades; the whole of one that extends to its edges. Null
   * where `amodalBox` is.
   */
  readonly rotatedBox: RotatedBox | null;
  /** Visible pixels ÷ pixels it would cover alone on a canvas without bounds, 0–1; 0 where that is none. */
  readonly visibleFraction: number;
  /** Share of the pixels it would cover alone that lies off the canvas, 0–1; 0 where there are none. */
  readonly truncation: number;
  /** Share of its pixels on the canvas that other objects hide, 0–1; 0 where there are none. */
  readonly occluded: number;
  readonly occlusion: OcclusionLevel;
  readonly pose: ObjectPose;
  /** Every attribute by name, in the schema's units, relative to the parent. */
  readonly attributes: Readonly<Record<string, number>>;
}

/** Largest `occluded` of the occlusion levels 0 and 1. */
const FULLY_VISIBLE = 0.1;
const PARTLY_OCCLUDED = 0.5;

/**
 * Labels of the objects of a scene: its nodes that have a sprite, in node order. Nodes that are frames only are left
 * out. An object that is fully hidden, transparent or off the canvas is listed with `visible: false`, no box, no centre and 0
 * pixels, so that no zero-area box ever comes out and no object is lost.
 * @param instances [H × W] node + 1 of the object seen at each pixel, 0 where there is none
 * @param coverage  [V × COVERAGE_COLUMNS] what each node would cover alone, of the same rendering
 * @throws ShapeError when `instances` or `coverage` does not fit the scene; SceneGraphError for a 3D scene
 */
export function annotateScene(
  schema: SceneSchema,
  assets: readonly string[],
  scene: SceneGraph,
  instances: Uint16Array,
  coverage: Float64Array,
): ObjectLabel[] {
  const nodes = scene.parent.length;
  if (coverage.length !== nodes * COVERAGE_COLUMNS) {
    throw new ShapeError(
      `Expected ${nodes} × ${COVERAGE_COLUMNS} entries for coverage but received ${coverage.length}`,
    );
  }
  const regions = visibleRegions(instances, scene.width, scene.height, nodes);
  return annotateRegions(schema, assets, scene, regionTable(regions), coverage);
}

/**
 * `annotateScene` without a look at the pixels: from where the nodes are seen, as the engine finds it.
 * @param regions  [≥ V × REGION_COLUMNS] where each node is seen
 * @param coverage [≥ V × COVERAGE_COLUMNS] what each node would cover alone, of the same rendering
 * @param first    row of the scene's first node in both: those of a batch hold one scene after the other
 * @throws ShapeError when `regions` or `coverage` does not hold the scene; SceneGraphError for a 3D scene
 */
export function annotateRegions(
  schema: SceneSchema,
  assets: readonly string[],
  scene: SceneGraph,
  regions: Float64Array,
  coverage: Float64Array,
  first = 0,
): ObjectLabel[] {
  const nodes = scene.parent.length;
  expectRows('regions', regions, first + nodes, REGION_COLUMNS);
  expectRows('coverage', coverage, first + nodes, COVERAGE_COLUMNS);
  const poses = worldPoses(schema, scene);
  const labels: ObjectLabel[] = [];
  for (let v = 0; v < nodes; v++) {
    if (scene.asset[v] < 0) continue;
    const pose = poseOf(poses, v);
    const row = (first + v) * COVERAGE_COLUMNS;
    const seen = (first + v) * REGION_COLUMNS;
    const pixels = regions[seen + RegionColumn.Pixels];
    const alone = coverage[row + CoverageColumn.Pixels];
    const inside = coverage[row + CoverageColumn.Inside];
    if (pixels > inside) {
      throw new ShapeError(`Expected at most ${inside} px, what it covers alone, for node ${v} but received ${pixels}`);
    }
    const occluded = inside > 0 ? round((inside - pixels) / inside) : 0;
    labels.push({
      node: v,
      parent: scene.parent[v],
      class: schema.classes[scene.classId[v]],
      asset: assets[scene.asset[v]],
      visible: pixels > 0,
      box: pixels > 0 ? boxAt(regions, seen) : null,
      pixels,
      centre: pixels > 0 ? centreAt(regions, seen) : null,
      amodalBox: alone > 0 ? amodalBoxOf(coverage, row) : null,
      rotatedBox: alone > 0 ? rotatedBoxOf(coverage, row, pose.rotation) : null,
      visibleFraction: alone > 0 ? round(pixels / alone) : 0,
      truncation: alone > 0 ? round((alone - inside) / alone) : 0,
      occluded,
      occlusion: inside > 0 ? occlusionLevel(occluded) : 3,
      pose,
      attributes: attributesOf(schema, scene, v),
    });
  }
  return labels;
}

/**
 * Labels of every scene of a batch, from the buffers of its rendering with `labels`.
 * @param instances [N × H × W] as the engine returns it for the batch
 * @param coverage  [ΣV × COVERAGE_COLUMNS] likewise
 * @throws as `annotateScene`
 */
export function annotateBatch(batch: SceneBatch, instances: Uint16Array, coverage: Float64Array): ObjectLabel[][] {
  let offset = 0;
  return batch.scenes.map((scene, i) => {
    const view = instances.subarray(offset, (offset += scene.width * scene.height));
    return annotateScene(batch.schema, batch.assets, scene, view, coverageOf(batch, coverage, i));
  });
}

/** The level of an object of which some pixels fall on the canvas, `occluded` of them hidden. */
export function occlusionLevel(occluded: number): OcclusionLevel {
  if (occluded <= FULLY_VISIBLE) return 0;
  return occluded <= PARTLY_OCCLUDED ? 1 : 2;
}

function expectRows(name: string, table: Float64Array, rows: number, columns: number): void {
  if (table.length >= rows * columns) return;
  throw new ShapeError(`Expected at least ${rows} × ${columns} entries for ${name} but received ${table.length}`);
}

function boxAt(regions: Float64Array, row: number): [number, number, number, number] {
  const left = regions[row + RegionColumn.Left];
  const top = regions[row + RegionColumn.Top];
  return [left, top, regions[row + RegionColumn.Right] - left, regions[row + RegionColumn.Bottom] - top];
}

function centreAt(regions: Float64Array, row: number): [number, number] {
  const pixels = regions[row + RegionColumn.Pixels];
  return [
    round(regions[row + RegionColumn.SumX] / pixels + 0.5),
    round(regions[row + RegionColumn.SumY] / pixels + 0.5),
  ];
}

function amodalBoxOf(coverage: Float64Array, row: number): [number, number, number, number] {
  const left = coverage[row + CoverageColumn.Left];
  const top = coverage[row + CoverageColumn.Top];
  return [left, top, coverage[row + CoverageColumn.Right] - left, coverage[row + CoverageColumn.Bottom] - top];
}

function rotatedBoxOf(coverage: Float64Array, row: number, rotation: number): RotatedBox {
  return {
    x: round(coverage[row + CoverageColumn.CentreX]),
    y: round(coverage[row + CoverageColumn.CentreY]),
    width: round(coverage[row + CoverageColumn.Width]),
    height: round(coverage[row + CoverageColumn.Height]),
    rotation,
  };
}

/** Pose of node v, out of `worldPoses`. */
export function poseOf(poses: Float64Array, v: number): ObjectPose {
  const at = v * POSE_STRIDE;
  return { x: round(poses[at]), y: round(poses[at + 1]), rotation: round(poses[at + 2]), scale: round(poses[at + 3]) };
}

/** Every attribute of node v by name. */
export function attributesOf(schema: SceneSchema, scene: SceneGraph, v: number): Record<string, number> {
  const specs = schema.attributes;
  const row = v * specs.length;
  const attributes: Record<string, number> = {};
  for (let a = 0; a < specs.length; a++) attributes[specs[a].name] = shortestFloat32(scene.attributes[row + a]);
  return attributes;
}
