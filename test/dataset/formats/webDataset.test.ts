import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { pack } from 'tar-stream';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { webDatasetFormat } from '../../../src/dataset/formats/webDataset.js';
import { decodeImage } from '../../../src/dataset/imageCodec.js';
import { encodePng } from '../../../src/dataset/png.js';
import { thingsOf } from '../../../src/dataset/sample.js';
import { readTar } from '../../../src/dataset/tarReader.js';
import { DatasetError } from '../../../src/errors.js';
import { findPython } from '../../helpers/python.js';
import { fixture, readAll, temporaryFolder, writeFixture } from './harness.js';

const made = await fixture({ count: 7 });
const folder = await writeFixture(webDatasetFormat, made, 3);
const picture = encodePng({ width: 3, height: 2, channels: 1, pixels: new Uint8Array(6).fill(90) });

/** A folder with archives by another writer: names and contents. */
async function folderWith(
  archives: Record<string, readonly (readonly [string, string | Uint8Array])[]>,
): Promise<string> {
  const root = temporaryFolder();
  for (const [path, files] of Object.entries(archives)) {
    const out = pack();
    for (const [name, content] of files) out.entry({ name }, Buffer.from(content as Uint8Array));
    out.finalize();
    const pieces: Buffer[] = [];
    for await (const piece of out) pieces.push(piece as Buffer);
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), Buffer.concat(pieces));
  }
  return root;
}

async function refusal(work: Promise<unknown>): Promise<string> {
  const error = await work.catch((reason: Error) => reason);
  assert.instance(error, DatasetError);
  return (error as Error).message;
}

test('a shard is an archive in which the files of a sample stand together, sorted', async () => {
  assert.equal(readdirSync(folder).sort(), [
    '.metasim',
    'info.json',
    'train-000000.tar',
    'train-000001.tar',
    'train-000002.tar',
  ]);
  const names: string[] = [];
  const singles = new Map<string, string>();
  for (const shard of [0, 1, 2]) {
    for await (const { name, bytes } of readTar(join(folder, `train-00000${shard}.tar`), 'shard')) {
      names.push(name);
      if (name.endsWith('.cls')) singles.set(name.slice(0, 9), Buffer.from(bytes).toString());
    }
  }
  assert.equal(names, [...names].sort());
  const extensions = ['classes.png', 'instances.png', 'json', 'png', 'scene.bin'];
  assert.equal(
    names.filter((name) => !name.endsWith('.cls')),
    made.samples.flatMap(({ labels }) => extensions.map((extension) => `${labels.key}.${extension}`)),
  );
  // A class number where there is one thing, and nowhere else.
  const expected = made.samples.flatMap(({ labels }) => {
    const things = thingsOf(labels, made.info);
    return things.length === 1 ? [[labels.key, String(made.info.things.indexOf(things[0].class))]] : [];
  });
  assert.ok(expected.length > 0 && expected.length < 7, 'the fixture has both kinds');
  assert.equal([...singles], expected);
});

test('records, images, masks and scene graphs come back as they were, from one shard and from three', async () => {
  for (const place of [folder, await writeFixture(webDatasetFormat, made, 1)]) {
    assert.ok(await webDatasetFormat.recognises(place));
    assert.is((await webDatasetFormat.open(place)).count, 7);
    const { info, samples } = await readAll(webDatasetFormat, place);
    assert.equal(info, made.info);
    assert.is(samples.length, 7);
    for (const [i, sample] of samples.entries()) {
      const { pixels, ...written } = made.samples[i];
      assert.is(JSON.stringify(sample.labels), JSON.stringify(written.labels));
      assert.equal([...sample.image.bytes], [...written.image.bytes]);
      assert.equal((await decodeImage(sample.image, 'x')).pixels, pixels);
      assert.equal(sample.instances, written.instances);
      assert.equal(sample.classes, written.classes);
      assert.equal([...sample.scene!], [...written.scene!]);
    }
  }
});

