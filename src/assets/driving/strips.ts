import type { Draw } from '../aerial/draw.js';
import type { Colour } from '../aerial/painter.js';
import type { SpriteImage } from '../assetLibrary.js';
import {
  ASPHALTS,
  drawAsphalt,
  drawKerb,
  drawPaint,
  drawPaving,
  drawPlanks,
  drawSoil,
  drawTrack,
  drawWall,
  PAVINGS,
  SOILS,
} from './groundTextures.js';
import type { MeshBuilder, Tint } from './meshBuilder.js';
import type { Model } from './model.js';
import { foliageOf } from './stripFoliage.js';
import { addMasts, addPosts, addRailing, MAST_HEIGHT } from './stripPosts.js';
import {
  addProfile,
  bank,
  bar,
  flat,
  KERB,
  MEDIAN,
  mirrored,
  type ProfilePoint,
  RAIL,
  SEGMENTS,
  STRIP_LENGTH,
  upright,
} from './stripProfile.js';
import { drawFoliage, drawLeaves } from './surfaces.js';
import type { Vector } from './vector.js';

interface Strip {
  readonly profile: readonly ProfilePoint[];
  /** Length of a tile, m. */
  readonly tile: number;
  readonly surface: 'ground' | 'solid';
  readonly texture: (draw: Draw) => SpriteImage;
  /** Lines with gaps: so many, each this share of its part. */
  readonly dashes?: readonly [count: number, share: number];
  readonly extra?: (builder: MeshBuilder) => void;
  /** Half of what it fills of its width; default all of it, 0.5. */
  readonly half?: number;
  /** Of what `extra` adds, where it is higher than the profile, m. */
  readonly height?: number;
  readonly tint?: Tint;
  /** How far, m upwards and shares of the width across, its outline strays: foliage. */
  readonly ragged?: number;
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
  'guard-rail': railStrip(RAIL, 1),
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
  'guard-rail-left': railStrip(mirrored(RAIL), -1),
  track: { profile: flat(), tile: 0.65, surface: 'ground', texture: (draw) => drawTrack(draw) },
  fence: fenceStrip(1.5, 1.6, 10, [118, 96, 74]),
  'fence-light': fenceStrip(1.1, 1.2, 8, [206, 202, 194]),
  railing: {
    profile: bar(0.98, 1.04, -0.06, 0.06),
    half: 0.06,
    tile: 4,
    surface: 'solid',
    texture: (draw) => drawWall(draw, [92, 100, 98]),
    extra: addRailing,
  },
  wires: {
    profile: bar(6.4, 6.44, 0.48, 0.5),
    tile: 4,
    surface: 'solid',
    texture: (draw) => drawWall(draw, [70, 68, 66]),
    extra: addMasts,
    height: MAST_HEIGHT,
  },
  thicket: foliageStrip(2.6, 3.5, [0.6, 0.68, 0.32], 0.6),
  wood: foliageStrip(8, 5, [0.56, 0.64, 0.32], 2.4),
};

export const STRIP_NAMES: readonly string[] = Object.keys(STRIPS);

/**
 * A strip of unit size, x from −½ to ½ and z from 0 to 1, heights in m: to be stretched by ScaleX and ScaleZ and bent along a
 * curve. Its texture repeats along z as often as it would on {@link STRIP_LENGTH} metres.
 */
export function stripModel(draw: Draw, name: string): Model {
  const {
    profile,
    tile,
    surface,
    texture,
    dashes,
    extra,
    height = 0,
    half = 0.5,
    ragged,
    tint: own = [1, 1, 1],
  } = STRIPS[name];
  const heights = profile.map(([, own]) => own);
  const foliage = ragged === undefined ? undefined : foliageOf(draw, profile, ragged);
  const parts: readonly (readonly [from: number, to: number, pieces: number])[] = dashes
    ? Array.from({ length: dashes[0] }, (_, i) => {
        const middle = (i + 0.5) / dashes[0];
        const half = (0.5 * dashes[1]) / dashes[0];
        return [middle - half, middle + half, 4] as const;
      })
    : [[0, 1, SEGMENTS]];
  const lows = extra ? 0 : Math.min(...heights);
  return {
    bounds: {
      minimum: [Math.fround(-half), Math.fround(-Math.max(height, ...heights)), Math.fround(parts[0][0])],
      maximum: [
        Math.fround(extra ? half : profile[profile.length - 1][0]),
        -lows + 0,
        Math.fround(parts[parts.length - 1][1]),
      ],
    },
    crease: surface === 'solid' && !foliage ? 30 : 60,
    surface,
    texture: () => texture(draw),
    gather: (builder) => {
      const repeats = Math.max(1, Math.round(STRIP_LENGTH / tile));
      if (foliage) foliage(builder, repeats, own);
      else for (const part of parts) addProfile(builder, profile, part, repeats, own);
      extra?.(builder);
      // A rail is a band, which has no ends to close.
      if (surface === 'solid' && !extra && !foliage) addEnds(builder, profile, own);
    },
  };
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

function railStrip(profile: readonly ProfilePoint[], away: 1 | -1): Strip {
  return {
    profile,
    tile: 4,
    surface: 'solid',
    texture: (draw) => drawWall(draw, [164, 168, 170]),
    extra: (builder) => addPosts(builder, away),
  };
}

function fenceStrip(height: number, tile: number, planks: number, colour: Colour): Strip {
  return {
    profile: upright(height, 0.08),
    half: 0.04,
    tile,
    surface: 'solid',
    texture: (draw) => drawPlanks(draw, planks, colour),
  };
}

function foliageStrip(height: number, tile: number, tint: Tint, ragged: number): Strip {
  return { profile: bank(height), tile, surface: 'solid', texture: (draw) => drawFoliage(draw, 256, 40), tint, ragged };
}

function marking(draw: Draw): SpriteImage {
  return drawPaint(draw, ASPHALTS.road.colour);
}
