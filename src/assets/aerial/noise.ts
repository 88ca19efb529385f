import type { RandomStream } from '../../random.js';

/** Periodic value noise: a lattice of uniform numbers, smoothly interpolated, mean ½. */
export class Noise {
  readonly #columns: number;
  readonly #rows: number;
  readonly #cell: number;
  readonly #lattice: Float64Array;

  /** Repeats after `columns` × `rows` cells of `cell` units. */
  constructor(stream: RandomStream, cell: number, columns: number, rows = columns) {
    this.#columns = columns;
    this.#rows = rows;
    this.#cell = cell;
    this.#lattice = Float64Array.from({ length: columns * rows }, () => stream.uniform());
  }

  /** In [0, 1]. */
  at(x: number, y: number): number {
    const u = x / this.#cell;
    const v = y / this.#cell;
    const column = Math.floor(u);
    const row = Math.floor(v);
    const s = smooth(u - column);
    const t = smooth(v - row);
    const left = wrap(column, this.#columns);
    const right = wrap(column + 1, this.#columns);
    const top = wrap(row, this.#rows) * this.#columns;
    const bottom = wrap(row + 1, this.#rows) * this.#columns;
    const lattice = this.#lattice;
    const above = lattice[top + left] + s * (lattice[top + right] - lattice[top + left]);
    const below = lattice[bottom + left] + s * (lattice[bottom + right] - lattice[bottom + left]);
    return above + t * (below - above);
  }
}

/** 0 at 0, 1 at 1, level at both. */
export function smooth(t: number): number {
  return t * t * (3 - 2 * t);
}

/** Smooth step from 0 at `low` to 1 at `high`. */
export function ramp(value: number, low: number, high: number): number {
  return smooth(Math.min(1, Math.max(0, (value - low) / (high - low))));
}

function wrap(i: number, n: number): number {
  return ((i % n) + n) % n;
}
