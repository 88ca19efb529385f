import type { TopLevelSpec } from 'vega-lite';
import { PLOT_COLOURS, plotConfig } from './plots.js';

/** A row of a chart's data. */
export type ChartRow = Readonly<Record<string, string | number>>;

/** A chart that a page draws: the same one in a report and, growing, on the live page. */
export interface Chart {
  /** Unique in its page; letters, digits and dashes. */
  readonly id: string;
  /** vega-lite; its data set is called `rows` and holds none. */
  readonly spec: TopLevelSpec;
  readonly rows: readonly ChartRow[];
}

/** A line over steps or epochs. */
export interface Series {
  readonly name: string;
  /** [x, y]; points whose y is not finite are left out. */
  readonly points: readonly (readonly [x: number, y: number])[];
  /** Dashed: a second state of what another line of the same `colour` shows. */
  readonly dashed?: boolean;
  /** Lines of one group share a colour; default: the name. */
  readonly group?: string;
}

export interface LineChartOptions {
  readonly id: string;
  readonly title: string;
  readonly xTitle: string;
  readonly yTitle: string;
  readonly series: readonly Series[];
  /** Logarithmic y axis; points at or below 0 are left out. */
  readonly logY?: boolean;
  /** The numbers are fractions, read as percent. */
  readonly percent?: boolean;
  /** The linear y axis begins at 0. */
  readonly fromZero?: boolean;
  /** Horizontal dashed lines, e.g. the paper's number. */
  readonly references?: readonly { readonly name: string; readonly y: number }[];
  /** The steps are not meta-epochs: the epoch whose pictures are shown is not pointed out. */
  readonly otherSteps?: boolean;
}

const FAINT = 'var(--faint, #777)';
/** Of a chart with its axes and legend, px. */
const HEIGHT = 250;
const SHAPES = ['circle', 'square', 'triangle-up', 'diamond'];
/** Up to here every point has a dot. */
const MAX_DOTS = 60;
/** Up to here a step has a bar of its own. */
const MAX_BARS = 60;

/** Lines over steps, with all of a step's numbers under the pointer. */
export function lineChart(options: LineChartOptions): Chart {
  const { id, series, logY = false, percent = false, fromZero = percent, references = [] } = options;
  const rows = series.flatMap(({ name, points, group = name }) =>
    points.filter(([, y]) => Number.isFinite(y) && (!logY || y > 0)).map(([x, y]) => ({ x, y, series: name, group })),
  );
  const names = series.map(({ name }) => name);
  const groups = [...new Set(series.map(({ name, group = name }) => group))];
  const dashed = series.filter((one) => one.dashed).map(({ name }) => name);
  const dots = series.every(({ points }) => points.length <= MAX_DOTS);
  const format = percent ? '.1%' : '.4~g';
  const dash =
    dashed.length === 0
      ? {}
      : {
          strokeDash: {
            field: 'series',
            type: 'nominal',
            scale: { domain: names, range: names.map((name) => (dashed.includes(name) ? [5, 4] : [1, 0])) },
            legend: null,
          },
        };
  // One legend entry a line where all lines have their own colour, else one a colour; the title says what dashes mean.
  const colour = {
    field: 'group',
    type: 'nominal',
    scale: { domain: groups, range: colours(groups.length) },
    legend: groups.length > 1 ? {} : null,
  };
  // More lines than colours: those of one colour have dots of different shape.
  const shapes =
    groups.length > PLOT_COLOURS.length
      ? {
          shape: {
            ...{ field: 'group', type: 'nominal' },
            scale: { domain: groups, range: groups.map((_, i) => SHAPES[Math.floor(i / PLOT_COLOURS.length) % 4]) },
          },
        }
      : undefined;
  const x = {
    field: 'x',
    type: 'quantitative',
    title: options.xTitle,
    scale: { zero: false, nice: false },
    axis: { format: 'd', tickMinStep: 1, grid: false },
  };
  const y = {
    field: 'y',
    type: 'quantitative',
    title: options.yTitle,
    scale: logY
      ? { type: 'log' }
      : { zero: fromZero, ...(percent && rows.every((row) => row.y === 0) ? { domain: [0, 0.1] } : {}) },
    axis: { ...(percent ? { format: '.0%' } : {}), tickCount: 5 },
  };
  return {
    id,
    rows,
    spec: {
      ...chartFrame(options),
      ...(options.otherSteps ? {} : { params: [{ name: 'marked', value: null }] }),
      encoding: { x },
      layer: [
        {
          mark: { type: 'line', strokeWidth: 2, strokeJoin: 'round' },
          encoding: { y, color: colour, detail: { field: 'series' }, ...dash },
        },
        ...(dots || shapes
          ? [{ mark: { type: 'point', filled: true, size: 26, opacity: 1 }, encoding: { y, color: colour, ...shapes } }]
          : []),
        {
          // All lines' numbers of the step that is nearest to the pointer.
          transform: [{ pivot: 'series', value: 'y', groupby: ['x'] }],
          params: [
            {
              name: 'hover',
              select: { type: 'point', encodings: ['x'], nearest: true, on: 'pointerover', clear: 'pointerout' },
            },
          ],
          mark: { type: 'rule', strokeWidth: 1, color: FAINT, tooltip: { content: 'data' } },
          encoding: {
            opacity: { condition: { param: 'hover', empty: false, value: 0.8 }, value: 0 },
            tooltip: [
              { field: 'x', type: 'quantitative', title: options.xTitle, format: ',d' },
              ...names.map((name) => ({ field: fieldName(name), type: 'quantitative', title: name, format })),
            ],
          },
        },
        ...(options.otherSteps ? [] : [MARKED_EPOCH]),
        ...references.map(({ name, y: value }) => ({
          data: { values: [{ value, name }] },
          encoding: { x: null, y: { field: 'value', type: 'quantitative' } },
          layer: [
            { mark: { type: 'rule', strokeDash: [5, 4], color: FAINT } },
            {
              mark: { type: 'text', color: FAINT, align: 'right', baseline: 'bottom', x: 'width', dx: -4, dy: -2 },
              encoding: { text: { field: 'name', type: 'nominal' } },
            },
          ],
        })),
      ],
    } as TopLevelSpec,
  };
}

