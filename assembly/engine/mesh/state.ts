/** Scratch memory of the mesh kernels: how much of it a call needs, and the draw record at its start. */
import {
  DRAW_255, DRAW_ACTIVE, DRAW_BANDS, DRAW_BAND_ROWS, DRAW_BENT, DRAW_BIAS, DRAW_BOTTOM, DRAW_BOTTOMS, DRAW_BYTES,
  DRAW_CAPACITY, DRAW_CENTRED_X, DRAW_CENTRED_Y, DRAW_CENTROIDS, DRAW_CLIP, DRAW_COUNT, DRAW_DEPTH, DRAW_FAR_CORNER,
  DRAW_FIRST, DRAW_FIRSTS, DRAW_FOUR, DRAW_HALF, DRAW_HAZE, DRAW_HAZE_COLOR, DRAW_HORIZON, DRAW_LANES, DRAW_LAST, DRAW_LASTS,
  DRAW_LEFT, DRAW_LEFTS, DRAW_LEVELS, DRAW_MAGIC, DRAW_MARKS, DRAW_NEAR_CORNER, DRAW_ONE, DRAW_ORDER, DRAW_OVERFLOW,
  DRAW_PITCH, DRAW_PLANES, DRAW_RANGES, DRAW_RIGHT, DRAW_RIGHTS, DRAW_ROWS, DRAW_ROW_COLOR, DRAW_ROW_DEPTH, DRAW_ROW_MARK,
  DRAW_ROW_NORMAL, DRAW_SAMPLES, DRAW_SAMPLE_X, DRAW_SAMPLE_Y, DRAW_SHADE, DRAW_SHADOW_FACTORS, DRAW_SHADOW_TEXEL, DRAW_TEXEL,
  DRAW_TOP, DRAW_TOPS, DRAW_TO_ZENITH, DRAW_TRIANGLES, DRAW_TWO_23, DRAW_VERTICES, DRAW_VIEW, DRAW_WANTED, DRAW_WEIGHT,
  DRAW_WEIGHT_MAGIC, MOST_LEVELS_OF_GROUND, PLANES_BYTES, TRIANGLE_BYTES, VERTEX_BYTES, VIEW_AMBIENT, VIEW_COUNT, VIEW_HAZE,
  VIEW_HAZE_COLOR, VIEW_HEIGHT, VIEW_HORIZON, VIEW_LIGHT, VIEW_NORMALS, VIEW_SAMPLES, VIEW_SHADOW, VIEW_SUN, VIEW_TRIANGLES,
  VIEW_UP, VIEW_VERTICES, VIEW_WIDTH, VIEW_ZENITH,
} from './layout';
import { GROUND_BIAS } from './nearest';

const LOG2_E: f32 = 1.4426950408889634;
/** Samples of a band (8 bytes each) stay in the second-level cache between rasterising and shading. */
const BAND_BYTES: usize = 655360;
/** Pixels that loops may write behind a row's end. */
const PADDING: u32 = 8;
/** Vertices of a polygon that was a triangle before it was cut by five planes, and one to spare. */
const CLIP_VERTICES: usize = 9;
/** What clipping adds to the triangles, at most: beyond it drawMeshes reports STATUS_ROOM. */
const SPARE_TRIANGLES: usize = 4096;

// @ts-ignore: decorator
@inline
function aligned(bytes: usize): usize {
  return (bytes + 63) & ~63;
}

// @ts-ignore: decorator
@inline
function pitchOf(width: u32): u32 {
  return (width + PADDING + 3) & ~3;
}

/** A power of two. */
function bandRows(width: u32, samples: u32): u32 {
  const rows = max<u32>(4, <u32>(BAND_BYTES / (<usize>(pitchOf(width) * samples) << 3)));
  return 1 << (31 - clz<u32>(rows));
}

/** Room for triangle records, number 0 included: every triangle may be cut into two. */
function capacityOf(triangles: u32): usize {
  return <usize>triangles + (<usize>triangles >> 2) + SPARE_TRIANGLES;
}

/**
 * Scratch bytes of drawMeshes and coverMesh.
 * @param samples 1 or 4
 * @param instances instance records
 * @param vertices of the largest mesh
 * @param triangles of all instances together
 * @returns 4294967295 when so much cannot be addressed
 */
export function meshScratchBytes(
  width: u32, height: u32, samples: u32, instances: u32, vertices: u32, triangles: u32,
): usize {
  const pixels = <f64>width * <f64>height;
  if (pixels > 3e8 || <f64>triangles > 1.2e7 || <f64>vertices > 3e7 || instances > 65535) return 0xffffffff;
  return layOut(0, width, height, samples, instances, vertices, triangles);
}

