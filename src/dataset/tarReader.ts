import { createReadStream } from 'node:fs';
import { open } from 'node:fs/promises';
import { extract } from 'tar-stream';
import { DatasetError } from '../errors.js';
import { checkRelativePath } from './staging.js';

const BLOCK = 512;
/** Larger files in an archive are refused. */
export const MAX_TAR_ENTRY_BYTES = 2 ** 28;

/** A file of an archive. */
export interface TarEntry {
  /** Path within the archive, relative, without a leading `./`. */
  readonly name: string;
  readonly bytes: Uint8Array;
}

/**
 * Reads the files of a tar archive (ustar, GNU or pax), one in memory at a time. Folders and links are passed over.
 * @param path of the archive
 * @param place as the user named it, for errors
 * @param wanted whether a file's bytes are of use; the others are passed over too
 * @throws DatasetError, naming archive and file, when it is damaged or cut off, a name leaves the dataset or holds NUL, or
 *   a file is larger than 256 MiB
 */
export async function* readTar(
  path: string,
  place: string,
  wanted: (name: string) => boolean = () => true,
): AsyncGenerator<TarEntry> {
  const source = createReadStream(path, { highWaterMark: 1 << 18 });
  const unpack = extract();
  source.on('error', (error) => unpack.destroy(error));
  source.pipe(unpack);
  let last = '';
  try {
    for await (const entry of unpack) {
      const { name, size = 0, type } = entry.header;
      const clean = name.replace(/^(\.\/+)+/, '');
      const isFile = type === 'file' || type === 'contiguous-file';
      last = clean;
      if (isFile) expectHarmless(clean, size, place);
      if (!isFile || !wanted(clean)) {
        entry.resume();
        continue;
      }
      const pieces: Uint8Array[] = [];
      for await (const piece of entry) pieces.push(piece as Uint8Array);
      yield { name: clean, bytes: pieces.length === 1 ? pieces[0] : Buffer.concat(pieces, size) };
    }
    // An archive that was cut off between two files looks whole but for its last block.
    if (!(await endsInZeros(path))) throw new Error('its end is missing, it was cut off');
  } catch (cause) {
    if (cause instanceof DatasetError) throw cause;
    const where = last === '' ? 'at its first file' : `in or after ${last}`;
    throw new DatasetError(
      `Expected a whole tar archive in ${place} but received, ${where}: ${(cause as Error).message}`,
      { cause },
    );
  } finally {
    source.destroy();
    unpack.destroy();
  }
}

/** Whether a file's last block holds zeros, as every archive's does. */
async function endsInZeros(path: string): Promise<boolean> {
  const file = await open(path);
  try {
    const { size } = await file.stat();
    const { buffer, bytesRead } = await file.read(Buffer.alloc(BLOCK), 0, BLOCK, Math.max(0, size - BLOCK));
    return bytesRead === BLOCK && buffer.every((byte) => byte === 0);
  } finally {
    await file.close();
  }
}

function expectHarmless(name: string, size: number, place: string): void {
  try {
    checkRelativePath(name);
  } catch (cause) {
    throw new DatasetError(`Expected a path within the dataset in ${place} but received ${JSON.stringify(name)}`, {
      cause,
    });
  }
  if (size > MAX_TAR_ENTRY_BYTES) {
    throw new DatasetError(
      `Expected at most ${MAX_TAR_ENTRY_BYTES} bytes for ${name} in ${place} but received ${size}`,
    );
  }
}
