import type { ClassStatistics, DatasetStatistics } from '../../dataset/describe/statistics.js';
import { totalOf } from '../../dataset/describe/statistics.js';
import type { HtmlReport, ReportBlock, ReportSection } from '../htmlReport.js';
import type { Cell } from '../textTable.js';
import type { DatasetOrigin } from './datasetFacts.js';
import type { Inspection } from './inspectDataset.js';
import {
  attributePlot,
  classBalancePlot,
  objectsPerImagePlot,
  occupiedBins,
  visibleFractionPlot,
} from './inspectionPlots.js';
import { inspectionSheet } from './inspectionSheet.js';
import type { ShownSample, TileStyle } from './labelTile.js';

/** Attributes that have a plot. */
const MAX_PLOTS = 60;
/** Classes in the table. */
const MAX_ROWS = 500;

export const BALANCE_HEAD = ['class', 'objects', 'images', 'hidden', 'mean px'];

const CAPTIONS: Readonly<Record<TileStyle, string>> = {
  boxes: 'Boxes of what is seen; dashed where the whole object would reach. A tag names class and node.',
  boxes3d: 'The 3D boxes, with a cross on the face that an object shows to the front. A tag names class and distance.',
  masks: 'A colour for each instance; the tag is its node, the instance mask holds node + 1.',
  depth:
    'Depth: red the nearest surface of an image, blue the farthest, evenly in its logarithm; black where there is none.',
  normals: "Normals along the camera's axes: red to the right, green down, blue away from it, grey for 0.",
  plain: 'The images as they are.',
};

/** Whether a sample has what a style draws. */
const HAS: Readonly<Record<TileStyle, (sample: ShownSample) => unknown>> = {
  boxes: () => true,
  boxes3d: ({ labels }) => labels.camera && labels.objects.some(({ box3d }) => box3d),
  masks: ({ instances }) => instances,
  depth: ({ depth }) => depth,
  normals: ({ normals }) => normals,
  plain: () => true,
};

const TILE_STYLES = Object.keys(HAS) as TileStyle[];

/** Contact sheets as PNG files by the name of their style; only of what samples bring. */
export function inspectionSheets({ shown, info }: Inspection): Partial<Record<TileStyle, Uint8Array>> {
  const styles = TILE_STYLES.filter((style) => shown.some(HAS[style]));
  return Object.fromEntries(styles.map((style) => [style, inspectionSheet(shown, info, style).picture.png()]));
}

/**
 * The page of `metasim inspect`.
 * @param name of the format
 */
export async function inspectionPage(
  inspection: Inspection,
  name: string,
  origin: DatasetOrigin,
  sheets: Partial<Record<TileStyle, Uint8Array>>,
): Promise<HtmlReport> {
  const { info, images, shown, statistics } = inspection;
  const things = thingStatistics(inspection);
  const objects = things.reduce((sum, one) => sum + one.objects, 0);
  const pictures = Object.entries(sheets).map(
    ([style, png]): ReportBlock => ({ kind: 'picture', png, caption: CAPTIONS[style as TileStyle] }),
  );
  const sections: ReportSection[] = [
    { heading: 'Facts', blocks: [{ kind: 'table', head: ['', ''], rows: factRows(inspection, name, origin) }] },
    { heading: `${shown.length} of ${images} images`, blocks: pictures },
    {
      heading: 'Class balance',
      blocks: [
        { kind: 'table', head: BALANCE_HEAD, rows: balanceRows(inspection), caption: balanceCaption(inspection) },
        ...(objects > 0 ? [plot(await classBalancePlot(things))] : []),
        plot(await objectsPerImagePlot(statistics.objectsPerImage)),
      ],
    },
  ];
  const most = [...things].sort((a, b) => b.objects - a.objects);
  if (things.some(({ visibleFraction }) => totalOf(visibleFraction) > 0)) {
    sections.push({ heading: 'Visibility', blocks: [plot(await visibleFractionPlot(most))] });
  }
  const attributes = await attributeBlocks(statistics, most);
  if (attributes.length > 0) sections.push({ heading: 'Attributes', blocks: attributes });
  return {
    title: `${info.name}: a look at the dataset`,
    summary: `${images} images, ${objects} objects of ${things.length} classes.`,
    sections,
  };
}

/** Rows under `BALANCE_HEAD`: every class, those that detection does not list last. */
export function balanceRows(inspection: Inspection): Cell[][] {
  const { info, statistics } = inspection;
  const others = statistics.classes.filter(({ name }) => !info.things.includes(name));
  return [...thingStatistics(inspection), ...others]
    .slice(0, MAX_ROWS)
    .map(({ name, objects, images, hidden, pixels }) => [
      name,
      objects,
      images,
      hidden,
      objects > 0 && pixels > 0 ? Math.round(pixels / objects) : '',
    ]);
}

function balanceCaption({ statistics }: Inspection): string {
  const rest = statistics.classes.length - MAX_ROWS;
  const note = 'Objects are those seen; hidden ones have no visible pixel.';
  return rest > 0 ? `${note} ${rest} more classes are not listed.` : note;
}

function factRows({ info, images, statistics }: Inspection, name: string, origin: DatasetOrigin): Cell[][] {
  const { width, height, channels } = info;
  const colour = channels === undefined ? '' : channels === 1 ? ', grey' : ', RGB';
  const canvas =
    width === undefined || height === undefined ? 'of different sizes' : `${width} × ${height} px${colour}`;
  const rows: (readonly [string, string | number])[] = [
    ['format', name],
    ['images', `${images} ${canvas}`],
    ['split', info.split],
    ['codec', info.codec],
    ['classes', `${info.things.length} listed, ${statistics.classes.length} in all`],
    ...origin.rows,
  ];
  return rows.map(([what, value]) => [what, String(value)]);
}

/** Statistics of the classes that detection lists, in their order. */
function thingStatistics({ info, statistics }: Inspection): ClassStatistics[] {
  const byName = new Map(statistics.classes.map((one) => [one.name, one]));
  return info.things.flatMap((name) => byName.get(name) ?? []);
}

/** A plot for each attribute that varies, and a table of those that do not. */
async function attributeBlocks(
  statistics: DatasetStatistics,
  things: readonly ClassStatistics[],
): Promise<ReportBlock[]> {
  const plots: ReportBlock[] = [];
  const constant: Cell[][] = [];
  for (const [a, { name, unit, minimum, maximum }] of statistics.attributes.entries()) {
    const counts = things.map(({ attributes }) => attributes[a]);
    const bins = occupiedBins(counts);
    if (bins > 1 && plots.length < MAX_PLOTS) plots.push(plot(await attributePlot(statistics, things, a)));
    else if (bins > 0) constant.push([name, unit, minimum, maximum, bins > 1 ? 'varies' : 'in one bin of its range']);
  }
  if (constant.length === 0) return plots;
  return [...plots, { kind: 'table', head: ['without a plot', 'unit', 'from', 'to', ''], rows: constant }];
}

function plot(svg: string): ReportBlock {
  return { kind: 'plot', svg };
}
