import { cosDegrees, sinDegrees } from '../../deterministicMath.js';
import type { SpriteImage } from '../assetLibrary.js';
import type { Draw } from './draw.js';
import { Noise } from './noise.js';
import { type Colour, lit, mix, Painter } from './painter.js';
import { disc, line, moved, type Shape, union } from './shapes.js';

/** Side of a tree's sprite, units. */
export const TREE_SIZE = 40;

const GREENS: readonly (readonly [number, Colour])[] = [
  [8, [58, 104, 44]],
  [6, [44, 88, 50]],
  [5, [84, 122, 46]],
  [3, [36, 76, 58]],
  [2, [116, 128, 48]],
  [1, [168, 116, 44]],
];
const CONIFERS: readonly Colour[] = [
  [42, 82, 60],
  [50, 92, 54],
  [62, 98, 84],
];
/** Where the light comes from. */
const LIGHT_X = -0.6;
const LIGHT_Y = -0.6;

interface Clump {
  readonly x: number;
  readonly y: number;
  readonly radius: number;
  /** 0 at the crown's rim, 1 on top. */
  readonly height: number;
  readonly tone: number;
}

/** A tree from straight above: mostly broad crowns, some conifers. */
export function drawTree(draw: Draw, pixelsPerUnit: number): SpriteImage {
  const side = Math.round(TREE_SIZE * pixelsPerUnit);
  const painter = new Painter(side, side, pixelsPerUnit);
  if (draw.chance(0.8)) drawBroadleaf(painter, draw);
  else drawConifer(painter, draw);
  return painter.image();
}

/** Clumps of leaves, low ones first, lit from the upper left and from above. */
function drawBroadleaf(painter: Painter, draw: Draw): void {
  const green = lit(draw.weighted(GREENS), draw.between(0.9, 1.15));
  const radius = draw.between(10, 13.5);
  const clumps = crown(draw, radius);
  const leaves = new Noise(draw.stream, 0.9, 48);
  const outline: Shape = union(...clumps.map(({ x, y, radius: r }) => disc(x, y, r)));
  painter.fill(moved(outline, 1.1, 1.1), [8, 14, 8], { alpha: 0.42, softness: 3 });
  for (const clump of clumps) {
    const { x: cx, y: cy, radius: r, height, tone } = clump;
    const shape = disc(cx, cy, r);
    const ragged: Shape = { ...shape, distance: (x, y) => shape.distance(x, y) + 1.1 * (leaves.at(x, y) - 0.5) };
    painter.fill(ragged, (x, y) => {
      const facing = ((x - cx) * LIGHT_X + (y - cy) * LIGHT_Y) / r;
      const overall = (cx * LIGHT_X + cy * LIGHT_Y) / radius;
      const light =
        0.62 + 0.34 * height + 0.26 * facing + 0.14 * overall + tone + 0.4 * (leaves.at(x + 31, y - 17) - 0.5);
      return lit(mix(green, [196, 206, 96], Math.max(0, 0.22 * (light - 0.8))), light);
    });
  }
}

/** Whorls of branches, the long low ones first, each whorl lighter than that below. */
function drawConifer(painter: Painter, draw: Draw): void {
  const green = lit(draw.pick(CONIFERS), draw.between(0.9, 1.15));
  const radius = draw.between(9.5, 12.5);
  const needles = new Noise(draw.stream, 0.7, 64);
  painter.fill(disc(0.9, 0.9, radius * 0.86), [8, 14, 8], { alpha: 0.42, softness: 3.4 });
  const whorls = 6;
  for (let whorl = 0; whorl < whorls; whorl++) {
    const share = 1 - whorl / whorls;
    const branches = Math.round(9 + 9 * share);
    const start = draw.between(0, 360);
    for (let i = 0; i < branches; i++) {
      const angle = start + ((i + draw.between(-0.25, 0.25)) * 360) / branches;
      const reach = radius * share * draw.between(0.86, 1.06) - 0.7;
      const [dx, dy] = [cosDegrees(angle), sinDegrees(angle)];
      const tone = draw.between(-0.07, 0.07) + 0.2 * (dx * LIGHT_X + dy * LIGHT_Y);
      painter.fill(line([0, 0], [reach * dx, reach * dy], 0.55 + 0.75 * share), (x, y) => {
        const out = Math.sqrt(x * x + y * y) / radius;
        return lit(
          green,
          0.72 + 0.4 * (1 - share) + 0.3 * (out - 0.8 * share) + tone + 0.36 * (needles.at(x, y) - 0.5),
        );
      });
    }
  }
}

/** Clumps on a spiral of golden angles, jittered, the outer and lower ones first. */
function crown(draw: Draw, radius: number): Clump[] {
  const count = 26 + draw.stream.integer(16);
  const squash = draw.between(0.84, 1);
  const clumps = Array.from({ length: count }, (_, i): Clump => {
    const share = Math.sqrt((i + 0.5) / count);
    const angle = i * 137.50776 + draw.between(-16, 16);
    const distance = share * radius * draw.between(0.66, 0.84);
    return {
      x: distance * cosDegrees(angle),
      y: distance * sinDegrees(angle) * squash,
      radius: radius * draw.between(0.2, 0.3),
      height: 1 - share * share,
      tone: draw.between(-0.09, 0.09),
    };
  });
  return clumps.reverse();
}
