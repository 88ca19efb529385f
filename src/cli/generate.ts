import type { Command } from 'commander';
import { InvalidArgumentError, Option } from 'commander';
import type { DatasetProgress, GenerateDatasetOptions, GeneratedDataset } from '../batch/generateDataset.js';
import type { SourceSpec } from '../batch/openSource.js';
import type { DatasetSettingsInput } from '../batch/settings.js';
import type { AssetSource } from '../config.js';
import type { QuarantinedScene } from '../dataset/entry.js';
import { FORMAT_NAMES } from '../dataset/formats/index.js';
import type { DatasetHeader } from '../dataset/header.js';
import { BACKGROUND, isKittiClass } from '../dataset/ignoredClasses.js';
import { DEFAULT_QUALITY } from '../dataset/imageCodec.js';
import { DEFAULT_SHARD_SIZE, MAX_SHARD_SIZE } from '../dataset/plan.js';
import {
  assetsFlag,
  countFlag,
  depthFlag,
  integerIn,
  normalsFlag,
  outFlag,
  SOURCE_TEXT,
  seedFlag,
  setFlag,
  startFlag,
  threadsFlag,
} from './flags.js';
import { type CommandContext, type CommandResult, define, type Outcome } from './frame.js';

/** Done, but other scenes stand in for some that could not be made. */
export const EXIT_QUARANTINED = 3;
const MAX_MACHINES = 1_000_000;
/** Names of a list that is not all shown. */
const NAMES_SHOWN = 4;

/** Flags that say where scenes come from. */
export interface SourceFlags {
  readonly assets?: readonly AssetSource[];
  readonly set?: Readonly<Record<string, string>>;
}

/** Flags that say what a dataset is to be. */
export interface DatasetFlags extends SourceFlags {
  readonly format: string;
  readonly count: number;
  readonly seed: number;
  readonly start: number;
  readonly shardSize: number;
  readonly codec?: string;
  readonly quality: number;
  readonly masks?: boolean;
  readonly scenes?: boolean;
  readonly depth?: boolean;
  readonly normals?: boolean;
  readonly minPixels: number;
  readonly ignore?: readonly string[];
  readonly split: string;
  readonly name?: string;
}

interface Flags extends DatasetFlags {
  readonly out: string;
  readonly threads?: number;
  readonly shardIndex?: number;
  readonly shardCount?: number;
  readonly resume?: boolean;
  readonly allowUnlicensed?: boolean;
  readonly checkSpace: boolean;
}

/** Adds the flags of `DatasetFlags`. */
export function addDatasetFlags(command: Command): Command {
  return command
    .addOption(new Option('--format <name>', 'dataset format').choices([...FORMAT_NAMES]).default('imagefolder'))
    .addOption(countFlag('number of images'))
    .addOption(seedFlag())
    .addOption(startFlag())
    .addOption(
      new Option('--shard-size <n>', 'images of a shard; a killed run loses those under way, one a thread')
        .argParser(integerIn(1, MAX_SHARD_SIZE))
        .default(DEFAULT_SHARD_SIZE),
    )
    .addOption(
      new Option('--codec <name>', 'how images are stored (default: jpeg for voc, png for all others)').choices([
        'png',
        'jpeg',
        'webp',
      ]),
    )
    .addOption(
      new Option('--quality <n>', 'quality of JPEG and WebP, 1 to 100')
        .argParser(integerIn(1, 100))
        .default(DEFAULT_QUALITY),
    )
    .option('--masks', 'write instance and class masks too, where the format has a place for them')
    .option('--scenes', 'write the scene graphs too, where the format has a place for them')
    .addOption(depthFlag())
    .addOption(normalsFlag())
    .addOption(
      new Option('--min-pixels <n>', 'objects with fewer visible pixels get no box')
        .argParser(integerIn(1, 2 ** 31))
        .default(1),
    )
    .addOption(
      new Option(
        '--ignore <class>',
        'class that detection formats leave out; repeat for more (default: background, and for kitti every class it has not)',
      ).argParser((text: string, before: string[] | undefined) => [...(before ?? []), text]),
    )
    .addOption(new Option('--split <name>', 'name of the split').argParser(splitName).default('train'))
    .option('--name <name>', 'what the dataset calls itself (default: the name of the grammar or run)')
    .addOption(assetsFlag())
    .addOption(setFlag());
}

