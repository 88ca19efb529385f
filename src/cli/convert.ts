import { type Command, Option } from 'commander';
import { FORMAT_NAMES } from '../dataset/formats/index.js';
import { DEFAULT_QUALITY } from '../dataset/imageCodec.js';
import { DEFAULT_SHARD_SIZE, MAX_SHARD_SIZE } from '../dataset/plan.js';
import type { ImageCodec } from '../dataset/sample.js';
import { integerIn } from './flags.js';
import { define, type Outcome } from './frame.js';
import type { Progress } from './progress.js';

interface Flags {
  readonly from?: string;
  readonly to: string;
  readonly shardSize: number;
  readonly codec?: ImageCodec;
  readonly quality: number;
  readonly ignore?: readonly string[];
  /** `--no-masks` and its like make these false. */
  readonly masks: boolean;
  readonly scenes: boolean;
  readonly depth: boolean;
  readonly normals: boolean;
}

/** `metasim convert`: a dataset in another format. */
export function addConvert(program: Command, outcome: Outcome): void {
  const command = program
    .command('convert')
    .description('write a dataset, ours or of others, in another format')
    .argument('<source>', 'folder of the dataset')
    .argument('<out>', 'new or empty folder')
    .addOption(new Option('--from <format>', 'format of the source (default: as it looks)').choices(FORMAT_NAMES))
    .addOption(new Option('--to <format>', 'format to write').choices(FORMAT_NAMES).makeOptionMandatory())
    .addOption(
      new Option('--shard-size <n>', 'images of a shard')
        .argParser(integerIn(1, MAX_SHARD_SIZE))
        .default(DEFAULT_SHARD_SIZE),
    )
    .addOption(
      new Option(
        '--codec <name>',
        'how images are stored (default: they stay what they are, where the format can hold that)',
      ).choices(['png', 'jpeg', 'webp']),
    )
    .addOption(
      new Option('--quality <n>', 'quality of JPEG and WebP that are encoded anew, 1 to 100')
        .argParser(integerIn(1, 100))
        .default(DEFAULT_QUALITY),
    )
    .addOption(
      new Option(
        '--ignore <class>',
        'class that detection formats leave out; repeat for more (default: none, and for kitti every class it has not)',
      ).argParser((text: string, before: string[] | undefined) => [...(before ?? []), text]),
    )
    .option('--no-masks', 'leave masks out (default: they go along)')
    .option('--no-scenes', 'leave scene graphs out (default: they go along)')
    .option('--no-depth', 'leave depth out (default: it goes along where the format has a place for it)')
    .option('--no-normals', 'leave normals out (default: they go along where the format has a place for them)');
  const examples = [
    'metasim convert data/digits data/digits-coco --to coco',
    'metasim convert coco2017 data/shards --from coco --to webdataset --shard-size 5000',
    'metasim convert data/cars data/cars-yolo --to yolo --codec jpeg --json',
  ];
  define<Flags>(outcome, command, examples, async ([source, out], flags, { signal, progress }) => {
    const { convertDataset } = await import('../dataset/convert.js');
    const { masks, scenes, depth, normals, ...rest } = flags;
    let bar: Progress | undefined;
    const started = performance.now();
    const { from, to, manifest, losses } = await convertDataset({
      source,
      out,
      ...rest,
      // Without a flag they go along where the source has them.
      ...(masks ? {} : { masks }),
      ...(scenes ? {} : { scenes }),
      ...(depth ? {} : { depth }),
      ...(normals ? {} : { normals }),
      signal,
      onProgress(done, total) {
        bar ??= progress('convert', total);
        bar.update(done);
      },
    });
    bar?.stop();
    const seconds = (performance.now() - started) / 1000;
    const { count, contentHash, bytes } = manifest;
    return {
      json: { out, from, to, count, bytes, contentHash, losses, seconds },
      text: [
        `${count} images of ${source} (${from}) as ${to} in ${out}: ${seconds.toFixed(1)} s`,
        ...losses.map((loss) => `lost: ${loss}`),
      ].join('\n'),
    };
  });
}
