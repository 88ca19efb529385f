import { type FileHandle, open } from 'node:fs/promises';
import { DatasetError } from '../errors.js';
import { maskedCrc32c } from './crc32c.js';
import type { StagedStream } from './format.js';

/**
 * A TFRecord file is a row of records (tensorflow/core/lib/io/record_writer.h), all numbers little-endian:
 *
 *     0        8          12        12 + n     16 + n
 *     │ n: u64 │ crc: u32 │ data    │ crc: u32 │
 *              of the 8            of the data          both CRC-32C, masked (crc32c.ts)
 */
const HEAD_BYTES = 12;
const TAIL_BYTES = 4;

/** Longer records are refused: 1 GiB. */
const MAX_RECORD_BYTES = 2 ** 30;
/** Files are read in pieces of this size. */
const BUFFER_BYTES = 2 ** 20;

/** A record of a file. */
export interface TfRecord {
  /** Where it starts in the file. */
  readonly offset: number;
  /** A view: valid until the next record. */
  readonly data: Uint8Array;
}

/** Appends a record. */
export function writeRecord(stream: StagedStream, data: Uint8Array): void {
  const head = Buffer.allocUnsafe(HEAD_BYTES);
  head.writeUInt32LE(data.length % 2 ** 32, 0);
  head.writeUInt32LE(Math.floor(data.length / 2 ** 32), 4);
  head.writeUInt32LE(maskedCrc32c(head.subarray(0, 8)), 8);
  const tail = Buffer.allocUnsafe(TAIL_BYTES);
  tail.writeUInt32LE(maskedCrc32c(data), 0);
  stream.write(head);
  stream.write(data);
  stream.write(tail);
}

/**
 * The records of a file, both checks of each verified; memory is that of the longest record.
 * @param path of the file
 * @param place its name, for errors
 * @throws DatasetError, naming file and offset, when it cannot be read, ends within a record, or a check does not agree
 */
export async function* readRecords(path: string, place: string): AsyncGenerator<TfRecord> {
  const source = await RecordSource.open(path, place);
  try {
    for (let record = await source.next(); record; record = await source.next()) yield record;
  } finally {
    await source.close();
  }
}

/** A file read through one buffer, which grows to the longest record. */
class RecordSource {
  readonly #handle: FileHandle;
  readonly #place: string;
  /** Size of the file when it was opened. */
  readonly #size: number;
  #buffer: Buffer = Buffer.allocUnsafe(BUFFER_BYTES);
  /** What is in the buffer and not taken yet. */
  #start = 0;
  #end = 0;
  /** Where in the file the next record starts. */
  #offset = 0;

  private constructor(handle: FileHandle, size: number, place: string) {
    this.#handle = handle;
    this.#size = size;
    this.#place = place;
  }

  static async open(path: string, place: string): Promise<RecordSource> {
    let handle: FileHandle | undefined;
    try {
      handle = await open(path, 'r');
      return new RecordSource(handle, (await handle.stat()).size, place);
    } catch (cause) {
      await handle?.close();
      throw new DatasetError(`Expected a readable file at ${place} but received: ${(cause as Error).message}`, {
        cause,
      });
    }
  }

  async close(): Promise<void> {
    await this.#handle.close();
  }

  async next(): Promise<TfRecord | undefined> {
    const left = this.#size - this.#offset;
    if (left === 0) return undefined;
    if (left < HEAD_BYTES)
      throw this.#damage(`${HEAD_BYTES} bytes of a record's head`, `${left} to the end of the file`);
    await this.#fill(HEAD_BYTES);
    const length = this.#checkHead(this.#buffer.subarray(this.#start, this.#start + HEAD_BYTES));
    // Before anything of that size is allocated.
    if (length > MAX_RECORD_BYTES) throw this.#damage(`at most ${MAX_RECORD_BYTES} bytes of data`, `${length}`);
    const whole = HEAD_BYTES + length + TAIL_BYTES;
    if (whole > left) throw this.#damage(`${whole} bytes of record`, `${left} to the end of the file`);
    await this.#fill(whole);
    const data = this.#buffer.subarray(this.#start + HEAD_BYTES, this.#start + HEAD_BYTES + length);
    this.#expectCheck(this.#buffer.readUInt32LE(this.#start + HEAD_BYTES + length), data, 'data');
    const record = { offset: this.#offset, data };
    this.#start += whole;
    this.#offset += whole;
    return record;
  }

  /** @returns the length of the data */
  #checkHead(head: Buffer): number {
    if (this.#offset === 0 && head[0] === 0x1f && head[1] === 0x8b && head[2] === 8) {
      throw new DatasetError(`Expected an uncompressed TFRecord file at ${this.#place} but received one in gzip`);
    }
    this.#expectCheck(head.readUInt32LE(8), head.subarray(0, 8), 'length');
    return head.readUInt32LE(0) + head.readUInt32LE(4) * 2 ** 32;
  }

  #expectCheck(stored: number, bytes: Uint8Array, what: string): void {
    const computed = maskedCrc32c(bytes);
    if (stored === computed) return;
    throw this.#damage(`the CRC-32C ${hex(computed)} of the ${what}`, hex(stored));
  }

  /** Reads on until `count` bytes are in the buffer. */
  async #fill(count: number): Promise<void> {
    if (this.#end - this.#start >= count) return;
    const rest = this.#buffer.subarray(this.#start, this.#end);
    // Views of the record before end here; a buffer that is too small is left to them.
    if (count > this.#buffer.length) this.#buffer = Buffer.allocUnsafe(count);
    this.#buffer.set(rest, 0);
    this.#end = rest.length;
    this.#start = 0;
    while (this.#end < count) {
      const { bytesRead } = await this.#handle
        .read(this.#buffer, this.#end, this.#buffer.length - this.#end, this.#offset + this.#end)
        .catch((cause) => {
          throw new DatasetError(`Expected to be able to read ${this.#place} but received: ${cause.message}`, {
            cause,
          });
        });
      if (bytesRead === 0) throw this.#damage(`${count} bytes`, `${this.#end}: the file has become shorter`);
      this.#end += bytesRead;
    }
  }

  #damage(expected: string, received: string): DatasetError {
    return new DatasetError(
      `Expected ${expected} for the record at byte ${this.#offset} of ${this.#place} but received ${received}`,
    );
  }
}

function hex(value: number): string {
  return `0x${value.toString(16).padStart(8, '0')}`;
}
