import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { type ChunkShape, checkColumnChunk } from '../../../src/dataset/formats/parquetPageCheck.js';
import { checkThriftStruct } from '../../../src/dataset/formats/thriftCheck.js';
import { DatasetError } from '../../../src/errors.js';

/** Zigzag varint. */
function integer(value: number): number[] {
  const bytes: number[] = [];
  let rest = value * 2;
  for (; rest >= 128; rest = Math.floor(rest / 128)) bytes.push((rest % 128) | 128);
  return [...bytes, rest];
}

/** Fields 1, 2, … of type i32. */
const integers = (...values: number[]) => values.flatMap((value) => [0x15, ...integer(value)]);

interface Page {
  readonly values: number;
  readonly uncompressed?: number;
  readonly compressed?: number;
  readonly encoding?: number;
  readonly body: readonly number[];
}

/** A data page of version 1: { 1: type 0, 2: uncompressed, 3: compressed, 5: { values, encoding, RLE, RLE } }, then its body. */
function dataPage({
  values,
  body,
  uncompressed = body.length,
  compressed = body.length,
  encoding = 0,
}: Page): number[] {
  return [...integers(0, uncompressed, compressed), 0x2c, ...integers(values, encoding, 3, 3), 0, 0, ...body];
}

/** A dictionary page: { 1: type 2, 2, 3, 7: { values, PLAIN } }. */
function dictionaryPage({ values, body }: Page): number[] {
  return [...integers(2, body.length, body.length), 0x4c, ...integers(values, 0), 0, 0, ...body];
}

const OPTIONAL: ChunkShape = { type: 'INT32', codec: 'UNCOMPRESSED', values: 3, maxRepetition: 0, maxDefinition: 1 };

function check(bytes: number[], shape: Partial<ChunkShape> = {}): void {
  checkColumnChunk(new DataView(Uint8Array.from(bytes).buffer), { ...OPTIONAL, ...shape }, 'a column of a file');
}

function refuse(bytes: number[], message: RegExp, shape: Partial<ChunkShape> = {}): void {
  assert.throws(
    () => check(bytes, shape),
    (error: Error) =>
      error instanceof DatasetError && message.test(error.message) && /a column of a file/.test(error.message),
  );
}

/** Levels behind their length, then three integers. */
const levels = (...runs: number[]) => [runs.length, 0, 0, 0, ...runs, ...new Array(12).fill(0)];

test('pages that fit pass: a run of equal levels, a bit-packed one, a dictionary with positions in it', () => {
  check(dataPage({ values: 3, body: levels(3 << 1, 1) }));
  check(dataPage({ values: 3, body: levels((1 << 1) | 1, 0b101) }));
  const positions = dataPage({ values: 3, encoding: 8, body: [2, 0, 0, 0, 3 << 1, 1, 1, 3 << 1, 1] });
  check([...dictionaryPage({ values: 2, body: new Array(8).fill(0) }), ...positions]);
});

test('runs longer than the page has values are refused, before anything is filled with them', () => {
  refuse(dataPage({ values: 3, body: levels(4 << 1, 1) }), /length of a run .* received 4/);
  // 2²⁶ values, then 8 · 2²⁴ bit-packed ones of no bits.
  refuse(dataPage({ values: 3, body: levels(0x80, 0x80, 0x80, 0x40, 1) }), /length of a run/);
  const positions = [2, 0, 0, 0, 3 << 1, 1, 0, 0x81, 0x80, 0x80, 0x10];
  refuse(dataPage({ values: 3, encoding: 8, body: positions }), /length of a run/);
  refuse(dataPage({ values: 3, body: levels(0xff, 0xff, 0xff, 0xff, 0xff, 0x7f) }), /length of a run .* its end/);
});

test('counts and lengths that nothing stands for are refused', () => {
  const body = levels(3 << 1, 1);
  refuse(dataPage({ values: 2 ** 29, body }), /the values in .* received 536870912/);
  refuse(dataPage({ values: 2, body }), /length of a run|3 values/);
  refuse(dataPage({ values: 3, body, compressed: 1000 }), /compressed size/);
  refuse(dataPage({ values: 3, body, uncompressed: 2 ** 30 }), /uncompressed size/);
  refuse(dataPage({ values: 3, body, uncompressed: 2 ** 30 }), /uncompressed size/, { codec: 'SNAPPY' });
  refuse(dataPage({ values: 3, body, uncompressed: 2 ** 30 }), /uncompressed size/, { codec: 'GZIP' });
  refuse(dataPage({ values: 3, body: [200, 0, 0, 0, 6, 1] }), /bytes of levels/);
  refuse(dictionaryPage({ values: 9, body: new Array(8).fill(0) }), /entries/);
  refuse(dataPage({ values: 3, body, encoding: 5 }), /DELTA_BINARY_PACKED/);
  refuse(dataPage({ values: 3, body }), /LZO/, { codec: 'LZO' });
  refuse(dataPage({ values: 1, body: levels(1 << 1, 1) }), /Expected 3 values/);
});

test('compressed bytes that are none, or become more than they should, are refused', () => {
  const body = levels(3 << 1, 1);
  refuse(dataPage({ values: 3, body, uncompressed: 20 }), /Expected SNAPPY/, { codec: 'SNAPPY' });
  refuse(dataPage({ values: 3, body, uncompressed: 20 }), /Expected GZIP/, { codec: 'GZIP' });
});

test('Thrift: lengths beyond the end, endless integers and deep nesting are refused, a struct that fits is passed over', () => {
  const walk = (...bytes: number[]) => checkThriftStruct(new DataView(Uint8Array.from(bytes).buffer), 0, 'the test');
  // 1: true, 2: byte, 3: i32 = 300, 4: double, 5: binary of 2, 6: [struct {}, struct {}], 22: [true, false]
  const good = [0x11, 0x13, 7, 0x15, 0xd8, 0x04, 0x17, 0, 0, 0, 0, 0, 0, 0, 0, 0x18, 2, 65, 66, 0x19, 0x2c, 0, 0];
  assert.is(walk(...good, 0x09, 44, 0x21, 1, 2, 0, 99, 99), good.length + 6);
  for (const [bytes, message] of [
    [[0x18, 5, 65], /length of 5 bytes/],
    [[0x19, 0xf8, 0xff, 0xff, 0xff, 0xff, 0x07], /length of 2147483647 bytes/],
    [[0x16, ...new Array(20).fill(0xff)], /more than 10 bytes/],
    [new Array(5000).fill(0x1c), /deep/],
    [[0x19, ...new Array(5000).fill(0x19)], /deep/],
    [[0x15], /its end/],
    [[0x1e, 0], /type 14/],
  ] as const) {
    assert.throws(
      () => walk(...bytes),
      (error: Error) => error instanceof DatasetError && message.test(error.message),
    );
  }
});

test.run();
