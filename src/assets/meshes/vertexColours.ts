import type { SourceTexture } from './sourceModel.js';
import type { Surface } from './surface.js';
import { type Texels, wrapped } from './texels.js';

/** Largest difference that is not seen, of 255. */
const TOLERANCE = 5;
/** Texels between two places at which a triangle is looked at. */
const STRIDE = 3;
/** Places along a triangle's edge, at most; larger triangles keep their texture. */
const MOST_STEPS = 12;

/**
 * A surface whose texture only runs evenly from vertex to vertex, with colours of its vertices instead: models of the low-poly
 * kind take plain colours and gradients from a palette. Vertices hold these exactly, while a reduced palette mixes neighbours.
 * @returns the surface itself where its texture shows more than that, or it has none
 */
export function withVertexColours(surface: Surface, texels: Texels): Surface {
  const { material, uvs, indices, colors } = surface;
  const { texture, ...plain } = material;
  if (!texture || !uvs) return surface;
  const sampled = new Float32Array(3 * (uvs.length / 2));
  for (let vertex = 0; vertex < uvs.length / 2; vertex++) {
    for (let c = 0; c < 3; c++)
      sampled[3 * vertex + c] = sample(texels, texture, uvs[2 * vertex], uvs[2 * vertex + 1], c);
  }
  for (let t = 0; t < indices.length; t += 3) {
    if (!isEven(texels, texture, uvs, sampled, indices.subarray(t, t + 3))) return surface;
  }
  const { uvs: _, ...rest } = surface;
  return {
    ...rest,
    material: plain,
    colors: colors.map((value, i) => (i % 4 === 3 ? value : (value * sampled[3 * Math.floor(i / 4) + (i % 4)]) / 255)),
  };
}

/** Whether a texture differs nowhere in a triangle from what lies between its vertices' colours. */
function isEven(
  texels: Texels,
  texture: SourceTexture,
  uvs: Float32Array,
  sampled: Float32Array,
  corners: Uint32Array,
): boolean {
  const [a, b, c] = corners;
  const span = (axis: number) => {
    const values = [uvs[2 * a + axis], uvs[2 * b + axis], uvs[2 * c + axis]];
    return Math.max(...values) - Math.min(...values);
  };
  const steps = Math.ceil(Math.max(span(0) * texels.width, span(1) * texels.height) / STRIDE);
  if (steps > MOST_STEPS) return false;
  for (let i = 0; i <= steps; i++) {
    for (let j = 0; i + j <= steps; j++) {
      const [wa, wb] = steps > 0 ? [i / steps, j / steps] : [1, 0];
      const wc = 1 - wa - wb;
      const u = wa * uvs[2 * a] + wb * uvs[2 * b] + wc * uvs[2 * c];
      const v = wa * uvs[2 * a + 1] + wb * uvs[2 * b + 1] + wc * uvs[2 * c + 1];
      for (let channel = 0; channel < 3; channel++) {
        const even = wa * sampled[3 * a + channel] + wb * sampled[3 * b + channel] + wc * sampled[3 * c + channel];
        if (Math.abs(sample(texels, texture, u, v, channel) - even) > TOLERANCE) return false;
      }
    }
  }
  return true;
}

/** A channel of a texture, linear between texels, 0–255. */
function sample(
  { width, height, pixels }: Texels,
  { wrap }: SourceTexture,
  u: number,
  v: number,
  channel: number,
): number {
  const [x, y] = [u * width - 0.5, v * height - 0.5];
  const [left, top] = [Math.floor(x), Math.floor(y)];
  const at = (column: number, row: number) =>
    pixels[4 * (wrapped(row, height, wrap[1]) * width + wrapped(column, width, wrap[0])) + channel];
  const across = (row: number) => (left + 1 - x) * at(left, row) + (x - left) * at(left + 1, row);
  return (top + 1 - y) * across(top) + (y - top) * across(top + 1);
}
