import { shortestFloat32 } from '../scene/shortestFloat32.js';
import { canonicalExpression } from './expression.js';
import type { ResolvedAssetGroup, ResolvedAttribute, ResolvedCount, ResolvedDistribution } from './resolved.js';
import type { AssetsDefinition, CountDefinition, DistributionDefinition } from './schema.js';
import type { Quantity } from './scope.js';
import type { Path } from './source.js';

/** Says what is wrong at a place; throws a GrammarError. */
export type Fail = (path: Path, message: string) => never;

/** A distribution's long form. */
export function longForm(definition: DistributionDefinition): ResolvedDistribution {
  if (typeof definition !== 'object') return { kind: 'constant', value: quantity(definition) };
  const { constant, uniform, normal, truncatedNormal, exponential, vonMises } = definition;
  if (constant !== undefined) return { kind: 'constant', value: quantity(constant) };
  if (uniform) return { kind: 'uniform', ...bounds(uniform) };
  if (normal) return { kind: 'normal', ...quantities(normal) };
  if (truncatedNormal) return { kind: 'truncatedNormal', ...quantities(truncatedNormal) };
  if (exponential) return { kind: 'exponential', ...quantities({ ...exponential, min: exponential.min ?? 0 }) };
  if (vonMises) return { kind: 'vonMises', ...quantities(vonMises) };
  return categorical(definition.categorical as NonNullable<typeof definition.categorical>);
}

/** A count's long form. */
export function longCount(definition: CountDefinition): ResolvedCount {
  if (typeof definition !== 'object') return { kind: 'constant', value: quantity(definition) };
  const { constant, uniform, poisson } = definition;
  if (constant !== undefined) return { kind: 'constant', value: quantity(constant) };
  if (uniform) return { kind: 'uniform', ...bounds(uniform) };
  if (poisson) return { kind: 'poisson', ...quantities(poisson) };
  return categorical(definition.categorical as NonNullable<typeof definition.categorical>);
}

/** Expressions are spaced in one way, so that equal ones are hashed equally. */
export function quantity(value: Quantity): Quantity {
  return typeof value === 'number' ? value : `= ${canonicalExpression(value.slice(1))}`;
}

function quantities<T extends Record<string, Quantity | undefined>>(values: T): T {
  const entries = Object.entries(values).filter((entry): entry is [string, Quantity] => entry[1] !== undefined);
  return Object.fromEntries(entries.map(([key, value]) => [key, quantity(value)])) as T;
}

function bounds(value: readonly [Quantity, Quantity] | { readonly min: Quantity; readonly max: Quantity }) {
  const [min, max] = 'min' in value ? [value.min, value.max] : value;
  return { min: quantity(min), max: quantity(max) };
}

function categorical({ values, weights }: { values: Quantity[]; weights?: Quantity[] }) {
  return {
    kind: 'categorical' as const,
    values: values.map(quantity),
    weights: weights?.map(quantity) ?? values.map(() => 1),
  };
}

/** Groups of assets with their weights. */
export function assetGroups(assets: AssetsDefinition | undefined): ResolvedAssetGroup[] {
  if (assets === undefined) return [];
  if (typeof assets === 'string') return [{ globs: [assets], weight: 1 }];
  if (assets.every((entry) => typeof entry === 'string')) return [{ globs: assets as string[], weight: 1 }];
  return assets.map((entry) =>
    typeof entry === 'string' ? { globs: [entry], weight: 1 } : { globs: [entry.glob], weight: quantity(entry.weight) },
  );
}

export function checkBounds(value: ResolvedDistribution | ResolvedCount, path: Path, fail: Fail): void {
  if (value.kind !== 'uniform' || typeof value.min !== 'number' || typeof value.max !== 'number') return;
  if (value.min <= value.max) return;
  fail(path, `Expected a minimum of at most the maximum but received ${value.min} and ${value.max}`);
}

/** A distribution that certainly leaves the attribute's range is a mistake; tails are clamped. */
export function checkRange(
  value: ResolvedDistribution,
  attribute: Omit<ResolvedAttribute, 'default'>,
  path: Path,
  fail: Fail,
): void {
  checkBounds(value, path, fail);
  if (value.kind === 'vonMises' && !(attribute.role === 'rotation' || attribute.periodic)) {
    fail(path, `Expected vonMises for a rotation only but received it for "${attribute.name}"`);
  }
  if (attribute.periodic) return;
  const [minimum, maximum] = attribute.range;
  for (const number of support(value)) {
    if (typeof number !== 'number') continue;
    if (Math.fround(number) >= minimum && Math.fround(number) <= maximum) continue;
    fail(
      path,
      `Expected values within the range [${shortestFloat32(minimum)}, ${shortestFloat32(maximum)}] of "${attribute.name}" but received ${number}`,
    );
  }
}

/** The numbers that bound what a distribution can give; none for tails without end. */
function support(value: ResolvedDistribution): readonly Quantity[] {
  switch (value.kind) {
    case 'constant':
      return [value.value];
    case 'uniform':
    case 'truncatedNormal':
      return [value.min, value.max];
    case 'exponential':
      return value.max === undefined ? [value.min, value.mean] : [value.min, value.max];
    case 'categorical':
      return value.values;
    case 'normal':
      return [value.mean];
    case 'vonMises':
      return [];
  }
}

/** The smallest count that a distribution certainly gives. */
export function leastCount(count: ResolvedCount): number {
  const least = (numbers: readonly Quantity[]) =>
    Math.min(...numbers.map((number) => (typeof number === 'number' ? number : 0)));
  switch (count.kind) {
    case 'constant':
      return least([count.value]);
    case 'uniform':
      return least([count.min]);
    case 'poisson':
      return 0;
    case 'categorical':
      return least(count.values.filter((_, i) => count.weights[i] !== 0));
  }
}
