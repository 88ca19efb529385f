import type { AssetSource } from '../config.js';
import { AssetLibrary } from './assetLibrary.js';
import { imageAssets } from './imageAssets.js';
import { mnistAssets } from './mnist.js';
import { proceduralBackgrounds } from './proceduralBackgrounds.js';
import { proceduralDigits } from './proceduralDigits.js';

/**
 * The textures that a configuration names, after the built-in backgrounds (`backgrounds/…`), which are always there.
 * @throws AssetError when a folder or file is missing or unreadable, or two textures share a name
 */
export async function openAssetSources(sources: readonly AssetSource[]): Promise<AssetLibrary> {
  const libraries = await Promise.all(sources.map(openAssetSource));
  return new AssetLibrary([proceduralBackgrounds(), ...libraries].flatMap((library) => library.assets));
}

async function openAssetSource(source: AssetSource): Promise<AssetLibrary> {
  switch (source.kind) {
    case 'mnist':
      return mnistAssets(source.folder, source.split, { from: source.from, to: source.to });
    case 'digits':
      return someVariants(proceduralDigits({ variants: source.variants, seed: source.seed }), source.from, source.to);
    case 'images': {
      const { folder, glob, prefix, edge, licence } = source;
      return imageAssets(folder, glob, { namePrefix: `${prefix}/`, edge, licence });
    }
  }
}

/** The assets whose variant, the last part of their name, is in [from, to). */
function someVariants(library: AssetLibrary, from: number, to = Number.POSITIVE_INFINITY): AssetLibrary {
  const assets = library.assets.filter(({ name }) => {
    const variant = Number(name.slice(name.lastIndexOf('/') + 1));
    return variant >= from && variant < to;
  });
  return new AssetLibrary(assets);
}
