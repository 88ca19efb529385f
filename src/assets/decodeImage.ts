import { AssetError } from '../errors.js';
import type { SpriteImage } from './assetLibrary.js';
import { checkImageEnding } from './imageEnding.js';
import { type ImageHeader, readImageHeader } from './imageHeader.js';

/** Largest image that is decoded unless said otherwise, px (4096 × 4096). */
export const MAX_IMAGE_PIXELS = 2 ** 24;
const MAX_SIDE = 16384;

/** @throws AssetError when an image of this header is larger than the caps */
export function checkImageSize(header: ImageHeader, path: string, maxPixels: number): ImageHeader {
  const { width, height } = header;
  if (width > MAX_SIDE || height > MAX_SIDE || width * height > maxPixels) {
    throw new AssetError(
      `Expected at most ${MAX_SIDE} px a side and ${maxPixels} px in all for ${path} but received ${width} × ${height}`,
    );
  }
  return header;
}

/**
 * Decodes a PNG, JPEG or WebP file to straight RGBA bytes. Check its size first ({@link checkImageSize}).
 * @param path file name for errors
 * @throws AssetError when it is damaged or cut off
 */
export async function decodeImage(bytes: Uint8Array, path: string): Promise<SpriteImage> {
  const { type, width, height } = readImageHeader(bytes, path);
  checkImageEnding(type, bytes, path);
  try {
    // Loaded with the first picture: most uses of the module have none.
    const { createCanvas, loadImage } = await import('@napi-rs/canvas');
    const image = await loadImage(bytes);
    // Drawn to another size it would silently be stretched.
    if (image.width !== width || image.height !== height) {
      throw new AssetError(
        `Expected ${width} × ${height} px as in its header for ${path} but received ${image.width} × ${image.height}`,
      );
    }
    const context = createCanvas(width, height).getContext('2d');
    context.drawImage(image, 0, 0, width, height);
    const { data } = context.getImageData(0, 0, width, height);
    return { width, height, format: 'rgba8', pixels: new Uint8Array(data.buffer, data.byteOffset, data.byteLength) };
  } catch (cause) {
    if (cause instanceof AssetError) throw cause;
    throw new AssetError(`Expected a decodable image at ${path} (${String(cause)})`, { cause });
  }
}
