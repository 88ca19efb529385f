import { ConfigError, ShapeError } from '../errors.js';
import type { SceneSchema } from '../scene/attributeSchema.js';
import { FeatureLayout } from '../scene/features.js';
import type { SceneBatch } from '../scene/sceneGraph.js';
import { withAttributes } from '../scene/sceneGraph.js';
import { turns } from './angle.js';
import { GraphConvolution } from './gcn.js';
import { type GraphTensors, graphTensors } from './graphTensors.js';
import { addNoise, attributeNoise, latentNoise } from './sampling.js';
import { tf } from './tf.js';
import { loadVariables, type NamedVariable, type StoredTensor, saveVariables } from './variables.js';

/** All that is needed to build the same network again; JSON. */
export interface TransformerConfig {
  readonly schema: SceneSchema;
  /** Widths of the encoder's layers; the decoder mirrors them. */
  readonly hidden: readonly number[];
  /** m: continuous outputs are (1 + 2m) σ(z) − m. */
  readonly outputMargin: number;
  /** Seed of the initial weights. */
  readonly seed: number;
  /** K: numbers of latent noise a node; undefined is 0. */
  readonly noise?: number;
}

export type TransformerOptions = ({ readonly schema: SceneSchema } | { readonly layout: FeatureLayout }) & {
  /** Default [30, 18]: encoder [F, 30, 18], decoder [18, 30, F], as in the released code. */
  readonly hidden?: readonly number[];
  /**
   * How far the sigmoid of the continuous outputs reaches beyond the range at either end, as a fraction of it; the
   * excess is clamped when attributes become physical. Default ½: within the range the sigmoid is then nearly straight,
   * so that a small network reproduces uniform attributes (mean error 0.7 % of the range after 400 steps against 1.9 %
   * with 0, whatever the width), and the ends of the range are reached with a gradient.
   */
  readonly outputMargin?: number;
  /** Default 0. */
  readonly seed?: number;
  /**
   * K: numbers of latent noise that every node brings to the decoder beside what the encoder says of it. With them one
   * scene can become different ones, and a distribution of several modes can be learned (§5 names it as future work).
   * Default 0: a scene has one output.
   */
  readonly noise?: number;
};

/** What the decoder says of every node, mutable or not. */
export interface Reconstruction {
  /** [B, V, C] */
  readonly classLogits: tf.Tensor3D;
  /** [B, V, K] continuous feature columns, in (−m, 1 + m) for an output margin m. */
  readonly columns: tf.Tensor3D;
}

/** G_θ(s): the paper's transformed attributes. */
export interface TransformedGraphs {
  /** [B, V, C] */
  readonly classLogits: tf.Tensor3D;
  /**
   * [B, V, A] in units of the range: periodic ones in [0, 1), others up to the output margin beyond [0, 1] (clamped when
   * they become physical); entries that are not mutable equal the input's.
   */
  readonly units: tf.Tensor3D;
}

export interface TransformOptions {
  /** σ of the sampled attributes, as a fraction of their range; 0 (the default) gives the mean. */
  readonly sigma?: number;
  /** Seed of the noise, that of the attributes and the latent one; default the batch's. */
  readonly seed?: number;
  readonly signal?: AbortSignal;
}

const DEFAULT_HIDDEN = [30, 18];
const DEFAULT_OUTPUT_MARGIN = 0.5;
/** Scenes transformed at once: bounds the [B, V, V] matrices. */
const CHUNK = 256;

/**
 * The distribution transformer G_θ (Meta-Sim §3.1): a graph autoencoder that rewrites the mutable attributes of a scene
 * graph and keeps its structure. Graph convolutions with ELU between them, linear in the middle; a sigmoid on the
 * continuous outputs; periodic attributes are decoded as the angle of their two columns.
 *
 * Latent noise enters behind the encoder, so that it works while the encoder is frozen. It is an input like the scene:
 * what is said of G_θ, its mean and log p holds given the noise, which is a pure function of (seed, scene index, node).
 */
export class DistributionTransformer {
  readonly config: TransformerConfig;
  readonly layout: FeatureLayout;
  /** θ, in a fixed order. */
  readonly variables: readonly NamedVariable[];
  readonly encoderVariables: readonly NamedVariable[];
  readonly decoderVariables: readonly NamedVariable[];
  readonly #encoder: readonly GraphConvolution[];
  readonly #decoder: readonly GraphConvolution[];
  readonly #decoding: Decoding;

