import type { Draw } from '../aerial/draw.js';
import type { Colour } from '../aerial/painter.js';
import { PAINTS } from './palette.js';

export type Range = readonly [low: number, high: number];
/**
 * A point of the outline seen from the side: share of the length behind the front bumper, share of the height, and how far,
 * m, the outline's sides stand behind (in front: +, towards the cabin's middle) its centre, as windscreens are bowed.
 */
export type ProfilePoint = readonly [along: number, height: number, bow?: number];

/** A kind of body. Sizes, m, are those of cars of the 2000s and early 2010s; mirrors are part of the width. */
export interface CarShape {
  readonly length: Range;
  readonly width: Range;
  readonly height: Range;
  readonly wheelRadius: Range;
  /** Lowest line of the body above the road, m. */
  readonly clearance: number;
  /** Axles, share of the length behind the front bumper. */
  readonly axles: readonly [front: number, rear: number];
  /** Outline of bonnet, windscreen, roof, rear window and boot, from front to rear. */
  readonly hood: readonly ProfilePoint[];
  readonly cowl: ProfilePoint;
  readonly roof: readonly ProfilePoint[];
  readonly glassBottom: ProfilePoint;
  readonly deck: readonly ProfilePoint[];
  /** Lower edge of the side windows at front and rear, share of the height. */
  readonly belt: readonly [front: number, rear: number];
  /** Where the last side window ends, share of the length. */
  readonly windowsEnd: number;
  /** Posts between side windows, share of the length. */
  readonly posts: readonly number[];
  /** Edges of the side doors, share of the length. */
  readonly doors: readonly number[];
  /** How far the side windows lean inwards, m a m. */
  readonly lean: number;
  /** Open load bed from … to, share of the length. */
  readonly bed?: Range;
  /** Closed box behind the cab. */
  readonly box?: Range;
  readonly rails?: boolean;
}

const HATCHBACK: CarShape = {
  length: [3.3, 4.1],
  width: [1.58, 1.8],
  height: [1.4, 1.58],
  wheelRadius: [0.285, 0.315],
  clearance: 0.19,
  axles: [0.19, 0.815],
  hood: [
    [0, 0.5],
    [0.04, 0.555],
    [0.14, 0.61],
  ],
  cowl: [0.24, 0.655, 0.14],
  roof: [
    [0.42, 0.955, 0.05],
    [0.55, 1, 0.02],
    [0.74, 0.985],
    [0.9, 0.93, 0.03],
  ],
  glassBottom: [0.985, 0.66, 0.1],
  deck: [[1, 0.6]],
  belt: [0.6, 0.645],
  windowsEnd: 0.865,
  posts: [0.555, 0.735],
  doors: [0.275, 0.555, 0.775],
  lean: 0.32,
};

const SEDAN: CarShape = {
  ...HATCHBACK,
  length: [4.35, 4.9],
  width: [1.76, 1.9],
  height: [1.4, 1.48],
  wheelRadius: [0.305, 0.33],
  clearance: 0.18,
  axles: [0.19, 0.785],
  hood: [
    [0, 0.49],
    [0.03, 0.54],
    [0.13, 0.61],
  ],
  cowl: [0.26, 0.66, 0.16],
  roof: [
    [0.41, 0.95, 0.06],
    [0.53, 1, 0.02],
    [0.68, 0.975, 0.06],
  ],
  glassBottom: [0.845, 0.715, 0.14],
  deck: [
    [0.97, 0.69],
    [1, 0.62],
  ],
  belt: [0.605, 0.655],
  windowsEnd: 0.76,
  posts: [0.535],
  doors: [0.28, 0.535, 0.735],
  lean: 0.36,
};

