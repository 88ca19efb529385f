/** What the dataset bench generates: grammar files and their textures, as worker threads open them. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createCanvas } from '@napi-rs/canvas';
import type { SpriteImage } from '../src/assets/assetLibrary.js';
import type { SourceSpec } from '../src/batch/openSource.js';
import { assetSourceSchema } from '../src/config.js';
import { benchLibrary } from './spriteScenes.js';

/** 64 × 64 grey: a digit anywhere near the middle, somewhat turned. */
export const mnistSource: SourceSpec = {
  path: fileURLToPath(new URL('../examples/grammars/mnist.yaml', import.meta.url)),
  variables: { digits: 'digits', size: '64', turn: '20', shift: '8' },
};

const AERIAL = `
name: aerial
canvas: { width: 256, height: 256, channels: 3 }
attributes: { x: {}, y: {}, rotation: {}, scale: {} }
classes:
  ground: { asset: flat/ground, attributes: { x: 128, y: 128 } }
  road: { asset: flat/road, attributes: { y: { uniform: [-38, 38] }, rotation: { uniform: [-20, 20] } } }
  vehicle:
    asset: cut/vehicle*
    mutable: [x, y, rotation]
    attributes:
      x: { uniform: [-98, 98] }
      y: { uniform: [-98, 98] }
      rotation: { uniform: [-180, 180] }
      scale: { uniform: [0.8, 1.2] }
nodes:
  - class: ground
    children:
      - class: road
      - class: vehicle
        count: 3
`;

/** 256 × 256 RGB: ground, a road across it and three vehicles, the scenes of the sprite benches. */
export function aerialSource(folder: string): SourceSpec {
  const path = join(folder, 'aerial.yaml');
  writeFileSync(path, AERIAL);
  const sprites = benchLibrary.assets.filter(({ name }) => /^(ground|road|vehicle)/.test(name));
  for (const { name, edge, load } of sprites) {
    const textures = join(folder, edge);
    mkdirSync(textures, { recursive: true });
    writeFileSync(join(textures, `${name}.png`), toPng(load() as SpriteImage));
  }
  const source = (edge: 'fade' | 'extend', prefix: string) =>
    assetSourceSchema.parse({ kind: 'images', folder: join(folder, edge), edge, prefix, licence: 'CC0-1.0' });
  return { path, assets: [source('extend', 'flat'), source('fade', 'cut')] };
}

/** Of `rgba8`, with its transparency. */
function toPng({ width, height, pixels }: SpriteImage): Uint8Array {
  const canvas = createCanvas(width, height);
  const context = canvas.getContext('2d');
  const data = context.createImageData(width, height);
  data.data.set(pixels);
  context.putImageData(data, 0, 0);
  return canvas.toBuffer('image/png');
}
