import type { ShiftSurveyConfig } from '../config.js';
import { ShapeError } from '../errors.js';
import { RandomStream } from '../random.js';
import type { FeatureLayout } from '../scene/features.js';
import type { SceneBatch } from '../scene/sceneGraph.js';
import { mmdGradientOfUnits, mmdOfUnits, type SurveySetting } from './surveyEvaluation.js';

/** Two candidates are different starts when they are this far apart, as a fraction of the range. */
const APART = 0.08;
/** First steps of the descents, as fractions of the range: along the basin, then at its bottom. */
const COARSE = 0.03;
const FINE = 0.005;
/** Half-step of the central differences on the way along the basin, px: long enough not to see the notches in its walls. */
const COARSE_DELTA = 0.5;
/** Steps of the search without gradient that ends the survey, as fractions of the range, and sweeps with each. */
const SEARCH_STEPS = [0.016, 0.008, 0.004, 0.002, 0.001];
const SWEEPS = 2;

/** What a survey needs. */
export interface WarmStartOptions extends SurveySetting {
  readonly config: ShiftSurveyConfig;
}

/** One set of offsets and how well the scenes moved by it match the target. */
export interface SurveyCandidate {
  /** [A] shift of each attribute, as a fraction of its range; 0 where nothing is mutable. */
  readonly offsets: readonly number[];
  /** MMD² of the shifted scenes. */
  readonly mmd: number;
}

/** Outcome of a survey; `survey[0]` is the grammar itself (no offset). */
export interface ShiftSurveyResult {
  readonly kind: 'survey';
  readonly best: SurveyCandidate;
  readonly survey: readonly SurveyCandidate[];
  readonly refined: readonly SurveyCandidate[];
}

/**
 * Chooses where meta-training starts. MMD² as a function of a global shift of the mutable attributes has false minima
 * and ridges (a digit turned by the target angle ± 180° looks nearly right), which no local method leaves. So the
 * shift is surveyed first: `candidates` points of a low-discrepancy sequence over the attribute ranges are compared
 * on the same scenes, the best few that lie apart are followed downhill through the perturbation gradient, the better
 * ones of those once more with short steps and then by trying each attribute a little to either side, and the best point
 * is what pre-training learns to add (docs/DEVIATIONS.md). One shift is shared by all nodes whose attribute is mutable.
 * @throws the signal's reason when aborted
 */
export async function surveyOffsets(options: WarmStartOptions): Promise<ShiftSurveyResult> {
  const { source, config, layout, seed, signal } = options;
  const batch = await source.sampleBatch({ seed, start: 0, count: config.scenes });
  const active = mutableAttributes(layout, batch);
  const columns = layout.schema.attributes.length;
  const finalists = Math.ceil(config.refine / 2);
  const searches = finalists * SEARCH_STEPS.length * SWEEPS * 2 * active.length;
  const total = config.candidates + (config.refine + finalists) * config.steps + searches;
  let done = 0;
  let lowest = Number.POSITIVE_INFINITY;
  const progress = (value: number) => {
    lowest = Math.min(lowest, value);
    options.onProgress?.(++done / Math.max(1, total), lowest);
  };

  const survey: SurveyCandidate[] = [];
  for (const offsets of candidateOffsets(active, columns, config.candidates, seed)) {
    signal?.throwIfAborted();
    const { value } = await evaluate(options, batch, offsets, false);
    survey.push({ offsets, mmd: value });
    progress(value);
  }

  const refined: SurveyCandidate[] = [];
  for (const start of distinct(layout, survey, config.refine)) {
    const coarse = { ...options, pixelDelta: Math.max(COARSE_DELTA, options.pixelDelta) };
    refined.push(await descend(coarse, batch, start, COARSE, progress));
  }
  // Near an optimum MMD² can be a narrow notch (sprites that fall on whole pixels are crisp, all others are blurred a
  // little), so the better ones are compared at its bottom, not on its walls.
  for (const start of distinct(layout, refined, finalists)) {
    const near = await descend(options, batch, start, FINE, progress);
    refined.push(await searchAround(options, batch, near, active, progress));
  }
  // Fewer starts than asked for lie apart: less to do than counted on.
  if (done < total) options.onProgress?.(1, lowest);
  const best = [...survey, ...refined].reduce((a, b) => (b.mmd < a.mmd ? b : a));
  return { kind: 'survey', best, survey, refined };
}

/** Columns that at least one node of the batch may change. */
function mutableAttributes(layout: FeatureLayout, batch: SceneBatch): number[] {
  const columns = layout.schema.attributes.length;
  const active = new Set<number>();
  for (const scene of batch.scenes) {
    for (let i = 0; i < scene.mutable.length; i++) if (scene.mutable[i]) active.add(i % columns);
  }
  return [...active].sort((a, b) => a - b);
}

/**
 * No offset, then points of Roberts' R_d sequence (the golden ratio's generalisation to d dimensions) in
 * [−½, ½)^d, shifted by the seed.
 */
