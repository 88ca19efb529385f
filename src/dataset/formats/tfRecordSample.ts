/**
 * Samples as `tf.Example`s with the keys of TensorFlow's Object Detection API
 * (https://github.com/tensorflow/models/blob/master/research/object_detection/g3doc/using_your_own_dataset.md), and back.
 */

import type { ImageCamera } from '../../annotate/objectLabel.js';
import { DatasetError } from '../../errors.js';
import {
  CODEC_EXTENSION,
  type DatasetInfo,
  type DatasetSample,
  type ImageLabels,
  type SampleObject,
  thingsOf,
} from '../sample.js';
import { layerFlags } from '../surfaceLayers.js';
import { bytesFeature, type Feature, floatFeature, intFeature } from '../tfExample.js';
import { type FlatBox3d, flatBox3d, flatCamera } from './flatBox3d.js';
import { foreignKey } from './foreignKey.js';
import { describeImage } from './imageFile.js';
import { checkLabelRecord, parseForeignJson } from './labelRecord.js';
import { partsOf, type SampleParts, sampleOf } from './recordParts.js';

/** Features of a decoded Example by name. */
export type Features = ReadonlyMap<string, Feature>;

const LABELS = 'metasim/labels';
const SCENE = 'metasim/scene';
const INSTANCES = 'image/segmentation/instances';
const CLASSES = 'image/segmentation/classes';
const DEPTH = 'image/depth';
const NORMALS = 'image/normals';

/** What a dataset of ours promises of all its samples. */
export type Promises = Pick<DatasetInfo, 'codec' | 'masks' | 'scenes' | 'depth' | 'normals'>;
const SIDES = ['xmin', 'ymin', 'xmax', 'ymax'] as const;

/** A thousandth of a pixel: what is left of a float32 that was divided by the image's side. */
const BOX_DECIMALS = 1e3;

/**
 * Features of a sample. Boxes are shares of the image's sides, labels the position among `things` + 1 (0 is the
 * background in the API). Masks are PNGs of the whole image and not the API's `image/object/mask`, a PNG of the whole
 * image for each object: instances with node + 1 in 16 bits, classes with class + 1 in 8.
 * Depth and normals are PNGs as in all formats (depthCode.ts, normalCode.ts).
 */
export function featuresOf(sample: DatasetSample, info: DatasetInfo): Record<string, Feature> {
  const { key, width, height, channels, camera } = sample.labels;
  const { codec } = sample.image;
  const parts = partsOf(sample, info);
  const things = thingsOf(sample.labels, info);
  return {
    'image/encoded': bytesFeature(parts.image),
    'image/format': bytesFeature(codec),
    'image/filename': bytesFeature(`${key}.${CODEC_EXTENSION[codec]}`),
    'image/source_id': bytesFeature(key),
    'image/height': intFeature(height),
    'image/width': intFeature(width),
    'image/channels': intFeature(channels),
    ...objectFeatures(things, width, height, info.things),
    ...(info.dimension === 3 ? boxFeatures(things) : {}),
    ...(camera ? cameraFeatures(camera) : {}),
    [LABELS]: bytesFeature(parts.labels),
    ...(parts.instances && { [INSTANCES]: bytesFeature(parts.instances) }),
    ...(parts.classes && { [CLASSES]: bytesFeature(parts.classes) }),
    ...(parts.depth && { [DEPTH]: bytesFeature(parts.depth) }),
    ...(parts.normals && { [NORMALS]: bytesFeature(parts.normals) }),
    ...(parts.scene && { [SCENE]: bytesFeature(parts.scene) }),
  };
}

function objectFeatures(
  objects: readonly SampleObject[],
  width: number,
  height: number,
  things: readonly string[],
): Record<string, Feature> {
  const boxes = objects.map(({ box }) => box as readonly [number, number, number, number]);
  return {
    'image/object/bbox/xmin': floatFeature(...boxes.map(([left]) => left / width)),
    'image/object/bbox/ymin': floatFeature(...boxes.map(([, top]) => top / height)),
    'image/object/bbox/xmax': floatFeature(...boxes.map(([left, , across]) => (left + across) / width)),
    'image/object/bbox/ymax': floatFeature(...boxes.map(([, top, , down]) => (top + down) / height)),
    'image/object/class/text': bytesFeature(...objects.map((object) => object.class)),
    'image/object/class/label': intFeature(...objects.map((object) => things.indexOf(object.class) + 1)),
    'image/object/area': floatFeature(...objects.map(({ pixels, box }) => pixels ?? box![2] * box![3])),
    'image/object/is_crowd': intFeature(...objects.map(() => 0)),
  };
}

/** 3D boxes, an entry a thing: bottom centre in the camera's frame and sides in m, angles in rad (flatBox3d.ts). */
function boxFeatures(objects: readonly SampleObject[]): Record<string, Feature> {
  const boxes = objects.map(flatBox3d);
  const list = (name: string, value: (box: FlatBox3d) => number): [string, Feature] => [
    `image/object/bbox3d/${name}`,
    floatFeature(...boxes.map(value)),
  ];
  return Object.fromEntries([
    list('x', ({ location }) => location[0]),
    list('y', ({ location }) => location[1]),
    list('z', ({ location }) => location[2]),
    list('height', ({ dimensions }) => dimensions[0]),
    list('width', ({ dimensions }) => dimensions[1]),
    list('length', ({ dimensions }) => dimensions[2]),
    list('rotation_y', ({ rotationY }) => rotationY),
    list('alpha', ({ alpha }) => alpha),
  ]);
}

