/** What the formats' tests share: real samples of a small grammar, and what writes and reads them. */
import { annotateBatch } from '../../../src/annotate/annotateScene.js';
import { AssetLibrary } from '../../../src/assets/assetLibrary.js';
import { proceduralBackgrounds } from '../../../src/assets/proceduralBackgrounds.js';
import { proceduralDigits } from '../../../src/assets/proceduralDigits.js';
import { imageEncoder } from '../../../src/dataset/imageCodec.js';
import { type DatasetSample, type ImageCodec, sampleKey } from '../../../src/dataset/sample.js';
import { parseGrammar } from '../../../src/grammar/grammar.js';
import { Engine } from '../../../src/render/engine.js';
import { encodeScenes } from '../../../src/scene/encode.js';
import type { Fixture } from './folders.js';

export { type Fixture, readAll, temporaryFolder, writeFixture } from './folders.js';

export interface FixtureOptions {
  readonly count: number;
  readonly codec?: ImageCodec;
  readonly channels?: 1 | 3;
  readonly masks?: boolean;
  readonly scenes?: boolean;
  readonly seed?: number;
}

/** Scenes of a background and one to three digits that may overlap, hide one another and leave the canvas. */
export async function fixture(options: FixtureOptions): Promise<Fixture> {
  const { count, codec = 'png', channels = 1, masks = true, scenes = true, seed = 5 } = options;
  const assets = new AssetLibrary([...proceduralBackgrounds().assets, ...proceduralDigits({ variants: 2 }).assets]);
  const grammar = parseGrammar(grammarText(channels), { assets });
  const batch = await grammar.sampleBatch({ seed, start: 0, count });
  const engine = await Engine.create({ assets, workers: 0 });
  const rendered = await engine.render(batch, { color: 'u8', labels: true });
  await engine.close();
  const encode = await imageEncoder(codec);
  const { width, height } = rendered;
  const labels = annotateBatch(batch, rendered.instances as Uint16Array, rendered.coverage as Float64Array);
  const samples = batch.scenes.map((scene, i): DatasetSample => {
    const size = width * height;
    const pixels = rendered.color.slice(i * size * channels, (i + 1) * size * channels);
    const instances = (rendered.instances as Uint16Array).slice(i * size, (i + 1) * size);
    const objects = labels[i];
    return {
      labels: { key: sampleKey(i), index: scene.index, seed, width, height, channels, objects },
      image: { codec, bytes: encode({ width, height, channels, pixels }) },
      pixels,
      ...(masks ? { instances, classes: (rendered.classes as Uint8Array).slice(i * size, (i + 1) * size) } : {}),
      ...(scenes ? { scene: encodeScenes({ ...batch, scenes: [scene] }) } : {}),
    };
  });
  const { classes } = batch.schema;
  const things = classes.filter((name) => name !== 'background');
  const info = { name: 'fixture', classes, things, split: 'train', codec, masks, scenes, width, height, channels };
  return { info, samples };
}

function grammarText(channels: 1 | 3): string {
  const colours = channels === 3 ? ', red: { uniform: [0.5, 1] }, blue: { uniform: [0, 1] }' : '';
  return `
name: fixture
canvas: { width: 48, height: 32, channels: ${channels} }
attributes: { x: {}, y: {}, rotation: {}, scale: {}${channels === 3 ? ', red: {}, blue: {}' : ''} }
templates:
  digit:
    asset: digits/\${class}/*
    mutable: [x, y, rotation]
    attributes: { x: { uniform: [-26, 26] }, y: { uniform: [-18, 18] }, rotation: { uniform: [-180, 180] }, scale: { uniform: [0.4, 1.1] }${colours} }
classes:
  background: { asset: backgrounds/grey-noise/*, attributes: { x: 24, y: 16 } }
  "3": { extends: digit }
  "7": { extends: digit }
  "8": { extends: digit }
nodes:
  - class: background
    children:
      - class: ["3", "7", "8"]
        count: { uniform: [1, 3] }
`;
}
