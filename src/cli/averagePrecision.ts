import { type Command, InvalidArgumentError, Option } from 'commander';
import type { AveragePrecision, KittiDifficulty } from '../metrics/averagePrecision.js';
import { define, type Outcome } from './frame.js';

interface Flags {
  readonly class?: string[];
  readonly difficulty?: KittiDifficulty[];
  readonly overlap?: number;
  readonly frames?: string;
}

/** What was asked for, and the answer. */
interface Row extends AveragePrecision {
  readonly class: string;
  readonly difficulty: KittiDifficulty;
  readonly minimumOverlap: number;
}

const DIFFICULTIES: readonly KittiDifficulty[] = ['easy', 'moderate', 'hard'];
/** Classes of KITTI's benchmark. */
const BENCHMARK = ['Car', 'Pedestrian', 'Cyclist'];
/** Points of the curve; fewer objects that count do not have as many. */
const ALL_POINTS = 41;
const HEAD = ['class', 'difficulty', 'overlap above', 'objects', 'AP11 %', 'AP40 %'];

/** `metasim average-precision`: how good are detections, as KITTI measures it? */
export function addAveragePrecision(program: Command, outcome: Outcome): void {
  const command = program
    .command('average-precision')
    .description("average precision of 2D detections as KITTI defines it, from files of KITTI's format")
    .argument('<truth>', 'folder of label files, or a dataset in KITTI format')
    .argument('<detections>', 'folder of result files: the same rows with a score as 16th field')
    .addOption(
      new Option(
        '--class <name>',
        'class that is looked for; repeat for more (default: those of KITTI that occur)',
      ).argParser(collect),
    )
    .addOption(
      new Option('--difficulty <name>', 'easy, moderate or hard; repeat for more (default: all)').argParser(
        (text: string, before: KittiDifficulty[] | undefined) => {
          if (DIFFICULTIES.includes(text as KittiDifficulty)) return [...(before ?? []), text as KittiDifficulty];
          throw new InvalidArgumentError(`Expected one of ${DIFFICULTIES.join(', ')}.`);
        },
      ),
    )
    .addOption(
      new Option(
        '--overlap <share>',
        'intersection over union of a hit is above this (default: 0.7 for Car, else 0.5; the Meta-Sim paper: 0.5)',
      ).argParser(share),
    )
    .option('--frames <file>', 'names of the frames to evaluate, a line each (default: all with ground truth)');
  const examples = [
    'metasim average-precision data/kitti/training/label_2 runs/detector/data',
    'metasim average-precision data/kitti runs/detector --class Car --overlap 0.5 --json',
    'metasim average-precision data/kitti runs/detector --frames data/kitti/ImageSets/validation.txt',
  ];
  define<Flags>(outcome, command, examples, async ([truth, detections], flags, { signal }) => {
    const [{ averagePrecision, KITTI_OVERLAPS }, { readKittiDetections }, { textTable }] = await Promise.all([
      import('../metrics/averagePrecision.js'),
      import('../metrics/kittiDetections.js'),
      import('../report/textTable.js'),
    ]);
    const { frames, classes, leftOut } = await readKittiDetections(truth, detections, { frames: flags.frames, signal });
    const { difficulty = DIFFICULTIES, class: names = BENCHMARK.filter((name) => classes.includes(name)) } = flags;
    const results = names.flatMap((name) =>
      difficulty.map((level): Row => {
        const minimumOverlap = flags.overlap ?? KITTI_OVERLAPS[name] ?? 0.5;
        return {
          ...{ class: name, difficulty: level, minimumOverlap },
          ...averagePrecision(frames, { class: name, difficulty: level, minimumOverlap }),
        };
      }),
    );
    const table = textTable(HEAD, results.map(cellsOf));
    const json = { truth, detections, frames: frames.length, leftOut, results };
    return { json, text: textOf(json, table) };
  });
}

function collect(text: string, before: string[] | undefined): string[] {
  return [...(before ?? []), text];
}

function share(text: string): number {
  const value = Number(text);
  if (text.trim() === '' || !(value >= 0 && value < 1)) throw new InvalidArgumentError('Expected a share in [0, 1).');
  return value;
}

function cellsOf({
  class: name,
  difficulty,
  minimumOverlap,
  objects,
  ap11,
  ap40,
}: Row): (string | number | undefined)[] {
  const percent = (value: number) => (objects === 0 ? undefined : Number((100 * value).toFixed(2)));
  return [name, difficulty, minimumOverlap, objects, percent(ap11), percent(ap40)];
}

function textOf(found: { frames: number; leftOut: number; results: readonly Row[] }, table: string): string {
  const few = found.results.some(({ objects }) => objects > 0 && objects < ALL_POINTS);
  return [
    `${found.frames} frames${found.leftOut > 0 ? ` (detections of ${found.leftOut} more were left out)` : ''}`,
    found.results.length > 0 ? table : 'no class of KITTI occurs; name one with --class',
    ...(few
      ? [`with fewer than ${ALL_POINTS} objects no detector reaches 100 %: KITTI takes a point of the curve an object`]
      : []),
  ].join('\n');
}
