/**
 * Access to the memory of tfjs' WASM backend, in which our kernels work without copies. What is used here is the shape
 * of tfjs-backend-wasm 4.22 (the version is pinned): `wasm.asm.memory`, `_malloc`, `_free` and the map of tensors.
 */
import { KernelError } from '../../errors.js';
import { tf } from '../tf.js';

/** The parts of tfjs' `BackendWasm` that kernels use. */
export interface WasmBackend {
  readonly wasm: {
    readonly asm: { readonly memory: WebAssembly.Memory };
    readonly HEAPU8: Uint8Array;
    _malloc(bytes: number): number;
    _free(pointer: number): void;
  };
  readonly dataIdMap: { get(dataId: object): { memoryOffset: number } };
  makeOutput(shape: number[], dtype: tf.DataType): tf.TensorInfo;
  disposeData(dataId: object): boolean;
  /** One more tensor shares the data. */
  incRef(dataId: object): void;
}

/** The backend `tf` computes on now. @throws KernelError when it is not tfjs-backend-wasm as we know it */
export function wasmBackend(): WasmBackend {
  const backend = tf.backend() as unknown as Partial<WasmBackend>;
  if (!(backend.wasm?.asm?.memory instanceof WebAssembly.Memory) || !backend.wasm._malloc || !backend.dataIdMap) {
    throw new KernelError(
      `Expected tfjs-backend-wasm 4.22 for the active backend but received "${tf.getBackend()}" without its memory`,
    );
  }
  return backend as WasmBackend;
}

/** Byte offset of a tensor's data in the backend's memory. */
export function pointerOf(backend: WasmBackend, tensor: tf.TensorInfo): number {
  return backend.dataIdMap.get(tensor.dataId).memoryOffset >>> 0;
}

/** One growing piece of the backend's heap for what a kernel needs while it runs. Kernels run one at a time. */
export class Scratch {
  readonly #backend: WasmBackend;
  #pointer = 0;
  #bytes = 0;

  constructor(backend: WasmBackend) {
    this.#backend = backend;
  }

  /** A pointer to at least `bytes` bytes, valid until the next call. @throws KernelError when the heap is full */
  reserve(bytes: number): number {
    if (bytes <= this.#bytes) return this.#pointer;
    this.release();
    const wanted = Math.ceil((bytes * 1.25) / 65536) * 65536;
    this.#pointer = this.#backend.wasm._malloc(wanted) >>> 0;
    if (this.#pointer === 0) throw new KernelError(`Expected ${wanted} free bytes of WASM memory for a kernel`);
    this.#bytes = wanted;
    return this.#pointer;
  }

  release(): void {
    if (this.#bytes > 0) this.#backend.wasm._free(this.#pointer);
    this.#pointer = 0;
    this.#bytes = 0;
  }
}
