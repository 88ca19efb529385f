/**
 * Converts Keras Applications' InceptionV3 weights (HDF5) to our pairs of files (weightFiles.ts).
 *
 * Such a file has a group for each layer, named after it: `conv2d_1`, `batch_normalization_1`, … in the order in which
 * the model's code creates them, which is the order of architecture.ts. In a layer's group lie its tensors, under the
 * layer's name once more: `conv2d_1/conv2d_1/kernel:0` and, for a batch normalisation without gamma, `beta:0`,
 * `moving_mean:0`, `moving_variance:0`. Names count on within one Python session, so a file saved from a second model
 * starts at a higher number; only the order of the numbers is relied on, and every shape is checked.
 */
import { mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { AssetError } from '../../errors.js';
import { type ConvStep, convolutionsOf, type InceptionLayer, STAGE_OF_LAYER, stagesUpTo } from './architecture.js';
import { type TrainedConvolution, tensorsOf, WEIGHT_FILES } from './weightFiles.js';

type H5 = typeof import('h5wasm/node');
type H5File = InstanceType<H5['File']>;

/**
 * Writes the weights of the convolutions that `layer` needs into `folder`, under temporary names first.
 * @param path HDF5 file of Keras' InceptionV3, with or without the classifier
 * @returns bytes written
 * @throws AssetError naming the layer and tensor that is missing or has another shape, or when `path` is no HDF5 file
 */
export async function convertKerasInception(
  path: string,
  folder: string,
  layer: InceptionLayer = 2048,
): Promise<number> {
  const h5: H5 = await import('h5wasm/node');
  await h5.ready;
  const file = openFile(h5, path);
  try {
    const groups = {
      convolution: numberedGroups(file, 'conv2d'),
      normalisation: numberedGroups(file, 'batch_normalization'),
    };
    const convolutions = convolutionsOf(stagesUpTo(STAGE_OF_LAYER[layer]));
    await mkdir(folder, { recursive: true });
    let bytes = 0;
    for (const { name, first, last } of WEIGHT_FILES) {
      const held = convolutions.filter(({ index }) => index >= first && index <= last);
      if (held.length === 0) continue;
      const parts = held.flatMap((step) => {
        const trained = readConvolution(h5, file, groups, step, path);
        return tensorsOf(step).map(({ part, ...tensor }) => ({ ...tensor, data: trained[part] }));
      });
      bytes += await writePair(folder, name, parts);
    }
    return bytes;
  } finally {
    file.close();
  }
}

function openFile(h5: H5, path: string): H5File {
  try {
    const file = new h5.File(path, 'r');
    // A file that is no HDF5 opens with an invalid id, which only its use shows.
    file.keys();
    return file;
  } catch (cause) {
    throw new AssetError(`Expected an HDF5 file for the Keras weights but received ${path}`, { cause });
  }
}

/** Names `prefix` or `prefix_N` at the top of the file, by N. */
function numberedGroups(file: H5File, prefix: string): string[] {
  const number = (name: string) => Number(name.slice(prefix.length + 1) || 0);
  return file
    .keys()
    .filter((name) => new RegExp(`^${prefix}(_\\d+)?$`).test(name))
    .sort((a, b) => number(a) - number(b));
}

function readConvolution(
  h5: H5,
  file: H5File,
  groups: { readonly convolution: string[]; readonly normalisation: string[] },
  step: ConvStep,
  path: string,
): TrainedConvolution {
  const parts: Partial<Record<keyof TrainedConvolution, Float32Array>> = {};
  for (const { part, name, shape } of tensorsOf(step)) {
    const group = (part === 'kernel' ? groups.convolution : groups.normalisation)[step.index - 1];
    const tensor = name.slice(name.lastIndexOf('/') + 1);
    const holder = group === undefined ? null : file.get(group);
    const inside =
      holder instanceof h5.Group ? holder.paths().find((p) => new RegExp(`(^|/)${tensor}(:0)?$`).test(p)) : undefined;
    const dataset = inside === undefined ? null : (holder as InstanceType<H5['Group']>).get(inside);
    if (!(dataset instanceof h5.Dataset) || dataset.shape?.join() !== shape.join()) {
      const found = dataset instanceof h5.Dataset ? `shape [${dataset.shape?.join(', ')}]` : 'nothing';
      throw new AssetError(
        `Expected ${tensor} of shape [${shape.join(', ')}] for convolution ${step.index} in ${path}, group ${group ?? '(none left)'}, but received ${found}`,
      );
    }
    parts[part] = Float32Array.from(dataset.value as Float32Array);
  }
  return parts as TrainedConvolution;
}

async function writePair(
  folder: string,
  name: string,
  parts: readonly { readonly name: string; readonly shape: readonly number[]; readonly data: Float32Array }[],
): Promise<number> {
  let offset = 0;
  const tensors = parts.map(({ name: tensor, shape, data }) => {
    const entry = { name: tensor, shape, offset, count: data.length };
    offset += 4 * data.length;
    return entry;
  });
  const bytes = Buffer.alloc(offset);
  parts.forEach(({ data }, i) => {
    for (let j = 0; j < data.length; j++) bytes.writeFloatLE(data[j], tensors[i].offset + 4 * j);
  });
  const index = { network: 'Keras Applications InceptionV3, ImageNet', bytes: offset, tensors };
  // The index last: a pair counts as there when both are.
  await replaceFile(join(folder, `${name}.bin`), bytes);
  await replaceFile(join(folder, `${name}.json`), Buffer.from(`${JSON.stringify(index, null, 1)}\n`));
  return offset;
}

async function replaceFile(path: string, content: Buffer): Promise<void> {
  const temporary = `${path}.${process.pid}.tmp`;
  try {
    await writeFile(temporary, content, { flush: true });
    await rename(temporary, path);
  } finally {
    await rm(temporary, { force: true });
  }
}
