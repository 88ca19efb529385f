import { cos, sin } from '../../deterministicMath.js';
import type { Draw } from '../aerial/draw.js';
import type { Colour } from '../aerial/painter.js';
import type { Look, MeshBuilder, Tint } from './meshBuilder.js';
import { tint } from './palette.js';
import { addBall, addBox, addTube } from './solids.js';
import { add, between, scale, subtract, unit, type Vector } from './vector.js';

/** Clothes, skin and hair of a person. */
export interface Outfit {
  readonly top: Colour;
  readonly legs: Colour;
  readonly shoes: Colour;
  readonly skin: Colour;
  readonly hair: Colour;
  readonly longHair: boolean;
  /** Bare legs below the knee, bare arms below the elbow. */
  readonly shorts: boolean;
  readonly shortSleeves: boolean;
  readonly skirt: boolean;
  readonly coat: boolean;
  readonly backpack?: Colour;
  readonly helmet?: Colour;
}

/** Places of a body's joints, m; pairs are left and right. */
export interface Joints {
  readonly hip: Vector;
  readonly neck: Vector;
  readonly head: Vector;
  readonly knees: readonly [Vector, Vector];
  readonly ankles: readonly [Vector, Vector];
  readonly elbows: readonly [Vector, Vector];
  readonly wrists: readonly [Vector, Vector];
}

const TOPS: readonly Colour[] = [
  [38, 40, 46],
  [52, 60, 82],
  [196, 196, 192],
  [120, 124, 128],
  [132, 40, 42],
  [70, 86, 74],
  [92, 112, 148],
  [168, 150, 122],
  [84, 66, 56],
  [186, 140, 60],
];
const TROUSERS: readonly Colour[] = [
  [48, 58, 82],
  [62, 74, 100],
  [34, 35, 38],
  [72, 70, 68],
  [134, 118, 96],
  [86, 94, 112],
];
const SKINS: readonly Colour[] = [
  [214, 170, 144],
  [200, 150, 122],
  [164, 114, 88],
  [108, 74, 58],
];
const HAIRS: readonly Colour[] = [
  [44, 34, 28],
  [84, 60, 40],
  [26, 24, 24],
  [150, 118, 76],
  [150, 148, 144],
];

export function drawOutfit(draw: Draw): Outfit {
  const woman = draw.chance(0.5);
  const skirt = woman && draw.chance(0.3);
  return {
    top: draw.pick(TOPS),
    legs: draw.pick(TROUSERS),
    shoes: draw.pick<Colour>([
      [30, 28, 28],
      [74, 54, 42],
      [190, 188, 184],
    ]),
    skin: draw.weighted([
      [6, SKINS[0]],
      [4, SKINS[1]],
      [1, SKINS[2]],
      [1, SKINS[3]],
    ]),
    hair: draw.pick(HAIRS),
    longHair: woman,
    shorts: !skirt && draw.chance(0.2),
    shortSleeves: draw.chance(0.4),
    skirt,
    coat: !skirt && draw.chance(0.25),
    backpack: draw.chance(0.25) ? draw.pick(TOPS) : undefined,
  };
}