  /** @throws ConfigError when `hidden` is not a list of widths ≥ 1, `outputMargin` is negative or `noise` no count */
  constructor(options: TransformerOptions) {
    this.layout = 'layout' in options ? options.layout : new FeatureLayout(options.schema);
    const hidden = [...(options.hidden ?? DEFAULT_HIDDEN)];
    if (hidden.length === 0 || !hidden.every((width) => Number.isInteger(width) && width >= 1)) {
      throw new ConfigError(`Expected whole numbers ≥ 1 for hidden but received [${hidden}]`);
    }
    const { outputMargin = DEFAULT_OUTPUT_MARGIN, seed = 0, noise = 0 } = options;
    if (!(outputMargin >= 0 && Number.isFinite(outputMargin))) {
      throw new ConfigError(`Expected a number ≥ 0 for outputMargin but received ${outputMargin}`);
    }
    if (!(Number.isInteger(noise) && noise >= 0)) {
      throw new ConfigError(`Expected a whole number ≥ 0 for noise but received ${noise}`);
    }
    this.config = { schema: this.layout.schema, hidden, outputMargin, seed, noise };
    const widths = [this.layout.featureCount, ...hidden];
    this.#encoder = stack('encoder', widths, seed, 0);
    const [latent, ...rest] = [...widths].reverse();
    this.#decoder = stack('decoder', [latent + noise, ...rest], seed, hidden.length);
    this.encoderVariables = this.#encoder.flatMap((layer) => layer.variables);
    this.decoderVariables = this.#decoder.flatMap((layer) => layer.variables);
    this.variables = [...this.encoderVariables, ...this.decoderVariables];
    this.#decoding = decodingTables(this.layout);
  }

  /**
   * The batch as this network's input, with its latent noise.
   * @param seed of the noise; default the batch's
   * @returns tensors that the caller frees with `dispose`
   * @throws SceneGraphError when the batch has another schema
   */
  graphs(batch: SceneBatch, seed: number = batch.provenance.seed): GraphTensors {
    const { noise = 0 } = this.config;
    return graphTensors(this.layout, batch, noise > 0 ? latentNoise(batch, noise, seed) : undefined);
  }

