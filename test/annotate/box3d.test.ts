import { test } from 'uvu';
import * as assert from 'uvu/assert';
import {
  BOX_EDGES,
  boxCorners,
  cameraProjection,
  cutEdges,
  FRONT_FACE,
  observationAngle,
  projectBox,
  tiltedBoxCorners,
} from '../../src/annotate/box3d.js';
import { RandomStream } from '../../src/random.js';

const near = (actual: readonly number[], expected: readonly number[], tolerance = 1e-9) => {
  assert.is(actual.length, expected.length);
  for (const [i, value] of expected.entries()) {
    assert.ok(Math.abs(actual[i] - value) <= tolerance, `[${actual}] is not [${expected}]`);
  }
};
const car = { location: [2, 1.6, 20], dimensions: { height: 1.5, width: 1.8, length: 4 }, rotationY: 0 } as const;
const camera = cameraProjection({ fx: 700, fy: 700, cx: 600, cy: 180 });
const level = { heading: 0, pitch: 0, roll: 0 };

test('corners of a car that faces right: its length along x, its width along z, its height upwards', () => {
  const corners = boxCorners(car);
  // Front (x + 2) left (away from the camera: z + 0.9) below; then right, behind right, behind left; the same above.
  near(corners[0], [4, 1.6, 20.9]);
  near(corners[1], [4, 1.6, 19.1]);
  near(corners[2], [0, 1.6, 19.1]);
  near(corners[3], [0, 1.6, 20.9]);
  near(corners[4], [4, 0.1, 20.9]);
  near(corners[6], [0, 0.1, 19.1]);
  for (const i of FRONT_FACE) assert.is(corners[i][0], 4);
  // Every edge is parallel to an axis, and each of the three lengths is there four times.
  const lengths = BOX_EDGES.map(([a, b]) => Math.hypot(...corners[a].map((v, axis) => v - corners[b][axis])));
  near(lengths.sort(), [1.5, 1.5, 1.5, 1.5, 1.8, 1.8, 1.8, 1.8, 4, 4, 4, 4]);
});

test('−90° faces away from the camera, +90° towards it', () => {
  for (const i of FRONT_FACE) {
    assert.ok(boxCorners({ ...car, rotationY: -Math.PI / 2 })[i][2] > 21.9);
    assert.ok(boxCorners({ ...car, rotationY: Math.PI / 2 })[i][2] < 18.1);
  }
});

test('projection worked by hand', () => {
  const { edges, segments } = projectBox(boxCorners(car), camera);
  // Right and bottom by the near face (z = 19.1); left at x = 0 by both; the roof is below the axis (y = 0.1), so its far
  // edge (z = 20.9) is the higher one.
  near(edges!, [600, 180 + (700 * 0.1) / 20.9, 600 + (700 * 4) / 19.1, 180 + (700 * 1.6) / 19.1]);
  assert.is(segments.filter((segment) => segment).length, 12);
});

test('alpha is what is seen: the same for a car straight ahead, less its bearing beside it', () => {
  near([observationAngle(1, [0, 1, 10])], [1]);
  near([observationAngle(-Math.PI / 2, [10, 1, 10])], [(-3 * Math.PI) / 4]);
  // −π + … is wrapped: −3 − π/4 = −3.785, a turn more is 2.498.
  near([observationAngle(-3, [10, 1, 10])], [-3 - Math.PI / 4 + 2 * Math.PI]);
  near([observationAngle(3, [-10, 1, 10])], [3 + Math.PI / 4 - 2 * Math.PI]);
});

test('a box that reaches behind the camera is cut at the near plane: as its points before it, one by one', () => {
  const random = new RandomStream({ seed: 3, index: 0 });
  const between = (low: number, high: number) => low + (high - low) * random.uniform();
  let cut = 0;
  for (let n = 0; n < 40; n++) {
    const box = {
      location: [between(-4, 4), between(0.5, 2.5), between(-3, 6)],
      dimensions: { height: 1.5, width: 1.8, length: 4 },
      rotationY: between(-3, 3),
    } as const;
    const corners = boxCorners(box);
    const { edges, segments } = projectBox(corners, camera, 0.5);
    // Points on the twelve edges, closely, that lie before the plane.
    const seen: [number, number][] = [];
    for (const [a, b] of BOX_EDGES) {
      for (let i = 0; i <= 4000; i++) {
        const [x, y, z] = corners[a].map((v, axis) => v + (i / 4000) * (corners[b][axis] - v));
        if (z >= 0.5) seen.push([600 + (700 * x) / z, 180 + (700 * y) / z]);
      }
    }
    if (seen.length === 0) {
      assert.is(edges, null);
      continue;
    }
    if (segments.some((segment, i) => segment && BOX_EDGES[i].some((c) => corners[c][2] < 0.5))) cut++;
    const bounds = [Math.min, Math.max].map((pick) =>
      [0, 1].map((axis) => seen.map((p) => p[axis]).reduce((p, q) => pick(p, q))),
    );
    const [[left, top], [right, bottom]] = bounds;
    // The near plane is half a metre away: a step of 1 mm there is up to 10 px for far points of it.
    for (const [i, value] of [left, top, right, bottom].entries()) {
      const outside = i < 2 ? value - edges![i] : edges![i] - value;
      assert.ok(outside >= -1e-6 && outside < 12, `edge ${i}: ${edges![i]} instead of ${value}`);
    }
  }
  assert.ok(cut >= 10);
});

test('a box behind the camera has no edges', () => {
  const { edges, segments } = projectBox(boxCorners({ ...car, location: [0, 1.6, -20] }), camera);
  assert.is(edges, null);
  assert.equal(segments, Array(12).fill(null));
});

test('without tilt the corners by pose are those by rotation_y, for any headings', () => {
  for (const [heading, eye] of [
    [0, 0],
    [90, 0],
    [-37, 12],
    [170, -95],
  ]) {
    // KITTI: rotation_y is the heading before the camera, less a quarter turn.
    const rotationY = ((heading - eye - 90) * Math.PI) / 180;
    const expected = boxCorners({ ...car, rotationY });
    const actual = tiltedBoxCorners(car, { ...level, heading }, { ...level, heading: eye });
    for (const [i, corner] of actual.entries()) near(corner, expected[i]);
  }
});

test('a camera that is pitched nose up by 30° sees an upright pole lean: its top is farther', () => {
  const pole = { location: [0, 0, 10], dimensions: { height: 2, width: 0, length: 0 } } as const;
  const corners = tiltedBoxCorners(pole, level, { ...level, pitch: 30 });
  // Up, (0, −1, 0) in the world, is (0, −cos 30°, +sin 30°) before a camera that looks up: towards where it looks.
  near(corners[4], [0, -2 * Math.cos(Math.PI / 6), 10 + 2 * Math.sin(Math.PI / 6)]);
  // Rolled, right side down, by 90°: up is to its left.
  near(tiltedBoxCorners(pole, level, { ...level, roll: 90 })[4], [-2, 0, 10]);
});

test('rectangles are cut to the image; what only touches it is outside', () => {
  assert.equal(cutEdges([-5, 10, 30, 400], [0, 0, 1241, 374]), [0, 10, 30, 374]);
  assert.is(cutEdges([-5, 10, 0, 400], [0, 0, 1241, 374]), undefined);
});

test.run();
