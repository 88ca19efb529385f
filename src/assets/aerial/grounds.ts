import type { SpriteImage } from '../assetLibrary.js';
import type { Draw } from './draw.js';
import { Noise, ramp } from './noise.js';
import { type Colour, lit, mix, Painter } from './painter.js';
import { box, line, type Point, type Shape } from './shapes.js';

/** Side of a meadow, units: that of the canvas. Its noise repeats, so tiles fit together. */
export const GRASS_SIZE = 128;
/** Size of a road's sprite, units: long enough to cross the canvas in any direction from any point of it. */
export const ROAD_WIDTH = 384;
export const ROAD_HEIGHT = 44;
/** Half the width of what counts as road, units: two lanes with their shoulders. */
export const ROAD_HALF = 18.5;
/** Middle of a lane, from the middle of the road, units. */
export const LANE = 8;

const MEADOWS: readonly (readonly [Colour, Colour, Colour])[] = [
  [
    [84, 118, 58],
    [106, 138, 70],
    [70, 100, 50],
  ],
  [
    [98, 124, 62],
    [126, 142, 78],
    [80, 104, 54],
  ],
  [
    [70, 112, 60],
    [92, 132, 74],
    [56, 94, 52],
  ],
  [
    [116, 128, 70],
    [140, 144, 86],
    [94, 108, 60],
  ],
  [
    [88, 126, 52],
    [112, 148, 62],
    [72, 106, 46],
  ],
  [
    [104, 116, 66],
    [130, 132, 84],
    [86, 100, 58],
  ],
  [
    [78, 106, 62],
    [98, 122, 76],
    [64, 90, 54],
  ],
];

/** A meadow: mottled, with tufts. */
export function drawGrass(draw: Draw, index: number, pixelsPerUnit: number): SpriteImage {
  const side = Math.round(GRASS_SIZE * pixelsPerUnit);
  const painter = new Painter(side, side, pixelsPerUnit);
  const [base, light, dark] = MEADOWS[index % MEADOWS.length];
  const fields = new Noise(draw.stream, 32, 4);
  const patches = new Noise(draw.stream, 8, 16);
  const clumps = new Noise(draw.stream, 2, 64);
  const blades = new Noise(draw.stream, 1, 128);
  painter.fill(everywhere(GRASS_SIZE, GRASS_SIZE), (x, y) => {
    const broad = 0.6 * fields.at(x, y) + 0.4 * patches.at(x, y);
    const colour = mix(mix(base, dark, ramp(0.5 - broad, 0, 0.35)), light, ramp(broad - 0.5, 0, 0.35));
    return lit(colour, 0.82 + 0.2 * clumps.at(x, y) + 0.2 * blades.at(x, y));
  });
  return painter.image();
}

/** Styles of roads by age. */
interface Asphalt {
  readonly colour: Colour;
  readonly paint: number;
  readonly centre: Colour;
  readonly cracks: number;
  readonly patches: number;
  readonly grain: number;
}

const WHITE: Colour = [232, 232, 226];
const YELLOW: Colour = [226, 178, 62];
const ASPHALTS: readonly Asphalt[] = [
  { colour: [74, 76, 80], paint: 0.95, centre: WHITE, cracks: 0, patches: 0, grain: 0.16 },
  { colour: [104, 105, 106], paint: 0.8, centre: WHITE, cracks: 5, patches: 1, grain: 0.2 },
  { colour: [134, 131, 126], paint: 0.62, centre: WHITE, cracks: 16, patches: 4, grain: 0.24 },
  { colour: [92, 92, 96], paint: 0.9, centre: YELLOW, cracks: 3, patches: 0, grain: 0.18 },
];

/** A straight two-lane road to the right: grain, wheel tracks, edge lines, dashes, cracks and patches by age. */
export function drawRoad(draw: Draw, index: number, pixelsPerUnit: number): SpriteImage {
  const painter = new Painter(
    Math.round(ROAD_WIDTH * pixelsPerUnit),
    Math.round(ROAD_HEIGHT * pixelsPerUnit),
    pixelsPerUnit,
  );
  const style = ASPHALTS[index % ASPHALTS.length];
  const tone = index < ASPHALTS.length ? 1 : draw.between(0.9, 1.1);
  const grain = new Noise(draw.stream, 0.7, 560, 80);
  const stains = new Noise(draw.stream, 7, 60, 12);
  const rim = new Noise(draw.stream, 1.6, 250, 40);
  const half = ROAD_WIDTH / 2 - 2;
  const strip = box(0, 0, half, ROAD_HALF);
  const gravel: Colour = [146, 134, 108];
  const ragged: Shape = { ...strip, distance: (x, y) => strip.distance(x, y) + 1.6 * (rim.at(x, y) - 0.5) };
  painter.fill(ragged, (x, y) => lit(gravel, 0.8 + 0.4 * grain.at(x, y)));
  painter.fill(box(0, 0, half, ROAD_HALF - 1.4), (x, y) =>
    lit(style.colour, tone * asphaltLight(style, grain, stains, x, y)),
  );
  for (let i = 0; i < style.patches; i++) {
    const patch = box(draw.between(-half, half), draw.between(-10, 10), draw.between(5, 12), draw.between(3, 6), 0.6);
    painter.fill(patch, (x, y) => lit(style.colour, 0.7 * tone * asphaltLight(style, grain, stains, x, y)), {
      alpha: 0.8,
    });
  }
  for (let i = 0; i < style.cracks; i++) drawCrack(painter, draw, half);
  const worn = (x: number, y: number): Colour =>
    mix(style.colour, WHITE, style.paint * (0.75 + 0.25 * stains.at(x, y)));
  for (const side of [-1, 1]) painter.fill(box(0, side * (ROAD_HALF - 2.7), half, 0.5), worn);
  const period = 16;
  for (let x = -half + 4; x + 8 < half; x += period) {
    painter.fill(box(x + 4, 0, 4, 0.55, 0.1), (px, py) =>
      mix(style.colour, style.centre, style.paint * (0.75 + 0.25 * stains.at(px, py))),
    );
  }
  return painter.image();
}

/** Grain, stains, and the tracks that wheels polish. */
function asphaltLight({ grain: strength }: Asphalt, grain: Noise, stains: Noise, x: number, y: number): number {
  const fromLane = Math.abs(Math.abs(y) - LANE);
  const track = ramp(2 - Math.abs(fromLane - 4), 0, 2);
  return 0.94 + strength * (grain.at(x, y) - 0.5) + 0.16 * (stains.at(x, y) - 0.5) + 0.07 * track;
}

/** A thin broken line that wanders along the road. */
function drawCrack(painter: Painter, draw: Draw, half: number): void {
  let at: Point = [draw.between(-half, half), draw.between(-14, 14)];
  const lengthwise = draw.chance(0.5);
  for (let step = 0; step < 7; step++) {
    const go = draw.between(1.5, 4);
    const stray = draw.between(-1.6, 1.6);
    const y = Math.min(15.4, Math.max(-15.4, at[1] + (lengthwise ? stray : go)));
    const next: Point = [Math.min(half, at[0] + (lengthwise ? go : stray)), y];
    painter.fill(line(at, next, 0.18), [44, 42, 40], { alpha: 0.6 });
    at = next;
  }
}

function everywhere(width: number, height: number): Shape {
  return { distance: () => -width, bounds: [-width / 2, -height / 2, width / 2, height / 2] };
}
