/**
 * Does training hide what it cannot place, and what does the penalty against it cost? A car stands partly below a house
 * in every scene of the grammar. In the first target there is no car: the features are nearest where it is gone, wholly
 * below the house or off the canvas. In the second it stands beside the house, so that nothing is to be gained by hiding.
 * Distribution matching alone, with and without `meta.visibilityWeight`; printed: MMD², mean visible fraction of the cars
 * and the share of them of which less than 10 % is seen, on fresh scenes; and the time of the penalty for 16 scenes.
 * METASIM_SEEDS sets the number of seeds (2), METASIM_INCEPTION a folder of weights ("auto"), METASIM_WEIGHTS the
 * weights of the penalty.
 */
import { stageConfig } from '../src/config.js';
import { disposeBackend, initBackend } from '../src/learn/backend.js';
import { VisibilityPenalty } from '../src/loss/visibility.js';
import { visibilityOf } from '../src/metrics/visibility.js';
import { Engine } from '../src/render/engine.js';
import { trainTransformer } from '../src/training/train.js';
import { carGrammar, carLibrary, type Placed } from '../test/helpers/carScenes.js';
import { type BenchResult, type BenchRow, contest } from './bench.js';

const SEEDS = Number(process.env.METASIM_SEEDS ?? 2);
const WEIGHTS = process.env.METASIM_INCEPTION ?? 'auto';
const PENALTIES = (process.env.METASIM_WEIGHTS ?? '0,300,1000').split(',').map(Number);
const SIZE = 48;
const REAL_IMAGES = 100;
const FRESH = { start: 2 ** 40, count: 300 };

const about = { uniform: [SIZE / 2 - 4, SIZE / 2 + 4] };
const house = { class: 'house', attributes: { x: about, y: about } } as const satisfies Placed;
const below = {
  class: 'car',
  attributes: { x: { uniform: [14, 34] }, y: { uniform: [30, 36] } },
  mutable: ['x', 'y'],
} as const satisfies Placed;
const beside = {
  class: 'car',
  attributes: { x: { uniform: [39, 41] }, y: { uniform: [14, 34] } },
} as const satisfies Placed;
/** Lower ones stand first. */
const SOURCE: readonly Placed[] = [below, house];
const TARGETS: Readonly<Record<string, readonly Placed[]>> = {
  'without a car': [house],
  'with a car beside the house': [beside, house],
};

interface Outcome {
  readonly mmd: number;
  readonly visible: number;
  readonly hidden: number;
}

export async function run(): Promise<BenchResult> {
  await initBackend({ threads: 'all' });
  const rows: BenchRow[] = [...(await input())];
  const hidden: Record<number, number> = {};
  for (const target of Object.keys(TARGETS)) {
    for (const weight of PENALTIES) {
      const outcomes: Outcome[] = [];
      for (let seed = 0; seed < SEEDS; seed++) outcomes.push(await train(TARGETS[target], weight, seed));
      const mean = (key: keyof Outcome) => outcomes.reduce((sum, one) => sum + one[key], 0) / SEEDS;
      const label = `target ${target}, weight ${weight}`;
      rows.push({ label: `${label}: MMD² of the last epoch × 100`, value: 100 * mean('mmd'), unit: '' });
      rows.push({ label: `${label}: mean visible fraction of cars`, value: 100 * mean('visible'), unit: '%' });
      rows.push({ label: `${label}: cars seen by less than 10 %`, value: 100 * mean('hidden'), unit: '%' });
      if (target === 'without a car') hidden[weight] = mean('hidden');
    }
  }
  rows.push(...(await time()));
  await disposeBackend();
  const [without, ...others] = PENALTIES.map((weight) => hidden[weight]);
  // At least a hundredth of the cars: none at all would divide by zero.
  const ratio = without / Math.max(0.01, ...others);
  return { name: 'visibility', rows, ratio, peer: 'the hidden cars without the penalty', target: 10 };
}

async function input(): Promise<BenchRow[]> {
  const engine = await Engine.create({ assets: carLibrary });
  const scenes = (await carGrammar(SIZE, SOURCE)).sampleBatch({ seed: 0, ...FRESH });
  const { byClass, hidden } = visibilityOf(scenes, await engine.render(scenes, { color: 'none', labels: true }));
  await engine.close();
  return [
    { label: 'the grammar: mean visible fraction of cars', value: 100 * byClass.car, unit: '%' },
    { label: 'the grammar: cars seen by less than 10 %', value: 100 * hidden, unit: '%' },
  ];
}

async function train(objects: readonly Placed[], visibilityWeight: number, seed: number): Promise<Outcome> {
  const source = await carGrammar(SIZE, SOURCE);
  const target = await carGrammar(SIZE, objects);
  const engine = await Engine.create({ assets: carLibrary });
  try {
    const { color } = await engine.render(target.sampleBatch({ seed: seed + 1, start: 0, count: REAL_IMAGES }));
    let mmd = Number.NaN;
    const { transformer } = await trainTransformer({
      config: stageConfig({
        seed,
        features: { weights: WEIGHTS },
        mmd: { realImages: REAL_IMAGES },
        warmStart: { kind: 'none' },
        meta: { epochs: 6, iterations: 15, batchSize: 24, learningRate: 0.01, halveEvery: 2, visibilityWeight },
      }),
      source,
      engine,
      realImages: { count: REAL_IMAGES, width: SIZE, height: SIZE, channels: 3, images: color },
      observer: {
        onEpoch: (report) => {
          mmd = report.mmd;
          if (process.env.METASIM_VERBOSE)
            console.error(visibilityWeight, report.epoch, mmd.toFixed(4), report.details);
        },
      },
    });
    const fresh = await transformer.transform(source.sampleBatch({ seed, ...FRESH }));
    transformer.dispose();
    const rendered = await engine.render(fresh, { color: 'none', labels: true });
    const { byClass, hidden } = visibilityOf(fresh, rendered);
    return { mmd, visible: byClass.car, hidden };
  } finally {
    await engine.close();
  }
}

/** What the penalty of 16 scenes at 128 × 128 costs, five mutable sprites each, beside the renderer's vjp. */
async function time(): Promise<BenchRow[]> {
  const size = 128;
  const spread = { uniform: [0, size] };
  const attributes = { x: spread, y: spread, rotation: { uniform: [-180, 180] } };
  const one = (name: Placed['class']): Placed => ({ class: name, attributes, mutable: ['x', 'y', 'rotation'] });
  const grammar = await carGrammar(size, [one('car'), one('car'), one('car'), one('house'), one('house')]);
  const batch = grammar.sampleBatch({ seed: 0, start: 0, count: 16 });
  const engine = await Engine.create({ assets: carLibrary });
  const penalty = await VisibilityPenalty.create({ engine, minimum: 1 });
  const gradient = new Float32Array(16 * size * size * 3).fill(1);
  const [ofPenalty, ofVjp] = await contest([
    {
      label: 'penalty',
      work: async (count) => {
        for (let i = 0; i < count; i++) await penalty.valueAndGradient(batch);
      },
    },
    {
      label: 'vjp',
      work: async (count) => {
        for (let i = 0; i < count; i++) await engine.vjp(batch, gradient);
      },
    },
  ]);
  await penalty.close();
  await engine.close();
  return [
    { label: 'penalty and gradient of 16 scenes, 5 sprites, 128 × 128', value: 1000 / ofPenalty, unit: 'ms' },
    { label: 'vjp of the same scenes', value: 1000 / ofVjp, unit: 'ms' },
  ];
}
