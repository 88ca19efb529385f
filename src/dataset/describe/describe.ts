import { croissantJson } from './croissant.js';
import { datasetCard } from './datasetCard.js';
import type { DatasetFacts } from './facts.js';
import { FileTally } from './fileTally.js';

export type { DatasetFacts } from './facts.js';

/** The files that tell people and programs what a dataset is. */
export interface DatasetDescription {
  readonly 'croissant.json': string;
  readonly 'README.md': string;
}

/** Croissant description and card. They depend on the facts only: no date, no place, no machine. */
export function describeDataset(facts: DatasetFacts): DatasetDescription {
  const tally = new FileTally();
  for (const file of facts.files) tally.add(file);
  const groups = [...(facts.shardFiles?.groups() ?? []), ...tally.groups()].sort((a, b) => (a.glob < b.glob ? -1 : 1));
  return { 'croissant.json': croissantJson(facts, groups), 'README.md': datasetCard(facts, groups) };
}
