/** From the marks of a band to the results: colour, ids, classes, depth and normals, row by row. */
import { packColourBytes, packFloats, toByte } from '../pack';
import { LUMA_BLUE, LUMA_GREEN, LUMA_RED } from '../blend';
import { COLOR_F32, COLOR_NONE } from '../layout';
import { shadePoint, shadeRun } from './shade';
import {
  DRAW_255, DRAW_CENTROIDS, DRAW_HALF, DRAW_LEVELS, DRAW_PITCH, DRAW_PLANES, DRAW_ROW_COLOR, DRAW_ROW_DEPTH, DRAW_ROW_MARK,
  DRAW_ROW_NORMAL, DRAW_SAMPLES, DRAW_SHADE, DRAW_TALLY, DRAW_TRIANGLES, DRAW_TWO_23, DRAW_VIEW, DRAW_WANTED, INSTANCE_ID,
  PLANES_BYTES, SHADOWED, TARGET_DEPTH, TARGET_MARKS, TARGET_PITCH, TARGET_TOP, TRIANGLE_ANCHOR_X, TRIANGLE_ANCHOR_Y,
  TRIANGLE_INSTANCE, TRIANGLE_ON_GROUND, TRIANGLE_SHIFT, TRIANGLE_STATE, VIEW_CHANNELS, VIEW_CLASSES, VIEW_COLOR,
  VIEW_COLOR_FORMAT, VIEW_DEPTH, VIEW_HEIGHT, VIEW_IDS, VIEW_NORMALS, VIEW_WIDTH,
} from './layout';

/**
 * Writes the results of the rows [top, bottom) that the target holds.
 * @param target as wide as the image
 */
export function resolveRows(draw: usize, target: usize, top: i32, bottom: i32): void {
  const view = <usize>load<u32>(draw, DRAW_VIEW);
  const four = load<u32>(draw, DRAW_SAMPLES) == 4;
  const width = load<i32>(view, VIEW_WIDTH);
  const step = <usize>load<i32>(target, TARGET_PITCH) << (four ? 4 : 2);
  let marks = <usize>load<u32>(target, TARGET_MARKS) + <usize>(top - load<i32>(target, TARGET_TOP)) * step;
  let depth = <usize>load<u32>(target, TARGET_DEPTH) + <usize>(top - load<i32>(target, TARGET_TOP)) * step;
  for (let y = top; y < bottom; y++) {
    castShadows(draw, marks, y, 0, width, four);
    if (four) resolveFour(draw, marks, depth, y, width);
    else resolveOne(draw, marks, y, width);
    packRow(draw, view, y, width);
    marks += step;
    depth += step;
  }
}

/**
 * Adds SHADOWED to the marks of ground samples of the pixels [left, right) of a row that lie in shadow.
 * @param marks those of pixel `left`
 */
export function castShadows(draw: usize, marks: usize, y: i32, left: i32, right: i32, four: bool): void {
  const view = <usize>load<u32>(draw, DRAW_VIEW);
  const pitch = <usize>load<u32>(draw, DRAW_PITCH);
  const plane = pitch * <usize>load<i32>(view, VIEW_HEIGHT);
  const triangles = <usize>load<u32>(draw, DRAW_TRIANGLES);
  const levels = load<u32>(draw, DRAW_LEVELS);
  const samples = four ? 4 : 1;
  for (let level: u32 = 0; level < levels; level++) {
    const row = <usize>load<u32>(draw, DRAW_SHADE) + <usize>level * plane + <usize>y * pitch;
    for (let x = left; x < right; x++) {
      if ((x & 7) == 0 && load<u64>(row + x) == 0) {
        x += 7;
        continue;
      }
      const mask = <u32>load<u8>(row + x);
      if (mask == 0) continue;
      for (let k = 0; k < samples; k++) {
        if (((mask >> k) & 1) == 0) continue;
        const at = marks + (four ? <usize>(((x - left) << 2) + k) << 2 : <usize>(x - left) << 2);
        const mark = load<u32>(at);
        if (mark == 0 || (mark & SHADOWED) != 0) continue;
        const state = load<u32>(triangles + (<usize>mark << TRIANGLE_SHIFT), TRIANGLE_STATE);
        if ((state & TRIANGLE_ON_GROUND) != 0 && state >> 8 == level) store<u32>(at, mark | SHADOWED);
      }
    }
  }
}

/** id | class << 16 of who holds a mark. */
// @ts-ignore: decorator
@inline
function labelOf(draw: usize, mark: u32): u32 {
  if (mark == 0) return 0;
  const triangle = <usize>load<u32>(draw, DRAW_TRIANGLES) + (<usize>(mark & ~SHADOWED) << TRIANGLE_SHIFT);
  return load<u32>(load<u32>(triangle, TRIANGLE_INSTANCE), INSTANCE_ID) & 0xffffff;
}

