// Gradient of a convolution for its filter: dw[(r, q, i), o] = Σ_pixels x[window(pixel), r, q, i] · dy[pixel, o].
// Rows of a tile are 4 neighbouring floats of a window row, columns are 8 output channels, the sum runs over pixels.
// Only tile rows [first, last) are computed: threads split the rows, which are contiguous in dw, and every sum keeps its
// order.
//
// Scratch, in this order (all multiples of 16 bytes):
//   sums     tiles of the result                 ceil(oc / 8) · (last − first) · 4 · 32, k-major like a panel
//   panels   packed dy of a block of pixels      ceil(oc / 8) · pixels · 32
//   image    one padded image                    when padded, or when `run` is no multiple of 4 (tiles read beyond it)
//   windows  rows of windows of a block          pixels · width · 4, when rows are short
import { align16, needsMargin, SHORT_RUN } from './conv2d';
import { columnsTile } from './microKernel';
import { packPanels, padImage, windowsToRows } from './pack';

/** Pixels of a block: with 8 channels of dy they take 16 KB. */
const PIXEL_BLOCK: i32 = 512;

@inline
function blockLines(ow: i32): i32 {
  return max(1, PIXEL_BLOCK / ow);
}

@inline
function roundUp4(x: i32): i32 {
  return (x + 3) & ~3;
}

@inline
function shortRows(c: i32, kw: i32): bool {
  return kw * c < SHORT_RUN;
}

/** Rows of tiles of the whole gradient; tile row t covers 4 floats of window row t / (tiles of a window row). */
export function conv2dFilterGradientTileRows(c: i32, kh: i32, kw: i32): i32 {
  return shortRows(c, kw) ? (kh * kw * c + 3) >> 2 : kh * ((kw * c + 3) >> 2);
}

/** First row of dw, as a [kh · kw · c, oc] matrix, of tile row `tile`. */
export function conv2dFilterGradientFirstRow(c: i32, kh: i32, kw: i32, tile: i32): i32 {
  if (shortRows(c, kw)) return min(tile << 2, kh * kw * c);
  const perRun = (kw * c + 3) >> 2;
  return (tile / perRun) * kw * c + ((tile % perRun) << 2);
}

export function conv2dFilterGradientScratch(
  h: i32, w: i32, c: i32, kh: i32, kw: i32, oc: i32, oh: i32, ow: i32, sh: i32, sw: i32, top: i32, left: i32,
  first: i32, last: i32,
): usize {
  const groups = (oc + 7) >> 3;
  const pixels = blockLines(ow) * ow;
  const fullH = max((oh - 1) * sh + kh, top + h);
  const fullW = max((ow - 1) * sw + kw, left + w);
  const windows = shortRows(c, kw) ? <usize>(pixels * roundUp4(kh * kw * c)) << 2 : 0;
  return (<usize>(groups * (last - first)) << 7) + (<usize>(groups * pixels) << 5) +
    align16((<usize>(fullH * fullW * c) << 2) + 16) + windows;
}

/**
 * dw[kh, kw, c, oc], rows of tile rows [first, last) only.
 * @param dy [n, oh, ow, oc]
 * @param dw first row of tile row `first`
 */
export function conv2dFilterGradient(
  x: usize, dy: usize, dw: usize, scratch: usize,
  n: i32, h: i32, w: i32, c: i32, kh: i32, kw: i32, oc: i32, oh: i32, ow: i32,
  sh: i32, sw: i32, top: i32, left: i32, first: i32, last: i32,
): void {
  const groups = (oc + 7) >> 3;
  const lay = shortRows(c, kw);
  const run = lay ? kh * kw * c : kw * c;
  const perRun = (run + 3) >> 2;
  const tiles = last - first;
  const lines = blockLines(ow);
  const pixels = lines * ow;
  const panels = scratch + (<usize>(groups * tiles) << 7);
  const image = panels + (<usize>(groups * pixels) << 5);
  // A tile reads 4 floats even where the window row has fewer left: the copy has room for that.
  const copied = needsMargin(h, w, kh, kw, oh, ow, sh, sw, top, left) || (!lay && (run & 3) != 0);
  const fullH = copied ? max((oh - 1) * sh + kh, top + h) : h;
  const fullW = copied ? max((ow - 1) * sw + kw, left + w) : w;
  const windows = image + (copied ? align16((<usize>(fullH * fullW * c) << 2) + 16) : 0);
  const rowBytes = <usize>(fullW * c) << 2;
  const strideX = <usize>(sw * c) << 2;
  const strideY = <usize>sh * rowBytes;

  memory.fill(scratch, 0, <usize>(groups * tiles) << 7);
  for (let i = 0; i < n; i++) {
    let from = x;
    if (copied) {
      padImage(x, h, w, c, top, fullH - h - top, left, fullW - w - left, image);
      from = image;
    }
    for (let y = 0; y < oh; y += lines) {
      const used = min(lines, oh - y);
      const count = used * ow;
      packPanels(dy, count, oc, oc, panels);
      dy += <usize>(count * oc) << 2;
      let a = from + <usize>y * strideY;
      if (lay) {
        windowsToRows(a, rowBytes, kh, kw * c, used, ow, strideY, strideX, perRun << 2, windows);
        a = windows;
      }
      let sums = scratch;
      for (let g = 0; g < groups; g++) {
        const panel = panels + (<usize>(g * count) << 5);
        for (let t = first; t < last; t++) {
          if (lay) {
            columnsTile(a + (<usize>t << 4), count, <usize>perRun << 4, 1, 0, panel, sums, 32);
          } else {
            const at = a + <usize>(t / perRun) * rowBytes + (<usize>(t % perRun) << 4);
            columnsTile(at, ow, strideX, used, strideY - <usize>ow * strideX, panel, sums, 32);
          }
          sums += 128;
        }
      }
    }
    x += <usize>(h * w * c) << 2;
  }

  for (let t = first; t < last; t++) {
    const height = min(4, run - ((t % perRun) << 2));
    for (let r = 0; r < height; r++) {
      for (let g = 0; g < groups; g++) {
        const from = scratch + (<usize>(g * tiles + t - first) << 7) + (<usize>r << 5);
        const width = min(8, oc - (g << 3));
        if (width == 8) {
          v128.store(dw, v128.load(from));
          v128.store(dw, v128.load(from, 16), 16);
        } else {
          for (let o = 0; o < width; o++) store<f32>(dw + (<usize>o << 2), load<f32>(from + (<usize>o << 2)));
        }
        dw += <usize>width << 2;
      }
    }
  }
}
