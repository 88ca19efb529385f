/**
 * From marks to Σ dL/dimage · image: pixels are shaded as resolve.ts does it, four samples each, and what they look like is
 * multiplied by the gradient at once, so that no image is stored. Sums are f64, one a channel.
 */
import { LUMA_BLUE, LUMA_GREEN, LUMA_RED } from '../blend';
import {
  DRAW_CENTROIDS, DRAW_ROW_COLOR, DRAW_TRIANGLES, DRAW_VIEW, INSTANCE_ID, SHADOWED, TARGET_MARKS, TARGET_PITCH, TRIANGLE_INSTANCE,
  TRIANGLE_SHIFT, VIEW_CHANNELS, VIEW_WIDTH,
} from './layout';
import { castShadows, maskOf } from './resolve';
import { shadePoint, shadeRun } from './shade';
import { VJP_BY_NODE, VJP_GRADIENT, VJP_LINEAR, VJP_SUM } from './vjpLayout';

/** Contracts the rows [top, bottom) of a target that is as wide as the image, as the VJP record says. */
export function contractRows(draw: usize, target: usize, top: i32, bottom: i32, vjp: usize): void {
  const width = load<i32>(load<u32>(draw, DRAW_VIEW), VIEW_WIDTH);
  const gradient = <usize>load<u32>(vjp, VJP_GRADIENT);
  const byNode = load<u32>(vjp, VJP_BY_NODE) != 0;
  const step = <usize>load<i32>(target, TARGET_PITCH) << 4;
  let marks = <usize>load<u32>(target, TARGET_MARKS);
  for (let y = top; y < bottom; y++) {
    castShadows(draw, marks, y, 0, width, true);
    if (byNode) contractByNode(draw, marks, y, 0, width, 1, gradient, load<u32>(vjp, VJP_LINEAR));
    else contractMarks(draw, marks, y, 0, width, gradient, vjp + VJP_SUM);
    marks += step;
  }
}

/**
 * Adds Σ dL/dimage · colour of the pixels [x, end) of row y.
 * @param marks of the samples of pixel x, and so on to the right
 * @param gradient f32 [H, W, C]
 * @param sums f64[4]; a grey canvas uses the first
 */
export function contractMarks(draw: usize, marks: usize, y: i32, x: i32, end: i32, gradient: usize, sums: usize): void {
  let from = x;
  while (from < end) {
    const mark = load<u32>(marks);
    let to = from;
    while (to < end && isWhole(marks, mark)) {
      marks += 16;
      to++;
    }
    if (to > from) shadeRun(draw, mark, y, from, to);
    else {
      blendPixel(draw, marks, from, y);
      marks += 16;
      to++;
    }
    from = to;
  }
  contractColors(draw, <usize>load<u32>(draw, DRAW_ROW_COLOR) + (<usize>x << 4), y, x, end, gradient, sums);
}

/**
 * The same, but by who is seen: adds to the sums of a node what its samples contribute, as far as they show triangle records
 * from number `first` on. The sky is nobody's.
 * @param sums f64[4] a node
 */
export function contractByNode(
  draw: usize, marks: usize, y: i32, x: i32, end: i32, first: u32, gradient: usize, sums: usize,
): void {
  const row = <usize>load<u32>(draw, DRAW_ROW_COLOR);
  while (x < end) {
    const mark = load<u32>(marks);
    let to = x;
    while (to < end && isWhole(marks, mark)) {
      marks += 16;
      to++;
    }
    if (to > x) {
      if ((mark & ~SHADOWED) >= first) {
        shadeRun(draw, mark, y, x, to);
        contractColors(draw, row + (<usize>x << 4), y, x, to, gradient, sums + (<usize>nodeOf(draw, mark) << 5));
      }
    } else {
      let left: u32 = 15;
      while (left != 0) {
        const part = load<u32>(marks + (<usize>ctz<u32>(left) << 2));
        const mask = maskOf(marks, part);
        left &= ~mask;
        if ((part & ~SHADOWED) < first) continue;
        shadePart(draw, part, mask, x, y, row);
        contractColors(draw, row, y, x, x + 1, gradient, sums + (<usize>nodeOf(draw, part) << 5));
      }
      marks += 16;
      to++;
    }
    x = to;
  }
}

// @ts-ignore: decorator
@inline
function nodeOf(draw: usize, mark: u32): u32 {
  const triangle = <usize>load<u32>(draw, DRAW_TRIANGLES) + (<usize>(mark & ~SHADOWED) << TRIANGLE_SHIFT);
  return <u32>load<u16>(load<u32>(triangle, TRIANGLE_INSTANCE), INSTANCE_ID) - 1;
}

