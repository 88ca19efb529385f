import { groupRows } from '../groupRows.js';
import type { MeshData } from '../meshAsset.js';
import { add, cross, dot, length, scale, subtract, unit, type Vector } from './vector.js';

/** Red, green, blue as displayed, 0 … 1; 1 leaves the texture's colour. */
export type Tint = readonly [number, number, number];
/** Place on the texture, (0, 0) top left, (1, 1) bottom right; it repeats beyond. */
export type Place = readonly [number, number];

/** How the corners of a face look: one value for all of it, or a function of the corner. */
export interface Look {
  readonly tint?: Tint | ((point: Vector) => Tint);
  readonly place?: Place | ((point: Vector) => Place);
  /** Unit normal instead of the one of the surface: leaves that are lit as the crown they hang on. */
  readonly normal?: (point: Vector) => Vector;
}

/** Corners of an axis-parallel box, m. */
export interface Bounds {
  readonly minimum: Vector;
  readonly maximum: Vector;
}

interface Corner {
  readonly point: Vector;
  readonly tint: Tint;
  readonly place: Place;
  readonly normal?: Vector;
}

const WHITE: Tint = [1, 1, 1];
const ORIGIN: Place = [0, 0];
/** Triangles below this area, m², are left out: pairs of corners fell together. */
const SMALLEST_AREA = 1e-8;
/** Corners nearer than this, m, are one point. */
const WELD = 1e-5;

/**
 * Gathers faces and makes a mesh of them. Normals come at the end: at every corner the mean, by angle, of the faces that meet
 * there at less than the crease angle; so round parts look round and edges stay sharp.
 */
export class MeshBuilder {
  readonly #corners: Corner[] = [];
  readonly #faceNormals: Vector[] = [];

  get triangles(): number {
    return this.#faceNormals.length;
  }

