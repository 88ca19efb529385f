import { spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { cocoFormat } from '../../../src/dataset/formats/coco.js';
import { decodeImage } from '../../../src/dataset/imageCodec.js';
import { compressRunLengths } from '../../../src/dataset/masks/rle.js';
import { encodePng } from '../../../src/dataset/png.js';
import { type DatasetSample, thingsOf } from '../../../src/dataset/sample.js';
import { DatasetError } from '../../../src/errors.js';
import { findPython } from '../../helpers/python.js';
import { type Fixture, fixture, readAll, temporaryFolder, writeFixture } from './harness.js';

const python = findPython('pycocotools');

interface Json {
  images: { id: number; file_name: string }[];
  annotations: Record<string, unknown>[];
  categories: { id: number; name: string; isthing?: number }[];
}

const made = await fixture({ count: 10 });

/** Paths and bytes of a dataset's files, parts and staging left out. */
function filesOf(folder: string): Map<string, string> {
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  const paths = entries.map((entry) => join(entry.parentPath, entry.name)).filter((path) => !path.includes('.metasim'));
  return new Map(paths.sort().map((path) => [path.slice(folder.length + 1), readFileSync(path).toString('base64')]));
}

function readJson(folder: string, path: string): Json {
  return JSON.parse(readFileSync(join(folder, path), 'utf8')) as Json;
}

/** A dataset of files as they are given; values other than text and bytes as JSON. */
function foreign(files: Record<string, unknown>): string {
  const folder = temporaryFolder();
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    const raw = typeof content === 'string' || content instanceof Uint8Array;
    writeFileSync(join(folder, path), raw ? content : JSON.stringify(content));
  }
  return folder;
}

/** A grey PNG of one value. */
const grey = (width: number, height: number) =>
  encodePng({ width, height, channels: 1, pixels: new Uint8Array(width * height).fill(9) });

async function rejects(promise: Promise<unknown>, message: RegExp): Promise<void> {
  let received: unknown = 'no error';
  await promise.catch((error) => (received = error));
  assert.instance(received, DatasetError, `${received}`);
  assert.match((received as Error).message, message);
}

/** Rows of the instance mask as digits. */
function rows({ labels, instances }: DatasetSample): string[] {
  const text = [...instances!].join('');
  return Array.from({ length: labels.height }, (_, y) => text.slice(y * labels.width, (y + 1) * labels.width));
}

test('one shard and three give the same files', async () => {
  const files = filesOf(await writeFixture(cocoFormat, made, 1));
  assert.equal(filesOf(await writeFixture(cocoFormat, made, 3)), files);
  assert.is(files.size, 10 + 10 + 3);
  for (const path of [
    'annotations/instances_train.json',
    'annotations/panoptic_train.json',
    'annotations/panoptic_train/000000009.png',
    'images/train/000000009.png',
    'info.json',
  ]) {
    assert.ok(files.has(path), path);
  }
});

test('what is written is read back: images, masks, things with all that COCO and its extra hold', async () => {
  const folder = await writeFixture(cocoFormat, made, 3);
  assert.is(await cocoFormat.recognises(folder), true);
  const { info, samples } = await readAll(cocoFormat, folder);
  assert.equal(info, { ...made.info, scenes: false });
  assert.is(samples.length, made.samples.length);
  for (const [i, sample] of samples.entries()) {
    const original = made.samples[i];
    const { objects, ...rest } = sample.labels;
    const { objects: originals, ...originalRest } = original.labels;
    assert.equal(rest, originalRest);
    assert.equal(Buffer.from(sample.image.bytes), Buffer.from(original.image.bytes));
    assert.equal(sample.instances, original.instances);
    assert.equal(sample.classes, original.classes);
    const things = thingsOf(sample.labels, info);
    for (const [k, object] of thingsOf(original.labels, info).entries()) {
      const { parent, centre, pose, ...kept } = object;
      assert.equal(things[k], kept);
    }
    // The background, too, from the panoptic image.
    const { node, class: name, visible, box, pixels } = originals[0];
    assert.equal(objects[0], { node, class: name, visible, box, pixels });
    assert.is(objects.length, 1 + things.length);
  }
});

