import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { createGrammar, type Grammar } from '../../src/grammar/grammar.js';
import type { ConstraintDefinition, GrammarDefinition } from '../../src/grammar/schema.js';
import type { SceneGraph } from '../../src/scene/sceneGraph.js';
import { grammarMessage, LIBRARY } from './helpers.js';

/** Radius of a helper sprite: 6 × 8 px has half diagonal 5. */
const RADIUS = 5;

function street(constraints: ConstraintDefinition[], more: Partial<GrammarDefinition> = {}): Grammar {
  return createGrammar(
    {
      name: 'street',
      canvas: { width: 100, height: 60 },
      attributes: { x: {}, y: {}, rotation: {}, scale: {} },
      classes: {
        block: { attributes: { x: 50, y: 30, rotation: { uniform: [-180, 180] } } },
        car: { asset: 'cars/*', attributes: { x: { uniform: [-60, 60] }, y: { uniform: [-40, 40] } } },
        tree: { asset: 'trees/oak', attributes: { x: { uniform: [-60, 60] }, y: { uniform: [-40, 40] }, scale: 0.5 } },
      },
      nodes: [
        {
          class: 'block',
          children: [
            { class: 'car', count: 3 },
            { class: 'tree', count: 2 },
          ],
        },
      ],
      constraints,
      ...more,
    },
    { assets: LIBRARY },
  );
}

/** Places on the canvas with Math.sin and complex products: independent of src/grammar/poses.ts. */
function places(scene: SceneGraph): { x: number; y: number; radius: number; classId: number }[] {
  const world: { x: number; y: number; turn: number; scale: number }[] = [];
  return [...scene.parent].map((parent, v) => {
    const [x, y, rotation, scale] = scene.attributes.slice(4 * v, 4 * v + 4);
    const base = parent < 0 ? { x: 0, y: 0, turn: 0, scale: 1 } : world[parent];
    const angle = (base.turn * Math.PI) / 180;
    const at = {
      x: base.x + base.scale * (Math.cos(angle) * x - Math.sin(angle) * y),
      y: base.y + base.scale * (Math.sin(angle) * x + Math.cos(angle) * y),
      turn: base.turn + rotation,
      scale: base.scale * scale,
    };
    world.push(at);
    return { x: at.x, y: at.y, radius: scene.asset[v] < 0 ? 0 : RADIUS * at.scale, classId: scene.classId[v] };
  });
}

const scenes = (grammar: Grammar, count = 60) => grammar.sampleBatch({ seed: 2, start: 0, count }).scenes;

/** Whether the condition holds in all scenes, and whether it would not without the constraint. */
function compare(constraint: ConstraintDefinition, holds: (scene: SceneGraph) => boolean): void {
  for (const retry of ['scene', 'node'] as const) {
    const kept = scenes(street([constraint], { sampling: { retry, maxAttempts: 20000 } }));
    assert.ok(kept.every(holds), `${retry}: every scene satisfies it`);
  }
  assert.not.ok(scenes(street([])).every(holds), 'without the constraint some scene does not');
}

function pairs<T>(list: T[]): [T, T][] {
  return list.flatMap((a, i) => list.slice(i + 1).map((b): [T, T] => [a, b]));
}

test('minDistance holds between the origins on the canvas, in the parent’s rotated frame', () => {
  compare({ minDistance: { between: 'car', and: ['car', 'tree'], distance: 20 } }, (scene) =>
    pairs(places(scene).slice(1)).every(
      ([a, b]) => (a.classId !== 1 && b.classId !== 1) || Math.hypot(a.x - b.x, a.y - b.y) >= 20 - 1e-9,
    ),
  );
});

test('noOverlap keeps circles of scaled sprites apart, and does not compare a node with its ancestors', () => {
  compare({ noOverlap: { margin: 2 } }, (scene) =>
    pairs(places(scene).slice(1)).every(([a, b]) => Math.hypot(a.x - b.x, a.y - b.y) >= a.radius + b.radius + 2 - 1e-9),
  );
});

test('insideCanvas: whole circles by default, origins on request', () => {
  compare({ insideCanvas: { classes: ['car', 'tree'] } }, (scene) =>
    places(scene)
      .slice(1)
      .every(({ x, y, radius }) => x >= radius && y >= radius && x <= 100 - radius && y <= 60 - radius),
  );
  compare({ insideCanvas: { extent: 'origin', margin: 1 } }, (scene) =>
    places(scene).every(({ x, y }) => x >= 1 && y >= 1 && x <= 99 && y <= 59),
  );
});

