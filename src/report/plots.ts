import type { TopLevelSpec } from 'vega-lite';

/** A line of a curve plot: [x, y] points in order of x; points whose y is not finite are left out. */
export interface Curve {
  readonly name: string;
  readonly points: readonly (readonly [x: number, y: number])[];
}

export interface CurvePlotOptions {
  readonly title: string;
  readonly xTitle: string;
  readonly yTitle: string;
  readonly curves: readonly Curve[];
  /** Logarithmic y axis; points at or below 0 are left out. */
  readonly logY?: boolean;
  /** Range of the y axis; default as the data need it. */
  readonly yDomain?: readonly [number, number];
  /** Horizontal dashed lines, e.g. the paper's number. */
  readonly references?: readonly { readonly name: string; readonly y: number }[];
  /** Size of the drawing area, px; default 440 × 240. */
  readonly width?: number;
  readonly height?: number;
}

export interface HistogramOptions {
  readonly title: string;
  readonly xTitle: string;
  /** One histogram a series, drawn over each other. */
  readonly series: readonly { readonly name: string; readonly values: ArrayLike<number> }[];
  /** Ends of the first and last bin; values outside count into those. Default: the range of the values. */
  readonly domain?: readonly [number, number];
  /** Number of bins; default 48. */
  readonly bins?: number;
  /** Vertical dashed lines, e.g. the target's mean. */
  readonly references?: readonly { readonly name: string; readonly x: number }[];
  readonly width?: number;
  readonly height?: number;
}

/**
 * Okabe and Ito's colours, told apart also by colour-blind readers. A page may set others for a dark ground by its
 * properties `--series-1` and so on; elsewhere they are as written here.
 */
export const PLOT_COLOURS = ['#0072b2', '#d55e00', '#009e73', '#cc79a7', '#e69f00', '#56b4e9', '#5b5b5b'].map(
  (colour, i) => `var(--series-${i + 1}, ${colour})`,
);
const WIDTH = 440;
const HEIGHT = 240;
const DEFAULT_BINS = 48;

/**
 * Draws a vega-lite specification as SVG text, without a DOM. (vega is loaded on the first call: it takes half a second.)
 */
export async function plotSvg(spec: TopLevelSpec): Promise<string> {
  const [vega, vegaLite] = await Promise.all([import('vega'), import('vega-lite')]);
  const view = new vega.View(vega.parse(vegaLite.compile(spec).spec), { renderer: 'none', logLevel: vega.Error });
  try {
    return await view.toSVG();
  } finally {
    view.finalize();
  }
}

/** Curves over steps or epochs, as SVG. */
export async function curvePlot(options: CurvePlotOptions): Promise<string> {
  const { curves, logY = false, references = [] } = options;
  const rows = curves.flatMap(({ name, points }) =>
    points.filter(([, y]) => Number.isFinite(y) && (!logY || y > 0)).map(([x, y]) => ({ x, y, series: name })),
  );
  const names = curves.map((curve) => curve.name);
  const few = curves.every((curve) => curve.points.length <= 60);
  return plotSvg({
    ...frame(options),
    layer: [
      {
        data: { values: rows },
        mark: { type: 'line', strokeWidth: 1.8, clip: true, ...(few ? { point: { size: 14, filled: true } } : {}) },
        encoding: {
          x: { field: 'x', type: 'quantitative', title: options.xTitle, scale: { zero: false, nice: false } },
          y: {
            field: 'y',
            type: 'quantitative',
            title: options.yTitle,
            scale: {
              ...(logY ? { type: 'log' } : { zero: false }),
              ...(options.yDomain ? { domain: [...options.yDomain] } : {}),
            },
          },
          color: seriesColour(names),
        },
      },
      ...references.map(({ name, y }) => referenceLayers('y', name, y)),
    ],
  } as TopLevelSpec);
}

