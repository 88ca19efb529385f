import { DatasetError } from '../../errors.js';
import type { DatasetReader } from '../format.js';
import { decodeMask } from '../imageCodec.js';
import type { DatasetInfo, DatasetSample, ImageCodec, SampleObject } from '../sample.js';
import { checkRelativePath } from '../staging.js';
import { DatasetFolder } from './datasetFolder.js';
import { describeImage, type ImageFile, withoutExtension } from './imageFile.js';
import { boxOfVoc, parseVocAnnotation, type VocAnnotation } from './vocAnnotation.js';
import { VOID } from './vocMasks.js';
import { readLabelMap } from './vocNames.js';

const ANNOTATIONS = 'Annotations';
const IMAGES = 'JPEGImages';
const MAIN = 'ImageSets/Main';
const LABEL_MAP = 'labelmap.txt';
/** Splits in the order in which one is chosen. */
const SPLITS = ['train', 'trainval', 'val', 'test'];
/** What an image may be called behind its key. */
const EXTENSIONS = ['jpg', 'png', 'jpeg', 'JPG', 'PNG', 'JPEG', 'webp'];

export interface VocOpenOptions {
  /** A list of `ImageSets/Main`; `train`, `trainval`, `val`, `test` or the first there is when left out. */
  readonly split?: string;
}

/** Key of an image, and what named it: a line of a list, or the folder of annotations. */
interface Entry {
  readonly key: string;
  readonly where: string;
}

/** Whether a folder has the folders of VOC. */
export async function looksLikeVoc(path: string): Promise<boolean> {
  const folder = await DatasetFolder.open(path).catch(() => undefined);
  return folder !== undefined && (await folder.hasFolder(ANNOTATIONS)) && (await folder.hasFolder(IMAGES));
}

/** Reads Pascal VOC datasets, of one split. */
export class VocReader implements DatasetReader {
  readonly info: DatasetInfo;
  readonly count: number;
  readonly #folder: DatasetFolder;
  readonly #entries: readonly Entry[];

  private constructor(folder: DatasetFolder, info: DatasetInfo, entries: readonly Entry[]) {
    this.#folder = folder;
    this.info = info;
    this.#entries = entries;
    this.count = entries.length;
  }

  /**
   * Classes are those of `labelmap.txt`, else those that have lists in `ImageSets/Main` by name (which is VOC's order),
   * else those of all annotations by name, which are read for it. There are masks where every image of the split has one.
   * @throws DatasetError when there are no annotations, or a list is bad
   */
  static async open(path: string, { split: wanted }: VocOpenOptions = {}): Promise<VocReader> {
    const folder = await DatasetFolder.open(path);
    if (!(await folder.hasFolder(ANNOTATIONS))) {
      throw new DatasetError(`Expected a folder ${ANNOTATIONS} in the VOC dataset ${path} but received none`);
    }
    const lists = await listsOf(folder);
    const split = chooseSplit(lists, wanted, folder);
    const entries = split === undefined ? await allEntries(folder) : await entriesOf(folder, `${MAIN}/${split}.txt`);
    if (entries.length === 0) throw new DatasetError(`Expected images in the VOC dataset ${path} but received none`);
    const classes = (await classesOf(folder, lists, split)) ?? (await classesInAnnotations(folder, entries));
    const info = {
      name: folder.name,
      classes,
      things: classes,
      split: split ?? 'train',
      codec: await codecOf(folder, entries[0].key),
      masks: await hasMasks(folder, entries),
      scenes: false,
    };
    return new VocReader(folder, info, entries);
  }

  async *samples({ signal }: { readonly signal?: AbortSignal } = {}): AsyncIterable<DatasetSample> {
    for (const [index, entry] of this.#entries.entries()) {
      signal?.throwIfAborted();
      yield await this.#sample(entry, index);
    }
  }

  async #sample(entry: Entry, index: number): Promise<DatasetSample> {
    const { key } = entry;
    const annotation = await annotationOf(this.#folder, entry);
    const file = await imageOf(this.#folder, entry, annotation);
    const { image, width, height, channels } = file;
    const objects = annotation.objects.map((object, node): SampleObject => {
      const name = this.#classOf(object.name, object.where);
      return { ...(this.info.masks ? { node } : {}), class: name, box: boxOfVoc(object, width, height) };
    });
    const labels = { key, index, width, height, channels, objects };
    if (!this.info.masks) return { labels, image };
    const instances = await this.#mask('SegmentationObject', entry, file, objects.length);
    const classes = await this.#mask('SegmentationClass', entry, file, this.info.classes.length);
    return { labels, image, instances: Uint16Array.from(instances), classes };
  }

  #classOf(written: string, where: string): string {
    for (const name of [written, written.trim()]) if (this.info.classes.includes(name)) return name;
    const classes = this.info.classes.slice(0, 20).join(', ');
    throw new DatasetError(`${where}: Expected one of ${classes} for <name> but received ${JSON.stringify(written)}`);
  }

