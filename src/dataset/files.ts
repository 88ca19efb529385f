import { mkdir, readdir, rename, rm, rmdir, stat, writeFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { DatasetError } from '../errors.js';

/** What a half-written file is called until it is complete. */
export const PARTIAL_SUFFIX = '.partial';

/**
 * Writes a file under a temporary name beside it and renames it, so that nobody ever sees half of it. Folders on the
 * way are made.
 * @throws DatasetError when that cannot be done, e.g. because one of the folders is a file
 */
export async function writeFileWhole(path: string, content: string | Uint8Array): Promise<void> {
  const partial = `${path}.${process.pid}${PARTIAL_SUFFIX}`;
  try {
    await mkdir(dirname(path), { recursive: true });
    await writeFile(partial, content);
    await rename(partial, path);
  } catch (cause) {
    await rm(partial, { force: true }).catch(() => {});
    throw new DatasetError(`Expected to be able to write ${path} but received: ${(cause as Error).message}`, { cause });
  }
}

/** A folder that is being filled. */
export interface OutputFolder {
  readonly path: string;
  /** Takes away what was written, and the folders if they were made for it: after a failure. */
  discard(): Promise<void>;
}

/**
 * Makes sure that `path` is an empty folder, making it where needed.
 * @throws DatasetError when it is a file or a folder with something in it, or cannot be made
 */
export async function openOutputFolder(path: string): Promise<OutputFolder> {
  const full = resolve(path);
  await expectNewOrEmpty(path);
  const firstMade = await mkdir(full, { recursive: true }).catch((cause: Error) => {
    throw new DatasetError(`Expected to be able to make the folder ${path} but received: ${cause.message}`, { cause });
  });
  return {
    path: full,
    async discard() {
      // It was empty when it was opened: everything in it is ours.
      for (const name of await readdir(full)) await rm(`${full}/${name}`, { recursive: true, force: true });
      if (firstMade === undefined) return;
      for (let folder = full; folder.length >= firstMade.length; folder = dirname(folder)) {
        // A folder that somebody else has put something into stays.
        if (
          !(await rmdir(folder).then(
            () => true,
            () => false,
          ))
        )
          return;
      }
    },
  };
}

/**
 * Checks that nothing would be overwritten at `path`, without touching it.
 * @throws DatasetError when it is a file or a folder with something in it
 */
export async function expectNewOrEmpty(path: string): Promise<void> {
  const info = await stat(path).catch(() => undefined);
  if (info === undefined) return;
  if (!info.isDirectory()) throw new DatasetError(`Expected a folder for the output but received the file ${path}`);
  const [first] = await readdir(path);
  if (first !== undefined) {
    throw new DatasetError(`Expected a new or empty folder for the output but received ${path}, which holds ${first}`);
  }
}
