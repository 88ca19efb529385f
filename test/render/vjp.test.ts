import * as fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { RandomStream } from '../../src/random.js';
import { LocalRenderer } from '../../src/render/localRenderer.js';
import type { SceneBatch } from '../../src/scene/sceneGraph.js';
import {
  aerialNodes,
  mnistNodes,
  type NodeSpec,
  SPRITE_ATTRIBUTES,
  spriteBatch,
  spriteLibrary,
} from './spriteFixtures.js';
import { arbitraryNodes } from './spriteScenes.js';

const simd = await LocalRenderer.create(spriteLibrary, 'simd');
const scalar = await LocalRenderer.create(spriteLibrary, 'scalar');

const COLUMNS = SPRITE_ATTRIBUTES.length;
/** Half-steps for x, y, rotation, scale, scaleX, scaleY, then the linear ones. */
const STEPS = [0.5, 0.5, 3, 0.04, 0.04, 0.04, 0.25, 0.25, 0.25, 0.25, 0.25, 0.25];
const GRADIENTS = 6;
const BAR = 1e-5;

function randomGradients(batch: SceneBatch, count: number, seed = 1): Float32Array[] {
  const { width, height } = batch.scenes[0];
  return Array.from({ length: count }, (_, index) => {
    const random = new RandomStream({ seed, index });
    return Float32Array.from({ length: width * height * batch.schema.channels }, () => random.uniform() * 2 - 1);
  });
}

function colorOf(batch: SceneBatch, attributes: Float32Array): Float32Array {
  const scenes = [{ ...batch.scenes[0], attributes }];
  return simd.render({ ...batch, scenes }, 'f32', false)[0].color as Float32Array;
}

/** The naive way for one entry: render twice, subtract, multiply, sum in float64. One derivative a gradient. */
function naive(batch: SceneBatch, gradients: readonly Float32Array[], entry: number, step: number): number[] {
  const upper = batch.scenes[0].attributes.slice();
  const lower = upper.slice();
  upper[entry] += step;
  lower[entry] -= step;
  const high = colorOf(batch, upper);
  const low = colorOf(batch, lower);
  return gradients.map((gradient) => {
    let sum = 0;
    for (let i = 0; i < gradient.length; i++) sum += gradient[i] * (high[i] - low[i]);
    return sum / (upper[entry] - lower[entry]);
  });
}

function norm(values: readonly number[]): number {
  return Math.sqrt(values.reduce((sum, value) => sum + value * value, 0));
}

/**
 * Compares every mutable entry with the naive way. Relative error: norm of the differences over several gradients to the
 * norm of the derivatives, since one random gradient alone may be nearly orthogonal to the change of the image.
 * @returns the worst by attribute name
 */
function compareWithNaive(batch: SceneBatch): Record<string, number> {
  const { mutable } = batch.scenes[0];
  const gradients = randomGradients(batch, GRADIENTS);
  const ours = gradients.map((gradient) => simd.vjp(batch, gradient, { delta: STEPS }));
  const worst: Record<string, number> = {};
  for (let entry = 0; entry < mutable.length; entry++) {
    const { name } = SPRITE_ATTRIBUTES[entry % COLUMNS];
    if (mutable[entry] === 0) {
      for (const out of ours) assert.is(out[entry], 0, `${name} is not mutable`);
      continue;
    }
    const expected = naive(batch, gradients, entry, STEPS[entry % COLUMNS]);
    const difference = norm(expected.map((value, k) => ours[k][entry] - value));
    const scale = norm(expected);
    if (scale === 0) assert.is(difference, 0, `${name} changes nothing`);
    else worst[name] = Math.max(worst[name] ?? 0, difference / scale);
  }
  return worst;
}