/** Writes the addresses of what lies in scratch, but for `draw` 0, and returns the bytes. */
function layOut(
  draw: usize, width: u32, height: u32, samples: u32, instances: u32, vertices: u32, triangles: u32,
): usize {
  const pitch = <usize>pitchOf(width);
  const rows = <usize>bandRows(width, samples);
  const padded = (<usize>vertices + 3) & ~3;
  const capacity = capacityOf(triangles);
  const row = pitch << 4;
  let at = draw + aligned(DRAW_BYTES);
  at = place(draw, DRAW_VERTICES, at, padded * VERTEX_BYTES);
  at = place(draw, DRAW_BENT, at, padded * 24);
  at = place(draw, DRAW_CLIP, at, 3 * CLIP_VERTICES * VERTEX_BYTES);
  at = place(draw, DRAW_RANGES, at, <usize>instances << 3);
  at = place(draw, DRAW_ROW_COLOR, at, row);
  at = place(draw, DRAW_ROW_DEPTH, at, pitch << 2);
  at = place(draw, DRAW_ROW_MARK, at, pitch << 2);
  at = place(draw, DRAW_ROW_NORMAL, at, row);
  at = place(draw, DRAW_DEPTH, at, (pitch * rows * samples) << 2);
  at = place(draw, DRAW_MARKS, at, (pitch * rows * samples) << 2);
  at = place(draw, DRAW_SHADE, at, pitch * <usize>height * <usize>MOST_LEVELS_OF_GROUND);
  at = place(draw, DRAW_BANDS, at, (<usize>height / rows + 3) << 2);
  at = place(draw, DRAW_ORDER, at, capacity << 2);
  at = place(draw, DRAW_ACTIVE, at, capacity << 3);
  at = place(draw, DRAW_PLANES, at, capacity * PLANES_BYTES);
  at = place(draw, DRAW_TRIANGLES, at, capacity * TRIANGLE_BYTES);
  if (draw != 0) {
    store<u32>(draw, <u32>capacity, DRAW_CAPACITY);
    store<u32>(draw, <u32>pitch, DRAW_PITCH);
    store<u32>(draw, <u32>rows, DRAW_BAND_ROWS);
  }
  return at - draw;
}

function place(draw: usize, field: usize, at: usize, bytes: usize): usize {
  if (draw != 0) store<u32>(draw + field, <u32>at);
  return at + aligned(bytes);
}

/** Prepares scratch for a view: no triangles yet, the whole image as rectangle. */
export function openDraw(view: usize, scratch: usize): void {
  const samples = load<u32>(view, VIEW_SAMPLES);
  layOut(
    scratch, load<u32>(view, VIEW_WIDTH), load<u32>(view, VIEW_HEIGHT), samples, load<u32>(view, VIEW_COUNT),
    load<u32>(view, VIEW_VERTICES), load<u32>(view, VIEW_TRIANGLES),
  );
  store<u32>(scratch, <u32>view, DRAW_VIEW);
  store<u32>(scratch, samples, DRAW_SAMPLES);
  store<u32>(scratch, 1, DRAW_COUNT);
  store<u32>(scratch, 0, DRAW_OVERFLOW);
  store<u32>(scratch, 0, DRAW_LEVELS);
  store<u32>(scratch, load<u32>(view, VIEW_NORMALS) != 0 ? 1 : 0, DRAW_WANTED);
  store<f32>(scratch, samples == 4 ? 0.125 : 0.5, DRAW_FIRST);
  store<f32>(scratch, samples == 4 ? 0.875 : 0.5, DRAW_LAST);
  writeConstants(scratch);
  writeLight(scratch, view);
  setDrawRectangle(scratch, 0, 0, load<i32>(view, VIEW_WIDTH), load<i32>(view, VIEW_HEIGHT));
}

/** What instances are set up against from now on: triangles outside are left out. */
export function setDrawRectangle(draw: usize, left: i32, top: i32, right: i32, bottom: i32): void {
  store<i32>(draw, left, DRAW_LEFT);
  store<i32>(draw, top, DRAW_TOP);
  store<i32>(draw, right, DRAW_RIGHT);
  store<i32>(draw, bottom, DRAW_BOTTOM);
  splat(draw, DRAW_LEFTS, <f32>left);
  splat(draw, DRAW_TOPS, <f32>top);
  splat(draw, DRAW_RIGHTS, <f32>right);
  splat(draw, DRAW_BOTTOMS, <f32>bottom);
  four(draw, DRAW_NEAR_CORNER, <f32>left, <f32>top, <f32>left, <f32>top);
  four(draw, DRAW_FAR_CORNER, <f32>right, <f32>bottom, <f32>right, <f32>bottom);
}

