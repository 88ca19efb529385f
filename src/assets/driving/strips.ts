import type { Draw } from '../aerial/draw.js';
import { Noise } from '../aerial/noise.js';
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
  STONE_SHARE,
} from './groundTextures.js';
import type { Look, MeshBuilder, Tint } from './meshBuilder.js';
import type { Model } from './model.js';
import { addBox } from './solids.js';
import { drawFoliage, drawLeaves } from './surfaces.js';
import { add, cross, scale, subtract, unit, type Vector } from './vector.js';

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
  /** Half of what it fills of its width; default all of it, 0.5. */
  readonly half?: number;
  /** Of what `extra` adds, where it is higher than the profile, m. */
  readonly height?: number;
  readonly tint?: Tint;
  /** How far, m upwards and shares of the width across, its outline strays: foliage. */
  readonly ragged?: number;
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

/** A thin beam between two heights, open at its ends. */
function bar(low: number, high: number, left = -0.5, right = 0.5): readonly ProfilePoint[] {
  return [
    [left, low, 0.2, 0.6],
    [left, high, 0.3],
    [right, high, 0.4],
    [right, low, 0.5, 0.6],
    [left, low, 0.6, 0.4],
  ];
}

/** Foliage from the ground upwards on both sides, leaning over above; darker below. */
function bank(height: number): readonly ProfilePoint[] {
  const side: readonly ProfilePoint[] = [
    [0.34, 0, 0, 0.35],
    [0.44, 0.22, 0.24, 0.6],
    [0.5, 0.5, 0.52, 0.8],
    [0.4, 0.8, 0.85, 1],
    [0.12, 1, 1.15, 1],
  ];
  const place = ([x, h, u, light]: ProfilePoint, sign: number): ProfilePoint => [
    sign * x,
    h * height,
    (u * height) / 4,
    light,
  ];
  return [...side.map((point) => place(point, -1)), ...[...side].reverse().map((point) => place(point, 1))];
}

function upright(height: number, thick = 1): readonly ProfilePoint[] {
  const half = thick / 2;
  return [
    [-half, 0, 1, 0.78],
    [-half, 0.25 * height, 0.75],
    [-half, height, 0.02],
    [half, height, 0.02],
    [half, 0.25 * height, 0.75],
    [half, 0, 1, 0.78],
  ];
}

const MAST_HEIGHT = 6.9;
/** Sprays of leaves on a bank of foliage, seen from both sides. */
const TWIGS = 160;
const METAL = { tint: [0.8, 0.8, 0.8], place: [0.5, 0.3] } as const;
const WOOD = { tint: [1, 0.85, 0.7], place: [0.5, 0.3] } as const;

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
  track: { profile: flat(), tile: 0.65, surface: 'ground', texture: (draw) => drawTrack(draw) },
  fence: {
    profile: upright(1.5, 0.08),
    half: 0.04,
    tile: 1.6,
    surface: 'solid',
    texture: (draw) => drawPlanks(draw, 10, [118, 96, 74]),
  },
  'fence-light': {
    profile: upright(1.1, 0.08),
    half: 0.04,
    tile: 1.2,
    surface: 'solid',
    texture: (draw) => drawPlanks(draw, 8, [206, 202, 194]),
  },
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
  thicket: {
    profile: bank(2.6),
    tile: 3.5,
    surface: 'solid',
    texture: (draw) => drawFoliage(draw, 256, 40),
    tint: [0.6, 0.68, 0.32],
    ragged: 0.6,
  },
  wood: {
    profile: bank(8),
    tile: 5,
    surface: 'solid',
    texture: (draw) => drawFoliage(draw, 256, 40),
    tint: [0.56, 0.64, 0.32],
    ragged: 2.4,
  },
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
  const stray = ragged === undefined ? undefined : strayOf(draw, ragged);
  const twigs = ragged === undefined ? [] : twigsOf(draw, profile.length, Math.max(...heights));
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
    crease: surface === 'solid' && !stray ? 30 : 60,
    surface,
    texture: () => texture(draw),
    gather: (builder) => {
      const repeats = Math.max(1, Math.round(STRIP_LENGTH / tile));
      if (stray) {
        addRagged(builder, profile, stray, repeats, own);
        addTwigs(builder, profile, stray, twigs, repeats, own);
      } else
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
      if (surface === 'solid' && !extra && !stray) addEnds(builder, profile, own);
    },
  };
}

/** How far a corner of a strip's cross-section strays from its place, and how light it is there. */
type Stray = (corner: number, piece: number) => readonly [across: number, upwards: number, shade: number];

/** Foliage: some of it stands out, some is missing; above more than below, where it stands on the ground. */
function strayOf(draw: Draw, ragged: number): Stray {
  const bulges = new Noise(draw.stream, 4, SEGMENTS / 4, 4);
  const twigs = new Noise(draw.stream, 1, SEGMENTS, 16);
  return (corner, piece) => {
    const at = 0.6 * bulges.at(piece, corner) + 0.4 * twigs.at(piece, corner + 0.5) - 0.5;
    const upwards = 1.2 * bulges.at(piece + 7, 2) + 1.4 * twigs.at(piece + 0.5, 3.5) - 1.3;
    return [0.7 * at, ragged * upwards + 0.4 * ragged * at, 0.45 + 1.1 * twigs.at(piece + 0.5, 3 * corner + 1.5)];
  };
}

