import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { traceContours } from '../../../src/dataset/masks/contours.js';
import { joinContours } from '../../../src/dataset/masks/joinContours.js';
import { fillPolygon } from '../../../src/dataset/masks/polygons.js';

interface Mask {
  readonly width: number;
  readonly height: number;
  readonly mask: Uint8Array;
}

/** `#` is the region. */
function draw(...rows: string[]): Mask {
  const mask = Uint8Array.from(rows.join(''), (pixel) => (pixel === '#' ? 1 : 0));
  return { width: rows[0].length, height: rows.length, mask };
}

const whole = ({ width, height }: Mask) => ({ left: 0, top: 0, right: width, bottom: height });
const contoursOf = (drawn: Mask) => traceContours(drawn.mask, drawn.width, 1, whole(drawn));

/** Even-odd filling by its definition: a ray from each pixel's centre to the right crosses the line an odd number of times. */
function naiveFill(points: ArrayLike<number>, width: number, height: number): Uint8Array {
  const filled = new Uint8Array(width * height);
  const count = points.length / 2;
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      let crossings = 0;
      for (let i = 0; i < count; i++) {
        const j = (i + 1) % count;
        const [ax, ay, bx, by] = [points[2 * i], points[2 * i + 1], points[2 * j], points[2 * j + 1]];
        if (ay > y + 0.5 === by > y + 0.5) continue;
        if (ax + ((y + 0.5 - ay) * (bx - ax)) / (by - ay) > x + 0.5) crossings++;
      }
      filled[y * width + x] = crossings % 2;
    }
  }
  return filled;
}

function fill(points: ArrayLike<number>, width: number, height: number): Uint8Array {
  const filled = new Uint8Array(width * height);
  fillPolygon(points, width, height, (y, from, to) => {
    for (let x = from; x < to; x++) {
      assert.is(filled[y * width + x], 0, 'no pixel is visited twice');
      filled[y * width + x] = 1;
    }
  });
  return filled;
}

const masks = fc
  .record({
    width: fc.integer({ min: 1, max: 14 }),
    height: fc.integer({ min: 1, max: 12 }),
    share: fc.constantFrom(2, 3, 5, 8),
  })
  .chain(({ width, height, share }) =>
    fc
      .array(fc.integer({ min: 0, max: 9 }), { minLength: width * height, maxLength: width * height })
      .map((values): Mask => ({ width, height, mask: Uint8Array.from(values, (value) => (value < share ? 1 : 0)) })),
  )
  .filter(({ mask }) => mask.includes(1));

test('an L has six corners, clockwise from the topmost left one', () => {
  const [contour, ...others] = contoursOf(draw('....', '.#..', '.#..', '.##.'));
  assert.equal([...contour.points], [1, 1, 2, 1, 2, 3, 3, 3, 3, 4, 1, 4]);
  assert.not(contour.hole);
  assert.is(others.length, 0);
});

test('a ring has an outline and a hole, which runs the other way', () => {
  const contours = contoursOf(draw('###', '#.#', '###'));
  assert.equal(
    contours.map(({ points, hole }) => [hole, ...points]),
    [
      [false, 0, 0, 3, 0, 3, 3, 0, 3],
      // Below the hole's bottom edge begins a row of upper edges: there the walk starts.
      [true, 1, 2, 2, 2, 2, 1, 1, 1],
    ],
  );
});

test('pixels that touch at a corner have one outline', () => {
  const contours = contoursOf(draw('#.', '.#'));
  assert.equal(
    contours.map(({ points }) => [...points]),
    [[0, 0, 1, 0, 1, 1, 2, 1, 2, 2, 1, 2, 1, 1, 0, 1]],
  );
});

test('a window cuts the region off, and other values are not the region', () => {
  const mask = Uint8Array.of(7, 7, 7, 7, 3, 7, 7, 7, 7);
  const [contour] = traceContours(mask, 3, 7, { left: 0, top: 0, right: 1, bottom: 3 });
  assert.equal([...contour.points], [0, 0, 1, 0, 1, 3, 0, 3]);
  const inner = traceContours(mask, 3, 3, { left: 0, top: 0, right: 3, bottom: 3 });
  assert.equal([...inner[0].points], [1, 1, 2, 1, 2, 2, 1, 2]);
});

