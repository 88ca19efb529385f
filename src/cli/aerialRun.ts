import type { AerialResult } from '../experiments/aerial/experiment.js';
import type { AerialExperimentConfigInput } from '../experiments/aerial/presets.js';
import { runExperimentToFolder } from './experimentRun.js';
import type { CommandContext } from './frame.js';

/** Target images in a contact sheet. */
const SHEET_IMAGES = 16;

export interface AerialRunOptions {
  readonly out: string;
  readonly config: AerialExperimentConfigInput;
  readonly threads?: number;
  /** A live page: at this port, or at a free one. */
  readonly dashboard?: number | true;
}

/** Runs the Aerial2D experiment into a run folder, with the paper's figures 9 to 11 in `figures/`. */
export async function runAerialToFolder(options: AerialRunOptions, context: CommandContext): Promise<AerialResult> {
  const { config, threads, out, dashboard } = options;
  const [{ runAerialExperiment }, { drawAerialFigures, renderFew }] = await Promise.all([
    import('../experiments/aerial/experiment.js'),
    import('../report/aerialFigures.js'),
  ]);
  return runExperimentToFolder({ name: 'aerial', out, dashboard }, context, (records) =>
    runAerialExperiment({
      ...{ config, out: records.out, workers: threads, signal: context.signal },
      observer: {
        ...records,
        async onStart({ engine, target, config: { seed } }) {
          await records.start(engine, target, await renderFew(engine, target, seed, SHEET_IMAGES), seed);
        },
        onEpoch: (report, angle) => records.epoch(report, { 'car angle': angle }),
        onTrained: (setting, metasim) => drawAerialFigures(records.out, setting, metasim),
      },
    }),
  );
}
