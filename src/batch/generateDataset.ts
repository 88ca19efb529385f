import { availableParallelism } from 'node:os';
import type { AssetLibrary } from '../assets/assetLibrary.js';
import { assetTable, claimAssetTable } from '../dataset/assetTable.js';
import { completeDataset, missingShards, rangesOf } from '../dataset/complete.js';
import { allEntries, finishedShards, type QuarantinedScene } from '../dataset/entry.js';
import { openFormat } from '../dataset/formats/index.js';
import { claimHeader, type DatasetHeader, infoOf, readHeader } from '../dataset/header.js';
import { STAGING_FOLDER } from '../dataset/localStorage.js';
import type { Manifest } from '../dataset/manifest.js';
import { openStorage } from '../dataset/openStorage.js';
import { shardRange, shardsOfMachine } from '../dataset/plan.js';
import type { DatasetStorage } from '../dataset/storage.js';
import { ConfigError, DatasetError } from '../errors.js';
import { Engine } from '../render/engine.js';
import type { SceneSource } from '../scene/sceneSource.js';
import { Counters, StoppedError } from './counters.js';
import { MeshExchange } from './meshExchange.js';
import { isNoSpace, NoSpaceError } from './noSpace.js';
import { type OpenedSource, openSource, type SourceSpec } from './openSource.js';
import { headerFor } from './prepare.js';
import { type DatasetSettingsInput, resolveSettings } from './settings.js';
import { ShardMaker } from './shardMaker.js';
import { SHARDS_A_THREAD, ShardPool } from './shardPool.js';

const MAX_THREADS = 256;
/** Images made beforehand to see how large one is. */
const PROBE_IMAGES = 16;
/** Room that must be left on the disk, bytes. */
const SPARE_BYTES = 16 << 20;
const GOES_ON = 'What is finished is kept: --resume goes on from there';
/** How often progress is reported, ms. */
const REPORT_MS = 200;

/** How far a run is. */
export interface DatasetProgress {
  /** Images that are done, those of earlier runs and of shards under way included. */
  readonly images: number;
  /** Images of this machine's part. */
  readonly total: number;
  /** Images and bytes of this run. */
  readonly made: number;
  readonly bytes: number;
  readonly seconds: number;
}

/** Scenes of an object in this process: they are sampled, labelled and written on the calling thread. */
export interface InProcessSource {
  readonly source: SceneSource;
  readonly assets: AssetLibrary;
  /** Kept in the manifest; must survive JSON. */
  readonly config?: unknown;
  /** Of what decides the scenes, so that only the same source can resume the dataset. */
  readonly hash?: string;
}

export interface GenerateDatasetOptions {
  /** A grammar file or run, which worker threads open for themselves, or an object in this process. */
  readonly source: SourceSpec | InProcessSource;
  /** A folder, or `s3://bucket/prefix`. */
  readonly out: string;
  readonly settings: DatasetSettingsInput;
  /** Worker threads; default: as many as there are processors. */
  readonly threads?: number;
  /** This machine's part: shards are dealt out over `count` machines. Default: one machine, all shards. */
  readonly machine?: { readonly index: number; readonly count: number };
  /** Go on with what is there; default false: anything in the folder is an error. */
  readonly resume?: boolean;
  /** Accept assets that state no licence; default false. */
  readonly allowUnlicensed?: boolean;
  /** Look whether there is room before beginning; default true. */
  readonly checkSpace?: boolean;
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: DatasetProgress) => void;
}

export interface GeneratedDataset {
  readonly header: DatasetHeader;
  /** Shards of this machine's part, and how many of them this run made. */
  readonly shards: number;
  readonly made: number;
  /** Images and bytes of this run. */
  readonly images: number;
  readonly bytes: number;
  readonly seconds: number;
  /** Of this run; with `manifest` of the whole dataset. */
  readonly quarantined: readonly QuarantinedScene[];
  /** Once all shards of the dataset are there; a machine of many leaves that to `mergeDatasets`. */
  readonly manifest?: Manifest;
}

