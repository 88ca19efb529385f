import type { Draw } from '../aerial/draw.js';
import type { SpriteImage } from '../assetLibrary.js';
import {
  ASPHALTS,
  drawAsphalt,
  drawKerb,
  drawPaint,
  drawPaving,
  drawSoil,
  drawWall,
  PAVINGS,
  SOILS,
  STONE_SHARE,
} from './groundTextures.js';
import type { Look, MeshBuilder, Tint } from './meshBuilder.js';
import type { Model } from './model.js';
import { addBox } from './solids.js';
import { drawLeaves } from './surfaces.js';
import type { Vector } from './vector.js';

/** Length, m, that a strip's texture is made for: stretched to it, tiles along z have their true length. */
export const STRIP_LENGTH = 120;
/** Pieces along z, so that a strip can be bent. */
const SEGMENTS = 64;
/** Height of a kerb, m. */
export const KERB_HEIGHT = 0.12;

/** A point of a strip's cross-section from left to right: x in its width, height in m, u of the texture. */
type ProfilePoint = readonly [x: number, height: number, u: number, light?: number];

interface Strip {
  readonly profile: readonly ProfilePoint[];
  /** Length of a tile, m. */
  readonly tile: number;
  readonly surface: 'ground' | 'solid';
  readonly texture: (draw: Draw) => SpriteImage;
  /** Lines with gaps: so many, each this share of its part. */
  readonly dashes?: readonly [count: number, share: number];
  readonly extra?: (builder: MeshBuilder) => void;
  readonly tint?: Tint;
}

/** Flat across its whole width; the texture is as wide `tiles` times. */
function flat(tiles = 1): readonly ProfilePoint[] {
  return [
    [-0.5, 0, 0],
    [0, 0, 0.5 * tiles],
    [0.5, 0, tiles],
  ];
}

const KERB: readonly ProfilePoint[] = [
  [-0.5, 0, 0.01, 0.62],
  [-0.46, 0.1, 0.1, 0.85],
  [-0.32, KERB_HEIGHT, 0.13],
  [0.5, KERB_HEIGHT, 0.24],
  [0.5, 0, 0.2, 0.7],
];
const FILLING = STONE_SHARE + 0.01;
const MEDIAN: readonly ProfilePoint[] = [
  [-0.5, 0, 0.01, 0.62],
  [-0.495, KERB_HEIGHT, 0.12, 0.9],
  [-0.44, KERB_HEIGHT, 0.24],
  [-0.439, KERB_HEIGHT - 0.01, FILLING],
  [0, KERB_HEIGHT + 0.02, 0.62],
  [0.439, KERB_HEIGHT - 0.01, 0.99],
  [0.44, KERB_HEIGHT, 0.24],
  [0.495, KERB_HEIGHT, 0.12, 0.9],
  [0.5, 0, 0.01, 0.62],
];
/** A beam bent to a W on posts, road to the left: front, and back again. */
const RAIL: readonly ProfilePoint[] = [
  [0, 0.44, 0.1],
  [-0.5, 0.49, 0.2],
  [-0.5, 0.54, 0.3],
  [0, 0.595, 0.5, 0.75],
  [-0.5, 0.65, 0.6],
  [-0.5, 0.7, 0.7],
  [0, 0.75, 0.8],
  [0.1, 0.75, 0.8, 0.8],
  [0.1, 0.44, 0.9, 0.6],
  [0, 0.44, 0.1, 0.5],
];

/** A cross-section seen in a mirror: what has the road on its left has it on its right. */
function mirrored(profile: readonly ProfilePoint[]): readonly ProfilePoint[] {
  return profile.map(([x, height, u, light]) => [-x, height, u, light] as const).reverse();
}

function upright(height: number): readonly ProfilePoint[] {
  return [
    [-0.5, 0, 1, 0.78],
    [-0.5, 0.25 * height, 0.75],
    [-0.5, height, 0.02],
    [0.5, height, 0.02],
    [0.5, 0.25 * height, 0.75],
    [0.5, 0, 1, 0.78],
  ];
}

