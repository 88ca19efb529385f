import type { TopLevelSpec } from 'vega-lite';
import {
  ATTRIBUTE_BINS,
  type ClassStatistics,
  type Counts,
  type DatasetStatistics,
  denseCounts,
  FRACTION_BINS,
  MAX_OBJECTS_PER_IMAGE,
} from '../../dataset/describe/statistics.js';
import { frame, PLOT_COLOURS, plotSvg } from '../plots.js';

/** Classes that have a bar, or a colour, of their own; the others are summed up. */
const MAX_BARS = 30;
const MAX_COLOURS = PLOT_COLOURS.length - 1;
/** Longest name in a plot, characters. */
const MAX_NAME = 32;
/** More bars than this are gathered for objects per image. */
const MAX_COUNT_BARS = 40;

/** Bars of objects per class, most first. */
export function classBalancePlot(classes: readonly ClassStatistics[]): Promise<string> {
  const sorted = [...classes].sort((a, b) => b.objects - a.objects);
  const rows = sorted.slice(0, MAX_BARS).map(({ name, objects }, i) => ({ place: i, name: short(name), objects }));
  const rest = sorted.slice(MAX_BARS);
  if (rest.length > 0) {
    const objects = rest.reduce((sum, one) => sum + one.objects, 0);
    rows.push({ place: MAX_BARS, name: `${rest.length} others`, objects });
  }
  // Two classes may be cut to the same name: bars are told apart by their place.
  const labels = rows.map(({ name }, place) =>
    rows.findIndex((row) => row.name === name) < place ? `${name} (${place})` : name,
  );
  return plotSvg({
    ...frame({ title: 'Objects per class', height: Math.max(60, 18 * rows.length) }),
    data: { values: rows.map((row, place) => ({ ...row, name: labels[place] })) },
    mark: { type: 'bar', color: PLOT_COLOURS[0] },
    encoding: {
      y: { field: 'name', type: 'nominal', sort: labels, title: null, axis: { labelLimit: 220 } },
      x: { field: 'objects', type: 'quantitative', title: 'visible objects', axis: { tickMinStep: 1 } },
    },
  } as TopLevelSpec);
}

/** Bars of the number of images that have 0, 1, 2 … objects. */
export function objectsPerImagePlot(counts: Counts): Promise<string> {
  const largest = Math.max(0, ...Object.keys(counts).map(Number));
  const step = Math.ceil((largest + 1) / MAX_COUNT_BARS);
  const dense = denseCounts(counts, MAX_OBJECTS_PER_IMAGE + 1);
  const values = Array.from({ length: Math.ceil((largest + 1) / step) }, (_, bar) => ({
    from: bar * step - 0.5,
    to: (bar + 1) * step - 0.5,
    images: dense.slice(bar * step, (bar + 1) * step).reduce((sum, count) => sum + count, 0),
  }));
  return plotSvg({
    ...frame({ title: 'Objects per image' }),
    data: { values },
    mark: { type: 'bar', color: PLOT_COLOURS[0], binSpacing: step === 1 ? 6 : 1 },
    encoding: {
      x: {
        field: 'from',
        type: 'quantitative',
        bin: { binned: true },
        title: 'visible objects',
        scale: { domain: [-0.5, (values.length || 1) * step - 0.5], nice: false },
        axis: { tickMinStep: 1, format: 'd' },
      },
      x2: { field: 'to' },
      y: { field: 'images', type: 'quantitative', title: 'images', axis: { tickMinStep: 1 } },
    },
  } as TopLevelSpec);
}

/** How much of the objects is seen, stacked by class. @param classes those with most objects first: they have colours of their own */
export function visibleFractionPlot(classes: readonly ClassStatistics[]): Promise<string> {
  const series = classes.map(({ name, visibleFraction }) => ({ name, counts: visibleFraction }));
  return stackedHistogram('Visible fraction', 'visible px / px alone', series, [0, 1], FRACTION_BINS);
}

/**
 * An attribute's values, stacked by class.
 * @param classes as for `visibleFractionPlot`
 * @param attribute position among the axes
 */
export function attributePlot(
  { attributes }: DatasetStatistics,
  classes: readonly ClassStatistics[],
  attribute: number,
): Promise<string> {
  const { name, unit, minimum, maximum } = attributes[attribute];
  const series = classes.map((one) => ({ name: one.name, counts: one.attributes[attribute] }));
  const axis = unit ? `${short(name)} (${short(unit)})` : short(name);
  return stackedHistogram(short(name), axis, series, [minimum, maximum], ATTRIBUTE_BINS);
}

/** Number of different bins that hold anything. */
export function occupiedBins(series: readonly Counts[]): number {
  return new Set(series.flatMap((counts) => Object.keys(counts))).size;
}

/** Bars of bins that `binOf` made; what lies outside the range stands in a bar of its own at that end. */
function stackedHistogram(
  title: string,
  xTitle: string,
  series: readonly { readonly name: string; readonly counts: Counts }[],
  [minimum, maximum]: readonly [number, number],
  bins: number,
): Promise<string> {
  const width = (maximum - minimum) / bins || 1;
  const outside = series.some(({ counts }) => (counts[0] ?? 0) > 0 || (counts[bins + 1] ?? 0) > 0);
  const names = series.slice(0, MAX_COLOURS).map(({ name }) => short(name));
  if (series.length > MAX_COLOURS) names.push('others');
  const rows = series.flatMap(({ counts }, i) =>
    Object.entries(counts).map(([key, count]) => {
      const from = minimum + (Number(key) - 1) * width;
      return { from, to: from + width, count, series: names[Math.min(i, MAX_COLOURS)], order: i };
    }),
  );
  const margin = outside ? width : 0;
  return plotSvg({
    ...frame({ title: outside ? `${title} (outer bars: beyond the range)` : title }),
    data: { values: rows },
    mark: { type: 'bar', binSpacing: 0.5 },
    encoding: {
      x: {
        field: 'from',
        type: 'quantitative',
        bin: { binned: true },
        title: xTitle,
        scale: { domain: [minimum - margin, minimum + bins * width + margin], nice: false },
      },
      x2: { field: 'to' },
      y: { field: 'count', type: 'quantitative', aggregate: 'sum', title: 'objects', axis: { tickMinStep: 1 } },
      color: {
        field: 'series',
        type: 'nominal',
        scale: { domain: names, range: names.map((_, i) => PLOT_COLOURS[i % PLOT_COLOURS.length]) },
        legend: names.length > 1 ? {} : null,
      },
      order: { field: 'order', type: 'quantitative' },
    },
  } as TopLevelSpec);
}

function short(name: string): string {
  const letters = [...name];
  return letters.length <= MAX_NAME ? name : `${letters.slice(0, MAX_NAME - 1).join('')}…`;
}
