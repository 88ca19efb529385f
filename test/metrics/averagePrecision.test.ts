import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { ConfigError, DatasetError } from '../../src/errors.js';
import {
  type AveragePrecisionOptions,
  averagePrecision,
  KITTI_DIFFICULTIES,
  KITTI_NEIGHBOURS,
} from '../../src/metrics/averagePrecision.js';
import {
  countDetections,
  type DetectedObject,
  type DetectionBox,
  type DetectionFrame,
  matchableFrame,
  type TrueObject,
} from '../../src/metrics/detectionMatching.js';
import { RandomStream } from '../../src/random.js';
import { findPython } from '../helpers/python.js';

/** A car of 100 × 50 px; `number` puts it where no other is. */
const place = (number: number): DetectionBox => [1000 * number, 0, 100, 50];
const car = (number: number, more: Partial<TrueObject> = {}): TrueObject => ({
  class: 'Car',
  box: place(number),
  ...more,
});
const found = (number: number, score = 0.5, more: Partial<DetectedObject> = {}): DetectedObject => ({
  ...{ class: 'Car', box: place(number), score },
  ...more,
});
/** A box that shares `share` of its area, and of its height, with that of `place`. */
const shifted = (number: number, share: number): DetectionBox => [1000 * number, 50 * (1 - share), 100, 50];
const rules = { class: 'Car', neighbours: ['Van'], limits: KITTI_DIFFICULTIES.moderate, minimumOverlap: 0.5 };
const counts = (objects: TrueObject[], detections: DetectedObject[], more: Partial<typeof rules> = {}, score = 0) => {
  const result = countDetections(matchableFrame({ objects, detections }, { ...rules, ...more }), score);
  return [result.hits, result.misses, result.falseAlarms];
};

test('a hit, a miss and a false alarm', () => {
  assert.equal(counts([car(0), car(1)], [found(0), found(2)]), [1, 1, 1]);
});

test('overlap is strictly above the limit', () => {
  // Two thirds of each are shared: intersection over union 1/2.
  const half: DetectionBox = [0, 0, 150, 50];
  const box: DetectionBox = [50, 0, 150, 50];
  assert.equal(counts([car(0, { box: half })], [found(0, 0.5, { box })]), [0, 1, 1]);
  assert.equal(counts([car(0, { box: half })], [found(0, 0.5, { box: [49.9, 0, 150, 50] })]), [1, 0, 0]);
});

test('two detections of a car: the nearer one is a hit, the other a false alarm', () => {
  const [loose, tight] = [found(0, 0.9, { box: shifted(0, 0.8) }), found(0, 0.3, { box: shifted(0, 0.9) })];
  for (const detections of [
    [loose, tight],
    [tight, loose],
  ]) {
    assert.equal(counts([car(0)], detections), [1, 0, 1]);
    // Above the score of the nearer one the other is the hit.
    assert.equal(counts([car(0)], detections, {}, 0.5), [1, 0, 0]);
  }
});

test('a detection finds one car only', () => {
  assert.equal(counts([car(0), car(0)], [found(0)]), [1, 1, 0]);
});

test('height: an object counts above the limit, a detection from it on', () => {
  const high = (height: number): DetectionBox => [0, 0, 100, height];
  // Of 25 px an object is ignored: neither missed nor to be found, and who finds it is no false alarm.
  assert.equal(counts([car(0, { box: high(25) })], []), [0, 0, 0]);
  assert.equal(counts([car(0, { box: high(25) })], [found(0, 0.5, { box: high(25) })]), [0, 0, 0]);
  assert.equal(counts([car(0, { box: high(25.1) })], []), [0, 1, 0]);
  // A detection of 25 px counts, one of 24.9 does not.
  assert.equal(counts([], [found(0, 0.5, { box: high(25) })]), [0, 0, 1]);
  assert.equal(counts([], [found(0, 0.5, { box: high(24.9) })]), [0, 0, 0]);
  const { easy } = KITTI_DIFFICULTIES;
  assert.equal(counts([car(0, { box: high(40) })], [], { limits: easy }), [0, 0, 0]);
  assert.equal(counts([car(0, { box: high(41) })], [], { limits: easy }), [0, 1, 0]);
});

test('a detection that is too small takes the object it lies on, of whatever class it is', () => {
  const low: DetectionBox = [0, 0, 100, 30];
  const small: DetectionBox = [0, 0, 100, 24];
  for (const name of ['Car', 'Tram']) {
    // 24/30 overlap: the object is neither found nor missed.
    assert.equal(counts([car(0, { box: low })], [found(0, 0.9, { box: small, class: name })]), [0, 0, 0]);
  }
  // A large enough one goes first, in either order, even if it overlaps less.
  const large = found(0, 0.9, { box: [0, 0, 100, 42] });
  for (const detections of [
    [large, found(0, 0.9, { box: small })],
    [found(0, 0.9, { box: small }), large],
  ]) {
    assert.equal(counts([car(0, { box: low })], detections), [1, 0, 0]);
  }
});

