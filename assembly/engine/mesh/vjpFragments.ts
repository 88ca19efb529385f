/**
 * Contraction of pixels that several triangles share, or that stand alone: what each triangle shows of a pixel is a *fragment*,
 * shaded once in the middle of its samples, as resolve.ts does it. Fragments are gathered by fours, whichever pixels, triangles
 * and poses they come from, so that what precedes the texture's tap is computed for four at a time; the low pose's count
 * negative. Both builds do the same operations in the same order as shadePoint (shade.ts).
 */
import { LUMA_BLUE, LUMA_GREEN, LUMA_RED } from '../blend';
import {
  DRAW_CENTROIDS, DRAW_HALF, DRAW_HAZE, DRAW_MAGIC, DRAW_ONE, DRAW_ROW_COLOR, DRAW_TRIANGLES, DRAW_VIEW, DRAW_WEIGHT, MESH_LEVEL, MESH_LEVELS,
  SHADOWED, TRIANGLE_DX, TRIANGLE_DY, TRIANGLE_FLAT, TRIANGLE_SHIFT, TRIANGLE_STATE, TRIANGLE_TEXTURED, TRIANGLE_UV, TRIANGLE_UV_DY,
  TRIANGLE_VALUE, VIEW_CHANNELS, VIEW_WIDTH,
} from './layout';
import { maskOf } from './resolve';
import { powersOfTwo, shadePoint, shadeRun, veil } from './shade';
import { lightFactors, meshOf, plain } from './surface';
import { levelAt, tap } from './texture';
import { contractColors, isWhole } from './vjpContract';
import {
  FRAGMENT_COLOR, FRAGMENT_COUNT, FRAGMENT_GRADIENT, FRAGMENT_MARK, FRAGMENT_OX, FRAGMENT_OY, FRAGMENT_SUMS, FRAGMENT_TRIANGLE,
  FRAGMENT_WEIGHT, FRAGMENT_X, FRAGMENT_Y, VJP_FRAGMENTS, VJP_GRADIENT,
} from './vjpLayout';

/** Pixels of a run that are worth a run. */
const LEAST_RUN: i32 = 4;

/** Begins a sum of fragments. */
export function openFragments(vjp: usize): void {
  memory.fill(vjp + VJP_FRAGMENTS + FRAGMENT_SUMS, 0, 32);
  store<u32>(vjp + VJP_FRAGMENTS, 0, FRAGMENT_COUNT);
}

/** Shades what is left. @returns the sum of all fragments since openFragments */
export function closeFragments(vjp: usize, draw: usize): f64 {
  const queue = vjp + VJP_FRAGMENTS;
  const count = <usize>load<u32>(queue, FRAGMENT_COUNT);
  if (count != 0) {
    // Copies of the first, that count nothing.
    for (let lane = count << 2; lane < 16; lane += 4) {
      for (let field = FRAGMENT_MARK; field < FRAGMENT_COUNT; field += 16) store<u32>(queue + lane + field, load<u32>(queue + field));
      store<f32>(queue + lane, 0, FRAGMENT_WEIGHT);
    }
    contractFour(draw, queue);
    store<u32>(queue, 0, FRAGMENT_COUNT);
  }
  return (
    load<f64>(queue, FRAGMENT_SUMS) + load<f64>(queue, FRAGMENT_SUMS + 8) + load<f64>(queue, FRAGMENT_SUMS + 16) +
    load<f64>(queue, FRAGMENT_SUMS + 24)
  );
}

/**
 * Adds sign · Σ dL/dimage · colour of the pixels [x, end) of row y: of runs to `sums`, where it counts positive, else to the
 * fragments.
 * @param marks of the samples of pixel x, and so on to the right
 * @param sign 1 or −1
 * @param sums f64[4]
 */
