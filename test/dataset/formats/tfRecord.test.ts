import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  closeSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { StagedStream } from '../../../src/dataset/format.js';
import { tfRecordFormat } from '../../../src/dataset/formats/tfRecord.js';
import { encodePng } from '../../../src/dataset/png.js';
import { bytesFeature, encodeExample, type Feature, floatFeature, intFeature } from '../../../src/dataset/tfExample.js';
import { readRecords, writeRecord } from '../../../src/dataset/tfRecordFile.js';
import { DatasetError } from '../../../src/errors.js';
import { folderContent } from '../../helpers/folderContent.js';
import { findPython } from '../../helpers/python.js';
import { fixture, readAll, temporaryFolder, writeFixture } from './harness.js';

const made = await fixture({ count: 7, channels: 3 });
const folder = await writeFixture(tfRecordFormat, made, 3);
const THINGS = ['3', '7', '8'];

/** A bit at a time, then masked. */
function slowMaskedCrc(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0x82f63b78 : crc >>> 1;
  }
  crc = ~crc >>> 0;
  return Number(((BigInt(crc) >> 15n) + ((BigInt(crc) << 17n) & 0xffffffffn) + 0xa282ead8n) & 0xffffffffn);
}

/** A file of records, in a folder of its own. */
function fileOf(name: string, records: readonly Uint8Array[]): string {
  const root = temporaryFolder();
  const pieces: Uint8Array[] = [];
  const stream: StagedStream = { length: 0, write: (bytes) => void pieces.push(Buffer.from(bytes as Uint8Array)) };
  for (const record of records) writeRecord(stream, record);
  writeFileSync(join(root, name), Buffer.concat(pieces));
  return root;
}

async function recordsOf(path: string): Promise<number> {
  let count = 0;
  for await (const _ of readRecords(path, path)) count++;
  return count;
}

async function refusal(work: Promise<unknown>): Promise<string> {
  const error = await work.catch((reason: Error) => reason);
  assert.instance(error, DatasetError);
  return (error as Error).message;
}

test('files are named as TensorFlow names shards, and the folder is recognised', async () => {
  assert.equal(
    readdirSync(folder).filter((name) => !name.startsWith('.')),
    [
      'info.json',
      'label_map.pbtxt',
      'train-00000-of-00003.tfrecord',
      'train-00001-of-00003.tfrecord',
      'train-00002-of-00003.tfrecord',
    ],
  );
  assert.is(
    readFileSync(join(folder, 'label_map.pbtxt'), 'utf8'),
    THINGS.map((name, i) => `item {\n  id: ${i + 1}\n  name: "${name}"\n}\n`).join(''),
  );
  assert.ok(await tfRecordFormat.recognises(folder));
  assert.not(await tfRecordFormat.recognises(temporaryFolder()));
});

for (const shards of [1, 3]) {
  test(`${shards} shards: records, images, masks and scene graphs come back as they were`, async () => {
    const { info, samples } = await readAll(
      tfRecordFormat,
      shards === 3 ? folder : await writeFixture(tfRecordFormat, made, 1),
    );
    assert.equal(info, made.info);
    assert.is(samples.length, 7);
    for (const [i, sample] of samples.entries()) {
      const written = made.samples[i];
      assert.equal(sample.labels, JSON.parse(JSON.stringify(written.labels)));
      assert.is(JSON.stringify(sample.labels), JSON.stringify(written.labels));
      assert.is(sample.image.codec, 'png');
      assert.equal([...sample.image.bytes], [...written.image.bytes]);
      assert.equal(sample.instances, written.instances);
      assert.equal(sample.classes, written.classes);
      assert.equal([...sample.scene!], [...written.scene!]);
    }
  });
}

test('records are the same bytes, however they are cut in shards; writing again gives the same files', async () => {
  const whole = await writeFixture(tfRecordFormat, made, 1);
  const shards = [0, 1, 2].map((i) => readFileSync(join(folder, `train-0000${i}-of-00003.tfrecord`)));
  assert.equal(Buffer.concat(shards), readFileSync(join(whole, 'train-00000-of-00001.tfrecord')));
  assert.equal(folderContent(await writeFixture(tfRecordFormat, made, 3)), folderContent(folder));
});