test('occlusion and truncation up to the limits of each difficulty', () => {
  const count = (level: keyof typeof KITTI_DIFFICULTIES, more: Partial<TrueObject>) =>
    counts([car(0, more)], [], { limits: KITTI_DIFFICULTIES[level] })[1];
  assert.equal(
    [0, 1, 2, 3].map((occlusion) => count('easy', { occlusion })),
    [1, 0, 0, 0],
  );
  assert.equal(
    [0, 1, 2, 3].map((occlusion) => count('moderate', { occlusion })),
    [1, 1, 0, 0],
  );
  assert.equal(
    [0, 1, 2, 3].map((occlusion) => count('hard', { occlusion })),
    [1, 1, 1, 0],
  );
  const shares = [0.15, 0.16, 0.3, 0.31, 0.5, 0.51];
  assert.equal(
    shares.map((truncation) => count('easy', { truncation })),
    [1, 0, 0, 0, 0, 0],
  );
  assert.equal(
    shares.map((truncation) => count('moderate', { truncation })),
    [1, 1, 1, 0, 0, 0],
  );
  assert.equal(
    shares.map((truncation) => count('hard', { truncation })),
    [1, 1, 1, 1, 1, 0],
  );
});

test('an object beyond the limits takes its detection, so that it is no false alarm', () => {
  assert.equal(counts([car(0, { occlusion: 3 })], [found(0)]), [0, 0, 0]);
});

test('neighbouring classes are neither hit nor miss; others are as if they were not there', () => {
  assert.equal(counts([car(0, { class: 'Van' })], []), [0, 0, 0]);
  assert.equal(counts([car(0, { class: 'Van' })], [found(0)]), [0, 0, 0]);
  assert.equal(counts([car(0, { class: 'Truck' })], [found(0)]), [0, 0, 1]);
  assert.equal(counts([car(0)], [found(0, 0.5, { class: 'Van' })]), [0, 1, 0]);
  assert.equal(KITTI_NEIGHBOURS, { Car: ['Van'], Pedestrian: ['Person_sitting'] });
  // Case does not matter.
  assert.equal(counts([car(0, { class: 'car' })], [found(0, 0.5, { class: 'CAR' })]), [1, 0, 0]);
});

test('DontCare excuses what lies in it by more than the least overlap of its own area', () => {
  const region = car(0, { class: 'DontCare', box: [0, 0, 1000, 500] });
  assert.equal(counts([region], [found(0)]), [0, 0, 0]);
  // Half of it within is not enough, 51 of 100 px are; how much of the region it covers does not matter.
  assert.equal(counts([region], [found(0, 0.5, { box: [-50, 0, 100, 50] })]), [0, 0, 1]);
  assert.equal(counts([region], [found(0, 0.5, { box: [-49, 0, 100, 50] })]), [0, 0, 0]);
  // A detection that has found a car is no longer excused, and two regions excuse one only once.
  assert.equal(counts([region, region, car(0)], [found(0), found(9)]), [1, 0, 1]);
});

/** `count` cars in images of their own, found with scores that fall from 1. */
const perfect = (count: number): DetectionFrame[] =>
  Array.from({ length: count }, (_, i) => ({ objects: [car(0)], detections: [found(0, 1 - i / 1000)] }));
const alarm = (score: number): DetectionFrame => ({ objects: [], detections: [found(0, score)] });
const ap = (frames: DetectionFrame[], more: Partial<AveragePrecisionOptions> = {}) =>
  averagePrecision(frames, { class: 'Car', ...more });
const close = (actual: number, expected: number) =>
  assert.ok(Math.abs(actual - expected) < 1e-12, `${actual} is not ${expected}`);

test('perfect detections of 41 objects or more have an average precision of 1', () => {
  for (const count of [41, 42, 60, 80, 100, 333]) {
    const { ap11, ap40, objects, curve } = ap(perfect(count));
    assert.equal([ap11, ap40, objects, curve.length], [1, 1, count, 41]);
  }
});

test('with fewer objects every object is a point: KITTI gives (n − 1) / 40, and ⌈n / 4⌉ / 11', () => {
  for (const count of [1, 4, 5, 17, 40]) {
    const { ap11, ap40, curve } = ap(perfect(count));
    close(ap40, (count - 1) / 40);
    close(ap11, Math.ceil(count / 4) / 11);
    assert.is(curve.length, count);
  }
});

