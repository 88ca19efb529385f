import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { AssetLibrary } from '../../src/assets/assetLibrary.js';
import {
  AssetError,
  ConfigError,
  KernelError,
  type MetasimError,
  SceneGraphError,
  ShapeError,
} from '../../src/errors.js';
import { Engine, type EngineOptions } from '../../src/render/engine.js';
import { LocalRenderer } from '../../src/render/localRenderer.js';
import { totalNodes } from '../../src/scene/sceneGraph.js';
import { noise, spriteBatch, spriteLibrary } from '../helpers/sprites.js';

/** Large enough that workers do it: 24 scenes of 192 × 192. */
const large = spriteBatch(24, 192);
/** Small enough for the calling thread. */
const small = spriteBatch(5, 40);

async function withEngine<T>(options: Partial<EngineOptions>, use: (engine: Engine) => Promise<T>): Promise<T> {
  const engine = await Engine.create({ assets: spriteLibrary, ...options });
  try {
    return await use(engine);
  } finally {
    await engine.close();
  }
}

async function rejection(promise: Promise<unknown>): Promise<MetasimError> {
  try {
    await promise;
  } catch (error) {
    return error as MetasimError;
  }
  throw new Error('expected a rejection');
}

/** Typed arrays hold the same bytes. */
function sameBytes(a: ArrayBufferView | undefined, b: ArrayBufferView | undefined, what: string): void {
  const bytes = (view: ArrayBufferView) => new Uint8Array(view.buffer, view.byteOffset, view.byteLength);
  assert.ok(a && b && Buffer.compare(bytes(a), bytes(b)) === 0, what);
}

test('0, 1, 2 and 4 workers, SIMD and scalar: the same bytes as scene by scene on one thread', async () => {
  const local = await LocalRenderer.create(spriteLibrary);
  const gradient = noise(24 * 192 * 192 * 3);
  for (const batch of [small, large]) {
    const images = local.render(batch, 'f32');
    const bytes = local.render(batch, 'u8');
    const pixels = batch.scenes[0].width ** 2;
    const used = gradient.subarray(0, batch.scenes.length * pixels * 3);
    const derivatives = local.vjp(batch, used);
    assert.ok(derivatives.some((value) => value !== 0));
    for (const [workers, build] of [
      [0, 'simd'],
      [1, 'simd'],
      [2, 'simd'],
      [4, 'simd'],
      [2, 'scalar'],
    ] as const) {
      await withEngine({ workers, build }, async (engine) => {
        const what = `${batch.scenes.length} scenes, ${workers} workers, ${build}`;
        const rendered = await engine.render(batch, { labels: true });
        const u8 = await engine.render(batch, { color: 'u8' });
        assert.is(u8.instances, undefined);
        for (const [i, image] of images.entries()) {
          const part = <T extends { subarray(from: number, to: number): ArrayBufferView }>(array: T, length: number) =>
            array.subarray(i * length, (i + 1) * length);
          sameBytes(part(rendered.color, 3 * pixels), image.color, `colour of scene ${i}, ${what}`);
          sameBytes(part(rendered.instances!, pixels), image.instances, `instances of scene ${i}, ${what}`);
          sameBytes(part(rendered.classes!, pixels), image.classes, `classes of scene ${i}, ${what}`);
          sameBytes(part(u8.color, 3 * pixels), bytes[i].color, `u8 colour of scene ${i}, ${what}`);
        }
        sameBytes(await engine.vjp(batch, used), derivatives, `vjp, ${what}`);
      });
    }
  }
});

test('results say their shape; colours may be left out; `into` is filled and returned', async () => {
  await withEngine({ workers: 0 }, async (engine) => {
    const rendered = await engine.render(small, { labels: true });
    assert.equal([rendered.count, rendered.width, rendered.height, rendered.channels], [5, 40, 40, 3]);
    assert.is(rendered.color.length, 5 * 40 * 40 * 3);
    const labels = await engine.render(small, { color: 'none', labels: true });
    assert.is(labels.color, undefined);
    sameBytes(labels.instances, rendered.instances, 'labels without colours');
    assert.ok(labels.instances!.some((id) => id > 1));
    const other = spriteBatch(5, 40, 2);
    const again = await engine.render(other, { labels: true, into: rendered });
    assert.is(again.color, rendered.color);
    sameBytes(again.color, (await engine.render(other)).color, 'into');
    const short = { ...rendered, color: new Float32Array(3) };
    assert.instance(await rejection(engine.render(small, { into: short })), ShapeError);
    const wrong = { ...rendered, color: new Uint8Array(5 * 40 * 40 * 3) as unknown as Float32Array };
    assert.instance(await rejection(engine.render(small, { into: wrong })), ShapeError);
  });
});