export function contractShown(
  vjp: usize, draw: usize, marks: usize, y: i32, x: i32, end: i32, sign: f32, sums: usize,
): void {
  const gradient = <usize>load<u32>(vjp, VJP_GRADIENT);
  const view = <usize>load<u32>(draw, DRAW_VIEW);
  const bytes: usize = load<u32>(view, VIEW_CHANNELS) == 1 ? 4 : 12;
  let at = gradient + (<usize>y * <usize>load<i32>(view, VIEW_WIDTH) + <usize>x) * bytes;
  while (x < end) {
    const mark = load<u32>(marks);
    let to = x;
    while (to < end && isWhole(marks, mark)) {
      marks += 16;
      to++;
    }
    if (to - x >= LEAST_RUN) {
      shadeRun(draw, mark, y, x, to);
      contractColors(draw, <usize>load<u32>(draw, DRAW_ROW_COLOR) + (<usize>x << 4), y, x, to, gradient, sums);
      at += <usize>(to - x) * bytes;
      x = to;
    } else if (to > x) {
      for (; x < to; x++) {
        addFragment(vjp, draw, mark, <f32>x, <f32>y, 15, sign, at);
        at += bytes;
      }
    } else {
      for (let left: u32 = 15; left != 0; ) {
        const part = load<u32>(marks + (<usize>ctz<u32>(left) << 2));
        const mask = maskOf(marks, part);
        left &= ~mask;
        addFragment(vjp, draw, part, <f32>x, <f32>y, mask, sign, at);
      }
      marks += 16;
      at += bytes;
      x++;
    }
  }
}

/** What the samples `mask` of a pixel show of a triangle. */
// @ts-ignore: decorator
@inline
function addFragment(vjp: usize, draw: usize, mark: u32, x: f32, y: f32, mask: u32, sign: f32, gradient: usize): void {
  const queue = vjp + VJP_FRAGMENTS;
  const triangle = <usize>load<u32>(draw, DRAW_TRIANGLES) + (<usize>(mark & ~SHADOWED) << TRIANGLE_SHIFT);
  const place = draw + (<usize>mask << 3);
  const weight = <f32>popcnt<u32>(mask) * <f32>0.25 * sign;
  if (mark == 0 || (load<u32>(triangle, TRIANGLE_STATE) & TRIANGLE_TEXTURED) == 0) {
    addPlain(draw, queue, mark, x, y, place, weight, gradient);
    return;
  }
  const count = load<u32>(queue, FRAGMENT_COUNT);
  const lane = queue + (<usize>count << 2);
  store<u32>(lane, mark, FRAGMENT_MARK);
  store<u32>(lane, <u32>triangle, FRAGMENT_TRIANGLE);
  store<f32>(lane, x, FRAGMENT_X);
  store<f32>(lane, y, FRAGMENT_Y);
  store<f32>(lane, load<f32>(place, DRAW_CENTROIDS), FRAGMENT_OX);
  store<f32>(lane, load<f32>(place, DRAW_CENTROIDS + 4), FRAGMENT_OY);
  store<f32>(lane, weight, FRAGMENT_WEIGHT);
  store<u32>(lane, <u32>gradient, FRAGMENT_GRADIENT);
  if (count != 3) {
    store<u32>(queue, count + 1, FRAGMENT_COUNT);
    return;
  }
  store<u32>(queue, 0, FRAGMENT_COUNT);
  contractFour(draw, queue);
}

/** A fragment without a texture. */
function addPlain(draw: usize, queue: usize, mark: u32, x: f32, y: f32, place: usize, weight: f32, gradient: usize): void {
  shadePoint(draw, mark, x, y, load<f32>(place, DRAW_CENTROIDS), load<f32>(place, DRAW_CENTROIDS + 4), queue + FRAGMENT_COLOR);
  store<f64>(queue, load<f64>(queue, FRAGMENT_SUMS) + <f64>(dotOf(draw, queue + FRAGMENT_COLOR, gradient) * weight), FRAGMENT_SUMS);
}

