/**
 * Derivatives with respect to what moves solid meshes. Only pixels that one of them or its shadow may touch, before or after,
 * are rasterised again: the rectangle around all poses. What stands behind and before it is drawn there once, without the moved
 * meshes and their shadows (vjpBehind.ts); what of the poses may be seen there is set up; then every pose is drawn into a copy
 * of that, and the pixels in which the two poses of an attribute differ are shaded and contracted (vjpDifference.ts). All of
 * this is the renderer's own code, so that the result is the difference of its images.
 */
import { MESH_ROLE_COUNT } from '../layout';
import {
  DRAW_COUNT, DRAW_HAZE_COLOR, DRAW_OVERFLOW, DRAW_VIEW, FRAME_BYTES, FRAME_MESH, INSTANCE_BYTES, INSTANCE_MESH, MESH_CALL_MOVED,
  MESH_CALL_MOVED_FIRST, MESH_CALL_MOVED_INSTANCES, MESH_CALL_MOVED_LAST, TARGET_BOTTOM, TARGET_DEPTH, TARGET_LEFT, TARGET_MARKS,
  TARGET_PITCH, TARGET_RIGHT, TARGET_TOP, VIEW_HEIGHT, VIEW_WIDTH,
} from './layout';
import { rasterTriangle } from './raster';
import { setDrawRectangle } from './state';
import { isMoved, placeMeshSubtree } from './subtree';
import { setUpInstance } from './triangles';
import { drawBehind, openWindow } from './vjpBehind';
import { findPoseBounds } from './vjpBounds';
import { contractDifference, contractSeen } from './vjpDifference';
import { closeFragments, openFragments } from './vjpFragments';
import {
  SHADE_HIGH, SHADE_LOW, VJP_BEHIND, VJP_CALL, VJP_DARK, VJP_DRAW, VJP_HIGH, VJP_LIGHT_END, VJP_LIGHT_FIRST, VJP_LINEAR, VJP_LOW,
  VJP_LOW_SUM, VJP_MESHES, VJP_OPEN, VJP_PIXELS, VJP_RANGES, VJP_RECTANGLE, VJP_REST_COUNT, VJP_SHADOWS, VJP_SUM, VJP_SUMS,
  VJP_VALUES,
} from './vjpLayout';
import { addBounds, addTriangles, emptyBounds, isEmpty } from './vjpReach';
import { TARGET_PADDING } from './vjpScratch';
import { castMoved, clearShade } from './vjpShade';
import { takeUntinted } from './vjpWhole';

/**
 * Fills VJP_SUMS of the attributes `roles` of a node, which all move the same solid meshes; VJP_VALUES say how far.
 * @param light whether VJP_LINEAR of these meshes' nodes is wanted too
 * @returns those for which there was room: the others have to come again, and if there was none, be done in another way
 *   (VJP_LINEAR too)
 */
export function contractPoses(vjp: usize, node: i32, roles: u32, light: bool): u32 {
  const draw = <usize>load<u32>(vjp, VJP_DRAW);
  findPoseBounds(vjp, node, roles);
  const rectangle = vjp + VJP_RECTANGLE;
  emptyBounds(rectangle);
  include(rectangle, vjp + VJP_MESHES);
  include(rectangle, vjp + VJP_SHADOWS);
  clearSums(vjp, light);
  const left = load<i32>(rectangle), right = load<i32>(rectangle, 8), bottom = load<i32>(rectangle, 12);
  let done = roles;
  if (left >= right) return done;
  const pitch = (right - left + <i32>TARGET_PADDING + 3) & ~3;
  const rows = max(1, load<i32>(vjp, VJP_PIXELS) / pitch);
  let ready = false;
  for (let top = load<i32>(rectangle, 4); top < bottom; top += rows) {
    const end = min(bottom, top + rows);
    openTarget(vjp + VJP_BEHIND, left, top, right, end, pitch);
    drawBehind(vjp);
    const hidden = isEmpty(vjp + VJP_OPEN);
    const alone = top == load<i32>(rectangle, 4) && end == bottom;
    if (hidden && isEmpty(vjp + VJP_DARK)) continue;
    if (!hidden && !ready) {
      // Of one band the poses' triangles outside of what is open are left out; with more, each has another.
      done = setUpPoses(vjp, node, done, light, alone ? vjp + VJP_OPEN : 0);
      if (done == 0) break;
      ready = true;
    }
    if (ready && alone) shrinkOpen(vjp);
    openPose(vjp, vjp + VJP_HIGH);
    openPose(vjp, vjp + VJP_LOW);
    if (isEmpty(vjp + VJP_DARK)) {
      clearShade(vjp, SHADE_HIGH);
      clearShade(vjp, SHADE_LOW);
    }
    if (!hidden && light) contractOwnLight(vjp);
    for (let role = 1; role < MESH_ROLE_COUNT; role++) {
      if (((done >> role) & 1) != 0) contractPair(vjp, node, role, hidden);
    }
  }
  store<u32>(draw, load<u32>(vjp, VJP_REST_COUNT), DRAW_COUNT);
  return done;
}

