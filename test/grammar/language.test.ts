import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { createGrammar, parseGrammar } from '../../src/grammar/grammar.js';
import { AttributeRole } from '../../src/scene/attributeSchema.js';
import { grammarMessage, LIBRARY, parse } from './helpers.js';

const ROAD = `
canvas: { width: 100, height: 80, channels: 3 }
attributes:
  rotation: {}
  x: {}
  y: {}
  scale: {}
  glow: { role: none, range: [0, 10], default: { uniform: [2, 3] } }
classes:
  road:
    attributes: { x: 50, y: 40, rotation: { vonMises: { mean: 0, kappa: 2 } } }
  car:
    asset: cars/*
    mutable: [x, rotation]
    attributes: { x: { uniform: { min: -20, max: 20 } }, scale: 0.5 }
  tree: { asset: "trees/**" }
nodes:
  - class: road
    children:
      - class: car
        count: { uniform: [1, 3] }
        attributes: { scale: 2 }
        mutable: [scale]
        children: [{ class: tree, count: 2 }]
      - choice:
          - { class: tree, weight: 3 }
          - { class: car, weight: 1 }
`;

test('classes and attributes keep the order of the file, also when names look like numbers', () => {
  const grammar = parse(`
canvas: { width: 10, height: 10 }
attributes: { y: {}, x: {}, rotation: {} }
classes: { zebra: {}, "9": {}, "0": {}, apple: {} }
nodes: [{ class: zebra }]
`);
  assert.equal(grammar.schema.classes, ['zebra', '9', '0', 'apple']);
  assert.equal(
    grammar.schema.attributes.map(({ name }) => name),
    ['y', 'x', 'rotation'],
  );
});

test('short forms get the defaults of their role; 0° is in the middle of a full turn', () => {
  const { schema, canvas } = parse(ROAD);
  const [rotation, x, y, scale, glow] = schema.attributes;
  assert.equal(rotation, {
    name: 'rotation',
    role: AttributeRole.Rotation,
    unit: 'deg',
    minimum: -180,
    maximum: 180,
    periodic: true,
  });
  assert.equal([x.unit, x.minimum, x.maximum, y.maximum], ['px', -100, 100, 80]);
  assert.equal([scale.minimum, scale.maximum, scale.periodic], [0.25, 4, false]);
  assert.equal([glow.role, glow.minimum, glow.maximum], [AttributeRole.None, 0, 10]);
  assert.equal(canvas, { width: 100, height: 80, channels: 3 });
  assert.is(schema.dimension, 2);
});

test('scenes: parents first in depth-first order, values by production over class over attribute, masks, assets by glob', () => {
  const grammar = parse(ROAD);
  const A = grammar.schema.attributes.length;
  const seen = { cars: new Set<number>(), choice: [0, 0], assets: new Set<string>() };
  for (let index = 0; index < 400; index++) {
    const scene = grammar.sample({ seed: 1, index });
    assert.is(scene.index, index);
    assert.is(scene.parent[0], -1);
    const value = (node: number, name: string) =>
      scene.attributes[node * A + grammar.schema.attributes.findIndex((spec) => spec.name === name)];
    assert.is(value(0, 'x'), 50);
    // By hand: cars at 1, 4, 7 … each followed by its two trees, and last the choice.
    const last = scene.parent.length - 1;
    const cars = (last - 1) / 3;
    assert.ok([1, 2, 3].includes(cars));
    seen.cars.add(cars);
    for (let car = 0; car < cars; car++) {
      const v = 1 + 3 * car;
      assert.equal([...scene.parent.slice(v, v + 3)], [0, v, v]);
      assert.equal([...scene.classId.slice(v, v + 3)], [1, 2, 2]);
      assert.is(value(v, 'scale'), 2);
      assert.ok(Math.abs(value(v, 'x')) <= 20);
      assert.equal([...scene.mutable.slice(v * A, v * A + A)], [0, 0, 0, 1, 0]);
      assert.equal([...scene.mutable.slice((v + 1) * A, (v + 2) * A)], [0, 0, 0, 0, 0]);
    }
    const isCar = scene.classId[last] === 1;
    seen.choice[isCar ? 1 : 0]++;
    assert.is(value(last, 'scale'), isCar ? 0.5 : 1);
    if (isCar) assert.equal([...scene.mutable.slice(last * A)], [1, 1, 0, 0, 0]);
    for (let v = 0; v < scene.parent.length; v++) {
      const name = scene.asset[v] < 0 ? '-' : grammar.assets[scene.asset[v]];
      seen.assets.add(name);
      assert.is(name.split('/')[0], ['-', 'cars', 'trees'][scene.classId[v]]);
      assert.ok(value(v, 'glow') >= 2 && value(v, 'glow') <= 3);
    }
  }
  assert.equal([...seen.cars].sort(), [1, 2, 3]);
  assert.is(seen.assets.size, 5);
  // Weights 3 : 1 of 400, standard deviation 8.7.
  assert.ok(Math.abs(seen.choice[0] - 300) < 4 * 8.7, seen.choice.join(' '));
});

