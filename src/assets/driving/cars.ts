import { placeIn } from './atlas.js';
import { beltAt, ROOF_EDGE, type Section, sectionAt, stationsOf } from './carBody.js';
import type { Car } from './carShapes.js';
import { CAR_REGIONS, CAR_TEXTURE_SIZE, drawCarTexture } from './carTexture.js';
import type { Look, MeshBuilder, Tint } from './meshBuilder.js';
import { type Model, standing } from './model.js';
import { light, tint } from './palette.js';
import { addBox, circle } from './solids.js';
import { cross, subtract, type Vector } from './vector.js';

type RegionName = keyof typeof CAR_REGIONS;

/** Shares of a cap's half width at which it has columns, and how far the rows of its middle stand out, m. */
const CAP_COLUMNS = [-1, -0.55, 0, 0.55, 1];
const FRONT_BULGE = [0, 0.07, 0.1, 0.07, 0.04, 0.03, 0.02, 0];
const REAR_BULGE = [0, 0.05, 0.06, 0.045, 0.03, 0.02, 0.01, 0];
const WHEEL_SIDES = 12;
const WHEEL_WIDTH = 0.2;

/** A car as a mesh: one closed skin lofted from front to rear, wheels, mirrors, and a texture of its own. */
export function carModel(car: Car): Model {
  return {
    bounds: standing(car.width, car.height, car.length),
    // Annotators leave the mirrors out.
    body: standing(2 * car.halfWidth, car.height, car.length),
    crease: 30,
    gather: (builder) => {
      addBody(builder, car);
      addWheels(builder, car);
      addMirrors(builder, car);
      addUnderside(builder, car);
      if (car.rails) addRails(builder, car);
      if (car.shape.box) addCargoBox(builder, car, car.shape.box);
    },
    texture: () => drawCarTexture(car),
  };
}

/** The part of a picture where a point of the body is drawn. */
function placeOf(car: Car, region: RegionName): (point: Vector) => readonly [number, number] {
  const { length, height, halfWidth } = car;
  return ([x, y, z]) => {
    const along = 0.5 - z / length;
    // Who looks at the front has the car's right at his left.
    const across = 0.5 + ((region === 'front' ? -0.5 : 0.5) * x) / halfWidth;
    const down = 1 + y / height;
    const [u, v] = region === 'side' ? [along, down] : region === 'top' ? [along, across] : [across, down];
    return placeIn(CAR_REGIONS[region], CAR_TEXTURE_SIZE, u, v);
  };
}

/** How much of the sky's light reaches a point of the outside: less near the road. */
function skylight(car: Car): (point: Vector) => Tint {
  return ([, y]) => light(0.58 + 0.42 * Math.min(1, Math.max(0, (-y - 0.12) / (0.42 * car.height))));
}

function addBody(builder: MeshBuilder, car: Car): void {
  const sections = stationsOf(car).map(([s, edge]) => sectionAt(car, s, edge));
  for (const sign of [1, -1]) {
    const rows = sections.map((section) => section.map(([x, y, z]): Vector => [sign * x, y, z]));
    for (let i = 0; i + 1 < rows.length; i++) {
      for (let k = 0; k + 1 < rows[i].length; k++) {
        const face = [rows[i][k], rows[i][k + 1], rows[i + 1][k + 1], rows[i + 1][k]];
        // On the right side rows run to the rear and columns upwards: this order faces outwards; mirrored on the left.
        builder.polygon(sign > 0 ? face : [...face].reverse(), lookOf(car, k, face));
      }
    }
  }
  addCap(builder, car, sections[0], 'front', FRONT_BULGE);
  addCap(builder, car, sections[sections.length - 1], 'rear', REAR_BULGE);
  const floor = sections.map((section) =>
    CAP_COLUMNS.map((share): Vector => [share * section[0][0], section[0][1], section[0][2]]),
  );
  builder.grid(floor, dark(0.2), () => [0, 1, 0]);
}

function dark(share: number): Look {
  return { tint: light(share), place: patch('plastic') };
}

function patch(region: RegionName): readonly [number, number] {
  return placeIn(CAR_REGIONS[region], CAR_TEXTURE_SIZE, 0.5, 0.5);
}

