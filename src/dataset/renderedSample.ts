import { annotateRegions, annotateScene } from '../annotate/annotateScene.js';
import type { ObjectLabel } from '../annotate/objectLabel.js';
import { coverageRows } from '../render/coverage.js';
import type { RenderedBatch } from '../render/engine.js';
import { encodeScenes } from '../scene/encode.js';
import type { SceneBatch } from '../scene/sceneGraph.js';
import type { DatasetFormat } from './format.js';
import type { DatasetHeader } from './header.js';
import type { ImageEncoder } from './imageCodec.js';
import { type DatasetSample, sampleKey } from './sample.js';

/** A scene that lies rendered at a position of a batch. */
export interface RenderedScene {
  /** Of the image in its dataset, from 0. */
  readonly number: number;
  readonly batch: SceneBatch;
  readonly position: number;
  /** Where the scene's nodes begin among those of the batch. */
  readonly row: number;
  /** Rendered with `labels`; `'regions'` is enough where there are no masks. */
  readonly rendered: RenderedBatch<'u8'>;
}

/** The sample of a rendered scene; its arrays are views of the batch. */
export function renderedSample(
  { number, batch, position, row, rendered }: RenderedScene,
  header: DatasetHeader,
  format: Pick<DatasetFormat, 'needsMasks'>,
  encode: ImageEncoder,
): DatasetSample {
  const { width, height, channels, color } = rendered;
  const scene = batch.scenes[position];
  const from = position * width * height;
  const to = from + width * height;
  const pixels = color.subarray(from * channels, to * channels);
  const objects = objectsOf(batch, position, row, rendered);
  const key = sampleKey(header.start + number);
  const sample: DatasetSample = {
    // In plain words: copying properties takes memory that only a full garbage collection gives back.
    labels: {
      key,
      index: scene.index,
      seed: header.seed,
      width,
      height,
      channels,
      objects: header.minimumPixels > 1 ? objects.map((label) => hideSmall(label, header.minimumPixels)) : objects,
    },
    image: { codec: header.codec, bytes: encode({ width, height, channels, pixels }) },
    pixels,
  };
  const masks = needsMasks(header, format);
  if (!masks && !header.scenes) return sample;
  return {
    ...sample,
    ...(masks
      ? {
          instances: (rendered.instances as Uint16Array).subarray(from, to),
          classes: (rendered.classes as Uint8Array).subarray(from, to),
        }
      : {}),
    ...(header.scenes ? { scene: encodeScenes({ ...batch, scenes: [scene] }) } : {}),
  };
}

/** Whether samples of a dataset bring masks to the writer. */
export function needsMasks(header: DatasetHeader, format: Pick<DatasetFormat, 'needsMasks'>): boolean {
  return header.masks || format.needsMasks;
}

/** The labels of the scene at `position`, whose nodes begin at `row`. */
function objectsOf(batch: SceneBatch, position: number, row: number, rendered: RenderedBatch<'u8'>): ObjectLabel[] {
  const { width, height, regions } = rendered;
  const coverage = rendered.coverage as Float64Array;
  const scene = batch.scenes[position];
  if (regions) return annotateRegions(batch.schema, batch.assets, scene, regions, coverage, row);
  const instances = (rendered.instances as Uint16Array).subarray(
    position * width * height,
    (position + 1) * width * height,
  );
  const own = coverageRows(coverage, row, scene.parent.length);
  return annotateScene(batch.schema, batch.assets, scene, instances, own);
}

/** An object of which fewer than `minimum` px are seen counts as not visible: it has no box. */
function hideSmall(label: ObjectLabel, minimum: number): ObjectLabel {
  return label.pixels >= minimum ? label : { ...label, visible: false, box: null, centre: null };
}
