/**
 * Reverse compositing. Where a sprite with premultiplied colour C and opacity α stands in front of B and behind what
 * lets T through, the image holds T·(C + (1 − α)·B) + what is in front. With G = dL/dimage its part of L is therefore
 * Σ G·T·C − G·T·B·α: one dot product of the sprite's texel with the field F = (G·T, −Σ G·T·B), whatever its pose. A
 * perturbed pose costs one bilinear sample and one dot product a pixel; no perturbed image exists.
 */
import {
  ASSET_FORMAT, CALL_BOTTOM, CALL_CANVAS, CALL_CHANNELS, CALL_FIELD, CALL_LEFT, CALL_NODES, CALL_NODE_COUNT, CALL_PITCH,
  CALL_RIGHT, CALL_ROW, CALL_SUM, CALL_TOP, CALL_TRANSMIT, CALL_VEILED, CALL_WEIGHTS, CALL_WIDTH, FORMAT_INK8, NODE_ALPHA,
  NODE_ASSET, NODE_BLUE, NODE_BOTTOM, NODE_BYTES, NODE_GREEN, NODE_RED, NODE_TOP, SPAN_END, SPAN_START,
} from './layout';
import { LUMA_BLUE, LUMA_GREEN, LUMA_RED } from './blend';
import { meetsRectangle, paintNodes } from './paint';
import { sampleSpan } from './sample';
import { findSpan } from './span';

/**
 * Finds what is below and above sprite `mover` in the call's rectangle, all other nodes at rest: the canvas, and what
 * the sprites above let through. CALL_VEILED says whether there are any.
 */
export function findSurroundings(call: usize, mover: i32): void {
  const nodes = <usize>load<u32>(call, CALL_NODES);
  const count = load<i32>(call, CALL_NODE_COUNT);
  paintNodes(call, mover, 0, 0);
  let veiled = false;
  for (let v = mover + 1; v < count; v++) {
    const node = nodes + <usize>v * NODE_BYTES;
    if (!meetsRectangle(call, node)) continue;
    if (!veiled) fillOnes(call);
    veiled = true;
    attenuate(call, node);
  }
  store<u32>(call, veiled ? 1 : 0, CALL_VEILED);
}

/**
 * Builds the field over the call's rectangle from the surroundings of `sprite`.
 * @param gradient dL/dimage, f32 [H, W, C]
 */
export function buildField(call: usize, sprite: usize, gradient: usize): void {
  const ink = <u32>load<u8>(<usize>load<u32>(sprite, NODE_ASSET), ASSET_FORMAT) == FORMAT_INK8;
  const top = load<i32>(call, CALL_TOP);
  const bottom = load<i32>(call, CALL_BOTTOM);
  const width = load<i32>(call, CALL_RIGHT) - load<i32>(call, CALL_LEFT);
  const grey = load<u32>(call, CALL_CHANNELS) == 1;
  for (let y = top; y < bottom; y++) {
    const field = <usize>load<u32>(call, CALL_FIELD) + (rowOf(call, y) << 4);
    const transmit = transmitOf(call, y);
    const g = gradientOf(call, gradient, y);
    if (grey) fieldRowGrey(field, g, canvasOf(call, y), transmit, width, ink);
    else fieldRowColour(field, g, canvasOf(call, y), transmit, width);
    for (let k: usize = 0; k < 64; k += 8) store<u64>(field + (<usize>width << 4) + k, 0);
  }
}

/** Pixels of the canvas before row `y`. */
// @ts-ignore: decorator
@inline
function rowOf(call: usize, y: i32): usize {
  return <usize>(y - load<i32>(call, CALL_TOP)) * <usize>load<u32>(call, CALL_PITCH);
}

/** Address of what is let through in row `y`, 0 when it is everything. */
// @ts-ignore: decorator
@inline
function transmitOf(call: usize, y: i32): usize {
  return load<u32>(call, CALL_VEILED) == 0 ? 0 : <usize>load<u32>(call, CALL_TRANSMIT) + (rowOf(call, y) << 2);
}

