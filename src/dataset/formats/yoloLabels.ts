import { visibleRegions } from '../../annotate/visibleRegions.js';
import { DatasetError } from '../../errors.js';
import { traceContours } from '../masks/contours.js';
import { joinContours } from '../masks/joinContours.js';
import { fillPolygon } from '../masks/polygons.js';
import type { DatasetSample, SampleObject } from '../sample.js';
import { boxOnCanvas, formatDecimal, parseDecimal } from './decimals.js';

/**
 * Rows of YOLO's label files: `class x y width height` of the box's centre and size, or `class x1 y1 x2 y2 …` of a
 * polygon, one row an object; the class by number from 0, lengths as shares of the image's width and height.
 */

/** So many decimals place a corner to a thousandth of a pixel in the largest image. */
const DECIMALS = 8;
/** Coordinates within this, in pixels or as a share of the side, of a whole pixel are meant to be there. */
const NEAR_PX = 1e-3;
const NEAR_SHARE = 1e-6;
/** How far coordinates may lie outside the image, as a share of its side: as Ultralytics' check has it. */
const OUTSIDE = 0.01;
/** A row longer than a box's, and than Ultralytics takes a box for, is a polygon. */
const MAX_BOX_FIELDS = 6;
const BOX_FIELDS = 5;
const MIN_POLYGON_FIELDS = 7;
const MAX_TEXT_LENGTH = 2 ** 26;
/** Instance masks hold 16 bits. */
const MAX_OBJECTS = 65534;

/** The row of an object's box; undefined for a box that lies off the canvas. */
export function boxRow(classNumber: number, object: SampleObject, width: number, height: number): string | undefined {
  const [left, top, boxWidth, boxHeight] = object.box as NonNullable<SampleObject['box']>;
  const box = boxOnCanvas([left, top, left + boxWidth, top + boxHeight], width, height);
  if (!box) return undefined;
  const [x, y, w, h] = box;
  const shares = [(x + w / 2) / width, (y + h / 2) / height, w / width, h / height];
  return `${classNumber} ${shares.map((share) => formatDecimal(share, DECIMALS)).join(' ')}\n`;
}

/**
 * Rows of the polygons of objects, in their order; an object of which no pixel is seen has none. All parts and holes of
 * an object are in its one polygon, joined by bridges (`joinContours`).
 * @throws DatasetError when the sample has no masks, or an object does not say which pixels are its
 */
export function polygonRows(
  sample: DatasetSample,
  objects: readonly { readonly classNumber: number; readonly object: SampleObject }[],
): string {
  const { instances, labels } = sample;
  const { key, width, height } = labels;
  if (!instances) throw new DatasetError(`Expected an instance mask for ${key} but received none`);
  let nodes = 0;
  for (let i = 0; i < instances.length; i++) if (instances[i] > nodes) nodes = instances[i];
  const regions = visibleRegions(instances, width, height, nodes);
  // Corners lie on whole pixels: each share is written many times and computed once.
  const shares: [x: string[], y: string[]] = [[], []];
  const share = (axis: number, value: number) =>
    (shares[axis][value] ??= ` ${formatDecimal(value / (axis === 0 ? width : height), DECIMALS)}`);
  let rows = '';
  for (const { classNumber, object } of objects) {
    const { node } = object;
    if (node === undefined) throw new DatasetError(`Expected a node for every object of ${key} but received none`);
    if (node >= nodes || regions.pixels[node] === 0) continue;
    const window = {
      left: regions.left[node],
      top: regions.top[node],
      right: regions.right[node] + 1,
      bottom: regions.bottom[node] + 1,
    };
    const points = joinContours(traceContours(instances, width, node + 1, window), window);
    rows += classNumber;
    for (let i = 0; i < points.length; i++) rows += share(i % 2, points[i]);
    rows += '\n';
  }
  return rows;
}

/** A row that was read. */
export interface YoloObject {
  readonly classNumber: number;
  /** [left, top, width, height], px. */
  readonly box: readonly [number, number, number, number];
  /** [2P], px; undefined for a box. */
  readonly polygon?: Float64Array;
}

/**
 * Reads a label file. If any row is longer than a box's, all are polygons, as Ultralytics has it.
 * @param size of the image, px, and number of classes
 * @param place name of the file, for errors
 * @throws DatasetError naming file and line for rows that are none, numbers that are none or lie outside the image,
 *   classes that do not exist, and objects without area
 */
