import { checkImageEnding } from '../assets/imageEnding.js';
import { DatasetError } from '../errors.js';
import { describeImage } from './formats/imageFile.js';
import { fitWindow, type ImageFit, type ImageWindow, resample } from './resample.js';

/** The canvas that images are brought to. */
export interface CanvasShape {
  readonly width: number;
  readonly height: number;
  readonly channels: 1 | 3;
}

/** An image on the canvas, and which part of the file it is. */
export interface CanvasImage {
  /** [H × W × C] bytes. */
  readonly pixels: Uint8Array;
  /** Size of the upright image in the file, px, and the part of it that fills the canvas. */
  readonly source: { readonly width: number; readonly height: number };
  readonly window: ImageWindow;
}

/** Rec. 601 luma. */
const LUMA = [0.299, 0.587, 0.114] as const;

/**
 * Decodes a PNG, JPEG or WebP of any size (a JPEG's EXIF orientation is applied), composites what is transparent over
 * black, which a canvas is where nothing is drawn, and resizes it with antialiasing. Grey is Rec. 601 luma.
 * @param name for errors
 * @throws DatasetError when the bytes are no such image, cut off, or one of more than 67 million pixels
 */
export async function canvasImage(
  bytes: Uint8Array,
  shape: CanvasShape,
  name: string,
  fit: ImageFit = 'stretch',
): Promise<CanvasImage> {
  const { width, height, data } = await decodeRgba(bytes, name);
  const { channels } = shape;
  const flat = flatten(data, channels);
  const window = fitWindow({ width, height }, shape, fit);
  const resized = resample(flat, { width, height, channels }, shape, window);
  return { pixels: Uint8Array.from(resized, Math.round), source: { width, height }, window };
}

async function decodeRgba(bytes: Uint8Array, name: string) {
  const { codec } = describeImage(bytes, name).image;
  try {
    checkImageEnding(codec, bytes, name);
    const { createCanvas, loadImage } = await import('@napi-rs/canvas');
    const image = await loadImage(bytes);
    const { width, height } = image;
    const context = createCanvas(width, height).getContext('2d');
    context.drawImage(image, 0, 0);
    return { width, height, data: context.getImageData(0, 0, width, height).data };
  } catch (cause) {
    throw new DatasetError(`Expected a readable image at ${name} but received: ${(cause as Error).message}`, { cause });
  }
}

/** Straight RGBA [H × W × 4] over black: [H × W × C], 0–255, not rounded. */
function flatten(rgba: Uint8ClampedArray, channels: 1 | 3): Float32Array {
  const flat = new Float32Array((rgba.length / 4) * channels);
  for (let i = 0, to = 0; i < rgba.length; i += 4) {
    const alpha = rgba[i + 3] / 255;
    if (channels === 1) {
      flat[to++] = alpha * (LUMA[0] * rgba[i] + LUMA[1] * rgba[i + 1] + LUMA[2] * rgba[i + 2]);
    } else {
      for (let c = 0; c < 3; c++) flat[to++] = alpha * rgba[i + c];
    }
  }
  return flat;
}
