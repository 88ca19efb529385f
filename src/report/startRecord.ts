import { join } from 'node:path';
import { writeFileWhole } from '../dataset/files.js';
import { variationWarning } from '../training/keptVariation.js';
import type { PretrainResult } from '../training/pretrain.js';
import type { WarmStartResult } from '../training/warmStartResult.js';
import { lineChart } from './charts.js';
import type { ReportSection } from './htmlReport.js';
import { readJson } from './readJson.js';
import { warmStartSection } from './warmStartSection.js';

const FILE = 'start.json';

/** What came before meta-training, as far as the run got. */
export interface StartRecord {
  readonly warmStart?: {
    readonly result: WarmStartResult;
    /** Names of the schema's attributes, in order. */
    readonly attributes: readonly string[];
  };
  readonly pretrain?: PretrainResult;
}

/** Writes `start.json` into a run folder. */
export async function writeStartRecord(run: string, record: StartRecord): Promise<void> {
  await writeFileWhole(join(run, FILE), `${JSON.stringify(record)}\n`);
}

/** {} for a run that has not come so far, or is from before this record was kept. */
export async function readStartRecord(run: string): Promise<StartRecord> {
  return ((await readJson(join(run, FILE))) ?? {}) as StartRecord;
}

/** MMD² of the grammar's own scenes, as the survey measured it. */
export function grammarMmd({ warmStart }: StartRecord): number | undefined {
  if (!warmStart) return undefined;
  const { result } = warmStart;
  return result.kind === 'classes' ? result.grammarMmd : result.survey[0].mmd;
}

/** Warm start and pre-training, for the report. */
export function startSections({ warmStart, pretrain }: StartRecord): ReportSection[] {
  return [
    ...(warmStart ? [warmStartSection(warmStart.result, warmStart.attributes)] : []),
    ...(pretrain ? [pretrainSection(pretrain)] : []),
  ];
}

/** How pre-training converged (§3.2.1). */
function pretrainSection(result: PretrainResult): ReportSection {
  const warning = variationWarning(result);
  return {
    heading: 'Pre-training',
    blocks: [
      { kind: 'chart', chart: pretrainChart(result.losses) },
      {
        kind: 'table',
        head: ['attribute', 'mean absolute error', 'unit', '% of range', 'variation kept, %'],
        rows: result.attributes.map(({ name, physical, unit, fraction, kept }) => [
          name,
          Number(physical.toPrecision(3)),
          unit,
          Number((100 * fraction).toPrecision(2)),
          kept === undefined ? '' : Math.round(100 * Math.max(0, kept)),
        ]),
        caption: `${result.steps} steps in ${result.seconds.toFixed(1)} s; class accuracy ${(100 * result.classAccuracy).toFixed(1)} %. Variation: what the mutable attributes of a class's objects differ by.${warning ? ` Here ${warning}.` : ''}`,
      },
    ],
  };
}

/** @param losses of the steps, in order */
export function pretrainChart(losses: readonly number[]) {
  const stride = Math.ceil(losses.length / 1000);
  return lineChart({
    id: 'pretrain',
    title: 'Autoencoder pre-training',
    xTitle: 'step',
    yTitle: 'loss, log scale',
    logY: true,
    otherSteps: true,
    series: [
      {
        name: 'loss',
        points: losses.flatMap((loss, i) => ((losses.length - 1 - i) % stride === 0 ? [[i + 1, loss] as const] : [])),
      },
    ],
  });
}
