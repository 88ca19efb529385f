/**
 * Runs of pixels with a texture: coordinates and levels four pixels at a time, then a tap for each; the same numbers as
 * texturePoint's (shade.ts).
 *
 * Taps are placed for some pixels before they are taken: a processor looks a hundred operations ahead, not far enough to
 * find the next four pixels' coordinates while these four's texels wait for a division, a rounding and two loads. What a
 * run's pixels have in common stands in memory, at DRAW_RUN (see raster.ts).
 */
import { lightFactors, meshOf, plain } from './surface';
import { levelAt, levelOf, tapRows } from './texture';
import {
  DRAW_FOUR, DRAW_HALF, DRAW_LANES, DRAW_MAGIC, DRAW_ONE, DRAW_ROW_COLOR, DRAW_ROW_DEPTH, DRAW_RUN, DRAW_WEIGHT,
  DRAW_WEIGHT_MAGIC, DRAW_WORK, LEVEL_HEIGHT, LEVEL_SHIFT, LEVEL_TEXELS, LEVEL_WIDTH, MESH_LEVEL, MESH_LEVELS, RUN_ACROSS,
  RUN_COLOR, RUN_COLOR_DX, RUN_DOWN_U, RUN_DOWN_U_DX, RUN_DOWN_V, RUN_DOWN_V_DX, RUN_INVERSE, RUN_INVERSE_DX, RUN_LAST,
  RUN_MASKS, RUN_STRIDE, RUN_STRIDES, RUN_TEXELS, RUN_U, RUN_U_DX, RUN_V, RUN_V_DX, TAPS_BYTES, TAPS_COLUMNS, TAPS_DEPTHS,
  TAPS_LOWER, TAPS_PARTS, TAPS_UPPER, TAPS_WEIGHTS, TRIANGLE_ANCHOR_X, TRIANGLE_ANCHOR_Y, TRIANGLE_DX, TRIANGLE_DY,
  TRIANGLE_UV, TRIANGLE_UV_DX, TRIANGLE_UV_DY, TRIANGLE_VALUE,
} from './layout';

/** Pixels of a run whose level is looked for pixel by pixel. */
const SHORT_RUN: i32 = 8;
/** Pixels whose taps are placed before they are taken: there is room for so many. */
const CHUNK: i32 = 64;

/** On one colour. */
export function flatTexturedRun(draw: usize, triangle: usize, mark: u32, y: i32, x: i32, end: i32): void {
  texturedRun(draw, triangle, mark, y, x, end, true);
}

/** On colours that change. */
export function shadedTexturedRun(draw: usize, triangle: usize, mark: u32, y: i32, x: i32, end: i32): void {
  texturedRun(draw, triangle, mark, y, x, end, false);
}

