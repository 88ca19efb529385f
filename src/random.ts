/**
 * Counter-based random numbers: Philox4x32-10 (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC 2011).
 * A draw is a pure function of its key and counter, so a scene is the same whatever the order, thread or shard that
 * asks for it.
 */

const PHILOX_M0 = 0xd2511f53;
const PHILOX_M1 = 0xcd9e8d57;
const PHILOX_W0 = 0x9e3779b9;
const PHILOX_W1 = 0xbb67ae85;
const ROUNDS = 10;

/** Upper 32 bits of the product of two unsigned 32-bit integers, by 16-bit halves (exact in doubles). */
function mulHigh(a: number, b: number): number {
  const aLow = a & 0xffff;
  const aHigh = a >>> 16;
  const bLow = b & 0xffff;
  const bHigh = b >>> 16;
  const low = aLow * bLow;
  const cross = aHigh * bLow + (low >>> 16);
  const middle = aLow * bHigh + (cross & 0xffff);
  // cross is below 2^48 only by its parts: both fit 2^33, so use division, not a shift.
  return (aHigh * bHigh + Math.floor(cross / 0x10000) + Math.floor(middle / 0x10000)) >>> 0;
}

/**
 * Ten rounds of Philox4x32.
 * @param counter four unsigned 32-bit words
 * @param key two unsigned 32-bit words
 * @param out receives four unsigned 32-bit words
 */
export function philox4x32(
  counter: readonly [number, number, number, number],
  key: readonly [number, number],
  out: Uint32Array | number[],
): void {
  let [c0, c1, c2, c3] = counter;
  let [k0, k1] = key;
  for (let round = 0; round < ROUNDS; round++) {
    const high0 = mulHigh(PHILOX_M0, c0);
    const low0 = Math.imul(PHILOX_M0, c0) >>> 0;
    const high1 = mulHigh(PHILOX_M1, c2);
    const low1 = Math.imul(PHILOX_M1, c2) >>> 0;
    const next0 = (high1 ^ c1 ^ k0) >>> 0;
    const next2 = (high0 ^ c3 ^ k1) >>> 0;
    c0 = next0;
    c1 = low1;
    c2 = next2;
    c3 = low0;
    k0 = (k0 + PHILOX_W0) >>> 0;
    k1 = (k1 + PHILOX_W1) >>> 0;
  }
  out[0] = c0;
  out[1] = c1;
  out[2] = c2;
  out[3] = c3;
}

/** What a random number is for: its address in the stream of a seed. */
export interface RandomAddress {
  /** Seed, an integer in [0, 2^53). 0 is a seed like any other. */
  readonly seed: number;
  /** Index of the scene (or step), an integer in [0, 2^53). */
  readonly index: number;
  /** Node within the scene, in [0, 65535]. */
  readonly node?: number;
  /** Attribute (or purpose) within the node, in [0, 65535]. */
  readonly attribute?: number;
  /** Repetition after a rejected draw, in [0, 65535]; each has 2^18 32-bit words of its own. */
  readonly attempt?: number;
}

/** A stream of numbers at one address; the n-th number depends on the address and n only. */
export class RandomStream {
  readonly #key: readonly [number, number];
  readonly #counter: [number, number, number, number];
  // An ordinary array: V8 makes one in a tenth of the time of a typed one, and a scene has several streams.
  readonly #block = [0, 0, 0, 0];
  #used = 4;

  constructor(address: RandomAddress) {
    const { seed, index, node = 0, attribute = 0, attempt = 0 } = address;
    this.#key = [seed >>> 0, Math.floor(seed / 0x100000000) >>> 0];
    // Words: index low | index high (21 bits) | node, attribute | attempt (upper half), draw block.
    this.#counter = [
      index >>> 0,
      Math.floor(index / 0x100000000) >>> 0,
      ((node << 16) | (attribute & 0xffff)) >>> 0,
      (attempt << 16) >>> 0,
    ];
  }

  /** An unsigned 32-bit integer. */
  uint32(): number {
    if (this.#used === 4) {
      philox4x32(this.#counter, this.#key, this.#block);
      this.#counter[3] = (this.#counter[3] + 1) >>> 0;
      this.#used = 0;
    }
    return this.#block[this.#used++];
  }

  /** A double in [0, 1) with 53 random bits. */
  uniform(): number {
    const high = this.uint32() >>> 5;
    const low = this.uint32() >>> 6;
    return (high * 67108864 + low) / 9007199254740992;
  }

  /** An integer in [0, n), unbiased for n ≤ 2^32. */
  integer(n: number): number {
    return Math.floor(this.uniform() * n);
  }
}
