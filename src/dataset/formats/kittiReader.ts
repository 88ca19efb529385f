import { DatasetError } from '../../errors.js';
import type { DatasetReader } from '../format.js';
import { type DatasetInfo, type DatasetSample, type SampleObject, type SurfaceLayer, sampleKey } from '../sample.js';
import { decodeLayers, layerFlags, type SampleLayers } from '../surfaceLayers.js';
import { readClasses } from './classesFile.js';
import type { DatasetFolder } from './datasetFolder.js';
import { describeImage, isImageName, withoutExtension } from './imageFile.js';
import { cameraOfCalibration, isFlatCalibration, parseKittiCalibration } from './kittiCalibration.js';
import { DONT_CARE, KITTI_TYPES, type KittiLabel, parseKittiLabel } from './kittiLabel.js';
import { type KittiFrame, objectOfKitti } from './kittiObjects.js';

const EXTENSIONS = ['png', 'jpg', 'jpeg'];
/** What a line of an image set may be. */
const STEM = /^[\w.-]{1,200}$/;
const NUMBER = /^\d{1,15}$/;

/** A frame of the training set. */
interface Frame {
  /** Its name in KITTI. */
  readonly stem: string;
  /** Path of its image. */
  readonly image: string;
}

/** The one image set of a dataset, where it has one. */
interface ImageSet {
  readonly split: string;
  readonly path: string;
}

/** Folder of the training set, with `/` at its end: `training/`, or nothing for the folder itself; undefined where it is neither. */
export async function findTraining(folder: DatasetFolder): Promise<string | undefined> {
  for (const training of ['training/', '']) {
    const both = await Promise.all(['image_2', 'label_2'].map((name) => folder.hasFolder(`${training}${name}`)));
    if (both.every(Boolean)) return training;
  }
  return undefined;
}

/**
 * Opens a training set. The images are those that are asked for, else those of the image set, if there is exactly one, in
 * its order; else all, by their numbers. Without `classes.txt` the label files are read once to find the classes: KITTI's
 * own in the order of its readme, then others by name. Whether cameras took the images is seen from the first one.
 * @param training as `findTraining` gives it
 * @param asked names of the frames, and what they are called together
 * @throws DatasetError when a file is damaged
 */
export async function openKitti(
  folder: DatasetFolder,
  training: string,
  asked?: { readonly stems: readonly string[]; readonly split: string },
): Promise<DatasetReader> {
  const set = asked ? undefined : await findImageSet(folder);
  const frames = () => {
    if (asked) return namedFrames(folder, training, asked.stems);
    return set ? framesOf(folder, training, set) : allFrames(folder, training);
  };
  const classes = (await readClasses(folder)) ?? (await surveyClasses(folder, training, frames()));
  const has = (name: string) => folder.hasFolder(`${training}${name}`);
  const info: DatasetInfo = {
    name: folder.name,
    classes,
    things: classes.filter((name) => name !== DONT_CARE),
    split: asked?.split ?? set?.split ?? 'training',
    codec: 'png',
    masks: false,
    scenes: false,
    ...layerFlags({ depth: await has('depth_2'), normals: await has('normals_2') }),
    ...((await isBeforeCamera(folder, training, frames())) ? { dimension: 3 as const } : {}),
  };
  return { info, samples: ({ signal } = {}) => readSamples(folder, training, frames(), info, signal) };
}

async function* readSamples(
  folder: DatasetFolder,
  training: string,
  frames: AsyncIterable<Frame>,
  { classes }: DatasetInfo,
  signal?: AbortSignal,
): AsyncGenerator<DatasetSample> {
  let index = 0;
  for await (const { stem, image: path } of frames) {
    signal?.throwIfAborted();
    const { image, width, height, channels } = describeImage(await folder.read(path), folder.at(path));
    const taken = await readCamera(folder, `${training}calib/${stem}.txt`, width, height);
    const objects: SampleObject[] = [];
    for await (const { label, where } of readLabels(folder, training, stem)) {
      if (!classes.includes(label.type)) {
        throw new DatasetError(
          `Expected one of ${classes.join(', ')} for the type in ${where} but received ${label.type}`,
        );
      }
      objects.push(objectOfKitti(label, { width, height, ...taken }));
    }
    const key = NUMBER.test(stem) ? sampleKey(Number(stem)) : stem;
    const layers = await readLayers(folder, training, stem, { width, height });
    yield { labels: { key, index: index++, width, height, channels, ...taken, objects }, image, ...layers };
  }
}

/** Depth and normals of a frame, where we wrote some. */
async function readLayers(
  folder: DatasetFolder,
  training: string,
  stem: string,
  size: Pick<KittiFrame, 'width' | 'height'>,
): Promise<SampleLayers> {
  const read = async (layer: SurfaceLayer) => {
    const path = `${training}${layer}_2/${stem}.png`;
    return (await folder.has(path)) ? await folder.read(path) : undefined;
  };
  const [depth, normals] = [await read('depth'), await read('normals')];
  const files = { ...(depth && { depth }), ...(normals && { normals }) };
  return decodeLayers(files, size, `the frame ${stem} of ${folder.path}`);
}

