import { acos, cos, exp, log, PI, TURN } from '../deterministicMath.js';
import type { RandomStream } from '../random.js';

/**
 * How an attribute's value is drawn, in the attribute's unit.
 * @typeParam N a number, or what becomes one when a scene is drawn (`Quantity`)
 */
export type Distribution<N = number> =
  | { readonly kind: 'constant'; readonly value: N }
  /** Even over [min, max). */
  | { readonly kind: 'uniform'; readonly min: N; readonly max: N }
  | { readonly kind: 'normal'; readonly mean: N; readonly sd: N }
  /** The normal distribution given that the value is within [min, max]. */
  | { readonly kind: 'truncatedNormal'; readonly mean: N; readonly sd: N; readonly min: N; readonly max: N }
  /** `min` and an exponential on top, together `mean` on average; given that the value is at most `max`, where there is one. */
  | { readonly kind: 'exponential'; readonly min: N; readonly mean: N; readonly max?: N }
  | { readonly kind: 'categorical'; readonly values: readonly N[]; readonly weights: readonly N[] }
  /** Angles about `mean`, degrees; `kappa` is the concentration, 0: even over the circle, 1/kappa ≈ variance in rad². */
  | { readonly kind: 'vonMises'; readonly mean: N; readonly kappa: N };

/** How many nodes a production makes. */
export type CountDistribution<N = number> =
  | { readonly kind: 'constant'; readonly value: N }
  /** Even over the integers min … max. */
  | { readonly kind: 'uniform'; readonly min: N; readonly max: N }
  /** Poisson with rate `mean`, given that the count is at most `max`. */
  | { readonly kind: 'poisson'; readonly mean: N; readonly max: N }
  | { readonly kind: 'categorical'; readonly values: readonly N[]; readonly weights: readonly N[] };

/** The numbers of a distribution: what stands beside its kind. */
export function distributionNumbers<N>(distribution: Distribution<N> | CountDistribution<N>): N[] {
  return Object.entries(distribution).flatMap(([key, entry]) => (key === 'kind' ? [] : (entry as N | N[])));
}

/** What a distribution of finite numbers that came out of expressions lacks to be one; undefined for a good one. */
export function distributionProblem(distribution: Distribution | CountDistribution): string | undefined {
  switch (distribution.kind) {
    case 'uniform':
      return distribution.min <= distribution.max ? undefined : 'a minimum of at most the maximum';
    case 'normal':
      return distribution.sd >= 0 ? undefined : 'a standard deviation of at least 0';
    case 'truncatedNormal': {
      const { mean, sd, min, max } = distribution;
      if (!(sd > 0)) return 'a standard deviation above 0';
      if (!(min < max)) return 'a maximum above the minimum';
      return isReachable(mean, sd, min, max) ? undefined : 'a mean within 30 standard deviations of [min, max]';
    }
    case 'exponential': {
      const { min, mean, max } = distribution;
      if (!(mean > min)) return 'a mean above the minimum';
      return max === undefined || max > min ? undefined : 'a maximum above the minimum';
    }
    case 'categorical': {
      const { weights } = distribution;
      const good = weights.every((weight) => weight >= 0) && weights.some((weight) => weight > 0);
      return good ? undefined : 'weights of at least 0, one of them above 0';
    }
    case 'vonMises':
      return distribution.kappa >= 0 ? undefined : 'a kappa of at least 0';
    case 'poisson':
      return distribution.mean >= 0 ? undefined : 'a mean of at least 0';
    case 'constant':
      return undefined;
  }
}

/** Whether rejection finds values of a truncated normal in good time. */
export function isReachable(mean: number, sd: number, min: number, max: number): boolean {
  return min - mean < 30 * sd && mean - max < 30 * sd;
}

/** One draw; consumes the stream. */
export function draw(distribution: Distribution, stream: RandomStream): number {
  switch (distribution.kind) {
    case 'constant':
      return distribution.value;
    case 'uniform':
      return distribution.min + (distribution.max - distribution.min) * stream.uniform();
    case 'normal':
      return distribution.mean + distribution.sd * standardNormal(stream);
    case 'truncatedNormal': {
      const { mean, sd, min, max } = distribution;
      const value = mean + sd * truncatedStandardNormal((min - mean) / sd, (max - mean) / sd, stream);
      // Rounding may step over a bound.
      return Math.min(max, Math.max(min, value));
    }
    case 'exponential':
      return exponential(distribution.min, distribution.mean, distribution.max, stream);
    case 'categorical':
      return distribution.values[drawIndex(distribution.weights, stream)];
    case 'vonMises':
      return distribution.mean + (vonMisesAngle(distribution.kappa, stream) * 180) / PI;
  }
}

