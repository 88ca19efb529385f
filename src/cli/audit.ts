import { type Command, Option } from 'commander';
import type { AssetLibrary } from '../assets/assetLibrary.js';
import type { AssetSource } from '../config.js';
import type { AuditSummary } from '../dataset/audit.js';
import { FORMAT_NAMES } from '../dataset/formats/index.js';
import { integerIn, parseAssetSource } from './flags.js';
import { define, type Outcome } from './frame.js';
import type { Progress } from './progress.js';

interface Flags {
  readonly from?: string;
  readonly assets?: readonly AssetSource[];
  readonly limit: number;
}

const DEFAULT_LIMIT = 20;
const MAX_LIMIT = 100_000;

/** `metasim audit`: recomputes labels and reports what disagrees. */
export function addAudit(program: Command, outcome: Outcome): void {
  const command = program
    .command('audit')
    .description('recompute labels from masks and scene graphs, and report every disagreement')
    .argument('<dataset>', 'folder of a dataset')
    .addOption(new Option('--from <format>', 'its format (default: as it looks)').choices(FORMAT_NAMES))
    .addOption(
      new Option(
        '--assets <source>',
        'textures, to render the scenes again and compare what comes of it: digits | aerial | driving | mnist:DIR | images:DIR | meshes:DIR, each with ' +
          ',key=value behind it; repeat for more (default: nothing is rendered)',
      ).argParser((text: string, before: AssetSource[] | undefined) => [...(before ?? []), parseAssetSource(text)]),
    )
    .addOption(
      new Option('--limit <n>', 'disagreements listed; all are counted')
        .argParser(integerIn(0, MAX_LIMIT))
        .default(DEFAULT_LIMIT),
    );
  const examples = [
    'metasim audit data/digits',
    'metasim audit data/digits --assets digits --limit 100',
    'metasim audit data/cars --from coco --json',
  ];
  define<Flags>(outcome, command, examples, async ([folder], { from, assets, limit }, { signal, progress }) => {
    const { auditDataset } = await import('../dataset/auditDataset.js');
    const library = assets && (await libraryOf(folder, assets));
    let bar: Progress | undefined;
    const summary = await auditDataset(folder, {
      ...(from ? { from } : {}),
      ...(library ? { assets: library } : {}),
      limit,
      signal,
      onOpen(count) {
        if (count !== undefined) bar = progress('audit', count);
      },
      onProgress: (done) => bar?.update(done),
    });
    bar?.stop();
    return {
      json: { dataset: folder, ...summary },
      text: textOf(folder, summary),
      exitCode: summary.disagreements > 0 ? 1 : 0,
    };
  });
}

/** What scenes of a dataset are drawn with: the sources given, and the built-in ones that its table of assets names. */
async function libraryOf(folder: string, sources: readonly AssetSource[]): Promise<AssetLibrary> {
  const [{ openAssets }, { readAssetTable }, { LocalStorage }] = await Promise.all([
    import('../batch/openSource.js'),
    import('../dataset/assetTable.js'),
    import('../dataset/localStorage.js'),
  ]);
  const table = await readAssetTable(new LocalStorage(folder));
  const { library } = await openAssets(
    sources,
    table.map(([name]) => name),
  );
  return library;
}

/** What was looked at, what was found, and the first disagreements, a line each. */
function textOf(folder: string, summary: AuditSummary & { readonly format: string }): string {
  const { format, samples, objects, masks, scenes, rendered, disagreements, byField, listed } = summary;
  const fields = Object.entries(byField).map(([field, count]) => `${field} ${count}`);
  const lines = [
    `${folder} (${format}): ${samples} samples with ${objects} objects; ${masks} masks, ${scenes} scene graphs, ` +
      `${rendered} rendered again`,
    disagreements === 0 ? 'no disagreement' : `${disagreements} disagreements: ${fields.join(', ')}`,
    ...listed.map(({ key, object, field, expected, received }) => {
      const name = object === null ? key : `${key} object ${object}`;
      return `${name}: expected ${print(expected)} for ${field} but received ${print(received)}`;
    }),
  ];
  if (listed.length > 0 && listed.length < disagreements) lines.push(`… and ${disagreements - listed.length} more`);
  if (masks + scenes === 0 && samples > 0) {
    lines.push(
      'the samples bring neither masks nor scene graphs: only contradictions among their labels could be found',
    );
  }
  return lines.join('\n');
}

function print(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}