test('colour JPEG keeps its bytes; without masks there is nothing panoptic, classes stay', async () => {
  const colour = await fixture({ count: 4, codec: 'jpeg', channels: 3, masks: false });
  const masked = await fixture({ count: 4, channels: 3 });
  // The pipeline brings masks to a format that needs them, whether or not the dataset is to have them.
  const samples = colour.samples.map((sample, i) => ({ ...sample, instances: masked.samples[i].instances }));
  const folder = await writeFixture(cocoFormat, { info: colour.info, samples });
  assert.equal(readdirSync(join(folder, 'annotations')), ['instances_train.json']);
  const back = await readAll(cocoFormat, folder);
  assert.equal(back.info.classes, colour.info.classes);
  for (const [i, sample] of back.samples.entries()) {
    assert.equal(Buffer.from(sample.image.bytes), Buffer.from(samples[i].image.bytes));
    assert.is(sample.image.codec, 'jpeg');
    assert.is(sample.labels.channels, 3);
    const things = new Set(thingsOf(samples[i].labels, colour.info).map(({ node }) => node! + 1));
    assert.equal(
      sample.instances,
      samples[i].instances!.map((id) => (things.has(id) ? id : 0)),
    );
  }
});

test('samples that have boxes only are written without segmentation', async () => {
  const boxes: Fixture = {
    info: { ...made.info, masks: false },
    samples: made.samples.map(({ labels, image }) => ({
      image,
      labels: { ...labels, objects: labels.objects.map(({ class: name, box }) => ({ class: name, box })) },
    })),
  };
  const folder = await writeFixture(cocoFormat, boxes);
  const { annotations } = readJson(folder, 'annotations/instances_train.json');
  assert.ok(annotations.length > 5);
  for (const { segmentation, bbox, area, metasim } of annotations) {
    const [, , width, height] = bbox as number[];
    assert.equal([segmentation, area, metasim], [[], width * height, undefined]);
  }
  const { samples, info } = await readAll(cocoFormat, folder);
  assert.is(info.masks, false);
  assert.is(samples[0].instances, undefined);
  for (const [i, { labels }] of samples.entries()) {
    assert.equal(
      labels.objects.map(({ box }) => box),
      thingsOf(boxes.samples[i].labels, info).map(({ box }) => box),
    );
  }
  await rejects(
    writeFixture(cocoFormat, { info: made.info, samples: boxes.samples }),
    /Expected an instance mask for the panoptic image of 000000\d/,
  );
});

test('ids count from 1, categories are the things in their order, and images without things stay', async () => {
  const bare = made.samples.map((sample, i) =>
    i % 3 === 1 ? { ...sample, labels: { ...sample.labels, objects: [] } } : sample,
  );
  const folder = await writeFixture(cocoFormat, { info: { ...made.info, masks: false }, samples: bare }, 4);
  const { images, annotations, categories } = readJson(folder, 'annotations/instances_train.json');
  assert.equal(
    images.map(({ id }) => id),
    [1, 2, 3, 4, 5, 6, 7, 8, 9, 10],
  );
  assert.equal(
    annotations.map(({ id }) => id),
    annotations.map((_, i) => i + 1),
  );
  assert.equal(
    categories.map(({ id, name }) => [id, name]),
    made.info.things.map((name, i) => [i + 1, name]),
  );
  assert.not.ok(annotations.some(({ image_id }) => image_id === 2 || image_id === 5));
  assert.ok(annotations.every(({ iscrowd }) => iscrowd === 0));
});

test('a dataset of no image is written and read', async () => {
  const folder = await writeFixture(cocoFormat, { info: made.info, samples: [] }, 1);
  assert.equal(readJson(folder, 'annotations/instances_train.json').images, []);
  assert.is((await cocoFormat.open(folder)).count, 0);
});

