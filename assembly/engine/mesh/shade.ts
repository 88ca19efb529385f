/**
 * What a triangle record looks like: colour and depth of a run of pixels of a row, or at one point. Values are planes over
 * the pixels (attribute/z and 1/z); dividing one by the other is what makes them right in perspective.
 *
 * A run may write up to three pixels behind its end, in rows that are filled from left to right.
 */
import { levelOf, sampleTexture, tap } from './texture';
import {
  DRAW_HALF, DRAW_HAZE, DRAW_HAZE_COLOR, DRAW_HORIZON, DRAW_LANES, DRAW_MAGIC, DRAW_ONE, DRAW_ROW_COLOR, DRAW_ROW_DEPTH,
  DRAW_SHADOW_FACTORS, DRAW_TO_ZENITH, DRAW_TRIANGLES, DRAW_VIEW, INSTANCE_MESH, LEVEL_BYTES, LEVEL_HEIGHT, LEVEL_STRIDE,
  LEVEL_TEXELS, LEVEL_WIDTH, MESH_LEVEL, MESH_LEVELS, SHADOWED, TRIANGLE_ANCHOR_X, TRIANGLE_ANCHOR_Y, TRIANGLE_DX, TRIANGLE_DY,
  TRIANGLE_INSTANCE, TRIANGLE_SHIFT, TRIANGLE_STATE, TRIANGLE_TEXTURED, TRIANGLE_UV, TRIANGLE_UV_DX, TRIANGLE_UV_DY,
  TRIANGLE_VALUE, VIEW_CX, VIEW_CY, VIEW_FLAGS, VIEW_FX, VIEW_FY, VIEW_SKY, VIEW_UP,
} from './layout';

/** Smallest power of two that haze is computed to: less is black. */
const LEAST_POWER: f32 = -126;

// @ts-ignore: decorator
@inline
function tableOf(draw: usize, mark: u32): usize {
  return <usize>load<u32>(draw, DRAW_TRIANGLES) + (<usize>(mark & ~SHADOWED) << TRIANGLE_SHIFT);
}

/** The address of the texture's mesh record. */
// @ts-ignore: decorator
@inline
function meshOf(triangle: usize): usize {
  return load<u32>(load<u32>(triangle, TRIANGLE_INSTANCE), INSTANCE_MESH);
}

/**
 * Writes colour (f32×4) and depth (f32) of the pixels [x, end) of row y, at their centres, into the draw record's rows.
 * @param mark number of a triangle record, with SHADOWED or not; 0: the sky, whose depth is 0
 */
export function shadeRun(draw: usize, mark: u32, y: i32, x: i32, end: i32): void {
  if (mark == 0) {
    skyRun(draw, y, x, end);
    return;
  }
  const triangle = tableOf(draw, mark);
  if (ASC_FEATURE_SIMD) {
    if ((load<u32>(triangle, TRIANGLE_STATE) & TRIANGLE_TEXTURED) != 0) texturedRun(draw, triangle, mark, y, x, end);
    else plainRun(draw, triangle, mark, y, x, end);
    if (load<f32>(draw, DRAW_HAZE) != 0) hazeRun(draw, x, end);
  } else {
    const color = <usize>load<u32>(draw, DRAW_ROW_COLOR), depth = <usize>load<u32>(draw, DRAW_ROW_DEPTH);
    for (; x < end; x++) {
      store<f32>(depth + (<usize>x << 2), shadePoint(draw, mark, <f32>x, <f32>y, 0, 0, color + (<usize>x << 4)));
    }
  }
}

/**
 * Writes the colour at one point, f32[4], and returns its depth.
 * @param x column and row of its pixel; (ox, oy) is how far the point is from the pixel's centre
 */
