/** Products of matrices in double precision, for what single precision would lose (covariances). */

/** Rows and columns of the tile that is summed in registers, and entries of the rows that are read at a time. */
const TILE = 4;
const DEPTH = 2048;

/**
 * Inner products of all rows of `a` with all rows of `b`, added to `out`: out += a bᵀ.
 * @param a float64 [n, length]
 * @param b float64 [m, length]; with `b === a` only the lower triangle of `out` is computed
 * @param out float64 [n, m]
 */
export function addRowProducts(
  a: Float64Array,
  n: number,
  b: Float64Array,
  m: number,
  length: number,
  out: Float64Array,
): void {
  for (let from = 0; from < length; from += DEPTH) {
    const to = Math.min(length, from + DEPTH);
    for (let i = 0; i < n; i += TILE) {
      const columns = a === b ? Math.min(m, i + TILE) : m;
      for (let j = 0; j < columns; j += TILE) {
        if (i + TILE <= n && j + TILE <= m) addTile(a, b, i, j, m, length, from, to, out);
        else addEdge(a, n, b, m, i, j, length, from, to, out);
      }
    }
  }
}

/** 4 × 4 inner products at once: each number that is read serves four of them. */
function addTile(
  a: Float64Array,
  b: Float64Array,
  i: number,
  j: number,
  m: number,
  length: number,
  from: number,
  to: number,
  out: Float64Array,
): void {
  const [a0, a1, a2, a3] = [i * length, (i + 1) * length, (i + 2) * length, (i + 3) * length];
  const [b0, b1, b2, b3] = [j * length, (j + 1) * length, (j + 2) * length, (j + 3) * length];
  let [s00, s01, s02, s03, s10, s11, s12, s13] = [0, 0, 0, 0, 0, 0, 0, 0];
  let [s20, s21, s22, s23, s30, s31, s32, s33] = [0, 0, 0, 0, 0, 0, 0, 0];
  for (let k = from; k < to; k++) {
    const x0 = b[b0 + k];
    const x1 = b[b1 + k];
    const x2 = b[b2 + k];
    const x3 = b[b3 + k];
    let y = a[a0 + k];
    s00 += y * x0;
    s01 += y * x1;
    s02 += y * x2;
    s03 += y * x3;
    y = a[a1 + k];
    s10 += y * x0;
    s11 += y * x1;
    s12 += y * x2;
    s13 += y * x3;
    y = a[a2 + k];
    s20 += y * x0;
    s21 += y * x1;
    s22 += y * x2;
    s23 += y * x3;
    y = a[a3 + k];
    s30 += y * x0;
    s31 += y * x1;
    s32 += y * x2;
    s33 += y * x3;
  }
  let at = i * m + j;
  out[at] += s00;
  out[at + 1] += s01;
  out[at + 2] += s02;
  out[at + 3] += s03;
  at += m;
  out[at] += s10;
  out[at + 1] += s11;
  out[at + 2] += s12;
  out[at + 3] += s13;
  at += m;
  out[at] += s20;
  out[at + 1] += s21;
  out[at + 2] += s22;
  out[at + 3] += s23;
  at += m;
  out[at] += s30;
  out[at + 1] += s31;
  out[at + 2] += s32;
  out[at + 3] += s33;
}

/** What is left of a tile at the border, one by one. */
function addEdge(
  a: Float64Array,
  n: number,
  b: Float64Array,
  m: number,
  i: number,
  j: number,
  length: number,
  from: number,
  to: number,
  out: Float64Array,
): void {
  for (let r = i; r < Math.min(n, i + TILE); r++) {
    for (let c = j; c < Math.min(m, j + TILE); c++) {
      let sum = 0;
      for (let k = from; k < to; k++) sum += a[r * length + k] * b[c * length + k];
      out[r * m + c] += sum;
    }
  }
}

/**
 * Rows R with RᵀR = Σ, by Cholesky's method with the largest remaining variance first (Higham, "Accuracy and Stability
 * of Numerical Algorithms", §10.3). It ends when what remains is rounding, so that Σ may be singular.
 * @param covariance float64 [n, n], symmetric and positive semi-definite; the lower triangle is read
 * @returns rows float64 [rank, n]
 */
export function choleskyRows(covariance: Float64Array, n: number): { rows: Float64Array; rank: number } {
  const rows = new Float64Array(n * n);
  const left = Float64Array.from({ length: n }, (_, i) => covariance[i * n + i]);
  const negligible = n * Number.EPSILON * left.reduce((largest, value) => Math.max(largest, value), 0);
  let rank = 0;
  for (; rank < n; rank++) {
    let pivot = 0;
    for (let i = 1; i < n; i++) if (left[i] > left[pivot]) pivot = i;
    if (!(left[pivot] > negligible)) break;
    const row = rows.subarray(rank * n, rank * n + n);
    for (let i = 0; i < n; i++) row[i] = i < pivot ? covariance[pivot * n + i] : covariance[i * n + pivot];
    for (let k = 0; k < rank; k++) {
      const [weight, from] = [rows[k * n + pivot], k * n];
      for (let i = 0; i < n; i++) row[i] -= weight * rows[from + i];
    }
    const scale = 1 / Math.sqrt(left[pivot]);
    for (let i = 0; i < n; i++) {
      row[i] *= scale;
      left[i] -= row[i] * row[i];
    }
    left[pivot] = 0;
  }
  return { rows: rows.subarray(0, rank * n), rank };
}
