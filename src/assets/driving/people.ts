import { cos, PI, sin, TURN } from '../../deterministicMath.js';
import type { Draw } from '../aerial/draw.js';
import type { Colour } from '../aerial/painter.js';
import { addFigure, drawOutfit, type Joints, type Outfit, walking } from './figures.js';
import type { Look, MeshBuilder } from './meshBuilder.js';
import { type Model, measured } from './model.js';
import { tint } from './palette.js';
import { addTube } from './solids.js';
import { scale, type Vector } from './vector.js';

/** A person who walks forwards, or stands. */
export function pedestrianModel(draw: Draw): Model {
  const outfit = drawOutfit(draw);
  const child = draw.chance(0.1);
  const height = child ? draw.between(1.15, 1.45) : draw.between(1.55, 1.9) - (outfit.longHair ? 0.07 : 0);
  const build = draw.between(0.92, 1.16) * (child ? 1.08 : 1);
  const standingStill = draw.chance(0.15);
  const stride = standingStill ? draw.between(-0.06, 0.06) : draw.between(0.22, 0.46) * (draw.chance(0.5) ? 1 : -1);
  const joints = walking(stride, stride * draw.between(0.8, 1.2));
  const gather = (builder: MeshBuilder) => addFigure(builder, joints, height, build, outfit);
  return { bounds: measured(gather), crease: 60, gather };
}

const METAL: Colour = [60, 62, 66];
const RUBBER: Colour = [28, 28, 29];
const FRAMES: readonly Colour[] = [
  [40, 42, 46],
  [150, 152, 156],
  [132, 34, 36],
  [40, 66, 120],
  [54, 92, 66],
];
/** Places on a bicycle in m, the rear hub's ground contact at z = −0.52. */
const REAR: Vector = [0, -0.345, -0.52];
const FRONT: Vector = [0, -0.345, 0.54];
const CRANK: Vector = [0, -0.29, -0.09];
const SADDLE: Vector = [0, -0.93, -0.26];
const HEADSET: Vector = [0, -0.84, 0.33];
const GRIP: Vector = [0.26, -1.02, 0.24];

/** A person on a bicycle. */
export function cyclistModel(draw: Draw): Model {
  const outfit: Outfit = {
    ...drawOutfit(draw),
    skirt: false,
    coat: false,
    helmet: draw.chance(0.45)
      ? draw.pick<Colour>([
          [220, 220, 216],
          [36, 38, 40],
          [160, 36, 34],
        ])
      : undefined,
  };
  const colour = draw.pick(FRAMES);
  const crank = draw.between(0, TURN);
  const height = draw.between(1.66, 1.84);
  const joints = riding(crank, height, draw.between(0.05, 0.2));
  const gather = (builder: MeshBuilder) => {
    addBicycle(builder, colour, crank);
    addFigure(builder, joints, height, 1, outfit);
  };
  return { bounds: measured(gather), crease: 60, gather };
}

/** Joints, in shares of the height, of a rider whose right pedal is at `crank` (0 forwards, a quarter turn down). */
function riding(crank: number, height: number, lean: number): Joints {
  const per = (point: Vector): Vector => scale(point, 1 / height);
  const hip: Vector = [0, SADDLE[1] - 0.1, SADDLE[2] + 0.02];
  const trunk = 0.315 * height;
  const angle = 0.25 + lean;
  const neck: Vector = [0, hip[1] - trunk * cos(angle), hip[2] + trunk * sin(angle)];
  const leg = (x: number, turn: number) => {
    const foot: Vector = [x, CRANK[1] + 0.17 * sin(turn) - 0.1, CRANK[2] + 0.17 * cos(turn) - 0.06];
    return { knee: bent([x, hip[1], hip[2]], foot, 0.245 * height, 0.235 * height, 1), ankle: foot };
  };
  const arm = (sign: number) => {
    const shoulder: Vector = [sign * 0.098 * height, neck[1] + 0.035 * height, neck[2]];
    const hand: Vector = [sign * GRIP[0], GRIP[1] - 0.03, GRIP[2]];
    return { elbow: bent(shoulder, hand, 0.18 * height, 0.18 * height, -1), wrist: hand };
  };
  const [left, right, leftArm, rightArm] = [leg(-0.1, crank + PI), leg(0.1, crank), arm(-1), arm(1)];
  return {
    hip: per(hip),
    neck: per(neck),
    head: per([0, neck[1] - 0.085 * height, neck[2] + 0.045 * height]),
    knees: [per(left.knee), per(right.knee)],
    ankles: [per(left.ankle), per(right.ankle)],
    elbows: [per(leftArm.elbow), per(rightArm.elbow)],
    wrists: [per(leftArm.wrist), per(rightArm.wrist)],
  };
}

