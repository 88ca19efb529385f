import type { Draw } from '../aerial/draw.js';
import { Noise, ramp } from '../aerial/noise.js';
import { type Colour, lit, mix } from '../aerial/painter.js';
import type { SpriteImage } from '../assetLibrary.js';
import { surface } from './surfaces.js';

/** Asphalt by age: colour in the sun, strength of stains and number of patches and cracks on a tile. */
export interface Asphalt {
  readonly colour: Colour;
  readonly stains: number;
  readonly patches: number;
  readonly cracks: number;
  /** Covers of shafts on a tile, and how much darker tyres made the two tracks of each lane. */
  readonly covers?: number;
  readonly tracks?: number;
}

export const ASPHALTS = {
  road: { colour: [104, 104, 103], stains: 0.26, patches: 3, cracks: 5, covers: 1, tracks: 0.1 },
  'road-dark': { colour: [76, 78, 82], stains: 0.2, patches: 1, cracks: 2, covers: 1, tracks: 0.06 },
  'road-old': { colour: [128, 125, 120], stains: 0.34, patches: 6, cracks: 12, covers: 2, tracks: 0.12 },
} as const satisfies Record<string, Asphalt>;

/**
 * Asphalt: grain, stains, streaks and tyre tracks along v, patches with sealed seams, cracks, covers of shafts, dirt at both
 * edges. Repeats without a seam along v.
 */
export function drawAsphalt(draw: Draw, asphalt: Asphalt, size = 512): SpriteImage {
  const { colour, stains, patches, cracks, covers = 0, tracks = 0 } = asphalt;
  const grain = new Noise(draw.stream, 2, size / 2);
  const broad = new Noise(draw.stream, 64, size / 64);
  const middle = new Noise(draw.stream, 16, size / 16);
  const streaks = new Noise(draw.stream, 32, size / 32, size / 32);
  const rectangles = Array.from({ length: patches }, () => ({
    x: draw.between(0.02, 0.7) * size,
    y: draw.between(0.05, 0.6) * size,
    width: draw.between(0.08, 0.34) * size,
    height: draw.between(0.06, 0.36) * size,
    light: draw.pick([0.68, 0.78, 0.86, 1.14]),
  }));
  const lines = Array.from({ length: cracks }, (_, i) => ({
    along: i % 3 !== 0,
    at: draw.between(0.05, 0.95) * size,
    from: draw.between(0, 0.6) * size,
    to: draw.between(0.65, 1) * size,
    wander: new Noise(draw.stream, 16, size / 16, 1),
    wide: draw.between(0.8, 2.2),
    dark: draw.between(0.2, 0.5),
  }));
  const discs = Array.from({ length: covers }, () => ({
    x: draw.between(0.1, 0.9) * size,
    y: draw.between(0.1, 0.9) * size,
    radius: 0.03 * size,
  }));
  return surface(size, size, (x, y) => {
    let light =
      1 +
      0.34 * (grain.at(x, y) - 0.5) +
      stains * (0.6 * (broad.at(x, y) - 0.5) + 0.5 * (middle.at(x, y) - 0.5)) +
      0.8 * stains * (streaks.at(x, y / 8) - 0.5) -
      tracks * trackAt(x / size);
    if (tracks > 0) light *= 1 - 0.35 * ramp(Math.abs(x / size - 0.5) + 0.06 * (middle.at(y, x) - 0.5), 0.465, 0.5);
    for (const { x: left, y: top, width, height, light: own } of rectangles) {
      const inside = Math.min(x - left, left + width - x, y - top, top + height - y);
      if (inside > 0) light *= inside < 1.6 ? 0.55 : own;
    }
    for (const crack of lines) {
      const [p, q] = crack.along ? [y, x] : [x, y];
      if (p < crack.from || p > crack.to) continue;
      const off = Math.abs(q - crack.at - 22 * (crack.wander.at(p, 0.5) - 0.5));
      light *= 1 - crack.dark * (1 - ramp(off, crack.wide, crack.wide + 1.4));
    }
    for (const disc of discs) {
      const far = Math.sqrt((x - disc.x) ** 2 + (y - disc.y) ** 2) / disc.radius;
      if (far < 1) light *= far > 0.86 ? 0.5 : 0.72 + 0.1 * ((Math.floor(x / 3) + Math.floor(y / 3)) % 2);
    }
    return lit(colour, light);
  });
}

