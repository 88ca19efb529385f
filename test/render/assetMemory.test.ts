import { createHash } from 'node:crypto';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { AssetLibrary, type SpriteAsset } from '../../src/assets/assetLibrary.js';
import { AssetError, ConfigError } from '../../src/errors.js';
import { RandomStream } from '../../src/random.js';
import { Engine, type RenderedBatch } from '../../src/render/engine.js';
import type { SceneBatch } from '../../src/scene/sceneGraph.js';
import type { SampleRequest, SceneSource } from '../../src/scene/sceneSource.js';
import { spriteSchema } from '../helpers/sprites.js';

/** Textures of 64 × 64 colours. In the kernels' memory they have 16 bytes a texel and a border: 68² · 16 = 74 kB. */
const SIDE = 64;
const TEXTURES = 240;
const TEXTURE_BYTES = (SIDE + 4) ** 2 * 16;
const CANVAS = 96;

/** A library that counts how often each texture is decoded, some at once and some later. */
class Counted {
  readonly loads = new Uint32Array(TEXTURES);
  readonly library: AssetLibrary;

  constructor(broken = -1) {
    this.library = new AssetLibrary(Array.from({ length: TEXTURES }, (_, i) => this.#asset(i, broken)));
  }

  get total(): number {
    return this.loads.reduce((sum, count) => sum + count, 0);
  }

  #asset(index: number, broken: number): SpriteAsset {
    const decode = () => {
      this.loads[index]++;
      if (index === broken) throw new Error('damaged');
      return { width: SIDE, height: SIDE, format: 'rgba8' as const, pixels: texture(index) };
    };
    const load = index % 2 === 0 ? decode : () => new Promise(setImmediate).then(decode);
    return { kind: 'sprite', name: `t${index}`, width: SIDE, height: SIDE, format: 'rgba8', edge: 'extend', load };
  }
}

function texture(index: number): Uint8Array {
  const pixels = new Uint8Array(4 * SIDE * SIDE).fill(255);
  for (let i = 0; i < SIDE * SIDE; i++) pixels.set([index, (i * 7 + index) & 255, (i >> 4) & 255], 4 * i);
  return pixels;
}

/** Scenes of three textures each: scene i begins with texture 3i, so that neighbours share none and all come round. */
class ManyTextures implements SceneSource {
  readonly name = 'textures';
  readonly #side: number;

  /** @param side of the square canvas, px */
  constructor(side: number) {
    this.#side = side;
  }

