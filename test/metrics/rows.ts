import type { FeatureRows } from '../../src/metrics/featureRows.js';
import { RandomStream } from '../../src/random.js';

/** Rows of numbers that are uniform in [shift, shift + 1), mixed by neighbours so that they are correlated. */
export function randomRows(count: number, length: number, seed: number, shift = 0): FeatureRows {
  const stream = new RandomStream({ seed, index: 0 });
  const values = Float32Array.from({ length: count * length }, () => stream.uniform() + shift);
  for (let i = 1; i < values.length; i++) if (i % length > 0) values[i] += 0.5 * (values[i - 1] - shift);
  return { values, count, length };
}

/** Rows from nested numbers. */
export function rowsOf(rows: readonly (readonly number[])[]): FeatureRows {
  return { values: Float32Array.from(rows.flat()), count: rows.length, length: rows[0].length };
}

export const rowAt = ({ values, length }: FeatureRows, i: number): number[] =>
  Array.from(values.subarray(i * length, (i + 1) * length));
