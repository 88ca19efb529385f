import type { SpriteImage } from '../assetLibrary.js';
import type { Draw } from './draw.js';
import { Noise } from './noise.js';
import { type Colour, lit, Painter } from './painter.js';
import { box, grown, moved, type Shape, union } from './shapes.js';

/** Size of a house's sprite, units. */
export const HOUSE_WIDTH = 52;
export const HOUSE_HEIGHT = 46;

const TILES: readonly (readonly [number, Colour])[] = [
  [6, [166, 82, 58]],
  [4, [142, 62, 48]],
  [4, [112, 104, 102]],
  [3, [84, 88, 98]],
  [3, [150, 112, 80]],
  [2, [188, 116, 76]],
];

/** A block of a house under a roof of its own. */
interface Wing {
  readonly x: number;
  readonly y: number;
  readonly rx: number;
  readonly ry: number;
  /** Slopes at the short ends too. */
  readonly hip: boolean;
}

/** Height above the eaves at a point of a roof, and which way the slope there falls. */
interface RoofPoint {
  readonly height: number;
  readonly face: 0 | 1 | 2 | 3;
  /** Distance from the nearest ridge or hip line. */
  readonly ridge: number;
}

/** Light on slopes that fall to the right, down, left and up: the sun stands in the upper left. */
const FACE_LIGHT = [0.82, 0.7, 1.06, 1.2] as const;

/** A house from straight above: slopes, tiles, ridges, chimney. */
export function drawHouse(draw: Draw, pixelsPerUnit: number): SpriteImage {
  const painter = new Painter(
    Math.round(HOUSE_WIDTH * pixelsPerUnit),
    Math.round(HOUSE_HEIGHT * pixelsPerUnit),
    pixelsPerUnit,
  );
  const wings = plan(draw);
  const tile = lit(draw.weighted(TILES), draw.between(0.92, 1.1));
  const weather = new Noise(draw.stream, 3, 24);
  const grain = new Noise(draw.stream, 0.8, 80);
  const outline: Shape = union(...wings.map(({ x, y, rx, ry }) => box(x, y, rx, ry)));
  painter.fill(moved(grown(outline, 0.6), 1.2, 1.2), [8, 10, 12], { alpha: 0.45, softness: 3 });
  painter.fill(outline, (x, y) => {
    const { height, face, ridge } = roofAt(wings, x, y);
    const along = face % 2 === 0 ? y : x;
    const row = Math.floor(height / 1.5);
    const inRow = height / 1.5 - row;
    const inColumn = along / 1.9 + (row % 2) * 0.5;
    let light = FACE_LIGHT[face] * (0.9 + 0.24 * (weather.at(x, y) - 0.5) + 0.12 * (grain.at(x, y) - 0.5));
    if (inRow < 0.25) light *= 0.84;
    if (inColumn - Math.floor(inColumn) < 0.14) light *= 0.93;
    if (height < 0.7) light *= 0.72;
    if (ridge < 0.55) light = light * 0.4 + 0.72;
    return lit(tile, light);
  });
  drawChimney(painter, wings[0], draw);
  return painter.image();
}

/** One block, or an L of two; the middle of both together is the origin. */
function plan(draw: Draw): Wing[] {
  const rx = draw.between(15, 19);
  const ry = draw.between(10.5, 13);
  const hip = draw.chance(0.5);
  if (!draw.chance(0.45)) return [{ x: 0, y: 0, rx, ry, hip }];
  const wingRx = draw.between(6.5, 8.5);
  const side = draw.pick([-1, 1]);
  // How far the wing comes out below the main block.
  const reach = draw.between(5, 7);
  const block = { x: 0, y: -reach / 2, rx, ry: ry - 1.5, hip };
  return [block, { x: side * (rx - wingRx), y: 0, rx: wingRx, ry: ry - 1.5 + reach / 2, hip }];
}

/** The highest of the wings' roofs. */
function roofAt(wings: readonly Wing[], x: number, y: number): RoofPoint {
  let best: RoofPoint = { height: -1, face: 0, ridge: 1e3 };
  for (const wing of wings) {
    const point = wingRoof(wing, x - wing.x, y - wing.y);
    if (point.height > best.height) best = { ...point, ridge: Math.min(point.ridge, valley(best, point)) };
  }
  return best;
}

/** Distance from the line where two roofs meet. */
function valley(a: RoofPoint, b: RoofPoint): number {
  return a.height < 0 ? 1e3 : (b.height - a.height) / 1.4 + 0.3;
}

/** All slopes rise alike, so height is the distance from the eaves below. */
function wingRoof({ rx, ry, hip }: Wing, x: number, y: number): RoofPoint {
  const across = rx - Math.abs(x);
  const down = ry - Math.abs(y);
  if (across < 0 || down < 0) return { height: -1, face: 0, ridge: 1e3 };
  const faceX = x > 0 ? 0 : 2;
  const faceY = y > 0 ? 1 : 3;
  if (rx >= ry) {
    const height = hip ? Math.min(across, down) : down;
    const toHip = hip ? Math.abs(across - down) / Math.SQRT2 : 1e3;
    const toRidge = Math.abs(y) < 2 && (!hip || across > down) ? Math.abs(y) : 1e3;
    return { height, face: hip && across < down ? faceX : faceY, ridge: Math.min(toHip, toRidge) };
  }
  const height = hip ? Math.min(across, down) : across;
  const toHip = hip ? Math.abs(across - down) / Math.SQRT2 : 1e3;
  const toRidge = Math.abs(x) < 2 && (!hip || down > across) ? Math.abs(x) : 1e3;
  return { height, face: hip && down < across ? faceY : faceX, ridge: Math.min(toHip, toRidge) };
}

function drawChimney(painter: Painter, wing: Wing, draw: Draw): void {
  const x = wing.x + draw.between(-0.45, 0.45) * wing.rx;
  const y = wing.y + draw.pick([-1, 1]) * draw.between(2.6, 4.5);
  const brick: Colour = [148, 92, 76];
  painter.fill(box(x + 1.3, y + 1.3, 1.9, 1.6, 0.3), [10, 10, 10], { alpha: 0.5, softness: 0.9 });
  painter.fill(box(x, y, 1.8, 1.5, 0.2), brick);
  painter.fill(box(x, y, 1.1, 0.8, 0.2), [34, 28, 26]);
}
