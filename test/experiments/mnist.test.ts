import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { type MetasimError, TrainingError } from '../../src/errors.js';
import { mnistFolder, mnistSplits, proceduralSplits } from '../../src/experiments/mnist/digits.js';
import { loadMnistGrammar, runMnistExperiment } from '../../src/experiments/mnist/experiment.js';
import { quickPreset } from '../../src/experiments/mnist/presets.js';
import { EveryDigitSource, MNIST_TARGETS, PosedSource } from '../../src/experiments/mnist/targets.js';
import { disposeBackend, initBackend } from '../../src/learn/backend.js';
import { tf } from '../../src/learn/tf.js';

const target = MNIST_TARGETS['mnist-rotation'];

test('a posed source moves digits only, and writes 217° as the same angle within the range', async () => {
  const grammar = await loadMnistGrammar(proceduralSplits(5, 0), MNIST_TARGETS['mnist-217'], 'train');
  const posed = new PosedSource(grammar, MNIST_TARGETS['mnist-217'].pose, 'posed');
  const { scenes, schema } = await posed.sampleBatch({ seed: 3, start: 0, count: 4 });
  const columns = schema.attributes.map(({ name }) => name);
  for (const { attributes } of scenes) {
    const value = (node: number, name: string) => attributes[node * columns.length + columns.indexOf(name)];
    assert.equal([value(0, 'rotation'), value(0, 'x'), value(0, 'y')], [0, 32, 32], 'the background stays');
    assert.equal([value(1, 'rotation'), value(1, 'x'), value(1, 'y')], [217 - 360, 14, -14]);
  }
});

test('the every-digit source shows each asset once, with its class', async () => {
  const splits = proceduralSplits(10, 0);
  const grammar = await loadMnistGrammar(splits, target, 'test');
  const source = new EveryDigitSource(grammar.sampleBatch({ seed: 0, start: 0, count: 1 }), 'every');
  assert.is(source.count, 20, 'ten digits, variants 8 and 9');
  const { scenes, assets, schema } = source.sampleBatch({ seed: 0, start: 0, count: 100 });
  const names = scenes.map(({ asset }) => assets[asset[1]]);
  assert.is(new Set(names).size, 20);
  for (const [i, { classId }] of scenes.entries()) assert.is(schema.classes[classId[1]], names[i].split('/')[1]);
});

test('any part of the every-digit source holds all classes, and parts share no digit', async () => {
  const grammar = await loadMnistGrammar(proceduralSplits(250, 0), target, 'target');
  const template = grammar.sampleBatch({ seed: 0, start: 0, count: 1 });
  const source = new EveryDigitSource(template, 'every', 1);
  const show = (start: number, count: number) => source.sampleBatch({ seed: 0, start, count }).scenes;
  const [real, validation] = [show(0, 100), show(100, 400)];
  // A class of a tenth is missing among 100 draws with a probability of 10 · 0.9^100 = 0.03 %.
  assert.is(new Set(real.map(({ classId }) => classId[1])).size, 10);
  const shown = [...real, ...validation].map(({ asset }) => asset[1]);
  assert.is(shown.length, 500);
  assert.is(new Set(shown).size, 500);
  const other = new EveryDigitSource(template, 'every', 2).sampleBatch({ seed: 0, start: 0, count: 100 });
  assert.not.equal(
    other.scenes.map(({ asset }) => asset[1]),
    shown.slice(0, 100),
  );
});

test('the splits share no digit', async () => {
  const splits = proceduralSplits(10, 0);
  const used = await Promise.all(
    (['train', 'target', 'test'] as const).map(async (split) => {
      const grammar = await loadMnistGrammar(splits, target, split);
      return grammar.assets.filter((name) => name.startsWith('digits/'));
    }),
  );
  const all = used.flat();
  assert.is(all.length, 100);
  assert.is(new Set(all).size, all.length);
});

test('the quick form closes the rotation gap on built-in digits, resumes, and leaves no tensor', async () => {
  await initBackend({ threads: 2 });
  const before = tf.memory().numTensors;
  const out = mkdtempSync(join(tmpdir(), 'metasim-experiment-'));
  const config = { ...quickPreset(32), features: { weights: 'random' } };
  const stages = new Set<string>();
  const options = {
    target,
    data: 'procedural',
    config: { ...config, evaluation: { images: 1500, testImages: 300, poseScenes: 200, epochs: 2 } },
    out,
    observer: { onProgress: (stage: string) => void stages.add(stage) },
  };
  const first = await runMnistExperiment(options);
  const { grammar, metasim } = first.results;
  const { meanAbsoluteError, withinFivePercent } = first.learned.rotation;
  console.log(
    `# accuracy ${grammar.accuracy} % → ${metasim.accuracy} %, rotation off by ${meanAbsoluteError.toFixed(2)}°`,
  );
  assert.ok(grammar.accuracy < 45, `grammar ${grammar.accuracy} %`);
  assert.ok(metasim.accuracy > grammar.accuracy + 40, `Meta-Sim ${metasim.accuracy} % after ${grammar.accuracy} %`);
  assert.ok(meanAbsoluteError < 6, `rotation off by ${meanAbsoluteError}°`);
  assert.ok(withinFivePercent > 0.95);
  assert.ok(stages.has('warmStart') && stages.has('meta') && stages.has('evaluate'));

  // The folder now holds the finished run: going on from it must give the same weights, hence the same pose.
  stages.clear();
  const again = await runMnistExperiment(options);
  assert.equal(again.learned, first.learned);
  assert.not(stages.has('warmStart'), 'a resumed run does not start again');
  assert.equal(again.warmStart, first.warmStart, 'but its record still says how the run began');
  assert.equal(again.pretrain, first.pretrain);

  // A run of other settings is refused before anything of the finished one is written over.
  const record = readFileSync(join(out, 'run.json'), 'utf8');
  const other = { ...options, config: { ...options.config, seed: 1 } };
  const refusal = await runMnistExperiment(other).catch((error: MetasimError) => error);
  assert.ok(refusal instanceof TrainingError);
  assert.match((refusal as TrainingError).message, /another run/);
  assert.is(readFileSync(join(out, 'run.json'), 'utf8'), record);
  rmSync(out, { recursive: true });
  assert.is(tf.memory().numTensors, before);
  await disposeBackend();
});

if (existsSync(mnistFolder())) {
  test('real MNIST: 55,000 + 5,000 + 10,000 digits, none twice', async () => {
    const splits = mnistSplits(mnistFolder());
    const counts = [];
    const seen = new Set<string>();
    for (const split of ['train', 'target', 'test'] as const) {
      const { assets } = await loadMnistGrammar(splits, target, split);
      const digits = assets.filter((name) => name.startsWith('mnist/'));
      counts.push(digits.length);
      for (const name of digits) seen.add(name);
    }
    assert.equal(counts, [55_000, 5_000, 10_000]);
    assert.is(seen.size, 70_000);
  });
} else {
  console.log('# skip real MNIST splits: no MNIST in $METASIM_DATA/mnist');
}

test.run();
