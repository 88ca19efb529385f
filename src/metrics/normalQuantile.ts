import { ConfigError } from '../errors.js';

const CENTRE = {
  top: [
    -39.69683028665376, 220.9460984245205, -275.9285104469687, 138.357751867269, -30.66479806614716, 2.506628277459239,
  ],
  bottom: [-54.47609879822406, 161.5858368580409, -155.6989798598866, 66.80131188771972, -13.28068155288572, 1],
};
const TAIL = {
  top: [
    -0.007784894002430293, -0.3223964580411365, -2.400758277161838, -2.549732539343734, 4.374664141464968,
    2.938163982698783,
  ],
  bottom: [0.007784695709041462, 0.3224671290700398, 2.445134137142996, 3.754408661907416, 1],
};
/** Below this probability the tail's formula holds. */
const TAIL_START = 0.02425;

const polynomial = (coefficients: readonly number[], x: number): number =>
  coefficients.reduce((sum, coefficient) => sum * x + coefficient, 0);

/**
 * z with P(Z ≤ z) = p for a standard normal Z: Acklam's rational approximation, relative error below 1.2 · 10⁻⁹.
 * @param p in (0, 1)
 */
export function normalQuantile(p: number): number {
  if (p > 0.5) return -normalQuantile(1 - p);
  if (p < TAIL_START) {
    const q = Math.sqrt(-2 * Math.log(p));
    return polynomial(TAIL.top, q) / polynomial(TAIL.bottom, q);
  }
  const q = p - 0.5;
  return (q * polynomial(CENTRE.top, q * q)) / polynomial(CENTRE.bottom, q * q);
}

/**
 * Half the width of a two-sided interval in standard errors, e.g. 1.96 for 0.95.
 * @throws ConfigError unless `confidence` lies between 0 and 1
 */
export function intervalFactor(confidence: number): number {
  if (!(confidence > 0 && confidence < 1)) {
    throw new ConfigError(`Expected a number between 0 and 1 for the confidence but received ${confidence}`);
  }
  return normalQuantile((1 + confidence) / 2);
}
