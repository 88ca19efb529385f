import { ShapeError } from '../errors.js';
import { Confusion, meanOfKnown } from './confusion.js';
import { convolutionLayer } from './convolutionLayer.js';
import {
  checkNetworkOptions,
  expectOption,
  filledOptions,
  layerShapes,
  type NetworkOptions,
  NetworkTrainer,
  type WeightShape,
} from './networkTrainer.js';
import { pixelCrossEntropy } from './pixelCrossEntropy.js';
import { IGNORED, type SegmentedImages, type TaskScore, type TaskTrainingOptions } from './taskNetwork.js';
import { tf } from './tf.js';
import { upsampleConcat } from './upsample.js';

export interface UNetOptions extends NetworkOptions {
  /** Filters of the levels, from the full size to the smallest. Default [16, 32, 64]. */
  readonly filters?: readonly number[];
  /** Weight classes in the loss by the inverse of their share of the training pixels. Default false. */
  readonly balance?: boolean;
  /** A class that `score` leaves out of its mean; its pixels count for the others. Default none. */
  readonly background?: number;
  /** Names of the classes, for `evaluate`; default their numbers. */
  readonly classNames?: readonly string[];
}

/** A convolution of the network, with the filters it takes and gives. */
interface Layer {
  readonly name: string;
  readonly size: 1 | 3;
  readonly from: number;
  readonly to: number;
}

/** Images of a forward pass without gradients. */
const SCORE_BATCH = 16;

/**
 * A small U-Net (Ronneberger et al. 2015) for semantic segmentation, as Meta-Sim §4.2 uses one: "7 convolutional layers
 * (with 16 to 64 filters)". With the default filters [16, 32, 64], all 3×3 with zero margins and ReLU but for the last:
 *
 *   H × W       down1  C → 16 ───────────────────────────▶ up1  16 + 16 → 16,  classify 1×1  16 → classes
 *                 │ max pool                                ▲ twice as large (nearest)
 *   H/2 × W/2   down2 16 → 32 ────────▶ up2  32 + 32 → 16 ──┘
 *                 │ max pool             ▲ twice as large
 *   H/4 × W/4   down3 32 → 64,  bottom 64 → 32
 *
 * n levels are 2n + 1 convolutions. As in the original the filters are halved before the way up, not after joining.
 * Images of any size: inside, they are extended to the right and below to a multiple of 2ⁿ⁻¹ by pixels that neither are
 * learned from nor scored. Values enter as 2x − 1 of x in [0, 1], so that margins are mid-grey. Softmax cross-entropy.
 * Defaults: batches of 8, `adam`, learning rate 0.001.
 */
export class UNet extends NetworkTrainer<SegmentedImages, Uint8Array> {
  readonly #options: Required<Omit<UNetOptions, 'background'>> & { readonly background?: number };
  readonly #layers: readonly Layer[];
  /** Size inside the network, px. */
  readonly #inner: { readonly width: number; readonly height: number };
  /** [classes] weights in the loss. */
  #weights: Float64Array;

  /** @throws ConfigError on options out of range */
  constructor(options: UNetOptions) {
    const names = Array.from({ length: Math.max(0, Math.floor(options.classes)) || 0 }, (_, k) => String(k));
    const filled = filledOptions(options, {
      batchSize: 8,
      optimizer: 'adam',
      filters: [16, 32, 64],
      balance: false,
      classNames: names,
    }) as Required<UNetOptions>;
    checkOptions(filled);
    const layers = layersOf(filled);
    super('U-Net', filled, weightShapes(layers));
    const step = 2 ** (filled.filters.length - 1);
    const inner = (size: number) => Math.ceil(size / step) * step;
    this.#options = filled;
    this.#layers = layers;
    this.#inner = { width: inner(filled.width), height: inner(filled.height) };
    this.#weights = new Float64Array(filled.classes).fill(1);
  }

