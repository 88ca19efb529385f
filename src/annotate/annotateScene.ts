import { ShapeError } from '../errors.js';
import { COVERAGE_COLUMNS, CoverageColumn, coverageOf } from '../render/coverage.js';
import { REGION_COLUMNS, RegionColumn } from '../render/regions.js';
import type { SceneSchema } from '../scene/attributeSchema.js';
import type { SceneBatch, SceneGraph } from '../scene/sceneGraph.js';
import { shortestFloat32 } from '../scene/shortestFloat32.js';
import { type MeshLibrary, meshBounds } from './meshBounds.js';
import { meshGeometry } from './meshGeometry.js';
import type { MeshLabel, ObjectLabel, ObjectPose, OcclusionLevel, RotatedBox, SpriteLabel } from './objectLabel.js';
import { round } from './round.js';
import { regionTable, visibleRegions } from './visibleRegions.js';
import { POSE_STRIDE, worldPoses } from './worldPoses.js';

type PixelBox = readonly [left: number, top: number, width: number, height: number];

/** Largest `occluded` of the occlusion levels 0 and 1. */
const FULLY_VISIBLE = 0.1;
const PARTLY_OCCLUDED = 0.5;

/** What rendering a scene tells of its nodes: row `first` + v is of node v. */
interface SeenNodes {
  readonly regions: Float64Array;
  readonly coverage: Float64Array;
  readonly first: number;
}

/**
 * Labels of the objects of a scene: its nodes that have a sprite or a mesh, in node order. Nodes that are frames only
 * (cameras, lights and curves among them) are left out. An object that is fully hidden, transparent, off the canvas or
 * behind the camera is listed with `visible: false`, no box, no centre and 0 pixels, so that no zero-area box ever comes out and
 * no object is lost.
 *
 * Labels of 2D scenes are `SpriteLabel`s, those of 3D scenes `MeshLabel`s. In 3D a pixel is an object's that holds most of
 * its samples, so that of a crowd at one pixel the nearest may be seen there though alone it would not hold half of it:
 * such pixels count among those that it would cover alone, and `amodalBox` holds `box` always.
 * @param instances [H × W] node + 1 of the object seen at each pixel, 0 where there is none
 * @param coverage  [V × COVERAGE_COLUMNS] what each node would cover alone, of the same rendering
 * @param library   with the scene's meshes, of which it gives the bounds: for 3D scenes
 * @throws ShapeError when `instances` or `coverage` does not fit the scene, or a 3D scene comes without `library`;
 *   AssetError when that lacks a mesh; SceneGraphError for a 3D scene without a camera
 */
export function annotateScene(
  schema: SceneSchema,
  assets: readonly string[],
  scene: SceneGraph,
  instances: Uint16Array,
  coverage: Float64Array,
  library?: MeshLibrary,
): ObjectLabel[] {
  const nodes = scene.parent.length;
  if (coverage.length !== nodes * COVERAGE_COLUMNS) {
    throw new ShapeError(
      `Expected ${nodes} × ${COVERAGE_COLUMNS} entries for coverage but received ${coverage.length}`,
    );
  }
  const regions = visibleRegions(instances, scene.width, scene.height, nodes);
  return annotateRegions(schema, assets, scene, regionTable(regions), coverage, 0, library);
}

/**
 * `annotateScene` without a look at the pixels: from where the nodes are seen, as the engine finds it.
 * @param regions  [≥ V × REGION_COLUMNS] where each node is seen
 * @param coverage [≥ V × COVERAGE_COLUMNS] what each node would cover alone, of the same rendering
 * @param first    row of the scene's first node in both: those of a batch hold one scene after the other
 * @throws ShapeError when `regions` or `coverage` does not hold the scene; else as `annotateScene`
 */
export function annotateRegions(
  schema: SceneSchema,
  assets: readonly string[],
  scene: SceneGraph,
  regions: Float64Array,
  coverage: Float64Array,
  first = 0,
  library?: MeshLibrary,
): ObjectLabel[] {
  const nodes = scene.parent.length;
  expectRows('regions', regions, first + nodes, REGION_COLUMNS);
  expectRows('coverage', coverage, first + nodes, COVERAGE_COLUMNS);
  const seen = { regions, coverage, first };
  return schema.dimension === 3
    ? meshLabels(schema, assets, scene, seen, library)
    : spriteLabels(schema, assets, scene, seen);
}

