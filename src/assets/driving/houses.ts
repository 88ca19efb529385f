import type { Draw } from '../aerial/draw.js';
import { lit } from '../aerial/painter.js';
import { Atlas, placeIn, type Region } from './atlas.js';
import {
  drawDormer,
  drawFacade,
  drawFacadeStyle,
  drawGarage,
  drawRoof,
  type FacadePlan,
  type FacadeStyle,
} from './facades.js';
import type { Look, MeshBuilder, Tint } from './meshBuilder.js';
import { type Model, standing } from './model.js';
import { light } from './palette.js';
import { Picture } from './picture.js';
import { addBox } from './solids.js';
import { between, type Vector } from './vector.js';

const SIZE = 512;
const REGIONS = {
  front: { x: 0, y: 0, width: 512, height: 320 },
  side: { x: 0, y: 320, width: 288, height: 192 },
  roof: { x: 288, y: 320, width: 128, height: 128 },
  garage: { x: 288, y: 448, width: 96, height: 64 },
  dormer: { x: 384, y: 448, width: 96, height: 64 },
  wall: { x: 420, y: 322, width: 28, height: 28 },
  metal: { x: 452, y: 322, width: 28, height: 28 },
  brick: { x: 420, y: 354, width: 28, height: 28 },
  concrete: { x: 452, y: 354, width: 28, height: 28 },
} as const satisfies Record<string, Region>;
type RegionName = keyof typeof REGIONS;

/** A building with a pitched roof, m; its front looks along z. */
interface House {
  readonly width: number;
  readonly depth: number;
  readonly eaves: number;
  readonly ridge: number;
  readonly storeys: number;
  readonly storeyHeight: number;
  /** Whether the gable looks to the street: the ridge runs along z. */
  readonly gableFront: boolean;
  readonly hipped: boolean;
  readonly overhang: number;
  readonly garage: -1 | 0 | 1;
  readonly dormers: number;
  readonly chimneys: number;
  readonly terrace: boolean;
  readonly shops: boolean;
  readonly balcony: boolean;
}

const GARAGE_WIDTH = 3.2;

/** A detached or semi-detached house. */
export function houseModel(draw: Draw): Model {
  const storeys = draw.weighted([
    [3, 1],
    [5, 2],
  ] as const);
  const storeyHeight = draw.between(2.65, 2.95);
  const depth = draw.between(7.5, 11);
  const width = draw.between(8, 14);
  const gableFront = draw.chance(0.45);
  const eaves = storeys * storeyHeight + draw.between(0.3, 1);
  const pitch = storeys === 1 ? draw.between(0.7, 1.05) : draw.between(0.5, 0.9);
  return pitchedModel(draw, {
    width,
    depth,
    eaves,
    ridge: eaves + (pitch * (gableFront ? width : depth)) / 2,
    storeys,
    storeyHeight,
    gableFront,
    hipped: draw.chance(0.2),
    overhang: draw.between(0.35, 0.6),
    garage: draw.weighted([
      [2, 0],
      [1, 1],
      [1, -1],
    ] as const),
    dormers: gableFront ? 0 : draw.stream.integer(3),
    chimneys: 1,
    terrace: false,
    shops: false,
    balcony: storeys > 1 && draw.chance(0.35),
  });
}

/** A house of a closed row in a town: three to five storeys, eaves to the street, shops below. */
export function terraceModel(draw: Draw): Model {
  const storeys = 3 + draw.stream.integer(3);
  const storeyHeight = draw.between(2.95, 3.4);
  const depth = draw.between(10, 13);
  const eaves = storeys * storeyHeight + draw.between(0.4, 0.9);
  return pitchedModel(draw, {
    width: draw.between(10, 19),
    depth,
    eaves,
    ridge: eaves + depth * draw.between(0.26, 0.42),
    storeys,
    storeyHeight,
    gableFront: false,
    hipped: false,
    overhang: 0.3,
    garage: 0,
    dormers: draw.stream.integer(5),
    chimneys: 2,
    terrace: true,
    shops: draw.chance(0.45),
    balcony: draw.chance(0.3),
  });
}

