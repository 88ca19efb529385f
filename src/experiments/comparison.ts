import { createHash } from 'node:crypto';
import { join } from 'node:path';
import type { InceptionInfo } from '../learn/inception/inception.js';
import { TransformedSource } from '../learn/transformedSource.js';
import type { SceneSource } from '../scene/sceneSource.js';
import type { PretrainResult } from '../training/pretrain.js';
import { type TrainedModel, type TrainOptions, trainTransformer } from '../training/train.js';

/** A row of the paper's tables: what its training images come from. */
export type RowName = 'grammar' | 'metasim';

export interface ComparisonOptions<Row> {
  /** Of the experiment. */
  readonly name: string;
  readonly train: TrainOptions;
  /** A row of the table: a task network trained on images of the source, tested on the target. */
  evaluate(
    source: SceneSource,
    row: RowName,
    features: InceptionInfo,
    onProgress: (fraction: number, detail: string) => void,
  ): Promise<Row>;
  /** Called once training is over, before the first row. */
  onTrained?(metasim: SceneSource): void | Promise<void>;
  onProgress?(stage: 'evaluate', fraction: number, detail: string): void;
}

/** What all experiments report. */
export interface Comparison<Row> {
  readonly features: InceptionInfo;
  readonly results: Readonly<Record<RowName, Row>>;
  readonly warmStart?: NonNullable<TrainedModel['warmStart']>['best'];
  readonly pretrain?: Pick<PretrainResult, 'attributes' | 'classAccuracy' | 'steps' | 'seconds'>;
  /** Of this call; a resumed run's earlier parts are not in it. */
  readonly seconds: { readonly training: number; readonly evaluation: number; readonly total: number };
}

/**
 * The paper's experiments: trains Meta-Sim from the grammar to the target's images, then evaluates the grammar and what
 * was learned in the same way.
 * @param started when the experiment began, as `performance.now()` gives it
 * @throws what training and `evaluate` throw; the signal's reason when aborted
 */
export async function trainAndCompare<Row>(
  options: ComparisonOptions<Row>,
  started = performance.now(),
): Promise<Comparison<Row>> {
  const { name, train } = options;
  const grammar = train.source;
  const { transformer, features, warmStart, pretrain } = await trainTransformer(train);
  try {
    const training = (performance.now() - started) / 1000;
    const metasim = new TransformedSource({ source: grammar, transformer, name: `${name}+metasim` });
    await options.onTrained?.(metasim);
    const evaluate = (source: SceneSource, row: RowName, from: number) =>
      options.evaluate(source, row, features, (fraction, detail) =>
        options.onProgress?.('evaluate', from + fraction / 2, `task network on ${source.name}: ${detail}`),
      );
    const results = {
      grammar: await evaluate(grammar, 'grammar', 0),
      metasim: await evaluate(metasim, 'metasim', 0.5),
    };
    const total = (performance.now() - started) / 1000;
    const seconds = { training, evaluation: total - training, total };
    return {
      features,
      results,
      warmStart: warmStart?.best,
      ...(pretrain ? { pretrain: summary(pretrain) } : {}),
      seconds,
    };
  } finally {
    transformer.dispose();
  }
}

/**
 * The settings that a training run is made with, for its checkpoints: those of the evaluation are left out, so that what
 * was trained can be evaluated in another way too.
 */
export function trainingSettings<Config extends { readonly evaluation: unknown }>(config: Config) {
  const { evaluation: _, ...training } = config;
  return JSON.parse(JSON.stringify(training));
}

/** Where a row's evaluation keeps its epochs: a folder for each way of evaluating. Undefined without a run folder. */
export function evaluationFolder(out: string | undefined, row: RowName, evaluation: object): string | undefined {
  if (out === undefined) return undefined;
  const digest = createHash('sha256').update(JSON.stringify(evaluation)).digest('hex');
  return join(out, 'evaluation', `${row}-${digest.slice(0, 8)}`);
}

/** Without the losses of all steps. */
function summary({ attributes, classAccuracy, steps, seconds }: PretrainResult) {
  return { attributes, classAccuracy, steps, seconds };
}