const ROAD_TILE = STRIP_LENGTH / 9;
const STRIPS: Readonly<Record<string, Strip>> = {
  ...Object.fromEntries(
    Object.entries(ASPHALTS).map(([name, asphalt]) => [
      name,
      {
        profile: flat(),
        tile: ROAD_TILE,
        surface: 'ground',
        texture: (draw: Draw) => drawAsphalt(draw, asphalt),
      } as const,
    ]),
  ),
  'marking-solid': { profile: flat(), tile: 1, surface: 'ground', texture: marking },
  'marking-dashed': { profile: flat(), tile: 1, surface: 'ground', texture: marking, dashes: [13, 1 / 3] },
  'marking-dashed-long': { profile: flat(), tile: 1, surface: 'ground', texture: marking, dashes: [10, 1 / 3] },
  ...Object.fromEntries(
    Object.entries(PAVINGS).map(([name, paving]) => [
      name,
      { profile: flat(), tile: 2.5, surface: 'ground', texture: (draw: Draw) => drawPaving(draw, paving) } as const,
    ]),
  ),
  'sidewalk-asphalt': {
    profile: flat(0.4),
    tile: 6,
    surface: 'ground',
    texture: (draw) => drawAsphalt(draw, { ...ASPHALTS.road, colour: [122, 120, 117] }, 256),
  },
  curb: { profile: KERB, tile: 1, surface: 'ground', texture: (draw) => drawKerb(draw) },
  verge: { profile: flat(), tile: 4, surface: 'ground', texture: (draw) => drawSoil(draw, SOILS.grass) },
  'verge-dry': { profile: flat(), tile: 4, surface: 'ground', texture: (draw) => drawSoil(draw, SOILS.meadow) },
  'verge-dirt': { profile: flat(), tile: 4, surface: 'ground', texture: (draw) => drawSoil(draw, SOILS.dirt) },
  median: {
    profile: MEDIAN,
    tile: 4,
    surface: 'ground',
    texture: (draw) => drawKerb(draw, drawSoil(draw, SOILS.grass)),
  },
  'guard-rail': {
    profile: RAIL,
    tile: 4,
    surface: 'solid',
    texture: (draw) => drawWall(draw, [164, 168, 170]),
    extra: (builder) => addPosts(builder, 1),
  },
  wall: { profile: upright(1.6), tile: 3, surface: 'solid', texture: (draw) => drawWall(draw, [196, 190, 178]) },
  'wall-low': { profile: upright(0.7), tile: 3, surface: 'solid', texture: (draw) => drawWall(draw, [150, 144, 134]) },
  hedge: {
    profile: upright(1.3).map(([x, h, u, light], i) => [
      i === 2 || i === 3 ? 0.84 * x : x,
      h,
      0.7 * u,
      light === undefined ? 1 : 0.6,
    ]),
    tile: 1.9,
    surface: 'solid',
    texture: (draw) => drawLeaves(draw, 256, 2600, 7),
    tint: [0.44, 0.5, 0.28],
  },
  'guard-rail-left': {
    profile: mirrored(RAIL),
    tile: 4,
    surface: 'solid',
    texture: (draw) => drawWall(draw, [164, 168, 170]),
    extra: (builder) => addPosts(builder, -1),
  },
};

export const STRIP_NAMES: readonly string[] = Object.keys(STRIPS);

/**
 * A strip of unit size, x from −½ to ½ and z from 0 to 1, heights in m: to be stretched by ScaleX and ScaleZ and bent along a
 * curve. Its texture repeats along z as often as it would on {@link STRIP_LENGTH} metres.
 */
