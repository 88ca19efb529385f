import type { Draw } from '../aerial/draw.js';
import { Noise } from '../aerial/noise.js';
import type { Look, MeshBuilder, Tint } from './meshBuilder.js';
import { type ProfilePoint, SEGMENTS, STRIP_LENGTH } from './stripProfile.js';
import { add, cross, scale, subtract, unit, type Vector } from './vector.js';

/** Sprays of leaves on a bank of foliage, seen from both sides. */
const TWIGS = 160;

/**
 * What adds a bank of foliage along a strip: its cross-section with bulges and gaps, which strays up to `ragged` metres
 * upwards, and sprays of leaves all over it. The texture repeats `repeats` times along z.
 */
export function foliageOf(
  draw: Draw,
  profile: readonly ProfilePoint[],
  ragged: number,
): (builder: MeshBuilder, repeats: number, own: Tint) => void {
  const stray = strayOf(draw, ragged);
  const twigs = twigsOf(draw, profile.length, Math.max(...profile.map(([, height]) => height)));
  return (builder, repeats, own) => {
    addRagged(builder, profile, stray, repeats, own);
    addTwigs(builder, profile, stray, twigs, repeats, own);
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
