/** The scene at rest, set up once, and which pixels its meshes and their shadows may touch. */
import { CALL_NODE_COUNT } from '../layout';
import { hasRoom, setUpAll } from './draw';
import {
  DRAW_COUNT, DRAW_LEVELS, DRAW_OVERFLOW, DRAW_RANGES, DRAW_TRIANGLES, DRAW_VERTICES, DRAW_VIEW,
  INSTANCE_BENT, INSTANCE_BYTES, INSTANCE_FLAGS, INSTANCE_MESH, MESH_CALL_INSTANCES, MESH_CALL_VIEW, MESH_FLAGS, MESH_GROUND, MESH_VERTICES, OUT_GUARD, OUT_NEAR,
  STATUS_ROOM, TRIANGLE_BOTTOM, TRIANGLE_BYTES, TRIANGLE_LEFT, TRIANGLE_RIGHT, TRIANGLE_SHIFT, TRIANGLE_TOP, VERTEX_BYTES,
  VERTEX_CODE, VERTEX_X, VERTEX_Y, VIEW_HEIGHT, VIEW_WIDTH,
} from './layout';
import { findLevels, placeShadow } from './shadow';
import { openDraw } from './state';
import { addBox } from './vjpBounds';
import {
  REACH_BYTES, REACH_GROUND, REACH_KIND, REACH_MESH, REACH_NEAREST, REACH_NONE, REACH_SHADOW, REACH_SOLID, VJP_CALL, VJP_DRAW, VJP_OPENED,
  VJP_REACH, VJP_REST_COUNT, VJP_STATUS,
} from './vjpLayout';

/** Sets up the scene at rest, unless it is; poses go behind its triangle records. @returns false when something has no room */
export function openRest(vjp: usize): bool {
  if (load<u32>(vjp, VJP_OPENED) != 0) return true;
  const call = <usize>load<u32>(vjp, VJP_CALL);
  const draw = <usize>load<u32>(vjp, VJP_DRAW);
  const view = <usize>load<u32>(call, MESH_CALL_VIEW);
  openDraw(view, draw);
  if (hasRoom(view)) {
    findLevels(draw);
    setUpAll(draw);
  } else store<u32>(draw, 1, DRAW_OVERFLOW);
  if (load<u32>(draw, DRAW_OVERFLOW) != 0) {
    store<u32>(vjp, STATUS_ROOM, VJP_STATUS);
    return false;
  }
  store<u32>(vjp, load<u32>(draw, DRAW_COUNT), VJP_REST_COUNT);
  store<u32>(vjp, 1, VJP_OPENED);
  const count = load<u32>(call, CALL_NODE_COUNT);
  for (let v: usize = 0; v < <usize>count; v++) findReach(vjp, call, draw, v);
  return true;
}

function findReach(vjp: usize, call: usize, draw: usize, v: usize): void {
  const reach = <usize>load<u32>(vjp, VJP_REACH) + v * REACH_BYTES;
  const instance = <usize>load<u32>(call, MESH_CALL_INSTANCES) + v * INSTANCE_BYTES;
  const mesh = <usize>load<u32>(instance, INSTANCE_MESH);
  emptyBounds(reach + REACH_MESH);
  emptyBounds(reach + REACH_SHADOW);
  store<u32>(reach, REACH_NONE, REACH_KIND);
  if (mesh == 0) return;
  const range = <usize>load<u32>(draw, DRAW_RANGES) + (v << 3);
  addTriangles(draw, load<u32>(range), load<u32>(range, 4), reach + REACH_MESH);
  const bent = (load<u8>(instance, INSTANCE_FLAGS) & INSTANCE_BENT) != 0;
  // Only how near it is counts of the box: its triangles are known.
  store<f32>(reach, addBox(draw, instance, mesh, bent, reach + REACH_SHADOW), REACH_NEAREST);
  emptyBounds(reach + REACH_SHADOW);
  const ground = (load<u32>(mesh, MESH_FLAGS) & MESH_GROUND) != 0;
  store<u32>(reach, ground ? REACH_GROUND : REACH_SOLID, REACH_KIND);
  if (!ground) addShadow(draw, instance, mesh, reach + REACH_SHADOW);
}

