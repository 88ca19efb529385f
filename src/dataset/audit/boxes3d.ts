import {
  type BoxCorners,
  cameraProjection,
  type ImageEdges,
  observationAngle,
  projectBox,
  tiltedBoxCorners,
} from '../../annotate/box3d.js';
import { labelledBox, type MeshBounds } from '../../annotate/meshBounds.js';
import { type Box3d, type ImageCamera, isMeshLabel, type MeshPose } from '../../annotate/objectLabel.js';
import { rotationOf } from '../../scene/worldFrames.js';
import type { ImageLabels, SampleObject } from '../sample.js';
import type { AuditLedger } from './ledger.js';

/** How many times as long a mesh may be as the box of its label, which leaves mirrors and the like out: [x, y, z]. */
export type Overhang = readonly [number, number, number];

/** Of a mesh that is not known. A car's mirrors stand out by a tenth of its width on either side. */
const UNKNOWN_OVERHANG: Overhang = [1.2, 1.1, 1.1];

/** Angles and metres have four decimals: what follows from several of them is off by more. */
const ANGLE_TOLERANCE = 1e-3;
const LENGTH_TOLERANCE = 2e-3;
/** KITTI's alpha has two decimals, and is not all its location says: in 76 frames the worst is off by 0.1 rad, of a car beside the camera. */
const ANNOTATED_ALPHA_TOLERANCE = 0.15;
/** A pixel is seen where its samples are, which is within it; boxes are of whole pixels, px. */
const EDGE_TOLERANCE = 1;
/** A direction that points up or down has no heading. */
const LEAST_HORIZONTAL = 1e-2;

/** The overhang of a mesh, however it stands out: on the side where it does so most. */
export function overhangOf(bounds: MeshBounds): Overhang {
  const { minimum, maximum } = labelledBox(bounds);
  const along = (axis: number) => {
    const out = Math.max(minimum[axis] - bounds.minimum[axis], bounds.maximum[axis] - maximum[axis]);
    return out > 0 ? 1 + (2 * out) / (maximum[axis] - minimum[axis]) : 1;
  };
  return [along(0), along(1), along(2)];
}

/**
 * Checks the 3D box of an object against itself, its pose and the camera, and that it projects around the pixels that are
 * seen, and would be. Boxes of others, which come without poses, are only checked in themselves: annotators' boxes do not fit
 * to the pixel.
 * @param overhang of the object's mesh, where it is known
 */
export function checkBox3d(
  object: SampleObject,
  { camera }: ImageLabels,
  name: number,
  ledger: AuditLedger,
  overhang: Overhang = UNKNOWN_OVERHANG,
): void {
  if (!isMeshLabel(object)) {
    if (camera && object.node !== undefined) ledger.note(name, 'box3d', 'a 3D box, or null on the ground', 'none');
    return;
  }
  const { box3d, pose, distance } = object;
  if (!box3d) {
    if (distance !== null && distance !== undefined) ledger.note(name, 'distance', null, distance);
    return;
  }
  const { location, dimensions, rotationY, alpha } = box3d;
  // A sign may be flat; that it is, its pixels show.
  const sides = Object.values(dimensions);
  if (!sides.every((side) => side >= 0) || Math.max(...sides) === 0) {
    ledger.note(name, 'box3d.dimensions', 'sides of 0 or more, not all 0', dimensions);
    return;
  }
  const tolerance = pose ? ANGLE_TOLERANCE : ANNOTATED_ALPHA_TOLERANCE;
  if (!isSameAngle(alpha, observationAngle(rotationY, location), tolerance)) {
    ledger.note(name, 'box3d.alpha', observationAngle(rotationY, location), alpha);
  }
  if (!camera || !pose) return;
  checkTurn(box3d, pose, camera, name, ledger);
  const corners = tiltedBoxCorners(box3d, pose, camera.pose);
  const centre = [0, 1, 2].map((axis) => corners.reduce((sum, corner) => sum + corner[axis], 0) / corners.length);
  const fromCamera = Math.hypot(...centre);
  if (distance !== undefined && !(Math.abs((distance ?? Number.NaN) - fromCamera) <= LENGTH_TOLERANCE)) {
    ledger.note(name, 'distance', fromCamera, distance);
  }
  checkProjection(object, grown(corners, overhang), camera, name, ledger);
}

