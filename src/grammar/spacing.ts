import type { Asset } from '../assets/assetLibrary.js';
import { cosDegrees, sinDegrees } from '../deterministicMath.js';
import { AttributeRole, NodeKind, type SceneSchema } from '../scene/attributeSchema.js';
import { rotationOf } from '../scene/worldFrames.js';

/** Reads an attribute of a node by its role; the fallback where the schema has none. */
export type ReadRole = (role: AttributeRole, fallback: number) => number;

/** Makes readers of rows of attributes. */
export function roleReader(schema: SceneSchema): (row: ArrayLike<number>, start: number) => ReadRole {
  const columns = new Map(schema.attributes.map(({ role }, column) => [role, column]));
  return (row, start) => (role, fallback) => {
    const column = columns.get(role);
    return column === undefined ? fallback : row[start + column];
  };
}

/**
 * How far what is drawn of a node reaches before and behind its origin along an axis of its parent's frame, in the units of
 * that frame: a car that heads along z reaches half its length to both sides.
 * @param axis x 0, y 1, z 2
 * @returns [lower end ≤ 0, upper end ≥ 0] where the origin is within, in general [lower, upper]; [0, 0] for a frame alone
 */
export function reachAlong(
  axis: 0 | 1 | 2,
  asset: Asset | undefined,
  kind: NodeKind,
  read: ReadRole,
): readonly [number, number] {
  if (!asset) return [0, 0];
  // Strips are bent, not turned.
  const isStrip = kind === NodeKind.Strip;
  const scale = isStrip ? 1 : read(AttributeRole.Scale, 1);
  const stretch = [read(AttributeRole.ScaleX, 1), read(AttributeRole.ScaleY, 1), read(AttributeRole.ScaleZ, 1)];
  if (asset.kind === 'sprite') {
    const turn = read(AttributeRole.Rotation, 0);
    const [c, s] = [Math.abs(cosDegrees(turn)), Math.abs(sinDegrees(turn))];
    const [width, height] = [asset.width * stretch[0], asset.height * stretch[1]];
    const half = (scale * (axis === 0 ? c * width + s * height : s * width + c * height)) / 2;
    return [-half, half];
  }
  const rotation = isStrip
    ? rotationOf(0, 0, 0)
    : rotationOf(read(AttributeRole.Rotation, 0), read(AttributeRole.Pitch, 0), read(AttributeRole.Roll, 0));
  let lower = 0;
  let upper = 0;
  for (let i = 0; i < 3; i++) {
    const factor = rotation[3 * axis + i] * stretch[i] * scale;
    lower += Math.min(factor * asset.minimum[i], factor * asset.maximum[i]);
    upper += Math.max(factor * asset.minimum[i], factor * asset.maximum[i]);
  }
  return [lower, upper];
}
