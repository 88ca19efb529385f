import { AssetError } from '../../errors.js';

const MAGIC = 0x46546c67;
const JSON_CHUNK = 0x4e4f534a;
const BINARY_CHUNK = 0x004e4942;

export function isGlb(bytes: Uint8Array): boolean {
  return bytes.length >= 4 && viewOf(bytes).getUint32(0, true) === MAGIC;
}

/**
 * The two chunks of a GLB file (glTF 2.0, §4.4), whose layout is, little-endian:
 * ```
 *  0  u32  magic "glTF"
 *  4  u32  version 2
 *  8  u32  bytes of the file
 * 12  u32  bytes of the JSON chunk, a multiple of 4
 * 16  u32  type "JSON"
 * 20  …    its content, then likewise an optional chunk of the type "BIN\0"
 * ```
 * @throws AssetError when the file is cut off or of another version
 */
export function glbChunks(bytes: Uint8Array, path: string): { json: Uint8Array; binary?: Uint8Array } {
  const view = viewOf(bytes);
  const expect = (what: string, holds: boolean, received: number) => {
    if (!holds) throw new AssetError(`Expected ${what} for the GLB file ${path} but received ${received}`);
  };
  expect('at least 20 bytes', bytes.length >= 20, bytes.length);
  expect('version 2', view.getUint32(4, true) === 2, view.getUint32(4, true));
  const length = view.getUint32(8, true);
  expect(`${length} bytes as its header says`, length <= bytes.length, bytes.length);
  const jsonEnd = 20 + view.getUint32(12, true);
  expect('a JSON chunk first', view.getUint32(16, true) === JSON_CHUNK, view.getUint32(16, true));
  expect(`a JSON chunk that ends by byte ${length}`, jsonEnd <= length, jsonEnd);
  const json = bytes.subarray(20, jsonEnd);
  if (jsonEnd + 8 > length || view.getUint32(jsonEnd + 4, true) !== BINARY_CHUNK) return { json };
  const end = jsonEnd + 8 + view.getUint32(jsonEnd, true);
  expect(`a binary chunk that ends by byte ${length}`, end <= length, end);
  return { json, binary: bytes.subarray(jsonEnd + 8, end) };
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
