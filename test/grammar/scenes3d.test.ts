import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { AssetLibrary } from '../../src/assets/assetLibrary.js';
import type { MeshAsset } from '../../src/assets/meshAsset.js';
import { createGrammar, parseGrammar } from '../../src/grammar/grammar.js';
import type { ConstraintDefinition, GrammarDefinition, ScenePredicate } from '../../src/grammar/schema.js';
import { AttributeRole, NodeKind } from '../../src/scene/attributeSchema.js';
import type { SceneGraph } from '../../src/scene/sceneGraph.js';
import { cameraOf, worldFrames } from '../../src/scene/worldFrames.js';
import { grammarMessage, mesh, sprite } from './helpers.js';

/** A car 1.8 × 1.5 × 4.4 m, a lorry 2.5 × 3 × 8 m, a post that leans over its foot, a floor. */
const MESHES = new AssetLibrary<MeshAsset>([
  mesh('cars/car'),
  mesh('lorries/lorry', 2.5, 3, 8),
  { ...mesh('posts/post'), minimum: [-0.1, -4, -0.1], maximum: [2, 0, 0.1] },
  { ...mesh('grounds/floor', 500, 0, 500), surface: 'ground' },
]);

const HEAD = `dimension: 3
canvas: { width: 400, height: 100 }
camera: { focal: 200, cx: 190, near: 0.5, far: 300, y: -1.5 }
attributes: { x: {}, y: {}, z: {}, rotation: {}, pitch: {}, scale: {}, scaleX: {}, scaleZ: {}, curvature: {} }
`;
const A = 9;

function parse3d(text: string) {
  return parseGrammar(text, { assets: MESHES, file: 'scene.yaml' });
}

test('a 3D grammar: camera, kinds, roles with their ranges, units and defaults', () => {
  const grammar = parse3d(`dimension: 3
canvas: { width: 400, height: 100, channels: 3 }
camera: { fieldOfView: 90, x: 1, pitch: -2 }
attributes: { x: {}, y: {}, z: {}, rotation: {}, pitch: {}, scaleZ: {}, fieldOfView: {}, curvature: {}, ambient: {}, haze: {} }
classes: { a: {}, b: { kind: camera }, c: { kind: light }, d: { kind: curve }, e: { kind: strip } }
nodes: [{ class: d, children: [{ class: e, children: [{ class: b }] }] }, { class: c }]
`);
  const { dimension, kinds, attributes } = grammar.schema;
  assert.is(dimension, 3);
  assert.equal(kinds, [NodeKind.Object, NodeKind.Camera, NodeKind.Light, NodeKind.Curve, NodeKind.Strip]);
  assert.equal(
    attributes.map(({ unit }) => unit),
    ['m', 'm', 'm', 'deg', 'deg', '', 'deg', '1/m', '', '1/km'],
  );
  assert.equal([attributes[2].role, attributes[2].minimum, attributes[2].maximum], [AttributeRole.Z, -200, 200]);
  assert.equal([attributes[3].periodic, attributes[4].periodic], [true, false]);
  const scene = grammar.sample({ seed: 0, index: 0 });
  // tan 45° = 1: half the width.
  assert.ok(Math.abs((scene.camera?.fx ?? 0) - 200) < 1e-9 && scene.camera?.fx === scene.camera?.fy);
  assert.equal(
    { ...scene.camera, fx: 0, fy: 0 },
    { fx: 0, fy: 0, cx: 200, cy: 50, x: 1, y: 0, z: 0, heading: 0, pitch: -2, roll: 0, near: 0.1, far: 1000 },
  );
  assert.equal([...scene.attributes.slice(0, 10)], [0, 0, 0, 0, 0, 1, 0, 0, Math.fround(0.45), 0]);
  const again = createGrammar(JSON.parse(JSON.stringify(grammar.toDefinition())), { assets: MESHES });
  assert.is(again.hash, grammar.hash);
  assert.equal(again.sample({ seed: 0, index: 0 }), scene);
});

