/**
 * Pixels are a smooth function of attributes: the central difference at the default step against the derivative of a
 * reference with 16 × 16 samples a pixel, for smooth image gradients. The bar is 5 %.
 */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { RandomStream } from '../../src/random.js';
import { LocalRenderer } from '../../src/render/localRenderer.js';
import type { SceneBatch } from '../../src/scene/sceneGraph.js';
import { supersampled } from './referenceRenderer.js';
import { SPRITE_ATTRIBUTES, spriteBatch, spriteLibrary } from './spriteFixtures.js';

const SIDE = 44;
const SAMPLES = 16;
const POSES = 3;
const GRADIENTS = 6;
const BAR = 0.05;
const renderer = await LocalRenderer.create(spriteLibrary);

/** Steps of the reference: small beside a pixel where the texture fades; a multiple of its samples at hard outlines. */
const REFERENCE_STEPS = {
  fade: { x: 0.1, y: 0.1, rotation: 0.5, scale: 0.01 },
  extend: { x: 0.5, y: 0.5, rotation: 2, scale: 0.03 },
};
type Moved = keyof (typeof REFERENCE_STEPS)['fade'];
const MOVED = Object.keys(REFERENCE_STEPS.fade) as Moved[];

/** Waves longer than 20 px in any direction. [H, W, C] */
function smoothGradient(random: RandomStream, channels: number): Float32Array {
  const between = (low: number, high: number) => low + random.uniform() * (high - low);
  const [fx, fy, phase] = [between(-0.15, 0.15), between(-0.15, 0.15), between(0, 6)];
  return Float32Array.from({ length: SIDE * SIDE * channels }, (_, i) => {
    const pixel = Math.floor(i / channels);
    return Math.sin(fx * (pixel % SIDE) + fy * Math.floor(pixel / SIDE) + phase + (i % channels));
  });
}

function columnOf(name: string): number {
  return SPRITE_ATTRIBUTES.findIndex((spec) => spec.name === name);
}

/** The reference image with one attribute changed, and the attribute's value as float32. */
function moved(batch: SceneBatch, name: Moved, by: number): { image: Float64Array; value: number } {
  const attributes = batch.scenes[0].attributes.slice();
  const column = columnOf(name);
  attributes[column] += by;
  const image = supersampled({ ...batch, scenes: [{ ...batch.scenes[0], attributes }] }, 0, SAMPLES);
  return { image, value: attributes[column] };
}

/** Root mean square error of the kernel's derivatives relative to the reference's, over poses and gradients. */
function errorOf(asset: string, channels: 1 | 3): Record<Moved, number> {
  const random = new RandomStream({ seed: 11, index: 0 });
  const between = (low: number, high: number) => low + random.uniform() * (high - low);
  const { edge } = spriteLibrary.assets[spriteLibrary.indexOf(asset)];
  const error = { x: 0, y: 0, rotation: 0, scale: 0 };
  const total = { x: 0, y: 0, rotation: 0, scale: 0 };
  for (let pose = 0; pose < POSES; pose++) {
    const place = { x: 22 + between(-1.5, 1.5), y: 22 + between(-1.5, 1.5) };
    const node = { asset, ...place, rotation: between(-180, 180), scale: between(0.8, 1.2), mutable: MOVED };
    const batch = spriteBatch({ width: SIDE, height: SIDE, channels }, [[node]]);
    const gradients = Array.from({ length: GRADIENTS }, () => smoothGradient(random, channels));
    const derivatives = gradients.map((gradient) => renderer.vjp(batch, gradient));
    for (const name of MOVED) {
      const upper = moved(batch, name, REFERENCE_STEPS[edge][name]);
      const lower = moved(batch, name, -REFERENCE_STEPS[edge][name]);
      for (const [k, gradient] of gradients.entries()) {
        const sum = gradient.reduce((all, g, i) => all + g * (upper.image[i] - lower.image[i]), 0);
        const expected = sum / (upper.value - lower.value);
        error[name] += (derivatives[k][columnOf(name)] - expected) ** 2;
        total[name] += expected ** 2;
      }
    }
  }
  const relative = (name: Moved) => Math.sqrt(error[name] / total[name]);
  return { x: relative('x'), y: relative('y'), rotation: relative('rotation'), scale: relative('scale') };
}

for (const [asset, channels] of [
  ['seven', 1],
  ['car', 3],
  ['tile', 3],
] as const) {
  test(`${asset}: location, rotation and scale within 5 % of the supersampled derivative`, () => {
    const errors = errorOf(asset, channels);
    const text = MOVED.map((name) => `${name} ${(100 * errors[name]).toFixed(2)} %`).join(', ');
    console.log(`# ${asset}: error of the derivative: ${text}`);
    for (const name of MOVED) assert.ok(errors[name] < BAR, text);
  });
}

test.run();
