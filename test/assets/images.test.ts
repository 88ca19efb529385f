import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createCanvas } from '@napi-rs/canvas';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { imageAssets } from '../../src/assets/imageAssets.js';
import { readImageHeader } from '../../src/assets/imageHeader.js';
import { canvasImage } from '../../src/dataset/canvasImage.js';
import { decodeImage as decodeSampleImage } from '../../src/dataset/imageCodec.js';
import { AssetError, DatasetError } from '../../src/errors.js';

const folder = mkdtempSync(join(tmpdir(), 'metasim-images-'));
mkdirSync(join(folder, 'cars'));

/** Left half red, right half transparent (green where there is no transparency). */
function picture(width: number, height: number, opaque: boolean) {
  const canvas = createCanvas(width, height);
  const context = canvas.getContext('2d');
  if (opaque) {
    context.fillStyle = '#00ff00';
    context.fillRect(0, 0, width, height);
  }
  context.fillStyle = '#ff0000';
  context.fillRect(0, 0, width / 2, height);
  return canvas;
}

const png = new Uint8Array(picture(8, 6, false).toBuffer('image/png'));
const jpeg = new Uint8Array(picture(40, 24, true).toBuffer('image/jpeg', 95));
const webp = new Uint8Array(picture(10, 4, true).toBuffer('image/webp', 95));
writeFileSync(join(folder, 'cars/a.png'), png);
writeFileSync(join(folder, 'cars/b.jpg'), jpeg);
writeFileSync(join(folder, 'c.webp'), webp);
writeFileSync(join(folder, 'cars/notes.txt'), 'no image');

async function rejected(promise: Promise<unknown>): Promise<string> {
  const error = await promise.then(
    () => assert.unreachable(),
    (reason: unknown) => reason,
  );
  assert.instance(error, AssetError);
  return (error as Error).message;
}

test('headers: PNG, JPEG and all three kinds of WebP', () => {
  assert.equal(readImageHeader(png, 'a'), { type: 'png', width: 8, height: 6 });
  assert.equal(readImageHeader(jpeg, 'b'), { type: 'jpeg', width: 40, height: 24 });
  assert.equal(readImageHeader(webp, 'c'), { type: 'webp', width: 10, height: 4 });
  const riff = (kind: string, payload: number[]) =>
    Uint8Array.from([...Buffer.from(`RIFF0000WEBP${kind}0000`), ...payload, ...new Array(20).fill(0)]);
  // By the format's specification: VP8X has 24-bit sizes minus one, VP8L 14-bit ones behind 0x2f, VP8 after 9d 01 2a.
  assert.equal(readImageHeader(riff('VP8X', [0, 0, 0, 0, 0x0f, 0x27, 0, 0xff, 0, 0]), 'x'), {
    type: 'webp',
    width: 10000,
    height: 256,
  });
  // 300 − 1 = 0x12b, 200 − 1 = 0xc7: bits 0…13 and 14…27.
  const bits = 0x12b | (0xc7 << 14);
  assert.equal(
    readImageHeader(riff('VP8L', [0x2f, bits & 255, (bits >> 8) & 255, (bits >> 16) & 255, bits >>> 24]), 'l'),
    { type: 'webp', width: 300, height: 200 },
  );
  assert.equal(readImageHeader(riff('VP8 ', [0, 0, 0, 0x9d, 0x01, 0x2a, 0x40, 0x41, 0x20, 0x00]), 'v'), {
    type: 'webp',
    width: 320,
    height: 32,
  });
});

test('headers: every truncation of a file is an answer or an AssetError', () => {
  for (const bytes of [png, jpeg, webp]) {
    for (let length = 0; length < Math.min(bytes.length, 400); length++) {
      try {
        const { width, height } = readImageHeader(bytes.slice(0, length), 'cut');
        assert.ok(width >= 1 && height >= 1);
      } catch (error) {
        assert.instance(error, AssetError);
      }
    }
  }
});

