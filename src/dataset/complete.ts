import { createHash } from 'node:crypto';
import { DatasetError } from '../errors.js';
import { ASSET_TABLE_PATH, readAssetTable, UsedAssets } from './assetTable.js';
import { ContentHash } from './contentHash.js';
import { describeDataset } from './describe/describe.js';
import { FileTally } from './describe/fileTally.js';
import { type DatasetStatistics, mergeTwo, parseStatistics } from './describe/statistics.js';
import { allEntries, entryLine, entryPath, finishedShards } from './entry.js';
import { finishContext } from './finishContext.js';
import { openFormat } from './formats/index.js';
import { type DatasetHeader, HEADER_PATH, infoOf, readHeader } from './header.js';
import { STAGING_FOLDER } from './localStorage.js';
import {
  type LicenceUse,
  MANIFEST_HASH_PATH,
  MANIFEST_PATH,
  type Manifest,
  manifestHashLine,
  readManifest,
} from './manifest.js';
import { shardsOf } from './plan.js';
import { PARTS_FOLDER, type StagedFile } from './staging.js';
import type { DatasetStorage } from './storage.js';

/** Counts of the whole dataset (`DatasetStatistics`). */
export const STATISTICS_PATH = '.metasim/statistics.json';

/** Ranges that an error names. */
const NAMED_RANGES = 8;

/** Which shards of a dataset are still to be made. */
export async function missingShards(storage: DatasetStorage, header: DatasetHeader): Promise<number[]> {
  const finished = new Set(await finishedShards(storage));
  return Array.from({ length: shardsOf(header) }, (_, i) => i).filter((shard) => !finished.has(shard));
}

/** Numbers in ascending order as text: `0–3, 7`. */
export function rangesOf(numbers: readonly number[]): string {
  const ranges: [number, number][] = [];
  for (const number of numbers) {
    const last = ranges.at(-1);
    if (last && last[1] === number - 1) last[1] = number;
    else ranges.push([number, number]);
  }
  const named = ranges.slice(0, NAMED_RANGES).map(([from, to]) => (from === to ? `${from}` : `${from}–${to}`));
  return named.join(', ') + (ranges.length > NAMED_RANGES ? ', …' : '');
}

/**
 * The end of a dataset: checks that every shard is there, writes the files that span them, the description, and the
 * manifest last. Does nothing where there is a manifest already; may run again after a crash.
 * @param licences of a dataset without an asset table: one that was converted
 * @throws DatasetError naming the shards that are missing
 */
export async function completeDataset(
  storage: DatasetStorage,
  licences: readonly LicenceUse[] = [],
): Promise<Manifest> {
  const header = await readHeader(storage);
  if (!header) throw new DatasetError(`Expected a dataset in ${storage.place} but received none (no ${HEADER_PATH})`);
  const present = await readManifest(storage);
  if (present) {
    await tidy(storage);
    return present;
  }
  const missing = await missingShards(storage, header);
  const shards = shardsOf(header);
  if (missing.length > 0) {
    throw new DatasetError(
      `Expected all ${shards} shards in ${storage.place} but ${missing.length} are missing: ${rangesOf(missing)}`,
    );
  }
  const { statistics, bytes, shardFiles, ...sums } = await sumUp(storage, header, licences);
  const files: StagedFile[] = [];
  const format = await openFormat(header.layout);
  const context = finishContext(storage, shards, header.count, (file) => files.push(file));
  await format.writer(infoOf(header)).finish(context);
  await context.write(STATISTICS_PATH, `${JSON.stringify(statistics)}\n`);
  const facts = { ...header, ...sums, shards };
  for (const [path, text] of Object.entries(
    describeDataset({ ...facts, info: infoOf(header), statistics, files, shardFiles }),
  )) {
    await context.write(path, text);
  }
  for (const path of [HEADER_PATH, ASSET_TABLE_PATH]) {
    const bytes = await storage.read(path);
    if (bytes) files.push({ path, bytes: bytes.length, sha256: createHash('sha256').update(bytes).digest('hex') });
  }
  const manifest: Manifest = {
    ...facts,
    bytes: files.reduce((sum, file) => sum + file.bytes, bytes),
    files: files.sort((a, b) => (a.path < b.path ? -1 : 1)),
  };
  const text = `${JSON.stringify(manifest, null, 2)}\n`;
  await storage.write(MANIFEST_HASH_PATH, manifestHashLine(text));
  await storage.write(MANIFEST_PATH, text);
  await tidy(storage);
  return manifest;
}

/** Removes what only an unfinished dataset needs, and what killed runs left; done again where a kill came before it. */
async function tidy(storage: DatasetStorage): Promise<void> {
  await storage.remove(PARTS_FOLDER);
  await storage.remove(STAGING_FOLDER);
}

/** What the entries of all shards say together. */
async function sumUp(storage: DatasetStorage, header: DatasetHeader, licences: readonly LicenceUse[]) {
  const content = new ContentHash();
  const entries = createHash('sha256');
  const table = await readAssetTable(storage);
  const used = new UsedAssets(table);
  const shardFiles = new FileTally();
  let statistics: DatasetStatistics | undefined;
  let bytes = 0;
  let quarantined = 0;
  for await (const entry of allEntries(storage, header)) {
    content.add(Buffer.from(entry.digests, 'base64'));
    entries.update(entryLine(entry));
    used.addBase64(entry.assets);
    const own = parseStatistics(entry.statistics, entryPath(entry.shard));
    statistics = statistics ? mergeTwo(statistics, own) : own;
    for (const file of entry.files) {
      bytes += file.bytes;
      shardFiles.add(file);
    }
    quarantined += entry.quarantined.length;
  }
  return {
    contentHash: content.digest(),
    entriesHash: entries.digest('hex'),
    bytes,
    quarantined,
    licences: table.length > 0 ? used.licences() : [...licences],
    statistics: statistics as DatasetStatistics,
    shardFiles,
  };
}
