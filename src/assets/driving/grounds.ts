import { cos, sin, TURN } from '../../deterministicMath.js';
import type { Draw } from '../aerial/draw.js';
import { Noise } from '../aerial/noise.js';
import type { SpriteImage } from '../assetLibrary.js';
import { ASPHALTS, drawAsphalt, drawSoil, SOILS } from './groundTextures.js';
import type { MeshBuilder } from './meshBuilder.js';
import type { Model } from './model.js';
import { light } from './palette.js';
import type { Vector } from './vector.js';

/** Radius of a ground, m: to the horizon of a camera between houses. */
export const GROUND_RADIUS = 400;
/** Radii of the rings of corners, m: fine where the camera is, as tones change from corner to corner. */
const RINGS = [4, 9, 16, 26, 40, 60, 90, 140, 230, GROUND_RADIUS];
const SECTORS = 40;
/** Length of a texture tile, m. */
const TILE = 8;

const GROUNDS: Readonly<Record<string, (draw: Draw) => SpriteImage>> = {
  grass: (draw) => drawSoil(draw, SOILS.grass),
  meadow: (draw) => drawSoil(draw, SOILS.meadow),
  dirt: (draw) => drawSoil(draw, SOILS.dirt),
  pavement: (draw) => drawAsphalt(draw, { colour: [128, 125, 119], stains: 0.14, patches: 2, cracks: 5 }),
  asphalt: (draw) => drawAsphalt(draw, ASPHALTS.road),
};

export const GROUND_NAMES: readonly string[] = Object.keys(GROUNDS);

/** A flat disc around the origin with a texture that repeats, darker and lighter in broad patches. */
export function groundModel(draw: Draw, name: string): Model {
  return {
    bounds: {
      minimum: [-GROUND_RADIUS, 0, -GROUND_RADIUS],
      maximum: [GROUND_RADIUS, 0, GROUND_RADIUS],
    },
    crease: 180,
    surface: 'ground',
    texture: () => GROUNDS[name](draw),
    gather: addDisc(draw),
  };
}

function addDisc(draw: Draw): (builder: MeshBuilder) => void {
  return (builder) => {
    const near = new Noise(draw.stream, 12, 32);
    const far = new Noise(draw.stream, 60, 16);
    const tone = ([x, , z]: Vector) =>
      light(0.86 + 0.1 * near.at(x + 1000, z + 1000) + 0.1 * (far.at(x + 1000, z + 1000) - 0.5));
    const look = { tint: tone, place: ([x, , z]: Vector) => [x / TILE, z / TILE] as const };
    const centre: Vector = [0, 0, 0];
    let inner: Vector[] | undefined;
    for (const radius of RINGS) {
      const ring = Array.from({ length: SECTORS + 1 }, (_, i): Vector => {
        const angle = (TURN * (i % SECTORS)) / SECTORS;
        return [radius * cos(angle), 0, radius * sin(angle)];
      });
      if (inner) builder.grid([inner, ring], look, () => [0, -1, 0]);
      else for (let i = 0; i < SECTORS; i++) builder.polygon([centre, ring[i], ring[i + 1]], look, [0, -1, 0]);
      inner = ring;
    }
  };
}
