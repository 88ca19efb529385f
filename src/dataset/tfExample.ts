/**
 * `tf.train.Example`, the protocol buffer that TensorFlow's records hold (tensorflow/core/example/example.proto and
 * feature.proto; wire format: https://protobuf.dev/programming-guides/encoding):
 *
 *     Example   { Features features = 1 }
 *     Features  { map<string, Feature> feature = 1 }          an entry: { string key = 1; Feature value = 2 }
 *     Feature   { oneof { BytesList bytes_list = 1; FloatList float_list = 2; Int64List int64_list = 3 } }
 *     BytesList { repeated bytes value = 1 }   FloatList { repeated float value = 1 }   Int64List { repeated int64 … }
 */
import { DatasetError } from '../errors.js';

/** A feature: a list of one of the three kinds. Integers are exact up to ±(2⁵³ − 1). */
export type Feature =
  | { readonly kind: 'bytes'; readonly values: readonly Uint8Array[] }
  | { readonly kind: 'float'; readonly values: readonly number[] }
  | { readonly kind: 'int64'; readonly values: readonly number[] };

type Kind = Feature['kind'];

/** Wire types. */
const VARINT = 0;
const FIXED64 = 1;
const BYTES = 2;
const FIXED32 = 5;
/** A varint of 64 bits has at most ten digits of seven bits. */
const MAX_VARINT_BYTES = 10;

const FIELD_OF: Readonly<Record<Kind, number>> = { bytes: 1, float: 2, int64: 3 };
const KIND_OF: readonly (Kind | undefined)[] = [undefined, 'bytes', 'float', 'int64'];

export function bytesFeature(...values: (Uint8Array | string)[]): Feature {
  return { kind: 'bytes', values: values.map((value) => (typeof value === 'string' ? Buffer.from(value) : value)) };
}

export function floatFeature(...values: number[]): Feature {
  return { kind: 'float', values };
}

export function intFeature(...values: number[]): Feature {
  return { kind: 'int64', values };
}

/**
 * Encodes an Example. Keys are written in sorted order and numbers packed, so that equal features make equal bytes.
 * @throws DatasetError when an `int64` is no safe integer
 */
export function encodeExample(features: Readonly<Record<string, Feature>>): Uint8Array {
  const entries = Object.keys(features)
    .sort()
    .map((name) => measureEntry(name, features[name]));
  const size = entries.reduce((sum, entry) => sum + fieldSize(entry.size), 0);
  const out = new ProtoWriter(fieldSize(size));
  out.head(1, size);
  for (const entry of entries) {
    out.head(1, entry.size);
    out.text(1, entry.name, entry.nameSize);
    out.head(2, entry.featureSize);
    out.head(FIELD_OF[entry.feature.kind], entry.listSize);
    writeList(out, entry.feature);
  }
  return out.buffer;
}

/**
 * Decodes an Example of any writer: lists packed or not, in pieces or whole, fields it does not know skipped.
 * @param where for errors: file and place
 * @returns the features by name; byte lists are views of `bytes`
 * @throws DatasetError when the bytes are no Example
 */
export function decodeExample(bytes: Uint8Array, where: string): Map<string, Feature> {
  const features = new Map<string, Feature>();
  const example = new ProtoReader(bytes, where);
  for (let field = example.next(); field; field = example.next()) {
    if (field.number !== 1 || !field.bytes) continue;
    const map = new ProtoReader(field.bytes, where);
    for (let entry = map.next(); entry; entry = map.next()) {
      if (entry.number !== 1 || !entry.bytes) continue;
      const { name, feature } = decodeEntry(entry.bytes, where);
      // A feature of no kind is one that is not set.
      if (feature) features.set(name, feature);
      else features.delete(name);
    }
  }
  return features;
}

interface Entry {
  readonly name: string;
  /** Bytes of the name in UTF-8. */
  readonly nameSize: number;
  readonly feature: Feature;
  readonly listSize: number;
  readonly featureSize: number;
  readonly size: number;
}

