import { z } from 'zod';
import { DatasetError } from '../errors.js';
import { DIGEST_BYTES } from './contentHash.js';
import { type DatasetHeader, parseJson } from './header.js';
import { shardRange, shardsOf } from './plan.js';
import { PARTS_FOLDER, partName } from './staging.js';
import type { DatasetStorage } from './storage.js';

/** Where the entries of shards lie. */
export const ENTRIES_FOLDER = '.metasim/shards';

const natural = z.number().int().min(0).max(Number.MAX_SAFE_INTEGER);
const file = z.strictObject({ path: z.string(), bytes: natural, sha256: z.string().regex(/^[0-9a-f]{64}$/) });

const quarantineSchema = z.strictObject({
  /** Number of the image that another scene stands in for. */
  number: natural,
  /** The scene that could not be made. */
  index: natural,
  code: z.string(),
  message: z.string(),
});

/** A scene that could not be sampled or rendered; its scene graph lies in `.metasim/quarantine`, where there is one. */
export type QuarantinedScene = z.output<typeof quarantineSchema>;

const entrySchema = z.strictObject({
  shard: natural,
  /** Number of its first image in the dataset, and how many it has. */
  first: natural,
  count: natural,
  /** The samples' digests in order, 32 bytes each, base64. */
  digests: z.base64(),
  /** Files at their places, sorted by path. */
  files: z.array(file),
  /** Parts that wait for the end of the dataset. */
  parts: z.array(file),
  /** Assets that were drawn: one bit for each of the dataset's asset table, lowest first, base64. */
  assets: z.base64(),
  statistics: z.unknown(),
  quarantined: z.array(quarantineSchema),
});

/**
 * What is known of a finished shard: the manifest's line for it, in a file of its own, so that many machines can add
 * lines at once. It is written last: a shard without it does not exist.
 */
export type ShardEntry = z.output<typeof entrySchema>;

/** Path of a shard's entry. */
export function entryPath(shard: number): string {
  return `${ENTRIES_FOLDER}/${partName(shard)}.json`;
}

/** One line of JSON. */
export function entryLine(entry: ShardEntry): string {
  return `${JSON.stringify(entry)}\n`;
}

/** Numbers of the shards that are finished, in order. */
export async function finishedShards(storage: DatasetStorage): Promise<number[]> {
  const numbers = (await storage.list(ENTRIES_FOLDER)).map((path) => /\/(\d{6,})\.json$/.exec(path)?.[1]);
  return numbers
    .filter((number) => number !== undefined)
    .map(Number)
    .sort((a, b) => a - b);
}

/**
 * The entry of a shard; undefined where it is not finished.
 * @throws ConfigError or DatasetError when it is damaged or does not fit the header
 */
export async function readEntry(
  storage: DatasetStorage,
  header: DatasetHeader,
  shard: number,
): Promise<ShardEntry | undefined> {
  const path = entryPath(shard);
  const bytes = await storage.read(path);
  if (!bytes) return undefined;
  const entry = parseJson(bytes, entrySchema, `${storage.place}/${path}`);
  const { first, count } = shardRange(header, shard);
  const digests = Buffer.from(entry.digests, 'base64').length / DIGEST_BYTES;
  if (entry.shard !== shard || entry.first !== first || entry.count !== count || digests !== count) {
    throw new DatasetError(
      `Expected images ${first} to ${first + count - 1} with ${count} digests for shard ${shard} ` +
        `but received ${entry.count} from ${entry.first} with ${digests} (shard ${entry.shard}) in ${storage.place}/${path}`,
    );
  }
  return entry;
}

/** The entries of all shards in order. @throws DatasetError when one is missing */
export async function* allEntries(storage: DatasetStorage, header: DatasetHeader): AsyncGenerator<ShardEntry> {
  for (let shard = 0; shard < shardsOf(header); shard++) {
    const entry = await readEntry(storage, header, shard);
    if (!entry) throw new DatasetError(`Expected shard ${shard} to be finished in ${storage.place} but it is not`);
    yield entry;
  }
}

/** Whether a path is a shard's part, not a file at its place. */
export function isPart(path: string): boolean {
  return path.startsWith(`${PARTS_FOLDER}/`);
}
