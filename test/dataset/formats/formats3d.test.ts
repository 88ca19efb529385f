import { execFileSync } from 'node:child_process';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { decode } from 'fast-png';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { isMeshLabel } from '../../../src/annotate/objectLabel.js';
import { resolveSettings } from '../../../src/batch/settings.js';
import { depthOf } from '../../../src/dataset/depthCode.js';
import type { DatasetFormat } from '../../../src/dataset/format.js';
import { cocoFormat } from '../../../src/dataset/formats/coco.js';
import { imageFolderFormat } from '../../../src/dataset/formats/imageFolder.js';
import { openFormat } from '../../../src/dataset/formats/index.js';
import { kittiFormat } from '../../../src/dataset/formats/kitti.js';
import { parquetFormat } from '../../../src/dataset/formats/parquet.js';
import { ParquetFile } from '../../../src/dataset/formats/parquetFile.js';
import { tfRecordFormat } from '../../../src/dataset/formats/tfRecord.js';
import { webDatasetFormat } from '../../../src/dataset/formats/webDataset.js';
import { normalComponent } from '../../../src/dataset/normalCode.js';
import { type DatasetSample, type SampleObject, thingsOf } from '../../../src/dataset/sample.js';
import { decodeExample } from '../../../src/dataset/tfExample.js';
import { readRecords } from '../../../src/dataset/tfRecordFile.js';
import { ConfigError, DatasetError } from '../../../src/errors.js';
import { boxFixture } from '../../helpers/boxScenes.js';
import { findPython } from '../../helpers/python.js';
import { readAll, writeFixture } from './folders.js';

const fixture = await boxFixture(4);
const { info, samples, casts } = fixture;

/** A sample without what readers leave to whoever needs it. */
const bare = ({ pixels: _, image: { codec, bytes }, ...rest }: DatasetSample) =>
  structuredClone({ ...rest, image: { codec, bytes } });

for (const format of [webDatasetFormat, imageFolderFormat, tfRecordFormat, parquetFormat]) {
  test(`${format.name} gives back every label, camera, depth, normals and masks of a 3D scene`, async () => {
    const read = await readAll(format, await writeFixture(format, fixture));
    assert.equal(read.info, info);
    assert.is(read.samples.length, samples.length);
    for (const [i, sample] of read.samples.entries()) {
      assert.is(JSON.stringify(sample.labels), JSON.stringify(samples[i].labels));
      assert.equal(bare(sample), bare(samples[i]));
    }
  });
}

test('COCO gives back boxes, distances, poses and cameras of things, and what lies beside the images', async () => {
  const folder = await writeFixture(cocoFormat, fixture);
  const read = await readAll(cocoFormat, folder);
  assert.equal([read.info.depth, read.info.normals, read.info.dimension], [true, true, 3]);
  for (const [i, sample] of read.samples.entries()) {
    const { labels } = samples[i];
    assert.equal(sample.labels.camera, labels.camera);
    assert.equal([sample.depth, sample.normals], [samples[i].depth, samples[i].normals]);
    const known = ({ node, box, box3d, distance, pose, amodalBox }: SampleObject) => ({
      node,
      box,
      box3d,
      distance,
      pose,
      amodalBox,
    });
    const things = thingsOf(labels, info).map(known);
    const own = sample.labels.objects.filter((object) => things.some(({ node }) => node === object.node)).map(known);
    assert.ok(things.length > 0);
    assert.equal(own, things);
  }
  const { images, annotations } = JSON.parse(readFileSync(join(folder, 'annotations/instances_train.json'), 'utf8'));
  assert.equal(images[1].metasim, {
    index: 1,
    seed: 1,
    camera: samples[1].labels.camera,
    depth: 'depth/train/000000001.png',
    normals: 'normals/train/000000001.png',
  });
  assert.ok(annotations.every(({ metasim }: { metasim: object }) => 'box3d' in metasim && 'pose' in metasim));
});

test('KITTI gives back the boxes of its rows, the camera and what lies beside the images', async () => {
  const folder = await writeFixture(kittiFormat, fixture);
  const read = await readAll(kittiFormat, folder);
  assert.equal([read.info.depth, read.info.normals], [true, true]);
  let boxes = 0;
  for (const [i, { labels, depth, normals }] of read.samples.entries()) {
    assert.equal([depth, normals], [samples[i].depth, samples[i].normals]);
    assert.ok(Math.abs(labels.camera!.fx - 180) < 1e-9 && Math.abs(labels.camera!.cx - 80) < 1e-9);
    for (const { box3d, class: name } of labels.objects) {
      if (name === 'DontCare') continue;
      const own = samples[i].labels.objects.find(
        (object) => object.box3d && isNear(object.box3d.location, box3d!.location),
      );
      // Two decimals of a metre and a radian.
      assert.ok(
        own && Math.abs(own.box3d!.rotationY - box3d!.rotationY) <= 0.00501,
        `${labels.key}: ${box3d?.location}`,
      );
      boxes++;
    }
  }
  assert.ok(boxes >= 4, `${boxes}`);
});

