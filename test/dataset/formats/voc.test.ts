import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import fc from 'fast-check';
import { decode } from 'fast-png';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { recogniseFormat } from '../../../src/dataset/formats/index.js';
import { vocFormat } from '../../../src/dataset/formats/voc.js';
import { boxOfVoc, parseVocAnnotation, writeVocAnnotation } from '../../../src/dataset/formats/vocAnnotation.js';
import { vocColour } from '../../../src/dataset/formats/vocMasks.js';
import { readLabelMap, vocFileName, writeLabelMap } from '../../../src/dataset/formats/vocNames.js';
import { encodePalettePng } from '../../../src/dataset/palettePng.js';
import { encodePng } from '../../../src/dataset/png.js';
import { type DatasetSample, type SampleObject, thingsOf } from '../../../src/dataset/sample.js';
import { DatasetError } from '../../../src/errors.js';
import { folderContent } from '../../helpers/folderContent.js';
import { findPython } from '../../helpers/python.js';
import { type Fixture, fixture, readAll, temporaryFolder, writeFixture } from './harness.js';

const made = await fixture({ count: 12, channels: 3 });

const image = (width: number, height: number) =>
  encodePng({ width, height, channels: 1, pixels: new Uint8Array(width * height) });

function folderOf(files: Record<string, string | Uint8Array>): string {
  const folder = temporaryFolder();
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), content);
  }
  return folder;
}

const box = (xmin: unknown, ymin: unknown, xmax: unknown, ymax: unknown) =>
  `<bndbox><xmin>${xmin}</xmin><ymin>${ymin}</ymin><xmax>${xmax}</xmax><ymax>${ymax}</ymax></bndbox>`;

/** A dataset of one image of 20 × 10 px, without lists, with this annotation. */
const single = (annotation: string, more: Record<string, string | Uint8Array> = {}) =>
  folderOf({ 'JPEGImages/a.png': image(20, 10), 'Annotations/a.xml': annotation, ...more });

async function failure(folder: string): Promise<string> {
  try {
    await readAll(vocFormat, folder);
  } catch (error) {
    assert.instance(error, DatasetError);
    return (error as Error).message.replaceAll(folder, 'SET');
  }
  throw new Error('nothing was thrown');
}

const thingsIn = ({ info, samples }: Fixture) =>
  samples.map(({ labels }) => thingsOf(labels, info).map(({ class: name, box }) => ({ class: name, box })));

test('one shard or three give the same files, and reading gives the same classes and boxes', async () => {
  const folders = [await writeFixture(vocFormat, made, 1), await writeFixture(vocFormat, made, 3)];
  assert.equal(folderContent(folders[0]), folderContent(folders[1]));
  const read = await readAll(vocFormat, folders[1]);
  assert.equal(thingsIn(read), thingsIn(made));
  assert.equal(read.info.classes, made.info.things);
  assert.is(read.info.split, 'train');
  assert.is(read.info.codec, 'png');
  assert.ok(read.info.masks);
  assert.equal(
    read.samples.map(({ labels }) => [labels.key, labels.index, labels.width, labels.height, labels.channels]),
    made.samples.map(({ labels }, i) => [labels.key, i, 48, 32, 3]),
  );
  assert.equal(
    read.samples.map(({ image }) => Buffer.from(image.bytes)),
    made.samples.map(({ image }) => Buffer.from(image.bytes)),
  );
  assert.is((await vocFormat.open(folders[0])).count, 12);
});

test('JPEGs without masks come back too', async () => {
  const jpegs = await fixture({ count: 3, codec: 'jpeg', masks: false, scenes: false });
  const folder = await writeFixture(vocFormat, jpegs);
  const read = await readAll(vocFormat, folder);
  assert.equal(thingsIn(read), thingsIn(jpegs));
  assert.is(read.info.codec, 'jpeg');
  assert.not(read.info.masks);
  assert.ok(Object.keys(folderContent(folder)).includes('JPEGImages/000000002.jpg'));
  assert.match(readFileSync(join(folder, 'Annotations/000000002.xml'), 'utf8'), '<depth>3</depth>');
});

test('a dataset is recognised by no other format', async () => {
  assert.is((await recogniseFormat(await writeFixture(vocFormat, made, 1))).name, 'voc');
});

