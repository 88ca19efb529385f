/** What stands behind and before the poses: drawn once for all of them, with what of it they may show through or darken. */
import { CALL_NODE_COUNT } from '../layout';
import { clearTarget } from './draw';
import {
  DRAW_LEVELS, DRAW_RANGES, DRAW_TRIANGLES, TARGET_BOTTOM, TARGET_DEPTH, TARGET_LEFT, TARGET_MARKS, TARGET_PITCH, TARGET_RIGHT,
  TARGET_TOP, TRIANGLE_ON_GROUND, TRIANGLE_SHIFT, TRIANGLE_STATE,
} from './layout';
import { rasterTriangle } from './raster';
import { isMoved } from './subtree';
import { isWhole } from './vjpContract';
import {
  REACH_BYTES, REACH_GROUND, REACH_KIND, REACH_MESH, REACH_NEAREST, REACH_SOLID, SHADE_STILL, VJP_ANY_GROUND, VJP_BEHIND, VJP_CALL, VJP_DARK,
  VJP_DRAW, VJP_GROUND, VJP_HIGH, VJP_MESHES, VJP_NEAREST, VJP_OPEN, VJP_REACH, VJP_SHADOWS,
} from './vjpLayout';
import { addBounds, emptyBounds, isEmpty, overlaps } from './vjpReach';
import { castStill, clearShade } from './vjpShade';

/** Rounding of depths within a triangle, as a factor of 1/z. */
const NEARER: f32 = 1.001;

/**
 * Draws everything but the moved meshes into VJP_BEHIND: ground first, as the renderer does. Fills VJP_OPEN and VJP_DARK, and,
 * unless both are empty, casts the shadows of what does not move.
 */
export function drawBehind(vjp: usize): void {
  const draw = <usize>load<u32>(vjp, VJP_DRAW);
  const target = vjp + VJP_BEHIND;
  clearTarget(draw, target);
  drawKind(vjp, draw, target, REACH_GROUND);
  drawKind(vjp, draw, target, REACH_SOLID);
  findOpen(target, vjp + VJP_MESHES, load<f32>(vjp, VJP_NEAREST), vjp + VJP_OPEN);
  emptyBounds(vjp + VJP_DARK);
  if (load<u32>(draw, DRAW_LEVELS) == 0) return;
  findGround(vjp, draw, target);
  intersect(vjp + VJP_ANY_GROUND, vjp + VJP_SHADOWS, vjp + VJP_DARK);
  if (isEmpty(vjp + VJP_OPEN) && isEmpty(vjp + VJP_DARK)) return;
  clearShade(vjp, SHADE_STILL);
  castStill(vjp);
}

function drawKind(vjp: usize, draw: usize, target: usize, kind: u32): void {
  const call = <usize>load<u32>(vjp, VJP_CALL);
  const reaches = <usize>load<u32>(vjp, VJP_REACH);
  const ranges = <usize>load<u32>(draw, DRAW_RANGES);
  const count = load<i32>(call, CALL_NODE_COUNT);
  for (let v = 0; v < count; v++) {
    const reach = reaches + <usize>v * REACH_BYTES;
    if (load<u32>(reach, REACH_KIND) != kind || !overlaps(reach + REACH_MESH, target + TARGET_LEFT) || isMoved(call, v)) continue;
    let into = target;
    if (kind == REACH_SOLID) {
      // What stands behind others is left out as far as it does: the earlier nodes, those that are drawn already.
      into = vjp + VJP_HIGH;
      const open = into + TARGET_LEFT;
      findOpen(target, reach + REACH_MESH, load<f32>(reach, REACH_NEAREST), open);
      if (isEmpty(open)) continue;
      openWindow(target, load<u32>(target, TARGET_DEPTH), load<u32>(target, TARGET_MARKS), into);
    }
    const end = load<u32>(ranges + (<usize>v << 3), 4);
    for (let n = load<u32>(ranges + (<usize>v << 3)); n < end; n++) rasterTriangle(draw, into, n, n);
  }
}

/**
 * Makes a target of a rectangle, which it has already, within another target.
 * @param depth memory as that of `whole`, of its first sample
 */
export function openWindow(whole: usize, depth: usize, marks: usize, part: usize): void {
  const pitch = load<i32>(whole, TARGET_PITCH);
  const x = load<i32>(part, TARGET_LEFT) - load<i32>(whole, TARGET_LEFT);
  const y = load<i32>(part, TARGET_TOP) - load<i32>(whole, TARGET_TOP);
  const offset = <usize>(y * pitch + x) << 4;
  store<i32>(part, pitch, TARGET_PITCH);
  store<u32>(part, <u32>(depth + offset), TARGET_DEPTH);
  store<u32>(part, <u32>(marks + offset), TARGET_MARKS);
}

/** What two bounds have in common, which may be nothing. */
function intersect(a: usize, b: usize, out: usize): void {
  store<i32>(out, max(load<i32>(a), load<i32>(b)));
  store<i32>(out, max(load<i32>(a, 4), load<i32>(b, 4)), 4);
  store<i32>(out, min(load<i32>(a, 8), load<i32>(b, 8)), 8);
  store<i32>(out, min(load<i32>(a, 12), load<i32>(b, 12)), 12);
}

/**
 * Finds where something may be seen within bounds: around the pixels of a target with a sample that is not nearer. Cars in
 * traffic often stand behind others.
 * @param nearest largest 1/z of what is looked for
 * @param open i32[4], empty when it is hidden
 */
function findOpen(target: usize, bounds: usize, nearest: f32, open: usize): void {
  intersect(bounds, target + TARGET_LEFT, open);
  const left = load<i32>(open), top = load<i32>(open, 4), right = load<i32>(open, 8), bottom = load<i32>(open, 12);
  emptyBounds(open);
  if (left >= right) return;
  const limit = nearest * NEARER;
  const step = <usize>load<i32>(target, TARGET_PITCH) << 4;
  let row = <usize>load<u32>(target, TARGET_DEPTH) + <usize>(top - load<i32>(target, TARGET_TOP)) * step +
    (<usize>(left - load<i32>(target, TARGET_LEFT)) << 4);
  for (let y = top; y < bottom; y++) {
    let from = left, to = right;
    while (from < to && isNearer(row + (<usize>(from - left) << 4), limit)) from++;
    while (from < to && isNearer(row + (<usize>(to - 1 - left) << 4), limit)) to--;
    if (from < to) addBounds(open, from, y, to, y + 1);
    row += step;
  }
}

/** Whether all samples of a pixel are nearer than 1/z. */
// @ts-ignore: decorator
@inline
function isNearer(depth: usize, inverse: f32): bool {
  if (ASC_FEATURE_SIMD) return i32x4.bitmask(f32x4.gt(v128.load(depth), f32x4.splat(inverse))) == 15;
  return (
    load<f32>(depth) > inverse && load<f32>(depth, 4) > inverse && load<f32>(depth, 8) > inverse && load<f32>(depth, 12) > inverse
  );
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
