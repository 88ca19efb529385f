import { AttributeRole, type AttributeSpec, NodeKind, type SceneSchema } from '../../src/scene/attributeSchema.js';
import type { Camera, SceneBatch, SceneGraph } from '../../src/scene/sceneGraph.js';

const length = (name: string, role: AttributeRole, most = 200) => column(name, role, 'm', -most, most);
const angle = (name: string, role: AttributeRole) => column(name, role, 'deg', -180, 180, true);
const factor = (name: string, role: AttributeRole) => column(name, role, '', 0, 20);

function column(
  name: string,
  role: AttributeRole,
  unit: string,
  minimum: number,
  maximum: number,
  periodic = false,
): AttributeSpec {
  return { name, role, unit, minimum, maximum, periodic };
}

/** Every role that a 3D scene knows, one class of every kind. */
export const meshSchema: SceneSchema = {
  dimension: 3,
  channels: 3,
  attributes: [
    length('x', AttributeRole.X),
    length('y', AttributeRole.Y),
    length('z', AttributeRole.Z),
    angle('rotation', AttributeRole.Rotation),
    angle('pitch', AttributeRole.Pitch),
    angle('roll', AttributeRole.Roll),
    factor('scale', AttributeRole.Scale),
    factor('scaleX', AttributeRole.ScaleX),
    factor('scaleY', AttributeRole.ScaleY),
    column('scaleZ', AttributeRole.ScaleZ, '', 0, 500),
    factor('brightness', AttributeRole.Brightness),
    factor('red', AttributeRole.Red),
    factor('green', AttributeRole.Green),
    factor('blue', AttributeRole.Blue),
    column('fieldOfView', AttributeRole.FieldOfView, 'deg', 0, 180),
    column('curvature', AttributeRole.Curvature, '1/m', -0.1, 0.1),
    column('curvatureRate', AttributeRole.CurvatureRate, '1/m²', -0.01, 0.01),
    factor('ambient', AttributeRole.Ambient),
    column('haze', AttributeRole.Haze, '1/km', 0, 100),
  ],
  classes: ['object', 'camera', 'light', 'curve', 'strip'],
  kinds: [NodeKind.Object, NodeKind.Camera, NodeKind.Light, NodeKind.Curve, NodeKind.Strip],
};

const COLUMNS = meshSchema.attributes.map(({ name }) => name);
/** Values that change nothing. */
const NEUTRAL: Readonly<Record<string, number>> = {
  scale: 1,
  scaleX: 1,
  scaleY: 1,
  scaleZ: 1,
  brightness: 1,
  red: 1,
  green: 1,
  blue: 1,
  ambient: 0.45,
};

/** KITTI's camera, roughly, at a small canvas' scale; 1.65 m above the ground. */
export const CAMERA: Camera = {
  ...{ fx: 180, fy: 180, cx: 80, cy: 40, x: 0, y: -1.65, z: 0, heading: 0, pitch: 0, roll: 0 },
  ...{ near: 0.1, far: 500 },
};

/** A node of `meshScene`: its kind by name, its parent by position (default: none), and attributes by name. */
export type MeshNode = {
  readonly kind?: 'object' | 'camera' | 'light' | 'curve' | 'strip';
  readonly parent?: number;
  /** Index into the batch's assets. */
  readonly asset?: number;
} & { readonly [attribute: string]: number | string | undefined };

/** A scene of `meshSchema` from a list of nodes; attributes that are left out are neutral, and all are mutable. */
export function meshScene(nodes: readonly MeshNode[], scene: Partial<SceneGraph> = {}): SceneGraph {
  return {
    ...{ width: 160, height: 80, index: 0, camera: CAMERA },
    parent: Int32Array.from(nodes, (node) => node.parent ?? -1),
    classId: Uint16Array.from(nodes, (node) => meshSchema.classes.indexOf(node.kind ?? 'object')),
    asset: Int32Array.from(nodes, (node) => node.asset ?? -1),
    attributes: Float32Array.from(
      nodes.flatMap((node) => COLUMNS.map((name) => Number(node[name] ?? NEUTRAL[name] ?? 0))),
    ),
    mutable: new Uint8Array(nodes.length * COLUMNS.length).fill(1),
    ...scene,
  };
}

/** A batch of such scenes. */
export function meshBatch(scenes: readonly SceneGraph[], assets: readonly string[] = []): SceneBatch {
  return { schema: meshSchema, assets, scenes, provenance: { grammar: 'meshes', grammarHash: '', seed: 1 } };
}

/** Position of an attribute of a node in `SceneGraph.attributes`. */
export function entryOf(node: number, attribute: string): number {
  return node * COLUMNS.length + COLUMNS.indexOf(attribute);
}
