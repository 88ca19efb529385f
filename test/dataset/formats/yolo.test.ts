import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { recogniseFormat } from '../../../src/dataset/formats/index.js';
import { yoloFormat, yoloSegFormat } from '../../../src/dataset/formats/yolo.js';
import { boxRow, parseYoloLabels } from '../../../src/dataset/formats/yoloLabels.js';
import { encodePng } from '../../../src/dataset/png.js';
import { type DatasetInfo, type DatasetSample, thingsOf } from '../../../src/dataset/sample.js';
import { DatasetError } from '../../../src/errors.js';
import { folderContent } from '../../helpers/folderContent.js';
import { findPython } from '../../helpers/python.js';
import { type Fixture, fixture, readAll, temporaryFolder, writeFixture } from './harness.js';

const made = await fixture({ count: 12, channels: 3 });

const image = (width: number, height: number) =>
  encodePng({ width, height, channels: 1, pixels: new Uint8Array(width * height) });

/** Writes files by path into a new folder. */
function folderOf(files: Record<string, string | Uint8Array>): string {
  const folder = temporaryFolder();
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), content);
  }
  return folder;
}

/** A dataset of one image of 20 × 10 px with these label rows. */
function single(rows: string, config = 'train: images/train\nnames: [cat, dog]\n'): string {
  return folderOf({ 'data.yaml': config, 'images/train/a.png': image(20, 10), 'labels/train/a.txt': rows });
}

/** The message of the DatasetError that reading ends in. */
async function failure(format: typeof yoloFormat, folder: string): Promise<string> {
  try {
    await readAll(format, folder);
  } catch (error) {
    assert.instance(error, DatasetError);
    return (error as Error).message.replaceAll(folder, 'SET');
  }
  throw new Error('nothing was thrown');
}

const thingsIn = ({ info, samples }: Fixture) =>
  samples.map(({ labels }) => thingsOf(labels, info).map(({ class: name, box }) => ({ class: name, box })));

test('the fixture has images with overlapping, cut and missing things', () => {
  const counts = thingsIn(made).map((things) => things.length);
  assert.ok(Math.max(...counts) > 1);
  const parts = made.samples.some(({ labels }) =>
    labels.objects.some(({ box }) => box && (box[0] === 0 || box[1] === 0 || box[0] + box[2] === 48)),
  );
  assert.ok(parts);
});

for (const format of [yoloFormat, yoloSegFormat]) {
  test(`${format.name}: one shard or three give the same files, and reading gives the same classes and boxes`, async () => {
    const folders = [await writeFixture(format, made, 1), await writeFixture(format, made, 3)];
    assert.equal(folderContent(folders[0]), folderContent(folders[1]));
    const read = await readAll(format, folders[1]);
    assert.equal(thingsIn(read), thingsIn(made));
    assert.equal(read.info.classes, made.info.things);
    assert.is(read.info.split, 'train');
    assert.equal(
      read.samples.map(({ labels }) => [labels.key, labels.index, labels.width, labels.height, labels.channels]),
      made.samples.map(({ labels }, i) => [labels.key, i, 48, 32, 3]),
    );
    assert.equal(
      read.samples.map(({ image }) => Buffer.from(image.bytes)),
      made.samples.map(({ image }) => Buffer.from(image.bytes)),
    );
    assert.is((await format.open(folders[0])).count, 12);
  });

  test(`${format.name}: a dataset is recognised by no other format`, async () => {
    assert.is((await recogniseFormat(await writeFixture(format, made, 1))).name, format.name);
  });
}

test('label rows hold centre and size as shares, by the definition', async () => {
  const folder = await writeFixture(yoloFormat, made);
  let rows = 0;
  for (const { labels } of made.samples) {
    const lines = readFileSync(join(folder, `labels/train/${labels.key}.txt`), 'utf8')
      .split('\n')
      .filter(Boolean);
    const things = thingsOf(labels, made.info);
    assert.is(lines.length, things.length);
    for (const [i, line] of lines.entries()) {
      const [number, x, y, w, h] = line.split(' ').map(Number);
      const [left, top, width, height] = things[i].box as [number, number, number, number];
      assert.is(['3', '7', '8'][number], things[i].class);
      assert.ok(Math.abs(x * 48 - (left + left + width) / 2) < 1e-6);
      assert.ok(Math.abs(y * 32 - (top + top + height) / 2) < 1e-6);
      assert.ok(Math.abs(w * 48 - width) < 1e-6);
      assert.ok(Math.abs(h * 32 - height) < 1e-6);
      rows++;
    }
  }
  assert.ok(rows >= 12);
});

