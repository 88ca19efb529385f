import type { StagedFile } from './staging.js';

/**
 * Where a dataset lies: a folder, or a bucket. Everything that more than one machine may do at once goes through it, so
 * each step is atomic: a file is seen whole or not at all, and doing a step twice does no harm.
 */
export interface DatasetStorage {
  /** As the user named it, for messages. */
  readonly place: string;
  /**
   * A local folder for files on their way: on the same file system where the storage is a folder. Not made yet, and
   * unlike any other that was asked for.
   */
  stagingFolder(shard: number): string;
  /**
   * Moves a shard's sealed files from its staging folder to their places, over what is there, durably; then removes the
   * staging folder.
   */
  commit(folder: string, files: readonly StagedFile[]): Promise<void>;
  /** The bytes of a file; undefined where there is none. */
  read(path: string): Promise<Uint8Array | undefined>;
  /** A file in pieces. @throws DatasetError where there is none */
  stream(path: string): AsyncIterable<Uint8Array>;
  /** Size of a file, bytes; undefined where there is none. */
  size(path: string): Promise<number | undefined>;
  /** Name of something that is there; undefined when all is empty. */
  first(): Promise<string | undefined>;
  /** Paths of the files below a folder, sorted; empty where there is none. */
  list(folder: string): Promise<string[]>;
  /** Writes a file, whole or not at all, over what is there. */
  write(path: string, content: AsyncIterable<Uint8Array | string> | Uint8Array | string): Promise<StagedFile>;
  /** Writes a file unless there is one. @returns whether it was written */
  create(path: string, content: Uint8Array | string): Promise<boolean>;
  /** Removes a file, or a folder with all in it; nothing where there is none. */
  remove(path: string): Promise<void>;
  /** Bytes that can still be written; undefined where nobody knows. */
  free(): Promise<number | undefined>;
}
