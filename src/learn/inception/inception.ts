/**
 * φ of Meta-Sim (§3.2.2): feature maps of InceptionV3's lower layers, with the gradient to the images.
 */
import { ConfigError, ShapeError } from '../../errors.js';
import { tf } from '../tf.js';
import {
  type ConvStep,
  checkImageSize,
  convolutionsOf,
  type InceptionLayer,
  STAGE_OF_LAYER,
  type Stage,
  type Step,
  stagesUpTo,
} from './architecture.js';
import { type Filter, foldBatchNorm, foldGreyReplication, foldImageRange, randomFilter } from './filters.js';
import { averagePool, convolution, joinChannels, maxPool } from './operations.js';
import { findInceptionWeights, readInceptionWeights } from './weightFiles.js';

export interface InceptionOptions {
  /** Layers whose maps `features` returns, in this order. */
  readonly layers: readonly InceptionLayer[];
  /**
   * Folder of the weights. By default the first that has them of `$METASIM_DATA/inception_v3`, the user's cache (where
   * `metasim fetch inception` puts them) and `../shared/data/inception_v3` beside the project. `'random'` uses the
   * stand-in even where weights exist.
   */
  readonly weights?: string;
  /** Seed of the stand-in that runs where no weights are found. Default 0. */
  readonly seed?: number;
}

export interface InceptionInfo {
  /** `random` is a seeded stand-in of the same architecture: say so wherever its results are shown. */
  readonly weights: 'imagenet' | 'random';
  /** The folder the weights came from, or the seed of the stand-in. */
  readonly source: string;
  readonly layers: readonly InceptionLayer[];
}

interface LoadedFilter {
  readonly kernel: tf.Tensor4D;
  readonly bias: tf.Tensor1D;
}

/** Anything that maps images to feature maps, differentiably. */
export interface FeatureExtractor {
  /**
   * @param images float32 [B, H, W, 1 or 3] in [0, 1]
   * @returns one map float32 [B, h, w, C] a layer; the caller disposes them
   */
  features(images: tf.Tensor4D): tf.Tensor4D[];
  /** What the layers are called in records, in the order of their maps; left out: 1, 2, … */
  readonly layerNames?: readonly string[];
}

const LAYERS = Object.keys(STAGE_OF_LAYER).map(Number);

/** A frozen InceptionV3. Create it with {@link Inception.create}. */
export class Inception implements FeatureExtractor {
  readonly info: InceptionInfo;
  readonly #stages: readonly Stage[];
  readonly #filters: ReadonlyMap<number, LoadedFilter>;
  /** The first convolution for one grey channel. */
  readonly #greyFilter: LoadedFilter;

  private constructor(info: InceptionInfo, stages: readonly Stage[], filters: ReadonlyMap<number, Filter>) {
    this.info = info;
    this.#stages = stages;
    const loaded = new Map<number, LoadedFilter>();
    const [first] = convolutionsOf(stages);
    for (const step of convolutionsOf(stages)) {
      const filter = filters.get(step.index) as Filter;
      loaded.set(step.index, load(step === first ? foldImageRange(filter) : filter, step));
    }
    this.#filters = loaded;
    const grey = foldGreyReplication(foldImageRange(filters.get(first.index) as Filter), first.inChannels);
    this.#greyFilter = load(grey, { ...first, inChannels: 1 });
  }

  get layerNames(): readonly string[] {
    return this.info.layers.map(String);
  }

