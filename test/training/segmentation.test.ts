import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { openAssetSources } from '../../src/assets/assetSources.js';
import { assetSourceSchema, evaluationSchema, loadConfig } from '../../src/config.js';
import { encodePng } from '../../src/dataset/png.js';
import { ConfigError, GrammarError, ShapeError } from '../../src/errors.js';
import { loadGrammar } from '../../src/grammar/grammar.js';
import { disposeBackend, initBackend } from '../../src/learn/backend.js';
import { tf } from '../../src/learn/tf.js';
import { Engine } from '../../src/render/engine.js';
import { evaluateRun } from '../../src/training/evaluateRun.js';
import type { EpochReport } from '../../src/training/metaTrain.js';
import { evaluateSegmentation } from '../../src/training/offlineEvaluation.js';
import { SegmentedSceneData } from '../../src/training/sceneData.js';
import { renderSegmentedScenes, sceneSegmenter, segmentationClasses } from '../../src/training/segmentedScenes.js';
import { trainFromConfig } from '../../src/training/trainFromConfig.js';
import { carGrammar, carLibrary } from '../helpers/carScenes.js';

const SIZE = 40;
const folder = mkdtempSync(join(tmpdir(), 'metasim-segmentation-'));
await initBackend({ threads: 1 });
const engine = await Engine.create({ assets: carLibrary, workers: 0 });
const anywhere = { uniform: [8, SIZE - 8] };
const turned = { uniform: [-180, 180] };
const cars = await carGrammar(SIZE, [
  { class: 'house', attributes: { x: anywhere, y: anywhere, rotation: turned } },
  { class: 'car', attributes: { x: anywhere, y: anywhere, rotation: turned } },
]);

test.after(async () => {
  await engine.close();
  await disposeBackend();
  rmSync(folder, { recursive: true, force: true });
});

test('masks hold the place among the labels of the class that the renderer sees, and the background for others', async () => {
  const labels = ['car', 'house'];
  assert.equal(segmentationClasses(labels), ['car', 'house', 'background']);
  const classes = sceneSegmenter(cars.schema, labels);
  const data = await renderSegmentedScenes(engine, cars, { seed: 3, start: 5, count: 4, classes });
  const batch = await cars.sampleBatch({ seed: 3, start: 5, count: 4 });
  const rendered = await engine.render(batch, { color: 'u8', labels: true });
  assert.equal(data.images, rendered.color);
  const names = [...(rendered.classes as Uint8Array)].map((value) => cars.schema.classes[value - 1]);
  const expected = names.map((name) => ({ car: 0, house: 1 })[name] ?? 2);
  assert.equal([...data.masks], expected);
  for (const value of [0, 1, 2]) assert.ok(expected.includes(value));
  const only = sceneSegmenter(cars.schema, ['house']);
  const houses = await renderSegmentedScenes(engine, cars, { seed: 3, start: 5, count: 4, classes: only });
  assert.equal(
    [...houses.masks],
    names.map((name) => (name === 'house' ? 0 : 1)),
  );
  assert.throws(
    () => sceneSegmenter(cars.schema, ['car', 'lorry']),
    (error: Error) => error instanceof GrammarError && /lorry/.test(error.message),
  );
});

test('floats are kept as the bytes that the renderer would have written; without class maps they are refused', async () => {
  const batch = await cars.sampleBatch({ seed: 1, start: 0, count: 3 });
  const data = new SegmentedSceneData(sceneSegmenter(cars.schema, ['car']));
  data.begin(3);
  data.add(await engine.render(batch, { color: 'f32', labels: true }));
  const bytes = await engine.render(batch, { color: 'u8' });
  assert.equal(data.data().images, bytes.color);
  assert.throws(
    () => data.add(bytes),
    (error: Error) => error instanceof ShapeError,
  );
});

