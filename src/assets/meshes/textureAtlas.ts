import { AssetError } from '../../errors.js';
import type { SpriteImage } from '../assetLibrary.js';
import { packRectangles } from './packRectangles.js';
import type { SourceImage, SourceTexture } from './sourceModel.js';
import type { Surface } from './surface.js';
import { halved, MAX_TEXTURE_SIDE, type Texels, wrapped } from './texels.js';
import { type Rectangle, textureIslands, type UnwrappedUvs, unwrapUvs } from './textureIslands.js';

/**
 * Least texels around each island, and as a share of its longer side: at reduced sizes neighbours are mixed in only where
 * all of the island is drawn within a few pixels.
 */
const BORDER = 4;
const BORDER_SHARE = 0.25;
/** Beyond it only borders are left. */
const MAX_SHRINK = 2 ** 20;

/** Surfaces with coordinates on one common texture. */
export interface Atlas {
  /** Undefined where no surface has a texture. */
  readonly texture?: SpriteImage;
  /** One for each surface. */
  readonly surfaces: readonly AtlasSurface[];
}

export interface AtlasSurface {
  /** [NV′] vertex of the surface that each new vertex is made of. */
  readonly vertices: Uint32Array;
  /** [NV′ × 2] on the common texture; undefined where there is none. */
  readonly uvs?: Float32Array;
  /** [NT × 3] new vertices. */
  readonly indices: Uint32Array;
}

/** A rectangle of a texture, and where it is put. `texels` undefined: plain white, for surfaces without a texture. */
interface Island extends Rectangle {
  readonly texels?: Texels;
  readonly texture?: SourceTexture;
}

/** Surfaces of one texture. */
interface Group {
  readonly texture: SourceTexture;
  readonly texels: Texels;
  readonly members: { readonly surface: number; readonly unwrapped: UnwrappedUvs }[];
}

/**
 * Puts all textures of a model on one: of each texture only what is used, repeated where coordinates go beyond it, with a
 * border. What does not fit is halved until it does.
 * @param texelsOf the decoded image of each texture
 * @param name of the model, for errors
 * @throws AssetError when the model uses thousands of pieces of textures
 */
export function textureAtlas(
  surfaces: readonly Surface[],
  texelsOf: (image: SourceImage) => Texels,
  name: string,
): Atlas {
  const groups = groupByTexture(surfaces, texelsOf);
  if (groups.length === 0) {
    return { surfaces: surfaces.map(({ indices, colors }) => ({ indices, vertices: everyVertex(colors.length / 4) })) };
  }
  const islands: Island[] = [{ left: 0, top: 0, right: 1, bottom: 1 }];
  /** Of each surface: its unwrapped coordinates, and the island of each vertex. */
  const mapped: ({ unwrapped: UnwrappedUvs; islandOf: Uint32Array } | undefined)[] = surfaces.map(() => undefined);
  for (const { texture, texels, members } of groups) {
    const found = textureIslands(members.map(({ unwrapped }) => unwrapped));
    for (const [m, { surface, unwrapped }] of members.entries()) {
      mapped[surface] = { unwrapped, islandOf: found.islandOf[m].map((island) => island + islands.length) };
    }
    for (const island of found.islands) islands.push({ ...island, texels, texture });
  }
  const sheet = packIslands(islands, name);
  const whole = wholeTexture(surfaces, groups, islands, sheet);
  if (whole) return whole;
  return {
    texture: bake(islands, sheet),
    surfaces: surfaces.map(({ indices, colors }, s) => {
      const own = mapped[s];
      const vertices = own?.unwrapped.vertices ?? everyVertex(colors.length / 4);
      const uvs = new Float32Array(2 * vertices.length);
      for (let vertex = 0; vertex < vertices.length; vertex++) {
        const island = own ? own.islandOf[vertex] : 0;
        const [x, y] = own ? own.unwrapped.places.subarray(2 * vertex, 2 * vertex + 2) : [0.5, 0.5];
        const [left, top] = sheet.places[island];
        uvs[2 * vertex] =
          (left + sheet.borders[island] + x / sheet.shrink - reduced(islands[island].left, sheet.shrink)) / sheet.width;
        uvs[2 * vertex + 1] =
          (top + sheet.borders[island] + y / sheet.shrink - reduced(islands[island].top, sheet.shrink)) / sheet.height;
      }
      return { vertices, uvs, indices: own?.unwrapped.indices ?? indices };
    }),
  };
}

function everyVertex(count: number): Uint32Array {
  return Uint32Array.from({ length: count }, (_, i) => i);
}

