import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { kittiFormat } from '../../../src/dataset/formats/kitti.js';
import { formatKittiCalibration, type KittiCalibration } from '../../../src/dataset/formats/kittiCalibration.js';
import { formatKittiLabel, parseKittiLabel } from '../../../src/dataset/formats/kittiLabel.js';
import { kittiLabelOf, objectOfKitti, type SeenObject } from '../../../src/dataset/formats/kittiObjects.js';
import { pixelsOf } from '../../../src/dataset/imageCodec.js';
import { encodePng } from '../../../src/dataset/png.js';
import { type DatasetInfo, type SampleObject, thingsOf } from '../../../src/dataset/sample.js';
import { Staging } from '../../../src/dataset/staging.js';
import { DatasetError } from '../../../src/errors.js';
import { folderContent } from '../../helpers/folderContent.js';
import { fixture, readAll, temporaryFolder, writeFixture } from './harness.js';

const made = await fixture({ count: 7, channels: 3, masks: false, scenes: false });
const written = await writeFixture(kittiFormat, made, 3);

const info: DatasetInfo = { ...made.info, classes: ['sky', 'Car'], things: ['Car'], width: 20, height: 10 };
const picture = encodePng({ width: 20, height: 10, channels: 1, pixels: new Uint8Array(200) });

function sampleWith(objects: SampleObject[]) {
  return {
    labels: { key: 'k', index: 0, width: 20, height: 10, channels: 1 as const, objects },
    image: { codec: 'png' as const, bytes: picture },
  };
}

async function refusal(work: Promise<unknown>): Promise<string> {
  const error = await work.catch((reason: Error) => reason);
  assert.instance(error, DatasetError);
  return (error as Error).message;
}

function text(...path: string[]): string {
  return readFileSync(join(...path), 'utf8');
}

test('one shard and three give the same files, named by the number of the image', async () => {
  const content = folderContent(written);
  assert.equal(content, folderContent(await writeFixture(kittiFormat, made, 1)));
  assert.is(Object.keys(content).length, 7 * 3 + 2);
  assert.ok(content['training/calib/000006.txt'] && content['training/label_2/000006.txt']);
  assert.equal([...readFileSync(join(written, 'training/image_2/000004.png'))], [...made.samples[4].image.bytes]);
  assert.is(text(written, 'ImageSets/train.txt'), '000000\n000001\n000002\n000003\n000004\n000005\n000006\n');
  assert.is(text(written, 'classes.txt'), '3\n7\n8\n');
});

test('the fields of every row are those of the definition', () => {
  let rows = 0;
  for (const [i, { labels }] of made.samples.entries()) {
    const things = thingsOf(labels, made.info);
    const lines = text(written, `training/label_2/00000${i}.txt`).split('\n');
    assert.is(lines.pop(), '');
    assert.is(lines.length, things.length);
    for (const [j, line] of lines.entries()) {
      const [left, top, width, height] = things[j].box!;
      const { truncation, occlusion = 3 } = things[j];
      assert.equal(line.split(' '), [
        things[j].class,
        truncation === undefined ? '-1' : truncation.toFixed(2),
        String(occlusion),
        '-10',
        // Pixels are counted from 0 and the last one is named, not the one behind it.
        `${left}.00`,
        `${top}.00`,
        `${left + width - 1}.00`,
        `${top + height - 1}.00`,
        ...['-1', '-1', '-1'],
        ...['-1000', '-1000', '-1000'],
        '-10',
      ]);
      rows++;
    }
  }
  assert.ok(rows >= 7);
});

test('rows worked by hand: known and unknown truncation and occlusion, DontCare; what is ignored or hidden has none', async () => {
  const objects: SampleObject[] = [
    { class: 'sky', box: [0, 0, 20, 10] },
    { class: 'Car', box: [3, 4, 10, 5], truncation: 0.256, occlusion: 1 },
    { class: 'Car', box: null },
    { class: 'Car', box: [19, 9, 1, 1] },
    { class: 'DontCare', box: [1.5, 2, 4.25, 3], truncation: 0.5 },
  ];
  const folder = await writeFixture(kittiFormat, { info, samples: [sampleWith(objects)] }, 1);
  assert.is(
    text(folder, 'training/label_2/000000.txt'),
    'Car 0.26 1 -10 3.00 4.00 12.00 8.00 -1 -1 -1 -1000 -1000 -1000 -10\n' +
      'Car -1 3 -10 19.00 9.00 19.00 9.00 -1 -1 -1 -1000 -1000 -1000 -10\n' +
      'DontCare -1 -1 -10 1.50 2.00 4.75 4.00 -1 -1 -1 -1000 -1000 -1000 -10\n',
  );
});

