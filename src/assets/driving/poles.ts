import { cos, PI, sin } from '../../deterministicMath.js';
import type { Draw } from '../aerial/draw.js';
import type { Colour } from '../aerial/painter.js';
import { box, disc, grown, line, type Point, polygon } from '../aerial/shapes.js';
import type { SpriteImage } from '../assetLibrary.js';
import { Atlas, placeIn, type Region } from './atlas.js';
import type { Look, MeshBuilder, Tint } from './meshBuilder.js';
import { extentOf, type Model } from './model.js';
import { light, tint } from './palette.js';
import { Picture } from './picture.js';
import { addBox, addTube, circle } from './solids.js';
import type { Vector } from './vector.js';

const GALVANISED: Colour = [150, 153, 154];
const GREENISH: Colour = [84, 96, 90];
const DARK: Colour = [44, 46, 48];

/** Things on posts look along z with what they show, and reach along x with their arms: over a road on their right. */
function post(builder: MeshBuilder, x: number, height: number, low: number, high: number, look: Look, sides = 8): void {
  addTube(
    builder,
    [
      { at: [x, 0, 0], radius: low },
      { at: [x, -height, 0], radius: high },
    ],
    sides,
    look,
    [
      [1, 0, 0],
      [0, 0, 1],
    ],
  );
}

/** A street lamp: tapered pole, arm, lamp head. */
export function lampModel(draw: Draw): Model {
  const height = draw.between(5.5, 9.5);
  const reach = draw.chance(0.3) ? 0 : draw.between(0.8, 2.2);
  const colour = draw.pick([GALVANISED, GALVANISED, GREENISH, DARK]);
  const wide = draw.between(0.06, 0.085);
  const gather = (builder: MeshBuilder) => {
    const look: Look = { tint: tint(colour, 0.92) };
    post(builder, 0, 1, wide * 1.35, wide * 1.3, look);
    post(builder, 0, height, wide, 0.55 * wide, look);
    if (reach === 0) {
      // A lantern on top of the pole.
      addTube(
        builder,
        [
          { at: [0, -height, 0], radius: 0.12 },
          { at: [0, -height - 0.32, 0], radius: 0.2 },
        ],
        8,
        { tint: tint([224, 222, 206]) },
      );
      addTube(
        builder,
        [
          { at: [0, -height - 0.32, 0], radius: 0.28 },
          { at: [0, -height - 0.44, 0], radius: 0.1 },
        ],
        8,
        { tint: tint(DARK) },
      );
      return;
    }
    const bend: readonly Vector[] = Array.from({ length: 5 }, (_, i) => {
      const angle = ((i / 4) * PI) / 2.25;
      return [0.6 * reach * (1 - cos(angle)), -height - 0.5 * sin(angle) * Math.min(1, reach), 0];
    });
    const end: Vector = [reach, bend[4][1] - 0.05, 0];
    addTube(
      builder,
      [...bend, end].map((at) => ({ at, radius: 0.5 * wide })),
      6,
      look,
      [
        [0, 1, 0],
        [0, 0, 1],
      ],
    );
    addTube(
      builder,
      [
        { at: [reach - 0.08, end[1] + 0.02, 0], radius: [0.05, 0.07] },
        { at: [reach + 0.15, end[1] + 0.01, 0], radius: [0.07, 0.15] },
        { at: [reach + 0.55, end[1], 0], radius: [0.05, 0.13] },
        { at: [reach + 0.68, end[1], 0], radius: [0.02, 0.06] },
      ],
      8,
      { tint: ([, y]) => tint(y > end[1] + 0.03 ? [232, 230, 214] : colour, 0.95) },
      [
        [0, 1, 0],
        [0, 0, 1],
      ],
    );
  };
  return { bounds: extentOf(gather), crease: 45, gather };
}

const SIGN_SIZE = 128;
const FACE: Region = { x: 0, y: 0, width: 96, height: 96 };
const PLAIN: Region = { x: 100, y: 4, width: 24, height: 24 };

type SignKind = 'limit' | 'warning' | 'yield' | 'priority' | 'parking' | 'noParking' | 'direction' | 'town';
const SIGNS: readonly (readonly [weight: number, kind: SignKind])[] = [
  [4, 'limit'],
  [2, 'warning'],
  [3, 'yield'],
  [3, 'priority'],
  [3, 'parking'],
  [3, 'noParking'],
  [2, 'direction'],
  [1, 'town'],
];
const SIGN_RED: Colour = [178, 26, 32];
const SIGN_BLUE: Colour = [24, 68, 148];
const SIGN_WHITE: Colour = [226, 227, 224];
const SIGN_YELLOW: Colour = [222, 178, 36];

