/**
 * The filters that are run: batch normalisation folded into kernel and bias, and the map of images from [0, 1] to
 * [−1, 1] folded into the first convolution. Both are exact: the first convolution has no padding, so every input it
 * sees is a pixel.
 */
import { RandomStream } from '../../random.js';
import { BATCH_NORM_EPSILON, type ConvStep } from './architecture.js';
import type { TrainedConvolution } from './weightFiles.js';

/** y = relu(x ∗ kernel + bias). */
export interface Filter {
  /** [height, width, in, out] */
  readonly kernel: Float32Array;
  /** [out] */
  readonly bias: Float32Array;
}

/** kernel · s and beta − mean · s with s = 1 / √(variance + ε), per output channel. */
export function foldBatchNorm({ kernel, beta, mean, variance }: TrainedConvolution): Filter {
  const channels = beta.length;
  const scale = Float64Array.from(variance, (v) => 1 / Math.sqrt(v + BATCH_NORM_EPSILON));
  return {
    kernel: kernel.map((value, i) => value * scale[i % channels]),
    bias: beta.map((value, channel) => value - mean[channel] * scale[channel]),
  };
}

/** The filter that does to x in [0, 1] what `filter` does to 2x − 1: kernel · 2 and bias − Σ kernel. */
export function foldImageRange({ kernel, bias }: Filter): Filter {
  const sums = new Float64Array(bias.length);
  for (let i = 0; i < kernel.length; i++) sums[i % bias.length] += kernel[i];
  return { kernel: kernel.map((value) => 2 * value), bias: bias.map((value, channel) => value - sums[channel]) };
}

/** The filter that does to one grey channel what `filter` does to that channel repeated: the sum over inputs. */
export function foldGreyReplication({ kernel, bias }: Filter, inChannels: number): Filter {
  const channels = bias.length;
  const sums = new Float64Array(kernel.length / inChannels);
  for (let i = 0; i < kernel.length; i++) {
    const position = Math.floor(i / (inChannels * channels));
    sums[position * channels + (i % channels)] += kernel[i];
  }
  return { kernel: Float32Array.from(sums), bias };
}

/**
 * A seeded stand-in for a trained convolution: uniform weights of variance 2 / fan-in (He et al., 2015), which keeps the
 * mean square of the activations through ReLU, and no bias. Depends on the seed and the convolution's number only.
 */
export function randomFilter({ index, size, inChannels, outChannels }: ConvStep, seed: number): Filter {
  const fanIn = size[0] * size[1] * inChannels;
  const limit = Math.sqrt(6 / fanIn);
  const stream = new RandomStream({ seed, index });
  const kernel = new Float32Array(fanIn * outChannels);
  for (let i = 0; i < kernel.length; i++) kernel[i] = limit * (stream.uint32() / 0x80000000 - 1);
  return { kernel, bias: new Float32Array(outChannels) };
}
