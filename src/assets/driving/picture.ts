import type { Colour, FillOptions, Paint } from '../aerial/painter.js';
import type { Shape } from '../aerial/shapes.js';

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
    for (let row = 0; row < height; row++) {
      for (let column = 0; column < width; column++) {
        const colour = typeof paint === 'function' ? paint(column + 0.5 - width / 2, row + 0.5 - height / 2) : paint;
        this.#values.set(colour, (row * width + column) * 3);
      }
    }
  }

  /** Paints what a shape covers over what is there. */
  fill(shape: Shape, paint: Paint, { alpha = 1, softness = 0 }: FillOptions = {}): this {
    const { width, height } = this;
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
        this.#blend(
          (row * width + column) * 3,
          typeof paint === 'function' ? paint(x, y) : paint,
          alpha * Math.min(1, covered),
        );
      }
    }
    return this;
  }

  /** Copies the picture into RGBA bytes `stride` pixels wide, its first pixel at (x, y). */
  copyTo(pixels: Uint8Array, stride: number, x: number, y: number): void {
    for (let row = 0; row < this.height; row++) {
      for (let column = 0; column < this.width; column++) {
        const from = (row * this.width + column) * 3;
        const to = ((y + row) * stride + x + column) * 4;
        for (let c = 0; c < 3; c++) pixels[to + c] = Math.min(255, Math.max(0, Math.round(this.#values[from + c])));
        pixels[to + 3] = 255;
      }
    }
  }

  #blend(at: number, [red, green, blue]: Colour, alpha: number): void {
    const values = this.#values;
    values[at] += (red - values[at]) * alpha;
    values[at + 1] += (green - values[at + 1]) * alpha;
    values[at + 2] += (blue - values[at + 2]) * alpha;
  }
}