  /**
   * Loads what the chosen layers need (64: three convolutions, 192: five, 768: seventy, 2048: ninety-four).
   * @throws ConfigError for an unknown layer or none; AssetError for a weights folder that is incomplete or damaged
   */
  static async create(options: InceptionOptions): Promise<Inception> {
    const { layers, weights, seed = 0 } = options;
    if (layers.length === 0 || layers.some((layer) => !LAYERS.includes(layer))) {
      throw new ConfigError(`Expected some of ${LAYERS.join(', ')} for layers but received [${layers.join(', ')}]`);
    }
    const stages = stagesUpTo(STAGE_OF_LAYER[Math.max(...layers) as InceptionLayer]);
    const convolutions = convolutionsOf(stages);
    const last = convolutions[convolutions.length - 1].index;
    const folder = weights === 'random' ? undefined : findInceptionWeights(last, weights);
    const filters = new Map<number, Filter>();
    if (folder === undefined) {
      for (const step of convolutions) filters.set(step.index, randomFilter(step, seed));
    } else {
      for (const [index, trained] of await readInceptionWeights(folder, convolutions)) {
        filters.set(index, foldBatchNorm(trained));
      }
    }
    const info: InceptionInfo =
      folder === undefined
        ? { weights: 'random', source: `seed ${seed}`, layers }
        : { weights: 'imagenet', source: folder, layers };
    return new Inception(info, stages, filters);
  }

  /**
   * Feature maps of `images` at their own size (nothing is resized), one a layer of `info.layers`. Differentiable to
   * the images; grey images give the same numbers as their replication to three channels.
   * @param images float32 [B, H, W, 1 or 3] in [0, 1]
   * @returns float32 [B, h, w, C] each, C the layer; the caller disposes them
   * @throws ShapeError when the images are not of rank 4, have other channels, or are too small for a layer
   */
  features(images: tf.Tensor4D): tf.Tensor4D[] {
    const [, height, width] = images.shape;
    for (const layer of this.info.layers) checkImageSize(layer, height, width);
    return this.maps(
      images,
      this.info.layers.map((layer) => STAGE_OF_LAYER[layer]),
    );
  }

  /**
   * As {@link features}, for stages by their Keras names, e.g. `mixed2`.
   * @internal
   */
  maps(images: tf.Tensor4D, stageNames: readonly string[]): tf.Tensor4D[] {
    const channels = images.shape[3];
    if (images.rank !== 4 || (channels !== 1 && channels !== 3)) {
      throw new ShapeError(`Expected [B, H, W, 1 or 3] for images but received [${images.shape.join(', ')}]`);
    }
    return tf.tidy(() => {
      const outputs = new Map<string, tf.Tensor4D>();
      let current = images;
      const last = Math.max(...stageNames.map((name) => this.#stages.findIndex((stage) => stage.name === name)));
      for (const stage of this.#stages.slice(0, last + 1)) {
        const branches = stage.branches.map((steps) => steps.reduce((map, step) => this.#run(step, map), current));
        current = branches.length === 1 ? branches[0] : joinChannels(branches);
        outputs.set(stage.name, current);
      }
      return stageNames.map((name) => outputs.get(name) as tf.Tensor4D);
    });
  }

  #run(step: Step, map: tf.Tensor4D): tf.Tensor4D {
    if (step.kind === 'fork') return joinChannels(step.convolutions.map((each) => this.#run(each, map)));
    if (step.kind !== 'conv') return step.kind === 'maxPool' ? maxPool(map) : averagePool(map);
    const { kernel, bias } = this.#filterOf(step, map.shape[3]);
    return convolution(map, kernel, bias, step.stride, step.padding);
  }

  #filterOf(step: ConvStep, channels: number): LoadedFilter {
    return channels === 1 ? this.#greyFilter : (this.#filters.get(step.index) as LoadedFilter);
  }

  /** Frees the filters. */
  dispose(): void {
    for (const { kernel, bias } of [...this.#filters.values(), this.#greyFilter]) tf.dispose([kernel, bias]);
  }
}

function load({ kernel, bias }: Filter, { size, inChannels, outChannels }: ConvStep): LoadedFilter {
  return tf.tidy(() => ({
    // Kept: the network outlives whatever tidy it was created in.
    kernel: tf.keep(tf.tensor4d(kernel, [...size, inChannels, outChannels])),
    bias: tf.keep(tf.tensor1d(bias)),
  }));
}
