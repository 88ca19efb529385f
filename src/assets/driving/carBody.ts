import { cos, PI, sin } from '../../deterministicMath.js';
import type { Car, ProfilePoint } from './carShapes.js';
import type { Vector } from './vector.js';

/** Space around a wheel, m. */
const ARCH_GAP = 0.045;
/** Half the thickness of a load bed's walls, share of the length; and the height of its floor, share of the height. */
const BED_WALL = 0.004;
const BED_FLOOR = 0.42;
/** Degrees along an arch at which the skin has a station. */
const ARCH_ANGLES = [0, 22, 52, 90, 128, 158, 180];
/** Distances from bumper, m, and share of the full width there. */
const FRONT_PLAN: readonly (readonly [number, number])[] = [
  [0, 0.72],
  [0.05, 0.83],
  [0.16, 0.935],
  [0.42, 0.985],
  [0.9, 1],
];
const REAR_PLAN: readonly (readonly [number, number])[] = [
  [0, 0.8],
  [0.04, 0.89],
  [0.13, 0.955],
  [0.4, 0.985],
  [0.9, 1],
];

/** Right half of a cross-section, from the lower edge over belt (3) and edge of the roof (4) to the middle (7). */
export type Section = readonly Vector[];
/** Index of the belt and of the roof's edge (or the bonnet's) in a section. */
export const BELT = 3;
export const ROOF_EDGE = 4;

/** Height of the belt, m. */
export function beltAt({ shape, height }: Car, s: number): number {
  return height * (shape.belt[0] + s * (shape.belt[1] - shape.belt[0]));
}

/** The whole outline from front to rear. */
export function profileOf({ shape }: Car): readonly ProfilePoint[] {
  return [...shape.hood, shape.cowl, ...shape.roof, shape.glassBottom, ...shape.deck];
}

/** Height of the wheel arch's edge or of the sill at share `s` of the length, m. */
function lowerEdge(car: Car, s: number): number {
  const radius = car.wheelRadius + ARCH_GAP;
  for (const axle of car.shape.axles) {
    const d = Math.abs(s - axle) * car.length;
    if (d < radius - 1e-6) return car.wheelRadius + Math.sqrt(radius * radius - d * d);
  }
  // The bumpers rise a little towards their ends.
  const end = Math.min(s, 1 - s) * car.length;
  return car.shape.clearance + 0.05 * Math.max(0, 1 - end / 0.5);
}

/** Shares of the length where the skin has cross-sections; at a doubled one the lower edge jumps. */
export function stationsOf(car: Car): readonly (readonly [s: number, edge: number])[] {
  const { shape, length } = car;
  const radius = car.wheelRadius + ARCH_GAP;
  const arches = shape.axles.map((axle) => [axle - radius / length, axle + radius / length] as const);
  const inArch = (s: number) => arches.some(([from, to]) => s > from - 0.006 && s < to + 0.006);
  const plain = [
    ...profileOf(car).map(([s]) => s),
    ...FRONT_PLAN.slice(1, -1).map(([d]) => d / length),
    ...REAR_PLAN.slice(1, -1).map(([d]) => 1 - d / length),
    0.5,
    ...(shape.bed ?? []).flatMap((s) => [s - BED_WALL, s + BED_WALL]),
  ];
  const stations = plain
    .filter((s, i) => !inArch(s) || (i < profileOf(car).length && isCorner(car, s)))
    .map((s): [number, number] => [s, lowerEdge(car, s)]);
  for (const axle of shape.axles) {
    for (const angle of ARCH_ANGLES) {
      const turn = (angle / 180) * PI;
      const s = axle - (radius * cos(turn)) / length;
      const edge = angle % 180 === 0 ? lowerEdge(car, s + (angle === 0 ? -1e-4 : 1e-4)) : 0;
      stations.push([s, edge || car.wheelRadius + radius * sin(turn)]);
    }
  }
  stations.sort((a, b) => a[0] - b[0] || a[1] - b[1]);
  // Two that nearly coincide make slivers; the outline's own points and the arches' feet stay.
  return stations.filter(([s], i) => i === 0 || s - stations[i - 1][0] > 0.0035 || s === 1);
}

