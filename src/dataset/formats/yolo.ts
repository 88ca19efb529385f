import { DatasetError } from '../../errors.js';
import type { DatasetFormat, DatasetWriter, FinishContext, ShardContext, ShardWriter } from '../format.js';
import { CODEC_EXTENSION, type DatasetInfo, type DatasetSample, thingsOf } from '../sample.js';
import { writeYoloConfig } from './yoloConfig.js';
import { boxRow, polygonRows } from './yoloLabels.js';
import { holdsPolygons, type YoloOpenOptions, YoloReader } from './yoloReader.js';

/**
 * YOLO as Ultralytics reads it (https://docs.ultralytics.com/datasets/detect/):
 * ```
 * data.yaml                     train, val, nc, names
 * images/⟨split⟩/⟨key⟩.png
 * labels/⟨split⟩/⟨key⟩.txt      a row an object; empty for an image without objects
 * ```
 * Boxes are the modal ones, in shares of the image, exact to a thousandth of a pixel.
 *
 * Segmentation (https://docs.ultralytics.com/datasets/segment/) has one row, so one polygon, an object: the trainer takes
 * every row for an object of its own. Parts of an object are joined by bridges that are walked there and back, as
 * Ultralytics' converter does, and holes are cut in the same way, so that the polygon filled by the even-odd rule gives
 * the object's pixels exactly. The trainer fills with OpenCV, which draws the line too: its masks are wider by half a
 * pixel, and have bridges of one pixel's width.
 */
class YoloWriter implements DatasetWriter {
  readonly #info: DatasetInfo;
  readonly #polygons: boolean;
  readonly #classNumbers: ReadonlyMap<string, number>;

  constructor(info: DatasetInfo, polygons: boolean) {
    if (!/^[\w.-]+$/.test(info.split) || /^\.+$/.test(info.split)) {
      throw new DatasetError(`Expected letters, digits, "_", "-" and "." for the split but received "${info.split}"`);
    }
    this.#info = info;
    this.#polygons = polygons;
    this.#classNumbers = new Map(info.things.map((name, i) => [name, i]));
  }

  openShard({ files }: ShardContext): ShardWriter {
    const { split } = this.#info;
    return {
      add: (sample) => {
        const { key } = sample.labels;
        const { codec, bytes } = sample.image;
        files.write(`images/${split}/${key}.${CODEC_EXTENSION[codec]}`, bytes);
        files.write(`labels/${split}/${key}.txt`, this.#rows(sample));
      },
      end() {},
    };
  }

  async finish(context: FinishContext): Promise<void> {
    await context.write('data.yaml', writeYoloConfig(this.#info));
  }

  #rows(sample: DatasetSample): string {
    const objects = thingsOf(sample.labels, this.#info).map((object) => ({
      classNumber: this.#classNumbers.get(object.class) as number,
      object,
    }));
    if (this.#polygons) return polygonRows(sample, objects);
    const { width, height } = sample.labels;
    return objects.map(({ classNumber, object }) => boxRow(classNumber, object, width, height) ?? '').join('');
  }
}

/** A format whose reader can be told which split to read. */
export interface YoloFormat extends DatasetFormat {
  open(folder: string, options?: YoloOpenOptions): Promise<YoloReader>;
}

/** YOLO detection. Its reader takes datasets of polygons too, and gives their boxes. */
export const yoloFormat: YoloFormat = {
  name: 'yolo',
  description: 'YOLO detection (Ultralytics): a text file of boxes an image',
  codecs: ['png', 'jpeg', 'webp'],
  holdsRecords: false,
  needsMasks: false,
  writer: (info) => new YoloWriter(info, false),
  recognises: async (folder) => (await holdsPolygons(folder)) === false,
  open: (folder, options) => YoloReader.open(folder, false, options),
};

/** YOLO instance segmentation. */
export const yoloSegFormat: YoloFormat = {
  name: 'yolo-seg',
  description: 'YOLO instance segmentation (Ultralytics): a text file of polygons an image',
  codecs: ['png', 'jpeg', 'webp'],
  holdsRecords: false,
  needsMasks: true,
  writer: (info) => new YoloWriter(info, true),
  recognises: async (folder) => (await holdsPolygons(folder)) === true,
  open: (folder, options) => YoloReader.open(folder, true, options),
};