/** Joints of a walking person of height 1 m. */
export function walking(stride: number, swing: number): Joints {
  const hip: Vector = [0, -0.53, 0];
  // Angles from straight down, positive forwards; the rear knee is bent.
  const limb = (from: Vector, upper: number, lower: number, a: number, b: number): readonly [Vector, Vector] => {
    const joint = add(from, [0, upper * cos(a), upper * sin(a)]);
    return [joint, add(joint, [0, lower * cos(b), lower * sin(b)])];
  };
  const side = (x: number, sign: number) => {
    const angle = sign * stride;
    const [knee, ankle] = limb(
      [x, hip[1] + 0.01, 0],
      0.245,
      0.235,
      angle + 0.06,
      angle - (angle < 0 ? 0.42 : 0.08) * (0.3 + Math.abs(stride)),
    );
    return { knee, ankle };
  };
  const arm = (x: number, sign: number) => {
    const angle = -sign * swing;
    const [elbow, wrist] = limb([x * 0.92, -0.815, 0], 0.17, 0.15, angle, angle + 0.25 + 0.3 * Math.max(0, angle));
    return { elbow: [x * 1.12, elbow[1], elbow[2]] as Vector, wrist: [x * 1.14, wrist[1], wrist[2]] as Vector };
  };
  const [left, right] = [side(-0.052, 1), side(0.052, -1)];
  const [leftArm, rightArm] = [arm(-0.115, 1), arm(0.115, -1)];
  return {
    hip,
    neck: [0, -0.845, 0.006],
    head: [0, -0.925, 0.02],
    knees: [left.knee, right.knee],
    ankles: [left.ankle, right.ankle],
    elbows: [leftArm.elbow, rightArm.elbow],
    wrists: [leftArm.wrist, rightArm.wrist],
  };
}

/** A person in clothes. */
export function addFigure(builder: MeshBuilder, joints: Joints, height: number, build: number, outfit: Outfit): void {
  const at = (point: Vector): Vector => scale(point, height);
  const wide = (radius: number) => radius * height * build;
  const plain = (colour: Colour, factor = 1): Look => ({ tint: tint(colour, factor) });
  const { top, legs, skin } = outfit;
  const [hip, neck, head] = [joints.hip, joints.neck, joints.head].map(at);
  const up = unit(subtract(neck, hip));
  const right: Vector = [1, 0, 0];
  const frame = [right, unit([0, up[2], -up[1]])] as const;
  const shade = (colour: Colour): Look => ({ tint: ([, y]) => tint(colour, 0.8 + 0.2 * Math.min(1, -y / height)) });
  const ring = (share: number, across: number, deep: number, look?: Look) => ({
    at: between(hip, neck, share),
    radius: [wide(across), wide(deep)] as const,
    look,
  });
  // Trunk: trousers or skirt up to the belt, then the top.
  addTube(
    builder,
    [
      ring(-0.14, 0.055, 0.05, plain(legs, 0.8)),
      ring(0.02, 0.098, 0.068, shade(outfit.coat ? top : legs)),
      ring(0.16, 0.094, 0.063, shade(top)),
      ring(0.4, 0.088, 0.06, shade(top)),
      ring(0.7, 0.106, 0.07, shade(top)),
      ring(0.88, 0.108, 0.06, shade(top)),
      ring(0.98, 0.06, 0.045, shade(skin)),
      ring(1.12, 0.031, 0.032, shade(skin)),
    ],
    9,
    shade(top),
    frame,
  );
  if (outfit.skirt || outfit.coat) {
    const colour = outfit.skirt ? legs : top;
    const knee = between(at(joints.knees[0]), at(joints.knees[1]), 0.5);
    const spread = Math.abs(joints.knees[0][2] - joints.knees[1][2]) / 2;
    addTube(
      builder,
      [
        { at: between(hip, neck, 0.14), radius: [wide(0.097), wide(0.068)] },
        { at: between(hip, knee, 0.85), radius: [wide(0.105), wide(0.075) + spread * height] },
      ],
      9,
      shade(colour),
      [right, [0, 0, 1]],
    );
  }
  for (const side of [0, 1] as const) {
    const sign = side === 0 ? -1 : 1;
    const x = sign * 0.05;
    const thigh = at([joints.hip[0] + x, joints.hip[1] + 0.01, joints.hip[2]]);
    const [knee, ankle] = [at(joints.knees[side]), at(joints.ankles[side])];
    const bare = outfit.shorts || outfit.skirt ? skin : legs;
    const side1: Vector = [0, 0, 1];
    addTube(
      builder,
      [
        { at: thigh, radius: wide(0.052), look: shade(outfit.skirt ? skin : legs) },
        { at: between(thigh, knee, 0.85), radius: wide(0.039), look: shade(bare) },
        { at: between(knee, ankle, 0.35), radius: wide(0.034), look: shade(bare) },
        { at: ankle, radius: wide(outfit.shorts || outfit.skirt ? 0.021 : 0.028) },
      ],
      6,
      shade(legs),
      [right, side1],
    );
    addShoe(builder, ankle, knee, height, outfit.shoes);
    const shoulder = at(add(joints.neck, [sign * 0.098, 0.035, 0]));
    const [elbow, wrist] = [at(joints.elbows[side]), at(joints.wrists[side])];
    const lower = outfit.shortSleeves ? skin : top;
    addTube(
      builder,
      [
        { at: shoulder, radius: wide(0.032), look: shade(top) },
        { at: between(shoulder, elbow, 0.8), radius: wide(0.028), look: shade(lower) },
        { at: elbow, radius: wide(0.025), look: shade(lower) },
        { at: wrist, radius: wide(0.018), look: plain(skin) },
        { at: add(wrist, scale(subtract(wrist, elbow), 0.45)), radius: [wide(0.022), wide(0.014)] },
      ],
      6,
      shade(top),
    );
  }
  addHead(builder, head, height, outfit);
  if (outfit.backpack) {
    const middle = add(between(hip, neck, 0.62), [0, 0, -0.11 * height]);
    const half: Vector = [0.075 * height, 0.11 * height, 0.05 * height];
    addBox(builder, subtract(middle, half), add(middle, half), plain(outfit.backpack, 0.95));
  }
}

