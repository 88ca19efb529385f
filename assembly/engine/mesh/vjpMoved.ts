/**
 * Derivatives with respect to what moves solid meshes. Only pixels that one of them or its shadow may touch, before or after,
 * are rasterised again: the rectangle around all poses. What stands behind and before it is drawn there once, without the moved
 * meshes and their shadows; then every pose is drawn into a copy of that, and the pixels in which the two poses of an attribute
 * differ are shaded and contracted. All of this is the renderer's own code, so that the result is the difference of its images.
 */
import { CALL_NODE_COUNT, MESH_ROLE_COUNT } from '../layout';
import { clearTarget } from './draw';
import {
  DRAW_COUNT, DRAW_HAZE_COLOR, DRAW_LEVELS, DRAW_OVERFLOW, DRAW_PITCH, DRAW_RANGES, DRAW_SHADE, DRAW_TRIANGLES, DRAW_VERTICES, DRAW_VIEW, FRAME_BYTES, FRAME_MESH,
  FRAME_MOVES, INSTANCE_BYTES, INSTANCE_MESH, MESH_CALL_INSTANCES, MESH_CALL_MOVED, MESH_CALL_MOVED_FIRST,
  MESH_CALL_MOVED_INSTANCES, MESH_CALL_MOVED_LAST, MESH_VERTICES, OUT_NEAR, TARGET_BOTTOM, TARGET_DEPTH, TARGET_LEFT, TARGET_MARKS, TARGET_PITCH,
  TARGET_RIGHT, TARGET_TOP, TRIANGLE_INSTANCE, TRIANGLE_ON_GROUND, TRIANGLE_SHIFT, TRIANGLE_STATE, VERTEX_BYTES, VERTEX_CODE, VERTEX_INVERSE, VIEW_HEIGHT, VIEW_WIDTH,
} from './layout';
import { rasterTriangle } from './raster';
import { castShadows } from './resolve';
import { castShadow } from './shadow';
import { setDrawRectangle } from './state';
import { isMoved, placeMeshSubtree } from './subtree';
import { setUpInstance } from './triangles';
import { contractByNode, contractMarks, isWhole } from './vjpContract';
import {
  REACH_BYTES, REACH_GROUND, REACH_KIND, REACH_MESH, REACH_SHADOW, REACH_SOLID, VJP_ANY_GROUND, VJP_BEHIND, VJP_BOTTOM, VJP_CALL, VJP_DRAW,
  VJP_GRADIENT, VJP_GROUND, VJP_HIDDEN, VJP_HIGH, VJP_LEFT, VJP_LIGHT_END, VJP_LIGHT_FIRST, VJP_LINEAR, VJP_LOW, VJP_LOW_SUM, VJP_NEAREST, VJP_PIXELS, VJP_RANGES, VJP_REACH, VJP_REST_COUNT, VJP_RIGHT, VJP_SUM,
  VJP_SUMS, VJP_TOP, VJP_VALUES,
} from './vjpLayout';
import { addBounds, addShadow, addTriangles, emptyBounds } from './vjpReach';
import { TARGET_PADDING } from './vjpScratch';
import { takeUntinted } from './vjpWhole';

/** Rounding of depths within a triangle, as a factor of 1/z. */
const NEARER: f32 = 1.001;

/**
 * Fills VJP_SUMS of the attributes `roles` of a node, which all move the same solid meshes; VJP_VALUES say how far.
 * @param light whether VJP_LINEAR of these meshes' nodes is wanted too
 * @returns those for which there was room: the others have to come again, and if there was none, be done in another way
 *   (VJP_LINEAR too)
 */
export function contractPoses(vjp: usize, node: i32, roles: u32, light: bool): u32 {
  const draw = <usize>load<u32>(vjp, VJP_DRAW);
  const done = setUpPoses(vjp, node, roles, light);
  const left = load<i32>(vjp, VJP_LEFT), right = load<i32>(vjp, VJP_RIGHT), bottom = load<i32>(vjp, VJP_BOTTOM);
  if (done != 0 && left < right) {
    const pitch = (right - left + <i32>TARGET_PADDING + 3) & ~3;
    const rows = max(1, load<i32>(vjp, VJP_PIXELS) / pitch);
    for (let top = load<i32>(vjp, VJP_TOP); top < bottom; top += rows) {
      openTarget(vjp + VJP_BEHIND, left, top, right, min(bottom, top + rows), pitch);
      openTarget(vjp + VJP_HIGH, left, top, right, min(bottom, top + rows), pitch);
      openTarget(vjp + VJP_LOW, left, top, right, min(bottom, top + rows), pitch);
      drawBehind(vjp);
      const hidden = isHidden(vjp);
      store<u32>(vjp, hidden ? 1 : 0, VJP_HIDDEN);
      if (hidden && !seesGround(vjp, draw)) continue;
      if (!hidden && load<u32>(vjp, VJP_LIGHT_FIRST) != 0) contractOwnLight(vjp);
      for (let role = 1; role < MESH_ROLE_COUNT; role++) if (((done >> role) & 1) != 0) contractPair(vjp, node, role);
    }
  }
  store<u32>(draw, load<u32>(vjp, VJP_REST_COUNT), DRAW_COUNT);
  return done;
}