test('a hand-worked row: 4 × 6 px at (2, 1) on 20 × 10 px', () => {
  // Centre (2 + 4/2, 1 + 6/2) = (4, 4): 4/20 = 0.2, 4/10 = 0.4; size 4/20 = 0.2, 6/10 = 0.6.
  assert.is(boxRow(1, { class: 'dog', box: [2, 1, 4, 6] }, 20, 10), '1 0.2 0.4 0.2 0.6\n');
});

test('boxes that leave the canvas are cut to it, and one beyond it has no row', () => {
  assert.is(boxRow(0, { class: 'cat', box: [-5, -5, 15, 10] }, 20, 10), '0 0.25 0.25 0.5 0.5\n');
  assert.is(boxRow(0, { class: 'cat', box: [-5, -5, 5, 10] }, 20, 10), undefined);
});

test('random boxes in images of up to 65535 px come back exactly', () => {
  const boxes = fc.integer({ min: 1, max: 65535 }).chain((width) =>
    fc.integer({ min: 1, max: 65535 }).chain((height) =>
      fc.record({
        width: fc.constant(width),
        height: fc.constant(height),
        x: fc.tuple(fc.nat(width - 1), fc.nat(width - 1)),
        y: fc.tuple(fc.nat(height - 1), fc.nat(height - 1)),
      }),
    ),
  );
  fc.assert(
    fc.property(boxes, ({ width, height, x, y }) => {
      const [left, top] = [Math.min(...x), Math.min(...y)];
      const box = [left, top, Math.abs(x[0] - x[1]) + 1, Math.abs(y[0] - y[1]) + 1] as const;
      const row = boxRow(0, { class: 'a', box }, width, height) as string;
      assert.equal(parseYoloLabels(row, { width, height, classes: 1 }, 'row')[0].box, [...box]);
    }),
    { seed: 1, numRuns: 2000 },
  );
});

/** Position + 1 of the thing seen at each pixel. */
function thingMask({ labels, instances }: DatasetSample, info: DatasetInfo): number[] {
  const nodes = thingsOf(labels, info).map(({ node }) => node);
  return Array.from(instances as Uint16Array, (id) => nodes.indexOf(id - 1) + 1);
}

test('yolo-seg: instance and class masks come back pixel for pixel', async () => {
  const read = await readAll(yoloSegFormat, await writeFixture(yoloSegFormat, made, 3));
  assert.ok(read.info.masks);
  for (const [i, { instances, classes }] of read.samples.entries()) {
    const expected = thingMask(made.samples[i], made.info);
    assert.equal([...(instances as Uint16Array)], expected);
    const names = thingsOf(made.samples[i].labels, made.info).map(({ class: name }) => name);
    assert.equal(
      [...(classes as Uint8Array)],
      expected.map((id) => (id === 0 ? 0 : made.info.things.indexOf(names[id - 1]) + 1)),
    );
  }
});

test('yolo-seg: polygons in the files, filled by the definition, are the masks', async () => {
  const folder = await writeFixture(yoloSegFormat, made);
  for (const sample of made.samples) {
    const text = readFileSync(join(folder, `labels/train/${sample.labels.key}.txt`), 'utf8');
    const mask = thingMask(sample, made.info);
    for (const [i, line] of text.split('\n').filter(Boolean).entries()) {
      const [, ...shares] = line.split(' ').map(Number);
      const points = Array.from({ length: shares.length / 2 }, (_, p) => [shares[2 * p] * 48, shares[2 * p + 1] * 32]);
      for (let pixel = 0; pixel < mask.length; pixel++) {
        const inside = crossesOddly(points, (pixel % 48) + 0.5, Math.floor(pixel / 48) + 0.5);
        assert.is(inside, mask[pixel] === i + 1);
      }
    }
  }
});

/** Even-odd rule: a ray from (x, y) to the right crosses the sides an odd number of times. */
function crossesOddly(points: readonly number[][], x: number, y: number): boolean {
  let inside = false;
  for (const [i, [ax, ay]] of points.entries()) {
    const [bx, by] = points[(i + 1) % points.length];
    // From the upper end, so that a bridge and its way back are one line.
    const [ux, uy, lx, ly] = ay < by ? [ax, ay, bx, by] : [bx, by, ax, ay];
    if (uy > y === ly > y) continue;
    if (ux + ((y - uy) / (ly - uy)) * (lx - ux) > x) inside = !inside;
  }
  return inside;
}