const scenes: Record<string, { width: number; height: number; channels: 1 | 3; nodes: NodeSpec[] }> = {
  'ink on grey': { width: 64, height: 64, channels: 1, nodes: mnistNodes({ mutable: true }) },
  'ink on RGB': { width: 64, height: 64, channels: 3, nodes: mnistNodes({ mutable: true, red: 0.4, opacity: 0.8 }) },
  'aerial scene': { width: 256, height: 256, channels: 3, nodes: aerialNodes(true) },
  'overlap and borders, RGB': {
    width: 64,
    height: 64,
    channels: 3,
    nodes: [
      { asset: 'background/grass', x: 32, y: 32 },
      { asset: 'car', x: 2, y: 5, rotation: 30, opacity: 0.8, brightness: 1.1, mutable: true },
      { asset: 'disc', x: 10, y: 8, red: 0.5, mutable: true },
      { asset: 'glass', x: 12, y: 10, rotation: 10, opacity: 0.7, mutable: true },
      { asset: 'seven', x: 60, y: 61, mutable: true },
    ],
  },
  'overlap and borders, grey': {
    width: 64,
    height: 48,
    channels: 1,
    nodes: [
      { asset: 'tile', x: 62, y: 40, rotation: 20, opacity: 0.8, mutable: true },
      { asset: 'arrow', x: 50, y: 30, scale: 0.9, rotation: -30, red: 0.7, brightness: 1.2, mutable: true },
      { asset: 'seven', x: 55, y: 33, mutable: true },
      { asset: 'stamp', x: 20, y: 20, rotation: 3, mutable: true },
    ],
  },
  hierarchy: {
    width: 64,
    height: 64,
    channels: 3,
    nodes: [
      { asset: 'background/grass', x: 32, y: 32 },
      { x: 30, y: 30, rotation: 20, scale: 0.8, mutable: true },
      { asset: 'car', parent: 1, x: 3, y: 4, mutable: true },
      { asset: 'disc', parent: 2, x: 8, y: 2, rotation: 4, mutable: true },
      { asset: 'glass', x: 33, y: 33, rotation: 10, opacity: 0.7, mutable: true },
      { asset: 'seven', parent: 1, x: -12, y: 8, mutable: true },
      { parent: 1, x: 4, mutable: true },
      { x: 40, y: 50, rotation: 70, mutable: true },
      { asset: 'tile', parent: 7, x: 5, mutable: true },
    ],
  },
};

for (const [name, { nodes, ...canvas }] of Object.entries(scenes)) {
  test(`${name}: central differences are the naive ones to 1e-5`, () => {
    const worst = compareWithNaive(spriteBatch(canvas, [nodes]));
    const text = Object.entries(worst).map(([attribute, error]) => `${attribute} ${error.toExponential(1)}`);
    console.log(`# ${name}: ${text.join(', ')}`);
    for (const error of Object.values(worst)) assert.ok(error <= BAR, text.join(', '));
  });
}

test('random scenes: central differences are the naive ones', () => {
  fc.assert(
    fc.property(fc.constantFrom<1 | 3>(1, 3), arbitraryNodes(), (channels, nodes) => {
      const batch = spriteBatch({ width: 40, height: 33, channels }, [nodes]);
      const gradients = randomGradients(batch, 2);
      const ours = gradients.map((gradient) => simd.vjp(batch, gradient, { delta: STEPS }));
      const { mutable } = batch.scenes[0];
      for (let entry = 0; entry < mutable.length; entry++) {
        const expected = naive(batch, gradients, entry, STEPS[entry % COLUMNS]);
        // A sprite that shows a few pixels' rim changes next to nothing: rounding of the images is left.
        const rounding = 2e-6 / STEPS[entry % COLUMNS];
        for (const [k, value] of expected.entries()) {
          const difference = Math.abs(ours[k][entry] - value);
          const bound = rounding + 2e-5 * norm(expected);
          assert.ok(
            difference <= bound,
            `${SPRITE_ATTRIBUTES[entry % COLUMNS].name}: ${ours[k][entry]}, naive ${value}`,
          );
        }
      }
    }),
    { numRuns: 80, seed: 4 },
  );
});

test('the scalar build gives the same bytes', () => {
  fc.assert(
    fc.property(fc.constantFrom<1 | 3>(1, 3), arbitraryNodes(), fc.boolean(), (channels, nodes, automatic) => {
      const batch = spriteBatch({ width: 40, height: 33, channels }, [nodes]);
      const [gradient] = randomGradients(batch, 1);
      const options = automatic ? {} : { delta: STEPS };
      assert.equal(simd.vjp(batch, gradient, options), scalar.vjp(batch, gradient, options));
    }),
    { numRuns: 150, seed: 5 },
  );
});

