import { type Chart, lineChart, type Series, stackedChart } from './charts.js';
import type { MetricsRecord } from './metricsWriter.js';

/** Headings in the order they are read. */
export const HEADINGS = ['Loss and score', 'Segmentation by class', 'Visibility', 'Other numbers', 'Time'] as const;

/** Charts under one heading. */
export interface ChartGroup {
  readonly heading: string;
  readonly charts: readonly Chart[];
  /** What the charts show, where their titles leave it open. */
  readonly note?: string;
}

/** Phases of an epoch in the order of the paper's Algorithm 1, in words. */
const PHASES: Readonly<Record<string, string>> = {
  sample: 'sampling scenes',
  render: 'rendering',
  mmd: 'features and MMD',
  vjp: 'image gradient to attributes',
  transformer: 'transformer',
  task: 'task network',
};
const EPOCH = 'meta-epoch';
/** Points a line may have: more than a screen has pixels. */
const MAX_POINTS = 2000;
/** A span this wide is drawn on a logarithmic axis. */
const LOG_SPAN = 30;

/**
 * What a run's records show, as charts: loss and score, MMD² by layer, IoU, visibility, other numbers, times. Groups
 * without numbers are left out. The same for a finished run and for one that is under way.
 */
export function trainingCharts(records: readonly MetricsRecord[]): ChartGroup[] {
  const shown = thinned(records);
  const names = [...new Set(shown.flatMap((record) => Object.keys(record)))];
  const has = (name: string) => pointsOf(shown, name).length > 0;
  const under = (prefix: string) =>
    names
      .filter((name) => name.startsWith(`${prefix}/`) && has(name))
      .sort((a, b) => a.localeCompare(b, 'en', { numeric: true }));
  const known = new Set(['step', 'seconds', 'mmd', 'score', 'advantage', 'learningRate']);
  const [loss, segmentation, visibility, other, time] = HEADINGS;
  const groups: ChartGroup[] = [
    { heading: loss, charts: lossCharts(shown, under('mmd')) },
    { heading: segmentation, charts: iouCharts(shown, under('iou')) },
    {
      heading: visibility,
      charts: visibilityCharts(shown, under('visible'), under('hidden')),
      note: 'Learning that hides objects behind each other or off the canvas would match images without matching labels. Dashed: the scenes as the grammar made them; solid: as the transformer left them.',
    },
    {
      heading: other,
      charts: otherCharts(
        shown,
        names.filter((name) => !known.has(name) && !/^(mmd|iou|visible|hidden)\//.test(name) && has(name)),
      ),
    },
    { heading: time, charts: timeCharts(shown) },
  ];
  return groups.filter(({ charts }) => charts.length > 0);
}

function lossCharts(records: readonly MetricsRecord[], layers: readonly string[]): Chart[] {
  const charts: Chart[] = [];
  const mmd = series(records, 'mmd', 'MMD²');
  if (mmd.points.length > 0) {
    charts.push(
      lineChart({
        ...{ id: 'mmd', title: 'Distance to the target images', xTitle: EPOCH, series: [mmd] },
        ...yAxis('MMD²', [mmd]),
        fromZero: true,
      }),
    );
  }
  const score = series(records, 'score', 'score');
  if (score.points.length > 0) {
    const percent = score.points.every(([, y]) => y >= 0 && y <= 1);
    charts.push(
      lineChart({
        id: 'score',
        title: 'Task network on the validation set V',
        xTitle: EPOCH,
        yTitle: percent ? 'score, %' : 'score',
        percent,
        series: [score],
      }),
    );
  }
  // A single layer's is the sum itself.
  if (layers.length > 1) {
    const lines = layers.map((name) => series(records, name, `layer ${name.slice('mmd/'.length)}`));
    charts.push(
      lineChart({
        ...{ id: 'mmd-layers', title: 'Distance by feature layer', xTitle: EPOCH, series: lines },
        ...yAxis('MMD² of the layer alone', lines),
        fromZero: true,
      }),
    );
  }
  const advantage = series(records, 'advantage', 'advantage');
  if (advantage.points.length > 0) {
    charts.push(
      lineChart({
        ...{ id: 'advantage', title: 'Reward beside its moving average', xTitle: EPOCH, series: [advantage] },
        yTitle: 'advantage (score − baseline)',
      }),
    );
  }
  return charts;
}

function iouCharts(records: readonly MetricsRecord[], names: readonly string[]): Chart[] {
  if (names.length === 0) return [];
  return [
    lineChart({
      id: 'iou',
      title: 'Intersection over union on V',
      xTitle: EPOCH,
      yTitle: 'IoU, %',
      percent: true,
      series: names.map((name) => series(records, name, name.slice('iou/'.length))),
    }),
  ];
}

function visibilityCharts(
  records: readonly MetricsRecord[],
  visible: readonly string[],
  hidden: readonly string[],
): Chart[] {
  const chart = (id: string, title: string, yTitle: string, lines: readonly Series[]) =>
    lines.length === 0 ? [] : [lineChart({ id, title, xTitle: EPOCH, yTitle, percent: true, series: lines })];
  const both = (name: string, group: string): Series => {
    const before = name.split('/')[1] === 'input';
    return { ...series(records, name, `${group} ${before ? 'before' : 'after'}`), dashed: before, group };
  };
  return [
    ...chart(
      'visible',
      'How much of an object is seen',
      'mean visible fraction, %',
      visible.map((name) => both(name, name.split('/').slice(2).join('/') || 'all')),
    ),
    ...chart(
      'hidden',
      'Objects of which less than 10 % is seen',
      'share of objects, %',
      hidden.map((name) => both(name, 'all')),
    ),
  ];
}

/** One chart a name; names with a common first part (`angle/car`, `angle/tree`) share one. */
function otherCharts(records: readonly MetricsRecord[], names: readonly string[]): Chart[] {
  const families = new Map<string, string[]>();
  for (const name of names) {
    const family = name.includes('/') ? name.slice(0, name.indexOf('/')) : name;
    families.set(family, [...(families.get(family) ?? []), name]);
  }
  return [...families].map(([family, members]) => {
    const lines = members.map((name) => series(records, name, name.slice(family.length + 1) || name));
    return lineChart({
      ...{ id: `other-${Buffer.from(family).toString('hex')}`, title: family, xTitle: EPOCH, series: lines },
      ...yAxis(family, lines),
    });
  });
}

function timeCharts(records: readonly MetricsRecord[]): Chart[] {
  const phases = phaseNames(records);
  if (phases.length === 0) return [];
  return [
    stackedChart({
      id: 'seconds',
      title: 'Time of an epoch by phase',
      xTitle: EPOCH,
      yTitle: 'seconds',
      series: phases.map((phase) => ({
        name: PHASES[phase] ?? phase,
        points: records.map((record) => [record.step, secondsOf(record)[phase] ?? 0] as const),
      })),
    }),
  ];
}

/** Seconds of each phase, summed over all epochs, with its name in words. */
export function phaseTotals(records: readonly MetricsRecord[]): { name: string; seconds: number }[] {
  return phaseNames(records).map((phase) => ({
    name: PHASES[phase] ?? phase,
    seconds: records.reduce((sum, record) => sum + (secondsOf(record)[phase] ?? 0), 0),
  }));
}

/** Phases that took time, in the order of PHASES. */
function phaseNames(records: readonly MetricsRecord[]): string[] {
  const found = new Set(records.flatMap((record) => Object.entries(secondsOf(record)).map(([phase]) => phase)));
  return [...Object.keys(PHASES), ...found]
    .filter((phase, i, all) => all.indexOf(phase) === i && found.has(phase))
    .filter((phase) => records.some((record) => secondsOf(record)[phase] > 0));
}

function secondsOf({ seconds }: MetricsRecord): Record<string, number> {
  const isRecord = typeof seconds === 'object' && seconds !== null;
  const entries = isRecord ? Object.entries(seconds).filter(([, value]) => typeof value === 'number') : [];
  return Object.fromEntries(entries);
}

function series(records: readonly MetricsRecord[], name: string, title: string): Series {
  return { name: title, points: pointsOf(records, name) };
}

/** [epoch, value] of the records that have one; NaN is none. */
export function pointsOf(records: readonly MetricsRecord[], name: string): (readonly [number, number])[] {
  return records.flatMap((record) => {
    const value = record[name];
    return Number.isFinite(value) ? [[record.step, value as number] as const] : [];
  });
}

/** A logarithmic axis where the numbers span orders of magnitude, and says so. */
function yAxis(title: string, lines: readonly Series[]): { yTitle: string; logY: boolean } {
  const values = lines.flatMap(({ points }) => points.map(([, y]) => y));
  const least = Math.min(...values);
  const logY = values.length > 0 && least > 0 && Math.max(...values) / least > LOG_SPAN;
  return { yTitle: logY ? `${title}, log scale` : title, logY };
}

/** At most `MAX_POINTS` records, evenly chosen, the last among them. */
function thinned(records: readonly MetricsRecord[]): readonly MetricsRecord[] {
  const stride = Math.ceil(records.length / MAX_POINTS);
  return stride <= 1 ? records : records.filter((_, i) => (records.length - 1 - i) % stride === 0);
}
