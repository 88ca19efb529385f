// Strokes: anti-aliased capsules drawn as ink, for the procedural digits.
//
// Segment record, 20 bytes, written by the host (src/assets/strokeRasteriser.ts), read here, lives for one call:
//   offset  type  meaning                              unit
//        0  f32   x of the first end                   px, pixel (i, j) is centred at (i + ½, j + ½)
//        4  f32   y of the first end                   px, downwards
//        8  f32   x of the second end                  px
//       12  f32   y of the second end                  px
//       16  f32   radius of the round pen              px, ≥ 0
//
// Output: one byte a pixel, row-major, written by the kernel. A pixel's ink is 255 times a ramp on its centre's distance
// to the nearest segment: 1 inside, 0 outside, one pixel wide across the outline. Overlapping strokes take the
// maximum, so a line that crosses itself does not get darker.
// Only +, −, ×, ÷, √ in f32: the same bytes on every machine.

export const STROKE_SEGMENT_BYTES: i32 = 20;

// @ts-ignore: decorator
@inline
const X0: usize = 0;
// @ts-ignore: decorator
@inline
const Y0: usize = 4;
// @ts-ignore: decorator
@inline
const X1: usize = 8;
// @ts-ignore: decorator
@inline
const Y1: usize = 12;
// @ts-ignore: decorator
@inline
const RADIUS: usize = 16;

/** First byte behind the module's static data: where a host with a memory of its own may put its records. */
export function strokeScratchStart(): usize {
  return (__heap_base + 15) & ~15;
}

/**
 * Draws `count` segments into `width` × `height` bytes at `out`, which need not be cleared before.
 * @param segments pointer to `count` segment records, 4-byte aligned
 */
export function rasteriseStrokes(segments: usize, count: i32, width: i32, height: i32, out: usize): void {
  memory.fill(out, 0, <usize>(width * height));
  for (let i = 0; i < count; i++) {
    drawSegment(segments + <usize>i * <usize>STROKE_SEGMENT_BYTES, width, height, out);
  }
}

function drawSegment(segment: usize, width: i32, height: i32, out: usize): void {
  const ax = load<f32>(segment, X0);
  const ay = load<f32>(segment, Y0);
  const bx = load<f32>(segment, X1);
  const by = load<f32>(segment, Y1);
  const radius = load<f32>(segment, RADIUS);
  const dx = bx - ax;
  const dy = by - ay;
  const squared = dx * dx + dy * dy;
  // A segment of length zero is a dot: its only point is the first end.
  const inverse: f32 = squared > 0 ? <f32>1 / squared : 0;
  const reach = radius + <f32>1;
  const left = max<i32>(0, <i32>floor(min(ax, bx) - reach));
  const right = min<i32>(width - 1, <i32>ceil(max(ax, bx) + reach));
  const top = max<i32>(0, <i32>floor(min(ay, by) - reach));
  const bottom = min<i32>(height - 1, <i32>ceil(max(ay, by) + reach));
  for (let y = top; y <= bottom; y++) {
    const py = <f32>y + <f32>0.5 - ay;
    for (let x = left; x <= right; x++) {
      const px = <f32>x + <f32>0.5 - ax;
      const t = min<f32>(1, max<f32>(0, (px * dx + py * dy) * inverse));
      const ex = px - t * dx;
      const ey = py - t * dy;
      const coverage = min<f32>(1, max<f32>(0, radius + <f32>0.5 - sqrt<f32>(ex * ex + ey * ey)));
      const ink = <i32>(coverage * <f32>255 + <f32>0.5);
      const pixel = out + <usize>(y * width + x);
      if (ink > <i32>load<u8>(pixel)) store<u8>(pixel, <u8>ink);
    }
  }
}
