import { DatasetError } from '../../errors.js';
import type { DatasetReader } from '../format.js';
import { MAX_IMAGE_PIXELS } from '../imageCodec.js';
import { encodePng } from '../png.js';
import { type DatasetInfo, type DatasetSample, sampleKey } from '../sample.js';
import { readClasses } from './classesFile.js';
import type { DatasetFolder } from './datasetFolder.js';
import { openIdx } from './idxFile.js';

/** `train-images-idx3-ubyte`, and as others write it: `train-images.idx3-ubyte`, each also with `.gz`. */
const IMAGES_NAME = /^(.+)-images[-.]idx([34])-ubyte(\.gz)?$/;
/** Labels are taken in pieces of this size. */
const LABEL_BLOCK = 4096;

/** The two files of a split. */
export interface IdxSplit {
  readonly split: string;
  /** File names. */
  readonly images: string;
  readonly labels: string;
  /** Of the images' array: 3 grey, 4 RGB. */
  readonly dimensions: 3 | 4;
}

/** Size of the images of a split. */
interface IdxShape {
  readonly count: number;
  readonly width: number;
  readonly height: number;
  readonly channels: 1 | 3;
}

/** The splits of a folder: files of images that have one of labels; a plain file goes before its gzipped copy. */
export async function findIdxSplits(folder: DatasetFolder): Promise<IdxSplit[]> {
  const { files } = await folder.names();
  const found = new Map<string, IdxSplit>();
  for (const images of files) {
    const match = IMAGES_NAME.exec(images);
    if (!match || found.has(match[1])) continue;
    const labels = [`${match[1]}-labels-idx1-ubyte`, `${match[1]}-labels.idx1-ubyte`]
      .flatMap((name) => [name, `${name}.gz`])
      .find((name) => files.includes(name));
    if (labels) found.set(match[1], { split: match[1], images, labels, dimensions: match[2] === '3' ? 3 : 4 });
  }
  return [...found.values()];
}

/**
 * Opens a split. Without `classes.txt` the labels are read once to find the largest.
 * @throws DatasetError when a file is damaged, or images and labels differ in number
 */
export async function openIdxSplit(folder: DatasetFolder, split: IdxSplit): Promise<DatasetReader> {
  const shape = await readShape(folder, split);
  const classes = (await readClasses(folder)) ?? (await numberedClasses(folder, split));
  const { width, height, channels, count } = shape;
  const info: DatasetInfo = {
    ...{ name: folder.name, classes, things: classes, split: split.split, codec: 'png', masks: false, scenes: false },
    ...{ width, height, channels },
  };
  return { info, count, samples: ({ signal } = {}) => readSamples(folder, split, shape, classes, signal) };
}

async function* readSamples(
  folder: DatasetFolder,
  split: IdxSplit,
  { count, width, height, channels }: IdxShape,
  classes: readonly string[],
  signal?: AbortSignal,
): AsyncGenerator<DatasetSample> {
  const { source } = await openIdx(folder, split.images, split.dimensions);
  const labels = readLabels(folder, split);
  try {
    for (let index = 0; index < count; index++) {
      signal?.throwIfAborted();
      const pixels = await source.take(width * height * channels);
      const label = (await labels.next()).value as number;
      if (label >= classes.length) {
        throw new DatasetError(
          `Expected a label below ${classes.length} for image ${index} in ${folder.at(split.labels)} but received ${label}`,
        );
      }
      const objects = [{ class: classes[label], box: [0, 0, width, height] as const }];
      yield {
        labels: { key: sampleKey(index), index, width, height, channels, objects },
        image: { codec: 'png', bytes: encodePng({ width, height, channels, pixels }) },
        pixels,
      };
    }
    await source.expectEnd();
    await labels.next();
  } finally {
    await labels.return(undefined);
    await source.close();
  }
}

/** The labels one by one. @throws DatasetError when the file is shorter or longer than its header says */
async function* readLabels(folder: DatasetFolder, { labels }: IdxSplit): AsyncGenerator<number, undefined> {
  const { shape, source } = await openIdx(folder, labels, 1);
  try {
    for (let left = shape[0]; left > 0; ) {
      const block = await source.take(Math.min(left, LABEL_BLOCK));
      left -= block.length;
      yield* block;
    }
    await source.expectEnd();
  } finally {
    await source.close();
  }
}

async function readShape(folder: DatasetFolder, { images, labels, dimensions }: IdxSplit): Promise<IdxShape> {
  const place = folder.at(images);
  const [count, height, width, channels = 1] = await shapeOf(folder, images, dimensions);
  const [labelCount] = await shapeOf(folder, labels, 1);
  if (labelCount !== count) {
    throw new DatasetError(
      `Expected as many labels as images (${count} in ${place}) in ${folder.at(labels)} but received ${labelCount}`,
    );
  }
  if (count > 0 && (width < 1 || height < 1 || width * height > MAX_IMAGE_PIXELS)) {
    throw new DatasetError(
      `Expected 1 to ${MAX_IMAGE_PIXELS} pixels an image for ${place} but received ${width} × ${height}`,
    );
  }
  if (dimensions === 4 ? channels !== 3 : channels !== 1) {
    throw new DatasetError(`Expected 3 channels for ${place} but received ${channels}`);
  }
  return { count, width, height, channels: channels as 1 | 3 };
}

async function shapeOf(folder: DatasetFolder, path: string, dimensions: number): Promise<readonly number[]> {
  const { shape, source } = await openIdx(folder, path, dimensions);
  await source.close();
  return shape;
}

async function numberedClasses(folder: DatasetFolder, split: IdxSplit): Promise<string[]> {
  let largest = -1;
  for await (const label of readLabels(folder, split)) if (label > largest) largest = label;
  return Array.from({ length: largest + 1 }, (_, i) => String(i));
}
