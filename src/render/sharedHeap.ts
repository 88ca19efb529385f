import { KernelError } from '../errors.js';

/** Every block starts at a multiple of this: a cache line, so that two threads never write to the same one. */
const ALIGNMENT = 64;
const PAGE_BYTES = 65536;

interface FreeBlock {
  start: number;
  end: number;
}

/**
 * First-fit allocator for the memory that all kernel instances share. It runs on the engine's own thread only: kernels
 * and workers receive addresses and never allocate. The memory grows when nothing fits, and does not shrink.
 * ```
 *  0            heapBase                                             memory.buffer.byteLength
 *  │ constants  │ asset table │ texels │ slots and batches, mixed … │
 * ```
 */
export class SharedHeap {
  readonly memory: WebAssembly.Memory;
  /** Ordered by address; neighbours are merged. */
  readonly #free: FreeBlock[] = [];
  /** Bytes of every allocated block, by address. */
  readonly #blocks = new Map<number, number>();
  #end: number;
  #used = 0;
  #peak = 0;

  /** @param heapBase first byte above the module's constants */
  constructor(memory: WebAssembly.Memory, heapBase: number) {
    this.memory = memory;
    this.#end = roundUp(heapBase);
  }

  /** Bytes in blocks now. */
  get usedBytes(): number {
    return this.#used;
  }

  /** Largest `usedBytes` so far. */
  get peakBytes(): number {
    return this.#peak;
  }

  /**
   * @returns address of `bytes` bytes, a multiple of 64; their content is arbitrary
   * @throws KernelError when the 4 GiB that WASM can address are used up, or the system has no more memory
   */
  allocate(bytes: number): number {
    const size = roundUp(Math.max(bytes, 1));
    const position = this.#free.findIndex((block) => block.end - block.start >= size);
    let start: number;
    if (position >= 0) {
      const block = this.#free[position];
      start = block.start;
      block.start += size;
      if (block.start === block.end) this.#free.splice(position, 1);
    } else start = this.#extend(size);
    this.#blocks.set(start, size);
    this.#used += size;
    this.#peak = Math.max(this.#peak, this.#used);
    return start;
  }

  /** Gives a block back. */
  free(start: number): void {
    const size = this.#blocks.get(start);
    if (size === undefined) throw new KernelError(`Expected an allocated address but received ${start}`);
    this.#blocks.delete(start);
    this.#used -= size;
    this.#insert({ start, end: start + size });
  }

  /** Bytes of the memory, seen as unsigned bytes. The view is current until the next `allocate`. */
  bytes(start: number, length: number): Uint8Array {
    return new Uint8Array(this.memory.buffer, start, length);
  }

  /** Takes `size` bytes from the end, where a free last block counts as part of them. */
  #extend(size: number): number {
    const last = this.#free.at(-1);
    const start = last && last.end === this.#end ? last.start : this.#end;
    const end = start + size;
    const missing = end - this.memory.buffer.byteLength;
    if (missing > 0) {
      try {
        this.memory.grow(Math.ceil(missing / PAGE_BYTES));
      } catch (cause) {
        const total = this.memory.buffer.byteLength;
        throw new KernelError(
          `Expected room for ${size} bytes in the kernels' memory but received none: ${total} bytes are the most so far`,
          { cause },
        );
      }
    }
    if (start !== this.#end) this.#free.pop();
    this.#end = end;
    return start;
  }

  /** Puts a block into the ordered list and merges it with its neighbours. */
  #insert(block: FreeBlock): void {
    let position = this.#free.findIndex((other) => other.start > block.start);
    if (position < 0) position = this.#free.length;
    this.#free.splice(position, 0, block);
    this.#mergeWithNext(position);
    if (position > 0) this.#mergeWithNext(position - 1);
  }

  #mergeWithNext(position: number): void {
    const block = this.#free[position];
    const next = this.#free[position + 1];
    if (!next || block.end !== next.start) return;
    block.end = next.end;
    this.#free.splice(position + 1, 1);
  }
}

function roundUp(bytes: number): number {
  return Math.ceil(bytes / ALIGNMENT) * ALIGNMENT;
}
