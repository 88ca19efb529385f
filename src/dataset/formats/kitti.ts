import { DatasetError } from '../../errors.js';
import type { DatasetFormat, DatasetWriter, FinishContext, ShardContext, ShardWriter } from '../format.js';
import type { DatasetInfo, ImageLabels } from '../sample.js';
import { CODEC_EXTENSION, isThing } from '../sample.js';
import { encodeLayers } from '../surfaceLayers.js';
import { CLASSES_PATH, formatClasses } from './classesFile.js';
import { DatasetFolder } from './datasetFolder.js';
import {
  cameraCalibration,
  flatCalibration,
  formatKittiCalibration,
  type KittiCalibration,
} from './kittiCalibration.js';
import { DONT_CARE, formatKittiLabel } from './kittiLabel.js';
import { kittiLabelsOf, type SeenObject } from './kittiObjects.js';
import { findTraining, openKitti } from './kittiReader.js';

const NUMBERS_PART = 'kitti-numbers';
/** A line for each image with regions that are not labelled. */
const DONT_CARE_PART = 'kitti-dont-care';
/** Digits of KITTI's numbers; from image 1,000,000 on they have seven. */
const DIGITS = 6;

/**
 * KITTI object (https://www.cvlibs.net/datasets/kitti/eval_object.php). Files are named by the number of the image in
 * the dataset.
 *
 * ```
 * training/image_2/000000.png
 * training/label_2/000000.txt   a row an object, see kittiLabel.ts
 * training/calib/000000.txt     see kittiCalibration.ts
 * training/depth_2/000000.png   of 3D scenes where it was asked for: 16-bit grey, m × 256, 0 none, as KITTI's depth maps
 * training/normals_2/000000.png likewise: 8-bit RGB, (n · ½ + ½) · 255
 * ImageSets/⟨split⟩.txt         the numbers, a line each
 * classes.txt                   a class a line, for the order of the classes
 * ```
 *
 * Rows are written for things that are seen, and for objects of a class `DontCare`; of 3D scenes with all their fields, and
 * as `DontCare` what KITTI would not have labelled (`KITTI_LABELLED`). Classes with white space in their
 * names are refused: a row would have too many fields.
 * Read are also KITTI's own files (`testing` has no labels and is left alone), and the folder `training` alone. The rows
 * of `DontCare` become objects of that class, which is not among the things.
 */
export const kittiFormat: DatasetFormat = {
  name: 'kitti',
  description: 'KITTI object: image_2, label_2 and calib, ImageSets',
  codecs: ['png'],
  holdsRecords: false,
  needsMasks: false,
  layers: ['depth', 'normals'],
  writer: (info) => new KittiWriter(info),
  async recognises(path) {
    try {
      return (await findTraining(await DatasetFolder.open(path))) !== undefined;
    } catch {
      return false;
    }
  },
  async open(path) {
    const folder = await DatasetFolder.open(path);
    const training = await findTraining(folder);
    if (training !== undefined) return openKitti(folder, training);
    throw new DatasetError(`Expected training/image_2 and training/label_2 in ${path} but received none`);
  },
};

class KittiWriter implements DatasetWriter {
  readonly #info: DatasetInfo;

  /** @throws DatasetError when a class cannot be a field of a row */
  constructor(info: DatasetInfo) {
    const bad = info.things.find((name) => !/^\S+$/.test(name) || name === DONT_CARE);
    if (bad !== undefined) {
      throw new DatasetError(
        `Expected class names without white space, other than ${DONT_CARE}, for KITTI but received ${JSON.stringify(bad)}; rename the class or write another format`,
      );
    }
    this.#info = info;
  }

  openShard({ first, files }: ShardContext): ShardWriter {
    const numbers = files.part(NUMBERS_PART);
    let number = first;
    return {
      add: (sample) => {
        const { labels, image } = sample;
        const name = String(number++).padStart(DIGITS, '0');
        const rows = kittiLabelsOf(this.#listed(labels), labels);
        files.write(`training/image_2/${name}.${CODEC_EXTENSION[image.codec]}`, image.bytes);
        files.write(`training/label_2/${name}.txt`, rows.map((row) => `${formatKittiLabel(row)}\n`).join(''));
        files.write(`training/calib/${name}.txt`, formatKittiCalibration(calibrationOf(labels)));
        for (const [layer, png] of Object.entries(encodeLayers(sample, this.#info))) {
          files.write(`training/${layer}_2/${name}.png`, png);
        }
        numbers.write(`${name}\n`);
        // Not begun before: shards without any have no account of an empty part.
        if (rows.some(({ type }) => type === DONT_CARE)) files.part(DONT_CARE_PART).write(`${name}\n`);
      },
      end: () => {},
    };
  }

  async finish(context: FinishContext): Promise<void> {
    const { split, things, classes } = this.#info;
    const unlabelled = classes.includes(DONT_CARE) || (await context.partBytes(DONT_CARE_PART)) > 0;
    await context.write(`ImageSets/${split}.txt`, context.part(NUMBERS_PART));
    await context.write(CLASSES_PATH, formatClasses(unlabelled ? [...things, DONT_CARE] : things));
  }

  #listed(labels: ImageLabels): SeenObject[] {
    return labels.objects.filter(
      (object): object is SeenObject =>
        object.box !== null && (isThing(object, this.#info.things) || object.class === DONT_CARE),
    );
  }
}

/** As the image brought it, else of its camera, else of a flat picture. */
function calibrationOf({ calibration, camera, width, height }: ImageLabels): KittiCalibration {
  return calibration ?? (camera ? cameraCalibration(camera) : flatCalibration(width, height));
}
