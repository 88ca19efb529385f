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

/** Sides of a roof, and the way a slope there falls: right, down, left, up. */
type Side = 0 | 1 | 2 | 3;

/** A block of a house under a roof of its own. */
interface Wing {
  readonly x: number;
  readonly y: number;
  readonly rx: number;
  readonly ry: number;
  /** Sides with eaves: the roof rises from them alone. */
  readonly eaves: readonly Side[];
}

/** Height above the eaves at a point of a roof, and which way the slope there falls. */
interface RoofPoint {
  readonly height: number;
  readonly face: Side;
  /** Distance from the nearest ridge, hip or valley. */
  readonly ridge: number;
}

const NO_ROOF: RoofPoint = { height: -1, face: 0, ridge: Number.POSITIVE_INFINITY };
const HIP: readonly Side[] = [0, 1, 2, 3];
const GABLE: readonly Side[] = [1, 3];

/** Light on slopes that fall to the right, down, left and up: the sun stands in the upper left. */
const FACE_LIGHT = [0.86, 0.72, 1.06, 1.18] as const;

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
  drawFittings(painter, wings[0], draw);
  drawChimney(painter, wings, draw);
  return painter.image();
}

/** One block, or an L of two; the middle of both together is the origin. */
function plan(draw: Draw): Wing[] {
  const rx = draw.between(15, 19);
  const ry = draw.between(10.5, 13);
  const hip = draw.chance(0.5);
  const eaves = hip ? HIP : GABLE;
  if (!draw.chance(0.45)) return [{ x: 0, y: 0, rx, ry, eaves }];
  const wingRx = draw.between(6.5, 8.5);
  const side = draw.pick([-1, 1]);
  // How far the wing comes out below the main block; it begins below that one's ridge.
  const reach = draw.between(5, 7);
  const depth = ry - 1.5;
  const block: Wing = { x: 0, y: -reach / 2, rx, ry: depth, eaves };
  const wing = { x: side * (rx - wingRx), y: depth / 2, rx: wingRx, ry: (depth + reach) / 2 };
  return [block, { ...wing, eaves: hip ? [0, 1, 2] : [0, 2] }];
}

/** The highest of the wings' roofs. */
function roofAt(wings: readonly Wing[], x: number, y: number): RoofPoint {
  let best = NO_ROOF;
  for (const wing of wings) {
    const point = wingRoof(wing, x - wing.x, y - wing.y);
    // Where two roofs are equally high they meet in a valley, unless one is the other's continuation.
    const apart = best.height < 0 || point.height < 0 || best.face === point.face;
    const valley = apart ? Number.POSITIVE_INFINITY : Math.abs(point.height - best.height) / 2;
    const higher = point.height > best.height ? point : best;
    best = { ...higher, ridge: Math.min(higher.ridge, valley) };
  }
  return best;
}

/** All slopes rise alike, so height is the distance from the nearest eaves. */
function wingRoof({ rx, ry, eaves }: Wing, x: number, y: number): RoofPoint {
  if (Math.abs(x) > rx || Math.abs(y) > ry) return NO_ROOF;
  const distances = [rx - x, ry - y, rx + x, ry + y];
  let face = eaves[0];
  for (const side of eaves) if (distances[side] < distances[face]) face = side;
  let ridge = Number.POSITIVE_INFINITY;
  for (const side of eaves) {
    if (side === face) continue;
    // Opposite slopes meet in a ridge half way between their eaves, neighbours in a hip at 45°.
    const opposite = (side + 2) % 4 === face;
    ridge = Math.min(ridge, (distances[side] - distances[face]) / (opposite ? 2 : Math.SQRT2));
  }
  return { height: distances[face], face, ridge };
}

/** On the lower slope, clear of a wing. */
function drawChimney(painter: Painter, [block, wing]: readonly Wing[], draw: Draw): void {
  const side = wing ? (wing.x > 0 ? -1 : 1) : draw.pick([-1, 1]);
  const x = block.x + side * draw.between(0.1, 0.45) * block.rx;
  const y = block.y + draw.between(2.6, 4.5);
  const brick: Colour = [158, 98, 80];
  painter.fill(box(x + 1.3, y + 1.3, 1.9, 1.6, 0.3), [10, 10, 10], { alpha: 0.5, softness: 0.9 });
  painter.fill(box(x, y, 1.8, 1.5, 0.2), brick);
  painter.fill(box(x, y, 1.1, 0.8, 0.2), [34, 28, 26]);
}

/** Windows in the upper slope, or a field of solar panels, on some houses. */
function drawFittings(painter: Painter, { x, y, rx, ry }: Wing, draw: Draw): void {
  const slope = y - ry * 0.55;
  if (draw.chance(0.22)) {
    const columns = 3 + draw.stream.integer(2);
    for (let i = 0; i < columns; i++) {
      const at = x + (i - (columns - 1) / 2) * 3.6;
      painter.fill(box(at, slope, 1.7, 2.6, 0.1), [30, 42, 74]);
      painter.fill(box(at, slope, 1.7, 0.12), [150, 164, 190], { alpha: 0.7 });
      painter.fill(box(at, slope, 0.12, 2.6), [150, 164, 190], { alpha: 0.7 });
    }
  } else if (draw.chance(0.45)) {
    for (const side of [-1, 1]) {
      const at = x + side * rx * 0.28;
      painter.fill(box(at, slope, 1.3, 1.6, 0.1), [218, 216, 208]);
      painter.fill(box(at, slope, 0.95, 1.25, 0.1), (_, v) => lit([92, 124, 150], 1 + 0.25 * (slope - v)));
    }
  }
}
