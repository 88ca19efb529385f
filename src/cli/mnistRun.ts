import type { MnistResult } from '../experiments/mnist/experiment.js';
import type { MnistExperimentConfigInput } from '../experiments/mnist/presets.js';
import type { MnistTarget } from '../experiments/mnist/targets.js';
import { runExperimentToFolder } from './experimentRun.js';
import type { CommandContext } from './frame.js';

/** Target images in a contact sheet. */
const SHEET_IMAGES = 16;

export interface MnistRunOptions {
  readonly target: MnistTarget;
  /** Folder of MNIST, or `procedural`. */
  readonly data: string;
  readonly out: string;
  readonly config: MnistExperimentConfigInput;
  readonly threads?: number;
  /** A live page: at this port, or at a free one. */
  readonly dashboard?: number | true;
}

/** Runs an MNIST experiment into a run folder: what `experiment`, `demo` and `evaluate` share. */
export async function runMnistToFolder(options: MnistRunOptions, context: CommandContext): Promise<MnistResult> {
  const { target, data, config, threads, out, dashboard } = options;
  const [{ runMnistExperiment }, { renderLabelledScenes }] = await Promise.all([
    import('../experiments/mnist/experiment.js'),
    import('../training/labelledScenes.js'),
  ]);
  return runExperimentToFolder({ name: target.name, out, dashboard }, context, (records) =>
    runMnistExperiment({
      ...{ target, data, config, out: records.out, workers: threads, signal: context.signal },
      observer: {
        ...records,
        async onStart({ engine, targetSource, config: { seed } }) {
          const request = { seed, count: SHEET_IMAGES, label: () => 0 };
          await records.start(engine, targetSource, await renderLabelledScenes(engine, targetSource, request), seed);
        },
        onEpoch(report, learned) {
          const errors = Object.entries(learned).map(([name, { meanAbsoluteError }]) => [
            `${name} error`,
            meanAbsoluteError,
          ]);
          return records.epoch(report, Object.fromEntries(errors));
        },
      },
    }),
  );
}
