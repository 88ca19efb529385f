import type { SceneSchema } from '../scene/attributeSchema.js';
import { cameraOf, type PlacedCamera } from '../scene/worldFrames.js';
import { type Body, footprint, footprintRadius, outlinesOverlap } from './bodies.js';
import { type CompiledConstraint, isAncestor, type PlacedNodes } from './placedNodes.js';
import type { ResolvedConstraint } from './resolved.js';

type OfKind<K extends ResolvedConstraint['kind']> = Extract<ResolvedConstraint, { kind: K }>;

/** Origins of any two nodes, one of each class set, are at least `distance` metres apart in the world. */
export function minDistance3d(
  { name, distance }: OfKind<'minDistance'>,
  first: readonly boolean[],
  second: readonly boolean[],
): CompiledConstraint {
  return pairs(name, first, second, ({ body }, a, b) => {
    const [from, to] = [body(a).placed.origin, body(b).placed.origin];
    return distanceSquared(from, to) >= distance * distance;
  });
}

/** Footprints of any two nodes, one of each class set, are apart; a node and its ancestors are not compared. */
export function noOverlap3d(
  { name, margin, extent }: OfKind<'noOverlap'>,
  first: readonly boolean[],
  second: readonly boolean[],
): CompiledConstraint {
  return pairs(name, first, second, ({ body, parent }, a, b) => {
    const [one, other] = [body(a), body(b)];
    if (one.liesBelow || other.liesBelow || isAncestor(parent, Math.min(a, b), Math.max(a, b))) return true;
    const needed = footprintRadius(one) + footprintRadius(other) + margin;
    const [dx, dz] = [one.placed.origin[0] - other.placed.origin[0], one.placed.origin[2] - other.placed.origin[2]];
    // A box grown by half of the margin on each side reaches √2 times that further at its corners.
    const reach = extent === 'circle' ? needed : needed + Math.max(0, margin) * (Math.SQRT2 - 1);
    if (reach <= 0 || dx * dx + dz * dz >= reach * reach) return true;
    return extent === 'box' && !outlinesOverlap(footprint(one, margin / 2), footprint(other, margin / 2));
  });
}

/** Judged when the scene is whole: only then is its camera known for sure. */
export function inView(
  { name, margin, extent, nearest, farthest }: OfKind<'inView'>,
  classes: readonly boolean[],
  schema: SceneSchema,
): CompiledConstraint {
  return {
    name,
    acceptsScene: ({ body, classId, count }, scene) => {
      const camera = cameraOf(schema, scene());
      const near = Math.max(camera.near, nearest ?? camera.near);
      const far = Math.min(camera.far, farthest ?? camera.far);
      for (let node = 0; node < count; node++) {
        if (!classes[classId[node]]) continue;
        const points = extent === 'box' ? body(node).corners : [body(node).placed.origin];
        if (!points.every((point) => isSeen(camera, point, margin, near, far))) return false;
      }
      return true;
    },
  };
}

function isSeen(
  { toCamera: m, fx, fy, cx, cy, width, height }: PlacedCamera,
  [x, y, z]: readonly number[],
  margin: number,
  near: number,
  far: number,
): boolean {
  const depth = m[8] * x + m[9] * y + m[10] * z + m[11];
  if (!(depth >= near && depth <= far)) return false;
  const u = cx + (fx * (m[0] * x + m[1] * y + m[2] * z + m[3])) / depth;
  const v = cy + (fy * (m[4] * x + m[5] * y + m[6] * z + m[7])) / depth;
  return u >= margin && v >= margin && u <= width - margin && v <= height - margin;
}

/** A condition on all pairs of different nodes, one of each class set. */
function pairs(
  name: string,
  first: readonly boolean[],
  second: readonly boolean[],
  apart: (nodes: PlacedNodes, a: number, b: number) => boolean,
): CompiledConstraint {
  /** Whether `node` may stand beside those before it. */
  const accepts = (nodes: PlacedNodes, node: number): boolean => {
    const own = nodes.classId[node];
    for (let other = 0; other < node; other++) {
      const its = nodes.classId[other];
      const paired = (first[own] && second[its]) || (first[its] && second[own]);
      if (paired && !apart(nodes, other, node)) return false;
    }
    return true;
  };
  return {
    name,
    acceptsNode: (nodes) => accepts(nodes, nodes.count - 1),
    acceptsScene: (nodes) => {
      for (let node = 1; node < nodes.count; node++) if (!accepts(nodes, node)) return false;
      return true;
    },
  };
}

function distanceSquared(a: Body['placed']['origin'], b: Body['placed']['origin']): number {
  return (a[0] - b[0]) ** 2 + (a[1] - b[1]) ** 2 + (a[2] - b[2]) ** 2;
}
