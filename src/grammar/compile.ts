import type { AssetLibrary } from '../assets/assetLibrary.js';
import { AssetError } from '../errors.js';
import { AttributeRole, NodeKind, type SceneSchema } from '../scene/attributeSchema.js';
import { type Evaluate, FUNCTION_NAMES } from './expression.js';
import type {
  ResolvedAssetGroup,
  ResolvedAttribute,
  ResolvedClass,
  ResolvedDistribution,
  ResolvedGrammar,
  ResolvedParameter,
  ResolvedProduction,
  ResolvedSpacing,
} from './resolved.js';
import type { RoleName } from './roles.js';
import { type KindName, MAX_NODES } from './schema.js';
import {
  type CompiledCount,
  type CompiledDistribution,
  compileCount,
  compileDistribution,
  compileQuantity,
  INDEX,
  type Quantity,
  Scope,
} from './scope.js';
import { grammarError, type Locate, type Path } from './source.js';
import { didYouMean, listNames } from './suggest.js';

/** A grammar as sampling walks it. */
export interface CompiledProductions {
  readonly roots: readonly CompiledProduction[];
  /** Of the scene, in the order they are drawn in. */
  readonly parameters: readonly CompiledParameter[];
  /** Values that a scene needs room for: `index` and parameters. */
  readonly slots: number;
}

/** What all productions have. */
interface CompiledNumber {
  readonly count: CompiledCount;
  /** Slot of `index`, −1 where the production's count is 1 and so does not count. */
  readonly index: number;
  readonly parameters: readonly CompiledParameter[];
  readonly spacing?: CompiledSpacing;
}

/** Names replaced by indices, one complete row of distributions per class. */
export interface CompiledNode extends CompiledNumber {
  readonly kind: 'node';
  /** What a node can be; drawn evenly. */
  readonly variants: readonly CompiledVariant[];
  readonly align: readonly CompiledAlignment[];
  readonly children: readonly CompiledProduction[];
}

export interface CompiledChoice extends CompiledNumber {
  readonly kind: 'choice';
  readonly weights: CompiledWeights;
  readonly alternatives: readonly CompiledProduction[];
}

export type CompiledProduction = CompiledNode | CompiledChoice;

/** Known, or computed with the values of the scene so far. */
export type CompiledWeights = readonly number[] | ((values: ArrayLike<number>) => readonly number[]);

export interface CompiledParameter {
  readonly slot: number;
  readonly distribution: CompiledDistribution;
}

export interface CompiledSpacing {
  /** Attribute that gets the places. */
  readonly column: number;
  /** Axis of the frame: x 0, y 1, z 2. */
  readonly axis: 0 | 1 | 2;
  readonly from: CompiledDistribution;
  readonly to: CompiledDistribution;
  readonly gap: CompiledDistribution;
  readonly most?: CompiledCount;
}

/** The attribute is drawn as where an end of the node is; `side` says which. */
export interface CompiledAlignment {
  readonly column: number;
  readonly axis: 0 | 1 | 2;
  readonly side: Evaluate;
}

export interface CompiledVariant {
  readonly classId: number;
  /** [A] */
  readonly values: readonly CompiledDistribution[];
  /** [A] 0 or 1. */
  readonly mutable: readonly number[];
  readonly assets: CompiledAssets;
}

/** Groups of library indices, drawn by weight; −1 within a group stands for no asset. */
export interface CompiledAssets {
  readonly weights: CompiledWeights;
  readonly groups: readonly (readonly number[])[];
}

/** Weights as numbers. */
export function weightsAt(weights: CompiledWeights, values: ArrayLike<number>): readonly number[] {
  return typeof weights === 'function' ? weights(values) : weights;
}

const ROLES: Record<RoleName, AttributeRole> = {
  none: AttributeRole.None,
  x: AttributeRole.X,
  y: AttributeRole.Y,
  rotation: AttributeRole.Rotation,
  scale: AttributeRole.Scale,
  scaleX: AttributeRole.ScaleX,
  scaleY: AttributeRole.ScaleY,
  brightness: AttributeRole.Brightness,
  opacity: AttributeRole.Opacity,
  red: AttributeRole.Red,
  green: AttributeRole.Green,
  blue: AttributeRole.Blue,
  z: AttributeRole.Z,
  pitch: AttributeRole.Pitch,
  roll: AttributeRole.Roll,
  scaleZ: AttributeRole.ScaleZ,
  fieldOfView: AttributeRole.FieldOfView,
  curvature: AttributeRole.Curvature,
  curvatureRate: AttributeRole.CurvatureRate,
  ambient: AttributeRole.Ambient,
  haze: AttributeRole.Haze,
};

const KINDS: Record<KindName, NodeKind> = {
  object: NodeKind.Object,
  camera: NodeKind.Camera,
  light: NodeKind.Light,
  curve: NodeKind.Curve,
  strip: NodeKind.Strip,
};

