/**
 * The four operations of the network, each with its gradient to its input only: the filters are frozen, so no gradient
 * to them is ever computed. Each is a `tf.customGrad`, so that convolution, bias and ReLU stay one fused kernel while
 * gradients are recorded (`tf.fused.conv2d` falls apart into three there).
 */
import { tf } from '../tf.js';

const POOL = 3;

/**
 * relu(x ∗ kernel + bias).
 * @param input float32 [B, H, W, in]
 * @param kernel float32 [height, width, in, out]
 * @param bias float32 [out]
 * @returns float32 [B, H', W', out]; the caller disposes it
 */
export function convolution(
  input: tf.Tensor4D,
  kernel: tf.Tensor4D,
  bias: tf.Tensor1D,
  strides: 1 | 2,
  pad: 'same' | 'valid',
): tf.Tensor4D {
  const attributes = { strides, pad, dataFormat: 'NHWC', dilations: [1, 1] };
  const run = tf.customGrad((x, save) => {
    const value = tf
      .engine()
      .runKernel(
        tf.FusedConv2D,
        { x: x as tf.Tensor, filter: kernel, bias },
        { ...attributes, activation: 'relu', leakyreluAlpha: 0 },
      ) as tf.Tensor4D;
    (save as tf.GradSaveFunc)([value]);
    const inputShape = input.shape;
    const gradFunc = (dy: tf.Tensor, saved: tf.Tensor[]) =>
      tf
        .engine()
        .runKernel(
          tf.Conv2DBackpropInput,
          { dy: tf.mul(dy, tf.step(saved[0])), filter: kernel },
          { ...attributes, inputShape },
        ) as tf.Tensor;
    return { value, gradFunc };
  });
  return run(input) as tf.Tensor4D;
}

/**
 * Maxima of 3 × 3 windows, stride 2, no padding.
 * @param input float32 [B, H, W, C]
 * @returns float32 [B, ⌊(H−3)/2⌋+1, ⌊(W−3)/2⌋+1, C]; the caller disposes it
 */
export function maxPool(input: tf.Tensor4D): tf.Tensor4D {
  const attributes = { filterSize: [POOL, POOL], strides: [2, 2], pad: 'valid' };
  const run = tf.customGrad((x, save) => {
    const value = tf.engine().runKernel(tf.MaxPool, { x: x as tf.Tensor }, attributes) as tf.Tensor4D;
    (save as tf.GradSaveFunc)([x as tf.Tensor, value]);
    const gradFunc = (dy: tf.Tensor, saved: tf.Tensor[]) =>
      tf.engine().runKernel(tf.MaxPoolGrad, { dy, input: saved[0], output: saved[1] }, attributes) as tf.Tensor;
    return { value, gradFunc };
  });
  return run(input) as tf.Tensor4D;
}

/** 1 / (number of pixels under each 3 × 3 window), [1, H, W, 1]: 1/9 inside, 1/6 at edges, 1/4 in corners. */
function inverseWindowCounts(height: number, width: number): tf.Tensor4D {
  const span = (i: number, n: number) => Math.min(i + 1, n - 1) - Math.max(i - 1, 0) + 1;
  const counts = Float32Array.from(
    { length: height * width },
    (_, i) => 1 / (span(Math.floor(i / width), height) * span(i % width, width)),
  );
  return tf.tensor4d(counts, [1, height, width, 1]);
}

/** Sums of 3 × 3 windows, stride 1, zeros outside. */
function windowSums(x: tf.Tensor4D): tf.Tensor {
  const padded = tf.pad(x, [
    [0, 0],
    [1, 1],
    [1, 1],
    [0, 0],
  ]); // prettier-ignore
  const attributes = { filterSize: [POOL, POOL], strides: [1, 1], pad: 'valid' };
  const means = tf.engine().runKernel(tf.AvgPool, { x: padded }, attributes) as tf.Tensor;
  return tf.mul(means, POOL * POOL);
}

/**
 * Means of 3 × 3 windows, stride 1, over the pixels inside the map only. tfjs' own gradient of this is wrong at the
 * border (it divides by 9 there too), hence sums, rescaled: the sum is its own transpose.
 * @param input float32 [B, H, W, C]
 * @returns float32 [B, H, W, C]; the caller disposes it
 */
export function averagePool(input: tf.Tensor4D): tf.Tensor4D {
  const [, height, width] = input.shape;
  const run = tf.customGrad((x) => {
    const value = tf.tidy(() => tf.mul(windowSums(x as tf.Tensor4D), inverseWindowCounts(height, width)));
    const gradFunc = (dy: tf.Tensor) => windowSums(tf.mul(dy, inverseWindowCounts(height, width)) as tf.Tensor4D);
    return { value, gradFunc };
  });
  return run(input) as tf.Tensor4D;
}

/**
 * Joins maps along their channels.
 * @param maps float32 [B, H, W, C_i]
 * @returns float32 [B, H, W, Σ C_i]; the caller disposes it
 */
export function joinChannels(maps: tf.Tensor4D[]): tf.Tensor4D {
  const run = tf.customGrad((...args) => {
    const inputs = args.slice(0, maps.length) as tf.Tensor4D[];
    const value = tf.concat(inputs, 3);
    const gradFunc = (dy: tf.Tensor) =>
      tf.split(
        dy,
        maps.map((map) => map.shape[3]),
        3,
      );
    return { value, gradFunc };
  });
  return run(...maps) as tf.Tensor4D;
}
