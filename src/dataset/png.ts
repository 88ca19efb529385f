import { constants, deflateSync, type ZlibOptions } from 'node:zlib';
import { crc32 } from '../crc32.js';
import { DatasetError, ShapeError } from '../errors.js';

/** Pixels to write as PNG: grey or RGB in bytes, or 16-bit grey. */
export interface PngImage {
  readonly width: number;
  readonly height: number;
  /** 1: grey. 3: RGB, interleaved; bytes only. */
  readonly channels: 1 | 3;
  /** [H × W × C]; a Uint16Array makes a PNG of 16 bits a sample. */
  readonly pixels: Uint8Array | Uint16Array;
}

/** Colour types of the PNG specification. */
const GREY = 0;
const RGB = 2;
/** Filter types. */
const NONE = 0;
const UP = 2;
/** Largest side that is written; PNG itself allows 2³¹ − 1. */
const MAX_SIDE = 65535;

/** Every how many bytes the content of small and of large images is looked at; prime, to meet all columns and channels. */
const SMALL_STEP = 61;
const LARGE_STEP = 487;
/** Share of probed bytes that must equal the byte before for grey to count as flat. */
const FLAT_SHARE = 0.6;

/** Images up to this size, bytes, are deflated with a smaller window, which is set up faster. */
const SMALL_BYTES = 1 << 14;
const SMALL = { level: 1, strategy: constants.Z_RLE, windowBits: 13, memLevel: 8, chunkSize: 1 << 11 };
const LARGE = { level: 1, strategy: constants.Z_RLE, windowBits: 15, memLevel: 8, chunkSize: 1 << 16 };

/**
 * Encodes an image as PNG, with the filter that suits its content: flat grey (digits on black, masks) is left alone,
 * because its runs are longest then; all else is filtered by the row above where that makes bytes smaller. Deflate only
 * codes runs and symbols (`Z_RLE`): searching for longer matches takes three times as long on textured images, for 3 % of
 * their size, and finds nothing on small ones.
 * The compressed bytes may change with the version of Node, the pixels never.
 * @throws ShapeError when `pixels` does not have H × W × C entries; DatasetError for sizes that PNG cannot hold
 */
export function encodePng({ width, height, channels, pixels }: PngImage): Uint8Array {
  expectSide('width', width);
  expectSide('height', height);
  const entries = width * height * channels;
  if (pixels.length !== entries) {
    throw new ShapeError(
      `Expected ${height} × ${width} × ${channels} = ${entries} pixel entries but received ${pixels.length}`,
    );
  }
  const wide = pixels instanceof Uint16Array;
  if (wide && channels !== 1) {
    throw new ShapeError(`Expected 1 for the channels of a 16-bit PNG but received ${channels}`);
  }
  const samples = wide ? bigEndian(pixels) : (pixels as Uint8Array);
  const pixelBytes = wide ? 2 : channels;
  const stride = width * pixelBytes;
  const rows =
    chooseFilter(samples, stride, pixelBytes) === NONE ? plainRows(samples, stride) : upRows(samples, stride);
  const options: ZlibOptions = samples.length <= SMALL_BYTES ? SMALL : LARGE;
  return assemble(width, height, wide ? 16 : 8, channels === 3 ? RGB : GREY, deflateSync(rows, options));
}

function expectSide(name: string, side: number): void {
  if (!Number.isInteger(side) || side < 1 || side > MAX_SIDE) {
    throw new DatasetError(`Expected an integer from 1 to ${MAX_SIDE} for the PNG's ${name} but received ${side}`);
  }
}

/**
 * The filter for an image, from a sample of its bytes: none for flat grey, and where the bytes spread no wider about
 * their mean than about the byte above (noise).
 */
function chooseFilter(samples: Uint8Array, stride: number, pixelBytes: number): typeof NONE | typeof UP {
  const step = samples.length <= SMALL_BYTES ? SMALL_STEP : LARGE_STEP;
  let probes = 0;
  let equal = 0;
  let sum = 0;
  for (let i = stride; i < samples.length; i += step) {
    probes++;
    sum += samples[i];
    if (samples[i] === samples[i - pixelBytes]) equal++;
  }
  if (pixelBytes === 1 && equal >= FLAT_SHARE * probes) return NONE;
  const mean = sum / probes;
  let spread = 0;
  let change = 0;
  for (let i = stride; i < samples.length; i += step) {
    spread += Math.abs(samples[i] - mean);
    // Differences are taken modulo 256, as the filter does.
    change += Math.abs(((samples[i] - samples[i - stride]) << 24) >> 24);
  }
  return change < spread ? UP : NONE;
}

/** Memory that every call uses again: encoding is synchronous, and deflate has read the rows when it returns. */
let rowMemory = new Uint8Array(0);
let wordMemory = new Int32Array(0);
/** More than this is not kept between calls, bytes. */
const KEPT_BYTES = 1 << 23;

