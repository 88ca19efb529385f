import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { openAssetSources } from '../../src/assets/assetSources.js';
import { loadConfig } from '../../src/config.js';
import { encodePng } from '../../src/dataset/png.js';
import { ConfigError, MetasimError, TrainingError } from '../../src/errors.js';
import { PosedSource } from '../../src/experiments/mnist/targets.js';
import { loadGrammar } from '../../src/grammar/grammar.js';
import { disposeBackend, initBackend } from '../../src/learn/backend.js';
import { tf } from '../../src/learn/tf.js';
import { Engine } from '../../src/render/engine.js';
import { evaluateRun } from '../../src/training/evaluateRun.js';
import { loadRun } from '../../src/training/run.js';
import type { TrainObserver } from '../../src/training/train.js';
import { trainedEpochs } from '../../src/training/train.js';
import { trainFromConfig } from '../../src/training/trainFromConfig.js';

const SIZE = 32;
const folder = mkdtempSync(join(tmpdir(), 'metasim-train-'));
const configPath = join(folder, 'digits.yaml');
writeFileSync(
  configPath,
  `
name: tiny
grammar: ${resolve('examples/grammars/mnist.yaml')}
variables: { digits: digits, size: ${SIZE}, mutable: rotation }
assets: [{ kind: digits, variants: 6, to: 4 }]
target: { images: { folder: real }, validation: { folder: validation } }
labels: ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"]
features: { weights: random, layers: [64] }
mmd: { realImages: 20 }
transformer: { hidden: [8] }
pretrain: { steps: 30, batchSize: 8 }
warmStart: { candidates: 6, scenes: 8, refine: 1, steps: 3 }
meta: { epochs: 3, iterations: 2, batchSize: 8 }
task: { epochs: 1 }
workers: 0
`,
);

await initBackend({ threads: 1 });
await writeTarget();
const config = await loadConfig(configPath);

/** Digits turned by 60°: 30 in real/, and the same ones by class in validation/. */
async function writeTarget(): Promise<void> {
  const assets = await openAssetSources([{ kind: 'digits', variants: 6, from: 4 }]);
  const variables = { digits: 'digits', size: SIZE, mutable: ['rotation'] };
  const grammar = await loadGrammar('examples/grammars/mnist.yaml', { assets, overrides: { variables } });
  const engine = await Engine.create({ assets, workers: 0 });
  const posed = new PosedSource(grammar, { rotation: 60, x: 0, y: 0 }, 'target');
  const batch = await posed.sampleBatch({ seed: 0, start: 0, count: 100 });
  const { color } = await engine.render(batch, { color: 'u8' });
  await engine.close();
  const pixels = SIZE * SIZE;
  for (const [i, { classId }] of batch.scenes.entries()) {
    const png = encodePng({
      width: SIZE,
      height: SIZE,
      channels: 1,
      pixels: color.slice(i * pixels, (i + 1) * pixels),
    });
    const label = join(folder, 'validation', batch.schema.classes[classId[1]]);
    mkdirSync(label, { recursive: true });
    mkdirSync(join(folder, 'real'), { recursive: true });
    writeFileSync(join(label, `${i}.png`), png);
    if (i < 30) writeFileSync(join(folder, 'real', `${i}.png`), png);
  }
}

async function failure(work: Promise<unknown>): Promise<MetasimError> {
  const error = await work.catch((reason: MetasimError) => reason);
  assert.instance(error, MetasimError);
  return error as MetasimError;
}

const train = (out: string, observer?: TrainObserver, signal?: AbortSignal, more: Partial<typeof config> = {}) =>
  trainFromConfig({ path: configPath, config: { ...config, ...more }, out, observer, signal });

/** What a run has learned: attributes of some scenes. */
async function learned(out: string): Promise<Float32Array[]> {
  const run = await loadRun(out);
  const { scenes } = await run.source.sampleBatch({ seed: 5, start: 0, count: 6 });
  run.dispose();
  return scenes.map(({ attributes }) => attributes);
}

