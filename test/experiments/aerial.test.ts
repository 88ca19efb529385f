import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { MetasimError } from '../../src/errors.js';
import { AERIAL_ABLATIONS } from '../../src/experiments/aerial/ablations.js';
import { type AerialExperimentOptions, runAerialExperiment } from '../../src/experiments/aerial/experiment.js';
import { aerialExperimentSchema, aerialPreset, quickAerialPreset } from '../../src/experiments/aerial/presets.js';
import { AERIAL_LABELS, carAngle } from '../../src/experiments/aerial/scenes.js';
import { disposeBackend, initBackend } from '../../src/learn/backend.js';
import { tf } from '../../src/learn/tf.js';
import { AERIAL_FIGURES, drawAerialFigures } from '../../src/report/aerialFigures.js';
import { aerialResultText } from '../../src/report/aerialReport.js';
import type { SceneBatch } from '../../src/scene/sceneGraph.js';

/** Everything as small as it gets; random features, since weights may be absent. */
const TINY: AerialExperimentOptions['config'] = {
  size: 64,
  features: { weights: 'random', layers: [64] },
  mmd: { realImages: 12 },
  validationImages: 6,
  warmStart: { kind: 'classes', scenes: 6, positions: 2, sweeps: 1 },
  pretrain: { steps: 40, batchSize: 16 },
  meta: { epochs: 2, iterations: 2, batchSize: 8 },
  task: { kind: 'segmentation', epochs: 1, filters: [8, 8] },
  evaluation: {
    images: 120,
    testImages: 30,
    poseScenes: 40,
    epochs: 3,
    batchSize: 8,
    learningRate: 5e-3,
    filters: [8, 16],
  },
};

test('the angle between cars and road is the short way round, and not that of other objects', () => {
  const rotations = [0, 77, 10, -170, 95];
  const batch = {
    schema: { classes: ['grass', 'road', 'car'], attributes: [{ name: 'x' }, { name: 'rotation' }] },
    scenes: [
      { classId: Uint8Array.of(0, 1, 2, 2, 2), attributes: Float32Array.from(rotations.flatMap((r) => [5, r])) },
    ],
  } as unknown as SceneBatch;
  assert.ok(Math.abs(carAngle(batch) - (10 + 10 + 85) / 3) < 1e-5, String(carAngle(batch)));
});

test('all of table 2 in its smallest form: rows, figures, resumed to the same numbers, no tensor left', async () => {
  await initBackend({ threads: 2 });
  const before = tf.memory().numTensors;
  const out = mkdtempSync(join(tmpdir(), 'metasim-aerial-'));
  try {
    const whole = await runAerialExperiment({ config: TINY, workers: 1 });
    assert.is(tf.memory().numTensors, before);

    const stop = new AbortController();
    const angles: number[] = [];
    const options: AerialExperimentOptions = {
      ...{ config: TINY, workers: 1, out },
      observer: {
        onEpoch({ epoch, details }, angle) {
          angles.push(angle);
          assert.ok(details['iou/road'] >= 0, Object.keys(details).join());
          if (epoch === 1 && angles.length === 1) setImmediate(() => stop.abort(new Error('stopped here')));
        },
        onTrained: (setting, metasim) => drawAerialFigures(out, setting, metasim),
      },
    };
    const stopped = await runAerialExperiment({ ...options, signal: stop.signal }).catch((error) => error as Error);
    assert.match((stopped as Error).message, 'stopped here');
    const resumed = await runAerialExperiment(options);
    assert.is(tf.memory().numTensors, before);
    assert.equal(angles.length, 2, 'the first epoch was not trained again');
    assert.equal(withoutTimes(resumed.results), withoutTimes(whole.results));

    const { grammar, metasim } = resumed.results;
    for (const { iou, carAngle: angle, visibility } of [grammar, metasim]) {
      const known = AERIAL_LABELS.map((label) => iou[label]).filter((value) => !Number.isNaN(value));
      assert.ok(Math.abs(iou.mean - known.reduce((sum, value) => sum + value, 0) / known.length) < 1e-9);
      assert.ok(iou.road > 50, `a road is easy to see: ${iou.road} %`);
      assert.ok(angle >= 0 && angle <= 90);
      assert.equal(Object.keys(visibility.byClass).sort(), ['car', 'house', 'tree']);
    }
    assert.ok(Math.abs(grammar.carAngle - 45) < 8, `${grammar.carAngle}°`);
    assert.ok(resumed.targetCarAngle < 5, `${resumed.targetCarAngle}°`);
    assert.match(aerialResultText(resumed), /grammar +\d+\.\d/);
    assert.match(aerialResultText(resumed), 'RANDOM stand-in');
    for (const { file } of AERIAL_FIGURES) assert.is(readFileSync(join(out, 'figures', file))[1], 'P'.charCodeAt(0));
    assert.ok(existsSync(join(out, 'run.json')));

    const evaluation = { ...TINY.evaluation, images: 60, epochs: 1 };
    const shorter = await runAerialExperiment({ ...options, config: { ...TINY, evaluation } });
    assert.is(angles.length, 2, 'evaluated in another way without training again');
    assert.is(shorter.results.metasim.evaluation.meanPerEpoch.length, 1);
    assert.is(shorter.results.metasim.carAngle, resumed.results.metasim.carAngle);

    const other = await runAerialExperiment({ ...options, config: { ...TINY, seed: 1 } }).catch(
      (e) => e as MetasimError,
    );
    assert.is((other as MetasimError).code, 'TRAINING');
  } finally {
    rmSync(out, { recursive: true, force: true });
    await disposeBackend();
  }
});

test('every ablation is a valid setting that differs from the whole method', () => {
  for (const preset of [aerialPreset(), quickAerialPreset()]) {
    const whole = aerialExperimentSchema.parse(preset);
    for (const [name, { change }] of Object.entries(AERIAL_ABLATIONS)) {
      const changed = aerialExperimentSchema.parse(change(preset));
      if (name !== 'layer-768') assert.not.equal(changed, whole, name);
    }
  }
});

/** JSON without what clocks say. */
function withoutTimes(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value, (key, entry) => (key === 'seconds' ? undefined : entry)));
}

test.run();
