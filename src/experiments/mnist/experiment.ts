import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { openAssetSources } from '../../assets/assetSources.js';
import { parseConfig } from '../../config.js';
import { type Grammar, loadGrammar } from '../../grammar/grammar.js';
import { Classifier } from '../../learn/classifier.js';
import type { LabelledImages } from '../../learn/taskNetwork.js';
import { Engine } from '../../render/engine.js';
import type { SceneBatch, SceneGraph } from '../../scene/sceneGraph.js';
import { FRESH_SCENES, type SceneSource } from '../../scene/sceneSource.js';
import { renderLabelledScenes, sceneLabeller } from '../../training/labelledScenes.js';
import type { MetaTask } from '../../training/metaTask.js';
import type { EpochReport } from '../../training/metaTrain.js';
import { classificationTask } from '../../training/networkTask.js';
import { evaluateOffline, type OfflineEvaluation } from '../../training/offlineEvaluation.js';
import { writeRunRecord } from '../../training/run.js';
import { checkpointFolder, expectSameRun, type TrainObserver } from '../../training/train.js';
import { type Comparison, evaluationFolder, trainAndCompare, trainingSettings } from '../comparison.js';
import { type DigitSplits, mnistSplits, proceduralSplits } from './digits.js';
import { type ErrorDistribution, errorDistribution } from './learnedPose.js';
import { type MnistExperimentConfig, type MnistExperimentConfigInput, mnistExperimentSchema } from './presets.js';
import { EveryDigitSource, type MnistTarget, PosedSource } from './targets.js';

/** What a caller may watch, beyond training. */
export interface MnistObserver extends Omit<TrainObserver, 'onProgress' | 'onEpoch'> {
  onProgress?(stage: MnistStage, fraction: number, detail: string): void;
  /** Everything is set up; `target` renders as X_R does. */
  onStart?(setting: MnistSetting): void | Promise<void>;
  /** An epoch's report, and how far the poses of G_θ's mean lie from the target's. */
  onEpoch?(report: EpochReport, learned: LearnedPose): void | Promise<void>;
}

export type MnistStage = Parameters<NonNullable<TrainObserver['onProgress']>>[0] | 'evaluate';

/** What pictures are made of. */
export interface MnistSetting {
  readonly engine: Engine;
  readonly grammar: Grammar;
  readonly targetSource: SceneSource;
  readonly config: MnistExperimentConfig;
  readonly digits: string;
}

/** Error distributions by attribute name. */
export type LearnedPose = Readonly<Record<string, ErrorDistribution>>;

export interface MnistExperimentOptions {
  readonly target: MnistTarget;
  /** Folder of the MNIST IDX files, or `procedural` for built-in digits. */
  readonly data: string;
  /** Settings that differ from the defaults. */
  readonly config?: MnistExperimentConfigInput;
  /** Run folder: checkpoints go there, and an interrupted run goes on from them. */
  readonly out?: string;
  readonly workers?: number;
  readonly observer?: MnistObserver;
  readonly signal?: AbortSignal;
}

/** A row of the paper's table 1. */
export interface MnistRow {
  /** Percent of the target's test images classified rightly. */
  readonly accuracy: number;
  readonly evaluation: OfflineEvaluation;
}

export interface MnistResult extends Comparison<MnistRow> {
  readonly experiment: string;
  readonly digits: string;
  readonly config: MnistExperimentConfig;
  /** Of G_θ's mean, over fresh scenes. */
  readonly learned: LearnedPose;
}

const GRAMMAR = fileURLToPath(new URL('../../../examples/grammars/mnist.yaml', import.meta.url));
const LABELS = ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9'];

/**
 * Table 1 of the paper on one target: trains Meta-Sim from the grammar to the target's images, then trains the
 * classifier on static datasets of the grammar and of Meta-Sim, and tests both on fresh target images.
 * @throws DatasetError when MNIST is not in `data`; ConfigError; TrainingError when `out` holds another run; the signal's
 *   reason when aborted
 */
