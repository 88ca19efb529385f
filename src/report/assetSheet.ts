import type { AssetLibrary } from '../assets/assetLibrary.js';
import type { MeshAsset } from '../assets/meshAsset.js';
import { cosDegrees, sinDegrees } from '../deterministicMath.js';
import { ConfigError } from '../errors.js';
import { Engine } from '../render/engine.js';
import { AttributeRole, type SceneSchema } from '../scene/attributeSchema.js';
import type { Camera, SceneBatch, SceneGraph } from '../scene/sceneGraph.js';
import { contactSheet } from './contactSheet.js';

export interface AssetSheetOptions {
  /** Side of a picture, px. Default 192. */
  readonly size?: number;
  /** Pictures side by side. Default 8. */
  readonly columns?: number;
  readonly signal?: AbortSignal;
  /** Gets the number of pictures that are done. */
  readonly onProgress?: (done: number) => void;
}

/** Meshes are drawn this many at a time, so that only so many are held decoded. */
const BATCH = 32;
/** Share of a picture's side that a model's bounding sphere takes. */
const FILLED = 0.96;
/** Focal length over the side of a picture: a long lens, as models of all sizes are to look alike. */
const LENS = 2.2;
/** The camera looks at the model from before, its left side, and above, degrees. */
const HEADING = 215;
const PITCH = -20;

/** One attribute, as a scene needs one; the models stand at the origin. */
const SCHEMA: SceneSchema = {
  dimension: 3,
  channels: 3,
  attributes: [{ name: 'x', role: AttributeRole.X, unit: 'm', minimum: -1, maximum: 1, periodic: false }],
  classes: ['model'],
};

/** Width × height × length, e.g. `1.82 x 1.46 x 4.5 m`. */
export function sizeOf({ minimum, maximum }: MeshAsset): string {
  return `${[0, 1, 2].map((c) => Number((maximum[c] - minimum[c]).toPrecision(3))).join(' x ')} m`;
}

/**
 * Every mesh of a library from before, the side and above, each as large as fits, with its name and size below: where it
 * is not a front that one sees, or a size is wrong, `meshes.yaml` puts it right.
 * @returns PNG
 * @throws ConfigError when there is no mesh; AssetError when one cannot be loaded
 */
export async function assetSheet(library: AssetLibrary, options: AssetSheetOptions = {}): Promise<Uint8Array> {
  const { size = 192, columns = 8, signal, onProgress } = options;
  const meshes = library.assets.filter((asset): asset is MeshAsset => asset.kind === 'mesh');
  if (meshes.length === 0) throw new ConfigError('Expected a mesh for the sheet but received none');
  const images = new Uint8Array(meshes.length * size * size * 3);
  const engine = await Engine.create({ assets: library, maxAssetBytes: 2 ** 28 });
  try {
    for (let first = 0; first < meshes.length; first += BATCH) {
      const some = meshes.slice(first, first + BATCH);
      const { color } = await engine.render(portraits(some, size), { color: 'u8', ...(signal ? { signal } : {}) });
      images.set(color, first * size * size * 3);
      onProgress?.(first + some.length);
    }
  } finally {
    await engine.close();
  }
  return contactSheet({
    groups: [
      {
        title: `${meshes.length} meshes`,
        images: { count: meshes.length, width: size, height: size, channels: 3, images },
        captions: meshes.map((mesh) => `${mesh.name.split('/').at(-1)} ${sizeOf(mesh).replaceAll(' ', '')}`),
      },
    ],
    columns,
    rows: Math.ceil(meshes.length / columns),
    scale: 1,
  });
}

function portraits(meshes: readonly MeshAsset[], size: number): SceneBatch {
  return {
    schema: SCHEMA,
    assets: meshes.map(({ name }) => name),
    scenes: meshes.map(
      (mesh, i): SceneGraph => ({
        width: size,
        height: size,
        index: i,
        camera: cameraBefore(mesh, size),
        parent: Int32Array.of(-1),
        classId: Uint16Array.of(0),
        asset: Int32Array.of(i),
        attributes: Float32Array.of(0),
        mutable: Uint8Array.of(0),
      }),
    ),
    provenance: { grammar: 'asset sheet', grammarHash: '', seed: 0 },
  };
}

/** A camera from which the whole box of a mesh is seen. */
function cameraBefore({ minimum, maximum }: MeshAsset, size: number): Camera {
  const middle = [0, 1, 2].map((c) => (minimum[c] + maximum[c]) / 2);
  const radius = Math.sqrt([0, 1, 2].reduce((sum, c) => sum + (maximum[c] - middle[c]) ** 2, 0)) || 1;
  const distance = (2 * LENS * radius) / FILLED;
  const forward = [
    sinDegrees(HEADING) * cosDegrees(PITCH),
    -sinDegrees(PITCH),
    cosDegrees(HEADING) * cosDegrees(PITCH),
  ];
  const [x, y, z] = middle.map((value, c) => value - distance * forward[c]);
  return {
    ...{ fx: LENS * size, fy: LENS * size, cx: size / 2, cy: size / 2 },
    ...{ x, y, z, heading: HEADING, pitch: PITCH, roll: 0 },
    ...{ near: distance / 10, far: 10 * distance },
  };
}
