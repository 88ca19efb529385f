import type { Box3d, CommonLabel, ImageCamera, MeshPose, ObjectPose, RotatedBox } from '../annotate/objectLabel.js';
import type { KittiCalibration } from './formats/kittiCalibration.js';

/** How an image is stored. PNG keeps every pixel; JPEG and WebP lose some. */
export type ImageCodec = 'png' | 'jpeg' | 'webp';

/** Extension of a codec's files. */
export const CODEC_EXTENSION: Readonly<Record<ImageCodec, string>> = { png: 'png', jpeg: 'jpg', webp: 'webp' };

/** What is known of the surface at each pixel of a 3D scene; `DatasetSample` and `DatasetInfo` have entries of these names. */
export type SurfaceLayer = 'depth' | 'normals';

/** All of them, in the order in which formats write them. */
export const SURFACE_LAYERS: readonly SurfaceLayer[] = ['depth', 'normals'];

/**
 * Labels of one object as far as they are known: all of an `ObjectLabel` for generated images, class and box for data
 * sets from elsewhere.
 */
export type SampleObject = Partial<CommonLabel> &
  Pick<CommonLabel, 'class' | 'box'> & {
    /** 2D. */
    readonly rotatedBox?: RotatedBox | null;
    /** 3D; `isMeshLabel` tells. */
    readonly box3d?: Box3d | null;
    readonly distance?: number | null;
    readonly pose?: ObjectPose | MeshPose;
  };

/** The label record of an image: JSON, and the same in every format, so that it can be hashed. */
export interface ImageLabels {
  /** Name of the sample, unique in its dataset: the number of the image with 9 digits, or the stem of a foreign file. */
  readonly key: string;
  /** Index of the scene in the stream of `seed`; position in the dataset for images from elsewhere. */
  readonly index: number;
  /** Absent for images from elsewhere. */
  readonly seed?: number;
  readonly width: number;
  readonly height: number;
  readonly channels: 1 | 3;
  /** 3D: what took the picture. */
  readonly camera?: ImageCamera;
  /** Images of KITTI: all of their calibration file. */
  readonly calibration?: KittiCalibration;
  readonly objects: readonly SampleObject[];
}

/** An image as the bytes of a file. */
export interface EncodedImage {
  readonly codec: ImageCodec;
  readonly bytes: Uint8Array;
  /** Where a reader found it, for errors. */
  readonly place?: string;
}

/** One labelled image on its way into a dataset or out of one. Arrays may be views: valid until the next sample. */
export interface DatasetSample {
  readonly labels: ImageLabels;
  readonly image: EncodedImage;
  /** [H, W, C] 0–255; absent where a reader has not decoded the image (`decodeImage` does). */
  readonly pixels?: Uint8Array;
  /** [H, W] `node` + 1 of the object seen at the pixel, 0 where there is none; absent where there are no masks. */
  readonly instances?: Uint16Array;
  /** [H, W] position in `DatasetInfo.classes` + 1, 0 where there is none. */
  readonly classes?: Uint8Array;
  /** [H, W] 3D: distance along the camera's axis in m × 256, 0 where there is no value (depthCode.ts). */
  readonly depth?: Uint16Array;
  /** [H, W, 3] 3D: what the surface faces, (n · ½ + ½) · 255 of a unit vector; 0, 0, 0 where there is none (normalCode.ts). */
  readonly normals?: Uint8Array;
  /** The scene graph alone in a batch (schemas/sceneGraph.fbs), where it was asked for. */
  readonly scene?: Uint8Array;
}

/** What holds for all samples of a dataset. */
export interface DatasetInfo {
  readonly name: string;
  /** All classes; class masks hold the position here + 1. */
  readonly classes: readonly string[];
  /**
   * Classes whose objects formats of detection and classification list, in the order of their category ids: all but the
   * ignored ones (the background). Label records, masks and panoptic "stuff" hold all classes.
   */
  readonly things: readonly string[];
  /** Name of the split, e.g. `train`: part of paths in formats that have one. */
  readonly split: string;
  readonly codec: ImageCodec;
  /** Whether samples bring masks. */
  readonly masks: boolean;
  /** Whether samples bring their scene graph. */
  readonly scenes: boolean;
  /** Whether samples bring depth, normals; default false. */
  readonly depth?: boolean;
  readonly normals?: boolean;
  /** 3 for scenes of meshes before a camera: objects have 3D boxes, images a camera. Absent for sprites and where nobody knows. */
  readonly dimension?: 3;
  /** Canvas of all images, where it is one. */
  readonly width?: number;
  readonly height?: number;
  readonly channels?: 1 | 3;
}

/** Whether a record is of a 3D scene, as `DatasetInfo` says it. */
export function dimensionOf({ camera }: ImageLabels): Pick<DatasetInfo, 'dimension'> {
  return camera ? { dimension: 3 } : {};
}

/** Number of an image as the key of its sample: 9 digits, so that names sort like numbers. */
export function sampleKey(number: number): string {
  return String(number).padStart(9, '0');
}

/**
 * Whether formats of detection list an object when it is seen: it is of a class among `things`, and in 3D nothing that
 * lies on the ground or is bent along a road.
 */
export function isThing(object: SampleObject, things: readonly string[]): boolean {
  return object.box3d !== null && things.includes(object.class);
}

/** The objects that formats of detection and classification list: things (`isThing`) that are visible. */
export function thingsOf(labels: ImageLabels, info: DatasetInfo): SampleObject[] {
  const things: SampleObject[] = [];
  for (let i = 0; i < labels.objects.length; i++) {
    const object = labels.objects[i];
    if (object.box !== null && isThing(object, info.things)) things.push(object);
  }
  return things;
}
