import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { AssetLibrary, type SpriteAsset } from '../../assets/assetLibrary.js';
import { openOutputFolder, writeFileWhole } from '../../dataset/files.js';
import { encodePalettePng } from '../../dataset/palettePng.js';
import { encodePng } from '../../dataset/png.js';
import { type Grammar, loadGrammar } from '../../grammar/grammar.js';
import { RandomStream } from '../../random.js';
import { Engine, type RenderedBatch } from '../../render/engine.js';
import type { StarterTask } from './tasks.js';
import { drawTool, drawTray, TOOLS } from './tools.js';

/**
 * How the target's tools lie: what training has to find out. Degrees clockwise, px of the grammar's canvas, and the spread
 * of each.
 */
export const STARTER_TARGET = {
  rotation: { mean: 55, sd: 5 },
  x: { mean: 5, sd: 1 },
  y: { mean: -4, sd: 1 },
  scale: { mean: 0.75, sd: 0.03 },
} as const;

/** Where the templates of the files lie. */
const TEMPLATES = new URL('../../../examples/starter/', import.meta.url);
/** Variants of each texture; those of the target are others. */
const TEXTURES = 6;
const TARGET_TEXTURES = 8;
/** Pixels of a target picture for a px of the grammar's canvas. */
const TARGET_SCALE = 2;
const CANVAS = 48;
/** Standard deviation of the camera's noise, of 255. */
const NOISE = 3;
/** `attribute` of the noise's random streams; the tools' are others. */
const NOISE_STREAM = 3;
const MASK_PALETTE = Uint8Array.of(30, 30, 40, 200, 80, 60, 70, 150, 220, 230, 190, 70);

export interface StarterOptions {
  /** A folder that does not exist or is empty. */
  readonly folder: string;
  /** Default `classification`. */
  readonly task?: StarterTask;
  /** Target pictures without labels, and with labels; default 60 each. */
  readonly target?: number;
  readonly validation?: number;
}

/**
 * Writes a small domain that trains at once: a commented grammar and configuration, textures, target pictures and labels
 * (all drawn here), an external task, and a README.
 * @returns the paths of the files, relative to the folder
 * @throws DatasetError when the folder is not empty, or cannot be written; then nothing is left there
 */
export async function writeStarterDomain(options: StarterOptions): Promise<string[]> {
  const { task = 'classification', target = 60, validation = 60 } = options;
  const folder = await openOutputFolder(options.folder);
  const files: string[] = [];
  const write = async (path: string, content: string | Uint8Array) => {
    await mkdir(join(folder.path, path, '..'), { recursive: true });
    await writeFileWhole(join(folder.path, path), content);
    files.push(path);
  };
  try {
    for (const [path, text] of await texts(task)) await write(path, text);
    for (let i = 0; i < TEXTURES; i++) {
      await write(`textures/tray/${i}.png`, (await drawTray(i, 1)).encodeSync('png'));
      for (const tool of TOOLS)
        await write(`textures/${tool}/${i}.png`, (await drawTool(tool, i, 1)).encodeSync('png'));
    }
    await writeTarget(write, task, target, validation);
    return files.sort();
  } catch (error) {
    await folder.discard();
    throw error;
  }
}

/** The files that are text, for a task. */
async function texts(task: StarterTask): Promise<[path: string, text: string][]> {
  const read = (name: string) => readFile(new URL(name, TEMPLATES), 'utf8');
  const config = (await read('config.yaml'))
    .replace('#VALIDATION', task === 'segmentation' ? '{ kind: masks, folder: validation }' : '{ folder: validation }')
    .replace('#TASK', `${TASK_LINES[task].join('\n  ')}\n`);
  const { rotation, x, y, scale } = STARTER_TARGET;
  const values: Record<string, string | number> = {
    task,
    rotation: rotation.mean,
    x: x.mean,
    y: -y.mean,
    scale: scale.mean,
  };
  const readme = (await read('README.md')).replace(/\{\{(\w+)\}\}/g, (_, name: string) => String(values[name]));
  return [
    ['grammar.yaml', await read('grammar.yaml')],
    ['config.yaml', config],
    ['README.md', readme],
    ['textures/licences.yaml', await read('licences.yaml')],
    ['task/train.mjs', await read('task/train.mjs')],
  ];
}

const TASK_LINES: Readonly<Record<StarterTask, readonly string[]>> = {
  classification: [
    'kind: classification',
    'epochs: 4',
    '# Instead, any program of yours that prints a score:',
    '# kind: command',
    '# command: [node, task/train.mjs, "{dataset}", "{validation}", "{seed}"]',
  ],
  segmentation: ['kind: segmentation', 'epochs: 2'],
  command: [
    '# Called in every epoch; its last line of output is {"score": …}. No shell reads it.',
    'kind: command',
    'command: [node, task/train.mjs, "{dataset}", "{validation}", "{seed}"]',
    'timeoutSeconds: 120',
    'retries: 0',
  ],
};

