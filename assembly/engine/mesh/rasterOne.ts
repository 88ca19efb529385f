/** Rasterising with one sample a pixel; see raster.ts. */
import { crossLong, crossShort, findSpan, firstColumns } from './edges';
import { GROUND_BIAS, put } from './nearest';
import {
  DRAW_FOUR, DRAW_HALF, DRAW_LANES, DRAW_MAGIC, DRAW_ROWS, DRAW_WORK, TARGET_DEPTH, TARGET_LEFT, TARGET_MARKS, TARGET_PITCH,
  TARGET_TOP, TRIANGLE_ANCHOR_X, TRIANGLE_ANCHOR_Y, TRIANGLE_BOTTOM_Y, TRIANGLE_DX, TRIANGLE_DY, TRIANGLE_ON_RIGHT,
  TRIANGLE_STATE, TRIANGLE_TOP_Y, TRIANGLE_VALUE,
} from './layout';

/** What four rows of a triangle take from memory at DRAW_WORK, f32[4] or i32[4]: columns count from the anchor. */
const ROW_FIRST: usize = 0;
const ROW_LAST: usize = 16;
const ROW_BASE: usize = 32;
/** Of a wide triangle: columns as integers, counted from the image's edge. */
const ROW_START: usize = 48;
const ROW_END: usize = 64;
/** Of a narrow one: its columns, f32[8]. */
const ROW_COLUMNS: usize = 48;

