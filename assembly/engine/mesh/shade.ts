/**
 * What a triangle record looks like: colour and depth of a run of pixels of a row, or at one point. Values are planes over
 * the pixels (attribute/z and 1/z); dividing one by the other is what makes them right in perspective.
 *
 * A run may write up to three pixels behind its end, in rows that are filled from left to right.
 */
import { lightFactors, meshOf, plain } from './surface';
import { levelAt, levelOf, sampleTexture } from './texture';
import { flatTexturedRun, shadedTexturedRun } from './texturedRun';
import {
  DRAW_HALF, DRAW_HAZE, DRAW_HAZE_COLOR, DRAW_HORIZON, DRAW_LANES, DRAW_MAGIC, DRAW_ONE, DRAW_ROW_COLOR, DRAW_ROW_DEPTH,
  DRAW_TO_ZENITH, DRAW_TRIANGLES, DRAW_VIEW, LEVEL_HEIGHT, LEVEL_WIDTH, MESH_LEVEL, MESH_LEVELS, SHADOWED, TRIANGLE_ANCHOR_X,
  TRIANGLE_ANCHOR_Y, TRIANGLE_DX, TRIANGLE_DY, TRIANGLE_FLAT, TRIANGLE_SHIFT, TRIANGLE_STATE, TRIANGLE_TEXTURED, TRIANGLE_UV,
  TRIANGLE_UV_DX, TRIANGLE_UV_DY, TRIANGLE_VALUE, VIEW_CX, VIEW_CY, VIEW_FLAGS, VIEW_FX, VIEW_FY, VIEW_SKY, VIEW_UP,
} from './layout';

/** Smallest power of two that haze is computed to: less is black. */
const LEAST_POWER: f32 = -126;

