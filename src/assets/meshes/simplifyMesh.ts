import type { MeshoptSimplifier } from 'meshoptimizer/simplifier';

/** What simplification reads; see `MeshData`. */
export interface SimplifiableMesh {
  readonly positions: Float32Array;
  readonly normals: Float32Array;
  readonly colors: Float32Array;
  readonly uvs?: Float32Array;
  readonly indices: Uint32Array;
}

/**
 * Cost of a change of each attribute, as the share of the model's size that a corner may move for it instead: normals
 * (three components), colours (three), texture coordinates (two). Texture coordinates run from 0 to 1 across a texture of
 * which a model may use a thousandth, so they weigh most.
 */
const WEIGHTS = { normals: 0.1, colors: 0.1, uvs: 2 };

/**
 * Fewer triangles between the same vertices, by collapsing edges where shape and attributes change least (meshoptimizer;
 * plain WebAssembly arithmetic, so the result is the same everywhere).
 * @param target triangles wanted; more are left where seams and borders allow no fewer
 * @returns [NT′ × 3] vertices of the mesh
 */
export function simplifyMesh(
  simplifier: typeof MeshoptSimplifier,
  mesh: SimplifiableMesh,
  target: number,
): Uint32Array {
  const { positions, normals, colors, uvs, indices } = mesh;
  if (indices.length <= 3 * target) return indices;
  const weights = [
    ...new Array<number>(3).fill(WEIGHTS.normals),
    ...new Array<number>(3).fill(WEIGHTS.colors),
    ...(uvs ? new Array<number>(2).fill(WEIGHTS.uvs) : []),
  ];
  const count = positions.length / 3;
  const attributes = new Float32Array(count * weights.length);
  for (let i = 0; i < count; i++) {
    attributes.set(normals.subarray(3 * i, 3 * i + 3), i * weights.length);
    attributes.set(colors.subarray(3 * i, 3 * i + 3), i * weights.length + 3);
    if (uvs) attributes.set(uvs.subarray(2 * i, 2 * i + 2), i * weights.length + 6);
  }
  // Permissive: hard edges and seams may collapse too, at the price of their attributes.
  const [simplified] = simplifier.simplifyWithAttributes(
    ...([indices, positions, 3, attributes, weights.length, weights, null, 3 * Math.max(1, target), 1] as const),
    ['Permissive', 'Prune'],
  );
  return simplified;
}
