import { STATISTICS_PATH } from './complete.js';
import { payloadOf, sampleDigest } from './contentHash.js';
import {
  type AttributeAxis,
  type Counts,
  type DatasetStatistics,
  parseStatistics,
  StatisticsCollector,
  totalOf,
} from './describe/statistics.js';
import type { DatasetReader } from './format.js';
import { openFormat, recogniseFormat } from './formats/index.js';
import { readHeader } from './header.js';
import { hasKeptRecords, withKeptRecords } from './keptRecords.js';
import { LocalStorage } from './localStorage.js';
import { readManifest } from './manifest.js';
import type { DatasetSample } from './sample.js';

export interface DiffOptions {
  /** Formats of the two; default: as they look. */
  readonly fromA?: string;
  readonly fromB?: string;
  readonly signal?: AbortSignal;
}

/** How often a class occurs. */
export interface ClassDifference {
  readonly class: string;
  /** Visible objects; undefined where a dataset does not have the class. */
  readonly a?: number;
  readonly b?: number;
  /** Share of all visible objects in b minus that in a. */
  readonly shareChange: number;
}

/** How differently an attribute of a class is distributed. */
export interface AttributeDifference {
  readonly class: string;
  readonly attribute: string;
  /** Total variation distance of the two histograms, 0 the same to 1 nothing in common. */
  readonly distance: number;
}

/** The first sample that is not the same in both. */
export interface SampleDifference {
  /** Position, from 0. */
  readonly position: number;
  readonly keyA?: string;
  readonly keyB?: string;
  /** Paths of fields that differ, e.g. `objects.1.pose.rotation`, `pixels`; a few at most. */
  readonly fields: readonly string[];
}

export interface DatasetDifference {
  /** Whether all samples are the same: pixels and labels. */
  readonly same: boolean;
  readonly countA: number;
  readonly countB: number;
  /** Sorted by how much their share changes. */
  readonly classes: readonly ClassDifference[];
  /** Sorted by distance; those of 0 left out. */
  readonly attributes: readonly AttributeDifference[];
  readonly first?: SampleDifference;
}

/** Differing fields of the first differing sample that are named. */
const NAMED_FIELDS = 10;

/**
 * Compares two datasets, of any formats, ours or anybody's: counts, class balance, attribute distributions, and the first
 * sample that differs. Counts of a finished dataset of ours come from its account; samples are read, up to the first that
 * differs.
 * @throws DatasetError when one cannot be read
 */
export async function diffDatasets(a: string, b: string, options: DiffOptions = {}): Promise<DatasetDifference> {
  const [left, right] = [await Side.open(a, options.fromA), await Side.open(b, options.fromB)];
  const axes = left.axes ?? right.axes ?? [];
  const [statisticsA, statisticsB] = [
    await left.statistics(axes, options.signal),
    await right.statistics(axes, options.signal),
  ];
  const position = await firstDifference(left, right, options.signal);
  const first = position === undefined ? undefined : await describeFirst(left, right, position, options.signal);
  return {
    same: position === undefined,
    countA: statisticsA.images,
    countB: statisticsB.images,
    classes: compareClasses(statisticsA, statisticsB),
    attributes: compareAttributes(statisticsA, statisticsB),
    ...(first ? { first } : {}),
  };
}

/** One of the two datasets. */
class Side {
  readonly #folder: string;
  readonly #open: () => Promise<DatasetReader>;
  /** Columns of the attributes, where the dataset says. */
  readonly axes: readonly AttributeAxis[] | undefined;
  readonly #finished: boolean;

  private constructor(
    folder: string,
    open: () => Promise<DatasetReader>,
    axes: readonly AttributeAxis[] | undefined,
    finished: boolean,
  ) {
    this.#folder = folder;
    this.#open = open;
    this.axes = axes;
    this.#finished = finished;
  }

  static async open(folder: string, from: string | undefined): Promise<Side> {
    const storage = new LocalStorage(folder);
    const header = await readHeader(storage);
    const name = from ?? header?.layout;
    const format = name ? await openFormat(name) : await recogniseFormat(folder);
    const kept = await hasKeptRecords(folder);
    const open = async () => {
      const reader = await format.open(folder);
      return kept ? withKeptRecords(reader, folder) : reader;
    };
    const finished = header !== undefined && (await readManifest(storage)) !== undefined;
    return new Side(folder, open, header?.attributes, finished);
  }

