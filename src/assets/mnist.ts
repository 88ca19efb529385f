import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { DatasetError } from '../errors.js';
import { AssetLibrary, type SpriteAsset } from './assetLibrary.js';
import { type IdxArray, readIdx } from './idx.js';

/** `train`: 60000 digits; `test`: 10000 digits of other writers. */
export type MnistSplit = 'train' | 'test';

/** Digits with their labels, as the files hold them. */
export interface LabelledDigits {
  /** N. */
  readonly count: number;
  readonly width: number;
  readonly height: number;
  /** [N × H × W] ink, 0 … 255; a view of the file's content: leave it unchanged. */
  readonly images: Uint8Array;
  /** [N] 0 … 9. */
  readonly labels: Uint8Array;
}

/** A range of a split: digits with index `from` … `to` − 1. */
export interface MnistRange {
  /** First index, default 0. */
  readonly from?: number;
  /** One past the last index, default the number of digits. */
  readonly to?: number;
}

const FILES: Record<MnistSplit, string> = { train: 'train', test: 't10k' };

/**
 * Reads one split of MNIST from `dir`: the four original IDX files, gzipped (`.gz`) or plain.
 * @throws DatasetError when a file is missing or damaged, images and labels differ in number, a label is above 9, or the range is not within the split
 */
export function readMnist(dir: string, split: MnistSplit, range: MnistRange = {}): LabelledDigits {
  const imagePath = find(dir, `${FILES[split]}-images-idx3-ubyte`);
  const labelPath = find(dir, `${FILES[split]}-labels-idx1-ubyte`);
  const images = readIdx(imagePath);
  const labels = readIdx(labelPath);
  expectDimensions(images, 3, imagePath);
  expectDimensions(labels, 1, labelPath);
  const [total, height, width] = images.shape;
  if (labels.shape[0] !== total) {
    throw new DatasetError(
      `Expected as many labels as images (${total} in ${imagePath}) for ${labelPath} but received ${labels.shape[0]}`,
    );
  }
  const wrong = labels.data.findIndex((label) => label > 9);
  if (wrong >= 0) {
    throw new DatasetError(`Expected a digit for label ${wrong} of ${labelPath} but received ${labels.data[wrong]}`);
  }
  const { from = 0, to = total } = range;
  if (!Number.isInteger(from) || !Number.isInteger(to) || from < 0 || to > total || from >= to) {
    throw new DatasetError(`Expected 0 ≤ from < to ≤ ${total} for ${imagePath} but received from ${from}, to ${to}`);
  }
  return {
    count: to - from,
    width,
    height,
    images: images.data.subarray(from * width * height, to * width * height),
    labels: labels.data.subarray(from, to),
  };
}

/**
 * The digits of one split as sprites: `mnist/⟨split⟩/⟨digit⟩/⟨index in the file, five digits⟩`, e.g.
 * `mnist/train/7/00123`; `ink8`, edge `fade`. With a range, only those digits; their names stay the same.
 * @throws DatasetError as `readMnist`
 */
export function mnistAssets(dir: string, split: MnistSplit, range: MnistRange = {}): AssetLibrary<SpriteAsset> {
  const { count, width, height, images, labels } = readMnist(dir, split, range);
  const from = range.from ?? 0;
  const size = width * height;
  const assets = Array.from({ length: count }, (_, i): SpriteAsset => {
    return {
      kind: 'sprite',
      name: `mnist/${split}/${labels[i]}/${String(from + i).padStart(5, '0')}`,
      width,
      height,
      format: 'ink8',
      edge: 'fade',
      licence: 'CC-BY-SA-3.0',
      // Not made beforehand: views of 60,000 digits take 10 MB.
      load: () => ({ width, height, format: 'ink8', pixels: images.subarray(i * size, (i + 1) * size) }),
    };
  });
  return new AssetLibrary(assets);
}

function find(dir: string, name: string): string {
  const gzipped = join(dir, `${name}.gz`);
  const plain = join(dir, name);
  const path = [gzipped, plain].find((candidate) => existsSync(candidate));
  if (path === undefined) throw new DatasetError(`Expected ${name}.gz or ${name} in ${dir} but received neither`);
  return path;
}

function expectDimensions(array: IdxArray, dimensions: number, path: string): void {
  if (array.shape.length !== dimensions) {
    throw new DatasetError(`Expected ${dimensions} dimensions for ${path} but received ${array.shape.length}`);
  }
}
