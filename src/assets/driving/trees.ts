import { cos, sin, TURN } from '../../deterministicMath.js';
import type { Draw } from '../aerial/draw.js';
import type { Colour } from '../aerial/painter.js';
import type { SpriteImage } from '../assetLibrary.js';
import type { Look, MeshBuilder, Tint } from './meshBuilder.js';
import { type Model, standing } from './model.js';
import { tint } from './palette.js';
import { addTube, sphereTriangles } from './solids.js';
import { add, cross, dot, scale, subtract, unit, type Vector } from './vector.js';

/** Side of the leaf texture on a tree, m. */
const LEAF_TILE = 4.2;
const BARK: Colour = [104, 92, 78];
/** Sunlit foliage of late summer, before the leaf texture darkens it; a few trees turn yellow. */
const GREENS: readonly (readonly [weight: number, colour: Colour])[] = [
  [6, [104, 124, 58]],
  [6, [88, 110, 54]],
  [5, [120, 132, 64]],
  [4, [98, 108, 50]],
  [3, [78, 102, 56]],
  [2, [140, 134, 62]],
  [1, [148, 112, 54]],
];
const DARK_GREENS: readonly Colour[] = [
  [58, 78, 48],
  [66, 84, 46],
  [52, 72, 54],
  [76, 92, 48],
];

/** Sprays of leaves on a crown, of four triangles each. */
const SPRAYS = 105;

/** Balls of 20 and 80 triangles. */
const BALLS = [sphereTriangles(0), sphereTriangles(1)] as const;

interface Detail {
  readonly level: 0 | 1;
  readonly tufts: number;
}

interface Blob {
  readonly centre: Vector;
  readonly radii: Vector;
  readonly colour: Colour;
}

/** A crown: where it is and how its foliage is lit. */
interface Crown {
  readonly centre: Vector;
  readonly radii: Vector;
  readonly darkest: number;
}

/** A deciduous tree: trunk, branches, and a crown of several clumps with leaves that stand out. */
export function deciduousModel(draw: Draw, leaves: () => SpriteImage): Model {
  const height = draw.between(5.5, 13);
  const width = height * draw.between(0.5, 0.8);
  const stem = height * draw.between(0.2, 0.34);
  return {
    bounds: standing(width, height, width * draw.between(0.88, 1)),
    crease: 180,
    texture: leaves,
    gather: (builder) => {
      const colour = draw.weighted(GREENS);
      const crown: Crown = {
        centre: [0, -(stem + height) / 2 + 0.02 * height, 0],
        radii: [width / 2, (height - stem) / 2, width / 2],
        darkest: 0.42,
      };
      addStem(builder, draw, [0, -stem - 0.3 * (height - stem), 0], 0.018 * height + 0.05);
      const mean = 0.5 * (crown.radii[0] + crown.radii[1]);
      const count = 5;
      for (let i = 0; i <= count; i++) {
        // One clump in the middle, the others around it at changing heights; the sky shows between them.
        const angle = (TURN * i) / count + draw.between(-0.3, 0.3);
        const reach = i === count ? 0 : draw.between(0.42, 0.56);
        const level = i === count ? -0.2 : draw.between(0, 0.2) + (i % 2 === 0 ? 0.12 : -0.3);
        const radius = mean * (i === count ? 0.5 : draw.between(0.33, 0.42));
        const centre = add(crown.centre, [
          crown.radii[0] * reach * cos(angle),
          crown.radii[1] * level,
          crown.radii[2] * reach * sin(angle),
        ]);
        if (i < count) addBranch(builder, [0, -stem * 0.95, 0], centre, 0.006 * height + 0.02);
        addFoliage(builder, draw, { centre, radii: [radius, 0.9 * radius, radius], colour }, crown, {
          level: 1,
          tufts: 5,
        });
      }
      addSprays(builder, draw, crown, colour, SPRAYS);
    },
  };
}

/** A slim dense tree to the ground: thuja, cypress, poplar. */
export function columnModel(draw: Draw, leaves: () => SpriteImage): Model {
  const height = draw.between(2.5, 8);
  const width = height * draw.between(0.24, 0.36);
  return {
    bounds: standing(width, height, width),
    crease: 180,
    texture: leaves,
    gather: (builder) => {
      const colour = draw.pick(DARK_GREENS);
      const crown: Crown = { centre: [0, -height / 2, 0], radii: [width / 2, height / 2, width / 2], darkest: 0.5 };
      addStem(builder, draw, [0, -0.3 * height, 0], 0.08);
      for (let i = 0; i < 7; i++) {
        const share = (i + 0.5) / 7;
        const radius = (width / 2) * (0.5 + 0.55 * Math.min(1, 2.4 * (1 - share)) * Math.min(1, 0.6 + share));
        const centre: Vector = [
          draw.between(-0.05, 0.05) * width,
          -0.04 - height * (0.06 + 0.84 * share),
          draw.between(-0.05, 0.05) * width,
        ];
        addFoliage(builder, draw, { centre, radii: [radius, 0.15 * height, radius], colour }, crown, {
          level: 1,
          tufts: 14,
        });
      }
    },
  };
}

