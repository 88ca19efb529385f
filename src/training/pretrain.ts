import type { DistributionTransformer } from '../learn/distributionTransformer.js';
import type { GraphTensors } from '../learn/graphTensors.js';
import { Adam, type AdamState, cosineDecay } from '../learn/optimizer.js';
import { tf } from '../learn/tf.js';
import { variableGradients } from '../learn/variables.js';
import { reconstructionLoss } from '../loss/reconstruction.js';
import { attributeDifference, attributeRange } from '../scene/attributeSchema.js';
import { type FeatureLayout, forEachNode } from '../scene/features.js';
import type { SceneBatch } from '../scene/sceneGraph.js';
import type { SceneSource } from '../scene/sceneSource.js';
import { keptVariation } from './keptVariation.js';

/** Where a pre-training stands; with the transformer's weights, all that is needed to go on. */
export interface PretrainState {
  /** Steps taken. */
  readonly step: number;
  readonly optimizer: AdamState;
  /** Loss of each step taken. */
  readonly losses: readonly number[];
}

export interface PretrainOptions {
  /** The grammar. */
  readonly source: SceneSource;
  /** Trained in place. */
  readonly transformer: DistributionTransformer;
  /** Default 400. */
  readonly steps?: number;
  /** Scenes in a step, fresh ones each time. Default 64. */
  readonly batchSize?: number;
  /** First step size of Adam, falling to zero along half a cosine. Default 0.02. */
  readonly learningRate?: number;
  /** Weight of the class term against the attributes'. Default 0.1. */
  readonly classWeight?: number;
  /** Seed of the scenes. Default 0. */
  readonly seed?: number;
  /** What to reproduce instead of the input's own attributes: [B, V, A] in units of the range (a warm start). */
  readonly targetUnits?: (batch: SceneBatch) => Float32Array;
  /** Scenes of the final evaluation, not trained on. Default 256. */
  readonly evaluationScenes?: number;
  /** State to go on from; the transformer must hold the weights that were saved with it. */
  readonly resume?: PretrainState;
  /** Called after every step. `state` copies where the training stands, for a checkpoint. */
  readonly onStep?: (progress: PretrainProgress) => void | Promise<void>;
  readonly signal?: AbortSignal;
}

export interface PretrainProgress {
  /** Steps taken, 1 … steps. */
  readonly step: number;
  readonly steps: number;
  readonly loss: number;
  state(): PretrainState;
}

/** Mean absolute error of one attribute's reconstruction. */
export interface AttributeError {
  readonly name: string;
  readonly unit: string;
  /** In the attribute's unit; the short way round for a periodic one. */
  readonly physical: number;
  /** As a fraction of its range. */
  readonly fraction: number;
  /** Share of the variation within a class that comes through (`keptVariation`). */
  readonly kept?: number;
}

/** How well a transformer reconstructs. */
export interface ReconstructionQuality {
  readonly attributes: readonly AttributeError[];
  /** Mean over the attributes of `fraction`. */
  readonly meanFraction: number;
  /** Share of nodes whose most likely class is their own. */
  readonly classAccuracy: number;
}

export interface PretrainResult extends ReconstructionQuality {
  /** Loss of each step: the convergence record. */
  readonly losses: readonly number[];
  readonly steps: number;
  readonly seconds: number;
}

/**
 * Autoencoder pre-training (Meta-Sim §3.2.1): the transformer learns to reproduce what the grammar samples, all
 * attributes of it, mutable or not. Step n sees scenes n·batchSize … of the seed, so a resumed run sees what an
 * uninterrupted one would and ends with the same weights to the bit.
 * @throws the signal's reason when aborted; the weights are then those of the last complete step
 */
