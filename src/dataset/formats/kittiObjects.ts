import type { SampleObject } from '../sample.js';
import { boxOnCanvas } from './decimals.js';
import { DONT_CARE, KITTI_UNKNOWN, type KittiLabel } from './kittiLabel.js';

/** Objects that are seen, and so have a box. */
export type SeenObject = SampleObject & { readonly box: NonNullable<SampleObject['box']> };

/**
 * The row of an object. What is not known of it is unknown there: of objects of 2D scenes alpha, dimensions, location and
 * rotation, of objects from elsewhere perhaps more.
 */
export function kittiLabelOf(object: SeenObject): KittiLabel {
  const [left, top, width, height] = object.box;
  const box = [left, top, left + width - 1, top + height - 1] as const;
  if (object.class === DONT_CARE) return { ...KITTI_UNKNOWN, type: DONT_CARE, box };
  return {
    type: object.class,
    truncated: object.truncation ?? KITTI_UNKNOWN.truncated,
    occluded: object.occlusion ?? 3,
    // The fields of 3D scenes: from the object, where it has them.
    ...{ alpha: KITTI_UNKNOWN.alpha, rotationY: KITTI_UNKNOWN.rotationY },
    ...{ dimensions: KITTI_UNKNOWN.dimensions, location: KITTI_UNKNOWN.location },
    box,
  };
}

/**
 * The object of a row: class, box, truncation and occlusion where they are known.
 * @param width of the image, px; boxes are cut to it, and one that lies outside is null
 * @param height of the image, px
 */
export function objectOfKitti(label: KittiLabel, width: number, height: number): SampleObject {
  const [left, top, right, bottom] = label.box;
  const { truncated, occluded } = label;
  return {
    class: label.type,
    box: boxOnCanvas([left, top, right + 1, bottom + 1], width, height) ?? null,
    ...(truncated === KITTI_UNKNOWN.truncated ? {} : { truncation: truncated }),
    ...(occluded === KITTI_UNKNOWN.occluded ? {} : { occlusion: occluded as 0 | 1 | 2 | 3 }),
  };
}
