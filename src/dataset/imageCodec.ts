import { decode as decodePng } from 'fast-png';
import { checkImageEnding } from '../assets/imageEnding.js';
import { readImageHeader } from '../assets/imageHeader.js';
import { DatasetError } from '../errors.js';
import { encodePng } from './png.js';
import type { DatasetSample, EncodedImage, ImageCodec } from './sample.js';

/** Largest image that is decoded, px. */
export const MAX_IMAGE_PIXELS = 2 ** 26;
/** Quality of JPEG and WebP, 0–100. */
export const DEFAULT_QUALITY = 92;

/** Pixels in memory: [H, W, C] 0–255. */
export interface RawImage {
  readonly width: number;
  readonly height: number;
  readonly channels: 1 | 3;
  readonly pixels: Uint8Array;
}

/** Turns pixels into files of one codec, on the calling thread. */
export type ImageEncoder = (image: RawImage) => Uint8Array;

/**
 * An encoder for a codec. PNG is our own; JPEG and WebP are Skia's, which always stores three channels.
 * @param quality of JPEG and WebP, 0–100
 */
export async function imageEncoder(codec: ImageCodec, quality = DEFAULT_QUALITY): Promise<ImageEncoder> {
  if (codec === 'png') return encodePng;
  const { createCanvas, ImageData } = await import('@napi-rs/canvas');
  let canvas = createCanvas(1, 1);
  let rgba = new Uint8ClampedArray(4);
  return ({ width, height, channels, pixels }) => {
    if (canvas.width !== width || canvas.height !== height) {
      canvas = createCanvas(width, height);
      rgba = new Uint8ClampedArray(width * height * 4).fill(255);
    }
    for (let i = 0; i < width * height; i++) {
      const at = i * channels;
      rgba[4 * i] = pixels[at];
      rgba[4 * i + 1] = pixels[channels === 1 ? at : at + 1];
      rgba[4 * i + 2] = pixels[channels === 1 ? at : at + 2];
    }
    canvas.getContext('2d').putImageData(new ImageData(rgba, width, height), 0, 0);
    return canvas.encodeSync(codec, quality);
  };
}

/**
 * Decodes a PNG, JPEG or WebP. A grey PNG gives one channel, all else three; alpha is dropped. 16 bits are cut to 8.
 * @param key name of the sample, for errors about an image that has no place
 * @throws DatasetError when the bytes are no such image, cut off, or one of more than 67 million pixels
 */
export async function decodeImage({ codec, bytes, place }: EncodedImage, key: string): Promise<RawImage> {
  const name = place ?? key;
  const { type } = checkHeader(bytes, name);
  if (codec === 'png') return decodePngImage(bytes, name);
  try {
    checkImageEnding(type, bytes, name);
    const { createCanvas, loadImage } = await import('@napi-rs/canvas');
    const image = await loadImage(bytes);
    const { width, height } = image;
    const context = createCanvas(width, height).getContext('2d');
    context.drawImage(image, 0, 0);
    const { data } = context.getImageData(0, 0, width, height);
    const pixels = new Uint8Array(width * height * 3);
    for (let i = 0; i < width * height; i++) pixels.set(data.subarray(4 * i, 4 * i + 3), 3 * i);
    return { width, height, channels: 3, pixels };
  } catch (cause) {
    throw new DatasetError(`Expected a readable image in ${name} but received: ${(cause as Error).message}`, { cause });
  }
}

/** The pixels of a sample, decoded if it brings none. */
export async function pixelsOf(sample: DatasetSample): Promise<RawImage> {
  const { width, height, channels, key } = sample.labels;
  if (sample.pixels) return { width, height, channels, pixels: sample.pixels };
  return decodeImage(sample.image, key);
}

/**
 * Decodes a grey PNG of 8 or 16 bits as it is: a mask.
 * @throws DatasetError when it is no grey PNG, or not of this size
 */
export function decodeMask(bytes: Uint8Array, width: number, height: number, name: string): Uint8Array | Uint16Array {
  const image = decodeSizedPng(bytes, width, height, name);
  if (image.channels !== 1 || image.depth < 8) {
    throw new DatasetError(`Expected a grey PNG of 8 or 16 bits for ${name} but received ${image.channels} channels`);
  }
  return image.data as Uint8Array | Uint16Array;
}

/**
 * Decodes an RGB PNG of 8 bits as it is: normals.
 * @returns [H, W, 3]
 * @throws DatasetError when it is no such PNG, or not of this size
 */
export function decodeRgb(bytes: Uint8Array, width: number, height: number, name: string): Uint8Array {
  const image = decodeSizedPng(bytes, width, height, name);
  if (image.channels === 3 && image.depth === 8) return image.data as Uint8Array;
  throw new DatasetError(
    `Expected an RGB PNG of 8 bits for ${name} but received ${image.channels} channels of ${image.depth}`,
  );
}

function decodeSizedPng(bytes: Uint8Array, width: number, height: number, name: string) {
  const header = checkHeader(bytes, name);
  if (header.width === width && header.height === height) return decodeAnyPng(bytes, name);
  throw new DatasetError(
    `Expected ${width} × ${height} px for ${name} but received ${header.width} × ${header.height}`,
  );
}

function decodePngImage(bytes: Uint8Array, name: string): RawImage {
  const { width, height, channels, depth, palette, data } = decodeAnyPng(bytes, name);
  const pixelCount = width * height;
  if (palette) {
    const pixels = new Uint8Array(pixelCount * 3);
    for (let i = 0; i < pixelCount; i++) pixels.set(palette[data[i]]?.slice(0, 3) ?? [0, 0, 0], 3 * i);
    return { width, height, channels: 3, pixels };
  }
  const kept: 1 | 3 = channels <= 2 ? 1 : 3;
  if (kept === channels && depth === 8) return { width, height, channels: kept, pixels: data as Uint8Array };
  const pixels = new Uint8Array(pixelCount * kept);
  const shift = depth === 16 ? 8 : 0;
  for (let i = 0; i < pixelCount; i++) {
    for (let c = 0; c < kept; c++) pixels[i * kept + c] = data[i * channels + c] >>> shift;
  }
  return { width, height, channels: kept, pixels };
}

function decodeAnyPng(bytes: Uint8Array, name: string) {
  try {
    return decodePng(bytes);
  } catch (cause) {
    throw new DatasetError(`Expected a readable PNG in ${name} but received: ${(cause as Error).message}`, { cause });
  }
}

function checkHeader(bytes: Uint8Array, name: string) {
  try {
    const header = readImageHeader(bytes, name);
    if (header.width * header.height <= MAX_IMAGE_PIXELS) return header;
    throw new DatasetError(
      `Expected at most ${MAX_IMAGE_PIXELS} pixels for ${name} but received ${header.width} × ${header.height}`,
    );
  } catch (cause) {
    if (cause instanceof DatasetError) throw cause;
    throw new DatasetError(`Expected a PNG, JPEG or WebP for ${name} but received: ${(cause as Error).message}`, {
      cause,
    });
  }
}
