import { AssetLibrary, type SpriteAsset } from '../../src/assets/assetLibrary.js';
import type { MeshAsset } from '../../src/assets/meshAsset.js';
import { GrammarError } from '../../src/errors.js';
import { type Grammar, parseGrammar } from '../../src/grammar/grammar.js';

/** A blank sprite of a given size. */
export function sprite(name: string, width = 6, height = 8): SpriteAsset {
  return {
    kind: 'sprite',
    name,
    width,
    height,
    format: 'ink8',
    edge: 'fade',
    load: () => ({ width, height, format: 'ink8', pixels: new Uint8Array(width * height) }),
  };
}

/** A mesh of a given size that stands on the ground; it cannot be drawn. */
export function mesh(name: string, width = 1.8, height = 1.5, length = 4.4): MeshAsset {
  return {
    kind: 'mesh',
    name,
    minimum: [-width / 2, -height, -length / 2],
    maximum: [width / 2, 0, length / 2],
    triangles: 12,
    load: () => {
      throw new Error('a mesh of numbers only');
    },
  };
}

/** Sprites of half diagonal 5: cars/red, cars/blue, trees/oak, trees/small/bush. */
export const LIBRARY = new AssetLibrary(
  ['cars/red', 'cars/blue', 'trees/oak', 'trees/small/bush'].map((n) => sprite(n)),
);

export function parse(text: string): Grammar {
  return parseGrammar(text, { assets: LIBRARY, file: 'scene.yaml' });
}

/** Message of the GrammarError that `action` must throw. */
export function grammarMessage(action: () => unknown): string {
  try {
    action();
  } catch (error) {
    if (error instanceof GrammarError) return error.message;
    throw error;
  }
  throw new Error('Expected a GrammarError but nothing was thrown');
}
