import { dirname, resolve } from 'node:path';
import { openAssetSources } from '../assets/assetSources.js';
import type { AssetSource, TrainConfig } from '../config.js';
import { classFolders, readImageFolder, readLabelledFolder } from '../dataset/imageFolder.js';
import { ConfigError } from '../errors.js';
import { type Grammar, loadGrammar } from '../grammar/grammar.js';
import { Classifier } from '../learn/classifier.js';
import { Engine } from '../render/engine.js';
import { sceneLabeller } from './labelledScenes.js';
import type { MetaTask } from './metaTask.js';
import { classificationTask } from './networkTask.js';
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
  const { width, height, channels } = grammar.canvas;
  const shape = { width, height, channels };
  const { images, validation } = config.target;
  const realImages = await readImageFolder(resolve(base, images.folder), shape, {
    limit: images.limit ?? config.mmd.realImages,
    seed: config.seed,
  });
  const task = validation
    ? await openTask(resolve(base, validation.folder), validation.limit, config, grammar)
    : undefined;
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
      config: absolutePaths(base, config),
    });
    await observer?.onStart?.({ engine, grammar, realImages });
    const { transformer, ...model } = await trainTransformer({
      config: absolutePaths(base, config),
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

/** V and the built-in classifier. */
async function openTask(
  folder: string,
  limit: number | undefined,
  config: TrainConfig,
  grammar: Grammar,
): Promise<MetaTask> {
  const { width, height, channels } = grammar.canvas;
  const labels = config.labels ?? (await classFolders(folder));
  const unknown = labels.filter((name) => !grammar.schema.classes.includes(name));
  if (unknown.length > 0) {
    throw new ConfigError(
      `Expected classes of the grammar (${grammar.schema.classes.join(', ')}) for labels but received ${unknown.join(', ')}`,
    );
  }
  const validation = await readLabelledFolder(
    folder,
    labels,
    { width, height, channels },
    { limit, seed: config.seed },
  );
  const { batchSize, optimizer, learningRate, momentum, dropout } = config.task;
  const network = new Classifier({
    width,
    height,
    channels,
    classes: labels.length,
    batchSize,
    optimizer,
    learningRate,
    momentum,
    dropout,
    seed: config.seed,
  });
  return classificationTask({
    ...{ network, validation, config: config.task, seed: config.seed },
    label: sceneLabeller(grammar.schema, labels),
  });
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
  return { ...config, target, features: { ...config.features, weights: named ? weights : resolve(base, weights) } };
}