// @ts-ignore: decorator
@inline
function tableOf(draw: usize, mark: u32): usize {
  return <usize>load<u32>(draw, DRAW_TRIANGLES) + (<usize>(mark & ~SHADOWED) << TRIANGLE_SHIFT);
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
    const state = load<u32>(triangle, TRIANGLE_STATE);
    if ((state & TRIANGLE_TEXTURED) != 0) {
      if ((state & TRIANGLE_FLAT) != 0) flatTexturedRun(draw, triangle, mark, y, x, end);
      else shadedTexturedRun(draw, triangle, mark, y, x, end);
    } else plainRun(draw, triangle, mark, y, x, end);
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
  const base = load<f32>(triangle, TRIANGLE_VALUE + 12) + load<f32>(triangle, TRIANGLE_DY + 12) * dy;
  const inverse = base + load<f32>(triangle, TRIANGLE_DX + 12) * dx;
  const z: f32 = 1 / inverse;
  const textured = (load<u32>(triangle, TRIANGLE_STATE) & TRIANGLE_TEXTURED) != 0;
  const hazy = load<f32>(draw, DRAW_HAZE) != 0;
  const kept: f32 = hazy ? powerOfTwo(-(z * load<f32>(draw, DRAW_HAZE))) : 1;
  if (textured) texturePoint(triangle, dx, dy, base, z, out);
  const factors = lightFactors(draw, mark, textured);
  const flat = (load<u32>(triangle, TRIANGLE_STATE) & TRIANGLE_FLAT) != 0;
  if (ASC_FEATURE_SIMD) {
    const light = v128.load(factors);
    const row = f32x4.add(v128.load(triangle, TRIANGLE_VALUE), f32x4.mul(v128.load(triangle, TRIANGLE_DY), f32x4.splat(dy)));
    let color = flat
      ? f32x4.mul(v128.load(triangle, TRIANGLE_VALUE), light)
      : plain(f32x4.mul(row, light), f32x4.mul(v128.load(triangle, TRIANGLE_DX), light), f32x4.splat(dx), f32x4.splat(z));
    if (textured) color = f32x4.mul(color, v128.load(out));
    if (hazy) color = veil(draw, color, f32x4.splat(kept));
    v128.store(out, color);
  } else {
    for (let c: usize = 0; c < 16; c += 4) {
      const light = load<f32>(factors + c);
      const row = load<f32>(triangle + c, TRIANGLE_VALUE) + load<f32>(triangle + c, TRIANGLE_DY) * dy;
      let color = flat
        ? load<f32>(triangle + c, TRIANGLE_VALUE) * light
        : (row * light + load<f32>(triangle + c, TRIANGLE_DX) * light * dx) * z;
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

/**
 * Writes a triangle's texel at a point.
 *
 * With U = u/z and q = 1/z, ∂u/∂x = (∂U/∂x · q − U · ∂q/∂x) · z², and what is in brackets is the same all along a row;
 * ∂u/∂y likewise, where the bracket is linear along the row.
 * @param base 1/z in the point's row at the anchor's column
 */
function texturePoint(triangle: usize, dx: f32, dy: f32, base: f32, z: f32, out: usize): void {
  const mesh = meshOf(triangle);
  const first = mesh + MESH_LEVEL;
  const ux = load<f32>(triangle, TRIANGLE_UV_DX), vx = load<f32>(triangle, TRIANGLE_UV_DX + 4);
  const uy = load<f32>(triangle, TRIANGLE_UV_DY), vy = load<f32>(triangle, TRIANGLE_UV_DY + 4);
  const zx = load<f32>(triangle, TRIANGLE_DX + 12), zy = load<f32>(triangle, TRIANGLE_DY + 12);
  const uBase = load<f32>(triangle, TRIANGLE_UV) + uy * dy, vBase = load<f32>(triangle, TRIANGLE_UV + 4) + vy * dy;
  const width = <f32>load<i32>(first, LEVEL_WIDTH), height = <f32>load<i32>(first, LEVEL_HEIGHT);
  // Texels that a pixel's two sides span, over z².
  const a = (ux * base - uBase * zx) * width, b = (vx * base - vBase * zx) * height;
  const c = (uy * base - uBase * zy) * width + (uy * zx - ux * zy) * width * dx;
  const d = (vy * base - vBase * zy) * height + (vy * zx - vx * zy) * height * dx;
  const right = a * a + b * b, down = c * c + d * d;
  const near = z * z;
  const square = (right < down ? down : right) * (near * near);
  const level = levelOf(square, load<i32>(mesh, MESH_LEVELS) - 1);
  sampleTexture(levelAt(first, level), (uBase + ux * dx) * z, (vBase + vx * dx) * z, out);
}

/** Runs without a texture. */
function plainRun(draw: usize, triangle: usize, mark: u32, y: i32, x: i32, end: i32): void {
  let color = <usize>load<u32>(draw, DRAW_ROW_COLOR) + (<usize>x << 4);
  let depth = <usize>load<u32>(draw, DRAW_ROW_DEPTH) + (<usize>x << 2);
  const dy = f32x4.splat(<f32>y - load<f32>(triangle, TRIANGLE_ANCHOR_Y));
  let gain = v128.load(triangle, TRIANGLE_DX);
  let base = f32x4.add(v128.load(triangle, TRIANGLE_VALUE), f32x4.mul(v128.load(triangle, TRIANGLE_DY), dy));
  const inverseBase = i32x4.shuffle(base, base, 3, 3, 3, 3);
  const inverseGain = i32x4.shuffle(gain, gain, 3, 3, 3, 3);
  const one = v128.load(draw, DRAW_ONE);
  const light = v128.load(lightFactors(draw, mark, false));
  base = f32x4.mul(base, light);
  gain = f32x4.mul(gain, light);
  let column = f32x4.splat(<f32>x - load<f32>(triangle, TRIANGLE_ANCHOR_X));
  if ((load<u32>(triangle, TRIANGLE_STATE) & TRIANGLE_FLAT) != 0) {
    const flat = f32x4.mul(v128.load(triangle, TRIANGLE_VALUE), light);
    const four = f32x4.splat(4);
    column = f32x4.add(column, v128.load(draw, DRAW_LANES));
    for (; x < end; x += 4) {
      v128.store(depth, f32x4.div(one, f32x4.add(inverseBase, f32x4.mul(inverseGain, column))));
      v128.store(color, flat);
      v128.store(color, flat, 16);
      v128.store(color, flat, 32);
      v128.store(color, flat, 48);
      column = f32x4.add(column, four);
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
export function veil(draw: usize, color: v128, kept: v128): v128 {
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
export function powersOfTwo(draw: usize, t: v128): v128 {
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
