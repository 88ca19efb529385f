import { z } from 'zod';
import { DatasetError } from '../../errors.js';
import type { ImageLabels } from '../sample.js';
import { checkRelativePath } from '../staging.js';
import { box3dSchema, cameraSchema } from './schema3d.js';

/** Deeper JSON is refused: later steps (writing it again) call themselves once a level. */
const MAX_DEPTH = 32;
const MAX_SIDE = 65535;

const natural = z.number().int().min(0).max(Number.MAX_SAFE_INTEGER);
const side = z.number().int().min(1).max(MAX_SIDE);
const objectSchema = z.looseObject({
  class: z.string(),
  box: z.tuple([z.number(), z.number(), z.number(), z.number()]).nullable(),
  box3d: box3dSchema.nullish(),
});
const recordSchema = z.looseObject({
  key: z.string().min(1),
  index: natural,
  seed: natural.optional(),
  width: side,
  height: side,
  channels: z.union([z.literal(1), z.literal(3)]),
  camera: cameraSchema.optional(),
  objects: z.array(objectSchema),
});

/**
 * Checks a label record that was read from a dataset, and gives it back as it is: the same keys in the same order, so
 * that it hashes like the one that was written.
 * @param where file and line, for errors
 * @throws DatasetError naming the field; also when the key could not be part of a path
 */
export function checkLabelRecord(value: unknown, where: string): ImageLabels {
  const { data, error } = recordSchema.safeParse(value);
  if (error) {
    const { path, message } = error.issues[0];
    throw new DatasetError(`Expected a label record in ${where} but received a bad "${path.join('.')}": ${message}`);
  }
  try {
    checkRelativePath(data.key);
  } catch (cause) {
    throw new DatasetError(`Expected a key that can name files in ${where} but received ${JSON.stringify(data.key)}`, {
      cause,
    });
  }
  return value as ImageLabels;
}

/**
 * Parses JSON from a dataset of unknown origin.
 * @param where file and line, for errors
 * @throws DatasetError when it is no JSON, holds a number beyond all bounds (`1e400`) or a key `__proto__`, or is nested
 *   more than 32 deep
 */
export function parseForeignJson(text: string, where: string): unknown {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new DatasetError(`Expected JSON in ${where} but received: ${(cause as Error).message}`, { cause });
  }
  checkTame(value, where, 0);
  return value;
}

function checkTame(value: unknown, where: string, depth: number): void {
  if (typeof value === 'number' && !Number.isFinite(value)) {
    throw new DatasetError(`Expected finite numbers in ${where} but received ${value}`);
  }
  if (typeof value !== 'object' || value === null) return;
  if (depth === MAX_DEPTH) throw new DatasetError(`Expected JSON nested at most ${MAX_DEPTH} deep in ${where}`);
  if (Object.hasOwn(value, '__proto__')) throw new DatasetError(`Expected no key "__proto__" in ${where}`);
  for (const child of Object.values(value)) checkTame(child, where, depth + 1);
}