test('precision over recall worked by hand: a false alarm surer than the last quarter of the hits', () => {
  // 80 objects, of which 60 are found. Positions 0 … 40 are recalls 0, 1/40, …: hits 1 (nearest to 0), 2, 4, 6 … 60, which
  // is 31 points up to recall 60/80 = 30/40. One false alarm lies between hits 45 and 46: at hits 46, 48 … 60 precision is
  // h / (h + 1), interpolated 60 / 61 for all; before it is 1: hits 1, 2, 4 … 44 are positions 0 to 22.
  const missed: DetectionFrame = { objects: Array.from({ length: 20 }, (_, i) => car(i)), detections: [] };
  const { ap11, ap40, curve, objects } = ap([...perfect(60), missed, alarm(1 - 44.5 / 1000)]);
  assert.is(objects, 80);
  assert.is(curve.length, 31);
  close(curve[23].recall, 46 / 80);
  close(curve[23].precision, 46 / 47);
  close(curve[23].interpolated, 60 / 61);
  close(ap40, (22 + 8 * (60 / 61)) / 40);
  // Of the eleven, positions 0, 4 … 20 are 1, and 24 and 28 are 60/61.
  close(ap11, (6 + 2 * (60 / 61)) / 11);
});

test('without objects that count there is nothing to say, and without detections nothing is right', () => {
  assert.equal(ap([alarm(1)]), { ap11: 0, ap40: 0, objects: 0, curve: [] });
  assert.equal(ap([{ objects: [car(0)], detections: [] }]), { ap11: 0, ap40: 0, objects: 1, curve: [] });
  assert.equal(ap([]), { ap11: 0, ap40: 0, objects: 0, curve: [] });
});

test('cars are hits above 0.7 as in KITTI, others above 0.5, unless it is said', () => {
  const frames = Array.from({ length: 60 }, (_, i) => ({
    objects: [car(0), car(1, { class: 'Cyclist' })],
    // 0.75 of the height: intersection over union 0.75 / 1.25 = 0.6.
    detections: [found(0, i, { box: shifted(0, 0.75) }), found(1, i, { class: 'Cyclist', box: shifted(1, 0.75) })],
  }));
  assert.equal([ap(frames).ap40, ap(frames, { minimumOverlap: 0.5 }).ap40], [0, 1]);
  assert.equal(
    [ap(frames, { class: 'Cyclist' }).ap40, ap(frames, { class: 'Cyclist', minimumOverlap: 0.7 }).ap40],
    [1, 0],
  );
});

/** Images with everything that the rules are about. */
function randomFrames(seed: number, count: number): DetectionFrame[] {
  const random = new RandomStream({ seed, index: 0 });
  const pick = <T>(...values: T[]): T => values[random.integer(values.length)];
  return Array.from({ length: count }, () => {
    const objects: TrueObject[] = [];
    const detections: DetectedObject[] = [];
    for (let n = random.integer(7); n > 0; n--) {
      const box: DetectionBox = [
        random.integer(300),
        random.integer(60),
        20 + random.integer(90),
        15 + random.integer(70),
      ];
      objects.push({
        ...{ class: pick('Car', 'Car', 'Car', 'Car', 'Van', 'Truck', 'DontCare'), box },
        ...{ truncation: pick(0, 0, 0, 0.15, 0.3, 0.31, 0.6), occlusion: pick(0, 0, 0, 1, 2, 3) },
      });
      for (let copies = random.integer(3); copies > 0; copies--) {
        const jitter = () => random.integer(13) - 6;
        const near = [box[0] + jitter(), box[1] + jitter(), box[2] + jitter(), box[3] + jitter()] as const;
        detections.push({ class: pick('Car', 'Car', 'Car', 'Van'), box: near, score: random.uniform() });
      }
    }
    for (let n = random.integer(3); n > 0; n--) {
      const box = [random.integer(300), random.integer(60), 60, 10 + random.integer(60)] as const;
      detections.push({ class: 'Car', box, score: random.uniform() });
    }
    return { objects, detections };
  });
}

test('a false alarm never raises the average precision', () => {
  const random = new RandomStream({ seed: 7, index: 1 });
  for (let seed = 0; seed < 30; seed++) {
    const frames = randomFrames(seed, 25);
    const options = { class: 'Car', difficulty: 'hard', minimumOverlap: 0.5 } as const;
    const before = averagePrecision(frames, options);
    // Where nothing else is.
    const after = averagePrecision(
      frames.map((frame, i) =>
        i % 5 > 0 ? frame : { ...frame, detections: [...frame.detections, found(5, random.uniform())] },
      ),
      options,
    );
    assert.ok(after.ap11 <= before.ap11 && after.ap40 <= before.ap40);
    assert.ok(before.ap40 > 0.05 && after.ap40 < before.ap40);
  }
});

