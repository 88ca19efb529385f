/**
 * Chooses what tfjs computes on, best first: TensorFlow on a GPU (optional dependency), tfjs' WASM backend with our
 * kernels in front of it, plain JavaScript. See docs of `initBackend`.
 */
import { createRequire } from 'node:module';
import { availableParallelism } from 'node:os';
import { dirname, sep } from 'node:path';
import { ConfigError, KernelError } from '../errors.js';
import { registerAvgPoolGradientCpu } from './kernels/avgPoolGradientCpu.js';
import { CONV2D_KERNELS } from './kernels/conv2d.js';
import { DEPTHWISE_KERNELS } from './kernels/depthwise.js';
import { IDENTITY_KERNELS } from './kernels/identity.js';
import { KernelHost } from './kernels/kernelHost.js';
import { MAT_MUL_KERNELS } from './kernels/matMul.js';
import { POOL_KERNELS } from './kernels/pool.js';
import { registerKernels } from './kernels/register.js';
import { SUM_KERNELS } from './kernels/sums.js';
import { UNET_KERNELS } from './kernels/unet.js';
import { wasmBackend } from './kernels/wasmHeap.js';
import { tf } from './tf.js';

/** `gpu` is TensorFlow through tfjs-node-gpu, `wasm` tfjs-backend-wasm with our kernels, `cpu` plain JavaScript. */
export type BackendKind = 'gpu' | 'wasm' | 'cpu';

export interface BackendOptions {
  /** The backend wanted. `auto` takes the best that works; a named one falls back to the next when it does not work. */
  readonly prefer?: BackendKind | 'auto';
  /**
   * Threads for large WASM kernels, this one included: 1 to 64, or `all` for one a processor (at most 64). Results do
   * not depend on it. Default 1.
   */
  readonly threads?: number | 'all';
}

export interface BackendInfo {
  readonly backend: BackendKind;
  /** tfjs' own name: `tensorflow`, `wasm` or `cpu`. */
  readonly tfjsName: string;
  /** Threads that compute WASM kernels; 1 for other backends (TensorFlow has its own). */
  readonly threads: number;
  /** What it computes on, in words. */
  readonly description: string;
  /** Each backend that stands before this one, and why it is not active. */
  readonly rejected: readonly { readonly backend: BackendKind; readonly reason: string }[];
}

const ORDER: readonly BackendKind[] = ['gpu', 'wasm', 'cpu'];

const MAX_THREADS = 64;

let host: KernelHost | undefined;
let info: BackendInfo | undefined;

/**
 * Makes a backend active. May be called again, to change the threads or the backend; tensors of another backend move
 * when they are used.
 * @throws ConfigError on unknown options, KernelError when no backend works
 */
export async function initBackend(options: BackendOptions = {}): Promise<BackendInfo> {
  const { prefer = 'auto' } = options;
  const threads = options.threads === 'all' ? Math.min(MAX_THREADS, availableParallelism()) : (options.threads ?? 1);
  if (prefer !== 'auto' && !ORDER.includes(prefer)) {
    throw new ConfigError(`Expected one of auto, ${ORDER.join(', ')} for prefer but received ${String(prefer)}`);
  }
  if (!Number.isInteger(threads) || threads < 1 || threads > MAX_THREADS) {
    throw new ConfigError(
      `Expected an integer between 1 and ${MAX_THREADS}, or "all", for threads but received ${String(threads)}`,
    );
  }
  // Without it the cpu backend, part of the WASM one, prints a banner; nothing else changes but debugging checks.
  tf.enableProdMode();
  const candidates = prefer === 'auto' ? ORDER : ORDER.slice(ORDER.indexOf(prefer));
  const rejected: { backend: BackendKind; reason: string }[] = [];
  for (const backend of ORDER) {
    if (!candidates.includes(backend)) {
      rejected.push({ backend, reason: `${prefer} was asked for` });
      continue;
    }
    try {
      const description = await START[backend](threads);
      const active = backend === 'wasm' ? (host as KernelHost).threads : 1;
      info = { backend, tfjsName: tf.getBackend(), threads: active, description, rejected };
      return info;
    } catch (error) {
      rejected.push({ backend, reason: reasonOf(error) });
    }
  }
  throw new KernelError(
    `Expected a backend to compute on but received none: ${rejected.map((r) => `${r.backend}: ${r.reason}`).join('; ')}`,
  );
}

