/** The distances of two sets of features, each with an interval, and what is to be said about them. */
import { createHash } from 'node:crypto';
import { checkFeatureRows, type FeatureRows } from './featureRows.js';
import { type FrechetInterval, frechetInterval } from './frechetInterval.js';
import { gaussianMmd } from './gaussianMmd.js';
import type { MmdEstimate } from './kernelMmd.js';
import { type Kid, kidOfAll, kidOverSubsets } from './kid.js';
import { intervalFactor } from './normalQuantile.js';

/** The steps that progress is told of. */
export type DistanceStep = 'KID' | 'KID, subsets' | 'Gaussian MMD' | 'Fréchet, bootstrap';

export interface FeatureDistanceOptions {
  /** Of subsets, bootstrap samples and the median's images. Default 0. */
  readonly seed?: number;
  /** Images of each set in a subset of KID. Default 1000 as published, or half of the smaller set if that is less. */
  readonly subsetSize?: number;
  /** Default 100, as published. */
  readonly subsets?: number;
  /** σ of the Gaussian kernel; default: the median distance. */
  readonly bandwidth?: number;
  /** Of the intervals, between 0 and 1. Default 0.95. */
  readonly confidence?: number;
  /** Bootstrap samples of the Fréchet distance. Default 50. */
  readonly resamples?: number;
  readonly signal?: AbortSignal;
  readonly onProgress?: (step: DistanceStep, done: number, total: number) => void;
}

export interface WithInterval {
  readonly value: number;
  readonly standardError: number;
  /** Lower and upper bound. */
  readonly interval: readonly [number, number];
}

export interface FeatureDistance {
  /** Images of a and b, and features of each. */
  readonly countA: number;
  readonly countB: number;
  readonly dimensions: number;
  readonly confidence: number;
  readonly seed: number;
  /** Kernel (a·b / D + 1)³, over all images; `subsets` is the published way to state it. */
  readonly kid: WithInterval & { readonly subsets: Kid & { readonly size: number; readonly count: number } };
  readonly gaussianMmd: WithInterval & { readonly bandwidth: number; readonly bandwidthFrom: 'median' | 'given' };
  /** Squared Fréchet distance. */
  readonly frechet: FrechetInterval & { readonly resamples: number };
  /** Where the numbers are to be distrusted, and why; empty where nothing is. */
  readonly warnings: readonly string[];
}

/** As the paper on KID has them. */
const SUBSET_SIZE = 1000;
const SUBSETS = 100;
const RESAMPLES = 50;
/** Images a feature from which on the bootstrap sees the Fréchet distance's bias. */
const ENOUGH = 10;
/** Share of a set that may be there twice, or in the other, without a warning: simple pictures repeat by chance. */
const SHARED_BY_CHANCE = 0.2;
/** Fewer images than this make standard errors uncertain. */
const FEW = 50;

/**
 * KID, Gaussian MMD² and squared Fréchet distance of two sets of features. Intervals of the first two are
 * value ± z · standard error (`kernelMmd`); that of the third is explained at `frechetInterval`.
 * @throws ShapeError when a set has fewer than four rows or features do not fit; ConfigError for options out of range;
 *   the signal's reason
 */
export async function featureDistance(
  a: FeatureRows,
  b: FeatureRows,
  options: FeatureDistanceOptions = {},
): Promise<FeatureDistance> {
  checkFeatureRows(a, b, 4);
  const { seed = 0, subsets = SUBSETS, confidence = 0.95, resamples = RESAMPLES, bandwidth, signal } = options;
  const factor = intervalFactor(confidence);
  const smaller = Math.min(a.count, b.count);
  const size = Math.min(options.subsetSize ?? Math.min(SUBSET_SIZE, smaller >> 1), smaller);
  const run = (step: DistanceStep) => ({
    signal,
    onProgress: (done: number, total: number) => options.onProgress?.(step, done, total),
  });
  const withInterval = ({ value, standardError }: MmdEstimate): WithInterval => ({
    value,
    standardError,
    interval: [value - factor * standardError, value + factor * standardError],
  });
  const all = await kidOfAll(a, b, run('KID'));
  const overSubsets = await kidOverSubsets(a, b, { seed, subsets, subsetSize: size, ...run('KID, subsets') });
  const gaussian = await gaussianMmd(a, b, { seed, bandwidth, ...run('Gaussian MMD') });
  const frechet = await frechetInterval(a, b, { seed, confidence, resamples, ...run('Fréchet, bootstrap') });
  return {
    countA: a.count,
    countB: b.count,
    dimensions: a.length,
    confidence,
    seed,
    kid: { ...withInterval(all), subsets: { size, count: subsets, ...overSubsets } },
    gaussianMmd: {
      ...withInterval(gaussian),
      bandwidth: gaussian.bandwidth,
      bandwidthFrom: bandwidth === undefined ? 'median' : 'given',
    },
    frechet: { ...frechet, resamples },
    warnings: warningsOf(a, b, size, options),
  };
}

function warningsOf(a: FeatureRows, b: FeatureRows, size: number, { subsetSize }: FeatureDistanceOptions): string[] {
  const smaller = Math.min(a.count, b.count);
  const warnings: string[] = [];
  if (smaller <= a.length) {
    warnings.push(
      `Fréchet: ${smaller} images for ${a.length} features: the covariance is singular and the distance biased upwards by more than its interval shows; take more than ${a.length} images, a smaller layer, or KID`,
    );
  } else if (smaller < ENOUGH * a.length) {
    warnings.push(
      `Fréchet: ${smaller} images for ${a.length} features: part of its upward bias is left in the interval; compare only values of equally many images, or take ${ENOUGH * a.length}`,
    );
  }
  if (subsetSize !== undefined && subsetSize > smaller) {
    warnings.push(`KID: a subset of ${subsetSize} is larger than a set of ${smaller}; subsets of ${size} were taken`);
  }
  if (2 * size > smaller) {
    warnings.push(
      `KID: subsets of ${size} out of ${smaller} share most of their images, so that their standard deviation is too small`,
    );
  }
  const digests = { a: rowDigests(a), b: rowDigests(b) };
  for (const [name, rows] of Object.entries(digests)) {
    const repeated = rows.length - new Set(rows).size;
    if (repeated > rows.length * SHARED_BY_CHANCE) {
      warnings.push(
        `${repeated} images of ${name} have the features of an earlier one of ${name}: intervals count them as independent and come out too narrow`,
      );
    }
  }
  const known = new Set(digests.a);
  const shared = digests.b.filter((digest) => known.has(digest)).length;
  if (shared > smaller * SHARED_BY_CHANCE) {
    warnings.push(
      `${shared} images of b have the features of one of a: the sets are not independent, and their distance comes out too small`,
    );
  }
  if (smaller < FEW) {
    warnings.push(`${smaller} images are few: intervals are rough, take at least ${FEW}`);
  }
  return warnings;
}

/** Of each row: rows that are alike bit for bit have the same one. */
function rowDigests({ values, count, length }: FeatureRows): string[] {
  return Array.from({ length: count }, (_, i) =>
    createHash('sha1')
      .update(new Uint8Array(values.buffer, values.byteOffset + 4 * i * length, 4 * length))
      .digest('base64'),
  );
}
