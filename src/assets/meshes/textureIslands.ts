import type { Wrap } from './sourceModel.js';

/** A rectangle of an endlessly continued texture, in texels: [left, right) × [top, bottom). */
export interface Rectangle {
  left: number;
  top: number;
  right: number;
  bottom: number;
}

/** Texture coordinates of a surface with every triangle moved next to the origin. */
export interface UnwrappedUvs {
  /** [NV′] vertex of the surface that each new vertex is made of. */
  readonly vertices: Uint32Array;
  /** [NV′ × 2] texels. */
  readonly places: Float64Array;
  /** [NT × 3] new vertices. */
  readonly indices: Uint32Array;
}

/** Corners that lie this close below a whole number of repeats belong to the next repeat, in repeats. */
const ROUNDING = 1e-4;

/**
 * Moves each triangle by whole repeats so that it begins in the first one; only its own extent matters then. A vertex whose
 * triangles move differently becomes several.
 * @param uvs [NV × 2] as in the file
 * @param size texels of the texture: width, height
 */
export function unwrapUvs(
  uvs: Float32Array,
  indices: Uint32Array,
  size: readonly [number, number],
  wrap: readonly [Wrap, Wrap],
): UnwrappedUvs {
  const known = new Map<string, number>();
  const vertices: number[] = [];
  const places: number[] = [];
  const moved = new Uint32Array(indices.length);
  for (let t = 0; t < indices.length; t += 3) {
    const shift = [0, 1].map((c) => {
      const least = Math.min(...[0, 1, 2].map((k) => uvs[2 * indices[t + k] + c]));
      const period = { repeat: 1, mirror: 2, clamp: 0 }[wrap[c]];
      return period === 0 ? 0 : period * Math.floor((least + ROUNDING) / period);
    });
    for (let k = 0; k < 3; k++) {
      const vertex = indices[t + k];
      const key = `${vertex} ${shift[0]} ${shift[1]}`;
      let copy = known.get(key);
      if (copy === undefined) {
        copy = vertices.push(vertex) - 1;
        known.set(key, copy);
        for (let c = 0; c < 2; c++) places.push((uvs[2 * vertex + c] - shift[c]) * size[c]);
      }
      moved[t + k] = copy;
    }
  }
  return { vertices: Uint32Array.from(vertices), places: Float64Array.from(places), indices: moved };
}

/** Cells along each side of the grid in which neighbouring triangles find each other. */
const CELLS = 64;

/**
 * Rectangles that do not overlap and each hold whole triangles: what a model uses of a texture. Models that take each colour
 * from a swatch of a large palette use a few texels of it.
 * @param parts of one texture
 * @returns the rectangles (with a texel around, for sampling between texels), and for each part and vertex its rectangle
 */
export function textureIslands(parts: readonly UnwrappedUvs[]): { islands: Rectangle[]; islandOf: Uint32Array[] } {
  const boxes = parts.map(triangleBoxes);
  const all = boxes.flat();
  const { left, top, right, bottom } = all.reduce(union);
  // A flat extent still has cells.
  const cell = [Math.max(1e-9, (right - left) / CELLS), Math.max(1e-9, (bottom - top) / CELLS)];
  const column = (x: number) => Math.min(CELLS - 1, Math.floor((x - left) / cell[0]));
  const row = (y: number) => Math.min(CELLS - 1, Math.floor((y - top) / cell[1]));
  const used = new Uint8Array(CELLS * CELLS);
  for (const box of all) {
    for (let y = row(box.top); y <= row(box.bottom); y++) {
      used.fill(1, y * CELLS + column(box.left), y * CELLS + column(box.right) + 1);
    }
  }
  const pieceOf = connectedCells(used);
  const pieceOfBox = (box: Rectangle) => pieceOf[row(box.top) * CELLS + column(box.left)];
  const pieces: Rectangle[] = [];
  for (const box of all) {
    const piece = pieceOfBox(box);
    pieces[piece] = pieces[piece] ? union(pieces[piece], box) : { ...box };
  }
  const texels = pieces.map((piece) => ({
    left: Math.floor(piece.left - 0.5),
    top: Math.floor(piece.top - 0.5),
    right: Math.ceil(piece.right + 0.5),
    bottom: Math.ceil(piece.bottom + 0.5),
  }));
  const { islands, islandOf } = mergeOverlapping(texels);
  return {
    islands,
    islandOf: parts.map(({ vertices, indices }, p) => {
      const ofVertex = new Uint32Array(vertices.length);
      for (const [t, box] of boxes[p].entries()) {
        const island = islandOf[pieceOfBox(box)];
        for (let k = 0; k < 3; k++) ofVertex[indices[3 * t + k]] = island;
      }
      return ofVertex;
    }),
  };
}

function triangleBoxes({ places, indices }: UnwrappedUvs): Rectangle[] {
  return Array.from({ length: indices.length / 3 }, (_, t) => {
    const corners = [0, 1, 2].map((k) => 2 * indices[3 * t + k]);
    const [xs, ys] = [corners.map((at) => places[at]), corners.map((at) => places[at + 1])];
    return { left: Math.min(...xs), top: Math.min(...ys), right: Math.max(...xs), bottom: Math.max(...ys) };
  });
}

/** [CELLS²] number of the piece that each used cell is in; cells that touch, at a corner too, are in one. */
function connectedCells(used: Uint8Array): Int32Array {
  const piece = new Int32Array(used.length).fill(-1);
  let pieces = 0;
  for (let start = 0; start < used.length; start++) {
    if (!used[start] || piece[start] >= 0) continue;
    const stack = [start];
    piece[start] = pieces;
    for (let at = stack.pop(); at !== undefined; at = stack.pop()) {
      const [x, y] = [at % CELLS, Math.floor(at / CELLS)];
      for (let ny = Math.max(0, y - 1); ny <= Math.min(CELLS - 1, y + 1); ny++) {
        for (let nx = Math.max(0, x - 1); nx <= Math.min(CELLS - 1, x + 1); nx++) {
          const next = ny * CELLS + nx;
          if (!used[next] || piece[next] >= 0) continue;
          piece[next] = pieces;
          stack.push(next);
        }
      }
    }
    pieces++;
  }
  return piece;
}

function mergeOverlapping(rectangles: readonly Rectangle[]): { islands: Rectangle[]; islandOf: number[] } {
  const islandOf = rectangles.map((_, i) => i);
  const boxes: (Rectangle | undefined)[] = rectangles.map((each) => ({ ...each }));
  for (let changed = true; changed; ) {
    changed = false;
    for (let i = 0; i < boxes.length; i++) {
      for (let j = 0; j < i; j++) {
        const [a, b] = [boxes[i], boxes[j]];
        if (!a || !b || !overlap(a, b)) continue;
        boxes[j] = union(a, b);
        boxes[i] = undefined;
        for (const [k, island] of islandOf.entries()) if (island === i) islandOf[k] = j;
        changed = true;
      }
    }
  }
  const islands: Rectangle[] = [];
  const renumbered = boxes.map((box) => (box ? islands.push(box) - 1 : -1));
  return { islands, islandOf: islandOf.map((island) => renumbered[island]) };
}

function overlap(a: Rectangle, b: Rectangle): boolean {
  return a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom;
}

function union(a: Rectangle, b: Rectangle): Rectangle {
  return {
    left: Math.min(a.left, b.left),
    top: Math.min(a.top, b.top),
    right: Math.max(a.right, b.right),
    bottom: Math.max(a.bottom, b.bottom),
  };
}
