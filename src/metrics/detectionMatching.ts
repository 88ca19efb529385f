/**
 * Who found what on an image: KITTI's rules for matching 2D detections with ground truth. They follow the evaluation program
 * of KITTI's object development kit (evaluate_object.cpp, version with 3D boxes), whose conventions are named where they are
 * not obvious.
 */

/** [left, top, width, height], px. */
export type DetectionBox = readonly [left: number, top: number, width: number, height: number];

/** An object of the ground truth. */
export interface TrueObject {
  /** `DontCare` for a region in which nobody labelled. */
  readonly class: string;
  readonly box: DetectionBox;
  /** Share of it off the image, 0–1; default 0. */
  readonly truncation?: number;
  /** KITTI's level, 0 to 3; default 0. */
  readonly occlusion?: number;
}

/** What a detector says. */
export interface DetectedObject {
  readonly class: string;
  readonly box: DetectionBox;
  /** Higher is surer. */
  readonly score: number;
}

/** An image. */
export interface DetectionFrame {
  readonly objects: readonly TrueObject[];
  readonly detections: readonly DetectedObject[];
}

/** Which objects count. */
export interface DifficultyLimits {
  /** Objects count that are higher than this, px; detections that are at least as high. */
  readonly minimumHeight: number;
  /** Highest occlusion level of an object that counts. */
  readonly maximumOcclusion: number;
  /** Largest truncation of an object that counts. */
  readonly maximumTruncation: number;
}

/** What is looked for, and when it is found. */
export interface MatchingRules {
  readonly class: string;
  /** Classes so near that finding one is neither right nor wrong. */
  readonly neighbours: readonly string[];
  readonly limits: DifficultyLimits;
  /** Intersection over union of a hit is above this. */
  readonly minimumOverlap: number;
}

/** Hits, misses and false alarms; what is neither is in none of them. */
export interface DetectionCounts {
  readonly hits: number;
  readonly misses: number;
  readonly falseAlarms: number;
}

/** An image of which is known who may match whom. */
export interface MatchableFrame {
  /** Objects that must be found. */
  readonly count: number;
  /** Objects and their candidates, in the order of the ground truth. */
  readonly objects: readonly {
    /** Finding it is neither right nor wrong, and so is missing it. */
    readonly ignored: boolean;
    /** Detections that overlap enough, in their order. */
    readonly candidates: readonly { readonly detection: number; readonly overlap: number }[];
  }[];
  readonly detections: readonly {
    readonly score: number;
    /** Too small: neither right nor wrong. */
    readonly ignored: boolean;
    /** Lies in a region in which nobody labelled. */
    readonly excused: boolean;
  }[];
}

const DONT_CARE = 'dontcare';

/**
 * Sorts out what counts on an image.
 *
 * Objects of the class that are within the limits have to be found. Those beyond them, and objects of neighbouring classes,
 * are ignored: they may take a detection, which then is no false alarm. Other objects are as if they were not there. Detections
 * of less than the least height are ignored, *of whatever class*: they may take an object, which then is no miss. Other
 * detections of other classes are as if they were not there. Classes are compared without regard to case.
 */
export function matchableFrame(
  { objects, detections }: DetectionFrame,
  { class: wanted, neighbours, limits, minimumOverlap }: MatchingRules,
): MatchableFrame {
  const own = wanted.toLowerCase();
  const near = neighbours.map((name) => name.toLowerCase());
  const taking = detections.filter(
    ({ class: name, box }) => name.toLowerCase() === own || box[3] < limits.minimumHeight,
  );
  const regions = objects.filter((object) => object.class.toLowerCase() === DONT_CARE);
  const sorted: MatchableFrame['objects'][number][] = [];
  for (const object of objects) {
    const name = object.class.toLowerCase();
    if (name !== own && !near.includes(name)) continue;
    const candidates = taking
      .map(({ box }, detection) => ({ detection, overlap: overlapOf(object.box, box) }))
      .filter(({ overlap }) => overlap > minimumOverlap);
    sorted.push({ ignored: name !== own || !isWithin(object, limits), candidates });
  }
  return {
    count: sorted.filter(({ ignored }) => !ignored).length,
    objects: sorted,
    detections: taking.map(({ box, score }) => ({
      score,
      ignored: box[3] < limits.minimumHeight,
      excused: regions.some((region) => shareIn(region.box, box) > minimumOverlap),
    })),
  };
}

/**
 * Scores of the hits when every detection is taken seriously: each object takes the surest that is left. They say at which
 * scores the curve of precision over recall is looked at.
 */
export function hitScores({ objects, detections }: MatchableFrame): number[] {
  const taken = new Set<number>();
  const scores: number[] = [];
  for (const { ignored, candidates } of objects) {
    let best = -1;
    for (const { detection } of candidates) {
      if (taken.has(detection)) continue;
      if (best < 0 || detections[detection].score > detections[best].score) best = detection;
    }
    if (best < 0) continue;
    taken.add(best);
    if (!ignored && !detections[best].ignored) scores.push(detections[best].score);
  }
  return scores;
}

/**
 * Counts with the detections of at least a score. Each object takes the detection that overlaps it most; one that is ignored
 * only where there is no other.
 */
export function countDetections({ objects, detections }: MatchableFrame, leastScore: number): DetectionCounts {
  const taken = new Set<number>();
  let hits = 0;
  let misses = 0;
  for (const { ignored, candidates } of objects) {
    let best: (typeof candidates)[number] | undefined;
    for (const candidate of candidates) {
      const { score, ignored: small } = detections[candidate.detection];
      if (score < leastScore || taken.has(candidate.detection)) continue;
      const bestIsSmall = best !== undefined && detections[best.detection].ignored;
      if (!best || (!small && (bestIsSmall || candidate.overlap > best.overlap))) best = candidate;
    }
    if (!best) {
      if (!ignored) misses++;
      continue;
    }
    taken.add(best.detection);
    if (!ignored && !detections[best.detection].ignored) hits++;
  }
  const falseAlarms = detections.filter(
    ({ score, ignored, excused }, i) => score >= leastScore && !ignored && !excused && !taken.has(i),
  ).length;
  return { hits, misses, falseAlarms };
}

/** Whether an object has to be found. The kit's first version took boxes as high as the limit too; this one does not. */
function isWithin({ box, occlusion = 0, truncation = 0 }: TrueObject, limits: DifficultyLimits): boolean {
  return (
    box[3] > limits.minimumHeight && occlusion <= limits.maximumOcclusion && truncation <= limits.maximumTruncation
  );
}

/** Intersection over union. */
function overlapOf(a: DetectionBox, b: DetectionBox): number {
  const shared = intersection(a, b);
  return shared > 0 ? shared / (areaOf(a) + areaOf(b) - shared) : 0;
}

/** Share of a detection that lies in a region. */
function shareIn(region: DetectionBox, box: DetectionBox): number {
  const shared = intersection(region, box);
  return shared > 0 ? shared / areaOf(box) : 0;
}

function intersection(a: DetectionBox, b: DetectionBox): number {
  const width = Math.min(a[0] + a[2], b[0] + b[2]) - Math.max(a[0], b[0]);
  const height = Math.min(a[1] + a[3], b[1] + b[3]) - Math.max(a[1], b[1]);
  return width > 0 && height > 0 ? width * height : 0;
}

function areaOf([, , width, height]: DetectionBox): number {
  return width * height;
}
