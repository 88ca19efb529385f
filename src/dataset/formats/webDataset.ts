import { DatasetError } from '../../errors.js';
import type { DatasetFormat, DatasetWriter, ShardContext, ShardWriter } from '../format.js';
import { encodePng } from '../png.js';
import { CODEC_EXTENSION, type DatasetInfo, type DatasetSample, type ImageLabels, thingsOf } from '../sample.js';
import { checkRelativePath } from '../staging.js';
import { encodeLayers } from '../surfaceLayers.js';
import { TarWriter } from '../tar.js';
import { writeInfo } from './infoFile.js';
import { findShards, hasShards } from './webDatasetFiles.js';
import { openWebDataset } from './webDatasetReader.js';

/** Digits of a shard's number. */
const SHARD_DIGITS = 6;

/**
 * WebDataset (https://github.com/webdataset/webdataset, “The WebDataset Format”): tar archives in which the files of a
 * sample stand together and share the part of their name before the first dot.
 *
 * ```
 * ⟨split⟩-000003.tar         a shard
 *   ⟨key⟩.classes.png        8-bit grey, class + 1            where there are masks
 *   ⟨key⟩.cls                number of the one thing's class  where there is exactly one thing
 *   ⟨key⟩.depth.png          16-bit grey, m × 256, 0 none    of 3D scenes, where it was asked for
 *   ⟨key⟩.instances.png      16-bit grey, node + 1            where there are masks
 *   ⟨key⟩.json               the label record
 *   ⟨key⟩.normals.png        8-bit RGB, (n · ½ + ½) · 255    of 3D scenes, where they were asked for
 *   ⟨key⟩.png|jpg|webp
 *   ⟨key⟩.scene.bin          the scene graph                  where it was asked for
 * info.json                  what holds for all: classes and their order, split, canvas
 * ```
 * The scene graph is not called `.msg` here: WebDataset's and Hugging Face's decoders take that for MessagePack. A dot in a
 * key would end it, so that it is written as `%2E`; the record holds the key as it is.
 *
 * Read are also archives of others (`openWebDataset`).
 */
export const webDatasetFormat: DatasetFormat = {
  name: 'webdataset',
  description: 'WebDataset: a tar archive a shard, with image, label record and class of every sample',
  codecs: ['png', 'jpeg', 'webp'],
  holdsRecords: true,
  needsMasks: false,
  layers: ['depth', 'normals'],
  writer: (info) => new WebDatasetWriter(info),
  recognises: hasShards,
  open: async (path) => openWebDataset(await findShards(path)),
};

class WebDatasetWriter implements DatasetWriter {
  readonly #info: DatasetInfo;

  constructor(info: DatasetInfo) {
    this.#info = info;
  }

  openShard({ shard, files }: ShardContext): ShardWriter {
    const name = `${this.#info.split}-${String(shard).padStart(SHARD_DIGITS, '0')}.tar`;
    const tar = new TarWriter(files.stream(name));
    return {
      add: (sample, recordJson) => this.#add(tar, sample, recordJson ?? JSON.stringify(sample.labels)),
      end: () => tar.end(),
    };
  }

  async finish(context: Parameters<DatasetWriter['finish']>[0]): Promise<void> {
    await writeInfo(context, this.#info);
  }

  /** In the order of their names, as `tar --sort=name` has them. */
  #add(tar: TarWriter, sample: DatasetSample, recordJson: string): void {
    const { labels, image, instances, classes, scene } = sample;
    const { key } = labels;
    checkRelativePath(key);
    const name = escapeDots(key);
    const things = thingsOf(labels, this.#info);
    if (this.#info.masks) addMask(tar, labels, name, 'classes', classes);
    if (things.length === 1) tar.add(`${name}.cls`, String(this.#info.things.indexOf(things[0].class)));
    const { depth, normals } = encodeLayers(sample, this.#info);
    if (depth) tar.add(`${name}.depth.png`, depth);
    if (this.#info.masks) addMask(tar, labels, name, 'instances', instances);
    tar.add(`${name}.json`, recordJson);
    if (normals) tar.add(`${name}.normals.png`, normals);
    tar.add(`${name}.${CODEC_EXTENSION[image.codec]}`, image.bytes);
    if (this.#info.scenes) tar.add(`${name}.scene.bin`, expect(scene, 'scene', key));
  }
}

function addMask(
  tar: TarWriter,
  { key, width, height }: ImageLabels,
  name: string,
  mask: 'classes' | 'instances',
  pixels: Uint8Array | Uint16Array | undefined,
): void {
  tar.add(`${name}.${mask}.png`, encodePng({ width, height, channels: 1, pixels: expect(pixels, `${mask}.png`, key) }));
}

/** A key whose last part has no dot; different keys stay different. */
function escapeDots(key: string): string {
  if (!/[.%]/.test(key)) return key;
  const start = key.lastIndexOf('/') + 1;
  return key.slice(0, start) + key.slice(start).replaceAll('%', '%25').replaceAll('.', '%2E');
}

/** @throws DatasetError when a sample lacks what its dataset promises */
function expect<T>(value: T | undefined, name: string, key: string): T {
  if (value === undefined) {
    throw new DatasetError(`Expected ${name} of sample ${key}, as of all others, but received none`);
  }
  return value;
}