/** Which picture a face of the skin shows, by where it looks. */
function lookOf(car: Car, row: number, [a, b, c, d]: readonly Vector[]): Look {
  const s = 0.5 - (a[2] + c[2]) / 2 / car.length;
  const { bed, glassBottom } = car.shape;
  if (bed && row >= ROOF_EDGE && s > bed[0] - 0.003 && s < bed[1] + 0.003) return dark(0.75);
  // Between cabin and load bed: lights and number plate belong to the very rear.
  if (bed && row >= ROOF_EDGE && s > glassBottom[0] && s < bed[0])
    return { place: placeOf(car, 'top'), tint: light(0.8) };
  const n = cross(subtract(c, a), subtract(d, b)).map(Math.abs);
  const end: RegionName = (a[2] + c[2]) / 2 > 0.24 * car.length * (car.shape.box ? 0.3 : 0) ? 'front' : 'rear';
  const region: RegionName =
    row < ROOF_EDGE
      ? n[2] > n[0]
        ? end
        : 'side'
      : 2.2 * n[2] > n[1] && n[2] > 0.6 * n[0]
        ? end
        : n[0] > 1.6 * n[1]
          ? 'side'
          : 'top';
  return { place: placeOf(car, region), tint: skylight(car) };
}

function addCap(
  builder: MeshBuilder,
  car: Car,
  section: Section,
  region: 'front' | 'rear',
  bulge: readonly number[],
): void {
  const sign = region === 'front' ? 1 : -1;
  const rows = section.map(([x, y, z], k) =>
    CAP_COLUMNS.map((share): Vector => [share * x, y, z + sign * bulge[k] * (x > 0 ? 1 - share * share : 0)]),
  );
  builder.grid(rows, { place: placeOf(car, region), tint: skylight(car) }, () => [0, 0, sign]);
}

/** Tyres with their rims: outer face, shoulder, tread and inner face. */
function addWheels(builder: MeshBuilder, car: Car): void {
  const { shape, length, wheelRadius: radius, halfWidth } = car;
  const ring = [...circle(WHEEL_SIDES, 0), [1, 0] as const];
  for (const axle of shape.axles) {
    const z = (0.5 - axle) * length;
    for (const sign of [1, -1]) {
      const outer = sign * (0.95 * halfWidth - 0.015);
      const at = (x: number, r: number) => ring.map(([c, s]): Vector => [x, -radius + r * s, z + r * c]);
      const disc = at(outer - sign * 0.01, 0.93 * radius).slice(0, -1);
      const face: Look = {
        place: ([, py, pz]) =>
          placeIn(
            CAR_REGIONS.wheel,
            CAR_TEXTURE_SIZE,
            0.5 + (0.5 * (pz - z)) / radius,
            0.5 + (0.5 * (py + radius)) / radius,
          ),
        tint: ([, py]) => light(0.75 + 0.25 * Math.min(1, -py / (1.4 * radius))),
      };
      builder.polygon(disc, face, [sign, 0, 0]);
      const tread: Look = {
        place: patch('plastic'),
        tint: ([, py]) => light(0.35 + 0.25 * Math.min(1, Math.abs(-py - radius) / radius)),
      };
      const rings = [
        at(outer - sign * 0.01, 0.93 * radius),
        at(outer - sign * 0.03, radius),
        at(outer - sign * WHEEL_WIDTH, radius),
      ];
      builder.grid(rings, tread, ([, py, pz]) => [0, py + radius, pz - z]);
      builder.polygon(at(outer - sign * WHEEL_WIDTH, radius).slice(0, -1), dark(0.3), [-sign, 0, 0]);
    }
  }
}

/** What hangs under the middle of a car, so that nobody looks through its wheel arches. */
function addUnderside(builder: MeshBuilder, car: Car): void {
  const { shape, length, halfWidth, wheelRadius } = car;
  for (const axle of shape.axles) {
    const z = (0.5 - axle) * length;
    const reach = wheelRadius + 0.03;
    addBox(
      builder,
      [-0.62 * halfWidth, -wheelRadius - 0.36, z - reach],
      [0.62 * halfWidth, -0.9 * shape.clearance, z + reach],
      dark(0.18),
    );
  }
}