// @ts-ignore: decorator
@inline
function texturedRun(draw: usize, triangle: usize, mark: u32, y: i32, x: i32, end: i32, flat: bool): void {
  const mesh = meshOf(triangle);
  const first = mesh + MESH_LEVEL;
  const run = draw + DRAW_RUN;
  let color = <usize>load<u32>(draw, DRAW_ROW_COLOR) + (<usize>x << 4);
  let depth = <usize>load<u32>(draw, DRAW_ROW_DEPTH) + (<usize>x << 2);
  const anchorX = load<f32>(triangle, TRIANGLE_ANCHOR_X);
  const dy = <f32>y - load<f32>(triangle, TRIANGLE_ANCHOR_Y);
  const gain = v128.load(triangle, TRIANGLE_DX);
  const base = f32x4.add(v128.load(triangle, TRIANGLE_VALUE), f32x4.mul(v128.load(triangle, TRIANGLE_DY), f32x4.splat(dy)));
  v128.store(run, i32x4.shuffle(base, base, 3, 3, 3, 3), RUN_INVERSE);
  v128.store(run, i32x4.shuffle(gain, gain, 3, 3, 3, 3), RUN_INVERSE_DX);
  const light = v128.load(lightFactors(draw, mark, true));
  v128.store(run, f32x4.mul(flat ? v128.load(triangle, TRIANGLE_VALUE) : base, light), RUN_COLOR);
  if (!flat) v128.store(run, f32x4.mul(gain, light), RUN_COLOR_DX);
  const ux = load<f32>(triangle, TRIANGLE_UV_DX), vx = load<f32>(triangle, TRIANGLE_UV_DX + 4);
  const uy = load<f32>(triangle, TRIANGLE_UV_DY), vy = load<f32>(triangle, TRIANGLE_UV_DY + 4);
  const zx = f32x4.extract_lane(gain, 3), zy = load<f32>(triangle, TRIANGLE_DY + 12);
  const q = f32x4.extract_lane(base, 3);
  const uBase = load<f32>(triangle, TRIANGLE_UV) + uy * dy, vBase = load<f32>(triangle, TRIANGLE_UV + 4) + vy * dy;
  const width = <f32>load<i32>(first, LEVEL_WIDTH), height = <f32>load<i32>(first, LEVEL_HEIGHT);
  const a = (ux * q - uBase * zx) * width, b = (vx * q - vBase * zx) * height;
  const across = a * a + b * b;
  const downU = (uy * q - uBase * zy) * width, downUX = (uy * zx - ux * zy) * width;
  const downV = (vy * q - vBase * zy) * height, downVX = (vy * zx - vx * zy) * height;
  const top = load<i32>(mesh, MESH_LEVELS) - 1;
  let columns = f32x4.add(f32x4.splat(<f32>x - anchorX), v128.load(draw, DRAW_LANES));
  // A long run has often one level, which its ends tell: z is monotone along it, and what the other side spans is convex.
  if (end - x > SHORT_RUN) {
    const from = <f32>x - anchorX, to = <f32>(end + 3) - anchorX;
    const c0 = downU + downUX * from, d0 = downV + downVX * from, c1 = downU + downUX * to, d1 = downV + downVX * to;
    const slope = downUX * downUX + downVX * downVX;
    // Where it is least, if that lies between the ends.
    const lowest = slope > 0 ? min(max(-(downU * downUX + downV * downVX) / slope, from), to) : from;
    const c2 = downU + downUX * lowest, d2 = downV + downVX * lowest;
    // Values much smaller than what they are the difference of are not trusted.
    const sure = (downU * downU + downV * downV + slope * max(from * from, to * to)) * <f32>1e-4;
    const down2 = c2 * c2 + d2 * d2;
    const most = max(across, max(c0 * c0 + d0 * d0, c1 * c1 + d1 * d1));
    const least = down2 > sure ? max(across, down2) : across;
    const q0 = q + zx * from, q1 = q + zx * to;
    const smallest = min(q0, q1), largest = max(q0, q1);
    if (smallest > 0 && most > sure) {
      const near = <f32>1 / (largest * largest), far = <f32>1 / (smallest * smallest);
      // Rounding is far smaller than the thousandth by which the bounds are widened.
      const finest = levelOf(least * (near * near) * <f32>0.999, top);
      if (finest == levelOf(most * (far * far) * <f32>1.001, top)) {
        openLevel(run, levelAt(first, finest), uBase, ux, vBase, vx);
        while (x < end) {
          const next = min(x + CHUNK, end);
          const taps = draw + DRAW_WORK;
          let out = taps;
          for (; x < next; x += 4) {
            const z = depthAt(draw, run, columns);
            v128.store(depth, z);
            placeTaps(draw, run, columns, z, flat, out);
            columns = f32x4.add(columns, v128.load(draw, DRAW_FOUR));
            depth += 16;
            out += TAPS_BYTES;
          }
          color = takeTaps(draw, run, taps, out, color, flat);
        }
        return;
      }
    }
  }
  v128.store(run, f32x4.splat(across), RUN_ACROSS);
  v128.store(run, f32x4.splat(downU), RUN_DOWN_U);
  v128.store(run, f32x4.splat(downUX), RUN_DOWN_U_DX);
  v128.store(run, f32x4.splat(downV), RUN_DOWN_V);
  v128.store(run, f32x4.splat(downVX), RUN_DOWN_V_DX);
  v128.store(run, i32x4.splat(top), RUN_LAST);
  let opened = -1;
  while (x < end) {
    const next = min(x + CHUNK, end);
    const taps = draw + DRAW_WORK;
    let out = taps;
    for (; x < next; x += 4) {
      const z = depthAt(draw, run, columns);
      v128.store(depth, z);
      const levels = levelsAt(run, columns, z);
      const level = i32x4.extract_lane(levels, 0);
      if (i32x4.bitmask(i32x4.eq(levels, i32x4.shuffle(levels, levels, 0, 0, 0, 0))) == 15) {
        if (level != opened) openLevel(run, levelAt(first, level), uBase, ux, vBase, vx);
        opened = level;
      } else {
        openLevels(run, first, levels, uBase, ux, vBase, vx);
        opened = -1;
      }
      placeTaps(draw, run, columns, z, flat, out);
      columns = f32x4.add(columns, v128.load(draw, DRAW_FOUR));
      depth += 16;
      out += TAPS_BYTES;
    }
    color = takeTaps(draw, run, taps, out, color, flat);
  }
}