  /**
   * G_θ(s), differentiable in θ.
   * @param graphs of `graphs`
   * @returns freed by the caller (or its tidy)
   */
  apply(graphs: GraphTensors): TransformedGraphs {
    return tf.tidy(() => {
      const { classLogits, columns } = this.reconstruct(graphs);
      const units = tf.where(tf.cast(graphs.mutable, 'bool'), this.#decodeUnits(columns), graphs.units);
      return { classLogits, units: units as tf.Tensor3D };
    });
  }

  /**
   * The autoencoder's output for all attributes, which pre-training compares with its target (§3.2.1).
   * @returns freed by the caller (or its tidy)
   * @throws ShapeError when the graphs lack the latent noise that the network takes
   */
  reconstruct(graphs: GraphTensors): Reconstruction {
    return tf.tidy(() => {
      const latent = run(this.#encoder, graphs.features, graphs);
      const output = run(this.#decoder, this.#withNoise(latent, graphs), graphs);
      const { classCount, columnCount } = this.layout;
      const { outputMargin } = this.config;
      const bounded = tf.sigmoid(tf.slice(output, [0, 0, classCount], [-1, -1, columnCount]));
      return {
        classLogits: tf.slice(output, [0, 0, 0], [-1, -1, classCount]),
        columns: tf.sub(tf.mul(bounded, 1 + 2 * outputMargin), outputMargin) as tf.Tensor3D,
      };
    });
  }

  /** Reconstructed attributes [B, V, A] in units of the range, mutable or not; freed by the caller's tidy. */
  reconstructUnits(graphs: GraphTensors): tf.Tensor3D {
    return tf.tidy(() => this.#decodeUnits(this.reconstruct(graphs).columns));
  }

  /**
   * The scenes with new values for their mutable attributes; everything else is shared with `batch`. A scene's result
   * does not depend on the scenes beside it. With `sigma`, a ~ N(G_θ(s), σ²), then clamped or wrapped to the range.
   * @throws SceneGraphError when the batch has another schema; the signal's reason when aborted
   */
  async transform(batch: SceneBatch, options: TransformOptions = {}): Promise<SceneBatch> {
    const { sigma = 0, seed = batch.provenance.seed, signal } = options;
    const { layout } = this;
    const width = layout.attributeCount;
    const parts: Float32Array[] = [];
    for (let start = 0; start < batch.scenes.length; start += CHUNK) {
      signal?.throwIfAborted();
      const chunk = { ...batch, scenes: batch.scenes.slice(start, start + CHUNK) };
      const means = await this.#means(chunk, seed);
      const units = sigma > 0 ? addNoise(means, attributeNoise(chunk, width, seed), sigma) : means;
      parts.push(layout.toPhysical(units, chunk));
    }
    return withAttributes(batch, concatenate(parts));
  }

  /** Values of θ by name, for a checkpoint. */
  save(): Promise<Record<string, StoredTensor>> {
    return saveVariables(this.variables);
  }

  /** @throws TrainingError when the weights are of another network; θ is then unchanged. */
  load(stored: Record<string, StoredTensor>): void {
    loadVariables(this.variables, stored);
  }

  /** Frees θ. */
  dispose(): void {
    for (const layer of [...this.#encoder, ...this.#decoder]) layer.dispose();
    tf.dispose([this.#decoding.plain, this.#decoding.cosine, this.#decoding.sine, this.#decoding.periodic]);
  }

  /** The decoder's input: the latent vector of each node [B, V, L] and its noise [B, V, K]. */
  #withNoise(latent: tf.Tensor3D, { noise }: GraphTensors): tf.Tensor3D {
    const { noise: columns = 0 } = this.config;
    if (columns === 0) return latent;
    if (noise?.shape[2] !== columns) {
      throw new ShapeError(`Expected ${columns} columns of latent noise but received ${noise?.shape[2] ?? 'none'}`);
    }
    return tf.concat([latent, noise], 2) as tf.Tensor3D;
  }

  async #means(batch: SceneBatch, seed: number): Promise<Float32Array> {
    const graphs = this.graphs(batch, seed);
    const units = tf.tidy(() => this.apply(graphs).units);
    try {
      return await units.data<'float32'>();
    } finally {
      units.dispose();
      graphs.dispose();
    }
  }

  /** Columns [B, V, K] to units [B, V, A]: by 0/1 matrices, because gathering has no gradient kernel everywhere. */
  #decodeUnits(columns: tf.Tensor3D): tf.Tensor3D {
    const { columnCount, attributeCount, periodic } = this.layout;
    const [batch, nodes] = columns.shape;
    const flat = tf.reshape(columns, [batch * nodes, columnCount]) as tf.Tensor2D;
    const plain = tf.matMul(flat, this.#decoding.plain);
    const shape: [number, number, number] = [batch, nodes, attributeCount];
    if (!periodic.includes(1)) return tf.reshape(plain, shape);
    const centred = tf.sub(tf.mul(flat, 2), 1) as tf.Tensor2D;
    const angle = turns(tf.matMul(centred, this.#decoding.cosine), tf.matMul(centred, this.#decoding.sine));
    return tf.reshape(tf.where(this.#decoding.periodic, angle, plain), shape);
  }
}

/** Layers of `widths.length − 1` graph convolutions. */
function stack(name: string, widths: readonly number[], seed: number, firstLayer: number): GraphConvolution[] {
  return widths
    .slice(1)
    .map(
      (outputs, i) =>
        new GraphConvolution({ name: `${name}/${i}`, inputs: widths[i], outputs, seed, layer: firstLayer + i }),
    );
}

/** Layers one after the other, ELU between them. */
function run(layers: readonly GraphConvolution[], input: tf.Tensor3D, graphs: GraphTensors): tf.Tensor3D {
  return layers.reduce((x, layer, i) => layer.apply(i === 0 ? x : tf.elu(x), graphs), input);
}

/** Matrices [K, A] that pick an attribute's column (or cosine and sine) out of the continuous columns. */
interface Decoding {
  readonly plain: tf.Tensor2D;
  readonly cosine: tf.Tensor2D;
  readonly sine: tf.Tensor2D;
  /** [1, A] bool */
  readonly periodic: tf.Tensor2D;
}

function decodingTables(layout: FeatureLayout): Decoding {
  const { attributeCount, columnCount, classCount } = layout;
  const plain = new Float32Array(columnCount * attributeCount);
  const cosine = new Float32Array(plain.length);
  const sine = new Float32Array(plain.length);
  for (const [a, { start }] of layout.columns.entries()) {
    const column = start - classCount;
    if (layout.periodic[a]) {
      cosine[column * attributeCount + a] = 1;
      sine[(column + 1) * attributeCount + a] = 1;
    } else {
      plain[column * attributeCount + a] = 1;
    }
  }
  const matrix = (values: Float32Array) => tf.tensor2d(values, [columnCount, attributeCount]);
  return {
    plain: matrix(plain),
    cosine: matrix(cosine),
    sine: matrix(sine),
    periodic: tf.tensor2d(layout.periodic, [1, attributeCount], 'bool'),
  };
}

function concatenate(parts: readonly Float32Array[]): Float32Array {
  const whole = new Float32Array(parts.reduce((sum, part) => sum + part.length, 0));
  let offset = 0;
  for (const part of parts) {
    whole.set(part, offset);
    offset += part.length;
  }
  return whole;
}
