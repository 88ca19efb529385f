import type { SpriteImage } from '../assets/assetLibrary.js';
import type { MeshData } from '../assets/meshAsset.js';
import { AssetError } from '../errors.js';
import { isClosed } from './closedMesh.js';
import type { LayoutConstants } from './texels.js';

/** Largest side of a texture, texels: so many levels has a mesh record. */
const MOST_TEXELS = 2048;

/** A mip level, rgba8 without its repeated edge. */
interface Level {
  readonly width: number;
  readonly height: number;
  readonly pixels: Uint8Array;
}

/**
 * Bytes that `writeMesh` needs, a multiple of 16.
 * @param apart its texture lies elsewhere
 * @throws AssetError when arrays do not fit each other, a vertex does not exist, a number is not finite, or the texture's
 *   sides are no powers of two up to 2048
 */
export function meshBytes(data: MeshData, layout: LayoutConstants, apart = false): number {
  checkMesh(data, layout);
  const padded = paddedVertices(data);
  let bytes = aligned(layout.MESH_BYTES) + aligned(4 * 9 * padded) + aligned(4 * data.indices.length);
  if (data.texture && data.uvs) {
    bytes += aligned(4 * 2 * padded) + (apart ? 0 : textureBytes(data.texture));
  }
  return bytes;
}

/** Bytes that `writeTexture` needs, a multiple of 16. @throws AssetError as `meshBytes` */
export function textureBytes(texture: SpriteImage): number {
  checkTexture(texture);
  return levelSizes(texture).reduce((sum, [width, height]) => sum + levelBytes(width, height), 0);
}

/**
 * Writes a mesh's record (MESH_ of assembly/engine/mesh/layout.ts) and, behind it, its vertices as structure of arrays
 * padded to fours, its indices and the mip levels of its texture, each the mean of 2 × 2 texels of the one before.
 * @param surface `ground` receives shadows and casts none
 * @param buffer the kernels' memory
 * @param address of `meshBytes` bytes, a multiple of 16
 * @param texture where `writeTexture` has put its texture; without it, it is put behind the mesh
 * @throws AssetError as `meshBytes`
 */
export function writeMesh(
  data: MeshData,
  surface: 'solid' | 'ground',
  buffer: ArrayBufferLike,
  address: number,
  layout: LayoutConstants,
  texture?: number,
): void {
  checkMesh(data, layout);
  const vertices = data.positions.length / 3;
  const padded = paddedVertices(data);
  const record = new DataView(buffer, address, layout.MESH_BYTES);
  for (let i = 0; i < layout.MESH_BYTES; i += 4) record.setUint32(i, 0, true);
  let at = address + aligned(layout.MESH_BYTES);
  for (const [field, values] of [
    [layout.MESH_POSITIONS, data.positions],
    [layout.MESH_NORMALS, data.normals],
    [layout.MESH_COLORS, data.colors],
  ] as const) {
    record.setUint32(field, at, true);
    writeVertices(values, 3, padded, new Float32Array(buffer, at, 3 * padded));
    at += 12 * padded;
  }
  at = aligned(at);
  record.setUint32(layout.MESH_INDICES, at, true);
  const indices = new Uint32Array(buffer, at, data.indices.length);
  for (let i = 0; i < indices.length; i++) indices[i] = data.indices[i] * layout.VERTEX_BYTES;
  at += aligned(4 * indices.length);
  record.setUint32(layout.MESH_VERTICES, vertices, true);
  record.setUint32(layout.MESH_TRIANGLES, indices.length / 3, true);
  const flags = (surface === 'ground' ? layout.MESH_GROUND : 0) | (isClosed(data) ? layout.MESH_CLOSED : 0);
  record.setUint32(layout.MESH_FLAGS, flags, true);
  writeBounds(data.positions, record, layout);
  if (data.texture && data.uvs) {
    record.setUint32(layout.MESH_UVS, at, true);
    writeVertices(data.uvs, 2, padded, new Float32Array(buffer, at, 2 * padded));
    if (texture === undefined) writeTexture(data.texture, buffer, at + aligned(8 * padded));
    writeLevels(data.texture, texture ?? at + aligned(8 * padded), record, layout);
  }
}

