/** Small scenes with cars, drawn by code: for tests and benches of what a few sprites on plain ground do. */
import { AssetLibrary, type SpriteAsset } from '../../src/assets/assetLibrary.js';
import { type Grammar, loadGrammar } from '../../src/grammar/grammar.js';

const RED = [200, 40, 40, 255];
const GLASS = [25, 30, 45, 255];
const LAMP = [255, 240, 160, 255];
const ROOF = [225, 70, 70, 255];

/** A sprite of `width` × `height` px whose pixels `paint` says; nothing is transparent. */
function sprite(name: string, width: number, height: number, paint: (x: number, y: number) => number[]): SpriteAsset {
  const pixels = new Uint8Array(width * height * 4);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) pixels.set(paint((x + 0.5) / width, (y + 0.5) / height), (y * width + x) * 4);
  }
  const edge = name === 'ground' ? 'extend' : 'fade';
  return {
    ...{ kind: 'sprite', name, width, height, format: 'rgba8', edge, licence: 'CC0-1.0' },
    load: () => ({ width, height, format: 'rgba8', pixels }),
  };
}

/** Seen from above, heading up: lamps, windscreen, roof, a smaller rear window. */
function paintCar(x: number, y: number): number[] {
  if (y < 0.09 && (x < 0.3 || x > 0.7)) return LAMP;
  if (y > 0.26 && y < 0.42 && x > 0.12 && x < 0.88) return GLASS;
  if (y > 0.42 && y < 0.76 && x > 0.15 && x < 0.85) return ROOF;
  if (y > 0.76 && y < 0.84 && x > 0.2 && x < 0.8) return GLASS;
  return RED;
}

/** `ground`, plain grey-green; `car`, 12 × 24 px; `house`, a 28 × 28 px roof with a ridge. */
export const carLibrary = new AssetLibrary([
  sprite('ground', 64, 64, () => [96, 112, 88, 255]),
  sprite('car', 12, 24, paintCar),
  sprite('house', 28, 28, (_, y) => (Math.abs(y - 0.5) < 0.04 ? [90, 70, 60, 255] : [150, 110, 90, 255])),
]);

/** One object on the ground: its class, asset name and class name alike, and where it stands. */
export interface Placed {
  readonly class: 'car' | 'house';
  readonly attributes: Readonly<Record<string, unknown>>;
  readonly mutable?: readonly string[];
}

type GrammarDefinition = Exclude<Parameters<typeof loadGrammar>[0], string>;

/** A grammar of a plain ground with the given objects on it; positions are those of the canvas, px. */
export function carGrammar(size: number, objects: readonly Placed[]): Promise<Grammar> {
  const definition = {
    name: 'cars',
    canvas: { width: size, height: size, channels: 3 },
    attributes: {
      rotation: { range: [-180, 180] },
      x: { range: [-size / 2, (3 * size) / 2] },
      y: { range: [-size / 2, (3 * size) / 2] },
    },
    classes: { ground: { asset: 'ground' }, car: { asset: 'car' }, house: { asset: 'house' } },
    nodes: [
      { class: 'ground', attributes: { x: size / 2, y: size / 2 } },
      ...objects.map(({ mutable = [], ...object }) => ({ ...object, mutable: [...mutable] })),
    ],
  };
  return loadGrammar(definition as unknown as GrammarDefinition, { assets: carLibrary });
}