test('without masks and scene graphs nothing of them is written; JPEG and WebP keep their codec', async () => {
  for (const codec of ['jpeg', 'webp'] as const) {
    const plain = await fixture({ count: 2, channels: 3, codec, masks: false, scenes: false });
    const { samples } = await readAll(tfRecordFormat, await writeFixture(tfRecordFormat, plain, 1));
    for (const [i, sample] of samples.entries()) {
      assert.equal(Object.keys(sample).sort(), ['image', 'labels']);
      assert.is(sample.image.codec, codec);
      assert.equal([...sample.image.bytes], [...plain.samples[i].image.bytes]);
    }
  }
});

test('both checks of every record agree with a CRC-32C computed bit by bit', () => {
  let records = 0;
  for (const name of readdirSync(folder).filter((each) => each.endsWith('.tfrecord'))) {
    const file = readFileSync(join(folder, name));
    for (let at = 0; at < file.length; records++) {
      const length = Number(file.readBigUInt64LE(at));
      assert.is(file.readUInt32LE(at + 8), slowMaskedCrc(file.subarray(at, at + 8)));
      assert.is(file.readUInt32LE(at + 12 + length), slowMaskedCrc(file.subarray(at + 12, at + 12 + length)));
      at += 16 + length;
    }
  }
  assert.is(records, 7);
});

test("both checks of every record agree with Python's crcmod", () => {
  const python = findPython('crcmod.predefined');
  if (!python) {
    console.log("# skip both checks agree with Python's crcmod: no Python with crcmod");
    return;
  }
  const script = `
import sys, struct, crcmod.predefined
crc = crcmod.predefined.mkCrcFun('crc-32c')
mask = lambda c: (((c >> 15) | (c << 17)) + 0xa282ead8) & 0xffffffff
good = 0
data = open(sys.argv[1], 'rb').read()
at = 0
while at < len(data):
    length, check = struct.unpack_from('<QI', data, at)
    tail, = struct.unpack_from('<I', data, at + 12 + length)
    good += check == mask(crc(data[at:at+8])) and tail == mask(crc(data[at+12:at+12+length]))
    at += 16 + length
print(good)`;
  const counts = [0, 1, 2].map((i) =>
    execFileSync(python, ['-c', script, join(folder, `train-0000${i}-of-00003.tfrecord`)], { encoding: 'utf8' }).trim(),
  );
  assert.equal(counts, ['3', '3', '1']);
});

test('TensorFlow reads images, classes, boxes and masks', () => {
  const python = findPython('tensorflow');
  if (!python) {
    console.log('# skip TensorFlow reads images, classes, boxes and masks: no Python with tensorflow');
    return;
  }
  const script = `
import sys, json, hashlib, tensorflow as tf
sha = lambda t: hashlib.sha256(t.numpy().tobytes()).hexdigest()
spec = {k: tf.io.FixedLenFeature([], tf.string) for k in ('image/encoded', 'image/format', 'image/filename', 'image/source_id', 'metasim/labels', 'image/segmentation/instances', 'image/segmentation/classes')}
spec.update({k: tf.io.FixedLenFeature([], tf.int64) for k in ('image/height', 'image/width', 'image/channels')})
spec.update({'image/object/bbox/' + k: tf.io.VarLenFeature(tf.float32) for k in ('xmin', 'ymin', 'xmax', 'ymax')})
spec['image/object/class/text'] = tf.io.VarLenFeature(tf.string)
spec['image/object/class/label'] = tf.io.VarLenFeature(tf.int64)
spec['image/object/is_crowd'] = tf.io.VarLenFeature(tf.int64)
spec['image/object/area'] = tf.io.VarLenFeature(tf.float32)
for raw in tf.data.TFRecordDataset(sorted(sys.argv[1:])):
    e = tf.io.parse_single_example(raw, spec)
    dense = lambda k: tf.sparse.to_dense(e[k]).numpy().tolist()
    print(json.dumps({
        'pixels': sha(tf.io.decode_png(e['image/encoded'])),
        'instances': sha(tf.io.decode_png(e['image/segmentation/instances'], dtype=tf.uint16)),
        'classes': sha(tf.io.decode_png(e['image/segmentation/classes'])),
        'text': [e[k].numpy().decode() for k in ('image/format', 'image/filename', 'image/source_id', 'metasim/labels')],
        'size': [int(e[k]) for k in ('image/height', 'image/width', 'image/channels')],
        'sides': [dense('image/object/bbox/' + k) for k in ('xmin', 'ymin', 'xmax', 'ymax')],
        'class': [t.decode() for t in dense('image/object/class/text')],
        'label': dense('image/object/class/label'),
        'crowd': dense('image/object/is_crowd'),
        'area': dense('image/object/area'),
    }))`;
  const files = [0, 1, 2].map((i) => join(folder, `train-0000${i}-of-00003.tfrecord`));
  const output = execFileSync(python, ['-c', script, ...files], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
    env: { ...process.env, TF_CPP_MIN_LOG_LEVEL: '3', CUDA_VISIBLE_DEVICES: '' },
  });
  const sha = (array: Uint8Array | Uint16Array) =>
    createHash('sha256')
      .update(new Uint8Array(array.buffer, array.byteOffset, array.byteLength))
      .digest('hex');
  const read = output
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  assert.is(read.length, 7);
  for (const [i, { labels, pixels, instances, classes }] of made.samples.entries()) {
    const objects = labels.objects.filter((object) => object.class !== 'background' && object.box);
    const [width, height] = [48, 32];
    assert.equal(read[i], {
      pixels: sha(pixels!),
      instances: sha(instances!),
      classes: sha(classes!),
      text: ['png', `${labels.key}.png`, labels.key, JSON.stringify(labels)],
      size: [height, width, 3],
      sides: [
        objects.map(({ box }) => Math.fround(box![0] / width)),
        objects.map(({ box }) => Math.fround(box![1] / height)),
        objects.map(({ box }) => Math.fround((box![0] + box![2]) / width)),
        objects.map(({ box }) => Math.fround((box![1] + box![3]) / height)),
      ],
      class: objects.map((object) => object.class),
      label: objects.map((object) => THINGS.indexOf(object.class) + 1),
      crowd: objects.map(() => 0),
      area: objects.map(({ pixels: area }) => area),
    });
  }
});

