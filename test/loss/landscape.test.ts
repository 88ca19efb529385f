/** What the loss looks like around the paper's targets, with ImageNet weights and real digits. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { initBackend } from '../../src/learn/backend.js';
import { Inception } from '../../src/learn/inception/inception.js';
import type { tf } from '../../src/learn/tf.js';
import { MmdLoss } from '../../src/loss/mmd.js';
import { DATA, loadDigits, type Pose, posedDigits } from './digits.js';

await initBackend({ prefer: 'wasm' });

const digits = loadDigits();
const ready = digits !== undefined && existsSync(join(DATA, 'inception_v3', 'stem_to_mixed2.bin'));
const N = 60;
const M = 80;

/** The default loss at poses; generated digits are other ones than the real digits. */
async function lossAt(size: number, target: Pose, poses: readonly Pose[]): Promise<number[]> {
  const { pixels } = digits as NonNullable<typeof digits>;
  const inception = await Inception.create({ layers: [64, 192], weights: join(DATA, 'inception_v3') });
  const real = posedDigits(pixels, 0, M, size, target);
  const loss = await MmdLoss.create({ extractor: inception, real });
  const values = poses.map((pose) => {
    const images = posedDigits(pixels, 1000, N, size, pose);
    const value: tf.Scalar = loss.value(images);
    const [number] = value.dataSync();
    value.dispose();
    images.dispose();
    return number;
  });
  loss.dispose();
  inception.dispose();
  real.dispose();
  return values;
}

const falls = (values: number[]) => values.every((value, i) => i === 0 || value < values[i - 1]);

test('posedDigits: a quarter turn and a move carry whole pixels to whole pixels', () => {
  const pixels = Buffer.alloc(28 * 28);
  // One pixel, 13 to the right of the centre's left neighbour and one above the middle: (27, 13).
  pixels[13 * 28 + 27] = 255;
  const bright = (pose: Pose) => {
    const image = posedDigits(pixels, 0, 1, 64, pose);
    const index = image.dataSync<'float32'>().findIndex((value) => value > 0.99);
    image.dispose();
    return [index % 64, Math.floor(index / 64)];
  };
  // Upright in the middle: 18 further on both axes. A quarter turn counter-clockwise sends right to up: offsets from
  // the centre (13.5, -0.5) become (-0.5, -13.5).
  assert.equal(bright({ angle: 0, x: 32, y: 32 }), [45, 31]);
  assert.equal(bright({ angle: 90, x: 32, y: 32 }), [31, 18]);
  assert.equal(bright({ angle: 90, x: 16, y: 48 }), [15, 34]);
});

if (!ready) {
  console.log(`# skip the landscape of the loss: no digits or no Inception weights in ${DATA}`);
} else {
  for (const target of [
    { angle: 90, x: 16, y: 48 },
    { angle: 217, x: 46, y: 18 },
  ]) {
    test(`64 × 64, target ${target.angle}°: falls along the straight path from upright in the middle`, async () => {
      const path = [0, 0.25, 0.5, 0.75, 0.9, 1].map((f) => ({
        angle: target.angle * f,
        x: 32 + (target.x - 32) * f,
        y: 32 + (target.y - 32) * f,
      }));
      const values = await lossAt(64, target, path);
      assert.ok(falls(values), values.join(', '));
      assert.ok(values[0] > 20 * values[5], values.join(', '));
    });

    test(`64 × 64, target ${target.angle}°: falls while moving without turning`, async () => {
      const path = [0, 0.25, 0.5, 0.75].map((f) => ({
        angle: 0,
        x: 32 + (target.x - 32) * f,
        y: 32 + (target.y - 32) * f,
      }));
      const values = await lossAt(64, target, path);
      assert.ok(falls(values), values.join(', '));
    });
  }

  test('32 × 32, target 90°: sharp at the target, with a false minimum opposite to it', async () => {
    const at = (angle: number, x = 16, y = 16) => ({ angle, x, y });
    const poses = [
      at(90),
      at(80),
      at(100),
      at(90, 14.5),
      at(90, 17.5),
      at(90, 16, 14.5),
      at(90, 16, 17.5),
      at(-90),
      at(-60),
      at(-120),
      at(0),
    ];
    const [target, ...values] = await lossAt(32, at(90), poses);
    for (const value of values) assert.ok(value > 1.2 * target, `${value} against ${target}`);
    const [opposite, before, after, upright] = values.slice(6);
    assert.ok(opposite < before && opposite < after, 'a minimum at −90°');
    assert.ok(upright > 2 * opposite, 'upright is above both');
  });
}

test.run();
