/** What formats do that keep image, masks, scene graph and label record of a sample side by side in one row. */
import { DatasetError } from '../../errors.js';
import { decodeMask } from '../imageCodec.js';
import { encodePng } from '../png.js';
import type { DatasetInfo, DatasetSample, ImageLabels } from '../sample.js';
import { decodeLayers, encodeLayers } from '../surfaceLayers.js';
import { describeImage } from './imageFile.js';
import { checkLabelRecord, parseForeignJson } from './labelRecord.js';

/** Parts of a sample as bytes; those that its dataset does not promise are absent. */
export interface SampleParts {
  /** The label record, JSON. */
  readonly labels: string;
  readonly image: Uint8Array;
  /** PNG, 16-bit grey, node + 1. */
  readonly instances?: Uint8Array;
  /** PNG, 8-bit grey, class + 1. */
  readonly classes?: Uint8Array;
  /** PNGs of what a dataset has of them: surfaceLayers.ts. */
  readonly depth?: Uint8Array;
  readonly normals?: Uint8Array;
  readonly scene?: Uint8Array;
}

/** @throws DatasetError when the sample lacks what its dataset promises */
export function partsOf(sample: DatasetSample, info: DatasetInfo): SampleParts {
  const { labels, image, scene } = sample;
  const { key, width, height } = labels;
  const promised = <T>(value: T | undefined, name: string): T => {
    if (value !== undefined) return value;
    throw new DatasetError(`Expected ${name} of sample ${key}, as of all others, but received none`);
  };
  const mask = (name: 'instances' | 'classes') =>
    encodePng({ width, height, channels: 1, pixels: promised(sample[name], name) });
  return {
    labels: JSON.stringify(labels),
    image: image.bytes,
    ...(info.masks && { instances: mask('instances'), classes: mask('classes') }),
    ...encodeLayers(sample, info),
    ...(info.scenes && { scene: promised(scene, 'scene') }),
  };
}

/**
 * The sample of parts that `partsOf` made.
 * @param where file and place, for errors
 * @throws DatasetError when a part is damaged or they do not go together
 */
export function sampleOf(parts: SampleParts, where: string): DatasetSample {
  const labels = checkLabelRecord(parseForeignJson(parts.labels, where), where);
  const { image, width, height } = describeImage(parts.image, where);
  if (width !== labels.width || height !== labels.height) {
    throw new DatasetError(
      `Expected an image of ${labels.width} × ${labels.height} px in ${where} but received ${width} × ${height}`,
    );
  }
  return {
    labels,
    image,
    ...readMasks(parts, labels, where),
    ...decodeLayers(parts, labels, where),
    ...(parts.scene && { scene: parts.scene }),
  };
}

function readMasks(parts: SampleParts, { width, height }: ImageLabels, where: string) {
  const read = (bytes: Uint8Array | undefined, name: string) =>
    bytes && decodeMask(bytes, width, height, `the ${name} of ${where}`);
  const instances = read(parts.instances, 'instance mask');
  const classes = read(parts.classes, 'class mask');
  if (classes instanceof Uint16Array) {
    throw new DatasetError(`Expected 8 bits for the class mask of ${where} but received 16`);
  }
  return {
    ...(instances && { instances: instances instanceof Uint16Array ? instances : Uint16Array.from(instances) }),
    ...(classes && { classes }),
  };
}
