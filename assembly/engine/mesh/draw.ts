/** The kernel that draws a view: instances to triangle records, then band after band of rows from records to results. */
import { STATUS_OK } from '../layout';
import { rasterTriangle } from './raster';
import { resolveRows } from './resolve';
import { castAllShadows, findLevels } from './shadow';
import { openDraw } from './state';
import { setUpInstance } from './triangles';
import { contractRows } from './vjpContract';
import {
  DRAW_ACTIVE, DRAW_BANDS, DRAW_BAND_ROWS, DRAW_CAPACITY, DRAW_COUNT, DRAW_DEPTH, DRAW_MARKS, DRAW_ORDER, DRAW_OVERFLOW,
  DRAW_PITCH, DRAW_RANGES, DRAW_SAMPLES, DRAW_TARGET, DRAW_TRIANGLES, DRAW_VIEW, INSTANCE_BYTES, INSTANCE_MESH, MESH_FLAGS,
  MESH_GROUND, MESH_VERTICES, STATUS_ROOM, TARGET_BOTTOM, TARGET_DEPTH, TARGET_LEFT, TARGET_MARKS, TARGET_PITCH, TARGET_RIGHT,
  TARGET_TOP, TRIANGLE_BOTTOM, TRIANGLE_BYTES, TRIANGLE_SHIFT, TRIANGLE_TOP, VIEW_COUNT, VIEW_FAR, VIEW_HEIGHT, VIEW_INSTANCES,
  VIEW_VERTICES, VIEW_WIDTH,
} from './layout';

/**
 * Draws a view (layout.ts) into the results that it names.
 * @param scratch meshScratchBytes() bytes for the numbers in the view, a multiple of 16, used by this call alone
 * @returns STATUS_OK, or STATUS_ROOM: the view's vertices or triangles are less than its instances have
 */
export function drawMeshes(view: usize, scratch: usize): u32 {
  return drawView(view, scratch, 0);
}

/**
 * Draws a view into its results, or contracts its colours with dL/dimage.
 * @param vjp 0, or the VJP record (vjpLayout.ts) that says what with and where to; the view's results are left alone then
 */
export function drawView(view: usize, scratch: usize, vjp: usize): u32 {
  openDraw(view, scratch);
  if (!hasRoom(view)) return STATUS_ROOM;
  findLevels(scratch);
  castAllShadows(scratch);
  setUpAll(scratch);
  if (load<u32>(scratch, DRAW_OVERFLOW) != 0) return STATUS_ROOM;
  sortByBand(scratch);
  drawBands(scratch, vjp);
  return STATUS_OK;
}

/** Whether every mesh fits the memory for vertices. */
export function hasRoom(view: usize): bool {
  const instances = <usize>load<u32>(view, VIEW_INSTANCES);
  const end = instances + <usize>load<u32>(view, VIEW_COUNT) * INSTANCE_BYTES;
  const most = load<u32>(view, VIEW_VERTICES);
  for (let instance = instances; instance < end; instance += INSTANCE_BYTES) {
    const mesh = <usize>load<u32>(instance, INSTANCE_MESH);
    if (mesh != 0 && load<u32>(mesh, MESH_VERTICES) > most) return false;
  }
  return true;
}

/** Sets up all instances, ground first: at the same depth the first stays, and objects that stand on it come later. */
export function setUpAll(draw: usize): void {
  const view = <usize>load<u32>(draw, DRAW_VIEW);
  const count = load<u32>(view, VIEW_COUNT);
  const instances = <usize>load<u32>(view, VIEW_INSTANCES);
  const ranges = <usize>load<u32>(draw, DRAW_RANGES);
  for (let ground = 1; ground >= 0; ground--) {
    for (let i: usize = 0; i < <usize>count; i++) {
      const instance = instances + i * INSTANCE_BYTES;
      const mesh = <usize>load<u32>(instance, INSTANCE_MESH);
      const isGround = mesh != 0 && (load<u32>(mesh, MESH_FLAGS) & MESH_GROUND) != 0;
      if (isGround != (ground == 1)) continue;
      store<u32>(ranges + (i << 3), load<u32>(draw, DRAW_COUNT));
      setUpInstance(draw, instance);
      store<u32>(ranges + (i << 3), load<u32>(draw, DRAW_COUNT), 4);
    }
  }
}

