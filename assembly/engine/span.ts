/**
 * The pixels of one canvas row that a sprite touches, solved from its two linear texture coordinates. Everything is
 * measured from an anchor pixel that does not depend on the clipping rectangle, so that a pixel has the same bits
 * whether the whole canvas is drawn or a small part of it.
 */
import {
  ASSET_EDGE, ASSET_HEIGHT, ASSET_WIDTH, EDGE_EXTEND, NODE_ASSET, NODE_U_ENTER, NODE_U_INSET, NODE_U_LEAVE,
  NODE_U_ORIGIN, NODE_U_REACH, NODE_U_SLOPE, NODE_U_X, NODE_U_Y, NODE_V_ENTER, NODE_V_INSET, NODE_V_LEAVE,
  NODE_V_ORIGIN, NODE_V_REACH, NODE_V_SLOPE, NODE_V_X, NODE_V_Y, SPAN_END, SPAN_INNER_END, SPAN_INNER_START,
  SPAN_OFFSET, SPAN_S0, SPAN_START, SPAN_S_X, SPAN_T0, SPAN_T_X, TEXEL_BORDER,
} from './layout';

/** A slope below this moves less than 1e-5 texels over the widest canvas: the bounds of the rows are all there is. */
const FLAT: f64 = 1e-10;
/** Texels: for a sprite that ends exactly on a pixel's edge the outermost pixel is fully covered. */
const SLACK: f64 = 1e-9;

/** A pixel coordinate as an integer, clamped so that it cannot overflow; NaN becomes small. */
export function toPixel(value: f64): i32 {
  if (!(value > -1073741824.0)) return -1073741824;
  return value < 1073741824.0 ? <i32>value : 1073741824;
}

/** Solves both texture coordinates for x once a pose, as linear functions of the row. */
export function prepareSpans(node: usize, asset: usize): void {
  store<f64>(
    node,
    prepareAxis(
      node + NODE_U_ENTER,
      load<f64>(node, NODE_U_ORIGIN),
      load<f64>(node, NODE_U_X),
      load<f64>(node, NODE_U_Y),
      load<f64>(node, NODE_U_REACH),
      <f64>load<u32>(asset, ASSET_WIDTH),
    ),
    NODE_U_INSET,
  );
  store<f64>(
    node,
    prepareAxis(
      node + NODE_V_ENTER,
      load<f64>(node, NODE_V_ORIGIN),
      load<f64>(node, NODE_V_X),
      load<f64>(node, NODE_V_Y),
      load<f64>(node, NODE_V_REACH),
      <f64>load<u32>(asset, ASSET_HEIGHT),
    ),
    NODE_V_INSET,
  );
}

/** Writes enter, leave and slope of one coordinate to `out`; returns its inset. */
function prepareAxis(out: usize, origin: f64, alongX: f64, alongY: f64, reach: f64, length: f64): f64 {
  if (abs(alongX) < FLAT) {
    store<f64>(out, -1e18);
    store<f64>(out, 1e18, 8);
    store<f64>(out, 0, 16);
    return 0;
  }
  const inverse = 1.0 / alongX;
  // At the centre of pixel (0, 0).
  const first = origin + 0.5 * alongX + 0.5 * alongY;
  const low = (-reach - first) * inverse;
  const high = (length + reach - first) * inverse;
  store<f64>(out, inverse > 0 ? low : high);
  store<f64>(out, inverse > 0 ? high : low, 8);
  store<f64>(out, -alongY * inverse, 16);
  return (2.0 * reach - SLACK) * abs(inverse);
}

/**
 * Writes the call's span for row `y` between `clipLeft` and `clipRight`.
 * @returns whether there is a pixel
 */
export function findSpan(call: usize, node: usize, y: i32, clipLeft: i32, clipRight: i32): bool {
  const row = <f64>y;
  const uShift = load<f64>(node, NODE_U_SLOPE) * row;
  const vShift = load<f64>(node, NODE_V_SLOPE) * row;
  const uEnter = load<f64>(node, NODE_U_ENTER) + uShift;
  const uLeave = load<f64>(node, NODE_U_LEAVE) + uShift;
  const vEnter = load<f64>(node, NODE_V_ENTER) + vShift;
  const vLeave = load<f64>(node, NODE_V_LEAVE) + vShift;
  const anchor = toPixel(ceil<f64>(uEnter > vEnter ? uEnter : vEnter));
  const start = anchor > clipLeft ? anchor : clipLeft;
  const last = toPixel(floor<f64>(uLeave < vLeave ? uLeave : vLeave)) + 1;
  const end = last < clipRight ? last : clipRight;
  if (start >= end) return false;
  store<i32>(call, start, SPAN_START);
  store<i32>(call, end, SPAN_END);
  store<i32>(call, start - anchor, SPAN_OFFSET);
  const uX = load<f64>(node, NODE_U_X);
  const vX = load<f64>(node, NODE_V_X);
  const x = <f64>anchor + 0.5;
  const centre = row + 0.5;
  const shift = <f64>TEXEL_BORDER - 0.5;
  const u = load<f64>(node, NODE_U_ORIGIN) + load<f64>(node, NODE_U_Y) * centre;
  const v = load<f64>(node, NODE_V_ORIGIN) + load<f64>(node, NODE_V_Y) * centre;
  store<f32>(call, <f32>(u + uX * x + shift), SPAN_S0);
  store<f32>(call, <f32>(v + vX * x + shift), SPAN_T0);
  store<f32>(call, <f32>uX, SPAN_S_X);
  store<f32>(call, <f32>vX, SPAN_T_X);
  const asset = <usize>load<u32>(node, NODE_ASSET);
  if (<u32>load<u8>(asset, ASSET_EDGE) != EDGE_EXTEND) return true;

  // Full coverage begins where the outline is half a pixel away.
  const uInset = load<f64>(node, NODE_U_INSET);
  const vInset = load<f64>(node, NODE_V_INSET);
  const from = toPixel(ceil<f64>(max(uEnter + uInset, vEnter + vInset)));
  let to = toPixel(floor<f64>(min(uLeave - uInset, vLeave - vInset))) + 1;
  // A coordinate that is the same all along the row is inside or not.
  if (abs(uX) < FLAT && !isWithin(u, load<f64>(node, NODE_U_REACH), <f64>load<u32>(asset, ASSET_WIDTH))) to = from;
  if (abs(vX) < FLAT && !isWithin(v, load<f64>(node, NODE_V_REACH), <f64>load<u32>(asset, ASSET_HEIGHT))) to = from;
  const innerStart = min(max(from, start), end);
  store<i32>(call, innerStart, SPAN_INNER_START);
  store<i32>(call, max(innerStart, min(to, end)), SPAN_INNER_END);
  return true;
}

function isWithin(value: f64, reach: f64, length: f64): bool {
  return value >= reach - SLACK && value <= length - reach + SLACK;
}
