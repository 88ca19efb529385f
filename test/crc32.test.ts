import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { crc32, crc32ByTable } from '../src/crc32.js';
import { crc32c } from '../src/dataset/crc32c.js';
import { RandomStream } from '../src/random.js';

/** The definition, bit by bit. */
function bitwise(polynomial: number, bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ polynomial : crc >>> 1;
  }
  return ~crc >>> 0;
}

const stream = new RandomStream({ seed: 1, index: 0 });
const bytes = Uint8Array.from({ length: 300 }, () => stream.integer(256));

test('both checks follow their definition for every length and offset, by tables too', () => {
  for (let length = 0; length <= 40; length++) {
    for (const start of [0, 3, 200]) {
      const part = bytes.subarray(start, start + length);
      const expected = bitwise(0xedb88320, part);
      assert.is(crc32(part), expected);
      assert.is(crc32ByTable(part), expected);
      assert.is(crc32c(part), bitwise(0x82f63b78, part));
    }
  }
});

test('a check goes on from the bytes before', () => {
  for (const check of [crc32, crc32ByTable, crc32c]) {
    for (const cut of [0, 1, 7, 8, 9, 299, 300]) {
      assert.is(check(bytes.subarray(cut), check(bytes.subarray(0, cut))), check(bytes));
    }
  }
});

test.run();
