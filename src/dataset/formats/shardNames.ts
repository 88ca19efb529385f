import { DatasetError } from '../../errors.js';
import type { DatasetFolder } from './datasetFolder.js';

/** Digits of the numbers in a shard's name, as TensorFlow and Hugging Face write them; more where they are needed. */
const DIGITS = 5;
/** Shards of one dataset at most, so that a name cannot ask for an endless list of missing ones. */
const MAX_SHARDS = 1_000_000;
const SPLIT = /(?:^|[-_.])(train|training|test|testing|val|valid|validation|dev|eval)$/i;

/** Files of a dataset that is cut in shards, all of them, in the order of their numbers. */
export interface ShardFiles {
  /** Name of the split, as far as the files' names have one, else `train`. */
  readonly split: string;
  /** Paths relative to the dataset. */
  readonly paths: readonly string[];
}

interface ParsedName {
  readonly name: string;
  readonly stem: string;
  readonly shard?: number;
  readonly shards?: number;
}

/** `train-00003-of-00010.tfrecord`. */
export function shardFileName(split: string, shard: number, shards: number, extension: string): string {
  const number = (value: number) => String(value).padStart(DIGITS, '0');
  return `${split}-${number(shard)}-of-${number(shards)}.${extension}`;
}

/**
 * Whether a file's name is one of a shard, or of a whole: `⟨split⟩-00003-of-00010.⟨ext⟩` (Hugging Face's may have a hash
 * behind the number), `⟨split⟩.⟨ext⟩-00003-of-00010` as TensorFlow writes it, or `⟨anything⟩.⟨ext⟩`.
 * @param extensions as a part of a regular expression, e.g. `tfrecords?|record`
 */
export function isShardName(name: string, extensions: string): boolean {
  return parseName(name, extensions) !== undefined;
}

/**
 * The shards in a folder of a dataset.
 * @param below the folder, relative to the dataset; `.` for the dataset itself
 * @returns undefined where there are no such files
 * @throws DatasetError when shards are missing or doubled, or there are several splits
 */
export async function findShards(
  folder: DatasetFolder,
  below: string,
  extensions: string,
): Promise<ShardFiles | undefined> {
  const { files } = await folder.names(below);
  const parsed = files.map((name) => parseName(name, extensions)).filter((name) => name !== undefined);
  if (parsed.length === 0) return undefined;
  const place = folder.at(below);
  const split = onlySplit(parsed, place);
  const numbered = parsed.filter(({ shards }) => shards !== undefined);
  if (numbered.length > 0) expectComplete(numbered, parsed, place);
  const ordered = numbered.length > 0 ? numbered.toSorted((a, b) => a.shard! - b.shard!) : parsed;
  return { split, paths: ordered.map(({ name }) => (below === '.' ? name : `${below}/${name}`)) };
}

function parseName(name: string, extensions: string): ParsedName | undefined {
  const forms = [
    `^(?<stem>.+)-(?<shard>\\d{1,9})-of-(?<shards>\\d{1,9})(?:-[0-9a-f]+)?\\.(?:${extensions})$`,
    `^(?<stem>.+)\\.(?:${extensions})-(?<shard>\\d{1,9})-of-(?<shards>\\d{1,9})$`,
    `^(?<stem>.+)\\.(?:${extensions})$`,
  ];
  for (const form of forms) {
    const groups = new RegExp(form, 'i').exec(name)?.groups;
    if (!groups) continue;
    if (groups.shards === undefined) return { name, stem: groups.stem };
    return { name, stem: groups.stem, shard: Number(groups.shard), shards: Number(groups.shards) };
  }
  return undefined;
}

/** @throws DatasetError when the names are of several splits */
function onlySplit(names: readonly ParsedName[], place: string): string {
  const stems = new Set(names.map(({ stem, shards }) => (shards === undefined ? (SPLIT.exec(stem)?.[1] ?? '') : stem)));
  if (stems.size > 1) {
    const list = [...new Set(names.map(({ stem }) => stem))].slice(0, 8).join(', ');
    throw new DatasetError(
      `Expected the files of one split in ${place} but received ${list}; put those of one into a folder of their own`,
    );
  }
  const [stem] = stems;
  return SPLIT.exec(stem)?.[1].toLowerCase() ?? (/^[A-Za-z0-9_-]{1,64}$/.test(stem) ? stem : 'train');
}

/** Every number from 0 to the last, once. */
function expectComplete(numbered: readonly ParsedName[], all: readonly ParsedName[], place: string): void {
  const shards = numbered[0].shards!;
  const stray = all.find((name) => name.shards !== shards);
  if (stray || shards > MAX_SHARDS) {
    throw new DatasetError(
      `Expected shards of one dataset in ${place} but received ${(stray ?? numbered[0]).name} too`,
    );
  }
  const seen = new Map<number, string>();
  for (const { name, shard } of numbered) {
    const other = seen.get(shard!);
    if (other !== undefined || shard! >= shards) {
      throw new DatasetError(`Expected shards 0 to ${shards - 1} once each in ${place} but received ${name}`);
    }
    seen.set(shard!, name);
  }
  if (seen.size === shards) return;
  const missing = Array.from({ length: shards }, (_, i) => i).find((i) => !seen.has(i));
  throw new DatasetError(
    `Expected ${shards} shards in ${place} but received ${seen.size}: number ${missing} is missing`,
  );
}
