/** Real MNIST digits for tests of the loss, posed by a plain bilinear sampler (independent of the engine). */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gunzipSync } from 'node:zlib';
import { tf } from '../../src/learn/tf.js';

export const DATA = process.env.METASIM_DATA ?? fileURLToPath(new URL('../../../shared/data', import.meta.url));
const SIDE = 28;

/** @returns undefined without data */
export function loadDigits(): { pixels: Buffer; labels: Buffer } | undefined {
  const images = join(DATA, 'mnist', 'train-images-idx3-ubyte.gz');
  if (!existsSync(images)) return undefined;
  const labels = gunzipSync(readFileSync(join(DATA, 'mnist', 'train-labels-idx1-ubyte.gz'))).subarray(8);
  return { pixels: gunzipSync(readFileSync(images)).subarray(16), labels };
}

export interface Pose {
  /** Degrees, counter-clockwise as seen on the screen. */
  readonly angle: number;
  /** Centre of the digit, pixels from the top left. */
  readonly x: number;
  readonly y: number;
}

/** Digits `first` … `first + count − 1` in one pose, or each in its own, [count, size, size, 1] in [0, 1]. */
export function posedDigits(
  pixels: Buffer,
  first: number,
  count: number,
  size: number,
  pose: Pose | ((index: number) => Pose),
): tf.Tensor4D {
  const out = new Float32Array(count * size * size);
  for (let n = 0; n < count; n++) {
    const { angle, x, y } = typeof pose === 'function' ? pose(n) : pose;
    const cos = Math.cos((angle * Math.PI) / 180);
    const sin = Math.sin((angle * Math.PI) / 180);
    const source = (first + n) * SIDE * SIDE;
    const texel = (u: number, v: number) =>
      u >= 0 && v >= 0 && u < SIDE && v < SIDE ? pixels[source + v * SIDE + u] : 0;
    for (let row = 0; row < size; row++) {
      for (let column = 0; column < size; column++) {
        const dx = column + 0.5 - x;
        const dy = row + 0.5 - y;
        const u = cos * dx - sin * dy + SIDE / 2 - 0.5;
        const v = sin * dx + cos * dy + SIDE / 2 - 0.5;
        const u0 = Math.floor(u);
        const v0 = Math.floor(v);
        const fu = u - u0;
        const fv = v - v0;
        const top = texel(u0, v0) * (1 - fu) + texel(u0 + 1, v0) * fu;
        const bottom = texel(u0, v0 + 1) * (1 - fu) + texel(u0 + 1, v0 + 1) * fu;
        out[(n * size + row) * size + column] = (top * (1 - fv) + bottom * fv) / 255;
      }
    }
  }
  return tf.tensor4d(out, [count, size, size, 1]);
}
