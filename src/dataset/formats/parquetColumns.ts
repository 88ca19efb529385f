/**
 * Columns of our Parquet files: the schema, as Parquet and as Hugging Face's features
 * (https://huggingface.co/docs/datasets/about_dataset_features), and rows turned into columns.
 */
import type { SchemaElement } from 'hyparquet';
import type { ColumnSource } from 'hyparquet-writer';
import { CODEC_EXTENSION, type DatasetInfo, type DatasetSample, thingsOf } from '../sample.js';
import { layersOf } from '../surfaceLayers.js';
import { CAMERA_FIELDS, type FlatBox3d, flatBox3d, flatCamera } from './flatBox3d.js';
import { partsOf } from './recordParts.js';

/** An image as Hugging Face stores it: the bytes of its file, and the name that the file had. */
interface ImageCell {
  readonly bytes: Uint8Array;
  readonly path: string;
}

/** Objects as a struct of lists, as in Hugging Face's datasets of object detection. */
interface ObjectLists {
  readonly id: readonly bigint[];
  readonly area: readonly bigint[];
  readonly bbox: readonly (readonly number[])[];
  readonly category: readonly bigint[];
  /** Of 3D scenes: see `FlatBox3d`. */
  readonly location?: readonly (readonly number[])[];
  readonly dimensions?: readonly (readonly number[])[];
  readonly rotation_y?: readonly number[];
  readonly alpha?: readonly number[];
}

/** A row. Bytes are copies: rows are kept until their group is full. */
export interface ParquetRow {
  readonly image: ImageCell;
  readonly key: string;
  readonly index: bigint;
  readonly seed: bigint | null;
  readonly width: number;
  readonly height: number;
  readonly objects: ObjectLists;
  readonly labels: string;
  readonly instances?: ImageCell;
  readonly classes?: ImageCell;
  readonly depth?: ImageCell;
  readonly normals?: ImageCell;
  /** Of 3D scenes. */
  readonly camera?: ReturnType<typeof flatCamera> | null;
  readonly scene?: Uint8Array;
}

type ColumnName = keyof ParquetRow;

/** A column: its part of the schema, its feature, and how it is stored. */
interface Column {
  readonly elements: readonly SchemaElement[];
  readonly feature: unknown;
  readonly storage: Omit<ColumnSource, 'name' | 'data'>;
}

/** PNG, JPEG and WebP are compressed already; each value is another, so that a dictionary or statistics are of no use. */
const OPAQUE: Column['storage'] = { encoding: 'PLAIN', codec: 'UNCOMPRESSED', statistics: false };
const TEXT: Column['storage'] = { encoding: 'PLAIN', statistics: false };

/** The columns of a dataset in their order. */
export function columnsOf(info: DatasetInfo): Map<ColumnName, Column> {
  const columns: [ColumnName, Column][] = [
    ['image', imageColumn('image')],
    ['key', { elements: [text('key')], feature: value('string'), storage: {} }],
    ['index', { elements: [leaf('index', 'INT64')], feature: value('int64'), storage: {} }],
    ['seed', { elements: [leaf('seed', 'INT64')], feature: value('int64'), storage: {} }],
    ['width', { elements: [leaf('width', 'INT32')], feature: value('int32'), storage: {} }],
    ['height', { elements: [leaf('height', 'INT32')], feature: value('int32'), storage: {} }],
    ['objects', objectsColumn(info)],
    ['labels', { elements: [text('labels')], feature: value('string'), storage: TEXT }],
  ];
  if (info.masks) columns.push(['instances', imageColumn('instances')], ['classes', imageColumn('classes')]);
  for (const layer of layersOf(info)) columns.push([layer, imageColumn(layer)]);
  if (info.dimension === 3) columns.push(['camera', cameraColumn()]);
  if (info.scenes) {
    columns.push(['scene', { elements: [leaf('scene', 'BYTE_ARRAY')], feature: value('binary'), storage: OPAQUE }]);
  }
  return new Map(columns);
}

/** Parquet's schema: the root, then all columns depth first. */
export function schemaOf(columns: ReadonlyMap<string, Column>): SchemaElement[] {
  const root = { name: 'schema', num_children: columns.size };
  return [root, ...[...columns.values()].flatMap(({ elements }) => elements)];
}

/** The value of the metadata key `huggingface`, by which `datasets` knows images and class names. */
export function huggingFaceMetadata(columns: ReadonlyMap<string, Column>): string {
  const features = Object.fromEntries([...columns].map(([name, { feature }]) => [name, feature]));
  return JSON.stringify({ info: { features } });
}

/** Rows as the columns of a row group. */
export function columnData(columns: ReadonlyMap<ColumnName, Column>, rows: readonly ParquetRow[]): ColumnSource[] {
  return [...columns].map(([name, { storage }]) => ({ name, data: rows.map((row) => row[name]), ...storage }));
}

