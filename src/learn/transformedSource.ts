import type { SceneBatch } from '../scene/sceneGraph.js';
import type { SampleRequest, SceneSource } from '../scene/sceneSource.js';
import type { DistributionTransformer } from './distributionTransformer.js';

export interface TransformedSourceOptions {
  /** The grammar. */
  readonly source: SceneSource;
  readonly transformer: DistributionTransformer;
  /** σ of the sampled attributes, as a fraction of their range. Default 0: the transformer's mean. */
  readonly sigma?: number;
  /** Default `⟨source⟩+transformer`. */
  readonly name?: string;
}

/** A grammar followed by a distribution transformer: the learned distribution of scenes. */
export class TransformedSource implements SceneSource {
  readonly name: string;
  readonly #source: SceneSource;
  readonly #transformer: DistributionTransformer;
  readonly #sigma: number;

  constructor({ source, transformer, sigma = 0, name = `${source.name}+transformer` }: TransformedSourceOptions) {
    this.name = name;
    this.#source = source;
    this.#transformer = transformer;
    this.#sigma = sigma;
  }

  /** A pure function of the request: noise is addressed by (seed, scene index, node, attribute). */
  async sampleBatch(request: SampleRequest): Promise<SceneBatch> {
    const batch = await this.#source.sampleBatch(request);
    const options = { sigma: this.#sigma, seed: request.seed };
    const transformed = await this.#transformer.transform(batch, options);
    return { ...transformed, provenance: { ...batch.provenance, grammar: this.name } };
  }
}
