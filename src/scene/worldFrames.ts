import { cos, cosDegrees, sin, sinDegrees } from '../deterministicMath.js';
import { SceneGraphError } from '../errors.js';
import { AttributeRole, NodeKind, type SceneSchema } from './attributeSchema.js';
import type { SceneGraph } from './sceneGraph.js';

/** Numbers of a frame: a row-major 3 × 4 matrix, rotation × scale and origin. */
export const FRAME_NUMBERS = 12;

/** Where a 3D scene is seen from: its camera node where it has one, else `SceneGraph.camera`. */
export interface PlacedCamera {
  /** Focal lengths and principal point, px. Pixel (i, j) is centred at (i + ½, j + ½). */
  readonly fx: number;
  readonly fy: number;
  readonly cx: number;
  readonly cy: number;
  /** Canvas, px. */
  readonly width: number;
  readonly height: number;
  /** Nearest and farthest visible distance, m. */
  readonly near: number;
  readonly far: number;
  /** [3 × 4] row-major: a world point in the camera's frame (x right, y down, z forward, m). */
  readonly toCamera: Float64Array;
}

/** A wider field of view is taken as this one, degrees: a plane sees less than half a turn. */
export const WIDEST_FIELD_OF_VIEW = 179;
/** A part of a curve that turns by no more than this many radians is integrated in one go. */
const PANEL_TURN = 2;
/** Parts of a curve at most; beyond 128 radians the point on it is no longer exact. */
const MOST_PANELS = 64;
/** Gauss–Legendre, 8 points (Abramowitz & Stegun, table 25.4): nodes ±x on [−1, 1] and their weights. */
const GAUSS_NODES = [0.1834346424956498, 0.525532409916329, 0.7966664774136267, 0.9602898564975363];
const GAUSS_WEIGHTS = [0.362683783378362, 0.3137066458778873, 0.2223810344533745, 0.1012285362903763];

/**
 * Where every node of a 3D scene stands (the frames of schemas/sceneGraph.fbs; assembly/engine/mesh/frames.ts computes
 * the same). x right, y down, z forward, m; heading turns about y, to the right, pitch about x, nose up, roll about z,
 * right side down: R = Ry(heading)·Rx(pitch)·Rz(roll).
 *
 * Below a curve z is the distance along it, x the offset to its right, y the height (downwards), and rotations are
 * relative to its direction there. A strip's frame is where its origin stands on the curve; its children add their
 * x, y, z to its own.
 * @returns [V × 12] row-major 3 × 4 matrices, node frame → world; the linear part is rotation × inherited scale
 * @throws SceneGraphError for a scene of sprites, and for a strip that is not below a curve
 */
export function worldFrames(schema: SceneSchema, scene: SceneGraph): Float64Array {
  const frames = new Float64Array(scene.parent.length * FRAME_NUMBERS);
  for (const [v, { rotation, scale, origin }] of placeNodes(schema, scene).entries()) {
    const at = v * FRAME_NUMBERS;
    for (let row = 0; row < 3; row++) {
      for (let column = 0; column < 3; column++) frames[at + 4 * row + column] = scale * rotation[3 * row + column];
      frames[at + 4 * row + 3] = origin[row];
    }
  }
  return frames;
}

/**
 * The camera that a 3D scene is drawn with. A camera node's scale has no effect on it; a field of view above 0 replaces
 * both focal lengths and keeps their ratio.
 * @throws SceneGraphError for a scene without a camera, and as `worldFrames`
 */
export function cameraOf(schema: SceneSchema, scene: SceneGraph): PlacedCamera {
  const { camera, width, height } = scene;
  if (!camera) throw new SceneGraphError(`Expected a camera for the 3D scene ${scene.index} but received none`);
  const { cx, cy, near, far } = camera;
  let { fx, fy } = camera;
  let rotation: readonly number[] = rotationOf(camera.heading, camera.pitch, camera.roll);
  let origin: readonly number[] = [camera.x, camera.y, camera.z];
  const node = nodeOfKind(schema, scene, NodeKind.Camera);
  if (node >= 0) {
    ({ rotation, origin } = placeNodes(schema, scene)[node]);
    const fieldOfView = attributeReader(schema, scene)(node, AttributeRole.FieldOfView, 0);
    if (fieldOfView > 0) {
      const half = Math.min(fieldOfView, WIDEST_FIELD_OF_VIEW) / 2;
      const focal = (width / 2 / sinDegrees(half)) * cosDegrees(half);
      fy = focal * (fy / fx);
      fx = focal;
    }
  }
  const toCamera = new Float64Array(FRAME_NUMBERS);
  for (let row = 0; row < 3; row++) {
    // The inverse of a rotation is its transpose.
    const axis = [rotation[row], rotation[3 + row], rotation[6 + row]];
    toCamera.set(axis, 4 * row);
    toCamera[4 * row + 3] = -(axis[0] * origin[0] + axis[1] * origin[1] + axis[2] * origin[2]);
  }
  return { fx, fy, cx, cy, width, height, near, far, toCamera };
}