/** dL/dimage · colour of one pixel. */
// @ts-ignore: decorator
@inline
function dotOf(draw: usize, color: usize, gradient: usize): f32 {
  const red = load<f32>(color), green = load<f32>(color, 4), blue = load<f32>(color, 8);
  const g = load<f32>(gradient);
  if (load<u32>(load<u32>(draw, DRAW_VIEW), VIEW_CHANNELS) == 1) return g * LUMA_RED * red + g * LUMA_GREEN * green + g * LUMA_BLUE * blue;
  return g * red + load<f32>(gradient, 4) * green + load<f32>(gradient, 8) * blue;
}

/** Four fragments, each added to the sum of its own lane. */
function contractFour(draw: usize, queue: usize): void {
  if (ASC_FEATURE_SIMD) {
    shadeFour(draw, queue);
    return;
  }
  for (let lane: usize = 0; lane < 4; lane++) {
    const at = queue + (lane << 2);
    const color = queue + FRAGMENT_COLOR;
    shadePoint(
      draw, load<u32>(at, FRAGMENT_MARK), load<f32>(at, FRAGMENT_X), load<f32>(at, FRAGMENT_Y), load<f32>(at, FRAGMENT_OX),
      load<f32>(at, FRAGMENT_OY), color,
    );
    const sum = queue + (lane << 3);
    const dot = dotOf(draw, color, load<u32>(at, FRAGMENT_GRADIENT)) * load<f32>(at, FRAGMENT_WEIGHT);
    store<f64>(sum, load<f64>(sum, FRAGMENT_SUMS) + <f64>dot, FRAGMENT_SUMS);
  }
}

