/** Which columns of a Parquet file hold what, by its schema and Hugging Face's metadata where there are any. */
import type { SchemaTree } from 'hyparquet';
import { DatasetError } from '../../errors.js';
import { parseForeignJson } from './labelRecord.js';
import type { ParquetFile } from './parquetFile.js';

/** Columns of a file by what they hold; null where it has none. */
export interface ParquetLayout {
  readonly image: string;
  /** The label record, JSON: in our files. */
  readonly labels: string | null;
  readonly objects: string | null;
  /** A class of the whole image. */
  readonly label: string | null;
  /** What a sample may be named by. */
  readonly key: string | null;
  readonly instances: string | null;
  readonly classes: string | null;
  readonly depth: string | null;
  readonly normals: string | null;
  readonly scene: string | null;
  /** Names of the classes that `objects` and `label` give as numbers, as far as the metadata has them. */
  readonly objectClasses: readonly string[] | undefined;
  readonly labelClasses: readonly string[] | undefined;
}

/** Names that images go by in Hugging Face's datasets. */
const IMAGE_NAMES = ['image', 'img', 'picture', 'jpg', 'png'];
const KEY_NAMES = ['key', 'file_name', 'filename', 'image_id', 'id'];
const LABEL_NAMES = ['label', 'fine_label', 'category', 'class'];
/** Lists of class numbers or names within `objects`. */
export const CATEGORY_NAMES = ['category', 'categories', 'label', 'labels', 'class', 'category_id'];

type Json = Readonly<Record<string, unknown>>;

/** @throws DatasetError when no column holds images */
export function layoutOf(file: ParquetFile, place: string): ParquetLayout {
  const features = featuresOf(file, place);
  const columns = new Map(file.schema.children.map((column) => [column.element.name, column]));
  const named = (name: string, fits: (column: SchemaTree) => boolean) => {
    const column = columns.get(name);
    return column && fits(column) ? name : null;
  };
  const firstNamed = (names: readonly string[], fits: (column: SchemaTree) => boolean) =>
    names.find((name) => named(name, fits)) ?? null;
  const label = firstNamed(LABEL_NAMES, isLeaf);
  const objects = named('objects', (column) => column.children.length > 0);
  return {
    image: imageColumn(columns, features, place),
    labels: named('labels', isText),
    objects,
    label,
    key: firstNamed(KEY_NAMES, isLeaf),
    instances: named('instances', isImage),
    classes: named('classes', isImage),
    depth: named('depth', isImage),
    normals: named('normals', isImage),
    scene: named('scene', isBytes),
    objectClasses: objects === null ? undefined : namesOfObjects(features.objects),
    labelClasses: label === null ? undefined : namesOfLabel(features[label]),
  };
}

function imageColumn(columns: ReadonlyMap<string, SchemaTree>, features: Json, place: string): string {
  const names = [...columns.keys()];
  const order = [...names.filter((name) => isJson(features[name]) && features[name]._type === 'Image'), ...IMAGE_NAMES];
  const found =
    order.find((name) => columns.has(name) && (isImage(columns.get(name)!) || isBytes(columns.get(name)!))) ??
    names.find((name) => isImage(columns.get(name)!));
  if (found !== undefined) return found;
  throw new DatasetError(
    `Expected a column of images (bytes and path, or binary) in ${place} but received ${names.slice(0, 20).join(', ')}`,
  );
}

/** `info.features` of the metadata key `huggingface`; empty where there is none. */
function featuresOf(file: ParquetFile, place: string): Json {
  const text = file.metadata('huggingface');
  if (text === undefined) return {};
  const content = parseForeignJson(text, `the metadata of ${place}`);
  const info = isJson(content) ? content.info : undefined;
  return isJson(info) && isJson(info.features) ? info.features : {};
}

function namesOfObjects(feature: unknown): readonly string[] | undefined {
  // A struct of lists, or a list of structs: `{ feature: … , _type: "Sequence" }`, or `[ … ]` before datasets 4.
  let fields = Array.isArray(feature) ? feature[0] : feature;
  if (isJson(fields) && isJson(fields.feature)) fields = fields.feature;
  const field = isJson(fields) ? CATEGORY_NAMES.map((name) => (fields as Json)[name]).find((each) => each) : undefined;
  return namesOfLabel(Array.isArray(field) ? field[0] : field);
}

/** Names of a ClassLabel, or of a list of them. */
function namesOfLabel(feature: unknown): readonly string[] | undefined {
  if (!isJson(feature)) return undefined;
  if (feature._type !== 'ClassLabel') return isJson(feature.feature) ? namesOfLabel(feature.feature) : undefined;
  const { names } = feature;
  return Array.isArray(names) && names.every((name) => typeof name === 'string') ? names : undefined;
}

function isJson(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isLeaf({ children, element }: SchemaTree): boolean {
  return children.length === 0 && element.repetition_type !== 'REPEATED';
}

function isBytes(column: SchemaTree): boolean {
  return isLeaf(column) && column.element.type === 'BYTE_ARRAY' && !isText(column);
}

function isText({ element, children }: SchemaTree): boolean {
  return children.length === 0 && (element.converted_type === 'UTF8' || element.logical_type?.type === 'STRING');
}

/** A struct with bytes. */
function isImage({ children }: SchemaTree): boolean {
  return children.some((child) => child.element.name === 'bytes' && isBytes(child));
}
