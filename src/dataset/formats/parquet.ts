import { DatasetError } from '../../errors.js';
import type { DatasetFormat } from '../format.js';
import { DatasetFolder } from './datasetFolder.js';
import { openParquet } from './parquetReader.js';
import { ParquetDatasetWriter } from './parquetWriter.js';
import { findShards, isShardName, type ShardFiles } from './shardNames.js';

const EXTENSION = 'parquet';
/** Where files are looked for, in this order; ours are in the first. */
const PLACES = ['data', '.'] as const;

/**
 * Parquet in Hugging Face's layout for images (https://huggingface.co/docs/datasets/image_dataset): `load_dataset` on the
 * folder gives decoded images and class names.
 *
 * ```
 * data/train-00003-of-00010.parquet   a file a shard, in row groups of about 16 MiB, with the columns
 *   image     { bytes, path }
 *   key, index, seed, width, height
 *   objects   { id: [node], area: [px], bbox: [[left, top, width, height]], category: [class] }, of things
 *   labels    the label record, JSON
 *   instances, classes   { bytes, path }, PNGs of 16 and 8 bits     where there are masks
 *   scene     the scene graph                                       where it was asked for
 * ```
 *
 * The files' metadata has `huggingface` (the features) and `metasim` (what holds for the dataset). Images are stored as
 * they are, all else in Snappy.
 *
 * Read are also files of others, `*.parquet` in `data/` or the folder itself: with an image as a struct with bytes or a
 * plain binary column, and `objects` (boxes [left, top, width, height] in px) or `label`; uncompressed, Snappy, GZIP,
 * Brotli, and Zstandard where Node has it; not encrypted, not encoded by differences.
 */
export const parquetFormat: DatasetFormat = {
  name: 'parquet',
  description: 'Parquet in the Hugging Face image layout: load_dataset gives images, boxes and class names',
  codecs: ['png', 'jpeg', 'webp'],
  holdsRecords: true,
  needsMasks: false,
  layers: ['depth', 'normals'],
  writer: (info) => new ParquetDatasetWriter(info),
  async recognises(path) {
    try {
      const folder = await DatasetFolder.open(path);
      for (const place of await placesIn(folder)) {
        const { files } = await folder.names(place);
        if (files.some((name) => isShardName(name, EXTENSION))) return true;
      }
      return false;
    } catch {
      return false;
    }
  },
  async open(path) {
    const folder = await DatasetFolder.open(path);
    return openParquet(folder, await shardsIn(folder));
  },
};

async function shardsIn(folder: DatasetFolder): Promise<ShardFiles> {
  for (const place of await placesIn(folder)) {
    const shards = await findShards(folder, place, EXTENSION);
    if (shards) return shards;
  }
  throw new DatasetError(`Expected files *.parquet in ${folder.path} or its folder data but received none`);
}

async function placesIn(folder: DatasetFolder): Promise<string[]> {
  const hasData = await folder.hasFolder('data');
  return PLACES.filter((place) => place !== 'data' || hasData);
}
