import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  closeSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import { parquetWriteBuffer } from 'hyparquet-writer';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { parquetFormat } from '../../../src/dataset/formats/parquet.js';
import { ParquetDatasetWriter } from '../../../src/dataset/formats/parquetWriter.js';
import { encodePng } from '../../../src/dataset/png.js';
import { DatasetError } from '../../../src/errors.js';
import { folderContent } from '../../helpers/folderContent.js';
import { findPython } from '../../helpers/python.js';
import { type Fixture, fixture, readAll, temporaryFolder, writeFixture } from './harness.js';

const made = await fixture({ count: 7, channels: 3 });
const folder = await writeFixture(parquetFormat, made, 3);
const FILES = [0, 1, 2].map((i) => join(folder, `data/train-0000${i}-of-00003.parquet`));
const python = findPython('pyarrow.parquet');
const huggingFace = findPython('datasets');

/** A grey picture of 10 × 4 px. */
const picture = encodePng({ width: 10, height: 4, channels: 1, pixels: new Uint8Array(40).fill(7) });
const SHARED = { width: 10, height: 4, channels: 1 as const };

function sha(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

function folderWith(path: string, bytes: Uint8Array): string {
  const root = temporaryFolder();
  mkdirSync(dirname(join(root, path)), { recursive: true });
  writeFileSync(join(root, path), bytes);
  return root;
}

/**
 * Datasets of one file each, `a.parquet`, that one Python writes: `image` is the picture, `paths` are the files.
 * @returns the folders
 */
function pythonFolders(interpreter: string, count: number, script: string): string[] {
  const roots = Array.from({ length: count }, () => temporaryFolder());
  const source = join(folderWith('picture.png', picture), 'picture.png');
  const head = `import sys\nimage = open(sys.argv[1], 'rb').read()\npaths = sys.argv[2:]\n`;
  const paths = roots.map((root) => join(root, 'a.parquet'));
  execFileSync(interpreter, ['-c', head + script, source, ...paths], { stdio: 'pipe' });
  return roots;
}

async function refusal(work: Promise<unknown>): Promise<string> {
  const error = await work.catch((reason: Error) => reason);
  assert.instance(error, DatasetError);
  return (error as Error).message;
}

function expectSamples({ info, samples }: Fixture, written: Fixture): void {
  assert.equal(info, written.info);
  assert.is(samples.length, written.samples.length);
  for (const [i, sample] of samples.entries()) {
    const { labels, image, instances, classes, scene } = written.samples[i];
    assert.equal(sample.labels, JSON.parse(JSON.stringify(labels)));
    assert.is(JSON.stringify(sample.labels), JSON.stringify(labels));
    assert.is(sample.image.codec, image.codec);
    assert.is(sha(sample.image.bytes), sha(image.bytes));
    assert.equal(sample.instances, instances);
    assert.equal(sample.classes, classes);
    assert.equal(sample.scene && sha(sample.scene), scene && sha(scene));
  }
}

/** Things with a box, as the column `objects` has them. */
const objectsOf = (i: number) =>
  made.samples[i].labels.objects.filter((object) => object.class !== 'background' && object.box);

test('files are named as Hugging Face names shards, and the folder is recognised', async () => {
  assert.equal(
    Object.keys(folderContent(folder)),
    [0, 1, 2].map((i) => `data/train-0000${i}-of-00003.parquet`),
  );
  assert.ok(await parquetFormat.recognises(folder));
  assert.not(await parquetFormat.recognises(temporaryFolder()));
  assert.is((await parquetFormat.open(folder)).count, 7);
});

test('records, images, masks and scene graphs come back as they were, of three shards and of one', async () => {
  expectSamples(await readAll(parquetFormat, folder), made);
  expectSamples(await readAll(parquetFormat, await writeFixture(parquetFormat, made, 1)), made);
  assert.equal(folderContent(await writeFixture(parquetFormat, made, 3)), folderContent(folder));
});

test('row groups of one row, of a few and of all hold the same samples', async () => {
  for (const bytes of [1, 30_000]) {
    const format = { ...parquetFormat, writer: () => new ParquetDatasetWriter(made.info, bytes) };
    expectSamples(await readAll(format, await writeFixture(format, made, 2)), made);
  }
});

test('without masks and scene graphs there are no such columns; JPEG and WebP stay what they are', async () => {
  for (const codec of ['jpeg', 'webp'] as const) {
    const plain = await fixture({ count: 2, channels: 3, codec, masks: false, scenes: false });
    const read = await readAll(parquetFormat, await writeFixture(parquetFormat, plain, 1));
    expectSamples(read, plain);
    assert.equal(Object.keys(read.samples[0]).sort(), ['image', 'labels']);
  }
});

test('DuckDB reads columns, boxes and bytes', async () => {
  const instance = await DuckDBInstance.create(':memory:');
  const connection = await instance.connect();
  const glob = join(folder, 'data', '*.parquet');
  const query = async (sql: string) => (await connection.runAndReadAll(sql)).getRowObjectsJson();
  const rows = await query(`
    SELECT key, index::INT AS index, seed::INT AS seed, width, height, image.path AS path, sha256(image.bytes) AS image,
      labels, objects, sha256(scene) AS scene, octet_length(instances.bytes) AS instances, classes.path AS classes
    FROM read_parquet('${glob}') ORDER BY key`);
  assert.is(rows.length, 7);
  for (const [i, { labels, image, scene }] of made.samples.entries()) {
    const { objects, instances, ...row } = rows[i] as Record<string, never>;
    assert.equal(row, {
      ...{ key: labels.key, index: labels.index, seed: 5, width: 48, height: 32, path: `${labels.key}.png` },
      ...{ image: sha(image.bytes), labels: JSON.stringify(labels), scene: sha(scene!) },
      classes: `${labels.key}.classes.png`,
    });
    assert.ok(Number(instances) > 50);
    const { id, area, bbox, category } = objects as Record<string, unknown[]>;
    assert.equal(
      id.map(Number),
      objectsOf(i).map(({ node }) => node),
    );
    assert.equal(
      area.map(Number),
      objectsOf(i).map(({ pixels }) => pixels),
    );
    assert.equal(
      bbox,
      objectsOf(i).map(({ box }) => box),
    );
    assert.equal(
      category.map(Number),
      objectsOf(i).map((object) => ['3', '7', '8'].indexOf(object.class)),
    );
  }
  const [{ compressed }] = await query(
    `SELECT string_agg(DISTINCT compression, ' ' ORDER BY compression) AS compressed FROM parquet_metadata('${glob}') WHERE path_in_schema IN ('image, bytes', 'labels')`,
  );
  assert.is(compressed, 'SNAPPY UNCOMPRESSED');
  connection.closeSync();
  instance.closeSync();
});

if (!python) console.log('# skip Parquet against pyarrow: no Python with pyarrow');
(python ? test : test.skip)('pyarrow reads the same rows', () => {
  const script = `
import sys, json, hashlib, pyarrow.parquet as pq
sha = lambda b: hashlib.sha256(b).hexdigest()
for path in sys.argv[1:]:
    for row in pq.ParquetFile(path).read().to_pylist():
        print(json.dumps([row['key'], row['index'], sha(row['image']['bytes']), row['labels'], row['objects'], sha(row['scene'])]))`;
  const lines = execFileSync(python!, ['-c', script, ...FILES], { encoding: 'utf8' })
    .trim()
    .split('\n');
  assert.equal(
    lines.map((line) => JSON.parse(line)),
    made.samples.map(({ labels, image, scene }, i) => [
      labels.key,
      labels.index,
      sha(image.bytes),
      JSON.stringify(labels),
      {
        id: objectsOf(i).map(({ node }) => node),
        area: objectsOf(i).map(({ pixels }) => pixels),
        bbox: objectsOf(i).map(({ box }) => box),
        category: objectsOf(i).map((object) => ['3', '7', '8'].indexOf(object.class)),
      },
      sha(scene!),
    ]),
  );
});

if (!huggingFace) console.log('# skip Parquet against Hugging Face: no Python with datasets');
(huggingFace ? test : test.skip)('Hugging Face decodes images and masks and knows the class names', () => {
  const script = `
import sys, json, hashlib, numpy as np, datasets
sha = lambda image: hashlib.sha256(np.asarray(image).tobytes()).hexdigest()
data = datasets.load_dataset(sys.argv[1], cache_dir=sys.argv[2], split='train')
category = data.features['objects']['category'].feature
for row in data:
    print(json.dumps([row['key'], row['image'].mode, sha(row['image']), sha(np.asarray(row['instances']).astype(np.uint16)), sha(row['classes']),
        category.int2str(row['objects']['category']), row['objects']['bbox']]))`;
  const output = execFileSync(huggingFace!, ['-c', script, folder, temporaryFolder()], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
    env: { ...process.env, HF_HUB_OFFLINE: '1', HF_HUB_DISABLE_TELEMETRY: '1' },
  });
  const bytes = (array: Uint8Array | Uint16Array) => new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
  assert.equal(
    output
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line)),
    made.samples.map(({ labels, pixels, instances, classes }, i) => [
      labels.key,
      'RGB',
      sha(bytes(pixels!)),
      sha(bytes(instances!)),
      sha(bytes(classes!)),
      objectsOf(i).map((object) => object.class),
      objectsOf(i).map(({ box }) => box),
    ]),
  );
});

