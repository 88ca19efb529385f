import { type FileHandle, open } from 'node:fs/promises';
import { DatasetError } from '../../errors.js';
import { scanJsonFile } from '../jsonElements.js';
import { type CocoCategory, type CocoPlace, checkCategory, cocoError } from './cocoSchema.js';
import { parseForeignJson } from './labelRecord.js';

/** Elements that lie this close together are read at once, bytes. */
const MAX_GAP = 1024;
/** Largest piece that is read at once for elements that are smaller, bytes. */
const MAX_SPAN = 1 << 20;

/** A record of a COCO file and where it stands. */
export interface CocoElement {
  readonly value: unknown;
  readonly place: CocoPlace;
}

/**
 * Where the images and annotations of a COCO file stand in it: 28 bytes an image and 16 an annotation (about 28 at
 * most while it is made), instead of the objects themselves. Annotations may come in any order.
 */
export class CocoIndex {
  readonly name: string;
  readonly categories: readonly CocoCategory[];
  /** Whether any annotation has a segmentation. */
  readonly segmented: boolean;
  readonly #path: string;
  readonly #images: Column;
  readonly #annotations: Column;
  /** Image ids in ascending order, and the position of each. */
  readonly #ids: Float64Array;
  readonly #positions: Uint32Array;
  /** Annotations by image: those of image i are `#order[#starts[i] … #starts[i + 1]]`, in the order of the file. */
  readonly #starts: Uint32Array;
  readonly #order: Uint32Array;

  private constructor(path: string, name: string, found: Found) {
    this.#path = path;
    this.name = name;
    this.categories = found.categories;
    this.segmented = found.segmented;
    this.#images = found.images;
    this.#annotations = found.annotations;
    const ids = found.images.keys();
    this.#positions = ascendingOrder(ids);
    this.#ids = Float64Array.from(this.#positions, (i) => ids[i]);
    this.#checkUnique();
    const imageIds = found.annotations.keys();
    const owners = Uint32Array.from(imageIds, (id, k) => {
      const i = this.find(id);
      if (i < 0) throw cocoError('the id of an image', this.#place('annotations', k), 'image_id', id);
      return i;
    });
    found.annotations.dropKeys();
    found.images.dropKeys();
    [this.#starts, this.#order] = groupBy(owners, this.imageCount);
  }

  /**
   * Reads a file once, from start to end, keeping places only.
   * @param path full path
   * @param name for errors
   * @throws DatasetError naming the place where it is damaged
   */
  static async read(path: string, name: string): Promise<CocoIndex> {
    const found: Found = {
      images: new Column(),
      annotations: new Column(),
      categories: [],
      segmented: false,
    };
    const keys = await withFile(path, name, (file) =>
      scanJsonFile(file, name, ['images', 'annotations', 'categories'], (key, index, bytes, offset) => {
        const place = { element: index < 0 ? key : `${key}[${index}]`, file: name };
        if (index < 0) throw cocoError('an array', place, '', Buffer.from(bytes.subarray(0, 20)).toString());
        take(found, key, offset, bytes.length, parse(bytes, place), place);
      }),
    );
    for (const key of ['images', 'categories']) {
      if (!keys.has(key)) throw new DatasetError(`Expected an array "${key}" in ${name} but received none in it`);
    }
    return new CocoIndex(path, name, found);
  }

  get imageCount(): number {
    return this.#images.length;
  }

  get annotationCount(): number {
    return this.#annotations.length;
  }

  /** Position of the image of an id; −1 where there is none. */
  find(id: number): number {
    let low = 0;
    let high = this.#ids.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#ids[middle] < id) low = middle + 1;
      else high = middle;
    }
    return this.#ids[low] === id ? this.#positions[low] : -1;
  }

  /** Opens the file for `image` and `annotationsOf`; the caller closes it. @throws DatasetError when it cannot be read */
  async open(): Promise<FileHandle> {
    return open(this.#path).catch((cause) => {
      throw new DatasetError(`Expected a readable file at ${this.name} but received: ${cause.message}`, { cause });
    });
  }

  /** The record of an image. @throws DatasetError when it cannot be read */
  async image(file: FileHandle, i: number): Promise<CocoElement> {
    const [bytes] = await this.#read(file, this.#images, [i]);
    const place = this.#place('images', i);
    return { value: parse(bytes, place), place };
  }

