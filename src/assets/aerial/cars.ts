import type { SpriteImage } from '../assetLibrary.js';
import type { Draw } from './draw.js';
import { type Colour, lit, mix, Painter } from './painter.js';
import { box, disc, grown, intersection, line, mirrored, type Point, type Shape, union } from './shapes.js';

/** Size of a car's sprite, units; shadow and some empty border included. */
export const CAR_WIDTH = 40;
export const CAR_HEIGHT = 24;

/** Places along a car, as shares of half its length: +1 is the front bumper, −1 the rear. */
interface BodyPlan {
  readonly length: readonly [number, number];
  readonly width: readonly [number, number];
  /** How much narrower front and rear are than the middle, share. */
  readonly taper: readonly [front: number, rear: number];
  /** Glass begins, roof begins, roof ends, glass ends. */
  readonly cabin: readonly [windscreen: number, roofFront: number, roofRear: number, rearWindow: number];
  /** Half widths of the roof as a share of the body's. */
  readonly roof: number;
  readonly bed?: boolean;
  readonly rails?: boolean;
  readonly sign?: boolean;
}

const SEDAN: BodyPlan = {
  length: [25.5, 27.5],
  width: [12, 12.8],
  taper: [0.2, 0.14],
  cabin: [0.36, 0.1, -0.42, -0.66],
  roof: 0.66,
};
const PLANS: readonly (readonly [number, BodyPlan])[] = [
  [28, SEDAN],
  [
    20,
    {
      ...SEDAN,
      length: [22.5, 24.5],
      width: [11.8, 12.6],
      taper: [0.2, 0.08],
      cabin: [0.42, 0.16, -0.74, -0.92],
      roof: 0.72,
    },
  ],
  [14, { ...SEDAN, length: [26.5, 28.5], taper: [0.2, 0.07], cabin: [0.38, 0.14, -0.8, -0.94], rails: true }],
  [
    12,
    {
      ...SEDAN,
      length: [25.5, 27.5],
      width: [13, 13.8],
      taper: [0.13, 0.06],
      cabin: [0.4, 0.2, -0.78, -0.92],
      roof: 0.76,
      rails: true,
    },
  ],
  [
    9,
    {
      ...SEDAN,
      length: [25, 27],
      width: [12.2, 13],
      taper: [0.28, 0.2],
      cabin: [0.2, -0.06, -0.38, -0.72],
      roof: 0.66,
    },
  ],
  [
    7,
    { ...SEDAN, length: [28, 30], width: [13.2, 14], taper: [0.12, 0.03], cabin: [0.72, 0.5, -0.98, -1], roof: 0.84 },
  ],
  [
    6,
    {
      ...SEDAN,
      length: [28, 30],
      width: [13, 13.8],
      taper: [0.12, 0.04],
      cabin: [0.44, 0.22, -0.08, -0.18],
      roof: 0.76,
      bed: true,
    },
  ],
  [4, { ...SEDAN, sign: true }],
];

const PAINTS: readonly (readonly [number, Colour])[] = [
  [16, [222, 224, 224]],
  [12, [172, 178, 186]],
  [12, [118, 124, 132]],
  [10, [44, 46, 52]],
  [12, [186, 36, 36]],
  [12, [36, 74, 158]],
  [5, [72, 136, 200]],
  [4, [26, 84, 60]],
  [4, [196, 182, 150]],
  [4, [110, 70, 48]],
  [4, [226, 116, 32]],
  [4, [238, 200, 48]],
  [3, [112, 34, 64]],
  [3, [92, 160, 96]],
];
interface Paints {
  readonly paint: Colour;
  readonly roof: Colour;
}

const TAXI: Colour = [250, 196, 20];
const GLASS: Colour = [26, 33, 42];
const RUBBER: Colour = [24, 24, 26];

