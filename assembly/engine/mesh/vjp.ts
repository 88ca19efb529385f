/**
 * The vector–Jacobian product of the 3D renderer: dL/dattributes from dL/dimage by central differences (Meta-Sim §3.3.2),
 * rasterising again only the pixels that change. What moves solid meshes goes through vjpMoved.ts; a moved camera or light, or
 * moved ground, which everything else is drawn over, re-renders all (vjpWhole.ts). The image is linear in a mesh's brightness
 * and colour, so that their central difference is, at any step, a contraction at rest: one rendering for all nodes.
 */
import { BATCH_SCENES, SCENE_MUTABLE, rootTable, tableAt, vectorData } from '../flatbuffer';
import {
  CALL_CHANNELS, CALL_COLUMNS, CALL_NODE_COUNT, KIND_LIGHT, MESH_ROLE_COUNT, ROLE_BLUE, ROLE_BRIGHTNESS, ROLE_GREEN, ROLE_HAZE, ROLE_RED,
  ROLE_SCALE_X, ROLE_SCALE_Y, ROLE_SCALE_Z, STATUS_OK,
} from '../layout';
import { meshAttribute } from './frames';
import {
  FRAME_BYTES, FRAME_KIND, FRAME_LAST, FRAME_MESH, FRAME_MOVES, MESH_CALL_CAMERA_NODE, MESH_CALL_COLUMN, MESH_CALL_FRAMES,
  MESH_CALL_LIGHT_NODE, MESH_CALL_MOVED, MESH_CALL_MOVED_FIRST, MESH_CALL_MOVED_LAST, MESH_FLAGS, MESH_GROUND, MESH_TRIANGLES,
  MOVED_NODES, MOVED_NOTHING,
} from './layout';
import { openMeshScene } from './scene';
import { placeMeshSubtree } from './subtree';
import {
  VJP_CALL, VJP_DELTA, VJP_GRADIENT, VJP_LINEAR, VJP_PIXEL_DELTA, VJP_SPARE, VJP_STATUS, VJP_SUMS, VJP_VALUES,
} from './vjpLayout';
import { contractPoses } from './vjpMoved';
import { openRest } from './vjpReach';
import { VJP_SAMPLES, openVjp } from './vjpScratch';
import { automaticStep } from './vjpStep';
import { contractLight, contractMoved } from './vjpWhole';

/** Sets of roles, one bit each: what the image is linear in (but of a light), and what changes a node's own mesh alone. */
const LINEAR: u32 = (1 << ROLE_BRIGHTNESS) | (1 << ROLE_RED) | (1 << ROLE_GREEN) | (1 << ROLE_BLUE);
const STRETCH: u32 = (1 << ROLE_SCALE_X) | (1 << ROLE_SCALE_Y) | (1 << ROLE_SCALE_Z);

/**
 * dL/dattributes of one 3D scene of a verified batch, drawn with 4 samples a pixel.
 * @param scratch meshVjpScratchBytes() bytes, 16-byte aligned, used by this call alone
 * @param gradient dL/dimage, f32 [H, W, C]
 * @param delta f32 [A], half-step of each column in its unit; ≤ 0 or NaN: the step that moves the image of what is moved by
 *   about `pixelDelta` px (vjpStep.ts). Without meaning for brightness and colour of meshes
 * @param out f32 [V, A], per unit; 0 where the attribute is not mutable or not drawn
 * @param room how many times the scene's triangles scratch has room for, ≥ 1
 * @returns STATUS_OK, STATUS_DIMENSION, STATUS_INDEX or STATUS_ROOM
 */
export function meshPerturbationVjp(
  batch: usize, sceneIndex: u32, remap: usize, assetTable: usize, scratch: usize, gradient: usize, delta: usize,
  pixelDelta: f32, out: usize, room: u32,
): u32 {
  const status = openMeshScene(batch, sceneIndex, remap, assetTable, VJP_SAMPLES, scratch, room);
  if (status != STATUS_OK) return status;
  const vjp = openVjp(scratch);
  store<u32>(vjp, <u32>gradient, VJP_GRADIENT);
  store<u32>(vjp, <u32>delta, VJP_DELTA);
  store<f32>(vjp, pixelDelta, VJP_PIXEL_DELTA);
  const count = load<i32>(scratch, CALL_NODE_COUNT);
  const columns = <usize>load<u32>(scratch, CALL_COLUMNS);
  memory.fill(out, 0, (<usize>count * columns) << 2);
  const mutable = vectorData(tableAt(vectorData(rootTable(batch), BATCH_SCENES), sceneIndex), SCENE_MUTABLE);
  wholeGradients(vjp, mutable, out);
  movedGradients(vjp, mutable, out);
  lightGradients(vjp, mutable, out);
  return load<u32>(vjp, VJP_STATUS);
}

/** Roles of a node that are mutable, as a set; without brightness and colour of meshes, which are `linearRoles`. */
function movingRoles(call: usize, node: i32, mutable: usize): u32 {
  const roles = mutableRoles(call, node, mutable);
  return frameOf(call, node, FRAME_KIND) == KIND_LIGHT ? roles : roles & ~LINEAR;
}

