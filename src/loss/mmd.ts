/**
 * Distribution matching of Meta-Sim (§3.2.2, eq. 1): the squared maximum mean discrepancy between generated and real
 * images in Inception's feature space, with its gradient to the generated images.
 *
 * The kernel is a sum over layers, blurs and bandwidths of Gaussian kernels, hence itself one. Feature maps keep their
 * positions: where something is, is what is learned.
 */
import { ConfigError, ShapeError } from '../errors.js';
import type { FeatureExtractor } from '../learn/inception/inception.js';
import { tf } from '../learn/tf.js';
import { type Bandwidth, checkBandwidth } from './gaussianKernel.js';
import { disposeRealSide, prepareRealSide, type RealSide, termForward, termGradient } from './mmdTerm.js';
import { blurMatrix, blurredFeatures, blurredFeaturesGradient } from './spatialBlur.js';

export interface MmdSettings {
  /** How the kernel's σ is chosen, for each layer and blur from its own real features; it stays fixed afterwards. */
  readonly bandwidth: Bandwidth;
  /** Standard deviations, in cells of the feature map, of the blurred copies that are compared; 0 is the plain map. */
  readonly blur: readonly number[];
}

/** The kernel with which training runs unless told otherwise. */
export const DEFAULT_MMD: MmdSettings = {
  bandwidth: { kind: 'mixture', scales: [0.5, 2, 8] },
  blur: [0, 2],
};

export interface MmdOptions extends Partial<MmdSettings> {
  readonly extractor: FeatureExtractor;
  /** X_R: float32 [M, H, W, 1 or 3] in [0, 1]; read once, not disposed. M ≥ 2. */
  readonly real: tf.Tensor4D;
  /** One weight ≥ 0 a layer of the extractor; they are scaled to sum to 1. Default: equal. */
  readonly layerWeights?: readonly number[];
  /** Real images that go through the extractor at once. Default 50. */
  readonly realBatch?: number;
}

/** One blur of one layer. */
interface Term {
  /** [samples, h · w], or undefined for the plain map. */
  readonly blur: tf.Tensor2D | undefined;
  readonly real: RealSide;
  readonly weight: number;
}

/** Squared MMD to a fixed set of real images. Create it with {@link MmdLoss.create}; dispose it after use. */
export class MmdLoss {
  readonly #extractor: FeatureExtractor;
  /** Terms of each layer. */
  readonly #layers: readonly (readonly Term[])[];
  readonly #imageShape: readonly number[];

  private constructor(
    extractor: FeatureExtractor,
    layers: readonly (readonly Term[])[],
    imageShape: readonly number[],
  ) {
    this.#extractor = extractor;
    this.#layers = layers;
    this.#imageShape = imageShape;
  }

  /**
   * Computes the real features once, with their norms, self term and bandwidths.
   * @throws ConfigError for a bandwidth, blur or weight out of range; ShapeError for fewer than two real images or
   *   images that the extractor refuses
   */
  static async create(options: MmdOptions): Promise<MmdLoss> {
    const { extractor, real, bandwidth = DEFAULT_MMD.bandwidth, blur = DEFAULT_MMD.blur, realBatch = 50 } = options;
    checkBandwidth(bandwidth);
    if (blur.length === 0 || blur.some((sigma) => !(sigma >= 0 && Number.isFinite(sigma)))) {
      throw new ConfigError(`Expected numbers ≥ 0 for blur but received [${blur.join(', ')}]`);
    }
    if (real.rank !== 4 || real.shape[0] < 2) {
      throw new ShapeError(`Expected [M ≥ 2, H, W, C] for real images but received [${real.shape.join(', ')}]`);
    }
    const maps = realMaps(extractor, real, realBatch);
    const weights = normalisedWeights(options.layerWeights, maps.length);
    const layers = maps.map((map, layer) => {
      const [, height, width] = map.shape;
      const terms = blur.map((sigma): Term => {
        const matrix = sigma === 0 ? undefined : tf.keep(blurMatrix(height, width, sigma));
        const features = blurredFeatures(map, matrix);
        const term = { blur: matrix, real: prepareRealSide(features, bandwidth), weight: weights[layer] / blur.length };
        features.dispose();
        return term;
      });
      map.dispose();
      return terms;
    });
    return new MmdLoss(extractor, layers, real.shape.slice(1));
  }

  /**
   * Squared MMD, eq. (1), biased; differentiable to the images by `tf.grad`.
   * @param images X_θ: float32 [N, H, W, C] in [0, 1], of the real images' size
   * @returns scalar ≥ 0 (up to rounding of about 1e-6); the caller disposes it
   * @throws ShapeError when the images' size differs from the real ones'
   */
  value(images: tf.Tensor4D): tf.Scalar {
    return this.#value(images);
  }

