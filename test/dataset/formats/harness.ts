/** What the formats' tests share: real samples of a small grammar, written in shards and read back. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { annotateBatch } from '../../../src/annotate/annotateScene.js';
import { AssetLibrary } from '../../../src/assets/assetLibrary.js';
import { proceduralBackgrounds } from '../../../src/assets/proceduralBackgrounds.js';
import { proceduralDigits } from '../../../src/assets/proceduralDigits.js';
import { finishContext } from '../../../src/dataset/finishContext.js';
import type { DatasetFormat } from '../../../src/dataset/format.js';
import { imageEncoder } from '../../../src/dataset/imageCodec.js';
import { LocalStorage } from '../../../src/dataset/localStorage.js';
import { type DatasetInfo, type DatasetSample, type ImageCodec, sampleKey } from '../../../src/dataset/sample.js';
import { Staging } from '../../../src/dataset/staging.js';
import { parseGrammar } from '../../../src/grammar/grammar.js';
import { Engine } from '../../../src/render/engine.js';
import { encodeScenes } from '../../../src/scene/encode.js';

export interface FixtureOptions {
  readonly count: number;
  readonly codec?: ImageCodec;
  readonly channels?: 1 | 3;
  readonly masks?: boolean;
  readonly scenes?: boolean;
  readonly seed?: number;
}

export interface Fixture {
  readonly info: DatasetInfo;
  readonly samples: readonly DatasetSample[];
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

/** Writes samples as a dataset of `shards` shards, the last shard first; returns its folder, removed at exit. */
export async function writeFixture(format: DatasetFormat, { info, samples }: Fixture, shards = 2): Promise<string> {
  const folder = temporaryFolder();
  const storage = new LocalStorage(folder);
  const writer = format.writer(info);
  const each = Math.ceil(samples.length / shards);
  for (let shard = shards - 1; shard >= 0; shard--) {
    const own = samples.slice(shard * each, (shard + 1) * each);
    const staging = new Staging(storage.stagingFolder(shard), shard);
    const sink = writer.openShard({ shard, shards, first: shard * each, count: own.length, files: staging });
    for (const sample of own) await sink.add(sample);
    await sink.end();
    await storage.commit(staging.folder, await staging.seal());
  }
  await writer.finish(finishContext(storage, shards, samples.length));
  return folder;
}

const temporary: string[] = [];
process.once('exit', () => {
  for (const folder of temporary) rmSync(folder, { recursive: true, force: true });
});

/** A folder that is removed when the process ends. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'metasim-formats-'));
  temporary.push(folder);
  return folder;
}

/** All samples of a dataset, with arrays of their own. */
export async function readAll(format: DatasetFormat, folder: string): Promise<Fixture> {
  const reader = await format.open(folder);
  const samples: DatasetSample[] = [];
  for await (const sample of reader.samples()) samples.push(structuredClone(sample));
  return { info: reader.info, samples };
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