/** Colour, depth, labels and normals of pixels [x, end) with the same mark. */
// @ts-ignore: decorator
@inline
function resolveRun(draw: usize, mark: u32, y: i32, x: i32, end: i32): void {
  shadeRun(draw, mark, y, x, end);
  const label = labelOf(draw, mark);
  const labels = <usize>load<u32>(draw, DRAW_ROW_MARK);
  if (ASC_FEATURE_SIMD) {
    const many = i32x4.splat(label);
    for (let i = x; i < end; i += 4) v128.store(labels + (<usize>i << 2), many);
  } else for (let i = x; i < end; i++) store<u32>(labels + (<usize>i << 2), label);
  if (load<u32>(draw, DRAW_WANTED) == 0) return;
  let normals = <usize>load<u32>(draw, DRAW_ROW_NORMAL) + (<usize>x << 4);
  for (let i = x; i < end; i++) {
    clear(normals);
    addNormal(draw, mark, <f32>i, <f32>y, 0, 0, 1, normals);
    unit(normals);
    normals += 16;
  }
}

function resolveOne(draw: usize, marks: usize, y: i32, width: i32): void {
  let x = 0;
  while (x < width) {
    const mark = load<u32>(marks + (<usize>x << 2));
    let end = x;
    if (ASC_FEATURE_SIMD) {
      const many = i32x4.splat(mark);
      let others = 0;
      // Behind a row's end there is room: what is found there is cut off.
      for (; end < width; end += 4) {
        others = i32x4.bitmask(i32x4.ne(v128.load(marks + (<usize>end << 2)), many));
        if (others != 0) break;
      }
      end = min(others != 0 ? end + ctz<i32>(others) : end, width);
    } else while (end < width && load<u32>(marks + (<usize>end << 2)) == mark) end++;
    resolveRun(draw, mark, y, x, end);
    x = end;
  }
}

function resolveFour(draw: usize, marks: usize, depth: usize, y: i32, width: i32): void {
  let x = 0;
  while (x < width) {
    const at = marks + (<usize>x << 4);
    const mark = load<u32>(at);
    let end = x;
    if (ASC_FEATURE_SIMD) {
      const many = i32x4.splat(mark);
      while (end + 4 <= width && areFour(marks + (<usize>end << 4), many)) end += 4;
      while (end < width && i32x4.bitmask(i32x4.eq(v128.load(marks + (<usize>end << 4)), many)) == 15) end++;
    } else while (end < width && isWhole(marks + (<usize>end << 4), mark)) end++;
    if (end > x) resolveRun(draw, mark, y, x, end);
    else {
      resolvePixel(draw, at, depth + (<usize>x << 4), x, y);
      end++;
    }
    x = end;
  }
}

/** Whether all samples of four pixels have one mark. */
// @ts-ignore: decorator
@inline
function areFour(marks: usize, many: v128): bool {
  const left = v128.and(i32x4.eq(v128.load(marks), many), i32x4.eq(v128.load(marks, 16), many));
  const right = v128.and(i32x4.eq(v128.load(marks, 32), many), i32x4.eq(v128.load(marks, 48), many));
  return i32x4.bitmask(v128.and(left, right)) == 15;
}

// @ts-ignore: decorator
@inline
function isWhole(marks: usize, mark: u32): bool {
  return load<u32>(marks) == mark && load<u32>(marks, 4) == mark && load<u32>(marks, 8) == mark && load<u32>(marks, 12) == mark;
}

/** Bits of the samples with this mark. */
// @ts-ignore: decorator
@inline
export function maskOf(marks: usize, mark: u32): u32 {
  if (ASC_FEATURE_SIMD) return i32x4.bitmask(i32x4.eq(v128.load(marks), i32x4.splat(mark)));
  let mask: u32 = 0;
  for (let k: usize = 0; k < 4; k++) if (load<u32>(marks + (k << 2)) == mark) mask |= 1 << (<u32>k);
  return mask;
}

