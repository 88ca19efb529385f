import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { mergeDatasets } from '../../src/batch/mergeDatasets.js';
import { sampleDigest } from '../../src/dataset/contentHash.js';
import { openFormat } from '../../src/dataset/formats/index.js';
import { encodePng } from '../../src/dataset/png.js';
import type { ImageLabels } from '../../src/dataset/sample.js';
import { ConfigError, DatasetError } from '../../src/errors.js';
import { decodeScenes } from '../../src/render/verify.js';
import { digestsOf, digitsGrammar, failure, generate, hashOf, inProcess, leftovers, newPath } from './datasets.js';

const grammar = digitsGrammar({ most: 3 });
const COUNT = 120;
const STREAM = { count: COUNT, seed: 3, format: 'webdataset', shardSize: 20 } as const;
const whole = await generate(grammar, STREAM);
/** The same on this thread. */
const near = await inProcess(grammar);
const hash = whole.manifest?.contentHash ?? '';

/** All records of an imagefolder. */
function records(out: string): (ImageLabels & { file_name: string })[] {
  const lines = readFileSync(join(out, 'metadata.jsonl'), 'utf8').trimEnd().split('\n');
  return lines.map((line) => JSON.parse(line));
}

test('the content hash is SHA-256 over the digests of records and pixels, read back', async () => {
  const content = createHash('sha256');
  for await (const sample of (await (await openFormat('webdataset')).open(whole.out)).samples()) {
    const { decode } = await import('fast-png');
    content.update(sampleDigest(JSON.stringify(sample.labels), decode(sample.image.bytes).data as Uint8Array));
  }
  assert.is(content.digest('hex'), hash);
  assert.is(new Set(digestsOf(whole.out)).size, COUNT, 'no two samples are the same');
  assert.equal(leftovers(whole.out), []);
});

for (const threads of [2, 4]) {
  test(`${threads} threads: the same content as one`, async () => {
    assert.is(await hashOf(grammar, STREAM, { threads }), hash);
  });
}

for (const shardSize of [7, 50, 1000]) {
  test(`shards of ${shardSize}: the same content as shards of 20`, async () => {
    const { manifest } = await generate(near, { ...STREAM, shardSize });
    assert.is(manifest?.contentHash, hash);
    assert.is(manifest?.shards, Math.ceil(COUNT / shardSize));
  });
}

test('three machines on one folder: none ends the dataset, merging does', async () => {
  const out = newPath();
  const parts = await Promise.all(
    [2, 0, 1].map((index) => generate(near, { ...STREAM, shardSize: 13 }, { out, machine: { index, count: 3 } })),
  );
  assert.equal(
    parts.map(({ made, manifest }) => [made, manifest]),
    [
      [4, undefined],
      [3, undefined],
      [3, undefined],
    ],
  );
  assert.is((await mergeDatasets({ out })).contentHash, hash);
  assert.equal(leftovers(out), []);
});

test('three machines with folders of their own are merged into a fourth, in formats with and without parts', async () => {
  for (const format of ['webdataset', 'coco'] as const) {
    const parts: string[] = [];
    for (const index of [0, 1, 2]) {
      parts.push((await generate(near, { ...STREAM, format }, { machine: { index, count: 3 } })).out);
    }
    const out = newPath();
    assert.is((await mergeDatasets({ out, parts })).contentHash, hash);
    const alone = await generate(near, { ...STREAM, format });
    assert.equal(files(out), files(alone.out), 'every file is the same as of one machine');
  }
});

