import { ShapeError } from '../../errors.js';

/**
 * Run lengths of masks as COCO has them (https://cocodataset.org/#format-data, "Mask API"): the mask is read column by
 * column, top to bottom, left to right; the first number counts zeros (and may be 0), the next ones, and so on in turn.
 * They add up to height × width.
 */
export type RunLengths = number[];

/** Is given the ones of a mask, piece by piece: rows `top` … `bottom` − 1 of one column. */
export type RunVisitor = (column: number, top: number, bottom: number) => void;

/** A character of a compressed string is 48 plus six bits: five of the number and one that says that more follow. */
const FIRST_CHARACTER = 48;
const BITS = 5;
const MORE = 1 << BITS;
const SIGN = MORE >> 1;
/** Characters that hold 32 bits: no number has more. */
const MAX_CHARACTERS = 7;

/**
 * Run lengths of every id of an instance mask, in one pass over it.
 * @param instances [H × W] id of each pixel, 0 for none
 * @returns an entry for every id but 0 that occurs
 * @throws ShapeError when `instances` is not H × W
 */
export function runLengthsOfIds(instances: ArrayLike<number>, width: number, height: number): Map<number, RunLengths> {
  const size = width * height;
  if (instances.length !== size) {
    throw new ShapeError(
      `Expected ${height} × ${width} = ${size} entries for instances but received ${instances.length}`,
    );
  }
  const runs = new Map<number, RunLengths>();
  /** Where the last run of an id ended, in column-major order. */
  const ends = new Map<number, number>();
  let id = 0;
  let start = 0;
  const close = (end: number) => {
    if (id === 0) return;
    const counts = runs.get(id);
    if (counts) counts.push(start - ends.get(id)!, end - start);
    else runs.set(id, [start, end - start]);
    ends.set(id, end);
  };
  for (let x = 0, at = 0; x < width; x++) {
    for (let i = x; i < size; i += width, at++) {
      if (instances[i] === id) continue;
      close(at);
      id = instances[i];
      start = at;
    }
  }
  close(size);
  for (const [each, counts] of runs) {
    const rest = size - ends.get(each)!;
    if (rest > 0) counts.push(rest);
  }
  return runs;
}

/**
 * COCO's compressed string. From the fourth number on, what is stored is the difference to the number two before; each
 * is cut in groups of five bits, lowest first, two's complement, as few as hold it.
 */
export function compressRunLengths(counts: readonly number[]): string {
  const codes: number[] = [];
  for (let i = 0; i < counts.length; i++) {
    let value = i > 2 ? counts[i] - counts[i - 2] : counts[i];
    for (let more = true; more; ) {
      const bits = value & (MORE - 1);
      value >>= BITS;
      more = value !== (bits & SIGN ? -1 : 0);
      codes.push(FIRST_CHARACTER + bits + (more ? MORE : 0));
    }
  }
  return asciiString(codes);
}

/**
 * Run lengths from COCO's compressed string.
 * @throws RangeError saying what is wrong with it: a character outside of the code, a number that has no end, or a
 *   negative run
 */
export function expandRunLengths(text: string): RunLengths {
  const counts: RunLengths = [];
  for (let at = 0; at < text.length; ) {
    let value = 0;
    let bits = 0;
    for (let k = 0, more = true; more; k++) {
      if (at === text.length) throw new RangeError('a number that has no end');
      const code = text.charCodeAt(at) - FIRST_CHARACTER;
      if (code < 0 || code >= 2 * MORE) throw new RangeError(`the character ${JSON.stringify(text[at])} at ${at}`);
      if (k === MAX_CHARACTERS) throw new RangeError(`a number of more than ${MAX_CHARACTERS} characters at ${at}`);
      value += (code & (MORE - 1)) * 2 ** bits;
      bits += BITS;
      more = (code & MORE) !== 0;
      if (!more && code & SIGN) value -= 2 ** bits;
      at++;
    }
    const i = counts.length;
    counts.push(i > 2 ? value + counts[i - 2] : value);
    if (counts[i] < 0) throw new RangeError(`the negative run ${counts[i]}`);
  }
  return counts;
}

/** What is wrong with run lengths for a mask of `size` pixels; undefined for nothing. */
export function runLengthsFault(counts: readonly unknown[], size: number): string | undefined {
  let sum = 0;
  for (const count of counts) {
    if (!Number.isInteger(count) || (count as number) < 0) return `the run ${JSON.stringify(count)}`;
    sum += count as number;
  }
  return sum === size ? undefined : `runs of ${sum} pixels together for ${size}`;
}

/** Visits the ones of a mask; `counts` must fit it. */
export function visitRunLengths(counts: readonly number[], height: number, visit: RunVisitor): void {
  let at = 0;
  for (let i = 0; i < counts.length; i++) {
    const end = at + counts[i];
    // Odd positions count ones. A run may go on in the next column.
    if (i % 2 === 1) {
      while (at < end) {
        const column = Math.floor(at / height);
        const last = Math.min(end, (column + 1) * height);
        visit(column, at - column * height, last - column * height);
        at = last;
      }
    }
    at = end;
  }
}

/** Text of character codes; in pieces, as a call takes only so many arguments. */
function asciiString(codes: readonly number[]): string {
  let text = '';
  for (let i = 0; i < codes.length; i += 4096) text += String.fromCharCode(...codes.slice(i, i + 4096));
  return text;
}
