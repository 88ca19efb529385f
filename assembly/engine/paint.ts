/** Painting sprites into the call's rectangle of the canvas. */
import {
  ASSET_EDGE, ASSET_FLAGS, ASSET_FORMAT, ASSET_HEIGHT, ASSET_STRIDE, ASSET_TEXELS, ASSET_WIDTH, CALL_BOTTOM, CALL_CANVAS, CALL_CHANNELS, CALL_LEFT,
  CALL_NODES, CALL_PITCH, CALL_RIGHT, CALL_TOP, CALL_WIDTH, EDGE_EXTEND, FLAG_OPAQUE, FLAG_SOLID, FORMAT_RGBA32F, NODE_ALPHA,
  NODE_ASSET, NODE_BOTTOM, NODE_BYTES, NODE_CLASS, NODE_LEFT, NODE_PLACED, NODE_RIGHT, NODE_TOP, NODE_U_ORIGIN, NODE_U_REACH, NODE_U_X, NODE_U_Y, NODE_V_ORIGIN,
  NODE_V_REACH, NODE_V_X, NODE_V_Y, SPAN_END, SPAN_INNER_END, SPAN_INNER_START, SPAN_OFFSET, SPAN_S0, SPAN_START, SPAN_T0, TEXEL_BORDER,
} from './layout';
import { blendSpan, copyOpaque, fillSolid, labelPixels, labelSpan } from './blend';
import { sampleOpaque, sampleSpan } from './sample';
import { findSpan } from './span';

/** How the fully covered pixels of a sprite can be had without sampling. */
const SAMPLE: i32 = 0;
const FILL: i32 = 1;
const COPY: i32 = 2;
/** Sampled, but not blended. */
const OPAQUE: i32 = 3;

const NO_PIXEL: i32 = i32.MAX_VALUE;

/** Whether the sprite has a place and its bounds meet the call's rectangle. */
export function meetsRectangle(call: usize, node: usize): bool {
  return (
    load<u32>(node, NODE_PLACED) != 0 &&
    load<i32>(node, NODE_LEFT) < load<i32>(call, CALL_RIGHT) &&
    load<i32>(node, NODE_RIGHT) > load<i32>(call, CALL_LEFT) &&
    load<i32>(node, NODE_TOP) < load<i32>(call, CALL_BOTTOM) &&
    load<i32>(node, NODE_BOTTOM) > load<i32>(call, CALL_TOP)
  );
}

/**
 * Whether an opaque sprite covers the call's rectangle fully, so that nothing below it shows: the centres of the corner
 * pixels lie at least half a pixel inside its outline, and so do, in between, all others.
 */
export function hidesRectangle(call: usize, node: usize): bool {
  if (!meetsRectangle(call, node)) return false;
  const asset = <usize>load<u32>(node, NODE_ASSET);
  if ((<u32>load<u8>(asset, ASSET_FLAGS) & FLAG_OPAQUE) == 0 || load<f32>(node, NODE_ALPHA) != 1) return false;
  if (<u32>load<u8>(asset, ASSET_EDGE) != EDGE_EXTEND) return false;
  const left = <f64>load<i32>(call, CALL_LEFT) + 0.5;
  const top = <f64>load<i32>(call, CALL_TOP) + 0.5;
  const right = <f64>load<i32>(call, CALL_RIGHT) - 0.5;
  const bottom = <f64>load<i32>(call, CALL_BOTTOM) - 0.5;
  return (
    isInside(node, asset, left, top) &&
    isInside(node, asset, right, top) &&
    isInside(node, asset, left, bottom) &&
    isInside(node, asset, right, bottom)
  );
}

function isInside(node: usize, asset: usize, x: f64, y: f64): bool {
  const u = load<f64>(node, NODE_U_ORIGIN) + load<f64>(node, NODE_U_X) * x + load<f64>(node, NODE_U_Y) * y;
  const v = load<f64>(node, NODE_V_ORIGIN) + load<f64>(node, NODE_V_X) * x + load<f64>(node, NODE_V_Y) * y;
  const uReach = load<f64>(node, NODE_U_REACH);
  const vReach = load<f64>(node, NODE_V_REACH);
  return (
    u >= uReach &&
    u <= <f64>load<u32>(asset, ASSET_WIDTH) - uReach &&
    v >= vReach &&
    v <= <f64>load<u32>(asset, ASSET_HEIGHT) - vReach
  );
}

/**
 * Paints the nodes before `count` into the call's rectangle, beginning with the last one that hides all before it.
 */
