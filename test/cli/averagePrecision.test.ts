import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { DatasetError } from '../../src/errors.js';
import { readKittiDetections } from '../../src/metrics/kittiDetections.js';
import { runCli } from './runCli.js';

const folder = mkdtempSync(join(tmpdir(), 'metasim-cli-average-precision-'));
test.after(() => rmSync(folder, { recursive: true }));

function write(path: string, lines: readonly string[]): void {
  mkdirSync(dirname(join(folder, path)), { recursive: true });
  writeFileSync(join(folder, path), lines.map((line) => `${line}\n`).join(''));
}

// 50 frames with a car and a van each. Every car is found, with scores that fall; the van too, which does not matter; in
// frame 0 a detection with the highest score is in a region of DontCare, in frame 1 one with the lowest is nowhere.
const row = (type: string, left: number, score = '') =>
  `${type} 0.00 0 -1.57 ${left}.00 100.00 ${left + 100}.00 150.00 1.50 1.60 4.00 1.00 1.60 20.00 -1.57 ${score}`.trim();
for (let i = 0; i < 50; i++) {
  const stem = String(i).padStart(6, '0');
  const region = 'DontCare -1 -1 -10 900.00 0.00 1200.00 300.00 -1 -1 -1 -1000 -1000 -1000 -10';
  write(`kitti/training/label_2/${stem}.txt`, [row('Car', 0), row('Van', 300), region]);
  const found = [row('Car', 0, String(0.9 - i / 100)), row('Car', 300, '0.8')];
  if (i === 0) found.push(row('Car', 1000, '0.99'));
  if (i === 1) found.push(row('Car', 600, '0.01'));
  write(`results/data/${stem}.txt`, found);
}
write('kitti/classes.txt', ['Car', 'Van', 'DontCare']);
write('results/data/000777.txt', []);
write('validation.txt', ['000001', '000002']);
const truth = join(folder, 'kitti');
const results = join(folder, 'results');

test('average-precision: a table of classes and difficulties, and the same as one JSON object', async () => {
  const [text, json, few] = await Promise.all([
    runCli(['average-precision', truth, results]),
    runCli(['average-precision', truth, join(results, 'data'), '--difficulty', 'easy', '--overlap', '0.5', '--json']),
    runCli(['average-precision', join(truth, 'training/label_2'), results, '--frames', join(folder, 'validation.txt')]),
  ]);
  assert.is(text.code, 0, text.stderr);
  const [head, , rule, ...rows] = text.stdout.trimEnd().split('\n');
  assert.is(head, '50 frames (detections of 1 more were left out)');
  assert.match(rule, /^─+/);
  assert.equal(
    rows.map((line) => line.trim().split(/ {2,}/)),
    ['easy', 'moderate', 'hard'].map((level) => ['Car', level, '0.7', '50', '100', '100']),
  );
  const {
    results: [found, ...others],
    ...facts
  } = JSON.parse(json.stdout);
  assert.equal(facts, { truth, detections: join(results, 'data'), frames: 50, leftOut: 1 });
  assert.is(others.length, 0);
  const { curve, ...rest } = found;
  assert.equal(rest, { class: 'Car', difficulty: 'easy', minimumOverlap: 0.5, ap11: 1, ap40: 1, objects: 50 });
  assert.is(curve.length, 41);
  assert.match(few.stdout, /^2 frames \(detections of 49 more were left out\)\n/);
  assert.match(few.stdout, /Car +easy +0\.7 +2 +9\.09 +2\.5\n/);
  assert.match(few.stdout, /fewer than 41 objects no detector reaches 100 %/);
});

test('what is missing or wrong is named', async () => {
  write('one/000000.txt', [row('Car', 0)]);
  write('none/000001.txt', []);
  write('twice.txt', ['000000', '000000']);
  write('path.txt', ['../000000']);
  write('blank.txt', ['', '  ']);
  const one = join(folder, 'one');
  const cases: [work: () => Promise<unknown>, expected: RegExp][] = [
    [() => readKittiDetections(truth, one), /Expected 000001\.txt in .*one but received none; .* has an empty file/],
    [() => readKittiDetections(one, join(folder, 'none')), /Expected 000000\.txt in .*none but/],
    [() => readKittiDetections(one, one), /16 fields, with the score last, in .*one\/000000\.txt:1 but received 15/],
    [
      () => readKittiDetections(truth, join(folder, 'no')),
      /Expected text files in .*no, or in data there, but received none/,
    ],
    [
      () => readKittiDetections(truth, results, { frames: join(folder, 'twice.txt') }),
      /every frame once in .*twice\.txt but received 000000 twice/,
    ],
    [
      () => readKittiDetections(truth, results, { frames: join(folder, 'blank.txt') }),
      /names of frames, a line each, in .*blank\.txt but received none/,
    ],
    [
      () => readKittiDetections(truth, results, { frames: join(folder, 'path.txt') }),
      /path\.txt but received "\.\.\/000000"/,
    ],
  ];
  for (const [work, expected] of cases) {
    const error = await work().catch((reason: Error) => reason);
    assert.instance(error, DatasetError);
    assert.match((error as Error).message, expected);
  }
  const { code, stderr } = await runCli(['average-precision', truth, results, '--overlap', '1']);
  assert.is(code, 2);
  assert.match(stderr, /share in \[0, 1\)/);
});

test.run();
