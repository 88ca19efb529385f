/** Rasterising with four samples a pixel; see raster.ts. */
import { crossLong, crossShort, findSpan, firstColumns } from './edges';
import { GROUND_BIAS, put } from './nearest';
import {
  DRAW_CENTRED_X, DRAW_CENTRED_Y, DRAW_MAGIC, DRAW_ONE, DRAW_SAMPLE_X, DRAW_SAMPLE_Y, DRAW_WORK, TARGET_DEPTH, TARGET_LEFT,
  TARGET_MARKS, TARGET_PITCH, TARGET_TOP, TRIANGLE_ANCHOR_X, TRIANGLE_ANCHOR_Y, TRIANGLE_BOTTOM_Y, TRIANGLE_DX, TRIANGLE_DY,
  TRIANGLE_ON_RIGHT, TRIANGLE_STATE, TRIANGLE_TOP_Y, TRIANGLE_VALUE,
} from './layout';

/** Rows of a triangle that are found before they are drawn, with four samples: none waits for where the one before it begins. */
const MOST_ROWS: i32 = 16;
/** Where samples lie in a row, f32[4]: from column, up to column, 1/z at the anchor's column. */
const FOUR_FIRST: usize = 0;
const FOUR_LAST: usize = 16;
const FOUR_BASE: usize = 32;
/** Of a wide triangle: outermost columns of the four, and innermost; i32, the second and the third with the sign changed. */
const FOUR_START: usize = 48;
const FOUR_END: usize = 52;
const FOUR_INNER_START: usize = 56;
const FOUR_INNER_END: usize = 60;
const FOUR_BYTES: usize = 64;
/** Behind the rows, what they have in common. */
const FOUR_OFFSETS: usize = 1024;
const FOUR_COLUMNS: usize = 1040;
const FOUR_LEFT: usize = 1056;
const FOUR_RIGHT: usize = 1072;
const FOUR_ANCHOR: usize = 1088;
/** All bits where the middle vertex lies to the right. */
const FOUR_SIDE: usize = 1104;

/** Columns of a narrow triangle. */
const NARROW: i32 = 8;
/** Pixels of a row whose edges are not looked for, with four samples. */
const SHORT: i32 = 16;

