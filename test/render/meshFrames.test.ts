import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { RandomStream } from '../../src/random.js';
import { compileKernels, instantiateKernels } from '../../src/render/kernels.js';
import { AttributeRole } from '../../src/scene/attributeSchema.js';
import { encodeScenes } from '../../src/scene/encode.js';
import type { SceneGraph } from '../../src/scene/sceneGraph.js';
import { cameraOf, worldFrames } from '../../src/scene/worldFrames.js';
import { entryOf, type MeshNode, meshBatch, meshScene, meshSchema } from '../helpers/meshScenes.js';

const memory = new WebAssembly.Memory({ initial: 32, maximum: 65536, shared: true });
const kernels = instantiateKernels(compileKernels(), memory);
const K = kernels.constants;
const align = (address: number) => Math.ceil(address / 64) * 64;
/** One asset record, that says it is a mesh; its address is all that is looked at. */
const ASSET_TABLE = align(kernels.heapBase);
const MESH = 123456;
new DataView(memory.buffer).setUint32(ASSET_TABLE + K.ASSET_TEXELS, MESH, true);
new DataView(memory.buffer).setUint8(ASSET_TABLE + K.ASSET_FORMAT, K.FORMAT_MESH);
const REMAP = align(ASSET_TABLE + K.ASSET_BYTES);
const BATCH = align(REMAP + 4);
const SCRATCH = 1 << 20;

const u32 = (address: number) => new DataView(memory.buffer).getUint32(address, true);
const i32 = (address: number) => new DataView(memory.buffer).getInt32(address, true);
const floats = (address: number, count: number) => [...new Float32Array(memory.buffer, address, count)];

/** Opens a scene at SCRATCH; nodes with asset 0 have a mesh. */
function open(scene: SceneGraph, channels: 1 | 3 = 3): void {
  const batch = meshBatch([scene], ['mesh']);
  const bytes = encodeScenes({ ...batch, schema: { ...batch.schema, channels } });
  new Uint8Array(memory.buffer).set(bytes, BATCH);
  assert.is(kernels.verifyBatch(BATCH, bytes.length), 0, JSON.stringify(kernels.verifyDetails()));
  assert.is(kernels.openMeshScene(BATCH, 0, REMAP, ASSET_TABLE, 4, SCRATCH, 1), K.STATUS_OK);
}

/** Frames as `worldFrames` has them, from frame records. */
function framesAt(records: number, count: number): Float64Array {
  const frames = new Float64Array(12 * count);
  for (let v = 0; v < count; v++) {
    const record = new Float64Array(memory.buffer, records + v * K.FRAME_BYTES, 13);
    for (let row = 0; row < 3; row++) {
      for (let i = 0; i < 3; i++) frames[12 * v + 4 * row + i] = record[9] * record[3 * row + i];
      frames[12 * v + 4 * row + 3] = record[10 + row];
    }
  }
  return frames;
}

function near(actual: ArrayLike<number>, expected: ArrayLike<number>, tolerance: number): void {
  assert.is(actual.length, expected.length);
  for (let i = 0; i < expected.length; i++) {
    const error = Math.abs(actual[i] - expected[i]);
    assert.ok(error <= tolerance * Math.max(1, Math.abs(expected[i])), `[${i}] ${actual[i]} against ${expected[i]}`);
  }
}