test('offline: a U-Net trained on rendered scenes finds cars and houses; what was interrupted goes on to the same', async () => {
  const labels = ['car', 'house'];
  const classes = sceneSegmenter(cars.schema, labels);
  const test = await renderSegmentedScenes(engine, cars, { seed: 9, count: 12, classes });
  const settings = { images: 96, filters: [8, 16], batchSize: 8, learningRate: 0.01, finalLearningRate: 0.002 };
  const before = tf.memory().numTensors;
  const run = (checkpoints: string, signal?: AbortSignal, onProgress?: (fraction: number) => void) =>
    evaluateSegmentation({
      ...{ engine, source: cars, schema: cars.schema, labels, test, seed: 0, signal, onProgress },
      ...{ checkpoints: join(folder, checkpoints), config: evaluationSchema.parse({ ...settings, epochs: 3 }) },
    });
  const whole = await run('whole');
  console.log(`# mean IoU after each epoch ${whole.meanPerEpoch.map((value) => value.toFixed(3)).join(' ')}`);
  assert.ok(whole.mean > 0.8, String(whole.mean));
  assert.equal(Object.keys(whole.iou), labels);
  assert.ok(Math.abs((whole.iou.car + whole.iou.house) / 2 - whole.mean) < 1e-12);
  const abort = new AbortController();
  try {
    await run('parts', abort.signal, (fraction) => fraction > 0.6 && abort.abort(new Error('stopped')));
    assert.unreachable();
  } catch (error) {
    assert.is((error as Error).message, 'stopped');
  }
  const resumed = await run('parts');
  assert.equal({ ...resumed, seconds: 0 }, { ...whole, seconds: 0 });
  assert.is(tf.memory().numTensors, before);
});

test('a configuration with a segmentation: V from masks, IoU per class in the reports, evaluated offline', async () => {
  const shape = { width: 32, height: 32, channels: 3 } as const;
  const source = { kind: 'aerial', size: 32, cars: 6, trees: 2, houses: 2, grass: 1, roads: 1 } as const;
  const assets = await openAssetSources([assetSourceSchema.parse(source)]);
  const target = await loadGrammar('examples/grammars/aerial-target.yaml', {
    assets,
    overrides: { variables: { size: 32, textures: 32 } },
  });
  const labels = ['road', 'car', 'house', 'tree'];
  const painter = await Engine.create({ assets, workers: 0 });
  const classes = sceneSegmenter(target.schema, labels);
  const { images, masks } = await renderSegmentedScenes(painter, target, { seed: 5, count: 12, classes });
  await painter.close();
  for (const name of ['images', 'masks']) mkdirSync(join(folder, 'target', name), { recursive: true });
  for (let i = 0; i < 12; i++) {
    const pixels = Uint8Array.from(images.subarray(i * 32 * 32 * 3, (i + 1) * 32 * 32 * 3));
    // As metasim writes class masks: 0 is none, k + 1 the k-th class.
    const mask = masks.slice(i * 32 * 32, (i + 1) * 32 * 32).map((value) => (value === 4 ? 0 : value + 1));
    writeFileSync(join(folder, 'target', 'images', `${i}.png`), encodePng({ ...shape, pixels }));
    writeFileSync(join(folder, 'target', 'masks', `${i}.png`), encodePng({ ...shape, channels: 1, pixels: mask }));
  }
  const path = join(folder, 'aerial.yaml');
  writeFileSync(
    path,
    `
name: tiny
grammar: ${resolve('examples/grammars/aerial.yaml')}
variables: { size: 32, textures: 32 }
assets: [${JSON.stringify(source)}]
target: { images: { folder: target/images }, validation: { kind: masks, folder: target } }
labels: [${labels}]
features: { weights: random, layers: [64] }
mmd: { realImages: 8 }
transformer: { hidden: [8] }
pretrain: { steps: 20, batchSize: 8 }
warmStart: { kind: none }
meta: { epochs: 1, iterations: 2, batchSize: 8 }
task: { kind: segmentation, filters: [8, 16], epochs: 3, batchSize: 4, learningRate: 0.01 }
workers: 0
`,
  );
  const config = await loadConfig(path);
  const out = join(folder, 'run');
  const reports: EpochReport[] = [];
  await trainFromConfig({ path, config, out, observer: { onEpoch: (report) => void reports.push(report) } });
  const [{ score, details }] = reports;
  const ious = labels.map((label) => details[`iou/${label}`]);
  assert.ok(
    ious.every((value) => value >= 0 && value <= 1),
    JSON.stringify(details),
  );
  assert.ok(Math.abs(score - ious.reduce((sum, value) => sum + value, 0) / 4) < 1e-12, 'the grass is not scored');
  const { grammar, metasim } = await evaluateRun(out, { images: 60, epochs: 3 });
  for (const result of [grammar, metasim]) {
    assert.ok(result.score > 0 && result.score < 1);
    assert.ok((result.details?.['iou/road'] ?? 0) > 0.3, JSON.stringify(result));
  }
  const wrong = {
    ...config,
    target: { ...config.target, validation: { ...config.target.validation, kind: 'folders' } },
  };
  try {
    await trainFromConfig({ path, config: wrong as typeof config, out: join(folder, 'wrong') });
    assert.unreachable();
  } catch (error) {
    assert.ok(error instanceof ConfigError && /segmentation/.test(error.message), String(error));
  }
});

test.run();
