import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { FRESH_SCENES } from '../scene/sceneSource.js';
import { type LoadedRun, loadRun, type RunRecord, readRunRecord } from '../training/run.js';
import { trainedEpochs } from '../training/train.js';
import { attributeCharts } from './attributeCharts.js';
import {
  type AttributeHistograms,
  attributeHistograms,
  readAttributeHistograms,
  writeAttributeHistograms,
} from './attributeHistograms.js';
import type { Chart } from './charts.js';
import { experimentSections } from './experimentSections.js';
import { type HtmlReport, type ReportBlock, type ReportSection, writeHtmlReport } from './htmlReport.js';
import { readMachine } from './machine.js';
import { type MetricsRecord, readMetrics } from './metricsWriter.js';
import { readJson } from './readJson.js';
import { sheetSlides } from './sheetSlides.js';
import { grammarMmd, readStartRecord, startSections } from './startRecord.js';
import { phaseTotals, pointsOf, trainingCharts } from './trainingCharts.js';

/** Scenes of each kind whose attributes are counted. */
const ATTRIBUTE_SCENES = 512;

/** The page that was written. */
export interface RunReport {
  readonly path: string;
  readonly bytes: number;
  /** Meta-epochs recorded, and wanted. */
  readonly epochs: number;
  readonly plannedEpochs?: number;
}

/**
 * Writes the report of a run folder as one HTML page that loads nothing: of a finished run, of one that was killed, of
 * one that is under way. The grammar's and the transformer's attributes are sampled where the folder does not hold them
 * yet (`attributes.json`); a tfjs backend must have been initialised.
 * @param path default `report.html` in the folder
 * @throws TrainingError when the folder is no run; ConfigError when its records are damaged
 */
export async function writeRunReport(run: string, path = join(run, 'report.html')): Promise<RunReport> {
  const record = await readRunRecord(run);
  const note = await sampleAttributes(run);
  const records = await recordsOf(run);
  await writeHtmlReport(path, await runReport(run, record, records, note));
  const { size } = await stat(path);
  return { path, bytes: size, epochs: records.length, plannedEpochs: metaConfig(record).epochs };
}

/** @param note why attributes of the trained run are missing */
async function runReport(
  run: string,
  record: RunRecord,
  records: readonly MetricsRecord[],
  note: string | undefined,
): Promise<HtmlReport> {
  const [slides, start, results, machine, attributes] = await Promise.all([
    sheetSlides(run, records),
    readStartRecord(run),
    readJson(join(run, 'results.json')),
    readMachine(run),
    readAttributeHistograms(run),
  ]);
  const finished = records.length > 0 && records.length >= (metaConfig(record).epochs ?? 0);
  const groups = trainingCharts(records).map(({ heading, charts, note: text }): ReportSection => {
    const blocks: ReportBlock[] = [...(text ? [{ kind: 'text' as const, text }] : []), ...chartBlocks(charts)];
    if (heading === 'Time') blocks.push(phaseTable(records));
    if (heading === 'Visibility') blocks.push(...visibilityTable(records.at(-1)));
    return { heading, blocks };
  });
  const sheets: ReportSection[] =
    slides.length === 0
      ? []
      : [
          {
            heading: 'Images over time',
            blocks: [
              {
                kind: 'slides',
                id: 'sheets',
                slides,
                caption:
                  'From left to right: scenes of the grammar, the same scenes after the transformer, and target images. The dotted line in the charts marks the epoch shown.',
              },
            ],
          },
        ];
  const time = groups.filter(({ heading }) => heading === 'Time');
  return {
    title: record.name,
    summary: `${summaryOf(record, records, finished)}${finished && record.kind === 'experiment' && results === undefined ? ' Its evaluation has not been finished.' : ''}`,
    sections: [
      { heading: 'At a glance', blocks: [{ kind: 'facts', facts: factsOf(record, records, grammarMmd(start)) }] },
      ...(await experimentSections(run, record.kind === 'experiment' ? record.name : '', results)),
      ...groups.filter(({ heading }) => heading !== 'Time'),
      ...sheets,
      ...attributeSections(attributes, note),
      ...startSections(start),
      ...time,
      ...machineSections(machine),
      {
        heading: 'Configuration',
        blocks: [{ kind: 'config', title: 'resolved configuration and grammar', value: shortPaths(configOf(record)) }],
      },
    ],
  };
}