export function shadePoint(draw: usize, mark: u32, x: f32, y: f32, ox: f32, oy: f32, out: usize): f32 {
  if (mark == 0) {
    skyPoint(draw, x + ox, y + oy, out);
    return 0;
  }
  const triangle = tableOf(draw, mark);
  const dx = x - load<f32>(triangle, TRIANGLE_ANCHOR_X) + ox;
  const dy = y - load<f32>(triangle, TRIANGLE_ANCHOR_Y) + oy;
  const inverse =
    load<f32>(triangle, TRIANGLE_VALUE + 12) + load<f32>(triangle, TRIANGLE_DY + 12) * dy + load<f32>(triangle, TRIANGLE_DX + 12) * dx;
  const z: f32 = 1 / inverse;
  const textured = (load<u32>(triangle, TRIANGLE_STATE) & TRIANGLE_TEXTURED) != 0;
  const hazy = load<f32>(draw, DRAW_HAZE) != 0;
  const kept: f32 = hazy ? powerOfTwo(-(z * load<f32>(draw, DRAW_HAZE))) : 1;
  if (textured) texturePoint(draw, triangle, dx, dy, z, out);
  if (ASC_FEATURE_SIMD) {
    let color = f32x4.add(
      f32x4.add(v128.load(triangle, TRIANGLE_VALUE), f32x4.mul(v128.load(triangle, TRIANGLE_DY), f32x4.splat(dy))),
      f32x4.mul(v128.load(triangle, TRIANGLE_DX), f32x4.splat(dx)),
    );
    color = f32x4.mul(color, f32x4.splat(z));
    if ((mark & SHADOWED) != 0) color = f32x4.mul(color, v128.load(draw, DRAW_SHADOW_FACTORS));
    if (textured) color = f32x4.mul(color, v128.load(out));
    if (hazy) color = veil(draw, color, f32x4.splat(kept));
    v128.store(out, color);
  } else {
    for (let c: usize = 0; c < 16; c += 4) {
      let color =
        (load<f32>(triangle + c, TRIANGLE_VALUE) + load<f32>(triangle + c, TRIANGLE_DY) * dy +
          load<f32>(triangle + c, TRIANGLE_DX) * dx) * z;
      if ((mark & SHADOWED) != 0) color = color * load<f32>(draw + c, DRAW_SHADOW_FACTORS);
      if (textured) color = color * load<f32>(out + c);
      if (hazy) {
        const haze = load<f32>(draw + c, DRAW_HAZE_COLOR);
        color = haze + (color - haze) * kept;
      }
      store<f32>(out + c, color);
    }
  }
  return z;
}

/** Writes a triangle's texel at a point. */
function texturePoint(draw: usize, triangle: usize, dx: f32, dy: f32, z: f32, out: usize): void {
  const mesh = meshOf(triangle);
  const first = mesh + MESH_LEVEL;
  const ux = load<f32>(triangle, TRIANGLE_UV_DX), vx = load<f32>(triangle, TRIANGLE_UV_DX + 4);
  const uy = load<f32>(triangle, TRIANGLE_UV_DY), vy = load<f32>(triangle, TRIANGLE_UV_DY + 4);
  const u = (load<f32>(triangle, TRIANGLE_UV) + uy * dy + ux * dx) * z;
  const v = (load<f32>(triangle, TRIANGLE_UV + 4) + vy * dy + vx * dx) * z;
  const width = <f32>load<i32>(first, LEVEL_WIDTH), height = <f32>load<i32>(first, LEVEL_HEIGHT);
  const zx = load<f32>(triangle, TRIANGLE_DX + 12), zy = load<f32>(triangle, TRIANGLE_DY + 12);
  // Texels that a pixel's two sides span.
  const a = (ux - u * zx) * width, b = (vx - v * zx) * height;
  const c = (uy - u * zy) * width, d = (vy - v * zy) * height;
  const right = a * a + b * b, down = c * c + d * d;
  const square = (right < down ? down : right) * (z * z);
  const level = levelOf(square, load<i32>(mesh, MESH_LEVELS) - 1);
  sampleTexture(draw, first + <usize>level * LEVEL_BYTES, u, v, out);
}