/** Whether a camera took the first of the frames. */
async function isBeforeCamera(folder: DatasetFolder, training: string, frames: AsyncIterable<Frame>): Promise<boolean> {
  for await (const { stem, image } of frames) {
    const calibration = `${training}calib/${stem}.txt`;
    if (!(await folder.has(calibration))) return false;
    const { width, height } = describeImage(await folder.read(image), folder.at(image));
    return (await readCamera(folder, calibration, width, height)).camera !== undefined;
  }
  return false;
}

/** Camera and calibration of a frame; nothing where there is no file, or no camera took the picture. */
async function readCamera(
  folder: DatasetFolder,
  path: string,
  width: number,
  height: number,
): Promise<Pick<KittiFrame, 'camera' | 'calibration'>> {
  if (!(await folder.has(path))) return {};
  const where = folder.at(path);
  const calibration = parseKittiCalibration(await folder.text(path), where);
  if (isFlatCalibration(calibration, width, height)) return {};
  return { camera: cameraOfCalibration(calibration, where), calibration };
}

/** The rows of a label file. */
async function* readLabels(
  folder: DatasetFolder,
  training: string,
  stem: string,
): AsyncGenerator<{ readonly label: KittiLabel; readonly where: string }> {
  const path = `${training}label_2/${stem}.txt`;
  for await (const { number, text } of folder.lines(path)) {
    if (text.trim() === '') continue;
    const where = `${folder.at(path)}:${number}`;
    yield { label: parseKittiLabel(text, where), where };
  }
}

async function findImageSet(folder: DatasetFolder): Promise<ImageSet | undefined> {
  if (!(await folder.hasFolder('ImageSets'))) return undefined;
  const sets = (await folder.names('ImageSets')).files.filter((name) => name.endsWith('.txt'));
  return sets.length === 1 ? { split: withoutExtension(sets[0]), path: `ImageSets/${sets[0]}` } : undefined;
}

async function* framesOf(folder: DatasetFolder, training: string, { path }: ImageSet): AsyncGenerator<Frame> {
  for await (const { number, text } of folder.lines(path)) {
    const stem = text.trim();
    if (stem === '') continue;
    const where = `${folder.at(path)}:${number}`;
    if (!STEM.test(stem)) {
      throw new DatasetError(`Expected the name of a frame in ${where} but received ${JSON.stringify(stem)}`);
    }
    yield { stem, image: await imageOf(folder, training, stem, where) };
  }
}

async function* namedFrames(folder: DatasetFolder, training: string, stems: readonly string[]): AsyncGenerator<Frame> {
  for (const stem of stems) {
    if (!STEM.test(stem)) throw new DatasetError(`Expected the name of a frame but received ${JSON.stringify(stem)}`);
    yield { stem, image: await imageOf(folder, training, stem, 'the frames asked for') };
  }
}

async function imageOf(folder: DatasetFolder, training: string, stem: string, where: string): Promise<string> {
  for (const extension of EXTENSIONS) {
    const path = `${training}image_2/${stem}.${extension}`;
    if (await folder.has(path)) return path;
  }
  throw new DatasetError(`Expected ${training}image_2/${stem}.png, named in ${where}, but received none`);
}

async function* allFrames(folder: DatasetFolder, training: string): AsyncGenerator<Frame> {
  const names = (await folder.names(`${training}image_2`)).files.filter(isImageName);
  const frames = names.map((name) => ({ stem: withoutExtension(name), image: `${training}image_2/${name}` }));
  await expectImages(folder, training, new Set(frames.map(({ stem }) => stem)));
  yield* frames.sort((a, b) => inOrder(a.stem, b.stem));
}

/** Labels without an image would be lost in silence. @throws DatasetError that names the first frame of such */
async function expectImages(folder: DatasetFolder, training: string, frames: ReadonlySet<string>): Promise<void> {
  const labels = (await folder.names(`${training}label_2`)).files.filter((name) => name.endsWith('.txt'));
  const [first, ...more] = labels.map(withoutExtension).filter((stem) => !frames.has(stem));
  if (first === undefined) return;
  const others = more.length > 0 ? `, nor the images of ${more.length} more label files` : '';
  throw new DatasetError(
    `Expected the image of frame ${first}, which ${folder.at(`${training}label_2/${first}.txt`)} labels, ` +
      `at ${folder.at(`${training}image_2/${first}.png`)} (or ${EXTENSIONS.slice(1).join(', ')}) but received none${others}`,
  );
}

/** By their numbers where they are numbers of different length, else by their characters. */
function inOrder(a: string, b: string): number {
  if (NUMBER.test(a) && NUMBER.test(b) && a.length !== b.length) return Number(a) - Number(b);
  return a < b ? -1 : a > b ? 1 : 0;
}

async function surveyClasses(folder: DatasetFolder, training: string, frames: AsyncIterable<Frame>): Promise<string[]> {
  const seen = new Set<string>();
  for await (const { stem } of frames) {
    for await (const { label } of readLabels(folder, training, stem)) seen.add(label.type);
  }
  const known = KITTI_TYPES.filter((type) => seen.delete(type));
  const last = seen.delete(DONT_CARE) ? [DONT_CARE] : [];
  return [...known, ...[...seen].sort(), ...last];
}
