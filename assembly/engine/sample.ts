/**
 * Bilinear samples of one span, written to the call's row buffer: f32 a pixel for INK8 (0 … 255), premultiplied f32×4
 * for RGBA32F. Blending, labels and gradients read them from there, while they are in the first-level cache.
 *
 * A coordinate s is split into its texel floor(s) and the fraction by adding 2^23 − ½, whose sum has no fraction bits
 * left: an integer s may come out as (s − 1, 1) instead of (s, 0), which is the same point. The scalar build does the
 * same operations in the same order; that is what makes its bytes equal.
 */
import {
  ASSET_EDGE, ASSET_FORMAT, ASSET_HEIGHT, ASSET_STRIDE, ASSET_TEXELS, ASSET_WIDTH, CALL_FLOOR, CALL_LANES, CALL_ROW, CALL_TWO_23, EDGE_EXTEND, FORMAT_INK8,
  NODE_ASSET, NODE_RED, NODE_U_ORIGIN, NODE_U_REACH, NODE_U_X, NODE_U_Y, NODE_V_ORIGIN, NODE_V_REACH, NODE_V_X, NODE_V_Y,
  SPAN_END, SPAN_INNER_END, SPAN_INNER_START, SPAN_OFFSET, SPAN_S0, SPAN_START, SPAN_S_X, SPAN_T0, SPAN_T_X,
  TEXEL_BORDER,
} from './layout';

const TWO_23: f32 = 8388608;
const FLOOR: f32 = 8388607.5;
const TWO_23_BITS: i32 = 0x4b000000;

/**
 * Samples the call's span of a sprite, coverage of an extending edge included. Behind the span the row holds zeros up
 * to a multiple of four pixels, so that readers may go on in fours.
 */
export function sampleSpan(call: usize, node: usize, y: i32): void {
  const asset = <usize>load<u32>(node, NODE_ASSET);
  const row = <usize>load<u32>(call, CALL_ROW);
  const count = load<i32>(call, SPAN_END) - load<i32>(call, SPAN_START);
  const ink = <u32>load<u8>(asset, ASSET_FORMAT) == FORMAT_INK8;
  if (<u32>load<u8>(asset, ASSET_EDGE) == EDGE_EXTEND) {
    if (ink) sampleInkExtended(call, asset, row, count);
    else sampleColourExtended(call, asset, row, count);
    coverEdges(call, node, asset, row, y, ink);
  } else if (ink) sampleInkFading(call, asset, row, count);
  else sampleColourFading(call, asset, row, count);
}

function sampleInkFading(call: usize, asset: usize, row: usize, count: i32): void {
  sampleInk(call, asset, row, count, false);
}

function sampleInkExtended(call: usize, asset: usize, row: usize, count: i32): void {
  sampleInk(call, asset, row, count, true);
}

function sampleColourFading(call: usize, asset: usize, row: usize, count: i32): void {
  sampleColour(call, asset, row, count, false, 0);
  closeRow(row + (<usize>count << 4));
}

function sampleColourExtended(call: usize, asset: usize, row: usize, count: i32): void {
  sampleColour(call, asset, row, count, true, 0);
  closeRow(row + (<usize>count << 4));
}

/** Zeros behind a row of four channels. */
function closeRow(end: usize): void {
  for (let k: usize = 0; k < 64; k += 8) store<u64>(end + k, 0);
}

/**
 * Samples the call's span, all of it opaque and fully covered, straight into an RGB canvas: what blending the samples
 * would leave there.
 */
export function sampleOpaque(call: usize, node: usize, target: usize): void {
  const count = load<i32>(call, SPAN_END) - load<i32>(call, SPAN_START);
  sampleColour(call, load<u32>(node, NODE_ASSET), target, count, false, node);
}

// @ts-ignore: decorator
@inline
function clampTexel(value: f32, high: f32): f32 {
  // As pmin and pmax of SIMD: the second operand where they are equal or unordered does not occur.
  const low: f32 = 1;
  const raised: f32 = value < low ? low : value;
  return high < raised ? high : raised;
}