/** Sizes from the inside out: each message stands behind its length. */
function measureEntry(name: string, feature: Feature): Entry {
  const nameSize = Buffer.byteLength(name);
  const listSize = listBytes(feature);
  const featureSize = fieldSize(listSize);
  return { name, nameSize, feature, listSize, featureSize, size: fieldSize(nameSize) + fieldSize(featureSize) };
}

function listBytes(feature: Feature): number {
  if (feature.kind === 'bytes') return feature.values.reduce((sum, { length }) => sum + fieldSize(length), 0);
  if (feature.values.length === 0) return 0;
  return fieldSize(packedBytes(feature));
}

function packedBytes(feature: Feature & { kind: 'float' | 'int64' }): number {
  if (feature.kind === 'float') return 4 * feature.values.length;
  return feature.values.reduce((sum, value) => sum + varintSize(value), 0);
}

function writeList(out: ProtoWriter, feature: Feature): void {
  if (feature.kind === 'bytes') {
    for (const value of feature.values) out.bytes(1, value);
    return;
  }
  if (feature.values.length === 0) return;
  out.head(1, packedBytes(feature));
  for (const value of feature.values) {
    if (feature.kind === 'float') out.float(value);
    else out.varint(value);
  }
}

/** A field of bytes whose number is below 16: a byte for tag and type, the length, the bytes. */
function fieldSize(length: number): number {
  return 1 + varintSize(length) + length;
}

function varintSize(value: number): number {
  if (!Number.isSafeInteger(value)) {
    throw new DatasetError(`Expected a safe integer for an int64 of a tf.Example but received ${value}`);
  }
  if (value < 0) return MAX_VARINT_BYTES;
  let size = 1;
  for (let rest = value; rest >= 128; rest = Math.floor(rest / 128)) size++;
  return size;
}

/** Fills a buffer whose size is known. */
class ProtoWriter {
  readonly buffer: Buffer;
  #at = 0;

  constructor(size: number) {
    this.buffer = Buffer.allocUnsafe(size);
  }

