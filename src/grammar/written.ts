import type { CountDistribution, Distribution } from './distributions.js';
import type {
  ResolvedAssetGroup,
  ResolvedConstraint,
  ResolvedGrammar,
  ResolvedNode,
  ResolvedProduction,
} from './resolved.js';
import type {
  AssetsDefinition,
  ConstraintDefinition,
  CountDefinition,
  DistributionDefinition,
  GrammarDefinition,
  ProductionDefinition,
} from './schema.js';

/**
 * A resolved grammar in the grammar language again, everything spelled out: what run folders keep. Reading it gives a
 * grammar with the same hash. It survives JSON unless a constraint is a predicate, which is a function.
 */
export function writtenForm(grammar: ResolvedGrammar): GrammarDefinition {
  const { name, canvas, attributes, classes, nodes, constraints, sampling } = grammar;
  return escaped({
    name,
    canvas: { ...canvas },
    attributes: attributes.map((attribute) => ({
      ...attribute,
      range: [...attribute.range] as [number, number],
      default: distribution(attribute.default),
    })),
    classes: classes.map((entry) => ({
      name: entry.name,
      ...assets(entry.asset),
      attributes: values(entry.attributes),
      mutable: [...entry.mutable],
    })),
    nodes: nodes.map(production),
    constraints: constraints.map(constraint),
    sampling: { ...sampling },
  });
}

/** Strings as the language writes them: `${` is not the start of an expression any more. */
function escaped<T>(value: T): T {
  if (typeof value === 'string') return value.replaceAll('${', '$$$${') as T;
  if (Array.isArray(value)) return value.map(escaped) as T;
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, entry]) => [key, escaped(entry)])) as T;
}

function distribution(value: Distribution): DistributionDefinition {
  return spelledOut(value) as DistributionDefinition;
}

function count(value: CountDistribution): CountDefinition {
  return spelledOut(value) as CountDefinition;
}

/** `{ kind: 'normal', mean, sd }` is written `{ normal: { mean, sd } }`, a constant `{ constant: value }`. */
function spelledOut(value: Distribution | CountDistribution): object {
  if (value.kind === 'constant') return { constant: value.value };
  const { kind, ...parameters } = value;
  return { [kind]: parameters };
}

function values(attributes: Readonly<Record<string, Distribution>>): Record<string, DistributionDefinition> {
  return Object.fromEntries(Object.entries(attributes).map(([name, value]) => [name, distribution(value)]));
}

/** Several patterns in one group are a list of names; groups with weights have one pattern each. */
function assets(groups: readonly ResolvedAssetGroup[]): { asset?: AssetsDefinition } {
  if (groups.length === 0) return {};
  if (groups.length === 1 && groups[0].weight === 1) return { asset: [...groups[0].globs] };
  return { asset: groups.flatMap(({ globs, weight }) => globs.map((glob) => ({ glob, weight }))) };
}

function production(entry: ResolvedProduction): ProductionDefinition {
  if (entry.kind === 'node') return node(entry);
  return {
    count: count(entry.count),
    choice: entry.alternatives.map(({ weight, production: chosen }) => ({ ...production(chosen), weight })),
  };
}

function node({ count: number, classes, asset, attributes, mutable, children }: ResolvedNode): ProductionDefinition {
  return {
    count: count(number),
    class: [...classes],
    ...(asset ? assets(asset) : {}),
    attributes: values(attributes),
    ...(mutable ? { mutable: [...mutable] } : {}),
    children: children.map(production),
  };
}

function constraint({ kind, name, ...entry }: ResolvedConstraint): ConstraintDefinition {
  if (kind === 'predicate') return { name, ...entry } as ConstraintDefinition;
  return { name, [kind]: entry } as ConstraintDefinition;
}
