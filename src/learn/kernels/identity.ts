/** Identity: tfjs' WASM backend copies the values, its others share them; gradients save a clone of every tensor. */
import { tf } from '../tf.js';
import type { OwnKernel } from './register.js';

const identity: OwnKernel = ({ backend }, { inputs: { x } }) => {
  if (x.dtype === 'string') return undefined;
  backend.incRef(x.dataId);
  return { dataId: x.dataId, shape: x.shape, dtype: x.dtype };
};

export const IDENTITY_KERNELS: Readonly<Record<string, OwnKernel>> = { [tf.Identity]: identity };
