import type { FileHandle } from 'node:fs/promises';
import { DatasetError } from '../errors.js';

/** Is given a piece of a large JSON file as its bytes: a view, valid during the call. */
export type JsonElementVisitor = (key: string, index: number, bytes: Uint8Array, offset: number) => void;

/** Largest element that is accepted, bytes. */
export const MAX_ELEMENT_BYTES = 2 ** 26;
/** Deepest nesting within an element that is accepted. */
const MAX_DEPTH = 64;
/** A file is read in pieces of this size, bytes. */
const CHUNK_BYTES = 1 << 18;

const [QUOTE, BACKSLASH, COMMA, COLON] = [0x22, 0x5c, 0x2c, 0x3a];
const [OPEN_BRACE, CLOSE_BRACE, OPEN_BRACKET, CLOSE_BRACKET] = [0x7b, 0x7d, 0x5b, 0x5d];
const BYTE_ORDER_MARK = [0xef, 0xbb, 0xbf];

/**
 * What the scanner looks at next:
 * ```
 * start ─{─▶ firstKey ─"─▶ key ─▶ colon ─▶ value ──────────────▶ inValue ─▶ afterValue ─}─▶ done
 *               (} ─▶ done)  ▲                └[─▶ firstElement ─▶ inElement ─▶ afterElement ─]─▶ afterValue
 *                            └─────── , ── afterValue
 * ```
 */
type State =
  | 'start'
  | 'firstKey'
  | 'nextKey'
  | 'key'
  | 'colon'
  | 'value'
  | 'inValue'
  | 'afterValue'
  | 'firstElement'
  | 'nextElement'
  | 'inElement'
  | 'afterElement'
  | 'done';

/** What a state expects, for messages. */
const EXPECTED: Readonly<Record<State, string>> = {
  start: '{',
  firstKey: 'a key or }',
  nextKey: 'a key',
  key: 'the end of a key',
  colon: ':',
  value: 'a value',
  inValue: 'the end of a value',
  afterValue: ', or }',
  firstElement: 'an element or ]',
  nextElement: 'an element',
  inElement: 'the end of an element',
  afterElement: ', or ]',
  done: 'nothing more',
};

/**
 * Cuts a JSON object that is too large for one string (V8 ends at 512 MB) into the elements of its arrays: memory is
 * that of the largest element. Only the outer object and the wanted arrays are parsed here; the bytes of an element are
 * for the visitor to parse, so what is wrong within one shows there.
 */
export class JsonElementScanner {
  readonly #name: string;
  readonly #wanted: ReadonlySet<string>;
  readonly #seen = new Set<string>();
  readonly #visit: JsonElementVisitor;
  #state: State = 'start';
  /** Bytes before the current chunk. */
  #base = 0;
  #key = '';
  #index = 0;
  /** Within a value: nesting, whether in a string, whether behind a backslash, whether it is a number or word. */
  #depth = 0;
  #inString = false;
  #escaped = false;
  #scalar = false;
  /** Start of the current value in its file, and what of it came with earlier chunks. */
  #start = 0;
  readonly #earlier: Uint8Array[] = [];

  /**
   * @param name  of the file, for errors
   * @param keys  of the top-level values to visit: elements of arrays with their position, all else whole with −1
   * @param visit what it throws stops the scan
   */
  constructor(name: string, keys: readonly string[], visit: JsonElementVisitor) {
    this.#name = name;
    this.#wanted = new Set(keys);
    this.#visit = visit;
  }