function aligned(bytes: number): number {
  return Math.ceil(bytes / 16) * 16;
}

function paddedVertices({ positions }: MeshData): number {
  return Math.ceil(positions.length / 12) * 4;
}

/** [NV × n] → n arrays of NV', the last vertex repeated. */
function writeVertices(values: Float32Array, components: number, padded: number, out: Float32Array): void {
  const vertices = values.length / components;
  for (let c = 0; c < components; c++) {
    const column = out.subarray(c * padded, (c + 1) * padded);
    for (let v = 0; v < vertices; v++) column[v] = values[v * components + c];
    column.fill(vertices > 0 ? column[vertices - 1] : 0, vertices);
  }
}

/** The box and the sphere around its middle. */
function writeBounds(positions: Float32Array, record: DataView, layout: LayoutConstants): void {
  const minimum = [Infinity, Infinity, Infinity];
  const maximum = [-Infinity, -Infinity, -Infinity];
  for (let axis = 0; axis < 3; axis++) {
    for (let i = axis; i < positions.length; i += 3) {
      minimum[axis] = Math.min(minimum[axis], positions[i]);
      maximum[axis] = Math.max(maximum[axis], positions[i]);
    }
  }
  const empty = positions.length === 0;
  const centre = minimum.map((low, axis) => (empty ? 0 : Math.fround((low + maximum[axis]) / 2)));
  let square = 0;
  for (let i = 0; i < positions.length; i += 3) {
    const dx = positions[i] - centre[0];
    const dy = positions[i + 1] - centre[1];
    const dz = positions[i + 2] - centre[2];
    square = Math.max(square, dx * dx + dy * dy + dz * dz);
  }
  for (let axis = 0; axis < 3; axis++) {
    record.setFloat32(layout.MESH_CENTRE + 4 * axis, centre[axis], true);
    record.setFloat32(layout.MESH_MINIMUM + 4 * axis, empty ? 0 : minimum[axis], true);
    record.setFloat32(layout.MESH_MAXIMUM + 4 * axis, empty ? 0 : maximum[axis], true);
  }
  record.setFloat32(layout.MESH_RADIUS, Math.sqrt(square) * 1.000001, true);
}

/** Sides of all mip levels, down to 1 × 1. */
function levelSizes({ width, height }: SpriteImage): [number, number][] {
  const sizes: [number, number][] = [[width, height]];
  while (width > 1 || height > 1) {
    width = Math.max(1, width >> 1);
    height = Math.max(1, height >> 1);
    sizes.push([width, height]);
  }
  return sizes;
}

/** Eight bytes a texel, and a repeated row. */
function levelBytes(width: number, height: number): number {
  return aligned(8 * width * (height + 1));
}

/**
 * Writes the mip levels of a texture, which any number of meshes may share.
 * @param address of `textureBytes` bytes, a multiple of 16
 */
export function writeTexture(texture: SpriteImage, buffer: ArrayBufferLike, address: number): void {
  let level: Level = { width: texture.width, height: texture.height, pixels: texture.pixels };
  let at = address;
  for (;;) {
    const { width, height, pixels } = level;
    writePairs(pixels, width, height, new Uint8Array(buffer, at, levelBytes(width, height)));
    at += levelBytes(width, height);
    if (width === 1 && height === 1) return;
    level = halve(level);
  }
}

/** The part of a mesh's record that says where the levels of its texture lie. */
function writeLevels(texture: SpriteImage, address: number, record: DataView, layout: LayoutConstants): void {
  const sizes = levelSizes(texture);
  let at = address;
  for (const [i, [width, height]] of sizes.entries()) {
    const field = layout.MESH_LEVEL + layout.LEVEL_BYTES * i;
    record.setUint32(field + layout.LEVEL_TEXELS, at, true);
    record.setInt32(field + layout.LEVEL_SHIFT, Math.log2(8 * width), true);
    record.setInt32(field + layout.LEVEL_WIDTH, width, true);
    record.setInt32(field + layout.LEVEL_HEIGHT, height, true);
    at += levelBytes(width, height);
  }
  record.setUint32(layout.MESH_LEVELS, sizes.length, true);
}

