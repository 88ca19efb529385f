import { DatasetError } from '../../errors.js';
import type { DatasetInfo, DatasetSample, SampleObject } from '../sample.js';
import { CROWD_ATTRIBUTE } from './cocoObjects.js';

/** Ids from here on are not those of an object: 16 bits are the instance mask's. */
export const CLASS_ID_UNIT = 1 << 16;

/** One segment of a panoptic image, as COCO's `segments_info` lists it. */
export interface PanopticSegment {
  readonly id: number;
  readonly category_id: number;
  /** Visible pixels. */
  readonly area: number;
  /** [left, top, width, height], px */
  readonly bbox: readonly number[];
  readonly iscrowd: 0 | 1;
}

/** A panoptic image: every pixel belongs to one segment or none. */
export interface PanopticImage {
  /** [H, W, 3]: id = R + 256 G + 65536 B, 0 for none. */
  readonly pixels: Uint8Array;
  readonly segments: readonly PanopticSegment[];
}

/**
 * The panoptic image of a sample: a segment for every thing (its id is node + 1, as in the instance mask), and one for
 * all of a class of stuff. A stuff segment's id is the smallest of its nodes + 1; 65536 × (class + 1) where pixels have a
 * class but no object. Pixels of a thing class without an object are a crowd, as nobody knows how many there are.
 * @param categoryIds of all classes
 * @throws DatasetError when the sample has no masks
 */
export function panopticImage(
  sample: DatasetSample,
  info: DatasetInfo,
  categoryIds: ReadonlyMap<string, number>,
): PanopticImage {
  const { labels, instances, classes } = sample;
  const { width, height, key } = labels;
  if (!instances)
    throw new DatasetError(`Expected an instance mask for the panoptic image of ${key} but received none`);
  const segmentOf = segmentIds(sample, info);
  const pixels = new Uint8Array(width * height * 3);
  const found = new Map<
    number,
    { classId: number; area: number; left: number; right: number; top: number; bottom: number }
  >();
  for (let y = 0, i = 0; y < height; y++) {
    for (let x = 0; x < width; x++, i++) {
      const { id, classId } = segmentOf(instances[i], classes?.[i] ?? 0);
      if (id === 0) continue;
      pixels[3 * i] = id;
      pixels[3 * i + 1] = id >>> 8;
      pixels[3 * i + 2] = id >>> 16;
      const extent = found.get(id);
      if (extent) {
        extent.area++;
        extent.left = Math.min(extent.left, x);
        extent.right = Math.max(extent.right, x);
        extent.bottom = y;
      } else found.set(id, { classId, area: 1, left: x, right: x, top: y, bottom: y });
    }
  }
  const crowds = new Set(labels.objects.filter(isCrowd).map(({ node }) => (node ?? -1) + 1));
  const segments = [...found].map(([id, { classId, area, left, right, top, bottom }]): PanopticSegment => {
    const name = info.classes[classId];
    return {
      id,
      category_id: categoryIds.get(name)!,
      area,
      bbox: [left, top, right - left + 1, bottom - top + 1],
      iscrowd: info.things.includes(name) && (crowds.has(id) || id >= CLASS_ID_UNIT) ? 1 : 0,
    };
  });
  return { pixels, segments: segments.sort((a, b) => a.id - b.id) };
}

/** Whether an object stands for a region with an unknown number of objects. */
export function isCrowd({ attributes }: SampleObject): boolean {
  return attributes?.[CROWD_ATTRIBUTE] === 1;
}

interface SegmentOfPixel {
  readonly id: number;
  /** Position of its class, −1 for none. */
  readonly classId: number;
}
const NONE: SegmentOfPixel = { id: 0, classId: -1 };

/** @returns the segment of a pixel from its values in the instance mask and the class mask */
function segmentIds(
  { labels, instances }: DatasetSample,
  info: DatasetInfo,
): (instance: number, classValue: number) => SegmentOfPixel {
  const present = new Set(instances);
  const byInstance = new Map<number, SegmentOfPixel>();
  const firstOfClass = new Map<number, number>();
  const listed = labels.objects.filter(({ node }) => node !== undefined && present.has(node + 1));
  for (const { node, class: name } of listed.sort((a, b) => a.node! - b.node!)) {
    const classId = info.classes.indexOf(name);
    if (classId < 0) continue;
    const id = node! + 1;
    if (!firstOfClass.has(classId)) firstOfClass.set(classId, id);
    byInstance.set(id, { id: info.things.includes(name) ? id : firstOfClass.get(classId)!, classId });
  }
  const byClass = info.classes.map((name, classId): SegmentOfPixel => {
    const stuff = info.things.includes(name) ? undefined : firstOfClass.get(classId);
    return { id: stuff ?? CLASS_ID_UNIT * (classId + 1), classId };
  });
  return (instance, classValue) =>
    byInstance.get(instance) ?? (classValue > 0 ? byClass[classValue - 1] : undefined) ?? NONE;
}
