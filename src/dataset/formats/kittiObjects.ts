import { cameraProjection, cutEdges, observationAngle, projectBox, tiltedBoxCorners } from '../../annotate/box3d.js';
import { type Box3d, isMeshLabel } from '../../annotate/objectLabel.js';
import type { ImageLabels, SampleObject } from '../sample.js';
import { boxOnCanvas } from './decimals.js';
import { DONT_CARE, KITTI_UNKNOWN, type KittiLabel } from './kittiLabel.js';

/** Objects that are seen, and so have a box. */
export type SeenObject = SampleObject & { readonly box: NonNullable<SampleObject['box']> };

/** What rows are about: the canvas and the camera of an image. */
export type KittiFrame = Pick<ImageLabels, 'width' | 'height' | 'camera' | 'calibration'>;

/**
 * Which objects of 3D scenes are not labelled but marked as a region of `DontCare`. KITTI leaves it to its annotators; these
 * are the limits of what they labelled: of 461 objects in 76 frames the lowest is 13.6 px high, and all cars are nearer than
 * 74 m.
 */
export const KITTI_LABELLED = {
  /** Lowest box, px from its first to its last row. */
  height: 13,
  /** Farthest `location` along the camera's axis, m. */
  distance: 80,
  /** Most of an object's pixels on the image that may be hidden, 0–1. */
  occluded: 0.95,
} as const;

/** Nearest points of a box that are projected, m. */
const NEAR = 0.1;
/** Pixel (i, j) is centred at (i, j) in KITTI, at (i + ½, j + ½) in label records. */
const PIXEL_CENTRE = 0.5;
/** Places are given to a micrometre: what is added to them on the way in is taken off again on the way out. */
const METRE_DECIMALS = 1e6;
const HERE = [0, 0, 0] as const;

/** The rows of an image: labelled objects in their order, then the regions of `DontCare`, as in KITTI's own files. */
export function kittiLabelsOf(objects: readonly SeenObject[], frame: KittiFrame): KittiLabel[] {
  const rows = objects.map((object) => kittiLabelOf(object, frame));
  return [...rows.filter(({ type }) => type !== DONT_CARE), ...rows.filter(({ type }) => type === DONT_CARE)];
}

/**
 * The row of an object. What is not known of it is unknown there: of objects of 2D scenes alpha, dimensions, location and
 * rotation, of objects from elsewhere perhaps more.
 *
 * An object of a 3D scene gets the box that KITTI gives its cars, vans, trucks and cyclists: around the projection of its
 * 3D box, cut to the image, whatever hides it. One outside `KITTI_LABELLED` becomes a region of `DontCare` where it is seen.
 */
export function kittiLabelOf(object: SeenObject, frame: KittiFrame): KittiLabel {
  const box = firstToLast(object.box);
  const { box3d } = object;
  if (object.class === DONT_CARE) return { ...KITTI_UNKNOWN, type: DONT_CARE, box };
  const known = {
    type: object.class,
    truncated: object.truncation ?? KITTI_UNKNOWN.truncated,
    occluded: object.occlusion ?? 3,
  } as const;
  // The fields of 3D scenes: from the object, where it has them.
  if (!box3d) return { ...KITTI_UNKNOWN, ...known, box };
  const { height, width, length } = box3d.dimensions;
  const origin = originOf(frame);
  const row: KittiLabel = {
    ...known,
    alpha: box3d.alpha,
    box: projectedBox(object, frame) ?? box,
    dimensions: [height, width, length],
    location: [box3d.location[0] + origin[0], box3d.location[1] + origin[1], box3d.location[2] + origin[2]],
    rotationY: box3d.rotationY,
  };
  return isLabelled(row, object, frame) ? row : { ...KITTI_UNKNOWN, type: DONT_CARE, box: withArea(box, frame) };
}

/**
 * The object of a row: class, box, truncation and occlusion where they are known, and its 3D box.
 * @param frame its image: boxes are cut to it, and one that lies outside is null
 */
