import { createHash } from 'node:crypto';
import { mkdir, open, readdir, readFile, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { TrainingError } from '../errors.js';

// A checkpoint file, little-endian:
//
//   offset  size  what
//        0     4  magic "MSCK"
//        4     4  u32 version
//        8     4  u32 length H of the JSON header
//       12     4  zero
//       16     H  JSON, UTF-8: { metadata, arrays: [{ name, type, shape, offset, length }] }
//      …        …  zeros up to the next multiple of 8; here the data begin: `offset` counts from here, in bytes
//      …        …  arrays one after the other, each starting at a multiple of 8
//   end−32   32  SHA-256 of all that stands before
const MAGIC = 'MSCK';
const VERSION = 1;
const HEADER_START = 16;
const HASH_LENGTH = 32;
const ALIGNMENT = 8;
/** Names the newest complete checkpoint of a folder. */
const LATEST = 'latest';

const ARRAY_TYPES = { float32: Float32Array, float64: Float64Array, int32: Int32Array } as const;
type ArrayType = keyof typeof ARRAY_TYPES;

/** A named array of a checkpoint. */
export interface CheckpointArray {
  readonly shape: readonly number[];
  readonly data: Float32Array | Float64Array | Int32Array;
}

/** JSON values. */
export type Json = string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json };

/** All that a run needs to go on. */
export interface Checkpoint {
  /** Configuration, epoch, baseline, seeds, grammar hash …; JSON only. */
  readonly metadata: { readonly [key: string]: Json };
  readonly arrays: Readonly<Record<string, CheckpointArray>>;
}

export interface SaveCheckpointOptions {
  /** File name without its ending, unique in the folder and rising with time, e.g. `epoch-000012`. */
  readonly name?: string;
  /** How many checkpoints stay in the folder. Default 2. */
  readonly keep?: number;
}

interface ArrayEntry {
  readonly name: string;
  readonly type: ArrayType;
  readonly shape: readonly number[];
  readonly offset: number;
  readonly length: number;
}

/**
 * Writes a checkpoint into a folder (made if need be) and points `latest` at it. The file appears complete or not at
 * all: it is written under a temporary name, synced, then renamed; a crash at any moment leaves the previous one.
 * @returns path of the file
 * @throws TrainingError when an array's length is not the product of its shape
 */
export async function saveCheckpoint(
  directory: string,
  checkpoint: Checkpoint,
  options: SaveCheckpointOptions = {},
): Promise<string> {
  const { name = 'checkpoint', keep = 2 } = options;
  await mkdir(directory, { recursive: true });
  const file = `${name}.ckpt`;
  await writeDurably(directory, file, encodeCheckpoint(checkpoint));
  await writeDurably(directory, LATEST, Buffer.from(`${file}\n`));
  await removeOld(directory, file, keep);
  return join(directory, file);
}

/**
 * Reads the newest checkpoint of a folder, or a checkpoint file.
 * @param expected metadata that must be equal, e.g. the configuration and the grammar's hash
 * @throws TrainingError when there is none, it is damaged, or it is of another run; names what differs
 */
export async function loadCheckpoint(path: string, expected: Checkpoint['metadata'] = {}): Promise<Checkpoint> {
  const file = await resolveFile(path);
  let bytes: Buffer;
  try {
    bytes = await readFile(file);
  } catch (cause) {
    throw new TrainingError(`Expected a readable checkpoint at ${file} but received: ${(cause as Error).message}`, {
      cause,
    });
  }
  const checkpoint = decodeCheckpoint(bytes, file);
  for (const [key, value] of Object.entries(expected)) {
    const found = difference(value, checkpoint.metadata[key], key);
    if (!found) continue;
    throw new TrainingError(
      `Expected ${brief(found.expected)} for ${found.path} of the checkpoint ${file} but received ${brief(found.received)}: it is of another run, so choose another folder`,
    );
  }
  return checkpoint;
}

/** Whether a folder holds a checkpoint to go on from. */
export async function hasCheckpoint(directory: string): Promise<boolean> {
  return stat(join(directory, LATEST)).then(
    () => true,
    () => false,
  );
}

/** The bytes of a checkpoint file. */
export function encodeCheckpoint({ metadata, arrays }: Checkpoint): Buffer {
  const entries: ArrayEntry[] = [];
  let offset = 0;
  for (const [name, { shape, data }] of Object.entries(arrays)) {
    const size = shape.reduce((product, length) => product * length, 1);
    if (size !== data.length) {
      throw new TrainingError(`Expected ${size} values for "${name}" of shape [${shape}] but received ${data.length}`);
    }
    entries.push({ name, type: arrayType(data), shape, offset, length: data.length });
    offset = align(offset + data.byteLength);
  }
  const header = Buffer.from(JSON.stringify({ metadata, arrays: entries }));
  const dataStart = align(HEADER_START + header.length);
  const bytes = Buffer.alloc(dataStart + offset + HASH_LENGTH);
  bytes.write(MAGIC, 'latin1');
  bytes.writeUInt32LE(VERSION, 4);
  bytes.writeUInt32LE(header.length, 8);
  header.copy(bytes, HEADER_START);
  for (const entry of entries) {
    const { data } = arrays[entry.name];
    Buffer.from(data.buffer, data.byteOffset, data.byteLength).copy(bytes, dataStart + entry.offset);
  }
  const end = bytes.length - HASH_LENGTH;
  createHash('sha256').update(bytes.subarray(0, end)).digest().copy(bytes, end);
  return bytes;
}

/**
 * Reads the bytes of a checkpoint file; the arrays are copies.
 * @param where what error messages call it
 */
