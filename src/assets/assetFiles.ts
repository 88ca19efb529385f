import { readdir, readFile, stat } from 'node:fs/promises';
import { sep } from 'node:path';
import { AssetError } from '../errors.js';

/** Largest file that is read whole. */
export const MAX_FILE_BYTES = 2 ** 28;

/**
 * Relative paths of all files below `dir`, `/` between folders, in code-unit order (the same on every file system).
 * @param what holds, for the error, e.g. `images`
 * @throws AssetError when the folder cannot be read
 */
export async function listFiles(dir: string, what: string): Promise<string[]> {
  try {
    const entries = await readdir(dir, { recursive: true });
    return entries.map((entry) => entry.split(sep).join('/')).sort();
  } catch (cause) {
    throw new AssetError(`Expected a readable folder of ${what} at ${dir} (${String(cause)})`, { cause });
  }
}

/**
 * The bytes of a file of at most {@link MAX_FILE_BYTES}.
 * @param what it is, for the error, e.g. `image`
 * @throws AssetError when it cannot be read or is larger
 */
export async function readAssetFile(path: string, what: string): Promise<Uint8Array> {
  try {
    const { size } = await stat(path);
    if (size <= MAX_FILE_BYTES) return await readFile(path);
    throw new AssetError(`Expected at most ${MAX_FILE_BYTES} bytes for ${path} but received ${size}`);
  } catch (cause) {
    if (cause instanceof AssetError) throw cause;
    throw new AssetError(`Expected a readable ${what} at ${path} (${String(cause)})`, { cause });
  }
}
