/** What is drawn elsewhere, or otherwise, when one attribute of one node changes. */
import {
  CALL_CHANNELS, CALL_NODE_COUNT, KIND_CAMERA, KIND_CURVE, KIND_LIGHT, KIND_STRIP, ROLE_AMBIENT, ROLE_BLUE, ROLE_BRIGHTNESS,
  ROLE_CURVATURE, ROLE_CURVATURE_RATE, ROLE_FIELD_OF_VIEW, ROLE_GREEN, ROLE_HAZE, ROLE_PITCH, ROLE_RED, ROLE_ROLL, ROLE_ROTATION,
  ROLE_SCALE, ROLE_SCALE_X, ROLE_SCALE_Y, ROLE_SCALE_Z, ROLE_X, ROLE_Y, ROLE_Z,
} from '../layout';
import { placeFrame } from './frames';
import { writeInstance } from './instance';
import {
  FRAME_BYTES, FRAME_KIND, FRAME_LAST, FRAME_MESH, FRAME_MOVES, FRAME_ORIGIN, FRAME_PARENT, FRAME_ROTATION, INSTANCE_BYTES,
  MESH_CALL_CAMERA_NODE, MESH_CALL_CHANGED_NODE, MESH_CALL_CHANGED_ROLE, MESH_CALL_CHANGED_VALUE, MESH_CALL_FRAMES,
  MESH_CALL_LIGHT_NODE, MESH_CALL_MOVED, MESH_CALL_MOVED_FIRST, MESH_CALL_MOVED_INSTANCES, MESH_CALL_MOVED_LAST,
  MESH_CALL_MOVED_TO_CAMERA, MESH_CALL_MOVED_VIEW, MESH_CALL_TO_CAMERA, MOVED_ALL, MOVED_NODES, MOVED_NOTHING,
} from './layout';
import { writeView } from './view';

// What an attribute of a node can change.
const REACH_NOTHING: u32 = 0;
/** The node's own instance. */
const REACH_OWN: u32 = 1;
/** The frames of its subtree. */
const REACH_SUBTREE: u32 = 2;
/** Camera or light, and its own instance. */
const REACH_VIEW: u32 = 3;

/**
 * Places what depends on attribute `role` of `node`, with that attribute at `value`: frames in MESH_CALL_MOVED and instances
 * in MESH_CALL_MOVED_INSTANCES of all nodes whose FRAME_MOVES (in MESH_CALL_MOVED) is 1, between MESH_CALL_MOVED_FIRST and
 * MESH_CALL_MOVED_LAST. The scene's own frames, instances and view stay as they are. What the call before placed is gone.
 * @returns MOVED_NOTHING when no pixel depends on the attribute; MOVED_NODES; or MOVED_ALL when camera or light change: then
 *   MESH_CALL_MOVED_INSTANCES holds the instances of all nodes, and MESH_CALL_MOVED_VIEW a view of them (outputs 0)
 */
export function placeMeshSubtree(call: usize, node: i32, role: i32, value: f64): u32 {
  unmark(call);
  const reach = reachOf(call, node, role);
  if (reach == REACH_NOTHING) return MOVED_NOTHING;
  store<i32>(call, node, MESH_CALL_CHANGED_NODE);
  store<i32>(call, role, MESH_CALL_CHANGED_ROLE);
  store<f64>(call, value, MESH_CALL_CHANGED_VALUE);
  const meshes = reach == REACH_SUBTREE ? placeMoved(call, node) : mark(call, node);
  let moved = meshes > 0 ? MOVED_NODES : MOVED_NOTHING;
  if (reach == REACH_VIEW || viewMoves(call)) {
    placeAll(call);
    moved = MOVED_ALL;
  } else {
    placeInstances(call);
  }
  store<i32>(call, -1, MESH_CALL_CHANGED_NODE);
  return moved;
}

function reachOf(call: usize, node: i32, role: i32): u32 {
  const frame = <usize>load<u32>(call, MESH_CALL_FRAMES) + <usize>node * FRAME_BYTES;
  const kind = load<u32>(frame, FRAME_KIND);
  const own: u32 = load<u32>(frame, FRAME_MESH) != 0 ? REACH_OWN : REACH_NOTHING;
  if (role == ROLE_X || role == ROLE_Y || role == ROLE_Z) return REACH_SUBTREE;
  if (role == ROLE_ROTATION || role == ROLE_PITCH || role == ROLE_ROLL || role == ROLE_SCALE) {
    return kind == KIND_STRIP ? REACH_NOTHING : REACH_SUBTREE;
  }
  if (role == ROLE_CURVATURE || role == ROLE_CURVATURE_RATE) return kind == KIND_CURVE ? REACH_SUBTREE : REACH_NOTHING;
  if (role == ROLE_SCALE_X || role == ROLE_SCALE_Y || role == ROLE_SCALE_Z) return own;
  if (role == ROLE_FIELD_OF_VIEW) return kind == KIND_CAMERA ? REACH_VIEW : REACH_NOTHING;
  if (role == ROLE_AMBIENT || role == ROLE_HAZE) return kind == KIND_LIGHT ? REACH_VIEW : REACH_NOTHING;
  // A grey canvas knows one colour factor.
  if ((role == ROLE_GREEN || role == ROLE_BLUE) && load<u32>(call, CALL_CHANNELS) == 1) return REACH_NOTHING;
  if (role == ROLE_BRIGHTNESS || role == ROLE_RED || role == ROLE_GREEN || role == ROLE_BLUE) {
    return kind == KIND_LIGHT ? REACH_VIEW : own;
  }
  return REACH_NOTHING;
}

