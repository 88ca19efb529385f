import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { type ConvertedDataset, type ConvertOptions, convertDataset } from '../../src/dataset/convert.js';
import { imageFolderFormat } from '../../src/dataset/formats/imageFolder.js';
import { FORMAT_NAMES, type FormatName, openFormat } from '../../src/dataset/formats/index.js';
import { webDatasetFormat } from '../../src/dataset/formats/webDataset.js';
import { pixelsOf } from '../../src/dataset/imageCodec.js';
import { encodePng } from '../../src/dataset/png.js';
import { type DatasetSample, thingsOf } from '../../src/dataset/sample.js';
import { classMaskMap } from '../../src/dataset/sampleConverter.js';
import { ConfigError, DatasetError } from '../../src/errors.js';
import { fixture, readAll, temporaryFolder, writeFixture } from './formats/harness.js';

/** What formats cannot express of the fixture, besides what label records hold: IDX has one label an image. */
const SINGLE: readonly FormatName[] = ['idx'];

const made = await fixture({ count: 12 });
const single = {
  ...made,
  samples: made.samples.filter(({ labels }) => thingsOf(labels, made.info).length === 1),
};
const picture = encodePng({ width: 3, height: 2, channels: 1, pixels: new Uint8Array(6).fill(90) });
/** A dataset as `writeFixture` makes it, and as `convertDataset` does: with header, entries and manifest. */
const plain = await writeFixture(webDatasetFormat, made, 3);
const whole = await converted({ source: plain, to: 'webdataset' });
const singles = await converted({ source: await writeFixture(webDatasetFormat, single, 1), to: 'webdataset' });

interface Converted extends ConvertedDataset {
  readonly out: string;
}

async function converted(options: Omit<ConvertOptions, 'out'>): Promise<Converted> {
  const out = join(temporaryFolder(), 'out');
  return { out, ...(await convertDataset({ from: 'webdataset', shardSize: 5, ...options, out })) };
}

async function refusal(work: Promise<unknown>, type: typeof ConfigError | typeof DatasetError = DatasetError) {
  const error = await work.catch((reason: Error) => reason);
  assert.instance(error, type);
  return (error as Error).message;
}

/** Pixels, and the classes and boxes of things. */
async function essence({ samples, info }: Awaited<ReturnType<typeof readAll>>, boxes = true) {
  const one = async (sample: DatasetSample) => ({
    pixels: [...(await pixelsOf(sample)).pixels],
    things: thingsOf(sample.labels, info).map(({ class: name, box }) => [name, ...(boxes ? (box ?? []) : [])]),
  });
  return Promise.all(samples.map(one));
}

/** The essence with box sides to a hundredth of a pixel: text files hold few digits. */
function rounded(value: Awaited<ReturnType<typeof essence>>) {
  return value.map(({ pixels, things }) => ({
    pixels,
    things: things.map((row) => row.map((part) => (typeof part === 'number' ? Math.round(part * 100) / 100 : part))),
  }));
}

for (const name of FORMAT_NAMES) {
  test(`webdataset → ${name} → webdataset: nothing is lost, for the records go along`, async () => {
    const start = SINGLE.includes(name) ? singles : whole;
    const there = await converted({ source: start.out, to: name });
    const back = await converted({ source: there.out, from: name, to: 'webdataset' });
    // The hash of all records and pixels.
    assert.is(there.manifest.contentHash, start.manifest.contentHash);
    assert.is(back.manifest.contentHash, start.manifest.contentHash);
    assert.equal([there.manifest.count, there.manifest.layout], [start.manifest.count, name]);
    if ((await openFormat(name)).holdsRecords) assert.equal(there.losses, []);
  });

  test(`webdataset → ${name} → webdataset: pixels, boxes and classes are in the format's own files`, async () => {
    const isSingle = SINGLE.includes(name);
    const start = isSingle ? singles : whole;
    const there = await converted({ source: start.out, to: name });
    rmSync(join(there.out, '.metasim'), { recursive: true });
    rmSync(join(there.out, 'manifest.json'));
    const back = await converted({ source: there.out, from: name, to: 'webdataset' });
    assert.is(back.manifest.count, start.manifest.count);
    const read = await readAll(webDatasetFormat, back.out);
    assert.equal(
      read.info.things.filter((thing) => thing !== 'background'),
      made.info.things,
    );
    const own = { ...read, info: { ...read.info, things: made.info.things } };
    const expected = await readAll(webDatasetFormat, start.out);
    assert.equal(rounded(await essence(own, !isSingle)), rounded(await essence(expected, !isSingle)));
  });
}

