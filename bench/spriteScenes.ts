/** The two scenes of the sprite benches as seeded batches, and the same scenes drawn by Skia. */
import { type Canvas, createCanvas, type SKRSContext2D } from '@napi-rs/canvas';
import { AssetLibrary, type SpriteAsset, type SpriteImage } from '../src/assets/assetLibrary.js';
import { RandomStream } from '../src/random.js';
import { AttributeRole, type AttributeSpec } from '../src/scene/attributeSchema.js';
import type { SceneBatch, SceneGraph } from '../src/scene/sceneGraph.js';

const SEED = 7;
const attribute = (name: string, role: AttributeRole, minimum: number, maximum: number): AttributeSpec => ({
  name,
  role,
  unit: '',
  minimum,
  maximum,
  periodic: role === AttributeRole.Rotation,
});

const ATTRIBUTES = [
  attribute('x', AttributeRole.X, 0, 256),
  attribute('y', AttributeRole.Y, 0, 256),
  attribute('rotation', AttributeRole.Rotation, -180, 180),
  attribute('scale', AttributeRole.Scale, 0, 2),
  attribute('brightness', AttributeRole.Brightness, 0, 1),
];

function sprite(name: string, edge: SpriteAsset['edge'], image: SpriteImage): SpriteAsset {
  return {
    kind: 'sprite',
    name,
    width: image.width,
    height: image.height,
    format: image.format,
    edge,
    load: () => image,
  };
}

function image(format: SpriteImage['format'], width: number, height: number, at: (x: number, y: number) => number[]) {
  const step = format === 'ink8' ? 1 : 4;
  const pixels = new Uint8Array(width * height * step);
  for (let i = 0; i < width * height; i++) {
    const values = at(i % width, Math.floor(i / width));
    for (let c = 0; c < step; c++) pixels[i * step + c] = Math.max(0, Math.min(255, values[c]));
  }
  return { width, height, format, pixels } as const;
}

/** A ring-shaped digit that fills 20 × 20 of 28 × 28 px, as MNIST's are centred; stroke and shape vary. */
function digit(k: number): SpriteImage {
  return image('ink8', 28, 28, (x, y) => {
    const dx = (x - 13.5) / (0.62 + 0.03 * k);
    const dy = y - 13.5;
    return [255 * (2.2 - Math.abs(Math.hypot(dx, dy) - 8.5))];
  });
}

function vehicle(k: number): SpriteImage {
  return image('rgba8', 48, 26, (x, y) => {
    const edge = Math.min(x, 47 - x, y, 25 - y);
    return [90 + 50 * k, 60 + x * 2, 200 - 40 * k, edge < 1 ? 0 : edge < 2 ? 128 : 255];
  });
}

const noise = new RandomStream({ seed: SEED, index: 0 });
const grain = () => noise.integer(24);

export const benchLibrary = new AssetLibrary([
  sprite(
    'black',
    'extend',
    image('rgba8', 64, 64, () => [0, 0, 0, 255]),
  ),
  sprite(
    'ground',
    'extend',
    image('rgba8', 256, 256, () => [70 + grain(), 110 + grain(), 60 + grain(), 255]),
  ),
  sprite(
    'road',
    'extend',
    image('rgba8', 300, 60, () => [90 + grain(), 90 + grain(), 90 + grain(), 255]),
  ),
  ...Array.from({ length: 10 }, (_, k) => sprite(`digit${k}`, 'fade', digit(k))),
  ...Array.from({ length: 3 }, (_, k) => sprite(`vehicle${k}`, 'fade', vehicle(k))),
]);

type Row = readonly [asset: string, x: number, y: number, rotation: number, scale: number];

