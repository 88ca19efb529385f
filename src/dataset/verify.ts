import { createHash } from 'node:crypto';
import { DatasetError, MetasimError } from '../errors.js';
import { missingShards, rangesOf } from './complete.js';
import { ContentHash, DIGEST_BYTES, payloadOf, sampleDigest } from './contentHash.js';
import { allEntries, entryLine } from './entry.js';
import type { DatasetReader } from './format.js';
import { openFormat } from './formats/index.js';
import { type DatasetHeader, HEADER_PATH, readHeader } from './header.js';
import { withKeptRecords } from './keptRecords.js';
import { LocalStorage } from './localStorage.js';
import { MANIFEST_PATH, type Manifest, readManifest } from './manifest.js';
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
   * for equal pixels and labels, whatever format, threads, shards or machines.
   */
  readonly contentHash: string;
  readonly quarantined: number;
  readonly faults: readonly DatasetFault[];
  /** Number of all faults. */
  readonly faultCount: number;
}

/**
 * Checks a dataset of ours: every shard is there, every file has the bytes that were written, and, read through its
 * format, every sample has the pixels and labels that were made, none missing and none twice. Memory does not grow with
 * the number of images.
 * @param folder of a dataset that was generated or converted
 * @throws DatasetError when there is none; the signal's reason when aborted
 */
export async function verifyDataset(folder: string, options: VerifyOptions = {}): Promise<VerifiedDataset> {
  const storage = new LocalStorage(folder);
  const header = await readHeader(storage);
  if (!header) {
    throw new DatasetError(`Expected a dataset made by metasim in ${folder} but received none (no ${HEADER_PATH})`);
  }
  const verifier = new Verifier(storage, header, options);
  return verifier.run(folder);
}

class Verifier {
  readonly #storage: DatasetStorage;
  readonly #header: DatasetHeader;
  readonly #options: VerifyOptions;
  readonly #faults: DatasetFault[] = [];
  #faultCount = 0;
  #files = 0;
  #bytes = 0;
  #samples = 0;
  #quarantined = 0;

  constructor(storage: DatasetStorage, header: DatasetHeader, options: VerifyOptions) {
    this.#storage = storage;
    this.#header = header;
    this.#options = options;
  }

  async run(folder: string): Promise<VerifiedDataset> {
    const manifest = await this.#readManifest();
    const missing = await missingShards(this.#storage, this.#header);
    if (missing.length > 0) {
      this.#fault(
        'unfinished',
        this.#storage.place,
        `Expected all shards but ${missing.length} are missing: ${rangesOf(missing)}`,
      );
    } else if (!manifest) {
      this.#fault(
        'unfinished',
        MANIFEST_PATH,
        'Expected a manifest but the dataset has not been completed (metasim merge)',
      );
    }
    let contentHash = '';
    if (missing.length === 0) {
      contentHash = await this.#checkEntries(manifest);
      for (const file of manifest?.files ?? []) await this.#checkFile(file);
      if (!this.#options.quick && manifest) contentHash = await this.#checkSamples(folder);
    }
    return {
      ok: this.#faultCount === 0,
      format: this.#header.layout,
      count: this.#header.count,
      samples: this.#samples,
      files: this.#files,
      bytes: this.#bytes,
      contentHash,
      quarantined: this.#quarantined,
      faults: this.#faults,
      faultCount: this.#faultCount,
    };
  }

  async #readManifest(): Promise<Manifest | undefined> {
    try {
      return await readManifest(this.#storage);
    } catch (error) {
      this.#fault('unreadable', MANIFEST_PATH, (error as Error).message);
      return undefined;
    }
  }

  /** Shards' entries and files. @returns the content hash that the entries stand for */
  async #checkEntries(manifest: Manifest | undefined): Promise<string> {
    const content = new ContentHash();
    const entries = createHash('sha256');
    try {
      for await (const entry of allEntries(this.#storage, this.#header)) {
        content.add(Buffer.from(entry.digests, 'base64'));
        entries.update(entryLine(entry));
        this.#quarantined += entry.quarantined.length;
        for (const file of entry.files) await this.#checkFile(file, manifest?.bytes);
      }
    } catch (error) {
      if (!(error instanceof MetasimError)) throw error;
      this.#fault('unreadable', this.#storage.place, error.message);
      return '';
    }
    const hash = content.digest();
    if (manifest && entries.digest('hex') !== manifest.entriesHash) {
      this.#fault(
        'changed entry',
        '.metasim/shards',
        'Expected the entries that the manifest was written for but received others',
      );
    }
    return hash;
  }

  async #checkFile(file: StagedFile, total = 0): Promise<void> {
    this.#options.signal?.throwIfAborted();
    this.#files++;
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
  }

  /** Reads every sample. @returns the content hash of what was read */
  async #checkSamples(folder: string): Promise<string> {
    const content = new ContentHash();
    const digests = this.#digests();
    try {
      for await (const sample of (await this.#open(folder)).samples(this.#signal())) {
        const digest = sampleDigest(JSON.stringify(sample.labels), await payloadOf(sample));
        content.add(digest);
        const { value: expected, done } = await digests.next();
        if (done) {
          this.#fault(
            'surplus sample',
            sample.labels.key,
            `Expected ${this.#header.count} samples but received one more`,
          );
        } else if (!digest.equals(expected)) {
          this.#fault(
            'changed sample',
            sample.labels.key,
            'Expected the pixels and labels that were made but received others',
          );
        }
        this.#samples++;
        this.#options.onProgress?.('samples', this.#samples, this.#header.count);
      }
      if (this.#samples < this.#header.count) {
        this.#fault('missing sample', folder, `Expected ${this.#header.count} samples but received ${this.#samples}`);
      }
    } catch (error) {
      if (!(error instanceof MetasimError)) throw error;
      this.#fault('unreadable', folder, error.message);
    }
    return content.digest();
  }

  /** The dataset's reader, with the label records that its format does not hold. */
  async #open(folder: string): Promise<DatasetReader> {
    const format = await openFormat(this.#header.layout);
    const reader = await format.open(folder);
    return format.holdsRecords ? reader : withKeptRecords(reader, folder);
  }

  /** Digests of all samples in order, as their shards' entries have them. */
  async *#digests(): AsyncGenerator<Uint8Array, undefined, undefined> {
    for await (const entry of allEntries(this.#storage, this.#header)) {
      const digests = Buffer.from(entry.digests, 'base64');
      for (let at = 0; at < digests.length; at += DIGEST_BYTES) yield digests.subarray(at, at + DIGEST_BYTES);
    }
    return undefined;
  }

  #signal(): { signal?: AbortSignal } {
    return this.#options.signal ? { signal: this.#options.signal } : {};
  }

  #fault(kind: FaultKind, where: string, message: string): void {
    this.#faultCount++;
    if (this.#faults.length < (this.#options.limit ?? DEFAULT_LIMIT)) this.#faults.push({ kind, where, message });
  }
}
