import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createCanvas, loadImage } from '@napi-rs/canvas';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { StatisticsCollector } from '../../src/dataset/describe/statistics.js';
import { imageFolderFormat } from '../../src/dataset/formats/imageFolder.js';
import type { DatasetInfo, DatasetSample, SampleObject } from '../../src/dataset/sample.js';
import { DatasetError } from '../../src/errors.js';
import { renderHtmlReport } from '../../src/report/htmlReport.js';
import { axesOf, inspectDataset, reservoirSlot } from '../../src/report/inspect/inspectDataset.js';
import { inspectionPage, inspectionSheets } from '../../src/report/inspect/inspectionPage.js';
import { inspectionSheet } from '../../src/report/inspect/inspectionSheet.js';
import { classColour, inkOn, instanceColour } from '../../src/report/inspect/labelColours.js';
import type { ShownSample, TileStyle } from '../../src/report/inspect/labelTile.js';
import { placeTags } from '../../src/report/inspect/tags.js';
import { Picture, textWidth } from '../../src/report/picture.js';
import { runCli } from '../cli/runCli.js';
import { fixture, writeFixture } from '../dataset/formats/harness.js';

const folder = mkdtempSync(join(tmpdir(), 'metasim-inspect-'));
test.after(() => rmSync(folder, { recursive: true }));

const INFO: DatasetInfo = {
  name: 'shown',
  classes: ['ground', 'a', 'b'],
  things: ['a', 'b'],
  split: 'train',
  codec: 'png',
  masks: true,
  scenes: false,
};
const GREY = 100;

/** A sample on flat grey. */
function flat(width: number, height: number, objects: readonly SampleObject[], instances?: Uint16Array): ShownSample {
  return {
    labels: { key: 'k', index: 0, width, height, channels: 1, objects },
    image: { width, height, channels: 1, pixels: new Uint8Array(width * height).fill(GREY) },
    ...(instances ? { instances } : {}),
  };
}

/** Colours of the first tile of a sheet's PNG, decoded by Skia. */
async function tileOf(sample: ShownSample, style: TileStyle) {
  const { picture, tiles } = inspectionSheet([sample], INFO, style);
  const image = await loadImage(Buffer.from(picture.png()));
  const context = createCanvas(image.width, image.height).getContext('2d');
  context.drawImage(image, 0, 0);
  const [left, top] = tiles[0];
  const { data } = context.getImageData(left, top, image.width - left, image.height - top);
  return (x: number, y: number) => Array.from(data.subarray((y * (image.width - left) + x) * 4).subarray(0, 3));
}

test('boxes: lines run along the inner edge of the first and last pixels that a box holds', async () => {
  // 8 × 8 px are shown 32 times as large: columns 2 … 5 and rows 3 … 6 are tile px 64 … 191 and 96 … 223.
  const at = await tileOf(flat(8, 8, [{ node: 1, class: 'b', box: [2, 3, 4, 4] }]), 'boxes');
  const colour = [...classColour(1)];
  // Black at 0.6 over grey.
  const shadow = [GREY * 0.4, GREY * 0.4, GREY * 0.4];
  const grey = [GREY, GREY, GREY];
  // The tag stands above the box: from row 95 on nothing but frames is drawn.
  for (let y = 96; y < 256; y++) {
    for (let x = 0; x < 256; x++) {
      const inside = x >= 64 && x < 192 && y < 224;
      const within = x >= 66 && x < 190 && y >= 98 && y < 222;
      const around = x >= 63 && x < 193 && y < 225;
      const expected = within ? grey : inside ? colour : around ? shadow : grey;
      assert.equal(at(x, y), expected, `${x}, ${y}`);
    }
  }
});

test('boxes: an amodal box is dashed, in the colour of its class, and cut off at the edge of the image', async () => {
  const object: SampleObject = { node: 1, class: 'a', box: [0, 4, 2, 2], amodalBox: [-3, 2, 6, 5] };
  const at = await tileOf(flat(8, 8, [object]), 'boxes');
  const [colour, black] = [[...classColour(0)], [0, 0, 0]];
  // Its lower edge is row 7 · 32 − 1 = 223, its right one column 3 · 32 − 1 = 95; the left one lies outside.
  for (let x = 0; x < 96; x++) assert.equal(at(x, 223), (x + 223) % 8 < 4 ? colour : black, String(x));
  for (let y = 64; y < 224; y++) assert.equal(at(95, y), (95 + y) % 8 < 4 ? colour : black, String(y));
  assert.equal(at(96, 223), [GREY, GREY, GREY]);
  assert.equal(at(5, 222), [GREY, GREY, GREY]);
});

