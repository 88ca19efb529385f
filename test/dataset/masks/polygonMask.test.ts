import { spawnSync } from 'node:child_process';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { PolygonRasteriser } from '../../../src/dataset/masks/polygonMask.js';
import { RandomStream } from '../../../src/random.js';
import { findPython } from '../../helpers/python.js';

const python = findPython('pycocotools');

/** Rows of `.` and `#`. */
function draw(width: number, height: number, ...polygons: number[][]): string[] {
  const rows = Array.from({ length: height }, () => new Array<string>(width).fill('.'));
  const rasteriser = new PolygonRasteriser(width, height);
  for (const points of polygons) {
    rasteriser.visit(points, (x, top, bottom) => {
      for (let y = top; y < bottom; y++) rows[y][x] = '#';
    });
  }
  return rows.map((row) => row.join(''));
}

test('a rectangle between pixel borders covers the pixels within, turned either way', () => {
  const expected = ['.....', '.##..', '.##..', '.##..'];
  assert.equal(draw(5, 4, [1, 1, 3, 1, 3, 4, 1, 4]), expected);
  assert.equal(draw(5, 4, [1, 1, 1, 4, 3, 4, 3, 1]), expected);
});

test('what lies beyond the canvas is cut off', () => {
  assert.equal(draw(3, 2, [-10, -10, 2, -10, 2, 10, -10, 10]), ['##.', '##.']);
  assert.equal(draw(3, 2, [5, 5, 9, 5, 9, 9]), ['...', '...']);
});

test('a polygon that crosses itself is filled by the even-odd rule', () => {
  // Two squares in one line: 0 … 6 and 2 … 4; the inner one is a hole.
  const points = [0, 0, 6, 0, 6, 6, 0, 6, 0, 0, 2, 2, 4, 2, 4, 4, 2, 4, 2, 2];
  assert.equal(draw(6, 6, points), ['######', '######', '##..##', '##..##', '######', '######']);
});

test('lines and points cover nothing, and leave nothing for the next polygon', () => {
  assert.equal(draw(4, 2, [0, 0, 4, 2], [1, 1], [], [2, 0, 3, 0, 3, 2, 2, 2]), ['..#.', '..#.']);
});

test('a triangle of coordinates far away is cut off at once', () => {
  assert.equal(draw(2, 2, [-1e6, -1e6, 1e6, -1e6, 1e6, 1e6, -1e6, 1e6]), ['##', '##']);
});

if (!python) console.log('# skip polygons against pycocotools: no Python with pycocotools');
(python ? test : test.skip)('random polygons cover the same pixels as those of pycocotools, every one', () => {
  const stream = new RandomStream({ seed: 3, index: 0 });
  const cases = Array.from({ length: 2000 }, () => {
    const [width, height] = [1 + stream.integer(30), 1 + stream.integer(30)];
    const spread = stream.integer(3) === 0 ? 3 : 1;
    const round = stream.integer(3) === 0;
    const points: number[] = [];
    for (let k = 3 + stream.integer(8); k > 0; k--) {
      for (const side of [width, height]) {
        const value = (stream.uniform() - 0.5) * side * spread + side / 2;
        // Whole and half pixels are where rules of rounding differ.
        points.push(round ? Math.round(2 * value) / 2 : value);
      }
    }
    return { width, height, points, rows: draw(width, height, points) };
  });
  const script = `
import json, sys
from pycocotools import mask as M
different = covered = 0
for c in json.load(sys.stdin):
    mask = M.decode(M.frPyObjects([c['points']], c['height'], c['width']))[:, :, 0]
    covered += int(mask.sum())
    different += [''.join('#' if v else '.' for v in row) for row in mask] != c['rows']
print(different, covered)`;
  const { stdout, stderr } = spawnSync(python!, ['-c', script], { input: JSON.stringify(cases), encoding: 'utf8' });
  assert.ok(stdout, stderr);
  const [different, covered] = stdout.trim().split(' ').map(Number);
  assert.is(different, 0);
  assert.ok(covered > 50000, `${covered} pixels`);
});

test.run();