  /** Tag and length of a field of bytes. */
  head(field: number, length: number): void {
    this.buffer[this.#at++] = (field << 3) | BYTES;
    this.varint(length);
  }

  bytes(field: number, value: Uint8Array): void {
    this.head(field, value.length);
    this.buffer.set(value, this.#at);
    this.#at += value.length;
  }

  text(field: number, value: string, size: number): void {
    this.head(field, size);
    this.#at += this.buffer.write(value, this.#at, 'utf8');
  }

  float(value: number): void {
    this.#at = this.buffer.writeFloatLE(value, this.#at);
  }

  varint(value: number): void {
    if (value < 0) {
      let rest = BigInt.asUintN(64, BigInt(value));
      for (; rest >= 128n; rest >>= 7n) this.buffer[this.#at++] = Number(rest & 127n) | 128;
      this.buffer[this.#at++] = Number(rest);
      return;
    }
    let rest = value;
    for (; rest >= 128; rest = Math.floor(rest / 128)) this.buffer[this.#at++] = (rest % 128) | 128;
    this.buffer[this.#at++] = rest;
  }
}

/** A field: its bytes where it has a length or a fixed width, else its varint as a signed integer. */
interface ProtoField {
  readonly number: number;
  readonly type: number;
  readonly bytes?: Uint8Array;
  readonly integer: number;
}

/** Goes through the fields of a message. */
class ProtoReader {
  readonly #bytes: Uint8Array;
  readonly #where: string;
  #at = 0;

  constructor(bytes: Uint8Array, where: string) {
    this.#bytes = bytes;
    this.#where = where;
  }

  get done(): boolean {
    return this.#at === this.#bytes.length;
  }

  /** The next field, undefined at the end. */
  next(): ProtoField | undefined {
    if (this.done) return undefined;
    const tag = this.varint();
    const [number, type] = [Math.floor(tag / 8), tag & 7];
    if (number < 1) throw this.#damage(`the field number ${number}`);
    switch (type) {
      case VARINT:
        return { number, type, integer: this.varint() };
      case FIXED64:
        return { number, type, integer: 0, bytes: this.#take(8) };
      case BYTES:
        return { number, type, integer: 0, bytes: this.#take(this.varint()) };
      case FIXED32:
        return { number, type, integer: 0, bytes: this.#take(4) };
      default:
        throw this.#damage(`a field of wire type ${type}`);
    }
  }

  /** A varint as a signed 64-bit integer, rounded to a double beyond 2⁵³. */
  varint(): number {
    let low = 0;
    let high = 0;
    for (let i = 0; i < MAX_VARINT_BYTES; i++) {
      if (this.done) throw this.#damage('an integer that is cut off');
      const byte = this.#bytes[this.#at++];
      const digit = byte & 127;
      // 32 bits each; the fifth digit lies across.
      if (i < 4) low |= digit << (7 * i);
      else if (i === 4) {
        low |= digit << 28;
        high = digit >>> 4;
      } else high |= digit << (7 * i - 32);
      if (byte < 128) return (high | 0) * 2 ** 32 + (low >>> 0);
    }
    throw this.#damage(`an integer of more than ${MAX_VARINT_BYTES} bytes`);
  }

  #take(length: number): Uint8Array {
    if (length < 0 || length > this.#bytes.length - this.#at) throw this.#damage(`a field of ${length} bytes`);
    return this.#bytes.subarray(this.#at, (this.#at += length));
  }

  #damage(what: string): DatasetError {
    return new DatasetError(
      `Expected a tf.Example in ${this.#where} but received ${what} at byte ${this.#at} of ${this.#bytes.length} of a message`,
    );
  }
}

function decodeEntry(bytes: Uint8Array, where: string): { name: string; feature?: Feature } {
  let name = '';
  let feature: Feature | undefined;
  const reader = new ProtoReader(bytes, where);
  for (let field = reader.next(); field; field = reader.next()) {
    if (field.number === 1 && field.bytes) name = Buffer.from(field.bytes).toString('utf8');
    if (field.number === 2 && field.bytes) feature = decodeFeature(field.bytes, where);
  }
  return { name, feature };
}

function decodeFeature(bytes: Uint8Array, where: string): Feature | undefined {
  let kind: Kind | undefined;
  let values: (Uint8Array | number)[] = [];
  const reader = new ProtoReader(bytes, where);
  for (let field = reader.next(); field; field = reader.next()) {
    const found = KIND_OF[field.number];
    if (!found || field.type !== BYTES || !field.bytes) continue;
    // Of a oneof the last kind counts; pieces of the same message are joined.
    if (found !== kind) values = [];
    kind = found;
    decodeList(field.bytes, kind, values, where);
  }
  return kind && ({ kind, values } as Feature);
}

function decodeList(bytes: Uint8Array, kind: Kind, values: (Uint8Array | number)[], where: string): void {
  const reader = new ProtoReader(bytes, where);
  for (let field = reader.next(); field; field = reader.next()) {
    if (field.number !== 1) continue;
    if (kind === 'bytes') {
      if (field.type === BYTES && field.bytes) values.push(field.bytes);
    } else if (kind === 'float') {
      if (field.bytes && field.type !== FIXED64) pushFloats(field.bytes, values, where);
    } else if (field.type === VARINT) values.push(field.integer);
    else if (field.type === BYTES && field.bytes) {
      const packed = new ProtoReader(field.bytes, where);
      while (!packed.done) values.push(packed.varint());
    }
  }
}

/** One float, or a packed list of them. */
function pushFloats(bytes: Uint8Array, values: (Uint8Array | number)[], where: string): void {
  if (bytes.length % 4 !== 0) {
    throw new DatasetError(`Expected floats of 4 bytes in ${where} but received ${bytes.length} bytes`);
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  for (let i = 0; i < bytes.length; i += 4) values.push(view.getFloat32(i, true));
}