const SHAPES = {
  hatchback: HATCHBACK,
  sedan: SEDAN,
  estate: {
    ...SEDAN,
    length: [4.4, 4.85],
    height: [1.44, 1.53],
    roof: [
      [0.4, 0.95, 0.06],
      [0.52, 0.995, 0.02],
      [0.72, 1],
      [0.93, 0.95, 0.03],
    ],
    glassBottom: [0.985, 0.675, 0.08],
    deck: [[1, 0.6]],
    belt: [0.6, 0.65],
    windowsEnd: 0.915,
    posts: [0.53, 0.725],
    doors: [0.28, 0.53, 0.735],
    lean: 0.33,
    rails: true,
  },
  suv: {
    ...HATCHBACK,
    length: [4.2, 4.75],
    width: [1.8, 1.94],
    height: [1.64, 1.8],
    wheelRadius: [0.34, 0.375],
    clearance: 0.27,
    axles: [0.19, 0.79],
    hood: [
      [0, 0.54],
      [0.025, 0.59],
      [0.13, 0.635],
    ],
    cowl: [0.265, 0.665, 0.12],
    roof: [
      [0.39, 0.955, 0.05],
      [0.5, 1, 0.02],
      [0.75, 0.995],
      [0.925, 0.95, 0.03],
    ],
    glassBottom: [0.975, 0.68, 0.06],
    deck: [[1, 0.62]],
    belt: [0.625, 0.655],
    windowsEnd: 0.905,
    posts: [0.53, 0.73],
    doors: [0.29, 0.53, 0.74],
    lean: 0.27,
    rails: true,
  },
  mpv: {
    ...HATCHBACK,
    length: [4.1, 4.65],
    width: [1.78, 1.92],
    height: [1.58, 1.7],
    wheelRadius: [0.3, 0.325],
    axles: [0.19, 0.8],
    hood: [
      [0, 0.45],
      [0.035, 0.52],
      [0.12, 0.58],
    ],
    cowl: [0.205, 0.625, 0.14],
    roof: [
      [0.4, 0.96, 0.06],
      [0.52, 1, 0.02],
      [0.75, 0.995],
      [0.92, 0.945, 0.03],
    ],
    glassBottom: [0.985, 0.63, 0.08],
    deck: [[1, 0.57]],
    belt: [0.56, 0.61],
    windowsEnd: 0.905,
    posts: [0.53, 0.725],
    doors: [0.27, 0.53, 0.735],
    lean: 0.3,
    rails: true,
  },
  van: {
    ...HATCHBACK,
    length: [4.5, 6.2],
    width: [1.92, 2.26],
    height: [1.85, 2.6],
    wheelRadius: [0.32, 0.345],
    clearance: 0.21,
    axles: [0.18, 0.8],
    hood: [
      [0, 0.43],
      [0.02, 0.48],
      [0.08, 0.53],
    ],
    cowl: [0.135, 0.565, 0.16],
    roof: [
      [0.27, 0.955, 0.07],
      [0.36, 0.995, 0.02],
      [0.6, 1],
      [0.96, 0.985, 0.02],
    ],
    glassBottom: [0.99, 0.62, 0.03],
    deck: [[1, 0.5]],
    belt: [0.555, 0.575],
    windowsEnd: 0.94,
    posts: [0.39, 0.66],
    doors: [0.2, 0.385, 0.64],
    lean: 0.14,
  },
  pickup: {
    ...HATCHBACK,
    length: [4.95, 5.3],
    width: [1.82, 1.94],
    height: [1.72, 1.82],
    wheelRadius: [0.35, 0.375],
    clearance: 0.3,
    axles: [0.175, 0.765],
    hood: [
      [0, 0.53],
      [0.02, 0.58],
      [0.12, 0.615],
    ],
    cowl: [0.235, 0.645, 0.12],
    roof: [
      [0.35, 0.955, 0.05],
      [0.43, 1, 0.02],
      [0.56, 0.985, 0.02],
    ],
    glassBottom: [0.6, 0.64, 0.02],
    deck: [[1, 0.625]],
    belt: [0.6, 0.625],
    windowsEnd: 0.575,
    posts: [0.435],
    doors: [0.255, 0.435, 0.585],
    lean: 0.25,
    bed: [0.63, 0.985],
  },
  truck: {
    ...HATCHBACK,
    length: [6.2, 8.2],
    width: [2.26, 2.56],
    height: [2.8, 3.5],
    wheelRadius: [0.36, 0.4],
    clearance: 0.32,
    axles: [0.15, 0.76],
    hood: [
      [0, 0.37],
      [0.012, 0.42],
      [0.045, 0.45],
    ],
    cowl: [0.075, 0.475, 0.12],
    roof: [
      [0.165, 0.74, 0.06],
      [0.215, 0.765, 0.02],
      [0.285, 0.76],
    ],
    glassBottom: [0.295, 0.45],
    deck: [
      [0.3, 0.3],
      [1, 0.3],
    ],
    belt: [0.45, 0.46],
    windowsEnd: 0.265,
    posts: [],
    doors: [0.11, 0.275],
    lean: 0.12,
    box: [0.315, 0.995],
  },
} as const satisfies Record<string, CarShape>;

