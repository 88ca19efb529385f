import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { deflateSync } from 'node:zlib';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { parseConfig, validationSchema } from '../../src/config.js';
import { crc32 } from '../../src/crc32.js';
import { encodePalettePng } from '../../src/dataset/palettePng.js';
import { encodePng } from '../../src/dataset/png.js';
import { ConfigError, DatasetError, type MetasimError } from '../../src/errors.js';
import {
  readLabelledValidation,
  readSegmentedValidation,
  validationClasses,
} from '../../src/training/validationSet.js';

const folder = mkdtempSync(join(tmpdir(), 'metasim-validation-'));
test.after(() => rmSync(folder, { recursive: true }));

const shape = { width: 4, height: 4, channels: 1 } as const;
const V = (value: object) => parseConfig(validationSchema, value, 'validation');

/** Grey PNG of width × height whose left half is 0 and right half 200. */
const halves = (width: number, height: number) =>
  encodePng({
    ...{ width, height, channels: 1 },
    pixels: Uint8Array.from({ length: width * height }, (_, i) => (i % width < width / 2 ? 0 : 200)),
  });
/** Mask of the same halves. */
const halfMask = (width: number, height: number, left: number, right: number) =>
  Uint8Array.from({ length: width * height }, (_, i) => (i % width < width / 2 ? left : right));

/** A set of images and masks; sizes differ. */
function maskSet(name: string, mask: (width: number, height: number) => Uint8Array): string {
  const path = join(folder, name);
  for (const part of ['images', 'masks']) mkdirSync(join(path, part), { recursive: true });
  for (const [stem, width, height] of [
    ['a', 16, 8],
    ['b', 12, 12],
  ] as const) {
    writeFileSync(join(path, 'images', `${stem}.png`), halves(width, height));
    writeFileSync(join(path, 'masks', `${stem}.png`), mask(width, height));
  }
  return path;
}

/** A palette PNG of 2 bits a pixel, by hand: colour type 3, rows padded to bytes. */
function twoBitPng(width: number, height: number, pixels: Uint8Array, palette: number[]): Uint8Array {
  const stride = Math.ceil(width / 4);
  const rows = Buffer.alloc(height * (stride + 1));
  for (let i = 0; i < pixels.length; i++) {
    const x = i % width;
    rows[Math.floor(i / width) * (stride + 1) + 1 + (x >> 2)] |= pixels[i] << (6 - 2 * (x & 3));
  }
  const chunk = (type: string, data: Uint8Array) => {
    const body = Buffer.concat([Buffer.from(type), data]);
    const [length, check] = [Buffer.alloc(4), Buffer.alloc(4)];
    length.writeUInt32BE(data.length);
    check.writeUInt32BE(crc32(body));
    return Buffer.concat([length, body, check]);
  };
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header.set([2, 3, 0, 0, 0], 8);
  return Buffer.concat([
    Buffer.from([137, 80, 78, 71, 13, 10, 26, 10]),
    ...[
      chunk('IHDR', header),
      chunk('PLTE', Buffer.from(palette)),
      chunk('IDAT', deflateSync(rows)),
      chunk('IEND', Buffer.alloc(0)),
    ],
  ]);
}

async function failure(work: Promise<unknown>): Promise<MetasimError> {
  return work.then(
    () => assert.unreachable('it succeeded'),
    (reason: MetasimError) => reason,
  ) as Promise<MetasimError>;
}

const HALVES = [...halfMask(4, 4, 0, 1)];

test('masks as grey levels, palettes of 8 and 2 bits, and colours say the same, aligned with their images', async () => {
  const palette = Uint8Array.of(9, 9, 9, 255, 0, 0, 0, 0, 255);
  const sets = {
    grey: maskSet('grey', (w, h) => encodePng({ width: w, height: h, channels: 1, pixels: halfMask(w, h, 1, 2) })),
    palette: maskSet('palette', (w, h) =>
      encodePalettePng({ width: w, height: h, pixels: halfMask(w, h, 1, 2), palette }),
    ),
    twoBits: maskSet('twoBits', (w, h) => twoBitPng(w, h, halfMask(w, h, 1, 2), [...palette])),
    rgb: maskSet('rgb', (w, h) =>
      encodePng({
        ...{ width: w, height: h, channels: 3 },
        pixels: Uint8Array.from([...halfMask(w, h, 0, 1)].flatMap((right) => (right ? [0, 0, 255] : [255, 0, 0]))),
      }),
    ),
  };
  const numbers = { red: 1, blue: [2, 7] };
  const colours = { red: '#ff0000', blue: '#0000FF' };
  for (const [set, values] of [
    ...[
      ['grey', undefined],
      ['grey', numbers],
      ['palette', numbers],
      ['palette', colours],
      ['palette', undefined],
    ],
    ...[
      ['twoBits', numbers],
      ['twoBits', colours],
      ['rgb', colours],
    ],
  ] as const) {
    const v = V({ kind: 'masks', folder: sets[set], ...(values ? { values } : {}) });
    const read = await readSegmentedValidation(v, ['red', 'blue'], 255, shape, 0);
    assert.is(read.count, 2);
    assert.equal([...read.masks], [...HALVES, ...HALVES], `${set} ${JSON.stringify(values)}`);
    // The image's bright half is the mask's second class.
    for (const [i, pixel] of [...read.images].entries()) assert.is(pixel > 100, read.masks[i] === 1, `${set} ${i}`);
  }
  // A class that the legend does not name is the rest.
  const some = V({ kind: 'masks', folder: sets.grey, values: { blue: 2 } });
  const { masks } = await readSegmentedValidation(some, ['red', 'blue'], 9, shape, 0);
  assert.equal([...masks.subarray(0, 16)], [...halfMask(4, 4, 9, 1)]);
  assert.equal(await validationClasses(some), ['blue']);
});