export function paintNodes(call: usize, count: i32, instances: usize, classes: usize): void {
  const nodes = <usize>load<u32>(call, CALL_NODES);
  let first = count - 1;
  while (first >= 0 && !hidesRectangle(call, nodes + <usize>first * NODE_BYTES)) first--;
  if (first < 0) {
    clearRectangle(call, instances, classes);
    first = 0;
  } else {
    // Blending reads what is below, if only to multiply it by zero: it must be a number.
    const node = nodes + <usize>first * NODE_BYTES;
    if (shortcut(call, node, load<u32>(node, NODE_ASSET)) == SAMPLE) clearRectangle(call, 0, 0);
  }
  for (let v = first; v < count; v++) paintSprite(call, nodes + <usize>v * NODE_BYTES, v, instances, classes);
}

/** Empties the call's rectangle of the canvas and, where it is as wide as the canvas, of the labels. */
function clearRectangle(call: usize, instances: usize, classes: usize): void {
  const shift: usize = load<u32>(call, CALL_CHANNELS) == 1 ? 2 : 4;
  const top = <usize>load<i32>(call, CALL_TOP);
  const rows = <usize>load<i32>(call, CALL_BOTTOM) - top;
  const width = <usize>load<u32>(call, CALL_WIDTH);
  memory.fill(load<u32>(call, CALL_CANVAS), 0, (rows * <usize>load<u32>(call, CALL_PITCH)) << shift);
  if (instances != 0) memory.fill(instances + ((top * width) << 1), 0, (rows * width) << 1);
  if (classes != 0) memory.fill(classes + top * width, 0, rows * width);
}

/** Opaque sprites: of one colour; with one texel a pixel, texel centres on pixel centres; or any. */
function shortcut(call: usize, node: usize, asset: usize): i32 {
  const flags = <u32>load<u8>(asset, ASSET_FLAGS);
  if (<u32>load<u8>(asset, ASSET_EDGE) != EDGE_EXTEND || <u32>load<u8>(asset, ASSET_FORMAT) != FORMAT_RGBA32F) {
    return SAMPLE;
  }
  if ((flags & FLAG_OPAQUE) == 0 || load<f32>(node, NODE_ALPHA) != 1) return SAMPLE;
  if ((flags & FLAG_SOLID) != 0) return FILL;
  if (load<u32>(call, CALL_CHANNELS) == 1) return SAMPLE;
  const upright =
    load<f64>(node, NODE_U_X) == 1 &&
    load<f64>(node, NODE_U_Y) == 0 &&
    load<f64>(node, NODE_V_X) == 0 &&
    load<f64>(node, NODE_V_Y) == 1;
  return upright ? COPY : OPAQUE;
}

/**
 * Paints one sprite, clipped to the call's rectangle, into the canvas whose first pixel is the rectangle's.
 * @param instances u16 [H, W] of the whole canvas, or 0
 * @param classes u8 [H, W] of the whole canvas, or 0
 */
export function paintSprite(call: usize, node: usize, index: i32, instances: usize, classes: usize): void {
  if (!meetsRectangle(call, node)) return;
  const asset = <usize>load<u32>(node, NODE_ASSET);
  const left = load<i32>(call, CALL_LEFT);
  const right = load<i32>(call, CALL_RIGHT);
  const top = load<i32>(call, CALL_TOP);
  const pitch = load<i32>(call, CALL_PITCH);
  const width = load<i32>(call, CALL_WIDTH);
  const canvas = <usize>load<u32>(call, CALL_CANVAS);
  const shift: usize = load<u32>(call, CALL_CHANNELS) == 1 ? 2 : 4;
  const way = shortcut(call, node, asset);
  const class_ = load<u32>(node, NODE_CLASS) + 1;
  const labelled = (instances | classes) != 0;
  const from = max(load<i32>(node, NODE_TOP), top);
  const to = min(load<i32>(node, NODE_BOTTOM), load<i32>(call, CALL_BOTTOM));
  let plainUntil = from;
  for (let y = from; y < to; y++) {
    const start = y < plainUntil ? load<i32>(call, SPAN_START) : findStart(call, node, y, left, right);
    if (start == NO_PIXEL) continue;
    const end = load<i32>(call, SPAN_END);
    const target = canvas + (<usize>((y - top) * pitch + start - left) << shift);
    const pixel = <usize>(y * width + start);
    const rowInstances: usize = instances == 0 ? 0 : instances + (pixel << 1);
    const rowClasses: usize = classes == 0 ? 0 : classes + pixel;
    if (way == FILL || way == COPY) {
      if (y >= plainUntil) plainUntil = plainRows(call, node, asset, way, y, to);
      if (y < plainUntil) {
        paintPlain(call, node, asset, way, y, target, end - start);
        if (labelled) labelPixels(rowInstances, index + 1, rowClasses, class_, 0, end - start);
        continue;
      }
    }
    if (way == OPAQUE || way == COPY) paintOpaque(call, node, index, y, target, rowInstances, rowClasses);
    else paintBlended(call, node, index, y, target, rowInstances, rowClasses);
  }
}