/** A car from straight above, heading to the right. */
export function drawCar(draw: Draw, pixelsPerUnit: number): SpriteImage {
  const plan = draw.weighted(PLANS);
  const paint = plan.sign ? TAXI : shifted(draw.weighted(PAINTS), draw);
  // Some roofs are painted black, some in the light colour of a fleet.
  const roof = plan.sign
    ? paint
    : draw.weighted([
        [86, paint],
        [9, [36, 38, 42]],
        [5, [218, 220, 220]],
      ] as const);
  const a = draw.between(...plan.length) / 2;
  const b = draw.between(...plan.width) / 2;
  const body = outline(plan, a, b);
  const painter = new Painter(
    Math.round(CAR_WIDTH * pixelsPerUnit),
    Math.round(CAR_HEIGHT * pixelsPerUnit),
    pixelsPerUnit,
  );
  // Below ½ everywhere, so that labels end with the body; centred, as the sun does not turn with the car.
  painter.fill(grown(body, 0.9), [10, 12, 14], { alpha: 0.42, softness: 3.2 });
  const mirror = plan.cabin[0] * a - 0.8;
  for (const side of [-1, 1]) {
    painter.fill(box(mirror, side * (b + 0.35), 0.7, 0.8, 0.45), lit(paint, 0.7));
  }
  painter.fill(body, (x, y) => lit(paint, bodyLight(x / a, y / b)));
  painter.fill(edge(body, 0.45), lit(paint, 0.55), { alpha: 0.55 });
  drawPanels(painter, plan, a, b, body, paint);
  if (!plan.bed && !plan.sign && draw.chance(0.05)) drawStripes(painter, a, b, body, paint);
  drawCabin(painter, plan, a, b, { paint, roof }, draw);
  drawLights(painter, a, b, body);
  return painter.image();
}

/** A colour of its own: brighter or darker, warmer or colder. */
function shifted([red, green, blue]: Colour, draw: Draw): Colour {
  const tone = draw.between(0.86, 1.1);
  const warmth = draw.between(-0.07, 0.07);
  return lit([red * (1 + warmth), green, blue * (1 - warmth)], tone);
}

/** The body's outline: straight flanks, tapered and rounded ends. */
function outline({ taper: [front, rear] }: BodyPlan, a: number, b: number): Shape {
  const rounding = 1.3;
  const at = (x: number, y: number): Point => [x * (a - rounding), y * (b - rounding)];
  return mirrored(
    [
      at(1, 0.35),
      at(0.985, 0.8 - front),
      at(0.88, 1 - front * 0.4),
      at(0.6, 1),
      at(-0.7, 1),
      at(-0.92, 1 - rear * 0.5),
      at(-1, 0.9 - rear),
      at(-1, 0.4),
    ],
    rounding,
  );
}

/** The inner rim of a shape. */
function edge(shape: Shape, width: number): Shape {
  return { distance: (x, y) => Math.abs(shape.distance(x, y) + width) - width, bounds: shape.bounds };
}

/** Curved metal under the sky: bright along the middle, dark at the flanks and a little at the ends. */
function bodyLight(u: number, v: number): number {
  return 1.06 - 0.3 * v * v * v * v - 0.1 * u * u * u * u + 0.05 * u;
}

/** Creases of bonnet and boot, a grille, a load bed. */
function drawPanels(painter: Painter, plan: BodyPlan, a: number, b: number, body: Shape, paint: Colour): void {
  const [glass, , , rear] = plan.cabin;
  const dark = lit(paint, 0.5);
  const inner = grown(body, -0.7);
  const bonnet = glass * a;
  if (glass < 0.6) {
    for (const side of [-1, 1]) {
      const crease = line([a * 0.93, side * b * 0.42], [bonnet, side * b * 0.62], 0.22);
      painter.fill(intersection(crease, inner), dark, { alpha: 0.55 });
    }
    painter.fill(
      intersection(box((a * 0.9 + bonnet) / 2, 0, (a * 0.9 - bonnet) / 2, b * 0.22, 1), inner),
      [255, 255, 255],
      {
        alpha: 0.14,
        softness: 1.4,
      },
    );
  }
  painter.fill(intersection(box(a * 0.965, 0, 0.5, b * 0.42, 0.3), body), RUBBER, { alpha: 0.8 });
  if (plan.bed) {
    const from = rear * a - 0.9;
    const to = -a * 0.93;
    painter.fill(box((from + to) / 2, 0, (from - to) / 2, b * 0.78, 0.5), lit(mix(paint, RUBBER, 0.75), 0.9));
    for (const y of [-0.5, -0.17, 0.17, 0.5]) {
      painter.fill(line([from - 0.8, y * b], [to + 0.8, y * b], 0.14), RUBBER, { alpha: 0.6 });
    }
  } else if (rear > -0.85) {
    const seam = rear * a - 0.8;
    painter.fill(intersection(box(seam, 0, 0.22, b * 0.74, 0.1), inner), dark, { alpha: 0.6 });
  }
}

