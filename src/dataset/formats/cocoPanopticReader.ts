import { decodeImage } from '../imageCodec.js';
import type { PaintedMask } from '../masks/instancePainter.js';
import type { SampleObject } from '../sample.js';
import { type CocoClasses, CROWD_ATTRIBUTE } from './cocoObjects.js';
import { type CocoPanopticAnnotation, type CocoPlace, cocoError } from './cocoSchema.js';

/** Nodes there are: instance masks have 16 bits, and 0 is none. */
const MAX_NODES = 65535;

/**
 * Reads a panoptic image into a sample's masks: the class of every pixel, and for segments that no object was painted
 * for, objects of their own. Their `node` is the segment's id − 1 where that fits and is free (ours), else the next free.
 * @param masks      instances and classes [H, W]; objects that are painted already stay
 * @param objects    of the sample so far
 * @param isListed   whether objects of a class are listed already
 * @returns the objects that were added
 * @throws DatasetError when image and segments do not fit
 */
export async function readPanoptic(
  annotation: CocoPanopticAnnotation,
  png: Uint8Array,
  masks: {
    readonly width: number;
    readonly height: number;
    readonly instances: Uint16Array;
    readonly classes: Uint8Array;
  },
  objects: readonly SampleObject[],
  categories: CocoClasses,
  isListed: (name: string) => boolean,
  place: CocoPlace,
): Promise<SampleObject[]> {
  const { width, height, instances, classes } = masks;
  const image = await decodeImage({ codec: 'png', bytes: png }, annotation.file_name);
  if (image.width !== width || image.height !== height || image.channels !== 3) {
    const received = `${image.width} × ${image.height} px in ${image.channels} channels`;
    throw cocoError(`an RGB image of ${width} × ${height} px`, place, 'file_name', received);
  }
  const segments = openSegments(annotation, objects, categories, isListed, place);
  let id = -1;
  let segment: OpenSegment | undefined;
  for (let y = 0, i = 0; y < height; y++) {
    for (let x = 0; x < width; x++, i++) {
      const here = image.pixels[3 * i] + 256 * image.pixels[3 * i + 1] + 65536 * image.pixels[3 * i + 2];
      if (here !== id) {
        id = here;
        segment = segments.get(id);
        if (!segment && id !== 0)
          throw cocoError(`the segment ${id} of the image`, place, 'segments_info', 'no such id');
      }
      if (!segment) continue;
      classes[i] = segment.position + 1;
      if (segment.node === undefined || instances[i] !== 0) continue;
      instances[i] = segment.node + 1;
      segment.pixels++;
      segment.left = Math.min(segment.left, x);
      segment.right = Math.max(segment.right, x);
      segment.top = Math.min(segment.top, y);
      segment.bottom = y;
    }
  }
  return [...segments.values()].filter(({ node, pixels }) => node !== undefined && pixels > 0).map(toObject);
}

interface OpenSegment {
  readonly name: string;
  readonly position: number;
  /** Absent for segments whose objects are listed already. */
  readonly node: number | undefined;
  readonly crowd: boolean;
  pixels: number;
  left: number;
  right: number;
  top: number;
  bottom: number;
}

function openSegments(
  { segments_info }: CocoPanopticAnnotation,
  objects: readonly SampleObject[],
  categories: CocoClasses,
  isListed: (name: string) => boolean,
  place: CocoPlace,
): Map<number, OpenSegment> {
  const segments = new Map<number, OpenSegment>();
  const taken = new Set(objects.map(({ node }) => node));
  let free = 0;
  const nodeFor = (id: number) => {
    let node = id - 1;
    if (id > MAX_NODES || taken.has(node)) {
      while (taken.has(free)) free++;
      node = free;
    }
    if (node >= MAX_NODES)
      throw cocoError(`at most ${MAX_NODES} objects of an image`, place, 'segments_info', node + 1);
    taken.add(node);
    return node;
  };
  for (const [i, { id, category_id, iscrowd }] of segments_info.entries()) {
    const category = categories.get(category_id);
    if (!category) throw cocoError('the id of a category', place, `segments_info[${i}].category_id`, category_id);
    if (segments.has(id)) throw cocoError('an id of its own', place, `segments_info[${i}].id`, id);
    const node = isListed(category.name) ? undefined : nodeFor(id);
    const crowd = iscrowd === 1;
    segments.set(id, { ...category, node, crowd, pixels: 0, left: Infinity, right: -1, top: Infinity, bottom: -1 });
  }
  return segments;
}

function toObject({ name, node, crowd, pixels, left, right, top, bottom }: OpenSegment): SampleObject {
  const box: PaintedMask['box'] = [left, top, right - left + 1, bottom - top + 1];
  const attributes = crowd ? { attributes: { [CROWD_ATTRIBUTE]: 1 } } : {};
  return { node: node!, class: name, visible: true, box, pixels, ...attributes };
}
