import { copyFileSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { readIdx } from '../../../src/assets/idx.js';
import { readMnist } from '../../../src/assets/mnist.js';
import { idxFormat } from '../../../src/dataset/formats/idx.js';
import { decodeImage } from '../../../src/dataset/imageCodec.js';
import { encodePng } from '../../../src/dataset/png.js';
import type { DatasetInfo, DatasetSample, SampleObject } from '../../../src/dataset/sample.js';
import { DatasetError } from '../../../src/errors.js';
import { folderContent } from '../../helpers/folderContent.js';
import { type Fixture, fixture, readAll, temporaryFolder, writeFixture } from './harness.js';

const info: DatasetInfo = {
  name: 'tiny',
  classes: ['background', 'no', 'yes'],
  things: ['no', 'yes'],
  split: 'val',
  codec: 'png',
  masks: false,
  scenes: false,
};

/** A sample of 2 × 1 px (width × height) from its bytes; without them only the encoded image is there. */
function sample(i: number, bytes: number[], objects: SampleObject[], decoded = true): DatasetSample {
  const channels = bytes.length === 6 ? 3 : 1;
  const pixels = Uint8Array.from(bytes);
  return {
    labels: { key: `k${i}`, index: 10 + i, width: 2, height: 1, channels, objects },
    image: { codec: 'png', bytes: encodePng({ width: 2, height: 1, channels, pixels }) },
    ...(decoded ? { pixels } : {}),
  };
}

const background: SampleObject = { class: 'background', box: [0, 0, 2, 1] };
const yes: SampleObject = { class: 'yes', box: [0, 0, 1, 1] };
const no: SampleObject = { class: 'no', box: [1, 0, 1, 1] };
const hidden: SampleObject = { class: 'no', box: null };

const tiny: Fixture = {
  info,
  samples: [
    sample(0, [1, 2], [background, yes]),
    sample(1, [3, 4], [background, no], false),
    sample(2, [5, 255], [background, hidden, yes]),
  ],
};

/** Real pictures that show one thing each: the first that is seen in each sample of the common fixture. */
const made = await fixture({ count: 7, channels: 3, masks: false, scenes: false });
const single: Fixture = {
  info: made.info,
  samples: made.samples
    .map((each) => {
      const thing = each.labels.objects.find(({ class: name, box }) => box && made.info.things.includes(name));
      return thing && { ...each, labels: { ...each.labels, objects: [thing] } };
    })
    .filter((each) => each !== undefined),
};

async function refusal(work: Promise<unknown>): Promise<string> {
  const error = await work.catch((reason: Error) => reason);
  assert.instance(error, DatasetError);
  return (error as Error).message;
}

function bytesOf(folder: string, name: string): number[] {
  return [...readFileSync(join(folder, name))];
}

test('the bytes are header and data, worked by hand; background and what is hidden are no label', async () => {
  const folder = await writeFixture(idxFormat, tiny);
  assert.equal(Object.keys(folderContent(folder)), ['classes.txt', 'val-images-idx3-ubyte', 'val-labels-idx1-ubyte']);
  // Two zeros, type 8, three dimensions: three images of one row and two columns.
  const header = [0, 0, 8, 3, 0, 0, 0, 3, 0, 0, 0, 1, 0, 0, 0, 2];
  assert.equal(bytesOf(folder, 'val-images-idx3-ubyte'), [...header, 1, 2, 3, 4, 5, 255]);
  assert.equal(bytesOf(folder, 'val-labels-idx1-ubyte'), [0, 0, 8, 1, 0, 0, 0, 3, 1, 0, 1]);
  assert.is(readFileSync(join(folder, 'classes.txt'), 'utf8'), 'no\nyes\n');
});

test('colour pictures have a fourth dimension, and the reader of MNIST takes the files', async () => {
  assert.ok(single.samples.length >= 5);
  const folder = await writeFixture(idxFormat, single);
  const images = readIdx(join(folder, 'train-images-idx4-ubyte'));
  const labels = readIdx(join(folder, 'train-labels-idx1-ubyte'));
  assert.equal(images.shape, [single.samples.length, 32, 48, 3]);
  assert.equal(Buffer.from(images.data), Buffer.concat(single.samples.map(({ pixels }) => pixels!)));
  assert.equal(
    [...labels.data].map((label) => single.info.things[label]),
    single.samples.map((each) => each.labels.objects[0].class),
  );
});

test('one shard and three give the same files', async () => {
  const three = folderContent(await writeFixture(idxFormat, single, 3));
  assert.equal(three, folderContent(await writeFixture(idxFormat, single, 1)));
  assert.is(Object.keys(three).length, 3);
});

test('images come back as PNG and pixels, labels as objects that cover the image', async () => {
  const { info: read, samples } = await readAll(idxFormat, await writeFixture(idxFormat, single));
  assert.equal([read.classes, read.things, read.split], [single.info.things, single.info.things, 'train']);
  assert.equal([read.width, read.height, read.channels], [48, 32, 3]);
  assert.is(samples.length, single.samples.length);
  for (const [index, { labels, image, pixels }] of samples.entries()) {
    const { pixels: original, labels: written } = single.samples[index];
    const objects = [{ class: written.objects[0].class, box: [0, 0, 48, 32] }];
    const key = String(index).padStart(9, '0');
    assert.equal(labels, { key, index, width: 48, height: 32, channels: 3, objects });
    assert.equal(pixels, original);
    assert.equal((await decodeImage(image, key)).pixels, original);
  }
});

test('gzipped files, the dotted names and files without class names are read', async () => {
  const folder = await writeFixture(idxFormat, tiny);
  const packed = temporaryFolder();
  const pack = (from: string, to: string) =>
    writeFileSync(join(packed, to), gzipSync(readFileSync(join(folder, from))));
  pack('val-images-idx3-ubyte', 'val-images.idx3-ubyte.gz');
  pack('val-labels-idx1-ubyte', 'val-labels-idx1-ubyte');
  assert.ok(await idxFormat.recognises(packed));
  const { info: read, samples } = await readAll(idxFormat, packed);
  assert.equal(read.classes, ['0', '1']);
  assert.equal(
    samples.map(({ labels, pixels }) => [labels.objects[0].class, [...pixels!]]),
    [
      ['1', [1, 2]],
      ['0', [3, 4]],
      ['1', [5, 255]],
    ],
  );
});

test('with several splits the images of one have to be opened', async () => {
  const folder = await writeFixture(idxFormat, tiny);
  for (const kind of ['images-idx3', 'labels-idx1']) {
    copyFileSync(join(folder, `val-${kind}-ubyte`), join(folder, `t10k-${kind}-ubyte`));
  }
  assert.match(
    await refusal(idxFormat.open(folder)),
    /one split in .* but received t10k-images-idx3-ubyte, val-images/,
  );
  const reader = await idxFormat.open(join(folder, 'val-images-idx3-ubyte'));
  assert.equal([reader.info.split, reader.count], ['val', 3]);
});

test('images with no thing or with two, more than 256 classes and other sizes are refused with advice', async () => {
  const write = (samples: DatasetSample[], shards: number, other = info) =>
    writeFixture(idxFormat, { info: other, samples }, shards);
  const good = sample(0, [1, 2], [yes]);
  assert.match(
    await refusal(write([good, sample(7, [1, 2], [background, hidden])], 1)),
    /exactly one object to be seen in sample k7 \(scene 17\).* but received none; use a grammar that draws one object, or/,
  );
  assert.match(await refusal(write([sample(8, [1, 2], [no, yes])], 1)), /sample k8 .* but received no, yes;/);
  const things = Array.from({ length: 257 }, (_, i) => `c${i}`);
  assert.match(await refusal(write([good], 1, { ...info, classes: things, things })), /at most 256 classes .* 257/);
  assert.match(await refusal(write([good], 1, { ...info, things: ['a\nb'] })), /without line ends .* "a\\nb"/);
  const wide = { ...good, pixels: new Uint8Array(3), labels: { ...good.labels, key: 'k9', width: 3 } };
  assert.match(await refusal(write([good, wide], 1)), /Expected 1x2x1 .* for sample k9 but received 1x3x1/);
  // Each shard has one size: only the whole shows that they differ.
  assert.match(await refusal(write([good, wide], 2)), /images of one size .* received 1x2x1 and 1x3x1/);
});

test('damaged files are refused by name', async () => {
  const whole = await writeFixture(idxFormat, tiny);
  const [images, labels] = ['val-images-idx3-ubyte', 'val-labels-idx1-ubyte'];
  const cases: [name: string, change: (bytes: Buffer) => Buffer | string, expected: RegExp][] = [
    [
      images,
      (bytes) => bytes.subarray(0, 20),
      /Expected 2 bytes from byte 20 of .*val-images-idx3-ubyte on but received 0/,
    ],
    [images, (bytes) => Buffer.concat([bytes, Buffer.of(1)]), /end of .*val-images-idx3-ubyte after 22 bytes/],
    [images, () => Buffer.of(0, 0, 13, 3), /IDX header 0 0 8 3 .* but received 0 0 13 3/],
    [images, () => '', /Expected 4 bytes from byte 0/],
    [images, (bytes) => bytes.fill(0xff, 8, 16), /pixels an image .* 4294967295 × 4294967295/],
    [images, (bytes) => gzipSync(bytes).subarray(0, 20), /readable file at .*val-images.*unexpected end of file/],
    [labels, (bytes) => bytes.fill(2, 7, 8), /as many labels as images \(3 in .*val-labels.* received 2/],
    [labels, (bytes) => bytes.subarray(0, 10), /Expected 3 bytes from byte 8 of .*val-labels/],
    [labels, (bytes) => bytes.fill(2, 9, 10), /label below 2 for image 1 in .*val-labels.* received 2/],
    ['classes.txt', () => 'a\na\n', /classes\.txt:2 but received "a"/],
  ];
  for (const [name, change, expected] of cases) {
    const folder = temporaryFolder();
    for (const each of [images, labels, 'classes.txt']) copyFileSync(join(whole, each), join(folder, each));
    writeFileSync(join(folder, name), change(readFileSync(join(folder, name))));
    assert.match(await refusal(readAll(idxFormat, folder)), expected);
  }
  assert.not(await idxFormat.recognises(join(whole, 'nowhere')));
  const empty = temporaryFolder();
  mkdirSync(join(empty, 'more'));
  assert.match(await refusal(idxFormat.open(empty)), /images-idx3-ubyte and its labels .* received none/);
  rmSync(join(whole, labels));
  assert.not(await idxFormat.recognises(whole));
});

const mnist = join(process.env.METASIM_DATA ?? '../shared/data', 'mnist');
if (!existsSync(join(mnist, 't10k-images-idx3-ubyte.gz'))) console.log('# skip MNIST: no data at METASIM_DATA');
else {
  test('MNIST: the stream gives the pixels and labels that the reader in memory gives', async () => {
    const expected = readMnist(mnist, 'test');
    const reader = await idxFormat.open(join(mnist, 't10k-images-idx3-ubyte.gz'));
    assert.equal(reader.info.things, ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9']);
    let count = 0;
    for await (const { labels, pixels } of reader.samples()) {
      const at = 784 * count;
      assert.is(Buffer.compare(pixels!, expected.images.subarray(at, at + 784)), 0);
      assert.is(labels.objects[0].class, String(expected.labels[count++]));
    }
    assert.equal([count, reader.count], [10_000, 10_000]);
  });
}

test.run();
