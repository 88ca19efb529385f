import { type Command, Option } from 'commander';
import type { VerifiedDataset } from '../dataset/verify.js';
import { integerIn } from './flags.js';
import { define, type Outcome } from './frame.js';
import type { Progress } from './progress.js';

interface Flags {
  readonly quick?: boolean;
  readonly limit: number;
}

const DEFAULT_LIMIT = 20;
const MAX_LIMIT = 100_000;

/** `metasim verify`: is a dataset what was generated, whole and unchanged? */
export function addVerify(program: Command, outcome: Outcome): void {
  const command = program
    .command('verify')
    .description('check that a dataset is whole and unchanged, and print its content hash')
    .argument('<dataset>', 'folder of a dataset that metasim made')
    .option('--quick', 'check the bytes of the files only, without reading the samples')
    .addOption(
      new Option('--limit <n>', 'faults listed; all are counted')
        .argParser(integerIn(0, MAX_LIMIT))
        .default(DEFAULT_LIMIT),
    );
  const examples = [
    'metasim verify data/digits',
    'metasim verify data/digits --json',
    'metasim verify data/cars --quick',
  ];
  define<Flags>(outcome, command, examples, async ([folder], { quick = false, limit }, { signal, progress }) => {
    const { verifyDataset } = await import('../dataset/verify.js');
    const bars: Partial<Record<'files' | 'samples', Progress>> = {};
    const result = await verifyDataset(folder, {
      ...{ quick, limit, signal },
      onProgress(step, done, total) {
        bars[step] ??= progress(step === 'files' ? 'bytes' : 'samples', total);
        bars[step].update(done);
      },
    });
    for (const bar of Object.values(bars)) bar.stop();
    return { json: { dataset: folder, ...result }, text: textOf(folder, result), exitCode: result.ok ? 0 : 1 };
  });
}

function textOf(
  folder: string,
  { ok, format, count, samples, files, bytes, contentHash, faults, faultCount }: VerifiedDataset,
): string {
  const read = samples > 0 ? `, ${samples} samples read` : '';
  return [
    `${folder} (${format}): ${count} images in ${files} files, ${(bytes / 1e6).toFixed(1)} MB${read}`,
    ...(contentHash ? [`content hash ${contentHash}`] : []),
    ...(ok ? ['nothing is missing, doubled or changed'] : [`${faultCount} fault${faultCount === 1 ? '' : 's'}:`]),
    ...faults.map(({ kind, where, message }) => `  ${kind}: ${where}: ${message}`),
    ...(faults.length < faultCount ? [`  … and ${faultCount - faults.length} more (--limit)`] : []),
  ].join('\n');
}
