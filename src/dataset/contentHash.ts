import * as crypto from 'node:crypto';
import { createHash, type Hash } from 'node:crypto';
import { pixelsOf } from './imageCodec.js';
import type { DatasetSample } from './sample.js';

/** Bytes of a digest. */
export const DIGEST_BYTES = 32;

/**
 * What stands for the image in a digest: its pixels [H, W, C]; with a codec that loses pixels the encoded bytes, since
 * nobody can get back to the pixels. At once where the sample brings them.
 */
export function payloadOf(sample: DatasetSample): Uint8Array | Promise<Uint8Array> {
  if (sample.image.codec !== 'png') return sample.image.bytes;
  return sample.pixels ?? pixelsOf(sample).then(({ pixels }) => pixels);
}

/**
 * SHA-256 of what a sample says: its label record as JSON, a zero byte, and `payloadOf` it. The same whatever format,
 * compressor or machine wrote it.
 * @param recordJson `JSON.stringify(sample.labels)`
 */
export function sampleDigest(recordJson: string, payload: Uint8Array): Uint8Array {
  const most = MAX_UTF8 * recordJson.length + 1 + payload.length;
  if (most > SCRATCH_BYTES) return createHash('sha256').update(recordJson).update('\0').update(payload).digest();
  scratch ??= Buffer.allocUnsafeSlow(SCRATCH_BYTES);
  const record = scratch.write(recordJson);
  scratch[record] = 0;
  scratch.set(payload, record + 1);
  return sha256(scratch.subarray(0, record + 1 + payload.length));
}

/** A hash object costs as much as the hash of a small sample, so these are put together and hashed at once, here. */
let scratch: Buffer | undefined;
const SCRATCH_BYTES = 1 << 16;
/** Bytes of a UTF-16 code unit in UTF-8, at most. */
const MAX_UTF8 = 3;

/** `crypto.hash` came with Node 20.12. */
const sha256: (bytes: Uint8Array) => Uint8Array =
  'hash' in crypto
    ? (bytes) => crypto.hash('sha256', bytes, 'buffer')
    : (bytes) => createHash('sha256').update(bytes).digest();

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
