import type { Asset, SpriteAsset, SpriteImage } from '../assets/assetLibrary.js';
import { AssetError } from '../errors.js';
import { type LayoutConstants, texelBytes, writeTexels } from './texels.js';

/** An asset on its way into the kernels' memory. */
export interface DecodedAsset {
  /** What it needs there: texels, or a mesh with its texture. */
  readonly bytes: number;
  /**
   * Writes it and its asset record (assembly/engine/layout.ts).
   * @param buffer the kernels' memory
   * @param address of `bytes` bytes, a multiple of 16
   * @param record of `layout.ASSET_BYTES` bytes, a multiple of 4
   */
  write(buffer: ArrayBufferLike, address: number, record: number): void;
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
  throw new AssetError(`Expected a sprite for "${asset.name}" but received a mesh`);
}

function checkSize(asset: SpriteAsset, image: SpriteImage): void {
  if (image.width === asset.width && image.height === asset.height && image.format === asset.format) return;
  throw new AssetError(
    `Expected ${asset.width} × ${asset.height} ${asset.format} as announced ` +
      `but received ${image.width} × ${image.height} ${image.format}`,
  );
}