function pitchedModel(draw: Draw, house: House): Model {
  const { width, depth, ridge, overhang, garage, terrace, chimneys } = house;
  const beside = terrace ? 0 : overhang;
  const style = drawFacadeStyle(draw, terrace);
  const bays = Math.max(2, Math.floor(width / (terrace ? draw.between(2.3, 2.9) : draw.between(2.5, 3.2))));
  const door = draw.stream.integer(bays);
  return {
    bounds: standing(
      width + 2 * beside + (garage ? GARAGE_WIDTH : 0),
      ridge + (chimneys ? 0.75 : 0),
      depth + 2 * overhang,
    ),
    crease: 30,
    texture: () => drawTexture(draw, house, style, bays, door),
    gather: (builder) => {
      addWalls(builder, house);
      addRoof(builder, house);
      addChimneys(builder, draw, house);
      addDormers(builder, house);
      if (house.balcony) addBalconies(builder, house, (door + 0.5 - bays / 2) * (width / bays), width / bays);
      if (!terrace) addCanopy(builder, house, (door + 0.5 - bays / 2) * (width / bays));
      if (garage) addGarage(builder, house, garage);
    },
  };
}

function drawTexture(draw: Draw, house: House, style: FacadeStyle, bays: number, door: number) {
  const { width, depth, eaves, ridge, gableFront, hipped, storeys, storeyHeight, terrace, shops } = house;
  const front: FacadePlan = {
    ...{ width, eaves, storeys, storeyHeight, bays, door, shops, blind: false },
    gable: gableFront && !hipped,
    height: gableFront && !hipped ? ridge : eaves,
  };
  const sideGable = !gableFront && !hipped;
  const side: FacadePlan = {
    ...{ eaves, storeys, storeyHeight, shops: false, door: -1, blind: terrace },
    width: depth,
    bays: Math.max(2, Math.floor(depth / 3.4)),
    gable: sideGable,
    height: sideGable ? ridge : eaves,
  };
  const slope = Math.sqrt(((gableFront ? width : depth) / 2) ** 2 + (ridge - eaves) ** 2);
  const plain = (region: Region, colour: readonly [number, number, number]) =>
    new Picture(region.width, region.height, colour);
  return new Atlas(SIZE)
    .draw(REGIONS.front, drawFacade(draw, REGIONS.front, front, style))
    .draw(REGIONS.side, drawFacade(draw, REGIONS.side, side, style))
    .draw(REGIONS.roof, drawRoof(draw, REGIONS.roof, slope))
    .draw(
      REGIONS.garage,
      drawGarage(
        REGIONS.garage,
        style,
        draw.pick([
          [204, 202, 196],
          [112, 84, 62],
          [150, 154, 156],
        ] as const),
      ),
    )
    .draw(REGIONS.dormer, drawDormer(draw, REGIONS.dormer, style))
    .draw(REGIONS.wall, plain(REGIONS.wall, lit(style.wall, 0.97)))
    .draw(REGIONS.metal, plain(REGIONS.metal, [150, 152, 152]))
    .draw(REGIONS.brick, plain(REGIONS.brick, [126, 84, 70]))
    .draw(REGIONS.concrete, plain(REGIONS.concrete, [166, 162, 154]))
    .image();
}

function at(region: RegionName, u: number, v: number): readonly [number, number] {
  return placeIn(REGIONS[region], SIZE, u, v);
}

function patch(region: RegionName, tint: Tint = light(1)): Look {
  return { place: at(region, 0.5, 0.5), tint };
}

/** Light on a wall: less above the ground and under the eaves. */
function wallLight({ eaves }: House): (point: Vector) => Tint {
  return ([, y]) =>
    light(Math.min(0.82 + 0.18 * Math.min(1, -y / 0.9), y < -eaves + 0.4 ? (y < -eaves - 0.05 ? 0.95 : 0.78) : 1));
}

