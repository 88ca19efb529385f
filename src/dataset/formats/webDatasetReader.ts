import { DatasetError } from '../../errors.js';
import type { DatasetReader } from '../format.js';
import { decodeMask } from '../imageCodec.js';
import {
  type DatasetInfo,
  type DatasetSample,
  dimensionOf,
  type ImageLabels,
  type SampleObject,
  type SurfaceLayer,
} from '../sample.js';
import { decodeLayers, layerFlags } from '../surfaceLayers.js';
import { readTar } from '../tarReader.js';
import { describeImage } from './imageFile.js';
import { foreignObjects } from './imageFolderLabels.js';
import { type CountedInfo, readInfo } from './infoFile.js';
import { checkLabelRecord, parseForeignJson } from './labelRecord.js';
import type { ShardFiles } from './webDatasetFiles.js';

/** Extensions of images; where a sample has several, the first of these: a PNG beside a photograph is mostly a mask. */
const IMAGES = ['jpg', 'jpeg', 'webp', 'png'];
const LABELS = ['json', 'cls', 'txt'];
const READ = new Set([...IMAGES, ...LABELS, 'instances.png', 'classes.png', 'depth.png', 'normals.png', 'scene.bin']);

/** Folders and key, and what stands behind the first dot of the name. */
const MEMBER = /^((?:.*\/)?[^./]+)\.([^/]+)$/;
/** Names that WebDataset keeps for remarks on a shard. */
const REMARK = /(^|\/)__[^/]*__/;
/** A text is a class if it is one word of at most so many characters; others are captions. */
const MAX_CLASS_NAME = 64;

/** The files of one sample. */
interface Group {
  readonly key: string;
  /** By extension, small letters. */
  readonly files: Map<string, Uint8Array>;
  /** Archive and key, for errors. */
  readonly where: string;
}

/**
 * Opens the shards of a WebDataset. Where `info.json` is missing they are read once to find the classes (in the order of
 * their names, all of them things) and to count the samples.
 *
 * Samples of others are labelled by what they bring: `.json` with `label`, or with `objects` as in Hugging Face's object
 * detection; `.cls`; or `.txt` of one word. A label of the whole image is an object of that class whose box is the whole
 * image; other texts (captions) give no objects. Keys keep their folders.
 * @throws DatasetError when an archive is damaged
 */
export async function openWebDataset(shards: ShardFiles): Promise<DatasetReader> {
  const own = await readInfo(shards.folder);
  const { info, count } = own ?? (await survey(shards));
  return {
    info,
    count,
    samples: ({ signal } = {}) => readSamples(shards, own, signal),
  };
}

async function* readSamples(
  shards: ShardFiles,
  own: CountedInfo | undefined,
  signal: AbortSignal | undefined,
): AsyncGenerator<DatasetSample> {
  let index = 0;
  for await (const group of readGroups(shards, READ)) {
    signal?.throwIfAborted();
    yield toSample(group, index++);
  }
  if (own && own.count !== index) {
    throw new DatasetError(`Expected ${own.count} samples in ${shards.folder.path} but received ${index}`);
  }
}

/** Runs of files with the same key, in the order of the archives. */
async function* readGroups(
  { folder, names }: ShardFiles,
  extensions: ReadonlySet<string>,
): AsyncGenerator<Group, void, void> {
  for (const name of names) {
    const place = folder.at(name);
    const path = await folder.file(name, folder.path, Number.POSITIVE_INFINITY);
    const wanted = (entry: string) => extensions.has(memberOf(entry)?.extension ?? '');
    let group: Group | undefined;
    for await (const { name: entry, bytes } of readTar(path, place, wanted)) {
      const { key, extension } = memberOf(entry) as Member;
      if (key !== group?.key) {
        if (group) yield group;
        group = { key, files: new Map(), where: `${place}, sample ${key}` };
      }
      if (group.files.has(extension)) {
        throw new DatasetError(`Expected one .${extension} in ${group.where} but received two`);
      }
      group.files.set(extension, bytes);
    }
    if (group) yield group;
  }
}

interface Member {
  readonly key: string;
  readonly extension: string;
}

/** Key and extension of a file in an archive; undefined for names that belong to no sample. */
function memberOf(name: string): Member | undefined {
  const match = MEMBER.exec(name);
  return match && !REMARK.test(name) ? { key: match[1], extension: match[2].toLowerCase() } : undefined;
}