/** Focal lengths and principal point in px; position in m, heading, pitch and roll in degrees. */
function cameraFeatures(camera: ImageCamera): Record<string, Feature> {
  const { fx, fy, cx, cy, x, y, z, heading, pitch, roll } = flatCamera(camera);
  return {
    'image/camera/intrinsics': floatFeature(fx, fy, cx, cy),
    'image/camera/pose': floatFeature(x, y, z, heading, pitch, roll),
  };
}

/**
 * The sample of an Example: of ours all that was written, of others image, classes and boxes.
 * @param index position in the dataset
 * @param names of the labels 1, 2, … where a label map gives them
 * @param where file and offset, for errors
 * @throws DatasetError when the image is missing, or features do not go together
 */
export function sampleOfFeatures(
  features: Features,
  index: number,
  names: ReadonlyMap<number, string>,
  where: string,
): DatasetSample {
  const encoded = expectImage(features, where);
  const labels = firstText(features, LABELS);
  if (labels !== undefined) return sampleOf(ownParts(features, labels, encoded), where);
  const { image, width, height, channels } = describeImage(encoded, where);
  const name = firstText(features, 'image/filename') || firstText(features, 'image/source_id');
  const objects = foreignObjects(features, width, height, names, where);
  const record: ImageLabels = { key: foreignKey(name, index), index, width, height, channels, objects };
  return { labels: record, image };
}

/**
 * Classes that an Example names: of ours all that its record holds.
 * @throws DatasetError when the record is damaged
 */
export function classesOfFeatures(features: Features, names: ReadonlyMap<number, string>, where: string): string[] {
  const labels = firstText(features, LABELS);
  if (labels === undefined) return classNames(features, names) ?? [];
  return checkLabelRecord(parseForeignJson(labels, where), where).objects.map((object) => object.class);
}

/** Codec of an Example's image, and whether it brings masks and its scene graph, as ours do. */
export function promisesOf(features: Features, where: string): Promises {
  const { codec } = describeImage(expectImage(features, where), where).image;
  const layers = features.has(LABELS) ? layerFlags({ depth: features.has(DEPTH), normals: features.has(NORMALS) }) : {};
  return { codec, masks: features.has(INSTANCES) && features.has(CLASSES), scenes: features.has(SCENE), ...layers };
}

function expectImage(features: Features, where: string): Uint8Array {
  const encoded = firstBytes(features, 'image/encoded');
  if (encoded) return encoded;
  throw new DatasetError(`Expected an image in "image/encoded" of ${where} but received none`);
}

function ownParts(features: Features, labels: string, image: Uint8Array): SampleParts {
  return {
    labels,
    image,
    instances: firstBytes(features, INSTANCES),
    classes: firstBytes(features, CLASSES),
    depth: firstBytes(features, DEPTH),
    normals: firstBytes(features, NORMALS),
    scene: firstBytes(features, SCENE),
  };
}

function foreignObjects(
  features: Features,
  width: number,
  height: number,
  names: ReadonlyMap<number, string>,
  where: string,
): SampleObject[] {
  const [xmin, ymin, xmax, ymax] = SIDES.map((side) => numbers(features, `image/object/bbox/${side}`));
  const classes = classNames(features, names) ?? xmin.map(() => 'object');
  if ([ymin, xmax, ymax, classes].some((list) => list.length !== xmin.length)) {
    throw new DatasetError(
      `Expected as many ymin, xmax, ymax and classes as xmin (${xmin.length}) in ${where} but received ${ymin.length}, ${xmax.length}, ${ymax.length} and ${classes.length}`,
    );
  }
  const areas = numbers(features, 'image/object/area');
  return classes.map((name, i) => {
    const [left, right] = [xmin[i] * width, xmax[i] * width];
    const [top, bottom] = [ymin[i] * height, ymax[i] * height];
    const box = [left, top, right - left, bottom - top].map(round);
    if (!box.every(Number.isFinite)) throw new DatasetError(`Expected finite boxes in ${where} but received ${box}`);
    return {
      class: name,
      box: box as [number, number, number, number],
      ...(areas.length === classes.length && Number.isFinite(areas[i]) && { pixels: areas[i] }),
    };
  });
}

/** Class of each object: as text, or by its label. Undefined where an Example has neither. */
function classNames(features: Features, names: ReadonlyMap<number, string>): string[] | undefined {
  const texts = features.get('image/object/class/text');
  if (texts?.kind === 'bytes' && texts.values.length > 0) return texts.values.map(text);
  const labels = features.get('image/object/class/label');
  if (labels?.kind === 'int64' && labels.values.length > 0) return labels.values.map((l) => names.get(l) ?? String(l));
  return undefined;
}

function numbers(features: Features, name: string): readonly number[] {
  const feature = features.get(name);
  return feature && feature.kind !== 'bytes' ? feature.values : [];
}

function firstBytes(features: Features, name: string): Uint8Array | undefined {
  const feature = features.get(name);
  return feature?.kind === 'bytes' ? feature.values[0] : undefined;
}

function firstText(features: Features, name: string): string | undefined {
  const bytes = firstBytes(features, name);
  return bytes && text(bytes);
}

function text(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('utf8');
}

/** −0 becomes 0. */
function round(value: number): number {
  return Math.round(value * BOX_DECIMALS) / BOX_DECIMALS + 0;
}