/** A line at the epoch whose pictures are shown; none before the page says which. */
const MARKED_EPOCH = {
  data: { values: [{}] },
  transform: [{ calculate: 'marked', as: 'x' }, { filter: 'isValid(datum.x)' }],
  mark: { type: 'rule', strokeWidth: 1.5, strokeDash: [2, 2], color: FAINT },
  encoding: { x: { field: 'x', type: 'quantitative' } },
};

export interface StackedChartOptions {
  readonly id: string;
  readonly title: string;
  readonly xTitle: string;
  readonly yTitle: string;
  /** From the bottom up. */
  readonly series: readonly Series[];
}

/** Parts of a whole over steps: bars, or areas where there are many steps. */
export function stackedChart(options: StackedChartOptions): Chart {
  const { id, series } = options;
  const names = series.map(({ name }) => name);
  const rows = series.flatMap(({ name, points }, order) => points.map(([x, y]) => ({ x, y, series: name, order })));
  const bars = series.every(({ points }) => points.length <= MAX_BARS);
  return {
    id,
    rows,
    spec: {
      ...chartFrame(options),
      mark: bars
        ? { type: 'bar', tooltip: true, stroke: 'var(--page, #fff)', strokeWidth: 0.5 }
        : { type: 'area', tooltip: true, interpolate: 'step' },
      encoding: {
        x: {
          field: 'x',
          type: bars ? 'ordinal' : 'quantitative',
          title: options.xTitle,
          axis: { labelAngle: 0, labelOverlap: true, grid: false },
          ...(bars ? {} : { scale: { nice: false, zero: false } }),
        },
        y: { field: 'y', type: 'quantitative', title: options.yTitle, stack: 'zero', axis: { tickCount: 5 } },
        color: {
          field: 'series',
          type: 'nominal',
          scale: { domain: names, range: colours(names.length) },
          legend: {},
        },
        order: { field: 'order', type: 'quantitative' },
        tooltip: [
          { field: 'x', title: options.xTitle },
          { field: 'series', title: 'phase' },
          { field: 'y', type: 'quantitative', title: options.yTitle, format: '.3~r' },
        ],
      },
    } as TopLevelSpec,
  };
}

/** Counts of a quantity in equal bins between its two ends. */
export interface Histogram {
  readonly minimum: number;
  readonly maximum: number;
  readonly counts: readonly number[];
}

