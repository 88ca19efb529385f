/** Downloads the official InceptionV3 weights and converts them, for `metasim fetch inception`. */
import { createHash } from 'node:crypto';
import { mkdir, open, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { AssetError } from '../../errors.js';
import { convolutionsOf, type InceptionLayer, STAGE_OF_LAYER, stagesUpTo } from './architecture.js';
import { convertKerasInception } from './convertKeras.js';
import { findInceptionWeights, inceptionCacheFolder } from './weightFiles.js';

/** Where Keras Applications publishes the weights without the classifier, and the MD5 that it publishes with them. */
export const INCEPTION_URL =
  'https://storage.googleapis.com/tensorflow/keras-applications/inception_v3/inception_v3_weights_tf_dim_ordering_tf_kernels_notop.h5';
export const INCEPTION_MD5 = 'bcbd6486424b2319ff4ef7d526e38f63';

export interface FetchInceptionOptions {
  /** Default: {@link INCEPTION_URL}. */
  readonly url?: string;
  /** Expected MD5 of the file, 32 hexadecimal digits. Default: {@link INCEPTION_MD5}. */
  readonly md5?: string;
  /** Folder that receives the weights. Default: the user's cache, where `Inception.create` looks. */
  readonly cacheDir?: string;
  /** The deepest layer whose weights are kept. Default 2048: all there are. */
  readonly layer?: InceptionLayer;
  /** Downloads although the weights are there. Default false. */
  readonly force?: boolean;
  /** Called as bytes arrive; `total` is undefined when the server does not say. */
  readonly onProgress?: (received: number, total: number | undefined) => void;
  readonly signal?: AbortSignal;
}

export interface FetchedInception {
  /** Folder with the converted weights. */
  readonly folder: string;
  /** False when they were there already. */
  readonly downloaded: boolean;
}

/**
 * Downloads (streamed to a temporary file), checks the hash, converts, and removes the download.
 * @throws AssetError when the server cannot be reached or refuses, the hash differs, or the file is not the network;
 *   the folder is then as it was. An abort rejects with the signal's reason.
 */
export async function fetchInception(options: FetchInceptionOptions = {}): Promise<FetchedInception> {
  const {
    url = INCEPTION_URL,
    md5 = INCEPTION_MD5,
    cacheDir = inceptionCacheFolder(),
    layer = 2048,
    force = false,
  } = options;
  if (!force && present(cacheDir, layer)) return { folder: cacheDir, downloaded: false };
  await mkdir(cacheDir, { recursive: true });
  const download = join(cacheDir, `download.${process.pid}.h5.tmp`);
  try {
    const hash = await downloadTo(download, url, options);
    if (hash !== md5.toLowerCase()) {
      throw new AssetError(`Expected MD5 ${md5} for ${url} but received ${hash}: the file is damaged or another one`);
    }
    await convertKerasInception(download, cacheDir, layer);
  } finally {
    await rm(download, { force: true });
  }
  return { folder: cacheDir, downloaded: true };
}

function present(folder: string, layer: InceptionLayer): boolean {
  try {
    const convolutions = convolutionsOf(stagesUpTo(STAGE_OF_LAYER[layer]));
    return findInceptionWeights(convolutions[convolutions.length - 1].index, folder) !== undefined;
  } catch {
    return false;
  }
}

/** @returns the MD5 of what was received, in hexadecimal digits */
async function downloadTo(path: string, url: string, options: FetchInceptionOptions): Promise<string> {
  const { onProgress, signal } = options;
  const hash = createHash('md5');
  const file = await open(path, 'w');
  try {
    const response = await fetch(url, { signal });
    if (!response.ok || !response.body) {
      throw new AssetError(`Expected the Inception weights at ${url} but received HTTP status ${response.status}`);
    }
    const length = Number(response.headers.get('content-length') ?? Number.NaN);
    const total = Number.isFinite(length) && length > 0 ? length : undefined;
    let received = 0;
    for await (const chunk of response.body) {
      hash.update(chunk);
      await file.write(chunk);
      received += chunk.byteLength;
      onProgress?.(received, total);
    }
  } catch (error) {
    signal?.throwIfAborted();
    if (error instanceof AssetError) throw error;
    // fetch says "fetch failed" and keeps the reason (no network, unknown host, connection lost) in the cause.
    const reason =
      error instanceof Error ? ((error.cause as Error | undefined)?.message ?? error.message) : String(error);
    throw new AssetError(
      `Expected to download ${url} but received: ${reason}. Without a network, copy the weights' folder from elsewhere and name it with --inception`,
      { cause: error },
    );
  } finally {
    await file.close();
  }
  return hash.digest('hex');
}
