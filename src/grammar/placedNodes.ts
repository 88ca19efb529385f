import type { SceneGraph } from '../scene/sceneGraph.js';
import type { Body } from './bodies.js';
import type { NodePoses } from './poses.js';

/** The nodes placed so far. */
export interface PlacedNodes {
  readonly count: number;
  readonly parent: ArrayLike<number>;
  readonly classId: ArrayLike<number>;
  /** 2D. */
  readonly poses: NodePoses;
  /** 3D. */
  readonly body: (node: number) => Body;
}

/** A constraint ready to be checked. */
export interface CompiledConstraint {
  readonly name: string;
  /** Whether the newest node may stay, given those before it. Absent where only whole scenes can be judged. */
  readonly acceptsNode?: (nodes: PlacedNodes) => boolean;
  readonly acceptsScene: (nodes: PlacedNodes, scene: () => SceneGraph) => boolean;
}

/** Whether `ancestor`, which stands before `node`, is above it. */
export function isAncestor(parent: ArrayLike<number>, ancestor: number, node: number): boolean {
  let at = parent[node];
  while (at > ancestor) at = parent[at];
  return at === ancestor;
}
