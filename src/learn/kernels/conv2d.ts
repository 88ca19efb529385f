/** Conv2D, FusedConv2D and their gradients on assembly/learn/conv2d*.ts. Float32, NHWC, dilation 1. */
import { tf } from '../tf.js';
import { ACTIVATIONS } from './activation.js';
import type { Pointer } from './helpers.js';
import type { KernelHost } from './kernelHost.js';
import type { KernelArgs, OwnKernel } from './register.js';
import { pointerOf } from './wasmHeap.js';

type ConvInfo = tf.backend_util.Conv2DInfo;
type Pad = 'valid' | 'same' | number | tf.backend_util.ExplicitPadding;

function convInfo(xShape: number[], filterShape: number[], attrs: KernelArgs['attrs']): ConvInfo | undefined {
  if (attrs.dataFormat === 'NCHW') return undefined;
  const info = tf.backend_util.computeConv2DInfo(
    xShape as [number, number, number, number],
    filterShape as [number, number, number, number],
    attrs.strides as [number, number],
    (attrs.dilations as [number, number] | undefined) ?? 1,
    attrs.pad as Pad,
    attrs.dimRoundingMode as 'floor' | 'round' | 'ceil' | undefined,
  );
  return info.dilationHeight === 1 && info.dilationWidth === 1 ? info : undefined;
}

/** Floating-point operations of the convolution and of each of its gradients. */
function work(info: ConvInfo): number {
  const taps = info.filterHeight * info.filterWidth * info.inChannels;
  return 2 * info.batchSize * info.outHeight * info.outWidth * info.outChannels * taps;
}

function bytesOfImage(info: ConvInfo, side: 'in' | 'out'): number {
  return (
    4 *
    (side === 'in' ? info.inHeight * info.inWidth * info.inChannels : info.outHeight * info.outWidth * info.outChannels)
  );
}

/** h, w, c, kh, kw, oc, oh, ow, sh, sw, top, left: the order of the kernels' arguments. */
function geometry(info: ConvInfo): number[] {
  return [
    info.inHeight,
    info.inWidth,
    info.inChannels,
    info.filterHeight,
    info.filterWidth,
    info.outChannels,
    info.outHeight,
    info.outWidth,
    info.strideHeight,
    info.strideWidth,
    info.padInfo.top,
    info.padInfo.left,
  ];
}

function forward(
  host: KernelHost,
  info: ConvInfo,
  inputs: { x: tf.TensorInfo; filter: tf.TensorInfo; bias?: tf.TensorInfo },
  activation: number,
): tf.TensorInfo {
  const { backend } = host;
  const out = backend.makeOutput(info.outShape, 'float32');
  const x = pointerOf(backend, inputs.x);
  const y = pointerOf(backend, out);
  const filter = whole(host, inputs.filter);
  const bias = inputs.bias ? whole(host, inputs.bias) : 0;
  const scratch = host.ask('conv2dScratch', ...geometry(info));
  const inBytes = bytesOfImage(info, 'in');
  const outBytes = bytesOfImage(info, 'out');
  host.split(work(info), info.batchSize, (first, last) => ({
    kernel: 'conv2d',
    args: [
      { kind: 'in', pointer: x + first * inBytes, bytes: (last - first) * inBytes },
      filter,
      bias,
      { kind: 'out', pointer: y + first * outBytes, bytes: (last - first) * outBytes },
      { kind: 'scratch', bytes: scratch },
      last - first,
      ...geometry(info),
      activation,
    ],
  }));
  return out;
}

/** A tensor that every part reads whole. */
function whole(host: KernelHost, tensor: tf.TensorInfo): Pointer {
  return { kind: 'in', pointer: pointerOf(host.backend, tensor), bytes: 4 * tf.util.sizeFromShape(tensor.shape) };
}

const conv2d: OwnKernel = (host, { inputs, attrs }) => {
  const info = convInfo(inputs.x.shape, inputs.filter.shape, attrs);
  if (!info || isEmpty(info)) return undefined;
  return forward(host, info, { x: inputs.x, filter: inputs.filter }, ACTIVATIONS.linear);
};

