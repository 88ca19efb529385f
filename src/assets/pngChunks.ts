import { crc32 } from '../crc32.js';
import { AssetError } from '../errors.js';

const SIGNATURE_BYTES = 8;
/** Of a chunk besides its data: length and type before it, its check behind it. */
const [BEFORE, BEHIND] = [8, 4];

/**
 * Checks every chunk of a PNG against its CRC: decoders draw what is left of a damaged file and say nothing.
 * @param bytes a file that begins with PNG's signature
 * @throws AssetError naming the file and the chunk that is damaged or cut off
 */
export function checkPngChunks(bytes: Uint8Array, name: string): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let at = SIGNATURE_BYTES; ; ) {
    if (at + BEFORE + BEHIND > bytes.length) {
      throw new AssetError(`Expected chunks up to IEND for ${name} but received the end of the file at byte ${at}`);
    }
    const type = String.fromCharCode(...bytes.subarray(at + 4, at + BEFORE));
    const end = at + BEFORE + view.getUint32(at);
    if (end + BEHIND > bytes.length) {
      throw new AssetError(
        `Expected ${end + BEHIND} bytes or more for ${name}, by its chunk ${type} at byte ${at}, but received ${bytes.length}`,
      );
    }
    const [found, stated] = [crc32(bytes.subarray(at + 4, end)), view.getUint32(end)];
    if (found !== stated) {
      throw new AssetError(
        `Expected a chunk ${type} with the check ${hex(stated)} for ${name}, at byte ${at}, but received ${hex(found)}: the file is damaged`,
      );
    }
    if (type === 'IEND') return;
    at = end + BEHIND;
  }
}

const hex = (value: number): string => value.toString(16).padStart(8, '0');
