import type { InstancePainter, PaintedMask } from '../masks/instancePainter.js';
import { expandRunLengths, runLengthsFault } from '../masks/rle.js';
import type { SampleObject } from '../sample.js';
import type { CocoElement } from './cocoIndex.js';
import { type CocoAnnotation, type CocoPlace, checkAnnotation, cocoError } from './cocoSchema.js';

/** Objects of an image: instance masks have 16 bits, and 0 is none. */
const MAX_OBJECTS = 65535;
/** Largest coordinate of a polygon, px: well beyond any canvas. */
const MAX_COORDINATE = 1e6;
/**
 * The attribute that marks an object as COCO's crowd (`iscrowd`): a region with an unknown number of objects of a class.
 * Only ours of it: COCO has it beside the class, labels have no place for it.
 */
export const CROWD_ATTRIBUTE = 'iscrowd';

/** The class of a category id: its name and its position in `DatasetInfo.classes`. */
export type CocoClasses = ReadonlyMap<number, { readonly name: string; readonly position: number }>;

/**
 * The objects of an image from its annotations, whose masks are painted: crowds first, then the others in the order of
 * the file, each over what is there. So where masks overlap (COCO's crowds lie under single objects, and annotators'
 * polygons share borders), a pixel belongs to the last; `pixels` counts an object's whole mask all the same.
 *
 * The box is COCO's; where it is missing or has no area, it is that of the mask, and null where there is none either.
 * `node` is the position of the annotation, or what metasim has written.
 * @throws DatasetError naming file, annotation and field of what is wrong
 */
export function readObjects(
  elements: readonly CocoElement[],
  classes: CocoClasses,
  painter: InstancePainter,
): SampleObject[] {
  if (elements.length > MAX_OBJECTS) {
    throw cocoError(`at most ${MAX_OBJECTS} annotations of an image`, elements[MAX_OBJECTS].place, '', elements.length);
  }
  const annotations = elements.map(({ value, place }) => checkAnnotation(value, place));
  const nodes = nodesOf(annotations);
  const objects: SampleObject[] = [];
  const crowdsFirst = [...annotations.keys()].sort((a, b) => crowd(annotations[b]) - crowd(annotations[a]) || a - b);
  for (const i of crowdsFirst) {
    const { place } = elements[i];
    const annotation = annotations[i];
    const found = classes.get(annotation.category_id);
    if (!found) throw cocoError('the id of a category', place, 'category_id', annotation.category_id);
    const mask = paint(annotation, painter, nodes[i] + 1, found.position, place);
    objects[i] = toObject(annotation, nodes[i], found.name, mask, place);
  }
  return objects;
}

function toObject(
  annotation: CocoAnnotation,
  node: number,
  name: string,
  mask: PaintedMask | undefined,
  place: CocoPlace,
): SampleObject {
  const { bbox, metasim = {} } = annotation;
  if (bbox && (bbox[2] < 0 || bbox[3] < 0)) throw cocoError('a width and height of at least 0', place, 'bbox', bbox);
  if (!bbox && !mask) throw cocoError('a box or a segmentation', place, 'bbox', bbox);
  const box = bbox && bbox[2] > 0 && bbox[3] > 0 ? bbox : (mask?.box ?? null);
  const attributes = crowd(annotation) ? { ...metasim.attributes, [CROWD_ATTRIBUTE]: 1 } : metasim.attributes;
  return {
    node,
    class: name,
    ...(metasim.asset === undefined ? {} : { asset: metasim.asset }),
    visible: box !== null,
    box,
    ...(mask ? { pixels: mask.pixels } : {}),
    ...without(metasim, ['node', 'asset', 'attributes']),
    ...(attributes ? { attributes } : {}),
  };
}

/** Those that metasim has written, where all are there and differ; else positions. */
function nodesOf(annotations: readonly CocoAnnotation[]): number[] {
  const written = annotations.flatMap(({ metasim }) => metasim?.node ?? []);
  if (written.length === annotations.length && new Set(written).size === written.length) return written;
  return [...annotations.keys()];
}

/** Paints the mask of an annotation in any of COCO's three ways; undefined where it has none. */
function paint(
  { segmentation }: CocoAnnotation,
  painter: InstancePainter,
  id: number,
  classId: number,
  place: CocoPlace,
): PaintedMask | undefined {
  if (segmentation === undefined || segmentation === null) return undefined;
  if (Array.isArray(segmentation)) {
    if (segmentation.length === 0) return undefined;
    for (const [i, points] of segmentation.entries()) checkPolygon(points, place, `segmentation[${i}]`);
    return painter.polygons(segmentation as number[][], id, classId);
  }
  return painter.runLengths(runLengths(segmentation, painter, place), id, classId);
}

function checkPolygon(points: unknown, place: CocoPlace, field: string): void {
  if (!Array.isArray(points)) throw cocoError('a polygon', place, field, points);
  if (points.length % 2 !== 0) throw cocoError('pairs of x and y', place, field, `${points.length} numbers`);
  const bad = points.findIndex((value) => typeof value !== 'number' || !(Math.abs(value) <= MAX_COORDINATE));
  if (bad >= 0) {
    throw cocoError(`coordinates of at most ${MAX_COORDINATE} px`, place, `${field}[${bad}]`, points[bad]);
  }
}

function runLengths(segmentation: unknown, { width, height }: InstancePainter, place: CocoPlace): number[] {
  const { size, counts } = segmentation as { size?: unknown; counts?: unknown };
  if (!Array.isArray(size) || size[0] !== height || size[1] !== width) {
    throw cocoError(`the image's size [${height},${width}]`, place, 'segmentation.size', JSON.stringify(size));
  }
  const isText = typeof counts === 'string';
  if (!isText && !Array.isArray(counts)) {
    throw cocoError('run lengths as a string or an array', place, 'segmentation.counts', counts);
  }
  try {
    const expanded = isText ? expandRunLengths(counts) : counts;
    const fault = runLengthsFault(expanded, width * height);
    if (fault) throw new RangeError(fault);
    return expanded as number[];
  } catch (fault) {
    throw cocoError('run lengths', place, 'segmentation.counts', (fault as Error).message);
  }
}

function crowd(annotation: CocoAnnotation): number {
  return annotation.iscrowd ?? 0;
}

function without<T extends object, K extends keyof T>(value: T, keys: readonly K[]): Omit<T, K> {
  const rest = { ...value };
  for (const key of keys) delete rest[key];
  return rest;
}
