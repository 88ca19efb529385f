/**
 * Rasterising: which samples of a rectangle a triangle holds, by depth. Writes 1/z and marks (layout.ts), nothing else:
 * what a pixel looks like is computed once it is known who holds it.
 *
 * Rows are taken four at a time (one sample a pixel, rasterOne.ts) or one at a time with its four samples in the lanes
 * (rasterFour.ts); both are four heights at which the edges are crossed (edges.ts). 1/z at a sample is value +
 * dy·(its rows) + dx·(its columns), so it does not depend on the rectangle. Something nearer replaces what is there; at the
 * same depth the first stays, but ground that is as near as what is there but for 1/1024 replaces it: roads are drawn over
 * grass, markings over roads, by order.
 *
 * V8 moves a computation whose result stands in a variable to where it is used, into the innermost loop even: what rows and
 * pixels have in common is therefore written to memory (DRAW_WORK) and loaded.
 */
import { rasterFour } from './rasterFour';
import { rasterOne } from './rasterOne';
import {
  DRAW_SAMPLES, DRAW_TRIANGLES, TARGET_BOTTOM, TARGET_LEFT, TARGET_RIGHT, TARGET_TOP, TRIANGLE_BOTTOM, TRIANGLE_LEFT,
  TRIANGLE_ON_GROUND, TRIANGLE_RIGHT, TRIANGLE_SHIFT, TRIANGLE_STATE, TRIANGLE_TOP,
} from './layout';

/**
 * Draws the triangle record `number` into a target.
 * @param mark what is written where it is nearest: its number, or whatever the caller wants to find there
 */
export function rasterTriangle(draw: usize, target: usize, number: u32, mark: u32): void {
  const triangle = <usize>load<u32>(draw, DRAW_TRIANGLES) + (<usize>number << TRIANGLE_SHIFT);
  const ground = (load<u32>(triangle, TRIANGLE_STATE) & TRIANGLE_ON_GROUND) != 0;
  const left = max(<i32>load<i16>(triangle, TRIANGLE_LEFT), load<i32>(target, TARGET_LEFT));
  const top = max(<i32>load<i16>(triangle, TRIANGLE_TOP), load<i32>(target, TARGET_TOP));
  const right = min(<i32>load<i16>(triangle, TRIANGLE_RIGHT), load<i32>(target, TARGET_RIGHT));
  const bottom = min(<i32>load<i16>(triangle, TRIANGLE_BOTTOM), load<i32>(target, TARGET_BOTTOM));
  if (left >= right || top >= bottom) return;
  if (load<u32>(draw, DRAW_SAMPLES) == 4) {
    if (ground) fourOfGround(draw, target, triangle, mark, left, top, right, bottom);
    else fourOfSolid(draw, target, triangle, mark, left, top, right, bottom);
  } else if (ground) oneOfGround(draw, target, triangle, mark, left, top, right, bottom);
  else oneOfSolid(draw, target, triangle, mark, left, top, right, bottom);
}

// Functions of their own: inlined into one they would be folded into one loop that asks at every pixel what is ground.

function fourOfGround(
  draw: usize, target: usize, triangle: usize, mark: u32, left: i32, top: i32, right: i32, bottom: i32,
): void {
  rasterFour(draw, target, triangle, mark, true, left, top, right, bottom);
}

function fourOfSolid(
  draw: usize, target: usize, triangle: usize, mark: u32, left: i32, top: i32, right: i32, bottom: i32,
): void {
  rasterFour(draw, target, triangle, mark, false, left, top, right, bottom);
}

function oneOfGround(
  draw: usize, target: usize, triangle: usize, mark: u32, left: i32, top: i32, right: i32, bottom: i32,
): void {
  rasterOne(draw, target, triangle, mark, true, left, top, right, bottom);
}

function oneOfSolid(
  draw: usize, target: usize, triangle: usize, mark: u32, left: i32, top: i32, right: i32, bottom: i32,
): void {
  rasterOne(draw, target, triangle, mark, false, left, top, right, bottom);
}
