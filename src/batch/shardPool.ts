import { fileURLToPath } from 'node:url';
import { MessageChannel } from 'node:worker_threads';
import { Piscina } from 'piscina';
import type { QuarantinedScene } from '../dataset/entry.js';
import { DatasetError, errorFromCode } from '../errors.js';
import type { Counters } from './counters.js';
import { StoppedError } from './counters.js';
import { NoSpaceError } from './noSpace.js';
import type { ShardOutcome, ShardTask, ShardWorkerData } from './shardWorker.js';

/**
 * The worker's file. Run from TypeScript it is a script that makes tsx load the TypeScript one: tsx's hooks do not reach
 * a worker's dynamic imports by themselves under Node 20.
 */
const WORKER = import.meta.url.endsWith('.ts') ? './shardWorkerFromSource.mjs' : './shardWorker.js';

/**
 * Room for a worker's short-lived objects, MB: samples live for microseconds, and what is made in memory that is still
 * in the caches is made faster.
 */
const YOUNG_MB = 12;

/** A thread without work ends after that long, ms. */
const IDLE_MS = 5000;

/**
 * Shards that a pool should have in hand for each thread: one that is made, and one that waits, so that the thread goes on
 * while the shard before is on its way to its place.
 */
export const SHARDS_A_THREAD = 2;

/** Threads that make shards of one dataset. One that dies is replaced, and its shards tried once more. */
export class ShardPool {
  readonly #piscina: Piscina<ShardTask, void>;
  readonly #waiting = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT));
  readonly #counters: Counters;

  constructor(data: Omit<ShardWorkerData, 'counters' | 'threads' | 'waiting'>, counters: Counters, threads: number) {
    this.#counters = counters;
    this.#piscina = new Piscina({
      filename: fileURLToPath(new URL(WORKER, import.meta.url)),
      execArgv: [],
      workerData: {
        ...data,
        ...{ threads, counters: counters.buffer, waiting: this.#waiting.buffer as SharedArrayBuffer },
      } satisfies ShardWorkerData,
      // A thread without a task may still wait for the disk: its event loop must turn.
      atomics: 'disabled',
      minThreads: 1,
      maxThreads: threads,
      idleTimeout: IDLE_MS,
      recordTiming: false,
      resourceLimits: { maxYoungGenerationSizeMb: YOUNG_MB },
    });
    // A worker that cannot start rejects its task too; without a listener the process would end.
    this.#piscina.on('error', () => {});
  }

  /**
   * Makes a shard.
   * @throws what the shard failed with, as `ShardMaker.make`; NoSpaceError when the disk is full; DatasetError when the
   *   shard kills two workers
   */
  async make(shard: number): Promise<readonly QuarantinedScene[]> {
    const outcome = await this.#run(shard);
    if ('quarantined' in outcome) return outcome.quarantined;
    if (this.#counters.stopped && outcome.code === 'FAILURE') throw new StoppedError();
    if (outcome.noSpace) throw new NoSpaceError(outcome.message);
    throw errorFromCode(outcome.code, outcome.message);
  }

  async #run(shard: number): Promise<ShardOutcome> {
    try {
      return await this.#runOnce(shard, true);
    } catch {
      // The handler never throws: the thread is gone, and with it the shard's staged files are nobody's.
    }
    try {
      // By itself, so that it does not fall with another shard.
      return await this.#runOnce(shard, false);
    } catch (cause) {
      throw new DatasetError(
        `Expected shard ${shard} to be made but its worker died, twice (${(cause as Error).message})`,
        { cause },
      );
    }
  }

  /** @throws when the thread dies */
  async #runOnce(shard: number, overlap: boolean): Promise<ShardOutcome> {
    const { port1, port2 } = new MessageChannel();
    const outcome = new Promise<ShardOutcome>((resolve, reject) => {
      port1.once('message', resolve);
      port1.once('close', () => reject(new Error('its thread ended')));
    });
    // Whoever waits for it below hears of it.
    outcome.catch(() => {});
    try {
      const made = this.#piscina.run({ shard, port: port2, overlap }, { transferList: [port2] });
      this.#countWaiting();
      await made.finally(() => this.#countWaiting());
      return await outcome;
    } finally {
      port1.close();
    }
  }

  #countWaiting(): void {
    Atomics.store(this.#waiting, 0, this.#piscina.queueSize);
  }

  /** Stops the threads. */
  async close(): Promise<void> {
    await this.#piscina.destroy();
  }
}
