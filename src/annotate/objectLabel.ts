/**
 * What labels are made of. Those of sprites (2D, px on the canvas) and of meshes (3D, m before a camera) are types of their
 * own with what both have in common, told apart by `box3d` and `rotatedBox`: a label's `pose` is not read without asking
 * which it is (`isMeshLabel`), so that metres are not taken for pixels.
 */

/** Pose in the canvas frame (2D). */
export interface ObjectPose {
  /** Position of the node's origin, which is the centre of its sprite, px. */
  readonly x: number;
  readonly y: number;
  /** Degrees clockwise on screen, in [−180, 180). */
  readonly rotation: number;
  /** Product of the scales from the root to the node. */
  readonly scale: number;
}

/** Pose in the world (3D): x right, y down, z forward; the ground is y = 0. */
export interface WorldPose {
  /** Of the origin [x, y, z], m. */
  readonly position: readonly [number, number, number];
  /** Degrees about y, positive to the right, in [−180, 180): 0 looks along z, 90 along x. */
  readonly heading: number;
  /** Degrees about x, positive nose up, in [−90, 90]. */
  readonly pitch: number;
  /** Degrees about z, positive right side down, in [−180, 180). */
  readonly roll: number;
}

/** World pose of an object's node. A mesh's origin stands on the ground in the middle of its footprint. */
export interface MeshPose extends WorldPose {
  /** Product of the scales from the root to the node. */
  readonly scale: number;
}

/** A rectangle that is turned. */
export interface RotatedBox {
  /** Its centre, px. */
  readonly x: number;
  readonly y: number;
  /** Its sides before it is turned, px, above 0. */
  readonly width: number;
  readonly height: number;
  /** Degrees clockwise on screen, in [−180, 180). */
  readonly rotation: number;
}

/**
 * The box around a mesh, or its body (a car without mirrors), as KITTI describes one: sides along the mesh's own axes, standing in the camera's frame (x right,
 * y down, z forward). Where camera or object are tilted (pitch, roll), KITTI's three numbers do not say it: the object's
 * `pose` and the camera's do.
 */
export interface Box3d {
  /** Centre of the bottom face [x, y, z] in the camera's frame, m; z is below 0 behind the camera. */
  readonly location: readonly [number, number, number];
  /** Sides in m: up, to the side and along the object. */
  readonly dimensions: { readonly height: number; readonly width: number; readonly length: number };
  /** Turn about the camera's y axis, rad, in [−π, π): 0 faces along x (right), −π/2 along z (away from the camera). */
  readonly rotationY: number;
  /** Observation angle, rad, in [−π, π): `rotationY` less the bearing of `location`, atan2(x, z). */
  readonly alpha: number;
}

/**
 * The camera of an image. A point p of the world is at q = Rᵀ (p − position) in its frame, R = Ry(heading) · Rx(pitch) ·
 * Rz(roll), and on the image at (fx · q_x / q_z + cx, fy · q_y / q_z + cy) px, where pixel (i, j) is centred at
 * (i + ½, j + ½).
 */
export interface ImageCamera {
  /** Focal lengths, px. */
  readonly fx: number;
  readonly fy: number;
  /** Principal point, px. */
  readonly cx: number;
  readonly cy: number;
  /** Nearest and farthest visible distance along z, m; `far` ≤ 0: none. */
  readonly near: number;
  readonly far: number;
  readonly pose: WorldPose;
}

/**
 * KITTI's occlusion level of an object: 0 fully visible, 1 partly occluded, 2 largely occluded, 3 unknown. KITTI gives no
 * numbers; here 0 means `occluded` ≤ 0.1, 1 means ≤ 0.5, 2 means more, and 3 that no pixel of it falls on the canvas.
 */
export type OcclusionLevel = 0 | 1 | 2 | 3;

/** Ground truth of one object of a scene, in 2D and 3D. */
export interface CommonLabel {
  /** Index of its node; the instance mask holds node + 1. */
  readonly node: number;
  /** Node of its parent, −1 for a root. */
  readonly parent: number;
  readonly class: string;
  /** Name of its texture or mesh. */
  readonly asset: string;
  /** Whether at least one pixel of it is seen. */
  readonly visible: boolean;
  /**
   * Modal bounding box [left, top, width, height], px: the smallest that holds every visible pixel, so width and height
   * are at least 1; null for an object that is not visible.
   */
  readonly box: readonly [number, number, number, number] | null;
  /** Visible area, px. */
  readonly pixels: number;
  /** Mean of its visible pixels' centres [x, y], px; null for an object that is not visible. */
  readonly centre: readonly [number, number] | null;
  /**
   * Amodal bounding box [left, top, width, height], px: the smallest that holds every pixel the object would cover if it
   * were alone on a canvas without bounds. It may leave the canvas. Null for an object that covers no pixel even then
   * (transparent, smaller than a pixel, behind the camera).
   */
  readonly amodalBox: readonly [number, number, number, number] | null;
  /** Visible pixels ÷ pixels it would cover alone on a canvas without bounds, 0–1; 0 where that is none. */
  readonly visibleFraction: number;
  /** Share of the pixels it would cover alone that lies off the canvas, 0–1; 0 where there are none. */
  readonly truncation: number;
  /** Share of its pixels on the canvas that other objects hide, 0–1; 0 where there are none. */
  readonly occluded: number;
  readonly occlusion: OcclusionLevel;
  /** Every attribute by name, in the schema's units, relative to the parent. */
  readonly attributes: Readonly<Record<string, number>>;
}

/** Label of a sprite (2D). */
export interface SpriteLabel extends CommonLabel {
  /**
   * The quad of the object's sprite on the canvas, turned as `pose.rotation` says, whatever hides or cuts it: the
   * sprite's content, without the empty margin of a sprite that fades; the whole of one that extends to its edges. Null
   * where `amodalBox` is.
   */
  readonly rotatedBox: RotatedBox | null;
  readonly pose: ObjectPose;
  readonly box3d?: undefined;
  readonly distance?: undefined;
}

/** Label of a mesh (3D). */
export interface MeshLabel extends CommonLabel {
  /**
   * The box around the mesh, whatever hides or cuts it; null for what lies on the ground or is bent along a curve (roads,
   * markings, sidewalks), of which no box says much.
   */
  readonly box3d: Box3d | null;
  /** From the camera to the centre of `box3d`, m; null where that is. */
  readonly distance: number | null;
  readonly pose: MeshPose;
  readonly rotatedBox?: undefined;
}

/** Ground truth of one object of a scene. */
export type ObjectLabel = SpriteLabel | MeshLabel;

/** Whether a label, or what is known of one, is of a mesh. */
export function isMeshLabel<L extends { readonly box3d?: Box3d | null | undefined }>(
  label: L,
): label is L & { readonly box3d: Box3d | null; readonly pose?: MeshPose } {
  return label.box3d !== undefined;
}