/** Bytes of all files by path; the manifest's configuration may name paths. */
function files(out: string): Record<string, string> {
  const paths = readdirSync(out, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
  return Object.fromEntries(
    paths.sort().map((path) => [path.slice(out.length), createHash('sha256').update(readFileSync(path)).digest('hex')]),
  );
}

test('a source in this process gives the same content as the grammar file', async () => {
  for (const threads of [1, 2]) assert.is(await hashOf(near, STREAM, { threads }), hash);
});

test('every format has the same content, and its own reader and records say so', async () => {
  const one = await inProcess(digitsGrammar({ channels: 3 }));
  const stream = { count: 24, seed: 1, shardSize: 10 };
  const expected = await hashOf(one, { ...stream, format: 'webdataset' });
  const { verifyDataset } = await import('../../src/dataset/verify.js');
  const formats = ['imagefolder', 'coco', 'tfrecord', 'parquet', 'kitti', 'yolo', 'yolo-seg', 'idx'] as const;
  const png = [...formats.map((format) => ({ format })), { format: 'voc', codec: 'png' } as const];
  for (const settings of png) {
    const { manifest, out } = await generate(one, { ...stream, ...settings });
    assert.is(manifest?.contentHash, expected, settings.format);
    const { ok, faults, contentHash } = await verifyDataset(out);
    assert.ok(ok, `${settings.format}: ${JSON.stringify(faults)}`);
    assert.is(contentHash, expected, settings.format);
  }
});

test('a start cuts the same stream: its scenes are those of the whole, labelled by their number', async () => {
  const first = await generate(near, { ...STREAM, count: 50 });
  const second = await generate(near, { ...STREAM, count: COUNT - 50, start: 50 });
  assert.equal([...digestsOf(first.out), ...digestsOf(second.out)], digestsOf(whole.out));
  assert.is.not(await hashOf(near, { ...STREAM, seed: 4 }), hash);
});

test('minimumPixels takes the box from what shows less, and nothing else', async () => {
  const stream = { ...STREAM, count: 40, format: 'imagefolder' } as const;
  const all = records((await generate(near, stream)).out);
  const some = records((await generate(near, { ...stream, minimumPixels: 30 })).out);
  let hidden = 0;
  for (const [i, { objects }] of all.entries()) {
    for (const [j, object] of objects.entries()) {
      const small = (object.pixels as number) < 30;
      if (small && object.box) hidden++;
      assert.equal(some[i].objects[j], small ? { ...object, visible: false, box: null, centre: null } : object);
    }
  }
  assert.ok(hidden > 0, 'some objects are that small');
});

test('ignore says which classes detection formats leave out; records keep all', async () => {
  const stream = { ...STREAM, count: 10, format: 'coco' } as const;
  const categories = (out: string) =>
    JSON.parse(readFileSync(join(out, 'annotations/instances_train.json'), 'utf8')).categories.map(
      ({ name }: { name: string }) => name,
    );
  const usual = await generate(near, stream);
  assert.equal(categories(usual.out), ['3', '7', '8']);
  const other = await generate(near, { ...stream, ignore: ['7'] });
  assert.equal(categories(other.out), ['background', '3', '8']);
  assert.is(other.manifest?.contentHash, usual.manifest?.contentHash);
});

test('masks and scenes are written where they are asked for, and are true', async () => {
  const stream = { ...STREAM, count: 5 };
  const both = await generate(near, { ...stream, masks: true, scenes: true });
  const reader = await (await openFormat('webdataset')).open(both.out);
  let samples = 0;
  for await (const { labels, instances, classes, scene } of reader.samples()) {
    samples++;
    assert.is(instances?.length, 32 * 32);
    for (const object of labels.objects) {
      const seen = [...(instances as Uint16Array)].filter((value) => value === (object.node as number) + 1).length;
      assert.is(seen, object.pixels);
    }
    assert.ok((classes as Uint8Array).every((value) => value <= 4));
    assert.is(decodeScenes(scene as Uint8Array).scenes[0].index, labels.index);
  }
  assert.is(samples, 5);
  const without = await generate(near, stream);
  for await (const sample of (await (await openFormat('webdataset')).open(without.out)).samples()) {
    assert.equal([sample.instances, sample.classes, sample.scene], [undefined, undefined, undefined]);
  }
  assert.is(without.manifest?.contentHash, both.manifest?.contentHash);
});

test('a folder with something in it is refused and stays as it is; one that was barely begun is not', async () => {
  const out = newPath();
  mkdirSync(out);
  writeFileSync(join(out, 'mine.txt'), 'mine');
  assert.match((await failure(generate(near, STREAM, { out }))).message, /which holds mine\.txt/);
  assert.match((await failure(generate(near, STREAM, { out, resume: true }))).message, /which holds mine\.txt/);
  assert.equal(readdirSync(out), ['mine.txt']);
  assert.match((await failure(generate(near, STREAM, { out: whole.out }))).message, /pass --resume/);
  for (const resume of [false, true]) {
    const begun = newPath();
    mkdirSync(join(begun, '.metasim/staging'), { recursive: true });
    writeFileSync(join(begun, '.metasim/staging/file-1-x'), 'half of a header');
    assert.is(await hashOf(near, STREAM, { out: begun, resume }), hash);
    assert.equal(leftovers(begun), []);
  }
});

test('going on with other settings or another source is refused, naming what differs', async () => {
  const before = files(whole.out);
  const other: [string, object][] = [
    ['seed', { seed: 4 }],
    ['count', { count: COUNT + 1 }],
    ['shardSize', { shardSize: 21 }],
    ['start', { start: 1 }],
    ['layout', { format: 'tfrecord' }],
    ['masks', { masks: true }],
    ['minimumPixels', { minimumPixels: 2 }],
    ['things', { ignore: [] }],
    ['codec', { codec: 'jpeg' }],
    ['name', { name: 'other' }],
    ['split', { split: 'val' }],
  ];
  for (const [name, settings] of other) {
    const error = await failure(generate(grammar, { ...STREAM, ...settings }, { out: whole.out, resume: true }));
    assert.instance(error, DatasetError);
    assert.match(error.message, new RegExp(`another "${name}"`));
  }
  const error = await failure(generate(digitsGrammar({ most: 2 }), STREAM, { out: whole.out, resume: true }));
  assert.match(error.message, /another "grammarHash"/);
  const digits = { source: { path: grammar, assets: [{ kind: 'digits', variants: 5 }] } } as const;
  const textures = await failure(generate(digits.source as never, STREAM, { out: whole.out, resume: true }));
  assert.match(textures.message, /others: some were added, removed or renamed/);
  const part = generate(grammar, STREAM, { out: whole.out, machine: { index: 0, count: 2 } });
  assert.match((await failure(part)).message, /Expected none of this machine's shards .*0–2 are there; pass --resume/);
  assert.equal(files(whole.out), before);
  const { made, manifest } = await generate(grammar, STREAM, { out: whole.out, resume: true });
  assert.is(made, 0);
  assert.is(manifest?.contentHash, hash);
});

test('textures that state no licence need a word, before anything is written', async () => {
  const textures = newPath('textures');
  mkdirSync(textures);
  const pixels = Uint8Array.from({ length: 64 }, (_, i) => i);
  writeFileSync(join(textures, 'a.png'), encodePng({ width: 8, height: 8, channels: 1, pixels }));
  const path = `${newPath('grammar')}.yaml`;
  writeFileSync(
    path,
    'canvas: { width: 16, height: 16 }\nattributes: { x: {}, y: {} }\nclasses: { a: { asset: tile/* } }\nnodes: [{ class: a }]\n',
  );
  const images = (licence?: string) => ({
    path,
    assets: [
      { kind: 'images', folder: textures, glob: '**', prefix: 'tile', edge: 'extend', ...(licence ? { licence } : {}) },
    ],
  });
  const out = newPath();
  const error = await failure(generate(images() as never, { count: 3 }, { out }));
  assert.match(error.message, /Expected a licence for every asset .* tile.*--allow-unlicensed/);
  assert.not(existsSync(out));
  const stated = await generate(images('CC0-1.0') as never, { count: 3 });
  const allowed = await generate(images() as never, { count: 3 }, { allowUnlicensed: true });
  assert.equal(stated.manifest?.licences[0].licence, 'CC0-1.0');
  assert.equal(allowed.manifest?.licences[0].licence, 'unknown');
  assert.is(allowed.manifest?.contentHash, stated.manifest?.contentHash);
});

test('without room nothing is begun: how much is needed and there is, is said', async () => {
  const out = newPath();
  // 256 × 256 px of noise in RGB, 10⁸ times: some 10 TB and more.
  const large = digitsGrammar({ size: 256, channels: 3 });
  const error = await failure(generate(await inProcess(large), { count: 100_000_000 }, { out }));
  assert.match(
    error.message,
    /Expected about [\d.]+ GB of free space for 100000000 images .* included, but received [\d.]+ GB/,
  );
  assert.not(existsSync(out));
});

test('settings out of range are refused, by name, before anything is written', async () => {
  const out = newPath();
  const refused: [object, RegExp][] = [
    [{ count: 0 }, /count/],
    [{ count: Number.NaN }, /count/],
    [{ count: 1.5 }, /count/],
    [{ count: 100_000_001 }, /count/],
    [{ count: 2_000_000, shardSize: 1 }, /at most 1000000 shards/],
    [{ seed: -1 }, /seed/],
    [{ split: '../x' }, /split/],
    [{ minimumPixels: 0 }, /minimumPixels/],
    [{ format: 'jpegs' }, /format/],
    [{ format: 'idx', codec: 'jpeg' }, /Expected png for the codec of idx but received jpeg/],
    [{ cuont: 3 }, /cuont/],
  ];
  for (const [settings, message] of refused) {
    const error = await failure(generate(near, { ...STREAM, ...settings }, { out }));
    assert.instance(error, ConfigError);
    assert.match(error.message, message);
  }
  for (const threads of [0, 1.5, 257, Number.NaN]) {
    assert.match((await failure(generate(near, STREAM, { out, threads }))).message, /threads/);
  }
  const machine = generate(near, STREAM, { out, machine: { index: 3, count: 3 } });
  assert.match((await failure(machine)).message, /Expected an integer from 0 to 2 for the shard index/);
  assert.not(existsSync(out));
});

test('scenes may be empty, also all of a batch or shard: they have an image and no objects', async () => {
  const path = `${newPath('grammar')}.yaml`;
  writeFileSync(
    path,
    `canvas: { width: 9, height: 9, channels: 1 }
attributes: { x: {}, y: {} }
classes: { digit: { asset: digits/4/*, attributes: { x: 4, y: 4 } } }
nodes: [{ class: digit, count: { uniform: [0, 1] } }]
`,
  );
  for (const masks of [false, true]) {
    const { out, manifest } = await generate(await inProcess(path), {
      ...{ count: 12, seed: 1, shardSize: 1, format: 'imagefolder' as const, masks },
    });
    assert.is(manifest?.count, 12);
    const counts = new Set(records(out).map(({ objects }) => objects.length));
    assert.equal([...counts].sort(), [0, 1]);
  }
});

test.run();
