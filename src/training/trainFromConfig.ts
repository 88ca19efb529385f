import { dirname, resolve } from 'node:path';
import { openAssetSources } from '../assets/assetSources.js';
import type { AssetSource, TrainConfig } from '../config.js';
import { readImageFolder } from '../dataset/imageFolder.js';
import { ConfigError } from '../errors.js';
import { type Grammar, loadGrammar } from '../grammar/grammar.js';
import { hasMutable } from '../grammar/mutability.js';
import { Engine } from '../render/engine.js';
import { openTask } from './openTask.js';
import { writeRunRecord } from './run.js';
import {
  checkpointFolder,
  expectSameRun,
  type ImageSet,
  type TrainedModel,
  type TrainObserver,
  trainTransformer,
} from './train.js';

/** What a configuration stands for, opened. */
export interface TrainSetting {
  readonly engine: Engine;
  readonly grammar: Grammar;
  /** X_R */
  readonly realImages: ImageSet;
}

export interface TrainFromConfigOptions {
  /** Path of the configuration: its own paths are relative to it. */
  readonly path: string;
  readonly config: TrainConfig;
  /** Run folder. */
  readonly out: string;
  readonly observer?: TrainObserver & { onStart?(setting: TrainSetting): void | Promise<void> };
  readonly signal?: AbortSignal;
}

/**
 * Trains as a configuration says: the user's own grammar, textures and target images. Writes `run.json` and
 * checkpoints into `out`; called again on the same folder it goes on where it stopped.
 * @returns the trained model, without its transformer: `loadRun(out)` opens it again
 * @throws ConfigError, GrammarError, AssetError, DatasetError for bad input; the signal's reason when aborted
 */
export async function trainFromConfig(options: TrainFromConfigOptions): Promise<Omit<TrainedModel, 'transformer'>> {
  const { path, config, out, observer, signal } = options;
  const base = dirname(resolve(path));
  const sources = config.assets.map((source) => absoluteSource(base, source));
  const assets = await openAssetSources(sources);
  const grammar = await loadGrammar(resolve(base, config.grammar), {
    assets,
    overrides: { variables: config.variables },
  });
  if (!hasMutable(grammar.definition)) {
    throw new ConfigError(
      `Expected an attribute listed under mutable in ${resolve(base, config.grammar)} but received none: there is nothing to learn`,
    );
  }
  const { width, height, channels } = grammar.canvas;
  const shape = { width, height, channels };
  const resolved = absolutePaths(base, config);
  const { images } = resolved.target;
  const realImages = await readImageFolder(images.folder, shape, {
    limit: images.limit ?? config.mmd.realImages,
    fit: images.fit,
    seed: config.seed,
  });
  const used = Math.min(config.mmd.realImages, realImages.count);
  if (used < 2) {
    throw new ConfigError(
      `Expected at least 2 images of ${images.folder} for target.images (and mmd.realImages) but received ${used}: MMD compares images with each other`,
    );
  }
  const task = await openTask({ config: resolved, grammar, assets, out: resolve(out) });
  const engine = await Engine.create({ assets, workers: config.workers }).catch((error) => {
    task?.dispose();
    throw error;
  });
  const identity = { grammar: grammar.hash, config: JSON.parse(JSON.stringify(config)) };
  try {
    await expectSameRun(checkpointFolder(out), identity);
    await writeRunRecord(out, {
      kind: 'train',
      name: config.name,
      grammar: { ...grammar.toDefinition() },
      assets: sources,
      hidden: config.transformer.hidden,
      noise: config.transformer.noise,
      seed: config.seed,
      config: resolved,
    });
    await observer?.onStart?.({ engine, grammar, realImages });
    const { transformer, ...model } = await trainTransformer({
      config: resolved,
      source: grammar,
      engine,
      realImages,
      task,
      checkpoints: checkpointFolder(out),
      identity,
      observer,
      signal,
    });
    transformer.dispose();
    return model;
  } finally {
    task?.dispose();
    await engine.close();
  }
}

function absoluteSource(base: string, source: AssetSource): AssetSource {
  return 'folder' in source ? { ...source, folder: resolve(base, source.folder) } : source;
}

/** The configuration with folders that mean the same from anywhere: what `run.json` keeps. */
function absolutePaths(base: string, config: TrainConfig): TrainConfig {
  const { images, validation } = config.target;
  const target = {
    images: { ...images, folder: resolve(base, images.folder) },
    ...(validation ? { validation: { ...validation, folder: resolve(base, validation.folder) } } : {}),
  };
  const { weights } = config.features;
  const named = weights === 'auto' || weights === 'random';
  const features = { ...config.features, weights: named ? weights : resolve(base, weights) };
  const { task } = config;
  if (task.kind !== 'command') return { ...config, target, features };
  return { ...config, target, features, task: { ...task, cwd: resolve(base, task.cwd ?? '.') } };
}
