/** Gradients of depthwise convolution, which tfjs' WASM backend lacks. Float32, NHWC. */
import { tf } from '../tf.js';
import type { KernelArgs, OwnKernel } from './register.js';
import { pointerOf } from './wasmHeap.js';

function depthwiseInfo(
  xShape: number[],
  filterShape: number[],
  attrs: KernelArgs['attrs'],
): tf.backend_util.Conv2DInfo {
  return tf.backend_util.computeConv2DInfo(
    xShape as [number, number, number, number],
    filterShape as [number, number, number, number],
    attrs.strides as [number, number],
    (attrs.dilations as [number, number] | undefined) ?? 1,
    attrs.pad as 'valid' | 'same' | number | tf.backend_util.ExplicitPadding,
    attrs.dimRoundingMode as 'floor' | 'round' | 'ceil' | undefined,
    true,
  );
}

/** n, h, w, c, q, kh, kw, oh, ow, sh, sw, dh, dw, top, left. */
function geometry(info: tf.backend_util.Conv2DInfo): number[] {
  return [
    info.batchSize,
    info.inHeight,
    info.inWidth,
    info.inChannels,
    info.outChannels / info.inChannels,
    info.filterHeight,
    info.filterWidth,
    info.outHeight,
    info.outWidth,
    info.strideHeight,
    info.strideWidth,
    info.dilationHeight,
    info.dilationWidth,
    info.padInfo.top,
    info.padInfo.left,
  ];
}

const inputGradient: OwnKernel = (host, { inputs, attrs }) => {
  const { dy, filter } = inputs;
  const info = depthwiseInfo(attrs.inputShape as number[], filter.shape, attrs);
  const { backend } = host;
  const out = backend.makeOutput(info.inShape, 'float32');
  host.call('depthwiseInputGradient', [
    pointerOf(backend, dy),
    pointerOf(backend, filter),
    pointerOf(backend, out),
    ...geometry(info),
  ]);
  return out;
};

const filterGradient: OwnKernel = (host, { inputs, attrs }) => {
  const { x, dy } = inputs;
  const info = depthwiseInfo(x.shape, attrs.filterShape as number[], attrs);
  const { backend } = host;
  const out = backend.makeOutput(info.filterShape, 'float32');
  host.call('depthwiseFilterGradient', [
    pointerOf(backend, x),
    pointerOf(backend, dy),
    pointerOf(backend, out),
    ...geometry(info),
  ]);
  return out;
};

export const DEPTHWISE_KERNELS: Readonly<Record<string, OwnKernel>> = {
  [tf.DepthwiseConv2dNativeBackpropInput]: inputGradient,
  [tf.DepthwiseConv2dNativeBackpropFilter]: filterGradient,
};
