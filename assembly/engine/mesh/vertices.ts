/**
 * From a mesh's vertices to vertex records: placed, lit and projected, four at a time. Both builds do the same operations
 * in the same order.
 */
import { curvePoint } from './curve';
import {
  DRAW_AMBIENT, DRAW_BENT, DRAW_BOTTOMS, DRAW_CLIP, DRAW_COFACTORS, DRAW_LEFTS, DRAW_MIRROR, DRAW_ONE, DRAW_RIGHTS, DRAW_SUN,
  DRAW_TOPS, DRAW_VERTICES, DRAW_VIEW, DRAW_WANTED, GUARD, INSTANCE_BENT, INSTANCE_CURVATURE, INSTANCE_CURVATURE_RATE,
  INSTANCE_FLAGS, INSTANCE_MATRIX, INSTANCE_MESH, INSTANCE_OFFSET, INSTANCE_STRETCH, INSTANCE_TINT, MESH_COLORS, MESH_NORMALS,
  MESH_POSITIONS, MESH_UVS, MESH_VERTICES, OUT_BOTTOM, OUT_GUARD, OUT_LEFT, OUT_NEAR, OUT_RIGHT, OUT_TOP, VERTEX_BYTES,
  VERTEX_CODE, VERTEX_COLOR, VERTEX_INVERSE, VERTEX_NORMAL, VERTEX_U, VERTEX_V, VERTEX_X, VERTEX_Y, VIEW_AMBIENT, VIEW_CX,
  VIEW_CY, VIEW_FX, VIEW_FY, VIEW_LIGHT, VIEW_NEAR, VIEW_SUN,
} from './layout';

/** Vertices of a mesh with their padding. */
// @ts-ignore: decorator
@inline
export function paddedVertices(mesh: usize): usize {
  return (<usize>load<u32>(mesh, MESH_VERTICES) + 3) & ~3;
}

/** Where the positions to transform lie, f32 x[NV'], y[NV'], z[NV']: those of the mesh, or bent along its curve. */
// @ts-ignore: decorator
@inline
export function placedPositions(draw: usize, instance: usize): usize {
  if ((load<u8>(instance, INSTANCE_FLAGS) & INSTANCE_BENT) != 0) return load<u32>(draw, DRAW_BENT);
  return load<u32>(load<u32>(instance, INSTANCE_MESH), MESH_POSITIONS);
}

/** Factors of light and the matrix that turns normals, into the draw record. */
export function openInstance(draw: usize, instance: usize): void {
  const view = <usize>load<u32>(draw, DRAW_VIEW);
  for (let c: usize = 0; c < 12; c += 4) {
    const tint = load<f32>(instance + c, INSTANCE_TINT);
    store<f32>(draw + c, tint * load<f32>(view + c, VIEW_AMBIENT), DRAW_AMBIENT);
    store<f32>(draw + c, tint * load<f32>(view + c, VIEW_SUN), DRAW_SUN);
  }
  const m = instance + INSTANCE_MATRIX;
  const a = load<f32>(m, 0), b = load<f32>(m, 4), c = load<f32>(m, 8);
  const d = load<f32>(m, 16), e = load<f32>(m, 20), f = load<f32>(m, 24);
  const g = load<f32>(m, 32), h = load<f32>(m, 36), i = load<f32>(m, 40);
  const mirror: f32 = a * (e * i - f * h) - b * (d * i - f * g) + c * (d * h - e * g) < 0 ? -1 : 1;
  store<f32>(draw, mirror, DRAW_MIRROR);
  const n = draw + DRAW_COFACTORS;
  store<f32>(n, mirror * (e * i - f * h), 0);
  store<f32>(n, mirror * (f * g - d * i), 4);
  store<f32>(n, mirror * (d * h - e * g), 8);
  store<f32>(n, mirror * (c * h - b * i), 12);
  store<f32>(n, mirror * (a * i - c * g), 16);
  store<f32>(n, mirror * (b * g - a * h), 20);
  store<f32>(n, mirror * (b * f - c * e), 24);
  store<f32>(n, mirror * (c * d - a * f), 28);
  store<f32>(n, mirror * (a * e - b * d), 32);
}