test('masks hold the objects by their position in the annotation file and the classes by number', async () => {
  const folder = await writeFixture(vocFormat, made);
  const read = await readAll(vocFormat, folder);
  for (const [i, sample] of made.samples.entries()) {
    const things = thingsOf(sample.labels, made.info);
    const objects = Array.from(
      sample.instances as Uint16Array,
      (id) => things.findIndex(({ node }) => node === id - 1) + 1,
    );
    const classes = objects.map((id) => (id === 0 ? 0 : made.info.things.indexOf(things[id - 1].class) + 1));
    for (const [kind, expected] of [
      ['SegmentationObject', objects],
      ['SegmentationClass', classes],
    ] as const) {
      const png = decode(readFileSync(join(folder, kind, `${sample.labels.key}.png`)), { checkCrc: true });
      assert.equal([...png.data], expected);
      assert.equal(png.palette?.slice(0, 4), [
        [0, 0, 0],
        [128, 0, 0],
        [0, 128, 0],
        [128, 128, 0],
      ]);
    }
    assert.equal([...(read.samples[i].instances as Uint16Array)], objects);
    assert.equal([...(read.samples[i].classes as Uint8Array)], classes);
    assert.equal(
      read.samples[i].labels.objects.map(({ node }) => node),
      things.map((_, k) => k),
    );
  }
});

test("colours are those of VOC's colour map", () => {
  // From the map as the challenge prints it: background, aeroplane, sofa, train, tv monitor, border.
  const known: [number, string][] = [
    [0, '0,0,0'],
    [1, '128,0,0'],
    [18, '0,192,0'],
    [19, '128,192,0'],
    [20, '0,64,128'],
    [255, '224,224,192'],
  ];
  for (const [number, colour] of known) assert.is(vocColour(number).join(), colour);
});

test('lists: every image in the split, and for every class whether it is there', async () => {
  const folder = await writeFixture(vocFormat, made, 3);
  const lines = (path: string) =>
    readFileSync(join(folder, 'ImageSets', path), 'utf8')
      .split('\n')
      .slice(0, -1);
  const keys = made.samples.map(({ labels }) => labels.key);
  assert.equal(lines('Main/train.txt'), keys);
  assert.equal(lines('Segmentation/train.txt'), keys);
  for (const name of made.info.things) {
    const expected = made.samples.map(
      ({ labels }) => `${labels.key} ${labels.objects.some((each) => each.class === name && each.box) ? ' 1' : '-1'}`,
    );
    assert.equal(lines(`Main/${name}_train.txt`), expected);
  }
});

test('a hand-worked box: 4 × 6 px at (2, 1) holds the pixels 3 … 6 and 2 … 7, counted from 1', () => {
  const size = {
    folder: 'f',
    filename: 'a.png',
    database: 'f',
    width: 20,
    height: 10,
    depth: 1,
    segmented: false,
  } as const;
  const text = writeVocAnnotation(size, [{ class: 'dog', box: [2, 1, 4, 6] }]);
  for (const element of ['<xmin>3</xmin>', '<ymin>2</ymin>', '<xmax>6</xmax>', '<ymax>7</ymax>'])
    assert.match(text, element);
  const [object] = parseVocAnnotation(text, 'a.xml').objects;
  assert.equal(boxOfVoc(object, 20, 10), [2, 1, 4, 6]);
});

test('truncated and occluded follow the annotation guidelines; fractions are rounded outwards, to the canvas', () => {
  const size = {
    folder: 'f',
    filename: 'a.png',
    database: 'f',
    width: 20,
    height: 10,
    depth: 1,
    segmented: true,
  } as const;
  const flags = (more: Partial<SampleObject>) => {
    const text = writeVocAnnotation(size, [{ class: 'dog', box: [-1.5, 0.5, 4, 20], ...more }]);
    assert.match(text, '<xmin>1</xmin>\n\t\t\t<ymin>1</ymin>\n\t\t\t<xmax>3</xmax>\n\t\t\t<ymax>10</ymax>');
    return ['truncated', 'occluded', 'difficult']
      .map((name) => new RegExp(`<${name}>(.)</${name}>`).exec(text)?.[1])
      .join('');
  };
  assert.is(flags({}), '000');
  assert.is(flags({ truncation: 0.15, occluded: 0.05 }), '000');
  assert.is(flags({ truncation: 0.16 }), '100');
  assert.is(flags({ occluded: 0.06 }), '010');
});

