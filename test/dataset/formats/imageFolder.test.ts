import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { imageFolderFormat } from '../../../src/dataset/formats/imageFolder.js';
import { encodePng } from '../../../src/dataset/png.js';
import { DatasetError } from '../../../src/errors.js';
import { folderContent } from '../../helpers/folderContent.js';
import { findPython } from '../../helpers/python.js';
import { fixture, readAll, temporaryFolder, writeFixture } from './harness.js';

const made = await fixture({ count: 7 });
const folder = await writeFixture(imageFolderFormat, made, 3);

/** A grey picture of 3 × 2 px. */
const picture = encodePng({ width: 3, height: 2, channels: 1, pixels: new Uint8Array(6).fill(90) });

/** A folder with these files, text or bytes. */
function folderWith(files: Record<string, string | Uint8Array>): string {
  const root = temporaryFolder();
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), content);
  }
  return root;
}

function lines(...rows: unknown[]): string {
  return rows.map((row) => `${JSON.stringify(row)}\n`).join('');
}

async function refusal(work: Promise<unknown>): Promise<string> {
  const error = await work.catch((reason: Error) => reason);
  assert.instance(error, DatasetError);
  return (error as Error).message;
}

test('one shard and three give the same files', async () => {
  const whole = await writeFixture(imageFolderFormat, made, 1);
  const content = folderContent(folder);
  assert.equal(content, folderContent(whole));
  // An image, two masks and a scene graph for each of the seven, and the two files of the whole.
  assert.is(Object.keys(content).length, 7 * 4 + 2);
  assert.ok(content['masks/instances/000000006.png'] && content['scenes/000000006.msg']);
});

test('records, images, masks and scene graphs come back as they were, keys in the same order', async () => {
  const { info, samples } = await readAll(imageFolderFormat, folder);
  assert.equal(info, made.info);
  assert.is(samples.length, 7);
  for (const [i, sample] of samples.entries()) {
    const { pixels: _, ...written } = made.samples[i];
    assert.equal(sample.labels, JSON.parse(JSON.stringify(written.labels)));
    assert.is(JSON.stringify(sample.labels), JSON.stringify(written.labels));
    assert.equal([...sample.image.bytes], [...written.image.bytes]);
    assert.equal(sample.instances, written.instances);
    assert.equal(sample.classes, written.classes);
    assert.equal([...sample.scene!], [...written.scene!]);
  }
});

test('a row is the file names and the record; measures of the first 100 rows show that they are no integers', async () => {
  const text = readFileSync(join(folder, 'metadata.jsonl'), 'utf8');
  assert.equal(
    text
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line)),
    made.samples.map(({ labels }) => ({
      file_name: `images/${labels.key}.png`,
      instances_file_name: `masks/instances/${labels.key}.png`,
      classes_file_name: `masks/classes/${labels.key}.png`,
      scene: `scenes/${labels.key}.msg`,
      ...JSON.parse(JSON.stringify(labels)),
    })),
  );
  // The background stands at x = 24, y = 16, which JSON.stringify writes without a point.
  assert.match(text, /"attributes":\{"x":24\.0,"y":16\.0,/);
  assert.match(text, /"box":\[0,0,48,32\]/);
  const { labels, image } = made.samples[0];
  const samples = Array.from({ length: 102 }, (_, i) => ({ labels: { ...labels, key: `k${i}` }, image }));
  const many = await writeFixture(imageFolderFormat, { info: { ...made.info, masks: false, scenes: false }, samples });
  const rows = readFileSync(join(many, 'metadata.jsonl'), 'utf8').split('\n');
  assert.match(rows[99], /"x":24\.0,/);
  assert.match(rows[100], /"x":24,/);
  assert.is(rows[100], JSON.stringify({ file_name: 'images/k100.png', ...samples[100].labels }));
});

test('JPEG and WebP are named after their codec', async () => {
  for (const [codec, extension] of [
    ['jpeg', 'jpg'],
    ['webp', 'webp'],
  ] as const) {
    const lossy = await fixture({ count: 2, codec, channels: 3, masks: false, scenes: false });
    const place = await writeFixture(imageFolderFormat, lossy);
    assert.ok(folderContent(place)[`images/000000001.${extension}`]);
    const { info, samples } = await readAll(imageFolderFormat, place);
    assert.is(info.codec, codec);
    assert.is(samples[1].image.codec, codec);
    assert.is(samples[1].instances, undefined);
  }
});