/** 1 where tyres run in the two lanes of a road that is 1 wide, 0 beside. */
function trackAt(u: number): number {
  const lane = 2 * u - Math.floor(2 * u);
  const off = Math.min(Math.abs(lane - 0.27), Math.abs(lane - 0.73));
  return 1 - ramp(off, 0.06, 0.15);
}

/** Road paint, worn: the asphalt shows through in places. */
export function drawPaint(draw: Draw, asphalt: Colour): SpriteImage {
  const size = 128;
  const fine = new Noise(draw.stream, 2, size / 2);
  const broad = new Noise(draw.stream, 16, size / 16);
  return surface(size, size, (x, y) => {
    const wear = ramp(0.55 * fine.at(x, y) + 0.45 * broad.at(x, y), 0.6, 0.78);
    return mix(lit([226, 226, 221], 0.95 + 0.08 * fine.at(y, x)), asphalt, 0.65 * wear);
  });
}

/** How paving is laid: stones across and along a tile, the offset of every other row, and colours. */
export interface Paving {
  readonly columns: number;
  readonly rows: number;
  readonly offset: number;
  readonly joint: number;
  readonly colours: readonly Colour[];
}

export const PAVINGS = {
  sidewalk: {
    columns: 8,
    rows: 8,
    offset: 0,
    joint: 0.8,
    colours: [
      [150, 146, 140],
      [142, 139, 134],
      [156, 152, 144],
    ],
  },
  'sidewalk-pavers': {
    columns: 12,
    rows: 24,
    offset: 0.5,
    joint: 0.7,
    colours: [
      [138, 122, 114],
      [146, 130, 120],
      [130, 118, 112],
    ],
  },
  'sidewalk-old': {
    columns: 5,
    rows: 5,
    offset: 0.5,
    joint: 1.1,
    colours: [
      [136, 133, 124],
      [122, 120, 113],
      [148, 143, 132],
    ],
  },
} as const satisfies Record<string, Paving>;

/** Slabs or pavers with dark joints. Repeats without a seam. */
export function drawPaving(draw: Draw, { columns, rows, offset, joint, colours }: Paving): SpriteImage {
  const size = 256;
  const grain = new Noise(draw.stream, 2, size / 2);
  const broad = new Noise(draw.stream, 32, size / 32);
  const stones = Array.from({ length: columns * rows }, () => lit(draw.pick<Colour>(colours), draw.between(0.82, 1.1)));
  return surface(size, size, (x, y) => {
    const row = Math.floor((y / size) * rows);
    const along = (x / size) * columns + (row % 2) * offset;
    const column = Math.floor(along) % columns;
    const edge = Math.min(
      (along - Math.floor(along)) * (size / columns),
      (Math.ceil(along) - along) * (size / columns),
      y - (row * size) / rows,
      ((row + 1) * size) / rows - y,
    );
    const light = 0.94 + 0.1 * (grain.at(x, y) - 0.5) + 0.16 * (broad.at(x, y) - 0.5);
    return lit(stones[row * columns + column], light * (0.5 + 0.56 * ramp(edge, 0, joint * 1.6)));
  });
}

/** Shades of a surface from light to dark in patches. */
export interface Soil {
  readonly base: Colour;
  readonly light: Colour;
  readonly dark: Colour;
  readonly grain: number;
}

export const SOILS = {
  grass: { base: [78, 92, 48], light: [112, 116, 64], dark: [46, 60, 32], grain: 0.8 },
  meadow: { base: [104, 104, 64], light: [140, 132, 84], dark: [66, 74, 44], grain: 0.8 },
  dirt: { base: [132, 116, 94], light: [152, 138, 114], dark: [92, 80, 64], grain: 0.5 },
} as const satisfies Record<string, Soil>;

