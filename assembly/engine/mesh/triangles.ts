/**
 * Set-up: from an instance to the triangle records (layout.ts) of what it may show in the rectangle. This is all that
 * depends on where an instance stands; rasterising and shading read nothing but these records.
 */
import { clippedVertices, clipTriangle } from './clip';
import {
  DRAW_CAPACITY, DRAW_COUNT, DRAW_FAR_CORNER, DRAW_FIRSTS, DRAW_LASTS, DRAW_LEVELS, DRAW_LEVEL_HEIGHTS, DRAW_MAGIC,
  DRAW_MIRROR, DRAW_NEAR_CORNER, DRAW_OVERFLOW, DRAW_PLANES, DRAW_TRIANGLES, DRAW_VERTICES, DRAW_VIEW, DRAW_WANTED,
  INSTANCE_BENT, INSTANCE_FLAGS, INSTANCE_MATRIX, INSTANCE_MESH, MESH_CENTRE, MESH_FLAGS, MESH_GROUND, MESH_INDICES,
  MESH_LEVELS, MESH_RADIUS, MESH_TRIANGLES, OUT_GUARD, OUT_NEAR, PLANES_BYTES, TRIANGLE_ANCHOR_X, TRIANGLE_ANCHOR_Y,
  TRIANGLE_BOTTOM_Y, TRIANGLE_DX, TRIANGLE_DY, TRIANGLE_FLAT, TRIANGLE_INSTANCE, TRIANGLE_LEFT, TRIANGLE_LONG_SLOPE,
  TRIANGLE_LOWER_SLOPE, TRIANGLE_MIDDLE_X, TRIANGLE_MIDDLE_Y, TRIANGLE_ON_GROUND, TRIANGLE_ON_RIGHT, TRIANGLE_SHIFT,
  TRIANGLE_STATE, TRIANGLE_TEXTURED, TRIANGLE_TOP_X, TRIANGLE_TOP_Y, TRIANGLE_UPPER_SLOPE, TRIANGLE_UV, TRIANGLE_UV_DX,
  TRIANGLE_UV_DY, TRIANGLE_VALUE, VERTEX_BYTES, VERTEX_CODE, VERTEX_COLOR, VERTEX_INVERSE, VERTEX_NORMAL, VERTEX_U, VERTEX_X,
  VERTEX_Y, VIEW_CX, VIEW_CY, VIEW_FAR, VIEW_FX, VIEW_FY, VIEW_GROUND, VIEW_NEAR, VIEW_UP,
} from './layout';
import { bendVertices, openInstance, paddedVertices, placedPositions, transformVertices } from './vertices';

/** px: planes of larger triangles are computed in f64, so that depth on a road keeps 1 mm at 100 m. */
const LARGE: f32 = 512;

/**
 * Appends the triangle records of one instance.
 * Reads the draw record's rectangle; uses its vertex memory. Triangles that find no room set DRAW_OVERFLOW.
 */
export function setUpInstance(draw: usize, instance: usize): void {
  const mesh = <usize>load<u32>(instance, INSTANCE_MESH);
  if (mesh == 0 || load<u32>(mesh, MESH_TRIANGLES) == 0) return;
  const bent = (load<u8>(instance, INSTANCE_FLAGS) & INSTANCE_BENT) != 0;
  if (!bent && !isSphereSeen(draw, instance, mesh, false)) return;
  openInstance(draw, instance);
  if (bent) bendVertices(draw, instance);
  transformVertices(draw, instance);
  const state = stateOf(draw, instance, mesh);
  const vertices = <usize>load<u32>(draw, DRAW_VERTICES);
  let index = <usize>load<u32>(mesh, MESH_INDICES);
  const end = index + 12 * <usize>load<u32>(mesh, MESH_TRIANGLES);
  for (; index < end; index += 12) {
    const a = vertices + <usize>load<u32>(index);
    const b = vertices + <usize>load<u32>(index, 4);
    const c = vertices + <usize>load<u32>(index, 8);
    const codeA = load<u32>(a, VERTEX_CODE), codeB = load<u32>(b, VERTEX_CODE), codeC = load<u32>(c, VERTEX_CODE);
    if ((codeA & codeB & codeC) != 0) continue;
    if (((codeA | codeB | codeC) & (OUT_NEAR | OUT_GUARD)) != 0) setUpClipped(draw, instance, mesh, index, state);
    else setUpTriangle(draw, instance, state, a, b, c);
  }
}

