/**
 * Shadows of solid meshes on level ground: every triangle is laid onto the ground along the light, as one more linear map of
 * the mesh, and the samples that it covers there are marked, a bit a sample. Bits are set, not added, so however many
 * triangles and objects overlap, a sample is in shadow once. Ground at other heights (a pavement) has marks of its own.
 */
import { clippedVertices, clipTriangle } from './clip';
import { findSpan, findSpans } from './edges';
import { groundHeight, isSphereSeen, setUpEdges } from './triangles';
import { bendVertices, paddedVertices, placedPositions, projectVertices } from './vertices';
import {
  DRAW_BOTTOMS, DRAW_CASTER, DRAW_FIRST, DRAW_HALF, DRAW_LAST, DRAW_LEFTS, DRAW_LEVELS, DRAW_LEVEL_HEIGHTS, DRAW_PITCH,
  DRAW_RIGHTS, DRAW_ROWS, DRAW_SAMPLES, DRAW_SAMPLE_X, DRAW_SAMPLE_Y, DRAW_SHADE, DRAW_SPANS, DRAW_TOPS, DRAW_TRIANGLES,
  DRAW_VERTICES, DRAW_VIEW, INSTANCE_BENT, INSTANCE_BYTES, INSTANCE_FLAGS, INSTANCE_MATRIX, INSTANCE_MESH, MESH_CLOSED,
  MESH_FLAGS, MESH_GROUND, MESH_INDICES, MESH_TRIANGLES, MOST_LEVELS_OF_GROUND, OUT_GUARD, OUT_NEAR, VERTEX_BYTES, VERTEX_CODE, VERTEX_X,
  VERTEX_Y, VIEW_COUNT, VIEW_FLAGS, VIEW_GROUND, VIEW_HEIGHT, VIEW_INSTANCES, VIEW_LIGHT, VIEW_SHADOW, VIEW_SHADOWS, VIEW_UP,
} from './layout';

/** Heights that differ by less count as the same, m. */
const SAME_HEIGHT: f32 = 0.02;
/** Sine of the sun's height below which shadows have no end. */
const LOWEST_SUN: f32 = 0.02;

/** Finds the heights of ground that receives shadows; none without shadows or sun. Before any instance is set up. */
export function findLevels(draw: usize): void {
  const view = <usize>load<u32>(draw, DRAW_VIEW);
  store<u32>(draw, 0, DRAW_LEVELS);
  if ((load<u32>(view, VIEW_FLAGS) & VIEW_SHADOWS) == 0 || !(load<f32>(view, VIEW_SHADOW) > 0)) return;
  if (!(sunHeight(view) > LOWEST_SUN)) return;
  const instances = <usize>load<u32>(view, VIEW_INSTANCES);
  const end = instances + <usize>load<u32>(view, VIEW_COUNT) * INSTANCE_BYTES;
  for (let instance = instances; instance < end; instance += INSTANCE_BYTES) {
    const mesh = <usize>load<u32>(instance, INSTANCE_MESH);
    if (mesh != 0 && (load<u32>(mesh, MESH_FLAGS) & MESH_GROUND) != 0) addLevel(draw, groundHeight(draw, instance));
  }
}

function addLevel(draw: usize, height: f32): void {
  const levels = load<u32>(draw, DRAW_LEVELS);
  for (let level: u32 = 0; level < levels; level++) {
    if (abs(load<f32>(draw + (<usize>level << 2), DRAW_LEVEL_HEIGHTS) - height) < SAME_HEIGHT) return;
  }
  if (levels == MOST_LEVELS_OF_GROUND) return;
  store<f32>(draw + (<usize>levels << 2), height, DRAW_LEVEL_HEIGHTS);
  store<u32>(draw, levels + 1, DRAW_LEVELS);
}

/** Sine of the sun's height above the ground. */
// @ts-ignore: decorator
@inline
function sunHeight(view: usize): f32 {
  return (
    load<f32>(view, VIEW_UP) * load<f32>(view, VIEW_LIGHT) + load<f32>(view, VIEW_UP + 4) * load<f32>(view, VIEW_LIGHT + 4) +
    load<f32>(view, VIEW_UP + 8) * load<f32>(view, VIEW_LIGHT + 8)
  );
}