// @ts-ignore: decorator
@inline
function sampleInk(call: usize, asset: usize, row: usize, count: i32, extended: bool): void {
  const texels = <usize>load<u32>(asset, ASSET_TEXELS);
  const stride = load<i32>(asset, ASSET_STRIDE);
  const s0 = load<f32>(call, SPAN_S0);
  const t0 = load<f32>(call, SPAN_T0);
  const sX = load<f32>(call, SPAN_S_X);
  const tX = load<f32>(call, SPAN_T_X);
  const offset = load<i32>(call, SPAN_OFFSET);
  const sMost = <f32>(load<u32>(asset, ASSET_WIDTH) + TEXEL_BORDER);
  const tMost = <f32>(load<u32>(asset, ASSET_HEIGHT) + TEXEL_BORDER);
  if (ASC_FEATURE_SIMD) {
    if (count >= 4) {
      const lanes = v128.load(call, CALL_LANES);
      const floors = v128.load(call, CALL_FLOOR);
      const two23 = v128.load(call, CALL_TWO_23);
      const s0s = f32x4.splat(s0);
      const t0s = f32x4.splat(t0);
      const sXs = f32x4.splat(sX);
      const tXs = f32x4.splat(tX);
      const strides = i32x4.splat(stride);
      // The bits of 2^23 in both indices, taken off the base once; addresses wrap around.
      const base = texels - <usize>(TWO_23_BITS * stride + TWO_23_BITS);
      for (let i = 0; i < count; ) {
        const steps = f32x4.convert_i32x4_s(i32x4.add(i32x4.splat(offset + i), lanes));
        let s = f32x4.add(s0s, f32x4.mul(steps, sXs));
        let t = f32x4.add(t0s, f32x4.mul(steps, tXs));
        if (extended) {
          s = f32x4.pmin(f32x4.pmax(s, f32x4.splat(1)), f32x4.splat(sMost));
          t = f32x4.pmin(f32x4.pmax(t, f32x4.splat(1)), f32x4.splat(tMost));
        }
        const sFloor = f32x4.add(s, floors);
        const tFloor = f32x4.add(t, floors);
        const fs = f32x4.sub(s, f32x4.sub(sFloor, two23));
        const ft = f32x4.sub(t, f32x4.sub(tFloor, two23));
        const at = i32x4.add(i32x4.mul(tFloor, strides), sFloor);
        const p0 = base + <usize>i32x4.extract_lane(at, 0);
        const p1 = base + <usize>i32x4.extract_lane(at, 1);
        const p2 = base + <usize>i32x4.extract_lane(at, 2);
        const p3 = base + <usize>i32x4.extract_lane(at, 3);
        // Two neighbouring bytes a pixel: upper taps of the four pixels, then lower ones.
        let taps = i16x8.splat(load<u16>(p0));
        taps = v128.load_lane<u16>(p1, taps, 1);
        taps = v128.load_lane<u16>(p2, taps, 2);
        taps = v128.load_lane<u16>(p3, taps, 3);
        taps = v128.load_lane<u16>(p0 + stride, taps, 4);
        taps = v128.load_lane<u16>(p1 + stride, taps, 5);
        taps = v128.load_lane<u16>(p2 + stride, taps, 6);
        taps = v128.load_lane<u16>(p3 + stride, taps, 7);
        const left = v128.and(taps, i16x8.splat(0xff));
        const right = i16x8.shr_u(taps, 8);
        const a = f32x4.convert_i32x4_s(i32x4.extend_low_i16x8_u(left));
        const b = f32x4.convert_i32x4_s(i32x4.extend_low_i16x8_u(right));
        const c = f32x4.convert_i32x4_s(i32x4.extend_high_i16x8_u(left));
        const d = f32x4.convert_i32x4_s(i32x4.extend_high_i16x8_u(right));
        const top = f32x4.add(a, f32x4.mul(f32x4.sub(b, a), fs));
        const bottom = f32x4.add(c, f32x4.mul(f32x4.sub(d, c), fs));
        const value = f32x4.add(top, f32x4.mul(f32x4.sub(bottom, top), ft));
        v128.store(row + (<usize>i << 2), value);
        // The last group steps back and writes some pixels a second time, the same values.
        i += 4;
        if (i < count && i + 4 > count) i = count - 4;
      }
      v128.store(row + (<usize>count << 2), i32x4.splat(0));
      return;
    }
  }
  for (let i = 0; i < count; i++) {
    const step = <f32>(offset + i);
    let s = s0 + step * sX;
    let t = t0 + step * tX;
    if (extended) {
      s = clampTexel(s, sMost);
      t = clampTexel(t, tMost);
    }
    const sFloor = s + FLOOR;
    const tFloor = t + FLOOR;
    const fs = s - (sFloor - TWO_23);
    const ft = t - (tFloor - TWO_23);
    const p =
      texels + <usize>((reinterpret<i32>(tFloor) - TWO_23_BITS) * stride + (reinterpret<i32>(sFloor) - TWO_23_BITS));
    const q = p + stride;
    const a = <f32>load<u8>(p);
    const c = <f32>load<u8>(q);
    const top = a + (<f32>load<u8>(p, 1) - a) * fs;
    const bottom = c + (<f32>load<u8>(q, 1) - c) * fs;
    store<f32>(row + (<usize>i << 2), top + (bottom - top) * ft);
  }
  for (let i = count; i < count + 4; i++) store<f32>(row + (<usize>i << 2), 0);
}

