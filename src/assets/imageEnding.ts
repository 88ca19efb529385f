import { AssetError } from '../errors.js';
import type { ImageHeader } from './imageHeader.js';
import { checkPngChunks } from './pngChunks.js';

/** Markers of a JPEG, behind a byte ff: start of scan, end of image. */
const [SCAN, END] = [0xda, 0xd9];
/** A RIFF file states its length without the 8 bytes of `RIFF` and the length itself. */
const RIFF_HEAD = 8;

/**
 * Checks that an image file is all there, and a PNG undamaged. Decoders draw the part of a download that broke off, leave
 * the rest grey or black, and say nothing.
 * @param type as its header says (`readImageHeader`)
 * @param name file name for errors
 * @throws AssetError when the file ends early, or a chunk of a PNG is damaged
 */
export function checkImageEnding(type: ImageHeader['type'], bytes: Uint8Array, name: string): void {
  if (type === 'png') checkPngChunks(bytes, name);
  if (type === 'webp') checkWebpEnding(bytes, name);
  if (type === 'jpeg') checkJpegEnding(bytes, name);
}

function checkWebpEnding(bytes: Uint8Array, name: string): void {
  const stated = RIFF_HEAD + new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength).getUint32(4, true);
  if (bytes.length >= stated) return;
  throw new AssetError(
    `Expected ${stated} bytes for ${name}, by its RIFF header, but received ${bytes.length}: the file is cut off`,
  );
}

/** In a scan, a byte ff of the data is followed by 00, so that an end marker is one. A preview's lies before the scan. */
function checkJpegEnding(bytes: Uint8Array, name: string): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let at = 2;
  // Segments up to the scan: ff, marker, length. ff alone fills, 01 and d0 … d7 have no length.
  while (at + 4 <= bytes.length && bytes[at + 1] !== SCAN) {
    const marker = bytes[at + 1];
    if (marker === 0xff) at += 1;
    else at += marker === 0x01 || (marker >= 0xd0 && marker <= 0xd7) ? 2 : 2 + view.getUint16(at + 2);
  }
  const file = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (file.indexOf(Uint8Array.of(0xff, END), at) >= 0) return;
  throw new AssetError(
    `Expected the marker ff d9 at the end of ${name} but received none in ${bytes.length} bytes: the file is cut off`,
  );
}