function writeConstants(draw: usize): void {
  four(draw, DRAW_LANES, 0, 1, 2, 3);
  splat(draw, DRAW_MAGIC, 12582912);
  splat(draw, DRAW_TWO_23, 8388608);
  splat(draw, DRAW_HALF, 0.5);
  splat(draw, DRAW_ONE, 1);
  splat(draw, DRAW_FOUR, 4);
  splat(draw, DRAW_255, 255);
  splat(draw, DRAW_TEXEL, 1.0 / (255.0 * 16384.0));
  splat(draw, DRAW_WEIGHT, 16384);
  splat(draw, DRAW_WEIGHT_MAGIC, 12582912 + 16384);
  splat(draw, DRAW_BIAS, GROUND_BIAS);
  four(draw, DRAW_ROWS, 0.5, 1.5, 2.5, 3.5);
  four(draw, DRAW_SAMPLE_X, 0.375, 0.875, 0.125, 0.625);
  four(draw, DRAW_SAMPLE_Y, 0.125, 0.375, 0.625, 0.875);
  four(draw, DRAW_CENTRED_X, -0.125, 0.375, -0.375, 0.125);
  four(draw, DRAW_CENTRED_Y, -0.375, -0.125, 0.125, 0.375);
  splat(draw, DRAW_FIRSTS, load<f32>(draw, DRAW_FIRST));
  splat(draw, DRAW_LASTS, load<f32>(draw, DRAW_LAST));
}

/** Colours of sky and haze, what a shadow leaves of the ground's colour, and where masks of samples have their middle. */
function writeLight(draw: usize, view: usize): void {
  store<f32>(draw, load<f32>(view, VIEW_HAZE) * LOG2_E, DRAW_HAZE);
  const towards = dot(view + VIEW_UP, view + VIEW_LIGHT);
  const facing: f32 = 0 < towards ? towards : 0;
  const kept = facing * (1 - load<f32>(view, VIEW_SHADOW));
  for (let c: usize = 0; c < 12; c += 4) {
    const horizon = load<f32>(view + c, VIEW_HORIZON);
    store<f32>(draw + c, load<f32>(view + c, VIEW_HAZE_COLOR), DRAW_HAZE_COLOR);
    store<f32>(draw + c, horizon, DRAW_HORIZON);
    store<f32>(draw + c, load<f32>(view + c, VIEW_ZENITH) - horizon, DRAW_TO_ZENITH);
    const ambient = load<f32>(view + c, VIEW_AMBIENT), sun = load<f32>(view + c, VIEW_SUN);
    const lit = ambient + sun * facing;
    store<f32>(draw + c, lit > 0 ? (ambient + sun * kept) / lit : 1, DRAW_SHADOW_FACTORS);
  }
  store<f32>(draw, 1, DRAW_HAZE_COLOR + 12);
  store<f32>(draw, 1, DRAW_HORIZON + 12);
  store<f32>(draw, 0, DRAW_TO_ZENITH + 12);
  store<f32>(draw, 1, DRAW_SHADOW_FACTORS + 12);
  for (let c: usize = 0; c < 16; c += 4) {
    store<f32>(draw + c, load<f32>(draw + c, DRAW_SHADOW_FACTORS) * load<f32>(draw, DRAW_TEXEL), DRAW_SHADOW_TEXEL);
  }
  for (let mask: usize = 0; mask < 16; mask++) {
    let x: f32 = 0, y: f32 = 0, held: f32 = 0;
    for (let k: usize = 0; k < 4; k++) {
      if (((mask >> k) & 1) == 0) continue;
      x += load<f32>(draw + (k << 2), DRAW_CENTRED_X);
      y += load<f32>(draw + (k << 2), DRAW_CENTRED_Y);
      held++;
    }
    store<f32>(draw + (mask << 3), held > 0 ? x / held : 0, DRAW_CENTROIDS);
    store<f32>(draw + (mask << 3), held > 0 ? y / held : 0, DRAW_CENTROIDS + 4);
  }
}

// @ts-ignore: decorator
@inline
function dot(a: usize, b: usize): f32 {
  return load<f32>(a) * load<f32>(b) + load<f32>(a, 4) * load<f32>(b, 4) + load<f32>(a, 8) * load<f32>(b, 8);
}

function splat(draw: usize, field: usize, value: f32): void {
  four(draw, field, value, value, value, value);
}

function four(draw: usize, field: usize, a: f32, b: f32, c: f32, d: f32): void {
  store<f32>(draw + field, a);
  store<f32>(draw + field, b, 4);
  store<f32>(draw + field, c, 8);
  store<f32>(draw + field, d, 12);
}
