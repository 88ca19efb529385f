import { decode } from 'fast-png';
import { DatasetError } from '../errors.js';
import { describeImage } from './formats/imageFile.js';

/** How a class is written in mask PNGs: pixel values (grey levels or places in a palette), or colours `#rrggbb`. */
export type MaskValue = number | string;

/** Classes of mask PNGs by name; several values may mean one class. */
export type MaskValues = Readonly<Record<string, MaskValue | readonly MaskValue[]>>;

/** A mask as its file has it. */
export interface MaskFile {
  readonly width: number;
  readonly height: number;
  /** [H × W] grey level or place in the palette; undefined for a PNG with colours a pixel. */
  readonly indices?: Uint8Array | Uint16Array;
  /** [H × W] 0xrrggbb; undefined for a grey PNG. */
  readonly colours?: Uint32Array;
}

/**
 * Decodes a mask PNG as numbers: grey of 1 to 16 bits, a palette (numbers and colours), or RGB with or without alpha
 * (colours; what is transparent stays its colour).
 * @throws DatasetError when it is no PNG
 */
export function decodeMaskFile(bytes: Uint8Array, name: string): MaskFile {
  const { image } = describeImage(bytes, name);
  if (image.codec !== 'png') {
    throw new DatasetError(`Expected a PNG, which keeps numbers, for the mask ${name} but received ${image.codec}`);
  }
  try {
    const { width, height, channels, depth, palette, data } = decode(bytes);
    if (channels <= 2) {
      const every = depth < 8 ? unpack(data as Uint8Array, width, height, depth) : data;
      const indices = channels === 1 ? every : every.filter((_, i) => i % 2 === 0);
      const table = palette?.map(([r, g, b]) => (r << 16) | (g << 8) | b);
      const colours = table && Uint32Array.from(indices, (index) => table[index] ?? 0);
      return { width, height, indices: indices as Uint8Array | Uint16Array, ...(colours ? { colours } : {}) };
    }
    const shift = depth === 16 ? 8 : 0;
    const colours = Uint32Array.from({ length: width * height }, (_, i) => {
      const at = i * channels;
      return ((data[at] >> shift) << 16) | ((data[at + 1] >> shift) << 8) | (data[at + 2] >> shift);
    });
    return { width, height, colours };
  } catch (cause) {
    throw new DatasetError(`Expected a readable PNG for the mask ${name} but received: ${(cause as Error).message}`, {
      cause,
    });
  }
}

/** Rows of samples of 1, 2 or 4 bits, highest first, each row padded to a byte. */
function unpack(packed: Uint8Array, width: number, height: number, depth: number): Uint8Array {
  const stride = Math.ceil((width * depth) / 8);
  const mask = (1 << depth) - 1;
  return Uint8Array.from({ length: width * height }, (_, i) => {
    const bit = (i % width) * depth;
    return (packed[Math.floor(i / width) * stride + (bit >> 3)] >> (8 - depth - (bit & 7))) & mask;
  });
}

/** Looks up what the pixels of masks mean. */
export class MaskLegend {
  readonly #byIndex = new Map<number, number>();
  readonly #byColour = new Map<number, number>();
  readonly #rest: number;

  /**
   * @param values  of each class; without it pixel value k + 1 is class k and 0 is none, as in metasim's own class masks
   * @param classes names in the order of their numbers
   * @param rest    number of pixels with a value of no class
   */
  constructor(values: MaskValues | undefined, classes: readonly string[], rest: number) {
    this.#rest = rest;
    for (const [number, name] of classes.entries()) {
      const own = values ? (values[name] ?? []) : number + 1;
      for (const value of Array.isArray(own) ? (own as readonly MaskValue[]) : [own as MaskValue]) {
        const map = typeof value === 'number' ? this.#byIndex : this.#byColour;
        const key = typeof value === 'number' ? value : Number.parseInt(value.slice(1), 16);
        if (map.has(key)) throw new DatasetError(`Expected one class for the mask value ${value} but received two`);
        map.set(key, number);
      }
    }
  }

  /**
   * Classes of some pixels of a mask.
   * @param at positions [N] in the mask
   * @throws DatasetError when classes have numbers and the mask has none, or colours and it has none
   */
  classesAt({ indices, colours }: MaskFile, at: Int32Array, name: string): Uint8Array {
    if (this.#byIndex.size > 0 && !indices) {
      throw new DatasetError(
        `Expected a grey or palette PNG, whose pixels are numbers, for ${name} but received colours`,
      );
    }
    if (this.#byColour.size > 0 && !colours) {
      throw new DatasetError(`Expected a PNG with colours for ${name} but received a grey one`);
    }
    return Uint8Array.from(at, (i) => {
      const byIndex = indices ? this.#byIndex.get(indices[i]) : undefined;
      return byIndex ?? (colours ? this.#byColour.get(colours[i]) : undefined) ?? this.#rest;
    });
  }
}