function candidateOffsets(active: readonly number[], columns: number, count: number, seed: number): number[][] {
  const dimensions = active.length;
  let root = 2;
  for (let i = 0; i < 64; i++) root = (1 + root) ** (1 / (dimensions + 1));
  const stream = new RandomStream({ seed, index: 0, node: 65535, attribute: 65535 });
  const shift = active.map(() => stream.uniform());
  return Array.from({ length: count }, (_, n) => {
    const offsets = new Array<number>(columns).fill(0);
    if (n === 0) return offsets;
    for (const [k, column] of active.entries()) {
      const position = shift[k] + n * root ** -(k + 1);
      offsets[column] = position - Math.floor(position) - 0.5;
    }
    return offsets;
  });
}

/**
 * The best candidates that lie apart from each other: at least one attribute differs by `APART` of its range, the short
 * way round for a periodic one. Several starts in one basin would leave none for the next.
 */
function distinct(layout: FeatureLayout, survey: readonly SurveyCandidate[], count: number): SurveyCandidate[] {
  const chosen: SurveyCandidate[] = [];
  for (const candidate of [...survey].sort((a, b) => a.mmd - b.mmd)) {
    if (chosen.length === count) break;
    const isApart = chosen.every((other) =>
      candidate.offsets.some((offset, a) => {
        const difference = Math.abs(offset - other.offsets[a]);
        return (layout.periodic[a] ? Math.min(difference, 1 - difference) : difference) >= APART;
      }),
    );
    if (isApart) chosen.push(candidate);
  }
  return chosen;
}

/** Adam on the offsets alone, its step falling tenfold on the way; returns the best point visited. */
async function descend(
  options: WarmStartOptions,
  batch: SceneBatch,
  start: SurveyCandidate,
  firstStep: number,
  progress: (value: number) => void,
): Promise<SurveyCandidate> {
  const { steps } = options.config;
  const offsets = [...start.offsets];
  const mean = offsets.map(() => 0);
  const square = offsets.map(() => 0);
  let best = start;
  for (let step = 0; step < steps; step++) {
    options.signal?.throwIfAborted();
    const { value, gradient } = await evaluate(options, batch, offsets, true);
    if (value < best.mmd) best = { offsets: [...offsets], mmd: value };
    const rate = firstStep * 10 ** (-step / Math.max(1, steps - 1));
    for (let a = 0; a < offsets.length; a++) {
      mean[a] = 0.7 * mean[a] + 0.3 * gradient[a];
      square[a] = 0.9 * square[a] + 0.1 * gradient[a] ** 2;
      const unbiasedMean = mean[a] / (1 - 0.7 ** (step + 1));
      const unbiasedSquare = square[a] / (1 - 0.9 ** (step + 1));
      if (unbiasedSquare > 0) offsets[a] -= (rate * unbiasedMean) / Math.sqrt(unbiasedSquare);
    }
    progress(value);
  }
  const { value } = await evaluate(options, batch, offsets, false);
  return value < best.mmd ? { offsets, mmd: value } : best;
}

/**
 * Compass search: each mutable attribute in turn a step to either side, with shorter and shorter steps. The gradient
 * cannot see past the wall of a notch; this can.
 */
async function searchAround(
  options: WarmStartOptions,
  batch: SceneBatch,
  start: SurveyCandidate,
  active: readonly number[],
  progress: (value: number) => void,
): Promise<SurveyCandidate> {
  let best = start;
  for (const step of SEARCH_STEPS) {
    for (let sweep = 0; sweep < SWEEPS; sweep++) {
      const before = best;
      for (const column of active) {
        for (const move of [step, -step]) {
          options.signal?.throwIfAborted();
          const offsets = best.offsets.with(column, best.offsets[column] + move);
          const { value } = await evaluate(options, batch, offsets, false);
          if (value < best.mmd) best = { offsets, mmd: value };
          progress(value);
        }
      }
      if (best === before) break;
    }
  }
  return best;
}

/** MMD² of the batch moved by `offsets`, and its gradient with respect to them [A] when asked for. */
async function evaluate(
  options: WarmStartOptions,
  batch: SceneBatch,
  offsets: readonly number[],
  withGradient: boolean,
): Promise<{ value: number; gradient: number[] }> {
  const columns = options.layout.schema.attributes.length;
  if (offsets.length !== columns) {
    throw new ShapeError(`Expected ${columns} offsets but received ${offsets.length}`);
  }
  const units = shiftUnits(options.layout, batch, offsets);
  const sums = new Array<number>(columns).fill(0);
  if (!withGradient) return { value: await mmdOfUnits(options, batch, units), gradient: sums };
  const { value, gradient } = await mmdGradientOfUnits(options, batch, units);
  for (let i = 0; i < gradient.length; i++) sums[i % columns] += gradient[i];
  return { value, gradient: sums };
}

/** The batch's attributes in units of their ranges [B, V, A], each plus its column's offset. */
export function shiftUnits(layout: FeatureLayout, batch: SceneBatch, offsets: readonly number[]): Float32Array {
  const units = layout.units(batch);
  const columns = offsets.length;
  for (let i = 0; i < units.length; i++) units[i] += offsets[i % columns];
  return units;
}
