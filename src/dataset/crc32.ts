/**
 * Reflected 32-bit cyclic redundancy checks: the CRC-32 of PNG and zlib, and the CRC-32C (Castagnoli) of TensorFlow's
 * records. `zlib.crc32` came after Node 20.0 and knows only the first.
 */

/** Reversed polynomials. */
const IEEE = 0xedb88320;
const CASTAGNOLI = 0x82f63b78;

const IEEE_TABLE = crcTable(IEEE);
const CASTAGNOLI_TABLE = crcTable(CASTAGNOLI);

/**
 * CRC-32 as in PNG chunks, an unsigned integer.
 * @param previous the check of the bytes before these, to go on from
 */
export function crc32(bytes: Uint8Array, previous = 0): number {
  return update(IEEE_TABLE, bytes, previous);
}

/** CRC-32C as in iSCSI and TFRecord, an unsigned integer. */
export function crc32c(bytes: Uint8Array, previous = 0): number {
  return update(CASTAGNOLI_TABLE, bytes, previous);
}

function update(table: Uint32Array, bytes: Uint8Array, previous: number): number {
  let crc = ~previous;
  for (let i = 0; i < bytes.length; i++) crc = table[(crc ^ bytes[i]) & 0xff] ^ (crc >>> 8);
  return ~crc >>> 0;
}

/** Remainder of every byte value. */
function crcTable(polynomial: number): Uint32Array {
  return Uint32Array.from({ length: 256 }, (_, byte) => {
    let crc = byte;
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ polynomial : crc >>> 1;
    return crc;
  });
}
