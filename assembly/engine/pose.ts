/**
 * Where a node's frame and sprite lie on the canvas. Frames are inherited (position, rotation, scale); stretch, colour
 * and opacity are the node's own. All in f64: a perturbation of 1e-3 px must not drown in rounding.
 */
import {
  ASSET_CENTRE_X, ASSET_CENTRE_Y, ASSET_EDGE, ASSET_FORMAT, ASSET_HEIGHT, ASSET_WIDTH, CALL_ATTRIBUTES, CALL_CHANNELS,
  CALL_COLUMN, CALL_COLUMNS, EDGE_EXTEND, FORMAT_INK8, NODE_ALPHA, NODE_ASSET, NODE_AXIS_X, NODE_AXIS_Y, NODE_BLUE,
  NODE_BOTTOM, NODE_FRAME_X, NODE_FRAME_Y, NODE_GREEN, NODE_LEFT, NODE_PLACED, NODE_RED, NODE_RIGHT, NODE_TOP,
  NODE_U_ORIGIN, NODE_U_REACH, NODE_U_X, NODE_U_Y, NODE_V_ORIGIN, NODE_V_REACH, NODE_V_X, NODE_V_Y, ROLE_BLUE,
  ROLE_BRIGHTNESS, ROLE_GREEN, ROLE_OPACITY, ROLE_RED, ROLE_ROTATION, ROLE_SCALE, ROLE_SCALE_X, ROLE_SCALE_Y, ROLE_X,
  ROLE_Y,
} from './layout';
import { prepareSpans, toPixel } from './span';
import { cosine, sine } from './trigonometry';

/** A sprite farther away than this is not drawn: f64 texture coordinates would lose the pixel. px. */
const FARTHEST: f64 = 1e6;
/** A texel smaller than this is not drawn: the largest sprite would cover less than a pixel. px. */
const SMALLEST: f64 = 1e-4;
const LARGEST: f64 = 1e6;

/** Value of the attribute with a role, `fallback` when the schema has none. */
export function attributeOf(call: usize, node: i32, role: i32, fallback: f64): f64 {
  const column = load<i32>(call + ((<usize>role) << 2), CALL_COLUMN);
  if (column < 0) return fallback;
  const index = <usize>node * <usize>load<u32>(call, CALL_COLUMNS) + <usize>column;
  return <f64>load<f32>(<usize>load<u32>(call, CALL_ATTRIBUTES) + (index << 2));
}

// @ts-ignore: decorator
@inline
function valueOf(call: usize, node: i32, role: i32, fallback: f64, changedRole: i32, changed: f64): f64 {
  return role == changedRole ? changed : attributeOf(call, node, role, fallback);
}

/**
 * Fills a node record from its attributes and its parent's record; NODE_ASSET stands there already.
 * @param parent the parent's node record, 0 for a root
 * @param changedRole role whose value is `changed` instead of the batch's, 0 for none
 */
export function placeNode(call: usize, node: i32, record: usize, parent: usize, changedRole: i32, changed: f64): void {
  const x = valueOf(call, node, ROLE_X, 0, changedRole, changed);
  const y = valueOf(call, node, ROLE_Y, 0, changedRole, changed);
  const rotation = valueOf(call, node, ROLE_ROTATION, 0, changedRole, changed);
  const scale = valueOf(call, node, ROLE_SCALE, 1, changedRole, changed);
  const c = scale * cosine(rotation);
  const s = scale * sine(rotation);
  let frameX = x;
  let frameY = y;
  let axisX = c;
  let axisY = s;
  if (parent != 0) {
    const px = load<f64>(parent, NODE_AXIS_X);
    const py = load<f64>(parent, NODE_AXIS_Y);
    frameX = load<f64>(parent, NODE_FRAME_X) + (px * x - py * y);
    frameY = load<f64>(parent, NODE_FRAME_Y) + (py * x + px * y);
    axisX = px * c - py * s;
    axisY = px * s + py * c;
  }
  store<f64>(record, frameX, NODE_FRAME_X);
  store<f64>(record, frameY, NODE_FRAME_Y);
  store<f64>(record, axisX, NODE_AXIS_X);
  store<f64>(record, axisY, NODE_AXIS_Y);
  store<u32>(record, 0, NODE_PLACED);
  const asset = <usize>load<u32>(record, NODE_ASSET);
  if (asset == 0) return;
  placeSprite(
    record,
    asset,
    valueOf(call, node, ROLE_SCALE_X, 1, changedRole, changed),
    valueOf(call, node, ROLE_SCALE_Y, 1, changedRole, changed),
  );
  colourSprite(call, node, record, asset, changedRole, changed);
}