/** Positions and normals of a strip, bent along its curve: into DRAW_BENT, in the curve's frame. */
export function bendVertices(draw: usize, instance: usize): void {
  const mesh = <usize>load<u32>(instance, INSTANCE_MESH);
  const bytes = paddedVertices(mesh) << 2;
  const from = <usize>load<u32>(mesh, MESH_POSITIONS);
  const normals = <usize>load<u32>(mesh, MESH_NORMALS);
  const to = <usize>load<u32>(draw, DRAW_BENT);
  const point = <usize>load<u32>(draw, DRAW_CLIP);
  const curvature = <f64>load<f32>(instance, INSTANCE_CURVATURE);
  const rate = <f64>load<f32>(instance, INSTANCE_CURVATURE_RATE);
  const sx = load<f32>(instance, INSTANCE_STRETCH), sy = load<f32>(instance, INSTANCE_STRETCH + 4);
  const sz = load<f32>(instance, INSTANCE_STRETCH + 8);
  const ox = load<f32>(instance, INSTANCE_OFFSET), oy = load<f32>(instance, INSTANCE_OFFSET + 4);
  const oz = load<f32>(instance, INSTANCE_OFFSET + 8);
  let before = f32.NaN;
  for (let v: usize = 0; v < bytes; v += 4) {
    const along = load<f32>(from + v + bytes + bytes) * sz + oz;
    // Strips are made of rows of vertices at the same distance.
    if (along != before) {
      curvePoint(curvature, rate, along, point);
      before = along;
    }
    const across = <f64>(load<f32>(from + v) * sx + ox);
    const sin = load<f64>(point, 16), cos = load<f64>(point, 24);
    store<f32>(to + v, <f32>(load<f64>(point, 0) + across * cos));
    store<f32>(to + v + bytes, load<f32>(from + v + bytes) * sy + oy);
    store<f32>(to + v + 2 * bytes, <f32>(load<f64>(point, 8) - across * sin));
    // Cofactors of the stretch, so that a stretch of 0 is no division.
    const nx = <f64>(load<f32>(normals + v) * (sy * sz)), nz = <f64>(load<f32>(normals + v + 2 * bytes) * (sx * sy));
    store<f32>(to + v + 3 * bytes, <f32>(nx * cos + nz * sin));
    store<f32>(to + v + 4 * bytes, load<f32>(normals + v + bytes) * (sx * sz));
    store<f32>(to + v + 5 * bytes, <f32>(nz * cos - nx * sin));
  }
}

/** Writes the vertex records of an instance that openInstance has seen (and, where it is bent, bendVertices). */
export function transformVertices(draw: usize, instance: usize): void {
  const mesh = <usize>load<u32>(instance, INSTANCE_MESH);
  const bytes = paddedVertices(mesh) << 2;
  const positions = placedPositions(draw, instance);
  const bent = (load<u8>(instance, INSTANCE_FLAGS) & INSTANCE_BENT) != 0;
  const normals = bent ? positions + 3 * bytes : <usize>load<u32>(mesh, MESH_NORMALS);
  const colors = <usize>load<u32>(mesh, MESH_COLORS);
  const uvs = <usize>load<u32>(mesh, MESH_UVS);
  const wanted = load<u32>(draw, DRAW_WANTED) != 0;
  let out = <usize>load<u32>(draw, DRAW_VERTICES);
  if (ASC_FEATURE_SIMD) {
    for (let v: usize = 0; v < bytes; v += 16) {
      projectFour(draw, instance, positions + v, bytes, out);
      lightFour(draw, normals + v, colors + v, bytes, wanted, out);
      if (uvs != 0) copyFour(uvs + v, bytes, out);
      out += 4 * VERTEX_BYTES;
    }
  } else {
    for (let v: usize = 0; v < bytes; v += 4) {
      projectOne(draw, instance, positions + v, bytes, out);
      lightOne(draw, normals + v, colors + v, bytes, wanted, out);
      if (uvs != 0) {
        store<f32>(out, load<f32>(uvs + v), VERTEX_U);
        store<f32>(out, load<f32>(uvs + v + bytes), VERTEX_V);
      }
      out += VERTEX_BYTES;
    }
  }
}

