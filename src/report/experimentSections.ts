import type { MnistResult } from '../experiments/mnist/experiment.js';
import { MNIST_TARGETS } from '../experiments/mnist/targets.js';
import type { ReportSection } from './htmlReport.js';
import { mnistResultSections } from './mnistReport.js';

/** Sections of an experiment's `results.json`, by the name that its `run.json` has. */
const SECTIONS: Readonly<Record<string, (results: never) => ReportSection[]>> = {
  ...Object.fromEntries(
    Object.keys(MNIST_TARGETS).map((name) => [name, (results: MnistResult) => mnistResultSections(results)]),
  ),
};

/**
 * What an experiment found, for its report. Results that the sections of its name cannot read (they are from another
 * version, or another kind of run) are shown as they are.
 */
export function experimentSections(name: string, results: unknown): ReportSection[] {
  if (results === undefined) return [];
  try {
    const sections = Object.hasOwn(SECTIONS, name) ? SECTIONS[name](results as never) : undefined;
    if (sections) return sections;
  } catch {
    // Fall through to the raw record.
  }
  return [{ heading: 'Results', blocks: [{ kind: 'config', title: 'results.json', value: results }] }];
}
