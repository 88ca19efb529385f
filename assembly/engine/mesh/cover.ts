/**
 * What one instance would cover if it were alone on a canvas without bounds: how many pixels, how many of them on the canvas,
 * and their box. Edges and samples are those of rasterising: a pixel counts where the instance holds at least two of four
 * samples, or the one.
 */
import {
  COVERAGE_BOTTOM, COVERAGE_BYTES, COVERAGE_CENTRE_X, COVERAGE_CENTRE_Y, COVERAGE_HEIGHT, COVERAGE_INSIDE, COVERAGE_LEFT,
  COVERAGE_PIXELS, COVERAGE_RIGHT, COVERAGE_TOP, COVERAGE_WIDTH, STATUS_OK,
} from '../layout';
import { markSamples } from './shadow';
import { openDraw, setDrawRectangle } from './state';
import { setUpInstance } from './triangles';
import {
  DRAW_BANDS, DRAW_BOTTOM, DRAW_COUNT, DRAW_DEPTH, DRAW_LEFT, DRAW_OVERFLOW, DRAW_RIGHT, DRAW_SAMPLES, DRAW_TOP,
  DRAW_TRIANGLES, DRAW_WANTED, GUARD, INSTANCE_MESH, MESH_FLAGS, MESH_GROUND, MESH_VERTICES, STATUS_ROOM, TRIANGLE_BOTTOM,
  TRIANGLE_BYTES, TRIANGLE_LEFT, TRIANGLE_RIGHT, TRIANGLE_SHIFT, TRIANGLE_TOP, VIEW_HEIGHT, VIEW_VERTICES, VIEW_WIDTH,
} from './layout';

/** The canvas without bounds ends so many canvas sizes beside the canvas. */
const MARGIN: i32 = 4;
/** Where a box still has more pixels than so many canvases, the margin is halved. */
const MOST_CANVASES: i64 = 16;
/** The same for ground, which is everywhere. */
const MOST_CANVASES_OF_GROUND: i64 = 2;
/** Bit b: whether a pixel with the samples b of four counts. */
const COUNTS_OF_FOUR: u32 = 0xfee8;
/** With one sample. */
const COUNTS_OF_ONE: u32 = 0xaaaa;

/**
 * Writes the coverage record of one instance; all zeros when it covers nothing.
 * @param view a view record; its results are not touched
 * @param instance one of its instance records
 * @param scratch as for drawMeshes; nothing in it is kept
 * @param out coverage record, 8-byte aligned
 * @returns STATUS_OK, or STATUS_ROOM as drawMeshes
 */
export function coverMesh(view: usize, instance: usize, scratch: usize, out: usize): u32 {
  memory.fill(out, 0, COVERAGE_BYTES);
  const mesh = <usize>load<u32>(instance, INSTANCE_MESH);
  if (mesh == 0) return STATUS_OK;
  if (load<u32>(mesh, MESH_VERTICES) > load<u32>(view, VIEW_VERTICES)) return STATUS_ROOM;
  openDraw(view, scratch);
  store<u32>(scratch, 0, DRAW_WANTED);
  const ground = (load<u32>(mesh, MESH_FLAGS) & MESH_GROUND) != 0;
  const width = load<i32>(view, VIEW_WIDTH), height = load<i32>(view, VIEW_HEIGHT);
  const budget = (ground ? MOST_CANVASES_OF_GROUND : MOST_CANVASES) * <i64>width * <i64>height;
  for (let margin = MARGIN; ; margin >>= 1) {
    // Coordinates beyond the guard band are cut.
    const left = max(-margin * width, -(<i32>GUARD)), right = min((margin + 1) * width, <i32>GUARD);
    const top = max(-margin * height, -(<i32>GUARD)), bottom = min((margin + 1) * height, <i32>GUARD);
    setDrawRectangle(scratch, left, top, right, bottom);
    store<u32>(scratch, 1, DRAW_COUNT);
    setUpInstance(scratch, instance);
    if (load<u32>(scratch, DRAW_OVERFLOW) != 0) return STATUS_ROOM;
    if (load<u32>(scratch, DRAW_COUNT) == 1) {
      // Nothing on this canvas; a larger one was too large to count.
      return STATUS_OK;
    }
    findBox(scratch);
    const columns = load<i32>(scratch, DRAW_RIGHT) - load<i32>(scratch, DRAW_LEFT);
    const rows = load<i32>(scratch, DRAW_BOTTOM) - load<i32>(scratch, DRAW_TOP);
    if (margin == 0 || <i64>columns * <i64>rows <= budget) break;
  }
  countPixels(scratch, width, height, out);
  return STATUS_OK;
}

/** The box of all triangle records becomes the draw record's rectangle. */
function findBox(draw: usize): void {
  let triangle = <usize>load<u32>(draw, DRAW_TRIANGLES) + TRIANGLE_BYTES;
  const end = triangle + (<usize>(load<u32>(draw, DRAW_COUNT) - 1) << TRIANGLE_SHIFT);
  let left = i32.MAX_VALUE, top = i32.MAX_VALUE, right = i32.MIN_VALUE, bottom = i32.MIN_VALUE;
  for (; triangle < end; triangle += TRIANGLE_BYTES) {
    left = min(left, <i32>load<i16>(triangle, TRIANGLE_LEFT));
    top = min(top, <i32>load<i16>(triangle, TRIANGLE_TOP));
    right = max(right, <i32>load<i16>(triangle, TRIANGLE_RIGHT));
    bottom = max(bottom, <i32>load<i16>(triangle, TRIANGLE_BOTTOM));
  }
  store<i32>(draw, left, DRAW_LEFT);
  store<i32>(draw, top, DRAW_TOP);
  store<i32>(draw, right, DRAW_RIGHT);
  store<i32>(draw, bottom, DRAW_BOTTOM);
}