test('panoptic: a segment a thing, one for all of a class of stuff, areas and boxes of the pixels', async () => {
  // 6 × 2: two patches of grass (nodes 0 and 3) and a cow (node 2) between; the last pixel is nobody's.
  const instances = Uint16Array.from([1, 1, 3, 3, 4, 4, 1, 1, 1, 3, 4, 0]);
  const classes = instances.map((id) => (id === 0 ? 0 : id === 3 ? 2 : 1));
  const object = (node: number, name: string) => ({ node, class: name, box: [0, 0, 1, 1] as const });
  const sample: DatasetSample = {
    labels: {
      key: 'a',
      index: 0,
      width: 6,
      height: 2,
      channels: 1,
      objects: [object(0, 'grass'), object(2, 'cow'), object(3, 'grass')],
    },
    image: { codec: 'png', bytes: grey(6, 2) },
    instances,
    classes: new Uint8Array(classes),
  };
  const info = { ...made.info, classes: ['grass', 'cow'], things: ['cow'] };
  const folder = await writeFixture(cocoFormat, { info, samples: [sample] }, 1);
  const panoptic = readJson(folder, 'annotations/panoptic_train.json');
  assert.equal(
    panoptic.categories.map(({ id, name, isthing }) => [id, name, isthing]),
    [
      [1, 'cow', 1],
      [2, 'grass', 0],
    ],
  );
  assert.equal(panoptic.annotations[0].segments_info, [
    { id: 1, category_id: 2, area: 8, bbox: [0, 0, 6, 2], iscrowd: 0 },
    { id: 3, category_id: 1, area: 3, bbox: [2, 0, 2, 2], iscrowd: 0 },
  ]);
  const { pixels } = await decodeImage(
    { codec: 'png', bytes: readFileSync(join(folder, 'annotations/panoptic_train/a.png')) },
    'a',
  );
  const ids = Array.from({ length: 12 }, (_, i) => pixels[3 * i] + 256 * pixels[3 * i + 1] + 65536 * pixels[3 * i + 2]);
  assert.equal(ids, [1, 1, 3, 3, 1, 1, 1, 1, 1, 3, 1, 0]);
});

test('panoptic: pixels of a class without an object are stuff of their class, or a crowd', async () => {
  const sample: DatasetSample = {
    labels: { key: 'a', index: 0, width: 4, height: 1, channels: 1, objects: [] },
    image: { codec: 'png', bytes: grey(4, 1) },
    instances: new Uint16Array(4),
    classes: Uint8Array.from([1, 1, 2, 0]),
  };
  const info = { ...made.info, classes: ['grass', 'cow'], things: ['cow'] };
  const folder = await writeFixture(cocoFormat, { info, samples: [sample] }, 1);
  assert.equal(readJson(folder, 'annotations/panoptic_train.json').annotations[0].segments_info, [
    { id: 65536, category_id: 2, area: 2, bbox: [0, 0, 2, 1], iscrowd: 0 },
    { id: 131072, category_id: 1, area: 1, bbox: [2, 0, 1, 1], iscrowd: 1 },
  ]);
  const [back] = (await readAll(cocoFormat, folder)).samples;
  assert.equal(back.classes, sample.classes);
});

if (!python) console.log('# skip COCO against pycocotools: no Python with pycocotools');
(python ? test : test.skip)(
  'pycocotools loads it: masks, areas and boxes are ours, and the panoptic PNGs fit their segments',
  async () => {
    const folder = await writeFixture(cocoFormat, made, 3);
    const script = `
import contextlib, json, sys
import numpy as np
from pycocotools.coco import COCO
from pycocotools import mask as M
folder, job = sys.argv[1], json.load(sys.stdin)
with contextlib.redirect_stdout(sys.stderr):
    coco = COCO(folder + '/annotations/instances_train.json')
panoptic = json.load(open(folder + '/annotations/panoptic_train.json'))
checked = segments = 0
for n, image in enumerate(coco.loadImgs(coco.getImgIds())):
    shape = (image['height'], image['width'])
    instances = np.array(job['instances'][n]).reshape(shape)
    for a in coco.loadAnns(coco.getAnnIds(imgIds=[image['id']])):
        assert np.array_equal(coco.annToMask(a), instances == a['metasim']['node'] + 1), a
        rle = coco.annToRLE(a)
        assert M.area(rle) == a['area'], a
        assert M.toBbox(rle).tolist() == a['bbox'], a
        assert coco.loadCats(a['category_id'])[0]['name'] in job['things'], a
        checked += 1
    p = next(p for p in panoptic['annotations'] if p['image_id'] == image['id'])
    rgb = np.array(job['panoptic'][n]).reshape(shape + (3,))
    ids = rgb[..., 0] + 256 * rgb[..., 1] + 65536 * rgb[..., 2]
    assert set(np.unique(ids)) - {0} == {s['id'] for s in p['segments_info']}
    for s in p['segments_info']:
        rle = M.encode(np.asfortranarray((ids == s['id']).astype(np.uint8)))
        assert M.area(rle) == s['area'] and M.toBbox(rle).tolist() == s['bbox'], s
        segments += 1
print(json.dumps([len(coco.imgs), checked, segments]))`;
    // Decoded by Skia, not by the code that wrote them.
    const { createCanvas, loadImage } = await import('@napi-rs/canvas');
    const panoptic: number[][] = [];
    for (const { labels } of made.samples) {
      const image = await loadImage(readFileSync(join(folder, `annotations/panoptic_train/${labels.key}.png`)));
      const context = createCanvas(image.width, image.height).getContext('2d');
      context.drawImage(image, 0, 0);
      panoptic.push([...context.getImageData(0, 0, image.width, image.height).data].filter((_, i) => i % 4 < 3));
    }
    const job = { things: made.info.things, instances: made.samples.map(({ instances }) => [...instances!]), panoptic };
    const result = spawnSync(python!, ['-c', script, folder], { input: JSON.stringify(job), encoding: 'utf8' });
    assert.is(result.status, 0, result.stderr);
    const things = made.samples.reduce((sum, { labels }) => sum + thingsOf(labels, made.info).length, 0);
    assert.equal(JSON.parse(result.stdout), [made.samples.length, things, things + made.samples.length]);
  },
);

