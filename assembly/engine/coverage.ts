/**
 * What each sprite would cover if it were alone on a canvas without bounds: how many pixels, how many of them on the
 * canvas, and their bounding box. The spans, the samples and the test are those of the labels, so the numbers fit the
 * instance buffer bit for bit.
 */
import {
  ASSET_CENTRE_X, ASSET_CENTRE_Y, ASSET_EDGE, ASSET_FLAGS, ASSET_FORMAT, ASSET_HEIGHT, ASSET_WIDTH, CALL_HEIGHT, CALL_NODES,
  CALL_NODE_COUNT, CALL_ROW, CALL_TRANSMIT, CALL_WIDTH, COVERAGE_BOTTOM, COVERAGE_BYTES, COVERAGE_CENTRE_X, COVERAGE_CENTRE_Y,
  COVERAGE_HEIGHT, COVERAGE_INSIDE, COVERAGE_LEFT, COVERAGE_PIXELS, COVERAGE_RIGHT, COVERAGE_TOP, COVERAGE_WIDTH, EDGE_EXTEND,
  FLAG_OPAQUE, FORMAT_INK8, NODE_ALPHA, NODE_ASSET, NODE_BOTTOM, NODE_BYTES, NODE_FRAME_X, NODE_FRAME_Y, NODE_LEFT, NODE_PLACED,
  NODE_RIGHT, NODE_TOP, NODE_U_X, NODE_U_Y, NODE_V_ORIGIN, NODE_V_REACH, NODE_V_X, NODE_V_Y, SPAN_END, SPAN_INNER_END, SPAN_INNER_START, SPAN_OFFSET,
  SPAN_START,
} from './layout';
import { coveredMask, isCovered } from './blend';
import { narrowSpan } from './paint';
import { coverEdges, sampleSpan } from './sample';
import { findSpan, toPixel } from './span';

/** Rows of samples may be this many pixels shorter than their memory: what sampling writes behind a span. */
const ROW_PADDING: i32 = 8;
/** Pixels of one sprite that are looked at, at most: so many, or so many canvases' worth where that is more. */
const MOST_PIXELS: i64 = 1 << 20;
const MOST_CANVASES: i64 = 16;
/** What a row of a sprite that is counted by spans costs, in sampled pixels. */
const PIXELS_A_ROW: i64 = 64;
/** A larger sprite is cut to the canvas and so many canvas sizes on every side, or half as many, and so on. */
const MARGIN: i32 = 4;
/** Alpha × opacity of less than that everywhere: no rounding of a sample makes it ½. */
const FAINT: f32 = 0.499;

/**
 * Writes a coverage record for every node. To be called before the canvas is painted: rows of samples take its memory.
 * @param coverage coverage records [V]
 */
export function coverNodes(call: usize, coverage: usize): void {
  const nodes = <usize>load<u32>(call, CALL_NODES);
  const count = <usize>load<u32>(call, CALL_NODE_COUNT);
  for (let v: usize = 0; v < count; v++) coverSprite(call, nodes + v * NODE_BYTES, coverage + v * COVERAGE_BYTES);
}

function coverSprite(call: usize, node: usize, out: usize): void {
  memory.fill(out, 0, COVERAGE_BYTES);
  if (load<u32>(node, NODE_PLACED) == 0) return;
  const asset = <usize>load<u32>(node, NODE_ASSET);
  writeQuad(node, asset, out);
  const ink = <u32>load<u8>(asset, ASSET_FORMAT) == FORMAT_INK8;
  // What a texel of alpha 1 comes to.
  const alpha = load<f32>(node, NODE_ALPHA);
  const most: f32 = ink ? <f32>255 * alpha : alpha;
  if (!(most >= FAINT)) return;
  const opaque = (<u32>load<u8>(asset, ASSET_FLAGS) & FLAG_OPAQUE) != 0;
  const solid = opaque && <u32>load<u8>(asset, ASSET_EDGE) == EDGE_EXTEND && most >= 0.5;

  const width = load<i32>(call, CALL_WIDTH);
  const height = load<i32>(call, CALL_HEIGHT);
  const budget = max(MOST_PIXELS, MOST_CANVASES * <i64>width * <i64>height);
  let left = load<i32>(node, NODE_LEFT);
  let top = load<i32>(node, NODE_TOP);
  let right = load<i32>(node, NODE_RIGHT);
  let bottom = load<i32>(node, NODE_BOTTOM);
  // Without a margin at the latest the rectangle lies on the canvas, which is within the budget.
  for (let halved = 0; cost(left, top, right, bottom, solid) > budget; halved++) {
    const marginX = (MARGIN * width) >> halved;
    const marginY = (MARGIN * height) >> halved;
    left = max(left, -marginX);
    top = max(top, -marginY);
    right = min(right, width + marginX);
    bottom = min(bottom, height + marginY);
  }
  const room = sampleRoom(call);
  for (let y = top; y < bottom; ) {
    const rows = solid ? min(sameRows(node, asset, y), bottom - y) : 1;
    for (let from = left; from < right; from += room) {
      if (!findSpan(call, node, y, from, min(right, from + room))) continue;
      if (solid) coverSolid(call, node, ink, y, rows, out);
      else coverSamples(call, node, ink, false, y, 1, out);
    }
    y += rows;
  }
}

