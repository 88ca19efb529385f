/**
 * Reverse compositing. Where a sprite with premultiplied colour C and opacity α stands in front of B and behind what
 * lets T through, the image holds T·(C + (1 − α)·B) + what is in front. With G = dL/dimage its part of L is therefore
 * Σ G·T·C − G·T·B·α: one dot product of the sprite's texel with the field F = (G·T, −Σ G·T·B), whatever its pose. A
 * perturbed pose costs one bilinear sample and one dot product a pixel; no perturbed image exists.
 */
import {
  ASSET_FORMAT, CALL_BOTTOM, CALL_CANVAS, CALL_CHANNELS, CALL_FIELD, CALL_LEFT, CALL_NODES, CALL_NODE_COUNT, CALL_PITCH,
  CALL_RIGHT, CALL_ROW, CALL_SUM, CALL_TOP, CALL_TRANSMIT, CALL_WEIGHTS, CALL_WIDTH, FORMAT_INK8, NODE_ALPHA,
  NODE_ASSET, NODE_BLUE, NODE_BOTTOM, NODE_BYTES, NODE_GREEN, NODE_RED, NODE_TOP, SPAN_END, SPAN_START,
} from './layout';
import { LUMA_BLUE, LUMA_GREEN, LUMA_RED } from './blend';
import { meetsRectangle, paintSprite } from './paint';
import { sampleSpan } from './sample';
import { findSpan } from './span';

/** Pixels behind every row of the field that are zero, for readers in fours. */
const PADDING: i32 = 4;

/**
 * Builds the field of sprite `mover` over the call's rectangle, all other nodes at rest.
 * @param gradient dL/dimage, f32 [H, W, C]
 */
export function buildField(call: usize, mover: i32, gradient: usize): void {
  const nodes = <usize>load<u32>(call, CALL_NODES);
  const count = load<i32>(call, CALL_NODE_COUNT);
  clearCanvas(call);
  for (let v = 0; v < mover; v++) paintSprite(call, nodes + <usize>v * NODE_BYTES, v, 0, 0);
  let above = false;
  for (let v = mover + 1; v < count; v++) {
    const node = nodes + <usize>v * NODE_BYTES;
    if (!meetsRectangle(call, node)) continue;
    if (!above) fillOnes(call);
    above = true;
    attenuate(call, node);
  }
  const asset = <usize>load<u32>(nodes + <usize>mover * NODE_BYTES, NODE_ASSET);
  const ink = <u32>load<u8>(asset, ASSET_FORMAT) == FORMAT_INK8;
  const left = load<i32>(call, CALL_LEFT);
  const top = load<i32>(call, CALL_TOP);
  const width = load<i32>(call, CALL_RIGHT) - left;
  const pitch = <usize>load<u32>(call, CALL_PITCH);
  const grey = load<u32>(call, CALL_CHANNELS) == 1;
  const canvasWidth = <usize>load<u32>(call, CALL_WIDTH);
  for (let y = top, bottom = load<i32>(call, CALL_BOTTOM); y < bottom; y++) {
    const row = <usize>(y - top) * pitch;
    const field = <usize>load<u32>(call, CALL_FIELD) + (row << 4);
    const transmit: usize = above ? <usize>load<u32>(call, CALL_TRANSMIT) + (row << 2) : 0;
    const canvas = <usize>load<u32>(call, CALL_CANVAS);
    const pixel = <usize>y * canvasWidth + <usize>left;
    if (grey) fieldRowGrey(field, gradient + (pixel << 2), canvas + (row << 2), transmit, width, ink);
    else fieldRowColour(field, gradient + ((pixel * 3) << 2), canvas + (row << 4), transmit, width);
    for (let k: usize = 0; k < 64; k += 8) store<u64>(field + (<usize>width << 4) + k, 0);
  }
}

/** Empties the canvas of the call's rectangle. */
export function clearCanvas(call: usize): void {
  const shift: usize = load<u32>(call, CALL_CHANNELS) == 1 ? 2 : 4;
  const rows = <usize>(load<i32>(call, CALL_BOTTOM) - load<i32>(call, CALL_TOP));
  memory.fill(load<u32>(call, CALL_CANVAS), 0, (rows * <usize>load<u32>(call, CALL_PITCH)) << shift);
}

function fillOnes(call: usize): void {
  const rows = <usize>(load<i32>(call, CALL_BOTTOM) - load<i32>(call, CALL_TOP));
  const end = rows * <usize>load<u32>(call, CALL_PITCH);
  const transmit = <usize>load<u32>(call, CALL_TRANSMIT);
  for (let i: usize = 0; i < end; i += 4) {
    // Pitch is a multiple of four.
    store<u64>(transmit + (i << 2), 0x3f8000003f800000);
    store<u64>(transmit + (i << 2), 0x3f8000003f800000, 8);
  }
}

