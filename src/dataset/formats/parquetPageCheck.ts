/**
 * Checks the pages of a column chunk before hyparquet decodes them: it trusts the counts and lengths that it reads, so
 * that a damaged byte could make it fill the memory or run for hours. https://parquet.apache.org/docs/file-format
 */
import type { CompressionCodec, Encoding, PageHeader, ParquetType } from 'hyparquet';
import { parquetHeader } from 'hyparquet/src/column.js';
import { DatasetError } from '../../errors.js';
import { DECOMPRESSORS, mostUncompressed } from './parquetCodecs.js';
import { checkThriftStruct } from './thriftCheck.js';

/** What metadata and schema say of a column chunk. */
export interface ChunkShape {
  readonly type: ParquetType;
  readonly codec: CompressionCodec;
  /** Of all its data pages, nulls included. */
  readonly values: number;
  readonly maxRepetition: number;
  readonly maxDefinition: number;
}

/** Encodings that are decoded; those by differences are not (nobody's images come in them). */
const ENCODINGS: readonly Encoding[] = ['PLAIN', 'PLAIN_DICTIONARY', 'RLE_DICTIONARY', 'RLE', 'BYTE_STREAM_SPLIT'];
/** Writers fill the last bit-packed run up to groups of eight values, some to more. */
const PADDING_VALUES = 512;
const MAX_BIT_WIDTH = 32;

/**
 * @param view all bytes of the chunk
 * @param where file and column, for errors
 * @throws DatasetError when a count or length does not fit
 */
export function checkColumnChunk(view: DataView, shape: ChunkShape, where: string): void {
  let at = 0;
  let values = 0;
  while (at < view.byteLength) {
    const body = checkThriftStruct(view, at, where);
    const header = parquetHeader({ view, offset: at });
    const place = `the page at byte ${at} of ${where}`;
    expectCount(header.compressed_page_size, view.byteLength - body, 'the compressed size', place);
    const bytes = new Uint8Array(view.buffer, view.byteOffset + body, header.compressed_page_size);
    values += checkPage(header, bytes, shape, place);
    at = body + bytes.length;
  }
  if (values !== shape.values) {
    throw new DatasetError(`Expected ${shape.values} values in ${where} but received ${values}`);
  }
}

/** @returns number of values, 0 for a dictionary */
function checkPage(header: PageHeader, bytes: Uint8Array, shape: ChunkShape, place: string): number {
  switch (header.type) {
    case 'DICTIONARY_PAGE': {
      expectUncompressed(header.uncompressed_page_size, bytes.length, shape.codec, place);
      expectCount(header.dictionary_page_header?.num_values, header.uncompressed_page_size, 'the entries', place);
      return 0;
    }
    case 'DATA_PAGE':
      return checkDataPage(header, bytes, shape, place);
    case 'DATA_PAGE_V2':
      return checkDataPageV2(header, bytes, shape, place);
    default:
      throw new DatasetError(`Expected a data or dictionary page for ${place} but received ${header.type}`);
  }
}

/** Levels and values are compressed together, each level list behind its length. */
function checkDataPage(header: PageHeader, bytes: Uint8Array, shape: ChunkShape, place: string): number {
  const page = header.data_page_header;
  const count = expectCount(page?.num_values, shape.values, 'the values', place);
  const encoding = expectEncoding(page?.encoding, place);
  expectUncompressed(header.uncompressed_page_size, bytes.length, shape.codec, place);
  const levels = [shape.maxRepetition, shape.maxDefinition].filter((max) => max > 0);
  // Plain values without levels have nothing in them that could run away.
  if (levels.length === 0 && encoding === 'PLAIN') return count;
  const body = unpack(bytes, header.uncompressed_page_size, shape.codec, place);
  let at = 0;
  for (const max of levels) at = checkRunsBehindLength(body, at, bitWidth(max), count, place);
  checkValueRuns(body, at, encoding, shape.type, count, place);
  return count;
}

