import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { proceduralBackgrounds } from '../../src/assets/proceduralBackgrounds.js';
import { proceduralDigits } from '../../src/assets/proceduralDigits.js';
import { shiftSurveySchema } from '../../src/config.js';
import { PosedSource } from '../../src/experiments/mnist/targets.js';
import { loadGrammar } from '../../src/grammar/grammar.js';
import { disposeBackend, initBackend } from '../../src/learn/backend.js';
import { Inception } from '../../src/learn/inception/inception.js';
import { tf } from '../../src/learn/tf.js';
import { MmdLoss } from '../../src/loss/mmd.js';
import { Engine } from '../../src/render/engine.js';
import { FeatureLayout } from '../../src/scene/features.js';
import { shiftUnits, surveyOffsets, type WarmStartOptions } from '../../src/training/warmStart.js';

const SIZE = 32;
const TARGET = 150;
const assets = proceduralBackgrounds().concat(proceduralDigits({ variants: 4, seed: 1 }));
await initBackend({ threads: 1 });
const engine = await Engine.create({ assets, workers: 0 });
const variables = { digits: 'digits', size: SIZE, mutable: ['rotation'] };
const grammar = await loadGrammar('examples/grammars/mnist.yaml', { assets, overrides: { variables } });
const layout = new FeatureLayout(grammar.schema);
const rotation = grammar.schema.attributes.findIndex(({ name }) => name === 'rotation');

/** Survey options against digits turned by TARGET, and what frees them. */
async function setting(more: Partial<WarmStartOptions> = {}): Promise<{ options: WarmStartOptions; free(): void }> {
  const extractor = await Inception.create({ layers: [64], weights: 'random', seed: 0 });
  const posed = new PosedSource(grammar, { rotation: TARGET, x: 0, y: 0 }, 'posed');
  const { color } = await engine.render(await posed.sampleBatch({ seed: 9, start: 0, count: 30 }));
  const real = tf.tensor4d(color, [30, SIZE, SIZE, 1]);
  const mmd = await MmdLoss.create({ extractor, real });
  real.dispose();
  const config = shiftSurveySchema.parse({ candidates: 12, scenes: 16, refine: 3, steps: 8 });
  const options = { source: grammar, engine, layout, mmd, config, seed: 0, pixelDelta: 0.5, ...more };
  return {
    options,
    free() {
      mmd.dispose();
      extractor.dispose();
    },
  };
}

test('a target that no local search reaches is found; the survey begins with the grammar itself', async () => {
  const { options, free } = await setting();
  const fractions: number[] = [];
  const { best, survey, refined } = await surveyOffsets({ ...options, onProgress: (done) => fractions.push(done) });
  free();
  assert.is(survey.length, 12);
  // Up to three starts that lie apart, then up to two of what they reached.
  assert.ok(refined.length >= 2 && refined.length <= 5, `${refined.length} descents`);
  assert.ok(survey[0].offsets.every((offset) => offset === 0));
  for (const { offsets } of [...survey, ...refined]) {
    assert.ok(
      offsets.every((offset, a) => a === rotation || offset === 0),
      'only what is mutable moves',
    );
  }
  const found = 360 * best.offsets[rotation];
  const error = Math.abs(((found - TARGET + 540) % 360) - 180);
  console.log(`# ${found.toFixed(1)}° for ${TARGET}°, MMD² ${survey[0].mmd.toFixed(4)} → ${best.mmd.toFixed(4)}`);
  assert.ok(error < 10, `${found}° for ${TARGET}°`);
  assert.is(best.mmd, Math.min(...[...survey, ...refined].map(({ mmd }) => mmd)));
  const lowest = Math.min(...survey.map(({ mmd }) => mmd));
  assert.ok(refined[0].mmd <= lowest, 'the first descent starts at the best candidate and makes nothing worse');
  assert.ok(best.mmd < lowest, 'following the gradient finds more than the survey');
  assert.ok(fractions.every((fraction, i) => fraction > (fractions[i - 1] ?? 0)));
  assert.is(fractions.at(-1), 1);
});

test('the same seed surveys the same, another seed other offsets', async () => {
  const config = shiftSurveySchema.parse({ candidates: 4, scenes: 4, refine: 1, steps: 1 });
  const { options, free } = await setting({ config });
  const first = await surveyOffsets(options);
  assert.equal(await surveyOffsets(options), first);
  const other = await surveyOffsets({ ...options, seed: 1 });
  assert.not.equal(other.survey[1].offsets, first.survey[1].offsets);
  free();
});

test('an abort ends it with the reason, and no tensor is left', async () => {
  const before = tf.memory().numTensors;
  const abort = new AbortController();
  const { options, free } = await setting({ signal: abort.signal });
  const onProgress = () => abort.abort(new Error('enough'));
  const error = await surveyOffsets({ ...options, onProgress }).catch((reason: Error) => reason);
  assert.is((error as Error).message, 'enough');
  free();
  assert.is(tf.memory().numTensors, before);
});

test('a shift is added to its column for every node', () => {
  const batch = grammar.sampleBatch({ seed: 0, start: 0, count: 2 });
  const own = layout.units(batch);
  const offsets = layout.schema.attributes.map((_, a) => a / 8);
  const moved = shiftUnits(layout, batch, offsets);
  for (const [i, value] of moved.entries()) assert.is(value, Math.fround(own[i] + offsets[i % offsets.length]));
});

test.after(async () => {
  await engine.close();
  await disposeBackend();
});

test.run();
