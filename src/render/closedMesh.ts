import { groupRows } from '../assets/groupRows.js';
import type { MeshData } from '../assets/meshAsset.js';

/**
 * Whether a mesh's surface has no border: every edge, between places and not between vertices, is run through as often one
 * way as the other. Then, wherever it is looked at from, triangles that face one way cover what those facing the other do.
 */
export function isClosed({ positions, indices }: Pick<MeshData, 'positions' | 'indices'>): boolean {
  // Adding 0 makes −0 and 0 the same bits.
  const { groupOf: places, count } = groupRows(
    positions.map((value) => value + 0),
    3,
  );
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
