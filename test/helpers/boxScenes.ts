/** Scenes of boxes on a lawn, and what a camera sees of them by casting a ray through the centre of every pixel. */
import { annotateBatch } from '../../src/annotate/annotateScene.js';
import { imageCamera } from '../../src/annotate/meshGeometry.js';
import { AssetLibrary } from '../../src/assets/assetLibrary.js';
import type { MeshAsset, MeshData } from '../../src/assets/meshAsset.js';
import { encodeDepth } from '../../src/dataset/depthCode.js';
import { imageEncoder } from '../../src/dataset/imageCodec.js';
import { encodeNormals } from '../../src/dataset/normalCode.js';
import { type DatasetInfo, type DatasetSample, type ImageCodec, sampleKey } from '../../src/dataset/sample.js';
import { RandomStream } from '../../src/random.js';
import { COVERAGE_COLUMNS } from '../../src/render/coverage.js';
import { encodeScenes } from '../../src/scene/encode.js';
import type { SceneBatch, SceneGraph } from '../../src/scene/sceneGraph.js';
import { cameraOf, worldFrames } from '../../src/scene/worldFrames.js';
import { type MeshNode, meshBatch, meshScene, meshSchema } from './meshScenes.js';

type Point = readonly [number, number, number];

/** A box as a mesh, with its faces' normals. */
export function boxMesh(name: string, minimum: Point, maximum: Point, surface?: 'ground'): MeshAsset {
  return {
    ...{ kind: 'mesh', name, minimum, maximum, triangles: 12, licence: 'CC0-1.0' },
    ...(surface ? { surface } : {}),
    load: () => boxTriangles(minimum, maximum),
  };
}

function boxTriangles(minimum: Point, maximum: Point): MeshData {
  const positions: number[] = [];
  const normals: number[] = [];
  const indices: number[] = [];
  for (let axis = 0; axis < 3; axis++) {
    for (const sign of [-1, 1]) {
      const [u, v] = sign > 0 ? [(axis + 1) % 3, (axis + 2) % 3] : [(axis + 2) % 3, (axis + 1) % 3];
      const first = positions.length / 3;
      for (const [a, b] of [
        [0, 0],
        [1, 0],
        [1, 1],
        [0, 1],
      ]) {
        const corner = [0, 0, 0];
        corner[axis] = sign > 0 ? maximum[axis] : minimum[axis];
        corner[u] = a ? maximum[u] : minimum[u];
        corner[v] = b ? maximum[v] : minimum[v];
        positions.push(...corner);
        normals.push(...[0, 1, 2].map((i) => (i === axis ? sign : 0)));
      }
      indices.push(first, first + 1, first + 2, first, first + 2, first + 3);
    }
  }
  return {
    positions: Float32Array.from(positions),
    normals: Float32Array.from(normals),
    colors: new Float32Array(positions.length).fill(0.6),
    indices: Uint32Array.from(indices),
  };
}

/** A lawn, a car of 1.5 × 1.8 × 4.4 m, a house. */
export const boxLibrary = new AssetLibrary([
  boxMesh('lawn', [-200, 0, -200], [200, 0.001, 200], 'ground'),
  boxMesh('car', [-0.9, -1.5, -2.2], [0.9, 0, 2.2]),
  boxMesh('house', [-4, -5, -3], [4, 0, 3]),
]);
export const BOX_ASSETS = ['lawn', 'car', 'house'];

/** Scenes of a lawn, a house and a few cars, all numbers a function of the seed. */
export function boxScenes(count: number, seed = 7): SceneBatch {
  const scenes = Array.from({ length: count }, (_, index): SceneGraph => {
    const stream = new RandomStream({ seed, index });
    const between = (low: number, high: number) => low + (high - low) * stream.uniform();
    const nodes: MeshNode[] = [
      { kind: 'camera', y: -1.65, rotation: between(-5, 5), pitch: between(-4, 2), roll: between(-1, 1) },
      { asset: 0 },
      { asset: 2, x: between(-12, 12), z: between(25, 40), rotation: between(-180, 180) },
    ];
    const cars = 2 + stream.integer(4);
    for (let i = 0; i < cars; i++) {
      nodes.push({
        asset: 1,
        x: between(-6, 6),
        z: between(-4, 35),
        rotation: between(-180, 180),
        scaleZ: between(0.8, 1.2),
      });
    }
    return meshScene(nodes, { index });
  });
  return meshBatch(scenes, BOX_ASSETS);
}

/** What rays meet. */
export interface CastScene {
  readonly instances: Uint16Array;
  readonly classes: Uint8Array;
  readonly coverage: Float64Array;
  /** [H × W] m along the camera's axis. */
  readonly depth: Float32Array;
  /** [H × W × 3] in the camera's frame. */
  readonly normals: Float32Array;
}

/** Pixels around the canvas that are looked at too, for what an object would cover alone. */
const MARGIN = 80;