  /** The records of an image's annotations in the order of the file. @throws DatasetError when they cannot be read */
  async annotationsOf(file: FileHandle, i: number): Promise<CocoElement[]> {
    const numbers = [...this.#order.subarray(this.#starts[i], this.#starts[i + 1])];
    const pieces = await this.#read(file, this.#annotations, numbers);
    return pieces.map((bytes, k) => {
      const place = this.#place('annotations', numbers[k]);
      return { value: parse(bytes, place), place };
    });
  }

  /** The bytes of elements (numbers ascending); neighbours are read together. */
  async #read(file: FileHandle, column: Column, numbers: readonly number[]): Promise<Uint8Array[]> {
    const pieces: Uint8Array[] = [];
    for (let k = 0; k < numbers.length; ) {
      const start = column.offset(numbers[k]);
      let end = start + column.size(numbers[k]);
      let after = k + 1;
      for (; after < numbers.length; after++) {
        const next = column.offset(numbers[after]);
        const nextEnd = next + column.size(numbers[after]);
        if (next - end > MAX_GAP || nextEnd - start > MAX_SPAN) break;
        end = nextEnd;
      }
      const span = Buffer.allocUnsafe(end - start);
      const { bytesRead } = await file.read(span, 0, span.length, start);
      if (bytesRead < span.length)
        throw new DatasetError(`Expected ${this.name} to stay as it was but it is shorter now`);
      for (; k < after; k++) {
        const from = column.offset(numbers[k]) - start;
        pieces.push(span.subarray(from, from + column.size(numbers[k])));
      }
    }
    return pieces;
  }

  #checkUnique(): void {
    for (let i = 1; i < this.#ids.length; i++) {
      if (this.#ids[i] !== this.#ids[i - 1]) continue;
      throw cocoError('an id of its own', this.#place('images', this.#positions[i]), 'id', this.#ids[i]);
    }
  }

  #place(key: string, index: number): CocoPlace {
    return { element: `${key}[${index}]`, file: this.name };
  }
}

/** What the scan of a file gathers. */
interface Found {
  /** Keys: image ids. */
  readonly images: Column;
  /** Keys: the ids of their images. */
  readonly annotations: Column;
  readonly categories: CocoCategory[];
  segmented: boolean;
}

function take(found: Found, key: string, offset: number, size: number, value: unknown, place: CocoPlace): void {
  if (key === 'categories') {
    found.categories.push(checkCategory(value, place));
    return;
  }
  const field = key === 'images' ? 'id' : 'image_id';
  const record = (typeof value === 'object' && value !== null ? value : {}) as Record<string, unknown>;
  const id = record[field];
  if (!Number.isSafeInteger(id)) throw cocoError('an integer', place, field, id);
  found[key as 'images' | 'annotations'].push(id as number, offset, size);
  const { segmentation } = record;
  if (segmentation && !(Array.isArray(segmentation) && segmentation.length === 0)) found.segmented = true;
}

/** Places of the elements of an array, growing. */
class Column {
  length = 0;
  #keys = new Float64Array(16);
  #offsets = new Float64Array(16);
  #sizes = new Uint32Array(16);

  push(key: number, offset: number, size: number): void {
    const i = this.length++;
    if (i === this.#keys.length) {
      this.#keys = grown(this.#keys, new Float64Array(2 * i));
      this.#offsets = grown(this.#offsets, new Float64Array(2 * i));
      this.#sizes = grown(this.#sizes, new Uint32Array(2 * i));
    }
    this.#keys[i] = key;
    this.#offsets[i] = offset;
    this.#sizes[i] = size;
  }

  keys(): Float64Array {
    return this.#keys.subarray(0, this.length);
  }

  /** Forgets the keys, which are needed to make the index only, and the room to grow. */
  dropKeys(): void {
    this.#keys = new Float64Array(0);
    this.#offsets = this.#offsets.slice(0, this.length);
    this.#sizes = this.#sizes.slice(0, this.length);
  }

  offset(i: number): number {
    return this.#offsets[i];
  }

  size(i: number): number {
    return this.#sizes[i];
  }
}

function grown<T extends Float64Array | Uint32Array>(from: T, to: T): T {
  to.set(from);
  return to;
}

/** Positions in the order of their values; equal ones as they come. */
function ascendingOrder(values: Float64Array): Uint32Array {
  const order = Uint32Array.from(values, (_, i) => i);
  // Most files are in order already.
  const sorted = values.every((value, i) => i === 0 || values[i - 1] <= value);
  return sorted ? order : order.sort((a, b) => values[a] - values[b] || a - b);
}

/** Counting sort: where each group starts, and the members of the groups one after another, ascending in each. */
function groupBy(groups: Uint32Array, count: number): [starts: Uint32Array, order: Uint32Array] {
  const starts = new Uint32Array(count + 1);
  for (const group of groups) starts[group + 1]++;
  for (let i = 0; i < count; i++) starts[i + 1] += starts[i];
  const next = starts.slice();
  const order = new Uint32Array(groups.length);
  for (const [k, group] of groups.entries()) order[next[group]++] = k;
  return [starts, order];
}

function parse(bytes: Uint8Array, place: CocoPlace): unknown {
  return parseForeignJson(
    Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString(),
    `${place.element} of ${place.file}`,
  );
}

async function withFile<T>(path: string, name: string, use: (file: FileHandle) => Promise<T>): Promise<T> {
  const file = await open(path).catch((cause) => {
    throw new DatasetError(`Expected a readable file at ${name} but received: ${cause.message}`, { cause });
  });
  try {
    return await use(file);
  } finally {
    await file.close();
  }
}
