import { basename, dirname, extname } from 'node:path';
import { DatasetError } from '../../errors.js';
import { checkRelativePath } from '../staging.js';
import { type CocoPlace, cocoError } from './cocoSchema.js';
import { DatasetFolder } from './datasetFolder.js';

/** Annotation files that hold one split each: ours and COCO's own. */
const SPLIT_FILE = /^(instances|panoptic)_(.+)\.json$/;
/** COCO's files for other tasks, which may stand beside them. */
const OTHER_TASK = /^(captions|person_keypoints|stuff|image_info)_/;
/** Names that other tools give an annotation file beside the images or above them. */
const FOREIGN_FILE = /^(.+[._-])?(coco|annotations?|instances)([._-].+)?\.json$/i;

/** The annotation files of one split. */
export interface CocoFiles {
  readonly folder: DatasetFolder;
  readonly split: string;
  /** Paths in the folder; at least one is there. */
  readonly instances?: string;
  readonly panoptic?: string;
}

/** Whether a folder has annotation files by their names. */
export async function hasCocoFiles(path: string): Promise<boolean> {
  const folder = await DatasetFolder.open(path).catch(() => undefined);
  return folder !== undefined && (await listCandidates(folder)).length > 0;
}

/**
 * Finds the annotation files of a dataset.
 * @param path its folder, or one of its `.json` files, for one split of many
 * @throws DatasetError when there is none, or more than one split
 */
export async function findCocoFiles(path: string): Promise<CocoFiles> {
  const named = extname(path).toLowerCase() === '.json' ? basename(path) : undefined;
  const parent = dirname(path);
  const inAnnotations = basename(parent) === 'annotations';
  const folder = await DatasetFolder.open(named ? (inAnnotations ? dirname(parent) : parent) : path);
  const files = named ? [inAnnotations ? `annotations/${named}` : named] : await listCandidates(folder);
  const bySplit = new Map<string, { split: string; instances?: string; panoptic?: string }>();
  for (const file of files) {
    const { task, split } = describe(file);
    // Panoptic and instance annotations of a split belong together; of other names nobody knows.
    const key = SPLIT_FILE.test(basename(file)) ? split : file;
    bySplit.set(key, { ...bySplit.get(key), split, [task]: file });
  }
  if (bySplit.size === 1)
    return { folder, ...[...bySplit.values()][0], ...(named ? await sibling(folder, files[0]) : {}) };
  const names = files.map((file) => folder.at(file)).join(', ');
  throw new DatasetError(
    files.length === 0
      ? `Expected COCO's annotations in ${path} (annotations/instances_….json, for one) but received none`
      : `Expected one split but received more in ${path}: name one of ${names}`,
  );
}

/** Reads the images of a dataset from wherever they are. */
export class CocoImages {
  readonly #folder: DatasetFolder;
  /** Folders to look in, the last one that had an image first. */
  #roots: string[];

  /** @param kind images of the dataset, or the PNGs of its panoptic annotations */
  constructor(folder: DatasetFolder, annotationFile: string, split: string, kind: 'images' | 'panoptic') {
    this.#folder = folder;
    const beside = dirname(annotationFile);
    const panoptic = basename(annotationFile, '.json');
    const roots =
      kind === 'images'
        ? [`images/${split}`, split, 'images', beside, `${split}/images`, 'data', '.']
        : [`${beside}/${panoptic}`, panoptic, beside, '.'];
    this.#roots = [...new Set(roots.map((root) => root.replace(/^\.\/|^\.$/, '')))];
  }

  /**
   * The bytes of an image.
   * @param fileName `file_name` of its record, relative to any of the usual folders
   * @throws DatasetError when it leaves the dataset, or there is no such file
   */
  async read(fileName: string, place: CocoPlace): Promise<Uint8Array> {
    const name = fileName.replace(/^(\.\/)+/, '');
    try {
      checkRelativePath(name);
    } catch {
      throw cocoError('a path within the dataset', place, 'file_name', fileName);
    }
    const where = `${place.element}.file_name of ${place.file}`;
    for (const root of this.#roots) {
      const path = root === '' ? name : `${root}/${name}`;
      if (!(await this.#folder.has(path))) continue;
      if (root !== this.#roots[0]) this.#roots = [root, ...this.#roots.filter((each) => each !== root)];
      return this.#folder.read(path, where);
    }
    const roots = this.#roots.map((root) => this.#folder.at(root)).join(', ');
    throw new DatasetError(`Expected the file ${JSON.stringify(fileName)}, named in ${where}, in one of ${roots}`);
  }
}

/** Paths of what look like annotation files of detection and panoptic segmentation. */
async function listCandidates(folder: DatasetFolder): Promise<string[]> {
  const { folders, files } = await folder.names();
  if (folders.includes('annotations')) {
    const names = (await folder.names('annotations')).files.filter((name) => name.endsWith('.json'));
    const ofSplits = names.filter((name) => SPLIT_FILE.test(name));
    const chosen = ofSplits.length > 0 ? ofSplits : names.filter((name) => !OTHER_TASK.test(name));
    if (chosen.length > 0) return chosen.map((name) => `annotations/${name}`);
  }
  const isForeign = (name: string) => FOREIGN_FILE.test(name) && !OTHER_TASK.test(name);
  const here = files.filter(isForeign);
  if (here.length > 0) return here;
  if (files.includes('labels.json') && folders.includes('data')) return ['labels.json'];
  const below: string[] = [];
  for (const name of folders) {
    const inside = (await folder.names(name)).files.filter((file) => file === '_annotations.coco.json');
    below.push(...inside.map((file) => `${name}/${file}`));
  }
  return below;
}

/** What an annotation file is about, from its name and the folder it is in. */
function describe(file: string): { task: 'instances' | 'panoptic'; split: string } {
  const [, task, split] = SPLIT_FILE.exec(basename(file)) ?? [];
  if (task) return { task: task as 'instances' | 'panoptic', split };
  const parent = basename(dirname(file));
  return { task: 'instances', split: parent === '.' || parent === 'annotations' ? 'train' : parent };
}

/** The panoptic file that belongs to an instance file that was named. */
async function sibling(folder: DatasetFolder, file: string): Promise<{ panoptic?: string }> {
  const { task, split } = describe(file);
  const path = `${dirname(file)}/panoptic_${split}.json`.replace(/^\.\//, '');
  return task === 'instances' && SPLIT_FILE.test(basename(file)) && (await folder.has(path)) ? { panoptic: path } : {};
}
