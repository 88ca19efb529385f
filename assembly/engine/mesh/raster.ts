/**
 * Rasterising: which samples of a rectangle a triangle holds, by depth. Writes 1/z and marks (layout.ts), nothing else:
 * what a pixel looks like is computed once it is known who holds it.
 *
 * Rows are taken four at a time (one sample a pixel) or one at a time with its four samples in the lanes; both are four
 * heights at which the edges are crossed. 1/z at a sample is value + dy·(its rows) + dx·(its columns), so it does not
 * depend on the rectangle. Something nearer replaces what is there; at the same depth the first stays, but ground that is as
 * near as what is there but for 1/1024 replaces it: roads are drawn over grass, markings over roads, by order.
 */
import {
  DRAW_BIAS, DRAW_CENTRED_X, DRAW_CENTRED_Y, DRAW_FOUR, DRAW_HALF, DRAW_LANES, DRAW_MAGIC, DRAW_ONE, DRAW_ROWS, DRAW_SAMPLES,
  DRAW_SAMPLE_X, DRAW_SAMPLE_Y, DRAW_TRIANGLES, DRAW_WORK, TARGET_BOTTOM, TARGET_DEPTH, TARGET_LEFT, TARGET_MARKS,
  TARGET_PITCH, TARGET_RIGHT, TARGET_TOP, TRIANGLE_ANCHOR_X, TRIANGLE_ANCHOR_Y, TRIANGLE_BOTTOM, TRIANGLE_BOTTOM_Y,
  TRIANGLE_DX, TRIANGLE_DY, TRIANGLE_LEFT, TRIANGLE_LONG_SLOPE, TRIANGLE_LOWER_SLOPE, TRIANGLE_MIDDLE_X, TRIANGLE_MIDDLE_Y,
  TRIANGLE_ON_GROUND, TRIANGLE_ON_RIGHT, TRIANGLE_RIGHT, TRIANGLE_SHIFT, TRIANGLE_STATE, TRIANGLE_TOP, TRIANGLE_TOP_X,
  TRIANGLE_TOP_Y, TRIANGLE_UPPER_SLOPE, TRIANGLE_VALUE,
} from './layout';

/** How much farther ground may be than other ground and still be drawn over it, as a factor of 1/z. */
const BIAS: f32 = 1.0009765625;

/**
 * Draws the triangle record `number` into a target.
 * @param mark what is written where it is nearest: its number, or whatever the caller wants to find there
 */
export function rasterTriangle(draw: usize, target: usize, number: u32, mark: u32): void {
  const triangle = <usize>load<u32>(draw, DRAW_TRIANGLES) + (<usize>number << TRIANGLE_SHIFT);
  const ground = (load<u32>(triangle, TRIANGLE_STATE) & TRIANGLE_ON_GROUND) != 0;
  const left = max(<i32>load<i16>(triangle, TRIANGLE_LEFT), load<i32>(target, TARGET_LEFT));
  const top = max(<i32>load<i16>(triangle, TRIANGLE_TOP), load<i32>(target, TARGET_TOP));
  const right = min(<i32>load<i16>(triangle, TRIANGLE_RIGHT), load<i32>(target, TARGET_RIGHT));
  const bottom = min(<i32>load<i16>(triangle, TRIANGLE_BOTTOM), load<i32>(target, TARGET_BOTTOM));
  if (left >= right || top >= bottom) return;
  if (load<u32>(draw, DRAW_SAMPLES) == 4) {
    if (ground) fourOfGround(draw, target, triangle, mark, left, top, right, bottom);
    else fourOfSolid(draw, target, triangle, mark, left, top, right, bottom);
  } else if (ground) oneOfGround(draw, target, triangle, mark, left, top, right, bottom);
  else oneOfSolid(draw, target, triangle, mark, left, top, right, bottom);
}

// Functions of their own: inlined into one they would be folded into one loop that asks at every pixel what is ground.

