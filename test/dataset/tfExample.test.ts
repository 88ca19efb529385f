import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { bytesFeature, decodeExample, encodeExample, floatFeature, intFeature } from '../../src/dataset/tfExample.js';
import { DatasetError } from '../../src/errors.js';

const hex = (text: string) => Buffer.from(text.replaceAll(/\s/g, ''), 'hex');

/** Features by name, in plain arrays. */
function plain(bytes: Uint8Array): Record<string, [string, ...unknown[]]> {
  const features = [...decodeExample(bytes, 'the test')].map(([name, { kind, values }]) => [
    name,
    [kind, ...values.map((value) => (typeof value === 'number' ? value : Buffer.from(value).toString('latin1')))],
  ]);
  return Object.fromEntries(features);
}

/** An Example of one feature "a" with this content. */
function exampleOf(feature: string): Buffer {
  const content = hex(feature);
  const entry = Buffer.concat([hex('0a 01 61 12'), Buffer.of(content.length), content]);
  const features = Buffer.concat([hex('0a'), Buffer.of(entry.length), entry]);
  return Buffer.concat([hex('0a'), Buffer.of(features.length), features]);
}

test('bytes worked by hand: keys sorted, numbers packed', () => {
  const encoded = encodeExample({
    b: intFeature(1, 300, -1),
    a: bytesFeature('hi', ''),
    c: floatFeature(1.5),
    d: floatFeature(),
  });
  const entries = `
    0a 0d  0a 01 61  12 08  0a 06  0a 02 68 69  0a 00
    0a 16  0a 01 62  12 11  1a 0f  0a 0d  01  ac 02  ff ff ff ff ff ff ff ff ff 01
    0a 0d  0a 01 63  12 08  12 06  0a 04  00 00 c0 3f
    0a 07  0a 01 64  12 02  12 00`;
  const size = hex(entries).length;
  assert.is(Buffer.from(encoded).toString('hex'), `0a${size.toString(16)}${hex(entries).toString('hex')}`);
  assert.equal(plain(encoded), {
    a: ['bytes', 'hi', ''],
    b: ['int64', 1, 300, -1],
    c: ['float', 1.5],
    d: ['float'],
  });
});

test('integers come back: powers of two and their neighbours, both signs', () => {
  const values = Array.from({ length: 54 }, (_, power) => [2 ** power - 1, 2 ** power, -(2 ** power) + 1]).flat();
  const safe = values.filter(Number.isSafeInteger);
  const { kind, values: back } = decodeExample(encodeExample({ a: intFeature(...safe) }), 'the test').get('a')!;
  assert.is(kind, 'int64');
  assert.equal(back, safe);
  assert.throws(() => encodeExample({ a: intFeature(2 ** 53) }), /safe integer/);
  assert.throws(() => encodeExample({ a: intFeature(0.5) }), /safe integer/);
});

test('lists that are not packed, or come in pieces, are read as well', () => {
  // int64_list { value: 5, value: [6, 7] }
  assert.equal(plain(exampleOf('1a 06  08 05  0a 02 06 07')), { a: ['int64', 5, 6, 7] });
  // float_list { value: 1.5 } and a second float_list { value: [-2] }, which protocol buffers join
  assert.equal(plain(exampleOf('12 05 0d 00 00 c0 3f  12 06 0a 04 00 00 00 c0')), { a: ['float', 1.5, -2] });
  // Of a oneof the last counts: int64_list { 5 }, then bytes_list { "x" }
  assert.equal(plain(exampleOf('1a 02 08 05  0a 03 0a 01 78')), { a: ['bytes', 'x'] });
});

test('fields that are not known are skipped, at every level and of every wire type', () => {
  // 15: a varint, 14: 8 bytes, 13: 3 bytes, 12: 4 bytes
  const unknown = '78 96 01  71 01 02 03 04 05 06 07 08  6a 03 aa bb cc  65 01 02 03 04';
  const list = `${unknown} 08 05`;
  const inner = hex(list).length.toString(16).padStart(2, '0');
  const example = Buffer.concat([hex(unknown), exampleOf(`${unknown} 1a ${inner} ${list}`)]);
  assert.equal(plain(example), { a: ['int64', 5] });
});

test('a key that comes twice has its last value; a feature that is not set is absent', () => {
  const twice = Buffer.concat([exampleOf('1a 02 08 05'), exampleOf('1a 02 08 06')]);
  assert.equal(plain(twice), { a: ['int64', 6] });
  assert.equal(plain(exampleOf('')), {});
  assert.equal(plain(Buffer.alloc(0)), {});
});

test('keys stay what they are: no prototype, and UTF-8', () => {
  const encoded = encodeExample({ ['__proto__']: intFeature(1), größe: intFeature(2) });
  assert.equal([...decodeExample(encoded, 'the test').keys()], ['__proto__', 'größe']);
});

test('an Example cut off anywhere within is refused or smaller, never read beyond its end', () => {
  const whole = encodeExample({ a: bytesFeature('some bytes'), b: intFeature(1, 2, 3) });
  for (let length = 1; length < whole.length; length++) {
    assert.throws(
      () => decodeExample(whole.subarray(0, length), 'the test'),
      (error: Error) => error instanceof DatasetError && error.message.includes('the test'),
    );
  }
});

test('what is no protocol buffer is refused: groups, endless integers, field 0, floats of odd length', () => {
  assert.throws(() => decodeExample(hex('0b 0c'), 'the test'), /wire type 3/);
  assert.throws(() => decodeExample(hex('08 ff ff ff ff ff ff ff ff ff ff 01'), 'the test'), /more than 10 bytes/);
  assert.throws(() => decodeExample(hex('00'), 'the test'), /field number 0/);
  assert.throws(() => decodeExample(exampleOf('12 05 0a 03 00 00 00'), 'the test'), /floats of 4 bytes/);
  assert.throws(() => decodeExample(hex('0a ff ff ff ff 0f'), 'the test'), /4294967295 bytes/);
});

test.run();
