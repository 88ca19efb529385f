/**
 * Squared MMD with a Gaussian kernel, k(a, b) = exp(−‖a − b‖² / (2σ²)), unbiased, over all images. Unlike the polynomial
 * kernel's it is 0 only where the distributions are the same, but it depends on σ: compare values of one σ only.
 */
import { ConfigError } from '../errors.js';
import { RandomStream } from '../random.js';
import { checkFeatureRows, type FeatureRows } from './featureRows.js';
import { kernelMmd, type MmdEstimate, type MmdRun } from './kernelMmd.js';

export interface GaussianMmdOptions extends MmdRun {
  /** σ in feature units; default: {@link medianBandwidth}. */
  readonly bandwidth?: number;
  /** Of the images that the median is taken over. */
  readonly seed?: number;
}

export interface GaussianMmd extends MmdEstimate {
  /** σ. */
  readonly bandwidth: number;
}

/** Images of each set whose distances the median is taken of. */
const MEDIAN_IMAGES = 500;

/** @throws ConfigError when σ is not positive; ShapeError for features that do not fit; the signal's reason */
export async function gaussianMmd(
  a: FeatureRows,
  b: FeatureRows,
  options: GaussianMmdOptions = {},
): Promise<GaussianMmd> {
  checkFeatureRows(a, b, 4);
  const bandwidth = options.bandwidth ?? medianBandwidth(a, b, options.seed);
  if (!(bandwidth > 0 && Number.isFinite(bandwidth))) {
    throw new ConfigError(`Expected a positive number for the bandwidth but received ${bandwidth}`);
  }
  const factor = -1 / (2 * bandwidth ** 2);
  const kernel = (product: number, squareA: number, squareB: number) =>
    Math.exp(factor * Math.max(0, squareA + squareB - 2 * product));
  // Distances stay what they are, but their parts get small: ‖a‖² + ‖b‖² − 2 a·b loses less.
  const centre = meanOf([a, b]);
  return { bandwidth, ...(await kernelMmd(shifted(a, centre), shifted(b, centre), kernel, options)) };
}

/**
 * The median distance between two different images of both sets together, of at most 500 images of each, drawn with the
 * seed; 1 where that is 0.
 */
export function medianBandwidth(a: FeatureRows, b: FeatureRows, seed = 0): number {
  const drawn = [a, b].flatMap((rows, node) =>
    drawRows(rows.count, MEDIAN_IMAGES, new RandomStream({ seed, index: 0, node })).map((i) =>
      rows.values.subarray(i * rows.length, (i + 1) * rows.length),
    ),
  );
  const squares: number[] = [];
  for (let i = 0; i < drawn.length; i++) {
    for (let j = 0; j < i; j++) {
      let sum = 0;
      for (let k = 0; k < a.length; k++) sum += (drawn[i][k] - drawn[j][k]) ** 2;
      squares.push(sum);
    }
  }
  const median = Float64Array.from(squares).sort()[squares.length >> 1];
  return Math.sqrt(median) || 1;
}

/** `size` different numbers below `count` (all of them where there are no more), in random order. */
export function drawRows(count: number, size: number, stream: RandomStream): number[] {
  const all = Array.from({ length: count }, (_, i) => i);
  const drawn = Math.min(size, count);
  for (let i = 0; i < drawn; i++) {
    const j = i + stream.integer(count - i);
    [all[i], all[j]] = [all[j], all[i]];
  }
  return all.slice(0, drawn);
}

function meanOf(sets: readonly FeatureRows[]): Float64Array {
  const mean = new Float64Array(sets[0].length);
  const total = sets.reduce((sum, { count }) => sum + count, 0);
  for (const { values, length } of sets) for (let i = 0; i < values.length; i++) mean[i % length] += values[i] / total;
  return mean;
}

function shifted({ values, count, length }: FeatureRows, centre: Float64Array): FeatureRows {
  return { values: values.map((value, i) => value - centre[i % length]), count, length };
}