test('yolo-seg: random instance masks with holes and parts come back pixel for pixel', async () => {
  const info: DatasetInfo = { ...made.info, classes: ['a', 'b'], things: ['a', 'b'] };
  const sizes = fc.tuple(fc.integer({ min: 2, max: 19 }), fc.integer({ min: 2, max: 13 }));
  const masks = sizes.chain(([width, height]) =>
    fc.record({
      width: fc.constant(width),
      height: fc.constant(height),
      ids: fc.array(fc.constantFrom<number>(0, 0, 0, 1, 1, 2, 3), {
        minLength: width * height,
        maxLength: width * height,
      }),
    }),
  );
  const samples = fc.sample(masks, { seed: 3, numRuns: 60 }).map(({ width, height, ids }, i): DatasetSample => {
    const present = [1, 2, 3].filter((id) => ids.includes(id));
    const objects = present.map((id) => ({ node: id - 1, class: 'ab'[id % 2], box: [0, 0, 1, 1] as const }));
    return {
      labels: { key: `s${String(i).padStart(2, '0')}`, index: i, width, height, channels: 1, objects },
      image: { codec: 'png', bytes: image(width, height) },
      instances: Uint16Array.from(ids),
    };
  });
  const read = await readAll(yoloSegFormat, await writeFixture(yoloSegFormat, { info, samples }));
  assert.is(read.samples.length, 60);
  for (const [i, { instances }] of read.samples.entries()) {
    assert.equal([...(instances as Uint16Array)], thingMask(samples[i], info));
  }
});

test('yolo-seg: what no pixel is seen of has no row, and a sample without masks is refused', async () => {
  const [sample] = made.samples;
  const unseen = { node: 99, class: '3', box: [0, 0, 1, 1] as const };
  const labels = { ...sample.labels, objects: [unseen] };
  const folder = await writeFixture(yoloSegFormat, { info: made.info, samples: [{ ...sample, labels }] }, 1);
  assert.is(readFileSync(join(folder, 'labels/train/000000000.txt'), 'utf8'), '');
  const { instances: _, ...bare } = sample;
  try {
    await writeFixture(yoloSegFormat, { info: made.info, samples: [bare] }, 1);
    assert.unreachable();
  } catch (error) {
    assert.instance(error, DatasetError);
    assert.match((error as Error).message, 'Expected an instance mask for 000000000');
  }
});

/** Names that YAML, in its old and its new version, would read as something else. */
const NASTY = [
  'no',
  '3',
  'a: b',
  '~',
  'null',
  '0x10',
  '1_000',
  '12:30',
  '#x',
  ' x ',
  '"',
  "'",
  '',
  'é漢',
  '- a',
  '{',
  '<<',
];

test('class names survive data.yaml', async () => {
  const info = { ...made.info, classes: NASTY, things: NASTY, split: 'val' };
  const folder = await writeFixture(yoloFormat, { info, samples: made.samples.slice(0, 2) }, 1);
  const reader = await yoloFormat.open(folder);
  assert.equal(reader.info.classes, NASTY);
  assert.is(reader.info.split, 'val');
});

const python = findPython('yaml');
if (!python) console.log('# skip class names read by PyYAML: no Python with the module yaml');
(python ? test : test.skip)('data.yaml says the same to PyYAML, which Ultralytics reads it with', async () => {
  const info = { ...made.info, classes: NASTY, things: NASTY };
  const folder = await writeFixture(yoloFormat, { info, samples: made.samples.slice(0, 2) }, 1);
  const script = 'import json, sys, yaml; print(json.dumps(yaml.safe_load(open(sys.argv[1], encoding="utf-8"))))';
  const { stdout, stderr } = spawnSync(python as string, ['-c', script, join(folder, 'data.yaml')], {
    encoding: 'utf8',
  });
  assert.is(stderr, '');
  assert.equal(JSON.parse(stdout), {
    train: 'images/train',
    val: 'images/train',
    nc: NASTY.length,
    names: Object.fromEntries(NASTY.map((name, i) => [i, name])),
  });
});

