import { AssetError } from '../errors.js';
import { RandomStream } from '../random.js';
import { AssetLibrary, type SpriteAsset } from './assetLibrary.js';

export interface ProceduralBackgroundOptions {
  /** Size of the textures, px, 1 … 4096. Default 128 × 128. */
  readonly width?: number;
  readonly height?: number;
  /** How many noise textures, 0 … 10000. Default 8. */
  readonly variants?: number;
  /** Seed of the noise, an integer in [0, 2^53). Default 0. */
  readonly seed?: number;
}

const MAX_SIZE = 4096;
const MAX_VARIANTS = 10000;
/** Cell sizes of the noise's octaves, px, each half as strong as the one before. */
const OCTAVES = [32, 16, 8, 4] as const;

/**
 * Plain backgrounds that need no files: `backgrounds/black` and `backgrounds/grey-noise/⟨variant⟩` (cloudy value noise, dark to
 * middle grey). `rgba8`, opaque, edge `extend`, licence CC0-1.0.
 * @throws AssetError when an option is out of range
 */
export function proceduralBackgrounds(options: ProceduralBackgroundOptions = {}): AssetLibrary<SpriteAsset> {
  const { width = 128, height = 128, variants = 8, seed = 0 } = options;
  expectInteger('width', width, 1, MAX_SIZE);
  expectInteger('height', height, 1, MAX_SIZE);
  expectInteger('variants', variants, 0, MAX_VARIANTS);
  expectInteger('seed', seed, 0, Number.MAX_SAFE_INTEGER);
  const texture = (name: string, grey: () => Uint8Array): SpriteAsset => ({
    kind: 'sprite',
    name,
    width,
    height,
    format: 'rgba8',
    edge: 'extend',
    licence: 'CC0-1.0',
    load: () => ({ width, height, format: 'rgba8', pixels: opaque(grey()) }),
  });
  return new AssetLibrary([
    texture('backgrounds/black', () => new Uint8Array(width * height)),
    ...Array.from({ length: variants }, (_, variant) =>
      texture(`backgrounds/grey-noise/${String(variant).padStart(4, '0')}`, () =>
        valueNoise(width, height, seed, variant),
      ),
    ),
  ]);
}

/** [H × W] grey of smoothly interpolated random lattices, summed over the octaves; 16 … 112. */
function valueNoise(width: number, height: number, seed: number, variant: number): Uint8Array {
  const sum = new Float64Array(width * height);
  let weight = 1;
  let total = 0;
  for (const [octave, cell] of OCTAVES.entries()) {
    addLattice(sum, width, height, cell, weight, new RandomStream({ seed, index: variant, node: octave }));
    total += weight;
    weight /= 2;
  }
  return Uint8Array.from(sum, (value) => Math.round(16 + (96 * value) / total));
}

/** Adds a lattice of uniform numbers, one per `cell` px, smoothstep-interpolated. */
function addLattice(
  sum: Float64Array,
  width: number,
  height: number,
  cell: number,
  weight: number,
  stream: RandomStream,
): void {
  const columns = Math.floor(width / cell) + 2;
  const rows = Math.floor(height / cell) + 2;
  const lattice = Float64Array.from({ length: columns * rows }, () => stream.uniform());
  for (let y = 0; y < height; y++) {
    const row = Math.floor(y / cell);
    const v = smoothstep(y / cell - row);
    for (let x = 0; x < width; x++) {
      const column = Math.floor(x / cell);
      const u = smoothstep(x / cell - column);
      const at = row * columns + column;
      const top = lattice[at] + u * (lattice[at + 1] - lattice[at]);
      const bottom = lattice[at + columns] + u * (lattice[at + columns + 1] - lattice[at + columns]);
      sum[y * width + x] += weight * (top + v * (bottom - top));
    }
  }
}

function smoothstep(t: number): number {
  return t * t * (3 - 2 * t);
}

function opaque(grey: Uint8Array): Uint8Array {
  const pixels = new Uint8Array(grey.length * 4);
  for (let i = 0; i < grey.length; i++) {
    pixels.fill(grey[i], i * 4, i * 4 + 3);
    pixels[i * 4 + 3] = 255;
  }
  return pixels;
}

function expectInteger(name: string, value: number, minimum: number, maximum: number): void {
  if (!Number.isInteger(value) || value < minimum || value > maximum) {
    throw new AssetError(`Expected an integer from ${minimum} to ${maximum} for ${name} but received ${value}`);
  }
}