/** Renders the target: unlabelled pictures, and labelled ones as the task needs them. */
async function writeTarget(
  write: (path: string, content: Uint8Array) => Promise<void>,
  task: StarterTask,
  target: number,
  validation: number,
): Promise<void> {
  const assets = await targetAssets();
  const grammar = await targetGrammar(assets);
  const engine = await Engine.create({ assets, workers: 0 });
  try {
    const batch = await grammar.sampleBatch({ seed: 1, start: 0, count: target + validation });
    const rendered = await engine.render(batch, { color: 'u8', labels: true });
    for (let i = 0; i < rendered.count; i++) {
      const name = `${String(i).padStart(3, '0')}.png`;
      const picture = pictureOf(rendered, i);
      if (i < target) {
        await write(`target/${name}`, picture);
      } else if (task === 'segmentation') {
        await write(`validation/images/${name}`, picture);
        await write(`validation/masks/${name}`, maskOf(rendered, i));
      } else {
        const tool = batch.schema.classes[batch.scenes[i].classId[1]];
        await write(`validation/${tool}/${name}`, picture);
      }
    }
  } finally {
    await engine.close();
  }
}

/** Sharper pictures of other tools than those in `textures/`. */
async function targetAssets(): Promise<AssetLibrary> {
  const assets: SpriteAsset[] = [];
  for (let i = 0; i < TARGET_TEXTURES; i++) {
    const seed = TEXTURES + i;
    const pictures = [
      ['tray', await drawTray(seed, TARGET_SCALE)] as const,
      ...(await Promise.all(TOOLS.map(async (tool) => [tool, await drawTool(tool, seed, TARGET_SCALE)] as const))),
    ];
    for (const [name, canvas] of pictures) {
      const { width, height } = canvas;
      const { data } = canvas.getContext('2d').getImageData(0, 0, width, height);
      const pixels = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
      assets.push({
        ...{ kind: 'sprite', name: `${name}/${i}`, width, height, format: 'rgba8', licence: 'CC0-1.0' },
        edge: name === 'tray' ? 'extend' : 'fade',
        load: () => ({ width, height, format: 'rgba8', pixels }),
      });
    }
  }
  return new AssetLibrary(assets);
}

/** The grammar of the target: the camera hangs elsewhere, and has more pixels. */
function targetGrammar(assets: AssetLibrary): Promise<Grammar> {
  const side = TARGET_SCALE * CANVAS;
  const { rotation, x, y, scale } = STARTER_TARGET;
  const px = ({ mean, sd }: { mean: number; sd: number }) => ({
    normal: { mean: TARGET_SCALE * mean, sd: TARGET_SCALE * sd },
  });
  const attributes = { rotation: { normal: rotation }, x: px(x), y: px(y), scale: { normal: scale } };
  return loadGrammar(
    {
      name: 'target',
      canvas: { width: side, height: side, channels: 3 },
      attributes: { x: {}, y: {}, rotation: {}, scale: {} },
      classes: [
        { name: 'tray', asset: 'tray/*', attributes: { x: side / 2, y: side / 2 } },
        ...TOOLS.map((name) => ({ name, asset: `${name}/*`, attributes })),
      ],
      nodes: [{ class: 'tray', children: [{ class: [...TOOLS] }] }],
    },
    { assets },
  );
}

/** A PNG of image i, with the camera's noise. */
function pictureOf({ width, height, color }: RenderedBatch<'u8'>, i: number): Uint8Array {
  const size = width * height * 3;
  const stream = new RandomStream({ seed: 0, index: i, attribute: NOISE_STREAM });
  const pixels = Uint8Array.from(color.subarray(i * size, (i + 1) * size), (value) =>
    Math.min(255, Math.max(0, Math.round(value + NOISE * nearlyNormal(stream)))),
  );
  return encodePng({ width, height, channels: 3, pixels });
}

/** Mean 0, variance 1: the sum of four uniforms. */
function nearlyNormal(stream: RandomStream): number {
  return Math.sqrt(3) * (stream.uniform() + stream.uniform() + stream.uniform() + stream.uniform() - 2);
}

/** A palette PNG whose pixels are 1, 2, 3 in the order of the tools, and 0 for the tray. */
function maskOf({ width, height, classes }: RenderedBatch<'u8'>, i: number): Uint8Array {
  const mask = (classes as Uint8Array).subarray(i * width * height, (i + 1) * width * height);
  // The renderer's maps hold class + 1, and the tray is class 0.
  const pixels = mask.map((value) => Math.max(0, value - 1));
  return encodePalettePng({ width, height, pixels, palette: MASK_PALETTE });
}
