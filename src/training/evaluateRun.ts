import { evaluationSchema, parseConfig, trainConfigSchema, validationSchema } from '../config.js';
import { ConfigError } from '../errors.js';
import { Engine } from '../render/engine.js';
import type { SceneSource } from '../scene/sceneSource.js';
import { sceneLabeller } from './labelledScenes.js';
import { evaluateOffline } from './offlineEvaluation.js';
import { loadRun } from './run.js';
import { readLabelledValidation, validationClasses } from './validationSet.js';

export interface EvaluateRunOptions {
  /** Labelled real images, a sub-folder per class; default: V of the run's configuration. */
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
  /** Share of the real images classified rightly, in [0, 1]. */
  readonly score: number;
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
    const { test: given } = options;
    const validation =
      given === undefined ? config.target.validation : validationSchema.parse({ kind: 'folders', folder: given });
    if (!validation) {
      throw new ConfigError(
        `Expected labelled test images, or target.validation in ${run}/run.json, but received neither`,
      );
    }
    const labels = config.labels ?? (await validationClasses(validation));
    const test = await readLabelledValidation({ ...validation, limit: undefined }, labels, grammar.canvas, config.seed);
    engine = await Engine.create({ assets, workers: options.threads ?? config.workers });
    const opened = engine;
    const score = async (source: SceneSource, name: string, from: number): Promise<RunScore> => {
      const { accuracy, seconds } = await evaluateOffline({
        engine: opened,
        source,
        label: sceneLabeller(grammar.schema, labels),
        test,
        classes: labels.length,
        config: settings,
        seed: config.seed,
        signal: options.signal,
        onProgress: (fraction, detail) => options.onProgress?.(from + fraction / 2, `${name}: ${detail}`),
      });
      return { score: accuracy, seconds };
    };
    return { grammar: await score(grammar, 'grammar', 0), metasim: await score(loaded.source, 'Meta-Sim', 0.5) };
  } finally {
    loaded.dispose();
    await engine?.close();
  }
}