/**
 * Generates a labelled dataset in shards, on worker threads. A shard is a pure function of settings, source and its
 * number; it appears whole or not at all; its entry is written last. So a run that is killed at any moment can be resumed,
 * and many machines can share the work: the content does not depend on either. Peak memory: per thread one batch of
 * images (8 MiB), the textures in use, and what the format buffers; it does not grow with `count`.
 * @throws ConfigError for settings out of range; DatasetError when the folder is not empty (without `resume`) or belongs to
 *   another dataset, when there is no room, or naming the shards that failed; the signal's reason when aborted
 */
export async function generateDataset(options: GenerateDatasetOptions): Promise<GeneratedDataset> {
  const { threads = Math.min(MAX_THREADS, availableParallelism()), machine = { index: 0, count: 1 } } = options;
  if (!Number.isInteger(threads) || threads < 1 || threads > MAX_THREADS) {
    throw new ConfigError(`Expected an integer from 1 to ${MAX_THREADS} for threads but received ${threads}`);
  }
  const settings = await resolveSettings(options.settings);
  const storage = await openStorage(options.out);
  await expectUsable(storage, options.resume ?? false, machine.count > 1);
  options.signal?.throwIfAborted();
  const source = 'path' in options.source ? await openSource(options.source) : inProcess(options.source);
  const meshes = new MeshExchange();
  const opened = { ...source, assets: meshes.wrap(source.assets) };
  try {
    const header = await headerFor(opened, settings);
    const own = shardsOfMachine(header, machine.index, machine.count);
    const missing = await begin(storage, header, opened, own, options);
    const run = new Run(options, storage, header, own, missing);
    if (missing.length > 0)
      await run.make('path' in options.source ? pooled(options.source, meshes) : local(opened), threads);
    const whole = (await missingShards(storage, header)).length === 0;
    const manifest = machine.count === 1 && whole ? await complete(storage) : undefined;
    const result = run.result();
    return {
      ...result,
      ...(manifest ? { manifest, quarantined: await allQuarantined(storage, manifest, result.quarantined) } : {}),
    };
  } catch (error) {
    if (!isNoSpace(error) || (error as Error).message.includes('--resume')) throw error;
    throw new NoSpaceError(`${(error as Error).message}. ${GOES_ON}`, { cause: error });
  } finally {
    meshes.close();
    source.dispose();
  }
}

/** Ends the dataset. @throws DatasetError that says how to go on */
async function complete(storage: DatasetStorage): Promise<Manifest> {
  try {
    return await completeDataset(storage);
  } catch (error) {
    throw new DatasetError(
      `Expected to be able to end the dataset in ${storage.place}, whose shards are all there, ` +
        `but received: ${(error as Error).message}. ${GOES_ON}`,
      { cause: error },
    );
  }
}

/** The quarantined scenes of the whole dataset: those of earlier runs too, so that a resumed run says what a whole one says. */
async function allQuarantined(
  storage: DatasetStorage,
  manifest: Manifest,
  own: readonly QuarantinedScene[],
): Promise<readonly QuarantinedScene[]> {
  const all: QuarantinedScene[] = [];
  if (manifest.quarantined === own.length) all.push(...own);
  else for await (const entry of allEntries(storage, manifest)) all.push(...entry.quarantined);
  return all.sort((a, b) => a.number - b.number || a.index - b.index);
}

/** Refuses a place with anything in it, but for the dataset that is gone on with. */
async function expectUsable(storage: DatasetStorage, resume: boolean, shared: boolean): Promise<void> {
  const first = await storage.first();
  if (first === undefined) return;
  const header = await readHeader(storage);
  if (!header) {
    throw new DatasetError(
      `Expected a new or empty place for the dataset but received ${storage.place}, which holds ${first}`,
    );
  }
  if (!resume && !shared) {
    throw new DatasetError(
      `Expected a new or empty place for the dataset but ${storage.place} holds one already; pass --resume to go on with it`,
    );
  }
}

/** Writes what all shards share, and says which of this machine's shards are still to be made. */
async function begin(
  storage: DatasetStorage,
  header: DatasetHeader,
  opened: OpenedSource,
  own: readonly number[],
  options: GenerateDatasetOptions,
): Promise<number[]> {
  const finished = new Set(await finishedShards(storage));
  const missing = own.filter((shard) => !finished.has(shard));
  if (missing.length < own.length && !options.resume) {
    throw new DatasetError(
      `Expected none of this machine's shards in ${storage.place} but ${rangesOf(own.filter((shard) => finished.has(shard)))} ` +
        'are there; pass --resume to go on',
    );
  }
  if (missing.length > 0) {
    if (options.resume) await removeStaged(storage, new Set(missing));
    await probe(storage, header, opened, missing, options);
  }
  await claimHeader(storage, header);
  await claimAssetTable(storage, assetTable(opened.assets));
  return missing;
}

