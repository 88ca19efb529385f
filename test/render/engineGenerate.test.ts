import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { ConfigError, KernelError, SceneGraphError } from '../../src/errors.js';
import { Engine } from '../../src/render/engine.js';
import type { Sample } from '../../src/render/generate.js';
import type { SceneBatch } from '../../src/scene/sceneGraph.js';
import type { SampleRequest } from '../../src/scene/sceneSource.js';
import { SpriteSource, spriteLibrary } from '../helpers/sprites.js';

const COUNT = 150;

async function collect(samples: AsyncIterable<Sample>): Promise<Sample[]> {
  const list: Sample[] = [];
  for await (const sample of samples) list.push(sample);
  return list;
}

async function failure(samples: AsyncIterable<Sample>): Promise<Error> {
  return collect(samples).then(
    () => assert.unreachable('expected a rejection') as never,
    (error: Error) => error,
  );
}

async function withEngine<T>(workers: number, use: (engine: Engine) => Promise<T>): Promise<T> {
  const engine = await Engine.create({ assets: spriteLibrary, workers });
  try {
    return await use(engine);
  } finally {
    await engine.close();
  }
}

test('samples come in order, equal to render, whatever the workers and however arrays are handed out', async () => {
  const pixels = 160 * 160;
  const batch = new SpriteSource(160).sampleBatch({ seed: 3, start: 20, count: COUNT });
  for (const workers of [0, 2]) {
    await withEngine(workers, async (engine) => {
      const expected = await engine.render(batch, { color: 'u8', labels: true });
      for (const reuse of [false, true]) {
        let i = 0;
        const options = { count: COUNT, seed: 3, start: 20, reuse };
        for await (const sample of engine.generate(new SpriteSource(160), options)) {
          assert.is(sample.index, 20 + i);
          assert.equal(sample.scene, batch.scenes[i]);
          assert.equal([sample.width, sample.height, sample.channels], [160, 160, 3]);
          const at = (array: Uint8Array | Uint16Array, values: number) => array.subarray(i * values, (i + 1) * values);
          assert.is(Buffer.compare(sample.image, at(expected.color, 3 * pixels) as Uint8Array), 0);
          assert.equal(sample.instances, at(expected.instances!, pixels));
          assert.equal(sample.classes, at(expected.classes!, pixels));
          i++;
        }
        assert.is(i, COUNT);
      }
    });
  }
});

test('samples that are not reused belong to the consumer', async () => {
  await withEngine(2, async (engine) => {
    const samples = await collect(engine.generate(new SpriteSource(64), { count: 120, seed: 1 }));
    const batch = new SpriteSource(64).sampleBatch({ seed: 1, start: 0, count: 120 });
    const { color } = await engine.render(batch, { color: 'u8' });
    for (const [i, sample] of samples.entries()) {
      assert.is(Buffer.compare(sample.image, color.subarray(i * 12288, (i + 1) * 12288)), 0);
      assert.instance(sample.image.buffer, ArrayBuffer);
    }
  });
});

test('a slow consumer holds the source back', async () => {
  await withEngine(2, async (engine) => {
    const source = new SpriteSource(160);
    const samples = engine.generate(source, { count: 100_000, seed: 1 });
    for (let i = 0; i < 20; i++) await samples.next();
    await new Promise((resolve) => setTimeout(resolve, 100));
    const requested = source.requests.reduce((sum, request) => sum + request.count, 0);
    // 16 scenes first, then batches of 8 MiB (54 scenes): one in the consumer's hands and three ahead.
    assert.ok(requested <= 16 + 4 * 54, `${requested} scenes sampled`);
    const before = engine.stats().peakBytes;
    for (let i = 0; i < 500; i++) await samples.next();
    assert.ok(engine.stats().peakBytes <= 1.5 * before);
    await samples.return();
  });
});

test('two generators and a render inside one of their loops do not block each other', async () => {
  await withEngine(1, async (engine) => {
    const inner = engine.generate(new SpriteSource(128), { count: 60, seed: 2, reuse: true });
    let i = 0;
    for await (const sample of engine.generate(new SpriteSource(128), { count: 60, seed: 2, reuse: true })) {
      const other = await inner.next();
      assert.is(other.value?.index, sample.index);
      const batch = new SpriteSource(128).sampleBatch({ seed: 2, start: sample.index, count: 8 });
      const { color } = await engine.render(batch, { color: 'u8' });
      assert.is(Buffer.compare(color.subarray(0, sample.image.length), sample.image), 0);
      i++;
    }
    assert.is(i, 60);
    await inner.return();
  });
});

test('stopping early, aborting and closing give everything back', async () => {
  await withEngine(2, async (engine) => {
    for await (const sample of engine.generate(new SpriteSource(128), { count: 1000, seed: 1 }))
      if (sample.index === 30) break;
    const reason = new Error('enough');
    const controller = new AbortController();
    const options = { count: 1000, seed: 1, signal: controller.signal };
    const aborted = failure(engine.generate(new SpriteSource(128), options));
    setTimeout(() => controller.abort(reason), 10);
    assert.is(await aborted, reason);
    const used = engine.stats().peakBytes;
    for (let i = 0; i < 5; i++) await engine.generate(new SpriteSource(128), { count: 1000, seed: 1 }).return();
    await collect(engine.generate(new SpriteSource(128), { count: 200, seed: 1, reuse: true }));
    assert.ok(engine.stats().peakBytes <= 1.5 * used, 'slots of finished generators are used again');
    const running = engine.generate(new SpriteSource(128), { count: 1000, seed: 1 });
    await running.next();
    await engine.close();
    assert.instance(await failure(running), KernelError);
  });
});

test('no scenes give no samples; wrong numbers and a source that miscounts are refused', async () => {
  await withEngine(0, async (engine) => {
    assert.is((await collect(engine.generate(new SpriteSource(32), { count: 0, seed: 1 }))).length, 0);
    for (const options of [
      { count: -1, seed: 1 },
      { count: 1.5, seed: 1 },
      { count: 1, seed: -1 },
      { count: 1, seed: 1, start: -1 },
    ]) {
      assert.instance(await failure(engine.generate(new SpriteSource(32), options)), ConfigError);
    }
    class Short extends SpriteSource {
      override sampleBatch(request: SampleRequest): SceneBatch {
        return super.sampleBatch({ ...request, count: request.count - 1 });
      }
    }
    assert.instance(await failure(engine.generate(new Short(32), { count: 9, seed: 1 })), SceneGraphError);
    class Broken extends SpriteSource {
      override sampleBatch(request: SampleRequest): SceneBatch {
        if (request.start > 0) throw new RangeError('no more');
        return super.sampleBatch(request);
      }
    }
    assert.instance(await failure(engine.generate(new Broken(32), { count: 90, seed: 1 })), RangeError);
  });
});

test.run();
