import { createHash } from 'node:crypto';
import { DatasetError } from '../../errors.js';
import { vocColour } from './vocMasks.js';

/** Class names in file names and in the list of classes. */

/** Bytes of a name in a file name; the rest is room for the split and the extension. */
const MAX_NAME_BYTES = 180;
/** First line of the list, as CVAT writes it. */
const HEADER = '# label:color_rgb:parts:actions';

/**
 * A class name as part of a file name: letters and digits of all scripts, space, `_`, `-`, `+` and single dots stay, all
 * else is percent-encoded, so that it names a file in its folder and nothing else. A long one ends in its hash.
 */
export function vocFileName(name: string): string {
  const encoded = name.replace(/[^\p{L}\p{N} _+.-]|^[ .]|[ .]$|\.(?=\.)/gu, percent);
  if (Buffer.byteLength(encoded) <= MAX_NAME_BYTES) return encoded;
  const hash = createHash('sha256').update(name).digest('hex').slice(0, 16);
  const kept = Buffer.from(encoded).subarray(0, MAX_NAME_BYTES - hash.length - 1);
  // Cut within a character, decoding puts a replacement at the end.
  return `${new TextDecoder().decode(kept).replace(/\ufffd$/, '')}%${hash}`;
}

function percent(character: string): string {
  return [...Buffer.from(character)].map((byte) => `%${byte.toString(16).toUpperCase().padStart(2, '0')}`).join('');
}

/** The characters that `labelmap.txt` has a meaning for; only they are encoded there. */
const SPECIAL = /[%:#\r\n]|^[ \t]/g;
const ENCODED = /%(25|3A|23|0D|0A|20|09)/g;

/**
 * The list of classes that CVAT and Datumaro keep beside VOC datasets as `labelmap.txt`; VOC itself has none. Class
 * numbers in masks are the positions of the lines: 0 the background, 1 the first class.
 */
export function writeLabelMap(classes: readonly string[]): string {
  const line = (name: string, i: number) => `${name.replace(SPECIAL, percent)}:${vocColour(i).join(',')}::\n`;
  return `${HEADER}\n${['background', ...classes].map(line).join('')}`;
}

/**
 * Names in a `labelmap.txt`, without the background's.
 * @param place name of the file, for errors
 * @throws DatasetError naming file and line when a line is not `name:r,g,b:parts:actions`, or a name comes twice
 */
export function readLabelMap(text: string, place: string): string[] {
  const names: string[] = [];
  const seen = new Set<string>();
  for (const [i, line] of text.split(/\r?\n/).entries()) {
    if (line.trim() === '' || line.startsWith('#')) continue;
    const match = /^([^:]*):(\d{1,3}),(\d{1,3}),(\d{1,3})(?::|\s*$)/.exec(line);
    if (!match)
      throw new DatasetError(`${place}:${i + 1}: Expected "name:r,g,b:parts:actions" but received another line`);
    // Black is what no object has.
    if (names.length === 0 && match.slice(2, 5).every((value) => Number(value) === 0)) continue;
    const name = match[1].replace(ENCODED, (_, code: string) => String.fromCharCode(Number.parseInt(code, 16)));
    if (seen.size === seen.add(name).size) {
      throw new DatasetError(`${place}:${i + 1}: Expected classes of different names but received "${name}" twice`);
    }
    names.push(name);
  }
  return names;
}
