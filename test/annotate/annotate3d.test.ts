import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { annotateBatch, annotateRegions, annotateScene } from '../../src/annotate/annotateScene.js';
import { imageCamera, meshGeometry } from '../../src/annotate/meshGeometry.js';
import { isMeshLabel, type MeshLabel } from '../../src/annotate/objectLabel.js';
import { regionTable, visibleRegions } from '../../src/annotate/visibleRegions.js';
import { AssetLibrary } from '../../src/assets/assetLibrary.js';
import type { MeshAsset } from '../../src/assets/meshAsset.js';
import type { SampleObject } from '../../src/dataset/sample.js';
import { AssetError, SceneGraphError, ShapeError } from '../../src/errors.js';
import { RandomStream } from '../../src/random.js';
import { COVERAGE_COLUMNS } from '../../src/render/coverage.js';
import { CAMERA, type MeshNode, meshBatch, meshScene, meshSchema } from '../helpers/meshScenes.js';

function mesh(name: string, bounds: Pick<MeshAsset, 'minimum' | 'maximum' | 'body' | 'surface'>): MeshAsset {
  return {
    ...{ kind: 'mesh', name, triangles: 0, ...bounds },
    load: () => {
      throw new Error('labels need no triangles');
    },
  };
}

/** A car of 1.5 × 1.8 × 4.4 m, a box that stands beside its origin, a lawn. */
const library = new AssetLibrary([
  mesh('car', { minimum: [-0.9, -1.5, -2.2], maximum: [0.9, 0, 2.2] }),
  mesh('shed', { minimum: [1, -4, 0], maximum: [3, -1, 2] }),
  mesh('lawn', { minimum: [-50, 0, -50], maximum: [50, 0, 50], surface: 'ground' }),
  mesh('mirrored', {
    minimum: [-1.1, -1.7, -2.2],
    maximum: [1.1, 0, 2.6],
    body: { minimum: [-0.9, -1.5, -2.2], maximum: [0.9, 0, 2.2] },
  }),
]);
const ASSETS = ['car', 'shed', 'lawn', 'mirrored'];
const CAR = { asset: 0 };

/** Labels of a scene in which nothing is seen. */
function unseen(nodes: readonly MeshNode[], camera = CAMERA): MeshLabel[] {
  const scene = meshScene(nodes, { camera });
  const pixels = scene.width * scene.height;
  const labels = annotateScene(
    meshSchema,
    ASSETS,
    scene,
    new Uint16Array(pixels),
    new Float64Array(nodes.length * COVERAGE_COLUMNS),
    library,
  );
  return labels as MeshLabel[];
}

test('a car worked by hand: location, sides, rotation_y, alpha, distance, pose', () => {
  // The camera is 1.65 m above the ground and looks along z, so in its frame the ground is at y = 1.65. The car, 20 m
  // ahead and 2 m to the right, is turned by 30°: 30 − 90 = −60° from facing right. Its bearing is atan(2 ∕ 20) = 5.7106°.
  const [label] = unseen([{ ...CAR, x: 2, z: 20, rotation: 30 }]);
  assert.equal(label.box3d, {
    location: [2, 1.65, 20],
    dimensions: { height: 1.5, width: 1.8, length: 4.4 },
    rotationY: -1.0472,
    alpha: -1.1469, // −1.047198 − 0.099669
  });
  // The middle of the box is 0.75 m above its bottom: √(2² + 0.9² + 20²).
  assert.is(label.distance, 20.1199);
  assert.equal(label.pose, { position: [2, 0, 20], heading: 30, pitch: 0, roll: 0, scale: 1 });
  assert.equal([label.visible, label.box, label.amodalBox, label.occlusion], [false, null, null, 3]);
});

test('a mesh with a body is measured without what stands out of it', () => {
  const place = { x: 2, z: 20, rotation: 30 };
  const [plain, mirrored] = unseen([
    { ...CAR, ...place },
    { asset: 3, ...place },
  ]);
  assert.equal([mirrored.box3d, mirrored.distance], [plain.box3d, plain.distance]);
});