test('without info.json the first sample tells what there is', async () => {
  for (const format of [webDatasetFormat, imageFolderFormat, tfRecordFormat]) {
    const folder = await writeFixture(format, fixture);
    rmSync(join(folder, 'info.json'));
    const { info: found } = await format.open(folder);
    assert.equal([found.depth, found.normals, found.masks, found.scenes], [true, true, true, true], format.name);
  }
});

test('depth and normals are as rays find them, read without our reader', async () => {
  const folder = await writeFixture(imageFolderFormat, fixture);
  for (const [i, { depth, normals }] of casts.entries()) {
    const key = samples[i].labels.key;
    const deep = pixelsOf(join(folder, `depth/${key}.png`));
    const faces = pixelsOf(join(folder, `normals/${key}.png`));
    assert.equal([deep.length, faces.length], [depth.length, normals.length]);
    const wrong: string[] = [];
    let seen = 0;
    for (let p = 0; p < depth.length; p++) {
      // What is farther than 16 bits reach, as the sky, has no value; else half a step of 1 ∕ 256 m is lost.
      const isThere = depth[p] > 0 && depth[p] <= 65535 / 256;
      if (isThere) seen++;
      const fits = isThere
        ? Math.abs(deep[p] / 256 - depth[p]) <= 1 / 512 && depthOf(deep[p]) === deep[p] / 256
        : deep[p] === 0;
      if (!fits) wrong.push(`depth ${deep[p]} for ${depth[p]} m at ${p}`);
      for (let c = 3 * p; c < 3 * p + 3; c++) {
        const agrees =
          depth[p] === 0 ? faces[c] === 0 : Math.abs(normalComponent(faces[c]) - normals[c]) <= 1 / 255 + 1e-6;
        if (!agrees) wrong.push(`normal ${faces[c]} for ${normals[c]} at ${p}`);
      }
    }
    assert.equal(wrong, []);
    assert.ok(seen > depth.length / 4);
    // The lawn, node 1, faces up: against y, but for the camera's few degrees of pitch and roll.
    const lawn = 3 * samples[i].instances!.indexOf(2);
    assert.ok(faces[lawn + 1] < 3 && Math.abs(faces[lawn] - 127.5) < 4, `${faces.slice(lawn, lawn + 3)}`);
  }
});

test('TFRecord has a 3D box for every 2D box, as plain numbers', async () => {
  const folder = await writeFixture(tfRecordFormat, fixture, 1);
  let i = 0;
  for await (const { data } of readRecords(join(folder, 'train-00000-of-00001.tfrecord'), 'the file')) {
    const features = decodeExample(data, 'the record');
    const values = (name: string) => [...(features.get(name)?.values ?? [])] as number[];
    const { labels } = samples[i++];
    const boxes = thingsOf(labels, info).map(({ box3d }) => box3d!);
    const column = (name: string) => values(`image/object/bbox3d/${name}`);
    near(
      column('x'),
      boxes.map(({ location }) => location[0]),
    );
    near(
      column('y'),
      boxes.map(({ location }) => location[1]),
    );
    near(
      column('z'),
      boxes.map(({ location }) => location[2]),
    );
    near(
      column('height'),
      boxes.map(({ dimensions }) => dimensions.height),
    );
    near(
      column('width'),
      boxes.map(({ dimensions }) => dimensions.width),
    );
    near(
      column('length'),
      boxes.map(({ dimensions }) => dimensions.length),
    );
    near(
      column('rotation_y'),
      boxes.map(({ rotationY }) => rotationY),
    );
    near(
      column('alpha'),
      boxes.map(({ alpha }) => alpha),
    );
    assert.is(column('x').length, values('image/object/bbox/xmin').length);
    near(values('image/camera/intrinsics'), [180, 180, 80, 40]);
    const { position, heading, pitch, roll } = labels.camera!.pose;
    near(values('image/camera/pose'), [...position, heading, pitch, roll]);
  }
  assert.is(i, samples.length);
});