/** A pixel that several triangles share: each is shaded once, in the middle of its samples. */
function resolvePixel(draw: usize, marks: usize, depth: usize, x: i32, y: i32): void {
  const color = <usize>load<u32>(draw, DRAW_ROW_COLOR) + (<usize>x << 4);
  const labels = <usize>load<u32>(draw, DRAW_ROW_MARK) + (<usize>x << 2);
  // Rows are written from left to right: behind this pixel there is room for one colour.
  const part = color + 16;
  const tally = draw + DRAW_TALLY;
  let left: u32 = 15;
  // Of most pixels at edges between triangles one instance has all samples.
  const first = labelOf(draw, load<u32>(marks));
  let alone = first != 0;
  if (ASC_FEATURE_SIMD) {
    const all = v128.load(marks);
    let sum = f32x4.splat(0);
    let held = i32x4.splat(first);
    while (left != 0) {
      const k = <usize>ctz<u32>(left) << 2;
      const mark = load<u32>(marks + k);
      const same = i32x4.eq(all, i32x4.splat(mark));
      const mask = i32x4.bitmask(same);
      left &= ~mask;
      const place = draw + (<usize>mask << 3);
      shadePoint(draw, mark, <f32>x, <f32>y, load<f32>(place, DRAW_CENTROIDS), load<f32>(place, DRAW_CENTROIDS + 4), part);
      sum = f32x4.add(sum, f32x4.mul(v128.load(part), f32x4.splat(<f32>popcnt<u32>(mask) * 0.25)));
      const label = k == 0 ? first : labelOf(draw, mark);
      alone = alone && label == first;
      held = v128.bitselect(i32x4.splat(label), held, same);
    }
    v128.store(color, sum);
    v128.store(tally, held);
  } else {
    clear(color);
    while (left != 0) {
      const k = <usize>ctz<u32>(left) << 2;
      const mark = load<u32>(marks + k);
      const mask = maskOf(marks, mark);
      left &= ~mask;
      const place = draw + (<usize>mask << 3);
      shadePoint(draw, mark, <f32>x, <f32>y, load<f32>(place, DRAW_CENTROIDS), load<f32>(place, DRAW_CENTROIDS + 4), part);
      const share = <f32>popcnt<u32>(mask) * 0.25;
      for (let c: usize = 0; c < 16; c += 4) store<f32>(color + c, load<f32>(color + c) + load<f32>(part + c) * share);
      const label = k == 0 ? first : labelOf(draw, mark);
      alone = alone && label == first;
      for (let bits = mask; bits != 0; bits &= bits - 1) store<u32>(tally + (<usize>ctz<u32>(bits) << 2), label);
    }
  }
  if (alone && load<u32>(draw, DRAW_WANTED) == 0) {
    store<u32>(labels, first);
    let sum: f32 = 0;
    for (let i: usize = 0; i < 16; i += 4) sum += load<f32>(depth + i);
    store<f32>(<usize>load<u32>(draw, DRAW_ROW_DEPTH) + (<usize>x << 2), 4 / sum);
  } else elect(draw, marks, depth, x, y, labels);
}

/** Who holds most samples of a pixel, the nearest of those that hold equally many: its label, depth and normal. */
// @ts-ignore: decorator
@inline
function elect(draw: usize, marks: usize, depth: usize, x: i32, y: i32, labels: usize): void {
  const tally = draw + DRAW_TALLY;
  let best: u32 = 0;
  let most: u32 = 0;
  let nearest: f32 = 0;
  let left: u32 = 15;
  while (left != 0) {
    const label = load<u32>(tally + (<usize>ctz<u32>(left) << 2));
    const mask = maskOf(tally, label);
    left &= ~mask;
    const held = popcnt<u32>(mask);
    if (held < most) continue;
    let near: f32 = 0;
    for (let bits = mask; bits != 0; bits &= bits - 1) {
      const inverse: f32 = label == 0 ? 0 : load<f32>(depth + (<usize>ctz<u32>(bits) << 2));
      near = near < inverse ? inverse : near;
    }
    if (held == most && near <= nearest) continue;
    best = mask;
    most = held;
    nearest = near;
  }
  const label = load<u32>(tally + (<usize>ctz<u32>(best) << 2));
  store<u32>(labels, label);
  let sum: f32 = 0;
  for (let bits = best; bits != 0; bits &= bits - 1) sum += load<f32>(depth + (<usize>ctz<u32>(bits) << 2));
  store<f32>(<usize>load<u32>(draw, DRAW_ROW_DEPTH) + (<usize>x << 2), label == 0 ? 0 : <f32>most / sum);
  if (load<u32>(draw, DRAW_WANTED) == 0) return;
  const normal = <usize>load<u32>(draw, DRAW_ROW_NORMAL) + (<usize>x << 4);
  clear(normal);
  while (best != 0) {
    const mark = load<u32>(marks + (<usize>ctz<u32>(best) << 2));
    const mask = best & maskOf(marks, mark);
    best &= ~mask;
    const place = draw + (<usize>mask << 3);
    const share = <f32>popcnt<u32>(mask);
    addNormal(draw, mark, <f32>x, <f32>y, load<f32>(place, DRAW_CENTROIDS), load<f32>(place, DRAW_CENTROIDS + 4), share, normal);
  }
  unit(normal);
}

function clear(at: usize): void {
  store<u64>(at, 0);
  store<u64>(at, 0, 8);
}

