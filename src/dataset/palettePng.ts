import { crc32 } from '../crc32.js';
import { ShapeError } from '../errors.js';
import { encodePng } from './png.js';

/** Where a PNG's colour type and the check of its header stand, and where its second chunk begins. */
const COLOUR_TYPE_AT = 25;
const HEADER_TYPE_AT = 12;
const HEADER_CHECK_AT = 29;
const SECOND_CHUNK_AT = 33;
/** Colour type of pixels that are positions in a palette. */
const INDEXED = 3;
const MAX_COLOURS = 256;

/** Pixels that are positions in a palette. */
export interface PaletteImage {
  readonly width: number;
  readonly height: number;
  /** [H × W] positions in `palette`. */
  readonly pixels: Uint8Array;
  /** [3 × colours] red, green, blue 0–255; 1 to 256 colours. */
  readonly palette: Uint8Array;
}

/**
 * Encodes an indexed-colour PNG of 8 bits (PNG specification, colour type 3), so that a mask holds its numbers and still
 * looks like something. It differs from a grey PNG of the same bytes by its colour type and the palette's chunk.
 * @throws ShapeError when `pixels` or `palette` has a wrong length, or a pixel lies beyond the palette; DatasetError for
 *   sizes that PNG cannot hold
 */
export function encodePalettePng({ width, height, pixels, palette }: PaletteImage): Uint8Array {
  const colours = palette.length / 3;
  if (!Number.isInteger(colours) || colours < 1 || colours > MAX_COLOURS) {
    throw new ShapeError(`Expected 3 bytes for each of 1 to ${MAX_COLOURS} colours but received ${palette.length}`);
  }
  for (let i = 0; colours < MAX_COLOURS && i < pixels.length; i++) {
    const pixel = pixels[i];
    if (pixel >= colours)
      throw new ShapeError(`Expected pixels below ${colours} in a palette PNG but received ${pixel}`);
  }
  const grey = encodePng({ width, height, channels: 1, pixels });
  const file = new Uint8Array(grey.length + 12 + palette.length);
  const view = new DataView(file.buffer);
  file.set(grey.subarray(0, SECOND_CHUNK_AT));
  file[COLOUR_TYPE_AT] = INDEXED;
  view.setUint32(HEADER_CHECK_AT, crc32(file.subarray(HEADER_TYPE_AT, HEADER_CHECK_AT)));
  view.setUint32(SECOND_CHUNK_AT, palette.length);
  file.set([0x50, 0x4c, 0x54, 0x45], SECOND_CHUNK_AT + 4); // PLTE
  file.set(palette, SECOND_CHUNK_AT + 8);
  const end = SECOND_CHUNK_AT + 8 + palette.length;
  view.setUint32(end, crc32(file.subarray(SECOND_CHUNK_AT + 4, end)));
  file.set(grey.subarray(SECOND_CHUNK_AT), end + 4);
  return file;
}
