import { DatasetError } from '../../errors.js';
import { encodePalettePng } from '../palettePng.js';
import type { DatasetSample, SampleObject } from '../sample.js';

/** In VOC's masks, pixels of no object are 0 and the border about hand-drawn objects, which counts for nothing, 255. */
export const VOID = 255;
/** Objects and classes are 1 … 254. */
export const MAX_NUMBER = 254;

/**
 * Colour of a number in VOC's masks (`VOCcolormap` of the development kit): the bits of the number, three at a time from
 * the lowest, are bits of red, green and blue from the highest.
 * @returns red, green, blue 0–255
 */
export function vocColour(number: number): [number, number, number] {
  const colour: [number, number, number] = [0, 0, 0];
  for (let bit = 7, rest = number; bit >= 0; bit--, rest >>>= 3) {
    for (let channel = 0; channel < 3; channel++) colour[channel] |= ((rest >>> channel) & 1) << bit;
  }
  return colour;
}

const PALETTE = Uint8Array.from({ length: 256 }, (_, i) => i).reduce((palette, i) => {
  palette.set(vocColour(i), 3 * i);
  return palette;
}, new Uint8Array(768));

/** The two mask files of an image. */
export interface VocMasks {
  /** `SegmentationClass`: class number + 1 at each pixel of an object. */
  readonly classes: Uint8Array;
  /** `SegmentationObject`: position of the object in the annotation file, from 1. */
  readonly objects: Uint8Array;
}

/**
 * Masks as palette PNGs in VOC's colours. Rendered objects have exact edges: there is no border of 255.
 * @param objects in the order of the annotation file, with class numbers from 0
 * @throws DatasetError when the sample has no masks, an object does not say which pixels are its, or there are more than
 *   254 objects
 */
export function vocMasks(
  { instances, labels }: DatasetSample,
  objects: readonly { readonly classNumber: number; readonly object: SampleObject }[],
): VocMasks {
  const { key, width, height } = labels;
  if (!instances) throw new DatasetError(`Expected an instance mask for ${key} but received none`);
  if (objects.length > MAX_NUMBER) {
    throw new DatasetError(
      `Expected at most ${MAX_NUMBER} objects in ${key}, what VOC's masks hold, but received ${objects.length}`,
    );
  }
  const objectOf = new Uint8Array(65536);
  const classOf = new Uint8Array(65536);
  for (const [i, { classNumber, object }] of objects.entries()) {
    if (object.node === undefined) {
      throw new DatasetError(`Expected a node for every object of ${key} but received none`);
    }
    objectOf[object.node + 1] = i + 1;
    classOf[object.node + 1] = classNumber + 1;
  }
  const encode = (numbers: Uint8Array) => {
    const pixels = new Uint8Array(instances.length);
    // `Uint8Array.from` with a function takes ten times as long.
    for (let i = 0; i < pixels.length; i++) pixels[i] = numbers[instances[i]];
    return encodePalettePng({ width, height, pixels, palette: PALETTE });
  };
  return { classes: encode(classOf), objects: encode(objectOf) };
}
