import { type Command, Option } from 'commander';
import type { DatasetDifference } from '../dataset/diff.js';
import { FORMAT_NAMES } from '../dataset/formats/index.js';
import { define, type Outcome } from './frame.js';

interface Flags {
  readonly fromA?: string;
  readonly fromB?: string;
}

/** Lines of classes and attributes that are printed. */
const LINES = 12;

/** `metasim diff`: what differs between two datasets. */
export function addDiff(program: Command, outcome: Outcome): void {
  const command = program
    .command('diff')
    .description('compare two datasets: counts, class balance, attribute distributions, the first sample that differs')
    .argument('<a>', 'folder of a dataset')
    .argument('<b>', 'folder of another')
    .addOption(new Option('--from-a <format>', 'format of a (default: as it looks)').choices([...FORMAT_NAMES]))
    .addOption(new Option('--from-b <format>', 'format of b (default: as it looks)').choices([...FORMAT_NAMES]));
  const examples = ['metasim diff data/grammar data/adapted', 'metasim diff data/digits data/again --json'];
  define<Flags>(outcome, command, examples, async ([a, b], flags, { signal }) => {
    const { diffDatasets } = await import('../dataset/diff.js');
    const result = await diffDatasets(a, b, { ...flags, signal });
    return { json: { a, b, ...result }, text: textOf(result), exitCode: result.same ? 0 : 1 };
  });
}

function textOf({ same, countA, countB, classes, attributes, first }: DatasetDifference): string {
  if (same) return `the same ${countA} samples, pixel for pixel and label for label`;
  const lines = [`images: ${countA} and ${countB}`];
  if (first) {
    const keys = [first.keyA ?? 'nothing', first.keyB ?? 'nothing'].join(' and ');
    const fields = first.fields.length > 0 ? `, which differ in ${first.fields.join(', ')}` : '';
    lines.push(`first difference at position ${first.position}: ${keys}${fields}`);
  }
  const changed = classes.filter(({ shareChange }) => shareChange !== 0);
  if (changed.length > 0) lines.push('classes (objects in a and b, change of their share):');
  for (const { class: name, a, b, shareChange } of changed.slice(0, LINES)) {
    lines.push(`  ${name}: ${a ?? '–'} and ${b ?? '–'}, ${(100 * shareChange).toFixed(2)} %`);
  }
  if (attributes.length > 0) lines.push('attributes (total variation distance, 0 to 1):');
  for (const { class: name, attribute, distance } of attributes.slice(0, LINES)) {
    lines.push(`  ${name} ${attribute}: ${distance.toFixed(3)}`);
  }
  return lines.join('\n');
}