/** Removes what killed runs left of shards that are this machine's to make: it takes up room. */
async function removeStaged(storage: DatasetStorage, shards: ReadonlySet<number>): Promise<void> {
  const folders = new Set<string>();
  for (const path of await storage.list(STAGING_FOLDER)) {
    const name = path.slice(STAGING_FOLDER.length + 1).split('/')[0];
    const shard = /^(\d+)-/.exec(name)?.[1];
    if (shard !== undefined && shards.has(Number(shard))) folders.add(name);
  }
  for (const name of folders) await storage.remove(`${STAGING_FOLDER}/${name}`);
}

/** Makes a few images on this thread: grammar, textures and licences are found wanting here, and the room is measured. */
async function probe(
  storage: DatasetStorage,
  header: DatasetHeader,
  { source, assets }: OpenedSource,
  missing: readonly number[],
  { allowUnlicensed = false, checkSpace = true }: GenerateDatasetOptions,
): Promise<void> {
  const format = await openFormat(header.layout);
  const engine = await Engine.create({ assets, workers: 0 });
  try {
    const setup = { storage, header, format, writer: format.writer(infoOf(header)), assets: assetTable(assets) };
    const maker = await ShardMaker.create({ source, engine, setup, allowUnlicensed });
    const bytes = await maker.bytesPerImage(Math.min(PROBE_IMAGES, header.count));
    const images = missing.reduce((sum, shard) => sum + shardRange(header, shard).count, 0);
    const free = checkSpace ? await storage.free() : undefined;
    const needed = bytes * images + SPARE_BYTES;
    if (free === undefined || needed <= free) return;
    throw new DatasetError(
      `Expected about ${megabytes(needed)} of free space for ${images} images in ${storage.place}, ` +
        `${megabytes(SPARE_BYTES)} to spare included, but received ${megabytes(free)}`,
    );
  } finally {
    await engine.close();
  }
}

/** What makes shards, `width` of them at a time. */
interface Shards {
  readonly width: number;
  make(shard: number): Promise<readonly QuarantinedScene[]>;
  close(): Promise<void>;
}

interface RunContext {
  readonly storage: DatasetStorage;
  readonly header: DatasetHeader;
  readonly out: string;
  readonly allowUnlicensed: boolean;
  readonly counters: Counters;
}

type OpenShards = (context: RunContext, width: number) => Promise<Shards>;

/** Worker threads, which open the source for themselves. */
function pooled(source: SourceSpec, meshes: MeshExchange): OpenShards {
  return async ({ header, out, allowUnlicensed, counters }, width) => {
    const pool = new ShardPool({ source, header, out, allowUnlicensed, counters, meshes, threads: width });
    return { width: SHARDS_A_THREAD * width, make: (shard) => pool.make(shard), close: () => pool.close() };
  };
}

/** The calling thread; only rendering has threads of its own. */
function local({ source, assets }: OpenedSource): OpenShards {
  return async ({ storage, header, allowUnlicensed, counters }, width) => {
    const format = await openFormat(header.layout);
    const engine = await Engine.create({ assets, workers: width > 1 ? width : 0 });
    const setup = { storage, header, format, writer: format.writer(infoOf(header)), assets: assetTable(assets) };
    const maker = await ShardMaker.create({ source, engine, setup, allowUnlicensed });
    return {
      width: 1,
      async make(shard) {
        const progress = counters.progress();
        try {
          return (await maker.make(shard, progress)).quarantined;
        } catch (error) {
          progress.takeBack();
          throw isNoSpace(error) ? new NoSpaceError((error as Error).message, { cause: error }) : error;
        }
      },
      close: () => engine.close(),
    };
  };
}

function inProcess({ source, assets, config = null, hash = '' }: InProcessSource): OpenedSource {
  return { source, assets, config: config as object, hash, dispose() {} };
}