test('masks, scene graphs and records are the same after imagefolder and back', async () => {
  const there = await converted({ source: whole.out, to: 'imagefolder', shardSize: 100 });
  const back = await converted({ source: there.out, from: 'imagefolder', to: 'webdataset' });
  const { info, samples } = await readAll(webDatasetFormat, back.out);
  assert.equal(info, made.info);
  for (const [i, { labels, instances, classes, scene }] of samples.entries()) {
    const written = made.samples[i];
    assert.is(JSON.stringify(labels), JSON.stringify(written.labels));
    assert.equal([instances, classes, [...scene!]], [written.instances, written.classes, [...written.scene!]]);
  }
  // Cut in the same shards, the archives are the same bytes.
  const archives = (folder: string) =>
    readdirSync(folder)
      .filter((name) => name.endsWith('.tar'))
      .map((name) => readFileSync(join(folder, name)));
  assert.equal(archives(back.out), archives(whole.out));
});

test('shards have the size that was asked for, each with its entry', async () => {
  const { out, manifest } = await converted({ source: whole.out, to: 'webdataset', shardSize: 7 });
  assert.equal([manifest.shards, manifest.shardSize, manifest.count], [2, 7, 12]);
  const names = readdirSync(out).filter((name) => name.endsWith('.tar'));
  assert.equal(names.sort(), ['train-000000.tar', 'train-000001.tar']);
  assert.equal(readdirSync(join(out, '.metasim/shards')).sort(), ['000000.json', '000001.json']);
  assert.is(existsSync(join(out, '.metasim/staging')), false);
});

test('images are encoded anew only where they must be', async () => {
  const bytesOf = async (folder: string) =>
    (await readAll(imageFolderFormat, folder)).samples.map(({ image }) => image);
  const same = await converted({ source: whole.out, to: 'imagefolder' });
  assert.equal(
    (await bytesOf(same.out)).map(({ bytes }) => [...bytes]),
    made.samples.map(({ image }) => [...image.bytes]),
  );
  const jpeg = await converted({ source: whole.out, to: 'imagefolder', codec: 'jpeg', quality: 80 });
  assert.equal(new Set((await bytesOf(jpeg.out)).map(({ codec }) => codec)), new Set(['jpeg']));
  assert.equal([jpeg.manifest.codec, jpeg.manifest.quality], ['jpeg', 80]);
  assert.ok(jpeg.losses.includes('images are encoded anew as jpeg'));
  const kept = await converted({ source: jpeg.out, from: 'imagefolder', to: 'webdataset' });
  assert.is(kept.manifest.contentHash, jpeg.manifest.contentHash);
  assert.equal(kept.losses, []);
  // Grey goes back to one channel, near what it was.
  const png = await converted({ source: jpeg.out, from: 'imagefolder', to: 'imagefolder', codec: 'png' });
  const { samples } = await readAll(imageFolderFormat, png.out);
  for (const [i, sample] of samples.entries()) {
    const { channels, pixels } = await pixelsOf(sample);
    assert.is(channels, 1);
    const original = made.samples[i].pixels as Uint8Array;
    const error = pixels.reduce((sum, value, at) => sum + Math.abs(value - original[at]), 0) / pixels.length;
    assert.ok(error < 8, `mean error ${error}`);
  }
});

