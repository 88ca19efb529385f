import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { proceduralBackgrounds } from '../../src/assets/proceduralBackgrounds.js';
import { proceduralDigits } from '../../src/assets/proceduralDigits.js';
import { classificationTaskSchema, metaSchema } from '../../src/config.js';
import { errorDistribution } from '../../src/experiments/mnist/learnedPose.js';
import { PosedSource } from '../../src/experiments/mnist/targets.js';
import { type Grammar, loadGrammar } from '../../src/grammar/grammar.js';
import { initBackend } from '../../src/learn/backend.js';
import { DistributionTransformer } from '../../src/learn/distributionTransformer.js';
import { Inception } from '../../src/learn/inception/inception.js';
import type { LabelledImages, TaskNetwork } from '../../src/learn/taskNetwork.js';
import { tf } from '../../src/learn/tf.js';
import { MmdLoss } from '../../src/loss/mmd.js';
import { Engine } from '../../src/render/engine.js';
import type { MetaState } from '../../src/training/metaState.js';
import { type MetaTrainOptions, metaTrain } from '../../src/training/metaTrain.js';
import { classificationTask, type NetworkTask } from '../../src/training/networkTask.js';
import { pretrain } from '../../src/training/pretrain.js';

const SIZE = 32;
const assets = proceduralBackgrounds().concat(proceduralDigits({ variants: 4, seed: 1 }));

await initBackend({ threads: 1 });
const engine = await Engine.create({ assets, workers: 0 });
const grammar = await digits(['rotation']);
const extractor = await Inception.create({ layers: [64], weights: 'random', seed: 0 });

function digits(mutable: string[]): Promise<Grammar> {
  const variables = { digits: 'digits', size: SIZE, mutable };
  return loadGrammar('examples/grammars/mnist.yaml', { assets, overrides: { variables } });
}

/** Images of digits in a pose. */
async function images(rotation: number, count: number): Promise<tf.Tensor4D> {
  const batch = await new PosedSource(grammar, { rotation, x: 0, y: 0 }, 'posed').sampleBatch({
    seed: 99,
    start: 0,
    count,
  });
  const { color } = await engine.render(batch, { color: 'f32' });
  return tf.tensor4d(color, [count, SIZE, SIZE, 1]);
}

/** A transformer that reproduces the grammar. */
async function pretrained(): Promise<DistributionTransformer> {
  const transformer = new DistributionTransformer({ schema: grammar.schema, hidden: [12, 8], seed: 0 });
  await pretrain({ source: grammar, transformer, steps: 120, batchSize: 16, learningRate: 0.02, evaluationScenes: 16 });
  return transformer;
}

async function mmdTo(rotation: number): Promise<MmdLoss> {
  const real = await images(rotation, 40);
  const mmd = await MmdLoss.create({ extractor, real });
  real.dispose();
  return mmd;
}