const MISTAKES: [title: string, text: string, expected: string][] = [
  [
    'a 3D role in 2D',
    'canvas: { width: 8, height: 8 }\nattributes: { x: {}, z: {} }\nclasses: { a: {} }\nnodes: [{ class: a }]',
    'scene.yaml:2:22: attributes.z: Expected "dimension: 3" for the role "z" but received a grammar of dimension 2',
  ],
  [
    'a 2D role in 3D',
    `${HEAD.replace('scale: {}', 'opacity: {}')}classes: { a: {} }\nnodes: [{ class: a }]`,
    'attributes.opacity: Expected "dimension: 2" for the role "opacity" but received a grammar of dimension 3',
  ],
  [
    'no camera',
    'dimension: 3\ncanvas: { width: 8, height: 8 }\nattributes: { x: {} }\nclasses: { a: {} }\nnodes: [{ class: a }]',
    'scene.yaml:1:1: Expected "camera", what 3D scenes are seen with, in a grammar of dimension 3 but received none',
  ],
  [
    'a field of view of half a turn',
    `${HEAD.replace('scale: {}', 'fieldOfView: { range: [0, 180] }')}classes: { a: {} }\nnodes: [{ class: a }]`,
    'attributes.fieldOfView.range: Expected a maximum of at most 179° for the range of the role "fieldOfView" but received 180',
  ],
  [
    'a camera in 2D',
    'canvas: { width: 8, height: 8 }\ncamera: { focal: 8 }\nattributes: { x: {} }\nclasses: { a: {} }\nnodes: [{ class: a }]',
    'scene.yaml:2:1: camera: Expected no camera in a grammar of dimension 2',
  ],
  [
    'a kind in 2D',
    'canvas: { width: 8, height: 8 }\nattributes: { x: {} }\nclasses: { a: { kind: curve } }\nnodes: [{ class: a }]',
    'scene.yaml:3:23: classes.a.kind: Expected "dimension: 3" for the kind "curve" but received a grammar of dimension 2',
  ],
  [
    'an unknown kind',
    `${HEAD}classes: { a: { kind: strap } }\nnodes: [{ class: a }]`,
    'scene.yaml:5:23: classes.a.kind: Expected "object", "camera", "light", "curve" or "strip" but received "strap" (did you mean "strip"?)',
  ],
  [
    'a strip without a curve',
    `${HEAD}classes: { road: { kind: curve }, lane: { kind: strip }, a: {} }\nnodes:\n  - class: road\n    children:\n      - class: a\n        children:\n          - class: lane`,
    'scene.yaml:11:20: nodes[0].children[0].children[0].class: Expected the strip "lane" below a curve or a strip only',
  ],
  [
    'a focal length that labels have as 0',
    `${HEAD.replace('focal: 200', 'focal: 1.0e-8')}classes: { a: {} }\nnodes: [{ class: a }]`,
    'scene.yaml:3:18: camera.focal: Expected a number of at least 0.001 but received 1e-8',
  ],
  [
    'two kinds of focal length',
    `${HEAD.replace('focal: 200', 'focal: 200, fieldOfView: 80')}classes: { a: {} }\nnodes: [{ class: a }]`,
    'scene.yaml:3:1: camera: Expected exactly one of focal, fieldOfView',
  ],
  [
    'far before near',
    `${HEAD.replace('far: 300', 'far: 0.2')}classes: { a: {} }\nnodes: [{ class: a }]`,
    'camera: Expected near below far but received 0.5 and 0.2',
  ],
  [
    'insideCanvas in 3D',
    `${HEAD}classes: { a: {} }\nnodes: [{ class: a }]\nconstraints: [{ insideCanvas: {} }]`,
    'constraints[0]: Expected inView in a grammar of dimension 3 but received insideCanvas',
  ],
  [
    'a sprite in 3D',
    `${HEAD}classes: { a: { asset: sprites/digit } }\nnodes: [{ class: a }]`,
    'classes.a.asset: Expected a mesh for "sprites/digit" but received the sprite "sprites/digit"',
  ],
];

