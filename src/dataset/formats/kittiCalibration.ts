import type { ImageCamera } from '../../annotate/objectLabel.js';
import { DatasetError } from '../../errors.js';
import { parseDecimal } from './decimals.js';

/** The calibration file of a KITTI object frame: matrices row by row (readme of the object development kit). */
export interface KittiCalibration {
  /** Projections [3 × 4] from rectified camera coordinates to pixels of the cameras 0 to 3; 2 took `image_2`. */
  readonly P0: readonly number[];
  readonly P1: readonly number[];
  readonly P2: readonly number[];
  readonly P3: readonly number[];
  /** Rectifying rotation [3 × 3]. */
  readonly R0_rect: readonly number[];
  /** Rigid motions [3 × 4]: laser scanner to camera 0, inertial unit to laser scanner. */
  readonly Tr_velo_to_cam: readonly number[];
  readonly Tr_imu_to_velo: readonly number[];
}

const ORDER = ['P0', 'P1', 'P2', 'P3', 'R0_rect', 'Tr_velo_to_cam', 'Tr_imu_to_velo'] as const;
/** Pixel (i, j) is centred at (i, j) in KITTI, at (i + ½, j + ½) in label records. */
const PIXEL_CENTRE = 0.5;
/** Positions of cameras are given to a micrometre. */
const METRE_DECIMALS = 1e6;
/** A rectified camera's matrix is written with 13 digits; more than this is another kind of camera. */
const SKEW_TOLERANCE = 1e-6;

/** Content of a `calib` file: thirteen digits a number, an empty line at the end, as in KITTI's own. */
export function formatKittiCalibration(calibration: KittiCalibration): string {
  const lines = ORDER.map((name) => `${name}: ${calibration[name].map(scientific).join(' ')}\n`);
  return `${lines.join('')}\n`;
}

/**
 * Parses a `calib` file. Lines of other names, which some makers add, are left out.
 * @param where the file, for errors
 * @throws DatasetError when a matrix is missing, doubled or not of its size, or a number is none
 */
export function parseKittiCalibration(text: string, where: string): KittiCalibration {
  const found = new Map<string, number[]>();
  for (const [i, line] of text.split(/\r?\n/).entries()) {
    const [, name, rest] = /^\s*(\w+):(.*)$/.exec(line) ?? [];
    if (!ORDER.some((known) => known === name)) continue;
    if (found.has(name))
      throw new DatasetError(`Expected one ${name} in ${where} but received another in line ${i + 1}`);
    const fields = rest.trim().split(/\s+/);
    const count = name === 'R0_rect' ? 9 : 12;
    const numbers = fields.map(parseDecimal);
    if (fields.length !== count || numbers.includes(undefined)) {
      throw new DatasetError(
        `Expected ${count} finite numbers for ${name} in ${where}:${i + 1} but received ${JSON.stringify(rest.trim().slice(0, 80))}`,
      );
    }
    found.set(name, numbers as number[]);
  }
  const missing = ORDER.find((name) => !found.has(name));
  if (missing) throw new DatasetError(`Expected ${missing} in ${where} but received none`);
  return Object.fromEntries(found) as unknown as KittiCalibration;
}

/**
 * The camera that took `image_2`. Labels hold places in its frame; KITTI's rows hold them in that of the rectified camera 0,
 * which here is the world, so that the camera's position (some 6 cm off) is the difference.
 * @param where the file, for errors
 * @throws DatasetError when `P2` is no rectified camera: an upright pinhole without skew
 */
export function cameraOfCalibration({ P2 }: KittiCalibration, where: string): ImageCamera {
  const [fx, skew, cx, tx, tilt, fy, cy, ty, x, y, z, tz] = P2;
  if (!(fx > 0 && fy > 0) || [skew, tilt, x, y, z - 1].some((value) => Math.abs(value) > SKEW_TOLERANCE)) {
    throw new DatasetError(
      `Expected a rectified camera (fx 0 cx · 0 fy cy · 0 0 1 ·) for P2 in ${where} but received ${P2.join(' ')}`,
    );
  }
  const metres = (value: number) => Math.round(value * METRE_DECIMALS) / METRE_DECIMALS + 0;
  const position = [metres(-(tx - cx * tz) / fx), metres(-(ty - cy * tz) / fy), metres(-tz)] as const;
  return {
    ...{ fx, fy, cx: cx + PIXEL_CENTRE, cy: cy + PIXEL_CENTRE, near: 0, far: 0 },
    pose: { position, heading: 0, pitch: 0, roll: 0 },
  };
}

/**
 * The calibration of a scene's camera: all four cameras are it, nothing has to be rectified, and scanner and inertial unit
 * sit at it, with their own axes (x forward, y left, z up, where the camera's are x right, y down, z forward).
 */
export function cameraCalibration({ fx, fy, cx, cy }: Pick<ImageCamera, 'fx' | 'fy' | 'cx' | 'cy'>): KittiCalibration {
  const pinhole = [fx, 0, cx - PIXEL_CENTRE, 0, 0, fy, cy - PIXEL_CENTRE, 0, 0, 0, 1, 0];
  return {
    ...{ P0: pinhole, P1: pinhole, P2: pinhole, P3: pinhole },
    R0_rect: [1, 0, 0, 0, 1, 0, 0, 0, 1],
    Tr_velo_to_cam: [0, -1, 0, 0, 0, 0, -1, 0, 1, 0, 0, 0],
    Tr_imu_to_velo: [1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0],
  };
}

/**
 * For pictures that no camera took. Nothing in it is measured; it is there because tools insist on the file: a pinhole
 * with a focal length of 1 px whose axis meets the centre of the canvas.
 * @param width of the canvas, px
 * @param height of the canvas, px
 */
export function flatCalibration(width: number, height: number): KittiCalibration {
  return cameraCalibration({ fx: 1, fy: 1, cx: width / 2, cy: height / 2 });
}

/** Whether a calibration is the one of pictures that no camera took. */
export function isFlatCalibration({ P2 }: KittiCalibration, width: number, height: number): boolean {
  return flatCalibration(width, height).P2.every((value, i) => value === P2[i]);
}

/** As C prints `%.12e`: at least two digits in the exponent. */
function scientific(value: number): string {
  return value.toExponential(12).replace(/e([+-])(\d)$/, 'e$10$2');
}