/** Two stripes from end to end, under the cabin. */
function drawStripes(painter: Painter, a: number, b: number, body: Shape, paint: Colour): void {
  const light = paint[0] + paint[1] + paint[2] > 380;
  for (const side of [-1, 1]) {
    const stripe = intersection(box(0, side * b * 0.2, a, b * 0.11), grown(body, -0.4));
    painter.fill(stripe, light ? [40, 42, 48] : [232, 232, 228], { alpha: 0.9 });
  }
}

/** Dark glass all round with pillars, and the roof above it. */
function drawCabin(
  painter: Painter,
  plan: BodyPlan,
  a: number,
  b: number,
  { paint, roof: roofPaint }: Paints,
  draw: Draw,
): void {
  const [windscreen, roofFront, roofRear, rear] = plan.cabin.map((place) => place * a);
  const wide = b * 0.88;
  const roofHalf = b * plan.roof;
  const glass = mirrored(
    [
      [windscreen, wide * 0.62],
      [windscreen - 1.5, wide * 0.88],
      [roofFront - 1, wide * 0.97],
      [roofRear + 1, wide * 0.95],
      [rear, wide * 0.72],
    ],
    0.5,
  );
  const tint = draw.between(0.85, 1.25);
  // The sky mirrors in the windscreen more than in the side windows.
  painter.fill(glass, (x) => lit(mix(GLASS, [120, 150, 176], x > roofFront ? 0.32 : x < roofRear ? 0.18 : 0.05), tint));
  const gleam = line([windscreen - 0.6, -wide * 0.55], [roofFront + 0.4, -wide * 0.1], 0.5);
  painter.fill(intersection(gleam, glass), [225, 238, 248], { alpha: 0.45, softness: 0.6 });
  const pillar = lit(paint, 0.82);
  for (const side of [-1, 1]) {
    painter.fill(line([roofFront, side * roofHalf], [windscreen - 0.6, side * wide * 0.93], 0.36), pillar);
    painter.fill(line([roofRear, side * roofHalf], [rear + 0.3, side * wide * 0.86], 0.42), pillar);
    const middle = (roofFront + roofRear) / 2 - 0.4;
    painter.fill(line([middle, side * roofHalf], [middle, side * wide * 1.02], 0.3), pillar);
  }
  const roof = box((roofFront + roofRear) / 2, 0, (roofFront - roofRear) / 2, roofHalf, 1.1);
  painter.fill(grown(roof, 0.25), [0, 0, 0], { alpha: 0.35, softness: 0.8 });
  painter.fill(roof, (x, y) => lit(roofPaint, 1.12 - 0.2 * (y / roofHalf) * (y / roofHalf) + (0.04 * x) / a));
  if (plan.rails && draw.chance(0.7)) {
    for (const side of [-1, 1]) {
      const y = side * roofHalf * 0.82;
      painter.fill(line([roofFront - 1.2, y], [roofRear + 1.2, y], 0.24), RUBBER, { alpha: 0.75 });
    }
  } else if (!plan.sign && draw.chance(0.3)) {
    const middle = (roofFront + roofRear) / 2 + 1.4;
    painter.fill(box(middle, 0, 1.7, roofHalf * 0.6, 0.5), GLASS, { alpha: 0.85 });
  }
  if (plan.sign) {
    const middle = (roofFront + roofRear) / 2;
    painter.fill(box(middle, 0, 0.9, 2.3, 0.3), [250, 250, 244]);
    painter.fill(box(middle, 0, 0.3, 1.7, 0.1), [30, 30, 30]);
  }
}

/** Pale headlights in front, red lights behind. */
function drawLights(painter: Painter, a: number, b: number, body: Shape): void {
  for (const side of [-1, 1]) {
    const front = union(disc(a * 0.9, side * b * 0.66, 1.05), disc(a * 0.82, side * b * 0.76, 0.8));
    painter.fill(intersection(front, grown(body, -0.15)), [252, 248, 226], { alpha: 0.95 });
    const rear = box(-a * 0.955, side * b * 0.62, 0.75, b * 0.2, 0.3);
    painter.fill(intersection(rear, grown(body, -0.1)), [204, 22, 26], { alpha: 0.95 });
  }
}
