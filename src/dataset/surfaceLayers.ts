/** Depth and normals of samples as PNG files, and back. */
import { ConfigError, DatasetError } from '../errors.js';
import type { DatasetFormat } from './format.js';
import { decodeMask, decodeRgb } from './imageCodec.js';
import { encodePng } from './png.js';
import { type DatasetInfo, type DatasetSample, type ImageLabels, SURFACE_LAYERS, type SurfaceLayer } from './sample.js';

/** Which layers a dataset has. */
export type LayerFlags = Readonly<Partial<Record<SurfaceLayer, boolean>>>;
/** A PNG for each layer that there is. */
export type LayerFiles = Readonly<Partial<Record<SurfaceLayer, Uint8Array>>>;
/** What samples hold of them. */
export type SampleLayers = Pick<DatasetSample, SurfaceLayer>;

/** The layers of a dataset, in their order. */
export function layersOf(flags: LayerFlags): SurfaceLayer[] {
  return SURFACE_LAYERS.filter((layer) => flags[layer]);
}

/** The same as flags; absent where a layer is not there, so that datasets without any say nothing of them. */
export function layerFlags(flags: LayerFlags): Partial<Record<SurfaceLayer, true>> {
  return Object.fromEntries(layersOf(flags).map((layer) => [layer, true as const]));
}

/** @throws ConfigError naming the first layer that the format has no place for */
export function expectPlaceFor(flags: LayerFlags, format: DatasetFormat): void {
  const missing = layersOf(flags).find((layer) => !format.layers?.includes(layer));
  if (missing === undefined) return;
  throw new ConfigError(
    `Expected a format with a place for ${missing} but received ${format.name}; others have one, imagefolder and webdataset among them`,
  );
}

/**
 * The PNGs of the layers that a dataset promises: depth with 16 bits, grey (depthCode.ts), normals with 8, RGB
 * (normalCode.ts).
 * @throws DatasetError when the sample lacks one
 */
export function encodeLayers(sample: DatasetSample, info: DatasetInfo): LayerFiles {
  const { key, width, height } = sample.labels;
  const files = layersOf(info).map((layer) => {
    const pixels = sample[layer];
    if (!pixels) throw new DatasetError(`Expected ${layer} of sample ${key}, as of all others, but received none`);
    return [layer, encodePng({ width, height, channels: layer === 'depth' ? 1 : 3, pixels })] as const;
  });
  return Object.fromEntries(files);
}

/**
 * What `encodeLayers` wrote.
 * @param where file and place, for errors
 * @throws DatasetError for a PNG of another kind or size
 */
export function decodeLayers(
  { depth, normals }: LayerFiles,
  { width, height }: Pick<ImageLabels, 'width' | 'height'>,
  where: string,
): SampleLayers {
  const codes = depth && decodeMask(depth, width, height, `the depth of ${where}`);
  if (codes && !(codes instanceof Uint16Array)) {
    throw new DatasetError(`Expected 16 bits for the depth of ${where} but received 8`);
  }
  return {
    ...(codes && { depth: codes }),
    ...(normals && { normals: decodeRgb(normals, width, height, `the normals of ${where}`) }),
  };
}
