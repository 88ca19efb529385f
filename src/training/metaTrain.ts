import type { MetaConfig } from '../config.js';
import { TrainingError } from '../errors.js';
import type { DistributionTransformer } from '../learn/distributionTransformer.js';
import type { GraphTensors } from '../learn/graphTensors.js';
import { Adam, halving } from '../learn/optimizer.js';
import { addNoise, attributeNoise } from '../learn/sampling.js';
import { tf } from '../learn/tf.js';
import { type Gradients, type NamedVariable, variableGradients } from '../learn/variables.js';
import type { MmdLoss } from '../loss/mmd.js';
import { GradientAccumulator, RewardBaseline, scoreFunctionGradients } from '../loss/reinforce.js';
import { VisibilityPenalty } from '../loss/visibility.js';
import { visibilityDetails } from '../metrics/visibility.js';
import type { Engine, RenderedBatch } from '../render/engine.js';
import { type SceneBatch, withAttributes } from '../scene/sceneGraph.js';
import type { SceneSource } from '../scene/sceneSource.js';
import type { MetaState } from './metaState.js';
import type { MetaTask } from './metaTask.js';

export interface MetaTrainOptions {
  /** P: any source of scenes; its schema must be the transformer's. */
  readonly source: SceneSource;
  /** R */
  readonly engine: Engine;
  /** G_θ, pre-trained; changed in place. */
  readonly transformer: DistributionTransformer;
  /** Distance to X_R. */
  readonly mmd: MmdLoss;
  /** The task objective (§3.2.3); left out: distribution matching alone. */
  readonly task?: MetaTask;
  readonly config: MetaConfig;
  /** Keep the encoder as pre-training left it. */
  readonly freezeEncoder: boolean;
  readonly seed: number;
  /** State after an earlier epoch: training goes on as if it had never stopped. */
  readonly resume?: MetaState;
  readonly signal?: AbortSignal;
  /** Called after each batch with the fraction of the epoch's batches done. */
  readonly onBatch?: (epoch: number, fraction: number, mmd: number) => void;
  /** Called after each epoch, before the next starts; `state` is what `resume` takes. */
  readonly onEpoch?: (report: EpochReport, state: () => Promise<MetaState>) => void | Promise<void>;
}

/** Seconds spent in each phase of an epoch. */
export interface PhaseSeconds {
  sample: number;
  render: number;
  mmd: number;
  vjp: number;
  transformer: number;
  task: number;
}

export interface EpochReport {
  /** 1 for the first. */
  readonly epoch: number;
  /** Mean MMD² of the epoch's batches, unweighted. */
  readonly mmd: number;
  /** Score of the task network on V, NaN without a task. */
  readonly score: number;
  /** Score minus the moving average of previous scores, NaN without a task. */
  readonly advantage: number;
  /**
   * Numbers recorded beside the others, by name: `mmd/⟨layer⟩`, what the task tells of its score (`iou/car`), how much of
   * the movable objects is seen in `input` and `mean` (`visible/input/car`, `hidden/generated`; `visibilityDetails`), and
   * `visibilityPenalty` where there is one.
   */
  readonly details: Readonly<Record<string, number>>;
  readonly learningRate: number;
  readonly seconds: PhaseSeconds;
  /** Scenes of the epoch's last batch before and after G_θ, and their images. */
  readonly input: SceneBatch;
  readonly generated: SceneBatch;
  /** `generated` without the sampling noise σ: G_θ's mean. */
  readonly mean: SceneBatch;
}

/** A sampled batch S ~ G_θ(sample(P)), with what the gradients need. */
interface Sampled {
  readonly input: SceneBatch;
  readonly scenes: SceneBatch;
  /** The scenes at μ_θ. */
  readonly mean: SceneBatch;
  readonly graphs: GraphTensors;
  /** Sampled attributes before clamping, [B, V, A] in units of the range. */
  readonly units: Float32Array;
}