/** One count ≥ 0; consumes the stream. */
export function drawCount(distribution: CountDistribution, stream: RandomStream): number {
  switch (distribution.kind) {
    case 'constant':
      return distribution.value;
    case 'uniform':
      return distribution.min + stream.integer(distribution.max - distribution.min + 1);
    case 'poisson':
      return poisson(distribution.mean, distribution.max, stream);
    case 'categorical':
      return distribution.values[drawIndex(distribution.weights, stream)];
  }
}

/** Index i with probability weights[i] / Σ weights. At least one weight is above 0. */
export function drawIndex(weights: readonly number[], stream: RandomStream): number {
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  let rest = total * stream.uniform();
  let last = 0;
  for (let i = 0; i < weights.length; i++) {
    if (weights[i] === 0) continue;
    if (rest < weights[i]) return i;
    rest -= weights[i];
    last = i;
  }
  // Rounding of the sum can leave a rest behind.
  return last;
}

/** Standard normal by Box and Muller (1958); always two uniforms, so that draws stay aligned. */
export function standardNormal(stream: RandomStream): number {
  // 1 − u is in (0, 1].
  const radius = Math.sqrt(-2 * log(1 - stream.uniform()));
  return radius * cos(TURN * stream.uniform());
}

/**
 * Standard normal given that it is in [low, high], by rejection (C. P. Robert, "Simulation of truncated normal
 * variables", 1995): from the normal itself where the interval is likely, else from a uniform or an exponential.
 */
function truncatedStandardNormal(low: number, high: number, stream: RandomStream): number {
  if (low === high) return low;
  // Mirror, so that an interval off the centre is right of it.
  if (high <= 0) return -truncatedStandardNormal(-high, -low, stream);
  if (low <= 0) {
    // Contains the centre. √(2π) is the length at which a uniform proposal wins.
    if (high - low > 2.5066282746310002) {
      for (;;) {
        const value = standardNormal(stream);
        if (value >= low && value <= high) return value;
      }
    }
    for (;;) {
      const value = low + (high - low) * stream.uniform();
      if (stream.uniform() <= exp((-value * value) / 2)) return value;
    }
  }
  const rate = (low + Math.sqrt(low * low + 4)) / 2;
  // A short interval: the density falls little over it.
  if ((high - low) * low < 1 && high - low < 1) {
    for (;;) {
      const value = low + (high - low) * stream.uniform();
      if (stream.uniform() <= exp((low * low - value * value) / 2)) return value;
    }
  }
  for (;;) {
    const value = low - log(1 - stream.uniform()) / rate;
    const accept = exp((-(value - rate) * (value - rate)) / 2);
    if (stream.uniform() <= accept && value <= high) return value;
  }
}

/** Angle in [−π, π] about 0 by the wrapped-Cauchy rejection of Best and Fisher (1979). */
function vonMisesAngle(kappa: number, stream: RandomStream): number {
  if (kappa < 1e-8) return TURN * stream.uniform() - PI;
  // From here on the normal limit is closer than the rounding of r below.
  if (kappa > 1e6) return standardNormal(stream) / Math.sqrt(kappa);
  const r = envelope(kappa);
  for (;;) {
    const z = cos(PI * stream.uniform());
    const f = (1 + r * z) / (r + z);
    const c = kappa * (r - f);
    const u = stream.uniform();
    const side = stream.uniform() < 0.5 ? -1 : 1;
    if (c * (2 - c) > u || log(c / u) + 1 - c >= 0) return side * acos(Math.min(1, Math.max(-1, f)));
  }
}

function envelope(kappa: number): number {
  // For small kappa the closed form subtracts nearly equal numbers.
  if (kappa < 1e-5) return 1 / kappa + kappa;
  const tau = 1 + Math.sqrt(1 + 4 * kappa * kappa);
  const rho = (tau - Math.sqrt(2 * tau)) / (2 * kappa);
  return (1 + rho * rho) / (2 * rho);
}

/** By inversion. */
function exponential(min: number, mean: number, max: number | undefined, stream: RandomStream): number {
  const scale = mean - min;
  const share = max === undefined ? 1 : 1 - exp((min - max) / scale);
  const value = min - scale * log(1 - share * stream.uniform());
  return max === undefined ? value : Math.min(max, value);
}

/** Poisson given at most `max`, by inversion with weights relative to the mode's, so that nothing underflows. */
function poisson(mean: number, max: number, stream: RandomStream): number {
  if (mean === 0) return 0;
  const mode = Math.min(max, Math.floor(mean));
  const weights = new Array<number>(max + 1).fill(0);
  weights[mode] = 1;
  for (let k = mode; k > 0; k--) weights[k - 1] = (weights[k] * k) / mean;
  for (let k = mode; k < max; k++) weights[k + 1] = (weights[k] * mean) / (k + 1);
  return drawIndex(weights, stream);
}