function groupByTexture(surfaces: readonly Surface[], texelsOf: (image: SourceImage) => Texels): Group[] {
  const groups = new Map<SourceImage, Group[]>();
  for (const [i, { material, uvs, indices }] of surfaces.entries()) {
    const { texture } = material;
    if (!texture || !uvs) continue;
    const texels = texelsOf(texture.image);
    const unwrapped = unwrapUvs(uvs, indices, [texels.width, texels.height], texture.wrap);
    const ofImage = groups.get(texture.image) ?? [];
    groups.set(texture.image, ofImage);
    const same = ofImage.find(({ texture: other }) => String(other.wrap) === String(texture.wrap));
    if (same) same.members.push({ surface: i, unwrapped });
    else ofImage.push({ texture, texels, members: [{ surface: i, unwrapped }] });
  }
  return [...groups.values()].flat();
}

/** Where islands lie on the texture, border included. */
interface Sheet {
  readonly width: number;
  readonly height: number;
  readonly places: readonly (readonly [number, number])[];
  /** Texels of the sheet around each island. */
  readonly borders: readonly number[];
  /** Texels of the files along a side of a texel of the sheet: 1, 2, 4 … */
  readonly shrink: number;
}

/** First texel of the shrunk texture that an edge to the left or top is in. */
function reduced(edge: number, shrink: number): number {
  return Math.floor(edge / shrink);
}

function extent(from: number, to: number, shrink: number): number {
  return Math.ceil(to / shrink) - reduced(from, shrink);
}

function packIslands(islands: readonly Island[], name: string): Sheet {
  for (let shrink = 1; shrink <= MAX_SHRINK; shrink *= 2) {
    const inner = islands.map(({ left, top, right, bottom }) => [
      extent(left, right, shrink),
      extent(top, bottom, shrink),
    ]);
    const borders = inner.map((sides) => Math.max(BORDER, Math.ceil(BORDER_SHARE * Math.max(...sides))));
    const sizes = inner.map(([w, h], i): [number, number] => [w + 2 * borders[i], h + 2 * borders[i]]);
    const packing = packRectangles(sizes, MAX_TEXTURE_SIDE);
    if (packing) return { ...packing, borders, shrink };
  }
  throw new AssetError(
    `Expected textures that fit on ${MAX_TEXTURE_SIDE} × ${MAX_TEXTURE_SIDE} px for ${name} but received ${islands.length} pieces of them`,
  );
}

/** The one texture of a model as it is, where cutting it up saves nothing. */
function wholeTexture(
  surfaces: readonly Surface[],
  groups: readonly Group[],
  islands: readonly Island[],
  sheet: Sheet,
): Atlas | undefined {
  const [{ texels, members }] = groups;
  const { width, height, pixels } = texels;
  const inside = islands.every(
    ({ left, top, right, bottom }) => left >= -1 && top >= -1 && right <= width + 1 && bottom <= height + 1,
  );
  if (groups.length > 1 || members.length < surfaces.length || !inside) return undefined;
  if (sheet.shrink === 1 && sheet.width * sheet.height < width * height) return undefined;
  return {
    texture: { width, height, format: 'rgba8', pixels: opaque(pixels.slice()) },
    surfaces: members.map(({ unwrapped: { vertices, places, indices } }) => ({
      vertices,
      indices,
      uvs: Float32Array.from(places, (place, i) => place / (i % 2 === 0 ? width : height)),
    })),
  };
}

function bake(islands: readonly Island[], { width, height, places, borders, shrink }: Sheet): SpriteImage {
  const pixels = new Uint8Array(4 * width * height).fill(255);
  const shrunk = new Map<Texels, Texels>();
  for (const [i, { left, top, right, bottom, texels, texture }] of islands.entries()) {
    if (!texels || !texture) continue;
    let source = shrunk.get(texels);
    if (!source) {
      source = texels;
      for (let s = 1; s < shrink; s *= 2) source = halved(source);
      shrunk.set(texels, source);
    }
    const border = borders[i];
    const [fromX, fromY] = [reduced(left, shrink) - border, reduced(top, shrink) - border];
    const [columns, rows] = [extent(left, right, shrink) + 2 * border, extent(top, bottom, shrink) + 2 * border];
    for (let y = 0; y < rows; y++) {
      const sourceRow = wrapped(fromY + y, source.height, texture.wrap[1]) * source.width;
      const target = 4 * ((places[i][1] + y) * width + places[i][0]);
      for (let x = 0; x < columns; x++) {
        const at = 4 * (sourceRow + wrapped(fromX + x, source.width, texture.wrap[0]));
        for (let c = 0; c < 3; c++) pixels[target + 4 * x + c] = source.pixels[at + c];
      }
    }
  }
  return { width, height, format: 'rgba8', pixels };
}

function opaque(pixels: Uint8Array): Uint8Array {
  for (let i = 3; i < pixels.length; i += 4) pixels[i] = 255;
  return pixels;
}
