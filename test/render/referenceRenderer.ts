/**
 * The scene as a function of a point on the canvas, in float64 and written for reading: no spans, no shortcuts, no
 * trimmed textures, the platform's own sine. What the kernels are compared with.
 */
import { AttributeRole } from '../../src/scene/attributeSchema.js';
import type { SceneBatch, SceneGraph } from '../../src/scene/sceneGraph.js';
import { spriteImages, spriteLibrary } from './spriteFixtures.js';

interface Layer {
  readonly node: number;
  readonly name: string;
  /** Canvas point → texture point, texels from the image's top left corner. */
  readonly toTexture: (x: number, y: number) => [u: number, v: number];
  /** Canvas pixels a texel, along u and v. */
  readonly size: [u: number, v: number];
  readonly color: [number, number, number];
  readonly opacity: number;
}

/** Values of the scene's roles, defaults filled in. */
function rolesOf(batch: SceneBatch, scene: SceneGraph, node: number) {
  const { attributes } = batch.schema;
  return (role: AttributeRole, fallback: number) => {
    const column = attributes.findIndex((spec) => spec.role === role);
    return column < 0 ? fallback : scene.attributes[node * attributes.length + column];
  };
}

function layersOf(batch: SceneBatch, scene: SceneGraph): Layer[] {
  const frames: { x: number; y: number; angle: number; scale: number }[] = [];
  const layers: Layer[] = [];
  for (let node = 0; node < scene.parent.length; node++) {
    const value = rolesOf(batch, scene, node);
    const parent = frames[scene.parent[node]] ?? { x: 0, y: 0, angle: 0, scale: 1 };
    const x = value(AttributeRole.X, 0) * parent.scale;
    const y = value(AttributeRole.Y, 0) * parent.scale;
    const frame = {
      x: parent.x + x * Math.cos(parent.angle) - y * Math.sin(parent.angle),
      y: parent.y + x * Math.sin(parent.angle) + y * Math.cos(parent.angle),
      angle: parent.angle + (value(AttributeRole.Rotation, 0) * Math.PI) / 180,
      scale: parent.scale * value(AttributeRole.Scale, 1),
    };
    frames.push(frame);
    if (scene.asset[node] < 0) continue;
    const name = batch.assets[scene.asset[node]];
    const image = spriteImages.get(name)!;
    const unitU = frame.scale * value(AttributeRole.ScaleX, 1);
    const unitV = frame.scale * value(AttributeRole.ScaleY, 1);
    const [cos, sin] = [Math.cos(frame.angle), Math.sin(frame.angle)];
    const light = value(AttributeRole.Brightness, 1);
    layers.push({
      node,
      name,
      toTexture: (px, py) => {
        const dx = px - frame.x;
        const dy = py - frame.y;
        return [image.width / 2 + (cos * dx + sin * dy) / unitU, image.height / 2 + (cos * dy - sin * dx) / unitV];
      },
      size: [Math.abs(unitU), Math.abs(unitV)],
      color: [
        light * value(AttributeRole.Red, 1),
        light * value(AttributeRole.Green, 1),
        light * value(AttributeRole.Blue, 1),
      ],
      opacity: value(AttributeRole.Opacity, 1),
    });
  }
  return layers;
}

interface Texture {
  readonly width: number;
  readonly height: number;
  readonly extend: boolean;
  readonly ink: boolean;
  /** Premultiplied RGBA [H, W, 4]. */
  readonly texels: Float64Array;
}

const textures = new Map(
  spriteLibrary.assets.map(({ name, edge }): [string, Texture] => {
    const { width, height, format, pixels } = spriteImages.get(name)!;
    const ink = format === 'ink8';
    const texels = Float64Array.from({ length: width * height * 4 }, (_, i) => {
      if (ink) return pixels[i >> 2] / 255;
      const alpha = pixels[i | 3] / 255;
      return (i & 3) === 3 ? alpha : (pixels[i] / 255) * alpha;
    });
    return [name, { width, height, extend: edge === 'extend', ink, texels }];
  }),
);

const NOTHING = [0, 0, 0, 0];

