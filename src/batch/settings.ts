import { z } from 'zod';
import { parseConfig } from '../config.js';
import { FORMAT_NAMES, type FormatName, openFormat } from '../dataset/formats/index.js';
import { DEFAULT_QUALITY } from '../dataset/imageCodec.js';
import { DEFAULT_SHARD_SIZE, MAX_DATASET_COUNT, MAX_SCENE_NUMBER, MAX_SHARD_SIZE, shardsOf } from '../dataset/plan.js';
import { expectPlaceFor } from '../dataset/surfaceLayers.js';
import { ConfigError } from '../errors.js';

const integer = (minimum: number, maximum: number) => z.number().int().min(minimum).max(maximum);

/** Shards of a dataset: each has an entry, and lists of them are kept in memory. */
const MAX_SHARDS = 1_000_000;

/** What a dataset is to be: everything that decides its files, but for where its scenes come from. */
export const datasetSettingsSchema = z.strictObject({
  format: z.enum(FORMAT_NAMES as unknown as [FormatName, ...FormatName[]]).default('imagefolder'),
  /** Images. */
  count: integer(1, MAX_DATASET_COUNT),
  seed: integer(0, Number.MAX_SAFE_INTEGER).default(0),
  /** Index of the first scene in the seed's stream. */
  start: integer(0, MAX_SCENE_NUMBER - MAX_DATASET_COUNT).default(0),
  /** Images of a shard: what is lost at most when a run is killed, and what a worker makes at a time. */
  shardSize: integer(1, MAX_SHARD_SIZE).default(DEFAULT_SHARD_SIZE),
  /** Default: the format's first. */
  codec: z.enum(['png', 'jpeg', 'webp']).optional(),
  /** Of JPEG and WebP. */
  quality: integer(1, 100).default(DEFAULT_QUALITY),
  /** Write instance and class masks, where the format has a place for them. */
  masks: z.boolean().default(false),
  /** Write every sample's scene graph, where the format has a place for it. */
  scenes: z.boolean().default(false),
  /** Write depth and normals of 3D scenes; the format must have a place for them. */
  depth: z.boolean().default(false),
  normals: z.boolean().default(false),
  /** Objects with fewer visible px count as not visible: no box. */
  minimumPixels: integer(1, 2 ** 31).default(1),
  /**
   * Classes that formats of detection and classification leave out; those the grammar does not have are no matter. Default:
   * `background`, and for KITTI every class that it does not have (`defaultIgnored`).
   */
  ignore: z.array(z.string()).optional(),
  split: z
    .string()
    .regex(/^[A-Za-z0-9_-]{1,64}$/, 'Expected letters, digits, _ and -')
    .default('train'),
  /** Default: the source's. */
  name: z.string().min(1).max(200).optional(),
});

/** As a caller gives them. */
export type DatasetSettingsInput = z.input<typeof datasetSettingsSchema>;
/** With all defaults. */
export type DatasetSettings = z.output<typeof datasetSettingsSchema>;

/**
 * Checks settings and fills in the defaults.
 * @throws ConfigError for a value out of range, an unknown format, a codec, depth or normals that the format cannot hold,
 *   or more than a million shards
 */
export async function resolveSettings(input: DatasetSettingsInput): Promise<DatasetSettings> {
  const settings = parseConfig(datasetSettingsSchema, input, 'dataset');
  if (shardsOf(settings) > MAX_SHARDS) {
    throw new ConfigError(
      `Expected at most ${MAX_SHARDS} shards but received ${settings.count} images in shards of ${settings.shardSize}: ` +
        'use a larger --shard-size',
    );
  }
  const format = await openFormat(settings.format);
  const codec = settings.codec ?? format.codecs[0];
  if (!format.codecs.includes(codec)) {
    throw new ConfigError(
      `Expected ${format.codecs.join(' or ')} for the codec of ${format.name} but received ${codec}`,
    );
  }
  expectPlaceFor(settings, format);
  return { ...settings, codec };
}
