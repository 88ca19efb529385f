import { cosDegrees, sinDegrees } from '../deterministicMath.js';
import { SceneGraphError } from '../errors.js';
import { AttributeRole, type SceneSchema } from '../scene/attributeSchema.js';
import type { SceneGraph } from '../scene/sceneGraph.js';

/** Numbers per node in the result of `worldPoses`: x, y, rotation, scale. */
export const POSE_STRIDE = 4;

/**
 * Pose of every node in the canvas frame: the frames of its ancestors composed with its own.
 *
 * A root's frame is the canvas (origin top left, x right, y down). A child at (x, y) of a frame with origin p, rotation
 * r and scale s stands at p + s·R(r)·(x, y), is turned by r + its own rotation and scaled by s × its own scale. Columns
 * a schema does not have count as 0 (position, rotation) or 1 (scale).
 * @returns [V × 4] float64: x, y (px), rotation (degrees clockwise, in [−180, 180)), scale
 * @throws SceneGraphError for a 3D schema: its poses need the camera
 */
export function worldPoses(schema: SceneSchema, scene: SceneGraph): Float64Array {
  if (schema.dimension !== 2) {
    throw new SceneGraphError(`Expected 2 for the scene's dimension but received ${schema.dimension}`);
  }
  const columns = schema.attributes.length;
  const nodes = scene.parent.length;
  const { x: xColumn, y: yColumn, rotation: rotationColumn, scale: scaleColumn } = poseColumns(schema);
  const poses = new Float64Array(nodes * POSE_STRIDE);
  for (let v = 0; v < nodes; v++) {
    const row = v * columns;
    const x = xColumn < 0 ? 0 : scene.attributes[row + xColumn];
    const y = yColumn < 0 ? 0 : scene.attributes[row + yColumn];
    const rotation = rotationColumn < 0 ? 0 : scene.attributes[row + rotationColumn];
    const scale = scaleColumn < 0 ? 1 : scene.attributes[row + scaleColumn];
    const out = v * POSE_STRIDE;
    const parent = scene.parent[v];
    if (parent < 0) {
      poses[out] = x;
      poses[out + 1] = y;
      poses[out + 2] = rotation;
      poses[out + 3] = scale;
      continue;
    }
    const frame = parent * POSE_STRIDE;
    const sine = sinDegrees(poses[frame + 2]);
    const cosine = cosDegrees(poses[frame + 2]);
    const size = poses[frame + 3];
    poses[out] = poses[frame] + size * (cosine * x - sine * y);
    poses[out + 1] = poses[frame + 1] + size * (sine * x + cosine * y);
    poses[out + 2] = poses[frame + 2] + rotation;
    poses[out + 3] = size * scale;
  }
  for (let v = 0; v < nodes; v++) poses[v * POSE_STRIDE + 2] = wrapDegrees(poses[v * POSE_STRIDE + 2]);
  return poses;
}

/** Attribute columns that make a frame, −1 where a schema has none. */
interface PoseColumns {
  readonly x: number;
  readonly y: number;
  readonly rotation: number;
  readonly scale: number;
}

/** Of schemas seen before: one holds for a whole dataset. */
const known = new WeakMap<SceneSchema, PoseColumns>();

function poseColumns(schema: SceneSchema): PoseColumns {
  let columns = known.get(schema);
  if (!columns) {
    const column = (role: AttributeRole) => schema.attributes.findIndex((spec) => spec.role === role);
    columns = {
      x: column(AttributeRole.X),
      y: column(AttributeRole.Y),
      rotation: column(AttributeRole.Rotation),
      scale: column(AttributeRole.Scale),
    };
    known.set(schema, columns);
  }
  return columns;
}

/** The same direction in [−180, 180). */
export function wrapDegrees(degrees: number): number {
  const wrapped = degrees - 360 * Math.floor((degrees + 180) / 360);
  return wrapped >= 180 ? wrapped - 360 : wrapped;
}