test('losses are said', async () => {
  const yolo = await converted({ source: whole.out, to: 'yolo' });
  assert.ok(yolo.losses.includes('masks are not kept by yolo'), yolo.losses.join('\n'));
  assert.ok(yolo.losses.includes('scene graphs are not kept by yolo'));
  assert.ok(yolo.losses.includes('objects of class background are not all listed by yolo'));
  assert.ok(yolo.losses.some((loss) => /^yolo has no place for .*pose.*label records are kept/.test(loss)));
  const bare = await converted({ source: whole.out, to: 'imagefolder', masks: false, scenes: false });
  assert.equal(bare.losses, ['masks are not kept by imagefolder', 'scene graphs are not kept by imagefolder']);
  assert.equal([bare.manifest.masks, bare.manifest.scenes], [false, false]);
});

test('masks that are not there cannot be written', async () => {
  const bare = await writeFixture(webDatasetFormat, await fixture({ count: 2, masks: false, scenes: false }), 1);
  for (const options of [{ to: 'imagefolder', masks: true }, { to: 'yolo-seg' }]) {
    assert.match(
      await refusal(converted({ source: bare, ...options })),
      /Expected masks in .* but received a dataset without/,
    );
  }
  assert.match(await refusal(converted({ source: bare, to: 'imagefolder', scenes: true })), /Expected scene graphs/);
});

test('an output that is not empty, lies in the source or cannot be is refused, and nothing is written', async () => {
  const out = temporaryFolder();
  writeFileSync(join(out, 'mine.txt'), 'x');
  assert.match(
    await refusal(convertDataset({ source: plain, from: 'webdataset', to: 'imagefolder', out })),
    /holds mine\.txt/,
  );
  assert.equal(readdirSync(out), ['mine.txt']);
  const inside = join(plain, 'copy');
  assert.match(await refusal(convertDataset({ source: plain, to: 'imagefolder', out: inside })), /outside of/);
  assert.match(await refusal(convertDataset({ source: plain, to: 'imagefolder', out: plain })), /outside of/);
  assert.is(existsSync(inside), false);
  assert.match(await refusal(converted({ source: plain, to: 'nothing' }), ConfigError), /Expected one of imagefolder/);
  assert.match(
    await refusal(converted({ source: plain, to: 'idx', codec: 'jpeg' }), ConfigError),
    /Expected png for the codec/,
  );
  for (const shardSize of [0, -1, 1.5, Number.NaN, 1e9]) {
    assert.match(await refusal(converted({ source: plain, to: 'imagefolder', shardSize }), ConfigError), /shard size/);
  }
});

test('a damaged source or an abort leaves nothing behind', async () => {
  const broken = temporaryFolder();
  cpSync(plain, broken, { recursive: true });
  const last = join(broken, 'train-000002.tar');
  writeFileSync(last, readFileSync(last).subarray(0, 3000));
  const out = join(temporaryFolder(), 'deep', 'out');
  const options = { source: broken, from: 'webdataset', to: 'imagefolder', out, shardSize: 2 };
  assert.match(await refusal(convertDataset(options)), /train-000002\.tar/);
  assert.is(existsSync(join(out, '..')), false);
  const stop = new AbortController();
  const seen: number[] = [];
  const onProgress = (done: number, total: number) => {
    assert.is(total, 12);
    seen.push(done);
    if (done === 5) stop.abort(new Error('enough'));
  };
  const work = convertDataset({ ...options, source: plain, signal: stop.signal, onProgress });
  assert.is(((await work.catch((reason: Error) => reason)) as Error).message, 'enough');
  assert.equal(seen, [1, 2, 3, 4, 5]);
  assert.is(existsSync(join(out, '..')), false);
});

test('records that do not go with the samples beside them are noticed', async () => {
  const yolo = await converted({ source: whole.out, to: 'yolo' });
  const labels = join(yolo.out, '.metasim/labels/000001.jsonl');
  const lines = readFileSync(labels, 'utf8').trimEnd().split('\n');
  const put = (rows: readonly string[]) => writeFileSync(labels, rows.map((row) => `${row}\n`).join(''));
  const again = () => refusal(converted({ source: yolo.out, from: 'yolo', to: 'imagefolder' }));
  put([lines[1], lines[0], ...lines.slice(2)]);
  assert.match(await again(), /Expected sample 000000006 .* in .*000001\.jsonl:1, but received 000000005/);
  put(lines.slice(0, -1));
  assert.match(await again(), /Expected sample 000000010 .* received 000000009/);
  put(lines.map((line) => line.replace('"objects"', '"things"')));
  assert.match(await again(), /bad "objects"/);
});

