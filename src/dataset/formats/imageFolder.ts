import { join } from 'node:path';
import { DatasetError } from '../../errors.js';
import type { DatasetFormat, DatasetWriter, ShardContext, ShardWriter } from '../format.js';
import { encodePng } from '../png.js';
import { CODEC_EXTENSION, type DatasetInfo, type DatasetSample } from '../sample.js';
import { encodeLayers } from '../surfaceLayers.js';
import { DatasetFolder } from './datasetFolder.js';
import { findLayout, METADATA_PATH } from './imageFolderLayout.js';
import { openClassFolders, openRows } from './imageFolderReader.js';
import { type RowFiles, rowLine } from './imageFolderRows.js';
import { writeInfo } from './infoFile.js';

const ROWS_PART = 'metadata';

/**
 * Hugging Face's imagefolder (https://huggingface.co/docs/datasets/image_dataset#imagefolder):
 * `load_dataset('imagefolder', data_dir=…)` gives the columns `image`, `instances` and `classes` (masks), `depth`, `normals`, and those of
 * the label record.
 *
 * ```
 * metadata.jsonl              a row an image: file names, then the label record
 * info.json                   what holds for all: classes and their order, split, canvas
 * images/⟨key⟩.png|jpg|webp
 * masks/instances/⟨key⟩.png   16-bit grey, node + 1     where there are masks
 * masks/classes/⟨key⟩.png     8-bit grey, class + 1
 * depth/⟨key⟩.png             16-bit grey, m × 256, 0 none   of 3D scenes, where it was asked for
 * normals/⟨key⟩.png           8-bit RGB, (n · ½ + ½) · 255   likewise
 * scenes/⟨key⟩.msg            the scene graph           where it was asked for
 * ```
 *
 * Read are also folders of others: with a `metadata.jsonl` (columns `label`, or `objects` with `bbox` and `category`),
 * or with one sub-folder a class. A label of the whole image is an object of that class whose box is the whole image, so
 * that formats of classification and detection both take it. Where there are several splits, the folder of one has to be
 * opened. `metadata.csv` is not read.
 */
export const imageFolderFormat: DatasetFormat = {
  name: 'imagefolder',
  description: 'Hugging Face imagefolder: images/, masks/, metadata.jsonl with a row an image',
  codecs: ['png', 'jpeg', 'webp'],
  holdsRecords: true,
  needsMasks: false,
  layers: ['depth', 'normals'],
  writer: (info) => new ImageFolderWriter(info),
  async recognises(path) {
    try {
      return (await findLayout(await DatasetFolder.open(path))) !== undefined;
    } catch {
      return false;
    }
  },
  async open(path) {
    const folder = await DatasetFolder.open(path);
    const layout = await findLayout(folder);
    if (!layout) {
      throw new DatasetError(`Expected ${METADATA_PATH} or a folder of images a class in ${path} but received neither`);
    }
    const [split, ...more] = layout.splits;
    if (more.length > 0) {
      throw new DatasetError(
        `Expected one split in ${path} but received ${layout.splits.join(', ')}; open one of them, e.g. ${join(path, split)}`,
      );
    }
    const base = split === '' ? folder : await DatasetFolder.open(join(path, split));
    return layout.kind === 'rows' ? openRows(base, split || 'train') : openClassFolders(base, split || 'train');
  },
};

class ImageFolderWriter implements DatasetWriter {
  readonly #info: DatasetInfo;

  constructor(info: DatasetInfo) {
    this.#info = info;
  }

  openShard(context: ShardContext): ShardWriter {
    let number = context.first;
    const rows = context.files.part(ROWS_PART);
    return {
      add: (sample) => rows.write(rowLine(this.#writeFiles(context, sample), sample.labels, number++)),
      end: () => {},
    };
  }

  async finish(context: Parameters<DatasetWriter['finish']>[0]): Promise<void> {
    await context.write(METADATA_PATH, context.part(ROWS_PART));
    await writeInfo(context, this.#info);
  }

  #writeFiles({ files }: ShardContext, sample: DatasetSample): RowFiles {
    const { labels, image, instances, classes, scene } = sample;
    const { key, width, height } = labels;
    const write = (path: string, bytes: Uint8Array): string => {
      files.write(path, bytes);
      return path;
    };
    const mask = (name: string, pixels: Uint8Array | Uint16Array | undefined) =>
      write(`masks/${name}/${key}.png`, encodePng({ width, height, channels: 1, pixels: expect(pixels, name, key) }));
    const layers = Object.entries(encodeLayers(sample, this.#info)).map(([layer, png]) => [
      `${layer}_file_name`,
      write(`${layer}/${key}.png`, png),
    ]);
    return {
      file_name: write(`images/${key}.${CODEC_EXTENSION[image.codec]}`, image.bytes),
      ...(this.#info.masks
        ? { instances_file_name: mask('instances', instances), classes_file_name: mask('classes', classes) }
        : {}),
      ...Object.fromEntries(layers),
      ...(this.#info.scenes ? { scene: write(`scenes/${key}.msg`, expect(scene, 'scene', key)) } : {}),
    };
  }
}

/** @throws DatasetError when a sample lacks what its dataset promises */
function expect<T>(value: T | undefined, name: string, key: string): T {
  if (value === undefined)
    throw new DatasetError(`Expected ${name} of sample ${key}, as of all others, but received none`);
  return value;
}
