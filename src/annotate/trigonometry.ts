/**
 * Sine and cosine of an angle in degrees by IEEE additions and multiplications only, so that labels are the same bytes
 * on every JavaScript engine (`Math.sin` is not specified to the last bit). Exact at multiples of 90°.
 */

const RADIANS = Math.PI / 180;

/** [sin, cos] of `degrees`, a finite number. Error below 1e-15. */
export function sineCosineDegrees(degrees: number): [sine: number, cosine: number] {
  // IEEE remainder and the subtraction below are exact: no reduction error however many turns.
  const turned = degrees % 360;
  const quarter = Math.round(turned / 90);
  const x = (turned - quarter * 90) * RADIANS;
  const square = x * x;
  const sine = x * taylor(square, 1);
  const cosine = taylor(square, 0);
  switch (((quarter % 4) + 4) % 4) {
    case 0:
      return [sine, cosine];
    case 1:
      return [cosine, -sine];
    case 2:
      return [-sine, -cosine];
    default:
      return [-cosine, sine];
  }
}

/** Σ (−1)^k z^k / (2k + odd)!: nine terms leave less than 1e-16 for √z ≤ π/4. */
function taylor(z: number, odd: 0 | 1): number {
  let sum = 1;
  for (let k = 8; k >= 1; k--) sum = 1 - (z * sum) / ((2 * k + odd) * (2 * k + odd - 1));
  return sum;
}