/** Class names that are no file names, or no XML, or look like something else. */
const NASTY = [
  '../../x',
  'a/b',
  '',
  '.',
  '..',
  ' x ',
  'CON',
  '<b>&amp;',
  ']]>',
  'a\rb\nc\t',
  '"\'',
  'é漢 e\u0301',
  'a:b',
  '%41',
  '#',
  '\u2028',
  'x'.repeat(300),
  `${'x'.repeat(300)}y`,
  'train',
  'a_train',
  '__proto__',
];

/** Three samples with objects of all of these classes. */
const nasty: Fixture = {
  info: { ...made.info, name: '<set> & "co"', classes: NASTY, things: NASTY },
  samples: made.samples.slice(0, 3).map((sample, i): DatasetSample => {
    const objects = NASTY.filter((_, k) => k % 3 !== i).map((name, k) => ({
      node: k,
      class: name,
      box: [k, i, 1, 2] as const,
    }));
    return { ...sample, labels: { ...sample.labels, objects } };
  }),
};

test('class names survive file names, lists and XML, and none leaves its folder', async () => {
  const folder = await writeFixture(vocFormat, nasty);
  const read = await readAll(vocFormat, folder);
  assert.equal(read.info.classes, NASTY);
  assert.is(read.info.split, 'train');
  assert.equal(thingsIn(read), thingsIn(nasty));
  const lists = Object.keys(folderContent(folder)).filter((path) => path.startsWith('ImageSets/Main/'));
  assert.is(lists.length, NASTY.length + 1);
});