function addWalls(builder: MeshBuilder, house: House): void {
  const { width, depth, eaves, ridge, gableFront, hipped } = house;
  const levels = [0, -0.9, -eaves + 0.45, -eaves];
  const tint = wallLight(house);
  for (const facing of ['front', 'back', 'right', 'left'] as const) {
    const alongX = facing === 'front' || facing === 'back';
    const [span, region] = alongX ? ([width, 'front'] as const) : ([depth, 'side'] as const);
    const gable = !hipped && gableFront === alongX;
    const height = gable ? ridge : eaves;
    const sign = facing === 'front' || facing === 'right' ? 1 : -1;
    const point = (t: number, y: number): Vector => (alongX ? [t, y, (sign * depth) / 2] : [(sign * width) / 2, y, t]);
    const out: Vector = alongX ? [0, 0, sign] : [sign, 0, 0];
    const look: Look = {
      tint,
      place: ([x, y, z]) => at(region, 0.5 + (alongX ? sign * x : -sign * z) / span, 1 + y / height),
    };
    builder.grid(
      levels.map((y) => [point(-span / 2, y), point(span / 2, y)]),
      look,
      () => out,
    );
    if (gable) builder.polygon([point(-span / 2, -eaves), point(span / 2, -eaves), point(0, -ridge)], look, out);
  }
}

function addRoof(builder: MeshBuilder, house: House): void {
  const { width, depth, eaves, ridge, gableFront, hipped, overhang, terrace } = house;
  const thickness = 0.16;
  // In the roof's own frame the ridge runs along a, the slopes fall along b.
  const [length, span] = gableFront ? [depth, width] : [width, depth];
  const point = (a: number, y: number, b: number): Vector => (gableFront ? [b, y, a] : [a, y, b]);
  const drop = ((ridge - eaves) / (span / 2)) * overhang;
  const half = span / 2 + overhang;
  const end = length / 2 + (terrace && !gableFront ? 0 : overhang);
  const low = -eaves + drop;
  const shortened = hipped ? Math.max(0.3, end - 0.8 * half) : end;
  const slope = (u0: number) => ({
    tint: light(1),
    place: (p: Vector) => at('roof', u0 + (gableFront ? p[2] : p[0]) / (2 * end), (p[1] + ridge) / (ridge + low)),
  });
  const soffit = patch('wall', light(0.5));
  const fascia = patch('metal', light(0.55));
  for (const side of [1, -1]) {
    const eave = [point(-end, low, side * half), point(end, low, side * half)];
    const top = [point(-shortened, -ridge, 0), point(shortened, -ridge, 0)];
    const out = point(0, -1, side);
    builder.polygon([eave[0], eave[1], top[1], top[0]], slope(0.5), out);
    const down = (p: Vector): Vector => [p[0], p[1] + thickness, p[2]];
    builder.polygon([eave[0], eave[1], down(eave[1]), down(eave[0])], fascia, point(0, 0, side));
    if (hipped) {
      builder.polygon(
        [point(side * end, low, -half), point(side * end, low, half), point(side * shortened, -ridge, 0)],
        {
          tint: light(1),
          place: (p) => at('roof', 0.5 + (gableFront ? p[0] : p[2]) / (2 * half), (p[1] + ridge) / (ridge + low)),
        },
        point(side, -1, 0),
      );
      const corners = [point(side * end, low, -half), point(side * end, low, half)];
      builder.polygon([...corners, down(corners[1]), down(corners[0])], fascia, point(side, 0, 0));
    } else {
      builder.polygon([eave[0], eave[1], top[1], top[0]].map(down), soffit, point(0, 1, -side));
      for (const tip of [0, 1]) {
        builder.polygon([eave[tip], top[tip], down(top[tip]), down(eave[tip])], fascia, point(tip ? 1 : -1, 0, 0));
      }
    }
  }
  if (hipped) {
    const y = low + thickness;
    builder.polygon(
      [point(-end, y, -half), point(end, y, -half), point(end, y, half), point(-end, y, half)],
      soffit,
      [0, 1, 0],
    );
  }
}

function addChimneys(
  builder: MeshBuilder,
  draw: Draw,
  { width, depth, ridge, gableFront, chimneys, hipped }: House,
): void {
  for (let i = 0; i < chimneys; i++) {
    const along = (hipped ? 0.05 : draw.between(0.18, 0.34)) * (i % 2 === 0 ? 1 : -1) * (gableFront ? depth : width);
    const [x, z] = gableFront ? [0.5, along] : [along, -0.5];
    addBox(builder, [x - 0.3, -ridge - 0.75, z - 0.3], [x + 0.3, -ridge + 0.9, z + 0.3], patch('brick', light(0.95)), [
      'bottom',
    ]);
  }
}

