/** What is written where a triangle is nearer than what is there. */
import { DRAW_BIAS } from './layout';

/** How much farther ground may be than other ground and still be drawn over it, as a factor of 1/z. */
export const GROUND_BIAS: f32 = 1.0009765625;

/** Writes four samples where they are nearer than what is there, which is at least 0. `inverse` is 0 where nothing is drawn. */
// @ts-ignore: decorator
@inline
export function put(draw: usize, depth: usize, marks: usize, inverse: v128, newMark: v128, ground: bool): void {
  const old = v128.load(depth);
  const write = f32x4.gt(ground ? f32x4.mul(inverse, v128.load(draw, DRAW_BIAS)) : inverse, old);
  v128.store(depth, ground ? v128.bitselect(inverse, old, write) : f32x4.pmax(old, inverse));
  v128.store(marks, v128.bitselect(newMark, v128.load(marks), write));
}