export function stripModel(draw: Draw, name: string): Model {
  const { profile, tile, surface, texture, dashes, extra, tint: own = [1, 1, 1] } = STRIPS[name];
  const parts: readonly (readonly [from: number, to: number, pieces: number])[] = dashes
    ? Array.from({ length: dashes[0] }, (_, i) => {
        const middle = (i + 0.5) / dashes[0];
        const half = (0.5 * dashes[1]) / dashes[0];
        return [middle - half, middle + half, 4] as const;
      })
    : [[0, 1, SEGMENTS]];
  const heights = profile.map(([, height]) => height);
  const lows = extra ? 0 : Math.min(...heights);
  return {
    bounds: {
      minimum: [-0.5, Math.fround(-Math.max(...heights)), Math.fround(parts[0][0])],
      maximum: [
        Math.fround(extra ? 0.5 : profile[profile.length - 1][0]),
        -lows + 0,
        Math.fround(parts[parts.length - 1][1]),
      ],
    },
    crease: surface === 'solid' ? 30 : 60,
    surface,
    texture: () => texture(draw),
    gather: (builder) => {
      const repeats = Math.max(1, Math.round(STRIP_LENGTH / tile));
      for (const [from, to, pieces] of parts) {
        for (let piece = 0; piece < pieces; piece++) {
          const z0 = from + ((to - from) * piece) / pieces;
          const z1 = from + ((to - from) * (piece + 1)) / pieces;
          for (let i = 0; i + 1 < profile.length; i++)
            addPiece(builder, profile[i], profile[i + 1], z0, z1, repeats, own);
        }
      }
      extra?.(builder);
      // A rail is a band, which has no ends to close.
      if (surface === 'solid' && !extra) addEnds(builder, profile, own);
    },
  };
}

function addPiece(
  builder: MeshBuilder,
  [x0, h0, u0, light0 = 1]: ProfilePoint,
  [x1, h1, u1, light1 = 1]: ProfilePoint,
  z0: number,
  z1: number,
  repeats: number,
  own: Tint,
): void {
  // From left to right seen with z forward: this order of corners has its front above.
  const corners: readonly (readonly [Vector, number, number, number])[] = [
    [[x0, -h0, z0], u0, z0, light0],
    [[x0, -h0, z1], u0, z1, light0],
    [[x1, -h1, z1], u1, z1, light1],
    [[x1, -h1, z0], u1, z0, light1],
  ];
  const find = (point: Vector) => corners.find(([at]) => at === point) as (typeof corners)[number];
  const look: Look = {
    place: (point) => [find(point)[1], find(point)[2] * repeats],
    tint: (point) => own.map((value) => value * find(point)[3]) as unknown as Tint,
  };
  builder.polygon(corners.map(([point]) => point).reverse(), look);
}

/** Closes a wall or hedge at both ends. */
function addEnds(builder: MeshBuilder, profile: readonly ProfilePoint[], own: Tint): void {
  for (const [z, outwards] of [
    [0, [0, 0, -1]],
    [1, [0, 0, 1]],
  ] as const) {
    builder.polygon(
      profile.map(([x, h]): Vector => [x, -h, z]),
      { tint: own, place: ([x, y]) => [0.3 - 0.2 * y, x] },
      outwards,
    );
  }
}

/** Posts of a guard rail, every four metres, away from the road: to the right of the beam (1) or to the left (−1). */
function addPosts(builder: MeshBuilder, away: 1 | -1): void {
  const count = STRIP_LENGTH / 4;
  for (let i = 0; i < count; i++) {
    const z = (i + 0.5) / count;
    const half = 0.05 / STRIP_LENGTH;
    const [x0, x1] = away > 0 ? [0.1, 0.5] : [-0.5, -0.1];
    addBox(builder, [x0, -0.7, z - half], [x1, 0, z + half], { tint: [0.7, 0.7, 0.7], place: [0.5, 0.3] }, ['bottom']);
  }
}

function marking(draw: Draw): SpriteImage {
  return drawPaint(draw, ASPHALTS.road.colour);
}
