import { createHash } from 'node:crypto';
import { realpath } from 'node:fs/promises';
import { isAbsolute, join, relative, sep } from 'node:path';
import { z } from 'zod';
import { type AssetSource, assetSourceSchema } from '../config.js';
import { assetTable, claimAssetTable } from '../dataset/assetTable.js';
import { missingShards } from '../dataset/complete.js';
import { entryPath } from '../dataset/entry.js';
import { claimHeader, type DatasetHeader, HEADER_PATH, parseJson, readHeader } from '../dataset/header.js';
import { openStorage } from '../dataset/openStorage.js';
import { shardRange, shardsOf } from '../dataset/plan.js';
import { checkRelativePath } from '../dataset/staging.js';
import type { DatasetStorage } from '../dataset/storage.js';
import { ConfigError, DatasetError } from '../errors.js';
import { Counters } from './counters.js';
import { isOurGrammar, openSource, ourGrammarFile, type SourceSpec } from './openSource.js';
import { headerFor } from './prepare.js';
import { type DatasetRef, type ShardJob, shardJobSchema } from './queue.js';
import { type DatasetSettingsInput, resolveSettings } from './settings.js';
import { ShardPool } from './shardPool.js';

/** Where a dataset keeps what workers need besides its header. */
const RECORD_PATH = '.metasim/queue.json';

/** A source as workers elsewhere find it. */
interface RecordedSource extends SourceSpec {
  /** Whether `path` is the name of a grammar of ours, which every worker brings along. */
  readonly ours?: boolean | undefined;
}

/** What workers need besides the header. Paths are relative to the `--root` of whoever reads. */
const recordSchema = z.strictObject({
  version: z.literal(1),
  source: z.strictObject({
    path: z.string(),
    ours: z.boolean().optional(),
    assets: z.array(assetSourceSchema).optional(),
    variables: z.record(z.string(), z.string()).optional(),
  }),
  allowUnlicensed: z.boolean(),
});

/** Places that submitting and working have in common; they may be mounted under different names. */
export interface DatasetRoots {
  /** Folder that grammars, runs and textures lie in. */
  readonly root: string;
  /** Folder or `s3://bucket/prefix` that datasets lie in, each under its name. */
  readonly out: string;
}

/** A dataset that is being made through the queue. */
export interface QueuedDataset {
  readonly storage: DatasetStorage;
  readonly header: DatasetHeader;
  readonly ref: DatasetRef;
  readonly shards: number;
  /** Shards that are not there yet. */
  readonly missing: readonly number[];
}

export interface BeginOptions extends DatasetRoots {
  /** Name of the dataset's folder. */
  readonly dataset: string;
  /** Paths as this process sees them; all within `root`. */
  readonly source: SourceSpec;
  readonly settings: DatasetSettingsInput;
  readonly allowUnlicensed: boolean;
}

/**
 * Begins a dataset that workers then make, or goes on with it: its header, table of textures and source are put into its
 * place, where all workers read them. The queue holds nothing but its name, the header's hash and numbers of shards.
 * @throws ConfigError for a source outside `root` or settings out of range; DatasetError when another dataset, or something
 * else, lies there
 */
export async function beginQueuedDataset(options: BeginOptions): Promise<QueuedDataset> {
  const { root, allowUnlicensed } = options;
  const settings = await resolveSettings(options.settings);
  const source = await relativeSource(root, options.source);
  const storage = await openStorage(datasetPlace(options));
  const found = await storage.first();
  if (found !== undefined && !(await readHeader(storage))) {
    throw new DatasetError(`Expected a new or empty place for the dataset but ${storage.place} holds ${found}`);
  }
  const opened = await openSource(options.source);
  try {
    await claimHeader(storage, await headerFor(opened, settings));
    await claimAssetTable(storage, assetTable(opened.assets));
  } finally {
    opened.dispose();
  }
  await storage.write(RECORD_PATH, `${JSON.stringify({ version: 1, source, allowUnlicensed }, null, 2)}\n`);
  return openQueuedDataset(options);
}

