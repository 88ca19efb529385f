/** Operations of the U-Net that tfjs has no kernels for; convolutionLayer.ts and upsample.ts do without on other backends. */
import { tf } from '../tf.js';
import type { OwnKernel } from './register.js';
import { pointerOf } from './wasmHeap.js';

/** Names in tfjs' registry, which no kernel of its own has. */
export const RELU_GRADIENT = 'MetasimReluGradient';
export const UPSAMPLE_CONCAT = 'MetasimUpsampleConcat';
export const UPSAMPLE_CONCAT_GRADIENT = 'MetasimUpsampleConcatGradient';

const reluGradient: OwnKernel = (host, { inputs: { dy, y } }) => {
  const { backend } = host;
  const out = backend.makeOutput(y.shape, 'float32');
  const count = tf.util.sizeFromShape(y.shape);
  host.call('reluGradient', [pointerOf(backend, dy), pointerOf(backend, y), pointerOf(backend, out), count]);
  return out;
};

const upsampleConcat: OwnKernel = (host, { inputs: { low, skip } }) => {
  const { backend } = host;
  const [n, h, w, c] = low.shape;
  const s = skip.shape[3];
  const out = backend.makeOutput([n, 2 * h, 2 * w, c + s], 'float32');
  const pointers = [low, skip, out].map((tensor) => pointerOf(backend, tensor));
  host.call('upsampleConcat', [...pointers, n, h, w, c, s]);
  return out;
};

/** Of `low` and `skip`, in this order; `channels` are those of `low`. */
const upsampleConcatGradient: OwnKernel = (host, { inputs: { dy }, attrs }) => {
  const { backend } = host;
  const [n, doubleH, doubleW, all] = dy.shape;
  const [h, w, c] = [doubleH / 2, doubleW / 2, attrs.channels as number];
  const low = backend.makeOutput([n, h, w, c], 'float32');
  const skip = backend.makeOutput([n, doubleH, doubleW, all - c], 'float32');
  const pointers = [dy, low, skip].map((tensor) => pointerOf(backend, tensor));
  host.call('upsampleConcatGradient', [...pointers, n, h, w, c, all - c]);
  return [low, skip];
};

export const UNET_KERNELS: Readonly<Record<string, OwnKernel>> = {
  [RELU_GRADIENT]: reluGradient,
  [UPSAMPLE_CONCAT]: upsampleConcat,
  [UPSAMPLE_CONCAT_GRADIENT]: upsampleConcatGradient,
};