export async function runMnistExperiment(options: MnistExperimentOptions): Promise<MnistResult> {
  const { target, observer, signal, out } = options;
  const config = parseConfig(mnistExperimentSchema, options.config ?? {}, target.name);
  const { seed } = config;
  const started = performance.now();
  // run.json must mean the same from any working directory.
  const data = options.data === 'procedural' ? options.data : resolve(options.data);
  const digits = data === 'procedural' ? proceduralSplits(250, seed) : mnistSplits(data);
  const grammar = await loadMnistGrammar(digits, target, 'train');
  const realCount = config.mmd.realImages + config.validationImages;
  const targetSource = await posedDigits(digits, target, 'target', realCount, seed);
  const label = sceneLabeller(grammar.schema, LABELS);
  const assets = await openAssetSources([digits.train, digits.target, digits.test]);
  const engine = await Engine.create({ assets, workers: options.workers });
  const identity = { grammar: grammar.hash, target: target.name, config: trainingSettings(config) };
  let task: MetaTask | undefined;
  try {
    if (out !== undefined) {
      await expectSameRun(checkpointFolder(out), identity);
      await writeRunRecord(out, {
        kind: 'experiment',
        name: target.name,
        grammar: { ...grammar.toDefinition() },
        assets: [digits.train],
        hidden: config.transformer.hidden,
        noise: config.transformer.noise,
        seed,
        config: { target: target.name, data, config },
      });
    }
    await observer?.onStart?.({ engine, grammar, targetSource, config, digits: digits.description });
    const real = { seed, label, signal };
    const realImages = await renderLabelledScenes(engine, targetSource, { ...real, count: config.mmd.realImages });
    const validation = await renderLabelledScenes(engine, targetSource, {
      ...real,
      start: config.mmd.realImages,
      count: config.validationImages,
    });
    const network = taskNetwork(validation, config);
    task = classificationTask({ network, config: config.task, validation, label, seed });
    let learned: LearnedPose = {};
    const comparison = await trainAndCompare<MnistRow>(
      {
        name: target.name,
        train: {
          ...{ config, source: grammar, engine, realImages, task, identity, signal },
          checkpoints: out === undefined ? undefined : checkpointFolder(out),
          observer: { ...observer, onEpoch: (report) => observer?.onEpoch?.(report, learnedPose(report.mean, target)) },
        },
        async onTrained(metasim) {
          const fresh = await metasim.sampleBatch({ seed, start: FRESH_SCENES, count: config.evaluation.poseScenes });
          learned = learnedPose(fresh, target);
        },
        onProgress: (...progress) => observer?.onProgress?.(...progress),
        async evaluate(source, row, { weights }, onProgress) {
          const evaluation = await evaluateOffline({
            ...{ engine, source, label, classes: LABELS.length, config: config.evaluation, seed, signal, onProgress },
            test: await targetTestSet(engine, digits, target, config, label),
            checkpoints: evaluationFolder(out, row, config.evaluation),
            identity: { ...identity, weights },
          });
          return { accuracy: 100 * evaluation.accuracy, evaluation };
        },
      },
      started,
    );
    return { experiment: target.name, digits: digits.description, config, learned, ...comparison };
  } finally {
    task?.dispose();
    await engine.close();
  }
}

/** The paper's grammar (examples/grammars/mnist.yaml) over one of the splits. */
export async function loadMnistGrammar(
  digits: DigitSplits,
  target: MnistTarget,
  split: 'train' | 'target' | 'test',
): Promise<Grammar> {
  const prefix = split === 'test' ? digits.testPrefix : digits.prefix;
  const assets = await openAssetSources([digits[split]]);
  return loadGrammar(GRAMMAR, {
    assets,
    overrides: { variables: { digits: prefix, size: target.size, mutable: [...target.mutable] } },
  });
}

/**
 * The digits of a split in the target's pose: each once, in random order, as long as there are `count` of them, so that
 * X_R and V, and the images of a test set, share none; else draws, which repeat some.
 */
async function posedDigits(
  digits: DigitSplits,
  target: MnistTarget,
  split: 'target' | 'test',
  count: number,
  seed: number,
): Promise<SceneSource> {
  const grammar = await loadMnistGrammar(digits, target, split);
  const every = new EveryDigitSource(await grammar.sampleBatch({ seed, start: 0, count: 1 }), grammar.name, seed);
  return new PosedSource(every.count >= count ? every : grammar, target.pose, `${target.name} ${split}`);
}

/** Fresh target images, of digits that no other image shows. */
async function targetTestSet(
  engine: Engine,
  digits: DigitSplits,
  target: MnistTarget,
  { seed, evaluation }: MnistExperimentConfig,
  label: (scene: SceneGraph) => number,
): Promise<LabelledImages> {
  const source = await posedDigits(digits, target, 'test', evaluation.testImages, seed);
  return renderLabelledScenes(engine, source, { seed, count: evaluation.testImages, label });
}

function taskNetwork(shape: LabelledImages, { task, seed }: MnistExperimentConfig): Classifier {
  const { width, height, channels } = shape;
  const { batchSize, optimizer, learningRate, momentum, dropout } = task;
  return new Classifier({
    width,
    height,
    channels,
    classes: LABELS.length,
    batchSize,
    optimizer,
    learningRate,
    momentum,
    dropout,
    seed,
  });
}

function learnedPose(batch: SceneBatch, target: MnistTarget): LearnedPose {
  return Object.fromEntries(target.mutable.map((name) => [name, errorDistribution(batch, name, target.pose[name])]));
}
