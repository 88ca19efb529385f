import { AssetLibrary, type SpriteAsset, type SpriteImage } from '../../src/assets/assetLibrary.js';
import { AttributeRole, type AttributeSpec, type SceneSchema } from '../../src/scene/attributeSchema.js';
import type { SceneBatch, SceneGraph } from '../../src/scene/sceneGraph.js';

const spec = (name: string, role: AttributeRole, minimum: number, maximum: number): AttributeSpec => ({
  name,
  role,
  unit: '',
  minimum,
  maximum,
  periodic: role === AttributeRole.Rotation,
});

/** Every role that sprites know, and one that is never drawn. */
export const SPRITE_ATTRIBUTES: readonly AttributeSpec[] = [
  spec('x', AttributeRole.X, 0, 256),
  spec('y', AttributeRole.Y, 0, 256),
  spec('rotation', AttributeRole.Rotation, -180, 180),
  spec('scale', AttributeRole.Scale, 0, 4),
  spec('scaleX', AttributeRole.ScaleX, 0, 4),
  spec('scaleY', AttributeRole.ScaleY, 0, 4),
  spec('brightness', AttributeRole.Brightness, 0, 2),
  spec('opacity', AttributeRole.Opacity, 0, 1),
  spec('red', AttributeRole.Red, 0, 1),
  spec('green', AttributeRole.Green, 0, 1),
  spec('blue', AttributeRole.Blue, 0, 1),
  spec('mood', AttributeRole.None, 0, 1),
];

const DEFAULTS: Record<string, number> = {
  scale: 1,
  scaleX: 1,
  scaleY: 1,
  brightness: 1,
  opacity: 1,
  red: 1,
  green: 1,
  blue: 1,
};

/** A node with few words: what is not said has the default of its role. */
export interface NodeSpec {
  readonly asset?: string;
  readonly parent?: number;
  readonly classId?: number;
  /** `true`: all attributes are mutable. */
  readonly mutable?: boolean | readonly string[];
  readonly [attribute: string]: unknown;
}

/** A batch of one or more scenes on one canvas, with all attribute columns or those given. */
export function spriteBatch(
  canvas: { width: number; height: number; channels: 1 | 3 },
  scenes: readonly (readonly NodeSpec[])[],
  attributes: readonly AttributeSpec[] = SPRITE_ATTRIBUTES,
): SceneBatch {
  const schema: SceneSchema = {
    dimension: 2,
    channels: canvas.channels,
    attributes,
    classes: ['background', 'object', 'other'],
  };
  const assets = spriteLibrary.names;
  return {
    schema,
    assets,
    scenes: scenes.map((nodes, index) => spriteScene(canvas, nodes, index, attributes)),
    provenance: { grammar: 'test', grammarHash: '', seed: 0 },
  };
}

function spriteScene(
  canvas: { width: number; height: number },
  nodes: readonly NodeSpec[],
  index: number,
  attributes: readonly AttributeSpec[],
): SceneGraph {
  const mutable = (node: NodeSpec, name: string) =>
    node.mutable === true || (Array.isArray(node.mutable) && node.mutable.includes(name)) ? 1 : 0;
  return {
    width: canvas.width,
    height: canvas.height,
    index,
    parent: Int32Array.from(nodes, (node) => node.parent ?? -1),
    classId: Uint16Array.from(nodes, (node) => node.classId ?? (node.asset?.startsWith('background') ? 0 : 1)),
    asset: Int32Array.from(nodes, (node) => (node.asset === undefined ? -1 : spriteLibrary.indexOf(node.asset))),
    attributes: Float32Array.from(
      nodes.flatMap((node) => attributes.map(({ name }) => (node[name] as number) ?? DEFAULTS[name] ?? 0)),
    ),
    mutable: Uint8Array.from(nodes.flatMap((node) => attributes.map(({ name }) => mutable(node, name)))),
  };
}

function sprite(name: string, edge: SpriteAsset['edge'], image: SpriteImage): SpriteAsset {
  const { width, height, format } = image;
  return { kind: 'sprite', name, width, height, format, edge, load: () => image };
}

function inkImage(width: number, height: number, value: (x: number, y: number) => number): SpriteImage {
  const pixels = new Uint8Array(width * height);
  for (let i = 0; i < pixels.length; i++) {
    pixels[i] = Math.round(255 * Math.min(1, Math.max(0, value((i % width) + 0.5, Math.floor(i / width) + 0.5))));
  }
  return { width, height, format: 'ink8', pixels };
}

function colorImage(width: number, height: number, value: (x: number, y: number) => number[]): SpriteImage {
  const pixels = new Uint8Array(width * height * 4);
  for (let i = 0; i < width * height; i++) {
    const rgba = value((i % width) + 0.5, Math.floor(i / width) + 0.5);
    for (let c = 0; c < 4; c++) pixels[4 * i + c] = Math.round(255 * Math.min(1, Math.max(0, rgba[c])));
  }
  return { width, height, format: 'rgba8', pixels };
}