/** A traffic sign on a post, as they stand in Germany. */
export function signModel(draw: Draw): Model {
  const kind = draw.weighted(SIGNS);
  const low = draw.between(1.9, 2.3);
  const size = kind === 'town' ? 1.1 : draw.between(0.6, 0.75);
  const digits = 3 + 2 * draw.stream.integer(2);
  const outline = outlineOf(kind);
  const gather = (builder: MeshBuilder) => {
    const top = low + size;
    post(builder, 0, top - 0.05, 0.03, 0.03, { place: placeIn(PLAIN, SIGN_SIZE, 0.5, 0.5), tint: tint(GALVANISED) }, 6);
    const at = ([x, y]: Point, z: number): Vector => [0.5 * size * x, -low - 0.5 * size + 0.5 * size * y, z];
    const front = outline.map((p) => at(p, 0.055));
    const back = outline.map((p) => at(p, 0.03));
    builder.polygon(
      front,
      {
        place: ([x, y]) =>
          placeIn(FACE, SIGN_SIZE, 0.5 - (0.97 * x) / size, 0.5 + (0.97 * (y + low + size / 2)) / size),
      },
      [0, 0, 1],
    );
    const grey: Look = { place: placeIn(PLAIN, SIGN_SIZE, 0.5, 0.5), tint: light(0.62) };
    builder.polygon(back, grey, [0, 0, -1]);
    builder.grid(
      [
        [...front, front[0]],
        [...back, back[0]],
      ],
      grey,
      ([x, y]) => [x, y + low + size / 2, 0],
    );
  };
  return { bounds: extentOf(gather), crease: 30, gather, texture: () => drawSign(kind, digits) };
}

/** Corners of the plate within ±1, y down. */
function outlineOf(kind: SignKind): readonly Point[] {
  const triangle: readonly Point[] = [
    [-1, 0.86],
    [1, 0.86],
    [0, -0.87],
  ];
  switch (kind) {
    case 'warning':
      return triangle;
    case 'yield':
      return triangle.map(([x, y]): Point => [x, -y]);
    case 'priority':
      return [
        [0, -1],
        [1, 0],
        [0, 1],
        [-1, 0],
      ];
    case 'parking':
    case 'direction':
      return [
        [-0.85, -0.85],
        [0.85, -0.85],
        [0.85, 0.85],
        [-0.85, 0.85],
      ];
    case 'town':
      return [
        [-1, -0.62],
        [1, -0.62],
        [1, 0.62],
        [-1, 0.62],
      ];
    default:
      return circle(18);
  }
}

function drawSign(kind: SignKind, digits: number): SpriteImage {
  const r = FACE.width / 2 / 1.03;
  const plate = polygon(outlineOf(kind).map(([x, y]): Point => [x * r, y * r]));
  const picture = new Picture(FACE.width, FACE.height, SIGN_WHITE);
  const ink: Colour = [24, 24, 26];
  switch (kind) {
    case 'limit':
      picture.fill(plate, SIGN_RED).fill(disc(0, 0, 0.74 * r), SIGN_WHITE);
      drawDigit(picture, digits, -0.24 * r, r, ink);
      drawDigit(picture, 0, 0.28 * r, r, ink);
      break;
    case 'warning':
      picture.fill(plate, SIGN_RED).fill(grown(plate, -0.17 * r), SIGN_WHITE);
      picture.fill(line([0, -0.3 * r], [0, 0.25 * r], 0.07 * r), ink).fill(disc(0, 0.48 * r, 0.09 * r), ink);
      break;
    case 'yield':
      picture.fill(plate, SIGN_RED).fill(grown(plate, -0.19 * r), SIGN_WHITE);
      break;
    case 'priority':
      picture.fill(grown(plate, -0.18 * r), ink).fill(grown(plate, -0.22 * r), SIGN_YELLOW);
      break;
    case 'parking':
      picture.fill(grown(plate, -0.06 * r), SIGN_BLUE);
      picture.fill(line([-0.22 * r, -0.5 * r], [-0.22 * r, 0.5 * r], 0.09 * r), SIGN_WHITE);
      picture
        .fill(disc(0.02 * r, -0.22 * r, 0.36 * r), SIGN_WHITE)
        .fill(disc(0.02 * r, -0.22 * r, 0.19 * r), SIGN_BLUE);
      break;
    case 'noParking':
      picture.fill(plate, SIGN_RED).fill(disc(0, 0, 0.8 * r), SIGN_BLUE);
      picture.fill(line([-0.58 * r, -0.58 * r], [0.58 * r, 0.58 * r], 0.1 * r), SIGN_RED);
      if (digits > 3) picture.fill(line([0.58 * r, -0.58 * r], [-0.58 * r, 0.58 * r], 0.1 * r), SIGN_RED);
      break;
    case 'direction':
      picture.fill(grown(plate, -0.06 * r), SIGN_BLUE);
      picture.fill(line([0, 0.55 * r], [0, -0.3 * r], 0.11 * r), SIGN_WHITE);
      picture.fill(
        polygon([
          [-0.36 * r, -0.15 * r],
          [0.36 * r, -0.15 * r],
          [0, -0.62 * r],
        ]),
        SIGN_WHITE,
      );
      break;
    case 'town':
      picture.fill(plate, ink).fill(grown(plate, -0.04 * r), SIGN_YELLOW);
      for (let i = 0; i < 8; i++) {
        picture.fill(box((i - 3.5) * 0.2 * r, -0.1 * r, 0.07 * r, (i % 3 === 1 ? 0.1 : 0.14) * r), ink);
      }
      picture.fill(box(0, 0.32 * r, 0.5 * r, 0.05 * r), ink);
      break;
  }
  return new Atlas(SIGN_SIZE)
    .draw(FACE, picture)
    .draw(PLAIN, new Picture(PLAIN.width, PLAIN.height, [255, 255, 255]))
    .image();
}

