import { RELU_GRADIENT } from './kernels/unet.js';
import { tf } from './tf.js';

export interface ConvolutionOptions {
  readonly pad: 'same' | 'valid';
  readonly activation: 'linear' | 'relu';
  /** Whether a gradient for `x` is wanted; that of images is not, and costs a convolution. */
  readonly inputGradient: boolean;
}

/**
 * activation(x ⋆ filter + bias), stride 1, with its gradients. One kernel forward and no pass of its own for the
 * activation, where `tf.fused.conv2d` under a gradient takes three and always computes the gradient of its input.
 * @param x [N, H, W, C] float32
 * @param filter [KH, KW, C, O], bias [O]
 * @returns [N, H′, W′, O]; the caller disposes it
 */
export function convolutionLayer(
  x: tf.Tensor4D,
  filter: tf.Tensor,
  bias: tf.Tensor,
  { pad, activation, inputGradient }: ConvolutionOptions,
): tf.Tensor4D {
  const attributes = { strides: [1, 1], pad, dataFormat: 'NHWC', dilations: [1, 1] };
  const run = (kernel: string, inputs: tf.NamedTensorMap, more: object) =>
    tf.engine().runKernel(kernel, inputs, { ...attributes, ...more } as tf.NamedAttrMap) as tf.Tensor4D;
  const forward = (image: tf.Tensor, weights: tf.Tensor, offset: tf.Tensor) =>
    run(tf.FusedConv2D, { x: image, filter: weights, bias: offset }, { activation });
  const backward = (dy: tf.Tensor, image: tf.Tensor, weights: tf.Tensor, y: tf.Tensor) => {
    const own = activation === 'relu' ? reluGradient(dy, y) : dy;
    return {
      filter: run(tf.Conv2DBackpropFilter, { x: image, dy: own }, { filterShape: weights.shape }),
      bias: tf.sum(own, [0, 1, 2]),
      image: () => run(tf.Conv2DBackpropInput, { dy: own, filter: weights }, { inputShape: image.shape }),
    };
  };
  if (!inputGradient) {
    const operation = tf.customGrad((weights, offset, save) => {
      const y = forward(x, weights as tf.Tensor, offset as tf.Tensor);
      (save as tf.GradSaveFunc)([weights as tf.Tensor, y]);
      const gradFunc = (dy: tf.Tensor, [savedWeights, savedY]: tf.Tensor[]) => {
        const gradient = backward(dy, x, savedWeights, savedY);
        return [gradient.filter, gradient.bias];
      };
      return { value: y, gradFunc };
    });
    return operation(filter, bias) as tf.Tensor4D;
  }
  const operation = tf.customGrad((image, weights, offset, save) => {
    const y = forward(image as tf.Tensor, weights as tf.Tensor, offset as tf.Tensor);
    (save as tf.GradSaveFunc)([image as tf.Tensor, weights as tf.Tensor, y]);
    const gradFunc = (dy: tf.Tensor, [savedImage, savedWeights, savedY]: tf.Tensor[]) => {
      const gradient = backward(dy, savedImage, savedWeights, savedY);
      return [gradient.image(), gradient.filter, gradient.bias];
    };
    return { value: y, gradFunc };
  });
  return operation(x, filter, bias) as tf.Tensor4D;
}

/** dy where the output y of a ReLU is above 0, else 0. */
export function reluGradient(dy: tf.Tensor, y: tf.Tensor): tf.Tensor {
  if (!tf.getKernel(RELU_GRADIENT, tf.getBackend())) return tf.mul(dy, tf.step(y));
  return tf.engine().runKernel(RELU_GRADIENT, { dy, y });
}
