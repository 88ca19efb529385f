import { createHash } from 'node:crypto';
import type { Asset, SpriteAsset, SpriteImage } from '../assets/assetLibrary.js';
import type { MeshAsset, MeshData } from '../assets/meshAsset.js';
import { AssetError } from '../errors.js';
import { meshBytes, textureBytes, writeMesh, writeTexture } from './meshMemory.js';
import { type LayoutConstants, texelBytes, writeTexels } from './texels.js';

/** An asset on its way into the kernels' memory. */
export interface DecodedAsset {
  /** What it needs there: texels, or a mesh without its texture. */
  readonly bytes: number;
  /** A mesh's texture, which others may have too. */
  readonly texture?: DecodedTexture;
  /**
   * Writes it and its asset record (assembly/engine/layout.ts).
   * @param buffer the kernels' memory
   * @param address of `bytes` bytes, a multiple of 16
   * @param record of `layout.ASSET_BYTES` bytes, a multiple of 4
   * @param texture where its texture lies, if it has one
   */
  write(buffer: ArrayBufferLike, address: number, record: number, texture?: number): void;
}

/** The texture of a mesh on its way into the kernels' memory. */
export interface DecodedTexture {
  /** The same for the same pixels. */
  readonly key: string;
  readonly bytes: number;
  /** @param address of `bytes` bytes, a multiple of 16 */
  write(buffer: ArrayBufferLike, address: number): void;
}

/**
 * Loads an asset's pixels or triangles.
 * @throws AssetError when they are not what was announced or cannot be drawn; what the asset's `load` throws
 */
export async function decodeAsset(asset: Asset, layout: LayoutConstants): Promise<DecodedAsset> {
  if (asset.kind === 'sprite') {
    const image = await asset.load();
    checkSize(asset, image);
    return {
      bytes: texelBytes(image, asset.edge, layout),
      write: (buffer, address, record) => writeTexels(image, asset.edge, buffer, address, record, layout),
    };
  }
  const data = await asset.load();
  checkCounts(asset, data);
  return {
    bytes: meshBytes(data, layout, true),
    ...(data.texture && data.uvs ? { texture: decodedTexture(data.texture) } : {}),
    write(buffer, address, record, texture) {
      writeMesh(data, asset.surface ?? 'solid', buffer, address, layout, texture);
      const view = new DataView(buffer, record, layout.ASSET_BYTES);
      for (let i = 0; i < layout.ASSET_BYTES; i += 4) view.setUint32(i, 0, true);
      view.setUint32(layout.ASSET_TEXELS, address, true);
      view.setUint8(layout.ASSET_FORMAT, layout.FORMAT_MESH);
    },
  };
}

/** Models of one kit often share a palette. */
function decodedTexture(image: SpriteImage): DecodedTexture {
  return {
    key: `${image.width} ${createHash('sha256').update(image.pixels).digest('base64')}`,
    bytes: textureBytes(image),
    write: (buffer, address) => writeTexture(image, buffer, address),
  };
}

function checkSize(asset: SpriteAsset, image: SpriteImage): void {
  if (image.width === asset.width && image.height === asset.height && image.format === asset.format) return;
  throw new AssetError(
    `Expected ${asset.width} × ${asset.height} ${asset.format} as announced ` +
      `but received ${image.width} × ${image.height} ${image.format}`,
  );
}

/** The kernels' memory is laid out from the numbers that were announced: for triangles, and three vertices of each. */
function checkCounts(asset: MeshAsset, { indices, positions }: MeshData): void {
  if (indices.length !== 3 * asset.triangles) {
    throw new AssetError(`Expected ${asset.triangles} triangles as announced but received ${indices.length / 3}`);
  }
  if (positions.length <= 3 * indices.length) return;
  throw new AssetError(
    `Expected at most ${indices.length} vertices, three a triangle, but received ${positions.length / 3}`,
  );
}