export interface HistogramChartOptions {
  readonly id: string;
  readonly title: string;
  readonly xTitle: string;
  /** Values with a tick; default: round ones. */
  readonly ticks?: readonly number[];
  /** Drawn over each other: the first as a grey ground, the next as coloured bars, the last of three as a dashed outline. */
  readonly series: readonly { readonly name: string; readonly histogram: Histogram }[];
}

/** Marks of up to three histograms over each other, told apart by more than their colour. */
const HISTOGRAM_COLOURS = ['var(--ground, #b4b4b0)', PLOT_COLOURS[0], PLOT_COLOURS[1]];

/** Histograms of one quantity in different states; the height of a bar is the share of the values in its bin. */
export function histogramChart(options: HistogramChartOptions): Chart {
  const { id, series } = options;
  const names = series.map(({ name }) => name);
  const rows = series.flatMap(({ name, histogram: { minimum, maximum, counts } }) => {
    const total = counts.reduce((a, b) => a + b, 0) || 1;
    const width = (maximum - minimum) / counts.length;
    return counts.map((count, bin) => ({
      from: minimum + bin * width,
      to: minimum + (bin + 1) * width,
      share: count / total,
      series: name,
    }));
  });
  const ends = series.flatMap(({ histogram }) => [histogram.minimum, histogram.maximum]);
  const x = {
    field: 'from',
    type: 'quantitative',
    title: options.xTitle,
    scale: { domain: [Math.min(...ends), Math.max(...ends)], nice: false, zero: false },
    axis: { grid: false, tickCount: 7, ...(options.ticks ? { values: [...options.ticks] } : {}) },
  };
  const y = {
    field: 'share',
    type: 'quantitative',
    stack: null,
    title: 'share of objects',
    axis: { format: '~%', tickCount: 4 },
  };
  const color = {
    field: 'series',
    type: 'nominal',
    scale: { domain: names, range: HISTOGRAM_COLOURS.slice(0, names.length) },
    legend: names.length > 1 ? { symbolType: 'square' } : null,
  };
  const only = (shown: readonly string[]) => [{ filter: { field: 'series', oneOf: shown } }];
  return {
    id,
    rows,
    spec: {
      ...chartFrame(options),
      layer: [
        {
          transform: only(names.slice(0, 2)),
          mark: { type: 'bar', binSpacing: 0.5, opacity: 0.75 },
          encoding: { x: { ...x, bin: { binned: true } }, x2: { field: 'to' }, y, color },
        },
        ...(names.length > 2
          ? [
              {
                transform: [...only(names.slice(2)), { filter: 'datum.share > 0' }],
                mark: { type: 'bar', filled: false, strokeWidth: 2, strokeDash: [4, 2], binSpacing: 0 },
                encoding: { x: { ...x, bin: { binned: true } }, x2: { field: 'to' }, y, color },
              },
            ]
          : []),
        {
          transform: [{ pivot: 'series', value: 'share', groupby: ['from', 'to'] }],
          mark: { type: 'rect', opacity: 0, tooltip: true },
          encoding: {
            x,
            x2: { field: 'to' },
            tooltip: [
              { field: 'from', type: 'quantitative', title: 'from', format: '.3~r' },
              { field: 'to', type: 'quantitative', title: 'to', format: '.3~r' },
              ...names.map((name) => ({ field: fieldName(name), type: 'quantitative', title: name, format: '.1%' })),
            ],
          },
        },
      ],
    } as TopLevelSpec,
  };
}

/** What all charts of a page look like: as wide as their place. */
function chartFrame({ title }: { title: string }) {
  return {
    $schema: 'https://vega.github.io/schema/vega-lite/v6.json',
    title: { text: title, anchor: 'start', fontSize: 13, fontWeight: 600, offset: 10 },
    description: title,
    width: 'container',
    height: HEIGHT,
    autosize: { type: 'fit', contains: 'padding' },
    background: 'transparent',
    data: { name: 'rows', values: [] },
    config: plotConfig(),
  };
}

function colours(count: number): string[] {
  return Array.from({ length: count }, (_, i) => PLOT_COLOURS[i % PLOT_COLOURS.length]);
}

/** A name as the field of that name: vega reads dots and brackets as paths. */
function fieldName(name: string): string {
  return name.replace(/[.[\]\\']/g, '\\$&');
}