test('random masks: no two sides in a row go the same way, sides run along the axes', () => {
  fc.assert(
    fc.property(masks, (drawn) => {
      for (const { points } of contoursOf(drawn)) {
        const count = points.length / 2;
        assert.ok(count >= 4);
        for (let i = 0; i < count; i++) {
          const [a, b] = [2 * i, 2 * ((i + 1) % count)];
          const across = points[a + 1] === points[b + 1];
          assert.is(across, i % 2 === 0, 'sides alternate between across and down');
          if (!across) assert.is(points[a], points[b]);
        }
      }
    }),
    { seed: 1, numRuns: 300 },
  );
});

test('random masks, with parts and holes: the joined polygon filled is the mask, pixel for pixel', () => {
  fc.assert(
    fc.property(masks, (drawn) => {
      const polygon = joinContours(contoursOf(drawn), whole(drawn));
      assert.equal(naiveFill(polygon, drawn.width, drawn.height), drawn.mask);
      assert.equal(fill(polygon, drawn.width, drawn.height), drawn.mask);
    }),
    { seed: 2, numRuns: 500 },
  );
});

test('random masks: bridges are as short as a minimum spanning tree over all pairs of corners', () => {
  fc.assert(
    fc.property(masks, (drawn) => {
      const contours = contoursOf(drawn);
      const polygon = joinContours(contours, whole(drawn));
      const length = (points: ArrayLike<number>) => {
        let sum = 0;
        for (let i = 0; i < points.length; i += 2) {
          const j = (i + 2) % points.length;
          sum += Math.abs(points[i] - points[j]) + Math.abs(points[i + 1] - points[j + 1]);
        }
        return sum;
      };
      const outlines = contours.reduce((sum, { points }) => sum + length(points), 0);
      assert.is(length(polygon), outlines + 2 * naiveTree(contours.map(({ points }) => points)));
    }),
    { seed: 3, numRuns: 300 },
  );
});

/** Prim's algorithm over the distances (along the axes) of all pairs of corners. */
function naiveTree(lines: readonly Int32Array[]): number {
  const between = (a: Int32Array, b: Int32Array) => {
    let least = Infinity;
    for (let i = 0; i < a.length; i += 2) {
      for (let j = 0; j < b.length; j += 2)
        least = Math.min(least, Math.abs(a[i] - b[j]) + Math.abs(a[i + 1] - b[j + 1]));
    }
    return least;
  };
  const left = new Set(lines.slice(1));
  const joined = [lines[0]];
  let sum = 0;
  while (left.size > 0) {
    let best = { distance: Infinity, line: lines[0] };
    for (const line of left) {
      const distance = Math.min(...joined.map((other) => between(line, other)));
      if (distance < best.distance) best = { distance, line };
    }
    sum += best.distance;
    left.delete(best.line);
    joined.push(best.line);
  }
  return sum;
}

test('a chain of ten thousand parts is joined without recursion', () => {
  const [width, height] = [400, 100];
  const mask = Uint8Array.from({ length: width * height }, (_, i) => ((i % width) % 2) & (Math.floor(i / width) % 2));
  const drawn = { width, height, mask };
  const contours = contoursOf(drawn);
  assert.is(contours.length, 10_000);
  assert.equal(fill(joinContours(contours, whole(drawn)), width, height), mask);
});

test('any polygon, also one that crosses itself and leaves the canvas, fills as the even-odd rule says', () => {
  // Sixteenths: no centre lies on a side by rounding alone, but some lie on it exactly.
  const coordinate = fc.integer({ min: -80, max: 260 }).map((value) => value / 16);
  fc.assert(
    fc.property(fc.array(fc.tuple(coordinate, coordinate), { minLength: 3, maxLength: 9 }), (corners) => {
      const points = corners.flat();
      assert.equal(fill(points, 12, 10), naiveFill(points, 12, 10));
    }),
    { seed: 4, numRuns: 1000 },
  );
});

test('two triangles of a square share no pixel and leave none out', () => {
  const square = fill([1, 1, 6, 1, 6, 6, 1, 6], 8, 8);
  const [upper, lower] = [fill([1, 1, 6, 1, 6, 6], 8, 8), fill([1, 1, 6, 6, 1, 6], 8, 8)];
  assert.equal(
    square,
    upper.map((value, i) => value + lower[i]),
  );
});

test('an empty polygon, a line and one above the canvas fill nothing', () => {
  for (const points of [[], [1, 1, 5, 5], [0, -9, 5, -9, 5, -1]]) {
    assert.equal(fill(points, 6, 6), new Uint8Array(36));
  }
});

test.run();
