import { execFileSync } from 'node:child_process';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { crc32c, maskedCrc32c } from '../../src/dataset/crc32c.js';
import { findPython } from '../helpers/python.js';

const noise = Uint8Array.from({ length: 5000 }, (_, i) => (Math.imul(i + 1, 0x9e3779b1) >>> 11) & 255);

/** A bit at a time, as the polynomial division is defined. */
function bitwise(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0x82f63b78 : crc >>> 1;
  }
  return ~crc >>> 0;
}

test('the vectors of RFC 3720, B.4', () => {
  const up = Uint8Array.from({ length: 32 }, (_, i) => i);
  assert.is(crc32c(new Uint8Array(32)), 0x8a9136aa);
  assert.is(crc32c(new Uint8Array(32).fill(0xff)), 0x62a8ab43);
  assert.is(crc32c(up), 0x46dd794e);
  assert.is(crc32c(up.toReversed()), 0x113fdb5c);
  const readCommand = Buffer.from(
    `01c000000000000000000000000000001400000000000400000000140000001828000000000000000200000000000000`,
    'hex',
  );
  assert.is(crc32c(readCommand), 0xd9963a56);
});

test('any length at any alignment gives what a bit at a time gives', () => {
  for (let start = 0; start < 9; start++) {
    for (let length = 0; length < 40; length++) {
      const part = noise.subarray(start, start + length);
      assert.is(crc32c(part), bitwise(part), `${length} bytes from ${start}`);
    }
  }
  assert.is(crc32c(noise), bitwise(noise));
});

test('a check goes on from that of the bytes before, wherever they are cut', () => {
  const whole = crc32c(noise.subarray(0, 100));
  for (let cut = 0; cut <= 100; cut++) {
    assert.is(crc32c(noise.subarray(cut, 100), crc32c(noise.subarray(0, cut))), whole);
  }
});

test('the mask turns the check right by 15 bits and adds the constant', () => {
  // 0x8a9136aa turned right by 15: 0x6d551522; + 0xa282ead8 = 0x10fd7fffa, of which 32 bits stay.
  assert.is(maskedCrc32c(new Uint8Array(32)), 0x0fd7fffa);
});

test("Python's crcmod agrees", () => {
  const python = findPython('crcmod.predefined');
  if (!python) {
    console.log("# skip Python's crcmod agrees: no Python with crcmod");
    return;
  }
  const script = `import sys, crcmod.predefined
f = crcmod.predefined.mkCrcFun('crc-32c')
data = sys.stdin.buffer.read()
print(*[f(data[:n]) for n in (0, 1, 7, 8, 9, 4999, 5000)])`;
  const output = execFileSync(python, ['-c', script], { input: noise, encoding: 'utf8' });
  assert.equal(
    output.trim().split(' ').map(Number),
    [0, 1, 7, 8, 9, 4999, 5000].map((length) => crc32c(noise.subarray(0, length))),
  );
});

test.run();
