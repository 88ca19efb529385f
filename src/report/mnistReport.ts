import type { MnistResult } from '../experiments/mnist/experiment.js';
import type { ErrorDistribution } from '../experiments/mnist/learnedPose.js';
import { histogramChart } from './charts.js';
import { featuresText } from './featuresText.js';
import type { ReportBlock, ReportSection } from './htmlReport.js';
import { textTable } from './textTable.js';

/** The paper's table 1, percent. */
const PAPER: Readonly<Record<string, { grammar: number; metasim: number }>> = {
  'mnist-rotation': { grammar: 14.8, metasim: 99.5 },
  'mnist-rotation-translation': { grammar: 13.1, metasim: 99.3 },
};

const TABLE_HEAD = ['data', 'accuracy %', 'paper %'];
const POSE_HEAD = ['attribute', 'target', 'mean abs error', 'p5', 'p50', 'p95', 'within 5 % of range', 'modes'];

/** Table 1 and the learned pose, as plain text. */
export function mnistResultText(result: MnistResult): string {
  const { training, evaluation } = result.seconds;
  return [
    textTable(TABLE_HEAD, tableRows(result)),
    '',
    textTable(POSE_HEAD, poseRows(result)),
    '',
    `${result.digits}; ${featuresText(result.features)}`,
    `training ${training.toFixed(0)} s, evaluation ${evaluation.toFixed(0)} s`,
  ].join('\n');
}

/** The same as sections of a report. */
export function mnistResultSections(result: MnistResult): ReportSection[] {
  const charts = Object.entries(result.learned).map(([name, learned], i) => poseChart(name, learned, i));
  return [
    {
      heading: 'Task network on the target',
      blocks: [
        {
          kind: 'table',
          head: TABLE_HEAD,
          rows: tableRows(result),
          caption: `${result.config.evaluation.testImages} fresh target images; ${result.digits}; ${featuresText(result.features)}`,
        },
      ],
    },
    {
      heading: 'Learned pose, relative to the target',
      blocks: [{ kind: 'table', head: POSE_HEAD, rows: poseRows(result) }, ...charts],
    },
  ];
}

function tableRows({ experiment, results, digits }: MnistResult): (string | number)[][] {
  // The paper's numbers are for MNIST: beside built-in digits they would say nothing.
  const paper = digits.startsWith('MNIST') ? PAPER[experiment] : undefined;
  return [
    ['grammar', results.grammar.accuracy.toFixed(2), paper?.grammar.toFixed(1) ?? '-'],
    ['Meta-Sim', results.metasim.accuracy.toFixed(2), paper?.metasim.toFixed(1) ?? '-'],
  ];
}

function poseRows({ learned }: MnistResult): (string | number)[][] {
  return Object.entries(learned).map(([name, distribution]) => poseRow(name, distribution));
}

function poseRow(
  name: string,
  { unit, target, meanAbsoluteError, percentiles, withinFivePercent, modes }: ErrorDistribution,
) {
  const text = (value: number) => value.toFixed(2);
  const [p5, , p50, , p95] = percentiles;
  const modeText = modes.length === 0 ? 'none' : modes.map((mode) => mode.toFixed(0)).join(', ');
  return [
    name,
    `${text(target)} ${unit}`,
    `${text(meanAbsoluteError)} ${unit}`,
    text(p5),
    text(p50),
    text(p95),
    `${(100 * withinFivePercent).toFixed(1)} %`,
    modeText,
  ];
}

/** The distribution of value − target: a mean alone would hide two modes. */
function poseChart(name: string, { unit, histogram, range }: ErrorDistribution, index: number): ReportBlock {
  const chart = histogramChart({
    id: `pose-${index}`,
    title: `Learned ${name}, relative to the target's`,
    xTitle: unit ? `${name} − target, ${unit}` : `${name} − target`,
    series: [{ name: 'scenes', histogram: { minimum: -range / 2, maximum: range / 2, counts: histogram } }],
  });
  return { kind: 'chart', chart };
}
