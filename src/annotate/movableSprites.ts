import { AttributeRole, type SceneSchema } from '../scene/attributeSchema.js';
import type { SceneGraph } from '../scene/sceneGraph.js';

/** What a node's children inherit: with it a node moves sprites below it. */
const INHERITED: ReadonlySet<AttributeRole> = new Set([
  AttributeRole.X,
  AttributeRole.Y,
  AttributeRole.Rotation,
  AttributeRole.Scale,
]);
/** What else decides how much of the node's own sprite is seen. */
const OWN: ReadonlySet<AttributeRole> = new Set([AttributeRole.ScaleX, AttributeRole.ScaleY, AttributeRole.Opacity]);

/**
 * Objects that a distribution transformer could hide: nodes with a sprite whose place, size or opacity is mutable, on the
 * node itself or, as far as frames are inherited, on one above it. In node order.
 */
export function movableSprites(schema: SceneSchema, scene: SceneGraph): number[] {
  const columns = schema.attributes.length;
  const inherited = columnsOf(schema, INHERITED);
  const own = columnsOf(schema, OWN);
  const isMutable = (v: number, wanted: readonly number[]) => wanted.some((a) => scene.mutable[v * columns + a] !== 0);
  const moved: boolean[] = [];
  const found: number[] = [];
  for (const [v, parent] of scene.parent.entries()) {
    moved.push((parent >= 0 && moved[parent]) || isMutable(v, inherited));
    if (scene.asset[v] >= 0 && (moved[v] || isMutable(v, own))) found.push(v);
  }
  return found;
}

function columnsOf(schema: SceneSchema, roles: ReadonlySet<AttributeRole>): number[] {
  return schema.attributes.flatMap(({ role }, a) => (roles.has(role) ? [a] : []));
}