/** Sets up the poses of as many roles as there is room for, and finds the rectangle around them. @returns these roles */
function setUpPoses(vjp: usize, node: i32, roles: u32, light: bool): u32 {
  const draw = <usize>load<u32>(vjp, VJP_DRAW);
  const view = <usize>load<u32>(draw, DRAW_VIEW);
  setDrawRectangle(draw, 0, 0, load<i32>(view, VIEW_WIDTH), load<i32>(view, VIEW_HEIGHT));
  emptyBounds(vjp + VJP_LEFT);
  store<u32>(vjp, 0, VJP_LIGHT_FIRST);
  store<f32>(vjp, 0, VJP_NEAREST);
  let done: u32 = 0;
  for (let role = 1; role < MESH_ROLE_COUNT; role++) {
    if (((roles >> role) & 1) == 0) continue;
    const ranges = vjp + VJP_RANGES + 12 * <usize>role;
    const from = load<u32>(draw, DRAW_COUNT);
    store<u32>(ranges, from);
    setUpPose(vjp, node, role, valueAt(vjp, role, 0));
    store<u32>(ranges, load<u32>(draw, DRAW_COUNT), 4);
    setUpPose(vjp, node, role, valueAt(vjp, role, 8));
    store<u32>(ranges, load<u32>(draw, DRAW_COUNT), 8);
    if (load<u32>(draw, DRAW_OVERFLOW) != 0) {
      store<u32>(draw, 0, DRAW_OVERFLOW);
      store<u32>(draw, from, DRAW_COUNT);
      return done;
    }
    addTriangles(draw, from, load<u32>(draw, DRAW_COUNT), vjp + VJP_LEFT);
    store<f64>(vjp + (<usize>role << 3), 0, VJP_SUMS);
    // The nodes that are marked are the same for every role.
    if (light && done == 0 && !setUpLight(vjp)) return 0;
    done |= 1 << role;
  }
  return done;
}

/** Sets up the marked meshes at rest, with a tint of 1. @returns whether there was room */
function setUpLight(vjp: usize): bool {
  const call = <usize>load<u32>(vjp, VJP_CALL);
  const draw = <usize>load<u32>(vjp, VJP_DRAW);
  const from = load<u32>(draw, DRAW_COUNT);
  const instances = <usize>load<u32>(call, MESH_CALL_MOVED_INSTANCES);
  const last = load<i32>(call, MESH_CALL_MOVED_LAST);
  for (let v = load<i32>(call, MESH_CALL_MOVED_FIRST); v <= last; v++) {
    if (!isMoved(call, v)) continue;
    takeUntinted(call, v);
    memory.fill(<usize>load<u32>(vjp, VJP_LINEAR) + (<usize>v << 5), 0, 24);
    if (load<u32>(instances + <usize>v * INSTANCE_BYTES, INSTANCE_MESH) == 0) continue;
    setUpInstance(draw, instances + <usize>v * INSTANCE_BYTES);
    findNearest(vjp, draw, instances + <usize>v * INSTANCE_BYTES);
  }
  if (load<u32>(draw, DRAW_OVERFLOW) != 0) {
    store<u32>(draw, 0, DRAW_OVERFLOW);
    return false;
  }
  addTriangles(draw, from, load<u32>(draw, DRAW_COUNT), vjp + VJP_LEFT);
  store<u32>(vjp, from, VJP_LIGHT_FIRST);
  store<u32>(vjp, load<u32>(draw, DRAW_COUNT), VJP_LIGHT_END);
  return true;
}

