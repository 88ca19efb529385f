import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { openAssetSources } from '../../src/assets/assetSources.js';
import { classSurveySchema, stageConfig } from '../../src/config.js';
import { loadGrammar } from '../../src/grammar/grammar.js';
import { disposeBackend, initBackend } from '../../src/learn/backend.js';
import { Inception } from '../../src/learn/inception/inception.js';
import { tf } from '../../src/learn/tf.js';
import { MmdLoss } from '../../src/loss/mmd.js';
import { Engine } from '../../src/render/engine.js';
import { FeatureLayout } from '../../src/scene/features.js';
import type { SceneBatch } from '../../src/scene/sceneGraph.js';
import { type ClassMap, identityMaps, mapUnits } from '../../src/training/classMaps.js';
import { type ClassSurveyOptions, surveyClasses } from '../../src/training/classSurvey.js';
import { mmdOfUnits } from '../../src/training/surveyEvaluation.js';
import { trainTransformer } from '../../src/training/train.js';

const SIZE = 48;
const assets = await openAssetSources([
  { kind: 'aerial', size: SIZE, cars: 12, trees: 4, houses: 2, roads: 1, grass: 2 },
]);

/** A road from left to right, a car on it and a tree beside it. @param car @param tree attributes of theirs */
const scenes = (car: object, tree: object) =>
  loadGrammar(
    {
      name: 'survey',
      canvas: { width: SIZE, height: SIZE, channels: 3 },
      attributes: [
        { name: 'x', range: [-SIZE, SIZE] },
        { name: 'y', range: [-SIZE, SIZE] },
        { name: 'rotation', range: [-180, 180] },
      ],
      classes: [
        { name: 'grass', asset: 'aerial/grass/*', attributes: { x: SIZE / 2, y: SIZE / 2 } },
        { name: 'road', asset: 'aerial/road/*' },
        { name: 'car', asset: 'aerial/car/*', mutable: ['y', 'rotation'], attributes: car },
        { name: 'tree', asset: 'aerial/tree/*', mutable: ['y'], attributes: tree },
      ],
      nodes: [{ class: 'grass', children: [{ class: 'road', children: [{ class: 'car' }, { class: 'tree' }] }] }],
    } as never,
    { assets },
  );
const anywhere = { uniform: [-10, 10] };
const grammar = await scenes(
  { x: anywhere, y: anywhere, rotation: { uniform: [-180, 180] } },
  { x: anywhere, y: { uniform: [-18, 18] } },
);
const target = await scenes(
  { x: anywhere, y: { normal: { mean: 0, sd: 1 } }, rotation: { normal: { mean: 0, sd: 3 } } },
  { x: anywhere, y: { uniform: [14, 18] } },
);
const engine = await Engine.create({ assets, workers: 0 });
const layout = new FeatureLayout(grammar.schema);

/** Survey options against the target, and what frees them. */
async function setting(): Promise<{ options: ClassSurveyOptions; free(): void }> {
  await initBackend();
  const extractor = await Inception.create({ layers: [64], weights: 'random', seed: 0 });
  const { color } = await engine.render(await target.sampleBatch({ seed: 9, start: 0, count: 100 }));
  const real = tf.tensor4d(color, [100, SIZE, SIZE, 3]);
  const mmd = await MmdLoss.create({ extractor, real });
  real.dispose();
  const config = classSurveySchema.parse({ kind: 'classes', scenes: 40, positions: 9, sweeps: 1 });
  return {
    options: { source: grammar, engine, layout, mmd, config, seed: 0, pixelDelta: 0.1 },
    free() {
      mmd.dispose();
      extractor.dispose();
    },
  };
}

/** Values of one attribute of a class, as the maps leave them. */
async function values(maps: readonly ClassMap[], className: string, attribute: string): Promise<number[]> {
  const batch = await grammar.sampleBatch({ seed: 5, start: 0, count: 200 });
  const physical = layout.toPhysical(mapUnits(layout, batch, maps), batch);
  return column(batch, physical, className, attribute);
}

function column({ scenes: all, schema }: SceneBatch, physical: Float32Array, className: string, attribute: string) {
  const a = schema.attributes.findIndex(({ name }) => name === attribute);
  let row = 0;
  return all.flatMap(({ classId }) =>
    [...classId].flatMap((id) => {
      const value = physical[row++ * schema.attributes.length + a];
      return schema.classes[id] === className ? [value] : [];
    }),
  );
}

const mean = (numbers: readonly number[]) => numbers.reduce((sum, value) => sum + value, 0) / numbers.length;