test('imageAssets: names, sizes and order by glob; pixels are straight RGBA', async () => {
  const library = await imageAssets(folder, '**', { namePrefix: 'toy/', licence: 'CC0-1.0', edge: 'extend' });
  assert.equal(library.names, ['toy/c', 'toy/cars/a', 'toy/cars/b']);
  assert.equal(
    library.assets.map(({ width, height, edge, licence }) => [width, height, edge, licence]),
    [
      [10, 4, 'extend', 'CC0-1.0'],
      [8, 6, 'extend', 'CC0-1.0'],
      [40, 24, 'extend', 'CC0-1.0'],
    ],
  );
  const image = await library.assets[1].load();
  assert.equal([image.width, image.height, image.format, image.pixels.length], [8, 6, 'rgba8', 8 * 6 * 4]);
  assert.equal([...image.pixels.slice(0, 4)], [255, 0, 0, 255]);
  assert.is(image.pixels[7 * 4 + 3], 0);
  const photo = await library.assets[2].load();
  const [red, green, , alpha] = photo.pixels.slice(4 * (12 * 40 + 30));
  assert.ok(red < 20 && green > 235 && alpha === 255, 'the right half of the JPEG is green');
  assert.equal((await imageAssets(folder, 'cars/*')).names, ['cars/a', 'cars/b']);
});

test('a JPEG with an EXIF quarter turn has the size that it decodes to', async () => {
  // Orientation 6 in both byte orders: one entry (0x0112, type 3, count 1, value 6).
  const tags = {
    MM: [0x4d, 0x4d, 0, 42, 0, 0, 0, 8, 0, 1, 0x01, 0x12, 0, 3, 0, 0, 0, 1, 0, 6, 0, 0],
    II: [0x49, 0x49, 42, 0, 8, 0, 0, 0, 1, 0, 0x12, 0x01, 3, 0, 1, 0, 0, 0, 6, 0, 0, 0],
  };
  for (const [order, tiff] of Object.entries(tags)) {
    const segment = [0xff, 0xe1, 0, 2 + 6 + tiff.length, ...Buffer.from('Exif\0\0'), ...tiff];
    const file = Uint8Array.from([...jpeg.slice(0, 2), ...segment, ...jpeg.slice(2)]);
    assert.equal(readImageHeader(file, order), { type: 'jpeg', width: 24, height: 40 });
    writeFileSync(join(folder, `turned${order}.jpg`), file);
    const [asset] = (await imageAssets(folder, `turned${order}.jpg`)).assets;
    const { width, height, pixels } = await asset.load();
    assert.equal([width, height], [24, 40]);
    // Turned clockwise, the red left half is the upper one.
    assert.ok(pixels[0] > 235 && pixels[1] < 20);
    assert.ok(pixels[4 * 24 * 39] < 20 && pixels[4 * 24 * 39 + 1] > 235);
    rmSync(join(folder, `turned${order}.jpg`));
  }
});

test('a small file that would decode to gigabytes is refused by its header', async () => {
  const bomb = png.slice();
  new DataView(bomb.buffer).setUint32(16, 16000);
  new DataView(bomb.buffer).setUint32(20, 16000);
  writeFileSync(join(folder, 'bomb.png'), bomb);
  const said = await rejected(imageAssets(folder, 'bomb.png'));
  assert.match(said, /at most 16384 px a side and 16777216 px in all for .*bomb.png but received 16000 × 16000/);
  rmSync(join(folder, 'bomb.png'));
  assert.match(await rejected(imageAssets(folder, 'c.webp', { maxPixels: 39 })), /received 10 × 4/);
});

