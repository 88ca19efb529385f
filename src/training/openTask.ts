import type { AssetLibrary } from '../assets/assetLibrary.js';
import type { TrainConfig, ValidationConfig } from '../config.js';
import { ConfigError } from '../errors.js';
import type { Grammar } from '../grammar/grammar.js';
import { Classifier } from '../learn/classifier.js';
import { UNet } from '../learn/unet.js';
import { CommandTask } from './commandTask.js';
import { sceneLabeller } from './labelledScenes.js';
import type { MetaTask } from './metaTask.js';
import { classificationTask, segmentationTask } from './networkTask.js';
import { sceneSegmenter, segmentationClasses } from './segmentedScenes.js';
import { readLabelledValidation, readSegmentedValidation, validationClasses } from './validationSet.js';

export interface OpenTaskOptions {
  /** With absolute folders, that of a command included. */
  readonly config: TrainConfig;
  readonly grammar: Grammar;
  readonly assets: AssetLibrary;
  /** Run folder, absolute. */
  readonly out: string;
}

/**
 * The task that a configuration names; undefined for a built-in one without V: distribution matching alone.
 * @returns the caller disposes it
 * @throws ConfigError, DatasetError
 */
export async function openTask(options: OpenTaskOptions): Promise<MetaTask | undefined> {
  const { config, grammar, assets, out } = options;
  const { validation } = config.target;
  const { seed, task } = config;
  if (task.kind === 'command') {
    const { cwd = out } = task;
    return new CommandTask({
      config: task,
      cwd,
      out,
      validation: validation?.folder,
      seed,
      assets,
      name: grammar.name,
    });
  }
  if (!validation) return undefined;
  if (task.kind === 'classification') return openClassification(config, task, validation, grammar);
  return openSegmentation(config, task, validation, grammar);
}

async function openClassification(
  { seed, labels: named }: TrainConfig,
  task: Extract<TrainConfig['task'], { kind: 'classification' }>,
  validation: ValidationConfig,
  grammar: Grammar,
): Promise<MetaTask> {
  const { width, height, channels } = grammar.canvas;
  const labels = await taskLabels(named, validation, grammar);
  if (labels.length < 2) {
    throw new ConfigError(`Expected at least 2 classes for labels but received ${labels.join(', ') || 'none'}`);
  }
  const images = await readLabelledValidation(validation, labels, grammar.canvas, seed);
  const { convolutions, hidden, batchSize, optimizer, learningRate, momentum, dropout } = task;
  const network = new Classifier({
    ...{ width, height, channels, classes: labels.length },
    ...{ convolutions, hidden, batchSize, optimizer, learningRate, momentum, dropout, seed },
  });
  return classificationTask({
    ...{ network, validation: images, config: task, seed },
    label: sceneLabeller(grammar.schema, labels),
  });
}

async function openSegmentation(
  { seed, labels: named }: TrainConfig,
  task: Extract<TrainConfig['task'], { kind: 'segmentation' }>,
  validation: ValidationConfig,
  grammar: Grammar,
): Promise<MetaTask> {
  const { width, height, channels } = grammar.canvas;
  const labels = await taskLabels(named, validation, grammar);
  const images = await readSegmentedValidation(validation, labels, labels.length, grammar.canvas, seed);
  const { filters, balance, batchSize, optimizer, learningRate, momentum } = task;
  const classNames = segmentationClasses(labels);
  const network = new UNet({
    ...{ width, height, channels, classes: classNames.length, classNames, background: labels.length },
    ...{ filters, balance, batchSize, optimizer, learningRate, momentum, seed },
  });
  return segmentationTask({
    ...{ network, validation: images, config: task, seed },
    classes: sceneSegmenter(grammar.schema, labels),
  });
}

/** Classes of the task in the order of their numbers. @throws ConfigError when one is no class of the grammar or there twice */
export async function taskLabels(
  named: readonly string[] | undefined,
  validation: ValidationConfig,
  grammar: Grammar,
): Promise<readonly string[]> {
  const labels = named ?? (await validationClasses(validation));
  const twice = labels.filter((name, i) => labels.indexOf(name) < i);
  if (twice.length > 0) {
    throw new ConfigError(`Expected each class once for labels but received ${twice.join(', ')} more than once`);
  }
  const unknown = labels.filter((name) => !grammar.schema.classes.includes(name));
  if (unknown.length === 0) return labels;
  throw new ConfigError(
    `Expected classes of the grammar (${grammar.schema.classes.join(', ')}) for labels but received ${unknown.join(', ')}`,
  );
}
