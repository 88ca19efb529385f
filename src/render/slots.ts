import type { SharedHeap } from './sharedHeap.js';

/** A piece of the shared memory that one task at a time may write to. */
export interface Slot {
  /** Address, a multiple of 64. */
  start: number;
  bytes: number;
}

interface Waiting {
  readonly resolve: (slot: Slot) => void;
  readonly reject: (reason: unknown) => void;
}

/**
 * A bounded number of slots: who finds none free waits, first come, first served. This is the engine's back-pressure:
 * whatever the number of calls and scenes, no more than `count` results are under way. A slot keeps its memory
 * between uses and grows to the largest size asked of it.
 */
export class SlotPool {
  readonly count: number;
  readonly #heap: SharedHeap;
  readonly #idle: Slot[] = [];
  readonly #waiting: Waiting[] = [];
  #closed: Error | undefined;
  #inUse = 0;
  #peakInUse = 0;

  constructor(heap: SharedHeap, count: number) {
    this.#heap = heap;
    this.count = count;
    for (let i = 0; i < count; i++) this.#idle.push({ start: 0, bytes: 0 });
  }

  /** Slots taken now. */
  get inUse(): number {
    return this.#inUse;
  }

  /** The most that were ever taken at once. */
  get peakInUse(): number {
    return this.#peakInUse;
  }

  /** Callers in the queue. */
  get waiting(): number {
    return this.#waiting.length;
  }

  /**
   * A slot of at least `bytes` bytes; give it back with `release` once nobody writes to it any more.
   * @throws the signal's reason when aborted while waiting; KernelError when memory is used up or the pool closes
   */
  async acquire(bytes: number, signal?: AbortSignal): Promise<Slot> {
    if (this.#closed) throw this.#closed;
    const slot = this.#take() ?? (await this.#wait(signal));
    if (slot.bytes >= bytes) return slot;
    try {
      if (slot.bytes > 0) this.#heap.free(slot.start);
      slot.bytes = 0;
      slot.start = this.#heap.allocate(bytes);
      slot.bytes = bytes;
      return slot;
    } catch (error) {
      this.release(slot);
      throw error;
    }
  }

  /** Hands a slot to the next in the queue. */
  release(slot: Slot): void {
    const next = this.#waiting.shift();
    if (next) {
      next.resolve(slot);
      return;
    }
    this.#inUse--;
    // The last used one first: its memory is still in the caches.
    this.#idle.push(slot);
  }

  /** Whoever waits, or comes later, receives `error`. */
  close(error: Error): void {
    this.#closed = error;
    for (const { reject } of this.#waiting.splice(0)) reject(error);
  }

  /** Gives the memory of all idle slots back to the heap. */
  freeAll(): void {
    for (const slot of this.#idle) {
      if (slot.bytes > 0) this.#heap.free(slot.start);
      slot.bytes = 0;
    }
  }

  #take(): Slot | undefined {
    const slot = this.#idle.pop();
    if (slot) this.#peakInUse = Math.max(this.#peakInUse, ++this.#inUse);
    return slot;
  }

  #wait(signal: AbortSignal | undefined): Promise<Slot> {
    return new Promise((resolve, reject) => {
      const onAbort = () => {
        this.#waiting.splice(this.#waiting.indexOf(waiting), 1);
        reject(signal?.reason);
      };
      const waiting: Waiting = {
        resolve: (slot) => {
          signal?.removeEventListener('abort', onAbort);
          resolve(slot);
        },
        reject: (reason) => {
          signal?.removeEventListener('abort', onAbort);
          reject(reason);
        },
      };
      this.#waiting.push(waiting);
      signal?.addEventListener('abort', onAbort, { once: true });
    });
  }
}
