import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inflateSync } from 'node:zlib';
import { createCanvas, loadImage } from '@napi-rs/canvas';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { AssetLibrary, type SpriteAsset } from '../../src/assets/assetLibrary.js';
import { batchSource, concatenateBatches, sampleScenes } from '../../src/dataset/sampleScenes.js';
import { readSceneFile, writeSceneFile } from '../../src/dataset/sceneFile.js';
import { type ImageLabels, type WriteDatasetOptions, writeDataset } from '../../src/dataset/writeDataset.js';
import { DatasetError, SceneGraphError } from '../../src/errors.js';
import { RandomStream } from '../../src/random.js';
import { AttributeRole, type SceneSchema } from '../../src/scene/attributeSchema.js';
import type { SceneBatch, SceneGraph } from '../../src/scene/sceneGraph.js';
import type { SceneSource } from '../../src/scene/sceneSource.js';
import { attribute } from '../helpers/scenes.js';

const root = mkdtempSync(join(tmpdir(), 'metasim-dataset-'));
test.after(() => rmSync(root, { recursive: true }));
let folders = 0;
const newFolder = () => join(root, `out${folders++}`);

const SIDE = 12;
const schema: SceneSchema = {
  dimension: 2,
  channels: 3,
  attributes: [attribute('x', AttributeRole.X, 0, SIDE), attribute('y', AttributeRole.Y, 0, SIDE)],
  classes: ['box', 'other'],
};

/** One or two boxes a scene, at whole pixels. */
const source: SceneSource = {
  name: 'boxes',
  sampleBatch({ seed, start, count }) {
    const scenes = Array.from({ length: count }, (_, i): SceneGraph => {
      const stream = new RandomStream({ seed, index: start + i });
      const nodes = 1 + stream.integer(2);
      return {
        width: SIDE,
        height: SIDE - 2,
        index: start + i,
        parent: new Int32Array(nodes).fill(-1),
        classId: Uint16Array.from({ length: nodes }, (_, v) => v),
        asset: Int32Array.from({ length: nodes }, (_, v) => v),
        attributes: Float32Array.from({ length: nodes * 2 }, () => 1 + stream.integer(8)),
        mutable: new Uint8Array(nodes * 2),
      };
    });
    return {
      schema,
      assets: ['tiles/a', 'tiles/b'],
      scenes,
      provenance: { grammar: 'boxes', grammarHash: 'ab', seed },
    };
  },
};

/** Draws a 3 × 2 box at (x, y) for every node: a renderer that needs no kernels. */
function drawBoxes(batch: SceneBatch) {
  const [{ width, height }] = batch.scenes;
  const size = width * height;
  const color = new Uint8Array(batch.scenes.length * size * 3);
  const instances = new Uint16Array(batch.scenes.length * size);
  const classes = new Uint8Array(batch.scenes.length * size);
  for (const [i, scene] of batch.scenes.entries()) {
    for (let v = 0; v < scene.parent.length; v++) {
      const [x, y] = scene.attributes.subarray(v * 2, v * 2 + 2);
      for (let k = 0; k < 6; k++) {
        const column = x + (k % 3);
        const row = y + Math.floor(k / 3);
        if (column >= width || row >= height) continue;
        const at = i * size + row * width + column;
        color.set([200, 10 * v, 40], at * 3);
        instances[at] = v + 1;
        classes[at] = scene.classId[v] + 1;
      }
    }
  }
  return { count: batch.scenes.length, width, height, channels: 3 as const, color, instances, classes };
}

const engine = { render: async (batch: SceneBatch) => drawBoxes(batch) } as unknown as WriteDatasetOptions['engine'];

const readLabels = (out: string): ImageLabels[] =>
  readFileSync(join(out, 'labels.jsonl'), 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));

async function rgb(path: string): Promise<number[]> {
  const image = await loadImage(path);
  const context = createCanvas(image.width, image.height).getContext('2d');
  context.drawImage(image, 0, 0);
  return [...context.getImageData(0, 0, image.width, image.height).data].filter((_, i) => i % 4 !== 3);
}