/** Numbers of triangle records by the band of their first row, in their order: a counting sort. */
function sortByBand(draw: usize): void {
  const view = <usize>load<u32>(draw, DRAW_VIEW);
  const shift = ctz<u32>(load<u32>(draw, DRAW_BAND_ROWS));
  const bands = <usize>(((load<u32>(view, VIEW_HEIGHT) - 1) >> shift) + 1);
  const starts = <usize>load<u32>(draw, DRAW_BANDS);
  const order = <usize>load<u32>(draw, DRAW_ORDER);
  const count = load<u32>(draw, DRAW_COUNT);
  memory.fill(starts, 0, (bands + 1) << 2);
  let triangle = <usize>load<u32>(draw, DRAW_TRIANGLES) + TRIANGLE_BYTES;
  for (let number: u32 = 1; number < count; number++) {
    const at = starts + (<usize>(<u32>load<i16>(triangle, TRIANGLE_TOP) >> shift) << 2);
    store<u32>(at, load<u32>(at) + 1);
    triangle += TRIANGLE_BYTES;
  }
  let sum: u32 = 0;
  for (let band: usize = 0; band <= bands; band++) {
    const held = load<u32>(starts + (band << 2));
    store<u32>(starts + (band << 2), sum);
    sum += held;
  }
  triangle = <usize>load<u32>(draw, DRAW_TRIANGLES) + TRIANGLE_BYTES;
  for (let number: u32 = 1; number < count; number++) {
    const at = starts + (<usize>(<u32>load<i16>(triangle, TRIANGLE_TOP) >> shift) << 2);
    const place = load<u32>(at);
    store<u32>(order + (<usize>place << 2), number);
    store<u32>(at, place + 1);
    triangle += TRIANGLE_BYTES;
  }
  // Each start has become the end of its band, which is where the next begins.
}

/**
 * Rasterises and resolves (or contracts) band after band; triangles that reach into the next band are carried over, in their
 * order.
 */
function drawBands(draw: usize, vjp: usize): void {
  const view = <usize>load<u32>(draw, DRAW_VIEW);
  const height = load<i32>(view, VIEW_HEIGHT);
  const rows = load<i32>(draw, DRAW_BAND_ROWS);
  const ends = <usize>load<u32>(draw, DRAW_BANDS);
  const order = <usize>load<u32>(draw, DRAW_ORDER);
  let active = <usize>load<u32>(draw, DRAW_ACTIVE);
  let next = active + (<usize>load<u32>(draw, DRAW_CAPACITY) << 2);
  const target = draw + DRAW_TARGET;
  store<u32>(target, load<u32>(draw, DRAW_DEPTH), TARGET_DEPTH);
  store<u32>(target, load<u32>(draw, DRAW_MARKS), TARGET_MARKS);
  store<i32>(target, 0, TARGET_LEFT);
  store<i32>(target, load<i32>(view, VIEW_WIDTH), TARGET_RIGHT);
  store<u32>(target, load<u32>(draw, DRAW_PITCH), TARGET_PITCH);
  let activeCount: usize = 0;
  let fresh = order;
  for (let top = 0, band: usize = 0; top < height; top += rows, band++) {
    const bottom = min(top + rows, height);
    store<i32>(target, top, TARGET_TOP);
    store<i32>(target, bottom, TARGET_BOTTOM);
    clearTarget(draw, target);
    const freshEnd = order + (<usize>load<u32>(ends + (band << 2)) << 2);
    const activeEnd = active + (activeCount << 2);
    let carried = next;
    let old = active;
    while (fresh < freshEnd || old < activeEnd) {
      let number: u32;
      if (old >= activeEnd || (fresh < freshEnd && load<u32>(fresh) < load<u32>(old))) {
        number = load<u32>(fresh);
        fresh += 4;
      } else {
        number = load<u32>(old);
        old += 4;
      }
      rasterTriangle(draw, target, number, number);
      const triangle = <usize>load<u32>(draw, DRAW_TRIANGLES) + (<usize>number << TRIANGLE_SHIFT);
      if (<i32>load<i16>(triangle, TRIANGLE_BOTTOM) > bottom) {
        store<u32>(carried, number);
        carried += 4;
      }
    }
    activeCount = (carried - next) >> 2;
    const swap = active;
    active = next;
    next = swap;
    if (vjp == 0) resolveRows(draw, target, top, bottom);
    else contractRows(draw, target, top, bottom, vjp);
  }
}

/** Nothing anywhere in a target, and nothing farther than the far plane to come. */
export function clearTarget(draw: usize, target: usize): void {
  const view = <usize>load<u32>(draw, DRAW_VIEW);
  const rows = <usize>(load<i32>(target, TARGET_BOTTOM) - load<i32>(target, TARGET_TOP));
  const bytes = (rows * <usize>load<i32>(target, TARGET_PITCH) * <usize>load<u32>(draw, DRAW_SAMPLES)) << 2;
  const depth = <usize>load<u32>(target, TARGET_DEPTH);
  memory.fill(load<u32>(target, TARGET_MARKS), 0, bytes);
  const far = load<f32>(view, VIEW_FAR);
  if (!(far > 0)) {
    memory.fill(depth, 0, bytes);
    return;
  }
  const farthest: f32 = 1 / far;
  for (let at: usize = 0; at < bytes; at += 4) store<f32>(depth + at, farthest);
}
