/** A worker thread that makes shards of one dataset. */
import { type MessagePort, workerData } from 'node:worker_threads';
import { assetTable } from '../dataset/assetTable.js';
import type { ShardEntry } from '../dataset/entry.js';
import { openFormat } from '../dataset/formats/index.js';
import { type DatasetHeader, infoOf } from '../dataset/header.js';
import { openStorage } from '../dataset/openStorage.js';
import { DatasetError, MetasimError } from '../errors.js';
import { Engine } from '../render/engine.js';
import { Counters } from './counters.js';
import { MeshExchange, type MeshHandover } from './meshExchange.js';
import { isNoSpace } from './noSpace.js';
import { openSource, type SourceSpec } from './openSource.js';
import { ShardMaker } from './shardMaker.js';

/** Texels that all workers keep together, and one of them at least; beyond, those that are not in use are decoded anew. */
const MAX_ASSET_BYTES = 32 << 20;
const LEAST_ASSET_BYTES = 16 << 20;
/**
 * Meshes with their textures, a worker: all of the driving world take 195 MB. With less, much of the time would go into making
 * and laying them out again.
 */
const MESH_BYTES = 256 << 20;

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
  /** Meshes that other threads have made, and where new ones are told. */
  readonly meshes: MeshHandover;
  /** i32 [1] how many shards wait for a worker. */
  readonly waiting: SharedArrayBuffer;
}

/** A shard to make. */
export interface ShardTask {
  readonly shard: number;
  /** Takes the `ShardOutcome`, and closes. */
  readonly port: MessagePort;
  /** Shared memory for what is counted of it (`Counters.progress`). */
  readonly counted: SharedArrayBuffer;
  /** Whether the worker may go on with the next shard while this one is on its way to its place. */
  readonly overlap: boolean;
}

/** How a shard went; errors do not keep their class between threads. */
export type ShardOutcome =
  | { readonly quarantined: ShardEntry['quarantined'] }
  | { readonly code: string; readonly message: string; readonly noSpace: boolean };

const data = workerData as ShardWorkerData;
const counters = new Counters(data.counters);
const waiting = new Int32Array(data.waiting);
let opened: Promise<ShardMaker> | undefined;

/**
 * Makes one shard; done when the worker can take another. That is before the shard is in its place if another one waits:
 * the wait for the disk then costs no time. Never throws: a rejection means that the thread is gone.
 */
export default async function makeShard({ shard, port, counted, overlap }: ShardTask): Promise<void> {
  const progress = counters.progress(counted);
  const end = (outcome: ShardOutcome) => {
    port.postMessage(outcome);
    port.close();
  };
  const fail = (error: unknown) => {
    progress.takeBack();
    const code = error instanceof MetasimError ? error.code : 'FAILURE';
    end({ code, message: error instanceof Error ? error.message : String(error), noSpace: isNoSpace(error) });
  };
  try {
    opened ??= open();
    const maker = await opened;
    const commit = await maker.produce(shard, progress);
    const committed = commit().then(({ quarantined }) => end({ quarantined }), fail);
    if (!overlap || Atomics.load(waiting, 0) === 0) await committed;
  } catch (error) {
    fail(error);
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
    assets: new MeshExchange(data.meshes).wrap(assets),
    workers: 0,
    maxAssetBytes: header.dimension === 3 ? MESH_BYTES : Math.max(LEAST_ASSET_BYTES, MAX_ASSET_BYTES / threads),
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
