import { atan2, cos, PI, sin } from '../deterministicMath.js';
import { rotationOf } from '../scene/worldFrames.js';
import type { Box3d, ImageCamera, WorldPose } from './objectLabel.js';

/** Corners of a box, in the order of KITTI's development kit: four below, four above, each from the front's left on. */
export type BoxCorners = readonly (readonly [x: number, y: number, z: number])[];

/** Left, top, right, bottom, px. */
export type ImageEdges = readonly [left: number, top: number, right: number, bottom: number];

/** A straight line on the image, px. */
export type ImageSegment = readonly [x0: number, y0: number, x1: number, y1: number];

/** What a camera sees of a box. */
export interface ProjectedBox {
  /** The twelve edges in the order of `BOX_EDGES`, cut at the near plane; null where nothing of one is before it. */
  readonly segments: readonly (ImageSegment | null)[];
  /** The smallest rectangle around them, not cut to the image; null for a box that is behind the camera. */
  readonly edges: ImageEdges | null;
}

/** Pairs of corners: around below, around above, then upwards. */
export const BOX_EDGES: readonly (readonly [number, number])[] = [
  ...([0, 1, 2, 3] as const).map((i) => [i, (i + 1) % 4] as const),
  ...([0, 1, 2, 3] as const).map((i) => [4 + i, 4 + ((i + 1) % 4)] as const),
  ...([0, 1, 2, 3] as const).map((i) => [i, 4 + i] as const),
];

/** Corners of the face that an object shows to the front, in order around it. */
export const FRONT_FACE: readonly number[] = [0, 1, 5, 4];

/** Nearer points are cut off, m: KITTI labels objects that reach behind the camera. */
const NEAR = 0.1;

/** Signs of length, height and width of each corner, in KITTI's axes of an object: x to the front, y down, z to the left. */
const CORNERS: readonly (readonly [length: number, height: number, width: number])[] = [
  ...[[0.5, 0, 0.5] as const, [0.5, 0, -0.5] as const, [-0.5, 0, -0.5] as const, [-0.5, 0, 0.5] as const],
  ...[[0.5, -1, 0.5] as const, [0.5, -1, -0.5] as const, [-0.5, -1, -0.5] as const, [-0.5, -1, 0.5] as const],
];

/**
 * Corners of a box as KITTI's numbers say it, which know of one turn only: upright before the camera.
 * @returns [8] points in the camera's frame (x right, y down, z forward), m
 */
export function boxCorners({ location, dimensions, rotationY }: Omit<Box3d, 'alpha'>): BoxCorners {
  const c = cos(rotationY);
  const s = sin(rotationY);
  return placeCorners(dimensions, location, [c, 0, s, 0, 1, 0, -s, 0, c]);
}

/**
 * Corners of the box of an object whose pose is known: as `boxCorners` where neither camera nor object are tilted, and
 * right where they are.
 * @param pose of the object
 * @param camera pose of the camera
 * @returns [8] points in the camera's frame, m
 */
export function tiltedBoxCorners(
  { location, dimensions }: Pick<Box3d, 'location' | 'dimensions'>,
  pose: Omit<WorldPose, 'position'>,
  camera: Omit<WorldPose, 'position'>,
): BoxCorners {
  const object = rotationOf(pose.heading, pose.pitch, pose.roll);
  const eye = rotationOf(camera.heading, camera.pitch, camera.roll);
  // An object's right, down and front are the columns of its rotation; KITTI's axes are front, down and left.
  const axes = [2, 1, 0].map((axis) => {
    const sign = axis === 0 ? -1 : 1;
    return [sign * object[axis], sign * object[3 + axis], sign * object[6 + axis]];
  });
  // What the camera sees of a direction: its rotation's inverse, which is the transpose.
  const rotation = [0, 1, 2].flatMap((row) =>
    axes.map((axis) => eye[row] * axis[0] + eye[3 + row] * axis[1] + eye[6 + row] * axis[2]),
  );
  return placeCorners(dimensions, location, rotation);
}