/** Writes place and code of all vertices, nothing else. */
export function projectVertices(draw: usize, instance: usize): void {
  const bytes = paddedVertices(load<u32>(instance, INSTANCE_MESH)) << 2;
  const positions = placedPositions(draw, instance);
  let out = <usize>load<u32>(draw, DRAW_VERTICES);
  if (ASC_FEATURE_SIMD) {
    for (let v: usize = 0; v < bytes; v += 16) {
      projectFour(draw, instance, positions + v, bytes, out);
      out += 4 * VERTEX_BYTES;
    }
  } else {
    for (let v: usize = 0; v < bytes; v += 4) {
      projectOne(draw, instance, positions + v, bytes, out);
      out += VERTEX_BYTES;
    }
  }
}

/** One coordinate in the camera's frame: `row` of the matrix applied to the position at `at`. */
// @ts-ignore: decorator
@inline
export function placeOne(row: usize, at: usize, bytes: usize): f32 {
  return (
    load<f32>(row) * load<f32>(at) + load<f32>(row, 4) * load<f32>(at + bytes) + load<f32>(row, 8) * load<f32>(at + 2 * bytes) +
    load<f32>(row, 12)
  );
}

// @ts-ignore: decorator
@inline
function placeFour(row: usize, x: v128, y: v128, z: v128): v128 {
  return f32x4.add(
    f32x4.add(
      f32x4.add(f32x4.mul(v128.load_splat<f32>(row), x), f32x4.mul(v128.load_splat<f32>(row, 4), y)),
      f32x4.mul(v128.load_splat<f32>(row, 8), z),
    ),
    v128.load_splat<f32>(row, 12),
  );
}

/** Writes place and code of one vertex. */
export function projectOne(draw: usize, instance: usize, at: usize, bytes: usize, out: usize): void {
  const m = instance + INSTANCE_MATRIX;
  projectPoint(draw, placeOne(m, at, bytes), placeOne(m + 16, at, bytes), placeOne(m + 32, at, bytes), out);
}

/** Writes place and code of a point in the camera's frame. */
export function projectPoint(draw: usize, x: f32, y: f32, z: f32, out: usize): void {
  const view = <usize>load<u32>(draw, DRAW_VIEW);
  const inverse: f32 = 1 / z;
  const px = load<f32>(view, VIEW_FX) * (x * inverse) + load<f32>(view, VIEW_CX);
  const py = load<f32>(view, VIEW_FY) * (y * inverse) + load<f32>(view, VIEW_CY);
  let code: u32 = 0;
  if (px < load<f32>(draw, DRAW_LEFTS)) code |= OUT_LEFT;
  if (px > load<f32>(draw, DRAW_RIGHTS)) code |= OUT_RIGHT;
  if (py < load<f32>(draw, DRAW_TOPS)) code |= OUT_TOP;
  if (py > load<f32>(draw, DRAW_BOTTOMS)) code |= OUT_BOTTOM;
  if (!(abs(px) <= GUARD && abs(py) <= GUARD)) code |= OUT_GUARD;
  if (!(z >= load<f32>(view, VIEW_NEAR))) code = OUT_NEAR;
  store<f32>(out, px, VERTEX_X);
  store<f32>(out, py, VERTEX_Y);
  store<f32>(out, inverse, VERTEX_INVERSE);
  store<u32>(out, code, VERTEX_CODE);
}

