import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { SceneGraphError } from '../../src/errors.js';
import { cameraOf, curvePoint, worldFrames } from '../../src/scene/worldFrames.js';
import { type MeshNode, meshScene, meshSchema } from '../helpers/meshScenes.js';
import { mnistSchema } from '../helpers/scenes.js';

/** Frame of each node as a list of 12 numbers. */
function frames(nodes: readonly MeshNode[]): number[][] {
  const all = worldFrames(meshSchema, meshScene(nodes));
  return nodes.map((_, v) => [...all.subarray(12 * v, 12 * v + 12)]);
}

function near(actual: ArrayLike<number>, expected: ArrayLike<number>, tolerance = 1e-12): void {
  assert.is(actual.length, expected.length);
  for (let i = 0; i < expected.length; i++) {
    assert.ok(Math.abs(actual[i] - expected[i]) <= tolerance, `[${i}] ${actual[i]} against ${expected[i]}`);
  }
}

const origin = (frame: readonly number[]) => [frame[3], frame[7], frame[11]];

test('heading turns right, pitch lifts the nose, roll lowers the right side', () => {
  const [heading, pitch, roll] = frames([{ rotation: 90 }, { pitch: 90 }, { roll: 90 }]);
  // Columns are the node's axes in the world: x right, y down, z forward.
  near(heading, [0, 0, 1, 0, 0, 1, 0, 0, -1, 0, 0, 0]);
  near(pitch, [1, 0, 0, 0, 0, 0, -1, 0, 0, 1, 0, 0]);
  near(roll, [0, -1, 0, 0, 1, 0, 0, 0, 0, 0, 1, 0]);
});

test('R = Ry·Rx·Rz: forwards points to (sin h cos p, −sin p, cos h cos p), whatever the roll', () => {
  const [frame] = frames([{ rotation: 30, pitch: 20, roll: 50 }]);
  const [h, p, r] = [Math.PI / 6, Math.PI / 9, (5 * Math.PI) / 18];
  near([frame[2], frame[6], frame[10]], [Math.sin(h) * Math.cos(p), -Math.sin(p), Math.cos(h) * Math.cos(p)]);
  // The right side points down by sin r of what the pitch leaves.
  near([frame[4]], [Math.cos(p) * Math.sin(r)]);
});

test('children inherit position, rotation and scale, but no stretch', () => {
  const [, child] = frames([
    { x: 10, y: -1, z: 5, rotation: 90, scale: 2, scaleX: 7 },
    { parent: 0, x: 1, y: -2, z: 3, rotation: 90, scale: 1.5 },
  ]);
  // Parent: its x axis points backwards (0, 0, −1), its z axis to the right. 10 + 2·3, −1 − 2·2, 5 − 2·1; heading 180°.
  near(child, [-3, 0, 0, 16, 0, 3, 0, -5, 0, 0, -3, 3]);
});

test('a constant curvature is a circle', () => {
  for (const [curvature, along] of [
    [0.02, 30],
    [-0.05, 60],
    [0.3, -200],
    [0, 12],
  ]) {
    const { x, z, angle } = curvePoint(curvature, 0, along);
    const radius = 1 / curvature;
    const circle =
      curvature === 0 ? [0, along] : [radius * (1 - Math.cos(curvature * along)), radius * Math.sin(curvature * along)];
    near([x, z, angle], [...circle, curvature * along], 1e-11);
  }
});

test('a curvature that changes is integrated as finely as by 200,000 steps', () => {
  for (const [curvature, rate, along] of [
    [0.01, 0.0004, 80],
    [-0.03, 0.001, 150],
    [0, -0.002, 90],
    [0.02, -0.0005, -70],
  ]) {
    const steps = 200000;
    const ds = along / steps;
    const point = [0, 0];
    for (let i = 0; i < steps; i++) {
      const s = (i + 0.5) * ds;
      const theta = curvature * s + (rate * s * s) / 2;
      point[0] += Math.sin(theta) * ds;
      point[1] += Math.cos(theta) * ds;
    }
    const { x, z } = curvePoint(curvature, rate, along);
    // The midpoint rule errs by about ds²·turn/24.
    near([x, z], point, 1e-7);
  }
});

test('below a curve nodes stand beside it and turn with it', () => {
  // A quarter of a circle of 40 m to the right, that begins at (5, 0, 10) and goes to the right (heading 90°).
  const quarter = 20 * Math.PI;
  const curvature = Math.fround(1 / 40);
  const [, car, wheel] = frames([
    { kind: 'curve', x: 5, z: 10, rotation: 90, curvature },
    { parent: 0, z: quarter, x: 2, y: -0.5, rotation: 10 },
    { parent: 1, x: 1 },
  ]);
  // In the curve's frame the arc's end is 40 m right and 40 m ahead, 2 m towards the centre is 2 m back: (40, −0.5, 38).
  // The curve's x is the world's −z and its z the world's x: (5 + 38, −0.5, 10 − 40).
  near(origin(car), [43, -0.5, -30], 1e-5);
  // Heading 90 + 90 + 10 = 190°: forwards is (sin 190°, 0, cos 190°), right is (cos 190°, 0, −sin 190°).
  const heading = (190 * Math.PI) / 180;
  near([car[2], car[6], car[10]], [Math.sin(heading), 0, Math.cos(heading)], 1e-6);
  // What hangs on the car stands rigidly in its frame, not along the curve.
  near(origin(wheel), [43 + Math.cos(heading), -0.5, -30 - Math.sin(heading)], 1e-5);
});

