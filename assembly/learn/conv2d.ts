// Convolution without an im2col matrix. In NHWC a window's row is `kw · c` contiguous floats, so `rowsTile` reads windows
// where they are: `kh` stretches, one image row apart. Images with margins are padded one at a time into scratch; windows
// with short rows (few channels) are laid out per image, which costs little as they are small.
//
// Scratch, in this order (all multiples of 16 bytes):
//   panels   packed filter                       panelBytes(kh·kw·c, oc)
//   start    bias of each panel                  ceil(oc / 8) · 32
//   offsets  u32 per output pixel                oh·ow·4
//   tile     TILE_BYTES
//   image    one padded image                    ((oh−1)·sh + kh) · ((ow−1)·sw + kw) · c · 4, when padded
//   windows  rows of windows                     oh·ow · kh·kw·c · 4, when rows are short
import { packPanels, packTransposedPanels, padImage, panelBytes, windowsToRows } from './pack';
import { multiplyRows, TILE_BYTES, writeStart } from './rows';

/** Below this many floats per window row the loop of `rowsTile` starts too often. */
export const SHORT_RUN: i32 = 16;

@inline
export function align16(bytes: usize): usize {
  return (bytes + 15) & ~15;
}

/** Whether the windows reach outside the image. */
@inline
export function needsMargin(
  h: i32, w: i32, kh: i32, kw: i32, oh: i32, ow: i32, sh: i32, sw: i32, top: i32, left: i32,
): bool {
  return top > 0 || left > 0 || (oh - 1) * sh + kh > h || (ow - 1) * sw + kw > w;
}

@inline
function shortRows(c: i32, kh: i32, kw: i32): bool {
  return kw * c < SHORT_RUN && kh > 1;
}

/** Scratch bytes of `conv2d` and, with the roles of input and output exchanged, of its input gradient at stride 1. */
export function conv2dScratch(
  h: i32, w: i32, c: i32, kh: i32, kw: i32, oc: i32, oh: i32, ow: i32, sh: i32, sw: i32, top: i32, left: i32,
): usize {
  const k = kh * kw * c;
  let bytes = panelBytes(k, oc) + (<usize>((oc + 7) >> 3) << 5) + align16(<usize>(oh * ow) << 2) + TILE_BYTES;
  if (needsMargin(h, w, kh, kw, oh, ow, sh, sw, top, left)) {
    bytes += align16(<usize>((max((oh - 1) * sh + kh, top + h)) * max((ow - 1) * sw + kw, left + w) * c) << 2);
  }
  if (shortRows(c, kh, kw)) bytes += align16(<usize>(oh * ow * k) << 2);
  return bytes;
}

/**
 * y[n, oh, ow, oc] = activation(bias + x ⋆ filter), NHWC, dilation 1.
 * @param bias [oc], or 0 for none
 * @param scratch conv2dScratch() bytes
 */
export function conv2d(
  x: usize, filter: usize, bias: usize, y: usize, scratch: usize,
  n: i32, h: i32, w: i32, c: i32, kh: i32, kw: i32, oc: i32, oh: i32, ow: i32,
  sh: i32, sw: i32, top: i32, left: i32, activation: i32,
): void {
  const k = kh * kw * c;
  packPanels(filter, k, oc, oc, scratch);
  convolve(x, bias, y, scratch, n, h, w, c, kh, kw, oc, oh, ow, sh, sw, top, left, activation);
}

/**
 * Gradient of a stride-1 convolution for its input: the convolution of dy, with margins, by the filter turned by 180°
 * with its channel axes exchanged.
 * @param filter [kh, kw, c, oc] of the forward convolution whose input is [n, h, w, c] and output [n, oh, ow, oc]
 * @param scratch conv2dScratch(oh, ow, oc, kh, kw, c, h, w, 1, 1, kh−1−top, kw−1−left) bytes
 */
export function conv2dInputGradient(
  dy: usize, filter: usize, dx: usize, scratch: usize,
  n: i32, h: i32, w: i32, c: i32, kh: i32, kw: i32, oc: i32, oh: i32, ow: i32, top: i32, left: i32,
): void {
  const taps = kh * kw;
  for (let t = 0; t < taps; t++) {
    packTransposedPanels(filter + (<usize>((taps - 1 - t) * c * oc) << 2), oc, c, oc, t * oc, taps * oc, scratch);
  }
  convolve(dy, 0, dx, scratch, n, oh, ow, oc, kh, kw, c, h, w, 1, 1, kh - 1 - top, kw - 1 - left, 0);
}

/** The convolution once the panels stand at the beginning of scratch. */
function convolve(
  x: usize, bias: usize, y: usize, scratch: usize,
  n: i32, h: i32, w: i32, c: i32, kh: i32, kw: i32, oc: i32, oh: i32, ow: i32,
  sh: i32, sw: i32, top: i32, left: i32, activation: i32,
): void {
  const k = kh * kw * c;
  const pixels = oh * ow;
  const start = scratch + panelBytes(k, oc);
  const offsets = start + (<usize>((oc + 7) >> 3) << 5);
  const tile = offsets + align16(<usize>pixels << 2);
  const image = tile + TILE_BYTES;
  const margin = needsMargin(h, w, kh, kw, oh, ow, sh, sw, top, left);
  const fullH = margin ? max((oh - 1) * sh + kh, top + h) : h;
  const fullW = margin ? max((ow - 1) * sw + kw, left + w) : w;
  const windows = margin ? image + align16(<usize>(fullH * fullW * c) << 2) : image;
  const lay = shortRows(c, kh, kw);
  const rowBytes = <usize>(fullW * c) << 2;
  const strideX = <usize>(sw * c) << 2;

  writeStart(bias, oc, start);
  for (let oy = 0, m = 0; oy < oh; oy++) {
    for (let ox = 0; ox < ow; ox++, m++) {
      const offset = lay ? <usize>(m * k) << 2 : <usize>(oy * sh) * rowBytes + <usize>ox * strideX;
      store<u32>(offsets + (<usize>m << 2), <u32>offset);
    }
  }
  const run = lay ? k : kw * c;
  const runs = lay ? 1 : kh;
  const jump: usize = lay ? 0 : rowBytes - (<usize>run << 2);
  for (let i = 0; i < n; i++) {
    let from = x;
    if (margin) {
      padImage(x, h, w, c, top, fullH - h - top, left, fullW - w - left, image);
      from = image;
    }
    if (lay) {
      windowsToRows(from, rowBytes, kh, kw * c, oh, ow, <usize>sh * rowBytes, strideX, k, windows);
      from = windows;
    }
    multiplyRows(from, offsets, pixels, run, runs, jump, scratch, start, oc, y, <usize>oc << 2, tile, activation);
    x += <usize>(h * w * c) << 2;
    y += <usize>(pixels * oc) << 2;
  }
}