test('datasets of others: names as a list, paths under path, sub-folders, images without labels, Windows line ends', async () => {
  const folder = folderOf({
    'data.yaml': 'path: ./data/\ntrain: [images/a, ./images/b/]\nval: images/v\nnc: 2\nnames:\n  - no\n  - 007\n',
    'data/images/a/x.png': image(20, 10),
    'data/images/a/deep/z.png': image(20, 10),
    'data/images/a/notes.md': '',
    'data/labels/a/x.txt': '1 0.2 0.4 0.2 0.6\r\n\r\n0.0 5e-1 .5 1 +1\r\n',
    'data/images/b/y.png': image(8, 4),
    'data/images/v/w.png': image(8, 4),
  });
  const { info, samples } = await readAll(yoloFormat, folder);
  assert.equal(info.classes, ['no', '007']);
  assert.is(info.split, 'train');
  assert.equal(
    samples.map(({ labels }) => [labels.key, labels.width, labels.objects.map(({ class: name, box }) => [name, box])]),
    [
      [
        'x',
        20,
        [
          ['007', [2, 1, 4, 6]],
          ['no', [0, 0, 20, 10]],
        ],
      ],
      ['z', 20, []],
      ['y', 8, []],
    ],
  );
  const val = await yoloFormat.open(folder, { split: 'val' });
  assert.is(val.count, 1);
  assert.is(val.info.split, 'val');
});

test('datasets of others: a map of names, a list of images, labels beside images', async () => {
  const folder = folderOf({
    'data.yaml': 'train: lists/train.txt\nnames: { 1: dog, 0: cat }\n',
    'lists/train.txt': 'pictures/b.png\n./a.png\n',
    'pictures/b.png': image(20, 10),
    'pictures/b.txt': '1 0.5 0.5 0.333 0.5',
    'lists/a.png': image(20, 10),
  });
  const { info, samples } = await readAll(yoloFormat, folder);
  assert.equal(info.classes, ['cat', 'dog']);
  assert.equal(
    samples.map(({ labels }) => labels.key),
    ['b', 'a'],
  );
  // 0.333 · 20 = 6.66 px about 10: fractions of others stay.
  assert.equal(samples[0].labels.objects, [{ node: 0, class: 'dog', box: [6.67, 2.5, 6.66, 5] }]);
});

test('equal stems in different folders are told apart by their folders; an image with two extensions is refused', async () => {
  const files = {
    'data.yaml': 'train: images\nnames: [cat]\n',
    'images/a/1.png': image(4, 4),
    'images/b/1.png': image(4, 4),
  };
  const { samples } = await readAll(yoloFormat, folderOf(files));
  assert.equal(
    samples.map(({ labels }) => labels.key),
    ['images-a-1', 'images-b-1'],
  );
  assert.match(await failure(yoloFormat, folderOf({ ...files, 'images/b/1.jpg': '' })), 'images-b-1" twice');
});

test('polygons give boxes to the detection reader, and the smaller of two is on top', async () => {
  const rows = '0 0.1 0.1 0.3 0.1 0.3 0.6 0.1 0.6\n1 0 0 1 0 1 1 0 1\n';
  const boxes = await readAll(yoloFormat, single(rows));
  assert.equal(
    boxes.samples[0].labels.objects.map(({ box }) => box),
    [
      [2, 1, 4, 5],
      [0, 0, 20, 10],
    ],
  );
  assert.is(boxes.samples[0].instances, undefined);
  const { samples } = await readAll(yoloSegFormat, single(rows));
  // The square of 4 × 5 px at (2, 1) is object 1 of class 1, all else object 2 of class 2.
  const expected = Array.from({ length: 200 }, (_, i) => {
    const [x, y] = [i % 20, Math.floor(i / 20)];
    return x >= 2 && x < 6 && y >= 1 && y < 6 ? 1 : 2;
  });
  assert.equal([...(samples[0].instances as Uint16Array)], expected);
  assert.equal([...(samples[0].classes as Uint8Array)], expected);
});

