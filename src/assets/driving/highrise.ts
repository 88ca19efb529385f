import type { Draw } from '../aerial/draw.js';
import { type Colour, lit, mix } from '../aerial/painter.js';
import { box } from '../aerial/shapes.js';
import { Atlas, placeIn, type Region } from './atlas.js';
import { drawFacade, type FacadeStyle } from './facades.js';
import type { Look, MeshBuilder } from './meshBuilder.js';
import { type Model, standing } from './model.js';
import { light } from './palette.js';
import { Picture } from './picture.js';
import { addBox } from './solids.js';
import type { Vector } from './vector.js';

const SIZE = 512;
/** Storeys and bays that the texture holds; walls repeat them. */
const STOREYS = 4;
const BAYS = 8;
const REGIONS = {
  floors: { x: 0, y: 0, width: 512, height: 256 },
  ground: { x: 0, y: 256, width: 512, height: 96 },
  wall: { x: 0, y: 360, width: 60, height: 60 },
  roof: { x: 64, y: 360, width: 60, height: 60 },
  rail: { x: 128, y: 360, width: 60, height: 60 },
} as const satisfies Record<string, Region>;

interface Tower {
  readonly bays: number;
  readonly sideBays: number;
  readonly bay: number;
  readonly storeys: number;
  readonly storey: number;
  readonly ground: number;
  readonly balconies: boolean;
  readonly blindSides: boolean;
  readonly bands: boolean;
}

const CONCRETES: readonly Colour[] = [
  [196, 192, 184],
  [176, 174, 168],
  [206, 198, 180],
  [186, 170, 150],
  [160, 164, 168],
  [214, 212, 206],
];

/** A block of flats or offices of six to sixteen storeys with a flat roof. */
export function highriseModel(draw: Draw): Model {
  const tower: Tower = {
    bays: 4 + draw.stream.integer(5),
    sideBays: 3 + draw.stream.integer(2),
    bay: draw.between(2.8, 3.6),
    storeys: 6 + draw.stream.integer(11),
    storey: draw.between(2.8, 3.3),
    ground: draw.between(3.4, 4.2),
    balconies: draw.chance(0.5),
    blindSides: draw.chance(0.4),
    bands: draw.chance(0.4),
  };
  const [width, depth] = [tower.bays * tower.bay, tower.sideBays * tower.bay];
  const height = tower.ground + tower.storeys * tower.storey + 0.9;
  const reach = tower.balconies ? 1.2 : 0.15;
  return {
    bounds: standing(width + 0.3, height + 2.4, depth + 2 * reach),
    crease: 30,
    texture: () => drawTexture(draw, tower),
    gather: (builder) => {
      addSides(builder, tower, width, depth);
      addTop(builder, width, depth, height);
      for (const side of [1, -1]) if (tower.balconies) addBalconies(builder, tower, side, depth, reach);
      if (!tower.balconies) {
        // A cornice, and a canopy along the ground floor.
        for (const y of [-height, -tower.ground - 0.15]) {
          addBox(
            builder,
            [-width / 2 - 0.15, y, -depth / 2 - 0.15],
            [width / 2 + 0.15, y + 0.3, depth / 2 + 0.15],
            patch('wall', 0.9),
          );
        }
      } else
        addBox(
          builder,
          [-width / 2 - 0.15, -height, -depth / 2 - 0.15],
          [width / 2 + 0.15, -height + 0.3, depth / 2 + 0.15],
          patch('wall', 0.9),
        );
    },
  };
}

function drawTexture(draw: Draw, tower: Tower) {
  const wall = lit(draw.pick(CONCRETES), draw.between(0.92, 1.05));
  const accent = draw.pick<Colour>([
    [150, 92, 72],
    [92, 112, 132],
    [120, 124, 120],
    [178, 150, 96],
    [200, 198, 192],
  ]);
  const style: FacadeStyle = {
    wall,
    base: lit(wall, 0.8),
    frame: draw.pick<Colour>([
      [222, 222, 218],
      [80, 82, 84],
    ]),
    brick: false,
    window: tower.bands ? [tower.bay - 0.2, 1.55] : [Math.min(2, tower.bay - 0.9), draw.between(1.35, 1.6)],
    door: [70, 74, 78],
  };
  const plan = {
    width: BAYS * tower.bay,
    bays: BAYS,
    gable: false,
    door: -1,
    blind: false,
    storeyHeight: tower.storey,
  };
  // The plinth belongs to the ground floor: these four storeys stand on others.
  const floors = drawFacade(
    draw,
    REGIONS.floors,
    { ...plan, height: STOREYS * tower.storey, eaves: STOREYS * tower.storey + 1, storeys: STOREYS, shops: false },
    { ...style, base: wall },
  );
  const pixels = REGIONS.floors.height / STOREYS;
  for (let storey = 0; storey < STOREYS; storey++) {
    const y = REGIONS.floors.height / 2 - storey * pixels;
    painterBand(floors, y - 0.07 * pixels, 0.05 * pixels, tower.bands ? accent : lit(wall, 0.86));
  }
  const ground = drawFacade(
    draw,
    REGIONS.ground,
    {
      ...plan,
      height: tower.ground,
      eaves: tower.ground,
      storeys: 1,
      storeyHeight: tower.ground,
      shops: true,
      door: 3,
    },
    style,
  );
  const plain = (region: Region, colour: Colour) => new Picture(region.width, region.height, colour);
  return new Atlas(SIZE)
    .draw(REGIONS.floors, floors)
    .draw(REGIONS.ground, ground)
    .draw(REGIONS.wall, plain(REGIONS.wall, wall))
    .draw(REGIONS.roof, plain(REGIONS.roof, [112, 110, 106]))
    .draw(REGIONS.rail, plain(REGIONS.rail, mix(accent, wall, 0.25)))
    .image();
}

