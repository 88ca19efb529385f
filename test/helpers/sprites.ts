import { AssetLibrary, type SpriteAsset } from '../../src/assets/assetLibrary.js';
import { RandomStream } from '../../src/random.js';
import { AttributeRole, type SceneSchema } from '../../src/scene/attributeSchema.js';
import type { SceneBatch, SceneGraph } from '../../src/scene/sceneGraph.js';
import type { SampleRequest, SceneSource } from '../../src/scene/sceneSource.js';
import { attribute } from './scenes.js';

/** A ring of ink and a tile of colours. */
export const spriteLibrary = new AssetLibrary([
  sprite('ring', 'ink8', 'fade', (x, y) => {
    const r = Math.hypot(x - 15.5, y - 15.5);
    return [r > 8 && r < 14 ? 255 : 0];
  }),
  sprite('tile', 'rgba8', 'extend', (x, y) => [8 * x, 8 * y, 255 - 8 * x, 255]),
]);

function sprite(
  name: string,
  format: 'ink8' | 'rgba8',
  edge: 'fade' | 'extend',
  pixel: (x: number, y: number) => number[],
): SpriteAsset {
  const side = 32;
  const pixels = Uint8Array.from(
    Array.from({ length: side * side }, (_, i) => pixel(i % side, Math.floor(i / side))).flat(),
  );
  return {
    kind: 'sprite',
    name,
    width: side,
    height: side,
    format,
    edge,
    load: () => ({ width: side, height: side, format, pixels }),
  };
}

export const spriteSchema: SceneSchema = {
  dimension: 2,
  channels: 3,
  attributes: [
    attribute('x', AttributeRole.X, 0, 256),
    attribute('y', AttributeRole.Y, 0, 256),
    attribute('rotation', AttributeRole.Rotation, 0, 360, true),
    attribute('scale', AttributeRole.Scale, 0, 4),
    attribute('opacity', AttributeRole.Opacity, 0, 1),
  ],
  classes: ['ground', 'ring', 'tile'],
};

/** Scenes of a frame and up to five sprites, some of them on others, all numbers a function of (seed, index). */
export class SpriteSource implements SceneSource {
  readonly name = 'sprites';
  readonly #side: number;
  readonly requests: SampleRequest[] = [];

  /** @param side of the square canvas, px */
  constructor(side: number) {
    this.#side = side;
  }

  sampleBatch(request: SampleRequest): SceneBatch {
    this.requests.push(request);
    const { seed, start, count } = request;
    return {
      schema: spriteSchema,
      assets: ['ring', 'tile'],
      scenes: Array.from({ length: count }, (_, i) => this.#scene(seed, start + i)),
      provenance: { grammar: this.name, grammarHash: '', seed },
    };
  }

  #scene(seed: number, index: number): SceneGraph {
    const stream = new RandomStream({ seed, index });
    const nodes = 2 + stream.integer(5);
    const side = this.#side;
    const rows = Array.from({ length: nodes }, (_, v) => {
      if (v === 0) return [0, 0, 0, 1, 1];
      const size = (side / 64) * (0.5 + stream.uniform());
      return [
        side * stream.uniform(),
        side * stream.uniform(),
        360 * stream.uniform(),
        size,
        0.3 + 0.7 * stream.uniform(),
      ];
    });
    const asset = Int32Array.from({ length: nodes }, (_, v) => (v === 0 ? -1 : stream.integer(2)));
    return {
      width: side,
      height: side,
      index,
      parent: Int32Array.from({ length: nodes }, (_, v) => (v === 0 ? -1 : 0)),
      classId: Uint16Array.from(asset, (a) => a + 1),
      asset,
      attributes: Float32Array.from(rows.flat()),
      mutable: Uint8Array.from(rows.flatMap((_, v) => [1, 1, 1, 1, 1].map((one) => (v === 0 ? 0 : one)))),
    };
  }
}

/** `count` scenes of a square canvas. */
export function spriteBatch(count: number, side: number, seed = 1): SceneBatch {
  return new SpriteSource(side).sampleBatch({ seed, start: 0, count });
}

/** [length] numbers in [−1, 1), the same for the same seed. */
export function noise(length: number, seed = 1): Float32Array {
  const stream = new RandomStream({ seed, index: 0 });
  return Float32Array.from({ length }, () => 2 * stream.uniform() - 1);
}