test('what the camera sees does not depend on where in the world both are', () => {
  // As above, but the camera looks along the world's x axis, from (100, −1.65, 50): right is −z, ahead is x.
  const camera = { ...CAMERA, x: 100, z: 50, heading: 90 };
  const [label] = unseen([{ ...CAR, x: 120, z: 48, rotation: 120 }], camera);
  assert.equal(label.box3d, unseen([{ ...CAR, x: 2, z: 20, rotation: 30 }])[0].box3d);
  assert.equal(label.pose, { position: [120, 0, 48], heading: 120, pitch: 0, roll: 0, scale: 1 });
  // The same with a camera node, whose frame takes the place of the scene's camera.
  const node: MeshNode = { kind: 'camera', x: 100, y: -1.65, z: 50, rotation: 90 };
  const [again, ...more] = unseen([node, { ...CAR, x: 120, z: 48, rotation: 120 }]);
  assert.is(more.length, 0);
  assert.equal([again.node, again.box3d], [1, label.box3d]);
});

test('boxes of meshes beside their origin, stretched and scaled by their parents', () => {
  // Parent at (0, 0, 10), heading 90° (its x is the world's −z, its z the world's x), twice as large. The shed stands at
  // x 1…3, y −4…−1, z 0…2 of the child's frame; stretched ×0.5, ×1, ×3: x 0.5…1.5, z 0…6. Its bottom centre (1, −1, 3)
  // is (3·2, −1·2, 10 − 1·2) in the world, and 1.65 m lower in the camera's frame.
  const parent: MeshNode = { z: 10, rotation: 90, scale: 2 };
  const [label] = unseen([parent, { parent: 0, asset: 1, scaleX: 0.5, scaleZ: 3 }]);
  assert.equal(label.box3d?.location, [6, -0.35, 8]);
  assert.equal(label.box3d?.dimensions, { height: 6, width: 2, length: 12 });
  assert.is(label.box3d?.rotationY, 0); // faces right
  assert.is(label.box3d?.alpha, -0.6435); // atan(6 ∕ 8)
  assert.equal(label.pose, { position: [0, 0, 10], heading: 90, pitch: 0, roll: 0, scale: 2 });
});

test('strips and what lies on the ground have no box; frames, cameras and lights are no objects', () => {
  const labels = unseen([
    { kind: 'light', rotation: 40, pitch: 45 },
    { asset: 2 },
    { kind: 'curve' },
    { kind: 'strip', parent: 2, asset: 0 },
    { ...CAR, parent: 3, z: 15, x: -2 },
  ]);
  assert.equal(
    labels.map(({ node, class: name, asset, box3d, distance }) => [node, name, asset, box3d === null, distance]),
    [
      [1, 'object', 'lawn', true, null],
      [3, 'strip', 'car', true, null],
      [4, 'object', 'car', false, 15.1595], // √(2² + 0.9² + 15²)
    ],
  );
});

test('behind the camera z is below 0, and angles stay within a half turn', () => {
  const [label] = unseen([{ ...CAR, x: 1, z: -10, rotation: -170 }]);
  assert.equal(label.box3d?.location, [1, 1.65, -10]);
  // −170 − 90 + 360 = 100°; less atan2(1, −10) = 174.2894°: −74.2894°.
  assert.equal([label.box3d?.rotationY, label.box3d?.alpha], [1.7453, -1.2966]);
  for (let heading = -180; heading < 540; heading += 7.5) {
    for (const [x, z] of [
      [3, 8],
      [-3, 8],
      [-3, -8],
      [3, -8],
    ]) {
      const { rotationY, alpha } = unseen([{ ...CAR, x, z, rotation: heading }])[0].box3d!;
      assert.ok(Math.max(Math.abs(rotationY), Math.abs(alpha)) < Math.PI + 1e-4, `${heading}: ${rotationY}, ${alpha}`);
      const turns = (rotationY - alpha - Math.atan2(x, z)) / (2 * Math.PI);
      assert.ok(Math.abs(turns - Math.round(turns)) < 1e-4, `${heading} at ${x}, ${z}: ${turns}`);
    }
  }
});

test('pose and camera give back the angles they were made of', () => {
  const stream = new RandomStream({ seed: 3, index: 0 });
  const between = (low: number, high: number) => Math.fround(low + (high - low) * stream.uniform());
  for (let i = 0; i < 200; i++) {
    const [heading, pitch, roll] = [between(-180, 180), between(-89, 89), between(-180, 180)];
    const scale = between(0.1, 5);
    const camera = { ...CAMERA, x: between(-50, 50), heading, pitch, roll };
    const nodes: MeshNode[] = [{ ...CAR, rotation: heading, pitch, roll, scale }];
    const scene = meshScene(nodes, { camera });
    const { pose } = unseen(nodes, camera)[0];
    const seen = imageCamera(meshSchema, scene);
    for (const [name, value] of Object.entries({ heading, pitch, roll })) {
      const own = pose[name as 'heading'];
      const other = seen.pose[name as 'heading'];
      assert.ok(Math.abs(own - value) < 1e-4 && Math.abs(other - value) < 2e-6, `${name} ${value}: ${own}, ${other}`);
    }
    assert.ok(Math.abs(pose.scale - scale) < 1e-4);
    assert.ok(Math.abs(seen.pose.position[0] - camera.x) < 1e-6 && Math.abs(seen.pose.position[1] + 1.65) < 1e-6);
  }
  assert.equal(imageCamera(meshSchema, meshScene([])), {
    ...{ fx: 180, fy: 180, cx: 80, cy: 40, near: 0.1, far: 500 },
    pose: { position: [0, -1.65, 0], heading: 0, pitch: 0, roll: 0 },
  });
});