test('a predicate sees the scene and the canvas poses', () => {
  compare(
    {
      name: 'first car is left of the second',
      predicate: (scene, { poses, schema }) => {
        assert.is(schema.classes[scene.classId[1]], 'car');
        const [car] = places(scene).slice(1);
        assert.ok(Math.abs(car.x - poses.x[1]) < 1e-9 && Math.abs(car.y - poses.y[1]) < 1e-9);
        assert.ok(Math.abs(car.radius - poses.radius[1]) < 1e-9);
        return poses.x[1] < poses.x[2];
      },
    },
    (scene) => places(scene)[1].x < places(scene)[2].x,
  );
});

test('rejection keeps scenes a function of seed and index: any order, any grammar object', () => {
  for (const retry of ['scene', 'node'] as const) {
    const make = () => street([{ noOverlap: {} }, { insideCanvas: {} }], { sampling: { retry, maxAttempts: 20000 } });
    const batch = make().sampleBatch({ seed: 3, start: 10, count: 6 });
    const other = make();
    for (const i of [5, 1, 3]) assert.equal(other.sample({ seed: 3, index: 10 + i }), batch.scenes[i]);
  }
});

test('a scene that satisfies the constraints at once is the same as without them', () => {
  const free = street([]).sampleBatch({ seed: 5, start: 0, count: 40 }).scenes;
  const kept = street([{ insideCanvas: { classes: 'car' } }]).sampleBatch({ seed: 5, start: 0, count: 40 }).scenes;
  const inside = (scene: SceneGraph) =>
    places(scene).every(
      ({ x, y, radius, classId }) =>
        classId !== 1 || (x >= radius && y >= radius && x <= 100 - radius && y <= 60 - radius),
    );
  const fitting = free.flatMap((scene, i) => (inside(scene) ? [i] : []));
  assert.ok(fitting.length > 0 && fitting.length < 40);
  for (const i of fitting) assert.equal(kept[i], free[i]);
});

test('rejecting whole scenes gives the conditional distribution', () => {
  // Two points even over [0, 1), at least ½ apart: |d| has density ∝ 1 − d on [½, 1), so its mean is ⅔.
  const grammar = createGrammar(
    {
      canvas: { width: 10, height: 10 },
      attributes: { x: {} },
      classes: { point: { attributes: { x: { uniform: [0, 1] } } } },
      nodes: [{ class: 'point', count: 2 }],
      constraints: [{ minDistance: { distance: 0.5 } }],
    },
    { assets: LIBRARY },
  );
  const draws = 4000;
  let sum = 0;
  for (let index = 0; index < draws; index++) {
    const { attributes } = grammar.sample({ seed: 1, index });
    sum += Math.abs(attributes[0] - attributes[1]);
  }
  // Variance of d: ∫d²·8(1 − d) over [½, 1] is 11/24, so 11/24 − 4/9 = 1/72.
  assert.ok(Math.abs(sum / draws - 2 / 3) < 4 * Math.sqrt(1 / 72 / draws), String(sum / draws));
});

test('node by node, a crowded scene succeeds within a budget that whole scenes exhaust', () => {
  const crowd = (retry: 'scene' | 'node') =>
    street([{ noOverlap: { between: 'car' } }, { insideCanvas: { classes: 'car' } }], {
      nodes: [{ class: 'block', children: [{ class: 'car', count: 12 }] }],
      sampling: { retry, maxAttempts: 3000 },
    });
  assert.is(crowd('node').sample({ seed: 0, index: 0 }).parent.length, 13);
  grammarMessage(() => crowd('scene').sample({ seed: 0, index: 0 }));
});

test('an exhausted budget says which constraint failed how often, for which seed and index', () => {
  const grammar = street(
    [
      { name: 'impossible', minDistance: { between: 'car', distance: 500 } },
      { minDistance: { between: 'car', distance: 1e-6 } },
    ],
    { sampling: { maxAttempts: 25 } },
  );
  assert.is(
    grammarMessage(() => grammar.sample({ seed: 6, index: 9 })),
    'street: constraints: Expected a scene that satisfies all constraints within 25 attempts for seed 6, index 9 ' +
      'but received none: impossible failed 25 times',
  );
});

test.run();