/** Pixels that have to be sampled, or what takes as long; 0 for an empty rectangle. */
function cost(left: i32, top: i32, right: i32, bottom: i32, solid: bool): i64 {
  const rows = max(<i64>bottom - <i64>top, 0);
  const columns = max(<i64>right - <i64>left, 0);
  return rows * (solid ? min(columns, PIXELS_A_ROW) : columns);
}

/** Pixels whose samples fit the memory from the row of samples to the end of the last plane but one. */
function sampleRoom(call: usize): i32 {
  return <i32>((load<u32>(call, CALL_TRANSMIT) - load<u32>(call, CALL_ROW)) >> 4) - ROW_PADDING;
}

/** Rows from `y` on that an opaque sprite covers all alike, at least 1: many where it is upright. */
function sameRows(node: usize, asset: usize, y: i32): i32 {
  if (load<f64>(node, NODE_U_Y) != 0 || load<f64>(node, NODE_V_X) != 0) return 1;
  if (!isRowInside(node, asset, y)) return 1;
  // Where v leaves the inside; rounding may be off by a row, which then is one too few.
  const reach = load<f64>(node, NODE_V_REACH);
  const step = load<f64>(node, NODE_V_Y);
  const leave = step > 0 ? <f64>load<u32>(asset, ASSET_HEIGHT) - reach : reach;
  const last = toPixel(floor<f64>((leave - load<f64>(node, NODE_V_ORIGIN)) / step - 0.5));
  for (let row = last; row > y && row > last - 2; row--) if (isRowInside(node, asset, row)) return row - y + 1;
  return 1;
}

/** Whether the middle of a row of an upright sprite lies at least half a pixel inside. */
function isRowInside(node: usize, asset: usize, y: i32): bool {
  const v = load<f64>(node, NODE_V_ORIGIN) + load<f64>(node, NODE_V_Y) * (<f64>y + 0.5);
  const reach = load<f64>(node, NODE_V_REACH);
  return v >= reach && v <= <f64>load<u32>(asset, ASSET_HEIGHT) - reach;
}

/** Adds the pixels of the call's span of an opaque sprite, for `rows` rows: full coverage needs no look at the pixel. */
function coverSolid(call: usize, node: usize, ink: bool, y: i32, rows: i32, out: usize): void {
  const start = load<i32>(call, SPAN_START);
  const end = load<i32>(call, SPAN_END);
  const offset = load<i32>(call, SPAN_OFFSET);
  const innerStart = load<i32>(call, SPAN_INNER_START);
  const innerEnd = load<i32>(call, SPAN_INNER_END);
  if (innerStart >= innerEnd) {
    coverSamples(call, node, ink, true, y, rows, out);
    return;
  }
  if (start < innerStart) {
    narrowSpan(call, start, innerStart, offset);
    coverSamples(call, node, ink, true, y, rows, out);
  }
  const onCanvas = max(min(innerEnd, load<i32>(call, CALL_WIDTH)) - max(innerStart, 0), 0);
  addPixels(call, out, y, rows, innerStart, innerEnd, innerEnd - innerStart, onCanvas);
  if (innerEnd < end) {
    narrowSpan(call, innerEnd, end, offset + (innerEnd - start));
    coverSamples(call, node, ink, true, y, rows, out);
  }
}

/** Samples the call's span and adds the pixels that pass the test: those left of the canvas, on it, right of it. */
function coverSamples(call: usize, node: usize, ink: bool, solid: bool, y: i32, rows: i32, out: usize): void {
  if (solid) sampleSolid(call, node, ink, y);
  else sampleSpan(call, node, y);
  const start = load<i32>(call, SPAN_START);
  const count = load<i32>(call, SPAN_END) - start;
  const from = min(max(-start, 0), count);
  const to = min(max(load<i32>(call, CALL_WIDTH) - start, from), count);
  if (from > 0) addSamples(call, node, ink, y, rows, start, 0, from, false, out);
  if (to > from) addSamples(call, node, ink, y, rows, start, from, to, true, out);
  if (count > to) addSamples(call, node, ink, y, rows, start, to, count, false, out);
}

