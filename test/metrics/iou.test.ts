import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { ShapeError } from '../../src/errors.js';
import { intersectionOverUnion } from '../../src/metrics/iou.js';
import { RandomStream } from '../../src/random.js';

test('a case worked by hand: both, either, absent and ignored', () => {
  // Class 0: 2 pixels right, 1 called 1 → 2 / 3. Class 1: 1 right, 1 wrongly called so → 1 / 2. Class 2 is called only
  // where nothing counts, class 3 nowhere → NaN.
  const truth = Uint8Array.of(0, 0, 0, 1, 255, 255);
  const predicted = Uint8Array.of(0, 0, 1, 1, 2, 0);
  const { perClass, mean } = intersectionOverUnion(truth, predicted, { classes: 4 });
  assert.equal(perClass.slice(0, 2), [2 / 3, 1 / 2]);
  assert.ok(Number.isNaN(perClass[2]), 'where it was called, nothing counts');
  assert.ok(Number.isNaN(perClass[3]));
  assert.is(mean, (2 / 3 + 1 / 2) / 2, 'absent classes are no part of the mean');
  const called = intersectionOverUnion(Uint8Array.of(0, 0), Uint8Array.of(0, 2), { classes: 3 });
  assert.is(called.perClass[2], 0, 'called and never there');
  assert.is(called.mean, 1 / 4);
});

test('the background counts for the others and not in the mean', () => {
  const truth = Uint8Array.of(0, 0, 1, 1);
  const predicted = Uint8Array.of(1, 0, 1, 1);
  assert.is(intersectionOverUnion(truth, predicted, { classes: 2, leaveOut: [0] }).mean, 2 / 3);
  assert.ok(Number.isNaN(intersectionOverUnion(truth, truth, { classes: 2, leaveOut: [0, 1] }).mean));
});

test('agrees with sets of pixels built one by one', () => {
  const stream = new RandomStream({ seed: 3, index: 0 });
  const classes = 5;
  const truth = Uint8Array.from({ length: 3000 }, () => (stream.integer(20) === 0 ? 255 : stream.integer(classes)));
  const predicted = truth.map((value) => (value < classes && stream.integer(3) > 0 ? value : stream.integer(classes)));
  const { perClass, mean } = intersectionOverUnion(truth, predicted, { classes });
  const naive = Array.from({ length: classes }, (_, k) => {
    const pixels = (values: Uint8Array) =>
      new Set([...values.keys()].filter((i) => values[i] === k && truth[i] !== 255));
    const [is, called] = [pixels(truth), pixels(predicted)];
    return [...is].filter((i) => called.has(i)).length / new Set([...is, ...called]).size;
  });
  assert.equal(perClass, naive);
  assert.ok(Math.abs(mean - naive.reduce((sum, value) => sum + value, 0) / classes) < 1e-12);
});

test('other lengths and unknown classes are refused', () => {
  const refused = (truth: number[], predicted: number[]) =>
    assert.throws(
      () => intersectionOverUnion(Uint8Array.from(truth), Uint8Array.from(predicted), { classes: 2 }),
      (error: Error) => error instanceof ShapeError,
    );
  refused([0, 1], [0]);
  refused([2], [0]);
  refused([0], [2]);
});

test.run();
