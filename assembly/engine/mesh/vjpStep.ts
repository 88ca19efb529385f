/**
 * Half-steps of the central differences that nobody has given. A half-step is the one that moves what is seen of the moved
 * meshes by about `pixelDelta` px (the root mean square over their vertices); it is found by trying: place, project, compare.
 * So a car far away turns by more than a near one, a child on a long arm by less than its parent, and a camera yaws by what
 * shifts the picture by half a pixel. A light that turns moves shadows: the vertices' shadows on the ground are compared.
 * What moves nothing, as the brightness of the sun or haze, is smooth in its attribute and gets a step relative to it.
 */
import {
  ROLE_AMBIENT, ROLE_BLUE, ROLE_BRIGHTNESS, ROLE_CURVATURE, ROLE_CURVATURE_RATE, ROLE_FIELD_OF_VIEW, ROLE_GREEN, ROLE_HAZE,
  ROLE_PITCH, ROLE_RED, ROLE_ROLL, ROLE_ROTATION, ROLE_SCALE, ROLE_SCALE_X, ROLE_SCALE_Y, ROLE_SCALE_Z, CALL_NODE_COUNT,
} from '../layout';
import { curvePoint } from './curve';
import { meshAttribute } from './frames';
import {
  FRAME_BYTES, FRAME_MOVES, INSTANCE_BENT, INSTANCE_BYTES, INSTANCE_CURVATURE, INSTANCE_CURVATURE_RATE, INSTANCE_FLAGS,
  INSTANCE_MATRIX, INSTANCE_MESH, INSTANCE_OFFSET, INSTANCE_STRETCH, MESH_CALL_INSTANCES, MESH_CALL_MOVED,
  MESH_CALL_MOVED_FIRST, MESH_CALL_MOVED_INSTANCES, MESH_CALL_MOVED_LAST, MESH_CALL_MOVED_VIEW, MESH_CALL_POINT, MESH_CALL_TURN,
  MESH_CALL_VIEW, MESH_FLAGS, MESH_GROUND, MESH_POSITIONS, MESH_VERTICES, MOVED_ALL, MOVED_NODES, MOVED_NOTHING, VIEW_CX, VIEW_CY,
  VIEW_FX, VIEW_FY, VIEW_GROUND, VIEW_HEIGHT, VIEW_LIGHT, VIEW_NEAR, VIEW_UP, VIEW_WIDTH,
} from './layout';
import { placeMeshSubtree } from './subtree';

/** Vertices of a mesh that are looked at. */
const PROBES: u32 = 48;
/** A first guess is mended so often. */
const TRIES: i32 = 4;
/** A guess this near to what is wanted, as a factor, is only scaled. */
const NEAR_ENOUGH: f64 = 1.5;
const MOST_DEGREES: f64 = 12;
const MOST_GROWTH: f64 = 0.25;
/** Relative step of what is smooth, and what it is at least (the haze's in 1/km). */
const SMOOTH_STEP: f64 = 0.03125;
const LEAST_SMOOTH_STEP: f64 = 0.015625;
const LEAST_HAZE_STEP: f64 = 0.25;

/** Whether the image is a smooth function of the attribute, as no outline moves with it. */
export function isSmooth(role: i32): bool {
  return (
    role == ROLE_BRIGHTNESS || role == ROLE_RED || role == ROLE_GREEN || role == ROLE_BLUE || role == ROLE_AMBIENT ||
    role == ROLE_HAZE
  );
}

/** The half-step for an attribute of a node, in its unit. Changes what placeMeshSubtree has placed. */
export function automaticStep(call: usize, node: i32, role: i32, pixelDelta: f64): f64 {
  const value = meshAttribute(call, node, role, 0);
  if (isSmooth(role)) return max(role == ROLE_HAZE ? LEAST_HAZE_STEP : LEAST_SMOOTH_STEP, SMOOTH_STEP * abs(value));
  let step = firstGuess(role, value);
  const most = largestStep(role, value);
  for (let i = 0; i < TRIES; i++) {
    const motion = motionOf(call, node, role, value, step);
    if (!(motion > 0)) return step;
    const ratio = min(256.0, max(0.00390625, pixelDelta / motion));
    step = min(most, step * ratio);
    if (ratio < NEAR_ENOUGH && ratio * NEAR_ENOUGH > 1) return step;
  }
  return step;
}