/** A conifer: tiers of hanging branches, each a ragged cone. */
export function coniferModel(draw: Draw, leaves: () => SpriteImage): Model {
  const height = draw.between(6, 14);
  const width = height * draw.between(0.36, 0.5);
  return {
    bounds: standing(width, height, width),
    crease: 60,
    texture: leaves,
    gather: (builder) => {
      const colour = draw.pick(DARK_GREENS);
      addStem(builder, draw, [0, -0.5 * height, 0], 0.014 * height + 0.06);
      const tiers = 10;
      const points = 18;
      const base = 0.1 * height;
      for (let tier = 0; tier < tiers; tier++) {
        const share = tier / tiers;
        const top = -(base + (height - base) * (share + 1.75 / tiers));
        const low = -(base + (height - base) * share);
        const radius = (width / 2) * (1 - share) + 0.1;
        const apex: Vector = [0, Math.max(-height, top), 0];
        const turn = draw.between(0, TURN);
        const shade = draw.between(0.85, 1.1);
        const ring = Array.from({ length: points }, (_, i): Vector => {
          const angle = turn + (TURN * i) / points;
          const far = radius * (i % 2 === 0 ? draw.between(0.85, 1.08) : draw.between(0.5, 0.66));
          return [far * cos(angle), low + (i % 2 === 0 ? 0.04 : -0.05) * height * (1 - share), far * sin(angle)];
        });
        const lit = (point: Vector): Tint => {
          const out = Math.sqrt(point[0] * point[0] + point[2] * point[2]) / radius;
          return tint(colour, shade * (0.45 + 0.6 * Math.min(1, out)) * (0.75 + 0.25 * share));
        };
        const under: Vector = [0, low - 0.02 * height, 0];
        for (let i = 0; i < points; i++) {
          const [a, b] = [ring[i], ring[(i + 1) % points]];
          const out: Vector = add(a, b);
          leaf(builder, [apex, a, b], lit, [out[0], -0.4 * radius, out[2]]);
          leaf(builder, [under, a, b], (point) => scaleTint(lit(point), 0.4), [0, 1, 0]);
        }
      }
    },
  };
}

/** A bush: clumps on the ground. */
export function bushModel(draw: Draw, leaves: () => SpriteImage): Model {
  const height = draw.between(0.7, 2.2);
  const width = height * draw.between(1, 1.6);
  return {
    bounds: standing(width, height, width * draw.between(0.8, 1)),
    crease: 180,
    texture: leaves,
    gather: (builder) => {
      const colour = draw.weighted(GREENS);
      const crown: Crown = { centre: [0, -0.45 * height, 0], radii: [width / 2, height / 2, width / 2], darkest: 0.4 };
      for (let i = 0; i < 4; i++) {
        const angle = (TURN * i) / 3 + draw.between(-0.5, 0.5);
        const reach = i === 3 ? 0 : 0.24 * width;
        const centre: Vector = [
          reach * cos(angle),
          -height * (i === 3 ? 0.58 : draw.between(0.32, 0.46)),
          reach * sin(angle),
        ];
        const radius = i === 3 ? 0.4 * height : 0.36 * height;
        addFoliage(builder, draw, { centre, radii: [1.2 * radius, radius, 1.2 * radius], colour }, crown, {
          level: 1,
          tufts: 14,
        });
      }
    },
  };
}

