import type { TopLevelSpec } from 'vega-lite';

/**
 * Okabe and Ito's colours, told apart also by colour-blind readers. A page may set others for a dark ground by its
 * properties `--series-1` and so on; elsewhere they are as written here.
 */
export const PLOT_COLOURS = ['#0072b2', '#d55e00', '#009e73', '#cc79a7', '#e69f00', '#56b4e9', '#5b5b5b'].map(
  (colour, i) => `var(--series-${i + 1}, ${colour})`,
);
const WIDTH = 440;
const HEIGHT = 240;

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