/** What scenes of the grammar share; classes and attributes in the order of the file. */
export function sceneSchema(grammar: ResolvedGrammar): SceneSchema {
  return {
    dimension: grammar.dimension ?? 2,
    channels: grammar.canvas.channels,
    attributes: grammar.attributes.map(({ name, role, unit, range, periodic }) => ({
      name,
      role: ROLES[role],
      unit,
      minimum: range[0],
      maximum: range[1],
      periodic,
    })),
    classes: grammar.classes.map(({ name }) => name),
    ...(grammar.dimension === 3 ? { kinds: grammar.classes.map(({ kind }) => KINDS[kind ?? 'object']) } : {}),
  };
}

/**
 * Looks every class, attribute, asset pattern and name in an expression up.
 * @throws GrammarError when a pattern matches no asset of the library, or an expression is none
 */
export function compileProductions(
  grammar: ResolvedGrammar,
  library: AssetLibrary,
  locate: Locate,
): CompiledProductions {
  return new Compiler(grammar, library, locate).compile();
}

class Compiler {
  readonly #matches = new Map<string, readonly number[]>();
  readonly #used = new Set<number>();
  #slots = 0;

  constructor(
    readonly grammar: ResolvedGrammar,
    readonly library: AssetLibrary,
    readonly locate: Locate,
  ) {}

