import { setImmediate as turn } from 'node:timers/promises';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { Engine } from '../../src/render/engine.js';
import type { Sample } from '../../src/render/generate.js';
import { sampleStream } from '../../src/render/sampleStream.js';
import { SpriteSource, spriteLibrary } from '../helpers/sprites.js';

const COUNT = 60;

async function withEngine<T>(workers: number, use: (engine: Engine) => Promise<T>): Promise<T> {
  const engine = await Engine.create({ assets: spriteLibrary, workers });
  try {
    return await use(engine);
  } finally {
    await engine.close();
  }
}

/** What a sample says, in memory of its own. */
const textOf = ({ index, image, instances, classes }: Sample) =>
  [index, ...[image, instances, classes].map((array) => Buffer.from(Uint8Array.from(array)).toString('base64'))].join();

test('a stream gives the samples of generate, in order, with reuse valid until the next read', async () => {
  await withEngine(2, async (engine) => {
    const options = { count: COUNT, seed: 3, start: 5 };
    const expected: string[] = [];
    for await (const sample of engine.generate(new SpriteSource(64), options)) expected.push(textOf(sample));
    for (const reuse of [false, true]) {
      const found: string[] = [];
      for await (const sample of sampleStream(engine, new SpriteSource(64), { ...options, reuse })) {
        // Whatever the stream would do ahead of its reader it does now.
        for (let i = 0; i < 3; i++) await turn();
        found.push(textOf(sample));
      }
      assert.equal(found, expected);
    }
  });
});

test('back-pressure: nothing is sampled before the first read, and a slow reader holds the source up', async () => {
  await withEngine(0, async (engine) => {
    const source = new SpriteSource(64);
    const stream = sampleStream(engine, source, { count: 100_000, seed: 1 });
    for (let i = 0; i < 20; i++) await turn();
    assert.is(source.requests.length, 0);
    const reader = stream.getReader();
    for (let i = 0; i < 10; i++) assert.is((await reader.read()).value?.index, i);
    for (let i = 0; i < 50; i++) await turn();
    const asked = source.requests.reduce((sum, { count }) => sum + count, 0);
    assert.ok(asked >= 10 && asked < 1000, `${asked} of 100,000 scenes`);
    await reader.cancel();
  });
});

test('cancel ends the generator and gives its memory back', async () => {
  await withEngine(2, async (engine) => {
    const open = (seed: number) => sampleStream(engine, new SpriteSource(64), { count: 10_000, seed }).getReader();
    const readAndCancel = async (seed: number) => {
      const reader = open(seed);
      await reader.read();
      await reader.cancel();
      assert.equal(await reader.read(), { value: undefined, done: true });
    };
    await readAndCancel(0);
    const one = engine.stats().peakBytes;
    for (let i = 1; i < 20; i++) await readAndCancel(i);
    // A read that is under way, too.
    for (let i = 0; i < 20; i++) {
      const reader = open(i);
      const pending = reader.read();
      await reader.cancel();
      await pending;
    }
    // And leaving a loop.
    for (let i = 0; i < 20; i++) {
      for await (const { index } of sampleStream(engine, new SpriteSource(64), { count: 10_000, seed: i })) {
        if (index === 2) break;
      }
    }
    assert.ok(engine.stats().peakBytes < 2 * one, `${engine.stats().peakBytes} bytes, one stream takes ${one}`);
  });
});

test('errors of settings and aborts reach the reader', async () => {
  await withEngine(0, async (engine) => {
    const read = (options: { count: number; seed: number; signal?: AbortSignal }) =>
      sampleStream(engine, new SpriteSource(32), options)
        .getReader()
        .read()
        .then(
          () => 'a sample',
          (error: Error) => error.message,
        );
    assert.match(await read({ count: -1, seed: 0 }), /Expected an integer from 0 .* for count but received -1/);
    assert.is(await read({ count: 5, seed: 0, signal: AbortSignal.abort(new Error('enough')) }), 'enough');
  });
});

test.run();