for (const [title, text, expected] of MISTAKES) {
  test(`error: ${title}`, () => {
    const assets = MESHES.concat(new AssetLibrary([sprite('sprites/digit')]));
    const said = grammarMessage(() => parseGrammar(text, { assets, file: 'scene.yaml' }));
    assert.ok(said.includes(expected), said);
  });
}

test('a second camera ends sampling with an error', () => {
  const grammar = parse3d(`${HEAD}classes: { a: { kind: camera } }\nnodes: [{ class: a, count: 2 }]`);
  assert.match(
    grammarMessage(() => grammar.sample({ seed: 4, index: 5 })),
    'nodes: Expected at most one camera for seed 4, index 5 but received 2',
  );
});

test('a spacing that gets no farther ends with an error that says which, and how to end it', () => {
  const grammar = parse3d(`${HEAD}classes: { a: {} }
nodes: [{ class: a, spacing: { along: z, from: 0, to: 10, gap: 0 } }]`);
  assert.match(
    grammarMessage(() => grammar.sample({ seed: 4, index: 5 })),
    /nodes: Expected at most 65534 nodes for seed 4, index 5 but received more, the last a "a"; longer gaps, a nearer "to" or "most" end its spacing/,
  );
});

test('spacing: gaps lie between bumpers, whatever the headings, lengths and stretches', () => {
  const grammar = parse3d(`${HEAD}classes:
  car: { asset: cars/car, attributes: { rotation: 180 } }
  lorry: { asset: lorries/lorry, attributes: { scaleZ: 1.5 } }
  post: { asset: posts/post, attributes: { rotation: 90, scale: 2 } }
  frame: {}
nodes:
  - spacing: { along: z, from: 10, to: 40, gap: "= 2 + index" }
    choice: [{ class: car, weight: "= index == 0" }, { class: lorry, weight: "= index == 1" }, { class: post, weight: "= index == 2" }, { class: frame, weight: "= index > 2" }]
`);
  const { attributes, classId } = grammar.sample({ seed: 0, index: 0 });
  // Rear ends: 10 + 2 = 12; car to 16.4; +3: lorry 19.4 … 31.4; +4: post 35.4. At heading 90° its x axis lies along −z, so it
  // reaches from 4 behind its foot to 0.2 before: 35.4 … 39.6. +5 = 44.6 is beyond 40.
  assert.equal([...classId], [0, 1, 2]);
  const z = [...classId.keys()].map((v) => attributes[v * A + 2]);
  for (const [i, expected] of [14.2, 25.4, 39.4].entries()) assert.ok(Math.abs(z[i] - expected) < 1e-5, String(z));
});

test('spacing: number and gaps follow the process; no gap falls below its minimum; `most` ends it', () => {
  const row = (most: string) =>
    parse3d(`${HEAD}classes: { car: { asset: cars/car } }
nodes: [{ class: car, spacing: { along: z, from: 0, to: 180, gap: { exponential: { min: 1.6, mean: 5.6 } }${most} } }]`);
  const grammar = row('');
  const draws = 400;
  const gaps: number[] = [];
  let number = 0;
  for (let index = 0; index < draws; index++) {
    const { attributes, parent } = grammar.sample({ seed: 9, index });
    number += parent.length;
    let front = 0;
    for (let v = 0; v < parent.length; v++) {
      const rear = attributes[v * A + 2] - 2.2;
      gaps.push(rear - front);
      assert.ok(rear < 180);
      front = rear + 4.4;
    }
  }
  assert.ok(Math.min(...gaps) >= 1.6 - 1e-4);
  assert.ok(Math.min(...gaps) < 1.65);
  // Gap and car make steps of mean μ = 5.6 + 4.4 = 10 and deviation σ = 5.6 − 1.6 = 4, and as many cars begin before 180 as steps
  // end before t = 184.4: t/μ + (σ² − μ²)/(2μ²) = 18.02 on average, with variance σ²t/μ³ = 2.95 (Cox, Renewal Theory, ch. 4).
  const mean = number / draws;
  assert.ok(Math.abs(mean - 18.02) < 4 * Math.sqrt(2.95 / draws), String(mean));
  // The step that leads beyond is a long one: μ + σ²/μ = 11.6, a gap of 7.2. Without it (5.6 · 19.02 − 7.2) / 18.02 = 5.51 are left.
  const average = gaps.reduce((sum, gap) => sum + gap, 0) / gaps.length;
  assert.ok(Math.abs(average - 5.51) < 4 * (4 / Math.sqrt(gaps.length)), String(average));
  assert.is(row(', most: 3').sample({ seed: 9, index: 0 }).parent.length, 3);
});

