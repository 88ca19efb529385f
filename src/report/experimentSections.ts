import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { AerialResult } from '../experiments/aerial/experiment.js';
import type { MnistResult } from '../experiments/mnist/experiment.js';
import { MNIST_TARGETS } from '../experiments/mnist/targets.js';
import { AERIAL_FIGURES, FIGURES } from './aerialFigures.js';
import { aerialResultSections } from './aerialReport.js';
import type { ReportSection } from './htmlReport.js';
import { mnistResultSections } from './mnistReport.js';

/** Sections of an experiment's `results.json`, by the name that its `run.json` has. */
const SECTIONS: Readonly<Record<string, (results: never, run: string) => Promise<ReportSection[]>>> = {
  aerial: async (results: AerialResult, run: string) => aerialResultSections(results, await aerialFigures(run)),
  ...Object.fromEntries(
    Object.keys(MNIST_TARGETS).map((name) => [name, async (results: MnistResult) => mnistResultSections(results)]),
  ),
};

/**
 * What an experiment found, for its report. Results that the sections of its name cannot read (they are from another
 * version, or another kind of run) are shown as they are.
 */
export async function experimentSections(run: string, name: string, results: unknown): Promise<ReportSection[]> {
  if (results === undefined) return [];
  try {
    const sections = Object.hasOwn(SECTIONS, name) ? await SECTIONS[name](results as never, run) : undefined;
    if (sections) return sections;
  } catch {
    // Fall through to the raw record.
  }
  return [{ heading: 'Results', blocks: [{ kind: 'config', title: 'results.json', value: results }] }];
}

/** Those that the run folder holds. */
async function aerialFigures(run: string): Promise<{ png: Uint8Array; caption: string }[]> {
  const found = await Promise.all(
    AERIAL_FIGURES.map(async ({ file, caption }) => {
      const png = await readFile(join(run, FIGURES, file)).catch(() => undefined);
      return png ? [{ png, caption }] : [];
    }),
  );
  return found.flat();
}