function toSample(group: Group, index: number): DatasetSample {
  const { key, files, where } = group;
  const extension = IMAGES.find((name) => files.has(name));
  if (extension === undefined) {
    const present = [...files.keys()].map((name) => `.${name}`).join(', ');
    throw new DatasetError(`Expected an image (.${IMAGES.join(', .')}) in ${where} but received ${present}`);
  }
  const { image, width, height, channels } = describeImage(
    files.get(extension) as Uint8Array,
    `${where}, .${extension}`,
  );
  const json = jsonOf(group);
  if (!isRecord(json)) {
    const objects = objectsOf(group, json, { width, height });
    return { labels: checkLabelRecord({ key, index, width, height, channels, objects }, where), image };
  }
  const labels = checkLabelRecord(json, where);
  if (labels.width !== width || labels.height !== height) {
    throw new DatasetError(
      `Expected ${labels.width} × ${labels.height} px for the image in ${where}, as its record says, ` +
        `but received ${width} × ${height}`,
    );
  }
  const scene = files.get('scene.bin');
  const layers = decodeLayers({ depth: files.get('depth.png'), normals: files.get('normals.png') }, labels, where);
  return { labels, image, ...readMasks(group, labels), ...layers, ...(scene && { scene }) };
}

function readMasks({ files, where }: Group, { width, height }: ImageLabels) {
  const read = (extension: string) => {
    const bytes = files.get(extension);
    return bytes && decodeMask(bytes, width, height, `${where}, .${extension}`);
  };
  const instances = read('instances.png');
  const classes = read('classes.png');
  if (classes instanceof Uint16Array) {
    throw new DatasetError(`Expected a mask of 8 bits for .classes.png in ${where} but received one of 16`);
  }
  return {
    ...(instances && { instances: instances instanceof Uint16Array ? instances : Uint16Array.from(instances) }),
    ...(classes && { classes }),
  };
}

function jsonOf({ files, where }: Group): unknown {
  const bytes = files.get('json');
  return bytes && parseForeignJson(textOf(bytes, `${where}, .json`), `${where}, .json`);
}

/** Labels of a sample that has no label record. */
function objectsOf(group: Group, json: unknown, size: { width: number; height: number }): SampleObject[] {
  const { files, where } = group;
  if (isPlainObject(json)) {
    const objects = foreignObjects(json, `${where}, .json`, size);
    if (objects.length > 0 || 'objects' in json) return objects;
  }
  for (const extension of ['cls', 'txt']) {
    const bytes = files.get(extension);
    const text = bytes && textOf(bytes, `${where}, .${extension}`).trim();
    if (text && text.length <= MAX_CLASS_NAME && !/\s/.test(text)) {
      return [{ class: text, box: [0, 0, size.width, size.height] }];
    }
  }
  return [];
}

async function survey(shards: ShardFiles): Promise<CountedInfo> {
  const classes = new Set<string>();
  let count = 0;
  let first: Pick<DatasetInfo, 'codec' | 'masks' | 'scenes' | SurfaceLayer | 'dimension'> | undefined;
  for await (const group of readGroups(shards, READ)) {
    count++;
    const json = jsonOf(group);
    const objects = isRecord(json)
      ? checkLabelRecord(json, group.where).objects
      : objectsOf(group, json, { width: 1, height: 1 });
    for (const object of objects) classes.add(object.class);
    first ??= {
      codec: toSample(group, 0).image.codec,
      masks: isRecord(json) && group.files.has('instances.png') && group.files.has('classes.png'),
      scenes: isRecord(json) && group.files.has('scene.bin'),
      ...(isRecord(json) ? surveyed3d(group, json) : {}),
    };
  }
  const names = [...classes].sort();
  return {
    count,
    info: {
      name: shards.folder.name,
      classes: names,
      things: names,
      split: shards.split,
      ...(first ?? { codec: 'png', masks: false, scenes: false }),
    },
  };
}

/** What the first sample of ours promises beside masks and scene graphs. */
function surveyed3d({ files, where }: Group, json: unknown): Pick<DatasetInfo, SurfaceLayer | 'dimension'> {
  const has = (layer: SurfaceLayer) => files.has(`${layer}.png`);
  return {
    ...layerFlags({ depth: has('depth'), normals: has('normals') }),
    ...dimensionOf(checkLabelRecord(json, where)),
  };
}

/** Whether JSON is a label record, not something of somebody else's. */
function isRecord(json: unknown): boolean {
  return isPlainObject(json) && typeof json.key === 'string' && 'channels' in json && Array.isArray(json.objects);
}

function isPlainObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function textOf(bytes: Uint8Array, where: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new DatasetError(`Expected UTF-8 in ${where} but received other bytes`, { cause });
  }
}
