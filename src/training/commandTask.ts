import { cp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import type { AssetLibrary } from '../assets/assetLibrary.js';
import type { CommandTaskConfig } from '../config.js';
import { type AssetTable, assetTable } from '../dataset/assetTable.js';
import { DatasetFolderWriter } from '../dataset/datasetFolderWriter.js';
import { TrainingError } from '../errors.js';
import type { RenderedBatch } from '../render/engine.js';
import type { SceneBatch } from '../scene/sceneGraph.js';
import { type ProcessResult, runProcess } from './childProcess.js';
import { commandText, fillCommand, type Placeholder, parseCommand } from './commandLine.js';
import type { MetaTask, TaskScore } from './metaTask.js';

/** Lines of output that an error shows. */
const SHOWN_LINES = 20;
/** Longest line that it shows, characters. */
const SHOWN_WIDTH = 400;
const SCORE_EXAMPLE = '{"score": 0.81}';

export interface CommandTaskOptions {
  readonly config: CommandTaskConfig;
  /** Folder that the command runs in, absolute: that of the configuration. */
  readonly cwd: string;
  /** Run folder: datasets in `task/`, captured output in `logs/`. */
  readonly out: string;
  /** V as the command gets it, absolute. */
  readonly validation?: string;
  readonly seed: number;
  /** Of the textures that the datasets' manifests name. */
  readonly assets: AssetLibrary;
  /** Name of the grammar, for the datasets' manifests. */
  readonly name: string;
  /** What datasets and logs are called, with the epoch's number; default `epoch`. */
  readonly label?: string;
}

/**
 * A task network that is another program (§3: a black box): every meta-epoch's scenes are written as a finished dataset
 * folder, the command runs, and the last JSON object that it prints says its score. It keeps no state of its own in
 * checkpoints: each call begins anew, or the program looks after that itself.
 */
export class CommandTask implements MetaTask {
  readonly needsLabels = true;
  readonly #options: CommandTaskOptions;
  readonly #words: readonly string[];
  readonly #table: AssetTable;
  #epoch = 0;
  #writer: DatasetFolderWriter | undefined;

  /** @throws ConfigError when the command cannot be read, or names V where there is none */
  constructor(options: CommandTaskOptions) {
    const known: Placeholder[] = ['dataset', 'epoch', 'seed'];
    if (options.validation !== undefined) known.push('validation');
    this.#options = options;
    this.#words = parseCommand(options.config.command, known);
    this.#table = assetTable(options.assets);
  }

  /** What is left of an interrupted attempt at this epoch is removed. */
  async begin(epoch: number, scenes: number): Promise<void> {
    const { config, seed, name } = this.#options;
    this.#writer?.discard();
    this.#epoch = epoch;
    await rm(this.#folder, { recursive: true, force: true });
    this.#writer = await DatasetFolderWriter.create({
      folder: this.#dataset,
      format: config.format,
      count: scenes,
      seed,
      assets: this.#table,
      source: { name, hash: '' },
    });
  }

  async add(rendered: RenderedBatch<'f32'>, scenes: SceneBatch): Promise<void> {
    if (!this.#writer) throw new TrainingError('Expected begin before add of a command task but received none');
    await this.#writer.add(rendered, scenes);
  }

  /**
   * @throws TrainingError saying how the command ended and its last lines when all attempts failed; the signal's reason
   *   when aborted, after the end of the command and all it started
   */
  async score({ signal }: { readonly signal?: AbortSignal } = {}): Promise<TaskScore> {
    const { config } = this.#options;
    if (!this.#writer) throw new TrainingError('Expected begin before score of a command task but received none');
    await this.#writer.finish();
    this.#writer = undefined;
    const attempts = config.retries + 1;
    const pristine = `${this.#dataset}.pristine`;
    if (attempts > 1) await cp(this.#dataset, pristine, { recursive: true });
    try {
      for (let attempt = 1; ; attempt++) {
        const outcome = await this.#attempt(attempt, attempts, signal);
        if (typeof outcome !== 'string') return outcome;
        if (attempt === attempts) throw this.#failure(outcome, attempts);
        // A half-done attempt may have changed the dataset.
        await rm(this.#dataset, { recursive: true, force: true });
        await cp(pristine, this.#dataset, { recursive: true });
      }
    } finally {
      await rm(pristine, { recursive: true, force: true });
      if (!config.keep) await rm(this.#folder, { recursive: true, force: true });
    }
  }

  async state(): Promise<Record<string, Float32Array>> {
    return {};
  }

  load(): void {}

  /** Takes away the dataset of an epoch that was not finished. */
  dispose(): void {
    this.#writer?.discard();
    this.#writer = undefined;
  }

  get #label(): string {
    const { label = 'epoch' } = this.#options;
    return `${label}-${String(this.#epoch).padStart(4, '0')}`;
  }

  /** Holds the epoch's dataset. */
  get #folder(): string {
    return join(this.#options.out, 'task', this.#label);
  }

  get #dataset(): string {
    return join(this.#folder, 'dataset');
  }

  get #log(): string {
    return join(this.#options.out, 'logs', `task-${this.#label}.log`);
  }

  /** @returns the score, or what went wrong */
  async #attempt(attempt: number, attempts: number, signal: AbortSignal | undefined): Promise<TaskScore | string> {
    const { config, cwd, validation, seed } = this.#options;
    const values = {
      dataset: this.#dataset,
      epoch: String(this.#epoch),
      seed: String(seed + this.#epoch),
      ...(validation === undefined ? {} : { validation }),
    };
    const words = fillCommand(this.#words, values);
    const named = Object.entries(values).map(([name, value]) => [`METASIM_${name.toUpperCase()}`, value]);
    const result = await runProcess({
      words,
      cwd,
      environment: { ...Object.fromEntries(named), ...config.env },
      timeoutSeconds: config.timeoutSeconds,
      log: this.#log,
      append: attempt > 1,
      heading: `$ ${commandText(words)}${attempts > 1 ? `   # attempt ${attempt} of ${attempts}` : ''}\n`,
      signal,
    });
    return scoreOf(result, config.timeoutSeconds);
  }

  #failure(reason: string, attempts: number): TrainingError {
    const { label = 'epoch' } = this.#options;
    const where = label === 'epoch' ? `in epoch ${this.#epoch}` : `for ${label}`;
    const times = attempts > 1 ? ` in each of ${attempts} attempts, the last of which` : ' but it';
    return new TrainingError(
      `Expected a score from task.command (${commandText(this.#words)}) ${where}${times} ${reason}\n` +
        `All of its output: ${this.#log}`,
    );
  }
}

/** The score that a process printed, or what went wrong, in words that go on "it …". */
export function scoreOf(result: ProcessResult, timeoutSeconds: number): TaskScore | string {
  const { code, signal, timedOut, stdout, output } = result;
  if (timedOut) return `took longer than task.timeoutSeconds (${timeoutSeconds} s) and was ended${lastLines(output)}`;
  if (signal) return `was ended by ${signal}${lastLines(output)}`;
  if (code !== 0) return `ended with exit status ${code}${lastLines(output)}`;
  const printed = lastObject(stdout);
  if (!printed)
    return `printed no JSON object on a line of standard output, such as ${SCORE_EXAMPLE}${lastLines(output)}`;
  const { score, details = {} } = printed;
  if (typeof score !== 'number' || !Number.isFinite(score)) {
    return `printed ${brief(score)} for "score", not a finite number as in ${SCORE_EXAMPLE}${lastLines(output)}`;
  }
  if (typeof details !== 'object' || details === null || Array.isArray(details)) {
    return `printed ${brief(details)} for "details", not numbers by name${lastLines(output)}`;
  }
  const wrong = Object.entries(details).find(([, value]) => typeof value !== 'number' || !Number.isFinite(value));
  if (wrong) return `printed ${brief(wrong[1])} for "details.${wrong[0]}", not a finite number${lastLines(output)}`;
  return { score, details: details as Record<string, number> };
}

/** The last line that is a JSON object. */
function lastObject(text: string): Record<string, unknown> | undefined {
  for (const line of text.split('\n').reverse()) {
    if (!line.trimStart().startsWith('{')) continue;
    try {
      return JSON.parse(line) as Record<string, unknown>;
    } catch {
      // A line that only looks like it.
    }
  }
  return undefined;
}

function lastLines(output: string): string {
  const lines = output.trimEnd().split(/\r\n|\n|\r/);
  const shown = lines.slice(-SHOWN_LINES).map((line) => `  ${printable(line.slice(0, SHOWN_WIDTH))}`);
  if (output.trim() === '') return '. It printed nothing.';
  return `. Its last ${shown.length === 1 ? 'line' : `${shown.length} lines`}:\n${shown.join('\n')}`;
}

/** A line without colours and other sequences for terminals; of binary output, what else would move a cursor as a dot. */
function printable(line: string): string {
  return stripVTControlCharacters(line).replace(/[^\P{Cc}\t]/gu, '·');
}

function brief(value: unknown): string {
  return value === undefined ? 'nothing' : JSON.stringify(value).slice(0, 100);
}