// @ts-ignore: decorator
@inline
function projectFour(draw: usize, instance: usize, at: usize, bytes: usize, out: usize): void {
  const view = <usize>load<u32>(draw, DRAW_VIEW);
  const m = instance + INSTANCE_MATRIX;
  const x = v128.load(at), y = v128.load(at + bytes), z = v128.load(at + 2 * bytes);
  const cameraZ = placeFour(m + 32, x, y, z);
  const inverse = f32x4.div(v128.load(draw, DRAW_ONE), cameraZ);
  const px = f32x4.add(
    f32x4.mul(v128.load_splat<f32>(view, VIEW_FX), f32x4.mul(placeFour(m, x, y, z), inverse)),
    v128.load_splat<f32>(view, VIEW_CX),
  );
  const py = f32x4.add(
    f32x4.mul(v128.load_splat<f32>(view, VIEW_FY), f32x4.mul(placeFour(m + 16, x, y, z), inverse)),
    v128.load_splat<f32>(view, VIEW_CY),
  );
  let code = v128.and(f32x4.lt(px, v128.load(draw, DRAW_LEFTS)), i32x4.splat(OUT_LEFT));
  code = v128.or(code, v128.and(f32x4.gt(px, v128.load(draw, DRAW_RIGHTS)), i32x4.splat(OUT_RIGHT)));
  code = v128.or(code, v128.and(f32x4.lt(py, v128.load(draw, DRAW_TOPS)), i32x4.splat(OUT_TOP)));
  code = v128.or(code, v128.and(f32x4.gt(py, v128.load(draw, DRAW_BOTTOMS)), i32x4.splat(OUT_BOTTOM)));
  const guard = f32x4.splat(GUARD);
  const fine = v128.and(f32x4.le(f32x4.abs(px), guard), f32x4.le(f32x4.abs(py), guard));
  code = v128.or(code, v128.andnot(i32x4.splat(OUT_GUARD), fine));
  code = v128.bitselect(code, i32x4.splat(OUT_NEAR), f32x4.ge(cameraZ, v128.load_splat<f32>(view, VIEW_NEAR)));
  transpose(px, py, inverse, code, out + VERTEX_X);
}

/** Writes the colour of one vertex and, where wanted, its normal. */
function lightOne(draw: usize, normals: usize, colors: usize, bytes: usize, wanted: bool, out: usize): void {
  const light = <usize>load<u32>(draw, DRAW_VIEW) + VIEW_LIGHT;
  const n = draw + DRAW_COFACTORS;
  const x = load<f32>(normals), y = load<f32>(normals + bytes), z = load<f32>(normals + 2 * bytes);
  const nx = load<f32>(n, 0) * x + load<f32>(n, 4) * y + load<f32>(n, 8) * z;
  const ny = load<f32>(n, 12) * x + load<f32>(n, 16) * y + load<f32>(n, 20) * z;
  const nz = load<f32>(n, 24) * x + load<f32>(n, 28) * y + load<f32>(n, 32) * z;
  const length = sqrt<f32>(nx * nx + ny * ny + nz * nz);
  const toward = (load<f32>(light) * nx + load<f32>(light, 4) * ny + load<f32>(light, 8) * nz) / length;
  const facing: f32 = 0 < toward ? toward : 0;
  for (let c: usize = 0; c < 3; c++) {
    const shade = load<f32>(draw + (c << 2), DRAW_AMBIENT) + load<f32>(draw + (c << 2), DRAW_SUN) * facing;
    store<f32>(out + (c << 2), load<f32>(colors + bytes * c) * shade, VERTEX_COLOR);
  }
  store<f32>(out, 1, VERTEX_COLOR + 12);
  if (!wanted) return;
  store<f32>(out, nx / length, VERTEX_NORMAL);
  store<f32>(out, ny / length, VERTEX_NORMAL + 4);
  store<f32>(out, nz / length, VERTEX_NORMAL + 8);
  store<f32>(out, 0, VERTEX_NORMAL + 12);
}