/** What `initBackend` chose last; undefined before. */
export function backendInfo(): BackendInfo | undefined {
  return info;
}

/** Ends helper threads and gives scratch memory back. Tensors stay; `initBackend` starts again. */
export async function disposeBackend(): Promise<void> {
  await host?.close();
  info = undefined;
}

/**
 * Runs `work` with tfjs' own WASM kernels wherever they exist: what benches and tests compare with.
 * No effect on other backends.
 */
export function withStockKernels<T>(work: () => T): T {
  if (!host) return work();
  const before = host.stock;
  host.stock = true;
  try {
    return work();
  } finally {
    host.stock = before;
  }
}

const START: Readonly<Record<BackendKind, (threads: number) => Promise<string>>> = {
  gpu: startGpu,
  wasm: startWasm,
  cpu: startCpu,
};

async function startGpu(): Promise<string> {
  // tfjs-node 4.22 calls functions that newer Node versions no longer have.
  const require = createRequire(import.meta.url);
  const util = require('node:util') as Record<string, unknown>;
  util.isNullOrUndefined ??= (value: unknown) => value === null || value === undefined;
  util.isArray ??= Array.isArray;
  const name = '@tensorflow/tfjs-node-gpu';
  try {
    require.resolve(name);
  } catch {
    throw new Error(`${name} is not installed (an optional dependency; its installer downloads libtensorflow)`);
  }
  await import(name);
  if (!(await tf.setBackend('tensorflow'))) throw new Error('TensorFlow could not be started');
  const native = tf.backend() as unknown as { isGPUPackage?: boolean; isUsingGpuDevice?: boolean };
  if (native.isUsingGpuDevice === false) throw new Error('TensorFlow finds no GPU');
  return 'TensorFlow on a GPU (tfjs-node-gpu)';
}

async function startWasm(threads: number): Promise<string> {
  const wasm = await import('@tensorflow/tfjs-backend-wasm');
  if (!tf.findBackend('wasm')) {
    // The package's binaries lie beside its entry file; without a path tfjs looks in the current folder.
    const entry = createRequire(import.meta.url).resolve('@tensorflow/tfjs-backend-wasm');
    wasm.setWasmPaths(dirname(entry) + sep);
  }
  const started = await withoutProcessListeners(() => tf.setBackend('wasm'));
  if (!started) throw new Error('tfjs-backend-wasm could not be started');
  if (!(await tf.env().getAsync('WASM_HAS_SIMD_SUPPORT'))) throw new Error('this Node has no WASM SIMD');
  const backend = wasmBackend();
  if (host?.backend !== backend) host = new KernelHost(backend);
  registerKernels(
    {
      ...IDENTITY_KERNELS,
      ...CONV2D_KERNELS,
      ...MAT_MUL_KERNELS,
      ...POOL_KERNELS,
      ...DEPTHWISE_KERNELS,
      ...SUM_KERNELS,
      ...UNET_KERNELS,
    },
    () => host as KernelHost,
  );
  const description = `WASM with SIMD (tfjs-backend-wasm ${wasm.version_wasm} and metasim's kernels)`;
  try {
    await host.setThreads(threads);
    return `${description}, ${threads} thread${threads > 1 ? 's' : ''}`;
  } catch (error) {
    // Slower, but the results are the same.
    return `${description}, 1 thread (helper threads failed: ${reasonOf(error)})`;
  }
}

async function startCpu(): Promise<string> {
  await import('@tensorflow/tfjs-backend-cpu');
  registerAvgPoolGradientCpu();
  if (!(await tf.setBackend('cpu'))) throw new Error('the cpu backend could not be started');
  return 'JavaScript (tfjs-backend-cpu), slow';
}

/**
 * Emscripten's start-up code rethrows every uncaught exception and rejection of the process from listeners of its own;
 * a library must not decide that for its host.
 */
async function withoutProcessListeners<T>(work: () => Promise<T>): Promise<T> {
  const events = ['uncaughtException', 'unhandledRejection'] as const;
  const before = events.map((event) => new Set(process.rawListeners(event)));
  try {
    return await work();
  } finally {
    events.forEach((event, i) => {
      for (const listener of process.rawListeners(event)) {
        if (!before[i].has(listener)) process.removeListener(event, listener as () => void);
      }
    });
  }
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message.split('\n')[0] : String(error);
}
