/**
 * Pixels are a smooth function of attributes: derivatives at the default step against those of images with 4 × 4 times as
 * many pixels, for smooth image gradients. The bar is a cosine of 0.95 for cars of a driving scene.
 */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { RandomStream } from '../../src/random.js';
import { Engine } from '../../src/render/engine.js';
import type { SceneBatch, SceneGraph } from '../../src/scene/sceneGraph.js';
import { CAMERA, entryOf, type MeshNode, meshScene } from '../helpers/meshScenes.js';
import { CAR, GROUND, MARKING, meshLibrary, OTHER_CAR, perturbed, ROAD, TREE, withChannels } from './meshVjpScenes.js';

/** A quarter of KITTI's size. */
const SIZE = { width: 312, height: 96 };
const FINER = 4;
const GRADIENTS = 6;
const BAR = 0.95;
/** Half-steps of the finer images: a fraction of a pixel. */
const REFERENCE_STEPS = { x: 0.01, z: 0.06, rotation: 0.3, scale: 0.004 };
type Moved = keyof typeof REFERENCE_STEPS;
const MOVED = Object.keys(REFERENCE_STEPS) as Moved[];

const CARS: readonly MeshNode[] = [
  { asset: CAR, parent: 2, x: -1.8, z: 9, rotation: 2 },
  { asset: OTHER_CAR, parent: 2, x: 1.7, z: 12, rotation: 181 },
  { asset: CAR, parent: 2, x: 1.9, z: 21, rotation: 176 },
  { asset: OTHER_CAR, parent: 2, x: -4.4, z: 15, rotation: 0.5 },
  { asset: CAR, parent: 2, x: 4.5, z: 17, rotation: 33 },
  { asset: OTHER_CAR, parent: 2, x: -1.7, z: 27, rotation: -3 },
];
const STILL: readonly MeshNode[] = [
  { kind: 'light', rotation: 150, pitch: 50, brightness: 0.65, haze: 2 },
  { asset: GROUND },
  { kind: 'curve', curvature: 0.003 },
  { kind: 'strip', parent: 2, asset: ROAD, scaleX: 11, scaleZ: 120 },
  { kind: 'strip', parent: 2, asset: MARKING, scaleX: 0.2, scaleZ: 120 },
  { asset: TREE, x: -8, z: 18 },
];

const engine = await Engine.create({ assets: meshLibrary, workers: 0 });

/** The scene with `times` as many pixels a side. */
function driving(times: number): SceneGraph {
  const { fx, fy } = CAMERA;
  const camera = { ...CAMERA, fx: fx * times, fy: fy * times, cx: 156 * times, cy: 44 * times };
  return meshScene([...STILL, ...CARS], { width: SIZE.width * times, height: SIZE.height * times, camera });
}

/** Waves longer than 20 px in any direction, a phase for every channel. [H, W, 3] */
function smoothGradient(random: RandomStream): Float32Array {
  const between = (low: number, high: number) => low + random.uniform() * (high - low);
  const [fx, fy] = [between(-0.2, 0.2), between(-0.2, 0.2)];
  const phases = [between(0, 6), between(0, 6), between(0, 6)];
  return Float32Array.from({ length: SIZE.width * SIZE.height * 3 }, (_, i) => {
    const pixel = Math.floor(i / 3);
    return Math.sin(fx * (pixel % SIZE.width) + fy * Math.floor(pixel / SIZE.width) + phases[i % 3]);
  });
}

/** The image of a finer scene, every FINER × FINER pixels as one. [H, W, 3] */
async function supersampled(batch: SceneBatch): Promise<Float64Array> {
  const { color } = await engine.render(batch, { samples: 4 });
  const image = new Float64Array(SIZE.width * SIZE.height * 3);
  for (let y = 0; y < SIZE.height * FINER; y++) {
    for (let x = 0; x < SIZE.width * FINER; x++) {
      const from = 3 * (y * SIZE.width * FINER + x);
      const to = 3 * (Math.floor(y / FINER) * SIZE.width + Math.floor(x / FINER));
      for (let c = 0; c < 3; c++) image[to + c] += color[from + c] / FINER ** 2;
    }
  }
  return image;
}

function dot(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i] * b[i];
  return sum;
}

test('location, heading and scale of cars: cosine with the supersampled derivative above 0.95', async () => {
  const random = new RandomStream({ seed: 5, index: 0 });
  const gradients = Array.from({ length: GRADIENTS }, () => smoothGradient(random));
  const coarse = withChannels([driving(1)], 3);
  const fine = withChannels([driving(FINER)], 3);
  const derivatives: Float32Array[] = [];
  for (const gradient of gradients) derivatives.push(await engine.vjp(coarse, gradient));
  for (const name of MOVED) {
    const pairs: [number, number][] = [];
    for (let node = STILL.length; node < STILL.length + CARS.length; node++) {
      const entry = entryOf(node, name);
      const high = perturbed(fine, entry, REFERENCE_STEPS[name]);
      const low = perturbed(fine, entry, -REFERENCE_STEPS[name]);
      const upper = await supersampled(high.batch);
      const lower = await supersampled(low.batch);
      for (const [k, gradient] of gradients.entries()) {
        const expected = (dot(gradient, upper) - dot(gradient, lower)) / (high.value - low.value);
        pairs.push([derivatives[k][entry], expected]);
      }
    }
    const [ours, expected] = [pairs.map(([value]) => value), pairs.map(([, value]) => value)];
    const cosine = dot(ours, expected) / Math.sqrt(dot(ours, ours) * dot(expected, expected));
    const error = Math.sqrt(pairs.reduce((sum, [a, b]) => sum + (a - b) ** 2, 0) / dot(expected, expected));
    console.log(`# ${name}: cosine ${cosine.toFixed(4)}, error ${(100 * error).toFixed(1)} %`);
    assert.ok(cosine > BAR, `${name}: ${cosine}`);
  }
});

test.after(() => engine.close());

test.run();