/** A piece of clipped hedge along z: a ragged box. */
export function hedgeModel(draw: Draw, leaves: () => SpriteImage): Model {
  const [width, height, length] = [draw.between(0.6, 1), draw.between(0.9, 2), draw.between(3, 6)];
  return {
    bounds: standing(width, height, length),
    crease: 45,
    texture: leaves,
    gather: (builder) => {
      const colour = draw.chance(0.5) ? draw.pick(DARK_GREENS) : draw.weighted(GREENS);
      const outline: readonly (readonly [number, number])[] = [
        [-0.42, 0],
        [-0.5, -0.3],
        [-0.48, -0.65],
        [-0.46, -0.95],
        [-0.2, -1],
        [0.2, -1],
        [0.46, -0.95],
        [0.48, -0.65],
        [0.5, -0.3],
        [0.42, 0],
      ];
      const segments = Math.round(length / 0.45);
      const rows = Array.from({ length: segments + 1 }, (_, i) =>
        outline.map(
          ([x, y]): Vector => [
            x * width + draw.between(-0.06, 0.06),
            y === 0 ? 0 : Math.max(-height, y * height + draw.between(-0.05, 0.05)),
            (i / segments - 0.5) * length + (i % segments === 0 ? 0 : draw.between(-0.1, 0.1)),
          ],
        ),
      );
      const look: Look = {
        tint: ([, y]) => tint(colour, 0.45 + 0.6 * Math.min(1, -y / (0.8 * height))),
        place: sidewaysPlace,
      };
      builder.grid(
        rows,
        (_, __, face) => ({ ...look, place: placeFor(face) }),
        ([x, y]) => [x, y + height / 2, 0],
      );
      builder.polygon(rows[0], { ...look, place: placeFor(rows[0]) }, [0, 0, -1]);
      builder.polygon(rows[segments], { ...look, place: placeFor(rows[segments]) }, [0, 0, 1]);
    },
  };
}

function sidewaysPlace([, y, z]: Vector): readonly [number, number] {
  return [z / LEAF_TILE, y / LEAF_TILE];
}

/** The leaf texture on a face: projected along the axis that it faces most. */
function placeFor([a, b, c]: readonly Vector[]): Look['place'] {
  const n = cross(subtract(b, a), subtract(c, a)).map(Math.abs);
  if (n[0] >= n[1] && n[0] >= n[2]) return sidewaysPlace;
  if (n[1] >= n[2]) return ([x, , z]) => [x / LEAF_TILE, z / LEAF_TILE];
  return ([x, y]) => [x / LEAF_TILE, y / LEAF_TILE];
}

function leaf(
  builder: MeshBuilder,
  points: readonly Vector[],
  lit: Look['tint'],
  outwards: Vector,
  normal?: Look['normal'],
) {
  builder.polygon(points, { tint: lit, place: placeFor(points), normal }, outwards);
}

function scaleTint([red, green, blue]: Tint, factor: number): Tint {
  return [red * factor, green * factor, blue * factor];
}

function addStem(builder: MeshBuilder, draw: Draw, top: Vector, radius: number): void {
  const bend: Vector = [draw.between(-0.1, 0.1), 0.5 * top[1], draw.between(-0.1, 0.1)];
  const look: Look = {
    tint: ([, y]) => tint(BARK, 0.9 + 0.5 * Math.min(1, -y / 1.5)),
    place: ([x, y, z]) => [1.6 * (x + z), 0.45 * y],
  };
  const path = [
    { at: [0, 0, 0] as Vector, radius: 1.5 * radius },
    { at: [0, -0.35, 0] as Vector, radius },
    { at: bend, radius: 0.85 * radius },
    { at: top, radius: 0.6 * radius },
  ];
  addTube(
    builder,
    path,
    7,
    look,
    [
      [1, 0, 0],
      [0, 0, 1],
    ],
    'open',
  );
}

function addBranch(builder: MeshBuilder, from: Vector, to: Vector, radius: number): void {
  addTube(
    builder,
    [
      { at: from, radius },
      { at: to, radius: 0.5 * radius },
    ],
    4,
    { tint: tint(BARK, 0.9), place: ([x, y, z]) => [1.6 * (x + z), 0.45 * y] },
    undefined,
    'open',
  );
}

/**
 * Sprays of leaves all over the outside of a crown: ragged against the sky, with gaps that light falls through. Each is seen
 * from both sides.
 */
