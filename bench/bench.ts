/** What every bench returns and how benches take time: peers in turn, in one process, medians of rounds. */

/** One printed line. */
export interface BenchRow {
  readonly label: string;
  readonly value: number;
  readonly unit: string;
}

export interface BenchResult {
  readonly name: string;
  readonly rows: readonly BenchRow[];
  /** How many times better than the peer: the number that the target is about. */
  readonly ratio: number;
  /** What the ratio compares with. */
  readonly peer: string;
  /** What the ratio should reach; undefined when there is no such bar. */
  readonly target?: number;
  /** Fields that --json adds to the result. */
  readonly fields?: Readonly<Record<string, unknown>>;
}

/** One competitor: does `count` units of work; may yield to the event loop. */
export interface Contestant {
  readonly label: string;
  readonly work: (count: number) => void | Promise<void>;
}

export interface ContestOptions {
  /** Rounds per contestant, after one to warm up. Default 7. */
  readonly rounds?: number;
  /** Wall-clock time of one round, ms. Default 200. */
  readonly roundMs?: number;
}

/**
 * Units of work per second of every contestant. They take turns round by round, so that what else the machine does
 * falls on all alike; the median round counts.
 */
export async function contest(contestants: readonly Contestant[], options: ContestOptions = {}): Promise<number[]> {
  const { rounds = 7, roundMs = 200 } = options;
  const counts: number[] = [];
  for (const { work } of contestants) counts.push(await countFor(work, roundMs));
  const rates: number[][] = contestants.map(() => []);
  for (let round = 0; round < rounds; round++) {
    for (const [i, { work }] of contestants.entries()) {
      const started = performance.now();
      await work(counts[i]);
      rates[i].push((counts[i] * 1000) / (performance.now() - started));
    }
  }
  return rates.map(median);
}

/** How many units fill a round; doubles as the warm-up. */
async function countFor(work: Contestant['work'], roundMs: number): Promise<number> {
  let count = 1;
  for (;;) {
    const started = performance.now();
    await work(count);
    const elapsed = performance.now() - started;
    if (elapsed >= roundMs / 2) return Math.max(1, Math.round((count * roundMs) / elapsed));
    count *= elapsed < roundMs / 20 ? 8 : 2;
  }
}

/** The middle value; of an even number of values the upper middle one. */
export function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[values.length >> 1];
}

/** Lets timers, and what native code left to free, have their turn. */
export function yieldToEventLoop(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/** Keeps results alive, so that no compiler may leave their computation out. */
let sink = 0;
export function consume(value: number): void {
  sink = (sink + value) % 1e9;
}
