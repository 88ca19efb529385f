import { readdir, readFile, stat } from 'node:fs/promises';
import { join, sep } from 'node:path';
import { AssetError } from '../errors.js';
import { AssetLibrary, globToRegExp, type SpriteAsset, type SpriteImage } from './assetLibrary.js';
import { type ImageHeader, readImageHeader } from './imageHeader.js';
import { readLicenceFile } from './licenceFile.js';
import { checkPngChunks } from './pngChunks.js';

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
const MAX_SIDE = 16384;
const MAX_FILE_BYTES = 2 ** 28;

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
  const { edge = 'fade', licence, namePrefix = '', maxPixels = 2 ** 24 } = options;
  const pattern = globToRegExp(glob);
  const files = (await listFiles(dir)).filter((file) => EXTENSION.test(file) && pattern.test(file));
  if (files.length === 0) throw new AssetError(`Expected image files that match ${glob} in ${dir} but received none`);
  const licenceOf = await readLicenceFile(dir);
  const assets: SpriteAsset[] = [];
  // One after the other: only one file is held in memory at a time.
  for (const file of files) {
    const path = join(dir, file);
    const own = licenceOf(file) ?? licence;
    const header = checkSize(readImageHeader(await readImage(path), path), path, maxPixels);
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

/** Relative paths of all files below `dir`, `/` between folders, in code-unit order (the same on every file system). */
async function listFiles(dir: string): Promise<string[]> {
  try {
    const entries = await readdir(dir, { recursive: true });
    return entries.map((entry) => entry.split(sep).join('/')).sort();
  } catch (cause) {
    throw new AssetError(`Expected a readable folder of images at ${dir} (${String(cause)})`, { cause });
  }
}

async function readImage(path: string): Promise<Uint8Array> {
  try {
    const { size } = await stat(path);
    if (size <= MAX_FILE_BYTES) return await readFile(path);
    throw new AssetError(`Expected at most ${MAX_FILE_BYTES} bytes for ${path} but received ${size}`);
  } catch (cause) {
    if (cause instanceof AssetError) throw cause;
    throw new AssetError(`Expected a readable image at ${path} (${String(cause)})`, { cause });
  }
}

function checkSize(header: ImageHeader, path: string, maxPixels: number): ImageHeader {
  const { width, height } = header;
  if (width > MAX_SIDE || height > MAX_SIDE || width * height > maxPixels) {
    throw new AssetError(
      `Expected at most ${MAX_SIDE} px a side and ${maxPixels} px in all for ${path} but received ${width} × ${height}`,
    );
  }
  return header;
}

/** Decodes a file whose size has been checked; checks again, as the file may have changed since. */
async function decode(path: string, expected: ImageHeader): Promise<SpriteImage> {
  const bytes = await readImage(path);
  const { type, width, height } = readImageHeader(bytes, path);
  if (width !== expected.width || height !== expected.height) {
    throw new AssetError(
      `Expected ${expected.width} × ${expected.height} px for ${path} as when it was listed but received ${width} × ${height}`,
    );
  }
  if (type === 'png') checkPngChunks(bytes, path);
  try {
    // Loaded with the first picture: most uses of the module have none.
    const { createCanvas, loadImage } = await import('@napi-rs/canvas');
    const image = await loadImage(bytes);
    // Drawn to another size it would silently be stretched.
    if (image.width !== width || image.height !== height) {
      throw new AssetError(
        `Expected ${width} × ${height} px as in its header for ${path} but received ${image.width} × ${image.height}`,
      );
    }
    const context = createCanvas(width, height).getContext('2d');
    context.drawImage(image, 0, 0, width, height);
    const { data } = context.getImageData(0, 0, width, height);
    return { width, height, format: 'rgba8', pixels: new Uint8Array(data.buffer, data.byteOffset, data.byteLength) };
  } catch (cause) {
    if (cause instanceof AssetError) throw cause;
    throw new AssetError(`Expected a decodable image at ${path} (${String(cause)})`, { cause });
  }
}
