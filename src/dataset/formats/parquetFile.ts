import { type FileHandle, open } from 'node:fs/promises';
import {
  type AsyncBuffer,
  type ColumnMetaData,
  type FileMetaData,
  parquetMetadata,
  parquetReadObjects,
  parquetSchema,
  type RowGroup,
  type SchemaElement,
  type SchemaTree,
} from 'hyparquet';
import { getMaxDefinitionLevel, getMaxRepetitionLevel, getTreePath } from 'hyparquet/src/schema.js';
import { DatasetError } from '../../errors.js';
import { DECOMPRESSORS } from './parquetCodecs.js';
import { checkColumnChunk } from './parquetPageCheck.js';
import { checkThriftStruct } from './thriftCheck.js';

/** At the head of a file, and behind the footer's length. */
const MAGIC = 'PAR1';
const TAIL_BYTES = 8;
/** Bounds of what is held at once; files beyond are refused. */
const MAX_FOOTER_BYTES = 2 ** 28;
const MAX_CHUNK_BYTES = 2 ** 31 - 1;
const MAX_GROUP_ROWS = 2 ** 22;
const MAX_CHUNK_VALUES = 2 ** 24;
const MAX_SCHEMA_ELEMENTS = 10_000;
/** Annotations of types that values are turned by; all else is read as it is stored. */
const KEPT_ANNOTATIONS = /^(UTF8|STRING|LIST|MAP|MAP_KEY_VALUE|INTEGER|U?INT_(8|16|32|64))$/;

export type ParquetRecord = Readonly<Record<string, unknown>>;

/**
 * A Parquet file of any writer, read a row group at a time through hyparquet. All that the file says of counts and sizes
 * is checked before it is believed.
 */
export class ParquetFile {
  /** Number of rows. */
  readonly count: number;
  /** The schema's root. */
  readonly schema: SchemaTree;
  readonly #handle: FileHandle;
  readonly #place: string;
  readonly #metadata: FileMetaData;

  private constructor(handle: FileHandle, metadata: FileMetaData, place: string) {
    this.#handle = handle;
    this.#metadata = metadata;
    this.#place = place;
    this.schema = parquetSchema(metadata);
    this.count = Number(metadata.num_rows);
  }

  /**
   * @param place name of the file, for errors
   * @throws DatasetError when the file cannot be read or its footer is damaged
   */
  static async open(path: string, place: string): Promise<ParquetFile> {
    let handle: FileHandle | undefined;
    try {
      handle = await open(path, 'r');
      const { size } = await handle.stat();
      const metadata = await readFooter(handle, size, place);
      const file = new ParquetFile(handle, metadata, place);
      file.#checkGroups(size);
      return file;
    } catch (cause) {
      await handle?.close();
      throw damage(cause, place);
    }
  }

  async close(): Promise<void> {
    await this.#handle.close();
  }

  /** Names of the columns at the top. */
  get columns(): string[] {
    return this.schema.children.map(({ element }) => element.name);
  }

  /** A value of the file's metadata. */
  metadata(key: string): string | undefined {
    return this.#metadata.key_value_metadata?.find((entry) => entry.key === key)?.value;
  }

  /**
   * The rows of one row group after the other; structs are objects, lists arrays, 64-bit integers bigints, and byte
   * arrays views of what was read.
   * @param columns names of columns that the file has
   * @throws DatasetError naming the file when it is damaged
   */
  async *groups(columns: readonly string[]): AsyncGenerator<ParquetRecord[]> {
    for (const group of this.#metadata.row_groups) {
      if (group.num_rows > 0n) yield await this.#readGroup(group, [...columns]);
    }
  }

