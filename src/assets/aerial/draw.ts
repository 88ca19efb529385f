import { RandomStream } from '../../random.js';

/** Random choices of one texture. */
export class Draw {
  readonly stream: RandomStream;

  /**
   * @param seed of the library
   * @param kind what is drawn: a stream of its own each
   * @param index of the texture
   */
  constructor(seed: number, kind: number, index: number) {
    this.stream = new RandomStream({ seed, index, node: kind });
  }

  /** Even in [low, high). */
  between(low: number, high: number): number {
    return low + (high - low) * this.stream.uniform();
  }

  /** True with probability `share`. */
  chance(share: number): boolean {
    return this.stream.uniform() < share;
  }

  /** One of the items, evenly. */
  pick<T>(items: readonly T[]): T {
    return items[this.stream.integer(items.length)];
  }

  /** One of the items, by weight. */
  weighted<T>(items: readonly (readonly [weight: number, item: T])[]): T {
    let rest = this.stream.uniform() * items.reduce((sum, [weight]) => sum + weight, 0);
    for (const [weight, item] of items) {
      rest -= weight;
      if (rest < 0) return item;
    }
    return items[items.length - 1][1];
  }
}