/** 0, 3 or 5 in strokes. */
function drawDigit(picture: Picture, digit: number, x: number, r: number, ink: Colour): void {
  const [w, h, t] = [0.17 * r, 0.36 * r, 0.065 * r];
  const stroke = (x0: number, y0: number, x1: number, y1: number) =>
    picture.fill(line([x + x0 * w, y0 * h], [x + x1 * w, y1 * h], t), ink);
  stroke(-1, -1, 1, -1);
  stroke(-1, 1, 1, 1);
  if (digit !== 0) stroke(-1, 0, 1, 0);
  stroke(1, 0, 1, 1);
  if (digit !== 5) stroke(1, -1, 1, 0);
  if (digit !== 3) stroke(-1, -1, -1, 0);
  if (digit === 0) stroke(-1, 0, -1, 1);
}

/** A traffic light beside the road or on an arm above it. */
export function trafficLightModel(draw: Draw): Model {
  const above = draw.chance(0.35);
  const state = draw.weighted([
    [4, 2],
    [4, 0],
    [1, 1],
  ] as const);
  const height = above ? draw.between(5.4, 6) : draw.between(3, 3.4);
  const reach = above ? draw.between(2.5, 4.5) : 0;
  const gather = (builder: MeshBuilder) => {
    post(builder, 0, height, above ? 0.09 : 0.055, above ? 0.075 : 0.05, { tint: tint(GALVANISED, 0.9) });
    if (above) {
      addTube(
        builder,
        [
          { at: [0, -height + 0.15, 0], radius: 0.06 },
          { at: [reach, -height - 0.05, 0], radius: 0.045 },
        ],
        6,
        { tint: tint(GALVANISED, 0.9) },
      );
    }
    for (const [x, top] of above
      ? [
          [0, 3.2],
          [reach, height + 0.3],
        ]
      : [[0, height]]) {
      addSignal(builder, x, top, state);
    }
  };
  return { bounds: extentOf(gather), crease: 30, gather };
}

const LIT: readonly Colour[] = [
  [255, 70, 50],
  [255, 190, 50],
  [80, 255, 160],
];
const UNLIT: readonly Colour[] = [
  [70, 22, 20],
  [74, 56, 20],
  [16, 54, 34],
];

function addSignal(builder: MeshBuilder, x: number, top: number, state: number): void {
  const housing: Look = { tint: tint([34, 36, 36]) };
  addBox(builder, [x - 0.15, -top, 0.02], [x + 0.15, -top + 0.9, 0.26], housing);
  const ring = circle(10);
  for (let i = 0; i < 3; i++) {
    const y = -top + 0.17 + 0.28 * i;
    const colour = i === state ? LIT[i] : UNLIT[i];
    builder.polygon(
      ring.map(([c, s]): Vector => [x + 0.1 * c, y + 0.1 * s, 0.27]),
      { tint: tint(colour) },
      [0, 0, 1],
    );
    // A visor above the lamp.
    addBox(builder, [x - 0.11, y - 0.125, 0.26], [x + 0.11, y - 0.105, 0.42], housing, ['back']);
  }
}