/** What sampleSpan finds of an opaque sprite's alpha, without its texels. */
function sampleSolid(call: usize, node: usize, ink: bool, y: i32): void {
  const row = <usize>load<u32>(call, CALL_ROW);
  const count = <usize>(load<i32>(call, SPAN_END) - load<i32>(call, SPAN_START));
  for (let i: usize = 0; i < count; i++) {
    if (ink) store<f32>(row + (i << 2), 255);
    else store<f32>(row + (i << 4), 1, 12);
  }
  coverEdges(call, node, load<u32>(node, NODE_ASSET), row, y, ink);
}

/** Adds the samples [from, to) of the row that pass the test, for `rows` rows. */
function addSamples(
  call: usize, node: usize, ink: bool, y: i32, rows: i32, start: i32, from: i32, to: i32, onCanvas: bool, out: usize,
): void {
  const row = <usize>load<u32>(call, CALL_ROW);
  const alpha = load<f32>(node, NODE_ALPHA);
  let pixels = 0;
  let first = 0;
  let end = 0;
  let i = from;
  if (ASC_FEATURE_SIMD) {
    for (; i + 4 <= to; i += 4) {
      const covered = coveredMask(row, i, ink, alpha);
      if (covered == 0) continue;
      if (pixels == 0) first = i + ctz<i32>(covered);
      end = i + 32 - clz<i32>(covered);
      pixels += popcnt<i32>(covered);
    }
  }
  for (; i < to; i++) {
    if (!isCovered(row, i, ink, alpha)) continue;
    if (pixels == 0) first = i;
    end = i + 1;
    pixels++;
  }
  if (pixels > 0) addPixels(call, out, y, rows, start + first, start + end, pixels, onCanvas ? pixels : 0);
}

/**
 * Adds `rows` rows from `y` on, each with `pixels` pixels between columns `from` and `to`, `onCanvas` of them between the
 * canvas's sides. Rows come from the top.
 */
function addPixels(
  call: usize, out: usize, y: i32, rows: i32, from: i32, to: i32, pixels: i32, onCanvas: i32,
): void {
  const before = load<f64>(out, COVERAGE_PIXELS);
  const left = <f64>from;
  const right = <f64>to;
  const rowsOnCanvas = max(min(y + rows, load<i32>(call, CALL_HEIGHT)) - max(y, 0), 0);
  store<f64>(out, before + <f64>rows * <f64>pixels, COVERAGE_PIXELS);
  store<f64>(out, load<f64>(out, COVERAGE_INSIDE) + <f64>rowsOnCanvas * <f64>onCanvas, COVERAGE_INSIDE);
  if (before == 0) store<f64>(out, <f64>y, COVERAGE_TOP);
  store<f64>(out, before == 0 ? left : min(left, load<f64>(out, COVERAGE_LEFT)), COVERAGE_LEFT);
  store<f64>(out, before == 0 ? right : max(right, load<f64>(out, COVERAGE_RIGHT)), COVERAGE_RIGHT);
  store<f64>(out, <f64>(y + rows), COVERAGE_BOTTOM);
}

/** Centre and sides of the content's quad: the map to texture coordinates, inverted. */
function writeQuad(node: usize, asset: usize, out: usize): void {
  const uX = load<f64>(node, NODE_U_X);
  const uY = load<f64>(node, NODE_U_Y);
  const vX = load<f64>(node, NODE_V_X);
  const vY = load<f64>(node, NODE_V_Y);
  const width = <f64>load<u32>(asset, ASSET_WIDTH);
  const height = <f64>load<u32>(asset, ASSET_HEIGHT);
  // From the frame's origin, which is the middle of the sprite with its margin, to the middle of its content, texels.
  const u = width * 0.5 - <f64>load<f32>(asset, ASSET_CENTRE_X);
  const v = height * 0.5 - <f64>load<f32>(asset, ASSET_CENTRE_Y);
  const inverse = 1.0 / (uX * vY - uY * vX);
  store<f64>(out, load<f64>(node, NODE_FRAME_X) + (u * vY - v * uY) * inverse, COVERAGE_CENTRE_X);
  store<f64>(out, load<f64>(node, NODE_FRAME_Y) + (v * uX - u * vX) * inverse, COVERAGE_CENTRE_Y);
  store<f64>(out, width / sqrt<f64>(uX * uX + uY * uY), COVERAGE_WIDTH);
  store<f64>(out, height / sqrt<f64>(vX * vX + vY * vY), COVERAGE_HEIGHT);
}
