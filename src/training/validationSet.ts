import type { ValidationConfig } from '../config.js';
import { type CanvasShape, classFolders, readLabelledFolder } from '../dataset/imageFolder.js';
import { cocoCategories, readLabelledCoco, readMaskFolder, readSegmentedCoco } from '../dataset/segmentedImages.js';
import { ConfigError } from '../errors.js';
import type { LabelledImages, SegmentedImages } from '../learn/taskNetwork.js';

/**
 * The classes that V names itself: sub-folders with images, COCO's categories, classes with mask values.
 * @param validation its folder absolute
 * @throws ConfigError where it names none; DatasetError when it cannot be read
 */
export async function validationClasses(validation: ValidationConfig): Promise<string[]> {
  if (validation.kind === 'folders') return classFolders(validation.folder);
  if (validation.kind === 'coco') return cocoCategories(validation.folder);
  if (validation.values) return Object.keys(validation.values);
  throw new ConfigError('Expected labels, or target.validation.values, for masks but received neither');
}

/**
 * V with a class for each image.
 * @param validation its folder absolute
 * @param labels     classes in the order of their numbers
 * @throws ConfigError for masks; DatasetError when it cannot be read
 */
export async function readLabelledValidation(
  validation: ValidationConfig,
  labels: readonly string[],
  { width, height, channels }: CanvasShape,
  seed: number,
): Promise<LabelledImages> {
  const { folder, limit, fit } = validation;
  const shape = { width, height, channels };
  if (validation.kind === 'folders') return readLabelledFolder(folder, labels, shape, { limit, fit, seed });
  if (validation.kind === 'coco') return readLabelledCoco(folder, labels, shape, { limit, fit, seed });
  throw new ConfigError(
    'Expected folders or coco for target.validation.kind of a classification but received masks, which have no class for an image',
  );
}

/**
 * V with a class for each pixel.
 * @param labels classes in the order of their numbers
 * @param rest   number of pixels that are none of them; 255 to leave them out
 * @throws ConfigError for folders, or mask values of a class that is not among `labels`; DatasetError when V cannot be read
 */
export async function readSegmentedValidation(
  validation: ValidationConfig,
  labels: readonly string[],
  rest: number,
  { width, height, channels }: CanvasShape,
  seed: number,
): Promise<SegmentedImages> {
  const { folder, limit, fit } = validation;
  const shape = { width, height, channels };
  const options = { limit, fit, seed, rest, classes: labels };
  if (validation.kind === 'coco') return readSegmentedCoco(folder, shape, options);
  if (validation.kind === 'masks') {
    const { values } = validation;
    const unknown = Object.keys(values ?? {}).filter((name) => !labels.includes(name));
    if (unknown.length > 0) {
      throw new ConfigError(
        `Expected labels (${labels.join(', ')}) in target.validation.values but received ${unknown.join(', ')}`,
      );
    }
    return readMaskFolder(folder, shape, { ...options, values });
  }
  throw new ConfigError(
    'Expected coco or masks for target.validation.kind of a segmentation but received folders, which have no class for a pixel',
  );
}
