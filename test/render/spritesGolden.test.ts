/**
 * Golden pictures, to be looked at: `node --import tsx test/render/spritesGolden.test.ts --update` writes them anew.
 * They are compared on decoded pixels, because PNG encoders change.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createCanvas, Image } from '@napi-rs/canvas';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { type LocalImage, LocalRenderer } from '../../src/render/localRenderer.js';
import type { SceneBatch } from '../../src/scene/sceneGraph.js';
import { aerialNodes, mnistNodes, type NodeSpec, spriteBatch, spriteLibrary } from './spriteFixtures.js';

const update = process.argv.includes('--update');
const folder = new URL('../golden/', import.meta.url);
const renderer = await LocalRenderer.create(spriteLibrary);

const arrows = (angles: number[]): NodeSpec[] =>
  angles.map((rotation, i) => ({ asset: 'arrow', x: 26 + 44 * (i % 4), y: 26 + 44 * Math.floor(i / 4), rotation }));

const scenes: Record<string, SceneBatch> = {
  mnist: spriteBatch({ width: 64, height: 64, channels: 1 }, [mnistNodes()]),
  aerial: spriteBatch({ width: 256, height: 256, channels: 3 }, [aerialNodes()]),
  // Clockwise from pointing right: 0, 30, 90, 180, −90, 270 = −90, 360 = 0, 45.
  rotation: spriteBatch({ width: 184, height: 96, channels: 3 }, [arrows([0, 30, 90, 180, -90, 270, 360, 45])]),
  scale: spriteBatch({ width: 184, height: 96, channels: 3 }, [
    [
      { asset: 'arrow', x: 20, y: 24, scale: 0.5 },
      { asset: 'arrow', x: 60, y: 24 },
      { asset: 'arrow', x: 130, y: 30, scale: 2.2 },
      { asset: 'arrow', x: 24, y: 70, scaleX: -1 },
      { asset: 'tile', x: 66, y: 70, scaleX: 2, rotation: 20 },
      { asset: 'tile', x: 110, y: 80, scaleY: 0.25, rotation: -10 },
      { asset: 'arrow', x: 150, y: 76, scaleX: 0.6, scaleY: 1.4 },
    ],
  ]),
  opacity: spriteBatch({ width: 128, height: 64, channels: 3 }, [
    [
      { asset: 'background/grass', x: 64, y: 32 },
      { asset: 'car', x: 40, y: 24 },
      { asset: 'glass', x: 50, y: 30, rotation: 15, scale: 1.5 },
      { asset: 'disc', x: 64, y: 34, opacity: 0.5 },
      { asset: 'disc', x: 84, y: 34, brightness: 0.4 },
      { asset: 'seven', x: 104, y: 32, scale: 1.4, red: 1, green: 0.2, blue: 0.1 },
    ],
  ]),
  clipping: spriteBatch({ width: 80, height: 60, channels: 3 }, [
    [
      { asset: 'tile', x: 40, y: 30, scale: 2.5, rotation: 8 },
      { asset: 'car', x: 0, y: 0, rotation: 40 },
      { asset: 'disc', x: 80, y: 60 },
      { asset: 'arrow', x: 78, y: 10 },
      { asset: 'seven', x: 6, y: 58 },
    ],
  ]),
  hierarchy: spriteBatch({ width: 128, height: 128, channels: 3 }, [
    [
      { x: 64, y: 64, rotation: 30, scale: 1.2 },
      { asset: 'road', parent: 0, scaleX: 0.4 },
      { asset: 'car', parent: 1, x: -24, y: -10 },
      { asset: 'car', parent: 1, x: 24, y: 10, rotation: 180 },
      { asset: 'disc', parent: 3, x: 8, scale: 0.4 },
    ],
  ]),
  grey: spriteBatch({ width: 128, height: 64, channels: 1 }, [
    [
      { asset: 'tile', x: 64, y: 32, scale: 4 },
      { asset: 'car', x: 40, y: 24, rotation: 20 },
      { asset: 'seven', x: 90, y: 32 },
      { asset: 'stamp', x: 14, y: 46, rotation: 45, scale: 1.5 },
    ],
  ]),
};

for (const [name, batch] of Object.entries(scenes)) {
  test(`golden ${name}`, async () => {
    const image = renderer.render(batch, 'u8')[0];
    await compare(name, image.width, image.height, colors(image));
  });
}

test('golden aerial labels', async () => {
  const image = renderer.render(scenes.aerial, 'none')[0];
  const palette = [0, 0x3b7a2a, 0x707070, 0xd04030, 0x3060d0, 0xe0c030];
  const pixels = Array.from(image.instances!, (id) => palette[id]);
  const rgb = pixels.flatMap((color) => [color >> 16, (color >> 8) & 255, color & 255]);
  await compare('aerialInstances', image.width, image.height, Uint8Array.from(rgb));
});

/** [H, W, 3] bytes of a grey or RGB image. */
function colors({ color, channels }: LocalImage): Uint8Array {
  return channels === 3
    ? (color as Uint8Array)
    : Uint8Array.from([...color!].flatMap((value) => [value, value, value]));
}

async function compare(name: string, width: number, height: number, rgb: Uint8Array): Promise<void> {
  const url = new URL(`${name}.png`, folder);
  const context = createCanvas(width, height).getContext('2d');
  if (update) {
    const data = context.createImageData(width, height);
    for (let i = 0; i < width * height; i++) data.data.set([...rgb.subarray(3 * i, 3 * i + 3), 255], 4 * i);
    context.putImageData(data, 0, 0);
    mkdirSync(folder, { recursive: true });
    writeFileSync(url, context.canvas.toBuffer('image/png'));
  }
  const golden = new Image();
  golden.src = readFileSync(url);
  await golden.decode();
  assert.equal([golden.width, golden.height], [width, height]);
  context.drawImage(golden, 0, 0);
  const { data } = context.getImageData(0, 0, width, height);
  let different = 0;
  for (let i = 0; i < width * height; i++) {
    for (let c = 0; c < 3; c++) if (data[4 * i + c] !== rgb[3 * i + c]) different++;
  }
  assert.is(different, 0, `${different} bytes differ from test/golden/${name}.png`);
}

test.run();
