import type { FeatureLayout } from '../scene/features.js';
import { forEachNode } from '../scene/features.js';
import type { SceneBatch } from '../scene/sceneGraph.js';
import { tf } from './tf.js';

/** A batch of scene graphs as tensors, padded to the V of its largest scene; float32 unless said otherwise. */
export interface GraphTensors {
  /** B. */
  readonly batchSize: number;
  /** V. */
  readonly nodes: number;
  /** [B, V, F] class one-hot and continuous columns. */
  readonly features: tf.Tensor3D;
  /** [B, V, A] attributes as fractions of their range. */
  readonly units: tf.Tensor3D;
  /** [B, V, A] 1 where the value may change. */
  readonly mutable: tf.Tensor3D;
  /** [B, V] 1 for a node, 0 for padding. */
  readonly nodeMask: tf.Tensor2D;
  /** [B, V, V] messages from parent to child: row = receiver, divided by the number of senders (one). */
  readonly down: tf.Tensor3D;
  /** [B, V, V] messages from children to their parent, divided by the number of children. */
  readonly up: tf.Tensor3D;
  /** [B, V, K] latent noise, 0 for padding; undefined where the transformer takes none. */
  readonly noise?: tf.Tensor3D;
  /** Frees the tensors. */
  dispose(): void;
}

/**
 * Uploads a batch. Edges are directed: `down` and `up` hold different matrices, so that top-down and bottom-up flow
 * differ (Meta-Sim §3.1).
 * @param noise [B, V, K] latent noise (`latentNoise`), for a transformer that takes K numbers a node; default none
 * @returns tensors that the caller frees with `dispose`
 * @throws SceneGraphError when the batch has another schema than the layout
 */
export function graphTensors(layout: FeatureLayout, batch: SceneBatch, noise?: Float32Array): GraphTensors {
  const batchSize = batch.scenes.length;
  const nodes = layout.maxNodes(batch);
  const { down, up } = adjacency(batch, nodes);
  const rank3 = (values: Float32Array, width: number) => tf.tensor3d(values, [batchSize, nodes, width]);
  const tensors = {
    features: rank3(layout.encodeFeatures(batch), layout.featureCount),
    units: rank3(layout.units(batch), layout.attributeCount),
    mutable: rank3(layout.mutableMask(batch), layout.attributeCount),
    nodeMask: tf.tensor2d(layout.nodeMask(batch), [batchSize, nodes]),
    down: rank3(down, nodes),
    up: rank3(up, nodes),
    ...(noise ? { noise: rank3(noise, noise.length / (batchSize * nodes)) } : {}),
  };
  return { batchSize, nodes, ...tensors, dispose: () => tf.dispose(tensors) };
}

/** Degree-normalised directed adjacency matrices [B, V, V], row = receiver. */
function adjacency(batch: SceneBatch, nodes: number): { down: Float32Array; up: Float32Array } {
  const down = new Float32Array(batch.scenes.length * nodes * nodes);
  const up = new Float32Array(down.length);
  const children = batch.scenes.map((scene) => {
    const counts = new Uint32Array(scene.parent.length);
    for (const parent of scene.parent) if (parent >= 0) counts[parent]++;
    return counts;
  });
  forEachNode(batch, nodes, (scene, node, row, position) => {
    const parent = scene.parent[node];
    if (parent < 0) return;
    down[row * nodes + parent] = 1;
    up[(position * nodes + parent) * nodes + node] = 1 / children[position][parent];
  });
  return { down, up };
}