/**
 * Whether a part of the mesh's bounding sphere may lie in the rectangle.
 * @param sheared the matrix' columns may be anything: its Frobenius norm bounds what it makes of lengths
 */
export function isSphereSeen(draw: usize, instance: usize, mesh: usize, sheared: bool): bool {
  const view = <usize>load<u32>(draw, DRAW_VIEW);
  const m = instance + INSTANCE_MATRIX;
  const centre = mesh + MESH_CENTRE;
  const x = placed(m, centre), y = placed(m + 16, centre), z = placed(m + 32, centre);
  const a = columnSquare(m), b = columnSquare(m + 4), c = columnSquare(m + 8);
  const scale = sqrt(sheared ? a + b + c : max(a, max(b, c)));
  const radius = <f64>load<f32>(mesh, MESH_RADIUS) * scale * 1.0001 + 1e-4;
  if (z + radius < <f64>load<f32>(view, VIEW_NEAR)) return false;
  const far = <f64>load<f32>(view, VIEW_FAR);
  if (far > 0 && z - radius > far) return false;
  const near = draw + DRAW_NEAR_CORNER, corner = draw + DRAW_FAR_CORNER;
  const fx = <f64>load<f32>(view, VIEW_FX), cx = <f64>load<f32>(view, VIEW_CX);
  const fy = <f64>load<f32>(view, VIEW_FY), cy = <f64>load<f32>(view, VIEW_CY);
  return (
    isBeside(fx * x + (cx - <f64>load<f32>(near)) * z, fx, cx - <f64>load<f32>(near), radius) &&
    isBeside(-fx * x - (cx - <f64>load<f32>(corner)) * z, fx, cx - <f64>load<f32>(corner), radius) &&
    isBeside(fy * y + (cy - <f64>load<f32>(near, 4)) * z, fy, cy - <f64>load<f32>(near, 4), radius) &&
    isBeside(-fy * y - (cy - <f64>load<f32>(corner, 4)) * z, fy, cy - <f64>load<f32>(corner, 4), radius)
  );
}

/** Whether a centre at `distance` (times the length of (a, b)) from a plane is at most a radius behind it. */
// @ts-ignore: decorator
@inline
function isBeside(distance: f64, a: f64, b: f64, radius: f64): bool {
  return distance >= 0 || distance * distance <= radius * radius * (a * a + b * b);
}

// @ts-ignore: decorator
@inline
function placed(row: usize, point: usize): f64 {
  return (
    <f64>load<f32>(row) * <f64>load<f32>(point) + <f64>load<f32>(row, 4) * <f64>load<f32>(point, 4) +
    <f64>load<f32>(row, 8) * <f64>load<f32>(point, 8) + <f64>load<f32>(row, 12)
  );
}

// @ts-ignore: decorator
@inline
function columnSquare(column: usize): f64 {
  const a = <f64>load<f32>(column), b = <f64>load<f32>(column, 16), c = <f64>load<f32>(column, 32);
  return a * a + b * b + c * c;
}

/** TRIANGLE_STATE of the instance's triangles, but for the side of the middle vertex. */
function stateOf(draw: usize, instance: usize, mesh: usize): u32 {
  let state: u32 = load<u32>(mesh, MESH_LEVELS) != 0 ? TRIANGLE_TEXTURED : 0;
  if ((load<u32>(mesh, MESH_FLAGS) & MESH_GROUND) == 0) return state;
  state |= TRIANGLE_ON_GROUND;
  const height = groundHeight(draw, instance);
  const levels = load<u32>(draw, DRAW_LEVELS);
  let best: u32 = 0;
  for (let level: u32 = 1; level < levels; level++) {
    const heights = draw + DRAW_LEVEL_HEIGHTS;
    const distance = abs(load<f32>(heights + (<usize>level << 2)) - height);
    if (distance < abs(load<f32>(heights + (<usize>best << 2)) - height)) best = level;
  }
  return state | (best << 8);
}

