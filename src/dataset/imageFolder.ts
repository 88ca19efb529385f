import { existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DatasetError } from '../errors.js';
import { RandomStream } from '../random.js';
import { type CanvasShape, canvasImage } from './canvasImage.js';
import type { ImageFit } from './resample.js';

export type { CanvasShape };

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
  /** How images of another shape are brought to the canvas; default `stretch`. */
  readonly fit?: ImageFit;
}

const EXTENSION = /\.(png|jpe?g|webp)$/i;

/**
 * Reads PNG, JPEG and WebP files of a folder (not of its sub-folders), in order of their names, each brought to the
 * canvas (`canvasImage`).
 * @throws DatasetError when the folder or a file cannot be read, or no file is an image
 */
export async function readImageFolder(
  folder: string,
  shape: CanvasShape,
  options: ImageFolderOptions = {},
): Promise<FolderImages> {
  const files = draw(await imageFiles(folder), options);
  if (files.length === 0) throw new DatasetError(`Expected PNG, JPEG or WebP files in ${folder} but received none`);
  return { ...shape, count: files.length, images: await decodeAll(files, shape, options.fit) };
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
    const paths = await classFiles(folder, name);
    if (paths.length === 0) throw new DatasetError(`Expected images in ${join(folder, name)} but received none`);
    for (const path of paths) entries.push({ path, label });
  }
  const chosen = draw(entries, options);
  const images = await decodeAll(
    chosen.map(({ path }) => path),
    shape,
    options.fit,
  );
  const labels = Int32Array.from(chosen, ({ label }) => label);
  return { ...shape, count: chosen.length, images, labels, classes };
}

/** Images of a class. @throws DatasetError naming the sub-folders that there are when it has none */
async function classFiles(folder: string, name: string): Promise<string[]> {
  const path = join(folder, name);
  if (existsSync(path)) return imageFiles(path);
  const names = (await list(folder)).filter((entry) => !entry.isFile()).map((entry) => entry.name);
  throw new DatasetError(
    `Expected a sub-folder of images for the class ${name} in ${folder} but received ${names.sort().join(', ') || 'none'}`,
  );
}

/** Names of the sub-folders that hold at least one image, sorted: the classes of a labelled folder. */
export async function classFolders(folder: string): Promise<string[]> {
  const names = (await list(folder)).filter((entry) => entry.isDirectory()).map(({ name }) => name);
  const filled = await Promise.all(names.map(async (name) => (await imageFiles(join(folder, name))).length > 0));
  return names.filter((_, i) => filled[i]).sort();
}

/** Paths of the images in a folder, in order of their names. @throws DatasetError when it cannot be read */
export async function imageFiles(folder: string): Promise<string[]> {
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
export function draw<T>(items: readonly T[], { limit, seed = 0 }: ImageFolderOptions): T[] {
  if (limit === undefined || items.length <= limit) return [...items];
  const keys = items.map((_, index) => new RandomStream({ seed, index }).uniform());
  const order = keys.map((_, i) => i).sort((a, b) => keys[a] - keys[b] || a - b);
  return order
    .slice(0, limit)
    .sort((a, b) => a - b)
    .map((i) => items[i]);
}

async function decodeAll(paths: readonly string[], shape: CanvasShape, fit?: ImageFit): Promise<Uint8Array> {
  const pixels = shape.width * shape.height * shape.channels;
  const images = new Uint8Array(paths.length * pixels);
  for (const [i, path] of paths.entries()) {
    images.set((await canvasImage(await readImage(path), shape, path, fit)).pixels, i * pixels);
  }
  return images;
}

/** @throws DatasetError naming the file */
export async function readImage(path: string): Promise<Uint8Array> {
  try {
    return await readFile(path);
  } catch (cause) {
    throw new DatasetError(`Expected a readable image at ${path} but received: ${(cause as Error).message}`, { cause });
  }
}