/** Runs without a texture. */
function plainRun(draw: usize, triangle: usize, mark: u32, y: i32, x: i32, end: i32): void {
  let color = <usize>load<u32>(draw, DRAW_ROW_COLOR) + (<usize>x << 4);
  let depth = <usize>load<u32>(draw, DRAW_ROW_DEPTH) + (<usize>x << 2);
  const dy = f32x4.splat(<f32>y - load<f32>(triangle, TRIANGLE_ANCHOR_Y));
  const gain = v128.load(triangle, TRIANGLE_DX);
  const base = f32x4.add(v128.load(triangle, TRIANGLE_VALUE), f32x4.mul(v128.load(triangle, TRIANGLE_DY), dy));
  const inverseBase = i32x4.shuffle(base, base, 3, 3, 3, 3);
  const inverseGain = i32x4.shuffle(gain, gain, 3, 3, 3, 3);
  const one = v128.load(draw, DRAW_ONE);
  let column = f32x4.splat(<f32>x - load<f32>(triangle, TRIANGLE_ANCHOR_X));
  if ((mark & SHADOWED) != 0) {
    const factors = v128.load(draw, DRAW_SHADOW_FACTORS);
    for (; x < end; x += 4) {
      const columns = f32x4.add(column, v128.load(draw, DRAW_LANES));
      const z = f32x4.div(one, f32x4.add(inverseBase, f32x4.mul(inverseGain, columns)));
      v128.store(depth, z);
      v128.store(color, f32x4.mul(plain(base, gain, i32x4.shuffle(columns, columns, 0, 0, 0, 0), i32x4.shuffle(z, z, 0, 0, 0, 0)), factors));
      v128.store(color, f32x4.mul(plain(base, gain, i32x4.shuffle(columns, columns, 1, 1, 1, 1), i32x4.shuffle(z, z, 1, 1, 1, 1)), factors), 16);
      v128.store(color, f32x4.mul(plain(base, gain, i32x4.shuffle(columns, columns, 2, 2, 2, 2), i32x4.shuffle(z, z, 2, 2, 2, 2)), factors), 32);
      v128.store(color, f32x4.mul(plain(base, gain, i32x4.shuffle(columns, columns, 3, 3, 3, 3), i32x4.shuffle(z, z, 3, 3, 3, 3)), factors), 48);
      column = f32x4.add(column, f32x4.splat(4));
      color += 64;
      depth += 16;
    }
    return;
  }
  for (; x < end; x += 4) {
    const z = f32x4.div(one, f32x4.add(inverseBase, f32x4.mul(inverseGain, f32x4.add(column, v128.load(draw, DRAW_LANES)))));
    v128.store(depth, z);
    v128.store(color, plain(base, gain, column, i32x4.shuffle(z, z, 0, 0, 0, 0)));
    column = f32x4.add(column, one);
    v128.store(color, plain(base, gain, column, i32x4.shuffle(z, z, 1, 1, 1, 1)), 16);
    column = f32x4.add(column, one);
    v128.store(color, plain(base, gain, column, i32x4.shuffle(z, z, 2, 2, 2, 2)), 32);
    column = f32x4.add(column, one);
    v128.store(color, plain(base, gain, column, i32x4.shuffle(z, z, 3, 3, 3, 3)), 48);
    column = f32x4.add(column, one);
    color += 64;
    depth += 16;
  }
}

// @ts-ignore: decorator
@inline
function plain(base: v128, gain: v128, column: v128, z: v128): v128 {
  return f32x4.mul(f32x4.add(base, f32x4.mul(gain, column)), z);
}