const CATEGORIES = [
  { id: 7, name: 'cat' },
  { id: 90, name: 'dog', supercategory: 'animal' },
];

test("anybody's COCO: polygons, both run lengths, crowds, gaps in ids, what is missing, any order", async () => {
  const json = {
    annotations: [
      // Lies over the whole image but is painted first, as a crowd.
      {
        id: 4,
        image_id: 20,
        category_id: 90,
        iscrowd: 1,
        segmentation: { size: [3, 4], counts: [0, 12] },
        bbox: [0, 0, 4, 3],
      },
      { id: 1, image_id: 3, category_id: 7, bbox: [0.5, 1, 2, 1.25] },
      { id: 9, image_id: 20, category_id: 7, segmentation: [[1, 0, 3, 0, 3, 2, 1, 2]], bbox: [1, 0, 2, 2], area: 4 },
      { id: 2, image_id: 20, category_id: 7, segmentation: { size: [3, 4], counts: compressRunLengths([3, 1, 8]) } },
      { id: 3, image_id: 20, category_id: 90, segmentation: [], bbox: [3, 2, 0, 0] },
    ],
    images: [
      { id: 20, file_name: 'sub/b.png', width: 4, height: 3 },
      { id: 3, file_name: 'a.png' },
      { id: 5, file_name: './c.png', height: 1 },
    ],
    categories: CATEGORIES,
  };
  const folder = foreign({
    'annotations/instances_val2017.json': json,
    'annotations/captions_val2017.json': {},
    'val2017/sub/b.png': grey(4, 3),
    'val2017/a.png': grey(5, 4),
    'val2017/c.png': grey(2, 1),
  });
  assert.is(await cocoFormat.recognises(folder), true);
  const { info, samples } = await readAll(cocoFormat, folder);
  assert.equal([info.classes, info.things, info.split, info.codec], [['cat', 'dog'], ['cat', 'dog'], 'val2017', 'png']);
  assert.equal(
    samples.map(({ labels }) => [labels.key, labels.index, labels.width, labels.height, labels.channels]),
    [
      ['sub_b', 0, 4, 3, 1],
      ['a', 1, 5, 4, 1],
      ['c', 2, 2, 1, 1],
    ],
  );
  // Node 0 is the crowd, 1 the square, 2 the pixel at (1, 0), which is painted over the square.
  assert.equal(rows(samples[0]), ['1321', '1221', '1111']);
  assert.equal([...samples[0].classes!].join(''), '211221122222');
  assert.equal(samples[0].labels.objects, [
    { node: 0, class: 'dog', visible: true, box: [0, 0, 4, 3], pixels: 12, attributes: { iscrowd: 1 } },
    { node: 1, class: 'cat', visible: true, box: [1, 0, 2, 2], pixels: 4 },
    { node: 2, class: 'cat', visible: true, box: [1, 0, 1, 1], pixels: 1 },
    { node: 3, class: 'dog', visible: false, box: null },
  ]);
  assert.equal(samples[1].labels.objects, [{ node: 0, class: 'cat', visible: true, box: [0.5, 1, 2, 1.25] }]);
  assert.equal(samples[2].labels.objects, []);
});