/** A corner of a strip that strays; the first and the last one stay on the ground. */
function strayed(
  profile: readonly ProfilePoint[],
  stray: Stray,
  i: number,
  piece: number,
): { readonly point: Vector; readonly place: readonly [number, number]; readonly light: number } {
  const last = profile.length - 1;
  const [x, h, u, light = 1] = profile[i];
  const [across, upwards, shade] = stray(i, piece);
  const isFoot = i === 0 || i === last;
  const height = isFoot ? 0 : Math.max(0.1, h + (h / profile[last >> 1][1]) * upwards);
  return { point: [x * (1 + across), -height, piece / SEGMENTS], place: [u, piece / SEGMENTS], light: light * shade };
}

/** A strip whose corners stray; its first and last corners stay on the ground. */
function addRagged(
  builder: MeshBuilder,
  profile: readonly ProfilePoint[],
  stray: Stray,
  repeats: number,
  own: Tint,
): void {
  const last = profile.length - 1;
  const corner = (i: number, piece: number) => strayed(profile, stray, i, piece);
  for (let piece = 0; piece < SEGMENTS; piece++) {
    for (let i = 0; i < last; i++) {
      const corners = [corner(i, piece), corner(i, piece + 1), corner(i + 1, piece + 1), corner(i + 1, piece)];
      const find = (point: Vector) => corners.find((one) => one.point === point) as (typeof corners)[number];
      builder.polygon(corners.map(({ point }) => point).reverse(), {
        place: (point) => [find(point).place[0], find(point).place[1] * repeats],
        tint: (point) => own.map((value) => Math.min(1, value * find(point).light)) as unknown as Tint,
      });
    }
  }
}

/** A spray of leaves that stands out of foliage: where it hangs, its three corners from there, and how light it is. */
interface Twig {
  readonly corner: number;
  readonly piece: number;
  readonly reaches: readonly Vector[];
  readonly light: number;
}

/** Sprays all along a bank of foliage, most of them above: its outline against the sky is ragged by them. */
function twigsOf(draw: Draw, corners: number, height: number): Twig[] {
  return Array.from({ length: TWIGS }, (_, i) => {
    const size = draw.between(0.08, 0.17) * height;
    const reach = (): Vector => [
      draw.between(-0.22, 0.22),
      draw.between(-0.9, 0.6) * size,
      (draw.between(-1, 1) * size) / STRIP_LENGTH,
    ];
    return {
      corner: draw.pick([2, 3, 4, 4, corners - 5, corners - 5, corners - 4, corners - 3]),
      piece: 1 + Math.floor((i * (SEGMENTS - 1)) / TWIGS),
      reaches: [reach(), reach(), reach()],
      light: draw.between(0.5, 1.3),
    };
  });
}

function addTwigs(
  builder: MeshBuilder,
  profile: readonly ProfilePoint[],
  stray: Stray,
  twigs: readonly Twig[],
  repeats: number,
  own: Tint,
): void {
  for (const { corner, piece, reaches, light } of twigs) {
    const { point, place } = strayed(profile, stray, corner, piece);
    const corners = reaches.map((reach): Vector => add(point, reach));
    const look: Look = {
      place: ([x, y, z]) => [place[0] + (x - point[0]) + (y - point[1]) / 4, z * repeats],
      tint: own.map((value) => Math.min(1, value * light)) as unknown as Tint,
    };
    // Its own normal on each side: as one surface with its back it would have none.
    const face = unit(cross(subtract(corners[1], corners[0]), subtract(corners[2], corners[0])));
    builder.polygon(corners, { ...look, normal: () => face });
    builder.polygon([...corners].reverse(), { ...look, normal: () => scale(face, -1) });
  }
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

/** Posts every three metres, and a second bar below the first. */
function addRailing(builder: MeshBuilder): void {
  const posts = STRIP_LENGTH / 3;
  const half = 0.025 / STRIP_LENGTH;
  for (let i = 0; i < posts; i++) {
    const z = (i + 0.5) / posts;
    addBox(builder, [-0.05, -1, z - half], [0.05, 0, z + half], METAL, ['bottom', 'top']);
  }
  addBar(builder, bar(0.5, 0.55, -0.05, 0.05));
}

/** Masts every forty metres with an arm across, and the wire on its other end. */
function addMasts(builder: MeshBuilder): void {
  const masts = STRIP_LENGTH / 40;
  const half = 0.11 / STRIP_LENGTH;
  for (let i = 0; i < masts; i++) {
    const z = (i + 0.5) / masts;
    addBox(builder, [-0.08, -MAST_HEIGHT, z - half], [0.08, 0, z + half], WOOD, ['bottom']);
    addBox(builder, [-0.5, -6.4, z - half / 2], [0.5, -6.3, z + half / 2], WOOD);
  }
  addBar(builder, bar(6.4, 6.44, -0.5, -0.48));
}

function addBar(builder: MeshBuilder, profile: readonly ProfilePoint[]): void {
  const pieces = SEGMENTS / 2;
  for (let piece = 0; piece < pieces; piece++) {
    for (let i = 0; i + 1 < profile.length; i++) {
      addPiece(builder, profile[i], profile[i + 1], piece / pieces, (piece + 1) / pieces, 1, METAL.tint);
    }
  }
}

function marking(draw: Draw): SpriteImage {
  return drawPaint(draw, ASPHALTS.road.colour);
}
