import { z } from 'zod';
import { parseConfig } from '../config.js';
import { DatasetError } from '../errors.js';
import { MAX_DATASET_COUNT, MAX_SCENE_NUMBER, MAX_SHARD_SIZE } from './plan.js';
import type { DatasetInfo } from './sample.js';
import type { DatasetStorage } from './storage.js';
import { layerFlags } from './surfaceLayers.js';

/** Where the header of a dataset lies while and after it is written. */
export const HEADER_PATH = '.metasim/dataset.json';

const natural = z.number().int().min(0).max(Number.MAX_SAFE_INTEGER);
const text = z.string().max(100_000);

/** Column of the attributes. */
const attributeSchema = z.strictObject({
  name: text,
  role: text,
  unit: text,
  minimum: z.number(),
  maximum: z.number(),
});

export const headerSchema = z.strictObject({
  format: z.literal('metasim-dataset'),
  version: z.literal(2),
  tool: z.strictObject({ name: z.literal('metasim'), version: text }),
  name: text,
  /** The dataset format, as `--format` names it. */
  layout: text,
  codec: z.enum(['png', 'jpeg', 'webp']),
  /** Of JPEG and WebP. */
  quality: z.number().int().min(0).max(100),
  split: z.string().regex(/^[A-Za-z0-9_-]{1,64}$/),
  /** Images of the whole dataset. */
  count: natural.min(1).max(MAX_DATASET_COUNT),
  shardSize: natural.min(1).max(MAX_SHARD_SIZE),
  seed: natural,
  /** Scene index of the first image. */
  start: natural.max(MAX_SCENE_NUMBER),
  /** Absent where images differ in size. */
  width: natural.optional(),
  height: natural.optional(),
  channels: z.union([z.literal(1), z.literal(3)]).optional(),
  masks: z.boolean(),
  scenes: z.boolean(),
  /** 3D: whether there are depth, normals; absent where there are none, as `dimension` in 2D and where nobody knows. */
  depth: z.literal(true).optional(),
  normals: z.literal(true).optional(),
  dimension: z.literal(3).optional(),
  /** Visible px that an object needs to count as visible. */
  minimumPixels: natural,
  /** Name of the grammar or run. */
  source: text,
  /** SHA-256 of the resolved grammar; empty when there is none. */
  grammarHash: text,
  /** SHA-256 of all that decides the scenes: grammar and weights; empty when they come from elsewhere. */
  sourceHash: text,
  /** All classes; a class mask holds the position here + 1, 0 is nothing. */
  classes: z.array(text),
  /** Classes that formats of detection and classification list. */
  things: z.array(text),
  attributes: z.array(attributeSchema),
  /** The resolved configuration that the caller gave; the one thing that need not be the same everywhere (paths). */
  config: z.unknown(),
});

/** What all shards of a dataset share, and what decides its content. Two runs with one header make the same dataset. */
export type DatasetHeader = z.output<typeof headerSchema>;

/** What a writer has to know of a header. */
export function infoOf(header: DatasetHeader): DatasetInfo {
  const { name, classes, things, split, codec, masks, scenes, width, height, channels, dimension } = header;
  return {
    ...{ name, classes, things, split, codec, masks, scenes },
    ...(width === undefined ? {} : { width }),
    ...(height === undefined ? {} : { height }),
    ...(channels === undefined ? {} : { channels }),
    ...layerFlags(header),
    ...(dimension === undefined ? {} : { dimension }),
  };
}

/** The header of a dataset, or undefined where nobody has begun one. @throws ConfigError when it is damaged */
export async function readHeader(storage: DatasetStorage): Promise<DatasetHeader | undefined> {
  const bytes = await storage.read(HEADER_PATH);
  return bytes && parseJson(bytes, headerSchema, `${storage.place}/${HEADER_PATH}`);
}

/**
 * Puts the header in place; where another machine was faster, or a run goes on, the one there must be the same.
 * @returns whether the dataset was begun by this call
 * @throws DatasetError naming the first setting that differs
 */
export async function claimHeader(storage: DatasetStorage, header: DatasetHeader): Promise<boolean> {
  const plain = JSON.parse(JSON.stringify(header)) as DatasetHeader;
  if (await storage.create(HEADER_PATH, `${JSON.stringify(plain, null, 2)}\n`)) return true;
  const present = await readHeader(storage);
  if (!present) throw new DatasetError(`Expected ${HEADER_PATH} in ${storage.place} but it has vanished`);
  expectSameHeader(present, plain, storage.place);
  return false;
}

/** @throws DatasetError naming the first setting that differs */
export function expectSameHeader(present: DatasetHeader, wanted: DatasetHeader, place: string): void {
  for (const key of new Set([...Object.keys(present), ...Object.keys(wanted)]) as Set<keyof DatasetHeader>) {
    const [is, shouldBe] = [JSON.stringify(present[key]), JSON.stringify(wanted[key])];
    if (key === 'config' || is === shouldBe) continue;
    throw new DatasetError(
      `Expected the dataset in ${place} to go on with its own settings but received another "${key}": ` +
        `${brief(shouldBe)} instead of ${brief(is)}`,
    );
  }
}

/** @throws ConfigError naming the place in the file */
export function parseJson<S extends z.ZodType>(bytes: Uint8Array, schema: S, path: string): z.output<S> {
  let value: unknown;
  try {
    value = JSON.parse(Buffer.from(bytes).toString('utf8'));
  } catch (cause) {
    throw new DatasetError(`Expected JSON in ${path} but received: ${(cause as Error).message}`, { cause });
  }
  return parseConfig(schema, value, path);
}

function brief(value: string | undefined): string {
  if (value === undefined) return 'nothing';
  return value.length > 80 ? `${value.slice(0, 77)}…` : value;
}
