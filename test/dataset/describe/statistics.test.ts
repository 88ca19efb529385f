import { test } from 'uvu';
import * as assert from 'uvu/assert';
import {
  ATTRIBUTE_BINS,
  type AttributeAxis,
  binOf,
  type DatasetStatistics,
  denseCounts,
  mergeStatistics,
  mergeTwo,
  parseStatistics,
  StatisticsCollector,
  totalOf,
} from '../../../src/dataset/describe/statistics.js';
import type { DatasetInfo, ImageLabels, SampleObject } from '../../../src/dataset/sample.js';
import { DatasetError } from '../../../src/errors.js';
import { RandomStream } from '../../../src/random.js';

const AXES: readonly AttributeAxis[] = [
  { name: 'x', unit: 'px', minimum: -12, maximum: 12 },
  { name: 'rotation', unit: 'deg', minimum: -180, maximum: 180 },
];
const INFO: DatasetInfo = {
  name: 'counted',
  classes: ['background', 'cat', '__proto__'],
  things: ['cat', '__proto__'],
  split: 'train',
  codec: 'png',
  masks: false,
  scenes: false,
};

function image(key: string, objects: readonly SampleObject[]): ImageLabels {
  return { key, index: 0, width: 8, height: 8, channels: 1, objects };
}

function collect(images: readonly ImageLabels[]): DatasetStatistics {
  const collector = new StatisticsCollector(INFO, AXES);
  for (const labels of images) collector.add(labels);
  return collector.result();
}

/** Images with random objects, some hidden, some with attributes out of range or without any. */
function randomImages(count: number): ImageLabels[] {
  const stream = new RandomStream({ seed: 11, index: 0 });
  return Array.from({ length: count }, (_, i) => {
    const objects = Array.from({ length: stream.integer(6) }, (): SampleObject => {
      const hidden = stream.integer(5) === 0;
      return {
        class: INFO.classes[stream.integer(3)],
        box: hidden ? null : [0, 0, 1 + stream.integer(4), 2],
        pixels: hidden ? 0 : 1 + stream.integer(9),
        ...(hidden ? {} : { visibleFraction: stream.uniform() }),
        ...(stream.integer(4) === 0
          ? {}
          : { attributes: { x: 30 * (stream.uniform() - 0.5), rotation: -180 + 360 * stream.uniform(), other: 1 } }),
      };
    });
    return image(String(i), objects);
  });
}

test('bins: both ends of the range are inside, and what lies beyond them is counted apart', () => {
  // [-12, 12] in 24 bins of width 1: bin 1 is [-12, -11).
  const bin = (value: number) => binOf(value, -12, 12, ATTRIBUTE_BINS);
  assert.equal([-12.001, -12, -11.001, -11, 0, 11.999, 12, 12.001].map(bin), [0, 1, 1, 2, 13, 24, 24, 25]);
  assert.equal(
    [0, 0.049, 0.05, 1].map((value) => binOf(value, 0, 1, 20)),
    [1, 1, 2, 20],
  );
  // A range without extent.
  assert.equal(
    [2, 3, 4].map((value) => binOf(value, 3, 3, 24)),
    [0, 1, 25],
  );
});

test('counts of three images, worked by hand', () => {
  const cat = (box: SampleObject['box'], rest: Partial<SampleObject> = {}): SampleObject => ({
    class: 'cat',
    box,
    ...rest,
  });
  const statistics = collect([
    image('a', [
      { class: 'background', box: [0, 0, 8, 8], pixels: 50 },
      cat([1, 1, 2, 2], { pixels: 4, visibleFraction: 1, attributes: { x: -12, rotation: 0 } }),
      cat([4, 4, 2, 3], { pixels: 5, visibleFraction: 0.5, attributes: { x: 99, rotation: 179.9 } }),
    ]),
    image('b', [cat(null, { pixels: 0, attributes: { x: 0.5 } })]),
    image('c', [{ class: '__proto__', box: [0, 0, 1, 1], pixels: 1, visibleFraction: 0.05 }]),
  ]);
  assert.equal(statistics, {
    images: 3,
    // The background is no thing, and b's cat is not seen.
    objectsPerImage: { 0: 1, 1: 1, 2: 1 },
    classes: [
      { name: 'background', objects: 1, images: 1, hidden: 0, pixels: 50, visibleFraction: {}, attributes: [{}, {}] },
      {
        name: 'cat',
        objects: 2,
        images: 1,
        hidden: 1,
        pixels: 9,
        visibleFraction: { 11: 1, 20: 1 },
        // x: -12 is in bin 1, 0.5 in bin 13 ([0, 1)), 99 beyond; rotation, 15° a bin: 0 in [0, 15), 179.9 in the last.
        attributes: [
          { 1: 1, 13: 1, 25: 1 },
          { 13: 1, 24: 1 },
        ],
      },
      {
        name: '__proto__',
        objects: 1,
        images: 1,
        hidden: 0,
        pixels: 1,
        visibleFraction: { 2: 1 },
        attributes: [{}, {}],
      },
    ],
    attributes: AXES,
  });
});