test('strips within strips add up, and their own rotation and scale count for nothing', () => {
  const curve: MeshNode = { kind: 'curve', z: -20, curvature: 0.01, curvatureRate: 0.0002, scale: 2 };
  const [, road, lane, car, direct] = frames([
    curve,
    { kind: 'strip', parent: 0, x: 1, y: -0.1, z: 5, rotation: 40, scale: 3 },
    { kind: 'strip', parent: 1, x: 2.5, y: -0.05, z: 10, pitch: 10 },
    { parent: 2, x: -0.5, y: -0.25, z: 20, rotation: -5, scale: 0.5 },
    { parent: 0, x: 3, y: -0.4, z: 35, rotation: -5, scale: 0.5 },
  ]);
  // Attributes are float32: −0.1 − 0.05 − 0.25 is −0.4 to that precision.
  near(car, direct, 1e-6);
  const at = curvePoint(Math.fround(0.01), Math.fround(0.0002), 15);
  const across = [Math.cos(at.angle), -Math.sin(at.angle)];
  near(origin(lane), [2 * (at.x + 3.5 * across[0]), 2 * -0.15, -20 + 2 * (at.z + 3.5 * across[1])], 1e-6);
  // Its frame is the curve's direction there, and the curve's scale.
  near([lane[0], lane[8], lane[5]], [2 * across[0], 2 * across[1], 2], 1e-9);
  near([road[5]], [2]);
});

test('a strip without a curve, and a scene of sprites, are refused', () => {
  const message = /Expected a curve or a strip as parent of the strip at node 1/;
  assert.throws(
    () => frames([{}, { kind: 'strip', parent: 0 }]),
    (error: Error) => error instanceof SceneGraphError && message.test(error.message),
  );
  assert.throws(() => worldFrames(mnistSchema, meshScene([])), /Expected 3 for dimension/);
});

test('the camera struct: what is seen straight ahead, to its right, below it', () => {
  const camera = { fx: 700, fy: 710, cx: 320, cy: 120, x: 1, y: -1.5, z: 2, near: 0.5, far: 300 };
  const scene = meshScene([], { camera: { ...camera, heading: 90, pitch: 0, roll: 0 } });
  const { toCamera: m, ...rest } = cameraOf(meshSchema, scene);
  assert.equal(rest, { ...{ fx: 700, fy: 710, cx: 320, cy: 120 }, width: 160, height: 80, near: 0.5, far: 300 });
  // It stands at (1, −1.5, 2) and looks along the world's x: 5 m ahead, 1 m below, 2 m to the left (world z + 2).
  const [x, y, z] = [6, -0.5, 4];
  near(
    [0, 4, 8].map((row) => m[row] * x + m[row + 1] * y + m[row + 2] * z + m[row + 3]),
    [-2, 1, 5],
  );
});

test("a camera node's frame and field of view replace the camera's", () => {
  const pose = { x: 2, y: -1.5, z: 7, rotation: 25, pitch: -4, roll: 2 };
  const { x, y, z } = pose;
  const camera = { fx: 100, fy: 120, cx: 80, cy: 40, near: 0.1, far: 300, x, y, z, heading: 25, pitch: -4, roll: 2 };
  const struct = cameraOf(meshSchema, meshScene([], { camera }));
  const away = { ...camera, x: -30, heading: 99, pitch: 1, roll: 9 };
  const node = cameraOf(meshSchema, meshScene([{ kind: 'camera', ...pose, scale: 3 }], { camera: away }));
  assert.equal(node, struct);
  // 160 px in 90°: a focal length of 80 px; the ratio fy / fx stays 1.2.
  const wide = cameraOf(meshSchema, meshScene([{ kind: 'camera', ...pose, fieldOfView: 90 }], { camera: away }));
  near([wide.fx, wide.fy], [80, 96]);
  near(wide.toCamera, struct.toCamera);
});

test('a camera on a car in a lane looks where the car goes', () => {
  const nodes: MeshNode[] = [
    { kind: 'curve', curvature: 0.02 },
    { parent: 0, z: 30, x: 1.5 },
    { kind: 'camera', parent: 1, y: -1.65 },
  ];
  const { toCamera: m } = cameraOf(meshSchema, meshScene(nodes));
  const car = frames(nodes)[1];
  // 10 m ahead of the car on its own axis, at the camera's height, is 10 m straight ahead.
  const [x, y, z] = [0, 1, 2].map((row) => car[4 * row + 3] + 10 * car[4 * row + 2] - (row === 1 ? 1.65 : 0));
  near(
    [0, 4, 8].map((row) => m[row] * x + m[row + 1] * y + m[row + 2] * z + m[row + 3]),
    [0, 0, 10],
    1e-6,
  );
});

test('a scene without a camera cannot be looked at', () => {
  const { camera: _, ...scene } = meshScene([]);
  assert.throws(() => cameraOf(meshSchema, scene), /Expected a camera for the 3D scene 0/);
});

test.run();
