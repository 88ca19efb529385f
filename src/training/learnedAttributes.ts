import { attributeRange } from '../scene/attributeSchema.js';
import type { SceneBatch } from '../scene/sceneGraph.js';

/** What training has made of a mutable attribute of a class. */
export interface LearnedAttribute {
  readonly class: string;
  readonly attribute: string;
  readonly unit: string;
  /** Means over the class's nodes; of a periodic attribute, the direction of the mean vector. */
  readonly before: number;
  readonly after: number;
}

/**
 * Means of the mutable attributes by class, of the same scenes before and after G_θ; in the order of classes and
 * attributes, those without a mutable node left out.
 */
export function learnedAttributes(before: SceneBatch, after: SceneBatch): LearnedAttribute[] {
  const { classes, attributes } = before.schema;
  const learned: LearnedAttribute[] = [];
  for (const [classId, name] of classes.entries()) {
    for (const [column, spec] of attributes.entries()) {
      const period = spec.periodic ? attributeRange(spec) : undefined;
      const [from, to] = [before, after].map((batch) => meanOf(mutableValues(before, batch, classId, column), period));
      if (from === undefined || to === undefined) continue;
      learned.push({ class: name, attribute: spec.name, unit: spec.unit, before: from, after: to });
    }
  }
  return learned;
}

/** Values in `batch` of the entries that are mutable in `mask`, which has the same scenes. */
function mutableValues(mask: SceneBatch, batch: SceneBatch, classId: number, column: number): number[] {
  const columns = mask.schema.attributes.length;
  return mask.scenes.flatMap((scene, i) =>
    [...scene.classId].flatMap((id, node) => {
      const at = node * columns + column;
      return id === classId && scene.mutable[at] ? [batch.scenes[i].attributes[at]] : [];
    }),
  );
}

/** Undefined for no value. */
function meanOf(values: readonly number[], period: number | undefined): number | undefined {
  if (values.length === 0) return undefined;
  if (period === undefined) return values.reduce((sum, value) => sum + value, 0) / values.length;
  const turn = (2 * Math.PI) / period;
  const [x, y] = [Math.cos, Math.sin].map((f) => values.reduce((sum, value) => sum + f(value * turn), 0));
  return Math.atan2(y, x) / turn;
}
