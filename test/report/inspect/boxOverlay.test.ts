import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { Box3d, ImageCamera } from '../../../src/annotate/objectLabel.js';
import { RandomStream } from '../../../src/random.js';
import { drawBox3d, drawLine } from '../../../src/report/inspect/boxOverlay.js';
import { type Colour, Picture } from '../../../src/report/picture.js';

const white: Colour = [255, 255, 255];
const upright = { heading: 0, pitch: 0, roll: 0 };
const camera: ImageCamera = {
  ...{ fx: 100, fy: 100, cx: 50, cy: 30, near: 0.1, far: 0 },
  pose: { position: [0, -1.5, 0], ...upright },
};
const at = (picture: Picture, x: number, y: number) => [
  ...picture.pixels.subarray((y * picture.width + x) * 3, (y * picture.width + x) * 3 + 3),
];

test('a line is as dark at every pixel as its distance from it says, also where it leaves the picture', () => {
  const random = new RandomStream({ seed: 4, index: 0 });
  let drawn = 0;
  for (let n = 0; n < 40; n++) {
    const ends = () => [90 * random.uniform() - 30, 70 * random.uniform() - 20] as const;
    const [[x0, y0], [x1, y1]] = [ends(), ends()];
    const width = 1 + 2 * random.uniform();
    const picture = new Picture(32, 24, [0, 0, 0]);
    drawLine(picture, [x0, y0, x1, y1], width, white, 1);
    for (let y = 0; y < 24; y++) {
      for (let x = 0; x < 32; x++) {
        // The nearest of many points of the line.
        let distance = Number.POSITIVE_INFINITY;
        for (let i = 0; i <= 500; i++) {
          const t = i / 500;
          distance = Math.min(distance, Math.hypot(x0 + t * (x1 - x0) - x - 0.5, y0 + t * (y1 - y0) - y - 0.5));
        }
        const cover = Math.min(1, Math.max(0, width / 2 + 0.5 - distance));
        assert.ok(Math.abs(at(picture, x, y)[0] - 255 * cover) < 6, `${n}: ${x}, ${y}`);
        if (cover > 0) drawn++;
      }
    }
  }
  assert.ok(drawn > 500);
});

test('lines of no length are dots, and far away ones cost and draw nothing', () => {
  const picture = new Picture(9, 9, [0, 0, 0]);
  drawLine(picture, [4.5, 4.5, 4.5, 4.5], 1, white, 1);
  assert.equal(
    [at(picture, 4, 4), at(picture, 5, 4), at(picture, 6, 4)],
    [
      [255, 255, 255],
      [0, 0, 0],
      [0, 0, 0],
    ],
  );
  drawLine(picture, [1e9, -1e9, 2e9, 5e9], 3, white, 1);
  assert.is(
    picture.pixels.reduce((sum, value) => sum + value, 0),
    3 * 255,
  );
});

test('the box of a car: its edges on the image, twelve lines and a cross on its front, at the scale of the picture', () => {
  const box3d: Box3d = {
    ...{ location: [0, 1.5, 10], dimensions: { height: 2, width: 2, length: 4 } },
    ...{ rotationY: Math.PI / 2, alpha: Math.PI / 2 },
  };
  // It comes towards the camera: its front, 8 m away, is 25 px wide and high, from (37.5, 23.75) to (62.5, 48.75).
  const front = [37.5, 23.75, 62.5, 48.75];
  const blue: Colour = [0, 0, 255];
  for (const up of [1, 4]) {
    const picture = new Picture(100 * up, 60 * up, [0, 0, 0]);
    const edges = drawBox3d(picture, { up, down: 1 }, { class: 'Car', box: null, box3d }, camera, blue);
    for (const [i, edge] of edges!.entries()) assert.ok(Math.abs(edge - front[i]) < 1e-9);
    const lit = (x: number, y: number) => at(picture, Math.floor(x * up), Math.floor(y * up))[2];
    // The four edges of the front, its middle (the cross), and the farther face, 12 m away: 16.7 px wide.
    for (const [x, y] of [
      [50, 23.75],
      [50, 48.75],
      [37.5, 40],
      [62.5, 40],
      [50, 36.25],
      [50, 42.5],
      [58.33, 38],
    ]) {
      assert.ok(lit(x, y) > 100, `${x}, ${y}`);
    }
    assert.is(lit(50, 20), 0);
    assert.is(lit(65, 36), 0);
    assert.is(lit(45, 46), 0);
  }
});

test('objects without a 3D box, or behind the camera, are not drawn', () => {
  const picture = new Picture(20, 20, [0, 0, 0]);
  const behind = {
    location: [0, 1, -9],
    dimensions: { height: 1, width: 1, length: 1 },
    rotationY: 0,
    alpha: 0,
  } as const;
  for (const object of [
    { class: 'a', box: null },
    { class: 'a', box: null, box3d: null },
    { class: 'a', box: null, box3d: behind },
  ]) {
    assert.is(drawBox3d(picture, { up: 1, down: 1 }, object, camera, white), null);
  }
  assert.ok(picture.pixels.every((value) => value === 0));
});

test.run();
