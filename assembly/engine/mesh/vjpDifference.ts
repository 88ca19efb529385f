/** Which pixels the two poses of an attribute differ in, and the contraction of these: elsewhere both show the same. */
import {
  DRAW_LEVELS, DRAW_TRIANGLES, TARGET_BOTTOM, TARGET_LEFT, TARGET_MARKS, TARGET_PITCH, TARGET_RIGHT, TARGET_TOP,
} from './layout';
import { contractByNode } from './vjpContract';
import { contractShown } from './vjpFragments';
import {
  SHADE_HIGH, SHADE_LOW, SHADE_STILL, VJP_BEHIND, VJP_DARK, VJP_DIFFERS, VJP_DRAW, VJP_GRADIENT, VJP_HIGH, VJP_LINEAR, VJP_LOW_SUM,
  VJP_OPEN, VJP_PIXELS, VJP_ROW_MARKS, VJP_ROW_STEP, VJP_SHADED, VJP_SHADE_STEP, VJP_SUM,
} from './vjpLayout';
import { isEmpty } from './vjpReach';
import { shadeOf, shadowSamples } from './vjpShade';

/** Adds to VJP_SUM and VJP_LOW_SUM, of the high and the low pose, the pixels in which they differ, with their shadows. */
export function contractDifference(vjp: usize): void {
  const target = vjp + VJP_BEHIND, open = vjp + VJP_OPEN, dark = vjp + VJP_DARK;
  const hasOpen = !isEmpty(open), hasDark = !isEmpty(dark);
  const bottom = load<i32>(target, TARGET_BOTTOM);
  for (let y = load<i32>(target, TARGET_TOP); y < bottom; y++) {
    const inOpen = hasOpen && y >= load<i32>(open, 4) && y < load<i32>(open, 12);
    const inDark = hasDark && y >= load<i32>(dark, 4) && y < load<i32>(dark, 12);
    if (!inOpen && !inDark) continue;
    let x = i32.MAX_VALUE, end = i32.MIN_VALUE;
    if (inOpen) {
      x = load<i32>(open);
      end = load<i32>(open, 8);
    }
    if (inDark) {
      x = min(x, load<i32>(dark));
      end = max(end, load<i32>(dark, 8));
    }
    findDifferences(vjp, y, x, end);
    contractRow(vjp, y, x, end);
  }
}

/** Fills VJP_DIFFERS and VJP_SHADED from pixel x on, and up to 7 pixels behind the end. */
function findDifferences(vjp: usize, y: i32, x: i32, end: i32): void {
  const differs = <usize>load<u32>(vjp, VJP_DIFFERS), shaded = <usize>load<u32>(vjp, VJP_SHADED);
  const count = <usize>(end - x);
  const step = <usize>load<u32>(vjp, VJP_SHADE_STEP);
  const bytes = <usize>load<u32>(load<u32>(vjp, VJP_DRAW), DRAW_LEVELS) * step;
  const first = <usize>(y * load<i32>(vjp + VJP_BEHIND, TARGET_PITCH) + x);
  const still = shadeOf(vjp, SHADE_STILL, 0) + first;
  const high = shadeOf(vjp, SHADE_HIGH, 0) + first, low = shadeOf(vjp, SHADE_LOW, 0) + first;
  for (let i: usize = 0; i < count; i += 8) {
    let different: u64 = 0, any: u64 = 0;
    for (let level: usize = i; level < bytes; level += step) {
      const above = load<u64>(high + level), below = load<u64>(low + level);
      different |= above ^ below;
      any |= above | below | load<u64>(still + level);
    }
    store<u64>(differs + i, different);
    store<u64>(shaded + i, any);
  }
}