test('a scene depends on seed and index only: not on the batch, the order, or the grammar object', () => {
  const one = parse(ROAD);
  const other = parse(ROAD);
  const batch = one.sampleBatch({ seed: 7, start: 100, count: 5 });
  for (const i of [4, 0, 2]) assert.equal(other.sample({ seed: 7, index: 100 + i }), batch.scenes[i]);
  assert.not.equal(one.sample({ seed: 8, index: 100 }).attributes, batch.scenes[0].attributes);
  assert.not.equal(batch.scenes[0].attributes, batch.scenes[1].attributes);
  assert.equal(batch.provenance, { grammar: 'scene', grammarHash: one.hash, seed: 7 });
  assert.is(one.hash, other.hash);
});

test('a periodic attribute wraps, any other is clamped to its range', () => {
  const grammar = parse(`
canvas: { width: 10, height: 10 }
attributes: { rotation: {}, x: { range: [-1, 1] } }
classes: { a: { attributes: { rotation: { normal: { mean: 170, sd: 40 } }, x: { normal: { mean: 0, sd: 3 } } } } }
nodes: [{ class: a }]
`);
  const rows = grammar.sampleBatch({ seed: 0, start: 0, count: 500 }).scenes.map((scene) => [...scene.attributes]);
  assert.ok(rows.every(([rotation, x]) => rotation >= -180 && rotation < 180 && x >= -1 && x <= 1));
  assert.ok(rows.some(([rotation]) => rotation < -100));
  assert.ok(rows.some(([, x]) => x === 1) && rows.some(([, x]) => x === -1));
});

test('several classes are drawn evenly, each node for itself; asset groups by weight; none is a frame', () => {
  const grammar = parse(`
canvas: { width: 10, height: 10 }
attributes: { x: {} }
classes: { a: { asset: [{ glob: cars/red, weight: 1 }, { glob: none, weight: 3 }] }, b: {} }
nodes: [{ class: [a, b], count: 1000 }]
`);
  const { classId, asset } = grammar.sample({ seed: 4, index: 0 });
  const a = [...classId.keys()].filter((v) => classId[v] === 0);
  assert.ok(Math.abs(a.length - 500) < 4 * 15.8);
  const red = a.filter((v) => asset[v] === 0).length;
  assert.ok(a.every((v) => asset[v] === 0 || asset[v] === -1));
  assert.ok(Math.abs(red - a.length / 4) < 4 * 9.7, String(red));
});