function spriteLabels(
  schema: SceneSchema,
  assets: readonly string[],
  scene: SceneGraph,
  { regions, coverage, first }: SeenNodes,
): SpriteLabel[] {
  const poses = worldPoses(schema, scene);
  const labels: SpriteLabel[] = [];
  for (let v = 0; v < scene.parent.length; v++) {
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
      ...sharesOf(pixels, inside, alone),
      pose,
      attributes: attributesOf(schema, scene, v),
    });
  }
  return labels;
}

function meshLabels(
  schema: SceneSchema,
  assets: readonly string[],
  scene: SceneGraph,
  { regions, coverage, first }: SeenNodes,
  library: MeshLibrary | undefined,
): MeshLabel[] {
  if (!library)
    throw new ShapeError('Expected the library of the meshes for the labels of a 3D scene but received none');
  const geometry = meshGeometry(schema, scene, meshBounds(library, assets));
  const labels: MeshLabel[] = [];
  for (let v = 0; v < scene.parent.length; v++) {
    if (scene.asset[v] < 0) continue;
    const row = (first + v) * COVERAGE_COLUMNS;
    const seen = (first + v) * REGION_COLUMNS;
    const pixels = regions[seen + RegionColumn.Pixels];
    const outside = coverage[row + CoverageColumn.Pixels] - coverage[row + CoverageColumn.Inside];
    const inside = Math.max(pixels, coverage[row + CoverageColumn.Inside]);
    const box = pixels > 0 ? boxAt(regions, seen) : null;
    const { box3d, distance } = geometry.box(v);
    labels.push({
      node: v,
      parent: scene.parent[v],
      class: schema.classes[scene.classId[v]],
      asset: assets[scene.asset[v]],
      visible: pixels > 0,
      box,
      pixels,
      centre: pixels > 0 ? centreAt(regions, seen) : null,
      amodalBox: hull(coverage[row + CoverageColumn.Pixels] > 0 ? amodalBoxOf(coverage, row) : null, box),
      box3d,
      distance,
      ...sharesOf(pixels, inside, inside + outside),
      pose: geometry.pose(v),
      attributes: attributesOf(schema, scene, v),
    });
  }
  return labels;
}

/** Shares of an object's `alone` pixels, of which `inside` are on the canvas and `pixels` are seen. */
function sharesOf(pixels: number, inside: number, alone: number) {
  const occluded = inside > 0 ? round((inside - pixels) / inside) : 0;
  return {
    visibleFraction: alone > 0 ? round(pixels / alone) : 0,
    truncation: alone > 0 ? round((alone - inside) / alone) : 0,
    occluded,
    occlusion: inside > 0 ? occlusionLevel(occluded) : 3,
  } as const;
}

/** The smallest box that holds both. */
function hull(a: PixelBox | null, b: PixelBox | null): PixelBox | null {
  if (!a || !b) return a ?? b;
  const left = Math.min(a[0], b[0]);
  const top = Math.min(a[1], b[1]);
  return [left, top, Math.max(a[0] + a[2], b[0] + b[2]) - left, Math.max(a[1] + a[3], b[1] + b[3]) - top];
}

/**
 * Labels of every scene of a batch, from the buffers of its rendering with `labels`.
 * @param instances [N × H × W] as the engine returns it for the batch
 * @param coverage  [ΣV × COVERAGE_COLUMNS] likewise
 * @throws as `annotateScene`
 */
export function annotateBatch(
  batch: SceneBatch,
  instances: Uint16Array,
  coverage: Float64Array,
  library?: MeshLibrary,
): ObjectLabel[][] {
  let offset = 0;
  return batch.scenes.map((scene, i) => {
    const view = instances.subarray(offset, (offset += scene.width * scene.height));
    return annotateScene(batch.schema, batch.assets, scene, view, coverageOf(batch, coverage, i), library);
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
