import * as fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { LocalRenderer } from '../../src/render/localRenderer.js';
import { AttributeRole } from '../../src/scene/attributeSchema.js';
import type { SceneBatch } from '../../src/scene/sceneGraph.js';
import { referenceImage, referenceInstances } from './referenceRenderer.js';
import { aerialNodes, mnistNodes, SPRITE_ATTRIBUTES, spriteBatch, spriteLibrary } from './spriteFixtures.js';
import { arbitraryNodes } from './spriteScenes.js';

const simd = await LocalRenderer.create(spriteLibrary, 'simd');
const scalar = await LocalRenderer.create(spriteLibrary, 'scalar');

/** f32 texture coordinates over 256 px and texels that differ by up to 1 from their neighbour. */
const TOLERANCE = 5e-5;

function worstDifference(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let worst = 0;
  for (let i = 0; i < a.length; i++) worst = Math.max(worst, Math.abs(a[i] - b[i]));
  return worst;
}

function expectReference(batch: SceneBatch): void {
  const { color, instances, classes } = simd.render(batch)[0];
  const worst = worstDifference(referenceImage(batch), color!);
  assert.ok(worst <= TOLERANCE, `colour differs by ${worst}`);
  const expected = referenceInstances(batch);
  const scene = batch.scenes[0];
  for (let i = 0; i < expected.length; i++) {
    if (Number.isNaN(expected[i])) continue;
    assert.is(instances![i], expected[i], `instance at pixel ${i}`);
    assert.is(classes![i], expected[i] === 0 ? 0 : scene.classId[expected[i] - 1] + 1, `class at pixel ${i}`);
  }
}

test('an upright sprite on pixel centres is its texels', () => {
  // 20 × 12 texels centred at (20, 10): texel (0, 0) falls on pixel (10, 4).
  const batch = spriteBatch({ width: 40, height: 20, channels: 3 }, [[{ asset: 'tile', x: 20, y: 10 }]]);
  const { color, instances } = simd.render(batch)[0];
  const at = (x: number, y: number) => [...color!.subarray((y * 40 + x) * 3, (y * 40 + x) * 3 + 3)];
  const texel = (i: number, j: number) =>
    [0.2 + (i + 0.5) / 30, 0.3 + (j + 0.5) / 20, 0.9 - (i + 0.5) / 40].map((v) =>
      Math.fround(Math.round(v * 255) / 255),
    );
  assert.equal(at(10, 4), texel(0, 0));
  assert.equal(at(29, 15), texel(19, 11));
  assert.equal(at(9, 4), [0, 0, 0]);
  assert.equal(at(30, 15), [0, 0, 0]);
  assert.equal(
    instances!.reduce((sum, id) => sum + id, 0),
    20 * 12,
  );
});

test('half a pixel to the right is the mean of neighbours, and covers half of the outer pixels', () => {
  const upright = simd.render(spriteBatch({ width: 40, height: 20, channels: 3 }, [[{ asset: 'tile', x: 20, y: 10 }]]));
  const moved = simd.render(spriteBatch({ width: 40, height: 20, channels: 3 }, [[{ asset: 'tile', x: 20.5, y: 10 }]]));
  const red = (image: (typeof upright)[0], x: number) => image.color![(9 * 40 + x) * 3];
  assert.ok(Math.abs(red(moved[0], 15) - (red(upright[0], 14) + red(upright[0], 15)) / 2) < 1e-6);
  assert.ok(Math.abs(red(moved[0], 10) - red(upright[0], 10) / 2) < 1e-6);
  assert.ok(Math.abs(red(moved[0], 30) - red(upright[0], 29) / 2) < 1e-6);
});