/**
 * Depth of the nearest and the farthest corner of what an object's mesh fills, m; undefined where too little is known of it.
 * @param overhang of the object's mesh, where it is known
 */
export function depthRange(
  object: SampleObject,
  { camera }: ImageLabels,
  overhang: Overhang = UNKNOWN_OVERHANG,
): readonly [number, number] | undefined {
  if (!isMeshLabel(object) || !object.box3d || !object.pose || !camera) return undefined;
  const corners = tiltedBoxCorners(object.box3d, object.pose, camera.pose);
  const depths = grown(corners, overhang).map(([, , z]) => z);
  return [Math.min(...depths), Math.max(...depths)];
}

/** A box lengthened about its middle. */
function grown(corners: BoxCorners, [width, height, length]: Overhang): BoxCorners {
  // Corners 0 and 1 differ by the width, 0 and 3 by the length, 0 and 4 by the height.
  const half = (other: number) => [0, 1, 2].map((axis) => (corners[0][axis] - corners[other][axis]) / 2);
  const sides = [half(1), half(4), half(3)];
  const shares = [width, height, length].map((factor) => factor - 1);
  return corners.map((corner, i) => {
    const signs = [i % 4 === 0 || i % 4 === 3 ? 1 : -1, i < 4 ? 1 : -1, i % 4 < 2 ? 1 : -1];
    const moved = (axis: number) =>
      signs.reduce((sum, sign, k) => sum + sign * shares[k] * sides[k][axis], corner[axis]);
    return [moved(0), moved(1), moved(2)] as const;
  });
}

function checkTurn({ rotationY }: Box3d, pose: MeshPose, camera: ImageCamera, name: number, ledger: AuditLedger): void {
  const own = rotationOf(pose.heading, pose.pitch, pose.roll);
  const eye = rotationOf(camera.pose.heading, camera.pose.pitch, camera.pose.roll);
  // The third column is where the object faces; the camera's frame is its rotation's transpose.
  const [x, z] = [0, 2].map((axis) => eye[axis] * own[2] + eye[3 + axis] * own[5] + eye[6 + axis] * own[8]);
  const turn = Math.atan2(-z, x);
  if (Math.hypot(x, z) < LEAST_HORIZONTAL || isSameAngle(turn, rotationY)) return;
  ledger.note(name, 'box3d.rotationY', turn, rotationY);
}

function checkProjection(
  { box, amodalBox }: SampleObject,
  corners: BoxCorners,
  camera: ImageCamera,
  name: number,
  ledger: AuditLedger,
): void {
  const { edges } = projectBox(corners, cameraProjection(camera), camera.near);
  const boxes = { box, amodalBox };
  for (const [field, own] of Object.entries(boxes)) {
    if (!own || (edges && holds(edges, own))) continue;
    ledger.note(name, 'box3d', `a 3D box whose projection holds the ${field} ${JSON.stringify(own)}`, edges);
  }
}

function holds(
  [left, top, right, bottom]: ImageEdges,
  [x, y, width, height]: NonNullable<SampleObject['box']>,
): boolean {
  const e = EDGE_TOLERANCE;
  return x >= left - e && y >= top - e && x + width <= right + e && y + height <= bottom + e;
}

/** The same up to whole turns. */
function isSameAngle(a: number, b: number, tolerance = ANGLE_TOLERANCE): boolean {
  const turns = (a - b) / (2 * Math.PI);
  return Math.abs(turns - Math.round(turns)) * 2 * Math.PI <= tolerance;
}
