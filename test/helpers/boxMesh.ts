import { AssetLibrary } from '../../src/assets/assetLibrary.js';
import type { MeshAsset, MeshData } from '../../src/assets/meshAsset.js';

type Triple = readonly [number, number, number];

/** Axes of a box's six faces: normal, and two sides with side × side = normal. */
const FACES: readonly (readonly [Triple, Triple, Triple])[] = [
  [
    [1, 0, 0],
    [0, 1, 0],
    [0, 0, 1],
  ],
  [
    [-1, 0, 0],
    [0, 0, 1],
    [0, 1, 0],
  ],
  [
    [0, 1, 0],
    [0, 0, 1],
    [1, 0, 0],
  ],
  [
    [0, -1, 0],
    [1, 0, 0],
    [0, 0, 1],
  ],
  [
    [0, 0, 1],
    [1, 0, 0],
    [0, 1, 0],
  ],
  [
    [0, 0, -1],
    [0, 1, 0],
    [1, 0, 0],
  ],
];

/** A box of one colour that stands on the ground around its origin: 12 triangles, hard edges. */
export function boxAsset(name: string, size: Triple, color: Triple): MeshAsset {
  const [width, height, length] = size;
  const minimum = [-width / 2, -height, -length / 2] as const;
  const maximum = [width / 2, 0, length / 2] as const;
  const centre = [0, -height / 2, 0];
  const positions: number[] = [];
  const normals: number[] = [];
  const indices: number[] = [];
  for (const [normal, a, b] of FACES) {
    const first = positions.length / 3;
    for (const [s, t] of [
      [-1, -1],
      [1, -1],
      [1, 1],
      [-1, 1],
    ]) {
      for (let i = 0; i < 3; i++) positions.push(centre[i] + (size[i] / 2) * (normal[i] + s * a[i] + t * b[i]));
      normals.push(...normal);
    }
    indices.push(first, first + 1, first + 2, first, first + 2, first + 3);
  }
  return meshAsset(name, minimum, maximum, 'solid', { positions, normals, indices }, color);
}

/** A strip that is bent along curves: x ∈ [−½, ½], z ∈ [0, 1] in 40 pieces, facing up. */
export function stripAsset(name: string, color: Triple): MeshAsset {
  const pieces = 40;
  const positions: number[] = [];
  const indices: number[] = [];
  for (let i = 0; i <= pieces; i++) positions.push(-0.5, 0, i / pieces, 0.5, 0, i / pieces);
  for (let i = 0; i < pieces; i++) indices.push(2 * i, 2 * i + 1, 2 * i + 2, 2 * i + 1, 2 * i + 3, 2 * i + 2);
  const normals = positions.map((_, i) => (i % 3 === 1 ? -1 : 0));
  return meshAsset(name, [-0.5, 0, 0], [0.5, 0, 1], 'ground', { positions, normals, indices }, color);
}

function meshAsset(
  name: string,
  minimum: Triple,
  maximum: Triple,
  surface: 'solid' | 'ground',
  lists: { positions: number[]; normals: number[]; indices: number[] },
  color: Triple,
): MeshAsset {
  const data: MeshData = {
    positions: Float32Array.from(lists.positions),
    normals: Float32Array.from(lists.normals),
    colors: Float32Array.from({ length: lists.positions.length }, (_, i) => color[i % 3]),
    indices: Uint32Array.from(lists.indices),
  };
  return { kind: 'mesh', name, minimum, maximum, triangles: lists.indices.length / 3, surface, load: () => data };
}

/** A red cube of 2 m, a blue car of 1.8 × 1.5 × 4 m, a grey road of 1 m, a green field, in the order of their indices. */
export const boxLibrary = new AssetLibrary([
  boxAsset('cube', [2, 2, 2], [0.8, 0.2, 0.1]),
  boxAsset('car', [1.8, 1.5, 4], [0.1, 0.2, 0.9]),
  stripAsset('road', [0.4, 0.4, 0.4]),
  stripAsset('field', [0.3, 0.5, 0.2]),
]);
export const CUBE = 0;
export const CAR = 1;
export const ROAD = 2;
export const FIELD = 3;
