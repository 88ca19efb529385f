import { DatasetError } from '../../errors.js';

/** Takes a stream of bytes apart into pieces of wanted sizes; memory is that of the largest piece. */
export class ByteSource {
  readonly #place: string;
  readonly #pieces: AsyncIterator<Uint8Array>;
  #piece: Uint8Array = new Uint8Array(0);
  #used = 0;
  #taken = 0;

  /** @param place name of the file, for errors */
  constructor(pieces: AsyncIterable<Uint8Array>, place: string) {
    this.#place = place;
    this.#pieces = pieces[Symbol.asyncIterator]();
  }

  /**
   * The next bytes; a view where they came in one piece, so valid as long as the stream leaves it alone.
   * @throws DatasetError when there are fewer, or the stream fails
   */
  async take(length: number): Promise<Uint8Array> {
    if (this.#piece.length - this.#used >= length) return this.#cut(length);
    const bytes = new Uint8Array(length);
    for (let filled = 0; filled < length; ) {
      if (this.#used === this.#piece.length && !(await this.#next())) {
        throw new DatasetError(
          `Expected ${length} bytes from byte ${this.#taken - filled} of ${this.#place} on but received ${filled}`,
        );
      }
      const part = this.#cut(Math.min(length - filled, this.#piece.length - this.#used));
      bytes.set(part, filled);
      filled += part.length;
    }
    return bytes;
  }

  /** @throws DatasetError when there are more bytes */
  async expectEnd(): Promise<void> {
    while (this.#used === this.#piece.length) if (!(await this.#next())) return;
    throw new DatasetError(`Expected the end of ${this.#place} after ${this.#taken} bytes but received more`);
  }

  /** Lets go of the stream, also when it is not at its end. */
  async close(): Promise<void> {
    await this.#pieces.return?.();
  }

  #cut(length: number): Uint8Array {
    const part = this.#piece.subarray(this.#used, this.#used + length);
    this.#used += length;
    this.#taken += length;
    return part;
  }

  /** @returns false at the end of the stream */
  async #next(): Promise<boolean> {
    try {
      const { done, value } = await this.#pieces.next();
      if (done) return false;
      this.#piece = value;
      this.#used = 0;
      return true;
    } catch (cause) {
      throw new DatasetError(
        `Expected a readable file at ${this.#place} but received after ${this.#taken} bytes: ${(cause as Error).message}`,
        { cause },
      );
    }
  }
}
