import type { SpriteImage } from './assetLibrary.js';

/**
 * Triangles of a mesh, in metres in the asset's frame: x right, y down, z forward (where a car drives, a person looks, a
 * house has its front), the origin on the ground in the middle of the footprint. So a mesh that stands on the ground
 * has y ≤ 0.
 */
export interface MeshData {
  /** [NV × 3] m. */
  readonly positions: Float32Array;
  /** [NV × 3] unit vectors outwards. Vertices of hard edges stand twice. */
  readonly normals: Float32Array;
  /** [NV × 3] colour 0–1 as displayed; the texture's colour is multiplied by it. */
  readonly colors: Float32Array;
  /** [NV × 2] texture coordinates, (0, 0) top left, (1, 1) bottom right of the texture; with `texture`. */
  readonly uvs?: Float32Array;
  /** [NT × 3] vertices; (p₁ − p₀) × (p₂ − p₀) points outwards, as in glTF (right-handed frames). Back faces are not drawn. */
  readonly indices: Uint32Array;
  /** One opaque `rgba8` texture for the whole mesh, sides powers of two up to 2048; alpha is ignored. */
  readonly texture?: SpriteImage;
}

/** Corners of an axis-parallel box in an asset's frame, m: [x, y, z]. */
export interface MeshBox {
  readonly minimum: readonly [number, number, number];
  readonly maximum: readonly [number, number, number];
}

/** A 3D mesh in a library. */
export interface MeshAsset extends MeshBox {
  readonly kind: 'mesh';
  /** Unique name, slash-separated, e.g. `driving/cars/sedan/03`; grammars refer to it by glob. */
  readonly name: string;
  /**
   * What labels measure, where that is not all of the mesh: a car without its mirrors, as KITTI's annotators drew its box.
   * Within the mesh's own box.
   */
  readonly body?: MeshBox;
  /** Triangles, for work estimates. */
  readonly triangles: number;
  /**
   * `solid` (default): casts a shadow on the ground. `ground`: lies on the ground, receives shadows, casts none and is
   * drawn in the order of nodes over other ground at the same height (road over grass, markings over road).
   */
  readonly surface?: 'solid' | 'ground';
  /** SPDX identifier or a short text; undefined when unknown. */
  readonly licence?: string;
  /** Called when an engine loads the asset, and again if it had to make way (`maxAssetBytes`). */
  readonly load: () => MeshData | Promise<MeshData>;
}