// @ts-ignore: decorator
@inline
function tinted(coloured: usize, factors: v128, value: v128): v128 {
  return coloured != 0 ? f32x4.mul(value, factors) : value;
}

/** One pixel of four channels from its top left tap. */
// @ts-ignore: decorator
@inline
function bilinear(p: usize, stride: i32, fs: v128, ft: v128): v128 {
  const q = p + stride;
  const a = v128.load(p);
  const c = v128.load(q);
  const top = f32x4.add(a, f32x4.mul(f32x4.sub(v128.load(p, 16), a), fs));
  const bottom = f32x4.add(c, f32x4.mul(f32x4.sub(v128.load(q, 16), c), fs));
  return f32x4.add(top, f32x4.mul(f32x4.sub(bottom, top), ft));
}

/** `coloured`: the node whose colour is multiplied in, 0 for none. */
// @ts-ignore: decorator
@inline
function sampleColour(call: usize, asset: usize, row: usize, count: i32, extended: bool, coloured: usize): void {
  const texels = <usize>load<u32>(asset, ASSET_TEXELS);
  const stride = load<i32>(asset, ASSET_STRIDE);
  const s0 = load<f32>(call, SPAN_S0);
  const t0 = load<f32>(call, SPAN_T0);
  const sX = load<f32>(call, SPAN_S_X);
  const tX = load<f32>(call, SPAN_T_X);
  const offset = load<i32>(call, SPAN_OFFSET);
  const sMost = <f32>(load<u32>(asset, ASSET_WIDTH) + TEXEL_BORDER);
  const tMost = <f32>(load<u32>(asset, ASSET_HEIGHT) + TEXEL_BORDER);
  if (ASC_FEATURE_SIMD) {
    if (count >= 4) {
      const lanes = v128.load(call, CALL_LANES);
      const floors = v128.load(call, CALL_FLOOR);
      const two23 = v128.load(call, CALL_TWO_23);
      const s0s = f32x4.splat(s0);
      const t0s = f32x4.splat(t0);
      const sXs = f32x4.splat(sX);
      const tXs = f32x4.splat(tX);
      const strides = i32x4.splat(stride);
      // The bits of 2^23 in both indices, taken off the base once; addresses wrap around.
      const base = texels - <usize>(TWO_23_BITS * stride + (TWO_23_BITS << 4));
      const factors = coloured != 0 ? v128.load(coloured, NODE_RED) : lanes;
      for (let i = 0; i < count; ) {
        const steps = f32x4.convert_i32x4_s(i32x4.add(i32x4.splat(offset + i), lanes));
        let s = f32x4.add(s0s, f32x4.mul(steps, sXs));
        let t = f32x4.add(t0s, f32x4.mul(steps, tXs));
        if (extended) {
          s = f32x4.pmin(f32x4.pmax(s, f32x4.splat(1)), f32x4.splat(sMost));
          t = f32x4.pmin(f32x4.pmax(t, f32x4.splat(1)), f32x4.splat(tMost));
        }
        const sFloor = f32x4.add(s, floors);
        const tFloor = f32x4.add(t, floors);
        const fs = f32x4.sub(s, f32x4.sub(sFloor, two23));
        const ft = f32x4.sub(t, f32x4.sub(tFloor, two23));
        const at = i32x4.add(i32x4.mul(tFloor, strides), i32x4.shl(sFloor, 4));
        const out = row + (<usize>i << 4);
        v128.store(
          out,
          tinted(coloured, factors, bilinear(
            base + <usize>i32x4.extract_lane(at, 0),
            stride,
            i32x4.shuffle(fs, fs, 0, 0, 0, 0),
            i32x4.shuffle(ft, ft, 0, 0, 0, 0),
          )),
        );
        v128.store(
          out,
          tinted(coloured, factors, bilinear(
            base + <usize>i32x4.extract_lane(at, 1),
            stride,
            i32x4.shuffle(fs, fs, 1, 1, 1, 1),
            i32x4.shuffle(ft, ft, 1, 1, 1, 1),
          )),
          16,
        );
        v128.store(
          out,
          tinted(coloured, factors, bilinear(
            base + <usize>i32x4.extract_lane(at, 2),
            stride,
            i32x4.shuffle(fs, fs, 2, 2, 2, 2),
            i32x4.shuffle(ft, ft, 2, 2, 2, 2),
          )),
          32,
        );
        v128.store(
          out,
          tinted(coloured, factors, bilinear(
            base + <usize>i32x4.extract_lane(at, 3),
            stride,
            i32x4.shuffle(fs, fs, 3, 3, 3, 3),
            i32x4.shuffle(ft, ft, 3, 3, 3, 3),
          )),
          48,
        );
        i += 4;
        if (i < count && i + 4 > count) i = count - 4;
      }
      return;
    }
  }
  for (let i = 0; i < count; i++) {
    const step = <f32>(offset + i);
    let s = s0 + step * sX;
    let t = t0 + step * tX;
    if (extended) {
      s = clampTexel(s, sMost);
      t = clampTexel(t, tMost);
    }
    const sFloor = s + FLOOR;
    const tFloor = t + FLOOR;
    const fs = s - (sFloor - TWO_23);
    const ft = t - (tFloor - TWO_23);
    const at =
      (reinterpret<i32>(tFloor) - TWO_23_BITS) * stride + ((reinterpret<i32>(sFloor) - TWO_23_BITS) << 4);
    for (let channel: usize = 0; channel < 16; channel += 4) {
      const p = texels + <usize>at + channel;
      const q = p + stride;
      const a = load<f32>(p);
      const c = load<f32>(q);
      const top = a + (load<f32>(p, 16) - a) * fs;
      const bottom = c + (load<f32>(q, 16) - c) * fs;
      const value = top + (bottom - top) * ft;
      const factor: f32 = coloured != 0 ? load<f32>(coloured + channel, NODE_RED) : 1;
      store<f32>(row + (<usize>i << 4) + channel, value * factor);
    }
  }
}