/** The settings that flags stand for. */
export function settingsOf(flags: DatasetFlags): DatasetSettingsInput {
  const { format, count, seed, start, shardSize, codec, quality, masks = false, scenes = false, minPixels } = flags;
  const { depth = false, normals = false, ignore, split, name } = flags;
  return {
    ...{ count, seed, start, shardSize, quality, masks, scenes, depth, normals, split },
    format: format as DatasetSettingsInput['format'],
    minimumPixels: minPixels,
    ...(codec ? { codec: codec as DatasetSettingsInput['codec'] } : {}),
    ...(ignore ? { ignore: [...ignore] } : {}),
    ...(name ? { name } : {}),
  };
}

/** The source that a path and flags stand for. */
export function sourceOf(path: string, { assets, set }: SourceFlags): SourceSpec {
  return { path, ...(assets ? { assets } : {}), ...(set ? { variables: set } : {}) };
}

/** `metasim generate`: a labelled dataset from a grammar or a trained run. */
export function addGenerate(program: Command, outcome: Outcome): void {
  const command = addDatasetFlags(
    program
      .command('generate')
      .description(
        'generate a labelled dataset from a grammar or a trained run; --resume goes on after whatever interrupted it',
      )
      .argument('<source>', SOURCE_TEXT),
  )
    .addOption(outFlag('new or empty folder, or s3://bucket/prefix'))
    .addOption(threadsFlag())
    .addOption(
      new Option('--shard-index <i>', 'make part i of --shard-count only, on one of many machines').argParser(
        integerIn(0, MAX_MACHINES - 1),
      ),
    )
    .addOption(new Option('--shard-count <n>', 'number of parts').argParser(integerIn(1, MAX_MACHINES)))
    .option('--resume', 'go on with the dataset that was begun in --out, with the same settings')
    .option('--allow-unlicensed', 'accept textures that state no licence')
    .option('--no-check-space', 'begin without looking whether there is room');
  const examples = [
    'metasim generate examples/grammars/mnist.yaml --set digits=digits --count 1000 --seed 7 --out data/digits',
    'metasim generate runs/mnist --format webdataset --count 1000000 --out data/adapted --threads 8',
    'metasim generate runs/mnist --format webdataset --count 1000000 --out data/adapted --resume',
    'metasim generate cars.yaml --assets images:textures,licence=CC0-1.0 --format coco --masks --count 5000 --out data/cars',
    'metasim generate cars.yaml --count 1000000 --shard-index 3 --shard-count 50 --out /shared/cars   # then: metasim merge',
  ];
  define<Flags>(outcome, command, examples, async ([path], flags, context) => {
    const machine = await machineOf(flags, context.note);
    const { out } = flags;
    const result = await generateWithProgress(
      {
        source: sourceOf(path, flags),
        out,
        settings: settingsOf(flags),
        ...(flags.threads === undefined ? {} : { threads: flags.threads }),
        ...(machine ? { machine } : {}),
        resume: flags.resume ?? false,
        allowUnlicensed: flags.allowUnlicensed ?? false,
        checkSpace: flags.checkSpace,
      },
      context,
    );
    return withKittiClasses(resultOf(result, out), result.header, flags.ignore === undefined);
  });
}

/** Generates with a progress bar that shows images a second and bytes. */
export async function generateWithProgress(
  options: Omit<GenerateDatasetOptions, 'signal' | 'onProgress'>,
  context: CommandContext,
): Promise<GeneratedDataset> {
  const { generateDataset } = await import('../batch/generateDataset.js');
  const progress = context.progress('generate', options.settings.count);
  try {
    return await generateDataset({
      ...options,
      signal: context.signal,
      onProgress: (state) => progress.update(state.images, rateText(state), state.total),
    });
  } finally {
    progress.stop();
  }
}

