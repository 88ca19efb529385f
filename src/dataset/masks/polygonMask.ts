import type { RunVisitor } from './rle.js';

/** The grid that polygons are rasterised on has this many lines a pixel. */
const FINE = 5;
/** Between which fine columns the centre of a pixel column lies: FINE x + 2 and FINE x + 3. */
const CENTRE = 2;

/**
 * Rasterises polygons exactly as COCO's Mask API does (the function of pycocotools that masks of polygons come from is
 * their only definition), so that masks and areas read from polygons are those that everybody else reads.
 *
 * Vertices are rounded to a grid of five lines a pixel and joined by digital lines, stepping along the longer axis. Where
 * a line steps over the centre of a pixel column, the mask toggles in that column at the row of the upper end of the step,
 * rounded up to a pixel; rows beyond the canvas count as its edge. So the rule is even-odd, and a polygon that runs
 * between two centres covers nothing.
 */
export class PolygonRasteriser {
  readonly #width: number;
  readonly #height: number;
  /** [W × (H + 1)] column-major: whether the mask toggles at a row; all zero between calls. */
  readonly #toggles: Uint8Array;

  /** @param width px @param height px */
  constructor(width: number, height: number) {
    this.#width = width;
    this.#height = height;
    this.#toggles = new Uint8Array(width * (height + 1));
  }

  /**
   * Visits the pixels of one polygon, column by column.
   * @param points x and y of its vertices in turn, px; finite; the last is joined to the first
   */
  visit(points: readonly number[], visit: RunVisitor): void {
    const vertices = points.length >> 1;
    // Towards zero, like a cast in C: the definition has it so, and it matters left of and above the canvas.
    const fine = points.map((value) => Math.trunc(FINE * value + 0.5));
    let left = this.#width;
    let right = -1;
    for (let i = 0; i < vertices; i++) {
      const j = (i + 1) % vertices;
      const [x0, y0, x1, y1] = [fine[2 * i], fine[2 * i + 1], fine[2 * j], fine[2 * j + 1]];
      const first = Math.max(0, Math.ceil((Math.min(x0, x1) - CENTRE) / FINE));
      const last = Math.min(this.#width - 1, Math.floor((Math.max(x0, x1) - CENTRE - 1) / FINE));
      if (first > last) continue;
      left = Math.min(left, first);
      right = Math.max(right, last);
      for (let x = first; x <= last; x++) this.#toggle(x, crossing(x * FINE + CENTRE, x0, y0, x1, y1));
    }
    this.#sweep(left, right, visit);
  }

  /** @param row fine row of a crossing in column `x` */
  #toggle(x: number, row: number): void {
    const y = Math.ceil((row + 0.5) / FINE - 0.5);
    this.#toggles[x * (this.#height + 1) + Math.min(Math.max(y, 0), this.#height)] ^= 1;
  }

  /** Turns toggles into runs and clears them. */
  #sweep(left: number, right: number, visit: RunVisitor): void {
    const height = this.#height;
    for (let x = left; x <= right; x++) {
      const column = this.#toggles.subarray(x * (height + 1), (x + 1) * (height + 1));
      // A closed line crosses a column an even number of times: toggles come in pairs.
      for (let top = column.indexOf(1); top >= 0; top = column.indexOf(1, top)) {
        const bottom = column.indexOf(1, top + 1);
        if (bottom < 0) break;
        visit(x, top, bottom);
        column[top] = column[bottom] = 0;
      }
      column.fill(0);
    }
  }
}

/**
 * Fine row at which the digital line between two vertices steps from fine column `c` to `c` + 1, which it does once: the
 * upper of the rows before and after the step.
 */
function crossing(c: number, x0: number, y0: number, x1: number, y1: number): number {
  const dx = Math.abs(x1 - x0);
  const dy = Math.abs(y1 - y0);
  if (dx >= dy) {
    const [x, y, yEnd] = x0 > x1 ? [x1, y1, y0] : [x0, y0, y1];
    const slope = (yEnd - y) / dx;
    const row = (t: number) => Math.trunc(y + slope * t + 0.5);
    return Math.min(row(c - x), row(c + 1 - x));
  }
  // Steep: the line steps along y, and x follows rounded. The step is where x is first on the other side.
  const [x, y, xEnd] = y0 > y1 ? [x1, y1, x0] : [x0, y0, x1];
  const slope = (xEnd - x) / dy;
  const beyond = (t: number) => Math.trunc(x + slope * t + 0.5) > c === slope > 0;
  let t = Math.min(Math.max(Math.round((c + 0.5 - x) / slope), 0), dy);
  while (t > 0 && beyond(t - 1)) t--;
  while (!beyond(t)) t++;
  return y + t - 1;
}