/** Grows bounds by others, unless these are empty. */
function include(bounds: usize, others: usize): void {
  if (!isEmpty(others)) addBounds(bounds, load<i32>(others), load<i32>(others, 4), load<i32>(others, 8), load<i32>(others, 12));
}

/** Sums of all attributes, and of the light on the marked nodes, begin at 0. */
function clearSums(vjp: usize, light: bool): void {
  memory.fill(vjp + VJP_SUMS, 0, <usize>MESH_ROLE_COUNT << 3);
  if (!light) return;
  const call = <usize>load<u32>(vjp, VJP_CALL);
  const last = load<i32>(call, MESH_CALL_MOVED_LAST);
  for (let v = load<i32>(call, MESH_CALL_MOVED_FIRST); v <= last; v++) {
    if (isMoved(call, v)) memory.fill(<usize>load<u32>(vjp, VJP_LINEAR) + (<usize>v << 5), 0, 24);
  }
}

/**
 * Sets up the poses of as many roles as there is room for.
 * @param bounds i32[4] of what is wanted of them, 0 for the whole canvas
 * @returns these roles
 */
function setUpPoses(vjp: usize, node: i32, roles: u32, light: bool, bounds: usize): u32 {
  const draw = <usize>load<u32>(vjp, VJP_DRAW);
  const view = <usize>load<u32>(draw, DRAW_VIEW);
  if (bounds == 0) setDrawRectangle(draw, 0, 0, load<i32>(view, VIEW_WIDTH), load<i32>(view, VIEW_HEIGHT));
  else setDrawRectangle(draw, load<i32>(bounds), load<i32>(bounds, 4), load<i32>(bounds, 8), load<i32>(bounds, 12));
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
    // The nodes that are marked are the same for every role.
    if (light && done == 0 && !setUpLight(vjp)) return 0;
    done |= 1 << role;
  }
  return done;
}

/** Nothing is drawn but within the triangles of the poses, which their meshes' boxes are larger than. */
function shrinkOpen(vjp: usize): void {
  const draw = <usize>load<u32>(vjp, VJP_DRAW);
  emptyBounds(vjp + VJP_OPEN);
  addTriangles(draw, load<u32>(vjp, VJP_REST_COUNT), load<u32>(draw, DRAW_COUNT), vjp + VJP_OPEN);
}

/** Sets up the marked meshes at rest, with a tint of 1. @returns whether there was room */
function setUpLight(vjp: usize): bool {
  const call = <usize>load<u32>(vjp, VJP_CALL);
  const draw = <usize>load<u32>(vjp, VJP_DRAW);
  store<u32>(vjp, load<u32>(draw, DRAW_COUNT), VJP_LIGHT_FIRST);
  const instances = <usize>load<u32>(call, MESH_CALL_MOVED_INSTANCES);
  const last = load<i32>(call, MESH_CALL_MOVED_LAST);
  for (let v = load<i32>(call, MESH_CALL_MOVED_FIRST); v <= last; v++) {
    if (!isMoved(call, v)) continue;
    takeUntinted(call, v);
    setUpInstance(draw, instances + <usize>v * INSTANCE_BYTES);
  }
  store<u32>(vjp, load<u32>(draw, DRAW_COUNT), VJP_LIGHT_END);
  if (load<u32>(draw, DRAW_OVERFLOW) == 0) return true;
  store<u32>(draw, 0, DRAW_OVERFLOW);
  return false;
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
    if (isMoved(call, v)) setUpInstance(draw, instances + <usize>v * INSTANCE_BYTES);
  }
}

function openTarget(target: usize, left: i32, top: i32, right: i32, bottom: i32, pitch: i32): void {
  store<i32>(target, left, TARGET_LEFT);
  store<i32>(target, top, TARGET_TOP);
  store<i32>(target, right, TARGET_RIGHT);
  store<i32>(target, bottom, TARGET_BOTTOM);
  store<i32>(target, pitch, TARGET_PITCH);
}

