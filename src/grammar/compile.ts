import type { AssetLibrary } from '../assets/assetLibrary.js';
import { AssetError } from '../errors.js';
import { AttributeRole, type SceneSchema } from '../scene/attributeSchema.js';
import type { CountDistribution, Distribution } from './distributions.js';
import type {
  ResolvedAssetGroup,
  ResolvedAttribute,
  ResolvedClass,
  ResolvedGrammar,
  ResolvedProduction,
} from './resolved.js';
import type { RoleName } from './schema.js';
import { grammarError, type Locate, type Path } from './source.js';
import { didYouMean, listNames } from './suggest.js';

/** A grammar as sampling walks it: names replaced by indices, one complete row of distributions per class. */
export interface CompiledNode {
  readonly kind: 'node';
  readonly count: CountDistribution;
  /** What a node can be; drawn evenly. */
  readonly variants: readonly CompiledVariant[];
  readonly children: readonly CompiledProduction[];
}

export interface CompiledChoice {
  readonly kind: 'choice';
  readonly count: CountDistribution;
  readonly weights: readonly number[];
  readonly alternatives: readonly CompiledProduction[];
}

export type CompiledProduction = CompiledNode | CompiledChoice;

export interface CompiledVariant {
  readonly classId: number;
  /** [A] */
  readonly values: readonly Distribution[];
  /** [A] 0 or 1. */
  readonly mutable: readonly number[];
  readonly assets: CompiledAssets;
}

/** Groups of library indices, drawn by weight; −1 within a group stands for no asset. */
export interface CompiledAssets {
  readonly weights: readonly number[];
  readonly groups: readonly (readonly number[])[];
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
};

/** What scenes of the grammar share; classes and attributes in the order of the file. */
export function sceneSchema(grammar: ResolvedGrammar): SceneSchema {
  return {
    dimension: 2,
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
  };
}

/**
 * Looks every class, attribute and asset pattern up.
 * @throws GrammarError when a pattern matches no asset of the library
 */
export function compileProductions(
  grammar: ResolvedGrammar,
  library: AssetLibrary,
  locate: Locate,
): CompiledProduction[] {
  const matches = new Map<string, readonly number[]>();
  const lookUp = (glob: string, path: Path): readonly number[] => {
    const known = matches.get(glob);
    if (known) return known;
    const found = matchAssets(glob, library, locate, path);
    matches.set(glob, found);
    return found;
  };
  const compileAssets = (groups: readonly ResolvedAssetGroup[], path: Path): CompiledAssets => ({
    weights: groups.map(({ weight }) => weight),
    groups: groups.map(({ globs }) => {
      // A name that two patterns match counts once.
      const indices = [...new Set(globs.flatMap((glob) => lookUp(glob, path)))];
      return indices.sort((a, b) => a - b);
    }),
  });
  const classAssets = grammar.classes.map(({ asset }, i) => compileAssets(asset, ['classes', i, 'asset']));
  const classIds = new Map(grammar.classes.map(({ name }, i) => [name, i]));
  const compile = (production: ResolvedProduction, path: Path): CompiledProduction => {
    if (production.kind === 'choice') {
      return {
        kind: 'choice',
        count: production.count,
        weights: production.alternatives.map(({ weight }) => weight),
        alternatives: production.alternatives.map((entry, i) => compile(entry.production, [...path, 'choice', i])),
      };
    }
    const own = production.asset && compileAssets(production.asset, [...path, 'asset']);
    return {
      kind: 'node',
      count: production.count,
      variants: production.classes.map((name) => {
        const classId = classIds.get(name) as number;
        const base = grammar.classes[classId];
        const mutable = production.mutable ?? base.mutable;
        return {
          classId,
          values: grammar.attributes.map((attribute) => effectiveValue(attribute, base, production.attributes)),
          mutable: grammar.attributes.map((attribute) => (mutable.includes(attribute.name) ? 1 : 0)),
          assets: own ?? classAssets[classId],
        };
      }),
      children: production.children.map((child, i) => compile(child, [...path, 'children', i])),
    };
  };
  return grammar.nodes.map((production, i) => compile(production, ['nodes', i]));
}

/** The production's distribution, else the class's, else the attribute's. */
function effectiveValue(
  attribute: ResolvedAttribute,
  base: ResolvedClass,
  own: Readonly<Record<string, Distribution>>,
): Distribution {
  const name = attribute.name;
  const inherited = Object.hasOwn(base.attributes, name) ? base.attributes[name] : attribute.default;
  return simplified(Object.hasOwn(own, name) ? own[name] : inherited);
}

/** Distributions without spread need no random numbers. */
function simplified(value: Distribution): Distribution {
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
