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
    const columns = this.#columns;
    const left = wrap(column, columns);
    const right = left + 1 === columns ? 0 : left + 1;
    const first = wrap(row, this.#rows);
    const top = first * columns;
    const bottom = first + 1 === this.#rows ? 0 : top + columns;
    const lattice = this.#lattice;
    const topLeft = lattice[top + left];
    const bottomLeft = lattice[bottom + left];
    const above = topLeft + s * (lattice[top + right] - topLeft);
    const below = bottomLeft + s * (lattice[bottom + right] - bottomLeft);
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

/** `i` modulo `n`; as integers of 32 bits, which are divided several times faster. */
function wrap(i: number, n: number): number {
  const rest = (i | 0) % (n | 0);
  return rest < 0 ? rest + n : rest;
}
