import type { z } from 'zod';
import type { CountDistribution, Distribution } from './distributions.js';
import type {
  ResolvedAssetGroup,
  ResolvedAttribute,
  ResolvedClass,
  ResolvedConstraint,
  ResolvedGrammar,
  ResolvedNode,
  ResolvedProduction,
} from './resolved.js';
import {
  type AssetsDefinition,
  type AttributeDefinition,
  type ClassDefinition,
  type ConstraintDefinition,
  type CountDefinition,
  type DistributionDefinition,
  type grammarSchema,
  MAX_NODES,
  type ProductionDefinition,
  ROLE_NAMES,
  type RoleName,
} from './schema.js';
import { grammarError, type Locate, type Path } from './source.js';
import { didYouMean, listNames } from './suggest.js';

type ParsedGrammar = z.output<typeof grammarSchema>;
type Named<T> = T & { readonly name: string };
type Fail = (path: Path, message: string) => never;

/** Random streams address attributes by 16 bits; far fewer are ever useful. */
const MAX_ATTRIBUTES = 256;
const DEFAULT_MAX_ATTEMPTS = 1000;

const UNITS: Partial<Record<RoleName, string>> = { x: 'px', y: 'px', rotation: 'deg' };
const FACTORS: readonly RoleName[] = ['scale', 'scaleX', 'scaleY', 'brightness', 'opacity', 'red', 'green', 'blue'];

/**
 * Fills short forms and defaults in and checks what the schema cannot: names that refer to each other, values within
 * ranges, node numbers.
 * @throws GrammarError that names place and path
 */
export function resolve(parsed: ParsedGrammar, name: string, locate: Locate): ResolvedGrammar {
  const fail: Fail = (path, message) => {
    throw grammarError(locate, path, message);
  };
  const canvas = { ...parsed.canvas, channels: parsed.canvas.channels ?? (1 as const) };
  // `source.ts` has turned both tables into lists.
  const attributeList = parsed.attributes as Named<AttributeDefinition>[];
  const classList = parsed.classes as Named<ClassDefinition>[];
  const attributes = attributeList.map((entry, i) => resolveAttribute(entry, canvas, ['attributes', i], fail));
  if (attributes.length > MAX_ATTRIBUTES) fail(['attributes'], `Expected at most ${MAX_ATTRIBUTES} attributes`);
  unique(attributes, 'attributes', fail);
  unique(
    attributes.filter(({ role }) => role !== 'none').map(({ role }) => ({ name: role })),
    'attributes',
    fail,
    'roles',
  );
  const names = new Names(
    attributes,
    classList.map((entry) => entry.name),
    fail,
  );
  const classes = classList.map((entry, i) => resolveClass(entry, names, ['classes', i]));
  unique(classes, 'classes', fail);
  const nodes = parsed.nodes.map((entry, i) => resolveProduction(entry, names, ['nodes', i]));
  const least = nodes.reduce((sum, production) => sum + leastNodes(production), 0);
  if (least > MAX_NODES) fail(['nodes'], `Expected at most ${MAX_NODES} nodes but received at least ${least}`);
  const constraints = (parsed.constraints ?? []).map((entry, i) => resolveConstraint(entry, names, ['constraints', i]));
  return {
    name: parsed.name ?? name,
    canvas,
    attributes,
    classes,
    nodes,
    constraints,
    sampling: {
      maxAttempts: parsed.sampling?.maxAttempts ?? DEFAULT_MAX_ATTEMPTS,
      retry: parsed.sampling?.retry ?? 'scene',
    },
  };
}

/** The names that productions, classes and constraints refer to. */
class Names {
  readonly attributes: ReadonlyMap<string, ResolvedAttribute>;

  constructor(
    attributes: readonly ResolvedAttribute[],
    readonly classes: readonly string[],
    readonly fail: Fail,
  ) {
    this.attributes = new Map(attributes.map((attribute) => [attribute.name, attribute]));
  }