/**
 * Meta-training, the paper's Algorithm 1; the numbers in the comments are its lines.
 *
 * The MMD is that of G_θ's mean, as eq. (1) has it, unless `mmdOf` says otherwise; the task network is trained on
 * samples, whose log p eq. (4) needs.
 *
 * Departures (docs/DEVIATIONS.md): with `optimiseEvery: 'batch'` θ takes a step after every batch instead of once an
 * epoch; then ∇ log p of each batch is taken at the θ that sampled it, so the estimator of eq. 3 stays right. log p is
 * averaged over the epoch's scenes, so that its weight does not depend on their number.
 *
 * Memory: what the task keeps of an epoch's images plus one batch's features.
 * @throws ShapeError, KernelError, TrainingError; the signal's reason when aborted
 */
export async function metaTrain(options: MetaTrainOptions): Promise<MetaState> {
  const { visibilityWeight, visibilityMinimum } = options.config;
  if (visibilityWeight === 0) return algorithm1(options);
  const visibility = await VisibilityPenalty.create({ engine: options.engine, minimum: visibilityMinimum });
  try {
    return await algorithm1({ ...options, visibility });
  } finally {
    await visibility.close();
  }
}

/** The options, with the penalty that keeps objects visible where it is asked for. */
interface LoopOptions extends MetaTrainOptions {
  readonly visibility?: VisibilityPenalty;
}

async function algorithm1(options: LoopOptions): Promise<MetaState> {
  const { config, task, signal } = options;
  const stepsPerEpoch = config.optimiseEvery === 'batch' ? config.iterations : 1;
  const optimiser = new Adam({
    variables: trainedVariables(options),
    learningRate: halving(config.learningRate, config.halveEvery * stepsPerEpoch),
    weightDecay: config.weightDecay,
  });
  const baseline = new RewardBaseline(config.baselineDecay);
  if (options.resume) restore(options.resume, options, optimiser, baseline);
  const firstEpoch = options.resume?.epoch ?? 0;
  for (let epoch = firstEpoch; epoch < config.epochs; epoch++) {
    // line 4
    const { timed, seconds } = stopwatch();
    const { learningRate } = optimiser;
    const loss = new GradientAccumulator(); // 5
    const logProb = new GradientAccumulator();
    await task?.begin(epoch + 1, config.iterations * config.batchSize); // 6
    let mmdSum = 0;
    let penaltySum = 0;
    const layerSums = options.mmd.layerNames.map(() => 0);
    let last: Sampled | undefined;
    for (let iteration = 0; iteration < config.iterations; iteration++) {
      // 7
      signal?.throwIfAborted();
      const samples = await timed('sample', () => sampleTransformed(options, epoch, iteration)); // 8, 9
      try {
        if (task) {
          const rendered = await timed('render', () => render(options, samples.scenes, task.needsLabels)); // 10
          await timed('task', async () => task.add(rendered, samples.scenes)); // 11
          await timed('transformer', () => addLogProbGradient(options, samples, logProb));
        }
        const { value, layers, penalty } = await addMmdGradient(options, samples, loss, timed); // 12
        mmdSum += value;
        penaltySum += penalty;
        for (const [layer, one] of layers.entries()) layerSums[layer] += one;
      } finally {
        samples.graphs.dispose();
      }
      const isLast = iteration === config.iterations - 1;
      if (config.optimiseEvery === 'batch' && !isLast) {
        await optimiser.applyGradients(loss.gradients());
        loss.clear();
      }
      options.onBatch?.(epoch + 1, (iteration + 1) / config.iterations, mmdSum / (iteration + 1));
      last = samples;
    } // 14
    const { score, advantage, details: taskDetails } = await timed('task', () => taskScore(options, baseline)); // 15, 16
    if (task) loss.addFrom(logProb, -config.taskWeight * advantage); // 17
    await optimiser.applyGradients(loss.gradients()); // 18
    const { input, scenes: generated, mean } = last as Sampled;
    const mmd = mmdSum / config.iterations;
    const details = {
      ...layerMeans(options.mmd, layerSums, config.iterations),
      ...taskDetails,
      ...(await visibilityDetails(options.engine, input, mean, signal)),
      ...(options.visibility ? { visibilityPenalty: penaltySum / config.iterations } : {}),
    };
    await options.onEpoch?.(
      { epoch: epoch + 1, mmd, score, advantage, details, learningRate, seconds, input, generated, mean },
      () => capture(epoch + 1, options, optimiser, baseline),
    );
  } // 19
  return capture(Math.max(firstEpoch, config.epochs), options, optimiser, baseline);
}