  async *samples(signal: AbortSignal | undefined): AsyncGenerator<DatasetSample, undefined, undefined> {
    yield* (await this.#open()).samples(signal ? { signal } : {});
    return undefined;
  }

  async statistics(axes: readonly AttributeAxis[], signal: AbortSignal | undefined): Promise<DatasetStatistics> {
    const kept = this.#finished ? await new LocalStorage(this.#folder).read(STATISTICS_PATH) : undefined;
    if (kept)
      return parseStatistics(JSON.parse(Buffer.from(kept).toString('utf8')), `${this.#folder}/${STATISTICS_PATH}`);
    const reader = await this.#open();
    const collector = new StatisticsCollector(reader.info, axes);
    for await (const { labels } of reader.samples(signal ? { signal } : {})) collector.add(labels);
    return collector.result();
  }

  /** Digests of the samples in order, of what the files hold: accounts say what was written, not what is there. */
  async *digests(signal: AbortSignal | undefined): AsyncGenerator<Uint8Array, undefined, undefined> {
    for await (const sample of this.samples(signal)) {
      yield sampleDigest(JSON.stringify(sample.labels), await payloadOf(sample));
    }
    return undefined;
  }
}

/** Position of the first sample that differs; undefined where none does. */
async function firstDifference(a: Side, b: Side, signal: AbortSignal | undefined): Promise<number | undefined> {
  const [left, right] = [a.digests(signal), b.digests(signal)];
  try {
    for (let position = 0; ; position++) {
      const [one, other] = [await left.next(), await right.next()];
      if (one.done && other.done) return undefined;
      if (one.done || other.done || Buffer.compare(one.value, other.value) !== 0) return position;
    }
  } finally {
    await left.return(undefined);
    await right.return(undefined);
  }
}

async function describeFirst(
  a: Side,
  b: Side,
  position: number,
  signal: AbortSignal | undefined,
): Promise<SampleDifference> {
  const [one, other] = [await sampleAt(a, position, signal), await sampleAt(b, position, signal)];
  const fields: string[] = [];
  if (one && other) {
    compareValues(one.labels, other.labels, '', fields);
    const [left, right] = [await payloadOf(one), await payloadOf(other)];
    if (fields.length < NAMED_FIELDS && Buffer.compare(left, right) !== 0) fields.push('pixels');
  }
  return {
    position,
    ...(one ? { keyA: one.labels.key } : {}),
    ...(other ? { keyB: other.labels.key } : {}),
    fields,
  };
}

/** A sample with arrays of its own. */
async function sampleAt(side: Side, position: number, signal: AbortSignal | undefined) {
  let at = 0;
  for await (const sample of side.samples(signal)) {
    if (at++ === position) return structuredClone(sample);
  }
  return undefined;
}

/** Adds the paths at which two JSON values differ. */
function compareValues(a: unknown, b: unknown, path: string, fields: string[]): void {
  if (fields.length >= NAMED_FIELDS || Object.is(a, b)) return;
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) {
    fields.push(path);
    return;
  }
  const [left, right] = [a as Record<string, unknown>, b as Record<string, unknown>];
  for (const key of new Set([...Object.keys(left), ...Object.keys(right)])) {
    compareValues(left[key], right[key], path ? `${path}.${key}` : key, fields);
  }
}

function compareClasses(a: DatasetStatistics, b: DatasetStatistics): ClassDifference[] {
  const objects = (of: DatasetStatistics) => new Map(of.classes.map((each) => [each.name, each.objects]));
  const [left, right] = [objects(a), objects(b)];
  const total = (map: ReadonlyMap<string, number>) =>
    Math.max(
      1,
      [...map.values()].reduce((sum, n) => sum + n, 0),
    );
  const [totalA, totalB] = [total(left), total(right)];
  return [...new Set([...left.keys(), ...right.keys()])]
    .map((name): ClassDifference => {
      const [inA, inB] = [left.get(name), right.get(name)];
      return {
        class: name,
        ...(inA === undefined ? {} : { a: inA }),
        ...(inB === undefined ? {} : { b: inB }),
        shareChange: (inB ?? 0) / totalB - (inA ?? 0) / totalA,
      };
    })
    .sort((one, other) => Math.abs(other.shareChange) - Math.abs(one.shareChange));
}

function compareAttributes(a: DatasetStatistics, b: DatasetStatistics): AttributeDifference[] {
  const found: AttributeDifference[] = [];
  for (const one of a.classes) {
    const other = b.classes.find(({ name }) => name === one.name);
    for (const [i, { name }] of a.attributes.entries()) {
      const j = b.attributes.findIndex((axis) => axis.name === name);
      if (!other || j < 0) continue;
      const distance = totalVariation(one.attributes[i], other.attributes[j]);
      if (distance > 0) found.push({ class: one.name, attribute: name, distance });
    }
  }
  return found.sort((one, other) => other.distance - one.distance);
}

/** Half the sum of the differences of the bins' shares; 0 where one has no values. */
function totalVariation(a: Counts, b: Counts): number {
  const [totalA, totalB] = [totalOf(a), totalOf(b)];
  if (totalA === 0 || totalB === 0) return 0;
  let sum = 0;
  for (const bin of new Set([...Object.keys(a), ...Object.keys(b)])) {
    sum += Math.abs((a[bin] ?? 0) / totalA - (b[bin] ?? 0) / totalB);
  }
  return sum / 2;
}
