import { createHash } from 'node:crypto';
import { DatasetError } from '../errors.js';
import { missingShards, rangesOf } from './complete.js';
import { ContentHash, DIGEST_BYTES, payloadOf, sampleDigest } from './contentHash.js';
import { ENTRIES_FOLDER, entryPath, readEntry } from './entry.js';
import type { DatasetReader } from './format.js';
import { openFormat } from './formats/index.js';
import { type DatasetHeader, HEADER_PATH, readHeader } from './header.js';
import { withKeptRecords } from './keptRecords.js';
import { LocalStorage } from './localStorage.js';
import { MANIFEST_HASH_PATH, MANIFEST_PATH, type Manifest, manifestHashLine, readManifest } from './manifest.js';
import { shardRange, shardsOf } from './plan.js';
import { type DatasetSample, sampleKey } from './sample.js';
import { SampleAligner } from './sampleAligner.js';
import type { StagedFile } from './staging.js';
import type { DatasetStorage } from './storage.js';

/** Faults that are listed; all are counted. */
const DEFAULT_LIMIT = 20;

/** What can be wrong with a dataset. */
export type FaultKind =
  /** Shards, or the files of the whole, were not written yet. */
  | 'unfinished'
  /** A file that should be there is not. */
  | 'missing file'
  /** A file's bytes are not those that were written. */
  | 'changed file'
  /** The account of the shards is not the one that the manifest was written for. */
  | 'changed entry'
  /** A sample's pixels or labels are not those that were written. */
  | 'changed sample'
  | 'missing sample'
  /** More samples than were written, one twice for example. */
  | 'surplus sample'
  /** Something cannot be read. */
  | 'unreadable';

export interface DatasetFault {
  readonly kind: FaultKind;
  /** File, or key of the sample. */
  readonly where: string;
  readonly message: string;
}

export interface VerifyOptions {
  /** Check the bytes of the files only, and do not read the samples; default false. */
  readonly quick?: boolean;
  /** Faults that are listed, ≥ 0; default 20. */
  readonly limit?: number;
  readonly signal?: AbortSignal;
  /** Called with the bytes or samples that were checked, and how many there are. */
  readonly onProgress?: (step: 'files' | 'samples', done: number, total: number) => void;
}

export interface VerifiedDataset {
  /** Whether nothing is wrong. */
  readonly ok: boolean;
  readonly format: string;
  /** Images that the dataset should have, and samples that were read. */
  readonly count: number;
  readonly samples: number;
  readonly files: number;
  readonly bytes: number;
  /**
   * Of the samples that were read (with `quick`: as the shards' entries say): SHA-256 over their digests in order. Equal
   * for equal pixels and labels, whatever format, threads, shards or machines. Empty where not all could be read.
   */
  readonly contentHash: string;
  readonly quarantined: number;
  readonly faults: readonly DatasetFault[];
  /** Number of all faults. */
  readonly faultCount: number;
}

/**
 * Checks a dataset of ours: every shard is there, every file has the bytes that were written, and, read through its
 * format, every sample has the pixels and labels that were made, none missing and none twice. Of an unfinished one the
 * shards that are there. Memory does not grow with the number of images.
 * @param folder of a dataset that was generated or converted
 * @throws DatasetError when there is none; the signal's reason when aborted
 */
export async function verifyDataset(folder: string, options: VerifyOptions = {}): Promise<VerifiedDataset> {
  return new Verifier(folder, options).run();
}

class Verifier {
  readonly #folder: string;
  readonly #storage: DatasetStorage;
  readonly #options: VerifyOptions;
  readonly #faults: DatasetFault[] = [];
  #faultCount = 0;
  #files = 0;
  #bytes = 0;
  #samples = 0;
  #quarantined = 0;

  constructor(folder: string, options: VerifyOptions) {
    this.#folder = folder;
    this.#storage = new LocalStorage(folder);
    this.#options = options;
  }

