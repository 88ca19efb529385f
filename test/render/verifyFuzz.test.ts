import * as fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { SpriteImage } from '../../src/assets/assetLibrary.js';
import type { MeshData } from '../../src/assets/meshAsset.js';
import { SceneGraphError } from '../../src/errors.js';
import { COVERAGE_COLUMNS } from '../../src/render/coverage.js';
import { compileKernels, instantiateKernels, type KernelBuild } from '../../src/render/kernels.js';
import { meshBytes, writeMesh } from '../../src/render/meshMemory.js';
import { writeMeshOutputs } from '../../src/render/meshOutputs.js';
import { texelBytes, writeTexels } from '../../src/render/texels.js';
import { decodeScenes, verifyAt } from '../../src/render/verify.js';
import { AttributeRole } from '../../src/scene/attributeSchema.js';
import { encodeScenes } from '../../src/scene/encode.js';
import type { SceneBatch, SceneGraph } from '../../src/scene/sceneGraph.js';
import { arbitraryBatch } from '../helpers/batches.js';
import { boxLibrary, CUBE, ROAD } from '../helpers/boxMesh.js';
import { CAMERA, meshBatch, meshScene } from '../helpers/meshScenes.js';
import { attribute } from '../helpers/scenes.js';

/** A canvas that a flipped bit has made larger than this verifies, but is not rendered here: it would take long. */
const LARGEST_RENDERED = 1 << 17;
const GUARD_BYTES = 256;
const GUARD = 0xa5;
const SPRITES: readonly (readonly [SpriteImage, 'fade' | 'extend'])[] = [
  [{ width: 5, height: 7, format: 'ink8', pixels: new Uint8Array(35).map((_, i) => 7 * i) }, 'fade'],
  [{ width: 4, height: 4, format: 'rgba8', pixels: new Uint8Array(64).map((_, i) => 255 - 3 * i) }, 'extend'],
];

/** A cube, and a strip on the ground. */
const MESHES = [CUBE, ROAD].map((asset) => boxLibrary.assets[asset].load() as MeshData);
const MOST_VERTICES = Math.max(...MESHES.map(({ positions }) => positions.length / 3));
const MOST_TRIANGLES = Math.max(...MESHES.map(({ indices }) => indices.length / 3));

/**
 * Renders and differentiates with the memory laid out so that mistakes show: guard bytes on both sides of everything
 * that kernels write, and the batch at the very end of the memory, where reading on traps.
 */
class GuardedKernels {
  readonly #memory = new WebAssembly.Memory({ initial: 1200, maximum: 1200, shared: true });
  readonly #kernels;
  readonly #assetTable: number;
  readonly #floor: number;
  rendered = 0;
  refused = 0;