/** The joint between two bones from `a` to `b`, bent forwards (1) or backwards (−1). */
function bent(a: Vector, b: Vector, upper: number, lower: number, way: number): Vector {
  const [dx, dy, dz] = [b[0] - a[0], b[1] - a[1], b[2] - a[2]];
  const far = Math.sqrt(dx * dx + dy * dy + dz * dz);
  const along = Math.min(1, (upper * upper - lower * lower + far * far) / (2 * far * far));
  const out = Math.sqrt(Math.max(0, upper * upper - along * along * far * far));
  // Square to the line in the plane of y and z: forwards where it hangs down.
  const flat = Math.sqrt(dy * dy + dz * dz);
  return [a[0] + along * dx, a[1] + along * dy - (way * out * dz) / flat, a[2] + along * dz + (way * out * dy) / flat];
}

function addBicycle(builder: MeshBuilder, colour: Colour, crank: number): void {
  const frame: Look = { tint: tint(colour) };
  const metal: Look = { tint: tint(METAL) };
  const bar = (a: Vector, b: Vector, radius: number, look: Look) =>
    addTube(
      builder,
      [
        { at: a, radius },
        { at: b, radius },
      ],
      4,
      look,
    );
  for (const hub of [REAR, FRONT]) addWheel(builder, hub);
  const fork: Vector = [0, -0.66, 0.38];
  bar(fork, FRONT, 0.018, frame);
  bar(HEADSET, fork, 0.02, frame);
  bar(CRANK, [0, -0.68, 0.37], 0.021, frame);
  bar(CRANK, [0, -0.82, -0.23], 0.019, frame);
  bar([0, -0.74, 0.35], [0, -0.72, -0.205], 0.017, frame);
  bar(CRANK, REAR, 0.014, frame);
  bar([0, -0.72, -0.205], REAR, 0.012, frame);
  bar([0, -0.8, -0.225], SADDLE, 0.014, metal);
  bar([0, SADDLE[1], SADDLE[2] - 0.12], [0, SADDLE[1], SADDLE[2] + 0.12], 0.055, { tint: tint(RUBBER) });
  bar(HEADSET, [0, GRIP[1], GRIP[2] + 0.06], 0.014, metal);
  for (const sign of [-1, 1]) {
    bar([0, GRIP[1], GRIP[2] + 0.06], [sign * GRIP[0], GRIP[1], GRIP[2]], 0.014, metal);
    const turn = sign > 0 ? crank : crank + PI;
    const pedal: Vector = [sign * 0.09, CRANK[1] + 0.17 * sin(turn), CRANK[2] + 0.17 * cos(turn)];
    bar([sign * 0.06, CRANK[1], CRANK[2]], pedal, 0.012, metal);
    bar([sign * 0.05, pedal[1], pedal[2]], [sign * 0.16, pedal[1], pedal[2]], 0.025, { tint: tint(RUBBER) });
  }
}

/** A tyre with its rim: a ring; spokes are too thin to be seen. */
function addWheel(builder: MeshBuilder, hub: Vector): void {
  const radius = -hub[1];
  const count = 16;
  const rows = Array.from({ length: count + 1 }, (_, i) => {
    const angle = (TURN * (i % count)) / count;
    const at = (r: number, x: number): Vector => [x, hub[1] + r * sin(angle), hub[2] + r * cos(angle)];
    return [
      at(radius, -0.018),
      at(radius, 0.018),
      at(radius - 0.045, 0.014),
      at(radius - 0.045, -0.014),
      at(radius, -0.018),
    ];
  });
  const middle = radius - 0.022;
  builder.grid(
    rows,
    (_, column) => ({ tint: tint(column === 0 ? RUBBER : [74, 75, 77]) }),
    ([x, y, z]) => {
      const [dy, dz] = [y - hub[1], z - hub[2]];
      const far = Math.sqrt(dy * dy + dz * dz);
      return [2 * x, dy * (far - middle), dz * (far - middle)];
    },
  );
  for (let i = 0; i < 3; i++) {
    const angle = (PI * i) / 3;
    const [dy, dz] = [(radius - 0.04) * sin(angle), (radius - 0.04) * cos(angle)];
    addTube(
      builder,
      [
        { at: [0, hub[1] - dy, hub[2] - dz], radius: 0.004 },
        { at: [0, hub[1] + dy, hub[2] + dz], radius: 0.004 },
      ],
      3,
      { tint: tint([120, 122, 124]) },
    );
  }
}
