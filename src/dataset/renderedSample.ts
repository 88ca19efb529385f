import { annotateRegions, annotateScene } from '../annotate/annotateScene.js';
import type { MeshLibrary } from '../annotate/meshBounds.js';
import { imageCamera } from '../annotate/meshGeometry.js';
import type { ObjectLabel } from '../annotate/objectLabel.js';
import { ShapeError } from '../errors.js';
import { coverageRows } from '../render/coverage.js';
import type { RenderedBatch } from '../render/engine.js';
import { encodeScenes } from '../scene/encode.js';
import type { SceneBatch } from '../scene/sceneGraph.js';
import { encodeDepth } from './depthCode.js';
import type { DatasetFormat } from './format.js';
import type { DatasetHeader } from './header.js';
import type { ImageEncoder } from './imageCodec.js';
import { encodeNormals } from './normalCode.js';
import { type DatasetSample, type SurfaceLayer, sampleKey } from './sample.js';

/** A scene that lies rendered at a position of a batch. */
export interface RenderedScene {
  /** Of the image in its dataset, from 0. */
  readonly number: number;
  readonly batch: SceneBatch;
  readonly position: number;
  /** Where the scene's nodes begin among those of the batch. */
  readonly row: number;
  /** Rendered with `labels`; `'regions'` is enough where there are no masks. With depth and normals where they are asked for. */
  readonly rendered: RenderedBatch<'u8'>;
  /** What it was rendered with; for 3D scenes. */
  readonly meshes?: MeshLibrary | undefined;
}

/** The sample of a rendered scene; its arrays are views of the batch. */
export function renderedSample(
  { number, batch, position, row, rendered, meshes }: RenderedScene,
  header: DatasetHeader,
  format: Pick<DatasetFormat, 'needsMasks'>,
  encode: ImageEncoder,
): DatasetSample {
  const { width, height, channels, color } = rendered;
  const scene = batch.scenes[position];
  const from = position * width * height;
  const to = from + width * height;
  const pixels = color.subarray(from * channels, to * channels);
  const objects = objectsOf(batch, position, row, rendered, meshes);
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
      ...(batch.schema.dimension === 3 ? { camera: imageCamera(batch.schema, scene) } : {}),
      objects: header.minimumPixels > 1 ? objects.map((label) => hideSmall(label, header.minimumPixels)) : objects,
    },
    image: { codec: header.codec, bytes: encode({ width, height, channels, pixels }) },
    pixels,
  };
  const masks = needsMasks(header, format);
  if (!masks && !header.scenes && !header.depth && !header.normals) return sample;
  return {
    ...sample,
    ...(masks
      ? {
          instances: (rendered.instances as Uint16Array).subarray(from, to),
          classes: (rendered.classes as Uint8Array).subarray(from, to),
        }
      : {}),
    ...layersOfScene(rendered, from, to, header),
    ...(header.scenes ? { scene: encodeScenes({ ...batch, scenes: [scene] }) } : {}),
  };
}

/** Whether samples of a dataset bring masks to the writer. */
export function needsMasks(header: DatasetHeader, format: Pick<DatasetFormat, 'needsMasks'>): boolean {
  return header.masks || format.needsMasks;
}

/** Depth and normals of pixels `from` … `to − 1` of a batch, as datasets hold them. */
function layersOfScene(
  { depth, normals }: RenderedBatch<'u8'>,
  from: number,
  to: number,
  header: DatasetHeader,
): Pick<DatasetSample, SurfaceLayer> {
  if ((header.depth && !depth) || (header.normals && !normals)) {
    throw new ShapeError(
      'Expected a batch rendered with the depth and normals of the dataset but received one without',
    );
  }
  return {
    ...(header.depth && depth ? { depth: encodeDepth(depth.subarray(from, to)) } : {}),
    ...(header.normals && normals ? { normals: encodeNormals(normals.subarray(3 * from, 3 * to)) } : {}),
  };
}

/** The labels of the scene at `position`, whose nodes begin at `row`. */
function objectsOf(
  batch: SceneBatch,
  position: number,
  row: number,
  rendered: RenderedBatch<'u8'>,
  meshes: MeshLibrary | undefined,
): ObjectLabel[] {
  const { width, height, regions } = rendered;
  const coverage = rendered.coverage as Float64Array;
  const scene = batch.scenes[position];
  if (regions) return annotateRegions(batch.schema, batch.assets, scene, regions, coverage, row, meshes);
  const instances = (rendered.instances as Uint16Array).subarray(
    position * width * height,
    (position + 1) * width * height,
  );
  const own = coverageRows(coverage, row, scene.parent.length);
  return annotateScene(batch.schema, batch.assets, scene, instances, own, meshes);
}

/** An object of which fewer than `minimum` px are seen counts as not visible: it has no box. */
function hideSmall(label: ObjectLabel, minimum: number): ObjectLabel {
  return label.pixels >= minimum ? label : { ...label, visible: false, box: null, centre: null };
}
