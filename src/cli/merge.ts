import type { Command } from 'commander';
import { Option } from 'commander';
import { define, type Outcome } from './frame.js';
import type { Progress } from './progress.js';

interface Flags {
  readonly out?: string;
}

/** `metasim merge`: the end of a dataset whose shards many machines made. */
export function addMerge(program: Command, outcome: Outcome): void {
  const command = program
    .command('merge')
    .description('join the shards that many machines made, check that none is missing, and end the dataset')
    .argument('<parts...>', 'places that hold shards: one that all machines shared, or several')
    .addOption(new Option('--out <path>', 'where the whole is to be (default: the first of the parts)'));
  const examples = [
    'metasim merge /shared/cars',
    'metasim merge s3://bucket/cars',
    'metasim merge node1/cars node2/cars node3/cars --out cars',
  ];
  define<Flags>(outcome, command, examples, async (places, flags, context) => {
    const { mergeDatasets } = await import('../batch/mergeDatasets.js');
    const [first, ...rest] = places;
    const { out = first } = flags;
    const parts = flags.out === undefined ? rest : places.filter((place) => place !== out);
    let bar: Progress | undefined;
    const { contentHash, count, shards, layout, bytes, quarantined } = await mergeDatasets({
      ...{ out, parts },
      signal: context.signal,
      onProgress(done, total) {
        bar ??= context.progress('shards', total);
        bar.update(done, '', total);
      },
    });
    bar?.stop();
    return {
      json: { out, format: layout, count, shards, bytes, quarantined, contentHash },
      text: `${count} images in ${shards} shards as ${layout} in ${out}, ${(bytes / 1e6).toFixed(1)} MB\ncontent hash ${contentHash}`,
    };
  });
}
