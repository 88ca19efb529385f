import { join } from 'node:path';
import { AssetError } from '../errors.js';
import { listFiles, readAssetFile } from './assetFiles.js';
import { AssetLibrary, globToRegExp, type SpriteAsset, type SpriteImage } from './assetLibrary.js';
import { checkImageSize, decodeImage, MAX_IMAGE_PIXELS } from './decodeImage.js';
import { type ImageHeader, readImageHeader } from './imageHeader.js';
import { readLicenceFile } from './licenceFile.js';

export interface ImageAssetOptions {
  /** What lies beyond the textures' edges. Default `fade`. */
  readonly edge?: SpriteAsset['edge'];
  /** SPDX identifier or a short text, for all files of which `licences.yaml` in the folder says nothing. */
  readonly licence?: string;
  /** Put before each name, e.g. `cars/`. Default none. */
  readonly namePrefix?: string;
  /** Largest number of pixels of one image. Default 2^24 (4096 × 4096). */
  readonly maxPixels?: number;
}

const EXTENSION = /\.(png|jpe?g|webp)$/i;

/**
 * PNG, JPEG and WebP files below `dir` as sprites (`rgba8`). Only headers are read here; pixels are decoded when an engine
 * loads the asset.
 * @param glob over paths relative to `dir` with `/` between folders and with the extension, e.g. `cars/*.png`, `**`
 * @returns a library in order of file names; a name is the prefix and the path without its extension
 * @throws AssetError when the folder cannot be read, no file matches, a file is damaged or larger than the caps, or two
 * names collide; ConfigError when its `licences.yaml` does not follow the schema
 */
export async function imageAssets(
  dir: string,
  glob: string,
  options: ImageAssetOptions = {},
): Promise<AssetLibrary<SpriteAsset>> {
  const { edge = 'fade', licence, namePrefix = '', maxPixels = MAX_IMAGE_PIXELS } = options;
  const pattern = globToRegExp(glob);
  const files = (await listFiles(dir, 'images')).filter((file) => EXTENSION.test(file) && pattern.test(file));
  if (files.length === 0) throw new AssetError(`Expected image files that match ${glob} in ${dir} but received none`);
  const licenceOf = await readLicenceFile(dir);
  const assets: SpriteAsset[] = [];
  // One after the other: only one file is held in memory at a time.
  for (const file of files) {
    const path = join(dir, file);
    const own = licenceOf(file) ?? licence;
    const header = checkImageSize(readImageHeader(await readAssetFile(path, 'image'), path), path, maxPixels);
    assets.push({
      kind: 'sprite',
      name: namePrefix + file.replace(EXTENSION, ''),
      width: header.width,
      height: header.height,
      format: 'rgba8',
      edge,
      ...(own === undefined ? {} : { licence: own }),
      load: () => decode(path, header),
    });
  }
  return new AssetLibrary(assets);
}

/** Decodes a file whose size has been checked; checks again, as the file may have changed since. */
async function decode(path: string, expected: ImageHeader): Promise<SpriteImage> {
  const bytes = await readAssetFile(path, 'image');
  const { width, height } = readImageHeader(bytes, path);
  if (width !== expected.width || height !== expected.height) {
    throw new AssetError(
      `Expected ${expected.width} × ${expected.height} px for ${path} as when it was listed but received ${width} × ${height}`,
    );
  }
  return decodeImage(bytes, path);
}