  override async train(data: SegmentedImages, options: TaskTrainingOptions = {}): Promise<void> {
    this.checkData(data);
    if (this.#options.balance) this.#weights = inverseShares(data.masks, this.#options.classes);
    await super.train(data, options);
  }

  /** Mean intersection over union of the classes but the background, of those that are there or predicted. */
  async score(data: SegmentedImages): Promise<number> {
    return (await this.evaluate(data)).score;
  }

  /** The mean as `score`, with `iou/⟨class⟩` of each class that is there or predicted. */
  async evaluate(data: SegmentedImages): Promise<TaskScore> {
    const { classes, classNames, background } = this.#options;
    const confusion = new Confusion(classes);
    confusion.add(data.masks, await this.predict(data));
    const perClass = [...confusion.intersectionOverUnion()];
    const mean = meanOfKnown(perClass.filter((_, k) => k !== background));
    const known = perClass.flatMap((value, k) =>
      Number.isNaN(value) ? [] : [[`iou/${classNames[k]}`, value] as const],
    );
    return { score: Number.isNaN(mean) ? 0 : mean, details: Object.fromEntries(known) };
  }

  /** Most probable class of each pixel, [N × H × W]. */
  async predict(data: SegmentedImages): Promise<Uint8Array> {
    this.checkData(data);
    const { width, height } = this.#options;
    const predicted = new Uint8Array(data.count * width * height);
    await this.forEachBatch<Int32Array>(
      data.count,
      SCORE_BATCH,
      (indices) => {
        const logits = this.#logits(this.#images(data, indices));
        return tf.argMax(tf.slice(logits, [0, 0, 0, 0], [-1, height, width, -1]), 3);
      },
      (classes, first) => predicted.set(classes, first * width * height),
    );
    return predicted;
  }

  protected batchLoss(data: SegmentedImages, indices: Int32Array): () => tf.Scalar {
    const images = this.#images(data, indices);
    const masks = this.#masks(data, indices);
    return () => pixelCrossEntropy(this.#logits(images), masks, this.#weights);
  }

  protected checkLabels({ count, masks }: SegmentedImages): void {
    const { width, height, classes } = this.#options;
    if (masks.length !== count * width * height) {
      throw new ShapeError(`Expected ${count} masks for the U-Net but received ${masks.length} pixels`);
    }
    const wrong = masks.findIndex((value) => value >= classes && value !== IGNORED);
    if (wrong >= 0) {
      throw new ShapeError(
        `Expected a class below ${classes}, or ${IGNORED}, for pixel ${wrong} of the masks but received ${masks[wrong]}`,
      );
    }
  }

  /** Logits [B, H, W, classes] of images [B, H, W, C], both of the inner size. */
  #logits(images: tf.Tensor4D): tf.Tensor4D {
    let next = 0;
    const convolve = (x: tf.Tensor4D) => {
      const { size } = this.#layers[next];
      const [filter, bias] = this.variables.slice(2 * next).map(({ variable }) => variable);
      const inputGradient = next++ > 0;
      return convolutionLayer(x, filter, bias, {
        ...{ pad: 'same', inputGradient },
        activation: size === 3 ? 'relu' : 'linear',
      });
    };
    const levels = this.#options.filters.length;
    const skips: tf.Tensor4D[] = [];
    let x = convolve(images);
    for (let level = 1; level < levels; level++) {
      skips.push(x);
      x = convolve(tf.maxPool(x, 2, 2, 'valid'));
    }
    x = convolve(x);
    for (const skip of skips.reverse()) x = convolve(upsampleConcat(x, skip));
    return convolve(x);
  }

  /** The chosen images, [B, H, W, C] of the inner size in [−1, 1]. */
  #images(data: SegmentedImages, indices: Int32Array): tf.Tensor4D {
    const { width, height, channels } = this.#options;
    const inner = this.#inner;
    const line = width * channels;
    const batch = new Float32Array(indices.length * inner.height * inner.width * channels);
    const { images } = data;
    // One loop for each type of array: a loop that sees both is ten times slower.
    const copyLine =
      images instanceof Uint8Array
        ? (from: number, to: number) => {
            for (let k = 0; k < line; k++) batch[to + k] = images[from + k] * (2 / 255) - 1;
          }
        : (from: number, to: number) => {
            for (let k = 0; k < line; k++) batch[to + k] = images[from + k] * 2 - 1;
          };
    for (let i = 0; i < indices.length; i++) {
      for (let y = 0; y < height; y++) {
        copyLine((indices[i] * height + y) * line, (i * inner.height + y) * inner.width * channels);
      }
    }
    return tf.tensor4d(batch, [indices.length, inner.height, inner.width, channels]);
  }

  /** Their masks, [B × H × W] of the inner size, ignored beyond the images. */
  #masks({ masks }: SegmentedImages, indices: Int32Array): Uint8Array {
    const { width, height } = this.#options;
    const inner = this.#inner;
    const batch = new Uint8Array(indices.length * inner.height * inner.width).fill(IGNORED);
    for (let i = 0; i < indices.length; i++) {
      for (let y = 0; y < height; y++) {
        const from = (indices[i] * height + y) * width;
        batch.set(masks.subarray(from, from + width), (i * inner.height + y) * inner.width);
      }
    }
    return batch;
  }
}

/** In the order in which images pass through them. */
function layersOf({ channels, classes, filters }: Required<UNetOptions>): Layer[] {
  const layers: Layer[] = [];
  const add = (name: string, size: 1 | 3, from: number, to: number) => {
    layers.push({ name, size, from, to });
  };
  for (const [i, to] of filters.entries()) add(`down${i + 1}`, 3, i === 0 ? channels : filters[i - 1], to);
  const last = filters.length - 1;
  add('bottom', 3, filters[last], filters[last - 1]);
  for (let i = last - 1; i >= 0; i--) add(`up${i + 1}`, 3, 2 * filters[i], filters[Math.max(0, i - 1)]);
  add('classify', 1, filters[0], classes);
  return layers;
}

function weightShapes(layers: readonly Layer[]): WeightShape[] {
  return layers.flatMap(({ name, size, from, to }) => layerShapes(name, [size, size, from, to]));
}

/** Weights with which every class that is there counts alike, their mean over the pixels being 1. */
function inverseShares(masks: Uint8Array, classes: number): Float64Array {
  const counts = new Float64Array(256);
  for (const value of masks) counts[value]++;
  const present = counts.subarray(0, classes).filter((count) => count > 0).length;
  const pixels = masks.length - counts[IGNORED];
  return Float64Array.from({ length: classes }, (_, k) => (counts[k] > 0 ? pixels / (present * counts[k]) : 0));
}

function checkOptions(options: Required<UNetOptions>): void {
  const { filters, classes, classNames, background } = options;
  const counts = filters.every((value) => Number.isInteger(value) && value > 0);
  expectOption(
    options,
    'filters',
    'from 2 to 8 positive integers',
    counts && filters.length >= 2 && filters.length <= 8,
  );
  checkNetworkOptions(options, 2 ** (filters.length - 1), `${filters.length} levels of filters`);
  expectOption(options, 'classes', `at most ${IGNORED}`, classes <= IGNORED);
  expectOption(options, 'classNames', `${classes} names`, classNames.length === classes);
  const known = Number.isInteger(background) && background >= 0 && background < classes;
  expectOption(options, 'background', `a class below ${classes}`, background === undefined || known);
}
