/**
 * Elementary functions from basic IEEE-754 arithmetic, so that a value is the same in every JavaScript engine.
 * ECMAScript leaves `Math.sin`, `Math.exp` and the like to the implementation; +, −, ×, ÷ and, in practice,
 * `Math.sqrt` are exactly rounded everywhere.
 *
 * Methods are the textbook ones that fdlibm uses too: split the argument into a power of two (or a quarter turn) and a
 * small remainder, with the splitting constant in two parts, then a short series on the remainder (J.-M. Muller,
 * "Elementary Functions", chapters 9–11). Absolute or relative error below 1e-14 in the ranges given, tested against
 * `Math`.
 */

/** The leading 32 bits of ln 2 (products with an exponent are exact), and the rest. */
const LN2_HIGH = 0.6931471803691238;
const LN2_LOW = 1.9082149292705877e-10;
/** The leading 33 bits of π/2, the next 33, and the rest. */
const HALF_PI_HIGH = 1.5707963267341256;
const HALF_PI_MIDDLE = 6.077100506303966e-11;
const HALF_PI_LOW = 2.0222662487959506e-21;
const HALF_PI = 1.5707963267948966;

export const PI = Math.PI;
export const TURN = 6.283185307179586;

const doubles = new Float64Array(1);
/** Little-endian halves of `doubles[0]` on every platform Node runs on: [low, high]. */
const words = new Uint32Array(doubles.buffer);

/** 2^k for −1022 ≤ k ≤ 1023. */
function powerOfTwo(k: number): number {
  words[0] = 0;
  words[1] = (k + 1023) << 20;
  return doubles[0];
}

/** Natural exponential; 0 below −745.2, ∞ above 709.8. */
export function exp(x: number): number {
  if (Number.isNaN(x)) return x;
  if (x > 709.782712893384) return Number.POSITIVE_INFINITY;
  if (x < -745.2) return 0;
  const k = Math.floor(x / Math.LN2 + 0.5);
  const r = x - k * LN2_HIGH - k * LN2_LOW;
  let sum = 1;
  // Taylor by Horner: |r| ≤ ln2/2, so the 15th term is below 1e-18.
  for (let n = 14; n >= 1; n--) sum = 1 + (r / n) * sum;
  // In two steps, as 2^k alone may be subnormal or too large.
  const half = Math.trunc(k / 2);
  return sum * powerOfTwo(half) * powerOfTwo(k - half);
}

/** Natural logarithm; −∞ at 0, NaN below. */
export function log(x: number): number {
  if (!(x > 0)) return x === 0 ? Number.NEGATIVE_INFINITY : Number.NaN;
  if (x === Number.POSITIVE_INFINITY) return x;
  let k = 0;
  if (x < 2.2250738585072014e-308) {
    x *= 18014398509481984;
    k = -54;
  }
  doubles[0] = x;
  k += ((words[1] >>> 20) & 0x7ff) - 1023;
  words[1] = (words[1] & 0x000fffff) | (1023 << 20);
  let mantissa = doubles[0];
  if (mantissa > Math.SQRT2) {
    mantissa /= 2;
    k++;
  }
  // ln m = 2 artanh s with s = (m − 1)/(m + 1), |s| ≤ 0.172.
  const s = (mantissa - 1) / (mantissa + 1);
  const z = s * s;
  let sum = 0;
  for (let n = 25; n >= 3; n -= 2) sum = z * (1 / n + sum);
  return k * LN2_HIGH + (k * LN2_LOW + 2 * s * (1 + sum));
}

/** Sine of |r| ≤ π/4. */
function sineSeries(r: number): number {
  const z = r * r;
  let sum = 1;
  for (let n = 16; n >= 2; n -= 2) sum = 1 - (z / (n * (n + 1))) * sum;
  return r * sum;
}

/** Cosine of |r| ≤ π/4. */
function cosineSeries(r: number): number {
  const z = r * r;
  let sum = 1;
  for (let n = 17; n >= 1; n -= 2) sum = 1 - (z / (n * (n + 1))) * sum;
  return sum;
}

/** cos (shift 1) or sin (shift 0) of `r` plus `quarter` quarter turns. */
function inQuadrant(r: number, quarter: number, shift: 0 | 1): number {
  const q = (((quarter + shift) % 4) + 4) % 4;
  const value = q % 2 === 0 ? sineSeries(r) : cosineSeries(r);
  return q < 2 ? value : -value;
}

function circular(x: number, shift: 0 | 1): number {
  const quarter = Math.floor(x / HALF_PI + 0.5);
  const r = x - quarter * HALF_PI_HIGH - quarter * HALF_PI_MIDDLE - quarter * HALF_PI_LOW;
  return inQuadrant(r, quarter, shift);
}

/** Sine of an angle in radians, |x| ≤ 1e5. */
export function sin(x: number): number {
  return circular(x, 0);
}

/** Cosine of an angle in radians, |x| ≤ 1e5. */
export function cos(x: number): number {
  return circular(x, 1);
}

function circularDegrees(degrees: number, shift: 0 | 1): number {
  // The remainder of doubles is exact, so multiples of 90° give exactly 0 and ±1.
  const turn = degrees % 360;
  const quarter = Math.floor(turn / 90 + 0.5);
  // + 0 turns −0 into 0.
  return inQuadrant((turn - quarter * 90) * (PI / 180), quarter, shift) + 0;
}

/** Sine of an angle in degrees; exact at multiples of 90°. */
export function sinDegrees(degrees: number): number {
  return circularDegrees(degrees, 0);
}

/** Cosine of an angle in degrees; exact at multiples of 90°. */
export function cosDegrees(degrees: number): number {
  return circularDegrees(degrees, 1);
}

/** Arc tangent in (−π/2, π/2). */
export function atan(x: number): number {
  if (x < 0) return -atan(-x);
  if (x > 1) return HALF_PI - atan(1 / x);
  // Halve the angle twice: |x| ≤ tan(π/16).
  let t = x / (1 + Math.sqrt(1 + x * x));
  t = t / (1 + Math.sqrt(1 + t * t));
  const z = t * t;
  let sum = 0;
  for (let n = 25; n >= 3; n -= 2) sum = z * (1 / n - sum);
  return 4 * t * (1 - sum);
}

/** Direction of (x, y) in (−π, π]: the angle from the x axis towards the y axis; 0 for the origin. */
export function atan2(y: number, x: number): number {
  if (x === 0) return y === 0 ? 0 : y > 0 ? HALF_PI : -HALF_PI;
  if (x > 0) return atan(y / x);
  return y < 0 ? atan(y / x) - PI : atan(y / x) + PI;
}

/** Arc cosine in [0, π]; NaN outside [−1, 1]. */
export function acos(x: number): number {
  if (x === -1) return PI;
  return 2 * atan(Math.sqrt((1 - x) / (1 + x)));
}