/**
 * Counts the attributes of the grammar's scenes and of the transformer's, unless that was done at this epoch.
 * @returns why it could not be done; undefined where it was
 */
async function sampleAttributes(run: string): Promise<string | undefined> {
  const epoch = await trainedEpochs(run).catch(() => undefined);
  if (epoch === undefined) {
    return 'No meta-epoch of this run has a checkpoint yet: there is no trained transformer to sample.';
  }
  const { input, learned } = await readAttributeHistograms(run);
  if (input && learned?.epoch === epoch) return undefined;
  let loaded: LoadedRun | undefined;
  try {
    loaded = await loadRun(run);
    const request = { seed: loaded.record.seed, start: FRESH_SCENES, count: ATTRIBUTE_SCENES };
    await writeAttributeHistograms(run, {
      input: attributeHistograms(await loaded.grammar.sampleBatch(request)),
      learned: attributeHistograms(await loaded.source.sampleBatch(request), epoch),
    });
    return undefined;
  } catch (error) {
    // The textures may have been moved since; what else the folder holds can still be told.
    return `The run could not be sampled for this page: ${withoutPaths((error as Error).message)}`;
  } finally {
    loaded?.dispose();
  }
}

async function recordsOf(run: string): Promise<MetricsRecord[]> {
  const path = join(run, 'metrics.jsonl');
  const exists = await stat(path).catch(() => undefined);
  return exists ? readMetrics(path) : [];
}

function summaryOf(record: RunRecord, records: readonly MetricsRecord[], finished: boolean): string {
  const what = record.kind === 'experiment' ? 'Experiment' : 'Training run';
  const { epochs } = metaConfig(record);
  if (records.length === 0) return `${what}, seed ${record.seed}. No meta-epoch has been finished.`;
  const state = finished
    ? `${records.length} meta-epochs, finished`
    : `unfinished: ${records.length} of ${epochs ?? 'an unknown number of'} meta-epochs are recorded`;
  return `${what}, seed ${record.seed}; ${state}.`;
}

function factsOf(
  record: RunRecord,
  records: readonly MetricsRecord[],
  before: number | undefined,
): { name: string; value: string }[] {
  const { epochs } = metaConfig(record);
  const change = (name: string, text: (value: number) => string) => {
    const points = pointsOf(records, name);
    if (points.length === 0) return '–';
    return points.length === 1 ? text(points[0][1]) : `${text(points[0][1])} → ${text(points[points.length - 1][1])}`;
  };
  const seconds = phaseTotals(records).reduce((sum, phase) => sum + phase.seconds, 0);
  return [
    { name: 'meta-epochs', value: epochs === undefined ? `${records.length}` : `${records.length} of ${epochs}` },
    ...(before === undefined ? [] : [{ name: 'MMD² of the grammar', value: before.toFixed(4) }]),
    { name: 'MMD², first → last epoch', value: change('mmd', (value) => value.toFixed(4)) },
    { name: 'score on V, first → last epoch', value: change('score', (value) => value.toFixed(3)) },
    { name: 'time in meta-epochs', value: duration(seconds) },
  ];
}

function chartBlocks(charts: readonly Chart[]): ReportBlock[] {
  return charts.map((chart) => ({ kind: 'chart', chart }));
}

function phaseTable(records: readonly MetricsRecord[]): ReportBlock {
  const phases = phaseTotals(records);
  const total = phases.reduce((sum, { seconds }) => sum + seconds, 0);
  const row = (name: string, seconds: number) => [
    name,
    Number(seconds.toFixed(1)),
    Number(((100 * seconds) / (total || 1)).toFixed(1)),
  ];
  return {
    kind: 'table',
    head: ['phase', 'seconds', '%'],
    rows: [...phases.map(({ name, seconds }) => row(name, seconds)), row('all epochs', total)],
  };
}