/** Whether the outline bends visibly at this point (roof, windscreen), so that a station must be there. */
function isCorner({ shape }: Car, s: number): boolean {
  return s === shape.cowl[0] || s === shape.roof[0][0] || s === shape.glassBottom[0];
}

/** The right half of the cross-section at share `s` of the length whose lower edge is `edge` m high. */
export function sectionAt(car: Car, s: number, edge = lowerEdge(car, s)): Section {
  const { shape, height, length } = car;
  const [top, bow] = outlineAt(car, s);
  const belt = beltAt(car, s);
  const half = car.halfWidth * planAt(s * length, (1 - s) * length);
  const cabin = clamp((top - belt) / (0.12 * height));
  const h3 = Math.min(belt, top - 0.03 * height);
  const h1 = Math.max(edge + 0.02, Math.min(0.23 * height, h3 - 0.12));
  const h2 = Math.max(h1 + 0.02, Math.min(0.43 * height, h3 - 0.06));
  const x3 = 0.955 * half;
  const h4 = top - height * (0.01 + 0.04 * cabin);
  const x4 = 0.88 * half + cabin * (x3 - 0.015 - shape.lean * Math.max(0, h4 - h3) - 0.88 * half);
  const x5 = x4 - 0.035 * cabin - 0.1 * (1 - cabin);
  const x6 = 0.55 * x4;
  const z = (0.5 - s) * length;
  const lowest = 0.95 * half;
  const nose = clamp(1 - (s * length) / 0.35);
  const tail = clamp(1 - ((1 - s) * length) / 0.35);
  // Bumpers stand out; what is above and below them lies back.
  const back = (h: number) => {
    const bumper = 0.31 * height;
    const above = Math.max(0, h - bumper) / height;
    const below = Math.max(0, bumper - 0.05 - h);
    return -nose * (0.42 * above + 0.25 * below) + tail * (0.12 * above + 0.22 * below);
  };
  const point = (x: number, h: number, dz = 0): Vector => [x, -h, z + back(h) + dz];
  const outside = [point(lowest, edge), point(0.99 * half, h1), point(half, h2), point(x3, h3)];
  if (shape.bed && s > shape.bed[0] && s < shape.bed[1]) {
    const [floor, wall] = [BED_FLOOR * height, 0.9 * half];
    return [...outside, point(0.92 * half, top), point(wall, floor), point(0.5 * wall, floor), point(0, floor)];
  }
  return [
    ...outside,
    point(x4, h4, -bow),
    point(x5, top - 0.014 * height * (0.3 + 0.7 * cabin), -0.85 * bow),
    point(x6, top - 0.003 * height, -0.3 * bow),
    point(0, top),
  ];
}

/** Height of the outline's centre line and how far its sides stand behind, m. */
function outlineAt(car: Car, s: number): readonly [height: number, bow: number] {
  const profile = profileOf(car);
  const i = Math.max(
    1,
    profile.findIndex(([at]) => at >= s - 1e-9),
  );
  const [s0, h0, b0 = 0] = profile[i - 1];
  const [s1, h1, b1 = 0] = profile[i];
  const share = clamp((s - s0) / (s1 - s0));
  const middle = (car.shape.cowl[0] + car.shape.glassBottom[0]) / 2;
  // Towards the middle of the cabin: backwards in front of it, forwards behind it.
  const sign = s < middle ? 1 : -1;
  return [car.height * (h0 + share * (h1 - h0)), sign * (b0 + share * (b1 - b0))];
}

/** Share of the full width at distances from the bumpers, m. */
function planAt(front: number, rear: number): number {
  return Math.min(table(FRONT_PLAN, front), table(REAR_PLAN, rear));
}

function table(rows: readonly (readonly [number, number])[], at: number): number {
  const i = rows.findIndex(([d]) => d >= at);
  if (i < 0) return 1;
  if (i === 0) return rows[0][1];
  const [d0, v0] = rows[i - 1];
  const [d1, v1] = rows[i];
  return v0 + ((at - d0) / (d1 - d0)) * (v1 - v0);
}

function clamp(value: number): number {
  return Math.min(1, Math.max(0, value));
}
