import type { SceneSchema } from '../scene/attributeSchema.js';
import { cameraOf, worldFrames } from '../scene/worldFrames.js';
import { type CompiledConstraint, isAncestor, type PlacedNodes } from './placedNodes.js';
import type { NodePoses } from './poses.js';
import type { ResolvedConstraint, ResolvedGrammar } from './resolved.js';
import { inView, minDistance3d, noOverlap3d } from './worldConstraints.js';

export function compileConstraints(grammar: ResolvedGrammar, schema: SceneSchema): CompiledConstraint[] {
  return grammar.constraints.map((constraint) => compileConstraint(constraint, grammar, schema));
}

function compileConstraint(
  constraint: ResolvedConstraint,
  grammar: ResolvedGrammar,
  schema: SceneSchema,
): CompiledConstraint {
  const has = (names: readonly string[]) => schema.classes.map((name) => names.includes(name));
  switch (constraint.kind) {
    case 'minDistance': {
      if (schema.dimension === 3) return minDistance3d(constraint, has(constraint.between), has(constraint.and));
      const reach = constraint.distance / 2;
      return pairConstraint(constraint.name, has(constraint.between), has(constraint.and), () => reach, false);
    }
    case 'noOverlap': {
      if (schema.dimension === 3) return noOverlap3d(constraint, has(constraint.between), has(constraint.and));
      const reach = (poses: NodePoses, node: number) => poses.radius[node] + constraint.margin / 2;
      return pairConstraint(constraint.name, has(constraint.between), has(constraint.and), reach, true);
    }
    case 'insideCanvas': {
      const classes = has(constraint.classes);
      const { width, height } = grammar.canvas;
      const inside = ({ poses, classId }: PlacedNodes, node: number) => {
        if (!classes[classId[node]]) return true;
        const margin = constraint.margin + (constraint.extent === 'circle' ? poses.radius[node] : 0);
        const x = poses.x[node];
        const y = poses.y[node];
        return x >= margin && y >= margin && x <= width - margin && y <= height - margin;
      };
      return {
        name: constraint.name,
        acceptsNode: (nodes) => inside(nodes, nodes.count - 1),
        acceptsScene: (nodes) => {
          for (let node = 0; node < nodes.count; node++) if (!inside(nodes, node)) return false;
          return true;
        },
      };
    }
    case 'inView':
      return inView(constraint, has(constraint.classes), schema);
    case 'predicate':
      return {
        name: constraint.name,
        acceptsScene: (nodes, scene) => {
          const context = { schema, poses: nodes.poses };
          if (schema.dimension === 2) return constraint.predicate(scene(), context);
          const [frames, camera] = [worldFrames(schema, scene()), cameraOf(schema, scene())];
          return constraint.predicate(scene(), { ...context, frames, camera });
        },
      };
  }
}

/**
 * Any two nodes, one of each class set, are at least the sum of their reaches apart.
 * @param unrelated leave out pairs of a node and its ancestor
 */
function pairConstraint(
  name: string,
  first: readonly boolean[],
  second: readonly boolean[],
  reach: (poses: NodePoses, node: number) => number,
  unrelated: boolean,
): CompiledConstraint {
  const apart = (nodes: PlacedNodes, a: number, b: number): boolean => {
    const { classId, poses } = nodes;
    const paired = (first[classId[a]] && second[classId[b]]) || (first[classId[b]] && second[classId[a]]);
    if (!paired) return true;
    const needed = reach(poses, a) + reach(poses, b);
    const dx = poses.x[a] - poses.x[b];
    const dy = poses.y[a] - poses.y[b];
    if (needed <= 0 || dx * dx + dy * dy >= needed * needed) return true;
    return unrelated && isAncestor(nodes.parent, Math.min(a, b), Math.max(a, b));
  };
  return {
    name,
    acceptsNode: (nodes) => {
      const newest = nodes.count - 1;
      for (let node = 0; node < newest; node++) if (!apart(nodes, node, newest)) return false;
      return true;
    },
    acceptsScene: (nodes) => {
      const { classId, poses } = nodes;
      const left = (node: number) => poses.x[node] - reach(poses, node);
      const relevant: number[] = [];
      for (let node = 0; node < nodes.count; node++) {
        if (first[classId[node]] || second[classId[node]]) relevant.push(node);
      }
      // From left to right: beyond a node's right end nothing can touch it, so crowded scenes stay affordable.
      relevant.sort((a, b) => left(a) - left(b) || a - b);
      for (const [i, a] of relevant.entries()) {
        const right = poses.x[a] + reach(poses, a);
        for (let j = i + 1; j < relevant.length && left(relevant[j]) < right; j++) {
          if (!apart(nodes, a, relevant[j])) return false;
        }
      }
      return true;
    },
  };
}
