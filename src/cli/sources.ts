import { statSync } from 'node:fs';
import type { AssetLibrary } from '../assets/assetLibrary.js';
import { openAssetSources } from '../assets/assetSources.js';
import { type AssetSource, assetSourceSchema } from '../config.js';
import { ConfigError } from '../errors.js';
import type { SceneSource } from '../scene/sceneSource.js';

/** Flags that say where scenes come from. */
export interface SourceFlags {
  readonly assets?: readonly AssetSource[];
  readonly set?: Readonly<Record<string, string>>;
}

/** Scenes and the textures they need. */
export interface OpenedSource {
  readonly source: SceneSource;
  readonly assets: AssetLibrary;
  /** What was opened, for the manifest. */
  readonly config: object;
  /** Frees what a run holds. */
  dispose(): void;
}

/** Textures of `--assets`; without it the built-in digits. The built-in backgrounds are always there. */
export async function openAssets(
  flags: SourceFlags,
): Promise<{ library: AssetLibrary; sources: readonly AssetSource[] }> {
  const sources = flags.assets ?? [assetSourceSchema.parse({ kind: 'digits' })];
  return { library: await openAssetSources(sources), sources };
}

/**
 * Opens a grammar file, or the folder of a training run (which brings its own grammar, variables and textures).
 * @throws ConfigError when there is neither at `path`, or flags do not go with it
 */
export async function openSource(path: string, flags: SourceFlags): Promise<OpenedSource> {
  const info = statSync(path, { throwIfNoEntry: false });
  if (!info) throw new ConfigError(`Expected a grammar file or run folder but received ${path}, which does not exist`);
  if (info.isDirectory()) return openRun(path, flags);
  const { loadGrammar } = await import('../grammar/grammar.js');
  const { library, sources } = await openAssets(flags);
  const variables = flags.set ?? {};
  const source = await loadGrammar(path, { assets: library, overrides: { variables } });
  return { source, assets: library, config: { grammar: source.definition, assets: sources }, dispose() {} };
}

async function openRun(path: string, flags: SourceFlags): Promise<OpenedSource> {
  if (flags.assets || flags.set) {
    throw new ConfigError(`Expected no --assets and no --set with the run folder ${path}: it brings its own`);
  }
  const [{ initBackend }, { loadRun }] = await Promise.all([
    import('../learn/backend.js'),
    import('../training/run.js'),
  ]);
  await initBackend();
  const run = await loadRun(path);
  const config = { run: run.record, epoch: run.epoch };
  return { source: run.source, assets: run.assets, config, dispose: () => run.dispose() };
}