  /** @param terms gets the value of each blur of each layer, kept: the caller disposes them */
  #value(images: tf.Tensor4D, terms?: tf.Scalar[]): tf.Scalar {
    if (images.shape.slice(1).join() !== this.#imageShape.join()) {
      throw new ShapeError(
        `Expected [N, ${this.#imageShape.join(', ')}] for generated images but received [${images.shape.join(', ')}]`,
      );
    }
    return tf.tidy(() => this.#ofMaps(this.#extractor.features(images), terms));
  }

  /** What each layer is called in records, in the extractor's order. */
  get layerNames(): readonly string[] {
    return this.#extractor.layerNames ?? this.#layers.map((_, layer) => String(layer + 1));
  }

  /**
   * Squared MMD and its gradient ∂L/∂x to each image.
   * @param images as for {@link value}
   * @returns value; the squared MMD of each layer alone, of which `value` is the weighted mean; and gradient float32
   *   [N, H, W, C], which the caller disposes
   */
  valueAndGradient(images: tf.Tensor4D): { value: number; layers: readonly number[]; gradient: tf.Tensor4D } {
    const terms: tf.Scalar[] = [];
    try {
      const run = tf.valueAndGrad((x: tf.Tensor) => this.#value(x as tf.Tensor4D, terms));
      const { value, grad } = run(images);
      const number = value.dataSync()[0];
      value.dispose();
      return { value: number, layers: this.#layerMeans(terms), gradient: grad as tf.Tensor4D };
    } finally {
      tf.dispose(terms);
    }
  }

  /** Frees the real features. The extractor stays. */
  dispose(): void {
    for (const { blur, real } of this.#layers.flat()) {
      blur?.dispose();
      disposeRealSide(real);
    }
  }

  /** Weighted sum over layers and blurs, with the gradient in closed form. */
  #ofMaps(maps: tf.Tensor4D[], terms?: tf.Scalar[]): tf.Scalar {
    const run = tf.customGrad((...args) => {
      const save = args[args.length - 1] as tf.GradSaveFunc;
      const inputs = args.slice(0, maps.length) as tf.Tensor4D[];
      const kept: tf.Tensor[] = [];
      let value: tf.Tensor = tf.scalar(0);
      inputs.forEach((map, layer) => {
        for (const { blur, real, weight } of this.#layers[layer]) {
          const forward = termForward(blurredFeatures(map, blur), real);
          value = tf.add(value, tf.mul(forward.value, weight));
          kept.push(forward.generated, forward.ownSlope, forward.crossSlope);
          terms?.push(tf.keep(forward.value));
        }
      });
      save(kept);
      const gradFunc = (dy: tf.Tensor, saved: tf.Tensor[]) => this.#gradients(dy, saved as tf.Tensor2D[], maps);
      return { value, gradFunc };
    });
    return run(...maps) as tf.Scalar;
  }

  /** Means over the blurs of each layer. */
  #layerMeans(terms: readonly tf.Scalar[]): number[] {
    const values = terms.map((term) => term.dataSync<'float32'>()[0]);
    let next = 0;
    return this.#layers.map(({ length }) => {
      const sum = values.slice(next, (next += length)).reduce((total, value) => total + value, 0);
      return sum / length;
    });
  }

  #gradients(dy: tf.Tensor, saved: tf.Tensor2D[], maps: tf.Tensor4D[]): tf.Tensor4D[] {
    let next = 0;
    return maps.map((map, layer) => {
      const parts = this.#layers[layer].map(({ blur, real, weight }) => {
        const [generated, ownSlope, crossSlope] = saved.slice(next, (next += 3));
        const gradient = termGradient({ generated, ownSlope, crossSlope }, real);
        return blurredFeaturesGradient(tf.mul(gradient, tf.mul(dy, weight)) as tf.Tensor2D, blur, map.shape);
      });
      return parts.reduce((sum, part) => tf.add(sum, part) as tf.Tensor4D);
    });
  }
}

function normalisedWeights(weights: readonly number[] | undefined, layers: number): number[] {
  const given = weights ?? new Array<number>(layers).fill(1);
  const sum = given.reduce((total, weight) => total + weight, 0);
  if (given.length !== layers || given.some((weight) => !(weight >= 0)) || !(sum > 0 && Number.isFinite(sum))) {
    throw new ConfigError(`Expected ${layers} weights ≥ 0 for layerWeights but received [${given.join(', ')}]`);
  }
  return given.map((weight) => weight / sum);
}

/** Maps of all real images, one a layer, computed `batch` images at a time; the caller disposes them. */
function realMaps(extractor: FeatureExtractor, real: tf.Tensor4D, batch: number): tf.Tensor4D[] {
  return tf.tidy(() => {
    const chunks: tf.Tensor4D[][] = [];
    for (let first = 0; first < real.shape[0]; first += batch) {
      const count = Math.min(batch, real.shape[0] - first);
      chunks.push(tf.tidy(() => extractor.features(tf.slice4d(real, [first, 0, 0, 0], [count, -1, -1, -1]))));
    }
    return chunks[0].map((_, layer) =>
      tf.concat(
        chunks.map((chunk) => chunk[layer]),
        0,
      ),
    );
  });
}
