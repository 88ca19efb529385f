/** Where the edges of a triangle record are crossed: the columns that it has at a height. */
import {
  TRIANGLE_BOTTOM_Y, TRIANGLE_LONG_SLOPE, TRIANGLE_LOWER_SLOPE, TRIANGLE_MIDDLE_X, TRIANGLE_MIDDLE_Y, TRIANGLE_ON_RIGHT,
  TRIANGLE_STATE, TRIANGLE_TOP_X, TRIANGLE_TOP_Y, TRIANGLE_UPPER_SLOPE,
} from './layout';

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
export function crossLong(triangle: usize, heights: v128): v128 {
  const fromTop = f32x4.sub(heights, v128.load_splat<f32>(triangle, TRIANGLE_TOP_Y));
  return f32x4.add(
    v128.load_splat<f32>(triangle, TRIANGLE_TOP_X), f32x4.mul(fromTop, v128.load_splat<f32>(triangle, TRIANGLE_LONG_SLOPE)),
  );
}

/** Where the upper or lower edge does. */
// @ts-ignore: decorator
@inline
export function crossShort(triangle: usize, heights: v128): v128 {
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
export function firstColumns(edge: v128, offsets: v128, left: v128): v128 {
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
