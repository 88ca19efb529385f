/**
 * Gradients of pooling. tfjs' WASM MaxPoolGrad is wrong where a window's largest value is negative, and AvgPoolGrad
 * divides by the whole window at the border with SAME padding although the forward pass averages over what is inside.
 */
import { tf } from '../tf.js';
import type { KernelArgs, OwnKernel } from './register.js';
import { pointerOf } from './wasmHeap.js';

function poolInfo(shape: number[], attrs: KernelArgs['attrs']): tf.backend_util.Conv2DInfo {
  return tf.backend_util.computePool2DInfo(
    shape as [number, number, number, number],
    attrs.filterSize as [number, number],
    attrs.strides as [number, number],
    1,
    attrs.pad as 'valid' | 'same' | number | tf.backend_util.ExplicitPadding,
    attrs.dimRoundingMode as 'floor' | 'round' | 'ceil' | undefined,
  );
}

/** h, w, c, oh, ow, kh, kw, sh, sw, top, left. */
function geometry(info: tf.backend_util.Conv2DInfo): number[] {
  return [
    info.inHeight,
    info.inWidth,
    info.inChannels,
    info.outHeight,
    info.outWidth,
    info.filterHeight,
    info.filterWidth,
    info.strideHeight,
    info.strideWidth,
    info.padInfo.top,
    info.padInfo.left,
  ];
}

const maxPoolGradient: OwnKernel = (host, { inputs, attrs }) => {
  const { dy, input } = inputs;
  const info = poolInfo(input.shape, attrs);
  const { backend } = host;
  const out = backend.makeOutput(input.shape, 'float32');
  if (info.batchSize === 0) return out;
  const dyAt = pointerOf(backend, dy);
  const xAt = pointerOf(backend, input);
  const dxAt = pointerOf(backend, out);
  const outBytes = info.outHeight * info.outWidth * info.inChannels * 4;
  const inBytes = info.inHeight * info.inWidth * info.inChannels * 4;
  // A compare, a select and an add for each value of each window.
  const work = 3 * info.batchSize * (outBytes / 4) * info.filterHeight * info.filterWidth;
  host.split(work, info.batchSize, (first, last) => ({
    kernel: 'maxPoolGradient',
    args: [
      { kind: 'in', pointer: dyAt + first * outBytes, bytes: (last - first) * outBytes },
      { kind: 'in', pointer: xAt + first * inBytes, bytes: (last - first) * inBytes },
      { kind: 'out', pointer: dxAt + first * inBytes, bytes: (last - first) * inBytes },
      last - first,
      ...geometry(info),
    ],
  }));
  return out;
};

const avgPoolGradient: OwnKernel = (host, { inputs, attrs }) => {
  const { dy, input } = inputs;
  const info = poolInfo(input.shape, attrs);
  const { backend } = host;
  const out = backend.makeOutput(input.shape, 'float32');
  host.call('avgPoolGradient', [
    pointerOf(backend, dy),
    pointerOf(backend, out),
    { kind: 'scratch', bytes: info.inChannels * 4 },
    info.batchSize,
    ...geometry(info),
  ]);
  return out;
};

export const POOL_KERNELS: Readonly<Record<string, OwnKernel>> = {
  [tf.MaxPoolGrad]: maxPoolGradient,
  [tf.AvgPoolGrad]: avgPoolGradient,
};
