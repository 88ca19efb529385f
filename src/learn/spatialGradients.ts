/**
 * Gradients of the tfjs operations on images, which tfjs-core's build for Node leaves out: they call the gradient
 * kernels of the backend. Dilated convolution and resizing are left out: their gradient kernels are missing or wrong.
 */
import * as tf from '@tensorflow/tfjs-core';

type Tensor = tf.Tensor;
// biome-ignore lint/suspicious/noExplicitAny: each operation has attributes of its own.
type Attributes = any;

interface Rule {
  readonly inputsToSave: string[];
  readonly outputsToSave?: boolean[];
  readonly gradient: (dy: Tensor, saved: Tensor[], attributes: Attributes) => Record<string, () => Tensor>;
}

function kernel(name: string, inputs: Record<string, Tensor>, attributes: Attributes): Tensor {
  return tf.engine().runKernel(name, inputs, attributes) as Tensor;
}

function expectUndilated(name: string, dilations: number | number[] | undefined): void {
  if ([dilations ?? 1].flat().some((rate) => rate !== 1)) {
    throw new Error(`Expected dilations of 1 for the gradient of ${name} but received ${dilations}`);
  }
}

const RULES: Readonly<Record<string, Rule>> = {
  Conv2D: {
    inputsToSave: ['x', 'filter'],
    gradient: (dy, [x, filter], { strides, pad, dataFormat, dilations, dimRoundingMode }) => {
      expectUndilated('Conv2D', dilations);
      const common = { strides, pad, dataFormat, dimRoundingMode };
      return {
        x: () => kernel('Conv2DBackpropInput', { dy, filter }, { ...common, inputShape: x.shape }),
        filter: () => kernel('Conv2DBackpropFilter', { x, dy }, { ...common, filterShape: filter.shape }),
      };
    },
  },
  // Transposed convolution: its input is called dy, as the gradient's is.
  Conv2DBackpropInput: {
    inputsToSave: ['dy', 'filter'],
    gradient: (gradient, [dy, filter], { strides, pad, dataFormat, dimRoundingMode }) => {
      const common = { strides, pad, dataFormat, dimRoundingMode };
      return {
        dy: () => kernel('Conv2D', { x: gradient, filter }, { ...common, dilations: 1 }),
        filter: () => kernel('Conv2DBackpropFilter', { x: gradient, dy }, { ...common, filterShape: filter.shape }),
      };
    },
  },
  DepthwiseConv2dNative: {
    inputsToSave: ['x', 'filter'],
    gradient: (dy, [x, filter], { strides, pad, dilations, dimRoundingMode }) => {
      expectUndilated('DepthwiseConv2dNative', dilations);
      const common = { strides, pad, dilations: dilations ?? [1, 1], dimRoundingMode };
      const name = 'DepthwiseConv2dNativeBackprop';
      return {
        x: () => kernel(`${name}Input`, { dy, filter }, { ...common, inputShape: x.shape }),
        filter: () => kernel(`${name}Filter`, { x, dy }, { ...common, filterShape: filter.shape }),
      };
    },
  },
  MaxPool: {
    inputsToSave: ['x'],
    outputsToSave: [true],
    gradient: (dy, [input, output], attributes) => ({
      x: () => kernel('MaxPoolGrad', { dy, input, output }, attributes),
    }),
  },
  AvgPool: {
    inputsToSave: ['x'],
    gradient: (dy, [input], attributes) => ({ x: () => kernel('AvgPoolGrad', { dy, input }, attributes) }),
  },
};

for (const [kernelName, { gradient, ...rule }] of Object.entries(RULES)) {
  if (tf.getGradient(kernelName)) continue;
  tf.registerGradient({
    kernelName,
    ...rule,
    gradFunc: (dy: Tensor, saved: Tensor[], attributes: Attributes) => gradient(dy, saved, attributes),
  } as unknown as tf.GradConfig);
}