test('variables: arithmetic, text, lists, each other, overrides from a command line', () => {
  const text = `
variables: { size: 20, half: "\${size / 2}", folder: cars, free: [x], class2: b }
canvas: { width: "\${size}", height: "\${(size - 4) * 2 + 1}" }
attributes: { x: { range: ["\${-canvas.width}", "\${half}"] } }
templates:
  thing: { asset: "\${folder}/*", mutable: "\${free}", attributes: { x: "\${half - 1}" } }
classes: { a: { extends: thing }, "\${class2}": { extends: thing, attributes: { x: 2 }, asset: none } }
nodes: [{ class: a }, { class: b }]
`;
  const grammar = parse(text);
  assert.equal(grammar.canvas, { width: 20, height: 33, channels: 1 });
  assert.equal([...grammar.sample({ seed: 0, index: 0 }).attributes], [9, 2]);
  assert.equal([...grammar.sample({ seed: 0, index: 0 }).mutable], [1, 1]);
  assert.is(grammar.sample({ seed: 0, index: 0 }).asset[1], -1);
  const changed = parseGrammar(text, {
    assets: LIBRARY,
    overrides: {
      name: 'other',
      variables: { size: '40', folder: 'trees', free: '' },
      canvas: { height: 9, channels: 3 },
    },
  });
  assert.equal(changed.canvas, { width: 40, height: 9, channels: 3 });
  assert.is(changed.name, 'other');
  assert.equal([...changed.sample({ seed: 0, index: 0 }).attributes], [19, 2]);
  assert.equal([...changed.sample({ seed: 0, index: 0 }).mutable], [0, 0]);
  assert.is(changed.assets[changed.sample({ seed: 0, index: 0 }).asset[0]], 'trees/oak');
  assert.is.not(changed.hash, grammar.hash);
});

test('the hash is of the meaning: comments, key order, variables and short forms do not change it, values do', () => {
  const tail = 'classes: { a: {} }\nnodes: [{ class: a }]\n';
  const one = parse(`canvas: { width: 8, height: 9 }\nattributes: { x: {} }\n${tail}`);
  const same = parse(
    `# note\nvariables: { w: 8 }\n${tail}attributes: { x: { role: x, range: [-8, 8], default: { constant: 0 } } }\ncanvas: { height: 9, width: "\${w}", channels: 1 }\n`,
  );
  const other = parse(`canvas: { width: 8, height: 9 }\nattributes: { x: { range: [-8, 7] } }\n${tail}`);
  assert.is(same.hash, one.hash);
  assert.is.not(other.hash, one.hash);
  assert.match(one.hash, /^[0-9a-f]{64}$/);
});

test('a TypeScript object with a class called like a number is refused, because its order is lost', () => {
  const message = grammarMessage(() =>
    createGrammar(
      {
        canvas: { width: 8, height: 8 },
        attributes: { x: {} },
        classes: { background: {}, '0': {} },
        nodes: [{ class: 'background' }],
      },
      { assets: LIBRARY },
    ),
  );
  assert.match(message, /Expected a list with names/);
});

test('nodes beyond the cap end with an error that names seed and index', () => {
  const grammar = parse(`
canvas: { width: 8, height: 8 }
attributes: { x: {} }
classes: { a: {} }
nodes: [{ class: a, count: { uniform: [1, 60000] }, children: [{ class: a, count: { uniform: [0, 60000] } }] }]
`);
  const message = grammarMessage(() => {
    for (let index = 0; index < 50; index++) grammar.sample({ seed: 12, index });
  });
  assert.match(message, /Expected at most 65534 nodes for seed 12, index \d+ but received more/);
});

test('seeds and indices that are no integers in [0, 2^53) are refused', () => {
  const grammar = parse(ROAD);
  assert.match(
    grammarMessage(() => grammar.sample({ seed: -1, index: 0 })),
    /for seed but received -1/,
  );
  assert.match(
    grammarMessage(() => grammar.sampleBatch({ seed: 0, start: 0.5, count: 1 })),
    /for start but received 0.5/,
  );
  assert.match(
    grammarMessage(() => grammar.sampleBatch({ seed: 0, start: 0, count: 0 })),
    /for count but received 0/,
  );
});

test.run();