  compile(): CompiledProductions {
    const { scope, parameters } = this.#parameters(this.grammar.parameters, Scope.root, ['parameters']);
    const roots = this.grammar.nodes.map((production, i) => this.#production(production, scope, ['nodes', i]));
    // What no production uses is looked at all the same.
    for (const classId of this.grammar.classes.keys()) {
      if (!this.#used.has(classId)) this.#variant(classId, undefined, scope, []);
    }
    return { roots, parameters, slots: this.#slots };
  }

  #production(production: ResolvedProduction, outer: Scope, path: Path): CompiledProduction {
    const { count, spacing } = production;
    const counts = spacing !== undefined || count.kind !== 'constant' || count.value !== 1;
    const index = counts ? outer.size : -1;
    const { scope, parameters } = this.#parameters(production.parameters, counts ? outer.with(INDEX) : outer, [
      ...path,
      'parameters',
    ]);
    this.#slots = Math.max(this.#slots, scope.size);
    const number: CompiledNumber = {
      count: compileCount(count, outer, MAX_NODES, this.#fail([...path, 'count'])),
      index,
      parameters,
      ...(spacing ? { spacing: this.#spacing(spacing, outer, scope, [...path, 'spacing']) } : {}),
    };
    if (production.kind === 'choice') {
      return {
        kind: 'choice',
        ...number,
        weights: this.#weights(production.alternatives, scope, [...path, 'choice']),
        alternatives: production.alternatives.map((entry, i) =>
          this.#production(entry.production, scope, [...path, 'choice', i]),
        ),
      };
    }
    return {
      kind: 'node',
      ...number,
      variants: production.classes.map((name) => {
        const classId = this.grammar.classes.findIndex((entry) => entry.name === name);
        return this.#variant(classId, production, scope, path);
      }),
      align: Object.entries(production.align ?? {}).map(([name, { side }]) => ({
        ...this.#place(name),
        side: compileQuantity(side, scope, this.#fail([...path, 'align', name, 'side'])),
      })),
      children: production.children.map((child, i) => this.#production(child, scope, [...path, 'children', i])),
    };
  }

  /** @param own what the production says of its nodes */
  #variant(
    classId: number,
    own: Extract<ResolvedProduction, { kind: 'node' }> | undefined,
    scope: Scope,
    path: Path,
  ): CompiledVariant {
    this.#used.add(classId);
    const base = this.grammar.classes[classId];
    const mutable = own?.mutable ?? base.mutable;
    const aligned = own?.align ?? {};
    return {
      classId,
      values: this.grammar.attributes.map((attribute, column) => {
        const name = attribute.name;
        if (Object.hasOwn(aligned, name)) {
          return compileDistribution(aligned[name].at, scope, this.#fail([...path, 'align', name, 'at']));
        }
        const isOwn = own !== undefined && Object.hasOwn(own.attributes, name);
        const place = isOwn ? [...path, 'attributes', name] : valuePath(attribute, column, base, classId);
        const value = isOwn ? own.attributes[name] : inheritedValue(attribute, base);
        return simplified(compileDistribution(value, scope, this.#fail(place)));
      }),
      mutable: this.grammar.attributes.map((attribute) => (mutable.includes(attribute.name) ? 1 : 0)),
      assets: own?.asset
        ? this.#assets(own.asset, scope, [...path, 'asset'])
        : this.#assets(base.asset, scope, ['classes', classId, 'asset']),
    };
  }

  /** Parameters in order, each in sight of those before it. */
  #parameters(
    list: readonly ResolvedParameter[] | undefined,
    outer: Scope,
    path: Path,
  ): { readonly scope: Scope; readonly parameters: readonly CompiledParameter[] } {
    let scope = outer;
    const parameters: CompiledParameter[] = [];
    for (const { name, distribution, names = [] } of list ?? []) {
      const fail = this.#fail([...path, name]);
      for (const word of [name, ...names]) {
        const taken = word === INDEX || FUNCTION_NAMES.includes(word) || scope.has(word);
        if (taken) fail(`Expected a name that is free but received "${word}"`);
      }
      parameters.push({ slot: scope.size, distribution: compileDistribution(distribution, scope, fail) });
      scope = scope.with(name).withConstants(names);
    }
    this.#slots = Math.max(this.#slots, scope.size);
    return { scope, parameters };
  }

  /** `from`, `to` and `most` hold for the row, `gap` for every node of it. */
  #spacing(spacing: ResolvedSpacing, outer: Scope, scope: Scope, path: Path): CompiledSpacing {
    const place = (key: 'from' | 'to' | 'gap', at: Scope) =>
      compileDistribution(spacing[key], at, this.#fail([...path, key]));
    return {
      ...this.#place(spacing.along),
      from: place('from', outer),
      to: place('to', outer),
      gap: place('gap', scope),
      ...(spacing.most ? { most: compileCount(spacing.most, outer, MAX_NODES, this.#fail([...path, 'most'])) } : {}),
    };
  }

  /** Column and axis of an attribute that is a coordinate. */
  #place(attribute: string): { readonly column: number; readonly axis: 0 | 1 | 2 } {
    const column = this.grammar.attributes.findIndex(({ name }) => name === attribute);
    const axes: Partial<Record<RoleName, 0 | 1 | 2>> = { x: 0, y: 1, z: 2 };
    return { column, axis: axes[this.grammar.attributes[column].role] ?? 0 };
  }

  #assets(groups: readonly ResolvedAssetGroup[], scope: Scope, path: Path): CompiledAssets {
    return {
      weights: this.#weights(groups, scope, path),
      groups: groups.map(({ globs }) => {
        // A name that two patterns match counts once.
        const indices = [...new Set(globs.flatMap((glob) => this.#lookUp(glob, path)))];
        return indices.sort((a, b) => a - b);
      }),
    };
  }

  #lookUp(glob: string, path: Path): readonly number[] {
    const known = this.#matches.get(glob);
    if (known) return known;
    const found = matchAssets(glob, this.library, this.locate, path);
    const kind = this.grammar.dimension === 3 ? 'mesh' : 'sprite';
    const other = found.map((i) => this.library.assets[i]).find((asset) => asset && asset.kind !== kind);
    if (other) this.#fail(path)(`Expected a ${kind} for "${glob}" but received the ${other.kind} "${other.name}"`);
    this.#matches.set(glob, found);
    return found;
  }

  #weights(list: readonly { readonly weight: Quantity }[], scope: Scope, path: Path): CompiledWeights {
    const written = list.map(({ weight }) => weight);
    if (written.every((weight) => typeof weight === 'number')) return written;
    const fail = this.#fail(path);
    const evaluators = written.map((weight) => compileQuantity(weight, scope, fail));
    return (values) => {
      const weights = evaluators.map((evaluate) => evaluate(values));
      const good = weights.every((weight) => weight >= 0 && weight < Infinity) && weights.some((weight) => weight > 0);
      return good ? weights : fail(`Expected weights of at least 0, one of them above 0, but received ${weights}`);
    };
  }

  /** Says what is wrong here, now or when a scene is drawn. */
  #fail(path: Path): (message: string) => never {
    return (message) => {
      throw grammarError(this.locate, path, message);
    };
  }
}

/** The class's distribution, else the attribute's. */
function inheritedValue(attribute: ResolvedAttribute, base: ResolvedClass): ResolvedDistribution {
  return Object.hasOwn(base.attributes, attribute.name) ? base.attributes[attribute.name] : attribute.default;
}

function valuePath(attribute: ResolvedAttribute, column: number, base: ResolvedClass, classId: number): Path {
  return Object.hasOwn(base.attributes, attribute.name)
    ? ['classes', classId, 'attributes', attribute.name]
    : ['attributes', column, 'default'];
}

/** Distributions without spread need no random numbers. */
function simplified(value: CompiledDistribution): CompiledDistribution {
  if (value.kind === 'normal' && value.sd === 0) return { kind: 'constant', value: value.mean };
  if (value.kind === 'uniform' && value.min === value.max) return { kind: 'constant', value: value.min };
  return value;
}

function matchAssets(glob: string, library: AssetLibrary, locate: Locate, path: Path): readonly number[] {
  if (glob === 'none') return [-1];
  let names: string[];
  try {
    names = library.match(glob);
  } catch (cause) {
    if (!(cause instanceof AssetError)) throw cause;
    throw grammarError(locate, path, cause.message);
  }
  if (names.length > 0) return names.map((name) => library.indexOf(name));
  // Folders, not files: a library may hold tens of thousands of names.
  const folders = [...new Set(library.names.map((name) => name.slice(0, name.lastIndexOf('/') + 1)))];
  const near = didYouMean(glob.slice(0, glob.lastIndexOf('/') + 1), folders);
  const held = folders.length > 0 ? `the library holds ${listNames(folders)}` : 'the library is empty';
  throw grammarError(locate, path, `Expected a pattern that matches an asset but received "${glob}"${near}; ${held}`);
}