test('a sample without the masks that its dataset promises is refused', async () => {
  const { instances: _, ...bare } = made.samples[0];
  const message = await refusal(writeFixture(imageFolderFormat, { ...made, samples: [bare] }));
  assert.match(message, /instances of sample 000000000/);
});

test('rows of others: labels of whole images, and boxes with categories', async () => {
  const place = folderWith({
    'train/a.png': picture,
    'train/deep/b.png': picture,
    'train/metadata.jsonl': `${lines({ file_name: './a.png', label: 4, caption: 'four' })}\r\n${lines({
      file_name: 'deep/b.png',
      objects: {
        bbox: [
          [0, 0, 2, 1],
          [1, 0.5, 1, 1],
        ],
        categories: ['dog', 'cat'],
      },
    })}`,
  });
  assert.ok(await imageFolderFormat.recognises(place));
  const { info, samples } = await readAll(imageFolderFormat, place);
  assert.equal([info.classes, info.things, info.split], [['4', 'cat', 'dog'], ['4', 'cat', 'dog'], 'train']);
  const shape = { width: 3, height: 2, channels: 1 };
  assert.equal(
    samples.map(({ labels }) => labels),
    [
      { key: 'a', index: 0, ...shape, objects: [{ class: '4', box: [0, 0, 3, 2] }] },
      {
        key: 'deep/b',
        index: 1,
        ...shape,
        objects: [
          { class: 'dog', box: [0, 0, 2, 1] },
          { class: 'cat', box: [1, 0.5, 1, 1] },
        ],
      },
    ],
  );
});

test('a folder a class: an object of the class that covers the image', async () => {
  const place = folderWith({
    'cat/2.png': picture,
    'cat/10.png': picture,
    'a dog/1.png': picture,
    'README.md': '# pets',
  });
  assert.ok(await imageFolderFormat.recognises(place));
  const { info, samples } = await readAll(imageFolderFormat, place);
  assert.equal(info.things, ['a dog', 'cat']);
  assert.equal(
    samples.map(({ labels }) => [labels.key, labels.index, labels.objects]),
    [
      ['a dog/1', 0, [{ class: 'a dog', box: [0, 0, 3, 2] }]],
      ['cat/10', 1, [{ class: 'cat', box: [0, 0, 3, 2] }]],
      ['cat/2', 2, [{ class: 'cat', box: [0, 0, 3, 2] }]],
    ],
  );
});

test('with several splits one has to be chosen', async () => {
  const place = folderWith({ 'train/cat/1.png': picture, 'test/cat/1.png': picture });
  assert.ok(await imageFolderFormat.recognises(place));
  assert.match(await refusal(imageFolderFormat.open(place)), /one split .* but received test, train; open one of them/);
  assert.is((await readAll(imageFolderFormat, join(place, 'train'))).samples.length, 1);
});

test('folders of other formats are not taken for classes', async () => {
  const foreign: Record<string, string | Uint8Array>[] = [
    { 'images/1.png': picture, 'labels/1.txt': '' },
    { 'training/image_2/000000.png': picture, 'training/label_2/000000.txt': '' },
    { 'JPEGImages/1.jpg': picture, 'Annotations/1.xml': '' },
    { '1.png': picture },
    { 'train-000000.tar': '' },
  ];
  for (const files of foreign) assert.not(await imageFolderFormat.recognises(folderWith(files)));
  assert.not(await imageFolderFormat.recognises('/nowhere/at/all'));
  assert.match(
    await refusal(imageFolderFormat.open(folderWith({ 'a.txt': '' }))),
    /Expected metadata\.jsonl or a folder/,
  );
});

test('paths that lead out of the folder are refused with file and line', async () => {
  const outside = join(folderWith({ 'secret.png': picture }), 'secret.png');
  for (const name of [
    '../secret.png',
    outside,
    'a/../../secret.png',
    'link.png',
    'linked/secret.png',
    'a\0.png',
    'C:\\a.png',
    '',
  ]) {
    const place = folderWith({
      'ok.png': picture,
      'metadata.jsonl': lines({ file_name: 'ok.png' }, { file_name: name }),
    });
    symlinkSync(outside, join(place, 'link.png'));
    symlinkSync(dirname(outside), join(place, 'linked'));
    const message = await refusal(readAll(imageFolderFormat, place));
    assert.match(message, /Expected a path within .*metadata\.jsonl:2 but received/, name);
    assert.ok(message.endsWith(JSON.stringify(name)), message);
  }
});