test('boxes: what is no thing, has no box, or whose whole is what is seen has no frame of that kind', async () => {
  const objects: SampleObject[] = [
    { node: 0, class: 'ground', box: [0, 0, 8, 8] },
    { node: 1, class: 'a', box: null, amodalBox: [1, 1, 2, 2] },
  ];
  const at = await tileOf(flat(8, 8, objects), 'boxes');
  for (let i = 0; i < 256; i++) assert.equal([at(i, i), at(0, i), at(i, 32)], new Array(3).fill([GREY, GREY, GREY]));
  const whole = await tileOf(
    flat(8, 8, [{ node: 1, class: 'a', box: [2, 3, 4, 4], amodalBox: [2, 3, 4, 4] }]),
    'boxes',
  );
  for (let x = 64; x < 192; x++) assert.equal(whole(x, 223), [...classColour(0)]);
});

test('masks: instances of things are tinted pixel for pixel, with their edge drawn, the ground is left alone', async () => {
  // Node 0 is the ground, node 1 covers columns 2 … 5 of rows 2 … 5.
  const instances = new Uint16Array(64).fill(1);
  for (let y = 2; y < 6; y++) instances.fill(2, y * 8 + 2, y * 8 + 6);
  const objects: SampleObject[] = [
    { node: 0, class: 'ground', box: [0, 0, 8, 8] },
    { node: 1, class: 'a', box: [2, 2, 4, 4], centre: [4, 4] },
  ];
  const at = await tileOf(flat(8, 8, objects, instances), 'masks');
  const colour = instanceColour(2);
  const tint = colour.map((value) => Math.round((GREY + value) / 2));
  for (let y = 0; y < 256; y++) {
    for (let x = 0; x < 256; x++) {
      // The tag stands on the middle.
      if (Math.abs(x - 128) < 30 && Math.abs(y - 128) < 20) continue;
      const inside = x >= 64 && x < 192 && y >= 64 && y < 192;
      const edge = inside && (x === 64 || x === 191 || y === 64 || y === 191);
      assert.equal(at(x, y), edge ? [...colour] : inside ? tint : [GREY, GREY, GREY], `${x}, ${y}`);
    }
  }
  assert.equal(at(118, 121), [...colour], 'the tag is on the object');
});

test('large images shrink by a whole factor, to means, and their boxes with them', async () => {
  const [width, height] = [1056, 200];
  const pixels = Uint8Array.from({ length: width * height * 3 }, (_, i) => ((i / 3) | 0) % 251);
  const labels = { key: 'k', index: 0, width, height, channels: 3 as const };
  const object: SampleObject = { node: 1, class: 'a', box: [100, 110, 60, 20] };
  const sample: ShownSample = { labels: { ...labels, objects: [object] }, image: { ...labels, pixels } };
  const at = await tileOf(sample, 'boxes');
  const mean = (x: number, y: number) => {
    const grey = (dx: number, dy: number) => ((2 * y + dy) * width + 2 * x + dx) % 251;
    return Math.round((grey(0, 0) + grey(1, 0) + grey(0, 1) + grey(1, 1)) / 4);
  };
  for (const [x, y] of [
    [0, 19],
    [300, 7],
    [527, 0],
    [200, 9],
  ])
    assert.equal(at(x, y), new Array(3).fill(mean(x, y)));
  for (let x = 50; x < 80; x++) assert.equal(at(x, 64), [...classColour(0)]);
  assert.equal(at(50, 55), [...classColour(0)]);
  assert.equal(at(79, 55), [...classColour(0)]);
  assert.not.equal(at(81, 55), [...classColour(0)]);
});

test('tags of boxes that lie on each other do not cover each other', () => {
  const picture = new Picture(300, 200, [9, 9, 9]);
  const colours = [
    [200, 10, 10],
    [10, 200, 10],
    [10, 10, 200],
    [200, 200, 10],
  ] as const;
  const box = { left: 100, top: 60, right: 130, bottom: 90 };
  placeTags(
    picture,
    colours.map((colour, i) => ({ text: `cat #${i}`, colour, ...box })),
  );
  const count = (colour: readonly number[], of: Picture) => {
    let sum = 0;
    for (let i = 0; i < of.pixels.length; i += 3) if (colour.every((value, c) => of.pixels[i + c] === value)) sum++;
    return sum;
  };
  for (const [i, colour] of colours.entries()) {
    // The tag alone: 2 px around letters of 10 × 16, less the two rows that hold descenders' ends.
    const alone = new Picture(textWidth(`cat #${i}`, 2) + 4, 18, colour);
    alone.text(`cat #${i}`, 2, 2, inkOn(colour), 2);
    assert.is(count(colour, picture), count(colour, alone), `tag ${i}`);
  }
});

