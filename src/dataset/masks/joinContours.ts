import type { Contour, MaskWindow } from './contours.js';

/**
 * Joins the contours of a region to one closed polygon, for formats that give an object one polygon: neighbours are
 * connected by bridges that are walked there and back and so enclose nothing. Filling the polygon by the even-odd rule
 * gives the region's pixels exactly, with all its parts and all its holes.
 *
 * The bridges are a minimum spanning tree over the distances (along the axes) between corners of the contours: few and
 * short, so that renderers that draw the line of a polygon as well, as OpenCV's do, add as little as can be.
 * @param contours of one region, as `traceContours` gives them; at least one
 * @param window   that they were traced in
 * @returns [2P] x and y of the polygon's points in turn, px
 */
export function joinContours(contours: readonly Contour[], window: MaskWindow): Int32Array {
  if (contours.length === 1) return contours[0].points;
  const corners = cornersOf(contours);
  return walk(corners, spanningBridges(corners, candidates(corners, window), contours.length));
}

/** The corners of all contours behind one another. */
interface Corners {
  /** [2P] */
  readonly points: Int32Array;
  /** [P] number of the contour of each corner. */
  readonly contour: Int32Array;
  /** [L + 1] where each contour begins; the last entry is P. */
  readonly start: Int32Array;
}

/** Pairs of corners of different contours; entry i of each array is one pair. */
interface Pairs {
  readonly from: number[];
  readonly to: number[];
  readonly distance: number[];
}

function cornersOf(contours: readonly Contour[]): Corners {
  const start = new Int32Array(contours.length + 1);
  for (const [i, { points }] of contours.entries()) start[i + 1] = start[i] + points.length / 2;
  const count = start[contours.length];
  const corners = { points: new Int32Array(2 * count), contour: new Int32Array(count), start };
  for (const [i, { points }] of contours.entries()) {
    corners.points.set(points, 2 * start[i]);
    corners.contour.fill(i, start[i], start[i + 1]);
  }
  return corners;
}

/**
 * Pairs among which a minimum spanning tree is to be found. The corners' cells, the places of the grid nearer to one
 * corner than to any other, grow step by step from all corners at once; where cells of two contours meet, their corners
 * are a pair. (The shortest way between two sets of contours passes only through cells of its two ends.)
 */
function candidates({ points, contour }: Corners, window: MaskWindow): Pairs {
  const columns = window.right - window.left + 1;
  const rows = window.bottom - window.top + 1;
  const nearest = new Int32Array(columns * rows).fill(-1);
  const distance = new Int32Array(columns * rows);
  const queue = new Int32Array(columns * rows);
  let filled = 0;
  const pairs: Pairs = { from: [], to: [], distance: [] };
  // Of all pairs that join the same two contours, only the shortest can be in the tree.
  const pairOf = new Map<number, number>();
  const addPair = (from: number, to: number, length: number) => {
    if (contour[from] === contour[to]) return;
    const key = Math.min(contour[from], contour[to]) * contour.length + Math.max(contour[from], contour[to]);
    const known = pairOf.get(key);
    if (known !== undefined && pairs.distance[known] <= length) return;
    const at = known ?? pairs.from.length;
    pairOf.set(key, at);
    pairs.from[at] = from;
    pairs.to[at] = to;
    pairs.distance[at] = length;
  };
  for (let i = 0; i < contour.length; i++) {
    const at = (points[2 * i + 1] - window.top) * columns + points[2 * i] - window.left;
    if (nearest[at] >= 0) {
      addPair(nearest[at], i, 0);
      continue;
    }
    nearest[at] = i;
    queue[filled++] = at;
  }
  const reach = (at: number, next: number) => {
    if (nearest[next] < 0) {
      nearest[next] = nearest[at];
      distance[next] = distance[at] + 1;
      queue[filled++] = next;
    } else {
      addPair(nearest[at], nearest[next], distance[at] + 1 + distance[next]);
    }
  };
  for (let done = 0; done < filled; done++) {
    const at = queue[done];
    const x = at % columns;
    if (x + 1 < columns) reach(at, at + 1);
    if (x > 0) reach(at, at - 1);
    if (at + columns < nearest.length) reach(at, at + columns);
    if (at >= columns) reach(at, at - columns);
  }
  return pairs;
}

/** Kruskal's algorithm: the shortest pairs that connect all contours without a ring. */
function spanningBridges({ contour }: Corners, { from, to, distance }: Pairs, contours: number): [number, number][] {
  const order = Array.from(distance.keys()).sort((a, b) => distance[a] - distance[b] || a - b);
  const group = Int32Array.from({ length: contours }, (_, i) => i);
  const root = (i: number): number => {
    while (group[i] !== i) i = group[i] = group[group[i]];
    return i;
  };
  const bridges: [number, number][] = [];
  for (const pair of order) {
    const [a, b] = [root(contour[from[pair]]), root(contour[to[pair]])];
    if (a === b) continue;
    group[a] = b;
    bridges.push([from[pair], to[pair]]);
    if (bridges.length === contours - 1) break;
  }
  return bridges;
}

/** A contour on the way round. */
interface Round {
  readonly contour: number;
  /** Corner at which it was entered, and how many corners were passed since. */
  readonly entry: number;
  passed: number;
  /** Bridges of the corner that the walker stands at which are still to be crossed. */
  pending: number[];
}

/** Goes round the first contour, and at each bridge over it, round the contour behind it, and back. */
function walk({ points, contour, start }: Corners, bridges: readonly [number, number][]): Int32Array {
  const ends = new Map<number, number[]>();
  for (const [a, b] of bridges) {
    for (const [near, far] of [
      [a, b],
      [b, a],
    ]) {
      const others = ends.get(near);
      if (others) others.push(far);
      else ends.set(near, [far]);
    }
  }
  const line: number[] = [];
  const emit = (corner: number) => {
    const [x, y] = [points[2 * corner], points[2 * corner + 1]];
    // Contours that touch are joined where they do: no bridge, no second point.
    if (line.length > 0 && line[line.length - 2] === x && line[line.length - 1] === y) return;
    line.push(x, y);
  };
  const entered = new Uint8Array(start.length - 1);
  const enter = (corner: number): Round => {
    entered[contour[corner]] = 1;
    emit(corner);
    return { contour: contour[corner], entry: corner, passed: 0, pending: [...(ends.get(corner) ?? [])] };
  };
  const corner = ({ contour: i, entry, passed }: Round) =>
    start[i] + ((entry - start[i] + passed) % (start[i + 1] - start[i]));
  // A list instead of recursion: a chain of contours may be long.
  const rounds = [enter(0)];
  while (rounds.length > 0) {
    const round = rounds[rounds.length - 1];
    const far = round.pending.pop();
    if (far !== undefined) {
      if (!entered[contour[far]]) rounds.push(enter(far));
      continue;
    }
    round.passed++;
    if (round.passed < start[round.contour + 1] - start[round.contour]) {
      emit(corner(round));
      round.pending = [...(ends.get(corner(round)) ?? [])];
      continue;
    }
    rounds.pop();
    if (rounds.length === 0) break;
    // Closes the contour, and back over the bridge.
    emit(round.entry);
    emit(corner(rounds[rounds.length - 1]));
  }
  return Int32Array.from(line);
}