test('Parquet has lists of 3D boxes beside those of 2D boxes, and the camera', async () => {
  const folder = await writeFixture(parquetFormat, fixture, 1);
  const file = await ParquetFile.open(join(folder, 'data/train-00000-of-00001.parquet'), 'the file');
  const rows: Record<string, unknown>[] = [];
  for await (const group of file.groups(['objects', 'camera'])) rows.push(...group);
  await file.close();
  assert.is(rows.length, samples.length);
  for (const [i, row] of rows.entries()) {
    const { labels } = samples[i];
    const boxes = thingsOf(labels, info).map(({ box3d }) => box3d!);
    const objects = row.objects as Record<string, ArrayLike<number>[]>;
    near(
      objects.location.flatMap((each) => Array.from(each)),
      boxes.flatMap(({ location }) => location),
    );
    near(
      objects.dimensions.flatMap((each) => Array.from(each)),
      boxes.flatMap(({ dimensions: { height, width, length } }) => [height, width, length]),
    );
    near(
      Array.from(objects.rotation_y as unknown as number[]),
      boxes.map(({ rotationY }) => rotationY),
    );
    near(
      Array.from(objects.alpha as unknown as number[]),
      boxes.map(({ alpha }) => alpha),
    );
    const { pose, ...numbers } = labels.camera!;
    const [x, y, z] = pose.position;
    const { heading, pitch, roll } = pose;
    assert.equal(row.camera, { ...numbers, x, y, z, heading, pitch, roll });
  }
});

test('what lies on the ground is no thing, whatever its class', () => {
  for (const { labels } of samples) {
    const [lawn, ...others] = labels.objects;
    assert.equal([lawn.class, lawn.box3d, lawn.visible], ['object', null, true]);
    assert.equal(
      thingsOf(labels, info),
      others.filter(({ box }) => box !== null),
    );
    assert.ok(labels.objects.every(isMeshLabel));
  }
});

test('a sample that lacks a promised layer, and a layer of the wrong kind, are refused by name', async () => {
  const { depth: _, ...without } = samples[0];
  const lacking = { info, samples: [without] };
  const isNamed = (word: string) => (error: unknown) => error instanceof DatasetError && error.message.includes(word);
  for (const format of [webDatasetFormat, imageFolderFormat, tfRecordFormat, parquetFormat, cocoFormat, kittiFormat]) {
    await rejects(() => writeFixture(format, lacking, 1), isNamed('Expected depth of sample 000000000'));
  }
  const folder = await writeFixture(imageFolderFormat, { info: { ...info, depth: true }, samples: [samples[0]] }, 1);
  const grey = readFileSync(join(folder, 'masks/classes/000000000.png'));
  writeFileSync(join(folder, 'depth/000000000.png'), grey);
  await rejects(() => readAll(imageFolderFormat, folder), isNamed('16 bits'));
});

test('formats without a place for depth or normals refuse them by name; 2D formats keep their 2D boxes', async () => {
  for (const name of ['yolo', 'voc', 'idx'] as const) {
    for (const layer of ['depth', 'normals']) {
      await rejects(
        () => resolveSettings({ format: name, count: 1, [layer]: true }),
        (error) => error instanceof ConfigError && error.message.includes(layer) && error.message.includes(name),
      );
    }
  }
  const yolo: DatasetFormat = await openFormat('yolo');
  const flat = { info: { ...info, depth: undefined, normals: undefined }, samples };
  const read = await readAll(yolo, await writeFixture(yolo, flat));
  for (const [i, { labels }] of read.samples.entries()) {
    assert.is(labels.objects.length, thingsOf(samples[i].labels, info).length);
    assert.ok(labels.objects.every(({ box3d }) => box3d === undefined));
  }
});

function isNear(a: readonly number[], b: readonly number[]): boolean {
  return a.every((value, i) => Math.abs(value - b[i]) <= 0.00501);
}

function near(received: readonly number[], expected: readonly number[]): void {
  assert.is(received.length, expected.length);
  for (const [i, value] of expected.entries()) {
    assert.ok(
      Math.abs(received[i] - value) <= 1e-6 * Math.max(1, Math.abs(value)) + 1e-6,
      `${received[i]} for ${value}`,
    );
  }
}

async function rejects(call: () => Promise<unknown>, fits: (error: unknown) => boolean): Promise<void> {
  const error = await call().then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  assert.ok(fits(error), String(error));
}

/** Values of a PNG by Python's own decoders where they are there, else by fast-png. */
function pixelsOf(path: string): number[] {
  const python = findPython('numpy, PIL.Image');
  if (!python) return Array.from(decode(readFileSync(path)).data);
  const code =
    'import sys, numpy; from PIL import Image; a = numpy.array(Image.open(sys.argv[1])).astype("<u2"); sys.stdout.buffer.write(a.tobytes())';
  const bytes = execFileSync(python, ['-c', code, path], { maxBuffer: 1 << 26 });
  return Array.from(new Uint16Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length)));
}

test.run();
