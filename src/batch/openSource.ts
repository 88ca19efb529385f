import { readFileSync, statSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { AssetLibrary } from '../assets/assetLibrary.js';
import { openAssetSources } from '../assets/assetSources.js';
import { type AssetSource, assetSourceSchema } from '../config.js';
import { ConfigError } from '../errors.js';
import type { SceneSource } from '../scene/sceneSource.js';

/** Where scenes come from, as plain data that another thread or machine can open. */
export interface SourceSpec {
  /** A grammar file (YAML or TypeScript), the folder of a training run, or the name of a grammar of ours (`driving`). */
  readonly path: string;
  /** Textures and meshes of a grammar, besides the built-in ones that it names; the built-in backgrounds are always there. */
  readonly assets?: readonly AssetSource[];
  /** Values of a grammar's variables. */
  readonly variables?: Readonly<Record<string, string>>;
}

/** Scenes and the textures they need. */
export interface OpenedSource {
  readonly source: SceneSource;
  readonly assets: AssetLibrary;
  /** What was opened, for the manifest. */
  readonly config: object;
  /** SHA-256 of what decides the scenes: the resolved grammar, and a run's weights. */
  readonly hash: string;
  /** Frees what a run holds. */
  dispose(): void;
}

/** Grammars that come with the package, at hand by name wherever nothing of the same name lies. */
const OUR_GRAMMARS = ['driving', 'aerial', 'mnist', 'meshes'];
/** Sources that need no data, by what the names of their assets begin with; the first where there is nothing else. */
const BUILT_IN = ['digits', 'aerial', 'driving'] as const;

/**
 * Textures and meshes of a list of sources, and of the built-in sources that are named and not among them: a model of
 * one's own stands on built-in grass. Where there is neither a list nor a name, the built-in digits.
 * @param naming texts in which names of assets may stand: a grammar, values of its variables, an asset table
 * @returns the library, and the sources that it comes from
 */
export async function openAssets(
  assets: readonly AssetSource[] | undefined,
  naming: readonly string[] = [],
): Promise<{ library: AssetLibrary; sources: readonly AssetSource[] }> {
  const named = BUILT_IN.filter((kind) => isNamed(kind, naming) && !assets?.some((source) => makes(source, kind)));
  const builtIn = assets === undefined && named.length === 0 ? BUILT_IN.slice(0, 1) : named;
  const sources = [...(assets ?? []), ...builtIn.map((kind) => assetSourceSchema.parse({ kind }))];
  return { library: await openAssetSources(sources), sources };
}

/** Not in the middle of another name: `meshes/driving/…` is of somebody's own. */
function isNamed(kind: string, naming: readonly string[]): boolean {
  const pattern = new RegExp(`(?<![\\w/.-])${kind}/`);
  return naming.some((text) => pattern.test(text));
}

/** Whether names of a source begin as those of a built-in one, which then is not meant. */
function makes(source: AssetSource, kind: string): boolean {
  return source.kind === kind || ('prefix' in source && `${source.prefix}/`.startsWith(`${kind}/`));
}

/**
 * Opens a grammar file, or the folder of a training run (which brings its own grammar, variables and textures).
 * @throws ConfigError when there is neither at `path`, or textures or variables are given for a run
 */
export async function openSource({ path, assets, variables }: SourceSpec): Promise<OpenedSource> {
  const found = statSync(path, { throwIfNoEntry: false });
  if (found?.isDirectory()) {
    if (assets || variables) {
      throw new ConfigError(`Expected no textures and no variables with the run folder ${path}: it brings its own`);
    }
    return openRun(path);
  }
  const file = found ? path : ourGrammarFile(path);
  const { loadGrammar } = await import('../grammar/grammar.js');
  const { library, sources } = await openAssets(assets, [...textOf(file), ...Object.values(variables ?? {})]);
  const source = await loadGrammar(file, { assets: library, overrides: { variables: variables ?? {} } });
  const config = { grammar: source.definition, assets: sources };
  return { source, assets: library, config, hash: source.hash, dispose() {} };
}

/** Whether a source is a grammar of ours by name: nothing lies at `path`. */
export function isOurGrammar(path: string): boolean {
  return OUR_GRAMMARS.includes(path) && statSync(path, { throwIfNoEntry: false }) === undefined;
}

/** The file of a grammar of ours, within this package. @throws ConfigError when `name` is none */
export function ourGrammarFile(name: string): string {
  if (OUR_GRAMMARS.includes(name)) {
    return fileURLToPath(new URL(`../../examples/grammars/${name}.yaml`, import.meta.url));
  }
  throw new ConfigError(
    `Expected a grammar file, a run folder, or one of ${OUR_GRAMMARS.join(', ')} but received ${name}, which does not exist`,
  );
}

/** What a grammar file says, to look for names in it; nothing where it cannot be read, which whoever loads it says. */
function textOf(file: string): string[] {
  try {
    return [readFileSync(file, 'utf8')];
  } catch {
    return [];
  }
}

async function openRun(path: string): Promise<OpenedSource> {
  const [{ initBackend }, { loadRun }] = await Promise.all([
    import('../learn/backend.js'),
    import('../training/run.js'),
  ]);
  await initBackend();
  const run = await loadRun(path);
  const config = { run: run.record, epoch: run.epoch };
  return { source: run.source, assets: run.assets, config, hash: run.hash, dispose: () => run.dispose() };
}