function addHead(builder: MeshBuilder, centre: Vector, height: number, { skin, hair, longHair, helmet }: Outfit): void {
  const radii: Vector = [0.044 * height, 0.066 * height, 0.054 * height];
  const look = (point: Vector): Tint => {
    const [, y, z] = subtract(point, centre);
    // The upper and rear part of the head; below the ears only long hair goes on.
    const covered = y < -0.5 * radii[1] || z < (y < 0.3 * radii[1] || longHair ? -0.15 : -2) * radii[2];
    return tint(covered ? hair : skin, 0.95);
  };
  addBall(builder, centre, radii, 8, 6, { tint: look });
  const cover = helmet ?? hair;
  // Hair, or a helmet: a cap over the upper and rear part.
  addBall(
    builder,
    add(centre, [0, -0.22 * radii[1], -0.28 * radii[2]]),
    [1.05 * radii[0], (helmet ? 0.95 : 0.85) * radii[1], 0.98 * radii[2]],
    8,
    4,
    { tint: tint(cover) },
  );
  if (longHair && !helmet) {
    const back = add(centre, [0, 0.45 * radii[1], -0.6 * radii[2]]);
    addBall(builder, back, [0.95 * radii[0], 0.95 * radii[1], 0.6 * radii[2]], 7, 4, { tint: tint(hair, 0.95) });
  }
}

/** A shoe along the foot, which stands about square to the shin. */
function addShoe(builder: MeshBuilder, ankle: Vector, knee: Vector, height: number, colour: Colour): void {
  const shin = unit(subtract(ankle, knee));
  const forward = unit([0, 0.55 * -shin[2] * Math.abs(shin[1]), shin[1]]);
  const heel = add(ankle, add(scale(forward, -0.03 * height), scale(shin, 0.022 * height)));
  const toe = add(heel, scale(forward, 0.13 * height));
  const up: Vector = unit([0, -forward[2], forward[1]]);
  addTube(
    builder,
    [
      { at: heel, radius: [0.02 * height, 0.026 * height] },
      { at: between(heel, toe, 0.5), radius: [0.026 * height, 0.024 * height] },
      { at: toe, radius: [0.02 * height, 0.012 * height] },
    ],
    6,
    { tint: tint(colour, 0.85) },
    [[1, 0, 0], up],
  );
}