const BAD_ROWS: [rows: string, message: string][] = [
  ['0 0.5 0.5 0.1 0.1\n0 nan 0.5 0.1 0.1\n', 'SET/labels/train/a.txt:2: Expected finite numbers but received "nan"'],
  ['0 0.5 0.5 0.1 1e400', 'a.txt:1: Expected finite numbers but received "1e400"'],
  ['0 0.5 0.5 0.1 0x1', 'a.txt:1: Expected finite numbers but received "0x1"'],
  ['cat 0.5 0.5 0.1 0.1', 'a.txt:1: Expected finite numbers but received "cat"'],
  ['0 0.5 0.5 0.1', 'a.txt:1: Expected "class x y width height" but received 4 numbers'],
  ['0 0.5 0.5 0.1 0.1 0.9', 'a.txt:1: Expected "class x y width height" but received 6 numbers'],
  ['2 0.5 0.5 0.1 0.1', 'a.txt:1: Expected a class from 0 to 1 but received 2'],
  ['-1 0.5 0.5 0.1 0.1', 'a.txt:1: Expected a class from 0 to 1 but received -1'],
  ['0.5 0.5 0.5 0.1 0.1', 'a.txt:1: Expected a class from 0 to 1 but received 0.5'],
  ['\n\n0 0.5 0.5 0.1 1.5', 'a.txt:3: Expected coordinates from 0 to 1 but received 1.5'],
  ['0 0.5 0.5 0 0.1', 'a.txt:1: Expected an object with an area'],
  ['0 0.1 0.1 0.2 0.1 0.3 0.1', 'a.txt:1: Expected an object with an area'],
  ['0 0.1 0.1 0.2 0.1 0.3 0.1 0.5', 'a.txt:1: Expected "class x1 y1'],
  ['0 0.1 0.1 0.2 0.1 0.3 0.2\n0 0.5 0.5 0.1 0.1', 'a.txt:2: Expected "class x1 y1'],
];

test('bad label rows end in an error that names file and line', async () => {
  for (const [rows, message] of BAD_ROWS) assert.match(await failure(yoloFormat, single(rows)), message);
  assert.match(await failure(yoloSegFormat, single('0 0.5 0.5 0.1 0.1')), 'Expected polygons but received boxes');
  const folder = single('');
  writeFileSync(join(folder, 'labels/train/a.txt'), Uint8Array.of(0xff, 0xfe));
  assert.match(await failure(yoloFormat, folder), 'Expected UTF-8 in SET/labels/train/a.txt');
});

const BAD_CONFIGS: [config: string, message: string][] = [
  ['names: [a]\ntrain: ../elsewhere/images', 'SET/data.yaml:2: Expected a path within the dataset but received "../el'],
  ['names: [a]\ntrain: /etc', 'data.yaml:2: Expected a path within the dataset but received "/etc"'],
  ['names: [a]\ntrain: C:/images', 'data.yaml:2: Expected a path within the dataset'],
  ['names: [a]\ntrain: "images\\\\train"', 'data.yaml:2: Expected a path within the dataset'],
  ['names: [a]\ntrain: images/../../x', 'data.yaml:2: Expected a path within the dataset'],
  ['names: [a]\ntrain: "images/\\0"', 'data.yaml:2: Expected a path within the dataset'],
  [
    'names: [a]\npath: ../x\ntrain: images/train',
    'data.yaml:2: Expected a path within the dataset but received "../x"',
  ],
  ['names: [a]\ntrain: images/none', 'data.yaml:2: Expected a folder of images at SET/images/none'],
  ['names: [a]\ntrain: [images/train, 3]', 'data.yaml:2: Expected a path for "train"'],
  ['names: [a]\ntrain: {}', 'data.yaml:2: Expected a path for "train"'],
  ['names: [a]', 'Expected a path for "train", "val" or "test"'],
  ['train: images/train', 'Expected a list or a map of class names'],
  ['train: images/train\nnames: 3', 'data.yaml:2: Expected a list or a map of class names'],
  ['train: images/train\nnames: [a, [b]]', 'data.yaml:2: Expected a class name'],
  ['train: images/train\nnames: { 0: a, 2: b }', 'data.yaml:2: Expected class numbers 0 to 1 but received 2'],
  ['train: images/train\nnames: { 0: a, .inf: b }', 'data.yaml:2: Expected class numbers 0 to 1 but received Inf'],
  ['train: images/train\nnames: { __proto__: a }', 'data.yaml:2: Expected class numbers 0 to 0 but received __proto__'],
  ['train: images/train\nnames: [a, a]', 'data.yaml:2: Expected classes of different names'],
  ['train: images/train\nnames: [a]\nnc: 2', 'data.yaml:3: Expected 1, the number of names, for "nc" but received 2'],
  [
    'train: images/train\nnames: [a]\nnc: .nan',
    'data.yaml:3: Expected 1, the number of names, for "nc" but received NaN',
  ],
  ['train: images/train\nnames: [a]\nkpt_shape: [17, 3]', 'data.yaml:3: Expected boxes or polygons but received key'],
  ['train: images/train\nnames: [a', 'data.yaml:2: Expected valid YAML'],
  ['train: *x\nnames: [a]', 'data.yaml:1: Expected'],
  ['- a', 'data.yaml:1: Expected a mapping'],
  ['', 'data.yaml:1: Expected a mapping'],
  [`names: ${'['.repeat(20_000)}`, 'data.yaml:1: Expected at most 400 levels of nesting'],
  [`names:\n${' '.repeat(20_000)}- a`, 'data.yaml:2: Expected at most 400 levels of nesting'],
  [`names: [${'a, '.repeat(400_000)}]`, 'Expected at most 1048576 characters'],
];

