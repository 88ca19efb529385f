import { createReadStream } from 'node:fs';
import { readdir, readFile, realpath, stat } from 'node:fs/promises';
import { basename, join, sep } from 'node:path';
import { DatasetError } from '../../errors.js';
import { checkRelativePath } from '../staging.js';
import { readLines, type TextLine } from './textLines.js';

/** Larger files are not read in one piece: 1 GiB. */
const MAX_FILE_BYTES = 2 ** 30;

/**
 * The folder of a dataset that anybody may have made. No path within it leads out: neither by `..`, nor as an absolute
 * path, nor through a symbolic link.
 */
export class DatasetFolder {
  /** As the user named it. */
  readonly path: string;
  readonly #real: string;

  private constructor(path: string, real: string) {
    this.path = path;
    this.#real = real;
  }

  /** @throws DatasetError when it is not a folder that can be read */
  static async open(path: string): Promise<DatasetFolder> {
    const info = await stat(path).catch((cause) => {
      throw new DatasetError(`Expected the folder of a dataset at ${path} but received: ${cause.message}`, { cause });
    });
    if (!info.isDirectory()) throw new DatasetError(`Expected the folder of a dataset but received the file ${path}`);
    return new DatasetFolder(path, await realpath(path));
  }

  /** Name of the folder itself. */
  get name(): string {
    return basename(this.#real);
  }

  /** A path within the folder as messages show it. */
  at(path: string): string {
    return join(this.path, path);
  }

  /**
   * Full path of a file of the folder.
   * @param path relative, with `/`
   * @param where what names the path, for errors: a file and a line
   * @param maxBytes larger files are refused; `Infinity` for those that are read as a stream
   * @throws DatasetError when there is no such file, or it does not lie in the folder
   */
  async file(path: string, where = this.path, maxBytes = MAX_FILE_BYTES): Promise<string> {
    try {
      checkRelativePath(path);
    } catch (cause) {
      throw this.#outside(path, where, cause);
    }
    const full = join(this.#real, path);
    const real = await realpath(full).catch((cause: NodeJS.ErrnoException) => {
      throw new DatasetError(
        `Expected the file ${JSON.stringify(path)}, named in ${where}, but received ${cause.code}`,
        { cause },
      );
    });
    if (!real.startsWith(this.#real + sep)) throw this.#outside(path, where);
    const info = await stat(real);
    if (!info.isFile()) throw new DatasetError(`Expected a file for ${JSON.stringify(path)}, named in ${where}`);
    if (info.size > maxBytes) {
      throw new DatasetError(`Expected at most ${maxBytes} bytes for ${this.at(path)} but received ${info.size}`);
    }
    return full;
  }

  /** Content of a small file. @throws as `file`, and when it cannot be read */
  async read(path: string, where?: string): Promise<Uint8Array> {
    const full = await this.file(path, where);
    try {
      return await readFile(full);
    } catch (cause) {
      throw new DatasetError(`Expected a readable file at ${this.at(path)} but received: ${(cause as Error).message}`, {
        cause,
      });
    }
  }

  /** Content of a small text file, UTF-8. @throws as `read`, and for other bytes */
  async text(path: string, where?: string): Promise<string> {
    try {
      return new TextDecoder('utf-8', { fatal: true }).decode(await this.read(path, where));
    } catch (cause) {
      if (cause instanceof DatasetError) throw cause;
      throw new DatasetError(`Expected UTF-8 in ${this.at(path)} but received other bytes`, { cause });
    }
  }

  /** Lines of a text file of any length, as a stream. @throws DatasetError as `file` and `readLines` do */
  async *lines(path: string): AsyncGenerator<TextLine> {
    yield* readLines(createReadStream(await this.file(path), { highWaterMark: 1 << 18 }), this.at(path));
  }

  /** Whether there is a file of that name, which may be a link. */
  async has(path: string): Promise<boolean> {
    const info = await stat(join(this.#real, path)).catch(() => undefined);
    return info?.isFile() ?? false;
  }

  /** Whether there is a folder of that name. */
  async hasFolder(path: string): Promise<boolean> {
    const info = await stat(join(this.#real, path)).catch(() => undefined);
    return info?.isDirectory() ?? false;
  }

  /**
   * Names in a folder below, sorted, hidden ones left out.
   * @throws DatasetError when it cannot be read or lies elsewhere
   */
  async names(path = '.'): Promise<{ readonly folders: string[]; readonly files: string[] }> {
    const full = join(this.#real, path);
    try {
      const real = await realpath(full);
      if (real !== this.#real && !real.startsWith(this.#real + sep)) throw this.#outside(path, this.path);
      const entries = (await readdir(full, { withFileTypes: true })).filter(({ name }) => !name.startsWith('.'));
      const sorted = (wanted: boolean) =>
        entries
          .filter((entry) => entry.isDirectory() === wanted)
          .map(({ name }) => name)
          .sort();
      return { folders: sorted(true), files: sorted(false) };
    } catch (cause) {
      if (cause instanceof DatasetError) throw cause;
      throw new DatasetError(
        `Expected a readable folder at ${this.at(path)} but received: ${(cause as Error).message}`,
        {
          cause,
        },
      );
    }
  }

  #outside(path: string, where: string, cause?: unknown): DatasetError {
    return new DatasetError(
      `Expected a path within ${this.path} in ${where} but received ${JSON.stringify(path)}`,
      cause ? { cause } : {},
    );
  }
}