test('the calibration of a flat scene: a pinhole of 1 px at the centre, in the layout of KITTI', () => {
  const lines = text(written, 'training/calib/000000.txt').split('\n');
  assert.equal(
    lines.map((line) => line.split(' ')[0]),
    ['P0:', 'P1:', 'P2:', 'P3:', 'R0_rect:', 'Tr_velo_to_cam:', 'Tr_imu_to_velo:', '', ''],
  );
  assert.equal(
    lines.slice(0, 7).map((line) => line.split(' ').length - 1),
    [12, 12, 12, 12, 9, 12, 12],
  );
  assert.is(
    lines[2],
    'P2: 1.000000000000e+00 0.000000000000e+00 2.350000000000e+01 0.000000000000e+00 ' +
      '0.000000000000e+00 1.000000000000e+00 1.550000000000e+01 0.000000000000e+00 ' +
      '0.000000000000e+00 0.000000000000e+00 1.000000000000e+00 0.000000000000e+00',
  );
  // A point 2 m ahead, 1 m left and 0.5 m up of the scanner is at x = −1, y = −0.5, z = 2 of the camera.
  const velo = lines[5].split(' ').slice(1).map(Number);
  const point = [2, 1, 0.5, 1];
  const camera = [0, 4, 8].map((row) => point.reduce((sum, value, i) => sum + value * velo[row + i], 0));
  assert.equal(camera, [-1, -0.5, 2]);
});

test('what is read back is what the rows say: classes, boxes, truncation, occlusion', async () => {
  const { info: read, samples } = await readAll(kittiFormat, written);
  assert.is(read.dimension, undefined);
  assert.equal([read.classes, read.things, read.split], [['3', '7', '8'], ['3', '7', '8'], 'train']);
  assert.equal(
    samples.map(({ labels }) => labels),
    made.samples.map(({ labels }, index) => ({
      ...{ key: labels.key, index, width: 48, height: 32, channels: 3 },
      objects: thingsOf(labels, made.info).map(({ class: name, box, truncation, occlusion = 3 }) => ({
        ...{ class: name, box },
        ...(truncation === undefined ? {} : { truncation: Number(truncation.toFixed(2)) }),
        occlusion,
      })),
    })),
  );
  assert.equal([...samples[3].image.bytes], [...made.samples[3].image.bytes]);
});

test('from a million images on numbers have seven digits, and come after those of six', async () => {
  const folder = temporaryFolder();
  const staging = new Staging(folder, 5);
  const shard = { shard: 5, shards: 9, first: 999_999, count: 2, files: staging };
  const sink = kittiFormat.writer(info).openShard(shard);
  for (let i = 0; i < 2; i++) await sink.add(sampleWith([]));
  await sink.end();
  await staging.seal();
  assert.equal(readdirSync(join(folder, 'training/calib')).sort(), ['1000000.txt', '999999.txt']);
  const { samples } = await readAll(kittiFormat, folder);
  assert.equal(
    samples.map(({ labels }) => labels.key),
    ['000999999', '001000000'],
  );
});

test('without an image set and class names, all frames in order and the classes that the labels name', async () => {
  const folder = await writeFixture(kittiFormat, made);
  rmSync(join(folder, 'ImageSets'), { recursive: true });
  rmSync(join(folder, 'classes.txt'));
  writeFileSync(
    join(folder, 'training/label_2/000006.txt'),
    ['DontCare', 'bus', 'Tram', 'Car'].map((type) => `${type} 0 0 0 1 1 2 2 1 1 1 0 0 0 0\n`).join(''),
  );
  const { info: read, samples } = await readAll(kittiFormat, join(folder, 'training'));
  const digits = read.classes.filter((name) => /\d/.test(name));
  assert.equal(read.classes, ['Car', 'Tram', ...digits, 'bus', 'DontCare']);
  assert.equal(read.things, ['Car', 'Tram', ...digits, 'bus']);
  assert.ok(digits.length >= 2);
  assert.is(samples.length, 7);
  assert.equal(samples[6].labels.objects[0].class, 'DontCare');
});

