import type { z } from 'zod';
import { cosDegrees, sinDegrees } from '../deterministicMath.js';
import { type Camera, MAX_CANVAS_PIXELS } from '../scene/sceneGraph.js';
import { WIDEST_FIELD_OF_VIEW } from '../scene/worldFrames.js';
import { resolveConstraint } from './resolveConstraints.js';
import {
  assetGroups,
  checkBounds,
  checkRange,
  type Fail,
  leastCount,
  longCount,
  longForm,
  quantity,
} from './resolveDistributions.js';
import type {
  ResolvedAlignment,
  ResolvedAttribute,
  ResolvedChoice,
  ResolvedClass,
  ResolvedDistribution,
  ResolvedGrammar,
  ResolvedNode,
  ResolvedParameter,
  ResolvedProduction,
  ResolvedSpacing,
} from './resolved.js';
import { dimensionOfRole, neutralValue, ROLE_NAMES, rangeOfRole, rolesOf, unitOfRole } from './roles.js';
import {
  type AttributeDefinition,
  type CameraDefinition,
  type ClassDefinition,
  type DistributionDefinition,
  type grammarSchema,
  type KindName,
  MAX_NODES,
  type ParameterDefinition,
  type ProductionDefinition,
  type SpacingDefinition,
} from './schema.js';
import { grammarError, type Locate, type Path } from './source.js';
import { didYouMean, listNames } from './suggest.js';

type ParsedGrammar = z.output<typeof grammarSchema>;
type Named<T> = T & { readonly name: string };

/** Random streams address attributes by 16 bits; far fewer are ever useful. */
const MAX_ATTRIBUTES = 256;
const DEFAULT_MAX_ATTEMPTS = 1000;

/** Smallest scale: what is a metre at scale 1 has sides above 0 in labels, which have six decimals, also within a frame or two. */
const MIN_SCALE = 0.001;
/** Parameters of a scene, or of one production. */
const MAX_PARAMETERS = 256;

/**
 * Fills short forms and defaults in and checks what the schema cannot: names that refer to each other, values within
 * ranges, node numbers.
 * @throws GrammarError that names place and path
 */
