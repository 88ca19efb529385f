import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { stageConfig } from '../../src/config.js';
import { disposeBackend, initBackend } from '../../src/learn/backend.js';
import { tf } from '../../src/learn/tf.js';
import { visibilityOf } from '../../src/metrics/visibility.js';
import { Engine } from '../../src/render/engine.js';
import type { EpochReport } from '../../src/training/metaTrain.js';
import { trainTransformer } from '../../src/training/train.js';
import { carGrammar, carLibrary, type Placed } from '../helpers/carScenes.js';

const SIZE = 48;
const REAL_IMAGES = 40;

await initBackend({ threads: 1 });
const engine = await Engine.create({ assets: carLibrary, workers: 0 });
const about = { uniform: [SIZE / 2 - 4, SIZE / 2 + 4] };
const house: Placed = { class: 'house', attributes: { x: about, y: about } };
/** A car that sticks out below a house. */
const car: Placed = {
  class: 'car',
  attributes: { x: { uniform: [14, 34] }, y: { uniform: [30, 36] } },
  mutable: ['x', 'y'],
};
const grammar = await carGrammar(SIZE, [car, house]);
/** The target shows no car: the features are nearest where it is gone. */
const target = await carGrammar(SIZE, [house]);

/** Trains with distribution matching alone. @returns visible fraction of fresh cars and the last epoch's report */
async function train(visibilityWeight: number): Promise<{ visible: number; hidden: number; last: EpochReport }> {
  const { color } = await engine.render(target.sampleBatch({ seed: 1, start: 0, count: REAL_IMAGES }));
  let last: EpochReport | undefined;
  const { transformer } = await trainTransformer({
    config: stageConfig({
      features: { weights: 'random', layers: [64] },
      mmd: { realImages: REAL_IMAGES },
      pretrain: { steps: 150, batchSize: 32 },
      warmStart: { kind: 'none' },
      meta: { epochs: 3, iterations: 12, batchSize: 12, learningRate: 0.01, halveEvery: 1, visibilityWeight },
    }),
    source: grammar,
    engine,
    realImages: { count: REAL_IMAGES, width: SIZE, height: SIZE, channels: 3, images: color },
    observer: { onEpoch: (report) => void (last = report) },
  });
  const fresh = await transformer.transform(grammar.sampleBatch({ seed: 3, start: 9000, count: 60 }));
  transformer.dispose();
  const { byClass, hidden } = visibilityOf(fresh, await engine.render(fresh, { color: 'none', labels: true }));
  return { visible: byClass.car, hidden, last: last as EpochReport };
}

test('distribution matching hides a car below a house; with the penalty it stays in sight', async () => {
  const before = tf.memory().numTensors;
  const free = await train(0);
  const held = await train(1000);
  console.log(
    `# visible ${free.visible.toFixed(2)} without, ${held.visible.toFixed(2)} with the penalty; ` +
      `hidden ${free.hidden.toFixed(2)}, ${held.hidden.toFixed(2)}; MMD² ${free.last.mmd.toFixed(3)}, ${held.last.mmd.toFixed(3)}`,
  );
  assert.ok(free.hidden > 0.8, `${free.hidden} of the cars are hidden`);
  assert.ok(held.hidden < 0.1, `${held.hidden} of the cars are hidden`);
  assert.ok(held.visible > 0.5, `${held.visible} of the cars is seen`);
  assert.is(tf.memory().numTensors, before);

  // What the epoch recorded: the same numbers, of its last batch.
  const { details, mean, input } = held.last;
  for (const [when, batch] of Object.entries({ input, generated: mean })) {
    const { byClass, hidden } = visibilityOf(batch, await engine.render(batch, { color: 'none', labels: true }));
    assert.equal(Object.keys(byClass), ['car'], 'the house cannot move');
    assert.is(details[`visible/${when}/car`], byClass.car);
    assert.is(details[`hidden/${when}`], hidden);
  }
  assert.ok(details.visibilityPenalty >= 0);
  assert.is(free.last.details.visibilityPenalty, undefined);
});

test.after(async () => {
  await engine.close();
  await disposeBackend();
});

test.run();
