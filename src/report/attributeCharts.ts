import {
  ATTRIBUTE_SOURCES,
  type AttributeHistogram,
  type AttributeHistograms,
  type AttributeSourceName,
} from './attributeHistograms.js';
import { type Chart, histogramChart } from './charts.js';

/** Charts of classes and attributes: those that training may change, and those it leaves alone. */
export interface AttributeCharts {
  readonly mutable: readonly Chart[];
  readonly fixed: readonly Chart[];
}

const NAMES: Readonly<Record<AttributeSourceName, string>> = {
  input: 'before (grammar)',
  learned: 'after (learned)',
  target: 'target',
};
/** Charts of each kind; a page with more is read by nobody. */
const MAX_CHARTS = 60;

/** A histogram chart for each attribute of each class, the sources over each other; constant ones are left out. */
export function attributeCharts(sources: AttributeHistograms): AttributeCharts {
  const mutable: Chart[] = [];
  const fixed: Chart[] = [];
  for (const [className, attribute] of pairs(sources)) {
    const found = ATTRIBUTE_SOURCES.flatMap((source) => {
      const histogram = sources[source]?.classes[className]?.[attribute];
      return histogram ? [{ source, name: NAMES[source], histogram }] : [];
    });
    const changeable = found.some(({ histogram }) => histogram.mutable);
    const bins = new Set(found.flatMap(({ histogram }) => occupied(histogram)));
    if (bins.size < 2) continue;
    const { unit, periodic, minimum, maximum } = found[0].histogram;
    const list = changeable ? mutable : fixed;
    if (list.length >= MAX_CHARTS) continue;
    list.push(
      histogramChart({
        id: `attribute-${changeable ? 'mutable' : 'fixed'}-${list.length}`,
        title: `${className}: ${attribute}`,
        xTitle: unit ? `${attribute}, ${unit}` : attribute,
        // Eighths of a turn.
        ...(periodic ? { ticks: Array.from({ length: 9 }, (_, i) => minimum + (i * (maximum - minimum)) / 8) } : {}),
        series: found,
      }),
    );
  }
  return { mutable, fixed };
}

/** [class, attribute] in the order of the schema. */
function pairs(sources: AttributeHistograms): [string, string][] {
  const keys = new Map<string, [string, string]>();
  for (const source of ATTRIBUTE_SOURCES) {
    for (const [className, attributes] of Object.entries(sources[source]?.classes ?? {})) {
      for (const attribute of Object.keys(attributes)) keys.set(`${className}\n${attribute}`, [className, attribute]);
    }
  }
  return [...keys.values()];
}

function occupied({ counts }: AttributeHistogram): number[] {
  return counts.flatMap((count, bin) => (count > 0 ? [bin] : []));
}
