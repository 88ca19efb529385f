import type { AssetLibrary } from '../assets/assetLibrary.js';
import { KernelError } from '../errors.js';
import { AssetStore } from './assetStore.js';
import { compileKernels, instantiateKernels, type KernelBuild, type Kernels } from './kernels.js';
import type { BatchShape } from './placedBatch.js';
import { WorkerPool } from './pool.js';
import { SharedHeap } from './sharedHeap.js';
import { SlotPool } from './slots.js';
import { MORE_ROOM, partOf, runTask, type Task } from './task.js';

const INITIAL_PAGES = 64;
/** All that 32-bit addresses reach: 4 GiB, reserved but not used. */
const MAXIMUM_PAGES = 65536;
const UNAVAILABLE = 0xffffffff;
/**
 * Estimated work, in ns of one thread, up to which a task runs on the calling thread: handing it to a worker and
 * hearing back costs some 100 µs, and the workers need not even be started.
 */
const LOCAL_WORK_NS = 400_000;

/** What an engine consists of; see `EngineOptions` for the meaning of the fields. */
export interface RuntimeOptions {
  readonly assets: AssetLibrary;
  readonly workers: number;
  readonly build: KernelBuild;
  readonly maxScenePixels: number;
  readonly maxAssetBytes: number;
  readonly fault?: Int32Array;
}

/** The machinery behind `Engine`: memory, kernels, assets, result slots, and threads once they are needed. */
export class Runtime {
  readonly workers: number;
  readonly maxScenePixels: number;
  readonly assets: AssetLibrary;
  readonly heap: SharedHeap;
  readonly kernels: Kernels;
  readonly store: AssetStore;
  /** Where chunks of scenes are rendered to: two for each worker, one in work and one being copied out. */
  readonly slots: SlotPool;
  /** Calls that hold a batch in memory; without memory of their own. */
  readonly calls: SlotPool;
  readonly #module: WebAssembly.Module;
  readonly #fault: Int32Array | undefined;
  #pool: WorkerPool | undefined;
  #closed: KernelError | undefined;
  #onClose = new Set<(error: KernelError) => void>();

  constructor(options: RuntimeOptions) {
    this.workers = options.workers;
    this.maxScenePixels = options.maxScenePixels;
    this.assets = options.assets;
    this.#fault = options.fault;
    this.#module = compileKernels(options.build);
    const memory = new WebAssembly.Memory({ initial: INITIAL_PAGES, maximum: MAXIMUM_PAGES, shared: true });
    this.kernels = instantiateKernels(this.#module, memory);
    this.heap = new SharedHeap(memory, this.kernels.heapBase);
    this.store = new AssetStore(options.assets, this.heap, this.kernels.constants, options.maxAssetBytes);
    const slots = Math.max(2, 2 * options.workers);
    this.slots = new SlotPool(this.heap, slots);
    this.calls = new SlotPool(this.heap, slots);
  }

  /** @throws KernelError once the engine is closed */
  assertOpen(): void {
    if (this.#closed) throw this.#closed;
  }

  /**
   * Bytes of scratch memory for one scene at a time.
   * @param call `vjp`, or what is rendered: samples a pixel, of 3D scenes
   * @param room for their triangles: 1, or one of `MORE_ROOM`
   * @throws KernelError when the scene is too large
   */
  scratchBytes(shape: BatchShape, call: number | 'vjp', room = 1): number {
    const { dimension, maxNodes, width, height, channels, vertices } = shape;
    const triangles = room * shape.triangles;
    if (width * height > this.maxScenePixels) {
      throw new KernelError(
        `Expected at most ${this.maxScenePixels} px for a scene (maxScenePixels) but received ${width} × ${height}`,
      );
    }
    const { kernels } = this;
    const bytes =
      dimension === 2
        ? kernels.sceneScratchBytes(maxNodes, width, height, channels)
        : call === 'vjp'
          ? kernels.meshVjpScratchBytes(maxNodes, width, height, vertices, triangles)
          : kernels.meshSceneScratchBytes(maxNodes, width, height, call, vertices, triangles);
    if (bytes !== UNAVAILABLE) return bytes;
    throw new KernelError(
      `Expected a scene that fits the kernels' memory but received ${width} × ${height} px with ${maxNodes} nodes` +
        (dimension === 3 ? ` and ${triangles} triangles` : ''),
    );
  }

  /**
   * Runs a task here or on a worker. Once the promise has settled, nothing writes to the task's memory any more.
   *
   * A scene that clipping makes more triangles of than the task's scratch memory has room for is drawn again with more
   * (`MORE_ROOM`), and so is what follows it in the task: it is often alike. That memory is given back at once; such
   * scenes are too rare to keep it.
   * @param shape of the task's batch
   * @param work estimated cost of the whole call that the task is a part of, ns of one thread
   * @throws KernelError naming the scene that a kernel failed on, or that killed two workers; when there is no memory for
   *   more room; or once closed
   */
  async run(task: Task, shape: BatchShape, work: number, nameScene: (position: number) => string): Promise<void> {
    let done = await this.#runWith(task, work, nameScene);
    for (const room of MORE_ROOM) {
      if (done === task.count) return;
      const scratch = this.heap.allocate(this.scratchBytes(shape, task.kind === 'vjp' ? 'vjp' : task.samples, room));
      try {
        done += await this.#runWith({ ...partOf(task, done), scratch, room }, work, nameScene);
      } finally {
        this.heap.free(scratch);
      }
    }
    if (done < task.count) throw new KernelError(`Expected room for all triangles of ${nameScene(task.first + done)}`);
  }

  /** Runs a task with the room that it has. @returns as `runTask` */
  async #runWith(task: Task, work: number, nameScene: (position: number) => string): Promise<number> {
    this.assertOpen();
    if (this.workers === 0 || work <= LOCAL_WORK_NS) return runTask(this.kernels, task);
    this.#pool ??= new WorkerPool(
      { module: this.#module, memory: this.heap.memory, ...(this.#fault ? { fault: this.#fault } : {}) },
      this.workers,
    );
    return await this.#pool.run(task, nameScene);
  }

  /**
   * `promise`, or a rejection as soon as the signal aborts or the engine closes; the work behind `promise` then goes on
   * to its next stopping point, and gives back what it holds, by itself.
   */
  settle<T>(promise: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      const onAbort = () => reject(signal?.reason);
      const done = () => {
        signal?.removeEventListener('abort', onAbort);
        this.#onClose.delete(reject);
      };
      signal?.addEventListener('abort', onAbort, { once: true });
      this.#onClose.add(reject);
      promise.then(resolve, reject).finally(done);
    });
  }

  /** Ends everything; again: waits for the same. */
  async close(): Promise<void> {
    this.#closed ??= new KernelError('Expected an open engine but received a closed one');
    for (const reject of this.#onClose) reject(this.#closed);
    this.#onClose.clear();
    this.slots.close(this.#closed);
    this.calls.close(this.#closed);
    await this.#pool?.close();
  }
}