export function resolve(parsed: ParsedGrammar, name: string, locate: Locate): ResolvedGrammar {
  const fail: Fail = (path, message) => {
    throw grammarError(locate, path, message);
  };
  const dimension = parsed.dimension ?? 2;
  const canvas = { ...parsed.canvas, channels: parsed.canvas.channels ?? (1 as const) };
  if (canvas.width * canvas.height > MAX_CANVAS_PIXELS) {
    fail(
      ['canvas'],
      `Expected at most ${MAX_CANVAS_PIXELS} px in all for the canvas but received ${canvas.width} × ${canvas.height}`,
    );
  }
  // `source.ts` has turned both tables into lists.
  const attributeList = parsed.attributes as Named<AttributeDefinition>[];
  const classList = parsed.classes as Named<ClassDefinition>[];
  const attributes = attributeList.map((entry, i) =>
    resolveAttribute(entry, dimension, canvas, ['attributes', i], fail),
  );
  if (attributes.length > MAX_ATTRIBUTES) fail(['attributes'], `Expected at most ${MAX_ATTRIBUTES} attributes`);
  unique(attributes, 'attributes', fail);
  unique(
    attributes.filter(({ role }) => role !== 'none').map(({ role }) => ({ name: role })),
    'attributes',
    fail,
    'roles',
  );
  if (dimension === 3 && !parsed.camera) {
    fail([], 'Expected "camera", what 3D scenes are seen with, in a grammar of dimension 3 but received none');
  }
  if (dimension === 2 && parsed.camera) fail(['camera'], 'Expected no camera in a grammar of dimension 2');
  const kinds = new Map(classList.map((entry): [string, KindName] => [entry.name, entry.kind ?? 'object']));
  const names = new Names(attributes, kinds, fail);
  const classes = classList.map((entry, i) => resolveClass(entry, dimension, names, ['classes', i]));
  unique(classes, 'classes', fail);
  const parameters = resolveParameters(parsed.parameters, ['parameters'], fail);
  const nodes = parsed.nodes.map((entry, i) => resolveProduction(entry, names, ROOT_KINDS, ['nodes', i]));
  const least = nodes.reduce((sum, production) => sum + leastNodes(production), 0);
  if (least > MAX_NODES) fail(['nodes'], `Expected at most ${MAX_NODES} nodes but received at least ${least}`);
  const constraints = (parsed.constraints ?? []).map((entry, i) =>
    resolveConstraint(entry, dimension, (value, path) => names.classSet(value, path), ['constraints', i], fail),
  );
  return {
    name: parsed.name ?? name,
    // What 2D grammars do not have is left out, so that their hashes stay what they are.
    ...(parsed.camera ? { dimension: 3 as const, camera: resolveCamera(parsed.camera, canvas, fail) } : {}),
    ...(parameters.length > 0 ? { parameters } : {}),
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

/** What a node can stand below: kinds of its possible parents. */
type ParentKinds = readonly (KindName | 'canvas')[];
const ROOT_KINDS: ParentKinds = ['canvas'];

/** The names that productions, classes and constraints refer to. */
class Names {
  readonly attributes: ReadonlyMap<string, ResolvedAttribute>;
  readonly classes: readonly string[];

  constructor(
    attributes: readonly ResolvedAttribute[],
    /** By class. */
    readonly kinds: ReadonlyMap<string, KindName>,
    readonly fail: Fail,
  ) {
    this.attributes = new Map(attributes.map((attribute) => [attribute.name, attribute]));
    this.classes = [...kinds.keys()];
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

  /** An attribute that is a coordinate. */
  place(name: string, path: Path): ResolvedAttribute {
    const attribute = this.attribute(name, path);
    if (['x', 'y', 'z'].includes(attribute.role)) return attribute;
    return this.fail(path, `Expected an attribute of role x, y or z but received "${name}"`);
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
  dimension: 2 | 3,
  canvas: { readonly width: number; readonly height: number },
  path: Path,
  fail: Fail,
): ResolvedAttribute {
  const { name } = entry;
  const role = entry.role ?? ROLE_NAMES.find((candidate) => candidate === name);
  if (role === undefined) {
    const roles = rolesOf(dimension);
    return fail(
      path,
      `Expected a role for the attribute "${name}", one of ${listNames(roles)}${didYouMean(name, roles)}`,
    );
  }
  const needed = dimensionOfRole(role) ?? dimension;
  if (needed !== dimension) {
    fail(
      path,
      `Expected "dimension: ${needed}" for the role "${role}" but received a grammar of dimension ${dimension}`,
    );
  }
  const written = entry.range ?? rangeOfRole(role, dimension, canvas);
  // Scene files hold ranges as float32.
  const range = [Math.fround(written[0]), Math.fround(written[1])] as const;
  if (role === 'scale' && range[0] < Math.fround(MIN_SCALE)) {
    fail(
      entry.range ? [...path, 'range'] : path,
      `Expected a minimum of at least ${MIN_SCALE} for the range of the role "scale" but received ${written[0]}`,
    );
  }
  if (role === 'fieldOfView' && range[1] > WIDEST_FIELD_OF_VIEW) {
    fail(
      entry.range ? [...path, 'range'] : path,
      `Expected a maximum of at most ${WIDEST_FIELD_OF_VIEW}° for the range of the role "fieldOfView" but received ${written[1]}`,
    );
  }
  const periodic = entry.periodic ?? (role === 'rotation' && range[1] - range[0] === 360);
  if (periodic && role === 'rotation' && range[1] - range[0] !== 360) {
    fail([...path, 'range'], `Expected a range of 360° for a periodic rotation but received ${range[1] - range[0]}°`);
  }
  if (periodic && role !== 'rotation' && role !== 'none') {
    fail([...path, 'periodic'], `Expected false for the role "${role}" but received true`);
  }
  const attribute = { name, role, unit: entry.unit ?? unitOfRole(role, dimension), range, periodic };
  const neutral = Math.min(range[1], Math.max(range[0], neutralValue(role)));
  if (entry.default === undefined) return { ...attribute, default: { kind: 'constant', value: neutral } };
  const chosen = longForm(entry.default);
  checkRange(chosen, attribute, [...path, 'default'], fail);
  return { ...attribute, default: chosen };
}

function resolveCamera(
  entry: CameraDefinition,
  canvas: { readonly width: number; readonly height: number },
  fail: Fail,
): Camera {
  const { focal, fieldOfView, near = 0.1, far = 1000 } = entry;
  if (near >= far) fail(['camera'], `Expected near below far but received ${near} and ${far}`);
  // The schema saw to it that there is one of the two.
  const half = (fieldOfView ?? 90) / 2;
  const [fx, fy] = focal === undefined ? [(canvas.width / 2 / sinDegrees(half)) * cosDegrees(half)] : [focal].flat();
  return {
    fx,
    fy: fy ?? fx,
    cx: entry.cx ?? canvas.width / 2,
    cy: entry.cy ?? canvas.height / 2,
    x: entry.x ?? 0,
    y: entry.y ?? 0,
    z: entry.z ?? 0,
    heading: entry.heading ?? 0,
    pitch: entry.pitch ?? 0,
    roll: entry.roll ?? 0,
    near,
    far,
  };
}

function resolveClass(entry: Named<ClassDefinition>, dimension: 2 | 3, names: Names, path: Path): ResolvedClass {
  const { name, kind = 'object' } = entry;
  if (dimension === 2 && kind !== 'object') {
    names.fail(
      [...path, 'kind'],
      `Expected "dimension: 3" for the kind "${kind}" but received a grammar of dimension 2`,
    );
  }
  return {
    name,
    ...(kind === 'object' ? {} : { kind }),
    asset: assetGroups(entry.asset),
    attributes: resolveValues(entry.attributes, names, [...path, 'attributes']),
    mutable: resolveMutable(entry.mutable ?? [], names, [...path, 'mutable']),
  };
}

/** In order: that of their random streams, and of who may depend on whom. */
function resolveParameters(
  entries: Readonly<Record<string, ParameterDefinition>> | undefined,
  path: Path,
  fail: Fail,
): ResolvedParameter[] {
  const list = Object.entries(entries ?? {});
  if (list.length > MAX_PARAMETERS) fail(path, `Expected at most ${MAX_PARAMETERS} parameters`);
  return list.map(([name, definition]) => {
    const names = namedValues(definition);
    const distribution = longForm(names ? numbered(definition) : (definition as DistributionDefinition));
    checkBounds(distribution, [...path, name], fail);
    return { name, distribution, ...(names ? { names } : {}) };
  });
}

/** Values of a categorical that are names, not expressions. */
function namedValues(definition: ParameterDefinition): string[] | undefined {
  const values = typeof definition === 'object' ? definition.categorical?.values : undefined;
  return values?.every((value) => typeof value === 'string' && !value.startsWith('='))
    ? (values as string[])
    : undefined;
}

/** With 0, 1, … in the place of names. */
function numbered(definition: ParameterDefinition): DistributionDefinition {
  const { values = [], weights } = (typeof definition === 'object' && definition.categorical) || {};
  return { categorical: { values: values.map((_, i) => i), weights } };
}

/** @param parents what the nodes can stand below */
function resolveProduction(
  entry: ProductionDefinition,
  names: Names,
  parents: ParentKinds,
  path: Path,
): ResolvedProduction {
  const count = longCount(entry.count ?? 1);
  checkBounds(count, [...path, 'count'], names.fail);
  const parameters = resolveParameters(entry.parameters, [...path, 'parameters'], names.fail);
  const number = {
    count,
    ...(entry.spacing ? { spacing: resolveSpacing(entry.spacing, names, [...path, 'spacing']) } : {}),
    ...(parameters.length > 0 ? { parameters } : {}),
  };
  if (entry.choice) {
    const alternatives = entry.choice.map((alternative, i) => ({
      weight: quantity(alternative.weight ?? 1),
      production: resolveProduction(alternative, names, parents, [...path, 'choice', i]),
    }));
    if (entry.spacing) checkAlternatives(alternatives, [...path, 'choice'], names.fail);
    if (alternatives.every(({ weight }) => weight === 0)) {
      names.fail([...path, 'choice'], 'Expected at least one weight above 0');
    }
    return { kind: 'choice', ...number, alternatives };
  }
  const classes = names.classSet(entry.class, [...path, 'class']);
  const kinds = classes.map((name) => names.kinds.get(name) ?? 'object');
  const lost = classes.find((_, i) => kinds[i] === 'strip');
  if (lost !== undefined && !parents.every((kind) => kind === 'curve' || kind === 'strip')) {
    names.fail([...path, 'class'], `Expected the strip "${lost}" below a curve or a strip only`);
  }
  const node: ResolvedNode = {
    kind: 'node',
    ...number,
    classes,
    ...(entry.align === undefined ? {} : { align: resolveAlignments(entry, names, [...path, 'align']) }),
    attributes: resolveValues(entry.attributes, names, [...path, 'attributes']),
    children: (entry.children ?? []).map((child, i) =>
      resolveProduction(child, names, kinds, [...path, 'children', i]),
    ),
    ...(entry.asset === undefined ? {} : { asset: assetGroups(entry.asset) }),
    ...(entry.mutable === undefined ? {} : { mutable: resolveMutable(entry.mutable, names, [...path, 'mutable']) }),
  };
  return node;
}

function resolveSpacing(entry: SpacingDefinition, names: Names, path: Path): ResolvedSpacing {
  const attribute = names.place(entry.along, [...path, 'along']);
  const place = (key: 'from' | 'to') => {
    const chosen = longForm(entry[key]);
    checkRange(chosen, attribute, [...path, key], names.fail);
    return chosen;
  };
  const gap = longForm(entry.gap);
  checkBounds(gap, [...path, 'gap'], names.fail);
  const most = entry.most === undefined ? undefined : longCount(entry.most);
  if (most) checkBounds(most, [...path, 'most'], names.fail);
  return { along: entry.along, from: place('from'), to: place('to'), gap, ...(most ? { most } : {}) };
}

function resolveAlignments(entry: ProductionDefinition, names: Names, path: Path): Record<string, ResolvedAlignment> {
  const resolved: Record<string, ResolvedAlignment> = {};
  for (const [name, { at, side }] of Object.entries(entry.align ?? {})) {
    const attribute = names.place(name, [...path, name]);
    if (name === entry.spacing?.along || Object.hasOwn(entry.attributes ?? {}, name)) {
      names.fail([...path, name], `Expected one way to place "${name}" but received another beside align`);
    }
    const place = longForm(at);
    checkRange(place, attribute, [...path, name, 'at'], names.fail);
    resolved[name] = { at: place, side: quantity(side) };
  }
  return resolved;
}

/** Each place holds one node, so what can stand there brings no number of its own. */
function checkAlternatives(alternatives: ResolvedChoice['alternatives'], path: Path, fail: Fail): void {
  for (const [i, { production }] of alternatives.entries()) {
    const { count, spacing } = production;
    if (spacing || count.kind !== 'constant' || count.value !== 1) {
      fail([...path, i], `Expected no ${spacing ? 'spacing' : 'count'} within a choice that has a spacing`);
    }
    if (production.kind === 'choice') checkAlternatives(production.alternatives, [...path, i, 'choice'], fail);
  }
}

function resolveValues(
  values: Readonly<Record<string, DistributionDefinition>> | undefined,
  names: Names,
  path: Path,
): Record<string, ResolvedDistribution> {
  const resolved: Record<string, ResolvedDistribution> = {};
  for (const [name, definition] of Object.entries(values ?? {})) {
    const attribute = names.attribute(name, [...path, name]);
    const chosen = longForm(definition);
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

/** The smallest number of nodes that a production can make. */
function leastNodes(production: ResolvedProduction): number {
  const times = production.spacing ? 0 : leastCount(production.count);
  if (times === 0) return 0;
  if (production.kind === 'choice') {
    const possible = production.alternatives.filter(({ weight }) => weight !== 0);
    return times * Math.min(...possible.map((alternative) => leastNodes(alternative.production)));
  }
  return times * production.children.reduce((sum, child) => sum + leastNodes(child), 1);
}
