/** Meshes and views for the tests of the mesh kernels, small enough to work by hand. */
import type { StagedView } from '../../bench/meshStage.js';
import type { MeshData } from '../../src/assets/meshAsset.js';

/** A rectangle in the plane z = 0 that faces the camera (towards −z), with one colour and its texture from corner to corner. */
export function quad(width: number, height: number, color = [1, 1, 1]): MeshData {
  const [x, y] = [width / 2, height / 2];
  return {
    positions: Float32Array.of(-x, -y, 0, x, -y, 0, x, y, 0, -x, y, 0),
    normals: Float32Array.of(0, 0, -1, 0, 0, -1, 0, 0, -1, 0, 0, -1),
    colors: Float32Array.from({ length: 12 }, (_, i) => color[i % 3]),
    uvs: Float32Array.of(0, 0, 1, 0, 1, 1, 0, 1),
    // Against the clock as the camera sees it.
    indices: Uint32Array.of(0, 2, 1, 0, 3, 2),
  };
}

/** A rectangle on the ground: x ∈ [left, right], z ∈ [near, far], seen from above, in `steps` pieces along z. */
export function floor(left: number, right: number, near: number, far: number, color = [1, 1, 1], steps = 1): MeshData {
  const rows = Array.from({ length: steps + 1 }, (_, i) => near + ((far - near) * i) / steps);
  return {
    positions: Float32Array.from(rows.flatMap((z) => [left, 0, z, right, 0, z])),
    normals: Float32Array.from(rows.flatMap(() => [0, -1, 0, 0, -1, 0])),
    colors: Float32Array.from(rows.flatMap(() => [...color, ...color])),
    indices: Uint32Array.from(
      rows.slice(1).flatMap((_, i) => [2 * i, 2 * i + 3, 2 * i + 2, 2 * i, 2 * i + 1, 2 * i + 3]),
    ),
  };
}

/** A closed box around the origin. */
export function box(width: number, height: number, length: number, color = [1, 1, 1]): MeshData {
  const positions: number[] = [];
  const normals: number[] = [];
  const indices: number[] = [];
  for (let axis = 0; axis < 3; axis++) {
    for (const side of [-1, 1]) {
      const n = [0, 0, 0];
      n[axis] = side;
      const [u, v] = [(axis + 1) % 3, (axis + 2) % 3];
      const first = positions.length / 3;
      for (const [a, b] of [
        [-1, -1],
        [1, -1],
        [1, 1],
        [-1, 1],
      ]) {
        const p = [0, 0, 0];
        p[axis] = side;
        p[u] = a;
        p[v] = b;
        positions.push((p[0] * width) / 2, (p[1] * height) / 2, (p[2] * length) / 2);
        normals.push(...n);
      }
      const [b, c] = side > 0 ? [1, 2] : [2, 1];
      indices.push(first, first + b, first + c, first, first + b + 1, first + c + 1);
    }
  }
  return {
    positions: Float32Array.from(positions),
    normals: Float32Array.from(normals),
    colors: Float32Array.from(positions, (_, i) => color[i % 3]),
    indices: Uint32Array.from(indices),
  };
}

/** Triangles anywhere in a ball, every vertex with its own colour and normal. */
export function soup(triangles: number, radius: number, seed: number): MeshData {
  const random = numbers(seed);
  const spread = () => 2 * random() - 1;
  const positions: number[] = [];
  for (let t = 0; t < triangles; t++) {
    const centre = [spread(), spread(), spread()];
    for (let v = 0; v < 3; v++) positions.push(...centre.map((c) => radius * (c + 0.4 * spread())));
  }
  const normals = Float32Array.from(positions, spread);
  for (let i = 0; i < normals.length; i += 3) {
    const length = Math.hypot(normals[i], normals[i + 1], normals[i + 2]);
    for (let c = 0; c < 3; c++) normals[i + c] /= length;
  }
  return {
    positions: Float32Array.from(positions),
    normals,
    colors: Float32Array.from(positions, random),
    indices: Uint32Array.from({ length: 3 * triangles }, (_, i) => i),
  };
}

/** 64 × 48 px, a focal length of 40 px, the principal point in the middle. */
export const SMALL: StagedView = { width: 64, height: 48, fx: 40, fy: 40, cx: 32, cy: 24 };

/** A 3 × 4 matrix that only moves. */
export function at(x: number, y: number, z: number): number[] {
  return [1, 0, 0, x, 0, 1, 0, y, 0, 0, 1, z];
}

/** The same numbers in [0, 1) for the same seed. */
export function numbers(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}