/** Runs with a texture: coordinates and levels four pixels at a time, then a tap for each. */
function texturedRun(draw: usize, triangle: usize, mark: u32, y: i32, x: i32, end: i32): void {
  const mesh = meshOf(triangle);
  const first = mesh + MESH_LEVEL;
  const last = i32x4.splat(load<i32>(mesh, MESH_LEVELS) - 1);
  let color = <usize>load<u32>(draw, DRAW_ROW_COLOR) + (<usize>x << 4);
  let depth = <usize>load<u32>(draw, DRAW_ROW_DEPTH) + (<usize>x << 2);
  const dy = f32x4.splat(<f32>y - load<f32>(triangle, TRIANGLE_ANCHOR_Y));
  const factors = (mark & SHADOWED) != 0 ? v128.load(draw, DRAW_SHADOW_FACTORS) : v128.load(draw, DRAW_ONE);
  const base = f32x4.add(v128.load(triangle, TRIANGLE_VALUE), f32x4.mul(v128.load(triangle, TRIANGLE_DY), dy));
  const gain = v128.load(triangle, TRIANGLE_DX);
  const uBase = f32x4.add(
    v128.load_splat<f32>(triangle, TRIANGLE_UV), f32x4.mul(v128.load_splat<f32>(triangle, TRIANGLE_UV_DY), dy),
  );
  const vBase = f32x4.add(
    v128.load_splat<f32>(triangle, TRIANGLE_UV + 4), f32x4.mul(v128.load_splat<f32>(triangle, TRIANGLE_UV_DY + 4), dy),
  );
  const width = f32x4.splat(<f32>load<i32>(first, LEVEL_WIDTH)), height = f32x4.splat(<f32>load<i32>(first, LEVEL_HEIGHT));
  const anchorX = load<f32>(triangle, TRIANGLE_ANCHOR_X);
  for (; x < end; x += 4) {
    const columns = f32x4.add(f32x4.splat(<f32>x - anchorX), v128.load(draw, DRAW_LANES));
    const z = f32x4.div(
      v128.load(draw, DRAW_ONE),
      f32x4.add(i32x4.shuffle(base, base, 3, 3, 3, 3), f32x4.mul(i32x4.shuffle(gain, gain, 3, 3, 3, 3), columns)),
    );
    v128.store(depth, z);
    const ux = v128.load_splat<f32>(triangle, TRIANGLE_UV_DX), vx = v128.load_splat<f32>(triangle, TRIANGLE_UV_DX + 4);
    const uy = v128.load_splat<f32>(triangle, TRIANGLE_UV_DY), vy = v128.load_splat<f32>(triangle, TRIANGLE_UV_DY + 4);
    const zx = v128.load_splat<f32>(triangle, TRIANGLE_DX + 12), zy = v128.load_splat<f32>(triangle, TRIANGLE_DY + 12);
    const u = f32x4.mul(f32x4.add(uBase, f32x4.mul(ux, columns)), z);
    const v = f32x4.mul(f32x4.add(vBase, f32x4.mul(vx, columns)), z);
    const a = f32x4.mul(f32x4.sub(ux, f32x4.mul(u, zx)), width), b = f32x4.mul(f32x4.sub(vx, f32x4.mul(v, zx)), height);
    const c = f32x4.mul(f32x4.sub(uy, f32x4.mul(u, zy)), width), d = f32x4.mul(f32x4.sub(vy, f32x4.mul(v, zy)), height);
    const right = f32x4.add(f32x4.mul(a, a), f32x4.mul(b, b)), down = f32x4.add(f32x4.mul(c, c), f32x4.mul(d, d));
    const square = f32x4.mul(f32x4.pmax(right, down), f32x4.mul(z, z));
    let level = i32x4.sub(i32x4.shr_s(f32x4.add(square, square), 23), i32x4.splat(127));
    level = i32x4.min_s(i32x4.max_s(i32x4.shr_s(level, 1), i32x4.splat(0)), last);
    const same = i32x4.extract_lane(level, 0);
    if (i32x4.all_true(i32x4.eq(level, i32x4.splat(same)))) {
      tapFour(draw, first + <usize>same * LEVEL_BYTES, u, v, color);
    } else {
      sampleTexture(draw, levelAt(first, i32x4.extract_lane(level, 0)), f32x4.extract_lane(u, 0), f32x4.extract_lane(v, 0), color);
      sampleTexture(draw, levelAt(first, i32x4.extract_lane(level, 1)), f32x4.extract_lane(u, 1), f32x4.extract_lane(v, 1), color + 16);
      sampleTexture(draw, levelAt(first, i32x4.extract_lane(level, 2)), f32x4.extract_lane(u, 2), f32x4.extract_lane(v, 2), color + 32);
      sampleTexture(draw, levelAt(first, i32x4.extract_lane(level, 3)), f32x4.extract_lane(u, 3), f32x4.extract_lane(v, 3), color + 48);
    }
    multiply(color, base, gain, i32x4.shuffle(columns, columns, 0, 0, 0, 0), i32x4.shuffle(z, z, 0, 0, 0, 0), factors);
    multiply(color + 16, base, gain, i32x4.shuffle(columns, columns, 1, 1, 1, 1), i32x4.shuffle(z, z, 1, 1, 1, 1), factors);
    multiply(color + 32, base, gain, i32x4.shuffle(columns, columns, 2, 2, 2, 2), i32x4.shuffle(z, z, 2, 2, 2, 2), factors);
    multiply(color + 48, base, gain, i32x4.shuffle(columns, columns, 3, 3, 3, 3), i32x4.shuffle(z, z, 3, 3, 3, 3), factors);
    color += 64;
    depth += 16;
  }
}