/** Multiplies the transmitted part by 1 − α of a sprite above. */
function attenuate(call: usize, node: usize): void {
  const row = <usize>load<u32>(call, CALL_ROW);
  const ink = <u32>load<u8>(<usize>load<u32>(node, NODE_ASSET), ASSET_FORMAT) == FORMAT_INK8;
  const alpha = load<f32>(node, NODE_ALPHA);
  const left = load<i32>(call, CALL_LEFT);
  const right = load<i32>(call, CALL_RIGHT);
  const top = load<i32>(call, CALL_TOP);
  const pitch = load<i32>(call, CALL_PITCH);
  const from = max(top, load<i32>(node, NODE_TOP));
  const to = min(load<i32>(call, CALL_BOTTOM), load<i32>(node, NODE_BOTTOM));
  for (let y = from; y < to; y++) {
    if (!findSpan(call, node, y, left, right)) continue;
    sampleSpan(call, node, y);
    const start = load<i32>(call, SPAN_START);
    const count = load<i32>(call, SPAN_END) - start;
    const transmit = <usize>load<u32>(call, CALL_TRANSMIT) + (<usize>((y - top) * pitch + start - left) << 2);
    for (let i: usize = 0; i < <usize>count; i++) {
      const opacity = ink ? load<f32>(row + (i << 2)) : load<f32>(row + (i << 4), 12);
      const at = transmit + (i << 2);
      store<f32>(at, load<f32>(at) * (1 - opacity * alpha));
    }
  }
}

function fieldRowGrey(field: usize, gradient: usize, canvas: usize, transmit: usize, width: i32, ink: bool): void {
  for (let x: usize = 0; x < <usize>width; x++) {
    let g = load<f32>(gradient + (x << 2));
    if (transmit != 0) g = g * load<f32>(transmit + (x << 2));
    const out = field + (x << 4);
    store<f32>(out, ink ? g : g * LUMA_RED);
    store<f32>(out, ink ? 0 : g * LUMA_GREEN, 4);
    store<f32>(out, ink ? 0 : g * LUMA_BLUE, 8);
    store<f32>(out, -(g * load<f32>(canvas + (x << 2))), 12);
  }
}

function fieldRowColour(field: usize, gradient: usize, canvas: usize, transmit: usize, width: i32): void {
  for (let x = 0; x < width; x++) {
    let red = load<f32>(gradient);
    let green = load<f32>(gradient, 4);
    let blue = load<f32>(gradient, 8);
    if (transmit != 0) {
      const through = load<f32>(transmit);
      red *= through;
      green *= through;
      blue *= through;
      transmit += 4;
    }
    store<f32>(field, red);
    store<f32>(field, green, 4);
    store<f32>(field, blue, 8);
    store<f32>(field, -(red * load<f32>(canvas) + green * load<f32>(canvas, 4) + blue * load<f32>(canvas, 8)), 12);
    gradient += 12;
    canvas += 16;
    field += 16;
  }
}

/** Multiplies colour and opacity of an INK8 sprite into the field: one weight a pixel, padding included. */
export function buildWeights(call: usize, node: usize): void {
  const red = load<f32>(node, NODE_RED);
  const green = load<f32>(node, NODE_GREEN);
  const blue = load<f32>(node, NODE_BLUE);
  const alpha = load<f32>(node, NODE_ALPHA);
  const width = load<i32>(call, CALL_RIGHT) - load<i32>(call, CALL_LEFT) + PADDING;
  const rows = load<i32>(call, CALL_BOTTOM) - load<i32>(call, CALL_TOP);
  const pitch = <usize>load<u32>(call, CALL_PITCH);
  for (let y = 0; y < rows; y++) {
    let field = <usize>load<u32>(call, CALL_FIELD) + ((<usize>y * pitch) << 4);
    let weights = <usize>load<u32>(call, CALL_WEIGHTS) + ((<usize>y * pitch) << 2);
    for (let x = 0; x < width; x++) {
      const colour = load<f32>(field) * red + load<f32>(field, 4) * green + load<f32>(field, 8) * blue;
      store<f32>(weights, colour + load<f32>(field, 12) * alpha);
      field += 16;
      weights += 4;
    }
  }
}

/** What `contract` multiplies the samples of a sprite with. */
export const WITH_FIELD: i32 = 0;
export const WITH_WEIGHTS: i32 = 1;

/**
 * Sums samples times field (by channel) or samples times weights (by pixel modulo 4) over the call's rectangle into the
 * call's four sums. f32 within a row, f64 across rows.
 */
export function contract(call: usize, node: usize, way: i32): void {
  store<f64>(call, 0, CALL_SUM);
  store<f64>(call, 0, CALL_SUM + 8);
  store<f64>(call, 0, CALL_SUM + 16);
  store<f64>(call, 0, CALL_SUM + 24);
  if (!meetsRectangle(call, node)) return;
  const ink = <u32>load<u8>(<usize>load<u32>(node, NODE_ASSET), ASSET_FORMAT) == FORMAT_INK8;
  const row = <usize>load<u32>(call, CALL_ROW);
  const left = load<i32>(call, CALL_LEFT);
  const right = load<i32>(call, CALL_RIGHT);
  const top = load<i32>(call, CALL_TOP);
  const pitch = load<i32>(call, CALL_PITCH);
  const field = <usize>load<u32>(call, CALL_FIELD);
  const weights = <usize>load<u32>(call, CALL_WEIGHTS);
  const from = max(top, load<i32>(node, NODE_TOP));
  const to = min(load<i32>(call, CALL_BOTTOM), load<i32>(node, NODE_BOTTOM));
  for (let y = from; y < to; y++) {
    if (!findSpan(call, node, y, left, right)) continue;
    sampleSpan(call, node, y);
    const start = load<i32>(call, SPAN_START);
    const count = load<i32>(call, SPAN_END) - start;
    const pixel = <usize>((y - top) * pitch + start - left);
    if (way == WITH_WEIGHTS) contractWeights(call, row, weights + (pixel << 2), count);
    else if (ink) contractInk(call, row, field + (pixel << 4), count);
    else contractColour(call, row, field + (pixel << 4), count);
  }
}

