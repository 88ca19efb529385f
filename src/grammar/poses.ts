import { cosDegrees, sinDegrees } from '../deterministicMath.js';
import { AttributeRole, type SceneSchema } from '../scene/attributeSchema.js';

/** Where the nodes of a scene are on the canvas. */
export interface NodePoses {
  /** [V] origin, px from the left. */
  readonly x: Float64Array;
  /** [V] origin, px from the top. */
  readonly y: Float64Array;
  /** [V] clockwise rotation, degrees; not wrapped. */
  readonly rotation: Float64Array;
  /** [V] scale of the frame. */
  readonly scale: Float64Array;
  /** [V] radius of the circle about the origin that holds the node's own sprite, px; 0 without a sprite. */
  readonly radius: Float64Array;
}

/** Columns that place a node, −1 where the schema has none. */
export interface PoseColumns {
  readonly x: number;
  readonly y: number;
  readonly rotation: number;
  readonly scale: number;
  readonly scaleX: number;
  readonly scaleY: number;
}

/** Of schemas seen before: one holds for all scenes of a grammar. */
const known = new WeakMap<SceneSchema, PoseColumns>();

/** The columns of a schema's 2D pose attributes. */
export function poseColumns(schema: SceneSchema): PoseColumns {
  let columns = known.get(schema);
  if (!columns) known.set(schema, (columns = findColumns(schema)));
  return columns;
}

function findColumns(schema: SceneSchema): PoseColumns {
  const column = (role: AttributeRole) => schema.attributes.findIndex((spec) => spec.role === role);
  return {
    x: column(AttributeRole.X),
    y: column(AttributeRole.Y),
    rotation: column(AttributeRole.Rotation),
    scale: column(AttributeRole.Scale),
    scaleX: column(AttributeRole.ScaleX),
    scaleY: column(AttributeRole.ScaleY),
  };
}

/** Poses for up to `nodes` nodes, to be filled by `placeNode`. */
export function emptyPoses(nodes: number): NodePoses {
  const make = () => new Float64Array(nodes);
  return { x: make(), y: make(), rotation: make(), scale: make(), radius: make() };
}

/**
 * Fills the pose of one node; its parent's must be filled (frames as in `SceneGraph`).
 * @param row the node's A attribute values
 * @param size its sprite's size in texels, undefined without a sprite
 */
export function placeNode(
  poses: NodePoses,
  node: number,
  parent: number,
  row: ArrayLike<number>,
  columns: PoseColumns,
  size: { readonly width: number; readonly height: number } | undefined,
): void {
  const value = (column: number, neutral: number) => (column < 0 ? neutral : row[column]);
  const x = value(columns.x, 0);
  const y = value(columns.y, 0);
  const rotation = value(columns.rotation, 0);
  const scale = value(columns.scale, 1);
  if (parent < 0) {
    poses.x[node] = x;
    poses.y[node] = y;
    poses.rotation[node] = rotation;
    poses.scale[node] = scale;
  } else {
    const c = cosDegrees(poses.rotation[parent]) * poses.scale[parent];
    const s = sinDegrees(poses.rotation[parent]) * poses.scale[parent];
    // y points down, so this turns clockwise on screen.
    poses.x[node] = poses.x[parent] + c * x - s * y;
    poses.y[node] = poses.y[parent] + s * x + c * y;
    poses.rotation[node] = poses.rotation[parent] + rotation;
    poses.scale[node] = poses.scale[parent] * scale;
  }
  const width = size ? size.width * value(columns.scaleX, 1) : 0;
  const height = size ? size.height * value(columns.scaleY, 1) : 0;
  poses.radius[node] = (Math.abs(poses.scale[node]) * Math.sqrt(width * width + height * height)) / 2;
}
