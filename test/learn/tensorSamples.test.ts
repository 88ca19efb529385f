import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { annotateSample } from '../../src/annotate/annotateSample.js';
import { annotateBatch } from '../../src/annotate/annotateScene.js';
import { ConfigError, ShapeError } from '../../src/errors.js';
import { type TensorSample, tensorDataset, tensorSamples } from '../../src/learn/tensorSamples.js';
import { tf } from '../../src/learn/tf.js';
import { Engine } from '../../src/render/engine.js';
import type { Sample } from '../../src/render/generate.js';
import type { SceneBatch } from '../../src/scene/sceneGraph.js';
import type { SampleRequest } from '../../src/scene/sceneSource.js';
import { leakedTensors, useCpu } from '../helpers/backend.js';
import { SpriteSource, spriteLibrary } from '../helpers/sprites.js';

const SIDE = 24;
const source = new SpriteSource(SIDE);

let engine: Engine;
test.before(async () => {
  await useCpu();
  engine = await Engine.create({ assets: spriteLibrary, workers: 0 });
});
test.after(() => engine.close());

/** Number of the scene's objects: a class index as good as any. */
const objects = ({ scene }: Sample) => scene.parent.length;

/** Takes all, as plain arrays, and disposes the tensors. */
async function drain(samples: AsyncIterable<TensorSample>) {
  const list: { xs: number[]; ys: number[]; shape: number[]; targetShape: number[]; dtype: string }[] = [];
  for await (const { xs, ys } of samples) {
    assert.is(xs.dtype, 'float32');
    list.push({
      xs: [...xs.dataSync()],
      ys: [...ys.dataSync()],
      shape: xs.shape,
      targetShape: ys.shape,
      dtype: ys.dtype,
    });
    tf.dispose([xs, ys]);
  }
  return list;
}

test('xs are the pixels of render as 0–1, ys what the function says, one by one and in batches', async () => {
  const batch = source.sampleBatch({ seed: 2, start: 4, count: 7 });
  const { color } = await engine.render(batch, { color: 'u8' });
  const pixels = Array.from(color, (value) => Math.fround(value / 255));
  const counts = batch.scenes.map(({ parent }) => parent.length);
  const options = { seed: 2, start: 4, count: 7, target: objects };
  const leaked = await leakedTensors(async () => {
    const single = await drain(tensorSamples(engine, source, options));
    assert.equal(
      single.flatMap(({ xs }) => xs),
      pixels,
    );
    assert.equal(
      single.map(({ ys }) => ys),
      counts.map((count) => [count]),
    );
    assert.equal([single[0].shape, single[0].targetShape], [[SIDE, SIDE, 3], []]);
    const batches = await drain(tensorSamples(engine, source, { ...options, batchSize: 3 }));
    assert.equal(
      batches.map(({ shape }) => shape),
      [3, 3, 1].map((length) => [length, SIDE, SIDE, 3]),
    );
    assert.equal(
      batches.map(({ ys }) => ys),
      [counts.slice(0, 3), counts.slice(3, 6), counts.slice(6)],
    );
    assert.equal(
      batches.flatMap(({ xs }) => xs),
      pixels,
    );
    const whole = await drain(tensorSamples(engine, source, { ...options, batchSize: 3, smallLastBatch: false }));
    assert.is(whole.length, 2);
  });
  assert.is(leaked, 0);
});

test('targets may be masks of 8 and 16 bits, boxes, and tensors, which are taken over', async () => {
  const batch = source.sampleBatch({ seed: 5, start: 0, count: 4 });
  const { instances, classes, coverage } = await engine.render(batch, { color: 'none', labels: true });
  const labels = annotateBatch(batch, instances!, coverage!);
  const first = (sample: Sample) => annotateSample(sample).find(({ amodalBox }) => amodalBox)!.amodalBox!;
  const leaked = await leakedTensors(async () => {
    const options = { seed: 5, count: 4, batchSize: 4 };
    const [numbers] = await drain(tensorSamples(engine, source, { ...options, target: (s) => s.instances }));
    assert.equal(numbers.ys, [...instances!]);
    assert.equal([numbers.targetShape, numbers.dtype], [[4, SIDE * SIDE], 'int32']);
    const [masks] = await drain(
      tensorSamples(engine, source, {
        ...options,
        target: (s) => tf.tensor2d(s.classes, [s.height, s.width], 'int32'),
      }),
    );
    assert.equal(masks.ys, [...classes!]);
    assert.equal(masks.targetShape, [4, SIDE, SIDE]);
    const [boxes] = await drain(tensorSamples(engine, source, { ...options, target: (s) => [...first(s)] }));
    assert.equal(
      boxes.ys,
      labels.flatMap((all) => [...all.find(({ amodalBox }) => amodalBox)!.amodalBox!]),
    );
    assert.equal(boxes.targetShape, [4, 4]);
  });
  assert.is(leaked, 0);
});