/** contractFour with a fragment a lane; see texturePoint (shade.ts) and sampleTexture (texture.ts). */
function shadeFour(draw: usize, queue: usize): void {
  const t0 = <usize>load<u32>(queue, FRAGMENT_TRIANGLE), t1 = <usize>load<u32>(queue, FRAGMENT_TRIANGLE + 4);
  const t2 = <usize>load<u32>(queue, FRAGMENT_TRIANGLE + 8), t3 = <usize>load<u32>(queue, FRAGMENT_TRIANGLE + 12);
  // Gains downwards of u/z and v/z, and the anchors.
  let low = i32x4.shuffle(v128.load(t0, TRIANGLE_UV_DY), v128.load(t1, TRIANGLE_UV_DY), 0, 4, 1, 5);
  let high = i32x4.shuffle(v128.load(t2, TRIANGLE_UV_DY), v128.load(t3, TRIANGLE_UV_DY), 0, 4, 1, 5);
  const uy = i64x2.shuffle(low, high, 0, 2), vy = i64x2.shuffle(low, high, 1, 3);
  low = i32x4.shuffle(v128.load(t0, TRIANGLE_UV_DY), v128.load(t1, TRIANGLE_UV_DY), 2, 6, 3, 7);
  high = i32x4.shuffle(v128.load(t2, TRIANGLE_UV_DY), v128.load(t3, TRIANGLE_UV_DY), 2, 6, 3, 7);
  const dx = f32x4.add(f32x4.sub(v128.load(queue, FRAGMENT_X), i64x2.shuffle(low, high, 0, 2)), v128.load(queue, FRAGMENT_OX));
  const dy = f32x4.add(f32x4.sub(v128.load(queue, FRAGMENT_Y), i64x2.shuffle(low, high, 1, 3)), v128.load(queue, FRAGMENT_OY));
  // u/z, v/z and their gains to the right.
  low = i32x4.shuffle(v128.load(t0, TRIANGLE_UV), v128.load(t1, TRIANGLE_UV), 0, 4, 1, 5);
  high = i32x4.shuffle(v128.load(t2, TRIANGLE_UV), v128.load(t3, TRIANGLE_UV), 0, 4, 1, 5);
  const uBase = f32x4.add(i64x2.shuffle(low, high, 0, 2), f32x4.mul(uy, dy));
  const vBase = f32x4.add(i64x2.shuffle(low, high, 1, 3), f32x4.mul(vy, dy));
  low = i32x4.shuffle(v128.load(t0, TRIANGLE_UV), v128.load(t1, TRIANGLE_UV), 2, 6, 3, 7);
  high = i32x4.shuffle(v128.load(t2, TRIANGLE_UV), v128.load(t3, TRIANGLE_UV), 2, 6, 3, 7);
  const ux = i64x2.shuffle(low, high, 0, 2), vx = i64x2.shuffle(low, high, 1, 3);
  const zx = inverses(t0, t1, t2, t3, TRIANGLE_DX), zy = inverses(t0, t1, t2, t3, TRIANGLE_DY);
  const base = f32x4.add(inverses(t0, t1, t2, t3, TRIANGLE_VALUE), f32x4.mul(zy, dy));
  const z = f32x4.div(v128.load(draw, DRAW_ONE), f32x4.add(base, f32x4.mul(zx, dx)));
  const m0 = meshOf(t0), m1 = meshOf(t1), m2 = meshOf(t2), m3 = meshOf(t3);
  // Of a level: texels and shift, width and height.
  low = i32x4.shuffle(v128.load(m0, MESH_LEVEL), v128.load(m1, MESH_LEVEL), 2, 6, 3, 7);
  high = i32x4.shuffle(v128.load(m2, MESH_LEVEL), v128.load(m3, MESH_LEVEL), 2, 6, 3, 7);
  const width = f32x4.convert_i32x4_s(i64x2.shuffle(low, high, 0, 2)), height = f32x4.convert_i32x4_s(i64x2.shuffle(low, high, 1, 3));
  const a = f32x4.mul(f32x4.sub(f32x4.mul(ux, base), f32x4.mul(uBase, zx)), width);
  const b = f32x4.mul(f32x4.sub(f32x4.mul(vx, base), f32x4.mul(vBase, zx)), height);
  const c = f32x4.add(
    f32x4.mul(f32x4.sub(f32x4.mul(uy, base), f32x4.mul(uBase, zy)), width),
    f32x4.mul(f32x4.mul(f32x4.sub(f32x4.mul(uy, zx), f32x4.mul(ux, zy)), width), dx),
  );
  const d = f32x4.add(
    f32x4.mul(f32x4.sub(f32x4.mul(vy, base), f32x4.mul(vBase, zy)), height),
    f32x4.mul(f32x4.mul(f32x4.sub(f32x4.mul(vy, zx), f32x4.mul(vx, zy)), height), dx),
  );
  const right = f32x4.add(f32x4.mul(a, a), f32x4.mul(b, b)), down = f32x4.add(f32x4.mul(c, c), f32x4.mul(d, d));
  const near = f32x4.mul(z, z);
  const square = f32x4.mul(f32x4.pmax(right, down), f32x4.mul(near, near));
  const exponent = i32x4.sub(i32x4.shr_s(f32x4.add(square, square), 23), i32x4.splat(127));
  const wanted = i32x4.max_s(i32x4.shr_s(exponent, 1), i32x4.splat(0));
  const l0 = levelOf(m0, i32x4.extract_lane(wanted, 0)), l1 = levelOf(m1, i32x4.extract_lane(wanted, 1));
  const l2 = levelOf(m2, i32x4.extract_lane(wanted, 2)), l3 = levelOf(m3, i32x4.extract_lane(wanted, 3));
  low = i32x4.shuffle(v128.load(l0), v128.load(l1), 2, 6, 3, 7);
  high = i32x4.shuffle(v128.load(l2), v128.load(l3), 2, 6, 3, 7);
  const columns = i64x2.shuffle(low, high, 0, 2), rows = i64x2.shuffle(low, high, 1, 3);
  low = i32x4.shuffle(v128.load(l0), v128.load(l1), 0, 4, 1, 5);
  high = i32x4.shuffle(v128.load(l2), v128.load(l3), 0, 4, 1, 5);
  const texels = i64x2.shuffle(low, high, 0, 2);
  const half = v128.load(draw, DRAW_HALF), magic = v128.load(draw, DRAW_MAGIC);
  const u = f32x4.mul(f32x4.add(uBase, f32x4.mul(ux, dx)), z), v = f32x4.mul(f32x4.add(vBase, f32x4.mul(vx, dx)), z);
  const x = f32x4.sub(f32x4.mul(u, f32x4.convert_i32x4_s(columns)), half);
  const y = f32x4.sub(f32x4.mul(v, f32x4.convert_i32x4_s(rows)), half);
  const left = f32x4.floor(x), top = f32x4.floor(y);
  const part = f32x4.sub(y, top);
  const weight = i32x4.sub(f32x4.add(f32x4.mul(f32x4.sub(x, left), v128.load(draw, DRAW_WEIGHT)), magic), magic);
  const weights = i32x4.sub(i32x4.add(i32x4.splat(16384), i32x4.shl(weight, 16)), weight);
  // A texel is 8 bytes, and a row of them as many as there are columns: a power of two.
  const row = v128.and(f32x4.add(top, magic), i32x4.sub(rows, i32x4.splat(1)));
  const column = v128.and(f32x4.add(left, magic), i32x4.sub(columns, i32x4.splat(1)));
  const at = i32x4.add(texels, i32x4.shl(i32x4.add(i32x4.mul(row, columns), column), 3));
  const strides = i32x4.shl(columns, 3);
  const c0 = tap(<usize>i32x4.extract_lane(at, 0), <usize>i32x4.extract_lane(strides, 0), i32x4.shuffle(weights, weights, 0, 0, 0, 0), i32x4.shuffle(part, part, 0, 0, 0, 0));
  const c1 = tap(<usize>i32x4.extract_lane(at, 1), <usize>i32x4.extract_lane(strides, 1), i32x4.shuffle(weights, weights, 1, 1, 1, 1), i32x4.shuffle(part, part, 1, 1, 1, 1));
  const c2 = tap(<usize>i32x4.extract_lane(at, 2), <usize>i32x4.extract_lane(strides, 2), i32x4.shuffle(weights, weights, 2, 2, 2, 2), i32x4.shuffle(part, part, 2, 2, 2, 2));
  const c3 = tap(<usize>i32x4.extract_lane(at, 3), <usize>i32x4.extract_lane(strides, 3), i32x4.shuffle(weights, weights, 3, 3, 3, 3), i32x4.shuffle(part, part, 3, 3, 3, 3));
  let p0 = lit(draw, queue, t0, 0, c0, i32x4.shuffle(dx, dx, 0, 0, 0, 0), i32x4.shuffle(dy, dy, 0, 0, 0, 0), i32x4.shuffle(z, z, 0, 0, 0, 0));
  let p1 = lit(draw, queue, t1, 4, c1, i32x4.shuffle(dx, dx, 1, 1, 1, 1), i32x4.shuffle(dy, dy, 1, 1, 1, 1), i32x4.shuffle(z, z, 1, 1, 1, 1));
  let p2 = lit(draw, queue, t2, 8, c2, i32x4.shuffle(dx, dx, 2, 2, 2, 2), i32x4.shuffle(dy, dy, 2, 2, 2, 2), i32x4.shuffle(z, z, 2, 2, 2, 2));
  let p3 = lit(draw, queue, t3, 12, c3, i32x4.shuffle(dx, dx, 3, 3, 3, 3), i32x4.shuffle(dy, dy, 3, 3, 3, 3), i32x4.shuffle(z, z, 3, 3, 3, 3));
  if (load<f32>(draw, DRAW_HAZE) != 0) {
    const kept = powersOfTwo(draw, f32x4.neg(f32x4.mul(z, v128.load_splat<f32>(draw, DRAW_HAZE))));
    p0 = veil(draw, p0, i32x4.shuffle(kept, kept, 0, 0, 0, 0));
    p1 = veil(draw, p1, i32x4.shuffle(kept, kept, 1, 1, 1, 1));
    p2 = veil(draw, p2, i32x4.shuffle(kept, kept, 2, 2, 2, 2));
    p3 = veil(draw, p3, i32x4.shuffle(kept, kept, 3, 3, 3, 3));
  }
  const grey = load<u32>(load<u32>(draw, DRAW_VIEW), VIEW_CHANNELS) == 1;
  p0 = f32x4.mul(gradientAt(queue, 0, grey), p0);
  p1 = f32x4.mul(gradientAt(queue, 4, grey), p1);
  p2 = f32x4.mul(gradientAt(queue, 8, grey), p2);
  p3 = f32x4.mul(gradientAt(queue, 12, grey), p3);
  low = i32x4.shuffle(p0, p1, 0, 4, 1, 5);
  high = i32x4.shuffle(p2, p3, 0, 4, 1, 5);
  const redGreen = f32x4.add(i64x2.shuffle(low, high, 0, 2), i64x2.shuffle(low, high, 1, 3));
  low = i32x4.shuffle(p0, p1, 2, 6, 3, 7);
  high = i32x4.shuffle(p2, p3, 2, 6, 3, 7);
  const dots = f32x4.mul(f32x4.add(redGreen, i64x2.shuffle(low, high, 0, 2)), v128.load(queue, FRAGMENT_WEIGHT));
  v128.store(queue, f64x2.add(v128.load(queue, FRAGMENT_SUMS), f64x2.promote_low_f32x4(dots)), FRAGMENT_SUMS);
  const others = f64x2.promote_low_f32x4(i64x2.shuffle(dots, dots, 1, 1));
  v128.store(queue, f64x2.add(v128.load(queue, FRAGMENT_SUMS + 16), others), FRAGMENT_SUMS + 16);
}

