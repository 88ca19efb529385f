/**
 * The pixels of one canvas row that a sprite touches, solved from its two linear texture coordinates. Everything is
 * measured from an anchor pixel that does not depend on the clipping rectangle, so that a pixel has the same bits
 * whether the whole canvas is drawn or a small part of it.
 */
import {
  ASSET_EDGE, ASSET_HEIGHT, ASSET_WIDTH, EDGE_EXTEND, NODE_ASSET, NODE_U_INVERSE, NODE_U_ORIGIN, NODE_U_REACH, NODE_U_X, NODE_U_Y,
  NODE_V_INVERSE, NODE_V_ORIGIN, NODE_V_REACH, NODE_V_X, NODE_V_Y, SPAN_END, SPAN_INNER_END, SPAN_INNER_START, SPAN_OFFSET, SPAN_S0,
  SPAN_START, SPAN_S_X, SPAN_T0, SPAN_T_X, TEXEL_BORDER,
} from './layout';
import { toPixel } from './pose';

/** A slope below this moves less than 1e-6 texels over the widest canvas. */
const FLAT: f64 = 1e-10;

/** First x at which value + slope·x enters the open interval (low, high); +∞ when it never does. */
// @ts-ignore: decorator
@inline
function enter(value: f64, slope: f64, inverse: f64, low: f64, high: f64): f64 {
  if (abs(slope) < FLAT) return value > low && value < high ? -1e18 : 1e18;
  return ((slope > 0 ? low : high) - value) * inverse;
}

/** x at which it leaves again. */
// @ts-ignore: decorator
@inline
function leave(value: f64, slope: f64, inverse: f64, low: f64, high: f64): f64 {
  if (abs(slope) < FLAT) return value > low && value < high ? 1e18 : -1e18;
  return ((slope > 0 ? high : low) - value) * inverse;
}

/**
 * Writes the call's span for row `y` between `clipLeft` and `clipRight`.
 * @returns whether there is a pixel
 */
export function findSpan(call: usize, node: usize, y: i32, clipLeft: i32, clipRight: i32): bool {
  const asset = <usize>load<u32>(node, NODE_ASSET);
  const width = <f64>load<u32>(asset, ASSET_WIDTH);
  const height = <f64>load<u32>(asset, ASSET_HEIGHT);
  const uX = load<f64>(node, NODE_U_X);
  const vX = load<f64>(node, NODE_V_X);
  const uInverse = load<f64>(node, NODE_U_INVERSE);
  const vInverse = load<f64>(node, NODE_V_INVERSE);
  const uReach = load<f64>(node, NODE_U_REACH);
  const vReach = load<f64>(node, NODE_V_REACH);
  const centre = <f64>y + 0.5;
  // Texture coordinates at the centre of pixel 0 of the row.
  const u = load<f64>(node, NODE_U_ORIGIN) + load<f64>(node, NODE_U_Y) * centre + uX * 0.5;
  const v = load<f64>(node, NODE_V_ORIGIN) + load<f64>(node, NODE_V_Y) * centre + vX * 0.5;
  const first = ceil<f64>(max(enter(u, uX, uInverse, -uReach, width + uReach), enter(v, vX, vInverse, -vReach, height + vReach)));
  const last = floor<f64>(min(leave(u, uX, uInverse, -uReach, width + uReach), leave(v, vX, vInverse, -vReach, height + vReach)));
  const anchor = toPixel(first);
  const start = max(anchor, clipLeft);
  const end = min(toPixel(last) + 1, clipRight);
  if (start >= end) return false;
  store<i32>(call, start, SPAN_START);
  store<i32>(call, end, SPAN_END);
  store<i32>(call, start - anchor, SPAN_OFFSET);
  const shift = <f64>TEXEL_BORDER - 0.5;
  store<f32>(call, <f32>(u + uX * <f64>anchor + shift), SPAN_S0);
  store<f32>(call, <f32>(v + vX * <f64>anchor + shift), SPAN_T0);
  store<f32>(call, <f32>uX, SPAN_S_X);
  store<f32>(call, <f32>vX, SPAN_T_X);
  if (<u32>load<u8>(asset, ASSET_EDGE) == EDGE_EXTEND) {
    // Where the outline is at least half a pixel away the coverage is 1. The slack makes up for rounding: for a
    // sprite that ends exactly on a pixel's edge the outermost pixel is inside.
    const slack = 1e-9;
    const uIn = uReach - slack;
    const vIn = vReach - slack;
    const from = ceil<f64>(max(enter(u, uX, uInverse, uIn, width - uIn), enter(v, vX, vInverse, vIn, height - vIn)));
    const to = floor<f64>(min(leave(u, uX, uInverse, uIn, width - uIn), leave(v, vX, vInverse, vIn, height - vIn)));
    const innerStart = min(max(toPixel(from), start), end);
    store<i32>(call, innerStart, SPAN_INNER_START);
    store<i32>(call, max(innerStart, min(toPixel(to) + 1, end)), SPAN_INNER_END);
  }
  return true;
}