export function objectOfKitti(label: KittiLabel, frame: KittiFrame): SampleObject {
  const [left, top, right, bottom] = label.box;
  const { truncated, occluded } = label;
  const box3d = box3dOfKitti(label, frame);
  return {
    class: label.type,
    box: boxOnCanvas([left, top, right + 1, bottom + 1], frame.width, frame.height) ?? null,
    ...(truncated === KITTI_UNKNOWN.truncated ? {} : { truncation: truncated }),
    ...(occluded === KITTI_UNKNOWN.occluded ? {} : { occlusion: occluded as 0 | 1 | 2 | 3 }),
    ...(box3d ? { box3d } : {}),
  };
}

/** The 3D box of a row, in the frame of the camera that took the image; undefined where a field is unknown. */
function box3dOfKitti({ dimensions, location, rotationY, alpha }: KittiLabel, frame: KittiFrame): Box3d | undefined {
  const [height, width, length] = dimensions;
  if (Math.min(height, width, length) < 0 || rotationY === KITTI_UNKNOWN.rotationY) return undefined;
  if (location[2] === KITTI_UNKNOWN.location[2]) return undefined;
  const origin = originOf(frame);
  const metres = (axis: 0 | 1 | 2) => Math.round((location[axis] - origin[axis]) * METRE_DECIMALS) / METRE_DECIMALS + 0;
  const place = [metres(0), metres(1), metres(2)] as const;
  return {
    location: place,
    dimensions: { height, width, length },
    rotationY,
    alpha: alpha === KITTI_UNKNOWN.alpha ? observationAngle(rotationY, place) : alpha,
  };
}

/** Where the camera stands in the frame that KITTI's rows are given in: camera 0 of a frame of KITTI's, else the camera. */
function originOf({ camera, calibration }: KittiFrame): readonly [number, number, number] {
  return camera && calibration ? camera.pose.position : HERE;
}

/** Around the projected 3D box of an object of ours; undefined where its pose is not known, or nothing is on the image. */
function projectedBox(object: SampleObject, { width, height, camera }: KittiFrame): KittiLabel['box'] | undefined {
  if (!isMeshLabel(object) || !object.box3d || !object.pose || !camera) return undefined;
  const corners = tiltedBoxCorners(object.box3d, object.pose, camera.pose);
  const { edges } = projectBox(corners, cameraProjection(camera), Math.max(NEAR, camera.near));
  if (!edges) return undefined;
  const [left, top, right, bottom] = edges.map((edge) => edge - PIXEL_CENTRE);
  return cutEdges([left, top, right, bottom], [0, 0, width - 1, height - 1]);
}

/** Whether KITTI's annotators would have labelled it. What came from elsewhere was. */
function isLabelled(
  { box, location }: KittiLabel,
  { pose, occluded = 0 }: SampleObject,
  { camera }: KittiFrame,
): boolean {
  if (!pose || !camera) return true;
  const { height, distance, occluded: hidden } = KITTI_LABELLED;
  return box[3] - box[1] >= height && location[2] <= distance && occluded <= hidden;
}

/** A box as KITTI writes it: its first and last pixels. */
function firstToLast([left, top, width, height]: SeenObject['box']): KittiLabel['box'] {
  return [left, top, left + width - 1, top + height - 1];
}

/** A region of a single column or row gets a neighbouring one: to KITTI's readers equal edges are a region of no area. */
function withArea([left, top, right, bottom]: KittiLabel['box'], frame: KittiFrame): KittiLabel['box'] {
  const [x0, x1] = right > left ? [left, right] : withNeighbour(left, frame.width);
  const [y0, y1] = bottom > top ? [top, bottom] : withNeighbour(top, frame.height);
  return [x0, y0, x1, y1];
}

/** A pixel and the one behind it, or before it where that is the canvas's last. */
function withNeighbour(at: number, size: number): [first: number, last: number] {
  return at + 1 < size ? [at, at + 1] : [Math.max(0, at - 1), at];
}