test('a run that was interrupted, and goes on, learns the same to the bit and tells again how it began', async () => {
  const before = tf.memory().numTensors;
  const whole = await train(join(folder, 'whole'));
  const out = join(folder, 'parts');
  const abort = new AbortController();
  const interrupted = await train(
    out,
    { onEpoch: ({ epoch }) => void (epoch === 2 && abort.abort(new Error('Ctrl-C'))) },
    abort.signal,
  ).catch((reason: Error) => reason);
  assert.is((interrupted as Error).message, 'Ctrl-C');
  assert.is(await trainedEpochs(out), 2, 'the epoch at hand is finished and kept');

  const told: string[] = [];
  const resumed = await train(out, {
    onWarmStart: () => void told.push('warm start'),
    onPretrain: () => void told.push('pre-training'),
    onEpoch: ({ epoch }) => void told.push(`epoch ${epoch}`),
  });
  assert.equal(told, ['warm start', 'pre-training', 'epoch 3']);
  assert.is(resumed.resumedAt, 2);
  assert.equal(resumed.warmStart, whole.warmStart);
  assert.equal(resumed.pretrain?.losses, whole.pretrain?.losses);
  assert.equal(await learned(out), await learned(join(folder, 'whole')));
  assert.is(tf.memory().numTensors, before);
});

test('another run in the folder is refused, with what differs, before its record is touched', async () => {
  const before = tf.memory().numTensors;
  const out = join(folder, 'whole');
  const record = readFileSync(join(out, 'run.json'), 'utf8');
  const error = await failure(train(out, undefined, undefined, { meta: { ...config.meta, sigma: 0.5 } }));
  assert.instance(error, TrainingError);
  assert.match(error.message, /Expected 0\.5 for config\.meta\.sigma .*received 0\.02.*another run/);
  assert.is(readFileSync(join(out, 'run.json'), 'utf8'), record);
  assert.is(tf.memory().numTensors, before);
});

test('a run folder can be moved; its scores are shares', async () => {
  const before = tf.memory().numTensors;
  const moved = join(folder, 'moved');
  cpSync(join(folder, 'whole'), moved, { recursive: true });
  assert.equal(await learned(moved), await learned(join(folder, 'whole')));
  const { grammar, metasim } = await evaluateRun(moved, { images: 40, epochs: 1 });
  for (const { score } of [grammar, metasim]) assert.ok(score >= 0 && score <= 1);
  assert.instance(await failure(evaluateRun(moved, { images: 0, epochs: 1 })), ConfigError);
  const none = await failure(evaluateRun(moved, { images: 10, epochs: 1, test: join(folder, 'nowhere') }));
  assert.match(none.message, /nowhere/);
  assert.is(tf.memory().numTensors, before, 'neither success nor failure leaves a tensor');
});

test('bad input is named and leaves nothing behind', async () => {
  const before = tf.memory().numTensors;
  const out = join(folder, 'bad');
  const twice = await failure(train(out, undefined, undefined, { labels: ['0', '1', '0'] }));
  const alone = await failure(train(out, undefined, undefined, { labels: ['0'] }));
  assert.match(alone.message, /at least 2 classes for labels but received 0/);
  assert.match(twice.message, /each class once for labels but received 0 more than once/);
  const unknown = await failure(train(out, undefined, undefined, { labels: ['0', 'eleven'] }));
  assert.match(unknown.message, /classes of the grammar .* received eleven/);
  const target = { images: { folder: 'nowhere', fit: 'stretch' as const } };
  assert.match((await failure(train(out, undefined, undefined, { target }))).message, /nowhere/);
  const fixed = join(folder, 'fixed.yaml');
  writeFileSync(fixed, readFileSync('examples/grammars/mnist.yaml', 'utf8').replace(/^.*mutable: .*\n/gm, ''));
  const nothing = await failure(train(out, undefined, undefined, { grammar: fixed, variables: { digits: 'digits' } }));
  assert.match(nothing.message, /under mutable in .*fixed\.yaml but received none/);
  const mmd = { realImages: 1 };
  assert.match(
    (await failure(train(out, undefined, undefined, { mmd }))).message,
    /at least 2 images of .* received 1/,
  );
  assert.match((await failure(train(configPath))).message, /Expected to be able to write .*run\.json/);
  assert.match((await failure(loadRun(folder))).message, /received one without run\.json/);
  assert.not(existsSync(out));
  assert.is(tf.memory().numTensors, before);
});

test.after(async () => {
  rmSync(folder, { recursive: true });
  await disposeBackend();
});

test.run();
