/**
 * Triangles that reach in front of the near plane, or so far to the side that f32 pixel coordinates get coarse, are cut by
 * the near plane and by four planes through the camera. A crossing is computed from the end inside to the end outside, so
 * two triangles that share an edge find the same point.
 *
 * Clip vertices are vertex records whose place (at VERTEX_X) is x, y, z in the camera's frame until they are projected.
 */
import {
  DRAW_CLIP, DRAW_VERTICES, DRAW_VIEW, GUARD, VERTEX_BYTES, VERTEX_X, VIEW_CX, VIEW_CY, VIEW_FX, VIEW_FY, VIEW_NEAR,
} from './layout';
import { placeOne, projectPoint } from './vertices';

/** Corners of a cut triangle, at most. */
const MOST_CORNERS: usize = 9;
const PLANES: u32 = 5;

/**
 * Cuts a triangle; its corners stand as projected vertex records from `clippedVertices(draw)` on.
 * @param positions f32 x[NV'], y[NV'], z[NV'] of the instance, `bytes` bytes each
 * @param matrix the instance's matrix
 * @param a byte offset of a vertex record, as in the mesh's indices
 * @returns number of corners, 0 or 3 to 8
 */
export function clipTriangle(
  draw: usize, matrix: usize, positions: usize, bytes: usize, a: usize, b: usize, c: usize,
): u32 {
  let from = clippedVertices(draw);
  let to = from + MOST_CORNERS * VERTEX_BYTES;
  readCorner(draw, matrix, positions, bytes, a, from);
  readCorner(draw, matrix, positions, bytes, b, from + VERTEX_BYTES);
  readCorner(draw, matrix, positions, bytes, c, from + 2 * VERTEX_BYTES);
  let count: u32 = 3;
  for (let plane: u32 = 0; plane < PLANES && count != 0; plane++) {
    count = cut(draw, plane, from, count, to);
    const swap = from;
    from = to;
    to = swap;
  }
  const out = clippedVertices(draw);
  for (let i: usize = 0; i < <usize>count; i++) {
    const corner = from + i * VERTEX_BYTES;
    const x = load<f32>(corner, VERTEX_X), y = load<f32>(corner, VERTEX_X + 4), z = load<f32>(corner, VERTEX_X + 8);
    if (corner != out + i * VERTEX_BYTES) memory.copy(out + i * VERTEX_BYTES, corner, VERTEX_BYTES);
    projectPoint(draw, x, y, z, out + i * VERTEX_BYTES);
  }
  return count;
}

/** Where clipTriangle leaves its corners. */
// @ts-ignore: decorator
@inline
export function clippedVertices(draw: usize): usize {
  return load<u32>(draw, DRAW_CLIP);
}

function readCorner(draw: usize, matrix: usize, positions: usize, bytes: usize, vertex: usize, out: usize): void {
  memory.copy(out, <usize>load<u32>(draw, DRAW_VERTICES) + vertex, VERTEX_BYTES);
  const at = positions + vertex / VERTEX_BYTES * 4;
  store<f32>(out, placeOne(matrix, at, bytes), VERTEX_X);
  store<f32>(out, placeOne(matrix + 16, at, bytes), VERTEX_X + 4);
  store<f32>(out, placeOne(matrix + 32, at, bytes), VERTEX_X + 8);
}

/** How far inside of a plane a corner lies, ≥ 0 inside; any unit. */
function inside(draw: usize, plane: u32, corner: usize): f64 {
  const view = <usize>load<u32>(draw, DRAW_VIEW);
  const z = <f64>load<f32>(corner, VERTEX_X + 8);
  if (plane == 0) return z - <f64>load<f32>(view, VIEW_NEAR);
  const sideways = plane < 3;
  const focal = <f64>load<f32>(view + (sideways ? VIEW_FX : VIEW_FY));
  const centre = <f64>load<f32>(view + (sideways ? VIEW_CX : VIEW_CY));
  const w = focal * <f64>load<f32>(corner + (sideways ? 0 : 4), VERTEX_X) + centre * z;
  return (plane & 1) != 0 ? w + <f64>GUARD * z : <f64>GUARD * z - w;
}

/** Sutherland–Hodgman for one plane; returns the number of corners left. */
function cut(draw: usize, plane: u32, from: usize, count: u32, to: usize): u32 {
  let left: u32 = 0;
  let before = from + <usize>(count - 1) * VERTEX_BYTES;
  let beforeInside = inside(draw, plane, before);
  for (let i: u32 = 0; i < count; i++) {
    const corner = from + <usize>i * VERTEX_BYTES;
    const cornerInside = inside(draw, plane, corner);
    if ((beforeInside >= 0) != (cornerInside >= 0)) {
      const at = to + <usize>left * VERTEX_BYTES;
      if (beforeInside >= 0) cross(before, corner, beforeInside, cornerInside, at);
      else cross(corner, before, cornerInside, beforeInside, at);
      left++;
    }
    if (cornerInside >= 0) {
      memory.copy(to + <usize>left * VERTEX_BYTES, corner, VERTEX_BYTES);
      left++;
    }
    before = corner;
    beforeInside = cornerInside;
  }
  return left < 3 ? 0 : left;
}

/** The point of an edge on the plane. */
function cross(a: usize, b: usize, aInside: f64, bInside: f64, out: usize): void {
  const t = aInside / (aInside - bInside);
  for (let i: usize = 0; i < VERTEX_BYTES; i += 4) {
    const start = <f64>load<f32>(a + i);
    store<f32>(out + i, <f32>(start + t * (<f64>load<f32>(b + i) - start)));
  }
}
