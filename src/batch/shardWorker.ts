/** A worker thread that makes shards of one dataset. */
import { workerData } from 'node:worker_threads';
import { assetTable } from '../dataset/assetTable.js';
import type { ShardEntry } from '../dataset/entry.js';
import { openFormat } from '../dataset/formats/index.js';
import { type DatasetHeader, infoOf } from '../dataset/header.js';
import { openStorage } from '../dataset/openStorage.js';
import { DatasetError, MetasimError } from '../errors.js';
import { Engine } from '../render/engine.js';
import { Counters } from './counters.js';
import { isNoSpace } from './noSpace.js';
import { openSource, type SourceSpec } from './openSource.js';
import { ShardMaker } from './shardMaker.js';

/** Texels that all workers keep together, and one of them at least; beyond, those that are not in use are decoded anew. */
const MAX_ASSET_BYTES = 32 << 20;
const LEAST_ASSET_BYTES = 16 << 20;

/** What a worker is started with. */
export interface ShardWorkerData {
  readonly source: SourceSpec;
  readonly header: DatasetHeader;
  /** As `openStorage` takes it. */
  readonly out: string;
  readonly allowUnlicensed: boolean;
  /** How many workers there are. */
  readonly threads: number;
  /** Shared memory of `Counters`. */
  readonly counters: SharedArrayBuffer;
}

/** How a shard went; errors do not keep their class between threads. */
export type ShardOutcome =
  | { readonly quarantined: ShardEntry['quarantined'] }
  | { readonly code: string; readonly message: string; readonly noSpace: boolean };

const data = workerData as ShardWorkerData;
const counters = new Counters(data.counters);
let opened: Promise<ShardMaker> | undefined;

/** Makes one shard. Never throws: a rejection means that the thread is gone. */
export default async function makeShard(shard: number): Promise<ShardOutcome> {
  const progress = counters.progress();
  try {
    opened ??= open();
    const maker = await opened;
    const { quarantined } = await maker.make(shard, progress);
    return { quarantined };
  } catch (error) {
    progress.takeBack();
    const code = error instanceof MetasimError ? error.code : 'FAILURE';
    return { code, message: error instanceof Error ? error.message : String(error), noSpace: isNoSpace(error) };
  }
}

/** Grammar or run, textures, kernels and format, once a thread. */
async function open(): Promise<ShardMaker> {
  const { header, out, allowUnlicensed, threads } = data;
  const { source, assets, hash } = await openSource(data.source);
  if (hash !== header.sourceHash) {
    throw new DatasetError(
      `Expected the source that the dataset was begun with (${header.sourceHash}) but received another (${hash}): ` +
        `has ${data.source.path} changed?`,
    );
  }
  const format = await openFormat(header.layout);
  const engine = await Engine.create({
    assets,
    workers: 0,
    maxAssetBytes: Math.max(LEAST_ASSET_BYTES, MAX_ASSET_BYTES / threads),
  });
  const setup = {
    storage: await openStorage(out),
    header,
    format,
    writer: format.writer(infoOf(header)),
    assets: assetTable(assets),
  };
  return ShardMaker.create({ source, engine, setup, allowUnlicensed });
}
