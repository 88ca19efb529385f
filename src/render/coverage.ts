import type { SceneBatch } from '../scene/sceneGraph.js';

/**
 * Columns of a coverage table [V × COVERAGE_COLUMNS] float64, one row a node: what its sprite would cover if it were alone
 * on a canvas without bounds. A pixel is covered where alpha × opacity is at least ½ at its centre, as in the instance
 * buffer. Rows of nodes without a sprite are zeros, and so are the counts and the box of a sprite that covers nothing.
 *
 * A sprite whose rectangle has more pixels than 16 canvases, and more than 2^20, is cut to the neighbourhood of the canvas
 * before it is counted (assembly/engine/layout.ts says how).
 */
export enum CoverageColumn {
  /** Middle of the quad of the sprite's content, px. */
  CentreX = 0,
  CentreY = 1,
  /** Sides of that quad, px. */
  Width = 2,
  Height = 3,
  /** Number of pixels covered. */
  Pixels = 4,
  /** Those of them that lie on the canvas. */
  Inside = 5,
  /** Tight box of all of them, px: Left ≤ x < Right, Top ≤ y < Bottom. */
  Left = 6,
  Top = 7,
  Right = 8,
  Bottom = 9,
}

/** Numbers a node in a coverage table. */
export const COVERAGE_COLUMNS = 10;

/** A view of the rows of a batch's scene in the coverage table of all its scenes. */
export function coverageOf(batch: SceneBatch, coverage: Float64Array, position: number): Float64Array {
  let first = 0;
  for (let i = 0; i < position; i++) first += batch.scenes[i].parent.length;
  return coverageRows(coverage, first, batch.scenes[position].parent.length);
}

/** A view of rows `first` … `first + count − 1` of a coverage table: for a caller who knows where a scene's nodes begin. */
export function coverageRows(coverage: Float64Array, first: number, count: number): Float64Array {
  return coverage.subarray(first * COVERAGE_COLUMNS, (first + count) * COVERAGE_COLUMNS);
}
