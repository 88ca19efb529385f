import type { RawImage } from '../../dataset/imageCodec.js';
import { Picture } from '../picture.js';

/** The longer side of a tile reaches up to this, px. */
const TILE_SIDE = 256;
/** Images up to this side are shown as they are; larger ones shrink. */
const LARGEST_SIDE = 528;

/** Whole factors by which an image is enlarged or shrunk; one of them is 1. */
export interface TileScale {
  readonly up: number;
  readonly down: number;
}

/** The scale at which an image is shown, so that single pixels of small ones are seen and large ones find room. */
export function tileScale(width: number, height: number): TileScale {
  const side = Math.max(width, height);
  if (side > LARGEST_SIDE) return { up: 1, down: Math.ceil(side / LARGEST_SIDE) };
  return { up: Math.max(1, Math.floor(TILE_SIDE / side)), down: 1 };
}

/** Tile px of an image coordinate, px: exact when enlarged. */
export function toTile(scale: TileScale, coordinate: number): number {
  return Math.round((coordinate * scale.up) / scale.down);
}

/** Size of an image's tile, px; a shrunk one loses the rest that does not fill a pixel. */
export function tileSize(scale: TileScale, width: number, height: number): { width: number; height: number } {
  const side = (length: number) => Math.max(1, Math.floor((length * scale.up) / scale.down));
  return { width: side(width), height: side(height) };
}

/** The image as a picture: pixels become squares when enlarged, means of squares when shrunk. */
export function tilePicture(image: RawImage, scale: TileScale): Picture {
  const { width, height } = tileSize(scale, image.width, image.height);
  const picture = new Picture(width, height);
  const { up, down } = scale;
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      for (let c = 0; c < 3; c++) {
        const value =
          down > 1 ? blockMean(image, x * down, y * down, down, c) : at(image, (x / up) | 0, (y / up) | 0, c);
        picture.pixels[(y * width + x) * 3 + c] = value;
      }
    }
  }
  return picture;
}

function at({ width, channels, pixels }: RawImage, x: number, y: number, c: number): number {
  return pixels[(y * width + x) * channels + (channels === 1 ? 0 : c)];
}

function blockMean(image: RawImage, left: number, top: number, side: number, c: number): number {
  const right = Math.min(image.width, left + side);
  const bottom = Math.min(image.height, top + side);
  let sum = 0;
  for (let y = top; y < bottom; y++) for (let x = left; x < right; x++) sum += at(image, x, y, c);
  return Math.round(sum / ((right - left) * (bottom - top)));
}