/** Bilinear texture at a point; `outline` 'soft': times the analytic coverage, 'hard': nothing beyond the quad. */
function textureAt(layer: Layer, x: number, y: number, outline: 'soft' | 'hard'): number[] {
  const { width, height, extend, texels } = textures.get(layer.name)!;
  const [u, v] = layer.toTexture(x, y);
  let coverage = 1;
  if (extend) {
    const ramp = (position: number, length: number, size: number) =>
      outline === 'hard'
        ? Number(position > 0 && position < length)
        : Math.max(0, Math.min(0.5, position * size) + Math.min(0.5, (length - position) * size));
    coverage = ramp(u, width, layer.size[0]) * ramp(v, height, layer.size[1]);
  } else if (u <= -0.5 || v <= -0.5 || u >= width + 0.5 || v >= height + 0.5) coverage = 0;
  if (coverage === 0) return NOTHING;
  const i = Math.floor(u - 0.5);
  const j = Math.floor(v - 0.5);
  const sum = [0, 0, 0, 0];
  for (let tap = 0; tap < 4; tap++) {
    const column = i + (tap & 1);
    const row = j + (tap >> 1);
    if (!extend && (column < 0 || row < 0 || column >= width || row >= height)) continue;
    const across = 1 - Math.abs(u - 0.5 - column);
    const down = 1 - Math.abs(v - 0.5 - row);
    const at = Math.min(height - 1, Math.max(0, row)) * width + Math.min(width - 1, Math.max(0, column));
    for (let c = 0; c < 4; c++) sum[c] += coverage * across * down * texels[4 * at + c];
  }
  return sum;
}

/** Colour of the point (x, y) of the canvas, [C], not clamped. */
function colorAt(layers: readonly Layer[], channels: 1 | 3, x: number, y: number, outline: 'soft' | 'hard'): number[] {
  const color: number[] = new Array(channels).fill(0);
  for (const layer of layers) {
    const texture = textureAt(layer, x, y, outline);
    if (texture === NOTHING) continue;
    const [r, g, b, a] = texture;
    const { ink } = textures.get(layer.name)!;
    for (let c = 0; c < channels; c++) {
      const own = channels === 3 ? texture[c] : ink ? r : 0.299 * r + 0.587 * g + 0.114 * b;
      color[c] = own * layer.color[c] * layer.opacity + color[c] * (1 - a * layer.opacity);
    }
  }
  return color;
}

/** The image as the kernels define it: one sample at every pixel's centre. [H, W, C] */
export function referenceImage(batch: SceneBatch, sceneIndex = 0): Float64Array {
  return supersampled(batch, sceneIndex, 1, 'soft');
}

/** The image as the mean of `samples` × `samples` points a pixel with hard outlines. [H, W, C] */
export function supersampled(
  batch: SceneBatch,
  sceneIndex: number,
  samples: number,
  outline: 'soft' | 'hard' = 'hard',
): Float64Array {
  const scene = batch.scenes[sceneIndex];
  const { channels } = batch.schema;
  const layers = layersOf(batch, scene);
  const out = new Float64Array(scene.width * scene.height * channels);
  for (let y = 0; y < scene.height; y++) {
    for (let x = 0; x < scene.width; x++) {
      for (let k = 0; k < samples * samples; k++) {
        const px = x + ((k % samples) + 0.5) / samples;
        const py = y + (Math.floor(k / samples) + 0.5) / samples;
        const color = colorAt(layers, channels, px, py, outline);
        for (let c = 0; c < channels; c++) out[(y * scene.width + x) * channels + c] += color[c] / samples ** 2;
      }
    }
  }
  return out;
}

/** Topmost node + 1 whose alpha × opacity at the pixel's centre is at least ½; NaN where it is too close to tell. */
export function referenceInstances(batch: SceneBatch, sceneIndex = 0): Float64Array {
  const scene = batch.scenes[sceneIndex];
  const layers = layersOf(batch, scene);
  return Float64Array.from({ length: scene.width * scene.height }, (_, i) => {
    let top = 0;
    for (const layer of layers) {
      const x = (i % scene.width) + 0.5;
      const y = Math.floor(i / scene.width) + 0.5;
      const alpha = textureAt(layer, x, y, 'soft')[3] * layer.opacity;
      if (Math.abs(alpha - 0.5) < 1e-4) top = Number.NaN;
      else if (alpha >= 0.5) top = layer.node + 1;
    }
    return top;
  });
}