/** Marks, for every level of ground, the samples of the whole image that lie in the shadow of a solid instance. */
export function castAllShadows(draw: usize): void {
  const view = <usize>load<u32>(draw, DRAW_VIEW);
  const levels = load<u32>(draw, DRAW_LEVELS);
  if (levels == 0) return;
  const plane = <usize>load<u32>(draw, DRAW_PITCH) * <usize>load<i32>(view, VIEW_HEIGHT);
  memory.fill(load<u32>(draw, DRAW_SHADE), 0, plane * <usize>levels);
  const instances = <usize>load<u32>(view, VIEW_INSTANCES);
  const end = instances + <usize>load<u32>(view, VIEW_COUNT) * INSTANCE_BYTES;
  for (let instance = instances; instance < end; instance += INSTANCE_BYTES) {
    const mesh = <usize>load<u32>(instance, INSTANCE_MESH);
    if (mesh == 0 || (load<u32>(mesh, MESH_FLAGS) & MESH_GROUND) != 0) continue;
    for (let level: u32 = 0; level < levels; level++) {
      castShadow(draw, instance, mesh, level, <usize>load<u32>(draw, DRAW_SHADE) + <usize>level * plane, load<u32>(draw, DRAW_PITCH));
    }
  }
}

/**
 * Lays a solid instance on one level, as the instance record DRAW_CASTER.
 * @returns whether its shadow may be seen in the rectangle
 */
export function layShadow(draw: usize, instance: usize, mesh: usize, level: u32): bool {
  const caster = draw + DRAW_CASTER;
  layOnGround(draw, instance, load<f32>(draw + (<usize>level << 2), DRAW_LEVEL_HEIGHTS), caster);
  return (load<u8>(instance, INSTANCE_FLAGS) & INSTANCE_BENT) != 0 || isSphereSeen(draw, caster, mesh, true);
}

/** layShadow, and projects the vertices: they stand in the vertex memory then. */
export function placeShadow(draw: usize, instance: usize, mesh: usize, level: u32): bool {
  if (!layShadow(draw, instance, mesh, level)) return false;
  if ((load<u8>(instance, INSTANCE_FLAGS) & INSTANCE_BENT) != 0) bendVertices(draw, instance);
  projectVertices(draw, draw + DRAW_CASTER);
  return true;
}

/**
 * Marks the shadow of one instance on one level, within the rectangle.
 * @param shade address of pixel (0, 0)'s byte, as it were
 * @param pitch bytes from row to row
 */
export function castShadow(draw: usize, instance: usize, mesh: usize, level: u32, shade: usize, pitch: usize): void {
  if (!placeShadow(draw, instance, mesh, level)) return;
  const caster = draw + DRAW_CASTER;
  const closed = (load<u32>(mesh, MESH_FLAGS) & MESH_CLOSED) != 0;
  const vertices = <usize>load<u32>(draw, DRAW_VERTICES);
  let index = <usize>load<u32>(mesh, MESH_INDICES);
  const end = index + 12 * <usize>load<u32>(mesh, MESH_TRIANGLES);
  for (; index < end; index += 12) {
    const a = <usize>load<u32>(index), b = <usize>load<u32>(index, 4), c = <usize>load<u32>(index, 8);
    const codeA = load<u32>(vertices + a, VERTEX_CODE), codeB = load<u32>(vertices + b, VERTEX_CODE);
    const codeC = load<u32>(vertices + c, VERTEX_CODE);
    if ((codeA & codeB & codeC) != 0) continue;
    if (((codeA | codeB | codeC) & (OUT_NEAR | OUT_GUARD)) == 0) {
      shadeTriangle(draw, vertices + a, vertices + b, vertices + c, closed, shade, pitch);
      continue;
    }
    const positions = placedPositions(draw, instance);
    const count = clipTriangle(draw, caster + INSTANCE_MATRIX, positions, paddedVertices(mesh) << 2, a, b, c);
    const corners = clippedVertices(draw);
    for (let i: usize = 2; i < <usize>count; i++) {
      shadeTriangle(draw, corners, corners + (i - 1) * VERTEX_BYTES, corners + i * VERTEX_BYTES, closed, shade, pitch);
    }
  }
}

/**
 * Copies an instance record with a matrix that lays it on the ground at `height`: a point p goes to
 * p − light · (its height) / (the light's), and its height is up · p + ground − height.
 */
function layOnGround(draw: usize, instance: usize, height: f32, caster: usize): void {
  const view = <usize>load<u32>(draw, DRAW_VIEW);
  memory.copy(caster, instance, INSTANCE_BYTES);
  const m = instance + INSTANCE_MATRIX;
  const out = caster + INSTANCE_MATRIX;
  const inverse = 1.0 / <f64>sunHeight(view);
  for (let column: usize = 0; column < 16; column += 4) {
    let rise: f64 = column == 12 ? <f64>load<f32>(view, VIEW_GROUND) - <f64>height : 0;
    for (let row: usize = 0; row < 3; row++) {
      rise += <f64>load<f32>(view + (row << 2), VIEW_UP) * <f64>load<f32>(m + (row << 4) + column);
    }
    for (let row: usize = 0; row < 3; row++) {
      const at = (row << 4) + column;
      const moved = <f64>load<f32>(m + at) - <f64>load<f32>(view + (row << 2), VIEW_LIGHT) * rise * inverse;
      store<f32>(out + at, <f32>moved);
    }
  }
}