test('JPEG and WebP are named after their codec, in grey and in colour', async () => {
  for (const [codec, extension] of [
    ['jpeg', 'jpg'],
    ['webp', 'webp'],
  ] as const) {
    const lossy = await fixture({ count: 2, codec, channels: 3, masks: false, scenes: false });
    const place = await writeFixture(webDatasetFormat, lossy, 1);
    const names: string[] = [];
    for await (const { name } of readTar(join(place, 'train-000000.tar'), 'shard')) names.push(name);
    assert.ok(names.includes(`000000001.${extension}`));
    const { info, samples } = await readAll(webDatasetFormat, place);
    assert.is(info.codec, codec);
    assert.equal([samples[1].image.codec, samples[1].instances], [codec, undefined]);
    assert.equal([...samples[1].image.bytes], [...lossy.samples[1].image.bytes]);
  }
});

test('Python groups the files as WebDataset does and finds the labels', () => {
  const python = findPython('tarfile');
  if (!python) {
    console.log('# skip tarfile: no Python');
    return;
  }
  // base_plus_ext of the webdataset library: folders and all up to the first dot are the key.
  const script = `
import glob, json, re, sys, tarfile
samples = {}
for path in sorted(glob.glob(sys.argv[1] + '/*.tar')):
    with tarfile.open(path) as tar:
        for member in tar:
            key, extension = re.match(r'^((?:.*/|)[^.]+)[.]([^/]*)$', member.name).groups()
            samples.setdefault(key, {})[extension] = tar.extractfile(member).read()
print(json.dumps([[key, json.loads(s['json']), s['png'][:4].hex(), s['cls'].decode() if 'cls' in s else None] for key, s in samples.items()]))
`;
  const found = JSON.parse(execFileSync(python, ['-c', script, folder], { encoding: 'utf8' }));
  assert.equal(
    found,
    made.samples.map(({ labels }) => {
      const things = thingsOf(labels, made.info);
      const single = things.length === 1 ? String(made.info.things.indexOf(things[0].class)) : null;
      return [labels.key, JSON.parse(JSON.stringify(labels)), '89504e47', single];
    }),
  );
});

test('Hugging Face loads it, image, record and class', async () => {
  const python = findPython('datasets');
  if (!python) {
    console.log('# skip datasets: no Python with it');
    return;
  }
  // One thing each: Hugging Face asks that the first samples have the same files.
  const { info, samples } = await fixture({ count: 30 });
  const single = samples.filter(({ labels }) => thingsOf(labels, info).length === 1);
  assert.ok(single.length >= 3);
  const place = await writeFixture(webDatasetFormat, { info, samples: single }, 1);
  const script = `
import json, sys
from datasets import load_dataset
d = load_dataset('webdataset', data_files={'train': sys.argv[1] + '/train-*.tar'}, split='train', cache_dir=sys.argv[2])
print(json.dumps([[r['__key__'], r['cls'], r['json']['objects'][0]['class'], r['png'].size, r['instances.png'].size, len(r['scene.bin'])] for r in d]))
`;
  const run = spawnSync(python, ['-c', script, place, temporaryFolder()], {
    encoding: 'utf8',
    env: { ...process.env, HF_HUB_OFFLINE: '1', HF_DATASETS_OFFLINE: '1' },
  });
  assert.is(run.status, 0, run.stderr);
  assert.equal(
    JSON.parse(run.stdout),
    single.map(({ labels, scene }) => {
      const [thing] = thingsOf(labels, info);
      const size = [labels.width, labels.height];
      return [labels.key, info.things.indexOf(thing.class), 'background', size, size, scene?.length];
    }),
  );
});

