/**
 * Where poses may be seen before anything of them is set up: the corners of their meshes' boxes are projected, and those of
 * the boxes' shadows. Never less than what is drawn, and eight points instead of thousands.
 */
import { MESH_ROLE_COUNT } from '../layout';
import {
  DRAW_CASTER, DRAW_CLIP, DRAW_LEVELS, DRAW_VIEW, INSTANCE_BENT, INSTANCE_BYTES, INSTANCE_FLAGS, INSTANCE_MATRIX, INSTANCE_MESH,
  MESH_CALL_INSTANCES, MESH_CALL_MOVED_FIRST, MESH_CALL_MOVED_INSTANCES, MESH_CALL_MOVED_LAST, MESH_MAXIMUM, MESH_MINIMUM, VIEW_CX, VIEW_CY, VIEW_FX,
  VIEW_FY, VIEW_HEIGHT, VIEW_NEAR, VIEW_WIDTH,
} from './layout';
import { layShadow } from './shadow';
import { setDrawRectangle } from './state';
import { isMoved, placeMeshSubtree } from './subtree';
import { isSphereSeen } from './triangles';
import { VJP_CALL, VJP_DRAW, VJP_MESHES, VJP_NEAREST, VJP_SHADOWS, VJP_VALUES } from './vjpLayout';
import { addBounds, emptyBounds } from './vjpReach';

/** Fills VJP_MESHES, VJP_SHADOWS and VJP_NEAREST for the attributes `roles` of a node, at rest and at both of their values. */
export function findPoseBounds(vjp: usize, node: i32, roles: u32): void {
  const call = <usize>load<u32>(vjp, VJP_CALL);
  const draw = <usize>load<u32>(vjp, VJP_DRAW);
  const view = <usize>load<u32>(draw, DRAW_VIEW);
  setDrawRectangle(draw, 0, 0, load<i32>(view, VIEW_WIDTH), load<i32>(view, VIEW_HEIGHT));
  emptyBounds(vjp + VJP_MESHES);
  emptyBounds(vjp + VJP_SHADOWS);
  store<f32>(vjp, 0, VJP_NEAREST);
  for (let role = 1; role < MESH_ROLE_COUNT; role++) {
    if (((roles >> role) & 1) == 0) continue;
    const values = vjp + (<usize>role << 4);
    const high = load<f64>(values, VJP_VALUES), low = load<f64>(values, VJP_VALUES + 8);
    placeMeshSubtree(call, node, role, high);
    addInstances(vjp, call, draw, load<u32>(call, MESH_CALL_MOVED_INSTANCES));
    placeMeshSubtree(call, node, role, low);
    addInstances(vjp, call, draw, load<u32>(call, MESH_CALL_MOVED_INSTANCES));
  }
  addInstances(vjp, call, draw, load<u32>(call, MESH_CALL_INSTANCES));
}

/** Adds what is marked as moved, as it stands in `instances`. */
function addInstances(vjp: usize, call: usize, draw: usize, instances: usize): void {
  const levels = load<u32>(draw, DRAW_LEVELS);
  const last = load<i32>(call, MESH_CALL_MOVED_LAST);
  for (let v = load<i32>(call, MESH_CALL_MOVED_FIRST); v <= last; v++) {
    const instance = instances + <usize>v * INSTANCE_BYTES;
    const mesh = <usize>load<u32>(instance, INSTANCE_MESH);
    if (!isMoved(call, v) || mesh == 0) continue;
    const bent = (load<u8>(instance, INSTANCE_FLAGS) & INSTANCE_BENT) != 0;
    if (bent || isSphereSeen(draw, instance, mesh, false)) {
      const nearest = addBox(draw, instance, mesh, bent, vjp + VJP_MESHES);
      store<f32>(vjp, max(load<f32>(vjp, VJP_NEAREST), nearest), VJP_NEAREST);
    }
    for (let level: u32 = 0; level < levels; level++) {
      if (layShadow(draw, instance, mesh, level)) addBox(draw, draw + DRAW_CASTER, mesh, bent, vjp + VJP_SHADOWS);
    }
  }
}

