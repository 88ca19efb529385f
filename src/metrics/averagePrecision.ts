import { ConfigError, DatasetError } from '../errors.js';
import {
  countDetections,
  type DetectionBox,
  type DetectionFrame,
  type DifficultyLimits,
  hitScores,
  type MatchableFrame,
  matchableFrame,
} from './detectionMatching.js';

export type KittiDifficulty = 'easy' | 'moderate' | 'hard';

/** KITTI's difficulties, hardest last; each holds the objects of those before it. */
export const KITTI_DIFFICULTIES: Readonly<Record<KittiDifficulty, DifficultyLimits>> = {
  easy: { minimumHeight: 40, maximumOcclusion: 0, maximumTruncation: 0.15 },
  moderate: { minimumHeight: 25, maximumOcclusion: 1, maximumTruncation: 0.3 },
  hard: { minimumHeight: 25, maximumOcclusion: 2, maximumTruncation: 0.5 },
};

/** KITTI's neighbouring classes: finding one is neither right nor wrong. */
export const KITTI_NEIGHBOURS: Readonly<Record<string, readonly string[]>> = {
  Car: ['Van'],
  Pedestrian: ['Person_sitting'],
};

/** KITTI's least overlaps; the Meta-Sim paper takes 0.5 for cars. */
export const KITTI_OVERLAPS: Readonly<Record<string, number>> = { Car: 0.7, Pedestrian: 0.5, Cyclist: 0.5 };

export interface AveragePrecisionOptions {
  /** e.g. `Car`. */
  readonly class: string;
  /** Which objects count; default `moderate`. */
  readonly difficulty?: KittiDifficulty | DifficultyLimits;
  /** Intersection over union of a hit is above this, in [0, 1); default KITTI's for the class, else 0.5. */
  readonly minimumOverlap?: number;
  /** Classes of which finding one is neither right nor wrong; default KITTI's for the class. */
  readonly neighbours?: readonly string[];
}

/** A point of the curve of precision over recall. */
export interface PrecisionPoint {
  /** Detections of at least this score were taken. */
  readonly score: number;
  /** Hits ÷ objects that count, 0–1. */
  readonly recall: number;
  /** Hits ÷ hits and false alarms, 0–1. */
  readonly precision: number;
  /** The best precision at this recall or a higher one. */
  readonly interpolated: number;
}

export interface AveragePrecision {
  /** Mean of the interpolated precision at recalls 0, 0.1, … 1: KITTI until October 2019, and the Meta-Sim paper. 0–1. */
  readonly ap11: number;
  /** The same at 1/40, 2/40, … 1: KITTI since then. 0–1. */
  readonly ap40: number;
  /** Objects that count; with none both values are 0 and say nothing. */
  readonly objects: number;
  /** The points that were taken, in the order of recall: at most 41. */
  readonly curve: readonly PrecisionPoint[];
}

/** Positions on the axis of recall: 0, 1/40, … 1. */
const POSITIONS = 41;
/** Every so manieth position is one of eleven. */
const ELEVENTH = 4;

/**
 * Average precision of 2D detections as KITTI's object benchmark computes it (https://www.cvlibs.net/datasets/kitti): see
 * `matchableFrame` for what counts. Scores are chosen so that recall at the k-th is nearest to k/40; precision there is
 * interpolated, and 0 where recall never comes to.
 *
 * The k-th point is the k-th score, so that with fewer than 41 objects that count even a detector without fault does not
 * reach 1 (with n, `ap40` is at most (n − 1) / 40): KITTI's way, meant for thousands of objects.
 *
 * Boxes are measured as they are given. KITTI's program takes right − left for the width; so does `metasim
 * average-precision`, which reads KITTI's files.
 * @param frames all images, those without objects or detections included
 * @throws ConfigError for an option, DatasetError for a box, score, occlusion or truncation that is none, naming the frame
 */
