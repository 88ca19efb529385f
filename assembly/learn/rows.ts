// out[M × N] = activation(start + A · B) with `rowsTile`, where row m of A begins at `a + offsets[m]`.
import { rowsTile } from './microKernel';

/** Rows of A that stay in the first-level cache while all panels of B pass by. A multiple of 4. */
const ROW_BLOCK: i32 = 64;

/** Bytes of the tile that takes what does not fit the output. */
export const TILE_BYTES: usize = 128;

/**
 * @param offsets `count` unsigned bytes offsets of rows from `a`
 * @param run, runs, jump see rowsTile
 * @param panels B packed, ceil(n / 8) panels of run · runs × 8
 * @param start 8 floats for each panel
 * @param out row-major, n columns; rows `outStride` bytes apart
 * @param tile TILE_BYTES of scratch
 */
export function multiplyRows(
  a: usize, offsets: usize, count: i32, run: i32, runs: i32, jump: usize,
  panels: usize, start: usize, n: i32, out: usize, outStride: usize, tile: usize, activation: i32,
): void {
  const panel = <usize>(run * runs) << 5;
  for (let block = 0; block < count; block += ROW_BLOCK) {
    const last = min(block + ROW_BLOCK, count);
    let b = panels;
    let s = start;
    for (let c = 0; c < n; c += 8) {
      const width = min(8, n - c);
      for (let m = block; m < last; m += 4) {
        const height = min(4, last - m);
        const at = offsets + (<usize>m << 2);
        const a0 = a + <usize>load<u32>(at);
        const to = out + <usize>m * outStride + (<usize>c << 2);
        if (height == 4) {
          const a1 = a + <usize>load<u32>(at, 4);
          const a2 = a + <usize>load<u32>(at, 8);
          const a3 = a + <usize>load<u32>(at, 12);
          if (width == 8) {
            rowsTile(a0, a1, a2, a3, run, runs, jump, b, s, to, outStride, activation);
            continue;
          }
          rowsTile(a0, a1, a2, a3, run, runs, jump, b, s, tile, 32, activation);
        } else {
          // Rows that do not exist repeat the first.
          const a1 = height > 1 ? a + <usize>load<u32>(at, 4) : a0;
          const a2 = height > 2 ? a + <usize>load<u32>(at, 8) : a0;
          rowsTile(a0, a1, a2, a0, run, runs, jump, b, s, tile, 32, activation);
        }
        copyTile(tile, height, width, to, outStride);
      }
      b += panel;
      s += 32;
    }
  }
}

/** Copies the first `height` × `width` floats of a 4 × 8 tile. */
export function copyTile(tile: usize, height: i32, width: i32, out: usize, outStride: usize): void {
  for (let r = 0; r < height; r++) {
    for (let c = 0; c < width; c++) store<f32>(out + (<usize>c << 2), load<f32>(tile + (<usize>c << 2)));
    tile += 32;
    out += outStride;
  }
}

/** Writes what each panel's sums begin with: the bias, or zeros where `bias` is 0 and beyond column n. */
export function writeStart(bias: usize, n: i32, out: usize): void {
  memory.fill(out, 0, <usize>((n + 7) >> 3) << 5);
  if (bias) memory.copy(out, bias, <usize>n << 2);
}
