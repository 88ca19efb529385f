/** Painting sprites into the call's rectangle of the canvas. */
import {
  ASSET_EDGE, ASSET_FLAGS, ASSET_FORMAT, ASSET_STRIDE, ASSET_TEXELS, CALL_BOTTOM, CALL_CANVAS, CALL_CHANNELS, CALL_LEFT,
  CALL_PITCH, CALL_RIGHT, CALL_TOP, CALL_WIDTH, EDGE_EXTEND, FLAG_OPAQUE, FLAG_SOLID, FORMAT_RGBA32F, NODE_ALPHA,
  NODE_ASSET, NODE_BOTTOM, NODE_CLASS, NODE_LEFT, NODE_PLACED, NODE_RIGHT, NODE_TOP, NODE_U_X, NODE_U_Y, NODE_V_X,
  NODE_V_Y, SPAN_END, SPAN_INNER_END, SPAN_INNER_START, SPAN_OFFSET, SPAN_S0, SPAN_START, SPAN_T0, TEXEL_BORDER,
} from './layout';
import { blendSpan, copyOpaque, fillSolid, labelPixels, labelSpan } from './blend';
import { sampleSpan } from './sample';
import { findSpan } from './span';

/** How the fully covered pixels of a sprite can be had without sampling. */
const SAMPLE: i32 = 0;
const FILL: i32 = 1;
const COPY: i32 = 2;

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

/** Opaque backgrounds: one colour, or one texel a pixel with texel centres on pixel centres. */
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
  return upright ? COPY : SAMPLE;
}

/**
 * Paints one sprite, clipped to the call's rectangle, into the canvas whose first pixel is the rectangle's.
 * @param instances u16 [H, W] of the whole canvas, or 0
 * @param classes u8 [H, W] of the whole canvas, or 0
 */
export function paintSprite(call: usize, node: usize, index: i32, instances: usize, classes: usize): void {
  if (!meetsRectangle(call, node)) return;
  const asset = <usize>load<u32>(node, NODE_ASSET);
  const format = <u32>load<u8>(asset, ASSET_FORMAT);
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
  for (let y = from; y < to; y++) {
    if (!findSpan(call, node, y, left, right)) continue;
    const start = load<i32>(call, SPAN_START);
    const end = load<i32>(call, SPAN_END);
    const target = canvas + (<usize>((y - top) * pitch + start - left) << shift);
    const pixel = <usize>(y * width + start);
    const rowInstances: usize = instances == 0 ? 0 : instances + (pixel << 1);
    const rowClasses: usize = classes == 0 ? 0 : classes + pixel;
    if (
      way != SAMPLE &&
      load<i32>(call, SPAN_INNER_START) == start &&
      load<i32>(call, SPAN_INNER_END) == end &&
      paintPlain(call, node, asset, way, target, end - start)
    ) {
      if (labelled) labelPixels(rowInstances, index + 1, rowClasses, class_, 0, end - start);
      continue;
    }
    sampleSpan(call, node, y);
    blendSpan(call, node, target, format);
    if (labelled) labelSpan(call, node, format, rowInstances, index + 1, rowClasses, class_);
  }
}

/** Paints a fully covered span without sampling; false when its texels do not lie on pixel centres. */
function paintPlain(call: usize, node: usize, asset: usize, way: i32, target: usize, count: i32): bool {
  const texels = <usize>load<u32>(asset, ASSET_TEXELS);
  const stride = <usize>load<u32>(asset, ASSET_STRIDE);
  if (way == FILL) {
    const border = <usize>TEXEL_BORDER;
    fillSolid(call, node, texels + border * stride + (border << 4), target, count);
    return true;
  }
  const s = load<f32>(call, SPAN_S0) + <f32>load<i32>(call, SPAN_OFFSET);
  const t = load<f32>(call, SPAN_T0);
  if (floor<f32>(s) != s || floor<f32>(t) != t) return false;
  copyOpaque(node, texels + <usize>t * stride + (<usize>s << 4), 16, target, count);
  return true;
}
