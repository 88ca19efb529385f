import type { Dashboard } from '../report/dashboard/dashboard.js';
import { STAGE_LABELS } from '../report/stageLabels.js';
import type { CommandContext } from './frame.js';
import type { Progress } from './progress.js';

/** Bars count to this. */
const PROGRESS_TOTAL = 1000;

/** One bar a stage, here and on the live page; called without arguments it ends the current one. */
export function stageBars(
  context: CommandContext,
  dashboard?: Dashboard,
): (stage?: string, fraction?: number, detail?: string) => void {
  let current: string | undefined;
  let bar: Progress | undefined;
  return (stage, fraction = 0, detail) => {
    if (stage !== current) {
      bar?.stop();
      bar = stage === undefined ? undefined : context.progress(STAGE_LABELS[stage] ?? stage, PROGRESS_TOTAL);
      current = stage;
    }
    bar?.update(Math.round(fraction * PROGRESS_TOTAL), detail);
    if (stage !== undefined) dashboard?.progress(stage, fraction, detail);
  };
}
