/**
 * Rows of `metadata.jsonl`, as Hugging Face's ImageFolder reads them
 * (https://huggingface.co/docs/datasets/image_dataset#imagefolder): a column `file_name` becomes the column `image`, a
 * column `⟨x⟩_file_name` another column of images, ⟨x⟩; all others are kept as they are.
 */
import type { ImageLabels } from '../sample.js';

/** Paths of a row's files, relative to the folder of `metadata.jsonl`. */
export interface RowFiles {
  readonly file_name: string;
  /** Instance mask, 16-bit grey, node + 1. */
  readonly instances_file_name?: string;
  /** Class mask, 8-bit grey, class + 1. */
  readonly classes_file_name?: string;
  /** 16-bit grey, m × 256 (depthCode.ts); 8-bit RGB (normalCode.ts). */
  readonly depth_file_name?: string;
  readonly normals_file_name?: string;
  /** Scene graph. Not named `…_file_name`, since it is no image. */
  readonly scene?: string;
}

/** A row taken apart: its files, and the label record. */
export interface Row {
  readonly files: RowFiles;
  readonly record: Readonly<Record<string, unknown>>;
}

/**
 * The first rows of a dataset have every measure with a decimal point (`1.0`). Hugging Face takes the types of columns
 * from the first 10 MB: a measure that happens to be whole there (`visibleFraction: 1`) would become an integer and lose
 * its fraction in the rows after.
 */
const TYPED_ROWS = 100;
/** Keys of a record's objects that hold whole numbers. */
const WHOLE = new Set(['node', 'parent', 'box', 'amodalBox', 'pixels', 'occlusion']);

/**
 * A line of `metadata.jsonl`, with its end: the files, then the label record as it is.
 * @param number of the image in the dataset, from 0
 */
export function rowLine(files: RowFiles, labels: ImageLabels, number: number): string {
  const row = { ...files, ...labels };
  if (number >= TYPED_ROWS) return `${JSON.stringify(row)}\n`;
  const { objects, ...head } = row;
  const typed = objects.map((object) => {
    const entries = Object.entries(object).filter(([, value]) => value !== undefined);
    return `{${entries.map(([key, value]) => `${JSON.stringify(key)}:${WHOLE.has(key) ? JSON.stringify(value) : floatJson(value)}`)}}`;
  });
  // `objects` stands where it stood, so that the record's keys keep their order.
  const members = Object.keys(row).map((key) => {
    const own = head[key as keyof typeof head];
    const value = key === 'objects' ? `[${typed}]` : key === 'camera' ? floatJson(own) : JSON.stringify(own);
    return value === undefined ? undefined : `${JSON.stringify(key)}:${value}`;
  });
  return `{${members.filter((member) => member !== undefined)}}\n`;
}

/** Takes a row of ours apart; key order is kept. */
export function splitRow(row: Readonly<Record<string, unknown>>): Row {
  const { file_name, instances_file_name, classes_file_name, depth_file_name, normals_file_name, scene, ...record } =
    row;
  const masks = { instances_file_name, classes_file_name };
  return { files: { file_name, ...masks, depth_file_name, normals_file_name, scene } as RowFiles, record };
}

/** As `JSON.stringify`, but whole numbers have a decimal point. */
function floatJson(value: unknown): string {
  if (typeof value === 'number' && Number.isInteger(value)) return value.toFixed(1);
  if (Array.isArray(value)) return `[${value.map(floatJson)}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const members = Object.entries(value).filter(([, child]) => child !== undefined);
  return `{${members.map(([key, child]) => `${JSON.stringify(key)}:${floatJson(child)}`)}}`;
}
