import { DatasetError } from '../../errors.js';
import type { DatasetReader } from '../format.js';
import { decodeMask } from '../imageCodec.js';
import { type DatasetInfo, type DatasetSample, dimensionOf, type ImageLabels, type SampleObject } from '../sample.js';
import { decodeLayers, layerFlags } from '../surfaceLayers.js';
import type { DatasetFolder } from './datasetFolder.js';
import { describeImage, type ImageFile, withoutExtension } from './imageFile.js';
import { foreignObjects } from './imageFolderLabels.js';
import { METADATA_PATH } from './imageFolderLayout.js';
import { type RowFiles, splitRow } from './imageFolderRows.js';
import { type CountedInfo, readInfo } from './infoFile.js';
import { checkLabelRecord, parseForeignJson } from './labelRecord.js';

/** A line of `metadata.jsonl`. */
interface MetadataRow {
  readonly row: Readonly<Record<string, unknown>>;
  /** File and line. */
  readonly where: string;
  /** From 0. */
  readonly index: number;
}

/**
 * Opens a folder with `metadata.jsonl`. Without `info.json` the rows are read once to find the classes: in the order of
 * their names, all of them things.
 * @throws DatasetError when a file is damaged
 */
export async function openRows(folder: DatasetFolder, split: string): Promise<DatasetReader> {
  const own = await readInfo(folder);
  const info = own?.info ?? (await surveyRows(folder, split));
  return {
    info,
    count: own?.count,
    samples: ({ signal } = {}) => readSamples(folder, own, signal),
  };
}

/**
 * Opens a folder with a sub-folder of images a class.
 * @throws DatasetError when it cannot be read
 */
export async function openClassFolders(folder: DatasetFolder, split: string): Promise<DatasetReader> {
  const { folders: classes } = await folder.names();
  const info = foreignInfo(folder, split, classes);
  return {
    info,
    async *samples({ signal } = {}) {
      let index = 0;
      for (const name of classes) {
        const keys = new Set<string>();
        for (const file of (await folder.names(name)).files) {
          signal?.throwIfAborted();
          const path = `${name}/${file}`;
          const key = withoutExtension(path);
          if (keys.has(key)) throw new DatasetError(`Expected one image ${key} in ${folder.path} but received two`);
          keys.add(key);
          const image = describeImage(await folder.read(path), folder.at(path));
          const box = [0, 0, image.width, image.height] as const;
          yield { labels: labelsOf(key, index++, image, [{ class: name, box }]), image: image.image };
        }
      }
    },
  };
}

async function* readSamples(
  folder: DatasetFolder,
  own: CountedInfo | undefined,
  signal?: AbortSignal,
): AsyncGenerator<DatasetSample> {
  let count = 0;
  for await (const row of readRows(folder)) {
    signal?.throwIfAborted();
    count++;
    yield await readSample(folder, row);
  }
  if (own && own.count !== count) {
    throw new DatasetError(`Expected ${own.count} rows in ${folder.at(METADATA_PATH)} but received ${count}`);
  }
}

async function readSample(folder: DatasetFolder, { row, where, index }: MetadataRow): Promise<DatasetSample> {
  const { files, record } = splitRow(row);
  const path = expectPath(files.file_name, 'file_name', where);
  const image = describeImage(await folder.read(path, where), folder.at(path));
  if (!isRecord(record)) {
    const labels = labelsOf(withoutExtension(path), index, image, foreignObjects(record, where, image));
    return { labels: checkLabelRecord(labels, where), image: image.image };
  }
  const labels = checkLabelRecord(record, where);
  const { width, height } = labels;
  if (image.width !== width || image.height !== height) {
    throw new DatasetError(
      `Expected ${width} × ${height} px for ${folder.at(path)}, as in ${where}, but received ${image.width} × ${image.height}`,
    );
  }
  const sceneBytes =
    files.scene === undefined ? undefined : await folder.read(expectPath(files.scene, 'scene', where), where);
  return {
    labels,
    image: image.image,
    ...(await readMasks(folder, files, labels, where)),
    ...(await readLayers(folder, files, labels, where)),
    ...(sceneBytes && { scene: sceneBytes }),
  };
}

