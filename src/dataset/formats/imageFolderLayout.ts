import type { DatasetFolder } from './datasetFolder.js';
import { isImageName } from './imageFile.js';

export const METADATA_PATH = 'metadata.jsonl';

/** Folder names that Hugging Face takes for splits. */
const SPLIT_NAME = /^(train|training|validation|valid|val|dev|test|testing|eval|evaluation)$/i;
/** Folder names of other formats, which are no classes. */
const NO_CLASS = /^(images?|masks?|labels?|annotations?)$/i;

/** How an imagefolder is laid out. */
export interface ImageFolderLayout {
  /** Rows in `metadata.jsonl`, or a folder a class. */
  readonly kind: 'rows' | 'classes';
  /** Folders of its splits; one empty name where the folder is not divided. */
  readonly splits: readonly string[];
}

/**
 * How the folder is laid out as an imagefolder; undefined where it is none. Only looks at names.
 * @throws DatasetError when a folder cannot be read
 */
export async function findLayout(root: DatasetFolder): Promise<ImageFolderLayout | undefined> {
  if (await root.has(METADATA_PATH)) return { kind: 'rows', splits: [''] };
  const { folders } = await root.names();
  const withRows = await keep(folders, (name) => root.has(`${name}/${METADATA_PATH}`));
  if (withRows.length > 0) return { kind: 'rows', splits: withRows };
  const divided = folders.length > 0 && folders.every((name) => SPLIT_NAME.test(name));
  const splits = await keep(divided ? folders : [''], (name) => holdsClasses(root, name));
  return splits.length > 0 ? { kind: 'classes', splits } : undefined;
}

/** Whether a folder holds folders of images, and none with anything else. */
async function holdsClasses(root: DatasetFolder, path: string): Promise<boolean> {
  const { folders, files } = await root.names(path || '.');
  if (folders.length === 0 || files.some(isImageName) || folders.some((name) => NO_CLASS.test(name))) return false;
  for (const name of folders) {
    const inside = await root.names(path ? `${path}/${name}` : name);
    if (inside.folders.length > 0 || inside.files.length === 0 || !inside.files.every(isImageName)) return false;
  }
  return true;
}

async function keep(names: readonly string[], test: (name: string) => Promise<boolean>): Promise<string[]> {
  const kept: string[] = [];
  for (const name of names) if (await test(name)) kept.push(name);
  return kept;
}
