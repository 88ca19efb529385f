import { fileURLToPath } from 'node:url';
import { Piscina } from 'piscina';
import type { QuarantinedScene } from '../dataset/entry.js';
import { DatasetError, errorFromCode } from '../errors.js';
import type { Counters } from './counters.js';
import { StoppedError } from './counters.js';
import { NoSpaceError } from './noSpace.js';
import type { ShardOutcome, ShardWorkerData } from './shardWorker.js';

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

/** Threads that make shards of one dataset. One that dies is replaced, and its shard tried once more. */
export class ShardPool {
  readonly #piscina: Piscina<number, ShardOutcome>;
  readonly #counters: Counters;

  constructor(data: Omit<ShardWorkerData, 'counters' | 'threads'>, counters: Counters, threads: number) {
    this.#counters = counters;
    this.#piscina = new Piscina({
      filename: fileURLToPath(new URL(WORKER, import.meta.url)),
      execArgv: [],
      workerData: { ...data, threads, counters: counters.buffer } satisfies ShardWorkerData,
      minThreads: 1,
      maxThreads: threads,
      idleTimeout: 1000,
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
      return await this.#piscina.run(shard);
    } catch {
      // The handler never throws: the thread is gone, and with it the shard's staged files are nobody's.
    }
    try {
      return await this.#piscina.run(shard);
    } catch (cause) {
      throw new DatasetError(
        `Expected shard ${shard} to be made but its worker died, twice (${(cause as Error).message})`,
        { cause },
      );
    }
  }

  /** Stops the threads. */
  async close(): Promise<void> {
    await this.#piscina.destroy();
  }
}
