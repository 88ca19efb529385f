/** The kernel that draws a 3D scene. */
import { COVERAGE_BYTES, STATUS_OK } from '../layout';
import { coverMesh } from './cover';
import { drawMeshes } from './draw';
import {
  INSTANCE_BYTES, MESH_CALL_RASTER, MESH_CALL_VIEW, OUTPUT_CLASSES, OUTPUT_COLOR, OUTPUT_COLOR_FORMAT,
  OUTPUT_COVERAGE, OUTPUT_DEPTH, OUTPUT_IDS, OUTPUT_NORMALS, OUTPUT_ROOM, OUTPUT_SAMPLES, VIEW_CLASSES, VIEW_COLOR, VIEW_COLOR_FORMAT,
  VIEW_COUNT, VIEW_DEPTH, VIEW_IDS, VIEW_INSTANCES, VIEW_NORMALS,
} from './layout';
import { meshSceneBytes, openMeshScene } from './scene';
import { meshScratchBytes } from './state';

const UNAVAILABLE: u32 = 0xffffffff;

/**
 * Scratch bytes of renderMeshScene.
 * @param vertices of the largest mesh, at least
 * @param triangles of all of a scene's meshes together, at least, times the room wanted for them
 * @returns 0xffffffff when they do not fit an address
 */
export function meshSceneScratchBytes(
  nodes: u32, width: u32, height: u32, samples: u32, vertices: u32, triangles: u32,
): u32 {
  const raster = <u32>meshScratchBytes(width, height, samples, nodes, vertices, triangles);
  if (raster == UNAVAILABLE) return UNAVAILABLE;
  const bytes = meshSceneBytes(nodes) + <u64>raster;
  return bytes > <u64>UNAVAILABLE ? UNAVAILABLE : <u32>bytes;
}

/**
 * Draws one 3D scene of a verified batch.
 * @param remap i32[]: asset of the batch → entry of the asset table, −1 for none
 * @param scratch meshSceneScratchBytes() bytes, 16-byte aligned, used by this call alone
 * @param outputs an output record (layout.ts)
 * @returns STATUS_OK, STATUS_DIMENSION, STATUS_INDEX or what drawMeshes finds wrong
 */
export function renderMeshScene(
  batch: usize, sceneIndex: u32, remap: usize, assetTable: usize, scratch: usize, outputs: usize,
): u32 {
  const samples = load<u32>(outputs, OUTPUT_SAMPLES);
  const status = openMeshScene(batch, sceneIndex, remap, assetTable, samples, scratch, load<u32>(outputs, OUTPUT_ROOM));
  if (status != STATUS_OK) return status;
  const view = <usize>load<u32>(scratch, MESH_CALL_VIEW);
  store<u32>(view, load<u32>(outputs, OUTPUT_COLOR_FORMAT), VIEW_COLOR_FORMAT);
  store<u32>(view, load<u32>(outputs, OUTPUT_COLOR), VIEW_COLOR);
  store<u32>(view, load<u32>(outputs, OUTPUT_IDS), VIEW_IDS);
  store<u32>(view, load<u32>(outputs, OUTPUT_CLASSES), VIEW_CLASSES);
  store<u32>(view, load<u32>(outputs, OUTPUT_DEPTH), VIEW_DEPTH);
  store<u32>(view, load<u32>(outputs, OUTPUT_NORMALS), VIEW_NORMALS);
  const coverage = <usize>load<u32>(outputs, OUTPUT_COVERAGE);
  const raster = <usize>load<u32>(scratch, MESH_CALL_RASTER);
  const covered = coverage != 0 ? coverAll(view, raster, coverage) : STATUS_OK;
  return covered == STATUS_OK ? drawMeshes(view, raster) : covered;
}

/** Writes a coverage record for every node; zeros where nothing is drawn. */
function coverAll(view: usize, raster: usize, coverage: usize): u32 {
  const instances = <usize>load<u32>(view, VIEW_INSTANCES);
  const count = <usize>load<u32>(view, VIEW_COUNT);
  for (let v: usize = 0; v < count; v++) {
    const status = coverMesh(view, instances + v * INSTANCE_BYTES, raster, coverage + v * COVERAGE_BYTES);
    if (status != STATUS_OK) return status;
  }
  return STATUS_OK;
}
