import { stat } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import { DatasetError } from '../../errors.js';
import type { DatasetFormat } from '../format.js';
import { DatasetFolder } from './datasetFolder.js';
import { findIdxSplits, openIdxSplit } from './idxReader.js';
import { IdxWriter } from './idxWriter.js';

/**
 * IDX, the format of MNIST: images of one size and one label each.
 *
 * ```
 * ⟨split⟩-images-idx3-ubyte   grey, [N, H, W]; or …-idx4-ubyte, RGB, [N, H, W, 3]
 * ⟨split⟩-labels-idx1-ubyte   [N], position in classes.txt
 * classes.txt                 a class a line: `DatasetInfo.things`
 * ```
 *
 * Written are images that show exactly one thing. Read are also MNIST's own files, gzipped or not; without `classes.txt`
 * the classes are named by their numbers. A label is an object of its class whose box is the whole image, so that
 * formats of detection take it too. Where a folder has several splits, the images' file of one has to be opened.
 */
export const idxFormat: DatasetFormat = {
  name: 'idx',
  description: "IDX, MNIST's format: one file of images, one of labels; one object an image",
  codecs: ['png'],
  holdsRecords: false,
  needsMasks: false,
  writer: (info) => new IdxWriter(info),
  async recognises(path) {
    try {
      return (await findIdxSplits(await DatasetFolder.open(path))).length > 0;
    } catch {
      return false;
    }
  },
  async open(path) {
    const isFile = (await stat(path).catch(() => undefined))?.isFile() ?? false;
    const folder = await DatasetFolder.open(isFile ? dirname(path) : path);
    const all = await findIdxSplits(folder);
    const splits = isFile ? all.filter(({ images }) => images === basename(path)) : all;
    if (splits.length === 0) {
      throw new DatasetError(`Expected ⟨split⟩-images-idx3-ubyte and its labels in ${path} but received none`);
    }
    if (splits.length > 1) {
      const images = splits.map((split) => split.images);
      throw new DatasetError(
        `Expected one split in ${path} but received ${images.join(', ')}; open one of them, e.g. ${folder.at(images[0])}`,
      );
    }
    return openIdxSplit(folder, splits[0]);
  },
};
