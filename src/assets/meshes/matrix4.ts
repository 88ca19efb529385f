/** 4 × 4 matrices, column-major as in glTF. Plain arithmetic only, so that vertices are the same bits everywhere. */
export type Matrix4 = Float64Array;

export const IDENTITY: Matrix4 = new Float64Array([1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1]);

/** a · b */
export function multiply(a: ArrayLike<number>, b: ArrayLike<number>): Matrix4 {
  const product = new Float64Array(16);
  for (let column = 0; column < 4; column++) {
    for (let row = 0; row < 4; row++) {
      let sum = 0;
      for (let k = 0; k < 4; k++) sum += a[4 * k + row] * b[4 * column + k];
      product[4 * column + row] = sum;
    }
  }
  return product;
}

/**
 * Translation · rotation · scale.
 * @param rotation quaternion x, y, z, w; of any length but 0, which is no rotation
 */
export function compose(
  [tx, ty, tz]: readonly number[],
  rotation: readonly number[],
  [sx, sy, sz]: readonly number[],
): Matrix4 {
  const length = Math.sqrt(rotation.reduce((sum, each) => sum + each * each, 0));
  const [x, y, z, w] = length > 0 ? rotation.map((each) => each / length) : [0, 0, 0, 1];
  return new Float64Array([
    ...[(1 - 2 * (y * y + z * z)) * sx, 2 * (x * y + z * w) * sx, 2 * (x * z - y * w) * sx, 0],
    ...[2 * (x * y - z * w) * sy, (1 - 2 * (x * x + z * z)) * sy, 2 * (y * z + x * w) * sy, 0],
    ...[2 * (x * z + y * w) * sz, 2 * (y * z - x * w) * sz, (1 - 2 * (x * x + y * y)) * sz, 0],
    ...[tx, ty, tz, 1],
  ]);
}

/**
 * What normals are multiplied by: the cofactors of the upper left 3 × 3, which is its transposed inverse times its
 * determinant, and exists for flat scales too; negated where the matrix mirrors, so that normals stay outwards.
 * @returns [9] column-major
 */
export function normalMatrix(m: ArrayLike<number>): { matrix: Float64Array; mirrors: boolean } {
  const [a, b, c, d, e, f, g, h, i] = [m[0], m[1], m[2], m[4], m[5], m[6], m[8], m[9], m[10]];
  const cofactors = [
    ...[e * i - f * h, f * g - d * i, d * h - e * g],
    ...[c * h - b * i, a * i - c * g, b * g - a * h],
    ...[b * f - c * e, c * d - a * f, a * e - b * d],
  ];
  const mirrors = a * cofactors[0] + b * cofactors[1] + c * cofactors[2] < 0;
  return { matrix: Float64Array.from(cofactors, (each) => (mirrors ? -each : each)), mirrors };
}