const fusedConv2d: OwnKernel = (host, { inputs, attrs }) => {
  const info = convInfo(inputs.x.shape, inputs.filter.shape, attrs);
  const activation = ACTIVATIONS[(attrs.activation as string | undefined) ?? 'linear'];
  if (!info || isEmpty(info) || activation === undefined) return undefined;
  const { x, filter, bias } = inputs;
  if (bias && tf.util.sizeFromShape(bias.shape) !== info.outChannels) return undefined;
  return forward(host, info, { x, filter, bias }, activation);
};

/**
 * As a convolution the gradient costs h · w windows, as columns added to windows oh · ow and the additions. So the
 * former where there are channels enough for tiles and the image hardly shrinks.
 */
function inputGradientAsConvolution(info: ConvInfo): boolean {
  return (
    info.strideHeight === 1 &&
    info.strideWidth === 1 &&
    info.inChannels >= 8 &&
    info.inHeight * info.inWidth <= 1.1 * info.outHeight * info.outWidth &&
    info.padInfo.top < info.filterHeight &&
    info.padInfo.left < info.filterWidth
  );
}

/** Conv2DBackpropInput. */
const inputGradient: OwnKernel = (host, { inputs, attrs }) => {
  const info = convInfo(attrs.inputShape as number[], inputs.filter.shape, attrs);
  if (!info || isEmpty(info)) return undefined;
  const { backend } = host;
  const out = backend.makeOutput(info.inShape, 'float32');
  const dy = pointerOf(backend, inputs.dy);
  const dx = pointerOf(backend, out);
  const filter = whole(host, inputs.filter);
  const inBytes = bytesOfImage(info, 'in');
  const outBytes = bytesOfImage(info, 'out');
  const asConvolution = inputGradientAsConvolution(info);
  const [h, w, c, kh, kw, oc, oh, ow, , , top, left] = geometry(info);
  const scratch = asConvolution
    ? host.ask('conv2dScratch', oh, ow, oc, kh, kw, c, h, w, 1, 1, kh - 1 - top, kw - 1 - left)
    : host.ask('conv2dInputGradientStridedScratch', ...geometry(info));
  const shape = asConvolution ? [h, w, c, kh, kw, oc, oh, ow, top, left] : geometry(info);
  host.split(work(info), info.batchSize, (first, last) => ({
    kernel: asConvolution ? 'conv2dInputGradient' : 'conv2dInputGradientStrided',
    args: [
      { kind: 'in', pointer: dy + first * outBytes, bytes: (last - first) * outBytes },
      filter,
      { kind: 'out', pointer: dx + first * inBytes, bytes: (last - first) * inBytes },
      { kind: 'scratch', bytes: scratch },
      last - first,
      ...shape,
    ],
  }));
  return out;
};

/** Conv2DBackpropFilter, which tfjs' WASM backend lacks. Threads split its rows: sums keep their order. */
const filterGradient: OwnKernel = (host, { inputs, attrs }) => {
  const info = convInfo(inputs.x.shape, attrs.filterShape as number[], attrs);
  if (!info || isEmpty(info)) return undefined;
  const { backend } = host;
  const out = backend.makeOutput(info.filterShape, 'float32');
  const dw = pointerOf(backend, out);
  const { inChannels: c, outChannels: oc, filterHeight: kh, filterWidth: kw } = info;
  const rowOf = (tile: number) => host.ask('conv2dFilterGradientFirstRow', c, kh, kw, tile);
  const x = whole(host, inputs.x);
  const dy = whole(host, inputs.dy);
  host.split(work(info), host.ask('conv2dFilterGradientTileRows', c, kh, kw), (first, last) => ({
    kernel: 'conv2dFilterGradient',
    args: [
      x,
      dy,
      { kind: 'out', pointer: dw + rowOf(first) * oc * 4, bytes: (rowOf(last) - rowOf(first)) * oc * 4 },
      { kind: 'scratch', bytes: host.ask('conv2dFilterGradientScratch', ...geometry(info), first, last) },
      info.batchSize,
      ...geometry(info),
      first,
      last,
    ],
  }));
  return out;
};

function isEmpty(info: ConvInfo): boolean {
  return info.batchSize * info.outHeight * info.outWidth * info.outChannels * info.inChannels <= 0;
}

export const CONV2D_KERNELS: Readonly<Record<string, OwnKernel>> = {
  [tf.Conv2D]: conv2d,
  [tf.FusedConv2D]: fusedConv2d,
  [tf.Conv2DBackpropInput]: inputGradient,
  [tf.Conv2DBackpropFilter]: filterGradient,
};
