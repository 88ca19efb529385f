import { SceneGraphError } from '../errors.js';
import { AttributeRole } from './generated/attribute-role.js';
import { NodeKind } from './generated/node-kind.js';

export { AttributeRole, NodeKind };

/** One attribute column: the same for every node (Meta-Sim §3.1: one attribute set for all nodes). */
export interface AttributeSpec {
  /** Unique name, e.g. `rotation`. */
  readonly name: string;
  /** What the renderer does with the value. */
  readonly role: AttributeRole;
  /** Unit as printed: `px`, `deg`, `m`, or empty for a plain factor. */
  readonly unit: string;
  /** Lower end of the range the learner normalises by, in `unit`. */
  readonly minimum: number;
  /** Upper end of the range, above `minimum`. */
  readonly maximum: number;
  /** The range is one full turn, so its two ends are the same value (angles). */
  readonly periodic: boolean;
}

/** What all scenes of a batch share. */
export interface SceneSchema {
  /** 2: sprites on a canvas (px, y downwards). 3: meshes before a camera (m). */
  readonly dimension: 2 | 3;
  /** Colour channels of the canvas: grey or RGB. */
  readonly channels: 1 | 3;
  /** The A attribute columns, in the order of `SceneGraph.attributes`. */
  readonly attributes: readonly AttributeSpec[];
  /** Class names; `SceneGraph.classId` indexes them. */
  readonly classes: readonly string[];
  /** 3D: what the nodes of each class are, in the order of `classes`; all are objects where it is left out. */
  readonly kinds?: readonly NodeKind[];
}

/**
 * Index of the column called `name`.
 * @throws SceneGraphError when there is none, with the names there are.
 */
export function attributeIndex(schema: SceneSchema, name: string): number {
  const index = schema.attributes.findIndex((spec) => spec.name === name);
  if (index < 0) {
    const names = schema.attributes.map((spec) => spec.name).join(', ');
    throw new SceneGraphError(`Expected one of the attributes ${names} but received "${name}"`);
  }
  return index;
}

/** Length of one turn of a periodic attribute, or of the range of any other, in its unit. */
export function attributeRange(spec: AttributeSpec): number {
  return spec.maximum - spec.minimum;
}

/**
 * `value` as the attribute stores it: a periodic one wrapped into [minimum, maximum), any other clamped to
 * [minimum, maximum].
 */
export function toRange(spec: AttributeSpec, value: number): number {
  const range = attributeRange(spec);
  if (!spec.periodic) return Math.min(spec.maximum, Math.max(spec.minimum, value));
  const wrapped = value - range * Math.floor((value - spec.minimum) / range);
  return wrapped < spec.minimum || wrapped >= spec.maximum ? spec.minimum : wrapped;
}

/** `a − b` in the attribute's unit; for a periodic attribute the short way round, in [−range/2, range/2). */
export function attributeDifference(spec: AttributeSpec, a: number, b: number): number {
  const difference = a - b;
  if (!spec.periodic) return difference;
  const range = attributeRange(spec);
  return difference - range * Math.floor(difference / range + 0.5);
}