test('keys with dots and folders keep their samples apart and come back', async () => {
  const keys = ['a.b', 'a.c', 'a%2Eb', 'deep.er/x', 'plain'];
  const samples = keys.map((key, i) => ({ ...made.samples[i], labels: { ...made.samples[i].labels, key } }));
  const place = await writeFixture(webDatasetFormat, { info: made.info, samples }, 1);
  const read = await readAll(webDatasetFormat, place);
  assert.equal(
    read.samples.map(({ labels }) => labels.key),
    keys,
  );
  for (const key of ['../out', '/abs', 'a\0b', '']) {
    const bad = { info: made.info, samples: [{ ...made.samples[0], labels: { ...made.samples[0].labels, key } }] };
    assert.match(await refusal(writeFixture(webDatasetFormat, bad, 1)), /Expected a path within the dataset/);
  }
});

test('a sample without the masks that its dataset promises is refused', async () => {
  const { instances: _, ...bare } = made.samples[0];
  const message = await refusal(writeFixture(webDatasetFormat, { ...made, samples: [bare] }, 1));
  assert.match(message, /instances\.png of sample 000000000/);
});

test('archives of others: classes from .cls, .txt and .json, captions, folders, remarks, shards by number', async () => {
  const place = await folderWith({
    'shard-10.tar': [
      ['z.jpeg', (await fixture({ count: 1, codec: 'jpeg' })).samples[0].image.bytes],
      ['z.cls', '12\n'],
    ],
    'shard-9.tar': [
      ['./a/one.PNG', picture],
      ['./a/one.cls', '3'],
      ['./a/two.png', picture],
      ['./a/two.txt', 'a dog on a beach'],
      ['__meta__.json', '{}'],
      ['b/one.png', picture],
      ['b/one.seg.png', picture],
      ['b/one.txt', 'cat'],
      ['b/three.png', picture],
      ['b/three.json', JSON.stringify({ label: 'dog', url: 'x' })],
      ['b/four.png', picture],
      ['b/four.json', JSON.stringify({ objects: { bbox: [[1, 0, 2, 1]], categories: ['cat'] } })],
      ['b/five.png', picture],
      ['b/five.json', '[1, 2]'],
      ['README.md', 'about'],
    ],
  });
  assert.ok(await webDatasetFormat.recognises(place));
  const reader = await webDatasetFormat.open(place);
  assert.is(reader.count, 7);
  assert.equal(reader.info.classes, ['12', '3', 'cat', 'dog']);
  assert.equal([reader.info.split, reader.info.codec, reader.info.masks], ['shard', 'png', false]);
  const { samples } = await readAll(webDatasetFormat, place);
  const whole = [0, 0, 3, 2];
  assert.equal(
    samples.map(({ labels, image }) => [labels.key, labels.index, image.codec, labels.channels, labels.objects]),
    [
      ['a/one', 0, 'png', 1, [{ class: '3', box: whole }]],
      ['a/two', 1, 'png', 1, []],
      ['b/one', 2, 'png', 1, [{ class: 'cat', box: whole }]],
      ['b/three', 3, 'png', 1, [{ class: 'dog', box: whole }]],
      ['b/four', 4, 'png', 1, [{ class: 'cat', box: [1, 0, 2, 1] }]],
      ['b/five', 5, 'png', 1, []],
      ['z', 6, 'jpeg', 3, [{ class: '12', box: [0, 0, 48, 32] }]],
    ],
  );
});

test('one of several splits is opened by the beginning of its names', async () => {
  const place = await folderWith({
    'train-000000.tar': [['a.png', picture]],
    'val-000000.tar': [['b.png', picture]],
  });
  assert.match(await refusal(webDatasetFormat.open(place)), /one split .* received train, val; open one of them/);
  const { info, samples } = await readAll(webDatasetFormat, join(place, 'val'));
  assert.equal([info.split, samples.map(({ labels }) => labels.key)], ['val', ['b']]);
  assert.match(await refusal(webDatasetFormat.open(join(place, 'test'))), /Expected tar archives/);
  assert.is(await webDatasetFormat.recognises(join(place, 'nowhere')), false);
});

