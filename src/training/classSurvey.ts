import type { ClassSurveyConfig } from '../config.js';
import type { SceneBatch } from '../scene/sceneGraph.js';
import { type ClassMap, identityMaps, mapUnits } from './classMaps.js';
import { mmdOfUnits, type SurveySetting } from './surveyEvaluation.js';

/** Spread with which places along a range are compared: small enough that what is there decides. */
const GATHERED = 0.1;
/** Spreads that are then tried at the best place. */
const SPREADS = [0.03, 0.25, 0.5, 1];
/** Steps of the last search: of the shift as fractions of the range, and factors of the spread. */
const SHIFT_STEPS = [0.04, 0.02, 0.01];
const SPREAD_FACTOR = 1.6;
/** A sweep that lowers MMD² by less than this share is the last. */
const WORTHWHILE = 0.01;

export interface ClassSurveyOptions extends SurveySetting {
  readonly config: ClassSurveyConfig;
}

/** One change that the survey made. */
export interface ClassSurveyStep {
  readonly map: ClassMap;
  /** MMD² with it. */
  readonly mmd: number;
}

/** Outcome of a survey by class. */
export interface ClassSurveyResult {
  readonly kind: 'classes';
  /** MMD² of the grammar itself. */
  readonly grammarMmd: number;
  readonly best: { readonly maps: readonly ClassMap[]; readonly mmd: number };
  /** Every change that was kept, in order. */
  readonly steps: readonly ClassSurveyStep[];
}

/**
 * Chooses where meta-training starts when what the grammar gets wrong differs between classes, or is how much an
 * attribute varies and not where its middle lies: cars that head anywhere have to be aligned, and no common shift does
 * that. At such a grammar MMD² is almost flat, and its gradient points the right way for hardly more objects than a coin
 * would; compared as a whole the sets of images differ plainly. So each (class, attribute) in turn is gathered at
 * `positions` places along its range, spread out again at the best one, and moved as it is; the best of these is kept if
 * it lowers MMD². The attribute that gains most comes first, sweeps are repeated because what is best for one class
 * depends on the others, and short steps end the search. It uses nothing but unlabelled target images.
 * @throws the signal's reason when aborted
 */
export async function surveyClasses(options: ClassSurveyOptions): Promise<ClassSurveyResult> {
  const { source, config, layout, seed } = options;
  const batch = await source.sampleBatch({ seed, start: 0, count: config.scenes });
  const maps = identityMaps(layout, batch);
  const search = new Search(options, batch, maps);
  await search.start();
  const grammarMmd = search.mmd;
  const gains: { index: number; gain: number }[] = [];
  for (const index of maps.keys()) gains.push({ index, gain: search.mmd - (await search.scan(index)).mmd });
  gains.sort((a, b) => b.gain - a.gain);
  for (let sweep = 0; sweep < config.sweeps; sweep++) {
    const before = search.mmd;
    for (const { index } of gains) search.keep(index, await search.scan(index));
    if (before - search.mmd < WORTHWHILE * before) break;
  }
  for (const step of SHIFT_STEPS) {
    for (const { index } of gains) search.keep(index, await search.adjust(index, step));
  }
  search.end();
  return { kind: 'classes', grammarMmd, best: { maps: search.maps, mmd: search.mmd }, steps: search.steps };
}

/** The maps as they stand, and what is tried from there. */
class Search {
  readonly steps: ClassSurveyStep[] = [];
  readonly #options: ClassSurveyOptions;
  readonly #batch: SceneBatch;
  #maps: readonly ClassMap[];
  #mmd = Number.POSITIVE_INFINITY;
  #done = 0;
  readonly #total: number;

  constructor(options: ClassSurveyOptions, batch: SceneBatch, maps: readonly ClassMap[]) {
    this.#options = options;
    this.#batch = batch;
    this.#maps = maps;
    const { positions, sweeps } = options.config;
    const scan = 2 * positions + SPREADS.length;
    this.#total = 1 + maps.length * (scan * (1 + sweeps) + 4 * SHIFT_STEPS.length);
  }

  get maps(): readonly ClassMap[] {
    return this.#maps;
  }

  get mmd(): number {
    return this.#mmd;
  }

  async start(): Promise<void> {
    this.#mmd = await this.#evaluate(this.#maps);
  }

  /** Fewer evaluations than counted on may have been needed. */
  end(): void {
    if (this.#done < this.#total) this.#options.onProgress?.(1, this.#mmd);
  }

  /** The best of what is tried for one map, the others as they are. */
  async scan(index: number): Promise<ClassSurveyStep> {
    const { positions } = this.#options.config;
    const map = this.#maps[index];
    const places = Array.from({ length: positions }, (_, i) => (i + 0.5) / positions - map.centre);
    const gathered = await this.#best(
      index,
      places.map((shift) => ({ ...map, shift, spread: GATHERED })),
    );
    const spread = await this.#best(
      index,
      SPREADS.map((value) => ({ ...gathered.map, spread: value })),
    );
    const moved = await this.#best(
      index,
      places.map((shift) => ({ ...map, shift })),
    );
    return [spread, moved].reduce((a, b) => (b.mmd < a.mmd ? b : a), gathered);
  }

  /** The best of a step to either side and of a little more or less spread. */
  adjust(index: number, step: number): Promise<ClassSurveyStep> {
    const map = this.#maps[index];
    return this.#best(index, [
      { ...map, shift: map.shift - step },
      { ...map, shift: map.shift + step },
      { ...map, spread: map.spread / SPREAD_FACTOR },
      { ...map, spread: map.spread * SPREAD_FACTOR },
    ]);
  }

  /** Takes a step if it lowers MMD². */
  keep(index: number, step: ClassSurveyStep): void {
    if (!(step.mmd < this.#mmd)) return;
    this.#maps = this.#maps.with(index, step.map);
    this.#mmd = step.mmd;
    this.steps.push(step);
  }

  async #best(index: number, candidates: readonly ClassMap[]): Promise<ClassSurveyStep> {
    let best: ClassSurveyStep | undefined;
    for (const map of candidates) {
      const mmd = await this.#evaluate(this.#maps.with(index, map));
      if (!best || mmd < best.mmd) best = { map, mmd };
    }
    return best as ClassSurveyStep;
  }

  async #evaluate(maps: readonly ClassMap[]): Promise<number> {
    this.#options.signal?.throwIfAborted();
    const value = await mmdOfUnits(this.#options, this.#batch, mapUnits(this.#options.layout, this.#batch, maps));
    this.#options.onProgress?.(++this.#done / this.#total, Math.min(value, this.#mmd));
    return value;
  }
}
