import { access } from 'node:fs/promises';
import { resolve } from 'node:path';
import {
  type CommandTaskConfig,
  type EvaluationConfig,
  evaluationSchema,
  parseConfig,
  type TrainConfig,
  trainConfigSchema,
  type ValidationConfig,
  validationSchema,
} from '../config.js';
import { ConfigError, DatasetError } from '../errors.js';
import type { Grammar } from '../grammar/grammar.js';
import { Engine } from '../render/engine.js';
import type { SceneSource } from '../scene/sceneSource.js';
import { evaluateCommand } from './evaluateCommand.js';
import { sceneLabeller } from './labelledScenes.js';
import { evaluateOffline, evaluateSegmentation } from './offlineEvaluation.js';
import { taskLabels } from './openTask.js';
import { type LoadedRun, loadRun } from './run.js';
import { readLabelledValidation, readSegmentedValidation } from './validationSet.js';

export interface EvaluateRunOptions {
  /**
   * Labelled real images, a sub-folder per class, or `images/` and `masks/` for a segmentation; default: V of the run's
   * configuration.
   */
  readonly test?: string;
  /** Generated training images. */
  readonly images: number;
  /** Passes over them. */
  readonly epochs: number;
  readonly threads?: number;
  readonly signal?: AbortSignal;
  readonly onProgress?: (fraction: number, detail: string) => void;
}

export interface RunScore {
  /**
   * In [0, 1]: share of the real images classified rightly, or mean intersection over union of a segmentation's classes;
   * of an external task, what it printed.
   */
  readonly score: number;
  /** Numbers beside it: `iou/⟨class⟩` of a segmentation. */
  readonly details?: Readonly<Record<string, number>>;
  readonly seconds: number;
}

/**
 * Trains the task network twice from nothing, on a static dataset of a run's grammar and on one of the run, and scores
 * both on real images (the comparison of the paper's tables).
 * @throws ConfigError when the run has no V and no `test` is given, or a number is out of range; TrainingError when
 *   `run` is no trained run; DatasetError for bad test images; the signal's reason when aborted
 */
export async function evaluateRun(
  run: string,
  options: EvaluateRunOptions,
): Promise<{ grammar: RunScore; metasim: RunScore }> {
  const settings = parseConfig(evaluationSchema, { images: options.images, epochs: options.epochs }, 'evaluateRun');
  const loaded = await loadRun(run);
  const { grammar, assets, record } = loaded;
  let engine: Engine | undefined;
  try {
    const config = parseConfig(trainConfigSchema, record.config, `${run}/run.json: config`);
    // A command runs in a folder of its own, where a relative path would mean another one.
    const given = options.test === undefined ? undefined : resolve(options.test);
    const validation = given === undefined ? config.target.validation : testSet(config, given);
    if (config.task.kind === 'command') {
      if (given !== undefined) await expectReadable(given);
      engine = await Engine.create({ assets, workers: options.threads ?? config.workers });
      return await scoreByCommand(run, engine, loaded, { ...config, task: config.task }, validation?.folder, options);
    }
    if (!validation) {
      throw new ConfigError(
        `Expected labelled test images, or target.validation in ${run}/run.json, but received neither`,
      );
    }
    const labels = await taskLabels(config.labels, validation, grammar);
    engine = await Engine.create({ assets, workers: options.threads ?? config.workers });
    const score = await builtInScore(engine, grammar, { config, settings, validation, labels }, options);
    return { grammar: await score(grammar, 'grammar', 0), metasim: await score(loaded.source, 'Meta-Sim', 0.5) };
  } finally {
    loaded.dispose();
    await engine?.close();
  }
}

/** Whatever a command reads: a file or a folder. @throws DatasetError when it is not there */
async function expectReadable(test: string): Promise<void> {
  try {
    await access(test);
  } catch (cause) {
    throw new DatasetError(`Expected readable test images at ${test} but received: ${(cause as Error).message}`, {
      cause,
    });
  }
}

/** Labelled images in another folder than V's: masks are read as those of V. */
function testSet({ task, target }: TrainConfig, folder: string): ValidationConfig {
  if (task.kind !== 'segmentation') return validationSchema.parse({ kind: 'folders', folder });
  const { validation } = target;
  return validation ? { ...validation, folder } : validationSchema.parse({ kind: 'masks', folder });
}

/** How a source is scored by the run's built-in task network, with its layers. */
async function builtInScore(
  engine: Engine,
  { schema, canvas }: Grammar,
  { config, settings, validation, labels }: BuiltInTask,
  { signal, onProgress }: EvaluateRunOptions,
): Promise<(source: SceneSource, name: string, from: number) => Promise<RunScore>> {
  const { seed, task } = config;
  const common = (source: SceneSource, name: string, from: number) => ({
    ...{ engine, source, seed, signal },
    onProgress: (fraction: number, detail: string) => onProgress?.(from + fraction / 2, `${name}: ${detail}`),
  });
  const whole = { ...validation, limit: undefined };
  if (task.kind === 'segmentation') {
    const { filters, balance, batchSize, optimizer, learningRate } = task;
    const test = await readSegmentedValidation(whole, labels, labels.length, canvas, seed);
    return async (...of) => {
      const rates = { optimizer, learningRate, finalLearningRate: learningRate / 20 };
      const evaluation = { ...settings, ...rates, filters, balance, batchSize };
      const { mean, iou, seconds } = await evaluateSegmentation({
        ...{ ...common(...of), schema, labels, test, config: evaluation },
      });
      const details = Object.fromEntries(Object.entries(iou).map(([label, value]) => [`iou/${label}`, value]));
      return { score: mean, details, seconds };
    };
  }
  const layers = task.kind === 'classification' ? { convolutions: task.convolutions, hidden: task.hidden } : {};
  const test = await readLabelledValidation(whole, labels, canvas, seed);
  return async (...of) => {
    const { accuracy, seconds } = await evaluateOffline({
      ...{ ...common(...of), label: sceneLabeller(schema, labels), test, classes: labels.length },
      config: { ...settings, ...layers },
    });
    return { score: accuracy, seconds };
  };
}

interface BuiltInTask {
  readonly config: TrainConfig;
  readonly settings: EvaluationConfig;
  readonly validation: ValidationConfig;
  readonly labels: readonly string[];
}

/** The same comparison by the run's own external task. */
async function scoreByCommand(
  run: string,
  engine: Engine,
  { grammar, source, assets }: LoadedRun,
  { task, seed }: { readonly task: CommandTaskConfig; readonly seed: number },
  validation: string | undefined,
  { images, signal, onProgress }: EvaluateRunOptions,
): Promise<{ grammar: RunScore; metasim: RunScore }> {
  const score = (of: SceneSource, label: string, name: string, from: number) =>
    evaluateCommand({
      ...{ engine, source: of, config: task, validation, out: resolve(run), label, assets, seed, images, signal },
      onProgress: (fraction, detail) => onProgress?.(from + fraction / 2, `${name}: ${detail}`),
    });
  return {
    grammar: await score(grammar, 'evaluate-grammar', 'grammar', 0),
    metasim: await score(source, 'evaluate-metasim', 'Meta-Sim', 0.5),
  };
}
