import type { Fail } from './resolveDistributions.js';
import type { ResolvedConstraint } from './resolved.js';
import type { ConstraintDefinition } from './schema.js';
import type { Path } from './source.js';

/** The classes that a constraint names; all of them for `undefined`. */
export type ClassSet = (value: string | readonly string[] | undefined, path: Path) => readonly string[];

/** Fills defaults of a constraint in and checks that it is one for scenes of the dimension. */
export function resolveConstraint(
  entry: ConstraintDefinition,
  dimension: 2 | 3,
  classSet: ClassSet,
  path: Path,
  fail: Fail,
): ResolvedConstraint {
  const { minDistance, noOverlap, insideCanvas, inView, predicate } = entry;
  const label = (kind: string, classes: readonly (string | string[] | undefined)[]) =>
    entry.name ?? `${kind}(${classes.flat().filter(Boolean).join(', ')})`;
  const pair = (key: string, value: { between?: string | string[]; and?: string | string[] }) => {
    const between = classSet(value.between, [...path, key, 'between']);
    const and = value.and === undefined ? between : classSet(value.and, [...path, key, 'and']);
    return { name: label(key, [value.between, value.and]), between, and };
  };
  if (minDistance) return { kind: 'minDistance', ...pair('minDistance', minDistance), distance: minDistance.distance };
  if (noOverlap) {
    const plain = { kind: 'noOverlap' as const, ...pair('noOverlap', noOverlap), margin: noOverlap.margin ?? 0 };
    if (dimension === 3) return { ...plain, extent: noOverlap.extent ?? 'box' };
    if (noOverlap.extent !== 'box') return plain;
    return fail([...path, 'noOverlap', 'extent'], 'Expected circles in a grammar of dimension 2 but received "box"');
  }
  if (insideCanvas) {
    if (dimension === 3) fail(path, 'Expected inView in a grammar of dimension 3 but received insideCanvas');
    return {
      kind: 'insideCanvas',
      name: label('insideCanvas', [insideCanvas.classes]),
      classes: classSet(insideCanvas.classes, [...path, 'insideCanvas', 'classes']),
      margin: insideCanvas.margin ?? 0,
      extent: insideCanvas.extent ?? 'circle',
    };
  }
  if (inView) {
    if (dimension === 2) fail(path, 'Expected insideCanvas in a grammar of dimension 2 but received inView');
    const { nearest, farthest } = inView;
    return {
      kind: 'inView',
      name: label('inView', [inView.classes]),
      classes: classSet(inView.classes, [...path, 'inView', 'classes']),
      margin: inView.margin ?? 0,
      extent: inView.extent ?? 'origin',
      ...(nearest === undefined ? {} : { nearest }),
      ...(farthest === undefined ? {} : { farthest }),
    };
  }
  if (predicate && entry.name !== undefined) return { kind: 'predicate', name: entry.name, predicate };
  return fail(path, 'Expected exactly one kind of constraint');
}