test('maps gather, move and part the values of their class only, by hand', async () => {
  const batch = await grammar.sampleBatch({ seed: 1, start: 0, count: 3 });
  const identity = identityMaps(layout, batch);
  assert.equal(
    identity.map(({ class: name, attribute }) => `${name} ${attribute}`),
    ['car y', 'car rotation', 'tree y'],
  );
  const before = layout.units(batch);
  const same = mapUnits(layout, batch, identity);
  for (const [i, value] of same.entries()) {
    // An angle may come back a full turn away.
    const moved = value - before[i];
    assert.ok(Math.abs(moved - (i % 3 === 2 ? Math.round(moved) : 0)) < 1e-6, `${i}: ${before[i]} became ${value}`);
  }
  const car: ClassMap = { class: 'car', attribute: 'y', centre: 0.5, shift: 0.1, spread: 0.5, gap: 0.2 };
  const after = mapUnits(layout, batch, [car]);
  const columns = grammar.schema.attributes.length;
  for (let i = 0; i < after.length; i++) {
    const node = Math.floor(i / columns) % 4;
    const away = before[i] - 0.5;
    const moved = 0.5 + 0.1 + 0.5 * away + (away < 0 ? -0.2 : 0.2);
    assert.ok(
      Math.abs(after[i] - (node === 2 && i % columns === 1 ? moved : before[i])) < 1e-6,
      `value ${i}: ${before[i]} became ${after[i]}, not ${moved}`,
    );
  }
});

test('cars that head anywhere are aligned, and the tree leaves the road, by looking at images alone', async () => {
  const { options, free } = await setting();
  const tensors = tf.memory().numTensors;
  const fractions: number[] = [];
  const result = await surveyClasses({ ...options, onProgress: (done) => fractions.push(done) });
  assert.is(tf.memory().numTensors, tensors);
  free();
  const { maps, mmd } = result.best;
  const angles = (await values(maps, 'car', 'rotation')).map((turn) => Math.abs(turn - 180 * Math.round(turn / 180)));
  const trees = await values(maps, 'tree', 'y');
  console.log(
    `# MMD² ${result.grammarMmd.toFixed(4)} → ${mmd.toFixed(4)}, ${result.steps.length} steps; cars ${mean(angles).toFixed(1)}° off, trees at ${mean(trees).toFixed(1)} px`,
  );
  assert.ok(mean(angles) < 20, `cars ${mean(angles)}° off; 45° before`);
  assert.ok(mean(trees) > 10, `trees at ${mean(trees)} px; 0 before, 16 in the target`);
  assert.ok(mmd < 0.5 * result.grammarMmd, `${mmd} of ${result.grammarMmd}`);
  assert.is(result.steps.at(-1)?.mmd, mmd);
  assert.ok(fractions.every((fraction, i) => fraction <= 1 && fraction > (fractions[i - 1] ?? 0)));
  assert.is(fractions.at(-1), 1);
});

test('training goes on from there: aligned cars, and less than half of the MMD left on fresh scenes', async () => {
  await initBackend();
  const count = 100;
  const { color } = await engine.render(await target.sampleBatch({ seed: 9, start: 0, count }), { color: 'u8' });
  const config = stageConfig({
    features: { weights: 'random', layers: [64] },
    mmd: { realImages: count },
    warmStart: { kind: 'classes', scenes: 24, positions: 9, sweeps: 1 },
    pretrain: { steps: 300 },
    meta: { epochs: 2, iterations: 5, batchSize: 16 },
  });
  const realImages = { count, width: SIZE, height: SIZE, channels: 3, images: color } as const;
  const { transformer } = await trainTransformer({ config, source: grammar, engine, realImages });
  const { options, free } = await setting();
  const fresh = await grammar.sampleBatch({ seed: 5, start: 1000, count: 100 });
  const learned = await transformer.transform(fresh);
  transformer.dispose();
  const [before, after] = [
    await mmdOfUnits(options, fresh, layout.units(fresh)),
    await mmdOfUnits(options, learned, layout.units(learned)),
  ];
  free();
  const physical = Float32Array.from(learned.scenes.flatMap(({ attributes }) => [...attributes]));
  const angles = column(learned, physical, 'car', 'rotation').map((turn) =>
    Math.abs(turn - 180 * Math.round(turn / 180)),
  );
  console.log(`# MMD² ${before.toFixed(4)} → ${after.toFixed(4)}; cars ${mean(angles).toFixed(1)}° off`);
  assert.ok(after < before / 2, `${before} → ${after}`);
  assert.ok(mean(angles) < 20, `cars ${mean(angles)}° off; 45° before`);
});

test('a change that suits only the scenes at hand is not kept: the target itself stays nearly as it is', async () => {
  const { options, free } = await setting();
  const source = { name: 'target', sampleBatch: target.sampleBatch.bind(target) };
  const result = await surveyClasses({ ...options, source });
  free();
  const turned = result.best.maps.find(({ class: name, attribute }) => name === 'car' && attribute === 'rotation');
  assert.ok(Math.abs(turned?.shift ?? 1) < 0.03, `cars turned by ${360 * (turned?.shift ?? 1)}°`);
});

test.after(async () => {
  await engine.close();
  await disposeBackend();
});

test.run();
