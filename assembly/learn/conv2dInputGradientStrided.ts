// Gradient of a convolution for its input at any stride, and for few input channels (where tiles of 8 columns over the
// channels would be mostly empty): columns = dy · filterᵀ for some lines of output pixels, then each pixel's kh · kw · c
// columns are added to its window.
//
// Scratch, in this order (all multiples of 16 bytes):
//   panels   packed filterᵀ                      panelBytes(oc, kh·kw·c)
//   start    zeros of each panel                 ceil(kh·kw·c / 8) · 32
//   offsets  u32 per pixel of a block            LINE_BLOCK pixels or one line · 4
//   tile     TILE_BYTES
//   columns  of a block                          pixels · kh·kw·c · 4
//   image    one gradient image with margins     fullH · fullW · c · 4
import { align16 } from './conv2d';
import { packTransposedPanels, panelBytes } from './pack';
import { multiplyRows, TILE_BYTES, writeStart } from './rows';

/** Output pixels of a block: their columns should stay in the second-level cache. */
const PIXEL_BLOCK: i32 = 128;

@inline
function blockLines(ow: i32): i32 {
  return max(1, PIXEL_BLOCK / ow);
}

export function conv2dInputGradientStridedScratch(
  h: i32, w: i32, c: i32, kh: i32, kw: i32, oc: i32, oh: i32, ow: i32, sh: i32, sw: i32, top: i32, left: i32,
): usize {
  const k = kh * kw * c;
  const pixels = blockLines(ow) * ow;
  const fullH = max((oh - 1) * sh + kh, top + h);
  const fullW = max((ow - 1) * sw + kw, left + w);
  return panelBytes(oc, k) + (<usize>((k + 7) >> 3) << 5) + align16(<usize>pixels << 2) + TILE_BYTES +
    align16(<usize>(pixels * k) << 2) + align16(<usize>(fullH * fullW * c) << 2);
}

/** dx[n, h, w, c] from dy[n, oh, ow, oc] and filter[kh, kw, c, oc]. */
export function conv2dInputGradientStrided(
  dy: usize, filter: usize, dx: usize, scratch: usize,
  n: i32, h: i32, w: i32, c: i32, kh: i32, kw: i32, oc: i32, oh: i32, ow: i32,
  sh: i32, sw: i32, top: i32, left: i32,
): void {
  const k = kh * kw * c;
  const run = kw * c;
  const lines = blockLines(ow);
  const pixels = lines * ow;
  const fullH = max((oh - 1) * sh + kh, top + h);
  const fullW = max((ow - 1) * sw + kw, left + w);
  const start = scratch + panelBytes(oc, k);
  const offsets = start + (<usize>((k + 7) >> 3) << 5);
  const tile = offsets + align16(<usize>pixels << 2);
  const columns = tile + TILE_BYTES;
  const image = columns + align16(<usize>(pixels * k) << 2);
  const rowBytes = <usize>(fullW * c) << 2;

  packTransposedPanels(filter, oc, k, oc, 0, oc, scratch);
  writeStart(0, k, start);
  for (let m = 0; m < pixels; m++) store<u32>(offsets + (<usize>m << 2), <u32>(m * oc) << 2);

  for (let i = 0; i < n; i++) {
    memory.fill(image, 0, <usize>fullH * rowBytes);
    for (let y = 0; y < oh; y += lines) {
      const last = min(y + lines, oh);
      multiplyRows(dy, offsets, (last - y) * ow, oc, 1, 0, scratch, start, k, columns, <usize>k << 2, tile, 0);
      dy += <usize>((last - y) * ow * oc) << 2;
      let from = columns;
      for (let oy = y; oy < last; oy++) {
        let window = image + <usize>(oy * sh) * rowBytes;
        for (let ox = 0; ox < ow; ox++) {
          let line = window;
          for (let r = 0; r < kh; r++) {
            addFloats(line, from, run);
            from += <usize>run << 2;
            line += rowBytes;
          }
          window += <usize>(sw * c) << 2;
        }
      }
    }
    // Without the margins.
    let line = image + <usize>top * rowBytes + (<usize>(left * c) << 2);
    for (let y = 0; y < h; y++) {
      memory.copy(dx, line, <usize>(w * c) << 2);
      dx += <usize>(w * c) << 2;
      line += rowBytes;
    }
  }
}

/** to[i] += from[i]. */
@inline
export function addFloats(to: usize, from: usize, count: i32): void {
  let i = 0;
  for (; i + 4 <= count; i += 4) {
    const at = <usize>i << 2;
    v128.store(to + at, f32x4.add(v128.load(to + at), v128.load(from + at)));
  }
  for (; i < count; i++) {
    const at = <usize>i << 2;
    store<f32>(to + at, load<f32>(to + at) + load<f32>(from + at));
  }
}