/** Paints the call's span: samples, blending, labels. */
function paintBlended(
  call: usize, node: usize, index: i32, y: i32, target: usize, instances: usize, classes: usize,
): void {
  const format = <u32>load<u8>(<usize>load<u32>(node, NODE_ASSET), ASSET_FORMAT);
  sampleSpan(call, node, y);
  blendSpan(call, node, target, format);
  if ((instances | classes) == 0) return;
  labelSpan(call, node, format, instances, index + 1, classes, load<u32>(node, NODE_CLASS) + 1);
}

/** As paintBlended, on an RGB canvas, for a sprite that hides what is below where it covers fully. */
function paintOpaque(
  call: usize, node: usize, index: i32, y: i32, target: usize, instances: usize, classes: usize,
): void {
  const start = load<i32>(call, SPAN_START);
  const end = load<i32>(call, SPAN_END);
  const offset = load<i32>(call, SPAN_OFFSET);
  const innerStart = load<i32>(call, SPAN_INNER_START);
  const innerEnd = load<i32>(call, SPAN_INNER_END);
  if (innerStart >= innerEnd) {
    paintBlended(call, node, index, y, target, instances, classes);
    return;
  }
  if (start < innerStart) {
    store<i32>(call, innerStart, SPAN_END);
    paintBlended(call, node, index, y, target, instances, classes);
  }
  const before = <usize>(innerStart - start);
  narrowSpan(call, innerStart, innerEnd, offset + (innerStart - start));
  sampleOpaque(call, node, target + (before << 4));
  if ((instances | classes) != 0) {
    labelPixels(instances, index + 1, classes, load<u32>(node, NODE_CLASS) + 1, <i32>before, innerEnd - start);
  }
  if (innerEnd < end) {
    const skipped = <usize>(innerEnd - start);
    narrowSpan(call, innerEnd, end, offset + (innerEnd - start));
    const instancesThere: usize = instances == 0 ? 0 : instances + (skipped << 1);
    const classesThere: usize = classes == 0 ? 0 : classes + skipped;
    paintBlended(call, node, index, y, target + (skipped << 4), instancesThere, classesThere);
  }
}

/** Makes [start, end), a part of the call's span, the span. */
export function narrowSpan(call: usize, start: i32, end: i32, offset: i32): void {
  store<i32>(call, start, SPAN_START);
  store<i32>(call, end, SPAN_END);
  store<i32>(call, offset, SPAN_OFFSET);
}

/** Start of the row's span, NO_PIXEL when it is empty. */
function findStart(call: usize, node: usize, y: i32, left: i32, right: i32): i32 {
  return findSpan(call, node, y, left, right) ? load<i32>(call, SPAN_START) : NO_PIXEL;
}

/**
 * Row below the last of those from `y` on whose span is the one just found, fully covered, and can be had without
 * sampling; `y` itself when there is none.
 */
function plainRows(call: usize, node: usize, asset: usize, way: i32, y: i32, to: i32): i32 {
  if (load<i32>(call, SPAN_INNER_START) != load<i32>(call, SPAN_START)) return y;
  if (load<i32>(call, SPAN_INNER_END) != load<i32>(call, SPAN_END)) return y;
  if (way == COPY) {
    // Texel centres on pixel centres?
    const s = load<f32>(call, SPAN_S0) + <f32>load<i32>(call, SPAN_OFFSET);
    const t = load<f32>(call, SPAN_T0);
    if (floor<f32>(s) != s || floor<f32>(t) != t) return y;
  }
  if (load<f64>(node, NODE_U_Y) != 0 || load<f64>(node, NODE_V_X) != 0) return y + 1;
  // Upright: the same span for all rows whose v is inside.
  const v = load<f64>(node, NODE_V_ORIGIN) + load<f64>(node, NODE_V_Y) * (<f64>to - 0.5);
  const reach = load<f64>(node, NODE_V_REACH);
  const inside = v >= reach && v <= <f64>load<u32>(asset, ASSET_HEIGHT) - reach;
  return inside ? to : y + 1;
}

/** Paints the call's span, fully covered, from texels that need no sampling. */
function paintPlain(call: usize, node: usize, asset: usize, way: i32, y: i32, target: usize, count: i32): void {
  const texels = <usize>load<u32>(asset, ASSET_TEXELS);
  const stride = <usize>load<u32>(asset, ASSET_STRIDE);
  const border = <usize>TEXEL_BORDER;
  if (way == FILL) {
    fillSolid(call, node, texels + border * stride + (border << 4), target, count);
    return;
  }
  const s = load<f32>(call, SPAN_S0) + <f32>load<i32>(call, SPAN_OFFSET);
  // One texel a row: v = vOrigin + y + ½ is the middle of texel floor(v).
  const row = <usize>floor<f64>(load<f64>(node, NODE_V_ORIGIN) + <f64>y + 0.5) + border;
  copyOpaque(node, texels + row * stride + (<usize>s << 4), 16, target, count);
}
