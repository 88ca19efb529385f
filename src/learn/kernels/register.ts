/** Puts our kernels into tfjs' registry in front of its own, which stay reachable as fallbacks and for comparison. */
import { tf } from '../tf.js';
import type { KernelHost } from './kernelHost.js';
import type { WasmBackend } from './wasmHeap.js';

/** What tfjs calls a kernel with. */
export interface KernelArgs {
  readonly inputs: Record<string, tf.TensorInfo>;
  readonly attrs: Record<string, unknown>;
  readonly backend: WasmBackend;
}

/** tfjs' own kernel. */
export type StockKernel = (args: KernelArgs) => tf.TensorInfo | tf.TensorInfo[];

/**
 * A kernel of ours.
 * @returns undefined to leave the call to tfjs' own kernel (an attribute we do not cover, or where it is faster)
 */
export type OwnKernel = (
  host: KernelHost,
  args: KernelArgs,
  stock: StockKernel | undefined,
) => tf.TensorInfo | tf.TensorInfo[] | undefined;

const registered = new Map<string, StockKernel | undefined>();

/** Registers `kernels` by tfjs kernel name for the WASM backend. `host()` is asked at each call. */
export function registerKernels(kernels: Readonly<Record<string, OwnKernel>>, host: () => KernelHost): void {
  for (const [kernelName, own] of Object.entries(kernels)) {
    if (registered.has(kernelName)) continue;
    const stock = tf.getKernel(kernelName, 'wasm')?.kernelFunc as unknown as StockKernel | undefined;
    registered.set(kernelName, stock);
    if (stock) tf.unregisterKernel(kernelName, 'wasm');
    const kernelFunc = (args: KernelArgs): tf.TensorInfo | tf.TensorInfo[] => {
      const active = host();
      const result = active.stock && stock ? undefined : own(active, args, stock);
      if (result) return result;
      if (stock) return stock(args);
      throw new Error(`Expected attributes that ${kernelName} covers but received ${JSON.stringify(args.attrs)}`);
    };
    tf.registerKernel({ kernelName, backendName: 'wasm', kernelFunc: kernelFunc as unknown as tf.KernelFunc });
  }
}
