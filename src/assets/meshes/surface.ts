import type { SourceMaterial, SourceModel, SourcePart } from './sourceModel.js';

/** Triangles of one material, ready to be drawn but for their place and texture. */
export interface Surface {
  readonly material: SourceMaterial;
  /** [NV × 3] units of the file. */
  readonly positions: Float32Array;
  /** [NV × 3] unit vectors outwards. */
  readonly normals: Float32Array;
  /** [NV × 4] material's colour × vertex colour, as displayed, and opacity. */
  readonly colors: Float32Array;
  /** [NV × 2]; where the material has a texture and the file coordinates for it. */
  readonly uvs?: Float32Array;
  readonly indices: Uint32Array;
  /** [NV] 1: the vertex's triangles are seen from behind too. */
  readonly twoSided: Uint8Array;
}

/** Vertices that are at the same place, as `MeshoptSimplifier.generatePositionRemap`: [NV × 3] → [NV]. */
export type Weld = (positions: Float32Array) => Uint32Array;

/**
 * What of a model is seen: without faces that have no area or no opacity, with normals, and with a decision which faces of
 * two-sided materials need a back. Exporters call everything two-sided; the back of a closed body is never seen, so only
 * open pieces get one (a closed one that is inside out is turned instead). An open piece
 * with faces that look away from their own normals, damage that exporters leave where they apply mirrored scales, has them
 * turned and counts as two-sided.
 */
export function surfacesOf(model: SourceModel, weld: Weld): Surface[] {
  return model.parts.flatMap((part) => {
    const surface = surfaceOf(part, model.materials[part.material], weld);
    return surface.indices.length > 0 ? [surface] : [];
  });
}

function surfaceOf(part: SourcePart, material: SourceMaterial, weld: Weld): Surface {
  const count = part.positions.length / 3;
  const colors = new Float32Array(4 * count);
  for (let i = 0; i < colors.length; i++) colors[i] = (part.colors?.[i] ?? 1) * material.color[i % 4];
  const { positions } = part;
  const seen = keepTriangles(part.indices, (corners) =>
    corners.some((vertex) => colors[4 * vertex + 3] >= material.alphaCutoff),
  );
  const normals = part.normals?.slice();
  const against = normals ? trianglesAgainst(positions, normals, seen) : [];
  // Triangles without area close gaps between their neighbours' edges, so they go afterwards.
  const open = material.doubleSided || against.length > 0 ? openPieces(positions, normals, seen, weld) : undefined;
  const wrong = against.filter((t) => open?.[seen[t]]);
  for (const t of wrong) [seen[t + 1], seen[t + 2]] = [seen[t + 2], seen[t + 1]];
  const twoSided = open && (material.doubleSided || wrong.length > 0) ? open : new Uint8Array(count);
  const faces = faceNormals(positions, seen);
  const indices = keepTriangles(seen, (_, at) => faces[at] !== 0 || faces[at + 1] !== 0 || faces[at + 2] !== 0);
  const whole = { positions, colors, indices, twoSided, ...(part.uvs ? { uvs: part.uvs } : {}) };
  const { texture, ...plain } = material;
  const own = texture && !part.uvs ? plain : material;
  if (!normals) return { material: own, ...withFlatNormals(whole) };
  normalise(normals, positions, indices);
  return { material: own, ...whole, normals };
}

/** @param isKept gets the corners of a triangle, and where they begin in the list */
function keepTriangles(indices: Uint32Array, isKept: (corners: Uint32Array, at: number) => boolean): Uint32Array {
  const kept: number[] = [];
  for (let at = 0; at < indices.length; at += 3) {
    const corners = indices.subarray(at, at + 3);
    if (isKept(corners, at)) kept.push(...corners);
  }
  return Uint32Array.from(kept);
}

/** [NT × 3] unit vectors; 0 where a triangle has no area. */
function faceNormals(p: Float32Array, indices: Uint32Array): Float64Array {
  const normals = new Float64Array(indices.length);
  for (let t = 0; t < indices.length; t += 3) {
    const [a, b, c] = [3 * indices[t], 3 * indices[t + 1], 3 * indices[t + 2]];
    const [ux, uy, uz] = [p[b] - p[a], p[b + 1] - p[a + 1], p[b + 2] - p[a + 2]];
    const [vx, vy, vz] = [p[c] - p[a], p[c + 1] - p[a + 1], p[c + 2] - p[a + 2]];
    const [x, y, z] = [uy * vz - uz * vy, uz * vx - ux * vz, ux * vy - uy * vx];
    const length = Math.sqrt(x * x + y * y + z * z);
    if (length > 0) normals.set([x / length, y / length, z / length], t);
  }
  return normals;
}

/** Makes normals unit vectors; those that have no direction get that of a face at the vertex. */
function normalise(normals: Float32Array, positions: Float32Array, indices: Uint32Array): void {
  let missing = false;
  for (let i = 0; i < normals.length; i += 3) {
    const [x, y, z] = [normals[i], normals[i + 1], normals[i + 2]];
    const length = Math.sqrt(x * x + y * y + z * z);
    const usable = length > 0 && Number.isFinite(length);
    for (let c = 0; c < 3; c++) normals[i + c] = usable ? normals[i + c] / length : 0;
    missing ||= !usable;
  }
  if (!missing) return;
  const faces = faceNormals(positions, indices);
  for (let i = 0; i < indices.length; i++) {
    const at = 3 * indices[i];
    if (normals[at] !== 0 || normals[at + 1] !== 0 || normals[at + 2] !== 0) continue;
    normals.set(faces.subarray(3 * Math.floor(i / 3), 3 * Math.floor(i / 3) + 3), at);
  }
}