/** Marks samples in as many rows at a time as there is memory for (that of bands and shadows), and counts pixels. */
function countPixels(draw: usize, width: i32, height: i32, out: usize): void {
  const left = load<i32>(draw, DRAW_LEFT), right = load<i32>(draw, DRAW_RIGHT);
  const bytes = <usize>load<u32>(draw, DRAW_DEPTH);
  const pitch = <usize>((right - left + 7) & ~7);
  const rows = <i32>((<usize>load<u32>(draw, DRAW_BANDS) - bytes) / pitch);
  const bottom = load<i32>(draw, DRAW_BOTTOM);
  const first = <usize>load<u32>(draw, DRAW_TRIANGLES) + TRIANGLE_BYTES;
  const last = first + (<usize>(load<u32>(draw, DRAW_COUNT) - 1) << TRIANGLE_SHIFT);
  for (let top = load<i32>(draw, DRAW_TOP); top < bottom; top += rows) {
    const end = min(top + rows, bottom);
    memory.fill(bytes, 0, <usize>(end - top) * pitch);
    const origin = bytes - <usize>left - <usize>top * pitch;
    for (let triangle = first; triangle < last; triangle += TRIANGLE_BYTES) {
      const from = max(top, <i32>load<i16>(triangle, TRIANGLE_TOP)), to = min(end, <i32>load<i16>(triangle, TRIANGLE_BOTTOM));
      if (from >= to) continue;
      const start = <f32>load<i16>(triangle, TRIANGLE_LEFT), stop = <f32>load<i16>(triangle, TRIANGLE_RIGHT);
      markSamples(draw, triangle, start, from, stop, to, origin, pitch);
    }
    for (let y = top; y < end; y++) countRow(draw, bytes + <usize>(y - top) * pitch, y, left, right, width, height, out);
  }
  if (load<f64>(out, COVERAGE_PIXELS) == 0) return;
  const boxLeft = load<f64>(out, COVERAGE_LEFT), boxRight = load<f64>(out, COVERAGE_RIGHT);
  const boxTop = load<f64>(out, COVERAGE_TOP), boxBottom = load<f64>(out, COVERAGE_BOTTOM);
  store<f64>(out, (boxLeft + boxRight) * 0.5, COVERAGE_CENTRE_X);
  store<f64>(out, (boxTop + boxBottom) * 0.5, COVERAGE_CENTRE_Y);
  store<f64>(out, boxRight - boxLeft, COVERAGE_WIDTH);
  store<f64>(out, boxBottom - boxTop, COVERAGE_HEIGHT);
}

/** Adds the pixels of one row; rows come from the top. */
function countRow(draw: usize, row: usize, y: i32, left: i32, right: i32, width: i32, height: i32, out: usize): void {
  const four = load<u32>(draw, DRAW_SAMPLES) == 4;
  const counts = four ? COUNTS_OF_FOUR : COUNTS_OF_ONE;
  const whole: u64 = four ? 0x0f0f0f0f0f0f0f0f : 0x0101010101010101;
  let pixels = 0, inside = 0, from = 0, to = 0;
  for (let x = left; x < right; ) {
    const eight = load<u64>(row + (x - left));
    const step = min(8, right - x);
    if (eight == 0) {
      x += step;
      continue;
    }
    if (eight == whole && (x >= 0) == (x + 7 >= 0) && (x < width) == (x + 7 < width)) {
      if (pixels == 0) from = x;
      to = x + 8;
      pixels += 8;
      if (x >= 0 && x < width) inside += 8;
      x += 8;
      continue;
    }
    for (let i = 0; i < step; i++, x++) {
      if (((counts >> <u32>load<u8>(row + (x - left))) & 1) == 0) continue;
      if (pixels == 0) from = x;
      to = x + 1;
      pixels++;
      if (x >= 0 && x < width) inside++;
    }
  }
  if (pixels == 0) return;
  const before = load<f64>(out, COVERAGE_PIXELS);
  if (before == 0) store<f64>(out, <f64>y, COVERAGE_TOP);
  store<f64>(out, before == 0 ? <f64>from : min(<f64>from, load<f64>(out, COVERAGE_LEFT)), COVERAGE_LEFT);
  store<f64>(out, before == 0 ? <f64>to : max(<f64>to, load<f64>(out, COVERAGE_RIGHT)), COVERAGE_RIGHT);
  store<f64>(out, <f64>(y + 1), COVERAGE_BOTTOM);
  store<f64>(out, before + <f64>pixels, COVERAGE_PIXELS);
  if (y >= 0 && y < height) store<f64>(out, load<f64>(out, COVERAGE_INSIDE) + <f64>inside, COVERAGE_INSIDE);
}
