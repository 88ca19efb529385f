import { STONE_SHARE } from './groundTextures.js';
import type { Look, MeshBuilder, Tint } from './meshBuilder.js';
import type { Vector } from './vector.js';

/** Length, m, that a strip's texture is made for: stretched to it, tiles along z have their true length. */
export const STRIP_LENGTH = 120;
/** Pieces along z, so that a strip can be bent. */
export const SEGMENTS = 64;
/** Height of a kerb, m. */
const KERB_HEIGHT = 0.12;

/** A point of a strip's cross-section from left to right: x in its width, height in m, u of the texture. */
export type ProfilePoint = readonly [x: number, height: number, u: number, light?: number];

/** Flat across its whole width; the texture is as wide `tiles` times. */
export function flat(tiles = 1): readonly ProfilePoint[] {
  return [
    [-0.5, 0, 0],
    [0, 0, 0.5 * tiles],
    [0.5, 0, tiles],
  ];
}

export const KERB: readonly ProfilePoint[] = [
  [-0.5, 0, 0.01, 0.62],
  [-0.46, 0.1, 0.1, 0.85],
  [-0.32, KERB_HEIGHT, 0.13],
  [0.5, KERB_HEIGHT, 0.24],
  [0.5, 0, 0.2, 0.7],
];
const FILLING = STONE_SHARE + 0.01;
export const MEDIAN: readonly ProfilePoint[] = [
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
export const RAIL: readonly ProfilePoint[] = [
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
export function mirrored(profile: readonly ProfilePoint[]): readonly ProfilePoint[] {
  return profile.map(([x, height, u, light]) => [-x, height, u, light] as const).reverse();
}

/** A thin beam between two heights, open at its ends. */
export function bar(low: number, high: number, left = -0.5, right = 0.5): readonly ProfilePoint[] {
  return [
    [left, low, 0.2, 0.6],
    [left, high, 0.3],
    [right, high, 0.4],
    [right, low, 0.5, 0.6],
    [left, low, 0.6, 0.4],
  ];
}

/** Foliage from the ground upwards on both sides, leaning over above; darker below. */
export function bank(height: number): readonly ProfilePoint[] {
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

export function upright(height: number, thick = 1): readonly ProfilePoint[] {
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

/** A cross-section drawn out along z in so many pieces; the texture repeats `repeats` times on the whole strip. */
export function addProfile(
  builder: MeshBuilder,
  profile: readonly ProfilePoint[],
  [from, to, pieces]: readonly [from: number, to: number, pieces: number],
  repeats: number,
  own: Tint,
): void {
  for (let piece = 0; piece < pieces; piece++) {
    const z0 = from + ((to - from) * piece) / pieces;
    const z1 = from + ((to - from) * (piece + 1)) / pieces;
    for (let i = 0; i + 1 < profile.length; i++) addPiece(builder, profile[i], profile[i + 1], z0, z1, repeats, own);
  }
}

/** A piece of a strip between two points of its cross-section, from z0 to z1. */
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
