import { AssetError } from '../errors.js';
import type { MeshAsset } from './meshAsset.js';

/**
 * Pixels of a sprite.
 * `ink8`: one byte a pixel; the byte is both the colour (all channels) and the opacity, as in ink on transparent
 * paper: a digit of MNIST. `rgba8`: straight (not premultiplied) RGBA bytes, as PNG holds them.
 */
export interface SpriteImage {
  readonly width: number;
  readonly height: number;
  readonly format: 'ink8' | 'rgba8';
  /** [H × W] for `ink8`, [H × W × 4] for `rgba8`. */
  readonly pixels: Uint8Array;
}

/** A sprite texture in a library. */
export interface SpriteAsset {
  readonly kind: 'sprite';
  /** Unique name, slash-separated, e.g. `mnist/train/7/00123`; grammars refer to it by glob. */
  readonly name: string;
  readonly width: number;
  readonly height: number;
  readonly format: 'ink8' | 'rgba8';
  /**
   * What lies beyond the texture's edge: `fade`: transparent, the edge is a bilinear ramp (sprites);
   * `extend`: the edge texels go on up to the quad's own anti-aliased outline (backgrounds, tiles).
   */
  readonly edge: 'fade' | 'extend';
  /** SPDX identifier or a short text; undefined when unknown. */
  readonly licence?: string;
  /** Decodes the pixels; called when an engine loads the asset, and again if it had to make way (`maxAssetBytes`). */
  readonly load: () => SpriteImage | Promise<SpriteImage>;
}

/** What a scene is drawn with: sprites in 2D, meshes in 3D. A library may hold both. */
export type Asset = SpriteAsset | MeshAsset;

/**
 * The asset as one of the kind that is asked for.
 * @throws AssetError when it is of the other kind
 */
export function expectAsset<K extends Asset['kind']>(asset: Asset, kind: K): Extract<Asset, { kind: K }> {
  if (asset.kind === kind) return asset as Extract<Asset, { kind: K }>;
  throw new AssetError(`Expected a ${kind} for "${asset.name}" but received a ${asset.kind}`);
}

/** An ordered, immutable set of assets with unique names; `A` where it is known that all are of one kind. */
export class AssetLibrary<A extends Asset = Asset> {
  readonly assets: readonly A[];
  readonly names: readonly string[];
  readonly #index: ReadonlyMap<string, number>;

  /** @throws AssetError when two assets share a name. */
  constructor(assets: readonly A[]) {
    this.assets = [...assets];
    this.names = this.assets.map((asset) => asset.name);
    const index = new Map<string, number>();
    for (const [i, name] of this.names.entries()) {
      if (index.has(name)) throw new AssetError(`Expected unique asset names but received "${name}" twice`);
      index.set(name, i);
    }
    this.#index = index;
  }

  /** Position of the asset called `name`, −1 when there is none. */
  indexOf(name: string): number {
    return this.#index.get(name) ?? -1;
  }

  /**
   * Names that match a glob: `*` within one segment, `**` across segments, `?` one character, `{a,b}` alternatives.
   * In library order; empty when nothing matches.
   */
  match(glob: string): string[] {
    const pattern = globToRegExp(glob);
    return this.names.filter((name) => pattern.test(name));
  }

  /** The assets of both libraries. @throws AssetError when a name is in both. */
  concat<B extends Asset>(other: AssetLibrary<B>): AssetLibrary<A | B> {
    return new AssetLibrary<A | B>([...this.assets, ...other.assets]);
  }
}

/**
 * A glob over slash-separated names as an anchored regular expression.
 * @throws AssetError when a brace is not closed
 */
export function globToRegExp(glob: string): RegExp {
  let source = '';
  let depth = 0;
  for (let i = 0; i < glob.length; i++) {
    const c = glob[i];
    if (c === '*' && glob[i + 1] === '*') {
      source += '.*';
      i++;
    } else if (c === '*') source += '[^/]*';
    else if (c === '?') source += '[^/]';
    else if (c === '{') {
      source += '(?:';
      depth++;
    } else if (c === '}' && depth > 0) {
      source += ')';
      depth--;
    } else if (c === ',' && depth > 0) source += '|';
    else source += c.replace(/[.+^${}()|[\]\\]/g, '\\$&');
  }
  if (depth > 0) throw new AssetError(`Expected a closing } in the asset pattern but received "${glob}"`);
  return new RegExp(`^${source}$`);
}
