import { tf } from '../learn/tf.js';

/** What a reconstruction is compared with. */
export interface ReconstructionTarget {
  /** [B, V, C] class one-hot */
  readonly classes: tf.Tensor3D;
  /** [B, V, K] continuous feature columns in [0, 1] */
  readonly columns: tf.Tensor3D;
  /** [B, V] 1 for a node, 0 for padding */
  readonly nodeMask: tf.Tensor2D;
}

export interface ReconstructionOptions {
  /** Weight of the cross-entropy against the L1 term. Default 0.1, as in the released code. */
  readonly classWeight?: number;
}

/**
 * Pre-training loss (Meta-Sim §3.2.1): cross-entropy on the class and L1 on the continuous columns. Both are averaged
 * over the real nodes of the batch, L1 over the columns too, so that padding and batch size change nothing.
 * @param classLogits [B, V, C]
 * @param columns     [B, V, K] in [0, 1]
 * @returns scalar ≥ 0; the caller disposes it
 */
export function reconstructionLoss(
  { classLogits, columns }: { readonly classLogits: tf.Tensor3D; readonly columns: tf.Tensor3D },
  target: ReconstructionTarget,
  { classWeight = 0.1 }: ReconstructionOptions = {},
): tf.Scalar {
  return tf.tidy(() => {
    const nodes = tf.maximum(tf.sum(target.nodeMask), 1);
    const logProbabilities = tf.logSoftmax(classLogits, -1);
    const crossEntropy = tf.neg(tf.sum(tf.mul(target.classes, logProbabilities), -1));
    const deviation = tf.mean(tf.abs(tf.sub(columns, target.columns)), -1);
    const perNode = tf.add(tf.mul(crossEntropy, classWeight), deviation);
    return tf.div(tf.sum(tf.mul(perNode, target.nodeMask)), nodes) as tf.Scalar;
  });
}