/** One sample a pixel: lanes are rows where edges are crossed, then pixels. */
// @ts-ignore: decorator
@inline
export function rasterOne(
  draw: usize, target: usize, triangle: usize, mark: u32, ground: bool, left: i32, top: i32, right: i32, bottom: i32,
): void {
  const pitch = <usize>load<i32>(target, TARGET_PITCH) << 2;
  const origin = <usize>(top - load<i32>(target, TARGET_TOP)) * pitch - (<usize>load<i32>(target, TARGET_LEFT) << 2);
  let depth = <usize>load<u32>(target, TARGET_DEPTH) + origin;
  let marks = <usize>load<u32>(target, TARGET_MARKS) + origin;
  const spans = draw + DRAW_WORK;
  const anchorX = load<f32>(triangle, TRIANGLE_ANCHOR_X);
  const anchorY = load<f32>(triangle, TRIANGLE_ANCHOR_Y);
  if (ASC_FEATURE_SIMD) {
    const gain = v128.load_splat<f32>(triangle, TRIANGLE_DX + 12);
    const newMark = i32x4.splat(mark);
    const onRight = i32x4.splat(-<i32>(load<u32>(triangle, TRIANGLE_STATE) & TRIANGLE_ON_RIGHT));
    // Rows of a narrow triangle are one or two times four columns: no branch depends on its edges.
    const narrow = right - left <= 8;
    const two = right - left > 4;
    if (narrow) {
      const columns = f32x4.add(f32x4.splat(<f32>left - anchorX), v128.load(draw, DRAW_LANES));
      v128.store(spans, columns, ROW_COLUMNS);
      v128.store(spans, f32x4.add(columns, v128.load(draw, DRAW_FOUR)), ROW_COLUMNS + 16);
    }
    let heights = f32x4.add(f32x4.splat(<f32>top), v128.load(draw, DRAW_ROWS));
    for (let y = top; y < bottom; y += 4) {
      const half = v128.load(draw, DRAW_HALF);
      const long = crossLong(triangle, heights), short = crossShort(triangle, heights);
      // Exchanged where the middle vertex lies to the left.
      const swap = v128.andnot(v128.xor(long, short), onRight);
      const from = firstColumns(v128.xor(long, swap), half, f32x4.splat(<f32>left));
      // 0, which is not to the right of any column, at heights where the triangle is not.
      const held = v128.and(
        f32x4.ge(heights, v128.load_splat<f32>(triangle, TRIANGLE_TOP_Y)),
        f32x4.lt(heights, v128.load_splat<f32>(triangle, TRIANGLE_BOTTOM_Y)),
      );
      const to = v128.and(f32x4.pmin(f32x4.splat(<f32>right), f32x4.ceil(f32x4.sub(v128.xor(short, swap), half))), held);
      // What rows take comes from memory, a number a row: V8 would compute anew in every row what stands in a variable.
      const anchor = v128.load_splat<f32>(triangle, TRIANGLE_ANCHOR_X);
      v128.store(spans, f32x4.sub(from, anchor), ROW_FIRST);
      v128.store(spans, f32x4.sub(to, anchor), ROW_LAST);
      // Rows from the anchor are exact.
      const rowsDown = f32x4.sub(f32x4.sub(heights, half), f32x4.splat(anchorY));
      const gainDown = f32x4.mul(v128.load_splat<f32>(triangle, TRIANGLE_DY + 12), rowsDown);
      v128.store(spans, f32x4.add(v128.load_splat<f32>(triangle, TRIANGLE_VALUE + 12), gainDown), ROW_BASE);
      heights = f32x4.add(heights, v128.load(draw, DRAW_FOUR));
      const end = spans + (<usize>min(4, bottom - y) << 2);
      if (narrow) {
        const offset = <usize>left << 2;
        for (let row = spans; row < end; row += 4) {
          const columns = v128.load(spans, ROW_COLUMNS);
          const base = v128.load_splat<f32>(row, ROW_BASE);
          const first = v128.load_splat<f32>(row, ROW_FIRST), last = v128.load_splat<f32>(row, ROW_LAST);
          const held = v128.and(f32x4.ge(columns, first), f32x4.lt(columns, last));
          put(draw, depth + offset, marks + offset, v128.and(f32x4.add(base, f32x4.mul(gain, columns)), held), newMark, ground);
          if (two) {
            const others = v128.load(spans, ROW_COLUMNS + 16);
            const held = v128.and(f32x4.ge(others, first), f32x4.lt(others, last));
            put(
              draw, depth + offset + 16, marks + offset + 16, v128.and(f32x4.add(base, f32x4.mul(gain, others)), held), newMark,
              ground,
            );
          }
          depth += pitch;
          marks += pitch;
        }
        continue;
      }
      const magic = v128.load(draw, DRAW_MAGIC);
      v128.store(spans, i32x4.sub(f32x4.add(from, magic), magic), ROW_START);
      v128.store(spans, i32x4.sub(f32x4.add(to, magic), magic), ROW_END);
      for (let row = spans; row < end; row += 4) {
        // A column far to the left is some negative number.
        const x = load<i32>(row, ROW_START), behind = load<i32>(row, ROW_END);
        if (x < behind) {
          let columns = f32x4.add(v128.load_splat<f32>(row, ROW_FIRST), v128.load(draw, DRAW_LANES));
          const stop = depth + (<usize>behind << 2);
          const toMarks = marks - depth;
          for (let at = depth + (<usize>x << 2); at < stop; at += 16) {
            const inverse = f32x4.add(v128.load_splat<f32>(row, ROW_BASE), f32x4.mul(gain, columns));
            const held = f32x4.lt(columns, v128.load_splat<f32>(row, ROW_LAST));
            put(draw, at, at + toMarks, v128.and(inverse, held), newMark, ground);
            columns = f32x4.add(columns, v128.load(draw, DRAW_FOUR));
          }
        }
        depth += pitch;
        marks += pitch;
      }
    }
  } else {
    const value = load<f32>(triangle, TRIANGLE_VALUE + 12);
    const valueX = load<f32>(triangle, TRIANGLE_DX + 12);
    const valueY = load<f32>(triangle, TRIANGLE_DY + 12);
    for (let y = top; y < bottom; y++) {
      findSpan(triangle, <f32>y + 0.5, 0.5, <f32>left, <f32>right, spans);
      const end = <i32>load<f32>(spans, 16);
      const base = value + valueY * (<f32>y - anchorY);
      for (let x = <i32>load<f32>(spans); x < end; x++) {
        const inverse = base + valueX * (<f32>x - anchorX);
        if ((ground ? inverse * GROUND_BIAS : inverse) > load<f32>(depth + (<usize>x << 2))) {
          store<f32>(depth + (<usize>x << 2), inverse);
          store<u32>(marks + (<usize>x << 2), mark);
        }
      }
      depth += pitch;
      marks += pitch;
    }
  }
}