test('a bad data.yaml ends in an error that names file and line', async () => {
  for (const [config, message] of BAD_CONFIGS) assert.match(await failure(yoloFormat, single('', config)), message);
});

test('an alias bomb is read in no time, for nothing is expanded', async () => {
  const levels = Array.from({ length: 30 }, (_, i) => `l${i + 1}: &l${i + 1} [${`*l${i}, `.repeat(9)}]`).join('\n');
  const bomb = `l0: &l0 [x]\n${levels}\ntrain: images/train\n`;
  const { samples } = await readAll(yoloFormat, single('', `${bomb}names: [cat]\n`));
  assert.is(samples.length, 1);
  assert.match(await failure(yoloFormat, single('', `${bomb}names: *l30\n`)), 'Expected a class name');
});

test('no image or label is read through a link that leaves the dataset', async () => {
  const outside = folderOf({ 'secret.png': image(3, 3), 'secret.txt': '0 0.5 0.5 1 1' });
  const picture = single('0 0.5 0.5 1 1');
  rmSync(join(picture, 'images/train/a.png'));
  symlinkSync(join(outside, 'secret.png'), join(picture, 'images/train/a.png'));
  assert.match(await failure(yoloFormat, picture), 'Expected a path within SET');
  const label = single('');
  rmSync(join(label, 'labels/train/a.txt'));
  symlinkSync(join(outside, 'secret.txt'), join(label, 'labels/train/a.txt'));
  assert.match(await failure(yoloFormat, label), 'Expected a path within SET');
  const images = single('');
  rmSync(join(images, 'images/train'), { recursive: true });
  symlinkSync(outside, join(images, 'images/train'));
  assert.match(await failure(yoloFormat, images), 'Expected a path within SET');
  const list = single('', 'train: list.txt\nnames: [a]\n');
  writeFileSync(join(list, 'list.txt'), 'images/train/a.png\n../secret.png\n');
  assert.match(await failure(yoloFormat, list), 'SET/list.txt:2: Expected a path within the dataset');
});

test('a picture that claims 60000 × 60000 px and one of another kind are refused', async () => {
  const huge = single('0 0.5 0.5 1 1');
  const bytes = Buffer.from(image(20, 10));
  bytes.writeUInt32BE(60000, 16);
  bytes.writeUInt32BE(60000, 20);
  writeFileSync(join(huge, 'images/train/a.png'), bytes);
  assert.match(await failure(yoloSegFormat, huge), 'Expected at most 67108864 pixels for SET/images/train/a.png');
  const other = single('');
  cpSync(join(other, 'images/train/a.png'), join(other, 'images/train/b.tiff'));
  assert.match(
    await failure(yoloFormat, other),
    'Expected PNG, JPEG or WebP images but received SET/images/train/b.tiff',
  );
});

test('a split that could not be a folder is refused, as is one that is not there', async () => {
  for (const split of ['../x', 'a/b', '', '..', 'a b']) {
    assert.throws(() => yoloFormat.writer({ ...made.info, split }), 'for the split');
  }
  try {
    await yoloFormat.open(single(''), { split: 'test' });
    assert.unreachable();
  } catch (error) {
    assert.match((error as Error).message, 'Expected one of train for the split but received "test"');
  }
});

test('reading stops when it is told to', async () => {
  const reader = await yoloFormat.open(await writeFixture(yoloFormat, made));
  const controller = new AbortController();
  let read = 0;
  try {
    for await (const _ of reader.samples({ signal: controller.signal })) if (++read === 3) controller.abort();
    assert.unreachable();
  } catch (error) {
    assert.is((error as Error).name, 'AbortError');
  }
  assert.is(read, 3);
});

test.run();
