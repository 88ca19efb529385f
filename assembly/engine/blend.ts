/**
 * Painter's order: the samples of one span over what the canvas holds. With premultiplied colour C and opacity α,
 * canvas ← C + (1 − α)·canvas. Nothing is clamped, so that the image stays differentiable beyond the range.
 * The canvas is f32 a pixel when grey and f32×4 (the fourth unused) when RGB, both padded: blending zeros changes nothing.
 */
import { CALL_CHANNELS, CALL_ONE, CALL_ROW, FORMAT_INK8, NODE_ALPHA, NODE_RED, SPAN_END, SPAN_START } from './layout';

/** Weights of red, green and blue on a grey canvas (ITU-R BT.601). */
export const LUMA_RED: f32 = 0.299;
export const LUMA_GREEN: f32 = 0.587;
export const LUMA_BLUE: f32 = 0.114;

/**
 * @param target the canvas at the first pixel of the span
 * @param format the sprite's format
 */
export function blendSpan(call: usize, node: usize, target: usize, format: u32): void {
  const row = <usize>load<u32>(call, CALL_ROW);
  const count = load<i32>(call, SPAN_END) - load<i32>(call, SPAN_START);
  if (load<u32>(call, CALL_CHANNELS) == 1) {
    if (format == FORMAT_INK8) blendInkGrey(call, node, row, target, count);
    else blendColourGrey(node, row, target, count);
  } else if (format == FORMAT_INK8) blendInkColour(call, node, row, target, count);
  else blendColourColour(call, node, row, target, count);
}

function blendInkGrey(call: usize, node: usize, row: usize, target: usize, count: i32): void {
  const light = load<f32>(node, NODE_RED);
  const alpha = load<f32>(node, NODE_ALPHA);
  const end = row + (<usize>count << 2);
  if (ASC_FEATURE_SIMD) {
    const lights = f32x4.splat(light);
    const alphas = f32x4.splat(alpha);
    const one = v128.load(call, CALL_ONE);
    while (row < end) {
      const ink = v128.load(row);
      const rest = f32x4.sub(one, f32x4.mul(ink, alphas));
      v128.store(target, f32x4.add(f32x4.mul(ink, lights), f32x4.mul(v128.load(target), rest)));
      row += 16;
      target += 16;
    }
  } else {
    while (row < end) {
      const ink = load<f32>(row);
      const rest = <f32>1 - ink * alpha;
      store<f32>(target, ink * light + load<f32>(target) * rest);
      row += 4;
      target += 4;
    }
  }
}

function blendColourGrey(node: usize, row: usize, target: usize, count: i32): void {
  const light = load<f32>(node, NODE_RED);
  const alpha = load<f32>(node, NODE_ALPHA);
  for (let i = 0; i < count; i++) {
    const luma = load<f32>(row) * LUMA_RED + load<f32>(row, 4) * LUMA_GREEN + load<f32>(row, 8) * LUMA_BLUE;
    const rest = <f32>1 - load<f32>(row, 12) * alpha;
    store<f32>(target, luma * light + load<f32>(target) * rest);
    row += 16;
    target += 4;
  }
}

function blendInkColour(call: usize, node: usize, row: usize, target: usize, count: i32): void {
  if (ASC_FEATURE_SIMD) {
    const factors = v128.load(node, NODE_RED);
    const alphas = i32x4.shuffle(factors, factors, 3, 3, 3, 3);
    const one = v128.load(call, CALL_ONE);
    for (let i = 0; i < count; i++) {
      const ink = v128.load_splat<u32>(row);
      const rest = f32x4.sub(one, f32x4.mul(ink, alphas));
      v128.store(target, f32x4.add(f32x4.mul(ink, factors), f32x4.mul(v128.load(target), rest)));
      row += 4;
      target += 16;
    }
  } else {
    const alpha = load<f32>(node, NODE_ALPHA);
    for (let i = 0; i < count; i++) {
      const ink = load<f32>(row);
      const rest = <f32>1 - ink * alpha;
      for (let c: usize = 0; c < 16; c += 4) {
        store<f32>(target + c, ink * load<f32>(node + c, NODE_RED) + load<f32>(target + c) * rest);
      }
      row += 4;
      target += 16;
    }
  }
}

function blendColourColour(call: usize, node: usize, row: usize, target: usize, count: i32): void {
  if (ASC_FEATURE_SIMD) {
    const factors = v128.load(node, NODE_RED);
    const one = v128.load(call, CALL_ONE);
    for (let i = 0; i < count; i++) {
      const colour = f32x4.mul(v128.load(row), factors);
      const rest = f32x4.sub(one, i32x4.shuffle(colour, colour, 3, 3, 3, 3));
      v128.store(target, f32x4.add(colour, f32x4.mul(v128.load(target), rest)));
      row += 16;
      target += 16;
    }
  } else {
    const alpha = load<f32>(node, NODE_ALPHA);
    for (let i = 0; i < count; i++) {
      const rest = <f32>1 - load<f32>(row, 12) * alpha;
      for (let c: usize = 0; c < 16; c += 4) {
        store<f32>(target + c, load<f32>(row + c) * load<f32>(node + c, NODE_RED) + load<f32>(target + c) * rest);
      }
      row += 16;
      target += 16;
    }
  }
}