test('files of others: images as plain bytes, a class by name for each', async () => {
  const bytes = parquetWriteBuffer({
    columnData: [
      { name: 'img', data: [picture, picture, picture], type: 'BYTE_ARRAY' },
      { name: 'label', data: ['cat', 'dog', null], type: 'STRING' },
      { name: 'file_name', data: ['a/1.png', '../2.png', null], type: 'STRING' },
    ],
  });
  const root = folderWith('validation.parquet', new Uint8Array(bytes));
  const { info, samples } = await readAll(parquetFormat, root);
  assert.equal(
    { ...info, name: '' },
    {
      name: '',
      classes: ['cat', 'dog'],
      things: ['cat', 'dog'],
      split: 'validation',
      codec: 'png',
      masks: false,
      scenes: false,
    },
  );
  assert.equal(
    samples.map(({ labels }) => labels),
    [
      { key: '1', index: 0, ...SHARED, objects: [{ class: 'cat', box: [0, 0, 10, 4] }] },
      { key: '2', index: 1, ...SHARED, objects: [{ class: 'dog', box: [0, 0, 10, 4] }] },
      { key: '000000002', index: 2, ...SHARED, objects: [] },
    ],
  );
  assert.equal([...samples[0].image.bytes], [...picture]);
});

(huggingFace ? test : test.skip)(
  'datasets that Hugging Face wrote: class numbers, boxes of fixed length, objects absent',
  async () => {
    const [root] = pythonFolders(
      huggingFace!,
      1,
      `
import datasets as d
F = d.Features({'image': d.Image(), 'image_id': d.Value('int64'), 'objects': {'area': d.Sequence(d.Value('int64')),
    'bbox': d.Sequence(d.Sequence(d.Value('float32'), length=4)), 'category': d.Sequence(d.ClassLabel(names=['cup', 'mug']))}})
rows = {'image': [{'bytes': image, 'path': None}] * 3, 'image_id': [7, 8, 9], 'objects': [
    {'area': [6, 2], 'bbox': [[1, 2, 3, 2], [0, 0, 2, 1]], 'category': [1, 0]}, {'area': [], 'bbox': [], 'category': []}, None]}
d.Dataset.from_dict(rows, features=F).to_parquet(paths[0])`,
    );
    const { info, samples } = await readAll(parquetFormat, root);
    assert.equal(info.classes, ['cup', 'mug']);
    assert.equal(
      samples.map(({ labels }) => labels),
      [
        {
          ...{ key: '7', index: 0, ...SHARED },
          objects: [
            { class: 'mug', box: [1, 2, 3, 2], pixels: 6 },
            { class: 'cup', box: [0, 0, 2, 1], pixels: 2 },
          ],
        },
        { key: '8', index: 1, ...SHARED, objects: [] },
        { key: '9', index: 2, ...SHARED, objects: [] },
      ],
    );
  },
);

