/** From a 3D scene in a verified batch to frames, instances and a view in scratch memory. */
import {
  BATCH_CHANNELS, BATCH_DIMENSION, BATCH_KINDS, BATCH_SCENES, BATCH_SCHEMA, SCENE_ASSET, SCENE_ATTRIBUTES, SCENE_CAMERA,
  SCENE_CLASS, SCENE_HEIGHT, SCENE_PARENT, SCENE_WIDTH, SPEC_ROLE, fieldOf, readU16, readU8, rootTable, tableAt, vectorData,
  vectorLength,
} from '../flatbuffer';
import {
  ASSET_BYTES, ASSET_FORMAT, ASSET_TEXELS, CALL_ATTRIBUTES, CALL_CHANNELS, CALL_COLUMNS, CALL_HEIGHT, CALL_NODE_COUNT, CALL_WIDTH,
  KIND_CAMERA, KIND_LIGHT, KIND_OBJECT, MESH_ROLE_COUNT, STATUS_DIMENSION, STATUS_INDEX, STATUS_OK,
} from '../layout';
import { placeFrame } from './frames';
import { writeInstance } from './instance';
import {
  FORMAT_MESH, FRAME_BYTES, FRAME_CLASS, FRAME_KIND, FRAME_LAST, FRAME_MESH, FRAME_PARENT, INSTANCE_BYTES, MESH_CALL_BYTES,
  MESH_CALL_CAMERA, MESH_CALL_CAMERA_NODE, MESH_CALL_CHANGED_NODE, MESH_CALL_COLUMN, MESH_CALL_FRAMES, MESH_CALL_INSTANCES,
  MESH_CALL_LIGHT_NODE, MESH_CALL_MOVED, MESH_CALL_MOVED_FIRST, MESH_CALL_MOVED_INSTANCES, MESH_CALL_MOVED_LAST,
  MESH_CALL_MOVED_VIEW, MESH_CALL_RASTER, MESH_CALL_SAMPLES, MESH_CALL_TO_CAMERA, MESH_CALL_TRIANGLES, MESH_CALL_VERTICES,
  MESH_CALL_VIEW, MESH_TRIANGLES, MESH_VERTICES, VIEW_BYTES,
} from './layout';
import { writeView } from './view';

/** Bytes of the call record, frames, instances and views of a scene: what lies before the rasteriser's scratch. */
export function meshSceneBytes(nodes: u32): u64 {
  return MESH_CALL_BYTES + 2 * (<u64>nodes * (FRAME_BYTES + INSTANCE_BYTES) + VIEW_BYTES);
}

/**
 * Opens scene `sceneIndex`: call record, frame and instance record of every node, and the view, whose outputs stay 0.
 * @param samples 1 or 4 a pixel
 * @param call meshSceneBytes() bytes, and behind them the rasteriser's scratch; 16-byte aligned
 * @param room how many times the scene's triangles that scratch has room for, ≥ 1
 * @returns STATUS_OK, or what is wrong
 */
export function openMeshScene(
  batch: usize, sceneIndex: u32, remap: usize, assetTable: usize, samples: u32, call: usize, room: u32,
): u32 {
  const root = rootTable(batch);
  if (readU8(root, BATCH_DIMENSION) != 3) return STATUS_DIMENSION;
  if (sceneIndex >= vectorLength(root, BATCH_SCENES)) return STATUS_INDEX;
  const scene = tableAt(vectorData(root, BATCH_SCENES), sceneIndex);
  const count = vectorLength(scene, SCENE_PARENT);
  store<u32>(call, <u32>vectorData(scene, SCENE_ATTRIBUTES), CALL_ATTRIBUTES);
  store<u32>(call, vectorLength(root, BATCH_SCHEMA), CALL_COLUMNS);
  store<u32>(call, count, CALL_NODE_COUNT);
  store<u32>(call, readU16(scene, SCENE_WIDTH), CALL_WIDTH);
  store<u32>(call, readU16(scene, SCENE_HEIGHT), CALL_HEIGHT);
  store<u32>(call, readU8(root, BATCH_CHANNELS), CALL_CHANNELS);
  store<u32>(call, <u32>fieldOf(scene, SCENE_CAMERA), MESH_CALL_CAMERA);
  store<u32>(call, samples, MESH_CALL_SAMPLES);
  store<i32>(call, -1, MESH_CALL_CHANGED_NODE);
  store<i32>(call, 0, MESH_CALL_MOVED_FIRST);
  store<i32>(call, -1, MESH_CALL_MOVED_LAST);
  divideScratch(call, count);
  findColumns(root, call);
  openNodes(root, scene, remap, assetTable, call, count);
  store<u32>(call, room * load<u32>(call, MESH_CALL_TRIANGLES), MESH_CALL_TRIANGLES);
  const frames = <usize>load<u32>(call, MESH_CALL_FRAMES);
  const instances = <usize>load<u32>(call, MESH_CALL_INSTANCES);
  const toCamera = call + MESH_CALL_TO_CAMERA;
  writeView(call, load<u32>(call, MESH_CALL_VIEW), frames, toCamera, instances);
  for (let v: u32 = 0; v < count; v++) {
    writeInstance(call, v, frames + <usize>v * FRAME_BYTES, toCamera, instances + <usize>v * INSTANCE_BYTES);
  }
  return STATUS_OK;
}

