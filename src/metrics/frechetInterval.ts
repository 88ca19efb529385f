import { setImmediate as breathe } from 'node:timers/promises';
import { RandomStream } from '../random.js';
import { checkFeatureRows, type FeatureRows } from './featureRows.js';
import { featureGaussian, gaussianFrechet } from './frechet.js';
import { intervalFactor } from './normalQuantile.js';

export interface FrechetIntervalOptions {
  /** Bootstrap samples, ≥ 2; default 50, which is enough for a standard error (Efron and Tibshirani 1993, §6.4). */
  readonly resamples?: number;
  /** Default 0.95. */
  readonly confidence?: number;
  readonly seed?: number;
  readonly signal?: AbortSignal;
  readonly onProgress?: (done: number, total: number) => void;
}

export interface FrechetInterval {
  /** Squared Fréchet distance of all images. */
  readonly value: number;
  /** Standard deviation over the bootstrap samples. */
  readonly standardError: number;
  /** How far the bootstrap samples lie above the value on average: about what the value lies above the truth. */
  readonly bias: number;
  /** value − bias ± z · standardError, not below 0. */
  readonly interval: readonly [number, number];
}

/**
 * Fréchet distance with a bootstrap over images: each sample draws as many images as there are from each set, with
 * replacement. A sample has fewer distinct images than its set, and so is biased upwards as the set is against the
 * distribution behind it; the interval is around the value less that bias. It is to be distrusted where there are fewer
 * images than features: the bias is then larger than the bootstrap sees.
 * @throws ShapeError for features that do not fit, ConfigError for a confidence outside (0, 1), the signal's reason
 */
export async function frechetInterval(
  a: FeatureRows,
  b: FeatureRows,
  options: FrechetIntervalOptions = {},
): Promise<FrechetInterval> {
  const { resamples = 50, confidence = 0.95, seed = 0, signal, onProgress } = options;
  checkFeatureRows(a, b, 2);
  const factor = intervalFactor(confidence);
  const value = gaussianFrechet(featureGaussian(a), featureGaussian(b));
  const samples: number[] = [];
  for (let sample = 0; sample < resamples; sample++) {
    await breathe();
    signal?.throwIfAborted();
    const [left, right] = [a, b].map((rows, node) =>
      featureGaussian(rows, drawCounts(rows.count, new RandomStream({ seed, index: sample, node }))),
    );
    samples.push(gaussianFrechet(left, right));
    onProgress?.(sample + 1, resamples);
  }
  const mean = samples.reduce((sum, each) => sum + each, 0) / resamples;
  const variance = samples.reduce((sum, each) => sum + (each - mean) ** 2, 0) / (resamples - 1);
  const [bias, standardError] = [mean - value, Math.sqrt(variance)];
  const bound = (side: number) => Math.max(0, value - bias + side * factor * standardError);
  return { value, standardError, bias, interval: [bound(-1), bound(1)] };
}

/** How often each of `count` items is among `count` draws with replacement; at least two different ones are. */
function drawCounts(count: number, stream: RandomStream): Uint32Array {
  for (;;) {
    const counts = new Uint32Array(count);
    for (let i = 0; i < count; i++) counts[stream.integer(count)] += 1;
    if (counts.some((times) => times > 0 && times < count)) return counts;
  }
}
