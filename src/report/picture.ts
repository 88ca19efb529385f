import { encodePng } from '../dataset/png.js';
import { GLYPH_HEIGHT, GLYPH_WIDTH, glyphRows } from './bitmapFont.js';

/** Red, green and blue, 0–255. */
export type Colour = readonly [number, number, number];

/** Images of one size in memory, as an engine renders them or a target set holds them. */
export interface ImageStack {
  readonly count: number;
  readonly width: number;
  readonly height: number;
  readonly channels: 1 | 3;
  /** [N × H × W × C] bytes 0–255, or floats in [0, 1]. */
  readonly images: Uint8Array | Float32Array;
}

/** Pixels between two characters. */
const LETTER_SPACE = 1;

/** Width of a line of text, px. */
export function textWidth(text: string, size = 1): number {
  const length = [...text].length;
  return length === 0 ? 0 : size * (length * (GLYPH_WIDTH + LETTER_SPACE) - LETTER_SPACE);
}

/** Height of a line of text, px. */
export function textHeight(size = 1): number {
  return size * GLYPH_HEIGHT;
}

/** An RGB picture to draw on. What lies outside it is cut off. */
export class Picture {
  readonly width: number;
  readonly height: number;
  /** [H × W × 3] */
  readonly pixels: Uint8Array;

  constructor(width: number, height: number, background: Colour = [255, 255, 255]) {
    this.width = width;
    this.height = height;
    this.pixels = new Uint8Array(width * height * 3);
    this.fill(0, 0, width, height, background);
  }

  /** Fills a rectangle. */
  fill(left: number, top: number, width: number, height: number, colour: Colour): void {
    const right = Math.min(this.width, left + width);
    const bottom = Math.min(this.height, top + height);
    for (let y = Math.max(0, top); y < bottom; y++) {
      for (let x = Math.max(0, left); x < right; x++) this.pixels.set(colour, (y * this.width + x) * 3);
    }
  }

  /** Lays a colour over a rectangle. @param opacity 0: nothing changes, 1: as `fill` */
  blend(left: number, top: number, width: number, height: number, colour: Colour, opacity: number): void {
    const right = Math.min(this.width, left + width);
    const bottom = Math.min(this.height, top + height);
    for (let y = Math.max(0, top); y < bottom; y++) {
      for (let x = Math.max(0, left); x < right; x++) {
        const at = (y * this.width + x) * 3;
        for (let c = 0; c < 3; c++) {
          this.pixels[at + c] = Math.round(this.pixels[at + c] * (1 - opacity) + colour[c] * opacity);
        }
      }
    }
  }

  /** Copies another picture to (left, top). */
  paste(other: Picture, left: number, top: number): void {
    const from = Math.max(0, -left);
    const to = Math.min(other.width, this.width - left);
    if (from >= to) return;
    for (let y = Math.max(0, -top); y < Math.min(other.height, this.height - top); y++) {
      const row = other.pixels.subarray((y * other.width + from) * 3, (y * other.width + to) * 3);
      this.pixels.set(row, ((top + y) * this.width + left + from) * 3);
    }
  }

  /** Draws image `index` of a stack, each of its pixels as a square of `scale` pixels. */
  image(stack: ImageStack, index: number, left: number, top: number, scale = 1): void {
    const { width, height, channels, images } = stack;
    const factor = images instanceof Float32Array ? 255 : 1;
    const offset = index * width * height * channels;
    for (let y = 0; y < height; y++) {
      for (let x = 0; x < width; x++) {
        const at = offset + (y * width + x) * channels;
        const sample = (c: number) => Math.min(255, Math.max(0, Math.round(images[at + c] * factor)));
        const red = sample(0);
        const colour: Colour = channels === 1 ? [red, red, red] : [red, sample(1), sample(2)];
        this.fill(left + x * scale, top + y * scale, scale, scale, colour);
      }
    }
  }

  /** Draws a line of text whose top left corner is (left, top). */
  text(text: string, left: number, top: number, colour: Colour = [0, 0, 0], size = 1): void {
    let x = left;
    for (const character of text) {
      for (const [row, bits] of glyphRows(character).entries()) {
        for (let column = 0; column < GLYPH_WIDTH; column++) {
          if (!((bits >> (GLYPH_WIDTH - 1 - column)) & 1)) continue;
          this.fill(x + column * size, top + row * size, size, size, colour);
        }
      }
      x += (GLYPH_WIDTH + LETTER_SPACE) * size;
    }
  }

  /** The picture as a PNG file. */
  png(): Uint8Array {
    return encodePng({ width: this.width, height: this.height, channels: 3, pixels: this.pixels });
  }
}
