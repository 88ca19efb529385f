/**
 * Scenes as the visibility penalty looks at them: silhouettes on a grey canvas with a margin, whose brightness says how
 * much each object counts. The sum of such an image is linear in the brightnesses, so that the renderer's derivative
 * gives both how much of each object is seen and how that changes with every attribute.
 */
import { movableSprites } from '../annotate/movableSprites.js';
import { POSE_STRIDE, worldPoses } from '../annotate/worldPoses.js';
import { AttributeRole, type AttributeSpec, type SceneSchema } from '../scene/attributeSchema.js';
import type { SceneBatch, SceneGraph } from '../scene/sceneGraph.js';
import type { SilhouetteLibrary } from './silhouettes.js';

/** Canvases are shrunk until their shorter side has so many pixels: silhouettes are blurred, and need no more. */
const MOST_PIXELS = 64;
/** Margin around the canvas, as a part of its shorter side: so far from it an object finds back. */
const MARGIN = 1;
/** What an object counts beyond the canvas's edge, at the edge; it falls to zero over the margin. */
const OUTSIDE = 0.25;

/** Roles that a silhouette scene needs, with the value where the scenes' schema lacks one. */
const NEEDED: readonly [AttributeRole, number][] = [
  [AttributeRole.X, 0],
  [AttributeRole.Y, 0],
  [AttributeRole.Scale, 1],
  [AttributeRole.Brightness, 0],
];
/** Roles of a sprite's colour: without meaning here. */
const COLOURS: ReadonlySet<AttributeRole> = new Set([AttributeRole.Red, AttributeRole.Green, AttributeRole.Blue]);

/** An object that is to stay visible. */
export interface CountedObject {
  /** Position of its scene in the batch, and its node. */
  readonly scene: number;
  readonly node: number;
  /** What its silhouette covers alone, px² of the silhouettes' canvas, times its opacity where that is given. */
  readonly alone: number;
}

/** How a batch becomes silhouettes. */
export interface SilhouettePlan {
  readonly schema: SceneSchema;
  /** Columns A' ≥ A: those of the scenes come first. */
  readonly columns: number;
  readonly brightness: number;
  /** Columns of the scenes that hold lengths of roots, x and y, and the silhouettes' px per px. */
  readonly x: number;
  readonly y: number;
  readonly shrink: number;
  readonly margin: number;
  readonly width: number;
  readonly height: number;
  readonly counted: readonly CountedObject[];
}

/**
 * Which objects of a batch count, and how their silhouettes are drawn. Those that are longer than the canvas are left
 * out: they cannot be hidden, and never be seen whole (a road).
 * @param batch one or more 2D scenes of one canvas size
 */
export async function silhouettePlan(batch: SceneBatch, library: SilhouetteLibrary): Promise<SilhouettePlan> {
  const { width, height } = batch.scenes[0];
  const shorter = Math.min(width, height);
  const shrink = Math.min(1, MOST_PIXELS / shorter);
  const margin = Math.round(MARGIN * shorter * shrink);
  const attributes = [...batch.schema.attributes];
  for (const [role, value] of NEEDED) {
    if (columnOf(attributes, role) < 0) attributes.push(missingColumn(role, value));
  }
  return {
    schema: { ...batch.schema, channels: 1, attributes },
    columns: attributes.length,
    brightness: columnOf(attributes, AttributeRole.Brightness),
    x: columnOf(attributes, AttributeRole.X),
    y: columnOf(attributes, AttributeRole.Y),
    shrink,
    margin,
    width: Math.round(width * shrink) + 2 * margin,
    height: Math.round(height * shrink) + 2 * margin,
    counted: await countedObjects(batch, library, shrink),
  };
}

/**
 * The scenes of a plan with the given brightness of each counted object, all else black.
 * @param wanted positions of scenes in the batch, those to be drawn
 * @param light of each counted object
 * @param isMutable what the vjp is to differentiate by: the scenes' own mutable attributes, or brightness
 */
export function silhouetteScenes(
  batch: SceneBatch,
  plan: SilhouettePlan,
  wanted: readonly number[],
  light: ArrayLike<number>,
  isMutable: 'attributes' | 'brightness',
): SceneBatch {
  const scenes = wanted.map((position) => {
    const objects = plan.counted.flatMap(({ scene, node }, i) =>
      scene === position ? [{ node, light: light[i] }] : [],
    );
    return silhouetteScene(batch, plan, batch.scenes[position], objects, isMutable);
  });
  return { ...batch, schema: plan.schema, scenes };
}

