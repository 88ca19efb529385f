/** 3D boxes and cameras as plain numbers, for formats whose columns hold nothing else. */
import type { ImageCamera } from '../../annotate/objectLabel.js';
import type { SampleObject } from '../sample.js';
import { KITTI_UNKNOWN } from './kittiLabel.js';

/** A 3D box, its fields in KITTI's order and, where an object has none, with KITTI's values for what nobody knows. */
export interface FlatBox3d {
  /** Bottom centre in the camera's frame, m. */
  readonly location: readonly [x: number, y: number, z: number];
  /** m */
  readonly dimensions: readonly [height: number, width: number, length: number];
  /** rad */
  readonly rotationY: number;
  readonly alpha: number;
}

export function flatBox3d({ box3d }: SampleObject): FlatBox3d {
  if (!box3d) {
    const { location, dimensions, rotationY, alpha } = KITTI_UNKNOWN;
    return { location, dimensions, rotationY, alpha };
  }
  const { location, dimensions, rotationY, alpha } = box3d;
  return { location, dimensions: [dimensions.height, dimensions.width, dimensions.length], rotationY, alpha };
}

/** Numbers of a camera by name, in their order: px, m, degrees. */
export function flatCamera({ fx, fy, cx, cy, near, far, pose }: ImageCamera) {
  const [x, y, z] = pose.position;
  const { heading, pitch, roll } = pose;
  return { fx, fy, cx, cy, near, far, x, y, z, heading, pitch, roll };
}

/** Names of `flatCamera`. */
export const CAMERA_FIELDS = [
  ...['fx', 'fy', 'cx', 'cy', 'near', 'far'],
  ...['x', 'y', 'z', 'heading', 'pitch', 'roll'],
] as const;