/** Distance from (x, y) to a segment. */
function toSegment(x: number, y: number, ax: number, ay: number, bx: number, by: number): number {
  const t = Math.min(1, Math.max(0, ((x - ax) * (bx - ax) + (y - ay) * (by - ay)) / ((bx - ax) ** 2 + (by - ay) ** 2)));
  return Math.hypot(x - ax - t * (bx - ax), y - ay - t * (by - ay));
}

/** A hand-drawn seven, 28 × 28 with an empty margin, as MNIST's digits have. */
const seven = inkImage(28, 28, (x, y) => {
  const distance = Math.min(toSegment(x, y, 8, 7, 20, 7), toSegment(x, y, 20, 7, 12, 22));
  return 2.2 - distance;
});

/** Points to the right: a shaft, a head, and a red dot on its upper side, so that turns and mirrors show. */
const arrow = colorImage(40, 24, (x, y) => {
  if (Math.hypot(x - 8, y - 5) < 3) return [1, 0.1, 0.1, 1];
  const shaft = x > 3 && x < 26 && Math.abs(y - 12) < 3;
  const head = x >= 26 && x < 38 && Math.abs(y - 12) < (38 - x) * 0.8;
  return shaft || head ? [0.9, 0.8, 0.2, 1] : [0, 0, 0, 0];
});

/** A car from above: body, windscreen, a soft shadow at its edge. */
const car = colorImage(46, 24, (x, y) => {
  const edge = Math.min(x, 46 - x, y, 24 - y) - 2;
  const screen = x > 28 && x < 34 && y > 5 && y < 19;
  const colour = screen ? [0.2, 0.3, 0.4] : [0.8, 0.25 + x / 200, 0.2];
  return [...colour, Math.min(1, edge / 2)];
});

const road = colorImage(256, 56, (x, y) => {
  const line = Math.abs(y - 28) < 1.5 && x % 24 < 12;
  const g = 0.35 + 0.03 * Math.sin(x * 1.7 + y * 2.3);
  return line ? [0.9, 0.9, 0.85, 1] : [g, g, g + 0.02, 1];
});

const grass = colorImage(256, 256, (x, y) => {
  const n = 0.08 * Math.sin(x * 0.9 + 3 * Math.sin(y * 0.31)) + 0.05 * Math.sin(y * 1.3);
  return [0.25 + n, 0.45 + n, 0.2 + n / 2, 1];
});

const tile = colorImage(20, 12, (x, y) => [0.2 + x / 30, 0.3 + y / 20, 0.9 - x / 40, 1]);
const glass = colorImage(20, 20, (x, y) => [0.3, 0.7, 1, 0.35 + 0.01 * Math.min(x, y)]);
const disc = colorImage(24, 24, (x, y) => {
  const alpha = 11 - Math.hypot(x - 12, y - 12);
  return [0.9, 0.2 + x / 40, 0.3, alpha];
});
const stamp = inkImage(16, 16, (x, y) => 0.3 + 0.4 * Math.sin(x) * Math.cos(y));
const black = colorImage(64, 64, () => [0, 0, 0, 1]);
const blank = inkImage(8, 8, () => 0);

export const spriteLibrary = new AssetLibrary([
  sprite('background/grass', 'extend', grass),
  sprite('background/black', 'extend', black),
  sprite('road', 'extend', road),
  sprite('seven', 'fade', seven),
  sprite('arrow', 'fade', arrow),
  sprite('car', 'fade', car),
  sprite('disc', 'fade', disc),
  sprite('tile', 'extend', tile),
  sprite('glass', 'extend', glass),
  sprite('stamp', 'extend', stamp),
  sprite('blank', 'fade', blank),
]);

/** All images by name, decoded; for references that sample them on their own. */
export const spriteImages: ReadonlyMap<string, SpriteImage> = new Map(
  spriteLibrary.assets.map((asset) => [asset.name, asset.load() as SpriteImage]),
);

/** MNIST-like: a black background and one digit. */
export function mnistNodes(overrides: Partial<NodeSpec> = {}): NodeSpec[] {
  return [
    { asset: 'background/black', x: 32, y: 32 },
    { asset: 'seven', x: 33.3, y: 30.6, rotation: 25, mutable: ['x', 'y', 'rotation'], ...overrides },
  ];
}

/** Aerial-like: grass, a road across it, three vehicles on it. */
export function aerialNodes(mutable: boolean | readonly string[] = ['x', 'y', 'rotation', 'scale']): NodeSpec[] {
  return [
    { asset: 'background/grass', x: 128, y: 128 },
    { asset: 'road', x: 128, y: 130.5, rotation: 12, scaleX: 1.2, classId: 2, mutable },
    { asset: 'car', x: 70.25, y: 110.4, rotation: 14, mutable },
    { asset: 'car', x: 150.75, y: 142.1, rotation: -170, scale: 1.1, mutable },
    { asset: 'arrow', x: 205.5, y: 60.2, rotation: 75, mutable },
  ];
}