// @ts-ignore: decorator
@inline
function valueAt(vjp: usize, role: i32, pose: usize): f64 {
  return load<f64>(vjp + (<usize>role << 4) + pose, VJP_VALUES);
}

function setUpPose(vjp: usize, node: i32, role: i32, value: f64): void {
  const call = <usize>load<u32>(vjp, VJP_CALL);
  const draw = <usize>load<u32>(vjp, VJP_DRAW);
  placeMeshSubtree(call, node, role, value);
  const instances = <usize>load<u32>(call, MESH_CALL_MOVED_INSTANCES);
  const last = load<i32>(call, MESH_CALL_MOVED_LAST);
  for (let v = load<i32>(call, MESH_CALL_MOVED_FIRST); v <= last; v++) {
    const instance = instances + <usize>v * INSTANCE_BYTES;
    if (!isMoved(call, v) || load<u32>(instance, INSTANCE_MESH) == 0) continue;
    setUpInstance(draw, instance);
    findNearest(vjp, draw, instance);
    addShadow(draw, instance, load<u32>(instance, INSTANCE_MESH), vjp + VJP_LEFT);
  }
}

/** Raises VJP_NEAREST to the vertices of an instance that has just been set up. */
function findNearest(vjp: usize, draw: usize, instance: usize): void {
  const end = load<u32>(draw, DRAW_COUNT);
  // Without triangles nothing is seen, and the vertices may be another's.
  if (end == load<u32>(vjp, VJP_REST_COUNT) || instanceOf(draw, end - 1) != instance) return;
  const mesh = <usize>load<u32>(instance, INSTANCE_MESH);
  let vertex = <usize>load<u32>(draw, DRAW_VERTICES);
  const last = vertex + <usize>load<u32>(mesh, MESH_VERTICES) * VERTEX_BYTES;
  let nearest = load<f32>(vjp, VJP_NEAREST);
  for (; vertex < last; vertex += VERTEX_BYTES) {
    const inverse = load<u32>(vertex, VERTEX_CODE) == OUT_NEAR ? f32.MAX_VALUE : load<f32>(vertex, VERTEX_INVERSE);
    nearest = max(nearest, inverse);
  }
  store<f32>(vjp, nearest, VJP_NEAREST);
}

// @ts-ignore: decorator
@inline
function instanceOf(draw: usize, number: u32): usize {
  return load<u32>(<usize>load<u32>(draw, DRAW_TRIANGLES) + (<usize>number << TRIANGLE_SHIFT), TRIANGLE_INSTANCE);
}

/** Whether every sample of VJP_BEHIND is nearer than any part of the poses: cars in traffic often stand behind others. */
function isHidden(vjp: usize): bool {
  const target = vjp + VJP_BEHIND;
  const width = <usize>(load<i32>(target, TARGET_RIGHT) - load<i32>(target, TARGET_LEFT)) << 4;
  const rows = load<i32>(target, TARGET_BOTTOM) - load<i32>(target, TARGET_TOP);
  const step = <usize>load<i32>(target, TARGET_PITCH) << 4;
  const nearest = load<f32>(vjp, VJP_NEAREST) * NEARER;
  let row = <usize>load<u32>(target, TARGET_DEPTH);
  for (let y = 0; y < rows; y++) {
    for (let at = row; at < row + width; at += 16) {
      if (ASC_FEATURE_SIMD) {
        if (i32x4.bitmask(f32x4.gt(v128.load(at), f32x4.splat(nearest))) != 15) return false;
      } else {
        for (let k: usize = 0; k < 16; k += 4) if (!(load<f32>(at + k) > nearest)) return false;
      }
    }
    row += step;
  }
  return true;
}

function seesGround(vjp: usize, draw: usize): bool {
  return load<u32>(draw, DRAW_LEVELS) != 0 && load<i32>(vjp, VJP_ANY_GROUND) < load<i32>(vjp + 8, VJP_ANY_GROUND);
}

function openTarget(target: usize, left: i32, top: i32, right: i32, bottom: i32, pitch: i32): void {
  store<i32>(target, left, TARGET_LEFT);
  store<i32>(target, top, TARGET_TOP);
  store<i32>(target, right, TARGET_RIGHT);
  store<i32>(target, bottom, TARGET_BOTTOM);
  store<i32>(target, pitch, TARGET_PITCH);
}

