import type { Box3d } from '../annotate/objectLabel.js';
import { DONT_CARE } from './formats/kittiLabel.js';
import type { ImageLabels, SampleObject } from './sample.js';

/** Formats round the sides of boxes, px; KITTI gives metres with two decimals. */
const BOX_TOLERANCE = 1;
const PLACE_TOLERANCE = 0.006;

/**
 * Whether an object of a label record is the one that a format's own files list. KITTI's box of a 3D object is that of its 3D
 * box, and some that are seen have no class but `DontCare`; formats of classification list one whose box is the image.
 */
export function isListedAs(object: SampleObject, listed: SampleObject, image: ImageLabels): boolean {
  const isClass = object.class === listed.class;
  if (listed.box3d) return isClass && isNear3d(object.box3d, listed.box3d);
  if (!isClass && !(listed.class === DONT_CARE && object.box3d)) return false;
  return coversImage(listed, image) || isNear(object.box, listed.box);
}

/** Whether a listed object is one of the whole image. */
export function coversImage({ box, box3d }: SampleObject, { width, height }: ImageLabels): boolean {
  return !box3d && box !== null && box[2] >= width && box[3] >= height;
}

function isNear3d(a: SampleObject['box3d'], b: Box3d): boolean {
  return a?.location.every((value, i) => Math.abs(value - b.location[i]) <= PLACE_TOLERANCE) ?? false;
}

function isNear(a: SampleObject['box'], b: SampleObject['box']): boolean {
  if (a === null || b === null) return a === b;
  return a.every((value, i) => Math.abs(value - b[i]) <= BOX_TOLERANCE);
}