  constructor(build: KernelBuild) {
    this.#kernels = instantiateKernels(compileKernels(build), this.#memory);
    const layout = this.#kernels.constants;
    this.#assetTable = align(this.#kernels.heapBase);
    let address = align(this.#assetTable + (SPRITES.length + MESHES.length) * layout.ASSET_BYTES);
    for (const [i, [image, edge]] of SPRITES.entries()) {
      writeTexels(image, edge, this.#memory.buffer, address, this.#assetTable + i * layout.ASSET_BYTES, layout);
      address = align(address + texelBytes(image, edge, layout));
    }
    for (const [i, mesh] of MESHES.entries()) {
      const record = new DataView(this.#memory.buffer, this.#assetTable + (SPRITES.length + i) * layout.ASSET_BYTES);
      record.setUint32(layout.ASSET_TEXELS, address, true);
      record.setUint8(layout.ASSET_FORMAT, layout.FORMAT_MESH);
      writeMesh(mesh, i === 0 ? 'solid' : 'ground', this.#memory.buffer, address, layout);
      address = align(address + meshBytes(mesh, layout));
    }
    this.#floor = address;
  }

  /** Verifies; then decodes, renders and differentiates every scene. Only SceneGraphError may come out. */
  run(bytes: Uint8Array): void {
    const start = Math.floor((this.#memory.buffer.byteLength - bytes.length) / 8) * 8;
    const placed = new Uint8Array(this.#memory.buffer, start, bytes.length);
    placed.set(bytes);
    let batch: SceneBatch;
    try {
      verifyAt(this.#kernels, start, bytes.length);
      batch = decodeScenes(bytes);
    } catch (error) {
      assert.instance(error, SceneGraphError, String(error));
      this.refused++;
      return;
    }
    for (const [i, scene] of batch.scenes.entries()) {
      if (scene.width * scene.height <= LARGEST_RENDERED) this.#scene(batch, scene, i, start);
    }
    assert.is(Buffer.compare(placed, bytes), 0, 'kernels leave the batch unchanged');
  }

  #scene(batch: SceneBatch, scene: SceneGraph, i: number, start: number): void {
    const { channels, attributes } = batch.schema;
    const pixels = scene.width * scene.height;
    const values = scene.parent.length * attributes.length;
    const { width, height } = scene;
    const nodes = scene.parent.length;
    const meshes = batch.schema.dimension === 3;
    const sizes = {
      scratch: meshes
        ? this.#kernels.meshSceneScratchBytes(nodes, width, height, 4, MOST_VERTICES, nodes * MOST_TRIANGLES)
        : this.#kernels.sceneScratchBytes(nodes, width, height, channels),
      color: 4 * pixels * channels,
      instances: 2 * pixels,
      classes: pixels,
      coverage: 8 * COVERAGE_COLUMNS * scene.parent.length,
      depth: meshes ? 4 * pixels : 0,
      normals: meshes ? 12 * pixels : 0,
      out: 4 * values,
    };
    let address = this.#floor;
    const place = (bytes: number) => {
      const at = align(address + GUARD_BYTES);
      address = at + bytes + GUARD_BYTES;
      return at;
    };
    const remap = place(4 * batch.assets.length);
    const delta = place(4 * attributes.length);
    const gradient = place(4 * pixels * channels);
    const record = place(this.#kernels.constants.OUTPUT_BYTES);
    const at = Object.fromEntries(Object.entries(sizes).map(([name, bytes]) => [name, place(bytes)]));
    assert.ok(address < start, 'the arena is large enough');
    const { buffer } = this.#memory;
    const firstAsset = meshes ? SPRITES.length : 0;
    new Int32Array(buffer, remap, batch.assets.length).forEach(
      (_, a, array) => void (array[a] = a % 3 === 0 ? -1 : firstAsset + (a % 3) - 1),
    );
    new Float32Array(buffer, delta, attributes.length).forEach(
      (_, a, array) => void (array[a] = a % 2 === 0 ? 0 : 0.25),
    );
    new Float32Array(buffer, gradient, pixels * channels).fill(0.5);
    const guards = Object.entries(sizes).flatMap(([name, bytes]) => [
      new Uint8Array(buffer, at[name] - GUARD_BYTES, GUARD_BYTES),
      new Uint8Array(buffer, at[name] + bytes, GUARD_BYTES),
    ]);
    for (const guard of guards) guard.fill(GUARD);
    const { constants } = this.#kernels;
    const samples = i % 2 === 0 ? 4 : 1;
    for (const format of [constants.COLOR_F32, constants.COLOR_U8]) {
      // The smaller u8 image is put at the end of its area, against the guard.
      const color = at.color + (format === constants.COLOR_U8 ? 3 * pixels * channels : 0);
      const { instances, classes, coverage, depth, normals, scratch } = at;
      if (meshes) {
        const outputs = { samples, colorFormat: format, color, instances, classes, coverage, depth, normals, room: 1 };
        writeMeshOutputs(this.#kernels, record, outputs);
      }
      const table = this.#assetTable;
      const status = meshes
        ? this.#kernels.renderMeshScene(start, i, remap, table, scratch, record)
        : this.#kernels.renderScene(start, i, remap, table, scratch, color, format, instances, classes, coverage);
      assert.is(status, constants.STATUS_OK);
    }
    if (meshes) {
      for (const [a, { role }] of attributes.entries()) {
        for (let v = 0; v < nodes; v++) {
          const value = scene.attributes[v * attributes.length + a];
          assert.ok(this.#kernels.placeMeshSubtree(at.scratch, v, role, value + 1) <= constants.MOVED_ALL);
        }
      }
    } else {
      const vjp = () =>
        this.#kernels.perturbationVjp(start, i, remap, this.#assetTable, at.scratch, gradient, delta, 0.5, at.out);
      assert.is(vjp(), constants.STATUS_OK);
    }
    for (const guard of guards)
      assert.ok(
        guard.every((byte) => byte === GUARD),
        `a kernel wrote outside: scene ${i}`,
      );
    const instances = new Uint16Array(buffer, at.instances, pixels);
    assert.ok(
      instances.every((id) => id <= scene.parent.length),
      'instance ids are nodes of the scene',
    );
    const classes = new Uint8Array(buffer, at.classes, pixels);
    assert.ok(
      classes.every((id) => id <= batch.schema.classes.length),
      'class ids are classes of the batch',
    );
    this.rendered++;
  }
}

function align(address: number): number {
  return Math.ceil(address / 64) * 64;
}

/** Two scenes with a hierarchy, both sprites, all drawn roles, partly off the canvas. */
const sound: SceneBatch = {
  schema: {
    dimension: 2,
    channels: 3,
    attributes: [
      attribute('x', AttributeRole.X, 0, 20),
      attribute('y', AttributeRole.Y, 0, 20),
      attribute('turn', AttributeRole.Rotation, 0, 360, true),
      attribute('scale', AttributeRole.Scale, 0, 4),
      attribute('stretch', AttributeRole.ScaleX, 0, 4),
      attribute('opacity', AttributeRole.Opacity, 0, 1),
      attribute('red', AttributeRole.Red, 0, 1),
    ],
    classes: ['a', 'b'],
  },
  assets: ['none', 'ink', 'tile'],
  scenes: [0, 1].map((index) => ({
    width: 20,
    height: 16,
    index,
    parent: Int32Array.from([-1, 0, 1]),
    classId: Uint16Array.from([0, 1, 1]),
    asset: Int32Array.from([2, 1, index === 0 ? 1 : -1]),
    attributes: Float32Array.from([9, 8, 10, 3, 1.5, 1, 0.5, 1, -2, 45, 1.2, 1, 0.7, 1, 4, 3, 200, 0.8, 1, 0.4, 0.9]),
    mutable: Uint8Array.from([1, 1, 1, 1, 1, 1, 1, 0, 1, 1, 1, 0, 1, 0, 1, 0, 0, 0, 0, 0, 0]),
  })),
  provenance: { grammar: 'g', grammarHash: '', seed: 1 },
};

/** Two 3D scenes with a camera on a car in a bent lane, a light, both meshes, partly behind the camera. */
const soundMeshes: SceneBatch = meshBatch(
  [0, 1].map((index) =>
    meshScene(
      [
        { kind: 'light', pitch: 40, haze: 3 },
        { kind: 'curve', curvature: 0.02, curvatureRate: 0.001, z: -3 },
        { kind: 'strip', parent: 1, asset: 2, x: 1, scaleX: 4, scaleZ: 60 },
        { parent: 2, asset: 1, z: 14, rotation: 20 },
        { kind: 'camera', parent: 2, z: index, y: -1.65, fieldOfView: 60 },
      ],
      { width: 20, height: 16, index, camera: { ...CAMERA, cx: 10, cy: 8 } },
    ),
  ),
  ['none', 'cube', 'road'],
);

for (const build of ['simd', 'scalar'] as const) {
  test(`every single-byte change of a batch is refused or safe to render (${build})`, () => {
    const kernels = new GuardedKernels(build);
    const bytes = encodeScenes(sound).slice();
    kernels.run(bytes);
    assert.is(kernels.rendered, 2);
    // All eight single bits and the complement; the scalar build takes three of them.
    const masks = build === 'simd' ? [1, 2, 4, 8, 16, 32, 64, 128, 255] : [1, 128, 255];
    for (let i = 0; i < bytes.length; i++) {
      const before = bytes[i];
      for (const mask of masks) {
        bytes[i] = before ^ mask;
        kernels.run(bytes);
      }
      bytes[i] = before;
    }
    assert.ok(kernels.refused > bytes.length, `${kernels.refused} refused`);
    assert.ok(kernels.rendered > bytes.length, `${kernels.rendered} scenes rendered`);
  });
}

test('every byte of a batch of 3D scenes changed is refused or safe to render', () => {
  const kernels = new GuardedKernels('simd');
  const bytes = encodeScenes(soundMeshes).slice();
  kernels.run(bytes);
  assert.is(kernels.rendered, 2);
  for (let i = 0; i < bytes.length; i++) {
    const before = bytes[i];
    for (const mask of [1, 128, 255]) {
      bytes[i] = before ^ mask;
      kernels.run(bytes);
    }
    bytes[i] = before;
  }
  assert.ok(kernels.refused > bytes.length, `${kernels.refused} refused`);
  assert.ok(kernels.rendered > bytes.length, `${kernels.rendered} scenes rendered`);
});

test('every truncation of a batch is refused or safe to render', () => {
  const kernels = new GuardedKernels('simd');
  const bytes = encodeScenes(sound);
  for (let length = 0; length < bytes.length; length++) kernels.run(bytes.slice(0, length));
  assert.ok(kernels.refused > 0.99 * bytes.length, `${kernels.refused} of ${bytes.length} refused`);
});

test('every 16-bit and 32-bit word set to an extreme is refused or safe to render', () => {
  const kernels = new GuardedKernels('simd');
  const bytes = encodeScenes(sound).slice();
  const view = new DataView(bytes.buffer);
  for (let i = 0; i + 4 <= bytes.length; i += 2) {
    const before = bytes.slice(i, i + 4);
    for (const value of [0, 1, 0x7fffffff, 0x80000000, 0xffffffff, 0x7f7fffff, 0xff7fffff, 0x00000001, 0x40000000]) {
      view.setUint32(i, value, true);
      kernels.run(bytes);
      bytes.set(before, i);
    }
    for (const value of [0, 0x7fff, 0xffff]) {
      view.setUint16(i, value, true);
      kernels.run(bytes);
      bytes.set(before, i);
    }
  }
  assert.ok(kernels.refused > 1000 && kernels.rendered > 1000);
});

/** Renders random batches, whole and with up to `edits` bytes damaged one after the other. */
function damageRandomBatches(
  kernels: GuardedKernels,
  batches: Parameters<typeof arbitraryBatch>[0],
  { edits: most, ...runs }: { edits: number; numRuns: number; seed: number },
): void {
  const damage = fc.array(fc.tuple(fc.nat(), fc.integer({ min: 0, max: 255 })), { maxLength: most });
  fc.assert(
    fc.property(arbitraryBatch(batches), damage, (batch, edits) => {
      const bytes = encodeScenes(batch).slice();
      const before = kernels.refused;
      kernels.run(bytes);
      assert.is(kernels.refused, before, 'a batch that the encoder wrote verifies');
      for (const [position, value] of edits) {
        bytes[position % bytes.length] = value;
        kernels.run(bytes);
      }
    }),
    runs,
  );
}

test('random batches with any finite attributes render; random damage to them is refused or safe', () => {
  const kernels = new GuardedKernels('simd');
  damageRandomBatches(kernels, { maxSide: 40 }, { edits: 12, numRuns: 300, seed: 11 });
  assert.ok(kernels.refused > 100 && kernels.rendered > 300);
});

test('random 3D batches with any finite attributes render; random damage to them is refused or safe', () => {
  const kernels = new GuardedKernels('simd');
  damageRandomBatches(kernels, { maxSide: 40, dimension: 3 }, { edits: 8, numRuns: 200, seed: 12 });
  assert.ok(kernels.refused > 60 && kernels.rendered > 200);
});

test('attributes of 3D scenes at the ends of float32 are safe to render', () => {
  const kernels = new GuardedKernels('simd');
  for (const value of [3.4e38, -3.4e38, 1e30, -1e9, 2147483648, 1e-45, 1e-20, 0]) {
    for (let a = 0; a < soundMeshes.scenes[0].attributes.length; a++) {
      const scenes = soundMeshes.scenes.map((scene) => {
        const attributes = scene.attributes.slice();
        attributes[a] = value;
        return { ...scene, attributes };
      });
      kernels.run(encodeScenes({ ...soundMeshes, scenes }));
    }
  }
  assert.is(kernels.refused, 0);
});

test('attributes at the ends of float32 are safe to render', () => {
  const kernels = new GuardedKernels('simd');
  const extremes = [3.4e38, -3.4e38, 1e30, -1e30, 1e9, 2147483648, -2147483649, 1e-45, -1e-45, 1e-20, 0, -0, 16777217];
  const columns = sound.schema.attributes.length;
  for (const value of extremes) {
    for (let a = 0; a < 3 * columns; a++) {
      for (const other of [undefined, 1e30, 1e-30]) {
        const scenes = sound.scenes.map((scene) => {
          const attributes = scene.attributes.slice();
          if (other !== undefined) attributes[(a + 3) % attributes.length] = other;
          attributes[a] = value;
          return { ...scene, attributes };
        });
        kernels.run(encodeScenes({ ...sound, scenes }));
      }
    }
  }
  assert.is(kernels.refused, 0);
});

test.run();
