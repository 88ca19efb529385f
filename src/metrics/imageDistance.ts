/** `metasim distance`: how far two folders of images, or datasets, are apart. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { encodeNpy, readNpy } from '../dataset/npy.js';
import { ConfigError } from '../errors.js';
import type { InceptionLayer } from '../learn/inception/architecture.js';
import { Inception, type InceptionInfo } from '../learn/inception/inception.js';
import {
  type DistanceStep,
  type FeatureDistance,
  type FeatureDistanceOptions,
  featureDistance,
} from './featureDistance.js';
import type { FeatureRows } from './featureRows.js';
import { type ImageFeatures, imageFeatures } from './imageFeatures.js';
import { openImageSource } from './imageSource.js';

export interface ImageDistanceOptions extends Omit<FeatureDistanceOptions, 'onProgress'> {
  /** Formats of the datasets; default: plain folders where images lie in them, else as they look. */
  readonly fromA?: string;
  readonly fromB?: string;
  /** Inception layer whose features are compared, pooled over positions. Default 768. */
  readonly layer?: InceptionLayer;
  /** Side of the square that images are brought to before the network, px. Default 299. */
  readonly size?: number;
  /** Folder of the weights, or `random`; default: where `Inception.create` looks. */
  readonly weights?: string;
  /** Images of each set at most, drawn with the seed. */
  readonly limit?: number;
  /** Folder that receives the features as `a.npy` and `b.npy`, and what they are as `features.json`. */
  readonly saveFeatures?: string;
  readonly onProgress?: (step: DistanceStep | 'features of a' | 'features of b', done: number, total: number) => void;
}

/** Where the features come from. */
export interface FeatureOrigin {
  /** Channels of the layer, and the side that images were brought to, px; undefined where features were given. */
  readonly layer?: InceptionLayer;
  readonly size?: number;
  /** `imagenet`, the stand-in `random`, or `given` as .npy files; and the folder or seed of the weights. */
  readonly weights: InceptionInfo['weights'] | 'given';
  readonly source: string;
}

export interface ImageDistance extends FeatureDistance {
  readonly a: string;
  readonly b: string;
  readonly features: FeatureOrigin;
}

/** What FID's network takes. */
const SIZE = 299;
const LAYER = 768;

/**
 * Distances of two sets of images in the feature space of a frozen InceptionV3. Each of `a` and `b` is a folder of PNG,
 * JPEG or WebP files or a dataset; or both are `.npy` files with features of any network, float32 or float64 [N, D].
 * A backend must have been started (`initBackend`). Memory: the features.
 * @throws DatasetError when images cannot be read, AssetError for damaged weights, ConfigError and ShapeError as
 *   `featureDistance`; the signal's reason
 */
export async function imageDistance(a: string, b: string, options: ImageDistanceOptions = {}): Promise<ImageDistance> {
  const given = [a, b].filter(isNpy);
  if (given.length === 1) {
    throw new ConfigError(`Expected two .npy files or none but received only ${given[0]}`);
  }
  const { sets, origin, warnings } =
    given.length === 2 ? await givenFeatures(a, b) : await computedFeatures(a, b, options);
  const distance = await featureDistance(sets[0], sets[1], options);
  return { a, b, features: origin, ...distance, warnings: [...warnings, ...distance.warnings] };
}

interface Computed {
  readonly sets: readonly FeatureRows[];
  readonly origin: FeatureOrigin;
  readonly warnings: readonly string[];
}

/** Sets whose images differ more in area than this are not resized alike. */
const AREA_RATIO = 1.5;

const isNpy = (path: string): boolean => /\.npy$/i.test(path);

async function givenFeatures(a: string, b: string): Promise<Computed> {
  const sets: FeatureRows[] = [];
  for (const path of [a, b]) {
    const { values, rows, columns } = await readNpy(path);
    sets.push({ values, count: rows, length: columns });
  }
  return { sets, origin: { weights: 'given', source: `${a}, ${b}` }, warnings: [] };
}

async function computedFeatures(a: string, b: string, options: ImageDistanceOptions): Promise<Computed> {
  const { layer = LAYER, size = SIZE, weights, limit, signal, saveFeatures } = options;
  const inputs = [
    { name: 'a', folder: a, format: options.fromA },
    { name: 'b', folder: b, format: options.fromB },
  ] as const;
  const sources = [];
  for (const { folder, format } of inputs) {
    sources.push(await openImageSource(folder, { format, limit, seed: options.seed, signal }));
  }
  const inception = await Inception.create({ layers: [layer], weights });
  try {
    const origin = { layer, size, weights: inception.info.weights, source: inception.info.source };
    const sets: ImageFeatures[] = [];
    for (const [i, { name }] of inputs.entries()) {
      sets.push(
        await imageFeatures(sources[i], inception, size, (done, total) =>
          options.onProgress?.(`features of ${name}`, done, total),
        ),
      );
    }
    if (saveFeatures !== undefined) await writeFeatures(saveFeatures, [a, b], sets, origin);
    return { sets, origin, warnings: [...standInWarning(origin), ...areaWarning(sets[0].area, sets[1].area)] };
  } finally {
    inception.dispose();
  }
}

function standInWarning({ weights, layer }: FeatureOrigin): string[] {
  if (weights !== 'random') return [];
  return [
    `the features are those of a random stand-in: no ImageNet weights for layer ${layer} were found or asked for ("metasim fetch inception" gets them)`,
  ];
}

/** Resizing leaves its mark (blur, ringing) on the features, so it should be the same on both sides. */
function areaWarning(a: number, b: number): string[] {
  if (Math.max(a, b) <= AREA_RATIO * Math.min(a, b)) return [];
  const side = (area: number) => `about ${Math.round(Math.sqrt(area))}²`;
  return [
    `the images of a have ${side(a)} px and those of b ${side(b)} px: resizing treats them differently, and the features see it; bring both to one size first`,
  ];
}

async function writeFeatures(
  folder: string,
  paths: readonly string[],
  sets: readonly ImageFeatures[],
  origin: FeatureOrigin,
): Promise<void> {
  await mkdir(folder, { recursive: true });
  const names = ['a', 'b'];
  for (const [i, { values, count, length }] of sets.entries()) {
    await writeFile(join(folder, `${names[i]}.npy`), encodeNpy({ values, rows: count, columns: length }));
  }
  const described = sets.map(({ names: images }, i) => [names[i], { path: paths[i], images }]);
  const record = { features: origin, pooling: 'mean over positions', ...Object.fromEntries(described) };
  await writeFile(join(folder, 'features.json'), `${JSON.stringify(record, null, 1)}\n`);
}