test('masks that are missing, of another size or kind are named', async () => {
  const read = (name: string, values?: object) =>
    readSegmentedValidation(
      V({ kind: 'masks', folder: join(folder, name), ...(values ? { values } : {}) }),
      ['red', 'blue'],
      255,
      shape,
      0,
    );
  const set = maskSet('bad', (w, h) => encodePng({ width: w, height: h, channels: 1, pixels: halfMask(w, h, 1, 2) }));
  const colours = await failure(read('bad', { red: '#ff0000' }));
  assert.instance(colours, DatasetError);
  assert.match(colours.message, /Expected a PNG with colours for .*bad\/masks\/a\.png but received a grey one/);
  assert.match((await failure(read('rgb', { red: 1 }))).message, /whose pixels are numbers, for .*rgb\/masks\/a\.png/);
  assert.match(
    (await failure(read('bad', { green: 1 }))).message,
    /Expected labels \(red, blue\) in .* received green/,
  );
  assert.match((await failure(read('bad', { red: 1, blue: 1 }))).message, /one class for the mask value 1/);
  assert.match(
    (await failure(read('bad', { red: 7 }))).message,
    /Expected pixels of red, blue in .*bad\/masks but received none/,
  );
  writeFileSync(
    join(set, 'masks', 'b.png'),
    encodePng({ width: 3, height: 3, channels: 1, pixels: new Uint8Array(9) }),
  );
  assert.match((await failure(read('bad'))).message, /Expected 12 × 12 px, as its image has, for .*b\.png .* 3 × 3/);
  rmSync(join(set, 'masks', 'b.png'));
  assert.match((await failure(read('bad'))).message, /Expected .*masks\/b\.png for .*images\/b\.png but received none/);
  const folders = V({ folder: join(folder, 'bad') });
  assert.is(folders.kind, 'folders');
  assert.instance(await failure(readSegmentedValidation(folders, ['red'], 255, shape, 0)), ConfigError);
  assert.instance(
    await failure(readLabelledValidation(V({ kind: 'masks', folder: set }), ['red'], shape, 0)),
    ConfigError,
  );
});

test('COCO: polygons and run lengths become class masks, the largest object the class of an image', async () => {
  const path = join(folder, 'coco');
  for (const part of ['annotations', 'train']) mkdirSync(join(path, part), { recursive: true });
  for (const name of ['a', 'b', 'c']) writeFileSync(join(path, 'train', `${name}.png`), halves(8, 8));
  const file = join(path, 'annotations', 'instances_train.json');
  writeFileSync(
    file,
    JSON.stringify({
      images: ['a', 'b', 'c'].map((name, id) => ({ id, file_name: `${name}.png`, width: 8, height: 8 })),
      categories: ['car', 'dog', 'tree'].map((name, i) => ({ id: 10 * (i + 1), name })),
      annotations: [
        // The right half is a tree; a car of 4 × 4 px lies over its upper right corner.
        { id: 1, image_id: 0, category_id: 30, bbox: [4, 0, 4, 8], segmentation: [[4, 0, 8, 0, 8, 8, 4, 8]] },
        { id: 2, image_id: 0, category_id: 10, bbox: [4, 0, 4, 4], segmentation: [[4, 0, 8, 0, 8, 4, 4, 4]] },
        // Column-major run lengths: the left half, 32 px, is a car.
        {
          id: 3,
          image_id: 1,
          category_id: 10,
          iscrowd: 0,
          bbox: [0, 0, 4, 8],
          segmentation: { size: [8, 8], counts: [0, 32, 32] },
        },
        { id: 4, image_id: 2, category_id: 20, bbox: [0, 0, 2, 2], segmentation: [[0, 0, 2, 0, 2, 2, 0, 2]] },
      ],
    }),
  );
  for (const place of [path, file]) {
    const v = V({ kind: 'coco', folder: place });
    assert.equal(await validationClasses(v), ['car', 'dog', 'tree']);
    const { masks, count } = await readSegmentedValidation(v, ['car', 'tree'], 5, shape, 0);
    assert.is(count, 3);
    const rows = (i: number) =>
      Array.from({ length: 4 }, (_, y) => masks.subarray(16 * i + 4 * y, 16 * i + 4 * y + 4).join(''));
    assert.equal(rows(0), ['5500', '5500', '5511', '5511']);
    assert.equal(rows(1), ['0055', '0055', '0055', '0055']);
    assert.equal(rows(2), ['5555', '5555', '5555', '5555']);
    // In the first image the tree is the larger object.
    const labelled = await readLabelledValidation(v, ['tree', 'car'], shape, 0);
    assert.is(labelled.count, 2, 'an image without an object of the classes is passed over');
    assert.equal([...labelled.labels], [0, 1]);
  }
  const limited = await readSegmentedValidation(V({ kind: 'coco', folder: path, limit: 2 }), ['car'], 255, shape, 1);
  assert.is(limited.count, 2);
  const unknown = await failure(readSegmentedValidation(V({ kind: 'coco', folder: path }), ['cat'], 255, shape, 0));
  assert.match(unknown.message, /Expected categories of .*coco \(car, dog, tree\) for the classes but received cat/);
});

test.run();
