/** Images of a folder or of a dataset in any format that is read, one by one, on one canvas. */
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { readImageHeader } from '../assets/imageHeader.js';
import { canvasImage } from '../dataset/canvasImage.js';
import type { DatasetReader } from '../dataset/format.js';
import { isImageName } from '../dataset/formats/imageFile.js';
import { openFormat, recogniseFormat } from '../dataset/formats/index.js';
import { readImage } from '../dataset/imageFolder.js';
import { fitWindow, resample } from '../dataset/resample.js';
import type { DatasetSample } from '../dataset/sample.js';
import { DatasetError } from '../errors.js';
import { RandomStream } from '../random.js';
import { drawRows } from './gaussianMmd.js';

export interface ImageSourceOptions {
  /** Format of the dataset; default: a plain folder where it holds images itself, else as it looks. */
  readonly format?: string;
  /** Take at most this many, drawn evenly with the seed and kept in their order. */
  readonly limit?: number;
  readonly seed?: number;
  readonly signal?: AbortSignal;
}

/** Images that can be read again and again. */
export interface ImageSource {
  /** `folder`, or the name of the dataset's format. */
  readonly format: string;
  /** Images that `images` gives, and those there are. */
  readonly count: number;
  readonly available: number;
  /**
   * @param size side of the square that each is stretched to, with antialiasing
   */
  images(size: number): AsyncIterable<SourceImage>;
}

/** An image on the canvas that was asked for. */
export interface SourceImage {
  readonly name: string;
  /** [size × size × 3], 0–255. */
  readonly pixels: Uint8Array;
  /** Of the image as it is stored, px. */
  readonly width: number;
  readonly height: number;
}

/**
 * Opens images. A dataset that does not say how many samples it has is read once to count them.
 * @throws DatasetError when there is none, or it cannot be read
 */
export async function openImageSource(folder: string, options: ImageSourceOptions = {}): Promise<ImageSource> {
  const files = await imageNames(folder);
  if (options.format === undefined && files.length > 0) return folderSource(folder, files, options);
  const format = await (options.format === undefined ? recognise(folder) : openFormat(options.format));
  const reader = await format.open(folder);
  return readerSource(format.name, reader, reader.count ?? (await countSamples(reader, options.signal)), options);
}

async function imageNames(folder: string): Promise<string[]> {
  try {
    const entries = await readdir(folder, { withFileTypes: true });
    return entries
      .filter((entry) => !entry.isDirectory() && isImageName(entry.name))
      .map(({ name }) => name)
      .sort();
  } catch (cause) {
    throw new DatasetError(
      `Expected a folder that can be read at ${folder} but received: ${(cause as Error).message}`,
      {
        cause,
      },
    );
  }
}

async function recognise(folder: string) {
  if ((await readdir(folder)).length === 0) {
    throw new DatasetError(`Expected images or a dataset in ${folder} but received an empty folder`);
  }
  try {
    return await recogniseFormat(folder);
  } catch (cause) {
    throw new DatasetError(
      `Expected PNG, JPEG or WebP files, or a dataset of a known format, in ${folder}: ${(cause as Error).message}`,
      { cause },
    );
  }
}

function folderSource(folder: string, files: readonly string[], options: ImageSourceOptions): ImageSource {
  const chosen = chosenOf(files.length, options).map((i) => files[i]);
  return {
    format: 'folder',
    count: chosen.length,
    available: files.length,
    async *images(size) {
      for (const name of chosen) {
        options.signal?.throwIfAborted();
        const path = join(folder, name);
        const bytes = await readImage(path);
        const { pixels } = await canvasImage(bytes, square(size), path);
        const { width, height } = readImageHeader(bytes, path);
        yield { name, pixels, width, height };
      }
    },
  };
}

function readerSource(
  format: string,
  reader: DatasetReader,
  available: number,
  options: ImageSourceOptions,
): ImageSource {
  const chosen = chosenOf(available, options);
  return {
    format,
    count: chosen.length,
    available,
    async *images(size) {
      let [position, next] = [0, 0];
      for await (const sample of reader.samples({ signal: options.signal })) {
        if (position++ !== chosen[next]) continue;
        next += 1;
        const { key, width, height } = sample.labels;
        yield { name: key, pixels: await samplePixels(sample, size), width, height };
        if (next === chosen.length) return;
      }
      throw new DatasetError(`Expected ${available} samples in the ${format} dataset but received ${position}`);
    },
  };
}

/** Positions of the images that are taken, ascending. */
function chosenOf(available: number, { limit = available, seed = 0 }: ImageSourceOptions): number[] {
  return drawRows(available, limit, new RandomStream({ seed, index: 0 })).sort((a, b) => a - b);
}

async function countSamples(reader: DatasetReader, signal?: AbortSignal): Promise<number> {
  let count = 0;
  for await (const _ of reader.samples({ signal })) count += 1;
  return count;
}

/** Pixels where the reader has them (they are exact), else those of the file; both are brought to size alike. */
async function samplePixels({ labels, image, pixels }: DatasetSample, size: number): Promise<Uint8Array> {
  if (!pixels) return (await canvasImage(image.bytes, square(size), labels.key)).pixels;
  const { width, height, channels } = labels;
  const resized = resample(pixels, labels, square(size), fitWindow({ width, height }, square(size), 'stretch'));
  const rgb = new Uint8Array(size * size * 3);
  for (let i = 0; i < rgb.length; i++) rgb[i] = Math.round(resized[channels === 3 ? i : Math.floor(i / 3)]);
  return rgb;
}

function square(size: number) {
  return { width: size, height: size, channels: 3 } as const;
}