test('align: fronts on one line, for any size and heading; the middle with side 0', () => {
  const grammar =
    parse3d(`${HEAD}classes: { thing: { asset: "{cars,lorries}/*", attributes: { scaleZ: { uniform: [0.5, 2] } } } }
nodes:
  - class: thing
    count: 20
    parameters: { side: "= index - 3 * floor(index / 3) - 1" }
    align: { x: { at: "= 10 * side", side: "= side" } }
    attributes: { rotation: "= -90 * side" }
`);
  const { attributes, parent, asset } = grammar.sample({ seed: 1, index: 0 });
  for (let v = 0; v < parent.length; v++) {
    const row = attributes.slice(v * A, v * A + A);
    const side = (v % 3) - 1;
    const half = side === 0 ? 0 : ((asset[v] === 0 ? 4.4 : 8) / 2) * row[7];
    assert.ok(Math.abs(row[0] - side * (10 + half)) < 1e-4, `${v}: ${row[0]}`);
  }
});

/** Things strewn over a bent road, seen from a camera node. */
function strewn(constraints: ConstraintDefinition[], more: Partial<GrammarDefinition> = {}) {
  return createGrammar(
    {
      name: 'strewn',
      dimension: 3,
      canvas: { width: 400, height: 100 },
      camera: { focal: 200, near: 0.5, far: 300 },
      attributes: { x: {}, y: {}, z: {}, rotation: {}, pitch: {}, scale: {}, scaleX: {}, scaleZ: {}, curvature: {} },
      classes: {
        road: { kind: 'curve', attributes: { curvature: { uniform: [-0.02, 0.02] }, rotation: 20, x: 3 } },
        lane: { kind: 'strip', asset: 'grounds/floor', attributes: { x: 2 } },
        car: {
          asset: '{cars,lorries}/*',
          attributes: {
            x: { uniform: [-8, 8] },
            z: { uniform: [4, 50] },
            rotation: { uniform: [-180, 180] },
            scale: { uniform: [0.7, 1.3] },
          },
        },
        post: { asset: 'posts/*', attributes: { x: { uniform: [-8, 8] }, z: { uniform: [4, 50] } } },
        eye: { kind: 'camera', attributes: { y: -1.6, rotation: { uniform: [-10, 10] } } },
      },
      nodes: [
        {
          class: 'road',
          children: [
            { class: 'eye' },
            {
              class: 'lane',
              children: [{ class: 'car', count: 4, children: [{ class: 'post', attributes: { z: 1, x: 0 } }] }],
            },
            { class: 'post', count: 2 },
          ],
        },
      ],
      constraints,
      ...more,
    },
    { assets: MESHES },
  );
}

interface Thing {
  readonly node: number;
  readonly name: string;
  readonly origin: number[];
  /** Point of the mesh's box at shares of its extents in the world. */
  readonly point: (a: number, b: number, c: number, growth?: number) => number[];
}

