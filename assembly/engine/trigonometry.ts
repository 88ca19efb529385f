/**
 * Sine and cosine of an angle in degrees from nothing but +, −, ×: the same bits on every machine, and exact at
 * multiples of 90°. The angle is reduced in degrees, where a full turn has no rounding.
 */

/** Radians per degree. */
const RADIANS: f64 = 0.017453292519943295;

/** Odd Taylor series of the sine, |x| ≤ π/4: error below 1e-16. */
function sineSeries(x: f64): f64 {
  const z = x * x;
  let sum: f64 = -1.0 / 1307674368000.0;
  sum = sum * z + 1.0 / 6227020800.0;
  sum = sum * z - 1.0 / 39916800.0;
  sum = sum * z + 1.0 / 362880.0;
  sum = sum * z - 1.0 / 5040.0;
  sum = sum * z + 1.0 / 120.0;
  sum = sum * z - 1.0 / 6.0;
  return x + x * z * sum;
}

/** Even Taylor series of the cosine, |x| ≤ π/4: error below 1e-16. */
function cosineSeries(x: f64): f64 {
  const z = x * x;
  let sum: f64 = 1.0 / 20922789888000.0;
  sum = sum * z - 1.0 / 87178291200.0;
  sum = sum * z + 1.0 / 479001600.0;
  sum = sum * z - 1.0 / 3628800.0;
  sum = sum * z + 1.0 / 40320.0;
  sum = sum * z - 1.0 / 720.0;
  sum = sum * z + 1.0 / 24.0;
  sum = sum * z - 0.5;
  return 1.0 + z * sum;
}

/** Degrees beyond the nearest multiple of 90, in [−45, 45]. */
function remainder(degrees: f64): f64 {
  return degrees - 90.0 * nearest<f64>(degrees / 90.0);
}

/** Which multiple of 90, modulo 4. */
function quadrant(degrees: f64): i32 {
  const turns = nearest<f64>(degrees / 90.0);
  return <i32>(turns - 4.0 * floor<f64>(turns * 0.25));
}

/** cos of an angle in degrees; any finite f32 is exact enough, 0 where it is not finite. */
export function cosine(degrees: f64): f64 {
  if (!(abs(degrees) < 1e15)) return 0;
  const x = remainder(degrees) * RADIANS;
  const q = quadrant(degrees);
  const value = (q & 1) == 0 ? cosineSeries(x) : sineSeries(x);
  return q == 1 || q == 2 ? -value : value;
}

/** sin of an angle in degrees. */
export function sine(degrees: f64): f64 {
  if (!(abs(degrees) < 1e15)) return 0;
  const x = remainder(degrees) * RADIANS;
  const q = quadrant(degrees);
  const value = (q & 1) == 0 ? sineSeries(x) : cosineSeries(x);
  return q >= 2 ? -value : value;
}