/** Four samples a pixel: lanes are samples. */
// @ts-ignore: decorator
@inline
export function rasterFour(
  draw: usize, target: usize, triangle: usize, mark: u32, ground: bool, left: i32, top: i32, right: i32, bottom: i32,
): void {
  const pitch = <usize>load<i32>(target, TARGET_PITCH) << 4;
  const origin = <usize>(top - load<i32>(target, TARGET_TOP)) * pitch - (<usize>load<i32>(target, TARGET_LEFT) << 4);
  let depth = <usize>load<u32>(target, TARGET_DEPTH) + origin;
  let marks = <usize>load<u32>(target, TARGET_MARKS) + origin;
  const anchorX = load<f32>(triangle, TRIANGLE_ANCHOR_X);
  const anchorY = load<f32>(triangle, TRIANGLE_ANCHOR_Y);
  if (ASC_FEATURE_SIMD) {
    const gain = v128.load_splat<f32>(triangle, TRIANGLE_DX + 12);
    const newMark = i32x4.splat(mark);
    // All columns of a narrow triangle are looked at: cheaper than finding those of each row.
    const narrow = right - left <= NARROW;
    const rows = draw + DRAW_WORK;
    openRows(draw, triangle, left, right, rows);
    let heights = f32x4.add(f32x4.splat(<f32>top), v128.load(draw, DRAW_SAMPLE_Y));
    for (let y = top; y < bottom; y += MOST_ROWS) {
      let end = rows;
      const behind = rows + <usize>min(bottom - y, MOST_ROWS) * FOUR_BYTES;
      for (; end < behind; end += FOUR_BYTES) {
        placeRow(draw, triangle, rows, heights, narrow, end);
        heights = f32x4.add(heights, v128.load(draw, DRAW_ONE));
      }
      for (let row = rows; row < end; row += FOUR_BYTES) {
        if (narrow) fourAtEdge(draw, depth, marks, left, right, v128.load(rows, FOUR_COLUMNS), row, gain, newMark, ground);
        else {
          const start = load<i32>(row, FOUR_START), last = -load<i32>(row, FOUR_END);
          const columns = f32x4.add(f32x4.splat(<f32>start), v128.load(rows, FOUR_OFFSETS));
          if (last - start <= SHORT) fourAtEdge(draw, depth, marks, start, last, columns, row, gain, newMark, ground);
          else {
            // Pixels that the triangle covers wholly need no look at its edges. Millions of columns away, where the edge of a
            // triangle flatter than a row is at the height of a sample beside it, the first of them comes out as any number.
            const innerStart = max(start, -load<i32>(row, FOUR_INNER_START)), innerEnd = load<i32>(row, FOUR_INNER_END);
            const whole = innerStart < innerEnd;
            fourAtEdge(draw, depth, marks, start, whole ? innerStart : last, columns, row, gain, newMark, ground);
            if (whole) {
              const inner = f32x4.add(f32x4.splat(<f32>innerStart), v128.load(rows, FOUR_OFFSETS));
              fourInside(draw, depth, marks, innerStart, innerEnd, inner, v128.load(row, FOUR_BASE), gain, newMark, ground);
              const rest = f32x4.add(f32x4.splat(<f32>innerEnd), v128.load(rows, FOUR_OFFSETS));
              fourAtEdge(draw, depth, marks, innerEnd, last, rest, row, gain, newMark, ground);
            }
          }
        }
        depth += pitch;
        marks += pitch;
      }
    }
  } else {
    const spans = draw + DRAW_WORK;
    const value = load<f32>(triangle, TRIANGLE_VALUE + 12);
    const valueX = load<f32>(triangle, TRIANGLE_DX + 12);
    const valueY = load<f32>(triangle, TRIANGLE_DY + 12);
    for (let y = top; y < bottom; y++) {
      for (let k: usize = 0; k < 16; k += 4) {
        const sampleX = load<f32>(draw + k, DRAW_CENTRED_X);
        findSpan(
          triangle, <f32>y + load<f32>(draw + k, DRAW_SAMPLE_Y), load<f32>(draw + k, DRAW_SAMPLE_X), <f32>left, <f32>right, spans,
        );
        const end = <i32>load<f32>(spans, 16);
        const base = value + valueY * (<f32>y - anchorY + load<f32>(draw + k, DRAW_CENTRED_Y));
        for (let x = <i32>load<f32>(spans); x < end; x++) {
          const inverse = base + valueX * (<f32>x - anchorX + sampleX);
          const at = (<usize>x << 4) + k;
          if ((ground ? inverse * GROUND_BIAS : inverse) > load<f32>(depth + at)) {
            store<f32>(depth + at, inverse);
            store<u32>(marks + at, mark);
          }
        }
      }
      depth += pitch;
      marks += pitch;
    }
  }
}

/** Writes what the rows of a triangle have in common. */
// @ts-ignore: decorator
@inline
function openRows(draw: usize, triangle: usize, left: i32, right: i32, rows: usize): void {
  // Columns count from the anchor to where a sample lies: one number says where it is and what 1/z is there.
  const offsets = f32x4.sub(v128.load(draw, DRAW_CENTRED_X), v128.load_splat<f32>(triangle, TRIANGLE_ANCHOR_X));
  const onRight = load<u32>(triangle, TRIANGLE_STATE) & TRIANGLE_ON_RIGHT;
  v128.store(rows, offsets, FOUR_OFFSETS);
  v128.store(rows, f32x4.add(f32x4.splat(<f32>left), offsets), FOUR_COLUMNS);
  v128.store(rows, f32x4.splat(<f32>left), FOUR_LEFT);
  v128.store(rows, f32x4.splat(<f32>right), FOUR_RIGHT);
  v128.store(rows, f32x4.splat(load<f32>(triangle, TRIANGLE_ANCHOR_Y) + 0.5), FOUR_ANCHOR);
  v128.store(rows, i32x4.splat(-<i32>onRight), FOUR_SIDE);
}