// @ts-ignore: decorator
@inline
function addLanes(call: usize, sum: v128): void {
  const low = f64x2.add(v128.load(call, CALL_SUM), f64x2.promote_low_f32x4(sum));
  const high = f64x2.promote_low_f32x4(i64x2.shuffle(sum, sum, 1, 1));
  v128.store(call, low, CALL_SUM);
  v128.store(call, f64x2.add(v128.load(call, CALL_SUM + 16), high), CALL_SUM + 16);
}

// @ts-ignore: decorator
@inline
function addScalars(call: usize, a: f32, b: f32, c: f32, d: f32): void {
  store<f64>(call, load<f64>(call, CALL_SUM) + <f64>a, CALL_SUM);
  store<f64>(call, load<f64>(call, CALL_SUM + 8) + <f64>b, CALL_SUM + 8);
  store<f64>(call, load<f64>(call, CALL_SUM + 16) + <f64>c, CALL_SUM + 16);
  store<f64>(call, load<f64>(call, CALL_SUM + 24) + <f64>d, CALL_SUM + 24);
}

/** Lane k sums the pixels whose distance from the span's start is k modulo 4. */
function contractWeights(call: usize, row: usize, weights: usize, count: i32): void {
  const end = row + (<usize>count << 2);
  if (ASC_FEATURE_SIMD) {
    let sum = f32x4.splat(0);
    for (; row < end; row += 16) {
      sum = f32x4.add(sum, f32x4.mul(v128.load(row), v128.load(weights)));
      weights += 16;
    }
    addLanes(call, sum);
  } else {
    let a: f32 = 0;
    let b: f32 = 0;
    let c: f32 = 0;
    let d: f32 = 0;
    for (; row < end; row += 16) {
      a += load<f32>(row) * load<f32>(weights);
      b += load<f32>(row, 4) * load<f32>(weights, 4);
      c += load<f32>(row, 8) * load<f32>(weights, 8);
      d += load<f32>(row, 12) * load<f32>(weights, 12);
      weights += 16;
    }
    addScalars(call, a, b, c, d);
  }
}

/** Lane k sums channel k: even pixels and odd ones apart, then together. */
function contractColour(call: usize, row: usize, field: usize, count: i32): void {
  const end = row + (<usize>count << 4);
  if (ASC_FEATURE_SIMD) {
    let even = f32x4.splat(0);
    let odd = f32x4.splat(0);
    for (; row < end; row += 32) {
      even = f32x4.add(even, f32x4.mul(v128.load(row), v128.load(field)));
      odd = f32x4.add(odd, f32x4.mul(v128.load(row, 16), v128.load(field, 16)));
      field += 32;
    }
    addLanes(call, f32x4.add(even, odd));
  } else {
    for (let c: usize = 0; c < 4; c++) {
      let even: f32 = 0;
      let odd: f32 = 0;
      let f = field + (c << 2);
      for (let r = row + (c << 2); r < end; r += 32) {
        even += load<f32>(r) * load<f32>(f);
        odd += load<f32>(r, 16) * load<f32>(f, 16);
        f += 32;
      }
      const at = call + (c << 3);
      store<f64>(at, load<f64>(at, CALL_SUM) + <f64>(even + odd), CALL_SUM);
    }
  }
}

/** As contractColour for a sample of one channel. */
function contractInk(call: usize, row: usize, field: usize, count: i32): void {
  const end = row + (<usize>count << 2);
  if (ASC_FEATURE_SIMD) {
    let even = f32x4.splat(0);
    let odd = f32x4.splat(0);
    for (; row < end; row += 8) {
      even = f32x4.add(even, f32x4.mul(v128.load_splat<u32>(row), v128.load(field)));
      odd = f32x4.add(odd, f32x4.mul(v128.load_splat<u32>(row, 4), v128.load(field, 16)));
      field += 32;
    }
    addLanes(call, f32x4.add(even, odd));
  } else {
    for (let c: usize = 0; c < 4; c++) {
      let even: f32 = 0;
      let odd: f32 = 0;
      let f = field + (c << 2);
      for (let r = row; r < end; r += 8) {
        even += load<f32>(r) * load<f32>(f);
        odd += load<f32>(r, 4) * load<f32>(f, 16);
        f += 32;
      }
      const at = call + (c << 3);
      store<f64>(at, load<f64>(at, CALL_SUM) + <f64>(even + odd), CALL_SUM);
    }
  }
}
