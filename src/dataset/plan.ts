import { DatasetError } from '../errors.js';

/** Images of one dataset at most. */
export const MAX_DATASET_COUNT = 100_000_000;
/** Scene indices of images end here; above lie those of the scenes that stand in for others (`standInIndex`). */
export const MAX_SCENE_NUMBER = 2 ** 43;
/** How many scenes are tried for one image. */
export const MAX_ATTEMPTS = 16;
export const MAX_SHARD_SIZE = 1_000_000;
export const DEFAULT_SHARD_SIZE = 1000;

/** How a dataset is cut into shards. */
export interface ShardPlan {
  /** Images of the whole dataset. */
  readonly count: number;
  /** Images of a shard; the last one may have fewer. */
  readonly shardSize: number;
}

/** A range of a dataset's images: `first` … `first + count − 1`, from 0. */
export interface ShardRange {
  readonly first: number;
  readonly count: number;
}

/** Number of shards of the whole dataset. */
export function shardsOf({ count, shardSize }: ShardPlan): number {
  return Math.ceil(count / shardSize);
}

/** The images of a shard. */
export function shardRange(plan: ShardPlan, shard: number): ShardRange {
  const first = shard * plan.shardSize;
  return { first, count: Math.min(plan.shardSize, plan.count - first) };
}

/**
 * The shards that machine `index` of `machines` makes: a run of neighbours, so that all machines together make each
 * shard once, and the numbers differ by one at most.
 * @throws DatasetError when index is not among 0 … machines − 1
 */
export function shardsOfMachine(plan: ShardPlan, index: number, machines: number): number[] {
  if (!Number.isInteger(machines) || machines < 1) {
    throw new DatasetError(`Expected an integer of at least 1 for the shard count but received ${machines}`);
  }
  if (!Number.isInteger(index) || index < 0 || index >= machines) {
    throw new DatasetError(
      `Expected an integer from 0 to ${machines - 1} for the shard index (of ${machines}) but received ${index}`,
    );
  }
  const shards = shardsOf(plan);
  const from = Math.floor((index * shards) / machines);
  const to = Math.floor(((index + 1) * shards) / machines);
  return Array.from({ length: to - from }, (_, i) => from + i);
}

/**
 * Scene index that image `number` is made of at an attempt: the number itself, and where that scene cannot be rendered
 * one far beyond all numbers, so that the stand-in depends on nothing but the number.
 */
export function standInIndex(number: number, attempt: number): number {
  return number + attempt * MAX_SCENE_NUMBER;
}
