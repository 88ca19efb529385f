/**
 * How directions are distributed, and how far two such distributions are apart: to see whether a generator finds every
 * mode of its target, which a mean cannot show (two opposite directions have none).
 */
import { ConfigError, ShapeError } from '../errors.js';

/** Bins of a histogram unless told otherwise: 10° each. */
export const DIRECTION_BINS = 36;

/**
 * Shares of directions by bin. Bin 0 is centred on 0°, so that directions that scatter about 0°, 90° … fall into one bin.
 * @param degrees any angles; those that differ by whole turns are the same
 * @returns [bins] summing to 1
 * @throws ShapeError for no direction; ConfigError when `bins` is no whole number ≥ 1
 */
export function directionHistogram(degrees: ArrayLike<number>, bins: number = DIRECTION_BINS): Float64Array {
  if (!(Number.isInteger(bins) && bins >= 1)) {
    throw new ConfigError(`Expected a whole number ≥ 1 for bins but received ${bins}`);
  }
  if (degrees.length === 0) throw new ShapeError('Expected at least one direction but received none');
  const shares = new Float64Array(bins);
  for (let i = 0; i < degrees.length; i++) {
    const turns = degrees[i] / 360;
    const position = (turns - Math.floor(turns)) * bins + 0.5;
    shares[Math.floor(position) % bins] += 1 / degrees.length;
  }
  return shares;
}

/**
 * Total variation distance of two histograms: the share that would have to move, however far.
 * @returns in [0, 1]
 * @throws ShapeError when they differ in length
 */
export function totalVariation(a: ArrayLike<number>, b: ArrayLike<number>): number {
  expectSameLength(a, b);
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += Math.abs(a[i] - b[i]);
  return sum / 2;
}

/**
 * Wasserstein-1 distance of two histograms on the circle: degrees that a direction has to turn on average to make one
 * the other. On a circle the flow through one cut is free; the best one is the median of the differences of the
 * cumulative shares (Rabin, Delon and Gousseau 2011, "Transportation distances on the circle").
 * @returns in [0, 180]°
 * @throws ShapeError when they differ in length
 */
export function circularWasserstein(a: ArrayLike<number>, b: ArrayLike<number>): number {
  expectSameLength(a, b);
  const flows: number[] = [];
  let flow = 0;
  for (let i = 0; i < a.length; i++) flows.push((flow += a[i] - b[i]));
  const median = [...flows].sort((x, y) => x - y)[flows.length >> 1];
  return flows.reduce((sum, value) => sum + Math.abs(value - median), 0) * (360 / a.length);
}

/**
 * Share of directions that lie within `within` of one of the modes.
 * @param modes, within degrees
 * @returns [modes] shares; a direction counts for the nearest mode only
 */
export function modeShares(degrees: ArrayLike<number>, modes: readonly number[], within: number): number[] {
  const shares = modes.map(() => 0);
  for (let i = 0; i < degrees.length; i++) {
    const distances = modes.map((mode) => Math.abs(((((degrees[i] - mode + 540) % 360) + 360) % 360) - 180));
    const nearest = Math.min(...distances);
    if (nearest <= within) shares[distances.indexOf(nearest)] += 1 / degrees.length;
  }
  return shares;
}

function expectSameLength(a: ArrayLike<number>, b: ArrayLike<number>): void {
  if (a.length !== b.length) {
    throw new ShapeError(`Expected histograms of one length but received ${a.length} and ${b.length} bins`);
  }
}
