import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createCanvas } from '@napi-rs/canvas';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { readImageFolder } from '../../src/dataset/imageFolder.js';
import { encodePng } from '../../src/dataset/png.js';
import { fitWindow, nearestPixels, resample } from '../../src/dataset/resample.js';
import { findPython } from '../helpers/python.js';

const folder = mkdtempSync(join(tmpdir(), 'metasim-resample-'));
test.after(() => rmSync(folder, { recursive: true }));

const whole = (width: number, height: number) => ({ x: 0, y: 0, width, height });

/** The same sum from its definition, pixel by pixel. */
function naive(source: number[], width: number, height: number, w: number, h: number): number[] {
  const triangle = (distance: number, reach: number) => Math.max(0, 1 - Math.abs(distance) / reach);
  const [sx, sy] = [width / w, height / h];
  return Array.from({ length: w * h }, (_, i) => {
    const [cx, cy] = [((i % w) + 0.5) * sx, (Math.floor(i / w) + 0.5) * sy];
    let [sum, total] = [0, 0];
    for (let y = 0; y < height; y++) {
      for (let x = 0; x < width; x++) {
        const weight = triangle(x + 0.5 - cx, Math.max(1, sx)) * triangle(y + 0.5 - cy, Math.max(1, sy));
        sum += weight * source[y * width + x];
        total += weight;
      }
    }
    return sum / total;
  });
}

test('resizing is the weighted mean of its definition, shrinking and growing', () => {
  const [width, height] = [13, 7];
  const source = Array.from({ length: width * height }, (_, i) => (i * 37) % 101);
  for (const [w, h] of [
    [5, 3],
    [13, 7],
    [20, 4],
    [1, 1],
    [26, 14],
  ]) {
    const out = resample(source, { width, height, channels: 1 }, { width: w, height: h }, whole(width, height));
    const expected = naive(source, width, height, w, h);
    for (let i = 0; i < out.length; i++) assert.ok(Math.abs(out[i] - expected[i]) < 1e-9, `${w} × ${h}: ${i}`);
  }
});

test('an image of the right size stays as it is; a level stays level', () => {
  const source = Array.from({ length: 5 * 4 * 3 }, (_, i) => (i * 91) % 256);
  const shape = { width: 5, height: 4, channels: 3 };
  assert.equal([...resample(source, shape, shape, whole(5, 4))], source);
  const flat = resample(
    new Array(99 * 31).fill(7),
    { width: 99, height: 31, channels: 1 },
    { width: 8, height: 40 },
    whole(99, 31),
  );
  assert.ok(flat.every((value) => Math.abs(value - 7) < 1e-9));
});

test('a fine checkerboard turns to flat grey, whatever the size and the codec of the file', async () => {
  const images = join(folder, 'boards');
  mkdirSync(images);
  for (const [width, height] of [
    [256, 256],
    [301, 211],
  ]) {
    const pixels = Uint8Array.from(
      { length: width * height },
      (_, i) => (((i % width) + Math.floor(i / width)) % 2) * 255,
    );
    writeFileSync(join(images, `${width}.png`), encodePng({ width, height, channels: 1, pixels }));
    const canvas = createCanvas(width, height);
    const context = canvas.getContext('2d');
    for (let i = 0; i < pixels.length; i++) {
      context.fillStyle = pixels[i] ? '#fff' : '#000';
      context.fillRect(i % width, Math.floor(i / width), 1, 1);
    }
    writeFileSync(join(images, `${width}.webp`), canvas.encodeSync('webp', 100));
    writeFileSync(join(images, `${width}.jpg`), canvas.encodeSync('jpeg', 100));
  }
  const { count, images: out } = await readImageFolder(images, { width: 16, height: 16, channels: 1 });
  assert.is(count, 6);
  const [low, high] = [Math.min(...out), Math.max(...out)];
  // Half of 255, rounded, and 2 for what JPEG and WebP lose.
  assert.ok(low >= 125 && high <= 130, `${low} to ${high}`);
});

test('what is transparent is composited over black; fit: cover cuts off evenly', async () => {
  const images = join(folder, 'alpha');
  mkdirSync(images);
  const canvas = createCanvas(8, 4);
  const context = canvas.getContext('2d');
  context.fillStyle = 'rgba(255, 255, 255, 0.5)';
  context.fillRect(2, 0, 4, 4);
  writeFileSync(join(images, 'half.png'), canvas.encodeSync('png'));
  const shape = { width: 4, height: 4, channels: 1 as const };
  const cover = await readImageFolder(images, shape, { fit: 'cover' });
  assert.ok(
    cover.images.every((value) => Math.abs(value - 128) <= 1),
    [...cover.images].join(),
  );
  const stretch = await readImageFolder(images, shape);
  assert.ok(stretch.images[0] < 40 && stretch.images[1] > 90, [...stretch.images].join());
  assert.equal(fitWindow({ width: 8, height: 4 }, { width: 3, height: 3 }, 'cover'), {
    x: 2,
    y: 0,
    width: 4,
    height: 4,
  });
});

test('nearest pixels lie under the centres of the output', () => {
  // 6 wide to 3: centres 1, 3, 5; 2 high to 1: centre 1, which begins row 1.
  assert.equal([...nearestPixels({ width: 6, height: 2 }, { width: 3, height: 1 }, whole(6, 2))], [7, 9, 11]);
  assert.equal([...nearestPixels({ width: 2, height: 1 }, { width: 4, height: 1 }, whole(2, 1))], [0, 0, 1, 1]);
});

test('shrinking agrees with Pillow', () => {
  const python = findPython('PIL');
  if (!python) return void console.log('# skip shrinking agrees with Pillow: no Python with PIL');
  const [width, height] = [61, 47];
  const pixels = Uint8Array.from({ length: width * height }, (_, i) => (i * i * 7 + i * 13) % 256);
  const path = join(folder, 'noise.png');
  writeFileSync(path, encodePng({ width, height, channels: 1, pixels }));
  const code = `from PIL import Image; import sys; print(list(Image.open(sys.argv[1]).resize((17, 11), Image.BILINEAR).getdata()))`;
  const theirs = JSON.parse(spawnSync(python, ['-c', code, path], { encoding: 'utf8' }).stdout) as number[];
  const ours = resample(pixels, { width, height, channels: 1 }, { width: 17, height: 11 }, whole(width, height));
  for (let i = 0; i < theirs.length; i++)
    assert.ok(Math.abs(ours[i] - theirs[i]) <= 1.5, `${i}: ${ours[i]} ${theirs[i]}`);
});

test.run();
