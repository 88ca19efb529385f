import { DatasetError } from '../../errors.js';
import type { DatasetWriter, FinishContext, ShardContext, ShardWriter } from '../format.js';
import { pixelsOf } from '../imageCodec.js';
import { type DatasetInfo, type DatasetSample, type ImageLabels, thingsOf } from '../sample.js';
import { CLASSES_PATH, formatClasses } from './classesFile.js';
import { idxHeader, MAX_IDX_SIZE } from './idxFile.js';
import { readLines } from './textLines.js';

const IMAGES_PART = 'idx-images';
const LABELS_PART = 'idx-labels';
/** A line a shard: the shape of its images. */
const SHAPES_PART = 'idx-shapes';
/** Labels are bytes. */
const MAX_CLASSES = 256;

/** Writes IDX: shards leave bytes, which `finish` puts behind headers, when their number is known. */
export class IdxWriter implements DatasetWriter {
  readonly #info: DatasetInfo;

  /** @throws DatasetError when the classes cannot be labels */
  constructor(info: DatasetInfo) {
    if (info.things.length > MAX_CLASSES) {
      throw new DatasetError(
        `Expected at most ${MAX_CLASSES} classes for IDX, whose labels are bytes, but received ${info.things.length}; write another format`,
      );
    }
    formatClasses(info.things);
    this.#info = info;
  }

  openShard({ files }: ShardContext): ShardWriter {
    const [images, labels] = [files.part(IMAGES_PART), files.part(LABELS_PART)];
    let shape: string | undefined;
    return {
      add: async (sample) => {
        const label = this.#labelOf(sample.labels);
        const { width, height, channels, pixels } = await pixelsOf(sample);
        const own = `${height}x${width}x${channels}`;
        shape ??= own;
        if (own !== shape) throw otherShape(sample, shape, own);
        images.write(pixels);
        labels.write(Uint8Array.of(label));
      },
      end: () => {
        const shapes = files.part(SHAPES_PART);
        if (shape !== undefined) shapes.write(`${shape}\n`);
      },
    };
  }

  async finish(context: FinishContext): Promise<void> {
    const { count } = context;
    if (count > MAX_IDX_SIZE) {
      throw new DatasetError(`Expected at most ${MAX_IDX_SIZE} images for IDX but received ${count}`);
    }
    const [height, width, channels] = await this.#commonShape(context);
    const { split, things } = this.#info;
    const shape = channels === 1 ? [count, height, width] : [count, height, width, channels];
    await context.write(
      `${split}-images-idx${shape.length}-ubyte`,
      withHeader(idxHeader(shape), context.part(IMAGES_PART)),
    );
    await context.write(`${split}-labels-idx1-ubyte`, withHeader(idxHeader([count]), context.part(LABELS_PART)));
    await context.write(CLASSES_PATH, formatClasses(things));
  }

  /** Position of the class of the image's one thing. */
  #labelOf(labels: ImageLabels): number {
    const things = thingsOf(labels, this.#info);
    if (things.length !== 1) {
      const seen = things.length === 0 ? 'none' : things.map((thing) => thing.class).join(', ');
      throw new DatasetError(
        `Expected exactly one object to be seen in sample ${labels.key} (scene ${labels.index}), since IDX has one label an image, ` +
          `but received ${seen}; use a grammar that draws one object, or a format that lists objects`,
      );
    }
    return this.#info.things.indexOf(things[0].class);
  }

  /** Height, width and channels of all images. */
  async #commonShape(context: FinishContext): Promise<readonly number[]> {
    let common: string | undefined;
    for await (const { text } of readLines(context.part(SHAPES_PART), SHAPES_PART)) {
      common ??= text;
      if (text !== common) {
        throw new DatasetError(
          `Expected images of one size and kind for IDX but received ${common} and ${text} (height x width x channels)`,
        );
      }
    }
    const { height = 0, width = 0, channels = 1 } = this.#info;
    return common?.split('x').map(Number) ?? [height, width, channels];
  }
}

function otherShape({ labels }: DatasetSample, expected: string, received: string): DatasetError {
  return new DatasetError(
    `Expected ${expected} (height x width x channels), as of the images before, for sample ${labels.key} but received ${received}; IDX holds images of one size`,
  );
}

async function* withHeader(header: Uint8Array, data: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  yield header;
  yield* data;
}
