import { AssetError } from '../../errors.js';
import { checkImageSize, decodeImage, MAX_IMAGE_PIXELS } from '../decodeImage.js';
import { readImageHeader } from '../imageHeader.js';
import type { SourceImage, Wrap } from './sourceModel.js';

/** Longest side of a mesh's texture, px. */
export const MAX_TEXTURE_SIDE = 2048;

/** A decoded image whose sides are powers of two up to {@link MAX_TEXTURE_SIDE}. */
export interface Texels {
  readonly width: number;
  readonly height: number;
  /** [H × W × 4] straight RGBA bytes; where nothing shows, the mean colour of what does. */
  readonly pixels: Uint8Array;
}

/** @throws AssetError naming the image when it is missing, too large or damaged */
export async function readTexels(image: SourceImage): Promise<Texels> {
  const bytes = await image.read();
  if (bytes.length === 0) throw new AssetError(`Expected an image for ${image.name} but received no bytes`);
  checkImageSize(readImageHeader(bytes, image.name), image.name, MAX_IMAGE_PIXELS);
  const { width, height, pixels } = await decodeImage(bytes, image.name);
  fillTransparent(pixels);
  const [w, h] = [powerOfTwo(width), powerOfTwo(height)];
  if (w === width && h === height) return { width, height, pixels };
  const across = resampled({ from: width, to: w, lines: height, step: 4, stride: 4 * width }, pixels);
  return {
    width: w,
    height: h,
    pixels: resampled({ from: height, to: h, lines: w, step: 4 * w, stride: 4 }, across),
  };
}

/** The next power of two upwards, so that nothing is lost, within the cap. */
export function powerOfTwo(side: number): number {
  let power = 1;
  while (power < side && power < MAX_TEXTURE_SIDE) power *= 2;
  return power;
}

/** An image's alpha is not drawn, so what hides behind it must not show as black. */
function fillTransparent(pixels: Uint8Array): void {
  const sum = [0, 0, 0];
  let seen = 0;
  for (let i = 0; i < pixels.length; i += 4) {
    if (pixels[i + 3] === 0) continue;
    for (let c = 0; c < 3; c++) sum[c] += pixels[i + c];
    seen++;
  }
  if (seen === 0 || seen === pixels.length / 4) return;
  const mean = sum.map((value) => Math.round(value / seen));
  for (let i = 0; i < pixels.length; i += 4) if (pixels[i + 3] === 0) pixels.set(mean, i);
}

/** One direction of an image: elements `step` bytes apart, lines `stride` apart (or the other way round). */
interface Axis {
  readonly from: number;
  readonly to: number;
  readonly lines: number;
  readonly step: number;
  readonly stride: number;
}

/** Linear between texels where it grows, the mean of what falls into a texel where it shrinks. */
function resampled({ from, to, lines, step, stride }: Axis, pixels: Uint8Array): Uint8Array {
  const result = new Uint8Array((pixels.length / from) * to);
  // Lines lie behind each other when the axis runs along rows; otherwise they are its neighbours in a row.
  const targetStride = stride > step ? step * to : stride;
  const ratio = from / to;
  const reach = Math.max(1, ratio);
  for (let k = 0; k < to; k++) {
    const centre = (k + 0.5) * ratio - 0.5;
    const [first, last] = [Math.ceil(centre - reach + 1e-9), Math.floor(centre + reach - 1e-9)];
    const weights: number[] = [];
    for (let s = first; s <= last; s++) weights.push(1 - Math.abs(s - centre) / reach);
    const total = weights.reduce((sum, weight) => sum + weight, 0);
    for (let line = 0; line < lines; line++) {
      for (let c = 0; c < 4; c++) {
        let sum = 0;
        for (const [i, weight] of weights.entries()) {
          const s = Math.min(from - 1, Math.max(0, first + i));
          sum += weight * pixels[line * stride + s * step + c];
        }
        result[line * targetStride + k * step + c] = Math.round(sum / total);
      }
    }
  }
  return result;
}

/** Half the width and height, each texel the mean of four (of two, where a side is 1). */
export function halved({ width, height, pixels }: Texels): Texels {
  const [w, h] = [Math.max(1, width / 2), Math.max(1, height / 2)];
  const half = new Uint8Array(4 * w * h);
  for (let y = 0; y < h; y++) {
    for (let x = 0; x < w; x++) {
      for (let c = 0; c < 4; c++) {
        const at = (dy: number, dx: number) =>
          pixels[4 * (Math.min(height - 1, 2 * y + dy) * width + Math.min(width - 1, 2 * x + dx)) + c];
        half[4 * (y * w + x) + c] = Math.round((at(0, 0) + at(0, 1) + at(1, 0) + at(1, 1)) / 4);
      }
    }
  }
  return { width: w, height: h, pixels: half };
}

/** Which of `size` texels stands at a place along an axis, beyond the edges too. */
export function wrapped(place: number, size: number, wrap: Wrap): number {
  if (wrap === 'clamp') return Math.min(size - 1, Math.max(0, place));
  const period = wrap === 'mirror' ? 2 * size : size;
  const inside = ((place % period) + period) % period;
  return inside < size ? inside : 2 * size - 1 - inside;
}