test('Examples of others: keys that are missing, the class by text, by label map or as a number', async () => {
  const image = bytesFeature(encodePng({ width: 10, height: 4, channels: 1, pixels: new Uint8Array(40) }));
  const boxes = {
    'image/object/bbox/xmin': floatFeature(0.1, 0),
    'image/object/bbox/ymin': floatFeature(0.25, 0),
    'image/object/bbox/xmax': floatFeature(0.7, 1),
    'image/object/bbox/ymax': floatFeature(0.75, 1),
  };
  const examples: Record<string, Feature>[] = [
    { 'image/encoded': image, 'image/filename': bytesFeature('some/where/cat 1.png'), 'other/key': intFeature(3) },
    {
      'image/encoded': image,
      'image/filename': bytesFeature('../dog_2.jpg'),
      ...boxes,
      'image/object/class/label': intFeature(2, 9),
    },
    {
      'image/encoded': image,
      'image/source_id': bytesFeature('77'),
      ...boxes,
      'image/object/class/text': bytesFeature('cat', 'emu'),
    },
  ];
  const root = fileOf('pets_val.record-00000-of-00001', examples.map(encodeExample));
  writeFileSync(
    join(root, 'pets_label_map.pbtxt'),
    `item {\n  id: 1\n  name: 'cat'\n}\n\nitem { name: "/m/0bt9lr", id: 2, display_name: "dog \\"x\\"" }`,
  );
  const { info, samples } = await readAll(tfRecordFormat, root);
  assert.equal(
    { ...info, name: '' },
    {
      name: '',
      classes: ['cat', 'dog "x"', '9', 'emu'],
      things: ['cat', 'dog "x"', '9', 'emu'],
      split: 'val',
      codec: 'png',
      masks: false,
      scenes: false,
    },
  );
  const shared = { width: 10, height: 4, channels: 1 };
  // 0.1 · 10 = 1, (0.7 − 0.1) · 10 = 6; 0.25 · 4 = 1, (0.75 − 0.25) · 4 = 2
  const [first, second] = [
    [1, 1, 6, 2],
    [0, 0, 10, 4],
  ];
  assert.equal(
    samples.map(({ labels }) => labels),
    [
      { key: '000000000', index: 0, ...shared, objects: [] },
      {
        key: 'dog_2',
        index: 1,
        ...shared,
        objects: [
          { class: 'dog "x"', box: first },
          { class: '9', box: second },
        ],
      },
      {
        key: '77',
        index: 2,
        ...shared,
        objects: [
          { class: 'cat', box: first },
          { class: 'emu', box: second },
        ],
      },
    ],
  );
});