/** The first node of a kind, −1 where there is none. */
export function nodeOfKind(schema: SceneSchema, scene: SceneGraph, kind: NodeKind): number {
  return schema.kinds ? scene.classId.findIndex((classId) => schema.kinds?.[classId] === kind) : -1;
}

/** What the nodes of class `classId` are. */
export function kindOfClass(schema: SceneSchema, classId: number): NodeKind {
  return schema.kinds?.[classId] ?? NodeKind.Object;
}

/**
 * The point at distance `along` on a curve that leaves the origin forwards, and its direction there:
 * θ(s) = κ·s + κ′·s²/2, p(s) = ∫₀ˢ (sin θ, cos θ) dt in (x, z).
 * @param curvature κ at distance 0, 1/m, above 0 turns right
 * @param curvatureRate κ′, 1/m²
 * @returns x and z, m, and θ, radians
 */
export function curvePoint(
  curvature: number,
  curvatureRate: number,
  along: number,
): { readonly x: number; readonly z: number; readonly angle: number } {
  const angle = (curvature + 0.5 * curvatureRate * along) * along;
  // The direction turns fastest at one of the ends.
  const fastest = Math.max(Math.abs(curvature), Math.abs(curvature + curvatureRate * along));
  const turn = fastest * Math.abs(along);
  const panels = turn < PANEL_TURN * MOST_PANELS ? Math.floor(turn / PANEL_TURN) + 1 : MOST_PANELS;
  const half = (0.5 * along) / panels;
  let x = 0;
  let z = 0;
  for (let panel = 0; panel < panels; panel++) {
    const middle = (2 * panel + 1) * half;
    for (let i = 0; i < GAUSS_NODES.length; i++) {
      const before = middle - half * GAUSS_NODES[i];
      const behind = middle + half * GAUSS_NODES[i];
      const a = (curvature + 0.5 * curvatureRate * before) * before;
      const b = (curvature + 0.5 * curvatureRate * behind) * behind;
      x += GAUSS_WEIGHTS[i] * (sin(a) + sin(b));
      z += GAUSS_WEIGHTS[i] * (cos(a) + cos(b));
    }
  }
  return { x: half * x, z: half * z, angle };
}

/** A node's frame in the world, and what its children stand along where it is a curve or a strip. */
export interface PlacedNode {
  /** [3 × 3] row-major. */
  readonly rotation: readonly number[];
  /** Its own and all inherited ones. */
  readonly scale: number;
  /** In the world, m. */
  readonly origin: readonly number[];
  readonly line?: CurveLine;
}

/** Coordinates along a curve, as its children and those of its strips have them. */
export interface CurveLine {
  readonly curve: Pick<PlacedNode, 'rotation' | 'scale' | 'origin'>;
  readonly curvature: number;
  readonly curvatureRate: number;
  /** What is added to a child's x, y, z: the strips on the way. */
  readonly offset: readonly number[];
}

const WORLD: PlacedNode = { rotation: [1, 0, 0, 0, 1, 0, 0, 0, 1], scale: 1, origin: [0, 0, 0] };

function placeNodes(schema: SceneSchema, scene: SceneGraph): PlacedNode[] {
  if (schema.dimension !== 3) {
    throw new SceneGraphError(`Expected 3 for dimension of a scene of meshes but received ${schema.dimension}`);
  }
  const read = attributeReader(schema, scene);
  const placed: PlacedNode[] = [];
  for (let v = 0; v < scene.parent.length; v++) {
    const kind = kindOfClass(schema, scene.classId[v]);
    const parent = placed[scene.parent[v]];
    if (kind === NodeKind.Strip && !parent?.line) {
      throw new SceneGraphError(`Expected a curve or a strip as parent of the strip at node ${v}`);
    }
    placed.push(placeInWorld(kind, parent, (role, fallback) => read(v, role, fallback)));
  }
  return placed;
}

