import { writeFileSync } from 'node:fs';
import { mkdir, open, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { setImmediate as breathe } from 'node:timers/promises';
import { annotateScene, type ObjectLabel } from '../annotate/annotateScene.js';
import type { AssetLibrary } from '../assets/assetLibrary.js';
import { DatasetError } from '../errors.js';
import type { Engine } from '../render/engine.js';
import type { SceneBatch, SceneGraph } from '../scene/sceneGraph.js';
import type { SceneSource } from '../scene/sceneSource.js';
import { openOutputFolder, PARTIAL_SUFFIX, writeFileWhole } from './files.js';
import { buildManifest, LicenceRegister, type Manifest } from './manifest.js';
import { encodePng } from './png.js';

/** Bytes of pixels and masks that one batch in flight may take; two are. */
const BATCH_BYTES = 16 * 1024 * 1024;
/** Most scenes in a batch, and the size of the first one, when the size of the images is not known yet. */
const MAX_BATCH = 512;
const FIRST_BATCH = 16;
/** Encoding and writing are synchronous: so many at a stretch. */
const IMAGES_BETWEEN_BREATHS = 8;
/** Images of one folder, each with its files. */
export const MAX_DATASET_COUNT = 10_000_000;

/** What to write. */
export interface WriteDatasetOptions {
  readonly source: SceneSource;
  /** Renders; stays open. */
  readonly engine: Pick<Engine, 'render'>;
  /** Number of images, 1 to 10,000,000. */
  readonly count: number;
  /** Integer in [0, 2^53). */
  readonly seed: number;
  /** Scene index of the first image; default 0. */
  readonly start?: number;
  /** A folder that does not exist or is empty. */
  readonly out: string;
  /** Write instance masks (16-bit grey, node + 1) and class masks (8-bit grey, class + 1) too. */
  readonly masks?: boolean;
  /** Where the licences of the assets are looked up. */
  readonly assets?: AssetLibrary;
  /** Resolved configuration, kept in the manifest; must survive JSON. */
  readonly config?: unknown;
  readonly signal?: AbortSignal;
  /** Called with the number of images written. */
  readonly onProgress?: (done: number) => void;
}

/** One line of `labels.jsonl`. */
export interface ImageLabels {
  /** Path of the image, relative to the dataset. */
  readonly file: string;
  /** Index of the scene in the stream of `seed`. */
  readonly index: number;
  readonly seed: number;
  readonly width: number;
  readonly height: number;
  /** Paths of the masks, where they were asked for. */
  readonly instanceMask?: string;
  readonly classMask?: string;
  readonly objects: readonly ObjectLabel[];
}

/** A batch with its pixels. */
interface RenderedBatch {
  readonly batch: SceneBatch;
  readonly channels: 1 | 3;
  readonly color: Uint8Array;
  readonly instances: Uint16Array;
  readonly classes: Uint8Array;
}

/**
 * Writes a labelled dataset:
 * ```
 * out/images/000000.png …            grey or RGB, 8 bits; numbered from `start`, so that parts of one stream can share a folder
 * out/masks/instances/000000.png …   16-bit grey, with `masks`
 * out/masks/classes/000000.png …     8-bit grey, with `masks`
 * out/labels.jsonl                   one `ImageLabels` a line, in order
 * out/manifest.json                  `Manifest`, written last
 * ```
 * Pixels and labels depend on source, seed, start and count only. The next batch is rendered while one is encoded;
 * memory does not grow with `count`. When it fails or is aborted, everything it wrote is taken away again.
 * @returns the manifest
 * @throws DatasetError for a folder that is not empty or a count out of range; the signal's reason when aborted
 */
export async function writeDataset(options: WriteDatasetOptions): Promise<Manifest> {
  const { source, count, seed, start = 0, out, masks = false, assets, config = null } = options;
  expectInteger('count', count, 1, MAX_DATASET_COUNT);
  expectInteger('seed', seed, 0, Number.MAX_SAFE_INTEGER);
  expectInteger('start', start, 0, Number.MAX_SAFE_INTEGER - count);
  const folder = await openOutputFolder(out);
  try {
    await mkdir(join(folder.path, 'images'));
    if (masks) {
      await mkdir(join(folder.path, 'masks', 'instances'), { recursive: true });
      await mkdir(join(folder.path, 'masks', 'classes'));
    }
    const labelsPath = join(folder.path, 'labels.jsonl');
    const labels = await open(labelsPath + PARTIAL_SUFFIX, 'wx');
    const licences = new LicenceRegister();
    let first: RenderedBatch | undefined;
    try {
      let done = 0;
      for await (const rendered of renderedBatches(options)) {
        first ??= rendered;
        licences.add(rendered.batch);
        const lines = await writeImages(folder.path, rendered, start + done, options);
        await labels.appendFile(lines.join(''));
        done += rendered.batch.scenes.length;
        options.onProgress?.(done);
      }
    } finally {
      await labels.close();
    }
    if (!first) throw new DatasetError(`Expected scenes from ${source.name} but received none`);
    const [scene] = first.batch.scenes;
    const manifest = buildManifest(first.batch.schema, licences.summary(assets), {
      count,
      seed,
      start,
      width: scene.width,
      height: scene.height,
      channels: first.channels,
      source: source.name,
      grammarHash: first.batch.provenance.grammarHash,
      masks,
      config,
    });
    await rename(labelsPath + PARTIAL_SUFFIX, labelsPath);
    await writeFileWhole(join(folder.path, 'manifest.json'), `${JSON.stringify(manifest, null, 2)}\n`);
    return manifest;
  } catch (error) {
    await folder.discard();
    throw error;
  }
}

/** The dataset's batches in order; one is rendered ahead of the one in use. */
async function* renderedBatches(options: WriteDatasetOptions): AsyncGenerator<RenderedBatch> {
  const { source, engine, count, seed, start = 0, signal } = options;
  let asked = 0;
  let size = FIRST_BATCH;
  const next = async (): Promise<RenderedBatch | undefined> => {
    if (asked >= count) return undefined;
    signal?.throwIfAborted();
    const from = asked;
    asked += Math.min(size, count - from);
    const batch = await source.sampleBatch({ seed, start: start + from, count: asked - from });
    if (batch.scenes.length !== asked - from) {
      throw new DatasetError(`Expected ${asked - from} scenes from ${source.name} but received ${batch.scenes.length}`);
    }
    const { width, height } = batch.scenes[0];
    const bytes = width * height * (batch.schema.channels + 3);
    size = Math.max(1, Math.min(MAX_BATCH, Math.floor(BATCH_BYTES / bytes)));
    const rendered = await engine.render(batch, { color: 'u8', labels: true, signal });
    return {
      batch,
      channels: batch.schema.channels,
      color: rendered.color as Uint8Array,
      instances: rendered.instances as Uint16Array,
      classes: rendered.classes as Uint8Array,
    };
  };
  let pending = next();
  try {
    for (let current = await pending; current; current = await pending) {
      pending = next();
      // Failing while the one before is still being written is no unhandled rejection: it is awaited above.
      pending.catch(() => {});
      yield current;
    }
  } finally {
    await pending.catch(() => {});
  }
}

/** Encodes and writes a batch's images and masks, numbered from `number` on; returns its lines of labels. */
async function writeImages(
  folder: string,
  rendered: RenderedBatch,
  number: number,
  options: WriteDatasetOptions,
): Promise<string[]> {
  const { batch, channels, color, instances, classes } = rendered;
  const lines: string[] = [];
  let pixel = 0;
  for (const scene of batch.scenes) {
    options.signal?.throwIfAborted();
    const { width, height } = scene;
    const end = pixel + width * height;
    const ids = instances.subarray(pixel, end);
    const line = labelLine(batch, scene, number + lines.length, options, ids);
    // Small files are written twice as fast synchronously as through the thread pool.
    const put = (path: string, pixels: Uint8Array | Uint16Array, c: 1 | 3) =>
      writeFileSync(join(folder, path), encodePng({ width, height, channels: c, pixels }));
    put(line.file, color.subarray(pixel * channels, end * channels), channels);
    if (line.instanceMask) put(line.instanceMask, ids, 1);
    if (line.classMask) put(line.classMask, classes.subarray(pixel, end), 1);
    lines.push(`${JSON.stringify(line)}\n`);
    pixel = end;
    // Let signals and the renderer's messages through.
    if (lines.length % IMAGES_BETWEEN_BREATHS === 0) await breathe();
  }
  return lines;
}

function labelLine(
  batch: SceneBatch,
  scene: SceneGraph,
  number: number,
  { seed, masks }: WriteDatasetOptions,
  instances: Uint16Array,
): ImageLabels {
  const name = `${String(number).padStart(6, '0')}.png`;
  return {
    file: `images/${name}`,
    index: scene.index,
    seed,
    width: scene.width,
    height: scene.height,
    ...(masks ? { instanceMask: `masks/instances/${name}`, classMask: `masks/classes/${name}` } : {}),
    objects: annotateScene(batch.schema, batch.assets, scene, instances),
  };
}

function expectInteger(name: string, value: number, minimum: number, maximum: number): void {
  if (!Number.isSafeInteger(value) || value < minimum || value > maximum) {
    throw new DatasetError(`Expected an integer from ${minimum} to ${maximum} for ${name} but received ${value}`);
  }
}
