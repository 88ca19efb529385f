import type { PretrainResult } from '../../training/pretrain.js';
import type { MetricsRecord } from '../metricsWriter.js';
import { STAGE_LABELS } from '../stageLabels.js';
import { pretrainChart } from '../startRecord.js';
import { type ChartGroup, HEADINGS, trainingCharts } from '../trainingCharts.js';
import { dashboardPage } from './dashboardPage.js';
import { type Answer, DashboardServer } from './dashboardServer.js';
import { EventLog } from './eventLog.js';

/** A stage tells of itself at most this often, ms. */
const PROGRESS_EVERY_MS = 250;
/** Records that the choice of charts and axes looks at. */
const MAX_RECORDS = 4000;

export interface DashboardOptions {
  readonly title: string;
  /** On 127.0.0.1; default: a free one. */
  readonly port?: number;
}

interface Stage {
  readonly started: number;
  /** Where it began: a resumed run's meta-training is not new. */
  readonly from: number;
  told: number;
}

/**
 * A live page of a training run: progress, curves that grow, the newest contact sheet. It is fed by the run and never
 * holds it up: nothing is awaited, a reader that is too slow is dropped, and the process may end while it is open.
 */
export class Dashboard {
  readonly #log = new EventLog();
  readonly #server: DashboardServer;
  readonly #stages = new Map<string, Stage>();
  /** Specifications that readers have, as JSON, by chart. */
  readonly #specs = new Map<string, string>();
  #records: MetricsRecord[] = [];
  #sheet: Uint8Array | undefined;

  private constructor(options: DashboardOptions) {
    const page = Buffer.from(dashboardPage(options.title));
    this.#server = new DashboardServer({
      port: options.port ?? 0,
      missed: (lastId) => this.#log.missed(lastId),
      answer: (path): Answer | undefined => {
        if (path === '/') return { type: 'text/html; charset=utf-8', body: page };
        // Browsers ask for one by themselves.
        if (path === '/favicon.ico') return { type: 'image/x-icon', body: new Uint8Array() };
        if (path === '/sheet.png' && this.#sheet) return { type: 'image/png', body: this.#sheet };
        return undefined;
      },
    });
  }

  /** @throws ConfigError when the port is taken */
  static async open(options: DashboardOptions): Promise<Dashboard> {
    const dashboard = new Dashboard(options);
    await dashboard.#server.listen();
    return dashboard;
  }

  /** Where the page is, on this machine only. */
  get url(): string {
    return this.#server.url;
  }

  /** A stage has come `fraction` of its way. */
  progress(stage: string, fraction: number, detail = ''): void {
    const now = performance.now();
    const known = this.#stages.get(stage);
    const state = known ?? { started: now, from: fraction, told: Number.NEGATIVE_INFINITY };
    if (!known) this.#stages.set(stage, state);
    if (fraction < 1 && now - state.told < PROGRESS_EVERY_MS) return;
    state.told = now;
    const seconds = (now - state.started) / 1000;
    const done = fraction - state.from;
    const left = done > 0.01 && fraction < 1 ? (seconds * (1 - fraction)) / done : null;
    const label = STAGE_LABELS[stage] ?? stage;
    this.#send('stage', { stage, label, fraction, detail, seconds, left }, `stage:${stage}`);
  }

  /** How pre-training converged. */
  pretrain({ losses }: PretrainResult): void {
    const chart = pretrainChart(losses);
    this.#announce({ heading: 'Pre-training', charts: [chart] });
    this.#send('rows', { charts: { [chart.id]: chart.rows } }, 'rows:pretrain');
  }

  /** What a run that goes on has recorded before. */
  history(records: readonly MetricsRecord[]): void {
    const last = records.at(-1);
    if (!last) return;
    this.#records = [...records];
    const groups = trainingCharts(records);
    for (const group of groups) this.#announce(group);
    this.#sendRows(groups);
    this.#sendEpoch(last);
  }

  /** A finished meta-epoch: what was recorded, and its contact sheet (PNG). */
  epoch(record: MetricsRecord, sheet: Uint8Array): void {
    this.#records.push(record);
    if (this.#records.length > MAX_RECORDS) this.#records = this.#records.filter((_, i) => i % 2 === 1);
    for (const group of trainingCharts(this.#records)) this.#announce(group);
    this.#sendRows(trainingCharts([record]));
    this.#sendEpoch(record);
    this.#sheet = sheet;
    this.#send('sheet', { epoch: record.step, source: `/sheet.png?epoch=${record.step}` }, 'sheet');
  }

  /**
   * The run is over: tells readers, and closes. A second call does nothing.
   * @param text how it ended, e.g. where the report is
   */
  async close(text: string): Promise<void> {
    if (this.#server.closed) return;
    this.#send('end', { text }, 'end');
    await this.#server.close();
  }

  /** Charts that readers do not know yet, or whose lines and axes have changed. */
  #announce({ heading, charts, note = '' }: ChartGroup): void {
    for (const { id, spec } of charts) {
      const json = JSON.stringify(spec);
      if (this.#specs.get(id) === json) continue;
      this.#specs.set(id, json);
      const place = (HEADINGS as readonly string[]).indexOf(heading);
      // What is not of meta-training comes last.
      this.#send('chart', { id, heading, place: place < 0 ? HEADINGS.length : place, note, spec }, `chart:${id}`);
    }
  }

  #sendRows(groups: readonly ChartGroup[]): void {
    const charts = groups.flatMap((group) => group.charts);
    this.#send('rows', { charts: Object.fromEntries(charts.map(({ id, rows }) => [id, rows])) });
  }

  #sendEpoch({ step, mmd, score }: MetricsRecord): void {
    // NaN, a score that there is not, becomes null.
    this.#send('epoch', { epoch: step, mmd, score }, 'epoch');
  }

  #send(name: string, data: unknown, key?: string): void {
    this.#server.broadcast(this.#log.add(name, data, key));
  }
}