/** A dataset that was begun. @throws ConfigError when there is none */
export async function openQueuedDataset(place: {
  readonly out: string;
  readonly dataset: string;
}): Promise<QueuedDataset> {
  const storage = await openStorage(datasetPlace(place));
  const [header, bytes] = [await readHeader(storage), await storage.read(HEADER_PATH)];
  if (!header || !bytes) throw new ConfigError(`Expected a dataset at ${storage.place} but received none`);
  const ref = { dataset: place.dataset, header: createHash('sha256').update(bytes).digest('hex') };
  return { storage, header, ref, shards: shardsOf(header), missing: await missingShards(storage, header) };
}

/** Where a dataset lies. @throws ConfigError for a name that could lead elsewhere */
function datasetPlace({ out, dataset }: { out: string; dataset: string }): string {
  const { success } = shardJobSchema.shape.dataset.safeParse(dataset);
  if (!success) {
    throw new ConfigError(
      `Expected letters, digits, ".", "_" and "-" for the name of the dataset but received ${JSON.stringify(dataset)}`,
    );
  }
  return out.startsWith('s3://') ? `${out.replace(/\/+$/, '')}/${dataset}` : join(out, dataset);
}

/** What a worker has open of a dataset. */
interface OpenDataset {
  readonly storage: DatasetStorage;
  readonly header: DatasetHeader;
  readonly pool: ShardPool;
  readonly counters: Counters;
}

/** A dataset that is open, or about to be. */
interface Handle {
  readonly opening: Promise<OpenDataset>;
  /** Shards under way. */
  users: number;
}

/** The datasets that a worker of the queue makes shards of, each with threads of its own while it is in use. */
export class QueuedDatasets {
  readonly #roots: DatasetRoots;
  readonly #threads: number;
  readonly #open = new Map<string, Handle>();
  #stopped = false;

  /** @param threads worker threads of a dataset */
  constructor(roots: DatasetRoots, threads: number) {
    this.#roots = roots;
    this.#threads = threads;
  }

  /**
   * Makes a shard on a worker thread, unless it is there.
   * @throws ConfigError for a job that names a dataset, header or shard that is not there: another try would not help;
   * StoppedError after `stop`; else as `ShardPool.make`
   */
  async make({ dataset, header, shard }: ShardJob): Promise<{ made: boolean; text: string }> {
    const handle = await this.#take(dataset, header);
    try {
      const opened = await handle.opening;
      const shards = shardsOf(opened.header);
      if (shard >= shards) {
        throw new ConfigError(`Expected a shard from 0 to ${shards - 1} of ${dataset} but received ${shard}`);
      }
      if ((await opened.storage.size(entryPath(shard))) !== undefined) return { made: false, text: 'there already' };
      const started = performance.now();
      const quarantined = await opened.pool.make(shard);
      const seconds = ((performance.now() - started) / 1000).toFixed(1);
      const replaced = quarantined.length > 0 ? `, ${quarantined.length} scenes replaced` : '';
      return { made: true, text: `${shardRange(opened.header, shard).count} images in ${seconds} s${replaced}` };
    } finally {
      handle.users--;
    }
  }

