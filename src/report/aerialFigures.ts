import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { writeFileWhole } from '../dataset/files.js';
import type { AerialSetting } from '../experiments/aerial/experiment.js';
import { AERIAL_LABELS } from '../experiments/aerial/scenes.js';
import type { Engine } from '../render/engine.js';
import { FRESH_SCENES, type SceneSource } from '../scene/sceneSource.js';
import { renderSegmentedScenes, sceneSegmenter } from '../training/segmentedScenes.js';
import { contactSheet } from './contactSheet.js';
import { classColour } from './inspect/labelColours.js';
import type { Colour, ImageStack } from './picture.js';

/** Where a run folder keeps them. */
export const FIGURES = 'figures';
const ROWS = 4;
const COLUMNS = 4;
const PAIRS = 6;
/** First scene of the figures: neither trained on nor tested on. */
const FIRST_SCENE = 2 * FRESH_SCENES;
const BACKGROUND: Colour = [60, 60, 60];

/** What is drawn, in the order of the paper's figures 9 to 11. */
export const AERIAL_FIGURES = [
  {
    file: 'labels.png',
    caption: 'Images of the target and their labels (figure 9): cars, road, houses and trees on grass.',
  },
  { file: 'input.png', caption: 'Scenes of the grammar (figure 10).' },
  { file: 'generated.png', caption: 'The same scenes after the distribution transformer (figure 11), and the target.' },
] as const;

/** Draws the figures of §4.2 into `figures/` of a run folder. */
export async function drawAerialFigures(
  out: string,
  { engine, grammar, target, config }: AerialSetting,
  metasim: SceneSource,
): Promise<void> {
  const { seed } = config;
  const classes = sceneSegmenter(grammar.schema, AERIAL_LABELS);
  const labelled = await renderSegmentedScenes(engine, target, { seed, start: FIRST_SCENE, count: PAIRS, classes });
  const show = (source: SceneSource) => renderFew(engine, source, seed, ROWS * COLUMNS, FIRST_SCENE);
  const [input, generated, real] = [await show(grammar), await show(metasim), await show(target)];
  const side = { rows: ROWS, columns: COLUMNS, scale: 1 };
  const sheets = [
    contactSheet({
      groups: [
        { title: 'image', images: labelled },
        { title: 'label', images: { ...labelled, images: painted(labelled.masks) } },
      ],
      rows: PAIRS,
    }),
    contactSheet({ groups: [{ title: 'grammar', images: input }], ...side }),
    contactSheet({
      groups: [
        { title: 'generated', images: generated },
        { title: 'target', images: real },
      ],
      ...side,
    }),
  ];
  await mkdir(join(out, FIGURES), { recursive: true });
  for (const [i, { file }] of AERIAL_FIGURES.entries()) await writeFileWhole(join(out, FIGURES, file), sheets[i]);
}

/** The first scenes of a source as pictures. */
export async function renderFew(
  engine: Engine,
  source: SceneSource,
  seed: number,
  count: number,
  start = 0,
): Promise<ImageStack> {
  const batch = await source.sampleBatch({ seed, start, count });
  const { width, height, channels, color } = await engine.render(batch, { color: 'u8' });
  return { count, width, height, channels: channels as 1 | 3, images: color };
}

/** Class maps in colours. */
function painted(masks: Uint8Array): Uint8Array {
  const pixels = new Uint8Array(3 * masks.length);
  for (const [i, label] of masks.entries()) {
    pixels.set(label < AERIAL_LABELS.length ? classColour(label) : BACKGROUND, 3 * i);
  }
  return pixels;
}