/** A random hierarchy of all kinds, 40 nodes, every attribute within a driving scene's reach. */
function randomScene(index: number): SceneGraph {
  const stream = new RandomStream({ seed: 3, index });
  const within = (most: number) => most * (2 * stream.uniform() - 1);
  const nodes: MeshNode[] = [];
  let cameras = 0;
  let lights = 0;
  for (let v = 0; v < 40; v++) {
    const parent = stream.integer(v + 1) - 1;
    const above = parent < 0 ? 'object' : nodes[parent].kind;
    const kinds = ['object', 'object', 'curve', ...(above === 'curve' || above === 'strip' ? ['strip', 'strip'] : [])];
    if (cameras === 0 && v > 4) kinds.push('camera');
    if (lights === 0 && v > 4) kinds.push('light');
    const kind = kinds[stream.integer(kinds.length)] as MeshNode['kind'];
    if (kind === 'camera') cameras++;
    if (kind === 'light') lights++;
    const pose = {
      x: within(5),
      y: within(1),
      z: within(60),
      rotation: within(180),
      pitch: within(40),
      roll: within(40),
    };
    const scales = {
      scale: 0.8 + 0.4 * stream.uniform(),
      scaleX: 0.5 + stream.uniform(),
      scaleZ: 0.5 + stream.uniform(),
    };
    const bend = { curvature: within(0.05), curvatureRate: within(0.001) };
    const colour = { brightness: stream.uniform(), red: stream.uniform(), green: stream.uniform() };
    nodes.push({
      ...{ kind, parent, asset: stream.integer(3) - 1 > 0 ? -1 : 0 },
      ...{
        ...pose,
        ...scales,
        ...bend,
        ...colour,
        fieldOfView: 40 + 40 * stream.uniform(),
        haze: 5 * stream.uniform(),
      },
    });
  }
  const camera = {
    fx: 721,
    fy: 700,
    cx: 609,
    cy: 172,
    x: 1,
    y: -1.6,
    z: -3,
    heading: 10,
    pitch: -2,
    roll: 1,
    near: 0.1,
  };
  return meshScene(nodes, { width: 1242, height: 375, camera: { ...camera, far: 500 }, index });
}

test('frames of random hierarchies are those of worldFrames, to 1e-9', () => {
  for (let i = 0; i < 30; i++) {
    const scene = randomScene(i);
    open(scene);
    near(framesAt(u32(SCRATCH + K.MESH_CALL_FRAMES), 40), worldFrames(meshSchema, scene), 1e-9);
  }
});

test('the view looks from where cameraOf does, and what it draws stands where worldFrames has it', () => {
  for (let i = 0; i < 30; i++) {
    const scene = randomScene(i);
    open(scene);
    const camera = cameraOf(meshSchema, scene);
    near([...new Float64Array(memory.buffer, SCRATCH + K.MESH_CALL_TO_CAMERA, 12)], camera.toCamera, 1e-9);
    const view = u32(SCRATCH + K.MESH_CALL_VIEW);
    near(floats(view + K.VIEW_FX, 6), [camera.fx, camera.fy, camera.cx, camera.cy, camera.near, camera.far], 1e-6);
    assert.equal([i32(view + K.VIEW_WIDTH), i32(view + K.VIEW_HEIGHT)], [1242, 375]);
    // Upwards in the camera's frame is the image of the world's (0, −1, 0).
    near(floats(view + K.VIEW_UP, 3), [-camera.toCamera[1], -camera.toCamera[5], -camera.toCamera[9]], 1e-6);
    const frames = worldFrames(meshSchema, scene);
    for (let v = 0; v < 40; v++) {
      const instance = u32(SCRATCH + K.MESH_CALL_INSTANCES) + v * K.INSTANCE_BYTES;
      const strip = meshSchema.classes[scene.classId[v]] === 'strip';
      assert.is(u32(instance + K.INSTANCE_MESH), scene.asset[v] === 0 ? MESH : 0);
      if (scene.asset[v] !== 0 || strip) continue;
      const stretch = ['scaleX', 'scaleY', 'scaleZ'].map((name) => scene.attributes[entryOf(v, name)]);
      near(floats(instance + K.INSTANCE_MATRIX, 12), seen(camera.toCamera, frames.subarray(12 * v), stretch), 1e-5);
    }
  }
});

/** toCamera · frame · stretch by naive loops. */
function seen(toCamera: Float64Array, frame: Float64Array, stretch: readonly number[]): number[] {
  return [0, 1, 2].flatMap((row) =>
    [0, 1, 2, 3].map((column) => {
      let sum = column === 3 ? toCamera[4 * row + 3] : 0;
      for (let k = 0; k < 3; k++) sum += toCamera[4 * row + k] * frame[4 * k + column];
      return column === 3 ? sum : sum * stretch[column];
    }),
  );
}

