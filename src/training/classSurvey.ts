import type { ClassSurveyConfig } from '../config.js';
import type { SceneBatch } from '../scene/sceneGraph.js';
import { type ClassMap, identityMaps, mapUnits } from './classMaps.js';
import { mmdOfUnits, type SurveySetting } from './surveyEvaluation.js';

/** Spread with which places along a range are compared: small enough that what is there decides. */
const GATHERED = 0.1;
/** Spreads that are then tried at the best place. */
const SPREADS = [0.03, 0.25, 0.5, 1];
/** Steps of the last search: of shift and gap as fractions of the range, and factors of the spread. */
const STEPS = [0.04, 0.02, 0.01];
const SPREAD_FACTOR = 1.6;
/** Shares by which a change must lower MMD², on the scenes that it was found on and on others. */
const WORTHWHILE = { scan: 0.02, adjust: 0.005 };

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
 * `positions` places along its range, or at two places to either side of its middle, and spread out again at the best of
 * them. What lowers MMD² is kept if it does so on other scenes too: a change that only suits the few scenes at hand would
 * cost variety for nothing. The attribute that gains most comes first, sweeps are repeated because what is best for one
 * class depends on the others, and short steps end the search. It uses nothing but unlabelled target images.
 * @throws the signal's reason when aborted
 */
export async function surveyClasses(options: ClassSurveyOptions): Promise<ClassSurveyResult> {
  const { source, config, layout, seed } = options;
  const { scenes, sweeps } = config;
  const [batch, others] = await Promise.all(
    [0, scenes].map((start) => source.sampleBatch({ seed, start, count: scenes })),
  );
  const search = new Search(options, batch, others, identityMaps(layout, batch));
  const grammarMmd = await search.start();
  const gains: { index: number; lowest: number }[] = [];
  for (const index of search.maps.keys()) gains.push({ index, lowest: (await search.scan(index)).mmd });
  gains.sort((a, b) => a.lowest - b.lowest);
  for (let sweep = 0; sweep < sweeps; sweep++) {
    let changed = false;
    for (const { index } of gains) {
      if (await search.keep(index, await search.scan(index), WORTHWHILE.scan)) changed = true;
    }
    if (!changed) break;
  }
  for (const step of STEPS) {
    for (const { index } of gains) await search.keep(index, await search.adjust(index, step), WORTHWHILE.adjust);
  }
  search.end();
  return { kind: 'classes', grammarMmd, best: { maps: search.maps, mmd: search.mmd }, steps: search.steps };
}

/** The maps as they stand, and what is tried from there. */
class Search {
  readonly steps: ClassSurveyStep[] = [];
  readonly #options: ClassSurveyOptions;
  readonly #batch: SceneBatch;
  readonly #others: SceneBatch;
  #maps: readonly ClassMap[];
  /** MMD² of both batches. */
  #mmd = Number.POSITIVE_INFINITY;
  #othersMmd = Number.POSITIVE_INFINITY;
  #done = 0;
  readonly #total: number;

  constructor(options: ClassSurveyOptions, batch: SceneBatch, others: SceneBatch, maps: readonly ClassMap[]) {
    this.#options = options;
    this.#batch = batch;
    this.#others = others;
    this.#maps = maps;
    const { positions, sweeps } = options.config;
    const scan = positions + Math.floor(positions / 2) + SPREADS.length;
    this.#total = 2 + maps.length * ((scan + 1) * (1 + sweeps) + 7 * STEPS.length);
  }

  get maps(): readonly ClassMap[] {
    return this.#maps;
  }

  get mmd(): number {
    return this.#mmd;
  }

  /** @returns MMD² of the grammar itself */
  async start(): Promise<number> {
    this.#mmd = await this.#evaluate(this.#maps, this.#batch);
    this.#othersMmd = await this.#evaluate(this.#maps, this.#others);
    return this.#mmd;
  }

  /** Fewer evaluations than counted on may have been needed. */
  end(): void {
    if (this.#done < this.#total) this.#options.onProgress?.(1, this.#mmd);
  }

  /** The best of what is tried for one map, the others as they are. */
  async scan(index: number): Promise<ClassSurveyStep> {
    const { positions } = this.#options.config;
    const map = { ...this.#maps[index], shift: 0, gap: 0 };
    const places = Array.from({ length: positions }, (_, i) => (i + 0.5) / positions);
    const gathered = await this.#best(index, [
      ...places.map((place) => ({ ...map, shift: place - map.centre, spread: GATHERED })),
      ...places.slice(0, Math.floor(positions / 2)).map((gap) => ({ ...map, gap, spread: GATHERED })),
    ]);
    const spread = await this.#best(
      index,
      SPREADS.map((value) => ({ ...gathered.map, spread: value })),
    );
    return spread.mmd < gathered.mmd ? spread : gathered;
  }

  /** The best of a step to either side and of a little more or less spread. */
  adjust(index: number, step: number): Promise<ClassSurveyStep> {
    const map = this.#maps[index];
    return this.#best(index, [
      { ...map, shift: map.shift - step },
      { ...map, shift: map.shift + step },
      { ...map, gap: Math.max(0, map.gap - step) },
      { ...map, gap: map.gap + step },
      { ...map, spread: map.spread / SPREAD_FACTOR },
      { ...map, spread: map.spread * SPREAD_FACTOR },
    ]);
  }

  /** Takes a step if it lowers MMD² by the share `by`, on the other scenes too. */
  async keep(index: number, step: ClassSurveyStep, by: number): Promise<boolean> {
    if (!(step.mmd < (1 - by) * this.#mmd)) return false;
    const maps = this.#maps.with(index, step.map);
    const othersMmd = await this.#evaluate(maps, this.#others);
    if (!(othersMmd < (1 - by / 2) * this.#othersMmd)) return false;
    this.#maps = maps;
    this.#mmd = step.mmd;
    this.#othersMmd = othersMmd;
    this.steps.push(step);
    return true;
  }

  async #best(index: number, candidates: readonly ClassMap[]): Promise<ClassSurveyStep> {
    let best: ClassSurveyStep | undefined;
    for (const map of candidates) {
      const mmd = await this.#evaluate(this.#maps.with(index, map), this.#batch);
      if (!best || mmd < best.mmd) best = { map, mmd };
    }
    return best as ClassSurveyStep;
  }

  async #evaluate(maps: readonly ClassMap[], batch: SceneBatch): Promise<number> {
    this.#options.signal?.throwIfAborted();
    const value = await mmdOfUnits(this.#options, batch, mapUnits(this.#options.layout, batch, maps));
    this.#options.onProgress?.(++this.#done / this.#total, Math.min(value, this.#mmd));
    return value;
  }
}