/** Visible fraction of each class before and after, at the last epoch. */
function visibilityTable(last: MetricsRecord | undefined): ReportBlock[] {
  const percent = (value: unknown) => (typeof value === 'number' ? Number((100 * value).toFixed(1)) : '');
  const names = Object.keys(last ?? {}).filter((name) => name.startsWith('visible/generated/'));
  const rows = names.map((name) => {
    const className = name.slice('visible/generated/'.length);
    return [className, percent(last?.[`visible/input/${className}`]), percent(last?.[name])];
  });
  const hidden = [percent(last?.['hidden/input']), percent(last?.['hidden/generated'])];
  if (hidden.some((value) => value !== '')) rows.push(['hidden objects (under 10 % seen)', ...hidden]);
  if (rows.length === 0) return [];
  return [{ kind: 'table', head: ['mean visible, %', 'before', 'after'], rows, caption: 'At the last meta-epoch.' }];
}

function attributeSections(sources: AttributeHistograms, note: string | undefined): ReportSection[] {
  const { mutable, fixed } = attributeCharts(sources);
  if (mutable.length + fixed.length === 0 && note === undefined) return [];
  const scenes = Object.values(sources).map((source) => source?.scenes ?? 0);
  const target = sources.target ? ' Target: known in this experiment, and never shown to the training.' : '';
  const text = `Values in the frame of an object's parent, over ${Math.max(0, ...scenes)} scenes. Before: the grammar. After: the trained transformer's mean.${target}`;
  return [
    {
      heading: 'Attributes',
      blocks: [
        ...(note === undefined ? [] : [{ kind: 'text' as const, text: note }]),
        ...(mutable.length + fixed.length > 0 ? [{ kind: 'text' as const, text }] : []),
        ...chartBlocks(mutable),
        ...(fixed.length > 0
          ? [
              {
                kind: 'folded' as const,
                title: `${fixed.length} attributes that training leaves as the grammar draws them`,
                blocks: chartBlocks(fixed),
              },
            ]
          : []),
      ],
    },
  ];
}

function machineSections(parts: Awaited<ReturnType<typeof readMachine>>): ReportSection[] {
  if (parts.length === 0) return [];
  const rows: [string, (part: (typeof parts)[number]) => string][] = [
    ['processor', ({ processor, processors }) => `${processor}, ${processors} in use`],
    ['memory', ({ memoryBytes }) => `${(memoryBytes / 2 ** 30).toFixed(1)} GiB`],
    ['system', ({ system }) => system],
    ['learning backend', ({ backend }) => backend],
    ['metasim', ({ metasim }) => metasim],
    ['Node.js', ({ node }) => node],
  ];
  const head = parts.map(({ afterEpoch }) => (afterEpoch === 0 ? 'from the start' : `after epoch ${afterEpoch}`));
  return [
    {
      heading: 'Machine',
      blocks: [
        {
          kind: 'table',
          head: ['', ...(parts.length === 1 ? [''] : head)],
          rows: rows.map(([name, value]) => [name, ...parts.map(value)]),
        },
      ],
    },
  ];
}

/** Meta-training's settings: an experiment keeps its configuration one level deeper. */
function metaConfig({ config }: RunRecord): { epochs?: number } {
  const inner = config as { meta?: { epochs?: number }; config?: { meta?: { epochs?: number } } };
  return { epochs: inner.meta?.epochs ?? inner.config?.meta?.epochs };
}

function configOf({ kind, name, seed, hidden, assets, config, grammar }: RunRecord): object {
  return { kind, name, seed, hidden, assets, config, grammar };
}

/** A page may be shown to anyone: of absolute paths it keeps the last two parts. */
function shortPaths(value: unknown): unknown {
  if (typeof value === 'string') return withoutPaths(value);
  if (Array.isArray(value)) return value.map(shortPaths);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, shortPaths(inner)]));
}

function withoutPaths(text: string): string {
  return text.replace(/(?<![\w.])(?:[A-Za-z]:)?[\\/](?:[^\\/\s"':]+[\\/])+(?=[^\\/\s"':]+[\\/][^\\/\s"':]+)/g, '…/');
}

function duration(seconds: number): string {
  if (seconds < 90) return `${seconds.toFixed(seconds < 10 ? 1 : 0)} s`;
  const minutes = Math.round(seconds / 60);
  return minutes < 90 ? `${minutes} min` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}