test('rotation is clockwise on screen and children live in the turned, scaled frame', () => {
  // Frame at (30, 30), turned by 90°: its x axis points down. A child 10 units along x, at scale 2, is 20 px below.
  const batch = spriteBatch({ width: 64, height: 64, channels: 1 }, [
    [
      { x: 30, y: 30, rotation: 90, scale: 2 },
      { asset: 'glass', parent: 0, x: 10, scale: 0.25 },
    ],
  ]);
  const { color } = simd.render(batch)[0];
  let mass = 0;
  let x = 0;
  let y = 0;
  for (let i = 0; i < color!.length; i++) {
    mass += color![i];
    x += color![i] * ((i % 64) + 0.5);
    y += color![i] * (Math.floor(i / 64) + 0.5);
  }
  assert.ok(Math.abs(x / mass - 30) < 0.3 && Math.abs(y / mass - 50) < 0.3, `centre at ${x / mass}, ${y / mass}`);
});

test('stretch, colour and opacity are not inherited', () => {
  const own = { scaleX: 3, scaleY: 0.2, brightness: 0.1, opacity: 0.2, red: 0, green: 0, blue: 0 };
  const nodes = (extra: object) => [
    { x: 30, y: 30, ...extra },
    { asset: 'car', parent: 0, x: 1 },
  ];
  const canvas = { width: 64, height: 64, channels: 3 as const };
  const plain = simd.render(spriteBatch(canvas, [nodes({})]))[0];
  assert.equal(simd.render(spriteBatch(canvas, [nodes(own)]))[0].color, plain.color);
});

test('the MNIST-like and the aerial-like scene are the reference, colour and labels', () => {
  expectReference(spriteBatch({ width: 64, height: 64, channels: 1 }, [mnistNodes()]));
  expectReference(spriteBatch({ width: 256, height: 256, channels: 3 }, [aerialNodes()]));
});

test('random scenes are the reference: every role, hierarchy, overlap, clipping, grey and RGB', () => {
  fc.assert(
    fc.property(
      fc.constantFrom<1 | 3>(1, 3),
      fc.integer({ min: 1, max: 45 }),
      fc.integer({ min: 1, max: 45 }),
      arbitraryNodes(),
      (channels, width, height, nodes) => expectReference(spriteBatch({ width, height, channels }, [nodes])),
    ),
    { numRuns: 60, seed: 1 },
  );
});

test('the scalar build gives the same bytes: floats, bytes, instances, classes', () => {
  fc.assert(
    fc.property(
      fc.constantFrom<1 | 3>(1, 3),
      fc.integer({ min: 1, max: 70 }),
      fc.integer({ min: 1, max: 70 }),
      arbitraryNodes(),
      (channels, width, height, nodes) => {
        const batch = spriteBatch({ width, height, channels }, [nodes]);
        for (const format of ['f32', 'u8'] as const) {
          const a = simd.render(batch, format)[0];
          const b = scalar.render(batch, format)[0];
          assert.is(Buffer.compare(bytesOf(a.color!), bytesOf(b.color!)), 0, format);
          assert.equal(a.instances, b.instances);
          assert.equal(a.classes, b.classes);
        }
      },
    ),
    { numRuns: 150, seed: 2 },
  );
  const aerial = spriteBatch({ width: 256, height: 256, channels: 3 }, [aerialNodes()]);
  assert.is(Buffer.compare(bytesOf(simd.render(aerial)[0].color!), bytesOf(scalar.render(aerial)[0].color!)), 0);
});

test('bytes are the floats, clamped, times 255, rounded half up', () => {
  const nodes = [
    { asset: 'tile', x: 9.3, y: 8, brightness: 1.7, opacity: 1 },
    { asset: 'stamp', x: 20, y: 9, rotation: 30, brightness: -0.4 },
    { asset: 'arrow', x: 18, y: 9, opacity: 0.5 },
  ];
  for (const channels of [1, 3] as const) {
    const batch = spriteBatch({ width: 37, height: 19, channels }, [nodes]);
    const floats = simd.render(batch, 'f32')[0].color!;
    const expected = Uint8Array.from(floats, (value) =>
      Math.floor(Math.fround(Math.fround(Math.min(1, Math.max(0, value)) * 255) + 0.5)),
    );
    assert.ok(floats.some((value) => value > 1) && floats.some((value) => value < 0));
    assert.equal(simd.render(batch, 'u8')[0].color, expected);
  }
});

