import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { boxCorners, cameraProjection, cutEdges, observationAngle, projectBox } from '../../../src/annotate/box3d.js';
import { dataFolder } from '../../../src/dataFolder.js';
import { kittiFormat } from '../../../src/dataset/formats/kitti.js';
import {
  cameraCalibration,
  cameraOfCalibration,
  formatKittiCalibration,
  parseKittiCalibration,
} from '../../../src/dataset/formats/kittiCalibration.js';
import { formatKittiLabel, parseKittiLabel } from '../../../src/dataset/formats/kittiLabel.js';
import {
  KITTI_LABELLED,
  kittiLabelsOf,
  objectOfKitti,
  type SeenObject,
} from '../../../src/dataset/formats/kittiObjects.js';
import { encodePng } from '../../../src/dataset/png.js';
import type { DatasetInfo, DatasetSample, ImageLabels } from '../../../src/dataset/sample.js';
import { readAll, writeFixture } from './harness.js';

const width = 1242;
const height = 375;
const upright = { heading: 0, pitch: 0, roll: 0 };
const camera: ImageLabels['camera'] = {
  ...{ fx: 700, fy: 700, cx: 600.5, cy: 180.5, near: 0.3, far: 0 },
  pose: { position: [0, -1.6, 0], ...upright },
};
const frame = { width, height, camera };

/** A car 20 m ahead and 2 m to the right that drives away; its wheels are 1.6 m below the camera. */
const car: SeenObject = {
  ...{ class: 'Car', box: [640, 190, 70, 50], truncation: 0.1, occluded: 0.2, occlusion: 1 },
  box3d: {
    ...{ location: [2, 1.6, 20], dimensions: { height: 1.5, width: 1.8, length: 4 } },
    ...{ rotationY: -Math.PI / 2, alpha: observationAngle(-Math.PI / 2, [2, 1.6, 20]) },
  },
  pose: { position: [2, 0, 20], ...upright, scale: 1 },
};

const rowsOf = (objects: readonly SeenObject[], of = frame) => kittiLabelsOf(objects, of).map(formatKittiLabel);

test('the row of a 3D object worked by hand: height, width, length; bottom centre; the box of its projection', () => {
  // Its rear, 18 m away: x from 1.1 to 2.9, y from 0.1 to 1.6. Its front, 22 m away, is within but on the left:
  // left 600 + 700 · 1.1 / 22 = 635, right 600 + 700 · 2.9 / 18 = 712.78,
  // top 180 + 700 · 0.1 / 22 = 183.18, bottom 180 + 700 · 1.6 / 18 = 242.22.
  // alpha = −1.5708 − atan(2 / 20) = −1.6705.
  assert.equal(rowsOf([car]), ['Car 0.10 1 -1.67 635.00 183.18 712.78 242.22 1.50 1.80 4.00 2.00 1.60 20.00 -1.57']);
});

test('a box that leaves the image is cut to its first and last pixels', () => {
  const near: SeenObject = { ...car, box3d: { ...car.box3d!, location: [2, 1.6, 2.5] } };
  // Its rear, 0.5 m away, fills all to the right and below; its front, 4.5 m away, is at 600 + 700 · 1.1 / 4.5 on the left
  // and its top at 180 + 700 · 0.1 / 4.5.
  assert.equal(
    kittiLabelsOf([near], frame)[0].box.map((edge) => edge.toFixed(2)),
    ['771.11', '195.56', '1241.00', '374.00'],
  );
});

test('the box of a car is around its mesh, also where camera and road are tilted', () => {
  // A camera that looks 5° down on a level car: KITTI's numbers know of no tilt, the 2D box does.
  const pose = { position: [0, -1.6, 0] as const, heading: 0, pitch: -5, roll: 0 };
  const tilted = { ...frame, camera: { ...camera!, pose } };
  const [label] = kittiLabelsOf([car], tilted);
  const c = Math.cos((5 * Math.PI) / 180);
  const s = Math.sin((5 * Math.PI) / 180);
  const xs: number[] = [];
  const ys: number[] = [];
  for (const [dx, up, dz] of [-1, 1].flatMap((a) => [0, 1.5].flatMap((b) => [-2, 2].map((d) => [a * 0.9, b, d])))) {
    // Forward, before a camera that looks down by 5°, is (0, −s, c), and up is (0, −c, −s).
    const [x, y, z] = [2 + dx, 1.6 - up * c - dz * s, 20 - up * s + dz * c];
    xs.push(600 + (700 * x) / z);
    ys.push(180 + (700 * y) / z);
  }
  for (const [i, value] of [Math.min(...xs), Math.min(...ys), Math.max(...xs), Math.max(...ys)].entries()) {
    assert.ok(Math.abs(label.box[i] - value) < 1e-6);
  }
});