  attribute(name: string, path: Path): ResolvedAttribute {
    const known = [...this.attributes.keys()];
    return (
      this.attributes.get(name) ??
      this.fail(
        path,
        `Expected one of the attributes ${listNames(known)} but received "${name}"${didYouMean(name, known)}`,
      )
    );
  }

  /** `undefined` stands for all classes. */
  classSet(value: string | readonly string[] | undefined, path: Path): readonly string[] {
    if (value === undefined) return this.classes;
    const isList = typeof value !== 'string';
    const list = isList ? value : [value];
    for (const [i, name] of list.entries()) {
      if (this.classes.includes(name)) continue;
      this.fail(
        isList ? [...path, i] : path,
        `Expected one of the classes ${listNames(this.classes)} but received "${name}"${didYouMean(name, this.classes)}`,
      );
    }
    return list;
  }
}

function unique(list: readonly { readonly name: string }[], table: string, fail: Fail, what = table): void {
  const seen = new Set<string>();
  for (const [i, { name }] of list.entries()) {
    if (seen.has(name)) fail([table, i], `Expected unique ${what} but received "${name}" twice`);
    seen.add(name);
  }
}

function resolveAttribute(
  entry: Named<AttributeDefinition>,
  canvas: { readonly width: number; readonly height: number },
  path: Path,
  fail: Fail,
): ResolvedAttribute {
  const { name } = entry;
  const role = entry.role ?? ROLE_NAMES.find((candidate) => candidate === name);
  if (role === undefined) {
    return fail(
      path,
      `Expected a role for the attribute "${name}", one of ${listNames(ROLE_NAMES)}${didYouMean(name, ROLE_NAMES)}`,
    );
  }
  const written = entry.range ?? defaultRange(role, canvas);
  // Scene files hold ranges as float32.
  const range = [Math.fround(written[0]), Math.fround(written[1])] as const;
  const periodic = entry.periodic ?? (role === 'rotation' && range[1] - range[0] === 360);
  if (periodic && role === 'rotation' && range[1] - range[0] !== 360) {
    fail([...path, 'range'], `Expected a range of 360° for a periodic rotation but received ${range[1] - range[0]}°`);
  }
  if (periodic && role !== 'rotation' && role !== 'none') {
    fail([...path, 'periodic'], `Expected false for the role "${role}" but received true`);
  }
  const neutral = FACTORS.includes(role) ? 1 : 0;
  const attribute = { name, role, unit: entry.unit ?? UNITS[role] ?? '', range, periodic };
  const fallback: Distribution = { kind: 'constant', value: Math.min(range[1], Math.max(range[0], neutral)) };
  if (entry.default === undefined) return { ...attribute, default: fallback };
  const chosen = distribution(entry.default);
  checkRange(chosen, attribute, [...path, 'default'], fail);
  return { ...attribute, default: chosen };
}

function defaultRange(role: RoleName, canvas: { readonly width: number; readonly height: number }): [number, number] {
  switch (role) {
    case 'x':
      return [-canvas.width, canvas.width];
    case 'y':
      return [-canvas.height, canvas.height];
    case 'rotation':
      // 0° is in the middle, not at the seam.
      return [-180, 180];
    case 'scale':
    case 'scaleX':
    case 'scaleY':
      return [0.25, 4];
    case 'none':
    case 'opacity':
      return [0, 1];
    default:
      return [0, 2];
  }
}

function resolveClass(entry: Named<ClassDefinition>, names: Names, path: Path): ResolvedClass {
  return {
    name: entry.name,
    asset: assetGroups(entry.asset),
    attributes: resolveValues(entry.attributes, names, [...path, 'attributes']),
    mutable: resolveMutable(entry.mutable ?? [], names, [...path, 'mutable']),
  };
}