test('nothing leaks when a loop is left, the signal aborts, or a target fails or does not fit', async () => {
  const failing = async (options: Partial<Parameters<typeof tensorSamples>[2]>) => {
    try {
      await drain(tensorSamples(engine, source, { seed: 1, count: 20, batchSize: 4, target: objects, ...options }));
    } catch (error) {
      return error as Error;
    }
    return assert.unreachable('expected a rejection') as never;
  };
  const leaked = await leakedTensors(async () => {
    for await (const { xs, ys } of tensorSamples(engine, source, { seed: 1, count: 100, target: objects })) {
      tf.dispose([xs, ys]);
      break;
    }
    const late = (sample: Sample) => {
      if (sample.index === 6) throw new RangeError('no target');
      return tf.scalar(1);
    };
    assert.instance(await failing({ target: late }), RangeError);
    const ragged = await failing({ target: ({ index }) => Array.from({ length: index === 2 ? 3 : 1 }, () => 0) });
    assert.instance(ragged, ShapeError);
    assert.match(ragged.message, /Expected \[1\], .* for the target of scene 2 but received \[3\]/);
    const controller = new AbortController();
    const reason = new Error('enough');
    const stop = ({ index }: Sample) => {
      if (index === 9) controller.abort(reason);
      return 0;
    };
    assert.is(await failing({ target: stop, signal: controller.signal }), reason);
    for (const batchSize of [0, 1.5, Number.NaN]) assert.instance(await failing({ batchSize }), ConfigError);
  });
  assert.is(leaked, 0);
});

test('images of different sizes cannot be one batch', async () => {
  class Growing extends SpriteSource {
    override sampleBatch(request: SampleRequest): SceneBatch {
      return new SpriteSource(request.start === 0 ? 16 : 20).sampleBatch(request);
    }
  }
  let error: unknown;
  const leaked = await leakedTensors(async () => {
    try {
      await drain(tensorSamples(engine, new Growing(16), { seed: 1, count: 30, batchSize: 30, target: objects }));
    } catch (caught) {
      error = caught;
    }
  });
  assert.instance(error, ShapeError);
  assert.match(
    (error as Error).message,
    /Expected \[16, 16, 3\], .* for the image of scene 16 but received \[20, 20, 3\]/,
  );
  assert.is(leaked, 0);
});

/**
 * A pass as tfjs-data's `generator` makes it (tfjs-data/src/readers.ts): the function is called and awaited, then `next`
 * again and again until `done`.
 */
async function pass(makeIterator: () => unknown): Promise<number[]> {
  const iterator = (await makeIterator()) as { next(): unknown };
  const seen: number[] = [];
  for (;;) {
    const step = (await iterator.next()) as { value: TensorSample; done: boolean };
    if (step.done) return seen;
    assert.equal(Object.keys(step.value).sort(), ['xs', 'ys']);
    seen.push(...step.value.ys.dataSync());
    tf.dispose(step.value as unknown as tf.NamedTensorMap);
  }
}

test('tf.data: each call gives a new iterator of { value, done }, with the same samples', async () => {
  const factory = tensorDataset(engine, source, { seed: 3, count: 10, batchSize: 4, target: objects });
  const expected = source.sampleBatch({ seed: 3, start: 0, count: 10 }).scenes.map(({ parent }) => parent.length);
  const leaked = await leakedTensors(async () => {
    assert.equal(await pass(factory), expected);
    assert.equal(await pass(factory), expected);
    assert.equal(await Promise.all([pass(factory), pass(factory)]), [expected, expected]);
  });
  assert.is(leaked, 0);
});

test.run();