test('a strip is bent along its curve: frame of the curve, its place in it, its stretch', () => {
  const nodes: MeshNode[] = [
    { kind: 'curve', x: 3, z: 5, rotation: 20, scale: 2, curvature: 0.02, curvatureRate: -0.0003 },
    { kind: 'strip', parent: 0, x: -1.5, y: -0.125, z: 4, scaleX: 3.5 },
    {
      kind: 'strip',
      parent: 1,
      asset: 0,
      x: 0.5,
      y: -0.25,
      z: 2,
      scaleX: 0.25,
      scaleY: 2,
      scaleZ: 80,
      brightness: 0.5,
      red: 0.5,
    },
  ];
  const scene = meshScene(nodes);
  open(scene);
  const instance = u32(SCRATCH + K.MESH_CALL_INSTANCES) + 2 * K.INSTANCE_BYTES;
  assert.is(u32(instance + K.INSTANCE_MESH), MESH);
  const bytes = new Uint8Array(memory.buffer);
  assert.equal([...bytes.subarray(instance + K.INSTANCE_ID, instance + K.INSTANCE_ID + 4)], [3, 0, 5, K.INSTANCE_BENT]);
  const frames = worldFrames(meshSchema, scene);
  const { toCamera } = cameraOf(meshSchema, scene);
  near(floats(instance + K.INSTANCE_MATRIX, 12), seen(toCamera, frames, [1, 1, 1]), 1e-6);
  assert.equal(floats(instance + K.INSTANCE_STRETCH, 3), [0.25, 2, 80]);
  assert.equal(floats(instance + K.INSTANCE_OFFSET, 3), [-1, -0.375, 6]);
  assert.equal(floats(instance + K.INSTANCE_CURVATURE, 2), [Math.fround(0.02), Math.fround(-0.0003)]);
  assert.equal(floats(instance + K.INSTANCE_TINT, 3), [0.25, 0.5, 0.5]);
});

test('without a light node the sun stands at 40° to the right, 45° high', () => {
  open(meshScene([]));
  const view = u32(SCRATCH + K.MESH_CALL_VIEW);
  const [h, p] = [(40 * Math.PI) / 180, Math.PI / 4];
  near(floats(view + K.VIEW_LIGHT, 3), [Math.sin(h) * Math.cos(p), -Math.sin(p), Math.cos(h) * Math.cos(p)], 1e-6);
  near(floats(view + K.VIEW_SUN, 7), [0.65, 0.65, 0.65, 0.45, 0.45, 0.45, 0], 1e-6);
  near(floats(view + K.VIEW_ZENITH, 6), [0.36, 0.56, 0.86, 0.82, 0.88, 0.94], 1e-6);
  near(floats(view + K.VIEW_GROUND, 1), [1.65], 1e-6);
  near(floats(view + K.VIEW_SHADOW, 1), [0.9], 1e-6);
  assert.is(u32(view + K.VIEW_SAMPLES), 4);
});

test("a light node's direction, colours, sky and haze are its own", () => {
  const light: MeshNode = { kind: 'light', rotation: -90, pitch: 30, brightness: 0.5, red: 1, green: 0.5, blue: 0.25 };
  open(meshScene([{ ...light, ambient: 0.9, haze: 4 }]));
  const view = u32(SCRATCH + K.MESH_CALL_VIEW);
  // From the left, 30° high.
  near(floats(view + K.VIEW_LIGHT, 3), [-Math.sqrt(0.75), -0.5, 0], 1e-6);
  near(floats(view + K.VIEW_SUN, 7), [0.5, 0.25, 0.125, 0.9, 0.9, 0.9, 0.004], 1e-6);
  // Brighter than by default by what sky and, half as much, sun are.
  const sky = (0.9 + 0.5 * 0.5) / (0.45 + 0.5 * 0.65);
  near(
    floats(view + K.VIEW_ZENITH, 6),
    [0.36, 0.56, 0.86, 0.82, 0.88, 0.94].map((value) => sky * value),
    1e-6,
  );
});

test('what is mirrored, shrunk to nothing or beyond 1000 km is not drawn', () => {
  const fields = [{ scaleX: -1 }, { scale: 0 }, { z: 2e6 }, { scaleX: -1, scaleZ: -1 }, { scale: -1 }, { x: 1e38 }];
  open(meshScene(fields.map((node) => ({ ...node, asset: 0 }))));
  const instances = u32(SCRATCH + K.MESH_CALL_INSTANCES);
  assert.equal(
    fields.map((_, v) => u32(instances + v * K.INSTANCE_BYTES + K.INSTANCE_MESH)),
    [0, 0, 0, MESH, 0, 0],
  );
});