/** Writes where a row of a triangle begins and ends, at the heights of its samples, and 1/z there. */
// @ts-ignore: decorator
@inline
function placeRow(draw: usize, triangle: usize, rows: usize, heights: v128, narrow: bool, row: usize): void {
  const sampleX = v128.load(draw, DRAW_SAMPLE_X);
  const long = crossLong(triangle, heights), short = crossShort(triangle, heights);
  // Exchanged where the middle vertex lies to the left.
  const swap = v128.andnot(v128.xor(long, short), v128.load(rows, FOUR_SIDE));
  const from = firstColumns(v128.xor(long, swap), sampleX, v128.load(rows, FOUR_LEFT));
  // 0, which is not to the right of any column, at heights where the triangle is not.
  const held = v128.and(
    f32x4.ge(heights, v128.load_splat<f32>(triangle, TRIANGLE_TOP_Y)),
    f32x4.lt(heights, v128.load_splat<f32>(triangle, TRIANGLE_BOTTOM_Y)),
  );
  const to = v128.and(
    f32x4.pmin(v128.load(rows, FOUR_RIGHT), f32x4.ceil(f32x4.sub(v128.xor(short, swap), sampleX))), held,
  );
  const offsets = v128.load(rows, FOUR_OFFSETS);
  v128.store(row, f32x4.add(from, offsets), FOUR_FIRST);
  v128.store(row, f32x4.add(to, offsets), FOUR_LAST);
  // Rows from the anchor's centre are exact.
  const gain = f32x4.mul(v128.load_splat<f32>(triangle, TRIANGLE_DY + 12), f32x4.sub(heights, v128.load(rows, FOUR_ANCHOR)));
  v128.store(row, f32x4.add(v128.load_splat<f32>(triangle, TRIANGLE_VALUE + 12), gain), FOUR_BASE);
  if (narrow) return;
  // Outermost and innermost columns of the four samples, as integers.
  const minusFrom = f32x4.neg(from), minusTo = f32x4.neg(to);
  const outer = f32x4.pmin(i32x4.shuffle(from, minusTo, 0, 4, 1, 5), i32x4.shuffle(from, minusTo, 2, 6, 3, 7));
  const inner = f32x4.pmin(i32x4.shuffle(minusFrom, to, 0, 4, 1, 5), i32x4.shuffle(minusFrom, to, 2, 6, 3, 7));
  const all = f32x4.pmin(i32x4.shuffle(outer, inner, 0, 1, 4, 5), i32x4.shuffle(outer, inner, 2, 3, 6, 7));
  const magic = v128.load(draw, DRAW_MAGIC);
  v128.store(row, i32x4.sub(f32x4.add(all, magic), magic), FOUR_START);
}

/** Pixels [x, end) where some samples lie outside: those of columns [first, last). */
// @ts-ignore: decorator
@inline
function fourAtEdge(
  draw: usize, depth: usize, marks: usize, x: i32, end: i32, columns: v128, row: usize, gain: v128, newMark: v128, ground: bool,
): void {
  const first = v128.load(row, FOUR_FIRST), last = v128.load(row, FOUR_LAST), base = v128.load(row, FOUR_BASE);
  const one = v128.load(draw, DRAW_ONE);
  let at = depth + (<usize>x << 4);
  const behind = depth + (<usize>max(x, end) << 4);
  const toMarks = marks - depth;
  for (; at < behind; at += 16) {
    const held = v128.and(f32x4.ge(columns, first), f32x4.lt(columns, last));
    put(draw, at, at + toMarks, v128.and(f32x4.add(base, f32x4.mul(gain, columns)), held), newMark, ground);
    columns = f32x4.add(columns, one);
  }
}

/** Pixels [x, end) that are covered wholly. */
// @ts-ignore: decorator
@inline
function fourInside(
  draw: usize, depth: usize, marks: usize, x: i32, end: i32, columns: v128, base: v128, gain: v128, newMark: v128, ground: bool,
): void {
  const one = v128.load(draw, DRAW_ONE);
  let at = depth + (<usize>x << 4);
  const behind = depth + (<usize>end << 4);
  const toMarks = marks - depth;
  for (; at < behind; at += 16) {
    put(draw, at, at + toMarks, f32x4.add(base, f32x4.mul(gain, columns)), newMark, ground);
    columns = f32x4.add(columns, one);
  }
}