function rowBuffer(length: number): Uint8Array {
  if (rowMemory.length >= length) return rowMemory.subarray(0, length);
  const memory = new Uint8Array(length);
  if (length <= KEPT_BYTES) rowMemory = memory;
  return memory;
}

function wordBuffer(bytes: number): Int32Array {
  const length = Math.ceil(bytes / 4);
  if (wordMemory.length >= length) return wordMemory;
  const memory = new Int32Array(length);
  if (bytes <= KEPT_BYTES) wordMemory = memory;
  return memory;
}

/** Each row behind the byte that names its filter, none. */
function plainRows(samples: Uint8Array, stride: number): Uint8Array {
  return prefixRows(samples, stride, samples.length / stride, NONE);
}

/** Each row less the one above it, behind the byte that names the filter. */
function upRows(samples: Uint8Array, stride: number): Uint8Array {
  const height = samples.length / stride;
  const words = wordBuffer(samples.length);
  const differences = new Uint8Array(words.buffer, 0, samples.length);
  if (stride % 4 === 0) {
    subtractWords(samples, words, stride / 4, samples.length / 4);
  } else {
    for (let i = stride; i < samples.length; i++) differences[i] = samples[i] - samples[i - stride];
  }
  // The row above the first one counts as zeros.
  for (let i = 0; i < stride; i++) differences[i] = samples[i];
  return prefixRows(differences, stride, height, UP);
}

/** High bit of every byte of a word. */
const HIGH = 0x80808080 | 0;
const LOW = 0x7f7f7f7f;

/** words[i] = samples' word i − word (i − stride), byte by byte without borrow between bytes, from the second row on. */
function subtractWords(samples: Uint8Array, words: Int32Array, stride: number, length: number): void {
  const aligned = samples.byteOffset % 4 === 0 ? samples : new Uint8Array(samples);
  const source = new Int32Array(aligned.buffer, aligned.byteOffset, length);
  for (let i = stride; i < length; i++) {
    const a = source[i];
    const b = source[i - stride];
    words[i] = ((a | HIGH) - (b & LOW)) ^ (~(a ^ b) & HIGH);
  }
}

function prefixRows(samples: Uint8Array, stride: number, height: number, filter: number): Uint8Array {
  const rows = rowBuffer((stride + 1) * height);
  for (let y = 0, from = 0, to = 0; y < height; y++, from += stride, to += stride + 1) {
    rows[to] = filter;
    rows.set(samples.subarray(from, from + stride), to + 1);
  }
  return rows;
}

const LITTLE_ENDIAN = new Uint8Array(Uint16Array.of(1).buffer)[0] === 1;

function bigEndian(values: Uint16Array): Uint8Array {
  const bytes = Buffer.from(new Uint8Array(values.buffer, values.byteOffset, values.byteLength));
  return LITTLE_ENDIAN ? bytes.swap16() : bytes;
}

/**
 * A file of signature, IHDR, IDAT and IEND; a chunk is length, type, data and the CRC-32 of type and data.
 * ```
 *  0  8   signature
 *  8  25  IHDR: length 13, type, width, height, bit depth, colour type, 0, 0, 0, check
 * 33  ..  IDAT: length, type, zlib stream, check
 *     12  IEND: length 0, type, check
 * ```
 */
const HEAD = Uint8Array.from([
  ...[137, 80, 78, 71, 13, 10, 26, 10],
  ...[0, 0, 0, 13, 73, 72, 68, 82, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0],
  ...[0, 0, 0, 0, 73, 68, 65, 84],
]);
const TAIL = Uint8Array.of(0, 0, 0, 0, 73, 69, 78, 68, 0xae, 0x42, 0x60, 0x82);
const [WIDTH_AT, HEIGHT_AT, DEPTH_AT, COLOUR_AT, IHDR_CHECK_AT, IDAT_LENGTH_AT, IDAT_AT] = [16, 20, 24, 25, 29, 33, 41];
/** The head of the last file: images of one size share all but the length. */
const head = HEAD.slice();
let headKey = '';

function assemble(width: number, height: number, depth: number, colour: number, idat: Uint8Array): Uint8Array {
  const key = `${width} ${height} ${depth} ${colour}`;
  if (key !== headKey) {
    putUint32(head, WIDTH_AT, width);
    putUint32(head, HEIGHT_AT, height);
    head[DEPTH_AT] = depth;
    head[COLOUR_AT] = colour;
    putUint32(head, IHDR_CHECK_AT, crc32(head.subarray(12, IHDR_CHECK_AT)));
    headKey = key;
  }
  const end = IDAT_AT + idat.length;
  const file = new Uint8Array(end + 4 + TAIL.length);
  file.set(head);
  putUint32(file, IDAT_LENGTH_AT, idat.length);
  file.set(idat, IDAT_AT);
  putUint32(file, end, crc32(file.subarray(IDAT_AT - 4, end)));
  file.set(TAIL, end + 4);
  return file;
}

function putUint32(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value >>> 24;
  bytes[at + 1] = value >>> 16;
  bytes[at + 2] = value >>> 8;
  bytes[at + 3] = value;
}