/** Where everything lies behind the call record; `meshSceneBytes` adds up the same sizes. */
function divideScratch(call: usize, nodes: u32): void {
  let at = call + MESH_CALL_BYTES;
  store<u32>(call, <u32>at, MESH_CALL_FRAMES);
  at += <usize>nodes * FRAME_BYTES;
  store<u32>(call, <u32>at, MESH_CALL_MOVED);
  at += <usize>nodes * FRAME_BYTES;
  store<u32>(call, <u32>at, MESH_CALL_INSTANCES);
  at += <usize>nodes * INSTANCE_BYTES;
  store<u32>(call, <u32>at, MESH_CALL_MOVED_INSTANCES);
  at += <usize>nodes * INSTANCE_BYTES;
  store<u32>(call, <u32>at, MESH_CALL_VIEW);
  at += VIEW_BYTES;
  store<u32>(call, <u32>at, MESH_CALL_MOVED_VIEW);
  at += VIEW_BYTES;
  store<u32>(call, <u32>at, MESH_CALL_RASTER);
}

/** Finds the column of every role; a schema may lack any. */
function findColumns(root: usize, call: usize): void {
  for (let role = 0; role < MESH_ROLE_COUNT; role++) store<i32>(call + (<usize>role << 2), -1, MESH_CALL_COLUMN);
  const specs = vectorData(root, BATCH_SCHEMA);
  const columns = vectorLength(root, BATCH_SCHEMA);
  for (let a: u32 = 0; a < columns; a++) {
    const role = readU8(tableAt(specs, a), SPEC_ROLE);
    if (role != 0) store<i32>(call + (<usize>role << 2), a, MESH_CALL_COLUMN);
  }
}

/** Fills the frame record of every node, and notes where camera and light are. */
function openNodes(root: usize, scene: usize, remap: usize, assetTable: usize, call: usize, count: u32): void {
  const parents = vectorData(scene, SCENE_PARENT);
  const assets = vectorData(scene, SCENE_ASSET);
  const classes = vectorData(scene, SCENE_CLASS);
  const kinds: usize = vectorLength(root, BATCH_KINDS) == 0 ? 0 : vectorData(root, BATCH_KINDS);
  const frames = <usize>load<u32>(call, MESH_CALL_FRAMES);
  store<i32>(call, -1, MESH_CALL_CAMERA_NODE);
  store<i32>(call, -1, MESH_CALL_LIGHT_NODE);
  let vertices: u32 = 0;
  let triangles: u32 = 0;
  memory.fill(frames, 0, 2 * <usize>count * FRAME_BYTES);
  for (let v: u32 = 0; v < count; v++) {
    const frame = frames + <usize>v * FRAME_BYTES;
    const parent = load<i32>(parents + (<usize>v << 2));
    const classId = <u32>load<u16>(classes + (<usize>v << 1));
    const kind = kinds == 0 ? KIND_OBJECT : <u32>load<u8>(kinds + <usize>classId);
    if (kind == KIND_CAMERA) store<i32>(call, v, MESH_CALL_CAMERA_NODE);
    if (kind == KIND_LIGHT) store<i32>(call, v, MESH_CALL_LIGHT_NODE);
    const mesh = meshOf(load<i32>(assets + (<usize>v << 2)), remap, assetTable);
    if (mesh != 0) {
      vertices = max(vertices, load<u32>(mesh, MESH_VERTICES));
      triangles += load<u32>(mesh, MESH_TRIANGLES);
    }
    store<u32>(frame, <u32>mesh, FRAME_MESH);
    store<u32>(frame, classId, FRAME_CLASS);
    store<u32>(frame, kind, FRAME_KIND);
    store<i32>(frame, parent, FRAME_PARENT);
    store<i32>(frame, v, FRAME_LAST);
    placeFrame(call, v, frame, parent < 0 ? 0 : frames + <usize>parent * FRAME_BYTES);
  }
  store<u32>(call, vertices, MESH_CALL_VERTICES);
  store<u32>(call, triangles, MESH_CALL_TRIANGLES);
  for (let v = <i32>count - 1; v >= 0; v--) {
    const frame = frames + <usize>v * FRAME_BYTES;
    const parent = load<i32>(frame, FRAME_PARENT);
    if (parent < 0) continue;
    const above = frames + <usize>parent * FRAME_BYTES;
    store<i32>(above, max(load<i32>(above, FRAME_LAST), load<i32>(frame, FRAME_LAST)), FRAME_LAST);
  }
}

/** Address of the mesh record of an asset of the batch, 0 where there is none. */
function meshOf(asset: i32, remap: usize, assetTable: usize): usize {
  const entry = asset < 0 ? -1 : load<i32>(remap + (<usize>asset << 2));
  if (entry < 0) return 0;
  const record = assetTable + <usize>entry * ASSET_BYTES;
  return <u32>load<u8>(record, ASSET_FORMAT) == FORMAT_MESH ? <usize>load<u32>(record, ASSET_TEXELS) : 0;
}
