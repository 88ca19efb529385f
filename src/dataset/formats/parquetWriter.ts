import { ByteWriter, ParquetWriter } from 'hyparquet-writer';
import type { DatasetWriter, ShardContext, ShardWriter, StagedStream } from '../format.js';
import type { DatasetInfo } from '../sample.js';
import { toolVersion } from '../toolVersion.js';
import { infoRecord } from './infoFile.js';
import {
  columnData,
  columnsOf,
  huggingFaceMetadata,
  type ParquetRow,
  rowBytes,
  rowOf,
  schemaOf,
} from './parquetColumns.js';
import { shardFileName } from './shardNames.js';

/** Metadata key of what holds for the whole dataset, as `infoRecord` has it, with the number of the file's rows. */
export const INFO_KEY = 'metasim';

/** Rows are gathered to a row group of this size: 16 MiB. Readers take a group at a time. */
const GROUP_BYTES = 2 ** 24;
/** Bytes go to the disk in pieces of this size. */
const PIECE_BYTES = 2 ** 20;

/** Writes a Parquet file a shard; memory is that of a row group. */
export class ParquetDatasetWriter implements DatasetWriter {
  readonly #info: DatasetInfo;
  readonly #groupBytes: number;

  /** @param groupBytes size at which a row group is written */
  constructor(info: DatasetInfo, groupBytes = GROUP_BYTES) {
    this.#info = info;
    this.#groupBytes = groupBytes;
  }

  openShard({ files, shard, shards, count }: ShardContext): ShardWriter {
    const columns = columnsOf(this.#info);
    const writer = new ParquetWriter({
      writer: new StagedBytes(files.stream(`data/${shardFileName(this.#info.split, shard, shards, 'parquet')}`)),
      schema: schemaOf(columns),
      kvMetadata: [
        { key: 'huggingface', value: huggingFaceMetadata(columns) },
        { key: INFO_KEY, value: JSON.stringify(infoRecord(this.#info, count)) },
      ],
      createdBy: `metasim version ${toolVersion()}`,
    });
    let rows: ParquetRow[] = [];
    let bytes = 0;
    const writeGroup = () => {
      if (rows.length > 0) writer.write({ columnData: columnData(columns, rows), rowGroupSize: rows.length });
      rows = [];
      bytes = 0;
    };
    return {
      add: (sample) => {
        const row = rowOf(sample, this.#info);
        rows.push(row);
        bytes += rowBytes(row);
        if (bytes >= this.#groupBytes) writeGroup();
      },
      end: () => {
        writeGroup();
        writer.finish();
      },
    };
  }

  async finish(): Promise<void> {
    // Each file is whole in itself.
  }
}

/** What hyparquet-writer appends to, passed on in pieces instead of kept. */
class StagedBytes extends ByteWriter {
  readonly #stream: StagedStream;

  constructor(stream: StagedStream) {
    super(PIECE_BYTES);
    this.#stream = stream;
  }

  override ensure(size: number): void {
    if (this.index + size > this.buffer.byteLength) this.flush();
    super.ensure(size);
  }

  /** Called after each row group as well. */
  flush(): void {
    this.#stream.write(new Uint8Array(this.buffer, 0, this.index));
    this.index = 0;
  }

  override finish(): void {
    this.flush();
  }
}