function firstGuess(role: i32, value: f64): f64 {
  if (isAngle(role)) return 0.5;
  if (isScale(role)) return 0.0078125 * max(abs(value), 0.125);
  if (role == ROLE_CURVATURE) return 1e-4;
  if (role == ROLE_CURVATURE_RATE) return 1e-6;
  return 0.03125;
}

function largestStep(role: i32, value: f64): f64 {
  if (isAngle(role)) return MOST_DEGREES;
  if (isScale(role)) return MOST_GROWTH * max(abs(value), 0.125);
  return Infinity;
}

function isAngle(role: i32): bool {
  return role == ROLE_ROTATION || role == ROLE_PITCH || role == ROLE_ROLL || role == ROLE_FIELD_OF_VIEW;
}

function isScale(role: i32): bool {
  return role == ROLE_SCALE || role == ROLE_SCALE_X || role == ROLE_SCALE_Y || role == ROLE_SCALE_Z;
}

/** How far a step moves the vertices that are seen, px; 0 when none is. */
function motionOf(call: usize, node: i32, role: i32, value: f64, step: f64): f64 {
  const placed = placeMeshSubtree(call, node, role, value + step);
  if (placed == MOVED_NOTHING) return 0;
  const view = <usize>load<u32>(call, MESH_CALL_VIEW);
  const sums = call + MESH_CALL_TURN;
  memory.fill(sums, 0, 32);
  if (placed == MOVED_NODES) {
    const moved = <usize>load<u32>(call, MESH_CALL_MOVED);
    const last = load<i32>(call, MESH_CALL_MOVED_LAST);
    for (let v = load<i32>(call, MESH_CALL_MOVED_FIRST); v <= last; v++) {
      if (load<u32>(moved + <usize>v * FRAME_BYTES, FRAME_MOVES) != 0) addMotion(call, v, view, view, false, sums);
    }
    return meanOf(sums);
  }
  const movedView = <usize>load<u32>(call, MESH_CALL_MOVED_VIEW);
  const count = load<i32>(call, CALL_NODE_COUNT);
  for (let v = 0; v < count; v++) addMotion(call, v, view, movedView, false, sums);
  const motion = meanOf(sums);
  if (motion > 0) return motion;
  memory.fill(sums, 0, 32);
  for (let v = 0; v < count; v++) addMotion(call, v, view, movedView, true, sums);
  return meanOf(sums);
}

/** `sums`: squares and number of the motions of vertices on the canvas, then of all before the camera. */
function meanOf(sums: usize): f64 {
  if (load<f64>(sums, 8) > 0) return sqrt(load<f64>(sums) / load<f64>(sums, 8));
  return load<f64>(sums, 24) > 0 ? sqrt(load<f64>(sums, 16) / load<f64>(sums, 24)) : 0;
}

/** Adds the squares of the motions of an instance's vertices, or of their shadows on the ground. */
function addMotion(call: usize, node: i32, view: usize, movedView: usize, shadows: bool, sums: usize): void {
  const from = <usize>load<u32>(call, MESH_CALL_INSTANCES) + <usize>node * INSTANCE_BYTES;
  const to = <usize>load<u32>(call, MESH_CALL_MOVED_INSTANCES) + <usize>node * INSTANCE_BYTES;
  const mesh = <usize>load<u32>(from, INSTANCE_MESH);
  if (mesh == 0 || load<u32>(to, INSTANCE_MESH) == 0) return;
  if (shadows && (load<u32>(mesh, MESH_FLAGS) & MESH_GROUND) != 0) return;
  const count = load<u32>(mesh, MESH_VERTICES);
  const stride = max<u32>(1, count / PROBES);
  const point = call + MESH_CALL_POINT;
  for (let i: u32 = 0; i < count; i += stride) {
    const seen = probe(point, from, mesh, i, view, shadows);
    const x = load<f64>(point), y = load<f64>(point, 8);
    const seenThen = probe(point, to, mesh, i, movedView, shadows);
    if (seen == BEHIND || seenThen == BEHIND) continue;
    const dx = load<f64>(point) - x, dy = load<f64>(point, 8) - y;
    const square = dx * dx + dy * dy;
    if (seen == ON_CANVAS) {
      store<f64>(sums, load<f64>(sums) + square);
      store<f64>(sums, load<f64>(sums, 8) + 1, 8);
    }
    store<f64>(sums, load<f64>(sums, 16) + square, 16);
    store<f64>(sums, load<f64>(sums, 24) + 1, 24);
  }
}

