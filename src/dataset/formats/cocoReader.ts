import type { FileHandle } from 'node:fs/promises';
import type { DatasetReader } from '../format.js';
import { InstancePainter } from '../masks/instancePainter.js';
import type { DatasetInfo, DatasetSample, ImageCodec, SampleObject } from '../sample.js';
import { decodeLayers } from '../surfaceLayers.js';
import { type CocoFiles, CocoImages } from './cocoFolder.js';
import { type CocoElement, CocoIndex } from './cocoIndex.js';
import { type CocoClasses, readObjects } from './cocoObjects.js';
import { readPanoptic } from './cocoPanopticReader.js';
import { type CocoImage, type CocoPlace, checkImage, checkPanopticAnnotation, cocoError } from './cocoSchema.js';
import { describeImage, type ImageFile, withoutExtension } from './imageFile.js';
import { readInfo } from './infoFile.js';

/** Class masks have 8 bits, and 0 is none. */
const MAX_CLASSES = 255;

/**
 * Reads COCO, ours or anybody's. Opening reads the annotation files once from start to end and keeps where the records
 * stand (`CocoIndex`: 28 bytes an image, 16 an annotation); a sample's own are read again when it is asked for.
 *
 * Objects and their masks come from the instance annotations. Where there are panoptic annotations too, the class of
 * every pixel and the objects of stuff come from them; a dataset may also have nothing else.
 */
export class CocoReader implements DatasetReader {
  readonly info: DatasetInfo;
  readonly #files: CocoFiles;
  /** Lists the images. */
  readonly #main: CocoIndex;
  readonly #instances: CocoIndex | undefined;
  readonly #panoptic: CocoIndex | undefined;
  readonly #classes: CocoClasses | undefined;
  readonly #panopticClasses: CocoClasses | undefined;

  private constructor(files: CocoFiles, info: DatasetInfo, indices: { instances?: CocoIndex; panoptic?: CocoIndex }) {
    this.info = info;
    this.#files = files;
    this.#instances = indices.instances;
    this.#panoptic = indices.panoptic;
    this.#classes = this.#instances && classesOf(this.#instances, info);
    this.#panopticClasses = this.#panoptic && classesOf(this.#panoptic, info);
    this.#main = (indices.instances ?? indices.panoptic)!;
  }

  /** @throws DatasetError when a file is damaged */
  static async open(files: CocoFiles): Promise<CocoReader> {
    const { folder } = files;
    const read = async (path: string | undefined) =>
      path === undefined ? undefined : CocoIndex.read(await folder.file(path), folder.at(path));
    const indices = { instances: await read(files.instances), panoptic: await read(files.panoptic) };
    return new CocoReader(files, await describeDataset(files, indices), indices);
  }

  get count(): number {
    return this.#main.imageCount;
  }