/** Depth at four columns. */
// @ts-ignore: decorator
@inline
function depthAt(draw: usize, run: usize, columns: v128): v128 {
  return f32x4.div(
    v128.load(draw, DRAW_ONE), f32x4.add(v128.load(run, RUN_INVERSE), f32x4.mul(v128.load(run, RUN_INVERSE_DX), columns)),
  );
}

/** Levels at four columns (levelOf). */
// @ts-ignore: decorator
@inline
function levelsAt(run: usize, columns: v128, z: v128): v128 {
  const c = f32x4.add(v128.load(run, RUN_DOWN_U), f32x4.mul(v128.load(run, RUN_DOWN_U_DX), columns));
  const d = f32x4.add(v128.load(run, RUN_DOWN_V), f32x4.mul(v128.load(run, RUN_DOWN_V_DX), columns));
  const down = f32x4.add(f32x4.mul(c, c), f32x4.mul(d, d));
  const near = f32x4.mul(z, z);
  const square = f32x4.mul(f32x4.pmax(v128.load(run, RUN_ACROSS), down), f32x4.mul(near, near));
  const exponent = i32x4.sub(i32x4.shr_s(f32x4.add(square, square), 23), i32x4.splat(127));
  return i32x4.min_s(i32x4.max_s(i32x4.shr_s(exponent, 1), i32x4.splat(0)), v128.load(run, RUN_LAST));
}

/**
 * Writes what placeTaps takes of a level, and coordinates in its texels: its sides are powers of two, scaling by them rounds
 * nothing, so it may come before everything else.
 */
// @ts-ignore: decorator
@inline
function openLevel(run: usize, level: usize, u: f32, ux: f32, v: f32, vx: f32): void {
  const width = load<i32>(level, LEVEL_WIDTH), height = load<i32>(level, LEVEL_HEIGHT);
  v128.store(run, f32x4.splat(u * <f32>width), RUN_U);
  v128.store(run, f32x4.splat(ux * <f32>width), RUN_U_DX);
  v128.store(run, f32x4.splat(v * <f32>height), RUN_V);
  v128.store(run, f32x4.splat(vx * <f32>height), RUN_V_DX);
  v128.store(run, i32x4.splat(((height - 1) << 16) | (width - 1)), RUN_MASKS);
  const stride = 1 << load<i32>(level, LEVEL_SHIFT);
  v128.store(run, i32x4.splat((stride << 16) | 8), RUN_STRIDES);
  v128.store(run, i32x4.splat(stride), RUN_STRIDE);
  v128.store(run, i32x4.splat(load<u32>(level, LEVEL_TEXELS)), RUN_TEXELS);
}

/** The same of four levels, one a lane; they stand where the first of what is written comes to. */
function openLevels(run: usize, first: usize, levels: v128, u: f32, ux: f32, v: f32, vx: f32): void {
  v128.store(run, levels, RUN_U);
  for (let lane: usize = 0; lane < 16; lane += 4) {
    const level = levelAt(first, load<i32>(run + lane, RUN_U));
    const width = load<i32>(level, LEVEL_WIDTH), height = load<i32>(level, LEVEL_HEIGHT);
    const stride = 1 << load<i32>(level, LEVEL_SHIFT);
    store<f32>(run + lane, u * <f32>width, RUN_U);
    store<f32>(run + lane, ux * <f32>width, RUN_U_DX);
    store<f32>(run + lane, v * <f32>height, RUN_V);
    store<f32>(run + lane, vx * <f32>height, RUN_V_DX);
    store<i32>(run + lane, ((height - 1) << 16) | (width - 1), RUN_MASKS);
    store<i32>(run + lane, (stride << 16) | 8, RUN_STRIDES);
    store<i32>(run + lane, stride, RUN_STRIDE);
    store<u32>(run + lane, load<u32>(level, LEVEL_TEXELS), RUN_TEXELS);
  }
}