/** Grass or earth: patches, clumps, blades. Repeats without a seam. */
export function drawSoil(draw: Draw, { base, light, dark, grain }: Soil): SpriteImage {
  const size = 256;
  const patches = new Noise(draw.stream, 64, size / 64);
  const clumps = new Noise(draw.stream, 16, size / 16);
  const tufts = new Noise(draw.stream, 5.12, 50);
  const blades = new Noise(draw.stream, 2, size / 2);
  return surface(size, size, (x, y) => {
    const broad = 0.45 * patches.at(x, y) + 0.55 * clumps.at(x, y);
    const colour = mix(mix(base, dark, ramp(0.5 - broad, 0, 0.35)), light, ramp(broad - 0.5, 0, 0.35));
    return lit(colour, 1 + grain * (0.55 * (tufts.at(x, y) - 0.5) + 0.45 * (blades.at(x, y) - 0.5)));
  });
}

/** Track of a tramway: rails and sleepers on gravel; u across it, one sleeper on a tile. */
export function drawTrack(draw: Draw): SpriteImage {
  const size = 128;
  const stones = new Noise(draw.stream, 4, size / 4);
  const broad = new Noise(draw.stream, 32, size / 32);
  return surface(size, size, (x, y) => {
    const off = Math.abs(x / size - 0.5);
    // Gauge 1.435 m on a bed of 3 m.
    const rail = Math.abs(off - 0.245);
    if (rail < 0.014) return lit([172, 170, 166], 0.9 + 0.2 * broad.at(x, y));
    if (rail < 0.03) return [58, 46, 38];
    const gravel = lit([112, 100, 88], 0.35 + 1.1 * stones.at(x, y) + 0.2 * (broad.at(x, y) - 0.5));
    return off < 0.42 && y < 0.4 * size ? lit([96, 86, 76], 0.8 + 0.4 * stones.at(x, y)) : gravel;
  });
}

/** Planks side by side, upright on a strip: u from the top to the ground, v along it. */
export function drawPlanks(draw: Draw, planks: number, colour: Colour): SpriteImage {
  const size = 128;
  const grain = new Noise(draw.stream, 4, size / 4);
  const tones = Array.from({ length: planks }, () => draw.between(0.75, 1.15));
  return surface(size, size, (x, y) => {
    const along = (y / size) * planks;
    const plank = Math.floor(along) % planks;
    const gap = Math.min(along - Math.floor(along), Math.ceil(along) - along);
    return lit(colour, gap < 0.1 ? 0.25 : tones[plank] * (0.85 + 0.3 * grain.at(x / 6, y)));
  });
}

/** Columns of the texture of a kerb and what lies behind it: stone, then the filling. */
export const STONE_SHARE = 0.25;

/** Kerb stones in the left quarter, each as long as the tile; `filling` repeats in the rest. */
export function drawKerb(draw: Draw, filling?: SpriteImage): SpriteImage {
  const size = 256;
  const grain = new Noise(draw.stream, 2, size / 2);
  const broad = new Noise(draw.stream, 32, size / 32);
  return surface(size, size, (x, y) => {
    if (filling && x > STONE_SHARE * size) {
      const at = (Math.floor(y) * filling.width + (Math.floor(x) % filling.width)) * 4;
      return [filling.pixels[at], filling.pixels[at + 1], filling.pixels[at + 2]];
    }
    const joint = ramp(Math.min(y, size - y), 0.5, 3);
    return lit([158, 155, 148], (0.9 + 0.14 * grain.at(x, y) + 0.12 * (broad.at(x, y) - 0.5)) * (0.6 + 0.4 * joint));
  });
}

/** Rendered or concrete wall: rain streaks, a coping above, splashes below. u = 0 is the top, u = 1 the ground. */
export function drawWall(draw: Draw, colour: Colour): SpriteImage {
  const size = 256;
  const grain = new Noise(draw.stream, 2, size / 2);
  const broad = new Noise(draw.stream, 32, size / 32);
  const streaks = new Noise(draw.stream, 8, size / 8, size / 32);
  return surface(size, size, (y, x) => {
    const foot = 1 - 0.22 * ramp(y, 0.8 * size, size);
    const coping = y < 12 ? 1.06 : y < 16 ? 0.72 : 1;
    const dirt =
      0.94 + 0.08 * (grain.at(x, y) - 0.5) + 0.12 * (broad.at(x, y) - 0.5) + 0.12 * (streaks.at(x, y / 4) - 0.5);
    return lit(colour, dirt * foot * coping);
  });
}
