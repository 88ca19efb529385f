/**
 * Can training find a target of several modes? One car on plain ground stands always the same in the grammar; in the
 * target it heads up or down with equal odds. The mean of a single Gaussian can be at one of them or between them; with
 * latent noise (`transformer.noise`) a scene becomes either. All stages run as in training, the survey of the warm start
 * too. Printed for both: the distance of the directions' histograms (36 bins) from the target's, total variation and
 * Wasserstein on the circle, and the share of cars within 20° of each mode.
 * METASIM_SEEDS sets the number of seeds (3), METASIM_INCEPTION a folder of weights ("auto"); METASIM_SIZE the canvas.
 */
import { stageConfig } from '../src/config.js';
import { disposeBackend, initBackend } from '../src/learn/backend.js';
import {
  circularWasserstein,
  directionHistogram,
  modeShares,
  totalVariation,
} from '../src/metrics/directionHistogram.js';
import { Engine } from '../src/render/engine.js';
import { attributeIndex } from '../src/scene/attributeSchema.js';
import type { SceneBatch } from '../src/scene/sceneGraph.js';
import { trainTransformer } from '../src/training/train.js';
import { carGrammar, carLibrary } from '../test/helpers/carScenes.js';
import type { BenchResult, BenchRow } from './bench.js';

const SEEDS = Number(process.env.METASIM_SEEDS ?? 3);
const SIZE = Number(process.env.METASIM_SIZE ?? 48);
const WEIGHTS = process.env.METASIM_INCEPTION ?? 'auto';
const MODES = [0, 180];
const WITHIN = 20;
const REAL_IMAGES = 100;
const FRESH = { start: 2 ** 40, count: 500 };
/** Numbers of latent noise of the two contestants. */
const NOISE = { 'single mean': 0, 'latent noise': 2 };

/** What is measured of one trained transformer. */
interface Outcome {
  readonly variation: number;
  readonly wasserstein: number;
  readonly shares: readonly number[];
  readonly mmd: number;
}

export async function run(): Promise<BenchResult> {
  await initBackend({ threads: 'all' });
  const rows: BenchRow[] = [];
  const sums: Record<string, number> = {};
  for (let seed = 0; seed < SEEDS; seed++) {
    for (const [label, noise] of Object.entries(NOISE)) {
      const { variation, wasserstein, shares, mmd } = await train(noise, seed);
      sums[label] = (sums[label] ?? 0) + wasserstein / SEEDS;
      const at = shares.map((share, i) => `${(100 * share).toFixed(0)} % at ${MODES[i]}°`).join(', ');
      rows.push({ label: `${label}, seed ${seed}: Wasserstein; ${at}`, value: wasserstein, unit: '°' });
      rows.push({ label: `${label}, seed ${seed}: total variation`, value: variation, unit: '' });
      rows.push({ label: `${label}, seed ${seed}: MMD² of the last epoch × 100`, value: 100 * mmd, unit: '' });
    }
  }
  await disposeBackend();
  const ratio = sums['single mean'] / sums['latent noise'];
  return { name: 'modes', rows, ratio, peer: 'the Wasserstein distance of the single mean', target: 4 };
}

async function train(noise: number, seed: number): Promise<Outcome> {
  const centre = { x: SIZE / 2, y: SIZE / 2 };
  const source = await carGrammar(SIZE, [
    { class: 'car', attributes: { ...centre, rotation: 60 }, mutable: ['rotation'] },
  ]);
  const target = await carGrammar(SIZE, [
    { class: 'car', attributes: { ...centre, rotation: { categorical: { values: [0, -180] } } } },
  ]);
  const engine = await Engine.create({ assets: carLibrary });
  try {
    const real = target.sampleBatch({ seed: seed + 1, start: 0, count: REAL_IMAGES });
    const { color } = await engine.render(real);
    const realImages = { count: REAL_IMAGES, width: SIZE, height: SIZE, channels: 3 as const, images: color };
    let mmd = Number.NaN;
    const { transformer } = await trainTransformer({
      config: stageConfig({
        seed,
        features: { weights: WEIGHTS },
        mmd: { realImages: REAL_IMAGES },
        transformer: { noise },
        pretrain: { steps: 500 },
        warmStart: { candidates: 24, scenes: 8, refine: 2, steps: 8 },
        meta: { epochs: 12, iterations: 25, batchSize: 32, learningRate: 6e-3, halveEvery: 4 },
      }),
      source,
      engine,
      realImages,
      observer: {
        onEpoch: (report) => {
          mmd = report.mmd;
          if (process.env.METASIM_VERBOSE) console.error(report.epoch, mmd.toFixed(4), describe(report.mean, target));
        },
      },
    });
    const fresh = await transformer.transform(source.sampleBatch({ seed: seed + 2, ...FRESH }));
    transformer.dispose();
    return { ...describe(fresh, target), mmd };
  } finally {
    await engine.close();
  }
}

function describe(scenes: SceneBatch, target: Awaited<ReturnType<typeof carGrammar>>): Omit<Outcome, 'mmd'> {
  const found = directions(scenes);
  const histogram = directionHistogram(found);
  const wanted = directionHistogram(directions(target.sampleBatch({ seed: 5, start: 0, count: 2000 })));
  return {
    variation: totalVariation(histogram, wanted),
    wasserstein: circularWasserstein(histogram, wanted),
    shares: modeShares(found, MODES, WITHIN),
  };
}

/** Rotation of every scene's car, the node behind the ground. */
function directions({ schema, scenes }: SceneBatch): number[] {
  const column = attributeIndex(schema, 'rotation');
  return scenes.map(({ attributes }) => attributes[schema.attributes.length + column]);
}
