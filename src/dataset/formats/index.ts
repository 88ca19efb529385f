import { existsSync } from 'node:fs';
import { ConfigError, DatasetError } from '../../errors.js';
import type { DatasetFormat } from '../format.js';

/** The formats by name, each loaded when it is first used. */
const FORMATS = {
  imagefolder: async () => (await import('./imageFolder.js')).imageFolderFormat,
  webdataset: async () => (await import('./webDataset.js')).webDatasetFormat,
  coco: async () => (await import('./coco.js')).cocoFormat,
  yolo: async () => (await import('./yolo.js')).yoloFormat,
  'yolo-seg': async () => (await import('./yolo.js')).yoloSegFormat,
  voc: async () => (await import('./voc.js')).vocFormat,
  kitti: async () => (await import('./kitti.js')).kittiFormat,
  tfrecord: async () => (await import('./tfRecord.js')).tfRecordFormat,
  parquet: async () => (await import('./parquet.js')).parquetFormat,
  idx: async () => (await import('./idx.js')).idxFormat,
} satisfies Record<string, () => Promise<DatasetFormat>>;

/** What `--format` may name. */
export type FormatName = keyof typeof FORMATS;

export const FORMAT_NAMES = Object.keys(FORMATS) as readonly FormatName[];

/**
 * A format by name.
 * @throws ConfigError listing the names there are
 */
export async function openFormat(name: string): Promise<DatasetFormat> {
  if (!Object.hasOwn(FORMATS, name)) {
    throw new ConfigError(`Expected one of ${FORMAT_NAMES.join(', ')} for the format but received "${name}"`);
  }
  return FORMATS[name as FormatName]();
}

/**
 * The format that a folder is in, by its looks.
 * @throws DatasetError when there is nothing, or none or more than one recognises it
 */
export async function recogniseFormat(folder: string): Promise<DatasetFormat> {
  if (!existsSync(folder)) throw new DatasetError(`Expected a dataset at ${folder} but there is nothing`);
  const found: DatasetFormat[] = [];
  for (const name of FORMAT_NAMES) {
    const format = await openFormat(name);
    if (await format.recognises(folder)) found.push(format);
  }
  if (found.length === 1) return found[0];
  const names = found.map(({ name }) => name).join(' and ');
  throw new DatasetError(
    `Expected a dataset of a known format in ${folder} but ${names ? `it looks like ${names}` : 'recognised none'}; name it with --from (of two, --from-a or --from-b)`,
  );
}