/**
 * Multiplies the samples near the outline by the quad's coverage of the pixel: the product over both axes of a linear
 * ramp one pixel wide (for a quad thinner than a pixel, of its width). Exact where the quad is upright.
 */
export function coverEdges(call: usize, node: usize, asset: usize, row: usize, y: i32, ink: bool): void {
  const start = load<i32>(call, SPAN_START);
  const innerStart = load<i32>(call, SPAN_INNER_START);
  const innerEnd = load<i32>(call, SPAN_INNER_END);
  coverPixels(node, asset, row, y, ink, start, start, innerStart);
  coverPixels(node, asset, row, y, ink, start, innerEnd, load<i32>(call, SPAN_END));
}

function coverPixels(
  node: usize, asset: usize, row: usize, y: i32, ink: bool, start: i32, from: i32, to: i32,
): void {
  const centreY = <f64>y + 0.5;
  const u0 = load<f64>(node, NODE_U_ORIGIN) + load<f64>(node, NODE_U_Y) * centreY;
  const v0 = load<f64>(node, NODE_V_ORIGIN) + load<f64>(node, NODE_V_Y) * centreY;
  const uX = load<f64>(node, NODE_U_X);
  const vX = load<f64>(node, NODE_V_X);
  const width = <f64>load<u32>(asset, ASSET_WIDTH);
  const height = <f64>load<u32>(asset, ASSET_HEIGHT);
  // Half a pixel is uReach texels.
  const pixelsU = 0.5 / load<f64>(node, NODE_U_REACH);
  const pixelsV = 0.5 / load<f64>(node, NODE_V_REACH);
  for (let x = from; x < to; x++) {
    const centreX = <f64>x + 0.5;
    const u = u0 + uX * centreX;
    const v = v0 + vX * centreX;
    const acrossU = min(u * pixelsU, 0.5) + min((width - u) * pixelsU, 0.5);
    const acrossV = min(v * pixelsV, 0.5) + min((height - v) * pixelsV, 0.5);
    const coverage = <f32>(max(acrossU, 0.0) * max(acrossV, 0.0));
    if (ink) {
      const at = row + (<usize>(x - start) << 2);
      store<f32>(at, load<f32>(at) * coverage);
    } else {
      const at = row + (<usize>(x - start) << 4);
      store<f32>(at, load<f32>(at) * coverage);
      store<f32>(at, load<f32>(at, 4) * coverage, 4);
      store<f32>(at, load<f32>(at, 8) * coverage, 8);
      store<f32>(at, load<f32>(at, 12) * coverage, 12);
    }
  }
}