function resolveProduction(entry: ProductionDefinition, names: Names, path: Path): ResolvedProduction {
  const count = countDistribution(entry.count ?? 1);
  checkCount(count, [...path, 'count'], names.fail);
  if (entry.choice) {
    const alternatives = entry.choice.map((alternative, i) => ({
      weight: alternative.weight ?? 1,
      production: resolveProduction(alternative, names, [...path, 'choice', i]),
    }));
    if (alternatives.every(({ weight }) => weight === 0)) {
      names.fail([...path, 'choice'], 'Expected at least one weight above 0');
    }
    return { kind: 'choice', count, alternatives };
  }
  const node: ResolvedNode = {
    kind: 'node',
    count,
    classes: names.classSet(entry.class, [...path, 'class']),
    attributes: resolveValues(entry.attributes, names, [...path, 'attributes']),
    children: (entry.children ?? []).map((child, i) => resolveProduction(child, names, [...path, 'children', i])),
    ...(entry.asset === undefined ? {} : { asset: assetGroups(entry.asset) }),
    ...(entry.mutable === undefined ? {} : { mutable: resolveMutable(entry.mutable, names, [...path, 'mutable']) }),
  };
  return node;
}

function resolveValues(
  values: Readonly<Record<string, DistributionDefinition>> | undefined,
  names: Names,
  path: Path,
): Record<string, Distribution> {
  const resolved: Record<string, Distribution> = {};
  for (const [name, definition] of Object.entries(values ?? {})) {
    const attribute = names.attribute(name, [...path, name]);
    const chosen = distribution(definition);
    checkRange(chosen, attribute, [...path, name], names.fail);
    resolved[name] = chosen;
  }
  return resolved;
}

function resolveMutable(list: readonly string[], names: Names, path: Path): string[] {
  for (const [i, name] of list.entries()) names.attribute(name, [...path, i]);
  // In schema order and without repetitions: the order says nothing.
  return [...names.attributes.keys()].filter((name) => list.includes(name));
}

function resolveConstraint(entry: ConstraintDefinition, names: Names, path: Path): ResolvedConstraint {
  const { minDistance, noOverlap, insideCanvas, predicate } = entry;
  const label = (kind: string, classes: readonly (string | string[] | undefined)[]) =>
    entry.name ?? `${kind}(${classes.flat().filter(Boolean).join(', ')})`;
  const pair = (key: string, value: { between?: string | string[]; and?: string | string[] }) => {
    const between = names.classSet(value.between, [...path, key, 'between']);
    const and = value.and === undefined ? between : names.classSet(value.and, [...path, key, 'and']);
    return { name: label(key, [value.between, value.and]), between, and };
  };
  if (minDistance) return { kind: 'minDistance', ...pair('minDistance', minDistance), distance: minDistance.distance };
  if (noOverlap) return { kind: 'noOverlap', ...pair('noOverlap', noOverlap), margin: noOverlap.margin ?? 0 };
  if (insideCanvas) {
    return {
      kind: 'insideCanvas',
      name: label('insideCanvas', [insideCanvas.classes]),
      classes: names.classSet(insideCanvas.classes, [...path, 'insideCanvas', 'classes']),
      margin: insideCanvas.margin ?? 0,
      extent: insideCanvas.extent ?? 'circle',
    };
  }
  if (predicate && entry.name !== undefined) return { kind: 'predicate', name: entry.name, predicate };
  return names.fail(path, 'Expected exactly one kind of constraint');
}

/** The smallest number of nodes that a production can make. */
function leastNodes(production: ResolvedProduction): number {
  const times = leastCount(production.count);
  if (times === 0) return 0;
  if (production.kind === 'choice') {
    const possible = production.alternatives.filter(({ weight }) => weight > 0);
    return times * Math.min(...possible.map((alternative) => leastNodes(alternative.production)));
  }
  return times * production.children.reduce((sum, child) => sum + leastNodes(child), 1);
}

