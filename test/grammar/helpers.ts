import { AssetLibrary, type SpriteAsset } from '../../src/assets/assetLibrary.js';
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