function addMirrors(builder: MeshBuilder, car: Car): void {
  const { shape, length, height, halfWidth, width } = car;
  const s = shape.cowl[0] + (0.055 * 4.2) / length + (shape.box ? 0.012 : 0);
  const z = (0.5 - s) * length;
  const low = beltAt(car, s) + 0.005 * height;
  const tall = shape.box || shape.lean < 0.2 ? 0.2 : 0.125;
  const housing = car.blackMirrors || car.plainBumpers ? dark(0.9) : { place: patch('paint'), tint: light(0.95) };
  for (const sign of [1, -1]) {
    const inner = sign * 0.86 * halfWidth;
    const outer = (sign * width) / 2;
    const rear = (x: number): Vector[] => [
      [x, -low - 0.02, z - 0.05],
      [x, -low - tall, z - 0.05],
    ];
    const front = (x: number): Vector[] => [
      [x, -low - 0.035, z + 0.06],
      [x, -low - tall + 0.03, z + 0.06],
    ];
    const ring = (x: number, squeeze: number): Vector[] => {
      const corners = [...rear(x), ...front(x).reverse()];
      const middle = -low - tall / 2;
      return corners.map(([cx, cy, cz]) => [cx, middle + (cy - middle) * squeeze, z + (cz - z) * squeeze]);
    };
    const rows = [ring(inner, 0.6), ring(sign * (width / 2 - 0.06), 1), ring(outer, 0.8)].map((r) => [...r, r[0]]);
    builder.grid(rows, housing, ([, y, pz]) => [0, y + low + tall / 2, pz - z]);
    builder.polygon(rows[2].slice(0, -1), housing, [sign, 0, 0]);
    builder.polygon(rows[0].slice(0, -1), housing, [-sign, 0, 0]);
  }
}

function addRails(builder: MeshBuilder, car: Car): void {
  const { shape, length } = car;
  const roof = shape.roof;
  const ends = [roof[0][0] + 0.05, roof[roof.length - 1][0] - 0.05];
  for (const sign of [1, -1]) {
    const points = [ends[0], (ends[0] + ends[1]) / 2, ends[1]].map((s) => {
      const edge = sectionAt(car, s)[ROOF_EDGE];
      return { x: sign * (edge[0] - 0.045), y: edge[1] - 0.055, z: (0.5 - s) * length };
    });
    const rows = points.map(({ x, y, z }): Vector[] => [
      [x - 0.018, y + 0.07, z],
      [x - 0.018, y, z],
      [x + 0.018, y, z],
      [x + 0.018, y + 0.07, z],
      [x - 0.018, y + 0.07, z],
    ]);
    const look: Look = { place: patch('metal'), tint: light(0.7) };
    builder.grid(rows, look, ([x, y]) => [x - points[1].x, y - points[1].y - 0.035, 0]);
    builder.polygon(rows[0].slice(0, -1), look, [0, 0, 1]);
    builder.polygon(rows[2].slice(0, -1), look, [0, 0, -1]);
  }
}

/** The closed box of a small truck, with the frame of its doors. */
function addCargoBox(builder: MeshBuilder, car: Car, [from, to]: readonly [number, number]): void {
  const { length, height, width } = car;
  const [front, rear] = [(0.5 - from) * length, (0.5 - to) * length];
  const half = width / 2 - 0.06;
  const [low, place] = [-0.32 * height, patch('white')];
  const shade = (side: string): Look => ({
    place,
    tint: ([, y]) =>
      tint(car.boxColour, side === 'bottom' ? 0.2 : side === 'top' ? 1 : 0.78 + 0.22 * Math.min(1, (low - y) / 1.2)),
  });
  addBox(builder, [-half, -height, rear], [half, low, front], (side) => shade(side));
  for (const x of [-half, 0, half]) {
    const [w, edge]: [number, number] = [x === 0 ? 0.012 : 0.035, x === 0 ? 0 : x > 0 ? -0.035 : 0.035];
    addBox(builder, [x + edge - w, -height + 0.03, rear - 0.025], [x + edge + w, low, rear], {
      place,
      tint: [0.45, 0.46, 0.47],
    });
  }
}