/**
 * Marks the samples of one projected triangle within the rectangle, whichever way it is turned; of a closed mesh those that
 * are turned one way, as what they cover is what the others do.
 */
function shadeTriangle(draw: usize, a: usize, b: usize, c: usize, closed: bool, shade: usize, pitch: usize): void {
  const ax = load<f32>(a, VERTEX_X), bx = load<f32>(b, VERTEX_X), cx = load<f32>(c, VERTEX_X);
  const ay = load<f32>(a, VERTEX_Y), by = load<f32>(b, VERTEX_Y), cy = load<f32>(c, VERTEX_Y);
  if (closed && !((bx - ax) * (cy - ay) < (cx - ax) * (by - ay))) return;
  const first = load<f32>(draw, DRAW_FIRST), last = load<f32>(draw, DRAW_LAST);
  const left = max<f32>(ceil(min(ax, min(bx, cx)) - last), load<f32>(draw, DRAW_LEFTS));
  const right = min<f32>(ceil(max(ax, max(bx, cx)) - first), load<f32>(draw, DRAW_RIGHTS));
  if (!(left < right)) return;
  const from = max<f32>(ceil(min(ay, min(by, cy)) - last), load<f32>(draw, DRAW_TOPS));
  const to = min<f32>(ceil(max(ay, max(by, cy)) - first), load<f32>(draw, DRAW_BOTTOMS));
  if (!(from < to)) return;
  // Record 0 is nobody's.
  const triangle = <usize>load<u32>(draw, DRAW_TRIANGLES);
  setUpEdges(a, b, c, triangle, 0);
  markSamples(draw, triangle, left, <i32>from, right, <i32>to, shade, pitch);
}

/**
 * Sets the bit of every sample that a triangle record's edges enclose in [left, right) × [top, bottom): bit k of a pixel's
 * byte is sample k.
 * @param bytes address of pixel (0, 0)'s byte, as it were
 * @param pitch bytes from row to row
 */
export function markSamples(
  draw: usize, triangle: usize, left: f32, top: i32, right: f32, bottom: i32, bytes: usize, pitch: usize,
): void {
  const spans = draw + DRAW_SPANS;
  const four = load<u32>(draw, DRAW_SAMPLES) == 4;
  const step = four ? 1 : 4;
  for (let y = top; y < bottom; y += step) {
    if (ASC_FEATURE_SIMD) {
      const heights = f32x4.add(f32x4.splat(<f32>y), v128.load(draw + (four ? DRAW_SAMPLE_Y : DRAW_ROWS)));
      const offsets = v128.load(draw + (four ? DRAW_SAMPLE_X : DRAW_HALF));
      findSpans(triangle, heights, offsets, f32x4.splat(left), f32x4.splat(right), spans);
    } else {
      for (let k: usize = 0; k < 16; k += 4) {
        const height = <f32>y + (four ? load<f32>(draw + k, DRAW_SAMPLE_Y) : load<f32>(draw + k, DRAW_ROWS));
        findSpan(triangle, height, four ? load<f32>(draw + k, DRAW_SAMPLE_X) : 0.5, left, right, spans + k);
      }
    }
    const many = four ? 4 : min(4, bottom - y);
    for (let k = 0; k < many; k++) {
      const at = spans + (<usize>k << 2);
      const row = four ? y : y + k;
      const start = load<f32>(at), end = load<f32>(at, 16);
      if (start < end) mark(bytes + <usize>row * pitch, <i32>start, <i32>end, four ? <u64>1 << k : 1);
    }
  }
}

/** Sets a bit of the bytes [x, end) of a row. */
// @ts-ignore: decorator
@inline
function mark(row: usize, x: i32, end: i32, bit: u64): void {
  const eight = bit * 0x0101010101010101;
  for (; x + 8 < end; x += 8) store<u64>(row + x, load<u64>(row + x) | eight);
  // The last one to eight; what stands behind them is written back as it was.
  store<u64>(row + x, load<u64>(row + x) | (eight >> (<u64>(8 - (end - x)) << 3)));
}
