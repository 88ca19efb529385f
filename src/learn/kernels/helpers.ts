/**
 * Helper threads for large kernels. The tensors live in the WASM backend's memory, which is not shared; a helper's share
 * of the inputs is copied into an arena of shared memory, and its outputs back (measured: about 1 % of the time of a
 * convolution). The owner computes the first part itself meanwhile. The handshake is synchronous, as tfjs kernels are.
 */
import { Worker } from 'node:worker_threads';
import { KernelError } from '../../errors.js';
import {
  ARGUMENT_COUNT,
  ARGUMENTS,
  CLAIMED,
  CONTROL_WORDS,
  DONE,
  type HelperData,
  KERNEL,
  POSTED,
  STATE,
  STATUS,
  STOP,
  THREADED_KERNELS,
  type ThreadedKernel,
} from './protocol.js';
import type { WasmBackend } from './wasmHeap.js';

/** An argument that is a pointer: where it lies in the backend's memory, and what a helper must copy. */
export type Pointer =
  | { readonly kind: 'in'; readonly pointer: number; readonly bytes: number }
  | { readonly kind: 'out'; readonly pointer: number; readonly bytes: number }
  | { readonly kind: 'scratch'; readonly bytes: number };

/** One call of a kernel. Parts of one operation read what they like and write to disjoint outputs. */
export interface Part {
  readonly kernel: ThreadedKernel;
  readonly args: readonly (number | Pointer)[];
}

interface Helper {
  readonly worker: Worker;
  readonly control: Int32Array;
}

const PAGE = 65536;
const MAX_PAGES = 32768;
/** A job takes milliseconds; a helper that is silent for so long is gone. */
const SILENCE_MS = 60_000;

export class HelperThreads {
  readonly #helpers: Helper[] = [];
  readonly #memory: WebAssembly.Memory;
  #bytes: Uint8Array;

  private constructor(memory: WebAssembly.Memory) {
    this.#memory = memory;
    this.#bytes = new Uint8Array(memory.buffer);
  }

  /**
   * Starts `count` helpers; resolves when they wait for work. They never keep the process alive.
   * @param module build/learn.shared.wasm, compiled
   */
  static async start(module: WebAssembly.Module, count: number): Promise<HelperThreads> {
    const memory = new WebAssembly.Memory({ initial: 16, maximum: MAX_PAGES, shared: true });
    const threads = new HelperThreads(memory);
    const typescript = import.meta.url.endsWith('.ts');
    const url = new URL(`./helper.${typescript ? 'ts' : 'js'}`, import.meta.url);
    const ready: Promise<void>[] = [];
    for (let i = 0; i < count; i++) {
      const control = new Int32Array(new SharedArrayBuffer(CONTROL_WORDS * 4));
      control[STATE] = DONE;
      const workerData: HelperData = { module, memory, control };
      const worker = typescript
        ? new Worker(sourceLoader(url), { workerData, eval: true, execArgv: [] })
        : new Worker(url, { workerData, execArgv: [] });
      threads.#helpers.push({ worker, control });
      ready.push(
        new Promise((resolve, reject) => {
          worker.once('error', reject);
          worker.once('exit', () =>
            reject(new KernelError('Expected a running helper thread but it ended at its start')),
          );
          worker.once('message', () => resolve());
        }),
      );
    }
    try {
      await Promise.all(ready);
    } catch (error) {
      await threads.close();
      throw error;
    }
    for (const { worker, control } of threads.#helpers) {
      worker.removeAllListeners('exit');
      worker.on('error', () => Atomics.store(control, STATUS, 1));
      worker.unref();
    }
    return threads;
  }

  /** Helpers, not counting the thread that owns the tensors. */
  get count(): number {
    return this.#helpers.length;
  }

