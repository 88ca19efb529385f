/**
 * NumPy's array files (`numpy.lib.format`, version 1.0), for matrices:
 *
 * ```
 * 0   \x93NUMPY, version 1 0, length of the header (uint16, little-endian)
 * 10  {'descr': '<f4', 'fortran_order': False, 'shape': (rows, columns), }   padded with spaces to a multiple of 64, \n
 *     the numbers, little-endian, row by row
 * ```
 */
import { readFile } from 'node:fs/promises';
import { DatasetError } from '../errors.js';

const MAGIC = '\x93NUMPY';
const ALIGNMENT = 64;

/** A matrix of single precision, row by row. */
export interface NpyMatrix {
  readonly values: Float32Array;
  readonly rows: number;
  readonly columns: number;
}

/** The bytes of a file with `values` as float32 [rows, columns]. */
export function encodeNpy({ values, rows, columns }: NpyMatrix): Buffer {
  const text = `{'descr': '<f4', 'fortran_order': False, 'shape': (${rows}, ${columns}), }`;
  const length = Math.ceil((10 + text.length + 1) / ALIGNMENT) * ALIGNMENT;
  const bytes = Buffer.alloc(length + 4 * values.length, ' ');
  bytes.write(`${MAGIC}\x01\x00`, 'latin1');
  bytes.writeUInt16LE(length - 10, 8);
  bytes.write(text, 10, 'latin1');
  bytes[length - 1] = 10;
  for (let i = 0; i < values.length; i++) bytes.writeFloatLE(values[i], length + 4 * i);
  return bytes;
}

/**
 * Reads a matrix of float32 or float64, which is rounded to float32.
 * @throws DatasetError naming the file when it cannot be read or holds something else
 */
export async function readNpy(path: string): Promise<NpyMatrix> {
  const refuse = (received: string, cause?: unknown) =>
    new DatasetError(`Expected a matrix of float32 or float64 as .npy file in ${path} but received ${received}`, {
      cause,
    });
  const bytes = await readFile(path).catch((cause) => {
    throw refuse((cause as Error).message, cause);
  });
  if (bytes.length < 12 || bytes.toString('latin1', 0, 6) !== MAGIC) throw refuse('no .npy file');
  const [start, size] = bytes[6] === 1 ? [10, bytes.readUInt16LE(8)] : [12, bytes.readUInt32LE(8)];
  const header = bytes.toString('latin1', start, start + size);
  const type = /'descr':\s*'<f([48])'/.exec(header)?.[1];
  const shape = /'shape':\s*\(\s*(\d+),\s*(\d+)\s*,?\s*\)/.exec(header);
  if (!type || !shape || !/'fortran_order':\s*False/.test(header)) throw refuse(header.trim().slice(0, 120));
  const [rows, columns, width] = [Number(shape[1]), Number(shape[2]), Number(type)];
  const count = rows * columns;
  if (bytes.length - start - size !== count * width) {
    throw refuse(`${bytes.length - start - size} bytes for ${rows} × ${columns} numbers`);
  }
  const values = new Float32Array(count);
  for (let i = 0; i < count; i++) {
    const at = start + size + i * width;
    values[i] = width === 4 ? bytes.readFloatLE(at) : bytes.readDoubleLE(at);
  }
  return { values, rows, columns };
}
