import { createHash, randomUUID } from 'node:crypto';
import { createReadStream, rmSync } from 'node:fs';
import { link, mkdir, open, opendir, readdir, readFile, rename, rm, stat, statfs, unlink } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { DatasetError } from '../errors.js';
import { checkRelativePath, type StagedFile, syncFolder } from './staging.js';
import type { DatasetStorage } from './storage.js';

/** Where, within the dataset, files are written before they are moved to their places. */
export const STAGING_FOLDER = '.metasim/staging';
const OWN_FOLDER = dirname(STAGING_FOLDER);

/** A dataset in a folder, which may be shared by many machines. */
export class LocalStorage implements DatasetStorage {
  readonly place: string;
  readonly folder: string;
  /** Folders whose names, and those on the way to them, are or will be on the disk. */
  readonly #durable = new Map<string, Promise<void>>();

  /** @param folder made when something is written */
  constructor(folder: string) {
    this.place = folder;
    this.folder = resolve(folder);
  }

  stagingFolder(shard: number): string {
    return join(this.folder, STAGING_FOLDER, `${shard}-${process.pid}-${randomUUID()}`);
  }

  async commit(folder: string, files: readonly StagedFile[]): Promise<void> {
    const folders = new Set<string>();
    for (const { path } of files) {
      const target = this.#full(path);
      if (!folders.has(dirname(target))) await this.#makeFolder(dirname(target));
      folders.add(dirname(target));
      await this.#guard(path, () => rename(join(folder, path), target));
    }
    for (const each of folders) await syncFolder(each);
    rmSync(folder, { recursive: true, force: true });
  }

  async read(path: string): Promise<Uint8Array | undefined> {
    try {
      return await readFile(this.#full(path));
    } catch (error) {
      if (isMissing(error)) return undefined;
      throw this.#unreadable(path, error);
    }
  }

  async *stream(path: string): AsyncIterable<Uint8Array> {
    try {
      yield* createReadStream(this.#full(path), { highWaterMark: 1 << 18 }) as AsyncIterable<Uint8Array>;
    } catch (error) {
      throw this.#unreadable(path, error);
    }
  }

  async size(path: string): Promise<number | undefined> {
    const info = await stat(this.#full(path)).catch(() => undefined);
    return info?.isFile() ? info.size : undefined;
  }

  async first(): Promise<string | undefined> {
    const info = await stat(this.folder).catch(() => undefined);
    if (!info) return undefined;
    if (!info.isDirectory())
      throw new DatasetError(`Expected a folder for the dataset but received the file ${this.place}`);
    for await (const { name } of await opendir(this.folder)) {
      if (name !== OWN_FOLDER || !(await this.#isBarelyBegun())) return name;
    }
    return undefined;
  }

  async list(folder: string): Promise<string[]> {
    const full = this.#full(folder);
    const entries = await readdir(full, { withFileTypes: true, recursive: true }).catch((error) => {
      if (isMissing(error)) return [];
      throw this.#unreadable(folder, error);
    });
    return entries
      .filter((entry) => entry.isFile())
      .map((entry) => `${folder}${join(entry.parentPath, entry.name).slice(full.length).replaceAll('\\', '/')}`)
      .sort();
  }

  async write(path: string, content: AsyncIterable<Uint8Array | string> | Uint8Array | string): Promise<StagedFile> {
    const temporary = await this.#writeTemporary(path, content);
    await this.#guard(path, async () => {
      await rename(temporary.full, this.#full(path));
      await syncFolder(dirname(this.#full(path)));
    });
    return temporary.file;
  }

  async create(path: string, content: Uint8Array | string): Promise<boolean> {
    const { full } = await this.#writeTemporary(path, content);
    try {
      // Unlike rename, link never replaces.
      await link(full, this.#full(path));
      await syncFolder(dirname(this.#full(path)));
      return true;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
      throw this.#unwritable(path, error);
    } finally {
      await unlink(full);
    }
  }

  async remove(path: string): Promise<void> {
    await rm(this.#full(path), { recursive: true, force: true });
  }

  async free(): Promise<number | undefined> {
    for (let folder = this.folder; ; folder = dirname(folder)) {
      const info = await statfs(folder).catch(() => undefined);
      if (info) return info.bavail * info.bsize;
      if (folder === dirname(folder)) return undefined;
    }
  }

  /** Whether a run was killed here, or found no room, before its dataset began: there are only files on their way. */
  async #isBarelyBegun(): Promise<boolean> {
    const names = await readdir(join(this.folder, OWN_FOLDER)).catch(() => ['']);
    return names.every((name) => name === basename(STAGING_FOLDER));
  }

  async #writeTemporary(path: string, content: AsyncIterable<Uint8Array | string> | Uint8Array | string) {
    const target = this.#full(path);
    const full = join(this.folder, STAGING_FOLDER, `file-${process.pid}-${randomUUID()}`);
    return this.#guard(path, async () => {
      await this.#makeFolder(dirname(target));
      await this.#makeFolder(dirname(full));
      const hash = createHash('sha256');
      let bytes = 0;
      const file = await open(full, 'wx');
      try {
        const pieces = typeof content === 'string' || content instanceof Uint8Array ? [content] : content;
        for await (const piece of pieces) {
          const chunk = typeof piece === 'string' ? Buffer.from(piece) : piece;
          hash.update(chunk);
          bytes += chunk.length;
          await file.appendFile(chunk);
        }
        await file.sync();
      } catch (error) {
        await file.close();
        await rm(full, { force: true });
        throw error;
      }
      await file.close();
      return { full, file: { path, bytes, sha256: hash.digest('hex') } };
    });
  }

  /**
   * Makes a folder that outlasts a power cut with its files. Also one that is there already: whoever made it, another
   * shard or one that was killed, may not have come to sync its name.
   */
  async #makeFolder(folder: string): Promise<void> {
    const made = await mkdir(folder, { recursive: true });
    let durable = made === undefined ? this.#durable.get(folder) : undefined;
    if (!durable) {
      const top = made !== undefined && made.length <= this.folder.length ? dirname(made) : this.folder;
      durable = syncUpTo(top, folder);
      this.#durable.set(folder, durable);
      durable.catch(() => this.#durable.delete(folder));
    }
    await durable;
  }

  #full(path: string): string {
    checkRelativePath(path);
    return join(this.folder, path);
  }

  async #guard<T>(path: string, step: () => Promise<T>): Promise<T> {
    try {
      return await step();
    } catch (error) {
      if (error instanceof DatasetError) throw error;
      throw this.#unwritable(path, error);
    }
  }

  #unwritable(path: string, cause: unknown): DatasetError {
    const reason = (cause as Error).message;
    return new DatasetError(`Expected to be able to write ${join(this.place, path)} but received: ${reason}`, {
      cause,
    });
  }

  #unreadable(path: string, cause: unknown): DatasetError {
    const reason = (cause as Error).message;
    return new DatasetError(`Expected a readable file at ${join(this.place, path)} but received: ${reason}`, { cause });
  }
}

function isMissing(error: unknown): boolean {
  return ['ENOENT', 'ENOTDIR'].includes((error as NodeJS.ErrnoException).code ?? '');
}

/** Makes the names of folders outlast a power cut, from one folder up to another one that it lies in. */
async function syncUpTo(top: string, folder: string): Promise<void> {
  for (let each = folder; ; each = dirname(each)) {
    await syncFolder(each);
    if (each.length <= top.length) return;
  }
}
