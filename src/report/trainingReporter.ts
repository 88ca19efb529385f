import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { writeFileWhole } from '../dataset/files.js';
import type { Engine } from '../render/engine.js';
import type { SceneBatch } from '../scene/sceneGraph.js';
import type { EpochReport } from '../training/metaTrain.js';
import type { PretrainResult } from '../training/pretrain.js';
import type { WarmStartResult } from '../training/warmStartResult.js';
import { contactSheet } from './contactSheet.js';
import type { Dashboard } from './dashboard/dashboard.js';
import { recordMachine } from './machine.js';
import { MetricsWriter, readMetrics } from './metricsWriter.js';
import type { ImageStack } from './picture.js';
import { writeRunReport } from './runReport.js';
import { sheetName } from './sheetSlides.js';
import { type StartRecord, writeStartRecord } from './startRecord.js';
import { ScalarEventWriter } from './tensorBoard.js';

/** What an earlier run in the same folder left, and a new one would only overwrite at its end. */
const STALE = ['attributes.json', 'start.json', 'results.json', 'report.html'];
/** Images in a block of a contact sheet: columns, and rows of small images or of those wider than `LARGE` px. */
const SHEET_COLUMNS = 2;
const SHEET_ROWS = { small: 8, large: 4 };
const LARGE = 128;

export interface TrainingReporterOptions {
  /** The run folder; made if need be. */
  readonly out: string;
  readonly engine: Engine;
  /** X_R, for the sheets' last block. */
  readonly target: ImageStack;
  /** Is told what is recorded, as it is. */
  readonly dashboard?: Dashboard;
  /** Epochs of the checkpoint that the run goes on from; without it the records start anew. */
  readonly resumeAt?: number;
}

/**
 * Writes a training run's records as it goes: `metrics.jsonl`, TensorBoard scalars in `tensorboard/`, a contact sheet
 * an epoch in `sheets/` (input, generated, target side by side: the paper's figures 7 and 8), `machine.json`,
 * `start.json` (what came before meta-training), and at the end `report.html`.
 */
export class TrainingReporter {
  readonly #options: TrainingReporterOptions;
  readonly #metrics: MetricsWriter;
  readonly #scalars: ScalarEventWriter;
  #start: StartRecord = {};

  private constructor(options: TrainingReporterOptions) {
    this.#options = options;
    this.#metrics = MetricsWriter.open(join(options.out, 'metrics.jsonl'), options.resumeAt);
    // A run that was stopped before its first checkpoint has left events too: they are dropped from step 1 on.
    this.#scalars = new ScalarEventWriter(join(options.out, 'tensorboard'), options.resumeAt ?? 0);
  }

  static async open(options: TrainingReporterOptions): Promise<TrainingReporter> {
    const { out, resumeAt, dashboard } = options;
    await mkdir(join(out, 'sheets'), { recursive: true });
    if (resumeAt === undefined) await Promise.all(STALE.map((name) => rm(join(out, name), { force: true })));
    await recordMachine(out, resumeAt);
    // Records of a resumed run that its checkpoint has not seen are cut off when the writer opens them.
    const reporter = new TrainingReporter(options);
    dashboard?.history(readMetrics(join(out, 'metrics.jsonl')));
    return reporter;
  }

  /** What the survey found. @param attributes names of the schema's attributes, in order */
  async warmStart(result: WarmStartResult, attributes: readonly string[]): Promise<void> {
    this.#start = { ...this.#start, warmStart: { result, attributes } };
    await writeStartRecord(this.#options.out, this.#start);
  }

  /** How pre-training converged (§3.2.1). */
  async pretrain(result: PretrainResult): Promise<void> {
    this.#start = { ...this.#start, pretrain: result };
    await writeStartRecord(this.#options.out, this.#start);
    this.#options.dashboard?.pretrain(result);
  }

  /** One finished meta-epoch. `extra` are further numbers to record, e.g. errors of the learned attributes. */
  async epoch(report: EpochReport, extra: Readonly<Record<string, number>> = {}): Promise<void> {
    const { epoch, mmd, score, advantage, learningRate, details, seconds } = report;
    const numbers = { mmd, score, advantage, learningRate, ...details, ...extra };
    const record = { step: epoch, ...numbers, seconds };
    this.#metrics.write(record);
    const finite = Object.entries(numbers).filter(([, value]) => Number.isFinite(value));
    this.#scalars.write(epoch, Object.fromEntries(finite));
    const sheet = await this.#sheet(report);
    await writeFileWhole(join(this.#options.out, 'sheets', sheetName(epoch)), sheet);
    this.#options.dashboard?.epoch(record, sheet);
  }

  /**
   * Writes report.html, the page that `metasim report` makes of the folder.
   * @returns path of the page
   */
  async finish(): Promise<string> {
    this.close();
    const { path } = await writeRunReport(this.#options.out);
    return path;
  }

  /** Closes the files; a second call does nothing. */
  close(): void {
    this.#metrics.close();
    this.#scalars.close();
  }

  async #sheet({ epoch, mmd, input, generated }: EpochReport): Promise<Uint8Array> {
    const { target } = this.#options;
    return contactSheet({
      title: `epoch ${epoch}, MMD squared ${mmd.toFixed(4)}`,
      rows: target.width > LARGE ? SHEET_ROWS.large : SHEET_ROWS.small,
      columns: SHEET_COLUMNS,
      groups: [
        { title: 'input', images: await this.#render(input) },
        { title: 'generated', images: await this.#render(generated) },
        { title: 'target', images: target },
      ],
    });
  }

  async #render(batch: SceneBatch): Promise<ImageStack> {
    const few = { ...batch, scenes: batch.scenes.slice(0, SHEET_ROWS.small * SHEET_COLUMNS) };
    const { count, width, height, channels, color } = await this.#options.engine.render(few, { color: 'u8' });
    return { count, width, height, channels: channels as 1 | 3, images: color as Uint8Array };
  }
}