function linearRoles(call: usize, node: i32, mutable: usize): u32 {
  if (frameOf(call, node, FRAME_MESH) == 0 || frameOf(call, node, FRAME_KIND) == KIND_LIGHT) return 0;
  return mutableRoles(call, node, mutable) & LINEAR;
}

function mutableRoles(call: usize, node: i32, mutable: usize): u32 {
  const flags = mutable + <usize>node * <usize>load<u32>(call, CALL_COLUMNS);
  let roles: u32 = 0;
  for (let role = 1; role < MESH_ROLE_COUNT; role++) {
    const column = load<i32>(call + (<usize>role << 2), MESH_CALL_COLUMN);
    if (column >= 0 && load<u8>(flags + column) != 0) roles |= 1 << role;
  }
  return roles;
}

// @ts-ignore: decorator
@inline
function frameOf(call: usize, node: i32, field: usize): u32 {
  return load<u32>(<usize>load<u32>(call, MESH_CALL_FRAMES) + <usize>node * FRAME_BYTES + field);
}

/** Attributes that take a rendering of the whole image for each pose. */
function wholeGradients(vjp: usize, mutable: usize, out: usize): void {
  const call = <usize>load<u32>(vjp, VJP_CALL);
  const count = load<i32>(call, CALL_NODE_COUNT);
  for (let v = 0; v < count; v++) {
    const roles = movingRoles(call, v, mutable);
    if (roles == 0) continue;
    for (let role = 1; role < MESH_ROLE_COUNT; role++) {
      if (((roles >> role) & 1) != 0 && needsWhole(vjp, v, role)) wholeGradient(vjp, v, role, out);
    }
  }
}

function wholeGradient(vjp: usize, node: i32, role: i32, out: usize): void {
  const call = <usize>load<u32>(vjp, VJP_CALL);
  if (!findValues(vjp, node, role)) return;
  const high = load<f64>(vjp + (<usize>role << 4), VJP_VALUES);
  const low = load<f64>(vjp + (<usize>role << 4), VJP_VALUES + 8);
  const above = placeMeshSubtree(call, node, role, high);
  if (above == MOVED_NOTHING) return;
  const sum = contractMoved(vjp, above);
  const below = placeMeshSubtree(call, node, role, low);
  storeGradient(vjp, node, role, out, (sum - contractMoved(vjp, below)) / (high - low));
}

/** Whether an attribute changes camera or light, moves ground, or moves more than there is room for. */
function needsWhole(vjp: usize, node: i32, role: i32): bool {
  const call = <usize>load<u32>(vjp, VJP_CALL);
  const last = <i32>frameOf(call, node, FRAME_LAST);
  const camera = load<i32>(call, MESH_CALL_CAMERA_NODE), light = load<i32>(call, MESH_CALL_LIGHT_NODE);
  if ((node <= camera && camera <= last) || (node <= light && light <= last)) return true;
  if (placeMeshSubtree(call, node, role, meshAttribute(call, node, role, 0)) != MOVED_NODES) return false;
  const moved = <usize>load<u32>(call, MESH_CALL_MOVED);
  const end = load<i32>(call, MESH_CALL_MOVED_LAST);
  let triangles: u64 = 0;
  for (let v = load<i32>(call, MESH_CALL_MOVED_FIRST); v <= end; v++) {
    const record = moved + <usize>v * FRAME_BYTES;
    const mesh = <usize>load<u32>(record, FRAME_MESH);
    if (load<u32>(record, FRAME_MOVES) == 0 || mesh == 0) continue;
    if ((load<u32>(mesh, MESH_FLAGS) & MESH_GROUND) != 0) return true;
    triangles += load<u32>(mesh, MESH_TRIANGLES);
  }
  return 2 * triangles > <u64>load<u32>(vjp, VJP_SPARE);
}

/** Brightness and colour of meshes whose light has not been contracted with their poses: of all in one rendering. */
function lightGradients(vjp: usize, mutable: usize, out: usize): void {
  const call = <usize>load<u32>(vjp, VJP_CALL);
  const count = load<i32>(call, CALL_NODE_COUNT);
  let contracted = false;
  for (let v = 0; v < count; v++) {
    const roles = linearRoles(call, v, mutable);
    if (roles == 0 || load<f64>(<usize>load<u32>(vjp, VJP_LINEAR) + (<usize>v << 5), 24) != 0) continue;
    if (!contracted) contractLight(vjp);
    contracted = true;
    storeLight(vjp, v, roles, out);
  }
}

function storeLight(vjp: usize, node: i32, roles: u32, out: usize): void {
  for (let role = ROLE_BRIGHTNESS; role <= ROLE_BLUE; role++) {
    if (((roles >> role) & 1) != 0) storeGradient(vjp, node, role, out, lightGradient(vjp, node, role));
  }
}