/** Nodes with a mesh, from the 3 × 4 matrices of worldFrames. */
function things(scene: SceneGraph, schema: Parameters<typeof worldFrames>[0]): Thing[] {
  const frames = worldFrames(schema, scene);
  return [...scene.asset].flatMap((asset, node) => {
    if (asset < 0) return [];
    const m = frames.subarray(12 * node, 12 * node + 12);
    const { minimum, maximum } = MESHES.assets[asset];
    const [sx, sz] = [scene.attributes[node * A + 6], scene.attributes[node * A + 7]];
    const scale = Math.hypot(m[0], m[4], m[8]);
    const point = (a: number, b: number, c: number, growth = 0) => {
      const grow = growth / scale;
      const own = [a, b, c].map((share, i) => {
        const [low, high] = [minimum[i] * [sx, 1, sz][i], maximum[i] * [sx, 1, sz][i]];
        return low - (i === 1 ? 0 : grow) + share * (high - low + (i === 1 ? 0 : 2 * grow));
      });
      return [0, 4, 8].map((r) => m[r] * own[0] + m[r + 1] * own[1] + m[r + 2] * own[2] + m[r + 3]);
    };
    return [{ node, name: schema.classes[scene.classId[node]], origin: [m[3], m[7], m[11]], point }];
  });
}

/** Whether a grid of points over the one footprint finds one within the other: brute force, exact up to the grid. */
function footprintsMeet(a: Thing, b: Thing, growth: number): boolean {
  const steps = 24;
  const [o, px, pz] = [b.point(0, 1, 0, growth), b.point(1, 1, 0, growth), b.point(0, 1, 1, growth)];
  const u = [px[0] - o[0], px[2] - o[2]];
  const w = [pz[0] - o[0], pz[2] - o[2]];
  for (let i = 0; i <= steps; i++) {
    for (let j = 0; j <= steps; j++) {
      const p = a.point(i / steps, 1, j / steps, growth);
      const d = [p[0] - o[0], p[2] - o[2]];
      const s = (d[0] * u[0] + d[1] * u[1]) / (u[0] ** 2 + u[1] ** 2);
      const t = (d[0] * w[0] + d[1] * w[1]) / (w[0] ** 2 + w[1] ** 2);
      if (s > 1e-6 && s < 1 - 1e-6 && t > 1e-6 && t < 1 - 1e-6) return true;
    }
  }
  return false;
}

function pairs<T>(list: T[]): [T, T][] {
  return list.flatMap((a, i) => list.slice(i + 1).map((b): [T, T] => [a, b]));
}

/** Whether the condition holds in all scenes, and would not without the constraint. */
function compare(constraint: ConstraintDefinition, holds: (scene: SceneGraph, list: Thing[]) => boolean): void {
  const count = 40;
  const all = (grammar: ReturnType<typeof strewn>) =>
    grammar
      .sampleBatch({ seed: 2, start: 0, count })
      .scenes.map((scene) => holds(scene, things(scene, grammar.schema)));
  for (const retry of ['scene', 'node'] as const) {
    const kept = all(strewn([constraint], { sampling: { retry, maxAttempts: 20000 } }));
    assert.ok(kept.every(Boolean), `${retry}: every scene satisfies it`);
  }
  const free = all(strewn([]));
  assert.ok(
    free.some((good) => !good),
    'without the constraint some scene does not',
  );
}

test('minDistance holds in the world, across a bent road and its strips', () => {
  compare({ minDistance: { between: 'car', and: ['car', 'eye'], distance: 6 } }, (scene, list) => {
    const frames = worldFrames(strewn([]).schema, scene);
    const eye = [3, 7, 11].map((i) => frames[12 + i]);
    const cars = list.filter(({ name }) => name === 'car').map(({ origin }) => origin);
    return pairs([...cars, eye]).every(([a, b]) => Math.hypot(...a.map((value, i) => value - b[i])) >= 6 - 1e-9);
  });
});