/** Draws everything but the moved meshes into VJP_BEHIND: ground first, as the renderer does. */
function drawBehind(vjp: usize): void {
  const draw = <usize>load<u32>(vjp, VJP_DRAW);
  const target = vjp + VJP_BEHIND;
  clearTarget(draw, target);
  drawKind(vjp, draw, target, REACH_GROUND);
  drawKind(vjp, draw, target, REACH_SOLID);
  if (load<u32>(draw, DRAW_LEVELS) == 0) return;
  findGround(vjp, draw, target);
  const call = <usize>load<u32>(vjp, VJP_CALL);
  const reaches = <usize>load<u32>(vjp, VJP_REACH);
  const instances = <usize>load<u32>(call, MESH_CALL_INSTANCES);
  const count = load<i32>(call, CALL_NODE_COUNT);
  for (let v = 0; v < count; v++) {
    if (!overlaps(reaches + <usize>v * REACH_BYTES + REACH_SHADOW, vjp + VJP_ANY_GROUND) || isMoved(call, v)) continue;
    cast(vjp, draw, instances + <usize>v * INSTANCE_BYTES);
  }
  shadeTarget(vjp, draw, target);
}

/** Finds where each level of ground is seen in VJP_BEHIND: no pose shows more of it, and shadows fall nowhere else. */
function findGround(vjp: usize, draw: usize, target: usize): void {
  const levels = <usize>load<u32>(draw, DRAW_LEVELS);
  for (let level: usize = 0; level < levels; level++) emptyBounds(vjp + VJP_GROUND + (level << 4));
  const left = load<i32>(target, TARGET_LEFT), right = load<i32>(target, TARGET_RIGHT);
  const bottom = load<i32>(target, TARGET_BOTTOM);
  const step = <usize>load<i32>(target, TARGET_PITCH) << 4;
  let row = <usize>load<u32>(target, TARGET_MARKS);
  for (let y = load<i32>(target, TARGET_TOP); y < bottom; y++) {
    let x = left;
    while (x < right) {
      const marks = row + (<usize>(x - left) << 4);
      const mark = load<u32>(marks);
      let end = x;
      while (end < right && isWhole(row + (<usize>(end - left) << 4), mark)) end++;
      if (end > x) addGround(vjp, draw, mark, y, x, end);
      else {
        end++;
        for (let k: usize = 0; k < 16; k += 4) addGround(vjp, draw, load<u32>(marks + k), y, x, end);
      }
      x = end;
    }
    row += step;
  }
  const any = vjp + VJP_ANY_GROUND;
  emptyBounds(any);
  for (let level: usize = 0; level < levels; level++) {
    const at = vjp + VJP_GROUND + (level << 4);
    addBounds(any, load<i32>(at), load<i32>(at, 4), load<i32>(at, 8), load<i32>(at, 12));
  }
}

function addGround(vjp: usize, draw: usize, mark: u32, y: i32, x: i32, end: i32): void {
  if (mark == 0) return;
  const state = load<u32>(<usize>load<u32>(draw, DRAW_TRIANGLES) + (<usize>mark << TRIANGLE_SHIFT), TRIANGLE_STATE);
  if ((state & TRIANGLE_ON_GROUND) != 0) addBounds(vjp + VJP_GROUND + (<usize>(state >> 8) << 4), x, y, end, y + 1);
}

function drawKind(vjp: usize, draw: usize, target: usize, kind: u32): void {
  const call = <usize>load<u32>(vjp, VJP_CALL);
  const reaches = <usize>load<u32>(vjp, VJP_REACH);
  const ranges = <usize>load<u32>(draw, DRAW_RANGES);
  const count = load<i32>(call, CALL_NODE_COUNT);
  for (let v = 0; v < count; v++) {
    const reach = reaches + <usize>v * REACH_BYTES;
    if (load<u32>(reach, REACH_KIND) != kind || !overlaps(reach + REACH_MESH, target + TARGET_LEFT) || isMoved(call, v)) continue;
    const end = load<u32>(ranges + (<usize>v << 3), 4);
    for (let n = load<u32>(ranges + (<usize>v << 3)); n < end; n++) rasterTriangle(draw, target, n, n);
  }
}

// @ts-ignore: decorator
@inline
function overlaps(a: usize, b: usize): bool {
  return (
    load<i32>(a) < load<i32>(b, 8) && load<i32>(a, 8) > load<i32>(b) && load<i32>(a, 4) < load<i32>(b, 12) &&
    load<i32>(a, 12) > load<i32>(b, 4)
  );
}