test('class names that would break a row are refused before anything is written', async () => {
  for (const name of ['a car', '', 'DontCare', 'a\tb']) {
    const things = [name];
    const message = await refusal(
      writeFixture(kittiFormat, { info: { ...info, classes: things, things }, samples: [] }),
    );
    assert.match(message, /class names without white space, other than DontCare, for KITTI/);
    assert.ok(message.includes(JSON.stringify(name)));
  }
});

test('rows that are not of KITTI are refused with file and line', () => {
  const row = 'Car 0.00 0 -1.59 586.42 199.76 662.87 266.02 1.36 1.69 3.38 0.28 2.08 17.74 -1.58';
  const where = 'x.txt:3';
  assert.equal(parseKittiLabel(`${row} 0.875\r`, where), {
    ...{ type: 'Car', truncated: 0, occluded: 0, alpha: -1.59, box: [586.42, 199.76, 662.87, 266.02] },
    ...{ dimensions: [1.36, 1.69, 3.38], location: [0.28, 2.08, 17.74], rotationY: -1.58, score: 0.875 },
  });
  assert.is(formatKittiLabel(parseKittiLabel(`${row} 0.875`, where)), `${row} 0.875`);
  const swap = (field: number, value: string) =>
    row
      .split(' ')
      .with(field - 1, value)
      .join(' ');
  const cases: [row: string, expected: RegExp][] = [
    [row.slice(0, -6), /15 fields, or 16 with a score, in x\.txt:3 but received 14/],
    [`${row} 1 1`, /received 17/],
    ['Car', /received 1$/],
    [swap(4, 'nan'), /finite number for field 4 in x\.txt:3 but received "nan"/],
    [swap(8, '1e400'), /field 8 .* "1e400"/],
    [swap(9, '0x10'), /field 9 .* "0x10"/],
    [swap(2, '1.5'), /0 to 1, or -1, for truncated \(field 2\) in x\.txt:3 but received 1\.5/],
    [swap(3, '0.5'), /for occluded \(field 3\) in x\.txt:3 but received 0\.5/],
    [swap(7, '586.41'), /left ≤ right .* in x\.txt:3 but received 586\.42 199\.76 586\.41 266\.02/],
  ];
  for (const [bad, expected] of cases) assert.throws(() => parseKittiLabel(bad, where), expected);
});

test('damaged folders are refused by name', async () => {
  const cases: [damage: (folder: string) => void, expected: RegExp][] = [
    [(f) => rmSync(join(f, 'training/label_2/000002.txt')), /"training\/label_2\/000002\.txt".*ENOENT/],
    [(f) => rmSync(join(f, 'training/image_2/000002.png')), /image_2\/000002\.png, named in .*train\.txt:3, but/],
    [
      (f) => {
        // Without an image set, all frames are wanted: labels without an image are no frame that may go unsaid.
        rmSync(join(f, 'ImageSets'), { recursive: true });
        rmSync(join(f, 'training/image_2/000002.png'));
        rmSync(join(f, 'training/image_2/000004.png'));
      },
      /image of frame 000002, .*label_2\/000002\.txt labels, at .*training\/image_2\/000002\.png .*none, nor .* 1 more/,
    ],
    [(f) => writeFileSync(join(f, 'ImageSets/train.txt'), '000000\n../x\n'), /train\.txt:2 but received "\.\.\/x"/],
    [(f) => writeFileSync(join(f, 'training/image_2/000001.png'), 'no'), /PNG, JPEG or WebP .*000001\.png/],
    [(f) => writeFileSync(join(f, 'classes.txt'), '3\n'), /Expected one of 3 for the type in .*label_2\/.*txt:\d/],
    [
      (f) => {
        const outside = temporaryFolder();
        renameSync(join(f, 'training/image_2'), join(outside, 'image_2'));
        symlinkSync(join(outside, 'image_2'), join(f, 'training/image_2'));
      },
      /path within .* but received "training\/image_2\/000000\.png"/,
    ],
  ];
  for (const [damage, expected] of cases) {
    const folder = await writeFixture(kittiFormat, made);
    damage(folder);
    assert.match(await refusal(readAll(kittiFormat, folder)), expected);
  }
  const other = temporaryFolder();
  mkdirSync(join(other, 'training/image_2'), { recursive: true });
  assert.not(await kittiFormat.recognises(other));
  assert.not(await kittiFormat.recognises(join(other, 'nowhere')));
  assert.ok(await kittiFormat.recognises(written));
  assert.match(await refusal(kittiFormat.open(other)), /training\/image_2 and training\/label_2 in/);
});

