import { AssetError } from '../errors.js';

/** What an image file says about itself before anything is decoded. */
export interface ImageHeader {
  readonly type: 'png' | 'jpeg' | 'webp';
  /** px, ≥ 1; of the upright picture, as decoders give it: a JPEG's EXIF orientation is applied. */
  readonly width: number;
  readonly height: number;
}

const PNG_SIGNATURE = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a];

/**
 * Type and size from the first bytes of a PNG, JPEG or WebP file. A small file can decode to gigabytes, so this is read
 * and capped before a decoder sees the file.
 * @param bytes the whole file (a JPEG may have its size behind long metadata)
 * @param name file name for errors
 * @throws AssetError when the type is none of these or the header is damaged
 */
export function readImageHeader(bytes: Uint8Array, name: string): ImageHeader {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const header = readPng(bytes, view) ?? readWebp(bytes, view) ?? readJpeg(bytes, view);
  if (!header) throw new AssetError(`Expected a PNG, JPEG or WebP file for ${name} but received no such header`);
  if (header.width < 1 || header.height < 1) {
    throw new AssetError(
      `Expected at least 1 × 1 px for ${name} but received ${header.width} × ${header.height} in its header`,
    );
  }
  return header;
}

function ascii(bytes: Uint8Array, start: number, length: number): string {
  return String.fromCharCode(...bytes.subarray(start, start + length));
}

function readPng(bytes: Uint8Array, view: DataView): ImageHeader | undefined {
  if (bytes.length < 24 || PNG_SIGNATURE.some((byte, i) => bytes[i] !== byte)) return undefined;
  if (ascii(bytes, 12, 4) !== 'IHDR') return undefined;
  return { type: 'png', width: view.getUint32(16), height: view.getUint32(20) };
}

function readWebp(bytes: Uint8Array, view: DataView): ImageHeader | undefined {
  if (bytes.length < 30 || ascii(bytes, 0, 4) !== 'RIFF' || ascii(bytes, 8, 4) !== 'WEBP') return undefined;
  const size = (width: number, height: number): ImageHeader => ({ type: 'webp', width, height });
  switch (ascii(bytes, 12, 4)) {
    case 'VP8X': {
      const uint24 = (at: number) => view.getUint16(at, true) + bytes[at + 2] * 65536;
      return size(uint24(24) + 1, uint24(27) + 1);
    }
    case 'VP8L': {
      const bits = view.getUint32(21, true);
      return bytes[20] === 0x2f ? size((bits & 0x3fff) + 1, ((bits >>> 14) & 0x3fff) + 1) : undefined;
    }
    case 'VP8 ':
      // Frame tag, start code 9d 01 2a, then 14 bits each (the other two bits ask for upscaling).
      if (bytes[23] !== 0x9d || bytes[24] !== 0x01 || bytes[25] !== 0x2a) return undefined;
      return size(view.getUint16(26, true) & 0x3fff, view.getUint16(28, true) & 0x3fff);
    default:
      return undefined;
  }
}

function readJpeg(bytes: Uint8Array, view: DataView): ImageHeader | undefined {
  if (bytes.length < 4 || bytes[0] !== 0xff || bytes[1] !== 0xd8) return undefined;
  let at = 2;
  let lying = false;
  while (at + 9 < bytes.length) {
    if (bytes[at] !== 0xff) return undefined;
    const marker = bytes[at + 1];
    if (marker === 0xff || marker === 0x01 || (marker >= 0xd0 && marker <= 0xd7)) {
      // Fill bytes and markers without a length.
      at += marker === 0xff ? 1 : 2;
      continue;
    }
    // Start of frame: c0 … cf without the tables c4, c8, cc. Height stands before width.
    if (marker >= 0xc0 && marker <= 0xcf && marker !== 0xc4 && marker !== 0xc8 && marker !== 0xcc) {
      const [height, width] = [view.getUint16(at + 5), view.getUint16(at + 7)];
      return lying ? { type: 'jpeg', width: height, height: width } : { type: 'jpeg', width, height };
    }
    if (marker === 0xe1) lying ||= swapsSides(bytes.subarray(at + 4, at + 2 + view.getUint16(at + 2)));
    // Scan data or the end before any frame.
    if (marker === 0xda || marker === 0xd9) return undefined;
    at += 2 + view.getUint16(at + 2);
  }
  return undefined;
}

/**
 * Whether an EXIF segment turns the picture by a quarter: tag 0x0112 (orientation) of the first directory is 5 … 8.
 * Layout: `Exif`, two zero bytes, byte order `II` or `MM`, 42, offset of the directory, number of entries, entries of 12
 * bytes (tag, type, count, value).
 */
function swapsSides(segment: Uint8Array): boolean {
  if (segment.length < 16 || ascii(segment, 0, 6) !== 'Exif\0\0') return false;
  const tiff = new DataView(segment.buffer, segment.byteOffset + 6, segment.length - 6);
  const little = tiff.getUint16(0) === 0x4949;
  const directory = tiff.getUint32(4, little);
  if (directory + 2 > tiff.byteLength) return false;
  const entries = tiff.getUint16(directory, little);
  for (let i = 0, at = directory + 2; i < entries && at + 12 <= tiff.byteLength; i++, at += 12) {
    if (tiff.getUint16(at, little) !== 0x0112) continue;
    const orientation = tiff.getUint16(at + 8, little);
    return orientation >= 5 && orientation <= 8;
  }
  return false;
}
