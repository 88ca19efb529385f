import { createHash, type Hash } from 'node:crypto';
import { closeSync, fsync, fsyncSync, mkdirSync, openSync, writeSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { DatasetError } from '../errors.js';
import type { StagedFiles, StagedStream } from './format.js';

/** Where, within a dataset, the parts of its shards wait for `DatasetWriter.finish`. */
export const PARTS_FOLDER = '.metasim/parts';

/** Appended text and bytes are gathered to writes of this size. */
const BUFFER_BYTES = 1 << 18;
/** Bytes of a UTF-16 code unit in UTF-8, at most. */
const MAX_UTF8 = 3;

/** A file of a shard that is on the disk, in the staging folder. */
export interface StagedFile {
  /** Relative to the dataset, with `/`. */
  readonly path: string;
  readonly bytes: number;
  /** SHA-256 of its bytes, hexadecimal. */
  readonly sha256: string;
}

/** The staging folder of one shard: writes its files, hashing them on the way. */
export class Staging implements StagedFiles {
  readonly folder: string;
  readonly #shardName: string;
  readonly #files: StagedFile[] = [];
  readonly #open = new Map<string, FileStream>();
  readonly #folders = new Set<string>();
  readonly #paths = new Set<string>();

  /**
   * @param folder an empty folder, or one that does not exist yet
   * @param shard number of the shard, which names its parts
   */
  constructor(folder: string, shard: number) {
    this.folder = folder;
    this.#shardName = partName(shard);
    mkdirSync(folder, { recursive: true });
  }

  /** @throws DatasetError for a path that leaves the dataset, is used twice, or cannot be written */
  write(path: string, bytes: Uint8Array | string): void {
    const stream = new FileStream(this.#claim(path), path, 0);
    try {
      stream.write(bytes);
      this.#files.push(stream.endAtOnce());
    } finally {
      stream.close();
    }
  }

  /** @throws as `write` */
  stream(path: string): StagedStream {
    const stream = new FileStream(this.#claim(path), path, BUFFER_BYTES);
    this.#open.set(path, stream);
    return stream;
  }

  /** @throws as `write` */
  part(name: string): StagedStream {
    const path = `${PARTS_FOLDER}/${name}/${this.#shardName}`;
    return this.#open.get(path) ?? this.stream(path);
  }

  /** Bytes written so far, files that are still open included. */
  get bytes(): number {
    let sum = 0;
    for (const file of this.#files) sum += file.bytes;
    for (const stream of this.#open.values()) sum += stream.length;
    return sum;
  }

  /**
   * Closes all files, syncs them and their folders to the disk, and lists them by path. The thread can do other things
   * while the disk is at work.
   */
  async seal(): Promise<StagedFile[]> {
    for (const stream of this.#open.values()) this.#files.push(await stream.end());
    this.#open.clear();
    for (const folder of this.#folders) await syncFolder(folder);
    return this.#files.sort((a, b) => (a.path < b.path ? -1 : 1));
  }

  /** Closes what is open, after a failure; the folder is for the caller to remove. */
  abandon(): void {
    for (const stream of this.#open.values()) stream.close();
    this.#open.clear();
  }

  /** The path in the staging folder; its folders are made. */
  #claim(path: string): string {
    checkRelativePath(path);
    if (this.#paths.has(path)) throw new DatasetError(`Expected a new path in the shard but received ${path} twice`);
    this.#paths.add(path);
    const full = join(this.folder, path);
    const folder = dirname(full);
    if (!this.#folders.has(folder)) {
      mkdirSync(folder, { recursive: true });
      this.#folders.add(folder);
    }
    return full;
  }
}

/** Name of a shard's part: its number, so that names sort like numbers. */
export function partName(shard: number): string {
  return String(shard).padStart(6, '0');
}

/**
 * Checks that a path stays within its dataset.
 * @throws DatasetError when it is empty, absolute, or holds `..`, a backslash or NUL
 */
export function checkRelativePath(path: string): void {
  const parts = path.split('/');
  if (path === '' || /[\\\0]/.test(path) || parts.some((part) => part === '' || part === '.' || part === '..')) {
    throw new DatasetError(`Expected a path within the dataset but received ${JSON.stringify(path)}`);
  }
}

/** Makes names that were added to or taken from a folder outlast a power cut. */
export async function syncFolder(folder: string): Promise<void> {
  // Windows cannot open folders, and needs not.
  if (process.platform === 'win32') return;
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

const syncDescriptor = promisify(fsync);

/**
 * Buffers of files that are closed, for those that come: the next shard's. Left to the garbage collector they would lie
 * about for many shards, since it does not see how large they are.
 */
const spareBuffers: Buffer[] = [];
const MOST_SPARE = 8;
const NO_BUFFER = Buffer.alloc(0);

function takeBuffer(bytes: number): Buffer {
  return (bytes === BUFFER_BYTES && spareBuffers.pop()) || Buffer.allocUnsafeSlow(bytes);
}

function giveBuffer(buffer: Buffer): void {
  if (buffer.length === BUFFER_BYTES && spareBuffers.length < MOST_SPARE) spareBuffers.push(buffer);
}

/** A new file, appended to through a buffer. */
class FileStream implements StagedStream {
  readonly #path: string;
  readonly #descriptor: number;
  readonly #hash: Hash = createHash('sha256');
  #buffer: Buffer;
  #used = 0;
  #length = 0;
  #closed = false;

  constructor(fullPath: string, path: string, bufferBytes: number) {
    this.#path = path;
    this.#descriptor = this.#try(() => openSync(fullPath, 'wx'));
    this.#buffer = takeBuffer(bufferBytes);
  }

  get length(): number {
    return this.#length;
  }

  write(content: Uint8Array | string): void {
    if (typeof content === 'string' && this.#writeText(content)) return;
    const bytes = typeof content === 'string' ? Buffer.from(content) : content;
    this.#length += bytes.length;
    if (this.#used + bytes.length > this.#buffer.length) this.#flush();
    if (bytes.length >= this.#buffer.length) {
      this.#writeOut(bytes);
      return;
    }
    this.#buffer.set(bytes, this.#used);
    this.#used += bytes.length;
  }

  async end(): Promise<StagedFile> {
    try {
      this.#flush();
      await syncDescriptor(this.#descriptor).catch((cause) => this.#fail(cause));
    } finally {
      this.close();
    }
    return this.#result();
  }

  /** `end` without a turn of the event loop. */
  endAtOnce(): StagedFile {
    try {
      this.#flush();
      this.#try(() => fsyncSync(this.#descriptor));
    } finally {
      this.close();
    }
    return this.#result();
  }

  /** May be called again: the descriptor's number may by then be that of another thread's file. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    giveBuffer(this.#buffer);
    this.#buffer = NO_BUFFER;
    closeSync(this.#descriptor);
  }

  /** Writes text right into the buffer; false where it may not fit. */
  #writeText(text: string): boolean {
    const most = MAX_UTF8 * text.length;
    if (most > this.#buffer.length) return false;
    if (this.#used + most > this.#buffer.length) this.#flush();
    const bytes = this.#buffer.write(text, this.#used);
    this.#used += bytes;
    this.#length += bytes;
    return true;
  }

  #flush(): void {
    if (this.#used > 0) this.#writeOut(this.#buffer.subarray(0, this.#used));
    this.#used = 0;
  }

  #writeOut(bytes: Uint8Array): void {
    this.#hash.update(bytes);
    // A write may be short, on a nearly full disk for one: the rest then fails with the reason.
    for (let done = 0; done < bytes.length; ) {
      done += this.#try(() => writeSync(this.#descriptor, bytes, done, bytes.length - done));
    }
  }

  #try<T>(step: () => T): T {
    try {
      return step();
    } catch (cause) {
      return this.#fail(cause);
    }
  }

  #result(): StagedFile {
    return { path: this.#path, bytes: this.#length, sha256: this.#hash.digest('hex') };
  }

  #fail(cause: unknown): never {
    throw new DatasetError(`Expected to be able to write ${this.#path} but received: ${(cause as Error).message}`, {
      cause,
    });
  }
}
