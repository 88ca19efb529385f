import { spawnSync } from 'node:child_process';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import {
  compressRunLengths,
  expandRunLengths,
  runLengthsFault,
  runLengthsOfIds,
  visitRunLengths,
} from '../../../src/dataset/masks/rle.js';
import { RandomStream } from '../../../src/random.js';
import { findPython } from '../../helpers/python.js';

const python = findPython('pycocotools');

const stream = new RandomStream({ seed: 11, index: 0 });
const below = (bound: number) => stream.integer(bound);

/** The definition, pixel by pixel: column-major, zeros first. */
function naiveRunLengths(instances: ArrayLike<number>, width: number, height: number, id: number): number[] {
  const counts = [0];
  let value = false;
  for (let x = 0; x < width; x++) {
    for (let y = 0; y < height; y++) {
      if ((instances[y * width + x] === id) !== value) {
        value = !value;
        counts.push(0);
      }
      counts[counts.length - 1]++;
    }
  }
  return counts;
}

/** Random blocks of ids: runs of all lengths. */
function randomInstances(width: number, height: number): Uint16Array {
  const instances = new Uint16Array(width * height);
  for (let k = below(8); k > 0; k--) {
    const [x0, y0] = [below(width), below(height)];
    const [x1, y1] = [x0 + 1 + below(width - x0), y0 + 1 + below(height - y0)];
    const id = [0, 1, 2, 7, 65535][below(5)];
    for (let y = y0; y < y1; y++) instances.fill(id, y * width + x0, y * width + x1);
  }
  for (let k = below(10); k > 0; k--) instances[below(instances.length)] = below(4);
  return instances;
}

test('run lengths of a 3 × 2 mask, by hand', () => {
  // Rows [5, 5, 0] and [0, 5, 5]; by columns 5 0 | 5 5 | 0 5: for id 5 one, zero, one, one, zero, one.
  const runs = runLengthsOfIds([5, 5, 0, 0, 5, 5], 3, 2);
  assert.equal([...runs], [[5, [0, 1, 1, 2, 1, 1]]]);
});

test('run lengths of all ids in one pass equal those of a loop for each id', () => {
  for (let n = 0; n < 300; n++) {
    const [width, height] = [1 + below(20), 1 + below(20)];
    const instances = randomInstances(width, height);
    const runs = runLengthsOfIds(instances, width, height);
    const ids = new Set(instances);
    ids.delete(0);
    assert.equal(new Set(runs.keys()), ids);
    for (const id of ids) assert.equal(runs.get(id), naiveRunLengths(instances, width, height, id));
  }
});

test('visiting the runs gives the mask back', () => {
  for (let n = 0; n < 200; n++) {
    const [width, height] = [1 + below(20), 1 + below(20)];
    const instances = randomInstances(width, height);
    const back = new Uint16Array(instances.length);
    for (const [id, counts] of runLengthsOfIds(instances, width, height)) {
      visitRunLengths(counts, height, (x, top, bottom) => {
        for (let y = top; y < bottom; y++) back[y * width + x] = id;
      });
    }
    assert.equal(back, instances);
  }
});

test('compressed strings, worked out by hand', () => {
  // 5: 00101 → '5'. 31 needs a second group, as bit 4 is the sign: 11111 + more, 00000 → 'o0'. 0 → '0'.
  assert.is(compressRunLengths([5, 31, 0]), '5o00');
  // The fourth number is stored less the second: 30 − 31 = −1: 11111, no more → 'O'.
  assert.is(compressRunLengths([5, 31, 0, 30]), '5o00O');
  // −33 = …1 1011111: 11111 + more, 11110 → 'oN'. 1000 = 11111 01000: 01000 + more, 11111 + more, 00000 → 'Xo0'.
  assert.is(compressRunLengths([0, 1000, 0, 967]), '0Xo00oN');
  assert.equal(expandRunLengths('0Xo00oN'), [0, 1000, 0, 967]);
});

test('compressing and expanding give the same numbers, up to 2³¹ − 1', () => {
  for (let n = 0; n < 500; n++) {
    const counts = Array.from({ length: below(12) }, () => below(2 ** (1 + below(31))));
    assert.equal(expandRunLengths(compressRunLengths(counts)), counts);
  }
  const extremes = [0, 2 ** 31 - 1, 0, 0, 2 ** 31 - 1, 2 ** 31 - 1, 0];
  assert.equal(expandRunLengths(compressRunLengths(extremes)), extremes);
});

test('expanding anything ends, with numbers of at least 0 or a RangeError that says why', () => {
  let good = 0;
  for (let n = 0; n < 5000; n++) {
    const text = String.fromCharCode(...Array.from({ length: below(10) }, () => 40 + below(80)));
    try {
      for (const count of expandRunLengths(text)) assert.ok(Number.isSafeInteger(count) && count >= 0);
      good++;
    } catch (error) {
      assert.instance(error, RangeError);
      assert.match((error as Error).message, /number|character|run/);
    }
  }
  assert.ok(good > 100 && good < 4900, `${good} of 5000`);
  assert.throws(() => expandRunLengths('5 5'), /the character " " at 1/);
  assert.throws(() => expandRunLengths('o'), /no end/);
  assert.throws(() => expandRunLengths('oooooooo0'), /more than 7 characters/);
  assert.throws(() => expandRunLengths('O'), /negative run -1/);
});

test('run lengths that do not fit a mask are found', () => {
  assert.is(runLengthsFault([2, 3, 1], 6), undefined);
  assert.match(runLengthsFault([2, 3], 6)!, /5 pixels together for 6/);
  assert.match(runLengthsFault([7, -1], 6)!, /-1/);
  assert.match(runLengthsFault([5.5, 0.5], 6)!, /5.5/);
  assert.match(runLengthsFault(['6'], 6)!, /"6"/);
});

if (!python) console.log('# skip run lengths against pycocotools: no Python with pycocotools');
(python ? test : test.skip)('pycocotools reads our strings as the same masks, and we read its', () => {
  const cases = Array.from({ length: 100 }, () => {
    const [width, height] = [1 + below(40), 1 + below(40)];
    const instances = randomInstances(width, height);
    const mask = [...instances].map((id) => (id === 1 ? 1 : 0));
    const counts = runLengthsOfIds(instances, width, height).get(1) ?? [width * height];
    return { width, height, mask, counts, text: compressRunLengths(counts) };
  });
  const script = `
import json, sys
import numpy as np
from pycocotools import mask as M
out = []
for c in json.load(sys.stdin):
    size = [c['height'], c['width']]
    theirs = M.encode(np.asfortranarray(np.array(c['mask'], dtype=np.uint8).reshape(size)))
    ours = M.decode({'size': size, 'counts': c['text']}).flatten().tolist()
    out.append({'mask': ours, 'text': theirs['counts'].decode()})
json.dump(out, sys.stdout)`;
  const { stdout, stderr } = spawnSync(python!, ['-c', script], { input: JSON.stringify(cases), encoding: 'utf8' });
  assert.ok(stdout, stderr);
  for (const [i, theirs] of (JSON.parse(stdout) as { mask: number[]; text: string }[]).entries()) {
    assert.equal(theirs.mask, cases[i].mask);
    assert.is(theirs.text, cases[i].text);
    assert.equal(expandRunLengths(theirs.text), cases[i].counts);
  }
});

test.run();
