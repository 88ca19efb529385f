import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { crc32 } from '../../src/crc32.js';
import { crc32c, maskedCrc32c } from '../../src/dataset/crc32c.js';
import { ScalarEventWriter } from '../../src/report/tensorBoard.js';

const folder = mkdtempSync(join(tmpdir(), 'metasim-events-'));
test.after(() => rmSync(folder, { recursive: true }));

/** CRC-32C by polynomial division, bit by bit: RFC 3720, nothing shared with the code under test. */
function slowCrc32c(bytes: Uint8Array): number {
  let crc = 0xffffffffn;
  for (const byte of bytes) {
    crc ^= BigInt(byte);
    for (let bit = 0; bit < 8; bit++) crc = crc & 1n ? (crc >> 1n) ^ 0x82f63b78n : crc >> 1n;
  }
  return Number(crc ^ 0xffffffffn);
}

type Field = { field: number; value: bigint | Buffer };

/** A protocol buffer's fields, in order; a reader of its own. */
function fields(buffer: Buffer): Field[] {
  const result: Field[] = [];
  let at = 0;
  const varint = () => {
    let value = 0n;
    for (let shift = 0n; ; shift += 7n) {
      const byte = buffer[at++];
      value |= BigInt(byte & 127) << shift;
      if (byte < 128) return value;
    }
  };
  while (at < buffer.length) {
    const tag = Number(varint());
    const length = { 1: 8, 5: 4 }[tag & 7];
    if ((tag & 7) === 0) result.push({ field: tag >> 3, value: varint() });
    else {
      const size = length ?? Number(varint());
      result.push({ field: tag >> 3, value: buffer.subarray(at, (at += size)) });
    }
  }
  return result;
}

/** The events of a file, after checking every record's two checks. */
function readEvents(path: string): Field[][] {
  const bytes = readFileSync(path);
  const events: Field[][] = [];
  const unmask = (masked: number) => {
    const rotated = (masked - 0xa282ead8) >>> 0;
    return ((rotated << 15) | (rotated >>> 17)) >>> 0;
  };
  for (let at = 0; at < bytes.length; ) {
    const length = Number(bytes.readBigUInt64LE(at));
    assert.is(unmask(bytes.readUInt32LE(at + 8)), slowCrc32c(bytes.subarray(at, at + 8)));
    const data = bytes.subarray(at + 12, at + 12 + length);
    assert.is(unmask(bytes.readUInt32LE(at + 12 + length)), slowCrc32c(data));
    events.push(fields(data));
    at += 16 + length;
  }
  return events;
}

const get = (event: Field[], field: number) => event.find((f) => f.field === field)?.value;

test('CRC-32 and CRC-32C of published vectors', () => {
  const digits = Buffer.from('123456789');
  assert.is(crc32(digits), 0xcbf43926); // the catalogue's check value
  assert.is(crc32c(digits), 0xe3069283);
  assert.is(crc32c(new Uint8Array(32)), 0x8a9136aa); // RFC 3720, B.4
  assert.is(crc32c(new Uint8Array(32).fill(255)), 0x62a8ab43);
  assert.is(crc32c(digits.subarray(4), crc32c(digits.subarray(0, 4))), 0xe3069283);
});

test('the mask turns the check right by 15 bits and adds the constant', () => {
  // 0xe3069283 turned right by 15: 0x2507c60d; + 0xa282ead8 = 0xc78ab0e5.
  assert.is(maskedCrc32c(Buffer.from('123456789')), 0xc78ab0e5);
});

test('scalars come back from the event file: version first, then tags, steps and values', () => {
  const writer = new ScalarEventWriter(join(folder, 'a'));
  writer.write(0, { 'loss/mmd': 0.5, score: -2 }, 1234.5);
  writer.write(300, { 'loss/mmd': Number.NaN }, 1e9);
  writer.close();
  const [name] = readdirSync(join(folder, 'a'));
  assert.match(name, /^events\.out\.tfevents\.\d{10}\./);
  const [version, first, second, ...rest] = readEvents(writer.path);
  assert.is(rest.length, 0);
  assert.is(String(get(version, 3)), 'brain.Event:2');
  assert.is((get(first, 1) as Buffer).readDoubleLE(), 1234.5);
  assert.is(get(first, 2), 0n);
  const values = fields(get(first, 5) as Buffer).map((f) => fields(f.value as Buffer));
  assert.equal(
    values.map((v) => [String(get(v, 1)), (get(v, 2) as Buffer).readFloatLE()]),
    [
      ['loss/mmd', 0.5],
      ['score', -2],
    ],
  );
  assert.is(get(second, 2), 300n);
  const [nan] = fields(get(second, 5) as Buffer).map((f) => fields(f.value as Buffer));
  assert.ok(Number.isNaN((get(nan, 2) as Buffer).readFloatLE()));
});

test('a resumed run starts a second file that purges the steps after its checkpoint', () => {
  const first = new ScalarEventWriter(join(folder, 'b'));
  first.close();
  const second = new ScalarEventWriter(join(folder, 'b'), 7);
  second.close();
  assert.is(readdirSync(join(folder, 'b')).length, 2);
  const [, start] = readEvents(second.path);
  assert.is(get(start, 2), 8n);
  assert.is(get(fields(get(start, 7) as Buffer), 1), 1n);
  assert.throws(() => second.write(0, {}), /closed/);
});

test('steps that are none are refused', () => {
  const writer = new ScalarEventWriter(join(folder, 'c'));
  for (const step of [-1, 0.5, Number.NaN]) assert.throws(() => writer.write(step, { a: 1 }), /integer ≥ 0/);
  writer.close();
});

test.run();
