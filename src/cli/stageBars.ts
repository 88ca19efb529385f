import type { CommandContext } from './frame.js';
import type { Progress } from './progress.js';

/** Bars count to this. */
const PROGRESS_TOTAL = 1000;

/** One bar a stage; called without arguments it ends the current one. */
export function stageBars(context: CommandContext): (stage?: string, fraction?: number, detail?: string) => void {
  const labels: Record<string, string> = {
    features: 'target features',
    warmStart: 'warm start',
    pretrain: 'pre-training',
    meta: 'meta-training',
    evaluate: 'evaluation',
  };
  let current: string | undefined;
  let bar: Progress | undefined;
  return (stage, fraction = 0, detail) => {
    if (stage !== current) {
      bar?.stop();
      bar = stage === undefined ? undefined : context.progress(labels[stage] ?? stage, PROGRESS_TOTAL);
      current = stage;
    }
    bar?.update(Math.round(fraction * PROGRESS_TOTAL), detail);
  };
}
