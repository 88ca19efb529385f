import { DatasetError } from '../errors.js';
import { decodeImage, imageEncoder, type RawImage } from './imageCodec.js';
import type { DatasetSample, ImageCodec } from './sample.js';

/** How samples change on their way from one dataset to another. */
export interface SampleConversion {
  /** Codecs that stay as they are, and the one that others are brought to. */
  readonly codecs: readonly ImageCodec[];
  readonly codec: ImageCodec;
  readonly quality: number;
  /** Whether masks and scene graphs go along. */
  readonly masks: boolean;
  readonly scenes: boolean;
  /** Whether depth and normals do. */
  readonly depth?: boolean | undefined;
  readonly normals?: boolean | undefined;
  /** New value of a class mask's values; undefined where they stay. */
  readonly classMap: Uint8Array | undefined;
}

/**
 * A function that converts samples one by one. PNG images come out with their pixels, decoded once for all who need them.
 * @throws DatasetError, from the function, for images that cannot be decoded
 */
export async function sampleConverter(
  conversion: SampleConversion,
): Promise<(sample: DatasetSample) => Promise<DatasetSample>> {
  const { codecs, codec, quality, masks, scenes, classMap } = conversion;
  const encode = await imageEncoder(codec, quality);
  return async ({ labels, image, pixels, instances, classes, depth, normals, scene }) => {
    const keeps = codecs.includes(image.codec);
    const raw =
      keeps && image.codec !== 'png' ? undefined : toChannels(await rawImage(labels, image, pixels), labels.channels);
    return {
      labels,
      image: keeps ? image : { codec, bytes: encode(raw as RawImage) },
      ...(raw ? { pixels: raw.pixels } : {}),
      ...(masks && instances ? { instances } : {}),
      ...(masks && classes ? { classes: classMap ? classes.map((value) => classMap[value]) : classes } : {}),
      ...(conversion.depth && depth ? { depth } : {}),
      ...(conversion.normals && normals ? { normals } : {}),
      ...(scenes && scene ? { scene } : {}),
    };
  };
}

async function rawImage(
  { key, width, height, channels }: DatasetSample['labels'],
  image: DatasetSample['image'],
  pixels: Uint8Array | undefined,
): Promise<RawImage> {
  const raw = pixels ? { width, height, channels, pixels } : await decodeImage(image, key);
  if (raw.width === width && raw.height === height) return raw;
  throw new DatasetError(
    `Expected ${width} × ${height} px for the image of ${key}, as its labels say, but received ${raw.width} × ${raw.height}`,
  );
}

/** The image with the channels that its labels tell: JPEG and WebP always decode to three. */
function toChannels(image: RawImage, channels: 1 | 3): RawImage {
  if (image.channels === channels) return image;
  const { width, height, pixels } = image;
  const count = width * height;
  const out = new Uint8Array(count * channels);
  for (let i = 0; i < count; i++) {
    // Of a grey picture all three are the same, up to rounding.
    if (channels === 1) out[i] = Math.round((pixels[3 * i] + pixels[3 * i + 1] + pixels[3 * i + 2]) / 3);
    else out.fill(pixels[i], 3 * i, 3 * i + 3);
  }
  return { width, height, channels, pixels: out };
}

/**
 * Class masks hold positions in a list of classes, + 1: what each value becomes in another list. Classes that the other
 * list lacks become 0.
 * @returns undefined when nothing changes
 */
export function classMaskMap(from: readonly string[], to: readonly string[]): Uint8Array | undefined {
  const map = new Uint8Array(256);
  for (const [i, name] of from.slice(0, 255).entries()) map[i + 1] = to.indexOf(name) + 1;
  return map.slice(0, Math.min(from.length, 255) + 1).every((value, i) => value === i) ? undefined : map;
}