test('a pixel does not depend on what is left out: labels, colour, the other scenes of the batch', () => {
  const canvas = { width: 64, height: 64, channels: 3 as const };
  const alone = simd.render(spriteBatch(canvas, [aerialNodes()]))[0];
  const batch = spriteBatch(canvas, [mnistNodes(), aerialNodes(), []]);
  const [, among, empty] = simd.render(batch);
  assert.equal(among.color, alone.color);
  assert.equal(simd.render(batch, 'f32', false)[1].color, alone.color);
  assert.equal(simd.render(batch, 'none')[1].instances, alone.instances);
  assert.ok(empty.color!.every((value) => value === 0) && empty.instances!.every((id) => id === 0));
});

test('scratch memory may hold anything before', () => {
  const batch = spriteBatch({ width: 40, height: 30, channels: 1 }, [
    [
      { asset: 'background/grass', x: 20, y: 15 },
      { asset: 'seven', x: 20, y: 15 },
    ],
  ]);
  const clean = simd.render(batch)[0];
  const loaded = simd.load(batch);
  const bytes = simd.kernels.sceneScratchBytes(2, 40, 30, 1);
  new Uint8Array(simd.kernels.memory.buffer, loaded.scratch, bytes).fill(0xff);
  const after = simd.renderLoaded(loaded, 0);
  assert.equal(after.color, clean.color);
  assert.equal(after.instances, clean.instances);
});

test('nothing is written outside of scratch and results', () => {
  const batch = spriteBatch({ width: 33, height: 21, channels: 3 }, [
    [
      { asset: 'background/grass', x: 16, y: 10 },
      { asset: 'car', x: 30, y: 18, rotation: 20, mutable: true },
      { asset: 'stamp', x: 2, y: 2, rotation: 70, mutable: true },
    ],
  ]);
  const { memory, constants, sceneScratchBytes } = simd.kernels;
  const everything = new Uint8Array(memory.buffer);
  // What the batch's own bytes do not cover holds a pattern, so that writing zeros shows too.
  everything.fill(0xa5, simd.load(batch).pointer);
  const loaded = simd.load(batch);
  new Float32Array(memory.buffer, loaded.gradient, 33 * 21 * 3).fill(1);
  new Float32Array(memory.buffer, loaded.delta, SPRITE_ATTRIBUTES.length).fill(0);
  const pixels = 33 * 21;
  const results: [number, number][] = [
    [loaded.scratch, loaded.scratch + sceneScratchBytes(3, 33, 21, 3)],
    [loaded.color, loaded.color + pixels * 12],
    [loaded.instances, loaded.instances + pixels * 2],
    [loaded.classes, loaded.classes + pixels],
    [loaded.coverage, loaded.coverage + 3 * constants.COVERAGE_BYTES],
    [loaded.out, loaded.out + 3 * SPRITE_ATTRIBUTES.length * 4],
  ];
  const before = everything.slice();
  for (const format of [constants.COLOR_F32, constants.COLOR_U8]) {
    const { pointer, remap, scratch, color, instances, classes, coverage } = loaded;
    simd.kernels.renderScene(pointer, 0, remap, simd.assetTable, scratch, color, format, instances, classes, coverage);
  }
  const { pointer, remap, scratch, gradient, delta, out } = loaded;
  simd.kernels.perturbationVjp(pointer, 0, remap, simd.assetTable, scratch, gradient, delta, 0.5, out);
  let outside = 0;
  for (let i = 0; i < everything.length; i++) {
    if (everything[i] !== before[i] && !results.some(([from, to]) => i >= from && i < to)) outside++;
  }
  assert.is(outside, 0);
});