// @ts-ignore: decorator
@inline
function levelAt(first: usize, level: i32): usize {
  return first + <usize>level * LEVEL_BYTES;
}

/** Multiplies the texel at `color` by the light there. */
// @ts-ignore: decorator
@inline
function multiply(color: usize, base: v128, gain: v128, column: v128, z: v128, factors: v128): void {
  v128.store(color, f32x4.mul(f32x4.mul(plain(base, gain, column, z), factors), v128.load(color)));
}

/** Texels at four places of one level: what sampleTexture writes. */
// @ts-ignore: decorator
@inline
function tapFour(draw: usize, level: usize, u: v128, v: v128, out: usize): void {
  const width = load<i32>(level, LEVEL_WIDTH), height = load<i32>(level, LEVEL_HEIGHT);
  const stride = <usize>load<i32>(level, LEVEL_STRIDE);
  const texels = <usize>load<u32>(level, LEVEL_TEXELS);
  const half = v128.load(draw, DRAW_HALF), magic = v128.load(draw, DRAW_MAGIC);
  const x = f32x4.sub(f32x4.mul(u, f32x4.splat(<f32>width)), half);
  const y = f32x4.sub(f32x4.mul(v, f32x4.splat(<f32>height)), half);
  const left = f32x4.floor(x), top = f32x4.floor(y);
  const part = f32x4.sub(y, top);
  const weight = i32x4.sub(
    f32x4.add(f32x4.floor(f32x4.add(f32x4.mul(f32x4.sub(x, left), f32x4.splat(16384)), half)), magic), magic,
  );
  const weights = i32x4.add(i32x4.splat(16384), i32x4.sub(i32x4.shl(weight, 16), weight));
  const row = v128.and(i32x4.sub(f32x4.add(top, magic), magic), i32x4.splat(height - 1));
  const column = v128.and(i32x4.sub(f32x4.add(left, magic), magic), i32x4.splat(width - 1));
  const offset = i32x4.add(i32x4.mul(row, i32x4.splat(<i32>stride)), i32x4.shl(column, 2));
  v128.store(out, tap(draw, texels + <usize>i32x4.extract_lane(offset, 0), stride, i32x4.shuffle(weights, weights, 0, 0, 0, 0), i32x4.shuffle(part, part, 0, 0, 0, 0)));
  v128.store(out, tap(draw, texels + <usize>i32x4.extract_lane(offset, 1), stride, i32x4.shuffle(weights, weights, 1, 1, 1, 1), i32x4.shuffle(part, part, 1, 1, 1, 1)), 16);
  v128.store(out, tap(draw, texels + <usize>i32x4.extract_lane(offset, 2), stride, i32x4.shuffle(weights, weights, 2, 2, 2, 2), i32x4.shuffle(part, part, 2, 2, 2, 2)), 32);
  v128.store(out, tap(draw, texels + <usize>i32x4.extract_lane(offset, 3), stride, i32x4.shuffle(weights, weights, 3, 3, 3, 3), i32x4.shuffle(part, part, 3, 3, 3, 3)), 48);
}

