/** What runs and points of a triangle record have in common: its texture's mesh and its light. */
import {
  DRAW_ONE, DRAW_SHADOW_FACTORS, DRAW_SHADOW_TEXEL, DRAW_TEXEL, INSTANCE_MESH, SHADOWED, TRIANGLE_INSTANCE,
} from './layout';

/** The address of the texture's mesh record. */
// @ts-ignore: decorator
@inline
export function meshOf(triangle: usize): usize {
  return load<u32>(load<u32>(triangle, TRIANGLE_INSTANCE), INSTANCE_MESH);
}

/** Address of f32[4] by which a triangle's light is multiplied: shadow, and what a tap leaves to do. */
// @ts-ignore: decorator
@inline
export function lightFactors(draw: usize, mark: u32, textured: bool): usize {
  if ((mark & SHADOWED) != 0) return draw + (textured ? DRAW_SHADOW_TEXEL : DRAW_SHADOW_FACTORS);
  return draw + (textured ? DRAW_TEXEL : DRAW_ONE);
}

/** A plane's colour at a column, in perspective. */
// @ts-ignore: decorator
@inline
export function plain(base: v128, gain: v128, column: v128, z: v128): v128 {
  return f32x4.mul(f32x4.add(base, f32x4.mul(gain, column)), z);
}