  /**
   * Takes the next bytes of the file; the array may be used again afterwards.
   * @throws DatasetError naming key, position and byte where this is no such JSON
   */
  push(chunk: Uint8Array): void {
    let at = 0;
    if (this.#base === 0 && BYTE_ORDER_MARK.every((byte, i) => chunk[i] === byte)) at = BYTE_ORDER_MARK.length;
    while (at < chunk.length) {
      if (this.#state === 'inValue' || this.#state === 'inElement' || this.#state === 'key') {
        at = this.#scanValue(chunk, at);
      } else {
        if (!isSpace(chunk[at])) at = this.#step(chunk, at);
        else at++;
      }
    }
    if (this.#state === 'inValue' || this.#state === 'inElement' || this.#state === 'key') this.#keep(chunk);
    this.#base += chunk.length;
  }

  /**
   * The wanted keys that there were.
   * @throws DatasetError when the file ended too early
   */
  end(): ReadonlySet<string> {
    if (this.#state !== 'done') this.#fail('the end of the file', this.#base);
    return this.#seen;
  }

  /** Handles one byte between values; returns where to go on. */
  #step(chunk: Uint8Array, at: number): number {
    const byte = chunk[at];
    switch (this.#state) {
      case 'start':
        if (byte === OPEN_BRACE) return this.#go('firstKey', at + 1);
        break;
      case 'firstKey':
        if (byte === CLOSE_BRACE) return this.#go('done', at + 1);
        if (byte === QUOTE) return this.#open('key', at);
        break;
      case 'nextKey':
        if (byte === QUOTE) return this.#open('key', at);
        break;
      case 'colon':
        if (byte === COLON) return this.#go('value', at + 1);
        break;
      case 'value':
        if (byte === OPEN_BRACKET && this.#wanted.has(this.#key)) return this.#go('firstElement', at + 1);
        if (startsValue(byte)) return this.#open('inValue', at);
        break;
      case 'afterValue':
        if (byte === COMMA) return this.#go('nextKey', at + 1);
        if (byte === CLOSE_BRACE) return this.#go('done', at + 1);
        break;
      case 'firstElement':
      case 'nextElement':
        if (byte === CLOSE_BRACKET && this.#state === 'firstElement') return this.#go('afterValue', at + 1);
        if (startsValue(byte)) return this.#open('inElement', at);
        break;
      case 'afterElement':
        if (byte === COMMA) return this.#go('nextElement', at + 1);
        if (byte === CLOSE_BRACKET) return this.#go('afterValue', at + 1);
        break;
    }
    return this.#fail(JSON.stringify(String.fromCharCode(byte)), this.#base + at);
  }

  #go(state: State, at: number): number {
    this.#state = state;
    return at;
  }

  /** A value starts at `at`, which is looked at again by `#scanValue`. */
  #open(state: State, at: number): number {
    this.#depth = 0;
    this.#inString = false;
    this.#escaped = false;
    this.#scalar = false;
    this.#start = this.#base + at;
    return this.#go(state, at);
  }

  /** Goes on within a value; returns where it ends, or the end of the chunk. */
  #scanValue(chunk: Uint8Array, from: number): number {
    let at = from;
    for (; at < chunk.length; at++) {
      const byte = chunk[at];
      if (this.#inString) {
        if (this.#escaped) this.#escaped = false;
        else if (byte === BACKSLASH) this.#escaped = true;
        else if (byte === QUOTE) {
          this.#inString = false;
          if (this.#depth === 0) return this.#close(chunk, at + 1);
        }
      } else if (byte === QUOTE) {
        this.#inString = true;
      } else if (byte === OPEN_BRACE || byte === OPEN_BRACKET) {
        if (++this.#depth > MAX_DEPTH) this.#fail(`more than ${MAX_DEPTH} levels of nesting`, this.#base + at);
      } else if (byte === CLOSE_BRACE || byte === CLOSE_BRACKET) {
        if (this.#depth === 0) return this.#close(chunk, at);
        if (--this.#depth === 0) return this.#close(chunk, at + 1);
      } else if (this.#depth === 0) {
        if (this.#scalar && (byte === COMMA || isSpace(byte))) return this.#close(chunk, at);
        this.#scalar = true;
      }
    }
    return at;
  }

  /** The value ends before `end`: gives it to whom it belongs. */
  #close(chunk: Uint8Array, end: number): number {
    const bytes = this.#bytes(chunk, end);
    const offset = this.#start;
    switch (this.#state) {
      case 'key':
        this.#key = this.#parseKey(bytes);
        this.#index = 0;
        this.#state = 'colon';
        break;
      case 'inElement':
        this.#visit(this.#key, this.#index++, bytes, offset);
        this.#state = 'afterElement';
        break;
      default:
        if (this.#wanted.has(this.#key)) this.#visit(this.#key, -1, bytes, offset);
        this.#state = 'afterValue';
    }
    return end;
  }

  #parseKey(bytes: Uint8Array): string {
    let key: string;
    try {
      key = JSON.parse(Buffer.from(bytes).toString()) as string;
    } catch {
      return this.#fail('a damaged key', this.#start);
    }
    // Two arrays of one name would have two elements of the same position.
    if (!this.#wanted.has(key)) return key;
    if (this.#seen.has(key)) this.#fail(`the key "${key}" again`, this.#start);
    this.#seen.add(key);
    return key;
  }

  /** All of the current value; nothing of what nobody wants. */
  #bytes(chunk: Uint8Array, end: number): Uint8Array {
    const here = chunk.subarray(Math.max(this.#start - this.#base, 0), end);
    if (this.#earlier.length === 0) return here;
    const bytes = Buffer.concat([...this.#earlier, here]);
    this.#earlier.length = 0;
    return bytes;
  }

  /** Keeps the part of an open value that is in this chunk. */
  #keep(chunk: Uint8Array): void {
    if (this.#state === 'inValue' && !this.#wanted.has(this.#key)) return;
    const length = this.#base + chunk.length - this.#start;
    if (length > MAX_ELEMENT_BYTES) this.#fail(`an element of more than ${MAX_ELEMENT_BYTES} bytes`, this.#start);
    // A copy: the caller fills its buffer again (and a Buffer's own `slice` would be a view).
    this.#earlier.push(Uint8Array.from(chunk.subarray(Math.max(this.#start - this.#base, 0))));
  }

  #fail(received: string, byte: number): never {
    const within = ['value', 'inValue', 'firstElement'].includes(this.#state) ? ` for ${this.#key}` : '';
    const element = ['inElement', 'nextElement'].includes(this.#state) ? ` for ${this.#key}[${this.#index}]` : '';
    const after = this.#state === 'afterElement' ? ` after ${this.#key}[${this.#index - 1}]` : '';
    throw new DatasetError(
      `Expected ${EXPECTED[this.#state]}${within}${element}${after} at byte ${byte} of ${this.#name} but received ${received}`,
    );
  }
}

/**
 * Visits the elements of a JSON file from its start.
 * @returns the wanted keys that there were
 * @throws DatasetError naming the place where it is damaged
 */
export async function scanJsonFile(
  file: FileHandle,
  name: string,
  keys: readonly string[],
  visit: JsonElementVisitor,
): Promise<ReadonlySet<string>> {
  const scanner = new JsonElementScanner(name, keys, visit);
  const buffer = Buffer.allocUnsafe(CHUNK_BYTES);
  for (let position = 0; ; ) {
    const { bytesRead } = await file.read(buffer, 0, buffer.length, position);
    if (bytesRead === 0) break;
    scanner.push(buffer.subarray(0, bytesRead));
    position += bytesRead;
  }
  return scanner.end();
}

function isSpace(byte: number): boolean {
  return byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09;
}

/** Whether a value may start with it; what is no value after all shows when it is parsed. */
function startsValue(byte: number): boolean {
  return byte !== COMMA && byte !== COLON && byte !== CLOSE_BRACE && byte !== CLOSE_BRACKET;
}