/**
 * Places one node; for those who build a scene node by node.
 * @param parent undefined for a root; a strip's is a curve or a strip
 * @param read the node's attribute of a role, `fallback` where the schema has none
 */
export function placeInWorld(
  kind: NodeKind,
  parent: PlacedNode | undefined,
  read: (role: AttributeRole, fallback: number) => number,
): PlacedNode {
  const position = [read(AttributeRole.X, 0), read(AttributeRole.Y, 0), read(AttributeRole.Z, 0)];
  const line = parent?.line;
  if (kind === NodeKind.Strip && line) {
    const offset = sum(line.offset, position);
    return { ...standOn(line, offset), line: { ...line, offset } };
  }
  // Below a curve the parent's frame is the one that moves along with the node, and the node stands in its origin.
  const base = line ? standOn(line, sum(line.offset, position)) : (parent ?? WORLD);
  const own = rotationOf(read(AttributeRole.Rotation, 0), read(AttributeRole.Pitch, 0), read(AttributeRole.Roll, 0));
  const frame = {
    rotation: multiply(base.rotation, own),
    scale: base.scale * read(AttributeRole.Scale, 1),
    origin: line ? base.origin : carry(base, position),
  };
  if (kind !== NodeKind.Curve) return frame;
  const curvature = read(AttributeRole.Curvature, 0);
  const curvatureRate = read(AttributeRole.CurvatureRate, 0);
  return { ...frame, line: { curve: frame, curvature, curvatureRate, offset: [0, 0, 0] } };
}

/** The frame that moves along a curve, at (across, down, along). */
function standOn({ curve, curvature, curvatureRate }: CurveLine, [across, down, along]: readonly number[]): PlacedNode {
  const { x, z, angle } = curvePoint(curvature, curvatureRate, along);
  const c = cos(angle);
  const s = sin(angle);
  return {
    rotation: multiply(curve.rotation, [c, 0, s, 0, 1, 0, -s, 0, c]),
    scale: curve.scale,
    origin: carry(curve, [x + across * c, down, z - across * s]),
  };
}

/** A point of a frame in the world. */
function carry({ rotation: r, scale, origin }: PlacedNode, [x, y, z]: readonly number[]): number[] {
  return [
    origin[0] + scale * (r[0] * x + r[1] * y + r[2] * z),
    origin[1] + scale * (r[3] * x + r[4] * y + r[5] * z),
    origin[2] + scale * (r[6] * x + r[7] * y + r[8] * z),
  ];
}

/** Ry(heading)·Rx(pitch)·Rz(roll), degrees; [3 × 3] row-major. */
export function rotationOf(heading: number, pitch: number, roll: number): number[] {
  const [ch, sh] = [cosDegrees(heading), sinDegrees(heading)];
  const [cp, sp] = [cosDegrees(pitch), sinDegrees(pitch)];
  const [cr, sr] = [cosDegrees(roll), sinDegrees(roll)];
  return [
    ch * cr + sh * sp * sr,
    sh * sp * cr - ch * sr,
    sh * cp,
    cp * sr,
    cp * cr,
    -sp,
    ch * sp * sr - sh * cr,
    sh * sr + ch * sp * cr,
    ch * cp,
  ];
}

function multiply(a: readonly number[], b: readonly number[]): number[] {
  return Array.from({ length: 9 }, (_, i) => {
    const row = 3 * Math.floor(i / 3);
    const column = i % 3;
    return a[row] * b[column] + a[row + 1] * b[3 + column] + a[row + 2] * b[6 + column];
  });
}

function sum(a: readonly number[], b: readonly number[]): number[] {
  return [a[0] + b[0], a[1] + b[1], a[2] + b[2]];
}

type AttributeReader = (node: number, role: AttributeRole, fallback: number) => number;

/** Reads attributes by role; `fallback` where the schema has no such column. */
function attributeReader(schema: SceneSchema, scene: SceneGraph): AttributeReader {
  const columns = new Map(schema.attributes.map((spec, a) => [spec.role, a]));
  const width = schema.attributes.length;
  return (node, role, fallback) => {
    const column = columns.get(role);
    return column === undefined ? fallback : scene.attributes[node * width + column];
  };
}
