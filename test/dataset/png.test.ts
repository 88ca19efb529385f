import { inflateSync } from 'node:zlib';
import { createCanvas, loadImage } from '@napi-rs/canvas';
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

test('flat content is not filtered, noise is filtered by the row above', () => {
  const flat = samples(encodePng({ width: 64, height: 64, channels: 1, pixels: new Uint8Array(4096) }), 64);
  assert.equal([...flat.filters], [0]);
  const noisy = samples(encodePng({ width: 64, height: 64, channels: 1, pixels: noise(4096) }), 64);
  assert.equal([...noisy.filters], [2]);
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
