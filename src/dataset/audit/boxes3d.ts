import {
  type BoxCorners,
  cameraProjection,
  type ImageEdges,
  observationAngle,
  projectBox,
  tiltedBoxCorners,
} from '../../annotate/box3d.js';
import { type Box3d, type ImageCamera, isMeshLabel, type MeshPose } from '../../annotate/objectLabel.js';
import { rotationOf } from '../../scene/worldFrames.js';
import type { ImageLabels, SampleObject } from '../sample.js';
import type { AuditLedger } from './ledger.js';

/** Angles and metres have four decimals: what follows from several of them is off by more. */
const ANGLE_TOLERANCE = 1e-3;
const LENGTH_TOLERANCE = 2e-3;
/** A pixel is seen where its samples are, which is within it; boxes are of whole pixels, px. */
const EDGE_TOLERANCE = 1;
/** A direction that points up or down has no heading. */
const LEAST_HORIZONTAL = 1e-2;

/**
 * Checks the 3D box of an object against itself, its pose and the camera, and that it projects around the pixels that are
 * seen, and would be. Boxes of others, which come without poses, are only checked in themselves: annotators' boxes do not fit
 * to the pixel.
 */
export function checkBox3d(object: SampleObject, { camera }: ImageLabels, name: number, ledger: AuditLedger): void {
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
  if (!Object.values(dimensions).every((side) => side > 0)) {
    ledger.note(name, 'box3d.dimensions', 'sides above 0', dimensions);
    return;
  }
  if (!isSameAngle(alpha, observationAngle(rotationY, location))) {
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
  checkProjection(object, corners, camera, name, ledger);
}

/** Depth of the nearest and the farthest corner of an object's box, m; undefined where too little is known of it. */
export function depthRange(object: SampleObject, { camera }: ImageLabels): readonly [number, number] | undefined {
  if (!isMeshLabel(object) || !object.box3d || !object.pose || !camera) return undefined;
  const depths = tiltedBoxCorners(object.box3d, object.pose, camera.pose).map(([, , z]) => z);
  return [Math.min(...depths), Math.max(...depths)];
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
function isSameAngle(a: number, b: number): boolean {
  const turns = (a - b) / (2 * Math.PI);
  return Math.abs(turns - Math.round(turns)) * 2 * Math.PI <= ANGLE_TOLERANCE;
}
