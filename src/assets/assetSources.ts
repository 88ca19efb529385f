import { z } from 'zod';
import { type AssetSource, type AssetSourceInput, assetSourceSchema, parseConfig } from '../config.js';
import { AssetLibrary } from './assetLibrary.js';
import { imageAssets } from './imageAssets.js';
import { meshAssets } from './meshes/meshAssets.js';
import { mnistAssets } from './mnist.js';
import { proceduralAerial } from './proceduralAerial.js';
import { proceduralBackgrounds } from './proceduralBackgrounds.js';
import { proceduralDigits } from './proceduralDigits.js';
import { proceduralDriving } from './proceduralDriving.js';

/**
 * The textures that a configuration names, after the built-in backgrounds (`backgrounds/…`), which are always there.
 * @param sources what a configuration's `assets` holds; everything with a default may be left out
 * @throws ConfigError for a source that does not follow the schema; AssetError when a folder or file is missing or
 *   unreadable, or two textures share a name; DatasetError for MNIST files that are missing or damaged
 */
export async function openAssetSources(sources: readonly AssetSourceInput[]): Promise<AssetLibrary> {
  const parsed = parseConfig(z.array(assetSourceSchema), sources, 'assets');
  const libraries = await Promise.all(parsed.map(openAssetSource));
  return new AssetLibrary([proceduralBackgrounds(), ...libraries].flatMap((library) => library.assets));
}

async function openAssetSource(source: AssetSource): Promise<AssetLibrary> {
  switch (source.kind) {
    case 'mnist':
      return mnistAssets(source.folder, source.split, { from: source.from, to: source.to });
    case 'digits':
      return someVariants(proceduralDigits({ variants: source.variants, seed: source.seed }), source.from, source.to);
    case 'aerial':
      return proceduralAerial(source);
    case 'driving':
      return proceduralDriving(source);
    case 'images': {
      const { folder, glob, prefix, edge, licence } = source;
      return imageAssets(folder, glob, { namePrefix: `${prefix}/`, edge, licence });
    }
    case 'meshes': {
      const { kind, folder, glob, prefix, ...options } = source;
      return meshAssets(folder, glob, { namePrefix: `${prefix}/`, ...options });
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