/** Adds to VJP_LINEAR of the moved meshes' nodes what their light contributes: black haze leaves out what does not depend on it. */
function contractOwnLight(vjp: usize): void {
  const draw = <usize>load<u32>(vjp, VJP_DRAW);
  drawTriangles(vjp, vjp + VJP_HIGH, load<u32>(vjp, VJP_LIGHT_FIRST), load<u32>(vjp, VJP_LIGHT_END));
  keepMeshes(load<u32>(vjp, VJP_CALL));
  const haze = draw + DRAW_HAZE_COLOR;
  const red = load<f32>(haze), green = load<f32>(haze, 4), blue = load<f32>(haze, 8);
  memory.fill(haze, 0, 12);
  contractSeen(vjp, load<u32>(vjp, VJP_LIGHT_FIRST));
  store<f32>(haze, red);
  store<f32>(haze, green, 4);
  store<f32>(haze, blue, 8);
}

/** Adds to VJP_SUMS of one attribute what its two poses differ by within the targets. */
function contractPair(vjp: usize, node: i32, role: i32, hidden: bool): void {
  const call = <usize>load<u32>(vjp, VJP_CALL);
  const ranges = vjp + VJP_RANGES + 12 * <usize>role;
  if (!hidden) {
    drawTriangles(vjp, vjp + VJP_HIGH, load<u32>(ranges), load<u32>(ranges, 4));
    drawTriangles(vjp, vjp + VJP_LOW, load<u32>(ranges, 4), load<u32>(ranges, 8));
  }
  if (!isEmpty(vjp + VJP_DARK)) {
    placeMeshSubtree(call, node, role, valueAt(vjp, role, 0));
    castPose(vjp, SHADE_HIGH);
    placeMeshSubtree(call, node, role, valueAt(vjp, role, 8));
    castPose(vjp, SHADE_LOW);
  }
  keepMeshes(call);
  memory.fill(vjp + VJP_SUM, 0, 64);
  openFragments(vjp);
  contractDifference(vjp);
  let difference = closeFragments(vjp, load<u32>(vjp, VJP_DRAW));
  for (let c: usize = 0; c < 24; c += 8) difference += load<f64>(vjp + c, VJP_SUM) - load<f64>(vjp + c, VJP_LOW_SUM);
  const at = vjp + VJP_SUMS + (<usize>role << 3);
  store<f64>(at, load<f64>(at) + difference);
}

/** Casts the shadows of the pose that has just been placed. */
function castPose(vjp: usize, which: usize): void {
  clearShade(vjp, which);
  castMoved(vjp, which);
}

/** Draws triangles into a target that shows what is behind, and nothing else from then on: marks are 0 elsewhere. */
function drawTriangles(vjp: usize, target: usize, from: u32, to: u32): void {
  const draw = <usize>load<u32>(vjp, VJP_DRAW);
  const behind = vjp + VJP_BEHIND;
  const left = load<i32>(target, TARGET_LEFT), right = load<i32>(target, TARGET_RIGHT);
  const bottom = load<i32>(target, TARGET_BOTTOM);
  const step = <usize>load<i32>(target, TARGET_PITCH) << 4;
  let depth = <usize>load<u32>(target, TARGET_DEPTH), marks = <usize>load<u32>(target, TARGET_MARKS);
  let depthBehind = <usize>load<u32>(behind, TARGET_DEPTH) + offsetIn(behind, left, load<i32>(target, TARGET_TOP));
  const bytes = <usize>(right - left) << 4;
  for (let y = load<i32>(target, TARGET_TOP); y < bottom; y++) {
    memory.copy(depth, depthBehind, bytes);
    memory.fill(marks, 0, bytes);
    depth += step;
    marks += step;
    depthBehind += step;
  }
  for (let n = from; n < to; n++) rasterTriangle(draw, target, n, n);
}

/** Bytes from the first sample of a target to those of a pixel. */
// @ts-ignore: decorator
@inline
function offsetIn(target: usize, x: i32, y: i32): usize {
  const pixel = (y - load<i32>(target, TARGET_TOP)) * load<i32>(target, TARGET_PITCH) + x - load<i32>(target, TARGET_LEFT);
  return <usize>pixel << 4;
}

/** Makes what is open of the rectangle what the target of a pose is drawn into. */
function openPose(vjp: usize, target: usize): void {
  const behind = vjp + VJP_BEHIND;
  const plane = <usize>load<u32>(vjp, VJP_PIXELS) << 4;
  const depth = <usize>load<u32>(behind, TARGET_DEPTH) + 2 * plane;
  memory.copy(target + TARGET_LEFT, vjp + VJP_OPEN, 16);
  openWindow(behind, depth, depth + (target == vjp + VJP_HIGH ? plane : 2 * plane), target);
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
