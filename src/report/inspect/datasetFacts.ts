import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import type { AttributeAxis } from '../../dataset/describe/statistics.js';

/** Files of ours that say how a dataset was made, the fullest first. */
const FILES = ['manifest.json', '.metasim/dataset.json'];
/** Larger files are not looked into. */
const MAX_BYTES = 1 << 24;

const text = z.string().max(10_000);
const axis = z.object({ name: text, unit: text, minimum: z.number(), maximum: z.number() });
/** What is shown, each as far as it is there and of the kind expected: a look at a dataset should not fail for its manifest. */
const schema = z.object({
  source: text.optional().catch(undefined),
  seed: z.number().optional().catch(undefined),
  start: z.number().optional().catch(undefined),
  shards: z.number().optional().catch(undefined),
  grammarHash: text.optional().catch(undefined),
  contentHash: text.optional().catch(undefined),
  attributes: z.array(axis).max(1000).optional().catch(undefined),
  licences: z
    .array(z.object({ licence: text, assets: z.number() }))
    .max(1000)
    .optional()
    .catch(undefined),
});

/** How a dataset of ours was made. */
export interface DatasetOrigin {
  /** [what, value], as they are printed. */
  readonly rows: readonly (readonly [string, string | number])[];
  readonly attributes?: readonly AttributeAxis[];
}

/** Reads what the dataset's manifest tells; nothing where it has none, or one that is not ours. */
export async function readOrigin(folder: string): Promise<DatasetOrigin> {
  for (const file of FILES) {
    const value = await readJson(join(folder, file));
    const parsed = schema.safeParse(value);
    if (parsed.success) return { rows: rowsOf(parsed.data), attributes: parsed.data.attributes };
  }
  return { rows: [] };
}

function rowsOf(manifest: z.output<typeof schema>): [string, string | number][] {
  const { source, seed, start, shards, grammarHash, contentHash, licences } = manifest;
  const rows: [string, string | number | undefined][] = [
    ['source', source],
    ['seed', seed],
    ['first scene', start],
    ['shards', shards],
    ['grammar hash', grammarHash],
    ['content hash', contentHash],
    ['licences of assets', licences?.map(({ licence, assets }) => `${licence} (${assets})`).join(', ')],
  ];
  return rows.filter((row): row is [string, string | number] => row[1] !== undefined && row[1] !== '');
}

async function readJson(path: string): Promise<unknown> {
  try {
    const { size } = await stat(path);
    return size <= MAX_BYTES ? JSON.parse(await readFile(path, 'utf8')) : undefined;
  } catch {
    return undefined;
  }
}