/**
 * Projects a box and cuts its edges where they pass the near plane, so that a box beside or under the camera has the
 * outline of its visible part.
 * @param projection [3 × 4] row-major, camera coordinates → px × depth (`P2` of KITTI, `cameraProjection`)
 * @param near points of less depth are cut off, m, above 0
 */
export function projectBox(corners: BoxCorners, projection: ArrayLike<number>, near = NEAR): ProjectedBox {
  const points = corners.map((corner) => transform(projection, corner));
  const segments = BOX_EDGES.map(([a, b]) => segmentOf(points[a], points[b], near));
  const seen = segments.filter((segment) => segment !== null);
  if (seen.length === 0) return { segments, edges: null };
  const xs = seen.flatMap(([x0, , x1]) => [x0, x1]);
  const ys = seen.flatMap(([, y0, , y1]) => [y0, y1]);
  return { segments, edges: [Math.min(...xs), Math.min(...ys), Math.max(...xs), Math.max(...ys)] };
}

/**
 * The matrix that takes points in a camera's frame to the image, pixel (i, j) being centred at (i + ½, j + ½).
 * @returns [3 × 4] row-major, px × depth
 */
export function cameraProjection({ fx, fy, cx, cy }: Pick<ImageCamera, 'fx' | 'fy' | 'cx' | 'cy'>): number[] {
  return [fx, 0, cx, 0, 0, fy, cy, 0, 0, 0, 1, 0];
}

/**
 * KITTI's alpha: how an object is turned as seen along the line to it.
 * @param rotationY rad, in [−π, π]
 * @param location in the camera's frame
 * @returns rad, in [−π, π): `rotationY` less the bearing of `location`
 */
export function observationAngle(rotationY: number, [x, , z]: Box3d['location']): number {
  const angle = rotationY - atan2(x, z);
  if (angle >= PI) return angle - 2 * PI;
  return angle < -PI ? angle + 2 * PI : angle;
}

/**
 * The part of a rectangle that lies between two corners, which are included.
 * @returns undefined where they do not meet in more than a line
 */
export function cutEdges(
  [left, top, right, bottom]: ImageEdges,
  [minX, minY, maxX, maxY]: ImageEdges,
): [number, number, number, number] | undefined {
  const cut: [number, number, number, number] = [
    Math.max(left, minX),
    Math.max(top, minY),
    Math.min(right, maxX),
    Math.min(bottom, maxY),
  ];
  return cut[2] > cut[0] && cut[3] > cut[1] ? cut : undefined;
}

function placeCorners(
  { length, height, width }: Box3d['dimensions'],
  [x, y, z]: Box3d['location'],
  r: readonly number[],
): BoxCorners {
  return CORNERS.map(([along, up, across]) => {
    const [front, down, left] = [along * length, up * height, across * width];
    return [
      x + r[0] * front + r[1] * down + r[2] * left,
      y + r[3] * front + r[4] * down + r[5] * left,
      z + r[6] * front + r[7] * down + r[8] * left,
    ];
  });
}

/** [x · depth, y · depth, depth] of a point. */
function transform(p: ArrayLike<number>, [x, y, z]: readonly number[]): [number, number, number] {
  const row = (at: number) => p[at] * x + p[at + 1] * y + p[at + 2] * z + p[at + 3];
  return [row(0), row(4), row(8)];
}

/** The part of a line that is before the near plane. It is straight before the division by depth, so it is cut there. */
function segmentOf(a: readonly number[], b: readonly number[], near: number): ImageSegment | null {
  if (a[2] < near && b[2] < near) return null;
  const start = a[2] < near ? meet(b, a, near) : a;
  const end = b[2] < near ? meet(a, b, near) : b;
  return [start[0] / start[2], start[1] / start[2], end[0] / end[2], end[1] / end[2]];
}

/** Where the line from a point before the plane to one behind it meets it. */
function meet(before: readonly number[], behind: readonly number[], near: number): number[] {
  const t = (before[2] - near) / (before[2] - behind[2]);
  return [before[0] + t * (behind[0] - before[0]), before[1] + t * (behind[1] - before[1]), near];
}