  sampleBatch({ seed, start, count }: SampleRequest): SceneBatch {
    return {
      schema: spriteSchema,
      assets: Array.from({ length: TEXTURES }, (_, i) => `t${i}`),
      scenes: Array.from({ length: count }, (_, i) => {
        const stream = new RandomStream({ seed, index: start + i });
        const place = () => this.#side * stream.uniform();
        const row = () => [place(), place(), 360 * stream.uniform(), 1, 1];
        return {
          width: this.#side,
          height: this.#side,
          index: start + i,
          parent: Int32Array.of(-1, -1, -1),
          classId: Uint16Array.of(2, 2, 2),
          asset: Int32Array.from([0, 1, 2], (k) => (3 * (start + i) + k) % TEXTURES),
          attributes: Float32Array.from([...row(), ...row(), ...row()]),
          mutable: new Uint8Array(15).fill(1),
        };
      }),
      provenance: { grammar: this.name, grammarHash: '', seed },
    };
  }
}

const source = new ManyTextures(CANVAS);
const batchOf = (start: number, count: number) => source.sampleBatch({ seed: 5, start, count });

async function withEngine<T>(
  counted: Counted,
  options: { workers: number; maxAssetBytes: number },
  use: (engine: Engine) => Promise<T>,
): Promise<T> {
  const engine = await Engine.create({ assets: counted.library, ...options });
  try {
    return await use(engine);
  } finally {
    await engine.close();
  }
}

function same(a: RenderedBatch<'u8'>, b: RenderedBatch<'u8'>): boolean {
  return Buffer.compare(a.color, b.color) === 0 && Buffer.compare(a.classes!, b.classes!) === 0;
}

const U8 = { color: 'u8', labels: true } as const;

test('images are the same with textures kept, with few of them kept, and with none', async () => {
  const renderAll = (maxAssetBytes: number) =>
    withEngine(new Counted(), { workers: 0, maxAssetBytes }, async (engine) => {
      const results: RenderedBatch<'u8'>[] = [];
      for (let start = 0; start < 160; start += 8) results.push(await engine.render(batchOf(start, 8), U8));
      return results;
    });
  const kept = await renderAll(Number.POSITIVE_INFINITY);
  for (const limit of [0, 10 * TEXTURE_BYTES]) {
    for (const [i, batch] of (await renderAll(limit)).entries()) assert.ok(same(batch, kept[i]), `batch ${i}`);
  }
});

test('a texture is decoded once while there is room, and again after it made way', async () => {
  const counts = async (maxAssetBytes: number) => {
    const counted = new Counted();
    await withEngine(counted, { workers: 0, maxAssetBytes }, async (engine) => {
      // All textures twice over, three scenes at a time.
      for (let start = 0; start < 160; start += 4) await engine.render(batchOf(start, 4), U8);
    });
    return counted.loads;
  };
  assert.ok((await counts(TEXTURES * TEXTURE_BYTES)).every((count) => count === 1));
  assert.ok((await counts(20 * TEXTURE_BYTES)).every((count) => count === 2));
  // What a call uses stays for the next one that uses the same.
  const counted = new Counted();
  await withEngine(counted, { workers: 0, maxAssetBytes: 0 }, async (engine) => {
    for (let i = 0; i < 5; i++) await engine.render(batchOf(0, 4), U8);
  });
  assert.is(counted.total, 12);
});

test('memory is bounded by the limit, or by what the batches in work need', async () => {
  const peak = (maxAssetBytes: number) =>
    withEngine(new Counted(), { workers: 0, maxAssetBytes }, async (engine) => {
      for (let start = 0; start < 160; start += 4) await engine.render(batchOf(start, 4), U8);
      return engine.stats().peakBytes;
    });
  const all = await peak(Number.POSITIVE_INFINITY);
  const none = await peak(0);
  const twenty = await peak(20 * TEXTURE_BYTES);
  assert.ok(all - none > (TEXTURES - 26) * TEXTURE_BYTES, `${all} against ${none}`);
  // A batch of twelve textures, and the last of those before it.
  assert.ok(twenty - none < 10 * TEXTURE_BYTES, `${twenty} against ${none}`);
});

test('calls that overlap share textures, and none loses what it draws with', async () => {
  const starts = Array.from({ length: 24 }, (_, i) => (i * 29) % 160);
  const expected = await withEngine(
    new Counted(),
    { workers: 0, maxAssetBytes: Number.POSITIVE_INFINITY },
    async (engine) => Promise.all(starts.map((start) => engine.render(batchOf(start, 12), U8))),
  );
  for (const workers of [0, 2]) {
    await withEngine(new Counted(), { workers, maxAssetBytes: 0 }, async (engine) => {
      for (let round = 0; round < 2; round++) {
        const results = await Promise.all(starts.map((start) => engine.render(batchOf(start, 12), U8)));
        for (const [i, result] of results.entries())
          assert.ok(same(result, expected[i]), `${workers} workers, call ${i}`);
      }
      // Two calls a worker are in work at once, with 36 textures each.
      const slots = 4 * 12 * CANVAS * CANVAS * 8;
      assert.ok(engine.stats().peakBytes < 5 * 36 * TEXTURE_BYTES + slots + (1 << 20), `${engine.stats().peakBytes}`);
    });
  }
});

test('generate keeps the limit, although it always has batches in work', async () => {
  // 1.6 MB a scene: 16 scenes in the first batch, then 5 in each, four of them in work or in the consumer's hands.
  const wide = new ManyTextures(512);
  const generate = (maxAssetBytes: number) =>
    withEngine(new Counted(), { workers: 2, maxAssetBytes }, async (engine) => {
      const images: string[] = [];
      for await (const { image, index } of engine.generate(wide, { count: 76, seed: 5, reuse: true })) {
        assert.is(index, images.length);
        images.push(createHash('sha256').update(image).digest('hex'));
      }
      return { images, peak: engine.stats().peakBytes };
    });
  const kept = await generate(Number.POSITIVE_INFINITY);
  const bounded = await generate(0);
  assert.equal(bounded.images, kept.images);
  // 228 textures are kept, or those of the largest batches that may be in work at once: 16 + 3 · 5 scenes.
  const least = (228 - 3 * 31) * TEXTURE_BYTES;
  assert.ok(kept.peak - bounded.peak > least - (2 << 20), `${kept.peak} against ${bounded.peak}`);
});

test('a texture that cannot be decoded fails its call and keeps none of the others', async () => {
  const counted = new Counted(7);
  await withEngine(counted, { workers: 0, maxAssetBytes: 0 }, async (engine) => {
    for (let i = 0; i < 3; i++) {
      const error = await engine.render(batchOf(0, 8), U8).catch((reason) => reason);
      assert.instance(error, AssetError);
      assert.match(error.message, 't7');
    }
    const before = engine.stats().peakBytes;
    for (let start = 8; start < 72; start += 4) await engine.render(batchOf(start, 4), U8);
    // Those before the damaged one have made way.
    assert.ok(engine.stats().peakBytes - before < 12 * TEXTURE_BYTES + (1 << 20));
    const error = await engine.render({ ...batchOf(0, 1), assets: Array(TEXTURES).fill('nobody') }).catch((e) => e);
    assert.instance(error, AssetError);
  });
});

test('a limit below 0 or that is no number is refused', async () => {
  for (const maxAssetBytes of [-1, Number.NaN]) {
    const error = await Engine.create({ assets: new Counted().library, maxAssetBytes }).catch((reason) => reason);
    assert.instance(error, ConfigError);
    assert.match(error.message, 'maxAssetBytes');
  }
});

test.run();
