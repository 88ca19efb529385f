import { resolve, sep } from 'node:path';
import { setImmediate as breathe } from 'node:timers/promises';
import { ConfigError, DatasetError } from '../errors.js';
import { completeDataset } from './complete.js';
import { LossFinder } from './conversionLosses.js';
import { openOutputFolder } from './files.js';
import type { DatasetFormat, DatasetReader } from './format.js';
import { openFormat, recogniseFormat } from './formats/index.js';
import { claimHeader, type DatasetHeader, infoOf, readHeader } from './header.js';
import { BACKGROUND, defaultIgnored, expectClasses } from './ignoredClasses.js';
import { DEFAULT_QUALITY } from './imageCodec.js';
import { hasKeptRecords, withKeptRecords } from './keptRecords.js';
import { LocalStorage } from './localStorage.js';
import { type LicenceUse, type Manifest, readManifest } from './manifest.js';
import { DEFAULT_SHARD_SIZE, MAX_SHARD_SIZE, shardRange, shardsOf } from './plan.js';
import type { DatasetInfo, DatasetSample, ImageCodec, SurfaceLayer } from './sample.js';
import { classMaskMap, sampleConverter } from './sampleConverter.js';
import { ShardRecorder } from './shardRecorder.js';
import type { StagedFile } from './staging.js';
import type { DatasetStorage } from './storage.js';
import { expectPlaceFor, layerFlags } from './surfaceLayers.js';
import { toolVersion } from './toolVersion.js';

const IMAGES_BETWEEN_BREATHS = 16;

export interface ConvertOptions {
  /** Folder of a dataset, ours or anybody's. */
  readonly source: string;
  /** Its format; default: as it looks. */
  readonly from?: string;
  readonly to: string;
  /** A folder that does not exist or is empty, outside of `source`. */
  readonly out: string;
  /** Images of a shard, 1 to 1,000,000; default 1000. */
  readonly shardSize?: number;
  /** Of the images; default: as they are where `to` can hold that, else its first. */
  readonly codec?: ImageCodec;
  /** Of JPEG and WebP that are encoded anew, 1–100. */
  readonly quality?: number;
  /** Write masks, scene graphs; default: where the source has them. */
  readonly masks?: boolean;
  readonly scenes?: boolean;
  /** Write depth, normals; default: where the source has them and `to` a place for them. */
  readonly depth?: boolean;
  readonly normals?: boolean;
  /**
   * Classes whose objects detection formats leave out, of those that the source lists. Default: none; for KITTI, of another
   * format, every class that it does not have, as when it is generated.
   */
  readonly ignore?: readonly string[];
  readonly signal?: AbortSignal;
  /** Called with the number of images written, and of all. */
  readonly onProgress?: (done: number, total: number) => void;
}

export interface ConvertedDataset {
  readonly from: string;
  readonly to: string;
  readonly manifest: Manifest;
  /** What the target does not hold, a sentence each; empty when nothing is lost. */
  readonly losses: readonly string[];
}

/**
 * Writes a dataset in another format, in shards. Label records stay what they are, those kept beside a format too; so do
 * image files, unless the target cannot hold their codec or another one is asked for: then the content hash changes only
 * if the new codec loses pixels. Memory does not grow with the number of images. Without an index of the source's
 * samples they are counted first, which reads it once more. When it fails or is aborted, what it wrote is taken away.
 * @throws ConfigError for an unknown format, a codec or shard size that cannot be, or a class to ignore that there is none of; DatasetError when the source is
 *   damaged or lacks masks that the target needs, two samples have the same name, or the output is not empty; the
 *   signal's reason when aborted
 */
export async function convertDataset(options: ConvertOptions): Promise<ConvertedDataset> {
  const { source, out, signal } = options;
  const format = await openFormat(options.to);
  const codec = options.codec;
  if (codec && !format.codecs.includes(codec)) {
    throw new ConfigError(
      `Expected ${format.codecs.join(' or ')} for the codec of ${format.name} but received ${codec}`,
    );
  }
  if (`${resolve(out)}${sep}`.startsWith(`${resolve(source)}${sep}`)) {
    throw new DatasetError(`Expected an output outside of ${source} but received ${out}`);
  }
  const sourceFormat = options.from ? await openFormat(options.from) : await recogniseFormat(source);
  const opened = await sourceFormat.open(source);
  const reader = (await hasKeptRecords(source)) ? withKeptRecords(opened, source) : opened;
  const { header, licences } = await plan(reader, sourceFormat, format, options);
  const folder = await openOutputFolder(out);
  try {
    const storage = new CarefulStorage(folder.path);
    await claimHeader(storage, header);
    const losses = await writeShards(storage, header, format, reader, options);
    signal?.throwIfAborted();
    const manifest = await completeDataset(storage, licences);
    return { from: sourceFormat.name, to: format.name, manifest, losses: await losses.compare(format, folder.path) };
  } catch (error) {
    await folder.discard();
    throw error;
  }
}

