// What makes the meshes of the driving world fast must not change them.
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { grown, intersection, moved, polygon } from '../../src/assets/aerial/shapes.js';
import { Picture, remembered, rowPaint } from '../../src/assets/driving/picture.js';
import { byte } from '../../src/assets/driving/surfaces.js';
import { groupRows } from '../../src/assets/groupRows.js';
import { proceduralDriving } from '../../src/assets/proceduralDriving.js';
import { RandomStream } from '../../src/random.js';

test('rows are grouped as their texts are, in the order in which they appear', () => {
  const random = new RandomStream({ seed: 4, index: 0 });
  for (const columns of [1, 3, 11]) {
    for (const Table of [Float32Array, Float64Array]) {
      const table = new Table(columns * 500).map(() => Math.floor(random.uniform() * 3) / 7);
      const texts = Array.from({ length: 500 }, (_, row) => table.subarray(row * columns, (row + 1) * columns).join());
      const distinct = [...new Set(texts)];
      const { groupOf, count } = groupRows(table, columns);
      assert.is(count, distinct.length);
      assert.equal(
        [...groupOf],
        texts.map((text) => distinct.indexOf(text)),
      );
    }
  }
  assert.equal(groupRows(new Float32Array(), 3), { groupOf: new Uint32Array(), count: 0 });
});

test('bytes are rounded as Math.round does, within their range', () => {
  for (const value of [-3, -0.5, 0, 0.4, 0.5, 1.5, 2.5, 127.49999, 254.4999, 254.5, 255, 300, Number.NaN]) {
    assert.is(byte(value), new Uint8Array([Math.min(255, Math.max(0, Math.round(value)))])[0], `${value}`);
  }
});

test('a remembered shape paints what the shape itself does, and is right beside and between pixels too', () => {
  const glass = polygon([
    [-9, 4],
    [-5, -5],
    [6, -6],
    [11, 5],
  ]);
  const size = { width: 24, height: 16 };
  const kept = remembered(glass, size);
  const paint = (shape: typeof glass) => {
    const picture = new Picture(
      24,
      16,
      rowPaint((y) => [y + 100, 20, 30]),
    );
    picture.fill(grown(shape, 1.5), [200, 10, 10]).fill(shape, (x, y) => [x + 50, y + 50, 90], { alpha: 0.7 });
    picture
      .fill(intersection(shape, grown(shape, -1)), [1, 2, 3], { softness: 3 })
      .fill(moved(shape, 0.25, 1), [9, 9, 9]);
    const pixels = new Uint8Array(4 * 24 * 16);
    picture.copyTo(pixels, 24, 0, 0);
    return pixels;
  };
  assert.equal(paint(kept), paint(glass));
  for (const [x, y] of [
    [12.5, 0.5],
    [-12.5, 0.5],
    [0.5, 8.5],
    [0.5, -8.5],
    [0.25, 0.5],
    [0.5, 0.25],
    [0, 0],
  ]) {
    assert.is(kept.distance(x, y), glass.distance(x, y), `${x}, ${y}`);
    assert.is(kept.distance(x, y), glass.distance(x, y), `${x}, ${y}, again`);
  }
});

test('a mesh is the same whether its triangles were counted before or not, and again', () => {
  const [counted] = proceduralDriving({ cars: 1 }).assets;
  const [fresh] = proceduralDriving({ cars: 1 }).assets;
  const { triangles } = counted;
  const first = counted.load();
  assert.equal(first, fresh.load());
  assert.equal(counted.load(), first);
  assert.is(first && 'indices' in first && first.indices.length, 3 * triangles);
});

test.run();