// Where a vertex is seen.
const BEHIND: u32 = 0;
const BESIDE: u32 = 1;
const ON_CANVAS: u32 = 2;
/** m above the ground: a vertex below casts no shadow that moves. */
const LEAST_HEIGHT: f64 = 0.05;

/** Writes where vertex `index` of an instance, or its shadow, is projected, px, f64[2]; uses point[4]. */
function probe(point: usize, instance: usize, mesh: usize, index: u32, view: usize, shadows: bool): u32 {
  const bytes = ((<usize>load<u32>(mesh, MESH_VERTICES) + 3) & ~3) << 2;
  const at = <usize>load<u32>(mesh, MESH_POSITIONS) + (<usize>index << 2);
  let x = <f64>load<f32>(at), y = <f64>load<f32>(at + bytes), z = <f64>load<f32>(at + 2 * bytes);
  if ((load<u8>(instance, INSTANCE_FLAGS) & INSTANCE_BENT) != 0) {
    const across = x * <f64>load<f32>(instance, INSTANCE_STRETCH) + <f64>load<f32>(instance, INSTANCE_OFFSET);
    const along = z * <f64>load<f32>(instance, INSTANCE_STRETCH + 8) + <f64>load<f32>(instance, INSTANCE_OFFSET + 8);
    y = y * <f64>load<f32>(instance, INSTANCE_STRETCH + 4) + <f64>load<f32>(instance, INSTANCE_OFFSET + 4);
    curvePoint(
      <f64>load<f32>(instance, INSTANCE_CURVATURE), <f64>load<f32>(instance, INSTANCE_CURVATURE_RATE), along, point,
    );
    x = load<f64>(point) + across * load<f64>(point, 24);
    z = load<f64>(point, 8) - across * load<f64>(point, 16);
  }
  const m = instance + INSTANCE_MATRIX;
  let cameraX = row(m, x, y, z), cameraY = row(m + 16, x, y, z), cameraZ = row(m + 32, x, y, z);
  if (shadows) {
    const up = view + VIEW_UP, light = view + VIEW_LIGHT;
    const ux = <f64>load<f32>(up), uy = <f64>load<f32>(up, 4), uz = <f64>load<f32>(up, 8);
    const lx = <f64>load<f32>(light), ly = <f64>load<f32>(light, 4), lz = <f64>load<f32>(light, 8);
    const height = ux * cameraX + uy * cameraY + uz * cameraZ + <f64>load<f32>(view, VIEW_GROUND);
    const climb = ux * lx + uy * ly + uz * lz;
    if (!(height > LEAST_HEIGHT && climb > 0.01)) return BEHIND;
    const t = height / climb;
    cameraX -= t * lx;
    cameraY -= t * ly;
    cameraZ -= t * lz;
  }
  if (!(cameraZ >= <f64>load<f32>(view, VIEW_NEAR))) return BEHIND;
  const px = <f64>load<f32>(view, VIEW_FX) * (cameraX / cameraZ) + <f64>load<f32>(view, VIEW_CX);
  const py = <f64>load<f32>(view, VIEW_FY) * (cameraY / cameraZ) + <f64>load<f32>(view, VIEW_CY);
  store<f64>(point, px);
  store<f64>(point, py, 8);
  const inside = px >= 0 && py >= 0 && px <= <f64>load<i32>(view, VIEW_WIDTH) && py <= <f64>load<i32>(view, VIEW_HEIGHT);
  return inside ? ON_CANVAS : BESIDE;
}

function row(m: usize, x: f64, y: f64, z: f64): f64 {
  return <f64>load<f32>(m) * x + <f64>load<f32>(m, 4) * y + <f64>load<f32>(m, 8) * z + <f64>load<f32>(m, 12);
}