/** Histograms of one quantity, as SVG. Bars show the share of a series' values in each bin. */
export async function histogramPlot(options: HistogramOptions): Promise<string> {
  const { series, bins = DEFAULT_BINS, references = [] } = options;
  const domain = options.domain ?? valueRange(series.map((s) => s.values));
  const rows = series.flatMap(({ name, values }) => {
    const width = (domain[1] - domain[0]) / bins;
    const counts = histogramCounts(values, domain, bins);
    const total = counts.reduce((a, b) => a + b, 0) || 1;
    return Array.from(counts, (count, i) => ({
      from: domain[0] + i * width,
      to: domain[0] + (i + 1) * width,
      share: count / total,
      series: name,
    }));
  });
  const names = series.map((s) => s.name);
  return plotSvg({
    ...frame(options),
    layer: [
      {
        data: { values: rows },
        mark: { type: 'bar', opacity: series.length > 1 ? 0.6 : 0.9, binSpacing: 0.5 },
        encoding: {
          x: {
            field: 'from',
            type: 'quantitative',
            bin: { binned: true },
            title: options.xTitle,
            scale: { domain: [...domain], nice: false },
          },
          x2: { field: 'to' },
          y: { field: 'share', type: 'quantitative', title: 'share', stack: null, axis: { format: '.0%' } },
          color: seriesColour(names),
        },
      },
      ...references.map(({ name, x }) => referenceLayers('x', name, x)),
    ],
  } as TopLevelSpec);
}

/**
 * Numbers of values in `bins` equal bins between the two ends; values beyond an end count into the bin there, NaN
 * nowhere.
 */
export function histogramCounts(
  values: ArrayLike<number>,
  domain: readonly [number, number],
  bins: number,
): Uint32Array {
  const counts = new Uint32Array(bins);
  const scale = bins / (domain[1] - domain[0]);
  for (let i = 0; i < values.length; i++) {
    const bin = Math.floor((values[i] - domain[0]) * scale);
    if (!Number.isNaN(bin)) counts[Math.min(bins - 1, Math.max(0, bin))]++;
  }
  return counts;
}

function valueRange(all: readonly ArrayLike<number>[]): [number, number] {
  let minimum = Number.POSITIVE_INFINITY;
  let maximum = Number.NEGATIVE_INFINITY;
  for (const values of all) {
    for (let i = 0; i < values.length; i++) {
      if (!Number.isFinite(values[i])) continue;
      minimum = Math.min(minimum, values[i]);
      maximum = Math.max(maximum, values[i]);
    }
  }
  if (minimum > maximum) return [0, 1];
  return minimum === maximum ? [minimum - 0.5, maximum + 0.5] : [minimum, maximum];
}

/** What all plots look like: title, size, font, colours of the axes. */
export function frame(options: { title: string; width?: number; height?: number }) {
  return {
    $schema: 'https://vega.github.io/schema/vega-lite/v6.json',
    title: { text: options.title, anchor: 'start', fontSize: 13, fontWeight: 600 },
    width: options.width ?? WIDTH,
    height: options.height ?? HEIGHT,
    background: 'transparent',
    config: plotConfig(),
  };
}

/** Font and colours of plots: the page's own, by its properties, or those for a white ground. */
export function plotConfig() {
  const soft = 'var(--soft, #444)';
  const line = 'var(--axis, #888)';
  return {
    font: 'system-ui, sans-serif',
    title: { color: 'var(--ink, #222)' },
    view: { stroke: 'var(--line, #ddd)' },
    axis: {
      gridColor: 'var(--grid, #eee)',
      domainColor: line,
      tickColor: line,
      labelColor: soft,
      titleColor: soft,
      titleFontWeight: 500,
      labelFontSize: 11,
      titleFontSize: 11,
    },
    legend: { title: null, orient: 'bottom', labelColor: soft, labelFontSize: 11 },
  } as const;
}

/** One colour a series; the legend is left out where there is only one. */
function seriesColour(names: readonly string[]) {
  return {
    field: 'series',
    type: 'nominal',
    scale: { domain: [...names], range: names.map((_, i) => PLOT_COLOURS[i % PLOT_COLOURS.length]) },
    legend: names.length > 1 ? {} : null,
  };
}

/** A dashed line across the plot at a value of one axis, with its name. */
function referenceLayers(axis: 'x' | 'y', name: string, value: number) {
  const placed =
    axis === 'y'
      ? { align: 'right', baseline: 'bottom', x: 'width', dx: -4, dy: -2 }
      : { align: 'left', baseline: 'top', y: 0, dx: 4, dy: 4 };
  return {
    data: { values: [{ value, name }] },
    encoding: { [axis]: { field: 'value', type: 'quantitative' } },
    layer: [
      { mark: { type: 'rule', strokeDash: [5, 4], color: 'var(--faint, #777)' } },
      {
        mark: { type: 'text', color: 'var(--faint, #777)', fontSize: 11, ...placed },
        encoding: { text: { field: 'name', type: 'nominal' } },
      },
    ],
  };
}
