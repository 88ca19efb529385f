/** Scratch memory of the 3D vector–Jacobian product: how much a call needs, and where everything lies. */
import { CALL_HEIGHT, CALL_NODE_COUNT, CALL_WIDTH } from '../layout';
import {
  MESH_CALL_RASTER, MESH_CALL_TRIANGLES, MESH_CALL_VERTICES, MESH_CALL_VIEW, MOST_LEVELS_OF_GROUND, TARGET_DEPTH,
  TARGET_MARKS, VIEW_TRIANGLES,
} from './layout';
import { meshSceneBytes } from './scene';
import { meshScratchBytes } from './state';
import {
  REACH_BYTES, VJP_BEHIND, VJP_BYTES, VJP_CALL, VJP_DIFFERS, VJP_DRAW, VJP_LINEAR, VJP_PIXELS, VJP_REACH,
  VJP_ROW_MARKS, VJP_ROW_STEP, VJP_SHADE, VJP_SHADED, VJP_SHADE_STEP, VJP_SPARE,
} from './vjpLayout';

const UNAVAILABLE: u32 = 0xffffffff;
/** The samples of a vjp. */
export const VJP_SAMPLES: u32 = 4;
/**
 * Pixels of a rectangle that are worked on at once: 1.3 MB with all that is kept of them, about a second-level cache. Wider
 * canvases take a row.
 */
const BAND_PIXELS: u32 = 16384;
/** Pixels that loops may write behind a row's end. */
export const TARGET_PADDING: u32 = 8;
/** Depth and marks behind, one depth and two marks of poses. */
const PLANES: usize = 5;
/** Levels of shadows: of what does not move, of the high and of the low pose. */
const SHADES: usize = 3 * <usize>MOST_LEVELS_OF_GROUND;
/** Triangles of poses at once: those of the scene, within these bounds. */
const LEAST_SPARE: u32 = 4096;
const MOST_SPARE: u32 = 65536;

function spareOf(triangles: u32): u32 {
  return min(MOST_SPARE, max(LEAST_SPARE, triangles));
}

function pixelsOf(width: u32): u32 {
  return max(BAND_PIXELS, (width + TARGET_PADDING + 3) & ~3);
}

/** Bytes of a level of shadows; loops write old values back behind them. */
function shadeStepOf(width: u32): usize {
  return aligned(<usize>pixelsOf(width) + 16);
}

/** Bytes of the marks of a row. */
function rowStepOf(width: u32): usize {
  return aligned(<usize>(width + TARGET_PADDING + 3) << 4);
}

// @ts-ignore: decorator
@inline
function aligned(bytes: usize): usize {
  return (bytes + 63) & ~63;
}

/**
 * Scratch bytes of meshPerturbationVjp.
 * @param vertices of the largest mesh, at least
 * @param triangles of all of a scene's meshes together, at least, times the room wanted for them
 * @returns 0xffffffff when they do not fit an address
 */
export function meshVjpScratchBytes(nodes: u32, width: u32, height: u32, vertices: u32, triangles: u32): u32 {
  const raster = <u32>meshScratchBytes(width, height, VJP_SAMPLES, nodes, vertices, triangles + spareOf(triangles));
  if (raster == UNAVAILABLE) return UNAVAILABLE;
  const own =
    VJP_BYTES + aligned(<usize>nodes * REACH_BYTES) + aligned(<usize>nodes << 5) + ((PLANES * pixelsOf(width)) << 4) +
    SHADES * shadeStepOf(width) + 3 * rowStepOf(width);
  const bytes = <u64>meshSceneBytes(nodes) + <u64>raster + <u64>own + 128;
  return bytes > <u64>UNAVAILABLE ? UNAVAILABLE : <u32>bytes;
}

/** Divides the scratch behind an opened scene, and makes room for poses in its view. @returns the VJP record */
export function openVjp(call: usize): usize {
  const nodes = load<u32>(call, CALL_NODE_COUNT);
  const width = load<u32>(call, CALL_WIDTH);
  const spare = spareOf(load<u32>(call, MESH_CALL_TRIANGLES));
  const triangles = load<u32>(call, MESH_CALL_TRIANGLES) + spare;
  // Views are written with what the call record says.
  store<u32>(call, triangles, MESH_CALL_TRIANGLES);
  store<u32>(load<u32>(call, MESH_CALL_VIEW), triangles, VIEW_TRIANGLES);
  const draw = <usize>load<u32>(call, MESH_CALL_RASTER);
  const raster = meshScratchBytes(
    width, load<u32>(call, CALL_HEIGHT), VJP_SAMPLES, nodes, load<u32>(call, MESH_CALL_VERTICES), triangles,
  );
  const vjp = aligned(draw + raster);
  memory.fill(vjp, 0, VJP_BYTES);
  store<u32>(vjp, <u32>call, VJP_CALL);
  store<u32>(vjp, <u32>draw, VJP_DRAW);
  store<u32>(vjp, spare, VJP_SPARE);
  store<u32>(vjp, pixelsOf(width), VJP_PIXELS);
  let at = vjp + VJP_BYTES;
  store<u32>(vjp, <u32>at, VJP_REACH);
  at += aligned(<usize>nodes * REACH_BYTES);
  store<u32>(vjp, <u32>at, VJP_LINEAR);
  memory.fill(at, 0, <usize>nodes << 5);
  at += aligned(<usize>nodes << 5);
  const plane = <usize>pixelsOf(width) << 4;
  store<u32>(vjp + VJP_BEHIND, <u32>at, TARGET_DEPTH);
  store<u32>(vjp + VJP_BEHIND, <u32>(at + plane), TARGET_MARKS);
  at += PLANES * plane;
  store<u32>(vjp, <u32>at, VJP_SHADE);
  store<u32>(vjp, <u32>shadeStepOf(width), VJP_SHADE_STEP);
  at += SHADES * shadeStepOf(width);
  store<u32>(vjp, <u32>at, VJP_ROW_MARKS);
  store<u32>(vjp, <u32>rowStepOf(width), VJP_ROW_STEP);
  store<u32>(vjp, <u32>(at + 2 * rowStepOf(width)), VJP_DIFFERS);
  store<u32>(vjp, <u32>(at + 2 * rowStepOf(width) + (rowStepOf(width) >> 1)), VJP_SHADED);
  return vjp;
}
