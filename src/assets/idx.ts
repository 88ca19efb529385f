import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { DatasetError } from '../errors.js';

/** An array of bytes as the IDX format of MNIST holds it. */
export interface IdxArray {
  /** Sizes, outermost first: [N, H, W] for images, [N] for labels. */
  readonly shape: readonly number[];
  /** Row-major. */
  readonly data: Uint8Array;
}

const UNSIGNED_BYTE = 0x08;
const MAX_DIMENSIONS = 8;
/** Larger files are refused before they are unpacked: 1 GiB. */
const MAX_BYTES = 2 ** 30;

/**
 * Reads an IDX file of unsigned bytes, plain or gzipped (told by content, not by name).
 * Layout: two zero bytes, the type, the number of dimensions, each size as a big-endian uint32, the data.
 * @throws DatasetError that names the file when it is missing, not IDX, of another type, or not of the length it says
 */
export function readIdx(path: string): IdxArray {
  const bytes = readMaybeGzipped(path);
  const fail = (expected: string, received: string): never => {
    throw new DatasetError(`Expected ${expected} for ${path} but received ${received}`);
  };
  if (bytes.length < 4) fail('an IDX header of 4 bytes', `${bytes.length} bytes`);
  if (bytes[0] !== 0 || bytes[1] !== 0) fail('an IDX file (two zero bytes first)', hex(bytes.subarray(0, 4)));
  if (bytes[2] !== UNSIGNED_BYTE) fail('IDX type 0x08 (unsigned byte)', hex(bytes.subarray(2, 3)));
  const dimensions = bytes[3];
  if (dimensions < 1 || dimensions > MAX_DIMENSIONS) fail(`1 to ${MAX_DIMENSIONS} dimensions`, String(dimensions));
  const start = 4 + 4 * dimensions;
  if (bytes.length < start) fail(`an IDX header of ${start} bytes`, `${bytes.length} bytes`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const shape = Array.from({ length: dimensions }, (_, i) => view.getUint32(4 + 4 * i));
  const length = shape.reduce((product, size) => product * size, 1);
  if (bytes.length - start !== length) {
    fail(`${shape.join(' × ')} = ${length} bytes of data`, `${bytes.length - start}`);
  }
  return { shape, data: bytes.subarray(start) };
}

function readMaybeGzipped(path: string): Uint8Array {
  let bytes: Uint8Array;
  try {
    bytes = readFileSync(path);
  } catch (cause) {
    throw new DatasetError(`Expected a readable IDX file at ${path} but received ${message(cause)}`, { cause });
  }
  if (bytes[0] !== 0x1f || bytes[1] !== 0x8b) return bytes;
  try {
    return gunzipSync(bytes, { maxOutputLength: MAX_BYTES });
  } catch (cause) {
    throw new DatasetError(`Expected an intact gzip file at ${path} but received ${message(cause)}`, { cause });
  }
}

function message(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}

function hex(bytes: Uint8Array): string {
  return [...bytes].map((byte) => `0x${byte.toString(16).padStart(2, '0')}`).join(' ');
}