/** Whether all four samples have a mark. */
// @ts-ignore: decorator
@inline
export function isWhole(marks: usize, mark: u32): bool {
  if (ASC_FEATURE_SIMD) return i32x4.bitmask(i32x4.eq(v128.load(marks), i32x4.splat(mark))) == 15;
  return load<u32>(marks) == mark && load<u32>(marks, 4) == mark && load<u32>(marks, 8) == mark && load<u32>(marks, 12) == mark;
}

/** A pixel that several triangles share: the mean of its samples, each triangle shaded in the middle of its own. */
function blendPixel(draw: usize, marks: usize, x: i32, y: i32): void {
  const color = <usize>load<u32>(draw, DRAW_ROW_COLOR) + (<usize>x << 4);
  // Rows are written from left to right: behind this pixel there is room for one colour.
  const part = color + 16;
  store<u64>(color, 0);
  store<u64>(color, 0, 8);
  let left: u32 = 15;
  while (left != 0) {
    const mark = load<u32>(marks + (<usize>ctz<u32>(left) << 2));
    const mask = maskOf(marks, mark);
    left &= ~mask;
    shadePart(draw, mark, mask, x, y, part);
    if (ASC_FEATURE_SIMD) v128.store(color, f32x4.add(v128.load(color), v128.load(part)));
    else for (let c: usize = 0; c < 16; c += 4) store<f32>(color + c, load<f32>(color + c) + load<f32>(part + c));
  }
}

/** Colour of a triangle in the middle of its samples in a pixel, times their share of it. */
// @ts-ignore: decorator
@inline
function shadePart(draw: usize, mark: u32, mask: u32, x: i32, y: i32, part: usize): void {
  const place = draw + (<usize>mask << 3);
  shadePoint(draw, mark, <f32>x, <f32>y, load<f32>(place, DRAW_CENTROIDS), load<f32>(place, DRAW_CENTROIDS + 4), part);
  const share = <f32>popcnt<u32>(mask) * 0.25;
  if (ASC_FEATURE_SIMD) v128.store(part, f32x4.mul(v128.load(part), f32x4.splat(share)));
  else for (let c: usize = 0; c < 16; c += 4) store<f32>(part + c, load<f32>(part + c) * share);
}

/** Adds Σ dL/dimage · colour of the colours (f32×4) of the pixels [x, end) of row y. */
export function contractColors(draw: usize, color: usize, y: i32, x: i32, end: i32, gradient: usize, sums: usize): void {
  const view = <usize>load<u32>(draw, DRAW_VIEW);
  const pixel = <usize>y * <usize>load<i32>(view, VIEW_WIDTH) + <usize>x;
  if (load<u32>(view, VIEW_CHANNELS) == 1) {
    let g = gradient + (pixel << 2);
    let sum = load<f64>(sums);
    for (; x < end; x++) {
      const luma = load<f32>(color) * LUMA_RED + load<f32>(color, 4) * LUMA_GREEN + load<f32>(color, 8) * LUMA_BLUE;
      sum += <f64>load<f32>(g) * <f64>luma;
      g += 4;
      color += 16;
    }
    store<f64>(sums, sum);
    return;
  }
  let g = gradient + 12 * pixel;
  if (ASC_FEATURE_SIMD) {
    let redGreen = v128.load(sums), blue = v128.load(sums, 16);
    for (; x < end; x++) {
      redGreen = f64x2.add(redGreen, f64x2.mul(promote(v128.load64_zero(g)), promote(v128.load64_zero(color))));
      blue = f64x2.add(blue, f64x2.mul(promote(v128.load32_zero(g, 8)), promote(v128.load32_zero(color, 8))));
      g += 12;
      color += 16;
    }
    v128.store(sums, redGreen);
    v128.store(sums, blue, 16);
  } else {
    let red = load<f64>(sums), green = load<f64>(sums, 8), blue = load<f64>(sums, 16);
    for (; x < end; x++) {
      red += <f64>load<f32>(g) * <f64>load<f32>(color);
      green += <f64>load<f32>(g, 4) * <f64>load<f32>(color, 4);
      blue += <f64>load<f32>(g, 8) * <f64>load<f32>(color, 8);
      g += 12;
      color += 16;
    }
    store<f64>(sums, red);
    store<f64>(sums, green, 8);
    store<f64>(sums, blue, 16);
  }
}

// @ts-ignore: decorator
@inline
function promote(pair: v128): v128 {
  return f64x2.promote_low_f32x4(pair);
}