test('images, masks and labels agree with the scenes, image by image', async () => {
  const out = newFolder();
  const count = 40; // more than the first batch
  const seen: number[] = [];
  const manifest = await writeDataset({
    source,
    engine,
    count,
    seed: 5,
    start: 3,
    out,
    masks: true,
    config: { a: 1 },
    onProgress: (done) => seen.push(done),
  });
  const batch = await source.sampleBatch({ seed: 5, start: 3, count });
  const expected = drawBoxes(batch);
  const labels = readLabels(out);
  assert.is(labels.length, count);
  assert.is(seen.at(-1), count);
  const size = expected.width * expected.height;
  for (const [i, line] of labels.entries()) {
    assert.is(line.index, 3 + i);
    assert.is(line.file, `images/${String(3 + i).padStart(6, '0')}.png`);
    const pixels = expected.color.subarray(i * size * 3, (i + 1) * size * 3);
    assert.equal(await rgb(join(out, line.file)), [...pixels]);
    for (const object of line.objects) {
      const ids = expected.instances.subarray(i * size, (i + 1) * size);
      assert.is(object.pixels, ids.filter((id) => id === object.node + 1).length);
      assert.is(object.class, schema.classes[object.node]);
    }
    const classMask = await rgb(join(out, line.classMask as string));
    assert.equal(
      classMask.filter((_, k) => k % 3 === 0),
      [...expected.classes.subarray(i * size, (i + 1) * size)],
    );
    const mask = readFileSync(join(out, line.instanceMask as string));
    assert.is(mask[24], 16, 'bits a sample');
    const idat = mask.indexOf('IDAT');
    const raw = inflateSync(mask.subarray(idat + 4, idat + 4 + mask.readUInt32BE(idat - 4)));
    assert.is(raw.length, (2 * SIDE + 1) * (SIDE - 2));
  }
  assert.equal(JSON.parse(readFileSync(join(out, 'manifest.json'), 'utf8')), JSON.parse(JSON.stringify(manifest)));
  assert.is(manifest.count, count);
  assert.is(manifest.grammarHash, 'ab');
  assert.equal(manifest.config, { a: 1 });
  assert.equal(readdirSync(out).sort(), ['images', 'labels.jsonl', 'manifest.json', 'masks']);
});

test('the same seed gives the same bytes, and a dataset in two parts is the same as in one', async () => {
  const [whole, again, head, tail] = [newFolder(), newFolder(), newFolder(), newFolder()];
  await writeDataset({ source, engine, count: 30, seed: 0, out: whole });
  await writeDataset({ source, engine, count: 30, seed: 0, out: again });
  await writeDataset({ source, engine, count: 11, seed: 0, out: head });
  await writeDataset({ source, engine, count: 19, seed: 0, start: 11, out: tail });
  const text = (out: string) => readFileSync(join(out, 'labels.jsonl'), 'utf8');
  assert.is(text(again), text(whole));
  assert.is(text(head) + text(tail), text(whole));
  for (const { file } of readLabels(whole)) {
    const part = existsSync(join(head, file)) ? head : tail;
    assert.equal(readFileSync(join(part, file)), readFileSync(join(whole, file)));
    assert.equal(readFileSync(join(again, file)), readFileSync(join(whole, file)));
  }
});

test('the licences of the assets used are in the manifest', async () => {
  const sprite = (name: string, licence?: string) =>
    ({ kind: 'sprite', name, width: 1, height: 1, format: 'ink8', edge: 'fade', licence }) as SpriteAsset;
  const assets = new AssetLibrary([sprite('tiles/a', 'CC0-1.0'), sprite('tiles/b'), sprite('tiles/unused', 'MIT')]);
  const { licences } = await writeDataset({ source, engine, count: 20, seed: 1, out: newFolder(), assets });
  assert.equal(licences, [
    { licence: 'CC0-1.0', assets: 1, from: ['tiles'] },
    { licence: 'unknown', assets: 1, from: ['tiles'] },
  ]);
});

test('an output folder with something in it, or a file, is refused and left alone', async () => {
  const out = newFolder();
  mkdirSync(out);
  writeFileSync(join(out, 'mine.txt'), 'keep');
  for (const path of [out, join(out, 'mine.txt')]) {
    const error = await writeDataset({ source, engine, count: 1, seed: 0, out: path }).then(
      () => undefined,
      (e) => e,
    );
    assert.instance(error, DatasetError);
  }
  assert.equal(readdirSync(out), ['mine.txt']);
});