/** Haze over a run whose colours and depths stand in the rows. */
function hazeRun(draw: usize, x: i32, end: i32): void {
  let color = <usize>load<u32>(draw, DRAW_ROW_COLOR) + (<usize>x << 4);
  let depth = <usize>load<u32>(draw, DRAW_ROW_DEPTH) + (<usize>x << 2);
  const haze = v128.load_splat<f32>(draw, DRAW_HAZE);
  for (; x < end; x += 4) {
    const kept = powersOfTwo(draw, f32x4.neg(f32x4.mul(v128.load(depth), haze)));
    v128.store(color, veil(draw, v128.load(color), i32x4.shuffle(kept, kept, 0, 0, 0, 0)));
    v128.store(color, veil(draw, v128.load(color, 16), i32x4.shuffle(kept, kept, 1, 1, 1, 1)), 16);
    v128.store(color, veil(draw, v128.load(color, 32), i32x4.shuffle(kept, kept, 2, 2, 2, 2)), 32);
    v128.store(color, veil(draw, v128.load(color, 48), i32x4.shuffle(kept, kept, 3, 3, 3, 3)), 48);
    color += 64;
    depth += 16;
  }
}

// @ts-ignore: decorator
@inline
function veil(draw: usize, color: v128, kept: v128): v128 {
  const haze = v128.load(draw, DRAW_HAZE_COLOR);
  return f32x4.add(haze, f32x4.mul(f32x4.sub(color, haze), kept));
}

/** 2^t for t ≤ 0: a power of the whole part, times a polynomial of what is left (Taylor of 2^f, |f| ≤ ½: 2e-7). */
// @ts-ignore: decorator
@inline
function powerOfTwo(t: f32): f32 {
  const raised: f32 = LEAST_POWER < t ? t : LEAST_POWER;
  const whole = nearest(raised);
  const f = raised - whole;
  let sum: f32 = 0.0001540353039;
  sum = sum * f + 0.001333355815;
  sum = sum * f + 0.009618129108;
  sum = sum * f + 0.05550410866;
  sum = sum * f + 0.2402265070;
  sum = sum * f + 0.6931471806;
  sum = sum * f + 1;
  return sum * reinterpret<f32>((<i32>whole + 127) << 23);
}

// @ts-ignore: decorator
@inline
function powersOfTwo(draw: usize, t: v128): v128 {
  const magic = v128.load(draw, DRAW_MAGIC);
  const raised = f32x4.pmax(f32x4.splat(LEAST_POWER), t);
  const whole = f32x4.nearest(raised);
  const f = f32x4.sub(raised, whole);
  let sum = f32x4.splat(0.0001540353039);
  sum = f32x4.add(f32x4.mul(sum, f), f32x4.splat(0.001333355815));
  sum = f32x4.add(f32x4.mul(sum, f), f32x4.splat(0.009618129108));
  sum = f32x4.add(f32x4.mul(sum, f), f32x4.splat(0.05550410866));
  sum = f32x4.add(f32x4.mul(sum, f), f32x4.splat(0.2402265070));
  sum = f32x4.add(f32x4.mul(sum, f), f32x4.splat(0.6931471806));
  sum = f32x4.add(f32x4.mul(sum, f), f32x4.splat(1));
  const exponent = i32x4.add(i32x4.sub(f32x4.add(whole, magic), magic), i32x4.splat(127));
  return f32x4.mul(sum, i32x4.shl(exponent, 23));
}

/** The sky at a point, px from the centre of pixel (0, 0). */
function skyPoint(draw: usize, x: f32, y: f32, out: usize): void {
  const share = skyShare(draw, x, y);
  for (let c: usize = 0; c < 16; c += 4) {
    store<f32>(out + c, load<f32>(draw + c, DRAW_HORIZON) + load<f32>(draw + c, DRAW_TO_ZENITH) * share);
  }
}