/** Height of an instance's origin above the world's ground, m. A strip's is that of its offset. */
export function groundHeight(draw: usize, instance: usize): f32 {
  const view = <usize>load<u32>(draw, DRAW_VIEW);
  const m = instance + INSTANCE_MATRIX;
  let x = load<f32>(m, 12), y = load<f32>(m, 28), z = load<f32>(m, 44);
  if ((load<u8>(instance, INSTANCE_FLAGS) & INSTANCE_BENT) != 0) {
    const down = load<f32>(instance, INSTANCE_OFFSET_DOWN);
    x += down * load<f32>(m, 4);
    y += down * load<f32>(m, 20);
    z += down * load<f32>(m, 36);
  }
  return (
    load<f32>(view, VIEW_UP) * x + load<f32>(view, VIEW_UP + 4) * y + load<f32>(view, VIEW_UP + 8) * z +
    load<f32>(view, VIEW_GROUND)
  );
}

/** Second component of INSTANCE_OFFSET. */
const INSTANCE_OFFSET_DOWN: usize = 84;

/** A triangle that has to be cut, as a fan. */
function setUpClipped(draw: usize, instance: usize, mesh: usize, index: usize, state: u32): void {
  const count = clipTriangle(
    draw, instance + INSTANCE_MATRIX, placedPositions(draw, instance), paddedVertices(mesh) << 2, load<u32>(index),
    load<u32>(index, 4), load<u32>(index, 8),
  );
  const corners = clippedVertices(draw);
  for (let i: usize = 2; i < <usize>count; i++) {
    setUpTriangle(draw, instance, state, corners, corners + (i - 1) * VERTEX_BYTES, corners + i * VERTEX_BYTES);
  }
}

/** Appends the record of one projected triangle, unless it faces away or holds no place of a sample. */
export function setUpTriangle(draw: usize, instance: usize, state: u32, a: usize, b: usize, c: usize): void {
  const ax = load<f32>(a, VERTEX_X), ay = load<f32>(a, VERTEX_Y);
  const bx = load<f32>(b, VERTEX_X) - ax, by = load<f32>(b, VERTEX_Y) - ay;
  const cx = load<f32>(c, VERTEX_X) - ax, cy = load<f32>(c, VERTEX_Y) - ay;
  const area = bx * cy - cx * by;
  // y points down: what is turned to the camera runs against the clock.
  if (!(area * load<f32>(draw, DRAW_MIRROR) < 0)) return;
  const count = load<u32>(draw, DRAW_COUNT);
  const out = <usize>load<u32>(draw, DRAW_TRIANGLES) + (<usize>count << TRIANGLE_SHIFT);
  let large: bool;
  if (ASC_FEATURE_SIMD) {
    const va = v128.load(a, VERTEX_X), vb = v128.load(b, VERTEX_X), vc = v128.load(c, VERTEX_X);
    const low = f32x4.pmin(f32x4.pmin(va, vb), vc);
    const high = f32x4.pmax(f32x4.pmax(va, vb), vc);
    const from = f32x4.pmax(f32x4.ceil(f32x4.sub(low, v128.load(draw, DRAW_LASTS))), v128.load(draw, DRAW_NEAR_CORNER));
    const to = f32x4.pmin(f32x4.ceil(f32x4.sub(high, v128.load(draw, DRAW_FIRSTS))), v128.load(draw, DRAW_FAR_CORNER));
    if ((i32x4.bitmask(f32x4.lt(from, to)) & 3) != 3) return;
    const magic = v128.load(draw, DRAW_MAGIC);
    const corners = i16x8.shuffle(f32x4.add(from, magic), f32x4.add(to, magic), 0, 2, 8, 10, 0, 2, 8, 10);
    if (count >= load<u32>(draw, DRAW_CAPACITY)) return overflow(draw);
    v128.store64_lane(out, corners, 0, TRIANGLE_LEFT);
    large = (i32x4.bitmask(f32x4.gt(f32x4.sub(high, low), f32x4.splat(LARGE))) & 3) != 0;
  } else {
    const first = load<f32>(draw, DRAW_FIRSTS), last = load<f32>(draw, DRAW_LASTS);
    large = false;
    for (let axis: usize = 0; axis < 8; axis += 4) {
      const pa = load<f32>(a + axis, VERTEX_X), pb = load<f32>(b + axis, VERTEX_X), pc = load<f32>(c + axis, VERTEX_X);
      let low = pb < pa ? pb : pa;
      low = pc < low ? pc : low;
      let high = pa < pb ? pb : pa;
      high = high < pc ? pc : high;
      let from = ceil(low - last);
      let to = ceil(high - first);
      const near = load<f32>(draw + axis, DRAW_NEAR_CORNER), far = load<f32>(draw + axis, DRAW_FAR_CORNER);
      from = from < near ? near : from;
      to = far < to ? far : to;
      if (!(from < to)) return;
      if (count >= load<u32>(draw, DRAW_CAPACITY)) return overflow(draw);
      store<i16>(out + (axis >> 1), <i16>(<i32>from), TRIANGLE_LEFT);
      store<i16>(out + (axis >> 1), <i16>(<i32>to), TRIANGLE_LEFT + 4);
      large = large || high - low > LARGE;
    }
  }
  store<u32>(draw, count + 1, DRAW_COUNT);
  store<u32>(out, <u32>instance, TRIANGLE_INSTANCE);
  const textured = (state & TRIANGLE_TEXTURED) != 0;
  const wanted = load<u32>(draw, DRAW_WANTED) != 0;
  const planes = wanted ? <usize>load<u32>(draw, DRAW_PLANES) + <usize>count * PLANES_BYTES : 0;
  const anchorX = floor(ax), anchorY = floor(ay);
  store<f32>(out, anchorX, TRIANGLE_ANCHOR_X);
  store<f32>(out, anchorY, TRIANGLE_ANCHOR_Y);
  if (large) setUpLarge(a, b, c, out, textured, planes);
  else {
    const inverse: f32 = 1 / area;
    setUpPlanes(
      draw, a, b, c, cy * inverse, by * inverse, bx * inverse, cx * inverse, anchorX + 0.5 - ax, anchorY + 0.5 - ay, out, textured,
      planes,
    );
  }
  if (isFlat(a, b, c)) {
    state |= TRIANGLE_FLAT;
    for (let i: usize = 0; i < 12; i += 4) {
      store<f32>(out + i, load<f32>(a + i, VERTEX_COLOR), TRIANGLE_VALUE);
      store<f32>(out + i, 0, TRIANGLE_DX);
      store<f32>(out + i, 0, TRIANGLE_DY);
    }
  }
  setUpEdges(a, b, c, out, state);
}