/** Writes where the taps of four columns are and what they weigh (what sampleTexture finds), of the open level. */
// @ts-ignore: decorator
@inline
function placeTaps(draw: usize, run: usize, columns: v128, z: v128, flat: bool, taps: usize): void {
  const half = v128.load(draw, DRAW_HALF), magic = v128.load(draw, DRAW_MAGIC);
  const x = f32x4.sub(
    f32x4.mul(f32x4.add(v128.load(run, RUN_U), f32x4.mul(v128.load(run, RUN_U_DX), columns)), z), half,
  );
  const y = f32x4.sub(
    f32x4.mul(f32x4.add(v128.load(run, RUN_V), f32x4.mul(v128.load(run, RUN_V_DX), columns)), z), half,
  );
  const left = f32x4.floor(x), top = f32x4.floor(y);
  // Column in the lower and row in the upper half of a lane; one product makes bytes of both.
  const place = v128.and(
    blendHalves(f32x4.add(left, magic), i32x4.shl(f32x4.add(top, magic), 16)), v128.load(run, RUN_MASKS),
  );
  const upper = i32x4.add(i32x4.dot_i16x8_s(place, v128.load(run, RUN_STRIDES)), v128.load(run, RUN_TEXELS));
  v128.store(taps, upper, TAPS_UPPER);
  v128.store(taps, i32x4.add(upper, v128.load(run, RUN_STRIDE)), TAPS_LOWER);
  // 16384 − w in the lower and w in the upper half: w stands at the bottom of a sum with 1.5 · 2^23.
  const weight = f32x4.mul(f32x4.sub(x, left), v128.load(draw, DRAW_WEIGHT));
  const rest = f32x4.sub(v128.load(draw, DRAW_WEIGHT_MAGIC), weight);
  v128.store(taps, blendHalves(rest, i32x4.shl(f32x4.add(weight, magic), 16)), TAPS_WEIGHTS);
  v128.store(taps, f32x4.sub(y, top), TAPS_PARTS);
  if (flat) return;
  v128.store(taps, columns, TAPS_COLUMNS);
  v128.store(taps, z, TAPS_DEPTHS);
}

/**
 * Writes the colours of the taps in [taps, end).
 * @returns address of the next colour
 */
// @ts-ignore: decorator
@inline
function takeTaps(draw: usize, run: usize, taps: usize, end: usize, color: usize, flat: bool): usize {
  for (; taps < end; taps += TAPS_BYTES) {
    lightTexel(takeTap(taps), run, taps, flat, color);
    lightTexel(takeTap(taps + 4), run, taps + 4, flat, color + 16);
    lightTexel(takeTap(taps + 8), run, taps + 8, flat, color + 32);
    lightTexel(takeTap(taps + 12), run, taps + 12, flat, color + 48);
    color += 64;
  }
  return color;
}

/** One tap of a taps record. */
// @ts-ignore: decorator
@inline
function takeTap(taps: usize): v128 {
  return tapRows(
    load<u32>(taps, TAPS_UPPER), load<u32>(taps, TAPS_LOWER), v128.load32_splat(taps, TAPS_WEIGHTS),
    v128.load32_splat(taps, TAPS_PARTS),
  );
}

/** Writes a texel times the light there. */
// @ts-ignore: decorator
@inline
function lightTexel(texel: v128, run: usize, taps: usize, flat: bool, out: usize): void {
  let light = v128.load(run, RUN_COLOR);
  if (!flat) {
    light = plain(
      light, v128.load(run, RUN_COLOR_DX), v128.load32_splat(taps, TAPS_COLUMNS), v128.load32_splat(taps, TAPS_DEPTHS),
    );
  }
  v128.store(out, f32x4.mul(light, texel));
}

/** Lower halves of the lanes of one vector, upper halves of the other's. */
// @ts-ignore: decorator
@inline
function blendHalves(lower: v128, upper: v128): v128 {
  return i16x8.shuffle(lower, upper, 0, 9, 2, 11, 4, 13, 6, 15);
}