test('an image whose header is whole and whose pixels are not is named by its path when it is decoded', async () => {
  const folder = await writeFixture(kittiFormat, made);
  const path = join(folder, 'training/image_2/000001.png');
  writeFileSync(path, readFileSync(path).subarray(0, 60));
  const { samples } = await readAll(kittiFormat, folder);
  const message = await refusal(pixelsOf(samples[1]));
  assert.ok(message.includes(path), message);
});

const real = join(process.env.METASIM_DATA ?? '../shared/data', 'kitti');
if (!existsSync(join(real, 'training/label_2'))) console.log('# skip real KITTI frames: no data at METASIM_DATA');
else {
  const files = readdirSync(join(real, 'training/label_2')).sort();

  test('real label files: rows parse, and come out again character for character', () => {
    let rows = 0;
    for (const file of files) {
      const lines = text(real, 'training/label_2', file).trimEnd().split('\n');
      for (const [i, line] of lines.entries()) {
        assert.is(formatKittiLabel(parseKittiLabel(line, `${file}:${i + 1}`)), line);
        rows++;
      }
    }
    assert.ok(rows > files.length);
  });

  test('real rows keep what objects of 2D scenes have: type, truncation, occlusion, box; DontCare all', () => {
    for (const file of files) {
      for (const line of text(real, 'training/label_2', file).trimEnd().split('\n')) {
        const canvas = { width: 1242, height: 376 };
        const object = objectOfKitti(parseKittiLabel(line, file), canvas);
        const again = formatKittiLabel(kittiLabelOf(object as SeenObject, canvas));
        const kept = (row: string) =>
          row.startsWith('DontCare') ? row : row.split(' ').filter((_, i) => i < 3 || (i > 3 && i < 8));
        assert.equal(kept(again), kept(line));
      }
    }
  });

  test('real calibration files come out again byte for byte', () => {
    for (const file of files) {
      const source = text(real, 'training/calib', file);
      const entries = source
        .trimEnd()
        .split('\n')
        .map((line) => line.split(': ') as [string, string])
        .map(([name, numbers]) => [name, numbers.split(' ').map(Number)]);
      assert.is(formatKittiCalibration(Object.fromEntries(entries) as KittiCalibration), source);
    }
  });

  test('the real frames are read: sizes, classes in the order of the readme, boxes on the image', async () => {
    const reader = await kittiFormat.open(real);
    assert.equal(reader.info.classes.at(-1), 'DontCare');
    assert.equal(
      reader.info.things.filter((name) => ['Car', 'Van', 'Truck', 'Pedestrian', 'Cyclist'].includes(name)),
      ['Car', 'Van', 'Truck', 'Pedestrian', 'Cyclist'],
    );
    const keys: string[] = [];
    for await (const { labels, image } of reader.samples()) {
      keys.push(labels.key);
      assert.equal([image.codec, labels.channels], ['png', 3]);
      assert.ok(labels.width >= 1224 && labels.width <= 1242 && labels.height >= 370 && labels.height <= 376);
      for (const { box } of labels.objects) {
        const [left, top, width, height] = box!;
        assert.ok(left >= 0 && top >= 0 && left + width <= labels.width && top + height <= labels.height);
      }
    }
    assert.equal(
      keys,
      files.map((file) => file.replace('.txt', '').padStart(9, '0')),
    );
  });
}

test.run();