/** Whether three vertices have the same colour. */
// @ts-ignore: decorator
@inline
function isFlat(a: usize, b: usize, c: usize): bool {
  if (ASC_FEATURE_SIMD) {
    const color = v128.load(a, VERTEX_COLOR);
    return i32x4.all_true(
      v128.and(f32x4.eq(color, v128.load(b, VERTEX_COLOR)), f32x4.eq(color, v128.load(c, VERTEX_COLOR))),
    );
  }
  for (let i: usize = 0; i < 12; i += 4) {
    const color = load<f32>(a + i, VERTEX_COLOR);
    if (!(color == load<f32>(b + i, VERTEX_COLOR) && color == load<f32>(c + i, VERTEX_COLOR))) return false;
  }
  return true;
}

function overflow(draw: usize): void {
  store<u32>(draw, 1, DRAW_OVERFLOW);
}

/** Planes of all attributes: gain to the right (B − A)·sx1 − (C − A)·sx2, downwards (C − A)·sy1 − (B − A)·sy2. */
// @ts-ignore: decorator
@inline
function setUpPlanes(
  draw: usize, a: usize, b: usize, c: usize, sx1: f32, sx2: f32, sy1: f32, sy2: f32, ox: f32, oy: f32, out: usize, textured: bool,
  planes: usize,
): void {
  if (ASC_FEATURE_SIMD) {
    const x1 = f32x4.splat(sx1), x2 = f32x4.splat(sx2), y1 = f32x4.splat(sy1), y2 = f32x4.splat(sy2);
    const offsetX = f32x4.splat(ox), offsetY = f32x4.splat(oy);
    const wa = v128.load_splat<f32>(a, VERTEX_INVERSE);
    const wb = v128.load_splat<f32>(b, VERTEX_INVERSE);
    const wc = v128.load_splat<f32>(c, VERTEX_INVERSE);
    let va = f32x4.mul(v128.load(a, VERTEX_COLOR), wa);
    let db = f32x4.sub(f32x4.mul(v128.load(b, VERTEX_COLOR), wb), va);
    let dc = f32x4.sub(f32x4.mul(v128.load(c, VERTEX_COLOR), wc), va);
    let gx = f32x4.sub(f32x4.mul(db, x1), f32x4.mul(dc, x2));
    let gy = f32x4.sub(f32x4.mul(dc, y1), f32x4.mul(db, y2));
    v128.store(out, f32x4.add(f32x4.add(va, f32x4.mul(gx, offsetX)), f32x4.mul(gy, offsetY)), TRIANGLE_VALUE);
    v128.store(out, gx, TRIANGLE_DX);
    v128.store(out, gy, TRIANGLE_DY);
    if (textured) {
      va = f32x4.mul(v128.load64_zero(a, VERTEX_U), wa);
      db = f32x4.sub(f32x4.mul(v128.load64_zero(b, VERTEX_U), wb), va);
      dc = f32x4.sub(f32x4.mul(v128.load64_zero(c, VERTEX_U), wc), va);
      gx = f32x4.sub(f32x4.mul(db, x1), f32x4.mul(dc, x2));
      gy = f32x4.sub(f32x4.mul(dc, y1), f32x4.mul(db, y2));
      v128.store64_lane(out, f32x4.add(f32x4.add(va, f32x4.mul(gx, offsetX)), f32x4.mul(gy, offsetY)), 0, TRIANGLE_UV);
      v128.store64_lane(out, gx, 0, TRIANGLE_UV_DX);
      v128.store64_lane(out, gy, 0, TRIANGLE_UV_DY);
    }
    if (planes == 0) return;
    va = f32x4.mul(v128.load(a, VERTEX_NORMAL), wa);
    db = f32x4.sub(f32x4.mul(v128.load(b, VERTEX_NORMAL), wb), va);
    dc = f32x4.sub(f32x4.mul(v128.load(c, VERTEX_NORMAL), wc), va);
    gx = f32x4.sub(f32x4.mul(db, x1), f32x4.mul(dc, x2));
    gy = f32x4.sub(f32x4.mul(dc, y1), f32x4.mul(db, y2));
    v128.store(planes, f32x4.add(f32x4.add(va, f32x4.mul(gx, offsetX)), f32x4.mul(gy, offsetY)));
    v128.store(planes, gx, 16);
    v128.store(planes, gy, 32);
  } else {
    for (let i: usize = 0; i < 16; i += 4) plane(a, b, c, VERTEX_COLOR + i, sx1, sx2, sy1, sy2, ox, oy, out + i, 16);
    if (textured) {
      for (let i: usize = 0; i < 8; i += 4) plane(a, b, c, VERTEX_U + i, sx1, sx2, sy1, sy2, ox, oy, out + i + TRIANGLE_UV, 8);
    }
    if (planes == 0) return;
    for (let i: usize = 0; i < 16; i += 4) plane(a, b, c, VERTEX_NORMAL + i, sx1, sx2, sy1, sy2, ox, oy, planes + i, 16);
  }
}

