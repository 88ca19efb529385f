import type { MeshBox } from '../assets/meshAsset.js';
import { acos, atan2, PI } from '../deterministicMath.js';
import { ShapeError } from '../errors.js';
import { AttributeRole, NodeKind, type SceneSchema } from '../scene/attributeSchema.js';
import type { SceneGraph } from '../scene/sceneGraph.js';
import { cameraOf, FRAME_NUMBERS, kindOfClass, worldFrames } from '../scene/worldFrames.js';
import { observationAngle } from './box3d.js';
import { labelledBox, type MeshBounds } from './meshBounds.js';
import type { Box3d, ImageCamera, MeshPose, WorldPose } from './objectLabel.js';
import { round } from './round.js';
import { wrapDegrees } from './worldPoses.js';

/** Cameras are given to a millionth: an angle of 1e-6° is 1.4 µm at 80 m. */
const CAMERA_DECIMALS = 1e6;
const DEGREES = 180 / PI;

/** What a 3D scene says of its objects, without a look at what is seen of them. */
export interface MeshGeometry {
  pose(node: number): MeshPose;
  /** The box around the body of the node's mesh (`labelledBox`) and its distance; both null for strips and what lies on the ground. */
  box(node: number): { readonly box3d: Box3d | null; readonly distance: number | null };
}

/**
 * Poses and boxes of a 3D scene.
 * @param bounds of the batch's assets (`meshBounds`); without them only poses are known
 * @throws SceneGraphError for a scene without a camera, or of sprites; from `box`, ShapeError for an asset whose bounds are
 *   not known
 */
export function meshGeometry(
  schema: SceneSchema,
  scene: SceneGraph,
  bounds: readonly (MeshBounds | undefined)[],
): MeshGeometry {
  const frames = worldFrames(schema, scene);
  const { toCamera } = cameraOf(schema, scene);
  const stretchOf = stretches(schema, scene);
  const frameOf = (node: number) => frames.subarray(node * FRAME_NUMBERS, (node + 1) * FRAME_NUMBERS);
  return {
    pose(node) {
      const frame = frameOf(node);
      const scale = Math.sqrt(frame[0] * frame[0] + frame[4] * frame[4] + frame[8] * frame[8]);
      return { ...poseOfFrame(frame, scale, round), scale: round(scale) };
    },
    box(node) {
      const own = bounds[scene.asset[node]];
      if (!own) {
        throw new ShapeError(
          `Expected the bounds of a mesh for asset ${scene.asset[node]} of node ${node} but received none`,
        );
      }
      if (kindOfClass(schema, scene.classId[node]) === NodeKind.Strip || own.surface === 'ground') {
        return { box3d: null, distance: null };
      }
      return boxOf(multiply(toCamera, frameOf(node)), labelledBox(own), stretchOf(node));
    },
  };
}

/** The camera of a 3D scene, as labels hold it. @throws SceneGraphError for a scene without one */
export function imageCamera(schema: SceneSchema, scene: SceneGraph): ImageCamera {
  const { fx, fy, cx, cy, near, far, toCamera: m } = cameraOf(schema, scene);
  // A rotation's inverse is its transpose: the position is −Rᵀ t.
  const origin = [0, 1, 2].map((axis) => -(m[axis] * m[3] + m[4 + axis] * m[7] + m[8 + axis] * m[11]));
  const frame = [...[m[0], m[4], m[8], origin[0]], ...[m[1], m[5], m[9], origin[1]], ...[m[2], m[6], m[10], origin[2]]];
  return {
    fx: precise(fx),
    fy: precise(fy),
    cx: precise(cx),
    cy: precise(cy),
    near: precise(near),
    far: precise(far),
    pose: poseOfFrame(frame, 1, precise),
  };
}

/**
 * Position and angles of a frame: R = Ry(heading) · Rx(pitch) · Rz(roll), whose third column is (sin h cos p, −sin p,
 * cos h cos p) and whose second row begins with cos p · (sin r, cos r).
 * @param frame [3 × 4] row-major, its linear part rotation × scale
 */
function poseOfFrame(frame: ArrayLike<number>, scale: number, rounded: (value: number) => number): WorldPose {
  const sine = scale > 0 ? Math.min(1, Math.max(-1, -frame[6] / scale)) : 0;
  return {
    position: [rounded(frame[3]), rounded(frame[7]), rounded(frame[11])],
    heading: rounded(wrapDegrees(atan2(frame[2], frame[10]) * DEGREES)),
    pitch: rounded(90 - acos(sine) * DEGREES),
    roll: rounded(wrapDegrees(atan2(frame[4], frame[5]) * DEGREES)),
  };
}

/** @param toCamera [3 × 4] mesh → camera */
function boxOf(
  toCamera: Float64Array,
  { minimum, maximum }: MeshBox,
  stretch: readonly number[],
): { box3d: Box3d; distance: number } {
  const scale = Math.sqrt(toCamera[0] ** 2 + toCamera[4] ** 2 + toCamera[8] ** 2);
  const sides = stretch.map((factor, axis) => Math.abs(factor) * (maximum[axis] - minimum[axis]) * scale);
  const middle = stretch.map((factor, axis) => (factor * (maximum[axis] + minimum[axis])) / 2);
  // y points down: the bottom is where it is largest.
  const bottom = Math.max(stretch[1] * minimum[1], stretch[1] * maximum[1]);
  const location = carry(toCamera, [middle[0], bottom, middle[2]]);
  const centre = carry(toCamera, middle);
  // A turn about y by the angle r takes the x axis to (cos r, 0, −sin r): the way the object faces.
  const turn = atan2(-toCamera[10], toCamera[2]);
  const rotationY = turn >= PI ? -PI : turn;
  return {
    box3d: {
      location: [round(location[0]), round(location[1]), round(location[2])],
      dimensions: { height: round(sides[1]), width: round(sides[0]), length: round(sides[2]) },
      rotationY: round(rotationY),
      alpha: round(observationAngle(rotationY, location)),
    },
    distance: round(Math.sqrt(centre[0] ** 2 + centre[1] ** 2 + centre[2] ** 2)),
  };
}

/** Factors on x, y, z of a node's own mesh. */
function stretches(schema: SceneSchema, scene: SceneGraph): (node: number) => number[] {
  const roles = [AttributeRole.ScaleX, AttributeRole.ScaleY, AttributeRole.ScaleZ];
  const columns = roles.map((role) => schema.attributes.findIndex((spec) => spec.role === role));
  const width = schema.attributes.length;
  return (node) => columns.map((column) => (column < 0 ? 1 : scene.attributes[node * width + column]));
}

/** a · b of rigid frames with scale, [3 × 4] row-major. */
function multiply(a: Float64Array, b: Float64Array): Float64Array {
  const product = new Float64Array(FRAME_NUMBERS);
  for (let row = 0; row < 12; row += 4) {
    for (let column = 0; column < 4; column++) {
      product[row + column] =
        a[row] * b[column] + a[row + 1] * b[4 + column] + a[row + 2] * b[8 + column] + (column === 3 ? a[row + 3] : 0);
    }
  }
  return product;
}

function carry(frame: Float64Array, [x, y, z]: readonly number[]): [number, number, number] {
  const row = (at: number) => frame[at] * x + frame[at + 1] * y + frame[at + 2] * z + frame[at + 3];
  return [row(0), row(4), row(8)];
}

function precise(value: number): number {
  return Math.round(value * CAMERA_DECIMALS) / CAMERA_DECIMALS + 0;
}
