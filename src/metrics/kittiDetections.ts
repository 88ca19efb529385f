import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type KittiLabel, parseKittiLabel } from '../dataset/formats/kittiLabel.js';
import { DatasetError } from '../errors.js';
import type { DetectionBox, DetectionFrame } from './detectionMatching.js';

/** Where the files may be, below the folder that is given. */
const TRUTH_FOLDERS = ['', 'label_2', 'training/label_2'];
const RESULT_FOLDERS = ['', 'data'];
const EXTENSION = '.txt';
/** What a line of a list of frames may be. */
const STEM = /^[\w.-]{1,200}$/;

export interface KittiDetectionOptions {
  /** File with the names of the frames that are evaluated, a line each, as in `ImageSets`; default: all with ground truth. */
  readonly frames?: string;
  readonly signal?: AbortSignal;
}

/** Ground truth and detections of KITTI's files. */
export interface KittiDetections {
  readonly frames: DetectionFrame[];
  /** Classes of the ground truth, in the order of their first objects. */
  readonly classes: readonly string[];
  /** Files of detections without ground truth, or not among the frames: they are left out. */
  readonly leftOut: number;
}

/**
 * Reads label files and files of results (the same rows with a score), matched by their names.
 *
 * Boxes are as wide as right − left, as in KITTI's evaluation, and not as in `label_2`'s datasets, where the last pixel belongs
 * to them.
 * @param truth a folder of label files, or a dataset of KITTI's layout
 * @param results a folder of result files, or one with `data/` in it, as KITTI's server takes it
 * @throws DatasetError naming file and line; also when a frame has no file of results, which may be empty
 */
export async function readKittiDetections(
  truth: string,
  results: string,
  { frames: list, signal }: KittiDetectionOptions = {},
): Promise<KittiDetections> {
  const [labels, detections] = await Promise.all([findRows(truth, TRUTH_FOLDERS), findRows(results, RESULT_FOLDERS)]);
  const stems = list === undefined ? [...labels.stems].sort() : await readList(list);
  const frames: DetectionFrame[] = [];
  const classes = new Set<string>();
  for (const { folder, stems: there } of [labels, detections]) {
    const missing = stems.find((stem) => !there.has(stem));
    if (missing === undefined) continue;
    throw new DatasetError(
      `Expected ${missing}${EXTENSION} in ${folder} but received none; a frame where nothing was found has an empty file, and a list of frames names those that are evaluated`,
    );
  }
  for (const stem of stems) {
    signal?.throwIfAborted();
    const objects = (await readRows(labels.folder, stem)).map(({ label }) => ({
      class: label.type,
      box: boxOf(label),
      truncation: label.truncated,
      occlusion: label.occluded,
    }));
    const found = (await readRows(detections.folder, stem)).map(({ label, where }) => {
      if (label.score === undefined) {
        throw new DatasetError(`Expected 16 fields, with the score last, in ${where} but received 15`);
      }
      return { class: label.type, box: boxOf(label), score: label.score };
    });
    for (const object of objects) classes.add(object.class);
    frames.push({ objects, detections: found });
  }
  const evaluated = new Set(stems);
  const leftOut = [...detections.stems].filter((stem) => !evaluated.has(stem)).length;
  return { frames, classes: [...classes], leftOut };
}

function boxOf({ box: [left, top, right, bottom] }: KittiLabel): DetectionBox {
  return [left, top, right - left, bottom - top];
}

/** The first of the folders that holds text files, and their names. */
async function findRows(path: string, below: readonly string[]): Promise<{ folder: string; stems: Set<string> }> {
  for (const name of below) {
    const folder = join(path, name);
    const names: string[] = await readdir(folder).catch(() => []);
    const stems = names.filter((file) => file.endsWith(EXTENSION)).map((file) => file.slice(0, -EXTENSION.length));
    // The list of classes beside the folders of a dataset is no label file.
    if (stems.length > 0 && !names.includes('training')) return { folder, stems: new Set(stems) };
  }
  throw new DatasetError(
    `Expected text files in ${path}, or in ${below.slice(1).join(' or ')} there, but received none`,
  );
}

async function readList(path: string): Promise<string[]> {
  const stems = (await readText(path)).split('\n').map((line) => line.trim());
  const named = stems.filter((stem) => stem !== '');
  const bad = named.find((stem) => !STEM.test(stem));
  if (bad !== undefined) {
    throw new DatasetError(`Expected names of frames, a line each, in ${path} but received ${JSON.stringify(bad)}`);
  }
  const twice = named.find((stem, i) => named.indexOf(stem) < i);
  if (twice !== undefined) throw new DatasetError(`Expected every frame once in ${path} but received ${twice} twice`);
  if (named.length === 0) throw new DatasetError(`Expected names of frames, a line each, in ${path} but received none`);
  return named;
}

async function readRows(folder: string, stem: string): Promise<{ label: KittiLabel; where: string }[]> {
  const path = join(folder, `${stem}${EXTENSION}`);
  const lines = (await readText(path)).split('\n');
  return lines.flatMap((line, i) => {
    const where = `${path}:${i + 1}`;
    return line.trim() === '' ? [] : [{ label: parseKittiLabel(line, where), where }];
  });
}

async function readText(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (cause) {
    throw new DatasetError(`Expected a readable file at ${path} but received: ${(cause as Error).message}`, { cause });
  }
}