/** The same for one attribute at offset `field`; value and gains are written `step` bytes apart. */
// @ts-ignore: decorator
@inline
function plane(
  a: usize, b: usize, c: usize, field: usize, sx1: f32, sx2: f32, sy1: f32, sy2: f32, ox: f32, oy: f32, out: usize, step: usize,
): void {
  const va = load<f32>(a + field) * load<f32>(a, VERTEX_INVERSE);
  const db = load<f32>(b + field) * load<f32>(b, VERTEX_INVERSE) - va;
  const dc = load<f32>(c + field) * load<f32>(c, VERTEX_INVERSE) - va;
  const gx = db * sx1 - dc * sx2;
  const gy = dc * sy1 - db * sy2;
  store<f32>(out, va + gx * ox + gy * oy);
  store<f32>(out + step, gx);
  store<f32>(out + 2 * step, gy);
}

/** The planes of a large triangle, in f64. */
function setUpLarge(a: usize, b: usize, c: usize, out: usize, textured: bool, planes: usize): void {
  for (let i: usize = 0; i < 16; i += 4) largePlane(a, b, c, VERTEX_COLOR + i, out, out + i, 16);
  if (textured) for (let i: usize = 0; i < 8; i += 4) largePlane(a, b, c, VERTEX_U + i, out, out + i + TRIANGLE_UV, 8);
  if (planes == 0) return;
  for (let i: usize = 0; i < 12; i += 4) largePlane(a, b, c, VERTEX_NORMAL + i, out, planes + i, 16);
  for (let i: usize = 12; i < 48; i += 16) store<f32>(planes + i, 0);
}