/** What the new dataset says of itself: as the source did, where that is one of ours. */
async function plan(
  reader: DatasetReader,
  sourceFormat: DatasetFormat,
  format: DatasetFormat,
  options: ConvertOptions,
): Promise<{ header: DatasetHeader; licences: readonly LicenceUse[] }> {
  const { source, shardSize = DEFAULT_SHARD_SIZE, codec, quality = DEFAULT_QUALITY } = options;
  const { info } = reader;
  const wantsLayer = (layer: SurfaceLayer) =>
    options[layer] ?? (info[layer] === true && (format.layers?.includes(layer) ?? false));
  expectInteger('the shard size', shardSize, 1, MAX_SHARD_SIZE);
  expectInteger('the quality', quality, 1, 100);
  const masks = options.masks ?? info.masks;
  const scenes = options.scenes ?? info.scenes;
  const layers = layerFlags({ depth: wantsLayer('depth'), normals: wantsLayer('normals') });
  expectPlaceFor(layers, format);
  for (const [name, wanted, present] of [
    ['masks', masks || format.needsMasks, info.masks],
    ['scene graphs', scenes, info.scenes],
    ['depth', layers.depth, info.depth],
    ['normals', layers.normals, info.normals],
  ] as const) {
    if (wanted && !present) {
      throw new DatasetError(
        `Expected ${name} in ${source} (${sourceFormat.name}) to write ${format.name} but received a dataset without`,
      );
    }
  }
  const place = new LocalStorage(source);
  const own = await readHeader(place);
  const count = reader.count ?? (await countSamples(reader, options.signal));
  if (count === 0) throw new DatasetError(`Expected samples in ${source} but received none`);
  const { width, height, channels } = info;
  const header: DatasetHeader = {
    seed: 0,
    start: 0,
    minimumPixels: 1,
    source: info.name,
    grammarHash: '',
    sourceHash: '',
    attributes: [],
    config: null,
    name: info.name,
    classes: [...info.classes],
    split: info.split.replace(/[^A-Za-z0-9_-]/g, '-').slice(0, 64) || 'train',
    ...(width === undefined ? {} : { width }),
    ...(height === undefined ? {} : { height }),
    ...(channels === undefined ? {} : { channels }),
    ...(info.dimension === undefined ? {} : { dimension: info.dimension }),
    ...own,
    things: thingsFor(info, sourceFormat, format, options.ignore),
    // What the source says of them is not what is written.
    ...{ depth: undefined, normals: undefined },
    ...layers,
    format: 'metasim-dataset',
    version: 2,
    tool: { name: 'metasim', version: toolVersion() },
    layout: format.name,
    codec: codec ?? (format.codecs.includes(info.codec) ? info.codec : format.codecs[0]),
    ...{ quality, count, shardSize, masks, scenes },
  };
  return { header, licences: (await readManifest(place))?.licences ?? [] };
}

/** Classes that the target lists: those of the source, without the ignored ones; all of the source's where none were left. */
function thingsFor(
  { name, classes, things }: DatasetInfo,
  from: DatasetFormat,
  to: DatasetFormat,
  ignore: readonly string[] | undefined,
): string[] {
  expectClasses(ignore ?? [], classes, name);
  // What a dataset of KITTI's layout has rows of, it has been asked for; and of the background the source has decided.
  const byDefault = from.name === to.name ? [] : defaultIgnored(to.name, classes).filter((each) => each !== BACKGROUND);
  const ignored = ignore ?? byDefault;
  const left = things.filter((each) => !ignored.includes(each));
  return left.length > 0 ? left : [...things];
}

/**
 * Writes all shards. This is the one place where a converted dataset gets its entries (`.metasim/shards`): `ShardRecorder`
 * makes them, as it does for a generated one.
 */
async function writeShards(
  storage: DatasetStorage,
  header: DatasetHeader,
  format: DatasetFormat,
  reader: DatasetReader,
  { codec, signal, onProgress }: ConvertOptions,
): Promise<LossFinder> {
  const setup = { storage, header, format, writer: format.writer(infoOf(header)), assets: [] };
  const losses = new LossFinder();
  const convert = await sampleConverter({
    codecs: codec ? [codec] : format.codecs,
    codec: header.codec,
    quality: header.quality,
    masks: header.masks || format.needsMasks,
    scenes: header.scenes,
    depth: header.depth,
    normals: header.normals,
    classMap: classMaskMap(reader.info.classes, header.classes),
  });
  const samples = reader.samples(signal ? { signal } : {})[Symbol.asyncIterator]();
  let done = 0;
  try {
    for (let shard = 0; shard < shardsOf(header); shard++) {
      const recorder = new ShardRecorder(setup, shard);
      try {
        for (let i = 0; i < shardRange(header, shard).count; i++) {
          signal?.throwIfAborted();
          const original = await nextSample(samples, header.count, done);
          const sample = await convert(original);
          losses.note(original, sample);
          await recorder.add(sample);
          onProgress?.(++done, header.count);
          // Let signals through: what is cached or in memory is read without waiting.
          if (done % IMAGES_BETWEEN_BREATHS === 0) await breathe();
        }
        await recorder.commit();
      } catch (error) {
        await recorder.discard();
        throw error;
      }
    }
    if (!(await samples.next()).done) throw new DatasetError(`Expected ${header.count} samples but received more`);
  } finally {
    await samples.return?.();
  }
  return losses;
}

async function nextSample(samples: AsyncIterator<DatasetSample>, count: number, done: number): Promise<DatasetSample> {
  const next = await samples.next();
  if (next.done) throw new DatasetError(`Expected ${count} samples but received ${done}`);
  return next.value;
}

async function countSamples(reader: DatasetReader, signal?: AbortSignal): Promise<number> {
  let count = 0;
  for await (const _ of reader.samples(signal ? { signal } : {})) count++;
  return count;
}

/** Samples of others may share a name across shards: the second would take the place of the first. */
class CarefulStorage extends LocalStorage {
  override async commit(folder: string, files: readonly StagedFile[]): Promise<void> {
    for (const { path } of files) {
      if ((await this.size(path)) === undefined) continue;
      throw new DatasetError(`Expected samples of different names but two of them would be ${path}`);
    }
    await super.commit(folder, files);
  }
}

function expectInteger(name: string, value: number, minimum: number, maximum: number): void {
  if (!Number.isInteger(value) || value < minimum || value > maximum) {
    throw new ConfigError(`Expected an integer from ${minimum} to ${maximum} for ${name} but received ${value}`);
  }
}
