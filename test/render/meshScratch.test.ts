// Scratch memory of 3D scenes: as much as the kernels say is enough, and what it held before does not matter. On scenes and
// canvases at the limits: single pixels and rows, the camera in the ground or in a car, cars in each other, mirrored, flat,
// huge, a million metres away.
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { RandomStream } from '../../src/random.js';
import type { KernelBuild } from '../../src/render/kernels.js';
import { type LoadedBatch, LocalRenderer } from '../../src/render/localRenderer.js';
import { meshLoad } from '../../src/render/placedBatch.js';
import type { SceneBatch } from '../../src/scene/sceneGraph.js';
import { CAMERA, type MeshNode, meshScene } from '../helpers/meshScenes.js';
import {
  BOX,
  CAR,
  GROUND,
  MARKING,
  meshLibrary,
  OTHER_CAR,
  ROAD,
  randomGradients,
  TREE,
  withChannels,
} from './meshVjpScenes.js';

const SIZES = [
  [1, 1],
  [3, 2],
  [17, 5],
  [9, 150],
  [4096, 3],
  [200, 90],
] as const;
const SCENES = SIZES.length + 2;
/** Bytes around scratch memory that must stay as they are. */
const GUARD = 4096;
const UNTOUCHED = 0xa5;

/** Scene `index`: a road, and up to 8 things in each other before, around and behind the camera. */
function strangeBatch(index: number): SceneBatch {
  const random = new RandomStream({ seed: 8, index });
  const between = (low: number, high: number) => low + (high - low) * random.uniform();
  const oneOf = <T>(...list: readonly T[]) => list[random.integer(list.length)];
  const [width, height] = SIZES[index % SIZES.length];
  const nodes: MeshNode[] = [
    {
      kind: 'camera',
      y: oneOf(-1.65, -0.3, 0.5),
      pitch: between(-20, 10),
      roll: between(-9, 9),
      fieldOfView: between(50, 150),
    },
    { kind: 'light', rotation: between(-180, 180), pitch: oneOf(40, 3, -20), brightness: 0.8, haze: oneOf(0, 30) },
    { asset: GROUND },
    { kind: 'curve', curvature: between(-0.01, 0.01), y: oneOf(0, -0.15) },
    { kind: 'strip', parent: 3, asset: ROAD, scaleX: 7, scaleZ: 120 },
    { kind: 'strip', parent: 3, asset: MARKING, scaleX: 0.2, scaleZ: 120 },
  ];
  for (let count = random.integer(9); count > 0; count--) {
    nodes.push({
      asset: oneOf(CAR, OTHER_CAR, TREE, BOX),
      ...oneOf({ x: between(-1, 1), z: between(-1, 9) }, { x: 1, z: 6 }, { x: 1e6, z: 1e6 }),
      rotation: between(-180, 180),
      pitch: oneOf(0, between(-90, 90)),
      scale: oneOf(1, 1, 1, 0, 1e-3, 30),
      scaleX: oneOf(1, 1, -1, 0),
    });
  }
  const camera = { ...CAMERA, fx: width, fy: width, cx: width / 2, cy: height * between(-0.5, 1), near: oneOf(0.1, 1) };
  return withChannels([meshScene(nodes, { width, height, camera, index })], index % 4 === 3 ? 1 : 3);
}

/** Calls a kernel with exactly `bytes` of scratch memory, which hold `before`, between guards. */
function guarded<T>(
  local: LocalRenderer,
  loaded: LoadedBatch,
  bytes: number,
  before: number,
  call: (loaded: LoadedBatch) => T,
): T {
  const scratch = Math.ceil(loaded.end / 64) * 64 + GUARD;
  const { memory } = local.kernels;
  memory.grow(Math.max(0, Math.ceil((scratch + bytes + GUARD - memory.buffer.byteLength) / 65536)));
  const all = new Uint8Array(memory.buffer);
  all.fill(UNTOUCHED, scratch - GUARD, scratch + bytes + GUARD);
  all.fill(before, scratch, scratch + bytes);
  const scratchBytes = () => assert.unreachable('there is room');
  const result = call({ ...loaded, scratch, scratchBytes: scratchBytes as never });
  for (const start of [scratch - GUARD, scratch + bytes]) {
    assert.ok(
      all.subarray(start, start + GUARD).every((byte) => byte === UNTOUCHED),
      `guard from ${start - scratch}`,
    );
  }
  return result;
}

/** Whether arrays, or all arrays of two pictures, hold the same bytes. */
function sameBytes(a: object, b: object): boolean {
  if (!ArrayBuffer.isView(a) || !ArrayBuffer.isView(b)) {
    return Object.entries(a).every(([name, value]) => {
      const other = (b as Record<string, unknown>)[name];
      return ArrayBuffer.isView(value) ? sameBytes(value, other as ArrayBufferView) : value === other;
    });
  }
  const [first, second] = [a, b].map((view) => Buffer.from(view.buffer, view.byteOffset, view.byteLength));
  return first.equals(second);
}

test('pictures and derivatives use no more scratch memory than they say, nor what it held, in both builds', async () => {
  const builds: readonly KernelBuild[] = ['simd', 'scalar'];
  const renderers = await Promise.all(builds.map((build) => LocalRenderer.create(meshLibrary, build)));
  let derivatives = 0;
  for (let i = 0; i < SCENES; i++) {
    const batch = strangeBatch(i);
    const [{ width, height, parent }] = batch.scenes;
    const { vertices, triangles } = meshLoad(batch, meshLibrary);
    const [gradient] = randomGradients(batch, 1);
    const results = renderers.flatMap((local) => {
      const { kernels } = local;
      const loaded = local.load(batch);
      return [0, 0xff].map((before) => [
        ...([1, 4] as const).map((samples) => {
          const bytes = kernels.meshSceneScratchBytes(parent.length, width, height, samples, vertices, triangles);
          return guarded(local, loaded, bytes, before, (own) => local.renderLoaded(own, 0, 'f32', true, samples));
        }),
        guarded(
          local,
          loaded,
          kernels.meshVjpScratchBytes(parent.length, width, height, vertices, triangles),
          before,
          (own) => local.vjpLoaded(own, 0, gradient),
        ),
      ]);
    });
    for (const result of results) {
      for (const [k, output] of result.entries()) {
        assert.ok(sameBytes(output, results[0][k]), `scene ${i}, ${width} × ${height} px, result ${k}`);
      }
    }
    derivatives += (results[0][2] as Float32Array).filter((value) => value !== 0).length;
  }
  assert.ok(derivatives > 10 * SCENES, `${derivatives} derivatives that are not 0`);
});

test.run();
