import { setImmediate as breathe } from 'node:timers/promises';
import type { FeatureExtractor } from '../learn/inception/inception.js';
import { tf } from '../learn/tf.js';
import type { FeatureRows } from './featureRows.js';
import type { ImageSource } from './imageSource.js';
import { pooledFeatures } from './kid.js';

/** Images that are in the network at a time: its widest maps at 299 px are 11 MB each. */
const BATCH = 8;

export interface ImageFeatures extends FeatureRows {
  /** Names of the images, a row each. */
  readonly names: readonly string[];
  /** Median of their areas as stored, px. */
  readonly area: number;
}

/**
 * Features of images, pooled: the mean over the positions of the extractor's first map. Memory: the features, and one
 * batch of images.
 * @param size side that the images are brought to, px
 * @throws DatasetError for an image that cannot be read, ShapeError when `size` is too small for the layer
 */
export async function imageFeatures(
  source: ImageSource,
  extractor: FeatureExtractor,
  size: number,
  onProgress?: (done: number, total: number) => void,
): Promise<ImageFeatures> {
  const names: string[] = [];
  const areas: number[] = [];
  let values = new Float32Array(0);
  let length = 0;
  const batch = new Uint8Array(BATCH * size * size * 3);
  let filled = 0;
  const run = async () => {
    const pooled = tf.tidy(() => {
      const pixels = tf.tensor4d(batch.subarray(0, filled * size * size * 3), [filled, size, size, 3], 'float32');
      return pooledFeatures(extractor.features(tf.div(pixels, 255))[0]);
    });
    // A reader may never leave the microtasks: Ctrl-C needs a turn of its own.
    await breathe();
    const rows = await pooled.data<'float32'>();
    length = pooled.shape[1];
    pooled.dispose();
    if (values.length === 0) values = new Float32Array(source.count * length);
    values.set(rows, (names.length - filled) * length);
    filled = 0;
    onProgress?.(names.length, source.count);
  };
  for await (const { name, pixels, width, height } of source.images(size)) {
    areas.push(width * height);
    batch.set(pixels, filled * pixels.length);
    names.push(name);
    filled += 1;
    if (filled === BATCH) await run();
  }
  if (filled > 0) await run();
  areas.sort((a, b) => a - b);
  return { values, count: names.length, length, names, area: areas[areas.length >> 1] ?? 0 };
}
