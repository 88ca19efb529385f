import { type Command, InvalidArgumentError, Option } from 'commander';
import { FORMAT_NAMES } from '../dataset/formats/index.js';
import type { WithInterval } from '../metrics/featureDistance.js';
import type { ImageDistance } from '../metrics/imageDistance.js';
import { integerIn, seedFlag } from './flags.js';
import { define, type Outcome } from './frame.js';
import type { Progress } from './progress.js';

interface Flags {
  readonly fromA?: string;
  readonly fromB?: string;
  readonly layer: string;
  readonly size: number;
  readonly weights?: string;
  readonly limit?: number;
  readonly subsetSize?: number;
  readonly subsets: number;
  readonly bandwidth?: number;
  readonly resamples: number;
  readonly confidence: number;
  readonly seed: number;
  readonly saveFeatures?: string;
}

const MAX_IMAGES = 10_000_000;
const MAX_SIZE = 2048;
const MAX_SUBSETS = 100_000;
const LAYERS = ['64', '192', '768', '2048'] as const;

/** `metasim distance`: how far two sets of images are apart. */
export function addDistance(program: Command, outcome: Outcome): void {
  const command = program
    .command('distance')
    .description('distance between two sets of images: KID, Gaussian MMD and Fréchet distance, with intervals')
    .argument('<a>', 'folder of images, a dataset, or features as .npy file')
    .argument('<b>', 'another')
    .addOption(new Option('--from-a <format>', 'format of dataset a (default: as it looks)').choices([...FORMAT_NAMES]))
    .addOption(new Option('--from-b <format>', 'format of dataset b (default: as it looks)').choices([...FORMAT_NAMES]))
    .addOption(
      new Option('--layer <channels>', 'Inception layer, pooled over positions').choices([...LAYERS]).default('768'),
    )
    .addOption(
      new Option('--size <px>', 'side that images are resized to (antialiased)')
        .argParser(integerIn(1, MAX_SIZE))
        .default(299),
    )
    .option('--weights <folder>', 'Inception weights, or "random" for the stand-in (default: where they are found)')
    .addOption(new Option('--limit <n>', 'images of each set, drawn with the seed').argParser(integerIn(4, MAX_IMAGES)))
    .addOption(
      new Option(
        '--subset-size <n>',
        'images of a subset of KID (default: 1000, or half of the smaller set)',
      ).argParser(integerIn(2, MAX_IMAGES)),
    )
    .addOption(new Option('--subsets <n>', 'subsets of KID').argParser(integerIn(1, MAX_SUBSETS)).default(100))
    .addOption(
      new Option('--bandwidth <σ>', 'of the Gaussian kernel (default: the median distance)').argParser(
        numberBetween(0, Number.POSITIVE_INFINITY),
      ),
    )
    .addOption(
      new Option('--resamples <n>', 'bootstrap samples of the Fréchet distance')
        .argParser(integerIn(2, MAX_SUBSETS))
        .default(50),
    )
    .addOption(new Option('--confidence <share>', 'of the intervals').argParser(numberBetween(0, 1)).default(0.95))
    .addOption(seedFlag())
    .option('--save-features <folder>', 'write the features there as a.npy and b.npy');
  const examples = [
    'metasim distance data/real data/generated',
    'metasim distance data/real data/adapted --limit 2000 --layer 192 --json',
    'metasim distance a.npy b.npy',
  ];
  define<Flags>(outcome, command, examples, async ([a, b], flags, { signal, progress }) => {
    const [{ initBackend }, { imageDistance }] = await Promise.all([
      import('../learn/backend.js'),
      import('../metrics/imageDistance.js'),
    ]);
    await initBackend({ threads: 'all' });
    let current: { readonly step: string; readonly bar: Progress } | undefined;
    const result = await imageDistance(a, b, {
      ...flags,
      layer: Number(flags.layer) as ImageDistance['features']['layer'],
      signal,
      onProgress(step, done, total) {
        if (current?.step !== step) {
          current?.bar.stop();
          current = { step, bar: progress(step, total) };
        }
        current.bar.update(done);
      },
    });
    current?.bar.stop();
    return { json: result, text: textOf(result) };
  });
}

function numberBetween(low: number, high: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (text.trim() === '' || !(value > low && value < high)) {
      throw new InvalidArgumentError(
        high === Number.POSITIVE_INFINITY
          ? 'Expected a positive number.'
          : `Expected a number between ${low} and ${high}.`,
      );
    }
    return value;
  };
}

function textOf(result: ImageDistance): string {
  const { a, b, countA, countB, dimensions, confidence, features, kid, gaussianMmd, frechet, warnings } = result;
  const percent = `${Number((100 * confidence).toPrecision(4))} %`;
  const line = (name: string, { value, interval }: WithInterval, digits: number, note: string) =>
    `${name.padEnd(13)}${value.toFixed(digits).padStart(11)}   ${percent}: ${interval.map((x) => x.toFixed(digits)).join(' to ')}   ${note}`;
  const { subsets } = kid;
  return [
    `a: ${a}, ${countA} images`,
    `b: ${b}, ${countB} images`,
    `features: ${featuresText(features, dimensions)}`,
    '',
    line('KID', kid, 6, zeroText(kid)),
    line('Gaussian MMD²', gaussianMmd, 6, `${zeroText(gaussianMmd)}, σ ${gaussianMmd.bandwidth.toPrecision(4)}`),
    line('Fréchet', frechet, 3, `less its bias of about ${frechet.bias.toFixed(3)}`),
    `KID over ${subsets.count} subsets of ${subsets.size}, as published: ${subsets.mean.toFixed(6)} ± ${subsets.std.toFixed(6)}`,
    ...warnings.map((warning) => `warning: ${warning}`),
  ].join('\n');
}

/** Whether the images tell the sets apart. */
function zeroText({ interval: [low] }: WithInterval): string {
  return low > 0 ? 'above 0' : 'not above 0';
}

function featuresText({ weights, source, layer, size }: ImageDistance['features'], dimensions: number): string {
  if (weights === 'given') return `${dimensions} a row, as given`;
  const network = weights === 'imagenet' ? 'InceptionV3 with ImageNet weights' : `random stand-in for InceptionV3`;
  return `${network} (${source}), layer ${layer} pooled, images at ${size} × ${size} px: to be compared with such only, not with published FID or KID`;
}
