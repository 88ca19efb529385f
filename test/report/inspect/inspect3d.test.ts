import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { decode } from 'fast-png';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { webDatasetFormat } from '../../../src/dataset/formats/webDataset.js';
import type { SampleObject } from '../../../src/dataset/sample.js';
import { inspectDataset } from '../../../src/report/inspect/inspectDataset.js';
import { inspectionSheets } from '../../../src/report/inspect/inspectionPage.js';
import { inspectionSheet } from '../../../src/report/inspect/inspectionSheet.js';
import { classColour } from '../../../src/report/inspect/labelColours.js';
import type { ShownSample, TileStyle } from '../../../src/report/inspect/labelTile.js';
import { runCli } from '../../cli/runCli.js';
import { temporaryFolder, writeFixture } from '../../dataset/formats/folders.js';
import { boxFixture } from '../../helpers/boxScenes.js';

const fixture = await boxFixture(2);
const { info, samples } = fixture;

/** A sample as `inspectDataset` gives it out. */
function shown(i: number): ShownSample {
  const { labels, pixels, instances, depth, normals } = samples[i];
  const { width, height } = labels;
  return { labels, image: { width, height, channels: 3, pixels: pixels! }, instances, depth, normals };
}

/** Colour at a pixel of the first tile. The samples are small enough to be shown as they are. */
function tileOf(sample: ShownSample, style: TileStyle): (x: number, y: number) => number[] {
  const { picture, tiles } = inspectionSheet([sample], info, style);
  const [left, top] = tiles[0];
  return (x, y) => Array.from(picture.pixels.subarray(3 * ((top + y) * picture.width + left + x)).subarray(0, 3));
}

test('3D boxes are drawn where the camera sees their edges', () => {
  const box3d = {
    location: [1, 1.65, 10],
    dimensions: { height: 1.5, width: 1.8, length: 4.4 },
    rotationY: 0.5,
    alpha: 0.4,
  } as const;
  const object: SampleObject = { class: 'object', box: [70, 40, 60, 40], box3d };
  const camera = { ...{ fx: 180, fy: 180, cx: 80, cy: 40, near: 0.1, far: 0 }, pose: samples[0].labels.camera!.pose };
  const sample = shown(0);
  const only = { ...sample, labels: { ...sample.labels, camera, objects: [object] } };
  const at = tileOf(only, 'boxes3d');
  const plain = tileOf(only, 'plain');
  const { location, dimensions, rotationY } = box3d;
  const { fx, fy, cx, cy } = camera;
  // The front edge of the bottom from left to right, in the camera's frame.
  const colour = [...classColour(0)];
  let drawn = 0;
  for (let t = -0.4; t <= 0.4; t += 0.1) {
    const [c, s] = [Math.cos(rotationY), Math.sin(rotationY)];
    const [front, side] = [dimensions.length / 2, t * dimensions.width];
    const [x, z] = [location[0] + c * front + s * side, location[2] - s * front + c * side];
    const [px, py] = [(fx * x) / z + cx, (fy * location[1]) / z + cy];
    const near = [-1, 0, 1].flatMap((dy) => [-1, 0, 1].map((dx) => at(Math.floor(px) + dx, Math.floor(py) + dy)));
    const distance = (pixel: number[]) => Math.max(...pixel.map((value, i) => Math.abs(value - colour[i])));
    if (Math.min(...near.map(distance)) < 40) drawn++;
  }
  assert.ok(drawn >= 6, `${drawn} of 9`);
  let changed = 0;
  const { width, height } = sample.labels;
  for (let i = 0; i < width * height; i++) {
    const [x, y] = [i % width, Math.floor(i / width)];
    if (String(at(x, y)) !== String(plain(x, y))) changed++;
  }
  // Lines, not areas.
  assert.ok(changed > 20 && changed < (width * height) / 4, `${changed}`);
});

test('depth and normals stand in place of the image, black where there are none', () => {
  const sample = shown(0);
  const [depthAt, normalAt] = [tileOf(sample, 'depth'), tileOf(sample, 'normals')];
  const { width } = sample.labels;
  for (const i of [0, 5 * width + 80, 60 * width + 3, 79 * width + 100]) {
    const [x, y] = [i % width, Math.floor(i / width)];
    assert.equal(normalAt(x, y), Array.from(sample.normals!.subarray(3 * i, 3 * i + 3)));
    assert.is(String(depthAt(x, y)) === '0,0,0', sample.depth![i] === 0);
  }
  const { depth: _, ...without } = sample;
  assert.equal(tileOf(without, 'depth')(80, 79), [0, 0, 0]);
});

test('a dataset has the sheets of what it brings; metasim inspect writes them', async () => {
  const folder = await writeFixture(webDatasetFormat, fixture);
  const inspection = await inspectDataset(await webDatasetFormat.open(folder));
  assert.equal(Object.keys(inspectionSheets(inspection)), ['boxes', 'boxes3d', 'masks', 'depth', 'normals', 'plain']);
  const flat = inspection.shown.map(({ labels, image }) => {
    const { camera: _, ...rest } = labels;
    return { labels: rest, image };
  });
  assert.equal(Object.keys(inspectionSheets({ ...inspection, shown: flat })), ['boxes', 'plain']);
  const out = join(temporaryFolder(), 'look');
  const { code, stderr } = await runCli(['inspect', folder, '--out', out]);
  assert.is(code, 0, stderr);
  for (const style of ['boxes3d', 'depth', 'normals']) {
    const { width, height } = decode(readFileSync(join(out, `${style}.png`)));
    assert.ok(width > 160 && height > 80, style);
  }
  const page = readFileSync(join(out, 'index.html'), 'utf8');
  assert.match(page, /3D boxes/);
});

test.run();