  async run(): Promise<VerifiedDataset> {
    const manifest = await this.#checkManifest();
    const header = await this.#header(manifest);
    const missing = await missingShards(this.#storage, header);
    if (missing.length > 0) {
      this.#fault(
        'unfinished',
        this.#storage.place,
        `Expected all shards but ${missing.length} are missing: ${rangesOf(missing)}`,
      );
    } else if (!(await this.#storage.size(MANIFEST_PATH))) {
      this.#fault(
        'unfinished',
        MANIFEST_PATH,
        'Expected a manifest but the dataset has not been completed (metasim merge)',
      );
    }
    const written = await this.#checkShards(header, new Set(missing), manifest);
    for (const file of manifest?.files ?? []) await this.#checkFile(file, manifest?.bytes);
    const readable = !this.#options.quick && manifest && missing.length === 0;
    const contentHash = readable ? await this.#checkSamples(header) : written;
    return {
      ok: this.#faultCount === 0,
      format: header.layout,
      count: header.count,
      samples: this.#samples,
      files: this.#files,
      bytes: this.#bytes,
      contentHash,
      quarantined: this.#quarantined,
      faults: this.#faults,
      faultCount: this.#faultCount,
    };
  }

  /** The manifest, if it can be read. */
  async #checkManifest(): Promise<Manifest | undefined> {
    return this.#tolerate(MANIFEST_PATH, async () => {
      const bytes = await this.#storage.read(MANIFEST_PATH);
      if (!bytes) return undefined;
      const hash = await this.#storage.read(MANIFEST_HASH_PATH);
      if (!hash) {
        this.#fault('missing file', MANIFEST_HASH_PATH, 'Expected the hash of the manifest but there is none');
      } else if (Buffer.from(hash).toString('utf8') !== manifestHashLine(bytes)) {
        this.#fault(
          'changed file',
          MANIFEST_PATH,
          `Expected the bytes that were written, whose hash ${MANIFEST_HASH_PATH} holds, but received others`,
        );
      }
      return readManifest(this.#storage);
    });
  }

  /** The header: the manifest repeats it, so that damage to it does not keep the rest from being checked. */
  async #header(manifest: Manifest | undefined): Promise<DatasetHeader> {
    if (manifest && this.#faultCount === 0) return manifest;
    const header = await readHeader(this.#storage).catch((error) => {
      if (!manifest) throw error;
      this.#fault('unreadable', HEADER_PATH, (error as Error).message);
      return undefined;
    });
    const found = header ?? manifest;
    if (found) return found;
    throw new DatasetError(
      `Expected a dataset made by metasim in ${this.#folder} but received none (no ${HEADER_PATH})`,
    );
  }

  /** Shards' entries and files. @returns the content hash that the entries stand for; empty where not all can be read */
  async #checkShards(
    header: DatasetHeader,
    missing: ReadonlySet<number>,
    manifest: Manifest | undefined,
  ): Promise<string> {
    const content = new ContentHash();
    const entries = createHash('sha256');
    let whole = missing.size === 0;
    for (let shard = 0; shard < shardsOf(header); shard++) {
      if (missing.has(shard)) continue;
      const entry = await this.#tolerate(entryPath(shard), () => readEntry(this.#storage, header, shard));
      if (!entry) {
        whole = false;
        continue;
      }
      content.add(Buffer.from(entry.digests, 'base64'));
      // Not the entry as it was understood: two ways to write a number may mean the same.
      entries.update((await this.#storage.read(entryPath(shard))) ?? '');
      this.#quarantined += entry.quarantined.length;
      for (const file of entry.files) await this.#checkFile(file, manifest?.bytes);
    }
    if (!whole) return '';
    if (manifest && entries.digest('hex') !== manifest.entriesHash) {
      this.#fault(
        'changed entry',
        ENTRIES_FOLDER,
        'Expected the entries that the manifest was written for but received others',
      );
    }
    return content.digest();
  }

  async #checkFile(file: StagedFile, total = 0): Promise<void> {
    this.#options.signal?.throwIfAborted();
    this.#files++;
    await this.#tolerate(file.path, async () => {
      const size = await this.#storage.size(file.path);
      if (size === undefined) {
        this.#fault('missing file', file.path, `Expected a file of ${file.bytes} bytes but there is none`);
        return;
      }
      const hash = createHash('sha256');
      for await (const piece of this.#storage.stream(file.path)) hash.update(piece);
      this.#bytes += size;
      this.#options.onProgress?.('files', this.#bytes, Math.max(total, this.#bytes));
      if (size !== file.bytes) {
        this.#fault('changed file', file.path, `Expected ${file.bytes} bytes but received ${size}`);
      } else if (hash.digest('hex') !== file.sha256) {
        this.#fault('changed file', file.path, 'Expected the bytes that were written but received others');
      }
    });
  }

  /** Reads every sample. @returns the content hash of what was read; empty where not all could be */
  async #checkSamples(header: DatasetHeader): Promise<string> {
    const content = new ContentHash();
    let readable = true;
    const aligner = new SampleAligner(this.#digests(header), {
      missing: (position) =>
        this.#fault(
          'missing sample',
          sampleName(header, position),
          `Expected a sample at position ${position} but there is none`,
        ),
      surplus: (key) =>
        this.#fault('surplus sample', key, 'Expected every sample once but received one more than was written'),
      changed: (key) =>
        this.#fault('changed sample', key, 'Expected the pixels and labels that were made but received others'),
    });
    try {
      for await (const sample of (await this.#open(header)).samples(this.#signal())) {
        const digest = await this.#digestOf(sample);
        if (digest) content.add(digest);
        else readable = false;
        await aligner.take(sample.labels.key, digest);
        this.#samples++;
        this.#options.onProgress?.('samples', this.#samples, Math.max(header.count, this.#samples));
      }
      await aligner.end();
    } catch (error) {
      this.#options.signal?.throwIfAborted();
      const left = header.count - aligner.position;
      const unread = left > 0 ? `; ${left} samples were not read, from ${sampleName(header, aligner.position)} on` : '';
      this.#fault('unreadable', this.#folder, `${(error as Error).message}${unread}`);
      return '';
    }
    return readable ? content.digest() : '';
  }

  /** Digest of a sample; undefined where its image cannot be decoded. */
  async #digestOf(sample: DatasetSample): Promise<Uint8Array | undefined> {
    const { labels } = sample;
    return this.#tolerate(labels.key, async () => sampleDigest(JSON.stringify(labels), await payloadOf(sample)));
  }

  /** The dataset's reader, with the label records that its format does not hold. */
  async #open(header: DatasetHeader): Promise<DatasetReader> {
    const format = await openFormat(header.layout);
    const reader = await format.open(this.#folder);
    return format.holdsRecords ? reader : withKeptRecords(reader, this.#folder);
  }

  /** Digests of all samples in order, as their shards' entries have them; undefined where an entry cannot be read. */
  async *#digests(header: DatasetHeader): AsyncGenerator<Uint8Array | undefined, undefined, undefined> {
    for (let shard = 0; shard < shardsOf(header); shard++) {
      const entry = await readEntry(this.#storage, header, shard).catch(() => undefined);
      const digests = Buffer.from(entry?.digests ?? '', 'base64');
      for (let i = 0; i < shardRange(header, shard).count; i++) {
        yield entry && digests.subarray(i * DIGEST_BYTES, (i + 1) * DIGEST_BYTES);
      }
    }
    return undefined;
  }

  #signal(): { signal?: AbortSignal } {
    return this.#options.signal ? { signal: this.#options.signal } : {};
  }

  /**
   * Runs a check; what it throws is a fault, whatever it is: damaged bytes reach code of others too.
   * @returns undefined when it threw
   */
  async #tolerate<T>(where: string, check: () => Promise<T>): Promise<T | undefined> {
    try {
      return await check();
    } catch (error) {
      this.#options.signal?.throwIfAborted();
      this.#fault('unreadable', where, (error as Error).message);
      return undefined;
    }
  }

  #fault(kind: FaultKind, where: string, message: string): void {
    this.#faultCount++;
    if (this.#faults.length < (this.#options.limit ?? DEFAULT_LIMIT)) this.#faults.push({ kind, where, message });
  }
}

/** Name of the sample at a position: samples from elsewhere have names of their own. */
function sampleName(header: DatasetHeader, position: number): string {
  const made = header.sourceHash !== '' || header.grammarHash !== '';
  return made ? sampleKey(header.start + position) : `sample ${position}`;
}