export async function pretrain(options: PretrainOptions): Promise<PretrainResult> {
  const { source, transformer, steps = 400, batchSize = 64, learningRate = 0.02, seed = 0, resume, signal } = options;
  const started = performance.now();
  const optimizer = new Adam({ variables: transformer.variables, learningRate: cosineDecay(learningRate, steps) });
  if (resume) optimizer.load(resume.optimizer);
  const losses = [...(resume?.losses ?? [])];
  for (let step = resume?.step ?? 0; step < steps; step++) {
    signal?.throwIfAborted();
    const batch = await source.sampleBatch({ seed, start: step * batchSize, count: batchSize });
    const target = options.targetUnits?.(batch) ?? transformer.layout.units(batch);
    const loss = await trainStep(transformer, optimizer, batch, target, options.classWeight);
    losses.push(loss);
    const state = () => ({ step: step + 1, optimizer: optimizer.save(), losses: [...losses] });
    await options.onStep?.({ step: step + 1, steps, loss, state });
  }
  const count = options.evaluationScenes ?? 256;
  const fresh = await source.sampleBatch({ seed, start: steps * batchSize, count });
  const quality = await reconstructionQuality(transformer, fresh, options.targetUnits);
  return { ...quality, losses, steps, seconds: (performance.now() - started) / 1000 };
}

/**
 * Mean absolute error of the reconstruction over all nodes of a batch.
 * @param targetUnits as in `PretrainOptions`
 */
export async function reconstructionQuality(
  transformer: DistributionTransformer,
  batch: SceneBatch,
  targetUnits?: (batch: SceneBatch) => Float32Array,
): Promise<ReconstructionQuality> {
  const { layout } = transformer;
  const graphs = transformer.graphs(batch);
  const [units, classes] = tf.tidy((): [tf.Tensor, tf.Tensor] => [
    transformer.reconstructUnits(graphs),
    tf.argMax(transformer.reconstruct(graphs).classLogits, -1),
  ]);
  const decoded = await units.data<'float32'>();
  const predicted = await classes.data<'int32'>();
  tf.dispose([units, classes]);
  graphs.dispose();

  const target = targetUnits?.(batch) ?? layout.units(batch);
  const { attributes, classAccuracy } = compare(layout, batch, decoded, target, predicted);
  const meanFraction = attributes.reduce((sum, { fraction }) => sum + fraction, 0) / Math.max(1, attributes.length);
  return { attributes, meanFraction, classAccuracy };
}

async function trainStep(
  transformer: DistributionTransformer,
  optimizer: Adam,
  batch: SceneBatch,
  targetUnits: Float32Array,
  classWeight: number | undefined,
): Promise<number> {
  const { layout } = transformer;
  const graphs = transformer.graphs(batch);
  const columns = tf.tensor3d(layout.columnsFromUnits(targetUnits, batch), [
    graphs.batchSize,
    graphs.nodes,
    layout.columnCount,
  ]);
  const classes = tf.slice(graphs.features, [0, 0, 0], [-1, -1, layout.classCount]);
  const { value, gradients } = variableGradients(
    () => reconstructionLoss(transformer.reconstruct(graphs), target(graphs, classes, columns), { classWeight }),
    transformer.variables,
  );
  try {
    await optimizer.applyGradients(gradients);
    return (await value.data<'float32'>())[0];
  } finally {
    graphs.dispose();
    tf.dispose([columns, classes, value, gradients]);
  }
}

function target({ nodeMask }: GraphTensors, classes: tf.Tensor3D, columns: tf.Tensor3D) {
  return { classes, columns, nodeMask };
}

function compare(
  layout: FeatureLayout,
  batch: SceneBatch,
  decoded: Float32Array,
  target: Float32Array,
  predicted: Int32Array,
): Pick<ReconstructionQuality, 'attributes' | 'classAccuracy'> {
  const specs = layout.schema.attributes;
  const kept = keptVariation(layout, batch, decoded, target);
  const sums = specs.map(() => 0);
  let nodes = 0;
  let correct = 0;
  forEachNode(batch, layout.maxNodes(batch), (scene, node, row) => {
    nodes++;
    if (predicted[row] === scene.classId[node]) correct++;
    for (const [a, spec] of specs.entries()) {
      const i = row * specs.length + a;
      const range = attributeRange(spec);
      const aim = spec.periodic ? target[i] : Math.min(1, Math.max(0, target[i]));
      sums[a] += Math.abs(attributeDifference(spec, decoded[i] * range, aim * range));
    }
  });
  const attributes = specs.map((spec, a) => ({
    name: spec.name,
    unit: spec.unit,
    physical: sums[a] / nodes,
    fraction: sums[a] / nodes / attributeRange(spec),
    ...(kept[a] === undefined ? {} : { kept: kept[a] }),
  }));
  return { attributes, classAccuracy: correct / nodes };
}
