/** A model as its file has it, in the file's own axes and units; textures are not decoded yet. */
export interface SourceModel {
  readonly parts: readonly SourcePart[];
  readonly materials: readonly SourceMaterial[];
}

/** Triangles of one material. Checked: finite positions, vertices that exist. */
export interface SourcePart {
  /** Position in `materials`. */
  readonly material: number;
  /** [NV × 3] units of the file. */
  readonly positions: Float32Array;
  /** [NV × 3] of any length; without them faces are flat. */
  readonly normals?: Float32Array;
  /** [NV × 4] red, green, blue as displayed, opacity; 0–1. */
  readonly colors?: Float32Array;
  /** [NV × 2] (0, 0) top left, (1, 1) bottom right of the texture. */
  readonly uvs?: Float32Array;
  /** [NT × 3]; counter-clockwise seen from outside in a right-handed frame. */
  readonly indices: Uint32Array;
}

export interface SourceMaterial {
  /** Red, green, blue as displayed, opacity; factors on vertex colours and texture. */
  readonly color: readonly [number, number, number, number];
  readonly texture?: SourceTexture;
  /** Below this opacity a face is not there; 0: everything is drawn. */
  readonly alphaCutoff: number;
  /** Seen from behind too. */
  readonly doubleSided: boolean;
}

/** What lies beyond an edge of a texture. */
export type Wrap = 'repeat' | 'mirror' | 'clamp';

export interface SourceTexture {
  readonly image: SourceImage;
  readonly wrap: readonly [horizontal: Wrap, vertical: Wrap];
}

/** An image file, inside or outside of the model's file. The same object wherever the same image is used. */
export interface SourceImage {
  /** For errors: the file, and where in it. */
  readonly name: string;
  /** Bytes of a PNG, JPEG or WebP file. */
  readonly read: () => Promise<Uint8Array>;
}

/** Most triangles of a model, before `maxTriangles`: a small file can ask for any number by repeating a mesh. */
export const MAX_TRIANGLES = 4_000_000;

/** Material of faces that have none. */
export const PLAIN: SourceMaterial = { color: [1, 1, 1, 1], alphaCutoff: 0, doubleSided: false };
