import { attributeDifference, attributeIndex, toRange } from '../../scene/attributeSchema.js';
import type { SceneBatch } from '../../scene/sceneGraph.js';

/**
 * How far learned values of an attribute lie from the target's. A mean alone says nothing (two modes on either side of
 * the target have the right mean), so the distribution is described.
 */
export interface ErrorDistribution {
  /** Unit of all numbers here but the fractions. */
  readonly unit: string;
  /** The target's value. */
  readonly target: number;
  /** Length of the attribute's range. */
  readonly range: number;
  /** Mean of |value − target|, the short way round for angles. */
  readonly meanAbsoluteError: number;
  /** 5th, 25th, 50th, 75th and 95th percentile of value − target. */
  readonly percentiles: readonly [number, number, number, number, number];
  /** Share of the values within 5 % of the range of the target. */
  readonly withinFivePercent: number;
  /** Counts of value − target in 36 equal bins over ± half the range. */
  readonly histogram: readonly number[];
  /** Local maxima of the histogram that hold at least 5 % of the values, as value − target at the bin's centre. */
  readonly modes: readonly number[];
}

const BINS = 36;
const PERCENTILES = [0.05, 0.25, 0.5, 0.75, 0.95];

/** The distribution of one attribute over all mutable nodes of a batch, against `target` in its unit. */
export function errorDistribution(batch: SceneBatch, attribute: string, target: number): ErrorDistribution {
  const column = attributeIndex(batch.schema, attribute);
  const columns = batch.schema.attributes.length;
  const spec = batch.schema.attributes[column];
  const range = spec.maximum - spec.minimum;
  const wanted = toRange(spec, target);
  const errors: number[] = [];
  for (const scene of batch.scenes) {
    for (let v = 0; v < scene.parent.length; v++) {
      if (!scene.mutable[v * columns + column]) continue;
      errors.push(attributeDifference(spec, scene.attributes[v * columns + column], wanted));
    }
  }
  errors.sort((a, b) => a - b);
  const histogram = new Array<number>(BINS).fill(0);
  for (const error of errors) {
    histogram[Math.min(BINS - 1, Math.max(0, Math.floor((error / range + 0.5) * BINS)))]++;
  }
  const percentile = (p: number) => errors[Math.min(errors.length - 1, Math.floor(p * errors.length))] ?? Number.NaN;
  return {
    unit: spec.unit,
    target: wanted,
    range,
    meanAbsoluteError: errors.reduce((sum, error) => sum + Math.abs(error), 0) / errors.length,
    percentiles: PERCENTILES.map(percentile) as [number, number, number, number, number],
    withinFivePercent: errors.filter((error) => Math.abs(error) <= 0.05 * range).length / errors.length,
    histogram,
    modes: histogramModes(histogram, errors.length, spec.periodic).map((bin) => ((bin + 0.5) / BINS - 0.5) * range),
  };
}

/** Bins above both neighbours (cyclically for a periodic attribute) that hold at least 5 % of the values. */
function histogramModes(histogram: readonly number[], total: number, periodic: boolean): number[] {
  const at = (bin: number) => (periodic ? histogram[(bin + BINS) % BINS] : (histogram[bin] ?? 0));
  return histogram.flatMap((count, bin) =>
    count >= 0.05 * total && count > at(bin - 1) && count >= at(bin + 1) ? [bin] : [],
  );
}
