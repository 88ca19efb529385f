// Batched matrix product with either operand transposed.
//
// Scratch, in this order (all multiples of 16 bytes):
//   panels   packed B of one matrix              panelBytes(k, n)
//   start    bias of each panel                  ceil(n / 8) · 32
//   offsets  u32 per row                         m · 4, A not transposed
//   tile     TILE_BYTES
import { align16 } from './conv2d';
import { columnsTile } from './microKernel';
import { packPanels, packTransposedPanels, panelBytes } from './pack';
import { copyTile, multiplyRows, TILE_BYTES, writeStart } from './rows';

/** Steps of k between which a transposed A's tile goes back to memory: their lines of A stay in the cache. */
const K_BLOCK: i32 = 256;

export function matMulScratch(m: i32, k: i32, n: i32): usize {
  return panelBytes(k, n) + (<usize>((n + 7) >> 3) << 5) + align16(<usize>m << 2) + TILE_BYTES;
}

/**
 * c[batch, m, n] = activation(bias + op(a) · op(b)).
 * @param a [m, k], or [k, lda] of which m columns are used when `transposeA`; `lda` floats between its rows
 * @param b [k, n], or [n, k] when `transposeB`
 * @param strideA, strideB bytes from one matrix of the batch to the next, 0 to use the same one
 * @param bias [n], or 0 for none
 */
export function matMul(
  a: usize, b: usize, bias: usize, c: usize, scratch: usize,
  batch: i32, m: i32, k: i32, n: i32, lda: i32, strideA: usize, strideB: usize,
  transposeA: i32, transposeB: i32, activation: i32,
): void {
  const start = scratch + panelBytes(k, n);
  const offsets = start + (<usize>((n + 7) >> 3) << 5);
  const tile = offsets + align16(<usize>m << 2);
  writeStart(bias, n, start);
  if (!transposeA) for (let i = 0; i < m; i++) store<u32>(offsets + (<usize>i << 2), <u32>(i * lda) << 2);
  for (let i = 0; i < batch; i++) {
    if (i == 0 || strideB) {
      if (transposeB) packTransposedPanels(b, k, n, k, 0, k, scratch);
      else packPanels(b, k, n, n, scratch);
    }
    if (transposeA) multiplyColumns(a, m, k, n, lda, scratch, start, c, tile, activation);
    else multiplyRows(a, offsets, m, k, 1, 0, scratch, start, n, c, <usize>n << 2, tile, activation);
    a += strideA;
    b += strideB;
    c += <usize>(m * n) << 2;
  }
}

/** One product with A transposed, by `columnsTile`; the last columns of A move back so that 4 can be read. */
function multiplyColumns(
  a: usize, m: i32, k: i32, n: i32, lda: i32, panels: usize, start: usize, c: usize, tile: usize, activation: i32,
): void {
  const outStride = <usize>n << 2;
  const step = <usize>lda << 2;
  for (let block = 0; block < k; block += K_BLOCK) {
    const steps = min(K_BLOCK, k - block);
    const lastBlock = block + steps == k;
    for (let o = 0; o < n; o += 8) {
      const width = min(8, n - o);
      const panel = panels + (<usize>((o >> 3) * k + block) << 5);
      const s = start + (<usize>o << 2);
      for (let i = 0; i < m; i += 4) {
        const height = min(4, m - i);
        const to = c + <usize>i * outStride + (<usize>o << 2);
        const from = a + <usize>block * step + (<usize>i << 2);
        for (let r = 0; r < 4; r++) {
          const row = tile + (<usize>r << 5);
          if (block == 0 || r >= height) {
            v128.store(row, v128.load(s));
            v128.store(row, v128.load(s, 16), 16);
          } else {
            copyTile(to + <usize>r * outStride, 1, width, row, 32);
          }
        }
        if (height == 4) columnsTile(from, steps, step, 1, 0, panel, tile, 32);
        else narrowTile(from, height, steps, step, panel, tile);
        if (lastBlock && activation) {
          for (let r = 0; r < 8; r++) {
            const at = tile + (<usize>r << 4);
            let v = f32x4.pmax(v128.load(at), f32x4.splat(0));
            if (activation == 2) v = f32x4.pmin(v, f32x4.splat(6));
            v128.store(at, v);
          }
        }
        if (width == 8 && height == 4) {
          for (let r = 0; r < 4; r++) {
            const row = to + <usize>r * outStride;
            v128.store(row, v128.load(tile + (<usize>r << 5)));
            v128.store(row, v128.load(tile + (<usize>r << 5), 16), 16);
          }
        } else {
          copyTile(tile, height, width, to, outStride);
        }
      }
    }
  }
}

/** `columnsTile` for fewer than 4 rows, reading nothing beyond them. */
function narrowTile(a: usize, height: i32, count: i32, step: usize, b: usize, tile: usize): void {
  for (let r = 0; r < height; r++) {
    const row = tile + (<usize>r << 5);
    let c0 = v128.load(row), c1 = v128.load(row, 16);
    let from = a + (<usize>r << 2), panel = b;
    for (let k = 0; k < count; k++) {
      const s = v128.load32_splat(from);
      c0 = f32x4.add(c0, f32x4.mul(s, v128.load(panel)));
      c1 = f32x4.add(c1, f32x4.mul(s, v128.load(panel, 16)));
      from += step;
      panel += 32;
    }
    v128.store(row, c0);
    v128.store(row, c1, 16);
  }
}
