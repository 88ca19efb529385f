import type { MeshData } from '../assets/meshAsset.js';

/**
 * Whether a mesh's surface has no border: every edge, between places and not between vertices, is run through as often one
 * way as the other. Then, wherever it is looked at from, triangles that face one way cover what those facing the other do.
 */
export function isClosed({ positions, indices }: Pick<MeshData, 'positions' | 'indices'>): boolean {
  const places = placesOf(positions);
  const count = positions.length / 3;
  // An edge is lower · count + higher place, doubled, and 1 more when it is run through upwards: below 2^53.
  const edges = new Float64Array(indices.length);
  let used = 0;
  for (let i = 0; i < indices.length; i++) {
    const from = places[indices[i]];
    const to = places[indices[i % 3 === 2 ? i - 2 : i + 1]];
    if (from === to) continue;
    edges[used++] = 2 * (Math.min(from, to) * count + Math.max(from, to)) + (from < to ? 1 : 0);
  }
  const sorted = edges.subarray(0, used).sort();
  for (let i = 0; i < used; ) {
    const edge = Math.floor(sorted[i] / 2);
    let sum = 0;
    for (; i < used && Math.floor(sorted[i] / 2) === edge; i++) sum += sorted[i] % 2 === 1 ? 1 : -1;
    if (sum !== 0) return false;
  }
  return used > 0;
}

/** The first vertex that lies where each one does: an open hash table of coordinates. */
function placesOf(positions: Float32Array): Uint32Array {
  const count = positions.length / 3;
  const slots = 2 ** Math.ceil(Math.log2(2 * count + 2));
  const table = new Int32Array(slots).fill(-1);
  // Adding 0 makes −0 and 0 the same bits.
  const bits = new Uint32Array(positions.map((value) => value + 0).buffer);
  const places = new Uint32Array(count);
  for (let v = 0; v < count; v++) {
    const [x, y, z] = [bits[3 * v], bits[3 * v + 1], bits[3 * v + 2]];
    let hash = Math.imul(x, 0x9e3779b1) ^ Math.imul(y, 0x85ebca77) ^ Math.imul(z, 0xc2b2ae3d);
    hash = Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d);
    let slot = (hash ^ (hash >>> 13)) & (slots - 1);
    while (table[slot] >= 0) {
      const other = 3 * table[slot];
      if (bits[other] === x && bits[other + 1] === y && bits[other + 2] === z) break;
      slot = (slot + 1) & (slots - 1);
    }
    if (table[slot] < 0) table[slot] = v;
    places[v] = table[slot];
  }
  return places;
}
