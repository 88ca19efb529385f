import type { ClassSurveyResult } from '../training/classSurvey.js';
import type { ShiftSurveyResult } from '../training/warmStart.js';
import type { WarmStartResult } from '../training/warmStartResult.js';
import type { ReportSection } from './htmlReport.js';

/** Surveyed points that are listed beside the chosen one. */
const LISTED = 5;

/** What the survey found. @param attributes names of the schema's attributes, in order */
export function warmStartSection(result: WarmStartResult, attributes: readonly string[]): ReportSection {
  const blocks = result.kind === 'classes' ? classBlocks(result) : shiftBlocks(result, attributes);
  return { heading: 'Warm start', blocks };
}

function shiftBlocks(
  { best, survey, refined }: ShiftSurveyResult,
  attributes: readonly string[],
): ReportSection['blocks'] {
  const row = (name: string, { offsets, mmd }: ShiftSurveyResult['best']) => [
    name,
    mmd.toFixed(4),
    ...offsets.map((offset) => (100 * offset).toFixed(1)),
  ];
  const nearest = [...survey].sort((a, b) => a.mmd - b.mmd).slice(0, LISTED);
  return [
    {
      kind: 'text',
      text: `Offsets of the mutable attributes, in percent of their range: ${survey.length} surveyed, ${refined.length} followed downhill.`,
    },
    {
      kind: 'table',
      head: ['offset', 'MMD²', ...attributes],
      rows: [row('none (the grammar)', survey[0]), ...nearest.map((c) => row('surveyed', c)), row('chosen', best)],
    },
  ];
}

function classBlocks({ grammarMmd, best, steps }: ClassSurveyResult): ReportSection['blocks'] {
  return [
    {
      kind: 'text',
      text: `Shift and spread of each class's attributes: MMD² from ${grammarMmd.toFixed(4)} to ${best.mmd.toFixed(4)} in ${steps.length} steps.`,
    },
    {
      kind: 'table',
      head: [
        'class',
        'attribute',
        'shift, % of the range',
        "spread, times the grammar's",
        'away from the middle, % of the range',
      ],
      rows: best.maps.map(({ class: name, attribute, shift, spread, gap }) => [
        name,
        attribute,
        (100 * shift).toFixed(1),
        spread.toFixed(2),
        (100 * gap).toFixed(1),
      ]),
    },
  ];
}