test('tags say less where there is less room, and keep the number', () => {
  const width = 100;
  const picture = new Picture(width, 60, [9, 9, 9]);
  const colour = [200, 10, 10] as const;
  placeTags(picture, [{ text: `${'x'.repeat(500)} #7`, colour, left: 10, top: 30, right: 20, bottom: 40 }]);
  let columns = 0;
  for (let x = 0; x < width; x++) {
    if (Array.from({ length: 60 }, (_, y) => picture.pixels[(y * width + x) * 3]).includes(200)) columns++;
  }
  assert.ok(columns > 30 && columns <= width / 2, String(columns));
});

test('samples are drawn evenly from a stream of unknown length, the same for the same seed', () => {
  const [images, size, seeds] = [40, 8, 4000];
  const chosen = (seed: number) => {
    const slots: number[] = [];
    for (let i = 0; i < images; i++) {
      const slot = reservoirSlot(seed, i, size);
      if (slot !== undefined) slots[slot] = i;
    }
    return slots;
  };
  const counts = new Array(images).fill(0);
  for (let seed = 0; seed < seeds; seed++) for (const i of chosen(seed)) counts[i]++;
  // Each is in with probability 1/5: 800 ± 25.3; the farthest of 40 lies within five of these.
  for (const [i, count] of counts.entries()) assert.ok(Math.abs(count - 800) < 127, `image ${i}: ${count}`);
  assert.equal(chosen(3), chosen(3));
  assert.is(new Set(chosen(3)).size, size);
});

test('inspect reads once: what it counts is what a collector counts, arrays that a reader uses again are copied', async () => {
  const { info, samples } = await fixture({ count: 25 });
  const axes = axesOf(samples.map(({ labels }) => labels));
  const collector = new StatisticsCollector(info, axes);
  for (const { labels } of samples) collector.add(labels);
  let reads = 0;
  const reader = {
    info,
    async *samples(): AsyncIterable<DatasetSample> {
      reads++;
      const pixels = new Uint8Array(48 * 32);
      const instances = new Uint16Array(48 * 32);
      for (const sample of samples) {
        pixels.set(sample.pixels as Uint8Array);
        instances.set(sample.instances as Uint16Array);
        yield { ...sample, pixels, instances };
      }
    },
  };
  const inspection = await inspectDataset(reader, { count: 6, seed: 9 });
  assert.is(reads, 1);
  assert.is(inspection.images, 25);
  assert.equal(inspection.statistics, collector.result());
  assert.is(inspection.shown.length, 6);
  const keys = inspection.shown.map(({ labels }) => labels.key);
  assert.equal(keys, keys.toSorted());
  for (const { labels, image, instances } of inspection.shown) {
    const original = samples.find((sample) => sample.labels.key === labels.key);
    assert.equal(image.pixels, original?.pixels);
    assert.equal(instances, original?.instances);
  }
  const nothing = { info, async *samples(): AsyncIterable<DatasetSample> {} };
  await inspectDataset(nothing).then(
    () => assert.unreachable(),
    (error) => assert.ok(error instanceof DatasetError && /at least one image/.test(error.message)),
  );
});

test('attributes without a manifest: ranges come from the first images, later values beyond them are kept', async () => {
  const { info, samples } = await fixture({ count: 1 });
  const sample = (value: number): DatasetSample => ({
    ...samples[0],
    labels: { ...samples[0].labels, objects: [{ class: '3', box: [0, 0, 1, 1], attributes: { speed: value } }] },
  });
  const reader = {
    info,
    async *samples() {
      for (let i = 0; i < 600; i++) yield sample(i < 512 ? i % 25 : 1000);
    },
  };
  const { statistics } = await inspectDataset(reader, { count: 1 });
  assert.equal(statistics.attributes, [{ name: 'speed', unit: '', minimum: 0, maximum: 24 }]);
  const counts = statistics.classes.find(({ name }) => name === '3')?.attributes[0] ?? {};
  // 512 = 20 · 25 + 12: values 0 … 11 came 21 times, 12 … 24 20 times; 23 and 24 share the last bin.
  assert.is(counts[25], 88);
  assert.is(counts[1], 21);
  assert.is(counts[13], 20);
  assert.is(counts[24], 40);
});