/** Forgets what the call before marked. */
function unmark(call: usize): void {
  const moved = <usize>load<u32>(call, MESH_CALL_MOVED);
  const last = load<i32>(call, MESH_CALL_MOVED_LAST);
  for (let v = load<i32>(call, MESH_CALL_MOVED_FIRST); v <= last; v++) {
    store<u32>(moved + <usize>v * FRAME_BYTES, 0, FRAME_MOVES);
  }
  store<i32>(call, 0, MESH_CALL_MOVED_FIRST);
  store<i32>(call, -1, MESH_CALL_MOVED_LAST);
}

/** Marks the node alone, at its place. @returns 1 if it has a mesh */
function mark(call: usize, node: i32): i32 {
  const frame = <usize>load<u32>(call, MESH_CALL_FRAMES) + <usize>node * FRAME_BYTES;
  const moved = <usize>load<u32>(call, MESH_CALL_MOVED) + <usize>node * FRAME_BYTES;
  memory.copy(moved, frame, FRAME_BYTES);
  store<u32>(moved, 1, FRAME_MOVES);
  store<i32>(call, node, MESH_CALL_MOVED_FIRST);
  store<i32>(call, node, MESH_CALL_MOVED_LAST);
  return load<u32>(frame, FRAME_MESH) != 0 ? 1 : 0;
}

/** Marks the subtree of the node and places its frames. @returns how many meshes it has */
function placeMoved(call: usize, node: i32): i32 {
  const frames = <usize>load<u32>(call, MESH_CALL_FRAMES);
  const moved = <usize>load<u32>(call, MESH_CALL_MOVED);
  const last = load<i32>(frames + <usize>node * FRAME_BYTES, FRAME_LAST);
  let meshes = 0;
  for (let v = node; v <= last; v++) {
    const record = moved + <usize>v * FRAME_BYTES;
    const frame = frames + <usize>v * FRAME_BYTES;
    const parent = load<i32>(frame, FRAME_PARENT);
    if (v != node && (parent < node || load<u32>(moved + <usize>parent * FRAME_BYTES, FRAME_MOVES) == 0)) continue;
    memory.copy(record, frame, FRAME_BYTES);
    store<u32>(record, 1, FRAME_MOVES);
    const above = v == node ? frames : moved;
    placeFrame(call, v, record, parent < 0 ? 0 : above + <usize>parent * FRAME_BYTES);
    if (load<u32>(frame, FRAME_MESH) != 0) meshes++;
  }
  store<i32>(call, node, MESH_CALL_MOVED_FIRST);
  store<i32>(call, last, MESH_CALL_MOVED_LAST);
  return meshes;
}

/** Whether the camera has moved or turned, or the light turned, with what is marked. */
function viewMoves(call: usize): bool {
  return (
    differs(call, load<i32>(call, MESH_CALL_CAMERA_NODE), FRAME_ROTATION, 72) ||
    differs(call, load<i32>(call, MESH_CALL_CAMERA_NODE), FRAME_ORIGIN, 24) ||
    differs(call, load<i32>(call, MESH_CALL_LIGHT_NODE), FRAME_ROTATION, 72)
  );
}

/** Whether the perturbed attribute places the node. */
// @ts-ignore: decorator
@inline
export function isMoved(call: usize, v: i32): bool {
  return load<u32>(<usize>load<u32>(call, MESH_CALL_MOVED) + <usize>v * FRAME_BYTES, FRAME_MOVES) != 0;
}

function differs(call: usize, node: i32, offset: usize, bytes: usize): bool {
  if (node < 0) return false;
  if (!isMoved(call, node)) return false;
  const moved = <usize>load<u32>(call, MESH_CALL_MOVED) + <usize>node * FRAME_BYTES;
  const frame = <usize>load<u32>(call, MESH_CALL_FRAMES) + <usize>node * FRAME_BYTES;
  return memory.compare(moved + offset, frame + offset, bytes) != 0;
}

/** The instances of the marked nodes, seen by the scene's camera. */
function placeInstances(call: usize): void {
  const moved = <usize>load<u32>(call, MESH_CALL_MOVED);
  const instances = <usize>load<u32>(call, MESH_CALL_MOVED_INSTANCES);
  const last = load<i32>(call, MESH_CALL_MOVED_LAST);
  for (let v = load<i32>(call, MESH_CALL_MOVED_FIRST); v <= last; v++) {
    if (!isMoved(call, v)) continue;
    writeInstance(call, v, moved + <usize>v * FRAME_BYTES, call + MESH_CALL_TO_CAMERA, instances + <usize>v * INSTANCE_BYTES);
  }
}

/** All instances and the view, with the perturbed camera or light. */
function placeAll(call: usize): void {
  const frames = <usize>load<u32>(call, MESH_CALL_FRAMES);
  const moved = <usize>load<u32>(call, MESH_CALL_MOVED);
  const instances = <usize>load<u32>(call, MESH_CALL_MOVED_INSTANCES);
  const count = load<i32>(call, CALL_NODE_COUNT);
  for (let v = 0; v < count; v++) {
    const record = moved + <usize>v * FRAME_BYTES;
    // The view takes camera and light from these records, so they must stand there even where they have not moved.
    if (load<u32>(record, FRAME_MOVES) == 0) memory.copy(record, frames + <usize>v * FRAME_BYTES, FRAME_BYTES);
  }
  const toCamera = call + MESH_CALL_MOVED_TO_CAMERA;
  writeView(call, load<u32>(call, MESH_CALL_MOVED_VIEW), moved, toCamera, instances);
  for (let v = 0; v < count; v++) {
    writeInstance(call, v, moved + <usize>v * FRAME_BYTES, toCamera, instances + <usize>v * INSTANCE_BYTES);
  }
}
