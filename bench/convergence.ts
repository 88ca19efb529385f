/**
 * Does training arrive at the target from any seed, and what makes the difference? Distribution matching alone (no task
 * network, a short form) on the three MNIST targets with five seeds each, then variants on the first target. A run has
 * arrived when 95 % of fresh scenes have every learned attribute within 5 % of its range.
 * METASIM_SEEDS sets the number of seeds, METASIM_TARGETS the targets (comma-separated). Takes about twenty minutes.
 */
import { existsSync } from 'node:fs';
import { openAssetSources } from '../src/assets/assetSources.js';
import { stageConfig } from '../src/config.js';
import { mnistFolder, mnistSplits, proceduralSplits } from '../src/experiments/mnist/digits.js';
import { loadMnistGrammar } from '../src/experiments/mnist/experiment.js';
import { type ErrorDistribution, errorDistribution } from '../src/experiments/mnist/learnedPose.js';
import { MNIST_TARGETS, type MnistTarget, PosedSource } from '../src/experiments/mnist/targets.js';
import { disposeBackend, initBackend } from '../src/learn/backend.js';
import { Engine } from '../src/render/engine.js';
import { renderLabelledScenes } from '../src/training/labelledScenes.js';
import { trainTransformer } from '../src/training/train.js';
import type { BenchResult, BenchRow } from './bench.js';

type Stages = NonNullable<Parameters<typeof stageConfig>[0]>;

const SEEDS = Number(process.env.METASIM_SEEDS ?? 5);
const TARGETS = (process.env.METASIM_TARGETS ?? Object.keys(MNIST_TARGETS).join(',')).split(',');
const REAL_IMAGES = 200;
const FRESH = { start: 2 ** 40, count: 500 };

const SHORT: Stages = {
  mmd: { realImages: REAL_IMAGES },
  warmStart: { candidates: 48, scenes: 50, refine: 4, steps: 12 },
  meta: { epochs: 4, learningRate: 1e-3, halveEvery: 2 },
};
/** Without a warm start the way is long: more epochs and longer steps of the optimiser. */
const LONG = { epochs: 12, learningRate: 3e-3, halveEvery: 5 };

/** What is changed, one thing at a time, on the first target. */
const VARIANTS: Readonly<Record<string, Stages>> = {
  'no warm start': { ...SHORT, warmStart: { kind: 'none' }, meta: LONG },
  'no warm start, plain median kernel': {
    ...SHORT,
    warmStart: { kind: 'none' },
    mmd: { ...SHORT.mmd, bandwidth: { kind: 'median' }, blur: [0] },
    meta: LONG,
  },
  'random features': { ...SHORT, features: { weights: 'random' } },
  'half-pixel difference steps': { ...SHORT, meta: { ...SHORT.meta, pixelDelta: 0.5 } },
  'MMD of noisy samples': { ...SHORT, meta: { ...SHORT.meta, mmdOf: 'samples' } },
};

export async function run(): Promise<BenchResult> {
  await initBackend({ threads: 'all' });
  const rows: BenchRow[] = [];
  let arrived = 0;
  let runs = 0;
  for (const name of TARGETS) {
    const target = MNIST_TARGETS[name as keyof typeof MNIST_TARGETS];
    for (let seed = 0; seed < SEEDS; seed++) {
      const outcome = await trainPose(target, SHORT, seed);
      rows.push(...describe(`${name}, seed ${seed}`, outcome));
      arrived += hasArrived(outcome) ? 1 : 0;
      runs++;
    }
  }
  const [first] = TARGETS;
  for (const [variant, stages] of Object.entries(VARIANTS)) {
    for (let seed = 0; seed < SEEDS; seed++) {
      const outcome = await trainPose(MNIST_TARGETS[first as keyof typeof MNIST_TARGETS], stages, seed);
      rows.push(...describe(`${first}, ${variant}, seed ${seed}`, outcome));
    }
  }
  await disposeBackend();
  return { name: 'convergence', rows, ratio: arrived / runs, peer: 'all runs of the default settings', target: 1 };
}

type Outcome = Readonly<Record<string, ErrorDistribution>>;

/** Trains without a task network and measures G_θ's mean on fresh scenes. */
async function trainPose(target: MnistTarget, stages: Stages, seed: number): Promise<Outcome> {
  const digits = existsSync(mnistFolder()) ? mnistSplits(mnistFolder()) : proceduralSplits(250, 0);
  const grammar = await loadMnistGrammar(digits, target, 'train');
  const posed = new PosedSource(await loadMnistGrammar(digits, target, 'target'), target.pose, target.name);
  const engine = await Engine.create({ assets: await openAssetSources([digits.train, digits.target]) });
  try {
    const realImages = await renderLabelledScenes(engine, posed, { seed, count: REAL_IMAGES, label: () => 0 });
    const config = stageConfig({ ...stages, seed });
    const { transformer } = await trainTransformer({ config, source: grammar, engine, realImages });
    const fresh = await transformer.transform(grammar.sampleBatch({ seed, ...FRESH }));
    transformer.dispose();
    const outcome = Object.fromEntries(
      target.mutable.map((name) => [name, errorDistribution(fresh, name, target.pose[name])]),
    );
    console.error(`${target.name}, seed ${seed}: ${hasArrived(outcome) ? 'arrived' : 'astray'}`);
    return outcome;
  } finally {
    await engine.close();
  }
}

function hasArrived(outcome: Outcome): boolean {
  return Object.values(outcome).every(({ withinFivePercent }) => withinFivePercent >= 0.95);
}

/** Mean absolute error of each attribute, and its modes where there is more than one. */
function describe(label: string, outcome: Outcome): BenchRow[] {
  const mark = hasArrived(outcome) ? 'arrived' : 'astray';
  return Object.entries(outcome).map(([name, { meanAbsoluteError, unit, percentiles }]) => ({
    label: `${label} (${mark}): ${name}, 5th to 95th percentile ${percentiles[0].toFixed(1)} to ${percentiles[4].toFixed(1)}`,
    value: meanAbsoluteError,
    unit,
  }));
}
