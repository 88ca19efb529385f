/**
 * Checks bytes in Thrift's compact protocol (https://github.com/apache/thrift/blob/master/doc/specs/thrift-compact-protocol.md),
 * which Parquet's headers are in, before a parser sees them that trusts the lengths it reads.
 */
import { DatasetError } from '../../errors.js';

const STOP = 0;
const BOOLEANS = [1, 2];
const BYTE = 3;
/** 16, 32 and 64 bits. */
const INTEGERS = [4, 5, 6];
const DOUBLE = 7;
const BINARY = 8;
const LIST = 9;
const STRUCT = 12;

const MAX_DEPTH = 24;
const MAX_VARINT_BYTES = 10;

/**
 * Goes through a struct: every length lies within the bytes, no integer is longer than 64 bits, nothing is nested deeply.
 * @param where for errors
 * @returns offset behind the struct
 * @throws DatasetError otherwise
 */
export function checkThriftStruct(view: DataView, offset: number, where: string): number {
  return new ThriftWalk(view, where).struct(offset, 0);
}

class ThriftWalk {
  readonly #view: DataView;
  readonly #where: string;

  constructor(view: DataView, where: string) {
    this.#view = view;
    this.#where = where;
  }

  struct(start: number, depth: number): number {
    if (depth > MAX_DEPTH) throw this.#damage(`structs nested more than ${MAX_DEPTH} deep`);
    let at = start;
    for (;;) {
      const head = this.#byte(at++);
      const type = head & 15;
      if (type === STOP) return at;
      // Field ids further apart than 15 have an integer of their own.
      if (head >> 4 === 0) at = this.#varint(at).end;
      if (!BOOLEANS.includes(type)) at = this.#value(type, at, depth);
    }
  }

  /** @returns offset behind a value */
  #value(type: number, at: number, depth: number): number {
    if (type === BYTE || BOOLEANS.includes(type)) return this.#skip(at, 1);
    if (INTEGERS.includes(type)) return this.#varint(at).end;
    if (type === DOUBLE) return this.#skip(at, 8);
    if (type === STRUCT) return this.struct(at, depth + 1);
    if (type === BINARY) {
      const { value, end } = this.#varint(at);
      return this.#skip(end, value);
    }
    if (type === LIST) return this.#list(at, depth + 1);
    throw this.#damage(`a value of type ${type}`);
  }

  #list(start: number, depth: number): number {
    if (depth > MAX_DEPTH) throw this.#damage(`lists nested more than ${MAX_DEPTH} deep`);
    const head = this.#byte(start);
    const long = head >> 4 === 15;
    const { value: size, end } = long ? this.#varint(start + 1) : { value: head >> 4, end: start + 1 };
    // An element takes a byte at least.
    this.#skip(end, size);
    let at = end;
    for (let i = 0; i < size; i++) at = this.#value(head & 15, at, depth);
    return at;
  }

  #varint(start: number): { value: number; end: number } {
    let value = 0;
    for (let i = 0; i < MAX_VARINT_BYTES; i++) {
      const byte = this.#byte(start + i);
      value += (byte & 127) * 2 ** (7 * i);
      if (byte < 128) return { value, end: start + i + 1 };
    }
    throw this.#damage(`an integer of more than ${MAX_VARINT_BYTES} bytes`);
  }

  #byte(at: number): number {
    if (at >= this.#view.byteLength) throw this.#damage('its end');
    return this.#view.getUint8(at);
  }

  #skip(at: number, length: number): number {
    if (length > this.#view.byteLength - at) throw this.#damage(`a length of ${length} bytes`);
    return at + length;
  }

  #damage(what: string): DatasetError {
    return new DatasetError(`Expected a Thrift struct in ${this.#where} but received ${what}`);
  }
}