  async *samples({ signal }: { readonly signal?: AbortSignal } = {}): AsyncGenerator<DatasetSample> {
    const { folder, split } = this.#files;
    const images = new CocoImages(folder, (this.#files.instances ?? this.#files.panoptic)!, split, 'images');
    const maps = this.#files.panoptic && new CocoImages(folder, this.#files.panoptic, split, 'panoptic');
    const main = await this.#main.open();
    const panoptic = await this.#panoptic?.open();
    try {
      for (let i = 0; i < this.count; i++) {
        signal?.throwIfAborted();
        const element = await this.#main.image(main, i);
        const record = checkImage(element.value, element.place);
        const file = describeImage(await images.read(record.file_name, element.place), folder.at(record.file_name));
        checkSize(record, file, element);
        const { width, height } = file;
        const painter = new InstancePainter(width, height);
        const objects = await this.#objects(main, i, painter);
        if (maps) objects.push(...(await this.#readPanoptic(panoptic!, record.id, painter, objects, maps)));
        objects.sort((a, b) => a.node! - b.node!);
        const { index = i, seed, camera } = record.metasim ?? {};
        yield {
          labels: {
            key: withoutExtension(record.file_name.replace(/^(\.\/)+/, '')).replaceAll('/', '_'),
            index,
            ...(seed === undefined ? {} : { seed }),
            width,
            height,
            channels: file.channels,
            ...(camera ? { camera } : {}),
            objects,
          },
          image: file.image,
          ...(await this.#readLayers(record, file, element.place)),
          ...(this.info.masks ? { instances: painter.instances } : {}),
          ...(this.info.masks && this.info.classes.length <= MAX_CLASSES ? { classes: painter.classes } : {}),
        };
      }
    } finally {
      await main.close();
      await panoptic?.close();
    }
  }

  async #readLayers({ metasim = {} }: CocoImage, size: ImageFile, { element, file }: CocoPlace) {
    const where = `${element} in ${file}`;
    const read = async (path: string | undefined) => path && (await this.#files.folder.read(path, where));
    const [depth, normals] = [await read(metasim.depth), await read(metasim.normals)];
    return decodeLayers({ ...(depth && { depth }), ...(normals && { normals }) }, size, where);
  }

  async #objects(file: FileHandle, i: number, painter: InstancePainter): Promise<SampleObject[]> {
    if (!this.#instances) return [];
    const elements = await this.#instances.annotationsOf(file, i);
    return readObjects(elements, this.#classes!, painter);
  }

  async #readPanoptic(
    file: FileHandle,
    imageId: number,
    painter: InstancePainter,
    objects: readonly SampleObject[],
    maps: CocoImages,
  ): Promise<SampleObject[]> {
    const index = this.#panoptic!;
    const i = index.find(imageId);
    const [element] = i < 0 ? [] : await index.annotationsOf(file, i);
    if (!element) return [];
    const annotation = checkPanopticAnnotation(element.value, element.place);
    const png = await maps.read(annotation.file_name, element.place);
    const listed = new Set(this.#instances?.categories.map(({ name }) => name));
    return readPanoptic(
      annotation,
      png,
      painter,
      objects,
      this.#panopticClasses!,
      (name) => listed.has(name),
      element.place,
    );
  }
}

/** Classes of category ids. Categories of one name are one class. */
function classesOf({ categories }: CocoIndex, { classes }: DatasetInfo): CocoClasses {
  return new Map(categories.map(({ id, name }) => [id, { name, position: classes.indexOf(name) }]));
}

/** What our `info.json` says if it fits, else what the annotation files show. */
async function describeDataset(
  { folder, split }: CocoFiles,
  { instances, panoptic }: { instances?: CocoIndex; panoptic?: CocoIndex },
): Promise<DatasetInfo> {
  const categories = [...(instances?.categories ?? []), ...(panoptic?.categories ?? [])];
  const written = (await readInfo(folder))?.info;
  const names = [...new Set(categories.map(({ name }) => name))];
  const fits = written !== undefined && names.every((name) => written.classes.includes(name));
  const listed = new Set(instances?.categories.map(({ name }) => name));
  const stuff = categories.filter(({ name, isthing }) => isthing === 0 && !listed.has(name)).map(({ name }) => name);
  const things = names.filter((name) => !stuff.includes(name));
  const masks = panoptic !== undefined || (instances?.segmented ?? false);
  return {
    ...(fits ? written : { name: folder.name, classes: names, things, codec: await codecOf((instances ?? panoptic)!) }),
    split,
    masks,
    scenes: false,
  };
}

/** Codec of the first image, by its name; they may differ. */
async function codecOf(index: CocoIndex): Promise<ImageCodec> {
  if (index.imageCount === 0) return 'png';
  const file = await index.open();
  try {
    const { value, place } = await index.image(file, 0);
    const name = checkImage(value, place).file_name.toLowerCase();
    return name.endsWith('.png') ? 'png' : name.endsWith('.webp') ? 'webp' : 'jpeg';
  } finally {
    await file.close();
  }
}

/** Masks and boxes are about an image of the size that the record names. */
function checkSize(record: CocoImage, file: { width: number; height: number }, { place }: CocoElement): void {
  for (const side of ['width', 'height'] as const) {
    if ((record[side] ?? file[side]) === file[side]) continue;
    throw cocoError(`the ${side} of ${JSON.stringify(record.file_name)}, ${file[side]} px,`, place, side, record[side]);
  }
}
