import type { AssetLibrary } from '../assets/assetLibrary.js';
import type { MeshAsset, MeshBox } from '../assets/meshAsset.js';
import { AssetError } from '../errors.js';

/** What labels have to know of a mesh: its boxes in its own frame, m, and how it lies. */
export type MeshBounds = Pick<MeshAsset, 'minimum' | 'maximum' | 'body' | 'surface'>;

/** What bounds are looked up in: an `AssetLibrary`. */
export type MeshLibrary = Pick<AssetLibrary, 'indexOf' | 'assets'>;

/** The box that labels give: of the body where the mesh has one, else of all of it. */
export function labelledBox({ body, minimum, maximum }: MeshBounds): MeshBox {
  return body ?? { minimum, maximum };
}

/**
 * Bounds of the assets of a batch, in the order of its asset table; undefined for those that are no meshes. Meshes need
 * not be loaded for it.
 * @param assets names, `SceneBatch.assets`
 * @throws AssetError when the library lacks one of them
 */
export function meshBounds(library: MeshLibrary, assets: readonly string[]): (MeshBounds | undefined)[] {
  return assets.map((name) => {
    const position = library.indexOf(name);
    if (position < 0) throw new AssetError(`Expected an asset of the library but received "${name}"`);
    const asset: { readonly kind: string } = library.assets[position];
    return asset.kind === 'mesh' ? (asset as MeshAsset) : undefined;
  });
}