test('what is seen and what would be: as in 2D, with the pixels that only a crowd gives', () => {
  const scene = meshScene([
    { ...CAR, z: 10 },
    { ...CAR, z: 20 },
    { ...CAR, z: 30 },
  ]);
  const instances = new Uint16Array(scene.width * scene.height);
  const paint = (id: number, left: number, top: number, right: number, bottom: number) => {
    for (let y = top; y < bottom; y++) instances.fill(id, y * scene.width + left, y * scene.width + right);
  };
  paint(2, 70, 38, 100, 50);
  paint(1, 60, 40, 90, 52); // hides 20 × 10 px of the second
  instances[3] = 3; // of a pole as thin as a hair, at (3, 0)
  const coverage = Float64Array.from([
    ...[75, 46, 30, 12, 360, 360, 60, 40, 90, 52],
    ...[90, 44, 40, 12, 480, 360, 70, 38, 110, 50], // ten columns are taken for off the canvas
    ...[0, 0, 0, 0, 0, 0, 0, 0, 0, 0],
  ]);
  const labels = annotateScene(meshSchema, ASSETS, scene, instances, coverage, library);
  const [near, far, hair] = labels;
  assert.equal([near.box, near.pixels, near.occluded, near.occlusion], [[60, 40, 30, 12], 360, 0, 0]);
  assert.equal([far.box, far.pixels, far.amodalBox], [[70, 38, 30, 12], 160, [70, 38, 40, 12]]);
  // 480 px alone, 360 of them on the canvas, 160 seen.
  assert.equal([far.visibleFraction, far.truncation, far.occluded, far.occlusion], [0.3333, 0.25, 0.5556, 2]);
  assert.equal(
    [hair.box, hair.amodalBox],
    [
      [3, 0, 1, 1],
      [3, 0, 1, 1],
    ],
  );
  assert.equal([hair.visibleFraction, hair.truncation, hair.occluded, hair.occlusion], [1, 0, 0, 0]);
  const table = regionTable(visibleRegions(instances, scene.width, scene.height, 3));
  assert.equal(annotateRegions(meshSchema, ASSETS, scene, table, coverage, 0, library), labels);
  assert.equal(annotateBatch(meshBatch([scene], ASSETS), instances, coverage, library), [labels]);
});

test('a label of a mesh is told from one of a sprite, and has neither canvas pose nor turned box', () => {
  const [label] = unseen([{ ...CAR, z: 10 }]);
  assert.ok(isMeshLabel(label));
  assert.is('rotatedBox' in label, false);
  const foreign: SampleObject = { class: 'car', box: null };
  assert.not.ok(isMeshLabel(foreign));
  assert.equal(Object.keys(label), [
    ...['node', 'parent', 'class', 'asset', 'visible', 'box', 'pixels', 'centre', 'amodalBox', 'box3d', 'distance'],
    ...['visibleFraction', 'truncation', 'occluded', 'occlusion', 'pose', 'attributes'],
  ]);
});

test('a 3D scene without its library, with an unknown mesh or without a camera is refused', () => {
  const scene = meshScene([CAR]);
  const instances = new Uint16Array(scene.width * scene.height);
  const coverage = new Float64Array(COVERAGE_COLUMNS);
  const kinds = (error: new (message: string) => Error) => (thrown: unknown) => thrown instanceof error;
  assert.throws(() => annotateScene(meshSchema, ASSETS, scene, instances, coverage), kinds(ShapeError));
  assert.throws(() => annotateScene(meshSchema, ['van'], scene, instances, coverage, library), kinds(AssetError));
  const blind = { ...scene, camera: undefined };
  assert.throws(() => annotateScene(meshSchema, ASSETS, blind, instances, coverage, library), kinds(SceneGraphError));
  assert.throws(() => meshGeometry(meshSchema, scene, [undefined]).box(0), kinds(ShapeError));
});

test.run();