function fourOfGround(
  draw: usize, target: usize, triangle: usize, mark: u32, left: i32, top: i32, right: i32, bottom: i32,
): void {
  rasterFour(draw, target, triangle, mark, true, left, top, right, bottom);
}

function fourOfSolid(
  draw: usize, target: usize, triangle: usize, mark: u32, left: i32, top: i32, right: i32, bottom: i32,
): void {
  rasterFour(draw, target, triangle, mark, false, left, top, right, bottom);
}

function oneOfGround(
  draw: usize, target: usize, triangle: usize, mark: u32, left: i32, top: i32, right: i32, bottom: i32,
): void {
  rasterOne(draw, target, triangle, mark, true, left, top, right, bottom);
}

function oneOfSolid(
  draw: usize, target: usize, triangle: usize, mark: u32, left: i32, top: i32, right: i32, bottom: i32,
): void {
  rasterOne(draw, target, triangle, mark, false, left, top, right, bottom);
}

/** What four rows of a triangle take from memory at DRAW_WORK, f32[4] or i32[4]: columns count from the anchor. */
const ROW_FIRST: usize = 0;
const ROW_LAST: usize = 16;
const ROW_BASE: usize = 32;
/** Of a wide triangle: columns as integers, counted from the image's edge. */
const ROW_START: usize = 48;
const ROW_END: usize = 64;
/** Of a narrow one: its columns, f32[8]. */
const ROW_COLUMNS: usize = 48;

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

/** Where a triangle begins (side 0) or ends (side 1) at a height, px. */
// @ts-ignore: decorator
@inline
function crossing(triangle: usize, height: f32, side: u32): f32 {
  const onRight = (load<u32>(triangle, TRIANGLE_STATE) & TRIANGLE_ON_RIGHT) != 0;
  const fromTop = height - load<f32>(triangle, TRIANGLE_TOP_Y);
  if (onRight == (side == 0)) return load<f32>(triangle, TRIANGLE_TOP_X) + fromTop * load<f32>(triangle, TRIANGLE_LONG_SLOPE);
  const middleY = load<f32>(triangle, TRIANGLE_MIDDLE_Y);
  if (height < middleY) return load<f32>(triangle, TRIANGLE_TOP_X) + fromTop * load<f32>(triangle, TRIANGLE_UPPER_SLOPE);
  return load<f32>(triangle, TRIANGLE_MIDDLE_X) + (height - middleY) * load<f32>(triangle, TRIANGLE_LOWER_SLOPE);
}

/** Where the long edge crosses four heights. */
// @ts-ignore: decorator
@inline
function crossLong(triangle: usize, heights: v128): v128 {
  const fromTop = f32x4.sub(heights, v128.load_splat<f32>(triangle, TRIANGLE_TOP_Y));
  return f32x4.add(
    v128.load_splat<f32>(triangle, TRIANGLE_TOP_X), f32x4.mul(fromTop, v128.load_splat<f32>(triangle, TRIANGLE_LONG_SLOPE)),
  );
}

/** Where the upper or lower edge does. */
// @ts-ignore: decorator
@inline
function crossShort(triangle: usize, heights: v128): v128 {
  const fromTop = f32x4.sub(heights, v128.load_splat<f32>(triangle, TRIANGLE_TOP_Y));
  const middleY = v128.load_splat<f32>(triangle, TRIANGLE_MIDDLE_Y);
  const upper = f32x4.add(
    v128.load_splat<f32>(triangle, TRIANGLE_TOP_X), f32x4.mul(fromTop, v128.load_splat<f32>(triangle, TRIANGLE_UPPER_SLOPE)),
  );
  const lower = f32x4.add(
    v128.load_splat<f32>(triangle, TRIANGLE_MIDDLE_X),
    f32x4.mul(f32x4.sub(heights, middleY), v128.load_splat<f32>(triangle, TRIANGLE_LOWER_SLOPE)),
  );
  return v128.bitselect(upper, lower, f32x4.lt(heights, middleY));
}

