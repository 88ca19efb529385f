/** Driving scenes on small canvases, and derivatives of their images by rendering them twice. */
import { type Asset, AssetLibrary } from '../../src/assets/assetLibrary.js';
import { proceduralDriving } from '../../src/assets/proceduralDriving.js';
import { RandomStream } from '../../src/random.js';
import type { Engine } from '../../src/render/engine.js';
import type { SceneBatch, SceneGraph } from '../../src/scene/sceneGraph.js';
import { boxMesh } from '../helpers/boxScenes.js';
import { type MeshNode, meshBatch, meshSchema } from '../helpers/meshScenes.js';

const driving = proceduralDriving({ cars: 3, trees: 1 });
const [firstCar, secondCar] = driving.match('driving/cars/**');
const [tree] = driving.match('driving/trees/**');

export const MESHES = [
  firstCar,
  secondCar,
  tree,
  'driving/grounds/grass',
  'driving/strips/road',
  'driving/strips/marking-dashed',
  'box',
];
export const [CAR, OTHER_CAR, TREE, GROUND, ROAD, MARKING, BOX] = MESHES.keys();
export const meshLibrary = new AssetLibrary<Asset>([
  ...driving.assets,
  boxMesh('box', [-0.5, -0.6, -0.5], [0.5, 0, 0.5]),
]);

/**
 * A road that turns right with two lanes, cars on it, one of them with a box on its roof, one beside the canvas and one
 * behind the camera, a tree, two cars that move as one, and haze.
 */
export const DRIVING_NODES: readonly MeshNode[] = [
  { kind: 'camera', x: 0.2, y: -1.65, rotation: 1, pitch: -2, roll: 0.5, fieldOfView: 75 },
  { kind: 'light', rotation: 40, pitch: 45, brightness: 0.65, red: 1, green: 0.95, blue: 0.9, haze: 4 },
  { asset: GROUND },
  { kind: 'curve', x: 0.1, rotation: 1, curvature: 0.004, curvatureRate: 1e-5 },
  { kind: 'strip', parent: 3, asset: ROAD, scaleX: 7, scaleZ: 120, brightness: 0.9 },
  { kind: 'strip', parent: 3, asset: MARKING, scaleX: 0.2, scaleZ: 120 },
  { kind: 'strip', parent: 3, x: -1.8 },
  { parent: 6, asset: CAR, z: 11, rotation: 3, red: 0.8, brightness: 1.1 },
  { parent: 7, asset: BOX, y: -1.5, z: 0.3, rotation: 10 },
  { parent: 6, asset: OTHER_CAR, x: 0.2, z: 19, rotation: -4, scale: 1.05 },
  { parent: 3, asset: CAR, x: 1.8, z: 14, rotation: 178, green: 0.6 },
  { asset: TREE, x: 6, z: 16, scale: 0.8, rotation: 30 },
  { x: -6, z: 22, rotation: 12 },
  { parent: 12, asset: OTHER_CAR, x: -1, rotation: 40 },
  { parent: 12, asset: CAR, x: 2, z: 3, rotation: -60 },
  { asset: CAR, x: 0, z: -8 },
  { asset: CAR, x: 30, z: 10 },
];

/** Half-steps by attribute, small enough to be differences and large enough to be seen in float32. */
export const STEPS: Readonly<Record<string, number>> = {
  ...{ x: 0.03, y: 0.03, z: 0.1, rotation: 1, pitch: 0.5, roll: 0.5 },
  ...{ scale: 0.01, scaleX: 0.02, scaleY: 0.02, scaleZ: 0.02 },
  ...{ brightness: 0.4, red: 0.4, green: 0.4, blue: 0.4 },
  ...{ fieldOfView: 0.3, curvature: 2e-4, curvatureRate: 4e-6, ambient: 0.05, haze: 0.5 },
};
export const COLUMNS = meshSchema.attributes.map(({ name }) => name);

/** dL/dimage of independent values in [−1, 1). */
export function randomGradients({ scenes, schema }: SceneBatch, count: number, seed = 1): Float32Array[] {
  const { width, height } = scenes[0];
  return Array.from({ length: count }, (_, index) => {
    const random = new RandomStream({ seed, index });
    return Float32Array.from(
      { length: scenes.length * width * height * schema.channels },
      () => random.uniform() * 2 - 1,
    );
  });
}

/** The same batch with one attribute of its first scene changed, and that attribute's value as float32. */
export function perturbed(batch: SceneBatch, entry: number, by: number): { batch: SceneBatch; value: number } {
  const [first, ...rest] = batch.scenes;
  const attributes = first.attributes.slice();
  attributes[entry] += by;
  return { batch: { ...batch, scenes: [{ ...first, attributes }, ...rest] }, value: attributes[entry] };
}

/** The naive way: render twice, subtract, multiply, sum in float64. One derivative a gradient. */
export async function naiveVjp(
  engine: Engine,
  batch: SceneBatch,
  gradients: readonly Float32Array[],
  entry: number,
  step: number,
): Promise<number[]> {
  const high = perturbed(batch, entry, step);
  const low = perturbed(batch, entry, -step);
  const upper = (await engine.render(high.batch, { samples: 4 })).color;
  const lower = (await engine.render(low.batch, { samples: 4 })).color;
  return gradients.map((gradient) => {
    let sum = 0;
    for (let i = 0; i < gradient.length; i++) sum += gradient[i] * (upper[i] - lower[i]);
    return sum / (high.value - low.value);
  });
}

export function norm(values: readonly number[]): number {
  return Math.sqrt(values.reduce((sum, value) => sum + value * value, 0));
}

/** A batch with another number of channels. */
export function withChannels(scenes: readonly SceneGraph[], channels: 1 | 3): SceneBatch {
  const batch = meshBatch(scenes, MESHES);
  return { ...batch, schema: { ...batch.schema, channels } };
}