(python ? test : test.skip)('pages of both versions, compressed or not, with and without dictionaries', async () => {
  const zstd = 'zstdDecompressSync' in (await import('node:zlib')) ? ['zstd'] : [];
  const forms = ['none', 'snappy', 'gzip', 'brotli', ...zstd].flatMap((codec) => [`${codec} 1.0`, `${codec} 2.0`]);
  const roots = pythonFolders(
    python!,
    forms.length,
    `
import pyarrow as pa, pyarrow.parquet as pq
n = 100
objects = [None if i % 5 == 0 else [{'bbox': [float(i), 1.5, 2.0, 3.0], 'category': 'even' if i % 2 == 0 else 'odd'}] * (i % 4) for i in range(n)]
table = pa.table({'image': pa.array([{'bytes': image, 'path': f'{i}.png'} for i in range(n)]), 'objects': pa.array(objects)})
for form, path in zip('${forms}'.split(','), paths):
    codec, version = form.split()
    pq.write_table(table, path, compression=codec, data_page_version=version, row_group_size=30, data_page_size=500)`,
  );
  const expected = Array.from({ length: 100 }, (_, i) => ({
    ...{ key: `${i}`, index: i, ...SHARED },
    objects: Array.from({ length: i % 5 === 0 ? 0 : i % 4 }, () => ({
      class: i % 2 === 0 ? 'even' : 'odd',
      box: [i, 1.5, 2, 3],
    })),
  }));
  for (const [i, root] of roots.entries()) {
    const { samples } = await readAll(parquetFormat, root);
    assert.equal(
      samples.map(({ labels }) => labels),
      expected,
      forms[i],
    );
    assert.ok(samples.every(({ image }) => sha(image.bytes) === sha(picture)));
  }
});

