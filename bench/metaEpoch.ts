/**
 * One meta-epoch by phase: 1000 scenes in batches of 50, 200 real images, the task network 2 epochs at batch 8, as the
 * released PyTorch code does it. That code's licence forbids shipping it, and no other tfjs backend on the CPU can
 * train the task network at all, so the peer is a recorded figure: its time on two threads of a quiet machine.
 */
import { availableParallelism } from 'node:os';
import { openAssetSources } from '../src/assets/assetSources.js';
import { assetSourceSchema, classificationTaskSchema, metaSchema } from '../src/config.js';
import { PosedSource } from '../src/experiments/mnist/targets.js';
import { loadGrammar } from '../src/grammar/grammar.js';
import { disposeBackend, initBackend } from '../src/learn/backend.js';
import { Classifier } from '../src/learn/classifier.js';
import { DistributionTransformer } from '../src/learn/distributionTransformer.js';
import { Inception } from '../src/learn/inception/inception.js';
import { tf } from '../src/learn/tf.js';
import { MmdLoss } from '../src/loss/mmd.js';
import { Engine } from '../src/render/engine.js';
import { renderLabelledScenes, sceneLabeller } from '../src/training/labelledScenes.js';
import { metaTrain, type PhaseSeconds } from '../src/training/metaTrain.js';
import { classificationTask } from '../src/training/networkTask.js';
import type { BenchResult, BenchRow } from './bench.js';

interface Setting {
  readonly size: 32 | 64;
  readonly layers: (64 | 192 | 768)[];
  /** Recorded seconds of the released code, two threads; its layers are 64 + 192 at 32 px and 192 + 768 at 64 px. */
  readonly recorded: number;
}

const SETTINGS: readonly Setting[] = [
  { size: 32, layers: [64, 192], recorded: 15.4 },
  { size: 64, layers: [64, 192], recorded: 49.5 },
  { size: 64, layers: [192, 768], recorded: 49.5 },
];
const REAL_IMAGES = 200;
const LABELS = ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9'];

export async function run(): Promise<BenchResult> {
  await initBackend({ threads: availableParallelism() });
  const rows: BenchRow[] = [];
  const ratios: number[] = [];
  for (const setting of SETTINGS) {
    const seconds = await metaEpoch(setting);
    const total = Object.values(seconds).reduce((sum, value) => sum + value, 0);
    const name = `${setting.size}×${setting.size}, layers ${setting.layers.join(' + ')}`;
    for (const [phase, value] of Object.entries(seconds)) rows.push({ label: `${name}: ${phase}`, value, unit: 's' });
    rows.push({ label: `${name}: whole epoch`, value: total, unit: 's' });
    rows.push({ label: `${name}: released code, recorded`, value: setting.recorded, unit: 's' });
    ratios.push(setting.recorded / total);
  }
  await disposeBackend();
  return {
    name: 'metaEpoch',
    rows,
    ratio: ratios[0],
    peer: 'the released PyTorch code at 32×32 (recorded, two threads)',
    target: 2,
  };
}

/** Seconds by phase of the second of two epochs; the first warms up. */
async function metaEpoch({ size, layers }: Setting): Promise<PhaseSeconds> {
  const assets = await openAssetSources([assetSourceSchema.parse({ kind: 'digits' })]);
  const variables = { digits: 'digits', size };
  const grammar = await loadGrammar('examples/grammars/mnist.yaml', { assets, overrides: { variables } });
  const engine = await Engine.create({ assets });
  const label = sceneLabeller(grammar.schema, LABELS);
  const target = new PosedSource(grammar, { rotation: 90, x: 0, y: 0 }, 'target');
  const validation = await renderLabelledScenes(engine, target, { seed: 1, count: 1000, label });
  const extractor = await Inception.create({ layers, weights: 'random' });
  const pixels = Float32Array.from(validation.images.subarray(0, REAL_IMAGES * size * size), (byte) => byte / 255);
  const real = tf.tensor4d(pixels, [REAL_IMAGES, size, size, 1]);
  const mmd = await MmdLoss.create({ extractor, real });
  const transformer = new DistributionTransformer({ schema: grammar.schema });
  const network = new Classifier({ width: size, height: size, channels: 1, classes: LABELS.length });
  let seconds: PhaseSeconds | undefined;
  await metaTrain({
    source: grammar,
    engine,
    transformer,
    mmd,
    task: classificationTask({ network, config: classificationTaskSchema.parse({}), validation, label, seed: 0 }),
    config: metaSchema.parse({ epochs: 2 }),
    freezeEncoder: true,
    seed: 0,
    onEpoch: (report) => {
      seconds = report.seconds;
    },
  });
  real.dispose();
  for (const part of [mmd, extractor, transformer, network]) part.dispose();
  await engine.close();
  return seconds as PhaseSeconds;
}