test('the order of images and of detections does not matter, nor any change of scores that keeps their order', () => {
  const random = new RandomStream({ seed: 8, index: 2 });
  const shuffle = <T>(values: readonly T[]): T[] => {
    const left = [...values];
    return values.map(() => left.splice(random.integer(left.length), 1)[0]);
  };
  const withoutScores = ({ curve, ...rest }: ReturnType<typeof averagePrecision>) => ({
    ...rest,
    curve: curve.map(({ score, ...point }) => point),
  });
  for (let seed = 0; seed < 20; seed++) {
    // Without small detections: of several that lie on an object the first one is taken (they differ in nothing that counts
    // but in what else they may lie on).
    const frames = randomFrames(seed, 25).map(({ objects, detections }) => ({
      objects,
      detections: detections.filter(({ box }) => box[3] >= 25),
    }));
    const options = { class: 'Car', minimumOverlap: 0.5 } as const;
    const expected = averagePrecision(frames, options);
    const mixed = shuffle(frames).map(({ objects, detections }) => ({ objects, detections: shuffle(detections) }));
    assert.equal(averagePrecision(mixed, options), expected);
    const rescored = frames.map(({ objects, detections }) => ({
      objects,
      detections: detections.map((detection) => ({ ...detection, score: Math.exp(3 * detection.score) - 100 })),
    }));
    assert.equal(withoutScores(averagePrecision(rescored, options)), withoutScores(expected));
  }
});

test('bad options and boxes are refused by name and place', () => {
  const frames = (box: DetectionBox, score = 1) => [
    { objects: [], detections: [] },
    { objects: [], detections: [found(0, score, { box })] },
  ];
  const cases: [work: () => void, type: new (message: string) => Error, expected: RegExp][] = [
    [
      () => ap([], { difficulty: 'easier' as 'easy' }),
      ConfigError,
      /easy, moderate or hard for difficulty but received "easier"/,
    ],
    [() => ap([], { minimumOverlap: 1 }), ConfigError, /\[0, 1\) for minimumOverlap but received 1/],
    [
      () => ap([], { difficulty: { minimumHeight: -1, maximumOcclusion: 0, maximumTruncation: 0 } }),
      ConfigError,
      /difficulty\.minimumHeight but received -1/,
    ],
    [() => ap(frames([0, 0, -1, 5])), DatasetError, /frames\[1\]\.detections\[0\]\.box but received \[0,0,-1,5\]/],
    [() => ap(frames([0, 0, 1, 5], Number.NaN)), DatasetError, /frames\[1\]\.detections\[0\]\.score but received NaN/],
    [
      () => ap([{ objects: [car(0, { truncation: Number.NaN })], detections: [] }]),
      DatasetError,
      /frames\[0\]\.objects\[0\]\.truncation but received NaN/,
    ],
  ];
  for (const [work, type, expected] of cases) {
    try {
      work();
      assert.unreachable();
    } catch (error) {
      assert.instance(error, type);
      assert.match((error as Error).message, expected);
    }
  }
});

const python = findPython('fractions');
if (!python) console.log('# skip average precision against Python: no python3');
else {
  test('random images: the same as an independent computation with exact fractions', () => {
    const script = fileURLToPath(new URL('kittiAp.py', import.meta.url));
    let least = 1;
    let most = 0;
    for (const [seed, difficulty, minimumOverlap, count] of [
      [101, 'easy', 0.5, 90],
      [102, 'moderate', 0.7, 60],
      [103, 'hard', 0.5, 60],
      [104, 'hard', 0.7, 12],
    ] as const) {
      const frames = randomFrames(seed, count);
      const limits = KITTI_DIFFICULTIES[difficulty];
      const edges = ({ box: [x, y, w, h], ...rest }: TrueObject | DetectedObject) => ({
        ...rest,
        box: [x, y, x + w, y + h],
      });
      const input = JSON.stringify({
        ...{ class: 'Car', neighbours: ['Van'], overlap: minimumOverlap },
        ...{ height: limits.minimumHeight, occlusion: limits.maximumOcclusion, truncation: limits.maximumTruncation },
        frames: frames.map(({ objects, detections }) => ({
          objects: objects.map(edges),
          detections: detections.map(edges),
        })),
      });
      const { status, stdout, stderr } = spawnSync(python, [script], { input, encoding: 'utf8' });
      assert.is(status, 0, stderr);
      const expected = JSON.parse(stdout) as { ap11: number; ap40: number; objects: number };
      const { ap11, ap40, objects } = averagePrecision(frames, { class: 'Car', difficulty, minimumOverlap });
      assert.is(objects, expected.objects);
      close(ap11, expected.ap11);
      close(ap40, expected.ap40);
      least = Math.min(least, ap40);
      most = Math.max(most, ap40);
    }
    // Not at the ends, where anything agrees.
    assert.ok(least > 0.02 && most < 0.98 && most - least > 0.1, `${least} to ${most}`);
  });
}

test.run();