  async #readGroup(group: RowGroup, columns: string[]): Promise<ParquetRecord[]> {
    try {
      return await parquetReadObjects({
        file: this.#checkedFile(group),
        metadata: { ...this.#metadata, row_groups: [group], num_rows: group.num_rows },
        columns,
        compressors: DECOMPRESSORS,
        utf8: false,
        geoparquet: false,
      });
    } catch (cause) {
      throw damage(cause, this.#place);
    }
  }

  /** The file, every column chunk of a group checked on its way. */
  #checkedFile(group: RowGroup): AsyncBuffer {
    const chunks = group.columns.map(({ meta_data }) => ({ meta: meta_data!, ...rangeOf(meta_data!) }));
    return {
      byteLength: Number.MAX_SAFE_INTEGER,
      slice: async (start, end) => {
        const bytes = await readRange(this.#handle, start, end!, this.#place);
        for (const { meta, from, to } of chunks) {
          if (from < start || to > end!) continue;
          const where = `${meta.path_in_schema.join('.')} of ${this.#place}`;
          checkColumnChunk(new DataView(bytes, from - start, to - from), this.#shapeOf(meta), where);
        }
        return bytes;
      },
    };
  }

  #shapeOf(meta: ColumnMetaData) {
    const path = getTreePath(this.schema, meta.path_in_schema);
    const { type, codec } = meta;
    return {
      type,
      codec,
      values: Number(meta.num_values),
      maxRepetition: getMaxRepetitionLevel(path),
      maxDefinition: getMaxDefinitionLevel(path),
    };
  }

  /** Counts of rows and values agree, and all chunks lie within the file. */
  #checkGroups(size: number): void {
    let rows = 0;
    for (const group of this.#metadata.row_groups) {
      rows += expectCount(group.num_rows, MAX_GROUP_ROWS, 'the rows of a row group', this.#place);
      for (const { meta_data, file_path } of group.columns) {
        if (!meta_data || file_path)
          throw new DatasetError(`Expected all columns of ${this.#place} in the file itself`);
        this.#checkChunk(meta_data, Number(group.num_rows), size);
      }
    }
    if (BigInt(rows) !== this.#metadata.num_rows) {
      throw new DatasetError(`Expected ${this.#metadata.num_rows} rows in ${this.#place} but received ${rows}`);
    }
  }

  #checkChunk(meta: ColumnMetaData, rows: number, size: number): void {
    const place = `${meta.path_in_schema.join('.')} of ${this.#place}`;
    const { maxRepetition } = this.#shapeOf(meta);
    const values = expectCount(meta.num_values, MAX_CHUNK_VALUES, 'the values of a column', place);
    if (maxRepetition === 0 && values !== rows) {
      throw new DatasetError(`Expected ${rows} values for ${place}, one a row, but received ${values}`);
    }
    const bytes = expectCount(meta.total_compressed_size, MAX_CHUNK_BYTES, 'the bytes of a column', place);
    const { from } = rangeOf(meta);
    if (from < MAGIC.length || bytes > size - TAIL_BYTES - from) {
      throw new DatasetError(`Expected ${place} within the file but received ${bytes} bytes from byte ${from}`);
    }
  }
}

function rangeOf(meta: ColumnMetaData): { from: number; to: number } {
  const from = Number(meta.dictionary_page_offset || meta.data_page_offset);
  return { from, to: from + Number(meta.total_compressed_size) };
}

async function readFooter(handle: FileHandle, size: number, place: string): Promise<FileMetaData> {
  if (size < MAGIC.length + TAIL_BYTES)
    throw new DatasetError(`Expected a Parquet file at ${place} but received ${size} bytes`);
  const head = Buffer.from(await readRange(handle, 0, MAGIC.length, place));
  const tail = Buffer.from(await readRange(handle, size - TAIL_BYTES, size, place));
  if (head.toString('latin1') !== MAGIC || tail.toString('latin1', 4) !== MAGIC) {
    throw new DatasetError(`Expected a Parquet file at ${place} but received no "${MAGIC}" at its head and end`);
  }
  const most = Math.min(MAX_FOOTER_BYTES, size - MAGIC.length - TAIL_BYTES);
  const length = expectCount(tail.readUInt32LE(0), most, 'the bytes of the footer', place);
  const footer = await readRange(handle, size - TAIL_BYTES - length, size, place);
  checkThriftStruct(new DataView(footer, 0, length), 0, `the footer of ${place}`);
  const metadata = parquetMetadata(footer, { geoparquet: false });
  expectCount(metadata.schema.length, MAX_SCHEMA_ELEMENTS, 'the elements of the schema', place);
  return { ...metadata, schema: metadata.schema.map(tameElement) };
}

/** A schema element without annotations that would send its bytes through another parser. */
function tameElement(element: SchemaElement): SchemaElement {
  const { converted_type, logical_type, ...rest } = element;
  return {
    ...rest,
    ...(converted_type && KEPT_ANNOTATIONS.test(converted_type) && { converted_type }),
    ...(logical_type && KEPT_ANNOTATIONS.test(logical_type.type) && { logical_type }),
  };
}

/** Bytes of the file in a buffer of their own; the caller has checked that they are there. */
async function readRange(handle: FileHandle, start: number, end: number, place: string): Promise<ArrayBuffer> {
  const bytes = new Uint8Array(end - start);
  for (let at = 0; at < bytes.length; ) {
    const { bytesRead } = await handle.read(bytes, at, bytes.length - at, start + at);
    if (bytesRead === 0)
      throw new DatasetError(`Expected ${bytes.length} bytes from byte ${start} of ${place} but received ${at}`);
    at += bytesRead;
  }
  return bytes.buffer;
}

function expectCount(value: bigint | number, most: number, name: string, place: string): number {
  const number = Number(value);
  if (Number.isInteger(number) && number >= 0 && number <= most) return number;
  throw new DatasetError(`Expected 0 to ${most} for ${name} in ${place} but received ${value}`);
}

/** The error of a file that hyparquet could not make sense of. */
function damage(cause: unknown, place: string): DatasetError {
  if (cause instanceof DatasetError) return cause;
  return new DatasetError(`Expected a readable Parquet file at ${place} but received: ${(cause as Error).message}`, {
    cause,
  });
}