test('Examples that do not go together are refused with file and byte', async () => {
  const image = bytesFeature(encodePng({ width: 10, height: 4, channels: 1, pixels: new Uint8Array(40) }));
  const bad: [Record<string, Feature>, RegExp][] = [
    [{}, /image\/encoded/],
    [{ 'image/encoded': bytesFeature('no image') }, /PNG, JPEG or WebP/],
    [{ 'image/encoded': image, 'image/object/bbox/xmin': floatFeature(0) }, /as many ymin/],
    [{ 'image/encoded': image, 'metasim/labels': bytesFeature('{"key":"a"}') }, /label record/],
    [{ 'image/encoded': image, 'metasim/labels': bytesFeature('{'.repeat(20_000)) }, /JSON/],
  ];
  for (const [features, message] of bad) {
    const said = await refusal(readAll(tfRecordFormat, fileOf('a.tfrecord', [encodeExample(features)])));
    assert.match(said, message);
    assert.match(said, /byte 0 of .*a\.tfrecord/);
  }
  assert.match(
    await refusal(readAll(tfRecordFormat, fileOf('a.tfrecord', [Buffer.from('not an example')]))),
    /byte 0 of .*a\.tfrecord/,
  );
});

test('every changed byte of a file is noticed, and where', async () => {
  const small = fileOf('a.tfrecord', [Buffer.alloc(0), Buffer.from('first record'), Buffer.alloc(300, 7)]);
  const path = join(small, 'a.tfrecord');
  const good = readFileSync(path);
  const starts = [0, 16, 16 + 28];
  assert.is(await recordsOf(path), 3);
  const descriptor = openSync(path, 'r+');
  for (let at = 0; at < good.length; at++) {
    for (const flip of [0x01, 0x80, 0xff]) {
      writeSync(descriptor, Buffer.of(good[at] ^ flip), 0, 1, at);
      const message = await refusal(recordsOf(path));
      assert.match(message, 'a.tfrecord');
      assert.match(message, `at byte ${starts.findLast((start) => start <= at)} `);
    }
    writeSync(descriptor, good, at, 1, at);
  }
  closeSync(descriptor);
  assert.is(await recordsOf(path), 3);
});

test('a file that ends early is noticed at every length, between records by the count', async () => {
  const root = await writeFixture(tfRecordFormat, await fixture({ count: 2, masks: false, scenes: false }), 1);
  const path = join(root, 'train-00000-of-00001.tfrecord');
  const good = readFileSync(path);
  const boundary = 16 + Number(good.readBigUInt64LE(0));
  for (let length = good.length - 1; length >= 0; length -= length > boundary + 20 || length < boundary - 20 ? 13 : 1) {
    truncateSync(path, length);
    const message = await refusal(readAll(tfRecordFormat, root));
    assert.match(message, length === boundary ? 'Expected 2 records' : 'to the end of the file');
  }
});

test('a length that is right by its check but beyond all bounds allocates nothing', async () => {
  for (const length of [2n ** 62n, 2n ** 40n, 2n ** 31n, 1000n]) {
    const root = temporaryFolder();
    const head = Buffer.alloc(40);
    head.writeBigUInt64LE(length, 0);
    head.writeUInt32LE(slowMaskedCrc(head.subarray(0, 8)), 8);
    writeFileSync(join(root, 'a.tfrecord'), head);
    assert.match(await refusal(readAll(tfRecordFormat, root)), /at byte 0 of .*a\.tfrecord/);
  }
});

test('gzip, no files, missing shards, several splits and links out of the folder are named', async () => {
  const root = temporaryFolder();
  assert.match(await refusal(tfRecordFormat.open(root)), /\*\.tfrecord/);
  assert.match(await refusal(tfRecordFormat.open(join(root, 'nowhere'))), /nowhere/);
  writeFileSync(join(root, 'a.tfrecord'), Buffer.concat([Buffer.of(0x1f, 0x8b, 8), Buffer.alloc(40)]));
  assert.match(await refusal(tfRecordFormat.open(root)), /gzip/);

  const cut = await writeFixture(tfRecordFormat, made, 3);
  rmSync(join(cut, 'train-00001-of-00003.tfrecord'));
  assert.match(await refusal(tfRecordFormat.open(cut)), /number 1 is missing/);
  renameSync(join(cut, 'train-00002-of-00003.tfrecord'), join(cut, 'test-00001-of-00003.tfrecord'));
  assert.match(await refusal(tfRecordFormat.open(cut)), /one split/);
});

test('a dataset of no images, and shards without any, can be written and read', async () => {
  const empty = await writeFixture(tfRecordFormat, { info: made.info, samples: [] }, 2);
  const { samples } = await readAll(tfRecordFormat, empty);
  assert.is(samples.length, 0);
});

test.run();
