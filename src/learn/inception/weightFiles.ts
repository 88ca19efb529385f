/**
 * Inception weights on disk: pairs of files `NAME.json` + `NAME.bin` in one folder.
 *
 * ```
 * NAME.json  { "bytes": length of NAME.bin,
 *              "tensors": [{ "name": "conv2d_1/kernel", "shape": [3, 3, 3, 32], "offset": bytes, "count": floats }, …] }
 * NAME.bin   float32, little-endian, tensors one after the other; kernels are [height, width, in, out]
 * ```
 * Per convolution n: `conv2d_n/kernel` and `batch_normalization_n/{beta,moving_mean,moving_variance}`.
 */
import { existsSync } from 'node:fs';
import { open, readFile, stat } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import { DEFAULT_DATA_FOLDER, dataFolder } from '../../dataFolder.js';
import { AssetError } from '../../errors.js';
import type { ConvStep } from './architecture.js';

/** The files and the convolutions that each holds. The last is needed for layer 2048 only. */
export const WEIGHT_FILES = [
  { name: 'stem_to_mixed2', first: 1, last: 26 },
  { name: 'mixed3_to_mixed7', first: 27, last: 70 },
  { name: 'mixed8_to_mixed10', first: 71, last: 94 },
] as const;

/** A convolution and its batch normalisation as trained: y = (x ∗ kernel − mean) / √(variance + ε) + beta. */
export interface TrainedConvolution {
  /** [height, width, in, out] */
  readonly kernel: Float32Array;
  /** [out] each */
  readonly beta: Float32Array;
  readonly mean: Float32Array;
  readonly variance: Float32Array;
}

/** The tensors of one convolution, in the order in which they are written: name, shape. */
export function tensorsOf({ index, size, inChannels, outChannels }: ConvStep): {
  readonly part: keyof TrainedConvolution;
  readonly name: string;
  readonly shape: readonly number[];
}[] {
  const norm = `batch_normalization_${index}`;
  return [
    { part: 'kernel', name: `conv2d_${index}/kernel`, shape: [...size, inChannels, outChannels] },
    { part: 'beta', name: `${norm}/beta`, shape: [outChannels] },
    { part: 'mean', name: `${norm}/moving_mean`, shape: [outChannels] },
    { part: 'variance', name: `${norm}/moving_variance`, shape: [outChannels] },
  ];
}

const indexSchema = z.object({
  bytes: z.number().int().nonnegative(),
  tensors: z.array(
    z.object({
      name: z.string(),
      shape: z.array(z.number().int().positive()),
      offset: z.number().int().nonnegative().multipleOf(4),
      count: z.number().int().positive(),
    }),
  ),
});

/** Where users' fetched weights are kept: `$XDG_CACHE_HOME/metasim/inception_v3`, by default under `~/.cache`. */
export function inceptionCacheFolder(): string {
  return join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'metasim', 'inception_v3');
}

/** Folders searched when none is given, best first. */
export function inceptionSearchFolders(): string[] {
  const given = dataFolder();
  return [
    ...(given === DEFAULT_DATA_FOLDER ? [] : [join(given, 'inception_v3')]),
    inceptionCacheFolder(),
    join(DEFAULT_DATA_FOLDER, 'inception_v3'),
  ];
}

const holds = (folder: string, name: string): boolean =>
  existsSync(join(folder, `${name}.json`)) && existsSync(join(folder, `${name}.bin`));

/**
 * The folder that holds the weights of convolutions 1 … `last`.
 * @param folder the only place to look when given
 * @returns undefined when no searched folder has them
 * @throws AssetError when `folder` is given and has not
 */
export function findInceptionWeights(last: number, folder?: string): string | undefined {
  const names = WEIGHT_FILES.filter((file) => file.first <= last).map((file) => file.name);
  const complete = (place: string) => names.every((name) => holds(place, name));
  if (folder === undefined) return inceptionSearchFolders().find(complete);
  if (complete(folder)) return folder;
  throw new AssetError(
    `Expected ${names.map((name) => `${name}.json and ${name}.bin`).join(', ')} for the Inception weights but received the folder ${folder} without them; "metasim fetch inception" downloads them`,
  );
}

async function readIndex(path: string): Promise<z.infer<typeof indexSchema>> {
  let parsed: unknown;
  try {
    parsed = JSON.parse(await readFile(path, 'utf8'));
  } catch (cause) {
    throw new AssetError(`Expected a readable JSON index for the Inception weights but received ${path}`, { cause });
  }
  const result = indexSchema.safeParse(parsed);
  if (result.success) return result.data;
  const { path: where, message } = result.error.issues[0];
  throw new AssetError(
    `Expected an index of tensors for ${path} but received, at ${where.join('.') || 'the root'}: ${message}`,
  );
}

/**
 * Reads the named convolutions from `folder`, and nothing else of its files.
 * @param convolutions in order of their number
 * @returns one entry a convolution, by its number
 * @throws AssetError naming file and tensor when one is missing, has another shape, or holds a number that is not finite
 */
export async function readInceptionWeights(
  folder: string,
  convolutions: readonly ConvStep[],
): Promise<Map<number, TrainedConvolution>> {
  const weights = new Map<number, TrainedConvolution>();
  for (const { name, first, last } of WEIGHT_FILES) {
    const wanted = convolutions.filter(({ index }) => index >= first && index <= last);
    if (wanted.length === 0) continue;
    const path = join(folder, `${name}.bin`);
    const index = await readIndex(join(folder, `${name}.json`));
    const { size } = await stat(path);
    if (size !== index.bytes) throw new AssetError(`Expected ${index.bytes} bytes for ${path} but received ${size}`);
    const byName = new Map(index.tensors.map((tensor) => [tensor.name, tensor]));
    const file = await open(path);
    try {
      for (const convolution of wanted) {
        const parts: Partial<Record<keyof TrainedConvolution, Float32Array>> = {};
        for (const { part, name: tensorName, shape } of tensorsOf(convolution)) {
          const entry = byName.get(tensorName);
          const count = shape.reduce((product, side) => product * side, 1);
          const fits =
            entry?.count === count && entry.shape.join() === shape.join() && entry.offset + 4 * count <= size;
          if (!entry || !fits) {
            throw new AssetError(
              `Expected shape [${shape.join(', ')}] for ${tensorName} in ${path} but received ${entry ? `[${entry.shape.join(', ')}] at ${entry.offset}` : 'no such tensor'}`,
            );
          }
          const bytes = Buffer.alloc(4 * count);
          await file.read(bytes, 0, bytes.length, entry.offset);
          parts[part] = toFloats(bytes, `${tensorName} in ${path}`);
        }
        weights.set(convolution.index, parts as TrainedConvolution);
      }
    } finally {
      await file.close();
    }
  }
  return weights;
}

function toFloats(bytes: Buffer, name: string): Float32Array {
  const floats = new Float32Array(bytes.length / 4);
  for (let i = 0; i < floats.length; i++) {
    floats[i] = bytes.readFloatLE(4 * i);
    if (!Number.isFinite(floats[i])) {
      throw new AssetError(`Expected finite numbers for ${name} but received ${floats[i]} at position ${i}`);
    }
  }
  return floats;
}