/** Contracts what differs among the pixels [x, end) of a row. */
function contractRow(vjp: usize, y: i32, x: i32, end: i32): void {
  const draw = <usize>load<u32>(vjp, VJP_DRAW);
  const target = vjp + VJP_BEHIND;
  const pitch = load<i32>(target, TARGET_PITCH), left = load<i32>(target, TARGET_LEFT);
  const plane = <usize>load<u32>(vjp, VJP_PIXELS) << 4;
  const first = <usize>((y - load<i32>(target, TARGET_TOP)) * pitch) << 4;
  const behind = <usize>load<u32>(target, TARGET_MARKS) + first - (<usize>left << 4);
  const high = behind + 2 * plane, low = high + plane;
  const open = vjp + VJP_OPEN;
  const differs = <usize>load<u32>(vjp, VJP_DIFFERS) - <usize>x, shaded = <usize>load<u32>(vjp, VJP_SHADED) - <usize>x;
  const triangles = <usize>load<u32>(draw, DRAW_TRIANGLES);
  const row = <usize>(y * pitch);
  const still = shadeOf(vjp, SHADE_STILL, 0) + row;
  const highShade = shadeOf(vjp, SHADE_HIGH, 0) + row, lowShade = shadeOf(vjp, SHADE_LOW, 0) + row;
  const step = <usize>load<u32>(vjp, VJP_SHADE_STEP);
  const highMarks = <usize>load<u32>(vjp, VJP_ROW_MARKS) - (<usize>left << 4);
  const lowMarks = highMarks + <usize>load<u32>(vjp, VJP_ROW_STEP);
  const inOpen = y >= load<i32>(open, 4) && y < load<i32>(open, 12);
  const openLeft = inOpen ? load<i32>(open) : i32.MAX_VALUE, openRight = inOpen ? load<i32>(open, 8) : i32.MIN_VALUE;
  while (x < end) {
    while (x < end && load<u8>(differs + <usize>x) == 0 && (x < openLeft || x >= openRight || isSame(high, low, x))) x++;
    const from = x;
    while (x < end) {
      const at = <usize>x << 4;
      const isOpen = x >= openLeft && x < openRight;
      if (load<u8>(differs + <usize>x) == 0 && (!isOpen || isSame(high, low, x))) break;
      if (isOpen) {
        overlay(high + at, behind + at, highMarks + at);
        overlay(low + at, behind + at, lowMarks + at);
      } else {
        copyPixel(behind + at, highMarks + at);
        copyPixel(behind + at, lowMarks + at);
      }
      const any = <u32>load<u8>(shaded + <usize>x);
      if (any != 0) {
        shadowSamples(triangles, still + <usize>x, highShade + <usize>x, step, any, highMarks + at);
        shadowSamples(triangles, still + <usize>x, lowShade + <usize>x, step, any, lowMarks + at);
      }
      // Shadows may differ where nothing receives them.
      if (isSame(highMarks, lowMarks, x)) break;
      x++;
    }
    if (x > from) {
      contractShown(vjp, draw, highMarks + (<usize>from << 4), y, from, x, 1, vjp + VJP_SUM);
      contractShown(vjp, draw, lowMarks + (<usize>from << 4), y, from, x, -1, vjp + VJP_LOW_SUM);
    }
    x++;
  }
}

/** Adds to VJP_LINEAR the samples of the high target that show triangle records from number `first` on. */
export function contractSeen(vjp: usize, first: u32): void {
  const draw = <usize>load<u32>(vjp, VJP_DRAW);
  const gradient = <usize>load<u32>(vjp, VJP_GRADIENT), sums = <usize>load<u32>(vjp, VJP_LINEAR);
  const target = vjp + VJP_HIGH;
  const left = load<i32>(target, TARGET_LEFT), right = load<i32>(target, TARGET_RIGHT);
  const bottom = load<i32>(target, TARGET_BOTTOM);
  const step = <usize>load<i32>(target, TARGET_PITCH) << 4;
  let marks = <usize>load<u32>(target, TARGET_MARKS) - (<usize>left << 4);
  for (let y = load<i32>(target, TARGET_TOP); y < bottom; y++) {
    let x = left;
    while (x < right) {
      while (x < right && !shows(marks, x, first)) x++;
      const from = x;
      while (x < right && shows(marks, x, first)) x++;
      if (x > from) contractByNode(draw, marks + (<usize>from << 4), y, from, x, first, gradient, sums);
    }
    marks += step;
  }
}

/** Whether a sample of a pixel has a mark from `first` on. No ground is among these, so none is in shadow. */
// @ts-ignore: decorator
@inline
function shows(marks: usize, pixel: i32, first: u32): bool {
  const at = marks + (<usize>pixel << 4);
  if (ASC_FEATURE_SIMD) return v128.any_true(i32x4.ge_u(v128.load(at), i32x4.splat(first)));
  return load<u32>(at) >= first || load<u32>(at, 4) >= first || load<u32>(at, 8) >= first || load<u32>(at, 12) >= first;
}

/** Marks of a pose, and where it has none those of what is behind. */
// @ts-ignore: decorator
@inline
function overlay(marks: usize, behind: usize, out: usize): void {
  if (ASC_FEATURE_SIMD) {
    const own = v128.load(marks);
    v128.store(out, v128.bitselect(v128.load(behind), own, i32x4.eq(own, i32x4.splat(0))));
  } else {
    for (let k: usize = 0; k < 16; k += 4) {
      const own = load<u32>(marks + k);
      store<u32>(out + k, own == 0 ? load<u32>(behind + k) : own);
    }
  }
}

// @ts-ignore: decorator
@inline
function copyPixel(from: usize, to: usize): void {
  store<u64>(to, load<u64>(from));
  store<u64>(to, load<u64>(from, 8), 8);
}

// @ts-ignore: decorator
@inline
function isSame(high: usize, low: usize, pixel: i32): bool {
  const at = <usize>pixel << 4;
  if (ASC_FEATURE_SIMD) return i32x4.bitmask(i32x4.eq(v128.load(high + at), v128.load(low + at))) == 15;
  return load<u64>(high + at) == load<u64>(low + at) && load<u64>(high + at, 8) == load<u64>(low + at, 8);
}
