import { DatasetError } from '../../errors.js';
import type { DatasetReader } from '../format.js';
import type { DatasetInfo } from '../sample.js';
import { layerFlags } from '../surfaceLayers.js';
import type { DatasetFolder } from './datasetFolder.js';
import { type CountedInfo, checkInfo } from './infoFile.js';
import { checkLabelRecord, parseForeignJson } from './labelRecord.js';
import { layoutOf, type ParquetLayout } from './parquetFeatures.js';
import { ParquetFile, type ParquetRecord } from './parquetFile.js';
import { classColumns, objectsOfRow, recordOf, sampleColumns, sampleOfRow } from './parquetSample.js';
import { INFO_KEY } from './parquetWriter.js';
import type { ShardFiles } from './shardNames.js';

/** A row with its place. */
interface PlacedRow {
  readonly row: ParquetRecord;
  readonly layout: ParquetLayout;
  /** In the dataset, from 0. */
  readonly index: number;
  readonly where: string;
}

/**
 * Opens Parquet files: all their footers are read. In files of others that name no classes, the columns of objects and
 * labels are read once to find them.
 * @throws DatasetError when a file is damaged
 */
export async function openParquet(folder: DatasetFolder, shards: ShardFiles): Promise<DatasetReader> {
  let count = 0;
  let own: DatasetInfo | undefined;
  let first: ParquetLayout | undefined;
  for (const path of shards.paths) {
    await withFile(folder, path, (file, place) => {
      count += file.count;
      const info = ownInfo(file, place);
      own ??= info;
      first ??= layoutOf(file, place);
    });
  }
  const info = own ?? (await survey(folder, shards, first!));
  return {
    info,
    count,
    async *samples({ signal } = {}) {
      for await (const { row, layout, index, where } of readRows(folder, shards, sampleColumns)) {
        signal?.throwIfAborted();
        yield sampleOfRow(row, layout, index, where);
      }
    },
  };
}

/** What our own files say of the dataset. @throws DatasetError when a file has not as many rows as it says */
function ownInfo(file: ParquetFile, place: string): DatasetInfo | undefined {
  const text = file.metadata(INFO_KEY);
  if (text === undefined) return undefined;
  const where = `the metadata of ${place}`;
  const { info, count }: CountedInfo = checkInfo(parseForeignJson(text, where), where);
  if (count === file.count) return info;
  throw new DatasetError(`Expected ${count} rows in ${place} but received ${file.count}`);
}

async function* readRows(
  folder: DatasetFolder,
  { paths }: ShardFiles,
  columns: (layout: ParquetLayout) => string[],
): AsyncGenerator<PlacedRow> {
  let index = 0;
  for (const path of paths) {
    const { file, place } = await openFile(folder, path);
    try {
      const layout = layoutOf(file, place);
      let number = 0;
      for await (const rows of file.groups(columns(layout))) {
        for (const row of rows) yield { row, layout, index: index++, where: `row ${number++} of ${place}` };
      }
    } finally {
      await file.close();
    }
  }
}

async function survey(folder: DatasetFolder, shards: ShardFiles, layout: ParquetLayout): Promise<DatasetInfo> {
  const classes = layout.objectClasses ?? layout.labelClasses ?? (await findClasses(folder, shards));
  const masks = layout.labels !== null && layout.instances !== null && layout.classes !== null;
  const scenes = layout.labels !== null && layout.scene !== null;
  const codec = await firstCodec(folder, shards);
  const layers =
    layout.labels === null ? {} : layerFlags({ depth: layout.depth !== null, normals: layout.normals !== null });
  return { name: folder.name, classes, things: classes, split: shards.split, codec, masks, scenes, ...layers };
}

async function findClasses(folder: DatasetFolder, shards: ShardFiles): Promise<string[]> {
  const found = new Set<string>();
  for await (const { row, layout, where } of readRows(folder, shards, classColumns)) {
    const record = recordOf(row, layout);
    const objects =
      record === undefined
        ? objectsOfRow(row, layout, 1, 1, where)
        : checkLabelRecord(parseForeignJson(record, where), where).objects;
    for (const object of objects) found.add(object.class);
  }
  return [...found].sort();
}

async function firstCodec(folder: DatasetFolder, shards: ShardFiles): Promise<DatasetInfo['codec']> {
  for await (const { row, layout, index, where } of readRows(folder, shards, ({ image }) => [image])) {
    const plain = { ...layout, labels: null, objects: null, label: null };
    return sampleOfRow(row, plain, index, where).image.codec;
  }
  return 'png';
}

async function openFile(folder: DatasetFolder, path: string): Promise<{ file: ParquetFile; place: string }> {
  const place = folder.at(path);
  // A row group at a time is read, so files may be of any size.
  const full = await folder.file(path, folder.path, Number.POSITIVE_INFINITY);
  return { file: await ParquetFile.open(full, place), place };
}

async function withFile(
  folder: DatasetFolder,
  path: string,
  use: (file: ParquetFile, place: string) => void,
): Promise<void> {
  const { file, place } = await openFile(folder, path);
  try {
    use(file, place);
  } finally {
    await file.close();
  }
}
