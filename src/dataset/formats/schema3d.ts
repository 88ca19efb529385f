/** What 3D boxes, poses and cameras have to look like in files; fields beside these are left out where they are parsed. */
import { z } from 'zod';

const triple = z.tuple([z.number(), z.number(), z.number()]);
const side = z.number().min(0);

const worldPoseSchema = z.object({ position: triple, heading: z.number(), pitch: z.number(), roll: z.number() });

/** A `Box3d`. */
export const box3dSchema = z.object({
  location: triple,
  dimensions: z.object({ height: side, width: side, length: side }),
  rotationY: z.number(),
  alpha: z.number(),
});

/** A `MeshPose`. */
export const meshPoseSchema = worldPoseSchema.extend({ scale: z.number() });

/** An `ImageCamera`. */
export const cameraSchema = z.object({
  fx: z.number().positive(),
  fy: z.number().positive(),
  cx: z.number(),
  cy: z.number(),
  near: z.number(),
  far: z.number(),
  pose: worldPoseSchema,
});