function largePlane(a: usize, b: usize, c: usize, field: usize, triangle: usize, out: usize, step: usize): void {
  const ax = <f64>load<f32>(a, VERTEX_X), ay = <f64>load<f32>(a, VERTEX_Y);
  const bx = <f64>load<f32>(b, VERTEX_X) - ax, by = <f64>load<f32>(b, VERTEX_Y) - ay;
  const cx = <f64>load<f32>(c, VERTEX_X) - ax, cy = <f64>load<f32>(c, VERTEX_Y) - ay;
  const inverse = 1.0 / (bx * cy - cx * by);
  const va = <f64>load<f32>(a + field) * <f64>load<f32>(a, VERTEX_INVERSE);
  const db = <f64>load<f32>(b + field) * <f64>load<f32>(b, VERTEX_INVERSE) - va;
  const dc = <f64>load<f32>(c + field) * <f64>load<f32>(c, VERTEX_INVERSE) - va;
  const gx = (db * cy - dc * by) * inverse;
  const gy = (dc * bx - db * cx) * inverse;
  const ox = <f64>load<f32>(triangle, TRIANGLE_ANCHOR_X) + 0.5 - ax;
  const oy = <f64>load<f32>(triangle, TRIANGLE_ANCHOR_Y) + 0.5 - ay;
  store<f32>(out, <f32>(va + gx * ox + gy * oy));
  store<f32>(out + step, <f32>gx);
  store<f32>(out + 2 * step, <f32>gy);
}

/** Vertices from top to bottom, slopes of the edges between them, and on which side the middle one lies. */
// @ts-ignore: decorator
@inline
export function setUpEdges(a: usize, b: usize, c: usize, out: usize, state: u32): void {
  let top = a, middle = b, bottom = c;
  if (load<f32>(middle, VERTEX_Y) < load<f32>(top, VERTEX_Y)) {
    top = b;
    middle = a;
  }
  if (load<f32>(bottom, VERTEX_Y) < load<f32>(top, VERTEX_Y)) {
    bottom = top;
    top = c;
  }
  if (load<f32>(bottom, VERTEX_Y) < load<f32>(middle, VERTEX_Y)) {
    const swap = middle;
    middle = bottom;
    bottom = swap;
  }
  const topX = load<f32>(top, VERTEX_X), topY = load<f32>(top, VERTEX_Y);
  const middleX = load<f32>(middle, VERTEX_X), middleY = load<f32>(middle, VERTEX_Y);
  const bottomX = load<f32>(bottom, VERTEX_X), bottomY = load<f32>(bottom, VERTEX_Y);
  const longX = bottomX - topX, longY = bottomY - topY;
  const upperX = middleX - topX, upperY = middleY - topY;
  store<f32>(out, topX, TRIANGLE_TOP_X);
  store<f32>(out, topY, TRIANGLE_TOP_Y);
  store<f32>(out, middleX, TRIANGLE_MIDDLE_X);
  store<f32>(out, middleY, TRIANGLE_MIDDLE_Y);
  store<f32>(out, bottomY, TRIANGLE_BOTTOM_Y);
  store<f32>(out, longX / longY, TRIANGLE_LONG_SLOPE);
  store<f32>(out, upperX / upperY, TRIANGLE_UPPER_SLOPE);
  store<f32>(out, (bottomX - middleX) / (bottomY - middleY), TRIANGLE_LOWER_SLOPE);
  store<u32>(out, state | (upperX * longY > longX * upperY ? TRIANGLE_ON_RIGHT : 0), TRIANGLE_STATE);
}
