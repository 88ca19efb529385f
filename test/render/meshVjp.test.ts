/** dL/dattributes of 3D scenes against the naive way: differences of images that the engine renders. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { Engine } from '../../src/render/engine.js';
import { compileKernels, instantiateKernels } from '../../src/render/kernels.js';
import type { SceneBatch } from '../../src/scene/sceneGraph.js';
import { CAMERA, entryOf, type MeshNode, meshScene } from '../helpers/meshScenes.js';
import {
  BOX,
  CAR,
  COLUMNS,
  DRIVING_NODES,
  GROUND,
  meshLibrary,
  naiveVjp,
  norm,
  randomGradients,
  STEPS,
  TREE,
  withChannels,
} from './meshVjpScenes.js';

const engine = await Engine.create({ assets: meshLibrary, workers: 0 });
const SIZE = { width: 160, height: 80 };
const GRADIENTS = 3;
/** f32 images on both sides; what is left is how their differences are summed. */
const BAR = 2e-5;

/** Only what is named is mutable: `node.attribute`. */
function onlyMutable(batch: SceneBatch, names: readonly (readonly [node: number, attribute: string])[]): SceneBatch {
  const scenes = batch.scenes.map((scene) => {
    const mutable = new Uint8Array(scene.mutable.length);
    for (const [node, attribute] of names) mutable[entryOf(node, attribute)] = 1;
    return { ...scene, mutable };
  });
  return { ...batch, scenes };
}

/**
 * Compares mutable entries with the naive way: norm of the differences over several gradients, relative to the norm of the
 * derivatives.
 * @returns the worst entry of each attribute, by attribute
 */
async function compareWithNaive(batch: SceneBatch): Promise<Map<string, number>> {
  const gradients = randomGradients(batch, GRADIENTS);
  const ours = await Promise.all(gradients.map((gradient) => engine.vjp(batch, gradient, { delta: STEPS })));
  const worst = new Map<string, number>();
  for (const [entry, mutable] of batch.scenes[0].mutable.entries()) {
    const name = COLUMNS[entry % COLUMNS.length];
    const node = Math.floor(entry / COLUMNS.length);
    if (mutable === 0) {
      for (const out of ours) assert.is(out[entry], 0, `${name} of node ${node} is not mutable`);
      continue;
    }
    const expected = await naiveVjp(engine, batch, gradients, entry, STEPS[name]);
    const difference = norm(expected.map((value, k) => ours[k][entry] - value));
    const scale = norm(expected);
    if (scale === 0) assert.is(difference, 0, `${name} of node ${node} changes nothing`);
    else worst.set(name, Math.max(worst.get(name) ?? 0, difference / scale));
    assert.ok(scale === 0 || difference / scale < BAR, `${name} of node ${node}: ${difference / scale} of ${scale}`);
  }
  return worst;
}

function printWorst(name: string, worst: Map<string, number>): void {
  console.log(`# ${name}: ${[...worst].map(([key, value]) => `${key} ${value.toExponential(1)}`).join(', ')}`);
}

test('driving scene: every attribute of every node is the naive difference to 2e-5', async () => {
  const worst = await compareWithNaive(withChannels([meshScene(DRIVING_NODES, SIZE)], 3));
  printWorst('driving scene', worst);
  assert.is(worst.size, COLUMNS.length, `something changes with each of ${COLUMNS.join(', ')}`);
});

test('grey canvas: one colour factor, and the naive differences', async () => {
  const batch = onlyMutable(
    withChannels([meshScene(DRIVING_NODES, SIZE)], 1),
    [0, 1, 3, 7, 9].flatMap((node) =>
      ['x', 'rotation', 'brightness', 'red', 'green'].map((name) => [node, name] as const),
    ),
  );
  printWorst('grey', await compareWithNaive(batch));
});

test('meshes cut by the near plane and by the edges of the canvas', async () => {
  const nodes: MeshNode[] = [
    { asset: GROUND },
    { asset: CAR, x: 1.4, z: 1.5, rotation: 5 },
    { asset: TREE, x: -1.2, z: 0.6, y: -0.4, scale: 0.4 },
    { asset: BOX, x: 0.2, y: -1.2, z: 0.35, rotation: 30, pitch: 20 },
  ];
  const names = ['x', 'z', 'rotation', 'scaleY', 'brightness'];
  const batch = onlyMutable(
    withChannels([meshScene(nodes, SIZE)], 3),
    [1, 2, 3].flatMap((node) => names.map((name) => [node, name] as const)),
  );
  printWorst('near plane', await compareWithNaive(batch));
});

test('meshes behind a wall: nothing of one, an edge of the other', async () => {
  const nodes: MeshNode[] = [
    { asset: GROUND },
    { asset: BOX, z: 8, scaleX: 5, scaleY: 6 },
    { asset: CAR, z: 14, rotation: 30 },
    { asset: CAR, x: 4.7, z: 15 },
  ];
  const names = ['x', 'rotation', 'brightness'];
  const batch = onlyMutable(
    withChannels([meshScene(nodes, SIZE)], 3),
    [2, 3].flatMap((node) => names.map((name) => [node, name] as const)),
  );
  printWorst('behind a wall', await compareWithNaive(batch));
  const [gradient] = randomGradients(batch, 1);
  const out = await engine.vjp(batch, gradient);
  assert.is(out[entryOf(2, 'x')], 0);
  assert.is(out[entryOf(2, 'brightness')], 0);
  assert.is.not(out[entryOf(3, 'x')], 0);
  assert.is.not(out[entryOf(3, 'brightness')], 0);
});

