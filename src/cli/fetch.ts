import { type Command, InvalidArgumentError, Option } from 'commander';
import { define, type Outcome } from './frame.js';
import type { Progress } from './progress.js';

interface Flags {
  readonly url?: string;
  readonly md5?: string;
  readonly cache?: string;
  readonly force?: boolean;
}

/** Bars count megabytes. */
const MEGABYTE = 1e6;

/** `metasim fetch`: downloads what cannot be shipped. */
export function addFetch(program: Command, outcome: Outcome): void {
  const command = program
    .command('fetch')
    .description('download the ImageNet weights of InceptionV3 (88 MB) and convert them')
    .addArgument(program.createArgument('<what>', 'what to download').choices(['inception']))
    .option('--url <url>', 'other address of the Keras file (…_notop.h5)')
    .addOption(new Option('--md5 <hash>', 'MD5 of the file, if it is another one').argParser(md5))
    .option('--cache <folder>', 'where the weights go (default: the user cache, where they are looked for)')
    .option('--force', 'download again although they are there');
  const examples = [
    'metasim fetch inception',
    'metasim fetch inception --url http://mirror.example/inception_v3_notop.h5 --cache weights',
  ];
  define<Flags>(outcome, command, examples, async (_what, { url, md5, cache, force }, context) => {
    const { fetchInception } = await import('../learn/inception/fetch.js');
    let bar: Progress | undefined;
    const { folder, downloaded } = await fetchInception({
      url,
      md5,
      cacheDir: cache,
      force,
      signal: context.signal,
      onProgress(received, total) {
        if (total === undefined) return;
        bar ??= context.progress('download (MB)', Math.ceil(total / MEGABYTE));
        bar.update(received === total ? Math.ceil(total / MEGABYTE) : Math.floor(received / MEGABYTE));
      },
    });
    bar?.stop();
    return {
      json: { folder, downloaded },
      text: downloaded ? `Inception weights in ${folder}` : `Inception weights are already in ${folder}`,
    };
  });
}

function md5(text: string): string {
  if (!/^[0-9a-f]{32}$/i.test(text)) throw new InvalidArgumentError('Expected 32 hexadecimal digits.');
  return text;
}
