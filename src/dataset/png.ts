import { constants, deflateSync, type ZlibOptions } from 'node:zlib';
import { DatasetError, ShapeError } from '../errors.js';
import { crc32 } from './crc32.js';

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
const SIGNATURE = Uint8Array.of(137, 80, 78, 71, 13, 10, 26, 10);

/** Every how many bytes the content is looked at to choose a filter. */
const PROBE_STEP = 61;
/** Share of probed bytes that must equal the byte of the pixel before for an image to count as flat. */
const FLAT_SHARE = 0.6;

/**
 * Encodes an image as PNG, with the filter that suits its content: flat drawings are left alone and deflated at level 1;
 * photographs and noise are filtered by the row above and only run-length and Huffman coded, which is twice as fast on
 * them as level 1.
 * The compressed bytes may change with the version of Node, the pixels never.
 * @throws ShapeError when `pixels` does not have H × W × C entries; DatasetError for sizes that PNG cannot hold
 */
export function encodePng(image: PngImage): Uint8Array {
  const { width, height, channels, pixels } = image;
  for (const [name, side] of [
    ['width', width],
    ['height', height],
  ] as const) {
    if (!Number.isInteger(side) || side < 1 || side > MAX_SIDE) {
      throw new DatasetError(`Expected an integer from 1 to ${MAX_SIDE} for the PNG's ${name} but received ${side}`);
    }
  }
  if (pixels.length !== width * height * channels) {
    throw new ShapeError(
      `Expected ${height} × ${width} × ${channels} = ${width * height * channels} pixel entries but received ${pixels.length}`,
    );
  }
  const wide = pixels instanceof Uint16Array;
  if (wide && channels !== 1)
    throw new ShapeError(`Expected 1 for the channels of a 16-bit PNG but received ${channels}`);
  const samples = wide ? bigEndian(pixels) : (pixels as Uint8Array);
  const pixelBytes = wide ? 2 : channels;
  const flat = isFlat(samples, pixelBytes);
  const rows = filterRows(samples, width * pixelBytes, height, flat ? NONE : UP);
  const options: ZlibOptions = flat ? { level: 1 } : { level: 1, strategy: constants.Z_RLE };
  return assemble(header(width, height, wide ? 16 : 8, channels === 3 ? RGB : GREY), deflateSync(rows, options));
}

/** Whether most bytes equal those of the pixel before: few colours in wide areas. */
function isFlat(samples: Uint8Array, pixelBytes: number): boolean {
  let probes = 0;
  let equal = 0;
  for (let i = pixelBytes; i < samples.length; i += PROBE_STEP) {
    probes++;
    if (samples[i] === samples[i - pixelBytes]) equal++;
  }
  return equal >= FLAT_SHARE * probes;
}

/** Each row behind the byte that names its filter. */
function filterRows(samples: Uint8Array, stride: number, height: number, filter: typeof NONE | typeof UP): Uint8Array {
  const rows = new Uint8Array((stride + 1) * height);
  for (let y = 0; y < height; y++) {
    const from = y * stride;
    const to = y * (stride + 1);
    rows[to] = filter;
    if (filter === NONE || y === 0) {
      // The row above the first one counts as zeros: Up leaves it as it is.
      rows.set(samples.subarray(from, from + stride), to + 1);
      continue;
    }
    for (let i = 0; i < stride; i++) rows[to + 1 + i] = samples[from + i] - samples[from + i - stride];
  }
  return rows;
}

function bigEndian(values: Uint16Array): Uint8Array {
  const bytes = new Uint8Array(values.length * 2);
  for (let i = 0; i < values.length; i++) {
    bytes[2 * i] = values[i] >>> 8;
    bytes[2 * i + 1] = values[i];
  }
  return bytes;
}

function header(width: number, height: number, bitDepth: number, colourType: number): Uint8Array {
  const bytes = new Uint8Array(13);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, width);
  view.setUint32(4, height);
  bytes[8] = bitDepth;
  bytes[9] = colourType;
  return bytes;
}

/** Signature, IHDR, IDAT, IEND; a chunk is length, type, data and the CRC-32 of type and data. */
function assemble(ihdr: Uint8Array, idat: Uint8Array): Uint8Array {
  const chunks: [string, Uint8Array][] = [
    ['IHDR', ihdr],
    ['IDAT', idat],
    ['IEND', new Uint8Array(0)],
  ];
  const length = chunks.reduce((sum, [, data]) => sum + 12 + data.length, SIGNATURE.length);
  const file = new Uint8Array(length);
  const view = new DataView(file.buffer);
  file.set(SIGNATURE);
  let offset = SIGNATURE.length;
  for (const [type, data] of chunks) {
    view.setUint32(offset, data.length);
    for (let i = 0; i < 4; i++) file[offset + 4 + i] = type.charCodeAt(i);
    file.set(data, offset + 8);
    view.setUint32(offset + 8 + data.length, crc32(file.subarray(offset + 4, offset + 8 + data.length)));
    offset += 12 + data.length;
  }
  return file;
}
