import { claimAssetTable, readAssetTable } from '../dataset/assetTable.js';
import { completeDataset } from '../dataset/complete.js';
import { entryLine, entryPath, finishedShards, readEntry, type ShardEntry } from '../dataset/entry.js';
import { claimHeader, expectSameHeader, HEADER_PATH, readHeader } from '../dataset/header.js';
import { type Manifest, readManifest } from '../dataset/manifest.js';
import { openStorage } from '../dataset/openStorage.js';
import type { DatasetStorage } from '../dataset/storage.js';
import { DatasetError } from '../errors.js';

export interface MergeOptions {
  /** Where the dataset is to be whole: a folder or bucket, with some of its shards or none yet. */
  readonly out: string;
  /** Places that hold other shards of the same dataset; they stay as they are. */
  readonly parts?: readonly string[];
  readonly signal?: AbortSignal;
  /** Called with the shards that were copied, and how many there are to copy. */
  readonly onProgress?: (done: number, total: number) => void;
}

/**
 * Joins the shards that many machines made, checks that none is missing, and ends the dataset (`completeDataset`). With one
 * shared place only the latter. A shard that is there already is not copied again; what is copied is checked against its
 * hash. May run again after a crash.
 * @throws DatasetError when a place holds another dataset, a file is damaged, or shards are missing (naming them)
 */
export async function mergeDatasets({ out, parts = [], signal, onProgress }: MergeOptions): Promise<Manifest> {
  const target = await openStorage(out);
  for (const part of parts) {
    signal?.throwIfAborted();
    await copyPart(await openStorage(part), target, signal, onProgress);
  }
  signal?.throwIfAborted();
  return completeDataset(target);
}

/** Copies the shards of one place that the target lacks. */
async function copyPart(
  source: DatasetStorage,
  target: DatasetStorage,
  signal: AbortSignal | undefined,
  onProgress: MergeOptions['onProgress'],
): Promise<void> {
  const header = await readHeader(source);
  if (!header) {
    throw new DatasetError(`Expected shards of a dataset in ${source.place} but received none (no ${HEADER_PATH})`);
  }
  const present = await readHeader(target);
  const foreign = present ? undefined : await target.first();
  if (foreign !== undefined) {
    throw new DatasetError(
      `Expected a new or empty place for the dataset but received ${target.place}, which holds ${foreign}`,
    );
  }
  if (present) expectSameHeader(present, header, target.place);
  else await claimHeader(target, header);
  await claimAssetTable(target, await readAssetTable(source));
  const there = new Set(await finishedShards(target));
  const finished = (await readManifest(source)) !== undefined;
  const shards = (await finishedShards(source)).filter((shard) => !there.has(shard));
  for (const [i, shard] of shards.entries()) {
    signal?.throwIfAborted();
    const entry = (await readEntry(source, header, shard)) as ShardEntry;
    if (finished && entry.parts.length > 0) {
      throw new DatasetError(
        `Expected shards that wait for others in ${source.place} but received a finished dataset: its parts are joined already`,
      );
    }
    for (const file of [...entry.files, ...entry.parts]) {
      const copied = await target.write(file.path, source.stream(file.path));
      if (copied.sha256 !== file.sha256) {
        await target.remove(file.path);
        throw new DatasetError(
          `Expected the bytes that were written in ${source.place}/${file.path} but received others: ` +
            `delete ${source.place}/${entryPath(shard)} and make shard ${shard} again with --resume`,
        );
      }
    }
    await target.create(entryPath(shard), entryLine(entry));
    onProgress?.(i + 1, shards.length);
  }
}
