import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { ConfigError, DatasetError } from '../errors.js';
import { RandomStream } from '../random.js';
import type { DatasetReader } from './format.js';
import { DatasetFolder } from './formats/datasetFolder.js';
import { findTraining, openKitti } from './formats/kittiReader.js';

/** Digits of KITTI's numbers. */
const DIGITS = 6;

const frameTable = z.array(
  z.looseObject({ id: z.string().min(1), drive: z.tuple([z.string(), z.string().min(1), z.string()]) }),
);

/** Frames of KITTI in two parts that have no drive in common; names in their order. */
export interface KittiSplit {
  readonly train: readonly string[];
  readonly validation: readonly string[];
}

export interface KittiSplitOptions {
  /** Share of the frames wanted for validation, above 0 and below 1; default 0.3. Whole drives come near it. */
  readonly validation?: number;
  readonly seed?: number;
}

/**
 * The drive of every frame: frames of a drive show the same streets and cars a tenth of a second apart, so they must not be
 * split.
 * @param path KITTI's folder `mapping` (`train_mapping.txt`, `train_rand.txt`: the development kit), or a JSON file:
 *   `[{ "id": "000000", "drive": [date, drive, frame] }, …]`
 * @returns drive by name of the frame (`000000`)
 * @throws DatasetError when it cannot be read or is neither
 */
export async function readKittiDrives(path: string): Promise<ReadonlyMap<string, string>> {
  const folder = (await stat(path).catch(() => undefined))?.isDirectory() ?? false;
  return folder ? readMapping(path) : readTable(path);
}

/**
 * Splits frames by drive, never by frame. Drives are drawn with the seed; one joins the validation set where that brings it
 * nearer to its share.
 * @throws DatasetError for a frame without a drive, or fewer than two drives; ConfigError for a share that is none
 */
export function splitByDrive(
  frames: Iterable<string>,
  drives: ReadonlyMap<string, string>,
  { validation: share = 0.3, seed = 0 }: KittiSplitOptions = {},
): KittiSplit {
  if (!(share > 0 && share < 1)) {
    throw new ConfigError(`Expected a share above 0 and below 1 for validation but received ${share}`);
  }
  const names = [...frames];
  const byDrive = new Map<string, number>();
  const driveOf = (name: string): string => {
    const drive = drives.get(name);
    if (drive === undefined) throw new DatasetError(`Expected the drive of frame ${name} but received none`);
    return drive;
  };
  for (const name of names) byDrive.set(driveOf(name), (byDrive.get(driveOf(name)) ?? 0) + 1);
  if (byDrive.size < 2) throw new DatasetError(`Expected frames of two drives or more but received ${byDrive.size}`);
  const wanted = share * names.length;
  const chosen = new Set<string>();
  let count = 0;
  // In an order of their own, so that it does not matter in which the frames came.
  for (const [drive, size] of shuffled([...byDrive].sort(), seed)) {
    const nearer = Math.abs(count + size - wanted) < Math.abs(count - wanted);
    // A drive is left to train on, however large the share.
    if (!nearer || chosen.size === byDrive.size - 1) continue;
    chosen.add(drive);
    count += size;
  }
  // All drives may be too large for a small share.
  if (chosen.size === 0) chosen.add([...byDrive].sort((a, b) => a[1] - b[1] || (a[0] < b[0] ? -1 : 1))[0][0]);
  return {
    train: names.filter((name) => !chosen.has(driveOf(name))),
    validation: names.filter((name) => chosen.has(driveOf(name))),
  };
}

/**
 * Opens some frames of a dataset in KITTI's layout, in the order given.
 * @param folder of the dataset, or its folder `training`
 * @param frames names of the frames, e.g. a part of `splitByDrive`
 * @param split what they are called together
 * @throws DatasetError when there is no such dataset; from `samples`, when a frame is missing or damaged
 */
export async function openKittiFrames(
  folder: string,
  frames: readonly string[],
  split = 'training',
): Promise<DatasetReader> {
  const opened = await DatasetFolder.open(folder);
  const training = await findTraining(opened);
  if (training === undefined) {
    throw new DatasetError(`Expected training/image_2 and training/label_2 in ${folder} but received none`);
  }
  return openKitti(opened, training, { stems: frames, split });
}

async function readTable(path: string): Promise<ReadonlyMap<string, string>> {
  let value: unknown;
  try {
    value = JSON.parse(await readFile(path, 'utf8'));
  } catch (cause) {
    throw new DatasetError(`Expected JSON at ${path} but received: ${(cause as Error).message}`, { cause });
  }
  const { data, error } = frameTable.safeParse(value);
  if (error) {
    const { path: at, message } = error.issues[0];
    throw new DatasetError(
      `Expected frames with "id" and "drive" in ${path} but received at ${at.join('.')}: ${message}`,
    );
  }
  return new Map(data.map(({ id, drive }) => [id, drive[1]]));
}

/** KITTI's own: a line a source frame, and for each frame of the benchmark the number of its line, from 1. */
async function readMapping(folder: string): Promise<ReadonlyMap<string, string>> {
  const read = async (name: string) => {
    const path = join(folder, name);
    try {
      return { path, text: await readFile(path, 'utf8') };
    } catch (cause) {
      throw new DatasetError(`Expected a readable file at ${path} but received: ${(cause as Error).message}`, {
        cause,
      });
    }
  };
  const [lines, numbers] = await Promise.all([read('train_mapping.txt'), read('train_rand.txt')]);
  const sources = lines.text.trim().split('\n');
  const order = numbers.text.trim().split(/[\s,]+/);
  return new Map(
    order.map((number, i) => {
      const [, drive] = sources[Number(number) - 1]?.trim().split(/\s+/) ?? [];
      if (drive === undefined) {
        throw new DatasetError(
          `Expected a line of ${lines.path} (1 to ${sources.length}) for frame ${i} in ${numbers.path} but received ${JSON.stringify(number)}`,
        );
      }
      return [String(i).padStart(DIGITS, '0'), drive];
    }),
  );
}

/** In an order that depends on the seed alone (Fisher and Yates). */
function shuffled<T>(values: T[], seed: number): T[] {
  const random = new RandomStream({ seed, index: 0 });
  for (let i = values.length - 1; i > 0; i--) {
    const j = random.integer(i + 1);
    [values[i], values[j]] = [values[j], values[i]];
  }
  return values;
}
