/**
 * Textures: bilinear, from the mip level whose texels are nearest to a pixel in size. Coordinates, level and weights are
 * those of the pixel alone, so it does not matter which pixels are shaded together.
 *
 * A tap weighs its columns with 14 bits (products of bytes and weights stay exact in f32) and its rows in f32.
 */
import {
  DRAW_TEXEL, LEVEL_HEIGHT, LEVEL_STRIDE, LEVEL_TEXELS, LEVEL_WIDTH,
} from './layout';

/** 2^14, the sum of two columns' weights. */
const WEIGHT: f32 = 16384;
/** Coordinates beyond it are no longer exact; what is drawn there is some texel. */
const MAGIC: f32 = 12582912;

/** Integer of a whole f32 below 2^22; other numbers give some integer. */
// @ts-ignore: decorator
@inline
function toInteger(value: f32): i32 {
  return reinterpret<i32>(value + MAGIC) - reinterpret<i32>(MAGIC);
}

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

/** Writes the texel at (u, v), 0–1 by channel and 1: f32[4]. `level` is the address of a level. */
export function sampleTexture(draw: usize, level: usize, u: f32, v: f32, out: usize): void {
  const width = load<i32>(level, LEVEL_WIDTH), height = load<i32>(level, LEVEL_HEIGHT);
  const x = u * <f32>width - 0.5, y = v * <f32>height - 0.5;
  const left = floor(x), top = floor(y);
  const weight = toInteger(floor((x - left) * WEIGHT + 0.5));
  const part = y - top;
  const stride = <usize>load<i32>(level, LEVEL_STRIDE);
  const at =
    <usize>load<u32>(level, LEVEL_TEXELS) + <usize>(toInteger(top) & (height - 1)) * stride +
    (<usize>(toInteger(left) & (width - 1)) << 2);
  if (ASC_FEATURE_SIMD) {
    v128.store(out, tap(draw, at, stride, i32x4.splat(16384 + (weight << 16) - weight), f32x4.splat(part)));
  } else {
    const scale = load<f32>(draw, DRAW_TEXEL);
    const other = 16384 - weight;
    for (let c: usize = 0; c < 4; c++) {
      const upper = <f32>(<i32>load<u8>(at + c) * other + <i32>load<u8>(at + c, 4) * weight);
      const lower = <f32>(<i32>load<u8>(at + stride + c) * other + <i32>load<u8>(at + stride + c, 4) * weight);
      store<f32>(out + (c << 2), (upper + (lower - upper) * part) * scale);
    }
  }
}

/** Texel of one tap. `weights`: 16384 − w in the lower and w in the upper half of each lane. */
// @ts-ignore: decorator
@inline
export function tap(draw: usize, at: usize, stride: usize, weights: v128, part: v128): v128 {
  const bytes = v128.load64_lane(at + stride, v128.load64_zero(at), 1);
  // Neighbours of a channel side by side.
  const paired = i8x16.shuffle(bytes, bytes, 0, 4, 1, 5, 2, 6, 3, 7, 8, 12, 9, 13, 10, 14, 11, 15);
  const upper = f32x4.convert_i32x4_s(i32x4.dot_i16x8_s(i16x8.extend_low_i8x16_u(paired), weights));
  const lower = f32x4.convert_i32x4_s(i32x4.dot_i16x8_s(i16x8.extend_high_i8x16_u(paired), weights));
  return f32x4.mul(f32x4.add(upper, f32x4.mul(f32x4.sub(lower, upper), part)), v128.load(draw, DRAW_TEXEL));
}