test('a crowd that is read is written as one', async () => {
  const folder = foreign({
    'annotations/instances_x.json': {
      images: [{ id: 1, file_name: 'a.png' }],
      annotations: [
        { image_id: 1, category_id: 7, iscrowd: 1, segmentation: { size: [1, 3], counts: [1, 2] }, bbox: [1, 0, 2, 1] },
      ],
      categories: CATEGORIES,
    },
    'images/a.png': grey(3, 1),
  });
  const again = await writeFixture(cocoFormat, await readAll(cocoFormat, folder), 1);
  const { annotations } = readJson(again, 'annotations/instances_x.json');
  assert.equal([annotations[0].iscrowd, annotations[0].area], [1, 2]);
  const { annotations: panoptic } = readJson(again, 'annotations/panoptic_x.json');
  assert.equal(panoptic[0].segments_info, [{ id: 1, category_id: 1, area: 2, bbox: [1, 0, 2, 1], iscrowd: 1 }]);
});

test('images are found wherever the usual tools put them', async () => {
  const json = { images: [{ id: 1, file_name: 'a.png' }], annotations: [], categories: CATEGORIES };
  for (const [annotations, image, split] of [
    ['annotations/instances_train2017.json', 'train2017/a.png', 'train2017'],
    ['annotations/instances_train2017.json', 'images/train2017/a.png', 'train2017'],
    ['annotations/instances_s.json', 'images/a.png', 's'],
    ['annotations/instances_s.json', 'a.png', 's'],
    ['annotations/instances_s.json', 'annotations/a.png', 's'],
    ['annotations/mine.json', 'images/a.png', 'train'],
    ['_annotations.coco.json', 'a.png', 'train'],
    ['valid/_annotations.coco.json', 'valid/a.png', 'valid'],
    ['annotations.json', 'images/a.png', 'train'],
    ['labels.json', 'data/a.png', 'train'],
  ]) {
    const folder = foreign({ [annotations]: json, [image]: grey(2, 2) });
    assert.is(await cocoFormat.recognises(folder), true, annotations);
    const { samples, info } = await readAll(cocoFormat, folder);
    assert.is(samples[0].labels.key, 'a');
    assert.is(info.split, split);
  }
});

test('of several splits one is named by its file', async () => {
  const json = (name: string) => ({ images: [{ id: 1, file_name: name }], annotations: [], categories: CATEGORIES });
  const folder = foreign({
    'annotations/instances_train.json': json('a.png'),
    'annotations/instances_val.json': json('b.png'),
    'images/train/a.png': grey(2, 2),
    'images/val/b.png': grey(2, 2),
  });
  assert.is(await cocoFormat.recognises(folder), true);
  await rejects(cocoFormat.open(folder), /one split but received more .*instances_train\.json, .*instances_val\.json/);
  const { samples, info } = await readAll(cocoFormat, join(folder, 'annotations/instances_val.json'));
  assert.equal([samples[0].labels.key, info.split], ['b', 'val']);
});

