import { DatasetError } from '../../errors.js';
import type { DatasetFormat, DatasetWriter, FinishContext, ShardContext, ShardWriter } from '../format.js';
import { CODEC_EXTENSION, type DatasetInfo, type DatasetSample, type SampleObject, thingsOf } from '../sample.js';
import { readLines } from './textLines.js';
import { isOnCanvas, writeVocAnnotation } from './vocAnnotation.js';
import { MAX_NUMBER, vocMasks } from './vocMasks.js';
import { vocFileName, writeLabelMap } from './vocNames.js';
import { looksLikeVoc, type VocOpenOptions, VocReader } from './vocReader.js';

/** An object with the number of its class, from 0. */
interface NumberedObject {
  readonly classNumber: number;
  readonly object: SampleObject;
}

/** Every image's key and the numbers of the classes in it, behind a tab. */
const SETS_PART = 'voc-sets';

/**
 * Pascal VOC (http://host.robots.ox.ac.uk/pascal/VOC/voc2012/htmldoc/devkit_doc.html):
 * ```
 * JPEGImages/⟨key⟩.jpg                          or .png
 * Annotations/⟨key⟩.xml                         boxes
 * ImageSets/Main/⟨split⟩.txt                    a key a line
 * ImageSets/Main/⟨class⟩_⟨split⟩.txt            key and 1 or -1: whether there is such an object
 * ImageSets/Segmentation/⟨split⟩.txt            with masks, and
 * SegmentationClass/⟨key⟩.png                   class numbers, in VOC's colours
 * SegmentationObject/⟨key⟩.png                  positions in the annotation file, in VOC's colours
 * labelmap.txt                                  classes in the order of their numbers, as CVAT and Datumaro keep it
 * ```
 * A 0 in a class's list would mean that all its objects are difficult; none are. Masks have no border of 255.
 */
class VocWriter implements DatasetWriter {
  readonly #info: DatasetInfo;
  readonly #classNumbers: ReadonlyMap<string, number>;

  constructor(info: DatasetInfo) {
    if (!/^[\w.-]+$/.test(info.split) || /^\.+$/.test(info.split)) {
      throw new DatasetError(`Expected letters, digits, "_", "-" and "." for the split but received "${info.split}"`);
    }
    if (info.masks && info.things.length > MAX_NUMBER) {
      throw new DatasetError(
        `Expected at most ${MAX_NUMBER} classes, what VOC's masks hold, but received ${info.things.length}`,
      );
    }
    this.#info = info;
    this.#classNumbers = new Map(info.things.map((name, i) => [name, i]));
  }

  openShard({ files }: ShardContext): ShardWriter {
    return {
      add: (sample) => {
        const { key } = sample.labels;
        const objects = this.#objectsOf(sample);
        const filename = fileNameOf(sample);
        files.write(`JPEGImages/${filename}`, sample.image.bytes);
        files.write(`Annotations/${key}.xml`, this.#annotation(sample, filename, objects));
        if (this.#info.masks) {
          const masks = vocMasks(sample, objects);
          files.write(`SegmentationClass/${key}.png`, masks.classes);
          files.write(`SegmentationObject/${key}.png`, masks.objects);
        }
        const present = new Set(objects.map(({ classNumber }) => classNumber));
        files.part(SETS_PART).write(`${key}\t${[...present].join(' ')}\n`);
      },
      end() {},
    };
  }

  async finish(context: FinishContext): Promise<void> {
    const { split, things, masks } = this.#info;
    await context.write('labelmap.txt', writeLabelMap(things));
    for (const [i, name] of things.entries()) {
      await context.write(`ImageSets/Main/${vocFileName(name)}_${split}.txt`, classLines(context, String(i)));
    }
    await context.write(`ImageSets/Main/${split}.txt`, keyLines(context));
    if (masks) await context.write(`ImageSets/Segmentation/${split}.txt`, keyLines(context));
  }

  #objectsOf({ labels }: DatasetSample): NumberedObject[] {
    return thingsOf(labels, this.#info)
      .filter((object) => isOnCanvas(object, labels.width, labels.height))
      .map((object) => ({ object, classNumber: this.#classNumbers.get(object.class) as number }));
  }

  #annotation(sample: DatasetSample, filename: string, objects: readonly NumberedObject[]): string {
    const { width, height, channels } = sample.labels;
    const { name, masks } = this.#info;
    // Our JPEGs always store three channels.
    const depth = sample.image.codec === 'png' ? channels : 3;
    const image = { folder: name, filename, database: name, width, height, depth, segmented: masks };
    return writeVocAnnotation(
      image,
      objects.map(({ object }) => object),
    );
  }
}

/** @throws DatasetError for a key that a line of a list cannot hold */
function fileNameOf({ labels, image }: DatasetSample): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  if (/[\u0000-\u001f\u007f]|^\s|\s$/.test(labels.key)) {
    throw new DatasetError(
      `Expected a key of one line, without space around it, but received ${JSON.stringify(labels.key)}`,
    );
  }
  return `${labels.key}.${CODEC_EXTENSION[image.codec]}`;
}

async function* keyLines(context: FinishContext): AsyncGenerator<string> {
  for await (const { text } of readLines(context.part(SETS_PART), SETS_PART)) yield `${text.split('\t')[0]}\n`;
}

/** Lines `⟨key⟩  1` for images with an object of the class, `⟨key⟩ -1` for the others. */
async function* classLines(context: FinishContext, classNumber: string): AsyncGenerator<string> {
  for await (const { text } of readLines(context.part(SETS_PART), SETS_PART)) {
    const [key, present] = text.split('\t');
    yield `${key} ${present.split(' ').includes(classNumber) ? ' 1' : '-1'}\n`;
  }
}

/** A format whose reader can be told which split to read. */
export interface VocFormat extends DatasetFormat {
  open(folder: string, options?: VocOpenOptions): Promise<VocReader>;
}

/** Pascal VOC. */
export const vocFormat: VocFormat = {
  name: 'voc',
  description: 'Pascal VOC: an XML file of boxes an image, palette PNGs with masks',
  codecs: ['jpeg', 'png'],
  holdsRecords: false,
  needsMasks: false,
  writer: (info) => new VocWriter(info),
  recognises: looksLikeVoc,
  open: (folder, options) => VocReader.open(folder, options),
};
