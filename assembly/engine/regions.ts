/** Where each node is seen: counts, boxes and sums of the pixels in an instance buffer, in one pass over its runs. */
import {
  CALL_HEIGHT, CALL_NODE_COUNT, CALL_WIDTH, REGION_BOTTOM, REGION_BYTES, REGION_LEFT, REGION_PIXELS, REGION_RIGHT,
  REGION_SUM_X, REGION_SUM_Y, REGION_TOP,
} from './layout';

/**
 * Writes a region record for every node of the scene that `renderScene` drew last with this call record.
 * @param call its scratch memory
 * @param instances u16 [H, W] that it wrote
 * @param regions region records [V], 8-byte aligned
 */
export function findRegions(call: usize, instances: usize, regions: usize): void {
  const width = load<i32>(call, CALL_WIDTH);
  const height = load<i32>(call, CALL_HEIGHT);
  memory.fill(regions, 0, <usize>load<u32>(call, CALL_NODE_COUNT) * REGION_BYTES);
  let row = instances;
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; ) {
      const id = load<u16>(row + (<usize>x << 1));
      const from = x;
      x = runEnd(row, x, width, id);
      if (id != 0) addRun(regions + <usize>(id - 1) * REGION_BYTES, y, from, x);
    }
    row += <usize>width << 1;
  }
}

/** The first pixel of the row from `x` on with another id, `width` where there is none. */
// @ts-ignore: decorator
@inline
function runEnd(row: usize, x: i32, width: i32, id: u16): i32 {
  let at = x;
  if (ASC_FEATURE_SIMD) {
    const ids = i16x8.splat(id);
    for (; at + 8 <= width; at += 8) {
      const same = i16x8.bitmask(i16x8.eq(v128.load(row + (<usize>at << 1)), ids));
      if (same != 0xff) return at + ctz<i32>(~same);
    }
  }
  while (at < width && load<u16>(row + (<usize>at << 1)) == id) at++;
  return at;
}

/** Adds the pixels [from, to) of row `y`; rows come from the top. */
// @ts-ignore: decorator
@inline
function addRun(region: usize, y: i32, from: i32, to: i32): void {
  const before = load<f64>(region, REGION_PIXELS);
  const length = to - from;
  const left = <f64>from;
  const right = <f64>to;
  store<f64>(region, before + <f64>length, REGION_PIXELS);
  if (before == 0) {
    store<f64>(region, left, REGION_LEFT);
    store<f64>(region, <f64>y, REGION_TOP);
    store<f64>(region, right, REGION_RIGHT);
  } else {
    store<f64>(region, min(left, load<f64>(region, REGION_LEFT)), REGION_LEFT);
    store<f64>(region, max(right, load<f64>(region, REGION_RIGHT)), REGION_RIGHT);
  }
  store<f64>(region, <f64>(y + 1), REGION_BOTTOM);
  // The sum of from … to − 1 is an integer.
  store<f64>(region, load<f64>(region, REGION_SUM_X) + <f64>((<i64>from + to - 1) * length) * 0.5, REGION_SUM_X);
  store<f64>(region, load<f64>(region, REGION_SUM_Y) + <f64>(<i64>y * length), REGION_SUM_Y);
}
