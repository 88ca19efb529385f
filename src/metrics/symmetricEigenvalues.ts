/**
 * Eigenvalues of a real symmetric matrix in double precision: Householder reduction to tridiagonal form, then QL steps
 * with implicit shifts (Golub and Van Loan, "Matrix Computations", §8.3). Backward stable: each value is off by a few
 * roundings of the largest.
 */
import { ShapeError } from '../errors.js';

const MAX_STEPS = 60;
/** What stands beside the diagonal counts as 0 below this, for a matrix whose largest entry is 1. */
const NEGLIGIBLE = Number.EPSILON * 1e-3;

/**
 * @param matrix float64 [n, n], row by row; only its lower triangle is read, and it is overwritten
 * @returns [n], ascending
 * @throws ShapeError when the length is not n² or a number is not finite
 */
export function symmetricEigenvalues(matrix: Float64Array, n: number): Float64Array {
  if (matrix.length !== n * n) {
    throw new ShapeError(`Expected ${n} × ${n} numbers for the matrix but received ${matrix.length}`);
  }
  let largest = 0;
  for (const value of matrix) largest = Math.max(largest, Math.abs(value));
  if (!Number.isFinite(largest)) throw new ShapeError('Expected finite numbers in the matrix but received others');
  if (largest === 0) return new Float64Array(n);
  // Scaled, so that squares neither overflow nor vanish.
  for (let i = 0; i < matrix.length; i++) matrix[i] /= largest;
  const { diagonal, below } = tridiagonal(matrix, n);
  implicitQl(diagonal, below);
  return diagonal.map((value) => value * largest).sort();
}

/**
 * An orthogonally similar tridiagonal matrix. Reflections clear the rows from the last to the third; each reads and
 * writes rows of the lower triangle from left to right, in the order in which they lie in memory.
 * @returns its diagonal [n] and what stands below it: `below[i]` in row i, column i − 1
 */
function tridiagonal(matrix: Float64Array, n: number): { diagonal: Float64Array; below: Float64Array } {
  const below = new Float64Array(n);
  const p = new Float64Array(n);
  for (let i = n - 1; i >= 1; i--) {
    // v: the row left of the diagonal, its last entry changed so that I − v vᵀ/h reflects the row onto that entry.
    const v = matrix.subarray(i * n, i * n + i);
    let square = 0;
    for (let k = 0; k < i - 1; k++) square += v[k] * v[k];
    const last = v[i - 1];
    below[i] = last;
    if (square === 0) continue;
    const norm = Math.sqrt(square + last * last);
    below[i] = last > 0 ? -norm : norm;
    const h = norm * (norm + Math.abs(last));
    v[i - 1] = last - below[i];
    multiplySymmetric(matrix, n, i, v, p);
    let vp = 0;
    for (let k = 0; k < i; k++) vp += v[k] * p[k];
    const half = vp / (2 * h * h);
    for (let k = 0; k < i; k++) p[k] = p[k] / h - half * v[k];
    for (let r = 0; r < i; r++) {
      const [vr, pr, row] = [v[r], p[r], r * n];
      for (let c = 0; c <= r; c++) matrix[row + c] -= vr * p[c] + pr * v[c];
    }
  }
  return { diagonal: Float64Array.from({ length: n }, (_, i) => matrix[i * n + i]), below };
}

/** p = A v for the leading m × m part of a symmetric matrix of which the lower triangle is there. */
function multiplySymmetric(matrix: Float64Array, n: number, m: number, v: Float64Array, p: Float64Array): void {
  p.fill(0, 0, m);
  for (let r = 0; r < m; r++) {
    const [vr, row] = [v[r], r * n];
    let sum = 0;
    for (let c = 0; c < r; c++) {
      const a = matrix[row + c];
      sum += a * v[c];
      p[c] += a * vr;
    }
    p[r] += sum + matrix[row + r] * vr;
  }
}

/** Turns the diagonal of a tridiagonal matrix into its eigenvalues, in no order. */
function implicitQl(d: Float64Array, below: Float64Array): void {
  const n = d.length;
  // e[i] stands between d[i] and d[i + 1].
  const e = new Float64Array(n);
  e.set(below.subarray(1));
  for (let l = 0; l < n; l++) {
    for (let step = 0; ; step++) {
      let m = l;
      while (m < n - 1 && Math.abs(e[m]) > Number.EPSILON * (Math.abs(d[m]) + Math.abs(d[m + 1])) + NEGLIGIBLE) m++;
      if (m === l) break;
      // Convergence is cubic; a finite matrix needs two or three steps a value.
      if (step === MAX_STEPS) throw new ShapeError(`Expected eigenvalues after ${MAX_STEPS} steps but received none`);
      qlStep(d, e, l, m);
    }
  }
}

/** One QL step on rows l … m with Wilkinson's shift: rotations chase the bulge from the bottom to the top. */
function qlStep(d: Float64Array, e: Float64Array, l: number, m: number): void {
  const slope = (d[l + 1] - d[l]) / (2 * e[l]);
  const root = Math.hypot(slope, 1);
  let g = d[m] - d[l] + e[l] / (slope + (slope >= 0 ? root : -root));
  let [s, c, shift] = [1, 1, 0];
  for (let i = m - 1; i >= l; i--) {
    const f = s * e[i];
    const b = c * e[i];
    const r = Math.hypot(f, g);
    e[i + 1] = r;
    if (r === 0) {
      // The bulge is gone early: the matrix falls apart here.
      d[i + 1] -= shift;
      e[m] = 0;
      return;
    }
    s = f / r;
    c = g / r;
    g = d[i + 1] - shift;
    const t = (d[i] - g) * s + 2 * c * b;
    shift = s * t;
    d[i + 1] = g + shift;
    g = c * t - b;
  }
  d[l] -= shift;
  e[l] = g;
  e[m] = 0;
}
