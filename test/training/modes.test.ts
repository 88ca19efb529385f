import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { loadConfig, stageConfig } from '../../src/config.js';
import { encodePng } from '../../src/dataset/png.js';
import { disposeBackend, initBackend } from '../../src/learn/backend.js';
import { tf } from '../../src/learn/tf.js';
import { circularWasserstein, directionHistogram, modeShares } from '../../src/metrics/directionHistogram.js';
import { Engine } from '../../src/render/engine.js';
import { attributeIndex } from '../../src/scene/attributeSchema.js';
import type { SceneBatch } from '../../src/scene/sceneGraph.js';
import { loadRun, readRunRecord, writeRunRecord } from '../../src/training/run.js';
import { type TrainOptions, trainTransformer } from '../../src/training/train.js';
import { trainFromConfig } from '../../src/training/trainFromConfig.js';
import { newPath } from '../batch/datasets.js';
import { carGrammar, carLibrary } from '../helpers/carScenes.js';

const SIZE = 32;
const REAL_IMAGES = 60;
const MODES = [0, 180];

await initBackend({ threads: 1 });
const engine = await Engine.create({ assets: carLibrary, workers: 0 });
const centre = { x: SIZE / 2, y: SIZE / 2 };
/** Always the same scene: nothing but the noise can tell two of them apart. */
const grammar = await carGrammar(SIZE, [
  { class: 'car', attributes: { ...centre, rotation: 60 }, mutable: ['rotation'] },
]);
const target = await carGrammar(SIZE, [
  { class: 'car', attributes: { ...centre, rotation: { categorical: { values: [0, -180] } } } },
]);
const wanted = directionHistogram([0, 180]);

function directions({ schema, scenes }: SceneBatch): number[] {
  const column = attributeIndex(schema, 'rotation');
  return scenes.map(({ attributes }) => attributes[schema.attributes.length + column]);
}

async function options(noise: number, meta: Record<string, unknown>, more: Partial<TrainOptions> = {}) {
  const { color } = await engine.render(target.sampleBatch({ seed: 1, start: 0, count: REAL_IMAGES }));
  return {
    config: stageConfig({
      features: { weights: 'random', layers: [64] },
      mmd: { realImages: REAL_IMAGES },
      transformer: { noise },
      pretrain: { steps: 400 },
      warmStart: { candidates: 12, scenes: 4, refine: 1, steps: 4 },
      meta: { learningRate: 4e-3, halveEvery: 3, batchSize: 24, ...meta },
    }),
    source: grammar,
    engine,
    realImages: { count: REAL_IMAGES, width: SIZE, height: SIZE, channels: 3 as const, images: color },
    ...more,
  };
}

/** Directions of fresh scenes after all stages of training. */
async function learnedDirections(noise: number): Promise<number[]> {
  const { transformer } = await trainTransformer(await options(noise, { epochs: 6, iterations: 25 }));
  const fresh = await transformer.transform(grammar.sampleBatch({ seed: 9, start: 5000, count: 200 }));
  transformer.dispose();
  return directions(fresh);
}

test('cars that head up or down: latent noise finds both directions, a single mean one of them', async () => {
  const single = await learnedDirections(0);
  const noisy = await learnedDirections(2);
  const distance = (found: number[]) => circularWasserstein(directionHistogram(found), wanted);
  const shares = modeShares(noisy, MODES, 20);
  console.log(
    `# Wasserstein of the directions ${distance(single).toFixed(1)}° single, ${distance(noisy).toFixed(1)}° with noise; ` +
      `shares ${shares.map((share) => share.toFixed(2)).join(' ')}`,
  );
  assert.ok(distance(single) > 80, 'half of the cars would have to turn round');
  for (const share of shares) assert.ok(share >= 0.25 && share <= 0.75, `share of a mode: ${share}`);
  assert.ok(distance(noisy) < 30, `${distance(noisy)}°`);
});

test('a run with noise that was stopped and resumed ends with the same weights; nothing leaks', async () => {
  const short = { epochs: 3, iterations: 2 };
  const before = tf.memory().numTensors;
  const whole = newPath('whole');
  const first = await trainTransformer(await options(3, short, { checkpoints: whole }));
  const parts = newPath('parts');
  const abort = new AbortController();
  const observer = { onEpoch: ({ epoch }: { epoch: number }) => epoch === 2 && abort.abort(new Error('stopped')) };
  const stopped = await options(3, short, { checkpoints: parts, observer: observer as never, signal: abort.signal });
  await trainTransformer(stopped).then(
    ({ transformer }) => {
      transformer.dispose();
      assert.unreachable('it should have been stopped');
    },
    (error) => assert.is(error.message, 'stopped'),
  );
  const second = await trainTransformer(await options(3, short, { checkpoints: parts }));
  assert.ok(second.resumedAt >= 1 && second.resumedAt < 3);
  assert.equal(await second.transformer.save(), await first.transformer.save());
  first.transformer.dispose();
  second.transformer.dispose();
  assert.is(tf.memory().numTensors, before);
});

test('a run folder keeps the noise: its source makes different scenes of one, the same ones each time', async () => {
  const folder = newPath('config');
  mkdirSync(join(folder, 'real'), { recursive: true });
  for (let i = 0; i < 4; i++) {
    const pixels = Uint8Array.from({ length: 32 * 32 }, (_, at) => (at * (i + 3)) % 251);
    writeFileSync(join(folder, 'real', `${i}.png`), encodePng({ width: 32, height: 32, channels: 1, pixels }));
  }
  const path = join(folder, 'noisy.yaml');
  writeFileSync(
    path,
    `
name: noisy
grammar: ${join(process.cwd(), 'examples/grammars/mnist.yaml')}
variables: { digits: digits, mutable: rotation }
assets: [{ kind: digits, variants: 1 }]
target: { images: { folder: real } }
features: { weights: random, layers: [64] }
mmd: { realImages: 4 }
transformer: { hidden: [8], noise: 2 }
pretrain: { steps: 60, batchSize: 8 }
warmStart: { kind: none }
meta: { epochs: 1, iterations: 1, batchSize: 4 }
workers: 0
`,
  );
  const out = join(folder, 'run');
  await trainFromConfig({ path, config: await loadConfig(path), out });
  const run = await loadRun(out);
  assert.is(run.record.noise, 2);
  const sample = async (seed: number, start: number, count: number) =>
    directions(await run.source.sampleBatch({ seed, start, count }));
  const together = await sample(4, 0, 40);
  assert.equal([...(await sample(4, 0, 17)), ...(await sample(4, 17, 23))], together, 'whatever stands beside a scene');
  assert.is.not((await sample(5, 0, 1))[0], together[0], 'another seed, another direction');
  const spread = Math.max(...together) - Math.min(...together);
  assert.ok(spread > 90, `upright digits are spread over ${spread}°`);
  run.dispose();

  // A record of before there was noise has none of it, and its weights are of a network without.
  const { format: _format, version: _version, noise: _noise, ...old } = await readRunRecord(out);
  await writeRunRecord(out, old);
  assert.is((await readRunRecord(out)).noise, undefined);
  try {
    await loadRun(out);
    assert.unreachable('weights of a network with noise do not fit one without');
  } catch (error) {
    assert.match((error as Error).message, /decoder\/0/);
  }
});

test.after(async () => {
  await engine.close();
  await disposeBackend();
});

test.run();