/** Corners of a box, f64 x, y, z each, stand in the memory for clipping. */
const CORNER_BYTES: usize = 24;

/**
 * Grows bounds by the pixels that an instance may touch: its mesh's box, cut by the near plane. The whole canvas where it is
 * bent.
 * @returns the largest 1/z, 1/m
 */
export function addBox(draw: usize, instance: usize, mesh: usize, bent: bool, bounds: usize): f32 {
  const view = <usize>load<u32>(draw, DRAW_VIEW);
  const near = <f64>load<f32>(view, VIEW_NEAR);
  if (bent) {
    addBounds(bounds, 0, 0, load<i32>(view, VIEW_WIDTH), load<i32>(view, VIEW_HEIGHT));
    return f32.MAX_VALUE;
  }
  const corners = <usize>load<u32>(draw, DRAW_CLIP);
  let least: f64 = Infinity;
  for (let i: usize = 0; i < 8; i++) {
    const corner = corners + i * CORNER_BYTES;
    const x = <f64>load<f32>(mesh + ((i & 1) != 0 ? MESH_MAXIMUM : MESH_MINIMUM));
    const y = <f64>load<f32>(mesh + ((i & 2) != 0 ? MESH_MAXIMUM : MESH_MINIMUM), 4);
    const z = <f64>load<f32>(mesh + ((i & 4) != 0 ? MESH_MAXIMUM : MESH_MINIMUM), 8);
    for (let row: usize = 0; row < 3; row++) {
      const m = instance + INSTANCE_MATRIX + (row << 4);
      const sum = <f64>load<f32>(m) * x + <f64>load<f32>(m, 4) * y + <f64>load<f32>(m, 8) * z + <f64>load<f32>(m, 12);
      store<f64>(corner + (row << 3), sum);
    }
    const depth = load<f64>(corner, 16);
    least = min(least, depth);
    if (depth >= near) addPoint(view, load<f64>(corner), load<f64>(corner, 8), depth, bounds);
  }
  if (least >= near) return <f32>(1 / least);
  for (let i: usize = 0; i < 8; i++) {
    for (let axis: usize = 1; axis < 8; axis <<= 1) {
      const a = corners + i * CORNER_BYTES, b = corners + (i ^ axis) * CORNER_BYTES;
      const before = load<f64>(a, 16), behind = load<f64>(b, 16);
      if (!(before >= near && behind < near)) continue;
      const t = (before - near) / (before - behind);
      const x = load<f64>(a) + (load<f64>(b) - load<f64>(a)) * t;
      const y = load<f64>(a, 8) + (load<f64>(b, 8) - load<f64>(a, 8)) * t;
      addPoint(view, x, y, near, bounds);
    }
  }
  return f32.MAX_VALUE;
}

/** Grows bounds by the pixels around a point in the camera's frame; more than a pixel to spare is no harm, less is. */
function addPoint(view: usize, x: f64, y: f64, z: f64, bounds: usize): void {
  const width = <f64>load<i32>(view, VIEW_WIDTH), height = <f64>load<i32>(view, VIEW_HEIGHT);
  const px = <f64>load<f32>(view, VIEW_FX) * (x / z) + <f64>load<f32>(view, VIEW_CX);
  const py = <f64>load<f32>(view, VIEW_FY) * (y / z) + <f64>load<f32>(view, VIEW_CY);
  const left = <i32>min(max(floor(px) - 1, 0), width), right = <i32>min(max(ceil(px) + 1, 0), width);
  const top = <i32>min(max(floor(py) - 1, 0), height), bottom = <i32>min(max(ceil(py) + 1, 0), height);
  addBounds(bounds, left, top, right, bottom);
}