/** Lines 8 and 9: scenes of P, and S = G_θ(scenes) with a ~ N(μ_θ, σ²) by reparametrisation. */
async function sampleTransformed(options: MetaTrainOptions, epoch: number, iteration: number): Promise<Sampled> {
  const { source, transformer, config, seed } = options;
  const { layout } = transformer;
  const start = (epoch * config.iterations + iteration) * config.batchSize;
  const input = await source.sampleBatch({ seed, start, count: config.batchSize });
  const graphs = transformer.graphs(input, seed);
  try {
    const means = tf.tidy(() => transformer.apply(graphs).units.dataSync<'float32'>());
    const units = addNoise(means, attributeNoise(input, layout.attributeCount, seed), config.sigma);
    const scenes = withAttributes(input, layout.toPhysical(units, input));
    const mean = withAttributes(input, layout.toPhysical(means, input));
    return { input, scenes, mean, graphs, units };
  } catch (error) {
    graphs.dispose();
    throw error;
  }
}

/** R, in float32. */
function render(
  { engine, signal }: MetaTrainOptions,
  scenes: SceneBatch,
  labels = false,
): Promise<RenderedBatch<'f32'>> {
  return engine.render(scenes, { color: 'f32', labels, signal });
}

/**
 * Line 12: adds the gradient of the weighted MMD² (eq. 1) with respect to θ. ∂L/∂image comes from the features, the
 * renderer turns it into dL/dA by finite differences (§3.2.2), and the surrogate Σ A_θ · dL/dA, dL/dA constant, has
 * the gradient in θ. The visibility penalty's dP/dA joins it there, of the same scenes.
 * @returns the unweighted MMD², that of each layer alone, and the unweighted penalty
 */
async function addMmdGradient(
  options: LoopOptions,
  samples: Sampled,
  loss: GradientAccumulator,
  timed: Stopwatch,
): Promise<{ value: number; layers: readonly number[]; penalty: number }> {
  const { engine, mmd, config, visibility, signal } = options;
  const scenes = config.mmdOf === 'mean' ? samples.mean : samples.scenes;
  const { color, count, width, height, channels } = await timed('render', () => render(options, scenes));
  const { value, layers, imageGradient } = await timed('mmd', async () => {
    const images = tf.tensor4d(color, [count, height, width, channels]);
    try {
      const result = mmd.valueAndGradient(images);
      const imageGradient = result.gradient.dataSync<'float32'>();
      result.gradient.dispose();
      return { value: result.value, layers: result.layers, imageGradient };
    } finally {
      images.dispose();
    }
  });
  if (!Number.isFinite(value)) throw new TrainingError(`Expected a finite MMD² but received ${value}`);
  const { pixelDelta } = config;
  const attributeGradient = await timed('vjp', () => engine.vjp(scenes, imageGradient, { pixelDelta, signal }));
  const hidden = visibility && (await timed('vjp', () => visibility.valueAndGradient(scenes, signal)));
  // Joined before the ends of the ranges are looked at: what counts there is where both together push.
  const weighted = hidden
    ? attributeGradient.map((slope, i) => config.mmdWeight * slope + config.visibilityWeight * hidden.gradient[i])
    : attributeGradient;
  await timed('transformer', () => {
    const unitGradient = options.transformer.layout.padGradient(weighted, scenes);
    return loss.add(surrogateGradients(options, samples, unitGradient), hidden ? 1 : config.mmdWeight);
  });
  return { value, layers, penalty: hidden?.value ?? 0 };
}