export type CarShapeName = keyof typeof SHAPES;
export const CAR_SHAPES: Readonly<Record<CarShapeName, CarShape>> = SHAPES;

/** Shares of body kinds on Central European streets, roughly: superminis and compact cars lead. */
export const CAR_SHARES: readonly (readonly [weight: number, name: CarShapeName])[] = [
  [30, 'hatchback'],
  [17, 'sedan'],
  [15, 'estate'],
  [10, 'suv'],
  [11, 'mpv'],
  [9, 'van'],
  [3, 'pickup'],
  [5, 'truck'],
];

/** One car: its shape with sizes and everything drawn at random. */
export interface Car {
  readonly name: CarShapeName;
  readonly shape: CarShape;
  /** Outer size with mirrors, m. */
  readonly length: number;
  readonly width: number;
  readonly height: number;
  /** Half the width of the body, m. */
  readonly halfWidth: number;
  readonly wheelRadius: number;
  readonly paint: Colour;
  /** Unpainted lower parts and mirrors. */
  readonly plainBumpers: boolean;
  readonly blackMirrors: boolean;
  /** Chrome around windows and grille. */
  readonly chrome: boolean;
  readonly rails: boolean;
  readonly spokes: number;
  readonly steelWheels: boolean;
  readonly wideTailLights: boolean;
  readonly headLightHeight: number;
  /** Panel instead of rear side windows (delivery vans), three doors. */
  readonly panelled: boolean;
  readonly threeDoors: boolean;
  /** Dark rear windows. */
  readonly privacy: boolean;
  readonly plate: number;
  /** Colour of the box of a truck. */
  readonly boxColour: Colour;
}

const MIRROR = 0.055;

/** A car of a kind of body. */
export function drawCar(draw: Draw, name: CarShapeName): Car {
  const shape = CAR_SHAPES[name];
  const size = draw.between(0, 1);
  const width = within(shape.width, 0.75 * size + 0.25 * draw.between(0, 1));
  const commercial = name === 'truck' || (name === 'van' && draw.chance(0.5));
  const paint = commercial && draw.chance(0.6) ? ([222, 223, 221] as const) : draw.weighted(PAINTS);
  return {
    name,
    shape: jittered(shape, draw),
    length: within(shape.length, size),
    width,
    height: within(shape.height, 0.5 * size + 0.5 * draw.between(0, 1)),
    halfWidth: width / 2 - MIRROR,
    wheelRadius: within(shape.wheelRadius, 0.6 * size + 0.4 * draw.between(0, 1)),
    paint,
    plainBumpers: draw.chance(commercial ? 0.8 : 0.22),
    blackMirrors: draw.chance(0.4),
    chrome: draw.chance(0.3),
    rails: (shape.rails ?? false) && draw.chance(0.6),
    spokes: draw.pick([5, 5, 6, 7, 8, 10]),
    steelWheels: draw.chance(commercial ? 0.8 : 0.25),
    wideTailLights: draw.chance(0.5),
    headLightHeight: draw.between(0.85, 1.15),
    panelled: name === 'van' && commercial,
    threeDoors: name === 'hatchback' && draw.chance(0.35),
    privacy: draw.chance(0.3),
    plate: draw.stream.integer(1 << 16),
    boxColour: draw.pick([
      [226, 226, 222],
      [214, 216, 214],
      [200, 204, 206],
      [206, 178, 60],
      [52, 84, 138],
      [164, 46, 40],
    ] as const),
  };
}

/** No two models are alike: the outline's inner points move a little. */
function jittered(shape: CarShape, draw: Draw): CarShape {
  const along = draw.between(-0.012, 0.012);
  const rear = draw.between(-0.012, 0.008);
  const hood = draw.between(-0.012, 0.015);
  const belt = draw.between(-0.012, 0.012);
  const move = ([s, h, bow]: ProfilePoint, ds: number, dh: number): ProfilePoint => [s + ds, h + dh, bow];
  return {
    ...shape,
    hood: shape.hood.map((point, i) => move(point, i === 2 ? along : 0, hood)),
    cowl: move(shape.cowl, along, 0.6 * hood),
    roof: shape.roof.map((point, i) => move(point, i < 2 ? along : rear, 0)),
    glassBottom: move(shape.glassBottom, 0.3 * rear, 0),
    belt: [shape.belt[0] + belt, shape.belt[1] + 0.7 * belt + draw.between(-0.004, 0.012)],
  };
}

function within([low, high]: Range, share: number): number {
  return low + share * (high - low);
}