  /**
   * Runs `own` on this thread while helper i runs `parts[i]`; returns when all are done. A part that no helper has begun
   * by then is given to `instead`.
   * @throws KernelError when a helper trapped or does not answer
   */
  run(backend: WasmBackend, parts: readonly Part[], own: () => void, instead: (part: Part) => void): void {
    const { args, inputs, outputs } = this.#place(parts);
    const heap = backend.wasm.HEAPU8;
    for (const { pointer, bytes, at } of inputs) this.#bytes.set(heap.subarray(pointer, pointer + bytes), at);
    const posted = parts.map((part, i) =>
      this.#post(this.#helpers[i].control, THREADED_KERNELS.indexOf(part.kernel), args[i]),
    );
    own();
    for (let i = 0; i < parts.length; i++) {
      if (this.#takeBack(this.#helpers[i].control, posted[i])) {
        instead(parts[i]);
        continue;
      }
      this.#await(this.#helpers[i].control, posted[i], parts[i].kernel);
      // The view of the heap may have been replaced by now.
      const current = backend.wasm.HEAPU8;
      for (const { pointer, bytes, at } of outputs[i]) current.set(this.#bytes.subarray(at, at + bytes), pointer);
    }
  }

  /** Ends the helpers. */
  async close(): Promise<void> {
    for (const { control } of this.#helpers) this.#post(control, STOP, []);
    await Promise.all(this.#helpers.splice(0).map(({ worker }) => worker.terminate()));
  }

  /** @returns the state that says so */
  #post(control: Int32Array, kernel: number, args: readonly number[]): number {
    control[KERNEL] = kernel;
    control[ARGUMENT_COUNT] = args.length;
    control.set(args, ARGUMENTS);
    const job = (Atomics.load(control, STATE) >> 2) + 1;
    const state = (job << 2) + POSTED;
    Atomics.store(control, STATE, state);
    Atomics.notify(control, STATE);
    return state;
  }

  #takeBack(control: Int32Array, posted: number): boolean {
    return Atomics.compareExchange(control, STATE, posted, posted + DONE) === posted;
  }

  #await(control: Int32Array, posted: number, kernel: string): void {
    while (Atomics.load(control, STATE) !== posted + DONE) {
      if (Atomics.wait(control, STATE, posted + CLAIMED, SILENCE_MS) === 'timed-out') {
        throw new KernelError(`Expected an answer from a helper thread for ${kernel} but received none`);
      }
    }
    if (control[STATUS] !== 0) {
      throw new KernelError(`Expected ${kernel} to succeed in a helper thread but it trapped`);
    }
  }

  /** Gives every pointer a place in the arena; an input that several parts read gets one. */
  #place(parts: readonly Part[]) {
    const inputs: { pointer: number; bytes: number; at: number }[] = [];
    const outputs: { pointer: number; bytes: number; at: number }[][] = parts.map(() => []);
    let end = 64;
    const take = (bytes: number) => {
      const at = end;
      // 64 bytes apart: kernels may read a few floats beyond an input, and threads share no cache line.
      end = (end + bytes + 127) & ~63;
      return at;
    };
    const args = parts.map((part, i) =>
      part.args.map((arg) => {
        if (typeof arg === 'number') return arg;
        if (arg.kind === 'scratch') return take(arg.bytes);
        if (arg.kind === 'out') {
          const at = take(arg.bytes);
          outputs[i].push({ pointer: arg.pointer, bytes: arg.bytes, at });
          return at;
        }
        let input = inputs.find(({ pointer, bytes }) => pointer === arg.pointer && bytes >= arg.bytes);
        if (!input) {
          input = { pointer: arg.pointer, bytes: arg.bytes, at: take(arg.bytes) };
          inputs.push(input);
        }
        return input.at;
      }),
    );
    this.#grow(end);
    return { args, inputs, outputs };
  }

  #grow(bytes: number): void {
    const missing = Math.ceil(bytes / PAGE) - this.#memory.buffer.byteLength / PAGE;
    if (missing > 0) {
      const pages = Math.min(Math.ceil(missing * 1.25), MAX_PAGES - this.#memory.buffer.byteLength / PAGE);
      if (pages < missing)
        throw new KernelError(`Expected at most ${MAX_PAGES * PAGE} bytes for the arena but received ${bytes}`);
      this.#memory.grow(pages);
      this.#bytes = new Uint8Array(this.#memory.buffer);
    }
  }
}

/** A script that loads a TypeScript file: under Node 20 tsx's hooks do not reach a worker's entry file by themselves. */
function sourceLoader(url: URL): string {
  const tsx = import.meta.resolve('tsx/esm/api');
  return `import(${JSON.stringify(tsx)}).then((tsx) => { tsx.register(); return import(${JSON.stringify(url.href)}); })`;
}
