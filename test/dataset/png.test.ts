import { inflateSync } from 'node:zlib';
import { createCanvas, loadImage } from '@napi-rs/canvas';
import { decode as fastPngDecode } from 'fast-png';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { encodePng } from '../../src/dataset/png.js';
import { DatasetError, ShapeError } from '../../src/errors.js';
import { RandomStream } from '../../src/random.js';

const stream = new RandomStream({ seed: 3, index: 0 });
const noise = (length: number) => Uint8Array.from({ length }, () => stream.integer(256));

/** RGBA bytes as Skia decodes them. */
async function decode(png: Uint8Array): Promise<{ width: number; height: number; rgba: Uint8ClampedArray }> {
  const { width, height } = await loadImage(Buffer.from(png));
  const context = createCanvas(width, height).getContext('2d');
  context.drawImage(await loadImage(Buffer.from(png)), 0, 0);
  return { width, height, rgba: context.getImageData(0, 0, width, height).data };
}

/** Samples of a PNG with one IDAT, unfiltered by the specification's formulas for types 0 and 2. */
function samples(
  png: Uint8Array,
  stride: number,
): { depth: number; colourType: number; filters: Set<number>; bytes: Buffer } {
  const file = Buffer.from(png);
  const idat = file.indexOf('IDAT');
  const rows = inflateSync(file.subarray(idat + 4, idat + 4 + file.readUInt32BE(idat - 4)));
  const bytes = Buffer.alloc((rows.length / (stride + 1)) * stride);
  const filters = new Set<number>();
  for (let y = 0; y * (stride + 1) < rows.length; y++) {
    const filter = rows[y * (stride + 1)];
    filters.add(filter);
    for (let i = 0; i < stride; i++) {
      const above = filter === 2 && y > 0 ? bytes[(y - 1) * stride + i] : 0;
      bytes[y * stride + i] = rows[y * (stride + 1) + 1 + i] + above;
    }
  }
  return { depth: file[24], colourType: file[25], filters, bytes };
}

test('grey and RGB, flat and noisy, come back from Skia pixel for pixel', async () => {
  for (const channels of [1, 3] as const) {
    for (const [width, height] of [
      [1, 1],
      [64, 64],
      [33, 7],
      [300, 2],
    ]) {
      const flat = new Uint8Array(width * height * channels).fill(37);
      for (const pixels of [flat, noise(flat.length)]) {
        const { rgba, ...size } = await decode(encodePng({ width, height, channels, pixels }));
        assert.equal(size, { width, height });
        const expected = Uint8ClampedArray.from({ length: width * height * 4 }, (_, i) => {
          if (i % 4 === 3) return 255;
          return pixels[channels === 1 ? i >> 2 : (i >> 2) * 3 + (i % 4)];
        });
        assert.equal(rgba, expected);
      }
    }
  }
});

test('flat grey is left alone, smooth and coloured content is filtered by the row above', () => {
  const filters = (channels: 1 | 3, value: (x: number, y: number, c: number) => number) => {
    const stride = 64 * channels;
    const pixels = Uint8Array.from({ length: 64 * stride }, (_, i) =>
      value(Math.floor((i % stride) / channels), Math.floor(i / stride), i % channels),
    );
    return [...samples(encodePng({ width: 64, height: 64, channels, pixels }), stride).filters];
  };
  assert.equal(
    filters(1, (x, y) => (Math.hypot(x - 32, y - 32) < 12 ? 255 : 0)),
    [0],
  );
  assert.equal(
    filters(1, (x, y) => 2 * x + y + stream.integer(5)),
    [2],
  );
  assert.equal(
    filters(3, (_x, _y, c) => [40, 90, 200][c]),
    [2],
  );
  // A row above that says nothing about the one below only adds to the noise.
  assert.equal(
    filters(1, () => 100 + stream.integer(60)),
    [0],
  );
});

test('fast-png gives the pixels back: every kind of row, views that are not aligned, Buffers, sizes in turn', () => {
  const kinds: readonly ((i: number) => number)[] = [
    () => stream.integer(256),
    (i) => i >> 3,
    (i) => (i % 50 < 4 ? 255 : 0),
    () => 77,
    (i) => [40, 90, 200][i % 3],
  ];
  const sizes = [
    [1, 1],
    [64, 64],
    [5, 64],
    [64, 5],
    [129, 130],
    [200, 1],
    [1, 200],
  ];
  for (const channels of [1, 3] as const) {
    for (const [k, kind] of kinds.entries()) {
      for (const [width, height] of sizes) {
        const length = width * height * channels;
        for (const offset of [0, 1, 2]) {
          const all = Uint8Array.from({ length: length + offset }, (_, i) => kind(i));
          const view = all.subarray(offset);
          for (const pixels of [view, Buffer.from(all.buffer, offset, length)]) {
            const image = fastPngDecode(encodePng({ width, height, channels, pixels }));
            const name = `kind ${k}, ${width} × ${height} × ${channels}, offset ${offset}`;
            assert.equal([image.width, image.height, image.channels, image.depth], [width, height, channels, 8], name);
            assert.equal(new Uint8Array(image.data), new Uint8Array(view), name);
          }
        }
      }
    }
  }
});

test('the bytes depend on the image alone, not on what was encoded before, and pixels are only read', () => {
  const images = [
    { width: 40, height: 30, channels: 1 as const, pixels: noise(1200) },
    { width: 30, height: 40, channels: 1 as const, pixels: noise(1200) },
    { width: 300, height: 200, channels: 3 as const, pixels: noise(180_000).map((value) => value >> 4) },
    { width: 40, height: 30, channels: 1 as const, pixels: Uint16Array.from({ length: 1200 }, (_, i) => i >> 5) },
  ];
  const before = images.map(({ pixels }) => pixels.slice());
  const first = images.map(encodePng);
  const again = images.map((_, i) => encodePng(images[images.length - 1 - i])).reverse();
  assert.equal(again, first);
  assert.equal(
    images.map(({ pixels }) => pixels),
    before,
  );
});

test('16-bit grey keeps every value', () => {
  const values = Uint16Array.from({ length: 200 * 3 }, (_, i) => (i * 109) % 65536);
  const { depth, colourType, bytes } = samples(encodePng({ width: 200, height: 3, channels: 1, pixels: values }), 400);
  assert.is(depth, 16);
  assert.is(colourType, 0);
  assert.equal(
    Uint16Array.from({ length: values.length }, (_, i) => bytes.readUInt16BE(2 * i)),
    values,
  );
  // Of an odd position in its buffer, and through a decoder that is not ours.
  const image = fastPngDecode(encodePng({ width: 31, height: 7, channels: 1, pixels: values.subarray(1, 218) }));
  assert.equal([image.depth, image.data], [16, values.slice(1, 218)]);
});

test('wrong lengths, sizes and 16-bit RGB are refused', () => {
  const refuse = (image: Parameters<typeof encodePng>[0], type: typeof ShapeError | typeof DatasetError) =>
    assert.throws(
      () => encodePng(image),
      (error: unknown) => error instanceof type && /^Expected .+ but received/.test(error.message),
    );
  refuse({ width: 2, height: 2, channels: 1, pixels: new Uint8Array(5) }, ShapeError);
  refuse({ width: 1, height: 1, channels: 3, pixels: new Uint16Array(3) }, ShapeError);
  for (const width of [0, -1, 1.5, Number.NaN, 1e9]) {
    refuse({ width, height: 1, channels: 1, pixels: new Uint8Array(0) }, DatasetError);
  }
});

test.run();