function leastCount(count: CountDistribution): number {
  switch (count.kind) {
    case 'constant':
      return count.value;
    case 'uniform':
      return count.min;
    case 'poisson':
      return 0;
    case 'categorical':
      return Math.min(...count.values.filter((_, i) => count.weights[i] > 0));
  }
}

/** A distribution's long form. */
function distribution(definition: DistributionDefinition): Distribution {
  if (typeof definition === 'number') return { kind: 'constant', value: definition };
  const { constant, uniform, normal, truncatedNormal, vonMises } = definition;
  if (constant !== undefined) return { kind: 'constant', value: constant };
  if (uniform) return { kind: 'uniform', ...bounds(uniform) };
  if (normal) return { kind: 'normal', ...normal };
  if (truncatedNormal) return { kind: 'truncatedNormal', ...truncatedNormal };
  if (vonMises) return { kind: 'vonMises', ...vonMises };
  return categorical(definition.categorical as NonNullable<typeof definition.categorical>);
}

function countDistribution(definition: CountDefinition): CountDistribution {
  if (typeof definition === 'number') return { kind: 'constant', value: definition };
  const { constant, uniform, poisson } = definition;
  if (constant !== undefined) return { kind: 'constant', value: constant };
  if (uniform) return { kind: 'uniform', ...bounds(uniform) };
  if (poisson) return { kind: 'poisson', ...poisson };
  return categorical(definition.categorical as NonNullable<typeof definition.categorical>);
}

function bounds(value: readonly [number, number] | { readonly min: number; readonly max: number }) {
  return 'min' in value ? { min: value.min, max: value.max } : { min: value[0], max: value[1] };
}

function categorical({ values, weights }: { values: number[]; weights?: number[] }) {
  return { kind: 'categorical' as const, values, weights: weights ?? values.map(() => 1) };
}

function checkCount(count: CountDistribution, path: Path, fail: Fail): void {
  if (count.kind === 'uniform' && count.min > count.max) {
    fail(path, `Expected a minimum of at most the maximum but received ${count.min} and ${count.max}`);
  }
}

/** A distribution that certainly leaves the attribute's range is a mistake; tails are clamped. */
function checkRange(value: Distribution, attribute: Omit<ResolvedAttribute, 'default'>, path: Path, fail: Fail): void {
  if (value.kind === 'uniform' && value.min > value.max) {
    fail(path, `Expected a minimum of at most the maximum but received ${value.min} and ${value.max}`);
  }
  if (value.kind === 'vonMises' && !(attribute.role === 'rotation' || attribute.periodic)) {
    fail(path, `Expected vonMises for a rotation only but received it for "${attribute.name}"`);
  }
  if (attribute.periodic) return;
  const [minimum, maximum] = attribute.range;
  for (const number of support(value)) {
    if (Math.fround(number) >= minimum && Math.fround(number) <= maximum) continue;
    fail(
      path,
      `Expected values within the range [${minimum}, ${maximum}] of "${attribute.name}" but received ${number}`,
    );
  }
}

/** The numbers that bound what a distribution can give; none for tails without end. */
function support(value: Distribution): readonly number[] {
  switch (value.kind) {
    case 'constant':
      return [value.value];
    case 'uniform':
    case 'truncatedNormal':
      return [value.min, value.max];
    case 'categorical':
      return value.values;
    case 'normal':
      return [value.mean];
    case 'vonMises':
      return [];
  }
}

function assetGroups(assets: AssetsDefinition | undefined): ResolvedAssetGroup[] {
  if (assets === undefined) return [];
  if (typeof assets === 'string') return [{ globs: [assets], weight: 1 }];
  if (assets.every((entry) => typeof entry === 'string')) return [{ globs: assets as string[], weight: 1 }];
  return assets.map((entry) =>
    typeof entry === 'string' ? { globs: [entry], weight: 1 } : { globs: [entry.glob], weight: entry.weight },
  );
}