/** @param bounds i32[4]: left, top, right, bottom */
export function emptyBounds(bounds: usize): void {
  store<i32>(bounds, i32.MAX_VALUE);
  store<i32>(bounds, i32.MAX_VALUE, 4);
  store<i32>(bounds, i32.MIN_VALUE, 8);
  store<i32>(bounds, i32.MIN_VALUE, 12);
}

// @ts-ignore: decorator
@inline
export function isEmpty(bounds: usize): bool {
  return load<i32>(bounds) >= load<i32>(bounds, 8) || load<i32>(bounds, 4) >= load<i32>(bounds, 12);
}

/** Whether two bounds have a pixel in common. */
// @ts-ignore: decorator
@inline
export function overlaps(a: usize, b: usize): bool {
  return (
    load<i32>(a) < load<i32>(b, 8) && load<i32>(a, 8) > load<i32>(b) && load<i32>(a, 4) < load<i32>(b, 12) &&
    load<i32>(a, 12) > load<i32>(b, 4)
  );
}

// @ts-ignore: decorator
@inline
export function addBounds(bounds: usize, left: i32, top: i32, right: i32, bottom: i32): void {
  store<i32>(bounds, min(load<i32>(bounds), left));
  store<i32>(bounds, min(load<i32>(bounds, 4), top), 4);
  store<i32>(bounds, max(load<i32>(bounds, 8), right), 8);
  store<i32>(bounds, max(load<i32>(bounds, 12), bottom), 12);
}

/** Grows bounds by the triangle records [from, to). */
export function addTriangles(draw: usize, from: u32, to: u32, bounds: usize): void {
  const triangles = <usize>load<u32>(draw, DRAW_TRIANGLES);
  const end = triangles + (<usize>to << TRIANGLE_SHIFT);
  for (let t = triangles + (<usize>from << TRIANGLE_SHIFT); t < end; t += TRIANGLE_BYTES) {
    addBounds(
      bounds, load<i16>(t, TRIANGLE_LEFT), load<i16>(t, TRIANGLE_TOP), load<i16>(t, TRIANGLE_RIGHT), load<i16>(t, TRIANGLE_BOTTOM),
    );
  }
}

/** Grows bounds by the shadow of a solid instance on all levels of ground. The draw record's rectangle is the whole canvas. */
export function addShadow(draw: usize, instance: usize, mesh: usize, bounds: usize): void {
  const view = <usize>load<u32>(draw, DRAW_VIEW);
  const width = load<i32>(view, VIEW_WIDTH), height = load<i32>(view, VIEW_HEIGHT);
  const levels = load<u32>(draw, DRAW_LEVELS);
  for (let level: u32 = 0; level < levels; level++) {
    if (!placeShadow(draw, instance, mesh, level)) continue;
    let vertex = <usize>load<u32>(draw, DRAW_VERTICES);
    const end = vertex + <usize>load<u32>(mesh, MESH_VERTICES) * VERTEX_BYTES;
    let left: f32 = Infinity, top: f32 = Infinity, right: f32 = -Infinity, bottom: f32 = -Infinity;
    let codes: u32 = 0;
    for (; vertex < end; vertex += VERTEX_BYTES) {
      const x = load<f32>(vertex, VERTEX_X), y = load<f32>(vertex, VERTEX_Y);
      codes |= load<u32>(vertex, VERTEX_CODE);
      left = min(left, x);
      top = min(top, y);
      right = max(right, x);
      bottom = max(bottom, y);
    }
    if ((codes & (OUT_NEAR | OUT_GUARD)) != 0) {
      addBounds(bounds, 0, 0, width, height);
      return;
    }
    const from = max(0, <i32>floor(left) - 1), to = min(width, <i32>ceil(right) + 1);
    const first = max(0, <i32>floor(top) - 1), last = min(height, <i32>ceil(bottom) + 1);
    if (from < to && first < last) addBounds(bounds, from, first, to, last);
  }
}