test('folders of others: samples without an index are counted, names that would meet are refused', async () => {
  const source = temporaryFolder();
  for (const name of ['cat/1.png', 'cat/2.png', 'dog/1.png']) {
    mkdirSync(join(source, name, '..'), { recursive: true });
    writeFileSync(join(source, name), picture);
  }
  const { out, manifest } = await converted({ source, from: 'imagefolder', to: 'webdataset', shardSize: 2 });
  assert.equal([manifest.count, manifest.classes, manifest.grammarHash], [3, ['cat', 'dog'], '']);
  const { samples } = await readAll(webDatasetFormat, out);
  assert.equal(
    samples.map(({ labels }) => [labels.key, labels.objects[0].class]),
    [
      ['cat/1', 'cat'],
      ['cat/2', 'cat'],
      ['dog/1', 'dog'],
    ],
  );
  const twice = { ...made, samples: [0, 1, 0].map((i) => made.samples[i]) };
  const doubled = await writeFixture(webDatasetFormat, twice, 1);
  const work = converted({ source: doubled, to: 'imagefolder', shardSize: 2 });
  assert.match(await refusal(work), /different names but two of them would be .*000000000/);
});

test("the source's format is recognised by its looks", async () => {
  const { from, out } = await converted({ source: whole.out, from: undefined, to: 'imagefolder' });
  assert.is(from, 'webdataset');
  assert.is((await converted({ source: out, from: undefined, to: 'webdataset' })).from, 'imagefolder');
  assert.match(await refusal(converted({ source: temporaryFolder(), from: undefined, to: 'idx' })), /recognised none/);
});

test('class masks follow their classes into another list', () => {
  assert.is(classMaskMap(['a', 'b'], ['a', 'b', 'c']), undefined);
  const map = classMaskMap(['a', 'b', 'c'], ['x', 'c', 'a']);
  assert.equal([...map!.subarray(0, 4)], [0, 3, 0, 2]);
});

test('to KITTI go the rows that generate would write: only its types, unless told otherwise or it is KITTI already', async () => {
  const street = ['building', 'Car', 'tree'];
  const named = (name: string) => street[made.info.things.indexOf(name)] ?? name;
  const renamed = {
    info: { ...made.info, masks: false, scenes: false, classes: made.info.classes.map(named), things: street },
    samples: made.samples.map(({ labels, image }) => ({
      image,
      labels: { ...labels, objects: labels.objects.map((each) => ({ ...each, class: named(each.class) })) },
    })),
  } as typeof made;
  const source = await writeFixture(webDatasetFormat, renamed, 1);
  const rowsOf = ({ out }: Converted) => {
    const folder = join(out, 'training/label_2');
    const rows = readdirSync(folder).flatMap((name) => readFileSync(join(folder, name), 'utf8').trim().split('\n'));
    return [...new Set(rows.flatMap((row) => row.split(' ', 1)).filter((type) => type !== ''))].sort();
  };
  const { out, losses } = await converted({ source, to: 'kitti' });
  assert.equal(rowsOf({ out } as Converted), ['Car']);
  assert.match(losses.join(), /class building are not all listed by kitti/);
  const all = await converted({ source, to: 'kitti', ignore: ['background'] });
  assert.equal(rowsOf(all), ['Car', 'building', 'tree']);
  assert.equal(rowsOf(await converted({ source: all.out, from: 'kitti', to: 'kitti' })), ['Car', 'building', 'tree']);
  assert.equal(rowsOf(await converted({ source, to: 'kitti', ignore: ['tree'] })), ['Car', 'building']);
  assert.match(await refusal(converted({ source, to: 'kitti', ignore: ['Tree'] }), ConfigError), /ignore .* "Tree"/);
});

test.run();
