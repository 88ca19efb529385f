import { type ImageHeader, readImageHeader } from '../../assets/imageHeader.js';
import { DatasetError } from '../../errors.js';
import { MAX_IMAGE_PIXELS } from '../imageCodec.js';
import type { EncodedImage } from '../sample.js';

/** File names that formats take for images. */
const IMAGE_NAME = /\.(png|jpe?g|webp)$/i;
/** Where a PNG has its colour type, and the types without colour. */
const PNG_COLOUR_TYPE = 25;
const PNG_GREY = [0, 4];

/** An image file with what its header says; nothing is decoded. */
export interface ImageFile {
  readonly image: EncodedImage;
  readonly width: number;
  readonly height: number;
  /** As `decodeImage` will give it: 1 for a grey PNG, else 3. */
  readonly channels: 1 | 3;
}

/** Whether a file name ends like a PNG, JPEG or WebP. */
export function isImageName(name: string): boolean {
  return IMAGE_NAME.test(name);
}

/** A path without its last extension. */
export function withoutExtension(path: string): string {
  return path.replace(/\.[^./]*$/, '');
}

/**
 * Looks at the header of an image file.
 * @param place name of the file, for errors
 * @throws DatasetError when the bytes are no PNG, JPEG or WebP, or one of more than 67 million pixels
 */
export function describeImage(bytes: Uint8Array, place: string): ImageFile {
  const { type, width, height } = headerOf(bytes, place);
  if (width * height > MAX_IMAGE_PIXELS) {
    throw new DatasetError(
      `Expected at most ${MAX_IMAGE_PIXELS} pixels for ${place} but received ${width} × ${height}`,
    );
  }
  const grey = type === 'png' && PNG_GREY.includes(bytes[PNG_COLOUR_TYPE]);
  return { image: { codec: type, bytes, place }, width, height, channels: grey ? 1 : 3 };
}

function headerOf(bytes: Uint8Array, place: string): ImageHeader {
  try {
    return readImageHeader(bytes, place);
  } catch (cause) {
    throw new DatasetError((cause as Error).message, { cause });
  }
}
