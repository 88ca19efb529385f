import type { StagedFile } from '../staging.js';

/** Files that hold many samples, or span the dataset: described one by one, with their hashes. */
const SINGLE = new Set(['tar', 'parquet', 'tfrecord', 'json', 'jsonl', 'yaml', 'ubyte']);
/** More files of a group than this are not described one by one. */
const MAX_LISTED = 2000;
/** A dataset's own files elsewhere in `.metasim` are no part of what it offers. */
const OWN_FOLDER = '.metasim/';
const RECORDS_FOLDER = '.metasim/labels/';

/** Files of one folder and kind. */
export interface FileGroup {
  /** A glob that matches all of them, relative to the dataset. */
  readonly glob: string;
  /** Without a dot, lower case; empty where the names have none. */
  readonly extension: string;
  readonly count: number;
  readonly bytes: number;
  /** The files themselves, sorted by path: absent where each is one sample's, or where they are too many. */
  readonly files?: readonly StagedFile[];
}

/** Sums up the files of a dataset by folder and kind, in memory that does not grow with the number of images. */
export class FileTally {
  readonly #groups = new Map<string, { extension: string; count: number; bytes: number; files?: StagedFile[] }>();

  add(file: StagedFile): void {
    if (file.path.startsWith(OWN_FOLDER) && !file.path.startsWith(RECORDS_FOLDER)) return;
    const extension = extensionOf(file.path);
    const glob = globOf(file.path, extension);
    let group = this.#groups.get(glob);
    if (!group) {
      group = { extension, count: 0, bytes: 0, ...(SINGLE.has(extension) ? { files: [] } : {}) };
      this.#groups.set(glob, group);
    }
    group.count++;
    group.bytes += file.bytes;
    if (group.count > MAX_LISTED) group.files = undefined;
    group.files?.push(file);
  }

  /** Sorted by glob, whatever the order in which the files came. */
  groups(): FileGroup[] {
    return [...this.#groups]
      .map(([glob, { files, ...group }]) => ({ glob, ...group, ...(files ? { files: files.sort(byPath) } : {}) }))
      .sort((a, b) => (a.glob < b.glob ? -1 : 1));
  }
}

function byPath(a: StagedFile, b: StagedFile): number {
  return a.path < b.path ? -1 : 1;
}

/** `ubyte` for IDX, whose names end in `-ubyte`. */
function extensionOf(path: string): string {
  const name = path.slice(path.lastIndexOf('/') + 1);
  return /(?:\.([A-Za-z0-9]+)|-(ubyte))$/.exec(name)?.slice(1).find(Boolean)?.toLowerCase() ?? '';
}

/**
 * Numbers become `*`, where they number folders (digits only) or shards (five digits or more); of files that are one
 * sample's each, which may be called anything, only the ending is kept.
 */
function globOf(path: string, extension: string): string {
  const parts = path.split('/');
  const name = parts.pop() as string;
  const folders = parts.map((part) => part.replace(/^\d+$|\d{5,}/g, '*'));
  const single = SINGLE.has(extension) || extension === '';
  return [...folders, single ? name.replace(/\d{5,}/g, '*') : `*.${extension}`].join('/');
}
