import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { annotateBatch } from '../../src/annotate/annotateScene.js';
import {
  boxCorners,
  cameraProjection,
  cutEdges,
  type ImageEdges,
  projectBox,
  tiltedBoxCorners,
} from '../../src/annotate/box3d.js';
import { imageCamera } from '../../src/annotate/meshGeometry.js';
import type { Box3d, ImageCamera, MeshLabel } from '../../src/annotate/objectLabel.js';
import {
  cameraCalibration,
  formatKittiCalibration,
  parseKittiCalibration,
} from '../../src/dataset/formats/kittiCalibration.js';
import { DONT_CARE, formatKittiLabel, parseKittiLabel } from '../../src/dataset/formats/kittiLabel.js';
import { kittiLabelOf, type SeenObject } from '../../src/dataset/formats/kittiObjects.js';
import { boxLibrary, boxScenes, castRays } from '../helpers/boxScenes.js';
import { entryOf, meshSchema } from '../helpers/meshScenes.js';

/** A scene that was looked at by casting rays at boxes: what is seen has nothing to do with how boxes are projected. */
interface Seen {
  readonly width: number;
  readonly height: number;
  readonly camera: ImageCamera;
  readonly objects: readonly MeshLabel[];
}

/** @param level without pitch and roll of the camera */
function seenScenes(count: number, level: boolean): Seen[] {
  const batch = boxScenes(count, 11);
  return batch.scenes.map((scene, i) => {
    if (level) for (const tilt of ['pitch', 'roll']) scene.attributes[entryOf(0, tilt)] = 0;
    const { instances, coverage } = castRays(batch, i);
    const [objects] = annotateBatch({ ...batch, scenes: [scene] }, instances, coverage, boxLibrary);
    const { width, height } = scene;
    return { width, height, camera: imageCamera(meshSchema, scene), objects: objects as MeshLabel[] };
  });
}

const boxed = ({ objects }: Seen) => objects.filter((object): object is MeshLabel & { box3d: Box3d } => !!object.box3d);

/** The largest distance between edges. */
const apart = (a: readonly number[], b: readonly number[]) => Math.max(...a.map((edge, i) => Math.abs(edge - b[i])));

const tilted = seenScenes(9, false);

test('the projected 3D box of a box is its amodal box to the pixel, however the camera is tilted', () => {
  let compared = 0;
  for (const scene of tilted) {
    for (const { amodalBox, box3d, pose } of boxed(scene)) {
      const corners = tiltedBoxCorners(box3d, pose, scene.camera.pose);
      const { edges } = projectBox(corners, cameraProjection(scene.camera), scene.camera.near);
      // The rays reach 80 px around the canvas: who is cut there, or by the near plane, has other edges.
      const reached: ImageEdges = [-79, -79, scene.width + 79, scene.height + 79];
      if (!edges || apart(cutEdges(edges, reached) ?? reached, edges) > 0) continue;
      const [left, top, width, height] = amodalBox!;
      const pixels: ImageEdges = [left, top, left + width, top + height];
      assert.ok(apart(pixels, edges) <= 1, `${pixels} is not ${edges}`);
      // A pixel is covered where its centre is: the box holds all of them.
      assert.ok(edges[0] <= left + 0.51 && edges[1] <= top + 0.51);
      assert.ok(edges[2] >= pixels[2] - 0.51 && edges[3] >= pixels[3] - 0.51);
      compared++;
    }
  }
  assert.ok(compared >= 20, String(compared));
});

/** A label and a calibration file as they are written, and what somebody else makes of them: the row's own 3D box, by P2. */
function readAgain(object: SeenObject, frame: Seen) {
  const row = parseKittiLabel(formatKittiLabel(kittiLabelOf(object, frame)), 'row');
  if (row.type === DONT_CARE) return undefined;
  const { P2 } = parseKittiCalibration(formatKittiCalibration(cameraCalibration(frame.camera)), 'calib');
  const [height, width, length] = row.dimensions;
  const corners = boxCorners({
    location: row.location,
    dimensions: { height, width, length },
    rotationY: row.rotationY,
  });
  const { edges } = projectBox(corners, P2);
  const cut = edges && cutEdges(edges, [0, 0, frame.width - 1, frame.height - 1]);
  return cut ? { box: row.box, cut, depth: row.location[2] } : undefined;
}

test('KITTI files of level cameras: the 3D box of a row, projected by P2, is the 2D box of the row and holds what is seen', () => {
  let compared = 0;
  for (const frame of seenScenes(9, true)) {
    for (const object of boxed(frame)) {
      if (!object.box) continue;
      const found = readAgain(object as SeenObject, frame);
      if (!found) continue;
      // Two decimals of a metre and of a radian are some pixels of a car beside the camera.
      const tolerance = 0.05 + (180 * 0.02) / Math.max(0.5, found.depth - 2.7);
      assert.ok(apart(found.box, found.cut) <= tolerance, `${found.box} is not ${found.cut}`);
      const [left, top, width, height] = object.box;
      assert.ok(found.box[0] <= left + 0.02 && found.box[1] <= top + 0.02);
      assert.ok(found.box[2] >= left + width - 1.02 && found.box[3] >= top + height - 1.02);
      compared++;
    }
  }
  assert.ok(compared >= 15, String(compared));
});

test('of tilted cameras the 2D box still holds what is seen, to half a pixel; the 3D box of the row leans', () => {
  const errors: number[] = [];
  for (const frame of tilted) {
    for (const object of boxed(frame)) {
      if (!object.box) continue;
      const found = readAgain(object as SeenObject, frame);
      if (!found) continue;
      const [left, top, width, height] = object.box;
      assert.ok(found.box[0] <= left + 0.02 && found.box[1] <= top + 0.02);
      assert.ok(found.box[2] >= left + width - 1.02 && found.box[3] >= top + height - 1.02);
      errors.push(apart(found.box, found.cut));
    }
  }
  errors.sort((a, b) => a - b);
  const median = errors[errors.length >> 1];
  console.log(
    `# pitch −4° to 2°, roll ±1°: the row's 3D box is off by ${median.toFixed(2)} px (median of ${errors.length})`,
  );
  assert.ok(median > 0.1 && median < 3);
});

test.run();
