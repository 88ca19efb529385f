import { stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { DatasetError } from '../../errors.js';
import { DatasetFolder } from './datasetFolder.js';
import { readInfo } from './infoFile.js';

/** The archives of one split, in the order of their numbers. */
export interface ShardFiles {
  readonly folder: DatasetFolder;
  readonly split: string;
  /** Names within the folder. */
  readonly names: readonly string[];
}

/** A shard's name: that of its split, and its number if it has one. */
const SHARD_NAME = /^(.*?)[-_.]?(\d+)?\.tar$/;

/** Whether there are tar archives in a folder. */
export async function hasShards(path: string): Promise<boolean> {
  try {
    return (await archives(await DatasetFolder.open(path))).length > 0;
  } catch {
    return false;
  }
}

/**
 * Finds the shards of a WebDataset.
 * @param path its folder; where that holds several splits, the folder and the beginning of their names (`data/train`)
 * @throws DatasetError when there are none, or those of several splits, or our own have a gap
 */
export async function findShards(path: string): Promise<ShardFiles> {
  const isFolder = (await stat(path).catch(() => undefined))?.isDirectory() ?? false;
  const folder = await DatasetFolder.open(isFolder ? path : dirname(path));
  const beginning = isFolder ? '' : basename(path);
  const names = (await archives(folder)).filter((name) => name.startsWith(beginning));
  if (names.length === 0) throw new DatasetError(`Expected tar archives in ${path} but received none`);
  const splits = [...new Set(names.map(splitOf))];
  if (splits.length > 1) {
    throw new DatasetError(
      `Expected the archives of one split in ${path} but received ${splits.map((name) => name || '(no name)').join(', ')}; ` +
        `open one of them, e.g. ${join(folder.path, splits.find((name) => name !== '') as string)}-`,
    );
  }
  const ordered = names.sort((a, b) => numberOf(a) - numberOf(b) || (a < b ? -1 : 1));
  if (isFolder && (await readInfo(folder))) {
    const gap = ordered.findIndex((name, i) => numberOf(name) !== i);
    if (gap >= 0) throw new DatasetError(`Expected shard ${gap} of ${path} but received ${ordered[gap]} in its place`);
  }
  return { folder, split: splits[0] || 'train', names: ordered };
}

async function archives(folder: DatasetFolder): Promise<string[]> {
  return (await folder.names()).files.filter((name) => name.endsWith('.tar'));
}

function splitOf(name: string): string {
  return SHARD_NAME.exec(name)?.[1] ?? '';
}

function numberOf(name: string): number {
  return Number(SHARD_NAME.exec(name)?.[2] ?? 0);
}