/** Adds `share` times the unit normal of a mark at a point. */
function addNormal(draw: usize, mark: u32, x: f32, y: f32, ox: f32, oy: f32, share: f32, out: usize): void {
  if (mark == 0) return;
  const number = <usize>(mark & ~SHADOWED);
  const triangle = <usize>load<u32>(draw, DRAW_TRIANGLES) + (number << TRIANGLE_SHIFT);
  const planes = <usize>load<u32>(draw, DRAW_PLANES) + number * PLANES_BYTES;
  const dx = x - load<f32>(triangle, TRIANGLE_ANCHOR_X) + ox;
  const dy = y - load<f32>(triangle, TRIANGLE_ANCHOR_Y) + oy;
  const nx = load<f32>(planes) + load<f32>(planes, 16) * dx + load<f32>(planes, 32) * dy;
  const ny = load<f32>(planes, 4) + load<f32>(planes, 20) * dx + load<f32>(planes, 36) * dy;
  const nz = load<f32>(planes, 8) + load<f32>(planes, 24) * dx + load<f32>(planes, 40) * dy;
  const length = sqrt<f32>(nx * nx + ny * ny + nz * nz);
  if (!(length > 0)) return;
  const scale = share / length;
  store<f32>(out, load<f32>(out) + nx * scale);
  store<f32>(out, load<f32>(out, 4) + ny * scale, 4);
  store<f32>(out, load<f32>(out, 8) + nz * scale, 8);
}

/** Scales a vector to length 1; 0 stays 0. */
function unit(at: usize): void {
  const x = load<f32>(at), y = load<f32>(at, 4), z = load<f32>(at, 8);
  const length = sqrt<f32>(x * x + y * y + z * z);
  if (!(length > 0)) return;
  store<f32>(at, x / length);
  store<f32>(at, y / length, 4);
  store<f32>(at, z / length, 8);
}

/** From the rows of the draw record to the results of row y. */
function packRow(draw: usize, view: usize, y: i32, width: i32): void {
  const first = <usize>y * <usize>width;
  const format = load<u32>(view, VIEW_COLOR_FORMAT);
  const color = <usize>load<u32>(view, VIEW_COLOR);
  if (format != COLOR_NONE && color != 0) packColors(draw, view, color, format, first, width);
  const depth = <usize>load<u32>(view, VIEW_DEPTH);
  if (depth != 0) memory.copy(depth + (first << 2), load<u32>(draw, DRAW_ROW_DEPTH), <usize>width << 2);
  const labels = <usize>load<u32>(draw, DRAW_ROW_MARK);
  const ids = <usize>load<u32>(view, VIEW_IDS);
  if (ids != 0) packIds(labels, ids + (first << 1), width);
  const classes = <usize>load<u32>(view, VIEW_CLASSES);
  if (classes != 0) packClasses(labels, classes + first, width);
  const normals = <usize>load<u32>(view, VIEW_NORMALS);
  if (normals != 0) packFloats(load<u32>(draw, DRAW_ROW_NORMAL), normals + first * 12, width);
}

function packColors(draw: usize, view: usize, color: usize, format: u32, first: usize, width: i32): void {
  const row = <usize>load<u32>(draw, DRAW_ROW_COLOR);
  if (load<u32>(view, VIEW_CHANNELS) == 1) {
    for (let x: usize = 0; x < <usize>width; x++) {
      const at = row + (x << 4);
      const luma = load<f32>(at) * LUMA_RED + load<f32>(at, 4) * LUMA_GREEN + load<f32>(at, 8) * LUMA_BLUE;
      if (format == COLOR_F32) store<f32>(color + ((first + x) << 2), luma);
      else store<u8>(color + first + x, toByte(luma));
    }
  } else if (format == COLOR_F32) packFloats(row, color + first * 12, width);
  else packColourBytes(row, color + first * 3, width, draw + DRAW_255, draw + DRAW_HALF, draw + DRAW_TWO_23);
}

function packIds(labels: usize, out: usize, width: i32): void {
  let x = 0;
  if (ASC_FEATURE_SIMD) {
    for (; x + 8 <= width; x += 8) {
      const at = labels + (<usize>x << 2);
      v128.store(out + (<usize>x << 1), i16x8.shuffle(v128.load(at), v128.load(at, 16), 0, 2, 4, 6, 8, 10, 12, 14));
    }
  }
  for (; x < width; x++) store<u16>(out + (<usize>x << 1), <u16>load<u32>(labels + (<usize>x << 2)));
}

function packClasses(labels: usize, out: usize, width: i32): void {
  let x = 0;
  if (ASC_FEATURE_SIMD) {
    for (; x + 4 <= width; x += 4) {
      const row = v128.load(labels + (<usize>x << 2));
      v128.store_lane<u32>(out + x, i8x16.shuffle(row, row, 2, 6, 10, 14, 2, 6, 10, 14, 2, 6, 10, 14, 2, 6, 10, 14), 0);
    }
  }
  for (; x < width; x++) store<u8>(out + x, load<u8>(labels + (<usize>x << 2), 2));
}