/** How much of the way from horizon to zenith the sky's colour is. */
// @ts-ignore: decorator
@inline
function skyShare(draw: usize, x: f32, y: f32): f32 {
  const view = <usize>load<u32>(draw, DRAW_VIEW);
  if ((load<u32>(view, VIEW_FLAGS) & VIEW_SKY) == 0) return 0;
  const dx = (x + 0.5 - load<f32>(view, VIEW_CX)) / load<f32>(view, VIEW_FX);
  const dy = (y + 0.5 - load<f32>(view, VIEW_CY)) / load<f32>(view, VIEW_FY);
  const rise = load<f32>(view, VIEW_UP) * dx + load<f32>(view, VIEW_UP + 4) * dy + load<f32>(view, VIEW_UP + 8);
  const sine = rise / sqrt<f32>(dx * dx + dy * dy + 1);
  const t: f32 = 0 < sine ? sine : 0;
  return t * (2 - t);
}

/** A run of sky. */
function skyRun(draw: usize, y: i32, x: i32, end: i32): void {
  let color = <usize>load<u32>(draw, DRAW_ROW_COLOR) + (<usize>x << 4);
  const depth = <usize>load<u32>(draw, DRAW_ROW_DEPTH) + (<usize>x << 2);
  memory.fill(depth, 0, <usize>(end - x) << 2);
  if (ASC_FEATURE_SIMD) {
    const view = <usize>load<u32>(draw, DRAW_VIEW);
    const horizon = v128.load(draw, DRAW_HORIZON), way = v128.load(draw, DRAW_TO_ZENITH);
    if ((load<u32>(view, VIEW_FLAGS) & VIEW_SKY) == 0) {
      const flat = f32x4.add(horizon, f32x4.mul(way, f32x4.splat(0)));
      for (; x < end; x++) {
        v128.store(color, flat);
        color += 16;
      }
      return;
    }
    const dy = f32x4.splat((<f32>y + 0.5 - load<f32>(view, VIEW_CY)) / load<f32>(view, VIEW_FY));
    const fx = v128.load_splat<f32>(view, VIEW_FX), cx = v128.load_splat<f32>(view, VIEW_CX);
    const upX = v128.load_splat<f32>(view, VIEW_UP), upZ = v128.load_splat<f32>(view, VIEW_UP + 8);
    const upY = f32x4.mul(v128.load_splat<f32>(view, VIEW_UP + 4), dy);
    const one = v128.load(draw, DRAW_ONE);
    for (; x < end; x += 4) {
      const columns = f32x4.add(f32x4.add(f32x4.splat(<f32>x), v128.load(draw, DRAW_LANES)), v128.load(draw, DRAW_HALF));
      const dx = f32x4.div(f32x4.sub(columns, cx), fx);
      const rise = f32x4.add(f32x4.add(f32x4.mul(upX, dx), upY), upZ);
      const length = f32x4.sqrt(f32x4.add(f32x4.add(f32x4.mul(dx, dx), f32x4.mul(dy, dy)), one));
      const t = f32x4.pmax(f32x4.splat(0), f32x4.div(rise, length));
      const share = f32x4.mul(t, f32x4.sub(f32x4.splat(2), t));
      v128.store(color, f32x4.add(horizon, f32x4.mul(way, i32x4.shuffle(share, share, 0, 0, 0, 0))));
      v128.store(color, f32x4.add(horizon, f32x4.mul(way, i32x4.shuffle(share, share, 1, 1, 1, 1))), 16);
      v128.store(color, f32x4.add(horizon, f32x4.mul(way, i32x4.shuffle(share, share, 2, 2, 2, 2))), 32);
      v128.store(color, f32x4.add(horizon, f32x4.mul(way, i32x4.shuffle(share, share, 3, 3, 3, 3))), 48);
      color += 64;
    }
  } else {
    for (; x < end; x++) {
      skyPoint(draw, <f32>x, <f32>y, color);
      color += 16;
    }
  }
}
