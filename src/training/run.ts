import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import type { AssetLibrary } from '../assets/assetLibrary.js';
import { openAssetSources } from '../assets/assetSources.js';
import { assetSourceSchema, parseConfig } from '../config.js';
import { writeFileWhole } from '../dataset/files.js';
import { TrainingError } from '../errors.js';
import { type Grammar, loadGrammar } from '../grammar/grammar.js';
import { DistributionTransformer } from '../learn/distributionTransformer.js';
import { TransformedSource } from '../learn/transformedSource.js';
import { hasCheckpoint, loadCheckpoint } from './checkpoint.js';
import { stateFromCheckpoint } from './metaState.js';
import { checkpointFolder } from './train.js';

const FILE = 'run.json';

const runRecordSchema = z.strictObject({
  format: z.literal('metasim-run'),
  version: z.literal(1),
  /** `train`: a configuration of the user's; `experiment`: one of the built-in ones. */
  kind: z.enum(['train', 'experiment']),
  name: z.string(),
  /** The grammar in its language, variables filled in (`Grammar.toDefinition`). */
  grammar: z.looseObject({}),
  assets: z.array(assetSourceSchema),
  hidden: z.array(z.number().int().min(1)),
  /** Numbers of latent noise a node; runs of before it existed have none. */
  noise: z.number().int().min(0).optional(),
  seed: z.number().int().min(0),
  /** The resolved configuration of the run, as its kind defines it. */
  config: z.looseObject({}),
});

/** What `run.json` in a run folder says: enough to sample from the run again. */
export type RunRecord = z.output<typeof runRecordSchema>;

/** Writes `run.json`. */
export async function writeRunRecord(run: string, record: Omit<RunRecord, 'format' | 'version'>): Promise<void> {
  const whole = { format: 'metasim-run', version: 1, ...record };
  await writeFileWhole(join(run, FILE), `${JSON.stringify(whole, null, 2)}\n`);
}

/** @throws TrainingError when the folder is no run; ConfigError when its record is damaged */
export async function readRunRecord(run: string): Promise<RunRecord> {
  const path = join(run, FILE);
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (cause) {
    throw new TrainingError(`Expected a run folder at ${run} but received one without ${FILE}`, { cause });
  }
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new TrainingError(`Expected JSON in ${path} but received: ${(cause as Error).message}`, { cause });
  }
  return parseConfig(runRecordSchema, value, path);
}

/** A trained run, ready to sample from. */
export interface LoadedRun {
  readonly record: RunRecord;
  readonly assets: AssetLibrary;
  readonly grammar: Grammar;
  /** The grammar followed by the trained transformer. */
  readonly source: TransformedSource;
  /** Meta-epochs the weights have seen. */
  readonly epoch: number;
  /** SHA-256 of grammar and weights: two runs with one hash make the same scenes. */
  readonly hash: string;
  /** Frees the transformer. */
  dispose(): void;
}

/**
 * Opens a run folder. A tfjs backend must have been initialised.
 * @throws TrainingError when the folder is no run, or training has not finished its first epoch
 */
export async function loadRun(run: string): Promise<LoadedRun> {
  const record = await readRunRecord(run);
  const checkpoints = checkpointFolder(run);
  if (!(await hasCheckpoint(checkpoints))) {
    throw new TrainingError(`Expected a trained run at ${run} but received one without a finished meta-epoch`);
  }
  const assets = await openAssetSources(record.assets);
  const grammar = await loadGrammar(record.grammar as Parameters<typeof loadGrammar>[0], { assets });
  const state = stateFromCheckpoint(await loadCheckpoint(checkpoints));
  const { hidden, noise, seed } = record;
  const transformer = new DistributionTransformer({ schema: grammar.schema, hidden, noise, seed });
  try {
    transformer.load(state.transformer);
  } catch (error) {
    transformer.dispose();
    throw error;
  }
  const source = new TransformedSource({ source: grammar, transformer, name: record.name });
  const hash = createHash('sha256').update(grammar.hash);
  for (const [name, { data }] of Object.entries(state.transformer).sort(([a], [b]) => (a < b ? -1 : 1))) {
    hash.update(name).update(data);
  }
  return {
    ...{ record, assets, grammar, source },
    epoch: state.epoch,
    hash: hash.digest('hex'),
    dispose: () => transformer.dispose(),
  };
}
