import * as zlib from 'node:zlib';
import { type CompressionCodec, type Compressors, snappyUncompress } from 'hyparquet';

type Decompress = (input: Uint8Array, outputLength: number) => Uint8Array;

/** Came with Node 22.15. */
const zstdDecompress = (zlib as { zstdDecompressSync?: (input: Uint8Array, options: zlib.ZlibOptions) => Buffer })
  .zstdDecompressSync;

/** Pages are never unpacked to more: 1 GiB. */
const MAX_PAGE_BYTES = 2 ** 30;

/** What unpacks a page; each stops at the size that the page's header gives. */
export const DECOMPRESSORS: Compressors = {
  SNAPPY: (input, length) => {
    const output = new Uint8Array(length);
    snappyUncompress(input, output);
    return output;
  },
  GZIP: bounded((input, maxOutputLength) => zlib.gunzipSync(input, { maxOutputLength })),
  BROTLI: bounded((input, maxOutputLength) => zlib.brotliDecompressSync(input, { maxOutputLength })),
  ...(zstdDecompress && { ZSTD: bounded((input, maxOutputLength) => zstdDecompress(input, { maxOutputLength })) }),
};

/**
 * How many bytes so many compressed ones can become: what a header claims beyond it is damage, and is not allocated.
 * @returns undefined for a codec that cannot be read
 */
export function mostUncompressed(codec: CompressionCodec, compressed: number): number | undefined {
  switch (codec) {
    case 'UNCOMPRESSED':
      return compressed;
    case 'SNAPPY':
      // At best three bytes stand for 64.
      return Math.min(MAX_PAGE_BYTES, 22 * compressed + 64);
    case 'GZIP':
      return Math.min(MAX_PAGE_BYTES, 1032 * compressed + 64);
    default:
      return DECOMPRESSORS[codec] && MAX_PAGE_BYTES;
  }
}

/** @param unpack throws when there are more than `maxOutputLength` bytes; 0 is no bound to it */
function bounded(unpack: Decompress): Decompress {
  return (input, length) => unpack(input, Math.max(length, 1));
}
