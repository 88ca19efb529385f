import type { ShardProgress } from './shardMaker.js';

/** Positions in the shared memory. */
const STOP = 0;
const IMAGES = 1;
const BYTES = 2;
const LENGTH = 3;

/** A shard was given up because the run was asked to stop. */
export class StoppedError extends Error {
  constructor() {
    super('Expected the run to go on but it was asked to stop');
    this.name = 'StoppedError';
  }
}

/** What the threads of a run share: how far they are, and whether they should stop. */
export class Counters {
  readonly buffer: SharedArrayBuffer;
  readonly #values: BigInt64Array;

  constructor(buffer = new SharedArrayBuffer(LENGTH * BigInt64Array.BYTES_PER_ELEMENT)) {
    this.buffer = buffer;
    this.#values = new BigInt64Array(buffer);
  }

  /** Images made, those of shards under way included. */
  get images(): number {
    return Number(Atomics.load(this.#values, IMAGES));
  }

  /** Bytes written. */
  get bytes(): number {
    return Number(Atomics.load(this.#values, BYTES));
  }

  /** Asks all threads to give up their shards at the next stopping point. */
  stop(): void {
    Atomics.store(this.#values, STOP, 1n);
  }

  get stopped(): boolean {
    return Atomics.load(this.#values, STOP) !== 0n;
  }

  /** Shared memory that keeps account of one shard, for `progress`. */
  static ofShard(): SharedArrayBuffer {
    return new SharedArrayBuffer(LENGTH * BigInt64Array.BYTES_PER_ELEMENT);
  }

  /**
   * Counts of one shard; `takeBack` undoes them when it failed, once.
   * @param shard memory that another thread can take them back from, should this one die
   */
  progress(shard = Counters.ofShard()): ShardProgress & { takeBack(): void } {
    const own = new BigInt64Array(shard);
    return {
      check: () => {
        if (this.stopped) throw new StoppedError();
      },
      advance: (images, bytes) => {
        this.#add(own, IMAGES, images);
        this.#add(own, BYTES, bytes);
      },
      takeBack: () => {
        for (const at of [IMAGES, BYTES]) Atomics.sub(this.#values, at, Atomics.exchange(own, at, 0n));
      },
    };
  }

  #add(own: BigInt64Array, at: number, more: number): void {
    Atomics.add(this.#values, at, BigInt(more));
    Atomics.add(own, at, BigInt(more));
  }
}
