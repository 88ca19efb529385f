import { fileURLToPath } from 'node:url';
import { MessageChannel } from 'node:worker_threads';
import { Piscina } from 'piscina';
import type { QuarantinedScene } from '../dataset/entry.js';
import { DatasetError, errorFromCode } from '../errors.js';
import { Counters, StoppedError } from './counters.js';
import { MeshExchange } from './meshExchange.js';
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

/** Threads end when no shard has been in hand for that long, ms. */
const IDLE_MS = 5000;

/**
 * Shards that a pool should have in hand for each thread: one that is made, and one that waits, so that the thread goes on
 * while the shard before is on its way to its place.
 */
export const SHARDS_A_THREAD = 2;

export interface ShardPoolOptions extends Omit<ShardWorkerData, 'counters' | 'waiting' | 'meshes'> {
  readonly counters: Counters;
  /** What its threads share their meshes by, closed with the pool; default: one of its own. */
  readonly meshes?: MeshExchange;
  /** How long threads wait for another shard, ms; default 5000. */
  readonly idleMs?: number;
}

/**
 * Threads that make shards of one dataset. One that dies is replaced, and its shards tried once more. They start with the
 * first shard, and end together when none is in hand any more, not each by itself: a thread that has nothing to make may
 * still have a shard on its way to its place.
 */
export class ShardPool {
  readonly #options: ShardPoolOptions;
  readonly #waiting = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT));
  readonly #counters: Counters;
  readonly #meshes: MeshExchange;
  #piscina: Piscina<ShardTask, void> | undefined;
  #inHand = 0;
  #idle: NodeJS.Timeout | undefined;
  #ended = Promise.resolve();
  #closed = false;

  constructor(options: ShardPoolOptions) {
    this.#options = options;
    this.#counters = options.counters;
    this.#meshes = options.meshes ?? new MeshExchange();
  }

  /** The threads; they are started where there are none. */
  get #threads(): Piscina<ShardTask, void> {
    if (this.#piscina) return this.#piscina;
    if (this.#closed) throw new Error('the pool is closed');
    const { source, header, out, allowUnlicensed, threads, counters } = this.#options;
    const waiting = this.#waiting.buffer as SharedArrayBuffer;
    const shared = { counters: counters.buffer, waiting, meshes: this.#meshes.handover };
    this.#piscina = new Piscina({
      filename: fileURLToPath(new URL(WORKER, import.meta.url)),
      execArgv: [],
      workerData: { source, header, out, allowUnlicensed, threads, ...shared } satisfies ShardWorkerData,
      // A thread without a task may still wait for the disk: its event loop must turn, and it must not end.
      atomics: 'disabled',
      idleTimeout: Number.POSITIVE_INFINITY,
      minThreads: 1,
      maxThreads: threads,
      recordTiming: false,
      resourceLimits: { maxYoungGenerationSizeMb: YOUNG_MB },
    });
    // A worker that cannot start rejects its task too; without a listener the process would end.
    this.#piscina.on('error', () => {});
    return this.#piscina;
  }

  /**
   * Makes a shard.
   * @throws what the shard failed with, as `ShardMaker.make`; NoSpaceError when the disk is full; DatasetError when the
   *   shard kills two workers
   */
  async make(shard: number): Promise<readonly QuarantinedScene[]> {
    const outcome = await this.#holding(() => this.#run(shard));
    if ('quarantined' in outcome) return outcome.quarantined;
    if (this.#counters.stopped && outcome.code === 'FAILURE') throw new StoppedError();
    if (outcome.noSpace) throw new NoSpaceError(outcome.message);
    throw errorFromCode(outcome.code, outcome.message);
  }

  /** Has threads at hand during the work, and for a while afterwards. */
  async #holding<T>(work: () => Promise<T>): Promise<T> {
    clearTimeout(this.#idle);
    this.#inHand++;
    try {
      return await work();
    } finally {
      this.#inHand--;
      const { idleMs = IDLE_MS } = this.#options;
      if (this.#inHand === 0) this.#idle = setTimeout(() => this.#endThreads(), idleMs).unref();
    }
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
    const piscina = this.#threads;
    const { port1, port2 } = new MessageChannel();
    const outcome = new Promise<ShardOutcome>((resolve, reject) => {
      port1.once('message', resolve);
      port1.once('close', () => reject(new Error('its thread ended')));
    });
    // Whoever waits for it below hears of it.
    outcome.catch(() => {});
    // One that died has not taken back what it counted.
    const counted = Counters.ofShard();
    const countWaiting = () => Atomics.store(this.#waiting, 0, piscina.queueSize);
    try {
      const made = piscina.run({ shard, port: port2, counted, overlap }, { transferList: [port2] });
      countWaiting();
      await made.finally(countWaiting);
      return await outcome;
    } catch (error) {
      this.#counters.progress(counted).takeBack();
      throw error;
    } finally {
      port1.close();
    }
  }

  /** Stops the threads, for good. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.#endThreads();
    this.#meshes.close();
  }

  #endThreads(): Promise<void> {
    clearTimeout(this.#idle);
    const piscina = this.#piscina;
    this.#piscina = undefined;
    if (piscina) this.#ended = piscina.destroy();
    return this.#ended;
  }
}