// @ts-ignore: decorator
@inline
function canvasOf(call: usize, y: i32): usize {
  return <usize>load<u32>(call, CALL_CANVAS) + (rowOf(call, y) << (load<u32>(call, CALL_CHANNELS) == 1 ? 2 : 4));
}

/** Address of dL/dimage at the rectangle's first pixel of row `y`. */
// @ts-ignore: decorator
@inline
function gradientOf(call: usize, gradient: usize, y: i32): usize {
  const pixel = <usize>y * <usize>load<u32>(call, CALL_WIDTH) + <usize>load<i32>(call, CALL_LEFT);
  return gradient + ((pixel * <usize>load<u32>(call, CALL_CHANNELS)) << 2);
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

/**
 * The field of an INK8 sprite with its colour and opacity multiplied in: one weight a pixel, zeros behind every row.
 * @param gradient dL/dimage, f32 [H, W, C]
 */
export function buildWeights(call: usize, sprite: usize, gradient: usize): void {
  const top = load<i32>(call, CALL_TOP);
  const bottom = load<i32>(call, CALL_BOTTOM);
  const width = load<i32>(call, CALL_RIGHT) - load<i32>(call, CALL_LEFT);
  const grey = load<u32>(call, CALL_CHANNELS) == 1;
  for (let y = top; y < bottom; y++) {
    const weights = <usize>load<u32>(call, CALL_WEIGHTS) + (rowOf(call, y) << 2);
    const transmit = transmitOf(call, y);
    const g = gradientOf(call, gradient, y);
    if (grey) weightsRowGrey(sprite, weights, g, canvasOf(call, y), transmit, width);
    else weightsRowColour(sprite, weights, g, canvasOf(call, y), transmit, width);
    const behind = weights + (<usize>width << 2);
    store<u64>(behind, 0);
    store<u64>(behind, 0, 8);
  }
}

function weightsRowGrey(
  sprite: usize, weights: usize, gradient: usize, canvas: usize, transmit: usize, width: i32,
): void {
  const light = load<f32>(sprite, NODE_RED);
  const alpha = load<f32>(sprite, NODE_ALPHA);
  let x = 0;
  if (ASC_FEATURE_SIMD) {
    const lights = f32x4.splat(light);
    const alphas = f32x4.splat(alpha);
    for (; x + 4 <= width; x += 4) {
      const at = <usize>x << 2;
      let g = v128.load(gradient + at);
      if (transmit != 0) g = f32x4.mul(g, v128.load(transmit + at));
      v128.store(weights + at, f32x4.mul(g, f32x4.sub(lights, f32x4.mul(alphas, v128.load(canvas + at)))));
    }
  }
  for (; x < width; x++) {
    const at = <usize>x << 2;
    let g = load<f32>(gradient + at);
    if (transmit != 0) g = g * load<f32>(transmit + at);
    store<f32>(weights + at, g * (light - alpha * load<f32>(canvas + at)));
  }
}

function weightsRowColour(
  sprite: usize, weights: usize, gradient: usize, canvas: usize, transmit: usize, width: i32,
): void {
  const red = load<f32>(sprite, NODE_RED);
  const green = load<f32>(sprite, NODE_GREEN);
  const blue = load<f32>(sprite, NODE_BLUE);
  const alpha = load<f32>(sprite, NODE_ALPHA);
  for (let x = 0; x < width; x++) {
    const g =
      load<f32>(gradient) * (red - alpha * load<f32>(canvas)) +
      load<f32>(gradient, 4) * (green - alpha * load<f32>(canvas, 4)) +
      load<f32>(gradient, 8) * (blue - alpha * load<f32>(canvas, 8));
    store<f32>(weights, transmit == 0 ? g : g * load<f32>(transmit + (<usize>x << 2)));
    weights += 4;
    gradient += 12;
    canvas += 16;
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
