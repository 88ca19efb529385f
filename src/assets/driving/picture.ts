import type { Colour, FillOptions, Paint } from '../aerial/painter.js';
import type { Shape } from '../aerial/shapes.js';
import { byte } from './surfaces.js';

/** A paint of one colour a row: worked out once for each. */
export function rowPaint(colourAt: (y: number) => Colour): Paint {
  let row = Number.NaN;
  let colour: Colour = [0, 0, 0];
  return (_, y) => {
    if (y !== row) colour = colourAt(y);
    row = y;
    return colour;
  };
}

/**
 * The same shape for one picture, whose distances at the middles of pixels are worked out once: for shapes of many edges that are filled again and
 * again, grown or cut.
 */
export function remembered(
  shape: Shape,
  { width, height }: { readonly width: number; readonly height: number },
): Shape {
  const distances = new Float64Array(width * height).fill(Number.NaN);
  return {
    bounds: shape.bounds,
    distance: (x, y) => {
      const column = x - 0.5 + width / 2;
      const row = y - 0.5 + height / 2;
      const isCentre = (column | 0) === column && (row | 0) === row;
      if (!isCentre || column < 0 || column >= width || row < 0 || row >= height) return shape.distance(x, y);
      const at = row * width + column;
      if (Number.isNaN(distances[at])) distances[at] = shape.distance(x, y);
      return distances[at];
    },
  };
}

/**
 * An opaque picture onto which shapes are painted; coordinates are pixels with the origin in the middle, y down. One
 * sample a pixel: outlines are smooth because a shape's distance gives how much of a pixel it covers, which does for the
 * straight edges of facades and cars at a quarter of what supersampling costs.
 */
export class Picture {
  readonly width: number;
  readonly height: number;
  /** [height × width × 3], 0 … 255. */
  readonly #values: Float32Array;

  /** @param paint of the whole picture */
  constructor(width: number, height: number, paint: Paint) {
    this.width = width;
    this.height = height;
    this.#values = new Float32Array(width * height * 3);
    const values = this.#values;
    for (let row = 0, at = 0; row < height; row++) {
      for (let column = 0; column < width; column++, at += 3) {
        const colour = typeof paint === 'function' ? paint(column + 0.5 - width / 2, row + 0.5 - height / 2) : paint;
        values[at] = colour[0];
        values[at + 1] = colour[1];
        values[at + 2] = colour[2];
      }
    }
  }

  /** Paints what a shape covers over what is there. */
  fill(shape: Shape, paint: Paint, { alpha = 1, softness = 0 }: FillOptions = {}): this {
    const { width, height } = this;
    const values = this.#values;
    const ramp = Math.max(softness, 1);
    const [left, top, right, bottom] = shape.bounds;
    const x0 = Math.max(0, Math.floor(left - ramp + width / 2));
    const x1 = Math.min(width, Math.ceil(right + ramp + width / 2));
    const y0 = Math.max(0, Math.floor(top - ramp + height / 2));
    const y1 = Math.min(height, Math.ceil(bottom + ramp + height / 2));
    for (let row = y0; row < y1; row++) {
      const y = row + 0.5 - height / 2;
      for (let column = x0; column < x1; column++) {
        const x = column + 0.5 - width / 2;
        const covered = 0.5 - shape.distance(x, y) / ramp;
        if (covered <= 0) continue;
        const colour = typeof paint === 'function' ? paint(x, y) : paint;
        const share = alpha * Math.min(1, covered);
        const at = (row * width + column) * 3;
        values[at] += (colour[0] - values[at]) * share;
        values[at + 1] += (colour[1] - values[at + 1]) * share;
        values[at + 2] += (colour[2] - values[at + 2]) * share;
      }
    }
    return this;
  }

  /** Copies the picture into RGBA bytes `stride` pixels wide, its first pixel at (x, y). */
  copyTo(pixels: Uint8Array, stride: number, x: number, y: number): void {
    const values = this.#values;
    for (let row = 0, from = 0; row < this.height; row++) {
      let to = ((y + row) * stride + x) * 4;
      for (let column = 0; column < this.width; column++, from += 3, to += 4) {
        pixels[to] = byte(values[from]);
        pixels[to + 1] = byte(values[from + 1]);
        pixels[to + 2] = byte(values[from + 2]);
        pixels[to + 3] = 255;
      }
    }
  }
}
