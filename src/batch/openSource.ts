import { statSync } from 'node:fs';
import type { AssetLibrary } from '../assets/assetLibrary.js';
import { openAssetSources } from '../assets/assetSources.js';
import { type AssetSource, assetSourceSchema } from '../config.js';
import { ConfigError } from '../errors.js';
import type { SceneSource } from '../scene/sceneSource.js';

/** Where scenes come from, as plain data that another thread or machine can open. */
export interface SourceSpec {
  /** A grammar file (YAML or TypeScript), or the folder of a training run. */
  readonly path: string;
  /** Textures of a grammar; default: the built-in digits. The built-in backgrounds are always there. */
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

/** Textures of a list of sources; without one the built-in digits. */
export async function openAssets(
  assets: readonly AssetSource[] | undefined,
): Promise<{ library: AssetLibrary; sources: readonly AssetSource[] }> {
  const sources = assets ?? [assetSourceSchema.parse({ kind: 'digits' })];
  return { library: await openAssetSources(sources), sources };
}

/**
 * Opens a grammar file, or the folder of a training run (which brings its own grammar, variables and textures).
 * @throws ConfigError when there is neither at `path`, or textures or variables are given for a run
 */
export async function openSource({ path, assets, variables }: SourceSpec): Promise<OpenedSource> {
  const info = statSync(path, { throwIfNoEntry: false });
  if (!info) throw new ConfigError(`Expected a grammar file or run folder but received ${path}, which does not exist`);
  if (info.isDirectory()) {
    if (assets || variables) {
      throw new ConfigError(`Expected no textures and no variables with the run folder ${path}: it brings its own`);
    }
    return openRun(path);
  }
  const { loadGrammar } = await import('../grammar/grammar.js');
  const { library, sources } = await openAssets(assets);
  const source = await loadGrammar(path, { assets: library, overrides: { variables: variables ?? {} } });
  const config = { grammar: source.definition, assets: sources };
  return { source, assets: library, config, hash: source.hash, dispose() {} };
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
