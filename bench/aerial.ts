/**
 * Aerial2D at 256×256: the vector–Jacobian product of a batch of 16 scenes (five movable sprites, the road among them,
 * three attributes each, both signs) on all threads, against rendering every scene anew at value ± δ; and one MMD step of
 * training at 128×128 by phase.
 */
import { availableParallelism } from 'node:os';
import { openAssetSources } from '../src/assets/assetSources.js';
import { parseConfig, stageSchema } from '../src/config.js';
import { aerialPreset } from '../src/experiments/aerial/presets.js';
import { loadGrammar } from '../src/grammar/grammar.js';
import { disposeBackend, initBackend } from '../src/learn/backend.js';
import { DistributionTransformer } from '../src/learn/distributionTransformer.js';
import { tf } from '../src/learn/tf.js';
import { MmdLoss } from '../src/loss/mmd.js';
import { Engine } from '../src/render/engine.js';
import { type SceneBatch, withAttributes } from '../src/scene/sceneGraph.js';
import { metaTrain, type PhaseSeconds } from '../src/training/metaTrain.js';
import { createExtractor } from '../src/training/train.js';
import { type BenchResult, type BenchRow, consume, contest } from './bench.js';

const SCENES = 16;
const SIZE = 256;
/** Most that the product may take, ms. */
const BAR_MS = 40;
const MUTABLE = ['x', 'y', 'rotation'];

export async function run(): Promise<BenchResult> {
  const rows: BenchRow[] = [];
  const [ours, naive] = await jacobian();
  const perBatch = 1000 / ours;
  rows.push({ label: `vjp of ${SCENES} scenes ${SIZE}² (bar ${BAR_MS})`, value: perBatch, unit: 'ms' });
  rows.push({ label: 'naive: all scenes anew, both signs, contracted', value: 1000 / naive, unit: 'ms' });
  for (const [phase, value] of Object.entries(await mmdStep())) {
    rows.push({ label: `MMD step, ${SCENES} scenes 128²: ${phase}`, value: 1000 * value, unit: 'ms' });
  }
  return { name: 'aerial', rows, ratio: ours / naive, peer: 'naive re-rendering' };
}

/** Batches a second, ours and the naive way's. */
async function jacobian(): Promise<number[]> {
  const assets = await openAssetSources([{ kind: 'aerial', size: SIZE }]);
  const variables = { size: SIZE, textures: SIZE, mutableRoad: MUTABLE };
  const grammar = await loadGrammar('examples/grammars/aerial.yaml', { assets, overrides: { variables } });
  const engine = await Engine.create({ assets });
  const batch = await grammar.sampleBatch({ seed: 7, start: 0, count: SCENES });
  const values = SIZE * SIZE * 3;
  const gradient = Float32Array.from({ length: SCENES * values }, (_, i) => Math.sin(i * 0.37) * 1e-3);
  const rates = await contest([
    {
      label: 'vjp',
      async work(count) {
        for (let i = 0; i < count; i++) consume((await engine.vjp(batch, gradient))[0]);
      },
    },
    {
      label: 'naive',
      async work(count) {
        for (let i = 0; i < count; i++) await naiveProduct(engine, batch, gradient, values);
      },
    },
  ]);
  await engine.close();
  return rates;
}

/** Every mutable attribute half a unit up and down, in all scenes at once (they have the same nodes). */
async function naiveProduct(engine: Engine, batch: SceneBatch, gradient: Float32Array, values: number): Promise<void> {
  const [{ mutable, attributes }] = batch.scenes;
  for (let at = 0; at < mutable.length; at++) {
    if (!mutable[at]) continue;
    const images: Float32Array[] = [];
    for (const step of [0.5, -0.5]) {
      const moved = Float32Array.from(batch.scenes.flatMap((scene) => [...scene.attributes]));
      for (let s = 0; s < batch.scenes.length; s++) moved[s * attributes.length + at] += step;
      images.push((await engine.render(withAttributes(batch, moved), { color: 'f32' })).color as Float32Array);
    }
    const [upper, lower] = images;
    for (let s = 0; s < batch.scenes.length; s++) {
      let sum = 0;
      for (let p = s * values; p < (s + 1) * values; p++) sum += gradient[p] * (upper[p] - lower[p]);
      consume(sum);
    }
  }
}

/** Seconds by phase of a step of the experiment's settings; real Inception weights where there are any. */
async function mmdStep(): Promise<PhaseSeconds> {
  await initBackend({ threads: availableParallelism() });
  const config = parseConfig(stageSchema, pick(aerialPreset()), 'aerial');
  const assets = await openAssetSources([{ kind: 'aerial' }]);
  const [grammar, target] = await Promise.all(
    ['aerial', 'aerial-target'].map((name) => loadGrammar(`examples/grammars/${name}.yaml`, { assets })),
  );
  const engine = await Engine.create({ assets });
  const count = config.mmd.realImages;
  const { color, width, height } = await engine.render(await target.sampleBatch({ seed: 1, start: 0, count }), {
    color: 'f32',
  });
  const extractor = await createExtractor(config);
  const real = tf.tensor4d(color, [count, height, width, 3]);
  const mmd = await MmdLoss.create({ extractor, real, bandwidth: config.mmd.bandwidth, blur: config.mmd.blur });
  const transformer = new DistributionTransformer({ schema: grammar.schema, hidden: config.transformer.hidden });
  const iterations = 8;
  let seconds: PhaseSeconds | undefined;
  await metaTrain({
    ...{ source: grammar, engine, transformer, mmd, freezeEncoder: true, seed: 0 },
    config: { ...config.meta, epochs: 2, iterations, batchSize: SCENES },
    onEpoch: (report) => {
      seconds = report.seconds;
    },
  });
  real.dispose();
  for (const part of [mmd, extractor, transformer]) part.dispose();
  await engine.close();
  await disposeBackend();
  const phases = Object.entries(seconds as PhaseSeconds).map(([phase, value]) => [phase, value / iterations]);
  return Object.fromEntries(phases.filter(([, value]) => value !== 0)) as unknown as PhaseSeconds;
}

/** The settings of the stages alone. */
function pick({ features, mmd, transformer, meta }: ReturnType<typeof aerialPreset>) {
  return { features, mmd, transformer, meta };
}