async function readMasks(folder: DatasetFolder, files: RowFiles, { width, height }: ImageLabels, where: string) {
  const read = async (column: 'instances_file_name' | 'classes_file_name') => {
    if (files[column] === undefined) return undefined;
    const path = expectPath(files[column], column, where);
    return decodeMask(await folder.read(path, where), width, height, folder.at(path));
  };
  const instances = await read('instances_file_name');
  const classes = await read('classes_file_name');
  if (classes instanceof Uint16Array) {
    throw new DatasetError(`Expected a mask of 8 bits for classes_file_name in ${where} but received one of 16`);
  }
  return {
    ...(instances && { instances: instances instanceof Uint16Array ? instances : Uint16Array.from(instances) }),
    ...(classes && { classes }),
  };
}

async function readLayers(folder: DatasetFolder, files: RowFiles, labels: ImageLabels, where: string) {
  const read = async (column: 'depth_file_name' | 'normals_file_name') =>
    files[column] === undefined ? undefined : await folder.read(expectPath(files[column], column, where), where);
  return decodeLayers(
    { depth: await read('depth_file_name'), normals: await read('normals_file_name') },
    labels,
    where,
  );
}

async function* readRows(folder: DatasetFolder): AsyncGenerator<MetadataRow> {
  let index = 0;
  for await (const { number, text } of folder.lines(METADATA_PATH)) {
    if (text.trim() === '') continue;
    const where = `${folder.at(METADATA_PATH)}:${number}`;
    const row = parseForeignJson(text, where);
    if (typeof row !== 'object' || row === null || Array.isArray(row)) {
      throw new DatasetError(`Expected a JSON object in ${where} but received ${text.slice(0, 80)}`);
    }
    yield { row: row as Record<string, unknown>, where, index: index++ };
  }
}

async function surveyRows(folder: DatasetFolder, split: string): Promise<DatasetInfo> {
  const classes = new Set<string>();
  let first: MetadataRow | undefined;
  for await (const each of readRows(folder)) {
    first ??= each;
    const { record } = splitRow(each.row);
    const objects = isRecord(record)
      ? checkLabelRecord(record, each.where).objects
      : foreignObjects(record, each.where, { width: 1, height: 1 });
    for (const object of objects) classes.add(object.class);
  }
  const { files, record } = first ? splitRow(first.row) : {};
  return {
    ...foreignInfo(folder, split, [...classes].sort()),
    masks: files?.instances_file_name !== undefined && files.classes_file_name !== undefined,
    scenes: files?.scene !== undefined,
    ...layerFlags({ depth: files?.depth_file_name !== undefined, normals: files?.normals_file_name !== undefined }),
    ...(first && record && isRecord(record) ? dimensionOf(checkLabelRecord(record, first.where)) : {}),
  };
}

/** Whether what a row holds beside file names is a label record, not columns of somebody else's. */
function isRecord(record: Readonly<Record<string, unknown>>): boolean {
  return typeof record.key === 'string' && 'channels' in record && Array.isArray(record.objects);
}

function foreignInfo({ name }: DatasetFolder, split: string, classes: readonly string[]): DatasetInfo {
  return { name, classes, things: classes, split, codec: 'png', masks: false, scenes: false };
}

function labelsOf(key: string, index: number, image: ImageFile, objects: readonly SampleObject[]): ImageLabels {
  const { width, height, channels } = image;
  return { key, index, width, height, channels, objects };
}

/** The path in a column; a leading `./` is left out, so that keys made from it can be paths themselves. */
function expectPath(value: unknown, column: string, where: string): string {
  if (typeof value === 'string') return value.replace(/^(\.\/)+/, '');
  throw new DatasetError(`Expected a path for ${column} in ${where} but received ${JSON.stringify(value)}`);
}
