import { z } from 'zod';
import { DatasetError } from '../../errors.js';
import type { FinishContext } from '../format.js';
import type { DatasetInfo } from '../sample.js';
import type { DatasetFolder } from './datasetFolder.js';
import { parseForeignJson } from './labelRecord.js';

/** What holds for all samples, in formats that have no place of their own for it: class lists above all. */
export const INFO_PATH = 'info.json';

const names = z.array(z.string()).max(65535);
const side = z.number().int().min(1).max(65535).optional();
const infoSchema = z.object({
  name: z.string(),
  count: z.number().int().min(0),
  classes: names,
  things: names,
  split: z.string(),
  codec: z.enum(['png', 'jpeg', 'webp']),
  masks: z.boolean(),
  scenes: z.boolean(),
  width: side,
  height: side,
  channels: z.union([z.literal(1), z.literal(3)]).optional(),
  depth: z.boolean().optional(),
  normals: z.boolean().optional(),
  dimension: z.literal(3).optional(),
});

/** `DatasetInfo` and the number of samples. */
export interface CountedInfo {
  readonly info: DatasetInfo;
  readonly count: number;
}

export async function writeInfo(context: FinishContext, info: DatasetInfo): Promise<void> {
  await context.write(INFO_PATH, `${JSON.stringify(infoRecord(info, context.count), null, 2)}\n`);
}

/** The information as JSON holds it; `checkInfo` takes it apart. */
export function infoRecord(info: DatasetInfo, count: number): object {
  const { name, classes, things, split, codec, masks, scenes, width, height, channels, depth, normals, dimension } =
    info;
  const flat = { name, count, classes, things, split, codec, masks, scenes, width, height, channels };
  return { ...flat, depth, normals, dimension };
}

/**
 * The information that `writeInfo` wrote; undefined where there is no such file.
 * @throws DatasetError when it is damaged
 */
export async function readInfo(folder: DatasetFolder): Promise<CountedInfo | undefined> {
  if (!(await folder.has(INFO_PATH))) return undefined;
  const place = folder.at(INFO_PATH);
  return checkInfo(parseForeignJson(await folder.text(INFO_PATH), place), place);
}

/**
 * @param value what `infoRecord` gave
 * @param place where it was read, for errors
 * @throws DatasetError naming the field that is damaged
 */
export function checkInfo(value: unknown, place: string): CountedInfo {
  const { data, error } = infoSchema.safeParse(value);
  if (data) {
    const { count, ...info } = data;
    return { info, count };
  }
  const { path, message } = error.issues[0];
  throw new DatasetError(
    `Expected information on a dataset in ${place} but received a bad "${path.join('.')}": ${message}`,
  );
}