/** A black-box task network: its score is the mean brightness of one half of the images it was trained on. */
class RightHalfScore implements TaskNetwork {
  #brightness = 0;
  async train({ images: pixels, width }: LabelledImages): Promise<void> {
    let right = 0;
    let all = 0;
    for (const [i, value] of pixels.entries()) {
      all += value;
      if (i % width >= width / 2) right += value;
    }
    this.#brightness = right / all;
  }
  async score(): Promise<number> {
    return this.#brightness;
  }
  async predict(): Promise<Int32Array> {
    return new Int32Array(0);
  }
  reset(): void {}
  async state(): Promise<Record<string, Float32Array>> {
    return { brightness: Float32Array.of(this.#brightness) };
  }
  load(state: Record<string, Float32Array>): void {
    [this.#brightness] = state.brightness;
  }
  dispose(): void {}
}

const noImages: LabelledImages = {
  count: 0,
  width: SIZE,
  height: SIZE,
  channels: 1,
  images: new Float32Array(0),
  labels: new Int32Array(0),
};

/** The black box within the loop. */
function rightHalfTask(): NetworkTask<LabelledImages> {
  return classificationTask({
    network: new RightHalfScore(),
    config: classificationTaskSchema.parse({}),
    validation: noImages,
    label: () => 0,
    seed: 0,
  });
}

test('distribution matching turns upright digits to a target 40° away', async () => {
  const transformer = await pretrained();
  const mmd = await mmdTo(40);
  const errors: number[] = [];
  await metaTrain({
    source: grammar,
    engine,
    transformer,
    mmd,
    config: metaSchema.parse({ epochs: 6, iterations: 10, batchSize: 16, learningRate: 0.01, halveEvery: 2 }),
    freezeEncoder: true,
    seed: 0,
    onEpoch: ({ epoch, mmd: value, score }) => {
      errors.push(value);
      assert.is(epoch, errors.length);
      assert.ok(Number.isNaN(score), 'there is no task');
    },
  });
  const learned = await transformer.transform(grammar.sampleBatch({ seed: 5, start: 0, count: 50 }));
  const { meanAbsoluteError } = errorDistribution(learned, 'rotation', 40);
  console.log(
    `# mean absolute error ${meanAbsoluteError.toFixed(2)}°, MMD² ${errors.map((e) => e.toFixed(4)).join(' ')}`,
  );
  assert.ok(meanAbsoluteError < 6, `mean absolute error ${meanAbsoluteError}° of 40°`);
  assert.ok(errors[5] < errors[0] / 2, `MMD² ${errors[0]} → ${errors[5]}`);
  transformer.dispose();
  mmd.dispose();
});

test('the task score alone (REINFORCE, eqs. 3 and 4) moves digits to where the black box likes them', async () => {
  const source = await digits(['x']);
  const transformer = new DistributionTransformer({ schema: source.schema, hidden: [12, 8], seed: 0 });
  await pretrain({ source, transformer, steps: 120, batchSize: 16, learningRate: 0.02, evaluationScenes: 16 });
  const mmd = await mmdTo(0);
  const scores: number[] = [];
  await metaTrain({
    source,
    engine,
    transformer,
    mmd,
    task: rightHalfTask(),
    config: metaSchema.parse({
      epochs: 40,
      iterations: 1,
      batchSize: 8,
      learningRate: 0.02,
      halveEvery: 20,
      sigma: 0.1,
      mmdWeight: 0,
      taskWeight: 100,
      optimiseEvery: 'epoch',
    }),
    freezeEncoder: true,
    seed: 0,
    onEpoch: ({ score }) => {
      scores.push(score);
    },
  });
  const mean = (values: number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
  const [first, last] = [mean(scores.slice(0, 5)), mean(scores.slice(-5))];
  console.log(`# score ${first.toFixed(3)} → ${last.toFixed(3)}`);
  assert.ok(last > first + 0.15, `score ${first} → ${last}`);
  transformer.dispose();
  mmd.dispose();
});

test('an interrupted and resumed run ends with the same weights, bit for bit', async () => {
  const mmd = await mmdTo(30);
  const config = metaSchema.parse({ epochs: 3, iterations: 3, batchSize: 8, learningRate: 0.01 });
  const run = async (transformer: DistributionTransformer, more: Partial<MetaTrainOptions>) =>
    metaTrain({
      source: grammar,
      engine,
      transformer,
      mmd,
      task: rightHalfTask(),
      config,
      freezeEncoder: true,
      seed: 7,
      ...more,
    });
  const whole = await pretrained();
  const uninterrupted = await run(whole, {});

  const first = await pretrained();
  const abort = new AbortController();
  let saved: MetaState | undefined;
  try {
    await run(first, {
      signal: abort.signal,
      onEpoch: async ({ epoch }, state) => {
        if (epoch === 1) saved = await state();
      },
      onBatch: (epoch) => {
        if (epoch === 2) abort.abort(new Error('stopped'));
      },
    });
    assert.unreachable('the run should have been interrupted');
  } catch (error) {
    assert.is((error as Error).message, 'stopped');
  }
  const second = new DistributionTransformer({ schema: grammar.schema, hidden: [12, 8], seed: 123 });
  const resumed = await run(second, { resume: saved });
  assert.equal(resumed, uninterrupted);
  for (const transformer of [whole, first, second]) transformer.dispose();
  mmd.dispose();
});

test('no tensor is left behind', async () => {
  const mmd = await mmdTo(30);
  const transformer = await pretrained();
  const before = tf.memory().numTensors;
  await metaTrain({
    source: grammar,
    engine,
    transformer,
    mmd,
    task: rightHalfTask(),
    config: metaSchema.parse({ epochs: 1, iterations: 2, batchSize: 4 }),
    freezeEncoder: false,
    seed: 0,
  });
  assert.is(tf.memory().numTensors, before);
  transformer.dispose();
  mmd.dispose();
});

test.after(async () => {
  extractor.dispose();
  await engine.close();
});

test.run();