test('a rectangle of more pixels than are worked on at once', async () => {
  const camera = { ...CAMERA, fx: 500, fy: 500, cx: 320, cy: 100 };
  const nodes = [{ asset: GROUND }, { asset: CAR, z: 5.5, rotation: 70 }, { asset: BOX, x: 0.5, y: -0.2, z: 3 }];
  const scene = meshScene(nodes, { width: 640, height: 240, camera });
  const names = ['x', 'scale', 'red'];
  const batch = onlyMutable(
    withChannels([scene], 3),
    [1, 2].flatMap((node) => names.map((name) => [node, name] as const)),
  );
  printWorst('large', await compareWithNaive(batch));
});

test('more poses than there is room for at once, and a node that moves most of the scene', async () => {
  const alone = withChannels([meshScene([{ asset: CAR, z: 9, x: -1, rotation: 20 }], SIZE)], 3);
  printWorst('a car alone', await compareWithNaive(alone));
  const nodes = [
    { z: 10 },
    { parent: 0, asset: CAR, x: -2, rotation: 20 },
    { parent: 0, asset: CAR, x: 2, rotation: 50 },
  ];
  const group = onlyMutable(withChannels([meshScene(nodes, SIZE)], 3), [
    [0, 'x'],
    [0, 'rotation'],
    [1, 'z'],
  ]);
  printWorst('a group', await compareWithNaive(group));
});

test('both builds and any number of workers give the same bytes', async () => {
  const scenes = [0, 1, 2, 3].map((i) => {
    const nodes = DRIVING_NODES.map((node) =>
      node.asset === CAR ? { ...node, x: Number(node.x ?? 0) + 0.3 * i } : node,
    );
    return meshScene(nodes, { ...SIZE, index: i });
  });
  const batch = withChannels(scenes, 3);
  const [gradient] = randomGradients(batch, 1);
  const expected = await engine.vjp(batch, gradient);
  assert.ok(expected.some((value) => value !== 0));
  assert.ok(expected.every(Number.isFinite));
  for (const options of [{ workers: 1 }, { workers: 2 }, { workers: 0, build: 'scalar' as const }]) {
    const other = await Engine.create({ assets: meshLibrary, ...options });
    try {
      assert.equal(await other.vjp(batch, gradient), expected, JSON.stringify(options));
    } finally {
      await other.close();
    }
  }
});

test('every scene of a batch gets its own gradient', async () => {
  const first = meshScene([{ asset: GROUND }, { asset: CAR, z: 9 }], SIZE);
  const second = meshScene([{ asset: GROUND }, { asset: TREE, x: 2, z: 12 }], { ...SIZE, index: 1 });
  const both = withChannels([first, second], 3);
  const [gradient] = randomGradients(both, 1);
  const half = gradient.length / 2;
  const apart = [
    ...(await engine.vjp(withChannels([first], 3), gradient.subarray(0, half))),
    ...(await engine.vjp(withChannels([second], 3), gradient.subarray(half))),
  ];
  assert.equal([...(await engine.vjp(both, gradient))], apart);
});

/**
 * A column of pixels as dL/dimage, `distance` px to the right of a box's right edge, in the rows of the box, which lies below
 * the horizon, before an even sky: what moves the edge by less changes nothing there.
 */
async function derivativeBeside(name: string, node: number, distance: number, pixelDelta: number): Promise<number> {
  // The box's near face is 18 px wide on each side of the middle: 180 px · 0.5 m / 5 m, its top at eye level and below.
  const nodes: MeshNode[] = [
    { kind: 'camera', y: -1.65 },
    { asset: BOX, y: -0.2, z: 5.5 },
  ];
  const batch = withChannels([meshScene(nodes, SIZE)], 3);
  const gradient = new Float32Array(SIZE.width * SIZE.height * 3);
  for (let y = 70; y < 80; y++) gradient[3 * (y * SIZE.width + 80 + 18 + distance)] = 1;
  const out = await engine.vjp(batch, gradient, { pixelDelta });
  return out[entryOf(node, name)];
}

for (const [name, node] of [
  ['x', 1],
  ['rotation', 0],
] as const) {
  test(`automatic steps of ${name} of node ${node} move the image by pixelDelta`, async () => {
    assert.is.not(await derivativeBeside(name, node, 0, 0.5), 0);
    assert.is(await derivativeBeside(name, node, 1, 0.5), 0);
    assert.is.not(await derivativeBeside(name, node, 2, 4), 0);
    assert.is(await derivativeBeside(name, node, 6, 4), 0);
  });
}

test('a half-step that is given by name holds for that attribute alone', async () => {
  const batch = withChannels([meshScene(DRIVING_NODES, SIZE)], 3);
  const [gradient] = randomGradients(batch, 1);
  const automatic = await engine.vjp(batch, gradient);
  const given = await engine.vjp(batch, gradient, { delta: { x: STEPS.x } });
  const [expected] = await naiveVjp(engine, batch, [gradient], entryOf(9, 'x'), STEPS.x);
  assert.ok(Math.abs(given[entryOf(9, 'x')] - expected) < BAR * Math.abs(expected));
  assert.is.not(automatic[entryOf(9, 'x')], given[entryOf(9, 'x')]);
  assert.is(automatic[entryOf(9, 'z')], given[entryOf(9, 'z')]);
});

test('scratch of 65,534 nodes and 200,000 triangles stays within 120 MB', () => {
  const memory = new WebAssembly.Memory({ initial: 16, maximum: 65536, shared: true });
  const { meshVjpScratchBytes } = instantiateKernels(compileKernels(), memory);
  const bytes = meshVjpScratchBytes(65534, 1242, 375, 3000, 200_000);
  console.log(`# scratch: ${(bytes / 1e6).toFixed(1)} MB`);
  assert.ok(bytes < 120e6 && bytes > 200_000 * 128);
});

test.after(() => engine.close());

test.run();
