import { DatasetError } from '../../errors.js';
import type { SampleObject } from '../sample.js';

/** Names that columns of classes go by in Hugging Face's examples of object detection. */
const CATEGORY_COLUMNS = ['categories', 'category', 'labels', 'label', 'class'];

/**
 * Objects of a row of somebody else's `metadata.jsonl`: `objects: { bbox: [[x, y, width, height], …], categories: […] }`
 * as in Hugging Face's object detection, `label` as in its classification (an object whose box is the whole image);
 * none where there is neither. Classes given as numbers are named by them.
 * @param where file and line, for errors
 * @throws DatasetError when boxes and categories do not go together
 */
export function foreignObjects(
  row: Readonly<Record<string, unknown>>,
  where: string,
  { width, height }: { readonly width: number; readonly height: number },
): SampleObject[] {
  const { objects, label } = row;
  if (typeof objects === 'object' && objects !== null && 'bbox' in objects) {
    return detections(objects as Record<string, unknown>, where);
  }
  return isName(label) ? [{ class: String(label), box: [0, 0, width, height] }] : [];
}

function detections(columns: Readonly<Record<string, unknown>>, where: string): SampleObject[] {
  const column = CATEGORY_COLUMNS.find((name) => name in columns);
  const names = column === undefined ? undefined : columns[column];
  const boxes = columns.bbox;
  if (!Array.isArray(boxes) || !boxes.every(isBox)) {
    throw new DatasetError(`Expected boxes of four numbers for objects.bbox in ${where}`);
  }
  if (!Array.isArray(names) || names.length !== boxes.length || !names.every(isName)) {
    throw new DatasetError(
      `Expected a class for each of the ${boxes.length} boxes in objects.${column ?? CATEGORY_COLUMNS[0]} in ${where}`,
    );
  }
  return boxes.map((box, i) => ({ class: String(names[i]), box }));
}

function isName(value: unknown): value is string | number {
  return typeof value === 'string' || typeof value === 'number';
}

function isBox(value: unknown): value is [number, number, number, number] {
  return Array.isArray(value) && value.length === 4 && value.every((side) => typeof side === 'number');
}