/** A ray through every pixel's centre, against every box of the scene. */
export function castRays({ schema, assets, scenes }: SceneBatch, position: number): CastScene {
  const scene = scenes[position];
  const { width, height } = scene;
  const boxes = boxesOf(schema, assets, scene);
  const { fx, fy, cx, cy, near } = cameraOf(schema, scene);
  const nodes = scene.parent.length;
  const cast = {
    instances: new Uint16Array(width * height),
    classes: new Uint8Array(width * height),
    coverage: new Float64Array(nodes * COVERAGE_COLUMNS),
    depth: new Float32Array(width * height),
    normals: new Float32Array(3 * width * height),
  };
  const extents = new Map<number, number[]>();
  for (let y = -MARGIN; y < height + MARGIN; y++) {
    for (let x = -MARGIN; x < width + MARGIN; x++) {
      const inside = x >= 0 && y >= 0 && x < width && y < height;
      const ray = [(x + 0.5 - cx) / fx, (y + 0.5 - cy) / fy, 1];
      let nearest = Number.POSITIVE_INFINITY;
      for (const box of boxes) {
        const hit = meet(box, ray, near);
        if (!hit) continue;
        const row = extents.get(box.node) ?? [0, 0, x, y, x + 1, y + 1];
        extents.set(box.node, [
          row[0] + 1,
          row[1] + (inside ? 1 : 0),
          ...[Math.min(row[2], x), Math.min(row[3], y), Math.max(row[4], x + 1), Math.max(row[5], y + 1)],
        ]);
        if (!inside || hit.depth >= nearest) continue;
        nearest = hit.depth;
        const i = y * width + x;
        cast.instances[i] = box.node + 1;
        cast.classes[i] = scene.classId[box.node] + 1;
        cast.depth[i] = hit.depth;
        cast.normals.set(hit.normal, 3 * i);
      }
    }
  }
  for (const [node, row] of extents) cast.coverage.set(row, node * COVERAGE_COLUMNS + 4);
  return cast;
}

interface PlacedBox {
  readonly node: number;
  readonly minimum: Point;
  readonly maximum: Point;
  /** Columns of the mesh's axes in the camera's frame, and its origin. */
  readonly axes: readonly (readonly number[])[];
  readonly origin: readonly number[];
}

function boxesOf(schema: SceneBatch['schema'], assets: readonly string[], scene: SceneGraph): PlacedBox[] {
  const frames = worldFrames(schema, scene);
  const { toCamera: c } = cameraOf(schema, scene);
  const turn = (v: readonly number[], w: number) =>
    [0, 4, 8].map((row) => c[row] * v[0] + c[row + 1] * v[1] + c[row + 2] * v[2] + w * c[row + 3]);
  const stretch = ['scaleX', 'scaleY', 'scaleZ'].map((name) =>
    schema.attributes.findIndex((spec) => spec.name === name),
  );
  return [...scene.asset].flatMap((asset, node): PlacedBox[] => {
    if (asset < 0) return [];
    const { minimum, maximum } = boxLibrary.assets[boxLibrary.indexOf(assets[asset])];
    const factors = stretch.map((column) => scene.attributes[node * schema.attributes.length + column]);
    const frame = frames.subarray(12 * node, 12 * node + 12);
    return [
      {
        node,
        minimum: [0, 1, 2].map((i) => minimum[i] * factors[i]) as unknown as Point,
        maximum: [0, 1, 2].map((i) => maximum[i] * factors[i]) as unknown as Point,
        axes: [0, 1, 2].map((i) => turn([frame[i], frame[4 + i], frame[8 + i]], 0)),
        origin: turn([frame[3], frame[7], frame[11]], 1),
      },
    ];
  });
}

/** Where a ray from the camera enters a box, by its slabs. */
function meet({ axes, origin, minimum, maximum }: PlacedBox, ray: readonly number[], near: number) {
  let enter = near;
  let leave = Number.POSITIVE_INFINITY;
  let face: readonly number[] | undefined;
  for (const [i, axis] of axes.entries()) {
    const along = axis[0] * ray[0] + axis[1] * ray[1] + axis[2] * ray[2];
    const from = -(axis[0] * origin[0] + axis[1] * origin[1] + axis[2] * origin[2]);
    const [a, b] = [(minimum[i] - from) / along, (maximum[i] - from) / along];
    const low = Math.min(a, b);
    if (low > enter) {
      enter = low;
      const sign = along > 0 ? -1 : 1;
      face = axis.map((component) => sign * component);
    }
    leave = Math.min(leave, Math.max(a, b));
  }
  return enter < leave && face ? { depth: enter, normal: face } : undefined;
}

export interface BoxFixture {
  readonly info: DatasetInfo;
  readonly samples: readonly DatasetSample[];
  readonly casts: readonly CastScene[];
}

/** The scenes as samples of a dataset, with everything that formats may hold. */
export async function boxFixture(count: number, codec: ImageCodec = 'png'): Promise<BoxFixture> {
  const batch = boxScenes(count);
  const encode = await imageEncoder(codec);
  const casts = batch.scenes.map((_, i) => castRays(batch, i));
  const samples = batch.scenes.map((scene, i): DatasetSample => {
    const { width, height, index } = scene;
    const { instances, classes, coverage, depth, normals } = casts[i];
    const [objects] = annotateBatch({ ...batch, scenes: [scene] }, instances, coverage, boxLibrary);
    const codes = encodeNormals(normals);
    return {
      labels: {
        ...{ key: sampleKey(i), index, seed: batch.provenance.seed, width, height, channels: 3 },
        camera: imageCamera(meshSchema, scene),
        objects,
      },
      image: { codec, bytes: encode({ width, height, channels: 3, pixels: codes }) },
      pixels: codes.slice(),
      ...{ instances, classes, depth: encodeDepth(depth), normals: codes },
      scene: encodeScenes({ ...batch, scenes: [scene] }),
    };
  });
  const [{ width, height }] = batch.scenes;
  return {
    info: {
      ...{ name: 'boxes', classes: meshSchema.classes, things: ['object'], split: 'train', codec },
      ...{ masks: true, scenes: true, width, height, channels: 3, depth: true, normals: true, dimension: 3 },
    },
    samples,
    casts,
  };
}