/** Boxes with a window that stand out of the front slope. */
function addDormers(builder: MeshBuilder, { width, depth, eaves, ridge, dormers, hipped }: House): void {
  if (hipped || ridge - eaves < 2.2) return;
  const slope = (ridge - eaves) / (depth / 2);
  for (let i = 0; i < dormers; i++) {
    const x = ((i + 0.5) / dormers - 0.5) * 0.8 * width;
    const half = 0.85;
    const front = 0.82 * (depth / 2);
    const foot = -eaves - slope * (depth / 2 - front);
    const top = Math.max(foot - 1.35, -ridge + 0.25);
    const rear = depth / 2 - (-top - eaves) / slope;
    const roof = patch('metal', light(0.5));
    const look: Look = {
      tint: light(0.97),
      place: ([px, y]) => at('dormer', 0.5 + (px - x) / (2 * half), (y - top) / (foot - top)),
    };
    builder.polygon(
      [
        [x - half, top, front],
        [x + half, top, front],
        [x + half, foot, front],
        [x - half, foot, front],
      ],
      look,
      [0, 0, 1],
    );
    for (const side of [-1, 1]) {
      builder.polygon(
        [
          [x + side * half, top, front],
          [x + side * half, foot, front],
          [x + side * half, top, rear],
        ],
        patch('wall', light(0.85)),
        [side, 0, 0],
      );
    }
    addBox(builder, [x - half - 0.12, top - 0.14, rear - 0.3], [x + half + 0.12, top, front + 0.18], roof);
  }
}

/** A small roof above the entrance and its steps. */
function addCanopy(builder: MeshBuilder, { depth, overhang }: House, x: number): void {
  const z = depth / 2;
  const reach = Math.min(0.95, overhang - 0.02 + 0.3);
  addBox(
    builder,
    [x - 0.95, -2.62, z - 0.05],
    [x + 0.95, -2.5, z + Math.min(reach, overhang)],
    patch('metal', light(0.6)),
    ['back'],
  );
  addBox(builder, [x - 0.8, -0.15, z - 0.05], [x + 0.8, 0, z + Math.min(reach, overhang)], patch('concrete'), [
    'back',
    'bottom',
  ]);
}

function addBalconies(
  builder: MeshBuilder,
  { depth, storeys, storeyHeight, overhang, shops }: House,
  door: number,
  bay: number,
): void {
  const z = depth / 2;
  const reach = Math.max(0.25, overhang);
  for (let storey = 1; storey < storeys; storey++) {
    const floor = -storey * storeyHeight;
    if (shops && storey === 1) continue;
    const [x0, x1] = [door - 0.48 * bay, door + 0.48 * bay];
    addBox(builder, [x0, floor - 0.02, z - 0.02], [x1, floor + 0.14, z + reach], patch('concrete', light(0.85)), [
      'back',
    ]);
    addBox(builder, [x0, floor - 0.9, z + reach - 0.05], [x1, floor - 0.12, z + reach], patch('metal', light(0.8)));
  }
}

function addGarage(builder: MeshBuilder, { width, depth }: House, side: -1 | 1): void {
  const [inner, outer] = [(side * width) / 2, side * (width / 2 + GARAGE_WIDTH)];
  const [x0, x1] = [Math.min(inner, outer), Math.max(inner, outer)];
  const [z0, z1, height] = [-0.28 * depth, 0.34 * depth, 2.55];
  addBox(
    builder,
    [x0, -height, z0],
    [x1, 0, z1],
    (face) =>
      face === 'front'
        ? { tint: light(0.97), place: ([x, y]) => at('garage', (x - x0) / (x1 - x0), 1 + y / height) }
        : patch(face === 'top' ? 'concrete' : 'wall', light(face === 'top' ? 0.7 : 0.92)),
    ['bottom', side > 0 ? 'left' : 'right'],
  );
  const edge = between([x0, 0, 0], [x1, 0, 0], 0.5)[0];
  addBox(
    builder,
    [edge - (x1 - x0) / 2, -height - 0.16, z1 - 0.2],
    [edge + (x1 - x0) / 2, -height, z1 + 0.12],
    patch('metal', light(0.55)),
  );
}