/** ∇θ Σ A_θ · dL/dA, with dL/dA [B, V, A] in units of the range held constant. */
function surrogateGradients(options: MetaTrainOptions, samples: Sampled, unitGradient: Float32Array): Gradients {
  const { transformer } = options;
  const constant = tf.tensor3d(unitGradient, samples.graphs.units.shape);
  const { value, gradients } = variableGradients(
    () => tf.sum(tf.mul(transformer.apply(samples.graphs).units, constant)) as tf.Scalar,
    trainedVariables(options),
  );
  tf.dispose([value, constant]);
  return gradients;
}

/** Adds ∇θ log p of one batch (eq. 4), averaged over the scenes of the epoch. */
async function addLogProbGradient(
  options: MetaTrainOptions,
  samples: Sampled,
  logProb: GradientAccumulator,
): Promise<void> {
  const { transformer, config } = options;
  const { gradients } = scoreFunctionGradients(
    transformer,
    samples.graphs,
    samples.units,
    config.sigma,
    trainedVariables(options),
  );
  await logProb.add(gradients, 1 / (config.iterations * config.batchSize));
}

/** Lines 15 and 16: trains the task network on the epoch's data, scores it on V, and compares with earlier scores. */
async function taskScore(
  { task, signal }: MetaTrainOptions,
  baseline: RewardBaseline,
): Promise<Pick<EpochReport, 'score' | 'advantage' | 'details'>> {
  if (!task) return { score: Number.NaN, advantage: Number.NaN, details: {} };
  const { score, details = {} } = await task.score({ signal });
  return { score, details, advantage: baseline.advantage(score) };
}

/** θ, or its decoder part while the encoder is frozen. */
function trainedVariables({ transformer, freezeEncoder }: MetaTrainOptions): readonly NamedVariable[] {
  return freezeEncoder ? transformer.decoderVariables : transformer.variables;
}

/** `mmd/⟨layer⟩`: means over the epoch's batches. */
function layerMeans({ layerNames }: MmdLoss, sums: readonly number[], batches: number): Record<string, number> {
  return Object.fromEntries(layerNames.map((name, layer) => [`mmd/${name}`, sums[layer] / batches]));
}

async function capture(
  epoch: number,
  { transformer, task }: MetaTrainOptions,
  optimiser: Adam,
  baseline: RewardBaseline,
): Promise<MetaState> {
  return {
    epoch,
    transformer: await transformer.save(),
    optimiser: optimiser.save(),
    baseline: baseline.save(),
    task: task ? await task.state() : {},
  };
}

function restore(
  state: MetaState,
  { transformer, task }: MetaTrainOptions,
  optimiser: Adam,
  baseline: RewardBaseline,
): void {
  transformer.load(state.transformer);
  optimiser.load(state.optimiser);
  baseline.load(state.baseline);
  task?.load({ ...state.task });
}

type Stopwatch = <T>(phase: keyof PhaseSeconds, work: () => Promise<T>) => Promise<T>;

/** `timed` adds the seconds that its work takes to the work's phase. */
function stopwatch(): { timed: Stopwatch; seconds: PhaseSeconds } {
  const seconds: PhaseSeconds = { sample: 0, render: 0, mmd: 0, vjp: 0, transformer: 0, task: 0 };
  const timed: Stopwatch = async (phase, work) => {
    const started = performance.now();
    try {
      return await work();
    } finally {
      seconds[phase] += (performance.now() - started) / 1000;
    }
  };
  return { timed, seconds };
}
