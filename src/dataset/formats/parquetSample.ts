import { DatasetError } from '../../errors.js';
import type { DatasetSample, SampleObject } from '../sample.js';
import { foreignKey } from './foreignKey.js';
import { describeImage } from './imageFile.js';
import { CATEGORY_NAMES, type ParquetLayout } from './parquetFeatures.js';
import type { ParquetRecord } from './parquetFile.js';
import { sampleOf } from './recordParts.js';

const BOX_NAMES = ['bbox', 'boxes', 'box'];
/** How the label record begins as `JSON.stringify` writes it; a column of that name may hold something else. */
const RECORD_HEAD = '{"key":';

/** Columns that a sample is made of. */
export function sampleColumns(layout: ParquetLayout): string[] {
  const { image, labels, objects, label, key, instances, classes, depth, normals, scene } = layout;
  const foreign = [image, objects, label, key];
  const columns = labels === null ? foreign : [...foreign, labels, instances, classes, depth, normals, scene];
  return [...new Set(columns)].filter((name) => name !== null);
}

/** Columns that classes are found in. */
export function classColumns({ labels, objects, label }: ParquetLayout): string[] {
  return [labels, objects, label].filter((name) => name !== null);
}

/**
 * The sample of a row: of ours all that was written, of others image, classes and boxes.
 * @param index position in the dataset
 * @param where file and row, for errors
 * @throws DatasetError when the row has no image, or its parts do not go together
 */
export function sampleOfRow(row: ParquetRecord, layout: ParquetLayout, index: number, where: string): DatasetSample {
  const bytes = bytesOf(row[layout.image]);
  if (!bytes) {
    throw new DatasetError(
      `Expected the bytes of an image in "${layout.image}" of ${where} but received ${pathOf(row[layout.image]) ?? 'none'}`,
    );
  }
  const labels = recordOf(row, layout);
  if (labels !== undefined) {
    const cell = (name: string | null) => (name === null ? undefined : bytesOf(row[name]));
    const [instances, classes, scene] = [layout.instances, layout.classes, layout.scene].map(cell);
    const [depth, normals] = [layout.depth, layout.normals].map(cell);
    return sampleOf({ labels, image: bytes, instances, classes, depth, normals, scene }, where);
  }
  const { image, width, height, channels } = describeImage(bytes, where);
  const objects = objectsOfRow(row, layout, width, height, where);
  const key = foreignKey(nameOf(row, layout), index);
  return { labels: { key, index, width, height, channels, objects }, image };
}

/** The label record of a row as JSON; undefined in files of others. */
export function recordOf(row: ParquetRecord, { labels }: ParquetLayout): string | undefined {
  const text = labels === null ? undefined : row[labels];
  return typeof text === 'string' && text.startsWith(RECORD_HEAD) ? text : undefined;
}

/**
 * Objects of a row of somebody else's: of a column `objects` with boxes [left, top, width, height] in px and classes, or
 * one that is the whole image where there is a class for it (−1 stands for none).
 * @throws DatasetError when boxes and classes do not go together
 */
export function objectsOfRow(
  row: ParquetRecord,
  layout: ParquetLayout,
  width: number,
  height: number,
  where: string,
): SampleObject[] {
  if (layout.objects !== null && row[layout.objects]) {
    return detections(row[layout.objects], layout.objectClasses, where);
  }
  const name = layout.label === null ? undefined : className(row[layout.label], layout.labelClasses);
  return name === undefined ? [] : [{ class: name, box: [0, 0, width, height] }];
}

function detections(cell: unknown, names: readonly string[] | undefined, where: string): SampleObject[] {
  const objects = Array.isArray(cell) ? cell : undefined;
  const list = (wanted: readonly string[]): unknown[] | undefined => {
    // A list of structs, or a struct of lists.
    const first = objects ? objects[0] : cell;
    const name = wanted.find((each) => typeof first === 'object' && first !== null && each in first);
    if (name === undefined) return undefined;
    return objects ? objects.map((object) => object?.[name]) : Array.from((cell as Record<string, never>)[name] ?? []);
  };
  if (objects?.length === 0) return [];
  const boxes = list(BOX_NAMES);
  if (!boxes) return [];
  const classes = list(CATEGORY_NAMES) ?? boxes.map(() => 'object');
  const areas = list(['area']);
  if (classes.length !== boxes.length) {
    throw new DatasetError(
      `Expected a class for each of ${boxes.length} boxes in ${where} but received ${classes.length}`,
    );
  }
  return boxes.flatMap((box, i): SampleObject[] => {
    const name = className(classes[i], names);
    if (name === undefined) return [];
    const area = numberOf(areas?.[i]);
    return [{ class: name, box: boxOf(box, where), ...(area !== undefined && { pixels: area }) }];
  });
}

function className(value: unknown, names: readonly string[] | undefined): string | undefined {
  if (typeof value === 'string') return value;
  const number = numberOf(value);
  if (number === undefined || number < 0) return undefined;
  return names?.[number] ?? String(number);
}

function boxOf(value: unknown, where: string): [number, number, number, number] {
  const sides = typeof value === 'object' && value !== null ? Array.from(value as ArrayLike<unknown>, numberOf) : [];
  if (sides.length === 4 && sides.every((side) => side !== undefined)) return sides as [number, number, number, number];
  throw new DatasetError(`Expected boxes of four finite numbers in ${where} but received ${sides.length} of them`);
}

/** A finite number, 64-bit integers included. */
function numberOf(value: unknown): number | undefined {
  const number = typeof value === 'bigint' ? Number(value) : value;
  return typeof number === 'number' && Number.isFinite(number) ? number : undefined;
}

function nameOf(row: ParquetRecord, { key, image }: ParquetLayout): string | undefined {
  const name = key === null ? undefined : row[key];
  if (typeof name === 'string' || typeof name === 'number' || typeof name === 'bigint') return String(name);
  return pathOf(row[image]);
}

/** Of an image cell: plain bytes, or a struct with bytes and path. */
function bytesOf(cell: unknown): Uint8Array | undefined {
  const bytes = cell instanceof Uint8Array ? cell : (cell as { bytes?: unknown } | null | undefined)?.bytes;
  return bytes instanceof Uint8Array ? bytes : undefined;
}

function pathOf(cell: unknown): string | undefined {
  const path = (cell as { path?: unknown } | null | undefined)?.path;
  return typeof path === 'string' ? path : undefined;
}