/**
 * Fills pixels where an opaque sprite of one colour covers fully, with what blending would give.
 * @param texel address of its texel, f32×4
 */
export function fillSolid(call: usize, node: usize, texel: usize, target: usize, count: i32): void {
  if (load<u32>(call, CALL_CHANNELS) == 1) {
    const luma = load<f32>(texel) * LUMA_RED + load<f32>(texel, 4) * LUMA_GREEN + load<f32>(texel, 8) * LUMA_BLUE;
    const value = luma * load<f32>(node, NODE_RED);
    let i = 0;
    if (ASC_FEATURE_SIMD) {
      const values = f32x4.splat(value);
      for (; i + 4 <= count; i += 4) v128.store(target + (<usize>i << 2), values);
    }
    for (; i < count; i++) store<f32>(target + (<usize>i << 2), value);
    return;
  }
  copyOpaque(node, texel, 0, target, count);
}

/**
 * Writes opaque texels times the node's colour: `step` 16 for one texel a pixel, 0 for the same texel again and again.
 * RGB canvas only.
 */
export function copyOpaque(node: usize, texel: usize, step: usize, target: usize, count: i32): void {
  if (ASC_FEATURE_SIMD) {
    const factors = v128.load(node, NODE_RED);
    let i = 0;
    for (; i + 4 <= count; i += 4) {
      v128.store(target, f32x4.mul(v128.load(texel), factors));
      texel += step;
      v128.store(target, f32x4.mul(v128.load(texel), factors), 16);
      texel += step;
      v128.store(target, f32x4.mul(v128.load(texel), factors), 32);
      texel += step;
      v128.store(target, f32x4.mul(v128.load(texel), factors), 48);
      texel += step;
      target += 64;
    }
    for (; i < count; i++) {
      v128.store(target, f32x4.mul(v128.load(texel), factors));
      texel += step;
      target += 16;
    }
  } else {
    for (let i = 0; i < count; i++) {
      for (let c: usize = 0; c < 16; c += 4) {
        store<f32>(target + c, load<f32>(texel + c) * load<f32>(node + c, NODE_RED));
      }
      texel += step;
      target += 16;
    }
  }
}

/**
 * Whether alpha × opacity is at least ½ at sample `i` of a row: what makes a pixel one of the sprite's.
 * @param ink whether samples are f32, not premultiplied f32×4
 * @param alpha NODE_ALPHA
 */
// @ts-ignore: decorator
@inline
export function isCovered(row: usize, i: i32, ink: bool, alpha: f32): bool {
  const value = ink ? load<f32>(row + (<usize>i << 2)) : load<f32>(row + (<usize>i << 4), 12);
  return value * alpha >= 0.5;
}

/** The same for the samples `i` … `i + 3`: bit k is that of sample i + k. */
// @ts-ignore: decorator
@inline
export function coveredMask(row: usize, i: i32, ink: bool, alpha: f32): i32 {
  let alphas: v128;
  if (ink) alphas = v128.load(row + (<usize>i << 2));
  else {
    const at = row + (<usize>i << 4);
    const first = i32x4.shuffle(v128.load(at), v128.load(at, 16), 3, 7, 3, 7);
    const second = i32x4.shuffle(v128.load(at, 32), v128.load(at, 48), 3, 7, 3, 7);
    alphas = i64x2.shuffle(first, second, 0, 2);
  }
  return i32x4.bitmask(f32x4.ge(f32x4.mul(alphas, f32x4.splat(alpha)), f32x4.splat(0.5)));
}

/** Writes the node's labels where alpha × opacity is at least ½; either address may be 0. */
export function labelSpan(
  call: usize, node: usize, format: u32, instances: usize, instance: u32, classes: usize, class_: u32,
): void {
  const row = <usize>load<u32>(call, CALL_ROW);
  const count = load<i32>(call, SPAN_END) - load<i32>(call, SPAN_START);
  const alpha = load<f32>(node, NODE_ALPHA);
  const ink = format == FORMAT_INK8;
  let i = 0;
  if (ASC_FEATURE_SIMD) {
    for (; i + 4 <= count; i += 4) {
      const covered = coveredMask(row, i, ink, alpha);
      if (covered == 15) labelPixels(instances, instance, classes, class_, i, i + 4);
      else if (covered != 0) {
        for (let lane = 0; lane < 4; lane++) {
          if ((covered >> lane) & 1) labelPixels(instances, instance, classes, class_, i + lane, i + lane + 1);
        }
      }
    }
  }
  for (; i < count; i++) {
    if (isCovered(row, i, ink, alpha)) labelPixels(instances, instance, classes, class_, i, i + 1);
  }
}

/** Writes labels of the pixels [from, to) of a row. */
export function labelPixels(
  instances: usize, instance: u32, classes: usize, class_: u32, from: i32, to: i32,
): void {
  if (classes != 0) {
    const eight = <u64>class_ * 0x0101010101010101;
    let i = from;
    for (; i + 8 <= to; i += 8) store<u64>(classes + i, eight);
    for (; i < to; i++) store<u8>(classes + i, <u8>class_);
  }
  if (instances != 0) {
    const four = <u64>instance * 0x0001000100010001;
    let i = from;
    for (; i + 4 <= to; i += 4) store<u64>(instances + (<usize>i << 1), four);
    for (; i < to; i++) store<u16>(instances + (<usize>i << 1), <u16>instance);
  }
}