export function decodeCheckpoint(bytes: Buffer, where = 'checkpoint'): Checkpoint {
  const damaged = (what: string) =>
    new TrainingError(`Expected a complete checkpoint in ${where} but received ${what}`);
  const end = bytes.length - HASH_LENGTH;
  if (end < HEADER_START) throw damaged(`${bytes.length} bytes`);
  if (bytes.toString('latin1', 0, 4) !== MAGIC) throw damaged('another kind of file');
  const version = bytes.readUInt32LE(4);
  if (version !== VERSION) {
    throw new TrainingError(`Expected version ${VERSION} for ${where} but received ${version}`);
  }
  const hash = createHash('sha256').update(bytes.subarray(0, end)).digest();
  if (!hash.equals(bytes.subarray(end))) throw damaged('bytes that do not match their checksum');
  // From here on the bytes are what `encodeCheckpoint` wrote.
  const headerLength = bytes.readUInt32LE(8);
  const header = JSON.parse(bytes.toString('utf8', HEADER_START, HEADER_START + headerLength)) as {
    metadata: Checkpoint['metadata'];
    arrays: ArrayEntry[];
  };
  const dataStart = align(HEADER_START + headerLength);
  const arrays: Record<string, CheckpointArray> = {};
  for (const { name, type, shape, offset, length } of header.arrays) {
    const data = new ARRAY_TYPES[type](length);
    const from = dataStart + offset;
    new Uint8Array(data.buffer).set(bytes.subarray(from, from + data.byteLength));
    arrays[name] = { shape, data };
  }
  return { metadata: header.metadata, arrays };
}

/** The arrays under `prefix/`, without the prefix, as float32. */
export function arraysUnder(
  { arrays }: Checkpoint,
  prefix: string,
): Record<string, { shape: readonly number[]; data: Float32Array }> {
  const found: Record<string, { shape: readonly number[]; data: Float32Array }> = {};
  for (const [name, { shape, data }] of Object.entries(arrays)) {
    if (!name.startsWith(`${prefix}/`)) continue;
    if (!(data instanceof Float32Array)) {
      throw new TrainingError(`Expected float32 for "${name}" but received ${arrayType(data)}`);
    }
    found[name.slice(prefix.length + 1)] = { shape, data };
  }
  return found;
}

/** The same arrays with `prefix/` before their names, so that several models fit into one checkpoint. */
export function prefixed<T extends CheckpointArray>(prefix: string, arrays: Record<string, T>): Record<string, T> {
  return Object.fromEntries(Object.entries(arrays).map(([name, array]) => [`${prefix}/${name}`, array]));
}

/** A model's flat arrays as a checkpoint keeps them, under `prefix/`; `flatArraysUnder` reads them back. */
export function flatArrays(prefix: string, arrays: Readonly<Record<string, Float32Array>>): Checkpoint['arrays'] {
  const shaped = Object.entries(arrays).map(([name, data]) => [name, { shape: [data.length], data }] as const);
  return prefixed(prefix, Object.fromEntries(shaped));
}

/** The arrays that `flatArrays` wrote. @throws TrainingError when one has another type */
export function flatArraysUnder(checkpoint: Checkpoint, prefix: string): Record<string, Float32Array> {
  const found = Object.entries(arraysUnder(checkpoint, prefix)).map(([name, { data }]) => [name, data] as const);
  return Object.fromEntries(found);
}

async function resolveFile(path: string): Promise<string> {
  const found = await stat(path).catch(() => undefined);
  if (!found?.isDirectory()) return path;
  try {
    return join(path, (await readFile(join(path, LATEST), 'utf8')).trim());
  } catch (cause) {
    throw new TrainingError(`Expected a checkpoint in ${path} but received a folder without "${LATEST}"`, { cause });
  }
}

async function writeDurably(directory: string, name: string, bytes: Uint8Array): Promise<void> {
  const path = join(directory, name);
  const temporary = `${path}.tmp`;
  const file = await open(temporary, 'w');
  try {
    await file.writeFile(bytes);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(temporary, path);
  await syncDirectory(directory);
}

/** Makes a rename survive a power failure; not every platform lets a folder be opened. */
async function syncDirectory(directory: string): Promise<void> {
  const handle = await open(directory, 'r').catch(() => undefined);
  try {
    await handle?.sync().catch(() => undefined);
  } finally {
    await handle?.close();
  }
}

/** Removes all but the `keep` last checkpoints by name; `current` always stays. */
async function removeOld(directory: string, current: string, keep: number): Promise<void> {
  const files = (await readdir(directory)).filter((name) => name.endsWith('.ckpt') && name !== current).sort();
  const surplus = files.slice(0, Math.max(0, files.length - (keep - 1)));
  for (const name of surplus) await rm(join(directory, name), { force: true });
}

function arrayType(data: CheckpointArray['data']): ArrayType {
  if (data instanceof Float32Array) return 'float32';
  return data instanceof Float64Array ? 'float64' : 'int32';
}

function align(offset: number): number {
  return Math.ceil(offset / ALIGNMENT) * ALIGNMENT;
}

/** Where two values first differ, and how. */
function difference(
  expected: Json | undefined,
  received: Json | undefined,
  path: string,
): { path: string; expected: Json | undefined; received: Json | undefined } | undefined {
  if (isDeepStrictEqual(expected, received)) return undefined;
  if (!isRecord(expected) || !isRecord(received)) return { path, expected, received };
  for (const key of new Set([...Object.keys(expected), ...Object.keys(received)])) {
    const found = difference(expected[key], received[key], `${path}.${key}`);
    if (found) return found;
  }
  return { path, expected, received };
}

function isRecord(value: Json | undefined): value is { readonly [key: string]: Json } {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** A value for an error message, cut short. */
function brief(value: Json | undefined): string {
  const text = JSON.stringify(value) ?? 'nothing';
  return text.length > 80 ? `${text.slice(0, 77)}…` : text;
}
