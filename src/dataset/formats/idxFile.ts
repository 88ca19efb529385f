import { createReadStream } from 'node:fs';
import { open } from 'node:fs/promises';
import { pipeline } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { DatasetError } from '../../errors.js';
import { ByteSource } from './byteSource.js';
import type { DatasetFolder } from './datasetFolder.js';

/**
 * IDX, the format of MNIST (http://yann.lecun.com/exdb/mnist/), for arrays of unsigned bytes:
 *
 * ```
 * offset  type     content
 * 0       u8 × 2   0, 0
 * 2       u8       8: unsigned bytes
 * 3       u8       D, the number of dimensions
 * 4       u32 × D  sizes, outermost first, big-endian
 * 4 + 4D  u8       the data, row-major
 * ```
 */
const UNSIGNED_BYTE = 8;
/** Largest size that the header can say. */
export const MAX_IDX_SIZE = 2 ** 32 - 1;
const GZIP = [0x1f, 0x8b];

/** The header of an IDX file of unsigned bytes. @param shape sizes, outermost first, each below 2³² */
export function idxHeader(shape: readonly number[]): Uint8Array {
  const bytes = new Uint8Array(4 + 4 * shape.length);
  const view = new DataView(bytes.buffer);
  bytes[2] = UNSIGNED_BYTE;
  bytes[3] = shape.length;
  for (const [i, size] of shape.entries()) view.setUint32(4 + 4 * i, size);
  return bytes;
}

/** An opened IDX file: its shape, and the data as a stream. */
export interface IdxStream {
  /** Sizes, outermost first. */
  readonly shape: readonly number[];
  readonly source: ByteSource;
}

/**
 * Opens an IDX file of unsigned bytes, plain or gzipped (told by content, not by name), and reads its header.
 * @param dimensions that it must have
 * @returns a stream for the caller to close
 * @throws DatasetError when it cannot be read or is no such file
 */
export async function openIdx(folder: DatasetFolder, path: string, dimensions: number): Promise<IdxStream> {
  const place = folder.at(path);
  const source = new ByteSource(await unpacked(await folder.file(path)), place);
  try {
    const [zero, one, type, count] = await source.take(4);
    if (zero !== 0 || one !== 0 || type !== UNSIGNED_BYTE || count !== dimensions) {
      throw new DatasetError(
        `Expected an IDX header 0 0 ${UNSIGNED_BYTE} ${dimensions} (unsigned bytes, ${dimensions} dimensions) ` +
          `for ${place} but received ${[zero, one, type, count].join(' ')}`,
      );
    }
    const sizes = await source.take(4 * dimensions);
    const view = new DataView(sizes.buffer, sizes.byteOffset, sizes.length);
    return { shape: Array.from({ length: dimensions }, (_, i) => view.getUint32(4 * i)), source };
  } catch (error) {
    await source.close();
    throw error;
  }
}

/** The bytes of a file as a stream, unpacked if it is gzipped. */
async function unpacked(path: string): Promise<AsyncIterable<Uint8Array>> {
  const file = await open(path);
  const start = new Uint8Array(2);
  try {
    await file.read(start, 0, 2, 0);
  } finally {
    await file.close();
  }
  const bytes = createReadStream(path, { highWaterMark: 1 << 18 });
  if (GZIP.some((byte, i) => start[i] !== byte)) return bytes;
  // An error of either stream reaches whoever reads the last one.
  return pipeline(bytes, createGunzip({ chunkSize: 1 << 18 }), () => {});
}
