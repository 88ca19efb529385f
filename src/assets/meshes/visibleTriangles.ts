import type { Surface } from './surface.js';
import { type Texels, wrapped } from './texels.js';

/** Places along an edge of a triangle at which its texture's opacity is looked up. */
const STEPS = 12;

/**
 * The triangles of a cut-out or half-transparent surface of which anything shows: alpha is not drawn, so a face is drawn
 * whole or not at all.
 * @returns [NT′ × 3]
 */
export function visibleTriangles({ material, uvs, colors, indices }: Surface, texels: Texels): Uint32Array {
  const { alphaCutoff, texture } = material;
  if (alphaCutoff === 0 || !uvs || !texture) return indices;
  const { width, height, pixels } = texels;
  const opacity = (u: number, v: number) => {
    const x = wrapped(Math.floor(u * width), width, texture.wrap[0]);
    return pixels[4 * (wrapped(Math.floor(v * height), height, texture.wrap[1]) * width + x) + 3] / 255;
  };
  const isVisible = (corners: Uint32Array) => {
    for (let i = 0; i <= STEPS; i++) {
      for (let j = 0; i + j <= STEPS; j++) {
        const weights = [i / STEPS, j / STEPS, (STEPS - i - j) / STEPS];
        const mean = (values: Float32Array, length: number, c: number) =>
          weights.reduce((sum, weight, k) => sum + weight * values[length * corners[k] + c], 0);
        if (opacity(mean(uvs, 2, 0), mean(uvs, 2, 1)) * mean(colors, 4, 3) >= alphaCutoff) return true;
      }
    }
    return false;
  };
  const kept: number[] = [];
  for (let t = 0; t < indices.length; t += 3) {
    const corners = indices.subarray(t, t + 3);
    if (isVisible(corners)) kept.push(...corners);
  }
  return Uint32Array.from(kept);
}
