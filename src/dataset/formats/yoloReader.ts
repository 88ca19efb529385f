import { DatasetError } from '../../errors.js';
import type { DatasetReader } from '../format.js';
import type { DatasetInfo, DatasetSample, ImageCodec } from '../sample.js';
import { checkRelativePath } from '../staging.js';
import { DatasetFolder } from './datasetFolder.js';
import { describeImage, isImageName, withoutExtension } from './imageFile.js';
import { CONFIG_NAMES, readYoloConfig, type YoloConfig, type YoloSplit } from './yoloConfig.js';
import { paintPolygons, parseYoloLabels, type YoloObject } from './yoloLabels.js';

/** Images that Ultralytics reads and we do not: they are refused, so that none is lost in silence. */
const FOREIGN_IMAGE = /\.(bmp|dng|heic|mpo|pfm|tiff?)$/i;
/** How many label files are looked at to tell polygons from boxes. */
const PROBED_FILES = 64;

export interface YoloOpenOptions {
  /** `train`, `val` or `test` of `data.yaml`; the first of them that it names when left out. */
  readonly split?: string;
}

/** An image in the dataset: its path, and what named it (a file, or a line of a list) for errors. */
interface ImageEntry {
  readonly path: string;
  readonly where: string;
}

/** Reads YOLO datasets in Ultralytics' layout, of one split. */
export class YoloReader implements DatasetReader {
  readonly info: DatasetInfo;
  readonly count: number;
  readonly #folder: DatasetFolder;
  readonly #images: readonly ImageEntry[];
  readonly #keyOf: (path: string) => string;

  private constructor(folder: DatasetFolder, info: DatasetInfo, images: readonly ImageEntry[]) {
    this.#folder = folder;
    this.info = info;
    this.#images = images;
    this.#keyOf = keysOf(images);
    this.count = images.length;
  }

  /**
   * @param masks whether polygons become instance masks; all labels must be polygons then
   * @throws DatasetError when `data.yaml` is missing or bad, or names what is not there or lies outside the folder
   */
  static async open(path: string, masks: boolean, { split: wanted }: YoloOpenOptions = {}): Promise<YoloReader> {
    const folder = await DatasetFolder.open(path);
    const { config, place } = await configOf(folder);
    const split = wanted === undefined ? config.splits[0] : config.splits.find(({ name }) => name === wanted);
    if (!split) {
      const names = config.splits.map(({ name }) => name).join(', ');
      throw new DatasetError(`${place}: Expected one of ${names} for the split but received "${wanted}"`);
    }
    const images = await listSplit(folder, config, split, place);
    if (images.length === 0) {
      throw new DatasetError(`${place}: Expected PNG, JPEG or WebP images for "${split.name}" but received none`);
    }
    const { names } = config;
    const info = {
      name: folder.name,
      classes: names,
      things: names,
      split: splitName(config, split),
      codec: codecOf(images[0].path),
      masks,
      scenes: false,
    };
    return new YoloReader(folder, info, images);
  }

  async *samples({ signal }: { readonly signal?: AbortSignal } = {}): AsyncIterable<DatasetSample> {
    for (const [index, entry] of this.#images.entries()) {
      signal?.throwIfAborted();
      yield await this.#sample(entry, index);
    }
  }

  async #sample({ path, where }: ImageEntry, index: number): Promise<DatasetSample> {
    const key = this.#keyOf(path);
    const { image, width, height, channels } = describeImage(
      await this.#folder.read(path, where),
      this.#folder.at(path),
    );
    const size = { width, height, classes: this.info.classes.length };
    const labelPath = labelPathOf(path);
    // An image without a label file is one without objects.
    const rows = (await this.#folder.has(labelPath))
      ? parseYoloLabels(await this.#folder.text(labelPath), size, this.#folder.at(labelPath))
      : [];
    const objects = rows.map(({ classNumber, box }, node) => ({ node, class: this.info.classes[classNumber], box }));
    if (!this.info.masks) return { labels: { key, index, width, height, channels, objects }, image };
    this.#expectPolygons(rows, labelPath);
    return { labels: { key, index, width, height, channels, objects }, image, ...paintPolygons(rows, size) };
  }

  #expectPolygons(rows: readonly YoloObject[], labelPath: string): void {
    if (rows.every(({ polygon }) => polygon)) return;
    throw new DatasetError(
      `${this.#folder.at(labelPath)}:1: Expected polygons but received boxes; the format "yolo" reads them`,
    );
  }
}

/**
 * Whether a folder holds a YOLO dataset of polygons (true) or of boxes (false); undefined where it holds none. Both have
 * the same names, so the first rows of a few label files are looked at; without rows, it is one of boxes.
 */
export async function holdsPolygons(path: string): Promise<boolean | undefined> {
  try {
    const folder = await DatasetFolder.open(path);
    const { config, place } = await configOf(folder);
    const images = await listSplit(folder, config, config.splits[0], place);
    for (const image of images.slice(0, PROBED_FILES)) {
      const labelPath = labelPathOf(image.path);
      if (!(await folder.has(labelPath))) continue;
      for await (const { text } of folder.lines(labelPath)) {
        if (text.trim() !== '') return text.trim().split(/\s+/).length > 6;
      }
    }
    return false;
  } catch (error) {
    if (error instanceof DatasetError) return undefined;
    throw error;
  }
}