test('vjp: delta by number and by name; an unknown name, a wrong length and a step of 0 px are refused', async () => {
  await withEngine({ workers: 0 }, async (engine) => {
    const local = await LocalRenderer.create(spriteLibrary);
    const gradient = noise(5 * 40 * 40 * 3);
    sameBytes(
      await engine.vjp(small, gradient, { delta: { x: 0.25, opacity: 0.01 }, pixelDelta: 0.7 }),
      local.vjp(small, gradient, { delta: [0.25, 0, 0, 0, 0.01], pixelDelta: 0.7 }),
      'by name',
    );
    const fixed = await engine.vjp(small, gradient, { delta: 0.125 });
    sameBytes(fixed, local.vjp(small, gradient, { delta: new Array(5).fill(0.125) }), 'by number');
    assert.is(fixed.length, totalNodes(small) * 5);
    assert.instance(await rejection(engine.vjp(small, gradient, { delta: { size: 1 } })), SceneGraphError);
    assert.instance(await rejection(engine.vjp(small, gradient, { delta: Number.NaN })), ConfigError);
    assert.instance(await rejection(engine.vjp(small, gradient, { pixelDelta: 0 })), ConfigError);
    assert.instance(await rejection(engine.vjp(small, gradient.subarray(1))), ShapeError);
  });
});

test('what cannot be rendered is refused by name', async () => {
  await withEngine({ workers: 0, maxScenePixels: 2000 }, async (engine) => {
    const [first] = small.scenes;
    const broken = (change: object) => rejection(engine.render({ ...small, scenes: [{ ...first, ...change }] }));
    assert.instance(await rejection(engine.render({ ...small, scenes: [] })), ShapeError);
    const mixed = await rejection(engine.render({ ...small, scenes: [first, { ...first, height: 39 }] }));
    assert.instance(mixed, ShapeError);
    assert.match(mixed.message, '40 × 40 px, as scenes[0] has, for scenes[1] but received 40 × 39');
    const tooLarge = await broken({ width: 50, height: 41 });
    assert.instance(tooLarge, KernelError);
    assert.match(tooLarge.message, 'at most 2000 px');
    const nan = await broken({ attributes: first.attributes.map((value, i) => (i === 3 ? Number.NaN : value)) });
    assert.instance(nan, SceneGraphError);
    assert.match(nan.message, 'scenes[0].attributes[3]');
    const cycle = await broken({ parent: first.parent.map(() => 1) });
    assert.match(cycle.message, 'scenes[0].parent[0]');
    const threeD = { ...small, schema: { ...small.schema, dimension: 3 as const } };
    const asMesh = await rejection(engine.render(threeD));
    assert.instance(asMesh, AssetError);
    assert.match(asMesh.message, /Expected a mesh for "(ring|tile)" but received a sprite/);
    assert.match((await rejection(engine.render(small, { depth: true }))).message, '3D scenes for depth');
    assert.match((await rejection(engine.render(small, { samples: 2 as 1 }))).message, '1 or 4 for samples');
    const unknown = await rejection(engine.render({ ...small, assets: ['ring', 'no such thing'] }));
    assert.instance(unknown, AssetError);
    assert.match(unknown.message, '"no such thing"');
    assert.is((await engine.render(small)).count, 5);
    assert.is(engine.stats().slotsInUse, 0);
  });
  for (const workers of [-1, 1.5, 1000])
    assert.instance(await rejection(Engine.create({ assets: spriteLibrary, workers })), ConfigError);
});

