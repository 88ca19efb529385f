/**
 * Shadows on the ground around poses: those of what does not move, and of either pose, each in bytes of its own for every level
 * of ground, as large as the targets. They are put into marks where the two poses differ, nowhere else.
 */
import { CALL_NODE_COUNT } from '../layout';
import {
  DRAW_LEVELS, INSTANCE_BYTES, INSTANCE_MESH, MESH_CALL_INSTANCES, MESH_CALL_MOVED_FIRST,
  MESH_CALL_MOVED_INSTANCES, MESH_CALL_MOVED_LAST, MOST_LEVELS_OF_GROUND, SHADOWED, TARGET_BOTTOM, TARGET_LEFT, TARGET_PITCH,
  TARGET_TOP, TRIANGLE_ON_GROUND, TRIANGLE_SHIFT, TRIANGLE_STATE,
} from './layout';
import { castShadow } from './shadow';
import { setDrawRectangle } from './state';
import { isMoved } from './subtree';
import {
  REACH_BYTES, REACH_SHADOW, SHADE_STILL, VJP_ANY_GROUND, VJP_BEHIND, VJP_CALL, VJP_DARK, VJP_DRAW, VJP_GROUND, VJP_OPEN,
  VJP_REACH, VJP_SHADE, VJP_SHADE_STEP,
} from './vjpLayout';
import { isEmpty, overlaps } from './vjpReach';

/** Where shadows of one kind lie on one level: the byte of pixel (0, 0), as it were. */
// @ts-ignore: decorator
@inline
export function shadeOf(vjp: usize, which: usize, level: usize): usize {
  const target = vjp + VJP_BEHIND;
  const pixel = load<i32>(target, TARGET_TOP) * load<i32>(target, TARGET_PITCH) + load<i32>(target, TARGET_LEFT);
  const number = which * <usize>MOST_LEVELS_OF_GROUND + level;
  return <usize>load<u32>(vjp, VJP_SHADE) + number * <usize>load<u32>(vjp, VJP_SHADE_STEP) - <usize>pixel;
}

/** No shadows of one kind. */
export function clearShade(vjp: usize, which: usize): void {
  const target = vjp + VJP_BEHIND;
  const step = <usize>load<u32>(vjp, VJP_SHADE_STEP);
  const rows = <usize>(load<i32>(target, TARGET_BOTTOM) - load<i32>(target, TARGET_TOP));
  const bytes = rows * <usize>load<i32>(target, TARGET_PITCH) + 8;
  const levels = <usize>load<u32>(load<u32>(vjp, VJP_DRAW), DRAW_LEVELS);
  let at = <usize>load<u32>(vjp, VJP_SHADE) + which * <usize>MOST_LEVELS_OF_GROUND * step;
  for (let level: usize = 0; level < levels; level++) {
    memory.fill(at, 0, bytes);
    at += step;
  }
}

/** Casts what does not move on ground that poses may show or darken. */
export function castStill(vjp: usize): void {
  const call = <usize>load<u32>(vjp, VJP_CALL);
  const reaches = <usize>load<u32>(vjp, VJP_REACH);
  const instances = <usize>load<u32>(call, MESH_CALL_INSTANCES);
  const count = load<i32>(call, CALL_NODE_COUNT);
  for (let v = 0; v < count; v++) {
    const reach = reaches + <usize>v * REACH_BYTES + REACH_SHADOW;
    if (isMoved(call, v) || !overlaps(reach, vjp + VJP_ANY_GROUND)) continue;
    if (!overlaps(reach, vjp + VJP_OPEN) && !overlaps(reach, vjp + VJP_DARK)) continue;
    cast(vjp, instances + <usize>v * INSTANCE_BYTES, SHADE_STILL, vjp + VJP_ANY_GROUND);
  }
}

/** Casts the pose that has just been placed where there is ground that its shadow may fall on. */
export function castMoved(vjp: usize, which: usize): void {
  const call = <usize>load<u32>(vjp, VJP_CALL);
  const instances = <usize>load<u32>(call, MESH_CALL_MOVED_INSTANCES);
  const last = load<i32>(call, MESH_CALL_MOVED_LAST);
  for (let v = load<i32>(call, MESH_CALL_MOVED_FIRST); v <= last; v++) {
    if (isMoved(call, v)) cast(vjp, instances + <usize>v * INSTANCE_BYTES, which, vjp + VJP_DARK);
  }
}

/** Casts the shadow of an instance within bounds, on all levels of ground that are seen there. */
function cast(vjp: usize, instance: usize, which: usize, bounds: usize): void {
  const draw = <usize>load<u32>(vjp, VJP_DRAW);
  const mesh = load<u32>(instance, INSTANCE_MESH);
  if (mesh == 0) return;
  const levels = load<u32>(draw, DRAW_LEVELS);
  for (let level: u32 = 0; level < levels; level++) {
    const seen = vjp + VJP_GROUND + (<usize>level << 4);
    if (isEmpty(seen) || !overlaps(seen, bounds)) continue;
    setDrawRectangle(
      draw, max(load<i32>(seen), load<i32>(bounds)), max(load<i32>(seen, 4), load<i32>(bounds, 4)),
      min(load<i32>(seen, 8), load<i32>(bounds, 8)), min(load<i32>(seen, 12), load<i32>(bounds, 12)),
    );
    const pitch = <usize>load<i32>(vjp + VJP_BEHIND, TARGET_PITCH);
    castShadow(draw, instance, mesh, level, shadeOf(vjp, which, level), pitch);
  }
}

/**
 * Adds shadows to the marks of a pixel.
 * @param still address of the pixel's byte on the first level, of what does not move
 * @param moved likewise of a pose
 * @param step bytes from one level to the next
 * @param any samples that may lie in shadow on some level
 */
export function shadowSamples(triangles: usize, still: usize, moved: usize, step: usize, any: u32, marks: usize): void {
  for (let left = any; left != 0; left &= left - 1) {
    const sample = ctz<u32>(left);
    const at = marks + (<usize>sample << 2);
    const mark = load<u32>(at);
    if (mark == 0) continue;
    const state = load<u32>(triangles + (<usize>mark << TRIANGLE_SHIFT), TRIANGLE_STATE);
    if ((state & TRIANGLE_ON_GROUND) == 0) continue;
    const level = <usize>(state >> 8) * step;
    const bits = <u32>load<u8>(still + level) | <u32>load<u8>(moved + level);
    if (((bits >> sample) & 1) != 0) store<u32>(at, mark | SHADOWED);
  }
}