(python ? test : test.skip)(
  'what cannot be read is named: encodings and codecs that are not known, images that lie elsewhere',
  async () => {
    const cases: [columns: string, options: string, message: RegExp][] = [
      [
        `{'image': [image] * 9, 'key': ['a'] * 9}`,
        `use_dictionary=False, column_encoding={'key': 'DELTA_BYTE_ARRAY'}`,
        /DELTA_BYTE_ARRAY/,
      ],
      [`{'image': [image] * 9}`, `compression='lz4'`, /LZ4_RAW/],
      [
        `{'image': pa.array([{'bytes': None, 'path': 'elsewhere.png'}], pa.struct({'bytes': pa.binary(), 'path': pa.string()}))}`,
        '',
        /row 0 of .*elsewhere\.png/,
      ],
      [`{'text': ['a']}`, '', /column of images/],
      [`{'image': [b'no image']}`, '', /PNG, JPEG or WebP/],
      [`{'image': [image], 'objects': [{'bbox': [[1.0, 2.0, 3.0]], 'category': [1]}]}`, '', /four finite numbers/],
      [`{'image': [image], 'objects': [{'bbox': [[1.0, 2.0, 3.0, 4.0]], 'category': [1, 2]}]}`, '', /a class for each/],
    ];
    const lines = cases.map(([columns, options], i) => `pq.write_table(pa.table(${columns}), paths[${i}], ${options})`);
    const script = ['import pyarrow as pa, pyarrow.parquet as pq', ...lines].join('\n');
    for (const [i, root] of pythonFolders(python!, cases.length, script).entries()) {
      const said = await refusal(readAll(parquetFormat, root));
      assert.match(said, cases[i][2]);
      assert.match(said, /a\.parquet/);
    }
  },
);

test('no damaged byte hangs the reader, fills the memory or brings another error', async () => {
  const small = await fixture({ count: 3, masks: false, scenes: false });
  const root = await writeFixture(parquetFormat, small, 1);
  const path = join(root, 'data/train-00000-of-00001.parquet');
  const good = readFileSync(path);
  // A changed byte within an image's file is for its decoder to notice.
  const images = small.samples.map(({ image }) => {
    const start = good.indexOf(image.bytes);
    return [start, start + image.bytes.length];
  });
  const descriptor = openSync(path, 'r+');
  const before = process.resourceUsage().maxRSS;
  let refused = 0;
  for (let at = 0; at < good.length; at++) {
    if (images.some(([start, end]) => at >= start && at < end)) continue;
    writeSync(descriptor, Buffer.of(good[at] ^ [0x01, 0x80, 0xff][at % 3]), 0, 1, at);
    const error = await readAll(parquetFormat, root).then(
      () => undefined,
      (reason: Error) => reason,
    );
    writeSync(descriptor, good, at, 1, at);
    if (error === undefined) continue;
    refused++;
    assert.instance(error, DatasetError, `byte ${at}: ${error.stack}`);
    assert.match(error.message, 'train-00000-of-00001.parquet');
  }
  closeSync(descriptor);
  assert.ok(refused > 1000, `${refused} refused`);
  const grown = (process.resourceUsage().maxRSS - before) / 1024;
  assert.ok(grown < 256, `${grown.toFixed()} MB`);
});

test('a file that ends early is refused at every length', async () => {
  const root = await writeFixture(parquetFormat, made, 1);
  const path = join(root, 'data/train-00000-of-00001.parquet');
  const good = readFileSync(path);
  for (let length = good.length - 1; length >= 0; length -= 97) {
    writeFileSync(path, good.subarray(0, length));
    assert.match(await refusal(readAll(parquetFormat, root)), 'train-00000-of-00001.parquet');
  }
});

test('no files, missing shards, several splits and rows that were taken away are named', async () => {
  assert.match(await refusal(parquetFormat.open(temporaryFolder())), /\*\.parquet/);
  const cut = await writeFixture(parquetFormat, made, 3);
  const shard = (split: string, i: number) => join(cut, `data/${split}-0000${i}-of-00003.parquet`);
  const [second, third] = [1, 2].map((i) => readFileSync(shard('train', i)));
  renameSync(shard('train', 2), shard('test', 2));
  assert.match(await refusal(parquetFormat.open(cut)), /one split/);
  rmSync(shard('test', 2));
  assert.match(await refusal(parquetFormat.open(cut)), /number 2 is missing/);
  // As many rows as before are wanted: the third shard has one, the second three.
  const swapped = Buffer.from(third);
  const count = swapped.indexOf('"count":1');
  swapped.write('"count":3', count);
  writeFileSync(shard('train', 2), swapped);
  assert.ok(second.includes('"count":3'));
  assert.match(await refusal(parquetFormat.open(cut)), /3 rows in .*train-00002-of-00003\.parquet but received 1/);
});

test('a dataset of no images, and shards without any, can be written and read', async () => {
  const empty = await writeFixture(parquetFormat, { info: made.info, samples: [] }, 2);
  assert.is(readdirSync(join(empty, 'data')).length, 2);
  const { info, samples } = await readAll(parquetFormat, empty);
  assert.equal(info, made.info);
  assert.is(samples.length, 0);
});

test.run();
