/** Driving scenes for benches, at KITTI's size: a road with two lanes, parked cars, trees and houses. */
import type { AssetLibrary } from '../src/assets/assetLibrary.js';
import { proceduralDriving } from '../src/assets/proceduralDriving.js';
import { RandomStream } from '../src/random.js';
import { AttributeRole, type AttributeSpec, NodeKind, type SceneSchema } from '../src/scene/attributeSchema.js';
import type { Camera, SceneBatch, SceneGraph } from '../src/scene/sceneGraph.js';

export const drivingLibrary: AssetLibrary = proceduralDriving();
export const WIDTH = 1242;
export const HEIGHT = 375;
/** A scene's cars: all of them mutable. */
export const CARS = 40;
const STILL = 12;

const column = (name: string, role: AttributeRole, unit: string, maximum: number): AttributeSpec => ({
  ...{ name, role, unit, minimum: unit === '' ? 0 : -maximum, maximum, periodic: unit === 'deg' },
});
const ATTRIBUTES = [
  column('x', AttributeRole.X, 'm', 100),
  column('y', AttributeRole.Y, 'm', 10),
  column('z', AttributeRole.Z, 'm', 200),
  column('rotation', AttributeRole.Rotation, 'deg', 180),
  column('pitch', AttributeRole.Pitch, 'deg', 180),
  column('scale', AttributeRole.Scale, '', 10),
  column('scaleX', AttributeRole.ScaleX, '', 1000),
  column('scaleZ', AttributeRole.ScaleZ, '', 1000),
  column('brightness', AttributeRole.Brightness, '', 10),
  column('curvature', AttributeRole.Curvature, '1/m', 0.1),
];
/** The five attributes of a car that a Jacobian is taken of. */
export const MUTABLE = ['x', 'z', 'rotation', 'scale', 'brightness'];

export const drivingSchema: SceneSchema = {
  dimension: 3,
  channels: 3,
  attributes: ATTRIBUTES,
  classes: ['object', 'light', 'curve', 'strip'],
  kinds: [NodeKind.Object, NodeKind.Light, NodeKind.Curve, NodeKind.Strip],
};

/** The left colour camera of KITTI's object benchmark, 1.65 m above the road. */
const CAMERA: Camera = {
  ...{ fx: 721.54, fy: 721.54, cx: 609.56, cy: 172.85, x: 0, y: -1.65, z: 0, heading: 0, pitch: 0, roll: 0 },
  ...{ near: 0.1, far: 500 },
};

interface Node {
  readonly kind?: 'light' | 'curve' | 'strip';
  readonly parent?: number;
  readonly asset?: string;
  readonly mutable?: boolean;
  readonly attributes?: Readonly<Record<string, number>>;
}

/** `count` scenes of CARS cars of some 1,400 to 1,700 triangles, in two lanes and parked along the road, 6 to 90 m away. */
export function drivingScenes(count: number): SceneBatch {
  const assets: string[] = [];
  const scenes = Array.from({ length: count }, (_, index) => drivingScene(index, assets));
  return { schema: drivingSchema, assets, scenes, provenance: { grammar: 'bench', grammarHash: '', seed: 1 } };
}

function drivingScene(index: number, assets: string[]): SceneGraph {
  const stream = new RandomStream({ seed: 1, index });
  const between = (low: number, high: number) => low + (high - low) * stream.uniform();
  const pick = (pattern: string) => {
    const names = drivingLibrary.match(pattern);
    return names[stream.integer(names.length)];
  };
  const strip = (name: string, x: number, width: number): Node => ({
    ...{ kind: 'strip', parent: 2, asset: `driving/strips/${name}` },
    attributes: { x, scaleX: width, scaleZ: 120 },
  });
  const nodes: Node[] = [
    { kind: 'light', attributes: { rotation: between(-180, 180), pitch: between(30, 60), brightness: 0.65 } },
    { asset: 'driving/grounds/grass' },
    { kind: 'curve', attributes: { curvature: between(-0.005, 0.005) } },
    strip('road', 0, 12),
    strip('marking-dashed', 0, 0.15),
    strip('sidewalk', -7.5, 3),
    strip('sidewalk', 7.5, 3),
  ];
  for (let i = 0; i < CARS; i++) {
    // Four rows: parked, oncoming, ahead, parked.
    const row = i % 4;
    const back = row < 2;
    const attributes = {
      x: [-4.9, -1.8, 1.8, 4.9][row] + between(-0.3, 0.3),
      z: 8 + Math.floor(i / 4) * 8.5 + between(-1, 1) + 2 * row,
      rotation: (back ? 180 : 0) + between(-5, 5),
    };
    nodes.push({ parent: 2, asset: pick('driving/cars/**'), mutable: true, attributes });
  }
  for (let i = 0; i < STILL; i++) {
    const side = i % 2 === 0 ? -1 : 1;
    const asset = pick(i % 3 === 0 ? 'driving/trees/**' : 'driving/houses/**');
    const attributes = { x: side * between(13, 17), z: 10 + 7 * i, rotation: -90 * side };
    nodes.push({ parent: 2, asset, attributes });
  }
  return toScene(nodes, index, assets);
}

function toScene(nodes: readonly Node[], index: number, assets: string[]): SceneGraph {
  const assetOf = (name: string | undefined) => {
    if (name === undefined) return -1;
    if (!assets.includes(name)) assets.push(name);
    return assets.indexOf(name);
  };
  const neutral = (name: string) => (name.startsWith('scale') || name === 'brightness' ? 1 : 0);
  return {
    ...{ width: WIDTH, height: HEIGHT, index, camera: CAMERA },
    parent: Int32Array.from(nodes, (node) => node.parent ?? -1),
    classId: Uint16Array.from(nodes, (node) => drivingSchema.classes.indexOf(node.kind ?? 'object')),
    asset: Int32Array.from(nodes, (node) => assetOf(node.asset)),
    attributes: Float32Array.from(
      nodes.flatMap((node) => ATTRIBUTES.map(({ name }) => node.attributes?.[name] ?? neutral(name))),
    ),
    mutable: Uint8Array.from(
      nodes.flatMap((node) => ATTRIBUTES.map(({ name }) => (node.mutable && MUTABLE.includes(name) ? 1 : 0))),
    ),
  };
}