test('random class names: different names have different files, plain ones keep theirs; the list gives them back', () => {
  const name = fc.string({ unit: 'grapheme', maxLength: 12 }).filter((text) => !/[\ud800-\udfff]/u.test(text));
  fc.assert(
    fc.property(fc.uniqueArray(name, { maxLength: 8 }), (names) => {
      const files = names.map(vocFileName);
      assert.is(new Set(files).size, names.length);
      for (const file of files) assert.not.match(file, /[/\\:*?"<>|\0\n\r]|^\.|\.\.|^ | $/);
      assert.equal(readLabelMap(writeLabelMap(names), 'labelmap.txt'), names);
    }),
    { seed: 1, numRuns: 1000 },
  );
  for (const plain of ['aeroplane', 'traffic light', '3', 'été', 'a-b_c.d']) assert.is(vocFileName(plain), plain);
});

test('a class name that XML cannot hold, and a key that would break a list, are refused', async () => {
  const [sample] = made.samples;
  const info = { ...made.info, classes: ['\0'], things: ['\0'], masks: false };
  const labels = { ...sample.labels, objects: [{ class: '\0', box: [0, 0, 1, 1] as const }] };
  const write = async (fixture: Fixture) => {
    try {
      await writeFixture(vocFormat, fixture, 1);
    } catch (error) {
      assert.instance(error, DatasetError);
      return (error as Error).message;
    }
    return 'nothing was thrown';
  };
  assert.match(
    await write({ info, samples: [{ ...sample, labels }] }),
    'Expected characters that XML can hold for <name>',
  );
  const broken = { ...sample, labels: { ...sample.labels, key: 'a\nb' } };
  assert.match(await write({ info: made.info, samples: [broken] }), 'Expected a key of one line');
  const { instances: _, ...bare } = sample;
  assert.match(await write({ info: made.info, samples: [bare] }), 'Expected an instance mask for 000000000');
  const many = Array.from({ length: 255 }, (_, node) => ({ node, class: '3', box: [0, 0, 1, 1] as const }));
  const crowd = { ...sample, labels: { ...sample.labels, objects: many } };
  assert.match(await write({ info: made.info, samples: [crowd] }), 'Expected at most 254 objects in 000000000');
  const classes = many.map(({ node }) => `c${node}`);
  assert.match(
    await write({ info: { ...made.info, classes, things: classes }, samples: [] }),
    'Expected at most 254 classes',
  );
  assert.match(await write({ info: { ...made.info, split: '../x' }, samples: [] }), 'for the split');
});

const python = findPython('xml.etree');
if (!python) console.log('# skip annotations read by xml.etree: no Python with the module xml.etree');
(python ? test : test.skip)("Python's xml.etree reads what was written, field by field", async () => {
  for (const written of [made, nasty]) {
    const folder = await writeFixture(vocFormat, written);
    const script = `
import json, sys
import xml.etree.ElementTree as etree
def flat(element):
    return [element.tag, [flat(child) for child in element]] if len(element) else [element.tag, element.text or '']
print(json.dumps([flat(etree.parse(path).getroot()) for path in sys.argv[1:]]))`;
    const paths = written.samples.map(({ labels }) => join(folder, `Annotations/${labels.key}.xml`));
    const { stdout, stderr } = spawnSync(python as string, ['-c', script, ...paths], { encoding: 'utf8' });
    assert.is(stderr, '');
    const expected = written.samples.map(({ labels }) => [
      'annotation',
      [
        ['folder', written.info.name],
        ['filename', `${labels.key}.png`],
        [
          'source',
          [
            ['database', written.info.name],
            ['annotation', 'metasim'],
            ['image', 'metasim'],
          ],
        ],
        [
          'size',
          [
            ['width', '48'],
            ['height', '32'],
            ['depth', '3'],
          ],
        ],
        ['segmented', '1'],
        ...thingsOf(labels, written.info).map((object) => {
          const [left, top, width, height] = object.box as [number, number, number, number];
          return [
            'object',
            [
              ['name', object.class],
              ['pose', 'Unspecified'],
              ['truncated', (object.truncation ?? 0) > 0.15 ? '1' : '0'],
              ['occluded', (object.occluded ?? 0) > 0.05 ? '1' : '0'],
              ['difficult', '0'],
              [
                'bndbox',
                [
                  ['xmin', `${left + 1}`],
                  ['ymin', `${top + 1}`],
                  ['xmax', `${left + width}`],
                  ['ymax', `${top + height}`],
                ],
              ],
            ],
          ];
        }),
      ],
    ]);
    assert.equal(JSON.parse(stdout), expected);
  }
});

test('datasets of others: no lists, no size or pose, float coordinates, parts, attributes, other encodings of names', async () => {
  const folder = single(
    `<?xml version="1.0" encoding="UTF-8"?>
<annotation verified="yes">
  <folder>C:\\pictures</folder><filename>a</filename><path>/home/me/a.png</path>
  <object>
    <name> dog </name><difficult>0</difficult>
    ${box('3.25', '2.0', '6.75', '7e0')}
    <part><name>head</name>${box(1, 1, 2, 2)}</part>
  </object>
  <object>${box(0, 0, 20, 10)}<name>cat</name></object>
</annotation>`,
    { 'Annotations/b.xml': '<annotation/>', 'JPEGImages/b.jpeg': image(4, 4), 'Annotations/readme.txt': '' },
  );
  const { info, samples } = await readAll(vocFormat, folder);
  assert.equal(info.classes, ['cat', 'dog']);
  assert.is(info.masks, false);
  assert.equal(
    samples.map(({ labels, image }) => [labels.key, labels.width, labels.channels, image.codec]),
    [
      ['a', 20, 1, 'png'],
      ['b', 4, 1, 'png'],
    ],
  );
  assert.equal(samples[0].labels.objects, [
    { class: 'dog', box: [2.25, 1, 4.5, 6] },
    { class: 'cat', box: [0, 0, 20, 10] },
  ]);
  assert.equal(samples[1].labels.objects, []);
});

test("VOC's own layout: several lists, classes by name, a border of 255, images named by their annotation", async () => {
  const object = (name: string, x: number) => `<object><name>${name}</name>${box(x, 1, x, 2)}</object>`;
  const palette = Uint8Array.from({ length: 768 }, (_, i) => vocColour(Math.floor(i / 3))[i % 3]);
  const mask = (...pixels: number[]) =>
    encodePalettePng({ width: 3, height: 2, pixels: Uint8Array.from(pixels), palette });
  const folder = folderOf({
    'ImageSets/Main/val.txt': 'a\n',
    'ImageSets/Main/train.txt': '2008_000002\r\n2008_000001\r\n',
    'ImageSets/Main/dog_train.txt': '2008_000002  1\n2008_000001 -1\n',
    'ImageSets/Main/cat_train.txt': '2008_000002  0\n2008_000001  1\n',
    'ImageSets/Main/dog_val.txt': 'a  1\n',
    'JPEGImages/2008_000001.png': image(3, 2),
    'JPEGImages/other.png': image(3, 2),
    'JPEGImages/a.png': image(3, 2),
    'Annotations/2008_000001.xml': `<annotation>${object('cat', 1)}</annotation>`,
    'Annotations/2008_000002.xml': `<annotation><filename>other.png</filename>${object('dog', 3)}${object('cat', 1)}</annotation>`,
    'Annotations/a.xml': `<annotation>${object('dog', 1)}</annotation>`,
    'SegmentationObject/2008_000001.png': mask(1, 255, 0, 1, 255, 0),
    'SegmentationClass/2008_000001.png': mask(1, 255, 0, 1, 255, 0),
    'SegmentationObject/2008_000002.png': mask(2, 255, 1, 2, 255, 1),
    'SegmentationClass/2008_000002.png': mask(1, 255, 2, 1, 255, 2),
  });
  const { info, samples } = await readAll(vocFormat, folder);
  assert.equal([info.classes, info.split, info.masks], [['cat', 'dog'], 'train', true]);
  assert.equal(
    samples.map(({ labels, instances, classes }) => [
      labels.key,
      labels.objects.map(({ class: name }) => name).join(),
      [...(instances as Uint16Array)].join(''),
      [...(classes as Uint8Array)].join(''),
    ]),
    [
      ['2008_000002', 'dog,cat', '201201', '102102'],
      ['2008_000001', 'cat', '100100', '100100'],
    ],
  );
  const val = await vocFormat.open(folder, { split: 'val' });
  assert.equal([val.count, val.info.classes, val.info.masks], [1, ['dog'], false]);
  try {
    await vocFormat.open(folder, { split: 'dog_val' });
    assert.unreachable();
  } catch (error) {
    assert.match((error as Error).message, '(train, val) but received "dog_val"');
  }
});

const BAD: [annotation: string, message: string][] = [
  [
    '<annotation>\n<filename>../../../etc/passwd</filename></annotation>',
    'SET/Annotations/a.xml:2: Expected a path within the dataset but received "../../../etc/passwd"',
  ],
  ['<annotation>\n<filename>/etc/passwd</filename></annotation>', 'a.xml:2: Expected a path within the dataset'],
  ['<annotation>\n<filename>C:\\a.png</filename></annotation>', 'a.xml:2: Expected a path within the dataset'],
  [
    `<annotation>\n<object><name>x</name>${box('nan', 1, 2, 2)}</object></annotation>`,
    'a.xml:2: Expected a finite number for <xmin> but received "nan"',
  ],
  [
    `<annotation>\n<object><name>x</name>${box(1, '1e400', 2, 2)}</object></annotation>`,
    'a.xml:2: Expected a finite number for <ymin> but received "1e400"',
  ],
  [
    `<annotation><object><name>x</name>${box(1, 1, '', 2)}</object></annotation>`,
    'a.xml:1: Expected a finite number for <xmax>',
  ],
  [
    `<annotation>\n<object><name>x</name>${box(5, 1, 4, 2)}</object></annotation>`,
    'a.xml:2: Expected a box with an area on 20 × 10 px but received 5, 1, 4, 2',
  ],
  [`<annotation><object><name>x</name>${box(21, 1, 22, 2)}</object></annotation>`, 'Expected a box with an area'],
  [
    `<annotation>\n\n<object>${box(1, 1, 2, 2)}</object></annotation>`,
    'a.xml:3: Expected <name> and <bndbox> in <object> but received no <name>',
  ],
  ['<annotation><object><name>x</name></object></annotation>', 'received no <bndbox>'],
  [
    '<annotation><object><name>x</name><bndbox><xmin>1</xmin></bndbox></object></annotation>',
    'Expected <ymin> in <bndbox>',
  ],
  [
    '<annotation><object><name>x</name>\n<name>y</name></object></annotation>',
    'a.xml:2: Expected one <name> in <object>',
  ],
  [
    '<annotation>\n<size><width>20</width><height>11</height></size></annotation>',
    "a.xml:2: Expected 20 × 10, the image's size, but received 20 × 11",
  ],
  ['<annotations/>', 'a.xml:1: Expected <annotation> but received <annotations>'],
  ['<!DOCTYPE annotation [<!ENTITY a "b">]><annotation/>', 'a.xml:1: Expected no document type'],
  ['<annotation>'.repeat(20_000), 'a.xml:1: Expected at most 64 levels'],
  ['', 'a.xml:1: Expected an element'],
];

test('bad annotations end in an error that names file and line', async () => {
  for (const [annotation, message] of BAD) assert.match(await failure(single(annotation)), message);
});

test('bad lists, masks, images and links end in an error that names the place', async () => {
  const fine = `<annotation><object><name>x</name>${box(1, 1, 2, 2)}</object></annotation>`;
  const list = (text: string, more = {}) => single(fine, { 'ImageSets/Main/train.txt': text, ...more });
  assert.match(
    await failure(list('a\n../../a\n')),
    'SET/ImageSets/Main/train.txt:2: Expected a path within the dataset',
  );
  assert.match(await failure(list('/etc/passwd\n')), 'train.txt:1: Expected a path within the dataset');
  assert.match(await failure(list('a\n\na\n')), 'train.txt:3: Expected different images but received "a" twice');
  assert.match(await failure(list('b\n')), 'named in SET/ImageSets/Main/train.txt:1');
  assert.match(
    await failure(list('a\n', { 'labelmap.txt': '# x\ny:1,2,3\nz\n' })),
    'labelmap.txt:3: Expected "name:r,g,b',
  );
  assert.match(
    await failure(list('a\n', { 'labelmap.txt': 'y:1,2,3\n' })),
    'a.xml:1: Expected one of y for <name> but received "x"',
  );
  assert.match(
    await failure(list('a\n', { 'labelmap.txt': 'y:1,2,3\ny:1,2,4' })),
    'labelmap.txt:2: Expected classes of different',
  );
  const masks = (pixels: Uint8Array, width = 20) => {
    const png = encodePng({ width, height: 10, channels: 1, pixels });
    return single(fine, { 'SegmentationObject/a.png': png, 'SegmentationClass/a.png': png });
  };
  assert.match(
    await failure(masks(new Uint8Array(200).fill(2))),
    'Expected numbers up to 1 in SET/SegmentationObject/a.png but received 2',
  );
  assert.match(await failure(masks(new Uint8Array(210), 21)), 'Expected 20 × 10 px for SET/SegmentationObject/a.png');
  assert.match(await failure(single(fine, { 'JPEGImages/a.png': 'no image' })), 'SET/JPEGImages/a.png');
  const missing = single(fine);
  rmSync(join(missing, 'JPEGImages/a.png'));
  assert.match(await failure(missing), 'Expected an image of "a" in SET/JPEGImages');
  const outside = folderOf({ 'secret.png': image(20, 10), 'secret.xml': fine });
  symlinkSync(join(outside, 'secret.png'), join(missing, 'JPEGImages/a.png'));
  assert.match(await failure(missing), 'Expected a path within SET');
  const linked = single(fine);
  rmSync(join(linked, 'Annotations/a.xml'));
  symlinkSync(join(outside, 'secret.xml'), join(linked, 'Annotations/a.xml'));
  assert.match(await failure(linked), 'Expected a path within SET');
  assert.match(await failure(folderOf({ 'JPEGImages/a.png': '' })), 'Expected a folder Annotations');
  assert.match(await failure('/nowhere/at/all'), 'Expected the folder of a dataset at SET');
});

test('a picture that claims 60000 × 60000 px is refused before anything is decoded', async () => {
  const bytes = Buffer.from(image(20, 10));
  bytes.writeUInt32BE(60000, 16);
  bytes.writeUInt32BE(60000, 20);
  assert.match(
    await failure(single('<annotation/>', { 'JPEGImages/a.png': bytes })),
    'Expected at most 67108864 pixels',
  );
});

test.run();
