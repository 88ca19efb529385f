/** Which rows of a table are alike. */
export interface RowGroups {
  /** [rows] the group of each row; groups are numbered in the order in which they first appear. */
  readonly groupOf: Uint32Array;
  readonly count: number;
}

/**
 * Finds rows that hold the same bits, by an open hash table.
 * @param table rows one after the other; write −0 as 0, for their bits differ
 * @param columns numbers a row
 */
export function groupRows(table: Float32Array | Float64Array, columns: number): RowGroups {
  const words = new Int32Array(table.buffer, table.byteOffset, table.byteLength / 4);
  const width = (columns * table.BYTES_PER_ELEMENT) / 4;
  const rows = table.length / columns;
  const groupOf = new Uint32Array(rows);
  const firstRow = new Uint32Array(rows);
  let size = 16;
  while (size < 2 * rows) size *= 2;
  // Group + 1, or 0 where nothing is.
  const slots = new Uint32Array(size);
  let count = 0;
  for (let row = 0; row < rows; row++) {
    const at = row * width;
    let hash = 0;
    for (let k = 0; k < width; k++) hash = Math.imul(hash ^ words[at + k], 0x9e3779b1) ^ (hash >>> 15);
    let slot = (hash ^ (hash >>> 13)) & (size - 1);
    while (slots[slot] !== 0 && !sameRow(words, at, firstRow[slots[slot] - 1] * width, width)) {
      slot = (slot + 1) & (size - 1);
    }
    if (slots[slot] === 0) {
      firstRow[count] = row;
      slots[slot] = ++count;
    }
    groupOf[row] = slots[slot] - 1;
  }
  return { groupOf, count };
}

function sameRow(words: Int32Array, a: number, b: number, width: number): boolean {
  for (let k = 0; k < width; k++) if (words[a + k] !== words[b + k]) return false;
  return true;
}
