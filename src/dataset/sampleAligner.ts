/** Digests that are looked ahead for a sample that others before it are missing from. */
const WINDOW = 1024;

/** What the comparison of samples with what was written finds; positions count the written ones from 0. */
export interface AlignmentFaults {
  missing(position: number): void;
  /** A sample that was not written here, or was there already. */
  surplus(key: string): void;
  changed(key: string): void;
}

/**
 * Compares samples that are read with the digests of those that were written, both in order, and keeps in step where
 * some are missing or stand twice, so that each fault is told once and where it is. Memory: two windows of digests.
 */
export class SampleAligner {
  readonly #written: AsyncIterator<Uint8Array | undefined>;
  readonly #faults: AlignmentFaults;
  /** Digests that come next; undefined where nobody knows. */
  readonly #ahead: (string | undefined)[] = [];
  /** The last ones that were passed: found, or given up as missing or changed. */
  readonly #passed = new Map<string, 'found' | 'missing' | 'changed'>();
  #position = 0;

  /** @param written digests in order; undefined for one that is not known, which any sample fits */
  constructor(written: AsyncIterator<Uint8Array | undefined>, faults: AlignmentFaults) {
    this.#written = written;
    this.#faults = faults;
  }

  /**
   * Takes the next sample that was read.
   * @param digest undefined for one whose pixels cannot be read, of which the caller tells
   */
  async take(key: string, digest: Uint8Array | undefined): Promise<void> {
    await this.#lookAhead();
    if (digest === undefined) {
      if (this.#ahead.length > 0) this.#pass('changed');
      return;
    }
    const hex = Buffer.from(digest).toString('hex');
    if (this.#ahead.length > 0 && (this.#ahead[0] === undefined || this.#ahead[0] === hex)) {
      this.#pass('found');
      return;
    }
    const distance = this.#ahead.indexOf(hex);
    const before = this.#passed.get(hex);
    if (distance > 0) {
      for (let i = 0; i < distance; i++) this.#missing();
      this.#pass('found');
    } else if (before === 'changed') {
      // What was taken for its changed form stood before it: that one was told of already.
    } else if (before !== undefined || this.#ahead.length === 0) {
      this.#faults.surplus(key);
    } else {
      this.#faults.changed(key);
      this.#pass('changed');
    }
  }

  /** Tells of all that were not read. */
  async end(): Promise<void> {
    for (await this.#lookAhead(); this.#ahead.length > 0; await this.#lookAhead()) this.#missing();
  }

  /** How many of the written samples were passed: found, or told of as missing or changed. */
  get position(): number {
    return this.#position;
  }

  async #lookAhead(): Promise<void> {
    while (this.#ahead.length < WINDOW) {
      const { value, done } = await this.#written.next();
      if (done) return;
      this.#ahead.push(value && Buffer.from(value).toString('hex'));
    }
  }

  #missing(): void {
    this.#faults.missing(this.#position);
    this.#pass('missing');
  }

  #pass(as: 'found' | 'missing' | 'changed'): void {
    const digest = this.#ahead.shift();
    this.#position++;
    if (digest === undefined) return;
    this.#passed.set(digest, as);
    if (this.#passed.size <= WINDOW) return;
    for (const oldest of this.#passed.keys()) {
      this.#passed.delete(oldest);
      return;
    }
  }
}
