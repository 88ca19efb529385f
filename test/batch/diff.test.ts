import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { decode } from 'fast-png';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { InProcessSource } from '../../src/batch/generateDataset.js';
import { diffDatasets } from '../../src/dataset/diff.js';
import { encodePng } from '../../src/dataset/png.js';
import { runCli } from '../cli/runCli.js';
import { digitsGrammar, failure, generate, inProcess, newPath } from './datasets.js';

const source = await inProcess(digitsGrammar({ channels: 3 }));
const STREAM = { count: 30, seed: 7, shardSize: 8 } as const;
const tars = await generate(source, { ...STREAM, format: 'webdataset' });

test('the same across formats, shard sizes and names', async () => {
  for (const format of ['imagefolder', 'tfrecord', 'parquet', 'coco', 'yolo', 'voc', 'kitti', 'idx'] as const) {
    const other = await generate(source, { ...STREAM, format, shardSize: 11, name: 'other', codec: 'png' });
    const { same, first, classes, attributes, countA, countB } = await diffDatasets(tars.out, other.out);
    assert.ok(same, `${format}: ${JSON.stringify(first)}`);
    assert.equal([first, attributes, countA, countB], [undefined, [], 30, 30]);
    assert.ok(classes.every(({ a, b, shareChange }) => a === b && shareChange === 0));
  }
});

/** The same source, but for one attribute of the last object at one index. */
function changedAt({ source, ...rest }: InProcessSource, index: number): InProcessSource {
  return {
    ...rest,
    source: {
      name: source.name,
      async sampleBatch(request) {
        const batch = await source.sampleBatch(request);
        const column = batch.schema.attributes.findIndex(({ name }) => name === 'rotation');
        const scenes = batch.scenes.map((scene) => {
          if (scene.index !== index) return scene;
          const attributes = scene.attributes.slice();
          attributes[attributes.length - batch.schema.attributes.length + column] += 45;
          return { ...scene, attributes };
        });
        return { ...batch, scenes };
      },
    },
  };
}

test('one scene that differs is found at its position, with the fields that differ', async () => {
  for (const format of ['webdataset', 'coco'] as const) {
    const other = await generate(changedAt(source, 19), { ...STREAM, format });
    const { same, first, attributes } = await diffDatasets(tars.out, other.out);
    assert.not(same);
    assert.equal([first?.position, first?.keyA, first?.keyB], [19, '000000019', '000000019']);
    assert.ok(
      first?.fields.some((field) => field.startsWith('objects.1.')),
      String(first?.fields),
    );
    assert.ok(
      first?.fields.every(
        (field) => field === 'pixels' || field.startsWith('objects.1.') || field.startsWith('objects.0.'),
      ),
    );
    assert.ok(attributes.length <= 1 && attributes.every(({ attribute }) => attribute === 'rotation'));
  }
});

test('what was changed in the files afterwards is found too, whatever their accounts say: a label, a pixel', async () => {
  const changed = await generate(source, { ...STREAM, format: 'imagefolder' });
  const path = join(changed.out, 'metadata.jsonl');
  const text = readFileSync(path, 'utf8');
  const lines = text.split('\n');
  lines[12] = lines[12].replace(/"visibleFraction":[\d.]+/, '"visibleFraction":0.125');
  writeFileSync(path, lines.join('\n'));
  const label = await diffDatasets(tars.out, changed.out);
  assert.equal(label.first, {
    position: 12,
    keyA: '000000012',
    keyB: '000000012',
    fields: ['objects.0.visibleFraction'],
  });
  writeFileSync(path, text);
  assert.ok((await diffDatasets(tars.out, changed.out)).same);
  const image = join(changed.out, JSON.parse(lines[23]).file_name);
  const { width, height, data } = decode(readFileSync(image));
  data[3 * width + 1] ^= 1;
  writeFileSync(image, encodePng({ width, height, channels: 3, pixels: data as Uint8Array }));
  const pixel = await diffDatasets(changed.out, tars.out);
  assert.equal(pixel.first, { position: 23, keyA: '000000023', keyB: '000000023', fields: ['pixels'] });
});

test('counts: the first that only one has; class balance by hand', async () => {
  const fewer = await generate(source, { ...STREAM, count: 20 });
  const { same, countA, countB, first, classes } = await diffDatasets(tars.out, fewer.out);
  assert.equal([same, countA, countB], [false, 30, 20]);
  assert.equal(first, { position: 20, keyA: '000000020', fields: [] });
  for (const { class: name, a = 0, b = 0, shareChange } of classes) {
    const count = (out: typeof tars, total: number) => {
      const entries = JSON.parse(readFileSync(join(out.out, '.metasim/statistics.json'), 'utf8')).classes;
      const objects: Record<string, number> = Object.fromEntries(
        entries.map((entry: { name: string; objects: number }) => [entry.name, entry.objects]),
      );
      const sum = Object.values(objects).reduce((all, one) => all + one, 0);
      assert.ok(sum <= 2 * total);
      return [objects[name], objects[name] / sum];
    };
    const [inA, shareA] = count(tars, 30);
    const [inB, shareB] = count(fewer, 20);
    assert.equal([a, b], [inA, inB]);
    assert.ok(Math.abs(shareChange - (shareB - shareA)) < 1e-12);
  }
});

test('datasets of others: classes that only one has, without attributes', async () => {
  const folders = [
    ['cat', 'cat', 'dog'],
    ['cat', 'dog', 'bird', 'bird'],
  ].map((labels) => {
    const folder = newPath('foreign');
    for (const [i, label] of labels.entries()) {
      mkdirSync(join(folder, label), { recursive: true });
      const pixels = new Uint8Array(64).fill(i * 10);
      writeFileSync(join(folder, label, `${i}.png`), encodePng({ width: 8, height: 8, channels: 1, pixels }));
    }
    return folder;
  });
  const { same, countA, countB, classes, attributes } = await diffDatasets(folders[0], folders[1]);
  assert.equal([same, countA, countB, attributes], [false, 3, 4, []]);
  assert.equal(
    classes.map((each) => [each.class, each.a, each.b, each.shareChange]),
    [
      ['bird', undefined, 2, 1 / 2],
      ['cat', 2, 1, 1 / 4 - 2 / 3],
      ['dog', 1, 1, 1 / 4 - 1 / 3],
    ],
  );
  assert.ok((await diffDatasets(folders[0], folders[0])).same);
  const against = await diffDatasets(folders[0], tars.out);
  assert.is(against.first?.position, 0);
  assert.match(
    (await failure(diffDatasets(folders[0], newPath()))).message,
    /Expected a dataset at .* there is nothing/,
  );
});

test('the command line: exit code 0 where they are the same, 1 with what differs', async () => {
  const other = await generate(changedAt(source, 19), { ...STREAM, format: 'tfrecord' });
  const [same, differs] = await Promise.all([
    runCli(['diff', tars.out, tars.out]),
    runCli(['diff', tars.out, other.out]),
  ]);
  assert.is(same.code, 0, same.stderr);
  assert.is(same.stdout, 'the same 30 samples, pixel for pixel and label for label\n');
  assert.is(differs.code, 1, differs.stderr);
  assert.match(
    differs.stdout,
    /first difference at position 19: 000000019 and 000000019, which differ in objects\.0\.pixels, /,
  );
});

test.run();