/** First column at four heights, as f32. The order of operands puts a NaN aside: columns stay within [left, right]. */
// @ts-ignore: decorator
@inline
function firstColumns(edge: v128, offsets: v128, left: v128): v128 {
  return f32x4.pmax(left, f32x4.ceil(f32x4.sub(edge, offsets)));
}

/** Column behind the last; `left` at heights where the triangle is not. */
// @ts-ignore: decorator
@inline
function endColumns(triangle: usize, edge: v128, heights: v128, offsets: v128, left: v128, right: v128): v128 {
  const held = v128.and(
    f32x4.ge(heights, v128.load_splat<f32>(triangle, TRIANGLE_TOP_Y)),
    f32x4.lt(heights, v128.load_splat<f32>(triangle, TRIANGLE_BOTTOM_Y)),
  );
  return v128.bitselect(f32x4.pmin(right, f32x4.ceil(f32x4.sub(edge, offsets))), left, held);
}

/**
 * Columns [from, to) of a triangle at four heights, as f32: from[4], to[4]; to ≤ from where it has none.
 * @param offsets where a sample lies in its pixel, f32[4]
 */
// @ts-ignore: decorator
@inline
export function findSpans(triangle: usize, heights: v128, offsets: v128, left: v128, right: v128, spans: usize): void {
  const onRight = (load<u32>(triangle, TRIANGLE_STATE) & TRIANGLE_ON_RIGHT) != 0;
  const long = crossLong(triangle, heights), short = crossShort(triangle, heights);
  v128.store(spans, firstColumns(onRight ? long : short, offsets, left));
  v128.store(spans, endColumns(triangle, onRight ? short : long, heights, offsets, left, right), 16);
}

/** The same at one height. */
// @ts-ignore: decorator
@inline
export function findSpan(triangle: usize, height: f32, offset: f32, left: f32, right: f32, span: usize): void {
  if (!(height >= load<f32>(triangle, TRIANGLE_TOP_Y) && height < load<f32>(triangle, TRIANGLE_BOTTOM_Y))) {
    store<f32>(span, left);
    store<f32>(span, left, 16);
    return;
  }
  const from = ceil(crossing(triangle, height, 0) - offset);
  const to = ceil(crossing(triangle, height, 1) - offset);
  store<f32>(span, left < from ? from : left);
  store<f32>(span, to < right ? to : right, 16);
}

/** One sample a pixel: lanes are rows where edges are crossed, then pixels. */
// @ts-ignore: decorator
@inline
function rasterOne(
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
        if ((ground ? inverse * BIAS : inverse) > load<f32>(depth + (<usize>x << 2))) {
          store<f32>(depth + (<usize>x << 2), inverse);
          store<u32>(marks + (<usize>x << 2), mark);
        }
      }
      depth += pitch;
      marks += pitch;
    }
  }
}

/** Four samples a pixel: lanes are samples. */
// @ts-ignore: decorator
@inline
function rasterFour(
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
            // Pixels that the triangle covers wholly need no look at its edges.
            const innerStart = -load<i32>(row, FOUR_INNER_START), innerEnd = load<i32>(row, FOUR_INNER_END);
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
          if ((ground ? inverse * BIAS : inverse) > load<f32>(depth + at)) {
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

/** Writes four samples where they are nearer than what is there, which is at least 0. `inverse` is 0 where nothing is drawn. */
// @ts-ignore: decorator
@inline
function put(draw: usize, depth: usize, marks: usize, inverse: v128, newMark: v128, ground: bool): void {
  const old = v128.load(depth);
  const write = f32x4.gt(ground ? f32x4.mul(inverse, v128.load(draw, DRAW_BIAS)) : inverse, old);
  v128.store(depth, ground ? v128.bitselect(inverse, old, write) : f32x4.pmax(old, inverse));
  v128.store(marks, v128.bitselect(newMark, v128.load(marks), write));
}
