import { createHash, type Hash } from 'node:crypto';
import type { DatasetSample } from './sample.js';

/** Bytes of a digest. */
export const DIGEST_BYTES = 32;

/**
 * SHA-256 of what a sample says: its label record as JSON, a zero byte, and its pixels [H, W, C]; with a codec that
 * loses pixels the encoded bytes instead, since nobody can get back to the pixels. The same whatever format, compressor
 * or machine wrote it.
 * @param recordJson `JSON.stringify(sample.labels)`
 * @param pixels decoded; needed for PNG
 */
export function sampleDigest(recordJson: string, sample: DatasetSample, pixels: Uint8Array): Buffer {
  const payload = sample.image.codec === 'png' ? pixels : sample.image.bytes;
  return createHash('sha256').update(recordJson).update('\0').update(payload).digest();
}

/** Content hash of a dataset: SHA-256 of its samples' digests in order, however they were cut into shards. */
export class ContentHash {
  readonly #hash: Hash = createHash('sha256');

  /** @param digests of the next samples, 32 bytes each */
  add(digests: Uint8Array): void {
    this.#hash.update(digests);
  }

  /** Hexadecimal; ends the hash. */
  digest(): string {
    return this.#hash.digest('hex');
  }
}