/** Every corner a vertex of its own, with the normal of its face: what glTF asks for where normals are missing. */
function withFlatNormals<S extends Omit<Surface, 'normals' | 'material'>>(surface: S) {
  const { positions, colors, uvs, indices, twoSided } = surface;
  const faces = faceNormals(positions, indices);
  const gather = (values: Float32Array, length: number) =>
    Float32Array.from(
      { length: length * indices.length },
      (_, i) => values[length * indices[Math.floor(i / length)] + (i % length)],
    );
  return {
    positions: gather(positions, 3),
    normals: Float32Array.from({ length: 3 * indices.length }, (_, i) => faces[3 * Math.floor(i / 9) + (i % 3)]),
    colors: gather(colors, 4),
    ...(uvs ? { uvs: gather(uvs, 2) } : {}),
    indices: Uint32Array.from(indices.keys()),
    twoSided: Uint8Array.from(indices, (vertex) => twoSided[vertex]),
  };
}

/** Cosine between a face and a normal that says the face is the wrong way round. */
const AGAINST = -0.2;

/** Where triangles begin whose face looks away from all three of their normals. */
function trianglesAgainst(positions: Float32Array, normals: Float32Array, indices: Uint32Array): number[] {
  const faces = faceNormals(positions, indices);
  const against: number[] = [];
  for (let t = 0; t < indices.length; t += 3) {
    const isAgainst = indices.subarray(t, t + 3).every((vertex) => {
      const [x, y, z] = normals.subarray(3 * vertex, 3 * vertex + 3);
      return x * faces[t] + y * faces[t + 1] + z * faces[t + 2] < AGAINST * Math.sqrt(x * x + y * y + z * z);
    });
    if (isAgainst) against.push(t);
  }
  return against;
}

/** Places that are closer than this are one, as a share of the surface's size: exporters round copies differently. */
const SAME_PLACE = 1e-4;

/**
 * [NV] a vertex at (almost) the same place, the same for all that are there: those that share a cell of one of two grids,
 * which are shifted by half a cell so that neighbours with a line of one grid between them share a cell of the other.
 */
function samePlaces(positions: Float32Array, weld: Weld): Uint32Array {
  let size = 0;
  for (let i = 3; i < positions.length; i++) size = Math.max(size, Math.abs(positions[i] - positions[i % 3]));
  if (size === 0) return new Uint32Array(positions.length / 3);
  const sets = disjointSets(positions.length / 3);
  for (const shift of [0.25, 0.75]) {
    const places = weld(positions.map((value) => Math.floor(value / (size * SAME_PLACE) + shift)));
    for (const [vertex, place] of places.entries()) sets.join(vertex, place);
  }
  return Uint32Array.from({ length: positions.length / 3 }, (_, vertex) => sets.find(vertex));
}

/** Sets of numbers below `count` that can be joined; `find` gives the member that stands for a number's set. */
function disjointSets(count: number) {
  const parent = Uint32Array.from({ length: count }, (_, i) => i);
  const find = (member: number) => {
    let at = member;
    while (parent[at] !== at) {
      parent[at] = parent[parent[at]];
      at = parent[at];
    }
    return at;
  };
  const join = (a: number, b: number) => {
    parent[find(a)] = find(b);
  };
  return { find, join };
}

/**
 * Marks the vertices of connected pieces that have an edge. A piece is closed when as many triangles run along each of its
 * edges one way as the other way. Closed pieces that are inside out (of negative volume) are turned, in place.
 */
function openPieces(p: Float32Array, normals: Float32Array | undefined, indices: Uint32Array, weld: Weld): Uint8Array {
  const count = p.length / 3;
  const place = samePlaces(p, weld);
  const { find, join } = disjointSets(count);
  const balance = new Map<number, number>();
  for (let t = 0; t < indices.length; t += 3) {
    for (let k = 0; k < 3; k++) {
      const [a, b] = [place[indices[t + k]], place[indices[t + ((k + 1) % 3)]]];
      if (a === b) continue;
      const key = Math.min(a, b) * count + Math.max(a, b);
      balance.set(key, (balance.get(key) ?? 0) + (a < b ? 1 : -1));
      join(a, b);
    }
  }
  const open = new Uint8Array(count);
  for (const [key, sum] of balance) if (sum !== 0) open[find(Math.floor(key / count))] = 1;
  const volume = new Float64Array(count);
  for (let t = 0; t < indices.length; t += 3) {
    const [a, b, c] = [3 * indices[t], 3 * indices[t + 1], 3 * indices[t + 2]];
    volume[find(place[indices[t]])] +=
      p[a] * (p[b + 1] * p[c + 2] - p[b + 2] * p[c + 1]) +
      p[a + 1] * (p[b + 2] * p[c] - p[b] * p[c + 2]) +
      p[a + 2] * (p[b] * p[c + 1] - p[b + 1] * p[c]);
  }
  const piece = place.map(find);
  const isTurned = (vertex: number) => !open[piece[vertex]] && volume[piece[vertex]] < 0;
  for (let t = 0; t < indices.length; t += 3) {
    if (isTurned(indices[t])) [indices[t + 1], indices[t + 2]] = [indices[t + 2], indices[t + 1]];
  }
  for (let i = 0; normals && i < normals.length; i++) if (isTurned(Math.floor(i / 3))) normals[i] = -normals[i];
  return Uint8Array.from(piece, (vertex) => open[vertex]);
}