test('what is no COCO is not taken for it', async () => {
  assert.is(await cocoFormat.recognises(join(temporaryFolder(), 'missing')), false);
  const folder = foreign({ 'images/a.png': grey(1, 1), 'metadata.jsonl': '', 'annotations/a.xml': '' });
  assert.is(await cocoFormat.recognises(folder), false);
  await rejects(cocoFormat.open(folder), /Expected COCO's annotations in/);
  await rejects(cocoFormat.open(join(folder, 'missing')), /Expected the folder of a dataset/);
});

test('a dataset with panoptic annotations alone, and with stuff beside things', async () => {
  // Segments: 70000 is grass, 5 and 6 are cows; (3, 0) is void.
  const ids = [70000, 5, 6, 0];
  const pixels = Uint8Array.from(ids.flatMap((id) => [id & 255, (id >> 8) & 255, id >> 16]));
  const categories = [
    { id: 1, name: 'cow', isthing: 1 },
    { id: 50, name: 'grass', isthing: 0 },
  ];
  const panoptic = {
    images: [{ id: 8, file_name: 'a.png' }],
    annotations: [
      {
        image_id: 8,
        file_name: 'a.png',
        segments_info: [
          { id: 70000, category_id: 50 },
          { id: 5, category_id: 1, iscrowd: 0 },
          { id: 6, category_id: 1, iscrowd: 1 },
        ],
      },
    ],
    categories,
  };
  const files = {
    'annotations/panoptic_v.json': panoptic,
    'annotations/panoptic_v/a.png': encodePng({ width: 4, height: 1, channels: 3, pixels }),
    'v/a.png': grey(4, 1),
  };
  const alone = await readAll(cocoFormat, foreign(files));
  assert.equal([alone.info.classes, alone.info.things], [['cow', 'grass'], ['cow']]);
  assert.equal(rows(alone.samples[0]), ['1560']);
  assert.equal([...alone.samples[0].classes!], [2, 1, 1, 0]);
  assert.equal(
    alone.samples[0].labels.objects.map(({ node, class: name, box, attributes }) => [node, name, box, attributes]),
    [
      [0, 'grass', [0, 0, 1, 1], undefined],
      [4, 'cow', [1, 0, 1, 1], undefined],
      [5, 'cow', [2, 0, 1, 1], { iscrowd: 1 }],
    ],
  );
  const instances = {
    images: panoptic.images,
    annotations: [
      { image_id: 8, category_id: 1, segmentation: { size: [1, 4], counts: [1, 1, 2] }, bbox: [1, 0, 1, 1] },
    ],
    categories: [{ id: 1, name: 'cow' }],
  };
  const both = await readAll(cocoFormat, foreign({ ...files, 'annotations/instances_v.json': instances }));
  assert.equal(rows(both.samples[0]), ['2100']);
  assert.equal([...both.samples[0].classes!], [2, 1, 1, 0]);
  assert.equal(
    both.samples[0].labels.objects.map(({ node, class: name }) => [node, name]),
    [
      [0, 'cow'],
      [1, 'grass'],
    ],
  );

  const wrong = structuredClone(panoptic);
  wrong.annotations[0].segments_info.pop();
  await rejects(
    readAll(cocoFormat, foreign({ ...files, 'annotations/panoptic_v.json': wrong })),
    /the segment 6 .*annotations\[0\]\.segments_info in .*panoptic_v\.json/,
  );
});

test('what is wrong is named with file and place', async () => {
  const image = { id: 1, file_name: 'a.png', width: 4, height: 3 };
  const annotation = { id: 1, image_id: 1, category_id: 7, bbox: [0, 0, 2, 2] };
  const good = { images: [image], annotations: [annotation], categories: CATEGORIES };
  const with_ = (fields: object) => ({ ...good, annotations: [annotation, { ...annotation, ...fields }] });
  const size = [3, 4];
  const cases: [unknown, RegExp][] = [
    [
      with_({ category_id: 8 }),
      /the id of a category for annotations\[1\]\.category_id in .*instances_t\.json but received 8/,
    ],
    [with_({ image_id: 2 }), /the id of an image for annotations\[1\]\.image_id .* received 2/],
    [with_({ image_id: '1' }), /an integer for annotations\[1\]\.image_id .* received "1"/],
    [with_({ bbox: [0, 0, 2] }), /annotations\[1\]\.bbox/],
    [with_({ bbox: [0, 0, 'a', 1] }), /annotations\[1\]\.bbox\[2\]/],
    [with_({ bbox: [0, 0, -2, 1] }), /at least 0 for annotations\[1\]\.bbox/],
    [with_({ bbox: null }), /a box or a segmentation for annotations\[1\]\.bbox/],
    [with_({ iscrowd: 2 }), /annotations\[1\]\.iscrowd/],
    [with_({ segmentation: 'x' }), /annotations\[1\]\.segmentation/],
    [with_({ segmentation: [1, 2, 3, 4, 5, 6] }), /a polygon for annotations\[1\]\.segmentation\[0\]/],
    [with_({ segmentation: [[1, 2, 3, 4, 5]] }), /pairs of x and y for annotations\[1\]\.segmentation\[0\]/],
    [with_({ segmentation: [[1, 2, 3, null, 5, 6]] }), /annotations\[1\]\.segmentation\[0\]\[3\]/],
    [
      with_({ segmentation: [[1, 2, 3, 1e9, 5, 6]] }),
      /at most 1000000 px for annotations\[1\]\.segmentation\[0\]\[3\]/,
    ],
    [with_({ segmentation: { size: [4, 3], counts: [12] } }), /the image's size \[3,4\] .*segmentation\.size.*\[4,3\]/],
    [with_({ segmentation: { size, counts: [5, 6] } }), /segmentation\.counts .*runs of 11 pixels together for 12/],
    [with_({ segmentation: { size, counts: [13, -1] } }), /segmentation\.counts .*the run -1/],
    [with_({ segmentation: { size, counts: '5 ' } }), /segmentation\.counts .*the character/],
    [with_({ segmentation: { size, counts: 12 } }), /segmentation\.counts/],
    [with_({ metasim: { node: -1 } }), /annotations\[1\]\.metasim\.node/],
    [with_({ metasim: { visibleFraction: 2 } }), /annotations\[1\]\.metasim\.visibleFraction/],
    [{ ...good, images: [image, { ...image, id: 1 }] }, /an id of its own for images\[1\]\.id/],
    [
      { ...good, images: [{ ...image, width: 5 }] },
      /the width of "a\.png", 4 px, for images\[0\]\.width .* received 5/,
    ],
    [{ ...good, images: [{ id: 1 }] }, /images\[0\]\.file_name/],
    [{ ...good, images: [{ id: 1.5, file_name: 'a.png' }] }, /an integer for images\[0\]\.id/],
    [{ ...good, images: [{ id: 1, file_name: 'b.png' }] }, /the file "b\.png", named in images\[0\]\.file_name/],
    [{ ...good, images: {} }, /an array for images/],
    [{ ...good, categories: [{ id: 7 }] }, /categories\[0\]\.name/],
    [{ images: [image], annotations: [] }, /an array "categories"/],
    [{ categories: CATEGORIES }, /an array "images"/],
    [[good], /Expected \{ at byte 0/],
    ['{"images": [{"id": 1, "file_name" "a.png"}]}', /JSON in images\[0\] of .*instances_t\.json/],
    ['{"images": [{"id": 1', /the end of an element for images\[0\] at byte 20/],
    ['{"images": [{"id": 1e400, "file_name": "a.png"}]}', /finite numbers in images\[0\]/],
    [`{"annotations": [${'['.repeat(20000)}${']'.repeat(20000)}], "images": []}`, /64 levels of nesting/],
    ['['.repeat(20000), /Expected \{ at byte 0/],
    ['', /Expected \{ at byte 0/],
  ];
  for (const [json, message] of cases) {
    const folder = foreign({ 'annotations/instances_t.json': json, 't/a.png': grey(4, 3) });
    await rejects(readAll(cocoFormat, folder), message);
  }
  const notImage = foreign({ 'annotations/instances_t.json': good, 't/a.png': 'no image' });
  await rejects(readAll(cocoFormat, notImage), /a\.png/);
});

test('names that leave the dataset are refused', async () => {
  const outside = foreign({ 'secret.png': grey(2, 2) });
  for (const name of [
    '../secret.png',
    'x/../../secret.png',
    join(outside, 'secret.png'),
    'a\u0000.png',
    '..\\secret.png',
    '.',
    'link.png',
    'linked/secret.png',
  ]) {
    const json = { images: [{ id: 1, file_name: name }], annotations: [], categories: CATEGORIES };
    const folder = foreign({ 'annotations/instances_t.json': json, 'images/ok.png': grey(1, 1) });
    symlinkSync(join(outside, 'secret.png'), join(folder, 'images/link.png'));
    symlinkSync(outside, join(folder, 'images/linked'));
    await rejects(readAll(cocoFormat, folder), /a path within .*images\[0\]\.file_name/);
  }
});

test('reading stops when it is told to, and gives its files back', async () => {
  const folder = await writeFixture(cocoFormat, made);
  const reader = await cocoFormat.open(folder);
  const abort = new AbortController();
  let seen = 0;
  let error: unknown;
  try {
    for await (const _ of reader.samples({ signal: abort.signal })) if (++seen === 3) abort.abort();
  } catch (caught) {
    error = caught;
  }
  assert.is(seen, 3);
  assert.is((error as Error).name, 'AbortError');
});

test.run();