test('damaged, changed, missing: errors name the file', async () => {
  writeFileSync(join(folder, 'text.png'), 'this is no image at all, only its name says so');
  assert.match(await rejected(imageAssets(folder, 'text.png')), /Expected a PNG, JPEG or WebP file for .*text.png/);
  writeFileSync(join(folder, 'cut.png'), png.slice(0, 40));
  const cut = await imageAssets(folder, 'cut.png');
  assert.match(await rejected(Promise.resolve(cut.assets[0].load())), /Expected .* for .*cut.png.* received/);
  writeFileSync(join(folder, 'cut.png'), picture(5, 5, false).toBuffer('image/png'));
  assert.match(await rejected(Promise.resolve(cut.assets[0].load())), /8 × 6 px .* as when it was listed/);
  assert.match(await rejected(imageAssets(folder, 'none/*')), /match none\/\* in .* but received none/);
  assert.match(await rejected(imageAssets(join(folder, 'nowhere'), '**')), /readable folder of images/);
});

test('a JPEG or WebP of which the end is missing is refused, also where a preview inside it has one', async () => {
  // As cameras write it: an EXIF segment that holds a whole small JPEG, with an end marker of its own.
  const preview = [0xff, 0xd8, 0xff, 0xda, 0, 2, 1, 2, 3, 0xff, 0xd9];
  const segment = [0xff, 0xe1, 0, 2 + 6 + preview.length, ...Buffer.from('Exif\0\0'), ...preview];
  const withPreview = Uint8Array.from([...jpeg.slice(0, 2), ...segment, ...jpeg.slice(2)]);
  for (const [name, whole] of [
    ['cut.jpg', jpeg],
    ['preview.jpg', withPreview],
    ['cut.webp', webp],
  ] as const) {
    const path = join(folder, name);
    const load = async (bytes: Uint8Array) => {
      writeFileSync(path, bytes);
      return (await imageAssets(folder, name)).assets[0].load();
    };
    // What stands behind the end (a second picture, a sound) is not looked at.
    await load(whole);
    await load(Uint8Array.from([...whole, 1, 2, 3, 4]));
    for (const missing of [2, 20, 40]) {
      const cut = whole.slice(0, whole.length - missing);
      assert.match(await rejected(load(cut)), new RegExp(`Expected .* ${path}.* but received .*cut off`));
      const onCanvas = await canvasImage(cut, { width: 4, height: 4, channels: 3 }, path).catch((error) => error);
      assert.instance(onCanvas, DatasetError);
      assert.match(onCanvas.message, /readable image at .*cut off/);
      const codec = name.endsWith('webp') ? 'webp' : 'jpeg';
      const sample = await decodeSampleImage({ codec, bytes: cut }, name).catch((error) => error);
      assert.instance(sample, DatasetError);
      assert.match(sample.message, /readable image in .*cut off/);
    }
    rmSync(path);
  }
});

test('a PNG with damaged pixels is refused when it is drawn, with file and chunk, also where decoders see nothing', async () => {
  // Byte by byte: chunks are length, type, data, check; the first begins behind the signature of 8 bytes.
  const data = png.indexOf('I'.charCodeAt(0), 40);
  assert.is(Buffer.from(png.subarray(data, data + 4)).toString(), 'IDAT');
  const length = new DataView(png.buffer, png.byteOffset).getUint32(data - 4);
  const load = async (bytes: Uint8Array) => {
    writeFileSync(join(folder, 'damaged.png'), bytes);
    return (await imageAssets(folder, 'damaged.png')).assets[0].load();
  };
  await load(png);
  for (let at = data; at < data + 4 + length; at++) {
    const damaged = Uint8Array.from(png);
    damaged[at] ^= 4;
    assert.match(
      await rejected(Promise.resolve(load(damaged))),
      /check [0-9a-f]{8} for .*damaged\.png, at byte \d+/,
      String(at),
    );
  }
  // Without its end, and with something behind it, which is harmless.
  assert.match(
    await rejected(Promise.resolve(load(png.subarray(0, png.length - 12)))),
    /up to IEND for .*damaged\.png/,
  );
  await load(Uint8Array.from([...png, 1, 2, 3]));
});

test.after(() => rmSync(folder, { recursive: true }));

test.run();
