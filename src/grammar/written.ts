import type { Camera } from '../scene/sceneGraph.js';
import type {
  ResolvedAlignment,
  ResolvedAssetGroup,
  ResolvedConstraint,
  ResolvedCount,
  ResolvedDistribution,
  ResolvedGrammar,
  ResolvedNode,
  ResolvedParameter,
  ResolvedProduction,
} from './resolved.js';
import type {
  AssetsDefinition,
  CameraDefinition,
  ConstraintDefinition,
  CountDefinition,
  DistributionDefinition,
  GrammarDefinition,
  ParameterDefinition,
  ProductionDefinition,
} from './schema.js';

/**
 * A resolved grammar in the grammar language again, everything spelled out: what run folders keep. Reading it gives a
 * grammar with the same hash. It survives JSON unless a constraint is a predicate, which is a function.
 */
export function writtenForm(grammar: ResolvedGrammar): GrammarDefinition {
  const { name, dimension, canvas, camera, attributes, classes, nodes, constraints, sampling } = grammar;
  return escaped({
    name,
    ...(dimension ? { dimension } : {}),
    ...(camera ? { camera: cameraForm(camera) } : {}),
    ...parameters(grammar.parameters),
    canvas: { ...canvas },
    attributes: attributes.map((attribute) => ({
      ...attribute,
      range: [...attribute.range] as [number, number],
      default: distribution(attribute.default),
    })),
    classes: classes.map((entry) => ({
      name: entry.name,
      ...(entry.kind ? { kind: entry.kind } : {}),
      ...assets(entry.asset),
      attributes: values(entry.attributes),
      mutable: [...entry.mutable],
    })),
    nodes: nodes.map(productionForm),
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

function cameraForm({ fx, fy, ...place }: Camera): CameraDefinition {
  return { focal: [fx, fy], ...place };
}

function parameters(list: readonly ResolvedParameter[] | undefined): {
  parameters?: Record<string, ParameterDefinition>;
} {
  if (!list) return {};
  return { parameters: Object.fromEntries(list.map((entry) => [entry.name, parameter(entry)])) };
}

/** Names go where their numbers are. */
function parameter({ distribution: drawn, names }: ResolvedParameter): ParameterDefinition {
  if (!names || drawn.kind !== 'categorical') return distribution(drawn);
  return { categorical: { values: [...names], weights: [...drawn.weights] } };
}

function distribution(value: ResolvedDistribution): DistributionDefinition {
  return spelledOut(value) as DistributionDefinition;
}

function count(value: ResolvedCount): CountDefinition {
  return spelledOut(value) as CountDefinition;
}

/** `{ kind: 'normal', mean, sd }` is written `{ normal: { mean, sd } }`, a constant `{ constant: value }`. */
function spelledOut(value: ResolvedDistribution | ResolvedCount): object {
  if (value.kind === 'constant') return { constant: value.value };
  const { kind, ...parameters } = value;
  return { [kind]: parameters };
}

function values(attributes: Readonly<Record<string, ResolvedDistribution>>): Record<string, DistributionDefinition> {
  return Object.fromEntries(Object.entries(attributes).map(([name, value]) => [name, distribution(value)]));
}

/** Several patterns in one group are a list of names; groups with weights have one pattern each. */
function assets(groups: readonly ResolvedAssetGroup[]): { asset?: AssetsDefinition } {
  if (groups.length === 0) return {};
  if (groups.length === 1 && groups[0].weight === 1) return { asset: [...groups[0].globs] };
  return { asset: groups.flatMap(({ globs, weight }) => globs.map((glob) => ({ glob, weight }))) };
}

function productionForm(entry: ResolvedProduction): ProductionDefinition {
  if (entry.kind === 'node') return node(entry);
  return {
    ...numbers(entry),
    choice: entry.alternatives.map(({ weight, production: chosen }) => ({ ...productionForm(chosen), weight })),
  };
}

/** How many, or how far apart, and what is drawn for each. */
function numbers({ count: number, spacing, parameters: own }: ResolvedProduction): ProductionDefinition {
  if (!spacing) return { count: count(number), ...parameters(own) };
  const { along, from, to, gap, most } = spacing;
  const places = { from: distribution(from), to: distribution(to), gap: distribution(gap) };
  return { spacing: { along, ...places, ...(most ? { most: count(most) } : {}) }, ...parameters(own) };
}

function alignments(align: Readonly<Record<string, ResolvedAlignment>>): NonNullable<ProductionDefinition['align']> {
  return Object.fromEntries(
    Object.entries(align).map(([name, { at, side }]) => [name, { at: distribution(at), side }]),
  );
}

function node(production: ResolvedNode): ProductionDefinition {
  const { classes, asset, align, attributes, mutable, children } = production;
  return {
    ...numbers(production),
    ...(align ? { align: alignments(align) } : {}),
    class: [...classes],
    ...(asset ? assets(asset) : {}),
    attributes: values(attributes),
    ...(mutable ? { mutable: [...mutable] } : {}),
    children: children.map(productionForm),
  };
}

function constraint({ kind, name, ...entry }: ResolvedConstraint): ConstraintDefinition {
  if (kind === 'predicate') return { name, ...entry } as ConstraintDefinition;
  return { name, [kind]: entry } as ConstraintDefinition;
}
