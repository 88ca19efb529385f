import { basename, join } from 'node:path';
import { DatasetError } from '../errors.js';
import { type CanvasShape, canvasImage } from './canvasImage.js';
import { withoutExtension } from './formats/imageFile.js';
import { openFormat } from './formats/index.js';
import {
  draw,
  type FolderImages,
  type ImageFolderOptions,
  imageFiles,
  type LabelledFolderImages,
  readImage,
} from './imageFolder.js';
import { decodeMaskFile, MaskLegend, type MaskValues } from './maskValues.js';
import { nearestPixels } from './resample.js';
import type { DatasetSample } from './sample.js';

/** Images with a class for each pixel. */
export interface SegmentedFolderImages extends FolderImages {
  /** [N × H × W] position in `classes`, or what `rest` says. */
  readonly masks: Uint8Array;
  readonly classes: readonly string[];
}

export interface SegmentedOptions extends ImageFolderOptions {
  /** Classes in the order of their numbers. */
  readonly classes: readonly string[];
  /** Number of pixels that are none of them; 255 is neither learned from nor scored. */
  readonly rest: number;
}

/** Folders of a set with masks. */
const IMAGES = 'images';
const MASKS = 'masks';

/**
 * Reads `images/` and `masks/` of a folder: for each image a PNG of the same name (but for the extension) and size, whose
 * pixels say the class. Images are resized with antialiasing, masks by the nearest pixel, both from the same part of
 * their files.
 * @param values what pixels mean (`MaskLegend`)
 * @throws DatasetError when an image has no mask, their sizes differ, no pixel is of a class, or a file cannot be read
 */
export async function readMaskFolder(
  folder: string,
  shape: CanvasShape,
  options: SegmentedOptions & { readonly values?: MaskValues },
): Promise<SegmentedFolderImages> {
  const legend = new MaskLegend(options.values, options.classes, options.rest);
  const masks = new Map((await imageFiles(join(folder, MASKS))).map((path) => [stemOf(path), path]));
  const files = draw(await imageFiles(join(folder, IMAGES)), options);
  if (files.length === 0) throw new DatasetError(`Expected images in ${join(folder, IMAGES)} but received none`);
  const room = new SegmentedRoom(files.length, shape, options.classes);
  for (const path of files) {
    const maskPath = masks.get(stemOf(path));
    if (!maskPath) {
      throw new DatasetError(`Expected ${join(folder, MASKS, `${stemOf(path)}.png`)} for ${path} but received none`);
    }
    const { pixels, source, window } = await canvasImage(await readImage(path), shape, path, options.fit);
    const mask = decodeMaskFile(await readImage(maskPath), maskPath);
    if (mask.width !== source.width || mask.height !== source.height) {
      throw new DatasetError(
        `Expected ${source.width} × ${source.height} px, as its image has, for ${maskPath} but received ${mask.width} × ${mask.height}`,
      );
    }
    room.add(pixels, legend.classesAt(mask, nearestPixels(mask, shape, window), maskPath));
  }
  const result = room.images();
  if (!result.masks.some((number) => number < options.classes.length)) {
    throw new DatasetError(
      `Expected pixels of ${options.classes.join(', ')} in ${join(folder, MASKS)} but received none: the values of each class are those of target.validation.values, or 1, 2, … in the order of the labels`,
    );
  }
  return result;
}

/**
 * Reads COCO's instance (and panoptic) annotations as class masks; where objects overlap, the later one lies on top.
 * @param path a COCO folder, or one of its annotation files
 * @throws DatasetError when there is no annotation with a mask, or a class is no category
 */
export async function readSegmentedCoco(
  path: string,
  shape: CanvasShape,
  options: SegmentedOptions,
): Promise<SegmentedFolderImages> {
  const { samples, info } = await cocoSamples(path, options.classes, options);
  if (!info.masks) throw new DatasetError(`Expected segmentations in ${path} but received boxes only`);
  if (info.classes.length > 255) {
    throw new DatasetError(
      `Expected at most 255 categories for class masks in ${path} but received ${info.classes.length}`,
    );
  }
  const numberOf = Uint8Array.from({ length: 256 }, (_, value) => {
    const position = options.classes.indexOf(info.classes[value - 1]);
    return position >= 0 ? position : options.rest;
  });
  const room = new SegmentedRoom(samples.length, shape, options.classes);
  for (const sample of samples) {
    const { pixels, source, window } = await canvasImage(sample.image.bytes, shape, sample.labels.key, options.fit);
    const at = nearestPixels(source, shape, window);
    const classes = sample.classes as Uint8Array;
    room.add(
      pixels,
      Uint8Array.from(at, (i) => numberOf[classes[i]]),
    );
  }
  return room.images();
}