/** A bollard, a marker post of country roads, or a cabinet of a telephone or power company. */
export function bollardModel(draw: Draw): Model {
  const kind = draw.weighted([
    [3, 'bollard'],
    [3, 'marker'],
    [2, 'cabinet'],
  ] as const);
  const size = draw.between(0.9, 1.1);
  const dark = draw.chance(0.5);
  const width = draw.between(0.7, 1.3);
  const gather = (builder: MeshBuilder) => {
    if (kind === 'bollard') {
      post(builder, 0, 0.9 * size, 0.06, 0.055, { tint: tint(dark ? DARK : GALVANISED, 0.95) });
      post(builder, 0, 0.94 * size, 0.045, 0.03, { tint: tint(dark ? SIGN_WHITE : DARK) });
    } else if (kind === 'marker') addMarker(builder, size);
    else {
      const shade = (side: string): Tint => tint([152, 154, 146], side === 'top' ? 1 : 0.93);
      addBox(builder, [-width / 2, -1.15 * size, -0.18], [width / 2, -0.1, 0.18], (side) => ({ tint: shade(side) }), [
        'bottom',
      ]);
      addBox(builder, [-width / 2 - 0.02, -0.1, -0.2], [width / 2 + 0.02, 0, 0.2], { tint: tint([112, 110, 104]) }, [
        'bottom',
      ]);
      addBox(builder, [-0.006, -1.12 * size, 0.18], [0.006, -0.14, 0.184], { tint: light(0.25) }, ['back']);
      addBox(builder, [-width / 2 - 0.03, -1.19 * size, -0.2], [width / 2 + 0.03, -1.15 * size, 0.2], {
        tint: tint([140, 142, 136]),
      });
    }
  };
  return { bounds: extentOf(gather), crease: 30, gather };
}

/** The white post with a black band and a reflector that stands every 50 m beside country roads. */
function addMarker(builder: MeshBuilder, size: number): void {
  const levels: readonly (readonly [height: number, colour: Colour])[] = [
    [0, SIGN_WHITE],
    [0.68, DARK],
    [0.9, SIGN_WHITE],
    [1, SIGN_WHITE],
  ];
  const ring: readonly Point[] = [
    [-0.06, -0.03],
    [0.06, -0.03],
    [0.05, 0.05],
    [-0.05, 0.05],
    [-0.06, -0.03],
  ];
  for (let i = 0; i + 1 < levels.length; i++) {
    const rows = [levels[i][0], levels[i + 1][0]].map((h) => ring.map(([x, z]): Vector => [x, -h * size, z]));
    builder.grid(rows, { tint: tint(levels[i][1]) }, ([x, , z]) => [x, 0, z]);
  }
  builder.polygon(
    ring.slice(0, -1).map(([x, z]): Vector => [x, -size, z]),
    { tint: tint(SIGN_WHITE) },
    [0, -1, 0],
  );
  addBox(builder, [-0.025, -0.87 * size, 0.045], [0.025, -0.72 * size, 0.056], { tint: tint([240, 150, 60]) });
}

/** A pole of concrete or wood with cross-arms for wires. */
export function mastModel(draw: Draw): Model {
  const height = draw.between(7, 9.5);
  const wooden = draw.chance(0.6);
  const arms = 1 + draw.stream.integer(2);
  const gather = (builder: MeshBuilder) => {
    const look: Look = {
      tint: ([, y]) => tint(wooden ? [104, 84, 66] : [156, 152, 144], 0.85 + 0.15 * Math.min(1, -y)),
    };
    post(builder, 0, height, 0.14, 0.1, look);
    for (let i = 0; i < arms; i++) {
      const y = -height + 0.35 + 0.6 * i;
      addBox(builder, [-0.8, y - 0.05, 0.1], [0.8, y + 0.05, 0.19], { tint: tint([92, 78, 64]) });
      for (const x of [-0.7, -0.35, 0.35, 0.7])
        addBox(builder, [x - 0.03, y - 0.19, 0.11], [x + 0.03, y - 0.05, 0.17], { tint: tint([190, 186, 178]) }, [
          'bottom',
        ]);
    }
  };
  return { bounds: extentOf(gather), crease: 45, gather };
}