test('a step that is not given moves a location by pixelDelta px on the canvas', () => {
  const nodes: NodeSpec[] = [
    { x: 30, y: 30, scale: 2, mutable: ['x'] },
    { asset: 'disc', parent: 0, x: 1.3, y: 2.1, scale: 0.5, mutable: ['x', 'y'] },
  ];
  const batch = spriteBatch({ width: 64, height: 64, channels: 3 }, [nodes]);
  const [gradient] = randomGradients(batch, 1);
  const automatic = simd.vjp(batch, gradient, { pixelDelta: 0.75 });
  const given = (x: number) => simd.vjp(batch, gradient, { delta: STEPS.map(() => x) });
  // The frame has a scale of 2: 0.75 px are 0.375 of its units, and 0.75 units of the canvas.
  assert.is(automatic[0], given(0.75)[0]);
  assert.is(automatic[COLUMNS], given(0.375)[COLUMNS]);
  assert.is(automatic[COLUMNS + 1], given(0.375)[COLUMNS + 1]);
  assert.is(simd.vjp(batch, gradient, { delta: STEPS.map(() => Number.NaN), pixelDelta: 0.75 })[0], automatic[0]);
});

test('a brighter image: dL/dbrightness of L = Σ image is the sum of the image', () => {
  // One opaque tile, 20 × 12 px, on black: image = brightness · texel, so its derivative is the image itself.
  const nodes = [{ asset: 'tile', x: 20, y: 10, mutable: ['brightness', 'opacity', 'mood'] }];
  const batch = spriteBatch({ width: 40, height: 20, channels: 3 }, [nodes]);
  const image = simd.render(batch)[0].color as Float32Array;
  const sum = image.reduce((all, value) => all + value, 0);
  const out = simd.vjp(batch, new Float32Array(image.length).fill(1));
  const [brightness, opacity, mood] = ['brightness', 'opacity', 'mood'].map((name) => out[columnOf(name)]);
  assert.ok(Math.abs(brightness - sum) < 1e-5 * sum);
  assert.ok(Math.abs(opacity - sum) < 1e-5 * sum);
  assert.is(mood, 0, 'an attribute without a role is not drawn');
});

test('ends of the range are not clamped', () => {
  // Opacity 1 is the maximum: the derivative still is that of both sides.
  const nodes = [{ asset: 'car', x: 32, y: 32, mutable: ['opacity'] }];
  const batch = spriteBatch({ width: 64, height: 64, channels: 3 }, [nodes]);
  const gradients = randomGradients(batch, 1);
  const expected = naive(batch, gradients, columnOf('opacity'), 0.25)[0];
  assert.ok(Math.abs(simd.vjp(batch, gradients[0])[columnOf('opacity')] - expected) < 1e-4 * Math.abs(expected));
});

test('a sprite outside the canvas gets a gradient when a step brings it in, else 0', () => {
  const at = (x: number) =>
    spriteBatch({ width: 32, height: 32, channels: 1 }, [[{ asset: 'disc', x, y: 16, mutable: true }]]);
  const gradient = new Float32Array(32 * 32).fill(1);
  assert.ok(simd.vjp(at(-12), gradient, { delta: STEPS.map(() => 2) })[0] > 0);
  assert.ok(simd.vjp(at(-500), gradient).every((value) => value === 0));
});

test('every scene of a batch gets its own gradient', () => {
  const canvas = { width: 64, height: 64, channels: 1 as const };
  const first = mnistNodes();
  const second = mnistNodes({ x: 20, rotation: -60 });
  const gradients = randomGradients(spriteBatch(canvas, [first]), 2);
  const both = new Float32Array(gradients[0].length * 2);
  both.set(gradients[0]);
  both.set(gradients[1], gradients[0].length);
  const out = simd.vjp(spriteBatch(canvas, [first, second]), both);
  const apart = [first, second].flatMap((nodes, k) => [...simd.vjp(spriteBatch(canvas, [nodes]), gradients[k])]);
  assert.equal([...out], apart);
  assert.ok(out.some((value) => value !== 0));
});

function columnOf(name: string): number {
  return SPRITE_ATTRIBUTES.findIndex((spec) => spec.name === name);
}

test.run();
