import type { AerialResult, AerialRow } from '../experiments/aerial/experiment.js';
import { AERIAL_LABELS } from '../experiments/aerial/scenes.js';
import { featuresText } from './featuresText.js';
import type { ReportBlock, ReportSection } from './htmlReport.js';
import { textTable } from './textTable.js';

/** The paper's table 2, percent. */
const PAPER: Readonly<Record<'grammar' | 'metasim', AerialRow['iou']>> = {
  grammar: { car: 30.0, road: 93.1, house: 98.3, tree: 99.7, mean: 80.3 },
  metasim: { car: 86.7, road: 99.6, house: 95.0, tree: 99.5, mean: 95.2 },
};

const COLUMNS = [...AERIAL_LABELS, 'mean'] as const;
const TABLE_HEAD = ['data', ...COLUMNS.map((name) => `${name} %`)];
const MEASURE_HEAD = ['data', 'cars to road, °', 'objects seen, %', 'objects hidden, %'];

/** Table 2 and what was learned, as plain text. */
export function aerialResultText(result: AerialResult): string {
  const { training, evaluation } = result.seconds;
  return [
    textTable(TABLE_HEAD, tableRows(result)),
    '',
    textTable(MEASURE_HEAD, measureRows(result)),
    '',
    describe(result),
    `training ${training.toFixed(0)} s, evaluation ${evaluation.toFixed(0)} s`,
  ].join('\n');
}

/**
 * The same as sections of a report.
 * @param figures pictures of the run, with captions
 */
export function aerialResultSections(
  result: AerialResult,
  figures: readonly { readonly png: Uint8Array; readonly caption: string }[] = [],
): ReportSection[] {
  const pictures = figures.map((figure): ReportBlock => ({ kind: 'picture', ...figure }));
  const caption = `Intersection over union on ${result.config.evaluation.testImages} fresh target images; ${describe(result)}`;
  return [
    {
      heading: 'Task network on the target',
      blocks: [{ kind: 'table', head: TABLE_HEAD, rows: tableRows(result), caption }],
    },
    {
      heading: 'What the training images show',
      blocks: [{ kind: 'table', head: MEASURE_HEAD, rows: measureRows(result) }, ...pictures],
    },
  ];
}

function tableRows({ results }: AerialResult): string[][] {
  const row = (name: string, iou: AerialRow['iou']) => [name, ...COLUMNS.map((column) => iou[column].toFixed(1))];
  return [
    row('grammar', results.grammar.iou),
    row('Meta-Sim', results.metasim.iou),
    row('paper: grammar', PAPER.grammar),
    row('paper: Meta-Sim', PAPER.metasim),
  ];
}

function measureRows({ results, targetCarAngle }: AerialResult): string[][] {
  const row = (name: string, { carAngle, visibility }: AerialRow) => {
    const seen = Object.values(visibility.byClass);
    const mean = seen.reduce((sum, share) => sum + share, 0) / seen.length;
    return [name, carAngle.toFixed(1), (100 * mean).toFixed(1), (100 * visibility.hidden).toFixed(1)];
  };
  return [
    row('grammar', results.grammar),
    row('Meta-Sim', results.metasim),
    ['target', targetCarAngle.toFixed(1), '', ''],
  ];
}

function describe({ config, features }: AerialResult): string {
  return `${config.size} × ${config.size} px; ${featuresText(features)}`;
}
