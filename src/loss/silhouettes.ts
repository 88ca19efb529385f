/**
 * Blurred silhouettes of sprites: what the visibility penalty looks at. Blurring gives an object that lies wholly below
 * another, or just off the canvas, a slope that leads out.
 */
import { AssetLibrary, type SpriteAsset, type SpriteImage } from '../assets/assetLibrary.js';
import { AssetError } from '../errors.js';

/** Standard deviation of the blur, as a part of the sprite's shorter side. */
const BLUR = 0.25;
/** Box filters one after the other: three come near to a Gaussian, and reach no further than three of their radii. */
const PASSES = 3;
/** Largest sprite that the engine takes, px. */
const MAX_SIDE = 8192;

/** Silhouettes of a library's sprites under the same names, with how much each covers. */
export class SilhouetteLibrary {
  readonly assets: AssetLibrary<SpriteAsset>;
  readonly #sprites: AssetLibrary<SpriteAsset>;
  readonly #masses = new Map<string, number>();

  /** Meshes of the library are left out. */
  constructor(library: AssetLibrary) {
    this.#sprites = new AssetLibrary(library.assets.filter((asset) => asset.kind === 'sprite'));
    this.assets = new AssetLibrary(this.#sprites.assets.map((asset) => this.#silhouetteOf(asset)));
  }

  /**
   * Sides of the sprite itself, px.
   * @throws AssetError when there is none of that name
   */
  sizeOf(name: string): { width: number; height: number } {
    const asset = this.#sprites.assets[this.#sprites.indexOf(name)];
    if (!asset) throw new AssetError(`Expected an asset of the engine's library but received "${name}"`);
    return asset;
  }

  /**
   * Sum of the opacities of the silhouette's texels, px². Decodes the sprite when it is first asked for.
   * @throws what the sprite's `load` throws
   */
  async massOf(name: string): Promise<number> {
    const known = this.#masses.get(name);
    if (known !== undefined) return known;
    await this.assets.assets[this.assets.indexOf(name)].load();
    return this.#masses.get(name) as number;
  }

  #silhouetteOf(asset: SpriteAsset): SpriteAsset {
    const margin = marginOf(asset);
    return {
      ...{ kind: 'sprite', name: asset.name, format: 'ink8', edge: 'fade', licence: asset.licence },
      width: asset.width + 2 * margin,
      height: asset.height + 2 * margin,
      load: async () => {
        const silhouette = blurredSilhouette(await asset.load());
        this.#masses.set(asset.name, silhouette.pixels.reduce((sum, byte) => sum + byte, 0) / 255);
        return silhouette;
      },
    };
  }
}

/**
 * A sprite's opacity, blurred, with an empty margin on all sides.
 * @returns ink whose colour and opacity are the blurred opacity
 */
export function blurredSilhouette(image: SpriteImage): SpriteImage {
  const margin = marginOf(image);
  const width = image.width + 2 * margin;
  const height = image.height + 2 * margin;
  const step = image.format === 'ink8' ? 1 : 4;
  let plane = new Float64Array(width * height);
  for (let y = 0; y < image.height; y++) {
    for (let x = 0; x < image.width; x++) {
      plane[(y + margin) * width + x + margin] = image.pixels[(y * image.width + x) * step + step - 1];
    }
  }
  const radius = radiusOf(image);
  for (let pass = 0; pass < PASSES; pass++) {
    plane = boxFilter(plane, height, width, width, 1, radius);
    plane = boxFilter(plane, width, height, 1, width, radius);
  }
  return { width, height, format: 'ink8', pixels: Uint8Array.from(plane, Math.round) };
}

/** Half-width of the box whose repeated filtering has the blur's standard deviation: n passes of width w give n (w² − 1)/12. */
function radiusOf({ width, height }: { width: number; height: number }): number {
  const sigma = BLUR * Math.min(width, height);
  return Math.round((Math.sqrt((12 * sigma ** 2) / PASSES + 1) - 1) / 2);
}

function marginOf(size: { width: number; height: number }): number {
  const room = Math.floor((MAX_SIDE - Math.max(size.width, size.height)) / 2);
  return Math.max(0, Math.min(PASSES * radiusOf(size), room));
}

/** Mean over 2 · radius + 1 neighbours along one axis, zeros beyond the ends, by a running sum. */
function boxFilter(
  plane: Float64Array,
  lines: number,
  length: number,
  lineStride: number,
  stride: number,
  radius: number,
): Float64Array<ArrayBuffer> {
  const out = new Float64Array(plane.length);
  const size = 2 * radius + 1;
  for (let line = 0; line < lines; line++) {
    const start = line * lineStride;
    let sum = 0;
    for (let i = -radius; i < length; i++) {
      if (i + radius < length) sum += plane[start + (i + radius) * stride];
      if (i - radius - 1 >= 0) sum -= plane[start + (i - radius - 1) * stride];
      if (i >= 0) out[start + i * stride] = sum / size;
    }
  }
  return out;
}