/** Every texel beside its right neighbour, channel by channel; the first row again at the end. */
function writePairs(pixels: Uint8Array, width: number, height: number, out: Uint8Array): void {
  for (let y = 0; y < height; y++) {
    const row = 4 * y * width;
    const end = row + 4 * width;
    for (let texel = row; texel < end; texel += 4) {
      const right = texel + 4 === end ? row : texel + 4;
      const at = 2 * texel;
      out[at] = pixels[texel];
      out[at + 1] = pixels[right];
      out[at + 2] = pixels[texel + 1];
      out[at + 3] = pixels[right + 1];
      out[at + 4] = pixels[texel + 2];
      out[at + 5] = pixels[right + 2];
      out[at + 6] = pixels[texel + 3];
      out[at + 7] = pixels[right + 3];
    }
  }
  out.copyWithin(8 * width * height, 0, 8 * width);
}

/** The next level: every texel the mean of the two or four that it covers, rounded half up. */
function halve({ width, height, pixels }: Level): Level {
  const across = width > 1 ? 2 : 1;
  const down = height > 1 ? 2 : 1;
  const half = { width: width / across, height: height / down };
  const out = new Uint8Array(4 * half.width * half.height);
  // Along a side of 1 the same texel is taken twice, which leaves the mean.
  const right = 4 * (across - 1);
  const below = 4 * width * (down - 1);
  for (let y = 0, to = 0; y < half.height; y++) {
    let from = 4 * down * y * width;
    for (let x = 0; x < half.width; x++, from += 4 * across) {
      for (let at = from; at < from + 4; at++) {
        out[to++] = (pixels[at] + pixels[at + right] + pixels[at + below] + pixels[at + below + right] + 2) >> 2;
      }
    }
  }
  return { ...half, pixels: out };
}

function checkMesh(data: MeshData, layout: LayoutConstants): void {
  const { positions, normals, colors, uvs, indices, texture } = data;
  const vertices = positions.length / 3;
  const most = Math.floor(0xffffffff / layout.VERTEX_BYTES);
  if (!Number.isInteger(vertices) || vertices > most) {
    throw new AssetError(`Expected 3 positions a vertex, up to ${most} vertices, but received ${positions.length}`);
  }
  for (const [name, values, length] of [
    ['normals', normals, 3 * vertices],
    ['colors', colors, 3 * vertices],
    ...(texture ? [['uvs', uvs ?? new Float32Array(), 2 * vertices] as const] : []),
  ] as const) {
    if (values.length === length) continue;
    throw new AssetError(
      `Expected ${length} numbers for ${name} of ${vertices} vertices but received ${values.length}`,
    );
  }
  for (const [name, values] of [
    ['positions', positions],
    ['normals', normals],
    ['colors', colors],
    ['uvs', uvs ?? new Float32Array()],
  ] as const) {
    for (let i = 0; i < values.length; i++) {
      if (!Number.isFinite(values[i])) {
        throw new AssetError(`Expected finite numbers for ${name} but received ${values[i]}`);
      }
    }
  }
  if (indices.length % 3 !== 0) {
    throw new AssetError(`Expected 3 vertices a triangle for indices but received ${indices.length} numbers`);
  }
  const beyond = indices.find((index) => index >= vertices);
  if (beyond !== undefined) {
    throw new AssetError(`Expected vertices 0 to ${vertices - 1} for indices but received ${beyond}`);
  }
  if (texture) checkTexture(texture);
}

function checkTexture({ width, height, format, pixels }: SpriteImage): void {
  const fits = (side: number) => side >= 1 && side <= MOST_TEXELS && (side & (side - 1)) === 0;
  if (format !== 'rgba8' || !fits(width) || !fits(height) || pixels.length !== 4 * width * height) {
    throw new AssetError(
      `Expected an rgba8 texture whose sides are powers of two up to ${MOST_TEXELS} px ` +
        `but received ${format}, ${width} × ${height} px, ${pixels.length} bytes`,
    );
  }
}