  /** Gives up the shards under way. */
  stop(): void {
    this.#stopped = true;
    for (const { opening } of this.#open.values()) void opening.then(({ counters }) => counters.stop()).catch(() => {});
  }

  /** Ends all threads. */
  async close(): Promise<void> {
    this.stop();
    const all = await Promise.allSettled([...this.#open.values()].map(({ opening }) => opening));
    this.#open.clear();
    for (const each of all) if (each.status === 'fulfilled') await each.value.pool.close();
  }

  /** The dataset's handle, with one user more. */
  async #take(dataset: string, hash: string): Promise<Handle> {
    const key = `${dataset} ${hash}`;
    if (!this.#open.has(key)) await this.#closeIdle();
    let handle = this.#open.get(key);
    if (!handle) {
      handle = { opening: this.#openDataset(dataset, hash), users: 0 };
      this.#open.set(key, handle);
      // What failed is not kept: a dataset may appear later.
      handle.opening.catch(() => this.#open.delete(key));
    }
    handle.users++;
    return handle;
  }

  async #openDataset(dataset: string, hash: string): Promise<OpenDataset> {
    const { root, out } = this.#roots;
    const { storage, header, ref } = await openQueuedDataset({ out, dataset });
    if (ref.header !== hash) {
      throw new ConfigError(
        `Expected the dataset ${dataset} that the job was made for but received one of other settings`,
      );
    }
    const bytes = await storage.read(RECORD_PATH);
    if (!bytes)
      throw new ConfigError(`Expected ${RECORD_PATH} in ${storage.place} but received none: was it submitted?`);
    const { source, allowUnlicensed } = parseJson(bytes, recordSchema, `${storage.place}/${RECORD_PATH}`);
    const counters = new Counters();
    if (this.#stopped) counters.stop();
    const data = { source: await absoluteSource(root, source), header, out: storage.place, allowUnlicensed };
    return { storage, header, counters, pool: new ShardPool({ ...data, counters, threads: this.#threads }) };
  }

  /** Before another dataset is opened: what is not in use keeps no threads. */
  async #closeIdle(): Promise<void> {
    const idle = [...this.#open].filter(([, { users }]) => users === 0);
    for (const [key] of idle) this.#open.delete(key);
    for (const [, { opening }] of idle) await opening.then(({ pool }) => pool.close()).catch(() => {});
  }
}

/** A source with its paths relative to `root`. @throws ConfigError for one that lies elsewhere */
async function relativeSource(root: string, source: SourceSpec): Promise<RecordedSource> {
  const base = await existing(root);
  const ours = isOurGrammar(source.path);
  const mapped = await mapPaths(source, ours, async (path) => {
    const within = relative(base, await existing(path));
    if (within === '..' || within.startsWith(`..${sep}`) || isAbsolute(within)) {
      throw new ConfigError(`Expected ${path} to lie in the root ${root}, where workers look for it, but it does not`);
    }
    return within.split(sep).join('/') || '.';
  });
  return ours ? { ...mapped, ours } : mapped;
}

/** The way back, on a worker. @throws ConfigError for a path that leaves `root`, also through a link */
export async function absoluteSource(root: string, { ours, ...source }: RecordedSource): Promise<SourceSpec> {
  const base = await existing(root);
  const mapped = await mapPaths(source, ours ?? false, async (path) => {
    if (path !== '.') checkRelativePath(path);
    const full = await existing(join(base, path));
    if (full !== base && !full.startsWith(base.endsWith(sep) ? base : base + sep)) {
      throw new ConfigError(`Expected ${path} to lie in the root ${root} but it is a link to elsewhere`);
    }
    return full;
  });
  return ours ? { ...mapped, path: ourGrammarFile(source.path) } : mapped;
}

/** @param ours whether the source's own path is none, but a name that stays */
async function mapPaths(
  source: SourceSpec,
  ours: boolean,
  map: (path: string) => Promise<string>,
): Promise<SourceSpec> {
  const path = ours ? source.path : await map(source.path);
  const assets: AssetSource[] = [];
  for (const each of source.assets ?? [])
    assets.push('folder' in each ? { ...each, folder: await map(each.folder) } : each);
  return {
    path,
    ...(source.assets ? { assets } : {}),
    ...(source.variables ? { variables: source.variables } : {}),
  };
}

async function existing(path: string): Promise<string> {
  try {
    return await realpath(path);
  } catch (cause) {
    throw new ConfigError(`Expected a file or folder at ${path} but received: ${(cause as Error).message}`, { cause });
  }
}