  /** [H, W] numbers up to `most`, 0 for none and for the border. */
  async #mask(kind: string, { key, where }: Entry, { width, height }: ImageFile, most: number): Promise<Uint8Array> {
    const path = `${kind}/${key}.png`;
    const place = this.#folder.at(path);
    const numbers = Uint8Array.from(decodeMask(await this.#folder.read(path, where), width, height, place));
    for (const [i, number] of numbers.entries()) {
      if (number === VOID) numbers[i] = 0;
      else if (number > most)
        throw new DatasetError(`Expected numbers up to ${most} in ${place} but received ${number}`);
    }
    return numbers;
  }
}

async function annotationOf(folder: DatasetFolder, { key, where }: Entry): Promise<VocAnnotation> {
  const path = `${ANNOTATIONS}/${key}.xml`;
  return parseVocAnnotation(await folder.text(path, where), folder.at(path));
}

/**
 * The image that `<filename>` names, else the one with the key's name.
 * @throws DatasetError when `<filename>` leads elsewhere, there is no image, or it has another size than the annotation says
 */
async function imageOf(folder: DatasetFolder, entry: Entry, { filename, size }: VocAnnotation): Promise<ImageFile> {
  if (filename) expectWithin(filename.text, filename.where);
  const named = filename && `${IMAGES}/${filename.text}`;
  const path = named && (await folder.has(named)) ? named : await imagePath(folder, entry.key);
  if (path === undefined) {
    throw new DatasetError(
      `${entry.where}: Expected an image of "${entry.key}" in ${folder.at(IMAGES)} but received none`,
    );
  }
  const file = describeImage(await folder.read(path, filename?.where ?? entry.where), folder.at(path));
  if (size && (size.width !== file.width || size.height !== file.height)) {
    throw new DatasetError(
      `${size.where}: Expected ${file.width} × ${file.height}, the image's size, but received ${size.width} × ${size.height}`,
    );
  }
  return file;
}

async function imagePath(folder: DatasetFolder, key: string): Promise<string | undefined> {
  for (const extension of EXTENSIONS) {
    const path = `${IMAGES}/${key}.${extension}`;
    if (await folder.has(path)) return path;
  }
  return undefined;
}

async function codecOf(folder: DatasetFolder, key: string): Promise<ImageCodec> {
  const path = (await imagePath(folder, key))?.toLowerCase();
  if (path?.endsWith('.png')) return 'png';
  return path?.endsWith('.webp') ? 'webp' : 'jpeg';
}

/** Names of the lists in `ImageSets/Main`, without extension. */
async function listsOf(folder: DatasetFolder): Promise<string[]> {
  if (!(await folder.hasFolder(MAIN))) return [];
  const { files } = await folder.names(MAIN);
  return files.filter((name) => name.endsWith('.txt')).map(withoutExtension);
}

/** @returns undefined where there are no lists */
function chooseSplit(lists: readonly string[], wanted: string | undefined, folder: DatasetFolder): string | undefined {
  const splits = lists.filter((name) => !isClassList(name, lists));
  if (wanted === undefined) return SPLITS.find((name) => splits.includes(name)) ?? splits[0];
  if (splits.includes(wanted)) return wanted;
  const known = splits.join(', ') || 'none';
  throw new DatasetError(`Expected a split of ${folder.path} (${known}) but received "${wanted}"`);
}

/** `car_train` beside `train`. */
function isClassList(name: string, lists: readonly string[]): boolean {
  for (let at = name.indexOf('_'); at >= 0; at = name.indexOf('_', at + 1)) {
    if (lists.includes(name.slice(at + 1))) return true;
  }
  return false;
}

async function allEntries(folder: DatasetFolder): Promise<Entry[]> {
  const { files } = await folder.names(ANNOTATIONS);
  const where = folder.at(ANNOTATIONS);
  return files.filter((name) => name.endsWith('.xml')).map((name) => ({ key: withoutExtension(name), where }));
}

/** @throws DatasetError naming file and line for a key that leads elsewhere, or comes twice */
async function entriesOf(folder: DatasetFolder, list: string): Promise<Entry[]> {
  const entries: Entry[] = [];
  const seen = new Set<string>();
  for await (const { number, text } of folder.lines(list)) {
    const key = text.trim();
    if (key === '') continue;
    const where = `${folder.at(list)}:${number}`;
    expectWithin(key, where);
    if (seen.size === seen.add(key).size) {
      throw new DatasetError(`${where}: Expected different images but received "${key}" twice`);
    }
    entries.push({ key, where });
  }
  return entries;
}

function expectWithin(path: string, where: string): void {
  try {
    checkRelativePath(path);
  } catch (cause) {
    throw new DatasetError(`${where}: Expected a path within the dataset but received ${JSON.stringify(path)}`, {
      cause,
    });
  }
}

/** @returns undefined where neither a label map nor lists name the classes */
async function classesOf(
  folder: DatasetFolder,
  lists: readonly string[],
  split: string | undefined,
): Promise<string[] | undefined> {
  if (await folder.has(LABEL_MAP)) return readLabelMap(await folder.text(LABEL_MAP), folder.at(LABEL_MAP));
  if (split === undefined) return undefined;
  const suffix = `_${split}`;
  const names = lists.filter((name) => name.endsWith(suffix)).map((name) => name.slice(0, -suffix.length));
  return names.length > 0 ? names.sort() : undefined;
}

async function classesInAnnotations(folder: DatasetFolder, entries: readonly Entry[]): Promise<string[]> {
  const names = new Set<string>();
  for (const entry of entries) {
    for (const { name } of (await annotationOf(folder, entry)).objects) names.add(name.trim());
  }
  return [...names].sort();
}

/** Whether every image has both masks. */
async function hasMasks(folder: DatasetFolder, entries: readonly Entry[]): Promise<boolean> {
  for (const kind of ['SegmentationObject', 'SegmentationClass']) {
    if (!(await folder.hasFolder(kind))) return false;
    const names = new Set((await folder.names(kind)).files);
    if (!entries.every(({ key }) => names.has(`${key}.png`))) return false;
  }
  return true;
}
