/** From a scene in a verified batch to node records in scratch memory. */
import {
  BATCH_CHANNELS, BATCH_DIMENSION, BATCH_SCENES, BATCH_SCHEMA, SCENE_ASSET, SCENE_ATTRIBUTES, SCENE_CLASS, SCENE_HEIGHT,
  SCENE_PARENT, SCENE_WIDTH, SPEC_ROLE, readU16, readU8, rootTable, tableAt, vectorData, vectorLength,
} from './flatbuffer';
import {
  ASSET_BYTES, ASSET_WIDTH, CALL_255, CALL_ATTRIBUTES, CALL_BOTTOM, CALL_BYTES, CALL_CANVAS, CALL_CHANNELS, CALL_COLUMN,
  CALL_COLUMNS, CALL_FIELD, CALL_FLOOR, CALL_HALF, CALL_HEIGHT, CALL_LANES, CALL_LEFT, CALL_MOVED, CALL_NODES, CALL_NODE_COUNT, CALL_ONE, CALL_PITCH, CALL_POSES, CALL_RIGHT,
  CALL_ROW, CALL_TOP, CALL_TRANSMIT, CALL_TWO_23, CALL_WEIGHTS, CALL_WIDTH, NODE_ASSET, NODE_BYTES, NODE_CLASS, NODE_PARENT,
  ROLE_COUNT, STATUS_DIMENSION, STATUS_INDEX, STATUS_OK,
} from './layout';
import { placeNode } from './pose';

/** Pixels added to every row: the padding that reading in fours may touch. */
const ROW_PADDING: u32 = 8;

function align16(bytes: u64): u64 {
  return (bytes + 15) & ~15;
}

/** Pixels from one row of a canvas `width` px wide to the next. */
export function pitchOf(width: i32): i32 {
  return (width + <i32>ROW_PADDING) & ~3;
}

/** Bytes of one plane of `channelBytes` a pixel. */
function planeBytes(width: u32, height: u32, channelBytes: u64): u64 {
  return align16(<u64>pitchOf(width) * (<u64>height + 1) * channelBytes);
}

/**
 * Scratch bytes of one call: node records twice, a row of samples, the canvas, and what gradients need (a field, two
 * weight planes).
 * @returns 0xffffffff when they do not fit an address
 */
export function sceneScratchBytes(nodes: u32, width: u32, height: u32, channels: u32): u32 {
  const bytes =
    CALL_BYTES +
    2 * (<u64>nodes + ROLE_COUNT) * NODE_BYTES +
    planeBytes(width, 1, 16) +
    planeBytes(width, height, channels == 1 ? 4 : 16) +
    planeBytes(width, height, 16) +
    2 * planeBytes(width, height, 4);
  return bytes > 0xffffffff ? 0xffffffff : <u32>bytes;
}

/**
 * Opens scene `sceneIndex`: fills the call record and a node record for every node.
 * @returns STATUS_OK, or what is wrong
 */