  /** The box around all that was gathered, m. */
  get extent(): Bounds {
    const ends = [0, 1, 2].map((axis) => extent(this.#corners, axis));
    const corner = (end: 0 | 1): Vector => [
      Math.fround(ends[0][end]),
      Math.fround(ends[1][end]),
      Math.fround(ends[2][end]),
    ];
    return { minimum: corner(0), maximum: corner(1) };
  }

  /** A triangle whose front is where (b − a) × (c − a) points. */
  triangle(a: Vector, b: Vector, c: Vector, look: Look = {}): this {
    const normal = cross(subtract(b, a), subtract(c, a));
    const size = length(normal);
    if (!(size > 2 * SMALLEST_AREA)) return this;
    this.#faceNormals.push(scale(normal, 1 / size));
    for (const point of [a, b, c]) this.#corners.push(corner(point, look));
    return this;
  }

  /**
   * A convex polygon, as a fan.
   * @param outwards turned so that its front looks this way; without it as the corners go round
   */
  polygon(points: readonly Vector[], look: Look = {}, outwards?: Vector): this {
    const turned = outwards && dot(areaOf(points), outwards) < 0 ? [...points].reverse() : points;
    for (let i = 1; i + 1 < turned.length; i++) this.triangle(turned[0], turned[i], turned[i + 1], look);
    return this;
  }

  /**
   * A surface through rows of points, all of one length.
   * @param look of all faces, or chosen by row and column of the face and by its four corners
   * @param outwards a direction that leaves the solid at this point
   */
  grid(
    rows: readonly (readonly Vector[])[],
    look: Look | ((row: number, column: number, face: readonly Vector[]) => Look),
    outwards: (point: Vector) => Vector,
  ): this {
    for (let row = 0; row + 1 < rows.length; row++) {
      for (let column = 0; column + 1 < rows[row].length; column++) {
        const [a, b] = [rows[row][column], rows[row][column + 1]];
        const [d, c] = [rows[row + 1][column], rows[row + 1][column + 1]];
        const face = [a, b, c, d];
        const middle = scale(add(add(a, b), add(c, d)), 0.25);
        this.polygon(face, typeof look === 'function' ? look(row, column, face) : look, outwards(middle));
      }
    }
    return this;
  }

  /**
   * The mesh, without its texture.
   * @param creaseDegrees faces that meet at a smaller angle share their normals
   * @param bounds the points are stretched so that they fill this box
   * @param textured whether a texture is to come: with places on it
   */
  finish(creaseDegrees: number, bounds?: Bounds, textured = false): MeshData {
    const points = bounds ? fitted(this.#corners, bounds) : this.#corners.map(({ point }) => point);
    const factors = bounds ? stretchOf(this.#corners, bounds) : WHITE;
    const normals = cornerNormals(this.#corners, this.#faceNormals, COSINES[creaseDegrees] ?? 0);
    const table = new Float32Array(VERTEX_NUMBERS * this.#corners.length);
    for (const [i, { tint, place }] of this.#corners.entries()) {
      // A stretched surface's normals shrink where the surface grows.
      const n = unit([normals[i][0] / factors[0], normals[i][1] / factors[1], normals[i][2] / factors[2]]);
      const at = VERTEX_NUMBERS * i;
      for (let c = 0; c < 3; c++) {
        table[at + c] = oneZero(points[i][c]);
        table[at + 3 + c] = oneZero(n[c]);
        table[at + 6 + c] = oneZero(tint[c]);
      }
      table[at + 9] = oneZero(place[0]);
      table[at + 10] = oneZero(place[1]);
    }
    const { groupOf, count } = groupRows(table, VERTEX_NUMBERS);
    return {
      positions: columnsOf(table, groupOf, count, 0, 3),
      normals: columnsOf(table, groupOf, count, 3, 3),
      colors: columnsOf(table, groupOf, count, 6, 3),
      ...(textured && { uvs: columnsOf(table, groupOf, count, 9, 2) }),
      indices: groupOf,
    };
  }
}

/** Numbers of a vertex: place, normal, tint, place on the texture. */
const VERTEX_NUMBERS = 11;

/** As float32, and 0 for −0, whose bits are others. */
function oneZero(value: number): number {
  return Math.fround(value) + 0;
}

/** [count × width] columns `from` … of a table of vertices, once for each group of equal rows. */
function columnsOf(
  table: Float32Array,
  groupOf: Uint32Array,
  count: number,
  from: number,
  width: number,
): Float32Array {
  const out = new Float32Array(count * width);
  for (let row = groupOf.length - 1; row >= 0; row--) {
    for (let c = 0; c < width; c++) out[groupOf[row] * width + c] = table[VERTEX_NUMBERS * row + from + c];
  }
  return out;
}

/** Crease angles in use and their cosines, so that no `Math.cos` decides on a normal. */
const COSINES: Readonly<Record<number, number>> = {
  0: 1.1,
  30: 0.8660254037844387,
  45: Math.SQRT1_2,
  60: 0.5,
  180: -2,
};

function corner(point: Vector, { tint = WHITE, place = ORIGIN, normal }: Look): Corner {
  return {
    point,
    tint: typeof tint === 'function' ? tint(point) : tint,
    place: typeof place === 'function' ? place(point) : place,
    normal: normal?.(point),
  };
}

/** Twice the area of a polygon, as a vector along its normal. */
function areaOf(points: readonly Vector[]): Vector {
  let sum: Vector = [0, 0, 0];
  for (let i = 1; i + 1 < points.length; i++) {
    sum = add(sum, cross(subtract(points[i], points[0]), subtract(points[i + 1], points[0])));
  }
  return sum;
}

function extent(corners: readonly Corner[], axis: number): readonly [number, number] {
  let [low, high] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const { point } of corners) {
    low = Math.min(low, point[axis]);
    high = Math.max(high, point[axis]);
  }
  return [low, high];
}

/** Factors along the axes from the corners' own box to `bounds`; 1 along an axis without extent. */
function stretchOf(corners: readonly Corner[], { minimum, maximum }: Bounds): Vector {
  const factor = (axis: number) => {
    const [low, high] = extent(corners, axis);
    return high > low ? (maximum[axis] - minimum[axis]) / (high - low) : 1;
  };
  return [factor(0), factor(1), factor(2)];
}

function fitted(corners: readonly Corner[], bounds: Bounds): Vector[] {
  const factors = stretchOf(corners, bounds);
  const lows = [0, 1, 2].map((axis) => extent(corners, axis)[0]);
  const fit = (value: number, axis: number) =>
    Math.min(bounds.maximum[axis], bounds.minimum[axis] + (value - lows[axis]) * factors[axis]);
  return corners.map(({ point }) => [fit(point[0], 0), fit(point[1], 1), fit(point[2], 2)]);
}

/** Normal of each corner: that of its look, or the mean of the faces around its point, by their angle there. */
function cornerNormals(corners: readonly Corner[], faces: readonly Vector[], cosine: number): Vector[] {
  if (cosine > 1) return corners.map(({ normal }, i) => normal ?? faces[Math.floor(i / 3)]);
  const cells = new Float64Array(3 * corners.length);
  for (const [i, { point }] of corners.entries()) {
    for (let c = 0; c < 3; c++) cells[3 * i + c] = Math.round(point[c] / WELD) + 0;
  }
  const { groupOf, count } = groupRows(cells, 3);
  const { starts, members } = membersOf(groupOf, count);
  const angles = Float64Array.from(corners, (_, i) => angleWeight(corners, i));
  return corners.map((at, i) => {
    if (at.normal) return at.normal;
    const own = faces[Math.floor(i / 3)];
    let [x, y, z] = [0, 0, 0];
    for (let k = starts[groupOf[i]]; k < starts[groupOf[i] + 1]; k++) {
      const other = members[k];
      const normal = faces[Math.floor(other / 3)];
      if (dot(normal, own) < cosine) continue;
      x += normal[0] * angles[other];
      y += normal[1] * angles[other];
      z += normal[2] * angles[other];
    }
    return unit([x, y, z]);
  });
}

/** The rows of each group in their order: those of group g are members[starts[g]] … members[starts[g + 1] − 1]. */
function membersOf(groupOf: Uint32Array, count: number): { starts: Uint32Array; members: Uint32Array } {
  const starts = new Uint32Array(count + 1);
  for (const group of groupOf) starts[group + 1]++;
  for (let g = 0; g < count; g++) starts[g + 1] += starts[g];
  const next = starts.slice();
  const members = new Uint32Array(groupOf.length);
  for (const [row, group] of groupOf.entries()) members[next[group]++] = row;
  return { starts, members };
}

/** Grows with the angle of a triangle at corner `i`: 1 − cosine, which needs no arc cosine. */
function angleWeight(corners: readonly Corner[], i: number): number {
  const first = i - (i % 3);
  const at = corners[i].point;
  const a = unit(subtract(corners[first + ((i + 1) % 3)].point, at));
  const b = unit(subtract(corners[first + ((i + 2) % 3)].point, at));
  return 1 - dot(a, b) + 1e-6;
}