test('what KITTI would not have labelled is a region of DontCare, after all labelled objects', () => {
  const at = (z: number, more: Partial<SeenObject> = {}): SeenObject => ({
    ...car,
    ...more,
    box3d: { ...car.box3d!, location: [2, 1.6, z] },
  });
  const region = 'DontCare -1 -1 -10 640.00 190.00 709.00 239.00 -1 -1 -1 -1000 -1000 -1000 -10';
  const types = (...objects: SeenObject[]) => rowsOf(objects).map((row) => row.split(' ')[0]);
  assert.equal(
    rowsOf([at(KITTI_LABELLED.distance + 0.1), car]).map((row, i) => (i === 0 ? row.slice(0, 4) : row)),
    ['Car ', region],
  );
  // 1.5 m are 13 px at about 80 m; a child of 1 m is too low there, and at 60 m.
  assert.equal(types(at(79)), ['Car']);
  const low = { ...car.box3d!, dimensions: { height: 0.9, width: 0.4, length: 0.4 }, location: [2, 1.6, 60] as const };
  assert.equal(types({ ...car, box3d: low }), ['DontCare']);
  assert.equal(types(at(20, { occluded: 0.95 }), at(20, { occluded: 0.951 })), ['Car', 'DontCare']);
  // What is seen at one pixel, in one row or in one column, is no region without area.
  const edges = (...box: [number, number, number, number]) =>
    rowsOf([at(90, { box })]).map((row) => row.split(' ').slice(4, 8).map(Number))[0];
  assert.equal(edges(30, 40, 1, 1), [30, 40, 31, 41]);
  assert.equal(edges(30, 40, 5, 1), [30, 40, 34, 41]);
  assert.equal(edges(frame.width - 1, frame.height - 3, 1, 3), [
    frame.width - 2,
    frame.height - 3,
    frame.width - 1,
    frame.height - 1,
  ]);
  // What somebody else labelled stays labelled.
  assert.equal(types({ class: 'Tram', box: [1, 1, 9, 9], box3d: at(120).box3d }), ['Tram']);
});

test('a 3D dataset is read back: 3D boxes to half a centimetre, camera, DontCare among the classes', async () => {
  const picture = encodePng({ width, height, channels: 1, pixels: new Uint8Array(width * height) });
  const sample = (objects: SeenObject[]): DatasetSample => ({
    labels: { key: 'k', index: 0, width, height, channels: 1, camera, objects },
    image: { codec: 'png', bytes: picture },
  });
  const info: DatasetInfo = {
    ...{
      name: 'd',
      classes: ['sky', 'Car'],
      things: ['Car'],
      split: 'train',
      codec: 'png',
      masks: false,
      scenes: false,
    },
    ...{ width, height, channels: 1 },
  };
  const hidden = { ...car, occluded: 0.99 };
  const folder = await writeFixture(kittiFormat, { info, samples: [sample([car]), sample([hidden, car])] });
  assert.is(readFileSync(join(folder, 'classes.txt'), 'utf8'), 'Car\nDontCare\n');
  const { info: read, samples } = await readAll(kittiFormat, folder);
  assert.equal([read.classes, read.things, read.dimension], [['Car', 'DontCare'], ['Car'], 3]);
  assert.equal(
    samples[1].labels.objects.map((object) => object.class),
    ['Car', 'DontCare'],
  );
  const [{ labels }] = samples;
  assert.equal(labels.calibration, cameraCalibration(camera!));
  const { near, pose, ...lens } = camera!;
  assert.equal(labels.camera, { ...lens, near: 0, pose: { position: [0, 0, 0], ...upright } });
  const { box3d } = labels.objects[0];
  assert.equal(box3d!.location, [2, 1.6, 20]);
  assert.equal(box3d!.dimensions, car.box3d!.dimensions);
  assert.equal([box3d!.rotationY, box3d!.alpha], [-1.57, -1.67]);
  const plain = await writeFixture(kittiFormat, { info, samples: [sample([car])] }, 1);
  assert.is(readFileSync(join(plain, 'classes.txt'), 'utf8'), 'Car\n');
});

test('fields of a row that nobody knows leave the 3D box out; alpha alone is computed', () => {
  const known = 'Car 0.00 0 -1.67 635.00 183.18 712.78 242.22 1.50 1.80 4.00 2.00 1.60 20.00 -1.57'.split(' ');
  const box3dOf = (field: number, value: string) =>
    objectOfKitti(parseKittiLabel(known.with(field, value).join(' '), 'x:1'), frame).box3d;
  for (const [field, value] of [
    [8, '-1'],
    [10, '-1'],
    [13, '-1000'],
    [14, '-10'],
  ] as const) {
    assert.is(box3dOf(field, value), undefined);
  }
  assert.ok(Math.abs(box3dOf(3, '-10')!.alpha - (-1.57 - Math.atan2(2, 20))) < 1e-9);
});