/** Fourth numbers of a field of four triangles: what concerns 1/z. */
// @ts-ignore: decorator
@inline
function inverses(t0: usize, t1: usize, t2: usize, t3: usize, field: usize): v128 {
  const low = i32x4.shuffle(v128.load(t0 + field), v128.load(t1 + field), 3, 7, 3, 7);
  const high = i32x4.shuffle(v128.load(t2 + field), v128.load(t3 + field), 3, 7, 3, 7);
  return i64x2.shuffle(low, high, 0, 2);
}

/** A mesh's level, or the last. */
// @ts-ignore: decorator
@inline
function levelOf(mesh: usize, wanted: i32): usize {
  return levelAt(mesh + MESH_LEVEL, min(wanted, load<i32>(mesh, MESH_LEVELS) - 1));
}

/** A texel times the light on its triangle. */
// @ts-ignore: decorator
@inline
function lit(draw: usize, queue: usize, triangle: usize, lane: usize, texel: v128, dx: v128, dy: v128, z: v128): v128 {
  const light = v128.load(lightFactors(draw, load<u32>(queue + lane, FRAGMENT_MARK), true));
  if ((load<u32>(triangle, TRIANGLE_STATE) & TRIANGLE_FLAT) != 0) {
    return f32x4.mul(f32x4.mul(v128.load(triangle, TRIANGLE_VALUE), light), texel);
  }
  const row = f32x4.add(v128.load(triangle, TRIANGLE_VALUE), f32x4.mul(v128.load(triangle, TRIANGLE_DY), dy));
  return f32x4.mul(plain(f32x4.mul(row, light), f32x4.mul(v128.load(triangle, TRIANGLE_DX), light), dx, z), texel);
}

/** dL/dimage of a fragment's pixel by channel; the fourth is of no meaning. */
// @ts-ignore: decorator
@inline
function gradientAt(queue: usize, lane: usize, grey: bool): v128 {
  const gradient = <usize>load<u32>(queue + lane, FRAGMENT_GRADIENT);
  if (grey) return f32x4.mul(v128.load_splat<f32>(gradient), f32x4(LUMA_RED, LUMA_GREEN, LUMA_BLUE, 0));
  return v128.load32_lane(gradient, v128.load64_zero(gradient), 2, 8);
}