/** @throws DatasetError when the sample lacks what its dataset promises */
export function rowOf(sample: DatasetSample, info: DatasetInfo): ParquetRow {
  const { key, index, seed, width, height, camera } = sample.labels;
  const parts = partsOf(sample, info);
  const objects = thingsOf(sample.labels, info);
  return {
    image: { bytes: parts.image.slice(), path: `${key}.${CODEC_EXTENSION[sample.image.codec]}` },
    key,
    index: BigInt(index),
    seed: seed === undefined ? null : BigInt(seed),
    width,
    height,
    objects: {
      id: objects.map(({ node }, i) => BigInt(node ?? i)),
      area: objects.map(({ pixels, box }) => BigInt(Math.round(pixels ?? box![2] * box![3]))),
      bbox: objects.map(({ box }) => box as readonly number[]),
      category: objects.map((object) => BigInt(info.things.indexOf(object.class))),
      ...(info.dimension === 3 ? boxLists(objects.map(flatBox3d)) : {}),
    },
    labels: parts.labels,
    ...(parts.instances && { instances: { bytes: parts.instances, path: `${key}.instances.png` } }),
    ...(parts.classes && { classes: { bytes: parts.classes, path: `${key}.classes.png` } }),
    ...(parts.depth && { depth: { bytes: parts.depth, path: `${key}.depth.png` } }),
    ...(parts.normals && { normals: { bytes: parts.normals, path: `${key}.normals.png` } }),
    ...(info.dimension === 3 && { camera: camera ? flatCamera(camera) : null }),
    ...(parts.scene && { scene: parts.scene.slice() }),
  };
}

function boxLists(boxes: readonly FlatBox3d[]) {
  return {
    location: boxes.map(({ location }) => location),
    dimensions: boxes.map(({ dimensions }) => dimensions),
    rotation_y: boxes.map(({ rotationY }) => rotationY),
    alpha: boxes.map(({ alpha }) => alpha),
  };
}

/** Bytes that a row holds until its group is written, about. */
export function rowBytes({ image, labels, instances, classes, depth, normals, scene }: ParquetRow): number {
  const images = [image, instances, classes, depth, normals];
  const bytes = [...images.map((cell) => cell?.bytes), scene].map((each) => each?.length ?? 0);
  // Labels as a string; the objects' lists hold about as much.
  return bytes.reduce((sum, length) => sum + length, 2 * labels.length);
}

function imageColumn(name: string): Column {
  const elements: SchemaElement[] = [
    { name, repetition_type: 'OPTIONAL', num_children: 2 },
    leaf('bytes', 'BYTE_ARRAY'),
    text('path'),
  ];
  return { elements, feature: { _type: 'Image' }, storage: OPAQUE };
}

function cameraColumn(): Column {
  return {
    elements: [
      { name: 'camera', repetition_type: 'OPTIONAL', num_children: CAMERA_FIELDS.length },
      ...CAMERA_FIELDS.map((name) => leaf(name, 'DOUBLE')),
    ],
    feature: Object.fromEntries(CAMERA_FIELDS.map((name) => [name, value('float64')])),
    storage: {},
  };
}

/** Lists of 3D boxes within `objects`. */
const BOX_ELEMENTS: readonly (readonly SchemaElement[])[] = [
  list('location', ...list('element', leaf('element', 'FLOAT'))),
  list('dimensions', ...list('element', leaf('element', 'FLOAT'))),
  list('rotation_y', leaf('element', 'FLOAT')),
  list('alpha', leaf('element', 'FLOAT')),
];
const BOX_FEATURES = {
  location: sequence(sequence(value('float32'))),
  dimensions: sequence(sequence(value('float32'))),
  rotation_y: sequence(value('float32')),
  alpha: sequence(value('float32')),
};

function objectsColumn({ things, dimension }: DatasetInfo): Column {
  const boxes = dimension === 3 ? BOX_ELEMENTS : [];
  const elements: SchemaElement[] = [
    { name: 'objects', repetition_type: 'OPTIONAL', num_children: 4 + boxes.length },
    ...list('id', leaf('element', 'INT64')),
    ...list('area', leaf('element', 'INT64')),
    ...list('bbox', ...list('element', leaf('element', 'FLOAT'))),
    ...list('category', leaf('element', 'INT64')),
    ...boxes.flat(),
  ];
  const category = things.length > 0 ? { names: things, _type: 'ClassLabel' } : value('int64');
  const feature = {
    id: sequence(value('int64')),
    area: sequence(value('int64')),
    // Without `length: 4`: that is another type in Arrow, and `datasets` drops features that do not fit the file's types.
    bbox: sequence(sequence(value('float32'))),
    category: sequence(category),
    ...(dimension === 3 ? BOX_FEATURES : {}),
  };
  return { elements, feature, storage: {} };
}

/** A list in three levels, as the format wants it: https://github.com/apache/parquet-format/blob/master/LogicalTypes.md#lists */
function list(name: string, ...element: SchemaElement[]): SchemaElement[] {
  return [
    { name, repetition_type: 'OPTIONAL', num_children: 1, converted_type: 'LIST', logical_type: { type: 'LIST' } },
    { name: 'list', repetition_type: 'REPEATED', num_children: 1 },
    ...element,
  ];
}

function leaf(name: string, type: SchemaElement['type']): SchemaElement {
  return { name, type, repetition_type: 'OPTIONAL' };
}

function text(name: string): SchemaElement {
  return { ...leaf(name, 'BYTE_ARRAY'), converted_type: 'UTF8', logical_type: { type: 'STRING' } };
}

function value(dtype: string) {
  return { dtype, _type: 'Value' };
}

function sequence(feature: unknown) {
  return { feature, _type: 'Sequence' };
}
