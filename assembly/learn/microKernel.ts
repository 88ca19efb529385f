// The two inner loops behind every convolution and matrix product: a tile of 4 rows × 8 columns of
//   C[r][c] = start[c] + Σ_k A[r][k] · B[k][c]
// B is packed (pack.ts): for each k, 8 consecutive floats. The tile lives in 8 vectors; with 2 of B, 1 broadcast and
// 1 product that is 12 live vectors, below the 14 from which V8 spills. Each C is summed over k in order, so its bits do
// not depend on where a tile begins nor on which thread computes it. The loops are not unrolled on purpose: V8 schedules
// the loads of an unrolled body early and spills (measured, of a 36 GF/s ceiling: 33 not unrolled, 26 by 2, 25 by 4).
//
//            B panel (8 columns)                    A, `rowsTile`: each row is `runs` stretches of `run` floats, which
//            ┌────┬────┐                            is a row of a matrix (runs = 1) or a window of an image without a
//   k ↓      │ b0 │ b1 │  v128 each                 copy (runs = filter height, run = filter width × channels).
//        ┌─┐ ├────┼────┤                            A, `columnsTile`: 4 neighbouring floats per k, which is a transposed
//   row 0│a│ │c00 │c01 │                            matrix or, in a filter's gradient, 4 inputs of a window.
//   row 1│a│ │c10 │c11 │
//   row 2│a│ │c20 │c21 │
//   row 3│a│ │c30 │c31 │
//        └─┘ └────┴────┘

/** Activation codes of the epilogue, as src/learn/kernels/activation.ts numbers them. */
export const LINEAR: i32 = 0;
export const RELU: i32 = 1;
export const RELU6: i32 = 2;

@inline
function activate(value: v128, activation: i32): v128 {
  if (activation == LINEAR) return value;
  // pmax(a, b) = a < b ? b : a keeps NaN, as tfjs does.
  value = f32x4.pmax(value, f32x4.splat(0));
  return activation == RELU6 ? f32x4.pmin(value, f32x4.splat(6)) : value;
}

/**
 * @param a0 … a3 first float of each row
 * @param run floats in one stretch; `runs` stretches; `jump` bytes from the end of one to the start of the next
 * @param b packed panel, run · runs × 8 floats
 * @param start 8 floats to begin with (the bias)
 * @param out first float of the tile; rows are `outStride` bytes apart
 */
export function rowsTile(
  a0: usize, a1: usize, a2: usize, a3: usize,
  run: i32, runs: i32, jump: usize,
  b: usize, start: usize, out: usize, outStride: usize, activation: i32,
): void {
  let c00 = v128.load(start), c01 = v128.load(start, 16);
  let c10 = c00, c11 = c01, c20 = c00, c21 = c01, c30 = c00, c31 = c01;
  
  do {
    const end = a0 + (<usize>run << 2);
    while (a0 < end) {
      const b0 = v128.load(b), b1 = v128.load(b, 16);
      let a = v128.load32_splat(a0);
      c00 = f32x4.add(c00, f32x4.mul(a, b0));
      c01 = f32x4.add(c01, f32x4.mul(a, b1));
      a = v128.load32_splat(a1);
      c10 = f32x4.add(c10, f32x4.mul(a, b0));
      c11 = f32x4.add(c11, f32x4.mul(a, b1));
      a = v128.load32_splat(a2);
      c20 = f32x4.add(c20, f32x4.mul(a, b0));
      c21 = f32x4.add(c21, f32x4.mul(a, b1));
      a = v128.load32_splat(a3);
      c30 = f32x4.add(c30, f32x4.mul(a, b0));
      c31 = f32x4.add(c31, f32x4.mul(a, b1));
      a0 += 4;
      a1 += 4;
      a2 += 4;
      a3 += 4;
      b += 32;
    }
    a0 += jump;
    a1 += jump;
    a2 += jump;
    a3 += jump;
  } while (--runs > 0);
  v128.store(out, activate(c00, activation));
  v128.store(out, activate(c01, activation), 16);
  out += outStride;
  v128.store(out, activate(c10, activation));
  v128.store(out, activate(c11, activation), 16);
  out += outStride;
  v128.store(out, activate(c20, activation));
  v128.store(out, activate(c21, activation), 16);
  out += outStride;
  v128.store(out, activate(c30, activation));
  v128.store(out, activate(c31, activation), 16);
}

/**
 * Adds to the tile in place.
 * @param a first of 4 neighbouring floats of k = 0
 * @param count k steps in one line, `step` bytes apart; `lines` lines; `jump` bytes from a line's end to the next start
 * @param b packed panel, count · lines × 8 floats
 * @param out first float of the tile, which holds what the sum begins with; rows are `outStride` bytes apart
 */
export function columnsTile(
  a: usize, count: i32, step: usize, lines: i32, jump: usize,
  b: usize, out: usize, outStride: usize,
): void {
  const o1 = out + outStride, o2 = o1 + outStride, o3 = o2 + outStride;
  let c00 = v128.load(out), c01 = v128.load(out, 16);
  let c10 = v128.load(o1), c11 = v128.load(o1, 16);
  let c20 = v128.load(o2), c21 = v128.load(o2, 16);
  let c30 = v128.load(o3), c31 = v128.load(o3, 16);
  do {
    let k = count;
    do {
      const b0 = v128.load(b), b1 = v128.load(b, 16);
      let s = v128.load32_splat(a);
      c00 = f32x4.add(c00, f32x4.mul(s, b0));
      c01 = f32x4.add(c01, f32x4.mul(s, b1));
      s = v128.load32_splat(a, 4);
      c10 = f32x4.add(c10, f32x4.mul(s, b0));
      c11 = f32x4.add(c11, f32x4.mul(s, b1));
      s = v128.load32_splat(a, 8);
      c20 = f32x4.add(c20, f32x4.mul(s, b0));
      c21 = f32x4.add(c21, f32x4.mul(s, b1));
      s = v128.load32_splat(a, 12);
      c30 = f32x4.add(c30, f32x4.mul(s, b0));
      c31 = f32x4.add(c31, f32x4.mul(s, b1));
      a += step;
      b += 32;
    } while (--k > 0);
    a += jump;
  } while (--lines > 0);
  v128.store(out, c00);
  v128.store(out, c01, 16);
  v128.store(o1, c10);
  v128.store(o1, c11, 16);
  v128.store(o2, c20);
  v128.store(o2, c21, 16);
  v128.store(o3, c30);
  v128.store(o3, c31, 16);
}