function lightGradient(vjp: usize, node: i32, role: i32): f64 {
  const call = <usize>load<u32>(vjp, VJP_CALL);
  const sums = <usize>load<u32>(vjp, VJP_LINEAR) + (<usize>node << 5);
  const first = load<f64>(sums), second = load<f64>(sums, 8), third = load<f64>(sums, 16);
  const brightness = meshAttribute(call, node, ROLE_BRIGHTNESS, 1);
  if (role == ROLE_RED) return brightness * first;
  if (role == ROLE_GREEN) return brightness * second;
  if (role == ROLE_BLUE) return brightness * third;
  // A grey canvas knows the red factor alone, and has but the first sum.
  return (
    meshAttribute(call, node, ROLE_RED, 1) * first + meshAttribute(call, node, ROLE_GREEN, 1) * second +
    meshAttribute(call, node, ROLE_BLUE, 1) * third
  );
}

/** Attributes that move solid meshes. */
function movedGradients(vjp: usize, mutable: usize, out: usize): void {
  const call = <usize>load<u32>(vjp, VJP_CALL);
  const count = load<i32>(call, CALL_NODE_COUNT);
  for (let v = 0; v < count; v++) {
    let roles = movingRoles(call, v, mutable);
    if (roles == 0) continue;
    const light = linearRoles(call, v, mutable);
    for (let role = 1; role < MESH_ROLE_COUNT; role++) {
      if (((roles >> role) & 1) == 0) continue;
      if (needsWhole(vjp, v, role) || placeMeshSubtree(call, v, role, meshAttribute(call, v, role, 0)) != MOVED_NODES) {
        roles &= ~(1 << role);
      } else if (!findValues(vjp, v, role)) roles &= ~(1 << role);
    }
    // A stretch moves the node's own mesh, all else its children's too.
    if (ownsAll(call, v)) gradientsOf(vjp, v, roles, light, out);
    else {
      const stretch = roles & STRETCH;
      gradientsOf(vjp, v, stretch, light, out);
      gradientsOf(vjp, v, roles & ~STRETCH, stretch == 0 ? light : 0, out);
    }
  }
}

/** Whether no other node of the subtree has a mesh; may say no where it is so. */
function ownsAll(call: usize, node: i32): bool {
  const last = <i32>frameOf(call, node, FRAME_LAST);
  for (let v = node + 1; v <= last; v++) if (frameOf(call, v, FRAME_MESH) != 0) return false;
  return true;
}

/** Attributes `roles` of a node that move the same solid meshes, and brightness and colour of its own, `light`. */
function gradientsOf(vjp: usize, node: i32, roles: u32, light: u32, out: usize): void {
  while (roles != 0 && openRest(vjp)) {
    const done = contractPoses(vjp, node, roles, light != 0);
    roles &= ~done;
    if (done != 0 && light != 0) {
      storeLight(vjp, node, light, out);
      store<f64>(<usize>load<u32>(vjp, VJP_LINEAR) + (<usize>node << 5), 1, 24);
      light = 0;
    }
    for (let role = 1; role < MESH_ROLE_COUNT; role++) {
      if (((done >> role) & 1) == 0) continue;
      const values = vjp + (<usize>role << 4) + VJP_VALUES;
      const difference = load<f64>(vjp + (<usize>role << 3), VJP_SUMS);
      storeGradient(vjp, node, role, out, difference / (load<f64>(values) - load<f64>(values, 8)));
    }
    if (done != 0) continue;
    // Cut by the near plane, a mesh may be more triangles than it has.
    const role = <i32>ctz<u32>(roles);
    wholeGradient(vjp, node, role, out);
    roles &= ~(1 << role);
  }
}

function storeGradient(vjp: usize, node: i32, role: i32, out: usize, value: f64): void {
  const call = <usize>load<u32>(vjp, VJP_CALL);
  // A grey canvas knows one colour factor.
  if ((role == ROLE_GREEN || role == ROLE_BLUE) && load<u32>(call, CALL_CHANNELS) == 1) return;
  const column = <usize>load<i32>(call + (<usize>role << 2), MESH_CALL_COLUMN);
  store<f32>(out + ((<usize>node * <usize>load<u32>(call, CALL_COLUMNS) + column) << 2), <f32>value);
}

/**
 * Finds the attribute's values one half-step up and down, as the f32 that a batch would hold, into VJP_VALUES. There is no
 * haze below 0.
 * @returns whether they differ
 */
function findValues(vjp: usize, node: i32, role: i32): bool {
  const call = <usize>load<u32>(vjp, VJP_CALL);
  const column = <usize>load<i32>(call + (<usize>role << 2), MESH_CALL_COLUMN);
  const given = load<f32>(<usize>load<u32>(vjp, VJP_DELTA) + (column << 2));
  const step: f64 = given > 0 ? <f64>given : automaticStep(call, node, role, <f64>load<f32>(vjp, VJP_PIXEL_DELTA));
  const value = meshAttribute(call, node, role, 0);
  const high = <f64>(<f32>(value + step));
  let low = <f64>(<f32>(value - step));
  if (role == ROLE_HAZE) low = max(0.0, low);
  store<f64>(vjp + (<usize>role << 4), high, VJP_VALUES);
  store<f64>(vjp + (<usize>role << 4), low, VJP_VALUES + 8);
  return high > low;
}