test('placeMeshSubtree gives what opening the changed scene gives, and marks all instances that differ', () => {
  const { MOVED_NOTHING, MOVED_NODES, MOVED_ALL } = K;
  const outcomes = { [MOVED_NOTHING]: 0, [MOVED_NODES]: 0, [MOVED_ALL]: 0 };
  const bytesAt = (address: number, length: number) => new Uint8Array(memory.buffer, address, length).slice();
  for (let i = 0; i < 4; i++) {
    const scene = randomScene(i);
    for (let node = 0; node < 40; node += 3) {
      for (const [a, spec] of meshSchema.attributes.entries()) {
        const entry = node * meshSchema.attributes.length + a;
        const changed = scene.attributes.slice();
        changed[entry] += 0.125;
        open({ ...scene, attributes: changed });
        const instances = u32(SCRATCH + K.MESH_CALL_INSTANCES);
        const view = u32(SCRATCH + K.MESH_CALL_VIEW);
        const wanted = bytesAt(instances, 40 * K.INSTANCE_BYTES);
        const wantedView = bytesAt(view, K.VIEW_BYTES);
        open(scene);
        const before = bytesAt(instances, 40 * K.INSTANCE_BYTES);
        const beforeView = bytesAt(view, K.VIEW_BYTES);
        const moved = kernels.placeMeshSubtree(SCRATCH, node, spec.role, changed[entry]);
        outcomes[moved]++;
        const label = `scene ${i}, node ${node}, ${spec.name}: ${moved}`;
        assert.equal(bytesAt(instances, 40 * K.INSTANCE_BYTES), before, `${label} leaves the scene as it is`);
        assert.equal(bytesAt(view, K.VIEW_BYTES), beforeView);
        const movedView = bytesAt(u32(SCRATCH + K.MESH_CALL_MOVED_VIEW), K.VIEW_BYTES);
        // The addresses of the instances are others.
        const hideAddress = (record: Uint8Array) => record.fill(0, K.VIEW_INSTANCES, K.VIEW_INSTANCES + 4);
        const sameView = Buffer.compare(wantedView, beforeView) === 0;
        if (moved === MOVED_ALL) assert.equal(hideAddress(movedView), hideAddress(wantedView), label);
        else assert.ok(sameView, `${label} changes the view`);
        const result = before.slice();
        for (let v = 0; v < 40; v++) {
          const marked = u32(u32(SCRATCH + K.MESH_CALL_MOVED) + v * K.FRAME_BYTES + K.FRAME_MOVES) === 1;
          if (!marked && moved !== MOVED_ALL) continue;
          const record = u32(SCRATCH + K.MESH_CALL_MOVED_INSTANCES) + v * K.INSTANCE_BYTES;
          result.set(bytesAt(record, K.INSTANCE_BYTES), v * K.INSTANCE_BYTES);
        }
        assert.ok(moved !== MOVED_NOTHING || Buffer.compare(wanted, before) === 0, label);
        if (moved !== MOVED_NOTHING) assert.is(Buffer.compare(result, wanted), 0, label);
      }
    }
  }
  assert.ok(
    outcomes[MOVED_NOTHING] > 100 && outcomes[MOVED_NODES] > 100 && outcomes[MOVED_ALL] > 20,
    JSON.stringify(outcomes),
  );
});

test('on a grey canvas the red factor is the only one', () => {
  open(meshScene([{ asset: 0, brightness: 0.5, red: 0.5, green: 0.25 }]), 1);
  const instance = u32(SCRATCH + K.MESH_CALL_INSTANCES);
  assert.equal(floats(instance + K.INSTANCE_TINT, 3), [0.25, 0.25, 0.25]);
  assert.is(kernels.placeMeshSubtree(SCRATCH, 0, AttributeRole.Green, 1), K.MOVED_NOTHING);
  assert.is(kernels.placeMeshSubtree(SCRATCH, 0, AttributeRole.Red, 1), K.MOVED_NODES);
});

test.run();
