import { cos, sin, TURN } from '../../deterministicMath.js';
import type { Look, MeshBuilder } from './meshBuilder.js';
import { across, add, between, dot, scale, subtract, unit, type Vector } from './vector.js';

/** Sides of a box that are left out, seen from its front (+z). */
export type Side = 'top' | 'bottom' | 'left' | 'right' | 'front' | 'back';

/** An axis-parallel box; each side has a look of its own if `look` is a function of it. */
export function addBox(
  builder: MeshBuilder,
  minimum: Vector,
  maximum: Vector,
  look: Look | ((side: Side) => Look),
  without: readonly Side[] = [],
): void {
  const [x0, y0, z0] = minimum;
  const [x1, y1, z1] = maximum;
  const sides: readonly (readonly [Side, Vector, readonly Vector[]])[] = [
    [
      'top',
      [0, -1, 0],
      [
        [x0, y0, z0],
        [x1, y0, z0],
        [x1, y0, z1],
        [x0, y0, z1],
      ],
    ],
    [
      'bottom',
      [0, 1, 0],
      [
        [x0, y1, z0],
        [x1, y1, z0],
        [x1, y1, z1],
        [x0, y1, z1],
      ],
    ],
    [
      'left',
      [-1, 0, 0],
      [
        [x0, y0, z0],
        [x0, y1, z0],
        [x0, y1, z1],
        [x0, y0, z1],
      ],
    ],
    [
      'right',
      [1, 0, 0],
      [
        [x1, y0, z0],
        [x1, y1, z0],
        [x1, y1, z1],
        [x1, y0, z1],
      ],
    ],
    [
      'front',
      [0, 0, 1],
      [
        [x0, y0, z1],
        [x1, y0, z1],
        [x1, y1, z1],
        [x0, y1, z1],
      ],
    ],
    [
      'back',
      [0, 0, -1],
      [
        [x0, y0, z0],
        [x1, y0, z0],
        [x1, y1, z0],
        [x0, y1, z0],
      ],
    ],
  ];
  for (const [side, outwards, points] of sides) {
    if (!without.includes(side)) builder.polygon(points, typeof look === 'function' ? look(side) : look, outwards);
  }
}

/** Directions around an axis, `count` of them; the first is between two corners of a regular polygon. */
export function circle(count: number, shift = 0.5): readonly (readonly [number, number])[] {
  return Array.from({ length: count }, (_, i) => {
    const angle = (TURN * (i + shift)) / count;
    return [cos(angle), sin(angle)] as const;
  });
}

export interface TubePoint {
  readonly at: Vector;
  /** Half widths across the tube, m: in the two directions of `frame`. */
  readonly radius: number | readonly [number, number];
  /** Look of the part that begins here. */
  readonly look?: Look;
}

/**
 * A tube with closed ends through points with radii.
 * @param frame directions across the tube; by default chosen from its first part
 */
export function addTube(
  builder: MeshBuilder,
  path: readonly TubePoint[],
  sides: number,
  look: Look,
  frame: readonly [Vector, Vector] = across(unit(subtract(path[1].at, path[0].at))),
  ends: 'closed' | 'open' = 'closed',
): void {
  const directions = circle(sides);
  const rings = path.map(({ at, radius }) => {
    const [a, b] = typeof radius === 'number' ? [radius, radius] : radius;
    const ring = directions.map(([c, s]) => add(at, add(scale(frame[0], a * c), scale(frame[1], b * s))));
    return [...ring, ring[0]];
  });
  for (let i = 0; i + 1 < path.length; i++) {
    const centre = between(path[i].at, path[i + 1].at, 0.5);
    const along = subtract(path[i + 1].at, path[i].at);
    builder.grid([rings[i], rings[i + 1]], path[i].look ?? look, (point) => {
      const out = subtract(point, centre);
      return subtract(out, scale(along, dot(out, along) / Math.max(1e-12, dot(along, along))));
    });
  }
  if (ends === 'open') return;
  const last = path.length - 1;
  builder.polygon(rings[0].slice(0, -1), path[0].look ?? look, subtract(path[0].at, path[1].at));
  builder.polygon(rings[last].slice(0, -1), path[last].look ?? look, subtract(path[last].at, path[last - 1].at));
}

/** A ball of `rings` × `sides` faces, stretched by `radii`. */
export function addBall(
  builder: MeshBuilder,
  centre: Vector,
  radii: Vector,
  sides: number,
  rings: number,
  look: Look,
): void {
  const directions = circle(sides);
  const rows = Array.from({ length: rings + 1 }, (_, ring) => {
    const angle = (TURN / 2) * (ring / rings);
    const [height, wide] = ring === 0 ? [-1, 0] : ring === rings ? [1, 0] : [-cos(angle), sin(angle)];
    const row = directions.map(
      ([c, s]): Vector => [
        centre[0] + radii[0] * wide * c,
        centre[1] + radii[1] * height,
        centre[2] + radii[2] * wide * s,
      ],
    );
    return [...row, row[0]];
  });
  builder.grid(rows, look, (point) => subtract(point, centre));
}

const GOLDEN = (1 + Math.sqrt(5)) / 2;
const ICOSAHEDRON_POINTS: readonly Vector[] = [
  [-1, GOLDEN, 0],
  [1, GOLDEN, 0],
  [-1, -GOLDEN, 0],
  [1, -GOLDEN, 0],
  [0, -1, GOLDEN],
  [0, 1, GOLDEN],
  [0, -1, -GOLDEN],
  [0, 1, -GOLDEN],
  [GOLDEN, 0, -1],
  [GOLDEN, 0, 1],
  [-GOLDEN, 0, -1],
  [-GOLDEN, 0, 1],
];
const ICOSAHEDRON_FACES: readonly (readonly [number, number, number])[] = [
  [0, 11, 5],
  [0, 5, 1],
  [0, 1, 7],
  [0, 7, 10],
  [0, 10, 11],
  [1, 5, 9],
  [5, 11, 4],
  [11, 10, 2],
  [10, 7, 6],
  [7, 1, 8],
  [3, 9, 4],
  [3, 4, 2],
  [3, 2, 6],
  [3, 6, 8],
  [3, 8, 9],
  [4, 9, 5],
  [2, 4, 11],
  [6, 2, 10],
  [8, 6, 7],
  [9, 8, 1],
];

/** Triangles of the unit sphere: an icosahedron, each face split into four `levels` times (20 · 4^levels). */
export function sphereTriangles(levels: number): readonly (readonly [Vector, Vector, Vector])[] {
  let triangles = ICOSAHEDRON_FACES.map(
    ([a, b, c]) =>
      [unit(ICOSAHEDRON_POINTS[a]), unit(ICOSAHEDRON_POINTS[b]), unit(ICOSAHEDRON_POINTS[c])] as readonly [
        Vector,
        Vector,
        Vector,
      ],
  );
  for (let level = 0; level < levels; level++) {
    triangles = triangles.flatMap(([a, b, c]) => {
      const [ab, bc, ca] = [unit(between(a, b, 0.5)), unit(between(b, c, 0.5)), unit(between(c, a, 0.5))];
      return [
        [a, ab, ca],
        [b, bc, ab],
        [c, ca, bc],
        [ab, bc, ca],
      ] as (readonly [Vector, Vector, Vector])[];
    });
  }
  return triangles;
}
