import type { SpriteImage } from '../assetLibrary.js';
import type { MeshAsset } from '../meshAsset.js';
import { type Bounds, MeshBuilder } from './meshBuilder.js';
import type { Vector } from './vector.js';

/** What a mesh will be: its size is settled, its triangles and texture are made when they are asked for. */
export interface Model {
  /** The mesh is stretched to fill it, so that it is known before there is a mesh. */
  readonly bounds: Bounds;
  /** What labels measure, where it is not all of `bounds`. */
  readonly body?: Bounds;
  /** Faces that meet at a smaller angle look like one round surface: 0, 30, 45, 60 or 180 degrees. */
  readonly crease: 0 | 30 | 45 | 60 | 180;
  readonly surface?: MeshAsset['surface'];
  readonly gather: (builder: MeshBuilder) => void;
  readonly texture?: () => SpriteImage;
}

/** The box of a thing on the ground, m: the origin in the middle of its footprint. */
export function standing(width: number, height: number, length: number): Bounds {
  const minimum: Vector = [Math.fround(-width / 2), Math.fround(-height), Math.fround(-length / 2)];
  return { minimum, maximum: [-minimum[0], 0, -minimum[2]] };
}

/**
 * The box that faces fill, their footprint's middle moved to the origin.
 * @param gather draws nothing at random: it runs again for the mesh
 */
export function measured(gather: Model['gather']): Bounds {
  const { minimum, maximum } = extentOf(gather);
  return standing(maximum[0] - minimum[0], maximum[1] - minimum[1], maximum[2] - minimum[2]);
}

/** The box that faces fill where they are: of things whose foot, not their middle, is at the origin. */
export function extentOf(gather: Model['gather']): Bounds {
  const builder = new MeshBuilder();
  gather(builder);
  return builder.extent;
}
