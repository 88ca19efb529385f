import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { writeFileWhole } from '../dataset/files.js';
import type { Engine } from '../render/engine.js';
import type { SceneBatch } from '../scene/sceneGraph.js';
import type { EpochReport } from '../training/metaTrain.js';
import type { PretrainResult } from '../training/pretrain.js';
import type { WarmStartResult } from '../training/warmStartResult.js';
import { contactSheet } from './contactSheet.js';
import { type ReportSection, writeHtmlReport } from './htmlReport.js';
import { MetricsWriter, readMetrics } from './metricsWriter.js';
import type { ImageStack } from './picture.js';
import { curvePlot } from './plots.js';
import { ScalarEventWriter } from './tensorBoard.js';
import { warmStartSection } from './warmStartSection.js';

/** Images in a block of a contact sheet: rows × columns. */
const SHEET_ROWS = 8;
const SHEET_COLUMNS = 2;

export interface TrainingReporterOptions {
  /** The run folder; made if need be. */
  readonly out: string;
  readonly title: string;
  readonly engine: Engine;
  /** X_R, for the sheets' last block. */
  readonly target: ImageStack;
  /** Epochs of the checkpoint that the run goes on from; without it the records start anew. */
  readonly resumeAt?: number;
}

/**
 * Writes a training run's records as it goes: `metrics.jsonl`, TensorBoard scalars in `tensorboard/`, a contact sheet
 * an epoch in `sheets/` (input, generated, target side by side: the paper's figures 7 and 8), and `report.html`.
 */
export class TrainingReporter {
  readonly #options: TrainingReporterOptions;
  readonly #metrics: MetricsWriter;
  readonly #scalars: ScalarEventWriter;
  readonly #sections: ReportSection[] = [];
  #lastSheet: Uint8Array | undefined;

  private constructor(options: TrainingReporterOptions) {
    this.#options = options;
    this.#metrics = MetricsWriter.open(join(options.out, 'metrics.jsonl'), options.resumeAt);
    // A run that was stopped before its first checkpoint has left events too: they are dropped from step 1 on.
    this.#scalars = new ScalarEventWriter(join(options.out, 'tensorboard'), options.resumeAt ?? 0);
  }

  static async open(options: TrainingReporterOptions): Promise<TrainingReporter> {
    await mkdir(join(options.out, 'sheets'), { recursive: true });
    return new TrainingReporter(options);
  }

  /** What the survey found, for the report. */
  warmStart(result: WarmStartResult, attributes: readonly string[]): void {
    this.#sections.push(warmStartSection(result, attributes));
  }

  /** How pre-training converged (§3.2.1). */
  async pretrain(result: PretrainResult): Promise<void> {
    const svg = await curvePlot({
      title: 'Autoencoder pre-training',
      xTitle: 'step',
      yTitle: 'loss',
      logY: true,
      curves: [{ name: 'loss', points: result.losses.map((loss, step) => [step + 1, loss] as const) }],
    });
    this.#sections.push({
      heading: 'Pre-training',
      blocks: [
        { kind: 'plot', svg },
        {
          kind: 'table',
          head: ['attribute', 'mean absolute error', 'unit', '% of range'],
          rows: result.attributes.map(({ name, physical, unit, fraction }) => [
            name,
            physical.toPrecision(3),
            unit,
            (100 * fraction).toFixed(2),
          ]),
          caption: `${result.steps} steps in ${result.seconds.toFixed(1)} s; class accuracy ${(100 * result.classAccuracy).toFixed(1)} %`,
        },
      ],
    });
  }

  /** One finished meta-epoch. `extra` are further numbers to record, e.g. errors of the learned attributes. */
  async epoch(report: EpochReport, extra: Readonly<Record<string, number>> = {}): Promise<void> {
    const { epoch, mmd, score, advantage, learningRate, seconds } = report;
    const numbers = { mmd, score, advantage, learningRate, ...extra };
    this.#metrics.write({ step: epoch, ...numbers, seconds });
    const finite = Object.entries(numbers).filter(([, value]) => Number.isFinite(value));
    this.#scalars.write(epoch, Object.fromEntries(finite));
    this.#lastSheet = await this.#sheet(report);
    await writeFileWhole(
      join(this.#options.out, 'sheets', `epoch-${String(epoch).padStart(4, '0')}.png`),
      this.#lastSheet,
    );
  }

  /**
   * Writes report.html: `first` comes before the training's own sections, `config` folded at the end.
   * @returns path of the page
   */
  async finish(first: readonly ReportSection[], config: unknown, summary?: string): Promise<string> {
    this.close();
    const { out, title } = this.#options;
    const path = join(out, 'report.html');
    await writeHtmlReport(path, {
      title,
      summary,
      sections: [
        ...first,
        await this.#curves(),
        ...this.#sections,
        { heading: 'Configuration', blocks: [{ kind: 'config', title: 'resolved configuration', value: config }] },
      ],
    });
    return path;
  }

  /** Closes the files; a second call does nothing. */
  close(): void {
    this.#metrics.close();
    this.#scalars.close();
  }

  async #curves(): Promise<ReportSection> {
    const { out } = this.#options;
    const records = readMetrics(join(out, 'metrics.jsonl'));
    const names = [...new Set(records.flatMap((record) => Object.keys(record)))].filter(
      (name) => !['step', 'seconds', 'advantage', 'learningRate'].includes(name),
    );
    const plots = names.flatMap((name) => {
      const points = records.flatMap((record) =>
        typeof record[name] === 'number' ? [[record.step, record[name]] as const] : [],
      );
      return points.length === 0
        ? []
        : [curvePlot({ title: name, xTitle: 'meta-epoch', yTitle: name, curves: [{ name, points }] })];
    });
    const svgs = await Promise.all(plots);
    const sheet = this.#lastSheet ?? (await this.#newestSheet(records.at(-1)?.step));
    return {
      heading: 'Meta-training',
      blocks: [
        ...svgs.map((svg) => ({ kind: 'plot' as const, svg })),
        ...(sheet
          ? [{ kind: 'picture' as const, png: sheet, caption: 'Scenes of the last epoch: input, generated, target.' }]
          : []),
      ],
    };
  }

  async #newestSheet(epoch: number | undefined): Promise<Uint8Array | undefined> {
    if (epoch === undefined) return undefined;
    const path = join(this.#options.out, 'sheets', `epoch-${String(epoch).padStart(4, '0')}.png`);
    return readFile(path).catch(() => undefined);
  }

  async #sheet({ epoch, mmd, input, generated }: EpochReport): Promise<Uint8Array> {
    const { target } = this.#options;
    return contactSheet({
      title: `epoch ${epoch}, MMD squared ${mmd.toFixed(4)}`,
      rows: SHEET_ROWS,
      columns: SHEET_COLUMNS,
      groups: [
        { title: 'input', images: await this.#render(input) },
        { title: 'generated', images: await this.#render(generated) },
        { title: 'target', images: target },
      ],
    });
  }

  async #render(batch: SceneBatch): Promise<ImageStack> {
    const few = { ...batch, scenes: batch.scenes.slice(0, SHEET_ROWS * SHEET_COLUMNS) };
    const { count, width, height, channels, color } = await this.#options.engine.render(few, { color: 'u8' });
    return { count, width, height, channels: channels as 1 | 3, images: color as Uint8Array };
  }
}