async function configOf(folder: DatasetFolder): Promise<{ config: YoloConfig; place: string }> {
  for (const name of CONFIG_NAMES) {
    if (!(await folder.has(name))) continue;
    const place = folder.at(name);
    return { config: readYoloConfig(await folder.text(name), place), place };
  }
  throw new DatasetError(`Expected ${CONFIG_NAMES[0]} in the YOLO dataset ${folder.path} but received none`);
}

/** Images of a split: of folders (and folders in them) by name, of lists in their order. */
async function listSplit(
  folder: DatasetFolder,
  config: YoloConfig,
  split: YoloSplit,
  place: string,
): Promise<ImageEntry[]> {
  const root = config.path ? within(config.path.path, `${place}:${config.path.line}`) : '';
  const images: ImageEntry[] = [];
  for (const { path, line } of split.sources) {
    const where = `${place}:${line}`;
    const full = joined(root, within(path, where));
    if (full.endsWith('.txt') && (await folder.has(full))) images.push(...(await imagesInList(folder, full, root)));
    else if (await folder.hasFolder(full || '.')) images.push(...(await imagesInFolder(folder, full)));
    else throw new DatasetError(`${where}: Expected a folder of images at ${folder.at(full)} but received none`);
  }
  return images;
}

/**
 * A path as written, without `.` and slashes at its end; empty for the folder itself.
 * @throws DatasetError when it leads out of the dataset
 */
function within(path: string, where: string): string {
  const plain = path
    .split('/')
    .filter((part, i) => part !== '.' && (part !== '' || i === 0))
    .join('/');
  if (plain === '') return '';
  try {
    if (/^[A-Za-z]:/.test(plain)) throw new DatasetError('absolute');
    checkRelativePath(plain);
  } catch (cause) {
    throw new DatasetError(
      `${where}: Expected a path within the dataset but received ${JSON.stringify(path)}; write it relative to the folder of the file`,
      { cause },
    );
  }
  return plain;
}

function joined(folder: string, name: string): string {
  return [folder, name].filter((part) => part !== '').join('/');
}

async function imagesInFolder(folder: DatasetFolder, root: string): Promise<ImageEntry[]> {
  const images: ImageEntry[] = [];
  const pending = [root];
  for (let path = pending.pop(); path !== undefined; path = pending.pop()) {
    const { folders, files } = await folder.names(path || '.');
    for (const name of files) {
      const full = joined(path, name);
      if (FOREIGN_IMAGE.test(name)) {
        throw new DatasetError(`Expected PNG, JPEG or WebP images but received ${folder.at(full)}`);
      }
      if (isImageName(name)) images.push({ path: full, where: folder.at(path) });
    }
    pending.push(...folders.map((name) => joined(path, name)).reverse());
  }
  return images;
}

/** Paths in a list start at the list's folder where they begin with `./`, else at the dataset's. */
async function imagesInList(folder: DatasetFolder, list: string, root: string): Promise<ImageEntry[]> {
  const images: ImageEntry[] = [];
  const own = list.includes('/') ? list.slice(0, list.lastIndexOf('/')) : '';
  for await (const { number, text } of folder.lines(list)) {
    const written = text.trim();
    if (written === '') continue;
    const where = `${folder.at(list)}:${number}`;
    if (!isImageName(written)) {
      throw new DatasetError(`${where}: Expected a PNG, JPEG or WebP image but received ${JSON.stringify(written)}`);
    }
    images.push({ path: joined(written.startsWith('./') ? own : root, within(written, where)), where });
  }
  return images;
}

/** Ultralytics' rule: the last folder called `images` becomes `labels`; without one the labels lie beside the images. */
function labelPathOf(image: string): string {
  const path = `/${image}`;
  const at = path.lastIndexOf('/images/');
  const labels = at < 0 ? path : `${path.slice(0, at)}/labels/${path.slice(at + '/images/'.length)}`;
  return `${withoutExtension(labels).slice(1)}.txt`;
}

/**
 * What turns paths into keys: a file's stem, or where two have the same, the names of its folders before it.
 * @throws DatasetError when two images differ in nothing but their extension
 */
function keysOf(images: readonly ImageEntry[]): (path: string) => string {
  const stem = (path: string) => withoutExtension(path.slice(path.lastIndexOf('/') + 1)) || 'image';
  const long = (path: string) => withoutExtension(path).replaceAll('/', '-');
  if (new Set(images.map(({ path }) => stem(path))).size === images.length) return stem;
  const keys = new Set<string>();
  for (const { path, where } of images) {
    if (keys.size === keys.add(long(path)).size) {
      throw new DatasetError(`${where}: Expected images of different names but received "${long(path)}" twice`);
    }
  }
  return long;
}

/** `val` where both train and val name `images/val`, as in datasets that have no other split. */
function splitName(config: YoloConfig, split: YoloSplit): string {
  const { path } = split.sources[0];
  const shared = config.splits.filter(({ sources }) => sources[0].path === path).length > 1;
  const last = /([^/\\]+)\/*$/.exec(path)?.[1];
  return shared && last && /^[\w.-]+$/.test(last) && !last.endsWith('.txt') ? last : split.name;
}

function codecOf(path: string): ImageCodec {
  if (/\.png$/i.test(path)) return 'png';
  return /\.webp$/i.test(path) ? 'webp' : 'jpeg';
}