export function averagePrecision(
  frames: Iterable<DetectionFrame>,
  { class: wanted, difficulty = 'moderate', ...rest }: AveragePrecisionOptions,
): AveragePrecision {
  const minimumOverlap = rest.minimumOverlap ?? KITTI_OVERLAPS[wanted] ?? 0.5;
  const neighbours = rest.neighbours ?? KITTI_NEIGHBOURS[wanted] ?? [];
  const limits = typeof difficulty === 'string' ? KITTI_DIFFICULTIES[difficulty] : difficulty;
  checkOptions(difficulty, limits, minimumOverlap);
  const sorted: MatchableFrame[] = [];
  for (const frame of frames) {
    checkFrame(frame, sorted.length);
    sorted.push(matchableFrame(frame, { class: wanted, neighbours, limits, minimumOverlap }));
  }
  const objects = sorted.reduce((sum, { count }) => sum + count, 0);
  const scores = scoresAtRecalls(sorted.flatMap(hitScores), objects);
  const points = scores.map((score) => pointAt(sorted, score));
  const curve: PrecisionPoint[] = [];
  let best = 0;
  for (const point of points.toReversed()) {
    best = Math.max(best, point.precision);
    curve.unshift({ ...point, interpolated: best });
  }
  const at = (position: number) => curve[position]?.interpolated ?? 0;
  let sum11 = 0;
  let sum40 = 0;
  for (let position = 0; position < POSITIONS; position++) {
    if (position % ELEVENTH === 0) sum11 += at(position);
    if (position > 0) sum40 += at(position);
  }
  return { ap11: sum11 / ((POSITIONS - 1) / ELEVENTH + 1), ap40: sum40 / (POSITIONS - 1), objects, curve };
}

/**
 * The scores at which recall is nearest to 0, 1/40, … 1. The i-th surest hit (from 0) is at recall (i + 1) / objects; it is
 * passed over while the next one is nearer to the recall wanted, and the last one never is.
 */
function scoresAtRecalls(hits: number[], objects: number): number[] {
  const surestFirst = hits.sort((a, b) => b - a);
  const scores: number[] = [];
  // Added up as the kit does it, so that the same hits are nearest also where rounding decides.
  let wanted = 0;
  for (const [i, score] of surestFirst.entries()) {
    const last = i === surestFirst.length - 1;
    const here = (i + 1) / objects;
    const next = (i + 2) / objects;
    if (!last && next - wanted < wanted - here) continue;
    scores.push(score);
    wanted += 1 / (POSITIONS - 1);
  }
  return scores;
}

function pointAt(frames: readonly MatchableFrame[], score: number): Omit<PrecisionPoint, 'interpolated'> {
  let [hits, misses, falseAlarms] = [0, 0, 0];
  for (const frame of frames) {
    const counts = countDetections(frame, score);
    hits += counts.hits;
    misses += counts.misses;
    falseAlarms += counts.falseAlarms;
  }
  // Hits by overlap may be none where there is one by score.
  return { score, recall: hits / Math.max(1, hits + misses), precision: hits / Math.max(1, hits + falseAlarms) };
}

function checkOptions(difficulty: unknown, limits: DifficultyLimits | undefined, minimumOverlap: number): void {
  if (!limits) {
    throw new ConfigError(`Expected easy, moderate or hard for difficulty but received ${JSON.stringify(difficulty)}`);
  }
  for (const name of ['minimumHeight', 'maximumOcclusion', 'maximumTruncation'] as const) {
    if (!(limits[name] >= 0)) {
      throw new ConfigError(`Expected a number of at least 0 for difficulty.${name} but received ${limits[name]}`);
    }
  }
  if (!(minimumOverlap >= 0 && minimumOverlap < 1)) {
    throw new ConfigError(`Expected a share in [0, 1) for minimumOverlap but received ${minimumOverlap}`);
  }
}

function checkFrame({ objects, detections }: DetectionFrame, frame: number): void {
  const expect = (holds: boolean, what: string, path: string, value: unknown) => {
    if (!holds) throw new DatasetError(`Expected ${what} for frames[${frame}].${path} but received ${value}`);
  };
  const isBox = (box: DetectionBox) => box.length === 4 && box.every(Number.isFinite) && box[2] >= 0 && box[3] >= 0;
  const box = '[left, top, width, height] in px with sides of at least 0';
  for (const [i, object] of objects.entries()) {
    const { occlusion = 0, truncation = 0 } = object;
    expect(isBox(object.box), box, `objects[${i}].box`, `[${object.box}]`);
    expect(Number.isFinite(occlusion), 'a level', `objects[${i}].occlusion`, occlusion);
    expect(Number.isFinite(truncation), 'a share', `objects[${i}].truncation`, truncation);
  }
  for (const [i, detection] of detections.entries()) {
    expect(isBox(detection.box), box, `detections[${i}].box`, `[${detection.box}]`);
    expect(Number.isFinite(detection.score), 'a finite number', `detections[${i}].score`, detection.score);
  }
}
