import { DatasetError } from '../../errors.js';
import { parseDecimal } from './decimals.js';

/**
 * A row of a KITTI object label file, as the readme of the object development kit defines it
 * (https://www.cvlibs.net/datasets/kitti/eval_object.php): 15 fields, and a 16th, the score, in files of results.
 */
export interface KittiLabel {
  /** e.g. `Car`; `DontCare` marks a region that is not labelled. No white space. */
  readonly type: string;
  /** Share of the object that lies off the image, 0–1; −1 unknown. */
  readonly truncated: number;
  /** 0 fully visible, 1 partly occluded, 2 largely occluded, 3 unknown; −1 in rows of `DontCare`. */
  readonly occluded: number;
  /** Observation angle, rad, in [−π, π]; −10 unknown. */
  readonly alpha: number;
  /**
   * Left, top, right, bottom, px, where 0 is the centre of the first pixel: an object of one pixel has right = left. (The
   * kit draws boxes as wide as right − left + 1.)
   */
  readonly box: readonly [left: number, top: number, right: number, bottom: number];
  /** Metres; −1 unknown. */
  readonly dimensions: readonly [height: number, width: number, length: number];
  /** Bottom centre of the object in camera coordinates (x right, y down, z forward), metres; −1000 unknown. */
  readonly location: readonly [x: number, y: number, z: number];
  /** Turn about the camera's y axis, rad, in [−π, π]; −10 unknown. */
  readonly rotationY: number;
  /** Confidence of a detection; higher is surer. */
  readonly score?: number;
}

/** Regions that are not labelled; detections there count neither as right nor as wrong. */
export const DONT_CARE = 'DontCare';

/** What KITTI writes for fields that nobody knows, as in its rows of `DontCare`. */
export const KITTI_UNKNOWN = {
  truncated: -1,
  occluded: -1,
  alpha: -10,
  dimensions: [-1, -1, -1],
  location: [-1000, -1000, -1000],
  rotationY: -10,
} as const;

/** Types of KITTI's own labels, in the order of the readme. */
export const KITTI_TYPES = ['Car', 'Van', 'Truck', 'Pedestrian', 'Person_sitting', 'Cyclist', 'Tram', 'Misc'] as const;

const FIELDS = 15;
const OCCLUDED = [-1, 0, 1, 2, 3];

/** A row without its end: measures with two decimals, unknown ones as KITTI writes them (`-1`, `-10`, `-1000`). */
export function formatKittiLabel(label: KittiLabel): string {
  const { type, truncated, occluded, alpha, box, dimensions, location, rotationY, score } = label;
  const known = (value: number, unknown: number) => (value === unknown ? String(unknown) : hundredths(value));
  return [
    type,
    known(truncated, KITTI_UNKNOWN.truncated),
    occluded,
    known(alpha, KITTI_UNKNOWN.alpha),
    ...box.map(hundredths),
    ...dimensions.map((side) => known(side, KITTI_UNKNOWN.dimensions[0])),
    ...location.map((place) => known(place, KITTI_UNKNOWN.location[0])),
    known(rotationY, KITTI_UNKNOWN.rotationY),
    ...(score === undefined ? [] : [score]),
  ].join(' ');
}

/** With two decimals, and no minus before zeros. */
function hundredths(value: number): string {
  const text = value.toFixed(2);
  return text === '-0.00' ? '0.00' : text;
}

/**
 * Parses a row of a label or result file.
 * @param where file and line, for errors
 * @throws DatasetError when it has not 15 or 16 fields, or one of them is not what it has to be
 */
export function parseKittiLabel(row: string, where: string): KittiLabel {
  const [type, ...fields] = row.trim().split(/\s+/);
  if (fields.length + 1 !== FIELDS && fields.length !== FIELDS) {
    throw new DatasetError(
      `Expected ${FIELDS} fields, or ${FIELDS + 1} with a score, in ${where} but received ${fields.length + 1}`,
    );
  }
  const numbers = fields.map((field, i) => {
    const value = parseDecimal(field);
    if (value !== undefined) return value;
    throw new DatasetError(
      `Expected a finite number for field ${i + 2} in ${where} but received ${JSON.stringify(field)}`,
    );
  });
  const [truncated, occluded, alpha, left, top, right, bottom, height, width, length, x, y, z, rotationY, score] =
    numbers;
  if (truncated !== KITTI_UNKNOWN.truncated && !(truncated >= 0 && truncated <= 1)) {
    throw new DatasetError(`Expected 0 to 1, or -1, for truncated (field 2) in ${where} but received ${truncated}`);
  }
  if (!OCCLUDED.includes(occluded)) {
    throw new DatasetError(`Expected 0, 1, 2, 3 or -1 for occluded (field 3) in ${where} but received ${occluded}`);
  }
  if (right < left || bottom < top) {
    throw new DatasetError(
      `Expected left ≤ right and top ≤ bottom for the box (fields 5 to 8) in ${where} but received ${[left, top, right, bottom].join(' ')}`,
    );
  }
  return {
    ...{ type, truncated, occluded, alpha, rotationY },
    box: [left, top, right, bottom],
    dimensions: [height, width, length],
    location: [x, y, z],
    ...(score === undefined ? {} : { score }),
  };
}
