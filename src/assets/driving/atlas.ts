import type { SpriteImage } from '../assetLibrary.js';
import type { Place } from './meshBuilder.js';
import type { Picture } from './picture.js';

/** A rectangle of a texture, px. */
export interface Region {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/** A texture of several pictures; white where nothing was drawn. */
export class Atlas {
  readonly size: number;
  readonly #pixels: Uint8Array;

  /** @param size side, px, a power of two */
  constructor(size: number) {
    this.size = size;
    this.#pixels = new Uint8Array(size * size * 4).fill(255);
  }

  /** Puts a picture of the region's size into it. */
  draw({ x, y }: Region, picture: Picture): this {
    picture.copyTo(this.#pixels, this.size, x, y);
    return this;
  }

  image(): SpriteImage {
    return { width: this.size, height: this.size, format: 'rgba8', pixels: this.#pixels };
  }
}

/**
 * The place on a texture of a share of a region. Half a pixel inside, so that bilinear reading stays within.
 * @param u 0 left … 1 right; outside it is clamped
 * @param v 0 top … 1 bottom
 */
export function placeIn(region: Region, size: number, u: number, v: number): Place {
  const inside = (share: number, length: number) => 0.5 + Math.min(1, Math.max(0, share)) * (length - 1);
  return [(region.x + inside(u, region.width)) / size, (region.y + inside(v, region.height)) / size];
}