function addSprays(builder: MeshBuilder, draw: Draw, crown: Crown, colour: Colour, count: number): void {
  const mean = (crown.radii[0] + crown.radii[1]) / 2;
  for (let i = 0; i < count; i++) {
    const up = 1 - (1.8 * (i + 0.5)) / count + draw.between(-0.08, 0.08);
    const wide = Math.sqrt(Math.max(0, 1 - up * up));
    const angle = 2.399963 * i + draw.between(-0.4, 0.4);
    const out: Vector = [wide * cos(angle), -up, wide * sin(angle)];
    const reach = draw.between(0.55, 0.95);
    const root = add(crown.centre, [
      crown.radii[0] * reach * out[0],
      crown.radii[1] * reach * out[1],
      crown.radii[2] * reach * out[2],
    ]);
    const size = mean * draw.between(0.18, 0.42);
    const aside = unit(cross(out, [draw.between(-1, 1), draw.between(-1, 1), draw.between(-1, 1)]));
    const across = unit(add(cross(out, aside), scale(out, draw.between(-0.7, 0.7))));
    const corners = [
      add(root, scale(aside, size)),
      add(root, add(scale(across, draw.between(0.6, 1) * size), scale(aside, draw.between(-0.7, 0.7) * size))),
      add(root, add(scale(aside, draw.between(-1, -0.5) * size), scale(across, draw.between(-0.3, 0.3) * size))),
      add(root, add(scale(across, draw.between(-1, -0.5) * size), scale(aside, draw.between(-0.4, 0.4) * size))),
    ];
    // In the shade of what hangs above and outside.
    const shade = 1.25 * draw.between(0.4, 1.25) * (0.5 + 0.5 * reach) * (0.62 + 0.38 * (0.5 + 0.5 * up));
    const own = tint([colour[0] * (1 + draw.between(-0.08, 0.08)), colour[1], colour[2]], shade);
    const face = unit(cross(subtract(corners[1], corners[0]), subtract(corners[2], corners[0])));
    for (const side of [face, scale(face, -1)]) {
      // Lit as the crown where they face outwards, and from the side where they face inwards.
      const outwards = dot(out, side);
      const normal = unit(add(out, scale(side, 0.4 + Math.max(0, outwards) - outwards)));
      leaf(builder, corners, own, side, () => normal);
    }
  }
}

/** A clump of leaves: a dented ball, and `tufts` of leaves that stand out of it so that its outline is ragged. */
function addFoliage(
  builder: MeshBuilder,
  draw: Draw,
  { centre, radii, colour }: Blob,
  crown: Crown,
  { level, tufts }: Detail,
): void {
  const hue = draw.between(-0.06, 0.06);
  const shade = draw.between(0.8, 1.16);
  const own: Colour = [colour[0] * (1 + hue), colour[1], colour[2] * (1 - hue)];
  const lit = (point: Vector): Tint => {
    const from = subtract(point, crown.centre);
    const scaled: Vector = [from[0] / crown.radii[0], from[1] / crown.radii[1], from[2] / crown.radii[2]];
    // Little light reaches the underside and the inside of a crown.
    const up = 0.5 - 0.5 * Math.max(-1, Math.min(1, scaled[1]));
    const out = Math.min(1, Math.sqrt(dot(scaled, scaled)));
    return tint(own, shade * (crown.darkest + (1 - crown.darkest) * (0.35 * up + 0.65 * up * out + 0.2 * out)));
  };
  const dents = new Map<string, number>();
  const at = (direction: Vector): Vector => {
    const key = direction.map((value) => value.toFixed(4)).join();
    let dent = dents.get(key);
    if (dent === undefined) {
      dent = level === 0 ? draw.between(0.7, 1.25) : draw.between(0.76, 1.14);
      dents.set(key, dent);
    }
    const y = centre[1] + radii[1] * direction[1] * dent;
    return [centre[0] + radii[0] * direction[0] * dent, Math.min(-0.02, y), centre[2] + radii[2] * direction[2] * dent];
  };
  const ball = BALLS[level];
  for (const [a, b, c] of ball) {
    const points = [at(a), at(b), at(c)];
    leaf(builder, points, lit, add(add(a, b), c));
  }
  for (let i = 0; i < tufts; i++) {
    const [a, b, c] = ball[Math.floor((i * ball.length) / tufts)];
    const out = unit(
      add(add(scale(a, draw.between(0.1, 1)), scale(b, draw.between(0.1, 1))), scale(c, draw.between(0.1, 1))),
    );
    const aside = unit(cross(out, [draw.between(-1, 1), draw.between(-1, 1), draw.between(-1, 1)]));
    const size = Math.min(0.34 * radii[0], draw.between(0.2, 0.45));
    const root = add(centre, [radii[0] * out[0] * 0.88, radii[1] * out[1] * 0.88, radii[2] * out[2] * 0.88]);
    if (root[1] > -size) continue;
    const side = unit(cross(aside, out));
    const tip = add(root, add(scale(out, 1.1 * size), scale(aside, draw.between(-0.5, 0.5) * size)));
    const corners = [add(root, scale(aside, 0.6 * size)), tip, add(root, scale(aside, -0.6 * size))];
    for (const face of [side, scale(side, -1)]) {
      // Lit as the clump they belong to, and a little as themselves.
      leaf(builder, corners, lit, face, () => unit(add(scale(face, 0.5), out)));
    }
  }
}