test('the page loads nothing from anywhere and shows hostile names as text', async () => {
  const evil = '<script>alert(1)</script>"\'&<img src=http://evil/x.png onerror=alert(2)>';
  const { info, samples } = await fixture({ count: 4 });
  const renamed = samples.map((sample): DatasetSample => {
    const objects = sample.labels.objects.map((object) => ({
      ...object,
      class: object.class === 'background' ? object.class : evil,
      attributes: { ...object.attributes, [evil]: (object.node ?? 0) * 3 },
    }));
    return { ...sample, labels: { ...sample.labels, key: evil, objects } };
  });
  const hostile = { ...info, name: evil, classes: ['background', evil], things: [evil], split: evil };
  const reader = {
    info: hostile,
    async *samples() {
      yield* renamed;
    },
  };
  const inspection = await inspectDataset(reader);
  const sheets = inspectionSheets(inspection);
  assert.equal(Object.keys(sheets), ['boxes', 'masks', 'plain']);
  const page = await inspectionPage(inspection, evil, { rows: [['source', evil]] }, sheets);
  const html = renderHtmlReport(page);
  assert.ok(html.includes('&lt;script&gt;alert(1)'));
  const tags = [...html.matchAll(/<([a-zA-Z!][^\s/>]*)([^>]*)>/g)];
  assert.ok(tags.length > 200);
  const known =
    'html head meta title style body header h1 h2 p section table caption thead tbody tr th td figure figcaption img div svg g path text rect line defs clippath !doctype';
  for (const [tag, name, attributes] of tags) {
    assert.ok(known.split(' ').includes(name.toLowerCase()), tag.slice(0, 100));
    assert.not.match(attributes, /\son\w+=/i);
    for (const [, attribute, value] of attributes.matchAll(/([\w:-]+)="([^"]*)"/g)) {
      if (/^(src|href|xlink:href|data|action|srcset|poster)$/.test(attribute))
        assert.match(value, /^data:image\/png;base64,/);
      if (/https?:/.test(value) && !attribute.startsWith('aria-')) assert.match(attribute, /^(xmlns(:xlink)?|alt)$/);
      assert.not.match(value, /url\((?!#)/);
    }
  }
  assert.not.match(/<style>(.*?)<\/style>/s.exec(html)?.[1] ?? '', /url\(|@import/);
});

test('metasim inspect writes sheets and page, over its own but over nothing else', async () => {
  const made = await fixture({ count: 12, channels: 3 });
  const dataset = await writeFixture(imageFolderFormat, made, 2);
  const out = join(folder, 'look');
  const args = ['inspect', dataset, '--from', 'imagefolder', '--out', out, '--count', '5', '--seed', '3', '--json'];
  const first = await runCli(args);
  assert.is(first.code, 0, first.stderr);
  const result = JSON.parse(first.stdout);
  assert.is(result.images, 12);
  assert.is(result.shown.length, 5);
  const things = made.samples.flatMap(({ labels }) =>
    labels.objects.filter(({ box, class: name }) => box && name !== 'background'),
  );
  const counted = result.statistics.classes.filter(({ name }: { name: string }) => name !== 'background');
  assert.is(
    counted.reduce((sum: number, { objects }: { objects: number }) => sum + objects, 0),
    things.length,
  );
  assert.equal(readdirSync(out).sort(), ['boxes.png', 'index.html', 'masks.png', 'plain.png']);
  const page = readFileSync(join(out, 'index.html'), 'utf8');
  assert.is(page.match(/<img src="data:image\/png;base64,/g)?.length, 3);
  // Class balance, objects per image, visible fraction, and at least x, y and rotation.
  assert.ok((page.match(/<svg/g)?.length ?? 0) >= 6);
  const again = await runCli(args);
  assert.is(again.code, 0, again.stderr);
  assert.is(readFileSync(join(out, 'index.html'), 'utf8'), page, 'the same look again');

  writeFileSync(join(out, 'notes.txt'), 'mine');
  const refused = await runCli(args);
  assert.is(refused.code, 1);
  assert.match(refused.stderr, /which holds notes\.txt/);
  const unknown = await runCli(['inspect', dataset, '--from', 'nonsense', '--out', join(folder, 'none')]);
  assert.is(unknown.code, 2);
  const missing = await runCli([
    'inspect',
    join(folder, 'nowhere'),
    '--from',
    'imagefolder',
    '--out',
    join(folder, 'none'),
  ]);
  assert.is(missing.code, 1);
  assert.match(missing.stderr, /^error: Expected .*nowhere/m);
  assert.not.ok(readdirSync(folder).includes('none'));
});

test.run();
