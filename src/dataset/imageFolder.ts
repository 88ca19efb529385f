import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { readImageHeader } from '../assets/imageHeader.js';
import { DatasetError } from '../errors.js';
import { RandomStream } from '../random.js';

/** The canvas that images are brought to. */
export interface CanvasShape {
  readonly width: number;
  readonly height: number;
  readonly channels: 1 | 3;
}

/** Images in memory: bytes [N × H × W × C]. */
export interface FolderImages extends CanvasShape {
  readonly count: number;
  readonly images: Uint8Array;
}

export interface LabelledFolderImages extends FolderImages {
  /** [N] index into `classes`. */
  readonly labels: Int32Array;
  readonly classes: readonly string[];
}

export interface ImageFolderOptions {
  /** Use at most this many, drawn evenly with the seed. */
  readonly limit?: number;
  readonly seed?: number;
}

const EXTENSION = /\.(png|jpe?g|webp)$/i;
const MAX_PIXELS = 2 ** 26;

/**
 * Reads PNG, JPEG and WebP files of a folder (not of its sub-folders), in order of their names, each resized to the
 * canvas; grey is the mean that the luma weights of Rec. 601 give.
 * @throws DatasetError when the folder or a file cannot be read, or no file is an image
 */
export async function readImageFolder(
  folder: string,
  shape: CanvasShape,
  options: ImageFolderOptions = {},
): Promise<FolderImages> {
  const files = draw(await imageFiles(folder), options);
  if (files.length === 0) throw new DatasetError(`Expected PNG, JPEG or WebP files in ${folder} but received none`);
  return { ...shape, count: files.length, images: await decodeAll(files, shape) };
}

/**
 * Reads a labelled folder: one sub-folder per class, named like it.
 * @param classes the classes in the order of their labels
 * @throws DatasetError when a class has no folder or no image, or a file cannot be read
 */
export async function readLabelledFolder(
  folder: string,
  classes: readonly string[],
  shape: CanvasShape,
  options: ImageFolderOptions = {},
): Promise<LabelledFolderImages> {
  const entries: { path: string; label: number }[] = [];
  for (const [label, name] of classes.entries()) {
    const paths = await imageFiles(join(folder, name));
    if (paths.length === 0) throw new DatasetError(`Expected images in ${join(folder, name)} but received none`);
    for (const path of paths) entries.push({ path, label });
  }
  const chosen = draw(entries, options);
  const images = await decodeAll(
    chosen.map(({ path }) => path),
    shape,
  );
  const labels = Int32Array.from(chosen, ({ label }) => label);
  return { ...shape, count: chosen.length, images, labels, classes };
}

/** Names of the sub-folders that hold at least one image, sorted: the classes of a labelled folder. */
export async function classFolders(folder: string): Promise<string[]> {
  const names = (await list(folder)).filter((entry) => entry.isDirectory()).map(({ name }) => name);
  const filled = await Promise.all(names.map(async (name) => (await imageFiles(join(folder, name))).length > 0));
  return names.filter((_, i) => filled[i]).sort();
}

async function imageFiles(folder: string): Promise<string[]> {
  const entries = await list(folder);
  return entries
    .filter((entry) => entry.isFile() && EXTENSION.test(entry.name))
    .map(({ name }) => join(folder, name))
    .sort();
}

async function list(folder: string) {
  try {
    return await readdir(folder, { withFileTypes: true });
  } catch (cause) {
    throw new DatasetError(`Expected a readable folder at ${folder} but received: ${(cause as Error).message}`, {
      cause,
    });
  }
}

/** `limit` of the items, drawn without replacement and kept in their order. */
function draw<T>(items: readonly T[], { limit, seed = 0 }: ImageFolderOptions): T[] {
  if (limit === undefined || items.length <= limit) return [...items];
  const keys = items.map((_, index) => new RandomStream({ seed, index }).uniform());
  const order = keys.map((_, i) => i).sort((a, b) => keys[a] - keys[b] || a - b);
  return order
    .slice(0, limit)
    .sort((a, b) => a - b)
    .map((i) => items[i]);
}

async function decodeAll(paths: readonly string[], shape: CanvasShape): Promise<Uint8Array> {
  const pixels = shape.width * shape.height * shape.channels;
  const images = new Uint8Array(paths.length * pixels);
  for (const [i, path] of paths.entries()) images.set(await decode(path, shape), i * pixels);
  return images;
}

async function decode(path: string, { width, height, channels }: CanvasShape): Promise<Uint8Array> {
  let rgba: Uint8ClampedArray;
  try {
    const bytes = await readFile(path);
    const header = readImageHeader(bytes, path);
    if (header.width * header.height > MAX_PIXELS) {
      throw new DatasetError(`Expected at most ${MAX_PIXELS} pixels but received ${header.width} × ${header.height}`);
    }
    const { createCanvas, loadImage } = await import('@napi-rs/canvas');
    const canvas = createCanvas(width, height);
    const context = canvas.getContext('2d');
    context.imageSmoothingQuality = 'high';
    context.drawImage(await loadImage(bytes), 0, 0, width, height);
    rgba = context.getImageData(0, 0, width, height).data;
  } catch (cause) {
    throw new DatasetError(`Expected a readable image at ${path} but received: ${(cause as Error).message}`, { cause });
  }
  const out = new Uint8Array(width * height * channels);
  for (let i = 0; i < width * height; i++) {
    const [r, g, b] = [rgba[4 * i], rgba[4 * i + 1], rgba[4 * i + 2]];
    if (channels === 1) out[i] = Math.round(0.299 * r + 0.587 * g + 0.114 * b);
    else out.set([r, g, b], 3 * i);
  }
  return out;
}