test('parts merged in any order give the bytes that one pass gives', () => {
  const images = randomImages(400);
  const whole = JSON.stringify(collect(images));
  const stream = new RandomStream({ seed: 12, index: 0 });
  for (let round = 0; round < 20; round++) {
    const parts: DatasetStatistics[] = [];
    for (let from = 0; from < images.length; ) {
      const to = from + stream.integer(90);
      // As a shard's entry holds it.
      parts.push(parseStatistics(JSON.parse(JSON.stringify(collect(images.slice(from, to)))), 'an entry'));
      from = to;
    }
    for (let i = parts.length - 1; i > 0; i--) {
      const j = stream.integer(i + 1);
      [parts[i], parts[j]] = [parts[j], parts[i]];
    }
    const half = stream.integer(parts.length - 1) + 1;
    assert.is(JSON.stringify(mergeStatistics(parts)), whole);
    // Not only in a row: as a tree too.
    const tree = mergeTwo(mergeStatistics(parts.slice(0, half)), mergeStatistics(parts.slice(half - 1)));
    const twice = mergeTwo(mergeStatistics(parts), parts[half - 1]);
    assert.is(JSON.stringify(tree), JSON.stringify(twice));
  }
});

test('counts agree with loops over all objects', () => {
  const images = randomImages(300);
  const { classes } = collect(images);
  for (const { name, objects, images: holding, hidden, pixels, visibleFraction, attributes } of classes) {
    const all = images.flatMap((labels) => labels.objects.filter((object) => object.class === name));
    const seen = all.filter(({ box }) => box !== null);
    assert.is(objects, seen.length);
    assert.is(hidden, all.length - seen.length);
    assert.is(
      pixels,
      seen.reduce((sum, object) => sum + (object.pixels ?? 0), 0),
    );
    assert.is(holding, images.filter((labels) => seen.some((object) => labels.objects.includes(object))).length);
    assert.is(totalOf(visibleFraction), seen.length);
    const values = all.flatMap((object) => object.attributes?.x ?? []);
    const dense = Array.from({ length: ATTRIBUTE_BINS + 2 }, (_, bin) => {
      const from = bin - 13;
      const inside = (x: number) => (bin === 0 ? x < -12 : bin === 25 ? x > 12 : x >= from && x < from + 1);
      return values.filter(inside).length;
    });
    assert.equal(denseCounts(attributes[0], ATTRIBUTE_BINS + 2), dense);
  }
});

test('statistics refuse unknown classes, parts that do not fit, and damaged records', () => {
  const refuses = (step: () => unknown, words: RegExp) =>
    assert.throws(step, (e: unknown) => e instanceof DatasetError && words.test(e.message));
  refuses(() => collect([image('odd', [{ class: 'dog', box: null }])]), /"dog" in image odd/);
  const other = new StatisticsCollector({ ...INFO, classes: ['cat'] }, AXES).result();
  refuses(() => mergeTwo(collect([]), other), /same classes and attributes/);
  const narrow = new StatisticsCollector(INFO, [AXES[0]]).result();
  refuses(() => mergeTwo(collect([]), narrow), /same classes and attributes/);
  refuses(() => mergeStatistics([]), /at least one part/);
  const good = collect(randomImages(3));
  refuses(() => parseStatistics({ ...good, images: -1 }, 'entry 7'), /entry 7 but images/);
  refuses(() => parseStatistics({ ...good, objectsPerImage: { x: 1 } }, 'entry 7'), /objectsPerImage/);
  refuses(() => parseStatistics(undefined, 'entry 7'), /entry 7/);
});

test.run();
