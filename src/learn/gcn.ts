import { RandomStream } from '../random.js';
import { tf } from './tf.js';
import type { NamedVariable } from './variables.js';

/** The part of a batch that a graph convolution needs; see `GraphTensors`. */
export interface Adjacency {
  /** [B, V, V] row = receiver, messages from parents. */
  readonly down: tf.Tensor3D;
  /** [B, V, V] row = receiver, messages from children. */
  readonly up: tf.Tensor3D;
}

/** Position in the last axis of the gates, and name in checkpoints, of the three flows. */
const FLOWS = ['self', 'down', 'up'] as const;

export interface GraphConvolutionOptions {
  /** Prefix of the variables' names. */
  readonly name: string;
  /** Features in. */
  readonly inputs: number;
  /** Features out. */
  readonly outputs: number;
  /** Seed of the initial weights. */
  readonly seed: number;
  /** Which layer of the network this is: layers of one seed differ. */
  readonly layer: number;
}

/**
 * Graph convolution with one weight matrix for top-down flow (parent → child), one for bottom-up flow (child → parent)
 * and one for the node itself (Meta-Sim §3.1), messages normalised by degree, and a sigmoid gate of the sending node
 * on each of its messages:
 *
 *   y = g_self ⊙ (x W_self) + D (g_down ⊙ (x W_down)) + U (g_up ⊙ (x W_up)) + b,   g = σ(x W_gate + b_gate)
 *
 * with D and U the adjacency matrices and one g of each flow per node. Linear in its output: activations are the network's.
 */
export class GraphConvolution {
  readonly outputs: number;
  readonly variables: readonly NamedVariable[];
  readonly #kernels: readonly tf.Variable[];
  readonly #bias: tf.Variable;
  readonly #gateKernel: tf.Variable;
  readonly #gateBias: tf.Variable;

  constructor({ name, inputs, outputs, seed, layer }: GraphConvolutionOptions) {
    this.outputs = outputs;
    const uniform = (purpose: number, rows: number, columns: number) =>
      tf.tidy(() => tf.variable(glorotUniform({ seed, layer, purpose, rows, columns })));
    const zeros = (length: number) => tf.tidy(() => tf.variable(tf.zeros([length])));
    this.#kernels = FLOWS.map((_, flow) => uniform(flow, inputs, outputs));
    this.#bias = zeros(outputs);
    this.#gateKernel = uniform(FLOWS.length, inputs, FLOWS.length);
    this.#gateBias = zeros(FLOWS.length);
    this.variables = [
      ...FLOWS.map((flow, i) => ({ name: `${name}/${flow}`, variable: this.#kernels[i] })),
      { name: `${name}/bias`, variable: this.#bias },
      { name: `${name}/gate`, variable: this.#gateKernel },
      { name: `${name}/gateBias`, variable: this.#gateBias },
    ];
  }

  /**
   * @param x [B, V, inputs]
   * @returns [B, V, outputs], freed by the caller's tidy
   */
  apply(x: tf.Tensor3D, { down, up }: Adjacency): tf.Tensor3D {
    return tf.tidy(() => {
      const [batch, nodes, inputs] = x.shape;
      const flat = tf.reshape(x, [batch * nodes, inputs]) as tf.Tensor2D;
      const gates = tf.sigmoid(tf.add(tf.matMul(flat, this.#gateKernel as unknown as tf.Tensor2D), this.#gateBias));
      const [self, fromParent, fromChildren] = this.#kernels.map((kernel, flow) => {
        const message = tf.matMul(flat, kernel as unknown as tf.Tensor2D);
        return tf.reshape(tf.mul(message, tf.slice(gates, [0, flow], [-1, 1])), [batch, nodes, this.outputs]);
      });
      const received = tf.add(tf.matMul(down, fromParent), tf.matMul(up, fromChildren));
      return tf.add(tf.add(self, received), this.#bias) as tf.Tensor3D;
    });
  }

  dispose(): void {
    for (const { variable } of this.variables) variable.dispose();
  }
}

/** Uniform in ±√(6 / (rows + columns)) (Glorot and Bengio 2010), [rows, columns], from the project's random streams. */
function glorotUniform(options: {
  seed: number;
  layer: number;
  purpose: number;
  rows: number;
  columns: number;
}): tf.Tensor2D {
  const { seed, layer, purpose, rows, columns } = options;
  const stream = new RandomStream({ seed, index: layer, node: purpose });
  const limit = Math.sqrt(6 / (rows + columns));
  const values = Float32Array.from({ length: rows * columns }, () => limit * (2 * stream.uniform() - 1));
  return tf.tensor2d(values, [rows, columns]);
}