function painterBand(painter: Picture, y: number, half: number, colour: Colour): void {
  painter.fill(box(0, y, 256, half), colour, { alpha: 0.85 });
}

function patch(region: keyof typeof REGIONS, share: number): Look {
  return { place: placeIn(REGIONS[region], SIZE, 0.5, 0.5), tint: light(share) };
}

/** Walls: the ground floor, then the texture's storeys as often as they fit; bays repeat with the texture. */
function addSides(builder: MeshBuilder, tower: Tower, width: number, depth: number): void {
  const { bays, sideBays, storeys, storey, ground, blindSides } = tower;
  for (const [alongX, sign] of [
    [true, 1],
    [true, -1],
    [false, 1],
    [false, -1],
  ] as const) {
    const [span, count] = alongX ? [width, bays] : [depth, sideBays];
    const out: Vector = alongX ? [0, 0, sign] : [sign, 0, 0];
    const point = (t: number, y: number): Vector => (alongX ? [t, y, (sign * depth) / 2] : [(sign * width) / 2, y, t]);
    const bay = ([x, , z]: Vector) => ((alongX ? sign * x : -sign * z) / span + 0.5) * (count / BAYS);
    const wall = (from: number, to: number, look: Look) =>
      builder.polygon(
        [point(-span / 2, -from), point(span / 2, -from), point(span / 2, -to), point(-span / 2, -to)],
        look,
        out,
      );
    const inside = (region: Region, v: number) => (region.y + 0.5 + v * (region.height - 1)) / SIZE;
    const foot = (share: number): Look => ({
      tint: ([, y]) => light(y > -0.01 ? share * 0.8 : share),
      place: (p) => [bay(p), inside(REGIONS.ground, 1 + p[1] / ground)],
    });
    wall(0, ground, foot(1));
    for (let at = 0; at < storeys; at += STOREYS) {
      const fit = Math.min(STOREYS, storeys - at);
      const [from, to] = [ground + at * storey, ground + (at + fit) * storey];
      wall(
        from,
        to,
        blindSides && !alongX
          ? patch('wall', 0.98)
          : { place: (p) => [bay(p), inside(REGIONS.floors, 1 - (-p[1] - from) / (STOREYS * storey))] },
      );
    }
    const top = ground + storeys * storey;
    wall(top, top + 0.9, patch('wall', 0.97));
  }
}

/** The roof behind its parapet, with the house of the lift. */
function addTop(builder: MeshBuilder, width: number, depth: number, height: number): void {
  const [x, z] = [width / 2, depth / 2];
  builder.polygon(
    [
      [-x, -height, -z],
      [x, -height, -z],
      [x, -height, z],
      [-x, -height, z],
    ],
    patch('roof', 0.9),
    [0, -1, 0],
  );
  addBox(
    builder,
    [-0.2 * width, -height - 2.4, -0.25 * depth],
    [0.12 * width, -height, 0.2 * depth],
    patch('wall', 0.9),
    ['bottom'],
  );
}

function addBalconies(
  builder: MeshBuilder,
  { bays, bay, storeys, storey, ground }: Tower,
  side: number,
  depth: number,
  reach: number,
): void {
  const z = (side * depth) / 2;
  const out = z + side * reach;
  for (let level = 0; level < storeys; level++) {
    const floor = -ground - level * storey;
    for (let first = 0; first < bays; first += 2) {
      // Every other pair of bays has one.
      if (first % 4 !== 0) continue;
      const x0 = (first - bays / 2) * bay + 0.15;
      const x1 = (Math.min(bays, first + 2) - bays / 2) * bay - 0.15;
      addBox(builder, [x0, floor, Math.min(z, out)], [x1, floor + 0.16, Math.max(z, out)], patch('wall', 0.7), [
        side > 0 ? 'back' : 'front',
      ]);
      addBox(
        builder,
        [x0, floor - 0.95, Math.min(out, out - side * 0.06)],
        [x1, floor, Math.max(out, out - side * 0.06)],
        patch('rail', 0.95),
        ['bottom'],
      );
    }
  }
}