/** Casts the shadow of an instance on all levels of ground that are seen. */
function cast(vjp: usize, draw: usize, instance: usize): void {
  const mesh = load<u32>(instance, INSTANCE_MESH);
  if (mesh == 0) return;
  const levels = load<u32>(draw, DRAW_LEVELS);
  for (let level: u32 = 0; level < levels; level++) {
    const seen = vjp + VJP_GROUND + (<usize>level << 4);
    if (load<i32>(seen) >= load<i32>(seen, 8)) continue;
    setDrawRectangle(draw, load<i32>(seen), load<i32>(seen, 4), load<i32>(seen, 8), load<i32>(seen, 12));
    const pitch = <usize>load<u32>(draw, DRAW_PITCH);
    const plane = pitch * <usize>load<i32>(load<u32>(draw, DRAW_VIEW), VIEW_HEIGHT);
    castShadow(draw, instance, mesh, level, <usize>load<u32>(draw, DRAW_SHADE) + <usize>level * plane, pitch);
  }
}

/** Lays the shadows that have been cast on the ground that is seen, and forgets them. */
function shadeTarget(vjp: usize, draw: usize, target: usize): void {
  const any = vjp + VJP_ANY_GROUND;
  const left = load<i32>(any), top = load<i32>(any, 4), right = load<i32>(any, 8), bottom = load<i32>(any, 12);
  if (left >= right) return;
  const step = <usize>load<i32>(target, TARGET_PITCH) << 4;
  let marks = <usize>load<u32>(target, TARGET_MARKS) + <usize>(top - load<i32>(target, TARGET_TOP)) * step +
    (<usize>(left - load<i32>(target, TARGET_LEFT)) << 4);
  for (let y = top; y < bottom; y++) {
    castShadows(draw, marks, y, left, right, true);
    marks += step;
  }
  const pitch = <usize>load<u32>(draw, DRAW_PITCH);
  const plane = pitch * <usize>load<i32>(load<u32>(draw, DRAW_VIEW), VIEW_HEIGHT);
  const levels = <usize>load<u32>(draw, DRAW_LEVELS);
  for (let level: usize = 0; level < levels; level++) {
    const row = <usize>load<u32>(draw, DRAW_SHADE) + level * plane + <usize>left;
    for (let y = top; y < bottom; y++) memory.fill(row + <usize>y * pitch, 0, right - left);
  }
}

/** Adds to VJP_LINEAR of the moved meshes' nodes what their light contributes: black haze leaves out what does not depend on it. */
function contractOwnLight(vjp: usize): void {
  const draw = <usize>load<u32>(vjp, VJP_DRAW);
  const target = vjp + VJP_HIGH;
  const first = load<u32>(vjp, VJP_LIGHT_FIRST);
  copyBehind(vjp, target);
  const end = load<u32>(vjp, VJP_LIGHT_END);
  for (let n = first; n < end; n++) rasterTriangle(draw, target, n, n);
  keepMeshes(load<u32>(vjp, VJP_CALL));
  const haze = draw + DRAW_HAZE_COLOR;
  const red = load<f32>(haze), green = load<f32>(haze, 4), blue = load<f32>(haze, 8);
  memory.fill(haze, 0, 12);
  contractDifference(vjp, vjp + VJP_BEHIND, first);
  store<f32>(haze, red);
  store<f32>(haze, green, 4);
  store<f32>(haze, blue, 8);
}

/** Adds to VJP_SUMS of one attribute what its two poses differ by within the targets. */
function contractPair(vjp: usize, node: i32, role: i32): void {
  const ranges = vjp + VJP_RANGES + 12 * <usize>role;
  drawPose(vjp, vjp + VJP_HIGH, load<u32>(ranges), load<u32>(ranges, 4), node, role, valueAt(vjp, role, 0));
  drawPose(vjp, vjp + VJP_LOW, load<u32>(ranges, 4), load<u32>(ranges, 8), node, role, valueAt(vjp, role, 8));
  keepMeshes(load<u32>(vjp, VJP_CALL));
  memory.fill(vjp + VJP_SUM, 0, 64);
  contractDifference(vjp, vjp + VJP_LOW, 0);
  let difference: f64 = 0;
  for (let c: usize = 0; c < 24; c += 8) difference += load<f64>(vjp + c, VJP_SUM) - load<f64>(vjp + c, VJP_LOW_SUM);
  const at = vjp + VJP_SUMS + (<usize>role << 3);
  store<f64>(at, load<f64>(at) + difference);
}

