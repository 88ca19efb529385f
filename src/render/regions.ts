/**
 * Columns of a region table [V × REGION_COLUMNS] float64, one row a node: where it is seen, which is to say its pixels in
 * the instance buffer. Rows of nodes that are not seen are zeros.
 */
export enum RegionColumn {
  /** Number of pixels seen. */
  Pixels = 0,
  /** Tight box of all of them, px: Left ≤ x < Right, Top ≤ y < Bottom. */
  Left = 1,
  Top = 2,
  Right = 3,
  Bottom = 4,
  /** Sums of their column and row indices. */
  SumX = 5,
  SumY = 6,
}

/** Numbers a node in a region table. */
export const REGION_COLUMNS = 7;
