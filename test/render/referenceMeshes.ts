/**
 * A slow rasteriser in f64, written from the view record's description alone: every sample tests every triangle by edge
 * functions, takes the nearest (ground by node order), and is shaded by barycentric weights in the camera's frame.
 */
import type { StagedInstance, StagedMesh, StagedView } from '../../bench/meshStage.js';

export interface Reference {
  /** [H, W, samples, 3] */
  readonly color: Float64Array;
  /** [H, W, samples]: instance + 1, 0 the sky. */
  readonly holder: Int32Array;
  /** [H, W, samples] m, 0 the sky. */
  readonly depth: Float64Array;
  /** [H, W, samples]: px from the nearest edge of any triangle that is before or just behind what is seen. */
  readonly margin: Float64Array;
}

const ONE = [[0.5, 0.5]];
const FOUR = [
  [0.375, 0.125],
  [0.875, 0.375],
  [0.125, 0.625],
  [0.625, 0.875],
];

interface Corner {
  readonly place: number[];
  readonly color: number[];
}

/** Draws solid meshes without textures that lie wholly before the near plane; no shadows. */
export function referenceMeshes(
  view: StagedView,
  meshes: readonly StagedMesh[],
  instances: readonly StagedInstance[],
): Reference {
  const { width, height } = view;
  const places = view.samples === 4 ? FOUR : ONE;
  const count = width * height * places.length;
  const color = new Float64Array(3 * count);
  const holder = new Int32Array(count);
  const inverse = new Float64Array(count);
  const margin = new Float64Array(count).fill(1e9);
  for (let s = 0; s < count; s++) for (let c = 0; c < 3; c++) color[3 * s + c] = (view.horizon ?? [0, 0, 0])[c];
  for (const [number, instance] of instances.entries()) {
    for (const corners of trianglesOf(view, meshes[instance.mesh], instance)) {
      const points = corners.map(({ place: [x, y, z] }) => [
        (view.fx * x) / z + view.cx,
        (view.fy * y) / z + view.cy,
        1 / z,
      ]);
      const area = cross(points[0], points[1], points[2]);
      if (area >= 0) continue;
      const xs = points.map(([x]) => x);
      const ys = points.map(([, y]) => y);
      for (let y = Math.max(0, Math.floor(Math.min(...ys)) - 1); y <= Math.min(height - 1, Math.max(...ys) + 1); y++) {
        for (let x = Math.max(0, Math.floor(Math.min(...xs)) - 1); x <= Math.min(width - 1, Math.max(...xs) + 1); x++) {
          for (const [k, [ox, oy]] of places.entries()) {
            const s = (y * width + x) * places.length + k;
            const p = [x + ox, y + oy];
            const weights = [0, 1, 2].map((i) => cross(points[(i + 1) % 3], points[(i + 2) % 3], p) / area);
            const q = weights.reduce((sum, weight, i) => sum + weight * points[i][2], 0);
            const distance = Math.min(
              ...weights.map((weight, i) => {
                const [a, b] = [points[(i + 1) % 3], points[(i + 2) % 3]];
                return (weight * Math.abs(area)) / Math.hypot(b[0] - a[0], b[1] - a[1]);
              }),
            );
            if (q > inverse[s] * 0.999) margin[s] = Math.min(margin[s], Math.abs(distance));
            if (distance < 0 || !(q > inverse[s])) continue;
            inverse[s] = q;
            holder[s] = number + 1;
            const kept = Math.exp(-(view.haze ?? 0) / q);
            for (let c = 0; c < 3; c++) {
              const own = weights.reduce((sum, weight, i) => sum + weight * points[i][2] * corners[i].color[c], 0) / q;
              const haze = (view.hazeColor ?? [0, 0, 0])[c];
              color[3 * s + c] = haze + (own - haze) * kept;
            }
          }
        }
      }
    }
  }
  return { color, holder, margin, depth: inverse.map((value) => (value === 0 ? 0 : 1 / value)) };
}

/** Lit corners of every triangle in the camera's frame. */
function trianglesOf(
  view: StagedView,
  { data }: StagedMesh,
  { matrix = [], tint = [1, 1, 1] }: StagedInstance,
): Corner[][] {
  const m = matrix;
  const rows = [0, 4, 8].map((i) => m.slice(i, i + 3));
  const adjoint = [0, 1, 2].map((i) => crossProduct(rows[(i + 1) % 3], rows[(i + 2) % 3]));
  const corner = (v: number): Corner => {
    const p = [...data.positions.subarray(3 * v, 3 * v + 3)];
    const n = [...data.normals.subarray(3 * v, 3 * v + 3)];
    const turned = adjoint.map((row) => dot(row, n));
    const facing = Math.max(0, dot(turned, view.light ?? [0, -1, 0]) / Math.hypot(...turned));
    return {
      place: rows.map((row, i) => dot(row, p) + m[4 * i + 3]),
      color: [0, 1, 2].map(
        (c) =>
          data.colors[3 * v + c] * tint[c] * ((view.ambient ?? [1, 1, 1])[c] + (view.sun ?? [0, 0, 0])[c] * facing),
      ),
    };
  };
  return Array.from({ length: data.indices.length / 3 }, (_, t) =>
    [0, 1, 2].map((i) => corner(data.indices[3 * t + i])),
  );
}

function dot(a: readonly number[], b: readonly number[]): number {
  return a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
}

function crossProduct(a: readonly number[], b: readonly number[]): number[] {
  return [a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]];
}

function cross(a: readonly number[], b: readonly number[], p: readonly number[]): number {
  return (b[0] - a[0]) * (p[1] - a[1]) - (p[0] - a[0]) * (b[1] - a[1]);
}
