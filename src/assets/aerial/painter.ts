import type { SpriteImage } from '../assetLibrary.js';
import type { Shape } from './shapes.js';

/** Red, green, blue, 0 … 255. */
export type Colour = readonly [number, number, number];
/** One colour, or one for every point (units, origin in the middle of the sprite). */
export type Paint = Colour | ((x: number, y: number) => Colour);

export interface FillOptions {
  /** Opacity, 0 … 1. Default 1. */
  readonly alpha?: number;
  /** Width of the outline's ramp, units; default one sample, which is anti-aliasing alone. */
  readonly softness?: number;
}

/** Samples a pixel and direction: shapes are drawn this much finer and then averaged. */
const SUPERSAMPLING = 2;

/**
 * Paints shapes given by signed distances over each other. Coordinates are units with the origin in the middle, x to the
 * right and y down; the pictures are the same on every machine, as only exactly rounded arithmetic goes into them.
 */
export class Painter {
  readonly width: number;
  readonly height: number;
  readonly #columns: number;
  readonly #rows: number;
  /** Samples a unit. */
  readonly #density: number;
  /** [rows × columns × 4] premultiplied, colours 0 … 255, alpha 0 … 1. */
  readonly #samples: Float32Array;

  /**
   * @param width size of the picture, px
   * @param height size of the picture, px
   * @param pixelsPerUnit px a unit, > 0
   */
  constructor(width: number, height: number, pixelsPerUnit: number) {
    this.width = width;
    this.height = height;
    this.#columns = width * SUPERSAMPLING;
    this.#rows = height * SUPERSAMPLING;
    this.#density = pixelsPerUnit * SUPERSAMPLING;
    this.#samples = new Float32Array(this.#columns * this.#rows * 4);
  }

  /** Paints what a shape covers over what is there. */
  fill(shape: Shape, paint: Paint, { alpha = 1, softness = 0 }: FillOptions = {}): this {
    const ramp = Math.max(softness, 1 / this.#density);
    const [left, top, right, bottom] = shape.bounds;
    const x0 = this.#clampColumn(left - ramp);
    const x1 = this.#clampColumn(right + ramp + 1 / this.#density);
    const y0 = this.#clampRow(top - ramp);
    const y1 = this.#clampRow(bottom + ramp + 1 / this.#density);
    for (let row = y0; row < y1; row++) {
      const y = (row + 0.5 - this.#rows / 2) / this.#density;
      for (let column = x0; column < x1; column++) {
        const x = (column + 0.5 - this.#columns / 2) / this.#density;
        const covered = 0.5 - shape.distance(x, y) / ramp;
        if (covered <= 0) continue;
        // Soft outlines are smooth at both ends; a sample's own ramp is too short to show it.
        const share = covered >= 1 ? 1 : softness > 0 ? covered * covered * (3 - 2 * covered) : covered;
        this.#blend(
          (row * this.#columns + column) * 4,
          typeof paint === 'function' ? paint(x, y) : paint,
          share * alpha,
        );
      }
    }
    return this;
  }

  /** Makes colours lighter or darker where there are any: `factor` for every point, 1 leaves it. */
  shade(factor: (x: number, y: number) => number): this {
    for (let row = 0; row < this.#rows; row++) {
      const y = (row + 0.5 - this.#rows / 2) / this.#density;
      for (let column = 0; column < this.#columns; column++) {
        const at = (row * this.#columns + column) * 4;
        const alpha = this.#samples[at + 3];
        if (alpha === 0) continue;
        const light = factor((column + 0.5 - this.#columns / 2) / this.#density, y);
        for (let c = 0; c < 3; c++) {
          this.#samples[at + c] = Math.min(255 * alpha, Math.max(0, this.#samples[at + c] * light));
        }
      }
    }
    return this;
  }

  /** The picture, averaged over the samples of each pixel, straight alpha. */
  image(): SpriteImage {
    const { width, height } = this;
    const pixels = new Uint8Array(width * height * 4);
    const sum = new Float64Array(4);
    for (let i = 0; i < width * height; i++) {
      const column = (i % width) * SUPERSAMPLING;
      const row = Math.floor(i / width) * SUPERSAMPLING;
      sum.fill(0);
      for (let s = 0; s < SUPERSAMPLING * SUPERSAMPLING; s++) {
        const at = ((row + Math.floor(s / SUPERSAMPLING)) * this.#columns + column + (s % SUPERSAMPLING)) * 4;
        for (let c = 0; c < 4; c++) sum[c] += this.#samples[at + c];
      }
      const alpha = sum[3];
      const opacity = Math.round((255 * alpha) / (SUPERSAMPLING * SUPERSAMPLING));
      if (opacity === 0) continue;
      for (let c = 0; c < 3; c++) pixels[i * 4 + c] = Math.round(Math.min(255, sum[c] / alpha));
      pixels[i * 4 + 3] = opacity;
    }
    return { width, height, format: 'rgba8', pixels };
  }

  #blend(at: number, [red, green, blue]: Colour, alpha: number): void {
    const samples = this.#samples;
    const below = 1 - alpha;
    samples[at] = red * alpha + samples[at] * below;
    samples[at + 1] = green * alpha + samples[at + 1] * below;
    samples[at + 2] = blue * alpha + samples[at + 2] * below;
    samples[at + 3] = alpha + samples[at + 3] * below;
  }

  #clampColumn(x: number): number {
    return Math.min(this.#columns, Math.max(0, Math.floor(x * this.#density + this.#columns / 2)));
  }

  #clampRow(y: number): number {
    return Math.min(this.#rows, Math.max(0, Math.floor(y * this.#density + this.#rows / 2)));
  }
}

/** `a` for share 0, `b` for share 1. */
export function mix(a: Colour, b: Colour, share: number): Colour {
  return [a[0] + share * (b[0] - a[0]), a[1] + share * (b[1] - a[1]), a[2] + share * (b[2] - a[2])];
}

/** A colour times a factor, within 0 … 255. */
export function lit(colour: Colour, factor: number): Colour {
  return [
    Math.min(255, Math.max(0, colour[0] * factor)),
    Math.min(255, Math.max(0, colour[1] * factor)),
    Math.min(255, Math.max(0, colour[2] * factor)),
  ];
}