/** Levels stand uncompressed before the values. */
function checkDataPageV2(header: PageHeader, bytes: Uint8Array, shape: ChunkShape, place: string): number {
  const page = header.data_page_header_v2;
  const count = expectCount(page?.num_values, shape.values, 'the values', place);
  expectCount(page?.num_nulls, count, 'the nulls', place);
  const encoding = expectEncoding(page?.encoding, place);
  const repetition = expectCount(page?.repetition_levels_byte_length, bytes.length, 'the repetition levels', place);
  const rest = bytes.length - repetition;
  const levels = repetition + expectCount(page?.definition_levels_byte_length, rest, 'the definition levels', place);
  if (shape.maxRepetition > 0) checkRuns(bytes, 0, repetition, bitWidth(shape.maxRepetition), count, place);
  if (shape.maxDefinition > 0) checkRuns(bytes, repetition, levels, bitWidth(shape.maxDefinition), count, place);
  const codec = page?.is_compressed === false ? 'UNCOMPRESSED' : shape.codec;
  const size = header.uncompressed_page_size - levels;
  expectUncompressed(size, bytes.length - levels, codec, place);
  if (encoding !== 'PLAIN') {
    checkValueRuns(unpack(bytes.subarray(levels), size, codec, place), 0, encoding, shape.type, count, place);
  }
  return count;
}

/** Values that are positions in a dictionary, or booleans in runs. */
function checkValueRuns(
  body: Uint8Array,
  at: number,
  encoding: Encoding,
  type: ParquetType,
  count: number,
  place: string,
): void {
  if (encoding === 'RLE') {
    if (type !== 'BOOLEAN') throw new DatasetError(`Expected booleans for the runs of ${place} but received ${type}`);
    checkRunsBehindLength(body, at, 1, count, place);
  } else if (encoding.endsWith('_DICTIONARY') && at < body.length) {
    expectCount(body[at], MAX_BIT_WIDTH, 'the bits a value', place);
    checkRuns(body, at + 1, body.length, body[at], count, place);
  }
}

/** @returns offset behind the runs */
function checkRunsBehindLength(body: Uint8Array, at: number, width: number, count: number, place: string): number {
  if (body.length - at < 4) throw new DatasetError(`Expected the length of levels in ${place} but received its end`);
  const start = at + 4;
  const length = new DataView(body.buffer, body.byteOffset + at, 4).getUint32(0, true);
  expectCount(length, body.length - start, 'the bytes of levels', place);
  checkRuns(body, start, start + length, width, count, place);
  return start + length;
}

/**
 * Runs of equal or bit-packed values hold no more than `count` values (but for padding).
 * https://parquet.apache.org/docs/file-format/data-pages/encodings/#RLE
 */
function checkRuns(bytes: Uint8Array, start: number, end: number, width: number, count: number, place: string): void {
  let seen = 0;
  let at = start;
  while (seen < count && at < end) {
    let header = 0;
    for (let i = 0; ; i++) {
      if (i === 5 || at === end)
        throw new DatasetError(`Expected the length of a run in ${place} but received its end`);
      header += (bytes[at] & 127) * 2 ** (7 * i);
      if (bytes[at++] < 128) break;
    }
    const packed = header % 2 === 1;
    const run = Math.floor(header / 2) * (packed ? 8 : 1);
    expectCount(run, count - seen + (packed ? PADDING_VALUES : 0), 'the length of a run', place);
    at += packed ? (run / 8) * width : Math.ceil(width / 8);
    seen += run;
  }
}

function unpack(bytes: Uint8Array, size: number, codec: CompressionCodec, place: string): Uint8Array {
  if (codec === 'UNCOMPRESSED') return bytes;
  try {
    return DECOMPRESSORS[codec]!(bytes, size);
  } catch (cause) {
    throw new DatasetError(`Expected ${codec} in ${place} but received: ${(cause as Error).message}`, { cause });
  }
}

function expectUncompressed(size: number, compressed: number, codec: CompressionCodec, place: string): void {
  const most = mostUncompressed(codec, compressed);
  if (most === undefined) {
    const known = ['UNCOMPRESSED', ...Object.keys(DECOMPRESSORS)].join(', ');
    throw new DatasetError(`Expected one of ${known} for the compression of ${place} but received ${codec}`);
  }
  expectCount(size, most, 'the uncompressed size', place);
}

function expectEncoding(encoding: Encoding | undefined, place: string): Encoding {
  if (encoding && ENCODINGS.includes(encoding)) return encoding;
  throw new DatasetError(
    `Expected one of ${ENCODINGS.join(', ')} for the encoding of ${place} but received ${encoding}`,
  );
}

function expectCount(value: number | undefined, most: number, name: string, place: string): number {
  if (Number.isInteger(value) && value! >= 0 && value! <= most) return value!;
  throw new DatasetError(`Expected 0 to ${most} for ${name} in ${place} but received ${value}`);
}

function bitWidth(max: number): number {
  return 32 - Math.clz32(max);
}