// @ts-ignore: decorator
@inline
function turnFour(row: usize, x: v128, y: v128, z: v128): v128 {
  return f32x4.add(
    f32x4.add(f32x4.mul(v128.load_splat<f32>(row), x), f32x4.mul(v128.load_splat<f32>(row, 4), y)),
    f32x4.mul(v128.load_splat<f32>(row, 8), z),
  );
}

// @ts-ignore: decorator
@inline
function shadeFour(draw: usize, color: usize, channel: usize, facing: v128): v128 {
  const shade = f32x4.add(
    v128.load_splat<f32>(draw + channel, DRAW_AMBIENT),
    f32x4.mul(v128.load_splat<f32>(draw + channel, DRAW_SUN), facing),
  );
  return f32x4.mul(v128.load(color), shade);
}

// @ts-ignore: decorator
@inline
function lightFour(draw: usize, normals: usize, colors: usize, bytes: usize, wanted: bool, out: usize): void {
  const light = <usize>load<u32>(draw, DRAW_VIEW) + VIEW_LIGHT;
  const n = draw + DRAW_COFACTORS;
  const x = v128.load(normals), y = v128.load(normals + bytes), z = v128.load(normals + 2 * bytes);
  const nx = turnFour(n, x, y, z);
  const ny = turnFour(n + 12, x, y, z);
  const nz = turnFour(n + 24, x, y, z);
  const length = f32x4.sqrt(f32x4.add(f32x4.add(f32x4.mul(nx, nx), f32x4.mul(ny, ny)), f32x4.mul(nz, nz)));
  const toward = f32x4.div(turnFour(light, nx, ny, nz), length);
  const facing = f32x4.pmax(f32x4.splat(0), toward);
  transpose(
    shadeFour(draw, colors, 0, facing), shadeFour(draw, colors + bytes, 4, facing), shadeFour(draw, colors + 2 * bytes, 8, facing),
    v128.load(draw, DRAW_ONE), out + VERTEX_COLOR,
  );
  if (!wanted) return;
  transpose(
    f32x4.div(nx, length), f32x4.div(ny, length), f32x4.div(nz, length), f32x4.splat(0), out + VERTEX_NORMAL,
  );
}

/** Writes texture coordinates of four vertices. */
// @ts-ignore: decorator
@inline
function copyFour(uvs: usize, bytes: usize, out: usize): void {
  const u = v128.load(uvs), v = v128.load(uvs + bytes);
  const low = i32x4.shuffle(u, v, 0, 4, 1, 5);
  const high = i32x4.shuffle(u, v, 2, 6, 3, 7);
  v128.store64_lane(out, low, 0, VERTEX_U);
  v128.store64_lane(out, low, 1, VERTEX_U + VERTEX_BYTES);
  v128.store64_lane(out, high, 0, VERTEX_U + 2 * VERTEX_BYTES);
  v128.store64_lane(out, high, 1, VERTEX_U + 3 * VERTEX_BYTES);
}

/** Four values of four vertices, as one vector a vertex. */
// @ts-ignore: decorator
@inline
function transpose(a: v128, b: v128, c: v128, d: v128, out: usize): void {
  const ab = i32x4.shuffle(a, b, 0, 4, 1, 5);
  const cd = i32x4.shuffle(c, d, 0, 4, 1, 5);
  v128.store(out, i64x2.shuffle(ab, cd, 0, 2));
  v128.store(out, i64x2.shuffle(ab, cd, 1, 3), VERTEX_BYTES);
  const ab2 = i32x4.shuffle(a, b, 2, 6, 3, 7);
  const cd2 = i32x4.shuffle(c, d, 2, 6, 3, 7);
  v128.store(out, i64x2.shuffle(ab2, cd2, 0, 2), 2 * VERTEX_BYTES);
  v128.store(out, i64x2.shuffle(ab2, cd2, 1, 3), 3 * VERTEX_BYTES);
}