test('a schema may lack any role', () => {
  const columns = SPRITE_ATTRIBUTES.filter(({ role }) => role === AttributeRole.X || role === AttributeRole.Opacity);
  const few = spriteBatch({ width: 40, height: 30, channels: 3 }, [[{ asset: 'car', x: 20, opacity: 0.5 }]], columns);
  const all = spriteBatch({ width: 40, height: 30, channels: 3 }, [[{ asset: 'car', x: 20, opacity: 0.5 }]]);
  assert.equal(simd.render(few)[0].color, simd.render(all)[0].color);
  const none = spriteBatch({ width: 40, height: 30, channels: 3 }, [[{ asset: 'car' }]], []);
  const origin = spriteBatch({ width: 40, height: 30, channels: 3 }, [[{ asset: 'car' }]]);
  assert.equal(simd.render(none)[0].color, simd.render(origin)[0].color);
});

test('absurd numbers neither trap nor hang nor paint nonsense', () => {
  const extreme = fc.constantFrom(0, -0, 1e-38, 1e-7, 1e-4, 1, 360, 1e5, 1e7, 1e20, 3.4e38, -1e-4, -1, -1e7, -3.4e38);
  const node = fc.record(
    {
      asset: fc.constantFrom('tile', 'car', 'seven', 'stamp', 'background/black'),
      x: extreme,
      y: extreme,
      rotation: extreme,
      scale: extreme,
      scaleX: extreme,
      scaleY: extreme,
      mutable: fc.constant(true),
    },
    { noNullPrototype: true },
  );
  fc.assert(
    fc.property(fc.array(node, { minLength: 1, maxLength: 4 }), fc.boolean(), (nodes, chained) => {
      const linked = nodes.map((entry, v) => ({ ...entry, parent: chained ? v - 1 : -1 }));
      const batch = spriteBatch({ width: 24, height: 17, channels: 3 }, [linked]);
      const image = simd.render(batch)[0];
      assert.ok(image.color!.every(Number.isFinite));
      assert.equal(image.color, scalar.render(batch)[0].color);
      const gradient = new Float32Array(24 * 17 * 3).fill(1);
      assert.equal(simd.vjp(batch, gradient), scalar.vjp(batch, gradient));
    }),
    { numRuns: 400, seed: 3 },
  );
});

test('an empty sprite and an asset without entry draw nothing', async () => {
  const batch = spriteBatch({ width: 20, height: 20, channels: 1 }, [[{ asset: 'blank', x: 10, y: 10 }]]);
  assert.ok(simd.render(batch)[0].color!.every((value) => value === 0));
  const loaded = simd.load(spriteBatch({ width: 20, height: 20, channels: 1 }, [[{ asset: 'seven', x: 10, y: 10 }]]));
  assert.ok(simd.renderLoaded(loaded, 0).color!.some((value) => value > 0));
  new Int32Array(simd.kernels.memory.buffer, loaded.remap, 1)[0] = -1;
  assert.ok(simd.renderLoaded(loaded, 0).color!.every((value) => value === 0));
});

test('3D batches and indices beyond the batch are refused', () => {
  const batch = spriteBatch({ width: 8, height: 8, channels: 1 }, [[]]);
  const meshes = simd.load({ ...batch, schema: { ...batch.schema, dimension: 3 } });
  assert.is(
    simd.kernels.renderScene(
      meshes.pointer,
      0,
      meshes.remap,
      simd.assetTable,
      meshes.scratch,
      meshes.color,
      1,
      0,
      0,
      0,
    ),
    simd.kernels.constants.STATUS_DIMENSION,
  );
  const loaded = simd.load(batch);
  const { kernels, assetTable } = simd;
  const { pointer, remap, scratch, color } = loaded;
  assert.is(
    kernels.renderScene(pointer, 1, remap, assetTable, scratch, color, 1, 0, 0, 0),
    kernels.constants.STATUS_INDEX,
  );
});

function bytesOf(values: Float32Array | Uint8Array): Buffer {
  return Buffer.from(values.buffer, values.byteOffset, values.byteLength);
}

test.run();