function copyBehind(vjp: usize, target: usize): void {
  const behind = vjp + VJP_BEHIND;
  const rows = <usize>(load<i32>(target, TARGET_BOTTOM) - load<i32>(target, TARGET_TOP));
  const bytes = (rows * <usize>load<i32>(target, TARGET_PITCH)) << 4;
  memory.copy(load<u32>(target, TARGET_DEPTH), load<u32>(behind, TARGET_DEPTH), bytes);
  memory.copy(load<u32>(target, TARGET_MARKS), load<u32>(behind, TARGET_MARKS), bytes);
}

/** Draws a pose and its shadow into a copy of what is behind. */
function drawPose(vjp: usize, target: usize, from: u32, to: u32, node: i32, role: i32, value: f64): void {
  const call = <usize>load<u32>(vjp, VJP_CALL);
  const draw = <usize>load<u32>(vjp, VJP_DRAW);
  copyBehind(vjp, target);
  if (load<u32>(vjp, VJP_HIDDEN) == 0) for (let n = from; n < to; n++) rasterTriangle(draw, target, n, n);
  if (load<u32>(draw, DRAW_LEVELS) == 0) return;
  placeMeshSubtree(call, node, role, value);
  const instances = <usize>load<u32>(call, MESH_CALL_MOVED_INSTANCES);
  const last = load<i32>(call, MESH_CALL_MOVED_LAST);
  for (let v = load<i32>(call, MESH_CALL_MOVED_FIRST); v <= last; v++) {
    if (isMoved(call, v)) cast(vjp, draw, instances + <usize>v * INSTANCE_BYTES);
  }
  shadeTarget(vjp, draw, target);
}

/** Triangle records find their texture through the moved instances, which one of the poses may have taken it from. */
function keepMeshes(call: usize): void {
  const moved = <usize>load<u32>(call, MESH_CALL_MOVED);
  const instances = <usize>load<u32>(call, MESH_CALL_MOVED_INSTANCES);
  const last = load<i32>(call, MESH_CALL_MOVED_LAST);
  for (let v = load<i32>(call, MESH_CALL_MOVED_FIRST); v <= last; v++) {
    if (!isMoved(call, v)) continue;
    store<u32>(instances + <usize>v * INSTANCE_BYTES, load<u32>(moved + <usize>v * FRAME_BYTES, FRAME_MESH), INSTANCE_MESH);
  }
}

/**
 * Contracts the pixels in which the high target and another one differ: elsewhere both show the same triangles.
 * @param first 0, or the first triangle record whose light is contracted by node, in the high target alone
 */
function contractDifference(vjp: usize, other: usize, first: u32): void {
  const draw = <usize>load<u32>(vjp, VJP_DRAW);
  const gradient = <usize>load<u32>(vjp, VJP_GRADIENT);
  const target = vjp + VJP_HIGH;
  const left = load<i32>(target, TARGET_LEFT), right = load<i32>(target, TARGET_RIGHT);
  const top = load<i32>(target, TARGET_TOP), bottom = load<i32>(target, TARGET_BOTTOM);
  const step = <usize>load<i32>(target, TARGET_PITCH) << 4;
  let high = <usize>load<u32>(target, TARGET_MARKS);
  let low = <usize>load<u32>(other, TARGET_MARKS);
  for (let y = top; y < bottom; y++) {
    let x = left;
    while (x < right) {
      while (x < right && isSame(high, low, x - left)) x++;
      const from = x;
      while (x < right && !isSame(high, low, x - left)) x++;
      if (x == from) continue;
      const offset = <usize>(from - left) << 4;
      if (first != 0) {
        contractByNode(draw, high + offset, y, from, x, first, gradient, load<u32>(vjp, VJP_LINEAR));
        continue;
      }
      contractMarks(draw, high + offset, y, from, x, gradient, vjp + VJP_SUM);
      contractMarks(draw, low + offset, y, from, x, gradient, vjp + VJP_LOW_SUM);
    }
    high += step;
    low += step;
  }
}

// @ts-ignore: decorator
@inline
function isSame(high: usize, low: usize, pixel: i32): bool {
  const at = <usize>pixel << 4;
  if (ASC_FEATURE_SIMD) return i32x4.bitmask(i32x4.eq(v128.load(high + at), v128.load(low + at))) == 15;
  return load<u64>(high + at) == load<u64>(low + at) && load<u64>(high + at, 8) == load<u64>(low + at, 8);
}