export function openScene(batch: usize, sceneIndex: u32, remap: usize, assetTable: usize, call: usize): u32 {
  const root = rootTable(batch);
  if (readU8(root, BATCH_DIMENSION) != 2) return STATUS_DIMENSION;
  if (sceneIndex >= vectorLength(root, BATCH_SCENES)) return STATUS_INDEX;
  const scene = tableAt(vectorData(root, BATCH_SCENES), sceneIndex);
  const width = readU16(scene, SCENE_WIDTH);
  const height = readU16(scene, SCENE_HEIGHT);
  const channels = readU8(root, BATCH_CHANNELS);
  const count = vectorLength(scene, SCENE_PARENT);
  store<u32>(call, <u32>vectorData(scene, SCENE_ATTRIBUTES), CALL_ATTRIBUTES);
  store<u32>(call, vectorLength(root, BATCH_SCHEMA), CALL_COLUMNS);
  store<u32>(call, count, CALL_NODE_COUNT);
  store<u32>(call, width, CALL_WIDTH);
  store<u32>(call, height, CALL_HEIGHT);
  store<u32>(call, channels, CALL_CHANNELS);
  setRectangle(call, 0, 0, width, height);
  divideScratch(call, count, width, height, channels);
  findColumns(root, call);
  writeConstants(call);

  const parents = vectorData(scene, SCENE_PARENT);
  const assets = vectorData(scene, SCENE_ASSET);
  const classes = vectorData(scene, SCENE_CLASS);
  const nodes = <usize>load<u32>(call, CALL_NODES);
  for (let v: u32 = 0; v < count; v++) {
    const node = nodes + <usize>v * NODE_BYTES;
    const parent = load<i32>(parents + (<usize>v << 2));
    const asset = load<i32>(assets + (<usize>v << 2));
    const entry = asset < 0 ? -1 : load<i32>(remap + (<usize>asset << 2));
    const record: usize = entry < 0 ? 0 : assetTable + <usize>entry * ASSET_BYTES;
    // An empty sprite is no sprite.
    store<u32>(node, record != 0 && load<u32>(record, ASSET_WIDTH) != 0 ? <u32>record : 0, NODE_ASSET);
    store<i32>(node, parent, NODE_PARENT);
    store<u32>(node, <u32>load<u16>(classes + (<usize>v << 1)), NODE_CLASS);
    placeNode(call, v, node, parent < 0 ? 0 : nodes + <usize>parent * NODE_BYTES, 0, 0);
  }
  return STATUS_OK;
}

/** Sets the rectangle that is painted; the canvas begins at its top left pixel. */
export function setRectangle(call: usize, left: i32, top: i32, right: i32, bottom: i32): void {
  store<i32>(call, left, CALL_LEFT);
  store<i32>(call, top, CALL_TOP);
  store<i32>(call, right, CALL_RIGHT);
  store<i32>(call, bottom, CALL_BOTTOM);
  store<i32>(call, pitchOf(right - left), CALL_PITCH);
}

/** Where everything lies behind the call record; `sceneScratchBytes` adds up the same sizes. */
function divideScratch(call: usize, nodes: u32, width: u32, height: u32, channels: u32): void {
  let at = call + CALL_BYTES;
  store<u32>(call, <u32>at, CALL_NODES);
  at += <usize>nodes * NODE_BYTES;
  store<u32>(call, <u32>at, CALL_MOVED);
  at += <usize>nodes * NODE_BYTES;
  store<u32>(call, <u32>at, CALL_POSES);
  at += 2 * <usize>ROLE_COUNT * NODE_BYTES;
  store<u32>(call, <u32>at, CALL_ROW);
  at += <usize>planeBytes(width, 1, 16);
  store<u32>(call, <u32>at, CALL_CANVAS);
  at += <usize>planeBytes(width, height, channels == 1 ? 4 : 16);
  store<u32>(call, <u32>at, CALL_FIELD);
  at += <usize>planeBytes(width, height, 16);
  store<u32>(call, <u32>at, CALL_WEIGHTS);
  at += <usize>planeBytes(width, height, 4);
  store<u32>(call, <u32>at, CALL_TRANSMIT);
}

function writeConstants(call: usize): void {
  for (let lane: usize = 0; lane < 4; lane++) {
    const at = call + (lane << 2);
    store<i32>(at, <i32>lane, CALL_LANES);
    store<f32>(at, 8388607.5, CALL_FLOOR);
    store<f32>(at, 8388608, CALL_TWO_23);
    store<f32>(at, 1, CALL_ONE);
    store<f32>(at, 255, CALL_255);
    store<f32>(at, 0.5, CALL_HALF);
  }
}

/** Finds the column of every role; a schema may lack any. */
function findColumns(root: usize, call: usize): void {
  for (let role = 0; role < ROLE_COUNT; role++) store<i32>(call + (<usize>role << 2), -1, CALL_COLUMN);
  const specs = vectorData(root, BATCH_SCHEMA);
  const columns = vectorLength(root, BATCH_SCHEMA);
  for (let a: u32 = 0; a < columns; a++) {
    const role = readU8(tableAt(specs, a), SPEC_ROLE);
    if (role == 0 || role >= <u32>ROLE_COUNT) continue;
    const entry = call + (<usize>role << 2);
    if (load<i32>(entry, CALL_COLUMN) < 0) store<i32>(entry, a, CALL_COLUMN);
  }
}
