import { fileURLToPath } from 'node:url';
import { Piscina } from 'piscina';
import { errorFromCode, KernelError } from '../errors.js';
import { partOf, type Task } from './task.js';
import type { TaskOutcome, WorkerSetup } from './worker.js';

/** Worker files run as they are found: TypeScript beside TypeScript (through tsx), JavaScript beside JavaScript. */
const EXTENSION = import.meta.url.endsWith('.ts') ? '.ts' : '.js';

/** A worker ended before its task did. */
class WorkerLost extends Error {}

/**
 * Worker threads that run tasks over one shared memory. A worker that dies is replaced by a new one; the task it had is
 * tried once more, scene by scene, so that the scene which kills workers can be named and the others are still done.
 */
export class WorkerPool {
  readonly #piscina: Piscina<Task | null, TaskOutcome>;
  #ready: Promise<void> | undefined;
  #failure: KernelError | undefined;
  #onFailure: ((error: KernelError) => void) | undefined;

  /** @param workers number of threads, ≥ 1 */
  constructor(setup: WorkerSetup, workers: number) {
    this.#piscina = new Piscina({
      filename: fileURLToPath(new URL(`./worker${EXTENSION}`, import.meta.url)),
      // Resolved from here: a bare name would be looked for in the folder that the command runs in.
      execArgv: EXTENSION === '.ts' ? ['--import', import.meta.resolve('tsx')] : [],
      workerData: setup,
      minThreads: workers,
      maxThreads: workers,
      // The engine's slots bound the number of tasks; the queue here holds at most those.
      maxQueue: Number.POSITIVE_INFINITY,
      recordTiming: false,
    });
    this.#piscina.on('error', (cause) => this.#fail(cause));
  }

  /** Waits until every worker runs. @throws KernelError when one cannot start */
  ready(): Promise<void> {
    this.#ready ??= this.#start();
    return this.#ready;
  }

  /**
   * Runs a task. When the promise settles, no worker writes to the task's memory any more.
   * @param nameScene how errors name the scene at a position of the batch
   * @returns as `runTask`
   * @throws KernelError naming the scene when a kernel fails or the scene kills two workers
   */
  async run(task: Task, nameScene: (position: number) => string): Promise<number> {
    await this.ready();
    try {
      return await this.#runOnce(task);
    } catch (error) {
      if (!(error instanceof WorkerLost)) throw error;
      for (let i = 0; i < task.count; i++) {
        if ((await this.#runAgain(partOf(task, i, 1), nameScene)) === 0) return i;
      }
      return task.count;
    }
  }

  /** Stops all workers at once; tasks under way are rejected. */
  async close(): Promise<void> {
    this.#failure ??= new KernelError('Expected an open engine but received a closed one');
    await this.#piscina.destroy();
  }

  async #start(): Promise<void> {
    const { maxThreads } = this.#piscina;
    const failed = new Promise<never>((_, reject) => {
      this.#onFailure = reject;
    });
    failed.catch(() => {});
    const pings = Array.from({ length: maxThreads }, () => this.#piscina.run(null));
    try {
      await Promise.race([Promise.all(pings), failed]);
    } catch (cause) {
      this.#fail(cause);
      throw this.#failure;
    } finally {
      this.#onFailure = undefined;
    }
  }

  async #runOnce(task: Task): Promise<number> {
    if (this.#failure) throw this.#failure;
    let outcome: TaskOutcome;
    try {
      outcome = await this.#piscina.run(task);
    } catch (cause) {
      // The handler never throws: a rejection means that its thread is gone.
      throw this.#failure ?? new WorkerLost(String(cause), { cause });
    }
    if ('done' in outcome) return outcome.done;
    throw errorFromCode(outcome.code, outcome.message);
  }

  async #runAgain(task: Task, nameScene: (position: number) => string): Promise<number> {
    try {
      return await this.#runOnce(task);
    } catch (error) {
      if (!(error instanceof WorkerLost)) throw error;
      throw new KernelError(
        `Expected ${task.kind} to finish for ${nameScene(task.first)} but its worker died, twice (${error.message})`,
        { cause: error },
      );
    }
  }

  /** No worker can be started any more: everything waiting ends with this error. */
  #fail(cause: unknown): void {
    this.#failure ??= new KernelError(`Expected worker threads to start but received ${String(cause)}`, { cause });
    this.#onFailure?.(this.#failure);
    void this.#piscina.destroy();
  }
}
