import { DatasetError } from '../../errors.js';
import type {
  DatasetFormat,
  DatasetReader,
  DatasetWriter,
  FinishContext,
  ShardContext,
  ShardWriter,
} from '../format.js';
import type { DatasetInfo, DatasetSample } from '../sample.js';
import { decodeExample, encodeExample } from '../tfExample.js';
import { readRecords, writeRecord } from '../tfRecordFile.js';
import { DatasetFolder } from './datasetFolder.js';
import { type CountedInfo, readInfo, writeInfo } from './infoFile.js';
import { formatLabelMap, LABEL_MAP_PATH, parseLabelMap } from './labelMap.js';
import { findShards, isShardName, type ShardFiles, shardFileName } from './shardNames.js';
import {
  classesOfFeatures,
  type Features,
  featuresOf,
  type Promises,
  promisesOf,
  sampleOfFeatures,
} from './tfRecordSample.js';

const EXTENSIONS = 'tfrecords?|record';

/**
 * TFRecord files of `tf.Example`s with the keys of TensorFlow's Object Detection API (tfRecordSample.ts), a file a shard:
 *
 * ```
 * train-00003-of-00010.tfrecord   records with masked CRC-32C (tfRecordFile.ts)
 * label_map.pbtxt                 names of the labels
 * info.json                       what holds for all: classes and their order, split, canvas
 * ```
 *
 * Beside the API's keys an Example holds `metasim/labels` (the label record, JSON), `image/segmentation/instances` and
 * `image/segmentation/classes` (PNGs) where there are masks, and `metasim/scene` where scene graphs were asked for; of 3D
 * scenes the boxes (`image/object/bbox3d/…`), the camera (`image/camera/…`), and `image/depth` and `image/normals` (PNGs)
 * where they were asked for.
 *
 * Read are also files of others (`*.tfrecord`, `*.tfrecords`, `*.record`, with `-00003-of-00010` before or behind), not
 * compressed; they are read once beforehand to find the classes.
 */
export const tfRecordFormat: DatasetFormat = {
  name: 'tfrecord',
  description: "TFRecord files of tf.Example with the Object Detection API's keys, and a label map",
  codecs: ['png', 'jpeg', 'webp'],
  holdsRecords: true,
  needsMasks: false,
  layers: ['depth', 'normals'],
  writer: (info) => new TfRecordWriter(info),
  async recognises(path) {
    try {
      const { files } = await (await DatasetFolder.open(path)).names();
      return files.some((name) => isShardName(name, EXTENSIONS));
    } catch {
      return false;
    }
  },
  async open(path) {
    const folder = await DatasetFolder.open(path);
    const shards = await findShards(folder, '.', EXTENSIONS);
    if (!shards) throw new DatasetError(`Expected files *.tfrecord in ${path} but received none`);
    return openRecords(folder, shards);
  },
};

class TfRecordWriter implements DatasetWriter {
  readonly #info: DatasetInfo;

  constructor(info: DatasetInfo) {
    this.#info = info;
  }

  openShard({ files, shard, shards }: ShardContext): ShardWriter {
    const stream = files.stream(shardFileName(this.#info.split, shard, shards, 'tfrecord'));
    return {
      add: (sample) => writeRecord(stream, encodeExample(featuresOf(sample, this.#info))),
      end: () => {},
    };
  }

  async finish(context: FinishContext): Promise<void> {
    await context.write(LABEL_MAP_PATH, formatLabelMap(this.#info.things));
    await writeInfo(context, this.#info);
  }
}

/** An Example with its place in the dataset. */
interface Example {
  readonly features: Features;
  readonly index: number;
  readonly where: string;
}

async function openRecords(folder: DatasetFolder, shards: ShardFiles): Promise<DatasetReader> {
  const own = await readInfo(folder);
  const names = await readLabelMap(folder);
  const info = own?.info ?? (await survey(folder, shards, names));
  return {
    info,
    count: own?.count,
    samples: ({ signal } = {}) => readSamples(folder, shards, names, own, signal),
  };
}

async function* readSamples(
  folder: DatasetFolder,
  shards: ShardFiles,
  names: ReadonlyMap<number, string>,
  own: CountedInfo | undefined,
  signal?: AbortSignal,
): AsyncGenerator<DatasetSample> {
  let count = 0;
  for await (const { features, index, where } of readExamples(folder, shards)) {
    signal?.throwIfAborted();
    count++;
    yield sampleOfFeatures(features, index, names, where);
  }
  if (own && own.count !== count) {
    throw new DatasetError(`Expected ${own.count} records in ${folder.path} but received ${count}`);
  }
}

async function* readExamples(folder: DatasetFolder, { paths }: ShardFiles): AsyncGenerator<Example> {
  let index = 0;
  for (const path of paths) {
    const place = folder.at(path);
    // Read as a stream, so of any size.
    const full = await folder.file(path, folder.path, Number.POSITIVE_INFINITY);
    for await (const { offset, data } of readRecords(full, place)) {
      const where = `the record at byte ${offset} of ${place}`;
      yield { features: decodeExample(data, where), index: index++, where };
    }
  }
}

/** What is known of a dataset of others: classes in the order of the label map, then those that it lacks, by name. */
async function survey(
  folder: DatasetFolder,
  shards: ShardFiles,
  names: ReadonlyMap<number, string>,
): Promise<DatasetInfo> {
  const found = new Set<string>();
  let promises: Promises = { codec: 'png', masks: false, scenes: false };
  for await (const { features, index, where } of readExamples(folder, shards)) {
    if (index === 0) promises = promisesOf(features, where);
    for (const name of classesOfFeatures(features, names, where)) found.add(name);
  }
  const byLabel = [...names].sort(([a], [b]) => a - b).map(([, name]) => name);
  const classes = [...new Set([...byLabel, ...[...found].sort()])];
  return { name: folder.name, classes, things: classes, split: shards.split, ...promises };
}

async function readLabelMap(folder: DatasetFolder): Promise<Map<number, string>> {
  const { files } = await folder.names();
  const name =
    files.find((file) => file === LABEL_MAP_PATH) ?? files.find((file) => /label_?map.*\.pbtxt$/i.test(file));
  return name === undefined ? new Map() : parseLabelMap(await folder.text(name));
}