/** The shards of one run, dealt out to worker threads. */
class Run {
  readonly #options: GenerateDatasetOptions;
  readonly #storage: DatasetStorage;
  readonly #header: DatasetHeader;
  readonly #own: readonly number[];
  readonly #missing: readonly number[];
  readonly #counters = new Counters();
  readonly #quarantined: QuarantinedScene[] = [];
  readonly #failed: { shard: number; error: Error }[] = [];
  readonly #started = performance.now();
  #made = 0;
  #images = 0;

  constructor(
    options: GenerateDatasetOptions,
    storage: DatasetStorage,
    header: DatasetHeader,
    own: readonly number[],
    missing: readonly number[],
  ) {
    this.#options = options;
    this.#storage = storage;
    this.#header = header;
    this.#own = own;
    this.#missing = missing;
  }

  /** Makes the missing shards. @throws as `generateDataset` */
  async make(open: OpenShards, threads: number): Promise<void> {
    const { out, allowUnlicensed = false, signal } = this.#options;
    const width = Math.min(threads, this.#missing.length);
    const context = { storage: this.#storage, header: this.#header, out, allowUnlicensed, counters: this.#counters };
    const shards = await open(context, width);
    const timer = setInterval(() => this.#report(), REPORT_MS);
    const onAbort = () => this.#counters.stop();
    signal?.addEventListener('abort', onAbort, { once: true });
    if (signal?.aborted) onAbort();
    try {
      const queue = this.#missing.values();
      await Promise.all(Array.from({ length: shards.width }, () => this.#work(shards, queue)));
    } finally {
      clearInterval(timer);
      signal?.removeEventListener('abort', onAbort);
      await shards.close();
    }
    this.#report();
    signal?.throwIfAborted();
    this.#throwFailures();
  }

  result(): Omit<GeneratedDataset, 'manifest'> {
    return {
      header: this.#header,
      shards: this.#own.length,
      made: this.#made,
      images: this.#images,
      bytes: this.#counters.bytes,
      seconds: this.#seconds,
      quarantined: this.#quarantined,
    };
  }

  /** One of the loops that take shards from the queue. */
  async #work(shards: Shards, queue: Iterator<number>): Promise<void> {
    for (let next = queue.next(); !next.done && !this.#counters.stopped; next = queue.next()) {
      try {
        this.#quarantined.push(...(await shards.make(next.value)));
        this.#made++;
        this.#images += shardRange(this.#header, next.value).count;
      } catch (error) {
        if (error instanceof StoppedError) return;
        this.#failed.push({ shard: next.value, error: error as Error });
        // Where there is no room, or the settings are wrong, the other shards would fail alike.
        if (error instanceof NoSpaceError || error instanceof ConfigError) this.#counters.stop();
      }
    }
  }

  #throwFailures(): void {
    if (this.#failed.length === 0) return;
    const [{ shard, error }] = this.#failed;
    const others = this.#failed.length > 1 ? ` (and ${this.#failed.length - 1} other shards)` : '';
    throw new DatasetError(
      `Expected all shards to be made in ${this.#storage.place} but shard ${shard}${others} failed: ${error.message}. ` +
        GOES_ON,
      { cause: error },
    );
  }

  #report(): void {
    const total = imagesOf(this.#header, this.#own);
    const missing = imagesOf(this.#header, this.#missing);
    const made = this.#counters.images;
    this.#options.onProgress?.({
      images: total - missing + made,
      ...{ total, made },
      bytes: this.#counters.bytes,
      seconds: this.#seconds,
    });
  }

  get #seconds(): number {
    return (performance.now() - this.#started) / 1000;
  }
}

/** Images of neighbouring or single shards. */
function imagesOf(header: DatasetHeader, shards: readonly number[]): number {
  // Only the last shard of a dataset may be short, and it can only stand last.
  const last = shards.at(-1);
  return last === undefined ? 0 : (shards.length - 1) * header.shardSize + shardRange(header, last).count;
}

function megabytes(bytes: number): string {
  return bytes >= 1e9 ? `${(bytes / 1e9).toFixed(1)} GB` : `${(bytes / 1e6).toFixed(1)} MB`;
}
