/**
 * Textures: bilinear, from the mip level whose texels are nearest to a pixel in size. Coordinates, level and weights are
 * those of the pixel alone, so it does not matter which pixels are shaded together.
 *
 * A tap weighs its columns with 14 bits (products of bytes and weights stay exact in f32) and its rows in f32. Its values
 * are to be multiplied by DRAW_TEXEL.
 */
import {
  LEVEL_HEIGHT, LEVEL_SHIFT, LEVEL_TEXELS, LEVEL_WIDTH,
} from './layout';

/** 2^14, the sum of two columns' weights. */
const WEIGHT: f32 = 16384;
/** 1.5 · 2^23: added to a whole number it shows its bits at the bottom of the sum. Coordinates beyond 2^22 give some texel. */
const MAGIC: f32 = 12582912;

/**
 * Which level to take.
 * @param square the square of a pixel's larger side, in texels of level 0
 */
// @ts-ignore: decorator
@inline
export function levelOf(square: f32, last: i32): i32 {
  // round(log2(side)) = floor(log2(2 · square) / 2), from the exponent.
  const level = ((reinterpret<i32>(square + square) >> 23) - 127) >> 1;
  return min(max(level, 0), last);
}

/** Writes the texel at (u, v), over DRAW_TEXEL: f32[4]. `level` is the address of a level. */
export function sampleTexture(level: usize, u: f32, v: f32, out: usize): void {
  const width = load<i32>(level, LEVEL_WIDTH), height = load<i32>(level, LEVEL_HEIGHT);
  const x = u * <f32>width - 0.5, y = v * <f32>height - 0.5;
  const left = floor(x), top = floor(y);
  const weight = reinterpret<i32>((x - left) * WEIGHT + MAGIC) - reinterpret<i32>(MAGIC);
  const part = y - top;
  const shift = load<i32>(level, LEVEL_SHIFT);
  const row = (reinterpret<i32>(top + MAGIC) & (height - 1)) << shift;
  const column = (reinterpret<i32>(left + MAGIC) & (width - 1)) << 3;
  const at = <usize>load<u32>(level, LEVEL_TEXELS) + <usize>(row + column);
  const stride = <usize>1 << shift;
  if (ASC_FEATURE_SIMD) {
    v128.store(out, tap(at, stride, i32x4.splat(16384 + (weight << 16) - weight), f32x4.splat(part)));
  } else {
    const other = 16384 - weight;
    for (let c: usize = 0; c < 4; c++) {
      const upper = <f32>(<i32>load<u8>(at + 2 * c) * other + <i32>load<u8>(at + 2 * c, 1) * weight);
      const lower = <f32>(<i32>load<u8>(at + stride + 2 * c) * other + <i32>load<u8>(at + stride + 2 * c, 1) * weight);
      store<f32>(out + (c << 2), upper + (lower - upper) * part);
    }
  }
}

/** Texel of one tap. `weights`: 16384 − w in the lower and w in the upper half of each lane. */
// @ts-ignore: decorator
@inline
export function tap(at: usize, stride: usize, weights: v128, part: v128): v128 {
  return tapRows(at, at + stride, weights, part);
}

/** The same of a texel in one row and that below it, by their addresses. */
// @ts-ignore: decorator
@inline
export function tapRows(above: usize, below: usize, weights: v128, part: v128): v128 {
  const upper = f32x4.convert_i32x4_s(i32x4.dot_i16x8_s(v128.load_ext<u8>(above), weights));
  const lower = f32x4.convert_i32x4_s(i32x4.dot_i16x8_s(v128.load_ext<u8>(below), weights));
  return f32x4.add(upper, f32x4.mul(f32x4.sub(lower, upper), part));
}

/** The record of a texture's level. */
// @ts-ignore: decorator
@inline
export function levelAt(first: usize, level: i32): usize {
  return first + (<usize>level << 4);
}