function silhouetteScene(
  { schema }: SceneBatch,
  plan: SilhouettePlan,
  scene: SceneGraph,
  objects: readonly { node: number; light: number }[],
  isMutable: 'attributes' | 'brightness',
): SceneGraph {
  const nodes = scene.parent.length;
  const own = schema.attributes.length;
  const attributes = new Float32Array(nodes * plan.columns);
  const mutable = new Uint8Array(attributes.length);
  const scaleColumn = columnOf(plan.schema.attributes, AttributeRole.Scale);
  for (let v = 0; v < nodes; v++) {
    const row = v * plan.columns;
    for (const [a, spec] of plan.schema.attributes.entries()) {
      const isOwn = a < own;
      attributes[row + a] = isOwn ? scene.attributes[v * own + a] : spec.role === AttributeRole.Scale ? 1 : 0;
      if (COLOURS.has(spec.role)) attributes[row + a] = 1;
      else if (isOwn && isMutable === 'attributes') mutable[row + a] = scene.mutable[v * own + a];
    }
    attributes[row + plan.brightness] = 0;
    mutable[row + plan.brightness] = 0;
    if (scene.parent[v] >= 0) continue;
    // Shrinking the frames of the roots shrinks all that hangs on them.
    attributes[row + plan.x] = attributes[row + plan.x] * plan.shrink + plan.margin;
    attributes[row + plan.y] = attributes[row + plan.y] * plan.shrink + plan.margin;
    attributes[row + scaleColumn] *= plan.shrink;
  }
  const asset = scene.asset.slice();
  // What lies below the first object that counts hides none.
  asset.fill(-1, 0, objects[0]?.node ?? nodes);
  for (const { node, light } of objects) {
    attributes[node * plan.columns + plan.brightness] = light;
    if (isMutable === 'brightness') mutable[node * plan.columns + plan.brightness] = 1;
  }
  return { ...scene, width: plan.width, height: plan.height, asset, attributes, mutable };
}

/**
 * What a pixel of the silhouettes' canvas counts: 1 on the canvas; beyond it a little, less the farther out, so that an
 * object that has left it finds back.
 * @returns [height × width]
 */
export function visibilityWindow({ width, height, margin }: SilhouettePlan): Float32Array {
  const window = new Float32Array(width * height);
  const beyond = (at: number, length: number) => Math.max(margin - at - 0.5, at + 0.5 - (length - margin), 0);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const distance = Math.max(beyond(x, width), beyond(y, height));
      window[y * width + x] = distance === 0 ? 1 : OUTSIDE * (1 - distance / margin);
    }
  }
  return window;
}

async function countedObjects(batch: SceneBatch, library: SilhouetteLibrary, shrink: number): Promise<CountedObject[]> {
  const { schema, assets } = batch;
  const columns = schema.attributes.length;
  const stretchX = columnOf(schema.attributes, AttributeRole.ScaleX);
  const stretchY = columnOf(schema.attributes, AttributeRole.ScaleY);
  const opacity = columnOf(schema.attributes, AttributeRole.Opacity);
  const counted: CountedObject[] = [];
  for (const [position, scene] of batch.scenes.entries()) {
    const poses = worldPoses(schema, scene);
    const longest = Math.max(scene.width, scene.height);
    for (const node of movableSprites(schema, scene)) {
      const name = assets[scene.asset[node]];
      const scale = Math.abs(poses[node * POSE_STRIDE + 3]);
      const row = node * columns;
      const scaleX = scale * Math.abs(stretchX < 0 ? 1 : scene.attributes[row + stretchX]);
      const scaleY = scale * Math.abs(stretchY < 0 ? 1 : scene.attributes[row + stretchY]);
      const { width, height } = library.sizeOf(name);
      if (Math.max(width * scaleX, height * scaleY) > longest) continue;
      // An opacity that G_θ may lower is one more way to hide; one that the grammar gives is the object's nature.
      const isGiven = opacity >= 0 && scene.mutable[row + opacity] === 0;
      const density = isGiven ? scene.attributes[row + opacity] : 1;
      const alone = (await library.massOf(name)) * scaleX * scaleY * shrink ** 2 * density;
      if (alone > 0) counted.push({ scene: position, node, alone });
    }
  }
  return counted;
}

function columnOf(attributes: readonly AttributeSpec[], role: AttributeRole): number {
  return attributes.findIndex((spec) => spec.role === role);
}

function missingColumn(role: AttributeRole, value: number): AttributeSpec {
  return {
    name: `silhouette ${AttributeRole[role]}`,
    role,
    unit: '',
    minimum: value - 1,
    maximum: value + 1,
    periodic: false,
  };
}
