import { ShapeError } from '../errors.js';
import { REGION_COLUMNS, RegionColumn } from '../render/regions.js';
import { round } from './round.js';

/** Where the pixels of each node are in an instance buffer; all arrays have one entry a node. */
export interface VisibleRegions {
  /** Number of pixels. */
  readonly pixels: Uint32Array;
  /** Leftmost and rightmost column, top and bottom row, inclusive; meaningless where `pixels` is 0. */
  readonly left: Uint32Array;
  readonly right: Uint32Array;
  readonly top: Uint32Array;
  readonly bottom: Uint32Array;
  /** Sums of the pixels' column and row indices. */
  readonly sumX: Float64Array;
  readonly sumY: Float64Array;
}

/**
 * Extent of every node in an instance buffer, in one pass: the buffer is read as runs of equal ids within a row, eight
 * pixels at a time where there are so many alike.
 * @param instances [H × W] node + 1 where a node is seen, 0 elsewhere
 * @param nodes     number of nodes V
 * @throws ShapeError when the buffer is not H × W, or holds an id above V
 */
export function visibleRegions(instances: Uint16Array, width: number, height: number, nodes: number): VisibleRegions {
  if (instances.length !== width * height) {
    throw new ShapeError(
      `Expected ${height} × ${width} = ${width * height} entries for instances but received ${instances.length}`,
    );
  }
  const regions: VisibleRegions = {
    pixels: new Uint32Array(nodes),
    left: new Uint32Array(nodes).fill(width),
    right: new Uint32Array(nodes),
    top: new Uint32Array(nodes),
    bottom: new Uint32Array(nodes),
    sumX: new Float64Array(nodes),
    sumY: new Float64Array(nodes),
  };
  const pairs = pairsOf(instances);
  for (let y = 0; y < height; y++) {
    const row = y * width;
    const rowEnd = row + width;
    let at = row;
    while (at < rowEnd) {
      const id = instances[at];
      const start = at;
      at = runEnd(instances, pairs, at + 1, rowEnd, id);
      if (id === 0) continue;
      if (id > nodes) throw new ShapeError(`Expected ids up to ${nodes} for instances but received ${id}`);
      addRun(regions, id - 1, y, start - row, at - 1 - row);
    }
  }
  return regions;
}

/** The ids two by two, where they lie at an address that allows it. */
function pairsOf(instances: Uint16Array): Int32Array | undefined {
  if (instances.byteOffset % 4 !== 0) return undefined;
  return new Int32Array(instances.buffer, instances.byteOffset, instances.length >> 1);
}

/** The first place from `at` on, up to `end`, whose id is another. */
function runEnd(instances: Uint16Array, pairs: Int32Array | undefined, at: number, end: number, id: number): number {
  if (pairs && end - at >= 8) {
    if ((at & 1) === 1) {
      if (instances[at] !== id) return at;
      at++;
    }
    const pair = id | (id << 16);
    let k = at >> 1;
    for (const last = (end >> 1) - 4; k <= last; k += 4) {
      if (pairs[k] !== pair || pairs[k + 1] !== pair || pairs[k + 2] !== pair || pairs[k + 3] !== pair) break;
    }
    at = k << 1;
  }
  while (at < end && instances[at] === id) at++;
  return at;
}

/** Adds the pixels (first … last, y) to node v. */
function addRun(regions: VisibleRegions, v: number, y: number, first: number, last: number): void {
  const length = last - first + 1;
  // Rows come in order: the first one seen is the top, the latest one the bottom.
  if (regions.pixels[v] === 0) regions.top[v] = y;
  regions.bottom[v] = y;
  if (first < regions.left[v]) regions.left[v] = first;
  if (last > regions.right[v]) regions.right[v] = last;
  regions.pixels[v] += length;
  regions.sumX[v] += ((first + last) * length) / 2;
  regions.sumY[v] += y * length;
}

/** The same as the table that the engine gives, [V × REGION_COLUMNS]. */
export function regionTable({ pixels, left, right, top, bottom, sumX, sumY }: VisibleRegions): Float64Array {
  const table = new Float64Array(pixels.length * REGION_COLUMNS);
  for (let v = 0; v < pixels.length; v++) {
    if (pixels[v] === 0) continue;
    const row = v * REGION_COLUMNS;
    table[row + RegionColumn.Pixels] = pixels[v];
    table[row + RegionColumn.Left] = left[v];
    table[row + RegionColumn.Top] = top[v];
    table[row + RegionColumn.Right] = right[v] + 1;
    table[row + RegionColumn.Bottom] = bottom[v] + 1;
    table[row + RegionColumn.SumX] = sumX[v];
    table[row + RegionColumn.SumY] = sumY[v];
  }
  return table;
}

/** Modal box [left, top, width, height] of a node that is seen, px. */
export function boxOf({ left, top, right, bottom }: VisibleRegions, v: number): [number, number, number, number] {
  return [left[v], top[v], right[v] - left[v] + 1, bottom[v] - top[v] + 1];
}

/** Mean of the centres of the pixels of a node that is seen, px. */
export function centreOf({ pixels, sumX, sumY }: VisibleRegions, v: number): [number, number] {
  return [round(sumX[v] / pixels[v] + 0.5), round(sumY[v] / pixels[v] + 0.5)];
}