test('noOverlap keeps turned, scaled footprints apart, by brute force over their points; a node and its ancestors may touch', () => {
  compare({ noOverlap: { margin: 0.8 } }, (_, list) => {
    const solid = list.filter(({ name }) => name !== 'lane');
    const related = ([a, b]: [Thing, Thing]) => b.node === a.node + 1 && a.name === 'car' && b.name === 'post';
    return pairs(solid)
      .filter((pair) => !related(pair))
      .every(([a, b]) => !footprintsMeet(a, b, 0.4) && !footprintsMeet(b, a, 0.4));
  });
});

test('noOverlap accepts whatever brute force finds apart: rejects nothing but overlaps', () => {
  const free = strewn([]);
  const kept = strewn([{ noOverlap: { between: 'car' } }]);
  let apart = 0;
  for (let index = 0; index < 60; index++) {
    const scene = free.sample({ seed: 8, index });
    const cars = things(scene, free.schema).filter(({ name }) => name === 'car');
    // Only scenes that are clearly apart: the grid misses slivers.
    if (pairs(cars).some(([a, b]) => footprintsMeet(a, b, 0.3) || footprintsMeet(b, a, 0.3))) continue;
    apart++;
    assert.equal(kept.sample({ seed: 8, index }), scene);
  }
  assert.ok(apart > 10 && apart < 60, String(apart));
});

test('noOverlap with circles is about the origins', () => {
  compare({ noOverlap: { between: 'car', extent: 'circle' } }, (_, list) => {
    const circles = list
      .filter(({ name }) => name === 'car')
      .map(({ origin, point }) => {
        const corners = [0, 1].flatMap((a) => [0, 1].map((c) => point(a, 1, c)));
        return { origin, radius: Math.max(...corners.map((p) => Math.hypot(p[0] - origin[0], p[2] - origin[2]))) };
      });
    return pairs(circles).every(
      ([a, b]) => Math.hypot(a.origin[0] - b.origin[0], a.origin[2] - b.origin[2]) >= a.radius + b.radius - 1e-9,
    );
  });
});

for (const extent of ['origin', 'box'] as const) {
  test(`inView (${extent}): projected by cameraOf, within image and distances`, () => {
    compare({ inView: { classes: 'car', extent, margin: 5, nearest: 8, farthest: 45 } }, (scene, list) => {
      const { toCamera: m, fx, fy, cx, cy } = cameraOf(strewn([]).schema, scene);
      return list
        .filter(({ name }) => name === 'car')
        .every(({ origin, point }) => {
          const corners = [0, 1].flatMap((a) => [0, 1].flatMap((b) => [0, 1].map((c) => point(a, b, c))));
          return (extent === 'origin' ? [origin] : corners).every(([x, y, z]) => {
            const at = [0, 4, 8].map((r) => m[r] * x + m[r + 1] * y + m[r + 2] * z + m[r + 3]);
            const [u, v] = [cx + (fx * at[0]) / at[2], cy + (fy * at[1]) / at[2]];
            return at[2] >= 8 && at[2] <= 45 && u >= 5 && u <= 395 && v >= 5 && v <= 95;
          });
        });
    });
  });
}

test('a predicate sees frames in the world and the camera', () => {
  const predicate: ScenePredicate = (scene, { schema, frames, camera }) => {
    assert.equal(frames, worldFrames(schema, scene));
    assert.equal(camera, cameraOf(schema, scene));
    return (frames?.[12 * 3 + 3] ?? 0) > 5;
  };
  const { scenes } = strewn([{ name: 'first car is right of 5', predicate }]).sampleBatch({
    seed: 1,
    start: 0,
    count: 10,
  });
  assert.ok(scenes.every((scene) => worldFrames(strewn([]).schema, scene)[12 * 3 + 3] > 5));
});

test('scenes are a function of seed and index: any order, any grammar object, also after rejections', () => {
  const make = () => strewn([{ noOverlap: { between: 'car' } }], { sampling: { retry: 'node' } });
  const { scenes } = make().sampleBatch({ seed: 3, start: 10, count: 6 });
  const other = make();
  for (const i of [5, 1, 3]) assert.equal(other.sample({ seed: 3, index: 10 + i }), scenes[i]);
});

test.run();