/** Texture coordinates and bounds; leaves NODE_PLACED at 0 where nothing can be drawn. */
function placeSprite(record: usize, asset: usize, stretchX: f64, stretchY: f64): void {
  const frameX = load<f64>(record, NODE_FRAME_X);
  const frameY = load<f64>(record, NODE_FRAME_Y);
  const axisX = load<f64>(record, NODE_AXIS_X);
  const axisY = load<f64>(record, NODE_AXIS_Y);
  const squared = axisX * axisX + axisY * axisY;
  const size = sqrt<f64>(squared);
  const pixelU = size * abs(stretchX);
  const pixelV = size * abs(stretchY);
  // Written so that NaN fails.
  if (!(abs(frameX) <= FARTHEST && abs(frameY) <= FARTHEST)) return;
  if (!(pixelU >= SMALLEST && pixelU <= LARGEST && pixelV >= SMALLEST && pixelV <= LARGEST)) return;
  if (!(size >= 1e-12 && size <= 1e12)) return;

  const inverseU = 1.0 / (squared * stretchX);
  const inverseV = 1.0 / (squared * stretchY);
  const uX = axisX * inverseU;
  const uY = axisY * inverseU;
  const vX = -axisY * inverseV;
  const vY = axisX * inverseV;
  const centreX = <f64>load<f32>(asset, ASSET_CENTRE_X);
  const centreY = <f64>load<f32>(asset, ASSET_CENTRE_Y);
  store<f64>(record, centreX - uX * frameX - uY * frameY, NODE_U_ORIGIN);
  store<f64>(record, uX, NODE_U_X);
  store<f64>(record, uY, NODE_U_Y);
  store<f64>(record, centreY - vX * frameX - vY * frameY, NODE_V_ORIGIN);
  store<f64>(record, vX, NODE_V_X);
  store<f64>(record, vY, NODE_V_Y);
  const extends_ = <u32>load<u8>(asset, ASSET_EDGE) == EDGE_EXTEND;
  const uReach: f64 = extends_ ? 0.5 / pixelU : 0.5;
  const vReach: f64 = extends_ ? 0.5 / pixelV : 0.5;
  store<f64>(record, uReach, NODE_U_REACH);
  store<f64>(record, vReach, NODE_V_REACH);

  prepareSpans(record, asset);

  // The painted quad's half-extents about its middle give the bounds.
  const width = <f64>load<u32>(asset, ASSET_WIDTH);
  const height = <f64>load<u32>(asset, ASSET_HEIGHT);
  const middleU = (width * 0.5 - centreX) * stretchX;
  const middleV = (height * 0.5 - centreY) * stretchY;
  const halfU = (width * 0.5 + uReach) * stretchX;
  const halfV = (height * 0.5 + vReach) * stretchY;
  const middleX = frameX + (axisX * middleU - axisY * middleV);
  const middleY = frameY + (axisY * middleU + axisX * middleV);
  const halfX = abs(axisX * halfU) + abs(axisY * halfV);
  const halfY = abs(axisY * halfU) + abs(axisX * halfV);
  store<i32>(record, toPixel(ceil<f64>(middleX - halfX - 0.5)), NODE_LEFT);
  store<i32>(record, toPixel(ceil<f64>(middleY - halfY - 0.5)), NODE_TOP);
  store<i32>(record, toPixel(floor<f64>(middleX + halfX - 0.5) + 1), NODE_RIGHT);
  store<i32>(record, toPixel(floor<f64>(middleY + halfY - 0.5) + 1), NODE_BOTTOM);
  store<u32>(record, 1, NODE_PLACED);
}

/** Factors on the texel: colour, brightness, opacity; the grey canvas knows one colour factor, the red one. */
function colourSprite(call: usize, node: i32, record: usize, asset: usize, changedRole: i32, changed: f64): void {
  const unit: f64 = <u32>load<u8>(asset, ASSET_FORMAT) == FORMAT_INK8 ? 1.0 / 255.0 : 1.0;
  const opacity = unit * valueOf(call, node, ROLE_OPACITY, 1, changedRole, changed);
  const light = opacity * valueOf(call, node, ROLE_BRIGHTNESS, 1, changedRole, changed);
  const red = light * valueOf(call, node, ROLE_RED, 1, changedRole, changed);
  const grey = load<u32>(call, CALL_CHANNELS) == 1;
  const green = grey ? red : light * valueOf(call, node, ROLE_GREEN, 1, changedRole, changed);
  const blue = grey ? red : light * valueOf(call, node, ROLE_BLUE, 1, changedRole, changed);
  store<f32>(record, <f32>red, NODE_RED);
  store<f32>(record, <f32>green, NODE_GREEN);
  store<f32>(record, <f32>blue, NODE_BLUE);
  store<f32>(record, <f32>opacity, NODE_ALPHA);
}