export function parseYoloLabels(
  text: string,
  size: { readonly width: number; readonly height: number; readonly classes: number },
  place: string,
): YoloObject[] {
  if (text.length > MAX_TEXT_LENGTH) {
    throw new DatasetError(`Expected at most ${MAX_TEXT_LENGTH} characters in ${place} but received ${text.length}`);
  }
  const rows = text.split('\n').flatMap((line, i) => {
    const fields = line.trim().split(/\s+/);
    return fields[0] === '' ? [] : [{ fields, where: `${place}:${i + 1}` }];
  });
  if (rows.length > MAX_OBJECTS) {
    throw new DatasetError(`Expected at most ${MAX_OBJECTS} objects in ${place} but received ${rows.length}`);
  }
  const polygons = rows.some(({ fields }) => fields.length > MAX_BOX_FIELDS);
  return rows.map(({ fields, where }) => {
    const [classNumber, ...shares] = fields.map((field) => numberOf(field, where));
    if (!Number.isInteger(classNumber) || classNumber < 0 || classNumber >= size.classes) {
      throw new DatasetError(`${where}: Expected a class from 0 to ${size.classes - 1} but received ${fields[0]}`);
    }
    for (const [i, share] of shares.entries()) {
      if (share >= -OUTSIDE && share <= 1 + OUTSIDE) continue;
      throw new DatasetError(`${where}: Expected coordinates from 0 to 1 but received ${fields[i + 1]}`);
    }
    return { classNumber, ...(polygons ? polygonOf(shares, size, where) : boxOf(shares, size, where)) };
  });
}

function numberOf(field: string, where: string): number {
  const value = parseDecimal(field);
  if (value === undefined) {
    throw new DatasetError(`${where}: Expected finite numbers but received ${JSON.stringify(field.slice(0, 40))}`);
  }
  return value;
}

function boxOf(shares: readonly number[], size: { width: number; height: number }, where: string) {
  if (shares.length + 1 !== BOX_FIELDS) {
    throw new DatasetError(`${where}: Expected "class x y width height" but received ${shares.length + 1} numbers`);
  }
  const [x, y, w, h] = shares;
  return { box: onCanvas([x - w / 2, y - h / 2, x + w / 2, y + h / 2], size, where) };
}

function polygonOf(shares: readonly number[], size: { width: number; height: number }, where: string) {
  if (shares.length + 1 < MIN_POLYGON_FIELDS || shares.length % 2 !== 0) {
    throw new DatasetError(
      `${where}: Expected "class x1 y1 x2 y2 x3 y3 …" beside other polygons but received ${shares.length + 1} numbers`,
    );
  }
  const edges: [number, number, number, number] = [Infinity, Infinity, -Infinity, -Infinity];
  const polygon = new Float64Array(shares.length);
  for (const [i, share] of shares.entries()) {
    const axis = i % 2;
    edges[axis] = Math.min(edges[axis], share);
    edges[axis + 2] = Math.max(edges[axis + 2], share);
    polygon[i] = share * (axis === 0 ? size.width : size.height);
  }
  return { box: onCanvas(edges, size, where), polygon };
}

function onCanvas(
  shares: readonly [number, number, number, number],
  { width, height }: { width: number; height: number },
  where: string,
) {
  const [left, top, right, bottom] = shares;
  const near = NEAR_PX + NEAR_SHARE * Math.max(width, height);
  const box = boxOnCanvas([left * width, top * height, right * width, bottom * height], width, height, near);
  if (!box) throw new DatasetError(`${where}: Expected an object with an area within the image but received none`);
  return box;
}

/** Masks of polygons. */
export interface PolygonMasks {
  /** [H, W] position in the list + 1 of the object at the pixel, 0 where there is none. */
  readonly instances: Uint16Array;
  /** [H, W] class number + 1, 0 where there is none; undefined where there are more than 255 classes. */
  readonly classes?: Uint8Array;
}

/**
 * Paints polygons, the larger ones first, so that where they overlap the smaller one is seen, as Ultralytics has it.
 * @param objects with polygons
 */
export function paintPolygons(
  objects: readonly YoloObject[],
  size: { readonly width: number; readonly height: number; readonly classes: number },
): PolygonMasks {
  const { width, height } = size;
  const instances = new Uint16Array(width * height);
  const classes = size.classes <= 255 ? new Uint8Array(width * height) : undefined;
  const areas = objects.map(({ polygon }) => areaOf(polygon as Float64Array));
  const order = Array.from(areas.keys()).sort((a, b) => areas[b] - areas[a] || a - b);
  for (const i of order) {
    fillPolygon(objects[i].polygon as Float64Array, width, height, (y, from, to) => {
      instances.fill(i + 1, y * width + from, y * width + to);
      classes?.fill(objects[i].classNumber + 1, y * width + from, y * width + to);
    });
  }
  return { instances, ...(classes ? { classes } : {}) };
}

/** Area that a polygon encloses, px. */
function areaOf(points: Float64Array): number {
  let twice = 0;
  for (let i = 0; i < points.length; i += 2) {
    const j = i + 2 === points.length ? 0 : i + 2;
    twice += points[i] * points[j + 1] - points[j] * points[i + 1];
  }
  return Math.abs(twice) / 2;
}
