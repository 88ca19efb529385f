/** UnsortedSegmentSum (the gradient of gather), which tfjs' WASM backend lacks, and sums over leading axes (of a bias). */
import { tf } from '../tf.js';
import type { OwnKernel } from './register.js';
import { pointerOf } from './wasmHeap.js';

const unsortedSegmentSum: OwnKernel = (host, { inputs, attrs }) => {
  const { x, segmentIds } = inputs;
  if (x.dtype !== 'float32' || segmentIds.dtype !== 'int32') return undefined;
  const segments = attrs.numSegments as number;
  const rows = tf.util.sizeFromShape(segmentIds.shape);
  const inner = x.shape.slice(segmentIds.shape.length);
  const { backend } = host;
  const out = backend.makeOutput([segments, ...inner], 'float32');
  host.call('segmentSum', [
    pointerOf(backend, x),
    pointerOf(backend, segmentIds),
    pointerOf(backend, out),
    rows,
    tf.util.sizeFromShape(inner),
    segments,
  ]);
  return out;
};

/** Sum over the first axes: tfjs transposes first, which costs five times the sum. Other axes are left to it. */
const sum: OwnKernel = (host, { inputs, attrs }) => {
  const { x } = inputs;
  if (x.dtype !== 'float32') return undefined;
  const axes = tf.util.parseAxisParam(attrs.axis as number | number[], x.shape).sort((a, b) => a - b);
  if (axes.length === 0 || axes.length === x.shape.length || axes.some((axis, i) => axis !== i)) return undefined;
  const rows = tf.util.sizeFromShape(x.shape.slice(0, axes.length));
  const inner = x.shape.slice(axes.length);
  const width = tf.util.sizeFromShape(inner);
  if (rows * width === 0) return undefined;
  const { backend } = host;
  const out = backend.makeOutput(attrs.keepDims ? [...axes.map(() => 1), ...inner] : inner, 'float32');
  host.call('rowSum', [
    pointerOf(backend, x),
    pointerOf(backend, out),
    { kind: 'scratch', bytes: width * 4 },
    rows,
    width,
  ]);
  return out;
};

export const SUM_KERNELS: Readonly<Record<string, OwnKernel>> = {
  [tf.UnsortedSegmentSum]: unsortedSegmentSum,
  [tf.Sum]: sum,
};