/** The part that flags name, or else the one that a cluster's scheduler gave this process; the latter is said. */
async function machineOf(
  flags: Flags,
  note: CommandContext['note'],
): Promise<{ index: number; count: number } | undefined> {
  const { shardFromEnvironment } = await import('../batch/clusterEnvironment.js');
  const { shardIndex, shardCount } = flags;
  const part = shardFromEnvironment(process.env, {
    ...(shardIndex === undefined ? {} : { shardIndex }),
    ...(shardCount === undefined ? {} : { shardCount }),
  });
  if (!part) return undefined;
  const { shardIndex: index, shardCount: count } = part;
  if (shardIndex === undefined) {
    note(`part ${index} of ${count}, as the cluster's scheduler says (all of it: --shard-index 0 --shard-count 1)`);
  }
  return { index, count };
}

/** What stands behind the bar. */
function rateText({ made, bytes, seconds }: DatasetProgress): string {
  if (made === 0) return '';
  return `${perSecond(made, seconds)} images/s, ${(bytes / 1e6).toFixed(bytes < 1e8 ? 1 : 0)} MB`;
}

/** What `generate` and `render` say at the end. */
export function resultOf(result: GeneratedDataset, out: string): CommandResult {
  const { header, shards, made, images, bytes, quarantined, manifest, seconds } = result;
  const { layout, count, seed, start, source, width, height, channels, masks } = header;
  const summary = { out, format: layout, count, seed, start, source, width, height, channels, masks };
  const speed = `${seconds.toFixed(1)} s, ${perSecond(images, seconds)} a second`;
  const lines = [
    manifest
      ? `${count} images ${width} × ${height} ${channels === 1 ? 'grey' : 'RGB'} of ${source} (seed ${seed}) as ${layout} in ${out}: ${speed}`
      : `${made} of ${shards} shards of this part (${images} images of ${source}) in ${out}: ${speed}; \`metasim merge ${out}\` ends the dataset once all parts are there`,
    ...(manifest ? [`content hash ${manifest.contentHash}`] : []),
    ...(quarantined.length > 0 ? quarantineLines(quarantined, out) : []),
  ];
  return {
    json: {
      ...summary,
      ...{ shards, shardsMade: made, images, bytes, seconds, quarantined },
      ...(manifest ? { contentHash: manifest.contentHash } : {}),
    },
    text: lines.join('\n'),
    ...(quarantined.length > 0 ? { exitCode: EXIT_QUARANTINED } : {}),
  };
}

/** Says which classes rows of KITTI's are written for, where it is not all of them. */
function withKittiClasses(result: CommandResult, header: DatasetHeader, byDefault: boolean): CommandResult {
  const { layout, classes, things } = header;
  const left = classes.filter((name) => !things.includes(name) && name !== BACKGROUND);
  const foreign = things.filter((name) => !isKittiClass(name));
  if (layout !== 'kitti' || (left.length === 0 && foreign.length === 0)) return result;
  const line =
    byDefault && foreign.length === 0
      ? `rows for ${things.join(', ')}; none for ${listed(left)}, which are no types of KITTI's (--ignore ${BACKGROUND} writes those of them that do not lie on the ground)`
      : `rows for ${things.join(', ')}${foreign.length > 0 ? `; not types of KITTI's: ${foreign.join(', ')}` : ''}`;
  return { ...result, text: `${result.text}\n${line}` };
}

/** The first of many names, and how many more there are. */
function listed(names: readonly string[]): string {
  const more = names.length - NAMES_SHOWN;
  return more > 1 ? `${names.slice(0, NAMES_SHOWN).join(', ')} and ${more} other classes` : names.join(', ');
}

function splitName(text: string): string {
  if (/^[A-Za-z0-9_-]{1,64}$/.test(text)) return text;
  throw new InvalidArgumentError('Expected letters, digits, _ and -.');
}

/** A rate; large scenes are made by the second, not by the thousand. */
function perSecond(count: number, seconds: number): string {
  const rate = count / Math.max(seconds, 1e-3);
  return rate < 10 ? rate.toFixed(1) : String(Math.round(rate));
}

/** How many scenes others stand in for, and why the first of them could not be made: often it is why none could. */
function quarantineLines(quarantined: readonly QuarantinedScene[], out: string): string[] {
  const first = quarantined.reduce((a, b) => (b.number < a.number ? b : a));
  return [
    `${quarantined.length} scenes could not be made and were replaced; they are kept in ${out}/.metasim/quarantine`,
    `the first of them, ${first.index}: ${first.message.split('\n', 1)[0]}`,
  ];
}