test('damaged calibration files are refused by place', () => {
  const good = formatKittiCalibration(cameraCalibration(camera!));
  assert.equal(parseKittiCalibration(`${good}extra: 1 2\n`, 'c.txt'), cameraCalibration(camera!));
  assert.equal(parseKittiCalibration(good.replaceAll('\n', '\r\n'), 'c.txt'), cameraCalibration(camera!));
  const cases: [text: string, expected: RegExp][] = [
    [good.replace(/^P1.*\n/m, ''), /Expected P1 in c\.txt but received none/],
    [`${good}P1: 1\n`, /Expected one P1 in c\.txt but received another in line 9/],
    [good.replace(/^(R0_rect: )\S+ /m, '$1'), /Expected 9 finite numbers for R0_rect in c\.txt:5/],
    [good.replace(/^(P2: )\S+/m, '$1nan'), /Expected 12 finite numbers for P2 in c\.txt:3 but received "nan 0/],
  ];
  for (const [text, expected] of cases) assert.throws(() => parseKittiCalibration(text, 'c.txt'), expected);
  const skewed = { ...cameraCalibration(camera!), P2: [700, 3, 600, 0, 0, 700, 180, 0, 0, 0, 1, 0] };
  assert.throws(
    () => cameraOfCalibration(skewed, 'c.txt'),
    /rectified camera .* for P2 in c\.txt but received 700 3 600/,
  );
});

const real = join(dataFolder(), 'kitti');
if (!existsSync(join(real, 'training/calib'))) console.log('# skip real KITTI frames in 3D: no data at METASIM_DATA');
else {
  const { info, samples } = await readAll(kittiFormat, real);
  const files = readdirSync(join(real, 'training/label_2')).sort();

  test('all real frames are read, with the sizes and counts of their table', () => {
    const table = JSON.parse(readFileSync(join(real, 'frames.json'), 'utf8')) as {
      readonly id: string;
      readonly width: number;
      readonly height: number;
      readonly objects: Readonly<Record<string, number>>;
    }[];
    assert.is(info.dimension, 3);
    assert.is(samples.length, 76);
    assert.is(table.length, 76);
    const byId = new Map(table.map((entry) => [Number(entry.id), entry]));
    for (const { labels } of samples) {
      const entry = byId.get(Number(labels.key))!;
      assert.equal([labels.width, labels.height], [entry.width, entry.height]);
      const counts: Record<string, number> = {};
      for (const object of labels.objects) counts[object.class] = (counts[object.class] ?? 0) + 1;
      assert.equal(counts, entry.objects);
      for (const { class: name, box3d } of labels.objects) assert.is(box3d !== undefined, name !== 'DontCare');
    }
  });

  test('real labels and calibrations that are read and written again are equal to their sources, byte for byte', async () => {
    const folder = await writeFixture(kittiFormat, {
      info,
      samples: samples.map(({ labels }) => ({ labels, image: { codec: 'png', bytes: new Uint8Array(1) } })),
    });
    for (const [i, file] of files.entries()) {
      for (const kind of ['label_2', 'calib']) {
        const written = readFileSync(join(folder, 'training', kind, `${String(i).padStart(6, '0')}.txt`), 'utf8');
        assert.is(written, readFileSync(join(real, 'training', kind, file), 'utf8'), `${kind}/${file}`);
      }
    }
  });

  test('unoccluded, untruncated real cars: the projected 3D box is within 3 px of the 2D box, the median within 1', () => {
    const errors: number[] = [];
    for (const { labels } of samples) {
      const projection = cameraProjection(labels.camera!);
      for (const object of labels.objects) {
        if (object.class !== 'Car' || object.occlusion !== 0 || object.truncation !== 0) continue;
        const { edges } = projectBox(boxCorners(object.box3d!), projection);
        // In KITTI's pixels, which are centred at whole numbers; a box is from its first to its last one.
        const [left, top, right, bottom] = edges!.map((edge) => edge - 0.5);
        const cut = cutEdges([left, top, right, bottom], [0, 0, labels.width - 1, labels.height - 1])!;
        const [x, y, w, h] = object.box!;
        const label = [x, y, x + w - 1, y + h - 1];
        errors.push(Math.max(...label.map((edge, i) => Math.abs(edge - cut[i]))));
      }
    }
    errors.sort((a, b) => a - b);
    console.log(
      `# ${errors.length} cars, median ${errors[errors.length >> 1].toFixed(2)}, largest ${errors.at(-1)!.toFixed(2)} px`,
    );
    assert.is(errors.length, 100);
    assert.ok(errors.at(-1)! <= 3);
    assert.ok(errors[errors.length >> 1] <= 1);
  });

  test('alpha of real objects is rotation_y less the bearing, as their rounded digits allow', () => {
    let largest = 0;
    let objects = 0;
    for (const { labels } of samples) {
      for (const { box3d } of labels.objects) {
        // Beside the camera two digits of a location say too little of the bearing.
        if (!box3d || box3d.location[2] < 4) continue;
        const error = Math.abs(observationAngle(box3d.rotationY, box3d.location) - box3d.alpha);
        largest = Math.max(largest, Math.min(error, 2 * Math.PI - error));
        objects++;
      }
    }
    assert.ok(objects > 400);
    assert.ok(largest < 0.06, String(largest));
  });
}

test.run();