/**
 * Reads COCO's annotations as one class an image: that of its largest object of one of the classes. Images without such
 * an object are passed over.
 * @throws DatasetError when no image has one, or a class is no category
 */
export async function readLabelledCoco(
  path: string,
  classes: readonly string[],
  shape: CanvasShape,
  options: ImageFolderOptions = {},
): Promise<LabelledFolderImages> {
  const { samples } = await cocoSamples(path, classes, options, (sample) => largestOf(sample, classes) !== undefined);
  if (samples.length === 0) {
    throw new DatasetError(`Expected objects of the classes ${classes.join(', ')} in ${path} but received none`);
  }
  const pixels = shape.width * shape.height * shape.channels;
  const images = new Uint8Array(samples.length * pixels);
  const labels = new Int32Array(samples.length);
  for (const [i, sample] of samples.entries()) {
    images.set((await canvasImage(sample.image.bytes, shape, sample.labels.key, options.fit)).pixels, i * pixels);
    labels[i] = classes.indexOf(largestOf(sample, classes) as string);
  }
  return { ...shape, count: samples.length, images, labels, classes };
}

/** The categories of a COCO dataset. @throws DatasetError when there is none */
export async function cocoCategories(path: string): Promise<string[]> {
  const format = await openFormat('coco');
  const { info } = await format.open(path);
  return [...info.classes];
}

/** The samples that are kept, `limit` of them drawn evenly: compressed images and masks in memory. */
async function cocoSamples(
  path: string,
  classes: readonly string[],
  options: ImageFolderOptions,
  keep: (sample: DatasetSample) => boolean = () => true,
) {
  const format = await openFormat('coco');
  const reader = await format.open(path);
  const unknown = classes.filter((name) => !reader.info.classes.includes(name));
  if (unknown.length > 0) {
    throw new DatasetError(
      `Expected categories of ${path} (${reader.info.classes.join(', ')}) for the classes but received ${unknown.join(', ')}`,
    );
  }
  // Numbers first, so that only what is drawn is kept.
  const numbers: number[] = [];
  let count = 0;
  for await (const sample of reader.samples()) {
    if (keep(sample)) numbers.push(count);
    count++;
  }
  const chosen = new Set(draw(numbers, options));
  const samples: DatasetSample[] = [];
  let number = 0;
  for await (const sample of reader.samples()) if (chosen.has(number++)) samples.push(sample);
  return { samples, info: reader.info };
}

/** Class of the object with the largest mask, or box, among those of the classes. */
function largestOf({ labels }: DatasetSample, classes: readonly string[]): string | undefined {
  let [best, largest] = [undefined as string | undefined, -1];
  for (const object of labels.objects) {
    if (!classes.includes(object.class) || object.box === null) continue;
    const area = object.pixels ?? object.box[2] * object.box[3];
    if (area > largest) [best, largest] = [object.class, area];
  }
  return best;
}

/** Images and masks of a known number. */
class SegmentedRoom {
  readonly #shape: CanvasShape;
  readonly #classes: readonly string[];
  readonly #images: Uint8Array;
  readonly #masks: Uint8Array;
  #count = 0;

  constructor(count: number, shape: CanvasShape, classes: readonly string[]) {
    this.#shape = shape;
    this.#classes = classes;
    this.#images = new Uint8Array(count * shape.width * shape.height * shape.channels);
    this.#masks = new Uint8Array(count * shape.width * shape.height);
  }

  add(pixels: Uint8Array, mask: Uint8Array): void {
    this.#images.set(pixels, this.#count * pixels.length);
    this.#masks.set(mask, this.#count * mask.length);
    this.#count++;
  }

  images(): SegmentedFolderImages {
    const { width, height, channels } = this.#shape;
    return {
      ...{ width, height, channels, count: this.#count },
      ...{ images: this.#images, masks: this.#masks, classes: this.#classes },
    };
  }
}

function stemOf(path: string): string {
  return withoutExtension(basename(path));
}
