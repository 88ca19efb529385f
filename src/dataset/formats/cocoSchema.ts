import { z } from 'zod';
import { DatasetError } from '../../errors.js';
import { box3dSchema, cameraSchema, meshPoseSchema } from './schema3d.js';

/**
 * What is read of COCO's records (https://cocodataset.org/#format-data). Only what is needed is asked for, as many
 * datasets leave the rest out; other fields are ignored.
 */
const id = z.number().int().max(Number.MAX_SAFE_INTEGER);
const fraction = z.number().min(0).max(1);
const box = z.tuple([z.number(), z.number(), z.number(), z.number()]);
const flag = z.union([z.literal(0), z.literal(1), z.boolean().transform(Number)]);
const side = z.number().int().min(1).max(65535);

const categorySchema = z.object({
  id,
  name: z.union([z.string(), z.number().transform(String)]),
  isthing: flag.optional(),
});

const imageSchema = z.object({
  id,
  file_name: z.string().min(1),
  width: side.nullish(),
  height: side.nullish(),
  metasim: z
    .object({
      index: z.number().int().min(0),
      seed: z.number().int().min(0),
      camera: cameraSchema,
      /** Paths in the dataset. */
      depth: z.string(),
      normals: z.string(),
    })
    .partial()
    .optional(),
});

/** Labels that COCO has no field for: written by metasim beside COCO's own, where other readers ignore them. */
const extraSchema = z
  .object({
    node: z.number().int().min(0).max(65534),
    asset: z.string(),
    amodalBox: box.nullable(),
    rotatedBox: z
      .object({ x: z.number(), y: z.number(), width: z.number(), height: z.number(), rotation: z.number() })
      .nullable(),
    box3d: box3dSchema.nullable(),
    distance: z.number().nullable(),
    /** Of meshes only. */
    pose: meshPoseSchema,
    visibleFraction: fraction,
    truncation: fraction,
    occluded: fraction,
    occlusion: z.union([z.literal(0), z.literal(1), z.literal(2), z.literal(3)]),
    attributes: z.record(z.string(), z.number()),
  })
  .partial();

const annotationSchema = z.object({
  category_id: id,
  bbox: box.nullish(),
  iscrowd: flag.nullish(),
  segmentation: z.unknown().optional(),
  metasim: extraSchema.optional(),
});

const segmentSchema = z.object({
  id: z.number().int().min(1).max(0xffffff),
  category_id: id,
  iscrowd: flag.nullish(),
});
const panopticSchema = z.object({ file_name: z.string().min(1), segments_info: z.array(segmentSchema) });

export type CocoCategory = z.output<typeof categorySchema>;
export type CocoImage = z.output<typeof imageSchema>;
export type CocoAnnotation = z.output<typeof annotationSchema>;
export type CocoPanopticAnnotation = z.output<typeof panopticSchema>;
/** Fields of `metasim` in an annotation. */
export const EXTRA_FIELDS = Object.keys(extraSchema.shape) as (keyof typeof extraSchema.shape)[];

/** Where a record stands, for messages. */
export interface CocoPlace {
  /** e.g. `annotations[17]`. */
  readonly element: string;
  /** The file. */
  readonly file: string;
}

export const checkCategory = checker(categorySchema, 'a COCO category');
export const checkImage = checker(imageSchema, 'a COCO image');
export const checkAnnotation = checker(annotationSchema, 'a COCO annotation');
export const checkPanopticAnnotation = checker(panopticSchema, 'a panoptic COCO annotation');

/** An error about a field of a record. */
export function cocoError(
  expected: string,
  { element, file }: CocoPlace,
  field: string,
  received: unknown,
): DatasetError {
  const value = typeof received === 'string' ? JSON.stringify(received) : String(received);
  return new DatasetError(
    `Expected ${expected} for ${element}${field && `.${field}`} in ${file} but received ${value.slice(0, 200)}`,
  );
}

/** @returns a function that gives back what the schema knows, or throws a DatasetError naming file, element and field */
function checker<T extends z.ZodType>(schema: T, what: string): (value: unknown, place: CocoPlace) => z.output<T> {
  return (value, place) => {
    const { data, error } = schema.safeParse(value);
    if (!error) return data as z.output<T>;
    const { path, message } = error.issues[0];
    const field = path.map((part) => (typeof part === 'number' ? `[${part}]` : `.${String(part)}`)).join('');
    throw new DatasetError(`Expected ${what} in ${place.file} but received a bad ${place.element}${field}: ${message}`);
  };
}