test('damaged rows and files are refused with file and line', async () => {
  const { labels } = made.samples[0];
  const own = { file_name: 'ok.png', ...labels };
  const cases: [row: string, expected: RegExp][] = [
    ['{"file_name": "ok.png"', /Expected JSON in .*metadata\.jsonl:2/],
    ['["ok.png"]', /Expected a JSON object in .*metadata\.jsonl:2/],
    ['{"label": 3}', /Expected a path for file_name in .*metadata\.jsonl:2 but received undefined/],
    ['{"file_name": "ok.png", "label": 1e400}', /finite numbers in .*metadata\.jsonl:2/],
    ['{"file_name": "ok.png", "__proto__": {"label": 3}}', /no key "__proto__" in .*metadata\.jsonl:2/],
    [`{"file_name": "ok.png", "x": ${'['.repeat(20_000)}${']'.repeat(20_000)}}`, /nested at most 32 deep in .*:2/],
    ['{"file_name": "missing.png"}', /named in .*metadata\.jsonl:2, but received ENOENT/],
    ['{"file_name": "notes.txt"}', /PNG, JPEG or WebP .*notes\.txt/],
    ['{"file_name": "huge.png"}', /at most 67108864 pixels for .*huge\.png but received 60000 × 60000/],
    ['{"file_name": "ok.png", "objects": {"bbox": [[1, 2, 3]], "categories": [1]}}', /four numbers for objects\.bbox/],
    ['{"file_name": "ok.png", "objects": {"bbox": [[1, 2, 3, 4]]}}', /a class for each of the 1 boxes/],
    [JSON.stringify(own), /Expected 48 × 32 px for .*ok\.png, as in .*metadata\.jsonl:2, but received 3 × 2/],
    [JSON.stringify({ ...own, key: '../x' }), /a key that can name files in .*:2 but received "\.\.\/x"/],
    [JSON.stringify({ ...own, width: 0 }), /bad "width"/],
    [JSON.stringify({ ...own, objects: [{ class: 3, box: null }] }), /bad "objects\.0\.class"/],
  ];
  const huge = Buffer.from(picture);
  huge.writeUInt32BE(60000, 16);
  huge.writeUInt32BE(60000, 20);
  for (const [row, expected] of cases) {
    const place = folderWith({
      'ok.png': picture,
      'notes.txt': 'no image',
      'huge.png': huge,
      'metadata.jsonl': `${lines({ file_name: 'ok.png' })}${row}\n`,
    });
    assert.match(await refusal(readAll(imageFolderFormat, place)), expected, row.slice(0, 80));
  }
});

test('a metadata.jsonl that lost its end is noticed', async () => {
  const place = await writeFixture(imageFolderFormat, made);
  const path = join(place, 'metadata.jsonl');
  writeFileSync(path, `${readFileSync(path, 'utf8').split('\n').slice(0, 5).join('\n')}\n`);
  assert.match(await refusal(readAll(imageFolderFormat, place)), /Expected 7 rows in .*metadata\.jsonl but received 5/);
});

const python = findPython('datasets');
if (!python) console.log('# skip Hugging Face reads the folder: no Python with the package datasets');
else {
  test('Hugging Face reads the folder: images, masks, records and their types', () => {
    const script = `
import json, sys, datasets
from datasets import load_dataset
data = load_dataset('imagefolder', data_dir=sys.argv[1], split='train', cache_dir=sys.argv[2])
rows = []
for row in data:
    objects = row['objects']
    masks = {name: list(row[name].getdata()) for name in ('instances', 'classes')}
    rows.append({'key': row['key'], 'pixels': list(row['image'].getdata()), 'objects': objects, **masks})
kinds = [type(data.features[name]).__name__ for name in ('image', 'instances', 'classes')]
print(json.dumps({'rows': rows, 'kinds': kinds}))
`;
    const output = execFileSync(python, ['-c', script, folder, temporaryFolder()], {
      env: { ...process.env, HF_DATASETS_OFFLINE: '1', HF_HUB_OFFLINE: '1', PYTHONWARNINGS: 'ignore' },
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    const { rows, kinds } = JSON.parse(String(output));
    assert.equal(kinds, ['Image', 'Image', 'Image']);
    assert.equal(
      rows,
      made.samples.map(({ labels, pixels, instances, classes }) => ({
        key: labels.key,
        pixels: [...pixels!],
        objects: JSON.parse(JSON.stringify(labels.objects)),
        instances: [...instances!],
        classes: [...classes!],
      })),
    );
  });
}

test.run();
