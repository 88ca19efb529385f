/** The CRC-32 of PNG and zlib (crc32c.ts has that of TensorFlow's records). `zlib.crc32` came with Node 20.15. */
import * as zlib from 'node:zlib';

/** Reversed polynomial. */
const IEEE = 0xedb88320;

/** Bytes taken at a step: each has a table of its own, so that their look-ups do not wait for one another. */
const SLICES = 8;

const IEEE_TABLES = crcTables(IEEE);

/**
 * CRC-32 as in PNG chunks, an unsigned integer.
 * @param previous the check of the bytes before these, to go on from
 */
export const crc32: (bytes: Uint8Array, previous?: number) => number =
  (zlib as Partial<Pick<typeof zlib, 'crc32'>>).crc32 ?? crc32ByTable;

/** `crc32` where Node has none. */
export function crc32ByTable(bytes: Uint8Array, previous = 0): number {
  return update(IEEE_TABLES, bytes, previous);
}

/** Slicing-by-8 (Kounavis and Berry 2005), then byte by byte. */
function update(tables: readonly Uint32Array[], bytes: Uint8Array, previous: number): number {
  const [t0, t1, t2, t3, t4, t5, t6, t7] = tables;
  const whole = bytes.length - (bytes.length % SLICES);
  let crc = ~previous;
  let i = 0;
  for (; i < whole; i += SLICES) {
    crc =
      t7[(crc ^ bytes[i]) & 0xff] ^
      t6[((crc >>> 8) ^ bytes[i + 1]) & 0xff] ^
      t5[((crc >>> 16) ^ bytes[i + 2]) & 0xff] ^
      t4[(crc >>> 24) ^ bytes[i + 3]] ^
      t3[bytes[i + 4]] ^
      t2[bytes[i + 5]] ^
      t1[bytes[i + 6]] ^
      t0[bytes[i + 7]];
  }
  for (; i < bytes.length; i++) crc = t0[(crc ^ bytes[i]) & 0xff] ^ (crc >>> 8);
  return ~crc >>> 0;
}

/** Table k: the remainder of every byte value with k zero bytes behind it. */
function crcTables(polynomial: number): Uint32Array[] {
  const tables = Array.from({ length: SLICES }, () => new Uint32Array(256));
  for (let byte = 0; byte < 256; byte++) {
    let crc = byte;
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ polynomial : crc >>> 1;
    tables[0][byte] = crc;
  }
  for (let k = 1; k < SLICES; k++) {
    for (let byte = 0; byte < 256; byte++) {
      const crc = tables[k - 1][byte];
      tables[k][byte] = tables[0][crc & 0xff] ^ (crc >>> 8);
    }
  }
  return tables;
}
