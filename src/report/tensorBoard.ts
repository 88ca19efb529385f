import { closeSync, mkdirSync, openSync, writeSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { maskedCrc32c } from '../dataset/crc32c.js';
import { ConfigError } from '../errors.js';

/*
 * A TensorBoard event file is a row of TFRecords, each a `tensorflow.Event` protocol buffer:
 *
 *   offset  type   meaning (little-endian)
 *   0       u64    length n of the data
 *   8       u32    masked CRC-32C of the 8 bytes above
 *   12      u8×n   data
 *   12 + n  u32    masked CRC-32C of the data
 *
 * Event:   1 double wall_time · 2 int64 step · 3 string file_version · 5 Summary summary · 7 SessionLog session_log
 * Summary: repeated 1 Value { 1 string tag · 2 float simple_value }
 * SessionLog: 1 enum status (1 START)
 */

const FILE_VERSION = 'brain.Event:2';
const SESSION_START = 1;
/** Protocol buffer wire types. */
const VARINT = 0;
const FIXED64 = 1;
const BYTES = 2;
const FIXED32 = 5;

/**
 * Writes scalars that TensorBoard shows as curves. Each call's record is handed to the system before it returns.
 */
export class ScalarEventWriter {
  /** Path of the event file. */
  readonly path: string;
  #file: number | undefined;

  /**
   * Starts an event file in `folder`, which is made where needed.
   * @param resumeAt step of the checkpoint that a run goes on from: TensorBoard then drops what older files say about
   *   later steps
   */
  constructor(folder: string, resumeAt?: number) {
    mkdirSync(folder, { recursive: true });
    [this.path, this.#file] = createEventFile(folder);
    const now = Date.now() / 1000;
    this.#append([...double(1, now), ...text(3, FILE_VERSION)]);
    if (resumeAt !== undefined) {
      // TensorBoard purges events at this step or later.
      this.#append([...double(1, now), ...varint(2, resumeAt + 1), ...message(7, varint(1, SESSION_START))]);
    }
  }

  /**
   * Notes values of a step under their tags, e.g. `{ 'loss/mmd': 0.1 }`. Tags with a slash share a section.
   * @param step integer ≥ 0
   * @param time seconds since 1970; default now
   */
  write(step: number, values: Readonly<Record<string, number>>, time = Date.now() / 1000): void {
    if (!Number.isSafeInteger(step) || step < 0) {
      throw new ConfigError(`Expected an integer ≥ 0 for the step but received ${step}`);
    }
    const summary = Object.entries(values).flatMap(([tag, value]) => message(1, [...text(1, tag), ...float(2, value)]));
    this.#append([...double(1, time), ...varint(2, step), ...message(5, summary)]);
  }

  /** Closes the file; a second call does nothing. */
  close(): void {
    if (this.#file !== undefined) closeSync(this.#file);
    this.#file = undefined;
  }

  #append(event: number[]): void {
    if (this.#file === undefined) throw new ConfigError('Expected an open event file but received a closed one');
    writeSync(this.#file, record(Uint8Array.from(event)));
  }
}

/** A new file whose name TensorBoard recognises; a number is added when two start in one second. */
function createEventFile(folder: string): [string, number] {
  const seconds = String(Math.floor(Date.now() / 1000)).padStart(10, '0');
  for (let n = 0; ; n++) {
    const path = join(folder, `events.out.tfevents.${seconds}.${hostname()}${n ? `.${n}` : ''}`);
    try {
      return [path, openSync(path, 'wx')];
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    }
  }
}

/** Data framed as a TFRecord. */
function record(data: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(16 + data.length);
  const view = new DataView(bytes.buffer);
  view.setBigUint64(0, BigInt(data.length), true);
  view.setUint32(8, maskedCrc32c(bytes.subarray(0, 8)), true);
  bytes.set(data, 12);
  view.setUint32(12 + data.length, maskedCrc32c(data), true);
  return bytes;
}

function key(field: number, wireType: number): number[] {
  return rawVarint((field << 3) | wireType);
}

/** Base-128 digits, least significant first, the high bit saying that more follow; up to 2⁵³ − 1. */
function rawVarint(value: number): number[] {
  const bytes: number[] = [];
  let rest = value;
  while (rest >= 128) {
    bytes.push((rest % 128) | 128);
    rest = Math.floor(rest / 128);
  }
  bytes.push(rest);
  return bytes;
}

function varint(field: number, value: number): number[] {
  return [...key(field, VARINT), ...rawVarint(value)];
}

function double(field: number, value: number): number[] {
  return [...key(field, FIXED64), ...littleEndian(8, (view) => view.setFloat64(0, value, true))];
}

function float(field: number, value: number): number[] {
  return [...key(field, FIXED32), ...littleEndian(4, (view) => view.setFloat32(0, value, true))];
}

function littleEndian(length: number, write: (view: DataView) => void): Uint8Array {
  const bytes = new Uint8Array(length);
  write(new DataView(bytes.buffer));
  return bytes;
}

function message(field: number, bytes: number[]): number[] {
  return [...key(field, BYTES), ...rawVarint(bytes.length), ...bytes];
}

function text(field: number, value: string): number[] {
  return message(field, [...new TextEncoder().encode(value)]);
}
