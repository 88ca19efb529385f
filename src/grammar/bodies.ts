import type { Asset } from '../assets/assetLibrary.js';
import { AttributeRole, NodeKind } from '../scene/attributeSchema.js';
import { type PlacedNode, placeInWorld } from '../scene/worldFrames.js';
import type { ReadRole } from './spacing.js';

/** A node of a 3D scene as constraints see it. */
export interface Body {
  /** Where its frame stands, and what its children need. */
  readonly placed: PlacedNode;
  /** [8 × 3] corners of its mesh's box in the world, m; the origin alone for a frame without a mesh. */
  readonly corners: readonly (readonly number[])[];
  /** Strips and meshes that lie on the ground have others standing on them and are not compared. */
  readonly liesBelow: boolean;
}

/** A convex outline on the ground: [x, z], m. */
export type Outline = readonly (readonly [number, number])[];

/** Places a node whose parent has been placed. */
export function placeBody(
  kind: NodeKind,
  parent: PlacedNode | undefined,
  asset: Asset | undefined,
  read: ReadRole,
): Body {
  const placed = placeInWorld(kind, parent, read);
  const mesh = asset?.kind === 'mesh' && kind !== NodeKind.Strip ? asset : undefined;
  return {
    placed,
    corners: mesh ? boxCorners(placed, mesh.minimum, mesh.maximum, read) : [placed.origin],
    liesBelow: kind === NodeKind.Strip || (asset?.kind === 'mesh' && asset.surface === 'ground'),
  };
}

function boxCorners(
  { rotation, scale, origin }: PlacedNode,
  minimum: readonly number[],
  maximum: readonly number[],
  read: ReadRole,
): number[][] {
  const stretch = [read(AttributeRole.ScaleX, 1), read(AttributeRole.ScaleY, 1), read(AttributeRole.ScaleZ, 1)];
  return Array.from({ length: 8 }, (_, corner) => {
    const own = stretch.map((factor, i) => scale * factor * ((corner >> i) & 1 ? maximum[i] : minimum[i]));
    return [0, 3, 6].map(
      (row, i) => origin[i] + rotation[row] * own[0] + rotation[row + 1] * own[1] + rotation[row + 2] * own[2],
    );
  });
}

/** Radius of the circle about the origin that the box's footprint is within, m. */
export function footprintRadius({ placed, corners }: Body): number {
  const [x, , z] = placed.origin;
  return Math.sqrt(Math.max(...corners.map((corner) => (corner[0] - x) ** 2 + (corner[2] - z) ** 2)));
}

/**
 * What the box covers of the ground, grown on all sides. Of a box that is tilted: its floor or its lid, whichever lies lower.
 * @param growth m; below 0 it shrinks, to its middle at most
 */
export function footprint({ placed, corners }: Body, growth: number): Outline {
  // Corners 0, 1, 5, 4 go round one of the sides that x and z span, 2, 3, 7, 6 round the other.
  const floor = corners.length === 8 ? (corners[0][1] > corners[2][1] ? [0, 1, 5, 4] : [2, 3, 7, 6]) : [0, 0, 0, 0];
  const points = floor.map((i): readonly [number, number] => [corners[i][0], corners[i][2]]);
  const middle = [0, 1].map((i) => (points[0][i] + points[2][i]) / 2);
  const side = (to: number, fallbackX: number, fallbackZ: number) => {
    const [dx, dz] = [points[to][0] - points[0][0], points[to][1] - points[0][1]];
    const length = Math.sqrt(dx * dx + dz * dz);
    const half = Math.max(0, length / 2 + growth);
    return length > 0 ? [(dx / length) * half, (dz / length) * half] : [fallbackX * half, fallbackZ * half];
  };
  const { rotation } = placed;
  const along = side(1, rotation[0], rotation[6]);
  const across = side(3, rotation[2], rotation[8]);
  return [
    [-1, -1],
    [1, -1],
    [1, 1],
    [-1, 1],
  ].map(([a, b]) => [middle[0] + a * along[0] + b * across[0], middle[1] + a * along[1] + b * across[1]] as const);
}

/** Whether two convex outlines share more than their border: no edge of one has the other on its outside. */
export function outlinesOverlap(a: Outline, b: Outline): boolean {
  return !hasSeparatingEdge(a, b) && !hasSeparatingEdge(b, a);
}

function hasSeparatingEdge(a: Outline, b: Outline): boolean {
  return a.some(([x, z], i) => {
    const [nextX, nextZ] = a[(i + 1) % a.length];
    const [normalX, normalZ] = [nextZ - z, x - nextX];
    if (normalX === 0 && normalZ === 0) return false;
    const project = ([px, pz]: readonly [number, number]) => px * normalX + pz * normalZ;
    const [ofA, ofB] = [a.map(project), b.map(project)];
    return Math.max(...ofA) <= Math.min(...ofB) || Math.max(...ofB) <= Math.min(...ofA);
  });
}
