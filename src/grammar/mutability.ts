import type { ResolvedGrammar, ResolvedProduction } from './resolved.js';

/** Whether training may change any attribute of any object that the grammar can make. */
export function hasMutable({ classes, nodes }: ResolvedGrammar): boolean {
  const ofClass = new Map(classes.map(({ name, mutable }) => [name, mutable]));
  const reaches = (production: ResolvedProduction): boolean => {
    if (production.kind === 'choice') return production.alternatives.some((one) => reaches(one.production));
    const own = production.classes.some((name) => (production.mutable ?? ofClass.get(name) ?? []).length > 0);
    return own || production.children.some(reaches);
  };
  return nodes.some(reaches);
}
