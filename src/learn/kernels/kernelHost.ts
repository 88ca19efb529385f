/**
 * Calls build/learn.wasm on the WASM backend's memory: places scratch, and hands parts of large operations to helper
 * threads. One exists while the backend is active (backend.ts).
 */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { KernelError } from '../../errors.js';
import { HelperThreads, type Part, type Pointer } from './helpers.js';
import { Scratch, type WasmBackend } from './wasmHeap.js';

type Exports = Record<string, (...args: number[]) => number>;

/** Floating-point operations from which waking a helper and copying its share costs less than it saves. */
const THREAD_THRESHOLD = 3e6;

export class KernelHost {
  readonly backend: WasmBackend;
  readonly #exports: Exports;
  readonly #scratch: Scratch;
  #helpers: HelperThreads | undefined;
  /** While true, tfjs' own kernels run where they exist (benches compare the two). */
  stock = false;

  constructor(backend: WasmBackend) {
    this.backend = backend;
    const module = new WebAssembly.Module(readWasm('learn.wasm'));
    this.#exports = new WebAssembly.Instance(module, { env: { memory: backend.wasm.asm.memory } }).exports as Exports;
    this.#scratch = new Scratch(backend);
  }

  /** Threads that compute: this one and its helpers. */
  get threads(): number {
    return 1 + (this.#helpers?.count ?? 0);
  }

  /** Changes the number of threads. */
  async setThreads(threads: number): Promise<void> {
    if (threads === this.threads) return;
    await this.#helpers?.close();
    this.#helpers = undefined;
    if (threads > 1) {
      const module = new WebAssembly.Module(readWasm('learn.shared.wasm'));
      this.#helpers = await HelperThreads.start(module, threads - 1);
    }
  }

  async close(): Promise<void> {
    await this.setThreads(1);
    this.#scratch.release();
  }

  /** A pure function of the module, such as the size of a kernel's scratch. */
  ask(name: string, ...args: number[]): number {
    return this.#exports[name](...args) >>> 0;
  }

  /** Calls one kernel on this thread. */
  call(kernel: string, args: readonly (number | Pointer)[]): void {
    let scratch = 0;
    for (const arg of args)
      if (typeof arg !== 'number' && arg.kind === 'scratch') scratch = this.#scratch.reserve(arg.bytes);
    this.#exports[kernel](
      ...args.map((arg) => (typeof arg === 'number' ? arg : arg.kind === 'scratch' ? scratch : arg.pointer)),
    );
  }

  /**
   * Runs an operation that can be split.
   * @param work its floating-point operations
   * @param units how many units it can be split into (images, rows)
   * @param part the call for units [first, last)
   */
  split(work: number, units: number, part: (first: number, last: number) => Part): void {
    const threads = work < THREAD_THRESHOLD ? 1 : Math.min(this.threads, units);
    if (threads === 1 || !this.#helpers) {
      const { kernel, args } = part(0, units);
      this.call(kernel, args);
      return;
    }
    const bound = (i: number) => Math.round((i * units) / threads);
    const own = part(0, bound(1));
    const others: Part[] = [];
    for (let i = 1; i < threads; i++) others.push(part(bound(i), bound(i + 1)));
    const here = ({ kernel, args }: Part) => this.call(kernel, args);
    this.#helpers.run(this.backend, others, () => here(own), here);
  }
}

function readWasm(name: string): Uint8Array<ArrayBuffer> {
  const url = new URL(`../../../build/${name}`, import.meta.url);
  try {
    return new Uint8Array(readFileSync(url));
  } catch (cause) {
    throw new KernelError(`Expected the learning kernels at ${fileURLToPath(url)} (npm run build:wasm builds them)`, {
      cause,
    });
  }
}
