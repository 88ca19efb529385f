import { DatasetError } from '../errors.js';
import type { StagedStream } from './format.js';

/**
 * Tar archives in the ustar interchange format of POSIX.1-1988 (IEEE Std 1003.1, pax utility): a header block a file, its
 * bytes, zeros to the next block; two blocks of zeros at the end. Everything in a header but name, size and check is the
 * same for all files and at all times, so that archives with the same content are the same bytes.
 * ```
 *   0 100 name                    148   8 check: sum of all bytes, itself taken as blanks
 * 100   8 mode 0644               156   1 type: '0' file, 'x' pax header of the next file
 * 108   8 user 0                  257   8 "ustar", NUL, "00"
 * 116   8 group 0                 329  16 device numbers 0
 * 124  12 size, octal             345 155 prefix: folders of a long name
 * 136  12 time 0
 * ```
 */
const BLOCK = 512;
const NAME_BYTES = 100;
const SIZE_AT = 124;
const SIZE_DIGITS = 11;
const CHECK_AT = 148;
const CHECK_DIGITS = 6;
const TYPE_AT = 156;
const PREFIX_AT = 345;
const PREFIX_BYTES = 155;
/** Eleven octal digits: 8 GiB − 1. */
const MAX_SIZE = 8 ** SIZE_DIGITS - 1;
const FILE = '0';
const PAX = 'x';
/** What Python's tarfile calls the header of a long name; never extracted. */
const PAX_NAME = '././@PaxHeader';

const ZEROS = new Uint8Array(2 * BLOCK);
const TEMPLATE = template();
const TEMPLATE_SUM = TEMPLATE.reduce((sum, byte) => sum + byte, 0);
const ZERO = 0x30;
const SLASH = 0x2f;

/** Writes a tar archive to a stream, file after file. */
export class TarWriter {
  readonly #out: StagedStream;

  constructor(out: StagedStream) {
    this.#out = out;
  }

  /**
   * @param name path within the archive with `/`, relative; trusted
   * @throws DatasetError for 8 GiB and more
   */
  add(name: string, content: Uint8Array | string): void {
    const length = typeof content === 'string' ? Buffer.byteLength(content) : content.length;
    this.#out.write(tarHeader(name, length));
    this.#out.write(content);
    const over = length % BLOCK;
    if (over > 0) this.#out.write(ZEROS.subarray(0, BLOCK - over));
  }

  /** Writes the mark of the end. */
  end(): void {
    this.#out.write(ZEROS);
  }
}

/** The header that the last call gave: names are mostly as long as the one before. */
const header = TEMPLATE.slice();
let headerNameBytes = 0;

/**
 * The blocks before a file's bytes: one, or three for names that ustar cannot hold. Valid until the next call.
 * @param size bytes, an integer
 * @throws DatasetError for 8 GiB and more
 */
export function tarHeader(name: string, size: number): Uint8Array {
  if (!(size <= MAX_SIZE)) {
    throw new DatasetError(`Expected at most ${MAX_SIZE} bytes for ${name} in a tar archive but received ${size}`);
  }
  const sum = putAscii(name);
  if (sum < 0) return longHeader(Buffer.from(name), size);
  putCheck(header, sum + putSize(header, size));
  return header;
}

/** Puts a short ASCII name into `header`. @returns the sum of its bytes; −1 when it is no such name */
function putAscii(name: string): number {
  const length = name.length;
  if (length > NAME_BYTES) return -1;
  let sum = TEMPLATE_SUM;
  for (let i = 0; i < length; i++) {
    const code = name.charCodeAt(i);
    if (code > 127) return -1;
    header[i] = code;
    sum += code;
  }
  if (length < headerNameBytes) header.fill(0, length, headerNameBytes);
  headerNameBytes = length;
  return sum;
}

/** Header for a name of other than ASCII characters (UTF-8), or of more than 100 bytes. */
function longHeader(name: Uint8Array, size: number): Uint8Array {
  const cut = splitName(name);
  if (cut !== undefined) return block(name.subarray(cut === 0 ? 0 : cut + 1), name.subarray(0, cut), size, FILE);
  const record = paxRecord('path', name);
  const padding = ZEROS.subarray(0, (BLOCK - (record.length % BLOCK)) % BLOCK);
  const none = new Uint8Array(0);
  return Buffer.concat([
    block(Buffer.from(PAX_NAME), none, record.length, PAX),
    record,
    padding,
    block(name.subarray(0, NAME_BYTES), none, size, FILE),
  ]);
}

/** Where to cut a name in prefix and name: at a `/`; 0 when it needs no prefix; undefined when no cut makes both fit. */
function splitName(name: Uint8Array): number | undefined {
  if (name.length <= NAME_BYTES) return 0;
  const cut = name.indexOf(SLASH, name.length - NAME_BYTES - 1);
  return cut > 0 && cut <= PREFIX_BYTES && cut < name.length - 1 ? cut : undefined;
}

function block(name: Uint8Array, prefix: Uint8Array, size: number, type: string): Uint8Array {
  const bytes = TEMPLATE.slice();
  bytes.set(name);
  bytes.set(prefix, PREFIX_AT);
  bytes[TYPE_AT] = type.charCodeAt(0);
  putSize(bytes, size);
  putCheck(
    bytes,
    bytes.reduce((sum, byte) => sum + byte, 0),
  );
  return bytes;
}

/** `⟨length⟩ ⟨key⟩=⟨value⟩⟨newline⟩`, the length being that of the whole with its own digits. */
function paxRecord(key: string, value: Uint8Array): Uint8Array {
  const rest = Buffer.concat([Buffer.from(` ${key}=`), value, Buffer.from('\n')]);
  let length = rest.length;
  while (length !== rest.length + String(length).length) length = rest.length + String(length).length;
  return Buffer.concat([Buffer.from(String(length)), rest]);
}

/** @returns what the digits add to the sum of the template, which has zeros there */
function putSize(bytes: Uint8Array, size: number): number {
  let rest = size;
  let sum = 0;
  for (let at = SIZE_AT + SIZE_DIGITS - 1; at >= SIZE_AT; at--) {
    const next = Math.floor(rest / 8);
    const digit = rest - next * 8;
    bytes[at] = ZERO + digit;
    sum += digit;
    rest = next;
  }
  return sum;
}

/** @param sum of all bytes with blanks in place of the check */
function putCheck(bytes: Uint8Array, sum: number): void {
  let rest = sum;
  for (let at = CHECK_AT + CHECK_DIGITS - 1; at >= CHECK_AT; at--) {
    bytes[at] = ZERO + (rest & 7);
    rest >>>= 3;
  }
  bytes[CHECK_AT + CHECK_DIGITS] = 0;
}

/** A header without name, with size 0, and blanks for the check. */
function template(): Uint8Array {
  const bytes = Buffer.alloc(BLOCK);
  bytes.write('0000644', 100, 'latin1');
  bytes.write('0000000', 108, 'latin1');
  bytes.write('0000000', 116, 'latin1');
  bytes.write('0'.repeat(SIZE_DIGITS), SIZE_AT, 'latin1');
  bytes.write('0'.repeat(SIZE_DIGITS), 136, 'latin1');
  bytes.write(' '.repeat(8), CHECK_AT, 'latin1');
  bytes.write(FILE, TYPE_AT, 'latin1');
  bytes.write('ustar\u000000', 257, 'latin1');
  bytes.write('0000000', 329, 'latin1');
  bytes.write('0000000', 337, 'latin1');
  return new Uint8Array(bytes);
}