test('an asset is decoded once, when it is first drawn; one that fails is named and may work later', async () => {
  const calls = [0, 0];
  let fail = true;
  const assets = new AssetLibrary(
    spriteLibrary.assets.map((asset, i) => ({
      ...asset,
      load: async () => {
        calls[i]++;
        if (i === 1 && fail) throw new Error('disk on fire');
        return asset.load();
      },
    })),
  );
  await withEngine({ assets, workers: 0 }, async (engine) => {
    const rings = { ...small, scenes: small.scenes.map((s) => ({ ...s, asset: s.asset.map((a) => Math.min(a, 0)) })) };
    await Promise.all([engine.render(rings), engine.render(rings), engine.render(rings)]);
    assert.equal(calls, [1, 0]);
    const error = await rejection(engine.render(small));
    assert.instance(error, AssetError);
    assert.match(error.message, 'Asset "tile": disk on fire');
    fail = false;
    const local = await LocalRenderer.create(spriteLibrary);
    const { color } = await engine.render(small);
    sameBytes(color.subarray(0, 4800), local.render(small)[0].color, 'after the second try');
    assert.equal(calls, [1, 2]);
  });
});

test('many calls at once share a bounded number of slots and bounded memory', async () => {
  await withEngine({ workers: 2 }, async (engine) => {
    const expected = await engine.render(large, { color: 'u8' });
    const gradient = noise(24 * 192 * 192 * 3);
    const derivatives = await engine.vjp(large, gradient);
    const { peakBytes, slots } = engine.stats();
    const calls = Array.from({ length: 30 }, async (_, i) => {
      if (i % 3 === 0) sameBytes(await engine.vjp(large, gradient), derivatives, `vjp ${i}`);
      else sameBytes((await engine.render(large, { color: 'u8' })).color, expected.color, `call ${i}`);
    });
    await Promise.all(calls);
    const after = engine.stats();
    assert.is(slots, 4);
    assert.ok(after.peakSlotsInUse <= slots, `${after.peakSlotsInUse} slots`);
    assert.is(after.slotsInUse, 0);
    assert.ok(after.peakBytes < 3 * peakBytes, `${after.peakBytes} bytes, one call ${peakBytes}`);
  });
});

test('an aborted call rejects with the reason, whether waiting or under way; the others get their bytes', async () => {
  await withEngine({ workers: 2 }, async (engine) => {
    const expected = await engine.render(large, { color: 'u8' });
    const reason = new Error('enough');
    assert.is(await rejection(engine.render(small, { signal: AbortSignal.abort(reason) })), reason);
    const controller = new AbortController();
    let rejected = 0;
    const calls = Array.from({ length: 24 }, async (_, i) => {
      if (i % 2 === 0) {
        const call =
          i % 4 === 0
            ? engine.render(large, { signal: controller.signal })
            : engine.vjp(large, noise(24 * 192 * 192 * 3), { signal: controller.signal });
        assert.is(await rejection(call), reason);
        rejected++;
      } else sameBytes((await engine.render(large, { color: 'u8' })).color, expected.color, `call ${i}`);
    });
    setTimeout(() => controller.abort(reason), 5);
    await Promise.all(calls);
    assert.is(rejected, 12);
    sameBytes((await engine.render(large, { color: 'u8' })).color, expected.color, 'afterwards');
    assert.is(engine.stats().slotsInUse, 0);
  });
});

test('abort works on the calling thread too: a long call gives way to other events', async () => {
  await withEngine({ workers: 0 }, async (engine) => {
    const reason = new Error('enough');
    const controller = new AbortController();
    setTimeout(() => controller.abort(reason), 1);
    assert.is(
      await rejection(engine.render(spriteBatch(400, 128), { color: 'u8', signal: controller.signal })),
      reason,
    );
  });
});

test('closing rejects what is under way and all that comes later; it may be repeated', async () => {
  const engine = await Engine.create({ assets: spriteLibrary, workers: 2 });
  await engine.render(large);
  const pending = Array.from({ length: 12 }, () => rejection(engine.render(large)));
  await new Promise((resolve) => setTimeout(resolve, 2));
  const closing = engine.close();
  for (const error of await Promise.all(pending)) {
    assert.instance(error, KernelError);
    assert.match(error.message, 'Expected an open engine but received a closed one');
  }
  await closing;
  await engine.close();
  assert.instance(await rejection(engine.render(small)), KernelError);
  assert.instance(await rejection(engine.vjp(small, noise(5 * 40 * 40 * 3))), KernelError);
});

test.run();