function batch(side: number, channels: 1 | 3, scenes: readonly (readonly Row[])[], fixed: number): SceneBatch {
  return {
    schema: { dimension: 2, channels, attributes: ATTRIBUTES, classes: ['background', 'object'] },
    assets: benchLibrary.names,
    provenance: { grammar: 'bench', grammarHash: '', seed: SEED },
    scenes: scenes.map(
      (rows, index): SceneGraph => ({
        width: side,
        height: side,
        index,
        parent: new Int32Array(rows.length).fill(-1),
        classId: Uint16Array.from(rows, (_, v) => (v < fixed ? 0 : 1)),
        asset: Int32Array.from(rows, ([asset]) => benchLibrary.indexOf(asset)),
        attributes: Float32Array.from(rows.flatMap(([, x, y, rotation, scale]) => [x, y, rotation, scale, 1])),
        // Position and rotation of what is no background: what the paper's experiments learn.
        mutable: Uint8Array.from(rows.flatMap((_, v) => (v < fixed ? [0, 0, 0, 0, 0] : [1, 1, 1, 0, 0]))),
      }),
    ),
  };
}

/** 64 × 64 grey: an opaque background and one 28 × 28 digit anywhere, at any angle. */
export function mnistScenes(count: number): SceneBatch {
  const scenes = Array.from({ length: count }, (_, index): Row[] => {
    const random = new RandomStream({ seed: SEED, index });
    const between = (low: number, high: number) => low + random.uniform() * (high - low);
    return [
      ['black', 32, 32, 0, 1],
      [`digit${random.integer(10)}`, between(16, 48), between(16, 48), between(-180, 180), 1],
    ];
  });
  return batch(64, 1, scenes, 1);
}

/** 256 × 256 RGB: ground, a road across it and three vehicles. */
export function aerialScenes(count: number): SceneBatch {
  const scenes = Array.from({ length: count }, (_, index): Row[] => {
    const random = new RandomStream({ seed: SEED, index: 1000 + index });
    const between = (low: number, high: number) => low + random.uniform() * (high - low);
    return [
      ['ground', 128, 128, 0, 1],
      ['road', 128, between(90, 166), between(-20, 20), 1],
      ...[0, 1, 2].map(
        (k): Row => [`vehicle${k}`, between(30, 226), between(30, 226), between(-180, 180), between(0.8, 1.2)],
      ),
    ];
  });
  return batch(256, 3, scenes, 2);
}

/** Draws the scenes of a batch with Skia: the same textures, affine poses, order and filter. */
export class SkiaRenderer {
  readonly #context: SKRSContext2D;
  readonly #textures: readonly Canvas[];
  readonly #batch: SceneBatch;

  constructor(batch: SceneBatch) {
    this.#batch = batch;
    const { width, height } = batch.scenes[0];
    this.#context = createCanvas(width, height).getContext('2d');
    this.#context.imageSmoothingEnabled = true;
    this.#context.imageSmoothingQuality = 'low';
    this.#textures = benchLibrary.assets.map((asset) => toCanvas(asset.load() as SpriteImage));
  }

  /** One scene's pixels, RGBA bytes read back. */
  draw(sceneIndex: number): Uint8ClampedArray {
    const scene = this.#batch.scenes[sceneIndex];
    const context = this.#context;
    for (let v = 0; v < scene.asset.length; v++) {
      const [x, y, rotation, scale] = scene.attributes.subarray(v * 5, v * 5 + 5);
      const texture = this.#textures[scene.asset[v]];
      const cos = Math.cos((rotation * Math.PI) / 180) * scale;
      const sin = Math.sin((rotation * Math.PI) / 180) * scale;
      context.setTransform(cos, sin, -sin, cos, x, y);
      context.drawImage(texture, -texture.width / 2, -texture.height / 2);
    }
    return context.getImageData(0, 0, scene.width, scene.height).data;
  }
}

function toCanvas({ width, height, format, pixels }: SpriteImage): Canvas {
  const canvas = createCanvas(width, height);
  const context = canvas.getContext('2d');
  const data = context.createImageData(width, height);
  for (let i = 0; i < width * height; i++) {
    // Ink is white paint of that opacity: its premultiplied colour is the ink.
    if (format === 'ink8') data.data.set([255, 255, 255, pixels[i]], 4 * i);
    else data.data.set(pixels.subarray(4 * i, 4 * i + 4), 4 * i);
  }
  context.putImageData(data, 0, 0);
  return canvas;
}