test('a shard that is missing, cut off or damaged is named, with the sample', async () => {
  const copy = async () => writeFixture(webDatasetFormat, made, 3);
  const lost = await copy();
  rmSync(join(lost, 'train-000001.tar'));
  assert.match(await refusal(readAll(webDatasetFormat, lost)), /Expected shard 1 .*train-000002\.tar/);
  const last = await copy();
  rmSync(join(last, 'train-000002.tar'));
  assert.match(await refusal(readAll(webDatasetFormat, last)), /Expected 7 samples .* received 6/);
  const cut = await copy();
  const shard = join(cut, 'train-000001.tar');
  const bytes = readFileSync(shard);
  writeFileSync(shard, bytes.subarray(0, 9000));
  assert.match(await refusal(readAll(webDatasetFormat, cut)), /train-000001\.tar .* in or after 00000000[345]\./);
  // The first byte of a record and of an image.
  for (const [name, pattern] of [
    ['000000004.json', /train-000001\.tar, sample 000000004, \.json/],
    ['000000004.png', /train-000001\.tar, sample 000000004, \.png/],
    ['000000004.instances.png', /train-000001\.tar, sample 000000004, \.instances\.png/],
  ] as const) {
    const damaged = Buffer.from(bytes);
    damaged[damaged.indexOf(`${name}\0`) + 512] ^= 1;
    writeFileSync(shard, damaged);
    assert.match(await refusal(readAll(webDatasetFormat, cut)), pattern);
  }
});

test('hostile samples are refused by name', async () => {
  const record = { key: 'a', index: 0, width: 3, height: 2, channels: 1, objects: [] };
  const json = (value: unknown) => ['a.json', JSON.stringify(value)] as const;
  const cases: [readonly (readonly [string, string | Uint8Array])[], RegExp][] = [
    [[['a.json', '{}']], /Expected an image .* sample a/],
    [[['a.png', picture], ['a.png', picture]], /Expected one \.png in .* sample a/], // biome-ignore format: one line a case
    [[['a.png', picture], json({ ...record, width: 4 })], /Expected 4 × 2 px/],
    [[['a.png', picture], json({ ...record, key: '../a' })], /a key that can name files/],
    [
      [
        ['a.png', picture],
        ['a.json', `${'['.repeat(20_000)}${']'.repeat(20_000)}`],
      ],
      /nested at most/,
    ],
    [
      [
        ['a.png', picture],
        ['a.json', '{"__proto__":1}'],
      ],
      /__proto__/,
    ],
    [
      [
        ['a.png', picture],
        ['a.json', '{"label":1e400}'],
      ],
      /finite/,
    ],
    [
      [
        ['a.png', picture],
        ['a.json', Uint8Array.of(0x22, 0xff, 0x22)],
      ],
      /UTF-8/,
    ],
    [[['a.png', Buffer.from('no picture')]], /sample a, \.png/],
    [
      [
        ['a.png', picture],
        ['a.instances.png', encodePng({ width: 1, height: 1, channels: 1, pixels: new Uint8Array(1) })],
        json(record),
      ],
      /Expected 3 × 2 px for .*instances/,
    ],
    [
      [
        ['a.png', picture],
        ['a.classes.png', encodePng({ width: 3, height: 2, channels: 1, pixels: new Uint16Array(6) })],
        json(record),
      ],
      /8 bits/,
    ],
    [[['../../a.png', picture]], /Expected a path within the dataset/],
  ];
  for (const [files, pattern] of cases) {
    const place = await folderWith({ 'x-0.tar': files });
    const message = await refusal(readAll(webDatasetFormat, place));
    assert.match(message, pattern);
    assert.match(message, /x-0\.tar/);
  }
});

test('reading stops when it is told to', async () => {
  const stop = new AbortController();
  const reader = await webDatasetFormat.open(folder);
  const seen: string[] = [];
  const work = (async () => {
    for await (const { labels } of reader.samples({ signal: stop.signal })) {
      seen.push(labels.key);
      stop.abort(new Error('enough'));
    }
  })();
  const error = await work.catch((reason: Error) => reason);
  assert.equal([(error as Error).message, seen], ['enough', ['000000000']]);
});

test.run();