test('counts and seeds that are none are refused before anything is written', async () => {
  for (const wrong of [
    { count: 0 },
    { count: -1 },
    { count: Number.NaN },
    { count: 1e9 },
    { seed: -1 },
    { start: 0.5 },
  ]) {
    const out = newFolder();
    const error = await writeDataset({ source, engine, count: 1, seed: 0, out, ...wrong }).then(
      () => undefined,
      (e) => e,
    );
    assert.instance(error, DatasetError);
    assert.match(error.message, /^Expected an integer from .+ but received/);
    assert.not.ok(existsSync(out));
  }
});

test('a failing renderer leaves nothing behind, not even the folders made on the way', async () => {
  const out = join(newFolder(), 'deep', 'er');
  let calls = 0;
  const failing = {
    render: async (batch: SceneBatch) => {
      if (++calls === 2) throw new Error('no more');
      return drawBoxes(batch);
    },
  } as unknown as WriteDatasetOptions['engine'];
  const error = await writeDataset({ source, engine: failing, count: 1000, seed: 0, out }).then(
    () => undefined,
    (e) => e,
  );
  assert.is(error?.message, 'no more');
  assert.is(calls, 2);
  assert.not.ok(existsSync(join(out, '..', '..')));
});

test('aborting stops early and takes the images away; an empty folder that was there stays', async () => {
  const out = newFolder();
  mkdirSync(out);
  const controller = new AbortController();
  const error = await writeDataset({
    source,
    engine,
    count: 5000,
    seed: 0,
    out,
    signal: controller.signal,
    onProgress: () => controller.abort(),
  }).then(
    () => undefined,
    (e) => e,
  );
  assert.is(error?.name, 'AbortError');
  assert.equal(readdirSync(out), []);
});

test('a scene file comes back as it was written, and a damaged one is refused', async () => {
  const path = join(newFolder(), 'scenes.msg');
  const batch = await source.sampleBatch({ seed: 9, start: 100, count: 7 });
  await writeSceneFile(path, batch);
  const back = await readSceneFile(path);
  assert.equal(back.provenance, batch.provenance);
  assert.equal(back.assets, batch.assets);
  for (const [i, scene] of back.scenes.entries()) {
    assert.equal([...scene.attributes], [...batch.scenes[i].attributes]);
    assert.is(scene.index, 100 + i);
  }
  const bytes = readFileSync(path);
  writeFileSync(path, bytes.subarray(0, bytes.length >> 1));
  const damaged = await readSceneFile(path).then(
    () => undefined,
    (e) => e,
  );
  assert.instance(damaged, SceneGraphError);
  const missing = await readSceneFile(join(root, 'nowhere.msg')).then(
    () => undefined,
    (e) => e,
  );
  assert.instance(missing, DatasetError);
});

test('sampling in chunks is sampling at once', async () => {
  const chunked = await sampleScenes(source, { seed: 2, start: 5, count: 600 });
  const once = await source.sampleBatch({ seed: 2, start: 5, count: 600 });
  assert.equal(
    chunked.scenes.map((scene) => [...scene.attributes]),
    once.scenes.map((scene) => [...scene.attributes]),
  );
});

test('joining batches with different asset tables keeps what each node refers to', async () => {
  const one = await source.sampleBatch({ seed: 3, start: 0, count: 4 });
  const two = { ...(await source.sampleBatch({ seed: 3, start: 4, count: 4 })), assets: ['tiles/b', 'tiles/c'] };
  const joined = concatenateBatches([one, two]);
  const names = (batch: SceneBatch) => batch.scenes.map((scene) => Array.from(scene.asset, (i) => batch.assets[i]));
  assert.equal(names(joined), [...names(one), ...names(two)]);
});

test('a batch as a source gives its scenes by position', async () => {
  const batch = await source.sampleBatch({ seed: 3, start: 50, count: 6 });
  const part = await batchSource(batch).sampleBatch({ seed: 0, start: 2, count: 3 });
  assert.equal(
    part.scenes.map((scene) => scene.index),
    [52, 53, 54],
  );
  assert.throws(
    () => batchSource(batch).sampleBatch({ seed: 0, start: 4, count: 3 }),
    (error: unknown) => error instanceof DatasetError,
  );
});

test.run();
